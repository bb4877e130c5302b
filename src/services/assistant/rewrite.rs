//! What a technician asks of their own draft: other words, fewer words, another language.
//!
//! Not here: who puts it into other words (the engines). Nothing is sent by any of it (A7).

use deskbridge_conversation::{ConversationId, TechnicianId};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewriting {
    /// Clearer and friendlier, saying the same.
    Reword,
    Shorten,
    /// Into [`Draft::language`].
    Translate,
}

#[derive(Clone, Debug)]
pub struct Draft {
    pub conversation: ConversationId,
    /// Whose draft it is, and whose budget pays.
    pub by: TechnicianId,
    /// CommonMark.
    pub text: String,
    pub how: Rewriting,
    /// Two letters; what a translation is into. Other rewritings keep the draft's language.
    pub language: String,
}
