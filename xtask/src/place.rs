//! Where things are in this checkout, and the `cargo` that builds it.
//! Not here: what is on the machine (`host`).

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fault::{Fault, Outcome};
use crate::run::{self, MINUTE};

/// `cargo run` sets these for this program. Build scripts that watch them (ring's does) would see them change
/// and build everything above again, so no cargo started from here gets them.
const SET_BY_CARGO: &[&str] = &[
    "CARGO_PKG_",
    "CARGO_MANIFEST_",
    "CARGO_BIN_",
    "CARGO_CRATE_NAME",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_TARGET_TMPDIR",
    "OUT_DIR",
];

pub struct Place {
    /// The folder with the workspace's Cargo.toml.
    pub root: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
    cargo: OsString,
}

impl Place {
    pub fn find() -> Outcome<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let root = root.canonicalize().map_err(|e| {
            Fault::new("cargo xtask", format!("the checkout it was built in is gone: {e}"))
                .next("cargo xtask help   # from the checkout, which builds it again")
        })?;
        // This program is target/<profile>/xtask, wherever target is.
        let target = std::env::current_exe()
            .ok()
            .and_then(|exe| Some(exe.parent()?.parent()?.to_owned()))
            .unwrap_or_else(|| root.join("target"));
        let place =
            Place { root, target, cargo: std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()) };
        let logs = place.target.join("xtask");
        fs::create_dir_all(&logs)
            .map_err(|e| Fault::new("cargo xtask", format!("cannot make {}: {e}", logs.display())))?;
        Ok(place)
    }

    /// A file for the output of a long command.
    pub fn log(&self, name: &str) -> PathBuf {
        self.target.join("xtask").join(format!("{name}.log"))
    }

    /// A program that the tests' build has built.
    pub fn built(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(name)
    }

    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// The cargo that started this program, without the variables that it set for this program alone.
    pub fn cargo(&self, args: &[&str]) -> Command {
        let mut command = self.command(&self.cargo);
        without_own_variables(&mut command);
        command.args(args);
        command
    }

    /// One installation at a time in this checkout; the lock goes with the returned file.
    pub fn lock(&self) -> Outcome<File> {
        let path = self.target.join("xtask/lock");
        let said = |why: String| Fault::new("lock of the installation", format!("{}: {why}", path.display()));
        let file = File::create(&path).map_err(|e| said(e.to_string()))?;
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {
                eprintln!("waiting for another `cargo xtask` that is installing")
            }
            Err(TryLockError::Error(e)) => return Err(said(e.to_string())),
        }
        match run::poll(20 * MINUTE, || file.try_lock().ok()) {
            Some(()) => Ok(file),
            None => Err(said("another `cargo xtask` holds it for over 20 minutes".into())),
        }
    }
}

/// Takes out what `cargo run` set for this program alone.
pub fn without_own_variables(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if SET_BY_CARGO.iter().any(|own| name.to_string_lossy().starts_with(own)) {
            command.env_remove(name);
        }
    }
}
