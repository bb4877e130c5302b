//! Chat completions as JSON: whole, and the chunks of a stream.
//! When each piece is sent is in `stream`.

use serde_json::{Map, Value, json};

use super::script::{Reply, ToolCall, Usage};

/// Stands where `Usage::Raw` puts a text that JSON cannot hold.
const RAW_USAGE: &str = "\"@raw-usage@\"";

pub(super) struct Frame<'a> {
    pub id: &'a str,
    pub model: &'a str,
    pub created: i64,
    pub reply: &'a Reply,
    /// Characters in the request, to count tokens by.
    pub asked: usize,
    /// `stream_options.include_usage`.
    pub wants_usage: bool,
}

impl Frame<'_> {
    fn object(&self, kind: &str) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("id".into(), json!(self.id));
        object.insert("object".into(), json!(kind));
        object.insert("created".into(), json!(self.created));
        object.insert("model".into(), json!(self.model));
        object.extend(self.reply.extra.clone());
        object
    }

    fn usage(&self) -> Option<Value> {
        match &self.reply.usage {
            Usage::Counted => {
                let (asked, said) = (self.asked / 4 + 1, self.reply.full_text().len() / 4 + 1);
                Some(
                    json!({ "prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said }),
                )
            }
            Usage::Missing => None,
            Usage::Odd(value) => Some(value.clone()),
            Usage::Raw(_) => Some(json!(RAW_USAGE.trim_matches('"'))),
        }
    }

    fn finished(&self, object: Map<String, Value>) -> String {
        let text = Value::Object(object).to_string();
        match &self.reply.usage {
            Usage::Raw(raw) => text.replace(RAW_USAGE, raw),
            _ => text,
        }
    }

    /// The whole `chat.completion`.
    pub fn whole(&self) -> String {
        let text = self.reply.full_text();
        let calls: Vec<Value> = self.reply.tool_calls.iter().map(whole_call).collect();
        let content = if text.is_empty() && !calls.is_empty() { Value::Null } else { json!(text) };
        let mut message = json!({ "role": "assistant", "content": content, "refusal": null });
        if !calls.is_empty() {
            message["tool_calls"] = json!(calls);
        }
        let choice = json!({
            "index": 0, "message": message, "logprobs": null, "finish_reason": self.reply.finish_reason,
        });
        let mut object = self.object("chat.completion");
        object.insert("choices".into(), json!([choice]));
        if let Some(usage) = self.usage() {
            object.insert("usage".into(), usage);
        }
        self.finished(object)
    }

    fn chunk(&self, delta: Value, finish_reason: Option<&str>) -> Map<String, Value> {
        let mut object = self.object("chat.completion.chunk");
        let choice = json!({ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason });
        object.insert("choices".into(), json!([choice]));
        object
    }

    /// The payloads of the stream, in order: role, texts, fragments of tool calls, end, usage.
    pub fn chunks(&self) -> Vec<String> {
        let mut objects = vec![self.chunk(json!({ "role": "assistant", "content": "" }), None)];
        objects.extend(self.reply.chunks.iter().map(|text| self.chunk(json!({ "content": text }), None)));
        objects.extend(
            fragments(&self.reply.tool_calls).map(|call| self.chunk(json!({ "tool_calls": [call] }), None)),
        );
        let mut last = self.chunk(json!({}), self.reply.finish_reason.as_deref());
        let is_own_chunk = self.reply.usage == Usage::Counted;
        match self.usage() {
            Some(usage) if !is_own_chunk => {
                last.insert("usage".into(), usage);
                objects.push(last);
            }
            Some(usage) if self.wants_usage => {
                objects.push(last);
                let mut counted = self.object("chat.completion.chunk");
                counted.insert("choices".into(), json!([]));
                counted.insert("usage".into(), usage);
                objects.push(counted);
            }
            _ => objects.push(last),
        }
        objects.into_iter().map(|object| self.finished(object)).collect()
    }
}

fn whole_call(call: &ToolCall) -> Value {
    let function = json!({ "name": call.name, "arguments": call.arguments.concat() });
    json!({ "id": call.id, "type": "function", "function": function })
}

/// Fragments of all calls in turns, so that only `index` tells them apart; id and name come once.
fn fragments(calls: &[ToolCall]) -> impl Iterator<Item = Value> {
    let heads = calls.iter().enumerate().map(|(index, call)| {
        let function = json!({ "name": call.name, "arguments": "" });
        json!({ "index": index, "id": call.id, "type": "function", "function": function })
    });
    let longest = calls.iter().map(|call| call.arguments.len()).max().unwrap_or(0);
    let tails = (0..longest).flat_map(move |turn| {
        calls.iter().enumerate().filter_map(move |(index, call)| {
            let piece = call.arguments.get(turn)?;
            Some(json!({ "index": index, "function": { "arguments": piece } }))
        })
    });
    heads.chain(tails)
}
