//! What users of comparable products met with Slack (T1–T15), and what people write into it (S37–S44).
//!
//! Not here: duplicates and outages (`faults`), forged requests (`doors`).

use std::time::Duration;

use deskbridge_platforms::slack::{Author, Fault, FaultKind, Post};

use super::{Receive, Talk};

/// A redelivery, and one whose first copy never arrived: the retry's headers decide nothing (T1, T2).
#[tokio::test]
async fn slack_t1_t2_retries() {
    let mut talk = Talk::start(Receive::Http).await;
    let im = talk.im();
    let ts = talk.ask("my printer is jammed");
    talk.sees(&im, "Printer paper jam").await;
    let event = talk.acme.events_about(&im, &ts).remove(0);
    talk.fake.redeliver(&event, 3);
    // Nobody is there for the first attempts: what arrives is a retry.
    let url = talk.bridge.url("/hooks/slack");
    talk.app.post_to("http://127.0.0.1:9/");
    let late = talk.ask("my vpn says 691");
    let late = talk.acme.events_about(&im, &late).remove(0);
    talk.until("failed attempt", |world| !world.ledger.attempts(&late).is_empty()).await;
    talk.app.post_to(&url);
    talk.sees(&im, "691").await;
    let attempts = talk.fake.attempts(&late);
    assert!(attempts.last().is_some_and(|last| last.attempt > 1 && last.was_taken()), "{attempts:?}");
    talk.until("copies", |world| world.outstanding() == 0).await;
    assert_eq!(talk.count(&im, "Printer paper jam"), 1);
    let rows = talk.bridge.rows("messages").await;
    assert_eq!(rows.iter().filter(|row| row["content"]["text"] == "my printer is jammed").count(), 1);
}

/// A late copy after other things happened (T4), and the answer before any work (T6).
#[tokio::test]
async fn slack_t4_t6_late_copies_and_early_answers() {
    let mut talk = Talk::start(Receive::Http).await;
    let (root, im) = (talk.assigned().await, talk.im());
    let told = talk.reply(&root, "turn it off and on");
    talk.sees(&im, "turn it off and on").await;
    talk.reply(&root, "!ticket");
    talk.sees(&talk.desk, "Ticket").await;
    let event = talk.acme.events_about(&talk.desk, &told).remove(0);
    talk.fake.redeliver(&event, 2);
    // The platform is slow to take the answer; the event was answered long before.
    let slow = FaultKind::Stall { wait: Duration::from_secs(4), effect: true };
    talk.fake.fault(Fault::on("chat.postMessage", slow).in_channel(&im));
    let next = talk.reply(&root, "any better?");
    talk.sees(&im, "any better?").await;
    let next = talk.acme.events_about(&talk.desk, &next).remove(0);
    let attempts = talk.fake.attempts(&next);
    assert!(attempts.len() == 1 && attempts[0].took < Duration::from_secs(3), "{attempts:?}");
    assert_eq!((talk.count(&im, "turn it off and on"), talk.count(&im, "any better?")), (1, 1));
    let rows = talk.bridge.rows("messages").await;
    assert_eq!(rows.iter().filter(|row| row["content"]["text"] == "turn it off and on").count(), 1);
}

/// An edit of a message with a file changes its words and sends nothing again (T7).
#[tokio::test]
async fn slack_t7_an_edited_message_with_a_file() {
    let talk = Talk::start(Receive::Http).await;
    talk.assigned().await;
    let ts = talk.ask(Post::text("how it loks").file("a.txt", &b"file"[..]));
    talk.sees(&talk.desk, "how it loks").await;
    let files = || {
        talk.fake.read(|world| {
            let own = talk.own(world, &talk.desk);
            own.iter().flat_map(|message| message.file_names()).filter(|name| *name == "a.txt").count()
        })
    };
    talk.until("file", |world| talk.own(world, &talk.desk).iter().any(|it| it.file_names() == ["a.txt"]))
        .await;
    talk.acme.edit(&talk.ana, &talk.im(), &ts, "how it looks");
    talk.sees(&talk.desk, "how it looks").await;
    talk.acme.preview(&talk.im(), &ts);
    talk.ask("that is all");
    talk.sees(&talk.desk, "that is all").await;
    assert_eq!((files(), talk.count(&talk.desk, "how it lo")), (1, 1));
    talk.nothing_amiss();
}

