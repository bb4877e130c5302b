//! What people do, as the handle of `drive` offers it.
//! What it does to the world is in `people`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::drive::{FakeDiscord, Installed, Server};
use super::guild::{Channel, ChannelKind, Overwrite, Role, Tag};
use super::interact::{AUTOCOMPLETE, COMMAND_CALL, Interaction};
use super::ledger::Way;
use super::message::Message;
use super::people::Post;
use super::postman;
use super::sign::Tamper;
use super::snowflake::Snowflake;
use super::world::World;

/// Who is there, and where.
impl Server {
    /// A member.
    pub fn user(&self, name: &str) -> Snowflake {
        self.newcomer(name, false)
    }

    /// Somebody else's bot.
    pub fn bot(&self, name: &str) -> Snowflake {
        self.newcomer(name, true)
    }

    fn newcomer(&self, name: &str, bot: bool) -> Snowflake {
        self.fake.shared.change(|world| {
            let id = world.add_user(name, bot);
            world.join(self.id, id, BTreeSet::new());
            world.announce_member(self.id, id, true);
            id
        })
    }

    /// Somebody of another server joins this one.
    pub fn join(&self, user: Snowflake) {
        self.fake.shared.change(|world| {
            world.join(self.id, user, BTreeSet::new());
            world.announce_member(self.id, user, true);
        });
    }

    pub fn leave(&self, user: Snowflake) {
        self.fake.shared.change(|world| {
            if let Some(guild) = world.guilds.get_mut(&self.id) {
                guild.members.remove(&user);
            }
            world.announce_member(self.id, user, false);
        });
    }

    /// A role with these permissions.
    pub fn role(&self, name: &str, permissions: u64) -> Snowflake {
        self.fake.shared.change(|world| {
            let id = world.fresh();
            let role = Role { id, name: name.to_owned(), permissions, mentionable: false, managed: false };
            if let Some(guild) = world.guilds.get_mut(&self.id) {
                guild.roles.push(role);
            }
            id
        })
    }

    pub fn give_role(&self, user: Snowflake, role: Snowflake) {
        self.fake.shared.change(|world| {
            let member = world.guilds.get_mut(&self.id).and_then(|guild| guild.members.get_mut(&user));
            if let Some(member) = member {
                member.roles.insert(role);
            }
        });
    }

    fn channel_of(
        &self,
        kind: ChannelKind,
        name: &str,
        change: impl FnOnce(&mut World, &mut Channel),
    ) -> Snowflake {
        self.fake.shared.change(|world| {
            let id = world.fresh();
            let mut channel = Channel::new(id, kind, Some(self.id), name);
            change(world, &mut channel);
            world.add_channel(channel)
        })
    }

    /// A text channel that everybody sees.
    pub fn text(&self, name: &str) -> Snowflake {
        self.channel_of(ChannelKind::Text, name, |_, _| {})
    }

    /// A forum with these tags.
    pub fn forum(&self, name: &str, tags: &[&str]) -> Snowflake {
        self.channel_of(ChannelKind::Forum, name, |world, channel| {
            let tag = |name: &&str| Tag {
                id: world.fresh(),
                name: (*name).to_owned(),
                moderated: false,
                emoji: None,
            };
            channel.tags = tags.iter().map(tag).collect();
        })
    }

    /// Rights of a role or a member in one channel.
    pub fn overwrite(&self, channel: Snowflake, overwrite: Overwrite) {
        self.fake.drive(|world| world.set_thread(channel, |channel| channel.overwrites.push(overwrite)));
    }

    /// A person opens a thread on a message.
    #[track_caller]
    pub fn thread(&self, user: Snowflake, channel: Snowflake, name: &str) -> Snowflake {
        self.channel_of(ChannelKind::Thread, name, |_, thread| {
            (thread.parent, thread.owner) = (Some(channel), user);
            thread.people.insert(user);
        })
    }
}

/// Acting.
impl FakeDiscord {
    /// The direct message of a person and an app, opened where it is not.
    pub fn dm(&self, user: Snowflake, app: &Installed) -> Snowflake {
        self.shared.change(|world| world.open_dm(user, app.bot))
    }

    /// Writes something; its id.
    #[track_caller]
    pub fn say(&self, user: Snowflake, channel: Snowflake, post: impl Into<Post>) -> Snowflake {
        let post = post.into();
        self.drive(|world| world.say(user, channel, &post))
    }

    #[track_caller]
    pub fn edit(&self, user: Snowflake, channel: Snowflake, message: Snowflake, text: &str) {
        self.drive(|world| world.rewrite(user, (channel, message), text));
    }

    #[track_caller]
    pub fn delete(&self, user: Snowflake, channel: Snowflake, message: Snowflake) {
        self.drive(|world| world.withdraw(user, channel, message));
    }

    /// Discord adds the preview of a link: an update that is no edit.
    #[track_caller]
    pub fn unfurl(&self, channel: Snowflake, message: Snowflake, embed: Value) {
        self.drive(|world| world.unfurl(channel, message, embed));
    }

    #[track_caller]
    pub fn react(&self, user: Snowflake, channel: Snowflake, message: Snowflake, emoji: &str) {
        self.drive(|world| world.react(user, (channel, message), emoji));
    }

    #[track_caller]
    pub fn unreact(&self, user: Snowflake, channel: Snowflake, message: Snowflake, emoji: &str) {
        self.drive(|world| world.unreact(user, (channel, message), emoji));
    }

