//! Which buttons stand under which notice to a requester.
//!
//! Not here: their labels (one file per language), what they do (the stages).

use deskbridge_contract::Action;

use super::{Notice, StatusWords};
use crate::verbs::RequesterVerb;

/// The labels of a language, at most 24 characters each.
pub(super) struct Labels {
    pub human: &'static str,
    pub keep: &'static str,
    pub assistant: &'static str,
    pub yes: &'static str,
    pub no: &'static str,
    pub same: &'static str,
    pub new: &'static str,
    pub over: &'static str,
    pub status: &'static str,
    pub close: &'static str,
}

pub(super) fn of(notice: &Notice, labels: &Labels) -> Vec<Action> {
    let button = |verb: RequesterVerb, label: &str| Action::new(verb.action_id(), label);
    let human = || button(RequesterVerb::Human, labels.human);
    let keep = || button(RequesterVerb::KeepAssistant, labels.keep);
    match notice {
        Notice::Greeting | Notice::AssistantContinues | Notice::HandedBack | Notice::StartedOver => {
            vec![human()]
        }
        Notice::OutOfHours { .. } => vec![button(RequesterVerb::Close, labels.close)],
        Notice::Connecting { keep_assistant: true, .. } => vec![keep()],
        Notice::AskConnect => {
            vec![button(RequesterVerb::Yes, labels.yes), button(RequesterVerb::No, labels.no)]
        }
        Notice::Choice => vec![button(RequesterVerb::KeepAssistant, labels.assistant), human()],
        Notice::Reminder => vec![button(RequesterVerb::Close, labels.close)],
        Notice::AskRating => {
            (1..=5).map(|score| button(RequesterVerb::Rate { score }, STARS[score as usize - 1])).collect()
        }
        Notice::LateQuestion => {
            vec![button(RequesterVerb::SameIssue, labels.same), button(RequesterVerb::NewRequest, labels.new)]
        }
        Notice::Status { state: StatusWords::WithAssistant, .. } => {
            vec![human(), button(RequesterVerb::StartOver, labels.over)]
        }
        Notice::Help => {
            let status = button(RequesterVerb::Status, labels.status);
            vec![human(), status, button(RequesterVerb::StartOver, labels.over)]
        }
        Notice::Connecting { keep_assistant: false, .. }
        | Notice::Joined { .. }
        | Notice::ClosedIdle
        | Notice::Resolved { .. }
        | Notice::ClosedByRequester
        | Notice::RatingThanks
        | Notice::LateThanks
        | Notice::Reopened { .. }
        | Notice::MaxWait { .. }
        | Notice::BrokeOff
        | Notice::FindingAnother
        | Notice::Status {
            state: StatusWords::Waiting { .. } | StatusWords::With { .. } | StatusWords::Closed,
            ..
        }
        | Notice::OnlyRequester { .. }
        | Notice::HelpingSomebody { .. }
        | Notice::WasOfSomebody { .. }
        | Notice::TicketOpened { .. } => Vec::new(),
    }
}

const STARS: [&str; 5] = ["😞 1", "🙁 2", "😐 3", "🙂 4", "😀 5"];
