//! The four-part handover summary, built from the transcript (A6): never empty, never waits.
//!
//! Not here: a model's summary (`openai/`), where it is shown (the core's card).

mod facts;
pub(super) mod redact;
mod tried;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use deskbridge_conversation::Wish;
use deskbridge_conversation::gist;
use deskbridge_conversation::notices::plain;

use super::suggest::{GOOD, next_section};
use super::{Line, Request, Speaker};
use crate::knowledge::{Article, Knowledge, Policy};

/// Characters of one quoted message.
const QUOTE: usize = 200;
/// Messages that are quoted from the beginning, and from the end.
const FIRST: usize = 3;
const LAST: usize = 5;

/// The summary as CommonMark, in English as everything for desks is.
pub(super) fn of(request: &Request, knowledge: &Knowledge) -> String {
    let matter = Matter::read(request, knowledge);
    let mut out = String::new();
    section(&mut out, "Intent", &matter.intent());
    section(&mut out, "Conversation summary", &matter.course());
    section(&mut out, "Service information", &matter.service_information());
    section(&mut out, "Previous troubleshooting", &tried::list(request, knowledge));
    section(&mut out, "Suggested next step", &matter.next_step());
    section(&mut out, "Open questions", &matter.open_questions());
    out.trim_end().to_owned()
}

/// A summary that a model wrote, if it has all the parts; they are what technicians look for.
pub(super) fn has_all_parts(text: &str) -> bool {
    let text = text.to_lowercase();
    ["intent", "conversation summary", "service information", "previous troubleshooting"]
        .iter()
        .all(|part| text.contains(part))
}

fn section(out: &mut String, title: &str, text: &str) {
    let _ = write!(out, "**{title}**\n{text}\n\n");
}

/// Somebody's words on one line, cut, without secrets, formatting nothing.
fn quoted(text: &str, max: usize) -> String {
    let text = redact::secrets(text);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(max).collect();
    let ellipsis = if cut.len() < line.len() { "…" } else { "" };
    format!("{}{ellipsis}", plain(cut.trim_end()))
}

/// Our own text without the marks of CommonMark: a quote escapes them, and a line full of stars is hard to read.
fn unmarked(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '*' | '`' | '\\')).collect()
}

fn list(items: impl IntoIterator<Item = String>) -> String {
    items.into_iter().map(|item| format!("- {item}")).collect::<Vec<_>>().join("\n")
}

struct Matter<'a> {
    request: &'a Request,
    knowledge: &'a Knowledge,
    found: facts::Found,
    /// The article that all the requester's words fit best.
    article: Option<std::sync::Arc<Article>>,
}

impl<'a> Matter<'a> {
    fn read(request: &'a Request, knowledge: &'a Knowledge) -> Self {
        let said: Vec<&str> = requester(request).map(|line| line.text.as_str()).collect();
        let said = said.join("\n");
        let best = knowledge.search(&said, 1).into_iter().next().filter(|hit| hit.score >= GOOD);
        Matter {
            request,
            knowledge,
            found: facts::find(&redact::secrets(&said)),
            article: best.map(|hit| hit.article),
        }
    }

    /// The requester's own first words that are about something.
    fn intent(&self) -> String {
        let language = &self.request.language;
        let is_about = |line: &&Line| {
            let gist = gist::read(&line.text, language);
            let words = line.text.split_whitespace().count();
            !gist.wordless && gist.wish.is_none() && words >= 2 && !is_greeting(&line.text)
        };
        let asked = requester(self.request)
            .find(is_about)
            .or_else(|| requester(self.request).find(|line| !line.text.trim().is_empty()));
        match (asked, &self.article) {
            (Some(line), Some(article)) => {
                format!("{} (looks like: *{}*)", quoted(&line.text, QUOTE), plain(&article.title))
            }
            (Some(line), None) => quoted(&line.text, QUOTE),
            (None, _) if requester(self.request).any(|line| !line.files.is_empty()) => {
                "Sent files without saying what is wrong.".to_owned()
            }
            (None, _) => "Not known yet: the requester has not written anything.".to_owned(),
        }
    }

    fn course(&self) -> String {
        let lines: Vec<&Line> = self.request.lines.iter().collect();
        if lines.is_empty() {
            return "No messages yet.".to_owned();
        }
        let mut items: Vec<String> = Vec::new();
        let left_out = lines.len().saturating_sub(FIRST + LAST);
        let (head, tail) =
            if left_out > 1 { (FIRST, lines.len() - LAST) } else { (lines.len(), lines.len()) };
        items.extend(lines[..head].iter().map(|line| self.told(line)));
        if left_out > 1 {
            items.push(format!("… {left_out} more messages …"));
        }
        items.extend(lines[tail..].iter().map(|line| self.told(line)));
        list(items)
    }

