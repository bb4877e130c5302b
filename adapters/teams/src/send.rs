//! Carries out operations: which activities they become, and where these go.
//!
//! Not here: calls as such and what their failures mean (`api.rs`), how cards look (`cards.rs`).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deskbridge_contract::{
    Action, Address, AttachmentKind, AttachmentSource, ByteStream, Card, Content, Interaction, Mention,
    Outbound, OutboundFile, OutboundOp, Persona, RemoteFileId, RemoteMessageId, RemoteUserId, SendError,
    Sent, ShelfError,
};
use futures_util::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use crate::api::{About, NOT_THERE};
use crate::ids::{self, FilePlace};
use crate::{Teams, cards, markup};

/// "Format your bot messages": 100 KB of UTF-16, pictures in base64 not counted.
const MAX_PAYLOAD: usize = 100 << 10;
/// What stands in a list of messages for a card, in letters.
const MAX_SUMMARY: usize = 300;
/// Pictures up to this size go within the message ("Send and receive files": 1 MB).
const MAX_INLINE: u64 = 1 << 20;
/// An operation is over by then, however many calls it needs: an attempt's lease lasts 30 s.
const DEADLINE: Duration = Duration::from_secs(28);
/// Largest file that is given out by link.
pub(crate) const MAX_UPLOAD: u64 = 100 << 20;

pub(crate) fn shelf(_: ShelfError) -> SendError {
    SendError::Retry { after: None, why: "the store is unavailable".into() }
}

fn message_id(answer: &Value, key: &str) -> Result<RemoteMessageId, SendError> {
    let id = answer.get(key).and_then(Value::as_str).filter(|id| !id.is_empty());
    // It was taken; only its name is missing.
    id.map(RemoteMessageId::new)
        .ok_or_else(|| SendError::Ambiguous { why: "the answer names no message".into() })
}

impl Teams {
    pub(crate) async fn perform(&self, out: &Outbound) -> Result<Sent, SendError> {
        let ended = tokio::time::timeout(DEADLINE, self.performed(out)).await;
        let came = ended.unwrap_or_else(|_| Err(SendError::Ambiguous { why: "no answer in time".into() }));
        match out.op {
            OutboundOp::Post { .. } | OutboundOp::OpenThread { .. } | OutboundOp::Whisper { .. } => {
                self.doubts.heed(&out.id, came, (self.clock)())
            }
            // What is changed is there, and its next change comes.
            _ => came,
        }
    }

    async fn performed(&self, out: &Outbound) -> Result<Sent, SendError> {
        let to = &out.to;
        match &out.op {
            OutboundOp::Post { content, files, persona, .. } => {
                self.post(to, content, files, persona.as_ref()).await
            }
            OutboundOp::Edit { message, content: Content { card: Some(card), actions, .. }, .. } => {
                self.boards.keep(to, card, actions);
                self.edit_card(to, message, card, actions).await
            }
            OutboundOp::Edit { message, content, persona } => {
                let activity = activity(content, &self.named(content), persona.as_ref(), Vec::new());
                self.change(Method::PUT, to, message, Some(sized(activity)?)).await
            }
            OutboundOp::Delete { message } => match self.change(Method::DELETE, to, message, None).await {
                // Somebody was faster.
                Err(SendError::Rejected { why, .. }) if why.starts_with(NOT_THERE) => {
                    Ok(Sent::at(to, Some(message.clone())))
                }
                other => other,
            },
            OutboundOp::OpenThread { card, actions, .. } => self.open_thread(to, card, actions).await,
            // The card carries state and title and is edited by itself; a channel's thread has none of its own.
            OutboundOp::SetThread { .. } => Ok(Sent::at(to, None)),
            OutboundOp::Whisper { to: user, content, interaction } => {
                self.whisper(to, user, content, interaction.as_ref()).await
            }
            OutboundOp::Mark { mark, .. } if ids::kind(to.room.as_str()) == ids::Kind::Channel => {
                self.mark(to, *mark).await
            }
            OutboundOp::React { .. } | OutboundOp::Mark { .. } => {
                Err(SendError::rejected("bots cannot react in Teams"))
            }
        }
    }

