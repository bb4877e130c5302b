//! Answers that grow: one message, edited within Discord's limits, that becomes the answer.
//!
//! Not here: when an answer grows, and who else may speak (the runtime).

use deskbridge_contract::{Action, Sent};
use deskbridge_platforms::discord::{Limit, Message};

use super::*;

const WHOLE: &str = "Please open the VPN client, choose Repair, wait a minute and sign in again.";

/// Five edits in five seconds, as Discord grants them per channel.
const FIVE: Limit = Limit { requests: 5, per: Duration::from_secs(5) };

struct Talk {
    office: Office,
    adapter: Arc<DiscordAdapter>,
    at: Address,
    dm: Snowflake,
}

impl Talk {
    async fn open() -> Talk {
        let mut settings = Settings::default();
        settings.limits.insert("update_message".into(), FIVE);
        let office = Office::open(settings).await;
        let (adapter, dm) = (office.adapter(), office.fake.dm(office.ana, &office.app));
        let at = Address::room(&"discord".into(), format!("D{dm}"));
        Talk { office, adapter, at, dm }
    }

    fn messages(&self) -> Vec<Message> {
        self.office.fake.messages_in(self.dm)
    }

    /// Hints as they come from a model, until there were so many edits.
    async fn grow(&self, edits: usize) {
        let words: Vec<&str> = WHOLE.split(' ').collect();
        let growing = async {
            for count in (1..).map(|n| 1 + n % (words.len() - 1)) {
                self.adapter.streaming(&self.at, &words[..count].join(" ")).await.expect("a hint");
                if self.edits().len() >= edits && !self.messages().is_empty() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        assert!(tokio::time::timeout(SOON, growing).await.is_ok(), "{}", self.office.fake.report());
    }

    fn edits(&self) -> Vec<deskbridge_platforms::discord::Call> {
        self.office.fake.requests("update_message")
    }

    async fn say(&self, id: &str, text: &str, persona: Persona) -> Result<Sent, SendError> {
        let op = OutboundOp::Post {
            content: Content::text(text).with_actions(vec![Action::new("human", "Talk to a human")]),
            files: Vec::new(),
            persona: Some(persona),
            reply_to: None,
        };
        self.adapter.send(&Outbound { id: DeliveryId(id.into()), to: self.at.clone(), op }).await
    }
}

#[tokio::test]
async fn an_answer_grows_in_one_message_within_the_limits() {
    let talk = Talk::open().await;
    talk.grow(5).await;
    let so_far = talk.messages();
    assert_eq!(so_far.len(), 1);
    assert!(
        so_far[0].said().ends_with('…') && so_far[0].said().contains("Assistant"),
        "{}",
        so_far[0].said()
    );
    let sent = talk.say("d1", WHOLE, Persona::assistant("Assistant")).await.expect("sent");
    let there = talk.messages();
    assert_eq!(there.len(), 1, "{}", talk.office.fake.report());
    assert!(there[0].said().ends_with("sign in again."), "{}", there[0].said());
    assert_eq!(there[0].buttons().len(), 1);
    assert_eq!(sent.message, Some(RemoteMessageId::new(there[0].id.to_string())));
    assert_eq!(sent.more, Vec::new());
    let calls = talk.edits();
    assert!(calls.iter().all(|call| call.status == Some(200)), "{calls:?}");
    for window in calls.windows(6) {
        assert!(window[5].at - window[0].at >= FIVE.per, "six edits in five seconds");
    }
    // Sent once more, as after a crash before the answer was noted, it is found.
    let again = Outbound {
        id: DeliveryId("d1".into()),
        to: talk.at.clone(),
        op: OutboundOp::Post {
            content: Content::text(WHOLE).with_actions(vec![Action::new("human", "Talk to a human")]),
            files: Vec::new(),
            persona: Some(Persona::assistant("Assistant")),
            reply_to: None,
        },
    };
    let found = talk.adapter.find(&again).await.expect("looked").expect("found");
    assert_eq!(found.message, sent.message);
    // The next answer is a message of its own.
    talk.grow(6).await;
    talk.say("d2", "Something else.", Persona::assistant("Assistant")).await.expect("sent");
    assert_eq!(talk.messages().len(), 2);
}

/// D1: whoever speaks meanwhile speaks in a message of their own, and what was shown ends with "…".
#[tokio::test]
async fn what_grew_stays_when_a_person_speaks() {
    let talk = Talk::open().await;
    talk.grow(1).await;
    talk.say("d1", "I am here", Persona::person("Bob")).await.expect("sent");
    talk.say("d2", "An answer of its own.", Persona::assistant("Assistant")).await.expect("sent");
    let there = talk.messages();
    assert_eq!(there.len(), 3);
    assert!(there[0].said().ends_with('…'), "{}", there[0].said());
    assert!(there[1].said().contains("I am here") && there[2].said().contains("An answer"));
}

/// An edit whose outcome nobody knows is looked for, and made again; a message that somebody deleted is posted.
#[tokio::test]
async fn an_answer_that_could_not_be_edited_in() {
    let talk = Talk::open().await;
    talk.grow(1).await;
    talk.office.fake.fault(Fault::on("update_message", FaultKind::CloseBeforeReading));
    let lost = talk.say("d1", WHOLE, Persona::assistant("Assistant")).await;
    assert!(lost.is_err(), "{lost:?}");
    talk.say("d1", WHOLE, Persona::assistant("Assistant")).await.expect("sent");
    assert_eq!(talk.messages().len(), 1);
    talk.grow(4).await;
    let grown = talk.messages()[1].id;
    talk.office.fake.delete(talk.office.app.bot, talk.dm, grown);
    let sent = talk.say("d2", "Once more.", Persona::assistant("Assistant")).await.expect("posted");
    assert_ne!(sent.message, Some(RemoteMessageId::new(grown.to_string())));
    assert!(talk.messages().iter().any(|message| message.said().contains("Once more.")));
}

/// D6: newer words end the turn, and what was shown of its answer is edited into the answer to all of them.
#[tokio::test]
async fn what_grew_becomes_the_answer_to_newer_words() {
    let talk = Talk::open().await;
    let running = talk.office.start_with(&talk.adapter);
    talk.office.app.connected(SOON).await.expect("connected");
    talk.grow(1).await;
    talk.office.say("wait, it is the other laptop");
    talk.office.heard("wait, it is the other laptop").await;
    talk.say("d1", "Then look at its cable.", Persona::assistant("Assistant")).await.expect("sent");
    let there = talk.messages();
    assert_eq!(there.len(), 2, "{}", talk.office.fake.report());
    assert!(there[0].said().contains("its cable") && !there[0].said().ends_with('…'), "{there:?}");
    running.abort();
}
