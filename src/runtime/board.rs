//! What the runtime remembers between commits: hot conversations and messages, who waits, who is on.
//!
//! Not here: anything that is not in the database too. Dropping the board costs only reads.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::time::Instant;

use deskbridge_contract::{Adapter, Address, ChannelName, OperationKind, Timestamp};
use deskbridge_conversation::{
    Conversation, ConversationId, MessageId, Presence, QueueFacts, QueueId, Reopening, Stage, TechnicianId,
};
use deskbridge_store::rows::MessageRow;
use deskbridge_store::{Committed, FactSource, Read, StoreError};

use super::pace::{Pacer, SharedRoom};

/// Entries of a generation; the cache holds at most two.
const GENERATION: usize = 20_000;
/// Waits per queue from which the usual wait is told.
const WAITS: usize = 20;

/// Hints of typing that a listener may be behind.
const TYPISTS: usize = 256;

/// Somebody writes something, on whatever surface.
#[derive(Clone, Debug)]
pub struct Typing {
    pub conversation: Arc<Conversation>,
    /// `None`: the requester.
    pub by: Option<TechnicianId>,
}

/// Business hours, where the configuration has any.
pub trait Calendar: Send + Sync {
    /// `None` while the queue is open.
    fn reopening(&self, queue: &QueueId, now: Timestamp) -> Option<Reopening>;
}

/// Open day and night.
pub struct AlwaysOpen;
impl Calendar for AlwaysOpen {
    fn reopening(&self, _queue: &QueueId, _now: Timestamp) -> Option<Reopening> {
        None
    }
}

pub struct Board {
    calendar: Box<dyn Calendar>,
    /// No other process works on this store (SQLite): an open attempt at the start is our own, lost one.
    sole_owner: bool,
    inner: Mutex<Inner>,
    pacers: Mutex<HashMap<ChannelName, Pacer>>,
    /// Who types, for screens; lost without harm.
    typing: broadcast::Sender<Arc<Typing>>,
}

#[derive(Default)]
struct Inner {
    conversations: Generations<ConversationId, Arc<Conversation>>,
    messages: Generations<MessageId, Arc<MessageRow>>,
    waiting: HashMap<QueueId, HashMap<ConversationId, Turn>>,
    waits: HashMap<QueueId, VecDeque<Duration>>,
    presence: HashMap<TechnicianId, Presence>,
    /// Whom a platform shows as away.
    away: HashSet<TechnicianId>,
    /// The latest hot conversation at an address, by the address's hash.
    places: Generations<u64, ConversationId>,
    /// When an address was last given a hint.
    hinted: Generations<u64, Instant>,
}

fn hash(address: &Address) -> u64 {
    let mut hasher = DefaultHasher::new();
    address.key().hash(&mut hasher);
    hasher.finish()
}

/// Who goes first: priority, then those put to the front, then the oldest; as allocation has it.
type Turn = (Reverse<u8>, bool, Timestamp);

fn turn(conversation: &Conversation) -> Option<Turn> {
    match &conversation.stage {
        Stage::Handover(handover) => Some((Reverse(conversation.priority), !handover.front, handover.since)),
        Stage::Assisting(_) | Stage::Assigned(_) | Stage::Closed(_) => None,
    }
}

