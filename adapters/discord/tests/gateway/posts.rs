//! How posts keep what people made of them: tags, locks, names.
//!
//! Not here: how a post looks in each state (the adapter's own tests).

use deskbridge_contract::{Card, CardState, Fact, Sent, ThreadTitle};

use super::*;

struct Desk {
    office: Office,
    forum: Snowflake,
    adapter: Arc<DiscordAdapter>,
    at: Address,
    post: Snowflake,
    number: std::cell::Cell<u32>,
}

fn card(state: CardState, queue: &str) -> Card {
    let facts = vec![Fact { label: "Queue".into(), value: queue.into() }];
    Card {
        reference: "#7".into(),
        title: "VPN".into(),
        state,
        status: "As it stands".into(),
        requester: "Maria".into(),
        facts,
        summary: String::new(),
        hint: String::new(),
    }
}

fn title(state: CardState) -> ThreadTitle {
    ThreadTitle { state, reference: "#7".into(), requester: "Maria".into(), subject: "VPN".into() }
}

impl Desk {
    /// A post of the queue `net_ops` in a forum that has tags for it.
    async fn open() -> Desk {
        let mut office = Office::open(Settings::default()).await;
        let tags = ["Waiting", "In progress", "Resolved", "net_ops", "storage", "broken chair"];
        office.forum = office.acme.forum("desk", &tags);
        let forum = office.forum;
        let adapter = office.adapter();
        let at = Address::room(&"discord".into(), forum.to_string());
        let op = OutboundOp::OpenThread {
            title: title(CardState::Waiting),
            card: card(CardState::Waiting, "net_ops"),
            actions: Vec::new(),
        };
        let opened =
            adapter.send(&Outbound { id: DeliveryId("open".into()), to: at, op }).await.expect("opened");
        let post = opened.address.thread.as_ref().expect("a post").as_str().parse().expect("an id");
        Desk { office, forum, adapter, at: opened.address, post, number: std::cell::Cell::new(0) }
    }

    /// Another process goes on.
    fn restart(&mut self) {
        self.adapter = self.office.adapter();
    }

    async fn send(&self, op: OutboundOp) -> Sent {
        self.number.set(self.number.get() + 1);
        let id = DeliveryId(format!("d{}", self.number.get()));
        self.adapter.send(&Outbound { id, to: self.at.clone(), op }).await.expect("sent")
    }

    async fn card(&self, state: CardState, queue: &str) -> Sent {
        let content = Content { card: Some(Box::new(card(state, queue))), ..Content::default() };
        let message = RemoteMessageId::new(self.post.to_string());
        self.send(OutboundOp::Edit { message, content, persona: None }).await
    }

    async fn state(&self, state: CardState, closed: bool) -> Sent {
        self.send(OutboundOp::SetThread { title: title(state), closed }).await
    }

    async fn say(&self, text: &str) -> Sent {
        let (content, files) = (Content::text(text), Vec::new());
        self.send(OutboundOp::Post { content, files, persona: None, reply_to: None }).await
    }

    fn tags(&self) -> Vec<String> {
        let mut tags = self.office.fake.read(|world| world.tags_of(self.post));
        tags.sort();
        tags
    }

    /// A person sets a tag beside the others.
    fn tag(&self, name: &str) {
        let tags = self.office.fake.read(|world| world.channel(self.forum).tags.clone());
        let id = tags.iter().find(|tag| tag.name == name).expect("a tag of the forum").id;
        self.office.fake.moderate(self.post, |post| post.applied_tags.push(id));
    }

    /// Whether it is archived, and locked.
    fn shut(&self) -> (bool, bool) {
        self.office.fake.read(|world| (world.channel(self.post).archived, world.channel(self.post).locked))
    }
}

#[tokio::test]
async fn tags_that_people_set_stay() {
    let mut desk = Desk::open().await;
    assert_eq!(desk.tags(), ["Waiting", "net_ops"]);
    desk.tag("broken chair");
    desk.card(CardState::Assigned, "net_ops").await;
    assert_eq!(desk.tags(), ["In progress", "broken chair", "net_ops"]);
    desk.tag("storage");
    desk.restart();
    desk.state(CardState::Resolved, true).await;
    assert_eq!(desk.tags(), ["Resolved", "broken chair", "net_ops", "storage"]);
    let asked = desk.office.fake.requests("get_channel").len();
    desk.state(CardState::Resolved, true).await;
    assert_eq!(desk.office.fake.requests("get_channel").len(), asked, "nothing changed, nothing was asked");
}

/// A transfer takes the tag of the queue along, also when another process does it.
#[tokio::test]
async fn the_tag_of_the_old_queue_goes() {
    let mut desk = Desk::open().await;
    desk.card(CardState::Waiting, "storage").await;
    assert_eq!(desk.tags(), ["Waiting", "storage"]);
    desk.card(CardState::Waiting, "net_ops").await;
    desk.restart();
    desk.card(CardState::Assigned, "storage").await;
    assert_eq!(desk.tags(), ["In progress", "storage"]);
}

