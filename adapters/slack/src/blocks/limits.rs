//! Slack's published limits for blocks ("Reference: blocks / block elements"), and a judge that knows them.
//!
//! Not here: who keeps them (every builder cuts what it is given).

#[cfg(test)]
pub(crate) const BLOCKS_IN_MESSAGE: usize = 50;
#[cfg(test)]
pub(crate) const BLOCKS_IN_VIEW: usize = 100;
#[cfg(test)]
pub(crate) const SECTION_TEXT: usize = 3000;
#[cfg(test)]
pub(crate) const FIELD_TEXT: usize = 2000;
pub(crate) const HEADER_TEXT: usize = 150;
#[cfg(test)]
pub(crate) const CONTEXT_ELEMENTS: usize = 10;
pub(crate) const ACTION_ELEMENTS: usize = 25;
pub(crate) const BUTTON_TEXT: usize = 75;
pub(crate) const BUTTON_VALUE: usize = 2000;
pub(crate) const ACTION_ID: usize = 255;
pub(crate) const OPTION_TEXT: usize = 75;
pub(crate) const OPTION_VALUE: usize = 150;
pub(crate) const OVERFLOW_OPTIONS: usize = 5;
pub(crate) const INPUT_TEXT: usize = 3000;
pub(crate) const VIEW_TITLE: usize = 24;
pub(crate) const METADATA: usize = 3000;
/// Not published: beyond about this many characters in all blocks together, `msg_blocks_too_long` (bolt-js#2509).
#[cfg(test)]
pub(crate) const MESSAGE_TOTAL: usize = 13_000;

/// UTF-16 units: Slack does not say what it counts, and no other count gives more.
pub(crate) fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

#[cfg(test)]
pub(crate) use judge::{Surface, check};

#[cfg(test)]
mod judge {
    use serde_json::Value;

    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Surface {
        /// An array of blocks.
        Message,
        /// A whole view.
        Modal,
        Home,
    }

    /// What Slack would refuse, in words; empty when nothing.
    pub(crate) fn check(surface: Surface, given: &Value) -> Vec<String> {
        let mut found = Vec::new();
        let blocks = if surface == Surface::Message { given } else { &given["blocks"] };
        if surface != Surface::Message {
            view(surface, given, &mut found);
        }
        let Some(blocks) = blocks.as_array() else { return vec!["no blocks".into()] };
        let most = if surface == Surface::Message { BLOCKS_IN_MESSAGE } else { BLOCKS_IN_VIEW };
        if blocks.is_empty() || blocks.len() > most {
            found.push(format!("{} blocks", blocks.len()));
        }
        let total: usize = blocks.iter().map(letters).sum();
        if surface == Surface::Message && total > MESSAGE_TOTAL {
            found.push(format!("{total} characters in all"));
        }
        let mut ids = std::collections::BTreeSet::new();
        for (nth, block) in blocks.iter().enumerate() {
            if let Some(id) = block["block_id"].as_str()
                && !ids.insert(id)
            {
                found.push(format!("block_id {id} twice"));
            }
            let mut inside = Vec::new();
            self::block(surface, block, &mut inside);
            found.extend(inside.into_iter().map(|fault| format!("block {nth} ({}): {fault}", block["type"])));
        }
        found
    }

    fn view(surface: Surface, view: &Value, found: &mut Vec<String>) {
        let kind = if surface == Surface::Modal { "modal" } else { "home" };
        if view["type"] != kind {
            found.push(format!("type {}", view["type"]));
        }
        length("private_metadata", &view["private_metadata"], METADATA, found);
        length("callback_id", &view["callback_id"], ACTION_ID, found);
        if surface == Surface::Modal {
            for part in ["title", "submit", "close"] {
                if !view[part].is_null() {
                    text(part, &view[part], "plain_text", VIEW_TITLE, found);
                }
            }
            let input =
                view["blocks"].as_array().is_some_and(|blocks| blocks.iter().any(|b| b["type"] == "input"));
            if view["title"].is_null() || (input && view["submit"].is_null()) {
                found.push("a modal needs a title, and with inputs a submit".into());
            }
        }
    }

    fn block(surface: Surface, block: &Value, found: &mut Vec<String>) {
        length("block_id", &block["block_id"], ACTION_ID, found);
        match block["type"].as_str().unwrap_or_default() {
            "section" => {
                if !block["text"].is_null() {
                    text("text", &block["text"], "", SECTION_TEXT, found);
                }
                let fields = list(block, "fields");
                if (block["text"].is_null() && fields.is_empty()) || fields.len() > 10 {
                    found.push(format!("{} fields", fields.len()));
                }
                fields.iter().for_each(|field| text("field", field, "", FIELD_TEXT, found));
                if !block["accessory"].is_null() {
                    element(&block["accessory"], found);
                }
            }
            "header" => text("text", &block["text"], "plain_text", HEADER_TEXT, found),
            "context" => {
                count("context", list(block, "elements").len(), CONTEXT_ELEMENTS, found);
                list(block, "elements").iter().for_each(|part| text("element", part, "", FIELD_TEXT, found));
            }
            "actions" => {
                let elements = list(block, "elements");
                count("actions", elements.len(), ACTION_ELEMENTS, found);
                elements.iter().for_each(|part| element(part, found));
                unique(elements, found);
            }
            "context_actions" if surface == Surface::Message => {
                count("context_actions", list(block, "elements").len(), 5, found);
                list(block, "elements").iter().for_each(|part| element(part, found));
            }
            "input" if surface != Surface::Message => {
                text("label", &block["label"], "plain_text", 2000, found);
                if !block["hint"].is_null() {
                    text("hint", &block["hint"], "plain_text", 2000, found);
                }
                element(&block["element"], found);
            }
            "rich_text" => rich(block, found),
            "divider" => {}
            other => found.push(format!("{other} is not known here")),
        }
    }

