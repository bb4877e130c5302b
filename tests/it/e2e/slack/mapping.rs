//! Who is a technician in Slack by the address of their profile, confirmed once (S75, D26).
//!
//! Not here: people without such an address (`words`), the rule itself (`conversation/identity.rs`).

use serde_json::json;

use super::super::bridge::Base;
use super::{Receive, Talk};

/// A desk whose only technician is known by address alone.
async fn by_address() -> Talk {
    let mut talk = Talk::set_up(Receive::Http, Base::Sqlite).await.expect("SQLite is always there");
    let identity = format!("identities = [\"slack:{}\"]", talk.bob);
    talk.bridge.configure(|text| text.replace(&identity, "email = \"Bob@Acme.example\""));
    talk.run().await;
    talk
}

async fn waiting(talk: &Talk) -> String {
    talk.ask("I want to talk to a human");
    talk.card().await.ts
}

#[tokio::test]
async fn slack_a_technician_confirms_their_address_once() {
    let mut talk = by_address().await;
    let (root, im) = (waiting(&talk).await, talk.im());
    talk.acme.press(&talk.bob, &talk.desk, &root, "Accept");
    let asked = talk.whispered(&talk.desk, &talk.bob, "Is that you?").await;
    let told = talk.acme.whispers(&talk.desk, &talk.bob).len();
    talk.reply(&root, "a canary before anything was confirmed");
    talk.until("second question", |world| {
        world.whispers(&talk.acme.team, &talk.desk, &talk.bob).len() > told
    })
    .await;
    talk.acme.press(&talk.bob, &talk.desk, &asked.ts, "Yes, that is me");
    talk.whispered(&talk.desk, &talk.bob, "You are Bob here").await;
    talk.acme.press(&talk.bob, &talk.desk, &root, "Accept");
    talk.sees(&im, "Bob has joined").await;
    talk.reply(&root, "On my way");
    talk.sees(&im, "On my way").await;
    assert_eq!(talk.count(&im, "canary"), 0);
    // It stays confirmed, and stands in the audit log.
    let rows = talk.bridge.rows("audit").await;
    let said = |row: &&serde_json::Value| {
        row["act"].as_str().is_some_and(|act| act.contains("is the technician bob"))
    };
    assert_eq!(rows.iter().filter(said).count(), 1, "{rows:?}");
    talk.run().await;
    talk.reply(&root, "Still here");
    talk.sees(&im, "Still here").await;
    talk.nothing_amiss();
}

/// App Home asks as well, and its answer counts like any other; a guest's has no question.
#[tokio::test]
async fn slack_the_home_tab_asks_for_the_confirmation() {
    let mut talk = by_address().await;
    let (root, im) = (waiting(&talk).await, talk.im());
    let guest = talk.acme.guest("Gus");
    talk.acme.change_user(&guest, |user| user.email = Some("bob@acme.example".into()));
    let home = |world: &deskbridge_platforms::slack::World, user: &str| {
        let key = (talk.acme.team.clone(), talk.app.id.clone(), user.to_owned());
        world.homes.get(&key).map(ToString::to_string)
    };
    talk.acme.open_tab(&guest, &talk.app, "home");
    let shown = talk.wait("the guest's Home tab", |world| home(world, &guest)).await;
    assert!(!shown.contains("Is that you?"), "{shown}");
    talk.acme.open_tab(&talk.bob, &talk.app, "home");
    talk.until("the question on the Home tab", |world| {
        home(world, &talk.bob)
            .is_some_and(|home| home.contains("Is that you?") && home.contains("My requests"))
    })
    .await;
    talk.acme.press_on_home(&talk.bob, &talk.app, "Yes, that is me");
    talk.until("the switch on the Home tab", |world| {
        home(world, &talk.bob)
            .is_some_and(|home| home.contains("Your presence") && !home.contains("Is that you?"))
    })
    .await;
    talk.acme.press(&talk.bob, &talk.desk, &root, "Accept");
    talk.sees(&im, "Bob has joined").await;
    talk.nothing_amiss();
    let rows = talk.bridge.rows("audit").await;
    let said = |row: &&serde_json::Value| {
        row["act"].as_str().is_some_and(|act| act.contains("is the technician bob"))
    };
    assert_eq!(rows.iter().filter(said).count(), 1, "{rows:?}");
}

