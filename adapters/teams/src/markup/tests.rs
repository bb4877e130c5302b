use proptest::prelude::*;

use super::*;

#[test]
fn reading_html() {
    for (html, expected) in [
        ("<p>Hello</p>", "Hello"),
        ("<div><div>one</div><div>two</div></div>", "one\ntwo"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("a <b>bold</b> <i>and</i> <s>gone</s> <code>x*y</code>", "a **bold** *and* ~~gone~~ `x*y`"),
        ("<strong>so </strong>it is", "**so** it is"),
        (
            "<p>see <a href=\"https://example.org/a?b=1&amp;c=2\">this</a></p>",
            "see [this](<https://example.org/a?b=1&c=2>)",
        ),
        ("<a href=\"javascript:alert(1)\">x</a>", "x"),
        ("<ul><li>one</li><li>two</li></ul>after", "- one\n- two\n\nafter"),
        ("<ol><li>one</li><li>two</li></ol>", "1. one\n2. two"),
        ("<blockquote>said</blockquote>mine", "> said\n\nmine"),
        ("<pre>a *b*\n  c</pre>", "```\na *b*\n  c\n```"),
        ("<h1>Head</h1>text", "**Head**\n\ntext"),
        ("2 * 3 &lt; 7 &amp; *x*", "2 \\* 3 < 7 & \\*x\\*"),
        ("<at id=\"0\">Desk</at>&nbsp;help", "help"),
        (
            "<span itemtype=\"http://schema.skype.com/Mention\" itemscope itemid=\"1\">Ana</span> look",
            "@Ana look",
        ),
        ("a < b", "a < b"),
        ("<unknown>text</unknown>", "text"),
        ("", ""),
    ] {
        assert_eq!(from_html(html, Some("Desk")), expected, "{html}");
    }
}

#[test]
fn writing_html() {
    for (source, expected) in [
        ("Hello", "<p>Hello</p>"),
        ("a **b** *c* ~~d~~ `e<f`", "<p>a <b>b</b> <i>c</i> <s>d</s> <code>e&lt;f</code></p>"),
        ("one\ntwo", "<p>one<br>two</p>"),
        ("# Head", "<p><b>Head</b></p>"),
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("3. a\n4. b", "<ol start=\"3\"><li>a</li><li>b</li></ol>"),
        ("```\na  <b>\n```", "<pre>a &nbsp;&lt;b&gt;</pre>"),
        ("[x](https://example.org/?a=1&b=2)", "<p><a href=\"https://example.org/?a=1&amp;b=2\">x</a></p>"),
        ("[x](javascript:alert(1)) [y](data:text/html,z)", "<p>x y</p>"),
        ("<at>Ana</at> <script>", "<p>&lt;at&gt;Ana&lt;/at&gt; &lt;script&gt;</p>"),
        ("| a | b |\n|---|---|\n| c | d |", "<p><b>a | b</b></p><p>c | d</p>"),
    ] {
        assert_eq!(to_html(source), expected, "{source}");
    }
}

/// S118: what a link leads to is kept with every run in it. Endless addresses are left out, and of links within links that
/// nobody closed the last stays.
#[test]
fn s118_links_are_kept_short() {
    let long = format!("<a href=\"https://example.org/{}\">x</a>", "y".repeat(2048));
    assert_eq!(from_html(&long, None), "x");
    let nested = "<a>x".repeat(5000);
    assert_eq!(from_html(&nested, None), "x".repeat(5000));
    assert_eq!(from_html("<a href=\"https://example.org/\">x</a>", None), "[x](<https://example.org/>)");
}

fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

proptest! {
    /// S39: what is typed arrives letter by letter.
    #[test]
    fn plain_text_stays_itself(text in "[a-z *_`~<>&\\[\\]()#+.!|:/\\\\0-9\n-]{0,60}") {
        prop_assert_eq!(bare(&plain(&from_plain(&text))), bare(&text));
    }

    #[test]
    fn reading_is_total(html in ".{0,200}", name in ".{0,9}") {
        from_html(&html, Some(&name));
    }

    #[test]
    fn tags_of_any_order_are_read(parts in proptest::collection::vec("(<(/)?(b|i|p|ul|ol|li|pre|at|a|blockquote|br)>)|[a-z*&;# ]{0,4}", 0..40)) {
        from_html(&parts.concat(), None);
    }

    /// Nothing that is relayed becomes a tag.
    #[test]
    fn escaping_leaves_no_tags(text in ".{0,100}") {
        let html = escape(&text);
        prop_assert!(!html.contains('<') && !html.contains('>'));
    }
}
