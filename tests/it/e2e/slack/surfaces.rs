//! Slack's own surfaces: the command, the Home tab, shortcuts, modals, reactions, links.
//!
//! Not here: how they look (snapshots in the adapter), the agent view (`agent`).

use deskbridge_platforms::slack::{Post, World};
use serde_json::json;

use super::{Receive, Talk};

/// `/desk` asks, tells how things stand and calls a person; the answer comes in the direct messages.
#[tokio::test]
async fn slack_the_command_asks() {
    let talk = Talk::start(Receive::Http).await;
    let (im, town) = (talk.im(), talk.acme.channel("town", &[&talk.ana, &talk.app.bot_user]));
    talk.acme.command(&talk.ana, &talk.app, &town, "/desk", "my printer is jammed");
    talk.sees(&im, "Printer paper jam").await;
    talk.whispered(&town, &talk.ana, "direct messages").await;
    assert!(talk.acme.messages_in(&town, None).is_empty());
    talk.acme.command(&talk.ana, &talk.app, &im, "/desk", "human");
    talk.sees(&im, "I am connecting you with a technician").await;
    talk.card().await;
    talk.nothing_amiss();
}

/// The Home tab of who asks shows their requests; a technician's has the switch of presence.
#[tokio::test]
async fn slack_the_home_tab() {
    let talk = Talk::start(Receive::Http).await;
    talk.assigned().await;
    talk.acme.open_tab(&talk.ana, &talk.app, "home");
    let key = |user: &str| (talk.acme.team.clone(), talk.app.id.clone(), user.to_owned());
    talk.until("request on the Home tab", |world| {
        world.homes.get(&key(&talk.ana)).is_some_and(|home| home.to_string().contains("#1"))
    })
    .await;
    talk.acme.open_tab(&talk.bob, &talk.app, "home");
    talk.until("switch on the Home tab", |world| {
        world.homes.get(&key(&talk.bob)).is_some_and(|home| home.to_string().contains("Busy"))
    })
    .await;
    talk.acme.press_on_home(&talk.bob, &talk.app, "🟡 Busy");
    talk.until("busy on the Home tab", |world| {
        world.homes.get(&key(&talk.bob)).is_some_and(|home| home.to_string().contains("You are busy"))
    })
    .await;
    talk.nothing_amiss();
}

/// The global shortcut opens a form; what is written there is asked.
#[tokio::test]
async fn slack_the_shortcut_asks() {
    let talk = Talk::start(Receive::Http).await;
    let im = talk.im();
    talk.acme.shortcut(&talk.ana, &talk.app, "ask");
    let view = modal(&talk, &talk.ana.clone()).await;
    let inputs =
        view.view["blocks"].as_array().expect("blocks").iter().filter(|block| block["type"] == "input");
    let texts: Vec<String> = inputs
        .filter(|block| block["element"]["type"] == "plain_text_input")
        .filter_map(|block| block["element"]["action_id"].as_str().map(str::to_owned))
        .collect();
    let values: Vec<(&str, serde_json::Value)> =
        texts.iter().map(|id| (id.as_str(), json!("my printer is jammed"))).collect();
    talk.acme.submit(&view.id, &values);
    talk.sees(&im, "Printer paper jam").await;
    talk.until("closed form", |world| world.views.values().all(|view| view.closed)).await;
    talk.nothing_amiss();
}

async fn modal(talk: &Talk, user: &str) -> deskbridge_platforms::slack::View {
    talk.wait("form", |world| world.views.values().find(|view| view.user == user && !view.closed).cloned())
        .await
}

/// The card's menu opens a form for a note, which stays inside.
#[tokio::test]
async fn slack_a_note_by_a_form() {
    let talk = Talk::start(Receive::Http).await;
    let (root, im) = (talk.assigned().await, talk.im());
    let card = talk.card().await;
    let labels: Vec<String> = card.buttons().into_iter().map(|button| button.label).collect();
    let label =
        labels.iter().find(|label| label.to_lowercase().contains("note")).expect("a note on the card");
    talk.acme.press(&talk.bob, &talk.desk, &root, label);
    let view = modal(&talk, &talk.bob.clone()).await;
    let block = view.view["blocks"].as_array().expect("blocks").iter().find(|block| block["type"] == "input");
    let id = block.and_then(|block| block["element"]["action_id"].as_str()).expect("an input").to_owned();
    talk.acme.submit(&view.id, &[(&id, json!("a canary for colleagues"))]);
    let note = talk.sees(&talk.desk, "a canary for colleagues").await;
    assert_eq!(note.thread.as_ref(), Some(&root));
    talk.reply(&root, "and this is for you");
    talk.sees(&im, "and this is for you").await;
    assert_eq!(talk.count(&im, "canary"), 0);
    talk.nothing_amiss();
}

