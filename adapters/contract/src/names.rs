//! Names of people as they may be shown.
//!
//! Not here: where a platform keeps them.

/// Longest name that is shown, in characters.
const MAX_NAME: usize = 64;

/// A name without what is not seen: such characters make one name look like another or turn the line around (S41).
/// `None`: nothing is left of it.
pub fn clean(name: &str) -> Option<String> {
    let seen: String =
        name.chars().map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c }).collect();
    let seen: String = seen.chars().filter(|c| !is_invisible(*c)).collect();
    let name: String = seen.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_NAME).collect();
    (!name.is_empty()).then_some(name)
}

/// Characters that are not seen but change what is: zero width, direction controls, byte order marks, fillers, and those
/// that are no characters at all.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_left_out() {
        assert_eq!(clean(" Ma\u{200b}ria\n\u{202e} Lopez ").as_deref(), Some("Maria Lopez"));
        assert_eq!(clean("\u{2066}\u{fe0f} \t"), None);
        assert_eq!(clean(&"x".repeat(100)).map(|name| name.len()), Some(MAX_NAME));
    }
}
