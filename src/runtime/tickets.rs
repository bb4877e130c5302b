//! Effects on the ticket desk: opening, status, the record that is handed in, what an outage means.
//!
//! Not here: when they are due (the core), the desks themselves (`services/tickets`).

use std::sync::Arc;

use deskbridge_conversation::{Audience, Conversation, EventBody, TicketEvent, TicketLink, TicketStatus};
use deskbridge_services::tickets::{NewTicket, TicketError, Visibility};
use deskbridge_store::StoreError;
use deskbridge_store::rows::{DeliveryState, MessageRow, OutboxRow};

use super::ending::{end, put_back};
use super::perform::{Verdict, backoff};
use super::{Bridge, render};

pub(super) fn ticket_key(conversation: &Conversation) -> Option<&str> {
    match &conversation.ticket {
        TicketLink::Linked { key, .. } => Some(key),
        TicketLink::None | TicketLink::Opening | TicketLink::Failed { .. } => None,
    }
}

pub(super) async fn no_ticket(bridge: &Arc<Bridge>, row: &OutboxRow) -> Result<Verdict, StoreError> {
    end(bridge, row, DeliveryState::Cancelled, "there is no ticket").await
}

pub(super) async fn open_ticket(
    bridge: &Arc<Bridge>,
    row: &Arc<OutboxRow>,
    conversation: &Conversation,
) -> Result<Verdict, StoreError> {
    let subject = bridge.subject(conversation).await?;
    let summary = if subject.is_empty() { format!("IT request {}", conversation.id) } else { subject };
    let request = bridge.request(conversation, conversation.stretch.from, 0).await?;
    let said: Vec<String> =
        request.lines.iter().map(|line| format!("{}: {}", line.name, line.text)).collect();
    let who_helped = conversation.assignee().or(conversation.last_technician.as_ref());
    let ticket = NewTicket {
        // The conversation and the moment it was asked for: the same over every attempt.
        key: format!("deskbridge:{}", row.id),
        conversation: conversation.id,
        summary,
        description: render::cut(&said.join("\n\n"), 20_000),
        priority: conversation.priority,
        requester: conversation.requester.name.clone(),
        technician: who_helped.map(|technician| bridge.policy.current().policy.name(technician)),
    };
    match bridge.tickets.create(&ticket).await {
        Ok(made) => {
            let desk = bridge.tickets.name().to_owned();
            let event = EventBody::Ticket(TicketEvent::Opened { desk, key: made.key, number: made.number });
            bridge.finish(row, event, None).await?;
            Ok(Verdict::Done)
        }
        Err(TicketError::Retry(why)) => put_back(bridge, &started(row), backoff(row), why).await,
        Err(TicketError::Refused(why)) => {
            bridge.finish(row, EventBody::Ticket(TicketEvent::Failed { why }), None).await?;
            Ok(Verdict::Done)
        }
    }
}

/// Counts one more attempt, for the back-off.
fn started(row: &Arc<OutboxRow>) -> Arc<OutboxRow> {
    Arc::new(OutboxRow { attempts: row.attempts + 1, ..(**row).clone() })
}

pub(super) async fn ticket_status(
    bridge: &Arc<Bridge>,
    row: &Arc<OutboxRow>,
    conversation: &Conversation,
    status: TicketStatus,
) -> Result<Verdict, StoreError> {
    let Some(key) = ticket_key(conversation) else { return no_ticket(bridge, row).await };
    if status == TicketStatus::Resolved
        && let Err(error) = hand_in_record(bridge, row, conversation, key).await?
    {
        return after_ticket(bridge, row, Err(error)).await;
    }
    let by = conversation.last_technician.as_ref().map(|t| bridge.policy.current().policy.name(t));
    let done = bridge.tickets.set_status(key, status, by.as_deref().unwrap_or("deskbridge")).await;
    after_ticket(bridge, row, done).await
}

/// The transcript as a comment, and the conversation's files (product.md §6).
async fn hand_in_record(
    bridge: &Arc<Bridge>,
    row: &OutboxRow,
    conversation: &Conversation,
    key: &str,
) -> Result<Result<(), TicketError>, StoreError> {
    let rows = bridge.read.messages(conversation.id, 1, false, 2_000).await?;
    let public: Vec<&MessageRow> =
        rows.iter().filter(|r| r.audience == Audience::Public && !r.deleted).collect();
    let said: Vec<String> = public
        .iter()
        .map(|r| format!("{}: {}", bridge.author_name(conversation, r), r.content.text))
        .collect();
    let text = format!("Transcript of {}\n\n{}", conversation.id, render::cut(&said.join("\n\n"), 50_000));
    let commented =
        bridge.tickets.comment(key, &row.id.to_string(), "deskbridge", &text, Visibility::Public).await;
    if commented.is_err() {
        return Ok(commented);
    }
    for message in public {
        for attachment in &message.content.attachments {
            if let deskbridge_contract::AttachmentSource::Blob { id, .. } = &attachment.source
                && let Err(error) = bridge.tickets.attach(key, &id.0, &attachment.name).await
            {
                return Ok(Err(error));
            }
        }
    }
    Ok(Ok(()))
}

pub(super) async fn after_ticket(
    bridge: &Arc<Bridge>,
    row: &Arc<OutboxRow>,
    done: Result<(), TicketError>,
) -> Result<Verdict, StoreError> {
    match done {
        Ok(()) => end(bridge, row, DeliveryState::Sent, "").await,
        Err(TicketError::Retry(why)) => put_back(bridge, &started(row), backoff(row), why).await,
        Err(TicketError::Refused(why)) => end(bridge, row, DeliveryState::Failed, &why).await,
    }
}
