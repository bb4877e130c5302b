//! Which platform the simulator plays: capability tables, resend policies and limits of the real ones.
//!
//! Not here: how operations are carried out. Figures are from the vendors' pages, as gathered in
//! `docs/channels.md`; the real adapters own theirs.

use std::collections::BTreeMap;
use std::time::Duration;

use deskbridge_contract::{Address, Capabilities, Limits, OperationKind, Pace, Resend, Support, ThreadStyle};

use crate::ids;

const MEGABYTE: u64 = 1024 * 1024;

/// A platform to play. Fields are open, so that a test can bend one of them.
#[derive(Clone, Debug)]
pub struct Style {
    pub name: &'static str,
    pub capabilities: Capabilities,
    pub resend: fn(OperationKind) -> Resend,
    pub limits: Limits,
}

impl Style {
    /// Topics beside the card, no read-back, no deletions and no read marks heard.
    pub fn telegram() -> Self {
        Style {
            name: "telegram",
            capabilities: Capabilities {
                max_text: 4096,
                max_caption: 1024,
                max_upload_bytes: 50 * MEGABYTE,
                max_download_bytes: 20 * MEGABYTE,
                max_attachments: 10,
                max_actions: 100,
                threads: ThreadStyle::Separate,
                whisper: Support::Emulate,
                persona: Support::Emulate,
                hears_deletes: false,
                hears_reads: false,
                ..everything()
            },
            resend: once_made_maybe_twice,
            limits: Limits {
                account: vec![pace(30, 1)],
                room: vec![pace(1, 1)],
                room_kinds: BTreeMap::from([("group", vec![pace(20, 60)])]),
                room_kind: Some(room_kind),
                counted: vec![OperationKind::Post, OperationKind::Edit, OperationKind::OpenThread],
                per_file: true,
                shared: vec!["group"],
            },
        }
    }

    /// The card is the thread's root; messages can be read back.
    pub fn slack() -> Self {
        Style {
            name: "slack",
            capabilities: Capabilities {
                max_text: 3500,
                max_caption: 3500,
                max_upload_bytes: 1024 * MEGABYTE,
                max_download_bytes: 1024 * MEGABYTE,
                max_attachments: 10,
                max_actions: 25,
                threads: ThreadStyle::RootIsCard,
                replies: Support::Emulate,
                typing: Support::Drop,
                hears_reads: false,
                ..everything()
            },
            resend: once_made_read_back,
            limits: Limits { room: vec![pace(1, 1)], ..Limits::default() },
        }
    }

    /// The card is the thread's root; bots cannot react, and nothing can be read back.
    pub fn teams() -> Self {
        Style {
            name: "teams",
            capabilities: Capabilities {
                max_text: 20_000,
                max_caption: 20_000,
                max_upload_bytes: 25 * MEGABYTE,
                max_download_bytes: 25 * MEGABYTE,
                max_attachments: 10,
                max_actions: 6,
                threads: ThreadStyle::RootIsCard,
                replies: Support::Emulate,
                reactions: Support::Drop,
                marks: Support::Emulate,
                whisper: Support::Emulate,
                persona: Support::Emulate,
                hears_reads: false,
                ..everything()
            },
            resend: once_made_maybe_twice,
            limits: Limits {
                account: vec![pace(50, 1)],
                room: vec![pace(7, 1), pace(8, 2), pace(60, 30), pace(1800, 3600)],
                ..Limits::default()
            },
        }
    }

    /// Forum posts beside the card; a post with the same nonce appears once.
    pub fn discord() -> Self {
        Style {
            name: "discord",
            capabilities: Capabilities {
                max_text: 2000,
                max_caption: 2000,
                max_upload_bytes: 10 * MEGABYTE,
                max_download_bytes: 25 * MEGABYTE,
                max_attachments: 10,
                max_actions: 25,
                threads: ThreadStyle::Separate,
                hears_reads: false,
                ..everything()
            },
            resend: posts_once_else_read_back,
            limits: Limits { account: vec![pace(50, 1)], room: vec![pace(5, 5)], ..Limits::default() },
        }
    }

    /// Our own widget: no threads, everything heard, the same id appears once.
    pub fn widget() -> Self {
        Style {
            name: "widget",
            capabilities: Capabilities { whisper: Support::Drop, ..everything() },
            resend: |_| Resend::SameIdIsSafe,
            limits: Limits::default(),
        }
    }

    /// The same platform with some capabilities bent.
    pub fn with(mut self, bend: impl FnOnce(&mut Capabilities)) -> Self {
        bend(&mut self.capabilities);
        self
    }

    /// The same platform with another resend policy.
    pub fn with_resend(mut self, resend: fn(OperationKind) -> Resend) -> Self {
        self.resend = resend;
        self
    }
}

fn room_kind(at: &Address) -> Option<&'static str> {
    (!ids::is_direct(&at.room)).then_some("group")
}

/// Repeating them changes nothing, on every platform.
fn repeatable(kind: OperationKind) -> bool {
    use OperationKind as Kind;
    matches!(kind, Kind::Edit | Kind::Delete | Kind::React | Kind::Mark | Kind::SetThread)
}

fn once_made_maybe_twice(kind: OperationKind) -> Resend {
    if repeatable(kind) { Resend::SameIdIsSafe } else { Resend::MayDuplicate }
}

fn once_made_read_back(kind: OperationKind) -> Resend {
    match kind {
        OperationKind::Post | OperationKind::OpenThread => Resend::ReadBack,
        _ => once_made_maybe_twice(kind),
    }
}

fn posts_once_else_read_back(kind: OperationKind) -> Resend {
    if kind == OperationKind::Post { Resend::SameIdIsSafe } else { once_made_read_back(kind) }
}

fn pace(count: u32, seconds: u64) -> Pace {
    Pace { count, per: Duration::from_secs(seconds) }
}

fn everything() -> Capabilities {
    Capabilities {
        max_text: 8000,
        max_caption: 8000,
        max_upload_bytes: 25 * MEGABYTE,
        max_download_bytes: 25 * MEGABYTE,
        max_attachments: 10,
        max_actions: 10,
        threads: ThreadStyle::None,
        formatting: Support::Native,
        replies: Support::Native,
        edits: Support::Native,
        deletes: Support::Native,
        reactions: Support::Native,
        marks: Support::Native,
        typing: Support::Native,
        whisper: Support::Native,
        persona: Support::Native,
        hears_edits: true,
        hears_deletes: true,
        hears_reactions: true,
        hears_reads: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_may_be_repeated_everywhere() {
        for style in [Style::telegram(), Style::slack(), Style::teams(), Style::discord(), Style::widget()] {
            assert_eq!((style.resend)(OperationKind::Edit), Resend::SameIdIsSafe, "{}", style.name);
        }
    }
}
