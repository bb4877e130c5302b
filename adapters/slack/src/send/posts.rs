//! Posts: texts, cards, buttons and files, part by part, each part at most once.
//!
//! Not here: which parts there are (`send/plan.rs`), looking for parts after a doubtful attempt (`send/find.rs`).

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use deskbridge_contract::{
    Address, Content, Outbound, OutboundFile, Persona, RemoteMessageId, SendError, Sent,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::plan::{self, Part};
use super::{PARTLY, Portion, Sending};
use crate::api::Fault;
use crate::blocks::Message;
use crate::files::Uploaded;
use crate::ids::{self, Place};

/// Slack posts files a moment after they were completed: how often and after how long it is asked for their message.
const LOOKS: [Duration; 5] = [
    Duration::from_millis(150),
    Duration::from_millis(350),
    Duration::from_millis(700),
    Duration::from_millis(1500),
    Duration::from_millis(2500),
];
/// Uploads under way that the shelf remembers; a later one in the same place forgets it.
const UNDER_WAY: u64 = 128;

/// Files of one delivery that Slack has, as the shelf keeps them while nobody knows whether they were posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UnderWay {
    pub delivery: String,
    pub files: Vec<String>,
}

impl Sending {
    pub(super) async fn post(
        self: &Arc<Self>,
        out: &Outbound,
        content: &Content,
        files: &[OutboundFile],
        persona: Option<&Persona>,
        reply_to: Option<&RemoteMessageId>,
    ) -> Result<Sent, SendError> {
        let mut place = ids::place(&out.to)?;
        let quoted = self.quoted(&out.to, reply_to).await;
        let parts = plan::parts(content, files, persona, quoted.as_deref())?;
        let portion = Portion { id: out.id.clone(), to: out.to.clone(), parts: parts.len() };
        let mut sent = self.resume(&portion);
        if sent.is_empty() {
            sent.extend(self.over_what_grew(out, place, &parts, persona).await?);
        }
        let mut note = None;
        for (nth, part) in parts.iter().enumerate().skip(sent.len()) {
            let mut put = self.put_part(out, part, (nth + 1, parts.len()), place, files, persona).await;
            let lost = matches!(&put, Err(Fault { error: SendError::ThreadGone { .. }, .. }));
            if lost && ids::is_direct(&out.to) && place.thread.take().is_some() {
                // In a requester's own chat the words matter more than the thread (D22).
                note = Some("thread lost".to_owned());
                put = self.put_part(out, part, (nth + 1, parts.len()), place, files, persona).await;
            }
            match put {
                Ok(id) => sent.push(id),
                Err(fault) if sent.is_empty() => return Err(fault.error),
                Err(fault) => {
                    self.remember(portion, sent);
                    return Err(half_sent(fault.error));
                }
            }
        }
        if let (Some(card), Some(first)) = (&content.card, sent.first()) {
            self.remember_card(&super::root_of(&out.to, first.as_str()), card, &content.actions);
        }
        let address =
            if place.thread.is_some() { out.to.clone() } else { Address { thread: None, ..out.to.clone() } };
        let unseen = sent.iter().any(|id| id.as_str().is_empty());
        let note = note.or_else(|| unseen.then(|| "Slack was still looking through the files".to_owned()));
        Ok(all(address, sent, note))
    }

    /// What the assistant has shown so far becomes the answer; before anybody else's words it ends with "…".
    async fn over_what_grew(
        &self,
        out: &Outbound,
        place: Place<'_>,
        parts: &[Part],
        persona: Option<&Persona>,
    ) -> Result<Option<RemoteMessageId>, SendError> {
        let Some(growing) = self.grown(&out.to).await else { return Ok(None) };
        match parts.first() {
            Some(Part::Message(message)) if persona.is_some_and(|persona| persona.assistant) => {
                let became = self.become_answer(out, place, growing, message, parts.len()).await;
                Ok(became?.map(RemoteMessageId))
            }
            _ => {
                self.break_off(place, growing).await;
                Ok(None)
            }
        }
    }