/// Two generations: what was not asked for during a whole generation is forgotten.
struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K, V> Default for Generations<K, V> {
    fn default() -> Self {
        Generations { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<K: Hash + Eq + Copy, V: Clone> Generations<K, V> {
    fn put(&mut self, key: K, value: V) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
    fn get(&mut self, key: &K) -> Option<V> {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let value = self.old.remove(key)?;
        self.put(*key, value.clone());
        Some(value)
    }
    fn retain(&mut self, keep: impl Fn(&K) -> bool) {
        self.young.retain(|key, _| keep(key));
        self.old.retain(|key, _| keep(key));
    }
    fn remove(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }
}

impl Board {
    pub fn new(calendar: Box<dyn Calendar>, sole_owner: bool) -> Self {
        let typing = broadcast::channel(TYPISTS).0;
        Board { calendar, sole_owner, inner: Mutex::default(), pacers: Mutex::default(), typing }
    }

    pub fn sole_owner(&self) -> bool {
        self.sole_owner
    }

    fn pacer<T>(&self, adapter: &Arc<dyn Adapter>, act: impl FnOnce(&mut Pacer) -> T) -> T {
        let mut pacers = self.pacers.lock().unwrap_or_else(PoisonError::into_inner);
        act(pacers.entry(adapter.channel().clone()).or_insert_with(|| Pacer::new(adapter.limits())))
    }

    /// For an operation with so many files. `Err`: when to ask again.
    pub fn pace(
        &self,
        adapter: &Arc<dyn Adapter>,
        at: &Address,
        kind: OperationKind,
        files: usize,
        now: Instant,
    ) -> Result<(), Instant> {
        self.pacer(adapter, |pacer| pacer.take_with_files(at, kind, files, now))
    }

    /// See [`Pacer::free_at`].
    pub fn free_at(
        &self,
        adapter: &Arc<dyn Adapter>,
        at: &Address,
        kind: Option<OperationKind>,
        now: Instant,
    ) -> Instant {
        self.pacer(adapter, |pacer| pacer.free_at(at, kind, now))
    }

    /// `None`: posts are not joined there.
    pub fn shared_room(&self, adapter: &Arc<dyn Adapter>, at: &Address, now: Instant) -> Option<SharedRoom> {
        self.pacer(adapter, |pacer| pacer.shared_room(at, now))
    }

    pub fn block_room(&self, adapter: &Arc<dyn Adapter>, at: &Address, until: Instant) {
        self.pacer(adapter, |pacer| pacer.block_room(at, until));
    }

    /// Nothing is sent by this channel until then.
    pub fn pause(&self, adapter: &Arc<dyn Adapter>, until: Instant) {
        self.pacer(adapter, |pacer| pacer.pause(until));
    }

    pub fn works(&self, adapter: &Arc<dyn Adapter>) {
        self.pacer(adapter, Pacer::resume);
    }

    pub fn tidy(&self, now: Instant) {
        for pacer in self.pacers.lock().unwrap_or_else(PoisonError::into_inner).values_mut() {
            pacer.tidy(now);
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what counting needs; called once at start.
    pub async fn fill(&self, read: &dyn Read, now: Timestamp) -> Result<(), StoreError> {
        let waiting = read.waiting(10_000).await?;
        let waits = read.recent_waits(now - Duration::from_secs(24 * 3600), 500).await?;
        let technicians = read.technicians().await?;
        let mut inner = self.inner();
        for conversation in waiting {
            inner.count_in(&conversation);
        }
        for (queue, seconds) in waits.into_iter().rev() {
            inner.note_wait(&queue, Duration::from_secs(seconds));
        }
        inner.presence = technicians.into_iter().map(|row| (row.id, row.presence)).collect();
        Ok(())
    }

    /// Takes in a commit, before anybody else hears of it.
    pub fn committed(&self, committed: &Committed) {
        let mut inner = self.inner();
        for change in &committed.changes {
            let conversation = &change.conversation;
            inner.keep(conversation.clone());
            for message in &change.messages {
                inner.messages.put(message.id, message.clone());
            }
            for message in &change.edited {
                inner.messages.remove(message);
            }
            if conversation.is_erased() {
                inner.messages.retain(|message| message.conversation != conversation.id);
            }
            inner.count(conversation, change.before, change.now);
        }
    }

    /// What an `apply` answered, so that whoever asked sees it before the commit comes round.
    pub fn learn(&self, conversation: Arc<Conversation>) {
        self.inner().keep(conversation);
    }

    /// The latest conversation at an address, as far as it is hot: for hints, which may be lost.
    pub fn at(&self, address: &Address) -> Option<Arc<Conversation>> {
        let mut inner = self.inner();
        let id = inner.places.get(&hash(address))?;
        let conversation = inner.conversations.get(&id)?;
        conversation.sessions.iter().any(|session| session.address == *address).then_some(conversation)
    }

    /// Whether an address may be given a hint again.
    pub fn may_hint(&self, address: &Address, every: Duration, now: Instant) -> bool {
        let (mut inner, at) = (self.inner(), hash(address));
        let may = inner.hinted.get(&at).is_none_or(|last| now.duration_since(last) >= every);
        if may {
            inner.hinted.put(at, now);
        }
        may
    }

    /// Whether this is told for the first time; what was told long ago may be told again.
    pub fn first_time(&self, what: &impl Hash, now: Instant) -> bool {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        let (mut inner, at) = (self.inner(), hasher.finish());
        let first = inner.hinted.get(&at).is_none();
        inner.hinted.put(at, now);
        first
    }

    /// Tells screens that somebody types; of one person at most once in `every`.
    pub fn tell_typing(&self, typing: Typing, every: Duration, now: Instant) {
        let mut hasher = DefaultHasher::new();
        (typing.conversation.id, &typing.by).hash(&mut hasher);
        let at = hasher.finish();
        let mut inner = self.inner();
        if inner.hinted.get(&at).is_some_and(|last| now.duration_since(last) < every) {
            return;
        }
        inner.hinted.put(at, now);
        drop(inner);
        // Nobody listening is fine.
        let _ = self.typing.send(Arc::new(typing));
    }

    pub fn typing(&self) -> broadcast::Receiver<Arc<Typing>> {
        self.typing.subscribe()
    }

    pub fn set_presences(&self, presence: HashMap<TechnicianId, Presence>) {
        self.inner().presence = presence;
    }

    /// One that was just stored: whoever asks next must not hear the one before.
    pub fn note_presence(&self, technician: &TechnicianId, presence: Presence) {
        self.inner().presence.insert(technician.clone(), presence);
    }

    pub fn presence(&self, technician: &TechnicianId) -> Presence {
        self.inner().presence.get(technician).copied().unwrap_or_default()
    }

    pub fn note_away(&self, technician: &TechnicianId, is_away: bool) {
        let away = &mut self.inner().away;
        if is_away {
            away.insert(technician.clone())
        } else {
            away.remove(technician)
        };
    }

    /// A hint; see [`super::absence`].
    pub fn is_away(&self, technician: &TechnicianId) -> bool {
        self.inner().away.contains(technician)
    }

    pub fn is_available(&self, technician: &TechnicianId) -> bool {
        self.inner().presence.get(technician) == Some(&Presence::Available)
    }

    /// The latest known state; from the database when it is not hot.
    pub async fn conversation(
        &self,
        read: &dyn Read,
        id: ConversationId,
    ) -> Result<Option<Arc<Conversation>>, StoreError> {
        if let Some(hot) = self.inner().conversations.get(&id) {
            return Ok(Some(hot));
        }
        let Some(conversation) = read.conversation(id).await?.map(Arc::new) else { return Ok(None) };
        let mut inner = self.inner();
        // A commit may have put a newer one meanwhile.
        if let Some(hot) = inner.conversations.get(&id) {
            return Ok(Some(hot));
        }
        inner.conversations.put(id, conversation.clone());
        Ok(Some(conversation))
    }

    /// A stored message; edits drop it from here, so that the next look reads the new words.
    pub async fn message(
        &self,
        read: &dyn Read,
        id: MessageId,
    ) -> Result<Option<Arc<MessageRow>>, StoreError> {
        if let Some(hot) = self.inner().messages.get(&id) {
            return Ok(Some(hot));
        }
        Ok(read.message(id).await?.map(Arc::new))
    }

    pub fn forget_message(&self, id: MessageId) {
        self.inner().messages.remove(&id);
    }

    /// Within business hours.
    pub fn is_open(&self, queue: &QueueId, now: Timestamp) -> bool {
        self.calendar.reopening(queue, now).is_none()
    }

    pub fn waiting(&self, queue: &QueueId) -> usize {
        self.inner().waiting.get(queue).map_or(0, HashMap::len)
    }
}

impl Inner {
    fn keep(&mut self, conversation: Arc<Conversation>) {
        let newer =
            self.conversations.get(&conversation.id).is_none_or(|known| known.seq <= conversation.seq);
        if newer {
            let known = self.conversations.get(&conversation.id);
            if known.is_none_or(|known| known.sessions != conversation.sessions) {
                for session in &conversation.sessions {
                    let at = hash(&session.address);
                    if self.places.get(&at).is_none_or(|latest| latest <= conversation.id) {
                        self.places.put(at, conversation.id);
                    }
                }
            }
            self.conversations.put(conversation.id, conversation);
        }
    }

    fn count(&mut self, conversation: &Conversation, before: Option<&'static str>, now: Timestamp) {
        for (queue, turns) in &mut self.waiting {
            if *queue != conversation.queue || turn(conversation).is_none() {
                turns.remove(&conversation.id);
            }
        }
        self.count_in(conversation);
        if let (Stage::Assigned(assigned), Some("handover")) = (&conversation.stage, before) {
            self.note_wait(&conversation.queue, now.since(assigned.waited_since));
        }
    }

    fn count_in(&mut self, conversation: &Conversation) {
        if let Some(turn) = turn(conversation) {
            self.waiting.entry(conversation.queue.clone()).or_default().insert(conversation.id, turn);
        }
    }

    fn note_wait(&mut self, queue: &QueueId, wait: Duration) {
        let waits = self.waits.entry(queue.clone()).or_default();
        waits.push_back(wait);
        if waits.len() > WAITS {
            waits.pop_front();
        }
    }
}

impl FactSource for Board {
    fn facts(&self, queue: &QueueId, now: Timestamp) -> QueueFacts {
        let reopening = self.calendar.reopening(queue, now);
        let inner = self.inner();
        let waiting = inner.waiting.get(queue).map_or(0, HashMap::len);
        // The median is not moved by one night-long wait.
        let expected_wait = inner.waits.get(queue).and_then(|waits| {
            let mut sorted: Vec<Duration> = waits.iter().copied().collect();
            sorted.sort_unstable();
            sorted.get(sorted.len() / 2).copied()
        });
        QueueFacts { reopening, waiting: u32::try_from(waiting).unwrap_or(u32::MAX), ahead: 0, expected_wait }
    }

    fn ahead(&self, conversation: &Conversation) -> u32 {
        let Some(own) = turn(conversation) else { return 0 };
        let inner = self.inner();
        let turns = inner.waiting.get(&conversation.queue).into_iter().flatten();
        let before = turns.filter(|(id, turn)| (**turn, **id) < (own, conversation.id)).count();
        u32::try_from(before).unwrap_or(u32::MAX)
    }
}
