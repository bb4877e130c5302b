//! Which messages one post becomes on Discord, and the body of each. Pure.
//!
//! Not here: sending them; how text, cards and buttons look (`markup`, `cards.rs`).

use std::ops::Range;

use deskbridge_contract::{Content, OutboundFile, Persona, SendError};
use serde_json::{Map, Value, json};

use crate::forms::Form;
use crate::{cards, files, ids, markup};

/// "Create Message": longest text.
pub(crate) const MAX_TEXT: usize = 2000;

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    /// What it says: content, embeds, components, allowed mentions.
    pub body: Value,
    /// Which of the post's files are beside it.
    pub files: Range<usize>,
}

/// `voice`: set where the name of who speaks must stand in the text.
pub(crate) fn parts(
    content: &Content,
    files: &[OutboundFile],
    voice: Option<&Persona>,
    quoted: Option<&str>,
) -> Result<Vec<Part>, SendError> {
    if let Some(file) = files.iter().find(|file| file.size > files::MAX_UPLOAD) {
        let most = files::MAX_UPLOAD >> 20;
        return Err(SendError::rejected(format!(
            "a file of {} MB; Discord takes {most} MB",
            file.size >> 20
        )));
    }
    let mut texts = texts(content, voice, quoted);
    let groups = groups(files);
    let decorated = content.card.is_some() || !content.actions.is_empty();
    if texts.is_empty() && (decorated || groups.is_empty()) {
        if content.card.is_none() && (!decorated || groups.is_empty()) {
            return Err(SendError::rejected("nothing to send"));
        }
        texts.push(String::new());
    }
    let users = called(content);
    let last_text = texts.len().saturating_sub(1);
    let mut parts = Vec::new();
    for (nth, text) in texts.iter().enumerate() {
        let mut body = said(text, &users);
        if nth == last_text {
            decorate(&mut body, content)?;
        }
        parts.push(Part { body: Value::Object(body), files: 0..0 });
    }
    let mut groups = groups.into_iter();
    // The first files stand under the last words, where there is room for both.
    if let Some(last) = parts.last_mut()
        && let Some(first) = groups.next()
    {
        last.files = first;
    }
    parts.extend(groups.map(|files| Part { body: Value::Object(said("", &[])), files }));
    Ok(parts)
}

/// The one message that an edit leaves: what does not fit is cut.
pub(crate) fn single(content: &Content, voice: Option<&Persona>) -> Result<Value, SendError> {
    let texts = texts(content, voice, None);
    let text = match &texts[..] {
        [] => String::new(),
        [only] => only.clone(),
        [first, ..] => cards::cut(&format!("{first}…"), MAX_TEXT),
    };
    let mut body = said(&text, &called(content));
    body.insert("content".into(), text.into());
    decorate(&mut body, content)?;
    Ok(Value::Object(body))
}

fn texts(content: &Content, voice: Option<&Persona>, quoted: Option<&str>) -> Vec<String> {
    let mut text = markup::to_discord(&content.text);
    if let Some(persona) = voice.filter(|_| !text.is_empty()) {
        // A block at the front begins a line of its own.
        let block = text.starts_with(['>', '#', '-', '`']) || text.starts_with(|c: char| c.is_ascii_digit());
        let border = if block { "\n" } else { "" };
        text = format!(
            "{}{border}{text}",
            cards::prefix(persona).trim_end_matches(if block { ' ' } else { '\0' })
        );
    }
    let calls: Vec<String> = called(content).iter().map(|user| format!("<@{user}>")).collect();
    if !calls.is_empty() {
        text = format!("{} {text}", calls.join(" "));
    }
    if let Some(link) = quoted {
        text = format!("-# ↪ {link}\n{text}");
    }
    markup::split(&text, MAX_TEXT)
}

fn called(content: &Content) -> Vec<String> {
    let users = content.mentions.iter().filter_map(|mention| mention.user.as_ref());
    users.map(|user| user.to_string()).filter(|id| ids::is_snowflake(id)).take(20).collect()
}

fn said(text: &str, users: &[String]) -> Map<String, Value> {
    let mut body = Map::new();
    if !text.is_empty() {
        body.insert("content".into(), text.into());
    }
    let here: Vec<String> =
        users.iter().filter(|user| text.contains(&format!("<@{user}>"))).cloned().collect();
    body.insert("allowed_mentions".into(), cards::these(&here));
    body
}

fn decorate(body: &mut Map<String, Value>, content: &Content) -> Result<(), SendError> {
    let rows = match &content.card {
        Some(card) => {
            body.insert("embeds".into(), json!([cards::embed(card)]));
            cards::card_rows(&content.actions, &Form::ON_CARDS)?
        }
        None => cards::rows(&content.actions)?,
    };
    if !rows.is_empty() {
        body.insert("components".into(), Value::Array(rows));
    }
    Ok(())
}

/// Files of one message: at most ten, and within the size of a request.
fn groups(files: &[OutboundFile]) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut size = 0;
    for (nth, file) in files.iter().enumerate() {
        match groups.last_mut() {
            Some(group) if group.len() < files::MOST && size + file.size <= files::MAX_REQUEST => {
                group.end = nth + 1;
                size += file.size;
            }
            _ => {
                groups.push(nth..nth + 1);
                size = file.size;
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use deskbridge_contract::{Action, Mention};

    fn text(part: &Part) -> &str {
        part.body["content"].as_str().unwrap_or_default()
    }

    #[test]
    fn long_words_become_several_messages_and_buttons_stand_under_the_last() {
        let content = Content::text(format!("{}\n\n{}", "a".repeat(1500), "b".repeat(1500)))
            .with_actions(vec![Action::new("human", "Talk to a human")]);
        let parts = parts(&content, &[], None, None).unwrap();
        assert_eq!(parts.len(), 2);
        assert!(parts.iter().all(|part| text(part).chars().count() <= MAX_TEXT));
        assert!(parts[0].body.get("components").is_none() && parts[1].body.get("components").is_some());
        assert!(parts.iter().all(|part| part.body["allowed_mentions"]["parse"] == json!([])));
    }

    #[test]
    fn a_name_in_front() {
        let bob = Persona { name: "Bob *B*".into(), assistant: false };
        let said = parts(&Content::text("On my way"), &[], Some(&bob), None).unwrap();
        assert_eq!(text(&said[0]), "**Bob \\*B\\*:** On my way");
        let said = parts(&Content::text("> so"), &[], Some(&bob), None).unwrap();
        assert_eq!(text(&said[0]), "**Bob \\*B\\*:**\n> so");
    }

    #[test]
    fn only_our_own_people_are_called() {
        let mut content = Content::text("<@7> please look");
        content.mentions = vec![Mention { who: "bob".into(), name: "Bob".into(), user: Some("17".into()) }];
        let parts = parts(&content, &[], None, None).unwrap();
        assert!(text(&parts[0]).starts_with("<@17> <\u{2060}@7>"), "{}", text(&parts[0]));
        assert_eq!(parts[0].body["allowed_mentions"]["users"], json!(["17"]));
        assert_eq!(parts[0].body["allowed_mentions"]["parse"], json!([]));
    }

    #[test]
    fn nothing_is_refused() {
        assert!(parts(&Content::default(), &[], None, None).is_err());
        assert!(
            single(&Content::text("x".repeat(5000)), None).unwrap()["content"]
                .as_str()
                .unwrap()
                .chars()
                .count()
                <= MAX_TEXT
        );
    }
}
