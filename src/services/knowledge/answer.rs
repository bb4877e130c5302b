//! The decision of the built-in `knowledge` engine: what to reply to the latest words of a stretch. Pure and
//! total.
//! Not here: the engines' trait and storage (`assistant/`); what a message is (`talk.rs`); how a section is
//! shown (`section.rs`).

use std::sync::Arc;

use super::article::{Article, ArticleId, Chunk, Policy};
use super::decision::{Decision, HandoverHint};
use super::lexicon::Field;
use super::phrases::{Phrases, phrases};
use super::search::{Hit, Knowledge};
use super::section::{self, Attempt};
use super::stretch::{Citation, Pending, Stretch, Turn, first_with_steps};
use super::talk::{self, Choice, Said};

/// Below this score an article does not answer the question. Measured on `fixtures/queries.tsv`: it lets 96 % of
/// the answerable questions through and stops 88 % of the others; a wrong answer costs more than the offer of a
/// human.
pub(super) const GOOD: f32 = 0.36;

/// Two articles are close when the second has this share of the first one's score.
const CLOSE: f32 = 0.8;

/// After an answer that did not help, other articles are tried down to this share of the best score.
const RELATED: f32 = 0.6;

const MAX_OPTIONS: usize = 3;
const CONSIDERED: usize = 12;

/// Decides what to reply to the requester's latest words.
///
/// `turns` is the current stretch, oldest first. `already` are citation keys (or bare article names) used in
/// this stretch beyond those in `turns`. `language` is a tag such as `de`; unknown languages get English.
pub fn decide(knowledge: &Knowledge, turns: &[Turn], already: &[String], language: &str) -> Decision {
    let engine =
        Engine { knowledge, stretch: Stretch::read(knowledge, turns, already), phrases: phrases(language) };
    engine.decide()
}

struct Engine<'a> {
    knowledge: &'a Knowledge,
    stretch: Stretch<'a>,
    phrases: &'static Phrases,
}

