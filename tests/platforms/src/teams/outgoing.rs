//! The outgoing webhook of a team: people call it in a channel, Teams asks the callback URL once, and shows its answer in
//! the thread ("Create Outgoing Webhooks").

use std::future::Future;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::{Value, json};

use super::world::{Message, World};
use super::{FakeTeams, Shared, page};

/// After so long the connection is closed, and the person reads that something went wrong.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is wrong with a request's signature. Everything else of it is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrongHmac {
    Missing,
    /// `Bearer` with the right signature.
    Bearer,
    /// `HMAC` and nothing.
    Empty,
    NotBase64,
    /// Over the token's letters instead of its bytes.
    KeyNotDecoded,
    OtherKey,
    CutShort,
    /// Of another body.
    OtherBody,
    /// Of the same JSON, written otherwise.
    Rewritten,
    /// In hexadecimal.
    Hex,
    /// The right one twice.
    Twice,
}

impl WrongHmac {
    pub const ALL: [WrongHmac; 11] = [
        WrongHmac::Missing,
        WrongHmac::Bearer,
        WrongHmac::Empty,
        WrongHmac::NotBase64,
        WrongHmac::KeyNotDecoded,
        WrongHmac::OtherKey,
        WrongHmac::CutShort,
        WrongHmac::OtherBody,
        WrongHmac::Rewritten,
        WrongHmac::Hex,
        WrongHmac::Twice,
    ];
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

fn sign(key: &[u8], body: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), body)
}

impl FakeTeams {
    fn security_key(&self) -> Vec<u8> {
        STANDARD.decode(&self.settings().security_token).unwrap_or_default()
    }

    /// A person calls the webhook in a thread: `@Help Desk text`. Without a recipient, as these come.
    pub fn call_webhook(&self, number: u32, conversation: &str, text: &str) -> Value {
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let more = json!({
            "text": format!("<at>Help Desk</at>&nbsp;{escaped}\n"), "textFormat": "plain", "recipient": null,
            "attachments": [{ "contentType": "text/html", "content": format!("<div><at>Help Desk</at>&nbsp;{escaped}</div>") }],
            "entities": [{ "type": "clientInfo", "locale": "en-GB", "country": "GB", "platform": "Web" }],
        });
        let activity = self.activity("message", number, conversation, &more);
        let id = activity["id"].as_str().unwrap_or_default().to_owned();
        let message = Message { id, own: false, activity: activity.clone(), deleted: false };
        self.change(|world| world.conversations.entry(conversation.to_owned()).or_default().push(message));
        activity
    }

    /// Asks the callback URL, once, and shows its answer in the thread.
    ///
    /// # Errors
    /// What the person reads instead of an answer.
    pub async fn ask(&self, hook: &str, activity: &Value) -> Result<Answer, String> {
        self.asking(hook, activity).await
    }

    /// The same as a future of its own.
    pub fn asking(
        &self,
        hook: &str,
        activity: &Value,
    ) -> impl Future<Output = Result<Answer, String>> + Send + use<> {
        let body = activity.to_string().into_bytes();
        self.asking_with(hook, activity, body)
    }

    /// The same with these bytes, signed as they are, for an activity that no JSON library would write.
    pub fn asking_with(
        &self,
        hook: &str,
        activity: &Value,
        body: Vec<u8>,
    ) -> impl Future<Output = Result<Answer, String>> + Send + use<> {
        let (shared, hook, activity) = (self.shared.clone(), hook.to_owned(), activity.clone());
        let header = format!("HMAC {}", STANDARD.encode(sign(&self.security_key(), &body)));
        async move {
            let answer = tokio::time::timeout(PATIENCE, post(&shared, &hook, body, &[header])).await;
            let answer = answer.map_err(|_| "Sorry, there was a problem: no answer within 5 s".to_owned())?;
            let answer = answer.map_err(|error| format!("Sorry, there was a problem: {error}"))?;
            if answer.status == 200 {
                show(&mut shared.world(), &activity, &answer.body);
            }
            Ok(answer)
        }
    }

    /// One request whose signature is wrong in this way; the status of the answer.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn forge_hmac(
        &self,
        hook: &str,
        activity: &Value,
        wrong: WrongHmac,
    ) -> Result<u16, reqwest::Error> {
        let body = activity.to_string().into_bytes();
        let key = self.security_key();
        let right = STANDARD.encode(sign(&key, &body));
        let letters = self.settings().security_token.clone();
        let headers = match wrong {
            WrongHmac::Missing => vec![],
            WrongHmac::Bearer => vec![format!("Bearer {right}")],
            WrongHmac::Empty => vec!["HMAC ".to_owned()],
            WrongHmac::NotBase64 => vec![format!("HMAC *{}", &right[1..])],
            WrongHmac::KeyNotDecoded => {
                vec![format!("HMAC {}", STANDARD.encode(sign(letters.as_bytes(), &body)))]
            }
            WrongHmac::OtherKey => vec![format!("HMAC {}", STANDARD.encode(sign(b"another", &body)))],
            WrongHmac::CutShort => {
                vec![format!("HMAC {}", STANDARD.encode(&sign(&key, &body).as_ref()[..16]))]
            }
            WrongHmac::OtherBody => vec![format!("HMAC {}", STANDARD.encode(sign(&key, b"{}")))],
            WrongHmac::Rewritten => {
                let other = format!("{activity:#}");
                vec![format!("HMAC {}", STANDARD.encode(sign(&key, other.as_bytes())))]
            }
            WrongHmac::Hex => vec![format!("HMAC {}", hex::encode(sign(&key, &body)))],
            WrongHmac::Twice => vec![format!("HMAC {right}"), format!("HMAC {right}")],
        };
        post(&self.shared, hook, body, &headers).await.map(|answer| answer.status)
    }
}

/// The answer as a message in the thread. "Only openUrl actions work."
fn show(world: &mut World, asked: &Value, answer: &Value) {
    let mut shown = answer.clone();
    if shown["textFormat"].is_null() {
        shown["textFormat"] = json!("plain");
    }
    let buttons = page::read(&shown).map(|page| page.buttons.len());
    if answer["type"] != "message" || buttons != Ok(0) {
        world.violations.push(format!("an answer was {answer}"));
    }
    let conversation = asked["conversation"]["id"].as_str().unwrap_or_default().to_owned();
    let message = Message { id: world.tick(), own: true, activity: shown, deleted: false };
    world.conversations.entry(conversation).or_default().push(message);
}

async fn post(
    shared: &Shared,
    hook: &str,
    body: Vec<u8>,
    headers: &[String],
) -> Result<Answer, reqwest::Error> {
    let answer = shared.post(hook, body, headers).await?;
    let status = answer.status().as_u16();
    let body = answer.text().await.unwrap_or_default();
    Ok(Answer { status, body: serde_json::from_str(&body).unwrap_or_default() })
}
