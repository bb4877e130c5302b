//! Technicians' presence by a platform's own switch, and what is said back.
//!
//! Not here: what presence means for offers (the core, the allocator), verbs in a desk room (`intake.rs`).

use deskbridge_contract::{
    ChannelName, Content, Duty, Inbound, InboundEvent, Outbound, OutboundOp, RemoteUserId,
};
use deskbridge_conversation::{Presence, identity};

use super::Bridge;

impl Bridge {
    /// Whether a platform's user is a technician, and on.
    pub fn duty(&self, channel: &ChannelName, user: &RemoteUserId) -> Option<Duty> {
        let policy = self.policy.current();
        let id = identity::technician(&policy.policy, &identity::name(channel, user))?;
        Some(of(self.board.presence(&id)))
    }
}

/// As a platform's switch shows it.
pub fn of(presence: Presence) -> Duty {
    match presence {
        Presence::Available => Duty::On,
        Presence::Busy => Duty::Busy,
        Presence::Away => Duty::Away,
        Presence::Offline => Duty::Off,
    }
}

/// A pressed switch. What people write is none (S44).
pub fn switched(inbound: &Inbound) -> Option<Presence> {
    let InboundEvent::Invoked { action, .. } = &inbound.event else { return None };
    match action.as_str() {
        "on" => Some(Presence::Available),
        "busy" => Some(Presence::Busy),
        "off" => Some(Presence::Offline),
        _ => None,
    }
}

/// A word back to the person who changed their presence; best effort.
pub async fn tell(bridge: &Bridge, inbound: &Inbound, presence: Presence) {
    let Some(adapter) = bridge.adapters.get(&inbound.address.channel) else { return };
    let word = match presence {
        Presence::Available => "You are available: conversations are offered to you.",
        Presence::Busy => "You are busy: nothing new is offered to you.",
        Presence::Away => "You are away.",
        Presence::Offline => "You are off duty.",
    };
    let op = OutboundOp::Whisper {
        to: inbound.from.id.clone(),
        content: Content::text(word),
        interaction: inbound.interaction.clone(),
    };
    let id = deskbridge_contract::DeliveryId(format!("presence:{}", inbound.id));
    if let Err(error) = adapter.send(&Outbound { id, to: inbound.address.clone(), op }).await {
        tracing::debug!(%error, "a presence change could not be confirmed privately");
    }
}

#[cfg(test)]
mod tests {
    use deskbridge_contract::{Address, RemoteEventId, RemoteMessageId, Sender, SenderKind, Timestamp};

    use super::*;

    fn inbound(event: InboundEvent) -> Inbound {
        Inbound {
            id: RemoteEventId::new("1"),
            at: Timestamp::EPOCH,
            from: Sender {
                id: RemoteUserId::new("U1"),
                display_name: None,
                email: None,
                email_verified: false,
                picture: None,
                language: None,
                kind: SenderKind::Human,
            },
            address: Address::room(&ChannelName::new("slack"), "D1"),
            event,
            interaction: None,
        }
    }

    /// S44: a switch is pressed; the same word written is a word.
    #[test]
    fn s44_only_a_pressed_switch_is_one() {
        let pressed = |action: &str| {
            switched(&inbound(InboundEvent::Invoked { action: action.into(), value: None, message: None }))
        };
        assert_eq!(pressed("on"), Some(Presence::Available));
        assert_eq!(pressed("busy"), Some(Presence::Busy));
        assert_eq!(pressed("off"), Some(Presence::Offline));
        assert_eq!(pressed("human"), None);
        let written = InboundEvent::Posted {
            message: RemoteMessageId::new("1"),
            content: Content::text("!on"),
            reply_to: None,
        };
        assert_eq!(switched(&inbound(written)), None);
    }
}
