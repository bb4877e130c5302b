use proptest::prelude::*;
use serde_json::{Value, json};

use super::write::escape;
use super::*;

struct Known;

impl Names for Known {
    fn person(&self, id: &str) -> Option<String> {
        (id == "U1").then(|| "Ana *Lopez*".to_owned())
    }
    fn room(&self, id: &str) -> Option<String> {
        (id == "C1").then(|| "it-desk".to_owned())
    }
    fn group(&self, id: &str) -> Option<String> {
        (id == "S1").then(|| "network".to_owned())
    }
}

fn md(mrkdwn: &str) -> String {
    read_mrkdwn(mrkdwn, &Known)
}

fn bare(text: &str) -> String {
    let shown = |c: &char| !c.is_whitespace() && ![WORD_JOINER, ZERO_WIDTH_SPACE].contains(c);
    text.replace('\0', "\u{fffd}").chars().filter(shown).collect()
}

#[test]
fn reading_mrkdwn() {
    for (slack, expected) in [
        ("plain", "plain"),
        ("*bold* _slanted_ ~gone~ `code`", "**bold** _slanted_ ~~gone~~ `code`"),
        ("*_both_* and *a _b_ c*", "**_both_** and **a _b_ c**"),
        ("snake_case_name 2*3*4 a ~ b", "snake_case_name 2\\*3\\*4 a \\~ b"),
        ("(*bold*), *x*!", "(**bold**), **x**!"),
        ("* not* *no *", "\\* not\\* \\*no \\*"),
        ("one\n*two\nthree*", "one\n\\*two\nthree\\*"),
        ("a &lt;b&gt; &amp; c &amp;amp;", "a \\<b> & c \\&amp;"),
        ("# no\n- no\n1. no", "\\# no\n\\- no\n1\\. no"),
        ("<https://a.example/x|here>", "[here](https://a.example/x)"),
        ("<https://a.example/x?a=1&amp;b=2>", "<https://a.example/x?a=1&b=2>"),
        ("*<https://a.example|here>*", "[**here**](https://a.example)"),
        ("<https://evil.example/x|bank.example>", "bank.example (<https://evil.example/x>)"),
        ("<mailto:a@b.example|a@b.example>", "<a@b.example>"),
        ("<tel:123|123> <slack://x|open>", "123 open"),
        ("<@U1> <@U1|other> <@U2|bob> <@U3>", "@Ana \\*Lopez\\* @Ana \\*Lopez\\* @bob @U3"),
        ("<#C1> <#C2|general> <#C3>", "#it-desk #general #C3"),
        ("<!here> <!channel|channel> <!everyone>", "@here @channel @everyone"),
        ("<!subteam^S1|@old> <!subteam^S2|@hr> <!subteam^S3>", "@network @hr @S3"),
        ("<!date^1392734382^{date}|Feb 18> <!date^1392734382^{date}>", "Feb 18 2014-02-18 14:39 UTC"),
        ("<!unknown^x|label> <!unknown>", "label unknown"),
        (":+1: :+1::skin-tone-2: :partyparrot: 10:30:45", "👍 👍🏻 :partyparrot: 10:30:45"),
        ("`*code* &lt; <@U1>`", "`*code* < @Ana *Lopez*`"),
        ("a\n```x *y*\n &lt;z```\nb", "a\n\n```\nx *y*\n <z\n```\n\nb"),
        ("&gt; one\n&gt; *two*\nrest", "> one\n> **two**\n\nrest"),
        ("> raw", "> raw"),
        ("&gt;&gt;&gt; all\nof\n\nit", "> all\n> of\n>\n> it"),
        ("\u{2060}*not bold\u{2060}* \u{2060}&gt; no", "\\*not bold\\* > no"),
        ("foo\u{200b}*bar*\u{200b}baz", "foo**bar**baz"),
        ("```no end", "\\`\\`\\`no end"),
        ("<", "<"),
        ("a < b > c", "a < b > c"),
        ("<nothing>", "\\<nothing>"),
        ("", ""),
    ] {
        assert_eq!(md(slack), expected, "{slack}");
    }
}