/// The same address with a guest, somebody of a connected organisation, a person who has not confirmed it to Slack, or a
/// second account: nobody is asked, and a made-up press of the button is worth nothing (S74, S75).
#[tokio::test]
async fn slack_s75_an_address_alone_makes_nobody_a_technician() {
    let talk = by_address().await;
    let (root, im) = (waiting(&talk).await, talk.im());
    let mallory = talk.acme.user("Mallory");
    let people = [talk.acme.guest("Gus"), talk.acme.stranger("Strange"), mallory];
    for person in &people {
        talk.acme.join(&talk.desk, person);
        talk.acme.change_user(person, |user| user.email = Some("bob@acme.example".into()));
    }
    talk.acme.change_user(&people[2], |user| user.email_confirmed = false);
    let yes = |person: &str, at: usize| {
        json!({ "type": "block_actions", "team": { "id": talk.acme.team },
            "user": { "id": person, "team_id": talk.acme.team }, "channel": { "id": talk.desk },
            "container": { "type": "message", "channel_id": talk.desk, "message_ts": root, "thread_ts": root },
            "message": { "ts": root, "thread_ts": root }, "trigger_id": format!("1.{at}.yes"),
            "actions": [{ "type": "button", "action_id": "identity:yes", "action_ts": format!("190000000{at}.0001") }] })
    };
    for (at, person) in people.iter().enumerate() {
        talk.acme.reply(person, &talk.desk, &root, "!accept");
        talk.whispered(&talk.desk, person, "Only technicians").await;
        let pressed = talk.app.raw_interaction(yes(person, at));
        talk.until("taken press", |world| world.ledger.attempts(&pressed).iter().any(|it| it.was_taken()))
            .await;
        let told = talk.acme.whispers(&talk.desk, person).len();
        talk.acme.reply(person, &talk.desk, &root, "!accept");
        talk.until("second refusal", |world| {
            world.whispers(&talk.acme.team, &talk.desk, person).len() > told
        })
        .await;
    }
    // Bob himself is one person: once he said so, a second account with his address is nobody.
    talk.acme.command(&talk.bob, &talk.app, &im, "/desk", "on");
    let direct = talk.acme.im(&talk.bob, &talk.app);
    talk.until("question to Bob", |world| {
        let own = world.whispers(&talk.acme.team, &direct, &talk.bob);
        let here = world.whispers(&talk.acme.team, &im, &talk.bob);
        own.into_iter().chain(here).any(|whisper| super::shown(whisper).contains("Is that you?"))
    })
    .await;
    let pressed = talk.app.raw_interaction(yes(&talk.bob, 8));
    talk.until("taken press", |world| world.ledger.attempts(&pressed).iter().any(|it| it.was_taken())).await;
    let double = talk.acme.user("Double");
    talk.acme.join(&talk.desk, &double);
    talk.acme.change_user(&double, |user| user.email = Some("bob@acme.example".into()));
    talk.acme.reply(&double, &talk.desk, &root, "!accept");
    talk.whispered(&talk.desk, &double, "Only technicians").await;
    talk.reply(&root, "!accept");
    talk.sees(&im, "Bob has joined").await;
    talk.nothing_amiss();
}

/// D11: Slack's own presence lets others go first, and leaves nobody out.
#[tokio::test]
async fn slack_whoever_is_away_is_offered_last() {
    let mut talk = Talk::set_up(Receive::Http, Base::Sqlite).await.expect("SQLite is always there");
    let cem = talk.acme.user("Cem");
    talk.acme.join(&talk.desk, &cem);
    let technician = super::technician("Cem", &format!("slack:{cem}"));
    talk.bridge.configure(|text| format!("{text}\n{technician}"));
    talk.acme.change_user(&talk.bob, |user| user.active = false);
    talk.acme.change_user(&cem, |user| user.active = true);
    talk.run().await;
    // One after the other is asked about: when the second was, the first is known.
    talk.until("both were asked about", |world| {
        let asked = world.requests("users.getPresence");
        [&talk.bob, &cem].iter().all(|user| asked.iter().any(|call| call.text("user") == Some(user)))
    })
    .await;
    talk.ask("I want to talk to a human");
    let root = talk.card().await.ts;
    talk.until("offer", |world| {
        world.pings.iter().any(|ping| ping.whom.contains(&cem)) || ping_of(world, &talk.bob)
    })
    .await;
    assert!(talk.fake.read(|world| !ping_of(world, &talk.bob)), "somebody who is away was asked first");
    // Passed on, it is his all the same.
    talk.acme.press(&cem, &talk.desk, &root, "Decline");
    talk.until("offer to who is away", |world| ping_of(world, &talk.bob)).await;
    talk.acme.press(&talk.bob, &talk.desk, &root, "Accept");
    talk.sees(&talk.im(), "Bob has joined").await;
    talk.nothing_amiss();
}

fn ping_of(world: &deskbridge_platforms::slack::World, user: &str) -> bool {
    world.pings.iter().any(|ping| ping.whom.contains(user))
}