/// One message with four files is one message: the words once, the files in order (T10).
#[tokio::test]
async fn slack_t10_four_files_are_one_message() {
    let talk = Talk::start(Receive::Http).await;
    talk.assigned().await;
    let names = ["one.txt", "two.txt", "three.txt", "four.txt"];
    let post =
        names.iter().fold(Post::text("all four"), |post, name| post.file(name, name.as_bytes().to_vec()));
    talk.ask(post);
    let shown = |world: &deskbridge_platforms::slack::World| -> Vec<String> {
        let own = talk.own(world, &talk.desk);
        own.iter().flat_map(|message| message.file_names()).map(str::to_owned).collect()
    };
    talk.until("four files", |world| shown(world).len() >= 4).await;
    talk.ask("done");
    talk.sees(&talk.desk, "done").await;
    assert_eq!(talk.fake.read(shown), names);
    assert_eq!(talk.count(&talk.desk, "all four"), 1);
    talk.nothing_amiss();
}

/// A file alone and with words; one that cannot be had is named with the reason, and the words arrive (T11, F37).
#[tokio::test]
async fn slack_t11_files_that_fail_are_told() {
    let talk = Talk::start(Receive::Http).await;
    let (root, im) = (talk.assigned().await, talk.im());
    talk.reply(&root, Post::default().file("alone.txt", &b"alone"[..]));
    talk.until("file", |world| talk.own(world, &im).iter().any(|it| it.file_names() == ["alone.txt"])).await;
    // A page where one signs in, instead of the file.
    talk.fake.fault(Fault::on("download", FaultKind::Html { effect: false }).times(20));
    let told = talk.reply(&root, Post::text("see the plan").file("plan.pdf", &b"%PDF-1.4 plan"[..]));
    talk.sees(&im, "see the plan").await;
    // Told to the technician, who is the one who can do something about it.
    let notice = talk
        .wait("word about the file", |world| {
            let own = talk.own(world, &talk.desk).into_iter();
            let mut later = own.filter(|message| message.thread.as_ref() == Some(&root) && message.ts > told);
            later.find(|message| message.shown().contains("plan.pdf")).cloned()
        })
        .await;
    assert!(notice.shown().contains("sign-in page"), "{}", notice.shown());
    let html =
        talk.fake.read(|world| world.files.kept.values().filter(|file| file.name == "plan.pdf").count());
    assert_eq!(html, 1, "the page was relayed as the file");
    talk.fake.clear_faults();
}

/// An app without the right to bring files: each file is told in its place, and everything else goes on at once.
#[tokio::test]
async fn slack_a_missing_scope_stops_only_what_needs_it() {
    let talk = Talk::start(Receive::Http).await;
    let (root, im) = (talk.assigned().await, talk.im());
    talk.app.configure(|app| app.scopes.retain(|scope| scope != "files:write"));
    let told = talk.reply(&root, Post::text("see the plan").file("plan.pdf", &b"%PDF-1.4 plan"[..]));
    let failure = talk.sees(&talk.desk, "Not delivered").await;
    assert_eq!(failure.thread.as_ref(), Some(&root));
    assert!(failure.shown().contains("files:write"), "{}", failure.shown());
    talk.marked(&talk.desk, &told, "warning").await;
    talk.reply(&root, "words go on");
    talk.sees(&im, "words go on").await;
    talk.ask(Post::text("what I see").file("shot.png", &b"png"[..]));
    let hidden = talk.sees(&talk.desk, "could not be shown").await;
    assert!(hidden.shown().contains("files:write"), "{}", hidden.shown());
    talk.ask("still there?");
    talk.sees(&talk.desk, "still there?").await;
    // Of a pause nothing is heard; what is missing is told where the channel is looked after.
    talk.health_says("the app lacks files:write").await;
    talk.app.configure(|app| app.scopes.push("files:write".into()));
    talk.acme.press(&talk.bob, &talk.desk, &failure.ts, "Try again");
    talk.until("the plan", |world| talk.own(world, &im).iter().any(|it| it.file_names() == ["plan.pdf"]))
        .await;
}

