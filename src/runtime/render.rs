//! From a delivery (ids) to an outbound operation (words): reads the messages, names the speaker, draws the card.
//!
//! Not here: whether something is sent (the core), how a platform spells it (the adapters).

use std::collections::BTreeMap;
use std::sync::Arc;

use deskbridge_contract::{
    Action, Address, Attachment, AttachmentSource, Card, ChannelName, Content, Mention, Persona,
    RemoteUserId, ThreadTitle,
};
use deskbridge_conversation::policy::{Policy, RequesterIdentity};
use deskbridge_conversation::{
    Audience, Author, Conversation, MessageId, Session, SessionRole, Stage, TechnicianId, Wish, desk, gist,
};
use deskbridge_store::read::ConversationFilter;
use deskbridge_store::rows::MessageRow;
use deskbridge_store::{StoreError, album};

use super::Bridge;

/// Characters of the requester's first words that make a subject.
const SUBJECT: usize = 60;
/// Messages of a transcript; older ones are left out and said to be.
const TRANSCRIPT_MESSAGES: usize = 60;
/// Conversations of the same person that are looked at for a card.
const OTHERS: u32 = 10;
/// Characters of one message in a transcript.
const TRANSCRIPT_TEXT: usize = 600;

/// A message as one session shows it.
pub struct Shown {
    pub content: Content,
    pub persona: Option<Persona>,
    pub reply_to: Option<MessageId>,
}

/// `/status`, `/new` …: not a word about the matter.
pub fn is_command(row: &MessageRow, language: &str) -> bool {
    matches!(row.author, Author::Requester(_))
        && row.content.text.trim_start().starts_with('/')
        && matches!(gist::read(&row.content.text, language).wish, Some(Wish::Command(_)))
}

pub fn is_requester(session: &Session) -> bool {
    match session.role {
        SessionRole::Requester { .. } => true,
        SessionRole::Desk { .. } => false,
    }
}

/// The requester's name as the desk rooms of a channel may show it, also in private messages there.
pub fn name_on(conversation: &Conversation, policy: &Policy, channel: &ChannelName) -> String {
    let rooms = policy.desks_of(&conversation.queue).into_iter().filter(|room| room.channel == *channel);
    most_discreet(conversation, policy, rooms)
}

/// As the most discreet of the queue's rooms may show it: what is written once is read in all of them.
pub fn discreet_name(conversation: &Conversation, policy: &Policy) -> String {
    most_discreet(conversation, policy, policy.desks_of(&conversation.queue).into_iter())
}

/// The name of somebody else at the requester's place, as the most discreet of the queue's rooms may show it.
pub fn discreet_bystander(conversation: &Conversation, policy: &Policy, name: &str) -> String {
    let room = policy.desks_of(&conversation.queue).into_iter().max_by_key(|room| discretion(policy, room));
    let shown = room.map(|room| desk::bystander_name(conversation, policy, &room, name));
    shown.unwrap_or_else(|| name.to_owned())
}

fn most_discreet(
    conversation: &Conversation,
    policy: &Policy,
    rooms: impl Iterator<Item = Address>,
) -> String {
    rooms.max_by_key(|room| discretion(policy, room)).map_or_else(
        || conversation.requester_name().to_owned(),
        |room| desk::requester_name(conversation, policy, &room),
    )
}

fn discretion(policy: &Policy, room: &Address) -> u8 {
    match policy.desk(room).map(|desk| desk.requester_identity).unwrap_or_default() {
        RequesterIdentity::Name => 0,
        RequesterIdentity::Alias => 1,
        RequesterIdentity::Anonymous => 2,
    }
}

/// Whose words they are, as this session shows it. The bridge's own words have no name.
fn persona(
    conversation: &Conversation,
    policy: &Policy,
    session: &Session,
    message: &MessageRow,
    written: Option<&Address>,
) -> Option<Persona> {
    match &message.author {
        Author::Requester(_) => {
            let name = desk::requester_name(conversation, policy, &session.address);
            let picture = desk::requester_picture(conversation, policy, &session.address);
            Some(Persona { picture, ..Persona::person(name) })
        }
        Author::Bystander { name, .. } => {
            Some(Persona::person(desk::bystander_name(conversation, policy, &session.address, name)))
        }
        Author::Technician(technician) => {
            let name = policy.name(technician);
            let name = if is_requester(session) {
                name
            } else {
                format!("{name} (via {})", place(&session.address, written))
            };
            Some(Persona::person(name))
        }
        Author::Assistant => Some(Persona::assistant("Assistant")),
        Author::Outsider | Author::Desk => None,
    }
}

