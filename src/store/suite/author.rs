//! Somebody who makes up a history: requesters, technicians, a runtime, time; the same for the same seed.
//!
//! Not here: living through it again (`history`).

use std::time::Duration;

use deskbridge_contract::{ChannelName, Sent};
use deskbridge_conversation::{
    ConversationId, Gist, OfferTo, Outcome, Presence, RequesterEvent, RequesterVerb, TechnicianId,
    TicketStatus, TransferTo, Verb, Wish, timers,
};

use super::events::*;
use super::rig::{Rig, remote, text, thread};
use crate::job::TicketOp;
use crate::rows::*;
use crate::*;

#[derive(Clone, Debug)]
pub(super) enum Step {
    Do(Job),
    /// As `Do`, but not together with others. No outbox puts a delivery back for a retry, or sends to a thread that
    /// was just lost, in the very commit that cancels, releases or unlinks; there the order inside a batch would show.
    Alone(Job),
    Wait(Duration),
}

/// xorshift64*; the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % sides
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let at = self.roll(u64::try_from(of.len()).unwrap());
        &of[usize::try_from(at).unwrap()]
    }

    fn who(&mut self) -> u32 {
        u32::try_from(self.roll(7) + 1).unwrap()
    }
}

/// Lives through a history on one store and writes down what was done.
pub(super) struct Author {
    pub(super) rig: Rig,
    dice: Dice,
    pub(super) steps: Vec<Step>,
    /// Who wrote which message.
    written: Vec<(u32, String)>,
    next: u32,
}

/// Mallory is nobody's technician.
const TECHNICIANS: [&str; 4] = ["ana", "bob", "cem", "mallory"];

impl Author {
    pub(super) fn new(seed: u64, rig: Rig) -> Self {
        Author { rig, dice: Dice(seed), steps: Vec::new(), written: Vec::new(), next: 0 }
    }

    /// A morning's beginning: everybody is there.
    pub(super) async fn begin(&mut self) {
        let everybody: Vec<TechnicianId> =
            TECHNICIANS[..3].iter().map(|name| TechnicianId::from(*name)).collect();
        self.act(Job::Admin(Box::new(Admin::EnsureTechnicians(everybody.clone())))).await;
        for technician in everybody {
            let presence = Presence::Available;
            self.act(Job::Admin(Box::new(Admin::SetPresence { technician, presence }))).await;
        }
    }

    async fn act(&mut self, job: Job) {
        answer(&self.rig, job.clone()).await;
        self.steps.push(Step::Do(job));
    }

    async fn act_alone(&mut self, job: Job) {
        answer(&self.rig, job.clone()).await;
        self.steps.push(Step::Alone(job));
    }

    async fn apply(&mut self, apply: Apply) {
        self.act(Job::Apply(Box::new(apply))).await;
    }

    fn name(&mut self, what: &str) -> String {
        self.next += 1;
        format!("{what}{}", self.next)
    }

    pub(super) async fn step(&mut self) {
        match self.dice.roll(100) {
            0..22 => self.requester_writes().await,
            22..34 => self.requester_rewrites().await,
            34..38 => self.requester_presses().await,
            38..50 => self.technician_acts().await,
            50..56 => self.technician_speaks().await,
            56..62 => self.somebody_is_proposed().await,
            62..84 => {
                for _ in 0..self.dice.roll(16) {
                    self.a_lane_moves().await;
                }
            }
            84..88 => self.something_comes_again().await,
            88..94 => self.office_work().await,
            _ => self.time_passes().await,
        }
    }

    async fn requester_writes(&mut self) {
        let (who, id) = (self.dice.who(), self.name("m"));
        let wish = (self.dice.roll(6) == 0).then_some(Wish::Human);
        let gist = Gist { wish, wordless: self.dice.roll(20) == 0 };
        let what = RequesterEvent::Posted { remote: remote(&id), gist, reply_to: None };
        let words = text(&format!("words of {id}: O'Neil, \"ção\" \u{1f600}\n\\0"));
        self.written.push((who, id.clone()));
        self.apply(Apply { content: words, ..by_requester(who, &id, what) }).await;
    }

