//! Which messages one post becomes on Telegram: texts, files with captions, albums. Pure.
//!
//! Not here: sending them.

use deskbridge_contract::{AttachmentKind, Content, Mention, OutboundFile, Persona, SendError};
use teloxide_core::types::{InlineKeyboardMarkup, MessageEntityKind as Kind, User, UserId};

use crate::cards;
use crate::ids;
use crate::markup::{self, Draft, Formatted, MAX_CAPTION, MAX_TEXT};

/// "sendDocument": 50 MB by the public server.
pub(crate) const MAX_UPLOAD: u64 = 50 << 20;
/// "sendPhoto": 10 MB; larger pictures go as documents.
const MAX_PHOTO: u64 = 10 << 20;
/// "sendMediaGroup": 2 to 10 files.
const MAX_ALBUM: usize = 10;

/// How a file is sent: the method and the name of its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileForm {
    Photo,
    Video,
    Audio,
    Document,
}

impl FileForm {
    pub(crate) fn of(file: &OutboundFile) -> FileForm {
        match (file.kind, file.mime.as_str()) {
            (AttachmentKind::Image, "image/jpeg" | "image/png" | "image/webp") if file.size <= MAX_PHOTO => {
                FileForm::Photo
            }
            (AttachmentKind::Video, "video/mp4") => FileForm::Video,
            (AttachmentKind::Audio, "audio/mpeg" | "audio/mp4" | "audio/x-m4a") => FileForm::Audio,
            _ => FileForm::Document,
        }
    }

    pub(crate) fn method(self) -> &'static str {
        match self {
            FileForm::Photo => "SendPhoto",
            FileForm::Video => "SendVideo",
            FileForm::Audio => "SendAudio",
            FileForm::Document => "SendDocument",
        }
    }

    pub(crate) fn field(self) -> &'static str {
        match self {
            FileForm::Photo => "photo",
            FileForm::Video => "video",
            FileForm::Audio => "audio",
            FileForm::Document => "document",
        }
    }

    /// Photos and videos may share an album; documents and audio only with their own kind.
    fn shares(self, other: FileForm) -> bool {
        let visual = |form| matches!(form, FileForm::Photo | FileForm::Video);
        self == other || (visual(self) && visual(other))
    }
}

/// One call that posts something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Text { text: Formatted, keyboard: Option<InlineKeyboardMarkup> },
    File { file: usize, form: FileForm, caption: Formatted, keyboard: Option<InlineKeyboardMarkup> },
    Album { items: Vec<(usize, FileForm)>, caption: Formatted },
}

/// The text of a post or an edit. A card stands for itself; whatever text comes beside it is its fallback elsewhere.
/// Words under a persona are somebody's: in a desk's `group` they must not be commands. Our own notices may offer some.
pub(crate) fn text(content: &Content, persona: Option<&Persona>, group: bool) -> Formatted {
    if let Some(card) = &content.card {
        return calling(cards::card(card), &content.mentions);
    }
    let text = markup::from_commonmark(&content.text);
    let Some(persona) = persona else { return calling(text, &content.mentions) };
    let mut draft = Draft::default();
    let name = persona.name.split_whitespace().collect::<Vec<_>>().join(" ");
    draft.styled(Kind::Bold, &if persona.assistant { "✨ AI:".to_owned() } else { format!("{name}:") });
    if !text.is_empty() {
        // A quote or a code block must not begin beside the name.
        let block = |kind: &Kind| matches!(kind, Kind::Blockquote | Kind::Pre { .. });
        let starts_block = text.entities.iter().any(|entity| entity.offset == 0 && block(&entity.kind));
        draft.push(if starts_block { "\n" } else { " " });
        draft.append(&text);
    }
    let text = draft.finish();
    if group { text.without_commands() } else { text }
}

/// Makes the names of people who are called notify them; a name that is not in the text is added. Only notices of our
/// own call anybody, and only they come without a persona (C13).
fn calling(text: Formatted, mentions: &[Mention]) -> Formatted {
    let mut draft = Draft::default();
    draft.append(&text);
    for mention in mentions {
        let Some(user) = mention.user.as_ref().and_then(|user| ids::private_chat(user).ok()) else {
            continue;
        };
        let name = mention.name.split_whitespace().collect::<Vec<_>>().join(" ");
        let user = User {
            id: UserId(user.0.unsigned_abs()),
            is_bot: false,
            first_name: name.clone(),
            last_name: None,
            username: None,
            language_code: None,
            is_premium: false,
            added_to_attachment_menu: false,
        };
        draft.call(&name, Kind::TextMention { user });
    }
    draft.finish()
}

