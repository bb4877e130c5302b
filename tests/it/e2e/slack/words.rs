//! What people write that is meant to be more than words (S36–S45), and who is nobody at the desk (S74).
//!
//! Not here: the requests that bring it (`doors`), mapping by address (`mapping`).

use deskbridge_platforms::slack::Post;

use super::{Receive, Talk};

/// Mentions, commands and markup of other platforms are words in Slack, both ways; nobody hears a bell (S36, S39).
#[tokio::test]
async fn slack_s36_s39_other_platforms_markup_is_text() {
    let talk = Talk::start(Receive::Http).await;
    let (root, im) = (talk.assigned().await, talk.im());
    talk.fake.change(|world| world.pings.clear());
    let foreign = [
        "@everyone @here <@&1> <@1> <@!1> <#1>",
        "<at>Bob</at> @Bob tg://user?id=5 [Bob](tg://user?id=5)",
        "<b>bold</b> <a href='https://evil.example'>IT</a> <script>alert(1)</script>",
        "&lt;!here&gt; &amp;lt;!channel&amp;gt;",
        "<mailto:x@evil.example|mail> is no link of mine",
    ];
    for (at, text) in foreign.iter().enumerate() {
        talk.ask(format!("{text} asked-{at}"));
        let shown = talk.sees(&talk.desk, &format!("asked-{at}")).await;
        assert!(shown.shown().contains(text), "asked {text}: {}", shown.shown());
        talk.reply(&root, format!("{text} told-{at}"));
        let shown = talk.sees(&im, &format!("told-{at}")).await;
        assert!(shown.shown().contains(text), "told {text}: {}", shown.shown());
    }
    assert_eq!(talk.fake.read(|world| world.pings.clone()), Vec::new());
    // Not one call asks Slack to look for names in a text.
    let looks = |world: &deskbridge_platforms::slack::World| {
        let calls = world.ledger.calls.iter();
        calls.filter(|call| call.text("link_names").is_some() || call.text("parse").is_some()).count()
    };
    assert_eq!(talk.fake.read(looks), 0);
    talk.nothing_amiss();
}

/// A label that reads as another address than it leads to shows where it leads; an honest one stays a label.
#[tokio::test]
async fn slack_s36_s45_links_show_where_they_lead() {
    let talk = Talk::start(Receive::Http).await;
    talk.assigned().await;
    talk.ask(Post::wire("pay at <https://evil.example/pay|https://bank.example> now"));
    let shown = talk.sees(&talk.desk, "pay at").await;
    assert!(shown.shown().contains("https://evil.example/pay"), "{}", shown.shown());
    talk.ask(Post::wire("read <https://example.org/a|the manual> first"));
    let shown = talk.sees(&talk.desk, "first").await;
    assert!(!shown.shown().contains("javascript:"), "{}", shown.shown());
    let raw = format!("{}{}", shown.text, shown.blocks.clone().unwrap_or_default());
    assert!(raw.contains("https://example.org/a") && raw.contains("the manual"), "{raw}");
    talk.nothing_amiss();
}

/// A name is no stage: nothing invisible, no markup, no bell, not a technician's, not the bridge's own (S41).
#[tokio::test]
async fn slack_s41_names_are_only_names() {
    let talk = Talk::start(Receive::Http).await;
    let names =
        ["Bob", "b\u{43e}b", "Bob\u{200b}", "\u{202e}boB", "<!channel>", "*Bob*", "`x` \u{0}\u{7}", " "];
    for (at, name) in names.iter().enumerate() {
        // A name counts from the first word of a conversation on.
        let person = talk.acme.user(&format!("Person {at}"));
        talk.acme.change_user(&person, |user| user.real_name = (*name).to_owned());
        talk.acme.dm(&person, &talk.app, "I want to talk to a human");
        talk.acme.dm(&person, &talk.app, format!("named-{at}"));
        let shown = talk.sees(&talk.desk, &format!("named-{at}")).await;
        let author = talk.fake.read(|world| world.author_name(&talk.acme.team, &shown));
        // As an eye reads it: letters only, the Cyrillic one as the Latin.
        let letters = author.chars().filter(|c| c.is_alphabetic());
        let read: String =
            letters.map(|c| if c == '\u{43e}' { 'o' } else { c.to_ascii_lowercase() }).collect();
        assert_ne!(read, "bob", "{name:?} became {author:?}");
        assert_eq!(author.ends_with(" (requester)"), read.starts_with("bob"), "{name:?} became {author:?}");
        let invisible =
            |c: char| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}');
        assert!(!author.trim().is_empty() && !author.chars().any(invisible), "{name:?} became {author:?}");
    }
    // Bob is called to what is offered to him; nobody is called by a name.
    let loud = |world: &deskbridge_platforms::slack::World| {
        world.pings.iter().filter(|ping| ping.whom.contains('!')).count()
    };
    assert_eq!(talk.fake.read(loud), 0);
    talk.nothing_amiss();
}

