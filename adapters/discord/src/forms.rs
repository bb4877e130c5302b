//! Forms ("Modals"), slash commands and what they suggest while somebody types: how they look, what was filled in. Pure.
//!
//! Not here: opening a form, and what its answer does (`translate/interactions.rs`).

use deskbridge_contract::{Colleagues, Duty, names};
use serde_json::{Value, json};
use serenity::all::{
    CommandOptionType, CommandType, CreateActionRow, CreateCommand, CreateCommandOption, CreateInputText,
    CreateModal, InputTextStyle, InteractionContext,
};

/// In front of a form's name, in its `custom_id`.
const FORM: &str = "form:";

/// "Application Command Option Choice": how many, and how long name and value may be, in characters.
const MOST_CHOICES: usize = 25;
const MAX_CHOICE: usize = 100;

/// "Text Input": longest value.
const MAX_TEXT: u16 = 4000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Ask,
    Transfer,
    Invite,
    Snooze,
    Note,
    Ticket,
}

impl Form {
    const ALL: [Form; 6] = [Form::Ask, Form::Transfer, Form::Invite, Form::Snooze, Form::Note, Form::Ticket];

    /// What the menu of a card offers.
    pub(crate) const ON_CARDS: [Form; 5] =
        [Form::Transfer, Form::Invite, Form::Snooze, Form::Note, Form::Ticket];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Form::Ask => "ask",
            Form::Transfer => "transfer",
            Form::Invite => "invite",
            Form::Snooze => "snooze",
            Form::Note => "note",
            Form::Ticket => "ticket",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Form> {
        Form::ALL.into_iter().find(|form| form.name() == name)
    }

    /// How a menu offers it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Form::Ask => "Ask IT…",
            Form::Transfer => "Transfer…",
            Form::Invite => "Invite…",
            Form::Snooze => "Snooze…",
            Form::Note => "Internal note…",
            Form::Ticket => "Create ticket…",
        }
    }

    /// Title, name of the one field, whether it is long, what it shows before anybody typed, whether it must be filled in.
    fn field(self) -> (&'static str, &'static str, bool, &'static str, bool) {
        match self {
            Form::Ask => {
                ("Ask IT", "What is the matter?", true, "What happened, where, and since when?", true)
            }
            Form::Transfer => ("Transfer", "To whom?", false, "@ana or #network", true),
            Form::Invite => ("Invite", "Whom?", false, "@ana", true),
            Form::Snooze => ("Snooze", "For how long?", false, "2h, 3d, tomorrow 9am", true),
            Form::Note => ("Internal note", "Stays in this post", true, "", true),
            Form::Ticket => ("Create ticket", "A note for it", true, "May stay empty", false),
        }
    }

    /// As the answer to what was pressed.
    pub(crate) fn modal(self, text: &str) -> Value {
        let (title, label, long, hint, required) = self.field();
        let style = if long { InputTextStyle::Paragraph } else { InputTextStyle::Short };
        let most = if long { MAX_TEXT } else { 200 };
        let mut input =
            CreateInputText::new(style, label, "text").placeholder(hint).required(required).max_length(most);
        if !text.is_empty() {
            input = input.value(text.chars().take(usize::from(most)).collect::<String>());
        }
        let modal = CreateModal::new(format!("{FORM}{}", self.name()), title)
            .components(vec![CreateActionRow::InputText(input)]);
        serde_json::to_value(modal).unwrap_or_default()
    }

    /// The form that was sent, and what was written into it.
    pub(crate) fn filled(data: &Value) -> Option<(Form, String)> {
        let form = Form::named(data.get("custom_id")?.as_str()?.strip_prefix(FORM)?)?;
        let mut text = String::new();
        gather(data.get("components")?, 0, &mut text);
        Some((form, text.trim().to_owned()))
    }
}

/// Fields stand in rows, or in labels of the newer form.
fn gather(value: &Value, depth: usize, text: &mut String) {
    if depth > 6 {
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, depth + 1, text)),
        Value::Object(fields) => {
            if value["custom_id"] == "text"
                && let Some(said) = value["value"].as_str()
            {
                text.push_str(said);
            }
            for key in ["components", "component"] {
                if let Some(inner) = fields.get(key) {
                    gather(inner, depth + 1, text);
                }
            }
        }
        _ => {}
    }
}

