//! The simulated platform by itself: people act, the bridge sends, things go wrong as planned.
//!
//! Not here: the clauses that every adapter has to pass (`suite.rs`).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use deskbridge_contract::*;
use deskbridge_sim::*;

#[derive(Default)]
struct Bridge {
    pushed: Mutex<Vec<Inbound>>,
    down: Mutex<bool>,
    toast: Mutex<Option<Toast>>,
}

#[async_trait]
impl InboxSink for Bridge {
    async fn push(&self, event: Inbound) -> Result<Receipt, PushError> {
        if *self.down.lock().unwrap() {
            return Err(PushError::Unavailable);
        }
        self.pushed.lock().unwrap().push(event);
        Ok(Receipt { duplicate: false, toast: self.toast.lock().unwrap().clone(), ..Receipt::default() })
    }
    async fn quarantine(&self, _: &ChannelName, _: &[u8], _: &TranslateError) -> Result<(), PushError> {
        Ok(())
    }
}

#[async_trait]
impl ShelfStore for Bridge {
    async fn get(&self, _: &ChannelName, _: &str) -> Result<Option<String>, ShelfError> {
        Ok(None)
    }
    async fn put(&self, _: &ChannelName, _: &str, _: &str) -> Result<(), ShelfError> {
        Ok(())
    }
    async fn delete(&self, _: &ChannelName, _: &[String]) -> Result<(), ShelfError> {
        Ok(())
    }
    async fn find(&self, _: &ChannelName, _: &str, _: &str) -> Result<Vec<String>, ShelfError> {
        Ok(Vec::new())
    }
}

fn connected(style: Style) -> (Arc<SimAdapter>, World, Arc<Bridge>) {
    let adapter = Arc::new(SimAdapter::new("sim".into(), style));
    let bridge = Arc::new(Bridge::default());
    let inbox = Inbox::new("sim".into(), bridge.clone(), bridge.clone());
    drop(adapter.clone().intake(inbox));
    let world = adapter.world();
    (adapter, world, bridge)
}

fn post(id: &str, to: &Address, text: &str) -> Outbound {
    let content = Content::text(text);
    Outbound {
        id: id.into(),
        to: to.clone(),
        op: OutboundOp::Post { content, files: vec![], persona: None, reply_to: None },
    }
}

fn open(id: &str, to: &Address) -> Outbound {
    let title = ThreadTitle {
        state: CardState::Waiting,
        reference: "#1".into(),
        requester: "Maria".into(),
        subject: "VPN".into(),
    };
    let card = Card {
        reference: "#1".into(),
        title: "VPN".into(),
        state: CardState::Waiting,
        status: "Waiting".into(),
        requester: "Maria".into(),
        facts: vec![],
        summary: String::new(),
        hint: String::new(),
    };
    let actions = vec![Action::new("accept", "Accept")];
    Outbound { id: id.into(), to: to.clone(), op: OutboundOp::OpenThread { title, card, actions } }
}

#[tokio::test]
async fn a_person_writes_and_it_comes_in_under_a_stable_id() {
    let (_, world, bridge) = connected(Style::telegram());
    let dm = world.direct("maria");
    let said = world.say("maria", &dm, "my vpn says 691").await.unwrap();
    world.redeliver(said.event.unwrap()).await.unwrap();
    let pushed = bridge.pushed.lock().unwrap().clone();
    assert_eq!(pushed.len(), 2);
    assert_eq!(pushed[0], pushed[1]);
    assert_eq!(pushed[0].id.as_str(), "s1");
    assert_eq!(pushed[0].from.display_name.as_deref(), Some("Maria"));
    assert_eq!(pushed[0].at, world.messages(&dm)[0].at);
}

#[tokio::test]
async fn what_the_bridge_refuses_is_kept_and_delivered_later() {
    let (_, world, bridge) = connected(Style::telegram());
    let dm = world.direct("maria");
    *bridge.down.lock().unwrap() = true;
    assert_eq!(world.say("maria", &dm, "hello").await, Err(SimError::Push(PushError::Unavailable)));
    assert_eq!(world.messages(&dm)[0].arrival, Some(Arrival::Refused));
    *bridge.down.lock().unwrap() = false;
    assert_eq!(world.redeliver_unacknowledged().await.unwrap(), 1);
    assert_eq!(world.messages(&dm)[0].arrival, Some(Arrival::Received));
    assert_eq!(world.redeliver_unacknowledged().await.unwrap(), 0);
}

