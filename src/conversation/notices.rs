//! Everything the bridge itself says, in the person's language. One message per occasion, honest and short.
//!
//! Not here: when it is said (the stages), what the assistant or a technician says.

mod buttons;
mod de;
mod desk;
mod en;
mod es;
mod fr;
#[cfg(test)]
mod tests;
mod words;

use std::time::Duration;

use deskbridge_contract::Content;

use crate::ids::MessageId;

pub use desk::desk;
pub use words::plain;

/// What is said to a requester. Buttons are part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// `/start`, or the first contact without a question.
    Greeting,
    /// Handover: position in the queue counted from 1, usual wait, ticket once known. Button: keep the assistant.
    Connecting {
        position: u32,
        expected: Option<Duration>,
        keep_assistant: bool,
    },
    /// Out of hours: when people are back (already in words); the assistant still helps.
    OutOfHours {
        back: String,
        /// Whether an assistant answers meanwhile.
        helping: bool,
        /// Whether there is a ticket, or one is being opened.
        ticket: bool,
    },
    /// "Shall I connect you with a technician?" Yes / No, keep going.
    AskConnect,
    /// Mode `choice`: ask the assistant, or a technician.
    Choice,
    Joined {
        name: String,
    },
    Reminder,
    /// Closed as timed out; how to reopen.
    ClosedIdle,
    Resolved {
        by: String,
    },
    ClosedByRequester,
    /// One to five.
    AskRating,
    RatingThanks,
    /// Same issue / New request.
    LateQuestion,
    /// Answer to thanks after close.
    LateThanks,
    Reopened {
        waiting: bool,
    },
    /// Nobody was free in time; a ticket stays; still in the queue.
    MaxWait {
        ticket: Option<String>,
    },
    /// Handover cancelled by the requester.
    AssistantContinues,
    HandedBack,
    /// The message before this one has further parts, which the channel did not take.
    BrokeOff,
    /// The technician went away: the next one is asked.
    FindingAnother,
    StartedOver,
    /// Answer to "status".
    Status {
        reference: String,
        state: StatusWords,
        ticket: Option<String>,
    },
    Help,
    /// A whisper to somebody else at the requester's place, who meant to do what only the requester can.
    OnlyRequester {
        name: String,
    },
    /// The same, for who seems to ask for something at a place where somebody is being helped.
    HelpingSomebody {
        name: String,
    },
    /// The same, where the request is closed.
    WasOfSomebody {
        name: String,
    },
    /// The assistant had nothing to say and could not hand over; never leaves a person without an answer.
    TicketOpened {
        number: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusWords {
    WithAssistant,
    Waiting { position: u32 },
    With { name: String },
    Closed,
}

/// What is said in a desk room or to one technician; English.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeskNotice {
    /// Whisper. Buttons: Send anyway (`send:<message>`), Take over (`takeover`).
    KeptInternal {
        owner: Option<String>,
        message: MessageId,
    },
    /// Whisper to an outsider.
    NotPermitted,
    /// Whisper to somebody whose address is that of a technician. Buttons: see [`crate::identity`].
    ConfirmIdentity {
        name: String,
    },
    Refused {
        verb: &'static str,
        why: String,
    },
    /// It was meant as a verb, but is none.
    Misread {
        why: String,
    },
    /// Mentions the technician.
    Offered {
        name: String,
        seconds: u64,
    },
    OfferedEveryone,
    OfferMissed {
        name: String,
    },
    Declined {
        name: String,
    },
    Accepted {
        name: String,
        waited: Duration,
    },
    TakenOver {
        name: String,
        from: String,
    },
    TransferAsked {
        from: String,
        to: String,
        available: bool,
    },
    TransferDeclined {
        to: String,
    },
    TransferredToQueue {
        by: String,
        queue: String,
    },
    Invited {
        name: String,
        by: String,
    },
    /// Mentions the colleagues. Button: Join (`join`).
    BackupCalled {
        name: String,
    },
    Joined {
        name: String,
    },
    Left {
        name: String,
    },
    /// Mentions the technician.
    Nudge {
        name: String,
        minutes: u64,
    },
    Requeued {
        why: RequeueReason,
    },
    Snoozed {
        by: String,
        period: Duration,
    },
    SnoozeEnded {
        name: String,
    },
    Resolved {
        by: String,
        after: Duration,
    },
    Closed {
        why: &'static str,
    },
    Reopened,
    HandedBack {
        by: String,
    },
    KeptWithAssistant,
    RequesterLeft,
    RequesterReturned,
    /// Button: try again (`send:<message>`), where the words are still ours to send.
    DeliveryFailed {
        why: String,
        again: Option<MessageId>,
    },
    /// What the requester was told breaks off.
    DeliveredPartly {
        why: String,
    },
    /// Something meant for this room is not in it.
    NotShown {
        why: String,
    },
    /// The last message of this room breaks off.
    ShownPartly {
        why: String,
    },
    MayAppearTwice,
    Lessened {
        how: String,
    },
    /// Taken by something that tells nothing more; `how`: and in a lesser way than meant.
    OnlyAccepted {
        how: Option<String>,
    },
    ThreadReopened,
    TicketOpened {
        number: String,
    },
    TicketFailed {
        why: String,
    },
    MaxWait,
    Undone,
    UndoTooLate,
    Rated {
        score: u8,
    },
    RatingAsked,
    Info {
        lines: Vec<(String, String)>,
    },
    Help,
    PresenceSet {
        presence: &'static str,
    },
    Prioritised {
        level: u8,
    },
    /// All that are on now.
    Labelled {
        labels: Vec<String>,
    },
    SummaryPending,
    RequesterDeleted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequeueReason {
    Silent,
    Offline,
    HandedOn,
}

/// The words and buttons for a requester. `language`: as in [`crate::Requester`]; English where it is none of ours.
pub fn say(notice: &Notice, language: &str) -> Content {
    let primary = language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    let (text, labels) = match primary.as_str() {
        "de" => (de::text(notice), &de::LABELS),
        "es" => (es::text(notice), &es::LABELS),
        "fr" => (fr::text(notice), &fr::LABELS),
        _ => (en::text(notice), &en::LABELS),
    };
    Content::text(text).with_actions(buttons::of(notice, labels))
}
