//! What users of comparable products met (T5–T15), and what people write (S36–S44), on Discord.
//!
//! Not here: duplicates and outages (`faults`), forged requests (`doors`).

use deskbridge_platforms::discord::{Author, Fault, FaultKind, Message, Post, Snowflake, World};

use super::super::bridge::Base;
use super::Talk;

async fn talk() -> Talk {
    Talk::start(false, Base::Sqlite).await.expect("SQLite is always there")
}

/// Names of the files of our own messages in a channel, in their order.
fn files(talk: &Talk, world: &World, channel: Snowflake) -> Vec<String> {
    let own = talk.own(world, channel);
    let ids = own.iter().flat_map(|message| message.attachments.clone());
    ids.filter_map(|id| world.files.get(&id).map(|file| file.name.clone())).collect()
}

/// T5: neither another bridge's bot nor its webhook is heard: two bridges that face each other say nothing to each other.
#[tokio::test]
async fn discord_t5_bots_and_webhooks_are_not_heard() {
    let talk = talk().await;
    let post = talk.assigned().await;
    let other = talk.acme.bot("Another bridge");
    talk.acme.join(other);
    talk.fake.say(other, post, "an echo of an echo");
    let dm = talk.dm();
    let told = talk.fake.say(talk.bob, post, "a word of a person");
    talk.sees(dm, "a word of a person").await;
    talk.marked(post, told, "📨").await;
    assert_eq!(talk.count(dm, "echo"), 0);
    // Ours come back by the gateway as well, and stay out.
    talk.ask("one word");
    talk.sees(post, "one word").await;
    talk.fake.say(talk.bob, post, "the last word");
    talk.sees(dm, "the last word").await;
    assert_eq!((talk.count(post, "one word"), talk.count(dm, "one word")), (1, 0));
    talk.nothing_amiss();
}

/// T7: an edit of a message with a file changes its words and sends nothing again; a preview that appears is no edit.
#[tokio::test]
async fn discord_t7_an_edited_message_with_a_file() {
    let talk = talk().await;
    let post = talk.assigned().await;
    let dm = talk.dm();
    let asked = talk.ask(Post::text("how it loks").file("a.txt", &b"file"[..]));
    talk.sees(post, "how it loks").await;
    talk.until("file", |world| files(&talk, world, post) == ["a.txt"]).await;
    talk.fake.edit(talk.ana, dm, asked, "how it looks");
    talk.sees(post, "how it looks").await;
    talk.fake.unfurl(dm, asked, serde_json::json!({ "type": "link", "url": "https://example.org/" }));
    talk.ask("that is all");
    talk.sees(post, "that is all").await;
    assert_eq!(talk.fake.read(|world| files(&talk, world, post)), ["a.txt"]);
    assert_eq!(talk.count(post, "how it lo"), 1);
    talk.nothing_amiss();
}

/// T10: one message with four files is one message: the words once, the files in order.
#[tokio::test]
async fn discord_t10_four_files_are_one_message() {
    let talk = talk().await;
    let post = talk.assigned().await;
    let names = ["one.txt", "two.txt", "three.txt", "four.txt"];
    let all =
        names.iter().fold(Post::text("all four"), |post, name| post.file(name, name.as_bytes().to_vec()));
    talk.ask(all);
    talk.until("four files", |world| files(&talk, world, post).len() >= 4).await;
    talk.ask("done");
    talk.sees(post, "done").await;
    assert_eq!(talk.fake.read(|world| files(&talk, world, post)), names);
    assert_eq!(talk.count(post, "all four"), 1);
    talk.nothing_amiss();
}

/// T11, F37: a file alone arrives; one that cannot be had is named, and the words beside it arrive.
#[tokio::test]
async fn discord_t11_files_that_fail_are_told() {
    let talk = talk().await;
    let post = talk.assigned().await;
    let dm = talk.dm();
    talk.fake.say(talk.bob, post, Post::default().file("alone.txt", &b"alone"[..]));
    talk.until("file", |world| files(&talk, world, dm) == ["alone.txt"]).await;
    talk.fake.fault(Fault::on("download", FaultKind::Status { code: 404, effect: false }).times(20));
    talk.fake.say(talk.bob, post, Post::text("see the plan").file("plan.pdf", &b"%PDF-1.4 plan"[..]));
    talk.sees(dm, "see the plan").await;
    talk.until("word about the file", |world| {
        let all = [talk.own(world, dm), talk.own(world, post)].concat();
        all.iter().any(|message| message.said().contains("plan.pdf"))
    })
    .await;
    assert_eq!(talk.fake.read(|world| files(&talk, world, dm)), ["alone.txt"]);
}