/// What a person asks of IT, wherever they are.
pub(crate) const REQUESTERS: [&str; 5] = ["ask", "status", "human", "close", "new"];

/// What to type in a post instead: these are about requests of one's own. `None`: it can be asked anywhere.
pub(crate) fn instead(name: &str) -> Option<&'static str> {
    Some(match name {
        "status" => "`/status` is about a request of your own. How this one stands: `/info`.",
        "human" => {
            "`/human` is for a request of your own. Somebody else for this one: `/transfer` or `/invite`."
        }
        "close" => {
            "`/close` ends a request of your own, in our direct messages. To close this one: `/resolve`."
        }
        "new" => "`/new` is for our direct messages. To ask something of your own from here: `/ask`.",
        _ => return None,
    })
}

/// A technician's presence.
pub(crate) const PRESENCE: [&str; 3] = ["on", "busy", "off"];

/// Verbs without anything behind them, and what Discord says of them.
const PLAIN: [(&str, &str); 15] = [
    ("accept", "Take this request"),
    ("decline", "Leave this request to the next technician"),
    ("takeover", "Become the owner of this request"),
    ("backup", "Call your colleagues to this request"),
    ("join", "Answer beside the owner of this request"),
    ("leave", "Leave a request that you were invited to"),
    ("ticket", "Open a ticket for this request"),
    ("summary", "Show the summary, to you alone"),
    ("suggest", "Suggest an answer, to you alone"),
    ("handback", "Give the requester back to the assistant"),
    ("reopen", "Open this request again"),
    ("csat", "Ask the requester how it was"),
    ("info", "Show what is known of this request, to you alone"),
    ("help", "Show what can be done here, to you alone"),
    ("undo", "Take your last message back while it is held"),
];

/// The name of the entry in the menu of a message.
pub(crate) const TICKET_OF_MESSAGE: &str = "Create ticket";

/// All commands, for "Bulk Overwrite Global Application Commands".
pub(crate) fn commands() -> Vec<Value> {
    let text = |name: &str, says: &str, required: bool| {
        CreateCommandOption::new(CommandOptionType::String, name, says).required(required)
    };
    let anywhere = vec![InteractionContext::Guild, InteractionContext::BotDm];
    let everybody =
        |name: &str, says: &str| CreateCommand::new(name).description(says).contexts(anywhere.clone());
    let desk = |name: &str, says: &str| {
        CreateCommand::new(name).description(says).contexts(vec![InteractionContext::Guild])
    };
    let mut all = vec![
        everybody("ask", "Ask IT")
            .add_option(text("question", "What is the matter? Empty: a form opens", false).max_length(2000)),
        everybody("status", "How your request stands"),
        everybody("human", "Talk to a technician"),
        everybody("close", "Close your request"),
        everybody("new", "Begin a new request"),
        everybody("on", "Technicians: you take requests"),
        everybody("busy", "Technicians: nothing new for now"),
        everybody("off", "Technicians: you are away"),
    ];
    for (name, says) in PLAIN {
        all.push(desk(name, says));
    }
    all.push(desk("resolve", "Close this request as resolved").add_option(CreateCommandOption::new(
        CommandOptionType::Boolean,
        "silently",
        "Without a word to the requester",
    )));
    all.push(desk("transfer", "Ask somebody else, or another queue, to take this request").add_option(
        text("to", "A technician or a queue. Empty: a form opens", false).set_autocomplete(true),
    ));
    all.push(
        desk("invite", "Let somebody answer beside you")
            .add_option(text("who", "Whom", true).set_autocomplete(true)),
    );
    all.push(
        desk("snooze", "Put this request aside for a while")
            .add_option(text("for", "For how long", true).set_autocomplete(true)),
    );
    all.push(desk("label", "Put labels on this request, or take them off").add_option(text(
        "words",
        "vpn floor-2, or -vpn to take it off",
        true,
    )));
    all.push(desk("priority", "Say how urgent this request is").add_option(
        text("level", "normal, high, urgent, critical, or a number", true).set_autocomplete(true),
    ));
    all.push(
        desk("note", "Write something that stays in this post").add_option(text("text", "The note", true)),
    );
    all.push(desk("reply", "Answer the requester").add_option(text("text", "Your words", true)));
    all.push(
        CreateCommand::new(TICKET_OF_MESSAGE)
            .kind(CommandType::Message)
            .contexts(vec![InteractionContext::Guild]),
    );
    all.iter().map(|command| tidy(serde_json::to_value(command).unwrap_or_default())).collect()
}

