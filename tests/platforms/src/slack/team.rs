//! A workspace: its people, its channels and the apps that are installed in it.
//! What they write is in `message`; what they do is in `people` and in the methods.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use serde_json::{Value, json};

use super::message::Message;

/// `T…`
pub type TeamId = String;
/// `U…`; unique inside a workspace only, as the vendor promises no more.
pub type UserId = String;
/// `C…`, `D…`, `G…`; unique inside a workspace only.
pub type ChannelId = String;
/// `A…`; unique everywhere.
pub type AppId = String;
/// Seconds and a count, e.g. `1700000000.000100`; unique inside a channel only.
pub type Ts = String;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Member,
    /// Multi-channel guest, `is_restricted`.
    Guest,
    /// Single-channel guest, `is_ultra_restricted`.
    SingleChannelGuest,
    /// From another workspace, through Slack Connect; `is_stranger`.
    Stranger {
        home: TeamId,
    },
    /// The bot user of one of our apps, or of somebody else's (`app: None`).
    Bot {
        app: Option<AppId>,
    },
}

#[derive(Debug, Clone)]
pub struct User {
    pub id: UserId,
    /// Handle: lower case, no blanks.
    pub name: String,
    pub real_name: String,
    pub email: Option<String>,
    /// Whether they followed the link that was sent there.
    pub email_confirmed: bool,
    pub locale: String,
    pub kind: Kind,
    pub deleted: bool,
    pub active: bool,
}

impl User {
    pub fn is_bot(&self) -> bool {
        matches!(self.kind, Kind::Bot { .. })
    }

    /// As `users.info` and events show it; the address only with `users:read.email`.
    pub fn json(&self, team: &str, with_email: bool) -> Value {
        let home = if let Kind::Stranger { home } = &self.kind { home } else { team };
        let picture = format!("https://avatars.slack-edge.com/fake/{}_", self.id);
        let mut profile = json!({
            "real_name": self.real_name, "real_name_normalized": self.real_name,
            "display_name": self.real_name, "display_name_normalized": self.real_name,
            "team": home, "image_48": format!("{picture}48.png"), "image_72": format!("{picture}72.png"),
        });
        if let (true, Some(email)) = (with_email, &self.email) {
            profile["email"] = json!(email);
        }
        let mut user = json!({
            "id": self.id, "team_id": home, "name": self.name, "deleted": self.deleted,
            "real_name": self.real_name, "tz": "Europe/Berlin", "tz_offset": 3600, "profile": profile,
            "is_admin": false, "is_owner": false, "is_primary_owner": false,
            "is_restricted": matches!(self.kind, Kind::Guest | Kind::SingleChannelGuest),
            "is_ultra_restricted": self.kind == Kind::SingleChannelGuest,
            "is_bot": self.is_bot(), "is_app_user": false, "is_email_confirmed": self.email_confirmed, "updated": 1_700_000_000, "locale": self.locale,
        });
        if matches!(self.kind, Kind::Stranger { .. }) {
            user["is_stranger"] = json!(true);
        }
        user
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelKind {
    Public,
    Private,
    /// A direct message with an app.
    Im,
    /// A direct message of several.
    Mpim,
}

impl ChannelKind {
    /// `channel_type` of message events.
    pub fn name(self) -> &'static str {
        match self {
            ChannelKind::Public => "channel",
            ChannelKind::Private => "group",
            ChannelKind::Im => "im",
            ChannelKind::Mpim => "mpim",
        }
    }

    /// The subscription that covers its messages.
    pub fn subscription(self) -> &'static str {
        match self {
            ChannelKind::Public => "message.channels",
            ChannelKind::Private => "message.groups",
            ChannelKind::Im => "message.im",
            ChannelKind::Mpim => "message.mpim",
        }
    }

