//! Serves the demo page with a puppet in place of the bridge, for work on the page alone.
//!
//! Not here: the product. `cargo run -p deskbridge-sim --example demo_page`, then open the address that it prints.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use deskbridge_contract::*;
use deskbridge_sim::demo::Demo;
use deskbridge_sim::{SimAdapter, Style, World};

/// Says the same things every time, in the places where the bridge would.
struct Puppet {
    phone: Arc<SimAdapter>,
    desk: Arc<SimAdapter>,
    play: Mutex<Play>,
}

#[derive(Clone, Default)]
struct Play {
    sent: u64,
    requester: Option<Address>,
    thread: Option<Address>,
    card: Option<RemoteMessageId>,
    owner: Option<String>,
    resolved: bool,
    last_answer: Option<RemoteMessageId>,
}

const ANSWER: &str = "Error **691** means that the VPN did not accept your name or password.\n\n1. Sign out of the VPN \
                      client and quit it\n2. Check that `CAPS LOCK` is off\n3. Sign in as `ACME\\yourname`\n\nSource: \
                      [VPN error 691](https://intranet.example.org/kb/vpn-691)";

impl Puppet {
    async fn send(&self, phone: bool, to: &Address, op: OutboundOp) -> Option<Sent> {
        let id = {
            let mut play = self.play.lock().unwrap();
            play.sent += 1;
            DeliveryId(format!("puppet-{}", play.sent))
        };
        let adapter = if phone { &self.phone } else { &self.desk };
        adapter.send(&Outbound { id, to: to.clone(), op }).await.ok()
    }

    async fn post(
        &self,
        phone: bool,
        to: &Address,
        name: Option<(&str, bool)>,
        content: Content,
    ) -> Option<Sent> {
        let persona =
            name.map(|(name, assistant)| Persona { name: name.to_owned(), assistant, picture: None });
        self.send(phone, to, OutboundOp::Post { content, files: vec![], persona, reply_to: None }).await
    }

    async fn hand_over(&self, home: &Address) {
        let waiting =
            Content::text("I have asked our technicians. You are **first** in the queue, about 2 minutes.");
        self.post(true, home, None, waiting).await;
        let room = self.desk.world().room("it-desk");
        let actions = vec![
            Action::new("accept", "Accept"),
            Action::new("decline", "Decline"),
            Action::new("resolve", "Resolve"),
        ];
        let op = OutboundOp::OpenThread {
            title: title(CardState::Waiting),
            card: card(CardState::Waiting, "Waiting · offered to Ana"),
            actions,
        };
        let Some(sent) = self.send(false, &room, op).await else { return };
        let (thread, card) = (sent.address, sent.message);
        {
            let mut play = self.play.lock().unwrap();
            play.thread = Some(thread.clone());
            play.card = card;
            play.requester = Some(home.clone());
        }
        let said = Content::text("my vpn says 691 \\*help\\*");
        self.post(false, &thread, Some(("Maria Costa", false)), said).await;
        self.post(false, &thread, Some(("Assistant", true)), Content::text(ANSWER)).await;
    }

    async fn set_card(&self, state: CardState, status: &str) {
        let play = self.play.lock().unwrap().clone();
        let (Some(thread), Some(message)) = (play.thread, play.card) else { return };
        let actions = match state {
            CardState::Resolved => vec![Action::new("reopen", "Reopen")],
            _ => vec![
                Action::new("suggest", "Suggest reply"),
                Action::new("ticket", "Create ticket"),
                Action::new("resolve", "Resolve"),
            ],
        };
        let content = Content { card: Some(Box::new(card(state, status))), actions, ..Content::default() };
        self.send(false, &thread, OutboundOp::Edit { message, content, persona: None }).await;
        let closed = state == CardState::Resolved;
        self.send(false, &thread, OutboundOp::SetThread { title: title(state), closed }).await;
    }

    async fn on_phone(&self, event: Inbound) {
        let home = event.address;
        let play = self.play.lock().unwrap().clone();
        match event.event {
            InboundEvent::Posted { content, .. } => match &play.thread {
                Some(thread) => {
                    self.post(false, thread, Some(("Maria Costa", false)), content).await;
                }
                None if content.text.contains("human") => self.hand_over(&home).await,
                None => {
                    self.phone.typing(&home).await.ok();
                    let answer = Content::text(ANSWER).with_actions(vec![
                        Action::new("solved", "That helped"),
                        Action::new("human", "Talk to a human"),
                    ]);
                    self.post(true, &home, Some(("Assistant", true)), answer).await;
                }
            },
            InboundEvent::Invoked { action, .. } if action == "human" => self.hand_over(&home).await,
            InboundEvent::Typing => {
                if let Some(thread) = &play.thread {
                    self.desk.typing(thread).await.ok();
                }
            }
            InboundEvent::Read { .. } => {
                if let (Some(thread), Some(message)) = (&play.thread, play.last_answer) {
                    self.send(false, thread, OutboundOp::Mark { message, mark: Mark::Seen }).await;
                }
            }
            _ => {}
        }
    }

