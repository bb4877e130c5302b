//! A message as the platform keeps it, as it goes over the wire, and as a person sees it.
//! Who may write one is in the methods and in `people`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::team::{AppId, ChannelId, Team, Ts, UserId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    User(UserId),
    /// One of our apps; under another name with `chat:write.customize`.
    App {
        app: AppId,
        username: Option<String>,
        icon: Option<String>,
    },
    /// Somebody else's bot.
    OtherBot {
        user: UserId,
        bot_id: String,
    },
}

#[derive(Debug, Clone)]
pub struct Message {
    pub ts: Ts,
    /// The root's `ts` of a reply.
    pub thread: Option<Ts>,
    pub author: Author,
    /// `mrkdwn` as the platform keeps it.
    pub text: String,
    pub blocks: Option<Value>,
    pub attachments: Option<Value>,
    pub metadata: Option<Value>,
    /// Objects as `files` shows them.
    pub files: Vec<Value>,
    pub subtype: Option<String>,
    pub edited: Option<(UserId, Ts)>,
    pub reactions: Vec<(String, Vec<UserId>)>,
    /// A reply that was sent to the channel, too.
    pub broadcast: bool,
    pub client_msg_id: Option<String>,
    pub deleted: bool,
    /// What it said before its edits, oldest first.
    pub earlier: Vec<String>,
    /// `chat.startStream`, not stopped yet.
    pub streaming: bool,
    /// By URL, as `chat.unfurl` set them.
    pub unfurls: BTreeMap<String, Value>,
}

/// What only one person sees: `chat.postEphemeral`, answers to commands.
#[derive(Debug, Clone)]
pub struct Ephemeral {
    pub channel: ChannelId,
    pub user: UserId,
    pub ts: Ts,
    pub thread: Option<Ts>,
    pub app: AppId,
    pub text: String,
    pub blocks: Option<Value>,
    pub gone: bool,
}

/// Something to press.
#[derive(Debug, Clone, PartialEq)]
pub struct Button {
    pub label: String,
    pub action_id: String,
    pub block_id: String,
    /// The element as it was sent.
    pub element: Value,
}

impl Message {
    pub fn new(ts: Ts, author: Author, text: String) -> Self {
        Message {
            ts,
            thread: None,
            author,
            text,
            blocks: None,
            attachments: None,
            metadata: None,
            files: Vec::new(),
            subtype: None,
            edited: None,
            reactions: Vec::new(),
            broadcast: false,
            client_msg_id: None,
            deleted: false,
            earlier: Vec::new(),
            streaming: false,
            unfurls: BTreeMap::new(),
        }
    }

    /// What a person reads: the blocks where there are any (then `text` is only for notifications), else the text.
    pub fn shown(&self) -> String {
        shown(&self.text, self.blocks.as_ref())
    }

    pub fn buttons(&self) -> Vec<Button> {
        let mut found = self.blocks.as_ref().map(buttons).unwrap_or_default();
        for attachment in self.attachments.iter().flat_map(Value::as_array).flatten() {
            found.extend(buttons(&attachment["blocks"]));
        }
        found
    }

    pub fn is_from_app(&self, id: &str) -> bool {
        matches!(&self.author, Author::App { app, .. } if app == id)
    }

    pub fn reacted(&self, name: &str) -> &[UserId] {
        self.reactions.iter().find(|(reaction, _)| reaction == name).map_or(&[], |(_, users)| users)
    }

    /// The files' names.
    pub fn file_names(&self) -> Vec<&str> {
        self.files.iter().filter_map(|file| file["name"].as_str()).collect()
    }

    /// As history, answers and events carry it.
    pub fn json(&self, team: &Team, with_metadata: bool) -> Value {
        let mut object = json!({ "type": "message", "text": self.text, "ts": self.ts, "team": team.id });
        self.put_author(&mut object, team);
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                object[name] = value;
            }
        };
        put("thread_ts", self.thread.clone().map(Value::from));
        put("client_msg_id", self.client_msg_id.clone().map(Value::from));
        put("blocks", self.blocks.clone());
        put("attachments", self.attachments.clone());
        put("metadata", self.metadata.clone().filter(|_| with_metadata));
        put("edited", self.edited.as_ref().map(|(user, ts)| json!({ "user": user, "ts": ts })));
        if !self.files.is_empty() {
            put("files", Some(json!(self.files)));
            put("upload", Some(json!(false)));
            put("display_as_bot", Some(json!(false)));
        }
        let broadcast = self.broadcast.then(|| "thread_broadcast".to_owned());
        if let Some(subtype) = self.subtype.clone().or(broadcast)
            && object["subtype"].is_null()
        {
            object["subtype"] = json!(subtype);
        }
        if !self.reactions.is_empty() {
            let one = |(name, users): &(String, Vec<UserId>)| json!({ "name": name, "users": users, "count": users.len() });
            object["reactions"] = self.reactions.iter().map(one).collect();
        }
        if self.streaming {
            object["streaming_state"] = json!("in_progress");
        }
        object
    }

    fn put_author(&self, object: &mut Value, team: &Team) {
        match &self.author {
            Author::User(user) => object["user"] = json!(user),
            Author::OtherBot { user, bot_id } => {
                object["user"] = json!(user);
                object["bot_id"] = json!(bot_id);
                object["app_id"] = json!(format!("A{}", bot_id.trim_start_matches('B')));
            }
            Author::App { app, username, icon } => {
                let Some(app) = team.apps.get(app) else { return };
                // A file that a bot shared names nothing but its user.
                if self.subtype.as_deref() == Some("file_share") {
                    object["user"] = json!(app.bot_user);
                    return;
                }
                object["bot_id"] = json!(app.bot_id);
                object["app_id"] = json!(app.id);
                match username {
                    // A post under another name has no user and the old subtype.
                    Some(name) => {
                        object["subtype"] = json!("bot_message");
                        object["username"] = json!(name);
                        if let Some(icon) = icon {
                            object["icons"] = json!({ "image_48": icon });
                        }
                    }
                    None => {
                        object["user"] = json!(app.bot_user);
                        object["bot_profile"] = app.bot_profile(&team.id);
                    }
                }
            }
        }
    }
}

