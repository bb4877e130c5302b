//! The only words that channel adapters and the rest of deskbridge share.
//!
//! Not here: any I/O, any SQL, any product rule. Adapters translate into these types; the core decides on
//! others built from them. Reading order: [`adapter::Adapter`], then [`inbound`], [`outbound`], [`capabilities`].

pub mod adapter;
pub mod address;
pub mod capabilities;
pub mod check;
pub mod commonmark;
pub mod content;
pub mod error;
pub mod files;
pub mod inbound;
pub mod json;
pub mod lanes;
pub mod names;
pub mod outbound;
pub mod settings;
pub mod shelf;
pub mod standing;
#[cfg(feature = "suite")]
pub mod suite;
pub mod time;

pub use adapter::{
    Adapter, ByteStream, Health, Inbox, InboxSink, Intake, Limits, Pace, Peer, PushError, Receipt, Toast,
};
pub use address::{
    Address, BlobId, ChannelName, DeliveryId, RemoteEventId, RemoteFileId, RemoteMessageId, RemoteUserId,
    RoomId, ThreadId,
};
pub use capabilities::{Capabilities, OperationKind, Resend, Support, ThreadStyle};
pub use content::{
    Action, Album, Attachment, AttachmentKind, AttachmentSource, Card, CardState, Content, Fact, Mention,
};
pub use error::{SendError, TranslateError};
pub use files::{FileError, FileStore, StoredFile};
pub use inbound::{Inbound, InboundEvent, Interaction, Sender, SenderKind, ThreadChange};
pub use outbound::{Mark, Outbound, OutboundFile, OutboundOp, Persona, Sent, ThreadTitle};
pub use shelf::{Shelf, ShelfError, ShelfStore};
pub use standing::{
    Colleague, Colleagues, DeskHours, Duty, Known, PersonalCard, Standing, StandingState, TicketShown,
};
pub use time::Timestamp;
