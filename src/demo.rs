//! What the demo starts with: sample conversations, and the words that say where to click first.
//!
//! Not here: the page (the sim adapter), the bridge (`app.rs`).

use std::net::SocketAddr;
use std::time::Duration;

use deskbridge_contract::{Address, Content, Sender, SenderKind};
use deskbridge_sim::World;

/// What somebody wrote before you came.
struct Sample {
    person: &'static str,
    name: &'static str,
    says: &'static str,
    /// Asks for a person after the first answer.
    handed_over: bool,
    /// A technician accepts and says this.
    answered: Option<&'static str>,
    resolved: bool,
}

const SAMPLES: [Sample; 4] = [
    Sample {
        person: "li",
        name: "Li Wei",
        says: "my second monitor stays black on the docking station",
        handed_over: true,
        answered: Some("I will bring you another cable in ten minutes."),
        resolved: true,
    },
    Sample {
        person: "tom",
        name: "Tom Becker",
        says: "outlook does not show new mail since this morning",
        handed_over: true,
        answered: Some("Which version does **File → Office Account** show?"),
        resolved: false,
    },
    Sample {
        person: "sara",
        name: "Sara Lind",
        says: "how do I get access to the finance share?",
        handed_over: false,
        answered: None,
        resolved: false,
    },
    Sample {
        person: "omar",
        name: "Omar Haddad",
        says: "I lost my phone and need a new MFA device",
        handed_over: false,
        answered: None,
        resolved: false,
    },
];

/// How long a step of the samples may take before it is left as it is.
const PATIENCE: Duration = Duration::from_secs(30);

/// Plays the samples on the simulated platforms, as people would. `seed` decides which come, and in which order.
pub async fn seed(requesters: &World, desk: &World, room: &str, seed: u64) {
    let skip = usize::try_from(seed % 4).unwrap_or(0);
    let room = desk.room(room);
    for sample in SAMPLES.iter().cycle().skip(skip).take(SAMPLES.len()) {
        requesters.introduce(Sender {
            id: sample.person.into(),
            display_name: Some(sample.name.to_owned()),
            email: None,
            email_verified: false,
            picture: None,
            language: Some("en".to_owned()),
            kind: SenderKind::Human,
        });
        if tokio::time::timeout(PATIENCE, play(requesters, desk, &room, sample)).await.is_err() {
            tracing::warn!(person = sample.person, "a sample conversation did not come to its end");
        }
    }
}

async fn play(requesters: &World, desk: &World, room: &Address, sample: &Sample) {
    let at = requesters.direct(sample.person);
    if requesters.post(sample.person, &at, Content::text(sample.says), None).await.is_err() {
        return;
    }
    requesters.until(|world| world.messages(&at).iter().any(deskbridge_sim::Message::is_by_bridge)).await;
    if !sample.handed_over {
        return;
    }
    if requesters.say(sample.person, &at, "I would like to talk to a person, please").await.is_err() {
        return;
    }
    // Not the latest: a visitor may be quicker than the samples.
    let theirs = |world: &World| {
        let mut threads = world.threads(room).into_iter();
        threads.find(|thread| thread.title.requester.contains(sample.name)).map(|thread| thread.id)
    };
    desk.until(|world| theirs(world).is_some()).await;
    let Some(thread) = theirs(desk).map(|id| room.thread(id.0)) else { return };
    let Some(answer) = sample.answered else { return };
    if desk.say("ana", &thread, "!accept").await.is_err() || desk.say("ana", &thread, answer).await.is_err() {
        return;
    }
    requesters.until(|world| world.messages(&at).iter().any(|message| message.content.text == answer)).await;
    if sample.resolved && desk.say("ana", &thread, "!resolve").await.is_ok() {
        desk.until(|world| world.thread(&thread).is_some_and(|thread| thread.closed)).await;
    }
}

/// Says on standard output where to look and what to do first.
#[expect(clippy::print_stdout, reason = "this is the command's answer, not a log line")]
pub fn greet(address: SocketAddr, articles: usize, console: &str, open: bool) {
    let page = format!("http://{address}/demo");
    println!(
        "  deskbridge {} · demo mode · SQLite in a temporary folder · nothing leaves this machine",
        env!("CARGO_PKG_VERSION")
    );
    println!("  ✓ knowledge: {articles} sample articles   ✓ assistant: built in, no key");
    println!("  ✓ simulated: Telegram and Slack   ✓ real: the widget on a page, the console");
    println!("  Open   {page}");
    println!("         left: a requester, on a web page or in a chat   right: the technicians' room");
    println!(
        "  Try    press the round button on the left, type “my vpn says 691” → “Talk to a human” → Accept on the right"
    );
    println!("  Console  http://{address}{console}   (signs you in as Ana)");
    println!("  Stop   Ctrl+C");
    if open {
        open_browser(&page);
    }
}

/// Best effort: where there is no browser the address above is enough.
pub fn open_browser(page: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    if std::process::Command::new(program).arg(page).stdout(std::process::Stdio::null()).spawn().is_err() {
        tracing::info!("no browser could be opened");
    }
}
