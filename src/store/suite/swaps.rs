//! Values of a shelf that are written only where they are what was read; and which messages a room has.
//!
//! Not here: plain writes (`rows`).

use futures_util::future::join_all;

use super::events::*;
use super::rig::{Fresh, Rig, home, remote, web};
use crate::*;

fn swap(expected: Option<&str>, value: &str) -> Admin {
    let (channel, key) = (web(), "lease".to_owned());
    Admin::SwapShelf { channel, key, expected: expected.map(str::to_owned), value: value.to_owned() }
}

async fn kept(rig: &Rig) -> Option<String> {
    rig.read.shelf(&web(), "lease").await.unwrap()
}

/// One of many wins, also where they are of two processes that share the store.
pub(super) async fn a_value_is_swapped_once(place: Fresh) {
    let rig = Rig::start(&place).await;
    // A file has one process.
    let other = if place.folder().is_none() { Some(Rig::start(&place).await) } else { None };
    for (nth, expected) in [None, Some("first".to_owned())].into_iter().enumerate() {
        let writers = [&rig, other.as_ref().unwrap_or(&rig)];
        let all = (0..40).map(|number| {
            let job = swap(expected.as_deref(), &format!("{nth}.{number}"));
            writers[number % 2].writer.admin(job)
        });
        let done = join_all(all).await;
        let won: Vec<usize> = (0..40).filter(|number| done[*number] == Ok(AdminDone::Done)).collect();
        assert_eq!(won.len(), 1, "{done:?}");
        assert!(done.iter().all(Result::is_ok), "{done:?}");
        assert_eq!(kept(&rig).await, Some(format!("{nth}.{}", won[0])));
        let first = swap(kept(&rig).await.as_deref(), "first");
        assert_eq!(rig.writer.admin(first).await, Ok(AdminDone::Done));
    }
    if let Some(other) = other {
        other.end().await;
    }
    rig.end().await;
}

/// What came before in the same batch is what is compared.
pub(super) async fn in_one_batch_order_counts(place: Fresh) {
    let rig = Rig::start(&place).await;
    let put = |value: &str| Admin::PutShelf { channel: web(), key: "lease".into(), value: value.into() };
    let drop = || Admin::DropShelf { channel: web(), keys: vec!["lease".into()] };
    let jobs = [
        (swap(Some("a"), "b"), AdminDone::Unknown),
        (swap(None, "a"), AdminDone::Done),
        (swap(None, "x"), AdminDone::Unknown),
        (swap(Some("a"), "b"), AdminDone::Done),
        (put("c"), AdminDone::Done),
        (swap(Some("b"), "x"), AdminDone::Unknown),
        (swap(Some("c"), "d"), AdminDone::Done),
        (drop(), AdminDone::Done),
        (swap(Some("d"), "x"), AdminDone::Unknown),
        (swap(None, "e"), AdminDone::Done),
    ];
    let done = join_all(jobs.iter().map(|(job, _)| rig.writer.admin(job.clone()))).await;
    for ((job, expected), done) in jobs.iter().zip(done) {
        assert_eq!(done, Ok(*expected), "{job:?}");
    }
    assert_eq!(kept(&rig).await.as_deref(), Some("e"));
    rig.end().await;
}

pub(super) async fn messages_of_a_room_are_found(place: Fresh) {
    let rig = Rig::start(&place).await;
    for (who, id) in [(1, "10"), (1, "11"), (2, "12"), (1, "13"), (1, "14")] {
        rig.done(posted(who, id, "words")).await;
    }
    let between = async |after: &str, until: &str, limit: u32| -> Vec<String> {
        let room = home(1).room;
        let found = rig.read.links_between(&web(), &room, &remote(after), &remote(until), limit).await;
        found.unwrap().into_iter().map(|link| link.remote.0).collect()
    };
    assert_eq!(between("10", "13", 9).await, ["11", "13"]);
    assert_eq!(between("", "99", 2).await, ["10", "11"]);
    assert!(between("13", "13", 9).await.is_empty());
    assert!(between("14", "10", 9).await.is_empty());
    rig.end().await;
}
