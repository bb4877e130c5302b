//! The three parse modes: HTML, MarkdownV2 and the old Markdown, turned into text and entities.
//! Only what the vendor's page "Formatting options" promises; lengths and limits are in `text`.

use super::error::ApiError;
use super::text::{Formatted, entity, utf16_len};

fn broken(why: impl AsRef<str>) -> ApiError {
    ApiError::bad(format!("can't parse entities: {}", why.as_ref()))
}

struct Open {
    tag: String,
    kind: &'static str,
    extra: Vec<(&'static str, String)>,
    start: usize,
}

#[derive(Default)]
struct Builder {
    shown: Formatted,
    length: usize,
    open: Vec<Open>,
}

impl Builder {
    fn push(&mut self, character: char) {
        self.shown.text.push(character);
        self.length += character.len_utf16();
    }

    fn close(&mut self, open: Open) {
        if self.length > open.start {
            let length = self.length - open.start;
            self.shown.entities.push(entity(open.kind, open.start, length, &open.extra));
        }
    }

    fn finish(mut self) -> Formatted {
        self.shown.entities.sort_by_key(|entity| entity["offset"].as_u64());
        self.shown
    }
}

/// # Errors
/// 400 "can't parse entities" for unknown, unclosed and crossed tags and unknown named entities.
pub fn html(raw: &str) -> Result<Formatted, ApiError> {
    let mut built = Builder::default();
    let mut at = 0;
    while let Some(character) = raw[at..].chars().next() {
        match character {
            '<' => {
                let end = raw[at..]
                    .find('>')
                    .ok_or_else(|| broken(format!("Unclosed start tag at byte offset {at}")))?;
                html_tag(&mut built, &raw[at + 1..at + end], at)?;
                at += end + 1;
            }
            '&' => {
                let (decoded, length) = html_entity(&raw[at..]).unwrap_or(('&', 1));
                built.push(decoded);
                at += length;
            }
            other => {
                built.push(other);
                at += other.len_utf8();
            }
        }
    }
    match built.open.last() {
        Some(open) => Err(broken(format!("Can't find end tag corresponding to start tag \"{}\"", open.tag))),
        None => Ok(built.finish()),
    }
}

fn html_tag(built: &mut Builder, inside: &str, at: usize) -> Result<(), ApiError> {
    if let Some(name) = inside.strip_prefix('/') {
        let name = name.trim().to_ascii_lowercase();
        let Some(open) = built.open.pop() else {
            return Err(broken(format!("Unexpected end tag at byte offset {at}")));
        };
        if open.tag != name {
            return Err(broken(format!(
                "Unmatched end tag at byte offset {at}, expected \"</{}>\", found \"</{name}>\"",
                open.tag
            )));
        }
        built.close(open);
        return Ok(());
    }
    let (name, attributes) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
    let tag = name.to_ascii_lowercase();
    let mut extra = Vec::new();
    let kind = match tag.as_str() {
        "b" | "strong" => "bold",
        "i" | "em" => "italic",
        "u" | "ins" => "underline",
        "s" | "strike" | "del" => "strikethrough",
        "tg-spoiler" => "spoiler",
        "span" if attributes.contains("tg-spoiler") => "spoiler",
        "blockquote" if attributes.contains("expandable") => "expandable_blockquote",
        "blockquote" => "blockquote",
        "code" => "code",
        "pre" => "pre",
        "a" => {
            extra.push(("url", attribute(attributes, "href")));
            "text_link"
        }
        "tg-emoji" => {
            extra.push(("custom_emoji_id", attribute(attributes, "emoji-id")));
            "custom_emoji"
        }
        _ => return Err(broken(format!("Unsupported start tag \"{tag}\" at byte offset {at}"))),
    };
    let start = built.length;
    built.open.push(Open { tag, kind, extra, start });
    Ok(())
}

fn attribute(attributes: &str, name: &str) -> String {
    let value = attributes.split_once(&format!("{name}=")).map(|(_, rest)| rest).unwrap_or_default();
    let quote = value.chars().next().filter(|c| *c == '"' || *c == '\'');
    let value = match quote {
        Some(quote) => value[1..].split(quote).next().unwrap_or_default(),
        None => value.split_whitespace().next().unwrap_or_default(),
    };
    value.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn html_entity(text: &str) -> Option<(char, usize)> {
    let end = text.find(';').filter(|end| *end <= 10)?;
    let decoded = match &text[1..end] {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        number => {
            let number = number.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((decoded, end + 1))
}

const RESERVED: &str = "_*[]()~`>#+-=|{}.!";
const MARKS: &[(&str, &str)] =
    &[("||", "spoiler"), ("__", "underline"), ("*", "bold"), ("_", "italic"), ("~", "strikethrough")];

/// # Errors
/// 400 "can't parse entities" for an unescaped reserved character and for an unclosed mark.
pub fn markdown_v2(raw: &str) -> Result<Formatted, ApiError> {
    let mut built = Builder::default();
    let mut at = 0;
    let mut line_start = true;
    while let Some(character) = raw[at..].chars().next() {
        let rest = &raw[at..];
        let was_line_start = std::mem::replace(&mut line_start, character == '\n');
        at += match character {
            '\\' => escaped(&mut built, rest),
            '`' => code(&mut built, rest, at)?,
            '[' => {
                built.open.push(Open {
                    tag: "[".into(),
                    kind: "text_link",
                    extra: Vec::new(),
                    start: built.length,
                });
                1
            }
            ']' => link_end(&mut built, rest, at)?,
            '>' if was_line_start => 1,
            _ => match MARKS.iter().find(|(mark, _)| rest.starts_with(mark)) {
                Some((mark, kind)) => {
                    toggle(&mut built, mark, kind);
                    mark.len()
                }
                None if RESERVED.contains(character) => {
                    return Err(broken(format!(
                        "Character '{character}' is reserved and must be escaped with the preceding '\\'"
                    )));
                }
                None => {
                    built.push(character);
                    character.len_utf8()
                }
            },
        };
    }
    match built.open.last() {
        Some(open) => {
            Err(broken(format!("Can't find end of {} entity at byte offset {}", open.kind, open.start)))
        }
        None => Ok(built.finish()),
    }
}

fn escaped(built: &mut Builder, rest: &str) -> usize {
    match rest.chars().nth(1).filter(char::is_ascii) {
        Some(next) => {
            built.push(next);
            2
        }
        None => {
            built.push('\\');
            1
        }
    }
}

fn toggle(built: &mut Builder, mark: &str, kind: &'static str) {
    match built.open.pop_if(|open| open.tag == mark) {
        Some(open) => built.close(open),
        None => built.open.push(Open { tag: mark.into(), kind, extra: Vec::new(), start: built.length }),
    }
}

fn code(built: &mut Builder, rest: &str, at: usize) -> Result<usize, ApiError> {
    let (mark, kind) = if rest.starts_with("```") { ("```", "pre") } else { ("`", "code") };
    let inside = &rest[mark.len()..];
    let end = unescaped(inside, mark)
        .ok_or_else(|| broken(format!("Can't find end of {kind} entity at byte offset {at}")))?;
    let mut content = inside[..end].replace("\\`", "`").replace("\\\\", "\\");
    let mut extra = Vec::new();
    if kind == "pre"
        && let Some((language, body)) = content.split_once('\n')
    {
        if !language.is_empty() && !language.contains(char::is_whitespace) {
            extra.push(("language", language.to_owned()));
        }
        if !language.contains(char::is_whitespace) {
            content = body.to_owned();
        }
    }
    let open = Open { tag: mark.into(), kind, extra, start: built.length };
    built.length += utf16_len(&content);
    built.shown.text.push_str(&content);
    built.close(open);
    Ok(mark.len() * 2 + end)
}

fn unescaped(text: &str, mark: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = text[from..].find(mark) {
        let at = from + found;
        let slashes = text[..at].chars().rev().take_while(|c| *c == '\\').count();
        if slashes % 2 == 0 {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

fn link_end(built: &mut Builder, rest: &str, at: usize) -> Result<usize, ApiError> {
    let Some(mut open) = built.open.pop_if(|open| open.tag == "[") else {
        return Err(broken("Character ']' is reserved and must be escaped with the preceding '\\'"));
    };
    let Some(target) = rest.strip_prefix("](") else {
        return Ok(1);
    };
    let end = unescaped(target, ")")
        .ok_or_else(|| broken(format!("Can't find end of a URL at byte offset {at}")))?;
    open.extra.push(("url", target[..end].replace("\\)", ")").replace("\\\\", "\\")));
    built.close(open);
    Ok(end + 3)
}

/// The old Markdown: no nesting, a backslash before `_ * [` and a backtick.
///
/// # Errors
/// 400 "can't parse entities" for an unclosed mark.
pub fn markdown(raw: &str) -> Result<Formatted, ApiError> {
    let mut built = Builder::default();
    let mut at = 0;
    while let Some(character) = raw[at..].chars().next() {
        let rest = &raw[at..];
        at += match character {
            '\\' if rest[1..].starts_with(['_', '*', '[', '`']) => escaped(&mut built, rest),
            '`' => code(&mut built, rest, at)?,
            '*' | '_' => {
                let inside = &rest[1..];
                let kind = if character == '*' { "bold" } else { "italic" };
                let end = inside.find(character).ok_or_else(|| {
                    broken(format!("Can't find end of the entity starting at byte offset {at}"))
                })?;
                let open = Open { tag: String::new(), kind, extra: Vec::new(), start: built.length };
                inside[..end].chars().for_each(|c| built.push(c));
                built.close(open);
                end + 2
            }
            '[' => {
                match rest.split_once("](").and_then(|(label, tail)| Some((label, tail.split_once(')')?.0))) {
                    Some((label, target)) if !label.contains(']') => {
                        let extra = vec![("url", target.to_owned())];
                        let open = Open { tag: String::new(), kind: "text_link", extra, start: built.length };
                        label[1..].chars().for_each(|c| built.push(c));
                        built.close(open);
                        label.len() + target.len() + 3
                    }
                    _ => {
                        built.push('[');
                        1
                    }
                }
            }
            other => {
                built.push(other);
                other.len_utf8()
            }
        };
    }
    Ok(built.finish())
}
