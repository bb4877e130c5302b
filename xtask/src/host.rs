//! What this machine has and what we may do on it: programs on PATH, rights, packages.
//! Not here: which packages are needed, and for what.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fault::{Fault, Outcome};
use crate::place::Place;
use crate::run::{self, MINUTE};

/// A program on PATH.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

pub fn is_root() -> bool {
    run::ask(Command::new("id").arg("-u")).as_deref() == Some("0")
}

/// Installs Debian packages where that is possible: `apt-get` is there and we are root.
pub fn install_debian(place: &Place, packages: &[&str]) -> Outcome<()> {
    let what = format!("install {}", packages.join(" "));
    let by_hand = format!("sudo apt-get install {}", packages.join(" "));
    if on_path("apt-get").is_none() {
        return Err(Fault::new(what, "this system has no apt-get").next("your system's package tool"));
    }
    if !is_root() {
        return Err(Fault::new(what, "only root may install packages").next(by_hand));
    }
    let log = place.log("apt");
    eprintln!("installing with apt-get: {} (log: {})", packages.join(" "), log.display());
    let apt = |args: &[&str]| {
        let mut command = place.command("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(["-q", "-o", "DPkg::Lock::Timeout=300"]);
        command.args(args);
        command
    };
    run::logged("apt-get update", &mut apt(&["update"]), 5 * MINUTE, &log)?;
    let mut install = apt(&["install", "-y", "--no-install-recommends"]);
    run::logged(&what, install.args(packages), 15 * MINUTE, &log).map_err(|fault| fault.next(by_hand))
}

/// Installs what the lock file in `folder` names, and runs no script of any package.
pub fn install_npm(place: &Place, folder: &Path, log: &Path) -> Outcome<()> {
    let what = format!("npm ci in {}", folder.display());
    if on_path("npm").is_none() {
        return Err(Fault::new(what, "npm is not there").next("install Node.js 20 or newer with npm"));
    }
    eprintln!("installing npm packages in {} (log: {})", folder.display(), log.display());
    let mut npm = place.command("npm");
    npm.current_dir(folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]);
    run::logged(&what, &mut npm, 10 * MINUTE, log)
}
