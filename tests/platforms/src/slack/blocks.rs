//! Block Kit's published limits (docs.slack.dev/reference/block-kit), as the platform enforces them.
//! What blocks look like to a person is in `message`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::error::ApiError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    Message,
    Modal,
    Home,
}

/// Characters in all texts of a message's blocks together. Not published; bolt-js#2509 met it.
pub const MAX_BLOCKS_TEXT: usize = 13_000;
pub const MAX_MARKDOWN: usize = 12_000;
const TOP: [&str; 16] = [
    "actions",
    "carousel",
    "context",
    "context_actions",
    "divider",
    "file",
    "header",
    "image",
    "input",
    "markdown",
    "plan",
    "rich_text",
    "section",
    "table",
    "task_card",
    "video",
];

/// Checks blocks and fills in the `block_id`s that are missing.
///
/// # Errors
/// `invalid_blocks_format`, `invalid_blocks`, `msg_blocks_too_long`.
pub fn accept(mut blocks: Value, surface: Surface, serial: &mut u64) -> Result<Value, ApiError> {
    let Some(list) = blocks.as_array_mut() else { return Err(ApiError::new("invalid_blocks_format")) };
    let mut check = Check::default();
    let most = if surface == Surface::Message { 50 } else { 100 };
    check.when(list.len() > most, "", &format!("no more than {most} items allowed"));
    let mut ids = BTreeSet::new();
    for (at, block) in list.iter_mut().enumerate() {
        let path = format!("/blocks/{at}");
        check.block(block, &path, surface);
        if block["block_id"].is_null() && block.is_object() {
            *serial += 1;
            block["block_id"] = json!(format!("b{serial:04}"));
        }
        let id = block["block_id"].as_str().unwrap_or_default().to_owned();
        check.when(!ids.insert(id), &path, "`block_id` must be unique");
    }
    let markdown: usize = check.markdown;
    check.when(markdown > MAX_MARKDOWN, "", "markdown blocks must be less than 12001 characters");
    if !check.found.is_empty() {
        return Err(ApiError::explained("invalid_blocks", &check.found));
    }
    if surface == Surface::Message && characters(&blocks) > MAX_BLOCKS_TEXT {
        return Err(ApiError::new("msg_blocks_too_long"));
    }
    Ok(blocks)
}

/// Checks a modal or a Home tab.
///
/// # Errors
/// `invalid_arguments` with what is wrong, or as `accept`.
pub fn accept_view(mut view: Value, serial: &mut u64) -> Result<Value, ApiError> {
    let mut check = Check::default();
    let home = view["type"] == "home";
    check.when(!home && view["type"] != "modal", "/view/type", "must be modal or home");
    let blocks = view["blocks"].clone();
    let has_input =
        blocks.as_array().is_some_and(|blocks| blocks.iter().any(|block| block["type"] == "input"));
    if !home {
        check.plain(&view["title"], "/view/title", 24, true);
        check.plain(&view["submit"], "/view/submit", 24, has_input);
        check.plain(&view["close"], "/view/close", 24, false);
    }
    check.length(&view["private_metadata"], "/view/private_metadata", 3000);
    check.length(&view["callback_id"], "/view/callback_id", 255);
    if !check.found.is_empty() {
        return Err(ApiError::explained("invalid_arguments", &check.found));
    }
    let surface = if home { Surface::Home } else { Surface::Modal };
    view["blocks"] = accept(blocks, surface, serial).map_err(|error| match error.name.as_str() {
        "invalid_blocks" => ApiError { name: "invalid_arguments".into(), ..error },
        _ => error,
    })?;
    Ok(view)
}

/// All texts of blocks, characters.
fn characters(value: &Value) -> usize {
    match value {
        Value::Array(all) => all.iter().map(characters).sum(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| match value {
                Value::String(text) if name == "text" => text.chars().count(),
                other => characters(other),
            })
            .sum(),
        _ => 0,
    }
}

#[derive(Default)]
struct Check {
    found: Vec<String>,
    markdown: usize,
}

impl Check {
    fn when(&mut self, wrong: bool, path: &str, what: &str) {
        if wrong {
            self.found.push(format!("[ERROR] {what} [json-pointer:{path}]"));
        }
    }

