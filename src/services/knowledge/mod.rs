//! Retrieval over a folder of Markdown articles, in memory, and what the built-in assistant says with it.
//! Not here: SQL, network, and the trait that the assistant's engines share (`assistant/`).

mod answer;
mod article;
mod decision;
mod front_matter;
mod index;
mod inventory;
mod lexicon;
mod markdown;
mod phrases;
mod search;
mod section;
mod sources;
mod stretch;
mod talk;
mod words;

#[cfg(test)]
mod answer_tests;
#[cfg(test)]
mod retrieval_tests;

pub use answer::decide;
pub use article::{Article, ArticleId, Block, Chunk, Policy, Role};
pub use decision::{Decision, HandoverHint};
pub use inventory::{Changes, Inventory};
pub use lexicon::Field;
pub use search::{Hit, Knowledge, KnowledgeBase, Matched, MatchedBy, Reloaded};
pub use sources::{Limits, LoadFault, LoadProblem, read_folder};
pub use stretch::{By, Citation, Turn};
pub use words::telling;
