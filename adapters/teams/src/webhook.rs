//! Teams by webhooks: an outgoing one, which brings what people say to it in a channel and takes its answer in the
//! response; and one of Workflows, which takes notices. For whoever may not, or need not, install the bot.
//!
//! Not here: the bot (`lib.rs`), which may write what an outgoing webhook cannot: everything later than its response.

mod config;
mod doctor;
mod door;
mod flow;
mod notice;
mod said;
mod slots;

use std::sync::Arc;

use async_trait::async_trait;
use deskbridge_contract::check::Check;
use deskbridge_contract::{
    Adapter, Address, ByteStream, Capabilities, ChannelName, Health, Inbound, Inbox, Intake, Limits,
    OperationKind, Outbound, OutboundOp, RemoteFileId, RemoteUserId, Resend, RoomId, SendError, Sent, Shelf,
    ShelfError, Support, ThreadStyle, TranslateError,
};

use crate::references::References;
use crate::{Clock, ConfigError, Teams, TeamsAdapter, files, ids, send};

pub use config::WebhookConfig;

/// This adapter's section of the configuration, with every key and its default.
pub const WEBHOOK_EXAMPLE: &str = include_str!("../webhook.toml");

/// One outgoing webhook, one webhook of Workflows, or both.
pub struct WebhookAdapter(Arc<Webhook>);

pub(crate) struct Webhook {
    channel: ChannelName,
    config: WebhookConfig,
    clock: Clock,
    slots: slots::Slots,
    /// Whose a thread is, for words that come later.
    threads: References,
    flow: Option<flow::Flow>,
    /// Writes later words where it is installed, too.
    bot: Option<Arc<Teams>>,
    links: Arc<files::Links>,
}

/// The message of a conversation's card, for tests of how it looks.
#[cfg(test)]
pub(crate) fn card_of(card: &deskbridge_contract::Card) -> serde_json::Value {
    notice::card(card).message(None)
}

/// Words to a requester that come after the response, with a file, for the same tests; so many that they are cut, where
/// `long`.
#[cfg(test)]
pub(crate) fn words_of(long: bool) -> serde_json::Value {
    let about = notice::About { name: "Ana".into(), reference: "#1042".into() };
    let persona = deskbridge_contract::Persona { name: "Bob".into(), assistant: false, picture: None };
    let url = |text: &str| url::Url::parse(text).ok();
    let text = "Try **this**, then `ipconfig`:\n\n1. one\n2. *two*".repeat(if long { 400 } else { 1 });
    let content = deskbridge_contract::Content::text(text);
    let link = ("guide.pdf".to_owned(), url("https://desk.example.org/hooks/teams/file?b=1"));
    let notice = notice::words(Some(&about), &content, &[link], Some(&persona));
    notice.message(url("https://desk.example.org").as_ref())
}

/// What the webhooks can carry, by place; for `docs/channels.md`.
pub fn declared_webhooks() -> [(&'static str, &'static Capabilities); 2] {
    [("outgoing webhook", &ANSWERS), ("Workflows", &NOTICES)]
}

/// Into the response, or by a flow: words and links. Nothing of it can be changed later, and nothing is heard.
const ANSWERS: Capabilities = Capabilities {
    max_text: flow::MAX_TEXT,
    max_caption: flow::MAX_TEXT,
    max_upload_bytes: send::MAX_UPLOAD,
    max_download_bytes: 0,
    max_attachments: 10,
    // "Only openUrl actions work" in what an outgoing webhook answers; a card of a flow reaches nobody either.
    max_actions: 0,
    threads: ThreadStyle::None,
    formatting: Support::Native,
    replies: Support::Drop,
    edits: Support::Drop,
    deletes: Support::Drop,
    reactions: Support::Drop,
    marks: Support::Drop,
    typing: Support::Drop,
    whisper: Support::Drop,
    persona: Support::Emulate,
    hears_edits: false,
    hears_deletes: false,
    hears_reactions: false,
    hears_reads: false,
};

/// A room of notices: every state of a conversation is a card of its own, named by the conversation's reference.
const NOTICES: Capabilities = Capabilities { threads: ThreadStyle::Separate, ..ANSWERS };

