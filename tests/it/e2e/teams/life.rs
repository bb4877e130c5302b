//! The rest of a conversation's life within Teams: files, edits and deletions both ways, cards for each viewer, a restart,
//! an app that is removed, groups and channels.
//!
//! Not here: the shortest way through (`teams.rs`).

use deskbridge_platforms::teams::World;
use serde_json::{Value, json};

use super::super::bridge::Base;
use super::{BOB, DESK, HOME, MARIA, Office};

#[tokio::test]
async fn life_teams_sqlite() {
    live(Base::Sqlite).await;
}

#[tokio::test]
async fn pg_life_teams() {
    live(Base::Postgres).await;
}

async fn live(base: Base) {
    let Some(mut office) = Office::on(base).await else { return };
    let (thread, card) = office.assigned(HOME).await;
    own_views(&office, &thread, &card).await;
    edits_and_deletions(&office, &thread).await;
    files(&office, &thread).await;
    // Where to write is known after a restart: the configuration names another server, which nobody can reach.
    assert!(office.bridge.stop().await.success(), "{}", office.bridge.log());
    office.bridge.start().await;
    office.says(BOB, &thread, "after the restart");
    office.sees(HOME, "after the restart").await;
    doctor(&office).await;
    ticket(&office, &thread).await;
    removed(&office, &thread).await;
    assert_eq!(office.fake.read(|world| world.violations.clone()), Vec::<String>::new());
    assert!(office.bridge.stop().await.success());
}

impl Office {
    /// Handed over and accepted by Bob: the thread in the desk, and its card.
    pub(super) async fn assigned(&self, home: &str) -> (String, String) {
        self.says(MARIA, home, "I want to talk to a human");
        let (thread, card, _) = self.sees(DESK, "#1").await;
        let (_, offer, _) = self.sees(&thread, "yours to accept").await;
        self.press(BOB, &thread, &offer, "Accept", json!({})).await;
        self.sees(home, "has joined").await;
        self.sees(&thread, "Bob has it").await;
        (thread, card)
    }

    /// An event of this kind about a message, by a person.
    pub(super) async fn event(&self, kind: &str, who: u32, place: &str, more: Value) {
        let activity = self.fake.activity(kind, who, place, &more);
        let handle = self.fake.deliver(&self.hook, activity);
        self.wait(kind, |fake| fake.acknowledged(&handle).then_some(())).await;
    }

    /// Says something that is found again by its words: the id of the message.
    fn says_as(&self, who: u32, place: &str, words: &str) -> String {
        let activity = self.fake.say(who, place, words);
        let id = activity["id"].as_str().unwrap_or_default().to_owned();
        self.fake.deliver(&self.hook, activity);
        id
    }

    /// The bot's message with this id there is gone.
    async fn gone(&self, place: &str, id: &str) {
        let look = |world: &World| {
            let message = world.messages(place).iter().find(|message| message.id == id);
            message.is_some_and(|message| message.deleted).then_some(())
        };
        self.wait("a deletion", |fake| fake.read(look)).await;
    }
}

/// The owner's card has the owner's buttons; a requester who sees it can press nothing.
async fn own_views(office: &Office, thread: &str, card: &str) {
    let looks = |who: u32, asked: Value| async move {
        let mut asked = asked;
        asked["from"] =
            json!({ "id": format!("29:{who}"), "aadObjectId": format!("aad-{who}"), "name": "Somebody" });
        let before = office.fake.read(|world| world.answers.len());
        office.fake.deliver(&office.hook, asked);
        office.wait("a view", |fake| fake.read(|world| world.answers.get(before).cloned())).await
    };
    let asked = office.wait("a refresh", |fake| fake.view(BOB, thread, card)).await;
    let mine = looks(BOB, asked.clone()).await["value"].to_string();
    for part in ["Bob has it", "\"Resolve\"", "Input.Text", "\"Note\"", "Suggest reply"] {
        assert!(mine.contains(part), "{part} in {mine}");
    }
    let theirs = looks(MARIA, asked).await["value"].to_string();
    assert!(theirs.contains("Bob has it") && !theirs.contains("\"Resolve\""), "{theirs}");
    assert!(!theirs.contains("Input.Text"), "{theirs}");
}