    /// The family of scopes: `channels:history`, `im:write` …
    pub fn scope(self) -> &'static str {
        match self {
            ChannelKind::Public => "channels",
            ChannelKind::Private => "groups",
            ChannelKind::Im => "im",
            ChannelKind::Mpim => "mpim",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Channel {
    pub id: ChannelId,
    pub kind: ChannelKind,
    pub name: String,
    pub members: BTreeSet<UserId>,
    pub archived: bool,
    /// Shared with another workspace.
    pub shared: bool,
    /// By `ts`, which sorts as text.
    pub messages: BTreeMap<Ts, Message>,
    pub(super) last: (i64, u32),
    pub(super) pace: Vec<Instant>,
}

impl Channel {
    /// The next `ts`: per channel, so two channels get the same ones now and then.
    pub(super) fn next_ts(&mut self, seconds: i64) -> Ts {
        self.last = if seconds > self.last.0 { (seconds, 1) } else { (self.last.0, self.last.1 + 1) };
        format!("{:010}.{:06}", self.last.0, self.last.1 * 100 + 9)
    }

    pub fn json(&self, bot: &str) -> Value {
        let direct = matches!(self.kind, ChannelKind::Im);
        let mut channel = json!({
            "id": self.id, "created": 1_700_000_000, "is_archived": self.archived, "is_im": direct,
            "is_mpim": self.kind == ChannelKind::Mpim, "is_shared": self.shared,
            "is_ext_shared": self.shared, "is_org_shared": false,
        });
        if direct {
            let other = self.members.iter().find(|id| *id != bot).cloned().unwrap_or_default();
            channel["user"] = json!(other);
            channel["is_user_deleted"] = json!(false);
        } else {
            channel["name"] = json!(self.name);
            channel["name_normalized"] = json!(self.name);
            channel["is_channel"] = json!(self.kind == ChannelKind::Public);
            channel["is_group"] = json!(self.kind == ChannelKind::Private);
            channel["is_private"] = json!(self.kind != ChannelKind::Public);
            channel["is_member"] = json!(self.members.contains(bot));
            channel["is_general"] = json!(false);
            channel["num_members"] = json!(self.members.len());
            channel["topic"] = json!({ "value": "", "creator": "", "last_set": 0 });
            channel["purpose"] = json!({ "value": "", "creator": "", "last_set": 0 });
        }
        channel
    }

    /// What is there to be seen: neither deleted nor a reply, unless it was sent to the channel, too.
    pub fn top_level(&self) -> impl Iterator<Item = &Message> {
        self.messages
            .values()
            .filter(|message| !message.deleted && (message.thread.is_none() || message.broadcast))
    }

    /// Whether reading back shows it: as it is, or as the stone that a deleted root with replies leaves.
    pub(super) fn shows(&self, message: &Message) -> bool {
        let answered = || {
            self.messages.values().any(|reply| reply.thread.as_ref() == Some(&message.ts) && !reply.deleted)
        };
        !message.deleted || (message.thread.is_none() && answered())
    }

    /// Root and replies of a thread, oldest first.
    pub fn thread<'c>(&'c self, root: &str) -> impl Iterator<Item = &'c Message> + use<'c> {
        let root = root.to_owned();
        let belongs = move |message: &&Message| message.ts == root || message.thread.as_ref() == Some(&root);
        self.messages.values().filter(belongs).filter(|message| !message.deleted)
    }
}

/// One app, installed in one workspace: what a customer makes for themselves from a manifest.
#[derive(Debug, Clone)]
pub struct App {
    pub id: AppId,
    pub name: String,
    pub bot_id: String,
    pub bot_user: UserId,
    pub signing_secret: String,
    pub client_id: String,
    pub client_secret: String,
    /// The body's old `token` field.
    pub verification_token: String,
    pub app_token: String,
    /// Bot tokens that are taken, and until when (`None`: for ever).
    pub tokens: Vec<(String, Option<Instant>)>,
    /// Bot tokens that were taken back.
    pub revoked: Vec<String>,
    pub uninstalled: bool,
    /// Refresh tokens that were not used yet.
    pub refresh_tokens: Vec<String>,
    pub scopes: Vec<String>,
    /// Scopes of the token `xapp-…`.
    pub app_scopes: Vec<String>,
    /// Names as the manifest has them: `message.im`, `app_mention` …
    pub subscriptions: BTreeSet<String>,
    pub events_url: Option<String>,
    pub interactivity_url: Option<String>,
    pub commands_url: Option<String>,
    /// Everything goes through sockets, nothing to the URLs.
    pub socket_mode: bool,
    /// Hosts whose links make `link_shared`.
    pub unfurl_domains: Vec<String>,
}

/// The scopes of the manifest that the project's reference shows.
pub const SCOPES: [&str; 21] = [
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:join",
    "channels:read",
    "chat:write",
    "chat:write.customize",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "links:read",
    "links:write",
    "reactions:read",
    "reactions:write",
    "users:read",
    "users:read.email",
];

pub const SUBSCRIPTIONS: [&str; 9] = [
    "app_home_opened",
    "app_mention",
    "link_shared",
    "message.channels",
    "message.groups",
    "message.im",
    "reaction_added",
    "reaction_removed",
    "member_joined_channel",
];

impl App {
    /// The token to configure: the one that was issued last.
    pub fn bot_token(&self) -> String {
        self.tokens.last().map(|(token, _)| token.clone()).unwrap_or_default()
    }

    pub fn bot_profile(&self, team: &str) -> Value {
        json!({
            "id": self.bot_id, "app_id": self.id, "name": self.name, "deleted": false,
            "updated": 1_700_000_000, "team_id": team,
            "icons": { "image_36": "https://a.slack-edge.com/36.png", "image_48": "https://a.slack-edge.com/48.png",
                "image_72": "https://a.slack-edge.com/72.png" },
        })
    }
}

#[derive(Debug, Clone)]
pub struct Team {
    pub id: TeamId,
    pub name: String,
    pub users: BTreeMap<UserId, User>,
    pub channels: BTreeMap<ChannelId, Channel>,
    pub apps: BTreeMap<AppId, App>,
    pub(super) count: u32,
}

impl Team {
    pub(super) fn next(&mut self, letter: char) -> String {
        self.count += 1;
        format!("{letter}{:010}", self.count)
    }

    pub fn domain(&self) -> String {
        self.name.to_ascii_lowercase().replace(' ', "-")
    }

    /// The direct message between a person and a bot.
    pub fn im(&self, user: &str, bot: &str) -> Option<&Channel> {
        let both = |channel: &&Channel| {
            channel.kind == ChannelKind::Im && channel.members.contains(user) && channel.members.contains(bot)
        };
        self.channels.values().find(both)
    }
}
