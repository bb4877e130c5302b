//! How activities come in: one route that checks who calls, stores the event, and only then answers (clause C4).
//!
//! Not here: what an activity means (`translate.rs`), limits of size and time, which the host puts in front as well.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use deskbridge_contract::{
    Address, Content, Inbound, InboundEvent, Inbox, Intake, Peer, PushError, Receipt, TranslateError,
};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use url::Url;

use crate::files::{self, Shop};
use crate::jwt::{self, Refusal, Vouched};
use crate::keys::Found;
use crate::translate::{Asked, Heard, View, text, translate};
use crate::{Teams, cards, ids, markup};

const MAX_BODY: usize = 1 << 20;
const LANES: usize = 64;
/// From so many on, buttons whose request has ended are forgotten.
const MOST_PRESSED: usize = 1000;
/// How long a pressed button waits for a whisper that answers it; Teams waits about ten seconds.
const PRESSED: Duration = Duration::from_secs(2);

pub(crate) fn intake(teams: Arc<Teams>, inbox: Inbox) -> Intake {
    teams.references.open(inbox.shelf());
    *teams.inbox.write().unwrap_or_else(PoisonError::into_inner) = Some(inbox.clone());
    let mut routes = Router::new();
    if let Some(files) = inbox.files() {
        let shop = Shop { links: teams.links.clone(), files, clock: teams.clock.clone() };
        routes = routes.merge(Router::new().route("/file", get(files::give)).with_state(Arc::new(shop)));
    }
    let lanes = std::array::from_fn(|_| tokio::sync::Mutex::new(()));
    let door = Arc::new(Door { teams, inbox, lanes });
    let routes = routes.merge(Router::new().route("/", post(receive)).with_state(door));
    Intake { webhook: Some(routes), ..Intake::default() }
}

/// Pressed buttons that wait for their answer.
#[derive(Default)]
pub(crate) struct Pressed(Mutex<HashMap<String, oneshot::Sender<Content>>>);

impl Pressed {
    fn wait(&self, id: &str) -> oneshot::Receiver<Content> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever hung up leaves theirs behind.
        if waiting.len() >= MOST_PRESSED {
            waiting.retain(|_, waiting| !waiting.is_closed());
        }
        waiting.insert(id.to_owned(), sender);
        receiver
    }

    fn forget(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Waits no more. What was answered until this moment is not lost.
    fn close(&self, id: &str, mut answered: oneshot::Receiver<Content>) -> Option<Content> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // With the lock held nobody can be answering.
        waiting.remove(id);
        answered.close();
        answered.try_recv().ok()
    }

    /// False when nobody waits any more.
    pub(crate) fn answer(&self, id: &str, words: Content) -> bool {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(id).is_some_and(|waiting| waiting.send(words).is_ok())
    }
}

pub(crate) struct Door {
    pub(crate) teams: Arc<Teams>,
    pub(crate) inbox: Inbox,
    /// Events of one room are stored in the order in which they came; rooms share a lane by chance.
    lanes: [tokio::sync::Mutex<()>; LANES],
}

/// Why a call got no further.
enum Stop {
    /// Not from the Connector; told to the log only.
    Refused(Refusal),
    /// From another machine, while unsigned events are taken from this one.
    Stranger,
    /// The keys cannot be had, or the store cannot be written: Teams must try again.
    Later,
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Stop::Refused(refusal)
    }
}

impl From<PushError> for Stop {
    fn from(_: PushError) -> Self {
        Stop::Later
    }
}

impl IntoResponse for Stop {
    fn into_response(self) -> Response {
        match self {
            Stop::Refused(Refusal::NoBearer) => StatusCode::UNAUTHORIZED.into_response(),
            Stop::Refused(_) | Stop::Stranger => StatusCode::FORBIDDEN.into_response(),
            Stop::Later => (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")]).into_response(),
        }
    }
}

async fn receive(State(door): State<Arc<Door>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let peer = head.extensions.get::<Peer>().copied();
    let vouched = match door.vouched(&head.headers, peer).await {
        Ok(vouched) => vouched,
        Err(stop) => return door.stopped(stop),
    };
    if head.headers.contains_key(header::CONTENT_ENCODING) || !is_json(&head.headers) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    match door.take(&body, vouched.as_ref()).await {
        Ok(answer) => answer,
        Err(stop) => door.stopped(stop),
    }
}

/// By its own word (S30).
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// Whether the caller named this machine: what came in by a tunnel that adds nothing of its own names another.
fn is_for_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    Url::parse(&format!("http://{host}/")).is_ok_and(|url| crate::config::is_loopback(&url))
}

impl Door {
    fn stopped(&self, stop: Stop) -> Response {
        if let Stop::Refused(refusal) = &stop {
            tracing::warn!(channel = %self.teams.channel, %refusal, "an event was refused");
        }
        stop.into_response()
    }