impl WebhookAdapter {
    pub fn new(channel: ChannelName, config: WebhookConfig, clock: Clock) -> Result<Self, ConfigError> {
        let mut hook = config.public_url.clone();
        if let Some(mut segments) = hook.as_mut().and_then(|url| url.path_segments_mut().ok()) {
            segments.pop_if_empty().push("hooks").push(channel.as_str());
        }
        let links = Arc::new(files::Links::new(config.secret(), hook));
        let bot = match config.bot.clone() {
            Some(bot) => Some(TeamsAdapter::new(channel.clone(), bot, clock.clone())?.0),
            None => None,
        };
        let flow = match config.webhook_url.clone() {
            Some(url) => Some(flow::Flow::new(channel.clone(), url, &config)?),
            None => None,
        };
        let (slots, threads) = (slots::Slots::default(), References::default());
        Ok(WebhookAdapter(Arc::new(Webhook { channel, config, clock, slots, threads, flow, bot, links })))
    }

    /// The event of one raw request, as the intake would push it: for replays, and for whoever looks into the quarantine.
    ///
    /// # Errors
    /// Why it is none.
    pub fn translate(&self, payload: &[u8]) -> Result<Vec<Inbound>, TranslateError> {
        let activity = deskbridge_contract::json::read_bytes(payload)
            .ok_or_else(|| TranslateError::Malformed("not JSON".into()))?;
        let at = said::time(&activity).ok_or_else(|| TranslateError::Malformed("timestamp".into()))?;
        Ok(vec![said::translate(&self.0.channel, &activity, at)?])
    }

    /// Live checks of everything that is known to go wrong; `desks` are the rooms configured as desks.
    pub async fn doctor(&self, desks: &[RoomId]) -> Vec<Check> {
        doctor::examine(&self.0, desks).await
    }
}

/// Requesters are in channels of a team; any other room is a name for the flow's.
fn is_team_channel(at: &Address) -> bool {
    ids::kind(at.room.as_str()) == ids::Kind::Channel
}

#[async_trait]
impl Adapter for WebhookAdapter {
    fn channel(&self) -> &ChannelName {
        &self.0.channel
    }

    fn capabilities(&self, at: &Address) -> &Capabilities {
        if is_team_channel(at) { &ANSWERS } else { &NOTICES }
    }

    fn takes_requesters(&self, at: &Address) -> bool {
        self.0.config.security.is_some() && is_team_channel(at)
    }

    /// An outgoing webhook is called in channels only.
    fn is_shared(&self, _at: &Address) -> bool {
        true
    }

    /// What went into a response cannot be looked up, nor what a flow posted.
    fn resend(&self, _kind: OperationKind) -> Resend {
        Resend::MayDuplicate
    }

    /// The flow's pace is kept where it is called: what goes into a response needs none.
    fn limits(&self) -> Limits {
        Limits::default()
    }

    fn intake(self: Arc<Self>, inbox: Inbox) -> Intake {
        door::intake(self.0.clone(), inbox)
    }

    async fn send(&self, out: &Outbound) -> Result<Sent, SendError> {
        self.0.perform(out).await
    }

    async fn fetch(&self, file: &RemoteFileId) -> Result<ByteStream, SendError> {
        match &self.0.bot {
            Some(bot) => bot.fetch(file).await,
            None => Err(SendError::rejected("an outgoing webhook brings no files")),
        }
    }

    async fn open_direct(&self, _: &RemoteUserId) -> Result<Address, SendError> {
        Err(SendError::rejected("a webhook opens no private chats"))
    }

    /// Nothing is kept of people but what the host has.
    async fn forget(
        &self,
        _shelf: &Shelf,
        _user: &RemoteUserId,
        _at: &[Address],
    ) -> Result<Vec<String>, ShelfError> {
        Ok(vec![format!("Teams ({}): what they wrote, and what was answered there.", self.channel())])
    }

    fn warnings(&self) -> Vec<String> {
        let trouble = self.0.flow.as_ref().and_then(flow::Flow::trouble);
        trouble.map(|why| format!("Workflows posts nothing: {why}")).into_iter().collect()
    }

