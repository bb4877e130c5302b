//! How things look from outside: plain structures that are written as JSON.
//!
//! Not here: reading them from the store, deciding who sees them.

use deskbridge_contract::{AttachmentSource, CardState, Fact, Timestamp};
use deskbridge_conversation::policy::Policy;
use deskbridge_conversation::verbs::{Names, Parsed, from_action, permitted};
use deskbridge_conversation::{
    Assigned, Audience, Author, Conversation, DeskThread, Handover, Offer, OfferTo, Session, SessionRole,
    Stage, TicketLink, TicketStatus, desk,
};
use deskbridge_store::rows::{DeliveryState, MessageRow};
use serde::Serialize;

use super::{Api, ROOT};
use crate::http::auth::Caller;
use crate::http::problem::Problem;

/// RFC 3339, UTC.
pub fn time(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0).map(|at| at.to_string()).unwrap_or_default()
}

#[derive(Serialize)]
pub struct ConversationView {
    pub id: i64,
    pub reference: String,
    pub seq: u64,
    pub stage: &'static str,
    pub state: CardState,
    pub status: String,
    pub queue: String,
    pub priority: u8,
    pub labels: Vec<String>,
    pub subject: String,
    pub requester: RequesterView,
    pub assignee: Option<String>,
    pub co_repliers: Vec<String>,
    pub offer: Option<OfferView>,
    pub transfer_to: Option<String>,
    pub waiting_since: Option<String>,
    /// Until when somebody should have taken it: the queue's longest wait.
    pub answer_by: Option<String>,
    pub snoozed_until: Option<String>,
    pub sessions: Vec<SessionView>,
    pub ticket: TicketLinkView,
    pub rating: Option<u8>,
    pub opened: String,
    pub actions: Vec<ActionView>,
}

#[derive(Serialize)]
pub struct RequesterView {
    pub id: String,
    pub name: String,
    pub language: String,
    pub away: bool,
}

/// `to` is `null` when it is offered to everybody in the queue.
#[derive(Serialize)]
pub struct OfferView {
    pub to: Option<String>,
    pub until: String,
}

#[derive(Serialize)]
pub struct SessionView {
    pub id: u16,
    pub role: &'static str,
    pub channel: String,
    pub state: &'static str,
}

#[derive(Serialize)]
pub struct TicketLinkView {
    pub state: &'static str,
    pub desk: Option<String>,
    pub number: Option<String>,
    pub status: Option<TicketStatus>,
}

#[derive(Serialize)]
pub struct ActionView {
    pub id: String,
    pub label: String,
}

/// What a card in a desk room says, beside the conversation itself.
#[derive(Serialize)]
pub struct CardView {
    pub title: String,
    pub facts: Vec<Fact>,
    pub summary: String,
    pub hint: String,
}

#[derive(Serialize)]
pub struct MessageView {
    pub id: String,
    pub seq: u64,
    pub author: AuthorView,
    pub audience: Audience,
    /// `null` once it is deleted.
    pub text: Option<String>,
    pub attachments: Vec<AttachmentView>,
    pub reply_to: Option<String>,
    pub at: String,
    pub stored: String,
    pub edited: Option<String>,
    pub deleted: bool,
    /// What was said about words of the assistant: 👍 or 👎.
    pub helpful: Option<bool>,
    pub deliveries: Vec<DeliveryView>,
}

#[derive(Serialize)]
pub struct AuthorView {
    pub kind: &'static str,
    pub id: Option<String>,
    pub name: String,
}

#[derive(Serialize)]
pub struct AttachmentView {
    pub name: String,
    pub mime: String,
    pub size: u64,
    pub url: Option<String>,
    /// Why there is no address.
    pub missing: Option<String>,
}

#[derive(Serialize)]
pub struct DeliveryView {
    pub id: String,
    pub session: u16,
    pub channel: String,
    pub operation: String,
    pub message: Option<String>,
    pub state: DeliveryState,
    pub held_until: Option<String>,
    pub attempts: u32,
    pub error: Option<String>,
    pub updated: String,
}

fn offer(conversation: &Conversation) -> Option<OfferView> {
    match &conversation.stage {
        Stage::Handover(Handover { offer: Some(Offer { to, until }), .. }) => Some(OfferView {
            to: match to {
                OfferTo::One(technician) => Some(technician.0.clone()),
                OfferTo::Everyone => None,
            },
            until: time(*until),
        }),
        _ => None,
    }
}

fn assigned(conversation: &Conversation) -> Option<&Assigned> {
    match &conversation.stage {
        Stage::Assigned(assigned) => Some(assigned),
        _ => None,
    }
}

fn session(session: &Session) -> SessionView {
    let (role, state) = match &session.role {
        SessionRole::Requester { active: true } => ("requester", "active"),
        SessionRole::Requester { active: false } => ("requester", "idle"),
        SessionRole::Desk { thread: DeskThread::Opening, .. } => ("desk", "opening"),
        SessionRole::Desk { thread: DeskThread::Open, .. } => ("desk", "open"),
        SessionRole::Desk { thread: DeskThread::Lost, .. } => ("desk", "lost"),
    };
    SessionView { id: session.id.0, role, channel: session.address.channel.0.clone(), state }
}

