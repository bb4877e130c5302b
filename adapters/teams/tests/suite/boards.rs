//! Cards beyond their words: a view for each technician, the status line for marks, and the message extension.

use std::sync::Arc;

use async_trait::async_trait;
use deskbridge_contract::suite::Recorder;
use deskbridge_contract::*;
use deskbridge_platforms::teams::Fault;
use serde_json::{Value, json};

use super::subject::{Bench, DESK, HOME, MARIA, desk, home};

const BOB: u32 = 601;

/// Bob is a technician, and owns what there is; Maria is nobody. Everything else is recorded.
struct Staff(Arc<Recorder>);

#[async_trait]
impl InboxSink for Staff {
    async fn push(&self, event: Inbound) -> Result<Receipt, PushError> {
        let receipt = self.0.push(event).await?;
        Ok(Receipt { reference: Some("#7".into()), ..receipt })
    }
    async fn quarantine(
        &self,
        channel: &ChannelName,
        raw: &[u8],
        why: &TranslateError,
    ) -> Result<(), PushError> {
        self.0.quarantine(channel, raw, why).await
    }
    async fn duty(&self, _: &ChannelName, user: &RemoteUserId) -> Option<Duty> {
        (user.as_str() == "aad-601").then_some(Duty::On)
    }
    async fn personal_card(&self, _: &Address, reference: &str, user: &RemoteUserId) -> Option<PersonalCard> {
        let owner = user.as_str() == "aad-601";
        let actions = if owner { vec![Action::new("resolve", "Resolve")] } else { Vec::new() };
        let known = reference == "#1042";
        known.then(|| PersonalCard { card: card(CardState::Assigned), actions, may_write: owner })
    }
}

async fn staffed() -> (Bench, Arc<Recorder>) {
    let (bench, recorder) = (Bench::start().await, Arc::new(Recorder::default()));
    bench.open(Inbox::new("teams".into(), Arc::new(Staff(recorder.clone())), recorder.clone()));
    (bench, recorder)
}

fn card(state: CardState) -> Card {
    Card {
        reference: "#1042".into(),
        title: "VPN".into(),
        state,
        status: "Bob has it".into(),
        requester: "Maria".into(),
        facts: vec![Fact { label: "Queue".into(), value: "IT".into() }],
        summary: "**Problem:** VPN says 691".into(),
        hint: "🔒 keeps a message internal.".into(),
    }
}

async fn send(bench: &Bench, id: &str, to: &Address, op: OutboundOp) -> Sent {
    let out = Outbound { id: DeliveryId::new(id), to: to.clone(), op };
    bench.adapter.send(&out).await.unwrap()
}

async fn opened(bench: &Bench) -> Sent {
    let title = ThreadTitle {
        state: CardState::Waiting,
        reference: "#1042".into(),
        requester: "Maria".into(),
        subject: "VPN".into(),
    };
    let actions = vec![Action::new("accept", "Accept"), Action::new("ticket", "Create ticket")];
    let op = OutboundOp::OpenThread { title, card: card(CardState::Waiting), actions };
    send(bench, "1", &desk(), op).await
}

fn root(bench: &Bench, thread: &Address) -> Value {
    let root = thread.thread.clone().unwrap();
    bench.fake.read(|world| world.messages(&format!("{DESK};messageid={root}"))[0].activity.clone())
}

fn conversation(at: &Address) -> String {
    format!("{DESK};messageid={}", at.thread.clone().unwrap())
}

/// The answer to an invoke.
async fn answered(bench: &Bench, invoke: Value) -> Value {
    bench.taken(&bench.fake.deliver(&bench.hook, invoke)).await;
    bench.fake.read(|world| world.answers.last().cloned().unwrap())
}

/// The technicians of the channel get a view of their own, and nobody else's client asks for one.
#[tokio::test]
async fn every_technician_sees_their_own_card() {
    let (bench, _recorder) = staffed().await;
    let sent = opened(&bench).await;
    let (thread, message) = (conversation(&sent.address), sent.message.unwrap());
    assert_eq!(
        root(&bench, &sent.address)["attachments"][0]["content"]["refresh"]["userIds"],
        json!(["29:601"])
    );
    assert_eq!(bench.fake.view(MARIA, &thread, message.as_str()), None);
    let asked = bench.fake.view(BOB, &thread, message.as_str()).unwrap();
    let seen = answered(&bench, asked.clone()).await;
    assert_eq!(seen["type"], "application/vnd.microsoft.card.adaptive");
    let text = seen["value"].to_string();
    assert!(text.contains("Resolve") && text.contains("Input.Text") && text.contains("Bob has it"), "{text}");
    assert!(!text.contains("\"Accept\""), "{text}");
    // Whoever asks by other means, and is no technician, sees what it is about and can press nothing.
    let mut other = asked.clone();
    other["from"] = json!({ "id": "29:501", "aadObjectId": "aad-501", "name": "Maria" });
    let text = answered(&bench, other).await["value"].to_string();
    assert!(
        text.contains("Bob has it") && !text.contains("Resolve") && !text.contains("Input.Text"),
        "{text}"
    );
    // Of another conversation nothing is said.
    let mut other = asked;
    other["value"]["action"]["data"]["reference"] = json!("#1");
    assert_eq!(answered(&bench, other).await["type"], "application/vnd.microsoft.activity.message");
    assert!(bench.fake.read(|world| world.violations.is_empty()));
}

