//! How fast may be sent, per account and per room: sliding windows from the adapter's limits table, overridden by what
//! the platform says in its answers.
//!
//! Not here: any platform's figures (the adapters' `limits()`), queueing (the outbox).

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use deskbridge_contract::{Address, Limits, OperationKind, Pace, RoomId};

/// One window after another; all must have room.
#[derive(Debug)]
struct Windows {
    paces: Vec<Pace>,
    /// When the latest operations were sent, oldest first; as many as the largest window counts.
    sent: VecDeque<Instant>,
    /// The platform said: not before.
    blocked: Option<Instant>,
}

impl Windows {
    fn new(paces: &[Pace]) -> Self {
        Windows { paces: paces.to_vec(), sent: VecDeque::new(), blocked: None }
    }

    /// When the next operation may go.
    fn free_at(&self, now: Instant) -> Instant {
        let mut free = self.blocked.filter(|at| *at > now).unwrap_or(now);
        for pace in &self.paces {
            let count = pace.count.max(1) as usize;
            if let Some(nth) = self.sent.len().checked_sub(count).and_then(|at| self.sent.get(at)) {
                free = free.max(*nth + pace.per);
            }
        }
        free
    }

    fn note(&mut self, now: Instant) {
        let keep = self.paces.iter().map(|pace| pace.count.max(1) as usize).max().unwrap_or(0);
        if keep == 0 {
            return;
        }
        self.sent.push_back(now);
        while self.sent.len() > keep {
            self.sent.pop_front();
        }
    }

    /// The next operation would have to wait, or the platform asked for a pause not long ago: its count is not ours.
    fn is_tight(&self, now: Instant) -> bool {
        let longest = self.paces.iter().map(|pace| pace.per).max().unwrap_or_default();
        self.free_at(now) > now || self.blocked.is_some_and(|until| until + longest > now)
    }

    fn is_idle(&self, now: Instant) -> bool {
        self.free_at(now) <= now
            && self.sent.back().is_none_or(|last| *last + Duration::from_secs(3600) < now)
    }
}

/// A room whose pace all its threads share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedRoom {
    /// What comes next would have to wait.
    pub is_tight: bool,
}

/// The pace of one account.
#[derive(Debug)]
pub struct Pacer {
    limits: Limits,
    account: Windows,
    rooms: HashMap<RoomId, Windows>,
    /// Credentials refused: nothing is sent until then (D34).
    paused: Option<Instant>,
}

impl Pacer {
    pub fn new(limits: Limits) -> Self {
        let account = Windows::new(&limits.account);
        Pacer { limits, account, rooms: HashMap::new(), paused: None }
    }

    fn counts(&self, kind: OperationKind) -> bool {
        self.limits.counted.is_empty() || self.limits.counted.contains(&kind)
    }

    fn room(&mut self, at: &Address) -> &mut Windows {
        let kind = self.limits.room_kind.and_then(|kind| kind(at));
        let paces = kind.and_then(|kind| self.limits.room_kinds.get(kind)).unwrap_or(&self.limits.room);
        self.rooms.entry(at.room.clone()).or_insert_with(|| Windows::new(paces))
    }

    /// `None` where posts are not joined (see [`Limits::shared`]).
    pub fn shared_room(&mut self, at: &Address, now: Instant) -> Option<SharedRoom> {
        let kind = self.limits.room_kind.and_then(|kind| kind(at))?;
        let shared = self.limits.shared.contains(&kind);
        shared.then(|| SharedRoom { is_tight: self.room(at).is_tight(now) })
    }

    /// When one may go at the earliest; nothing is counted. `None`: of a kind that is not known yet, which may be one that
    /// counts against nothing.
    pub fn free_at(&mut self, at: &Address, kind: Option<OperationKind>, now: Instant) -> Instant {
        let counts = kind.is_some_and(|kind| self.counts(kind));
        let mut free = self.paused.filter(|until| *until > now).unwrap_or(now);
        let room = self.room(at);
        free = free.max(if counts { room.free_at(now) } else { room.blocked.unwrap_or(now) });
        if counts {
            free = free.max(self.account.free_at(now));
        }
        free
    }

