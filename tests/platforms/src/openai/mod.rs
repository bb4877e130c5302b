//! A fake OpenAI-compatible server: chat completions (whole and streamed), models, embeddings; answers by script.
//! Written from the vendor's reference and from how compatible servers differ; it knows nothing and thinks nothing.

mod body;
mod drive;
mod ledger;
mod script;
mod serve;
mod stream;

pub use drive::{FakeOpenAi, TimedOut};
pub use ledger::Asked;
pub use script::{Answer, Reply, ToolCall, Usage};