    /// The links to the files of a message that is edited: they are a part of its words.
    fn named(&self, content: &Content) -> Vec<(String, Option<Url>)> {
        let files = content.attachments.iter().filter_map(|file| match &file.source {
            AttachmentSource::Blob { id, .. } => {
                Some((file.name.clone(), self.links.link(id, &file.name, (self.clock)())))
            }
            AttachmentSource::Remote(_) | AttachmentSource::Missing { .. } => None,
        });
        files.collect()
    }

    /// Where the conversation is served. Never another host than a trusted one: the token goes there.
    async fn service(&self, at: &Address) -> Result<Url, SendError> {
        let known = self.references.room(&at.room).await.map_err(shelf)?;
        if self.references.is_removed(&at.room).await.map_err(shelf)? {
            return Err(SendError::Gone { why: "the app was removed from this conversation".into() });
        }
        let named = match known {
            Some(known) => Some(known.service),
            None => self.references.latest().await.map_err(shelf)?,
        };
        let named =
            named.and_then(|service| Url::parse(&service).ok()).filter(|url| self.api.config.trusts(url));
        Ok(named.unwrap_or_else(|| self.api.config.service_url.clone()))
    }

    pub(crate) async fn conversations(&self, at: &Address, path: &[&str]) -> Result<Url, SendError> {
        self.served(at, "conversations", path).await
    }

    /// Where a team's details are, by its own id.
    pub(crate) async fn team(&self, at: &Address, team: &str) -> Result<Url, SendError> {
        self.served(at, "teams", &[team]).await
    }

    async fn served(&self, at: &Address, what: &str, path: &[&str]) -> Result<Url, SendError> {
        let mut url = self.service(at).await?;
        match url.path_segments_mut() {
            Ok(mut segments) => {
                segments.pop_if_empty().extend(["v3", what]).extend(path);
            }
            Err(()) => return Err(SendError::rejected("the service address cannot be used")),
        }
        Ok(url)
    }

    async fn post(
        &self,
        to: &Address,
        content: &Content,
        files: &[OutboundFile],
        persona: Option<&Persona>,
    ) -> Result<Sent, SendError> {
        let mut pictures = Vec::new();
        let mut links = Vec::new();
        let mut notes = Vec::new();
        for file in files {
            if file.kind == AttachmentKind::Image && file.size <= MAX_INLINE && pictures.is_empty() {
                pictures.push(picture(file).await?);
                continue;
            }
            match self.links.link(&file.blob, &file.name, (self.clock)()) {
                Some(url) => links.push((file.name.clone(), Some(url))),
                None => {
                    links.push((file.name.clone(), None));
                    notes.push("a file was only named: server.public_url is not set");
                }
            }
        }
        let mut activity = activity(content, &links, persona, Vec::new());
        sized_ref(&activity)?;
        if !pictures.is_empty()
            && let Some(object) = activity.as_object_mut()
        {
            let kept = object.entry("attachments").or_insert_with(|| json!([]));
            kept.as_array_mut().into_iter().for_each(|kept| kept.extend(pictures.clone()));
        }
        let conversation = ids::conversation(to);
        let url = self.conversations(to, &[&conversation, "activities"]).await?;
        let in_desk = to.thread.is_some() && self.api.config.is_desk(&to.room);
        let about = if in_desk { About::DeskThread } else { About::Place };
        let came = self.api.call_about(about, Method::POST, url, Some(&activity)).await;
        let answer = self.doubts.judge(to, came, (self.clock)())?;
        let message = message_id(&answer, "id")?;
        // In a channel, what is not said in a thread opens one.
        let opens = to.thread.is_none() && ids::kind(to.room.as_str()) == ids::Kind::Channel;
        let at = if opens { to.thread(message.as_str()) } else { to.clone() };
        let note = notes.first().map(|note| (*note).to_owned());
        Ok(Sent { note, ..Sent::at(&at, Some(message)) })
    }

