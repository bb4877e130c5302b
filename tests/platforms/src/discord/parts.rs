//! The limits of embeds, components and modals ("Message › Embed Limits", "Components Reference").
//! The limits of a message as a whole are in `compose`.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::error::ApiError;

const MAX_EMBEDS: usize = 10;
const MAX_EMBED_TEXT: usize = 6000;
const MAX_ROWS: usize = 5;
const MAX_COMPONENTS: usize = 40;
const MAX_V2_TEXT: usize = 4000;

const BUTTON: u64 = 2;
const SELECT: u64 = 3;
const INPUT: u64 = 4;
const TEXT: u64 = 10;

fn listed<'a>(given: &'a Value, path: &str, most: usize) -> Result<&'a [Value], ApiError> {
    let items = match given {
        Value::Null => return Ok(&[]),
        Value::Array(items) => items,
        _ => {
            return Err(ApiError::form(
                path,
                "LIST_TYPE_CONVERT",
                "Only iterables may be used in a ListType",
            ));
        }
    };
    if items.len() > most {
        return Err(ApiError::form(
            path,
            "BASE_TYPE_MAX_LENGTH",
            &format!("Must be {most} or fewer in length."),
        ));
    }
    Ok(items)
}

/// Checks the length of a text, in characters.
fn text(holder: &Value, name: &str, path: &str, most: usize) -> Result<usize, ApiError> {
    let length = holder[name].as_str().map_or(0, |text| text.chars().count());
    if length > most { Err(ApiError::too_long(&format!("{path}.{name}"), most)) } else { Ok(length) }
}

fn needed(holder: &Value, name: &str, path: &str, most: usize) -> Result<usize, ApiError> {
    match text(holder, name, path, most)? {
        0 => Err(ApiError::required(&format!("{path}.{name}"))),
        length => Ok(length),
    }
}

/// Embeds as the message keeps them.
///
/// # Errors
/// `50035`, with the place.
pub fn embeds(given: &Value) -> Result<Vec<Value>, ApiError> {
    let given = listed(given, "embeds", MAX_EMBEDS)?;
    let (mut kept, mut total) = (Vec::new(), 0);
    for (at, embed) in given.iter().enumerate() {
        let path = format!("embeds.{at}");
        total += embed_length(embed, &path)?;
        let mut embed = embed.clone();
        embed["type"] = json!("rich");
        for field in embed["fields"].as_array_mut().into_iter().flatten() {
            if field["inline"].is_null() {
                field["inline"] = json!(false);
            }
        }
        if embed["fields"].is_null() {
            embed.as_object_mut().map(|fields| fields.remove("fields"));
        }
        kept.push(embed);
    }
    if total > MAX_EMBED_TEXT {
        let text = format!("Embed size exceeds maximum size of {MAX_EMBED_TEXT}");
        return Err(ApiError::form("embeds", "MAX_EMBED_SIZE_EXCEEDED", &text));
    }
    Ok(kept)
}