/// However many technicians there are, sixty have a view of their own; and it is asked once for all cards.
#[tokio::test]
async fn sixty_viewers_at_most() {
    struct Everybody(Arc<Recorder>);
    #[async_trait]
    impl InboxSink for Everybody {
        async fn push(&self, event: Inbound) -> Result<Receipt, PushError> {
            self.0.push(event).await
        }
        async fn quarantine(
            &self,
            to: &ChannelName,
            raw: &[u8],
            why: &TranslateError,
        ) -> Result<(), PushError> {
            self.0.quarantine(to, raw, why).await
        }
        async fn duty(&self, _: &ChannelName, _: &RemoteUserId) -> Option<Duty> {
            Some(Duty::On)
        }
    }
    let (bench, recorder) = (Bench::start().await, Arc::new(Recorder::default()));
    bench.open(Inbox::new("teams".into(), Arc::new(Everybody(recorder.clone())), recorder.clone()));
    bench.fake.change(|world| world.members = (1000..1200).collect());
    let first = opened(&bench).await;
    let second = opened(&bench).await;
    for at in [first.address, second.address] {
        let users = root(&bench, &at)["attachments"][0]["content"]["refresh"]["userIds"].clone();
        assert_eq!(users.as_array().map(Vec::len), Some(60));
    }
    let asked = bench.fake.read(|world| world.calls.iter().filter(|call| call.method == "GET").count());
    assert_eq!(asked, 1);
    assert!(bench.fake.read(|world| world.violations.is_empty()));
}

/// D21: how the latest reply went is a line on the card, which stays when the card changes.
#[tokio::test]
async fn d21_marks_are_a_line_on_the_card() {
    let (bench, _recorder) = staffed().await;
    let sent = opened(&bench).await;
    let mark = |mark| OutboundOp::Mark { message: "reply-1".into(), mark };
    for (which, sign) in [
        (Mark::Held, "⏳"),
        (Mark::Delivered, "📨"),
        (Mark::Seen, "👁️"),
        (Mark::Internal, "🔒 The latest"),
        (Mark::Failed, "⚠️"),
    ] {
        send(&bench, sign, &sent.address, mark(which)).await;
        assert!(root(&bench, &sent.address).to_string().contains(sign), "{sign}");
    }
    let content = Content { card: Some(Box::new(card(CardState::Assigned))), ..Content::default() };
    let edit = OutboundOp::Edit { message: sent.message.unwrap(), content, persona: None };
    send(&bench, "edit", &sent.address, edit).await;
    let shown = root(&bench, &sent.address).to_string();
    assert!(shown.contains("🔵 #1042") && shown.contains("⚠️ The latest"), "{shown}");
    // In place: there is one message in the thread.
    assert_eq!(bench.fake.read(|world| world.messages(&conversation(&sent.address)).len()), 1);
}

/// "Create ticket" over any message: a form with its words; in a desk's thread a note and the verb.
#[tokio::test]
async fn the_message_extension_in_a_desk() {
    let (bench, recorder) = staffed().await;
    let sent = opened(&bench).await;
    let thread = conversation(&sent.address);
    let html = "<div>VPN says <b>691</b> &amp; more</div>";
    let form = answered(&bench, bench.fake.open_form(BOB, &thread, "ticket", html)).await;
    let content = &form["task"]["value"]["card"]["content"];
    assert_eq!(content["body"][0]["value"], "VPN says 691 & more");
    let name = content["body"][0]["id"].as_str().unwrap();
    let data = json!({ name: "VPN says *691*" });
    let wish = bench.fake.send_form(BOB, &thread, "ticket", &data);
    let told = answered(&bench, wish.clone()).await;
    assert!(told["task"]["value"].as_str().unwrap().contains("ticket"), "{told}");
    let pushed = recorder.pushed();
    assert!(
        matches!(&pushed[0].event, InboundEvent::Posted { content, .. } if content.text == "🔒 VPN says \\*691\\*")
    );
    assert!(matches!(&pushed[1].event, InboundEvent::Invoked { action, .. } if action == "ticket"));
    assert!(pushed.iter().all(|event| event.address == sent.address && event.from.id.as_str() == "aad-601"));
    // Sent again by a client that heard nothing: the same two events.
    answered(&bench, wish).await;
    let again = recorder.pushed();
    assert_eq!((&again[2].id, &again[3].id), (&again[0].id, &again[1].id));
    assert!(bench.fake.read(|world| world.violations.is_empty()));
}

