//! All the numbers and choices that rules need, as plain data. Made from the configuration; never read from a clock.
//!
//! Not here: tokens, URLs, anything only adapters or services need.

use std::collections::BTreeMap;
use std::time::Duration;

use deskbridge_contract::{Address, ChannelName, RoomId};
use serde::{Deserialize, Serialize};

use crate::ids::{QueueId, TechnicianId};

/// How long files that were sent at once join the message of the first one.
pub const ALBUM_OPEN: Duration = Duration::from_millis(1000);
/// How long that message is held back, at least. Longer than [`ALBUM_OPEN`], so that whoever shows it has heard of every part.
pub const ALBUM_HOLD: Duration = Duration::from_millis(1500);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub queues: BTreeMap<QueueId, QueuePolicy>,
    pub channels: BTreeMap<ChannelName, ChannelPolicy>,
    pub technicians: BTreeMap<TechnicianId, TechnicianPolicy>,
    pub confirm: Confirm,
    /// How long after closing a late message may reopen (L8). Default 7 d.
    pub reopen_window: Duration,
    pub assistant: AssistantPolicy,
    pub tickets: TicketPolicy,
    /// How long a technician's text is held so that it can be taken back (D13). Default 5 s; 0 sends at once.
    pub undo_window: Duration,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuePolicy {
    pub allocation: Allocation,
    pub technicians: Vec<TechnicianId>,
    pub skills: Vec<String>,
    /// Higher goes first.
    pub priority: u8,
    pub timers: Timers,
    /// Where a conversation goes that waited `max_wait`.
    pub overflow: Option<QueueId>,
    /// An offer to one technician is accepted at once, without asking.
    pub auto_accept: bool,
    /// Overrides [`AssistantPolicy::mode`].
    pub mode: Option<AssistantMode>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Allocation {
    #[default]
    RoundRobin,
    LoadBased,
    FirstAccept,
}

/// The timers of product.md §1; each per queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timers {
    pub requester_reminder: Duration,
    /// In total, counted like the reminder from the other side's last word (D10).
    pub requester_close: Duration,
    pub offer: Duration,
    pub max_wait: Duration,
    pub technician_nudge: Duration,
    pub technician_requeue: Duration,
    pub offline_grace: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        Timers {
            requester_reminder: minutes(10),
            requester_close: minutes(20),
            offer: Duration::from_secs(60),
            max_wait: minutes(10),
            technician_nudge: minutes(5),
            technician_requeue: minutes(15),
            offline_grace: Duration::from_secs(60),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelPolicy {
    /// Whether people may open conversations here.
    pub requesters: bool,
    /// The queue of conversations opened here.
    pub queue: Option<QueueId>,
    pub desks: Vec<DeskPolicy>,
    /// The platform wants the answer in the response to the message: no burst is waited for (D6).
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub answers_in_response: bool,
}

/// One room where technicians work (D19).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskPolicy {
    pub room: RoomId,
    /// Empty: every queue.
    pub queues: Vec<QueueId>,
    pub reply_mode: ReplyMode,
    pub requester_identity: RequesterIdentity,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReplyMode {
    #[default]
    Airlock,
    Direct,
    Explicit,
    Alerts,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequesterIdentity {
    #[default]
    Name,
    Alias,
    Anonymous,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TechnicianPolicy {
    /// As requesters see it.
    pub name: String,
    pub role: Role,
    /// Open offers and unsnoozed assignments that allocation may give at once.
    pub capacity: u32,
    pub skills: Vec<String>,
    pub languages: Vec<String>,
    pub email: Option<String>,
    /// `<channel>:<remote id>` (D26).
    pub identities: Vec<String>,
    /// Identities with this technician's address that said they are somebody else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strangers: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    #[default]
    Technician,
    Supervisor,
    Admin,
}

/// Whether the assistant asks before it hands over (L4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confirm {
    #[default]
    WhenInferred,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AssistantMode {
    #[default]
    First,
    Choice,
    DraftOnly,
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssistantPolicy {
    pub mode: AssistantMode,
    /// Silence after which collected messages become one turn (D6). Default 1.5 s.
    pub burst_window: Duration,
    /// Answers in one stretch before people take over. Default 8.
    pub max_turns: u32,
    /// After this the turn counts as failed and the conversation is handed over. Default 60 s.
    pub deadline: Duration,
}

impl Default for AssistantPolicy {
    fn default() -> Self {
        AssistantPolicy {
            mode: AssistantMode::First,
            burst_window: Duration::from_millis(1500),
            max_turns: 8,
            deadline: Duration::from_secs(60),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TicketWhen {
    #[default]
    Handover,
    Claim,
    Close,
    Manual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketPolicy {
    pub create: TicketWhen,
    /// A resolved ticket is closed after this unless the requester objects (D15). Default 3 d.
    pub auto_close: Duration,
}

impl Default for TicketPolicy {
    fn default() -> Self {
        TicketPolicy { create: TicketWhen::Handover, auto_close: Duration::from_secs(3 * 24 * 3600) }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            queues: BTreeMap::from([(QueueId::from("default"), QueuePolicy::default())]),
            channels: BTreeMap::new(),
            technicians: BTreeMap::new(),
            confirm: Confirm::default(),
            reopen_window: Duration::from_secs(7 * 24 * 3600),
            assistant: AssistantPolicy::default(),
            tickets: TicketPolicy::default(),
            undo_window: Duration::from_secs(5),
        }
    }
}

impl Policy {
    /// The queue's numbers; a queue that the configuration lost keeps the defaults, so that no conversation is stuck.
    pub fn queue(&self, queue: &QueueId) -> QueuePolicy {
        self.queues.get(queue).cloned().unwrap_or_default()
    }

    pub fn timers(&self, queue: &QueueId) -> Timers {
        self.queues.get(queue).map(|q| q.timers).unwrap_or_default()
    }

    pub fn mode(&self, queue: &QueueId) -> AssistantMode {
        self.queues.get(queue).and_then(|q| q.mode).unwrap_or(self.assistant.mode)
    }

    pub fn is_member(&self, technician: &TechnicianId, queue: &QueueId) -> bool {
        self.queues.get(queue).is_some_and(|q| q.technicians.contains(technician))
    }

    pub fn role(&self, technician: &TechnicianId) -> Role {
        self.technicians.get(technician).map(|t| t.role).unwrap_or_default()
    }

    /// The name that people see; the id where the configuration knows no name.
    pub fn name(&self, technician: &TechnicianId) -> String {
        self.technicians.get(technician).map_or_else(|| technician.0.clone(), |t| t.name.clone())
    }

    /// The desk that a room is, if it is one.
    pub fn desk(&self, at: &Address) -> Option<&DeskPolicy> {
        self.channels.get(&at.channel)?.desks.iter().find(|desk| desk.room == at.room)
    }

    /// The rooms where a queue's conversations are shown, in the order of the configuration.
    pub fn desks_of(&self, queue: &QueueId) -> Vec<Address> {
        let mut rooms = Vec::new();
        for (channel, policy) in &self.channels {
            for desk in &policy.desks {
                if desk.queues.is_empty() || desk.queues.contains(queue) {
                    rooms.push(Address { channel: channel.clone(), room: desk.room.clone(), thread: None });
                }
            }
        }
        rooms
    }

    /// The queue of conversations that open on a channel.
    pub fn queue_of(&self, channel: &ChannelName) -> QueueId {
        self.channels
            .get(channel)
            .and_then(|c| c.queue.clone())
            .or_else(|| self.queues.keys().find(|q| q.as_str() == "default").cloned())
            .or_else(|| self.queues.keys().next().cloned())
            .unwrap_or_else(|| QueueId::from("default"))
    }
}
