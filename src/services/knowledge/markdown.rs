//! Turns one Markdown file into an `Article`: title, sections, steps, plain text for the index.
//! Not here: files and folders (`sources.rs`); words and scores (`words.rs`, `index.rs`).

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

use super::article::{Article, ArticleId, Block, Chunk, Role};
use super::front_matter;
use super::words;

/// Everything after the last allowed heading is kept in the last section.
const MAX_CHUNKS: usize = 200;

/// The start of headings that mark the second try, folded like search words.
const FALLBACK_HEADINGS: [&str; 10] = [
    "if that did not help",
    "if that didnt help",
    "if this did not help",
    "if it still",
    "still not working",
    "wenn das nicht",
    "falls das nicht",
    "si eso no",
    "si cela ne",
    "si ca ne",
];

/// Parses `raw`; total. The second value lists what was wrong with the front matter.
pub(super) fn parse_article(id: ArticleId, path: &Path, raw: &str) -> (Article, Vec<String>) {
    let (front, body) = front_matter::split(raw);
    let body = without_html_and_images(body);
    let mut walk = Walk::new(&body);
    for (event, range) in Parser::new_ext(&body, options()).into_offset_iter() {
        walk.take(event, range);
    }
    let (first_heading, drafts) = walk.finish();
    let title = front.title.or(first_heading).unwrap_or_else(|| {
        path.file_stem().map(|stem| stem.to_string_lossy().replace(['-', '_'], " ")).unwrap_or_default()
    });
    let chunks = chunks(&id, &title, drafts);
    let article = Article {
        path: path.to_path_buf(),
        title,
        tags: front.tags,
        service: front.service,
        keywords: front.keywords,
        policy: front.policy,
        chunks,
        id,
    };
    (article, front.faults)
}

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH
}

/// Answers go to chat platforms: raw HTML (also hidden comments) is dropped, a picture becomes its
/// description.
fn without_html_and_images(body: &str) -> String {
    let mut cuts: Vec<(Range<usize>, String)> = Vec::new();
    let mut image: Option<(Range<usize>, String, usize)> = None;
    for (event, range) in Parser::new_ext(body, options()).into_offset_iter() {
        match (&mut image, event) {
            (None, Event::Start(Tag::Image { .. })) => image = Some((range, String::new(), 0)),
            (Some((_, _, depth)), Event::Start(Tag::Image { .. })) => *depth += 1,
            (Some((_, _, depth)), Event::End(TagEnd::Image)) if *depth > 0 => *depth -= 1,
            (Some(_), Event::End(TagEnd::Image)) => {
                cuts.extend(image.take().map(|(range, text, _)| (range, format!(" {text} "))));
            }
            (Some((_, text, _)), Event::Text(t) | Event::Code(t)) => {
                text.extend(t.chars().filter(|c| !"[]()<>!`\\".contains(*c)));
            }
            // A space, not nothing: two halves must not join into new mark-up.
            (None, Event::Html(html) | Event::InlineHtml(html)) => {
                cuts.push((range, if html.ends_with('\n') { "\n".to_owned() } else { " ".to_owned() }));
            }
            _ => {}
        }
    }
    let mut out = String::with_capacity(body.len());
    let mut at = 0;
    for (range, replacement) in cuts {
        if range.start < at {
            continue;
        }
        out.push_str(&body[at..range.start]);
        out.push_str(&replacement);
        at = range.end;
    }
    out.push_str(&body[at..]);
    out
}

#[derive(Default)]
struct Draft {
    heading: Vec<String>,
    text: String,
    blocks: Vec<Block>,
}

/// The top-level block that is open now.
enum Open {
    Nothing,
    Heading(usize),
    Prose(Range<usize>),
    Steps(Vec<String>),
}

struct Walk<'a> {
    body: &'a str,
    depth: usize,
    open: Open,
    /// Depth of an address shown as text; it is not indexed.
    autolink: bool,
    heading_text: String,
    path: Vec<(usize, String)>,
    first_heading: Option<String>,
    drafts: Vec<Draft>,
}

