//! Putting messages into channels, changing and removing them, whoever asks for it.
//! Who may do so is decided by the methods and by `people`.

use std::time::Instant;

use serde_json::Value;

use super::compose::{Allowed, Draft, content_of};
use super::error::ApiError;
use super::guild::Channel;
use super::message::{Author, COMPONENTS_V2, LOADING, Message, REPLY, Reference, SUPPRESS_EMBEDS};
use super::params::Upload;
use super::parts;
use super::permissions::MENTION_EVERYONE;
use super::snowflake::{Snowflake, now};
use super::world::{Ping, World};

impl World {
    /// Puts a message into its channel and tells everybody; an archived thread comes back. An id that it has is kept.
    pub(super) fn place(&mut self, mut message: Message) -> Snowflake {
        if message.id == Snowflake::default() {
            message.id = self.fresh();
        }
        let (id, channel) = (message.id, message.channel);
        self.revive(channel);
        self.note_pings(&message);
        if let Some(found) = self.channels.get_mut(&channel) {
            if found.is_thread() && message.only_for.is_none() {
                found.people.insert(message.author.id());
            }
            found.messages.insert(id, message);
        }
        self.announce_message(channel, id, "MESSAGE_CREATE");
        id
    }

    fn revive(&mut self, channel: Snowflake) {
        let Some(found) = self.channels.get_mut(&channel).filter(|found| found.archived) else { return };
        (found.archived, found.archive_at) = (false, now());
        self.announce_channel(channel, "UPDATE");
    }

    /// Pings by people are their own affair.
    fn note_pings(&mut self, message: &Message) {
        let by_app = match &message.author {
            Author::User(id) => self.users.get(id).is_some_and(|user| user.bot),
            Author::Webhook { .. } => true,
        };
        if !by_app {
            return;
        }
        let mentions = &message.mentions;
        let users = mentions.users.iter().map(|id| format!("<@{id}>"));
        let roles = mentions.roles.iter().map(|id| format!("<@&{id}>"));
        let everyone = mentions.everyone.then(|| "@everyone".to_owned());
        let all: Vec<String> = users.chain(roles).chain(everyone).collect();
        let (channel, id) = (message.channel, message.id);
        self.pings.extend(all.into_iter().map(|whom| Ping { channel, message: id, whom }));
    }

    /// A draft as a message of this author; an answer to a message that is gone is none, or is refused.
    ///
    /// # Errors
    /// `50035` for what it answers, and what files are refused for.
    pub(super) fn message_from(
        &mut self,
        channel: Snowflake,
        author: Author,
        draft: &Draft,
        files: &[Upload],
        body: &Value,
    ) -> Result<Message, ApiError> {
        let mut message = Message::new(channel, author, &draft.content);
        if let Some((elsewhere, original, strict)) = draft.answers {
            let place = elsewhere.unwrap_or(channel);
            let found = self.message_known(place, original).is_ok();
            if place != channel || (!found && strict) {
                let text = "Unknown message";
                return Err(ApiError::form("message_reference", "REPLIES_UNKNOWN_MESSAGE", text));
            }
            if found {
                let guild = self.channel_known(channel)?.guild;
                message.reference = Some(Reference { guild, channel, message: Some(original) });
                message.kind = REPLY;
            }
        }
        message.attachments = self.accept_files(channel, files, body, &[])?;
        message.embeds.clone_from(&draft.embeds);
        message.components.clone_from(&draft.components);
        message.flags = draft.flags;
        message.nonce.clone_from(&draft.nonce);
        message.mentions = self.mentions_of(&message, &draft.allowed);
        Ok(message)
    }

    /// Whom a message pings, as far as those are there and its author may.
    fn mentions_of(&self, message: &Message, allowed: &Allowed) -> super::message::Mentions {
        let replied = message.reference.and_then(|it| self.message(it.channel, it.message?));
        let replied = replied.and_then(|original| match original.author {
            Author::User(id) => Some(id),
            Author::Webhook { .. } => None,
        });
        let mut mentions = allowed.mentions(&message.content, replied);
        mentions.users.retain(|id| self.users.contains_key(id));
        let author = message.author.id();
        let guild = self.channels.get(&message.channel).and_then(|channel| self.guilds.get(&channel.guild?));
        // A webhook has the rights of nobody, and pings all that it may name.
        let may = match message.author {
            Author::User(id) => self.may(id, message.channel, MENTION_EVERYONE),
            Author::Webhook { .. } => true,
        };
        let pingable = |id: &Snowflake| {
            guild.and_then(|guild| guild.role(*id)).is_some_and(|role| role.mentionable || may)
        };
        mentions.roles.retain(pingable);
        mentions.everyone &= may && guild.is_some();
        mentions.users.retain(|id| *id != author);
        mentions
    }

