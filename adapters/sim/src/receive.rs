//! How events arrive: raised once, pushed as often as needed under the same id.
//!
//! Not here: what people did to cause them.

use deskbridge_contract::{Inbound, PushError, Receipt, RoomId, TranslateError};

use crate::ledger::Event;
use crate::people::SimError;
use crate::view::{Arrival, ToastShown};
use crate::world::{State, World};
use crate::{BRIDGE, ids};

/// What became of a payload that was handed in raw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawFate {
    Pushed(Receipt),
    /// The bridge's own doing: dropped (clause C3).
    Own,
    Quarantined(TranslateError),
}

/// The platform's payloads are contract events as JSON. Pure and total: own events are `Ok(None)`.
pub fn translate(raw: &[u8]) -> Result<Option<Inbound>, TranslateError> {
    let value: serde_json::Value = serde_json::from_slice(raw)
        .map_err(|e| TranslateError::Malformed(format!("not JSON: {:?}", e.classify())))?;
    let Some(event) = value.get("event") else {
        return Err(TranslateError::Unknown("no event in it".to_owned()));
    };
    let known = event.is_string() || event.as_object().is_some_and(|o| o.len() == 1);
    // The fault's own text could quote the payload, so it is left out (clause C9).
    let inbound: Inbound = serde_json::from_value(value.clone()).map_err(|_| {
        if known {
            TranslateError::Malformed("a field is missing or of the wrong type".to_owned())
        } else {
            TranslateError::Unknown("an event of no known shape".to_owned())
        }
    })?;
    Ok((inbound.from.id.as_str() != BRIDGE).then_some(inbound))
}

impl State {
    /// Gives an event its number and remembers it.
    pub(crate) fn raise(&mut self, make: impl FnOnce(u64) -> Inbound) -> u64 {
        let number = self.events.len() as u64 + 1;
        let mut inbound = make(number);
        inbound.id = ids::event(number);
        self.events.push(Event { number, inbound, pushes: 0, acknowledged: false });
        number
    }

    fn event_mut(&mut self, number: u64) -> Option<&mut Event> {
        self.events.get_mut(usize::try_from(number.checked_sub(1)?).ok()?)
    }

    fn note_arrival(&mut self, number: u64, arrival: Arrival) {
        let Some(event) = self.event_mut(number) else { return };
        let room = event.inbound.address.room.clone();
        let deskbridge_contract::InboundEvent::Posted { message, .. } = &event.inbound.event else { return };
        let message = message.clone();
        if let Some(shown) = self.message_mut(&room, &message)
            && shown.arrival != Some(arrival)
            // Once received it stays received, whatever a redelivery meets.
            && shown.arrival != Some(Arrival::Received)
        {
            shown.arrival = Some(arrival);
            self.emit_message(&room, &message);
        }
    }

    fn show_toast(&mut self, number: u64, receipt: &Receipt) {
        let Some(toast) = &receipt.toast else { return };
        let Some(interaction) = self.event_mut(number).and_then(|e| e.inbound.interaction.clone()) else {
            return;
        };
        self.answer(&interaction.id, Some(toast));
    }

    /// Answers an interaction; only the first answer counts, as on the real platforms.
    pub(crate) fn answer(&mut self, interaction: &str, toast: Option<&deskbridge_contract::Toast>) {
        let Some((user, answered)) = self.interactions.get_mut(interaction) else { return };
        if std::mem::replace(answered, true) {
            return;
        }
        let Some(toast) = toast else { return };
        let shown = ToastShown {
            to: user.clone(),
            interaction: interaction.to_owned(),
            text: toast.text.clone(),
            alert: toast.alert,
        };
        self.toasts.push(shown.clone());
        self.emit(crate::view::Change::Toast { toast: shown });
    }
}

impl World {
    /// Pushes an event that was raised. The caller holds the room's order.
    pub(crate) async fn push_event(&self, number: u64) -> Result<Receipt, PushError> {
        let (inbox, inbound) = {
            let mut state = self.state();
            let inbox = state.inbox.clone();
            let Some(event) = state.event_mut(number) else { return Err(PushError::Closed) };
            event.pushes += 1;
            let inbound = event.inbound.clone();
            state.touch();
            (inbox, inbound)
        };
        let answer = match inbox {
            Some(inbox) => inbox.push(inbound).await,
            None => Err(PushError::Closed),
        };
        let mut state = self.state();
        match &answer {
            Ok(receipt) => {
                if let Some(event) = state.event_mut(number) {
                    event.acknowledged = true;
                }
                state.touch();
                state.note_arrival(number, Arrival::Received);
                state.show_toast(number, receipt);
            }
            Err(_) => state.note_arrival(number, Arrival::Refused),
        }
        answer
    }

    /// Delivers event `s{number}` again, under the same id.
    pub async fn redeliver(&self, number: u64) -> Result<Receipt, SimError> {
        let room: RoomId = {
            let mut state = self.state();
            let event =
                state.event_mut(number).ok_or_else(|| SimError::nothing(format!("event s{number}")))?;
            event.inbound.address.room.clone()
        };
        let order = self.order_of(&room);
        let _order = order.lock().await;
        Ok(self.push_event(number).await?)
    }

    /// Delivers everything that the bridge never acknowledged, in order, as platforms do after an outage.
    /// Stops at the first refusal; returns how many were taken.
    pub async fn redeliver_unacknowledged(&self) -> Result<usize, SimError> {
        let open: Vec<u64> =
            self.state().events.iter().filter(|e| !e.acknowledged).map(|e| e.number).collect();
        for number in &open {
            self.redeliver(*number).await?;
        }
        Ok(open.len())
    }

    /// Hands in a raw payload as a webhook would: translated and pushed, dropped as our own, or quarantined.
    pub async fn deliver_raw(&self, raw: &[u8]) -> Result<RawFate, SimError> {
        let inbox = self.state().inbox.clone().ok_or(PushError::Closed)?;
        match translate(raw) {
            Ok(Some(inbound)) => Ok(RawFate::Pushed(inbox.push(inbound).await?)),
            Ok(None) => Ok(RawFate::Own),
            Err(why) => {
                inbox.quarantine(raw, &why).await?;
                Ok(RawFate::Quarantined(why))
            }
        }
    }
}
