//! `[oidc]`: what is taken, and what is not.
//!
//! Not here: speaking to a provider.

use super::*;

const SOUND: &str = r#"
[server]
public_url = "https://desk.example.com"
[oidc]
issuer = "https://login.example.com/staff/"
client_id = "desk"
client_secret = "planted-secret"
"#;

fn oidc(more: &str) -> Oidc {
    load(&format!("{SOUND}{more}")).oidc.expect("it is set")
}

fn faulty(more: &str) -> Vec<String> {
    paths(&format!("{SOUND}{more}"))
}

#[test]
fn nothing_is_set_and_the_least_that_can_be() {
    assert!(load("").oidc.is_none());
    let least = oidc("");
    assert_eq!((least.name.as_str(), least.create, least.others), ("your company account", false, None));
    // A slash at the end of an issuer is part of its name.
    assert_eq!(least.issuer, "https://login.example.com/staff/");
    assert_eq!(least.redirect_uri, "https://desk.example.com/console/oidc");
    assert_eq!(least.scopes, ["openid", "email", "profile"]);
    assert!(!least.decides_roles() && least.takes("anybody@anywhere.test"));
    assert!(!format!("{least:?}").contains("planted"));
    let printed = load(SOUND).print(Show { defaults: true, redact: false });
    assert!(printed.contains("client_id") && !printed.contains("planted"), "{printed}");
    let (url, env) = ("https://login.example.com", "planted-in-the-environment");
    let variables = [
        ("DESKBRIDGE__SERVER__PUBLIC_URL", "http://localhost:8080"),
        ("DESKBRIDGE__OIDC__ISSUER", url),
        ("DESKBRIDGE__OIDC__CLIENT_ID", "desk"),
        ("DESKBRIDGE__OIDC__CLIENT_SECRET", env),
        ("DESKBRIDGE__OIDC__DOMAINS", "example.com"),
    ];
    let found = load_with("", &variables).unwrap().oidc.expect("it is set");
    assert_eq!((found.issuer.as_str(), found.domains), (url, vec!["example.com".to_owned()]));
}

#[test]
fn what_an_issuer_is() {
    for sound in
        ["https://accounts.google.com", "http://localhost:9000", "http://[::1]:9000/x", "http://127.0.0.1/"]
    {
        let text = SOUND.replace("https://login.example.com/staff/", sound);
        assert_eq!(load(&text).oidc.expect("it is set").issuer, sound);
    }
    for wrong in [
        "http://login.example.com",
        "http://localhost.evil.test",
        "login.example.com",
        "https://login.microsoftonline.com/{tenantid}/v2.0",
        "https://login.example.com/.well-known/openid-configuration",
        "https://user:word@login.example.com",
        "https://login.example.com/?x=1",
        "https://login.example.com/#x",
        "ftp://login.example.com",
    ] {
        assert_eq!(
            paths(&SOUND.replace("https://login.example.com/staff/", wrong)),
            ["oidc.issuer"],
            "{wrong}"
        );
    }
}

#[test]
fn what_must_be_there_and_fit() {
    assert_eq!(paths("[oidc]"), ["server.public_url", "oidc.issuer", "oidc.client_id"]);
    assert_eq!(paths(&SOUND.replace("https://desk", "http://desk")), ["server.public_url"]);
    assert_eq!(paths(&SOUND.replace("https://desk.example.com", "desk")), ["server.public_url"]);
    assert_eq!(faulty("isuer = \"x\""), ["oidc.isuer"]);
    assert_eq!(faulty("scopes = [\"email\"]"), ["oidc.scopes"]);
    assert_eq!(faulty("scopes = [\"openid email\"]"), ["oidc.scopes"]);
    assert_eq!(faulty("claims = [\"hd\"]"), ["oidc.claims[0]"]);
    assert_eq!(faulty("domains = [\"example.com\", \"@example.com\"]"), ["oidc.domains[1]"]);
    assert_eq!(faulty("default_role = \"admin\""), ["oidc.default_role"]);
    assert_eq!(faulty("name = \"a\\nb\""), ["oidc.name"]);
}

/// Nobody becomes a technician because of an account that the whole world can have.
#[test]
fn whom_technicians_are_made_of_is_said() {
    let anybody = "technician_groups = [\"it\"]\ndefault_role = \"technician\"";
    for wrong in ["", "domains = [\"example.com\"]", "default_role = \"technician\"", anybody] {
        assert_eq!(faulty(&format!("create = true\n{wrong}")), ["oidc.create"], "{wrong}");
    }
    let by_domain = oidc("create = true\ndomains = [\"Example.com\"]\ndefault_role = \"supervisor\"");
    assert_eq!(by_domain.role(&["any".into()]), Some(Role::Supervisor));
    for (email, takes) in [
        ("ana@example.com", true),
        ("ana@evil.test", false),
        ("ana@sub.example.com", false),
        ("\"ana@example.com\"@evil.test", false),
        ("ana@example.com.evil.test", false),
    ] {
        assert_eq!(by_domain.takes(email), takes, "{email}");
    }
    let by_group = oidc("create = true\nadmin_groups = [\"leads\"]\ntechnician_groups = [\"it\", \"leads\"]");
    let role = |groups: &[&str]| by_group.role(&groups.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(role(&["it", "leads"]), Some(Role::Admin));
    assert_eq!((role(&["it"]), role(&["IT"]), role(&[])), (Some(Role::Technician), None, None));
}