    /// The message that this author wrote with this nonce a moment ago.
    pub(super) fn remembered(&self, author: Snowflake, nonce: &Value) -> Option<(Snowflake, Snowflake)> {
        let (channel, message, at) = self.nonces.get(&(author, nonce_text(nonce)))?;
        (at.elapsed() < self.settings.nonce_life).then_some((*channel, *message))
    }

    pub(super) fn remember(
        &mut self,
        author: Snowflake,
        nonce: &Value,
        channel: Snowflake,
        message: Snowflake,
    ) {
        self.nonces.insert((author, nonce_text(nonce)), (channel, message, Instant::now()));
    }

    /// Changes what `body` names ("Edit Message"); the rest stays.
    ///
    /// # Errors
    /// `50035`, `50006`, `50083` in an archived thread, and what files are refused for.
    pub(super) fn revise(
        &mut self,
        channel: Snowflake,
        id: Snowflake,
        body: &Value,
        files: &[Upload],
        usual: &Allowed,
    ) -> Result<(), ApiError> {
        let mut message = self.message_known(channel, id)?.clone();
        if self.channel_known(channel)?.archived {
            return Err(ApiError::coded(50_083));
        }
        let had = |name: &str| body.get(name).is_some();
        let before = message.content.clone();
        if had("content") {
            message.content = content_of(&body["content"])?.unwrap_or_default();
        }
        if had("embeds") {
            message.embeds = parts::embeds(&body["embeds"])?;
        }
        let wanted = body["flags"].as_u64().unwrap_or(0);
        message.flags |= wanted & COMPONENTS_V2;
        if had("flags") {
            message.flags = (message.flags & !SUPPRESS_EMBEDS) | (wanted & SUPPRESS_EMBEDS);
        }
        if had("components") {
            message.components = parts::components(&body["components"], message.flags & COMPONENTS_V2 != 0)?;
        }
        message.attachments = self.accept_files(channel, files, body, &message.attachments.clone())?;
        let left = message.embeds.len() + message.components.len() + message.attachments.len();
        if message.content.is_empty() && left == 0 {
            return Err(ApiError::coded(50_006));
        }
        let draft = Draft::read(&mentions_only(body, &message.content), 0, usual)?;
        // An edit changes who is shown as mentioned; it pings nobody.
        message.mentions = self.mentions_of(&message, &draft.allowed);
        message.flags &= !LOADING;
        message.edited_at = Some(now());
        if before != message.content {
            message.earlier.push(before);
        }
        *self.message_mut(channel, id)? = message;
        self.announce_message(channel, id, "MESSAGE_UPDATE");
        Ok(())
    }

    /// # Errors
    /// `10008` when it is not there.
    pub(super) fn erase(&mut self, channel: Snowflake, id: Snowflake) -> Result<(), ApiError> {
        let message = self.message_mut(channel, id)?;
        message.deleted = true;
        if message.only_for.is_none() {
            self.announce_deletion(channel, id);
        }
        Ok(())
    }

    /// Puts a new channel or thread in its place and tells everybody.
    pub(super) fn add_channel(&mut self, channel: Channel) -> Snowflake {
        let id = channel.id;
        self.channels.insert(id, channel);
        self.announce_channel(id, "CREATE");
        id
    }
}

fn nonce_text(nonce: &Value) -> String {
    nonce.as_str().map_or_else(|| nonce.to_string(), str::to_owned)
}

/// What of an edit says who may be pinged, with a text that is not empty.
fn mentions_only(body: &Value, content: &str) -> Value {
    let content = if content.is_empty() { "-" } else { content };
    serde_json::json!({ "content": content, "allowed_mentions": body["allowed_mentions"] })
}