    async fn put_part(
        &self,
        out: &Outbound,
        part: &Part,
        (nth, of): (usize, usize),
        place: Place<'_>,
        files: &[OutboundFile],
        persona: Option<&Persona>,
    ) -> Result<RemoteMessageId, Fault> {
        match part {
            Part::Message(message) => {
                let metadata = plan::metadata(&out.id, nth, of);
                Ok(RemoteMessageId(self.put(place, message, persona, Some(metadata)).await?))
            }
            Part::Files(comment) => self.put_files(out, comment, place, files, persona).await,
        }
    }

    /// "chat.postMessage": the new message's `ts`.
    pub(crate) async fn put(
        &self,
        place: Place<'_>,
        message: &Message,
        persona: Option<&Persona>,
        metadata: Option<Value>,
    ) -> Result<String, Fault> {
        let answer =
            self.api.post("chat.postMessage", &plan::body(place, message, persona, metadata)).await?;
        match answer["ts"].as_str().filter(|ts| ids::is_ts(ts)) {
            Some(ts) => Ok(ts.to_owned()),
            None => Err(SendError::Ambiguous { why: "Slack did not name the message".into() }.into()),
        }
    }

    /// Several files in one message: brought one by one, shown by one call. The id of the message is empty where Slack
    /// had not made it yet when it was last looked for.
    async fn put_files(
        &self,
        out: &Outbound,
        comment: &str,
        place: Place<'_>,
        files: &[OutboundFile],
        persona: Option<&Persona>,
    ) -> Result<RemoteMessageId, Fault> {
        if let Some(ts) = self.posted_before(out, place).await? {
            return Ok(RemoteMessageId(ts));
        }
        let mut brought = Vec::new();
        for file in files {
            brought.push(self.api.upload(file).await?);
        }
        self.note_under_way(out, &brought).await?;
        let body = completion(place, comment, &brought, persona);
        self.api.post("files.completeUploadExternal", &body).await?;
        let first = &brought[0].id;
        for wait in LOOKS {
            tokio::time::sleep(wait).await;
            // It is posted; not knowing where is no reason to call it failed.
            if let Ok(Some(ts)) = self.api.posted_as(first, place.channel).await {
                return Ok(RemoteMessageId(ts));
            }
        }
        Ok(RemoteMessageId(String::new()))
    }

    /// The message of an earlier attempt whose outcome was not known.
    pub(super) async fn posted_before(
        &self,
        out: &Outbound,
        place: Place<'_>,
    ) -> Result<Option<String>, Fault> {
        let Some(under_way) = self.under_way(out).await? else { return Ok(None) };
        let Some(first) = under_way.files.first() else { return Ok(None) };
        match self.api.posted_as(first, place.channel).await {
            Ok(ts) => Ok(ts),
            Err(fault) if fault.is(&["file_not_found", "file_deleted"]) => Ok(None),
            Err(Fault { error: SendError::Ambiguous { why }, .. }) => {
                Err(SendError::Retry { after: None, why }.into())
            }
            Err(fault) => Err(fault),
        }
    }

    async fn under_way(&self, out: &Outbound) -> Result<Option<UnderWay>, SendError> {
        let Some(shelf) = self.shelf() else { return Ok(None) };
        let kept = shelf.get(&shelf_key(out.id.as_str())).await;
        let kept = kept.map_err(|error| SendError::Retry { after: None, why: error.to_string() })?;
        let kept = kept.and_then(|text| serde_json::from_str::<UnderWay>(&text).ok());
        Ok(kept.filter(|kept| kept.delivery == out.id.as_str()))
    }

    /// Written down before the call that shows the files: a message with files takes no metadata.
    async fn note_under_way(&self, out: &Outbound, brought: &[Uploaded]) -> Result<(), SendError> {
        let Some(shelf) = self.shelf() else { return Ok(()) };
        let files = brought.iter().map(|file| file.id.clone()).collect();
        let under_way = UnderWay { delivery: out.id.as_str().to_owned(), files };
        let text = serde_json::to_string(&under_way).unwrap_or_default();
        let put = shelf.put(&shelf_key(out.id.as_str()), &text).await;
        put.map_err(|error| SendError::Retry { after: None, why: error.to_string() })
    }

