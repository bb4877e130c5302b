//! The step: dispatch by stage, and the workbench on which a step lays out what it makes.
//!
//! Not here: any rule of a stage. What follows from the state alone (cards, thread titles) is derived here once, so
//! that no rule can forget it.

use deskbridge_contract::{Action, CardState, Content, Mark, Mention, RemoteMessageId, Timestamp};

use crate::notices::{self, DeskNotice, Notice};
use crate::policy::{ReplyMode, Timers};
use crate::*;

/// What an event does to a conversation. Pure and total: the same input gives the same output, always.
pub fn step(conversation: Conversation, event: &Event, policy: &Policy) -> (Conversation, Made) {
    let before = Shown::of(&conversation, policy);
    let known: Vec<SessionId> = conversation.desk_sessions().map(|session| session.id).collect();
    let mut cx = Context { policy, event, now: event.now, c: conversation, made: Made::default() };
    cx.c.seq += 1;
    let stage = cx.c.stage.clone();
    cx.c.stage = match stage {
        Stage::Assisting(assisting) => assisting::step(assisting, &mut cx),
        Stage::Handover(handover) => handover::step(handover, &mut cx),
        Stage::Assigned(assigned) => assigned::step(assigned, &mut cx),
        Stage::Closed(closed) => closed::step(closed, &mut cx),
    };
    let after = Shown::of(&cx.c, policy);
    cx.refresh_desks(&before, &after, &known);
    (cx.c, cx.made)
}

/// What desk rooms see of the state; a difference means new cards.
#[derive(PartialEq, Eq)]
struct Shown {
    state: CardState,
    status: String,
    summary: Option<MessageId>,
    ticket: Option<String>,
    rating: Option<u8>,
    priority: u8,
    labels: Vec<String>,
}

impl Shown {
    fn of(conversation: &Conversation, policy: &Policy) -> Self {
        Shown {
            state: desk::state(conversation),
            status: desk::status(conversation, policy),
            summary: conversation.summary,
            ticket: ticket::number(conversation).map(str::to_owned),
            rating: conversation.rating,
            priority: conversation.priority,
            labels: conversation.labels.clone(),
        }
    }
}

/// One step's workbench: the conversation being changed, and what comes of it.
pub struct Context<'a> {
    pub policy: &'a Policy,
    pub event: &'a Event,
    pub now: Timestamp,
    pub c: Conversation,
    pub made: Made,
}

