//! What people do to the world: come in, write, edit, delete, react.
//! What they press is in `pressing`, the handle that a test holds in `acts`; what apps do is in `methods`.

use bytes::Bytes;
use serde_json::{Value, json};

use super::compose;
use super::error::ApiError;
use super::message::{Author, Message};
use super::team::{ChannelKind, Kind, Ts};
use super::world::World;

/// What a test asks for may be impossible; the text says why.
pub type Drive<T> = Result<T, String>;

impl From<ApiError> for String {
    fn from(error: ApiError) -> String {
        format!("{} {:?}", error.name, error.details)
    }
}

/// What a person sends.
#[derive(Debug, Clone, Default)]
pub struct Post {
    /// On the wire: escaped, mentions and links in angle brackets.
    pub wire: String,
    pub thread: Option<Ts>,
    pub broadcast: bool,
    pub files: Vec<(String, Bytes)>,
    /// As Slack Connect hands files over: nothing but their ids.
    pub hidden_files: bool,
    /// Instead of the `rich_text` that the client would make of the text.
    pub blocks: Option<Value>,
}

impl From<&str> for Post {
    fn from(text: &str) -> Self {
        Post::text(text)
    }
}

impl From<String> for Post {
    fn from(text: String) -> Self {
        Post::text(&text)
    }
}

impl Post {
    /// As typed.
    pub fn text(text: &str) -> Self {
        Post::wire(&compose::escaped(text))
    }

    /// As it is on the wire.
    pub fn wire(wire: &str) -> Self {
        Post { wire: wire.to_owned(), ..Post::default() }
    }

    /// `@somebody` in front.
    pub fn mentioning(mut self, user: &str) -> Self {
        self.wire = format!("<@{user}> {}", self.wire);
        self
    }

    pub fn in_thread(mut self, root: &str) -> Self {
        self.thread = Some(root.to_owned());
        self
    }

    /// "Also send to channel".
    pub fn to_channel(mut self) -> Self {
        self.broadcast = true;
        self
    }

    pub fn file(mut self, name: &str, bytes: impl Into<Bytes>) -> Self {
        self.files.push((name.to_owned(), bytes.into()));
        self
    }

    pub fn hide_files(mut self) -> Self {
        self.hidden_files = true;
        self
    }

    pub fn blocks(mut self, blocks: Value) -> Self {
        self.blocks = Some(blocks);
        self
    }
}

/// Writing.
impl World {
    pub(super) fn join(
        &mut self,
        team: &str,
        channel: &str,
        user: &str,
        inviter: Option<&str>,
    ) -> Result<(), ApiError> {
        let found = self.channel_mut(team, channel)?;
        if !found.members.insert(user.to_owned()) {
            return Ok(());
        }
        let kind = if found.kind == ChannelKind::Public { "C" } else { "G" };
        let ts = self.next_ts(team, channel)?;
        let mut event = json!({
            "type": "member_joined_channel", "user": user, "channel": channel, "channel_type": kind,
            "team": team, "event_ts": ts,
        });
        if let Some(inviter) = inviter {
            event["inviter"] = json!(inviter);
        }
        self.announce(team, channel, "member_joined_channel", &event);
        let message = Message {
            subtype: Some("channel_join".into()),
            ..Message::new(
                String::new(),
                Author::User(user.to_owned()),
                format!("<@{user}> has joined the channel"),
            )
        };
        let ts = self.place(team, channel, message)?;
        self.announce_message(team, channel, &ts)
    }

    /// `false` when it was so already.
    pub(super) fn set_reaction(
        &mut self,
        team: &str,
        channel: &str,
        ts: &str,
        user: &String,
        name: &str,
        on: bool,
    ) -> Result<bool, ApiError> {
        let message = self.message_mut(team, channel, ts)?;
        let there = message.reacted(name).contains(user);
        if there == on {
            return Ok(false);
        }
        if on {
            match message.reactions.iter_mut().find(|(reaction, _)| reaction == name) {
                Some((_, users)) => users.push(user.clone()),
                None => message.reactions.push((name.to_owned(), vec![user.clone()])),
            }
        } else {
            message.reactions.iter_mut().for_each(|(reaction, users)| {
                users.retain(|other| reaction != name || other != user);
            });
            message.reactions.retain(|(_, users)| !users.is_empty());
        }
        self.announce_reaction(team, channel, ts, user, name, on);
        Ok(true)
    }