    async fn probe(&self) -> Result<Health, SendError> {
        if let Some(flow) = &self.0.flow {
            let reached = flow.reach().await;
            // What is asked by an outgoing webhook is answered without it.
            if self.0.config.security.is_none() {
                reached?;
            }
        }
        let summary = self.0.summary();
        let mut warnings = Vec::new();
        if self.0.config.security.is_some() && self.0.flow.is_none() && self.0.bot.is_none() {
            warnings
                .push("nothing can be written after the response; set webhook_url, or the bot's keys".into());
        }
        warnings.extend(self.warnings());
        Ok(Health { summary, warnings })
    }
}

impl Webhook {
    /// What this channel is, and what it cannot do (D18).
    fn summary(&self) -> String {
        let mut parts = Vec::new();
        if self.config.security.is_some() {
            parts.push("outgoing webhook: one answer within 5 s");
            parts.push(match (&self.bot, &self.flow) {
                (Some(_), _) => "later words by the bot",
                (None, Some(_)) => "later words by Workflows, outside of the thread",
                (None, None) => "nothing can be written later",
            });
            parts.push("no buttons, edits, deletions or files of people");
        }
        if self.flow.is_some() {
            parts.push("Workflows: notices only, accepted is not yet posted");
        }
        parts.join("; ")
    }

    async fn perform(&self, out: &Outbound) -> Result<Sent, SendError> {
        let to = &out.to;
        if !is_team_channel(to) {
            return self.notify(out).await;
        }
        match &out.op {
            OutboundOp::Post { content, files, persona, .. } => {
                let links: Vec<_> = files
                    .iter()
                    .map(|file| (file.name.clone(), self.links.link(&file.blob, &file.name, (self.clock)())))
                    .collect();
                let answer = send::activity(content, &links, persona.as_ref(), Vec::new());
                if self.slots.answer(to, answer) {
                    return Ok(Sent { note: Some(Sent::IN_RESPONSE.into()), ..Sent::at(to, None) });
                }
                if let Some(bot) = &self.bot {
                    return bot.perform(out).await.map_err(|error| match error {
                        // The bot is only for later words; the webhook itself needs none of its credentials.
                        SendError::Unauthorized { why } => SendError::Retry { after: None, why },
                        other => other,
                    });
                }
                let about = self.about(to).await.map_err(send::shelf)?;
                let card = notice::words(about.as_ref(), content, &links, persona.as_ref());
                self.post(to, card).await
            }
            // The host says it aloud: whoever called is owed an answer.
            OutboundOp::Whisper { .. } => {
                Err(SendError::Gone { why: "an outgoing webhook reaches no person alone".into() })
            }
            _ => Err(SendError::rejected("a webhook's answer cannot be changed")),
        }
    }

    /// A notice of a desk's room.
    async fn notify(&self, out: &Outbound) -> Result<Sent, SendError> {
        let to = &out.to;
        match &out.op {
            // The card comes by itself; the thread is only a name, which every card repeats.
            OutboundOp::OpenThread { title, .. } => Ok(Sent::at(&to.thread(title.reference.as_str()), None)),
            OutboundOp::SetThread { .. } => Ok(Sent::at(to, None)),
            OutboundOp::Post { content, files, persona, .. } => {
                let reference = to.thread.as_ref().map(|thread| thread.as_str().to_owned());
                let links: Vec<_> = files
                    .iter()
                    .map(|file| (file.name.clone(), self.links.link(&file.blob, &file.name, (self.clock)())))
                    .collect();
                let card = match &content.card {
                    Some(card) => notice::card(card),
                    None => notice::said(reference.as_deref(), content, &links, persona.as_ref()),
                };
                self.post(to, card).await
            }
            OutboundOp::Whisper { .. } => {
                Err(SendError::Gone { why: "a flow reaches no person alone".into() })
            }
            _ => Err(SendError::rejected("a notice cannot be changed")),
        }
    }

    async fn post(&self, to: &Address, card: notice::Notice) -> Result<Sent, SendError> {
        let Some(flow) = &self.flow else {
            let why = "an outgoing webhook cannot be written to after its response";
            return Err(SendError::rejected(why));
        };
        let posted = flow.post(&card.message(self.config.public_url.as_ref())).await;
        posted.map_err(|error| match error {
            // The flow's pace is not the room's: the next answer in a response there waits for nothing.
            SendError::Retry { why, .. } if is_team_channel(to) => SendError::Retry { after: None, why },
            other => other,
        })?;
        Ok(Sent { accepted: true, ..Sent::at(to, None) })
    }
}
