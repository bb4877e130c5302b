//! JSON as platforms send it: now and then with half a character in it, and the rest of the message is worth having (S28).
//!
//! Not here: whether it is genuine; signatures are over the bytes as they came.

use serde_json::Value;

/// Text as JSON, lone surrogates repaired: people's devices send half an emoji now and then.
pub fn read(raw: &str) -> Option<Value> {
    serde_json::from_str(raw).ok().or_else(|| serde_json::from_str(&whole_surrogates(raw)?).ok())
}

/// The same of bytes; what is no UTF-8 among them is shown as such.
pub fn read_bytes(raw: &[u8]) -> Option<Value> {
    read(&String::from_utf8_lossy(raw))
}

/// The text with every lone `\udXXX` escape replaced by U+FFFD; `None` when there is none.
fn whole_surrogates(raw: &str) -> Option<String> {
    let bytes = raw.as_bytes();
    let unit = |at: usize| {
        let escape = raw.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(escape, 16).ok()
    };
    let mut out = String::with_capacity(raw.len());
    let (mut at, mut kept, mut found) = (0, 0, false);
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            at += 1;
            continue;
        }
        match unit(at) {
            Some(0xd800..0xdc00) if matches!(unit(at + 6), Some(0xdc00..0xe000)) => at += 12,
            Some(0xd800..0xe000) => {
                out.push_str(&raw[kept..at]);
                out.push_str("\\ufffd");
                at += 6;
                kept = at;
                found = true;
            }
            // Any other escape has at least two characters; the second may be a backslash.
            _ => at += 2,
        }
    }
    out.push_str(raw.get(kept..)?);
    found.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s28_lone_surrogates() {
        assert_eq!(whole_surrogates(r#""\ud83d\ude00""#), None);
        assert_eq!(whole_surrogates(r#""\\ud83d""#), None);
        assert_eq!(whole_surrogates(r#""\ud83d""#).as_deref(), Some(r#""\ufffd""#));
        assert_eq!(
            whole_surrogates(r#""\ud83d\ud83d\ude00\uDE00x""#).as_deref(),
            Some(r#""\ufffd\ud83d\ude00\ufffdx""#)
        );
        assert_eq!(whole_surrogates(r#""\\\ud83d \u""#).as_deref(), Some(r#""\\\ufffd \u""#));
    }

    #[test]
    fn s28_what_is_no_text() {
        assert_eq!(read_bytes(b"{\"a\":\"x\xff\"}").unwrap()["a"], "x\u{fffd}");
        assert_eq!(read_bytes(b"{\"a\":\"\\ud83d\"}").unwrap()["a"], "\u{fffd}");
        assert!(read_bytes(b"{").is_none() && read_bytes(b"").is_none() && read_bytes(b"\xff").is_none());
    }
}
