//! HMAC for sites that come from elsewhere: `user.hash` at the session's opening.
//!
//! Not here: tokens (`s21_…` in the adapter), what a browser does with it (`browser`).

use std::sync::Arc;

use deskbridge_contract::Inbox;
use deskbridge_contract::suite::Recorder;
use serde_json::{Value, json};

use super::portal::{KEY, Portal};

#[tokio::test]
async fn a_hash_of_the_sites_key_vouches_for_its_id_and_nothing_else_does() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let before = "the-key-before-this-one-for-tests-0001";
    let mut portal = Portal::with(json!({ "previous_identity_key": before, "verified_only": true }));
    let recorder = Arc::new(Recorder::default());
    portal.open(Inbox::new("widget".into(), recorder.clone(), recorder)).await;
    let asked = async |user: Value| portal.post("session", &json!({ "user": user })).send().await.unwrap();
    let right = Portal::hash("maria", KEY);
    let answer =
        asked(json!({ "id": "maria", "hash": right, "name": "Maria", "email": "maria@example.com" })).await;
    assert_eq!(answer.status(), 200);
    let known: Value = answer.json().await.unwrap();
    assert_eq!(
        (&known["me"]["verified"], &known["me"]["name"], &known["me"]["email"]),
        (&json!(true), &json!("Maria"), &json!("maria@example.com"))
    );
    // The same person by the key before, and on another device; upper case is the same number.
    for hash in [Portal::hash("maria", before), right.to_uppercase()] {
        let again: Value = asked(json!({ "id": "maria", "hash": hash })).await.json().await.unwrap();
        assert_eq!(again["me"]["id"], known["me"]["id"]);
        assert_ne!(again["token"], known["token"]);
    }
    let cut = &right[..right.len() - 2];
    for (what, id, hash) in [
        ("of another id", "bob", right.as_str()),
        ("by another key", "maria", &Portal::hash("maria", "another-key-of-another-site-000000001")),
        ("cut", "maria", cut),
        ("one byte more", "maria", &format!("{right}00")),
        ("nothing", "maria", ""),
        ("no number", "maria", "zz"),
        ("nobody", "", &Portal::hash("", KEY)),
        ("an id without end", &"m".repeat(201), &Portal::hash(&"m".repeat(201), KEY)),
    ] {
        let refused = asked(json!({ "id": id, "hash": hash })).await;
        assert_eq!(refused.status(), 401, "{what}");
        let problem: Value = refused.json().await.unwrap();
        assert_eq!(problem["code"], "not-vouched", "{what}");
    }
    // An id alone is no proof, and no form of it is a session.
    assert_eq!(asked(json!({ "id": "maria" })).await.status(), 400, "missing");
    assert_eq!(asked(json!({ "id": "maria", "hash": null })).await.status(), 400, "null");
}
