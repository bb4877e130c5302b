//! The gateway: one session that outlives connections and restarts, resumed from the last event that was stored.
//!
//! Not here: one connection (`link.rs`), what is read after a gap (`catch_up.rs`), how often a new session may begin
//! (`budget.rs`).

use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::{Inbox, SendError, Shelf, ShelfError, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serenity::all::GatewayIntents;
use url::Url;

use super::{again, budget, catch_up, link};
use crate::send::Me;
use crate::{Discord, doctor, forms};

/// Where the shelf keeps the session.
const KEY: &str = "session";
/// Where it keeps which commands were published.
const COMMANDS: &str = "commands";
/// Losses in a row, before anything came, after which the channel starts over with the supervisor's patience.
const MOST_LOSSES: u32 = 4;
/// Losses in a row after which a session's own address counts as gone; the session goes on at the one that Discord names.
const FEW_LOSSES: u32 = 2;
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What a connection goes on with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Session {
    pub id: String,
    /// "resume_gateway_url".
    pub url: String,
    /// The last event that is stored, and all before it are.
    pub seq: u64,
    /// When that was: what happened before is stored. `EPOCH`: not known.
    #[serde(default)]
    pub at: Timestamp,
    /// What it was begun to hear; it hears no more than that. Zero: it was not noted.
    #[serde(default)]
    pub intents: u64,
}

impl Session {
    /// None any more.
    fn over(at: Timestamp) -> Session {
        Session { at, ..Session::default() }
    }

    /// Whether a desk that was added since, say, is heard as well.
    fn hears(&self, wanted: GatewayIntents) -> bool {
        self.intents == 0 || self.intents & wanted.bits() == wanted.bits()
    }

    /// Its own address, unless that is none to which we go by now.
    fn place(&self, discord: &Discord) -> Option<Url> {
        Url::parse(&self.url).ok().filter(|url| is_sound(discord, url)).map(spoken)
    }

    pub(super) async fn keep(&self, shelf: &Shelf) {
        let written = serde_json::to_string(self).unwrap_or_default();
        if let Err(error) = shelf.put(KEY, &written).await {
            tracing::debug!(%error, "how far the gateway was read was not noted");
        }
    }
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The session goes on.
    Lost(String),
    /// It is over; a new one is needed.
    Fresh(String),
    /// Trying again would not help.
    Refused(SendError),
    /// The inbox takes nothing any more.
    Closed,
}

/// Whether a connection received anything.
pub(super) struct Ended {
    pub session: Option<Session>,
    pub came_up: bool,
    /// It greeted, was asked to go on with a session, and said nothing to that.
    pub unanswered: bool,
    pub end: End,
}

/// What we have to hear. Without a desk, words in servers are nobody's business.
pub(crate) fn intents(desks: bool) -> GatewayIntents {
    let direct = GatewayIntents::GUILDS
        | GatewayIntents::DIRECT_MESSAGES
        | GatewayIntents::DIRECT_MESSAGE_REACTIONS
        | GatewayIntents::DIRECT_MESSAGE_TYPING;
    let desk = GatewayIntents::GUILD_MESSAGES
        | GatewayIntents::GUILD_MESSAGE_REACTIONS
        | GatewayIntents::GUILD_MESSAGE_TYPING
        | GatewayIntents::MESSAGE_CONTENT;
    if desks { direct | desk } else { direct }
}

/// Keeps one session; ends when trying at once makes no sense any more. Whatever ends it is told as why nothing is received.
pub(super) async fn run(discord: Arc<Discord>, inbox: Inbox) -> Result<(), SendError> {
    discord.receiving.listening.begins((discord.clock)());
    let ended = listen(&discord, &inbox).await;
    if let Err(error) = &ended {
        let why = match error {
            SendError::Retry { why, .. } => why.clone(),
            other => other.to_string(),
        };
        discord.receiving.listening.lost((discord.clock)(), &why);
    }
    ended
}

async fn listen(discord: &Arc<Discord>, inbox: &Inbox) -> Result<(), SendError> {
    let shelf = inbox.shelf();
    let unknown =
        |error: deskbridge_contract::ShelfError| SendError::Retry { after: None, why: error.to_string() };
    // Before anything else: until then nothing can be noted that outlives this process.
    discord.receiving.marks.load(&shelf).await.map_err(unknown)?;
    discord.receiving.marks.flush(&shelf).await.map_err(unknown)?;
    let me = discord.sending.meet().await.map_err(again)?;
    // Asked before connecting: a connection with an intent that is not allowed is closed for good (4014).
    let desks = !discord.sending.desks.is_empty();
    if desks && !doctor::may_read(me.flags) {
        let why = "Message Content Intent is off: switch it on in the developer portal, under Bot".to_owned();
        return Err(SendError::Unauthorized { why });
    }
    discord.sending.recall_hooks().await;
    discord.receiving.gap.load(&shelf).await.map_err(unknown)?;
    for (channel, seen) in discord.receiving.marks.snapshot() {
        if let Some(person) = &seen.person {
            discord.sending.note_direct(person, &channel);
        }
    }
    publish(discord.clone(), me.clone(), shelf.clone());
    let kept = shelf.get(KEY).await.map_err(unknown)?;
    let kept: Option<Session> = kept.and_then(|kept| serde_json::from_str(&kept).ok());
    // It outlives the session: from then on edits are looked for.
    let mut since = kept.as_ref().map_or(Timestamp::EPOCH, |session| session.at);
    let wanted = intents(desks);
    let mut session = kept.filter(|session| !session.id.is_empty() && session.hears(wanted));
    let (mut losses, mut unanswered) = (0, 0);
    loop {
        let own = session.as_ref().filter(|_| losses < FEW_LOSSES).and_then(|session| session.place(discord));
        let url = match own {
            Some(url) => url,
            None => named(discord, &shelf, session.is_none()).await?,
        };
        let ended = link::run(discord, inbox, &me, &url, session.clone(), since, wanted).await;
        if let Err(error) = discord.receiving.marks.flush(&shelf).await {
            tracing::debug!(channel = %discord.channel, %error, "how far rooms were read was not noted");
        }
        session = ended.session;
        if let Some(session) = &session {
            since = session.at;
            session.keep(&shelf).await;
        }
        losses = if ended.came_up { 0 } else { losses + 1 };
        unanswered = if ended.unanswered { unanswered + 1 } else { 0 };
        let why = match ended.end {
            End::Closed => return Ok(()),
            End::Refused(error) => return Err(error),
            End::Lost(why) => why,
            End::Fresh(why) => {
                session = None;
                Session::over(since).keep(&shelf).await;
                why
            }
        };
        discord.receiving.listening.lost((discord.clock)(), &why);
        if losses > MOST_LOSSES {
            if unanswered > FEW_LOSSES {
                tracing::warn!(channel = %discord.channel, "the gateway never answers to its session: a new one is begun");
                Session::over(since).keep(&shelf).await;
            }
            return Err(SendError::Retry { after: None, why });
        }
        tracing::debug!(channel = %discord.channel, why, "the gateway's connection ended; opened again");
        // "wait between 1 and 5 seconds": for a session that is over; a loss is tried again at once.
        let wait = FIRST_WAIT.saturating_mul(1 << losses.min(6)).min(LONGEST_WAIT);
        let wait = if session.is_none() { wait.max(discord.config.pause) } else { wait };
        if losses > 0 || session.is_none() {
            tokio::time::sleep(link::jittered(wait)).await;
        }
    }
}

/// Where Discord says that its gateway is. `fresh`: for a new session, of which there may be only so many.
async fn named(discord: &Discord, shelf: &Shelf, fresh: bool) -> Result<Url, SendError> {
    let answer = discord.sending.api.get("gateway/bot".into(), &[]).await;
    let answer: Value = answer.map_err(|fault| again(fault.error))?;
    if fresh {
        budget::allowed(&answer)?;
        budget::left(shelf, (discord.clock)()).await?;
    }
    let named = match &discord.config.gateway {
        Some(url) => url.as_str(),
        None => answer["url"].as_str().unwrap_or_default(),
    };
    let url = Url::parse(named)
        .map_err(|_| SendError::Retry { after: None, why: "Discord named no gateway".into() })?;
    if !is_sound(discord, &url) {
        return Err(SendError::rejected("Discord named a gateway that is not its own"));
    }
    Ok(spoken(url))
}

/// The token goes there: only to Discord, or to the server that the configuration names.
fn is_sound(discord: &Discord, url: &Url) -> bool {
    let plain_api = discord.config.api_base.scheme() == "http";
    let host = url.host_str().unwrap_or_default();
    let own = discord.config.gateway.as_ref().is_some_and(|own| own.host_str() == Some(host));
    let theirs = host == "discord.gg" || host.ends_with(".discord.gg");
    (url.scheme() == "wss" && (theirs || own)) || (url.scheme() == "ws" && (plain_api || own))
}

/// In which version and form it is to speak.
fn spoken(mut url: Url) -> Url {
    url.query_pairs_mut().clear().append_pair("v", "10").append_pair("encoding", "json");
    url
}

/// A new session: what was said between the old one and this has to be read.
pub(super) async fn began(
    discord: &Arc<Discord>,
    inbox: &Inbox,
    me: &Me,
    here: &Arc<()>,
    since: Timestamp,
) -> Result<(), ShelfError> {
    let receiving = &discord.receiving;
    let since = Some(since).filter(|since| *since != Timestamp::EPOCH);
    receiving.gap.open(receiving.marks.snapshot(), since);
    receiving.gap.keep(&inbox.shelf()).await?;
    catch_up::start(discord, inbox, me, here);
    Ok(())
}

/// The session goes on; what is left of an earlier gap is read, where nobody does already.
pub(super) fn resumed(discord: &Arc<Discord>, inbox: &Inbox, me: &Me, here: &Arc<()>) {
    if !discord.receiving.gap.is_read() {
        catch_up::start(discord, inbox, me, here);
    }
}

/// Commands are published once for each of their versions, beside everything else.
fn publish(discord: Arc<Discord>, me: Me, shelf: Shelf) {
    tokio::spawn(async move {
        let commands = Value::Array(forms::commands());
        let version = crate::ids::nonce(&format!("{}{commands}", me.application), 0);
        if shelf.get(COMMANDS).await.ok().flatten().as_deref() == Some(version.as_str()) {
            return;
        }
        match doctor::publish(&discord.sending, &me).await {
            Ok(()) => {
                if let Err(error) = shelf.put(COMMANDS, &version).await {
                    tracing::debug!(channel = %discord.channel, %error, "published commands were not noted");
                }
            }
            Err(error) => {
                tracing::warn!(channel = %discord.channel, %error, "the commands were not published")
            }
        }
    });
}
