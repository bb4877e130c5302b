//! The Teams adapter on the fake Connector: the numbered clauses, every check of a token, and what Teams is known for.
//!
//! Not here: the clauses (the contract's suite), the platform (tests/platforms).

mod boards;
mod door;
mod installed;
mod judged;
mod keys;
mod sending;
mod subject;
mod threads;
mod webhook;

use deskbridge_contract::suite::{ClauseReport, check};

#[tokio::test]
async fn the_contract_holds() {
    let mut subject = subject::Bench::start().await;
    let reports = check(&mut subject).await;
    let failed: Vec<String> =
        reports.iter().filter(|report| report.failed()).map(ClauseReport::to_string).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let violations = subject.fake.read(|world| world.violations.clone());
    assert!(violations.is_empty(), "{violations:#?}");
}