#[test]
fn reading_rich_text() {
    let text = |text: &str| json!({ "type": "text", "text": text });
    let item = |words: &str| json!({ "type": "rich_text_section", "elements": [text(words)] });
    let list = |style: &str, indent: u64, offset: u64, items: &[&str]| {
        let elements: Vec<Value> = items.iter().map(|words| item(words)).collect();
        json!({ "type": "rich_text_list", "style": style, "indent": indent, "offset": offset, "elements": elements })
    };
    let styled =
        |words: &str, style: &str| json!({ "type": "text", "text": words, "style": { style: true } });
    let message = json!({ "text": "fall-back", "blocks": [{ "type": "rich_text", "elements": [
        { "type": "rich_text_section", "elements": [
            text("Hi "), { "type": "user", "user_id": "U1" }, text(" *not bold* "),
            { "type": "emoji", "name": "+1", "skin_tone": 3 }, { "type": "emoji", "name": "newer", "unicode": "1faea" },
            { "type": "emoji", "name": "ours" }, text("\n"),
            styled("bold", "bold"), text(" "), styled("it", "italic"), text(" "), styled("gone", "strike"), text(" "),
            styled("a`b", "code"), text("\n"),
            { "type": "link", "url": "https://a.example/x", "text": "here", "style": { "bold": true } }, text(" "),
            { "type": "link", "url": "https://a.example" }, text(" "),
            { "type": "link", "url": "https://evil.example", "text": "www.bank.example" }, text("\n"),
            { "type": "channel", "channel_id": "C1" }, text(" "), { "type": "usergroup", "usergroup_id": "S1" },
            text(" "), { "type": "broadcast", "range": "here" }, text(" "),
            { "type": "date", "timestamp": 1_392_734_382, "format": "{date}", "fallback": "Feb 18" }, text(" "),
            { "type": "color", "value": "#F405B3" }, text(" "), { "type": "team", "team_id": "T1" }, text(" "),
            { "type": "hologram", "text": "unknown words" },
        ] },
        list("bullet", 0, 0, &["one", "two"]),
        list("ordered", 1, 0, &["inner", "inner two"]),
        list("bullet", 2, 0, &["deep"]),
        list("ordered", 1, 2, &["inner three"]),
        list("bullet", 0, 0, &["three"]),
        list("ordered", 0, 4, &["five"]),
        { "type": "rich_text_quote", "elements": [text("said\n\nso")] },
        { "type": "rich_text_preformatted", "elements": [text("fn x() {}\n\n    y```")], "language": "rust" },
        { "type": "rich_text_hologram", "elements": [text("stays")] },
    ] }] });
    insta::assert_snapshot!(read_message(&message, &Known));
}

#[test]
fn what_a_message_says() {
    let read = |message: Value| read_message(&message, &Known);
    let section = |text: &str| json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } });
    assert_eq!(read(json!({ "text": "*t*" })), "**t**");
    // Text that was written for people without blocks is not repeated.
    assert_eq!(read(json!({ "text": "t", "blocks": [section("s")] })), "t");
    assert_eq!(
        read(json!({ "blocks": [
            { "type": "header", "text": { "type": "plain_text", "text": "Head *x*" } },
            { "type": "section", "text": { "type": "mrkdwn", "text": "*s*" },
                "fields": [{ "type": "plain_text", "text": "f_" }] },
            { "type": "context", "elements": [
                { "type": "mrkdwn", "text": "_c_" }, { "type": "image", "alt_text": "cat" }] },
            { "type": "markdown", "text": "- **m**" }, { "type": "divider" }, { "type": "hologram" },
        ] })),
        "**Head \\*x\\***\n\n**s**\n\nf\\_\n\n_c_\n\n_cat_\n\n- **m**"
    );
    let old = json!({ "text": "", "attachments": [{ "pretext": "*p*", "title": "T &amp; U", "title_link": "https://a.example",
        "text": "body", "fields": [{ "title": "F", "value": "1" }], "fallback": "no" }] });
    assert_eq!(read(old), "**p**\n\n[**T & U**](https://a.example)\n\nbody\n\n**F**\n\n1");
    assert_eq!(read(json!({ "attachments": [{ "fallback": "only &lt;this&gt;" }] })), "only \\<this>");
    let shared = json!({ "text": "look", "attachments": [
        { "is_share": true, "author_name": "Bo", "text": "what _he_ said" }, { "title": "a preview" }] });
    assert_eq!(read(shared), "look\n\n> **Bo**\n>\n> what _he_ said");
    for odd in [
        json!(null),
        json!([]),
        json!({ "blocks": 5, "text": [], "attachments": {} }),
        json!({ "blocks": [null, 1] }),
    ] {
        assert_eq!(read(odd), "");
    }
    assert_eq!(read_plain("*a*\n- b"), "\\*a\\*\n\\- b");
}