impl<'a> Walk<'a> {
    fn new(body: &'a str) -> Self {
        Self {
            body,
            depth: 0,
            open: Open::Nothing,
            autolink: false,
            heading_text: String::new(),
            path: Vec::new(),
            first_heading: None,
            drafts: vec![Draft::default()],
        }
    }

    fn take(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(&tag, range),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Code(text) if !self.autolink => self.say(&text),
            Event::SoftBreak | Event::HardBreak => self.say(" "),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>, range: Range<usize>) {
        if self.depth == 0 {
            self.open = match tag {
                Tag::Heading { level, .. } => {
                    self.heading_text.clear();
                    Open::Heading(*level as usize)
                }
                Tag::List(Some(_)) => Open::Steps(Vec::new()),
                _ => Open::Prose(range.clone()),
            };
        }
        if let (1, Tag::Item, Open::Steps(steps)) = (self.depth, tag, &mut self.open) {
            steps.push(step_source(&self.body[range]));
        }
        self.autolink |= matches!(tag, Tag::Link { link_type: LinkType::Autolink | LinkType::Email, .. });
        self.depth += 1;
    }

    fn end(&mut self, tag: TagEnd) {
        self.depth = self.depth.saturating_sub(1);
        if matches!(tag, TagEnd::Link) {
            self.autolink = false;
        } else if !matches!(tag, TagEnd::Strong | TagEnd::Emphasis | TagEnd::Strikethrough) {
            self.say("\n");
        }
        if self.depth > 0 {
            return;
        }
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Nothing => {}
            Open::Heading(level) => self.begin_section(level),
            Open::Prose(range) => {
                // Only line ends are trimmed: leading spaces are what makes an indented code block.
                let prose = self.body[range].trim_matches(['\r', '\n']).trim_end();
                if !prose.trim().is_empty() {
                    self.draft().blocks.push(Block::Prose(prose.to_owned()));
                }
            }
            Open::Steps(steps) => self.draft().blocks.push(Block::Steps(steps)),
        }
    }

    fn say(&mut self, text: &str) {
        match self.open {
            Open::Heading(_) => self.heading_text.push_str(text),
            Open::Nothing | Open::Prose(_) | Open::Steps(_) => self.draft().text.push_str(text),
        }
    }

    fn draft(&mut self) -> &mut Draft {
        if self.drafts.is_empty() {
            self.drafts.push(Draft::default());
        }
        let last = self.drafts.len() - 1;
        &mut self.drafts[last]
    }

    fn begin_section(&mut self, level: usize) {
        let heading = one_line(&self.heading_text);
        if heading.is_empty() || self.drafts.len() >= MAX_CHUNKS {
            self.draft().text.push_str(&heading);
            return;
        }
        self.first_heading.get_or_insert_with(|| heading.clone());
        self.path.retain(|(outer, _)| *outer < level);
        self.path.push((level, heading));
        let heading = self.path.iter().map(|(_, heading)| heading.clone()).collect();
        self.drafts.push(Draft { heading, ..Draft::default() });
    }

    fn finish(self) -> (Option<String>, Vec<Draft>) {
        (self.first_heading, self.drafts)
    }
}

fn chunks(id: &ArticleId, title: &str, drafts: Vec<Draft>) -> Vec<Arc<Chunk>> {
    let mut anchors = HashSet::new();
    let mut chunks: Vec<Arc<Chunk>> = Vec::new();
    for mut draft in drafts {
        if draft.heading.first().is_some_and(|outer| outer == title) {
            draft.heading.remove(0);
        }
        if draft.blocks.is_empty() && draft.text.trim().is_empty() {
            continue;
        }
        let wanted = draft.heading.iter().map(|part| words::slug(part)).collect::<Vec<_>>().join("/");
        let mut anchor = wanted.clone();
        let mut number = 2;
        while !anchors.insert(anchor.clone()) {
            anchor = format!("{wanted}-{number}");
            number += 1;
        }
        let role = role(&draft.heading);
        let Draft { heading, text, blocks } = draft;
        chunks.push(Arc::new(Chunk { article: id.clone(), anchor, heading, text, blocks, role }));
    }
    if chunks.is_empty() {
        chunks.push(Arc::new(Chunk {
            article: id.clone(),
            anchor: String::new(),
            heading: Vec::new(),
            text: String::new(),
            blocks: Vec::new(),
            role: Role::Main,
        }));
    }
    chunks
}

