//! How a conversation looks on Discord: the card as an embed, buttons, the title and tags of its post, marks. Pure.
//!
//! Not here: when any of it is posted (`send`), forms and commands (`forms.rs`).

use deskbridge_contract::{Action, Card, CardState, Mark, Persona, SendError, ThreadTitle};
use serde_json::{Value, json};
use serenity::all::{
    ButtonStyle, CreateActionRow, CreateAllowedMentions, CreateButton, CreateEmbed, CreateEmbedFooter,
    CreateSelectMenu, CreateSelectMenuKind, CreateSelectMenuOption,
};

use crate::forms::Form;
use crate::{ids, markup};

/// "Thread": longest name.
const MAX_TITLE: usize = 100;
/// "Embed Limits".
const MAX_EMBED_TITLE: usize = 256;
const MAX_DESCRIPTION: usize = 4096;
const MAX_FIELDS: usize = 25;
const MAX_FIELD_NAME: usize = 256;
const MAX_FIELD_VALUE: usize = 1024;
const MAX_FOOTER: usize = 2048;
const MAX_EMBED: usize = 6000;
/// "Action Row": five rows of five.
pub(crate) const MAX_BUTTONS: usize = 25;
const ROW: usize = 5;
const ROWS: usize = 5;
const MAX_LABEL: usize = 80;
/// "Execute Webhook": longest name.
const MAX_USERNAME: usize = 80;

/// The menu of a card, by which forms are opened.
pub(crate) const MENU: &str = "more";

/// D21: 📨 👁️ 🔒 ⏳ ⚠️.
pub(crate) const MARKS: [(Mark, &str); 5] = [
    (Mark::Delivered, "📨"),
    (Mark::Seen, "👁️"),
    (Mark::Internal, "🔒"),
    (Mark::Held, "⏳"),
    (Mark::Failed, "⚠️"),
];

pub(crate) fn mark(mark: Mark) -> &'static str {
    MARKS.into_iter().find(|(known, _)| *known == mark).map_or("⚠️", |(_, emoji)| emoji)
}

/// No mention, of whomever, by whatever text ("Allowed Mentions Object"). Left out, everything would ping.
pub(crate) fn nobody() -> Value {
    let mentions = CreateAllowedMentions::new().replied_user(false);
    let mut mentions = serde_json::to_value(mentions).unwrap_or_else(|_| json!({}));
    mentions["parse"] = json!([]);
    mentions
}

/// Those people and nobody else: technicians whom the bridge itself calls.
pub(crate) fn these(users: &[String]) -> Value {
    if users.is_empty() {
        return nobody();
    }
    json!({ "parse": [], "users": users, "replied_user": false })
}

/// At most so many characters, with an ellipsis where something was left out.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(limit.saturating_sub(1)).collect();
    // Not between a backslash and its sign.
    if kept.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1 {
        kept.pop();
    }
    kept.push('…');
    kept
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `🟡 #1042 Maria · VPN`: the name of a post is plain text.
pub(crate) fn title(title: &ThreadTitle) -> String {
    let mut text = format!("{} {}", head(title), one_line(&title.requester));
    let subject = one_line(&title.subject);
    if !subject.is_empty() {
        text.push_str(" · ");
        text.push_str(&subject);
    }
    cut(&text, MAX_TITLE)
}

/// `🟡 #1042`: what stands in front of it, and names nobody.
pub(crate) fn head(title: &ThreadTitle) -> String {
    format!("{} {}", title.state.sign(), one_line(&title.reference))
}

/// The name that a post has by now, with another state in front. `None`: it is not one of ours.
pub(crate) fn headed(name: &str, head: &str) -> Option<String> {
    let ((_, reference), (_, said)) = (head.split_once(' ')?, name.split_once(' ')?);
    let rest = said.strip_prefix(reference).filter(|rest| rest.is_empty() || rest.starts_with(' '))?;
    Some(cut(&format!("{head}{rest}"), MAX_TITLE))
}

/// The colour of the embed's edge.
fn colour(state: CardState) -> u32 {
    match state {
        CardState::Assisting => 0x0094_a3b8,
        CardState::Waiting => 0x00ea_b308,
        CardState::Offered => 0x00f9_7316,
        CardState::Assigned => 0x003b_82f6,
        CardState::Snoozed => 0x0081_8cf8,
        CardState::Resolved => 0x0022_c55e,
        CardState::Closed => 0x009c_a3af,
    }
}