/// Where words were written that a desk room shows, as people there call it: `None` is no room (D3, D20).
fn place(here: &Address, written: Option<&Address>) -> String {
    match written {
        None => "console".to_owned(),
        Some(there) if there.channel != here.channel => there.channel.to_string(),
        Some(there) => there.room.to_string(),
    }
}

/// Mentions become people of this channel; somebody unknown here is named only.
fn resolve_mentions(content: &mut Content, policy: &Policy, session: &Session) {
    let prefix = format!("{}:", session.address.channel);
    for Mention { who, user, .. } in &mut content.mentions {
        let technician = policy.technicians.get(&TechnicianId(who.clone()));
        *user = technician
            .and_then(|t| t.identities.iter().find_map(|identity| identity.strip_prefix(&prefix)))
            .map(RemoteUserId::from);
    }
}

/// A message as a session shows it. A file that could not be had is said in the text.
/// `written`: the desk room where a technician wrote it; `None` for the console.
pub fn message(
    conversation: &Conversation,
    policy: &Policy,
    session: &Session,
    row: &MessageRow,
    written: Option<&Address>,
) -> Shown {
    let mut content = row.content.clone();
    content.album = None;
    resolve_mentions(&mut content, policy, session);
    for attachment in &content.attachments {
        if let AttachmentSource::Missing { why } = &attachment.source {
            let name = super::compose::file_name(&attachment.name);
            if !content.text.is_empty() {
                content.text.push_str("\n\n");
            }
            content.text.push_str(&format!(
                "📎 {} — file could not be fetched: {why}",
                deskbridge_conversation::notices::plain(&name)
            ));
        }
    }
    content.attachments.retain(|a| !matches!(a.source, AttachmentSource::Missing { .. }));
    let has_buttons = match row.author {
        Author::Desk => true,
        // Its buttons are the requester's.
        Author::Assistant => is_requester(session),
        Author::Requester(_) | Author::Bystander { .. } | Author::Technician(_) | Author::Outsider => false,
    };
    if !has_buttons {
        content.actions.clear();
    }
    Shown { persona: persona(conversation, policy, session, row, written), content, reply_to: row.reply_to }
}

/// CommonMark's own escapes taken back, for places that show a text as it is: a title, a ticket's summary, a list.
fn unescaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let escapes = c == '\\' && chars.peek().is_some_and(char::is_ascii_punctuation);
        shown.push(if escapes { chars.next().unwrap_or(c) } else { c });
    }
    shown
}

impl Bridge {
    /// A few words of the matter: the requester's first message, as plain text.
    pub async fn subject(&self, conversation: &Conversation) -> Result<String, StoreError> {
        let rows = self.read.messages(conversation.id, 1, false, 8).await?;
        let language = &conversation.requester.language;
        let says = |row: &&MessageRow| {
            matches!(row.author, Author::Requester(_))
                && !row.deleted
                && !row.content.text.trim().is_empty()
                && !is_command(row, language)
        };
        let first = rows.iter().find(says);
        let text = first.map(|row| row.content.text.as_str()).unwrap_or_default();
        let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        Ok(cut(&unescaped(line.trim()), SUBJECT))
    }

    pub async fn title(
        &self,
        conversation: &Conversation,
        room: &Address,
    ) -> Result<ThreadTitle, StoreError> {
        Ok(ThreadTitle {
            state: desk::state(conversation),
            reference: conversation.id.to_string(),
            requester: desk::requester_name(conversation, &self.policy.current().policy, room),
            subject: self.subject(conversation).await?,
        })
    }

    pub async fn card(
        &self,
        conversation: &Conversation,
        room: &Address,
    ) -> Result<(Card, Vec<Action>), StoreError> {
        let policy = self.policy.current();
        let subject = self.subject(conversation).await?;
        let summary = match conversation.summary {
            Some(id) => self.board.message(self.read.as_ref(), id).await?.map(|row| row.content.text.clone()),
            None => None,
        };
        let requester = desk::requester_name(conversation, &policy.policy, room);
        let channel = conversation.requester_session().map_or("", |session| session.address.channel.as_str());
        let also_open = self.also_open(conversation).await?;
        let words = desk::Words {
            subject: &subject,
            summary: summary.as_deref(),
            requester: &requester,
            channel,
            also_open: &also_open,
        };
        Ok(desk::card(conversation, &policy.policy, &words, self.now()))
    }

