//! Erasing a requester: the conversation ends, and keeps ids and facts only (S111, I17).
//!
//! Not here: the words, files and names in the store (it drops them in the same transaction), the person's other
//! conversations (each is told), what keeps old events from making it all anew (the store's tombstones).

use deskbridge_contract::Address;

use crate::notices::DeskNotice;
use crate::*;

/// From any stage, once. What desk rooms show of the requester is taken away where the platform lets us.
pub fn erase(
    cx: &mut Context<'_>,
    by: Option<&TechnicianId>,
    messages: &[MessageId],
    relayed: &[(SessionId, MessageId)],
) -> Stage {
    forget(cx);
    let desks = open_desks(cx);
    for desk in &desks {
        let own = relayed.iter().filter(|(session, _)| session == desk).map(|(_, message)| *message);
        let posts: Vec<MessageId> = messages.iter().copied().chain(own).collect();
        take_away(cx, *desk, &posts);
    }
    // What is held goes nowhere any more, and nothing is opened for somebody who is gone.
    cx.tell_desks(&DeskNotice::Closed { why: ERASED }, &desks, &[]);
    ticket::set_status(cx, TicketStatus::Closed);
    for desk in desks {
        cx.deliver(desk, DeliveryOp::Card, Weight::Person);
        cx.deliver(desk, DeliveryOp::Thread { closed: true }, Weight::Notice);
    }
    cx.audit(by, "erased the requester of a conversation");
    cx.c.clocks = Clocks::default();
    Stage::Closed(Closed { at: cx.now, how: CloseReason::Erased, asked: None, anew: false })
}

const ERASED: &str = "the requester's data was erased";

/// Nothing of the state tells who it was. Each conversation gets a name of its own: they lead to nobody, nor to each
/// other.
fn forget(cx: &mut Context<'_>) {
    let number = cx.c.id.0;
    let channel = cx.c.requester.id.0.split_once(':').map_or("", |(channel, _)| channel).to_owned();
    let language = std::mem::take(&mut cx.c.requester.language);
    let id = RequesterId(format!("{channel}:erased-{number}"));
    cx.c.requester = Requester { id, name: String::new(), language, picture: None, away: true };
    for session in &mut cx.c.sessions {
        match &mut session.role {
            SessionRole::Requester { .. } => session.address = nowhere(cx.c.id, session),
            // It will not be opened; what waits for it would wait for ever.
            SessionRole::Desk { thread: thread @ DeskThread::Opening, .. } => *thread = DeskThread::Lost,
            SessionRole::Desk { thread: DeskThread::Open | DeskThread::Lost, .. } => {}
        }
    }
    cx.c.relays.clear();
    cx.c.kept.clear();
    cx.c.labels.clear();
    cx.c.summary = None;
    if let TicketLink::Failed { why } = &mut cx.c.ticket {
        *why = "erased".to_owned();
    }
    cx.c.stretch.from = cx.c.seq;
}

/// Takes out of an event what somebody said in passing: words that were tagged, and why something went wrong, which may
/// name a person or their file. Places are [`nowhere`]'s.
pub fn without_words(body: &mut EventBody) {
    let words: Vec<&mut String> = match body {
        EventBody::Requester {
            what: RequesterEvent::Pressed { verb: RequesterVerb::Tag { word, .. } },
            ..
        } => vec![word],
        // Who else was there leads to who it was.
        EventBody::Bystander { by, .. } => {
            *by = RequesterId(match by.as_str().split_once(':') {
                Some((channel, _)) => format!("{channel}:erased"),
                None => "erased".to_owned(),
            });
            Vec::new()
        }
        EventBody::Desk { what: DeskEvent::Verb { verb: Verb::Label { add, remove } }, .. } => {
            add.iter_mut().chain(remove).collect()
        }
        EventBody::Desk { what: DeskEvent::Misread { why }, .. }
        | EventBody::Assistant(AssistantEvent::Answered { answer: Answer::Failed { why }, .. })
        | EventBody::Ticket(TicketEvent::Failed { why }) => vec![why],
        EventBody::Delivery(delivery) => match &mut delivery.outcome {
            Outcome::Sent { note, .. } => {
                *note = None;
                Vec::new()
            }
            Outcome::Failed { why }
            | Outcome::Partly { why, .. }
            | Outcome::Unknown { why }
            | Outcome::Gone { why }
            | Outcome::ThreadGone { why } => vec![why],
            Outcome::Moved { .. } => Vec::new(),
        },
        EventBody::Requester { .. }
        | EventBody::Desk { .. }
        | EventBody::Assistant(_)
        | EventBody::Roster(_)
        | EventBody::Ticket(_)
        | EventBody::Timer { .. }
        | EventBody::Erased { .. } => Vec::new(),
    };
    for word in words {
        *word = "erased".to_owned();
    }
}