/// Marks piled on characters, thousands of lines, and words without an end: something arrives, nothing stops (S43).
#[tokio::test]
async fn slack_s43_pathological_words() {
    let talk = Talk::start(Receive::Http).await;
    talk.assigned().await;
    let zalgo: String = "zalgo".chars().flat_map(|c| std::iter::once(c).chain(['\u{336}'; 200])).collect();
    for text in [zalgo, "line\n".repeat(2_000), "w".repeat(30_000), "> ".repeat(5_000), "[".repeat(5_000)] {
        talk.ask(text);
    }
    talk.ask("after all that");
    talk.sees(&talk.desk, "after all that").await;
    let lines = talk.count(&talk.desk, "line");
    assert!((1..40).contains(&lines), "{lines} messages of lines");
    // All of it is there, in whatever number of messages: of what says nothing but marks, the marks.
    let shown: String = talk
        .fake
        .read(|world| talk.own(world, &talk.desk).iter().map(|message| message.shown() + "\n").collect());
    let piece = |sign: char, least: usize| {
        let runs = shown.split(|c: char| c != sign).filter(|run| run.len() >= least);
        runs.map(str::len).sum::<usize>()
    };
    assert_eq!(shown.matches("line").count(), 2_000);
    assert_eq!(piece('w', 50), 30_000);
    assert_eq!(piece('[', 50), 5_000);
    assert!(shown.contains('z') && shown.matches('\u{336}').count() <= 5 * 8, "towers are trimmed");
    talk.nothing_amiss();
}

/// What a requester types is never a command, wherever: direct messages, channels, names of files (S44, S45).
#[tokio::test]
async fn slack_s44_s45_requesters_command_nobody() {
    let talk = Talk::start(Receive::Http).await;
    talk.assigned().await;
    for text in
        ["!accept", "!transfer @eve", "!off", "@IT Desk resolve", "🔒 secret", "note: for you", ";; hidden"]
    {
        talk.ask(format!("{text} from ana"));
        let shown = talk.sees(&talk.desk, &format!("{text} from ana")).await;
        assert!(shown.shown().contains("from ana"));
    }
    talk.ask(Post::text("see the file").file("!resolve <!channel>.txt", &b"!resolve"[..]));
    talk.sees(&talk.desk, "see the file").await;
    talk.ask("still there?");
    talk.sees(&talk.desk, "still there?").await;
    assert_eq!(talk.count(&talk.im(), "resolved"), 0);
    assert_eq!(
        talk.fake.read(|world| world.pings.iter().filter(|ping| ping.whom == "<!channel>").count()),
        0
    );
    talk.nothing_amiss();
}

/// Guests, people of connected organisations, other people's bots and colleagues who are no technicians reach nobody by
/// words, verbs, buttons or reactions, and are told so, each by themselves (S74).
#[tokio::test]
async fn slack_s74_only_technicians_count() {
    let talk = Talk::start(Receive::Http).await;
    let (root, im) = (talk.assigned().await, talk.im());
    let people = [
        talk.acme.guest("Gus"),
        talk.acme.single_channel_guest("Gil"),
        talk.acme.stranger("Strange"),
        talk.eve.clone(),
    ];
    let bot = talk.acme.bot("Beep");
    for person in people.iter().chain([&bot]) {
        talk.acme.join(&talk.desk, person);
    }
    for person in &people {
        talk.acme.reply(person, &talk.desk, &root, "a canary from nobody");
        talk.whispered(&talk.desk, person, "Only technicians").await;
        let told = talk.acme.whispers(&talk.desk, person).len();
        talk.acme.reply(person, &talk.desk, &root, "!resolve");
        talk.until("refused verb", |world| world.whispers(&talk.acme.team, &talk.desk, person).len() > told)
            .await;
        talk.acme.press(person, &talk.desk, &root, "Resolve");
        talk.acme.react(person, &talk.desk, &root, "white_check_mark");
    }
    talk.acme.reply(&bot, &talk.desk, &root, "a canary from a bot");
    talk.reply(&root, "still yours");
    talk.sees(&im, "still yours").await;
    assert_eq!((talk.count(&im, "canary"), talk.count(&im, "resolved")), (0, 0));
    talk.nothing_amiss();
}
