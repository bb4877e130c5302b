//! What is taken out of an event before anybody looks at it: what no database holds, what is too long, what is not a
//! person's to say.
//!
//! Not here: names of people (the contract's `names`), what a text means (`intake`).

use deskbridge_contract::{Inbound, InboundEvent};

/// Characters of a message that are kept (S43); no platform of ours carries more.
const MAX_TEXT: usize = 100_000;

/// NUL characters are valid in a message and in no database; absurd lengths are cut with a notice.
pub fn clean(inbound: &mut Inbound) {
    match &mut inbound.event {
        InboundEvent::Posted { content, .. } | InboundEvent::Edited { content, .. } => {
            if content.text.contains('\0') {
                content.text = content.text.replace('\0', "\u{fffd}");
            }
            if content.text.chars().count() > MAX_TEXT {
                content.text = content.text.chars().take(MAX_TEXT).collect();
                content.text.push_str("\n\n… (cut)");
            }
            content.mentions.clear();
            content.card = None;
            content.actions.clear();
            if let Some(album) = &mut content.album {
                album.since = None;
            }
            for attachment in &mut content.attachments {
                attachment.name = attachment.name.replace('\0', "");
            }
        }
        InboundEvent::Deleted { .. }
        | InboundEvent::Reacted { .. }
        | InboundEvent::Invoked { .. }
        | InboundEvent::Started { .. }
        | InboundEvent::Typing
        | InboundEvent::Read { .. }
        | InboundEvent::Left
        | InboundEvent::Returned
        | InboundEvent::RoomMoved { .. }
        | InboundEvent::ThreadChanged { .. } => {}
    }
}
