//! Webhooks: ways to post into a channel under any name ("Webhook" resource).
//! What is posted through them is in `methods`.

use serde_json::{Value, json};

use super::snowflake::Snowflake;
use super::world::World;

#[derive(Debug, Clone)]
pub struct Webhook {
    pub id: Snowflake,
    pub token: String,
    pub channel: Snowflake,
    pub guild: Option<Snowflake>,
    pub name: String,
    pub avatar: Option<String>,
    /// The app that made it; none for a person's.
    pub app: Option<Snowflake>,
    pub creator: Snowflake,
}

impl World {
    /// `with_token`: to those who may know it.
    pub(super) fn webhook_json(&self, webhook: &Webhook, with_token: bool) -> Value {
        let mut json = json!({
            "id": webhook.id, "type": 1, "name": webhook.name, "avatar": webhook.avatar,
            "channel_id": webhook.channel, "guild_id": webhook.guild, "application_id": webhook.app,
        });
        if with_token {
            json["token"] = json!(webhook.token);
            json["url"] = json!(format!("{}/api/webhooks/{}/{}", self.base, webhook.id, webhook.token));
            json["user"] = self.user_json(webhook.creator);
        }
        json
    }
}