pub(crate) fn parts(
    content: &Content,
    files: &[OutboundFile],
    persona: Option<&Persona>,
    group: bool,
) -> Result<Vec<Part>, SendError> {
    let text = text(content, persona, group);
    let keyboard = cards::keyboard(&content.actions)?;
    if let Some(file) = files.iter().find(|file| file.size > MAX_UPLOAD) {
        let megabytes = file.size >> 20;
        return Err(SendError::rejected(format!("a file of {megabytes} MB; Telegram takes 50 MB")));
    }
    if files.is_empty() {
        return match (text.is_empty(), &keyboard) {
            (false, _) => Ok(texts(text, keyboard)),
            // Telegram has no message of buttons alone.
            (true, Some(_)) => Ok(texts(Formatted { text: "👇".into(), entities: Vec::new() }, keyboard)),
            (true, None) => Err(SendError::rejected("nothing to send")),
        };
    }
    // An album has no buttons: with nothing else to carry them, the files go one by one.
    let alone = keyboard.is_some() && text.is_empty();
    let groups = albums(files, alone);
    let caption = text.length() <= MAX_CAPTION && (keyboard.is_none() || groups[0].len() == 1);
    let mut parts = if caption { Vec::new() } else { texts(text.clone(), keyboard.clone()) };
    let mut captions = caption.then_some(text).into_iter();
    let mut keyboards = if caption { keyboard } else { None };
    let last = groups.len() - 1;
    for (nth, items) in groups.into_iter().enumerate() {
        let caption = captions.next().unwrap_or_default();
        if let [(file, form)] = items[..] {
            let keyboard = if !alone || nth == last { keyboards.take() } else { None };
            parts.push(Part::File { file, form, caption, keyboard });
        } else {
            parts.push(Part::Album { items, caption });
        }
    }
    Ok(parts)
}

fn texts(text: Formatted, keyboard: Option<InlineKeyboardMarkup>) -> Vec<Part> {
    let mut parts: Vec<Part> =
        text.split(MAX_TEXT).into_iter().map(|text| Part::Text { text, keyboard: None }).collect();
    if let Some(Part::Text { keyboard: last, .. }) = parts.last_mut() {
        *last = keyboard;
    }
    parts
}

