//! A fake Telegram: the Bot API of one bot over a real socket, a world of people and chats behind it, a ledger and a
//! plan of faults. Written from the vendor's page and the sources of its server; no adapter was looked at.

mod access;
mod acts;
mod chat;
mod control;
mod drive;
mod error;
mod faults;
mod files;
mod ledger;
mod markup;
mod message;
mod methods;
mod params;
mod people;
mod polling;
mod render;
mod serve;
mod spec;
mod text;
mod updates;
mod webhook;
mod world;

pub use crate::shared::TimedOut;
pub use chat::{
    Chat, ChatId, ChatKind, GROUP_ANONYMOUS_BOT, MessageId, Rights, Standing, ThreadId, Topic, User, UserId,
};
pub use drive::FakeTelegram;
pub use error::ApiError;
pub use faults::{Fault, FaultKind, FaultPlan};
pub use files::{MAX_DOWNLOAD, MAX_PHOTO, MAX_UPLOAD, StoredFile, TINY_PNG};
pub use ledger::{Call, Delivery, Ledger, Way};
pub use message::{Author, Button, Content, MediaKind, Message, REACTIONS};
pub use params::{Encoding, SentFile};
pub use people::Post;
pub use text::{Formatted, utf16_len};
pub use world::{Press, Settings, World};
