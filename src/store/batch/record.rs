//! Lays down what a step came to: rows for the commit, and the batch's own picture for the jobs after it.
//!
//! Not here: deciding any of it.

use std::sync::Arc;

use deskbridge_contract::{Attachment, AttachmentSource, Content};
use deskbridge_conversation::{
    Author, Body, CancelWhat, Conversation, ConversationId, Delivery, DeliveryOp, Effect, EffectId, Made,
    MessageId, NewMessage,
};

use crate::backend::RemoteHit;
use crate::job::{AdminDone, Applied, Apply, Cause, RemoteRef, Target};
use crate::rows::{LinkRow, LogRow, MessageRow};

use super::apply::Stepped;
use super::target::Place;
use super::{Batch, outbox, touched};

impl Batch<'_> {
    pub(super) fn store_cause(&mut self, cause: String, conversation: Option<ConversationId>) {
        self.changes.causes.push((cause.clone(), conversation.map_or(0, |id| id.0), self.now));
        self.causes.insert(cause);
    }

    pub(super) fn record(
        &mut self,
        apply: &Apply,
        cause: String,
        place: &Place,
        stepped: Stepped,
    ) -> Applied {
        let Stepped { event, after, mut made } = stepped;
        for message in &mut made.messages {
            lend_name(&mut message.author, &apply.target);
            if message.origin.is_some() {
                self.authors.insert(message.id, message.author.clone());
            }
        }
        let before = &place.conversation;
        let (id, seq) = (after.id, after.seq);
        self.store_cause(cause.clone(), Some(id));
        if place.opened {
            self.last_conversation = id.0;
        }
        let part = self.touched.part(id, (!place.opened).then_some(before));
        part.stepped = true;
        let at = event.at;
        for message in &made.messages {
            self.store_message(message, apply.content.as_ref(), at, before, &after);
        }
        self.rewrite(id, &made, apply.content.as_ref());
        for session in &made.unlinked {
            self.remotes.retain(|_, hit| (hit.conversation, hit.session) != (id, *session));
            self.changes.unlink.push((id, *session));
        }
        // The end of the old row first: the core may have queued the same card again.
        if let Cause::Effect(effect) = &apply.cause {
            self.end(*effect, &event.body, &made);
        }
        for (effect_id, effect) in &made.effects {
            self.enact(*effect_id, effect);
        }
        self.roster.occupy(&before.occupies(), &after.occupies());
        self.index_addresses(before, &after, place.opened);
        if after.is_erased() && !before.is_erased() {
            self.erase(before, &after);
        }
        self.changes.log.push(LogRow {
            conversation: id,
            seq,
            cause,
            event,
            policy: self.policy.hash.clone(),
        });
        let conversation = Arc::new(after);
        self.conversations.insert(id, conversation.clone());
        Applied::Done { conversation, seq, opened: place.opened, toast: made.toast }
    }

    fn store_message(
        &mut self,
        message: &NewMessage,
        incoming: Option<&Content>,
        at: deskbridge_contract::Timestamp,
        before: &Conversation,
        after: &Conversation,
    ) {
        let mut content = match &message.body {
            Body::Incoming => incoming.cloned().unwrap_or_default(),
            Body::Own(content) => content.clone(),
        };
        if let Some(album) = &mut content.album {
            album.since = Some(self.now);
        }
        if let Some((session, remote)) = &message.origin
            && let Some(session) = after.session(*session).or_else(|| before.session(*session))
        {
            let link = LinkRow {
                conversation: after.id,
                session: session.id,
                message: Some(message.id),
                channel: session.address.channel.clone(),
                room: session.address.room.clone(),
                remote: remote.clone(),
                part: 0,
            };
            self.begin_album(&link, &content);
            self.link(link, Some(&content));
        }
        let row = MessageRow {
            id: message.id,
            author: message.author.clone(),
            audience: message.audience,
            content,
            reply_to: message.reply_to,
            now: self.now,
            at,
            edited: None,
            deleted: false,
        };
        self.touched.part(after.id, Some(before)).messages.push(row);
    }

    /// Edits, deletions, changed audiences. Ids that buttons carried may be anybody's: only messages of this
    /// conversation are touched.
    fn rewrite(&mut self, conversation: ConversationId, made: &Made, content: Option<&Content>) {
        let ours = |message: &MessageId| message.conversation == conversation;
        for message in made.edited.iter().copied().filter(ours) {
            self.edit(message, content.cloned().unwrap_or_default());
        }
        for message in made.deleted.iter().copied().filter(ours) {
            if let Some(row) = self.touched.new_message(message) {
                row.deleted = true;
            }
            touched::delete(&mut self.changes, message, self.now);
            if let Some(known) = self.audiences.get_mut(&message) {
                *known = None;
            }
            self.note_edited(message);
        }
        for (message, audience) in made.audience.iter().copied().filter(|(message, _)| ours(message)) {
            match self.touched.new_message(message) {
                Some(row) => row.audience = audience,
                None => touched::set_audience(&mut self.changes, message, audience),
            }
            if let Some(Some(known)) = self.audiences.get_mut(&message) {
                *known = audience;
            }
            self.note_edited(message);
        }
    }

    /// What the jobs after this one find.
    fn note_content(&mut self, message: MessageId, content: &Content) {
        if let Some(known) = self.contents.get_mut(&message) {
            known.clone_from(content);
        }
    }

    /// A person's edit of stored words.
    fn edit(&mut self, message: MessageId, content: Content) {
        let stored = self.remotes.values().find(|hit| hit.message == Some(message));
        let content = keeping(&content, stored.and_then(|hit| hit.content.as_ref()));
        for hit in self.remotes.values_mut().filter(|hit| hit.message == Some(message)) {
            hit.content = Some(content.clone());
        }
        self.note_content(message, &content);
        match self.touched.new_message(message) {
            Some(row) => {
                row.edited = Some(self.now);
                row.content = content;
            }
            None => touched::edit(&mut self.changes, message, &content, self.now),
        }
        self.note_edited(message);
    }

    /// Attachments were copied: the words as they are by now, with the files in our own keeping.
    pub(super) fn replace_attachments(
        &mut self,
        message: MessageId,
        from: &[Attachment],
        to: &[Attachment],
    ) -> AdminDone {
        let new = self.touched.new_message(message).map(|row| row.content.clone());
        match new.or_else(|| self.contents.get(&message).cloned()) {
            Some(now) if now.attachments == from => {
                self.replace_content(message, &Content { attachments: to.to_vec(), ..now });
                AdminDone::Done
            }
            Some(_) | None => AdminDone::Unknown,
        }
    }

    /// Other stored words, which nobody edited.
    pub(super) fn replace_content(&mut self, message: MessageId, content: &Content) {
        if self.is_erased(Some(message.conversation)) {
            return;
        }
        for hit in self.remotes.values_mut().filter(|hit| hit.message == Some(message)) {
            hit.content = Some(content.clone());
        }
        self.note_content(message, content);
        match self.touched.new_message(message) {
            Some(row) => row.content = content.clone(),
            None => touched::replace(&mut self.changes, message, content),
        }
        if let Some(conversation) = self.conversations.get(&message.conversation).cloned() {
            self.touched.part(message.conversation, Some(&conversation));
            self.note_edited(message);
        }
    }

    fn note_edited(&mut self, message: MessageId) {
        let before = self.conversations.get(&message.conversation).cloned();
        let part = self.touched.part(message.conversation, before.as_deref());
        if !part.edited.contains(&message) {
            part.edited.push(message);
        }
    }

    pub(super) fn link(&mut self, link: LinkRow, content: Option<&Content>) {
        let remote =
            RemoteRef { channel: link.channel.clone(), room: link.room.clone(), remote: link.remote.clone() };
        let hit = RemoteHit {
            conversation: link.conversation,
            session: link.session,
            message: link.message,
            content: content.cloned(),
        };
        // A platform's message is linked once; a set-based statement cannot write the same row twice.
        if self.remotes.insert(remote, hit).is_some() {
            let key = |l: &LinkRow| (l.channel.clone(), l.room.clone(), l.remote.clone());
            let same = key(&link);
            self.changes.links.retain(|other| key(other) != same);
        }
        self.changes.links.push(link);
    }

    fn enact(&mut self, id: EffectId, effect: &Effect) {
        let (conversation, seq, now) = (id.conversation, id.seq, self.now);
        if let Some(mut row) = outbox::row(id, effect, now) {
            if let Effect::Deliver(Delivery { op: DeliveryOp::Post { message }, .. }) = effect {
                self.hold_for_parts(*message, &mut row.not_before);
            }
            if self.outbox.push(row) {
                self.touched.part(conversation, None).enqueued.push(id);
            }
            return;
        }
        match effect {
            Effect::Cancel { what: CancelWhat::Assistant } => {
                self.outbox.cancel_assistant(conversation, seq, now);
                self.changes.cancel_assistant.push((conversation, seq, now));
                self.touched.part(conversation, None).outbox_touched = true;
            }
            Effect::Cancel { what: CancelWhat::Message(message) } => {
                self.outbox.cancel_message(*message, seq, now);
                self.changes.cancel_messages.push((*message, seq, now));
                self.touched.part(conversation, None).outbox_touched = true;
            }
            Effect::ReleaseHolds => {
                self.outbox.release(conversation, seq);
                self.changes.release_holds.push((conversation, seq));
                self.touched.part(conversation, None).outbox_touched = true;
            }
            Effect::Roster(change) => self.roster.apply(change),
            Effect::Feedback { message, helpful } => {
                if message.conversation == conversation {
                    self.changes.feedback.push((*message, *helpful, now));
                }
            }
            Effect::Audit { by, act } => {
                let by = by.as_ref().map(|technician| technician.0.clone());
                self.changes.audit.push((now, by, act.clone(), Some(conversation)));
            }
            // The rating is in the conversation itself; the others have rows of their own.
            Effect::Rated { .. }
            | Effect::Deliver(_)
            | Effect::AskAssistant { .. }
            | Effect::Summarise { .. }
            | Effect::Suggest { .. }
            | Effect::OpenTicket { .. }
            | Effect::SetTicketStatus { .. }
            | Effect::AssignTicket { .. }
            | Effect::CommentTicket { .. }
            | Effect::Notify { .. }
            | Effect::OpenAnew { .. } => {}
        }
    }

    fn index_addresses(&mut self, before: &Conversation, after: &Conversation, opened: bool) {
        for session in &after.sessions {
            let known = before.session(session.id).is_some_and(|old| old.address == session.address);
            if opened || !known {
                let latest = self.addresses.entry(session.address.key()).or_insert(after.id);
                *latest = (*latest).max(after.id);
            }
        }
    }
}