/// T13, T14: the technician's words do not reach the requester: it is seen on the message and in the post, and tried again.
#[tokio::test]
async fn discord_t13_t14_what_is_not_delivered_is_shown() {
    let talk = talk().await;
    let post = talk.assigned().await;
    let dm = talk.dm();
    talk.fake.close_dms(talk.ana, true);
    let told = talk.fake.say(talk.bob, post, "can you hear me?");
    talk.marked(post, told, "⚠️").await;
    let failure = talk.sees(post, "Not delivered").await;
    assert_eq!(talk.count(dm, "can you hear me?"), 0);
    talk.fake.close_dms(talk.ana, false);
    talk.fake.press(talk.bob, post, failure.id, "Try again");
    talk.sees(dm, "can you hear me?").await;
    talk.marked(post, told, "📨").await;
}

/// T15, T16: words in the post before anybody accepted, and words of whoever is no technician, stay inside.
#[tokio::test]
async fn discord_t15_t16_internal_words_stay_inside() {
    let talk = talk().await;
    let dm = talk.dm();
    talk.ask("I want to talk to a human");
    let post = talk.office.post(&talk.bridge).await;
    talk.sees(post, "yours to accept").await;
    talk.fake.say(talk.eve, post, "same canary as yesterday");
    talk.fake.say(talk.bob, post, "🔒 a canary for colleagues");
    // Whoever it is offered to accepts by answering.
    talk.fake.say(talk.bob, post, "I will have a look");
    talk.sees(dm, "I will have a look").await;
    talk.fake.say(talk.eve, post, "another canary");
    let told = talk.fake.say(talk.bob, post, "done");
    talk.sees(dm, "done").await;
    talk.marked(post, told, "📨").await;
    assert_eq!(talk.count(dm, "canary"), 0, "{:?}", talk.fake.transcript(dm));
    talk.nothing_amiss();
}

/// S36: whatever people write calls nobody, neither through the webhook nor from the bot.
#[tokio::test]
async fn discord_s36_what_people_write_calls_nobody() {
    let talk = talk().await;
    let post = talk.assigned().await;
    let dm = talk.dm();
    let eve = format!("<@{}>", talk.eve);
    let role = talk.acme.role("admins", 0);
    let role = format!("<@&{role}>");
    talk.fake.change(|world| world.pings.clear());
    talk.ask(format!("@everyone @here {role} {eve} from Ana").as_str());
    let shown = talk.sees(post, "from Ana").await.said();
    for part in ["@everyone", "@here"] {
        assert!(shown.replace('\u{2060}', "").contains(part), "{part} is not in {shown}");
    }
    talk.fake.say(talk.bob, post, format!("@everyone @here {role} {eve} from Bob").as_str());
    let shown = talk.sees(dm, "from Bob").await.said();
    assert!(shown.replace('\u{2060}', "").contains("@everyone"), "{shown}");
    assert_eq!(talk.fake.read(|world| world.pings.clone()), Vec::new());
    // Not by luck: every call says whom it may mention.
    let loose = talk.fake.read(|world| {
        let posts = world.ledger.calls.iter().filter(|call| {
            ["create_message", "execute_webhook", "update_message"].contains(&call.operation.as_str())
                && call.body["content"].as_str().is_some_and(|text| !text.is_empty())
        });
        posts.filter(|call| call.body["allowed_mentions"]["parse"] != serde_json::json!([])).count()
    });
    assert_eq!(loose, 0, "posts without allowed_mentions");
    talk.nothing_amiss();
}