/// Without what says nothing: some of it belongs to other kinds of options, and Discord's own description refuses it there.
fn tidy(value: Value) -> Value {
    let says = |value: &Value| !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty());
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, value)| says(value));
            Value::Object(kept.map(|(key, value)| (key, tidy(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(tidy).collect()),
        other => other,
    }
}

/// Whether somebody types into an option that takes people.
pub(crate) fn asks_for_people(command: &str, option: &str) -> bool {
    matches!((command, option), ("transfer", "to") | ("invite", "who"))
}

/// What an option suggests while somebody types ("Autocomplete"): at most 25, names and values of at most 100 characters.
pub(crate) fn suggestions(command: &str, option: &str, typed: &str, known: &Colleagues) -> Vec<Value> {
    let fixed = |all: &[&str]| all.iter().map(|one| ((*one).to_owned(), (*one).to_owned())).collect();
    let technicians = || {
        known.technicians.iter().map(|one| {
            let name = names::clean(&one.name).unwrap_or_else(|| one.id.clone());
            (format!("{} {name}", light(one.duty)), format!("@{}", one.id))
        })
    };
    let queues = || known.queues.iter().map(|queue| (format!("#{queue}"), format!("#{queue}")));
    let all: Vec<(String, String)> = match (command, option) {
        ("snooze", "for") => fixed(&["30m", "1h", "2h", "4h", "1d", "tomorrow 9am", "3d", "7d"]),
        ("priority", "level") => fixed(&["normal", "high", "urgent", "critical"]),
        ("transfer", "to") => technicians().chain(queues()).collect(),
        ("invite", "who") => technicians().collect(),
        _ => Vec::new(),
    };
    // "#" alone asks for queues, "@" for people.
    let sign = typed.trim().chars().next().filter(|sign| "#@".contains(*sign));
    let typed = typed.trim().trim_start_matches(['#', '@']).to_lowercase();
    let found = all.into_iter().filter(|(name, value)| {
        let said = name.to_lowercase().contains(&typed) || value.to_lowercase().contains(&typed);
        said && sign.is_none_or(|sign| value.starts_with(sign)) && value.chars().count() <= MAX_CHOICE
    });
    found
        .take(MOST_CHOICES)
        .map(|(name, value)| json!({ "name": crate::cards::cut(&name, MAX_CHOICE), "value": value }))
        .collect()
}

fn light(duty: Duty) -> &'static str {
    match duty {
        Duty::On => "🟢",
        Duty::Busy => "🟡",
        Duty::Away => "🟠",
        Duty::Off => "⚪",
    }
}

#[cfg(test)]
mod tests {
    use deskbridge_contract::Colleague;

    use super::*;

    #[test]
    fn forms_come_back_filled() {
        insta::assert_json_snapshot!(Form::Ask.modal("My VPN"));
        let sent = json!({ "custom_id": "form:snooze", "components": [
            { "type": 1, "components": [{ "type": 4, "custom_id": "text", "value": " 2h " }] }] });
        assert_eq!(Form::filled(&sent), Some((Form::Snooze, "2h".into())));
        let newer = json!({ "custom_id": "form:note", "components": [
            { "type": 18, "component": { "type": 4, "custom_id": "text", "value": "n" } }] });
        assert_eq!(Form::filled(&newer), Some((Form::Note, "n".into())));
        assert_eq!(Form::filled(&json!({ "custom_id": "other" })), None);
        for form in Form::ALL {
            assert_eq!(Form::named(form.name()), Some(form));
        }
    }

