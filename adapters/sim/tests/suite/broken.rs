//! Doubles of the reference adapter, each with one bug that real adapters have had.
//!
//! Not here: the bugs of what is not the adapter (translation, signatures, configuration); the subject has those.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use deskbridge_contract::suite::Clause;
use deskbridge_contract::*;
use deskbridge_sim::SimAdapter;

pub const TOKEN: &str = "sim-token-very-secret";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    NewIdsOnRedelivery,
    PanicsOnNull,
    RelaysOwnMessages,
    AcknowledgesFirst,
    ForgetsIdempotency,
    BoastsOfLength,
    LosesTheThread,
    Loses429,
    CallsTimeoutsUnsent,
    RetriesInside,
    LeaksTheToken,
    QuotesMessages,
    ReadsItsOwnClock,
    TakesUnknownKeys,
    PretendsToEdit,
    EatsStars,
    TakesForgeries,
}

impl Bug {
    pub const ALL: [(Bug, Clause); 17] = [
        (Bug::NewIdsOnRedelivery, Clause::C1),
        (Bug::PanicsOnNull, Clause::C2),
        (Bug::RelaysOwnMessages, Clause::C3),
        (Bug::AcknowledgesFirst, Clause::C4),
        (Bug::ForgetsIdempotency, Clause::C5),
        (Bug::BoastsOfLength, Clause::C6),
        (Bug::LosesTheThread, Clause::C7),
        (Bug::Loses429, Clause::C8),
        (Bug::CallsTimeoutsUnsent, Clause::C8),
        (Bug::RetriesInside, Clause::C8),
        (Bug::LeaksTheToken, Clause::C9),
        (Bug::QuotesMessages, Clause::C9),
        (Bug::ReadsItsOwnClock, Clause::C10),
        (Bug::TakesUnknownKeys, Clause::C11),
        (Bug::PretendsToEdit, Clause::C12),
        (Bug::EatsStars, Clause::C13),
        (Bug::TakesForgeries, Clause::C14),
    ];
}

pub struct Broken {
    sim: Arc<SimAdapter>,
    bug: Bug,
    caps: Capabilities,
    inbox: Mutex<Option<Inbox>>,
    count: AtomicU64,
}

impl Broken {
    pub fn new(sim: Arc<SimAdapter>, bug: Bug) -> Self {
        let mut caps = sim.world().style().capabilities.clone();
        if bug == Bug::BoastsOfLength {
            caps.max_text += 100;
        }
        Broken { sim, bug, caps, inbox: Mutex::default(), count: AtomicU64::new(0) }
    }

    fn number(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    /// What the bug makes of the operation before it is sent.
    fn twist(&self, out: &Outbound) -> Outbound {
        let mut out = out.clone();
        if self.bug == Bug::ForgetsIdempotency {
            out.id = DeliveryId(format!("{}-{}", out.id, self.number()));
        }
        if self.bug == Bug::EatsStars
            && let OutboundOp::Post { content, .. } = &mut out.op
        {
            content.text = content.text.replace('*', "");
        }
        out
    }

    fn twist_error(&self, out: &Outbound, error: SendError) -> SendError {
        match (self.bug, error) {
            (Bug::Loses429, SendError::Retry { why, after: Some(_) }) => {
                SendError::Retry { why, after: None }
            }
            (Bug::CallsTimeoutsUnsent, SendError::Ambiguous { why }) => SendError::Retry { why, after: None },
            (Bug::LeaksTheToken, SendError::Gone { .. }) => {
                SendError::Gone { why: format!("POST /bot{TOKEN}/send: 403") }
            }
            (Bug::QuotesMessages, SendError::Rejected { fixable, .. }) => {
                let OutboundOp::Post { content, .. } = &out.op else { return SendError::rejected("") };
                SendError::Rejected { why: format!("cannot parse {}", content.text), fixable }
            }
            (_, error) => error,
        }
    }

    async fn echo(&self, sent: &Sent) {
        let inbox = self.inbox.lock().unwrap().clone();
        let Some(message) = sent.message.clone() else { return };
        let event = Inbound {
            id: RemoteEventId(format!("own-{}", self.number())),
            at: Timestamp::EPOCH,
            from: self.sim.world().person("maria"),
            address: sent.address.clone(),
            event: InboundEvent::Posted {
                message,
                content: Content::text("said by the bridge"),
                reply_to: None,
            },
            interaction: None,
        };
        if let Some(inbox) = inbox {
            tokio::spawn(async move { inbox.push(event).await });
        }
    }
}

#[async_trait]
impl Adapter for Broken {
    fn channel(&self) -> &ChannelName {
        self.sim.channel()
    }
    fn capabilities(&self, _: &Address) -> &Capabilities {
        &self.caps
    }
    fn resend(&self, kind: OperationKind) -> Resend {
        self.sim.resend(kind)
    }
    fn limits(&self) -> Limits {
        Limits::default()
    }