/// Some senders escape what is in blocks, Slack's own clients do not: `text`, which always is, tells.
#[test]
fn escapes_in_blocks() {
    let message = |text: &str, words: &str| {
        let blocks = json!([{ "type": "rich_text", "elements": [
            { "type": "rich_text_section", "elements": [{ "type": "text", "text": words }] }] }]);
        read_message(&json!({ "text": text, "blocks": blocks }), &NoNames)
    };
    assert_eq!(message("a &amp; b", "a & b"), "a & b");
    assert_eq!(message("a &amp; b", "a &amp; b"), "a & b");
    assert_eq!(message("type &amp;lt;b&amp;gt;", "type &lt;b&gt;"), "type \\&lt;b\\&gt;");
    assert_eq!(message("", "type &lt;"), "type \\&lt;");
}

#[test]
fn writing_mrkdwn() {
    insta::assert_snapshot!(to_mrkdwn(EVERYTHING).replace(WORD_JOINER, "⁝").replace(ZERO_WIDTH_SPACE, "¦"));
}

#[test]
fn writing_rich_text() {
    insta::assert_json_snapshot!(Flow::read(EVERYTHING).rich_text(&["U7"]));
    assert_eq!(Flow::read("").rich_text(&[]), None);
    assert!(Flow::read("").rich_text(&["U7"]).is_some());
}

#[test]
fn writing_plain() {
    insta::assert_snapshot!(Flow::read(EVERYTHING).plain());
}

const EVERYTHING: &str = "\
# Title

