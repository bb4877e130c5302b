//! Slack's `mrkdwn` by its parts ("Formatting text for app surfaces"): signs, links, mentions, escapes, emoji names.
//!
//! Not here: messages and their blocks. The text comes from the network; everything unknown in it stays text.

use super::doc::{self, BOLD, Block, CODE, Doc, ITALIC, Look, Run, STRIKE};
use super::{Names, WORD_JOINER, ZERO_WIDTH_SPACE, emoji, mention};

const FENCE: &str = "```";

pub(crate) fn read(text: &str, names: &dyn Names) -> Doc {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(FENCE) {
        let inside = &rest[start + FENCE.len()..];
        let Some(end) = inside.find(FENCE) else { break };
        paragraphs(&rest[..start], names, &mut blocks);
        let code = inside[..end].trim_start_matches('\n').trim_end_matches('\n');
        let code = code_text(code, names);
        if code.trim().is_empty() {
            let ticks = code.len().min(1);
            blocks.extend((ticks == 0).then(|| Block::Text(vec![Run::plain("``````")])));
        } else {
            blocks.push(Block::code(None, &code));
        }
        rest = &inside[end + FENCE.len()..];
    }
    paragraphs(rest, names, &mut blocks);
    Doc(blocks)
}

/// In code only Slack's own angle brackets and escapes mean anything.
fn code_text(text: &str, names: &dyn Names) -> String {
    let mut line = Tokens::new(text, names);
    while !line.rest.is_empty() {
        if !line.angle() && !line.entity() {
            line.letter();
        }
    }
    let joiner = |at: usize, tokens: &[Token]| tokens[at].c == WORD_JOINER && beside_tick(tokens, at);
    let tokens = line.tokens;
    (0..tokens.len()).filter(|at| !joiner(*at, &tokens)).map(|at| tokens[at].c).collect()
}

fn beside_tick(tokens: &[Token], at: usize) -> bool {
    at.checked_sub(1).and_then(|at| tokens.get(at)).is_some_and(|token| token.c == '`')
}

/// Lines outside of code blocks; those that begin with `>` are quotes, `>>>` quotes all that follows.
fn paragraphs(text: &str, names: &dyn Names, blocks: &mut Vec<Block>) {
    let mut runs = Vec::new();
    let mut quote = false;
    let mut to_the_end = false;
    for line in text.split('\n') {
        let (here, line) = if to_the_end { (true, line) } else { unquoted(line, &mut to_the_end) };
        if here != quote {
            close(&mut runs, quote, blocks);
            quote = here;
        } else if !runs.is_empty() {
            doc::push(&mut runs, Run::plain("\n"));
        }
        inline(line, names).into_iter().for_each(|run| doc::push(&mut runs, run));
    }
    close(&mut runs, quote, blocks);
}

fn unquoted<'a>(line: &'a str, to_the_end: &mut bool) -> (bool, &'a str) {
    let strip = |line: &'a str| line.strip_prefix("&gt;").or_else(|| line.strip_prefix('>'));
    let Some(rest) = strip(line) else { return (false, line) };
    let rest = match strip(rest).and_then(strip) {
        Some(rest) => {
            *to_the_end = true;
            rest
        }
        None => rest,
    };
    (true, rest.strip_prefix(' ').unwrap_or(rest))
}

fn close(runs: &mut Vec<Run>, quote: bool, blocks: &mut Vec<Block>) {
    let runs = doc::trimmed(std::mem::take(runs));
    if runs.is_empty() {
        return;
    }
    let text = Block::Text(doc::honest(runs));
    blocks.push(if quote { Block::Quote(vec![text]) } else { text });
}

