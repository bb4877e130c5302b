//! From a platform's event to an event of a conversation: who spoke, on which side, what it plainly asks for.
//!
//! Not here: translating payloads (the adapters), deciding (the core). `push` returns after the commit (I1).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deskbridge_contract::{
    Address, Card, ChannelName, Colleagues, Content, DeskHours, Duty, Inbound, InboundEvent, InboxSink,
    Known, PersonalCard, PushError, Receipt, RemoteMessageId, RemoteUserId, Sender, SenderKind, Toast,
    TranslateError, names,
};
use deskbridge_conversation::policy::{Policy, ReplyMode};
use deskbridge_conversation::verbs::{Names, Parsed, from_action, parse, parse_explicit};
use deskbridge_conversation::{
    DeskActor, DeskEvent, EventBody, PostIntent, Presence, ReactionTarget, Requester, RequesterEvent,
    RequesterId, RequesterVerb, SessionId, TechnicianId, Verb, Via, fit, gist,
};
use deskbridge_store::{Admin, Applied, Apply, Cause, Refs, RemoteRef, StoreError, Target};

use super::cleaning::clean;
use super::identity::who;
use super::{Bridge, duty, identity};

/// How often a whole job is tried again after a conflict with another node.
const CONFLICTS: u32 = 5;

pub struct Sink {
    pub bridge: Arc<Bridge>,
}

#[async_trait]
impl InboxSink for Sink {
    async fn push(&self, event: Inbound) -> Result<Receipt, PushError> {
        if self.bridge.stop.is_cancelled() {
            return Err(PushError::Closed);
        }
        metrics::counter!("deskbridge_inbound_total").increment(1);
        if let InboundEvent::RoomMoved { to } = &event.event {
            return match self.bridge.room_moved(&event.address, to).await {
                Ok(()) => Ok(Receipt::default()),
                Err(error) => {
                    tracing::error!(%error, "a room moved, and that could not be stored");
                    Err(PushError::Unavailable)
                }
            };
        }
        if self.bridge.hint(&event) {
            return Ok(Receipt::default());
        }
        let raw = event.clone();
        match read(&self.bridge, event) {
            Read::Apply(apply) => match self.bridge.take(*apply).await {
                Ok(receipt) => Ok(receipt),
                Err(Refusal::Unavailable) => Err(PushError::Unavailable),
                Err(Refusal::Poison(why)) => self.set_aside(&raw, why).await,
            },
            Read::Presence { technician, presence, inbound } => {
                self.bridge.set_presence(&technician, presence).await.map_err(|_| PushError::Unavailable)?;
                duty::tell(&self.bridge, &inbound, presence).await;
                Ok(Receipt::default())
            }
            Read::Said { is_me, inbound } => {
                self.bridge.identify(&inbound, is_me).await.map_err(|_| PushError::Unavailable)?;
                Ok(Receipt::default())
            }
            Read::Ask { technician, inbound } => {
                self.bridge.ask_identity(&inbound, &technician).await;
                Ok(Receipt::default())
            }
            Read::Told(why) => {
                let toast = Toast { text: why.to_owned(), alert: false };
                Ok(Receipt { toast: Some(toast), ..Receipt::default() })
            }
            Read::Nothing => {
                metrics::counter!("deskbridge_inbound_ignored_total").increment(1);
                Ok(Receipt::default())
            }
        }
    }

    async fn quarantine(
        &self,
        channel: &ChannelName,
        raw: &[u8],
        why: &TranslateError,
    ) -> Result<(), PushError> {
        metrics::counter!("deskbridge_quarantine_total").increment(1);
        tracing::warn!(channel = %channel, why = %why, bytes = raw.len(), "an event could not be read; kept in quarantine");
        let keep = Admin::Quarantine { channel: channel.clone(), raw: raw.to_vec(), why: why.to_string() };
        self.bridge.writer.admin(keep).await.map(|_| ()).map_err(|_| PushError::Unavailable)
    }

    async fn desk_hours(&self, channel: &ChannelName) -> DeskHours {
        self.bridge.desk_hours(channel)
    }

    async fn personal_card(
        &self,
        at: &Address,
        reference: &str,
        user: &RemoteUserId,
    ) -> Option<PersonalCard> {
        self.bridge.personal_card(at, reference, user).await
    }

    async fn duty(&self, channel: &ChannelName, user: &RemoteUserId) -> Option<Duty> {
        self.bridge.duty(channel, user)
    }

    async fn colleagues(&self, at: &Address, user: &RemoteUserId) -> Option<Colleagues> {
        let found = self.bridge.colleagues(at, user).await;
        found.inspect_err(|error| tracing::debug!(%error, "names could not be looked up")).ok().flatten()
    }

