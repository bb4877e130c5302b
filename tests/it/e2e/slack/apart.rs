//! Several workspaces, and several apps in one, in one bridge: never mixed, never in a loop.
//!
//! Not here: signatures of the one at the door of the other (`doors`).

use std::time::Duration;

use super::super::bridge::{Base, Bridge};
use super::super::talk::UNPACED;
use super::{Office, Receive, Talk, technician, waited};

async fn served(channels: &str) -> Bridge {
    let mut bridge = Bridge::with(channels, Base::Sqlite).await.expect("SQLite is always there");
    bridge.start_as(&UNPACED).await;
    bridge
}

/// The ids of channels, people and messages are the same in both workspaces: they are unique inside one only.
#[tokio::test]
async fn slack_two_workspaces_are_never_mixed() {
    let acme = Office::open().await;
    let other = Office::of(&acme.fake, "Other");
    assert_eq!((&acme.ana, &acme.desk, acme.im()), (&other.ana, &other.desk, other.im()));
    let channels = [
        acme.channel("acme", Receive::Http),
        "queue = \"acme\"\n".into(),
        format!("[[channels.acme.desks]]\nroom = \"{}\"\nqueues = [\"acme\"]\n", acme.desk),
        other.channel("other", Receive::Http),
        "queue = \"other\"\n".into(),
        format!("[[channels.other.desks]]\nroom = \"{}\"\nqueues = [\"other\"]\n", other.desk),
        format!("{}queues = [\"acme\"]\n", technician("Bob", &format!("acme:{}", acme.bob))),
        format!("{}queues = [\"other\"]\n", technician("Rob", &format!("other:{}", other.bob))),
        "[queues.acme]\n[queues.other]\n".into(),
    ];
    let bridge = served(&channels.concat()).await;
    acme.connect(Receive::Http, &bridge, "acme");
    other.connect(Receive::Http, &bridge, "other");
    for (office, canary) in [(&acme, "canary-acme"), (&other, "canary-other")] {
        office.ask(format!("I want to talk to a human about {canary}"));
    }
    for (office, canary) in [(&acme, "canary-acme"), (&other, "canary-other")] {
        let root = waited(&acme.fake, &bridge, "card", |world| {
            let mut own = office.own(world, &office.desk).into_iter();
            own.rfind(|message| message.thread.is_none() && !message.buttons().is_empty())
                .map(|card| card.ts.clone())
        })
        .await;
        waited(&acme.fake, &bridge, "offer", |world| {
            let own = office.own(world, &office.desk);
            own.iter().any(|message| message.shown().contains("yours to accept")).then_some(())
        })
        .await;
        office.acme.press(&office.bob, &office.desk, &root, "Accept");
        let im = office.im();
        let told = format!("about {canary}: on my way");
        waited(&acme.fake, &bridge, "acceptance", |world| {
            let own = office.own(world, &im);
            own.iter().any(|message| message.shown().contains("has joined")).then_some(())
        })
        .await;
        office.reply(&root, told.as_str());
        waited(&acme.fake, &bridge, "answer", |world| {
            let own = office.own(world, &im);
            own.iter().any(|message| message.shown().contains(&told)).then_some(())
        })
        .await;
    }
    let leaked = |office: &Office, canary: &str| {
        let report: Vec<String> = [office.im(), office.desk.clone()]
            .iter()
            .flat_map(|channel| {
                office.fake.read(|world| {
                    let all = world.all_in(&office.acme.team, channel);
                    all.iter().map(|message| message.shown()).collect::<Vec<_>>()
                })
            })
            .collect();
        report.iter().any(|text| text.contains(canary))
    };
    assert!(!leaked(&acme, "canary-other") && !leaked(&other, "canary-acme"));
    let stray = |call: &&deskbridge_platforms::slack::Call| {
        // A response URL needs no token and takes none.
        call.team.is_none() && call.method != "response_url"
    };
    let calls = acme.fake.read(|world| world.ledger.calls.iter().filter(stray).count());
    assert_eq!(calls, 0, "a call with nobody's token");
    assert_eq!(acme.fake.violations(), Vec::<String>::new());
}

/// Two bridges look at the same desk and the same people: neither takes the other's posts for words of anybody (T5).
#[tokio::test]
async fn slack_t5_two_bridges_face_each_other() {
    let mut talk = Talk::set_up(Receive::Http, Base::Sqlite).await.expect("SQLite is always there");
    let second = talk.acme.install("Other Desk");
    talk.acme.join(&talk.desk, &second.bot_user);
    let office = Office {
        fake: talk.fake.clone(),
        acme: talk.acme.clone(),
        app: second,
        ana: talk.ana.clone(),
        bob: talk.bob.clone(),
        eve: talk.eve.clone(),
        desk: talk.desk.clone(),
    };
    let technicians = technician("Bob", &format!("slack:{}", office.bob));
    let channels = [office.channel("slack", Receive::Http), office.desk_of("slack"), technicians].concat();
    let bridge = served(&channels).await;
    office.connect(Receive::Http, &bridge, "slack");
    talk.run().await;
    let root = talk.assigned().await;
    talk.ask("is this on?");
    talk.sees(&talk.desk, "is this on?").await;
    talk.reply(&root, "it is");
    talk.sees(&talk.im(), "it is").await;
    talk.until("end of the events", |world| world.outstanding() == 0).await;
    let posts = || talk.fake.requests("chat.postMessage").len();
    let before = posts();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(posts(), before, "they keep talking");
    let of_second = talk.fake.read(|world| {
        let all = world.all_in(&talk.acme.team, &talk.desk);
        all.iter().filter(|message| message.is_from_app(&office.app.id)).count()
    });
    assert_eq!(of_second, 0, "the second bridge answered the first");
}
