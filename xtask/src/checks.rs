//! All that CI checks, in the order that builds the dependencies least often: once for the lints, once for the tests.
//! Not here: the machine's preparation (`.ci/run` says which tools it needs).

use std::time::Instant;

use crate::args::Wanted;
use crate::fault::{Fault, Outcome};
use crate::generated;
use crate::place::Place;
use crate::run::{self, MINUTE};
use crate::skips::Skips;
use crate::testing;

/// A second TLS provider in the tree makes every client panic at run time, once both are linked.
const SECOND_TLS_PROVIDER: &str = "aws-lc-sys";

/// Runs every step, also after one failed, and names those that failed at the end.
pub fn ci(place: &Place, wanted: &Wanted) -> Outcome<()> {
    let mut skips = Skips::default();
    let mut failed = Vec::new();
    let mut step = |name: &'static str, work: &mut dyn FnMut(&mut Skips) -> Outcome<()>| {
        eprintln!("\n== {name}");
        let start = Instant::now();
        let outcome = work(&mut skips);
        let seconds = start.elapsed().as_secs();
        match outcome {
            Ok(()) => eprintln!("== {name}: ok, {seconds} s"),
            Err(fault) => {
                eprintln!("== {name}: FAILED, {seconds} s\n{fault}");
                failed.push(name);
            }
        }
    };
    step("format", &mut |_| format(place));
    step("lints", &mut |_| lints(place));
    step("one TLS provider", &mut |_| one_tls_provider(place));
    step("licences and sources", &mut |skips| licences(place, skips));
    step("generated files", &mut |skips| generated::check(place, false, skips));
    step("web", &mut |_| web(place));
    step("tests", &mut |skips| testing::set_up_and_run(place, wanted, skips));
    eprintln!("\n{}", skips.block());
    if failed.is_empty() {
        return Ok(());
    }
    Err(Fault::new("cargo xtask ci", format!("failed: {}", failed.join(", "))).next("cargo xtask ci"))
}

fn format(place: &Place) -> Outcome<()> {
    run::show("format", &mut place.cargo(&["fmt", "--all", "--check"]), 5 * MINUTE)
        .map_err(|fault| fault.next("cargo fmt --all"))
}

fn lints(place: &Place) -> Outcome<()> {
    let mut clippy = place.cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    run::show("lints", &mut clippy, 40 * MINUTE)
}

fn one_tls_provider(place: &Place) -> Outcome<()> {
    let mut tree = place.cargo(&["tree", "--workspace", "--prefix", "none", "--edges", "all"]);
    let tree = run::capture("cargo tree", &mut tree, 5 * MINUTE, &place.log("tree"))?;
    let found = String::from_utf8_lossy(&tree).lines().any(|l| l.starts_with(SECOND_TLS_PROVIDER));
    if !found {
        return Ok(());
    }
    let why = format!("{SECOND_TLS_PROVIDER} came in beside ring");
    Err(Fault::new("one TLS provider", why)
        .next(format!("cargo tree --workspace -i {SECOND_TLS_PROVIDER}   # then turn that feature off")))
}

/// Without the advisories: their database is not reachable from everywhere.
fn licences(place: &Place, skips: &mut Skips) -> Outcome<()> {
    if run::ask(&mut place.cargo(&["deny", "--version"])).is_none() {
        let missing = Fault::new("cargo deny", "not installed").next("cargo install --locked cargo-deny");
        skips.add("cargo-deny", &missing);
        return Ok(());
    }
    let mut deny = place.cargo(&["deny", "check", "bans", "licenses", "sources"]);
    run::show("licences and sources", &mut deny, 10 * MINUTE)
}

/// The pages' own checks (types, tests), where `web/package.json` has a script `check`.
fn web(place: &Place) -> Outcome<()> {
    for part in ["web", "web/console"] {
        let folder = place.root.join(part);
        if !folder.join("node_modules").is_dir() {
            eprintln!("no packages are installed in {part}: nothing to check");
            continue;
        }
        let mut npm = place.command("npm");
        npm.current_dir(folder).args(["run", "--if-present", "check"]);
        run::show(part, &mut npm, 15 * MINUTE)?;
    }
    Ok(())
}