    async fn card(&self, room: &Address, reference: &str) -> Option<Card> {
        let found = self.bridge.linked(room, reference).await;
        found.inspect_err(|error| tracing::debug!(%error, "a link could not be looked up")).ok().flatten()
    }

    async fn known(
        &self,
        at: &Address,
        after: &RemoteMessageId,
        until: &RemoteMessageId,
        except: &[RemoteMessageId],
    ) -> Result<Vec<Known>, PushError> {
        self.bridge.known(at, after, until, except).await.map_err(|error| {
            tracing::debug!(%error, "it could not be looked up what was said in a room");
            PushError::Unavailable
        })
    }

    async fn history(&self, at: &Address, reference: &str, user: &RemoteUserId) -> Option<Vec<String>> {
        let found = self.bridge.history(at, reference, user).await;
        found.inspect_err(|error| tracing::debug!(%error, "a history could not be read")).ok().flatten()
    }

    async fn identity_question(&self, channel: &ChannelName, who: &Sender) -> Option<Content> {
        self.bridge.identity_question(channel, who)
    }
}

impl Sink {
    /// An event that cannot be applied would come again for ever and block its chat: it is kept for a person to look at
    /// and acknowledged, like one that cannot be read (S29). Where even that cannot be stored, it has to come again.
    async fn set_aside(&self, event: &Inbound, why: String) -> Result<Receipt, PushError> {
        let raw = serde_json::to_vec(event).unwrap_or_default();
        self.quarantine(&event.address.channel, &raw, &TranslateError::Malformed(why)).await?;
        Ok(Receipt::default())
    }
}

/// Why an event was not applied.
enum Refusal {
    /// Not now; it must come again.
    Unavailable,
    /// Not ever: applying it fails each time.
    Poison(String),
}

impl Bridge {
    /// Applies an event of a platform; the answer says what to show the person who pressed a button.
    async fn take(&self, apply: Apply) -> Result<Receipt, Refusal> {
        let mut conflicts = 0;
        loop {
            match self.writer.apply(apply.clone()).await {
                Ok(Applied::Done { conversation, toast, .. }) => {
                    let reference = conversation.id.to_string();
                    self.board.learn(conversation);
                    return Ok(Receipt {
                        duplicate: false,
                        toast: toast.map(|text| Toast { text, alert: false }),
                        reference: Some(reference),
                    });
                }
                Ok(Applied::Duplicate) => {
                    metrics::counter!("deskbridge_inbound_duplicates_total").increment(1);
                    return Ok(Receipt { duplicate: true, ..Receipt::default() });
                }
                Ok(Applied::Ignored | Applied::Refused | Applied::Unknown) => return Ok(Receipt::default()),
                Err(StoreError::Conflict(_)) if conflicts < CONFLICTS => {
                    conflicts += 1;
                    tokio::time::sleep(Duration::from_millis(20 << conflicts)).await;
                }
                Err(StoreError::Corrupt(why)) => return Err(Refusal::Poison(why)),
                Err(error) => {
                    tracing::error!(%error, "an event could not be stored; the platform is told to send it again");
                    return Err(Refusal::Unavailable);
                }
            }
        }
    }

    pub async fn set_presence(
        &self,
        technician: &TechnicianId,
        presence: Presence,
    ) -> Result<(), StoreError> {
        self.writer.admin(Admin::SetPresence { technician: technician.clone(), presence }).await?;
        self.board.note_presence(technician, presence);
        Ok(())
    }
}