/// One line, read.
fn inline(line: &str, names: &dyn Names) -> Vec<Run> {
    let mut reader = Tokens::new(line, names);
    while !reader.rest.is_empty() {
        reader.next();
    }
    let mut tokens = reader.tokens;
    pair(&mut tokens);
    let mut runs = Vec::new();
    for token in tokens.into_iter().filter(|token| token.kind != Kind::Gone) {
        let link = token.link.map(|nth| reader.links[nth].clone());
        doc::push(&mut runs, Run { text: token.c.to_string(), look: token.look, link });
    }
    runs
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Letter,
    /// `*`, `_` or `~` that may begin or end something.
    Sign,
    Gone,
}

#[derive(Clone, Copy, Debug)]
struct Token {
    c: char,
    kind: Kind,
    look: Look,
    link: Option<usize>,
}

struct Tokens<'a> {
    rest: &'a str,
    names: &'a dyn Names,
    tokens: Vec<Token>,
    links: Vec<String>,
    /// No further `>` or backtick in this line: not looked for again.
    no_angle: bool,
    no_tick: bool,
}

impl<'a> Tokens<'a> {
    fn new(rest: &'a str, names: &'a dyn Names) -> Self {
        Tokens { rest, names, tokens: Vec::new(), links: Vec::new(), no_angle: false, no_tick: false }
    }

    fn next(&mut self) {
        if self.angle() || self.entity() || self.disarmed() || self.code() || self.emoji() {
            return;
        }
        let sign = self.rest.starts_with(['*', '_', '~']);
        self.letter();
        if sign && let Some(last) = self.tokens.last_mut() {
            last.kind = Kind::Sign;
        }
    }

    fn put(&mut self, text: &str, look: Look, link: Option<usize>) {
        let token = |c| Token { c, kind: Kind::Letter, look, link };
        self.tokens.extend(text.chars().map(token));
    }

    fn letter(&mut self) {
        let mut chars = self.rest.chars();
        if let Some(c) = chars.next() {
            self.rest = chars.as_str();
            self.tokens.push(Token { c, kind: Kind::Letter, look: Look::default(), link: None });
        }
    }

    /// `<…>`: a link, a mention, a date.
    fn angle(&mut self) -> bool {
        if self.no_angle || !self.rest.starts_with('<') {
            return false;
        }
        let Some(end) = self.rest.find('>') else {
            self.no_angle = true;
            return false;
        };
        let inside = &self.rest[1..end];
        if inside.contains(['<', '\n']) || inside.is_empty() {
            return false;
        }
        let (target, label) = match inside.split_once('|') {
            Some((target, label)) => (target, Some(unescape(label)).filter(|label| !label.trim().is_empty())),
            None => (inside, None),
        };
        let target = unescape(target);
        if target.starts_with(['@', '#', '!']) {
            let shown = mention::shown(&target, label.as_deref(), self.names);
            self.put(&shown, Look::default(), None);
        } else if target.contains(':') {
            let shown = label.unwrap_or_else(|| target.strip_prefix("mailto:").unwrap_or(&target).to_owned());
            let shown = without_joiners(&shown);
            let link = doc::address(&target).map(|address| {
                self.links.push(address);
                self.links.len() - 1
            });
            self.put(&shown, Look::default(), link);
        } else {
            return false;
        }
        self.rest = &self.rest[end + 1..];
        true
    }

    fn entity(&mut self) -> bool {
        for (entity, c) in ENTITIES {
            if let Some(rest) = self.rest.strip_prefix(entity) {
                self.rest = rest;
                self.put(c, Look::default(), None);
                return true;
            }
        }
        false
    }

    /// A sign that a joiner keeps from meaning anything.
    fn disarmed(&mut self) -> bool {
        let Some(rest) = self.rest.strip_prefix(WORD_JOINER) else { return false };
        if rest.starts_with("&gt;") {
            self.rest = rest;
            return true;
        }
        if !rest.starts_with(['*', '_', '~', '`', '>']) {
            return false;
        }
        self.rest = rest;
        self.letter();
        true
    }

