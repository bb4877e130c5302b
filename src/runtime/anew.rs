//! Late messages become a new conversation of the same requester (D5).
//!
//! Not here: when that is due (the core).

use std::sync::Arc;

use deskbridge_contract::{Content, RemoteMessageId};
use deskbridge_conversation::{
    Author, Conversation, EventBody, RequesterEvent, RequesterVerb, SessionId, gist,
};
use deskbridge_store::rows::{DeliveryState, MessageRow, OutboxRow};
use deskbridge_store::{Apply, Cause, Refs, StoreError, Target};

use super::ending::end;
use super::perform::Verdict;
use super::{Bridge, render};

/// What was said from `first_seq` on, as one message; where nothing was said, people were asked for.
pub async fn open(
    bridge: &Arc<Bridge>,
    row: &Arc<OutboxRow>,
    conversation: &Conversation,
    first_seq: u64,
) -> Result<Verdict, StoreError> {
    if conversation.is_erased() {
        return end(bridge, row, DeliveryState::Cancelled, "the requester was erased").await;
    }
    let Some(session) = conversation.requester_session() else {
        return end(bridge, row, DeliveryState::Cancelled, "no requester session").await;
    };
    let rows = bridge.read.messages(conversation.id, first_seq, false, 200).await?;
    let language = &conversation.requester.language;
    let counts = |row: &&MessageRow| {
        matches!(row.author, Author::Requester(_)) && !row.deleted && !render::is_command(row, language)
    };
    let late: Vec<&MessageRow> = rows.iter().filter(counts).collect();
    let texts: Vec<&str> = late.iter().map(|row| row.content.text.as_str()).collect();
    let content = Content {
        text: texts.join("\n\n"),
        attachments: late.iter().flat_map(|row| row.content.attachments.clone()).collect(),
        ..Content::default()
    };
    let (at, what) = match late.last() {
        Some(last) => {
            let remote = bridge.links(conversation, session, Some(last.id)).await?.into_values().next();
            let remote = remote.unwrap_or_else(|| RemoteMessageId::new(last.id.to_string()));
            (
                last.at,
                RequesterEvent::Posted { remote, gist: gist::read(&content.text, language), reply_to: None },
            )
        }
        // Nothing was said: the button "talk to a human" asked for it.
        None => (row.created, RequesterEvent::Pressed { verb: RequesterVerb::Human }),
    };
    let policy = bridge.policy.current();
    let queue = policy.policy.queue_of(&session.address.channel);
    let apply = Apply {
        cause: Cause::Effect(row.id),
        target: Target::Requester {
            address: session.address.clone(),
            requester: conversation.requester.clone(),
            priority: policy.policy.queue(&queue).priority,
            queue,
            force_new: true,
            shared: false,
        },
        at,
        body: EventBody::Requester { session: SessionId(0), what },
        content: Some(content),
        refs: Refs::default(),
        guard: None,
    };
    bridge.writer.apply(apply).await?;
    Ok(Verdict::Done)
}