fn embed_length(embed: &Value, path: &str) -> Result<usize, ApiError> {
    if !embed.is_object() {
        return Err(ApiError::form(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType"));
    }
    let mut total = text(embed, "title", path, 256)? + text(embed, "description", path, 4096)?;
    total += text(&embed["footer"], "text", &format!("{path}.footer"), 2048)?;
    total += text(&embed["author"], "name", &format!("{path}.author"), 256)?;
    for (at, field) in listed(&embed["fields"], &format!("{path}.fields"), 25)?.iter().enumerate() {
        let path = format!("{path}.fields.{at}");
        total += needed(field, "name", &path, 256)? + needed(field, "value", &path, 1024)?;
    }
    if let Some(color) = embed["color"].as_i64()
        && !(0..=0x00FF_FFFF).contains(&color)
    {
        let text = "int value should be less than or equal to 16777215.";
        return Err(ApiError::form(&format!("{path}.color"), "NUMBER_TYPE_MAX", text));
    }
    Ok(total)
}

/// What is counted over all components of a message or a modal.
#[derive(Default)]
struct Tally {
    ids: BTreeSet<String>,
    count: usize,
    text: usize,
    serial: i64,
}

/// Components of a message as it keeps them, each with its `id`.
///
/// # Errors
/// `50035`, with the place.
pub fn components(given: &Value, second_version: bool) -> Result<Vec<Value>, ApiError> {
    let most = if second_version { MAX_COMPONENTS } else { MAX_ROWS };
    let given = listed(given, "components", most)?;
    let (mut tally, mut kept) = (Tally::default(), Vec::new());
    for (at, component) in given.iter().enumerate() {
        let path = format!("components.{at}");
        let kind = component["type"].as_u64().unwrap_or(0);
        let fits = if second_version { matches!(kind, 1 | 9 | 10 | 12 | 13 | 14 | 17) } else { kind == 1 };
        if !fits {
            return Err(wrong_kind(&path));
        }
        kept.push(tally.accept(component, &path)?);
    }
    if tally.count > MAX_COMPONENTS || tally.text > MAX_V2_TEXT {
        let text = "The components are more, or longer, than a message may hold.";
        return Err(ApiError::form("components", "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", text));
    }
    Ok(kept)
}

fn wrong_kind(path: &str) -> ApiError {
    let text = "Value of field \"type\" must be one of the components that may stand here.";
    ApiError::form(&format!("{path}.type"), "UNION_TYPE_CHOICES", text)
}

impl Tally {
    fn accept(&mut self, component: &Value, path: &str) -> Result<Value, ApiError> {
        self.count += 1;
        self.serial += 1;
        let id = component["id"].as_i64().filter(|id| *id != 0).unwrap_or(self.serial);
        let mut kept = match component["type"].as_u64() {
            Some(1) => self.row(component, path)?,
            Some(BUTTON) => self.button(component, path)?,
            Some(SELECT | 5..=8) => self.select(component, path)?,
            Some(9) => {
                let mut kept = self.children(component, path, 3)?;
                kept["accessory"] = self.accept(&component["accessory"], &format!("{path}.accessory"))?;
                kept
            }
            Some(TEXT) => {
                self.text += needed(component, "content", path, MAX_V2_TEXT)?;
                component.clone()
            }
            Some(11..=14) => component.clone(),
            Some(17) => self.children(component, path, MAX_COMPONENTS)?,
            _ => return Err(wrong_kind(path)),
        };
        kept["id"] = json!(id);
        Ok(kept)
    }

    fn children(&mut self, component: &Value, path: &str, most: usize) -> Result<Value, ApiError> {
        let path = format!("{path}.components");
        let given = listed(&component["components"], &path, most)?;
        if given.is_empty() {
            let text = format!("Must be between 1 and {most} in length.");
            return Err(ApiError::form(&path, "BASE_TYPE_BAD_LENGTH", &text));
        }
        let mut children = Vec::new();
        for (at, child) in given.iter().enumerate() {
            children.push(self.accept(child, &format!("{path}.{at}"))?);
        }
        let mut kept = component.clone();
        kept["components"] = children.into();
        Ok(kept)
    }

    /// Up to five buttons, or one select.
    fn row(&mut self, row: &Value, path: &str) -> Result<Value, ApiError> {
        let kinds: Vec<u64> = row["components"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|it| it["type"].as_u64().unwrap_or(0))
            .collect();
        let all_buttons = kinds.iter().all(|kind| *kind == BUTTON);
        let one_select = matches!(kinds.as_slice(), [SELECT | 5..=8]);
        if !all_buttons && !one_select {
            let text = "The specified component width exceeds the row's, or it may not stand in one.";
            return Err(ApiError::form(
                &format!("{path}.components"),
                "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
                text,
            ));
        }
        self.children(row, path, 5)
    }

    fn claim(&mut self, component: &Value, path: &str) -> Result<(), ApiError> {
        needed(component, "custom_id", path, 100)?;
        let id = component["custom_id"].as_str().unwrap_or_default().to_owned();
        if self.ids.insert(id) {
            return Ok(());
        }
        let text = "Component custom id cannot be duplicated";
        Err(ApiError::form(&format!("{path}.custom_id"), "COMPONENT_CUSTOM_ID_DUPLICATED", text))
    }

    fn button(&mut self, button: &Value, path: &str) -> Result<Value, ApiError> {
        text(button, "label", path, 80)?;
        if button["label"].as_str().is_none_or(str::is_empty) && button["emoji"].is_null() {
            return Err(ApiError::required(&format!("{path}.label")));
        }
        match button["style"].as_u64() {
            Some(1..=4) => self.claim(button, path)?,
            Some(5) => {
                needed(button, "url", path, 512)?;
                if button["url"].as_str().is_none_or(|url| {
                    !["http://", "https://", "discord://"].iter().any(|it| url.starts_with(it))
                }) {
                    let text = "Scheme must be one of ('discord', 'http', 'https').";
                    return Err(ApiError::form(&format!("{path}.url"), "URL_TYPE_INVALID_SCHEME", text));
                }
            }
            _ => {
                let text = "Value must be one of {1, 2, 3, 4, 5, 6}.";
                return Err(ApiError::form(&format!("{path}.style"), "BASE_TYPE_CHOICES", text));
            }
        }
        Ok(button.clone())
    }

    fn select(&mut self, select: &Value, path: &str) -> Result<Value, ApiError> {
        self.claim(select, path)?;
        text(select, "placeholder", path, 150)?;
        let path = format!("{path}.options");
        let options = listed(&select["options"], &path, 25)?;
        if select["type"] == SELECT && options.is_empty() {
            return Err(ApiError::required(&path));
        }
        let mut values = BTreeSet::new();
        for (at, option) in options.iter().enumerate() {
            let path = format!("{path}.{at}");
            needed(option, "label", &path, 100)?;
            needed(option, "value", &path, 100)?;
            text(option, "description", &path, 100)?;
            if !values.insert(option["value"].to_string()) {
                let text = "The specified option value is already used";
                return Err(ApiError::form(
                    &format!("{path}.value"),
                    "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                    text,
                ));
            }
        }
        let mut kept = select.clone();
        for name in ["min_values", "max_values"] {
            if kept[name].is_null() {
                kept[name] = json!(1);
            }
        }
        Ok(kept)
    }

    fn input(&mut self, input: &Value, path: &str, labelled: bool) -> Result<Value, ApiError> {
        self.claim(input, path)?;
        if labelled {
            needed(input, "label", path, 45)?;
        }
        if !matches!(input["style"].as_u64(), Some(1 | 2)) {
            return Err(ApiError::form(
                &format!("{path}.style"),
                "BASE_TYPE_CHOICES",
                "Value must be one of {1, 2}.",
            ));
        }
        text(input, "placeholder", path, 100)?;
        text(input, "value", path, 4000)?;
        for (name, least) in [("min_length", 0), ("max_length", 1)] {
            let outside = input[name].as_i64().is_some_and(|length| !(least..=4000).contains(&length));
            if outside {
                let text = format!("int value should be between {least} and 4000.");
                return Err(ApiError::form(&format!("{path}.{name}"), "NUMBER_TYPE_MAX", &text));
            }
        }
        Ok(input.clone())
    }
}

/// A modal as a person is shown it.
///
/// # Errors
/// `50035`, with the place.
pub fn modal(given: &Value) -> Result<Value, ApiError> {
    needed(given, "custom_id", "data", 100)?;
    needed(given, "title", "data", 45)?;
    let rows = listed(&given["components"], "data.components", 5)?;
    if rows.is_empty() {
        return Err(ApiError::form(
            "data.components",
            "BASE_TYPE_BAD_LENGTH",
            "Must be between 1 and 5 in length.",
        ));
    }
    let mut tally = Tally::default();
    for (at, row) in rows.iter().enumerate() {
        let path = format!("data.components.{at}");
        match row["type"].as_u64() {
            Some(1) => {
                let inside = listed(&row["components"], &path, 1)?;
                let [input] = inside else { return Err(ApiError::required(&format!("{path}.components"))) };
                tally.input(input, &format!("{path}.components.0"), true)?;
            }
            Some(18) => {
                needed(row, "label", &path, 45)?;
                text(row, "description", &path, 100)?;
                let (inner, path) = (&row["component"], format!("{path}.component"));
                match inner["type"].as_u64() {
                    Some(INPUT) => tally.input(inner, &path, false)?,
                    Some(SELECT | 5..=8) => tally.select(inner, &path)?,
                    _ => return Err(wrong_kind(&path)),
                };
            }
            Some(TEXT) => {
                needed(row, "content", &path, MAX_V2_TEXT)?;
            }
            _ => return Err(wrong_kind(&path)),
        }
    }
    let fields = ["custom_id", "title", "components"];
    let kept: Map<String, Value> =
        fields.into_iter().map(|name| (name.to_owned(), given[name].clone())).collect();
    Ok(Value::Object(kept))
}