Hello **bold _both_** and `code @x`, [link](https://x.example/a?b=1&c=2), in**si**de.
Second line\\
third & <b>html</b> \\*stars\\* snake_case :smile: \\`tick\\` ~~gone~~

> quoted **b**
> > deeper

- one
- two
  1. inner
  2. inner two

     further
- three

  ```rust
  fn x() {}

      ```` y
  ```

3. three
4. four

- [x] done

***

|Name|Floor|
|-|-|
|Ana|1|
|Bo|12|

![cat](https://x.example/cat.png) [bank.example](https://evil.example) [x](javascript:alert(1))
<mailto:a@b.example> <https://a.example/|z>";

/// S37, C13: nothing a person wrote can mention anybody or be anything but text.
#[test]
fn nothing_pings() {
    for text in [
        "<!channel> <!here> <!everyone> <!subteam^S1> <@U1> <#C1>",
        "`<!here>`",
        "```\n<@U1>\n```",
        "[<@U1>](https://a.example)",
        "[a](https://a.example/<!here>)",
    ] {
        let written = to_mrkdwn(text);
        assert!(!written.contains("<!") && !written.contains("<@") && !written.contains("<#"), "{written}");
        let blocks = Flow::read(text).rich_text(&[]).unwrap().to_string();
        for kind in ["broadcast", "\"user\"", "usergroup", "\"channel\""] {
            assert!(!blocks.contains(&format!("\"type\":{kind}")), "{blocks}");
        }
    }
    assert_eq!(literal("<!here> & *x* a_b"), "&lt;!here&gt; &amp; \u{2060}*x\u{2060}* a_b");
    assert_eq!(
        to_markdown("<!here> <@U1> <#C1> a < b <https://a.example>").replace(WORD_JOINER, "_"),
        "<_!here> <_@U1> <_#C1> a < b <https://a.example>"
    );
    assert_eq!(escape("a&lt;<b>"), "a&amp;lt;&lt;b&gt;");
}

/// What people type comes out letter by letter, in both forms.
#[test]
fn what_looks_like_markup_stays_text() {
    let odd = [
        "*a*",
        "_a_",
        "~a~",
        "`a`",
        "```a```",
        "> q",
        ">>> q",
        "  > q",
        "a > b",
        "&gt; q",
        "&amp;",
        "<b>",
        "<@U1>",
        "<!here>",
        ":smile:",
        ":+1::skin-tone-2:",
        "a:b:c",
        "• a",
        "1. a",
        "- a",
        "**a**",
        "*a",
        "a*",
        "* a *",
        "*a*b*",
        "__init__",
        "\u{2060}*a*",
        "\u{200b}*a*\u{200b}",
        "http://a.example/_x_*",
        "a\\*b",
        "`",
        "``",
        "```",
        "````",
        "a`b`c",
        "|a|b|",
        "[a](b)",
        "[a](https://b.example)",
        "a\n*b\nc*",
        "~~a~~",
        "||a||",
        "#C1 @here @ana",
        "\u{0}",
        "\r",
        "*`a`*",
        "_*a_*",
    ];
    for text in odd {
        let typed = read_plain(text);
        let out = Flow::read(&typed);
        assert_eq!(bare(&out.plain()), bare(text), "{text:?} by way of {typed:?}");
        let back = read_mrkdwn(&out.mrkdwn(), &NoNames);
        assert_eq!(back, typed, "{text:?} by way of {:?}", out.mrkdwn());
        let message = json!({ "blocks": out.rich_text(&[]).into_iter().collect::<Vec<_>>() });
        assert_eq!(read_message(&message, &NoNames), typed, "{text:?}");
    }
}

/// The look survives both ways too.
#[test]
fn there_and_back_keeps_the_look() {
    for text in [
        "plain **bold** _slanted_ ~~gone~~ `code` [link](https://a.example/) **_both_**",
        "one\n\ntwo\nthree",
        "> quoted\n> **b**\n\nrest",
        "a\n\n```\nx\n\n    y\n```\n\nb",
        "**bold** [**link**](https://a.example)",
    ] {
        let flow = Flow::read(text);
        assert_eq!(Flow::read(&read_mrkdwn(&flow.mrkdwn(), &NoNames)), flow, "{text}");
        let message = json!({ "blocks": flow.rich_text(&[]).into_iter().collect::<Vec<_>>() });
        assert_eq!(Flow::read(&read_message(&message, &NoNames)), flow, "{text}");
    }
    // Lists have a form of their own only in rich text.
    let nested = "- one\n- two\n  1. inner\n  2. inner\n     - deep\n- three\n\n5. five\n6. six";
    let flow = Flow::read(nested);
    let message = json!({ "blocks": flow.rich_text(&[]).into_iter().collect::<Vec<_>>() });
    assert_eq!(Flow::read(&read_message(&message, &NoNames)), flow);
}

fn one_of(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(words).prop_map(str::to_owned)
}

/// Text rich in characters that mean something to one side or the other.
pub(crate) fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-z]{1,5}",
        3 => one_of(&[" ", "\n", "\n\n", "  \n", "\t", "    ", "\n- ", "\n  - ", "\n> ", "\n```\n"]),
        3 => "[*_`~|#>+=\\[\\]()!<&;\\\\.:@/-]{1,3}",
        1 => "[0-9]{1,3}[.)] ",
        1 => one_of(&[
            "<@U1>", "<!here>", "<!date^1^x|y>", "&amp;", "&lt;", ":+1:", ":smile:", "<https://a.example|b>", "<#C1|x>",
            "&gt;", "```", "<mailto:a@b.example>", ":+1::skin-tone-2:",
        ]),
        2 => one_of(&["🙂", "👩‍💻", "é", "e\u{301}", "中", "א", "\u{a0}", "\u{2060}", "\u{200b}", "\u{200d}"]),
        1 => "https?://[a-z]{1,5}\\.example/[a-z_*()&]{0,5}",
        1 => any::<char>().prop_map(|c| c.to_string()),
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

/// Values that are nearly `rich_text`.
fn any_element() -> impl Strategy<Value = Value> {
    const CONTAINERS: &[&str] =
        &["rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted", "rich_text"];
    const KINDS: &[&str] = &[
        "text",
        "link",
        "user",
        "channel",
        "emoji",
        "date",
        "usergroup",
        "broadcast",
        "color",
        "team",
        "odd",
        "rich_text",
        "rich_text_section",
        "rich_text_list",
        "rich_text_quote",
        "rich_text_preformatted",
        "section",
    ];
    let leaf = (one_of(KINDS), any_text(), any::<u8>(), 0u64..4).prop_map(|(kind, text, style, indent)| {
        json!({ "type": kind, "text": text, "url": text, "name": "+1", "user_id": "U1", "indent": indent,
            "style": { "bold": style & 1 > 0, "italic": style & 2 > 0, "strike": style & 4 > 0, "code": style & 8 > 0 } })
    });
    leaf.prop_recursive(3, 24, 4, |inner| {
        (one_of(CONTAINERS), prop::collection::vec(inner, 0..4), any::<bool>(), 0u64..4).prop_map(
            |(kind, elements, ordered, indent)| {
                json!({ "type": kind, "elements": elements, "indent": indent,
                    "style": if ordered { "ordered" } else { "bullet" } })
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1200, ..ProptestConfig::default() })]

    #[test]
    fn what_was_typed_comes_out(text in any_text()) {
        let typed = read_plain(&text);
        let flow = Flow::read(&typed);
        prop_assert_eq!(bare(&flow.plain()), bare(&text.replace('\r', " ")), "by way of {:?}", typed);
        let back = read_mrkdwn(&flow.mrkdwn(), &NoNames);
        prop_assert_eq!(bare(&Flow::read(&back).plain()), bare(&text.replace('\r', " ")), "by way of {:?}", flow.mrkdwn());
    }

    #[test]
    fn written_and_read_again_it_says_the_same(source in prop_oneof![any_text(), ".{0,80}"]) {
        let flow = Flow::read(&source);
        let written = flow.mrkdwn();
        let back = read_mrkdwn(&written, &NoNames);
        prop_assert_eq!(Flow::read(&back).bare(), flow.bare(), "mrkdwn {:?}, back {:?}", written, back);
        let blocks: Vec<Value> = flow.rich_text(&[]).into_iter().collect();
        let back = read_message(&json!({ "blocks": blocks }), &NoNames);
        prop_assert_eq!(Flow::read(&back).bare(), flow.bare(), "blocks {:?}, back {:?}", blocks, back);
    }

    #[test]
    fn nothing_is_unescaped(source in prop_oneof![any_text(), ".{0,80}"]) {
        let written = Flow::read(&source).mrkdwn();
        for sign in ["<!", "<@", "<#"] {
            prop_assert!(!written.contains(sign), "{:?}", written);
        }
        let allowed = |rest: &str| ["http://", "https://", "mailto:"].iter().any(|s| rest.to_lowercase().starts_with(s));
        for (at, _) in written.match_indices('<') {
            prop_assert!(allowed(&written[at + 1..]), "{:?}", written);
        }
        for (at, _) in written.match_indices('&') {
            prop_assert!(["&amp;", "&lt;", "&gt;"].iter().any(|e| written[at..].starts_with(e)), "{:?}", written);
        }
    }

    #[test]
    fn anything_can_be_read(mrkdwn in prop_oneof![any_text(), ".{0,80}"], element in any_element(), more in any_text()) {
        let one = read_mrkdwn(&mrkdwn, &Known);
        prop_assert_eq!(Flow::read(&one).bare(), Flow::of(mrkdwn::read(&mrkdwn, &Known)).bare(), "by way of {:?}", one);
        let message = json!({ "text": more, "blocks": [element.clone(), { "type": "rich_text", "elements": [element] }] });
        read_message(&message, &Known);
    }
}

/// S118: pathological text takes no more than linear time.
#[test]
fn no_text_is_slow() {
    let heavy = [
        "`a`",
        "*a*",
        "**a**",
        "*",
        "`",
        "<",
        "<a",
        "> ",
        "&gt; ",
        "@a ",
        "*_",
        "- ",
        ":a",
        "&",
        "|a",
        " ",
        "<http://a|",
        "```",
        "\u{2060}",
        "_a ",
        "a\n",
    ];
    for piece in heavy {
        let text = piece.repeat((64 << 10) / piece.len());
        let start = std::time::Instant::now();
        let flow = Flow::read(&text);
        flow.mrkdwn();
        flow.rich_text(&[]);
        read_mrkdwn(&text, &NoNames);
        read_plain(&text);
        // Generous for an unoptimised build on a busy machine; quadratic code takes minutes.
        assert!(start.elapsed().as_secs() < 100, "{piece:?} took {:?}", start.elapsed());
    }
}
