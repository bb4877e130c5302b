//! Which section of an article is shown next, and how.
//! Not here: which article (`answer.rs`) and the wording around it (`phrases.rs`).

use std::sync::Arc;

use super::article::{Article, Chunk, Role};
use super::phrases::Phrases;
use super::stretch::Stretch;

/// A section other than the first is chosen when it scores this much better.
const BETTER_SECTION: f32 = 1.1;

/// After an answer that did not help, another ordinary section of the article must have this much of the
/// latest words.
const OWN_SECTION: f32 = 0.2;

const MAX_INTRO_CHARS: usize = 400;
const MAX_SECTION_CHARS: usize = 2_800;

/// Why the next section is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    Question,
    SecondTry,
}

/// Sections in the order in which they are worth showing.
pub(super) fn in_order<'h>(
    article: &'h Article,
    own: &[(Arc<Chunk>, f32)],
    stretch: &Stretch<'_>,
    attempt: Attempt,
) -> Vec<&'h Arc<Chunk>> {
    let score = |chunk: &Chunk| {
        own.iter().find(|(other, _)| other.anchor == chunk.anchor).map_or(0.0, |(_, score)| *score)
    };
    let (main, fallback): (Vec<_>, Vec<_>) =
        article.chunks.iter().partition(|chunk| chunk.role == Role::Main);
    let can_act = main.iter().any(|chunk| chunk.has_steps());
    let mut main: Vec<_> = main.into_iter().filter(|chunk| chunk.has_steps() || !can_act).collect();
    if stretch.was_article_used(&article.id) {
        // Another ordinary section only when its own words were asked for; otherwise the second try is next.
        let shown =
            main.iter().filter(|chunk| stretch.was_used(chunk)).map(|chunk| score(chunk)).fold(0.0, f32::max);
        let floor = match attempt {
            Attempt::Question => 0.0,
            Attempt::SecondTry => OWN_SECTION,
        };
        main.retain(|chunk| score(chunk) > floor.max(BETTER_SECTION * shown));
        main.sort_by(|a, b| score(b).total_cmp(&score(a)));
    } else {
        let base = main.first().map_or(0.0, |chunk| score(chunk));
        let best =
            main.iter().copied().reduce(|best, next| if score(next) > score(best) { next } else { best });
        let chosen = best.filter(|best| score(best) > BETTER_SECTION * base).or(main.first().copied());
        main = chosen.into_iter().collect();
    }
    main.extend(fallback);
    main
}

/// A section as an answer: what it is for, the steps, the source, and the question whether it helped.
pub(super) fn answer(
    phrases: &Phrases,
    article: &Article,
    chunk: &Chunk,
    is_first: bool,
    attempt: Attempt,
) -> String {
    let mut parts = Vec::new();
    if attempt == Attempt::SecondTry {
        parts.push(phrases.next_try.to_owned());
    }
    if is_first {
        parts.extend(intro(article, chunk));
    }
    if let (Role::Main, Some(heading)) = (chunk.role, chunk.heading.last()) {
        parts.push(format!("**{}**", escaped(heading)));
    }
    parts.push(chunk.to_markdown(MAX_SECTION_CHARS));
    parts.push(source(phrases, article));
    parts.push(phrases.did_this_help.to_owned());
    parts.join("\n\n")
}

/// A section as first advice on a policy topic: what can be done safely until a technician is there.
pub(super) fn advice(phrases: &Phrases, article: &Article, chunk: &Chunk) -> String {
    let mut parts: Vec<String> = intro(article, chunk).into_iter().collect();
    parts.push(chunk.to_markdown(MAX_SECTION_CHARS));
    parts.push(source(phrases, article));
    parts.join("\n\n")
}

fn source(phrases: &Phrases, article: &Article) -> String {
    format!("{}: *{}*", phrases.source, escaped(&article.title))
}

/// The text before the first heading, when it is short and something else follows.
fn intro(article: &Article, chunk: &Chunk) -> Option<String> {
    let first =
        article.chunks.first().filter(|first| first.anchor.is_empty() && first.anchor != chunk.anchor)?;
    let text = first.to_markdown(MAX_INTRO_CHARS + 1);
    (!first.has_steps() && text.chars().count() <= MAX_INTRO_CHARS).then_some(text)
}

/// Plain text inside CommonMark.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\`*_[]<>#|~".contains(c) {
            out.push('\\');
        }
        out.push(if c.is_control() { ' ' } else { c });
    }
    out
}