    fn told(&self, line: &Line) -> String {
        let who = match line.by {
            Speaker::Assistant => "Assistant".to_owned(),
            Speaker::Note => format!("Note by {}", self.name_of(line)),
            Speaker::Requester | Speaker::Technician | Speaker::Bystander => self.name_of(line),
        };
        let mut said = match line.by {
            Speaker::Assistant => quoted(&unmarked(&line.text), QUOTE / 2),
            Speaker::Requester | Speaker::Technician | Speaker::Bystander | Speaker::Note => {
                quoted(&line.text, QUOTE)
            }
        };
        if !line.files.is_empty() {
            let files: Vec<String> = line.files.iter().map(|name| quoted(name, 60)).collect();
            let gap = if said.is_empty() { "" } else { " " };
            let _ = write!(said, "{gap}[files: {}]", files.join(", "));
        }
        format!("**{who}**: {}", if said.is_empty() { "(no text)" } else { &said })
    }

    fn name_of(&self, line: &Line) -> String {
        let name = if line.name.trim().is_empty() { &self.request.requester } else { &line.name };
        let name = quoted(name, 60);
        if name.is_empty() { "Requester".to_owned() } else { name }
    }

    fn service_information(&self) -> String {
        let service = self.article.as_ref().and_then(|article| {
            let tags = (!article.tags.is_empty()).then(|| article.tags.join(", "));
            article.service.clone().or(tags)
        });
        let unknown = "not known".to_owned();
        let or_unknown =
            |found: &[String]| if found.is_empty() { unknown.clone() } else { plain(&found.join(", ")) };
        let requester = quoted(&self.request.requester, 80);
        let mut items = vec![
            format!("Affected service: {}", service.as_deref().map_or(unknown.clone(), plain)),
            format!("Device: {}", or_unknown(&self.found.devices)),
            format!("Location: {}", or_unknown(&self.found.places)),
            format!("Error codes: {}", or_unknown(&self.found.codes)),
            format!(
                "Requester: {}, writes in {}",
                if requester.is_empty() { "unknown" } else { &requester },
                super::words::language_name(&self.request.language)
            ),
        ];
        let files: Vec<String> =
            self.request.lines.iter().flat_map(|line| &line.files).map(|name| quoted(name, 60)).collect();
        if !files.is_empty() {
            items.push(format!("Files: {}", files.join(", ")));
        }
        list(items)
    }

    fn next_step(&self) -> String {
        let Some((title, chunk)) = next_section(self.request, self.knowledge) else {
            return "Look at it together with the requester; no article has further steps.".to_owned();
        };
        let is_policy = |article: &Article| article.policy == Policy::Handover;
        let own = self.knowledge.article(chunk.article.as_str());
        if own.is_some_and(|article| is_policy(article)) {
            return format!("Follow *{title}*: a technician has to do this one.");
        }
        match chunk.heading.last() {
            Some(heading) => format!("Try “{}” of *{title}*.", plain(heading)),
            None => format!("Go through *{title}* with the requester."),
        }
    }

    fn open_questions(&self) -> String {
        let mut questions = Vec::new();
        if requester(self.request).all(|line| line.text.trim().is_empty()) {
            questions.push("What is wrong?".to_owned());
        }
        if self.found.devices.is_empty() {
            questions.push("Which device is it (asset number)?".to_owned());
        }
        if self.found.codes.is_empty() {
            questions.push("What exactly does the message on the screen say?".to_owned());
        }
        if self.found.places.is_empty() {
            questions.push("Where is it: site, floor, room, or at home?".to_owned());
        }
        if !self.found.has_time {
            questions.push("Since when, and what changed before?".to_owned());
        }
        if questions.is_empty() { "None that the transcript shows.".to_owned() } else { list(questions) }
    }
}

fn requester(request: &Request) -> impl Iterator<Item = &Line> {
    request.lines.iter().filter(|line| line.by == Speaker::Requester)
}

/// Short, and begins as people say hello; the matter usually comes after it.
fn is_greeting(text: &str) -> bool {
    const HELLO: [&str; 16] = [
        "hi", "hello", "hey", "good", "dear", "hallo", "guten", "moin", "servus", "hola", "buenos", "buenas",
        "bonjour", "bonsoir", "salut", "morning",
    ];
    let words: Vec<String> = text.split_whitespace().map(|word| word.to_lowercase()).collect();
    let first = words.first().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    words.len() <= 3 && first.is_some_and(|first| HELLO.contains(&first))
}

/// Whether a message is thanks.
fn is_thanks(text: &str, language: &str) -> bool {
    gist::read(text, language).wish == Some(Wish::Thanks)
}
