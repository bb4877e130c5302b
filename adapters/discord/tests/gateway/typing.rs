//! Somebody types: heard in direct messages and in the posts of desks, and never at the cost of anything else.
//!
//! Not here: what comes of it (the host).

use super::*;

#[tokio::test]
async fn typing_in_a_post_is_heard_and_elsewhere_it_is_nobodys_business() {
    let office = Office::open(Settings::default()).await;
    let lobby = office.acme.text("lobby");
    let thread = office.acme.thread(office.ana, office.forum, "printer");
    let adapter = office.adapter();
    let running = office.start_with(&adapter);
    office.app.connected(SOON).await.expect("connected");
    // What is refused is neither asked for again nor waited for: it is over by then.
    office.refuse(true);
    office.fake.type_in(office.ana, thread);
    office.noted().await;
    office.refuse(false);
    office.fake.type_in(office.ana, lobby);
    office.fake.type_in(office.ana, thread);
    office.heard(&format!("typing in {}", office.forum)).await;
    let room = office.fake.dm(office.ana, &office.app);
    office.fake.type_in(office.ana, room);
    office.heard(&format!("typing in D{room}")).await;
    office.say("the end");
    office.heard("the end").await;
    assert_eq!(office.store.texts.borrow().len(), 3, "{:?}", office.store.texts.borrow());
    assert!(!office.fake.read(|world| world.ledger.gateway.iter().any(|line| resumed(&line.entry))));
    running.abort();
}
