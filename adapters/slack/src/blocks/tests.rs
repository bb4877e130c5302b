use deskbridge_contract::{
    Action, Address, Card, CardState, ChannelName, Content, DeskHours, Fact, Mention, Persona,
    RemoteMessageId, Standing, StandingState, TicketShown,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::limits::{Surface, check};
use super::*;
use crate::markup::{NoNames, read_message};

fn a_card(state: CardState, status: &str) -> Card {
    Card {
        reference: "#1042".into(),
        title: "VPN says \"691\"".into(),
        state,
        status: status.into(),
        requester: "Maria <Costa> *1*".into(),
        facts: [("Channel", "widget"), ("Queue", "network"), ("Waiting", "2:14"), ("Ticket", "INC-7")]
            .map(|(label, value)| Fact { label: label.into(), value: value.into() })
            .to_vec(),
        summary: "**Intent** VPN fails after <!channel> reset\n\n- rebooted\n- logged in again".into(),
        hint: "Before Accept, this thread is internal.".into(),
    }
}

fn act(id: &str, label: &str) -> Action {
    Action::new(id, label)
}

/// The buttons that the core gives in each state.
fn buttons(state: CardState) -> Vec<Action> {
    match state {
        CardState::Assisting => vec![act("takeover", "Take over"), act("suggest", "Suggest reply")],
        CardState::Waiting | CardState::Offered => vec![
            act("accept", "Accept"),
            act("decline", "Decline"),
            act("suggest", "Suggest reply"),
            act("ticket", "Create ticket"),
        ],
        CardState::Assigned | CardState::Snoozed => vec![
            act("accept", "Accept transfer"),
            act("decline", "Decline"),
            act("resolve", "Resolve"),
            act("suggest", "Suggest reply"),
            act("ticket", "Create ticket"),
            act("snooze:1h", "Snooze 1 h"),
            act("handback", "Hand back"),
        ],
        CardState::Resolved | CardState::Closed => vec![act("reopen", "Reopen")],
    }
}

fn called(user: &str) -> Mention {
    Mention { who: "bob".into(), name: "Bob".into(), user: Some(user.into()) }
}

fn anchor() -> Anchor {
    let channel = ChannelName::new("slack");
    Anchor {
        address: Address::room(&channel, "C1").thread("1.2"),
        message: Some(RemoteMessageId::new("1.3")),
    }
}

fn matters() -> Vec<Standing> {
    let standing = |reference: &str, state, subject: &str| Standing {
        reference: reference.into(),
        state,
        technician: None,
        ticket: None,
        position: None,
        subject: subject.into(),
        rating: None,
    };
    vec![
        standing("#1043", StandingState::Assistant, "Password <b> *x*"),
        Standing { position: Some(2), ..standing("#1042", StandingState::Waiting, "VPN") },
        Standing {
            technician: Some("Ana".into()),
            ticket: Some(TicketShown { number: "INC-7".into(), status: "open".into() }),
            ..standing("#1041", StandingState::Human, "Laptop")
        },
        Standing { rating: Some(5), ..standing("#1031", StandingState::Closed, "") },
    ]
}

fn said(content: Content, voice: Voice<'_>) -> Value {
    let messages = messages(&content, voice).unwrap();
    Value::Array(messages.into_iter().flat_map(|message| message.blocks).collect())
}

/// Every card, message, modal and view, by name.
pub(super) fn samples() -> Vec<(String, Surface, Value)> {
    let mut all = Vec::new();
    for (state, status) in [
        (CardState::Assisting, "With the assistant"),
        (CardState::Waiting, "Waiting"),
        (CardState::Offered, "Waiting · offered to @bob"),
        (CardState::Assigned, "Ana has it · Bo is asked to take over"),
        (CardState::Snoozed, "Snoozed by Ana"),
        (CardState::Resolved, "Resolved by Ana"),
        (CardState::Closed, "Closed by the requester"),
    ] {
        let name = format!("card_{}", format!("{state:?}").to_lowercase());
        let message = card(&a_card(state, status), &buttons(state), &[called("U0B0B")]).unwrap();
        all.push((name, Surface::Message, Value::Array(message.blocks)));
    }
    let assistant = Persona::assistant("Assistant");
    let maria = Persona::person("Maria");
    let thumbs =
        vec![act("human", "Talk to a human"), act("fb:up:1042.3.0", "👍"), act("fb:down:1042.3.0", "👎")];
    let answer = "Error 691 means the **cached password**.\n\n1. Sign out\n2. Sign in\n\n[VPN guide](https://kb.example/vpn)";
    let content = |text: &str, actions: Vec<Action>| Content::text(text).with_actions(actions);
    let rates = (1..=5).map(|score| act(&format!("rate:{score}"), &format!("★ {score}"))).collect();
    let kept = vec![act("send:1042.7.0", "Send anyway"), act("takeover", "Take over")];
    let offered = Content {
        mentions: vec![called("U0B0B")],
        ..content(
            "**Bob**, this is yours to accept for 60 s.",
            vec![act("accept", "Accept"), act("decline", "Decline")],
        )
    };
    let many = (0..60).map(|nth| act(&format!("pick:{nth}"), &format!("Choice {nth}"))).collect();
    for (name, content, voice) in [
        ("message_of_assistant", content(answer, thumbs), Voice::Named(&assistant)),
        (
            "message_of_requester",
            content("> quoted\n\nIt says `691` & <@U1>", Vec::new()),
            Voice::Named(&maria),
        ),
        (
            "message_with_quick_replies",
            content(
                "Shall I connect you with a technician?",
                vec![act("yes", "Yes"), act("no", "No, keep going")],
            ),
            Voice::Own,
        ),
        ("message_csat", content("How was it?", rates), Voice::Own),
        ("message_kept_internal", content("Kept internal: Ana owns this.", kept), Voice::Own),
        ("message_offer", offered, Voice::Own),
        ("message_with_many_buttons", content("Choose", many), Voice::Own),
    ] {
        all.push((name.to_owned(), Surface::Message, said(content, voice)));
    }
    let given = Given { reference: "#1042", text: "VPN *says* <691>\n\n- a" };
    for kind in ["transfer", "invite", "snooze", "note", "ticket", "ask"] {
        let view = modal(Modal::named(kind).unwrap(), &anchor(), &given);
        all.push((format!("modal_{kind}"), Surface::Modal, view));
    }
    let hours = DeskHours { online: 3, wait: Some(210), ..DeskHours::default() };
    let closed = DeskHours { open: false, back: Some("tomorrow 08:00".into()), ..DeskHours::default() };
    all.push(("home_of_requester".into(), Surface::Home, of_requester(None, &matters(), &hours)));
    all.push(("home_of_nobody_yet".into(), Surface::Home, of_requester(None, &[], &closed)));
    let question = content(
        "Your address is that of Bob, a technician of this desk. Is that you?",
        vec![act("identity:yes", "Yes, that is me"), act("identity:no", "No, somebody else")],
    );
    let asked = of_requester(Some(&question), &matters()[..1], &hours);
    all.push(("home_of_unconfirmed".into(), Surface::Home, asked));
    all.push((
        "home_of_technician".into(),
        Surface::Home,
        of_technician(Some(Duty::Busy), &matters(), &hours),
    ));
    let waiting = a_card(CardState::Waiting, "Waiting");
    let said = [
        "**Maria:** VPN *says* <691>".to_owned(),
        "**✨ Assistant:** Did you restart it?\n\n```\nopen".to_owned(),
    ];
    let page = |number| Page { reference: "#1042".into(), number };
    all.push(("history".into(), Surface::Modal, history(&anchor(), &waiting, &said, &page(0))));
    let long: Vec<String> =
        (0..120).map(|nth| format!("**Maria:** line {nth} {}", "of a log ".repeat(30))).collect();
    all.push(("history_second_page".into(), Surface::Modal, history(&anchor(), &waiting, &long, &page(1))));
    all.push(("unfurl_conversation".into(), Surface::Message, unfurl(&waiting)["blocks"].clone()));
    all
}

#[test]
fn every_sample_is_within_the_limits() {
    for (name, surface, given) in samples() {
        assert_eq!(check(surface, &given), Vec::<String>::new(), "{name}");
        insta::assert_json_snapshot!(name.clone(), given);
    }
}

#[test]
fn the_judge_is_awake() {
    let long = |kind: &str, most: usize| json!([{ "type": kind, "text": { "type": "plain_text", "text": "x".repeat(most + 1) } }]);
    for (what, broken) in [
        ("section", long("section", 3000)),
        ("header", long("header", 150)),
        ("blocks", Value::Array(vec![json!({ "type": "divider" }); 51])),
        ("nothing", json!([])),
        (
            "total",
            Value::Array(vec![
                json!({ "type": "section", "text": { "type": "mrkdwn", "text": "x".repeat(2900) } });
                5
            ]),
        ),
        (
            "button",
            json!([{ "type": "actions", "elements": [{ "type": "button", "action_id": "a", "text": { "type": "plain_text", "text": "x".repeat(76) } }] }]),
        ),
        (
            "twice",
            json!([{ "type": "actions", "elements": vec![json!({ "type": "button", "action_id": "a", "text": { "type": "plain_text", "text": "x" } }); 2] }]),
        ),
        (
            "rich",
            json!([{ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": [{ "type": "text", "text": "" }] }] }]),
        ),
        ("unknown", json!([{ "type": "hologram" }])),
    ] {
        assert_ne!(check(Surface::Message, &broken), Vec::<String>::new(), "{what}");
    }
    let view = json!({ "type": "modal", "title": { "type": "plain_text", "text": "x".repeat(25) }, "blocks": [{ "type": "divider" }] });
    assert_ne!(check(Surface::Modal, &view), Vec::<String>::new());
}

/// What is pressed comes back as the core gave it, from buttons, menus and thumbs.
#[test]
fn buttons_come_back_as_they_were() {
    let mut actions = buttons(CardState::Assigned);
    actions.push(Action { value: Some("#net|work".into()), ..act("transfer", "To network") });
    actions.push(Action { value: Some("@ana".into()), ..act("transfer", "To Ana") });
    actions.extend([act("fb:up:1042.3.0", "👍"), act("fb:down:1042.3.0", "👎")]);
    let content = Content::text("x").with_actions(actions.clone());
    let mut back = presses(&said(content, Voice::Own));
    let mut wanted: Vec<Pressed> = actions.iter().map(meant).collect();
    back.sort_by_key(|p| format!("{p:?}"));
    wanted.sort_by_key(|p| format!("{p:?}"));
    assert_eq!(back, wanted);
    let shown = card(&a_card(CardState::Assigned, ""), &actions, &[]).unwrap();
    let back = presses(&Value::Array(shown.blocks));
    for action in &actions {
        assert!(back.contains(&meant(action)), "{action:?} has no place");
    }
    for modal in [Modal::Transfer, Modal::Invite, Modal::Snooze, Modal::Note] {
        assert!(back.contains(&Pressed::Open(modal)));
    }
    assert!(back.contains(&Pressed::Show(Page { reference: "#1042".into(), number: 0 })));
    for bad in [
        json!({}),
        json!({ "type": "button" }),
        json!({ "type": "button", "action_id": "" }),
        json!({ "type": "button", "action_id": "open:x" }),
        json!({ "type": "button", "action_id": "open:history" }),
        json!({ "type": "button", "action_id": "open:history|after", "value": "-1 #1042" }),
        json!({ "type": "button", "action_id": "open:history", "value": "#1042" }),
        json!({ "type": "users_select", "action_id": "field", "selected_user": "U1" }),
        json!({ "type": "overflow", "action_id": "more" }),
        json!(7),
    ] {
        assert_eq!(pressed(&bad), None, "{bad}");
    }
}

fn meant(action: &Action) -> Pressed {
    Pressed::Act { action: action.id.clone(), value: action.value.clone() }
}

/// Presses everything that can be pressed.
fn presses(blocks: &Value) -> Vec<Pressed> {
    let mut payloads = Vec::new();
    for element in
        blocks.as_array().unwrap().iter().flat_map(|b| b["elements"].as_array().cloned().unwrap_or_default())
    {
        match element["type"].as_str().unwrap() {
            "button" => payloads.push(element),
            "overflow" => payloads.extend(element["options"].as_array().unwrap().iter().map(
                |option| json!({ "type": "overflow", "action_id": element["action_id"], "selected_option": option }),
            )),
            "feedback_buttons" => payloads.extend(["positive_button", "negative_button"].map(
                |side| json!({ "type": "feedback_buttons", "action_id": "feedback", "value": element[side]["value"] }),
            )),
            _ => {}
        }
    }
    payloads.iter().filter_map(pressed).collect()
}

/// Every page leads to its neighbours, and together they hold every word, also of what the card cuts.
#[test]
fn a_long_history_is_read_page_by_page() {
    let mut whole = a_card(CardState::Assigned, "Ana has it");
    whole.summary = format!("{} the end of the summary", "many words ".repeat(400));
    let shown = Value::Array(card(&whole, &[], &[]).unwrap().blocks).to_string();
    assert!(shown.contains("Show more") && !shown.contains("the end of the summary"));
    let said: Vec<String> =
        (0..200).map(|nth| format!("**Maria:** line{nth}. {}", "and on ".repeat(40))).collect();
    let mut at = Page { reference: "#1042".into(), number: 0 };
    let (mut text, mut pages) = (String::new(), 0);
    loop {
        let view = history(&anchor(), &whole, &said, &at);
        assert_eq!(check(Surface::Modal, &view), Vec::<String>::new());
        text.push_str(&view["blocks"].to_string());
        pages += 1;
        let turns = presses(&view["blocks"]);
        let to = |number: usize| Pressed::Show(Page { reference: "#1042".into(), number });
        assert_eq!(turns.contains(&to(at.number + 1)), turns.len() > usize::from(at.number > 0));
        assert!(at.number == 0 || turns.contains(&to(at.number - 1)));
        if !turns.contains(&to(at.number + 1)) {
            break;
        }
        at.number += 1;
    }
    assert!(pages > 3, "{pages}");
    assert!(text.contains("the end of the summary"));
    for nth in 0..200 {
        assert!(text.contains(&format!("line{nth}.")), "{nth}");
    }
    let behind = Page { number: 99, ..at.clone() };
    assert_eq!(history(&anchor(), &whole, &said, &behind), history(&anchor(), &whole, &said, &at));
}

#[test]
fn what_cannot_be_a_button_is_refused() {
    let long =
        [act(&"a".repeat(300), "x"), act("", "x"), Action { value: Some("v".repeat(2001)), ..act("a", "x") }];
    for action in long {
        let content = Content::text("x").with_actions(vec![action.clone()]);
        assert!(
            matches!(messages(&content, Voice::Own), Err(SendError::Rejected { fixable: true, .. })),
            "{action:?}"
        );
    }
    let many = Content::text("x").with_actions((0..101).map(|n| act(&format!("a:{n}"), "x")).collect());
    assert!(messages(&many, Voice::Own).is_err());
}

#[test]
fn texts_and_voices() {
    let maria = Persona::person("Maria\nCosta");
    let ai = Persona::assistant("Assistant");
    assert_eq!((username(&maria).as_str(), username(&ai).as_str()), ("Maria Costa", "✨ Assistant"));
    assert!(username(&Persona::assistant("🙂".repeat(200))).chars().count() <= 80);
    let text = |content: &str, voice| single(&Content::text(content), voice).unwrap().unwrap().text;
    assert_eq!(text("hi <!here>", Voice::Named(&maria)), "hi &lt;!here&gt;");
    assert_eq!(single(&Content::default(), Voice::Own), Ok(None));
    assert_eq!(messages(&Content::default(), Voice::Own), Ok(Vec::new()));
    let lone = single(&Content::default().with_actions(vec![act("yes", "Yes"), act("no", "No")]), Voice::Own)
        .unwrap()
        .unwrap();
    assert_eq!((lone.text.as_str(), lone.blocks.len()), ("Yes · No", 1));
    let offer = Content {
        mentions: vec![called("U0B0B"), called("not an id>"), called("<!here>")],
        ..Content::text("yours")
    };
    let offer = single(&offer, Voice::Own).unwrap().unwrap();
    assert_eq!(offer.text, "<@U0B0B> yours");
    assert_eq!(read_message(&json!({ "blocks": offer.blocks }), &NoNames), "@U0B0B yours");
}

#[test]
fn long_texts_are_several_messages() {
    let text = format!("{}\n\n```rust\n{}\n```", "word ".repeat(1000), "let x = 1;\n".repeat(500));
    let content =
        Content { mentions: vec![called("U1")], ..Content::text(text) }.with_actions(vec![act("yes", "Yes")]);
    let parts = messages(&content, Voice::Own).unwrap();
    assert!(parts.len() > 2);
    for (nth, part) in parts.iter().enumerate() {
        assert!(part.text.ends_with(&format!("_({}/{})_", nth + 1, parts.len())), "{}", part.text);
        assert_eq!(part.text.matches("```").count() % 2, 0);
        assert_eq!(part.text.starts_with("<@U1>"), nth == 0);
        let buttons = part.blocks.iter().any(|block| block["type"] == "actions");
        assert_eq!(buttons, nth + 1 == parts.len());
    }
    let one = single(&content, Voice::Own).unwrap().unwrap();
    assert!(one.text.ends_with('…') && one.blocks.iter().any(|block| block["type"] == "actions"));
}

fn submission(kind: &str, values: Value) -> Value {
    let mut view = modal(Modal::named(kind).unwrap(), &anchor(), &Given::default());
    view["state"] = json!({ "values": values });
    view
}

#[test]
fn what_was_filled_in() {
    let text = |text: &str| json!({ "text": { "field": { "type": "plain_text_input", "value": text } } });
    let person = json!({ "person": { "field": { "selected_user": "U7" } } });
    let queue = json!({ "queue": { "field": { "value": " #net " } }, "person": { "field": { "selected_user": null } } });
    let act = |action, value: &str| Filled::Act { action, value: value.into() };
    for (kind, values, wanted) in [
        ("transfer", person.clone(), act("transfer", "@U7")),
        ("transfer", queue.clone(), act("transfer", "#net")),
        ("invite", person.clone(), act("invite", "@U7")),
        (
            "snooze",
            json!({ "period": { "field": { "selected_option": { "value": "2h" } } } }),
            act("snooze", "2h"),
        ),
        (
            "snooze",
            json!({ "other": { "field": { "value": "3d" } }, "period": { "field": { "selected_option": { "value": "2h" } } } }),
            act("snooze", "3d"),
        ),
        ("note", text("*a*"), act("note", "\\*a\\*")),
        ("ticket", text("a\nb"), Filled::Ticket { text: "a\nb".into() }),
        ("ask", text("help"), Filled::Ask { text: "help".into(), human: false }),
        (
            "ask",
            json!({ "text": { "field": { "value": "help" } }, "human": { "field": { "selected_options": [{ "value": "human" }] } } }),
            Filled::Ask { text: "help".into(), human: true },
        ),
    ] {
        assert_eq!(filled(&submission(kind, values)), Ok((anchor(), wanted)), "{kind}");
    }
    let both =
        json!({ "person": { "field": { "selected_user": "U7" } }, "queue": { "field": { "value": "net" } } });
    for (kind, values) in [
        ("transfer", both),
        ("transfer", json!({})),
        ("invite", queue),
        ("snooze", json!({})),
        ("note", text("  ")),
        ("ask", json!(5)),
        ("ticket", json!(null)),
    ] {
        let Err(Unfilled::Ask(answer)) = filled(&submission(kind, values)) else { panic!("{kind}") };
        assert_eq!(answer["response_action"], "errors");
    }
    let mut foreign = submission("note", text("x"));
    foreign["private_metadata"] = "{}".into();
    let history =
        json!({ "callback_id": "history", "private_metadata": serde_json::to_string(&anchor()).unwrap() });
    for odd in [foreign, json!({}), json!({ "callback_id": "note" }), history] {
        assert_eq!(filled(&odd), Err(Unfilled::Malformed));
    }
}

/// Texts of any length, also of characters that grow when they are written.
fn any_long() -> impl Strategy<Value = String> {
    let letter = prop::sample::select(
        &[
            "word",
            " ",
            "\n",
            "&",
            "<",
            "🙂",
            "*",
            "e\u{301}",
            "<@U1>",
            "https://a.example/x?a=1&b=2 ",
            "\n- ",
            "\n\n",
            "```\n",
            "[x](https://a.example/&&&&) ",
            "> ",
            "**b** ",
            "`c`",
            "\u{301}",
            ":+1: ",
            "~_*",
        ][..],
    );
    prop_oneof![
        2 => "[a-z <>&*_🙂\n]{0,40}",
        1 => (letter, 1usize..4000).prop_map(|(letter, times)| letter.repeat(times)),
    ]
}

fn any_card() -> impl Strategy<Value = Card> {
    let state = prop_oneof![
        Just(CardState::Assisting),
        Just(CardState::Waiting),
        Just(CardState::Offered),
        Just(CardState::Assigned),
        Just(CardState::Snoozed),
        Just(CardState::Resolved),
        Just(CardState::Closed)
    ];
    let texts = prop::array::uniform6(any_long());
    (state, texts, prop::collection::vec((any_long(), any_long()), 0..20)).prop_map(
        |(state, texts, facts)| {
            let [reference, title, status, requester, summary, hint] = texts;
            let facts = facts.into_iter().map(|(label, value)| Fact { label, value }).collect();
            Card { reference, title, state, status, requester, facts, summary, hint }
        },
    )
}

fn any_actions() -> impl Strategy<Value = Vec<Action>> {
    let id = prop_oneof![
        "[a-z]{1,10}(:[a-z0-9.]{1,20})?",
        Just("fb:up:1.2.3".to_owned()),
        Just("fb:down:1.2.3".to_owned())
    ];
    let action = (id, any_long(), prop::option::of("[a-z#@|]{0,40}")).prop_map(|(id, label, value)| Action {
        id,
        label,
        value,
    });
    prop::collection::vec(action, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn cards_always_fit(shown in any_card(), actions in any_actions()) {
        let message = card(&shown, &actions, &[called("U1")]).unwrap();
        let blocks = Value::Array(message.blocks);
        prop_assert_eq!(check(Surface::Message, &blocks), Vec::<String>::new());
        prop_assert!(limits::units(&message.text) <= 4000);
        let back = presses(&blocks);
        for action in &actions {
            let value = action.value.clone().filter(|value| !value.is_empty());
            let wanted = Pressed::Act { action: action.id.clone(), value };
            let either = Pressed::Act { action: action.id.clone(), value: action.value.clone() };
            prop_assert!(back.contains(&wanted) || back.contains(&either), "{:?} has no place", action);
        }
        prop_assert_eq!(check(Surface::Message, &unfurl(&shown)["blocks"]), Vec::<String>::new());
    }

    #[test]
    fn messages_always_fit(text in any_long(), name in any_long(), actions in any_actions(), assistant in any::<bool>()) {
        let persona = Persona { name, assistant, picture: None };
        let content = Content { mentions: vec![called("U1")], ..Content::text(text) }.with_actions(actions);
        for voice in [Voice::Own, Voice::Named(&persona)] {
            let all = messages(&content, voice).unwrap();
            for message in all.into_iter().chain(single(&content, voice).unwrap()) {
                prop_assert_eq!(check(Surface::Message, &Value::Array(message.blocks)), Vec::<String>::new());
                prop_assert!(limits::units(&message.text) <= 3600, "{}", limits::units(&message.text));
            }
        }
        prop_assert!(limits::units(&username(&persona)) <= 80);
    }

    #[test]
    fn views_always_fit(text in any_long(), subject in any_long(), many in 0usize..120, wait in any::<Option<u64>>()) {
        let given = Given { reference: &subject, text: &text };
        for kind in ["transfer", "invite", "snooze", "note", "ticket", "ask"] {
            let view = modal(Modal::named(kind).unwrap(), &anchor(), &given);
            prop_assert_eq!(check(Surface::Modal, &view), Vec::<String>::new());
        }
        let mut whole = a_card(CardState::Waiting, &text);
        (whole.title, whole.reference) = (subject.clone(), subject.clone());
        let said = [text.clone()];
        let view = history(&anchor(), &whole, &said, &Page { reference: subject.clone(), number: many });
        prop_assert_eq!(check(Surface::Modal, &view), Vec::<String>::new());
        let mut matter = matters()[2].clone();
        matter.subject = subject.clone();
        matter.technician = Some(text.clone());
        matter.ticket = Some(TicketShown { number: text.clone(), status: subject.clone() });
        let all = vec![matter; many];
        let hours = DeskHours { open: wait.is_some(), back: Some(text), online: 2, wait };
        prop_assert_eq!(check(Surface::Home, &of_requester(None, &all, &hours)), Vec::<String>::new());
        prop_assert_eq!(check(Surface::Home, &of_technician(None, &all, &hours)), Vec::<String>::new());
    }
}
