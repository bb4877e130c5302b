//! Several files sent at once, as one message each: joined, kept whole, never lost, never twice.
//!
//! Not here: how a platform tells that they belong together.

use std::time::Duration;

use deskbridge_contract::{Album, Attachment, AttachmentKind, AttachmentSource, Content, RemoteFileId};
use deskbridge_conversation::ConversationId;

use super::events::*;
use super::rig::{Fresh, Rig, remote};
use crate::*;

const FIRST: ConversationId = ConversationId(1);

fn part(file: &str, words: &str) -> Apply {
    let attachment = Attachment {
        name: file.to_owned(),
        mime: "image/jpeg".to_owned(),
        size: 3,
        kind: AttachmentKind::Image,
        source: AttachmentSource::Remote(RemoteFileId::new(file)),
    };
    let content = Content {
        text: words.to_owned(),
        attachments: vec![attachment],
        album: Some(Album::part_of("77")),
        ..Content::default()
    };
    Apply { content: Some(content), ..posted(1, file, words) }
}

async fn messages(rig: &Rig) -> Vec<(String, Vec<String>)> {
    let rows = rig.read.messages(FIRST, 0, false, 100).await.unwrap();
    let files = |content: &Content| content.attachments.iter().map(|file| file.name.clone()).collect();
    rows.iter()
        .filter(|row| !row.content.attachments.is_empty())
        .map(|row| (row.content.text.clone(), files(&row.content)))
        .collect()
}

fn shown(text: &str, files: &[&str]) -> (String, Vec<String>) {
    (text.to_owned(), files.iter().map(|file| (*file).to_owned()).collect())
}

pub(super) async fn parts_join_the_first(place: Fresh) {
    let rig = Rig::start(&place).await;
    // Together, in one batch or several; each twice.
    let parts = [part("a", "look"), part("b", ""), part("c", "")];
    for each in &parts {
        assert!(matches!(rig.writer.apply(each.clone()).await, Ok(Applied::Done { .. })));
    }
    for each in &parts {
        assert!(matches!(rig.writer.apply(each.clone()).await, Ok(Applied::Duplicate)));
    }
    assert_eq!(messages(&rig).await, [shown("look", &["a", "b", "c"])]);
    let conversation = rig.state(FIRST).await;
    let links = rig.read.links(FIRST, conversation.sessions[0].id, None).await.unwrap();
    assert!(links.is_empty(), "only cards have links without a message");
    // An edit of any part changes the words and keeps the files.
    let mut edit = edited(1, "e1", "b", "");
    edit.content = part("b", "look here").content;
    rig.done(edit).await;
    assert_eq!(messages(&rig).await, [shown("look here", &["a", "b", "c"])]);
    rig.end().await;
}

pub(super) async fn late_parts_are_messages(place: Fresh) {
    let rig = Rig::start(&place).await;
    rig.done(part("a", "look")).await;
    // After another run of the program, too.
    rig.end().await;
    let rig = Rig::start(&place).await;
    rig.done(part("b", "")).await;
    rig.advance(Duration::from_secs(2));
    rig.done(part("c", "")).await;
    rig.done(part("d", "")).await;
    rig.done(part("e", "and this says something")).await;
    assert_eq!(
        messages(&rig).await,
        [shown("look", &["a", "b"]), shown("", &["c", "d"]), shown("and this says something", &["e"])]
    );
    let hit = rig.state(FIRST).await.sessions[0].clone();
    let rows = rig.read.messages(FIRST, 0, false, 100).await.unwrap();
    let links = rig.read.links(FIRST, hit.id, Some(rows[0].id)).await.unwrap();
    assert!(links.iter().any(|link| link.remote == remote("b")), "{links:?}");
    rig.end().await;
}
