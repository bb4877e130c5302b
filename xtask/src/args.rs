//! The command line of `cargo xtask`.
//! Not here: carrying it out.

use crate::fault::{Fault, Outcome};

const HELP: &str = "\
cargo xtask <chore>

  test [--fast] [--no-install] [--setup-only] [-- ARGS]
                       run every test with a private PostgreSQL and the peers; ARGS go to the test runner
      --fast           neither PostgreSQL nor peers: only what needs nothing but Rust
      --no-install     use what is there, install nothing
      --setup-only     start and stop what tests need, print the variables, run no test
  with [--fast] [--no-install] -- COMMAND
                       run COMMAND with the same surroundings, e.g. `cargo xtask with -- cargo nextest run pg_`
  ci [--fast] [--no-install]
                       all that CI checks: format, lints, dependencies, generated files, tests
  generated [--write]  check that generated files are current; --write makes them so
  web                  build the pages in web/ into web/dist, and hold them to their sizes
  peers [--no-install] install what the tests' peers need (Python packages, npm packages, Chromium)
";

/// What a chore that runs tests wants around it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// PostgreSQL and peers are left out.
    pub fast: bool,
    /// Nothing may be installed.
    pub no_install: bool,
    /// Prepare and stop, without a test.
    pub setup_only: bool,
    /// Passed to the test runner.
    pub runner_args: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Chore {
    Test(Wanted),
    With { wanted: Wanted, command: Vec<String> },
    Ci(Wanted),
    Generated { write: bool },
    Web,
    Peers { may_install: bool },
    Help,
}

/// Reads the words after `cargo xtask`; an unknown word is an error that names the known ones.
pub fn parse(words: impl IntoIterator<Item = String>) -> Outcome<Chore> {
    let mut words = words.into_iter();
    let chore = words.next().unwrap_or_else(|| "help".into());
    let mut flags = Vec::new();
    let mut rest = Vec::new();
    while let Some(word) = words.next() {
        if word == "--" {
            rest.extend(words.by_ref());
        } else {
            flags.push(word);
        }
    }
    match chore.as_str() {
        "test" => Ok(Chore::Test(Wanted {
            runner_args: rest,
            ..wanted(&chore, &flags, &["--fast", "--no-install", "--setup-only"])?
        })),
        "with" if rest.is_empty() => Err(Fault::new("cargo xtask with", "no command after `--`")
            .next("cargo xtask with -- cargo nextest run -p deskbridge-store")),
        "with" => {
            Ok(Chore::With { wanted: wanted(&chore, &flags, &["--fast", "--no-install"])?, command: rest })
        }
        "ci" => nothing_after(&chore, &rest)
            .and_then(|()| wanted(&chore, &flags, &["--fast", "--no-install"]))
            .map(Chore::Ci),
        "generated" => {
            nothing_after(&chore, &rest)?;
            known(&chore, &flags, &["--write"])?;
            Ok(Chore::Generated { write: !flags.is_empty() })
        }
        "peers" => {
            nothing_after(&chore, &rest)?;
            Ok(Chore::Peers { may_install: !wanted(&chore, &flags, &["--no-install"])?.no_install })
        }
        "web" => {
            nothing_after(&chore, &rest)?;
            known(&chore, &flags, &[])?;
            Ok(Chore::Web)
        }
        "help" | "--help" | "-h" => Ok(Chore::Help),
        other => Err(Fault::new("cargo xtask", format!("no chore is called `{other}`"))
            .next("cargo xtask help   # chores: test, with, ci, generated, web, peers")),
    }
}

pub fn print_help() -> Outcome<()> {
    eprint!("{HELP}");
    Ok(())
}

fn wanted(chore: &str, flags: &[String], allowed: &[&str]) -> Outcome<Wanted> {
    known(chore, flags, allowed)?;
    let has = |flag: &str| flags.iter().any(|f| f == flag);
    Ok(Wanted {
        fast: has("--fast"),
        no_install: has("--no-install"),
        setup_only: has("--setup-only"),
        runner_args: Vec::new(),
    })
}

fn known(chore: &str, flags: &[String], allowed: &[&str]) -> Outcome<()> {
    match flags.iter().find(|flag| !allowed.contains(&flag.as_str())) {
        None => Ok(()),
        Some(flag) => Err(Fault::new(
            format!("cargo xtask {chore}"),
            format!("`{flag}` is not one of {}", allowed.join(", ")),
        )
        .next("cargo xtask help")),
    }
}

fn nothing_after(chore: &str, rest: &[String]) -> Outcome<()> {
    if rest.is_empty() {
        return Ok(());
    }
    Err(Fault::new(format!("cargo xtask {chore}"), "takes nothing after `--`").next("cargo xtask help"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Outcome<Chore> {
        parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn words_after_the_dashes_go_to_the_runner() {
        let Ok(Chore::Test(wanted)) = parsed("test --fast -- pg_ --no-capture") else { panic!("not a test") };
        assert!(wanted.fast && !wanted.no_install);
        assert_eq!(wanted.runner_args, ["pg_", "--no-capture"]);
    }

    #[test]
    fn unknown_words_are_refused() {
        for line in
            ["tset", "test --quick", "ci --setup-only", "generated --fast", "ci -- x", "with", "with --fast"]
        {
            assert!(parsed(line).is_err(), "{line}");
        }
    }

    #[test]
    fn no_word_asks_for_help() {
        assert_eq!(parsed("").ok(), Some(Chore::Help));
    }
}
