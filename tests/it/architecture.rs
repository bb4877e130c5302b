//! ARCHITECTURE.md's claims, as tests over the sources and the dependency lists.
//!
//! Not here: behaviour.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder, with its text.
fn sources(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort();
    assert!(!found.is_empty(), "no sources in {folder}");
    let text = |path: &PathBuf| std::fs::read_to_string(path).expect("readable");
    let name = |path: &PathBuf| path.strip_prefix(root()).expect("below the root").display().to_string();
    found.iter().map(|path| (name(path), text(path))).collect()
}

fn is_test(name: &str) -> bool {
    name.contains("/tests/")
        || name.ends_with("tests.rs")
        || name.contains("/suite")
        || name.contains("_tests")
}

/// Lines that are code: no comments, nothing from the first unit-test module on.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]"))
        .filter(|line| !line.trim_start().starts_with("//") && !line.trim().is_empty())
}

fn offenders<'t>(
    files: &'t [(String, String)],
    allowed: impl Fn(&str) -> bool,
    words: &[&str],
) -> Vec<(&'t str, &'t str)> {
    let mut found = Vec::new();
    for (name, text) in files.iter().filter(|(name, _)| !allowed(name) && !is_test(name)) {
        for line in code(text) {
            if words.iter().any(|word| line.contains(word)) {
                found.push((name.as_str(), line.trim()));
            }
        }
    }
    found
}