#[tokio::test]
async fn a_card_is_the_root_of_its_thread_and_its_button_is_pressed_in_the_thread() {
    let (adapter, world, bridge) = connected(Style::slack());
    *bridge.toast.lock().unwrap() = Some(Toast { text: "yours".into(), alert: false });
    let desk = world.room("desk");
    let sent = adapter.send(&open("d1", &desk)).await.unwrap();
    assert_eq!(sent.address.thread.as_ref().unwrap().as_str(), sent.message.as_ref().unwrap().as_str());
    let (message, action) = world.find_button(&desk, "Accept").unwrap();
    world.press("bob", &desk, &message, &action.id).await.unwrap();
    let last = bridge.pushed.lock().unwrap().last().cloned().unwrap();
    assert_eq!(last.address, sent.address);
    assert!(last.interaction.is_some());
    assert_eq!(world.toasts("bob").len(), 1);
    world.say("bob", &sent.address, "on my way").await.unwrap();
    assert_eq!(world.messages(&sent.address).len(), 2);
    assert_eq!(world.messages(&desk).len(), 1);
}

#[tokio::test]
async fn a_separate_thread_stands_beside_the_card_and_may_be_deleted() {
    let (adapter, world, _) = connected(Style::telegram());
    let desk = world.room("desk");
    let sent = adapter.send(&open("d1", &desk)).await.unwrap();
    assert_eq!(sent.message, None);
    adapter.send(&post("d2", &sent.address, "the card")).await.unwrap();
    world.change_thread("bob", &sent.address, ThreadChange::Deleted).await.unwrap();
    let refused = adapter.send(&post("d3", &sent.address, "lost")).await;
    assert!(matches!(refused, Err(SendError::ThreadGone { .. })));
}

#[tokio::test]
async fn the_same_delivery_appears_once_only_where_that_is_promised() {
    for (style, shown) in
        [(Style::discord(), 1), (Style::widget(), 1), (Style::telegram(), 2), (Style::slack(), 2)]
    {
        let (adapter, world, _) = connected(style);
        let out = post("d1", &world.direct("maria"), "hi");
        let first = adapter.send(&out).await.unwrap();
        let second = adapter.send(&out).await.unwrap();
        assert_eq!(world.appearances(&out.id), shown, "{}", world.style().name);
        assert_eq!(first == second, shown == 1);
    }
}

#[tokio::test]
async fn ambiguous_attempts_can_be_read_back_where_the_platform_can() {
    let (adapter, world, _) = connected(Style::slack());
    let dm = world.direct("maria");
    world.fail_once(On::room("dm-maria"), Fault::Ambiguous { effect: true });
    let out = post("d1", &dm, "hi");
    assert!(matches!(adapter.send(&out).await, Err(SendError::Ambiguous { .. })));
    let found = adapter.find(&out).await.unwrap().unwrap();
    assert_eq!(found.message, world.last_message(&dm).map(|m| m.id));
    world.fail_once(On::kind(OperationKind::Post), Fault::Ambiguous { effect: false });
    let out = post("d2", &dm, "hi again");
    assert!(adapter.send(&out).await.is_err());
    assert_eq!(adapter.find(&out).await.unwrap(), None);
    let (telegram, world, _) = connected(Style::telegram());
    assert!(telegram.find(&post("d1", &world.direct("maria"), "hi")).await.is_err());
}

#[tokio::test]
async fn held_calls_answer_when_released() {
    let (adapter, world, _) = connected(Style::telegram());
    let dm = world.direct("maria");
    for (fault, after, ok) in [
        (Fault::Slow, 0, true),
        (Fault::Hang { effect: true }, 1, false),
        (Fault::Hang { effect: false }, 0, false),
    ] {
        let id = format!("d-{fault:?}").to_lowercase();
        world.fail_once(On::anything(), fault.clone());
        let (sender, out) = (adapter.clone(), post(&id, &dm, "hi"));
        let call = tokio::spawn(async move { sender.send(&out).await });
        world.until(|w| w.held() == 1).await;
        assert_eq!(world.appearances(&id.as_str().into()), after, "{fault:?}");
        world.release();
        assert_eq!(call.await.unwrap().is_ok(), ok, "{fault:?}");
        assert_eq!(world.held(), 0);
    }
    let outcomes: Vec<bool> = world.attempts().iter().map(|a| a.effect).collect();
    assert_eq!(outcomes, [true, true, false]);
}

