//! Words for one person only (D24), and short answers to what people pressed.
//!
//! Not here: what a press means.

use std::sync::Arc;

use deskbridge_contract::{Address, Content, Interaction, RemoteUserId, SendError, Sent, Toast};
use serde_json::{Map, Value, json};
use url::Url;

use super::{Sending, posts};
use crate::api::classes;
use crate::blocks::{self, Message, Voice};
use crate::ids::{self, Handle};
use crate::markup;

impl Sending {
    /// As the answer to what was pressed, while that can be answered; else as an ephemeral message; and where the person
    /// is not in the room, as a direct message. That may not be possible either: then this is `Gone`, and the host says it
    /// in the thread.
    pub(super) async fn whisper(
        self: &Arc<Self>,
        at: &Address,
        to: &RemoteUserId,
        content: &Content,
        interaction: Option<&Interaction>,
    ) -> Result<Sent, SendError> {
        let (place, user) = (ids::place(at)?, ids::user(to)?);
        let messages = blocks::messages(content, Voice::Own)?;
        if messages.is_empty() {
            return Err(SendError::rejected("nothing to say"));
        }
        let hook = interaction.and_then(|interaction| self.hook_of(interaction));
        for (nth, message) in messages.iter().enumerate() {
            if let Some(url) = &hook
                && self.say_by_hook(url.clone(), message, place.thread).await?
            {
                continue;
            }
            let mut body = spoken(message);
            body.insert("channel".into(), place.channel.into());
            body.insert("user".into(), user.into());
            if let Some(thread) = place.thread {
                body.insert("thread_ts".into(), thread.into());
            }
            match self.api.post("chat.postEphemeral", &body).await {
                Ok(_) => {}
                Err(fault) if nth == 0 && matches!(fault.error, SendError::Gone { .. }) => {
                    return self.say_directly(to, &messages).await;
                }
                Err(fault) => return Err(fault.error),
            }
        }
        Ok(Sent::at(at, None))
    }

    async fn say_directly(&self, to: &RemoteUserId, messages: &[Message]) -> Result<Sent, SendError> {
        let address = self.open_direct(to).await?;
        let place = ids::place(&address)?;
        let mut sent = Vec::new();
        for message in messages {
            let ts = self.put(place, message, None, None).await?;
            sent.push(deskbridge_contract::RemoteMessageId(ts));
        }
        Ok(posts::all(address.clone(), sent, Some("by private message".into())))
    }

    /// A short word to whoever pressed something. Without a place for it, it is left: the ordinary way says it too.
    pub(crate) async fn answer(
        &self,
        interaction: &Interaction,
        toast: Option<&Toast>,
    ) -> Result<(), SendError> {
        let (Some(url), Some(toast)) = (self.hook_of(interaction), toast) else { return Ok(()) };
        let message = Message { text: markup::to_mrkdwn(&toast.text), blocks: Vec::new() };
        self.say_by_hook(url, &message, None).await.map(|_| ())
    }

    /// Where an interaction is answered; only ever a place of Slack's.
    fn hook_of(&self, interaction: &Interaction) -> Option<Url> {
        let url = Url::parse(&Handle::of(interaction).response_url?).ok()?;
        self.api.is_slack(&url).then_some(url)
    }

    /// "response_url": good five times within 30 minutes, without a token. False: it cannot be used any more.
    async fn say_by_hook(
        &self,
        url: Url,
        message: &Message,
        thread: Option<&str>,
    ) -> Result<bool, SendError> {
        let mut body = spoken(message);
        body.insert("response_type".into(), "ephemeral".into());
        body.insert("replace_original".into(), false.into());
        if let Some(thread) = thread {
            body.insert("thread_ts".into(), thread.into());
        }
        let request = self.api.http().post(url).timeout(self.api.patience()).json(&body);
        match request.send().await {
            Ok(answer) => Ok(answer.status().is_success()),
            Err(error) if error.is_connect() => Ok(false),
            Err(error) => Err(classes::lost(&error, "")),
        }
    }
}

fn spoken(message: &Message) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("text".into(), message.text.clone().into());
    if !message.blocks.is_empty() {
        body.insert("blocks".into(), json!(message.blocks));
    }
    body
}
