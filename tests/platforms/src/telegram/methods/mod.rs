//! The methods of the Bot API, one table; each takes the world and the parameters and answers as the vendor does.
//! Transport, faults and long polling are not here.

mod chats;
mod edit;
mod media;
mod profile;
mod receiving;
mod send;
mod topics;

use serde_json::Value;

use super::error::{Answer, ApiError};
use super::params::Params;
use super::world::World;

type Method = fn(&mut World, &Params) -> Answer;

/// The vendor's spelling and what carries it out. `getUpdates` waits and is therefore in `polling`.
const METHODS: &[(&str, Method)] = &[
    ("getMe", profile::get_me),
    ("logOut", profile::accepted),
    ("close", profile::accepted),
    ("setWebhook", receiving::set_webhook),
    ("deleteWebhook", receiving::delete_webhook),
    ("getWebhookInfo", receiving::webhook_info),
    ("sendMessage", send::message),
    ("sendMessageDraft", send::draft),
    ("sendChatAction", send::chat_action),
    ("forwardMessage", send::forward),
    ("copyMessage", send::copy),
    ("sendPhoto", media::photo),
    ("sendDocument", media::document),
    ("sendVideo", media::video),
    ("sendAudio", media::audio),
    ("sendVoice", media::voice),
    ("sendAnimation", media::animation),
    ("sendSticker", media::sticker),
    ("sendVideoNote", media::video_note),
    ("sendMediaGroup", media::group),
    ("getFile", media::get_file),
    ("editMessageText", edit::text),
    ("editMessageCaption", edit::caption),
    ("editMessageMedia", edit::media),
    ("editMessageReplyMarkup", edit::keyboard),
    ("deleteMessage", edit::delete),
    ("deleteMessages", edit::delete_many),
    ("setMessageReaction", edit::reaction),
    ("answerCallbackQuery", edit::answer_press),
    ("createForumTopic", topics::create),
    ("editForumTopic", topics::edit),
    ("closeForumTopic", topics::close),
    ("reopenForumTopic", topics::reopen),
    ("deleteForumTopic", topics::delete),
    ("getForumTopicIconStickers", topics::icons),
    ("getChat", chats::get),
    ("getChatMember", chats::member),
    ("getChatMemberCount", chats::member_count),
    ("getChatAdministrators", chats::administrators),
    ("leaveChat", chats::leave),
    ("pinChatMessage", chats::pin),
    ("unpinChatMessage", chats::unpin),
    ("setMyCommands", profile::set_commands),
    ("deleteMyCommands", profile::delete_commands),
    ("getMyCommands", profile::get_commands),
    ("setMyName", profile::set_name),
    ("getMyName", profile::get_name),
    ("setMyDescription", profile::set_description),
    ("getMyDescription", profile::get_description),
    ("setMyShortDescription", profile::set_short_description),
    ("getMyShortDescription", profile::get_short_description),
    ("setChatMenuButton", profile::accepted),
    ("setMyDefaultAdministratorRights", profile::accepted),
];

pub(super) use receiving::remember_allowed;
pub(super) use topics::open as open_topic;

pub(super) const GET_UPDATES: &str = "getUpdates";

/// The vendor's spelling of a method given in any case.
pub(super) fn spelling(name: &str) -> Option<&'static str> {
    let known = METHODS.iter().map(|(method, _)| *method).chain([GET_UPDATES]);
    known.into_iter().find(|method| method.eq_ignore_ascii_case(name))
}

/// Carries a method out.
///
/// # Errors
/// What the vendor would answer; 404 for a method the fake does not know.
pub(super) fn call(world: &mut World, name: &str, params: &Params) -> Answer {
    match METHODS.iter().find(|(method, _)| method.eq_ignore_ascii_case(name)) {
        Some((_, method)) => method(world, params),
        None => Err(ApiError::not_found()),
    }
}

/// An acknowledgement.
fn done() -> Answer {
    Ok(Value::Bool(true))
}
