//! What people do in Teams, as signed activities; sent again after a while without an answer, as the platform does.

use std::sync::Arc;

use serde_json::{Value, json};

use super::sign::Forged;
use super::world::{Message, World};
use super::{FakeTeams, Shared};

/// One person, by the number in their ids.
fn person(number: u32) -> Value {
    json!({ "id": format!("29:{number}"), "aadObjectId": format!("aad-{number}"), "name": format!("Person {number}") })
}

/// What Teams' editor makes of typed text.
fn html(text: &str) -> String {
    let escaped =
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace("  ", " &nbsp;");
    format!("<p>{}</p>", escaped.replace('\n', "<br>"))
}

impl FakeTeams {
    /// The app is installed there: in a personal chat, a group, a team's channel.
    pub fn install(&self, conversation: &str) {
        self.change(|world| world.installed.insert(World::channel_of(conversation).to_owned()));
    }

    /// An activity of a kind, by a person, in a conversation. `more` is put over it.
    pub fn activity(&self, kind: &str, number: u32, conversation: &str, more: &Value) -> Value {
        let settings = self.settings().clone();
        let service = self.service_url();
        let (id, now) = self.change(|world| (world.tick(), world.now));
        let at = format!("{}.{:03}Z", seconds(now / 1_000_000), now / 1000 % 1000);
        let personal = !conversation.contains("@thread.");
        let kind_of = match conversation {
            text if text.contains("@thread.tacv2") => "channel",
            text if text.contains("@thread.") => "groupChat",
            _ => "personal",
        };
        let mut activity = json!({
            "type": kind, "id": id, "timestamp": at, "localTimestamp": at, "channelId": "msteams",
            "serviceUrl": service, "from": person(number),
            "conversation": {
                "id": conversation, "conversationType": kind_of, "isGroup": !personal, "tenantId": settings.tenant,
            },
            "recipient": { "id": format!("28:{}", settings.app_id), "name": "Desk" },
            "channelData": { "tenant": { "id": settings.tenant } },
            "locale": "en-GB",
        });
        if let (Some(activity), Some(more)) = (activity.as_object_mut(), more.as_object()) {
            activity.extend(more.clone());
        }
        activity
    }

    /// A person writes.
    pub fn say(&self, number: u32, conversation: &str, text: &str) -> Value {
        let more = json!({
            "text": text, "textFormat": "plain",
            "attachments": [{ "contentType": "text/html", "content": html(text) }],
        });
        let activity = self.activity("message", number, conversation, &more);
        self.keep(conversation, &activity);
        activity
    }

    /// A person calls the bot: `@Desk text`.
    pub fn call(&self, number: u32, conversation: &str, text: &str) -> Value {
        let bot = format!("28:{}", self.settings().app_id);
        let call =
            "<span itemtype=\"http://schema.skype.com/Mention\" itemscope itemid=\"0\">Desk</span>&nbsp;";
        let more = json!({
            "text": format!("<at>Desk</at> {text}"), "textFormat": "plain",
            "attachments": [{ "contentType": "text/html", "content": html(text).replacen("<p>", &format!("<p>{call}"), 1) }],
            "entities": [{ "type": "mention", "text": "<at>Desk</at>", "mentioned": { "id": bot, "name": "Desk" } }],
        });
        let activity = self.activity("message", number, conversation, &more);
        self.keep(conversation, &activity);
        activity
    }

    fn keep(&self, conversation: &str, activity: &Value) {
        let id = activity["id"].as_str().unwrap_or_default().to_owned();
        let message = Message { id, own: false, activity: activity.clone(), deleted: false };
        self.change(|world| world.conversations.entry(conversation.to_owned()).or_default().push(message));
    }

    /// A person presses a button of a card, by its verb; with what was typed into the card.
    pub fn press(&self, number: u32, conversation: &str, card: &str, verb: &str, inputs: &Value) -> Value {
        let more = json!({
            "name": "adaptiveCard/action", "replyToId": card,
            "value": { "action": { "type": "Action.Execute", "verb": verb, "data": inputs }, "trigger": "manual" },
        });
        self.activity("invoke", number, conversation, &more)
    }

    /// The client shows a card to a person who has a view of their own: it asks for it by the card's own `refresh`.
    pub fn view(&self, number: u32, conversation: &str, card: &str) -> Option<Value> {
        let refresh = self.read(|world| {
            let message = world.messages(conversation).iter().find(|message| message.id == card)?;
            let refresh = &message.activity["attachments"][0]["content"]["refresh"];
            let viewers = refresh["userIds"].as_array()?;
            viewers.iter().any(|user| *user == format!("29:{number}")).then(|| refresh["action"].clone())
        })?;
        let more = json!({
            "name": "adaptiveCard/action", "replyToId": card,
            "value": { "action": refresh, "trigger": "automatic" },
        });
        Some(self.activity("invoke", number, conversation, &more))
    }

