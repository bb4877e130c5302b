//! Rewrites CommonMark in place: pictures, HTML, links and mentions lose what they could do, the words stay.
//!
//! Not here: which hosts are known, how long a text may be.

use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Parser, Tag, TagEnd};

use super::{Hosts, links};

/// Stands between `@` and a name, so that no platform reads them together.
const APART: char = '\u{200B}';
/// Taking one construct away can make another one; text that has not settled by then is shown without any mark-up.
const ROUNDS: usize = 4;
/// Characters of an address that are shown.
const ADDRESS: usize = 200;

pub(super) fn tame(text: &str, hosts: &Hosts) -> String {
    let mut text = text.trim().to_owned();
    for _ in 0..ROUNDS {
        let edits = Reading::new(&text, hosts).edits();
        if edits.is_empty() {
            return text;
        }
        // Trimmed before the next look: an indented first line is code, and is none any more without its indent.
        text = apply(&text, edits).trim().to_owned();
    }
    words_only(&text)
}

/// Nothing is left that could be a construct, an address or a mention.
fn words_only(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let ends = matches!(c, '.' | '!' | '?') && chars.peek().is_none_or(|next| next.is_whitespace());
        let is_word = c.is_alphanumeric() || matches!(c, ' ' | '\n' | ',' | ';' | '(' | ')' | '\'');
        out.push(if is_word || ends { c } else { ' ' });
    }
    out.trim().to_owned()
}

struct Edit {
    place: Range<usize>,
    text: String,
}

/// Overlapping edits: the first, outer one counts.
fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| (edit.place.start, std::cmp::Reverse(edit.place.end)));
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        if edit.place.start < at {
            continue;
        }
        out.push_str(&text[at..edit.place.start]);
        out.push_str(&edit.text);
        at = edit.place.end;
    }
    out.push_str(&text[at..]);
    out
}

/// A piece of visible text and where it stands in the source.
struct Piece {
    shown: Range<usize>,
    source: Range<usize>,
}

struct Reading<'a> {
    text: &'a str,
    hosts: &'a Hosts,
    edits: Vec<Edit>,
    /// The visible text of the current block, and its pieces.
    shown: String,
    pieces: Vec<Piece>,
    /// Where in it emphasis begins or ends: some link finders look before it is taken away, some after.
    seams: Vec<usize>,
}

impl<'a> Reading<'a> {
    fn new(text: &'a str, hosts: &'a Hosts) -> Self {
        Reading {
            text,
            hosts,
            edits: Vec::new(),
            shown: String::new(),
            pieces: Vec::new(),
            seams: Vec::new(),
        }
    }

    fn edits(mut self) -> Vec<Edit> {
        let parser = Parser::new(self.text);
        // A definition that nothing uses any more is invisible; some converters show it all the same.
        let definitions = parser.reference_definitions().iter();
        let unknown = definitions.filter(|(_, link)| !links::is_known(&link.dest, self.hosts));
        self.edits.extend(unknown.map(|(_, link)| Edit { place: link.span.clone(), text: String::new() }));
        let mut events = parser.into_offset_iter();
        while let Some((event, place)) = events.next() {
            match event {
                Event::Start(Tag::Image { .. }) => {
                    let words = words_until(&mut events, |end| matches!(end, TagEnd::Image));
                    self.edits.push(Edit { place, text: escaped(&words) });
                }
                Event::Start(Tag::Link { link_type, dest_url, .. }) => {
                    if links::is_known(&dest_url, self.hosts) {
                        // What stands in it leads to the known host whatever it looks like; pictures do not. It ends an
                        // address as a space does.
                        self.show(" ", place.start..place.start);
                        self.known_link(&mut events);
                        continue;
                    }
                    let words = words_until(&mut events, |end| matches!(end, TagEnd::Link));
                    self.edits.push(Edit { place, text: as_text(&words, &dest_url, link_type) });
                }
                Event::Html(html) | Event::InlineHtml(html) => {
                    self.edits.push(Edit { place, text: html.replace('<', "\\<") });
                }
                Event::Text(words) => self.show(&words, place),
                Event::SoftBreak | Event::HardBreak => self.show("\n", place.start..place.start),
                Event::Start(Tag::CodeBlock(_)) => {
                    words_until(&mut events, |end| matches!(end, TagEnd::CodeBlock));
                }
                // Code is shown, never followed; it ends an address as a space does.
                Event::Code(_) => self.show(" ", place.start..place.start),
                Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item | TagEnd::BlockQuote(_)) => {
                    self.end_block()
                }
                _ => self.seams.push(self.shown.len()),
            }
        }
        self.end_block();
        self.edits
    }

    fn known_link<'p>(&mut self, events: &mut impl Iterator<Item = (Event<'p>, Range<usize>)>) {
        while let Some((event, place)) = events.next() {
            match event {
                Event::Start(Tag::Image { .. }) => {
                    let words = words_until(events, |end| matches!(end, TagEnd::Image));
                    self.edits.push(Edit { place, text: escaped(&words) });
                }
                // The parser finds an autolink inside a link, which CommonMark does not have.
                Event::Start(Tag::Link { dest_url, link_type, .. }) => {
                    let words = words_until(events, |end| matches!(end, TagEnd::Link));
                    self.edits.push(Edit { place, text: as_text(&words, &dest_url, link_type) });
                }
                Event::InlineHtml(html) => {
                    self.edits.push(Edit { place, text: html.replace('<', "\\<") });
                }
                Event::End(TagEnd::Link) => return,
                _ => {}
            }
        }
    }

    fn show(&mut self, words: &str, source: Range<usize>) {
        let start = self.shown.len();
        self.shown.push_str(words);
        self.pieces.push(Piece { shown: start..self.shown.len(), source });
    }

    /// Looks at a block's text as a reader sees it, marks and escapes gone: that is what link finders see, too.
    fn end_block(&mut self) {
        let shown = std::mem::take(&mut self.shown);
        let pieces = std::mem::take(&mut self.pieces);
        let mut seams = std::mem::take(&mut self.seams);
        seams.push(shown.len());
        let mut start = 0;
        let mut places: Vec<Range<usize>> = links::found(&shown).collect();
        for seam in seams {
            places.extend(
                links::found(&shown[start..seam]).map(|place| start + place.start..start + place.end),
            );
            start = seam;
        }
        let mut has_unknown = false;
        for place in places {
            if !links::is_known(&shown[place.clone()], self.hosts) {
                has_unknown = true;
                self.edits.extend(replace(self.text, &shown, &pieces, place, code));
            }
        }
        // A lone backtick would pair with those that now stand around an address.
        if has_unknown {
            for (at, _) in shown.match_indices('`') {
                self.edits.extend(replace(self.text, &shown, &pieces, at..at + 1, |_| "\\`".to_owned()));
            }
        }
        for (at, _) in shown.match_indices('@') {
            if calls(&shown, at) {
                let place = at..at + 1;
                self.edits.extend(replace(self.text, &shown, &pieces, place, |_| format!("@{APART}")));
            }
        }
    }
}

