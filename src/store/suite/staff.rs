//! Accounts, logins, and what people keep.
//!
//! Not here: passwords, who may see what.

use std::time::Duration;

use deskbridge_conversation::TechnicianId;

use super::rig::{Fresh, Rig, START};
use crate::job::{Admin, AdminDone};
use crate::rows::{AccountRow, KeptRow, LoginKind, LoginRow};

fn account(technician: &str, login: &str) -> AccountRow {
    AccountRow {
        technician: TechnicianId::from(technician),
        login: login.to_owned(),
        password: Some(format!("password-of-{technician}")),
        disabled: false,
        created: START,
        changed: START,
    }
}

fn login(sha256: &str, kind: LoginKind, technician: Option<&str>, good_for: u64) -> LoginRow {
    LoginRow {
        sha256: sha256.to_owned(),
        kind,
        technician: technician.map(TechnicianId::from),
        created: START,
        seen: START,
        expires: START + Duration::from_secs(good_for),
    }
}

pub(super) async fn accounts_and_logins_are_found(place: Fresh) {
    let rig = Rig::start(&place).await;
    let (ana, bob) = (account("ana", "ana@example.com"), account("bob", "bob@example.com"));
    for one in [&bob, &ana] {
        rig.writer.admin(Admin::PutAccount(one.clone())).await.unwrap();
    }
    let new = AccountRow { password: None, disabled: true, ..bob.clone() };
    rig.writer.admin(Admin::PutAccount(new.clone())).await.unwrap();
    assert_eq!(rig.read.accounts().await.unwrap(), [ana.clone(), new.clone()]);
    assert_eq!(rig.read.account(&bob.technician).await.unwrap(), Some(new));
    assert_eq!(rig.read.account_by_login("ana@example.com").await.unwrap(), Some(ana.clone()));
    assert_eq!(rig.read.account_by_login("Ana@example.com").await.unwrap(), None);

    let session = login("s1", LoginKind::Session, Some("ana"), 60);
    let link = login("l1", LoginKind::Link, None, 30);
    let begun = login("o1", LoginKind::Oidc, None, 600);
    for one in [&session, &link, &begun] {
        rig.writer.admin(Admin::PutLogin(one.clone())).await.unwrap();
    }
    let seen = LoginRow { seen: START + Duration::from_secs(9), ..session.clone() };
    rig.writer.admin(Admin::PutLogin(seen.clone())).await.unwrap();
    assert_eq!(rig.read.login("s1").await.unwrap(), Some(seen.clone()));
    assert_eq!(rig.read.logins_of(&TechnicianId::from("ana")).await.unwrap(), std::slice::from_ref(&seen));
    let later = |seconds| START + Duration::from_secs(seconds);
    assert_eq!(rig.read.logins_expired(later(29), 9).await.unwrap(), []);
    assert_eq!(rig.read.logins_expired(later(60), 9).await.unwrap(), [link.clone(), seen]);
    assert_eq!(rig.read.logins_expired(later(60), 1).await.unwrap(), [link]);
    rig.writer.admin(Admin::EndLogins(vec!["s1".into(), "unknown".into()])).await.unwrap();
    assert_eq!(rig.read.login("s1").await.unwrap(), None);
    assert_eq!(rig.read.login("o1").await.unwrap(), Some(begun));
    let key = rig.read.fingerprint_key().await.unwrap();
    assert!(key.len() > 20 && key == rig.read.fingerprint_key().await.unwrap());
    let exported = rig.exported().await;
    assert!(
        !exported.contains("password-of") && !exported.contains("l1\"") && !exported.contains(&key),
        "exports omit accounts and logins"
    );
    rig.end().await;
}