    /// Checks 1 to 6, before the body is read. `None`: development, from this machine.
    async fn vouched(&self, headers: &HeaderMap, peer: Option<Peer>) -> Result<Option<Vouched>, Stop> {
        let config = &self.teams.api.config;
        if config.development {
            return match peer {
                Some(peer) if peer.local && is_for_this_machine(headers) => Ok(None),
                _ => Err(Stop::Stranger),
            };
        }
        let mut given = headers.get_all(header::AUTHORIZATION).iter();
        let (one, more) = (given.next(), given.next());
        let header = one.filter(|_| more.is_none()).and_then(|value| value.to_str().ok());
        let token = jwt::read(header)?;
        let now = (self.teams.clock)();
        match self.teams.keys.find(&self.teams.api, &token.kid, now).await {
            Found::Key(key) => Ok(Some(token.verify(&key, &config.app_id, now)?)),
            Found::Unknown => Err(Refusal::UnknownKey.into()),
            Found::Unavailable => Err(Stop::Later),
        }
    }

    async fn take(&self, raw: &[u8], vouched: Option<&Vouched>) -> Result<Response, Stop> {
        let activity = match deskbridge_contract::json::read_bytes(raw) {
            Some(activity) => activity,
            None => return self.quarantine(raw, &TranslateError::Malformed("not JSON".into())).await,
        };
        // Check 7. What names no service address is nothing that could be answered: it is kept and has no effect.
        let Some(service) = text(&activity, "/serviceUrl") else {
            return self.quarantine(raw, &TranslateError::Malformed("serviceUrl".into())).await;
        };
        if let Some(vouched) = vouched {
            vouched.covers(service, text(&activity, "/channelId").unwrap_or_default())?;
        }
        let trusted = Url::parse(service).is_ok_and(|url| self.teams.api.config.trusts(&url));
        if !trusted {
            return Err(Refusal::ServiceUrl.into());
        }
        match self.teams.translated(&activity) {
            Ok(heard) => self.push(heard, &activity, service).await,
            Err(why) => self.quarantine(raw, &why).await,
        }
    }

    /// Kept for a person to look at, and taken: Teams would only bring it again.
    async fn quarantine(&self, raw: &[u8], why: &TranslateError) -> Result<Response, Stop> {
        self.inbox.quarantine(raw, why).await?;
        Ok((StatusCode::OK, axum::Json(json!({}))).into_response())
    }

    async fn push(&self, heard: Heard, activity: &Value, service: &str) -> Result<Response, Stop> {
        let invoke = text(activity, "/type") == Some("invoke");
        let lane = self.lane(&heard.address).lock().await;
        let keep = self.remember(&heard, service).await.map_err(|_| Stop::Later)?;
        if let Some(asked) = &heard.asked {
            drop(lane);
            return self.asked(&heard, asked).await;
        }
        let mut pressed = None;
        for event in heard.events.into_iter().filter(|_| keep.taken) {
            let mut event = if keep.verb { as_verb(event, heard.verb.as_deref()) } else { event };
            if keep.in_room {
                event.address.thread = None;
            }
            let waiting = event
                .interaction
                .as_ref()
                .map(|pressed| (pressed.id.clone(), self.teams.pressed.wait(&pressed.id)));
            let said = matches!(event.event, InboundEvent::Posted { .. });
            let receipt = match self.inbox.push(event).await {
                Ok(receipt) => receipt,
                Err(error) => {
                    waiting.iter().for_each(|(id, _)| self.teams.pressed.forget(id));
                    return Err(error.into());
                }
            };
            if let Some((id, answered)) = waiting {
                pressed = Some((receipt, id, answered, said));
            }
        }
        // Whoever waits for an answer keeps nobody else waiting.
        drop(lane);
        let answer = match pressed {
            Some((receipt, id, answered, said)) => self.answer(receipt, &id, answered, said).await,
            None => Content::text("Nothing was written."),
        };
        if !invoke {
            return Ok(StatusCode::ACCEPTED.into_response());
        }
        // "Universal Actions": the answer is in the same response, and is shown over the card, or in its place.
        if answer.actions.is_empty() {
            return Ok(told(&markup::plain(&answer.text)));
        }
        let reference = text(activity, "/value/action/data/reference");
        Ok(shown(&cards::whisper(&answer.text, &answer.actions, reference)))
    }

    /// What is answered and is no event.
    async fn asked(&self, heard: &Heard, asked: &Asked) -> Result<Response, Stop> {
        match asked {
            Asked::Look { reference, user } => {
                match self.teams.personal(&heard.address, reference, user).await {
                    Some(card) => Ok(shown(&card)),
                    None => Ok(told("There is nothing newer to be seen here.")),
                }
            }
            Asked::Form(form) => Ok((StatusCode::OK, axum::Json(form)).into_response()),
            Asked::Wish(wish) => {
                Ok((StatusCode::OK, axum::Json(self.wished(heard, wish).await?)).into_response())
            }
        }
    }

