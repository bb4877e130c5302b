//! Several deliveries of one lane as one post, where the pace of a shared room leaves no place for a post of each (D23).
//!
//! Not here: pace itself (`pace`), order (the outbox), what platforms pace that tightly (the adapters' `limits()`).

use std::collections::VecDeque;
use std::sync::Arc;

use deskbridge_contract::{Content, OperationKind, OutboundOp, Persona, Resend, SendError, Sent};
use deskbridge_conversation::{
    Audience, Author, Conversation, Delivery, DeliveryOp, Effect, Joined, MessageId, Outcome, Session,
    Weight, fit,
};
use deskbridge_store::rows::{DeliveryState, OutboxRow};
use deskbridge_store::{Begin, Begun, StoreError};
use futures_util::future::join_all;
use tokio::time::Instant;

use super::compose::may_see;
use super::ending::{is_uncertain, outcome_within, put_back_until, sent, unknown};
use super::perform::{self, LEASE, Next, Place, Verdict};
use super::{Bridge, parts, render};

/// Parts of one post.
const MOST: usize = 20;

/// What may go along with the head of a lane: words that are ready and stand directly behind it.
pub fn behind(lane: &VecDeque<Arc<OutboxRow>>, is_ready: impl Fn(&OutboxRow) -> bool) -> Vec<Arc<OutboxRow>> {
    let Some(head) = lane.front().filter(|row| is_words(row)) else { return Vec::new() };
    // What was attempted with an unknown outcome may be there: it is not mixed with what surely is not.
    let alike = |row: &OutboxRow| {
        let open = row.state == DeliveryState::Attempting;
        is_words(row) && row.state == head.state && (open || is_uncertain(row) == is_uncertain(head))
    };
    let following = lane.iter().skip(1).take(MOST - 1);
    following.take_while(|row| alike(row) && is_ready(row)).cloned().collect()
}

fn is_words(row: &OutboxRow) -> bool {
    let whole = row.turn.is_none() && row.shown.is_empty();
    whole && row.weight == Weight::Person && posted(row).is_some()
}

fn posted(row: &OutboxRow) -> Option<(&Delivery, MessageId)> {
    match &row.effect {
        Effect::Deliver(delivery) => match &delivery.op {
            DeliveryOp::Post { message } => Some((delivery, *message)),
            _ => None,
        },
        _ => None,
    }
}

/// One delivery of a joint post.
pub(super) struct Part {
    row: Arc<OutboxRow>,
    delivery: Delivery,
    message: MessageId,
    text: String,
}

/// Two or more deliveries that fit into one post.
pub(super) struct Joint {
    parts: Vec<Part>,
    persona: Persona,
}

/// Whose words a part is, and for whom; all parts of a post have the same.
#[derive(PartialEq, Eq)]
struct Kind {
    author: Author,
    audience: Audience,
    persona: Persona,
}

/// Takes along what fits, when the delivery that is about to begin leaves no place for the next one. The pace was asked.
pub(super) async fn gather(
    bridge: &Bridge,
    head: &Arc<OutboxRow>,
    behind: &[Arc<OutboxRow>],
    place: &Place,
) -> Result<Option<Joint>, StoreError> {
    if behind.is_empty() || !may_join(bridge, head, place) {
        return Ok(None);
    }
    let Some((kind, first)) = read(bridge, head, place).await? else { return Ok(None) };
    let mut parts = vec![first];
    for row in behind {
        match read(bridge, row, place).await? {
            Some((other, part)) if other == kind => parts.push(part),
            Some(_) | None => break,
        }
        if post(bridge, place, &kind.persona, &parts).await.is_none() {
            parts.pop();
            break;
        }
    }
    Ok((parts.len() > 1).then_some(Joint { parts, persona: kind.persona }))
}

fn may_join(bridge: &Bridge, head: &OutboxRow, place: &Place) -> bool {
    let room = bridge.board.shared_room(&place.adapter, &place.session.address, Instant::now());
    let waits = room.is_some_and(|room| room.is_tight || is_uncertain(head));
    waits && place.adapter.resend(OperationKind::Post) == Resend::MayDuplicate
}

/// A delivery that is nothing but somebody's words, in one message.
async fn read(
    bridge: &Bridge,
    row: &Arc<OutboxRow>,
    place: &Place,
) -> Result<Option<(Kind, Part)>, StoreError> {
    let Some((delivery, message)) = posted(row) else { return Ok(None) };
    let Some(stored) = bridge.stored(message).await? else { return Ok(None) };
    let mut operations =
        bridge.operations(&place.conversation, &place.session, delivery, &place.adapter).await?;
    let (Some(OutboundOp::Post { content, files, persona: Some(persona), reply_to: None }), true) =
        (operations.pop(), operations.is_empty())
    else {
        return Ok(None);
    };
    let is_plain = content == Content::text(content.text.clone()) && files.is_empty();
    if !is_plain || persona.assistant || !fit::stands_alone(&content.text) {
        return Ok(None);
    }
    let kind = Kind { author: stored.author.clone(), audience: stored.audience, persona };
    let part = Part { row: row.clone(), delivery: delivery.clone(), message, text: content.text };
    Ok(Some((kind, part)))
}

/// The one operation that shows all parts; `None` where they are too long for one.
async fn post(bridge: &Bridge, place: &Place, persona: &Persona, parts: &[Part]) -> Option<OutboundOp> {
    let content = Content::text(fit::join(parts.iter().map(|part| part.text.as_str())));
    let mut operations =
        bridge.parts(&place.adapter, &place.session, content, Some(persona.clone()), None).await;
    operations.pop().filter(|_| operations.is_empty())
}

