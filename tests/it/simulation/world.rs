//! One town per schedule: platforms that outlive the bridge, and bridges that crash.
//!
//! Not here: what must hold afterwards (`invariants`).
//!
//! A life of the bridge is a runtime of its own. A crash drops that runtime, and every task with it, wherever it waits;
//! the next life begins with what was committed and with the platforms as they are.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use deskbridge::app::{Parts, Running, build_with};
use deskbridge::config::Config;
use deskbridge_contract::{Adapter, Address, ChannelName, Content, Pace, ThreadId, Timestamp};
use deskbridge_conversation::{Answer, RequesterId, TechnicianId};
use deskbridge_services::assistant::{Assistant, Progress, Reply, Request, Speaker, human};
use deskbridge_sim::{On, SimAdapter, Style, World};
use deskbridge_store::Export as _;
use deskbridge_store::memory::Memory;
use deskbridge_store::open::{Kind, Opened};
use deskbridge_store::writer::Clock;
use tokio::time::Instant;

use super::doubles::{Blow, Bug, Double, Entry, Journal, SAID, Strike, Watched};
use super::plan::{Crash, Plan, REQUESTERS, Side, Step, TECHNICIANS, Talk};
use crate::harness::START;

/// For retries of what failed at the end of a schedule; longer than any back-off that a schedule reaches.
const SETTLE: Duration = Duration::from_secs(5 * 60);

/// The clock on the wall: set by steps, and it goes on over crashes.
struct Wall {
    base: i64,
    began: Option<Instant>,
}

impl Wall {
    fn now(&self) -> i64 {
        let passed = self.began.map_or(Duration::ZERO, |began| began.elapsed());
        self.base + i64::try_from(passed.as_micros()).unwrap_or(i64::MAX)
    }
}

/// The desk's platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Desk {
    /// Threads under cards, no limits, can be read back.
    Roomy,
    /// Topics of one group that is paced so tightly that words have to share posts; nothing can be read back.
    Crowded,
}

impl Desk {
    /// As it takes to fill it.
    pub fn talk(self) -> Talk {
        match self {
            Desk::Roomy => Talk::OneByOne,
            Desk::Crowded => Talk::InBursts,
        }
    }

    /// What a delivery may wait for its room alone.
    pub fn longest_wait(self) -> Duration {
        match self {
            Desk::Roomy => Duration::ZERO,
            Desk::Crowded => Duration::from_secs(60),
        }
    }

    fn style(self) -> Style {
        match self {
            Desk::Roomy => Style::slack(),
            Desk::Crowded => {
                let mut style = Style::telegram();
                let pace = Pace { count: 4, per: Duration::from_secs(10) };
                style.limits.room_kinds = [("group", vec![pace])].into();
                style
            }
        }
    }
}

pub struct Town {
    pub kind: Desk,
    pub requesters: World,
    pub desk: World,
    pub store: Memory,
    pub journal: Journal,
    strike: Arc<Strike>,
    wall: Arc<Mutex<Wall>>,
    config: Config,
    bug: Bug,
    count: Arc<AtomicU64>,
    folder: tempfile::TempDir,
}

/// Answers after a while, so that turns are under way when people come.
struct Engine;

#[async_trait]
impl Assistant for Engine {
    async fn answer(&self, request: &Request, _progress: &dyn Progress) -> Reply {
        let last = request.lines.iter().rev().find(|line| line.by == Speaker::Requester);
        let text = last.map(|line| line.text.clone()).unwrap_or_default();
        let wait = text.bytes().map(u64::from).sum::<u64>() % 7;
        tokio::time::sleep(Duration::from_secs(wait)).await;
        let content = Content::text(format!("{SAID} “{text}”")).with_actions(vec![human("Talk to a human")]);
        Reply { answer: Answer::Said { cites: Vec::new() }, content: Some(content) }
    }

    async fn summarise(&self, request: &Request) -> String {
        format!("Summary of {} lines", request.lines.len())
    }

    async fn suggest(&self, _request: &Request, _to: &TechnicianId) -> Option<Content> {
        None
    }
}

