//! Opening hours by example, on the days when clocks change, and by property.
//!
//! Not here: how hours come out of a file (`config/tests.rs`).

use std::time::Duration;

use super::*;
use proptest::prelude::*;

fn hours(zone: &str, week: &[&str], holidays: &[&str]) -> Hours {
    let mut days: Vec<Date> = holidays.iter().map(|day| day.parse().unwrap()).collect();
    days.sort();
    Hours {
        zone: TimeZone::get(zone).unwrap(),
        zone_name: zone.to_owned(),
        week: (!week.is_empty()).then(|| week.iter().flat_map(|line| parse(line).unwrap()).collect()),
        holidays: days,
    }
}

/// `2026-03-29T01:30:00+01:00`
fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

fn back(hours: &Hours, now: &str) -> Option<(String, String)> {
    hours
        .next_opening(at(now))
        .map(|(at, said)| (jiff::Timestamp::from_microsecond(at.0).unwrap().to_string(), said))
}

#[test]
fn a_week_in_lisbon() {
    let desk = hours("Europe/Lisbon", &["Mon-Fri 08:00-18:00", "Sat 09:00-12:00"], &["2026-12-25"]);
    assert!(desk.open_now(at("2026-01-14T08:00:00Z")));
    assert!(!desk.open_now(at("2026-01-14T18:00:00Z")));
    assert!(desk.open_now(at("2026-07-15T07:00:00Z")), "summer time");
    let said = |now: &str| back(&desk, now).unwrap().1;
    assert_eq!(said("2026-01-13T20:00:00Z"), "Wed 08:00 (Europe/Lisbon)");
    assert_eq!(said("2026-01-14T03:00:00Z"), "Wed 08:00 (Europe/Lisbon)");
    assert_eq!(said("2026-01-17T12:00:00Z"), "Mon 08:00 (Europe/Lisbon)");
    assert_eq!(back(&desk, "2026-12-24T18:00:00Z").unwrap().0, "2026-12-26T09:00:00Z");
    assert!(!desk.open_now(at("2026-12-25T10:00:00Z")));
    assert_eq!(back(&desk, "2026-01-14T10:00:00Z"), None, "open");
}

#[test]
fn far_away_with_the_date() {
    let desk = hours("UTC", &["Thu 08:00-18:00"], &["2026-01-08"]);
    assert_eq!(back(&desk, "2026-01-02T00:00:00Z").unwrap().1, "Thu 15 Jan 08:00 (UTC)");
}

#[test]
fn over_midnight_and_into_a_holiday() {
    let desk = hours("UTC", &["daily 22:00-06:00"], &["2026-01-02"]);
    for (now, open) in [
        ("2026-01-01T05:59:59Z", true),
        ("2026-01-01T06:00:00Z", false),
        ("2026-01-01T23:59:59Z", true),
        ("2026-01-02T00:00:00Z", false),
        ("2026-01-02T23:00:00Z", false),
        ("2026-01-03T05:00:00Z", false),
        ("2026-01-03T22:00:00Z", true),
    ] {
        assert_eq!(desk.open_now(at(now)), open, "{now}");
    }
}

#[test]
fn clocks_forward() {
    // 2026-03-29 in Berlin: after 01:59:59 comes 03:00:00.
    let desk = hours("Europe/Berlin", &["daily 02:30-04:00"], &[]);
    assert_eq!(back(&desk, "2026-03-28T12:00:00Z").unwrap().0, "2026-03-29T01:30:00Z");
    assert!(!desk.open_now(at("2026-03-29T01:29:59Z")));
    assert!(desk.open_now(at("2026-03-29T01:30:00Z")));
    assert!(!desk.open_now(at("2026-03-29T02:00:00Z")));
    let day = hours("Europe/Berlin", &["Sun 00:00-24:00"], &[]);
    assert!(!day.open_now(at("2026-03-28T22:59:59Z")));
    assert!(day.open_now(at("2026-03-29T21:59:59Z")));
    assert!(!day.open_now(at("2026-03-29T22:00:00Z")));
}

#[test]
fn clocks_back() {
    // 2026-10-25 in Berlin: 02:00 to 03:00 comes twice.
    let desk = hours("Europe/Berlin", &["daily 01:00-03:00"], &[]);
    assert!(desk.open_now(at("2026-10-25T00:30:00Z")));
    assert!(desk.open_now(at("2026-10-25T01:30:00Z")));
    assert!(!desk.open_now(at("2026-10-25T02:00:00Z")));
}

#[test]
fn holidays_alone_and_never() {
    let desk = hours("UTC", &[], &["2026-12-25"]);
    assert!(desk.open_now(at("2026-12-24T23:59:59Z")));
    assert!(!desk.open_now(at("2026-12-25T00:00:00Z")));
    assert_eq!(back(&desk, "2026-12-25T12:00:00Z").unwrap().0, "2026-12-26T00:00:00Z");
    let never = hours("UTC", &["Mon 08:00-09:00"], &[]);
    let never = Hours { week: Some(Vec::new()), ..never };
    assert_eq!(back(&never, "2026-01-01T00:00:00Z"), None);
    assert!(Hours::always().open_now(Timestamp(i64::MIN)));
    assert_eq!(Hours::always().next_opening(Timestamp(i64::MAX)), None);
}

