//! The engine over any OpenAI-compatible endpoint (A1): one turn is a few calls of the model and one visible text.
//!
//! Not here: what answers when this one fails (`fallback.rs`), what the model may do (`tools.rs`), how its text is made
//! safe to show (`guard/`).

mod breaker;
mod call;
mod chunk;
mod failure;
mod prompt;
mod reword;
mod settings;
mod sse;
#[cfg(test)]
mod tests;
mod wire;

use std::fmt;
use std::sync::Arc;

use async_openai::types::chat::CreateChatCompletionRequest;
use async_trait::async_trait;
use deskbridge_contract::{Content, Timestamp};
use deskbridge_conversation::{Answer, HandoverReason, TechnicianId};
use tokio::time::{Instant, timeout_at};

use super::budget::{Purse, Spent};
use super::sources::Sources;
use super::stretch::{has_only_files, latest};
use super::tools::{Bench, Bind, NoTools, Outcome};
use super::words::{connect, human, words};
use super::{Assistant, Draft, Progress, Reply, Request, Speaker, guard, knowledge, summary};
use crate::knowledge::{Knowledge, KnowledgeBase};
use breaker::Breaker;
use chunk::{Finish, Partial};
use failure::Failure;
use prompt::Offer;
pub use settings::{OpenAiSettings, Patience, SettingsError};
use wire::{Http, Wire};

/// Rounds of tool calls in one turn (S100).
const TOOL_STEPS: usize = 4;
/// Articles that a model is given before it asks for any.
const GIVEN: usize = 3;
/// Bytes of new text after which watchers are told again; of a long text, an eighth.
const TELL_AFTER: usize = 48;

/// Now, for the budget's days; as in the store.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Answers with a model. Put a [`super::KnowledgeEngine`] behind it with [`super::FallbackEngine`].
pub struct OpenAiEngine {
    settings: OpenAiSettings,
    wire: Box<dyn Wire>,
    base: Arc<KnowledgeBase>,
    bind: Bind,
    clock: Clock,
    breaker: Breaker,
    purse: Purse,
}

impl fmt::Debug for OpenAiEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAiEngine").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// What a turn came to, before it is dressed as a reply.
enum Said {
    Text {
        text: String,
        cites: Vec<String>,
    },
    /// A tool call; with what was said along with it.
    HandOver {
        text: String,
    },
}

impl OpenAiEngine {
    /// Makes no connection. The process must have installed rustls' provider.
    pub fn new(settings: OpenAiSettings, base: Arc<KnowledgeBase>) -> Result<Self, SettingsError> {
        let wire = Box::new(Http::new(&settings)?);
        if settings.model.trim().is_empty() {
            return Err(SettingsError::Model);
        }
        Ok(Self::over(wire, settings, base))
    }

    fn over(wire: Box<dyn Wire>, settings: OpenAiSettings, base: Arc<KnowledgeBase>) -> Self {
        let purse = Purse::new(settings.budget);
        let bind: Bind = Arc::new(|_| Arc::new(NoTools));
        let clock: Clock = Arc::new(|| Timestamp(jiff::Timestamp::now().as_microsecond()));
        OpenAiEngine { settings, wire, base, bind, clock, breaker: Breaker::default(), purse }
    }

    /// Lends tools of the host to each request.
    pub fn with_tools(mut self, bind: Bind) -> Self {
        self.bind = bind;
        self
    }

    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// One call of the model, paid for and counted.
    async fn ask(
        &self,
        request: &Request,
        asked: &CreateChatCompletionRequest,
        deadline: Instant,
        so_far: call::SoFar<'_>,
    ) -> Result<Partial, Failure> {
        self.purse.take(request.account.as_str(), (self.clock)()).map_err(|spent| match spent {
            Spent::Requester => Failure::ours("the requester's budget of today is used up"),
            Spent::Day => Failure::ours("today's budget is used up"),
        })?;
        let partial = call::complete(&*self.wire, asked, &self.settings.patience, deadline, so_far).await?;
        match partial.finish {
            Some(Finish::Filtered) => Err(Failure::ours("the answer was filtered")),
            Some(Finish::Stop | Finish::Length) => Ok(partial),
            None => Err(Failure::last("the answer is not complete")),
        }
    }

