//! Reading what was said in a gap: rooms beside each other, and none holds up the others.
//!
//! Not here: which gaps there are (`main.rs`, `refused.rs`).

use deskbridge_contract::{Card, CardState, ThreadTitle};

use super::*;

/// One room does not answer: the others are read all the same, and go on.
#[tokio::test]
async fn a_room_that_does_not_answer_holds_up_no_other() {
    let office = Office::open(Settings::default()).await;
    let running = office.start();
    office.app.connected(SOON).await.expect("connected");
    office.say("one of Ana");
    office.heard("one of Ana").await;
    let eve = office.acme.user("Eve");
    let (ana_room, eve_room) = (office.fake.dm(office.ana, &office.app), office.fake.dm(eve, &office.app));
    office.fake.say(eve, eve_room, "one of Eve");
    office.heard("one of Eve").await;
    let (fault, mend) = (FaultKind::Status { code: 503, effect: false }, || office.fake.clear_faults());
    for room in [ana_room, eve_room] {
        office.app.refuse_connections(true);
        office.app.forget_sessions();
        office.app.cut_sockets();
        let fault = Fault::on("list_messages", fault.clone()).in_channel(&room.to_string()).times(1000);
        office.fake.fault(fault);
        office.say(&format!("Ana, while {room} is silent"));
        office.fake.say(eve, eve_room, format!("Eve, while {room} is silent").as_str());
        office.app.refuse_connections(false);
        let (first, second) = if room == ana_room { ("Eve", "Ana") } else { ("Ana", "Eve") };
        let silent = format!("{second}, while {room} is silent");
        office.heard(&format!("{first}, while {room} is silent")).await;
        assert!(!office.store.texts.borrow().contains(&silent));
        let calls = office.fake.requests("list_messages");
        let tried =
            calls.iter().filter(|call| call.channel == Some(room) && call.status == Some(503)).count();
        assert!(tried < 6, "given up before the other was read");
        mend();
        office.heard(&silent).await;
    }
    running.abort();
}

/// While more is under way than is taken at once nothing is read, acknowledgements neither: that is no dead connection.
#[tokio::test]
async fn who_is_too_busy_to_read_does_not_take_the_gateway_for_dead() {
    let office =
        Office::open(Settings { heartbeat: Duration::from_millis(500), ..Settings::default() }).await;
    let running = office.start();
    office.app.connected(SOON).await.expect("connected");
    office.say("one");
    office.heard("one").await;
    office.store.busy.send_replace(true);
    for n in 0..300 {
        office.say(&format!("of many: {n}"));
    }
    let beats = |world: &deskbridge_platforms::discord::World| {
        let beat = |entry: &GatewayEntry| matches!(entry, GatewayEntry::Heartbeat { .. });
        world.ledger.gateway.iter().filter(|line| beat(&line.entry)).count()
    };
    let so_far = office.fake.read(beats);
    let more = office.fake.wait_until(SOON, |world| beats(world) >= so_far + 5);
    assert!(more.await.is_ok(), "{}", office.fake.report());
    office.store.busy.send_replace(false);
    office.heard("of many: 299").await;
    let left = |entry: &GatewayEntry| matches!(entry, GatewayEntry::Left(_));
    assert!(!office.fake.read(|world| world.ledger.gateway.iter().any(|line| left(&line.entry))));
    running.abort();
}

/// A post is opened before the connection of a new process has begun: it takes the place of no room that was read before, and
/// all of them are read on.
#[tokio::test]
async fn what_is_noted_before_the_connection_replaces_nothing() {
    let office = Office::open(Settings::default()).await;
    let running = office.start();
    office.app.connected(SOON).await.expect("connected");
    office.say("one");
    office.heard("one").await;
    office.noted().await;
    running.abort();
    let _ = running.await;
    let room = office.fake.dm(office.ana, &office.app).to_string();
    assert!(office.kept("seen").contains(&room), "{}", office.kept("seen"));
    office.app.forget_sessions();
    office.say("said in the outage");
    let adapter = office.adapter();
    let inbox = Inbox::new("discord".into(), office.store.clone(), office.store.clone());
    let intake = adapter.clone().intake(inbox);
    let (state, requester, text) = (CardState::Waiting, "Maria".to_owned(), String::new());
    let title =
        ThreadTitle { state, reference: "#7".into(), requester: requester.clone(), subject: "VPN".into() };
    let card = Card {
        reference: "#7".into(),
        title: "VPN".into(),
        state,
        status: "As it stands".into(),
        requester,
        facts: Vec::new(),
        summary: text.clone(),
        hint: text,
    };
    let out = Outbound {
        id: DeliveryId("open".into()),
        to: Address::room(&"discord".into(), office.forum.to_string()),
        op: OutboundOp::OpenThread { title, card, actions: Vec::new() },
    };
    let opened = adapter.send(&out).await.expect("opened").address.thread.expect("a post").to_string();
    assert!(office.kept("seen").contains(&room), "{}", office.kept("seen"));
    let running = tokio::spawn(intake.connect.expect("a connection"));
    office.heard("said in the outage").await;
    let seen = office.kept("seen");
    assert!(seen.contains(&room) && seen.contains(&opened), "{seen}");
    running.abort();
}
