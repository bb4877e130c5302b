//! What technicians read in desk rooms, in English. What only one of them sees is without formatting: it may become a
//! toast, which has none.
//!
//! Not here: whom it mentions (the stages), the card.

use std::time::Duration;

use deskbridge_contract::{Action, Content};

use super::words::{ENGLISH, exactly, plain};
use super::{DeskNotice, RequeueReason};
use crate::identity;
use crate::verbs::Verb;

/// The words and buttons for a desk room.
pub fn desk(notice: &DeskNotice) -> Content {
    Content::text(text(notice)).with_actions(buttons(notice))
}

fn buttons(notice: &DeskNotice) -> Vec<Action> {
    let button = |verb: Verb, label: &str| Action::new(verb.action_id(), label);
    if let DeskNotice::KeptInternal { message, .. } = notice {
        return vec![
            button(Verb::Send { message: *message }, "Send anyway"),
            button(Verb::TakeOver, "Take over"),
        ];
    }
    if matches!(notice, DeskNotice::BackupCalled { .. }) {
        return vec![button(Verb::Join, "Join")];
    }
    if matches!(notice, DeskNotice::ConfirmIdentity { .. }) {
        return vec![
            Action::new(identity::YES, "Yes, that is me"),
            Action::new(identity::NO, "No, somebody else"),
        ];
    }
    if matches!(notice, DeskNotice::Offered { .. } | DeskNotice::TransferAsked { .. }) {
        return vec![button(Verb::Accept, "Accept"), button(Verb::Decline, "Decline")];
    }
    if matches!(notice, DeskNotice::OfferedEveryone) {
        return vec![button(Verb::Accept, "Accept")];
    }
    if let DeskNotice::DeliveryFailed { again: Some(message), .. } = notice {
        return vec![button(Verb::Send { message: *message }, "Try again")];
    }
    if matches!(notice, DeskNotice::TicketFailed { .. }) {
        return vec![button(Verb::Ticket, "Try again")];
    }
    Vec::new()
}

fn text(notice: &DeskNotice) -> String {
    match notice {
        DeskNotice::KeptInternal { owner, .. } => kept(owner.as_deref()),
        DeskNotice::NotPermitted => NOT_PERMITTED.to_owned(),
        DeskNotice::ConfirmIdentity { name } => format!(
            "Your address is that of {}, a technician of this desk. Is that you? Nothing was sent or changed until you \
             confirm it, once.",
            plain(name)
        ),
        DeskNotice::Refused { verb, why } => format!("Not done ({verb}): {}", sentence(why)),
        DeskNotice::Misread { why } => format!("Not done: {}", sentence(why)),
        DeskNotice::Offered { name, seconds } => {
            format!("**{}**, this is yours to accept for {seconds} s.", plain(name))
        }
        DeskNotice::OfferedEveryone => "Who can take this? The first to accept has it.".to_owned(),
        DeskNotice::OfferMissed { name } => {
            format!("{} did not answer in time; asking the next.", bold(name))
        }
        DeskNotice::Declined { name } => format!("{} declined; asking the next.", bold(name)),
        DeskNotice::Accepted { name, waited } => format!("{} accepted after {}.", bold(name), after(waited)),
        DeskNotice::TakenOver { name, from } => format!("{} took this over from {}.", bold(name), bold(from)),
        DeskNotice::TransferAsked { from, to, available } => transfer_asked(from, to, *available),
        DeskNotice::TransferDeclined { to } => format!("{} did not take it. The owner keeps it.", bold(to)),
        DeskNotice::TransferredToQueue { by, queue } => {
            format!("{} passed this to {}.", bold(by), bold(queue))
        }
        DeskNotice::Invited { name, by } => {
            format!("{} invited {}, who may now reply too.", bold(by), bold(name))
        }
        DeskNotice::BackupCalled { name } => {
            format!("🙋 {} could use another pair of eyes here.", bold(name))
        }
        DeskNotice::Joined { name } => format!("{} joined, and may now reply too.", bold(name)),
        DeskNotice::Left { name } => format!("{} left the conversation.", bold(name)),
        DeskNotice::Nudge { name, minutes } => format!("{}, no answer yet for {minutes} min.", bold(name)),
        DeskNotice::Requeued { why } => requeued(*why).to_owned(),
        DeskNotice::Snoozed { by, period } => format!("{} snoozed this for {}.", bold(by), after(period)),
        DeskNotice::SnoozeEnded { name } => format!("{}, the snooze is over.", bold(name)),
        DeskNotice::Resolved { by, after: took } => {
            format!("{} resolved this after {}.", bold(by), after(took))
        }
        DeskNotice::Closed { why } => format!("Closed: {}", sentence(why)),
        DeskNotice::Reopened => "The conversation is open again.".to_owned(),
        DeskNotice::HandedBack { by } => format!("{} handed this back to the assistant.", bold(by)),
        DeskNotice::KeptWithAssistant => KEPT_WITH_ASSISTANT.to_owned(),
        DeskNotice::RequesterLeft => {
            "The requester left the chat; messages cannot reach them now.".to_owned()
        }
        DeskNotice::RequesterReturned => "The requester is back and can be reached again.".to_owned(),
        DeskNotice::DeliveryFailed { why, .. } => format!("⚠️ Not delivered: {}", sentence(why)),
        DeskNotice::DeliveredPartly { why } => {
            format!(
                "⚠️ Only the first part of a message reached the requester. The reason: {}",
                sentence(why)
            )
        }
        DeskNotice::ShownPartly { why } => format!(
            "⚠️ Only the first part of a message is shown here; the console has all of it. The reason: {}",
            sentence(why)
        ),
        DeskNotice::NotShown { why } => {
            format!("⚠️ Something could not be shown here; the console has it. The reason: {}", sentence(why))
        }
        DeskNotice::MayAppearTwice => MAY_APPEAR_TWICE.to_owned(),
        DeskNotice::OnlyAccepted { how } => {
            let said = "📤 Accepted for posting. Whether it is shown, this channel does not tell.";
            how.as_ref().map_or_else(|| said.to_owned(), |how| format!("{said} Besides: {}", sentence(how)))
        }
        DeskNotice::Lessened { how } => format!("⚠️ Delivered, but {}", sentence(how)),
        DeskNotice::ThreadReopened => THREAD_REOPENED.to_owned(),
        DeskNotice::TicketOpened { number } => format!("🎫 Ticket {} is open.", bold(number)),
        DeskNotice::TicketFailed { why } => format!("⚠️ The ticket could not be opened: {}", sentence(why)),
        DeskNotice::MaxWait => MAX_WAIT.to_owned(),
        DeskNotice::Undone => "Taken back. The requester did not see it.".to_owned(),
        DeskNotice::UndoTooLate => "Too late to take it back: it is already on its way.".to_owned(),
        DeskNotice::Rated { score } => format!("The requester rated this {score} of 5."),
        DeskNotice::RatingAsked => "The requester is asked for a rating.".to_owned(),
        DeskNotice::Info { lines } => info(lines),
        DeskNotice::Help => HELP.to_owned(),
        DeskNotice::PresenceSet { presence } => format!("You are {presence} now."),
        DeskNotice::Prioritised { level } => format!("The priority is {level} now."),
        DeskNotice::Labelled { labels } if labels.is_empty() => "There is no label on this now.".to_owned(),
        DeskNotice::Labelled { labels } => format!("Labels: {}.", plain(&labels.join(", "))),
        DeskNotice::SummaryPending => "The summary is being written; it will be on the card.".to_owned(),
        DeskNotice::RequesterDeleted => "The requester deleted a message.".to_owned(),
    }
}

