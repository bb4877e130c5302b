//! `.talk` files: conversations as people see them, with virtual time. `UPDATE=1` rewrites what is seen.
//!
//! Not here: the bridge (harness). A file is a configuration between `---` lines, then steps and, after each step,
//! everything that became visible anywhere (`<`). Steps: `who@where > what they do` (`acts`; `>>` does not wait for what
//! comes of it), `... 10m`, and what happens around them (`orders`). Without knowledge in the configuration the assistant
//! is a puppet whose answers show what it was given.

mod acts;
mod orders;
mod puppet;
pub mod runner;
mod seen;
mod shown;

use std::path::PathBuf;

#[test]
fn every_talk_reads_as_written() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/talks");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder of talks")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "talk"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "there are no talks");
    let only = std::env::var("TALK").ok();
    let mut wrong = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("readable");
        let outcome = std::panic::catch_unwind(|| runner::run(&text));
        match outcome {
            Ok(now) if now == text => {}
            Ok(now) if std::env::var_os("UPDATE").is_some() => std::fs::write(&file, now).expect("writable"),
            Ok(now) => wrong.push(format!("{name}\n{}", runner::difference(&text, &now))),
            Err(_) => wrong.push(format!("{name}: panicked (see above)")),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} talk(s) differ; UPDATE=1 rewrites them\n\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
}