/// The card. What does not fit is taken from the summary.
pub(crate) fn embed(card: &Card) -> Value {
    let mut head = format!("📌 {}", one_line(&card.reference));
    for part in [&card.requester, &card.title] {
        if !part.is_empty() {
            head.push_str(" · ");
            head.push_str(&markup::literal(part));
        }
    }
    let head = cut(&head, MAX_EMBED_TITLE);
    let status = format!("{} **{}**", card.state.sign(), cut(&markup::literal(&card.status), 300));
    let hint = cut(&one_line(&card.hint), MAX_FOOTER.min(600));
    let mut fields = Vec::new();
    let mut used = head.chars().count() + status.chars().count() + hint.chars().count();
    for fact in card.facts.iter().take(MAX_FIELDS) {
        let name = cut(&one_line(&fact.label), MAX_FIELD_NAME.min(60));
        let value = cut(&markup::literal(&fact.value), MAX_FIELD_VALUE.min(200));
        // Both have to be there ("Embed Field").
        if name.is_empty() || value.is_empty() {
            continue;
        }
        let more = name.chars().count() + value.chars().count();
        if used + more > MAX_EMBED / 2 {
            break;
        }
        used += more;
        fields.push((name, value, true));
    }
    let room = (MAX_EMBED - used - 16).min(MAX_DESCRIPTION - status.chars().count() - 4);
    let summary = markup::split(&markup::to_discord(&card.summary), room);
    let mut description = status;
    if let Some(first) = summary.first() {
        description.push_str("\n\n");
        description.push_str(first);
        if summary.len() > 1 {
            description.push('…');
        }
    }
    let mut embed =
        CreateEmbed::new().title(head).description(description).colour(colour(card.state)).fields(fields);
    if !hint.is_empty() {
        embed = embed.footer(CreateEmbedFooter::new(hint));
    }
    serde_json::to_value(embed).unwrap_or_default()
}

/// Buttons in rows of five.
pub(crate) fn rows(actions: &[Action]) -> Result<Vec<Value>, SendError> {
    written(buttons(actions, ROWS)?)
}

/// A card's buttons, and below them the menu of forms.
pub(crate) fn card_rows(actions: &[Action], forms: &[Form]) -> Result<Vec<Value>, SendError> {
    let mut rows = buttons(actions, ROWS - usize::from(!forms.is_empty()))?;
    if !forms.is_empty() {
        let options =
            forms.iter().map(|form| CreateSelectMenuOption::new(form.label(), form.name())).collect();
        let menu = CreateSelectMenu::new(MENU, CreateSelectMenuKind::String { options }).placeholder("More…");
        rows.push(CreateActionRow::SelectMenu(menu));
    }
    written(rows)
}

fn written(rows: Vec<CreateActionRow>) -> Result<Vec<Value>, SendError> {
    let rows: Result<Vec<Value>, _> = rows.iter().map(serde_json::to_value).collect();
    rows.map_err(|_| SendError::rejected("the buttons cannot be written as JSON"))
}

fn buttons(actions: &[Action], most: usize) -> Result<Vec<CreateActionRow>, SendError> {
    if actions.len() > most * ROW {
        let why = format!("Discord shows at most {} buttons under a message here", most * ROW);
        return Err(SendError::Rejected { why, fixable: true });
    }
    let mut seen = Vec::new();
    let mut all = Vec::new();
    for action in actions {
        let mut id = ids::custom_id(&action.id, action.value.as_deref())?;
        if seen.contains(&id) {
            // Two of one id in a message are refused.
            id = ids::custom_id(
                &action.id,
                Some(&format!("{}~{}", action.value.as_deref().unwrap_or(""), seen.len())),
            )?;
        }
        all.push(CreateButton::new(id.clone()).label(label(action)).style(style(&action.id)));
        seen.push(id);
    }
    Ok(all.chunks(ROW).map(|row| CreateActionRow::Buttons(row.to_vec())).collect())
}

fn style(id: &str) -> ButtonStyle {
    match id.split(':').next().unwrap_or_default() {
        "accept" | "yes" | "send" => ButtonStyle::Primary,
        "resolve" => ButtonStyle::Success,
        _ => ButtonStyle::Secondary,
    }
}

fn label(action: &Action) -> String {
    let text = one_line(&action.label);
    // A button without text is refused.
    let text = if text.is_empty() { action.id.clone() } else { text };
    cut(&text, MAX_LABEL)
}

