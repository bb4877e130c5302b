//! What people do, as the handle of `drive` offers it.
//! What it does to the world is in `people`.

use super::chat::{ChatId, ChatKind, MessageId, Rights, Standing, ThreadId, User, UserId};
use super::drive::FakeTelegram;
use super::message::Author;
use super::people::Post;

impl FakeTelegram {
    /// Registers a person. The bot may write only after they wrote first.
    pub fn user(&self, id: UserId, name: &str) -> UserId {
        self.add_user(User::named(id, name))
    }

    pub fn add_user(&self, user: User) -> UserId {
        let id = user.id;
        self.shared.change(|world| world.add_user(user));
        id
    }

    /// A forum supergroup where the bot is administrator with every right.
    pub fn forum(&self, title: &str) -> ChatId {
        self.shared.change(|world| {
            let bot = Standing::Administrator(Rights::default());
            let id = world.add_chat(ChatKind::Supergroup, title, bot);
            if let Some(chat) = world.chats.get_mut(&id) {
                chat.is_forum = true;
            }
            id
        })
    }

    /// A group, supergroup or channel where the bot is a plain member.
    pub fn group(&self, kind: ChatKind, title: &str) -> ChatId {
        self.shared.change(|world| world.add_chat(kind, title, Standing::Member))
    }

    /// Makes someone (also the bot) administrator with these rights, or plain member.
    #[track_caller]
    pub fn appoint(&self, chat: ChatId, user: UserId, rights: Option<Rights>) {
        self.drive(|world| world.appoint(chat, user, rights));
    }

    #[track_caller]
    pub fn private_message(&self, user: UserId, post: impl Into<Post>) -> MessageId {
        let post = post.into();
        self.drive(|world| world.say(Author::User(user), user, None, &post, None))
    }

    /// Into a group, or the General topic of a forum.
    #[track_caller]
    pub fn general_message(&self, user: UserId, chat: ChatId, post: impl Into<Post>) -> MessageId {
        let post = post.into();
        self.drive(|world| world.say(Author::User(user), chat, None, &post, None))
    }

    #[track_caller]
    pub fn topic_message(
        &self,
        user: UserId,
        chat: ChatId,
        thread: ThreadId,
        post: impl Into<Post>,
    ) -> MessageId {
        let post = post.into();
        self.drive(|world| world.say(Author::User(user), chat, Some(thread), &post, None))
    }

    /// An administrator writes as the group.
    #[track_caller]
    pub fn anonymous_admin_message(
        &self,
        chat: ChatId,
        thread: Option<ThreadId>,
        post: impl Into<Post>,
    ) -> MessageId {
        let post = post.into();
        self.drive(|world| world.say(Author::Anonymous, chat, thread, &post, None))
    }

    /// Several files at once: one message each, one `media_group_id`.
    #[track_caller]
    pub fn album(
        &self,
        user: UserId,
        chat: ChatId,
        thread: Option<ThreadId>,
        posts: Vec<Post>,
    ) -> Vec<MessageId> {
        self.drive(|world| {
            let album = Some(world.next_serial().to_string());
            posts
                .iter()
                .map(|post| world.say(Author::User(user), chat, thread, post, album.clone()))
                .collect()
        })
    }

    #[track_caller]
    pub fn edit_message(&self, chat: ChatId, message: MessageId, text: &str) {
        self.drive(|world| world.change_message(chat, message, Some(text)));
    }

    /// An `edited_message` without any visible change (a link preview came, a reaction was counted).
    #[track_caller]
    pub fn touch_message(&self, chat: ChatId, message: MessageId) {
        self.drive(|world| world.change_message(chat, message, None));
    }

    /// A person deletes a message. The bot is not told.
    pub fn delete_message(&self, chat: ChatId, message: MessageId) {
        self.shared.change(|world| {
            let found = world.chats.get_mut(&chat).and_then(|chat| chat.messages.get_mut(&message));
            if let Some(found) = found {
                found.deleted = true;
            }
        });
    }

    /// Presses a button, named by its callback data or its label; returns the query's id.
    #[track_caller]
    pub fn press(&self, user: UserId, chat: ChatId, message: MessageId, button: &str) -> String {
        self.drive(|world| world.press(user, chat, message, button))
    }

    /// Sends callback data that no button has.
    #[track_caller]
    pub fn press_forged(&self, user: UserId, chat: ChatId, message: MessageId, data: &str) -> String {
        self.drive(|world| world.press_data(user, chat, message, data))
    }

    /// Lets the time to answer a press run out.
    pub fn expire_press(&self, query: &str) {
        self.shared.change(|world| world.presses.remove(query));
    }

    #[track_caller]
    pub fn react(&self, user: UserId, chat: ChatId, message: MessageId, emoji: Option<&str>) {
        self.drive(|world| world.react(user, chat, message, emoji));
    }

    #[track_caller]
    pub fn open_topic(&self, by: UserId, chat: ChatId, name: &str) -> ThreadId {
        self.drive(|world| world.open_topic(by, chat, name))
    }

    #[track_caller]
    pub fn rename_topic(&self, by: UserId, chat: ChatId, thread: ThreadId, name: &str) {
        self.drive(|world| world.rename_topic(by, chat, thread, name));
    }

    #[track_caller]
    pub fn close_topic(&self, by: UserId, chat: ChatId, thread: ThreadId) {
        self.drive(|world| world.shut_topic(by, chat, thread, true));
    }

    #[track_caller]
    pub fn reopen_topic(&self, by: UserId, chat: ChatId, thread: ThreadId) {
        self.drive(|world| world.shut_topic(by, chat, thread, false));
    }

    /// A person deletes a topic with all its messages. The bot is not told.
    pub fn delete_topic(&self, chat: ChatId, thread: ThreadId) {
        self.shared.change(|world| world.remove_topic(chat, thread));
    }

    /// The user blocks the bot: `my_chat_member`, and 403 from then on.
    pub fn block(&self, user: UserId) {
        self.shared.change(|world| world.set_bot_standing(user, user, Standing::Kicked));
    }

    pub fn unblock(&self, user: UserId) {
        self.shared.change(|world| world.set_bot_standing(user, user, Standing::Member));
    }

    /// The account is gone: 403 "user is deactivated".
    pub fn deactivate(&self, user: UserId) {
        self.shared.change(|world| {
            if let Some(user) = world.users.get_mut(&user) {
                user.deactivated = true;
            }
        });
    }

    /// The bot's standing in a group as `by` sets it: `Kicked`, `Left`, `Member`, `Administrator`.
    pub fn set_bot_standing(&self, chat: ChatId, by: UserId, standing: Standing) {
        self.shared.change(|world| world.set_bot_standing(chat, by, standing));
    }

    /// The group becomes a supergroup; returns its new id. The old id is refused with `migrate_to_chat_id`.
    #[track_caller]
    pub fn migrate(&self, chat: ChatId) -> ChatId {
        self.drive(|world| world.migrate(chat))
    }
}
