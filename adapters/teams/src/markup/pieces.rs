//! HTML as tags and what stands between them, in one pass. Total on any input.
//!
//! Not here: what a tag means (`read.rs`).

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    /// Without its angles.
    Tag(&'a str),
}

/// Takes HTML apart. `ends`: where every `>` is, in order; each is asked for once, so that tags which nobody closed are not
/// looked for again and again (S118).
pub(super) fn pieces<'a>(html: &'a str, ends: impl Iterator<Item = usize>, mut take: impl FnMut(Piece<'a>)) {
    let mut ends = ends.peekable();
    let (mut from, mut at) = (0, 0);
    while let Some(found) = html[at..].find('<') {
        let start = at + found;
        let named = html[start + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        while ends.peek().is_some_and(|end| *end <= start) {
            ends.next();
        }
        match ends.peek().filter(|_| named) {
            Some(end) => {
                take(Piece::Text(&html[from..start]));
                take(Piece::Tag(&html[start + 1..*end]));
                (from, at) = (end + 1, end + 1);
            }
            // A character like any other.
            None => at = start + 1,
        }
    }
    take(Piece::Text(&html[from..]));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(html: &str) -> Vec<Piece<'_>> {
        let mut all = Vec::new();
        pieces(html, html.match_indices('>').map(|(at, _)| at), |piece| all.push(piece));
        all.into_iter().filter(|piece| *piece != Piece::Text("")).collect()
    }

    #[test]
    fn tags_and_text() {
        use Piece::{Tag, Text};
        assert_eq!(
            taken("a<b>c</b> 1 < 2 > 0"),
            [Text("a"), Tag("b"), Text("c"), Tag("/b"), Text(" 1 < 2 > 0")]
        );
        assert_eq!(taken("<b"), [Text("<b")]);
        assert_eq!(taken("> <i>"), [Text("> "), Tag("i")]);
        assert_eq!(taken("<a <b>"), [Tag("a <b")]);
        assert_eq!(taken("ü<ü>"), [Text("ü<ü>")]);
    }

    /// S118, counted: every end of a tag is asked for once, whatever was opened before it, and an end that is not there once.
    #[test]
    fn s118_ends_are_looked_for_once() {
        for (unit, times) in
            [("<a", 20_000), ("<", 20_000), ("<a>", 20_000), ("< >", 20_000), ("><b", 20_000)]
        {
            let html = unit.repeat(times);
            let mut asked = 0;
            let ends = html.match_indices('>').map(|(at, _)| at);
            let mut ends = ends.fuse();
            let counted = std::iter::from_fn(|| {
                asked += 1;
                ends.next()
            });
            let mut length = 0;
            pieces(&html, counted, |piece| match piece {
                Piece::Text(text) => length += text.len(),
                Piece::Tag(tag) => length += tag.len() + 2,
            });
            assert_eq!(length, html.len(), "{unit}");
            assert!(asked <= html.matches('>').count() + 1, "{unit}: {asked}");
        }
    }
}
