//! The machine: room on the disk, and clocks that go forward.
//!
//! Not here: the clock compared with others' (`network.rs`).

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::config::{Config, Database};
use crate::kits::Check;

/// Below this a busy day's files may fill the disk; below the second a few may.
const LITTLE: u64 = 2 << 30;
const TOO_LITTLE: u64 = 200 << 20;

pub fn checks(config: &Config) -> Vec<Check> {
    let mut checks = vec![clock()];
    let mut places: Vec<PathBuf> = vec![config.store.blobs.clone()];
    if let Database::Sqlite(path) = &config.store.url {
        places.insert(0, path.parent().map(Path::to_path_buf).unwrap_or_default());
    }
    let mut places: Vec<PathBuf> = places.iter().map(|place| standing(place)).collect();
    places.dedup();
    checks.extend(places.iter().map(|place| room(place)));
    checks
}

/// The folder itself, or the nearest one above that is there.
fn standing(place: &Path) -> PathBuf {
    let there = place.ancestors().find(|place| !place.as_os_str().is_empty() && place.is_dir());
    there.unwrap_or(Path::new(".")).to_path_buf()
}

fn room(place: &Path) -> Check {
    let Some(free) = free(place) else {
        return Check::skip(
            "disk.free",
            format!("{}: the system does not say how much is free", place.display()),
        );
    };
    let said = format!("{}: {:.1} GB free", place.display(), free as f64 / 1e9);
    if free < TOO_LITTLE {
        Check::fail(
            "disk.free",
            said,
            "when the disk is full nothing can be received",
            "make room, or move store.url and store.blobs",
        )
    } else if free < LITTLE {
        Check::warn("disk.free", said, "files that people send may fill it", "make room, or move store.blobs")
    } else {
        Check::pass("disk.free", said)
    }
}

#[cfg(unix)]
fn free(place: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(place).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(not(unix))]
fn free(_place: &Path) -> Option<u64> {
    None
}

/// When this was written; a machine that believes to be earlier has a clock that was never set.
const WRITTEN: Duration = Duration::from_secs(1_767_225_600); // 2026-01-01

fn clock() -> Check {
    let (steady, wall) = (Instant::now(), SystemTime::now());
    let since = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let fix = "let the system set the clock: timedatectl set-ntp true";
    if since < WRITTEN {
        let said = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
        return Check::fail(
            "clock.date",
            format!("the clock says {said}"),
            "certificates and signatures are refused",
            fix,
        );
    }
    // The same moment by both clocks, a little later; only a jump can tell them apart.
    let by_steady = steady.elapsed();
    match wall.elapsed() {
        Ok(by_wall) if by_wall.abs_diff(by_steady) < Duration::from_secs(1) => {
            Check::pass("clock.date", jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string())
        }
        _ => Check::warn("clock.date", "the clock jumped just now", "timers may be early or late once", fix),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_are_not_there_yet() {
        assert_eq!(standing(Path::new("nowhere/at/all")), Path::new("."));
        assert_eq!(standing(Path::new("/nowhere/at/all")), Path::new("/"));
        assert_eq!(standing(Path::new("")), Path::new("."));
    }

    #[cfg(unix)]
    #[test]
    fn there_is_some_room_here() {
        assert!(free(Path::new(".")).is_some_and(|free| free > 0));
    }
}
