//! The core under random events: it never panics, never loops, forgets nobody, and tells nobody what is not for them.
//!
//! Not here: what the rules are (the talks). The generated worlds are small, so that what fails shrinks to a few events.

mod acts;
mod world;

use deskbridge_conversation::{
    CancelWhat, Conversation, Effect, Event, EventBody, Made, Policy, SessionRole, step, timers,
};
use proptest::prelude::*;

use acts::{Act, any_act, any_body};
use world::Witness;

/// Due clocks at one instant after which everything must be quiet.
const SETTLES: usize = 8;

proptest! {
    #![proptest_config(config())]

    /// Any event at all, however nonsensical, is survived, counted once, kept and read back as it was.
    #[test]
    fn any_event_is_survived(policy in world::any_policy(), bodies in prop::collection::vec(any_body(), 0..40)) {
        let mut conversation = world::opened();
        for (n, body) in bodies.into_iter().enumerate() {
            let event = world::event(world::at(n as u64 * 7), body, None);
            let (after, _) = checked_step(&conversation, &event, &policy)?;
            conversation = after;
        }
    }

    /// Events as they come about: results belong to effects, clocks fire when they are due.
    #[test]
    fn promises_are_kept(policy in world::any_policy(), acts in prop::collection::vec(any_act(), 0..60)) {
        let mut history = History::new();
        for act in &acts {
            history.play(act, &policy)?;
        }
        // Whatever happened: nothing is due for ever.
        history.pass(40 * 24 * 3600);
        history.fire(&policy)?;
        history.replay(&policy)?;
    }
}

/// At least 384 cases; `PROPTEST_CASES` asks for more. A failure is shown whole, so nothing is written beside the sources.
fn config() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.max(384), failure_persistence: None, ..usual }
}

/// One step with everything that must hold of any step.
fn checked_step(
    before: &Conversation,
    event: &Event,
    policy: &Policy,
) -> Result<(Conversation, Made), TestCaseError> {
    let kept = serde_json::to_string(event).expect("an event can be kept");
    prop_assert_eq!(event, &serde_json::from_str::<Event>(&kept).expect("and read"));
    let (after, made) = step(before.clone(), event, policy);
    prop_assert_eq!(after.seq, before.seq + 1);
    let kept = serde_json::to_string(&after).expect("a conversation can be kept");
    prop_assert_eq!(&after, &serde_json::from_str::<Conversation>(&kept).expect("and read"));
    let mut occupied = after.occupies();
    occupied.sort();
    occupied.dedup();
    prop_assert_eq!(occupied.len(), after.occupies().len(), "somebody is counted twice");
    let (again, made_again) = step(before.clone(), event, policy);
    prop_assert_eq!((&again, &made_again), (&after, &made), "the same event came to something else");
    if let EventBody::Bystander { .. } = &event.body {
        decides_nothing(before, &after, &made)?;
    }
    Ok((after, made))
}

/// Whatever somebody else does at the requester's place: words are shown, and nothing else comes of it.
fn decides_nothing(before: &Conversation, after: &Conversation, made: &Made) -> Result<(), TestCaseError> {
    let (seq, clocks) = (before.seq, before.clocks.clone());
    let mut same = Conversation { seq, clocks, ..after.clone() };
    for (session, old) in same.sessions.iter_mut().zip(&before.sessions) {
        if let (SessionRole::Desk { shown, .. }, SessionRole::Desk { shown: was, .. }) =
            (&mut session.role, &old.role)
        {
            *shown = *was;
        }
    }
    prop_assert_eq!(&same, before);
    for (_, effect) in &made.effects {
        let harmless = matches!(effect, Effect::Deliver(_) | Effect::Cancel { what: CancelWhat::Message(_) });
        prop_assert!(harmless, "{effect:?}");
    }
    Ok(())
}

/// A conversation with all that happened to it.
struct History {
    conversation: Conversation,
    now: u64,
    events: Vec<(Event, Made)>,
    witness: Witness,
}

impl History {
    fn new() -> Self {
        History { conversation: world::opened(), now: 0, events: Vec::new(), witness: Witness::default() }
    }

    fn pass(&mut self, seconds: u64) {
        self.now += seconds;
    }

    fn play(&mut self, act: &Act, policy: &Policy) -> Result<(), TestCaseError> {
        match act {
            Act::Pass(seconds) => {
                self.pass(u64::from(*seconds));
                self.fire(policy)
            }
            Act::Wait => {
                if let Some(at) = timers::wake_at(&self.conversation, policy) {
                    self.now = self.now.max(world::seconds_until(at));
                }
                self.fire(policy)
            }
            Act::Happens { body, closed } => self.happens(body.clone(), *closed, policy),
            Act::Answered { answer } => {
                let turn = self.conversation.turn;
                self.happens(acts::answered(turn, answer.clone()), false, policy)
            }
            Act::Ends { which, outcome } => match self.witness.delivery(*which) {
                Some((id, delivery)) => self.happens(acts::ended(id, &delivery, *outcome), false, policy),
                None => Ok(()),
            },
        }
    }

    fn happens(&mut self, body: EventBody, closed: bool, policy: &Policy) -> Result<(), TestCaseError> {
        let now = world::at(self.now);
        let event = world::event(now, body, closed.then(|| world::at(self.now + 3600)));
        let (after, made) = checked_step(&self.conversation, &event, policy)?;
        self.witness.saw(&self.conversation, &event, &after, &made)?;
        self.conversation = after;
        self.events.push((event, made));
        Ok(())
    }

    /// Every clock that is due; each one fires once, and they come to an end.
    fn fire(&mut self, policy: &Policy) -> Result<(), TestCaseError> {
        let now = world::at(self.now);
        for _ in 0..SETTLES {
            let Some((kind, due)) = timers::due(&self.conversation, policy, now) else { return Ok(()) };
            self.happens(EventBody::Timer { kind, due }, false, policy)?;
            let next = timers::due(&self.conversation, policy, now);
            prop_assert_ne!(next, Some((kind, due)), "the same clock is due again");
        }
        let left = timers::due(&self.conversation, policy, now);
        prop_assert_eq!(left, None, "clocks without an end");
        Ok(())
    }

    fn replay(&self, policy: &Policy) -> Result<(), TestCaseError> {
        let mut conversation = world::opened();
        for (event, made) in &self.events {
            let (after, made_again) = step(conversation, event, policy);
            prop_assert_eq!(&made_again, made);
            conversation = after;
        }
        prop_assert_eq!(&conversation, &self.conversation);
        Ok(())
    }
}
