//! No secret gets out, wherever it was written (S105–S107, T59).
//!
//! Not here: logs (`telemetry`).

use super::*;

#[test]
fn secrets_come_from_the_file_a_file_or_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("token");
    std::fs::write(&secret, format!("{TOKEN}\n")).unwrap();
    let file = secret.to_str().unwrap();
    let channel = |config: &Config| {
        config.channels[&"telegram".into()].own.reveal()["token"].as_str().unwrap().to_owned()
    };

    assert_eq!(channel(&load(&format!("[channels.telegram]\ntoken_file = \"{file}\""))), TOKEN);
    let bare = "[channels.telegram]\n";
    assert_eq!(
        channel(&load_with(bare, &[("DESKBRIDGE__CHANNELS__TELEGRAM__TOKEN", TOKEN)]).unwrap()),
        TOKEN
    );
    let by_file = load_with(bare, &[("DESKBRIDGE__CHANNELS__TELEGRAM__TOKEN_FILE", file)]).unwrap();
    assert_eq!(channel(&by_file), TOKEN);
    // Digits alone stay text when they are a secret.
    let key = load_with("", &[("DESKBRIDGE__ASSISTANT__API_KEY", "0123")]).unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&key.assistant.api_key.unwrap()), "0123");

    assert_eq!(paths("[channels.telegram]\ntoken_file = \"/nowhere\""), ["channels.telegram.token_file"]);
    let both = format!("[channels.telegram]\ntoken = \"{TOKEN}\"\ntoken_file = \"{file}\"");
    assert_eq!(paths(&both), ["channels.telegram.token"]);
}

/// S105, S106: wherever the configuration is shown, no secret is.
#[test]
fn s105_s106_no_secret_is_shown() {
    let text = format!(
        r#"
        [server]
        public_url = "https://desk.example.com"
        [store]
        url = "postgres://desk:planted@db.example.com/desk"
        [channels.telegram]
        token = "{TOKEN}"
        receive = "webhook"
        webhook_secret = "plantedplantedplanted"
        [assistant]
        api_key = "planted"
        "#
    );
    let config = load(&text);
    let show = Show { defaults: true, redact: false };
    let shown = format!("{config:?} {:?} {} {:?}", config.policy(), config.print(show), config.values(show));
    assert!(!shown.contains("planted"), "{shown}");
    assert!(shown.contains("postgres://db.example.com/desk"));

    // The same secrets at the wrong places.
    for broken in [
        text.replace("token =", "tokn ="),
        text.replace("receive = \"webhook\"", &format!("receive = \"{TOKEN}\"")),
        text.replace("url = \"postgres:", "url = \"mysql:"),
        text.replace("webhook_secret = \"", "webhook_secret = \"? "),
        text.replace("api_key = \"planted\"", "api_key = [\"planted\"]"),
        text.replace("api_key = \"planted\"", "api_key = \"planted"),
        text.replace("public_url = \"https://desk", "public_url = \"https://u:planted@desk"),
    ] {
        let faults = faults(&broken);
        assert!(!faults.is_empty(), "{broken}");
        let shown = format!("{faults:?} {}", serde_json::to_string(&faults).unwrap());
        assert!(!shown.contains("planted"), "{shown}");
    }
}

/// S107.
#[cfg(unix)]
#[test]
fn s107_files_with_secrets_that_everybody_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (path, secret) = (folder.path().join("deskbridge.toml"), folder.path().join("secret"));
    std::fs::write(&secret, TOKEN).unwrap();
    std::fs::write(
        &path,
        format!("[channels.telegram]\ntoken_file = {secret:?}\n[assistant]\napi_key = \"x\"\n"),
    )
    .unwrap();
    let warned = |mode: u32| {
        for file in [&path, &secret] {
            std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let config = Config::load(Some(&path), std::iter::empty()).unwrap();
        config.warnings().iter().filter(|warning| warning.id == "secrets.mode").count()
    };
    assert_eq!(warned(0o600), 0);
    assert_eq!(warned(0o644), 2);
}

/// T59: nobody starts with a secret that everybody knows.
#[test]
fn the_secrets_of_the_example_are_refused() {
    let text = "[channels.telegram]\ntoken = \"123456789:replace-me\"\n[assistant]\napi_key = \"replace-me\"";
    assert_eq!(paths(text), ["channels.telegram.token", "assistant.api_key"]);
}