/// The technician's words do not reach the requester: it is seen on the message and in the thread (T13, T14).
#[tokio::test]
async fn slack_t13_t14_what_is_not_delivered_is_shown() {
    let talk = Talk::start(Receive::Http).await;
    let (root, im) = (talk.assigned().await, talk.im());
    talk.fake.fault(Fault::on("chat.postMessage", FaultKind::refused("channel_not_found")).in_channel(&im));
    let told = talk.reply(&root, "can you hear me?");
    talk.marked(&talk.desk, &told, "warning").await;
    let failure = talk.sees(&talk.desk, "Not delivered").await;
    assert_eq!(failure.thread.as_ref(), Some(&root));
    assert_eq!(talk.count(&im, "can you hear me?"), 0);
    talk.acme.press(&talk.bob, &talk.desk, &failure.ts, "Try again");
    talk.sees(&im, "can you hear me?").await;
    talk.marked(&talk.desk, &told, "incoming_envelope").await;
}

/// Words in the thread before anybody accepted, and words of a colleague, stay inside, with a hint only they see (T15).
#[tokio::test]
async fn slack_t15_t16_internal_words_stay_inside() {
    let mut talk = Talk::set_up(Receive::Http, super::Base::Sqlite).await.expect("SQLite is always there");
    let cem = talk.acme.user("Cem");
    talk.acme.join(&talk.desk, &cem);
    let second = super::technician("Cem", &format!("slack:{cem}"));
    talk.bridge.configure(|text| text + "\n" + &second);
    talk.run().await;
    let im = talk.im();
    talk.ask("I want to talk to a human");
    let root = talk.card().await.ts;
    let offer = talk.sees(&talk.desk, "yours to accept").await;
    // Either may be asked first.
    let asked_bob = offer.shown().contains("Bob") || offer.shown().contains(&talk.bob);
    let (owner, colleague) = if asked_bob { (talk.bob.clone(), cem) } else { (cem, talk.bob.clone()) };
    talk.acme.reply(&colleague, &talk.desk, &root, "same canary as yesterday");
    talk.acme.reply(&owner, &talk.desk, &root, "I will have a look");
    talk.sees(&im, "I will have a look").await;
    let aside = talk.acme.reply(&colleague, &talk.desk, &root, "she broke that canary herself");
    let hint = talk.whispered(&talk.desk, &colleague, "Kept internal").await;
    assert_eq!(hint.thread.as_ref(), Some(&root));
    talk.marked(&talk.desk, &aside, "lock").await;
    assert_eq!(talk.count(&im, "canary"), 0);
    // Nobody else was shown the hint.
    assert!(
        talk.acme.whispers(&talk.desk, &owner).iter().all(|it| !super::shown(it).contains("Kept internal"))
    );
    let whisper = talk.whispered(&talk.desk, &colleague, "owns this").await;
    talk.acme.press(&colleague, &talk.desk, &whisper.ts, "Send anyway");
    talk.sees(&im, "she broke that canary herself").await;
    talk.nothing_amiss();
}

/// Nothing that somebody writes rings a bell, commands or formats on the other side (S37, S41, S44).
#[tokio::test]
async fn slack_s37_s41_s44_what_people_write_is_text() {
    let talk = Talk::start(Receive::Http).await;
    let (root, im) = (talk.assigned().await, talk.im());
    talk.fake.change(|world| world.pings.clear());
    talk.ask("<!channel> <!here> <!everyone> <!subteam^S1> <@U0000000002> @channel");
    let shown = talk.sees(&talk.desk, "<!subteam^S1>").await;
    assert!(shown.text.contains("&lt;!channel&gt;") || shown.blocks.is_some(), "{shown:?}");
    // Mentions of the platform's own are names on the other side.
    talk.ask(Post::wire(&format!("ask <@{}> in <!here>", talk.eve)));
    let shown = talk.sees(&talk.desk, "ask ").await;
    assert!(shown.shown().contains("Eve"), "{}", shown.shown());
    for text in ["!resolve", "/resolve", "#handover", "!assign me"] {
        talk.ask(text);
        talk.sees(&talk.desk, text).await;
    }
    talk.reply(&root, "still here <!channel>");
    talk.sees(&im, "still here").await;
    assert_eq!(talk.count(&im, "resolved"), 0);
    assert_eq!(talk.fake.read(|world| world.pings.clone()), Vec::new());
    talk.acme.change_user(&talk.ana, |user| user.real_name = "Bob \u{202e}nimdA <!channel>".into());
    talk.ask("who am I?");
    let shown = talk.sees(&talk.desk, "who am I?").await;
    let name = talk.fake.read(|world| world.author_name(&talk.acme.team, &shown));
    assert!(!name.contains('\u{202e}') && name != "Bob", "{name:?}");
    talk.nothing_amiss();
}

