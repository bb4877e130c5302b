//! The gateway's memory: sessions with all that was sent in them, connections, and what a test does to them.
//! What is said on a connection is in `socket`; what the events hold, in `events`.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::events::{GUILDS, KNOWN, PRIVILEGED};
use super::ledger::GatewayEntry;
use super::snowflake::Snowflake;
use super::world::World;

/// Events that a session keeps for a Resume.
const KEPT: usize = 10_000;

/// Close codes ("Opcodes and Status Codes › Gateway Close Event Codes").
pub(super) mod close {
    pub const UNKNOWN_OPCODE: u16 = 4001;
    pub const DECODE_ERROR: u16 = 4002;
    pub const NOT_AUTHENTICATED: u16 = 4003;
    pub const AUTHENTICATION_FAILED: u16 = 4004;
    pub const ALREADY_AUTHENTICATED: u16 = 4005;
    pub const INVALID_SEQ: u16 = 4007;
    pub const RATE_LIMITED: u16 = 4008;
    pub const SESSION_TIMED_OUT: u16 = 4009;
    pub const INVALID_SHARD: u16 = 4010;
    pub const INVALID_VERSION: u16 = 4012;
    pub const INVALID_INTENTS: u16 = 4013;
    pub const DISALLOWED_INTENTS: u16 = 4014;
}

#[derive(Debug)]
pub(super) enum Order {
    Say(String),
    Close(u16),
    /// Ends the connection without a word.
    Cut,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Socket {
    pub app: Option<Snowflake>,
    pub session: Option<String>,
    /// A zombie: it is open, and nothing comes through it any more, not even acknowledgements.
    pub mute: bool,
    pub orders: mpsc::UnboundedSender<Order>,
}

/// What an app may resume.
#[derive(Debug)]
pub struct Session {
    pub app: Snowflake,
    pub intents: u64,
    /// Of the last event.
    pub seq: u64,
    kept: VecDeque<(u64, String)>,
    socket: Option<u64>,
    left_at: Option<Instant>,
}

impl Session {
    /// Connected, or not gone for so long that it cannot be resumed.
    pub(super) fn is_alive(&self, life: Duration) -> bool {
        self.left_at.is_none_or(|at| at.elapsed() < life)
    }
}

/// What befalls events ("may arrive never, once or several times").
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventFault {
    Lost,
    Twice,
}

#[derive(Debug, Default)]
pub struct Gateway {
    pub sessions: BTreeMap<String, Session>,
    pub(super) sockets: BTreeMap<u64, Socket>,
    /// Connections that were ever opened.
    pub opened: u64,
    /// While on, handshakes are refused with 503.
    pub refusing: bool,
    /// Kind of event (none: any), what befalls it, how many times.
    tricks: Vec<(Option<String>, EventFault, u32)>,
    last_identify: Option<Instant>,
}

impl Gateway {
    pub(super) fn add_trick(&mut self, kind: Option<&str>, fault: EventFault, times: u32) {
        self.tricks.push((kind.map(str::to_owned), fault, times));
    }

    fn take_trick(&mut self, kind: &str) -> Option<EventFault> {
        let at =
            self.tricks.iter().position(|(wanted, _, _)| wanted.as_deref().is_none_or(|it| it == kind))?;
        let (_, fault, times) = &mut self.tricks[at];
        let fault = fault.clone();
        *times = times.saturating_sub(1);
        if *times == 0 {
            self.tricks.remove(at);
        }
        Some(fault)
    }
}

/// Sessions.
impl World {
    /// One event into a session, and through its connection if it has one that speaks.
    pub(super) fn push(&mut self, session: &str, kind: &str, data: Value) {
        match self.gateway.take_trick(kind) {
            Some(EventFault::Lost) => return,
            Some(EventFault::Twice) => self.dispatch(session, kind, &data, true),
            None => {}
        }
        self.dispatch(session, kind, &data, true);
    }

