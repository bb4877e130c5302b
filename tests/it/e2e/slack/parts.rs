//! Answers that need several messages, with something in between: all of it arrives, once (S43, F11).
//!
//! Not here: every class of platform and every moment (`crate::parts`, in virtual time).

use std::time::Duration;

use deskbridge_platforms::slack::{Fault, FaultKind};

use super::super::bridge::Base;
use super::super::parts::{assert_whole, long_text, words};
use super::{Receive, Talk};

/// Nine thousand characters.
const LONG: usize = 1_500;

impl Talk {
    /// The parts of the long message that Ana was shown, in order.
    fn arrived(&self) -> Vec<String> {
        let im = self.im();
        let texts = self.fake.read(|world| {
            self.own(world, &im).iter().map(|message| message.shown()).collect::<Vec<String>>()
        });
        texts.into_iter().filter(|text| !words(std::slice::from_ref(text)).is_empty()).collect()
    }

    /// Bob's long message is in Ana's chat and marked as delivered, and nobody was told otherwise.
    async fn arrives_whole(&self, said: &str) {
        self.marked(&self.desk, said, "incoming_envelope").await;
        assert_whole(LONG, &self.arrived());
        for told in ["Only the first part", "only partly", "twice", "Not delivered"] {
            assert_eq!(self.count(&self.desk, told), 0, "{told}");
        }
        self.nothing_amiss();
    }
}

#[tokio::test]
async fn slack_s43_a_pause_between_parts() {
    let talk = Talk::start(Receive::Http).await;
    let root = talk.assigned().await;
    talk.fake.fault(Fault::on("chat.postMessage", FaultKind::rate_limit(1)).in_channel(&talk.im()).after(1));
    let said = talk.reply(&root, long_text(LONG).as_str());
    talk.arrives_whole(&said).await;
}

#[tokio::test]
async fn slack_s43_the_answer_to_a_part_is_lost() {
    for part in [0, 1] {
        let talk = Talk::start(Receive::Http).await;
        let root = talk.assigned().await;
        let lost = Fault::on("chat.postMessage", FaultKind::CloseAfterEffect);
        talk.fake.fault(lost.in_channel(&talk.im()).after(part));
        let said = talk.reply(&root, long_text(LONG).as_str());
        talk.arrives_whole(&said).await;
    }
}

/// `kill -9` while the second part is on its way, which is there or not.
#[tokio::test]
async fn slack_s43_killed_between_parts() {
    let long = Duration::from_secs(3600);
    for fault in [FaultKind::Stall { wait: long, effect: false }, FaultKind::Drip { every: long }] {
        killed(fault, Base::Sqlite).await;
    }
}

#[tokio::test]
async fn pg_slack_s43_killed_between_parts() {
    killed(FaultKind::Drip { every: Duration::from_secs(3600) }, Base::Postgres).await;
}

async fn killed(fault: FaultKind, base: Base) {
    let Some(mut talk) = Talk::set_up(Receive::Http, base).await else { return };
    talk.run().await;
    let (root, im) = (talk.assigned().await, talk.im());
    let before = posts(&talk.fake.read(|world| world.ledger.calls.clone()), &im);
    talk.fake.fault(Fault::on("chat.postMessage", fault).in_channel(&im).after(1));
    let said = talk.reply(&root, long_text(LONG).as_str());
    talk.until("the second part on its way", |world| posts(&world.ledger.calls, &im) == before + 2).await;
    talk.bridge.kill().await;
    talk.run().await;
    talk.arrives_whole(&said).await;
}

/// How many messages were sent there, with or without an answer.
fn posts(calls: &[deskbridge_platforms::slack::Call], channel: &str) -> usize {
    let to = |call: &&deskbridge_platforms::slack::Call| {
        call.method == "chat.postMessage" && call.text("channel") == Some(channel)
    };
    calls.iter().filter(to).count()
}

/// A part that Slack does not take: Bob is told that only the first one arrived.
#[tokio::test]
async fn slack_s43_a_refused_part() {
    let talk = Talk::start(Receive::Http).await;
    let root = talk.assigned().await;
    let refused = FaultKind::Refused { error: "restricted_action".to_owned() };
    talk.fake.fault(Fault::on("chat.postMessage", refused).in_channel(&talk.im()).after(1));
    let said = talk.reply(&root, long_text(LONG).as_str());
    talk.sees(&talk.desk, "Only the first part").await;
    talk.marked(&talk.desk, &said, "warning").await;
    assert_eq!(talk.arrived().len(), 1);
    talk.nothing_amiss();
}
