//! What requesters read, in English; also for languages that have no file of their own.

use super::buttons::Labels;
use super::words::{ENGLISH, named, plain, roughly};
use super::{Notice, StatusWords};

pub(super) const LABELS: Labels = Labels {
    human: "Talk to a human",
    keep: "Keep the assistant",
    assistant: "Ask the assistant",
    yes: "Yes, please",
    no: "No, keep going",
    same: "Same issue",
    new: "New request",
    over: "Start over",
    status: "Status",
    close: "All done, close",
};

pub(super) fn text(notice: &Notice) -> String {
    match notice {
        Notice::Greeting => "Hi! 👋 Tell me what is not working, in your own words. I will try to help right away, and you can \
                             talk to a human at any time."
            .to_owned(),
        Notice::Connecting { position, expected, .. } => connecting(*position, expected.map(|e| roughly(e, &ENGLISH))),
        Notice::OutOfHours { back, helping, ticket } => format!(
            "Our technicians are back {}. {} will see this conversation then.{}",
            plain(back),
            if *ticket { "A ticket is being opened, so nothing gets lost, and they" } else { "They" },
            if *helping { " Until that time I am glad to keep helping." } else { "" }
        ),
        Notice::AskConnect => "Shall I connect you with a technician?".to_owned(),
        Notice::Choice => "Who should help you: the assistant, which answers at once, or a technician?".to_owned(),
        Notice::Joined { name } => format!("**{}** has joined and will help you from here.", plain(name)),
        Notice::Reminder => "Are you still there? No hurry: just write when you are ready.".to_owned(),
        Notice::ClosedIdle => "I have not heard from you for a while, so this conversation is closed for now. Just write here \
                               again and we carry on."
            .to_owned(),
        Notice::Resolved { by } => {
            format!("**{}** has marked this as resolved. If anything is still wrong, just write here again.", plain(by))
        }
        Notice::ClosedByRequester => "Done, this conversation is closed. Write here whenever you need us.".to_owned(),
        Notice::AskRating => "How did we do? 1 is poor, 5 is great.".to_owned(),
        Notice::RatingThanks => "Thank you for telling us!".to_owned(),
        Notice::LateQuestion => "Good to hear from you again. Is this about the same issue, or is it something new?".to_owned(),
        Notice::LateThanks => "You are welcome! 😊".to_owned(),
        Notice::Reopened { waiting: true } => {
            "Your conversation is open again. A technician will be with you as soon as one is free.".to_owned()
        }
        Notice::Reopened { waiting: false } => "Your conversation is open again, with everything said before.".to_owned(),
        Notice::MaxWait { ticket } => max_wait(ticket.as_deref()),
        Notice::AssistantContinues => "All right, we keep going. What should I look at?".to_owned(),
        Notice::HandedBack => "The technician has handed you back to me, the assistant. What else can I do?".to_owned(),
        Notice::BrokeOff => "The rest of this message could not be delivered. Please ask for it once more.".to_owned(),
        Notice::FindingAnother => {
            "Your technician had to step away. I am finding you another one; you keep your place.".to_owned()
        }
        Notice::StartedOver => "A fresh start! What can I do for you?".to_owned(),
        Notice::Status { reference, state, ticket } => status(reference, state, ticket.as_deref()),
        Notice::Help => "Just write what is not working, in your own words. You can also use /human to talk to a person, \
                         /status to see where things stand, /new to start over and /close when all is well."
            .to_owned(),
        Notice::OnlyRequester { name } => format!("Only {} can do that here.", named(name, "the person who asked")),
        Notice::HelpingSomebody { name } => format!(
            "I am helping {} here. For a request of your own, write to me directly or begin a new thread.",
            named(name, "somebody else")
        ),
        Notice::WasOfSomebody { name } => format!(
            "This was a request of {}, and it is closed. For one of your own, write to me directly or begin a new thread.",
            named(name, "somebody else")
        ),
        Notice::TicketOpened { number } => {
            format!("Your request is recorded as ticket **{}**. We will answer you here.", plain(number))
        }
    }
}

fn connecting(position: u32, expected: Option<String>) -> String {
    let place = match position {
        0 | 1 => "You are next.".to_owned(),
        n => format!("You are number {n} in the queue."),
    };
    let wait = expected.map(|wait| format!(" The usual wait is about {wait}.").replace("about less", "less"));
    format!("I am connecting you with a technician. {place}{}", wait.unwrap_or_default())
}

fn max_wait(ticket: Option<&str>) -> String {
    let ticket = match ticket {
        Some(number) => format!(" Your request is recorded as ticket **{}**.", plain(number)),
        None => String::new(),
    };
    format!(
        "I am sorry, this takes longer than it should: nobody is free yet.{ticket} You keep your place, and the answer \
         arrives here, so there is no need to wait in front of the screen."
    )
}

fn status(reference: &str, state: &StatusWords, ticket: Option<&str>) -> String {
    let state = match state {
        StatusWords::WithAssistant => "is with the assistant".to_owned(),
        StatusWords::Waiting { position: 0 | 1 } => {
            "is waiting for a technician, and you are next".to_owned()
        }
        StatusWords::Waiting { position } => {
            format!("is waiting for a technician: number {position} in the queue")
        }
        StatusWords::With { name } => format!("is with **{}**", plain(name)),
        StatusWords::Closed => "is closed".to_owned(),
    };
    let ticket = ticket.map(|number| format!(" Ticket: **{}**.", plain(number))).unwrap_or_default();
    format!("Your request **{}** {state}.{ticket}", plain(reference))
}