    async fn requester_rewrites(&mut self) {
        let Some((who, message)) = self.a_message() else { return };
        let id = self.name("e");
        let apply = match self.dice.roll(6) {
            0 => deleted(who, &id, &message),
            1 => edited(who, &id, &message, &format!("words of {message}")),
            2 => {
                let reply_id = id.clone();
                self.written.push((who, reply_id));
                reply(who, &id, &message, "this one")
            }
            3 => {
                let target = edited(who, &id, &message, "").refs;
                let what = RequesterEvent::Reacted { message: None, emoji: "👍".into(), added: true };
                Apply { refs: target, ..by_requester(who, &id, what) }
            }
            _ => edited(who, &id, &message, &format!("better words, {id}")),
        };
        self.apply(apply).await;
    }

    fn a_message(&mut self) -> Option<(u32, String)> {
        (!self.written.is_empty()).then(|| self.dice.pick(&self.written).clone())
    }

    async fn requester_presses(&mut self) {
        let (who, id) = (self.dice.who(), self.name("p"));
        let verbs = [
            RequesterVerb::Human,
            RequesterVerb::KeepAssistant,
            RequesterVerb::Yes,
            RequesterVerb::SameIssue,
            RequesterVerb::NewRequest,
            RequesterVerb::Status,
            RequesterVerb::Close,
            RequesterVerb::Rate { score: 4 },
        ];
        let verb = self.dice.pick(&verbs).clone();
        self.apply(pressed(who, &id, verb)).await;
    }

    async fn a_conversation(&mut self) -> Option<ConversationId> {
        let count = u64::try_from(self.rig.read.counts().await.unwrap().conversations).unwrap();
        (count > 0).then(|| ConversationId(i64::try_from(self.dice.roll(count) + 1).unwrap()))
    }

    async fn technician_acts(&mut self) {
        let Some(of) = self.a_conversation().await else { return };
        let who = *self.dice.pick(&TECHNICIANS);
        let id = self.name("c");
        let to = TransferTo::Technician { who: "bob".into(), available: true };
        let verbs = [
            Verb::Accept,
            Verb::Accept,
            Verb::Decline,
            Verb::Transfer { to },
            Verb::Invite { who: "cem".into() },
            Verb::Snooze { period: Duration::from_secs(300) },
            Verb::Handback,
            Verb::Resolve { silently: false },
            Verb::Reopen,
            Verb::Undo,
            Verb::TakeOver,
            Verb::Suggest,
            Verb::Info,
            Verb::Busy,
            Verb::On,
        ];
        let what = self.dice.pick(&verbs).clone();
        self.apply(verb(of, &id, who, what)).await;
    }

    async fn technician_speaks(&mut self) {
        let Some(of) = self.a_conversation().await else { return };
        let who = *self.dice.pick(&TECHNICIANS);
        let id = self.name("s");
        let in_room = self.dice.roll(2) == 0;
        let words = format!("try {id}");
        let apply = if in_room { said_in_thread(of, &id, who, &words) } else { said(of, &id, who, &words) };
        self.apply(apply).await;
    }

    async fn somebody_is_proposed(&mut self) {
        let waiting = self.rig.read.waiting(5).await.unwrap();
        let Some(of) = waiting.first() else { return };
        let who = *self.dice.pick(&TECHNICIANS[..3]);
        let mut apply = proposed(of, who, 2);
        if self.dice.roll(5) == 0 {
            apply.body =
                deskbridge_conversation::EventBody::Roster(deskbridge_conversation::RosterEvent::Proposed {
                    to: OfferTo::Everyone,
                });
            apply.guard = Some(Guard::Seq(of.seq));
        }
        self.apply(apply).await;
    }

    /// One in flight per lane, in order, as the outbox does it.
    async fn a_lane_moves(&mut self) {
        let open = self.rig.read.open_outbox(None, 10_000).await.unwrap();
        let mut heads: Vec<&OutboxRow> = Vec::new();
        for row in &open {
            if heads.iter().all(|head| head.lane != row.lane) {
                heads.push(row);
            }
        }
        if heads.is_empty() {
            return;
        }
        let row = (*self.dice.pick(&heads)).clone();
        if row.state == DeliveryState::Queued {
            let lease_until = self.rig.now() + Duration::from_secs(60);
            self.act(Job::Begin(Begin { effect: row.id, lease_until })).await;
            return;
        }
        let state = self.rig.state(row.conversation()).await;
        match self.dice.roll(20) {
            0 => {
                let not_before = Some(self.rig.now() + Duration::from_secs(3));
                let error = Some("429".to_owned());
                let back = Mark { not_before, error, ..marked(&row, DeliveryState::Queued) };
                self.act_alone(Job::Mark(back)).await;
            }
            5 | 6 if row.is_delivery() => {
                let shown = Sent::at(&thread(row.conversation()), Some(remote(self.name("part"))));
                let lease_until = self.rig.now() + Duration::from_secs(60);
                let before = row.shown.len();
                let message = match &row.effect {
                    deskbridge_conversation::Effect::Deliver(delivery) => delivery.op.message(),
                    _ => None,
                };
                let advance = Advance { effect: row.id, after: before, before, message, shown, lease_until };
                self.act_alone(Job::Advance(Box::new(advance))).await;
            }
            luck @ 1..=4 if row.is_delivery() => {
                let why = "bad luck".to_owned();
                let outcome = match luck {
                    1 => Outcome::Failed { why },
                    2 => Outcome::Unknown { why },
                    3 => Outcome::ThreadGone { why },
                    _ => Outcome::Gone { why },
                };
                self.act_alone(Job::Apply(Box::new(ended(&row, outcome)))).await;
            }
            _ => match end_well(&row, &state, self.rig.now()) {
                Some(apply) => self.apply(apply).await,
                None => self.act(Job::Mark(marked(&row, DeliveryState::Sent))).await,
            },
        }
    }