impl Engine<'_> {
    fn decide(&self) -> Decision {
        let said = talk::said(&self.stretch.latest);
        if let Pending::Choice(options) = &self.stretch.pending
            && let Some(decision) = self.after_asking(options, said)
        {
            return decision;
        }
        let asks_whether_it_helped = matches!(self.stretch.pending, Pending::DidThisHelp);
        match said {
            Said::Nothing => self.tell_me_more(),
            Said::Greeting => self.small_talk(self.phrases.greeting),
            Said::Thanks => self.small_talk(self.phrases.glad),
            Said::Yes if asks_whether_it_helped => self.small_talk(self.phrases.glad),
            Said::No if asks_whether_it_helped => self.after_no_help(),
            Said::NotHelped if self.stretch.answered.is_some() => self.after_no_help(),
            Said::Yes | Said::No => self.tell_me_more(),
            Said::NotHelped | Said::Question => self.question(),
        }
    }

    fn small_talk(&self, wordings: [&'static str; 2]) -> Decision {
        Decision::SmallTalk { text: self.stretch.fresh(wordings).to_owned() }
    }

    fn tell_me_more(&self) -> Decision {
        self.small_talk(self.phrases.tell_me_more)
    }

    /// The answer to "which one is it?", or `None` when the message is something else.
    fn after_asking(&self, options: &[ArticleId], said: Said) -> Option<Decision> {
        match talk::choice(&self.stretch.latest, options.len()) {
            Choice::Number(number) => return options.get(number).map(|id| self.chosen(id)),
            Choice::Neither => {
                let hits = self.knowledge.search(&self.stretch.completed(), CONSIDERED);
                let mut others =
                    hits.iter().filter(|hit| hit.score >= GOOD && !options.contains(&hit.article.id));
                let other = others.find_map(|hit| self.settle(hit, Attempt::Question));
                return Some(other.unwrap_or_else(|| self.nothing()));
            }
            Choice::Unclear => {}
        }
        if said == Said::Yes {
            return Some(self.small_talk(self.phrases.pick_one));
        }
        let hits = self.knowledge.search(&self.stretch.latest, CONSIDERED);
        let top = hits.first()?;
        let next = hits.iter().filter(|hit| options.contains(&hit.article.id)).nth(1);
        let is_decided = next.is_none_or(|next| next.score < CLOSE * top.score);
        (options.contains(&top.article.id) && is_decided).then(|| self.chosen(&top.article.id))
    }

    fn chosen(&self, id: &ArticleId) -> Decision {
        let Some(hit) = self.hit_for(&self.stretch.completed(), id) else { return self.nothing() };
        self.settle(&hit, Attempt::Question).unwrap_or_else(|| self.exhausted())
    }

    /// The hit of one article, also when the words do not reach it.
    fn hit_for(&self, query: &str, id: &ArticleId) -> Option<Hit> {
        let hits = self.knowledge.search(query, usize::MAX);
        hits.into_iter().find(|hit| hit.article.id == *id).or_else(|| {
            let article = Arc::clone(self.knowledge.article(id.as_str())?);
            let chunk = Arc::clone(article.chunks.first()?);
            let sections = Vec::new();
            Some(Hit {
                article,
                chunk,
                score: 0.0,
                word_score: 0.0,
                trigram_score: 0.0,
                matched: Vec::new(),
                sections,
            })
        })
    }

    /// "That did not help": the same article's next section, then related articles, then a human.
    fn after_no_help(&self) -> Decision {
        let Some(current) = self.stretch.answered.clone() else { return self.question() };
        if self.is_new_topic(&current) {
            return self.question();
        }
        let query = self.stretch.completed();
        if let Some(hit) = self.hit_for(&query, &current)
            && let Some(decision) = self.settle(&hit, Attempt::SecondTry)
        {
            return decision;
        }
        let hits = self.knowledge.search(&query, CONSIDERED);
        let floor = hits.first().map_or(GOOD, |top| GOOD.max(RELATED * top.score));
        self.related(&hits, floor, Attempt::SecondTry).unwrap_or_else(|| self.exhausted())
    }

    /// "my printer does not work" after a VPN answer is a new question, not a complaint.
    fn is_new_topic(&self, current: &ArticleId) -> bool {
        let hits = self.knowledge.search(&self.stretch.latest, CONSIDERED);
        let Some(top) = hits.first() else { return false };
        let of_current = hits.iter().find(|hit| hit.article.id == *current).map_or(0.0, |hit| hit.score);
        !talk::topic(&self.stretch.latest).is_empty()
            && top.article.id != *current
            && top.score >= GOOD
            && names_article(top)
            && of_current < RELATED * top.score
    }

    fn question(&self) -> Decision {
        let topic = talk::topic(&self.stretch.latest);
        if topic.is_empty() && !self.stretch.has_earlier() {
            return self.tell_me_more();
        }
        let mut hits = self.knowledge.search(&self.stretch.latest, CONSIDERED);
        let stands_alone =
            hits.first().is_some_and(|top| top.score >= GOOD && (topic.len() >= 2 || names_article(top)));
        if !stands_alone && self.stretch.has_earlier() {
            let completed = self.knowledge.search(&self.stretch.completed(), CONSIDERED);
            // Words that are about nothing known must not be answered with the topic before.
            let is_continued = completed.first().is_some_and(|top| {
                topic.len() < 2
                    || top
                        .matched
                        .iter()
                        .any(|matched| topic.contains(&matched.term) && matched.share >= 0.03)
            });
            if is_continued {
                hits = completed;
            }
        }
        hits.retain(|hit| hit.score >= GOOD);
        let Some(top) = hits.first() else { return self.nothing() };
        if top.article.policy == Policy::Answer
            && let Some(decision) = self.ask_back(&hits)
        {
            return decision;
        }
        self.settle(top, Attempt::Question)
            .or_else(|| self.related(&hits, RELATED * top.score, Attempt::Question))
            .unwrap_or_else(|| self.exhausted())
    }

    /// An answer from the next article that is about the same thing. Policy articles are never a guess.
    fn related(&self, hits: &[Hit], floor: f32, attempt: Attempt) -> Option<Decision> {
        hits.iter()
            .filter(|hit| hit.score >= floor && hit.article.policy == Policy::Answer && names_article(hit))
            .find_map(|hit| self.answer(hit, attempt))
    }

    /// A question between articles that fit nearly equally well and that were not answered with yet.
    fn ask_back(&self, hits: &[Hit]) -> Option<Decision> {
        let top = hits.first()?;
        if self.stretch.was_article_used(&top.article.id) {
            return None;
        }
        let close: Vec<&Article> = hits
            .iter()
            .filter(|hit| hit.score >= CLOSE * top.score && !self.stretch.was_article_used(&hit.article.id))
            .filter(|hit| hit.article.id == top.article.id || !decides(top, hit))
            .map(|hit| &*hit.article)
            .take(MAX_OPTIONS)
            .collect();
        if close.len() < 2 || self.stretch.was_asked(&close) {
            return None;
        }
        let mut text = format!("{}\n", self.phrases.which_one);
        for (number, article) in close.iter().enumerate() {
            text.push_str(&format!("\n{}. {}", number + 1, section::escaped(&article.title)));
        }
        text.push_str(&format!("\n\n{}", self.phrases.answer_with_number));
        let options = close.iter().map(|article| (article.id.clone(), article.title.clone())).collect();
        (!self.stretch.was_said(&text)).then_some(Decision::AskBack { text, options })
    }

    fn settle(&self, hit: &Hit, attempt: Attempt) -> Option<Decision> {
        match hit.article.policy {
            Policy::Handover => Some(self.policy(&hit.article)),
            Policy::Answer => self.answer(hit, attempt),
        }
    }

    /// The first section of `hit` that was not shown yet.
    fn answer(&self, hit: &Hit, attempt: Attempt) -> Option<Decision> {
        let is_first = !self.stretch.was_article_used(&hit.article.id);
        // Inside an article that was already shown, the latest words alone choose: "now it does not even
        // start".
        let own = if is_first { hit.sections.clone() } else { self.own_scores(&hit.article) };
        section::in_order(&hit.article, &own, &self.stretch, attempt)
            .into_iter()
            .filter(|chunk| !self.stretch.was_used(chunk) && !chunk.blocks.is_empty())
            .map(|chunk| (chunk, section::answer(self.phrases, &hit.article, chunk, is_first, attempt)))
            .find(|(_, text)| !self.stretch.was_said(text))
            .map(|(chunk, text)| Decision::Answer {
                text,
                cites: vec![Citation::of(&hit.article, chunk)],
                confidence: hit.score,
            })
    }

    fn own_scores(&self, article: &Article) -> Vec<(Arc<Chunk>, f32)> {
        let hits = self.knowledge.search(&self.stretch.latest, usize::MAX);
        hits.into_iter().find(|hit| hit.article.id == article.id).map(|hit| hit.sections).unwrap_or_default()
    }

    /// The first safe advice once, then only that a technician has to do it.
    fn policy(&self, article: &Article) -> Decision {
        let statement = self.stretch.fresh(self.phrases.policy);
        let advice = first_with_steps(article).filter(|_| !self.stretch.was_article_used(&article.id));
        let (text, cites) = match advice {
            Some(chunk) => {
                let advice = section::advice(self.phrases, article, chunk);
                (format!("{advice}\n\n{statement}"), vec![Citation::of(article, chunk)])
            }
            None => (statement.to_owned(), Vec::new()),
        };
        Decision::Handover { reason: HandoverHint::PolicyTopic, text, cites }
    }

    fn nothing(&self) -> Decision {
        self.handover(HandoverHint::NothingFound, self.phrases.nothing_found)
    }

    fn exhausted(&self) -> Decision {
        self.handover(HandoverHint::ExhaustedKnowledge, self.phrases.exhausted)
    }

    fn handover(&self, reason: HandoverHint, wordings: [&'static str; 2]) -> Decision {
        Decision::Handover { reason, text: self.stretch.fresh(wordings).to_owned(), cites: Vec::new() }
    }
}

/// Whether a word of the query stands in the title, keywords or tags, and not only somewhere in the text.
fn names_article(hit: &Hit) -> bool {
    hit.matched.iter().any(|matched| {
        matches!(matched.field, Field::Title | Field::Keyword | Field::Tag) && matched.share >= 0.1
    })
}

/// Whether the query holds a word that names `top` and does not name `other`, and none the other way round.
fn decides(top: &Hit, other: &Hit) -> bool {
    let only = |one: &Hit, two: &Hit| {
        one.matched.iter().any(|matched| {
            matches!(matched.field, Field::Title | Field::Keyword)
                && matched.share >= 0.05
                && !two
                    .matched
                    .iter()
                    .any(|theirs| theirs.term == matched.term && theirs.field <= Field::Heading)
        })
    };
    only(top, other) && !only(other, top)
}