    #[track_caller]
    pub fn type_in(&self, user: Snowflake, channel: Snowflake) {
        self.drive(|world| world.channel_known(channel).map(drop));
        self.shared.change(|world| world.announce_typing(channel, user));
    }

    /// A moderator changes a thread or channel: archives, locks, renames, tags.
    #[track_caller]
    pub fn moderate(&self, channel: Snowflake, change: impl FnOnce(&mut Channel)) {
        self.drive(|world| world.set_thread(channel, change));
    }

    /// A moderator deletes a thread or channel.
    #[track_caller]
    pub fn delete_channel(&self, channel: Snowflake) {
        self.drive(|world| world.channel_known(channel).map(drop));
        self.shared.change(|world| world.delete_channel(channel));
    }

    /// From now on this person takes no direct messages from apps.
    pub fn close_dms(&self, user: Snowflake, closed: bool) {
        self.shared.change(|world| {
            if let Some(user) = world.users.get_mut(&user) {
                user.closed = closed;
            }
        });
    }
}

/// Using what apps offer. All of these return the interaction's id.
impl FakeDiscord {
    /// A slash command with its options; `verb sub` calls a subcommand.
    #[track_caller]
    pub fn command(
        &self,
        user: Snowflake,
        app: &Installed,
        channel: Snowflake,
        name: &str,
        options: &[(&str, Value)],
    ) -> Snowflake {
        let id = self.drive(|world| world.call_command((app.id, user, channel), COMMAND_CALL, name, options));
        self.hand_out(id, Tamper::None)
    }

    /// Typing in an option that completes itself.
    #[track_caller]
    pub fn complete(
        &self,
        user: Snowflake,
        app: &Installed,
        channel: Snowflake,
        name: &str,
        options: &[(&str, Value)],
    ) -> Snowflake {
        let id = self.drive(|world| world.call_command((app.id, user, channel), AUTOCOMPLETE, name, options));
        self.hand_out(id, Tamper::None)
    }

    /// A command from the context menu of a message.
    #[track_caller]
    pub fn command_on(
        &self,
        user: Snowflake,
        app: &Installed,
        channel: Snowflake,
        name: &str,
        message: Snowflake,
    ) -> Snowflake {
        let id = self.drive(|world| world.call_on_message((app.id, user, channel), name, message));
        self.hand_out(id, Tamper::None)
    }

    /// Presses the button with this label.
    #[track_caller]
    pub fn press(&self, user: Snowflake, channel: Snowflake, message: Snowflake, label: &str) -> Snowflake {
        self.press_tampered(user, channel, message, label, Tamper::None)
    }

    /// The same with a spoilt signature, as somebody would send it who only claims to be Discord.
    #[track_caller]
    pub fn press_tampered(
        &self,
        user: Snowflake,
        channel: Snowflake,
        message: Snowflake,
        label: &str,
        tamper: Tamper,
    ) -> Snowflake {
        let buttons =
            self.read(|world| world.message(channel, message).map(Message::buttons).unwrap_or_default());
        let button = buttons.iter().find(|button| button.label == label);
        let Some(custom_id) = button.and_then(|button| button.custom_id.clone()) else {
            panic!("no button {label:?} among {buttons:?}");
        };
        let id = self.drive(|world| world.use_component(user, (channel, message), &custom_id, None));
        self.hand_out(id, tamper)
    }

    /// Picks values in the select with this `custom_id`.
    #[track_caller]
    pub fn select(
        &self,
        user: Snowflake,
        channel: Snowflake,
        message: Snowflake,
        custom_id: &str,
        values: &[&str],
    ) -> Snowflake {
        let id = self.drive(|world| world.use_component(user, (channel, message), custom_id, Some(values)));
        self.hand_out(id, Tamper::None)
    }

    /// Fills in the modal that this interaction brought, by `custom_id`, and sends it.
    #[track_caller]
    pub fn submit(&self, interaction: Snowflake, fields: &[(&str, &str)]) -> Snowflake {
        let id = self.drive(|world| world.submit(interaction, fields));
        self.hand_out(id, Tamper::None)
    }

    /// Posts it where there is an endpoint; needs a runtime then.
    fn hand_out(&self, id: Snowflake, tamper: Tamper) -> Snowflake {
        if self.read(|world| world.interactions.get(&id).is_some_and(|it| it.way == Way::Posted)) {
            tokio::spawn(postman::deliver(self.shared.clone(), id, tamper));
        }
        id
    }

    /// # Panics
    /// When there is none of this id.
    pub fn interaction(&self, id: Snowflake) -> Interaction {
        self.read(|world| world.interactions.get(&id).cloned()).expect("an interaction of this fake")
    }
}

/// Looking.
impl FakeDiscord {
    /// Who wrote what, oldest first.
    pub fn transcript(&self, channel: Snowflake) -> Vec<String> {
        self.read(|world| world.transcript(channel))
    }

    pub fn messages_in(&self, channel: Snowflake) -> Vec<Message> {
        self.read(|world| world.messages_in(channel).into_iter().cloned().collect())
    }

    pub fn threads_of(&self, channel: Snowflake) -> Vec<Channel> {
        self.read(|world| world.threads_of(channel).into_iter().cloned().collect())
    }

    pub fn whispers(&self, channel: Snowflake, user: Snowflake) -> Vec<Message> {
        self.read(|world| world.whispers(channel, user).into_iter().cloned().collect())
    }
}