    /// "Modal" and "Text Input": title and label of at most 45 characters, a hint of at most 100, up to 4 000 in the field.
    #[test]
    fn every_form_is_within_the_limits() {
        for form in Form::ALL {
            let modal = form.modal(&"x".repeat(9000));
            let length = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
            let field = &modal["components"][0]["components"][0];
            assert!(length(&modal["custom_id"]) <= 100 && length(&modal["title"]) <= 45, "{modal}");
            assert!(length(&field["label"]) <= 45 && length(&field["placeholder"]) <= 100, "{modal}");
            let most = field["max_length"].as_u64().unwrap();
            assert!(most <= 4000 && length(&field["value"]) as u64 <= most, "{modal}");
            insta::assert_json_snapshot!(format!("form_{}", form.name()), form.modal(""));
        }
    }

    /// "Application Commands": names of 1 to 32 small letters, descriptions of 1 to 100, required options first.
    #[test]
    fn commands_are_within_the_limits() {
        let all = commands();
        assert!(all.len() <= 100);
        let mut names = std::collections::BTreeSet::new();
        for command in &all {
            let name = command["name"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} twice");
            if command["type"] == 3 {
                continue;
            }
            assert!(name.len() <= 32 && name.chars().all(|c| c.is_ascii_lowercase()), "{name}");
            let says = command["description"].as_str().unwrap();
            assert!((1..=100).contains(&says.chars().count()), "{name}");
            let options = command["options"].as_array().cloned().unwrap_or_default();
            let required: Vec<bool> = options.iter().map(|option| option["required"] == true).collect();
            assert!(required.is_sorted_by(|a, b| a >= b), "{name}");
        }
        for word in REQUESTERS.iter().chain(&PRESENCE) {
            assert!(names.contains(*word), "{word}");
        }
    }

    /// "One set of verbs everywhere": what `/help` lists can be typed.
    #[test]
    fn every_verb_is_a_command() {
        let verbs = "accept decline reply note transfer invite backup join leave snooze resolve reopen handback ticket \
            summary suggest csat info undo label priority takeover help on busy off";
        let all = commands();
        for verb in verbs.split_whitespace() {
            assert!(all.iter().any(|command| command["name"] == verb), "/{verb}");
        }
    }

    #[test]
    fn suggestions_follow_what_is_typed() {
        let person = |id: &str, name: &str, duty| Colleague { id: id.into(), name: name.into(), duty };
        let known = Colleagues {
            technicians: vec![person("cem", "Cem Öz", Duty::On), person("net-ops", "Nora", Duty::Off)],
            queues: vec!["network".into(), "vpn".into()],
        };
        let values = |command: &str, option: &str, typed: &str| -> Vec<String> {
            let found = suggestions(command, option, typed, &known);
            found.iter().filter_map(|one| one["value"].as_str().map(str::to_owned)).collect()
        };
        assert_eq!(suggestions("snooze", "for", "tom", &Colleagues::default()).len(), 1);
        assert_eq!(values("priority", "level", "u"), ["urgent"]);
        assert_eq!(values("transfer", "to", ""), ["@cem", "@net-ops", "#network", "#vpn"]);
        assert_eq!(values("transfer", "to", "net"), ["@net-ops", "#network"]);
        assert_eq!(values("transfer", "to", "#net"), ["#network"]);
        assert_eq!(values("transfer", "to", "@"), ["@cem", "@net-ops"]);
        assert_eq!(values("transfer", "to", "öZ"), ["@cem"], "by name");
        assert_eq!(values("invite", "who", "n"), ["@net-ops"], "queues are not invited");
        assert_eq!(suggestions("invite", "who", "cem", &known)[0]["name"], "🟢 Cem Öz");
        assert!(values("ask", "question", "").is_empty());
        let many = (0..90).map(|n| person(&format!("t{n}"), &"x".repeat(300), Duty::On)).collect();
        let many = Colleagues { technicians: many, queues: vec!["q".repeat(200)] };
        let found = suggestions("transfer", "to", "", &many);
        assert_eq!(found.len(), 25);
        assert!(found.iter().all(|one| one["name"].as_str().unwrap().chars().count() <= 100));
        assert!(suggestions("transfer", "to", "#q", &many).is_empty(), "too long to be chosen");
    }
}
