//! From a delivery to the operations that carry it out: one, or several where a message is longer than a room allows.
//!
//! Not here: sending them (`perform`), the words themselves (`render`).

use std::sync::Arc;

use deskbridge_contract::{
    Adapter, Attachment, AttachmentSource, Content, OutboundFile, OutboundOp, Persona, RemoteMessageId,
    ThreadStyle,
};
use deskbridge_conversation::{Audience, Conversation, Delivery, DeliveryOp, MessageId, Session, Stage, fit};
use deskbridge_store::StoreError;
use deskbridge_store::rows::MessageRow;

use super::{Bridge, render};

/// Characters that a speaker's prefix may add where a platform has no names of its own.
const PREFIX: usize = 80;

impl Bridge {
    /// Empty: nothing to show, or nothing shown yet that could be changed.
    pub async fn operations(
        &self,
        conversation: &Conversation,
        session: &Session,
        delivery: &Delivery,
        adapter: &Arc<dyn Adapter>,
    ) -> Result<Vec<OutboundOp>, StoreError> {
        let room = &session.address;
        Ok(match &delivery.op {
            DeliveryOp::Post { message } => self.post(conversation, session, adapter, *message).await?,
            DeliveryOp::Edit { message } => self.edit(conversation, session, adapter, *message).await?,
            DeliveryOp::Delete { message } => {
                if let Some(parts) = self.joint(conversation, session, *message).await?
                    && self.joint_words(conversation, session, &parts).await?.is_some()
                {
                    return self.edit(conversation, session, adapter, *message).await;
                }
                let links = self.links(conversation, session, Some(*message)).await?;
                links.into_values().map(|message| OutboundOp::Delete { message }).collect()
            }
            DeliveryOp::React { message, emoji, on } => {
                let first = self.first_link(conversation, session, *message).await?;
                first
                    .map(|message| OutboundOp::React { message, emoji: emoji.clone(), on: *on })
                    .into_iter()
                    .collect()
            }
            DeliveryOp::Mark { message, mark } => {
                let first = self.first_link(conversation, session, *message).await?;
                first.map(|message| OutboundOp::Mark { message, mark: *mark }).into_iter().collect()
            }
            DeliveryOp::OpenThread => {
                let (card, actions) = self.card(conversation, room).await?;
                vec![OutboundOp::OpenThread { title: self.title(conversation, room).await?, card, actions }]
            }
            DeliveryOp::Card => vec![self.card_operation(conversation, session, adapter).await?],
            // As it is now: a later change may have found this one still queued.
            DeliveryOp::Thread { .. } => {
                let closed = matches!(conversation.stage, Stage::Closed(_));
                vec![OutboundOp::SetThread { title: self.title(conversation, room).await?, closed }]
            }
            DeliveryOp::Transcript { from, to } => {
                match self.transcript(conversation, room, *from, *to).await? {
                    Some(content) => self.parts(adapter, session, content, None, None).await,
                    None => Vec::new(),
                }
            }
            DeliveryOp::Whisper { to, message, interaction } => match self.stored(*message).await? {
                Some(row) => vec![OutboundOp::Whisper {
                    to: to.clone(),
                    content: row.content.clone(),
                    interaction: interaction.clone(),
                }],
                None => Vec::new(),
            },
        })
    }