    fn dispatch(&mut self, id: &str, kind: &str, data: &Value, keep: bool) {
        let Some(session) = self.gateway.sessions.get_mut(id) else { return };
        session.seq += 1;
        let text = json!({ "op": 0, "s": session.seq, "t": kind, "d": data }).to_string();
        if keep {
            if session.kept.len() >= KEPT {
                session.kept.pop_front();
            }
            session.kept.push_back((session.seq, text.clone()));
        }
        let socket = session.socket;
        self.transmit(socket, text);
    }

    fn transmit(&mut self, socket: Option<u64>, text: String) {
        let socket = socket.and_then(|number| self.gateway.sockets.get(&number));
        if let Some(socket) = socket.filter(|socket| !socket.mute) {
            let _ = socket.orders.send(Order::Say(text));
        }
    }

    /// Identify: the session's first events are on their way, or the connection is to be closed with a code.
    ///
    /// # Errors
    /// The close code.
    pub(super) fn identify(&mut self, socket: u64, data: &Value) -> Result<(), u16> {
        if self.gateway.sockets.get(&socket).is_some_and(|it| it.session.is_some()) {
            return Err(close::ALREADY_AUTHENTICATED);
        }
        let app = self.token_owner(&data["token"]).ok_or(close::AUTHENTICATION_FAILED)?;
        let shard = (data["shard"][0].as_u64().unwrap_or(0), data["shard"][1].as_u64().unwrap_or(1));
        if shard.0 >= shard.1 {
            return Err(close::INVALID_SHARD);
        }
        let intents = data["intents"].as_u64().filter(|it| it & !KNOWN == 0).ok_or(close::INVALID_INTENTS)?;
        self.spend_identify(app)?;
        let allowed = self.app(app).privileged;
        if intents & PRIVILEGED & !allowed != 0 {
            return Err(close::DISALLOWED_INTENTS);
        }
        let hasty =
            self.gateway.last_identify.is_some_and(|at| at.elapsed() < self.settings.identify_spacing);
        self.gateway.last_identify = Some(Instant::now());
        if hasty {
            self.ledger.note(socket, Some(app), GatewayEntry::Invalidated { resumable: false });
            self.transmit(Some(socket), json!({ "op": 9, "d": false }).to_string());
            return Ok(());
        }
        self.begin_session(socket, app, intents);
        Ok(())
    }

    /// Beyond the budget the token is reset and every connection closed.
    fn spend_identify(&mut self, app: Snowflake) -> Result<(), u16> {
        let most = self.settings.identifies;
        let Some(found) = self.apps.get_mut(&app) else { return Err(close::AUTHENTICATION_FAILED) };
        found.identifies += 1;
        if found.identifies <= most {
            return Ok(());
        }
        found.notices.push("the token was reset: too many Identifies".into());
        self.reset_token(app);
        Err(close::AUTHENTICATION_FAILED)
    }

    fn begin_session(&mut self, socket: u64, app: Snowflake, intents: u64) {
        let id = format!("{:032x}", self.fresh().0);
        let session =
            Session { app, intents, seq: 0, kept: VecDeque::new(), socket: Some(socket), left_at: None };
        self.gateway.sessions.insert(id.clone(), session);
        if let Some(found) = self.gateway.sockets.get_mut(&socket) {
            (found.app, found.session) = (Some(app), Some(id.clone()));
        }
        self.ledger.note(socket, Some(app), GatewayEntry::Identified { session: id.clone(), intents });
        let bot = self.app(app).bot;
        let guilds: Vec<Snowflake> = self
            .guilds
            .values()
            .filter(|guild| guild.members.contains_key(&bot))
            .map(|guild| guild.id)
            .collect();
        let waiting: Vec<Value> = guilds.iter().map(|id| json!({ "id": id, "unavailable": true })).collect();
        let mut me = self.user_json(bot);
        (me["verified"], me["mfa_enabled"], me["email"]) = (json!(true), json!(false), Value::Null);
        let host = self.base.trim_start_matches("http://");
        let ready = json!({
            "v": 10, "user": me, "guilds": waiting, "session_id": id, "session_type": "normal",
            "resume_gateway_url": format!("ws://{host}/resume"), "shard": [0, 1], "private_channels": [],
            "relationships": [], "user_settings": {}, "presences": [], "guild_join_requests": [],
            "geo_ordered_rtc_regions": [], "_trace": [],
            "application": { "id": app, "flags": self.app_flags(app) },
        });
        self.push(&id, "READY", ready);
        if intents & GUILDS != 0 {
            for guild in guilds {
                let event = self.guild_event(guild, self.app(app));
                self.push(&id, "GUILD_CREATE", event);
            }
        }
    }

