//! Effects that are no deliveries: the assistant's turn, summaries, tickets, private notifications, a new conversation.
//!
//! Not here: the services themselves (`services/`), what their results mean (the core).

use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::{Content, Outbound, OutboundOp, RemoteUserId};
use deskbridge_conversation::notices::{Notice, say};
use deskbridge_conversation::{
    Answer, AssistantEvent, Audience, Author, Conversation, ConversationId, Effect, EventBody, NoticeKind,
    Stage, TechnicianId, TicketStatus, Via, desk,
};
use deskbridge_services::assistant::{Line, Progress, Reply, Request, Speaker};
use deskbridge_services::tickets::Visibility;
use deskbridge_store::StoreError;
use deskbridge_store::rows::{DeliveryState, MessageRow, OutboxRow};
use tokio::sync::watch;

use super::ending::end;
use super::perform::{Verdict, later};
use super::tickets::{after_ticket, no_ticket, open_ticket, ticket_key, ticket_status};
use super::{Bridge, anew, render};

/// Messages of a stretch that an engine sees; the latest win.
const STRETCH: usize = 60;
/// "Is typing" is shown again after this, seconds.
const TYPING: Duration = Duration::from_secs(4);
/// A growing answer is shown this often.
const GROWING: Duration = Duration::from_millis(120);

pub async fn perform(bridge: &Arc<Bridge>, row: Arc<OutboxRow>) -> Verdict {
    match serve(bridge, &row).await {
        Ok(verdict) => verdict,
        Err(error) => later(bridge, &row, Duration::from_secs(2), &error.to_string()),
    }
}

async fn serve(bridge: &Arc<Bridge>, row: &Arc<OutboxRow>) -> Result<Verdict, StoreError> {
    let Some(conversation) = bridge.board.conversation(bridge.read.as_ref(), row.conversation()).await?
    else {
        return end(bridge, row, DeliveryState::Cancelled, "no such conversation").await;
    };
    if carries_words(&row.effect) && is_gone(bridge, &conversation).await? {
        return end(bridge, row, DeliveryState::Cancelled, ERASED).await;
    }
    match &row.effect {
        Effect::AskAssistant { turn } => ask(bridge, row, &conversation, *turn).await,
        Effect::Summarise { stretch } => {
            let mut request = bridge.desk_request(&conversation, *stretch, 0).await?;
            if request.lines.is_empty() {
                // Reopened without a word: the summary is of what there is (A6: it is never empty).
                request = bridge.desk_request(&conversation, 1, 0).await?;
            }
            let summary = bridge.assistant.summarise(&request);
            let Some(summary) = unless_erased(bridge, conversation.id, summary).await else {
                return end(bridge, row, DeliveryState::Cancelled, ERASED).await;
            };
            let event = EventBody::Assistant(AssistantEvent::Summarised { stretch: *stretch });
            bridge.finish(row, event, Some(Content::text(summary))).await?;
            Ok(Verdict::Done)
        }
        Effect::Suggest { to, via } => suggest(bridge, row, &conversation, to, via).await,
        Effect::OpenTicket { .. } => open_ticket(bridge, row, &conversation).await,
        Effect::SetTicketStatus { status } => ticket_status(bridge, row, &conversation, *status).await,
        Effect::AssignTicket { technician } => {
            let name = bridge.policy.current().policy.name(technician);
            let Some(key) = ticket_key(&conversation) else { return no_ticket(bridge, row).await };
            let done = bridge.tickets.assign(key, &name).await;
            after_ticket(bridge, row, done).await
        }
        Effect::CommentTicket { message, public } => {
            let Some(key) = ticket_key(&conversation) else { return no_ticket(bridge, row).await };
            // As it is stored now: what was read before may be of somebody who is erased by now.
            let said = bridge.read.message(*message).await?.filter(|said| !said.deleted);
            let Some(said) = said else { return no_ticket(bridge, row).await };
            let visibility = if *public { Visibility::Public } else { Visibility::Internal };
            let author = bridge.author_name(&conversation, &said);
            let done = bridge
                .tickets
                .comment(key, &row.id.to_string(), &author, &said.content.text, visibility)
                .await;
            after_ticket(bridge, row, done).await
        }
        Effect::Notify { technician, kind } => {
            notify(bridge, row, &conversation, technician, *kind).await;
            end(bridge, row, DeliveryState::Sent, "").await
        }
        Effect::OpenAnew { first_seq } => anew::open(bridge, row, &conversation, *first_seq).await,
        Effect::Deliver(_)
        | Effect::Cancel { .. }
        | Effect::ReleaseHolds
        | Effect::Roster(_)
        | Effect::Rated { .. }
        | Effect::Feedback { .. }
        | Effect::Audit { .. } => end(bridge, row, DeliveryState::Cancelled, "not a service").await,
    }
}

