//! Logging: set up once, as text for people or one JSON object a line; and `redact`, which takes secrets out of texts.
//!
//! Not here: metrics and health (`http`). Message text is never logged, by anybody.

mod line;
mod redact;

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub use line::Lines;
pub use redact::redact;

use crate::config::LogFormat;

/// The variable that overrides `[log] level`.
pub const FILTER: &str = "DESKBRIDGE_LOG";

/// Starts logging to standard error, and has panics logged like everything else. Later calls change nothing.
pub fn init(format: LogFormat, level: &str) {
    let wanted = std::env::var(FILTER).unwrap_or_else(|_| level.to_owned());
    let filter = EnvFilter::try_new(&wanted).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = Lines::new(format, coloured(format), std::io::stderr);
    if tracing_subscriber::registry().with(filter).with(lines).try_init().is_ok() {
        std::panic::set_hook(Box::new(|panic| {
            // Its text may hold anything; as a field it is redacted and stays on one line.
            let why = panic.payload_as_str().unwrap_or("no reason given");
            let at = panic.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(target: "deskbridge::panic", at, why, "a task panicked");
        }));
    }
}

fn coloured(format: LogFormat) -> bool {
    format == LogFormat::Text && std::io::stderr().is_terminal() && !no_colour()
}

/// Whether the person asked for no colours (<https://no-color.org>).
pub fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