/// Very long words arrive whole in numbered parts, or are cut with a notice (S43).
#[tokio::test]
async fn slack_s43_very_long_messages() {
    let talk = Talk::start(Receive::Http).await;
    let (root, im) = (talk.assigned().await, talk.im());
    let paragraph = "Lorem ipsum dolor sit amet, consetetur sadipscing elitr. ".repeat(20);
    let text: String = (0..12).map(|n| format!("part-{n:02} {paragraph}\n\n")).collect();
    talk.reply(&root, text.as_str());
    talk.sees(&im, "part-11").await;
    for n in 0..12 {
        assert_eq!(talk.count(&im, &format!("part-{n:02}")), 1, "part {n}");
    }
    let of = |channel: &str, sign: &str| {
        let own = talk.fake.read(|world| {
            talk.own(world, channel).iter().map(|message| message.shown()).collect::<Vec<String>>()
        });
        own.into_iter().filter(|text| text.contains(sign)).collect::<Vec<String>>()
    };
    in_numbered_parts(&of(&im, "Lorem"));
    talk.ask("🙂".repeat(9_000).as_str());
    talk.ask("after all that");
    talk.sees(&talk.desk, "after all that").await;
    let shown = of(&talk.desk, "🙂");
    assert_eq!(shown.iter().map(|text| text.matches('🙂').count()).sum::<usize>(), 9_000);
    in_numbered_parts(&shown);
    talk.nothing_amiss();
    let refused = talk.fake.read(|world| {
        world.ledger.calls.iter().filter_map(|call| call.error().map(str::to_owned)).collect::<Vec<_>>()
    });
    assert!(refused.iter().all(|error| !error.contains("long") && !error.contains("blocks")), "{refused:?}");
}

/// Each says which of how many it is.
#[track_caller]
fn in_numbered_parts(parts: &[String]) {
    assert!(parts.len() > 1, "{} messages", parts.len());
    for (nth, part) in parts.iter().enumerate() {
        let number = format!("({}/{})", nth + 1, parts.len());
        assert!(part.trim_end_matches(['_', '*']).ends_with(&number), "no {number} at the end of {part}");
    }
}

/// Files are fetched with the token from Slack's hosts only (S85).
#[tokio::test]
async fn slack_s85_the_token_stays_at_home() {
    let talk = Talk::start(Receive::Http).await;
    talk.assigned().await;
    let stranger = super::Office::open().await;
    let elsewhere = format!("{}/files-pri/x", stranger.fake.base_url()).replace("127.0.0.1", "localhost");
    let im = talk.im();
    let file = serde_json::json!({ "id": "F1", "name": "a.txt", "mimetype": "text/plain", "size": 4, "mode": "hosted",
        "url_private": elsewhere, "url_private_download": elsewhere });
    talk.app.event(serde_json::json!({ "type": "message", "subtype": "file_share", "channel": im,
        "channel_type": "im", "user": talk.ana, "text": "look at this", "ts": "1900000000.000100",
        "event_ts": "1900000000.000100", "files": [file] }));
    talk.sees(&talk.desk, "look at this").await;
    talk.ask("did you?");
    talk.sees(&talk.desk, "did you?").await;
    let sent = stranger.fake.read(|world| world.ledger.calls.iter().filter(|call| call.authorized).count());
    assert_eq!(sent, 0, "the token left the platform");
}