/// An address at which nobody ever was.
pub fn nowhere(conversation: ConversationId, session: &Session) -> Address {
    Address::room(&session.address.channel, format!("erased-{}-{}", conversation.0, session.id.0))
}

fn open_desks(cx: &Context<'_>) -> Vec<SessionId> {
    let open = cx.c.desk_sessions().filter(|session| match session.role {
        SessionRole::Desk { thread: DeskThread::Open, .. } => true,
        SessionRole::Desk { thread: DeskThread::Opening | DeskThread::Lost, .. }
        | SessionRole::Requester { .. } => false,
    });
    open.map(|session| session.id).collect()
}

/// Single posts are deleted; a transcript is drawn anew, without words.
fn take_away(cx: &mut Context<'_>, desk: SessionId, messages: &[MessageId]) {
    let conversation = cx.c.id;
    for message in messages.iter().filter(|message| message.conversation == conversation) {
        cx.deliver(desk, DeliveryOp::Delete { message: *message }, Weight::Person);
    }
    let transcripts = match cx.c.session(desk).map(|session| &session.role) {
        Some(SessionRole::Desk { transcripts, .. }) => transcripts.clone(),
        Some(SessionRole::Requester { .. }) | None => Vec::new(),
    };
    for (from, to) in transcripts {
        let message = MessageId::transcript(conversation, from, to);
        cx.deliver(desk, DeliveryOp::Edit { message }, Weight::Person);
    }
}

/// A thread that was being opened is there after all, with who it was in its title and on its card.
pub fn shown_late(cx: &mut Context<'_>, event: &DeliveryEvent) {
    if let (DeliveryOp::OpenThread, Outcome::Sent { .. }) = (&event.op, &event.outcome) {
        cx.deliver(event.session, DeliveryOp::Card, Weight::Person);
        cx.deliver(event.session, DeliveryOp::Thread { closed: true }, Weight::Notice);
    }
}

/// Technicians find it closed for good.
pub fn refuse(stage: Closed, cx: &mut Context<'_>, by: &DeskActor, via: &Via, what: &DeskEvent) -> Stage {
    if let (Some(verb), DeskActor::Technician(_)) = (desk::verb_of(what), by) {
        desk::refuse(cx, via, &verb, ERASED);
    } else if let (DeskEvent::Posted { .. }, DeskActor::Technician(_)) = (what, by) {
        cx.whisper(via, &DeskNotice::Misread { why: ERASED.to_owned() });
    }
    Stage::Closed(stage)
}

#[cfg(test)]
mod tests {
    use deskbridge_contract::{ChannelName, ThreadId, Timestamp};

    use super::*;

    fn helped() -> Conversation {
        let channel = ChannelName("slack".into());
        let requester = Requester {
            id: RequesterId("slack:U77CANARY".into()),
            name: "Maria Canary".into(),
            language: "es".into(),
            picture: Some("https://pictures.example/maria.png".into()),
            away: false,
        };
        let at = Address::room(&channel, "D77CANARY".to_owned());
        let mut c =
            Conversation::open(ConversationId(7), requester, at, QueueId("default".into()), 0, Timestamp(1));
        let mut room = Address::room(&channel, "CDESK".to_owned());
        room.thread = Some(ThreadId("1.000001".into()));
        let role = SessionRole::Desk {
            thread: DeskThread::Open,
            shown: 3,
            failing: false,
            transcripts: vec![(1, 2)],
        };
        c.sessions.push(Session { id: SessionId(1), role, address: room });
        let role =
            SessionRole::Desk { thread: DeskThread::Opening, shown: 3, failing: false, transcripts: vec![] };
        c.sessions.push(Session {
            id: SessionId(2),
            role,
            address: Address::room(&channel, "COTHER".to_owned()),
        });
        c.labels = vec!["web.canary".into()];
        c.seq = 3;
        c
    }

