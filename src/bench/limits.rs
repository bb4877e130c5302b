//! What this machine can do in this minute: flushes per second, beside which every other figure must be read.
//!
//! Not here: the product.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// 4 KiB appends with fdatasync, per second, over half a second.
pub fn flushes_per_second(folder: &Path) -> std::io::Result<f64> {
    let mut file = std::fs::File::create(folder.join("flush.probe"))?;
    let block = [7u8; 4096];
    let started = Instant::now();
    let mut count = 0u32;
    while started.elapsed() < Duration::from_millis(500) {
        file.seek(SeekFrom::End(0))?;
        file.write_all(&block)?;
        file.sync_data()?;
        count += 1;
    }
    Ok(f64::from(count) / started.elapsed().as_secs_f64())
}

/// The load average of the last minute, where the system tells it.
pub fn load() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}

/// Resident memory of a process in MB and its CPU seconds so far, where the system tells.
pub fn process(pid: u32) -> Option<(f64, f64)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kb: f64 = rss.trim().split(' ').next()?.parse().ok()?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after = stat.rsplit_once(')')?.1;
    let fields: Vec<&str> = after.split_whitespace().collect();
    // utime and stime are fields 14 and 15 of the whole line; clock ticks are 1/100 s on Linux.
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some((kb / 1024.0, ticks / 100.0))
}
