//! Several people at one place: whose words are whose, and who may change what.
//!
//! Not here: what a bystander's acts come to (the core's own tests).

use deskbridge_contract::Content;
use deskbridge_conversation::{
    Author, CloseReason, Closed, ConversationId, DeliveryOp, Effect, EventBody, MessageId, Outcome,
    RequesterEvent, RequesterId, RequesterVerb, Stage,
};

use super::events::*;
use super::rig::{Fresh, Rig, home, remote, text, thread};
use crate::*;

const FIRST: ConversationId = ConversationId(1);

/// The same event, done by `who` at a place where others speak.
fn by(who: u32, mut apply: Apply) -> Apply {
    let Target::Requester { requester, shared, .. } = &mut apply.target else { panic!("not by address") };
    *requester = super::events::requester(who);
    *shared = true;
    apply
}

/// The same, in a thread.
fn threaded(mut apply: Apply) -> Apply {
    let Target::Requester { address, .. } = &mut apply.target else { panic!("not by address") };
    *address = address.thread(thread(FIRST).thread.unwrap().0.as_str());
    apply
}

fn pressed(who: u32, id: &str, verb: RequesterVerb) -> Apply {
    by(who, by_requester(1, id, RequesterEvent::Pressed { verb }))
}

fn message(seq: u64) -> MessageId {
    MessageId { conversation: FIRST, seq, n: 0 }
}

async fn author(rig: &Rig, seq: u64) -> Author {
    rig.read.message(message(seq)).await.unwrap().unwrap().author
}

async fn said(rig: &Rig, seq: u64) -> Content {
    rig.read.message(message(seq)).await.unwrap().unwrap().content.clone()
}

fn bruno() -> Author {
    Author::Bystander { id: RequesterId("web:8".into()), name: "Requester 8".into() }
}

pub(super) async fn others_speak_under_their_own_names(place: Fresh) {
    let rig = Rig::start(&place).await;
    rig.done(by(1, posted(1, "m1", "printer broken"))).await;
    let state = rig.done(by(8, posted(1, "m2", "mine too"))).await;
    assert_eq!((state.id, state.requester.id.as_str()), (FIRST, "web:1"));
    assert_eq!(author(&rig, 1).await, Author::Requester(RequesterId("web:1".into())));
    assert_eq!(author(&rig, 2).await, bruno());
    // Found where they spoke beside others, and only they.
    for (id, found) in
        [("web:8", vec![FIRST]), ("web:1", Vec::new()), ("web:", Vec::new()), ("web:\"8%", Vec::new())]
    {
        assert_eq!(rig.read.spoke_in(&RequesterId(id.into())).await.unwrap(), found, "{id}");
    }
    // The name is no fact of the log, and the requester's list does not grow by it.
    let log = rig.read.log(FIRST, 2, 1).await.unwrap();
    assert!(matches!(&log[0].event.body, EventBody::Bystander { by, .. } if by.as_str() == "web:8"));
    assert!(!serde_json::to_string(&log).unwrap().contains("Requester 8"));
    assert!(rig.read.requester(&RequesterId("web:8".into())).await.unwrap().is_none());
    // Where only one person can be, everything is theirs: who gave a name meanwhile is the same.
    let mut alone = by(9, posted(1, "m3", "it is me"));
    let Target::Requester { shared, .. } = &mut alone.target else { panic!("not by address") };
    *shared = false;
    rig.done(alone).await;
    assert_eq!(author(&rig, 3).await, Author::Requester(RequesterId("web:1".into())));
    rig.end().await;
}

pub(super) async fn who_wrote_it_edits_it(place: Fresh) {
    let rig = Rig::start(&place).await;
    rig.done(by(1, posted(1, "m1", "printer broken"))).await;
    rig.done(by(8, posted(1, "m2", "mine too"))).await;
    for (who, which) in [(8, "m1"), (1, "m2"), (9, "m2")] {
        let edit = by(who, edited(1, &format!("e{who}{which}"), which, "changed"));
        assert!(matches!(rig.writer.apply(edit).await, Ok(Applied::Ignored)), "{who} edits {which}");
    }
    assert_eq!(
        (said(&rig, 1).await.text.as_str(), said(&rig, 2).await.text.as_str()),
        ("printer broken", "mine too")
    );
    rig.done(by(8, edited(1, "e1", "m2", "mine as well"))).await;
    rig.done(by(1, edited(1, "e2", "m1", "printer on fire"))).await;
    assert_eq!(
        (said(&rig, 1).await.text.as_str(), said(&rig, 2).await.text.as_str()),
        ("printer on fire", "mine as well")
    );
    // In one batch with the message itself.
    let jobs = [
        by(8, posted(1, "m3", "thrid floor")),
        by(1, edited(1, "e3", "m3", "no")),
        by(8, edited(1, "e4", "m3", "third floor")),
    ];
    let done = futures_util::future::join_all(jobs.map(|job| rig.writer.apply(job))).await;
    assert!(
        matches!(done[..], [Ok(Applied::Done { .. }), Ok(Applied::Ignored), Ok(Applied::Done { .. })]),
        "{done:?}"
    );
    rig.done(by(8, deleted(1, "d1", "m2"))).await;
    assert!(rig.read.message(message(2)).await.unwrap().unwrap().deleted);
    rig.end().await;
}

