//! The widget in the matrix: a visitor of the portal.
//!
//! Not here: the conversation.

use async_trait::async_trait;
use serde_json::json;
use tokio::sync::Mutex;

use super::super::bridge::Bridge;
use super::super::widget::visitor::{ORIGIN, Visitor};
use super::{Requester, Said};

#[derive(Default)]
pub struct Widget(Mutex<Option<Visitor>>);

impl Widget {
    /// What the bridge shows, after whatever has come until now.
    async fn said(&self) -> Vec<(String, Vec<String>)> {
        let mut visitor = self.0.lock().await;
        let visitor = visitor.as_mut().expect("connected");
        visitor.catch_up().await;
        let all = visitor.said().into_iter().filter(|one| one.from != "me");
        all.map(|one| (one.text, one.files)).collect()
    }
}

#[async_trait(?Send)]
impl Requester for Widget {
    fn section(&self) -> String {
        format!(
            "[channels.widget]\nadapter = \"widget\"\norigins = [\"{ORIGIN}\"]\nmessages_per_minute = 600\n"
        )
    }

    async fn connect(&self, bridge: &Bridge) {
        *self.0.lock().await = Some(Visitor::arrive(bridge.port).await);
    }

    async fn says(&self, text: &str) -> Said {
        self.0.lock().await.as_mut().expect("connected").say(text).await.id
    }

    async fn corrects(&self, said: &Said, text: &str) {
        let edit = json!({ "t": "edit", "message": said, "text": text });
        self.0.lock().await.as_mut().expect("connected").act(edit).await;
    }

    async fn attaches(&self, text: &str) -> Vec<u8> {
        let log = b"the log of a printer\n".repeat(2_000);
        let mut visitor = self.0.lock().await;
        let visitor = visitor.as_mut().expect("connected");
        let file = visitor.upload("error.txt", "text/plain", log.clone()).await;
        visitor.act(json!({ "t": "send", "text": text, "files": [file] })).await;
        log
    }

    async fn shown(&self) -> Vec<String> {
        self.said().await.into_iter().map(|(text, _)| text).collect()
    }

    async fn files(&self) -> Vec<Vec<u8>> {
        let urls: Vec<String> = self.said().await.into_iter().flat_map(|(_, files)| files).collect();
        let mut files = Vec::new();
        for url in urls {
            files.push(self.0.lock().await.as_ref().expect("connected").download(&url).await);
        }
        files
    }

    fn violations(&self) -> Vec<String> {
        Vec::new()
    }
}
