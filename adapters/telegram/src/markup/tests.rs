use proptest::prelude::*;
use teloxide_core::types::MessageEntityKind as Kind;

use super::read::bare;
use super::*;

fn shown(source: &str) -> String {
    let formatted = from_commonmark(source);
    let mut out = formatted.text.clone();
    for entity in &formatted.entities {
        let kind = match &entity.kind {
            Kind::Pre { language } => format!("Pre {}", language.as_deref().unwrap_or("-")),
            Kind::TextLink { url } => format!("Link {url}"),
            other => format!("{other:?}"),
        };
        out.push_str(&format!("\n  {kind}: {:?}", covered(&formatted, entity)));
    }
    out
}

#[test]
fn writing() {
    insta::assert_snapshot!(shown("# Title\n\nHello **bold _both_** and `code @x`, [link](https://x.example/a?b=1).\nSecond line\\\nthird."), @r#"
    Title

    Hello bold both and code @x, link.
    Second line
    third.
      Bold: "Title"
      Bold: "bold both"
      Italic: "both"
      Code: "code @x"
      Link https://x.example/a?b=1: "link"
    "#);
    insta::assert_snapshot!(shown("- one\n- two\n  1. inner\n  2. inner two\n\n     para\n- three\n\nafter\n\n3. three\n4. four\n\n- [x] done\n- [ ] open"), @r"
    • one
    • two
      1. inner
      2. inner two

    para
    • three

    after

    3. three
    4. four

    • ☑ done
    • ☐ open
    ");
    insta::assert_snapshot!(shown("> quote\n> > deeper **b**\n\nrest\n```rust\nfn x() {}\n\n    y\n```\nend\n\n***\n\n|a|b|\n|-|-|\n|1|2|"), @r#"
    quote
    deeper b
    rest
    fn x() {}

        y
    end

    ———

    a | b
    1 | 2
      Blockquote: "quote\ndeeper b"
      Bold: "b"
      Pre rust: "fn x() {}\n\n    y"
    "#);
    insta::assert_snapshot!(shown("**bold `code` bold** ~~gone~~ ||hidden *thing*|| a || b \\||no|| `||code||`"), @r#"
    bold code bold gone hidden thing a || b ||no|| ||code||
      Bold: "bold"
      Code: "code"
      Bold: "bold"
      Strikethrough: "gone"
      Spoiler: "hidden thing"
      Italic: "thing"
      Code: "||code||"
    "#);
}

/// S39, C13: relayed text cannot mention, link to a person, or be anything but text.
#[test]
fn s39_c13_nothing_pings() {
    assert_eq!(
        from_commonmark("@bob, (@ana) @**x** a@b.example é@c @ d").text,
        "@\u{2060}bob, (@\u{2060}ana) @\u{2060}x a@b.example é@\u{2060}c @ d"
    );
    for link in [
        "tg://user?id=5",
        "tg://resolve?domain=bob",
        "javascript:alert(1)",
        "data:text/html,x",
        "/x",
        "mailto:a@b",
    ] {
        let formatted = from_commonmark(&format!("[text]({link})"));
        assert_eq!((formatted.text.as_str(), formatted.entities.len()), ("text", 0), "{link}");
    }
    assert_eq!(
        from_commonmark("<b>x</b> <script>alert(1)</script>").text,
        "<b>x</b> <script>alert(1)</script>"
    );
    assert_eq!(from_commonmark("<https://x.example/a>").text, "https://x.example/a");
    assert_eq!(
        shown("![cat](https://x.example/cat.png)"),
        "🖼 cat\n  Link https://x.example/cat.png: \"cat\""
    );
}

/// S44: no word of relayed text can be tapped as a command.
#[test]
fn s44_nothing_commands() {
    let formatted = from_commonmark(
        "/resolve now, **(/close)** see /etc/hosts or https://a.example/x `/off` a/b /on@bot",
    );
    let disarmed = formatted.without_commands();
    let expected = "/_resolve now, (/_close) see /etc/hosts or https://a.example/x /off a/b /_on@bot";
    assert_eq!(disarmed.text.replace(WORD_JOINER, "_"), expected);
    let covers: Vec<String> = disarmed.entities.iter().map(|e| covered(&disarmed, e)).collect();
    assert_eq!(covers, ["(/\u{2060}close)", "/off"]);
}

#[test]
fn splitting() {
    let text = from_commonmark("**one two** three\n\nfour 🙂 five");
    let pieces = text.clone().split(14);
    assert_eq!(pieces.iter().map(|p| p.text.as_str()).collect::<Vec<_>>(), ["one two three", "four 🙂 five"]);
    let pieces = from_commonmark(&format!("**{}**", "🙂".repeat(10))).split(7);
    assert!(
        pieces.iter().all(|p| p.length() <= 7 && p.entities.len() == 1 && p.entities[0].length == p.length())
    );
    assert_eq!(pieces.iter().map(|p| p.text.as_str()).collect::<String>(), "🙂".repeat(10));
    assert_eq!(text.cut(9).text, "one two…");
    assert!(Formatted::default().split(5).is_empty());
}

fn md(text: &str, spans: &[(Style, &str)]) -> String {
    let spans: Vec<Span> = spans
        .iter()
        .map(|(style, part)| {
            let at = text.find(part).unwrap();
            Span { style: style.clone(), offset: utf16_len(&text[..at]), length: utf16_len(part) }
        })
        .collect();
    to_commonmark(text, &spans)
}

#[test]
fn reading() {
    use Style::*;
    assert_eq!(md("🙂 a bold b", &[(Bold, "bold")]), "🙂 a **bold** b");
    assert_eq!(md("foobarbaz", &[(Italic, "bar")]), "foo*bar*baz");
    assert_eq!(md("a bold  b", &[(Bold, " bold  ")]), "a **bold**  b");
    assert_eq!(md("one\ntwo\n\nthree", &[(Bold, "one\ntwo\n\nthree")]), "**one**\n**two**\n\n**three**");
    assert_eq!(
        md("x link! y", &[(Link("https://a.example/(b)".into()), "link!")]),
        "x [link!](https://a.example/%28b%29) y"
    );
    assert_eq!(
        md("wow!link", &[(Link("https://a.example".into()), "link")]),
        "wow\\![link](https://a.example)"
    );
    assert_eq!(md("ask Bob", &[(Link("tg://user?id=5".into()), "Bob")]), "ask Bob");
    assert_eq!(
        md("see https://a.example/_x_", &[(Url, "https://a.example/_x_")]),
        "see <https://a.example/_x_>"
    );
    assert_eq!(md("run a`b now", &[(Code, "a`b")]), "run ``a`b`` now");
    assert_eq!(
        md("log: a\nb end", &[(Code, "a\nb")]),
        "log:\n\n```\na\nb\n```\n\n end".replace("\n end", "\n\u{a0}end")
    );
    assert_eq!(md("q1\n\nq2\nrest", &[(Quote, "q1\n\nq2")]), "> q1\n>\n> q2\n\nrest");
    assert_eq!(md("it is secret, ok", &[(Spoiler, "secret")]), "it is ||secret||, ok");
    // A mark that CommonMark would not see as one is left out; the words stay.
    assert_eq!(md("a\"x\"b", &[(Bold, "\"x\"")]), "a\"x\"b");
    assert_eq!(md("   ", &[(Bold, "   ")]), "");
}

#[test]
fn what_looks_like_markup_stays_text() {
    let odd = [
        "# a",
        "###### b",
        "#1042 is open",
        "- a\n- b",
        "+ a",
        "* a",
        "1. a",
        "12) b",
        "> q",
        "---",
        "===",
        "a\n===",
        "a\n---",
        "***",
        "___",
        "a|b\n-|-\n1|2",
        "| a |\n|---|",
        "```\nx\n```",
        "~~~\nx\n~~~",
        "    code",
        "\tcode",
        "[a]: https://b.example",
        "[a](b)",
        "![a](b)",
        "[^1]: note",
        "<b>",
        "</b>",
        "<!-- c -->",
        "<?x?>",
        "<a@b.example>",
        "<-@a>",
        "<=@a>",
        "1 < 2 <3",
        "&amp; &#35; &copy; R&D;",
        "a\\",
        "\\*",
        "\\\\",
        "C:\\Users\\_x_",
        "`a",
        "``a` b",
        "*a*",
        "**a**",
        "_a_ snake_case __init__",
        "~a~ ~~b~~",
        "||a||",
        "a || b",
        "|",
        "||",
        "|||",
        "a\u{0}b",
        "!",
        "![",
        "- [ ] a",
        ":--",
        "1.",
        "-",
        "+",
        ">",
        "#",
        "a  \nb",
        "a\\\nb",
        "\u{fdd0}\u{fdd0}x",
        "text\n    indented",
        "\n\n a \n\n\n b",
        "@x",
        "a\r- b",
        "* * *",
        "_ _ _",
        "0. x",
        "1234567890. x",
        "http://a_b_c.example/*x*",
    ];
    for text in odd {
        let there = to_commonmark(text, &[]);
        let back = from_commonmark(&there);
        assert_eq!(
            bare(&back.text),
            bare(&text.replace(['\0', PIPE], "\u{fffd}")),
            "{text:?} became {there:?}"
        );
        assert_eq!(back.entities, [], "{text:?} became {there:?}");
    }
}

/// The look survives too, where CommonMark has it.
#[test]
fn there_and_back_keeps_the_look() {
    let text = "plain bold slanted both 🙂 gone code link\nquoted\nfn x() {}\nend";
    let whole = |kind: Kind, part: &str| {
        let at = text.find(part).unwrap();
        MessageEntity::new(kind, utf16_len(&text[..at]), utf16_len(part))
    };
    let spans: Vec<(Style, &str)> = vec![
        (Style::Bold, "bold"),
        (Style::Italic, "slanted"),
        (Style::Bold, "both"),
        (Style::Italic, "both"),
        (Style::Strike, "gone"),
        (Style::Code, "code"),
        (Style::Link("https://a.example/".into()), "link"),
        (Style::Quote, "quoted"),
        (Style::Pre(Some("rust".into())), "fn x() {}"),
    ];
    let back = from_commonmark(&md(text, &spans));
    assert_eq!(back.text, text);
    let expected = [
        whole(Kind::Bold, "bold"),
        whole(Kind::Italic, "slanted"),
        whole(Kind::Bold, "both"),
        whole(Kind::Italic, "both"),
        whole(Kind::Strikethrough, "gone"),
        whole(Kind::Code, "code"),
        whole(Kind::TextLink { url: "https://a.example/".parse().unwrap() }, "link"),
        whole(Kind::Blockquote, "quoted"),
        whole(Kind::Pre { language: Some("rust".into()) }, "fn x() {}"),
    ];
    for entity in expected {
        assert!(back.entities.contains(&entity), "{entity:?} is missing in {:?}", back.entities);
    }
}

fn any_style() -> impl Strategy<Value = Style> {
    prop_oneof![
        Just(Style::Bold),
        Just(Style::Italic),
        Just(Style::Strike),
        Just(Style::Spoiler),
        Just(Style::Code),
        Just(Style::Pre(None)),
        "[a-z`\\n ]{0,6}".prop_map(|language| Style::Pre(Some(language))),
        "(https://|tg://|x)[a-z/()<> ]{0,8}".prop_map(Style::Link),
        Just(Style::Url),
        Just(Style::Quote),
    ]
}

fn any_span() -> impl Strategy<Value = Span> {
    let place = prop_oneof![4 => 0usize..40, 1 => any::<usize>()];
    let size = prop_oneof![4 => 0usize..20, 1 => any::<usize>()];
    (any_style(), place, size).prop_map(|(style, offset, length)| Span { style, offset, length })
}

/// Text rich in characters that mean something to one side or the other.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-z]{1,5}",
        3 => prop_oneof![" ", "\n", "\n\n", "  \n", "\t", "    "].prop_map(|s| s.to_string()),
        3 => "[*_`~|#>+=\\[\\]()!<&;\\\\.:@/-]{1,3}",
        1 => "[0-9]{1,3}[.)] ",
        2 => prop_oneof!["🙂", "👩‍💻", "é", "e\u{301}", "中", "א", "\u{a0}", "\u{2060}", "\u{200d}"].prop_map(|s| s.to_string()),
        1 => "https?://[a-z]{1,5}\\.example/[a-z_*()]{0,5}",
        1 => any::<char>().prop_map(|c| c.to_string()),
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

fn sound(formatted: &Formatted) {
    let units: Vec<u16> = formatted.text.encode_utf16().collect();
    assert!(formatted.entities.len() <= MAX_ENTITIES);
    for entity in &formatted.entities {
        let end = entity.offset + entity.length;
        assert!(entity.length > 0 && end <= units.len(), "{entity:?} in {} units", units.len());
        assert!(String::from_utf16(&units[entity.offset..end]).is_ok(), "{entity:?} splits a character");
    }
    let code: Vec<_> = formatted.entities.iter().filter(|e| is_code(&e.kind)).collect();
    for entity in formatted.entities.iter().filter(|e| !is_code(&e.kind) && e.kind != Kind::Blockquote) {
        let apart = |c: &&MessageEntity| {
            c.offset + c.length <= entity.offset || entity.offset + entity.length <= c.offset
        };
        assert!(code.iter().all(apart), "{entity:?} overlaps code");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn there_and_back_keeps_the_text(text in any_text(), spans in prop::collection::vec(any_span(), 0..6)) {
        let there = to_commonmark(&text, &spans);
        let back = from_commonmark(&there);
        let wanted = bare(&text.replace(['\0', PIPE], "\u{fffd}"));
        prop_assert_eq!(bare(&back.text), wanted, "by way of {:?}", there);
        sound(&back);
    }

    #[test]
    fn entities_are_always_within_the_text(source in prop_oneof![any_text(), ".{0,80}"], limit in 3usize..40) {
        let whole = from_commonmark(&source);
        sound(&whole);
        for piece in whole.clone().split(limit) {
            sound(&piece);
            prop_assert!(piece.length() <= limit);
        }
        let cut = whole.cut(limit);
        sound(&cut);
        prop_assert!(cut.length() <= limit);
    }

    #[test]
    fn nothing_is_lost_by_splitting(source in any_text(), limit in 3usize..40) {
        let whole = from_commonmark(&source);
        let pieces: String = whole.clone().split(limit).into_iter().map(|piece| piece.text).collect();
        prop_assert_eq!(bare(&pieces), bare(&whole.text));
    }

    #[test]
    fn no_name_follows_an_at_sign(source in any_text()) {
        let formatted = from_commonmark(&source);
        let chars: Vec<char> = formatted.text.chars().collect();
        let mut at = 0;
        for window in chars.windows(3) {
            at += window[0].len_utf16();
            let in_code = formatted.entities.iter().any(|e| is_code(&e.kind) && (e.offset..e.offset + e.length).contains(&at));
            prop_assert!(in_code || window[1] != '@' || !pings(window[0], Some(window[2])), "{:?}", formatted.text);
        }
    }
}

/// S118: pathological text takes no more than linear time.
#[test]
fn s118_no_text_is_slow() {
    let heavy = ["`a`", "**a**", "||", "[", "<", "> ", "@a ", "*_", "- ", "\\", "&", "|a", "a||b||"];
    for piece in heavy {
        let text = piece.repeat((64 << 10) / piece.len());
        let start = std::time::Instant::now();
        sound(&from_commonmark(&text));
        let plain = to_commonmark(&text, &[]);
        assert!(!plain.is_empty());
        // Generous for an unoptimised build on a busy machine; quadratic code takes minutes.
        assert!(start.elapsed().as_secs() < 100, "{piece:?} took {:?}", start.elapsed());
    }
}