/// The words of an edit, with the files of the message that are in our own keeping: an edit names them as the platform does,
/// and they are not copied again.
pub(super) fn keeping(content: &Content, stored: Option<&Content>) -> Content {
    let mut content = content.clone();
    let mut own: Vec<&Attachment> =
        stored.map(|stored| stored.attachments.iter().collect()).unwrap_or_default();
    own.retain(|file| matches!(file.source, AttachmentSource::Blob { .. }));
    for file in &mut content.attachments {
        let same = |known: &&Attachment| {
            let sizes = file.size == 0 || known.size == file.size;
            sizes && known.name == file.name && known.kind == file.kind
        };
        if matches!(file.source, AttachmentSource::Remote(_))
            && let Some(at) = own.iter().position(same)
        {
            *file = own.remove(at).clone();
        }
    }
    content
}

/// The core knows somebody else at the requester's place by their id alone.
fn lend_name(author: &mut Author, target: &Target) {
    if let (Author::Bystander { id, name }, Target::Requester { requester, .. }) = (author, target)
        && *id == requester.id
    {
        name.clone_from(&requester.name);
    }
}

#[cfg(test)]
mod tests {
    use deskbridge_contract::AttachmentKind;

    use super::*;

    /// T7: an edit names the files again, and each that is in our keeping stays there; others are new.
    #[test]
    fn t7_an_edit_keeps_the_files_that_were_copied() {
        let file = |name: &str, size: u64, source: AttachmentSource| Attachment {
            name: name.into(),
            mime: "text/plain".into(),
            size,
            kind: AttachmentKind::File,
            source,
        };
        let remote = || AttachmentSource::Remote("r".into());
        let blob = |id: &str| AttachmentSource::Blob { id: id.into(), sha256: String::new() };
        let with = |attachments: Vec<Attachment>| Content { attachments, ..Content::text("words") };
        let missing = file("gone", 3, AttachmentSource::Missing { why: "away".into() });
        let stored = with(vec![file("a", 3, blob("1")), file("a", 3, blob("2")), missing]);
        let said = with(vec![
            file("a", 0, remote()),
            file("a", 3, remote()),
            file("a", 3, remote()),
            file("gone", 3, remote()),
            file("b", 3, remote()),
        ]);
        let kept = keeping(&said, Some(&stored));
        let sources: Vec<AttachmentSource> = kept.attachments.into_iter().map(|file| file.source).collect();
        assert_eq!(sources, [blob("1"), blob("2"), remote(), remote(), remote()]);
        let other = with(vec![file("a", 4, remote())]);
        assert_eq!(keeping(&other, Some(&stored)), other, "another file of that name");
        assert_eq!(keeping(&said, None), said);
    }
}
