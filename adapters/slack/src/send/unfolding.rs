//! Links to conversations, unfolded in the rooms where technicians work.
//!
//! Not here: how an unfolded link looks (`blocks`). A card says whose matter it is: anywhere else a link stays a link.

use std::sync::Arc;

use deskbridge_contract::{Card, SendError};
use serde_json::{Map, Value};
use url::Url;

use super::Sending;
use crate::blocks;
use crate::config::Config;
use crate::ids;

/// Slack tells of several links in one message; the first ones are enough.
const MOST: usize = 5;

/// A message with links of ours in it.
struct Shared {
    channel: String,
    ts: String,
    unfurls: Map<String, Value>,
}

impl Sending {
    /// A "link_shared" event. Unfolding is comfort: it is not waited for, and a failure is only noted.
    pub(crate) fn unfold(self: &Arc<Self>, config: &Config, event: &Value) {
        let Some(shared) = self.shared(config, event) else { return };
        let sending = self.clone();
        tokio::spawn(async move {
            let done: Result<(), SendError> =
                sending.unfurl(&shared.channel, &shared.ts, shared.unfurls).await;
            if let Err(error) = done {
                tracing::debug!(channel = %sending.api.channel(), %error, "a link was not unfolded");
            }
        });
    }

    /// What is to be shown, where there is something; only of cards that this process has drawn.
    fn shared(&self, config: &Config, event: &Value) -> Option<Shared> {
        let public = config.public_url.as_ref()?;
        let channel = event["channel"].as_str().filter(|id| config.desks.iter().any(|desk| desk == id))?;
        // In the composer there is no message yet, and no room to look at.
        let ts = event["message_ts"].as_str().filter(|ts| ids::is_ts(ts))?;
        let links = event["links"].as_array()?.iter().filter_map(|link| link["url"].as_str());
        let unfurls: Map<String, Value> = links
            .take(MOST)
            .filter_map(|link| {
                let card = self.card_of(&reference(public, link)?)?;
                Some((link.to_owned(), blocks::unfurl(&card)))
            })
            .collect();
        let found = !unfurls.is_empty();
        found.then(|| Shared { channel: channel.to_owned(), ts: ts.to_owned(), unfurls })
    }

    fn card_of(&self, reference: &str) -> Option<Card> {
        let cards = self.cards.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        cards.iter().rev().find(|(_, card, _)| card.reference == reference).map(|(_, card, _)| card.clone())
    }
}

/// `https://desk.example/console/#1042` is `#1042`.
fn reference(public: &Url, link: &str) -> Option<String> {
    let link = Url::parse(link).ok()?;
    let console = format!("{}/console", public.path().trim_end_matches('/'));
    let ours = link.origin() == public.origin() && link.path().trim_end_matches('/') == console;
    let number = link.fragment().filter(|_| ours)?;
    let sound = (1..=19).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    sound.then(|| format!("#{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use deskbridge_contract::{CardState, OutboundOp, ThreadTitle};
    use serde_json::json;

    use crate::api::fake::{Fake, Reply, desk, out};

    #[test]
    fn links_of_ours() {
        let public = Url::parse("https://desk.example/x/").unwrap();
        assert_eq!(reference(&public, "https://desk.example/x/console/#1042").as_deref(), Some("#1042"));
        assert_eq!(reference(&public, "https://desk.example/x/console#7").as_deref(), Some("#7"));
        for other in [
            "https://desk.example/x/console/#welcome=secret",
            "https://desk.example/x/console/",
            "https://desk.example/console/#1042",
            "http://desk.example/x/console/#1042",
            "https://desk.example.evil/x/console/#1042",
            "not a link",
        ] {
            assert_eq!(reference(&public, other), None, "{other}");
        }
    }

    /// In a desk a link shows its card; elsewhere, and of what is not known, it stays a link.
    #[tokio::test]
    async fn unfolding() {
        let fake = Fake::saying(|| Reply::Yes(json!({ "ts": "1790000000.000001" }))).await;
        let keys = json!({ "public_url": "https://desk.example" });
        let config = fake.config(keys.clone()).with_desks(vec!["C024BE91L".into()]);
        let sending = fake.sending_with(keys);
        let card = Card {
            reference: "#1042".into(),
            title: "VPN".into(),
            state: CardState::Waiting,
            status: "Waiting".into(),
            requester: "Maria".into(),
            facts: Vec::new(),
            summary: String::new(),
            hint: String::new(),
        };
        let (reference, requester) = (card.reference.clone(), card.requester.clone());
        let title = ThreadTitle { state: CardState::Waiting, reference, requester, subject: "VPN".into() };
        sending
            .perform(&out(desk(), OutboundOp::OpenThread { title, card, actions: Vec::new() }))
            .await
            .unwrap();
        fake.forget();
        let event = |channel: &str, link: &str| {
            json!({ "type": "link_shared", "channel": channel, "message_ts": "1790000001.000100",
                "links": [{ "domain": "desk.example", "url": link }] })
        };
        let link = "https://desk.example/console/#1042";
        for (channel, link) in
            [("C0GENERAL", link), ("C024BE91L", "https://desk.example/console/#9"), ("COMPOSER", link)]
        {
            assert!(sending.shared(&config, &event(channel, link)).is_none(), "{channel} {link}");
        }
        sending.unfold(&config, &event("C024BE91L", link));
        while fake.calls().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let body = fake.calls()[0].json();
        assert_eq!((&body["channel"], &body["ts"]), (&json!("C024BE91L"), &json!("1790000001.000100")));
        assert!(body["unfurls"][link].to_string().contains("VPN"), "{body}");
        for odd in [json!(null), json!({}), json!({ "channel": "C024BE91L", "links": 7 })] {
            assert!(sending.shared(&config, &odd).is_none());
        }
    }
}