    async fn post(
        &self,
        conversation: &Conversation,
        session: &Session,
        adapter: &Arc<dyn Adapter>,
        id: MessageId,
    ) -> Result<Vec<OutboundOp>, StoreError> {
        let Some(row) = self.stored(id).await?.filter(|row| !row.deleted) else { return Ok(Vec::new()) };
        if !may_see(session, &row) {
            return Ok(Vec::new());
        }
        let row: Arc<MessageRow> = self.with_files(conversation, row).await?;
        let policy = self.policy.current();
        let written = self.written_in(conversation, session, &row).await?;
        let shown = render::message(conversation, &policy.policy, session, &row, written.as_ref());
        let reply_to = match shown.reply_to {
            Some(target) => self.first_link(conversation, session, target).await?,
            None => None,
        };
        if shown.content.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.parts(adapter, session, shown.content, shown.persona, reply_to).await)
    }

    /// Splits what is too long into numbered parts; only the first part answers, and only the first part names people.
    pub(super) async fn parts(
        &self,
        adapter: &Arc<dyn Adapter>,
        session: &Session,
        content: Content,
        persona: Option<Persona>,
        reply_to: Option<RemoteMessageId>,
    ) -> Vec<OutboundOp> {
        number(self.pieces(adapter, session, content, persona, reply_to))
    }

    /// As [`Bridge::parts`], without numbers.
    fn pieces(
        &self,
        adapter: &Arc<dyn Adapter>,
        session: &Session,
        content: Content,
        persona: Option<Persona>,
        reply_to: Option<RemoteMessageId>,
    ) -> Vec<OutboundOp> {
        let mut capabilities = adapter.capabilities(&session.address).clone();
        if persona.is_some() {
            capabilities.max_text = capabilities.max_text.saturating_sub(PREFIX).max(PREFIX);
            capabilities.max_caption = capabilities.max_caption.saturating_sub(PREFIX);
        }
        let mentions = content.mentions.clone();
        let mut content = content;
        name_too_large(&mut content, capabilities.max_upload_bytes);
        let mut operations = Vec::new();
        for (n, mut part) in fit::fit_numbered(&content, &capabilities).into_iter().enumerate() {
            part.mentions = if n == 0 { mentions.clone() } else { Vec::new() };
            let files = self.files(&part);
            operations.push(OutboundOp::Post {
                content: part,
                files,
                persona: persona.clone(),
                reply_to: if n == 0 { reply_to.clone() } else { None },
            });
        }
        operations
    }

    /// The attachments as files that can be opened.
    fn files(&self, part: &Content) -> Vec<OutboundFile> {
        let mut files = Vec::new();
        for attachment in &part.attachments {
            let AttachmentSource::Blob { id, sha256 } = &attachment.source else { continue };
            let (blobs, blob) = (self.blobs.clone(), id.0.clone());
            files.push(OutboundFile {
                blob: id.clone(),
                name: file_name(&attachment.name),
                mime: attachment.mime.clone(),
                size: attachment.size,
                sha256: sha256.clone(),
                kind: attachment.kind,
                open: Arc::new(move || {
                    let (blobs, blob) = (blobs.clone(), blob.clone());
                    Box::pin(async move {
                        let missing = |error: deskbridge_services::blobs::BlobError| {
                            deskbridge_contract::SendError::rejected(format!(
                                "the file cannot be read: {error}"
                            ))
                        };
                        blobs.get(&blob).await.map_err(missing)
                    })
                }),
            });
        }
        files
    }

    /// The new words in the place of the old; a text that grew beyond its parts is cut rather than posted anew (T7).
    async fn edit(
        &self,
        conversation: &Conversation,
        session: &Session,
        adapter: &Arc<dyn Adapter>,
        id: MessageId,
    ) -> Result<Vec<OutboundOp>, StoreError> {
        let links = self.links(conversation, session, Some(id)).await?;
        if links.is_empty() {
            return Ok(Vec::new());
        }
        let (content, persona, files) = match id.covers() {
            Some((from, to)) => {
                let said = self.transcript(conversation, &session.address, from, to).await?;
                (said.unwrap_or_else(|| Content::text("📜 _Everything here was deleted._")), None, Vec::new())
            }
            None => match self.words_now(conversation, session, id).await? {
                Some(words) => words,
                None => return Ok(Vec::new()),
            },
        };
        let longest = adapter.capabilities(&session.address).max_caption;
        let beside = content.text.encode_utf16().count() <= longest;
        let pieces = self.pieces(adapter, session, content, persona, None);
        let mut operations = number(in_place_of(links, pieces));
        if !files.is_empty() {
            // What there is more of than text are the files.
            operations.retain(|operation| matches!(operation, OutboundOp::Edit { .. }));
        }
        // For platforms where a file is a part of the words, which an edit would take away with them (T7).
        if let (Some(OutboundOp::Edit { content, .. }), true) = (operations.first_mut(), beside) {
            content.attachments = files;
        }
        Ok(operations)
    }

    /// What the post of a message shows now, whose it is, and the files beside it.
    async fn words_now(
        &self,
        conversation: &Conversation,
        session: &Session,
        id: MessageId,
    ) -> Result<Option<(Content, Option<Persona>, Vec<Attachment>)>, StoreError> {
        if let Some(parts) = self.joint(conversation, session, id).await? {
            let words = self.joint_words(conversation, session, &parts).await?;
            return Ok(words.map(|(content, persona)| (content, persona, Vec::new())));
        }
        let Some(row) = self.stored(id).await?.filter(|row| may_see(session, row)) else { return Ok(None) };
        let policy = self.policy.current();
        let written = self.written_in(conversation, session, &row).await?;
        let mut shown = render::message(conversation, &policy.policy, session, &row, written.as_ref());
        let files = std::mem::take(&mut shown.content.attachments);
        Ok(Some((shown.content, shown.persona, files)))
    }

    async fn card_operation(
        &self,
        conversation: &Conversation,
        session: &Session,
        adapter: &Arc<dyn Adapter>,
    ) -> Result<OutboundOp, StoreError> {
        let (card, actions) = self.card(conversation, &session.address).await?;
        let mut content = Content::default().with_actions(actions);
        content.card = Some(Box::new(card));
        let mut known = self.links(conversation, session, None).await?.into_values().next();
        if known.is_none() && adapter.capabilities(&session.address).threads == ThreadStyle::RootIsCard {
            // The root of the thread is the card.
            known = session.address.thread.as_ref().map(|thread| RemoteMessageId(thread.0.clone()));
        }
        Ok(match known {
            Some(message) => OutboundOp::Edit { message, content, persona: None },
            None => OutboundOp::Post { content, files: Vec::new(), persona: None, reply_to: None },
        })
    }

    async fn first_link(
        &self,
        conversation: &Conversation,
        session: &Session,
        message: MessageId,
    ) -> Result<Option<RemoteMessageId>, StoreError> {
        Ok(self.links(conversation, session, Some(message)).await?.into_values().next())
    }
}