    async fn on_desk(&self, event: Inbound) {
        let who = event.from.id.0.clone();
        let name = event.from.display_name.unwrap_or_default();
        let play = self.play.lock().unwrap().clone();
        let (Some(thread), Some(home)) = (play.thread.clone(), play.requester.clone()) else { return };
        match event.event {
            InboundEvent::Invoked { action, .. } if action == "accept" => {
                self.play.lock().unwrap().owner = Some(who);
                self.set_card(CardState::Assigned, &format!("Assigned to {name} · replies reach Maria"))
                    .await;
                self.post(true, &home, None, Content::text(format!("**{name}** has joined."))).await;
            }
            InboundEvent::Invoked { action, .. } if action == "resolve" => {
                self.play.lock().unwrap().resolved = true;
                self.set_card(CardState::Resolved, &format!("Resolved by {name}")).await;
                let ask = Content::text("Your request is resolved. How was it?");
                let rate = vec![Action::new("csat:5", "😀 Good"), Action::new("csat:1", "🙁 Bad")];
                self.post(true, &home, None, ask.with_actions(rate)).await;
            }
            InboundEvent::Posted { content, message, .. } if play.owner.as_deref() == Some(&who) => {
                self.send(false, &thread, OutboundOp::Mark { message: message.clone(), mark: Mark::Held })
                    .await;
                self.post(true, &home, Some((&name, false)), content).await;
                self.play.lock().unwrap().last_answer = Some(message.clone());
                self.send(false, &thread, OutboundOp::Mark { message, mark: Mark::Delivered }).await;
            }
            InboundEvent::Posted { message, .. } => {
                self.send(false, &thread, OutboundOp::Mark { message, mark: Mark::Internal }).await;
                let owner = play.owner.unwrap_or_else(|| "nobody yet".to_owned());
                let content =
                    Content::text(format!("Kept internal: **{owner}** owns this.")).with_actions(vec![
                        Action::new("send-anyway", "Send anyway"),
                        Action::new("take-over", "Take over"),
                    ]);
                let op = OutboundOp::Whisper { to: RemoteUserId(who), content, interaction: None };
                self.send(false, &thread, op).await;
            }
            _ => {}
        }
    }
}

fn title(state: CardState) -> ThreadTitle {
    ThreadTitle {
        state,
        reference: "#1042".into(),
        requester: "Maria Costa".into(),
        subject: "VPN says 691".into(),
    }
}

fn card(state: CardState, status: &str) -> Card {
    let fact = |label: &str, value: &str| Fact { label: label.to_owned(), value: value.to_owned() };
    Card {
        reference: "#1042".into(),
        title: "VPN says 691".into(),
        state,
        status: status.to_owned(),
        requester: "Maria Costa · Finance · web chat".into(),
        facts: vec![fact("Queue", "default"), fact("Waiting", "0:12"), fact("Ticket", "DB-17")],
        summary: "**Intent** Cannot sign in to the VPN.\n\n**Tried** Restarted the client; error 691 stays.\n\n**Next \
                  step** Check whether the password has expired."
            .into(),
        hint: "Before Accept this thread is internal. Afterwards the owner's replies go to Maria; 🔒 keeps one here.".into(),
    }
}

struct Ear {
    puppet: Arc<Puppet>,
    phone: bool,
}

#[async_trait]
impl InboxSink for Ear {
    async fn push(&self, event: Inbound) -> Result<Receipt, PushError> {
        let (puppet, phone) = (self.puppet.clone(), self.phone);
        let toast = match &event.event {
            InboundEvent::Invoked { action, .. } if action == "accept" => Some("It is yours.".to_owned()),
            _ => None,
        };
        tokio::spawn(async move {
            if phone { puppet.on_phone(event).await } else { puppet.on_desk(event).await }
        });
        Ok(Receipt {
            duplicate: false,
            toast: toast.map(|text| Toast { text, alert: false }),
            ..Receipt::default()
        })
    }
    async fn quarantine(&self, _: &ChannelName, _: &[u8], _: &TranslateError) -> Result<(), PushError> {
        Ok(())
    }
}

#[async_trait]
impl ShelfStore for Ear {
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

fn wall_clock(world: &World) {
    world.set_clock(Arc::new(|| {
        let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        Timestamp::EPOCH + since
    }));
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let phone = Arc::new(SimAdapter::new("widget".into(), Style::widget()));
    let desk = Arc::new(SimAdapter::new("slack".into(), Style::slack()));
    let puppet = Arc::new(Puppet { phone: phone.clone(), desk: desk.clone(), play: Mutex::default() });
    for (adapter, is_phone) in [(&phone, true), (&desk, false)] {
        wall_clock(&adapter.world());
        let ear = Arc::new(Ear { puppet: puppet.clone(), phone: is_phone });
        drop(adapter.clone().intake(Inbox::new(adapter.channel().clone(), ear.clone(), ear)));
    }
    let router = Demo::new(phone.world(), desk.world(), "it-desk").router_at("/demo");
    let port = std::env::args().nth(1).and_then(|p| p.parse().ok()).unwrap_or(0_u16);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    eprintln!("http://{}/demo", listener.local_addr()?);
    axum::serve(listener, router).await
}
