//! How a conversation looks in a desk's topic: card, buttons, topic title and icon, marks. Pure.
//!
//! Not here: when any of it is posted, and calls to Telegram.

use deskbridge_contract::{Action, Card, CardState, Mark, SendError, ThreadTitle};
use teloxide_core::types::{InlineKeyboardButton, InlineKeyboardMarkup, MessageEntityKind as Kind};

use crate::ids;
use crate::markup::{self, Draft, Formatted, MAX_TEXT};

/// Longest name of a topic ("createForumTopic").
const MAX_TITLE: usize = 128;
/// Buttons per message that Telegram shows; more are refused.
pub(crate) const MAX_BUTTONS: usize = 100;
/// What fits beside each other on a phone.
const ROW_BUTTONS: usize = 3;
const ROW_LETTERS: usize = 30;
const MAX_LABEL: usize = 64;

/// Emoji for the topic's icon, best first. Only those that `getForumTopicIconStickers` lists are free for bots (D22).
pub(crate) fn icons(state: CardState) -> &'static [&'static str] {
    match state {
        CardState::Assisting => &["🤖", "💡", "💬"],
        CardState::Waiting => &["❗", "🔥", "❓"],
        CardState::Offered => &["👀", "⁉", "❓"],
        CardState::Assigned => &["💬", "🗣", "💼"],
        CardState::Snoozed => &["☕", "📆", "🏖"],
        CardState::Resolved => &["✅", "🏆", "🏁"],
        CardState::Closed => &["🏁", "📁", "✅"],
    }
}

/// D21: one reaction per message, from Telegram's fixed list.
pub(crate) fn mark(mark: Mark) -> &'static str {
    match mark {
        Mark::Delivered => "👌",
        Mark::Seen => "👀",
        Mark::Internal => "🙈",
        Mark::Held => "🤔",
        Mark::Failed => "😱",
    }
}

/// What a bot may react with ("ReactionTypeEmoji").
const REACTIONS: [&str; 73] = [
    "❤",
    "👍",
    "👎",
    "🔥",
    "🥰",
    "👏",
    "😁",
    "🤔",
    "🤯",
    "😱",
    "🤬",
    "😢",
    "🎉",
    "🤩",
    "🤮",
    "💩",
    "🙏",
    "👌",
    "🕊",
    "🤡",
    "🥱",
    "🥴",
    "😍",
    "🐳",
    "❤‍🔥",
    "🌚",
    "🌭",
    "💯",
    "🤣",
    "⚡",
    "🍌",
    "🏆",
    "💔",
    "🤨",
    "😐",
    "🍓",
    "🍾",
    "💋",
    "🖕",
    "😈",
    "😴",
    "😭",
    "🤓",
    "👻",
    "👨‍💻",
    "👀",
    "🎃",
    "🙈",
    "😇",
    "😨",
    "🤝",
    "✍",
    "🤗",
    "🫡",
    "🎅",
    "🎄",
    "☃",
    "💅",
    "🤪",
    "🗿",
    "🆒",
    "💘",
    "🙉",
    "🦄",
    "😘",
    "💊",
    "🙊",
    "😎",
    "👾",
    "🤷‍♂",
    "🤷",
    "🤷‍♀",
    "😡",
];

/// The reaction in Telegram's spelling (no variation selector), when it has it.
pub(crate) fn reaction(emoji: &str) -> Option<&'static str> {
    let plain = emoji.replace('\u{fe0f}', "");
    REACTIONS.into_iter().find(|known| *known == plain)
}

/// `🟡 #1042 Maria · VPN`
pub(crate) fn title(title: &ThreadTitle) -> String {
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut text =
        format!("{} {} {}", title.state.sign(), one_line(&title.reference), one_line(&title.requester));
    let subject = one_line(&title.subject);
    if !subject.is_empty() {
        text.push_str(" · ");
        text.push_str(&subject);
    }
    Formatted { text, entities: Vec::new() }.cut(MAX_TITLE).text
}

/// The card's text; what does not fit is taken from the summary.
pub(crate) fn card(card: &Card) -> Formatted {
    let mut tail = Draft::default();
    if !card.hint.is_empty() {
        tail.styled(Kind::Italic, &card.hint);
    }
    let mut draft = Draft::default();
    draft.push("📌 ");
    draft.styled(Kind::Bold, &card.reference);
    for part in [&card.requester, &card.title] {
        if !part.is_empty() {
            draft.push(" · ");
            draft.push(part);
        }
    }
    draft.push(&format!("\n{} ", card.state.sign()));
    draft.styled(Kind::Bold, &card.status);
    for fact in &card.facts {
        draft.push("\n");
        draft.styled(Kind::Bold, &format!("{}:", fact.label));
        draft.push(" ");
        draft.push(&fact.value);
    }
    let head = draft.finish().cut(MAX_TEXT / 2);
    let tail = tail.finish().cut(MAX_TEXT / 8);
    let room = MAX_TEXT - head.length() - tail.length() - 8;
    let summary = markup::from_commonmark(&card.summary).cut(room);
    let mut whole = Draft::default();
    whole.append(&head);
    for part in [&summary, &tail] {
        if !part.is_empty() {
            whole.push("\n\n");
            whole.append(part);
        }
    }
    whole.finish().cut(MAX_TEXT)
}

