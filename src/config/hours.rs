//! Opening hours of a queue: weekly spans in the queue's own time zone, without its holidays.
//!
//! Not here: what happens to a conversation out of hours (the core decides, D1), or any clock: `now` is given.
//!
//! A span is turned into two instants per day, so the day when clocks change is neither longer nor shorter than the
//! clocks on the wall say. A holiday is closed from midnight to midnight.

use deskbridge_contract::Timestamp;
use jiff::ToSpan;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use toml::Value;

use super::loading::{kind, quoted};
use super::section::Section;

/// How far ahead an opening is looked for: a year and a bit.
const DAYS_AHEAD: usize = 370;

const EXPECTED: &str = "days and times, like \"Mon-Fri 08:00-18:00\" or \"Sat,Sun 09:00-12:00\"";

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// When a queue's people work.
#[derive(Clone, Debug)]
pub struct Hours {
    zone: TimeZone,
    zone_name: String,
    /// `None`: always, holidays apart.
    week: Option<Vec<Span>>,
    holidays: Vec<Date>,
}

/// From a time of one day of the week; `until` at or before `from` is on the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    day: Weekday,
    from: Time,
    /// `None`: the end of the day.
    until: Option<Time>,
}

impl Hours {
    /// Open at every time.
    pub fn always() -> Self {
        Hours { zone: TimeZone::UTC, zone_name: "UTC".into(), week: None, holidays: Vec::new() }
    }

    pub fn is_always(&self) -> bool {
        self.week.is_none() && self.holidays.is_empty()
    }

    pub fn open_now(&self, now: Timestamp) -> bool {
        if self.is_always() {
            return true;
        }
        let now = instant(now);
        let today = now.to_zoned(self.zone.clone()).date();
        let yesterday = today.yesterday().unwrap_or(today);
        [yesterday, today]
            .into_iter()
            .flat_map(|day| self.windows(day))
            .any(|(from, until)| from <= now && now < until)
    }