async fn edits_and_deletions(office: &Office, thread: &str) {
    let asked = office.says_as(MARIA, HOME, "my moose is dead");
    let (_, shown, _) = office.sees(thread, "my moose is dead").await;
    let edit =
        json!({ "id": asked, "text": "my mouse is dead", "channelData": { "eventType": "editMessage" } });
    office.event("messageUpdate", MARIA, HOME, tenant(office, edit)).await;
    let (_, again, _) = office.sees(thread, "my mouse is dead").await;
    assert_eq!(again, shown, "in place");
    let deletion = json!({ "id": asked, "channelData": { "eventType": "softDeleteMessage" } });
    office.event("messageDelete", MARIA, HOME, tenant(office, deletion)).await;
    office.gone(thread, &shown).await;
    let told = office.says_as(BOB, thread, "take a new moose");
    let (_, shown, _) = office.sees(HOME, "take a new moose").await;
    let edit =
        json!({ "id": told, "text": "take a new mouse", "channelData": { "eventType": "editMessage" } });
    office.event("messageUpdate", BOB, thread, tenant(office, edit)).await;
    let (_, again, _) = office.sees(HOME, "take a new mouse").await;
    assert_eq!(again, shown, "in place");
    let deletion = json!({ "id": told, "channelData": { "eventType": "softDeleteMessage" } });
    office.event("messageDelete", BOB, thread, tenant(office, deletion)).await;
    office.gone(HOME, &shown).await;
}

/// Both have it in their own way: what is said of the tenant must not be lost under what is put over it.
fn tenant(office: &Office, mut more: Value) -> Value {
    more["channelData"]["tenant"] = json!({ "id": office.fake.settings().tenant });
    more
}

/// A file of a person is fetched once and given out by a link of ours, with the same bytes; both ways.
async fn files(office: &Office, thread: &str) {
    for (who, from, to, name) in [(MARIA, HOME, thread, "error log.pdf"), (BOB, thread, HOME, "manual.pdf")] {
        let path = format!("/files/direct/{who}.pdf");
        let more = json!({
            "text": format!("see {name}"), "textFormat": "plain",
            "attachments": [{
                "contentType": "application/vnd.microsoft.teams.file.download.info", "name": name,
                "contentUrl": "https://example.sharepoint.com/x",
                "content": { "downloadUrl": format!("{}{path}", office.fake.base()), "fileType": "pdf" },
            }],
        });
        office.event("message", who, from, more).await;
        let (_, _, page) = office.sees(to, &format!("📎 {name}")).await;
        let link = page.links.first().expect("a link");
        let answer = super::super::bridge::client().get(link).send().await.expect("answered");
        assert_eq!(answer.status(), 200, "{link}");
        assert_eq!(answer.text().await.expect("read"), format!("bytes of {path}"));
    }
}

/// What `doctor` sees while it runs: the endpoint answers and refuses; and what Teams tells nobody is said.
async fn doctor(office: &Office) {
    let (_, out, err) = office.bridge.run(&["doctor", "teams", "--json"]).await;
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}\n{err}"));
    let checks = report["areas"][0]["checks"].as_array().expect("checks");
    let check = |id: &str| checks.iter().find(|check| check["id"] == id).cloned().unwrap_or_default();
    assert_eq!(check("teams.endpoint")["outcome"], "pass", "{report:#}");
    assert_eq!(check("teams.credentials")["outcome"], "pass", "{report:#}");
    // Its address is this machine's, which no package may name.
    assert_eq!(check("teams.package")["outcome"], "warn", "{report:#}");
    // Graph tells this app nothing; but the bridge, which runs, heard words of the desk without a call, and kept that.
    assert_eq!(check("teams.rsc")["outcome"], "pass", "{report:#}");
    assert!(check("teams.rsc")["detail"].to_string().contains("came in"), "{report:#}");
}

