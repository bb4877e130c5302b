//! Runs the tests, or any command, with everything set up around it.
//! Not here: what is set up (`setup`) and the tests themselves.

use std::process::Command;

use crate::args::Wanted;
use crate::fault::{Fault, Outcome};
use crate::place::{self, Place};
use crate::run::{self, MINUTE};
use crate::setup::Setup;
use crate::skips::Skips;

/// The chore `test`: the runner's summary, then what was left out, are the last things printed.
pub fn test(place: &Place, wanted: &Wanted) -> Outcome<()> {
    let mut skips = Skips::default();
    let outcome = set_up_and_run(place, wanted, &mut skips);
    eprintln!("\n{}", skips.block());
    outcome
}

pub fn set_up_and_run(place: &Place, wanted: &Wanted, skips: &mut Skips) -> Outcome<()> {
    let setup = Setup::prepare(place, wanted, skips)?;
    if wanted.setup_only {
        setup.exports.print();
        if setup.has_own_postgres() {
            eprintln!("PostgreSQL started, and is stopped again (to use it: cargo xtask with -- COMMAND)");
        }
        return Ok(());
    }
    let examples = if wanted.runner_args.is_empty() { doc_examples(place) } else { Ok(()) };
    let mut runner = runner(place, wanted);
    setup.exports.apply(&mut runner);
    run::show("tests", &mut runner, 60 * MINUTE)
        .map_err(|fault| fault.next("cargo xtask test -- NAME   # one test, or those whose name has NAME"))
        .and(examples)
}

/// The chore `with`.
pub fn with(place: &Place, wanted: &Wanted, words: &[String]) -> Outcome<()> {
    let mut skips = Skips::default();
    let setup = Setup::prepare(place, wanted, &mut skips)?;
    let [program, args @ ..] = words else {
        return Err(Fault::new("cargo xtask with", "no command").next("cargo xtask help"));
    };
    let mut command = Command::new(program);
    place::without_own_variables(&mut command);
    setup.exports.apply(&mut command);
    run::hand_over("cargo xtask with", command.args(args))
}

fn runner(place: &Place, wanted: &Wanted) -> Command {
    let mut command = if run::ask(&mut place.cargo(&["nextest", "--version"])).is_some() {
        let mut nextest = place.cargo(&["nextest", "run", "--workspace"]);
        if std::env::var("CI").is_ok_and(|value| !value.is_empty()) {
            nextest.args(["--profile", "ci"]);
        }
        nextest
    } else {
        eprintln!(
            "cargo-nextest is not there: running `cargo test`, which takes longer and has no time limit per test"
        );
        place.cargo(&["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"])
    };
    command.args(&wanted.runner_args);
    command
}

/// The examples in doc comments, which nextest does not run.
fn doc_examples(place: &Place) -> Outcome<()> {
    let log = place.log("doc-examples");
    let _ = std::fs::remove_file(&log);
    eprintln!("examples in doc comments (log: {})", log.display());
    let mut examples = place.cargo(&["test", "--workspace", "--doc", "--quiet"]);
    run::logged("examples in doc comments", &mut examples, 30 * MINUTE, &log)
        .inspect_err(|fault| eprintln!("{fault}"))
}
