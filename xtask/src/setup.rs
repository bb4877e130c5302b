//! Everything that tests find around them, as environment variables; a variable that is already set is left alone.
//! Not here: how each thing is found (`postgres`, `peers`).

use std::process::Command;

use crate::args::Wanted;
use crate::fault::{Fault, Outcome};
use crate::peers;
use crate::place::Place;
use crate::postgres::{Cluster, Server};
use crate::skips::Skips;

pub const PG: &str = "DESKBRIDGE_TEST_PG";
pub const SPECS: &str = "DESKBRIDGE_TEST_SPECS";

#[derive(Default)]
pub struct Exports {
    pairs: Vec<(&'static str, String)>,
}

impl Exports {
    pub fn add(&mut self, name: &'static str, value: impl Into<String>) {
        self.pairs.push((name, value.into()));
    }

    /// Whether the caller's environment already says it; then that holds.
    pub fn keep_given(&mut self, name: &'static str) -> bool {
        let given = std::env::var(name).ok().filter(|value| !value.is_empty());
        let is_given = given.is_some();
        self.pairs.extend(given.map(|value| (name, value)));
        is_given
    }

    pub fn apply(&self, command: &mut Command) {
        command.envs(self.pairs.iter().map(|(name, value)| (name, value)));
    }

    /// Lines that a shell can read.
    #[expect(clippy::print_stdout, reason = "the answer of a command-line program")]
    pub fn print(&self) {
        for (name, value) in &self.pairs {
            println!("export {name}='{}'", value.replace('\'', r"'\''"));
        }
    }
}

/// What is around the tests of one run. Dropping it stops PostgreSQL.
pub struct Setup {
    pub exports: Exports,
    cluster: Option<Cluster>,
}

impl Setup {
    /// Finds, installs and starts. What cannot be had goes to `skips`; what is there but does not work is an error.
    pub fn prepare(place: &Place, wanted: &Wanted, skips: &mut Skips) -> Outcome<Self> {
        let mut exports = Exports::default();
        if wanted.fast {
            let left_out = Fault::new("tests", "left out by --fast").next("cargo xtask test");
            skips.add("PostgreSQL and the peers", &left_out);
        } else {
            peers::find_or_install(place, !wanted.no_install, &mut exports, skips)?;
        }
        specs(place, &mut exports, skips);
        let cluster =
            if wanted.fast { None } else { postgres(place, !wanted.no_install, &mut exports, skips)? };
        Ok(Setup { exports, cluster })
    }

    pub fn has_own_postgres(&self) -> bool {
        self.cluster.is_some()
    }
}

fn postgres(
    place: &Place,
    may_install: bool,
    exports: &mut Exports,
    skips: &mut Skips,
) -> Outcome<Option<Cluster>> {
    if exports.keep_given(PG) {
        return Ok(None);
    }
    let found = {
        let _lock = place.lock()?;
        Server::find_or_install(place, may_install)
    };
    match found {
        Ok(server) => {
            let cluster = Cluster::start(place, &server)?;
            exports.add(PG, cluster.url.clone());
            Ok(Some(cluster))
        }
        Err(fault) => {
            skips.add("PostgreSQL", &fault);
            Ok(None)
        }
    }
}

/// The platforms' published descriptions lie beside the checkout where its keepers have them; they are not ours to ship.
fn specs(place: &Place, exports: &mut Exports, skips: &mut Skips) {
    if exports.keep_given(SPECS) {
        return;
    }
    match place.root.join("../shared/specs").canonicalize() {
        Ok(folder) => exports.add(SPECS, folder.display().to_string()),
        Err(_) => skips.add(
            "the platforms' API descriptions",
            &Fault::new("API descriptions", "no folder ../shared/specs beside the checkout")
                .next(format!("export {SPECS}=FOLDER")),
        ),
    }
}