    fn intake(self: Arc<Self>, inbox: Inbox) -> Intake {
        *self.inbox.lock().unwrap() = Some(inbox.clone());
        let sink = Arc::new(TwistedSink { inbox, bug: self.bug, count: AtomicU64::new(0) });
        self.sim.clone().intake(Inbox::new(self.channel().clone(), sink.clone(), sink))
    }

    async fn send(&self, out: &Outbound) -> Result<Sent, SendError> {
        if let (Bug::PretendsToEdit, OutboundOp::Edit { message, .. }) = (self.bug, &out.op) {
            return Ok(Sent::at(&out.to, Some(message.clone())));
        }
        let twisted = self.twist(out);
        let mut answer = self.sim.send(&twisted).await;
        if self.bug == Bug::RetriesInside && matches!(answer, Err(SendError::Ambiguous { .. })) {
            answer = self.sim.send(&twisted).await;
        }
        let mut sent = answer.map_err(|error| self.twist_error(out, error))?;
        match (self.bug, &out.op) {
            (Bug::LosesTheThread, OutboundOp::Post { .. }) => sent.address.thread = None,
            (Bug::RelaysOwnMessages, OutboundOp::Post { content, .. })
                if content.text == "said by the bridge" =>
            {
                self.echo(&sent).await;
            }
            _ => {}
        }
        Ok(sent)
    }

    async fn find(&self, out: &Outbound) -> Result<Option<Sent>, SendError> {
        self.sim.find(&self.twist(out)).await
    }
    async fn fetch(&self, file: &RemoteFileId) -> Result<ByteStream, SendError> {
        self.sim.fetch(file).await
    }
    async fn probe(&self) -> Result<Health, SendError> {
        self.sim.probe().await
    }
}

struct TwistedSink {
    inbox: Inbox,
    bug: Bug,
    count: AtomicU64,
}

#[async_trait]
impl InboxSink for TwistedSink {
    async fn push(&self, mut event: Inbound) -> Result<Receipt, PushError> {
        match self.bug {
            Bug::NewIdsOnRedelivery => {
                event.id =
                    RemoteEventId(format!("{}-{}", event.id, self.count.fetch_add(1, Ordering::Relaxed)));
            }
            Bug::ReadsItsOwnClock => event.at = event.at + std::time::Duration::from_secs(1),
            Bug::AcknowledgesFirst => {
                let inbox = self.inbox.clone();
                tokio::spawn(async move { inbox.push(event).await });
                return Ok(Receipt::default());
            }
            _ => {}
        }
        self.inbox.push(event).await
    }

    async fn quarantine(&self, _: &ChannelName, raw: &[u8], why: &TranslateError) -> Result<(), PushError> {
        self.inbox.quarantine(raw, why).await
    }
}

#[async_trait]
impl ShelfStore for TwistedSink {
    async fn get(&self, _: &ChannelName, key: &str) -> Result<Option<String>, ShelfError> {
        self.inbox.shelf().get(key).await
    }
    async fn put(&self, _: &ChannelName, key: &str, value: &str) -> Result<(), ShelfError> {
        self.inbox.shelf().put(key, value).await
    }
    async fn delete(&self, _: &ChannelName, keys: &[String]) -> Result<(), ShelfError> {
        self.inbox.shelf().delete(keys).await
    }
    async fn find(&self, _: &ChannelName, prefix: &str, word: &str) -> Result<Vec<String>, ShelfError> {
        self.inbox.shelf().find(prefix, word).await
    }
}