/// Texts that belong together say which of how many they are.
fn number(mut operations: Vec<OutboundOp>) -> Vec<OutboundOp> {
    let mut texts: Vec<&mut String> = Vec::new();
    for operation in &mut operations {
        if let OutboundOp::Post { content, .. } | OutboundOp::Edit { content, .. } = operation
            && !content.text.is_empty()
        {
            texts.push(&mut content.text);
        }
    }
    let of = texts.len();
    if of > 1 {
        for (nth, text) in (1..).zip(texts) {
            *text = fit::numbered(text, nth, of);
        }
    }
    operations
}

/// New parts in the place of the old; what there are too many of is cut, or deleted.
fn in_place_of(links: render::Links, parts: Vec<OutboundOp>) -> Vec<OutboundOp> {
    let (last, cut) = (links.len().saturating_sub(1), parts.len() > links.len());
    let mut parts = parts.into_iter();
    let mut operations = Vec::new();
    for (n, message) in links.into_values().enumerate() {
        match parts.next() {
            Some(OutboundOp::Post { mut content, persona, .. }) => {
                if cut && n == last {
                    let length = content.text.chars().count();
                    content.text = render::cut(&content.text, length.saturating_sub(2));
                }
                operations.push(OutboundOp::Edit { message, content, persona });
            }
            Some(_) => {}
            None => operations.push(OutboundOp::Delete { message }),
        }
    }
    operations
}

/// The last door of the airlock: internal words do not leave, whatever led here.
pub(super) fn may_see(session: &Session, row: &MessageRow) -> bool {
    match row.audience {
        Audience::Public | Audience::Requester => true,
        Audience::Internal | Audience::Private => !render::is_requester(session),
    }
}

/// A file that is too large for the platform is named in the text instead.
fn name_too_large(content: &mut Content, max: u64) {
    let text = &mut content.text;
    content.attachments.retain(|attachment| {
        let fits = attachment.size <= max;
        if !fits {
            let name = deskbridge_conversation::notices::plain(&file_name(&attachment.name));
            text.push_str(&format!(
                "\n\n📎 {name} — too large for this channel ({} MB)",
                attachment.size >> 20
            ));
        }
        fits
    });
}

/// The sender's file name without what could mislead: no path, no controls, a bounded length that keeps the ending (S89).
pub(super) fn file_name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|c| !c.is_control() && !is_bidi(*c)).collect();
    let clean = clean.trim().trim_start_matches('.');
    let (stem, ending) = match clean.rsplit_once('.') {
        Some((stem, ending)) if ending.chars().count() <= 10 => (stem, format!(".{ending}")),
        _ => (clean, String::new()),
    };
    let stem: String = stem.chars().take(100).collect();
    if stem.is_empty() { format!("file{ending}") } else { format!("{stem}{ending}") }
}

/// Characters that turn the reading direction, so that `exe.gpj` would read as `jpg.exe`.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}')
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn s89_file_names_are_shown_without_what_misleads() {
        for (given, shown) in [
            ("../../etc/passwd", "passwd"),
            ("..\\..\\boot.ini", "boot.ini"),
            ("/abs/olute.txt", "olute.txt"),
            ("nul\u{0}l.txt", "null.txt"),
            ("photo\u{202e}gpj.exe", "photogpj.exe"),
            (".hidden", "hidden"),
            ("", "file"),
            (".", "file"),
        ] {
            assert_eq!(file_name(given), shown, "{given:?}");
        }
        let long = file_name(&format!("{}.pdf", "x".repeat(5_000)));
        assert!(long.chars().count() <= 110 && long.ends_with(".pdf"));
    }
}