    async fn change(
        &self,
        method: Method,
        to: &Address,
        message: &RemoteMessageId,
        body: Option<Value>,
    ) -> Result<Sent, SendError> {
        let conversation = ids::conversation(to);
        let url = self.conversations(to, &[&conversation, "activities", message.as_str()]).await?;
        // A desk's thread without its card is lost to those who work there.
        let root = to.thread.as_ref().is_some_and(|root| root.as_str() == message.as_str());
        let is_card = root && method == Method::PUT && self.api.config.is_desk(&to.room);
        let about = if is_card { About::DeskThread } else { About::Message };
        let came = self.api.call_about(about, method, url, body.as_ref()).await;
        self.doubts.judge(to, came, (self.clock)())?;
        Ok(Sent::at(to, Some(message.clone())))
    }

    /// The card in the place of the one before: updated, never posted anew.
    pub(crate) async fn edit_card(
        &self,
        to: &Address,
        message: &RemoteMessageId,
        card: &Card,
        actions: &[Action],
    ) -> Result<Sent, SendError> {
        let activity = self.card_activity(to, card, actions).await;
        self.change(Method::PUT, to, message, Some(sized(activity)?)).await
    }

    async fn card_activity(&self, at: &Address, card: &Card, actions: &[Action]) -> Value {
        let mut made = message(String::new());
        let summary = format!("{} {} · {}", card.reference, card.requester, card.title);
        made["summary"] = json!(cards::cut(&summary, MAX_SUMMARY));
        made["attachments"] = json!([self.drawn(at, card, actions).await]);
        made
    }

    /// Words of our own, such as what somebody asked by a form.
    pub(crate) async fn say(&self, to: &Address, content: &Content) -> Result<Sent, SendError> {
        self.post(to, content, &[], None).await
    }

    /// A new conversation in the desk's channel, with the card as its root.
    async fn open_thread(&self, to: &Address, card: &Card, actions: &[Action]) -> Result<Sent, SendError> {
        let root = self.card_activity(to, card, actions).await;
        sized_ref(&root)?;
        let body = json!({
            "isGroup": true,
            "channelData": { "channel": { "id": to.room.as_str() } },
            "tenantId": self.api.config.tenant,
            "activity": root,
        });
        let url = self.conversations(to, &[]).await?;
        let answer = self.api.call(Method::POST, url, Some(&body)).await?;
        let opened = answer.get("id").and_then(Value::as_str).and_then(|id| ids::address(&self.channel, id));
        let at = match (opened, answer.get("activityId").and_then(Value::as_str)) {
            (Some(at), _) if at.thread.is_some() => at,
            (_, Some(root)) => to.thread(root),
            _ => return Err(SendError::Ambiguous { why: "the answer names no thread".into() }),
        };
        // A lost note only means that a verb in this thread is taken for a request that no desk asks about.
        if self.references.opened(&at.key()).await.is_err() {
            tracing::debug!(channel = %self.channel, "a desk's thread could not be noted");
        }
        self.boards.keep(&at, card, actions);
        let root = at.thread.as_ref().map(|root| RemoteMessageId::new(root.as_str()));
        Ok(Sent::at(&at, root))
    }

    /// D24: the answer to a pressed button where there is one, else the person's own chat with the bot.
    async fn whisper(
        &self,
        at: &Address,
        user: &RemoteUserId,
        content: &Content,
        interaction: Option<&Interaction>,
    ) -> Result<Sent, SendError> {
        if let Some(pressed) = interaction
            && self.pressed.answer(&pressed.id, content.clone())
        {
            return Ok(Sent::at(at, None));
        }
        let direct = self.open_direct(user).await?;
        self.post(&direct, content, &[], None).await?;
        // It was said about another place; there is nothing to answer to, and no message of that place.
        Ok(Sent { note: Some("whispered in the private chat".into()), ..Sent::at(at, None) })
    }

