//! Lengths of time as people write them: `"90s"`, `"1.5s"`, `"10 min"`, `"1h 30m"`, `"7d"`.
//!
//! Not here: points in time and opening hours (`hours.rs`).

use std::time::Duration;

/// The unit's names and its length in microseconds; the first name is the one that is printed.
const UNITS: [(&[&str], u64); 6] = [
    (&["w", "week", "weeks"], 7 * 86_400_000_000),
    (&["d", "day", "days"], 86_400_000_000),
    (&["h", "hour", "hours"], 3_600_000_000),
    (&["min", "m", "minute", "minutes"], 60_000_000),
    (&["s", "sec", "secs", "second", "seconds"], 1_000_000),
    (&["ms", "millisecond", "milliseconds"], 1_000),
];

/// Longer than any timer makes sense; keeps arithmetic far from its limits.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 86_400);

/// Whole seconds without a unit, or numbers each with a unit. `None` when it is neither, or longer than ten years.
pub fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if let Ok(seconds) = rest.parse::<u64>() {
        return within(Duration::from_secs(seconds));
    }
    let mut micros = 0_f64;
    let mut parts = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        let after = rest[end..].trim_start();
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (_, unit) = UNITS.iter().find(|(names, _)| names.contains(&&after[..end]))?;
        micros += number * *unit as f64;
        parts += 1;
        rest = after[end..].trim_start();
    }
    match parts {
        0 => None,
        _ => from_micros(micros),
    }
}

/// Seconds as a number: `90` or `1.5`.
pub fn from_seconds(seconds: f64) -> Option<Duration> {
    from_micros(seconds * 1e6)
}

fn from_micros(micros: f64) -> Option<Duration> {
    if !micros.is_finite() || micros < 0.0 || micros > LONGEST.as_micros() as f64 {
        return None;
    }
    Some(Duration::from_micros(micros.round() as u64))
}

fn within(time: Duration) -> Option<Duration> {
    (time <= LONGEST).then_some(time)
}

/// As short as it can be read back: `10min`, `1.5s`, `7d`.
pub fn say(time: Duration) -> String {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    if micros == 0 {
        return "0s".into();
    }
    // Weeks are read but not printed: "7d" and "14d" are what people compare with.
    match UNITS.iter().skip(1).find(|(_, unit)| micros.is_multiple_of(*unit)) {
        Some((names, unit)) if *unit > 1_000 => format!("{}{}", micros / unit, names[0]),
        _ => format!("{}s", micros as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn as_people_write_them() {
        let cases: [(&str, u64); 12] = [
            ("90s", 90_000),
            ("1.5s", 1_500),
            ("10 min", 600_000),
            ("10min", 600_000),
            ("7d", 604_800_000),
            ("1h 30m", 5_400_000),
            ("1h30m", 5_400_000),
            ("2 weeks", 1_209_600_000),
            ("90", 90_000),
            ("0s", 0),
            ("250ms", 250),
            (" 1 minute ", 60_000),
        ];
        for (text, millis) in cases {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn refused() {
        for text in [
            "",
            " ",
            "soon",
            "10 parsecs",
            "-5s",
            "1.2.3s",
            "s",
            "1e9s",
            "10min 5",
            "99999999999d",
            "5s!",
            "١s",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(from_seconds(f64::NAN), None);
        assert_eq!(from_seconds(-1.0), None);
        assert_eq!(from_seconds(1.5), Some(Duration::from_millis(1500)));
    }

    #[test]
    fn printed_short() {
        for text in ["10min", "1.5s", "7d", "60d", "90s", "36h", "0.25s", "0s"] {
            assert_eq!(say(parse(text).unwrap()), text, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(micros in 0_u64..1_000_000_000_000) {
            let time = Duration::from_micros(micros);
            prop_assert_eq!(parse(&say(time)), Some(time));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            parse(&text);
        }
    }
}
