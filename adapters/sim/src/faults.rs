//! What goes wrong, and when: rules per room and kind of operation, or a function that chooses.
//!
//! Not here: time. A held call waits for [`crate::World::release`], never for a clock.

use std::fmt;
use std::time::Duration;

use deskbridge_contract::{Address, OperationKind, Outbound, RoomId, SendError};

/// One way for an operation to go wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    Retry {
        after: Option<Duration>,
    },
    Rejected {
        fixable: bool,
    },
    Unauthorized,
    Gone,
    ThreadGone,
    Moved {
        to: Address,
    },
    /// The caller is told that nobody knows. `effect`: it did happen.
    Ambiguous {
        effect: bool,
    },
    /// Never answers until released; then as [`Fault::Ambiguous`]. `effect`: it happens at once.
    Hang {
        effect: bool,
    },
    /// Happens, and answers well, when released.
    Slow,
}

/// Which operations a rule is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct On {
    room: Option<RoomId>,
    kind: Option<OperationKind>,
}

impl On {
    pub fn anything() -> Self {
        On::default()
    }

    pub fn room(room: impl Into<String>) -> Self {
        On { room: Some(RoomId(room.into())), kind: None }
    }

    pub fn kind(kind: OperationKind) -> Self {
        On { room: None, kind: Some(kind) }
    }

    pub fn and_kind(mut self, kind: OperationKind) -> Self {
        self.kind = Some(kind);
        self
    }

    fn matches(&self, out: &Outbound) -> bool {
        self.room.as_ref().is_none_or(|r| *r == out.to.room) && self.kind.is_none_or(|k| k == out.op.kind())
    }
}

type Chooser = Box<dyn FnMut(&Outbound, u32) -> Option<Fault> + Send>;

/// The fault plan. Rules are looked at in the order they were made; then the chooser is asked.
#[derive(Default)]
pub(crate) struct Plan {
    rules: Vec<Rule>,
    chooser: Option<Chooser>,
}

struct Rule {
    on: On,
    fault: Fault,
    /// `None`: for ever.
    left: Option<u32>,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").field("rules", &self.rules.len()).finish_non_exhaustive()
    }
}

impl Plan {
    pub(crate) fn add(&mut self, on: On, fault: Fault, times: Option<u32>) {
        self.rules.push(Rule { on, fault, left: times });
    }

    pub(crate) fn choose_by(&mut self, chooser: Chooser) {
        self.chooser = Some(chooser);
    }

    pub(crate) fn clear(&mut self) {
        *self = Plan::default();
    }

    /// The fault of this attempt, used up by asking.
    pub(crate) fn take(&mut self, out: &Outbound, attempt: u32) -> Option<Fault> {
        self.rules.retain(|r| r.left != Some(0));
        if let Some(rule) = self.rules.iter_mut().find(|r| r.on.matches(out)) {
            if let Some(left) = &mut rule.left {
                *left -= 1;
            }
            return Some(rule.fault.clone());
        }
        self.chooser.as_mut()?(out, attempt)
    }
}

impl Fault {
    /// The answer of a fault that refuses at once; `None` where something else happens first.
    pub(crate) fn refusal(&self) -> Option<SendError> {
        let why = || "planned".to_owned();
        match self {
            Fault::Retry { after } => Some(SendError::Retry { after: *after, why: why() }),
            Fault::Rejected { fixable } => Some(SendError::Rejected { why: why(), fixable: *fixable }),
            Fault::Unauthorized => Some(SendError::Unauthorized { why: why() }),
            Fault::Gone => Some(SendError::Gone { why: why() }),
            Fault::ThreadGone => Some(SendError::ThreadGone { why: why() }),
            Fault::Moved { to } => Some(SendError::Moved { to: to.clone() }),
            Fault::Ambiguous { .. } | Fault::Hang { .. } | Fault::Slow => None,
        }
    }
}

pub(crate) fn ambiguous() -> SendError {
    SendError::Ambiguous { why: "planned: no answer".to_owned() }
}
