//! Pieces of an answer put together, from servers that differ in everything that is not the text itself.
//!
//! Not here: the events around the pieces (`sse.rs`), time (`call.rs`).

use serde_json::Value;

use super::failure::Failure;

/// Bytes of an answer; what comes after is not read.
pub(super) const ANSWER: usize = 32 << 10;
/// Tool calls of one step, and bytes of their arguments together.
const CALLS: usize = 8;
const ARGUMENTS: usize = 32 << 10;

/// A proposed tool call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Call {
    /// The server's number of it; fragments of one call share it and nothing else for sure.
    index: Option<u64>,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: String,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finish {
    /// Complete. Reasons that we do not know count as this: the server has ended its answer by its own will.
    Stop,
    /// Cut at the model's limit, or at ours.
    Length,
    Filtered,
}

/// What has come so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Partial {
    pub(super) text: String,
    pub(super) calls: Vec<Call>,
    /// `None`: not complete, and so no answer (a cut stream cannot be resumed).
    pub(super) finish: Option<Finish>,
    /// Anything of the answer has come, be it the model's thoughts.
    pub(super) began: bool,
}

impl Partial {
    /// Takes one event's data in. An error ends the attempt: with a piece missing the rest is not the answer.
    pub(super) fn take(&mut self, data: &str) -> Result<(), Failure> {
        let data = data.trim();
        if data.is_empty() {
            return Ok(());
        }
        let chunk = parse(data).ok_or_else(|| Failure::last("a piece of the answer cannot be read"))?;
        self.take_value(&chunk)
    }

    /// A piece of a stream, or a whole answer of a server that does not stream.
    pub(super) fn take_value(&mut self, chunk: &Value) -> Result<(), Failure> {
        if let Some(error) = chunk.get("error").filter(|error| !error.is_null()) {
            return Err(Failure::inside(error));
        }
        for choice in chunk["choices"].as_array().into_iter().flatten() {
            // We ask for one answer; more are none of ours.
            if choice["index"].as_u64().unwrap_or(0) == 0 {
                self.take_choice(choice)?;
            }
        }
        Ok(())
    }

    fn take_choice(&mut self, choice: &Value) -> Result<(), Failure> {
        let delta = if choice["delta"].is_object() { &choice["delta"] } else { &choice["message"] };
        for field in ["content", "refusal"] {
            let words = words(&delta[field]).ok_or_else(|| Failure::last("an answer of an unknown kind"))?;
            self.say(&words);
        }
        let thinks = ["reasoning_content", "reasoning"].iter().any(|field| match &delta[*field] {
            Value::String(thought) => !thought.is_empty(),
            _ => false,
        });
        self.began |= thinks;
        for piece in delta["tool_calls"].as_array().into_iter().flatten() {
            self.take_call(piece)?;
        }
        if let Some(reason) = choice["finish_reason"].as_str().filter(|reason| !reason.is_empty()) {
            let finish = match reason {
                "length" | "max_tokens" => Finish::Length,
                "content_filter" => Finish::Filtered,
                _ => Finish::Stop,
            };
            self.finish.get_or_insert(finish);
        }
        Ok(())
    }

    /// At most [`ANSWER`] bytes; a longer answer is ended here.
    fn say(&mut self, words: &str) {
        if words.is_empty() || self.is_full() {
            return;
        }
        self.began = true;
        let room = ANSWER - self.text.len();
        if words.len() <= room {
            self.text.push_str(words);
            return;
        }
        let end = (0..=room).rev().find(|end| words.is_char_boundary(*end)).unwrap_or(0);
        self.text.push_str(&words[..end]);
        self.finish = Some(Finish::Length);
    }

    fn is_full(&self) -> bool {
        self.text.len() >= ANSWER
    }

    fn take_call(&mut self, piece: &Value) -> Result<(), Failure> {
        let id = piece["id"].as_str().unwrap_or_default();
        let at = self.place(piece["index"].as_u64(), id)?;
        let room = ARGUMENTS.saturating_sub(self.calls.iter().map(|call| call.arguments.len()).sum());
        let call = &mut self.calls[at];
        if call.id.is_empty() {
            call.id = id.to_owned();
        }
        let function = &piece["function"];
        if call.name.is_empty() {
            call.name = function["name"].as_str().unwrap_or_default().to_owned();
        }
        let arguments = match &function["arguments"] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            // Some servers do not write the JSON as a text.
            other => other.to_string(),
        };
        if arguments.len() > room {
            return Err(Failure::last("the arguments of a tool call have no end"));
        }
        call.arguments.push_str(&arguments);
        self.began = true;
        Ok(())
    }

    /// Which call a piece belongs to: by index, not by id, which comes once. Servers without indexes send calls whole.
    fn place(&mut self, index: Option<u64>, id: &str) -> Result<usize, Failure> {
        let known = match index {
            Some(_) => self.calls.iter().position(|call| call.index == index),
            None if id.is_empty() => self.calls.len().checked_sub(1),
            None => self.calls.iter().position(|call| call.id == id),
        };
        if let Some(at) = known {
            return Ok(at);
        }
        if self.calls.len() >= CALLS {
            return Err(Failure::last("too many tool calls at once"));
        }
        self.calls.push(Call { index, ..Call::default() });
        Ok(self.calls.len() - 1)
    }
}