    /// A person opens a command of the message extension over a message.
    pub fn open_form(&self, number: u32, conversation: &str, command: &str, html: &str) -> Value {
        let more = json!({
            "name": "composeExtension/fetchTask",
            "value": {
                "commandId": command, "commandContext": "message", "context": { "theme": "default" },
                "messagePayload": {
                    "id": "1", "from": { "user": { "displayName": "Person 7" } },
                    "body": { "contentType": "html", "content": html },
                },
            },
        });
        self.activity("invoke", number, conversation, &more)
    }

    /// … and sends its form.
    pub fn send_form(&self, number: u32, conversation: &str, command: &str, data: &Value) -> Value {
        let more = json!({
            "name": "composeExtension/submitAction",
            "value": { "commandId": command, "commandContext": "message", "data": data },
        });
        self.activity("invoke", number, conversation, &more)
    }

    /// Sends a signed activity to a hook until it is answered 2xx, some times at most. The handle names the event.
    pub fn deliver(&self, hook: &str, activity: Value) -> String {
        let handle = format!("event-{}", self.change(|world| world.tick()));
        self.change(|world| world.sent.insert(handle.clone(), (activity, false)));
        self.redeliver(hook, &handle);
        handle
    }

    /// The same once more, as after a lost answer.
    pub fn redeliver(&self, hook: &str, handle: &str) {
        let (shared, hook, handle) = (self.shared.clone(), hook.to_owned(), handle.to_owned());
        tokio::spawn(async move { bring(&shared, &hook, &handle).await });
    }

    /// A copy under a new id, as further layers of the platform send it now and then.
    pub fn copy(&self, hook: &str, handle: &str) -> Option<String> {
        let mut activity = self.read(|world| world.sent.get(handle).map(|(activity, _)| activity.clone()))?;
        activity["id"] = json!(format!("f:copy-{handle}"));
        Some(self.deliver(hook, activity))
    }

    pub fn acknowledged(&self, handle: &str) -> bool {
        self.read(|world| world.sent.get(handle).is_some_and(|(_, taken)| *taken))
    }

    /// One request with a token that is wrong in this way; the status of the answer.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn forge(&self, hook: &str, activity: &Value, forged: Forged) -> Result<u16, reqwest::Error> {
        self.forge_at(hook, activity, forged, self.settings().now).await
    }

    /// The same with a token that was made at this time, in seconds since 1970.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn forge_at(
        &self,
        hook: &str,
        activity: &Value,
        forged: Forged,
        at: i64,
    ) -> Result<u16, reqwest::Error> {
        let service = activity["serviceUrl"].as_str().unwrap_or_default();
        let header = self.signer().header(&self.settings().app_id, service, at, forged);
        let headers: Vec<String> = header.into_iter().collect();
        let sent = self.shared.post(hook, activity.to_string().into_bytes(), &headers).await?;
        Ok(sent.status().as_u16())
    }
}

async fn bring(shared: &Arc<Shared>, hook: &str, handle: &str) {
    let Some((activity, _)) = shared.world().sent.get(handle).cloned() else { return };
    let settings = &shared.settings;
    let service =
        activity["serviceUrl"].as_str().unwrap_or("https://smba.trafficmanager.net/teams/").to_owned();
    for _ in 0..settings.tries {
        let header = shared.signer.header(&settings.app_id, &service, settings.now, Forged::Nothing);
        let headers: Vec<String> = header.into_iter().collect();
        let asked = shared.post(hook, activity.to_string().into_bytes(), &headers);
        let answer = tokio::time::timeout(settings.again_after, asked).await;
        if let Ok(Ok(response)) = answer
            && response.status().is_success()
        {
            let body = response.text().await.unwrap_or_default();
            let mut world = shared.world();
            if activity["type"] == "invoke" {
                match serde_json::from_str::<Value>(&body) {
                    Ok(body) if sound(&activity, &body) => world.answers.push(body),
                    _ => world.violations.push(format!("an invoke was answered {body:?}")),
                }
            }
            if let Some((_, taken)) = world.sent.get_mut(handle) {
                *taken = true;
            }
            return;
        }
        tokio::time::sleep(settings.again_after / 4).await;
    }
}

/// Whether an invoke may be answered like this: a card's action with a status and a kind, a dialog with a task.
fn sound(activity: &Value, body: &Value) -> bool {
    if *body == json!({}) {
        return true;
    }
    let dialog = activity["name"].as_str().is_some_and(|name| name.starts_with("composeExtension/"));
    if dialog {
        let task = &body["task"];
        return (task["type"] == "message" && task["value"].is_string())
            || (task["type"] == "continue" && task["value"]["card"]["content"].is_object());
    }
    let kind = body["type"].as_str().unwrap_or_default();
    let card = body["value"]["type"] == "AdaptiveCard";
    body["statusCode"].is_u64()
        && match kind {
            "application/vnd.microsoft.card.adaptive" => card,
            "application/vnd.microsoft.activity.message" => body["value"].is_string(),
            _ => false,
        }
}

/// Civil date and time of seconds since 1970, in UTC: `2026-11-30T08:00:00`.
fn seconds(at: i64) -> String {
    let (days, second) = (at.div_euclid(86_400), at.rem_euclid(86_400));
    // Days to a date, after Howard Hinnant's "chrono-compatible low-level date algorithms".
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}
