//! `deskbridge completions`: a script that lets a shell complete our arguments.
//!
//! Not here: the arguments.

use super::failure::Outcome;
use super::out;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

pub fn run(args: &Args) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "deskbridge", &mut script);
    out::data(&String::from_utf8_lossy(&script));
    Ok(())
}