    fn length(&mut self, value: &Value, path: &str, most: usize) {
        let wrong = value.as_str().is_some_and(|text| text.chars().count() > most);
        self.when(wrong, path, &format!("must be less than {} characters", most + 1));
        self.when(!value.is_string() && !value.is_null(), path, "must be a string");
    }

    /// A text object of either kind.
    fn text(&mut self, value: &Value, path: &str, most: usize) {
        let known = value["type"] == "mrkdwn" || value["type"] == "plain_text";
        self.when(!known, path, "unsupported type of text");
        self.when(value["text"].as_str().is_none_or(str::is_empty), path, "must be more than 0 characters");
        self.length(&value["text"], &format!("{path}/text"), most);
        let emoji = value["type"] == "mrkdwn" && !value["emoji"].is_null();
        self.when(emoji, path, "`emoji` is for plain_text only");
    }

    fn plain(&mut self, value: &Value, path: &str, most: usize, required: bool) {
        if value.is_null() {
            self.when(required, path, "missing required field");
            return;
        }
        self.when(value["type"] != "plain_text", path, "must be plain_text");
        self.text(value, path, most);
    }

    fn block(&mut self, block: &Value, path: &str, surface: Surface) {
        let kind = block["type"].as_str().unwrap_or_default();
        if !TOP.contains(&kind) {
            self.when(true, path, &format!("unsupported type: {kind}"));
            return;
        }
        self.length(&block["block_id"], &format!("{path}/block_id"), 255);
        match kind {
            "section" => self.section(block, path),
            "header" => self.plain(&block["text"], &format!("{path}/text"), 150, true),
            "context" => self.elements(block, path, 10, Check::context_element),
            "actions" => self.elements(block, path, 25, Check::element),
            "context_actions" => {
                self.when(surface != Surface::Message, path, "context_actions is for messages only");
                self.elements(block, path, 5, Check::element);
            }
            "image" => self.image(block, path),
            "input" => {
                self.plain(&block["label"], &format!("{path}/label"), 2000, true);
                self.plain(&block["hint"], &format!("{path}/hint"), 2000, false);
                self.element(&block["element"], &format!("{path}/element"));
            }
            "markdown" => {
                self.when(surface != Surface::Message, path, "markdown is for messages only");
                let text = block["text"].as_str().unwrap_or_default();
                self.when(text.is_empty(), path, "must be more than 0 characters");
                self.markdown += text.chars().count();
            }
            "rich_text" => self.elements(block, path, 1000, Check::rich),
            _ => {}
        }
    }

    fn section(&mut self, block: &Value, path: &str) {
        let fields = block["fields"].as_array();
        self.when(block["text"].is_null() && fields.is_none(), path, "either text or fields must be there");
        if !block["text"].is_null() {
            self.text(&block["text"], &format!("{path}/text"), 3000);
        }
        let fields = fields.map(Vec::as_slice).unwrap_or_default();
        self.when(fields.len() > 10, path, "no more than 10 fields allowed");
        for (at, field) in fields.iter().enumerate() {
            self.text(field, &format!("{path}/fields/{at}"), 2000);
        }
        if !block["accessory"].is_null() {
            self.element(&block["accessory"], &format!("{path}/accessory"));
        }
    }

    fn elements(&mut self, block: &Value, path: &str, most: usize, check: fn(&mut Check, &Value, &str)) {
        let elements = block["elements"].as_array().map(Vec::as_slice).unwrap_or_default();
        self.when(elements.is_empty(), path, "must have at least one element");
        self.when(elements.len() > most, path, &format!("no more than {most} elements allowed"));
        let mut ids = BTreeSet::new();
        for (at, element) in elements.iter().enumerate() {
            check(self, element, &format!("{path}/elements/{at}"));
            if let Some(id) = element["action_id"].as_str() {
                self.when(!ids.insert(id), path, "`action_id` must be unique in its block");
            }
        }
    }

    fn rich(&mut self, element: &Value, path: &str) {
        let kinds = ["rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"];
        let known = element["type"].as_str().is_some_and(|kind| kinds.contains(&kind));
        self.when(!known, path, "unsupported type in rich_text");
        self.when(!element["elements"].is_array(), path, "missing required field: elements");
    }

