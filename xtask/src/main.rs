//! The project's own chores: `cargo xtask test`, `ci`, `generated`, `web`, `peers`, `with`.
//! Not here: how a chore is done; each has its module. Standard library only, so this builds in a second on a new machine.

mod args;
mod checks;
mod fault;
mod generated;
mod host;
mod peers;
mod place;
mod postgres;
mod run;
mod setup;
mod skips;
mod testing;

use std::process::ExitCode;

use args::Chore;

fn main() -> ExitCode {
    let outcome = args::parse(std::env::args().skip(1)).and_then(|chore| {
        let place = place::Place::find()?;
        match chore {
            Chore::Test(wanted) => testing::test(&place, &wanted),
            Chore::With { wanted, command } => testing::with(&place, &wanted, &command),
            Chore::Ci(wanted) => checks::ci(&place, &wanted),
            Chore::Generated { write } => generated::check(&place, write, &mut skips::Skips::default()),
            Chore::Web => generated::build_web(&place),
            Chore::Peers { may_install } => peers::install(&place, may_install),
            Chore::Help => args::print_help(),
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("\nerror: {fault}");
            ExitCode::FAILURE
        }
    }
}