/// What an inbound event is to us.
enum Read {
    Apply(Box<Apply>),
    /// `/on`, `/busy`, `/off` in the desk room itself, outside any conversation.
    Presence {
        technician: TechnicianId,
        presence: Presence,
        inbound: Box<Inbound>,
    },
    /// Whether they are the technician whose address they have.
    Said {
        is_me: bool,
        inbound: Box<Inbound>,
    },
    /// They have a technician's address, and did not say yet whether they are that technician.
    Ask {
        technician: TechnicianId,
        inbound: Box<Inbound>,
    },
    /// Not done, and the person is told why.
    Told(&'static str),
    /// Not for us: chatter in a desk room's main thread, rooms nobody configured, other bots.
    Nothing,
}

fn read(bridge: &Bridge, mut inbound: Inbound) -> Read {
    let policy = bridge.policy.current();
    clean(&mut inbound);
    if let Some(is_me) = identity::answered(&inbound) {
        return Read::Said { is_me, inbound: Box::new(inbound) };
    }
    if let Some(desk) = policy.policy.desk(&inbound.address) {
        let mode = desk.reply_mode;
        return read_desk(bridge, &policy.policy, mode, inbound);
    }
    if let Some(presence) = duty::switched(&inbound) {
        // The platform's own switch, wherever it is: a command, a page. Written words are only words here.
        let inbound = Box::new(inbound);
        return match who(&policy.policy, &inbound) {
            DeskActor::Technician(technician) => Read::Presence { technician, presence, inbound },
            DeskActor::Unconfirmed(technician) => Read::Ask { technician, inbound },
            DeskActor::Outsider => Read::Told("Only technicians can do that."),
        };
    }
    let channel = policy.policy.channels.get(&inbound.address.channel);
    let adapter = bridge.adapters.get(&inbound.address.channel);
    let open = channel.is_some_and(|channel| channel.requesters)
        && adapter.is_none_or(|adapter| adapter.takes_requesters(&inbound.address))
        && inbound.from.kind != SenderKind::Bot;
    if open { read_requester(&policy.policy, inbound) } else { Read::Nothing }
}

fn remote_ref(at: &Address, message: &RemoteMessageId) -> RemoteRef {
    RemoteRef { channel: at.channel.clone(), room: at.room.clone(), remote: message.clone() }
}

fn read_requester(policy: &Policy, inbound: Inbound) -> Read {
    let language = inbound.from.language.as_deref().unwrap_or("en");
    let language = language.split(['-', '_']).next().unwrap_or("en").to_ascii_lowercase();
    let name = fit::clean_name(inbound.from.display_name.as_deref().unwrap_or_default());
    let queue = policy.queue_of(&inbound.address.channel);
    let mut refs = Refs::default();
    let mut said = None;
    let what = match inbound.event {
        InboundEvent::Posted { message, content, reply_to } => {
            refs.reply_to = reply_to.map(|message| remote_ref(&inbound.address, &message));
            let gist = gist::read(&content.text, &language);
            said = Some(content);
            RequesterEvent::Posted { remote: message, gist, reply_to: None }
        }
        InboundEvent::Edited { message, content } => {
            refs.target = Some(remote_ref(&inbound.address, &message));
            said = Some(content);
            RequesterEvent::Edited { message: None }
        }
        InboundEvent::Deleted { message } => {
            refs.target = Some(remote_ref(&inbound.address, &message));
            RequesterEvent::Deleted { message: None }
        }
        InboundEvent::Reacted { message, emoji, added } => {
            refs.target = Some(remote_ref(&inbound.address, &message));
            RequesterEvent::Reacted { message: None, emoji, added }
        }
        InboundEvent::Invoked { action, .. } => match RequesterVerb::from_action(&action) {
            Some(verb) => RequesterEvent::Pressed { verb },
            None => return Read::Nothing,
        },
        InboundEvent::Started { .. } => RequesterEvent::Started,
        InboundEvent::Left => RequesterEvent::Left,
        InboundEvent::Returned => RequesterEvent::Returned,
        InboundEvent::Typing
        | InboundEvent::Read { .. }
        | InboundEvent::RoomMoved { .. }
        | InboundEvent::ThreadChanged { .. } => return Read::Nothing,
    };
    let requester = Requester {
        id: RequesterId(format!("{}:{}", inbound.address.channel, inbound.from.id)),
        name,
        language,
        picture: inbound.from.picture.as_deref().and_then(names::picture),
        away: false,
    };
    Read::Apply(Box::new(Apply {
        cause: Cause::Inbound(inbound.address.channel.clone(), inbound.id),
        target: Target::Requester {
            address: inbound.address,
            requester,
            priority: policy.queue(&queue).priority,
            queue,
            force_new: false,
        },
        at: inbound.at,
        body: EventBody::Requester { session: SessionId(0), what },
        content: said,
        refs,
        guard: None,
    }))
}

fn read_desk(bridge: &Bridge, policy: &Policy, mode: ReplyMode, inbound: Inbound) -> Read {
    let is_bot = inbound.from.kind == SenderKind::Bot;
    if is_bot && !matches!(inbound.event, InboundEvent::ThreadChanged { .. } | InboundEvent::Deleted { .. }) {
        // Another bridge in the same room: answering it would never end (T5).
        return Read::Nothing;
    }
    let by = who(policy, &inbound);
    let available = |who: &TechnicianId| bridge.board.is_available(who);
    let names = Names::new(policy, &available);
    // Some platforms tell no thread with a reaction; the message itself leads to the conversation.
    let by_message = matches!(
        inbound.event,
        InboundEvent::Reacted { .. } | InboundEvent::Edited { .. } | InboundEvent::Deleted { .. }
    );
    if inbound.address.thread.is_none() && !by_message {
        return outside(by, &names, inbound);
    }
    let via = Via::Room {
        session: SessionId(0),
        user: inbound.from.id.clone(),
        interaction: inbound.interaction.clone(),
    };
    let mut refs = Refs::default();
    let mut said = None;
    let what = match inbound.event {
        InboundEvent::Posted { message, content, reply_to } => {
            refs.reply_to = reply_to.map(|message| remote_ref(&inbound.address, &message));
            let (what, content) = read_post(&by, mode, &names, message, content);
            said = content;
            what
        }
        InboundEvent::Edited { message, content } => {
            refs.target = Some(remote_ref(&inbound.address, &message));
            let (what, content) = read_post(&by, mode, &names, message, content);
            said = content;
            match what {
                DeskEvent::Posted { intent, .. } => DeskEvent::Edited { message: None, intent },
                _ => DeskEvent::Misread { why: "an edit is no verb; write it anew".to_owned() },
            }
        }
        InboundEvent::Deleted { message } => {
            refs.target = Some(remote_ref(&inbound.address, &message));
            DeskEvent::Deleted { message: None }
        }
        InboundEvent::Reacted { message, emoji, added } => {
            refs.target = Some(remote_ref(&inbound.address, &message));
            DeskEvent::Reacted { target: ReactionTarget::Unknown, emoji, added }
        }
        InboundEvent::Invoked { action, value, .. } => match from_action(&action, value.as_deref(), &names) {
            Some(Parsed::Verb(verb)) => DeskEvent::Verb { verb },
            Some(Parsed::Bad { why, .. }) => DeskEvent::Misread { why },
            Some(Parsed::Note { .. } | Parsed::Reply { .. }) | None => return Read::Nothing,
        },
        InboundEvent::ThreadChanged { change } => DeskEvent::Thread { change },
        InboundEvent::Started { .. }
        | InboundEvent::Typing
        | InboundEvent::Read { .. }
        | InboundEvent::Left
        | InboundEvent::Returned
        | InboundEvent::RoomMoved { .. } => return Read::Nothing,
    };
    Read::Apply(Box::new(Apply {
        cause: Cause::Inbound(inbound.address.channel.clone(), inbound.id),
        target: Target::Desk { address: inbound.address },
        at: inbound.at,
        body: EventBody::Desk { by, via, what },
        content: said,
        refs,
        guard: None,
    }))
}

/// A message in a desk thread: a verb, a note, a reply, or plain words. What outsiders write is never a verb.
fn read_post(
    by: &DeskActor,
    mode: ReplyMode,
    names: &Names,
    remote: RemoteMessageId,
    mut content: Content,
) -> (DeskEvent, Option<Content>) {
    let parsed = match by {
        DeskActor::Unconfirmed(_) | DeskActor::Outsider => None,
        DeskActor::Technician(_) => match mode {
            ReplyMode::Explicit => parse_explicit(&content.text, names),
            ReplyMode::Airlock | ReplyMode::Direct | ReplyMode::Alerts => parse(&content.text, names),
        },
    };
    let remote = Some(remote);
    let intent = match parsed {
        Some(Parsed::Verb(verb)) => return (DeskEvent::Verb { verb }, None),
        Some(Parsed::Bad { why, .. }) => return (DeskEvent::Misread { why }, None),
        Some(Parsed::Note { text }) => {
            content.text = text;
            PostIntent::Note
        }
        Some(Parsed::Reply { text }) => {
            content.text = text;
            PostIntent::Reply
        }
        None => PostIntent::Plain,
    };
    (DeskEvent::Posted { remote, intent, reply_to: None }, Some(content))
}

/// In the room itself only the presence verbs mean something; the rest is people talking.
fn outside(by: DeskActor, names: &Names, inbound: Inbound) -> Read {
    let parsed = match &inbound.event {
        InboundEvent::Posted { content, .. } => parse(&content.text, names),
        InboundEvent::Invoked { action, value, .. } => from_action(action, value.as_deref(), names),
        _ => None,
    };
    let presence = match parsed {
        Some(Parsed::Verb(Verb::On)) => Presence::Available,
        Some(Parsed::Verb(Verb::Busy)) => Presence::Busy,
        Some(Parsed::Verb(Verb::Off)) => Presence::Offline,
        _ => return Read::Nothing,
    };
    let inbound = Box::new(inbound);
    match by {
        DeskActor::Technician(technician) => Read::Presence { technician, presence, inbound },
        DeskActor::Unconfirmed(technician) => Read::Ask { technician, inbound },
        DeskActor::Outsider => Read::Nothing,
    }
}
