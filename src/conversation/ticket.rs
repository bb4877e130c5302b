//! When a ticket is due, and how its status follows the conversation (product.md §6, D15).
//!
//! Not here: ticket systems. They answer with `TicketEvent`s.

use crate::notices::DeskNotice;
use crate::policy::TicketWhen;
use crate::*;

/// The number that people say, once there is a ticket.
pub fn number(conversation: &Conversation) -> Option<&str> {
    match &conversation.ticket {
        TicketLink::Linked { number, .. } => Some(number),
        TicketLink::None | TicketLink::Opening | TicketLink::Failed { .. } => None,
    }
}

/// Opens a ticket where the policy names this moment.
pub fn when(cx: &mut Context<'_>, moment: TicketWhen) {
    if cx.policy.tickets.create == moment {
        open(cx);
    }
}

/// Opens a ticket at moments that need one under every policy but `manual`: out of hours, max wait.
pub fn ensure(cx: &mut Context<'_>) {
    if cx.policy.tickets.create != TicketWhen::Manual {
        open(cx);
    }
}

/// Whether there is one, or one is being opened.
pub fn is_there(conversation: &Conversation) -> bool {
    match &conversation.ticket {
        TicketLink::Opening | TicketLink::Linked { .. } => true,
        TicketLink::None | TicketLink::Failed { .. } => false,
    }
}

/// One open ticket per conversation: asks only when there is none and none is under way.
pub fn open(cx: &mut Context<'_>) {
    match &cx.c.ticket {
        TicketLink::None | TicketLink::Failed { .. } => {
            cx.c.ticket = TicketLink::Opening;
            cx.effect(Effect::OpenTicket { note: String::new() });
        }
        TicketLink::Opening | TicketLink::Linked { .. } => {}
    }
}

/// The conversation was closed or reopened, or a resolved ticket's time is over.
pub fn set_status(cx: &mut Context<'_>, wanted: TicketStatus) {
    let now = cx.now;
    let changed = match &mut cx.c.ticket {
        TicketLink::Linked { status, resolved_at, .. } if *status != wanted => {
            *status = wanted;
            *resolved_at = (wanted == TicketStatus::Resolved).then_some(now);
            true
        }
        TicketLink::Linked { .. } | TicketLink::None | TicketLink::Opening | TicketLink::Failed { .. } => {
            false
        }
    };
    if changed {
        cx.effect(Effect::SetTicketStatus { status: wanted });
    }
}

pub fn assign(cx: &mut Context<'_>, technician: &TechnicianId) {
    match &cx.c.ticket {
        TicketLink::Linked { .. } | TicketLink::Opening => {
            cx.effect(Effect::AssignTicket { technician: technician.clone() });
        }
        TicketLink::None | TicketLink::Failed { .. } => {}
    }
}

/// Word from the ticket desk. `closed`: the conversation is closed, so a ticket that comes late is resolved at once.
pub fn on_event(cx: &mut Context<'_>, event: &TicketEvent, closed: bool) {
    let desks = cx.watching(None);
    match event {
        TicketEvent::Opened { desk, key, number } => {
            cx.c.ticket = TicketLink::Linked {
                desk: desk.clone(),
                key: key.clone(),
                number: number.clone(),
                status: TicketStatus::Open,
                resolved_at: None,
            };
            if closed {
                set_status(cx, TicketStatus::Resolved);
            }
        }
        TicketEvent::Failed { why } => {
            if matches!(cx.c.ticket, TicketLink::Opening) {
                cx.c.ticket = TicketLink::Failed { why: why.clone() };
            }
            cx.tell_desks(&DeskNotice::TicketFailed { why: why.clone() }, &desks, &[]);
        }
        TicketEvent::StatusChanged { status: wanted } => {
            let now = cx.now;
            match &mut cx.c.ticket {
                TicketLink::Linked { status, resolved_at, .. } => {
                    *status = *wanted;
                    *resolved_at = (*wanted == TicketStatus::Resolved).then_some(now);
                }
                TicketLink::None | TicketLink::Opening | TicketLink::Failed { .. } => {}
            }
        }
    }
}
