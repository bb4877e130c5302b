//! What users of comparable products met (T5–T16), and what people write (S36–S44), in Teams.
//!
//! Not here: faults of the Connector (`faults`), forged events (the adapter's own tests).

use serde_json::{Value, json};

use super::{BOB, HOME, MARIA, Office};

/// Somebody who is no technician.
const EVE: u32 = 777;

impl Office {
    /// Texts of the bot's messages that stand there.
    fn shown(&self, place: &str) -> Vec<String> {
        let of = |activity: &Value| super::read(activity).map(|page| page.text).unwrap_or_default();
        self.fake.read(|world| {
            let own = world.messages(place).iter().filter(|message| message.own && !message.deleted);
            own.map(|message| of(&message.activity)).collect()
        })
    }

    fn count(&self, place: &str, words: &str) -> usize {
        self.shown(place).iter().filter(|text| text.contains(words)).count()
    }

    /// A message with these attachments, taken.
    async fn attaches(&self, who: u32, place: &str, text: &str, names: &[&str]) -> Value {
        let file = |name: &&str| {
            json!({
                "contentType": "application/vnd.microsoft.teams.file.download.info", "name": name,
                "contentUrl": "https://example.sharepoint.com/x",
                "content": { "downloadUrl": format!("{}/files/direct/{name}", self.fake.base()), "fileType": "txt" },
            })
        };
        let more = json!({
            "text": text, "textFormat": "plain", "attachments": names.iter().map(file).collect::<Vec<_>>(),
        });
        let activity = self.fake.activity("message", who, place, &more);
        let handle = self.fake.deliver(&self.hook, activity.clone());
        self.wait("the message", |fake| fake.acknowledged(&handle).then_some(())).await;
        activity
    }
}

/// T5: neither our own words nor another bot's come in.
#[tokio::test]
async fn teams_t5_bots_are_not_heard() {
    let office = Office::open().await;
    let (thread, _) = office.assigned(HOME).await;
    let own = format!("28:{}", office.fake.settings().app_id);
    for (id, words) in [(own.as_str(), "an echo"), ("28:another-bot", "an echo of an echo")] {
        let from = json!({ "id": id, "name": "Bot", "role": "bot" });
        let more = json!({ "text": words, "textFormat": "plain", "from": from });
        let activity = office.fake.activity("message", EVE, &thread, &more);
        let handle = office.fake.deliver(&office.hook, activity);
        office.wait("the echo", |fake| fake.acknowledged(&handle).then_some(())).await;
    }
    office.says(BOB, &thread, "a word of a person");
    office.sees(HOME, "a word of a person").await;
    assert_eq!(office.count(HOME, "echo"), 0, "{:?}", office.shown(HOME));
}

/// T7: an edit of a message with a file changes its words and sends nothing again.
#[tokio::test]
async fn teams_t7_an_edited_message_with_a_file() {
    let office = Office::open().await;
    let (thread, _) = office.assigned(HOME).await;
    let asked = office.attaches(MARIA, HOME, "how it loks", &["a.txt"]).await;
    office.sees(&thread, "📎 a.txt").await;
    let edit = json!({
        "id": asked["id"], "text": "how it looks", "textFormat": "plain", "attachments": asked["attachments"],
        "channelData": { "eventType": "editMessage", "tenant": { "id": office.fake.settings().tenant } },
    });
    office.event("messageUpdate", MARIA, HOME, edit).await;
    office.sees(&thread, "how it looks").await;
    office.says(MARIA, HOME, "that is all");
    office.sees(&thread, "that is all").await;
    assert_eq!((office.count(&thread, "📎 a.txt"), office.count(&thread, "how it lo")), (1, 1));
}

/// T10: one message with four files is one message: the words once, the files in order.
#[tokio::test]
async fn teams_t10_four_files_are_one_message() {
    let office = Office::open().await;
    let (thread, _) = office.assigned(HOME).await;
    let names = ["one.txt", "two.txt", "three.txt", "four.txt"];
    office.attaches(MARIA, HOME, "all four", &names).await;
    office.sees(&thread, "four.txt").await;
    office.says(MARIA, HOME, "done");
    office.sees(&thread, "done").await;
    assert_eq!(office.count(&thread, "all four"), 1);
    let all = office.shown(&thread).join("\n");
    let places: Vec<Option<usize>> = names.iter().map(|name| all.find(name)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} in {all}");
    for name in names {
        assert_eq!(all.matches(name).count(), 1, "{name} in {all}");
    }
}

