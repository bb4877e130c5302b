//! Teams in the matrix: a chat with the bot, and threads of a channel.
//!
//! Not here: the conversation.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deskbridge_platforms::teams::{FakeTeams, Settings, read};
use serde_json::{Value, json};

use super::super::bridge::{Bridge, client};
use super::super::teams::{section, verb};
use super::{Desk, Requester, Said};

const MARIA: u32 = 501;
const BOB: u32 = 601;
const HOME: &str = "a:29:501";
const DESK: &str = "19:desk@thread.tacv2";

pub struct Teams {
    fake: FakeTeams,
    hook: RefCell<String>,
}

/// What the bot shows in one place.
struct Own {
    place: String,
    id: String,
    activity: Value,
}

impl Teams {
    pub async fn open() -> Teams {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
        let now = i64::try_from(now).expect("seconds");
        let fake = FakeTeams::start(Settings { now, ..Settings::default() }).await.expect("started");
        fake.install(HOME);
        fake.install(DESK);
        Teams { fake, hook: RefCell::default() }
    }

    fn deliver(&self, activity: Value) -> Said {
        let id = activity["id"].as_str().expect("an id").to_owned();
        self.fake.deliver(&self.hook.borrow(), activity);
        id
    }

    /// The bot's messages in conversations that begin like this.
    fn own(&self, place: &str) -> Vec<Own> {
        self.fake.read(|world| {
            let rooms = world.conversations.iter().filter(|(id, _)| id.starts_with(place));
            let all = rooms.flat_map(|(id, all)| all.iter().map(move |message| (id, message)));
            let own = all.filter(|(_, message)| message.own && !message.deleted);
            let own = own.map(|(id, message)| Own {
                place: id.clone(),
                id: message.id.clone(),
                activity: message.activity.clone(),
            });
            own.collect()
        })
    }

    fn words(&self, place: &str) -> Vec<String> {
        let text = |own: Own| read(&own.activity).map_or_else(|why| why, |page| page.text);
        self.own(place).into_iter().map(text).collect()
    }

    /// Pictures are within the message; other files are behind links.
    async fn held(&self, place: &str) -> Vec<Vec<u8>> {
        let mut held = Vec::new();
        for own in self.own(place) {
            for attachment in own.activity["attachments"].as_array().into_iter().flatten() {
                let url = attachment["contentUrl"].as_str().unwrap_or_default();
                if let Some((_, data)) = url.split_once(";base64,") {
                    held.push(STANDARD.decode(data).expect("base64"));
                }
            }
            for link in read(&own.activity).map(|page| page.links).unwrap_or_default() {
                if link.starts_with("http://127.0.0.1") {
                    let answer = client().get(link).send().await.expect("answered");
                    held.push(answer.bytes().await.expect("read").to_vec());
                }
            }
        }
        held
    }

    /// The latest conversation's thread.
    fn thread(&self) -> Option<String> {
        self.own(DESK).into_iter().map(|own| own.place).rfind(|place| place.contains(";messageid="))
    }

    fn there(&self) -> String {
        self.thread().expect("a conversation has a thread")
    }

    fn corrected(&self, who: u32, place: &str, said: &Said, text: &str) {
        let more = json!({ "id": said, "text": text, "textFormat": "plain",
            "channelData": { "eventType": "editMessage" } });
        let activity = self.fake.activity("messageUpdate", who, place, &more);
        self.deliver(activity);
    }

    /// A file or a picture that a person sends with words; what the fake gives for it.
    fn attached(&self, who: u32, place: &str, text: &str, attachment: &Value, path: &str) -> Vec<u8> {
        let more = json!({ "text": text, "textFormat": "plain", "attachments": [attachment] });
        let activity = self.fake.activity("message", who, place, &more);
        self.deliver(activity);
        format!("bytes of {path}").into_bytes()
    }
}

#[async_trait(?Send)]
impl Requester for Teams {
    fn section(&self) -> String {
        section(&self.fake.section())
    }

    async fn connect(&self, bridge: &Bridge) {
        *self.hook.borrow_mut() = bridge.url("/hooks/teams");
    }

    async fn says(&self, text: &str) -> Said {
        let activity = self.fake.say(MARIA, HOME, text);
        self.deliver(activity)
    }

    async fn corrects(&self, said: &Said, text: &str) {
        self.corrected(MARIA, HOME, said, text);
    }

    async fn attaches(&self, text: &str) -> Vec<u8> {
        let path = "/files/direct/error.txt";
        let file = json!({
            "contentType": "application/vnd.microsoft.teams.file.download.info", "name": "error.txt",
            "content": { "downloadUrl": format!("{}{path}", self.fake.base()), "uniqueId": "1", "fileType": "txt" },
        });
        self.attached(MARIA, HOME, text, &file, path)
    }

    async fn shown(&self) -> Vec<String> {
        self.words(HOME)
    }

    async fn files(&self) -> Vec<Vec<u8>> {
        self.held(HOME).await
    }

    fn violations(&self) -> Vec<String> {
        self.fake.read(|world| world.violations.clone())
    }
}

#[async_trait(?Send)]
impl Desk for Teams {
    fn section(&self) -> String {
        Requester::section(self)
    }

    fn desk(&self) -> String {
        format!("[channels.teams.desk]\nroom = \"{DESK}\"\n")
    }

    fn identity(&self) -> Option<String> {
        Some(format!("teams:aad-{BOB}"))
    }

    async fn connect(&self, bridge: &Bridge) {
        Requester::connect(self, bridge).await;
    }

    async fn accepts(&self) -> bool {
        let offered = |own: &Own| read(&own.activity).is_ok_and(|page| page.text.contains("yours to accept"));
        let Some(offer) = self.own(DESK).into_iter().rfind(offered) else { return false };
        let verb = verb(&offer.activity, "Accept").expect("a button");
        let press = self.fake.press(BOB, &offer.place, &offer.id, &verb, &json!({}));
        self.deliver(press);
        true
    }

    async fn says(&self, text: &str) -> Said {
        let activity = self.fake.say(BOB, &self.there(), text);
        self.deliver(activity)
    }

    async fn corrects(&self, said: &Said, text: &str) {
        self.corrected(BOB, &self.there(), said, text);
    }

    /// A picture: bots are not handed other files of a channel.
    async fn attaches(&self, text: &str) -> Vec<u8> {
        let path = "/files/service/manual.png";
        let picture =
            json!({ "contentType": "image/*", "contentUrl": format!("{}{path}", self.fake.base()) });
        self.attached(BOB, &self.there(), text, &picture, path)
    }

    async fn resolves(&self) {
        let activity = self.fake.call(BOB, &self.there(), "resolve");
        self.deliver(activity);
    }

    async fn shown(&self) -> Vec<String> {
        self.words(DESK)
    }

    async fn files(&self) -> Vec<Vec<u8>> {
        self.held(DESK).await
    }

    fn violations(&self) -> Vec<String> {
        Requester::violations(self)
    }
}
