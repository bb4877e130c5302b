//! What must hold after every schedule, each by its number in the list of promises.
//!
//! Not here: how it came about. Everything is read from the platforms' ledgers, the journal and the store.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use deskbridge_contract::{InboundEvent, OperationKind, Resend, RoomId};
use deskbridge_conversation::{
    Audience, Author, Conversation, ConversationId, DeliveryOp, Effect, SessionRole,
};
use deskbridge_sim::{Event, Fault, Room, World};
use deskbridge_store::Read;
use deskbridge_store::read::ConversationFilter;
use deskbridge_store::rows::{DeliveryState, LogRow, MessageRow, OutboxRow};

use super::doubles::{Entry, row_of};
use super::joint::{Joints, joint_words_are_shown, joints};
use super::world::Town;

/// A promise that was not kept.
#[derive(Clone, Debug)]
pub struct Broken {
    pub id: &'static str,
    pub what: String,
}

pub(super) fn broken(id: &'static str, what: impl Into<String>) -> Result<(), Broken> {
    Err(Broken { id, what: what.into() })
}

/// All that is looked at, read once.
pub(super) struct Sight<'a> {
    town: &'a Town,
    pub(super) conversations: BTreeMap<ConversationId, Conversation>,
    pub(super) messages: Vec<MessageRow>,
    logs: Vec<LogRow>,
    pub(super) rows: Vec<OutboxRow>,
    /// By delivery.
    pub(super) by_delivery: HashMap<String, OutboxRow>,
    open: Vec<OutboxRow>,
    pub(super) joints: Joints,
    tickets: usize,
    journal: Vec<Entry>,
    pub(super) rooms: Vec<(World, Room)>,
    pub(super) calm: bool,
}

/// One invariant: `Err` says what broke it.
type Promise = fn(&Sight<'_>) -> Result<(), Broken>;

/// The promises that a schedule broke. `calm`: nothing went wrong in it.
pub async fn check(town: &Town, calm: bool) -> Vec<Broken> {
    let sight = look(town, calm).await;
    let promises: [Promise; 12] = [
        accepted_events_are_stored,
        every_event_counts_once,
        technicians_words_end,
        joint_words_are_shown,
        copies_are_bounded,
        order_is_kept,
        one_owner_at_a_time,
        assistant_is_silent,
        nothing_leaks,
        nothing_is_invented,
        states_go_forward,
        everything_goes_on,
    ];
    promises.iter().filter_map(|promise| promise(&sight).err()).collect()
}

pub(super) async fn look(town: &Town, calm: bool) -> Sight<'_> {
    let store = &town.store;
    let all = ConversationFilter { limit: 1_000, ..ConversationFilter::default() };
    let conversations = store.conversations(&all).await.expect("readable");
    let (mut messages, mut logs, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for conversation in &conversations {
        messages.extend(store.messages(conversation.id, 0, true, 10_000).await.expect("readable"));
        logs.extend(store.log(conversation.id, 0, 10_000).await.expect("readable"));
        rows.extend(store.deliveries(conversation.id).await.expect("readable"));
    }
    let worlds = [&town.requesters, &town.desk];
    let rooms = worlds
        .iter()
        .flat_map(|world| world.snapshot().rooms.into_iter().map(|room| ((*world).clone(), room)));
    let joints = joints(town, &rows).await;
    Sight {
        town,
        conversations: conversations.into_iter().map(|c| (c.id, c)).collect(),
        messages,
        logs,
        by_delivery: rows.iter().map(|row: &OutboxRow| (row.id.to_string(), row.clone())).collect(),
        rows,
        joints,
        open: store.open_outbox(None, 1_000).await.expect("readable"),
        tickets: store.tickets(None, 1_000).await.expect("readable").len(),
        journal: town.journal.entries().clone(),
        rooms: rooms.collect(),
        calm,
    }
}

/// `c12x`, `t12x`, `n12x` in a text.
pub(super) fn canaries(text: &str) -> BTreeSet<String> {
    let is = |word: &&str| {
        let digits = word.strip_prefix(['c', 't', 'n']).and_then(|rest| rest.strip_suffix('x'));
        digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
    };
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(is).map(str::to_owned).collect()
}

fn said(event: &Event) -> BTreeSet<String> {
    match &event.inbound.event {
        InboundEvent::Posted { content, .. } => canaries(&content.text),
        _ => BTreeSet::new(),
    }
}

impl Sight<'_> {
    /// Conversations that continue another one's late words hold them a second time (D5).
    fn is_continued(&self, id: ConversationId) -> bool {
        let first = self.logs.iter().find(|row| row.conversation == id);
        first.is_some_and(|row| row.cause.starts_with("fx:"))
    }

    fn stored(&self, canary: &str) -> usize {
        let holds = |row: &&MessageRow| {
            matches!(row.author, Author::Requester(_) | Author::Technician(_))
                && canaries(&row.content.text).contains(canary)
                && !self.is_continued(row.id.conversation)
        };
        self.messages.iter().filter(holds).count()
    }

    /// The private room of a conversation's requester.
    fn room_of(&self, id: ConversationId) -> Option<RoomId> {
        Some(self.conversations.get(&id)?.requester_session()?.address.room.clone())
    }
}

