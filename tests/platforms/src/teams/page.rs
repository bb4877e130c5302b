//! What a person sees of a message: its HTML as words, links and mentions; and whether the HTML is of the kinds that
//! Teams takes ("Format your bot messages": XML must be well-formed).

use serde_json::Value;

/// One message as it is read.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Page {
    pub text: String,
    pub links: Vec<String>,
    pub pings: Vec<String>,
    pub buttons: Vec<String>,
}

const TAGS: [&str; 17] = [
    "p",
    "br",
    "b",
    "i",
    "s",
    "strike",
    "u",
    "code",
    "pre",
    "blockquote",
    "ul",
    "ol",
    "li",
    "a",
    "at",
    "h1",
    "h2",
];

/// # Errors
/// Why Teams would not take it.
pub fn read(activity: &Value) -> Result<Page, String> {
    let text = activity["text"].as_str().unwrap_or_default();
    let mut page = match activity["textFormat"].as_str() {
        Some("xml") => html(text)?,
        Some("plain") => Page { text: text.to_owned(), ..Page::default() },
        other => return Err(format!("textFormat {other:?}")),
    };
    for entity in activity["entities"].as_array().into_iter().flatten() {
        let called = entity["text"].as_str().unwrap_or_default();
        if entity["type"] == "mention" {
            // Without the very text in the message the entity is refused.
            if !text.contains(called) || entity["mentioned"]["id"].as_str().is_none_or(str::is_empty) {
                return Err("a mention that is not in the text".into());
            }
            page.pings.push(called.to_owned());
        }
    }
    for attachment in activity["attachments"].as_array().into_iter().flatten() {
        if attachment["contentType"] == "application/vnd.microsoft.card.adaptive" {
            card(&attachment["content"], &mut page)?;
        }
    }
    Ok(page)
}

fn card(card: &Value, page: &mut Page) -> Result<(), String> {
    let version = ["1.4", "1.5"].iter().any(|version| card["version"] == *version);
    let sound = card["type"] == "AdaptiveCard" && version && card["body"].is_array();
    if !sound {
        return Err("not an Adaptive Card 1.4 or 1.5".into());
    }
    let primary =
        card["actions"].as_array().into_iter().flatten().filter(|action| action["mode"] != "secondary");
    if primary.count() > 6 {
        return Err("more than six primary actions".into());
    }
    let viewers = card["refresh"]["userIds"].as_array().map_or(0, Vec::len);
    if viewers > 60 || (!card["refresh"].is_null() && card["refresh"]["action"]["type"] != "Action.Execute") {
        return Err("a refresh for too many, or by no Action.Execute".into());
    }
    let mut words = Vec::new();
    walk(card, &mut words, page)?;
    if page.text.is_empty() {
        page.text = words.join("\n");
    }
    Ok(())
}

/// The element kinds of the schema that this fake knows; others are refused, as strict clients drop the whole card.
fn walk(value: &Value, words: &mut Vec<String>, page: &mut Page) -> Result<(), String> {
    match value["type"].as_str() {
        Some("AdaptiveCard" | "ActionSet" | "Input.Text") | None => {}
        Some("RichTextBlock") => {
            let runs = value["inlines"].as_array().ok_or("a RichTextBlock without inlines")?;
            words.push(runs.iter().filter_map(|run| run["text"].as_str()).collect());
        }
        Some("TextRun") => return Err("a TextRun outside of a block".into()),
        Some("Action.Execute") => {
            let title = value["title"].as_str().ok_or("a button without a title")?;
            value["verb"].as_str().ok_or("a button without a verb")?;
            page.buttons.push(title.to_owned());
        }
        // In dialogs.
        Some("Action.Submit") => {
            page.buttons.push(value["title"].as_str().ok_or("a button without a title")?.to_owned());
        }
        Some(other) => return Err(format!("card element {other}")),
    }
    if value["type"] == "Input.Text" && value["id"].as_str().is_none_or(str::is_empty) {
        return Err("an input without an id".into());
    }
    for key in ["body", "actions", "items"] {
        for inner in value[key].as_array().into_iter().flatten() {
            walk(inner, words, page)?;
        }
    }
    Ok(())
}

fn html(source: &str) -> Result<Page, String> {
    let mut page = Page::default();
    let mut open: Vec<String> = Vec::new();
    let mut rest = source;
    let mut blocks = 0;
    while let Some(at) = rest.find('<') {
        words(&rest[..at], &mut page)?;
        let end = rest[at..].find('>').ok_or("a tag without an end")? + at;
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        let name: String =
            tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        if !TAGS.contains(&name.as_str()) {
            return Err(format!("tag {name}"));
        }
        if name == "br" {
            page.text.push('\n');
        } else if tag.starts_with('/') {
            if open.pop().as_deref() != Some(name.as_str()) {
                return Err(format!("</{name}> where it is not open"));
            }
        } else {
            if ["p", "li", "pre", "blockquote", "ul", "ol"].contains(&name.as_str())
                && blocks > 0
                && !page.text.ends_with('\n')
            {
                page.text.push('\n');
            }
            blocks += 1;
            if name == "a" {
                let link = tag.split("href=\"").nth(1).and_then(|rest| rest.split('"').next());
                page.links.push(decode(link.ok_or("a link without an address")?)?);
            }
            open.push(name);
        }
    }
    words(rest, &mut page)?;
    if open.is_empty() { Ok(page) } else { Err(format!("left open: {open:?}")) }
}

fn words(raw: &str, page: &mut Page) -> Result<(), String> {
    if raw.contains('>') {
        return Err("a bare >".into());
    }
    page.text.push_str(&decode(raw)?);
    Ok(())
}

fn decode(raw: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let end = rest[at..].find(';').ok_or("a bare &")? + at;
        out.push(match &rest[at + 1..end] {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "nbsp" => ' ',
            other => return Err(format!("&{other};")),
        });
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}
