//! Clauses about what comes in: C1, C2, C3, C4.
//!
//! Not here: how the platform delivers it; that is the subject's.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;

use super::recorder::Mode;
use super::run::{Findings, Run, kind_of, name_of};
use super::subject::{Act, Translated};
use crate::address::{Address, RemoteEventId};
use crate::capabilities::Support;
use crate::content::{Action, Content};
use crate::inbound::{Inbound, InboundEvent, ThreadChange};

/// C1. One of every kind of event, each delivered twice.
pub(super) async fn redelivery_keeps_ids(run: &mut Run<'_>, found: &mut Findings) {
    let home = run.subject.home();
    let mut ids: BTreeMap<RemoteEventId, &'static str> = BTreeMap::new();
    let mut again = 0;
    for act in acts(run, &home, found).await {
        let Some((caused, first)) = run.cause(&act, found).await else {
            let declared = declared_as_heard(run, &home, &act) == Some(true);
            found.check(!declared, || format!("the capabilities say that {} is heard", name_of(&act)));
            continue;
        };
        found.check(declared_as_heard(run, &home, &act) != Some(false), || {
            format!("the capabilities say that {} is not heard, and it came in", name_of(&act))
        });
        found.check(is_that(&act, &first), || {
            format!(
                "{} came in as {} with other contents than were made",
                name_of(&act),
                kind_of(&first.event)
            )
        });
        if let Some(other) = ids.insert(first.id.clone(), name_of(&act)) {
            found.fault(format!("{} has the id of {other}: {}", name_of(&act), first.id));
        }
        let before = run.recorder.pushed().len();
        run.subject.redeliver(&caused).await;
        run.subject.settle().await;
        for second in run.recorder.pushed().into_iter().skip(before) {
            again += 1;
            found.check(second.id == first.id, || {
                format!("{} came again under another id: {} became {}", name_of(&act), first.id, second.id)
            });
            found.check(second.event == first.event && second.address == first.address, || {
                format!("{} came again with other contents", name_of(&act))
            });
        }
    }
    found.check(again > 0, || "no redelivered event came in at all".into());
}

/// What the capabilities say about this act; `None`: nothing.
fn declared_as_heard(run: &Run<'_>, home: &Address, act: &Act) -> Option<bool> {
    let caps = run.adapter.capabilities(home);
    match act {
        Act::Edit { .. } => Some(caps.hears_edits),
        Act::Delete { .. } => Some(caps.hears_deletes),
        Act::React { .. } => Some(caps.hears_reactions),
        Act::Read { .. } => Some(caps.hears_reads),
        Act::Say { .. }
        | Act::Press { .. }
        | Act::Start { .. }
        | Act::Type { .. }
        | Act::Leave
        | Act::Return
        | Act::CloseThread { .. }
        | Act::ReopenThread { .. } => None,
    }
}

/// Acts in an order in which each is possible. Leaving is last, and undone.
async fn acts(run: &mut Run<'_>, home: &Address, found: &mut Findings) -> Vec<Act> {
    let mut acts = vec![Act::Start { payload: None }];
    let at = home.clone();
    acts.push(Act::Say { at: at.clone(), text: "my vpn says 691".into(), reply_to: None });
    if let Some((_, _, message)) = run.say(home, "and my printer is on fire", found).await {
        let text = "and my printer is offline".into();
        acts.push(Act::Edit { at: at.clone(), message: message.clone(), text });
        acts.push(Act::React { at: at.clone(), message: message.clone(), emoji: "👍", on: true });
        acts.push(Act::React { at: at.clone(), message: message.clone(), emoji: "👍", on: false });
        acts.push(Act::Delete { at: at.clone(), message });
    }
    let buttons = Content::text("Shall I connect you?").with_actions(vec![Action::new("suite:yes", "Yes")]);
    if let Some((_, message)) = run.must_post(home, buttons, found).await {
        acts.push(Act::Press { at: at.clone(), message: message.clone(), action: "suite:yes".into() });
        acts.push(Act::Read { at: at.clone(), message: message.clone() });
        // Elsewhere the quoted message does not come in.
        let quoted = run.adapter.capabilities(home).replies == Support::Native;
        acts.push(Act::Say { at: at.clone(), text: "that one".into(), reply_to: quoted.then_some(message) });
    }
    acts.push(Act::Type { at });
    if let Some(desk) = run.subject.desk()
        && let Some(thread) = run.must_open_thread(&desk, found).await
    {
        acts.push(Act::CloseThread { at: thread.address.clone() });
        acts.push(Act::ReopenThread { at: thread.address });
    }
    acts.push(Act::Leave);
    acts.push(Act::Return);
    acts
}

