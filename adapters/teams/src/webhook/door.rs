//! How an outgoing webhook's requests come in: signature over the raw bytes, time, repeats; stored, then answered in the
//! same response within five seconds, for Teams asks once and waits no longer (T48).
//!
//! Not here: what was said (`said.rs`), limits of size and time, which the host puts in front as well.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deskbridge_contract::{Address, Inbound, Inbox, Intake, Receipt, TranslateError};
use ring::hmac;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::Instant;
use url::Url;

use super::notice::About;
use super::{Webhook, said, slots};
use crate::files::{self, Shop};
use crate::receive::is_json;
use crate::references::{Change, Sign};
use crate::translate::{team, text};

const MAX_BODY: usize = 1 << 20;
const LANES: usize = 64;
/// The longest that storing may take; after that the person reads that it could not be taken.
const STORED: Duration = Duration::from_millis(4_500);
/// The longest that an answer is held back so that it is kept for repeats: it matters more than they do.
const KEPT: Duration = Duration::from_millis(500);

pub(super) fn intake(webhook: Arc<Webhook>, inbox: Inbox) -> Intake {
    webhook.threads.open(inbox.shelf());
    if let Some(bot) = &webhook.bot {
        bot.references.open(inbox.shelf());
    }
    let mut routes = Router::new();
    if let Some(files) = inbox.files() {
        let shop = Shop { links: webhook.links.clone(), files, clock: webhook.clock.clone() };
        routes = routes.merge(Router::new().route("/file", get(files::give)).with_state(Arc::new(shop)));
    }
    if let Some(key) = &webhook.config.security {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let lanes = std::array::from_fn(|_| tokio::sync::Mutex::new(()));
        let door = Arc::new(Door { webhook, inbox, key, lanes });
        routes = routes.merge(Router::new().route("/", post(receive)).with_state(door));
    }
    Intake { webhook: Some(routes), ..Intake::default() }
}

struct Door {
    webhook: Arc<Webhook>,
    inbox: Inbox,
    key: hmac::Key,
    /// Questions of one thread are stored in the order in which they came; threads share a lane by chance.
    lanes: [tokio::sync::Mutex<()>; LANES],
}

async fn receive(State(door): State<Arc<Door>>, request: Request) -> Response {
    let came = Instant::now();
    let (head, body) = request.into_parts();
    let Some(signature) = signature(&head.headers) else { return door.refused("no signature") };
    if head.headers.contains_key(header::CONTENT_ENCODING) || !is_json(&head.headers) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    // Compares in constant time.
    if hmac::verify(&door.key, &body, &signature).is_err() {
        return door.refused("wrong signature");
    }
    // By itself: whoever hangs up does not end it half way, where an answer would be taken and not kept.
    let taken = tokio::spawn(async move {
        match tokio::time::timeout_at(came + STORED, door.take(&body, came)).await {
            Ok(response) => response,
            // It is stored in the end, or it is not: nobody knows yet, and nobody asks again.
            Err(_) => {
                answered(&words("This is taking too long here. Please look again, or write once more."))
            }
        }
    });
    taken.await.unwrap_or_else(|_| unavailable())
}

/// `Authorization: HMAC <base64>`, once.
fn signature(headers: &HeaderMap) -> Option<Vec<u8>> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (one, more) = (given.next()?, given.next());
    let (scheme, signature) = one.to_str().ok().filter(|_| more.is_none())?.split_once(' ')?;
    let signature = STANDARD.decode(signature.trim()).ok()?;
    (scheme.eq_ignore_ascii_case("hmac") && !signature.is_empty()).then_some(signature)
}

fn words(text: &str) -> Value {
    json!({ "type": "message", "text": text })
}

fn answered(answer: &Value) -> Response {
    (StatusCode::OK, axum::Json(answer)).into_response()
}

impl Door {
    fn refused(&self, why: &'static str) -> Response {
        tracing::warn!(channel = %self.webhook.channel, why, "a request was refused");
        StatusCode::UNAUTHORIZED.into_response()
    }

    async fn take(&self, raw: &[u8], came: Instant) -> Response {
        let activity = deskbridge_contract::json::read_bytes(raw).unwrap_or_default();
        let Some(at) = said::time(&activity) else {
            return self.quarantine(raw, &TranslateError::Malformed("timestamp".into())).await;
        };
        if !said::is_fresh(at, (self.webhook.clock)()) {
            tracing::warn!(channel = %self.webhook.channel, "a request was refused: its time is too far off");
            return StatusCode::FORBIDDEN.into_response();
        }
        match said::translate(&self.webhook.channel, &activity, at) {
            Ok(event) => self.ask(event, &activity, came).await,
            Err(why) => self.quarantine(raw, &why).await,
        }
    }

    /// Signed, and not to be understood: kept for a person to look at (S29).
    async fn quarantine(&self, raw: &[u8], why: &TranslateError) -> Response {
        match self.inbox.quarantine(raw, why).await {
            Ok(()) => answered(&words("This cannot be read here.")),
            Err(_) => unavailable(),
        }
    }