    /// A redelivery: of anything, at any time.
    async fn something_comes_again(&mut self) {
        let applies: Vec<Job> = self
            .steps
            .iter()
            .filter_map(|step| match step {
                Step::Do(job @ Job::Apply(_)) => Some(job.clone()),
                Step::Do(_) | Step::Alone(_) | Step::Wait(_) => None,
            })
            .collect();
        if !applies.is_empty() {
            let again = self.dice.pick(&applies).clone();
            self.act(again).await;
        }
    }

    async fn office_work(&mut self) {
        let name = self.name("x");
        let number = i64::try_from(self.dice.roll(6)).unwrap();
        let technician = TechnicianId::from(*self.dice.pick(&TECHNICIANS[..3]));
        let presences = [Presence::Available, Presence::Available, Presence::Busy, Presence::Offline];
        let admin = match self.dice.roll(9) {
            0 | 1 => Admin::SetPresence { technician, presence: *self.dice.pick(&presences) },
            2 => {
                Admin::PutShelf { channel: ChannelName::from("web"), key: format!("k{number}"), value: name }
            }
            3 => Admin::Quarantine { channel: ChannelName::from("web"), raw: vec![0, 255, 10], why: name },
            4 => Admin::Audit { by: Some(name), act: "looked".into(), conversation: Some(ConversationId(1)) },
            5 => Admin::Ticket(TicketOp::Create {
                key: format!("key{number}"),
                conversation: None,
                summary: name,
                description: String::new(),
                priority: 1,
                requester: "somebody".into(),
                technician: None,
            }),
            6 => Admin::Ticket(TicketOp::Comment {
                number,
                key: format!("comment{}", self.dice.roll(30)),
                author: "ana".into(),
                text: name,
                public: true,
            }),
            7 => Admin::Ticket(TicketOp::SetStatus {
                number,
                status: TicketStatus::Resolved,
                by: "ana".into(),
            }),
            _ => Admin::Ticket(TicketOp::Attach { number, blob: format!("b{number}"), name }),
        };
        self.act(Job::Admin(Box::new(admin))).await;
    }

    async fn time_passes(&mut self) {
        let by = Duration::from_secs(*self.dice.pick(&[1, 2, 2, 3, 3, 61, 61, 700, 700_000]));
        self.rig.advance(by);
        self.steps.push(Step::Wait(by));
        let policy = self.rig.policy.current();
        for (id, _) in self.rig.read.due(self.rig.now(), 10).await.unwrap() {
            let state = self.rig.state(id).await;
            if let Some((kind, due)) = timers::due(&state, &policy.policy, self.rig.now()) {
                self.apply(timer(id, kind, due)).await;
            }
        }
    }
}

/// What became of it is nobody's business here: all of it is in the export.
pub(super) async fn answer(rig: &Rig, job: Job) {
    match job {
        Job::Apply(apply) => drop(rig.writer.apply(*apply).await.unwrap()),
        Job::Begin(begin) => drop(rig.writer.begin(begin).await.unwrap()),
        Job::BeginJoint(begins) => drop(rig.writer.begin_joint(begins).await.unwrap()),
        Job::Advance(advance) => drop(rig.writer.advance(*advance).await.unwrap()),
        Job::Mark(mark) => drop(rig.writer.mark(mark).await.unwrap()),
        Job::Admin(admin) => drop(rig.writer.admin(*admin).await.unwrap()),
    }
}