pub(super) async fn others_press_nothing(place: Fresh) {
    let rig = Rig::start(&place).await;
    rig.done(by(1, posted(1, "m1", "printer broken"))).await;
    rig.done(pressed(1, "p1", RequesterVerb::Human)).await;
    let verbs = [
        RequesterVerb::KeepAssistant,
        RequesterVerb::Close,
        RequesterVerb::Rate { score: 1 },
        RequesterVerb::StartOver,
    ];
    for (n, verb) in verbs.into_iter().enumerate() {
        match rig.writer.apply(pressed(8, &format!("o{n}"), verb)).await.unwrap() {
            Applied::Done { conversation, toast, .. } => {
                assert!(matches!(conversation.stage, Stage::Handover(_)) && conversation.rating.is_none());
                assert_eq!(toast.as_deref(), Some("Only Requester 1 can do that here."));
            }
            other => panic!("{other:?}"),
        }
    }
    let kept = rig.done(pressed(1, "p2", RequesterVerb::KeepAssistant)).await;
    assert!(matches!(kept.stage, Stage::Assisting(_)));
    rig.end().await;
}

/// A thread is of whoever began it; a room is everybody's.
pub(super) async fn a_room_is_free_once_it_is_closed(place: Fresh) {
    let rig = Rig::start(&place).await;
    rig.done(threaded(by(1, posted(1, "m1", "printer broken")))).await;
    rig.done(threaded(pressed(1, "p1", RequesterVerb::Close))).await;
    let after = rig.done(threaded(by(8, posted(1, "m2", "mine is broken now")))).await;
    assert!(after.id == FIRST && matches!(after.stage, Stage::Closed(Closed { asked: None, .. })));
    assert_eq!(author(&rig, 3).await, bruno());
    rig.done(by(1, posted(1, "m3", "in the room"))).await;
    let closed = rig.done(pressed(1, "p2", RequesterVerb::Close)).await;
    assert!(matches!(closed.stage, Stage::Closed(Closed { how: CloseReason::ByRequester, .. })));
    let theirs = rig.done(by(8, posted(1, "m4", "my turn"))).await;
    assert!(theirs.id != closed.id && theirs.requester.id.as_str() == "web:8");
    assert!(theirs.familiar.is_none(), "who helped somebody else is no acquaintance");
    rig.end().await;
}

/// What was shown to whoever had the room before stays theirs: its buttons are about their own matter.
pub(super) async fn buttons_of_before_are_of_their_own_matter(place: Fresh) {
    let rig = Rig::start(&place).await;
    rig.done(by(1, posted(1, "m1", "printer broken"))).await;
    rig.done(pressed(1, "p1", RequesterVerb::Human)).await;
    let is_post =
        |effect: &Effect| matches!(effect, Effect::Deliver(d) if matches!(d.op, DeliveryOp::Post { .. }));
    let posts = rig.queued(FIRST, is_post).await;
    let post = posts.into_iter().find(|row| row.lane == "d:1:0").expect("they are told");
    let address = home(1);
    let (remote, more) = (Some(remote("shown")), Vec::new());
    rig.done(ended(&post, Outcome::Sent { remote, more, address, accepted: false, note: None })).await;
    rig.done(pressed(1, "p2", RequesterVerb::Close)).await;
    let theirs = rig.done(by(8, posted(1, "m2", "my turn"))).await;
    assert_ne!(theirs.id, FIRST);
    let under = |who: u32, id: &str, verb: RequesterVerb| Apply {
        refs: edited(1, "e", "shown", "").refs,
        ..pressed(who, id, verb)
    };
    let rated = rig.done(under(1, "p3", RequesterVerb::Rate { score: 5 })).await;
    assert_eq!((rated.id, rated.rating), (FIRST, Some(5)));
    // Nobody else's button, and without a message it is the room's.
    for pressed in [under(8, "p4", RequesterVerb::Status), pressed(1, "p5", RequesterVerb::Status)] {
        assert_eq!(rig.done(pressed).await.id, theirs.id);
    }
    rig.end().await;
}

/// Whose request it was is erased: what others said there goes with it, and their names.
pub(super) async fn they_go_with_whose_request_it_was(place: Fresh) {
    let rig = Rig::start(&place).await;
    rig.done(by(1, posted(1, "m1", "printer broken"))).await;
    rig.done(by(8, posted(1, "m2", "a canary of mine"))).await;
    let body = EventBody::Erased { by: None, messages: vec![message(1), message(2)], relayed: Vec::new() };
    let erase = Apply {
        cause: Cause::Console("erase".into()),
        target: Target::Conversation(FIRST),
        body,
        content: text(""),
        ..by(1, posted(1, "m3", ""))
    };
    let after = rig.done(erase).await;
    assert!(after.is_erased());
    let row = rig.read.message(message(2)).await.unwrap().unwrap();
    assert!(rig.read.spoke_in(&RequesterId("web:8".into())).await.unwrap().is_empty());
    assert!(
        row.content.text.is_empty() && row.author == Author::Requester(RequesterId("web:erased-1".into()))
    );
    let said = rig.exported().await;
    assert!(!said.contains("canary") && !said.contains("Requester 8"), "{said}");
    rig.end().await;
}
