//! A draft for a technician: the next section of the article that fits, with its source.
//!
//! Not here: sending it. Drafts are drafts (A7).

use deskbridge_contract::Content;

use super::stretch::Stretch;
use super::words::words;
use super::{Request, Speaker};
use crate::knowledge::{By, Chunk, Decision, Knowledge, decide};

/// Below this score an article is no help; the same bar as for answers to requesters.
pub(super) const GOOD: f32 = 0.36;
const MAX_CHARS: usize = 2_800;

/// `None` when no article fits.
pub(super) fn draft(request: &Request, knowledge: &Knowledge) -> Option<Content> {
    let (title, chunk) = next_section(request, knowledge)?;
    let source = words(&request.language).source;
    let text = format!("{}\n\n{source}: *{title}*", chunk.to_markdown(MAX_CHARS));
    Some(Content::text(text))
}

/// Title and section that are worth trying next, for what the requester said last.
pub(super) fn next_section(request: &Request, knowledge: &Knowledge) -> Option<(String, Chunk)> {
    let Stretch { mut turns, left } = Stretch::read(knowledge, request);
    // What technicians said is no question, and what comes after the requester's last word answered it.
    turns.retain(|turn| turn.by != By::Technician);
    turns.truncate(turns.iter().rposition(|turn| turn.by == By::Requester)? + 1);
    let decision = decide(knowledge, &turns, &left, &request.language);
    let cites = match decision {
        Decision::Answer { cites, .. } | Decision::Handover { cites, .. } => cites,
        Decision::AskBack { options, .. } => {
            return options.iter().find_map(|(id, _)| section(knowledge, id.as_str(), None));
        }
        Decision::SmallTalk { .. } => Vec::new(),
    };
    if let Some(cite) = cites.first() {
        return section(knowledge, cite.slug.as_str(), Some(&cite.anchor));
    }
    // The last word named nothing ("hello?"): all that was said may.
    let said: Vec<&str> = request
        .lines
        .iter()
        .filter(|line| line.by == Speaker::Requester)
        .map(|line| line.text.as_str())
        .collect();
    let hit = knowledge.search(&said.join("\n"), 1).into_iter().next().filter(|hit| hit.score >= GOOD)?;
    let was_used = request.cited.iter().any(|cite| cite.split('#').next() == Some(hit.article.id.as_str()));
    if was_used { None } else { section(knowledge, hit.article.id.as_str(), None) }
}

/// The named section, or the first with steps.
fn section(knowledge: &Knowledge, slug: &str, anchor: Option<&str>) -> Option<(String, Chunk)> {
    let article = knowledge.article(slug)?;
    let named = anchor.and_then(|anchor| article.chunks.iter().find(|chunk| chunk.anchor.as_str() == anchor));
    let chunk =
        named.or_else(|| article.chunks.iter().find(|chunk| chunk.has_steps())).or(article.chunks.first())?;
    Some((plain_title(&article.title), Chunk::clone(chunk)))
}

fn plain_title(title: &str) -> String {
    deskbridge_conversation::notices::plain(title)
}
