//! Discord's ids: milliseconds since 2015 and a counter in one number, written as text ("API Reference › Snowflakes").
//! What an id names is not known here.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};
use serde_json::Value;

/// 2015-01-01T00:00:00Z in Unix milliseconds.
const EPOCH: u64 = 1_420_070_400_000;

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Snowflake(pub u64);

impl Snowflake {
    /// The id in a JSON value: text, or a number.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number.as_u64().map(Snowflake),
            _ => None,
        }
    }

    /// When it was made, Unix milliseconds.
    pub fn at(self) -> u64 {
        (self.0 >> 22) + EPOCH
    }

    /// The first id of this moment.
    pub(super) fn from_millis(millis: u64) -> Self {
        Snowflake(millis.saturating_sub(EPOCH) << 22)
    }
}

impl fmt::Display for Snowflake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Snowflake {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Snowflake)
    }
}

impl PartialEq<Snowflake> for Value {
    fn eq(&self, other: &Snowflake) -> bool {
        Snowflake::of(self) == Some(*other)
    }
}

impl Serialize for Snowflake {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The clock of ids and signatures, Unix milliseconds.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Unix milliseconds as Discord writes them.
pub(super) fn stamp(millis: u64) -> String {
    let millis = i64::try_from(millis).unwrap_or(i64::MAX);
    let at = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{}+00:00", at.strftime("%Y-%m-%dT%H:%M:%S%.6f"))
}

#[cfg(test)]
mod tests {
    use super::{Snowflake, stamp};

    /// The vendor's published example.
    #[test]
    fn an_id_tells_its_time() {
        let id: Snowflake = "175928847299117063".parse().expect("an id");
        assert_eq!(id.at(), 1_462_015_105_796);
        assert_eq!(stamp(id.at()), "2016-04-30T11:18:25.796000+00:00");
        assert_eq!(Snowflake::from_millis(id.at()).at(), id.at());
    }
}