    fn code(&mut self) -> bool {
        if self.no_tick || !self.rest.starts_with('`') {
            return false;
        }
        let Some(length) = self.rest[1..].find('`') else {
            self.no_tick = true;
            return false;
        };
        let inside = &self.rest[1..=length];
        if inside.trim().is_empty() {
            return false;
        }
        let text = code_text(inside, self.names);
        if self.tokens.last().is_some_and(|token| token.c == ZERO_WIDTH_SPACE) {
            self.tokens.pop();
        }
        self.put(&text, CODE, None);
        let rest = &self.rest[length + 2..];
        self.rest = rest.strip_prefix(ZERO_WIDTH_SPACE).unwrap_or(rest);
        true
    }

    fn emoji(&mut self) -> bool {
        let Some(rest) = self.rest.strip_prefix(':') else { return false };
        if let Some(after) = rest.strip_prefix(WORD_JOINER)
            && after.starts_with(emoji::is_name)
        {
            self.rest = after;
            self.put(":", Look::default(), None);
            return true;
        }
        let window: Vec<char> = rest.chars().take(emoji::MAX_NAME).collect();
        let Some((emoji, length)) = emoji::at(&window) else { return false };
        self.put(emoji, Look::default(), None);
        let bytes: usize = window[..length].iter().map(|c| c.len_utf8()).sum();
        self.rest = &rest[bytes..];
        true
    }
}

const ENTITIES: [(&str, &str); 3] = [("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")];

/// Undoes Slack's three escapes, once.
pub(crate) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let entity = ENTITIES.iter().find(|(entity, _)| rest.starts_with(entity));
        let (taken, shown) = entity.map_or((1, "&"), |(entity, c)| (entity.len(), *c));
        out.push_str(shown);
        rest = &rest[taken..];
    }
    out.push_str(rest);
    out
}

fn without_joiners(text: &str) -> String {
    text.replace(WORD_JOINER, "")
}

/// Finds which signs belong together. They may cross each other: each only adds to the look of the letters between.
fn pair(tokens: &mut [Token]) {
    for (sign, look) in [('*', BOLD), ('_', ITALIC), ('~', STRIKE)] {
        let mut open: Option<usize> = None;
        for at in 0..tokens.len() {
            if tokens[at].kind != Kind::Sign || tokens[at].c != sign {
                continue;
            }
            match open {
                Some(start) if at > start + 1 && ends(tokens, at) => {
                    for token in &mut tokens[start + 1..at] {
                        token.look = token.look.with(look);
                    }
                    tokens[start].kind = Kind::Gone;
                    tokens[at].kind = Kind::Gone;
                    hide_borders(tokens, start, at);
                    open = None;
                }
                _ if begins(tokens, at) => open = Some(at),
                _ => {}
            }
        }
    }
}

/// The letter before or after, over other signs: `*_both_*`.
fn neighbour(over: impl Iterator<Item = Token>) -> Option<char> {
    // Rows of signs are decoration; looking through all of them each time would take quadratic time (S118).
    over.take(8).find(|token| token.kind == Kind::Letter).map(|token| token.c)
}

fn begins(tokens: &[Token], at: usize) -> bool {
    let after = neighbour(tokens[at + 1..].iter().copied());
    let before = tokens[..at].last().filter(|token| token.kind == Kind::Letter).map(|token| token.c);
    after.is_some_and(|c| !c.is_whitespace()) && !before.is_some_and(char::is_alphanumeric)
}

fn ends(tokens: &[Token], at: usize) -> bool {
    let before = neighbour(tokens[..at].iter().rev().copied());
    let after = tokens.get(at + 1).filter(|token| token.kind == Kind::Letter).map(|token| token.c);
    before.is_some_and(|c| !c.is_whitespace()) && !after.is_some_and(char::is_alphanumeric)
}

/// The spaces without width that some writers put around signs are not text.
fn hide_borders(tokens: &mut [Token], start: usize, end: usize) {
    for at in [start.checked_sub(1), Some(end + 1)].into_iter().flatten() {
        if let Some(token) = tokens.get_mut(at)
            && token.c == ZERO_WIDTH_SPACE
        {
            token.kind = Kind::Gone;
        }
    }
}