    fn element(part: &Value, found: &mut Vec<String>) {
        let kind = part["type"].as_str().unwrap_or_default();
        length("action_id", &part["action_id"], ACTION_ID, found);
        if part["action_id"].as_str().is_none_or(str::is_empty) {
            found.push(format!("a {kind} without action_id"));
        }
        if !part["placeholder"].is_null() {
            text("placeholder", &part["placeholder"], "plain_text", 150, found);
        }
        match kind {
            "button" => {
                text("button", &part["text"], "plain_text", BUTTON_TEXT, found);
                length("value", &part["value"], BUTTON_VALUE, found);
                length("url", &part["url"], 3000, found);
            }
            "overflow" => {
                count("overflow", list(part, "options").len(), OVERFLOW_OPTIONS, found);
                options(part, found);
            }
            "static_select" | "checkboxes" | "radio_buttons" => {
                count(
                    kind,
                    list(part, "options").len(),
                    if kind == "static_select" { 100 } else { 10 },
                    found,
                );
                options(part, found);
            }
            "feedback_buttons" => {
                for side in ["positive_button", "negative_button"] {
                    text(side, &part[side]["text"], "plain_text", BUTTON_TEXT, found);
                    length("value", &part[side]["value"], BUTTON_VALUE, found);
                    if part[side]["value"].as_str().is_none_or(str::is_empty) {
                        found.push(format!("{side} without a value"));
                    }
                }
            }
            "plain_text_input" => {
                if part["max_length"].as_u64().is_some_and(|most| most == 0 || most > INPUT_TEXT as u64) {
                    found.push("max_length".into());
                }
                let most = part["max_length"].as_u64().unwrap_or(INPUT_TEXT as u64) as usize;
                length("initial_value", &part["initial_value"], most, found);
            }
            "users_select" => {}
            other => found.push(format!("an element {other}")),
        }
    }

    fn options(part: &Value, found: &mut Vec<String>) {
        for option in list(part, "options") {
            text("option", &option["text"], "", OPTION_TEXT, found);
            length("option's value", &option["value"], OPTION_VALUE, found);
            if option["value"].as_str().is_none_or(str::is_empty) {
                found.push("an option without value".into());
            }
        }
    }

    fn unique(elements: &[Value], found: &mut Vec<String>) {
        let mut ids = std::collections::BTreeSet::new();
        for id in elements.iter().filter_map(|part| part["action_id"].as_str()) {
            if !ids.insert(id) {
                found.push(format!("action_id {id} twice"));
            }
        }
    }

    fn rich(block: &Value, found: &mut Vec<String>) {
        count("rich_text", list(block, "elements").len(), usize::MAX, found);
        for element in list(block, "elements") {
            let kind = element["type"].as_str().unwrap_or_default();
            let parts = list(element, "elements");
            count(kind, parts.len(), usize::MAX, found);
            match kind {
                "rich_text_section" | "rich_text_quote" | "rich_text_preformatted" => {
                    parts.iter().for_each(|part| inline(part, found));
                }
                "rich_text_list" => {
                    if !matches!(element["style"].as_str(), Some("bullet" | "ordered")) {
                        found.push("a list without style".into());
                    }
                    for item in parts {
                        count("item", list(item, "elements").len(), usize::MAX, found);
                        list(item, "elements").iter().for_each(|part| inline(part, found));
                    }
                }
                other => found.push(format!("{other} in rich text")),
            }
        }
    }

    fn inline(part: &Value, found: &mut Vec<String>) {
        match part["type"].as_str().unwrap_or_default() {
            "text" if part["text"].as_str().is_none_or(str::is_empty) => found.push("an empty text".into()),
            "text" => {}
            "link" => {
                if part["url"].as_str().is_none_or(|url| url.is_empty() || url.len() > 3000) {
                    found.push("a link's address".into());
                }
            }
            "user" if part["user_id"].as_str().is_some_and(|id| !id.is_empty()) => {}
            other => found.push(format!("{other} in a line")),
        }
    }

    fn text(what: &str, object: &Value, kind: &str, most: usize, found: &mut Vec<String>) {
        let own = object["type"].as_str().unwrap_or_default();
        if !matches!(own, "plain_text" | "mrkdwn") || (!kind.is_empty() && own != kind) {
            found.push(format!("{what} is {own}"));
        }
        if object["text"].as_str().is_none_or(str::is_empty) {
            found.push(format!("{what} is empty"));
        }
        length(what, &object["text"], most, found);
    }

    fn length(what: &str, value: &Value, most: usize, found: &mut Vec<String>) {
        if let Some(text) = value.as_str()
            && units(text) > most
        {
            found.push(format!("{what} has {} of {most}", units(text)));
        }
    }

    fn count(what: &str, number: usize, most: usize, found: &mut Vec<String>) {
        if number == 0 || number > most {
            found.push(format!("{what} with {number} elements"));
        }
    }

    fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
        value[key].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// All characters of all texts: the total that Slack does not publish.
    fn letters(value: &Value) -> usize {
        match value {
            Value::String(text) => units(text),
            Value::Array(values) => values.iter().map(letters).sum(),
            Value::Object(fields) => {
                fields.iter().filter(|(key, _)| *key != "type").map(|(_, value)| letters(value)).sum()
            }
            _ => 0,
        }
    }
}
