//! What the platform remembers for the tests: every event it raised and every attempt to send.
//!
//! Not here: what people see.

use deskbridge_contract::{Address, DeliveryId, Inbound, OperationKind, SendError, Sent};

use crate::faults::Fault;

/// One event that the platform raised. It keeps its id over every delivery of it.
#[derive(Clone, Debug)]
pub struct Event {
    /// The `n` of the id `s{n}`.
    pub number: u64,
    pub inbound: Inbound,
    /// How often it was pushed.
    pub pushes: u32,
    /// The bridge said that it has it.
    pub acknowledged: bool,
}

/// One call of `send`.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub delivery: DeliveryId,
    pub to: Address,
    pub kind: OperationKind,
    /// 1 for the first attempt of this delivery.
    pub attempt: u32,
    pub fault: Option<Fault>,
    /// Something changed for people because of this very call.
    pub effect: bool,
    /// `None` while under way, and for ever when the caller gave up waiting.
    pub outcome: Option<Result<Sent, SendError>>,
}
