//! What kind of file it is: its first bytes, then the sender's word, then its name.
//!
//! Not here: what may be shown inline and what only downloaded (the API).

const UNKNOWN: &str = "application/octet-stream";

/// A media type, lower case, without parameters.
pub(super) fn of(head: &[u8], declared: &str, name: &str) -> String {
    if let Some(found) = infer::get(head) {
        return found.mime_type().to_owned();
    }
    let declared = plain(declared);
    if declared != UNKNOWN {
        // Pictures, sound and film show themselves. What claims to be one and does not is something else (S87).
        return if infer::is_mime_supported(&declared) { UNKNOWN.to_owned() } else { declared };
    }
    let guessed = mime_guess::from_path(name).first_raw().map_or_else(|| UNKNOWN.to_owned(), plain);
    if infer::is_mime_supported(&guessed) { UNKNOWN.to_owned() } else { guessed }
}

fn plain(mime: &str) -> String {
    let mime = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_token = |part: &str| {
        !part.is_empty()
            && part.len() <= 64
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
    };
    match mime.split_once('/') {
        Some((kind, name)) if is_token(kind) && is_token(name) => mime,
        _ => UNKNOWN.to_owned(),
    }
}