/// I1: what the platform was told is here, is here.
fn accepted_events_are_stored(sight: &Sight<'_>) -> Result<(), Broken> {
    for event in sight.town.requesters.events().iter().filter(|event| event.acknowledged) {
        if let Some(canary) = said(event).iter().find(|canary| sight.stored(canary) == 0) {
            return broken("I1", format!("event s{} with {canary} was acknowledged and lost", event.number));
        }
    }
    for world in [&sight.town.requesters, &sight.town.desk] {
        if let Some(event) = world.events().iter().find(|event| !event.acknowledged) {
            return broken("I1", format!("{}: event s{} was never taken", world.channel(), event.number));
        }
    }
    Ok(())
}

/// I2: one event, one message, one ticket per conversation at most.
fn every_event_counts_once(sight: &Sight<'_>) -> Result<(), Broken> {
    let mut causes = BTreeSet::new();
    for row in &sight.logs {
        if !causes.insert(&row.cause) {
            return broken("I2", format!("{} was applied twice", row.cause));
        }
    }
    for world in [&sight.town.requesters, &sight.town.desk] {
        for canary in world.events().iter().flat_map(said) {
            if sight.stored(&canary) > 1 {
                return broken("I2", format!("{canary} is stored {} times", sight.stored(&canary)));
            }
        }
    }
    if sight.tickets > sight.conversations.len() {
        return broken("I2", format!("{} tickets", sight.tickets));
    }
    Ok(())
}

