//! The whole state of the fake platform, and the questions a test asks of it.
//! Apps change it through `methods`, people through `people`; what is handed to apps is in `events` and `interact`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::error::ApiError;
use super::faults::FaultPlan;
use super::files::StoredFile;
use super::gateway::Gateway;
use super::guild::{App, Channel, ChannelKind, Guild, User};
use super::interact::Interaction;
use super::ledger::{Call, Ledger};
use super::limits::{Limit, Limits};
use super::message::{Author, Message};
use super::snowflake::{Snowflake, now};
use super::webhook::Webhook;

pub(super) type Shared = crate::shared::Shared<World>;

impl crate::shared::Story for World {
    fn story(&self) -> String {
        self.report()
    }
}

/// How the platform behaves. The vendor's own figures are the defaults, but for what would slow a test down.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Within this an interaction must be answered. The vendor's 3 s.
    pub interaction_deadline: Duration,
    /// How long an interaction's token works. The vendor's 15 min.
    pub interaction_life: Duration,
    /// How long a link to an attachment works, in whole seconds; 0 makes links that are dead at once.
    pub link_life: Duration,
    /// How long `enforce_nonce` remembers ("the past few minutes").
    pub nonce_life: Duration,
    /// `heartbeat_interval` of the gateway's Hello. The vendor's 41.25 s.
    pub heartbeat: Duration,
    /// How long a session without a connection can be resumed ("a few minutes").
    pub session_life: Duration,
    /// `session_start_limit.total`: beyond it the token is reset.
    pub identifies: u32,
    /// Two Identifies closer than this are answered with Invalid Session. The vendor's is 5 s for `max_concurrency` 1.
    pub identify_spacing: Duration,
    /// What a route allows that `limits` does not name. The vendor publishes no figures.
    pub usual_limit: Limit,
    /// What a route allows, by operation.
    pub limits: BTreeMap<String, Limit>,
    /// Requests of one app in a second before a global 429; none: they are only counted.
    pub global_limit: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            interaction_deadline: Duration::from_secs(3),
            interaction_life: Duration::from_secs(15 * 60),
            link_life: Duration::from_secs(24 * 3600),
            nonce_life: Duration::from_secs(180),
            heartbeat: Duration::from_millis(41_250),
            session_life: Duration::from_secs(180),
            identifies: 1000,
            identify_spacing: Duration::ZERO,
            usual_limit: Limit { requests: 1000, per: Duration::from_secs(1) },
            limits: BTreeMap::new(),
            global_limit: None,
        }
    }
}

/// A message pinged somebody: whom (`@everyone`, `<@&1>`, `<@1>`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ping {
    pub channel: Snowflake,
    pub message: Snowflake,
    pub whom: String,
}

#[derive(Debug)]
pub struct World {
    pub settings: Settings,
    pub users: BTreeMap<Snowflake, User>,
    pub guilds: BTreeMap<Snowflake, Guild>,
    pub channels: BTreeMap<Snowflake, Channel>,
    pub apps: BTreeMap<Snowflake, App>,
    pub webhooks: BTreeMap<Snowflake, Webhook>,
    pub files: BTreeMap<Snowflake, StoredFile>,
    pub interactions: BTreeMap<Snowflake, Interaction>,
    /// Pings by apps and their webhooks.
    pub pings: Vec<Ping>,
    pub ledger: Ledger,
    pub faults: FaultPlan,
    pub gateway: Gateway,
    pub(super) limits: Limits,
    pub(super) description: Option<super::spec::Description>,
    /// Messages by author and nonce, as long as they are remembered.
    pub(super) nonces: BTreeMap<(Snowflake, String), (Snowflake, Snowflake, Instant)>,
    /// Webhooks that were called and are not there.
    pub(super) dead_webhooks: BTreeSet<Snowflake>,
    last_id: Snowflake,
    /// Its own address, for the URLs that it hands out.
    pub(super) base: String,
}

