//! One external command: start it, wait no longer than its limit, keep or show what it prints.
//! Not here: which commands, and what their failure means.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::fault::{Fault, Outcome};

pub const SECOND: Duration = Duration::from_secs(1);
pub const MINUTE: Duration = Duration::from_secs(60);

/// How long a command that was told to stop may take before it is killed.
const GRACE: Duration = Duration::from_secs(10);
/// Lines of a log that an error repeats.
const TAIL: usize = 15;
/// Characters of a command that a message repeats.
const LINE: usize = 100;

/// Runs with its output on the terminal.
pub fn show(what: &str, command: &mut Command, limit: Duration) -> Outcome<()> {
    let child = start(what, command.stdin(Stdio::null()))?;
    succeed(what, command, wait(what, child, limit)?)
}

/// Runs with the terminal all to itself, however long it takes.
pub fn hand_over(what: &str, command: &mut Command) -> Outcome<()> {
    let mut child = start(what, command)?;
    let status = child.wait().map_err(|e| Fault::new(what, e.to_string()))?;
    succeed(what, command, status)
}

/// Runs with its output appended to `log`; a failure repeats the log's last lines.
pub fn logged(what: &str, command: &mut Command, limit: Duration, log: &Path) -> Outcome<()> {
    let file = open_log(what, log)?;
    writeln!(&file, "\n$ {}", line(command)).map_err(|e| Fault::new(what, e.to_string()))?;
    let second = file.try_clone().map_err(|e| Fault::new(what, e.to_string()))?;
    let child = start(what, command.stdin(Stdio::null()).stdout(file).stderr(second))?;
    wait(what, child, limit).and_then(|status| succeed(what, command, status)).map_err(|fault| {
        Fault::new(what, format!("{}\n{}", fault.why(), tail(log))).next(format!("less {}", log.display()))
    })
}

/// Runs and returns what it wrote to standard output; standard error goes to the terminal.
pub fn capture(what: &str, command: &mut Command, limit: Duration, scratch: &Path) -> Outcome<Vec<u8>> {
    let file = File::create(scratch).map_err(|e| Fault::new(what, format!("{}: {e}", scratch.display())))?;
    let child = start(what, command.stdin(Stdio::null()).stdout(file))?;
    succeed(what, command, wait(what, child, limit)?)?;
    fs::read(scratch).map_err(|e| Fault::new(what, e.to_string()))
}

/// The first line of what a short question prints, `None` when it cannot be asked: `--version`, `id -u`.
pub fn ask(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.lines().next().unwrap_or_default().trim().to_owned())
}

/// Waits for `child`; past the limit it is asked to stop (so that it can stop its own children), then killed.
fn wait(what: &str, mut child: Child, limit: Duration) -> Outcome<ExitStatus> {
    if let Some(status) = ended(what, &mut child, limit)? {
        return Ok(status);
    }
    let _ = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status();
    if ended(what, &mut child, GRACE)?.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    Err(Fault::new(what, format!("not done after {} s; it was stopped", limit.as_secs())))
}

/// Asks `ready` about ten times a second until it has an answer or `limit` has passed.
#[expect(clippy::disallowed_methods, reason = "waits for another program, outside any test and any runtime")]
pub fn poll<T>(limit: Duration, mut ready: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ready() {
            return Some(answer);
        }
        if start.elapsed() >= limit {
            return None;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn ended(what: &str, child: &mut Child, limit: Duration) -> Outcome<Option<ExitStatus>> {
    poll(limit, || match child.try_wait() {
        Ok(status) => status.map(Ok),
        Err(e) => Some(Err(Fault::new(what, e.to_string()))),
    })
    .transpose()
}

fn start(what: &str, command: &mut Command) -> Outcome<Child> {
    command.spawn().map_err(|e| Fault::new(what, format!("cannot start `{}`: {e}", line(command))))
}

fn succeed(what: &str, command: &Command, status: ExitStatus) -> Outcome<()> {
    if status.success() { Ok(()) } else { Err(Fault::new(what, format!("`{}`: {status}", line(command)))) }
}

/// The command as typed; of a long one, its beginning.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let words = program.file_name().into_iter().chain(command.get_args());
    let whole = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let mut start: String = whole.lines().next().unwrap_or_default().chars().take(LINE).collect();
    if start.len() < whole.len() {
        start.push('…');
    }
    start
}

fn open_log(what: &str, log: &Path) -> Outcome<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .map_err(|e| Fault::new(what, format!("{}: {e}", log.display())))
}

pub fn tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(TAIL)..];
    last.iter().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_past_its_limit_is_stopped() {
        let start = Instant::now();
        let fault =
            show("nap", Command::new("sleep").arg("60"), Duration::from_millis(200)).expect_err("too long");
        assert!(start.elapsed() < GRACE, "{:?}", start.elapsed());
        assert!(fault.to_string().contains("it was stopped"), "{fault}");
    }

    #[test]
    fn a_failure_repeats_the_end_of_the_log() {
        let log = std::env::temp_dir().join(format!("deskbridge-xtask-run-{}.log", std::process::id()));
        let fault = logged("talk", Command::new("sh").args(["-c", "echo why; exit 3"]), MINUTE, &log);
        let text = fault.expect_err("exit 3").to_string();
        fs::remove_file(&log).expect("the log was written");
        assert!(text.contains("| why") && text.contains("exit status: 3"), "{text}");
    }
}