/// T11, F37: a file that cannot be had is named, and the words beside it arrive.
#[tokio::test]
async fn teams_t11_files_that_fail_are_told() {
    let office = Office::open().await;
    let (thread, _) = office.assigned(HOME).await;
    let more = json!({
        "text": "see the plan", "textFormat": "plain",
        "attachments": [{
            "contentType": "application/vnd.microsoft.teams.file.download.info", "name": "plan.pdf",
            "contentUrl": "https://example.sharepoint.com/x",
            "content": { "downloadUrl": "http://127.0.0.1:9/gone", "fileType": "pdf" },
        }],
    });
    office.event("message", BOB, &thread, more).await;
    office.sees(HOME, "see the plan").await;
    office
        .wait("word about the file", |fake| {
            fake.read(|world| {
                let own = [world.messages(HOME), world.messages(&thread)].concat();
                let told = |text: String| text.contains("plan.pdf").then_some(());
                let own = own.into_iter().filter(|message| message.own);
                own.filter_map(|message| super::read(&message.activity).ok()).find_map(|page| told(page.text))
            })
        })
        .await;
}

/// T13, T14: words that the platform refuses for good are seen to have failed, and go out when they are tried again.
#[tokio::test]
async fn teams_t13_t14_what_is_not_delivered_is_shown() {
    let office = Office::open().await;
    let (thread, _) = office.assigned(HOME).await;
    office.fake.change(|world| world.installed.remove(HOME));
    office.says(BOB, &thread, "can you hear me?");
    let (_, failure, _) = office.sees(&thread, "Not delivered").await;
    assert_eq!(office.count(HOME, "can you hear me?"), 0);
    office.fake.install(HOME);
    office.press(BOB, &thread, &failure, "Try again", json!({})).await;
    office.sees(HOME, "can you hear me?").await;
}

/// T15, T16: words in the thread of whoever is not asked, and notes, stay inside.
#[tokio::test]
async fn teams_t15_t16_internal_words_stay_inside() {
    let office = Office::open().await;
    office.says(MARIA, HOME, "I want to talk to a human");
    let (thread, _, _) = office.sees(super::DESK, "#1").await;
    office.sees(&thread, "yours to accept").await;
    office.says(EVE, &thread, "same canary as yesterday");
    office.says(BOB, &thread, "🔒 a canary for colleagues");
    // Whoever it is offered to accepts by answering.
    office.says(BOB, &thread, "I will have a look");
    office.sees(HOME, "I will have a look").await;
    office.says(EVE, &thread, "another canary");
    let note = office.fake.call(BOB, &thread, "note the last canary");
    office.fake.deliver(&office.hook, note);
    office.says(BOB, &thread, "done");
    office.sees(HOME, "done").await;
    assert_eq!(office.count(HOME, "canary"), 0, "{:?}", office.shown(HOME));
}

/// S36, S41, S44: what people write is text on the other side: it calls nobody, formats nothing and commands nothing.
#[tokio::test]
async fn teams_s36_s41_s44_what_people_write_is_text() {
    let office = Office::open().await;
    let (thread, _) = office.assigned(HOME).await;
    for text in [
        "<at>Bob</at> look",
        "**not bold** [x](http://a.example)",
        "!resolve",
        "/resolve",
        "#handover",
        "@everyone hi",
    ] {
        office.says(MARIA, HOME, text);
        office.sees(&thread, text).await;
    }
    assert_eq!(office.count(HOME, "resolved"), 0);
    let named = json!({
        "from": { "id": "29:501", "aadObjectId": "aad-501", "name": "Bob \u{202e}nimdA" }, "text": "who am I?", "textFormat": "plain",
    });
    office.event("message", MARIA, HOME, named).await;
    let (_, _, page) = office.sees(&thread, "who am I?").await;
    assert!(!page.text.contains('\u{202e}'), "{}", page.text);
    // The desk itself calls Bob, for the offer; words of people call nobody, neither him nor anybody else.
    let relayed = |message: &deskbridge_platforms::teams::Message| {
        let shown = message.activity.to_string();
        message.own && (shown.contains(" look") || shown.contains("@everyone") || shown.contains("who am I?"))
    };
    let called: Vec<String> = office.fake.read(|world| {
        let said = world.messages(&thread).iter().filter(|message| relayed(message));
        said.map(|message| message.activity["entities"].to_string()).collect()
    });
    assert_eq!(called.len(), 3, "{:#?}", office.everything());
    assert!(
        called.iter().all(|entities| !entities.contains("mention")),
        "a requester's words called somebody: {called:?}"
    );
    assert_eq!(office.fake.read(|world| world.violations.clone()), Vec::<String>::new());
}