    fn author_of(&self, team: &str, user: &str) -> Drive<Author> {
        let found = self.team(team).users.get(user).ok_or_else(|| format!("no person {user}"))?;
        Ok(match &found.kind {
            Kind::Bot { app: Some(app) } => Author::App { app: app.clone(), username: None, icon: None },
            Kind::Bot { app: None } => Author::OtherBot {
                user: user.to_owned(),
                bot_id: format!("B{}", user.trim_start_matches('U')),
            },
            _ => Author::User(user.to_owned()),
        })
    }

    pub(super) fn say(&mut self, team: &str, user: &str, channel: &str, post: &Post) -> Drive<Ts> {
        let author = self.author_of(team, user)?;
        let found = self.channel_mut(team, channel)?;
        if !found.members.contains(user) {
            return Err(format!("{user} is not in {channel}"));
        }
        if found.archived {
            return Err(format!("{channel} is archived"));
        }
        let (mut files, mut ids) = (Vec::new(), Vec::new());
        for (name, bytes) in &post.files {
            let id = self.keep(team, user, name, bytes.clone())?;
            ids.push(id.clone());
            let kept = self.files.kept.get(&(team.to_owned(), id)).ok_or("no file")?;
            files.push(if post.hidden_files { kept.hidden_json() } else { kept.json(&self.base) });
        }
        let serial = self.next_serial();
        let human = matches!(author, Author::User(_));
        let blocks = post
            .blocks
            .clone()
            .or_else(|| (human && !post.wire.is_empty()).then(|| json!([compose::rich_text(&post.wire)])));
        let message = Message {
            thread: post.thread.clone(),
            broadcast: post.broadcast,
            blocks,
            subtype: (!files.is_empty()).then(|| "file_share".to_owned()),
            files,
            client_msg_id: human.then(|| format!("00000000-0000-4000-8000-{serial:012}")),
            ..Message::new(String::new(), author, post.wire.clone())
        };
        let ts = self.place(team, channel, message)?;
        self.shared(team, channel, &ts, post.thread.as_ref(), &ids);
        self.announce_message(team, channel, &ts)?;
        Ok(ts)
    }

    /// Their own message says something else now.
    pub(super) fn edit(&mut self, team: &str, user: &str, channel: &str, ts: &str, wire: &str) -> Drive<()> {
        let before = self.before(team, channel, ts)?;
        let edited_at = self.next_ts(team, channel)?;
        let message = self.message_mut(team, channel, ts)?;
        if message.author != Author::User(user.to_owned()) {
            return Err(format!("{ts} is not {user}'s"));
        }
        message.earlier.push(std::mem::replace(&mut message.text, wire.to_owned()));
        message.blocks = Some(json!([compose::rich_text(wire)]));
        message.edited = Some((user.to_owned(), edited_at));
        Ok(self.announce_change(team, channel, before, ts)?)
    }

    /// A preview of a link appears: told as a change, without `edited`.
    pub(super) fn preview(&mut self, team: &str, channel: &str, ts: &str) -> Drive<()> {
        let before = self.before(team, channel, ts)?;
        let message = self.message_mut(team, channel, ts)?;
        let links = compose::links(&message.text);
        let card = |url: &String| json!({ "from_url": url, "original_url": url, "title": "A page", "text": "About it", "id": 1 });
        message.attachments = Some(links.iter().map(card).collect());
        Ok(self.announce_change(team, channel, before, ts)?)
    }

    pub(super) fn delete(&mut self, team: &str, channel: &str, ts: &str) -> Drive<()> {
        self.message_mut(team, channel, ts)?;
        self.announce_deletion(team, channel, ts)?;
        self.message_mut(team, channel, ts)?.deleted = true;
        Ok(())
    }
}
