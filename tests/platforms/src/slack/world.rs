//! The whole state of the fake platform, and the questions a test asks of it.
//! Apps change it through `methods`, people through `people`; what is handed to apps is in `events` and `outgoing`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::error::{ApiError, refuse};
use super::faults::FaultPlan;
use super::files::Files;
use super::interact::{Hook, Trigger, View};
use super::ledger::{Call, Ledger};
use super::message::{Author, Ephemeral, Message};
use super::outgoing::Outgoing;
use super::sockets::Sockets;
use super::team::{App, AppId, Channel, ChannelKind, Team, TeamId, Ts, UserId};

pub(super) type Shared = crate::shared::Shared<World>;

impl crate::shared::Story for World {
    fn story(&self) -> String {
        self.report()
    }
}

/// How the platform behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Length of the platform's own waits (retries, life of response URLs and tokens) relative to the vendor's.
    pub time_scale: f64,
    /// Within this an event must be answered or acknowledged. The vendor's 3 s, never scaled.
    pub ack_deadline: Duration,
    /// How long a `trigger_id` lives. The vendor's 3 s, never scaled.
    pub trigger_life: Duration,
    /// Refuse with 429 what goes beyond one message a second in a channel (else it is only written down).
    pub enforce_rate_limits: bool,
    /// The first attempts for one channel go out one after another. The vendor promises no order.
    pub in_order: bool,
    /// How long a file is looked at before it is shared.
    pub file_delay: Duration,
    /// `conversations.replies` in channels for bot tokens. The vendor's page says that it takes a user token.
    pub threads_readable: bool,
    /// Sockets that one app may have at a time.
    pub max_sockets: usize,
    /// Tokens that `oauth.v2.access` makes live so long, times `time_scale`.
    pub token_life: Duration,
    /// Downloads are redirected first, as the vendor's CDN does.
    pub redirect_downloads: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            time_scale: 1.0,
            ack_deadline: Duration::from_secs(3),
            trigger_life: Duration::from_secs(3),
            enforce_rate_limits: false,
            in_order: true,
            file_delay: Duration::from_millis(20),
            threads_readable: true,
            max_sockets: 10,
            token_life: Duration::from_secs(43_200),
            redirect_downloads: false,
        }
    }
}

/// An app's message pinged somebody: channel, `ts`, and whom (`<!channel>`, `<@U…>` …).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ping {
    pub team: TeamId,
    pub channel: String,
    pub ts: Ts,
    pub whom: String,
}

#[derive(Debug)]
pub struct World {
    pub settings: Settings,
    pub teams: BTreeMap<TeamId, Team>,
    pub files: Files,
    pub views: BTreeMap<String, View>,
    /// Home tabs by workspace, app and person.
    pub homes: BTreeMap<(TeamId, AppId, UserId), Value>,
    pub ephemerals: BTreeMap<TeamId, Vec<Ephemeral>>,
    pub pings: Vec<Ping>,
    pub ledger: Ledger,
    pub faults: FaultPlan,
    pub(super) fields: Option<super::spec::Fields>,
    pub(super) outgoing: Outgoing,
    pub(super) sockets: Sockets,
    pub(super) triggers: BTreeMap<String, Trigger>,
    pub(super) hooks: BTreeMap<String, Hook>,
    pub(super) serial: u64,
    /// Its own address, for the URLs that it hands out.
    pub(super) base: String,
    pub(super) closed: bool,
}

impl World {
    pub(super) fn new(settings: Settings) -> Self {
        World {
            settings,
            teams: BTreeMap::new(),
            files: Files::default(),
            views: BTreeMap::new(),
            homes: BTreeMap::new(),
            ephemerals: BTreeMap::new(),
            pings: Vec::new(),
            ledger: Ledger::new(),
            faults: FaultPlan::default(),
            fields: None,
            outgoing: Outgoing::default(),
            sockets: Sockets::default(),
            triggers: BTreeMap::new(),
            hooks: BTreeMap::new(),
            serial: 0,
            base: String::new(),
            closed: false,
        }
    }

    pub fn unix_now(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }

    pub(super) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// An id that is unique everywhere: events, apps, views, triggers.
    pub(super) fn fresh(&mut self, prefix: &str) -> String {
        let serial = self.next_serial();
        format!("{prefix}{serial:010}")
    }

