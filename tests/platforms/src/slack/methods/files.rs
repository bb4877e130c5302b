//! `files.*`: the first and the third step of an upload, facts, deletion.
//! The bytes are in `files` and `serve`.

use std::time::Instant;

use serde_json::{Value, json};

use super::{Caller, chat};
use crate::slack::error::{Answer, ApiError, refuse};
use crate::slack::files::Share;
use crate::slack::params::Params;
use crate::slack::world::World;

pub(super) fn upload_url(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let name = params.need("filename")?;
    let length = params.int("length").and_then(|length| u64::try_from(length).ok());
    let length = length.ok_or_else(|| ApiError::missing("length"))?;
    let (file, url) = world.begin_upload(&caller.team, &caller.app, &name, length)?;
    Ok(json!({ "file_id": file, "upload_url": url }))
}

pub(super) fn complete(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let files = params.structured("files", "invalid_arguments")?;
    let Some(files) = files.as_ref().and_then(Value::as_array).filter(|files| !files.is_empty()) else {
        return Err(ApiError::missing("files"));
    };
    let channel = params.text("channel_id").or_else(|| params.text("channels"));
    let mut thread = None;
    if let Some(channel) = &channel {
        if !world.known(&caller.team)?.channels.contains_key(channel) {
            return refuse("channel_not_found");
        }
        chat::may_write(world, caller, channel)?;
        thread = chat::thread(world, caller, channel, params)?;
    }
    let (mut shown, mut ids) = (Vec::new(), Vec::new());
    for file in files {
        let id = file["id"].as_str().unwrap_or_default();
        shown.push(world.end_upload(&caller.app, id, file["title"].as_str())?);
        ids.push(id.to_owned());
    }
    if let Some(channel) = channel {
        let author = chat::author(world, caller, params);
        world.files.pending.push(Share {
            at: Instant::now() + world.settings.file_delay,
            team: caller.team.clone(),
            channel,
            thread,
            comment: params.text("initial_comment").unwrap_or_default(),
            author,
            files: ids,
        });
    }
    Ok(json!({ "files": shown }))
}

pub(super) fn info(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let key = (caller.team.clone(), params.need("file")?);
    let found = world.files.kept.get(&key).filter(|file| !file.deleted);
    let file = found.ok_or_else(|| ApiError::new("file_not_found"))?;
    Ok(json!({ "file": file.json(&world.base), "comments": [] }))
}

pub(super) fn delete(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let key = (caller.team.clone(), params.need("file")?);
    let Some(file) = world.files.kept.get_mut(&key).filter(|file| !file.deleted) else {
        return refuse("file_not_found");
    };
    if file.user != caller.bot_user {
        return refuse("cant_delete_file");
    }
    file.deleted = true;
    Ok(json!({}))
}