    fn lane(&self, at: &Address) -> &tokio::sync::Mutex<()> {
        let mut hasher = DefaultHasher::new();
        at.room.hash(&mut hasher);
        let lane = usize::try_from(hasher.finish() % LANES as u64).unwrap_or(0);
        &self.lanes[lane]
    }

    /// The toast of the commit, or a whisper that comes soon after it.
    async fn answer(
        &self,
        receipt: Receipt,
        id: &str,
        mut answered: oneshot::Receiver<Content>,
        said: bool,
    ) -> Content {
        let words = match receipt.toast {
            Some(toast) => Some(Content::text(markup::literal(&toast.text))),
            None if receipt.duplicate => None,
            None => {
                let patience = if said { PRESSED / 4 } else { PRESSED };
                tokio::time::timeout(patience, &mut answered).await.ok().and_then(Result::ok)
            }
        };
        let late = self.teams.pressed.close(id, answered);
        words.or(late).unwrap_or_else(|| Content::text("✓"))
    }

    /// Everything that must be known to write there later, stored before the event is.
    async fn remember(&self, heard: &Heard, service: &str) -> Result<Keep, deskbridge_contract::ShelfError> {
        let references = &self.teams.references;
        let at = &heard.address;
        references.heard(&at.room, heard.sign(service)).await?;
        if let Some((user, id)) = &heard.person {
            references.met(user, id).await?;
            if ids::kind(at.room.as_str()) == ids::Kind::Personal {
                references.in_chat(user, &at.room).await?;
            }
        }
        let posted = heard.events.iter().find_map(|event| match &event.event {
            InboundEvent::Posted { message, .. } => Some((message, event.interaction.is_some())),
            _ => None,
        });
        let kind = ids::kind(at.room.as_str());
        if kind == ids::Kind::Channel {
            // Whatever it is, an edit or a button too: whose the thread is, is known from now on, also after a restart.
            references.was_called(&at.key()).await?;
        }
        let all = Keep { taken: true, verb: false, in_room: false };
        let Some((message, typed_on_card)) = posted else { return Ok(all) };
        if kind == ids::Kind::Channel && !heard.called && !typed_on_card {
            references.overheard(&at.room, heard.at).await?;
        }
        match kind {
            ids::Kind::Personal => Ok(all),
            // With the permission to read a group chat everything in it comes; only what is said to the bot is meant.
            ids::Kind::Group => Ok(Keep { taken: heard.called || typed_on_card, ..all }),
            ids::Kind::Channel if self.teams.api.config.is_desk(&at.room) => {
                // What opens a thread of its own is said to the room: `@Desk off`.
                let in_room = at.thread.as_ref().is_some_and(|root| root.as_str() == message.as_str());
                Ok(Keep { taken: true, verb: heard.verb.is_some(), in_room })
            }
            ids::Kind::Channel => {
                // A sentence that begins like a verb is a sentence, wherever nobody works.
                let ours = heard.called && references.is_ours(&at.key()).await?;
                if heard.called && !ours {
                    references.call(&at.key()).await?;
                }
                Ok(Keep { verb: ours && heard.verb.is_some(), ..all })
            }
        }
    }
}

/// Words over the card, for the person who pressed.
fn told(words: &str) -> Response {
    let kind = "application/vnd.microsoft.activity.message";
    (StatusCode::OK, axum::Json(json!({ "statusCode": 200, "type": kind, "value": words }))).into_response()
}

/// A card in the place of the one that was pressed, for this person alone.
fn shown(card: &Value) -> Response {
    let answer = json!({ "statusCode": 200, "type": cards::CONTENT_TYPE, "value": card });
    (StatusCode::OK, axum::Json(answer)).into_response()
}

struct Keep {
    taken: bool,
    /// What was said to the bot is a verb.
    verb: bool,
    /// It is in no thread but the one that it opened itself.
    in_room: bool,
}

fn as_verb(mut event: Inbound, verb: Option<&str>) -> Inbound {
    if let (InboundEvent::Posted { content, .. }, Some(verb)) = (&mut event.event, verb) {
        content.text = verb.to_owned();
    }
    event
}

impl Teams {
    pub(crate) fn translated(&self, activity: &Value) -> Result<Heard, TranslateError> {
        let config = &self.api.config;
        let view = View {
            channel: &self.channel,
            app_id: &config.app_id,
            tenant: &config.tenant,
            received: (self.clock)(),
        };
        translate(&view, activity)
    }
}
