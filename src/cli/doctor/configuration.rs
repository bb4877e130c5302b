//! The configuration, which was read without faults to get here: what deserves a second look.
//!
//! Not here: finding that (`config/warnings.rs`), faults (`check`).

use crate::config::Config;
use crate::kits::Check;

pub fn checks(config: &Config) -> Vec<Check> {
    let name = match config.file_name() {
        name if name.is_empty() => "no file: defaults and the environment".to_owned(),
        name => format!("{name}: valid, no unknown keys"),
    };
    let mut checks = vec![Check::pass("config.file", name)];
    let warnings = config.warnings();
    if !warnings.iter().any(|warning| warning.id == "secrets.mode") {
        checks.push(Check::pass("secrets.mode", "no secret is readable by everybody"));
    }
    checks.extend(
        warnings.into_iter().map(|warning| Check::warn(warning.id, warning.what, warning.why, warning.fix)),
    );
    checks
}