    /// When people are back, and how that is said: "Wed 08:00 (Europe/Lisbon)", with the date when it is more than six
    /// days away. `None` when the queue is open, or does not open within a year.
    pub fn next_opening(&self, now: Timestamp) -> Option<(Timestamp, String)> {
        if self.open_now(now) {
            return None;
        }
        let at = instant(now);
        let today = at.to_zoned(self.zone.clone()).date();
        let mut day = today.yesterday().unwrap_or(today);
        for _ in 0..DAYS_AHEAD {
            if let Some((from, _)) = self.windows(day).into_iter().find(|(from, _)| *from > at) {
                return Some((Timestamp(from.as_microsecond()), self.say(from, today)));
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// The open stretches that begin on a day, in order, cut where a holiday begins.
    fn windows(&self, day: Date) -> Vec<(jiff::Timestamp, jiff::Timestamp)> {
        if self.holidays.binary_search(&day).is_ok() {
            return Vec::new();
        }
        let Ok(tomorrow) = day.tomorrow() else { return Vec::new() };
        let mut windows = Vec::new();
        for span in self.spans(day.weekday()) {
            let last = match span.until {
                None => tomorrow.at(0, 0, 0, 0),
                Some(until) if until > span.from => day.to_datetime(until),
                Some(_) if self.holidays.binary_search(&tomorrow).is_ok() => tomorrow.at(0, 0, 0, 0),
                Some(until) => tomorrow.to_datetime(until),
            };
            let from = self.zone.to_timestamp(day.to_datetime(span.from));
            if let (Ok(from), Ok(until)) = (from, self.zone.to_timestamp(last))
                && from < until
            {
                windows.push((from, until));
            }
        }
        windows.sort();
        windows
    }

    fn spans(&self, day: Weekday) -> Vec<Span> {
        match &self.week {
            None => vec![Span { day, from: Time::midnight(), until: None }],
            Some(week) => week.iter().filter(|span| span.day == day).copied().collect(),
        }
    }

    fn say(&self, at: jiff::Timestamp, today: Date) -> String {
        let at = at.to_zoned(self.zone.clone());
        let near = today.checked_add(6.days()).is_ok_and(|last| at.date() <= last);
        let format = if near { "%a %H:%M" } else { "%a %-d %b %H:%M" };
        format!("{} ({})", at.strftime(format), self.zone_name)
    }
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    let clamp = if at.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_microsecond(at.0).unwrap_or(clamp)
}

/// Reads `hours`, `holidays` and `timezone` of a queue.
pub fn read(section: &mut Section<'_, '_>) -> Hours {
    let zone_name = section.text_or("timezone", "UTC");
    let zone = TimeZone::get(&zone_name).unwrap_or_else(|_| {
        section.fault("timezone", "a time zone like \"Europe/Lisbon\"", quoted(&zone_name));
        TimeZone::UTC
    });
    let week = match section.value("hours") {
        None => None,
        Some(Value::Table(table)) => {
            section.note("hours", table.clone());
            let lines = table.iter().flat_map(|(days, times)| lines_of(days, times)).collect();
            Some(spans(section, lines))
        }
        Some(Value::Array(_) | Value::String(_)) => {
            let lines = section.texts("hours").into_iter().enumerate();
            let lines = lines.map(|(n, line)| (format!("hours[{n}]"), Ok(line))).collect();
            Some(spans(section, lines))
        }
        Some(other) => {
            section.fault("hours", format!("a list of {EXPECTED}"), kind(other));
            None
        }
    };
    let mut holidays = dates(section);
    holidays.sort();
    Hours { zone, zone_name, week, holidays }
}

type Line = (String, Result<String, &'static str>);

/// `mon-fri = "08:00-18:00"` or `["08:00-12:00", "13:00-18:00"]` as lines.
fn lines_of(days: &str, times: &Value) -> Vec<Line> {
    let path = format!("hours.{days}");
    let line = |times: &Value| times.as_str().map(|times| format!("{days} {times}")).ok_or(kind(times));
    match times {
        Value::Array(times) => times.iter().map(|times| (path.clone(), line(times))).collect(),
        other => vec![(path, line(other))],
    }
}

fn spans(section: &mut Section<'_, '_>, lines: Vec<Line>) -> Vec<Span> {
    let mut spans = Vec::new();
    for (key, line) in lines {
        match line {
            Ok(line) => match parse(&line) {
                Some(more) => spans.extend(more),
                None => section.fault(&key, EXPECTED, quoted(&line)),
            },
            Err(got) => section.fault(&key, EXPECTED, got),
        }
    }
    spans
}

fn dates(section: &mut Section<'_, '_>) -> Vec<Date> {
    let mut dates = Vec::new();
    // TOML has dates of its own; both ways of writing one are taken.
    let items = match section.value("holidays") {
        None => return dates,
        Some(Value::Array(items)) => items.clone(),
        Some(one) => vec![one.clone()],
    };
    for (n, item) in items.iter().enumerate() {
        let text = match item {
            Value::String(text) => text.clone(),
            Value::Datetime(date) => date.to_string(),
            other => kind(other).to_owned(),
        };
        match text.parse::<Date>() {
            Ok(date) if text.len() == 10 => dates.push(date),
            _ => section.fault(&format!("holidays[{n}]"), "a date like \"2026-12-25\"", quoted(&text)),
        }
    }
    section.note("holidays", items);
    dates
}

/// `Mon-Fri 08:00-18:00`, `Sat,Sun 09:00-12:00`, `daily 00:00-24:00`; several times with commas.
fn parse(line: &str) -> Option<Vec<Span>> {
    let (days, times) = line.trim().split_once(' ')?;
    let days = days_of(&days.to_lowercase())?;
    let mut spans = Vec::new();
    for times in times.split(',') {
        let (from, until) = times.trim().split_once(['-', '–'])?;
        let from = time(from.trim())?;
        let until = match until.trim() {
            "24:00" => None,
            until => Some(time(until)?).filter(|until| *until != Time::midnight()),
        };
        if until == Some(from) {
            return None;
        }
        spans.extend(days.iter().map(|day| Span { day: *day, from, until }));
    }
    Some(spans)
}

fn days_of(text: &str) -> Option<Vec<Weekday>> {
    if text == "daily" {
        return Some(DAYS.iter().map(|(_, day)| *day).collect());
    }
    let mut days = Vec::new();
    for part in text.split(',') {
        match part.split_once(['-', '–']) {
            None => days.push(day(part)?),
            Some((first, last)) => {
                let last = day(last)?;
                let mut next = day(first)?;
                days.push(next);
                while next != last {
                    next = next.next();
                    days.push(next);
                }
            }
        }
    }
    Some(days)
}

/// `Mon` or `Monday`.
fn day(text: &str) -> Option<Weekday> {
    let text = text.trim();
    let (_, day) = DAYS.iter().find(|(short, _)| text.starts_with(short))?;
    let full = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    (text.len() == 3 || full.contains(&text)).then_some(*day)
}

/// `08:00` or `8:00`.
fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let sound =
        |text: &str, most| text.len() <= most && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !sound(hour, 2) || !sound(minute, 2) || minute.len() != 2 {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests;
