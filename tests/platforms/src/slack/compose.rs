//! The wire's text format: what a person's client makes of what they typed, and what a text does when it is shown.
//! Nothing here knows of channels or apps.

use serde_json::{Value, json};

/// `&`, `<` and `>` as the wire has them.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

pub fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// What stands in angle brackets.
fn bracketed(text: &str) -> impl Iterator<Item = &str> {
    text.split('<').skip(1).filter_map(|rest| rest.split_once('>').map(|(inside, _)| inside))
}

/// Links of a text on the wire.
pub fn links(text: &str) -> Vec<String> {
    let url = |inside: &str| unescaped(inside.split('|').next().unwrap_or_default());
    bracketed(text).map(url).filter(|url| url.contains("://")).collect()
}

pub fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', ':', '?', '#']).next().unwrap_or_default()
}

/// Mentions in a text that notify somebody when an app sends it.
pub fn pings(text: &str) -> Vec<String> {
    let rings = |inside: &&str| {
        inside.starts_with('@')
            || ["!channel", "!here", "!everyone", "!subteam"].iter().any(|it| inside.starts_with(it))
    };
    bracketed(text).filter(rings).map(|inside| format!("<{inside}>")).collect()
}

/// Mentions in blocks: `mrkdwn` and `markdown` texts, rich text elements.
pub fn pings_in(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(all) => all.iter().for_each(|one| pings_in(one, found)),
        Value::Object(fields) => {
            let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
            match kind {
                "mrkdwn" | "markdown" => {
                    found.extend(pings(fields.get("text").and_then(Value::as_str).unwrap_or_default()));
                }
                "user" | "usergroup" | "broadcast" => found.push(value.to_string()),
                _ => fields.values().for_each(|one| pings_in(one, found)),
            }
        }
        _ => {}
    }
}

/// The `rich_text` block that a person's client sends beside the text. Formats of a whole word or phrase, mentions,
/// links, emoji, fences, quotes and bullets; nothing nested.
pub fn rich_text(wire: &str) -> Value {
    let mut elements: Vec<Value> = Vec::new();
    let mut fence: Option<String> = None;
    for line in wire.split('\n') {
        if let Some(rest) = line.strip_prefix("```") {
            match fence.take() {
                Some(code) => elements.push(preformatted(&code)),
                None => fence = Some(rest.to_owned()),
            }
        } else if let Some(code) = &mut fence {
            if !code.is_empty() {
                code.push('\n');
            }
            code.push_str(line);
        } else {
            add_line(&mut elements, line);
        }
    }
    if let Some(code) = fence {
        elements.push(preformatted(&code));
    }
    json!({ "type": "rich_text", "block_id": "rt1", "elements": elements })
}

fn preformatted(code: &str) -> Value {
    json!({ "type": "rich_text_preformatted", "border": 0, "elements": [{ "type": "text", "text": unescaped(code) }] })
}

fn add_line(elements: &mut Vec<Value>, line: &str) {
    let (kind, rest) = if let Some(rest) = line.strip_prefix("&gt; ") {
        ("rich_text_quote", rest)
    } else if let Some(rest) = line.strip_prefix("• ") {
        ("rich_text_list", rest)
    } else {
        ("rich_text_section", line)
    };
    let spans = spans(rest);
    let last = elements.last_mut().filter(|last| last["type"] == kind);
    if kind == "rich_text_list" {
        let item = json!({ "type": "rich_text_section", "elements": spans });
        match last.and_then(|last| last["elements"].as_array_mut()) {
            Some(items) => items.push(item),
            None => {
                elements.push(json!({ "type": kind, "style": "bullet", "indent": 0, "elements": [item] }))
            }
        }
        return;
    }
    match last.and_then(|last| last["elements"].as_array_mut()) {
        Some(all) => {
            all.push(json!({ "type": "text", "text": "\n" }));
            all.extend(spans);
        }
        None => elements.push(json!({ "type": kind, "elements": spans })),
    }
}

fn spans(line: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut rest = line;
    let mut plain = String::new();
    while let Some(first) = rest.chars().next() {
        let taken = if first == '<' { angle(rest) } else { None };
        let taken = taken.or_else(|| styled(rest, &plain)).or_else(|| emoji(rest));
        match taken {
            Some((element, length)) => {
                flush(&mut plain, &mut found);
                found.push(element);
                rest = &rest[length..];
            }
            None => {
                plain.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    flush(&mut plain, &mut found);
    found
}

fn flush(plain: &mut String, found: &mut Vec<Value>) {
    if !plain.is_empty() {
        found.push(json!({ "type": "text", "text": unescaped(plain) }));
        plain.clear();
    }
}

fn angle(text: &str) -> Option<(Value, usize)> {
    let (inside, _) = text[1..].split_once('>')?;
    let (target, label) =
        inside.split_once('|').map_or((inside, None), |(target, label)| (target, Some(label)));
    let element = if let Some(user) = target.strip_prefix('@') {
        json!({ "type": "user", "user_id": user })
    } else if let Some(channel) = target.strip_prefix('#') {
        json!({ "type": "channel", "channel_id": channel })
    } else if let Some(group) = target.strip_prefix("!subteam^") {
        json!({ "type": "usergroup", "usergroup_id": group })
    } else if let Some(range) = target.strip_prefix('!') {
        json!({ "type": "broadcast", "range": range })
    } else {
        let mut link = json!({ "type": "link", "url": unescaped(target) });
        if let Some(label) = label {
            link["text"] = json!(unescaped(label));
        }
        link
    };
    Some((element, inside.len() + 2))
}

fn styled(text: &str, before: &str) -> Option<(Value, usize)> {
    let mark = text.chars().next().filter(|mark| "*_~`".contains(*mark))?;
    if before.chars().next_back().is_some_and(char::is_alphanumeric) {
        return None;
    }
    let (inside, after) = text[1..].split_once(mark)?;
    let word = after.chars().next().is_some_and(char::is_alphanumeric);
    if inside.is_empty() || word || inside.starts_with(' ') || inside.ends_with(' ') || inside.contains('<') {
        return None;
    }
    let style = match mark {
        '*' => "bold",
        '_' => "italic",
        '~' => "strike",
        _ => "code",
    };
    Some((json!({ "type": "text", "text": unescaped(inside), "style": { style: true } }), inside.len() + 2))
}

fn emoji(text: &str) -> Option<(Value, usize)> {
    let (name, _) = text.strip_prefix(':')?.split_once(':')?;
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_+-'".contains(c);
    let shortcode = !name.is_empty() && name.chars().all(known) && name.chars().any(|c| !c.is_ascii_digit());
    shortcode.then(|| (json!({ "type": "emoji", "name": name }), name.len() + 2))
}
