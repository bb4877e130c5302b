use deskbridge_contract::Fact;

use super::*;
use crate::extension;
use crate::webhook::{card_of, words_of};

const PLAIN: Extras<'_> = Extras { viewers: &[], line: None, may_write: true };

fn card(state: CardState, text: &str) -> Card {
    Card {
        reference: "#1042".into(),
        title: text.into(),
        state,
        status: text.into(),
        requester: text.into(),
        facts: (0..50).map(|_| Fact { label: text.into(), value: text.into() }).collect(),
        summary: format!("**Problem:** {text}\n\n- one\n- two"),
        hint: text.into(),
    }
}

#[test]
fn a_card_says_everything_and_has_its_box_and_buttons() {
    let actions: Vec<Action> =
        (0..8).map(|n| Action::new(format!("verb:{n}"), format!("Verb {n}"))).collect();
    let viewers = vec!["29:1".to_owned()];
    let extras = Extras { viewers: &viewers, line: Some("📨 delivered"), may_write: true };
    let made = conversation(&card(CardState::Offered, "VPN"), &actions, &extras);
    let text = made.to_string();
    for part in [
        "🟠 #1042 VPN · VPN",
        "\"Problem:\"",
        "\"• \"",
        "Input.Text",
        SAY,
        NOTE,
        LOOK,
        "29:1",
        "📨",
        "verb:7",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let buttons = made.pointer("/content/actions").and_then(Value::as_array).unwrap();
    assert_eq!(buttons.iter().filter(|button| button["mode"] == "secondary").count(), 2);
    assert!(buttons.iter().all(|button| button["associatedInputs"] == "none"));
    let closed = conversation(&card(CardState::Closed, "VPN"), &[], &PLAIN).to_string();
    assert!(!closed.contains("Input.Text") && !closed.contains("\"actions\":[]"));
}

/// C13: text of people is in runs, which have no Markdown; a `TextBlock` would read it.
#[test]
fn text_is_never_markdown() {
    let made =
        conversation(&card(CardState::Waiting, "[x](javascript:alert(1)) **b**"), &[], &PLAIN).to_string();
    assert!(!made.contains("TextBlock\"") || !made.contains("\"type\":\"TextBlock\""));
    assert!(made.contains("[x](javascript:alert(1)) **b**"));
}

/// Whatever is in a card, with every part, fact, button and viewer that there may be: it is within the 100 KB of a message, and
/// says at least how things stand.
#[test]
fn the_largest_card_is_taken() {
    let actions: Vec<Action> = (0..MAX_ACTIONS)
        .map(|n| Action::new("v".repeat(250), format!("{n}{}", "\u{1}".repeat(MAX_LABEL))))
        .collect();
    let viewers: Vec<String> = (0..60).map(|n| format!("29:{n}{}", "x".repeat(200))).collect();
    let extras = Extras { viewers: &viewers, line: Some("📨 delivered"), may_write: true };
    for text in ["x", "😀", "\u{1}", "\"\\", "*a*b", "- a\n", "`a`b", "**a**~~b~~", "| a | b |\n|---|---|\n"]
    {
        let large = text.repeat(9000);
        let made = conversation(&card(CardState::Assigned, &large), &actions, &extras);
        let message = json!({
            "type": "message", "textFormat": "xml", "text": "", "summary": cut(&large, 300), "attachments": [made],
        });
        let bytes = message.to_string().encode_utf16().count() * 2;
        assert!(bytes <= 100 << 10, "{text:?}: {bytes}");
        assert!(message.to_string().contains("#1042"), "{text:?}");
    }
    // What fits is not shortened.
    let fits = "x".repeat(MAX_PART - 1);
    let mut whole = card(CardState::Assigned, "VPN");
    whole.summary = fits.clone();
    assert!(conversation(&whole, &[], &PLAIN).to_string().contains(&fits));
}

/// The limit is 100 KB of UTF-16; a card with the longest parts must be within.
#[test]
fn the_largest_card_fits() {
    let most = conversation(&card(CardState::Waiting, &"😀".repeat(200)), &[], &PLAIN).to_string();
    assert!(most.encode_utf16().count() * 2 < 100 << 10, "{}", most.encode_utf16().count());
}

fn a_card(state: CardState) -> Card {
    let status = match state {
        CardState::Assisting => "With the assistant",
        CardState::Waiting => "Waiting",
        CardState::Offered => "Waiting · offered to Bob",
        CardState::Assigned => "Bob has it · with Ana",
        CardState::Snoozed => "Snoozed by Bob",
        CardState::Resolved => "Resolved by Bob",
        CardState::Closed => "Closed: no answer from the requester",
    };
    Card {
        reference: "#1042".into(),
        title: "VPN says \"691\" <at>Bob</at>".into(),
        state,
        status: status.into(),
        requester: "Maria <Costa> *1*".into(),
        facts: [("Channel", "widget"), ("Queue", "network"), ("Waiting", "2:14"), ("Ticket", "INC-7")]
            .map(|(label, value)| Fact { label: label.into(), value: value.into() })
            .to_vec(),
        summary: "**Intent** VPN fails after a [reset](https://example.org)\n\n- `ipconfig`\n- ~~rebooted~~ *twice*".into(),
        hint: "Before Accept, this thread is internal.".into(),
    }
}

/// The buttons that the core gives in each state.
fn actions(state: CardState) -> Vec<Action> {
    let all: &[(&str, &str)] = match state {
        CardState::Assisting => &[("takeover", "Take over"), ("suggest", "Suggest reply")],
        CardState::Waiting | CardState::Offered => &[
            ("accept", "Accept"),
            ("decline", "Decline"),
            ("suggest", "Suggest reply"),
            ("ticket", "Create ticket"),
        ],
        CardState::Assigned | CardState::Snoozed => &[
            ("accept", "Accept transfer"),
            ("decline", "Decline"),
            ("resolve", "Resolve"),
            ("suggest", "Suggest reply"),
            ("ticket", "Create ticket"),
            ("snooze:1h", "Snooze 1 h"),
            ("handback", "Hand back"),
        ],
        CardState::Resolved | CardState::Closed => &[("reopen", "Reopen")],
    };
    all.iter().map(|(id, label)| Action::new(*id, *label)).collect()
}

/// Every card that there is, by its name.
pub(super) fn samples() -> Vec<(&'static str, Value)> {
    let states = [
        ("card_assisting", CardState::Assisting),
        ("card_waiting", CardState::Waiting),
        ("card_offered", CardState::Offered),
        ("card_assigned", CardState::Assigned),
        ("card_snoozed", CardState::Snoozed),
        ("card_resolved", CardState::Resolved),
        ("card_closed", CardState::Closed),
    ];
    let viewers: Vec<String> = (0..60).map(|n| format!("29:{n}")).collect();
    let mut all: Vec<(&str, Value)> = states
        .into_iter()
        .map(|(name, state)| {
            let extras = Extras { viewers: &viewers[..2], line: None, may_write: true };
            (name, conversation(&a_card(state), &actions(state), &extras)["content"].take())
        })
        .collect();
    let assigned = a_card(CardState::Assigned);
    let marked =
        Extras { viewers: &viewers, line: Some("📨 The latest reply was delivered."), may_write: true };
    all.push((
        "card_with_sixty_viewers",
        conversation(&assigned, &actions(CardState::Assigned), &marked)["content"].take(),
    ));
    let outsider = Extras { viewers: &viewers[..2], line: None, may_write: false };
    all.push(("card_for_an_outsider", conversation(&assigned, &[], &outsider)["content"].take()));
    let many: Vec<Action> = (0..12)
        .map(|n| Action { value: Some("x".into()), ..Action::new(format!("rate:{n}"), format!("{n} stars")) })
        .collect();
    all.push(("buttons", buttons(&many)["content"].take()));
    let kept = [Action::new("send:m1", "Send anyway"), Action::new("takeover", "Take over")];
    all.push(("whisper", whisper("Kept internal: **Ana** owns this.", &kept, Some("#1042"))));
    let asked = json!({ "value": {
        "commandId": "ticket", "messagePayload": { "body": { "content": "<p>VPN &lt;is&gt; <b>dead</b></p>" } },
    } });
    let mut form = extension::form(&asked).unwrap();
    all.push(("ticket_form", form["task"]["value"]["card"]["content"].take()));
    all.push(("notice", card_of(&a_card(CardState::Offered))["attachments"][0]["content"].take()));
    all.push(("notice_words", words_of(false)["attachments"][0]["content"].take()));
    all
}

#[test]
fn snapshots() {
    for (name, card) in samples() {
        insta::assert_json_snapshot!(name, card);
    }
}

/// "Format your bot messages" and "Cards reference": 100 KB of UTF-16, six buttons beside "…", sixty viewers.
#[test]
fn samples_are_within_the_limits() {
    for (name, card) in samples() {
        assert!(card.to_string().encode_utf16().count() * 2 < 100 << 10, "{name}");
        let primary = |actions: &Value| {
            actions.as_array().into_iter().flatten().filter(|action| action["mode"] != "secondary").count()
        };
        assert!(primary(&card["actions"]) <= 6, "{name}");
        assert!(card["refresh"]["userIds"].as_array().is_none_or(|users| users.len() <= 60), "{name}");
        assert!(!card.to_string().contains("\"TextBlock\""), "{name}: Markdown would be read");
    }
}

/// Runs know no lists: what stands before an item is written out, numbers as well, and inner lists further in.
#[test]
fn numbered_lists_keep_their_numbers() {
    let lines = |source: &str| -> Vec<String> {
        let texts = |block: &Value| {
            let runs = block["inlines"].as_array().unwrap().iter();
            runs.map(|run| run["text"].as_str().unwrap()).collect::<String>()
        };
        rich(source).iter().map(texts).collect()
    };
    assert_eq!(lines("1. one\n2. **two**\n3. three"), ["1. one", "2. two", "3. three"]);
    assert_eq!(
        lines("7. seven\n8. eight\n\nafter\n\n- a\n- b"),
        ["7. seven", "8. eight", "after", "• a", "• b"]
    );
    let inner = "1. one\n   - a\n   - b\n2. two\n   1. x";
    assert_eq!(lines(inner), ["1. one", "\u{2003}• a", "\u{2003}• b", "2. two", "\u{2003}1. x"]);
    assert_eq!(lines("999999999. last\n1. and after"), ["999999999. last", "1000000000. and after"]);
}