/// The message extension in the thread: the ticket's number is on the card.
async fn ticket(office: &Office, thread: &str) {
    let form = office.fake.send_form(BOB, thread, "ticket", &json!({ "teams_ticket": "a dead mouse" }));
    let handle = office.fake.deliver(&office.hook, form);
    office.wait("the form", |fake| fake.acknowledged(&handle).then_some(())).await;
    office.sees(thread, "T-000001").await;
}

/// T53: the app is removed from the requester's chat. The technician is told, and told again that a reply did not arrive.
async fn removed(office: &Office, thread: &str) {
    office.event("installationUpdate", MARIA, HOME, json!({ "action": "remove" })).await;
    office.sees(thread, "left the chat").await;
    let before = office.fake.read(|world| world.messages(HOME).len());
    office.says(BOB, thread, "are you there?");
    office.sees(thread, "Not delivered").await;
    assert_eq!(
        office.fake.read(|world| world.messages(HOME).len()),
        before,
        "written into a chat that is gone"
    );
    office.event("installationUpdate", MARIA, HOME, json!({ "action": "add" })).await;
    office.sees(thread, "is back and can be reached again").await;
}

/// A group chat from its first question to the end: what is not said to the bot stays among people, everything else is as in a
/// chat of one's own.
#[tokio::test]
async fn a_whole_conversation_in_a_group_chat() {
    let mut office = Office::open().await;
    let group = "19:lunch@thread.v2";
    office.fake.install(group);
    let says = |words: &str| {
        let called = office.fake.call(MARIA, group, words);
        let id = called["id"].as_str().unwrap_or_default().to_owned();
        office.fake.deliver(&office.hook, called);
        id
    };
    says("my vpn says 691");
    office.sees(group, "691").await;
    says("I want to talk to a human");
    let (thread, _, _) = office.sees(DESK, "#1").await;
    let (_, offer, _) = office.sees(&thread, "yours to accept").await;
    office.press(BOB, &thread, &offer, "Accept", json!({})).await;
    office.sees(group, "has joined").await;
    office.says(BOB, &thread, "what does it say exactly?");
    office.sees(group, "what does it say exactly?").await;
    // Somebody else in the chat, to somebody else.
    office.says(777, group, "pizza or pasta?");
    let said = says("error 691, wrong moose");
    let (_, shown, _) = office.sees(&thread, "error 691, wrong moose").await;
    let edit = json!({ "id": said, "text": "error 691, wrong mouse", "channelData": { "eventType": "editMessage" } });
    office.event("messageUpdate", MARIA, group, tenant(&office, edit)).await;
    let (_, again, _) = office.sees(&thread, "error 691, wrong mouse").await;
    assert_eq!(again, shown, "in place");
    let done = office.fake.call(BOB, &thread, "resolve");
    office.fake.deliver(&office.hook, done);
    office.sees(group, "resolved").await;
    office.sees(&thread, "🟢").await;
    let overheard = office.everything().into_iter().filter(|(id, _)| *id == thread).flat_map(|(_, all)| all);
    let overheard: Vec<String> = overheard.filter(|text| text.contains("pizza")).collect();
    // What was said by hand is in the fake's list, and the bot repeated none of it.
    assert_eq!(overheard, Vec::<String>::new());
    assert_eq!(office.fake.read(|world| world.violations.clone()), Vec::<String>::new());
    assert!(office.bridge.stop().await.success());
}