/// Begins all of them in one transaction, sends one post, and ends each.
pub(super) async fn send(
    bridge: &Arc<Bridge>,
    place: &Place,
    joint: Joint,
) -> Result<perform::Ends, StoreError> {
    let lease_until = bridge.now() + LEASE;
    let begins = joint.parts.iter().map(|part| Begin { effect: part.row.id, lease_until }).collect();
    let permits = bridge.writer.begin_joint(begins).await?;
    let mut ends = Vec::with_capacity(permits.len());
    let mut begun = Vec::with_capacity(permits.len());
    for (mut part, permit) in joint.parts.into_iter().zip(permits) {
        match permit {
            Begun::Go { attempt } => {
                part.row = Arc::new(OutboxRow { attempts: attempt, ..(*part.row).clone() });
                begun.push(part);
            }
            // Ended or cancelled meanwhile.
            Begun::No => ends.push((part.row.id, Verdict::Done)),
        }
        if begun.is_empty() {
            // Without the first none began; the others keep their places.
            return Ok(ends);
        }
    }
    let operation = post(bridge, place, &joint.persona, &begun).await;
    let shown = match operation {
        Some(operation) => parts::send(place, &begun[0].row, 0, operation).await.map(|sent| vec![sent]),
        None => Ok(Vec::new()),
    };
    metrics::counter!("deskbridge_joined_posts_total").increment(1);
    ends.extend(settle(bridge, place, &begun, shown.map_err(|(error, _)| error)).await?);
    Ok(ends)
}

async fn settle(
    bridge: &Arc<Bridge>,
    place: &Place,
    parts: &[Part],
    shown: Result<Vec<Sent>, SendError>,
) -> Result<perform::Ends, StoreError> {
    let lead = &parts[0];
    let (next, shown) = match shown {
        Ok(shown) => {
            perform::works(bridge, place);
            (None, shown)
        }
        Err(error) => (Some(perform::next(bridge, &lead.row, place, error).await?), Vec::new()),
    };
    let now = bridge.now();
    let endings = parts.iter().enumerate().map(|(nth, part)| {
        let (next, shown) = (&next, &shown);
        async move {
            let (row, delivery) = (&part.row, &part.delivery);
            let ended = match next {
                None => {
                    let mut ended = sent(row, delivery, place, shown.clone());
                    let joined = u16::try_from(nth).ok().filter(|nth| *nth > 0);
                    if let (Outcome::Sent { remote, more, .. }, Some(_)) = (&mut ended, joined) {
                        // The platform's message is the lead's.
                        *remote = None;
                        more.clear();
                    }
                    let joined = joined.map(|nth| Joined { lead: lead.message, nth });
                    outcome_within(bridge, row, delivery, ended, joined).await
                }
                Some(Next::Ends(outcome)) => {
                    outcome_within(bridge, row, delivery, outcome.clone(), None).await
                }
                // Until the same moment, so that they go together again.
                Some(Next::Back(wait, why)) => {
                    put_back_until(bridge, row, now + *wait, Some(why.clone())).await
                }
                Some(Next::Unknown(why)) => unknown(bridge, row, delivery, why, now).await,
            };
            let verdict = ended.unwrap_or_else(|error| perform::put_off(bridge, row, &error));
            (row.id, verdict)
        }
    });
    // Together, so that they share a commit; polled in their order, which is the lane's.
    Ok(join_all(endings).await)
}

/// Several open attempts in one lane were one joint attempt: found open after a crash, each comes to what it would have
/// come to alone, at the same moment.
pub(super) async fn lost(
    bridge: &Arc<Bridge>,
    head: &Arc<OutboxRow>,
    behind: &[Arc<OutboxRow>],
    why: &str,
) -> perform::Ends {
    let now = bridge.now();
    let rows = std::iter::once(head).chain(behind).filter_map(|row| Some((row, posted(row)?.0)));
    let endings = rows.map(|(row, delivery)| async move {
        let ended = unknown(bridge, row, delivery, why, now).await;
        (row.id, ended.unwrap_or_else(|error| perform::put_off(bridge, row, &error)))
    });
    join_all(endings).await
}

impl Bridge {
    /// All messages that share a post with this one in a session, in order; `None` where it has one for itself.
    pub(super) async fn joint(
        &self,
        conversation: &Conversation,
        session: &Session,
        message: MessageId,
    ) -> Result<Option<Vec<MessageId>>, StoreError> {
        if message.covers().is_some() {
            return Ok(None);
        }
        let rows = self.read.joint(conversation.id, session.id, message).await?;
        let Some(lead) = rows.first().map(|row| row.lead) else { return Ok(None) };
        Ok(Some(std::iter::once(lead).chain(rows.into_iter().map(|row| row.message)).collect()))
    }

    /// What a joint post shows now. `None`: nothing is left of it.
    pub(super) async fn joint_words(
        &self,
        conversation: &Conversation,
        session: &Session,
        messages: &[MessageId],
    ) -> Result<Option<(Content, Option<Persona>)>, StoreError> {
        let policy = self.policy.current();
        let (mut texts, mut persona) = (Vec::new(), None);
        for message in messages {
            let stored = self.stored(*message).await?;
            let Some(row) = stored.filter(|row| !row.deleted && may_see(session, row)) else { continue };
            let written = self.written_in(conversation, session, &row).await?;
            let shown = render::message(conversation, &policy.policy, session, &row, written.as_ref());
            texts.push(shown.content.text);
            persona = persona.or(shown.persona);
        }
        let text = fit::join(texts.iter().map(String::as_str));
        Ok((!text.is_empty()).then(|| (Content::text(text), persona)))
    }
}
