//! Retrieval over a folder of Markdown articles, in memory, and what the built-in assistant says with it.
//! Not here: SQL, network, and the trait that the assistant's engines share (`assistant/`).

mod article;
mod front_matter;
mod index;
mod markdown;
mod search;
mod sources;
mod words;

#[cfg(test)]
mod retrieval_tests;

pub use article::{Article, ArticleId, Block, Chunk, Policy, Role};
pub use index::Field;
pub use search::{Hit, Knowledge, KnowledgeBase, Matched, MatchedBy};
pub use sources::{Limits, LoadFault, LoadProblem, read_folder};
