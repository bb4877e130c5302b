//! The platform itself: a cheap handle to what exists, for reading, waiting and setting the stage.
//!
//! Not here: what people do ([`crate::people`]) and what the bridge does ([`crate::send`]).

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use deskbridge_contract::{
    Action, Address, ChannelName, DeliveryId, Inbox, Outbound, RemoteFileId, RemoteMessageId, RemoteUserId,
    RoomId, Sender, SenderKind, Sent, ThreadId, Timestamp,
};
use tokio::sync::{broadcast, watch};

use crate::faults::{Fault, On, Plan};
use crate::ledger::{Attempt, Event};
use crate::style::Style;
use crate::view::{Change, File, Live, Message, Room, Snapshot, Thread, ToastShown, Whisper};
use crate::{BRIDGE, ids};

/// The platform's time. Called once for everything that gets a time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A handle; clones are the same platform.
#[derive(Clone)]
pub struct World {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) channel: ChannelName,
    pub(crate) style: Style,
    state: Mutex<State>,
    /// Held calls wait for this number to rise.
    pub(crate) gate: watch::Sender<u64>,
    /// Rises when the bridge's connection is cut.
    pub(crate) cuts: watch::Sender<u64>,
    changes: watch::Receiver<u64>,
    /// Events of one room are pushed in their order, whoever causes them.
    order: Mutex<HashMap<RoomId, Arc<tokio::sync::Mutex<()>>>>,
}

pub(crate) struct State {
    pub(crate) rooms: BTreeMap<RoomId, Room>,
    pub(crate) people: BTreeMap<RemoteUserId, Sender>,
    pub(crate) whispers: Vec<Whisper>,
    pub(crate) toasts: Vec<ToastShown>,
    pub(crate) files: BTreeMap<RemoteFileId, (File, Bytes)>,
    /// How many fetches of a file still fail.
    pub(crate) slow_files: BTreeMap<RemoteFileId, u32>,
    /// Who pressed, and whether it was answered.
    pub(crate) interactions: BTreeMap<String, (RemoteUserId, bool)>,
    pub(crate) events: Vec<Event>,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) tries: HashMap<DeliveryId, u32>,
    pub(crate) done: HashMap<DeliveryId, Sent>,
    pub(crate) paced: Vec<(RoomId, Timestamp)>,
    pub(crate) plan: Plan,
    pub(crate) held: usize,
    pub(crate) credentials_refused: bool,
    pub(crate) limits_on: bool,
    pub(crate) inbox: Option<Inbox>,
    pub(crate) clock: Clock,
    seq: u64,
    live: broadcast::Sender<Live>,
    changed: watch::Sender<u64>,
    channel: ChannelName,
}

impl State {
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Numbers a change and tells everybody who watches.
    pub(crate) fn emit(&mut self, change: Change) {
        self.seq += 1;
        // Nobody watching is no fault.
        let _ = self.live.send(Live { seq: self.seq, channel: self.channel.clone(), change });
        self.touch();
    }

    /// Wakes those who wait for something, also for what nobody on the platform sees.
    pub(crate) fn touch(&mut self) {
        self.changed.send_modify(|n| *n += 1);
    }

    pub(crate) fn emit_message(&mut self, room: &RoomId, id: &RemoteMessageId) {
        if let Some(message) = self.rooms.get(room).and_then(|r| r.message(id)) {
            let change = Change::Message { room: room.clone(), message: Box::new(message.clone()) };
            self.emit(change);
        }
    }

    pub(crate) fn emit_thread(&mut self, room: &RoomId, id: &ThreadId) {
        if let Some(thread) = self.rooms.get(room).and_then(|r| r.thread(id)) {
            let change = Change::Thread { room: room.clone(), thread: thread.clone() };
            self.emit(change);
        }
    }

    pub(crate) fn room_mut(&mut self, id: &RoomId) -> &mut Room {
        self.rooms.entry(id.clone()).or_insert_with(|| Room::new(id.clone()))
    }

    pub(crate) fn message_mut(&mut self, room: &RoomId, id: &RemoteMessageId) -> Option<&mut Message> {
        self.rooms.get_mut(room)?.messages.get_mut(ids::message_index(id)?)
    }

    pub(crate) fn thread_mut(&mut self, room: &RoomId, id: &ThreadId) -> Option<&mut Thread> {
        self.rooms.get_mut(room)?.threads.iter_mut().find(|t| t.id == *id)
    }

    /// Puts a message into its room and shows it.
    pub(crate) fn show(&mut self, room: &RoomId, mut message: Message) -> RemoteMessageId {
        let messages = &mut self.room_mut(room).messages;
        message.id = ids::message(messages.len());
        let id = message.id.clone();
        messages.push(message);
        self.emit_message(room, &id);
        id
    }

