//! Names that cannot break the formatting, and periods as people say them.
//!
//! Not here: the sentences around them (one file per language).

use std::time::Duration;

/// Text of somebody else inside a CommonMark sentence: shown as it is, on one line, formatting nothing.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        let numbered =
            out.is_empty() && word.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(['.', ')']);
        for (place, c) in word.chars().enumerate() {
            let starts_block = out.is_empty() && place == 0 && matches!(c, '-' | '+' | '=' | '#');
            let ends_number = numbered && matches!(c, '.' | ')');
            if starts_block || ends_number || "\\`*_~[]<>&|".contains(c) {
                out.push('\\');
            }
            out.push(c);
        }
    }
    out
}

/// Somebody's name as [`plain`] shows it, or these words where they have none.
pub(super) fn named(name: &str, nameless: &str) -> String {
    let name = plain(name);
    if name.is_empty() { nameless.to_owned() } else { name }
}

/// The units of a language, in their short forms, which need no plural.
pub(super) struct Units {
    pub moment: &'static str,
    pub seconds: &'static str,
    pub minutes: &'static str,
    pub hours: &'static str,
    pub days: &'static str,
}

pub(super) const ENGLISH: Units =
    Units { moment: "less than a minute", seconds: "s", minutes: "min", hours: "h", days: "d" };

/// A wait, rounded as people round: `less than a minute`, `4 min`, `1 h 20 min`, `2 d`.
pub(super) fn roughly(period: Duration, units: &Units) -> String {
    if period.as_secs() < 60 {
        return units.moment.to_owned();
    }
    let minutes = period.as_secs().div_ceil(60);
    // Above an hour nobody counts single minutes.
    let minutes = if minutes > 60 { minutes.div_ceil(10) * 10 } else { minutes };
    spell(minutes.saturating_mul(60), units)
}

/// A period as it was: `45 s`, `4 min`, `1 h 20 min`, `2 d 3 h`.
pub(super) fn exactly(period: Duration, units: &Units) -> String {
    spell(period.as_secs(), units)
}

fn spell(seconds: u64, units: &Units) -> String {
    let Units { seconds: s, minutes: m, hours: h, days: d, .. } = units;
    let two = |big: u64, unit: &str, small: u64, rest: &str| match small {
        0 => format!("{big} {unit}"),
        small => format!("{big} {unit} {small} {rest}"),
    };
    match seconds {
        0..60 => format!("{seconds} {s}"),
        60..3600 => format!("{} {m}", seconds / 60),
        3600..86_400 => two(seconds / 3600, h, seconds % 3600 / 60, m),
        _ => two(seconds / 86_400, d, seconds % 86_400 / 3600, h),
    }
}
