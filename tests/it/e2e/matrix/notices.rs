//! A flow of Workflows in the matrix: a team's channel is told, and the technician answers in the console.
//!
//! Not here: the conversation, what a flow refuses (`teams`).

use async_trait::async_trait;
use deskbridge_platforms::teams::{FakeTeams, Settings};

use super::super::bridge::Bridge;
use super::console::Console;
use super::{Desk, Said};

pub struct Notices {
    console: Console,
    fake: FakeTeams,
}

impl Notices {
    pub async fn open() -> Notices {
        let fake = FakeTeams::start(Settings::default()).await.expect("started");
        Notices { console: Console::default(), fake }
    }
}

#[async_trait(?Send)]
impl Desk for Notices {
    fn section(&self) -> String {
        let flow = self.fake.flow_url();
        format!(
            "[channels.notices]\nadapter = \"teams-webhook\"\nwebhook_url = \"{flow}\"\nwebhook_hosts = [\"127.0.0.1\"]\n"
        )
    }

    fn desk(&self) -> String {
        "[channels.notices.desk]\nroom = \"it-notices\"\nreply_mode = \"alerts\"\n".into()
    }

    fn identity(&self) -> Option<String> {
        self.console.identity()
    }

    async fn prepare(&self, bridge: &Bridge) {
        self.console.prepare(bridge).await;
    }

    async fn connect(&self, bridge: &Bridge) {
        self.console.connect(bridge).await;
    }

    async fn accepts(&self) -> bool {
        self.console.accepts().await
    }

    async fn says(&self, text: &str) -> Said {
        self.console.says(text).await
    }

    async fn corrects(&self, said: &Said, text: &str) {
        self.console.corrects(said, text).await;
    }

    async fn attaches(&self, text: &str) -> Vec<u8> {
        self.console.attaches(text).await
    }

    async fn resolves(&self) {
        self.console.resolves().await;
    }

    async fn shown(&self) -> Vec<String> {
        self.console.shown().await
    }

    async fn files(&self) -> Vec<Vec<u8>> {
        self.console.files().await
    }

    fn notices(&self) -> Option<Vec<String>> {
        Some(self.fake.notices())
    }

    fn violations(&self) -> Vec<String> {
        self.fake.read(|world| world.violations.clone())
    }
}
