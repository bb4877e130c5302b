//! Files on their way out: streamed from our blobs into a multipart form.
//!
//! Not here: which file goes in which form (`send/plan.rs`), and files coming in (`Api::download`).

use std::sync::{Arc, Mutex};

use deskbridge_contract::{OutboundFile, RemoteMessageId, SendError};
use futures_util::StreamExt as _;
use reqwest::multipart::{Form, Part};
use serde::Serialize;
use serde_json::json;
use teloxide_core::types::{InlineKeyboardMarkup, MessageId};

use super::api::Fault;
use super::plan::FileForm;
use super::{Sending, SentMessage, reply};
use crate::ids::Place;
use crate::markup::Formatted;

/// The error of a blob that could not be read while it was being written to Telegram.
type Broken = Arc<Mutex<Option<SendError>>>;

impl Sending {
    pub(super) async fn put_file(
        &self,
        file: &OutboundFile,
        form: FileForm,
        caption: &Formatted,
        keyboard: Option<&InlineKeyboardMarkup>,
        place: Place,
        reply_to: Option<MessageId>,
    ) -> Result<Vec<RemoteMessageId>, Fault> {
        let sent = self.upload(file, form, caption, keyboard, place, reply_to).await;
        let sent = match sent {
            // Too thin, too wide or not decodable: refused as a picture, still good as a file.
            Err(fault) if form == FileForm::Photo && fault.said(&["photo_", "image_process_failed"]) => {
                self.upload(file, FileForm::Document, caption, keyboard, place, reply_to).await
            }
            other => other,
        }?;
        Ok(vec![sent.id()])
    }

    async fn upload(
        &self,
        file: &OutboundFile,
        form: FileForm,
        caption: &Formatted,
        keyboard: Option<&InlineKeyboardMarkup>,
        place: Place,
        reply_to: Option<MessageId>,
    ) -> Result<SentMessage, Fault> {
        let broken = Broken::default();
        let mut fields = addressed(place, reply_to).part(form.field(), part(file, &broken).await?);
        if !caption.is_empty() {
            fields = fields.text("caption", caption.text.clone());
            fields = fields.text("caption_entities", text(&caption.entities));
        }
        if let Some(keyboard) = keyboard {
            fields = fields.text("reply_markup", text(keyboard));
        }
        let sent = self.api.upload(form.method(), fields, file.size).await;
        sent.map_err(|fault| blame(fault, &broken))
    }

    pub(super) async fn put_album(
        &self,
        items: &[(usize, FileForm)],
        files: &[OutboundFile],
        caption: &Formatted,
        place: Place,
        reply_to: Option<MessageId>,
    ) -> Result<Vec<RemoteMessageId>, Fault> {
        let broken = Broken::default();
        let mut fields = addressed(place, reply_to);
        let mut media = Vec::new();
        let mut size = 0;
        for (nth, (at, form)) in items.iter().enumerate() {
            let name = format!("file{nth}");
            let mut item = json!({ "type": form.field(), "media": format!("attach://{name}") });
            if nth == 0 && !caption.is_empty() {
                item["caption"] = caption.text.clone().into();
                item["caption_entities"] = json!(caption.entities);
            }
            media.push(item);
            size += files[*at].size;
            fields = fields.part(name, part(&files[*at], &broken).await?);
        }
        let fields = fields.text("media", text(&media));
        let sent: Result<Vec<SentMessage>, Fault> = self.api.upload("SendMediaGroup", fields, size).await;
        let sent = sent.map_err(|fault| blame(fault, &broken))?;
        Ok(sent.iter().map(SentMessage::id).collect())
    }
}

fn addressed(place: Place, reply_to: Option<MessageId>) -> Form {
    let mut form = Form::new().text("chat_id", place.chat.0.to_string());
    if let Some(topic) = place.topic {
        form = form.text("message_thread_id", topic.0.0.to_string());
    }
    if let Some(to) = reply_to {
        form = form.text("reply_parameters", text(&reply(to)));
    }
    form
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

async fn part(file: &OutboundFile, broken: &Broken) -> Result<Part, SendError> {
    let bytes = (file.open)().await?;
    let broken = broken.clone();
    let bytes = bytes.map(move |chunk| {
        chunk.map_err(|error| {
            *broken.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error.clone());
            std::io::Error::other(error)
        })
    });
    let part = Part::stream_with_length(reqwest::Body::wrap_stream(bytes), file.size);
    // A media type that is none must not cost the file.
    let known = Part::text("").mime_str(&file.mime).is_ok();
    let mime = if known { file.mime.as_str() } else { "application/octet-stream" };
    let part = part.mime_str(mime).map_err(|_| SendError::rejected("not a media type"))?;
    Ok(part.file_name(file_name(&file.name)))
}

/// The name as people see it: one line, no path.
fn file_name(name: &str) -> String {
    let name: String =
        name.chars().map(|c| if c.is_control() || "/\\\"".contains(c) { '_' } else { c }).collect();
    let name: String = name.trim().chars().take(120).collect();
    if name.is_empty() { "file".into() } else { name }
}

/// When our own bytes broke off, the form was incomplete and nothing was posted: that error says what to do.
fn blame(fault: Fault, broken: &Broken) -> Fault {
    match broken.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take() {
        Some(error) => error.into(),
        None => fault,
    }
}