    /// Resume: what was missed is on its way again, in order, then `RESUMED`.
    ///
    /// # Errors
    /// The close code.
    pub(super) fn resume(&mut self, socket: u64, data: &Value) -> Result<(), u16> {
        if self.gateway.sockets.get(&socket).is_some_and(|it| it.session.is_some()) {
            return Err(close::ALREADY_AUTHENTICATED);
        }
        let app = self.token_owner(&data["token"]).ok_or(close::AUTHENTICATION_FAILED)?;
        let id = data["session_id"].as_str().unwrap_or_default().to_owned();
        let life = self.settings.session_life;
        self.gateway.sessions.retain(|_, session| session.is_alive(life));
        let known = self.gateway.sessions.get_mut(&id).filter(|session| session.app == app);
        let Some(session) = known else {
            self.ledger.note(socket, Some(app), GatewayEntry::Invalidated { resumable: false });
            self.transmit(Some(socket), json!({ "op": 9, "d": false }).to_string());
            return Ok(());
        };
        let seq = data["seq"].as_u64().filter(|seq| *seq <= session.seq).ok_or(close::INVALID_SEQ)?;
        let before = session.socket.replace(socket);
        session.left_at = None;
        let missed: Vec<String> =
            session.kept.iter().filter(|(at, _)| *at > seq).map(|(_, text)| text.clone()).collect();
        if let Some(before) = before.and_then(|number| self.gateway.sockets.get_mut(&number)) {
            before.session = None;
            let _ = before.orders.send(Order::Cut);
        }
        if let Some(found) = self.gateway.sockets.get_mut(&socket) {
            (found.app, found.session) = (Some(app), Some(id.clone()));
        }
        let entry = GatewayEntry::Resumed { session: id.clone(), seq, replayed: missed.len() };
        self.ledger.note(socket, Some(app), entry);
        for text in missed {
            self.transmit(Some(socket), text);
        }
        self.dispatch(&id, "RESUMED", &json!({ "_trace": [] }), false);
        Ok(())
    }

    pub(super) fn token_owner(&self, token: &Value) -> Option<Snowflake> {
        // Some clients send the HTTP header's value, and the vendor takes it.
        let token = token.as_str()?;
        let token = token.strip_prefix("Bot ").unwrap_or(token);
        self.apps.values().find(|app| app.token == token).map(|app| app.id)
    }

    /// A connection has ended; `code` is what the client said when it left by itself.
    pub(super) fn gone(&mut self, number: u64, code: Option<u16>) {
        let Some(socket) = self.gateway.sockets.remove(&number) else { return };
        let Some(id) = socket.session else { return };
        // These two end the session, any other end leaves it to be resumed.
        if matches!(code, Some(1000 | 1001)) {
            self.gateway.sessions.remove(&id);
        } else if let Some(session) = self.gateway.sessions.get_mut(&id) {
            (session.socket, session.left_at) = (None, Some(Instant::now()));
        }
    }
}

/// What a test does to the connections of an app.
impl World {
    fn sockets_of(&self, app: Snowflake) -> Vec<u64> {
        let of_it = |(number, socket): (&u64, &Socket)| (socket.app == Some(app)).then_some(*number);
        self.gateway.sockets.iter().filter_map(of_it).collect()
    }

    /// Connections of an app that have identified or resumed.
    pub fn connections(&self, app: Snowflake) -> usize {
        self.gateway.sockets.values().filter(|it| it.app == Some(app) && it.session.is_some()).count()
    }

    fn order(&mut self, app: Snowflake, entry: &GatewayEntry, order: impl Fn() -> Order) {
        for number in self.sockets_of(app) {
            self.ledger.note(number, Some(app), entry.clone());
            if let Some(socket) = self.gateway.sockets.get(&number) {
                let _ = socket.orders.send(order());
            }
        }
    }