    pub(super) fn known(&self, team: &str) -> Result<&Team, ApiError> {
        self.teams.get(team).ok_or_else(|| ApiError::new("team_not_found"))
    }

    pub(super) fn known_mut(&mut self, team: &str) -> Result<&mut Team, ApiError> {
        self.teams.get_mut(team).ok_or_else(|| ApiError::new("team_not_found"))
    }

    pub(super) fn channel_mut(&mut self, team: &str, channel: &str) -> Result<&mut Channel, ApiError> {
        let found = self.known_mut(team)?.channels.get_mut(channel);
        found.ok_or_else(|| ApiError::new("channel_not_found"))
    }

    pub(super) fn message_mut(
        &mut self,
        team: &str,
        channel: &str,
        ts: &str,
    ) -> Result<&mut Message, ApiError> {
        let found = self.channel_mut(team, channel)?.messages.get_mut(ts).filter(|message| !message.deleted);
        found.ok_or_else(|| ApiError::new("message_not_found"))
    }

    pub(super) fn next_ts(&mut self, team: &str, channel: &str) -> Result<Ts, ApiError> {
        let now = self.unix_now();
        Ok(self.channel_mut(team, channel)?.next_ts(now))
    }

    /// Opens the direct message of a person and an app's bot, or finds it.
    pub(super) fn open_im(&mut self, team: &str, user: &str, bot: &str) -> Result<String, ApiError> {
        let found = self.known_mut(team)?;
        let other = found.users.get(user).ok_or_else(|| ApiError::new("user_not_found"))?;
        if other.deleted {
            return refuse("user_disabled");
        }
        if other.is_bot() {
            return refuse("cannot_dm_bot");
        }
        if let Some(open) = found.im(user, bot) {
            return Ok(open.id.clone());
        }
        Ok(self.add_channel(team, ChannelKind::Im, "", &[user, bot]))
    }

    pub(super) fn add_channel(
        &mut self,
        team: &str,
        kind: ChannelKind,
        name: &str,
        members: &[&str],
    ) -> String {
        let Some(team) = self.teams.get_mut(team) else { return String::new() };
        let id = team.next(if kind == ChannelKind::Im { 'D' } else { 'C' });
        let channel = Channel {
            id: id.clone(),
            kind,
            name: name.to_owned(),
            members: members.iter().map(|member| (*member).to_owned()).collect(),
            archived: false,
            shared: false,
            messages: BTreeMap::new(),
            last: (0, 0),
            pace: Vec::new(),
        };
        team.channels.insert(id.clone(), channel);
        id
    }

    /// Puts a message into its channel; `ts` is filled in.
    pub(super) fn place(&mut self, team: &str, channel: &str, mut message: Message) -> Result<Ts, ApiError> {
        let ts = self.next_ts(team, channel)?;
        message.ts.clone_from(&ts);
        self.channel_mut(team, channel)?.messages.insert(ts.clone(), message);
        Ok(ts)
    }

    /// Notes a post that comes too soon after the one before; refused only where limits are enforced.
    pub(super) fn pace(&mut self, team: &str, channel: &str) -> Result<(), ApiError> {
        let (now, at) = (Instant::now(), self.ledger.now());
        let enforced = self.settings.enforce_rate_limits;
        let found = self.channel_mut(team, channel)?;
        found.pace.retain(|sent| now.duration_since(*sent) < Duration::from_secs(1));
        if !found.pace.is_empty() {
            self.ledger.over_pace.push((team.to_owned(), channel.to_owned(), at));
            if enforced {
                return refuse("ratelimited");
            }
        }
        self.channel_mut(team, channel)?.pace.push(now);
        Ok(())
    }
}

/// Questions for tests.
impl World {
    pub fn team(&self, team: &str) -> &Team {
        self.teams.get(team).expect("a workspace of this fake")
    }

    pub fn app(&self, team: &str, app: &str) -> &App {
        self.team(team).apps.get(app).expect("an app of this workspace")
    }

    pub fn message(&self, team: &str, channel: &str, ts: &str) -> Option<&Message> {
        self.teams.get(team)?.channels.get(channel)?.messages.get(ts)
    }