    /// `Ok`: it may go now, and is counted. `Err`: when to ask again.
    pub fn take(&mut self, at: &Address, kind: OperationKind, now: Instant) -> Result<(), Instant> {
        let counts = self.counts(kind);
        let free = self.free_at(at, Some(kind), now);
        if free > now {
            return Err(free);
        }
        if counts {
            self.room(at).note(now);
            self.account.note(now);
        }
        Ok(())
    }

    /// As [`Pacer::take`] for an operation with so many files: they go together, as a short burst.
    pub fn take_with_files(
        &mut self,
        at: &Address,
        kind: OperationKind,
        files: usize,
        now: Instant,
    ) -> Result<(), Instant> {
        self.take(at, kind, now)?;
        let messages = if self.limits.per_file { files.max(1) } else { 1 };
        // The first is counted.
        for _ in 1..messages {
            if self.counts(kind) {
                self.room(at).note(now);
                self.account.note(now);
            }
        }
        Ok(())
    }

    /// The platform asked for a pause in this room.
    pub fn block_room(&mut self, at: &Address, until: Instant) {
        let room = self.room(at);
        room.blocked = Some(room.blocked.map_or(until, |old| old.max(until)));
    }

    pub fn pause(&mut self, until: Instant) {
        self.paused = Some(until);
    }

    pub fn resume(&mut self) {
        self.paused = None;
    }