/// A mention in a channel is answered in its thread, and the thread goes on without further mentions.
#[tokio::test]
async fn slack_a_mention_is_answered_in_its_thread() {
    let talk = Talk::start(Receive::Http).await;
    let help = talk.acme.channel("help", &[&talk.ana, &talk.eve, &talk.app.bot_user]);
    let question = Post::text("my printer is jammed").mentioning(&talk.app.bot_user);
    let root = talk.acme.say(&talk.ana, &help, question);
    let answer = talk.sees(&help, "Printer paper jam").await;
    assert_eq!(answer.thread.as_ref(), Some(&root));
    talk.acme.reply(&talk.ana, &help, &root, "I want to talk to a human");
    let card = talk.card().await.ts;
    talk.sees(&talk.desk, "yours to accept").await;
    talk.acme.press(&talk.bob, &talk.desk, &card, "Accept");
    talk.sees(&help, "Bob has joined").await;
    talk.reply(&card, "Pull the green lever");
    let told = talk.sees(&help, "Pull the green lever").await;
    assert_eq!(told.thread.as_ref(), Some(&root));
    // Somebody else's talk in the channel is none of ours.
    talk.acme.say(&talk.eve, &help, "lunch?");
    talk.acme.reply(&talk.ana, &help, &root, "thanks");
    talk.sees(&talk.desk, "thanks").await;
    assert_eq!(talk.count(&talk.desk, "lunch?"), 0);
    assert_eq!(talk.count(&help, "Printer paper jam"), 1, "two events of one mention, one answer");
    talk.nothing_amiss();
}

/// Several people in the thread of a request: each under their own name, and only who asked decides.
#[tokio::test]
async fn slack_others_in_a_thread_decide_nothing() {
    let talk = Talk::start(Receive::Http).await;
    let guest = talk.acme.guest("Gus");
    let people = [&talk.ana, &talk.eve, &guest, &talk.app.bot_user];
    let help = talk.acme.channel("help", &people.map(|who| who as &str));
    let question = Post::text("I want to talk to a human").mentioning(&talk.app.bot_user);
    let root = talk.acme.say(&talk.ana, &help, question);
    let waiting = talk.sees(&help, "I am connecting you").await.ts;
    let card = talk.card().await.ts;
    // Whose words they are is seen, in the desk and in the transcript.
    let spoken = async |words: &str, by: &str| {
        let shown = talk.sees(&talk.desk, words).await;
        let Author::App { username, .. } = &shown.author else { panic!("{shown:?}") };
        assert!(username.as_deref().is_some_and(|name| name.starts_with(by)), "{words}: {shown:?}");
    };
    talk.acme.reply(&talk.eve, &help, &root, "on the second floor, too");
    spoken("on the second floor, too", "Eve").await;
    talk.acme.reply(&guest, &help, &root, "and in the hall");
    spoken("and in the hall", "Gus").await;
    talk.acme.reply(&talk.ana, &help, &root, "since this morning");
    spoken("since this morning", "Ana").await;
    // Neither a button nor a word of theirs ends the wait.
    talk.acme.press(&talk.eve, &help, &waiting, "Keep the assistant");
    talk.whispered(&help, &talk.eve, "Only Ana can do that here").await;
    talk.acme.reply(&guest, &help, &root, "/close");
    talk.whispered(&help, &guest, "Only Ana can do that here").await;
    talk.acme.press(&talk.bob, &talk.desk, &card, "Accept");
    talk.sees(&help, "Bob has joined").await;
    talk.reply(&card, "!csat");
    let rating = talk.sees(&help, "How did we do").await.ts;
    talk.acme.press(&talk.eve, &help, &rating, "😞 1");
    talk.until("second hint for Eve", |world| world.whispers(&talk.acme.team, &help, &talk.eve).len() == 2)
        .await;
    talk.acme.press(&talk.ana, &help, &rating, "😀 5");
    talk.sees(&talk.desk, "rated this 5 of 5").await;
    assert_eq!((talk.count(&talk.desk, "rated this 1"), talk.count(&help, "keep going")), (0, 0));
    let whispered = talk.fake.read(|world| world.whispers(&talk.acme.team, &help, &talk.ana).len());
    assert_eq!(whispered, 0, "who asked was refused");
    // Who only ever spoke beside others' requests is known, and told what stays of them.
    let (good, _, said) = talk.bridge.run(&["erase", &format!("slack:{}", talk.eve), "--yes"]).await;
    assert!(good && said.contains("Requests of others: what they wrote in #1,"), "{said}");
    talk.nothing_amiss();
}

/// A desk channel that was archived is seen by whoever looks at the channel's health.
#[tokio::test]
async fn slack_an_archived_desk_is_told_by_the_channels_health() {
    let talk = Talk::start(Receive::Http).await;
    talk.assigned().await;
    talk.acme.archive(&talk.desk, &talk.bob);
    talk.ask("does anybody read this?");
    talk.health_says("takes no messages: ").await;
}