pub fn shown(text: &str, blocks: Option<&Value>) -> String {
    let blocks = blocks.and_then(Value::as_array).filter(|blocks| !blocks.is_empty());
    let Some(blocks) = blocks else { return text.to_owned() };
    let lines: Vec<String> = blocks.iter().map(text_of).filter(|text| !text.is_empty()).collect();
    lines.join("\n")
}

fn text_of(block: &Value) -> String {
    match block["type"].as_str().unwrap_or_default() {
        "section" => {
            let fields = block["fields"].as_array().into_iter().flatten();
            let all = std::iter::once(&block["text"]).chain(fields);
            let texts: Vec<&str> = all.filter_map(|text| text["text"].as_str()).collect();
            texts.join("\n")
        }
        "header" => block["text"]["text"].as_str().unwrap_or_default().to_owned(),
        "markdown" => block["text"].as_str().unwrap_or_default().to_owned(),
        "context" => {
            let elements = block["elements"].as_array().into_iter().flatten();
            elements.filter_map(|element| element["text"].as_str()).collect::<Vec<_>>().join(" ")
        }
        "rich_text" => {
            let mut text = String::new();
            rich_text(&block["elements"], &mut text);
            text.trim_end().to_owned()
        }
        "image" => block["alt_text"].as_str().unwrap_or_default().to_owned(),
        _ => String::new(),
    }
}

fn rich_text(elements: &Value, text: &mut String) {
    for element in elements.as_array().into_iter().flatten() {
        match element["type"].as_str().unwrap_or_default() {
            "text" => text.push_str(element["text"].as_str().unwrap_or_default()),
            "link" => {
                let label = element["text"].as_str().or(element["url"].as_str());
                text.push_str(label.unwrap_or_default());
            }
            "user" => text.push_str(&format!("<@{}>", element["user_id"].as_str().unwrap_or_default())),
            "emoji" => text.push_str(&format!(":{}:", element["name"].as_str().unwrap_or_default())),
            _ => {
                rich_text(&element["elements"], text);
                text.push('\n');
            }
        }
    }
}

/// Everything in blocks that can be pressed or chosen; a menu's options one by one.
pub fn buttons(blocks: &Value) -> Vec<Button> {
    let mut found = Vec::new();
    for block in blocks.as_array().into_iter().flatten() {
        let block_id = block["block_id"].as_str().unwrap_or_default();
        let elements = block["elements"].as_array().into_iter().flatten();
        let accessory = block.get("accessory");
        for element in elements.chain(accessory) {
            element_buttons(element, block_id, &mut found);
        }
    }
    found
}

fn element_buttons(element: &Value, block_id: &str, found: &mut Vec<Button>) {
    let action_id = element["action_id"].as_str().unwrap_or_default().to_owned();
    let mut add = |label: &Value, element: Value| {
        let label = label.as_str().unwrap_or_default().to_owned();
        found.push(Button { label, action_id: action_id.clone(), block_id: block_id.to_owned(), element });
    };
    match element["type"].as_str().unwrap_or_default() {
        "button" | "workflow_button" => add(&element["text"]["text"], element.clone()),
        "overflow" | "static_select" | "radio_buttons" => {
            for option in element["options"].as_array().into_iter().flatten() {
                let mut chosen = element.clone();
                chosen["selected_option"] = option.clone();
                add(&option["text"]["text"], chosen);
            }
        }
        "feedback_buttons" => {
            for side in ["positive_button", "negative_button"] {
                let mut chosen = element.clone();
                chosen["selected"] = element[side].clone();
                add(&element[side]["text"]["text"], chosen);
            }
        }
        "icon_button" => add(&element["text"]["text"], element.clone()),
        _ => {}
    }
}