/// Neighbours that may share an album, in the order of the files.
fn albums(files: &[OutboundFile], alone: bool) -> Vec<Vec<(usize, FileForm)>> {
    let mut groups: Vec<Vec<(usize, FileForm)>> = Vec::new();
    for (at, file) in files.iter().enumerate() {
        let form = FileForm::of(file);
        match groups.last_mut() {
            Some(group) if !alone && group.len() < MAX_ALBUM && group[0].1.shares(form) => {
                group.push((at, form))
            }
            _ => groups.push(vec![(at, form)]),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use deskbridge_contract::{Action, BlobId};
    use std::sync::Arc;

    fn file(kind: AttachmentKind, mime: &str, size: u64) -> OutboundFile {
        OutboundFile {
            blob: BlobId::new("b"),
            name: "n".into(),
            mime: mime.into(),
            size,
            sha256: String::new(),
            kind,
            open: Arc::new(|| Box::pin(async { Err(SendError::rejected("not opened here")) })),
        }
    }

    fn shape(content: &Content, files: &[OutboundFile]) -> Vec<String> {
        let one = |part: Part| match part {
            Part::Text { text, keyboard } => {
                format!("text {}{}", text.length(), if keyboard.is_some() { " +k" } else { "" })
            }
            Part::File { file, form, caption, keyboard } => {
                let buttons = if keyboard.is_some() { " +k" } else { "" };
                format!("{} {file} caption {}{buttons}", form.field(), caption.length())
            }
            Part::Album { items, caption } => {
                format!("album of {} caption {}", items.len(), caption.length())
            }
        };
        parts(content, files, None, false).unwrap().into_iter().map(one).collect()
    }

    #[test]
    fn plans() {
        let jpeg = file(AttachmentKind::Image, "image/jpeg", 1000);
        let pdf = file(AttachmentKind::File, "application/pdf", 1000);
        let mp4 = file(AttachmentKind::Video, "video/mp4", 1000);
        let hello = Content::text("hello");
        let long = Content::text("x".repeat(2000));
        let buttons = Content::text("hello").with_actions(vec![Action::new("a", "b")]);
        let only_buttons = Content::default().with_actions(vec![Action::new("a", "b")]);
        let jpeg_and = |other: &OutboundFile| vec![jpeg.clone(), other.clone()];
        assert_eq!(shape(&hello, &[]), ["text 5"]);
        assert_eq!(shape(&only_buttons, &[]), ["text 2 +k"]);
        assert_eq!(shape(&hello, std::slice::from_ref(&jpeg)), ["photo 0 caption 5"]);
        assert_eq!(shape(&long, std::slice::from_ref(&pdf)), ["text 2000", "document 0 caption 0"]);
        assert_eq!(shape(&buttons, std::slice::from_ref(&pdf)), ["document 0 caption 5 +k"]);
        assert_eq!(shape(&hello, &jpeg_and(&mp4)), ["album of 2 caption 5"]);
        assert_eq!(shape(&buttons, &jpeg_and(&mp4)), ["text 5 +k", "album of 2 caption 0"]);
        assert_eq!(shape(&only_buttons, &jpeg_and(&mp4)), ["photo 0 caption 0", "video 1 caption 0 +k"]);
        assert_eq!(shape(&hello, &jpeg_and(&pdf)), ["photo 0 caption 5", "document 1 caption 0"]);
        assert_eq!(shape(&hello, &vec![pdf.clone(); 12]), ["album of 10 caption 5", "album of 2 caption 0"]);
        assert_eq!(shape(&Content::text("x".repeat(5000)), &[]), ["text 4096", "text 904"]);
    }

    #[test]
    fn forms_of_files() {
        use AttachmentKind::{Audio, File, Image, Video};
        let form = |kind, mime, size| FileForm::of(&file(kind, mime, size));
        assert_eq!(form(Image, "image/png", MAX_PHOTO), FileForm::Photo);
        assert_eq!(form(Image, "image/png", MAX_PHOTO + 1), FileForm::Document);
        assert_eq!(form(Image, "image/svg+xml", 5), FileForm::Document);
        assert_eq!(form(Video, "video/mp4", 5), FileForm::Video);
        assert_eq!(form(Video, "video/webm", 5), FileForm::Document);
        assert_eq!(form(Audio, "audio/mpeg", 5), FileForm::Audio);
        assert_eq!(form(Audio, "audio/ogg", 5), FileForm::Document);
        assert_eq!(form(File, "image/png", 5), FileForm::Document);
    }

    #[test]
    fn refusals() {
        assert!(parts(&Content::default(), &[], None, false).is_err());
        let huge = file(AttachmentKind::File, "a/b", MAX_UPLOAD + 1);
        assert!(parts(&Content::text("x"), &[huge], None, false).is_err());
    }

    #[test]
    fn people_who_are_called() {
        let call = |who: &str, name: &str, user: Option<&str>| Mention {
            who: who.into(),
            name: name.into(),
            user: user.map(Into::into),
        };
        let mut notice = Content::text("🙂 **Ana** is offered this, `Ana`");
        notice.mentions =
            vec![call("ana", "Ana", Some("601")), call("bo", "Bo B", Some("602")), call("cem", "Cem", None)];
        let shown = text(&notice, None, true);
        assert_eq!(shown.text, "🙂 Ana is offered this, Ana\n🔔 Bo B");
        let called = shown.entities.iter().filter_map(|entity| match &entity.kind {
            Kind::TextMention { user } => Some((user.id.0, markup::covered(&shown, entity), entity.offset)),
            _ => None,
        });
        assert_eq!(called.collect::<Vec<_>>(), [(601, "Ana".to_owned(), 3), (602, "Bo B".to_owned(), 31)]);
        let relayed = Persona::person("Maria");
        let pings =
            |entity: &&teloxide_core::types::MessageEntity| matches!(entity.kind, Kind::TextMention { .. });
        assert_eq!(text(&notice, Some(&relayed), true).entities.iter().filter(pings).count(), 0);
    }

    #[test]
    fn personas() {
        let person = Persona::person("Maria\n@bob");
        assert_eq!(
            text(&Content::text("hi *there*"), Some(&person), true).text,
            "Maria @\u{2060}bob: hi there"
        );
        let assistant = Persona::assistant("IT");
        assert_eq!(text(&Content::text("> quoted"), Some(&assistant), true).text, "✨ AI:\nquoted");
        assert_eq!(text(&Content::default(), Some(&assistant), true).text, "✨ AI:");
        let command = Content::text("/resolve");
        assert_eq!(text(&command, Some(&person), true).text, "Maria @\u{2060}bob: /\u{2060}resolve");
        assert_eq!(text(&command, Some(&person), false).text, "Maria @\u{2060}bob: /resolve");
        assert_eq!(text(&command, None, true).text, "/resolve");
    }
}