/// S41, S44: names are only names, and what a requester types is text.
#[tokio::test]
async fn discord_s41_s44_names_and_commands_of_requesters() {
    let talk = talk().await;
    let post = talk.assigned().await;
    for text in ["!resolve", "/resolve", "#handover", "!assign me", "🔒 hidden"] {
        talk.ask(text);
        talk.sees(post, text).await;
    }
    assert_eq!(talk.count(talk.dm(), "resolved"), 0);
    talk.fake.change(|world| {
        if let Some(ana) = world.users.get_mut(&talk.ana) {
            ana.global_name = Some("Bob \u{202e}nimdA @everyone".into());
        }
    });
    talk.ask("who am I?");
    let name = named(&talk.sees(post, "who am I?").await);
    assert!(!name.contains('\u{202e}') && name.contains("nimdA"), "{name:?}");
    // Another one is called as the technician is, but for what nobody sees.
    talk.fake.change(|world| {
        if let Some(eve) = world.users.get_mut(&talk.eve) {
            eve.global_name = Some("B\u{200b}ob\u{202e}".into());
        }
    });
    let dm = talk.fake.dm(talk.eve, &talk.app);
    talk.fake.say(talk.eve, dm, "I want to talk to a human");
    let another = |world: &World| {
        world.threads_of(talk.forum).last().map(|found| found.id).filter(|found| *found != post)
    };
    let second = talk.office.wait(&talk.bridge, "second post", another).await;
    let card = talk.sees(second, "Bob (requester)").await;
    assert_eq!(card.id, second, "the card says whose name it is not");
    let title = talk.fake.read(|world| world.channel(second).name.clone());
    assert!(title.contains("Bob (requester)"), "{title}");
    talk.fake.say(talk.eve, dm, "it is only me");
    assert_eq!(named(&talk.sees(second, "it is only me").await), "Bob (requester)");
    talk.nothing_amiss();
}

/// Under which name a webhook wrote it.
fn named(message: &Message) -> String {
    match &message.author {
        Author::Webhook { name, .. } => name.clone(),
        other @ Author::User(_) => panic!("by {other:?}"),
    }
}

/// S43: very long words arrive whole in parts; thousands of emoji hold up nobody.
#[tokio::test]
async fn discord_s43_very_long_messages() {
    let talk = talk().await;
    let post = talk.assigned().await;
    let dm = talk.dm();
    let paragraph = "Lorem ipsum dolor sit amet, consetetur sadipscing elitr. ".repeat(3);
    // Discord takes 2 000 characters of a person.
    for part in 0..4 {
        let lines: String = (0..9).map(|n| format!("part-{part}{n} {paragraph}\n\n")).collect();
        talk.fake.say(talk.bob, post, &*lines.chars().take(1990).collect::<String>());
    }
    talk.sees(dm, "part-38").await;
    for part in 0..4 {
        for n in 0..9 {
            assert_eq!(talk.count(dm, &format!("part-{part}{n}")), 1, "part {part}{n}");
        }
    }
    talk.ask(&*"🙂".repeat(1_000));
    talk.ask(&*format!("z{}", "\u{0336}".repeat(1_500)));
    talk.ask("after all that");
    talk.sees(post, "after all that").await;
    let refused = talk.fake.read(|world| {
        let refused = world.ledger.calls.iter().filter(|call| call.status == Some(400));
        refused.map(|call| call.line.clone()).collect::<Vec<_>>()
    });
    assert_eq!(refused, Vec::<String>::new());
    talk.nothing_amiss();
}

/// People's reactions on the card act as verbs; somebody else's are only reactions.
#[tokio::test]
async fn discord_reactions_on_the_card() {
    let talk = talk().await;
    let dm = talk.dm();
    talk.ask("I want to talk to a human");
    let post = talk.office.post(&talk.bridge).await;
    talk.sees(post, "yours to accept").await;
    talk.fake.react(talk.eve, post, post, "✅");
    talk.fake.react(talk.bob, post, post, "👀");
    talk.sees(dm, "has joined").await;
    assert_eq!(talk.count(dm, "resolved"), 0);
    talk.fake.react(talk.bob, post, post, "🎫");
    talk.sees(post, "T-000001").await;
    talk.fake.react(talk.bob, post, post, "🙋");
    talk.sees(post, "another pair of eyes").await;
    talk.fake.react(talk.bob, post, post, "✅");
    talk.sees(dm, "resolved").await;
    talk.nothing_amiss();
}