    pub(crate) async fn open_direct(&self, user: &RemoteUserId) -> Result<Address, SendError> {
        if let Some(room) = self.references.chat(user.as_str()).await.map_err(shelf)? {
            if self.references.is_removed(&room).await.map_err(shelf)? {
                return Err(SendError::Gone { why: "the person removed the app".into() });
            }
            return Ok(Address { channel: self.channel.clone(), room, thread: None });
        }
        let person = self.references.person(user.as_str()).await.map_err(shelf)?;
        let bot = format!("28:{}", self.api.config.app_id);
        let body = json!({
            "isGroup": false,
            "bot": { "id": bot },
            "members": [{ "id": person }],
            "tenantId": self.api.config.tenant,
            "channelData": { "tenant": { "id": self.api.config.tenant } },
        });
        let anywhere = Address::room(&self.channel, "");
        let url = self.conversations(&anywhere, &[]).await?;
        let answer = self.api.call(Method::POST, url, Some(&body)).await?;
        let id = answer.get("id").and_then(Value::as_str).and_then(|id| ids::address(&self.channel, id));
        id.ok_or_else(|| SendError::Ambiguous { why: "the answer names no conversation".into() })
    }

    pub(crate) async fn typing(&self, at: &Address) -> Result<(), SendError> {
        let conversation = ids::conversation(at);
        let url = self.conversations(at, &[&conversation, "activities"]).await?;
        self.api.call(Method::POST, url, Some(&json!({ "type": "typing" }))).await?;
        Ok(())
    }

    pub(crate) async fn fetch(&self, file: &RemoteFileId) -> Result<ByteStream, SendError> {
        let (url, service) = match ids::file(file)? {
            FilePlace::Service(url) => (url, true),
            FilePlace::Direct(url) => (url, false),
        };
        let url = Url::parse(url).map_err(|_| SendError::rejected("the file has no address"))?;
        if !service && !self.holds_files(&url) {
            return Err(SendError::rejected("the file is not at an address of SharePoint"));
        }
        self.api.download(&url, service).await
    }

    /// Where people's files are in Microsoft 365; nothing else is asked for by order of a message.
    fn holds_files(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let known = [".sharepoint.com", ".sharepoint.us", ".sharepoint-mil.us", ".onedrive.com"];
        let cloud = url.scheme() == "https" && known.iter().any(|domain| host.ends_with(domain));
        cloud || self.api.config.trusts(url)
    }
}

async fn picture(file: &OutboundFile) -> Result<Value, SendError> {
    let mut bytes = Vec::new();
    let mut stream = (file.open)().await?;
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk?);
        if bytes.len() as u64 > MAX_INLINE {
            return Err(SendError::rejected("the picture is larger than it was said to be"));
        }
    }
    let mime = if file.mime.starts_with("image/") { file.mime.as_str() } else { "image/png" };
    let url = format!("data:{mime};base64,{}", STANDARD.encode(&bytes));
    Ok(json!({ "contentType": mime, "contentUrl": url, "name": file.name }))
}

fn message(text: String) -> Value {
    json!({ "type": "message", "textFormat": "xml", "text": text })
}

/// A message: text, files by link, buttons or card, and the people of ours who are called.
pub(crate) fn activity(
    content: &Content,
    links: &[(String, Option<Url>)],
    persona: Option<&Persona>,
    mut attachments: Vec<Value>,
) -> Value {
    if let Some(card) = &content.card {
        let mut made = message(String::new());
        made["summary"] = json!(cards::cut(&format!("{} · {}", card.reference, card.status), MAX_SUMMARY));
        let extras = cards::Extras { viewers: &[], line: None, may_write: true };
        made["attachments"] = json!([cards::conversation(card, &content.actions, &extras)]);
        return made;
    }
    let mut html = String::new();
    if let Some(persona) = persona {
        let name = persona.name.split_whitespace().collect::<Vec<_>>().join(" ");
        let name = if persona.assistant { "✨ AI".to_owned() } else { name };
        html.push_str(&format!("<p><b>{}:</b></p>", markup::escape(&name)));
    }
    html.push_str(&markup::to_html(&content.text));
    for (name, url) in links {
        let name = markup::escape(name);
        html.push_str(&match url {
            Some(url) => format!("<p>📎 <a href=\"{}\">{name}</a></p>", markup::escape(url.as_str())),
            None => format!("<p>📎 {name}</p>"),
        });
    }
    let entities = call(&mut html, &content.mentions);
    if !content.actions.is_empty() {
        attachments.push(cards::buttons(&content.actions));
    }
    let mut made = message(html);
    if !entities.is_empty() {
        made["entities"] = json!(entities);
    }
    if !attachments.is_empty() {
        made["attachments"] = json!(attachments);
    }
    made
}