/// Why what was under way for somebody is not done any more.
const ERASED: &str = "the requester was erased";

/// Gives words of the conversation, or a name, to somebody: an engine, a ticket desk, a technician.
fn carries_words(effect: &Effect) -> bool {
    match effect {
        Effect::AskAssistant { .. }
        | Effect::Summarise { .. }
        | Effect::Suggest { .. }
        | Effect::OpenTicket { .. }
        | Effect::CommentTicket { .. }
        | Effect::Notify { .. }
        | Effect::OpenAnew { .. } => true,
        // Of a ticket that is resolved the record is handed in; one that is closed is not (see `tickets`).
        Effect::SetTicketStatus { status } => *status == TicketStatus::Resolved,
        Effect::AssignTicket { .. }
        | Effect::Deliver(_)
        | Effect::Cancel { .. }
        | Effect::ReleaseHolds
        | Effect::Roster(_)
        | Effect::Rated { .. }
        | Effect::Feedback { .. }
        | Effect::Audit { .. } => false,
    }
}

/// Asks the store: the board may be a moment behind.
async fn is_gone(bridge: &Bridge, known: &Conversation) -> Result<bool, StoreError> {
    let stored = bridge.read.conversation(known.id).await?;
    Ok(stored.is_none_or(|stored| stored.is_erased()))
}