fn dependencies(manifest: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join(manifest)).expect("a manifest");
    let section = text.split("[dependencies]").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    section
        .lines()
        .filter_map(|line| line.split(['.', '=', ' ']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_core_sees_only_the_contract() {
    let seen = dependencies("src/conversation/Cargo.toml");
    let allowed = ["deskbridge-contract", "serde", "serde_json"];
    let others: Vec<&String> = seen.iter().filter(|name| !allowed.contains(&name.as_str())).collect();
    assert!(others.is_empty(), "the core depends on {others:?}");
}

#[test]
fn adapters_see_only_the_contract_of_ours() {
    for manifest in [
        "adapters/contract/Cargo.toml",
        "adapters/sim/Cargo.toml",
        "adapters/slack/Cargo.toml",
        "adapters/teams/Cargo.toml",
        "adapters/telegram/Cargo.toml",
        "adapters/widget/Cargo.toml",
    ] {
        let ours: Vec<String> =
            dependencies(manifest).into_iter().filter(|name| name.starts_with("deskbridge")).collect();
        assert!(ours.iter().all(|name| name == "deskbridge-contract"), "{manifest} sees {ours:?}");
    }
}

#[test]
fn the_core_has_no_clock_no_randomness_and_no_io() {
    let words = [
        "SystemTime",
        "Instant::",
        "rand::",
        "getrandom",
        "std::fs",
        "std::net",
        "std::env",
        "tokio",
        "async ",
        "sqlx",
    ];
    let files = sources("src/conversation");
    let found = offenders(&files, |name| name.contains("/examples/"), &words);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_core_has_no_wildcard_arms_over_its_events() {
    let text = std::fs::read_to_string(root().join("src/conversation/mod.rs")).expect("readable");
    assert!(text.contains("#![deny(clippy::wildcard_enum_match_arm)]"), "the lint that forbids them is gone");
    for stage in ["assisting", "handover", "assigned", "closed", "delivery", "requester"] {
        let text =
            std::fs::read_to_string(root().join(format!("src/conversation/{stage}.rs"))).expect("readable");
        assert!(!text.contains("wildcard_enum_match_arm"), "{stage}.rs switches the lint off");
    }
}

#[test]
fn only_the_composition_root_names_a_platform() {
    let files = sources("src");
    let allowed = |name: &str| name == "src/app.rs" || name.starts_with("src/app/");
    let found = offenders(
        &files,
        allowed,
        &[
            "deskbridge_telegram",
            "deskbridge_slack",
            "deskbridge_teams",
            "deskbridge_discord",
            "deskbridge_widget",
        ],
    );
    assert!(found.is_empty(), "{found:#?}");
}

/// What decides, stores, carries out and serves knows no platform by name, not even in a text.
#[test]
fn no_platform_is_named_where_rules_are() {
    for folder in ["src/conversation", "src/store", "src/runtime", "src/http", "src/services"] {
        let words = ["telegram", "Telegram", "slack", "Slack", "discord", "Discord", "MsTeams"];
        let files = sources(folder);
        let found = offenders(&files, is_test, &words);
        assert!(found.is_empty(), "{found:#?}");
    }
}

/// Which clocks run follows from the state (`timers::running`).
#[test]
fn no_timer_is_set_or_cancelled() {
    let words = ["SetTimer", "CancelTimer", "set_timer", "cancel_timer"];
    let files = sources("src/conversation");
    let found = offenders(&files, |_| false, &words);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn only_the_store_holds_sql() {
    let files = sources("src");
    let words = ["sqlx::", "insert into ", "select * from", "delete from "];
    let found = offenders(&files, |name| name.starts_with("src/store/"), &words);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn http_and_runtime_never_step() {
    for folder in ["src/http", "src/runtime"] {
        let files = sources(folder);
        let found = offenders(&files, |_| false, &["conversation::step(", " step("]);
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[test]
fn only_adapters_and_services_call_out() {
    let files = sources("src");
    let allowed = |name: &str| {
        name.starts_with("src/services/")
            || name.starts_with("src/bench/")
            || name.starts_with("src/cli/doctor")
    };
    let found = offenders(&files, allowed, &["reqwest::", "TcpStream::connect"]);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn files_stay_under_four_hundred_lines_of_code() {
    let mut long = Vec::new();
    for folder in ["src", "adapters", "tests", "xtask"] {
        for (name, text) in sources(folder) {
            let lines = code(&text).count();
            if lines > 400 && !is_test(&name) {
                long.push(format!("{name}: {lines}"));
            }
        }
    }
    assert!(long.is_empty(), "split these: {long:#?}");
}

#[test]
fn every_module_says_what_it_is_and_what_it_is_not() {
    let mut silent = Vec::new();
    for folder in ["src", "adapters"] {
        for (name, text) in sources(folder) {
            if is_test(&name)
                || name.contains("/examples/")
                || name.ends_with("main.rs")
                || name.ends_with("src/lib.rs")
            {
                continue;
            }
            let doc: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
            if doc.is_empty() {
                silent.push(name);
            }
        }
    }
    assert!(silent.is_empty(), "without a module comment: {silent:#?}");
}

#[test]
fn migrations_have_the_same_numbers_and_expand_before_they_contract() {
    let numbers = |folder: &str| -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(root().join(folder))
            .expect("migrations")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(numbers("migrations/sqlite"), numbers("migrations/postgres"));
    for folder in ["migrations/sqlite", "migrations/postgres"] {
        for name in numbers(folder).iter().skip(1) {
            let text =
                std::fs::read_to_string(root().join(folder).join(name)).expect("readable").to_lowercase();
            for statement in text.split(';').filter(|statement| statement.contains("add column")) {
                let needs_default = statement.contains("not null") && !statement.contains("default");
                assert!(!needs_default, "{folder}/{name}: a new column that is not null needs a default");
            }
            assert!(
                !text.contains("drop table") && !text.contains("drop column"),
                "{folder}/{name} contracts"
            );
        }
    }
}

#[test]
fn no_todo_is_left_in_the_code() {
    for folder in ["src", "adapters", "tests", "xtask"] {
        let files: Vec<(String, String)> =
            sources(folder).into_iter().filter(|(name, _)| name != "tests/it/architecture.rs").collect();
        let found = offenders(&files, |_| false, &["todo!(", "unimplemented!(", "#[ignore"]);
        assert!(found.is_empty(), "{found:#?}");
    }
}
