//! What happens around the people of a talk, in words: `presence bob off`, `restart`, `fault desk@slack post gone`.
//!
//! Not here: what they do themselves (`acts`).

use std::time::Duration;

use deskbridge_contract::{OperationKind, Sender, SenderKind};
use deskbridge_conversation::{ConversationId, EventBody, Presence, TechnicianId, TicketEvent, TicketStatus};
use deskbridge_sim::{Fault, On};

use super::runner::Play;
use super::{acts, shown};
use crate::harness::Town;

/// Returns lines about what no platform shows, where they were asked for.
pub async fn carry_out(play: &mut Play, order: &str) -> Vec<String> {
    let words: Vec<&str> = order.split_whitespace().collect();
    match words.as_slice() {
        ["presence", who, state] => {
            let technician = TechnicianId::from(*who);
            play.town.running().bridge.set_presence(&technician, presence(state)).await.expect("stored");
        }
        ["person", who, rest @ ..] => introduce(&play.town, who, rest),
        ["redeliver", channel, which] => redeliver(&play.town, channel, which).await,
        ["block", who] => {
            let (person, world, at) = acts::place(&play.town, who);
            world.leave(&person, &at).await.expect("left");
        }
        ["unblock", who] => {
            let (person, world, at) = acts::place(&play.town, who);
            world.come_back(&person, &at).await.expect("back");
        }
        ["move-room", room, to] => {
            let (room, channel) = room.split_once('@').expect("a room@channel");
            let world = play.town.world(channel);
            world.move_room("somebody", &world.room(room), to).await.expect("moved");
        }
        ["stop"] => stop(&mut play.town).await,
        ["start"] => play.town.start().await,
        ["restart"] => {
            stop(&mut play.town).await;
            play.town.start().await;
        }
        ["fault", place, rest @ ..] => plan(&play.town, place, rest),
        ["heal", channel] => play.town.world(channel).heal(),
        ["release", channel] => play.town.world(channel).release(),
        ["refuse", channel] => play.town.world(channel).refuse_credentials(true),
        ["trust", channel] => play.town.world(channel).refuse_credentials(false),
        ["assistant", "goes", "on"] => play.puppet.goes_on(),
        ["ticket", conversation, status] => ticket(&play.town, conversation, status).await,
        ["show", what] => return shown::show(&play.town, what).await,
        other => panic!("unknown order {other:?}"),
    }
    Vec::new()
}

async fn stop(town: &mut Town) {
    let running = town.running.take().expect("it runs");
    running.bridge.shutdown().await;
}

fn presence(state: &str) -> Presence {
    match state {
        "on" => Presence::Available,
        "busy" => Presence::Busy,
        "away" => Presence::Away,
        "off" => Presence::Offline,
        other => panic!("unknown presence {other}"),
    }
}

/// `90s`, `10m`, `2h`, `3d`.
pub fn time(text: &str) -> Duration {
    let (number, unit) = text.split_at(text.len() - 1);
    let number: f64 =
        number.trim().parse().unwrap_or_else(|_| panic!("a time like 90s, 10m, 2h, 3d, not {text}"));
    let seconds = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        other => panic!("unknown unit {other}"),
    };
    Duration::from_secs_f64(number * seconds)
}

/// `person eve@slack external`, `person ana@telegram lang=de name=Ana_Lopez`.
fn introduce(town: &Town, who: &str, traits: &[&str]) {
    let (person, world, _) = acts::place(town, who);
    let mut sender: Sender = world.person(&person);
    for each in traits {
        match each.split_once('=') {
            Some(("lang", language)) => sender.language = Some(language.to_owned()),
            Some(("name", name)) => sender.display_name = Some(name.replace('_', " ")),
            Some(("email", email)) => {
                sender.email = Some(email.to_owned());
                sender.email_verified = true;
            }
            Some(("said-email", email)) => sender.email = Some(email.to_owned()),
            None if *each == "external" => sender.kind = SenderKind::External,
            None if *each == "bot" => sender.kind = SenderKind::Bot,
            _ => panic!("unknown trait {each}"),
        }
    }
    world.introduce(sender);
}

/// `last`, the n-th event, or the `rest` that the bridge never took.
async fn redeliver(town: &Town, channel: &str, which: &str) {
    let world = town.world(channel);
    match which {
        "rest" => {
            world.redeliver_unacknowledged().await.expect("taken");
        }
        "last" => {
            let last = world.events().last().map(|event| event.number).expect("an event");
            world.redeliver(last).await.expect("taken");
        }
        n => {
            world.redeliver(n.parse().expect("an event's number")).await.expect("taken");
        }
    }
}

/// `fault desk@slack post gone`, `fault ana@telegram anything retry always`, `… 3 times`.
fn plan(town: &Town, place: &str, rest: &[&str]) {
    let (room, channel) = place.split_once('@').expect("a place@channel");
    let world = town.world(channel);
    let room = if room.starts_with("desk") { world.room(room).room } else { world.direct(room).room };
    let (what, fault, how_often) = match rest {
        [what, fault] => (*what, *fault, Some(1)),
        [what, fault, "always"] => (*what, *fault, None),
        [what, fault, n, "times"] => (*what, *fault, Some(n.parse().expect("a number"))),
        other => panic!("a fault is: operation fault [always | n times], not {other:?}"),
    };
    let on = On::room(room.0);
    let on = match what {
        "anything" => on,
        "post" => on.and_kind(OperationKind::Post),
        "edit" => on.and_kind(OperationKind::Edit),
        "delete" => on.and_kind(OperationKind::Delete),
        "react" => on.and_kind(OperationKind::React),
        "mark" => on.and_kind(OperationKind::Mark),
        "open-thread" => on.and_kind(OperationKind::OpenThread),
        "set-thread" => on.and_kind(OperationKind::SetThread),
        "whisper" => on.and_kind(OperationKind::Whisper),
        other => panic!("unknown operation {other}"),
    };
    let fault = match fault {
        "retry" => Fault::Retry { after: None },
        "retry-30s" => Fault::Retry { after: Some(Duration::from_secs(30)) },
        "rejected" => Fault::Rejected { fixable: false },
        "gone" => Fault::Gone,
        "thread-gone" => Fault::ThreadGone,
        "unauthorized" => Fault::Unauthorized,
        "ambiguous-sent" => Fault::Ambiguous { effect: true },
        "ambiguous-lost" => Fault::Ambiguous { effect: false },
        "slow" => Fault::Slow,
        other => panic!("unknown fault {other}"),
    };
    match how_often {
        Some(times) => world.fail_times(on, fault, times),
        None => world.fail_always(on, fault),
    }
}

/// Somebody changed the ticket in its own system.
async fn ticket(town: &Town, conversation: &str, status: &str) {
    let status = match status {
        "open" => TicketStatus::Open,
        "resolved" => TicketStatus::Resolved,
        "closed" => TicketStatus::Closed,
        other => panic!("unknown status {other}"),
    };
    let id = ConversationId(conversation.parse().expect("a conversation's number"));
    acts::apply(town, id, EventBody::Ticket(TicketEvent::StatusChanged { status }), None).await;
}
