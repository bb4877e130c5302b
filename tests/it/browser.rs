//! The widget in a real browser: each script in `tests/browser` with the built program, Chromium and a fake Telegram.
//!
//! Not here: what people do and see (the scripts).

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use deskbridge_platforms::openai::{FakeOpenAi, Reply as Model};
use deskbridge_platforms::telegram::{FakeTelegram, Settings};
use tokio::process::Command;

/// Long, because the machine may be busy; the scripts wait for events, so a quick one is not held up.
const PATIENCE: Duration = Duration::from_secs(480);

fn given(name: &str) -> Option<PathBuf> {
    let found = std::env::var_os(name).map(PathBuf::from).filter(|path| path.exists());
    if found.is_none() {
        println!("skipped: {name} is not set (cargo xtask test finds or installs it)");
    }
    found
}

async fn play(script: &str) {
    play_with(script, &[]).await;
}

async fn play_with(script: &str, more: &[(&str, String)]) {
    let (Some(modules), Some(chromium)) =
        (given("DESKBRIDGE_TEST_NODE_MODULES"), given("DESKBRIDGE_TEST_CHROMIUM"))
    else {
        return;
    };
    let fake = FakeTelegram::with(Settings { time_scale: 0.1, ..Settings::default() }).await;
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let played = Command::new("node")
        .arg(root.join("tests/browser").join(script))
        .env("DESKBRIDGE_TEST_NODE_MODULES", modules)
        .env("DESKBRIDGE_TEST_CHROMIUM", chromium)
        .env("DESKBRIDGE_TEST_PROGRAM", env!("CARGO_BIN_EXE_deskbridge"))
        .env("DESKBRIDGE_TEST_KNOWLEDGE", root.join("knowledge"))
        .env("DESKBRIDGE_TEST_TELEGRAM", fake.base_url())
        .env("DESKBRIDGE_TEST_TELEGRAM_TOKEN", fake.token())
        .envs(more.iter().map(|(name, value)| (*name, value)))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let played = match tokio::time::timeout(PATIENCE, played).await {
        Ok(Ok(played)) => played,
        Ok(Err(error)) => {
            println!("skipped: node does not start: {error}");
            return;
        }
        Err(_) => panic!("{script} did not end"),
    };
    let said = [played.stdout, played.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(played.status.success(), "{script}:\n{said}");
    // A script that ended before its last line proved nothing.
    assert!(said.contains("ok\n"), "{script} ended early:\n{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_conversation_with_a_technician_in_a_topic() {
    play("conversation.mjs").await;
}

/// F39: nothing missed and nothing doubled.
#[tokio::test(flavor = "multi_thread")]
async fn f39_the_server_was_killed_and_the_network_gone() {
    play("reconnect.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_sockets_and_out_of_hours() {
    play("fallback.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_stay_in_step() {
    play("tabs.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_by_button_drop_and_paste() {
    play("files.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keyboard_alone_and_right_to_left() {
    play("reach.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_other_state_can_be_reached_and_read() {
    play("states.mjs").await;
}

/// S48, S49: vectors as text in the widget; no dialog, no request elsewhere, no report.
#[tokio::test(flavor = "multi_thread")]
async fn s48_what_looks_like_markup_is_text() {
    play("markup.mjs").await;
}

/// S48: and in what the assistant says.
#[tokio::test(flavor = "multi_thread")]
async fn s48_what_the_assistant_says_is_text() {
    play_with_a_parrot("parrot.mjs").await;
}

/// Languages, colours, motion, an answer that grows.
#[tokio::test(flavor = "multi_thread")]
async fn how_it_looks_and_moves() {
    play_with_a_parrot("looks.mjs").await;
}

/// Every call and every event of the widget's API.
#[tokio::test(flavor = "multi_thread")]
async fn everything_that_a_page_can_ask_of_it() {
    play("api.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_before_it_is_used_and_nothing_missed_after_a_sleep() {
    play("wake.mjs").await;
}

/// With a model that says what it is told to: `say:` and the words, each half of a byte as a letter from `a` to `p`; `slow:`,
/// word by word.
async fn play_with_a_parrot(script: &str) {
    let model = FakeOpenAi::start().await;
    model.rule(|asked| {
        let said = asked["messages"].as_array().into_iter().flatten().rev();
        let mut said = said.filter(|one| one["role"] == "user").filter_map(|one| one["content"].as_str());
        let last = said.find(|text| text.contains("say:") || text.contains("slow:")).unwrap_or_default();
        let told = |word: &str| {
            let letters =
                last.split_once(word)?.1.bytes().take_while(|letter| (b'a'..=b'p').contains(letter));
            let halves: Vec<u8> = letters.map(|letter| letter - b'a').collect();
            String::from_utf8(halves.chunks_exact(2).map(|two| two[0] << 4 | two[1]).collect()).ok()
        };
        match (told("say:"), told("slow:")) {
            (Some(text), _) => Model::text(&text).into(),
            (None, Some(text)) => Model::text(&text).between(Duration::from_millis(100)).into(),
            (None, None) => Model::text("Nothing was to be said.").into(),
        }
    });
    let more =
        [("DESKBRIDGE_TEST_OPENAI", model.base_url()), ("DESKBRIDGE_TEST_OPENAI_KEY", model.key().into())];
    play_with(script, &more).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_who_their_page_says() {
    play("identity.mjs").await;
}

/// With a model that has other words for a draft.
#[tokio::test(flavor = "multi_thread")]
async fn the_widget_and_the_console_side_by_side() {
    let model = FakeOpenAi::start().await;
    model.rule(|asked| {
        let rules = asked["messages"][0]["content"].as_str().unwrap_or_default();
        let said = if rules.contains("as few words") {
            "Please restart it."
        } else if rules.contains("You draft the next reply") {
            "Please delete the saved VPN password and sign in again [1]."
        } else {
            "Please sign in to the VPN once more with your new password [1]."
        };
        Model::text(said).into()
    });
    let more =
        [("DESKBRIDGE_TEST_OPENAI", model.base_url()), ("DESKBRIDGE_TEST_OPENAI_KEY", model.key().into())];
    play_with("desk.mjs", &more).await;
}

/// S48, S49, S100: what others call themselves, their files and a model's answers. The model says what it is told to, in
/// hexadecimal with letters for digits: the question itself is then no vector, and no card's number.
#[tokio::test(flavor = "multi_thread")]
async fn s48_what_looks_like_markup_is_text_in_the_console() {
    let model = FakeOpenAi::start().await;
    model.rule(|asked| {
        let asked = asked["messages"].to_string();
        let told = asked.rsplit_once("ECHO:").map(|(_, rest)| {
            let digits = rest.bytes().take_while(|letter| (b'a'..=b'p').contains(letter));
            let digits: Vec<u8> =
                digits.map(|letter| b"0123456789abcdef"[usize::from(letter - b'a')]).collect();
            hex::decode(digits).unwrap_or_default()
        });
        let said = told.and_then(|bytes| String::from_utf8(bytes).ok());
        Model::text(&said.unwrap_or_else(|| "Please sign in to the VPN once more [1].".to_owned())).into()
    });
    let more =
        [("DESKBRIDGE_TEST_OPENAI", model.base_url()), ("DESKBRIDGE_TEST_OPENAI_KEY", model.key().into())];
    play_with("untrusted.mjs", &more).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_were_made_for_another_widget() {
    play("compat.mjs").await;
}

/// Every key that the console tells of does what it says.
#[tokio::test(flavor = "multi_thread")]
async fn every_key_of_the_console() {
    play("keys.mjs").await;
}

/// Permission, notification and sound are the system's; what the console asks of it is written down.
#[tokio::test(flavor = "multi_thread")]
async fn notification_and_sound_in_a_browser() {
    play("notify.mjs").await;
}

/// Every page of the settings that an admin saves, saved there; what a technician has of them; S77 as it looks.
#[tokio::test(flavor = "multi_thread")]
async fn settings_are_saved_in_a_browser() {
    play("settings.mjs").await;
}

/// What `demo` shows, with nothing configured.
#[tokio::test(flavor = "multi_thread")]
async fn the_demo_from_the_first_click_to_the_end() {
    play("demo.mjs").await;
}
