//! The smallest [`Subject`]: the simulated platform is the fake, so each method is a line or two.
//!
//! Not here: the clauses; and signatures and configuration, which the simulator has none of.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use deskbridge_contract::suite::*;
use deskbridge_contract::*;
use deskbridge_sim::{BRIDGE, Fault, On, RawFate, SimAdapter, SimError, Style, World, translate};

use super::broken::{Broken, Bug};

pub struct SimSubject {
    world: World,
    adapter: Arc<dyn Adapter>,
    bug: Option<Bug>,
    raw: Arc<Mutex<BTreeMap<String, bool>>>,
}

impl SimSubject {
    pub fn new(style: Style, bug: Option<Bug>) -> Self {
        let sim = Arc::new(SimAdapter::new("sim".into(), style));
        let world = sim.world();
        let adapter: Arc<dyn Adapter> = match bug {
            Some(bug) => Arc::new(Broken::new(sim, bug)),
            None => sim,
        };
        SimSubject { world, adapter, bug, raw: Arc::default() }
    }

    async fn act(world: World, act: Act) -> Result<deskbridge_sim::Pushed, SimError> {
        let home = world.direct("maria");
        match act {
            Act::Say { at, text, reply_to } => world.post("maria", &at, Content::text(text), reply_to).await,
            Act::Edit { at, message, text } => world.edit("maria", &at, &message, &text).await,
            Act::Delete { at, message } => world.delete("maria", &at, &message).await,
            Act::React { at, message, emoji, on } => world.react("maria", &at, &message, emoji, on).await,
            Act::Press { at, message, action } => world.press("maria", &at, &message, &action).await,
            Act::Start { payload } => world.start("maria", payload.as_deref()).await,
            Act::Type { at } => world.type_something("maria", &at).await,
            Act::Read { at, message } => world.read("maria", &at, &message).await,
            Act::Leave => world.leave("maria", &home).await,
            Act::Return => world.come_back("maria", &home).await,
            Act::CloseThread { at } => world.change_thread("maria", &at, ThreadChange::Closed).await,
            Act::ReopenThread { at } => world.change_thread("maria", &at, ThreadChange::Reopened).await,
        }
    }

    fn is_heard(&self, act: &Act) -> bool {
        let caps = &self.world.style().capabilities;
        match act {
            Act::Edit { .. } => caps.hears_edits,
            Act::Delete { .. } => caps.hears_deletes,
            Act::React { .. } => caps.hears_reactions,
            Act::Read { .. } => caps.hears_reads,
            _ => true,
        }
    }

    fn deliver(&self, handle: &str, payload: Vec<u8>) {
        let (world, raw, handle) = (self.world.clone(), self.raw.clone(), handle.to_owned());
        tokio::spawn(async move {
            let fate = world.deliver_raw(&payload).await;
            let answered = matches!(fate, Ok(RawFate::Pushed(_) | RawFate::Own | RawFate::Quarantined(_)));
            raw.lock().unwrap().insert(handle, answered);
        });
    }
}

#[async_trait]
impl Subject for SimSubject {
    fn name(&self) -> String {
        format!("sim as {}", self.world.style().name)
    }

    fn adapter(&self) -> Arc<dyn Adapter> {
        self.adapter.clone()
    }

    fn exempt(&self) -> Vec<(Clause, &'static str)> {
        let mut exempt = Vec::new();
        if self.bug != Some(Bug::TakesUnknownKeys) {
            exempt.push((Clause::C11, "the simulator has no configuration"));
        }
        if self.bug != Some(Bug::TakesForgeries) {
            exempt.push((Clause::C14, "calls within one process carry no signatures"));
        }
        exempt
    }

    fn home(&self) -> Address {
        self.world.direct("maria")
    }

    fn desk(&self) -> Option<Address> {
        let threads = self.world.style().capabilities.threads != ThreadStyle::None;
        threads.then(|| self.world.room("it-desk"))
    }

    async fn start(&mut self, inbox: Inbox) {
        drop(self.adapter.clone().intake(inbox));
    }

    async fn cause(&mut self, act: &Act) -> Option<Caused> {
        if !self.is_heard(act) {
            Self::act(self.world.clone(), act.clone()).await.unwrap();
            return None;
        }
        let before = self.world.events().len();
        // The push may be held, so nobody waits for it here.
        tokio::spawn(Self::act(self.world.clone(), act.clone()));
        self.world.until(|w| w.events().len() > before).await;
        let event = self.world.events().remove(before);
        Some(Caused { handle: event.number.to_string(), at: Some(event.inbound.at) })
    }

    async fn redeliver(&mut self, caused: &Caused) {
        let (world, number) = (self.world.clone(), caused.handle.parse().unwrap());
        tokio::spawn(async move { world.redeliver(number).await });
    }

