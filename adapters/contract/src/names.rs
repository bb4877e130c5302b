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

/// Longest address of a picture, in bytes.
const MAX_PICTURE: usize = 1_000;

/// The address of a picture that may be shown with somebody's name: `https`, a public host by name, nothing secret or
/// invisible in it. The bridge never fetches it; the platform that shows it does (S83, S88). `None`: no picture then.
pub fn picture(address: &str) -> Option<String> {
    let rest = address.strip_prefix("https://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let top = host.rsplit_once('.').map(|(_, top)| top)?;
    // An IP address ends in a number, a user name in `@`, a port in `:`.
    let public = host.chars().all(name) && top.len() >= 2 && top.chars().all(|c| c.is_ascii_alphabetic());
    let internal = ["local", "internal", "localhost", "lan", "home", "corp"].contains(&top);
    let plain = address.len() <= MAX_PICTURE
        && address.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | '\\' | '|'));
    (public && !internal && plain).then(|| address.to_owned())
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

    #[test]
    fn only_public_pictures() {
        for good in [
            "https://avatars.slack-edge.com/2020/a_72.png",
            "https://secure.gravatar.com/avatar/1?s=72&d=https%3A",
        ] {
            assert_eq!(picture(good).as_deref(), Some(good));
        }
        let long = format!("https://a.example/{}", "x".repeat(MAX_PICTURE));
        for bad in [
            "",
            "http://a.example/x.png",
            "HTTPS://a.example/x",
            "https://",
            "https:///x.png",
            "https://127.0.0.1/x",
            "https://[::1]/x",
            "https://2130706433/x",
            "https://localhost/x",
            "https://metadata.google.internal/x",
            "https://user:pass@a.example/x",
            "https://a.example:8443/x",
            "https://a.example/x y",
            "https://a.example/x|y",
            "https://a.example/<x>",
            "https://a.example/\u{202e}",
            "data:image/png;base64,AA",
            &long,
        ] {
            assert_eq!(picture(bad), None, "{bad}");
        }
    }
}
