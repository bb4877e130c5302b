//! What the program sent, held against the published description of the Bot API (D50): method names in any case, JSON bodies
//! by its schemas, and no field that they do not name.
//!
//! Not here: multipart bodies; the fake itself holds their fields against the description (`FakeTelegram::check_fields`).

use std::collections::BTreeMap;

use deskbridge_platforms::telegram::{Call, Encoding, FakeTelegram};
use serde_json::{Map, Value, json};

use super::talk::specs;

pub struct Judge {
    /// Schemas of requests, by the method's name in lower case.
    methods: BTreeMap<String, Value>,
    types: Map<String, Value>,
}

impl Judge {
    /// `None` where there is no description.
    pub fn hear() -> Option<Judge> {
        let text = std::fs::read(specs()?.join("telegram_openapi_generated.json")).expect("a description");
        let described: Value = serde_json::from_slice(&text).expect("JSON");
        let mut types = described["components"]["schemas"].as_object().cloned().expect("types");
        // Types of others may come later; what we send has no field that is not there today.
        for one in types.values_mut().filter(|one| one.get("properties").is_some()) {
            one["additionalProperties"] = json!(false);
        }
        let paths = described["paths"].as_object().expect("paths").iter();
        let methods = paths.map(|(path, item)| {
            let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
            (name, item["post"]["requestBody"]["content"]["application/json"]["schema"].clone())
        });
        Some(Judge { methods: methods.collect(), types })
    }

    /// What is wrong with a JSON body.
    pub fn faults(&self, method: &str, body: &Value) -> Vec<String> {
        let Some(schema) = self.methods.get(&method.to_ascii_lowercase()) else {
            return vec![format!("{method}: no such method")];
        };
        let mut schema = match schema {
            Value::Null => json!({ "type": "object", "additionalProperties": false }),
            schema => schema.clone(),
        };
        schema["components"] = json!({ "schemas": self.types });
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let faults = validator.iter_errors(body);
        faults.map(|fault| format!("{method} {}: {fault}", fault.instance_path)).collect()
    }
}

/// Every JSON request so far fits; returns the methods that were called with JSON. Empty where there is no description.
pub fn requests_fit(fake: &FakeTelegram) -> Vec<String> {
    let Some(judge) = Judge::hear() else { return Vec::new() };
    let calls = fake.read(|world| world.ledger.calls.clone());
    // The ledger has downloads of files, too; they are no methods.
    let is_json = |call: &&Call| call.encoding == Encoding::Json && call.method != "download";
    let in_json: Vec<&Call> = calls.iter().filter(is_json).collect();
    let body = |call: &Call| Value::Object(call.params.clone());
    let faults: Vec<String> =
        in_json.iter().flat_map(|call| judge.faults(&call.method_as_sent, &body(call))).collect();
    assert_eq!(faults, Vec::<String>::new());
    let mut methods: Vec<String> = in_json.iter().map(|call| call.method.clone()).collect();
    methods.sort();
    methods.dedup();
    methods
}

#[test]
fn the_judge_is_awake() {
    let Some(judge) = Judge::hear() else { return };
    let button = |button: Value| json!({ "chat_id": 7, "text": "x", "reply_markup": { "inline_keyboard": [[button]] } });
    let good = button(json!({ "text": "Yes", "callback_data": "y" }));
    assert_eq!(judge.faults("SendMessage", &good), Vec::<String>::new());
    for (method, body) in [
        ("sendMessage", json!({ "chat_id": 7 })),
        ("sendMessage", json!({ "chat_id": 7, "text": 1 })),
        ("sendMessage", json!({ "chat_id": 7, "text": "x", "made_up": 1 })),
        ("sendMessage", button(json!({ "text": "Yes", "made_up": 1 }))),
        ("makeCoffee", json!({})),
    ] {
        assert!(!judge.faults(method, &body).is_empty(), "{method} {body}");
    }
}
