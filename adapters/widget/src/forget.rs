//! Forgetting a visitor: journals, uploads, sessions, what was known of them; their pages begin anew.
//!
//! Not here: what the host stored of them.

use std::sync::PoisonError;

use deskbridge_contract::{Address, BlobId, ChannelName, Shelf, ShelfError};

use crate::Widget;
use crate::ids::{ThreadKey, Visitor, is_file};
use crate::journal::{self, Meta};
use crate::people::read;

impl Widget {
    /// Everything that a visitor began, and what came along when they signed in.
    async fn threads_of(&self, shelf: &Shelf, visitor: &Visitor) -> Result<Vec<ThreadKey>, ShelfError> {
        let keys = shelf.find("c:", &visitor.0).await?;
        Ok(keys.iter().filter_map(|key| ThreadKey::parse(key.strip_prefix("c:")?)).collect())
    }

    pub(crate) async fn addresses_of(
        &self,
        shelf: &Shelf,
        channel: &ChannelName,
        visitor: &Visitor,
    ) -> Result<Vec<Address>, ShelfError> {
        let mut addresses = Vec::new();
        for key in self.threads_of(shelf, visitor).await? {
            if let Some(meta) = read::<Meta>(shelf, &format!("c:{}", key.0)).await? {
                addresses.push(key.address(channel, &meta.room));
            }
        }
        Ok(addresses)
    }

    async fn all_threads(
        &self,
        shelf: &Shelf,
        visitor: &Visitor,
        at: &[Address],
    ) -> Result<Vec<ThreadKey>, ShelfError> {
        let mut threads = self.threads_of(shelf, visitor).await?;
        threads.extend(at.iter().filter_map(ThreadKey::of));
        threads.sort();
        threads.dedup();
        Ok(threads)
    }

    /// The files of their journals, and those that were handed in and never sent.
    pub(crate) async fn handed_in_by(
        &self,
        shelf: &Shelf,
        visitor: &Visitor,
        at: &[Address],
    ) -> Result<Vec<BlobId>, ShelfError> {
        let mut files = Vec::new();
        for key in &self.all_threads(shelf, visitor, at).await? {
            if let Some(thread) = self.threads.hold(shelf, key).await?.as_ref() {
                files.extend(thread.files(shelf).await?);
            }
        }
        let uploads = shelf.find("f:", &visitor.0).await?;
        files.extend(uploads.iter().filter_map(|key| key.strip_prefix("f:").map(str::to_owned)));
        files.retain(|file| is_file(file));
        files.sort();
        files.dedup();
        Ok(files.into_iter().map(BlobId).collect())
    }

    pub(crate) async fn forget(
        &self,
        shelf: &Shelf,
        visitor: &Visitor,
        at: &[Address],
    ) -> Result<(), ShelfError> {
        let files = self.handed_in_by(shelf, visitor, at).await?;
        for key in &self.all_threads(shelf, visitor, at).await? {
            let mut held = self.threads.hold(shelf, key).await?;
            // The head last: as long as it is there, the rest is found again.
            shelf.delete(&journal::slots(key)).await?;
            shelf.delete(&[format!("c:{}", key.0)]).await?;
            *held = None;
        }
        let mut keys: Vec<String> = files.iter().map(|file| format!("f:{}", file.as_str())).collect();
        keys.extend(shelf.find("s:", &visitor.0).await?);
        keys.push(format!("p:{}", visitor.0));
        shelf.delete(&keys).await?;
        self.people.forget(visitor);
        self.hub.cut_all(visitor);
        Ok(())
    }
}

impl crate::people::People {
    /// Whoever shows a token of theirs from now on is nobody known.
    fn forget(&self, visitor: &Visitor) {
        self.persons.lock().unwrap_or_else(PoisonError::into_inner).remove(visitor);
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, session| {
            let theirs = session.visitor == *visitor;
            if theirs {
                session.end_at_once();
            }
            !theirs
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use deskbridge_contract::{Adapter as _, RemoteUserId, Timestamp};

    use super::*;
    use crate::cards::{File, From, What};
    use crate::journal::Threads;
    use crate::testing::Broken;
    use crate::{Config, WidgetAdapter};

    fn said(words: &str, file: &str) -> What {
        What::Message {
            id: format!("m-{words}"),
            from: From::Me,
            name: None,
            body: Vec::new(),
            text: words.to_owned(),
            actions: Vec::new(),
            files: vec![File {
                id: file.to_owned(),
                name: "a.png".into(),
                mime: "image/png".into(),
                size: 3,
            }],
            reply_to: None,
        }
    }

    #[tokio::test]
    async fn nothing_of_a_visitor_stays_on_the_shelf_or_in_memory() {
        let (store, shelf) = Broken::shelf();
        let config = Config::from_value(serde_json::json!({ "origins": ["https://a.test"] })).ok().unwrap();
        let adapter = WidgetAdapter::new("widget".into(), config, Arc::new(|| Timestamp(5)));
        let widget = &adapter.0;
        let (theirs, other) =
            (Visitor(format!("v{}", "a".repeat(32))), Visitor(format!("v{}", "b".repeat(32))));
        let mut tokens = Vec::new();
        for (n, visitor) in [&theirs, &other].into_iter().enumerate() {
            let (token, session) =
                widget.people.open(&shelf, visitor.clone(), None, Timestamp(5)).await.unwrap().unwrap();
            tokens.push((token, session));
            let key = ThreadKey::parse(&format!("{n:032x}")).unwrap();
            let mut held = widget.threads.hold(&shelf, &key).await.unwrap();
            let mut thread = Threads::begin(&key, visitor, "VPN".into());
            thread.keep(&shelf).await.unwrap();
            thread.append(&shelf, said("canary", &"c".repeat(32)), Timestamp(6)).await.unwrap();
            *held = Some(thread);
            let change = |person: &mut crate::people::Person| {
                person.email = Some("canary@acme.test".into());
                person.threads.push(key.0.clone());
            };
            widget.people.change(&shelf, visitor, change).await.unwrap();
        }
        let before = store.len();
        let user = RemoteUserId(theirs.0.clone());
        let at = adapter.also_at(&shelf, &user).await.unwrap();
        assert_eq!((at.len(), at[0].room.as_str()), (1, theirs.0.as_str()));
        let files = adapter.handed_in(&shelf, &user, &at).await.unwrap();
        assert_eq!(files, [BlobId("c".repeat(32))]);
        assert_eq!(adapter.handed_in(&shelf, &user, &at).await.unwrap(), files, "until they are forgotten");
        assert!(adapter.forget(&shelf, &user, &at).await.unwrap().is_empty());
        assert!(adapter.handed_in(&shelf, &user, &at).await.unwrap().is_empty());
        assert!(!store.holds(&theirs.0), "the shelf still names them");
        assert_eq!(store.len(), before / 2, "the other visitor keeps everything");
        assert!(!tokens[0].1.holds(Timestamp(6)) && tokens[1].1.holds(Timestamp(6)));
        assert!(widget.people.find(&shelf, &tokens[0].0, Timestamp(6)).await.unwrap().is_none());
        let key = ThreadKey::parse(&format!("{:032x}", 0)).unwrap();
        assert!(widget.threads.hold(&shelf, &key).await.unwrap().is_none());
        assert_eq!(widget.people.person(&shelf, &theirs).await.unwrap(), crate::people::Person::default());
        assert!(adapter.forget(&shelf, &user, &at).await.unwrap().is_empty(), "once more does no harm");
    }
}