/// What is said into a post that is shut leaves it as it was, whoever shut it.
#[tokio::test]
async fn a_shut_post_stays_as_it_was() {
    let mut desk = Desk::open().await;
    desk.state(CardState::Resolved, true).await;
    assert_eq!(desk.shut(), (true, true));
    desk.restart();
    desk.say("She was content").await;
    assert_eq!(desk.shut(), (true, true), "resolved, and locked");
    // Nobody wrote for a week.
    desk.office.fake.moderate(desk.post, |post| (post.archived, post.locked) = (true, false));
    desk.card(CardState::Waiting, "net_ops").await;
    assert_eq!(desk.shut(), (true, false), "asleep");
    desk.office.fake.moderate(desk.post, |post| (post.archived, post.locked) = (false, true));
    desk.send(OutboundOp::Post {
        content: Content::text("a word of hers"),
        files: Vec::new(),
        persona: Some(Persona::person("Maria")),
        reply_to: None,
    })
    .await;
    assert_eq!(desk.shut(), (false, true), "locked by a moderator");
}

/// Names may change twice in ten minutes: the last one comes when it may, also after an end of the process.
#[tokio::test]
async fn a_name_that_has_to_wait_comes_later() {
    for restart in [false, true] {
        let mut desk = Desk::open().await;
        let running = desk.office.start_with(&desk.adapter);
        desk.office.app.connected(SOON).await.expect("connected");
        for state in [CardState::Assigned, CardState::Waiting, CardState::Assigned] {
            desk.state(state, false).await;
        }
        desk.state(CardState::Resolved, true).await;
        let running = if restart {
            running.abort();
            let _ = running.await;
            desk.restart();
            desk.office.start_with(&desk.adapter)
        } else {
            running
        };
        let named = desk.office.fake.wait_until(SOON, |world| {
            let post = world.channel(desk.post);
            post.name == "🟢 #7 Maria · VPN" && post.archived && post.locked
        });
        assert!(named.await.is_ok(), "{}", desk.office.fake.report());
        running.abort();
    }
}

/// A name that waited opens a post that is shut, and puts it back as it was: not over a reopening meanwhile.
#[tokio::test]
async fn a_name_that_comes_late_shuts_no_post_that_was_opened_again() {
    let mut desk = Desk::open().await;
    desk.state(CardState::Resolved, true).await;
    assert_eq!(desk.shut(), (true, true));
    desk.restart();
    let wish = json!({ desk.post.to_string(): { "forum": desk.forum.to_string(), "name": "late" } });
    desk.office.store.shelf.lock().expect("whole").insert("names".into(), wish.to_string());
    // It is refused, and asked how the post is; the answer is old when it comes.
    let slow = FaultKind::Stall { wait: Duration::from_secs(2), effect: true };
    desk.office.fake.fault(Fault::on("get_channel", slow).in_channel(&desk.post.to_string()));
    let asked = |world: &deskbridge_platforms::discord::World| {
        world.requests("get_channel").iter().filter(|call| call.channel == Some(desk.post)).count()
    };
    let so_far = desk.office.fake.read(asked);
    let running = desk.office.start_with(&desk.adapter);
    let again = desk.office.fake.wait_until(SOON, |world| asked(world) > so_far);
    assert!(again.await.is_ok(), "{}", desk.office.fake.report());
    desk.state(CardState::Assigned, false).await;
    assert_eq!(desk.shut(), (false, false), "{}", desk.office.fake.report());
    let named = |world: &deskbridge_platforms::discord::World| world.channel(desk.post).name.clone();
    assert_eq!(desk.office.fake.read(named), "🔵 #7 Maria · VPN");
    running.abort();
}

/// Erasing somebody keeps no name that waits, nor loses the state that it would have told.
#[tokio::test]
async fn a_name_that_waits_is_forgotten_but_for_its_state() {
    let mut desk = Desk::open().await;
    let running = desk.office.start_with(&desk.adapter);
    desk.office.app.connected(SOON).await.expect("connected");
    desk.state(CardState::Resolved, true).await;
    running.abort();
    let _ = running.await;
    let wish =
        |head: &str| json!({ "forum": desk.forum.to_string(), "name": "🔵 #7 Maria · VPN", "head": head });
    let wishes = json!({ desk.post.to_string(): wish("🔵 #7"), "1": wish("") });
    desk.office.store.shelf.lock().expect("whole").insert("names".into(), wishes.to_string());
    // Before anybody waits for it.
    desk.restart();
    let inbox = Inbox::new("discord".into(), desk.office.store.clone(), desk.office.store.clone());
    let user = deskbridge_contract::RemoteUserId::new(desk.office.ana.to_string());
    desk.adapter.forget(&inbox.shelf(), &user, &[]).await.expect("forgotten");
    let kept = desk.office.kept("names");
    assert!(!kept.contains("Maria") && kept.contains("🔵 #7") && !kept.contains("\"1\""), "{kept}");
    let running = desk.office.start_with(&desk.adapter);
    let named = desk.office.fake.wait_until(SOON, |world| {
        let post = world.channel(desk.post);
        post.name == "🔵 #7 Maria · VPN" && post.archived && post.locked
    });
    assert!(named.await.is_ok(), "{}", desk.office.fake.report());
    running.abort();
}