/// Whether the event is the act: kind, place, message, words.
fn is_that(act: &Act, came: &Inbound) -> bool {
    use InboundEvent as Event;
    match (act, &came.event) {
        (Act::Say { at, reply_to, .. }, Event::Posted { reply_to: came_to, .. }) => {
            came.address == *at && (reply_to.is_none() || reply_to == came_to)
        }
        (Act::Edit { at, message, .. }, Event::Edited { message: id, .. })
        | (Act::Delete { at, message }, Event::Deleted { message: id }) => {
            came.address == *at && id == message
        }
        (Act::React { at, message, emoji, on }, Event::Reacted { message: id, emoji: came_emoji, added }) => {
            came.address == *at && id == message && emoji == came_emoji && on == added
        }
        (Act::Press { at, message, action }, Event::Invoked { action: id, message: under, .. }) => {
            came.address == *at && id == action && under.as_ref() == Some(message)
        }
        (Act::Read { at, message }, Event::Read { up_to }) => came.address == *at && up_to == message,
        (Act::Type { at }, Event::Typing)
        | (Act::CloseThread { at }, Event::ThreadChanged { change: ThreadChange::Closed })
        | (Act::ReopenThread { at }, Event::ThreadChanged { change: ThreadChange::Reopened }) => {
            came.address == *at
        }
        (Act::Start { .. }, Event::Started { .. })
        | (Act::Leave, Event::Left)
        | (Act::Return, Event::Returned) => true,
        (_, _) => false,
    }
}

/// C2. Fixtures translate; whatever is done to them, nothing panics; and what cannot be read blocks nothing.
pub(super) async fn translate_is_total(run: &mut Run<'_>, found: &mut Findings) {
    let fixtures = run.subject.fixtures();
    found.check(!fixtures.is_empty(), || "there are no fixtures".into());
    for fixture in &fixtures {
        match translate(run, &fixture.payload) {
            Some(Translated::Events(_) | Translated::Ignored) => {}
            Some(Translated::Fault(why)) => {
                found.fault(format!("fixture {} does not translate: {why}", fixture.name))
            }
            None => found.fault(format!("fixture {} makes translate panic", fixture.name)),
        }
        let Ok(value) = serde_json::from_slice::<Value>(&fixture.payload) else { continue };
        for mutant in mutants(&value) {
            let payload = mutant.to_string().into_bytes();
            found.check(translate(run, &payload).is_some(), || {
                format!("translate panics on a mutant of {}: {}", fixture.name, shorten(&payload))
            });
        }
        for cut in (0..fixture.payload.len()).step_by(7) {
            let payload = &fixture.payload[..cut];
            found.check(translate(run, payload).is_some(), || {
                format!("translate panics on {} cut short", fixture.name)
            });
        }
    }
    for payload in noise() {
        found.check(translate(run, &payload).is_some(), || {
            format!("translate panics on {}", shorten(&payload))
        });
    }
    unreadable_blocks_nothing(run, found).await;
}

fn translate(run: &Run<'_>, payload: &[u8]) -> Option<Translated> {
    let subject: &dyn super::Subject = &*run.subject;
    catch_unwind(AssertUnwindSafe(|| subject.translate(payload))).ok()
}

async fn unreadable_blocks_nothing(run: &mut Run<'_>, found: &mut Findings) {
    let Some(caused) = run.subject.deliver_raw(br#"{"suite": {"unknown": [null]}}"#).await else {
        found.note("payloads cannot be handed in raw");
        return;
    };
    run.subject.settle().await;
    let acknowledged = run.subject.acknowledged(&caused).await;
    found.check(acknowledged, || {
        "a payload that cannot be read is not acknowledged: it would block what follows".into()
    });
    let home = run.subject.home();
    run.say(&home, "still there?", found).await;
}