const NOT_PERMITTED: &str = "Only technicians of this desk can do that. Nothing was sent or changed.";
const KEPT_WITH_ASSISTANT: &str =
    "The requester keeps chatting with the assistant; nobody is needed for now.";
const MAY_APPEAR_TWICE: &str =
    "The platform did not confirm the message, so it was sent again; it may appear twice.";
const THREAD_REOPENED: &str =
    "The earlier thread is gone. This one takes its place, with what was said so far.";
const MAX_WAIT: &str =
    "⏳ This has waited longer than agreed. The requester was told, and it is still open to accept.";

const HELP: &str = "\
Verbs, as !verb or /verb, or by the buttons of the card:

- accept, decline – take it, or pass to the next
- reply (text), note (text) – to the requester, or internal (also 🔒 before the text)
- transfer @who or #queue, invite @who, backup (calls your colleagues), join, leave
- snooze 2h, resolve, resolve silently, reopen, handback
- ticket, summary, suggest, csat, info, undo
- label vpn, label -vpn, priority normal, high, urgent, critical or a number
- on, busy, off – your own presence";

fn kept(owner: Option<&str>) -> String {
    match owner {
        Some(owner) => format!("Kept internal: {} owns this.", plain(owner)),
        None => "Kept internal: nobody has accepted this yet.".to_owned(),
    }
}

fn after(period: &Duration) -> String {
    exactly(*period, &ENGLISH)
}

/// A name of somebody, set off from the sentence.
fn bold(name: &str) -> String {
    format!("**{}**", plain(name))
}

/// A reason from elsewhere as the end of a sentence.
fn sentence(why: &str) -> String {
    let why = plain(why);
    match why.chars().last() {
        Some('.' | '!' | '?' | '…') => why,
        Some(_) => format!("{why}."),
        None => "no reason was given.".to_owned(),
    }
}

fn transfer_asked(from: &str, to: &str, available: bool) -> String {
    let asked = format!("{} asks {} to take this over.", bold(from), bold(to));
    if available {
        return asked;
    }
    format!("{asked} {} is not available right now; until they accept, it stays where it is.", bold(to))
}

fn requeued(why: RequeueReason) -> &'static str {
    match why {
        RequeueReason::Silent => "Back in the queue, keeping its place: there was no answer for too long.",
        RequeueReason::Offline => "Back in the queue, at the front: the technician went offline.",
        RequeueReason::HandedOn => "Back in the queue, keeping its place: it was handed on.",
    }
}

fn info(lines: &[(String, String)]) -> String {
    if lines.is_empty() {
        return "Nothing is known yet.".to_owned();
    }
    let lines: Vec<String> =
        lines.iter().map(|(label, value)| format!("- {}: {}", plain(label), plain(value))).collect();
    lines.join("\n")
}