/// A person's reactions on the card act as verbs.
#[tokio::test]
async fn slack_reactions_on_the_card() {
    let talk = Talk::start(Receive::Http).await;
    let im = talk.im();
    talk.ask("I want to talk to a human");
    let root = talk.card().await.ts;
    talk.sees(&talk.desk, "yours to accept").await;
    // Somebody else's reaction is only a reaction.
    talk.acme.react(&talk.eve, &talk.desk, &root, "white_check_mark");
    talk.acme.react(&talk.bob, &talk.desk, &root, "eyes");
    talk.sees(&im, "Bob has joined").await;
    assert_eq!(talk.count(&im, "resolved"), 0);
    talk.acme.react(&talk.bob, &talk.desk, &root, "raising_hand::skin-tone-3");
    talk.sees(&talk.desk, "another pair of eyes").await;
    talk.acme.react(&talk.bob, &talk.desk, &root, "red_circle");
    talk.whispered(&talk.desk, &talk.bob, "The priority is 2 now").await;
    talk.acme.react(&talk.bob, &talk.desk, &root, "white_check_mark");
    talk.sees(&im, "has marked this as resolved").await;
    talk.nothing_amiss();
}

/// Links to a conversation and to its ticket unfold in the desk, also after a restart: nobody has to have drawn the card.
#[tokio::test]
async fn slack_links_unfold_in_the_desk() {
    let mut talk = Talk::start(Receive::Http).await;
    talk.app.configure(|app| app.unfurl_domains = vec!["127.0.0.1".into()]);
    let root = talk.assigned().await;
    talk.reply(&root, "!ticket");
    talk.whispered(&talk.desk, &talk.bob, "T-000001").await;
    talk.run().await;
    for reference in ["#1", "#T-000001"] {
        let link = talk.bridge.url(&format!("/console/{reference}"));
        let town = talk.acme.channel(&format!("town-{}", reference.len()), &[&talk.bob, &talk.app.bot_user]);
        let elsewhere = talk.acme.say(&talk.bob, &town, Post::wire(&format!("<{link}>")));
        let shared = talk.acme.say(&talk.bob, &talk.desk, Post::wire(&format!("look at <{link}>")));
        let shown = talk
            .wait("unfolded link", |world| {
                let message = world.message(&talk.acme.team, &talk.desk, &shared)?;
                message.unfurls.get(&link).map(ToString::to_string)
            })
            .await;
        assert!(shown.contains("#1") && shown.contains("Bob has it") && shown.contains("Ana"), "{shown}");
        assert_eq!(shown.contains("T-000001 · open"), reference == "#T-000001", "{shown}");
        let quiet = |world: &World| {
            world.message(&talk.acme.team, &town, &elsewhere).is_none_or(|it| it.unfurls.is_empty())
        };
        assert!(talk.fake.read(quiet), "a card outside of the desk");
    }
    talk.nothing_amiss();
}

/// "Show more" on the card: what the transcript cuts is in a form, page by page, for technicians.
#[tokio::test]
async fn slack_more_of_a_conversation_is_a_press_away() {
    let talk = Talk::start(Receive::Http).await;
    let im = talk.im();
    let long: Vec<String> =
        (0..3).map(|nth| format!("part {nth} {}the end of part {nth}", "of the log ".repeat(280))).collect();
    for part in &long {
        talk.ask(part.as_str());
    }
    talk.ask("I want to talk to a human");
    let root = talk.card().await.ts;
    let thread = |world: &World| {
        let all = talk.own(world, &talk.desk).into_iter();
        let inside = all.filter(|message| message.thread.as_ref() == Some(&root));
        inside.map(deskbridge_platforms::slack::Message::shown).collect::<Vec<_>>().join("\n")
    };
    talk.until("transcript", |world| thread(world).contains("part 2 ")).await;
    let transcript = talk.fake.read(thread);
    assert!(!transcript.contains("the end of part 2"), "{transcript}");
    talk.acme.press(&talk.bob, &talk.desk, &root, "Show more");
    let view = modal(&talk, &talk.bob.clone()).await;
    let mut text = shown_in(&view);
    assert!(text.contains("Conversation #1") && text.contains("part 0"), "{text}");
    while let Some(turned) = turn(&talk, &view.id).await {
        text.push_str(&turned);
    }
    for nth in 0..3 {
        assert!(text.contains(&format!("the end of part {nth}")), "{nth}");
    }
    // Who is no technician is told so, and sees nothing.
    talk.acme.press(&talk.eve, &talk.desk, &root, "Show more");
    talk.whispered(&talk.desk, &talk.eve, "Only technicians").await;
    assert!(talk.fake.read(|world| world.views.values().all(|view| view.user != talk.eve)));
    assert_eq!(talk.count(&im, "Only technicians"), 0);
    talk.nothing_amiss();
}

fn shown_in(view: &deskbridge_platforms::slack::View) -> String {
    view.view.to_string()
}

/// The next page of a modal, where there is one.
async fn turn(talk: &Talk, id: &str) -> Option<String> {
    let now = talk.fake.read(|world| world.views.get(id).map(shown_in))?;
    if !now.contains("Later →") {
        return None;
    }
    talk.acme.press_in_modal(id, "Later →");
    let next = talk
        .wait("the next page", |world| world.views.get(id).map(shown_in).filter(|shown| *shown != now))
        .await;
    Some(next)
}
