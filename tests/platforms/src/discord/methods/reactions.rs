//! Reactions ("Message › Create Reaction").
//! What a reaction means to the bridge is not known here.

use super::{Caller, Method, method};
use crate::discord::error::{Answer, ApiError, Good, refuse};
use crate::discord::message::Reaction;
use crate::discord::params::Params;
use crate::discord::permissions::{ADD_REACTIONS, MANAGE_MESSAGES, READ_MESSAGE_HISTORY};
use crate::discord::snowflake::Snowflake;
use crate::discord::world::World;

/// Different emojis on one message.
const MAX_REACTIONS: usize = 20;

const ONE: &str = "channels/{channel_id}/messages/{message_id}/reactions/{emoji_name}";
const MINE: &str = "channels/{channel_id}/messages/{message_id}/reactions/{emoji_name}/@me";
const THEIRS: &str = "channels/{channel_id}/messages/{message_id}/reactions/{emoji_name}/{user_id}";
const ALL: &str = "channels/{channel_id}/messages/{message_id}/reactions";

pub(super) const METHODS: &[Method] = &[
    method("PUT", MINE, "add_my_message_reaction", add),
    method("DELETE", MINE, "delete_my_message_reaction", remove),
    method("DELETE", THEIRS, "delete_user_message_reaction", remove_of),
    method("GET", ONE, "list_message_reactions_by_emoji", list),
    method("DELETE", ALL, "delete_all_message_reactions", remove_all),
];

impl World {
    /// # Errors
    /// `10014` for what is no emoji, `30010` for one too many, `50083` in an archived thread.
    pub(in crate::discord) fn react(
        &mut self,
        user: Snowflake,
        (channel, id): (Snowflake, Snowflake),
        emoji: &str,
    ) -> Result<(), ApiError> {
        let custom = emoji.rsplit_once(':').is_some_and(|(_, id)| id.parse::<Snowflake>().is_ok());
        // Custom ones would have to be known to the server; text is none.
        if !custom && (emoji.is_empty() || emoji.chars().any(|letter| letter.is_ascii_alphabetic())) {
            return refuse(10_014);
        }
        if self.channel_known(channel)?.archived {
            return refuse(50_083);
        }
        let message = self.message_mut(channel, id)?;
        if let Some(reaction) = message.reactions.iter_mut().find(|it| it.emoji == emoji) {
            if reaction.users.contains(&user) {
                return Ok(());
            }
            reaction.users.push(user);
        } else {
            if message.reactions.len() >= MAX_REACTIONS {
                return refuse(30_010);
            }
            message.reactions.push(Reaction { emoji: emoji.to_owned(), users: vec![user] });
        }
        self.announce_reaction((channel, id), user, emoji, true);
        Ok(())
    }

    /// # Errors
    /// `10014` when it is not there.
    pub(in crate::discord) fn unreact(
        &mut self,
        user: Snowflake,
        (channel, id): (Snowflake, Snowflake),
        emoji: &str,
    ) -> Result<(), ApiError> {
        let message = self.message_mut(channel, id)?;
        let found = message.reactions.iter_mut().find(|it| it.emoji == emoji && it.users.contains(&user));
        let reaction = found.ok_or_else(|| ApiError::coded(10_014))?;
        reaction.users.retain(|it| *it != user);
        message.reactions.retain(|it| !it.users.is_empty());
        self.announce_reaction((channel, id), user, emoji, false);
        Ok(())
    }
}

fn place(world: &World, caller: Caller, params: &Params) -> Result<(Snowflake, Snowflake), ApiError> {
    let (channel, id) = (params.id("channel_id")?, params.id("message_id")?);
    world.visible(caller.bot, channel)?;
    if !world.may(caller.bot, channel, READ_MESSAGE_HISTORY) {
        return refuse(50_013);
    }
    world.message_known(channel, id)?;
    Ok((channel, id))
}

fn add(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let (channel, id) = place(world, caller, params)?;
    let emoji = params.at("emoji_name");
    // One more of what is there already takes no right.
    let there = world.message_known(channel, id)?.reactions.iter().any(|it| it.emoji == emoji);
    if !there && !world.may(caller.bot, channel, ADD_REACTIONS) {
        return refuse(50_013);
    }
    world.react(caller.bot, (channel, id), emoji)?;
    Good::empty()
}

fn remove(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let at = place(world, caller, params)?;
    world.unreact(caller.bot, at, params.at("emoji_name"))?;
    Good::empty()
}

fn remove_of(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let at = place(world, caller, params)?;
    if !world.may(caller.bot, at.0, MANAGE_MESSAGES) {
        return refuse(50_013);
    }
    world.unreact(params.id("user_id")?, at, params.at("emoji_name"))?;
    Good::empty()
}

fn remove_all(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let at = place(world, caller, params)?;
    if !world.may(caller.bot, at.0, MANAGE_MESSAGES) {
        return refuse(50_013);
    }
    world.message_mut(at.0, at.1)?.reactions.clear();
    world.announce_no_reactions(at);
    Good::empty()
}

fn list(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let (channel, id) = place(world, caller, params)?;
    let limit = params.limit(25, 100)?;
    let reactions = &world.message_known(channel, id)?.reactions;
    let users = reactions.iter().find(|it| it.emoji == params.at("emoji_name")).map(|it| it.users.clone());
    Good::with(users.into_iter().flatten().take(limit).map(|user| world.user_json(user)).collect())
}