/// What somebody asked is in their own chat with the bot, once.
async fn shown_once(bench: &Bench, words: &str) {
    let count = || {
        bench.fake.read(|world| {
            let all = world.messages(HOME).iter().filter(|message| message.own);
            all.filter(|message| message.activity["text"].as_str().is_some_and(|text| text.contains(words)))
                .count()
        })
    };
    for _ in 0..2000 {
        if count() > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(count(), 1);
}

/// The person's client waits for the form's answer, and so nobody waits for the Connector: it is not asked where their chat is
/// known, and where it is not, the person is told what is true.
#[tokio::test]
async fn a_form_is_answered_whatever_the_connector_does() {
    let (bench, recorder) = staffed().await;
    let elsewhere = "19:lunch@thread.tacv2;messageid=5";
    let data = json!({ "teams_ticket": "printer is on fire" });
    let refuse = |status, code| Fault::Refuse { status, retry_after: None, code };
    // Of somebody who never wrote to the bot.
    for (fault, words) in [
        (Fault::Hangup, "not taken"),
        (refuse(429, "TooManyRequests"), "not taken"),
        (refuse(500, "ServiceError"), "not taken"),
        (refuse(403, "ForbiddenOperationException"), "start a chat"),
    ] {
        bench.fake.fault(Some(fault.clone()));
        let told = answered(&bench, bench.fake.send_form(MARIA, elsewhere, "ticket", &data)).await;
        assert!(told["task"]["value"].as_str().unwrap().contains(words), "{fault:?}: {told}");
        assert!(recorder.pushed().is_empty(), "{fault:?}");
    }
    bench.fake.fault(None);
    bench.taken(&bench.fake.deliver(&bench.hook, bench.fake.say(MARIA, HOME, "hello"))).await;
    // From now on their chat is known, and what the Connector does makes no difference to the answer.
    bench.fake.fault(Some(Fault::Hangup));
    let requests = bench.fake.read(|world| world.requests());
    let wish = bench.fake.send_form(MARIA, elsewhere, "ticket", &json!({ "teams_ticket": "again on fire" }));
    let told = answered(&bench, wish.clone()).await;
    assert!(told["task"]["value"].as_str().unwrap().contains("#7"), "{told}");
    // Sent again by a client that heard nothing: no other request, and nothing is shown once more.
    bench.fake.fault(None);
    let again = answered(&bench, wish).await;
    assert!(again["task"]["value"].as_str().unwrap().contains("already"), "{again}");
    let pushed = recorder.pushed();
    assert_eq!(pushed[pushed.len() - 1].id, pushed[pushed.len() - 2].id);
    assert!(bench.fake.read(|world| world.requests()) <= requests + 1);
}

/// Elsewhere it is a request of the person who sent it, answered in their own chat with the bot.
#[tokio::test]
async fn the_message_extension_elsewhere() {
    let (bench, recorder) = staffed().await;
    let elsewhere = "19:lunch@thread.tacv2;messageid=5";
    bench.taken(&bench.fake.deliver(&bench.hook, bench.fake.say(MARIA, HOME, "hello"))).await;
    let data = json!({ "teams_ticket": "printer is on fire" });
    let told = answered(&bench, bench.fake.send_form(MARIA, elsewhere, "ticket", &data)).await;
    assert!(told["task"]["value"].as_str().unwrap().contains("#7"), "{told}");
    let asked = recorder.pushed().pop().unwrap();
    assert_eq!(asked.address, home());
    assert!(
        matches!(&asked.event, InboundEvent::Posted { content, .. } if content.text == "printer is on fire")
    );
    shown_once(&bench, "printer is on fire").await;
    // Commands of others, and a form with nothing in it, are kept for a person to look at.
    for odd in [
        bench.fake.send_form(MARIA, elsewhere, "ticket", &json!({})),
        bench.fake.send_form(MARIA, elsewhere, "other", &data),
        bench.fake.open_form(MARIA, elsewhere, "other", "x"),
    ] {
        bench.taken(&bench.fake.deliver(&bench.hook, odd)).await;
    }
    assert_eq!(recorder.quarantined().len(), 3);
}