/// Every place of the document in turn: removed, emptied, of another type, enormous.
fn mutants(value: &Value) -> Vec<Value> {
    let others = [
        Value::Null,
        Value::Bool(true),
        Value::from(-1),
        Value::from(u64::MAX),
        Value::from(1.5e300),
        Value::from(""),
        Value::from("\u{0}\u{202e}\u{1F600}\u{FFFF}"),
        Value::Array(vec![Value::Null]),
        Value::Object(serde_json::Map::new()),
    ];
    let mut made = Vec::new();
    for path in pointers(value, String::new()) {
        for other in &others {
            let mut mutant = value.clone();
            if let Some(place) = mutant.pointer_mut(&path) {
                *place = other.clone();
                made.push(mutant);
            }
        }
        let mut mutant = value.clone();
        if let Some((parent, key)) = path.rsplit_once('/')
            && let Some(Value::Object(object)) = mutant.pointer_mut(parent)
            && object.remove(&key.replace("~1", "/").replace("~0", "~")).is_some()
        {
            made.push(mutant);
        }
    }
    made
}

fn pointers(value: &Value, here: String) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(object) => {
            object.iter().map(|(k, v)| (k.replace('~', "~0").replace('/', "~1"), v)).collect()
        }
        Value::Array(array) => array.iter().enumerate().map(|(i, v)| (i.to_string(), v)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    let mut found: Vec<String> =
        children.iter().flat_map(|(k, v)| pointers(v, format!("{here}/{k}"))).collect();
    found.push(here);
    found
}

/// What is no event of anybody.
fn noise() -> Vec<Vec<u8>> {
    let deep = "[".repeat(200) + &"]".repeat(200);
    let mut made: Vec<Vec<u8>> =
        ["", "null", "0", "[]", "{}", "\"", "{\"event\":", "\u{feff}{}", deep.as_str()]
            .iter()
            .map(|text| text.as_bytes().to_vec())
            .collect();
    made.push(vec![0xff, 0xfe, 0x00]);
    // Bytes without any sense, the same in every run.
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    for length in [1_usize, 16, 256, 4096] {
        let bytes = (0..length).map(|_| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed.to_le_bytes()[0]
        });
        made.push(bytes.collect());
    }
    made
}

fn shorten(payload: &[u8]) -> String {
    let text = String::from_utf8_lossy(payload);
    text.chars().take(160).collect()
}

/// C3. What the bridge wrote does not come back as somebody's message.
pub(super) async fn own_messages_stay_out(run: &mut Run<'_>, found: &mut Findings) {
    let home = run.subject.home();
    let Some((sent, _)) = run.must_post(&home, Content::text("said by the bridge"), found).await else {
        return;
    };
    let before = run.recorder.pushed().len();
    if !run.subject.echo(&sent).await {
        found.note("the platform does not tell the bridge of its own messages");
    }
    run.subject.settle().await;
    let came = run.recorder.pushed().len() - before;
    found.check(came == 0, || format!("the bridge's own message came in {came} times"));
    // The guard must not be so wide that people are dropped too.
    run.say(&home, "said by a person", found).await;
}

/// C4. Neither while the push is under way nor when it was refused; but once it was taken.
pub(super) async fn acknowledged_after_push(run: &mut Run<'_>, found: &mut Findings) {
    let home = run.subject.home();
    let recorder = run.recorder.clone();
    recorder.set(Mode::Hold);
    let before = recorder.begun();
    let act = Act::Say { at: home, text: "is this on disk?".into(), reply_to: None };
    let Some(caused) = run.subject.cause(&act).await else {
        recorder.set(Mode::Take);
        return;
    };
    if !recorder.more_begun_than(before).await {
        recorder.set(Mode::Take);
        found.fault("the message never came in");
        return;
    }
    run.subject.settle().await;
    let early = run.subject.acknowledged(&caused).await;
    found.check(!early, || "acknowledged while the push was under way".into());
    recorder.set(Mode::Refuse);
    run.subject.settle().await;
    let lost = run.subject.acknowledged(&caused).await;
    found.check(!lost, || "acknowledged although the push was refused: the event is lost".into());
    let taken = recorder.pushed().len();
    recorder.set(Mode::Take);
    run.subject.redeliver(&caused).await;
    let came = recorder.next_after(taken).await.is_some();
    found.check(came, || "after a refused push the event did not come again".into());
    run.subject.settle().await;
    let acknowledged = run.subject.acknowledged(&caused).await;
    found.check(acknowledged, || "not acknowledged although the push was taken".into());
}