#[test]
fn as_people_write_them() {
    let span = |day, from: &str, until: Option<&str>| Span {
        day,
        from: time(from).unwrap(),
        until: until.map(|until| time(until).unwrap()),
    };
    assert_eq!(parse("Sat,Sun 9:00-12:00").unwrap().len(), 2);
    assert_eq!(parse("Fri-Mon 08:00-18:00").unwrap().len(), 4);
    assert_eq!(
        parse("monday 08:00-12:00, 13:00-24:00").unwrap(),
        [span(Weekday::Monday, "08:00", Some("12:00")), span(Weekday::Monday, "13:00", None),]
    );
    assert_eq!(parse("tue 20:00-00:00").unwrap(), [span(Weekday::Tuesday, "20:00", None)]);
    for text in [
        "",
        "Mon",
        "08:00-18:00",
        "Mon 8-18",
        "Mon 08:00",
        "Mon 08:00-25:00",
        "Mon 08:00-08:00",
        "Mo 08:00-18:00",
        "Mon 08:60-18:00",
        "Monda 08:00-18:00",
        "Mon- 08:00-18:00",
        "Mon 08:0-18:00",
        "Mon 24:00-08:00",
        "Mon +8:00-18:00",
    ] {
        assert_eq!(parse(text), None, "{text}");
    }
}

fn any_hours() -> impl Strategy<Value = Hours> {
    let zone = prop::sample::select(vec![
        "UTC",
        "Europe/Lisbon",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kolkata",
    ]);
    let span = (0_usize..7, 0_i8..24, 0_i8..60, 0_i8..25).prop_map(|(day, hour, minute, until)| Span {
        day: DAYS[day].1,
        from: Time::new(hour, minute, 0, 0).unwrap(),
        until: Time::new(until, 30, 0, 0)
            .ok()
            .filter(|until| *until != Time::new(hour, minute, 0, 0).unwrap()),
    });
    let holiday = (1_i8..=12, 1_i8..=28).prop_map(|(month, day)| Date::new(2026, month, day).unwrap());
    (zone, prop::collection::vec(span, 0..8), prop::collection::vec(holiday, 0..6)).prop_map(
        |(zone, week, mut holidays)| {
            holidays.sort();
            Hours { zone: TimeZone::get(zone).unwrap(), zone_name: zone.into(), week: Some(week), holidays }
        },
    )
}

/// What the clock on the wall says, for days when clocks do not change.
fn by_the_wall(hours: &Hours, now: Timestamp) -> Option<bool> {
    let now = instant(now).to_zoned(hours.zone.clone());
    let unchanged = |date: Date| {
        let day = date.to_zoned(hours.zone.clone()).unwrap();
        day.tomorrow().unwrap().duration_since(&day) == jiff::SignedDuration::from_hours(24)
    };
    let (today, yesterday) = (now.date(), now.date().yesterday().unwrap());
    if !unchanged(today) || !unchanged(yesterday) {
        return None;
    }
    let closed = |day: Date| hours.holidays.contains(&day);
    let time = now.time();
    Some(
        !closed(today)
            && hours.week.as_ref().unwrap().iter().any(|span| {
                let same_day = span.until.is_none_or(|until| until > span.from);
                let begun = span.day == today.weekday()
                    && time >= span.from
                    && (!same_day || span.until.is_none_or(|until| time < until));
                let tail = span.day == yesterday.weekday()
                    && !closed(yesterday)
                    && !same_day
                    && span.until.is_some_and(|until| time < until);
                begun || tail
            }),
    )
}

proptest! {
    #[test]
    fn open_is_what_the_wall_says(hours in any_hours(), minute in 0_i64..525_600) {
        let now = at("2026-01-01T00:00:00Z") + Duration::from_secs(60 * minute.unsigned_abs());
        if let Some(open) = by_the_wall(&hours, now) {
            prop_assert_eq!(hours.open_now(now), open);
        }
    }

    #[test]
    fn the_next_opening_is_the_first(hours in any_hours(), minute in 0_i64..525_600, between in 0.0_f64..1.0) {
        let now = at("2026-01-01T00:00:00Z") + Duration::from_secs(60 * minute.unsigned_abs());
        match hours.next_opening(now) {
            None => prop_assert!(hours.open_now(now) || hours.week.as_ref().is_some_and(Vec::is_empty)),
            Some((at, said)) => {
                prop_assert!(!hours.open_now(now) && at > now);
                prop_assert!(hours.open_now(at));
                prop_assert!(!hours.open_now(Timestamp(at.0 - 1)));
                let zone = format!("({})", hours.zone_name);
                prop_assert!(said.ends_with(&zone));
                let some = Timestamp(now.0 + ((at.0 - 1 - now.0) as f64 * between) as i64);
                prop_assert!(!hours.open_now(some));
            }
        }
    }
}
