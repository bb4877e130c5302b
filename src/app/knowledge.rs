//! Keeps the articles that the assistant answers from as they are in their folder, while the program runs.
//!
//! Not here: reading and comparing them (`deskbridge_services::knowledge`), `deskbridge kb`.

use std::time::Duration;

use deskbridge_services::knowledge::{KnowledgeBase, Reloaded};

use super::Running;

/// A look costs one stat per file, and no reading.
const LOOK: Duration = Duration::from_secs(5);

/// Until the bridge stops: SIGHUP reads the folder at once; a folder that looks different is read within [`LOOK`].
pub(super) fn keep_current(running: &Running) {
    let (knowledge, stop) = (running.knowledge.clone(), running.bridge.stop.clone());
    running.bridge.tasks.spawn(async move {
        let mut told = Hangups::listen();
        loop {
            let asked = tokio::select! {
                () = stop.cancelled() => return,
                () = told.next() => true,
                () = tokio::time::sleep(LOOK) => false,
            };
            let base = knowledge.clone();
            let read = move || if asked { Some(base.reload()) } else { base.reload_if_changed() };
            match tokio::task::spawn_blocking(read).await {
                Ok(Some(reloaded)) => say(&knowledge, &reloaded),
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "knowledge: the articles could not be read again"),
            }
        }
    });
}

fn say(knowledge: &KnowledgeBase, reloaded: &Reloaded) {
    let changes = &reloaded.changes;
    tracing::info!(
        folder = %knowledge.folder().display(),
        articles = reloaded.articles,
        added = changes.added.len(),
        changed = changes.changed.len(),
        removed = changes.removed.len(),
        faulty = reloaded.problems.len(),
        "knowledge: read again"
    );
    for problem in &reloaded.problems {
        tracing::warn!(%problem, "knowledge: an article is faulty");
    }
}

/// SIGHUP, where there is such a thing.
struct Hangups {
    #[cfg(unix)]
    signals: Option<tokio::signal::unix::Signal>,
}

impl Hangups {
    #[cfg(unix)]
    fn listen() -> Hangups {
        let signals = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup());
        Hangups { signals: signals.ok() }
    }

    #[cfg(not(unix))]
    fn listen() -> Hangups {
        Hangups {}
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        let told = match &mut self.signals {
            Some(signals) => signals.recv().await,
            None => None,
        };
        if told.is_none() {
            std::future::pending().await
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        std::future::pending().await
    }
}
