//! Links to conversations, unfolded in the rooms where technicians work.
//!
//! Not here: how an unfolded link looks (`blocks`). A card says whose matter it is: anywhere else a link stays a link.

use std::sync::Arc;

use deskbridge_contract::{Address, Inbox, SendError};
use serde_json::{Map, Value};
use url::Url;

use super::Sending;
use crate::blocks;
use crate::config::Config;
use crate::ids;

/// Slack tells of several links in one message; the first ones are enough.
const MOST: usize = 5;

/// A message in a desk with links of ours in it: each with what it leads to.
#[derive(Debug, PartialEq, Eq)]
struct Shared {
    channel: String,
    ts: String,
    links: Vec<(String, String)>,
}

impl Sending {
    /// A "link_shared" event. Unfolding is comfort: it is not waited for, and a failure is only noted.
    pub(crate) fn unfold(self: &Arc<Self>, inbox: &Inbox, config: &Config, event: &Value) {
        let Some(shared) = shared(config, event) else { return };
        let (sending, inbox) = (self.clone(), inbox.clone());
        tokio::spawn(async move {
            if let Err(error) = sending.show(&inbox, shared).await {
                tracing::debug!(channel = %sending.api.channel(), %error, "a link was not unfolded");
            }
        });
    }

    async fn show(&self, inbox: &Inbox, shared: Shared) -> Result<(), SendError> {
        let room = Address::room(self.api.channel(), shared.channel.as_str());
        let mut unfurls = Map::new();
        for (link, reference) in shared.links {
            if let Some(card) = inbox.card(&room, &reference).await {
                unfurls.insert(link, blocks::unfurl(&card));
            }
        }
        match unfurls.is_empty() {
            true => Ok(()),
            false => self.unfurl(&shared.channel, &shared.ts, unfurls).await,
        }
    }
}

fn shared(config: &Config, event: &Value) -> Option<Shared> {
    let public = config.public_url.as_ref()?;
    let channel = event["channel"].as_str().filter(|id| config.desks.iter().any(|desk| desk == id))?;
    // In the composer there is no message yet, and no room to look at.
    let ts = event["message_ts"].as_str().filter(|ts| ids::is_ts(ts))?;
    let links = event["links"].as_array()?.iter().filter_map(|link| link["url"].as_str());
    let ours = links.filter_map(|link| Some((link.to_owned(), reference(public, link)?)));
    let links: Vec<(String, String)> = ours.take(MOST).collect();
    let found = !links.is_empty();
    found.then(|| Shared { channel: channel.to_owned(), ts: ts.to_owned(), links })
}

/// `https://desk.example/console/#1042` is `#1042`, and `…/console/#T-000042` is `T-000042`.
fn reference(public: &Url, link: &str) -> Option<String> {
    let link = Url::parse(link).ok()?;
    let console = format!("{}/console", public.path().trim_end_matches('/'));
    let ours = link.origin() == public.origin() && link.path().trim_end_matches('/') == console;
    let fragment = link.fragment().filter(|_| ours)?;
    let (sign, number) = match fragment.strip_prefix("T-") {
        Some(number) => ("T-", number),
        None => ("#", fragment),
    };
    let sound = (1..=18).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    sound.then(|| format!("{sign}{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use deskbridge_contract::{
        Card, CardState, ChannelName, Inbound, InboxSink, PushError, Receipt, TranslateError,
    };
    use serde_json::json;

    use crate::api::fake::{Fake, Memory, Reply};

    /// Knows one conversation, and in one room only.
    struct Desk;

    #[async_trait::async_trait]
    impl InboxSink for Desk {
        async fn push(&self, _: Inbound) -> Result<Receipt, PushError> {
            Err(PushError::Closed)
        }
        async fn quarantine(&self, _: &ChannelName, _: &[u8], _: &TranslateError) -> Result<(), PushError> {
            Err(PushError::Closed)
        }
        async fn card(&self, room: &Address, reference: &str) -> Option<Card> {
            let known = room.room.as_str() == "C024BE91L" && ["#1042", "T-000042"].contains(&reference);
            known.then(|| Card {
                reference: "#1042".into(),
                title: "VPN".into(),
                state: CardState::Waiting,
                status: "Waiting".into(),
                requester: "Maria".into(),
                facts: Vec::new(),
                summary: String::new(),
                hint: String::new(),
            })
        }
    }

    #[test]
    fn links_of_ours() {
        let public = Url::parse("https://desk.example/x/").unwrap();
        for (link, expected) in [
            ("https://desk.example/x/console/#1042", "#1042"),
            ("https://desk.example/x/console#7", "#7"),
            ("https://desk.example/x/console/#T-000042", "T-000042"),
        ] {
            assert_eq!(reference(&public, link).as_deref(), Some(expected));
        }
        for other in [
            "https://desk.example/x/console/#welcome=secret",
            "https://desk.example/x/console/#T-",
            "https://desk.example/x/console/#T-1e3",
            "https://desk.example/x/console/",
            "https://desk.example/console/#1042",
            "http://desk.example/x/console/#1042",
            "https://desk.example.evil/x/console/#1042",
            "not a link",
        ] {
            assert_eq!(reference(&public, other), None, "{other}");
        }
    }

    /// In a desk a link shows how its conversation stands, whoever drew its card; elsewhere, and of what is not known, it
    /// stays a link.
    #[tokio::test]
    async fn unfolding() {
        let fake = Fake::saying(|| Reply::Yes(json!({}))).await;
        let keys = json!({ "public_url": "https://desk.example" });
        let config = fake.config(keys.clone()).with_desks(vec!["C024BE91L".into()]);
        let sending = fake.sending_with(keys);
        let inbox = Inbox::new(ChannelName::new("slack"), Arc::new(Desk), Arc::new(Memory::default()));
        let event = |channel: &str, links: &[&str]| {
            let links: Vec<Value> =
                links.iter().map(|link| json!({ "domain": "desk.example", "url": link })).collect();
            json!({ "type": "link_shared", "channel": channel, "message_ts": "1790000001.000100", "links": links })
        };
        let (link, ticket) = ("https://desk.example/console/#1042", "https://desk.example/console/#T-000042");
        let unknown = "https://desk.example/console/#9";
        for (channel, link) in
            [("C0GENERAL", link), ("COMPOSER", link), ("C024BE91L", "https://else.example/")]
        {
            assert_eq!(shared(&config, &event(channel, &[link])), None, "{channel} {link}");
        }
        let nothing = shared(&config, &event("C024BE91L", &[unknown])).unwrap();
        sending.show(&inbox, nothing).await.unwrap();
        assert!(fake.calls().is_empty());
        let known = shared(&config, &event("C024BE91L", &[link, unknown, ticket])).unwrap();
        sending.show(&inbox, known).await.unwrap();
        let body = fake.calls()[0].json();
        assert_eq!((&body["channel"], &body["ts"]), (&json!("C024BE91L"), &json!("1790000001.000100")));
        for link in [link, ticket] {
            assert!(body["unfurls"][link].to_string().contains("VPN"), "{body}");
        }
        assert_eq!(body["unfurls"].as_object().map(Map::len), Some(2));
        for odd in [json!(null), json!({}), json!({ "channel": "C024BE91L", "links": 7 })] {
            assert_eq!(shared(&config, &odd), None);
        }
    }
}