impl World {
    pub(super) fn new(settings: Settings) -> Self {
        World {
            settings,
            users: BTreeMap::new(),
            guilds: BTreeMap::new(),
            channels: BTreeMap::new(),
            apps: BTreeMap::new(),
            webhooks: BTreeMap::new(),
            files: BTreeMap::new(),
            interactions: BTreeMap::new(),
            pings: Vec::new(),
            ledger: Ledger::new(),
            faults: FaultPlan::default(),
            gateway: Gateway::default(),
            limits: Limits::default(),
            description: None,
            nonces: BTreeMap::new(),
            dead_webhooks: BTreeSet::new(),
            last_id: Snowflake::default(),
            base: String::new(),
        }
    }

    /// An id that is unique everywhere and later than all before it.
    pub(super) fn fresh(&mut self) -> Snowflake {
        self.last_id = Snowflake::from_millis(now()).max(Snowflake(self.last_id.0 + 1));
        self.last_id
    }

    pub(super) fn guild_known(&self, id: Snowflake) -> Result<&Guild, ApiError> {
        self.guilds.get(&id).ok_or_else(|| ApiError::coded(10_004))
    }

    pub(super) fn channel_known(&self, id: Snowflake) -> Result<&Channel, ApiError> {
        self.channels.get(&id).filter(|channel| !channel.deleted).ok_or_else(|| ApiError::coded(10_003))
    }

    pub(super) fn channel_mut(&mut self, id: Snowflake) -> Result<&mut Channel, ApiError> {
        self.channels.get_mut(&id).filter(|channel| !channel.deleted).ok_or_else(|| ApiError::coded(10_003))
    }

    pub(super) fn message_known(&self, channel: Snowflake, id: Snowflake) -> Result<&Message, ApiError> {
        let found = self.channel_known(channel)?.messages.get(&id).filter(|message| !message.deleted);
        found.ok_or_else(|| ApiError::coded(10_008))
    }

    pub(super) fn message_mut(
        &mut self,
        channel: Snowflake,
        id: Snowflake,
    ) -> Result<&mut Message, ApiError> {
        let found = self.channel_mut(channel)?.messages.get_mut(&id).filter(|message| !message.deleted);
        found.ok_or_else(|| ApiError::coded(10_008))
    }

    pub(super) fn channel_json(&self, channel: &Channel) -> Value {
        let others = channel.people.iter().filter(|id| self.users.get(id).is_some_and(|user| !user.bot));
        channel.json(others.map(|id| self.user_json(*id)).collect())
    }

    /// The direct message of a person and a bot, opened where it is not.
    pub(super) fn open_dm(&mut self, user: Snowflake, bot: Snowflake) -> Snowflake {
        if let Some(open) = self.dm(user, bot) {
            return open.id;
        }
        let id = self.fresh();
        let mut channel = Channel::new(id, ChannelKind::Dm, None, "");
        channel.people = [user, bot].into();
        self.channels.insert(id, channel);
        id
    }

    /// The app whose bot this is.
    pub(super) fn app_of(&self, bot: Snowflake) -> Option<&App> {
        self.apps.values().find(|app| app.bot == bot)
    }
}

/// Questions for tests.
impl World {
    pub fn app(&self, id: Snowflake) -> &App {
        self.apps.get(&id).expect("an app of this fake")
    }

    pub fn channel(&self, id: Snowflake) -> &Channel {
        self.channels.get(&id).expect("a channel of this fake")
    }

    pub fn dm(&self, user: Snowflake, bot: Snowflake) -> Option<&Channel> {
        let both = |channel: &&Channel| {
            channel.kind == ChannelKind::Dm && channel.people.contains(&user) && channel.people.contains(&bot)
        };
        self.channels.values().find(both)
    }

    pub fn message(&self, channel: Snowflake, id: Snowflake) -> Option<&Message> {
        self.channels.get(&channel)?.messages.get(&id)
    }

