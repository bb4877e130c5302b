//! What Slack's mentions look like as names: people, rooms, groups, everybody, dates.
//!
//! Not here: asking Slack for a name (whoever implements [`Names`]).

/// Names for Slack's ids, as far as they are known. `None` is never an error: the label Slack gives stands in, then the id.
pub(crate) trait Names {
    /// A person, by `U…` or `W…`.
    fn person(&self, id: &str) -> Option<String>;
    /// A channel, by `C…`, `G…` or `D…`, without `#`.
    fn room(&self, _id: &str) -> Option<String> {
        None
    }
    /// A user group, by `S…`.
    fn group(&self, _id: &str) -> Option<String> {
        None
    }
}

/// Knows nobody.
pub(crate) struct NoNames;

impl Names for NoNames {
    fn person(&self, _id: &str) -> Option<String> {
        None
    }
}

pub(crate) fn person(id: &str, label: Option<&str>, names: &dyn Names) -> String {
    signed('@', names.person(id).as_deref().or(label).unwrap_or(id))
}

pub(crate) fn room(id: &str, label: Option<&str>, names: &dyn Names) -> String {
    signed('#', names.room(id).as_deref().or(label).unwrap_or(id))
}

pub(crate) fn group(id: &str, label: Option<&str>, names: &dyn Names) -> String {
    signed('@', names.group(id).as_deref().or(label).unwrap_or(id))
}

pub(crate) fn everybody(range: &str) -> String {
    signed('@', range)
}

fn signed(sign: char, name: &str) -> String {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.starts_with(sign) { name } else { format!("{sign}{name}") }
}

/// What stands between `<` and `>`: `@U1`, `#C1`, `!here`, `!subteam^S1`, `!date^1392734382^{date}^link`.
pub(super) fn shown(target: &str, label: Option<&str>, names: &dyn Names) -> String {
    if let Some(id) = target.strip_prefix('@') {
        return person(id, label, names);
    }
    if let Some(id) = target.strip_prefix('#') {
        return room(id, label, names);
    }
    let special = target.strip_prefix('!').unwrap_or(target);
    if let Some(id) = special.strip_prefix("subteam^") {
        return group(id, label, names);
    }
    if let Some(date) = special.strip_prefix("date^") {
        return match (label, date.split('^').next().and_then(|stamp| stamp.parse().ok())) {
            (Some(label), _) => label.to_owned(),
            (None, Some(stamp)) => moment(stamp),
            (None, None) => date.to_owned(),
        };
    }
    match special {
        "here" | "channel" | "everyone" | "group" => everybody(special),
        other => label.unwrap_or(other).to_owned(),
    }
}

/// A date that came without words, in UTC: nobody says whose zone it is for.
pub(super) fn moment(stamp: i64) -> String {
    match jiff::Timestamp::from_second(stamp) {
        Ok(at) => at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => stamp.to_string(),
    }
}