/// A name that a webhook may write under: 1 to 80 characters, and neither "discord" nor "clyde" in it ("Execute Webhook").
pub(crate) fn username(persona: &Persona) -> String {
    let name = deskbridge_contract::names::clean(&persona.name).unwrap_or_else(|| "Requester".to_owned());
    let mut safe = name;
    for word in ["discord", "clyde"] {
        let mut from = 0;
        while let Some(at) = find_folded(&safe, word, from) {
            // A joiner inside: it reads the same and is another word.
            safe.insert(at + 1, '\u{2060}');
            from = at + 1;
        }
    }
    // These two whole names are refused as well.
    if matches!(safe.to_lowercase().as_str(), "everyone" | "here") {
        safe.push('.');
    }
    safe.chars().take(MAX_USERNAME).collect()
}

fn find_folded(text: &str, word: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    (from..bytes.len().saturating_sub(word.len() - 1))
        .find(|at| bytes[*at..*at + word.len()].eq_ignore_ascii_case(word.as_bytes()))
}

/// How a name stands in front of words where they cannot be under it.
pub(crate) fn prefix(persona: &Persona) -> String {
    let name = deskbridge_contract::names::clean(&persona.name).unwrap_or_else(|| "Somebody".to_owned());
    let sign = if persona.assistant { "✨ " } else { "" };
    format!("{sign}**{}:** ", markup::literal(&name))
}

/// What a state is called as a tag of the forum, and the emoji before it.
pub(crate) const TAGS: [(CardState, &str); 7] = [
    (CardState::Assisting, "Assistant"),
    (CardState::Waiting, "Waiting"),
    (CardState::Offered, "Offered"),
    (CardState::Assigned, "In progress"),
    (CardState::Snoozed, "Snoozed"),
    (CardState::Resolved, "Resolved"),
    (CardState::Closed, "Closed"),
];

/// Set on what is urgent.
pub(crate) const PRIORITY: &str = "Priority";

/// "Thread": at most five tags.
const MAX_TAGS: usize = 5;

/// The tags of a post, by the forum's own names for them, in any spelling of capitals.
pub(crate) fn tags(
    state: CardState,
    queue: Option<&str>,
    priority: bool,
    known: &[(String, String)],
) -> Vec<String> {
    let named = |name: &str| tag_named(name, known);
    let state = TAGS.into_iter().find(|(known, _)| *known == state).and_then(|(_, name)| named(name));
    let priority = priority.then(|| named(PRIORITY)).flatten();
    let queue = queue.and_then(named);
    let mut found: Vec<String> = [state, priority, queue].into_iter().flatten().collect();
    found.dedup();
    found.truncate(MAX_TAGS);
    found
}

/// The tag of this name.
pub(crate) fn tag_named(name: &str, known: &[(String, String)]) -> Option<String> {
    let fold = |text: &str| text.trim().trim_start_matches('#').to_lowercase();
    known.iter().find(|(tag, _)| fold(tag) == fold(name)).map(|(_, id)| id.clone())
}