    pub(crate) fn store_file(&mut self, mut file: File, bytes: Bytes) -> File {
        file.id = ids::file(self.files.len());
        self.files.insert(file.id.clone(), (file.clone(), bytes));
        file
    }

    pub(crate) fn person(&mut self, user: &str) -> Sender {
        let id = RemoteUserId(user.to_owned());
        self.people.entry(id.clone()).or_insert_with(|| stranger(id)).clone()
    }
}

/// Somebody nobody has described: a person named after the id.
fn stranger(id: RemoteUserId) -> Sender {
    let mut letters = id.as_str().chars();
    let name = letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>());
    let kind = if id.as_str() == BRIDGE { SenderKind::Bot } else { SenderKind::Human };
    Sender { id, display_name: name, email: None, email_verified: false, picture: None, language: None, kind }
}

/// One second passes with every look, from the first moment of 2026.
fn logical_clock() -> Clock {
    let seconds = AtomicI64::new(1_767_225_600);
    Arc::new(move || Timestamp::from_seconds(seconds.fetch_add(1, Ordering::Relaxed)))
}

impl World {
    pub fn new(channel: ChannelName, style: Style) -> Self {
        let (live, _) = broadcast::channel(1024);
        let (changed, changes) = watch::channel(0);
        let state = State {
            rooms: BTreeMap::new(),
            people: BTreeMap::new(),
            whispers: Vec::new(),
            toasts: Vec::new(),
            files: BTreeMap::new(),
            slow_files: BTreeMap::new(),
            interactions: BTreeMap::new(),
            events: Vec::new(),
            attempts: Vec::new(),
            tries: HashMap::new(),
            done: HashMap::new(),
            paced: Vec::new(),
            plan: Plan::default(),
            held: 0,
            credentials_refused: false,
            limits_on: false,
            inbox: None,
            clock: logical_clock(),
            seq: 0,
            live,
            changed,
            channel: channel.clone(),
        };
        let inner = Inner {
            channel,
            style,
            state: Mutex::new(state),
            gate: watch::channel(0).0,
            cuts: watch::channel(0).0,
            changes,
            order: Mutex::default(),
        };
        World { inner: Arc::new(inner) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked while holding the lock has failed already; the others may still look.
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn order_of(&self, room: &RoomId) -> Arc<tokio::sync::Mutex<()>> {
        let mut order = self.inner.order.lock().unwrap_or_else(PoisonError::into_inner);
        order.entry(room.clone()).or_default().clone()
    }

    pub fn channel(&self) -> &ChannelName {
        &self.inner.channel
    }

    pub fn style(&self) -> &Style {
        &self.inner.style
    }

    /// Replaces the clock. The default one counts seconds from 2026-01-01, one per look.
    pub fn set_clock(&self, clock: Clock) {
        self.state().clock = clock;
    }

    // --- places and people ---

    /// A person's private room with the bridge.
    pub fn direct(&self, user: &str) -> Address {
        Address { channel: self.inner.channel.clone(), room: ids::direct(user), thread: None }
    }

    /// A room by its name. It exists from the first use.
    pub fn room(&self, name: &str) -> Address {
        Address::room(&self.inner.channel, name)
    }

    /// Describes a person, before or after they first do something.
    pub fn introduce(&self, person: Sender) {
        self.state().people.insert(person.id.clone(), person);
    }

    /// The person as events show them.
    pub fn person(&self, user: &str) -> Sender {
        self.state().person(user)
    }

    // --- what people see ---

    pub fn snapshot(&self) -> Snapshot {
        let state = self.state();
        Snapshot {
            seq: state.seq,
            channel: self.inner.channel.clone(),
            style: self.inner.style.name,
            people: state.people.values().cloned().collect(),
            rooms: state.rooms.values().cloned().collect(),
            whispers: state.whispers.clone(),
            toasts: state.toasts.clone(),
        }
    }

    /// Every change from now on. A reader that falls more than 1024 behind must take a new snapshot.
    pub fn subscribe(&self) -> broadcast::Receiver<Live> {
        self.state().live.subscribe()
    }

    /// The messages at an address, deleted ones included. Without a thread: those outside of all threads,
    /// and roots of threads.
    pub fn messages(&self, at: &Address) -> Vec<Message> {
        let state = self.state();
        let Some(room) = state.rooms.get(&at.room) else { return Vec::new() };
        room.messages.iter().filter(|m| is_at(m, at)).cloned().collect()
    }

    pub fn message(&self, at: &Address, id: &RemoteMessageId) -> Option<Message> {
        self.state().rooms.get(&at.room)?.message(id).cloned()
    }

    pub fn last_message(&self, at: &Address) -> Option<Message> {
        let state = self.state();
        state.rooms.get(&at.room)?.messages.iter().rev().find(|m| is_at(m, at)).cloned()
    }

    pub fn threads(&self, at: &Address) -> Vec<Thread> {
        self.state().rooms.get(&at.room).map(|r| r.threads.clone()).unwrap_or_default()
    }

    pub fn thread(&self, at: &Address) -> Option<Thread> {
        self.state().rooms.get(&at.room)?.thread(at.thread.as_ref()?).cloned()
    }

    /// What `user` alone was told.
    pub fn whispers(&self, user: &str) -> Vec<Whisper> {
        self.state().whispers.iter().filter(|w| w.to.as_str() == user).cloned().collect()
    }

    pub fn toasts(&self, user: &str) -> Vec<ToastShown> {
        self.state().toasts.iter().filter(|t| t.to.as_str() == user).cloned().collect()
    }

    /// The newest message at an address that carries a button with this label (or this action id).
    pub fn find_button(&self, at: &Address, label: &str) -> Option<(RemoteMessageId, Action)> {
        let state = self.state();
        let room = state.rooms.get(&at.room)?;
        room.messages.iter().rev().filter(|m| is_at(m, at) && !m.deleted).find_map(|m| {
            let action = m.content.actions.iter().find(|a| a.label == label || a.id == label)?;
            Some((m.id.clone(), action.clone()))
        })
    }

    /// Returns when `seen` is true, looking after every change, also of the ledger and of held calls. Wrap it in a time-out where it may never be.
    pub async fn until(&self, mut seen: impl FnMut(&World) -> bool) {
        let mut changes = self.inner.changes.clone();
        loop {
            changes.mark_unchanged();
            if seen(self) {
                return;
            }
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    // --- files ---

    pub fn file(&self, id: &RemoteFileId) -> Option<(File, Bytes)> {
        self.state().files.get(id).cloned()
    }

    /// The platform loses a file: fetching it fails.
    pub fn lose_file(&self, id: &RemoteFileId) {
        self.state().files.remove(id);
    }

    /// So many fetches of a file fail for the time being; then it is there again.
    pub fn delay_file(&self, id: &RemoteFileId, failures: u32) {
        self.state().slow_files.insert(id.clone(), failures);
    }

    /// Whether this fetch fails for the time being.
    pub(crate) fn is_file_late(&self, id: &RemoteFileId) -> bool {
        match self.state().slow_files.get_mut(id) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            Some(_) | None => false,
        }
    }

    // --- ledger ---

    pub fn events(&self) -> Vec<Event> {
        self.state().events.clone()
    }

    pub fn attempts(&self) -> Vec<Attempt> {
        self.state().attempts.clone()
    }

    /// How often a delivery is visible: messages (deleted ones too) and whispers that it made.
    pub fn appearances(&self, delivery: &DeliveryId) -> usize {
        let state = self.state();
        let messages = state.rooms.values().flat_map(|r| &r.messages);
        messages.filter(|m| m.delivery.as_ref() == Some(delivery)).count()
            + state.whispers.iter().filter(|w| w.delivery == *delivery).count()
    }

    // --- what goes wrong ---

    /// The next matching operation goes wrong.
    pub fn fail_once(&self, on: On, fault: Fault) {
        self.state().plan.add(on, fault, Some(1));
    }

    pub fn fail_times(&self, on: On, fault: Fault, times: u32) {
        self.state().plan.add(on, fault, Some(times));
    }

    /// Until [`World::heal`].
    pub fn fail_always(&self, on: On, fault: Fault) {
        self.state().plan.add(on, fault, None);
    }

    /// A function of the operation and its attempt number (1 for the first) chooses, where no rule matches.
    pub fn fail_by(&self, chooser: impl FnMut(&Outbound, u32) -> Option<Fault> + Send + 'static) {
        self.state().plan.choose_by(Box::new(chooser));
    }

    /// Forgets the whole fault plan. Held calls stay held.
    pub fn heal(&self) {
        self.state().plan.clear();
    }

    /// All calls held by now (`Slow`, `Hang`) answer.
    pub fn release(&self) {
        self.inner.gate.send_modify(|n| *n += 1);
    }

    /// How many calls are being held.
    pub fn held(&self) -> usize {
        self.state().held
    }

    /// From now on every call is `Unauthorized` (or works again).
    pub fn refuse_credentials(&self, refuse: bool) {
        self.state().credentials_refused = refuse;
    }

    /// The bridge's connection ends with an error; it must call `intake` again. Events wait meanwhile.
    pub fn cut(&self) {
        self.state().inbox = None;
        self.inner.cuts.send_modify(|n| *n += 1);
    }
}

fn is_at(message: &Message, at: &Address) -> bool {
    match (&message.thread, &at.thread) {
        (Some(thread), None) => thread.as_str() == message.id.as_str(),
        (thread, asked) => thread == asked,
    }
}