    /// A link to the message that this one answers. A thread is an answer already; a lost link costs no message.
    async fn quoted(&self, at: &Address, reply_to: Option<&RemoteMessageId>) -> Option<String> {
        let (place, ts) = (ids::place(at).ok()?, ids::message(reply_to?).ok()?);
        if place.thread == Some(ts) {
            return None;
        }
        let identity = self.identity().await.ok()?;
        link(&identity.url, place, ts)
    }

    fn resume(&self, portion: &Portion) -> Vec<RemoteMessageId> {
        let mut partly = self.partly.lock().unwrap_or_else(PoisonError::into_inner);
        match partly.iter().position(|(known, _)| known == portion) {
            Some(at) => partly.remove(at).map(|(_, sent)| sent).unwrap_or_default(),
            None => Vec::new(),
        }
    }

    pub(super) fn remember(&self, portion: Portion, sent: Vec<RemoteMessageId>) {
        let mut partly = self.partly.lock().unwrap_or_else(PoisonError::into_inner);
        partly.retain(|(known, _)| *known != portion);
        if partly.len() >= PARTLY {
            partly.pop_front();
        }
        partly.push_back((portion, sent));
    }
}

/// Everything that one post became; a message without a name is left out.
pub(super) fn all(address: Address, sent: Vec<RemoteMessageId>, note: Option<String>) -> Sent {
    let mut ids = sent.into_iter().filter(|id| !id.as_str().is_empty());
    Sent { message: ids.next(), more: ids.collect(), note, ..Sent::at(&address, None) }
}

/// "files.completeUploadExternal".
fn completion(
    place: Place<'_>,
    comment: &str,
    brought: &[Uploaded],
    persona: Option<&Persona>,
) -> Map<String, Value> {
    let files: Vec<Value> =
        brought.iter().map(|file| json!({ "id": file.id, "title": file.title })).collect();
    let mut body = Map::new();
    body.insert("files".into(), files.into());
    body.insert("channel_id".into(), place.channel.into());
    if let Some(thread) = place.thread {
        body.insert("thread_ts".into(), thread.into());
    }
    if !comment.is_empty() {
        body.insert("initial_comment".into(), comment.into());
    }
    if let Some(persona) = persona {
        plan::speaks(&mut body, persona);
    }
    body
}

/// `https://acme.slack.com/archives/C1/p1700000000000100`, as "chat.getPermalink" would say it.
pub(super) fn link(workspace: &str, place: Place<'_>, ts: &str) -> Option<String> {
    let base = url::Url::parse(workspace).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let mut url = base.join(&format!("archives/{}/p{}", place.channel, ts.replace('.', ""))).ok()?;
    if let Some(thread) = place.thread {
        url.query_pairs_mut().append_pair("thread_ts", thread).append_pair("cid", place.channel);
    }
    Some(url.to_string())
}

fn shelf_key(delivery: &str) -> String {
    let sum = delivery.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    format!("upload.{}", sum % UNDER_WAY)
}

/// A plainer form of the whole would show the first part twice.
fn half_sent(error: SendError) -> SendError {
    match error {
        SendError::Rejected { why, .. } => {
            SendError::rejected(format!("only the first part was sent: {why}"))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_messages() {
        let place = Place { channel: "C1", thread: None };
        let at = |place| link("https://acme.slack.com/", place, "1700000000.000100");
        assert_eq!(at(place).unwrap(), "https://acme.slack.com/archives/C1/p1700000000000100");
        let thread = Place { thread: Some("1690000000.000001"), ..place };
        assert_eq!(
            at(thread).unwrap(),
            "https://acme.slack.com/archives/C1/p1700000000000100?thread_ts=1690000000.000001&cid=C1"
        );
        assert_eq!(link("", place, "1.000001"), None);
        assert_eq!(link("javascript:x", place, "1.000001"), None);
    }
}
