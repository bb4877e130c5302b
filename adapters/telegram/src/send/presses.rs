//! Answers to pressed buttons, and words for one person only (D24).
//!
//! Not here: what a press means.

use deskbridge_contract::{Address, Content, Interaction, RemoteUserId, SendError, Sent, Toast};
use teloxide_core::payloads::AnswerCallbackQuery;
use teloxide_core::types::CallbackQueryId;

use super::api::Fault;
use super::{Sending, plan};
use crate::ids::{self, Place};
use crate::markup::Formatted;

/// Longest text of an answer to a pressed button ("answerCallbackQuery").
const MAX_TOAST: usize = 200;
/// A toast is gone after two or three seconds: a longer text has to be clicked away.
const LONG_TOAST: usize = 60;
/// Presses whose answer was sent; they are answered within seconds or never.
const ANSWERED: usize = 512;

/// Telegram's words for a press that cannot be answered any more.
const TOO_LATE: [&str; 3] = ["query is too old", "query_id_invalid", "query id is invalid"];

impl Sending {
    /// D24: a toast while the button press can be answered, else the person's own chat with the bot. That chat exists
    /// only if they started it; otherwise this is `Gone` and the host answers in the topic.
    pub(super) async fn whisper(
        &self,
        at: &Address,
        to: &RemoteUserId,
        content: &Content,
        interaction: Option<&Interaction>,
    ) -> Result<Sent, SendError> {
        let text = plan::text(content, None, false);
        if let Some(interaction) = interaction
            && content.actions.is_empty()
            && text.length() <= MAX_TOAST
            && self.claim(interaction)
        {
            let toast = Toast { text: text.text.clone(), alert: text.length() > LONG_TOAST };
            match self.toast(interaction, Some(&toast)).await {
                Err(fault) if fault.said(&TOO_LATE) => {}
                other => return other.map(|()| Sent::at(at, None)).map_err(SendError::from),
            }
        }
        let chat = ids::private_chat(to)?;
        let place = Place { chat, topic: None };
        let mut sent = Vec::new();
        for part in plan::parts(content, &[], None, false)? {
            sent.extend(self.put(&part, &[], place, None).await?);
        }
        let mut ids = sent.into_iter();
        let address = Address::room(&at.channel, chat.0.to_string());
        Ok(Sent {
            message: ids.next(),
            more: ids.collect(),
            address,
            note: Some("by private message".into()),
            accepted: false,
        })
    }

    /// Stops the button's spinner, with words or without. An answer that comes too late is no failure of ours.
    pub(crate) async fn answer(
        &self,
        interaction: &Interaction,
        toast: Option<&Toast>,
    ) -> Result<(), SendError> {
        if !self.claim(interaction) {
            return Ok(());
        }
        match self.toast(interaction, toast).await {
            Err(fault) if fault.said(&TOO_LATE) => Ok(()),
            other => Ok(other?),
        }
    }

    async fn toast(&self, interaction: &Interaction, toast: Option<&Toast>) -> Result<(), Fault> {
        let mut answer = AnswerCallbackQuery::new(CallbackQueryId(interaction.id.clone()));
        if let Some(toast) = toast {
            let text = Formatted { text: toast.text.clone(), entities: Vec::new() };
            answer.text = Some(text.cut(MAX_TOAST).text);
            answer.show_alert = Some(toast.alert);
        }
        self.done(&answer).await
    }

    /// A press is answered once: Telegram drops the second answer, and the words in it would be lost.
    fn claim(&self, interaction: &Interaction) -> bool {
        let mut answered = self.answered.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if answered.contains(&interaction.id) {
            return false;
        }
        if answered.len() >= ANSWERED {
            answered.pop_front();
        }
        answered.push_back(interaction.id.clone());
        true
    }
}