impl Context<'_> {
    pub fn timers(&self) -> Timers {
        self.policy.timers(&self.c.queue)
    }

    /// The reply mode of the room that a desk session is in; a room that the configuration lost keeps everything in.
    pub fn reply_mode(&self, session: SessionId) -> ReplyMode {
        self.c
            .session(session)
            .and_then(|session| self.policy.desk(&session.address))
            .map_or(ReplyMode::Alerts, |desk| desk.reply_mode)
    }

    // --- messages -----------------------------------------------------------------------------------------------

    fn next_message(&self) -> MessageId {
        let n = u32::try_from(self.made.messages.len()).unwrap_or(u32::MAX);
        Derived { conversation: self.c.id, seq: self.c.seq, n }
    }

    /// Stores the content that came with the event as a message.
    pub fn incoming(
        &mut self,
        author: Author,
        audience: Audience,
        origin: Option<(SessionId, RemoteMessageId)>,
        reply_to: Option<MessageId>,
    ) -> MessageId {
        let id = self.next_message();
        self.made.messages.push(NewMessage { id, author, audience, body: Body::Incoming, reply_to, origin });
        id
    }

    /// Stores words of the bridge's own.
    pub fn own(&mut self, content: Content, audience: Audience) -> MessageId {
        let id = self.next_message();
        self.made.messages.push(NewMessage {
            id,
            author: Author::Desk,
            audience,
            body: Body::Own(content),
            reply_to: None,
            origin: None,
        });
        id
    }

    // --- effects ------------------------------------------------------------------------------------------------

    pub fn effect(&mut self, effect: Effect) {
        let n = u32::try_from(self.made.effects.len()).unwrap_or(u32::MAX);
        let id = Derived { conversation: self.c.id, seq: self.c.seq, n };
        self.made.effects.push((id, effect));
    }

    /// What only desks may see never goes to a requester's session, whatever session an event named.
    pub fn deliver(&mut self, session: SessionId, op: DeliveryOp, weight: Weight) {
        let fits = self.c.session(session).is_some_and(|session| match session.role {
            SessionRole::Desk { .. } => true,
            SessionRole::Requester { .. } => op.is_for_everybody(),
        });
        if !fits {
            return;
        }
        self.effect(Effect::Deliver(Delivery { session, op, not_before: None, turn: None, weight }));
    }

    pub fn toast(&mut self, text: impl Into<String>) {
        self.made.toast.get_or_insert(text.into());
    }

    pub fn audit(&mut self, by: Option<&TechnicianId>, act: impl Into<String>) {
        self.effect(Effect::Audit { by: by.cloned(), act: act.into() });
    }

    /// What technicians' undo windows still hold goes out now, and can be taken back no more (D13).
    pub fn release_holds(&mut self) {
        self.effect(Effect::ReleaseHolds);
        for relay in &mut self.c.relays {
            relay.held_until = relay.held_until.min(self.now);
        }
    }

    pub fn acted(&mut self, technician: &TechnicianId) {
        self.effect(Effect::Roster(RosterChange::Acted(technician.clone())));
    }

    // --- to the requester ---------------------------------------------------------------------------------------

    /// Says something to the requester in their language. Desk rooms see it on the card, not as a message.
    pub fn tell(&mut self, notice: &Notice) {
        let content = notices::say(notice, &self.c.requester.language);
        self.tell_content(content);
    }

    pub fn tell_content(&mut self, content: Content) {
        let message = self.own(content, Audience::Requester);
        if let Some(session) = self.c.requester_session().map(|session| session.id) {
            self.deliver(session, DeliveryOp::Post { message }, Weight::Notice);
        }
    }

    // --- to the technicians -------------------------------------------------------------------------------------

    /// The desk sessions that see the requester's words now: all of them until acceptance, then the working one (D3).
    /// All of them also when the working one is lost: nobody's words may vanish with a room.
    pub fn watching(&self, working: Option<SessionId>) -> Vec<SessionId> {
        let open = self.c.desk_sessions().filter(|session| match session.role {
            SessionRole::Desk { thread: DeskThread::Opening | DeskThread::Open, .. } => true,
            SessionRole::Desk { thread: DeskThread::Lost, .. } | SessionRole::Requester { .. } => false,
        });
        let open: Vec<SessionId> = open.map(|session| session.id).collect();
        match working {
            Some(working) if open.contains(&working) => vec![working],
            Some(_) | None => open,
        }
    }

    /// Shows a public message in desk sessions, except where it was written.
    pub fn show(&mut self, message: MessageId, sessions: &[SessionId], except: Option<SessionId>) {
        for session in sessions {
            if Some(*session) != except {
                self.deliver(*session, DeliveryOp::Post { message }, Weight::Person);
            }
            // A room where it was written without seeing the rest stays behind.
            self.mark_shown(*session);
        }
    }

    fn mark_shown(&mut self, id: SessionId) {
        let seq = self.c.seq;
        if let Some(session) = self.c.sessions.iter_mut().find(|session| session.id == id) {
            match &mut session.role {
                SessionRole::Desk { shown, .. } => *shown = seq,
                SessionRole::Requester { .. } => {}
            }
        }
    }

    /// Draws anew, in every room, the transcripts in which this message stands, and the card, whose subject it may be.
    pub fn redraw(&mut self, message: MessageId) {
        let conversation = self.c.id;
        for session in self.watching(None) {
            let Some(SessionRole::Desk { transcripts, .. }) = self.c.session(session).map(|s| s.role.clone())
            else {
                continue;
            };
            let closed = matches!(self.c.stage, Stage::Closed(_));
            for (from, to) in
                transcripts.into_iter().filter(|(from, to)| (*from..=*to).contains(&message.seq))
            {
                let message = MessageId::transcript(conversation, from, to);
                self.deliver(session, DeliveryOp::Edit { message }, Weight::Person);
                self.deliver(session, DeliveryOp::Card, Weight::Person);
                self.deliver(session, DeliveryOp::Thread { closed }, Weight::Notice);
            }
        }
    }

    /// Says something in desk sessions; `called` are mentioned.
    pub fn tell_desks(&mut self, notice: &DeskNotice, sessions: &[SessionId], called: &[TechnicianId]) {
        if sessions.is_empty() {
            return;
        }
        let mut content = notices::desk(notice);
        content.mentions = called
            .iter()
            .map(|who| Mention { who: who.0.clone(), name: self.policy.name(who), user: None })
            .collect();
        let message = self.own(content, Audience::Internal);
        for session in sessions {
            self.deliver(*session, DeliveryOp::Post { message }, Weight::Notice);
        }
    }

    /// Says something to the one person who did this, where they did it: a whisper in the room, a toast elsewhere (D24).
    pub fn whisper(&mut self, via: &Via, notice: &DeskNotice) {
        let content = notices::desk(notice);
        match via {
            Via::Console => self.toast(content.text),
            Via::Room { session, user, interaction } => {
                if interaction.is_some() && content.actions.is_empty() && content.text.chars().count() <= 190
                {
                    self.toast(content.text);
                    return;
                }
                let message = self.own(content, Audience::Private);
                let op = DeliveryOp::Whisper { to: user.clone(), message, interaction: interaction.clone() };
                self.deliver(*session, op, Weight::Notice);
            }
        }
    }

    /// The bridge's mark on a technician's message, where it was written.
    pub fn mark(&mut self, session: Option<SessionId>, message: MessageId, mark: Mark) {
        if let Some(session) = session {
            self.deliver(session, DeliveryOp::Mark { message, mark }, Weight::Notice);
        }
    }

    /// Cards and thread titles follow from the state; sessions opened in this step have theirs already.
    fn refresh_desks(&mut self, before: &Shown, after: &Shown, known: &[SessionId]) {
        if before == after {
            return;
        }
        let closed = matches!(self.c.stage, Stage::Closed(_));
        for session in self.watching(None).into_iter().filter(|id| known.contains(id)) {
            self.deliver(session, DeliveryOp::Card, Weight::Person);
            if before.state != after.state {
                self.deliver(session, DeliveryOp::Thread { closed }, Weight::Notice);
            }
        }
    }

    // --- who spoke ----------------------------------------------------------------------------------------------

    /// The requester wrote: their session is the active one, and it is the helpers' turn.
    pub fn requester_spoke(&mut self, session: SessionId) {
        for s in &mut self.c.sessions {
            match &mut s.role {
                SessionRole::Requester { active } => *active = s.id == session,
                SessionRole::Desk { .. } => {}
            }
        }
        self.c.requester.away = false;
        self.c.clocks.requester = Some(self.now);
        if self.c.clocks.unanswered.is_none() {
            self.c.clocks.unanswered = Some(self.now);
            self.c.clocks.nudged = false;
        }
        self.c.clocks.reminded = false;
    }

    /// The assistant or a technician answered: it is the requester's turn.
    pub fn helper_spoke(&mut self) {
        self.c.clocks.helper = Some(self.now);
        self.c.clocks.unanswered = None;
        self.c.clocks.reminded = false;
        self.c.clocks.nudged = false;
    }

    /// It is the helpers' turn although the requester said nothing new (acceptance, end of a snooze).
    pub fn helpers_turn(&mut self) {
        self.c.clocks.unanswered = Some(self.now);
        self.c.clocks.nudged = false;
    }
}

/// A button.
pub fn button(id: &str, label: &str) -> Action {
    Action::new(id, label)
}