    /// Runs `work` when the circuit is closed and tells the circuit what came of it.
    async fn guarded<T>(
        &self,
        deadline: Instant,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        if !self.breaker.allows(Instant::now()) {
            return Err(Failure::ours("the model failed too often; it is left alone for a while"));
        }
        let done = timeout_at(deadline, work).await;
        let done = done.unwrap_or_else(|_| Err(Failure::last("the turn took too long")));
        match &done {
            Ok(_) => self.breaker.succeeded(),
            Err(failure) if failure.model => self.breaker.failed(Instant::now()),
            Err(_) => {}
        }
        done
    }

    /// A turn: the model is asked, its calls are carried out, at most [`TOOL_STEPS`] times.
    async fn turn(
        &self,
        request: &Request,
        bench: &mut Bench<'_>,
        deadline: Instant,
        progress: &dyn Progress,
    ) -> Result<Said, Failure> {
        let said: Vec<&str> = latest(request)
            .iter()
            .filter(|line| line.by == Speaker::Requester)
            .map(|line| line.text.as_str())
            .collect();
        let articles = bench.sources.add(&bench.knowledge.search(&said.join("\n"), GIVEN));
        let rules = prompt::answer_rules(request, &articles);
        let mut asked = prompt::request(&self.settings.model, rules, prompt::talk(request));
        let mut offer = Offer::Tools;
        for step in 0..=TOOL_STEPS {
            prompt::offer(
                &mut asked,
                if step == TOOL_STEPS && offer == Offer::Tools { Offer::NoMore } else { offer },
            );
            let mut told = 0;
            let hosts = self.hosts(&bench.sources);
            let mut so_far = |text: &str| self.tell(progress, text, &hosts, &mut told);
            let partial = match self.ask(request, &asked, deadline, &mut so_far).await {
                // A model without tools can still answer; people are a button away.
                Err(failure) if failure.tools && offer == Offer::Tools => {
                    tracing::warn!(why = %failure.why, "the model is asked without tools");
                    offer = Offer::Nothing;
                    continue;
                }
                other => other?,
            };
            // Calls that were cut off at the limit are not whole.
            if partial.calls.is_empty() || partial.finish == Some(Finish::Length) {
                return self.finished(&partial, bench);
            }
            let mut results = Vec::new();
            for proposed in &partial.calls {
                match bench.call(&proposed.name, &proposed.arguments).await {
                    Outcome::HandOver => return Ok(Said::HandOver { text: partial.text }),
                    Outcome::Data(data) => results.push(data),
                }
            }
            asked.messages.extend(prompt::called(&partial.calls, results));
        }
        Err(Failure::last("the model calls tools without end"))
    }

    fn finished(&self, partial: &Partial, bench: &Bench<'_>) -> Result<Said, Failure> {
        let text = match partial.finish {
            Some(Finish::Length) if !partial.text.trim().is_empty() => guard::last_sentence(&partial.text),
            _ => partial.text.trim().to_owned(),
        };
        if text.is_empty() {
            return Err(Failure::last("an empty answer"));
        }
        let (text, cited) = bench.sources.cited(&text, bench.knowledge);
        let source = bench.sources.line(&cited, bench.words);
        let mut text = guard::clean(&text, &self.hosts(&bench.sources), self.settings.max_answer);
        if text.is_empty() {
            return Err(Failure::last("an answer without words"));
        }
        if guard::claims_an_act(&text) {
            text = format!("{text}\n\n{}", bench.words.nobody_called);
        }
        text.push_str(&source);
        Ok(Said::Text { text, cites: bench.sources.keys(&cited) })
    }

    fn hosts(&self, sources: &Sources) -> guard::Hosts {
        let named = self.settings.link_hosts.iter().map(|host| host.trim().to_lowercase());
        named.chain(sources.hosts.iter().cloned()).collect()
    }

    /// Shows whole words only, as safe as the answer itself will be.
    fn tell(&self, progress: &dyn Progress, text: &str, hosts: &guard::Hosts, told: &mut usize) {
        if text.len() < *told + TELL_AFTER.max(*told / 8) {
            return;
        }
        *told = text.len();
        let end = text.rfind(char::is_whitespace).unwrap_or(0);
        let shown = guard::clean(&text[..end], hosts, self.settings.max_answer);
        if !shown.is_empty() {
            progress.so_far(&shown);
        }
    }

