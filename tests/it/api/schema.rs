//! A small checker of JSON schemas, as far as the API's description uses them.
//!
//! Not here: the schemas.

use serde_json::Value;

/// What does not fit, by its path; empty when all does. Properties that the schema does not name do not fit either.
pub fn faults(value: &Value, schema: &Value, document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    look(value, schema, document, "$", &mut found);
    found
}

fn look(value: &Value, schema: &Value, document: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#')).expect("a schema");
        return look(value, target, document, at, found);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        if !any.iter().any(|one| faults(value, one, document).is_empty()) {
            found.push(format!("{at}: fits none"));
        }
        return;
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        found.push(format!("{at}: {value} is none of {words:?}"));
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let fits = kinds.contains(&kind(value)) || (kinds.contains(&"number") && value.is_number());
    if !kinds.is_empty() && !fits {
        found.push(format!("{at}: {value} is no {kinds:?}"));
    }
    if schema["format"] == "date-time"
        && let Some(text) = value.as_str()
        && text.parse::<jiff::Timestamp>().is_err()
    {
        found.push(format!("{at}: {text} is no time"));
    }
    match value {
        Value::Object(map) => {
            let Some(properties) = schema["properties"].as_object() else { return };
            for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !map.contains_key(required) {
                    found.push(format!("{at}.{required}: missing"));
                }
            }
            for (name, inner) in map {
                match properties.get(name) {
                    Some(schema) => look(inner, schema, document, &format!("{at}.{name}"), found),
                    None => found.push(format!("{at}.{name}: not described")),
                }
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                look(item, &schema["items"], document, &format!("{at}[{n}]"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
