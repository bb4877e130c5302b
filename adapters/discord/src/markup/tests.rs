use proptest::prelude::*;

use super::read::NoNames;
use super::*;

struct Known;

impl Names for Known {
    fn person(&self, id: &str) -> Option<String> {
        (id == "5").then(|| "Ana".to_owned())
    }
    fn role(&self, id: &str) -> Option<String> {
        (id == "6").then(|| "IT".to_owned())
    }
    fn channel(&self, id: &str) -> Option<String> {
        (id == "7").then(|| "general".to_owned())
    }
}

#[test]
fn commonmark_for_discord() {
    for (source, expected) in [
        ("plain", "plain"),
        ("**bold** _italic_ ~~gone~~ `code`", "**bold** *italic* ~~gone~~ `code`"),
        ("# Big\n\ntext", "# Big\ntext"),
        ("#### Small\n\ntext", "**Small**\ntext"),
        ("- a\n- b\n  - c", "- a\n- b\n  - c"),
        ("3. a\n4. b", "3. a\n4. b"),
        ("> said\n> so\n\nno", "> said\n> so\nno"),
        ("```rust\nlet x = 1;\n```", "```rust\nlet x = 1;\n```"),
        ("[site](https://example.org/a_b)", "[site](<https://example.org/a_b>)"),
        ("<https://example.org/a_b>", "https://example.org/a_b"),
        ("see https://example.org/a_b_c.", "see https://example.org/a_b_c."),
        ("[https://bank.com](https://evil.example)", "https://bank.com (<https://evil.example/>)"),
        ("[x](javascript:alert)", "x"),
        ("a ||secret|| b", "a ||secret|| b"),
        ("a \\||no|| b", "a \\|\\|no\\|\\| b"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a \\| b\n1 \\| 2"),
        ("- [x] done", "- ☑ done"),
        ("\\# no heading", "\\# no heading"),
        ("1\\. no list", "1\\. no list"),
        ("\\-# not small", "\\-# not small"),
        ("\\> no quote", "\\> no quote"),
        ("a\\*b\\_c", "a\\*b\\_c"),
        ("one\ntwo", "one\ntwo"),
    ] {
        assert_eq!(to_discord(source), expected, "{source:?}");
    }
}

/// S36: whatever a visitor writes mentions nobody.
#[test]
fn nothing_mentions_anybody() {
    for hostile in [
        "@everyone",
        "@here",
        "<@1>",
        "<@!1>",
        "<@&1>",
        "<#1>",
        "</ask:1>",
        "<:x:1>",
        "<t:1:R>",
        "<id:guide>",
    ] {
        let source = to_commonmark_of(hostile);
        let shown = to_discord(&source);
        assert!(!shown.contains(hostile), "{hostile}: {shown}");
        assert!(!shown.contains("@everyone") && !shown.contains("@here"), "{shown}");
    }
}

/// As another adapter hands in what somebody typed.
fn to_commonmark_of(typed: &str) -> String {
    typed.replace('<', "\\<")
}

#[test]
fn discord_as_commonmark() {
    for (source, expected) in [
        ("plain", "plain"),
        ("**bold** *italic* _so_ ~~gone~~ `code`", "**bold** _italic_ _so_ ~~gone~~ `code`"),
        ("***both***", "**_both_**"),
        ("__under__", "_under_"),
        ("||secret||", "||secret||"),
        ("# Big\ntext", "# Big\n\ntext"),
        ("-# small", "small"),
        ("- a\n- b\n  - c\nend", "- a\n- b\n  - c\n\nend"),
        ("> said\n> so\nno", "> said\n> so\n\nno"),
        (">>> all\nof it", "> all\n> of it"),
        ("hi <@5> and <@!5>, <@&6> in <#7>", "hi @Ana and @Ana, @IT in #general"),
        ("<@99> <@&99>", "@99 @role"),
        ("<:party:123> <a:wave:5>", ":party: :wave:"),
        ("<t:0:D>", "1970-01-01"),
        ("</ask:5>", "/ask"),
        ("see https://example.org/a_b_c.", "see <https://example.org/a_b_c>."),
        ("<https://example.org>", "<https://example.org>"),
        ("[site](https://example.org)", "[site](https://example.org)"),
        ("```rust\nlet x = 1;\n```", "```rust\nlet x = 1;\n```"),
        ("see ```x``` there", "see\n\n```\nx\n```\n\nthere"),
        ("snake_case_name", "snake_case_name"),
        ("5 * 3 * 2", "5 \\* 3 \\* 2"),
        ("\\*literal\\*", "\\*literal\\*"),
        ("a < b", "a < b"),
        ("<b>x</b>", "\\<b>x\\</b>"),
        ("[x] y", "\\[x] y"),
        ("one\ntwo\n\nthree", "one\ntwo\n\nthree"),
        ("+ no list", "\\+ no list"),
        ("#hash", "#hash"),
    ] {
        assert_eq!(to_commonmark(source, &Known), expected, "{source:?}");
    }
}

#[test]
fn names_are_one_line_and_literal() {
    assert_eq!(literal("Ma*ria*\n@everyone"), "Ma\\*ria\\* @\u{2060}everyone");
}

/// What a person sees of Discord's Markdown, by our own reader.
fn seen(discord: &str) -> String {
    let source = to_commonmark(discord, &NoNames);
    let mut out = String::new();
    for event in pulldown_cmark::Parser::new_ext(&source, pulldown_cmark::Options::ENABLE_STRIKETHROUGH) {
        match event {
            pulldown_cmark::Event::Text(text) | pulldown_cmark::Event::Code(text) => out.push_str(&text),
            pulldown_cmark::Event::SoftBreak
            | pulldown_cmark::Event::HardBreak
            | pulldown_cmark::Event::End(_)
            | pulldown_cmark::Event::Start(_) => out.push(' '),
            _ => {}
        }
    }
    letters(&out)
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

proptest! {
    #[test]
    fn both_ways_are_total(text in ".{0,400}") {
        let _ = to_discord(&text);
        let _ = to_commonmark(&text, &NoNames);
    }

    #[test]
    fn signs_in_any_order_are_total(text in "[a*_~|`<>@#:\\[\\]()\\\\ \n0-9.+-]{0,120}") {
        let _ = to_discord(&text);
        let _ = to_commonmark(&text, &NoNames);
    }

    /// Literal text goes to Discord and comes back with all its letters.
    #[test]
    fn no_letter_is_lost(text in "[a-z*_~|`\\[\\]()\\\\ \n.+-]{0,120}") {
        let escaped: String = text.chars().flat_map(|c| {
            let sign = c.is_ascii_punctuation();
            sign.then_some('\\').into_iter().chain([c])
        }).collect();
        let shown = to_discord(&escaped);
        prop_assert_eq!(seen(&shown), letters(&text), "{}", shown);
    }

    /// C13: nothing that was typed can mention, whatever stands around it.
    #[test]
    fn nothing_typed_mentions(text in "(<@[!&]?[0-9]{1,3}>|@everyone|@here|<#1>|[a-c*_`\\\\ \n<>@]){0,30}") {
        let escaped: String = text.chars().flat_map(|c| {
            let sign = c.is_ascii_punctuation();
            sign.then_some('\\').into_iter().chain([c])
        }).collect();
        let shown = to_discord(&escaped);
        prop_assert!(!shown.contains("@everyone") && !shown.contains("@here"), "{}", shown);
        prop_assert!(!shown.contains("<@") && !shown.contains("<#"), "{}", shown);
    }
}