    fn bench<'k>(&self, request: &Request, knowledge: &'k Knowledge) -> Bench<'k> {
        Bench {
            knowledge,
            words: words(&request.language),
            own: (self.bind)(request),
            sources: Sources::default(),
            log: Vec::new(),
        }
    }

    async fn answered(&self, request: &Request, bench: &mut Bench<'_>, progress: &dyn Progress) -> Reply {
        let language = &request.language;
        let deadline = Instant::now() + self.settings.patience.total;
        let turn = self.turn(request, bench, deadline, progress);
        match self.guarded(deadline, turn).await {
            Ok(Said::Text { text, cites }) => {
                let content = Content::text(text).with_actions(human(language));
                Reply { answer: Answer::Said { cites }, content: Some(content) }
            }
            Ok(Said::HandOver { text }) => {
                let said = guard::clean(&text, &self.hosts(&bench.sources), self.settings.max_answer);
                let before = if said.is_empty() || guard::claims_an_act(&said) {
                    words(language).technician.to_owned()
                } else {
                    bench.sources.cited(&said, bench.knowledge).0
                };
                let content = Some(connect(&before, language));
                Reply { answer: Answer::HandOver { reason: HandoverReason::ToolCall }, content }
            }
            Err(failure) => Reply { answer: Answer::Failed { why: failure.why }, content: None },
        }
    }

    async fn summary(&self, request: &Request) -> Result<String, Failure> {
        let deadline = Instant::now() + self.settings.patience.summary;
        let talk = vec![prompt::transcript(request)];
        let asked = prompt::request(&self.settings.model, prompt::summary_rules(), talk);
        let mut unseen = |_: &str| ();
        let work = self.ask(request, &asked, deadline, &mut unseen);
        let partial = self.guarded(deadline, work).await?;
        let text = summary::redact::secrets(&partial.text);
        let text = guard::clean(&text, &guard::Hosts::default(), self.settings.max_answer);
        match partial.finish {
            Some(Finish::Stop) if summary::has_all_parts(&text) => Ok(text),
            _ => Err(Failure::ours("the model's summary has not all parts")),
        }
    }

    async fn draft(&self, request: &Request, knowledge: &Knowledge) -> Result<String, Failure> {
        let said = request.lines.iter().filter(|line| line.by == Speaker::Requester).map(|line| &*line.text);
        let mut bench = self.bench(request, knowledge);
        let articles = bench.sources.add(&knowledge.search(&said.collect::<Vec<_>>().join("\n"), GIVEN));
        let rules = prompt::draft_rules(request, &articles);
        let asked = prompt::request(&self.settings.model, rules, vec![prompt::transcript(request)]);
        let deadline = Instant::now() + self.settings.patience.draft;
        let mut unseen = |_: &str| ();
        let work = self.ask(request, &asked, deadline, &mut unseen);
        let partial = self.guarded(deadline, work).await?;
        match self.finished(&Partial { calls: Vec::new(), ..partial }, &bench)? {
            Said::Text { text, .. } | Said::HandOver { text } => Ok(text),
        }
    }
}

#[async_trait]
impl Assistant for OpenAiEngine {
    async fn answer(&self, request: &Request, progress: &dyn Progress) -> Reply {
        if has_only_files(request) {
            return knowledge::only_files(request);
        }
        // Asked before anything is sent; the calls of a turn are then paid one by one.
        if self.purse.is_empty_for(request.account.as_str(), (self.clock)()) {
            let content = Some(connect(words(&request.language).enough, &request.language));
            return Reply { answer: Answer::HandOver { reason: HandoverReason::MaxTurns }, content };
        }
        let knowledge = self.base.current();
        let mut bench = self.bench(request, &knowledge);
        self.answered(request, &mut bench, progress).await
    }

    async fn summarise(&self, request: &Request) -> String {
        match self.summary(request).await {
            Ok(text) => text,
            Err(failure) => {
                tracing::info!(conversation = %request.conversation, why = %failure.why, "the summary is made from the transcript");
                summary::of(request, &self.base.current())
            }
        }
    }

    async fn suggest(&self, request: &Request, _to: &TechnicianId) -> Option<Content> {
        if !request.lines.iter().any(|line| line.by == Speaker::Requester && !line.text.trim().is_empty()) {
            return None;
        }
        match self.draft(request, &self.base.current()).await {
            Ok(text) => Some(Content::text(text)),
            Err(failure) => {
                tracing::info!(conversation = %request.conversation, why = %failure.why, "no draft by the model");
                None
            }
        }
    }

    fn sends_words_to(&self) -> Option<String> {
        Some(self.settings.host().to_owned())
    }

    fn rewrites(&self) -> bool {
        true
    }

    async fn rewrite(&self, draft: &Draft) -> Result<String, String> {
        self.reworded(draft).await.map_err(|failure| {
            tracing::info!(conversation = %draft.conversation, why = %failure.why, "a draft was not reworded");
            failure.why
        })
    }
}