    async fn acknowledged(&mut self, caused: &Caused) -> bool {
        match caused.handle.parse::<usize>() {
            Ok(number) => self.world.events()[number - 1].acknowledged,
            Err(_) => self.raw.lock().unwrap().get(&caused.handle) == Some(&true),
        }
    }

    async fn settle(&mut self) {
        // One thread runs everything: after a few turns nobody has anything left to do.
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }

    async fn echo(&mut self, sent: &Sent) -> bool {
        let event = Inbound {
            id: "echo".into(),
            at: Timestamp::EPOCH,
            from: self.world.person(BRIDGE),
            address: sent.address.clone(),
            event: InboundEvent::Posted {
                message: sent.message.clone().unwrap(),
                content: Content::text("said by the bridge"),
                reply_to: None,
            },
            interaction: None,
        };
        self.deliver("echo", serde_json::to_vec(&event).unwrap());
        true
    }

    async fn deliver_raw(&mut self, payload: &[u8]) -> Option<Caused> {
        self.deliver("raw", payload.to_vec());
        Some(Caused { handle: "raw".into(), at: None })
    }

    async fn forge(&mut self, _: Forgery) -> Option<Verdict> {
        Some(Verdict::Taken)
    }

    fn fixtures(&self) -> Vec<Fixture> {
        let message = r#""message":"m1""#;
        let content = r#""content":{"text":"hi","attachments":[{"name":"a.png","mime":"image/png","size":3,"kind":"image","source":{"remote":"f1"}}]}"#;
        let events = [
            format!(r#"{{"posted":{{{message},{content},"reply_to":null}}}}"#),
            format!(r#"{{"edited":{{{message},{content}}}}}"#),
            format!(r#"{{"deleted":{{{message}}}}}"#),
            format!(r#"{{"reacted":{{{message},"emoji":"👍","added":true}}}}"#),
            format!(r#"{{"invoked":{{"action":"accept","value":null,{message}}}}}"#),
            r#"{"started":{"payload":null}}"#.to_owned(),
            r#""typing""#.to_owned(),
            r#"{"read":{"up_to":"m1"}}"#.to_owned(),
            r#""left""#.to_owned(),
            r#"{"thread-changed":{"change":"closed"}}"#.to_owned(),
        ];
        let whole = |(n, event): (usize, String)| {
            Fixture {
            name: format!("event {n}"),
            payload: format!(
                r#"{{"id":"s1","at":1,"from":{{"id":"maria","kind":"human"}},"address":{{"channel":"sim","room":"dm-maria"}},"event":{event}}}"#
            )
            .into_bytes(),
        }
        };
        events.into_iter().enumerate().map(whole).collect()
    }

    fn translate(&self, payload: &[u8]) -> Translated {
        if self.bug == Some(Bug::PanicsOnNull) {
            assert!(!payload.windows(10).any(|w| w == br#""from":null"#.get(..10).unwrap()), "planted");
        }
        match translate(payload) {
            Ok(Some(_)) => Translated::Events(1),
            Ok(None) => Translated::Ignored,
            Err(why) => Translated::Fault(why),
        }
    }

    async fn shown(&mut self, at: &Address) -> Vec<Shown> {
        let show = |m: deskbridge_sim::Message| Shown {
            message: Some(m.id),
            text: m.content.text,
            buttons: m.content.actions.into_iter().map(|a| a.label).collect(),
            reactions: m.reactions.into_iter().map(|r| r.emoji).collect(),
            pings: Vec::new(),
            links: Vec::new(),
        };
        self.world.messages(at).into_iter().filter(|m| !m.deleted).map(show).collect()
    }

    async fn break_sends(&mut self, how: &Breakage) -> bool {
        let fault = match how {
            Breakage::RateLimited { after } => Fault::Retry { after: Some(*after) },
            Breakage::ServerError => Fault::Ambiguous { effect: false },
            Breakage::NoAnswer => Fault::Ambiguous { effect: true },
            Breakage::NoConnection => Fault::Retry { after: None },
            Breakage::BadCredentials => Fault::Unauthorized,
            Breakage::Blocked => Fault::Gone,
            Breakage::ThreadDeleted => Fault::ThreadGone,
            Breakage::BadFormatting => Fault::Rejected { fixable: true },
            Breakage::RoomMoved { to } => Fault::Moved { to: to.clone() },
        };
        self.world.fail_always(On::anything(), fault);
        true
    }

    async fn mend(&mut self) {
        self.world.heal();
    }

    async fn requests(&mut self) -> Option<usize> {
        Some(self.world.attempts().len())
    }

    fn secrets(&self) -> Vec<String> {
        vec![super::broken::TOKEN.to_owned()]
    }

    fn example(&self) -> Option<String> {
        Some("name = \"sim\"".to_owned())
    }

    fn parse_config(&self, _: &str) -> Result<(), String> {
        Ok(())
    }
}