#[tokio::test]
async fn faults_run_out_and_a_chooser_takes_over() {
    let (adapter, world, _) = connected(Style::telegram());
    let dm = world.direct("maria");
    world.fail_times(On::anything(), Fault::Retry { after: Some(Duration::from_secs(3)) }, 2);
    world.fail_by(|_, attempt| (attempt == 3).then_some(Fault::Unauthorized));
    let out = post("d1", &dm, "hi");
    for _ in 0..2 {
        let again = adapter.send(&out).await;
        assert!(matches!(again, Err(SendError::Retry { after: Some(t), .. }) if t.as_secs() == 3));
    }
    assert!(matches!(adapter.send(&out).await, Err(SendError::Unauthorized { .. })));
    assert!(adapter.send(&out).await.is_ok());
    assert_eq!(world.appearances(&out.id), 1);
}

#[tokio::test]
async fn blocked_and_moved_rooms_say_so() {
    let (adapter, world, bridge) = connected(Style::telegram());
    let dm = world.direct("maria");
    world.leave("maria", &dm).await.unwrap();
    assert!(matches!(adapter.send(&post("d1", &dm, "hi")).await, Err(SendError::Gone { .. })));
    world.come_back("maria", &dm).await.unwrap();
    adapter.send(&post("d2", &dm, "hi")).await.unwrap();
    world.move_room("bob", &world.room("desk"), "desk-super").await.unwrap();
    let moved = adapter.send(&post("d3", &world.room("desk"), "hi")).await;
    assert_eq!(moved, Err(SendError::Moved { to: world.room("desk-super") }));
    adapter.send(&post("d4", &world.room("desk-super"), "hi")).await.unwrap();
    assert_eq!(bridge.pushed.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn what_a_platform_does_not_hear_is_seen_but_not_pushed() {
    let (_, world, bridge) = connected(Style::telegram());
    let dm = world.direct("maria");
    let id = world.say("maria", &dm, "oops").await.unwrap().message.unwrap();
    assert_eq!(world.delete("maria", &dm, &id).await.unwrap().event, None);
    assert!(world.messages(&dm)[0].deleted);
    assert_eq!(bridge.pushed.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn limits_refuse_by_the_worlds_clock_and_say_for_how_long() {
    let adapter = SimAdapter::new("sim".into(), Style::telegram()).with_limits();
    let (world, now) = (adapter.world(), Arc::new(Mutex::new(Timestamp::from_seconds(100))));
    let shown = now.clone();
    world.set_clock(Arc::new(move || *shown.lock().unwrap()));
    let dm = world.direct("maria");
    adapter.send(&post("d1", &dm, "one")).await.unwrap();
    let refused = adapter.send(&post("d2", &dm, "two")).await;
    assert!(matches!(refused, Err(SendError::Retry { after: Some(t), .. }) if t == Duration::from_secs(1)));
    *now.lock().unwrap() = Timestamp::from_seconds(101);
    adapter.send(&post("d2", &dm, "two")).await.unwrap();
}

#[tokio::test]
async fn watchers_see_every_change_numbered_without_gaps() {
    let (adapter, world, _) = connected(Style::widget());
    let mut live = world.subscribe();
    let dm = world.direct("maria");
    let id = world.say("maria", &dm, "hi").await.unwrap().message.unwrap();
    adapter.send(&post("d1", &dm, "hello")).await.unwrap();
    adapter.typing(&dm).await.unwrap();
    world.edit("maria", &dm, &id, "hi there").await.unwrap();
    let mut seen = Vec::new();
    while let Ok(change) = live.try_recv() {
        seen.push(change.seq);
    }
    assert_eq!(seen, (1..=seen.len() as u64).collect::<Vec<_>>());
    let snapshot = world.snapshot();
    assert_eq!(snapshot.seq, seen.len() as u64);
    assert_eq!(snapshot.rooms[0].messages[0].edits.len(), 1);
    serde_json::to_string(&snapshot).unwrap();
}

#[tokio::test]
async fn a_cut_connection_ends_the_intake_and_events_wait() {
    let adapter = Arc::new(SimAdapter::new("sim".into(), Style::slack()));
    let bridge = Arc::new(Bridge::default());
    let inbox = || Inbox::new("sim".into(), bridge.clone(), bridge.clone());
    let running = tokio::spawn(adapter.clone().intake(inbox()).connect.unwrap());
    let world = adapter.world();
    world.cut();
    assert!(running.await.unwrap().is_err());
    let dm = world.direct("maria");
    assert_eq!(world.say("maria", &dm, "hello").await, Err(SimError::Push(PushError::Closed)));
    let restarted = Arc::new(SimAdapter::over(world.clone()));
    drop(restarted.intake(inbox()));
    assert_eq!(world.redeliver_unacknowledged().await.unwrap(), 1);
}