/// Only notices of our own call anybody: relayed text has no entities, whatever it looks like (C13).
fn call(html: &mut String, mentions: &[Mention]) -> Vec<Value> {
    let mut entities = Vec::new();
    for mention in mentions {
        let Some(user) = &mention.user else { continue };
        let name = mention.name.split_whitespace().collect::<Vec<_>>().join(" ");
        let tag = format!("<at>{}</at>", markup::escape(&name));
        html.push_str(&format!("<p>🔔 {tag}</p>"));
        entities.push(json!({
            "type": "mention", "text": tag, "mentioned": { "id": user.as_str(), "name": name },
        }));
    }
    entities
}

fn sized_ref(activity: &Value) -> Result<(), SendError> {
    let units = activity.to_string().encode_utf16().count();
    if units * 2 <= MAX_PAYLOAD {
        return Ok(());
    }
    Err(SendError::Rejected { why: "longer than Teams takes".into(), fixable: true })
}

fn sized(activity: Value) -> Result<Value, SendError> {
    sized_ref(&activity).map(|()| activity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_all_that_was_given() {
        let content = Content {
            text: "see **this**".into(),
            actions: vec![Action::new("a:b", "Yes")],
            mentions: vec![Mention { who: "ana".into(), name: "Ana <b>".into(), user: Some("29:1".into()) }],
            ..Content::default()
        };
        let persona = Persona { name: "Bob <i>".into(), assistant: false, picture: None };
        let link = Url::parse("https://desk.example.org/file?b=1&n=2").unwrap();
        let made = activity(&content, &[("a<b.txt".into(), Some(link))], Some(&persona), Vec::new());
        let html = made["text"].as_str().unwrap();
        assert_eq!(
            html,
            "<p><b>Bob &lt;i&gt;:</b></p><p>see <b>this</b></p><p>📎 <a href=\"https://desk.example.org/file?b=1&amp;n=2\">\
             a&lt;b.txt</a></p><p>🔔 <at>Ana &lt;b&gt;</at></p>"
        );
        assert_eq!(made["entities"][0]["mentioned"]["id"], "29:1");
        assert!(html.contains(made["entities"][0]["text"].as_str().unwrap()));
        assert_eq!(made["attachments"][0]["contentType"], cards::CONTENT_TYPE);
    }

    /// S39: what looks like a mention is none.
    #[test]
    fn relayed_text_calls_nobody() {
        let made = activity(&Content::text("<at>Ana</at> @everyone"), &[], None, Vec::new());
        assert!(made.get("entities").is_none());
        assert!(!made["text"].as_str().unwrap().contains("<at>"));
    }

    /// The limit of 100 KB holds for the worst text of the declared length.
    #[test]
    fn the_longest_text_fits() {
        for letter in ["&", "<", "😀", "\\", "\u{2028}"] {
            let units = letter.encode_utf16().count();
            let made =
                activity(&Content::text(letter.repeat(markup::MAX_TEXT / units)), &[], None, Vec::new());
            assert!(sized_ref(&made).is_ok(), "{letter}");
        }
        assert!(sized_ref(&message("x".repeat(MAX_PAYLOAD / 2))).is_err());
    }
}