/// `folder`: an empty one, so that no articles are read at every start.
fn config(undo: u64, folder: &Path) -> Config {
    crate::harness::config(&format!(
        r#"
[channels.telegram]
adapter = "sim"
[channels.slack]
adapter = "sim"
requesters = false
[channels.slack.desk]
room = "desk"
[desk]
undo_window = "{undo}s"
[assistant]
knowledge = "{}"
[[technicians]]
name = "Bob"
identities = ["slack:bob"]
[[technicians]]
name = "Cem"
identities = ["slack:cem"]
"#,
        folder.display()
    ))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime")
}

impl Town {
    pub fn new(undo: u64, bug: Bug, kind: Desk) -> Town {
        let wall = Arc::new(Mutex::new(Wall { base: START, began: None }));
        let folder = tempfile::tempdir().expect("a temporary folder");
        let world = |name: &str, style| World::new(ChannelName::from(name), style);
        let town = Town {
            kind,
            requesters: world("telegram", Style::telegram()),
            desk: world("slack", kind.style()),
            store: Memory::new(),
            journal: Journal::default(),
            strike: Arc::default(),
            wall,
            config: config(undo, folder.path()),
            bug,
            count: Arc::default(),
            folder,
        };
        for world in [&town.requesters, &town.desk] {
            world.set_clock(town.clock());
        }
        town
    }

    fn clock(&self) -> Clock {
        let wall = self.wall.clone();
        Arc::new(move || Timestamp(wall.lock().unwrap_or_else(PoisonError::into_inner).now()))
    }

    pub fn now(&self) -> Timestamp {
        (self.clock())()
    }

    /// Plays a schedule to its end, and then looks.
    pub fn play<T>(mut self, plan: Plan, look: impl AsyncFnOnce(&Town) -> T) -> T {
        let mut steps = plan.steps;
        while !steps.is_empty() {
            let life = runtime();
            life.block_on(self.live(&mut steps));
            drop(life);
            self.fall();
        }
        runtime().block_on(async {
            self.settle().await;
            look(&self).await
        })
    }

    /// Until the next crash, or until all is done.
    async fn live(&mut self, steps: &mut VecDeque<Step>) {
        self.set_off();
        let running = self.start().await;
        self.hand_in();
        let town = &*self;
        let play = async {
            while let Some(step) = steps.pop_front() {
                if let Step::Crash(Crash::Turns(turns)) = step {
                    for _ in 0..turns {
                        tokio::task::yield_now().await;
                    }
                    return;
                }
                town.step(step).await;
            }
            // What was started last is under way when this life ends, too.
            tokio::time::sleep(Duration::from_millis(700)).await;
        };
        tokio::select! {
            () = play => {}
            () = town.strike.fell.notified() => {}
        }
        self.stand_still();
        drop(running);
    }

    /// The wall's clock goes on from here in the next life.
    fn stand_still(&self) {
        let mut wall = self.wall.lock().unwrap_or_else(PoisonError::into_inner);
        wall.base = wall.now();
        wall.began = None;
    }

    fn set_off(&self) {
        let mut wall = self.wall.lock().unwrap_or_else(PoisonError::into_inner);
        wall.began = Some(Instant::now());
    }

    /// What a crash leaves: the committed rows, and platforms that lost their connection.
    fn fall(&mut self) {
        self.journal.note(Entry::Crash);
        self.strike.plan(None);
        self.strike = Arc::default();
        self.store = Memory::of(self.store.snapshot());
        for world in [&self.requesters, &self.desk] {
            world.cut();
        }
    }

    async fn start(&self) -> Running {
        let double = |world: &World| -> (ChannelName, Arc<dyn Adapter>) {
            let adapter = SimAdapter::over(world.clone());
            let is_paced = self.kind == Desk::Crowded && world.channel() == self.desk.channel();
            let double = Double {
                inner: Arc::new(if is_paced { adapter.with_limits() } else { adapter }),
                journal: self.journal.clone(),
                clock: self.clock(),
                bug: self.bug,
                count: self.count.clone(),
            };
            (world.channel().clone(), Arc::new(double))
        };
        let watched = Watched {
            inner: self.store.backend(),
            journal: self.journal.clone(),
            strike: self.strike.clone(),
            clock: self.clock(),
        };
        let opened = Opened {
            backend: Box::new(watched),
            read: Arc::new(self.store.clone()),
            export: Arc::new(self.store.clone()),
            kind: Kind::Sqlite,
        };
        let adapters: BTreeMap<_, _> = [double(&self.requesters), double(&self.desk)].into();
        let blobs = self.folder.path().join("blobs");
        let key = crate::harness::key();
        let parts = Parts { opened, adapters, blobs, key, clock: self.clock(), max_batch: 0 };
        build_with(&self.config, parts, Some(Arc::new(Engine))).await.expect("the bridge starts")
    }

