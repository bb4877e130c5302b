//! What a flow is given to post: one Adaptive Card in a message, within the size that a flow takes. Pure.
//!
//! Not here: posting it (`flow.rs`). Text of people is in `RichTextBlock`s, in which nothing is Markdown (C13).

use deskbridge_contract::{Card, Content, Persona};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use crate::cards;

/// "Whole message ≈ 28 KB": measured as UTF-8 JSON, and cut well before (platform-contracts §2.2).
pub(crate) const MAX_MESSAGE: usize = 24 << 10;

/// Of whom and what a thread is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct About {
    pub name: String,
    pub reference: String,
}

/// A card that is not cut yet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Notice(Vec<Value>);

/// A conversation as it stands now.
pub(crate) fn card(card: &Card) -> Notice {
    Notice(cards::body(card))
}

/// Words to the requester that come after the response.
pub(crate) fn words(
    about: Option<&About>,
    content: &Content,
    links: &[(String, Option<Url>)],
    persona: Option<&Persona>,
) -> Notice {
    let to = about.map(|about| format!("{} · {}", about.reference, cards::one_line(&about.name)));
    said(to.as_deref(), content, links, persona)
}

/// Words, under a line that says what they are about.
pub(crate) fn said(
    about: Option<&str>,
    content: &Content,
    links: &[(String, Option<Url>)],
    persona: Option<&Persona>,
) -> Notice {
    let mut body = Vec::new();
    if let Some(about) = about {
        body.push(cards::subtle(about));
    }
    if let Some(persona) = persona {
        let name = if persona.assistant { "✨ AI".to_owned() } else { cards::one_line(&persona.name) };
        body.push(cards::bold(&name));
    }
    body.extend(cards::rich(&content.text));
    body.extend(links.iter().map(|(name, url)| cards::link(&format!("📎 {name}"), url.as_ref())));
    if body.is_empty() {
        body.push(cards::subtle("(nothing)"));
    }
    Notice(body)
}

impl Notice {
    /// The request's body. What does not fit is left out, and where it goes on is said.
    pub(crate) fn message(&self, more: Option<&Url>) -> Value {
        let whole = message(&self.0);
        if size(&whole) <= MAX_MESSAGE {
            return whole;
        }
        let mut body = self.0.clone();
        let more = cards::link(
            "… continued in the console",
            more.and_then(|url| url.join("/console/").ok()).as_ref(),
        );
        loop {
            // The last block goes; the very last one is shortened until it fits.
            if body.len() > 1 {
                body.pop();
            } else if !body.first_mut().is_some_and(cards::halve) {
                body.clear();
            }
            let cut = message(&[body.as_slice(), std::slice::from_ref(&more)].concat());
            if size(&cut) <= MAX_MESSAGE || body.is_empty() {
                return cut;
            }
        }
    }
}

fn size(message: &Value) -> usize {
    message.to_string().len()
}

fn message(body: &[Value]) -> Value {
    json!({ "type": "message", "attachments": [{
        "contentType": cards::CONTENT_TYPE,
        "contentUrl": null,
        "content": {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            // The version that the page of Workflows shows; nothing newer is used.
            "version": "1.4",
            "msteams": { "width": "Full" },
            "body": body,
        },
    }] })
}

#[cfg(test)]
mod tests {
    use deskbridge_contract::{CardState, Fact};

    use super::*;

    #[test]
    fn a_notice_says_what_it_is_about() {
        let about = About { name: "Ana\n<b>".into(), reference: "#7".into() };
        let persona = Persona { name: "Bob".into(), assistant: false, picture: None };
        let link = Url::parse("https://desk.example.org/hooks/teams/file?b=1").unwrap();
        let content = Content::text("try **this** [x](https://example.org)");
        let made =
            words(Some(&about), &content, &[("a.pdf".into(), Some(link))], Some(&persona)).message(None);
        let text = made.to_string();
        for part in ["#7 · Ana <b>", "\"Bob\"", "\"this\"", "📎 a.pdf", "hooks/teams/file"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    /// T49: whatever comes is within 24 KB, and says that there is more.
    #[test]
    fn t49_the_largest_notice_is_cut() {
        let long = "😀 \\ \" ".repeat(4000);
        let large = Card {
            reference: "#1042".into(),
            title: long.clone(),
            state: CardState::Waiting,
            status: long.clone(),
            requester: long.clone(),
            facts: (0..40).map(|_| Fact { label: long.clone(), value: long.clone() }).collect(),
            summary: long.clone(),
            hint: long.clone(),
        };
        let portal = Url::parse("https://desk.example.org").unwrap();
        let one = words(None, &Content::text("**a** b ".repeat(500)), &[], None);
        assert_eq!(one.0.len(), 1);
        for notice in [card(&large), one] {
            let made = notice.message(Some(&portal));
            assert!(size(&made) <= MAX_MESSAGE, "{}", size(&made));
            assert!(made.to_string().contains("continued in the console"));
            assert!(made.to_string().contains("https://desk.example.org/console/"));
        }
        let short = words(None, &Content::text("short"), &[], None).message(Some(&portal));
        assert!(!short.to_string().contains("continued"));
    }
}