/// `None`: the requester was erased while it was worked out; an engine that is asked no more need not go on with their words.
async fn unless_erased<T>(
    bridge: &Arc<Bridge>,
    id: ConversationId,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut changes = bridge.bus.subscribe();
    let erased = async {
        loop {
            match changes.recv().await {
                Ok(commit) => {
                    let mut theirs = commit.changes.iter().filter(|change| change.conversation.id == id);
                    if theirs.any(|change| change.conversation.is_erased()) {
                        return;
                    }
                }
                Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                Err(tokio::sync::broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    };
    tokio::select! {
        done = work => Some(done),
        () = erased => None,
    }
}

impl Bridge {
    /// What an engine may see: the public words of one stretch of one conversation (A5, S103).
    pub async fn request(
        &self,
        conversation: &Conversation,
        from: u64,
        turn: u32,
    ) -> Result<Request, StoreError> {
        let rows = self.read.messages(conversation.id, from, false, 2_000).await?;
        let language = &conversation.requester.language;
        let counts = |row: &&MessageRow| {
            row.audience == Audience::Public && !row.deleted && !render::is_command(row, language)
        };
        let said: Vec<&MessageRow> = rows.iter().filter(counts).collect();
        let skip = said.len().saturating_sub(STRETCH);
        let lines = said[skip..].iter().map(|row| Line {
            by: match &row.author {
                Author::Requester(_) => Speaker::Requester,
                Author::Bystander { .. } => Speaker::Bystander,
                Author::Technician(_) => Speaker::Technician,
                Author::Assistant => Speaker::Assistant,
                Author::Outsider | Author::Desk => Speaker::Note,
            },
            name: self.author_name(conversation, row),
            text: row.content.text.clone(),
            files: row.content.attachments.iter().map(|a| a.name.clone()).collect(),
        });
        Ok(Request {
            conversation: conversation.id,
            turn,
            language: conversation.requester.language.clone(),
            requester: conversation.requester.name.clone(),
            account: conversation.requester.id.clone(),
            lines: lines.collect(),
            cited: conversation.stretch.cited.clone(),
        })
    }

    /// As [`Bridge::request`], for what desk rooms read: the requester is called as the most discreet of them allows.
    async fn desk_request(
        &self,
        conversation: &Conversation,
        from: u64,
        turn: u32,
    ) -> Result<Request, StoreError> {
        let mut request = self.request(conversation, from, turn).await?;
        let name = render::discreet_name(conversation, &self.policy.current().policy);
        for line in request.lines.iter_mut().filter(|line| line.by == Speaker::Requester) {
            line.name.clone_from(&name);
        }
        for line in request.lines.iter_mut().filter(|line| line.by == Speaker::Bystander) {
            let policy = self.policy.current();
            line.name = render::discreet_bystander(conversation, &policy.policy, &line.name);
        }
        request.requester = name;
        Ok(request)
    }

    pub fn author_name(&self, conversation: &Conversation, row: &MessageRow) -> String {
        match &row.author {
            Author::Requester(_) => conversation.requester.name.clone(),
            Author::Bystander { name, .. } if name.is_empty() => desk::SOMEBODY.to_owned(),
            Author::Bystander { name, .. } => name.clone(),
            Author::Technician(technician) => self.policy.current().policy.name(technician),
            Author::Assistant => "Assistant".to_owned(),
            Author::Outsider => "Somebody in the room".to_owned(),
            Author::Desk => "Desk".to_owned(),
        }
    }
}

/// The assistant's turn. It ends early when the turn is not the current one any more.
async fn ask(
    bridge: &Arc<Bridge>,
    row: &Arc<OutboxRow>,
    conversation: &Conversation,
    turn: u32,
) -> Result<Verdict, StoreError> {
    let is_current = |c: &Conversation| c.turn == turn && matches!(c.stage, Stage::Assisting(_));
    let superseded = || Reply { answer: Answer::Failed { why: "superseded".to_owned() }, content: None };
    let reply = if is_current(conversation) {
        let request = bridge.request(conversation, conversation.stretch.from, turn).await?;
        let mut changes = bridge.bus.subscribe();
        let moved_on = async {
            loop {
                match changes.recv().await {
                    Ok(commit) => {
                        let mine =
                            commit.changes.iter().rfind(|change| change.conversation.id == conversation.id);
                        if mine.is_some_and(|change| !is_current(&change.conversation)) {
                            return;
                        }
                    }
                    Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        let (progress, growing) = Watched::new();
        tokio::select! {
            reply = bridge.assistant.answer(&request, &progress) => reply,
            () = moved_on => superseded(),
            () = keep_typing(bridge, conversation) => superseded(),
            () = show_growing(bridge, conversation, growing) => superseded(),
        }
    } else {
        superseded()
    };
    let reply = audible(reply, &conversation.requester.language);
    let label = match &reply.answer {
        Answer::Said { .. } => "said",
        Answer::AskedBack { .. } => "asked-back",
        Answer::HandOver { .. } => "handover",
        Answer::Failed { .. } => "failed",
    };
    metrics::counter!("deskbridge_assistant_answers_total", "kind" => label).increment(1);
    let event = EventBody::Assistant(AssistantEvent::Answered { turn, answer: reply.answer });
    bridge.finish(row, event, reply.content).await?;
    Ok(Verdict::Done)
}

/// A turn ends with something to read: an answer without words is none (T27), and the offer of people has fixed ones.
fn audible(reply: Reply, language: &str) -> Reply {
    let silent = reply.content.as_ref().is_none_or(Content::is_empty);
    match reply.answer {
        Answer::Said { .. } | Answer::AskedBack { .. } if silent => {
            Reply { answer: Answer::Failed { why: "an empty answer".to_owned() }, content: None }
        }
        Answer::HandOver { .. } if silent => {
            Reply { content: Some(say(&Notice::AskConnect, language)), ..reply }
        }
        Answer::Said { .. } | Answer::AskedBack { .. } | Answer::HandOver { .. } | Answer::Failed { .. } => {
            reply
        }
    }
}

/// Shows "is typing" to the requester until dropped; never ends by itself.
async fn keep_typing(bridge: &Arc<Bridge>, conversation: &Conversation) {
    if let Some(session) = conversation.requester_session()
        && let Some(adapter) = bridge.adapters.get(&session.address.channel)
    {
        loop {
            // A hint; when it fails the answer itself will say what is wrong.
            let _ = adapter.typing(&session.address).await;
            tokio::time::sleep(TYPING).await;
        }
    }
    std::future::pending().await
}

/// Shows an answer while it grows, where the requester's channel can; never ends by itself. A hint each time, the latest
/// text only: the answer itself is delivered as every message is (D31, D36).
async fn show_growing(
    bridge: &Arc<Bridge>,
    conversation: &Conversation,
    mut growing: watch::Receiver<String>,
) {
    let session = conversation.requester_session();
    let adapter = session.and_then(|session| bridge.adapters.get(&session.address.channel));
    if let (Some(session), Some(adapter)) = (session, adapter) {
        while growing.changed().await.is_ok() {
            let text = growing.borrow_and_update().clone();
            let _ = adapter.streaming(&session.address, &text).await;
            tokio::time::sleep(GROWING).await;
        }
    }
    std::future::pending().await
}

/// What an engine has so far, for whoever looks.
struct Watched(watch::Sender<String>);

impl Watched {
    fn new() -> (Watched, watch::Receiver<String>) {
        let (sender, receiver) = watch::channel(String::new());
        (Watched(sender), receiver)
    }
}

impl Progress for Watched {
    fn so_far(&self, text: &str) {
        self.0.send_replace(text.to_owned());
    }
}

async fn suggest(
    bridge: &Arc<Bridge>,
    row: &Arc<OutboxRow>,
    conversation: &Conversation,
    to: &TechnicianId,
    via: &Via,
) -> Result<Verdict, StoreError> {
    let request = bridge.desk_request(conversation, conversation.stretch.from, conversation.turn).await?;
    let Some(draft) = unless_erased(bridge, conversation.id, bridge.assistant.suggest(&request, to)).await
    else {
        return end(bridge, row, DeliveryState::Cancelled, ERASED).await;
    };
    let content =
        draft.unwrap_or_else(|| Content::text("There is nothing to suggest: no article fits well enough."));
    let event = EventBody::Assistant(AssistantEvent::Suggested { to: to.clone(), via: via.clone() });
    bridge.finish(row, event, Some(content)).await?;
    Ok(Verdict::Done)
}

/// A private message to a technician, wherever they can be reached. Best effort: the card mentions them as well.
async fn notify(
    bridge: &Arc<Bridge>,
    row: &OutboxRow,
    conversation: &Conversation,
    who: &TechnicianId,
    kind: NoticeKind,
) {
    let policy = bridge.policy.current();
    let Some(technician) = policy.policy.technicians.get(who) else { return };
    let what = match kind {
        NoticeKind::Offered => "is offered to you",
        NoticeKind::Transferred => "would be handed on to you",
        NoticeKind::TakenOver => "was taken over by somebody else",
        NoticeKind::Invited => "has you as a co-replier now",
        NoticeKind::Reopened => "was reopened",
    };
    for identity in &technician.identities {
        let Some((channel, user)) = identity.split_once(':') else { continue };
        let Some(adapter) = bridge.adapters.get(&channel.into()) else { continue };
        let Ok(to) = adapter.open_direct(&RemoteUserId::new(user)).await else { continue };
        let name = render::name_on(conversation, &policy.policy, adapter.channel());
        let requester = deskbridge_conversation::notices::plain(&name);
        let content = Content::text(format!("🔔 {} · {requester} {what}.", conversation.id));
        let op = OutboundOp::Post { content, files: Vec::new(), persona: None, reply_to: None };
        let out = Outbound { id: row.id.delivery(), to, op };
        if let Err(error) = adapter.send(&out).await {
            tracing::debug!(effect = %row.id, %error, "a technician could not be told privately");
        }
    }
}