    /// What a person sees in a channel, or in a thread of it (root included).
    pub fn messages_in(&self, team: &str, channel: &str, thread: Option<&str>) -> Vec<&Message> {
        let Some(channel) = self.teams.get(team).and_then(|team| team.channels.get(channel)) else {
            return Vec::new();
        };
        match thread {
            Some(root) => channel.thread(root).collect(),
            None => channel.top_level().collect(),
        }
    }

    /// Everything there that is not deleted, threads included, oldest first.
    pub fn all_in(&self, team: &str, channel: &str) -> Vec<&Message> {
        let channel = self.teams.get(team).and_then(|team| team.channels.get(channel));
        let messages = channel.into_iter().flat_map(|channel| channel.messages.values());
        messages.filter(|message| !message.deleted).collect()
    }

    /// Who wrote what, for readable assertions: `Ana: hello <a.png> [Accept]`.
    pub fn transcript(&self, team: &str, channel: &str, thread: Option<&str>) -> Vec<String> {
        let messages = self.messages_in(team, channel, thread);
        messages.iter().map(|message| self.line(team, message)).collect()
    }

    fn line(&self, team: &str, message: &Message) -> String {
        let files: String = message.file_names().iter().map(|name| format!(" <{name}>")).collect();
        let buttons: String = message.buttons().iter().map(|button| format!(" [{}]", button.label)).collect();
        format!("{}: {}{files}{buttons}", self.author_name(team, message), message.shown())
    }

    pub fn author_name(&self, team: &str, message: &Message) -> String {
        let Some(team) = self.teams.get(team) else { return String::new() };
        let user = |id: &UserId| team.users.get(id).map_or_else(|| id.clone(), |user| user.real_name.clone());
        match &message.author {
            Author::User(id) | Author::OtherBot { user: id, .. } => user(id),
            Author::App { username: Some(name), .. } => name.clone(),
            Author::App { app, .. } => team.apps.get(app).map_or_else(|| app.clone(), |app| app.name.clone()),
        }
    }

    /// What one person was shown alone in a channel, oldest first.
    pub fn whispers(&self, team: &str, channel: &str, user: &str) -> Vec<&Ephemeral> {
        let all = self.ephemerals.get(team).into_iter().flatten();
        all.filter(|whisper| whisper.channel == channel && whisper.user == user && !whisper.gone).collect()
    }

    pub fn requests(&self, method: &str) -> Vec<&Call> {
        self.ledger.requests(method)
    }

    /// Events, interactions and commands that are still to be handed out or tried again.
    pub fn outstanding(&self) -> usize {
        self.outgoing.queue.len()
    }

    /// Everything, for the message of a failed assertion.
    pub fn report(&self) -> String {
        let mut lines = Vec::new();
        for team in self.teams.values() {
            for channel in team.channels.values() {
                lines.push(format!("{} {} {:?} #{}", team.name, channel.id, channel.kind, channel.name));
                for message in channel.messages.values() {
                    let gone = if message.deleted { " (deleted)" } else { "" };
                    let thread =
                        message.thread.as_ref().map(|root| format!(" in {root}")).unwrap_or_default();
                    let reactions: Vec<&str> =
                        message.reactions.iter().map(|(name, _)| name.as_str()).collect();
                    lines.push(format!(
                        "  {}{thread} {} {reactions:?}{gone}",
                        message.ts,
                        self.line(&team.id, message)
                    ));
                }
            }
            for whisper in self.ephemerals.get(&team.id).into_iter().flatten() {
                let text = super::message::shown(&whisper.text, whisper.blocks.as_ref());
                lines.push(format!("  only for {} in {}: {text}", whisper.user, whisper.channel));
            }
        }
        for call in &self.ledger.calls {
            let params = Value::Object(call.params.clone());
            let (number, method, status, fault) = (call.number, &call.method, call.status, call.fault);
            let error = call.error().unwrap_or("ok");
            lines.push(format!("call {number} {method} {params} -> {status:?} {error} fault {fault:?}"));
        }
        for delivery in &self.ledger.deliveries {
            let (id, kind, attempt, status) =
                (&delivery.id, &delivery.kind, delivery.attempt, delivery.status);
            lines.push(format!("handed out {kind} {id} #{attempt} {:?} -> {status:?}", delivery.way));
        }
        lines.push(format!(
            "{} to hand out, {} sockets, violations: {:?}",
            self.outstanding(),
            self.sockets.open.len(),
            self.ledger.violations
        ));
        lines.join("\n")
    }
}