    /// What everybody sees there, oldest first.
    pub fn messages_in(&self, channel: Snowflake) -> Vec<&Message> {
        self.channels.get(&channel).into_iter().flat_map(Channel::shown).collect()
    }

    /// Threads of a channel (posts of a forum), oldest first.
    pub fn threads_of(&self, parent: Snowflake) -> Vec<&Channel> {
        let of_it = |it: &&Channel| it.parent == Some(parent) && it.is_thread() && !it.deleted;
        self.channels.values().filter(of_it).collect()
    }

    /// Names of the tags that a post has.
    pub fn tags_of(&self, post: Snowflake) -> Vec<String> {
        let Some(post) = self.channels.get(&post) else { return Vec::new() };
        let Some(forum) = post.parent.and_then(|parent| self.channels.get(&parent)) else {
            return Vec::new();
        };
        let name = |id: &Snowflake| forum.tags.iter().find(|tag| tag.id == *id).map(|tag| tag.name.clone());
        post.applied_tags.iter().filter_map(name).collect()
    }

    /// What one person alone was shown there, oldest first.
    pub fn whispers(&self, channel: Snowflake, user: Snowflake) -> Vec<&Message> {
        let all = self.channels.get(&channel).into_iter().flat_map(|channel| channel.messages.values());
        all.filter(|message| message.only_for == Some(user) && !message.deleted).collect()
    }

    /// Who wrote what, for readable assertions: `Ana: hello <a.png> [Accept]`.
    pub fn transcript(&self, channel: Snowflake) -> Vec<String> {
        self.messages_in(channel).into_iter().map(|message| self.line(message)).collect()
    }

    pub(super) fn line(&self, message: &Message) -> String {
        let files = message.attachments.iter().filter_map(|id| self.files.get(id));
        let files: String = files.map(|file| format!(" <{}>", file.name)).collect();
        let buttons: String = message.buttons().iter().map(|button| format!(" [{}]", button.label)).collect();
        format!("{}: {}{files}{buttons}", self.author_name(message), message.said())
    }

    pub fn author_name(&self, message: &Message) -> String {
        match &message.author {
            Author::Webhook { name, .. } => name.clone(),
            Author::User(id) => {
                self.users.get(id).map_or_else(|| id.to_string(), |user| user.shown().to_owned())
            }
        }
    }

    pub fn requests(&self, operation: &str) -> Vec<&Call> {
        self.ledger.requests(operation)
    }

    /// Everything, for the message of a failed assertion.
    pub fn report(&self) -> String {
        let mut lines = Vec::new();
        for channel in self.channels.values() {
            let state = (channel.archived, channel.locked, channel.deleted);
            let tags = self.tags_of(channel.id);
            let (id, kind, name) = (channel.id, channel.kind, &channel.name);
            lines.push(format!("{id} {kind:?} #{name} {tags:?} archived, locked, deleted: {state:?}"));
            for message in channel.messages.values() {
                let gone = if message.deleted { " (deleted)" } else { "" };
                let alone = message.only_for.map(|user| format!(" only for {user}")).unwrap_or_default();
                let marks: Vec<&str> = message.reactions.iter().map(|it| it.emoji.as_str()).collect();
                lines.push(format!("  {} {} {marks:?}{alone}{gone}", message.id, self.line(message)));
            }
        }
        for call in &self.ledger.calls {
            let (number, operation, line, body) = (call.number, &call.operation, &call.line, &call.body);
            let (status, code, fault) = (call.status, call.code(), call.fault);
            lines.push(format!(
                "call {number} {operation} {line} {body} -> {status:?} {code:?} fault {fault:?}"
            ));
        }
        for line in &self.ledger.gateway {
            lines.push(format!("gateway {} {:?}", line.socket, line.entry));
        }
        for interaction in self.interactions.values() {
            lines.push(format!("interaction {} {:?}", interaction.id, interaction.state));
        }
        lines.push(format!("violations: {:?}", self.ledger.violations));
        lines.join("\n")
    }
}
