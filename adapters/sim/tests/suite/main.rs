//! The contract's clauses on the reference adapter, in every style; and broken doubles, each caught by its clause.
//!
//! Not here: what is particular to the simulator (`world.rs`).

mod broken;
mod subject;

use std::collections::BTreeSet;

use broken::Bug;
use deskbridge_contract::suite::{Clause, ClauseReport, assert_conforms, check};
use deskbridge_sim::Style;
use subject::SimSubject;

#[tokio::test]
async fn every_style_conforms() {
    for style in [Style::telegram(), Style::slack(), Style::teams(), Style::discord(), Style::widget()] {
        assert_conforms(&mut SimSubject::new(style, None)).await;
    }
}

#[tokio::test]
async fn every_planted_bug_is_caught_by_its_clause() {
    for (bug, clause) in Bug::ALL {
        let reports = check(&mut SimSubject::new(Style::discord(), Some(bug))).await;
        let failed: BTreeSet<Clause> = reports.iter().filter(|r| r.failed()).map(|r| r.clause).collect();
        let text: Vec<String> = reports.iter().filter(|r| r.failed()).map(ClauseReport::to_string).collect();
        assert_eq!(failed, BTreeSet::from([clause]), "{bug:?}:\n{}", text.join("\n"));
    }
}