pub fn ticket(link: &TicketLink) -> TicketLinkView {
    let bare = |state| TicketLinkView { state, desk: None, number: None, status: None };
    match link {
        TicketLink::None => bare("none"),
        TicketLink::Opening => bare("opening"),
        TicketLink::Failed { .. } => bare("failed"),
        TicketLink::Linked { desk, number, status, .. } => TicketLinkView {
            state: "linked",
            desk: Some(desk.clone()),
            number: Some(number.clone()),
            status: Some(*status),
        },
    }
}

/// The buttons that make sense now and that this caller may press.
fn actions(caller: &Caller, conversation: &Conversation, policy: &Policy) -> Vec<ActionView> {
    let Some(technician) = &caller.technician else { return Vec::new() };
    let names = Names::new(policy, &|_| false);
    let may = |id: &str| match from_action(id, None, &names) {
        Some(Parsed::Verb(verb)) => permitted(&verb, technician, conversation, policy, None).is_ok(),
        Some(Parsed::Note { .. } | Parsed::Reply { .. } | Parsed::Bad { .. }) | None => false,
    };
    let buttons = desk::actions(conversation).into_iter().filter(|action| may(&action.id));
    buttons.map(|action| ActionView { id: action.id, label: action.label }).collect()
}

impl Api {
    pub async fn view(
        &self,
        caller: &Caller,
        conversation: &Conversation,
    ) -> Result<ConversationView, Problem> {
        let policy = self.bridge.policy.current();
        let policy = &policy.policy;
        let owned = assigned(conversation);
        let waiting = match &conversation.stage {
            Stage::Handover(handover) => Some(handover),
            _ => None,
        };
        // Once it has passed, the stage counts it no more; whoever looks still sees how late it is.
        let answer_by = |handover: &Handover| {
            handover.overdue.unwrap_or(handover.since + policy.timers(&conversation.queue).max_wait)
        };
        Ok(ConversationView {
            id: conversation.id.0,
            reference: conversation.id.to_string(),
            seq: conversation.seq,
            stage: conversation.stage_name(),
            state: desk::state(conversation),
            status: desk::status(conversation, policy),
            queue: conversation.queue.0.clone(),
            priority: conversation.priority,
            labels: conversation.labels.clone(),
            subject: self.bridge.subject(conversation).await?,
            requester: RequesterView {
                id: conversation.requester.id.0.clone(),
                name: conversation.requester_name().to_owned(),
                language: conversation.requester.language.clone(),
                away: conversation.requester.away,
            },
            assignee: conversation.assignee().map(|technician| technician.0.clone()),
            co_repliers: owned.map_or_else(Vec::new, |a| a.co_repliers.iter().map(|t| t.0.clone()).collect()),
            offer: offer(conversation),
            transfer_to: owned.and_then(|a| a.transfer.as_ref()).map(|transfer| transfer.to.0.clone()),
            waiting_since: waiting.map(|handover| time(handover.since)),
            answer_by: waiting.map(|handover| time(answer_by(handover))),
            snoozed_until: owned.and_then(|a| a.snoozed).map(time),
            sessions: conversation.sessions.iter().map(session).collect(),
            ticket: ticket(&conversation.ticket),
            rating: conversation.rating,
            opened: time(conversation.opened),
            actions: actions(caller, conversation, policy),
        })
    }

    pub fn message(
        &self,
        conversation: &Conversation,
        row: &MessageRow,
        deliveries: Vec<DeliveryView>,
    ) -> MessageView {
        let (kind, id) = match &row.author {
            Author::Requester(requester) => ("requester", Some(requester.0.clone())),
            Author::Technician(technician) => ("technician", Some(technician.0.clone())),
            Author::Assistant => ("assistant", None),
            // Somebody of the requester's place, who has a name; somebody of a desk room has none.
            Author::Bystander { id, .. } => ("outsider", Some(id.0.clone())),
            Author::Outsider => ("outsider", None),
            Author::Desk => ("desk", None),
        };
        let attachments = row.content.attachments.iter().filter(|_| !row.deleted).map(|attachment| {
            let (url, missing) = match &attachment.source {
                AttachmentSource::Blob { id, .. } => (Some(format!("{ROOT}/blobs/{}", id.0)), None),
                AttachmentSource::Remote(_) => (None, Some("not copied yet".to_owned())),
                AttachmentSource::Missing { why } => (None, Some(why.clone())),
            };
            AttachmentView {
                name: attachment.name.clone(),
                mime: attachment.mime.clone(),
                size: attachment.size,
                url,
                missing,
            }
        });
        MessageView {
            id: row.id.to_string(),
            seq: row.id.seq,
            author: AuthorView { kind, id, name: self.bridge.author_name(conversation, row) },
            audience: row.audience,
            text: (!row.deleted).then(|| row.content.text.clone()),
            attachments: attachments.collect(),
            reply_to: row.reply_to.map(|id| id.to_string()),
            at: time(row.at),
            stored: time(row.now),
            edited: row.edited.map(time),
            deleted: row.deleted,
            helpful: None,
            deliveries,
        }
    }
}