    /// Op 7.
    pub(super) fn tell_to_reconnect(&mut self, app: Snowflake) {
        let text = json!({ "op": 7, "d": null }).to_string();
        self.order(app, &GatewayEntry::ToldToReconnect, || Order::Say(text.clone()));
    }

    /// Op 9; without `resumable` the session is gone, too.
    pub(super) fn invalidate(&mut self, app: Snowflake, resumable: bool) {
        let text = json!({ "op": 9, "d": resumable }).to_string();
        self.order(app, &GatewayEntry::Invalidated { resumable }, || Order::Say(text.clone()));
        if !resumable {
            self.forget_sessions(app);
        }
    }

    pub(super) fn forget_sessions(&mut self, app: Snowflake) {
        self.gateway.sessions.retain(|_, session| session.app != app);
        for socket in self.gateway.sockets.values_mut().filter(|socket| socket.app == Some(app)) {
            socket.session = None;
        }
    }

    pub(super) fn close_sockets(&mut self, app: Snowflake, code: u16) {
        for number in self.sockets_of(app) {
            if let Some(socket) = self.gateway.sockets.get(&number) {
                let _ = socket.orders.send(Order::Close(code));
            }
        }
    }

    pub(super) fn cut_sockets(&mut self, app: Snowflake) {
        self.order(app, &GatewayEntry::Cut, || Order::Cut);
    }

    /// The last event of the session that is connected: which session, which number.
    pub fn last_event(&self, app: Snowflake) -> Option<(String, u64)> {
        let connected = |(_, session): &(&String, &Session)| session.app == app && session.socket.is_some();
        self.gateway.sessions.iter().find(connected).map(|(id, session)| (id.clone(), session.seq))
    }

    /// An event once more, as it was: the same number.
    pub(super) fn repeat(&mut self, session: &str, seq: u64) {
        let Some(found) = self.gateway.sessions.get(session) else { return };
        let text = found.kept.iter().find(|(number, _)| *number == seq).map(|(_, text)| text.clone());
        let socket = found.socket;
        if let Some(text) = text {
            self.transmit(socket, text);
        }
    }

    /// Every event in which this id stands, once more; how many there were.
    pub(super) fn repeat_about(&mut self, app: Snowflake, id: Snowflake) -> usize {
        let wanted = format!("\"{id}\"");
        let about = |session: &Session| {
            let all = session.kept.iter().filter(|(_, text)| text.contains(&wanted));
            all.map(|(_, text)| text.clone()).collect::<Vec<_>>()
        };
        let connected = |session: &&Session| session.app == app && session.socket.is_some();
        let found = self.gateway.sessions.values().find(connected).map(|it| (it.socket, about(it)));
        let Some((socket, texts)) = found else { return 0 };
        let count = texts.len();
        for text in texts {
            self.transmit(socket, text);
        }
        count
    }

    /// From now on the connections that are open say nothing; new ones do.
    pub(super) fn mute_sockets(&mut self, app: Snowflake) {
        for socket in self.gateway.sockets.values_mut().filter(|socket| socket.app == Some(app)) {
            socket.mute = true;
        }
    }

    /// Op 1: the client is to beat at once.
    pub(super) fn ask_for_heartbeat(&mut self, app: Snowflake) {
        for number in self.sockets_of(app) {
            self.transmit(Some(number), json!({ "op": 1, "d": null }).to_string());
        }
    }

    /// A new token; the old one and all that it opened are dead.
    pub(super) fn reset_token(&mut self, app: Snowflake) -> String {
        let token = format!("{app}.fake.{:x}", self.fresh().0);
        if let Some(found) = self.apps.get_mut(&app) {
            found.token.clone_from(&token);
        }
        self.forget_sessions(app);
        self.close_sockets(app, close::AUTHENTICATION_FAILED);
        token
    }

    pub(super) fn close_all(&mut self) {
        for socket in self.gateway.sockets.values() {
            let _ = socket.orders.send(Order::Cut);
        }
        self.gateway.refusing = true;
    }
}