pub(super) async fn what_is_kept_can_be_dropped(place: Fresh) {
    let rig = Rig::start(&place).await;
    let row = |owner: &str, key: &str, value: Option<&str>| KeptRow {
        kind: "canned".into(),
        owner: owner.into(),
        key: key.into(),
        value: value.map(str::to_owned),
        updated: START,
    };
    for (owner, key, value) in
        [("", "b", "1"), ("", "a", "{\"x\":\"\\u0000\"}"), ("ana", "a", "3"), ("", "b", "4")]
    {
        rig.writer.admin(Admin::Keep(row(owner, key, Some(value)))).await.unwrap();
    }
    let values = async |owner: &str| {
        let rows = rig.read.kept("canned", owner).await.unwrap();
        rows.into_iter().map(|row| (row.key, row.value.unwrap())).collect::<Vec<_>>()
    };
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(values("").await, [pair("a", "{\"x\":\"\\u0000\"}"), pair("b", "4")]);
    assert_eq!(values("ana").await, [pair("a", "3")]);
    assert_eq!(rig.read.kept("other", "").await.unwrap(), []);
    let one = rig.read.kept_one("canned", "ana", "a").await.unwrap().unwrap();
    assert_eq!(one.value.as_deref(), Some("3"));
    rig.writer.admin(Admin::Keep(row("", "a", None))).await.unwrap();
    assert_eq!(values("").await, [pair("b", "4")]);
    assert_eq!(values("ana").await, [pair("a", "3")]);
    rig.end().await;
}

/// Also over several nodes, where the store can have them.
pub(super) async fn of_many_who_replace_the_same_one_does(place: Fresh) {
    let rig = Rig::start(&place).await;
    let other = if place.folder().is_none() { Some(Rig::start(&place).await) } else { None };
    let row = |value: Option<String>| KeptRow {
        kind: "factor".into(),
        owner: "ana".into(),
        key: "totp".into(),
        value,
        updated: START,
    };
    let swap = |before: Option<&str>, value: Option<String>| Admin::Swap {
        before: before.map(str::to_owned),
        row: row(value),
    };
    let stored = async || rig.read.kept_one("factor", "ana", "totp").await.unwrap().and_then(|row| row.value);
    let mut before: Option<String> = None;
    for round in 0..4 {
        let nodes = [Some(&rig), other.as_ref()];
        let all = nodes.into_iter().flatten().flat_map(|node| (0..20).map(move |n| (node, n)));
        let tries = all.enumerate().map(|(nr, (node, n))| {
            let value = format!("\"{round}-{nr}-{n}\"");
            let admin = swap(before.as_deref(), Some(value.clone()));
            async move { (node.writer.admin(admin).await.unwrap(), value) }
        });
        let done = futures_util::future::join_all(tries).await;
        let won: Vec<&String> =
            done.iter().filter(|(done, _)| *done == AdminDone::Done).map(|(_, value)| value).collect();
        assert_eq!(won.len(), 1, "round {round}");
        assert!(done.iter().all(|(done, _)| matches!(done, AdminDone::Done | AdminDone::Unknown)));
        assert_eq!(stored().await.as_ref(), Some(won[0]));
        before = stored().await;
    }
    let now = before.expect("a value");
    assert_eq!(rig.writer.admin(swap(None, Some("\"x\"".into()))).await.unwrap(), AdminDone::Unknown);
    assert_eq!(rig.writer.admin(swap(Some("\"x\""), None)).await.unwrap(), AdminDone::Unknown);
    // Within a batch, one after another.
    let (first, second, third, fourth) = tokio::join!(
        rig.writer.admin(swap(Some(&now), Some("\"a\"".into()))),
        rig.writer.admin(Admin::Keep(row(Some("\"b\"".into())))),
        rig.writer.admin(swap(Some("\"a\""), Some("\"c\"".into()))),
        rig.writer.admin(swap(Some("\"b\""), Some("\"d\"".into()))),
    );
    assert_eq!(
        (first.unwrap(), second.unwrap(), third.unwrap(), fourth.unwrap()),
        (AdminDone::Done, AdminDone::Done, AdminDone::Unknown, AdminDone::Done)
    );
    assert_eq!(stored().await.as_deref(), Some("\"d\""));
    assert_eq!(rig.writer.admin(swap(Some("\"d\""), None)).await.unwrap(), AdminDone::Done);
    assert_eq!(stored().await, None);
    if let Some(other) = other {
        other.end().await;
    }
    rig.end().await;
}
