//! Who may what where ("Permissions › Permission Hierarchy").
//! Which method needs what is said by the methods.

use super::guild::{Channel, Guild};
use super::snowflake::Snowflake;
use super::world::World;

pub const ADMINISTRATOR: u64 = 1 << 3;
pub const MANAGE_CHANNELS: u64 = 1 << 4;
pub const ADD_REACTIONS: u64 = 1 << 6;
pub const VIEW_CHANNEL: u64 = 1 << 10;
pub const SEND_MESSAGES: u64 = 1 << 11;
pub const MANAGE_MESSAGES: u64 = 1 << 13;
pub const EMBED_LINKS: u64 = 1 << 14;
pub const ATTACH_FILES: u64 = 1 << 15;
pub const READ_MESSAGE_HISTORY: u64 = 1 << 16;
pub const MENTION_EVERYONE: u64 = 1 << 17;
pub const MANAGE_WEBHOOKS: u64 = 1 << 29;
pub const USE_APPLICATION_COMMANDS: u64 = 1 << 31;
pub const MANAGE_THREADS: u64 = 1 << 34;
pub const CREATE_PUBLIC_THREADS: u64 = 1 << 35;
pub const CREATE_PRIVATE_THREADS: u64 = 1 << 36;
pub const SEND_MESSAGES_IN_THREADS: u64 = 1 << 38;
pub const PIN_MESSAGES: u64 = 1 << 51;

/// Every permission that there is.
pub const ALL: u64 = (1 << 53) - 1;

/// What everybody may in a new server.
pub const EVERYONE: u64 = VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | ADD_REACTIONS
    | USE_APPLICATION_COMMANDS
    | CREATE_PUBLIC_THREADS
    | SEND_MESSAGES_IN_THREADS;

/// What a fresh installation is granted here; a test that wants less says so.
pub const INSTALLED: u64 = EVERYONE
    | MANAGE_CHANNELS
    | MANAGE_MESSAGES
    | MANAGE_THREADS
    | MANAGE_WEBHOOKS
    | MENTION_EVERYONE
    | PIN_MESSAGES;

impl World {
    /// What a person or a bot may in a channel; a thread has its parent's rules.
    pub fn permissions(&self, user: Snowflake, channel: Snowflake) -> u64 {
        let Some(found) = self.channels.get(&channel) else { return 0 };
        let Some(guild) = found.guild else {
            return if found.people.contains(&user) { ALL } else { 0 };
        };
        let Some(guild) = self.guilds.get(&guild) else { return 0 };
        let parent = found.parent.filter(|_| found.is_thread());
        let ruling = parent.and_then(|parent| self.channels.get(&parent)).unwrap_or(found);
        permissions_in(guild, ruling, user)
    }

    pub(super) fn may(&self, user: Snowflake, channel: Snowflake, wanted: u64) -> bool {
        self.permissions(user, channel) & wanted == wanted
    }
}

/// In the server as a whole.
pub fn base(guild: &Guild, user: Snowflake) -> u64 {
    let Some(member) = guild.members.get(&user) else { return 0 };
    let granted = |role: Snowflake| guild.role(role).map_or(0, |role| role.permissions);
    let all = member.roles.iter().fold(granted(guild.id), |all, role| all | granted(*role));
    if guild.owner == user || all & ADMINISTRATOR != 0 { ALL } else { all }
}

fn permissions_in(guild: &Guild, channel: &Channel, user: Snowflake) -> u64 {
    let base = base(guild, user);
    let Some(member) = guild.members.get(&user) else { return 0 };
    if base == ALL {
        return base;
    }
    let apply = |allowed: u64, (allow, deny): (u64, u64)| (allowed & !deny) | allow;
    let of = |id: Snowflake, whose: bool| {
        channel.overwrites.iter().find(|it| it.id == id && it.member == whose).map(|it| (it.allow, it.deny))
    };
    let everyone = apply(base, of(guild.id, false).unwrap_or_default());
    let roles = member.roles.iter().filter_map(|role| of(*role, false));
    let roles = roles.fold((0, 0), |(allow, deny), (more, less)| (allow | more, deny | less));
    let all = apply(apply(everyone, roles), of(user, true).unwrap_or_default());
    // Who does not see a channel can do nothing in it.
    if all & VIEW_CHANNEL == 0 { 0 } else { all }
}