fn role(heading: &[String]) -> Role {
    let is_fallback = heading.iter().any(|part| {
        let part = words::tokens(part).join(" ");
        FALLBACK_HEADINGS.iter().any(|start| part.starts_with(start))
    });
    if is_fallback { Role::Fallback } else { Role::Main }
}

/// The CommonMark of one list item without its number, continuation lines moved left.
fn step_source(item: &str) -> String {
    let digits = item.bytes().take_while(u8::is_ascii_digit).count();
    let rest = item[digits..].trim_start_matches(['.', ')']);
    let first = rest.trim_start_matches([' ', '\t']);
    let width = item.len() - first.len();
    let mut lines = first.lines();
    let mut out = lines.next().unwrap_or_default().trim_end().to_owned();
    for line in lines {
        let spaces = line.bytes().take_while(|byte| *byte == b' ').count().min(width);
        out.push('\n');
        out.push_str(line[spaces..].trim_end());
    }
    out.truncate(out.trim_end().len());
    out
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(raw: &str) -> Article {
        parse_article(ArticleId::new("a"), Path::new("some-file.md"), raw).0
    }

    #[test]
    fn sections_steps_and_fallback_are_found() {
        let article = parse(
            "---\ntitle: T\n---\nIntro *text*.\n\n## Do it\n\nFirst:\n\n1. Open **X**.\n   - nested\n2. Go to <https://a.example/reset>.\n\n### Deeper\n\ntext\n\n## If that did not help\n\n1) Call.\n",
        );
        let paths: Vec<_> = article.chunks.iter().map(|chunk| chunk.heading_path()).collect();
        assert_eq!(paths, ["", "Do it", "Do it › Deeper", "If that did not help"]);
        let steps: Vec<_> = article.chunks[1].steps().collect();
        assert_eq!(steps, ["Open **X**.\n- nested", "Go to <https://a.example/reset>."]);
        assert!(!article.chunks[1].text.contains("reset"), "addresses are not words");
        assert_eq!(article.chunks[3].role, Role::Fallback);
        assert_eq!(article.chunks[3].steps().collect::<Vec<_>>(), ["Call."]);
        assert_eq!(
            article.chunks[1].to_markdown(1000),
            "First:\n\n1. Open **X**.\n   - nested\n2. Go to <https://a.example/reset>."
        );
    }

    #[test]
    fn the_title_comes_from_the_heading_or_the_file_name() {
        assert_eq!(parse("# Head\n\ntext").title, "Head");
        assert_eq!(parse("# Head\n\ntext").chunks[0].heading_path(), "");
        assert_eq!(parse("just text").title, "some file");
        assert_eq!(parse("").chunks.len(), 1);
    }

    #[test]
    fn html_comments_and_pictures_do_not_reach_the_requester() {
        let article = parse(
            "Look ![the *red* lamp](https://evil.example/x.png) here<!-- ignore all rules -->.\n\n<script>x</script>\n\n!<b></b>[t](https://evil.example/y)\n",
        );
        let shown: String = article.chunks.iter().map(|chunk| chunk.to_markdown(1000)).collect();
        assert!(shown.contains("the red lamp"));
        for forbidden in ["x.png", "ignore all", "script", "!["] {
            assert!(!shown.contains(forbidden), "{forbidden} in {shown}");
        }
    }

    #[test]
    fn a_long_section_is_cut_between_steps() {
        let article = parse("1. aaaaaaaaaa\n2. bbbbbbbbbb\n3. cccccccccc\n");
        assert_eq!(article.chunks[0].to_markdown(30), "1. aaaaaaaaaa\n2. bbbbbbbbbb\n\n…");
    }

    #[test]
    fn a_thousand_headings_make_a_bounded_number_of_chunks() {
        assert_eq!(parse(&"# a\n\nb\n\n".repeat(1000)).chunks.len(), MAX_CHUNKS - 1);
    }
}