/// Buttons in rows; `None` when there are none.
pub(crate) fn keyboard(actions: &[Action]) -> Result<Option<InlineKeyboardMarkup>, SendError> {
    if actions.is_empty() {
        return Ok(None);
    }
    if actions.len() > MAX_BUTTONS {
        let why = format!("Telegram shows at most {MAX_BUTTONS} buttons under a message");
        return Err(SendError::Rejected { why, fixable: true });
    }
    let mut rows: Vec<Vec<InlineKeyboardButton>> = Vec::new();
    let mut letters = 0;
    for action in actions {
        let label = label(action);
        let width = label.chars().count();
        let button = InlineKeyboardButton::callback(label, ids::callback_data(action)?);
        match rows.last_mut() {
            Some(row) if row.len() < ROW_BUTTONS && letters + width <= ROW_LETTERS => {
                row.push(button);
                letters += width;
            }
            _ => {
                rows.push(vec![button]);
                letters = width;
            }
        }
    }
    Ok(Some(InlineKeyboardMarkup { inline_keyboard: rows }))
}

fn label(action: &Action) -> String {
    let text = action.label.split_whitespace().collect::<Vec<_>>().join(" ");
    // A button without text is refused.
    let text = if text.is_empty() { action.id.clone() } else { text };
    Formatted { text, entities: Vec::new() }.cut(MAX_LABEL).text
}

#[cfg(test)]
mod tests {
    use super::*;
    use deskbridge_contract::Fact;

    fn sample() -> Card {
        Card {
            reference: "#1042".into(),
            title: "VPN says \"691\"".into(),
            state: CardState::Waiting,
            status: "Waiting · offered to @bob".into(),
            requester: "Maria <Costa> *1*".into(),
            facts: vec![Fact { label: "Queue".into(), value: "Network".into() }],
            summary: "**Intent** VPN fails\n\n- rebooted\n- logged in again".into(),
            hint: "Before Accept, this topic is internal.".into(),
        }
    }

    #[test]
    fn a_card() {
        let shown = card(&sample());
        insta::assert_snapshot!(shown.text.replace('\u{2060}', "(joiner)"), @r#"
        📌 #1042 · Maria <Costa> *1* · VPN says "691"
        🟡 Waiting · offered to @(joiner)bob
        Queue: Network

        Intent VPN fails

        • rebooted
        • logged in again

        Before Accept, this topic is internal.
        "#);
        let bold: Vec<String> = shown.entities.iter().map(|e| crate::markup::covered(&shown, e)).collect();
        assert_eq!(
            bold,
            [
                "#1042",
                "Waiting · offered to @\u{2060}bob",
                "Queue:",
                "Intent",
                "Before Accept, this topic is internal."
            ]
        );
    }

    #[test]
    fn a_card_always_fits() {
        let mut long = sample();
        long.summary = "word ".repeat(3000);
        long.hint = "🙂".repeat(3000);
        long.facts = vec![Fact { label: "L".repeat(500), value: "🙂".repeat(5000) }; 5];
        let shown = card(&long);
        assert!(shown.length() <= MAX_TEXT && shown.text.contains("word"));
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
        name.subject = String::new();
        name.state = CardState::Resolved;
        assert_eq!(title(&name), "🟢 #1042 Maria");
        name.subject = "🙂 line\nbreak ".repeat(50);
        let long = title(&name);
        assert!(
            markup::utf16_len(&long) <= MAX_TITLE && long.ends_with('…') && !long.contains('\n'),
            "{long}"
        );
    }

    #[test]
    fn buttons_in_rows() {
        let action = |id: &str, label: &str| Action::new(id, label);
        let many =
            ["Accept", "Suggest reply", "Ticket", "Snooze", "Transfer", "Resolve"].map(|l| action("a:1", l));
        let rows = keyboard(&many).unwrap().unwrap().inline_keyboard;
        assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3]);
        let long = [action("a", &"A long answer that people pick ".repeat(4)), action("b", "")];
        let rows = keyboard(&long).unwrap().unwrap().inline_keyboard;
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1][0].text, "b");
        assert!(keyboard(&[]).unwrap().is_none());
        assert!(keyboard(&vec![action("a", "b"); 101]).is_err());
    }

    #[test]
    fn marks_are_reactions_that_bots_may_use() {
        for state in [Mark::Delivered, Mark::Seen, Mark::Internal, Mark::Held, Mark::Failed] {
            assert_eq!(reaction(mark(state)), Some(mark(state)));
        }
        assert_eq!(reaction("❤️"), Some("❤"));
        assert_eq!(reaction("🎫"), None);
    }
}