/// Whether a tag says how a matter stands: such are ours to change, others are not.
pub(crate) fn is_ours(tag: &str) -> bool {
    TAGS.iter().any(|(_, name)| name.eq_ignore_ascii_case(tag.trim()))
        || PRIORITY.eq_ignore_ascii_case(tag.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use deskbridge_contract::Fact;

    /// "Component": longest `custom_id`.
    const MAX_CUSTOM_ID: usize = 100;

    fn sample() -> Card {
        Card {
            reference: "#1042".into(),
            title: "VPN says \"691\"".into(),
            state: CardState::Waiting,
            status: "Waiting · offered to @bob".into(),
            requester: "Maria <Costa> *1*".into(),
            facts: vec![Fact { label: "Queue".into(), value: "network".into() }],
            summary: "**Intent** VPN fails\n\n- rebooted\n- logged in again".into(),
            hint: "Before Accept, this post is internal.".into(),
        }
    }

    #[test]
    fn a_card() {
        insta::assert_json_snapshot!(embed(&sample()));
        let actions = [
            Action::new("accept", "Accept"),
            Action::new("snooze:1h", "Snooze 1 h"),
            Action::new("resolve", "Resolve"),
        ];
        insta::assert_json_snapshot!(card_rows(&actions, &Form::ON_CARDS).unwrap());
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

    /// "Component": custom ids, labels and rows; "Embed Limits". Of every state, as it is posted.
    #[test]
    fn cards_of_every_state() {
        for (state, name) in TAGS {
            let card = Card { state, status: name.into(), ..sample() };
            let rows = card_rows(&actions(state), &Form::ON_CARDS).unwrap();
            assert!(rows.len() <= ROWS, "{name}");
            let components = rows.iter().flat_map(|row| row["components"].as_array().unwrap());
            let length = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
            for component in components {
                assert!(
                    (1..=MAX_CUSTOM_ID).contains(&length(&component["custom_id"])),
                    "{name}: {component}"
                );
                assert!(length(&component["label"]) <= MAX_LABEL, "{name}: {component}");
            }
            let whole = json!({ "embeds": [embed(&card)], "components": rows });
            insta::assert_json_snapshot!(format!("card_{}", name.to_lowercase().replace(' ', "_")), whole);
        }
    }

    #[test]
    fn a_card_always_fits() {
        let mut long = sample();
        long.summary = "word **bold** ".repeat(3000);
        long.hint = "🙂".repeat(3000);
        long.requester = "*".repeat(500);
        long.facts = vec![Fact { label: "L".repeat(500), value: "_".repeat(5000) }; 40];
        let shown = embed(&long);
        let length = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
        let fields = shown["fields"].as_array().cloned().unwrap_or_default();
        let of_fields: usize =
            fields.iter().map(|field| length(&field["name"]) + length(&field["value"])).sum();
        let all = length(&shown["title"])
            + length(&shown["description"])
            + length(&shown["footer"]["text"])
            + of_fields;
        assert!(all <= MAX_EMBED && length(&shown["description"]) <= MAX_DESCRIPTION, "{all}");
        assert!(length(&shown["title"]) <= MAX_EMBED_TITLE && fields.len() <= MAX_FIELDS);
    }

    #[test]
    fn titles() {
        let mut name = ThreadTitle {
            state: CardState::Waiting,
            reference: "#1042".into(),
            requester: "Maria".into(),
            subject: "VPN".into(),
        };
        assert_eq!(title(&name), "🟡 #1042 Maria · VPN");
        assert_eq!(head(&name), "🟡 #1042");
        let with = |name: &str| headed(name, "🟢 #1042");
        assert_eq!(with("🟡 #1042 Maria · VPN").as_deref(), Some("🟢 #1042 Maria · VPN"));
        assert_eq!(with("🟡 #1042").as_deref(), Some("🟢 #1042"));
        for other in ["🟡 #10423 Maria", "broken chair", "", "🟡 "] {
            assert_eq!(with(other), None, "{other}");
        }
        name.subject = "🙂 line\nbreak ".repeat(50);
        let long = title(&name);
        assert!(long.chars().count() <= MAX_TITLE && long.ends_with('…') && !long.contains('\n'), "{long}");
    }

    #[test]
    fn buttons_in_rows() {
        let many = vec![Action::new("a:1", "Again"); 7];
        let rows = rows(&many).unwrap();
        assert_eq!(
            rows.iter().map(|row| row["components"].as_array().unwrap().len()).collect::<Vec<_>>(),
            [5, 2]
        );
        let ids: std::collections::BTreeSet<String> = rows
            .iter()
            .flat_map(|row| row["components"].as_array().unwrap().clone())
            .map(|b| b["custom_id"].to_string())
            .collect();
        assert_eq!(ids.len(), 7, "each has its own id");
        assert!(super::rows(&vec![Action::new("a", "b"); 26]).is_err());
        assert!(super::rows(&[]).unwrap().is_empty());
    }

    #[test]
    fn names_that_a_webhook_may_have() {
        let name = |name: &str| username(&Persona { name: name.into(), assistant: false, picture: None });
        assert_eq!(name("Maria Lopez"), "Maria Lopez");
        for refused in ["Discord Support", "xDISCORDx", "Clyde", "discorddiscord"] {
            let folded = name(refused).to_lowercase();
            assert!(!folded.contains("discord") && !folded.contains("clyde"), "{refused}");
        }
        assert_eq!(name(" \u{200b} "), "Requester");
        assert_eq!(name("everyone"), "everyone.");
        assert!(name(&"x".repeat(300)).chars().count() <= MAX_USERNAME);
    }

    #[test]
    fn tags_by_the_forums_names() {
        let known = [("waiting", "1"), ("PRIORITY", "2"), ("network", "3"), ("Other", "4")];
        let known: Vec<(String, String)> =
            known.iter().map(|(n, i)| ((*n).to_owned(), (*i).to_owned())).collect();
        assert_eq!(tags(CardState::Waiting, Some("network"), true, &known), ["1", "2", "3"]);
        assert_eq!(tags(CardState::Resolved, Some("vpn"), false, &known), [""; 0]);
        assert!(is_ours("resolved") && !is_ours("network"));
    }

    #[test]
    fn nobody_is_mentioned() {
        assert_eq!(nobody()["parse"], json!([]));
        assert_eq!(nobody()["replied_user"], json!(false));
    }
}
