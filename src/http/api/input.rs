//! Bodies: JSON objects with known fields of known kinds, and nothing else (S28, S65).
//!
//! Not here: what a field means.

use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};

use crate::http::problem::Problem;

/// Deeper ones are refused before they are read.
const DEPTH: usize = 64;
/// Characters of a text in a list.
const SHORT: usize = 200;

/// One field of a request.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
    pub about: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// At most so many characters.
    Text(usize),
    /// As `Text`, and may be empty.
    Free(usize),
    Flag,
    /// From 0 to this.
    Number(u32),
    /// Texts, at most so many.
    Texts(usize),
    /// Any JSON, checked by whoever it is for.
    Any,
    Choice(&'static [&'static str]),
}

/// Where no field is required, no body is needed.
pub fn read(headers: &HeaderMap, body: &[u8], fields: &[Field]) -> Result<Map<String, Value>, Problem> {
    if body.is_empty() && fields.iter().all(|field| !field.required) {
        return Ok(Map::new());
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Problem::of(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let unreadable = || Problem::bad("json", "the body is not a JSON object in UTF-8");
    if is_deep(body) {
        return Err(Problem::bad("json", format!("the body is nested deeper than {DEPTH}")));
    }
    let Ok(Pairs(pairs)) = serde_json::from_slice(body) else { return Err(unreadable()) };
    check(&pairs, fields)?;
    Ok(pairs.into_iter().collect())
}

/// Whether brackets outside of strings go deeper than allowed.
fn is_deep(body: &[u8]) -> bool {
    let (mut depth, mut inside, mut escaped) = (0_usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            b'[' | b'{' if !inside => {
                depth += 1;
                if depth > DEPTH {
                    return true;
                }
            }
            b']' | b'}' if !inside => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// An object as written, so that a name that comes twice shows.
struct Pairs(Vec<(String, Value)>);

impl<'de> serde::Deserialize<'de> for Pairs {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Pairs;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

fn check(pairs: &[(String, Value)], fields: &[Field]) -> Result<(), Problem> {
    let known = || {
        let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
        format!("the fields are {}", if names.is_empty() { "none".into() } else { names.join(", ") })
    };
    for (n, (name, value)) in pairs.iter().enumerate() {
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            return Err(Problem::bad("unknown-field", known()));
        };
        if pairs[..n].iter().any(|(earlier, _)| earlier == name) {
            return Err(Problem::bad("field", format!("`{}` comes twice", field.name)));
        }
        if let Err(expected) = fits(field.kind, value) {
            return Err(Problem::bad("field", format!("`{}` {expected}", field.name)));
        }
    }
    let missing =
        fields.iter().find(|field| field.required && !pairs.iter().any(|(name, _)| name == field.name));
    missing.map_or(Ok(()), |field| Err(Problem::bad("field", format!("`{}` is missing", field.name))))
}

fn texts(most: usize) -> String {
    format!("is a list of at most {most} texts of at most {SHORT} characters")
}

fn fits(kind: Kind, value: &Value) -> Result<(), String> {
    match (kind, value) {
        (Kind::Text(_), Value::String(text)) if text.trim().is_empty() => Err("is empty".into()),
        // No database keeps it, and no platform shows it.
        (Kind::Text(_), Value::String(text)) if text.contains('\0') => Err("holds a NUL character".into()),
        (Kind::Text(most), Value::String(text)) if text.chars().nth(most).is_some() => {
            Err(format!("has more than {most} characters"))
        }
        (Kind::Free(_), Value::String(text)) if text.contains('\0') => Err("holds a NUL character".into()),
        (Kind::Free(most), Value::String(text)) if text.chars().nth(most).is_some() => {
            Err(format!("has more than {most} characters"))
        }
        (Kind::Texts(most), Value::Array(items)) => {
            let sound = |item: &Value| fits(Kind::Text(SHORT), item).is_ok();
            if items.len() <= most && items.iter().all(sound) { Ok(()) } else { Err(texts(most)) }
        }
        (Kind::Number(most), Value::Number(n)) if n.as_u64().is_some_and(|n| n <= u64::from(most)) => Ok(()),
        (Kind::Text(_) | Kind::Free(_), Value::String(_)) | (Kind::Flag, Value::Bool(_)) | (Kind::Any, _) => {
            Ok(())
        }
        (Kind::Choice(choices), Value::String(text)) if choices.contains(&text.as_str()) => Ok(()),
        (Kind::Text(_) | Kind::Free(_), _) => Err("is a text".into()),
        (Kind::Texts(most), _) => Err(texts(most)),
        (Kind::Number(most), _) => Err(format!("is a whole number from 0 to {most}")),
        (Kind::Flag, _) => Err("is true or false".into()),
        (Kind::Choice(choices), _) => Err(format!("is one of {}", choices.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[Field] = &[
        Field { name: "text", kind: Kind::Text(5), required: true, about: "" },
        Field { name: "quiet", kind: Kind::Flag, required: false, about: "" },
        Field { name: "how", kind: Kind::Choice(&["a", "b"]), required: false, about: "" },
    ];

    fn code(body: &[u8]) -> Result<usize, &'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "application/json; charset=utf-8".parse().unwrap());
        match read(&headers, body, FIELDS) {
            Ok(map) => Ok(map.len()),
            Err(problem) => {
                assert!(problem.detail.len() < 120);
                Err(problem.code)
            }
        }
    }

    #[test]
    fn only_known_fields_of_their_kind_come_in() {
        assert_eq!(code(br#"{"text":"abcde","quiet":true,"how":"b"}"#), Ok(3));
        for (body, expected) in [
            (r#"{"text":"a","sender":"agent"}"#, "unknown-field"),
            (r#"{"text":"a","Text":"b"}"#, "unknown-field"),
            (r#"{"text":"a","text":"b"}"#, "field"),
            (r#"{"quiet":true}"#, "field"),
            (r#"{"text":"abcdef"}"#, "field"),
            (r#"{"text":"  "}"#, "field"),
            (r#"{"text":7}"#, "field"),
            (r#"{"text":null}"#, "field"),
            (r#"{"text":"a\u0000"}"#, "field"),
            (r#"{"text":"a","quiet":"true"}"#, "field"),
            (r#"{"text":"a","how":"c"}"#, "field"),
            (r#"{"text":"\ud800"}"#, "json"),
            (r#"["text"]"#, "json"),
            (r#"{"text":"a"} x"#, "json"),
            ("\u{feff}{\"text\":\"a\"}", "json"),
            ("", "json"),
        ] {
            assert_eq!(code(body.as_bytes()), Err(expected), "{body}");
        }
        assert_eq!(code(b"{\"text\":\"\xff\"}"), Err("json"));
        assert_eq!(code(b"{\"text\":\"\xc0\xaf\"}"), Err("json"));
        assert_eq!(code(b"{\0\"\0t\0"), Err("json"));
    }

    #[test]
    fn depth_is_counted_outside_of_strings() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(!is_deep(deep(64).as_bytes()) && is_deep(deep(65).as_bytes()));
        assert!(!is_deep(format!("{{\"text\":\"{}\\\"[\"}}", "[".repeat(99)).as_bytes()));
    }
}
