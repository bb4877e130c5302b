//! Files that are written by the program or built from `web/`, and are committed: is each one current?
//! Not here: how they are written; the program's own subcommands do that.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::fault::{Fault, Outcome};
use crate::host;
use crate::place::Place;
use crate::run::{self, MINUTE};
use crate::skips::Skips;

/// A file and the subcommand that prints it.
struct Printed {
    file: &'static str,
    by: &'static [&'static str],
}

const PRINTED: [Printed; 3] = [
    Printed { file: "config.example.toml", by: &["config", "example"] },
    Printed { file: "docs/openapi.json", by: &["openapi"] },
    Printed { file: "docs/channels.md", by: &["channels"] },
];

/// Compares every file with what would be written now. `write` makes them current instead.
/// A file that is not in the checkout yet is not checked; from its first commit on it is.
pub fn check(place: &Place, write: bool, skips: &mut Skips) -> Outcome<()> {
    let mut stale = Vec::new();
    let (due, absent): (Vec<_>, Vec<_>) = PRINTED.iter().partition(|p| write || exists(place, p.file));
    for printed in absent {
        eprintln!("{}: not present yet", printed.file);
    }
    if !due.is_empty() {
        build(place)?;
    }
    for printed in due {
        if let Some(why) = printed.check(place, write)? {
            eprintln!("{}: {why}", printed.file);
            stale.push(printed.file);
        }
    }
    if web(place, skips)? && !write {
        stale.push("web/dist");
    }
    if stale.is_empty() {
        return Ok(());
    }
    let why = format!("out of date: {}", stale.join(", "));
    Err(Fault::new("generated files", why).next("cargo xtask generated --write   # then commit them"))
}

impl Printed {
    /// `None` when current (or just written), else what differs.
    fn check(&self, place: &Place, write: bool) -> Outcome<Option<String>> {
        let path = place.root.join(self.file);
        let mut program = place.command(place.built("deskbridge"));
        let printed =
            run::capture(self.file, program.args(self.by), MINUTE, &place.log("printed")).and_then(|bytes| {
                match bytes.is_empty() {
                    false => Ok(bytes),
                    true => Err(Fault::new(
                        self.file,
                        format!("`deskbridge {}` printed nothing", self.by.join(" ")),
                    )),
                }
            });
        let wanted = match printed {
            Ok(wanted) => wanted,
            Err(fault) if write && !exists(place, self.file) => {
                eprintln!("{}: cannot be written yet ({})", self.file, fault.why());
                return Ok(None);
            }
            Err(fault) => return Err(fault),
        };
        let has = fs::read(&path).unwrap_or_default();
        if has == wanted {
            eprintln!("{}: current", self.file);
            return Ok(None);
        }
        if !write {
            return Ok(Some(first_difference(&has, &wanted)));
        }
        fs::write(&path, wanted).map_err(|e| Fault::new(self.file, e.to_string()))?;
        eprintln!("{}: written", self.file);
        Ok(None)
    }
}

/// In the folder, or known to git though deleted from the folder.
fn exists(place: &Place, file: &str) -> bool {
    place.root.join(file).is_file()
        || run::ask(place.command("git").args(["ls-files", "--error-unmatch", file])).is_some()
}

/// With the same features as the tests (they build the program too), so nothing is built twice.
fn build(place: &Place) -> Outcome<()> {
    run::show("build", &mut place.cargo(&["test", "--workspace", "--no-run"]), 40 * MINUTE)
}

fn first_difference(has: &[u8], wanted: &[u8]) -> String {
    let (has, wanted) = (String::from_utf8_lossy(has), String::from_utf8_lossy(wanted));
    let (mut old, mut new) = (has.lines(), wanted.lines());
    for number in 1.. {
        match (old.next(), new.next()) {
            (None, None) => break,
            (a, b) if a == b => {}
            (a, b) => {
                let show = |line: Option<&str>| line.map_or("(end of file)".into(), |l| format!("{l:?}"));
                return format!("line {number} is {}, should be {}", show(a), show(b));
            }
        }
    }
    "differs in its line ends".into()
}

/// The chore `web`: builds the pages, and says what changed.
pub fn build_web(place: &Place) -> Outcome<()> {
    let mut skips = Skips::default();
    web(place, &mut skips)?;
    eprintln!("{}", skips.block());
    Ok(())
}

/// Builds `web/dist`, each part with packages of its own, and says whether that changed it. The builds themselves hold
/// the files to their sizes.
fn web(place: &Place, skips: &mut Skips) -> Outcome<bool> {
    let mut changed = false;
    for part in ["web", "web/console"] {
        changed |= web_part(place, skips, part)?;
    }
    Ok(changed)
}

fn web_part(place: &Place, skips: &mut Skips, part: &str) -> Outcome<bool> {
    let folder = place.root.join(part);
    let dist = place.root.join("web/dist");
    if !folder.join("package.json").is_file() {
        eprintln!("{part}: nothing to build");
        return Ok(false);
    }
    if host::on_path("npm").is_none() {
        let missing = Fault::new("web/dist", "npm is not there").next("install Node.js 20 or newer with npm");
        skips.add("npm to check web/dist", &missing);
        return Ok(false);
    }
    let before = files(&dist);
    let log = place.log(&part.replace('/', "-"));
    if older(&folder.join("node_modules/.package-lock.json"), &folder.join("package-lock.json")) {
        host::install_npm(place, &folder, &log)?;
    }
    let mut npm = place.command("npm");
    npm.current_dir(&folder).args(["run", "build"]);
    run::logged(&format!("npm run build in {part}"), &mut npm, 10 * MINUTE, &log)?;
    let after = files(&dist);
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    for name in names.into_iter().filter(|name| before.get(*name) != after.get(*name)) {
        eprintln!("web/dist/{}: was out of date, is built anew", name.display());
    }
    if before == after {
        eprintln!("web/dist: current, as {part} builds it");
    }
    Ok(before != after)
}

/// Whether `made` is missing or was made before `from` changed.
fn older(made: &Path, from: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|m| m.modified()).ok();
    changed(made).is_none_or(|made| changed(from).is_some_and(|from| made < from))
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let (Ok(name), Ok(bytes)) = (path.strip_prefix(folder), fs::read(&path)) {
                found.insert(name.to_owned(), bytes);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        assert_eq!(first_difference(b"a\nb\n", b"a\nc\n"), r#"line 2 is "b", should be "c""#);
        assert_eq!(first_difference(b"a\n", b"a\nb\n"), r#"line 2 is (end of file), should be "b""#);
        assert_eq!(first_difference(b"a\r\n", b"a\n"), "differs in its line ends");
    }
}