    /// The same person's other open conversations, newest first; the same person is the same id, and nothing less (D4).
    pub async fn also_open(&self, conversation: &Conversation) -> Result<String, StoreError> {
        let filter = ConversationFilter {
            stage: None,
            queue: None,
            assignee: None,
            requester: Some(conversation.requester.id.0.clone()),
            label: None,
            before: None,
            limit: OTHERS,
        };
        let others = self.read.conversations(&filter).await?;
        let open = others
            .iter()
            .filter(|other| other.id != conversation.id && !matches!(other.stage, Stage::Closed(_)));
        let named = open.map(|other| match other.requester_session() {
            Some(session) => format!("{} on {}", other.id, session.address.channel),
            None => other.id.to_string(),
        });
        Ok(named.collect::<Vec<_>>().join(", "))
    }

    /// Everything public from `from` to `to` as one message (D23), or nothing when there is nothing.
    pub async fn transcript(
        &self,
        conversation: &Conversation,
        room: &Address,
        from: u64,
        to: u64,
    ) -> Result<Option<Content>, StoreError> {
        let rows = self.read.messages(conversation.id, from, false, 2_000).await?;
        let policy = self.policy.current();
        let said: Vec<&MessageRow> = rows
            .iter()
            .filter(|row| row.id.seq <= to && !row.deleted && row.audience == Audience::Public)
            .collect();
        let left_out = said.len().saturating_sub(TRANSCRIPT_MESSAGES);
        let mut lines = Vec::new();
        if left_out > 0 {
            lines.push(format!("_… {left_out} earlier messages_"));
        }
        for row in &said[left_out..] {
            lines.push(transcript_line(&policy.policy, conversation, room, row, TRANSCRIPT_TEXT));
        }
        Ok((!lines.is_empty()).then(|| Content::text(format!("📜 **Transcript**\n\n{}", lines.join("\n\n")))))
    }
}

/// `limit`: characters of the words themselves.
pub(super) fn transcript_line(
    policy: &Policy,
    conversation: &Conversation,
    room: &Address,
    row: &MessageRow,
    limit: usize,
) -> String {
    let name = match &row.author {
        Author::Requester(_) => desk::requester_name(conversation, policy, room),
        Author::Bystander { name, .. } => desk::bystander_name(conversation, policy, room, name),
        Author::Technician(technician) => policy.name(technician),
        Author::Assistant => "✨ Assistant".to_owned(),
        Author::Outsider | Author::Desk => "Desk".to_owned(),
    };
    let name = deskbridge_conversation::notices::plain(&name);
    let mut text = cut(&row.content.text, limit);
    for Attachment { name, .. } in &row.content.attachments {
        let name = deskbridge_conversation::notices::plain(&super::compose::file_name(name));
        text.push_str(&format!(" 📎 {name}"));
    }
    format!("**{name}:** {text}")
}

/// At most `limit` characters, with an ellipsis where something was cut. A cut code fence is closed.
pub fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(limit.saturating_sub(1)).collect();
    short.push('…');
    if short.matches("```").count() % 2 == 1 {
        short.push_str("\n```");
    }
    short
}

/// Platform ids of everything that a message became in a session, in order.
/// The second number tells those apart that are one part sent twice.
pub type Links = BTreeMap<(u16, usize), deskbridge_contract::RemoteMessageId>;

impl Bridge {
    /// Those of another message where this one is shown in its post.
    pub async fn links(
        &self,
        conversation: &Conversation,
        session: &Session,
        message: Option<MessageId>,
    ) -> Result<Links, StoreError> {
        let mut rows = self.read.links(conversation.id, session.id, message).await?;
        if rows.is_empty()
            && let Some(message) = message
            && let Some(parts) = self.joint(conversation, session, message).await?
        {
            rows = self.read.links(conversation.id, session.id, parts.first().copied()).await?;
        }
        let shown = rows.into_iter().filter(|row| row.part != album::WHOLE);
        Ok(shown.enumerate().map(|(at, row)| ((row.part, at), row.remote)).collect())
    }

    /// The desk room, other than this one, where a technician's message was written: it has a name there.
    pub async fn written_in(
        &self,
        conversation: &Conversation,
        here: &Session,
        row: &MessageRow,
    ) -> Result<Option<Address>, StoreError> {
        if is_requester(here) || !matches!(row.author, Author::Technician(_)) {
            return Ok(None);
        }
        for session in conversation.desk_sessions().filter(|session| session.id != here.id) {
            if !self.links(conversation, session, Some(row.id)).await?.is_empty() {
                return Ok(Some(session.address.clone()));
            }
        }
        Ok(None)
    }

    pub async fn stored(&self, id: MessageId) -> Result<Option<Arc<MessageRow>>, StoreError> {
        self.board.message(self.read.as_ref(), id).await
    }
}