    fn context_element(&mut self, element: &Value, path: &str) {
        if element["type"] == "image" {
            self.image(element, path);
        } else {
            self.text(element, path, 2000);
        }
    }

    fn image(&mut self, block: &Value, path: &str) {
        let source = block["image_url"].is_string() || block["slack_file"].is_object();
        self.when(!source, path, "missing image_url or slack_file");
        self.length(&block["image_url"], &format!("{path}/image_url"), 3000);
        self.when(
            block["alt_text"].as_str().is_none_or(str::is_empty),
            path,
            "missing required field: alt_text",
        );
        self.length(&block["alt_text"], &format!("{path}/alt_text"), 2000);
        self.plain(&block["title"], &format!("{path}/title"), 2000, false);
    }

    fn element(&mut self, element: &Value, path: &str) {
        self.length(&element["action_id"], &format!("{path}/action_id"), 255);
        self.confirm(&element["confirm"], &format!("{path}/confirm"));
        self.plain(&element["placeholder"], &format!("{path}/placeholder"), 150, false);
        match element["type"].as_str().unwrap_or_default() {
            "button" => {
                self.plain(&element["text"], &format!("{path}/text"), 75, true);
                self.length(&element["value"], &format!("{path}/value"), 2000);
                self.length(&element["url"], &format!("{path}/url"), 3000);
                let style = element["style"].as_str();
                let known = style.is_none_or(|style| style == "primary" || style == "danger");
                self.when(!known, path, "style must be primary or danger");
            }
            "overflow" => self.options(element, path, 5),
            "static_select" | "multi_static_select" => self.options(element, path, 100),
            "radio_buttons" | "checkboxes" => self.options(element, path, 10),
            "image" => self.image(element, path),
            "feedback_buttons" => {
                for side in ["positive_button", "negative_button"] {
                    self.plain(&element[side]["text"], &format!("{path}/{side}/text"), 75, true);
                    self.length(&element[side]["value"], &format!("{path}/{side}/value"), 2000);
                    let value = element[side]["value"].as_str().is_none_or(str::is_empty);
                    self.when(value, path, "missing required field: value");
                }
            }
            "icon_button" => self.plain(&element["text"], &format!("{path}/text"), 75, true),
            "plain_text_input" | "email_text_input" | "url_text_input" | "number_input" => {
                let most = element["max_length"].as_u64();
                self.when(most.is_some_and(|most| most > 3000), path, "max_length must be at most 3000");
                self.length(&element["initial_value"], &format!("{path}/initial_value"), 3000);
            }
            kind => {
                let known = kind.ends_with("select") || kind.ends_with("picker") || kind.ends_with("input");
                self.when(!known, path, &format!("unsupported type: {kind}"));
            }
        }
    }

    fn options(&mut self, element: &Value, path: &str, most: usize) {
        let groups = element["option_groups"].as_array().map(Vec::as_slice).unwrap_or_default();
        self.when(groups.len() > 100, path, "no more than 100 option_groups allowed");
        let grouped = groups.iter().map(|group| &group["options"]);
        for options in std::iter::once(&element["options"]).chain(grouped) {
            let Some(options) = options.as_array() else { continue };
            self.when(options.is_empty(), path, "must have at least one option");
            self.when(options.len() > most, path, &format!("no more than {most} options allowed"));
            for (at, option) in options.iter().enumerate() {
                let path = format!("{path}/options/{at}");
                self.text(&option["text"], &format!("{path}/text"), 75);
                self.length(&option["value"], &format!("{path}/value"), 150);
                self.when(option["value"].as_str().is_none(), &path, "missing required field: value");
            }
        }
        let any = element["options"].is_array() || !groups.is_empty();
        self.when(!any, path, "missing required field: options");
    }

    fn confirm(&mut self, confirm: &Value, path: &str) {
        if confirm.is_null() {
            return;
        }
        self.plain(&confirm["title"], &format!("{path}/title"), 100, true);
        self.text(&confirm["text"], &format!("{path}/text"), 300);
        self.plain(&confirm["confirm"], &format!("{path}/confirm"), 30, true);
        self.plain(&confirm["deny"], &format!("{path}/deny"), 30, true);
    }
}