/// Text, or the texts of its parts. `None`: something else, which must not be lost in silence.
fn words(content: &Value) -> Option<String> {
    match content {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            let texts = parts.iter().map(|part| part["text"].as_str().or(part.as_str()));
            texts.map(|text| text.map(str::to_owned)).collect()
        }
        _ => None,
    }
}

/// JSON, also with the `NaN` and `Infinity` that some servers write into their usage.
pub(super) fn parse(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().or_else(|| serde_json::from_str(&without_nan(text)).ok())
}

fn without_nan(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if !in_string {
            let odd = ["NaN", "-Infinity", "Infinity"].into_iter().find(|odd| rest.starts_with(odd));
            if let Some(odd) = odd {
                out.push_str("null");
                rest = &rest[odd.len()..];
                continue;
            }
        }
        match c {
            '"' if !escaped => in_string = !in_string,
            _ => {}
        }
        escaped = in_string && c == '\\' && !escaped;
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn of(pieces: &[Value]) -> Result<Partial, Failure> {
        let mut partial = Partial::default();
        for piece in pieces {
            partial.take(&piece.to_string())?;
        }
        Ok(partial)
    }

    fn delta(delta: Value) -> Value {
        json!({ "choices": [{ "index": 0, "delta": delta }] })
    }

    #[test]
    fn oddities_are_survived() {
        let pieces = [
            json!({}),
            json!({ "choices": null, "usage": {} }),
            json!({ "choices": [] }),
            json!({ "choices": [{ "delta": null, "finish_reason": "" }] }),
            json!({ "choices": [{ "index": 1, "delta": { "content": "another answer" } }] }),
            delta(json!({ "role": "assistant", "content": null, "tool_calls": null })),
            delta(json!({ "content": "Hel", "service_tier": "x" })),
            delta(json!({ "content": [{ "type": "text", "text": "lo" }] })),
            json!({ "error": null, "choices": [{ "delta": {}, "finish_reason": "eos_token" }] }),
        ];
        let partial = of(&pieces).expect("survived");
        assert_eq!((partial.text.as_str(), partial.finish), ("Hello", Some(Finish::Stop)));
        let mut partial = Partial::default();
        partial
            .take(r#"{"choices":[{"delta":{"content":"NaN \" NaN"},"finish_reason":"stop"}],"usage":{"a":NaN,"b":-Infinity}}"#)
            .expect("survived");
        assert_eq!(partial.text, "NaN \" NaN");
    }

    #[test]
    fn what_could_be_a_lost_piece_is_a_failure() {
        for data in ["{", "ping", r#"{"choices":[{"delta":{"content":7}}]}"#, r#"{"error":"x"}"#] {
            assert!(Partial::default().take(data).is_err(), "{data}");
        }
    }

    #[test]
    fn calls_are_put_together_by_index() {
        let call = |index: u64, piece: Value| {
            delta(json!({ "tool_calls": [{ "index": index, "function": piece }] }))
        };
        let partial = of(&[
            delta(json!({ "tool_calls": [{ "index": 1, "id": "b", "function": { "name": "g", "arguments": "" } }] })),
            delta(json!({ "tool_calls": [{ "index": 0, "id": "a", "function": { "name": "f" } }] })),
            call(1, json!({ "arguments": "{\"x\"" })),
            call(0, json!({ "arguments": "{}" })),
            call(1, json!({ "arguments": ":1}" })),
        ])
        .expect("calls");
        let read: Vec<(&str, &str, &str)> = partial
            .calls
            .iter()
            .map(|call| (call.id.as_str(), call.name.as_str(), call.arguments.as_str()))
            .collect();
        assert_eq!(read, [("b", "g", "{\"x\":1}"), ("a", "f", "{}")]);
        let whole = of(&[delta(json!({ "tool_calls": [
            { "id": "a", "function": { "name": "f", "arguments": { "x": 1 } } },
            { "id": "b", "function": { "name": "g", "arguments": "{}" } },
        ] }))]);
        assert_eq!(whole.expect("calls").calls.len(), 2);
        let many: Vec<Value> = (0..100).map(|n| call(n, json!({ "name": "f" }))).collect();
        assert!(of(&many).is_err());
    }

    #[test]
    fn a_long_answer_is_ended() {
        let pieces: Vec<Value> = (0..100).map(|_| delta(json!({ "content": "ü".repeat(1_000) }))).collect();
        let partial = of(&pieces).expect("ended");
        assert!(partial.text.len() <= ANSWER && partial.text.len() > ANSWER - 4);
        assert_eq!(partial.finish, Some(Finish::Length));
    }

    proptest! {
        #[test]
        fn any_data_is_survived(data in any::<String>(), json in "[\\[\\]{}\":,a-z0-9NaIinfty\\\\-]{0,60}") {
            let _ = Partial::default().take(&data);
            let _ = Partial::default().take(&json);
        }
    }
}
