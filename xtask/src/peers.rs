//! Software by others that plays the other side or judges ours: Python packages, npm packages, Chromium.
//! Not here: what the tests do with them. Which packages: `tests/setup/`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::fault::{Fault, Outcome};
use crate::host;
use crate::place::Place;
use crate::run::{self, MINUTE};
use crate::setup::Exports;
use crate::skips::Skips;

pub const PYTHON: &str = "DESKBRIDGE_TEST_PYTHON";
pub const NODE_MODULES: &str = "DESKBRIDGE_TEST_NODE_MODULES";
pub const CHROMIUM: &str = "DESKBRIDGE_TEST_CHROMIUM";

/// The chore: install, say where things are, and fail when something is missing.
pub fn install(place: &Place, may_install: bool) -> Outcome<()> {
    let mut exports = Exports::default();
    let mut skips = Skips::default();
    find_or_install(place, may_install, &mut exports, &mut skips)?;
    exports.print();
    eprintln!("{}", skips.block());
    Ok(())
}

/// Adds a variable for every peer that is there. One that cannot be had is skipped, never an error.
pub fn find_or_install(
    place: &Place,
    may_install: bool,
    exports: &mut Exports,
    skips: &mut Skips,
) -> Outcome<()> {
    let _lock = place.lock()?;
    let mut add = |needs: &str, name, found: &dyn Fn() -> Outcome<PathBuf>| {
        if exports.keep_given(name) {
            return;
        }
        match found() {
            Ok(path) => exports.add(name, path.display().to_string()),
            Err(fault) => skips.add(needs, &fault),
        }
    };
    add("the Python peers", PYTHON, &|| python(place, may_install));
    add("the npm peers", NODE_MODULES, &|| node_modules(place, may_install));
    add("Chromium", CHROMIUM, &|| chromium(place, may_install));
    Ok(())
}

/// A virtual environment with `tests/setup/requirements.txt`; the interpreter's path.
fn python(place: &Place, may_install: bool) -> Outcome<PathBuf> {
    let wanted = place.root.join("tests/setup/requirements.txt");
    let folder = place.target.join("peers-py");
    let python = folder.join("bin/python");
    let stamp = folder.join("requirements.installed");
    if same(&wanted, &stamp) && run::ask(place.command(&python).arg("--version")).is_some() {
        return Ok(python);
    }
    allowed(may_install, "the Python packages of tests/setup/requirements.txt")?;
    let Some(system) = host::on_path("python3") else {
        return Err(Fault::new("Python peers", "python3 is not there").next("install Python 3.10 or newer"));
    };
    let log = place.log("pip");
    eprintln!("installing Python packages in {} (log: {})", folder.display(), log.display());
    let mut venv = place.command(system);
    venv.args(["-m", "venv", "--clear"]).arg(&folder);
    run::logged("make a Python environment", &mut venv, 2 * MINUTE, &log)?;
    let mut pip = place.command(&python);
    pip.args(["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "-r"]).arg(&wanted);
    run::logged("install the Python peers", &mut pip, 10 * MINUTE, &log)?;
    record(&wanted, &stamp)?;
    Ok(python)
}

/// A folder with the packages of `tests/setup/package-lock.json`; its `node_modules`.
fn node_modules(place: &Place, may_install: bool) -> Outcome<PathBuf> {
    let setup = place.root.join("tests/setup");
    let lock = setup.join("package-lock.json");
    let folder = place.target.join("peers-npm");
    let modules = folder.join("node_modules");
    let stamp = folder.join("package-lock.installed");
    if same(&lock, &stamp) && modules.is_dir() {
        return Ok(modules);
    }
    allowed(may_install, "the npm packages of tests/setup/package.json")?;
    fs::create_dir_all(&folder).map_err(|e| Fault::new("npm peers", format!("{}: {e}", folder.display())))?;
    for name in ["package.json", "package-lock.json"] {
        record(&setup.join(name), &folder.join(name))?;
    }
    host::install_npm(place, &folder, &place.log("npm"))?;
    record(&lock, &stamp)?;
    Ok(modules)
}

/// Chromium that starts, whatever it is called here.
fn chromium(place: &Place, may_install: bool) -> Outcome<PathBuf> {
    if let Some(found) = find_chromium(place) {
        return Ok(found);
    }
    allowed(may_install, "Chromium")?;
    host::install_debian(place, &["chromium"])?;
    find_chromium(place).ok_or_else(|| {
        Fault::new("Chromium", "installed, but `chromium --version` fails").next("chromium --version")
    })
}

fn find_chromium(place: &Place) -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .filter_map(|name| host::on_path(name))
        .find(|path| run::ask(place.command(path).arg("--version")).is_some())
}

fn allowed(may_install: bool, what: &str) -> Outcome<()> {
    if may_install {
        return Ok(());
    }
    Err(Fault::new(what, "not there, and nothing may be installed").next("cargo xtask peers"))
}

fn same(a: &Path, b: &Path) -> bool {
    matches!((fs::read(a), fs::read(b)), (Ok(a), Ok(b)) if a == b)
}

fn record(from: &Path, to: &Path) -> Outcome<()> {
    fs::copy(from, to).map(drop).map_err(|e| {
        Fault::new("install the peers", format!("copy {} to {}: {e}", from.display(), to.display()))
    })
}