    fn erased_by_nobody() -> EventBody {
        EventBody::Erased { by: None, messages: Vec::new(), relayed: Vec::new() }
    }

    fn event(body: EventBody) -> Event {
        Event { now: Timestamp(9), at: Timestamp(9), facts: QueueFacts::default(), body }
    }

    #[test]
    fn nothing_of_the_state_tells_who_it_was() {
        let policy = Policy::default();
        let message = MessageId { conversation: ConversationId(7), seq: 3, n: 0 };
        let theirs = MessageId { n: 1, ..message };
        let body = EventBody::Erased {
            by: Some(TechnicianId("ana".into())),
            messages: vec![message],
            relayed: vec![(SessionId(1), theirs), (SessionId(2), theirs)],
        };
        let (after, made) = step(helped(), &event(body), &policy);
        let text = serde_json::to_string(&after).expect("a state can be written");
        assert!(!text.to_lowercase().contains("canary"), "{text}");
        assert!(after.is_erased() && after.requester.away);
        let delivers = |fits: &dyn Fn(&Delivery) -> bool| {
            made.effects.iter().any(|(_, effect)| {
                let Effect::Deliver(delivery) = effect else { return false };
                fits(delivery)
            })
        };
        let of =
            |op: &DeliveryOp| delivers(&|delivery| delivery.session == SessionId(1) && delivery.op == *op);
        let drawn = MessageId::transcript(ConversationId(7), 1, 2);
        assert!(
            of(&DeliveryOp::Delete { message })
                && of(&DeliveryOp::Delete { message: theirs })
                && of(&DeliveryOp::Edit { message: drawn })
                && of(&DeliveryOp::Card)
        );
        let elsewhere = delivers(&|delivery| delivery.session != SessionId(1));
        assert!(!elsewhere, "nothing goes to the requester, or into a room that is not open");
    }

    /// The room whose thread was being opened when it happened shows nobody's name for longer than that takes.
    #[test]
    fn a_thread_that_opens_late_shows_nobody() {
        let policy = Policy::default();
        let erased = step(helped(), &event(erased_by_nobody()), &policy).0;
        assert_eq!(erased.erased_at(), Some(4));
        let session = SessionId(2);
        let mut address = Address::room(&ChannelName("slack".into()), "COTHER".to_owned());
        address.thread = Some(ThreadId("2.000002".into()));
        let body = EventBody::Delivery(DeliveryEvent {
            delivery: EffectId { conversation: ConversationId(7), seq: 1, n: 0 }.delivery(),
            session,
            op: DeliveryOp::OpenThread,
            outcome: Outcome::Sent { remote: None, more: Vec::new(), address, accepted: false, note: None },
            joined: None,
        });
        let (after, made) = step(erased, &event(body), &policy);
        let ops: Vec<&DeliveryOp> = made
            .effects
            .iter()
            .filter_map(|(_, effect)| {
                let Effect::Deliver(delivery) = effect else { return None };
                (delivery.session == session).then_some(&delivery.op)
            })
            .collect();
        assert_eq!(ops, [&DeliveryOp::Card, &DeliveryOp::Thread { closed: true }]);
        assert!(after.is_erased());
    }

    #[test]
    fn it_cannot_be_opened_again() {
        let policy = Policy::default();
        let erased = step(helped(), &event(erased_by_nobody()), &policy).0;
        let by = DeskActor::Technician(TechnicianId("ana".into()));
        let verb = DeskEvent::Verb { verb: Verb::Reopen };
        let (after, made) =
            step(erased.clone(), &event(EventBody::Desk { by, via: Via::Console, what: verb }), &policy);
        assert!(after.is_erased() && made.toast.is_some_and(|said| said.contains("erased")));
        let posted = RequesterEvent::Started;
        let again = EventBody::Requester { session: SessionId(0), what: posted };
        let (after, made) = step(erased, &event(again), &policy);
        assert!(after.is_erased() && made.effects.is_empty() && made.messages.is_empty());
    }
}