    /// Forgets rooms that nothing was sent to for an hour.
    pub fn tidy(&mut self, now: Instant) {
        self.rooms.retain(|_, windows| !windows.is_idle(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deskbridge_contract::ChannelName;
    use std::collections::BTreeMap;

    fn limits() -> Limits {
        fn kind(at: &Address) -> Option<&'static str> {
            at.room.0.starts_with('-').then_some("group")
        }
        Limits {
            account: vec![Pace { count: 30, per: Duration::from_secs(1) }],
            room: vec![Pace { count: 1, per: Duration::from_secs(1) }],
            room_kinds: BTreeMap::from([("group", vec![Pace { count: 20, per: Duration::from_secs(60) }])]),
            room_kind: Some(kind),
            counted: vec![OperationKind::Post],
            per_file: true,
            shared: vec!["group"],
        }
    }

    fn at(room: &str) -> Address {
        Address::room(&ChannelName::from("t"), room)
    }

    #[test]
    fn a_private_chat_gets_one_a_second_and_a_group_twenty_a_minute() {
        let mut pacer = Pacer::new(limits());
        let start = Instant::now();
        assert_eq!(pacer.take(&at("1"), OperationKind::Post, start), Ok(()));
        assert_eq!(pacer.take(&at("1"), OperationKind::Post, start), Err(start + Duration::from_secs(1)));
        assert_eq!(pacer.take(&at("2"), OperationKind::Post, start), Ok(()), "another room is not held up");
        for _ in 0..20 {
            assert_eq!(pacer.take(&at("-1"), OperationKind::Post, start), Ok(()));
        }
        assert_eq!(pacer.take(&at("-1"), OperationKind::Post, start), Err(start + Duration::from_secs(60)));
        assert_eq!(pacer.take(&at("-1"), OperationKind::Mark, start), Ok(()), "marks do not count");
    }

    #[test]
    fn the_platforms_word_is_obeyed_for_the_room_only() {
        let mut pacer = Pacer::new(limits());
        let start = Instant::now();
        pacer.block_room(&at("1"), start + Duration::from_secs(30));
        pacer.block_room(&at("1"), start + Duration::from_secs(5));
        assert_eq!(pacer.take(&at("1"), OperationKind::Mark, start), Err(start + Duration::from_secs(30)));
        assert_eq!(pacer.take(&at("2"), OperationKind::Post, start), Ok(()));
    }

    #[test]
    fn a_shared_room_is_tight_when_the_next_post_would_wait() {
        let mut pacer = Pacer::new(limits());
        let start = Instant::now();
        assert_eq!(pacer.take(&at("1"), OperationKind::Post, start), Ok(()));
        assert_eq!(pacer.shared_room(&at("1"), start), None, "a private chat shares nothing");
        for nth in 1..=20 {
            assert_eq!(pacer.take(&at("-1"), OperationKind::Post, start), Ok(()));
            assert_eq!(pacer.shared_room(&at("-1"), start), Some(SharedRoom { is_tight: nth == 20 }));
        }
        let (later, minute) = (start + Duration::from_secs(61), Duration::from_secs(60));
        assert_eq!(pacer.shared_room(&at("-1"), later), Some(SharedRoom { is_tight: false }));
        pacer.block_room(&at("-1"), later);
        let tight = |pacer: &mut Pacer, now| pacer.shared_room(&at("-1"), now).map(|room| room.is_tight);
        assert_eq!(tight(&mut pacer, later + minute / 2), Some(true), "asked for a pause just now");
        assert_eq!(tight(&mut pacer, later + minute), Some(false));
    }

    #[test]
    fn asking_when_counts_nothing() {
        let mut pacer = Pacer::new(limits());
        let start = Instant::now();
        let second = start + Duration::from_secs(1);
        for _ in 0..3 {
            assert_eq!(pacer.free_at(&at("1"), Some(OperationKind::Post), start), start);
        }
        assert_eq!(pacer.take(&at("1"), OperationKind::Post, start), Ok(()));
        assert_eq!(pacer.free_at(&at("1"), Some(OperationKind::Post), start), second);
        assert_eq!(pacer.free_at(&at("1"), None, start), start, "it may be a mark");
        pacer.block_room(&at("1"), second);
        assert_eq!(pacer.free_at(&at("1"), None, start), second);
        assert_eq!(pacer.free_at(&at("2"), None, start), start);
        pacer.pause(second + Duration::from_secs(1));
        assert_eq!(pacer.free_at(&at("2"), None, start), second + Duration::from_secs(1));
    }

    /// "Albums count per item."
    #[test]
    fn every_file_of_an_album_counts() {
        let mut pacer = Pacer::new(limits());
        let start = Instant::now();
        let album = |pacer: &mut Pacer| pacer.take_with_files(&at("-1"), OperationKind::Post, 10, start);
        assert_eq!(pacer.take(&at("-1"), OperationKind::Post, start), Ok(()));
        assert_eq!(album(&mut pacer), Ok(()));
        for _ in 0..9 {
            assert_eq!(pacer.take(&at("-1"), OperationKind::Post, start), Ok(()));
        }
        assert!(pacer.take(&at("-1"), OperationKind::Post, start).is_err(), "eleven and nine are twenty");
        let mut pacer = Pacer::new(Limits { per_file: false, ..limits() });
        assert_eq!(pacer.take(&at("-1"), OperationKind::Post, start), Ok(()));
        assert_eq!(album(&mut pacer), Ok(()));
        for _ in 0..18 {
            assert_eq!(pacer.take(&at("-1"), OperationKind::Post, start), Ok(()));
        }
        assert!(pacer.take(&at("-1"), OperationKind::Post, start).is_err());
    }

    #[test]
    fn the_account_limit_spans_rooms() {
        let mut pacer = Pacer::new(limits());
        let start = Instant::now();
        for n in 0..30 {
            assert_eq!(pacer.take(&at(&n.to_string()), OperationKind::Post, start), Ok(()));
        }
        assert_eq!(pacer.take(&at("99"), OperationKind::Post, start), Err(start + Duration::from_secs(1)));
    }
}
