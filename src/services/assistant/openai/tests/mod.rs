//! The engine against a scripted server over sockets, and against a scripted wire with a clock that the test moves.

mod injection;
mod judged;
mod over_sockets;
mod paused;
mod prompts;
mod reworded;

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use deskbridge_conversation::ConversationId;
use deskbridge_platforms::openai::FakeOpenAi;
use secrecy::SecretString;

use super::*;
use crate::assistant::{Budget, Line};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knowledge")
}

fn base() -> Arc<KnowledgeBase> {
    static BASE: LazyLock<Arc<KnowledgeBase>> = LazyLock::new(|| Arc::new(KnowledgeBase::open(folder()).0));
    Arc::clone(&BASE)
}

/// What a requester asks when the test is not about that.
const QUESTION: &str = "VPN error 691 after I changed my password";

fn request(said: &str) -> Request {
    Request {
        conversation: ConversationId(1042),
        turn: 1,
        language: "en".to_owned(),
        requester: "Ana".to_owned(),
        account: "telegram:77".into(),
        lines: vec![line(Speaker::Requester, said)],
        cited: Vec::new(),
    }
}

fn line(by: Speaker, text: &str) -> Line {
    Line { by, name: "Ana".to_owned(), text: text.to_owned(), files: Vec::new() }
}

/// Short enough that no test waits, long enough for a busy machine where a wait is not the point.
fn quick() -> Patience {
    Patience {
        connect: Duration::from_secs(2),
        first_token: Duration::from_secs(5),
        idle: Duration::from_secs(5),
        total: Duration::from_secs(8),
        backoff: Duration::from_millis(1),
        max_backoff: Duration::from_millis(2),
        ..Patience::default()
    }
}

fn settings(fake: &FakeOpenAi) -> OpenAiSettings {
    let mut settings = OpenAiSettings::new(fake.base_url(), "fake-small");
    settings.patience = quick();
    settings.with_key(SecretString::from(fake.key()))
}

/// As the program does at its start.
fn install_provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn engine(settings: OpenAiSettings) -> OpenAiEngine {
    install_provider();
    OpenAiEngine::new(settings, base()).expect("settings")
}

/// Everything that was shown on the way.
#[derive(Default)]
struct Watched(Mutex<Vec<String>>);

impl Progress for Watched {
    fn so_far(&self, text: &str) {
        self.0.lock().expect("not poisoned").push(text.to_owned());
    }
}

impl Watched {
    fn texts(&self) -> Vec<String> {
        self.0.lock().expect("not poisoned").clone()
    }
}

fn text(reply: &Reply) -> &str {
    reply.content.as_ref().map(|content| content.text.as_str()).unwrap_or_default()
}

fn failed(reply: &Reply) -> Option<&str> {
    match &reply.answer {
        Answer::Failed { why } => Some(why),
        Answer::Said { .. } | Answer::AskedBack { .. } | Answer::HandOver { .. } => None,
    }
}