/// D22: somebody deleted the desk's thread. It is opened again with the card and what was said, and the words go there.
#[tokio::test]
async fn d22_a_deleted_thread_of_the_desk_is_opened_again() {
    let mut office = Office::open().await;
    let (thread, _) = office.assigned(HOME).await;
    office.fake.change(|world| world.lost.insert(thread.clone()));
    office.says(MARIA, HOME, "is somebody still there?");
    let (anew, _, _) = office.sees(DESK, "is somebody still there?").await;
    assert_ne!(anew, thread);
    office.sees(&anew, "Bob has it").await;
    office.says(BOB, &anew, "yes, here");
    office.sees(HOME, "yes, here").await;
    // The requester is told nothing of it, and is not taken for gone.
    let told =
        office.everything().into_iter().flat_map(|(_, all)| all).any(|text| text.contains("left the chat"));
    assert!(!told, "{:#?}", office.everything());
    assert!(office.bridge.stop().await.success());
}

/// A thread in a channel of people, and a technician's post in the desk's: what begins like a verb is one in the desk alone.
#[tokio::test]
async fn verbs_are_for_the_desk() {
    let mut office = Office::open().await;
    let channel = "19:it@thread.tacv2;messageid=1700000000001";
    office.fake.install(channel);
    let asked = office.fake.call(MARIA, channel, "help my vpn says 691");
    let id = asked["id"].clone();
    office.fake.deliver(&office.hook, asked);
    office.sees(channel, "691").await;
    // Nobody is on duty any more: said in a post of its own, which has a thread of its own in Teams.
    let mut post = office.fake.call(BOB, DESK, "off");
    post["conversation"]["id"] = json!(format!("{DESK};messageid={}", post["id"].as_str().expect("an id")));
    office.fake.install(&format!("a:29:{BOB}"));
    office.fake.deliver(&office.hook, post);
    office.sees(&format!("a:29:{BOB}"), "You are off duty").await;
    let mut post = office.fake.call(BOB, DESK, "on");
    post["conversation"]["id"] = json!(format!("{DESK};messageid={}", post["id"].as_str().expect("an id")));
    office.fake.deliver(&office.hook, post);
    office.sees(&format!("a:29:{BOB}"), "You are available").await;
    office.says(MARIA, channel, "I want to talk to a human");
    let (thread, _, _) = office.sees(DESK, "#1").await;
    office.sees(&thread, "help my vpn says 691").await;
    // The first that comes after a restart is a change in the channel's thread.
    assert!(office.bridge.stop().await.success(), "{}", office.bridge.log());
    office.bridge.start().await;
    let edit =
        json!({ "id": id, "text": "help my vpn says 692", "channelData": { "eventType": "editMessage" } });
    office.event("messageUpdate", MARIA, channel, tenant(&office, edit)).await;
    office.sees(&thread, "help my vpn says 692").await;
}

/// A group chat and a channel: only what is said to the bot is a request, and it is answered where it was asked.
#[tokio::test]
async fn requests_in_a_group_and_in_a_channel() {
    let office = Office::open().await;
    let (group, channel) = ("19:lunch@thread.v2", "19:it@thread.tacv2;messageid=1700000000001");
    for place in [group, channel] {
        office.fake.install(place);
        office.says(MARIA, place, "nobody was called: my vpn says 691");
        let called = office.fake.call(MARIA, place, "my vpn says 691");
        office.fake.deliver(&office.hook, called);
        office.sees(place, "691").await;
    }
    // In the thread of the channel they go on without calling; the answer of a person is in it as well.
    office.says(MARIA, channel, "I want to talk to a human");
    let (thread, _, _) = office.sees(DESK, "#2").await;
    let (_, offer, _) = office.sees(&thread, "yours to accept").await;
    office.press(BOB, &thread, &offer, "Accept", json!({})).await;
    office.sees(channel, "has joined").await;
    office.says(BOB, &thread, "a reply for the channel");
    office.sees(channel, "a reply for the channel").await;
    let stray = office.fake.read(|world| {
        let all = world.conversations.iter().filter(|(id, _)| id.starts_with(group));
        all.flat_map(|(_, all)| all)
            .any(|message| message.own && message.activity.to_string().contains("a reply for"))
    });
    assert!(!stray, "{:#?}", office.everything());
}