/// I3: what a technician wrote for the requester is visible there, or said to have failed.
fn technicians_words_end(sight: &Sight<'_>) -> Result<(), Broken> {
    for row in sight.messages.iter().filter(|row| {
        matches!(row.author, Author::Technician(_)) && row.audience == Audience::Public && !row.deleted
    }) {
        let to_requester = |out: &&OutboxRow| match &out.effect {
            Effect::Deliver(delivery) if delivery.op == (DeliveryOp::Post { message: row.id }) => {
                let conversation = sight.conversations.get(&row.id.conversation);
                let session = conversation.and_then(|c| c.session(delivery.session));
                session.is_some_and(|session| matches!(session.role, SessionRole::Requester { .. }))
            }
            _ => false,
        };
        let sent: Vec<&OutboxRow> = sight.rows.iter().filter(to_requester).collect();
        if sent.is_empty() {
            return broken("I3", format!("{} “{}” has no delivery", row.id, row.content.text));
        }
        for out in sent {
            let appears = sight.town.requesters.appearances(&out.id.delivery());
            match out.state {
                DeliveryState::Sent | DeliveryState::Delivered | DeliveryState::Seen if appears == 0 => {
                    return broken("I3", format!("{} “{}” is sent and nowhere", out.id, row.content.text));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// I4: once, or twice where the platform cannot tell and an attempt had an unknown outcome.
fn copies_are_bounded(sight: &Sight<'_>) -> Result<(), Broken> {
    for world in [&sight.town.requesters, &sight.town.desk] {
        let attempts = world.attempts();
        let deliveries: BTreeSet<_> = attempts.iter().map(|a| (a.delivery.clone(), a.kind)).collect();
        for (delivery, kind) in deliveries {
            let copies = world.appearances(&delivery);
            // Private hints to technicians leave no attempt's row; a crash may repeat them.
            let row = sight.by_delivery.get(row_of(&delivery));
            let hint = row.is_some_and(|row| matches!(row.effect, Effect::Notify { .. }));
            let most = match (world.style().resend)(kind) {
                Resend::SameIdIsSafe | Resend::ReadBack if !hint => 1,
                Resend::SameIdIsSafe | Resend::ReadBack | Resend::MayDuplicate => 2,
            };
            if !matches!(kind, OperationKind::Post | OperationKind::OpenThread) {
                continue;
            }
            let unknown = attempts.iter().any(|attempt| {
                attempt.delivery == delivery
                    && matches!(
                        attempt.fault,
                        Some(Fault::Ambiguous { .. } | Fault::Hang { .. } | Fault::Slow)
                    )
            });
            let excused = unknown || crashed_after(sight, delivery.0.as_str());
            if copies > most || (copies > 1 && !excused) || (copies > 1 && sight.calm) {
                let why = format!("{delivery} is visible {copies} times on {}", world.channel());
                return broken("I4", why);
            }
        }
    }
    Ok(())
}

/// Whether the program ended between an attempt and the next of the same delivery.
fn crashed_after(sight: &Sight<'_>, delivery: &str) -> bool {
    let mut sent = false;
    let mut crashed = false;
    for entry in &sight.journal {
        match entry {
            Entry::Send { delivery: sent_now, .. } if sent_now.0 == delivery => {
                if crashed {
                    return true;
                }
                sent = true;
            }
            Entry::Crash => crashed |= sent,
            Entry::Send { .. } | Entry::Commit(_) => {}
        }
    }
    false
}

/// I5: what is visible of a conversation in one place is in the order of its messages.
fn order_is_kept(sight: &Sight<'_>) -> Result<(), Broken> {
    let mut last: HashMap<String, &OutboxRow> = HashMap::new();
    for (_, room) in &sight.rooms {
        let mut seen = BTreeSet::new();
        for shown in &room.messages {
            let Some(delivery) = &shown.delivery else { continue };
            let Some(row) = sight.by_delivery.get(row_of(delivery)) else { continue };
            let Effect::Deliver(made) = &row.effect else { continue };
            if !matches!(made.op, DeliveryOp::Post { .. }) || !seen.insert(row.id) {
                continue;
            }
            let joint =
                sight.joint_of(made.session, &made.op).and_then(|parts| sight.row_of_last(row, parts));
            if let Some(before) =
                last.insert(row.lane.clone(), joint.unwrap_or(row)).filter(|before| before.id > row.id)
            {
                return broken("I5", format!("{}: {} is shown after {}", row.lane, row.id, before.id));
            }
        }
    }
    Ok(())
}

/// I6: every commit moves a conversation on from what was committed before it; so two cannot both become the owner.
fn one_owner_at_a_time(sight: &Sight<'_>) -> Result<(), Broken> {
    let mut seqs: HashMap<ConversationId, u64> = HashMap::new();
    let mut owners = HashMap::new();
    for entry in &sight.journal {
        let Entry::Commit(commit) = entry else { continue };
        for stood in &commit.stages {
            let before = seqs.insert(stood.id, stood.seq).unwrap_or_default();
            if stood.loaded != before {
                let what = format!("{} was at {before}, a commit began at {}", stood.id, stood.loaded);
                return broken("I6", what);
            }
            let owned: Option<Option<_>> = owners.insert(stood.id, stood.assignee.clone());
            if owned.flatten() != stood.assignee && stood.seq == before {
                return broken("I6", format!("{}: the owner changed without an event", stood.id));
            }
        }
    }
    Ok(())
}

/// I7: no attempt to say the assistant's words begins after the commit with which people took over.
fn assistant_is_silent(sight: &Sight<'_>) -> Result<(), Broken> {
    // When people came, and the time of the last permission, by conversation and by delivery.
    let mut people: HashMap<ConversationId, u64> = HashMap::new();
    let mut begun = HashMap::new();
    for entry in &sight.journal {
        match entry {
            Entry::Crash => {}
            Entry::Commit(commit) => {
                for stood in &commit.stages {
                    if stood.people {
                        people.entry(stood.id).or_insert(stood.seq);
                    } else {
                        people.remove(&stood.id);
                    }
                }
                for id in &commit.begins {
                    begun.insert(id.to_string(), commit.at);
                }
            }
            Entry::Send { delivery, at, .. } => {
                let Some(row) = sight.by_delivery.get(row_of(delivery)) else { continue };
                let late = people.get(&row.conversation()).is_some_and(|seq| row.id.seq < *seq);
                let under_way = begun.get(row_of(delivery)).is_some_and(|begun| at.0 - begun.0 < 1_000_000);
                if row.turn.is_some() && late && !under_way {
                    return broken("I7", format!("{delivery} of the assistant was sent after people came"));
                }
            }
        }
    }
    Ok(())
}

/// I8: nobody reads anybody else's words, and no requester reads a note.
fn nothing_leaks(sight: &Sight<'_>) -> Result<(), Broken> {
    let mut belongs: HashMap<String, RoomId> = HashMap::new();
    for event in sight.town.requesters.events() {
        for canary in said(&event) {
            belongs.insert(canary, event.inbound.address.room.clone());
        }
    }
    for row in &sight.messages {
        if let (Author::Technician(_), Some(room)) = (&row.author, sight.room_of(row.id.conversation)) {
            let internal = row.audience != Audience::Public;
            let room = if internal { RoomId::new("nowhere") } else { room };
            belongs.extend(canaries(&row.content.text).into_iter().map(|canary| (canary, room.clone())));
        }
    }
    let private = sight.rooms.iter().filter(|(_, room)| room.id.as_str().starts_with("dm-u"));
    for (_, room) in private {
        for shown in &room.messages {
            let texts = shown.edits.iter().chain([&shown.content]).map(|content| content.text.as_str());
            for canary in texts.flat_map(canaries) {
                if canary.starts_with('n') || belongs.get(&canary) != Some(&room.id) {
                    return broken("I8", format!("{canary} is visible in {}", room.id));
                }
            }
        }
    }
    Ok(())
}

/// I9: everything that the bridge shows has a row that it came from.
fn nothing_is_invented(sight: &Sight<'_>) -> Result<(), Broken> {
    for (_, room) in &sight.rooms {
        for delivery in room.messages.iter().filter_map(|shown| shown.delivery.as_ref()) {
            if !sight.by_delivery.contains_key(row_of(delivery)) {
                return broken("I9", format!("{delivery} is visible and has no row"));
            }
        }
    }
    Ok(())
}

/// I10: what has ended stays ended; only word of an arrival may come after a cancellation.
fn states_go_forward(sight: &Sight<'_>) -> Result<(), Broken> {
    let mut states: HashMap<_, DeliveryState> = HashMap::new();
    for entry in &sight.journal {
        let Entry::Commit(commit) = entry else { continue };
        for (id, state, new) in &commit.rows {
            let Some(before) = states.insert(*id, *state).filter(|_| !*new) else { continue };
            let arrival =
                matches!(state, DeliveryState::Sent | DeliveryState::Delivered | DeliveryState::Seen);
            let on = match before {
                DeliveryState::Queued | DeliveryState::Attempting => true,
                DeliveryState::Cancelled | DeliveryState::Unknown => arrival || before == *state,
                _ => state >= &before && state.is_terminal(),
            };
            if !on {
                return broken("I10", format!("{id} went from {} to {}", before.name(), state.name()));
            }
        }
    }
    Ok(())
}

/// I13: with the faults gone, everything that was due is done.
fn everything_goes_on(sight: &Sight<'_>) -> Result<(), Broken> {
    let age = |row: &OutboxRow| sight.town.now().since(row.created);
    match sight.open.iter().find(|row| age(row) >= sight.town.kind.longest_wait()) {
        Some(row) => {
            let (state, age) = (row.state.name(), age(row));
            let why = row.error.as_deref().unwrap_or("no reason known");
            broken("I13", format!("{} {:?} is still {state} after {age:?}: {why}", row.id, row.effect))
        }
        None => Ok(()),
    }
}