    /// Platforms deliver again what was never acknowledged.
    fn hand_in(&self) {
        for world in [self.requesters.clone(), self.desk.clone()] {
            tokio::spawn(async move {
                while world.redeliver_unacknowledged().await.is_err() {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            });
        }
    }

    fn world(&self, side: Side) -> &World {
        match side {
            Side::Requesters => &self.requesters,
            Side::Desk => &self.desk,
        }
    }

    async fn step(&self, step: Step) {
        match step {
            Step::Say { who, canary } => self.say(who, format!("it does not work c{canary}x")),
            Step::AskForPeople { who } => self.say(who, "I want to talk to a human".to_owned()),
            Step::Desk { who, thread, words } => self.at_desk(TECHNICIANS[who], thread, words),
            Step::Presence { who, word } => {
                let (world, at) = (self.desk.clone(), self.desk.room("desk"));
                tokio::spawn(async move { world.say(TECHNICIANS[who], &at, word).await });
            }
            Step::Redeliver { side, pick } => {
                let (world, count) = (self.world(side).clone(), self.world(side).events().len() as u64);
                if count > 0 {
                    tokio::spawn(async move { world.redeliver(pick % count + 1).await });
                }
            }
            Step::Fault { side, kind, fault, times } => {
                let on = kind.map_or_else(On::anything, On::kind);
                self.world(side).fail_times(on, fault, times);
            }
            Step::Release => [&self.requesters, &self.desk].into_iter().for_each(World::release),
            Step::Credentials { side, refused } => self.world(side).refuse_credentials(refused),
            Step::RefuseCommit => self.strike.plan(Some(Blow::Refuse)),
            Step::Crash(crash) => self.strike.plan(Some(Blow::Crash(crash))),
            Step::Clock(seconds) => {
                let mut wall = self.wall.lock().unwrap_or_else(PoisonError::into_inner);
                wall.base += seconds * 1_000_000;
            }
            Step::Wait(time) => tokio::time::sleep(time).await,
        }
    }

    fn say(&self, who: u64, words: String) {
        let world = self.requesters.clone();
        tokio::spawn(async move {
            let user = format!("u{who}");
            world.say(&user, &world.direct(&user), &words).await
        });
    }

    /// In one of the threads, where there is one.
    fn at_desk(&self, who: &'static str, pick: u64, words: String) {
        let (world, room) = (self.desk.clone(), self.desk.room("desk"));
        let threads: Vec<ThreadId> =
            world.threads(&room).into_iter().filter(|thread| !thread.deleted).map(|t| t.id).collect();
        let Some(last) = threads.len().checked_sub(1) else { return };
        // The younger ones more often: older ones are of conversations that are over.
        let back = usize::try_from(pick).unwrap_or_default().min(last);
        let at = Address { thread: Some(threads[last - back].clone()), ..room };
        tokio::spawn(async move { world.say(who, &at, &words).await });
    }

    /// Erases every requester, with the store refusing a commit in between; then the platform says everything once more.
    /// What is stored afterwards.
    pub async fn erase_everybody(&self) -> String {
        let running = self.start().await;
        for who in 0..REQUESTERS {
            let requester = RequesterId(format!("telegram:u{who}"));
            self.strike.plan(Some(Blow::Refuse));
            for once in ["first", "second", "third"] {
                // Cut at one commit or another; asked again, it goes on.
                if running.bridge.erase(&requester, None, &format!("{who}-{once}")).await.is_ok() {
                    break;
                }
            }
        }
        for number in 1..=self.requesters.events().len() as u64 {
            let _ = self.requesters.redeliver(number).await;
        }
        tokio::time::sleep(SETTLE).await;
        let mut export = Vec::new();
        self.store.export(&mut export).await.expect("exported");
        String::from_utf8(export).expect("text")
    }

    /// Everything heals, and there is time for what is due.
    async fn settle(&self) {
        self.set_off();
        let _running = self.start().await;
        for world in [&self.requesters, &self.desk] {
            world.heal();
            world.refuse_credentials(false);
            world.release();
        }
        self.hand_in();
        tokio::time::sleep(SETTLE).await;
    }
}
