//! What is known of every adapter before a connection exists: its keys, its example, its checks.
//!
//! Not here: making and running adapters (`app.rs`). These two files alone name the platforms' crates.

use std::fmt;
use std::sync::Arc;

use deskbridge_contract::{ChannelName, RoomId, Timestamp};
use deskbridge_telegram as telegram;
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde_json::Value;

/// One adapter's part in the configuration, in `check` and in `doctor` (D36).
pub struct Kit {
    /// The value of `adapter` in `[channels.X]`.
    pub name: &'static str,
    /// The adapter's own keys; those that end in token, secret, key or password are secrets.
    pub keys: &'static [&'static str],
    /// Other names for own keys: (alias, key).
    pub aliases: &'static [(&'static str, &'static str)],
    /// What is wrong with the own keys: (key, what). Offline, and never repeats a value.
    pub check: fn(Value) -> Vec<(String, String)>,
    /// The platform's own server, where the channel names no other.
    pub api_base: &'static str,
    /// The section for `config.example.toml`.
    pub example: &'static str,
    /// Live checks of one channel. Changes nothing on the platform.
    pub doctor: fn(Setup) -> BoxFuture<'static, Vec<Check>>,
    /// Does on the platform what can be set up from here, for `deskbridge <adapter> setup`.
    pub setup: fn(Setup) -> BoxFuture<'static, Vec<Check>>,
}

impl fmt::Debug for Kit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// One channel as configured, for a live check.
#[derive(Clone)]
pub struct Setup {
    pub channel: ChannelName,
    /// The own keys in plain words (`OwnKeys::reveal`).
    pub keys: Value,
    pub desks: Vec<RoomId>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// `telegram.topics`
    pub id: String,
    pub outcome: Outcome,
    pub detail: String,
    /// Why it matters; empty when all is well.
    pub why: String,
    /// The next command or button; empty when all is well.
    pub fix: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Pass,
    Warn,
    Fail,
    /// Not configured, or not looked at because of another failure.
    Skip,
}

impl Check {
    pub fn pass(id: &str, detail: impl Into<String>) -> Self {
        Check {
            id: id.into(),
            outcome: Outcome::Pass,
            detail: detail.into(),
            why: String::new(),
            fix: String::new(),
        }
    }

    pub fn skip(id: &str, detail: impl Into<String>) -> Self {
        Check { outcome: Outcome::Skip, ..Check::pass(id, detail) }
    }

    pub fn fail(id: &str, detail: impl Into<String>, why: impl Into<String>, fix: impl Into<String>) -> Self {
        Check { outcome: Outcome::Fail, why: why.into(), fix: fix.into(), ..Check::pass(id, detail) }
    }

    pub fn warn(id: &str, detail: impl Into<String>, why: impl Into<String>, fix: impl Into<String>) -> Self {
        Check { outcome: Outcome::Warn, ..Check::fail(id, detail, why, fix) }
    }
}

/// Every adapter of this build.
pub const KITS: &[Kit] = &[Kit {
    name: "telegram",
    keys: &telegram::Config::KEYS,
    aliases: &[("bot_token", "token")],
    check: |keys| telegram::Config::from_value(keys).err().unwrap_or_default(),
    api_base: "https://api.telegram.org",
    example: telegram::EXAMPLE,
    doctor: |setup| Box::pin(telegram_live(setup, false)),
    setup: |setup| Box::pin(telegram_live(setup, true)),
}];

pub fn find(adapter: &str) -> Option<&'static Kit> {
    KITS.iter().find(|kit| kit.name == adapter)
}

async fn telegram_live(setup: Setup, change: bool) -> Vec<Check> {
    let cannot = |what: String| {
        vec![Check::fail("telegram.config", what, "the channel cannot be made", "deskbridge check")]
    };
    let config = match telegram::Config::from_value(setup.keys) {
        Ok(config) => config,
        Err(faults) => {
            return cannot(faults.into_iter().map(|(key, what)| format!("{key}: {what}")).collect());
        }
    };
    let clock = Arc::new(|| Timestamp(jiff::Timestamp::now().as_microsecond()));
    let adapter = match telegram::TelegramAdapter::new(setup.channel, config, clock) {
        Ok(adapter) => adapter,
        Err(error) => return cannot(error.to_string()),
    };
    let checks = if change { adapter.setup().await } else { adapter.doctor(&setup.desks).await };
    checks.into_iter().map(translated).collect()
}

fn translated(check: telegram::Check) -> Check {
    let outcome = match check.outcome {
        telegram::Outcome::Pass => Outcome::Pass,
        telegram::Outcome::Warn => Outcome::Warn,
        telegram::Outcome::Fail => Outcome::Fail,
    };
    Check { id: check.id.into(), outcome, detail: check.detail, why: check.why, fix: check.fix }
}