/// The edit that changes a place of the shown text. Where the source is not letter for letter what is shown (escapes,
/// marks inside), all pieces that the place touches are written anew.
fn replace(
    text: &str,
    shown: &str,
    pieces: &[Piece],
    place: Range<usize>,
    new: impl Fn(&str) -> String,
) -> Option<Edit> {
    let touched: Vec<&Piece> = pieces
        .iter()
        .filter(|piece| piece.shown.start < place.end && place.start < piece.shown.end)
        .collect();
    let (first, last) = (touched.first()?, touched.last()?);
    let as_is = &shown[place.clone()];
    if touched.len() == 1 && text[first.source.clone()] == shown[first.shown.clone()] {
        let start = first.source.start + (place.start - first.shown.start);
        let end = start + place.len();
        // A backslash in front would take the new text's first sign away.
        let backslashes = text[..start].bytes().rev().take_while(|b| *b == b'\\').count();
        return Some(Edit { place: start - backslashes % 2..end, text: new(as_is) });
    }
    let before = escaped(&shown[first.shown.start..place.start]);
    let after = escaped(&shown[place.end..last.shown.end]);
    let source = first.source.start..last.source.end.max(first.source.end);
    Some(Edit { place: source, text: format!("{before}{}{after}", new(as_is)) })
}

/// Whether the `@` begins a mention: at the beginning of a word, and a name follows.
fn calls(shown: &str, at: usize) -> bool {
    let before = shown[..at].chars().next_back();
    let after = shown[at + 1..].chars().next();
    before.is_none_or(|c| !(c.is_alphanumeric() || c == '.')) && after.is_some_and(char::is_alphanumeric)
}

/// The words of a construct, up to its end.
fn words_until<'p>(
    events: &mut impl Iterator<Item = (Event<'p>, Range<usize>)>,
    is_end: impl Fn(&TagEnd) -> bool,
) -> String {
    let mut words = String::new();
    let mut depth = 0_usize;
    for (event, _) in events {
        match event {
            Event::Text(text) | Event::Code(text) => words.push_str(&text),
            Event::SoftBreak | Event::HardBreak => words.push(' '),
            Event::Start(Tag::Image { .. } | Tag::Link { .. } | Tag::CodeBlock(_)) => depth += 1,
            Event::End(end @ (TagEnd::Image | TagEnd::Link | TagEnd::CodeBlock)) => {
                if depth == 0 && is_end(&end) {
                    break;
                }
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
    }
    words
}

/// A link that leads nowhere any more: its words, and the address as it is.
fn as_text(words: &str, address: &str, kind: LinkType) -> String {
    let is_same = words.trim() == address || matches!(kind, LinkType::Autolink | LinkType::Email);
    let is_web = links::host(address).is_some() || address.contains("://");
    match (is_same, is_web) {
        (true, _) if matches!(kind, LinkType::Email) => escaped(words),
        (true, _) => code(address),
        (false, true) => format!("{} ({})", escaped(words), code(address)),
        (false, false) => escaped(words),
    }
}

fn code(address: &str) -> String {
    let shown: String = address
        .chars()
        .filter(|c| !c.is_control())
        .take(ADDRESS)
        .map(|c| if c == '`' { '\'' } else { c })
        .collect();
    match shown.trim() {
        "" => String::new(),
        shown => format!("`{shown}`"),
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() && "\\`*_[]<>&!#|~".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