    async fn ask(&self, event: Inbound, activity: &Value, came: Instant) -> Response {
        let (at, id) = (event.address.clone(), event.id.to_string());
        let name = event.from.display_name.clone().unwrap_or_default();
        let lane = self.lane(&at).lock().await;
        let Ok(given) = slots::given(&self.inbox.shelf(), &id).await else { return unavailable() };
        if self.remember(&at, activity).await.is_err() {
            return unavailable();
        }
        // A repeat waits for nothing: an answer to somebody else's question must not get into it.
        let slot = if given.is_none() { self.webhook.slots.wait(&at, &id) } else { None };
        let receipt = match self.inbox.push(event).await {
            Ok(receipt) => receipt,
            Err(_) => {
                slot.map(|slot| self.webhook.slots.close(&at, slot));
                return unavailable();
            }
        };
        drop(lane);
        // What was answered before is answered again, word for word.
        if let Some(given) = given {
            return answered(&given);
        }
        let answer = self.answer(&at, &receipt, name, slot, came).await;
        // Lost, a repeat would only be acknowledged: it has no effect in any case.
        if !receipt.duplicate {
            let shelf = self.inbox.shelf();
            let kept = tokio::time::timeout(KEPT, slots::keep(&shelf, &id, &answer)).await;
            if !matches!(kept, Ok(Ok(()))) {
                tracing::debug!(channel = %self.webhook.channel, "an answer could not be kept for repeats");
            }
        }
        answered(&answer)
    }

    async fn answer(
        &self,
        at: &Address,
        receipt: &Receipt,
        name: String,
        slot: Option<oneshot::Receiver<Value>>,
        came: Instant,
    ) -> Value {
        if let Some(reference) = &receipt.reference {
            let about = About { name, reference: reference.clone() };
            self.webhook.note(at, &about).await;
        }
        let mut ready = None;
        if let Some(mut slot) = slot {
            if !receipt.duplicate {
                ready = tokio::time::timeout_at(came + self.webhook.config.ready, &mut slot)
                    .await
                    .ok()
                    .and_then(Result::ok);
            }
            ready = ready.or_else(|| self.webhook.slots.close(at, slot));
        }
        ready.unwrap_or_else(|| words(&self.webhook.acknowledgement(receipt.reference.as_deref())))
    }

    fn lane(&self, at: &Address) -> &tokio::sync::Mutex<()> {
        let mut hasher = DefaultHasher::new();
        at.key().hash(&mut hasher);
        let lane = usize::try_from(hasher.finish() % LANES as u64).unwrap_or(0);
        &self.lanes[lane]
    }

    /// Where the bot has to write later: the server that this came from, when it is a trusted one.
    async fn remember(&self, at: &Address, activity: &Value) -> Result<(), deskbridge_contract::ShelfError> {
        let Some(bot) = &self.webhook.bot else { return Ok(()) };
        let Some(service) = text(activity, "/serviceUrl") else { return Ok(()) };
        if Url::parse(service).is_ok_and(|url| bot.api.config.trusts(&url)) {
            let at_time = said::time(activity).unwrap_or_else(|| (self.webhook.clock)());
            let sign = Sign { service, team: team(activity), change: Change::None, at: at_time };
            bot.references.heard(&at.room, sign).await?;
        }
        Ok(())
    }
}

/// There is no second try by Teams: the person reads that something went wrong, and nothing was stored.
fn unavailable() -> Response {
    StatusCode::SERVICE_UNAVAILABLE.into_response()
}

impl Webhook {
    /// Committed, and not answered yet.
    fn acknowledgement(&self, reference: Option<&str>) -> String {
        let received = match reference {
            Some(reference) => format!("Received, {reference}."),
            None => "Received.".to_owned(),
        };
        let later = match (&self.bot, &self.flow) {
            (Some(_), _) => "The answer will be in this thread.",
            (None, Some(_)) => "The answer will come as a message of its own, with this number.",
            (None, None) => "Nothing can be written here later: call me again and ask for the status.",
        };
        format!("{received} {later}")
    }

    /// Whose words a thread is about, for what comes later by a flow.
    async fn note(&self, at: &Address, about: &About) {
        let Some(shelf) = self.threads.shelf() else { return };
        let kept = serde_json::to_string(about).unwrap_or_default();
        if shelf.put(&about_key(&at.key()), &kept).await.is_err() {
            tracing::debug!(channel = %self.channel, "whose a thread is could not be noted");
        }
    }

    /// What was noted of a thread.
    pub(super) async fn about(&self, at: &Address) -> Result<Option<About>, deskbridge_contract::ShelfError> {
        let Some(shelf) = self.threads.shelf() else { return Ok(None) };
        let kept = shelf.get(&about_key(&at.key())).await?;
        Ok(kept.and_then(|kept| serde_json::from_str(&kept).ok()))
    }
}

fn about_key(thread: &str) -> String {
    format!("about:{thread}")
}