/// S43: very long words arrive whole in parts, each within the platform's 100 KB.
#[tokio::test]
async fn teams_s43_very_long_messages() {
    let office = Office::open().await;
    let (thread, _) = office.assigned(HOME).await;
    let paragraph = "Lorem ipsum dolor sit amet, consetetur sadipscing elitr. ".repeat(70);
    let text: String = (0..12).map(|n| format!("part-{n:02} {paragraph}\n\n")).collect();
    office.says(BOB, &thread, &text);
    office.sees(HOME, "part-11").await;
    for n in 0..12 {
        assert_eq!(office.count(HOME, &format!("part-{n:02}")), 1, "part {n}");
    }
    office.says(MARIA, HOME, &"🙂".repeat(9_000));
    office.says(MARIA, HOME, "after all that");
    office.sees(&thread, "after all that").await;
    let refused = office.fake.read(|world| world.calls.iter().filter(|call| call.status == 413).count());
    assert_eq!(refused, 0);
}

/// Several people in a thread of a channel: each under their own name, and only who asked decides.
#[tokio::test]
async fn teams_others_in_a_thread_decide_nothing() {
    let office = Office::open().await;
    let channel = "19:it@thread.tacv2;messageid=1700000000001";
    office.fake.install(channel);
    let asked = office.fake.call(MARIA, channel, "I want to talk to a human");
    office.fake.deliver(&office.hook, asked);
    let (_, waiting, _) = office.sees(channel, "I am connecting you").await;
    let (thread, _, _) = office.sees(super::DESK, "#1").await;
    let (_, offer, _) = office.sees(&thread, "yours to accept").await;
    for (who, words) in [(EVE, "on the second floor, too"), (MARIA, "since this morning")] {
        office.says(who, channel, words);
        let (_, _, page) = office.sees(&thread, words).await;
        assert!(page.text.contains(&format!("Person {who}")), "{}", page.text);
        let other = if who == EVE { MARIA } else { EVE };
        assert!(!page.text.contains(&format!("Person {other}")), "{}", page.text);
    }
    // What a button comes to is told to whoever pressed it.
    let told = |office: &Office, words: &str| {
        office
            .fake
            .read(|world| world.answers.iter().filter(|answer| answer.to_string().contains(words)).count())
    };
    office.press(EVE, channel, &waiting, "Keep the assistant", json!({})).await;
    assert_eq!(told(&office, "Only Person 501 can do that here"), 1);
    office.press(BOB, &thread, &offer, "Accept", json!({})).await;
    office.sees(channel, "has joined").await;
    let asks = office.fake.call(BOB, &thread, "csat");
    office.fake.deliver(&office.hook, asks);
    let (_, rating, _) = office.sees(channel, "How did we do").await;
    office.press(EVE, channel, &rating, "😞 1", json!({})).await;
    assert_eq!(told(&office, "Only Person 501 can do that here"), 2);
    office.press(MARIA, channel, &rating, "😀 5", json!({})).await;
    office.sees(&thread, "rated this 5 of 5").await;
    assert_eq!((office.count(&thread, "rated this 1"), office.count(channel, "we keep going")), (0, 0));
    assert_eq!(office.fake.read(|world| world.violations.clone()), Vec::<String>::new());
}
