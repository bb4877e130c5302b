//! Opening a session: unknown, or vouched for by the site; and what a browser needs to know to begin.
//!
//! Not here: what sessions do.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use deskbridge_contract::Shelf;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Refusal, body, peer};
use crate::Widget;
use crate::ids::{ThreadKey, Token, Visitor};
use crate::journal::Thread;
use crate::people::{Person, Session};
use crate::translate::{MAX_FILES, MAX_TEXT};

#[derive(Deserialize)]
struct Wanted {
    /// The session before, to go on with it; or to take its conversations along when somebody signs in.
    token: Option<String>,
    jwt: Option<String>,
    user: Option<User>,
    language: Option<String>,
}

/// The older way: an id with its HMAC.
#[derive(Deserialize)]
struct User {
    id: String,
    hash: String,
    name: Option<String>,
    email: Option<String>,
}

struct Vouched {
    visitor: Visitor,
    name: Option<String>,
    email: Option<String>,
}

pub(super) async fn open(State(widget): State<Arc<Widget>>, request: Request) -> Answer {
    let from = peer(&request);
    let bytes = body(request.into_body()).await?;
    let wanted: Wanted = serde_json::from_slice(&bytes).map_err(|_| Refusal::malformed())?;
    let shelf = widget.shelf().map_err(|_| Refusal::unavailable())?;
    let now = (widget.clock)();
    let known = match wanted.token.as_deref().and_then(Token::parse) {
        Some(token) => widget.people.find(&shelf, &token, now).await?.map(|session| (token, session)),
        None => None,
    };
    let vouched = widget.vouched(&shelf, &wanted).await?;
    if wanted.jwt.is_some() || wanted.user.is_some() {
        let Some(vouched) = vouched else {
            widget.limits.failure(from).map_err(Refusal::slow)?;
            return Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "not-vouched",
                "The site's word for you does not hold.",
            ));
        };
        let (token, session) = widget.sign_in(&shelf, vouched, known.map(|(_, session)| session)).await?;
        return widget.begin(&shelf, &token, &session, wanted.language).await;
    }
    if let Some((token, session)) = known {
        return widget.begin(&shelf, &token, &session, wanted.language).await;
    }
    widget.limits.session(from).map_err(Refusal::slow)?;
    let visitor = Visitor::unknown().ok_or_else(Refusal::unavailable)?;
    let opened = widget.people.open(&shelf, visitor, None, now).await?;
    let (token, session) = opened.ok_or_else(Refusal::unavailable)?;
    widget.begin(&shelf, &token, &session, wanted.language).await
}

impl Widget {
    async fn vouched(&self, shelf: &Shelf, wanted: &Wanted) -> Result<Option<Vouched>, Refusal> {
        if let Some(jwt) = &wanted.jwt {
            let now = (self.clock)();
            let Some(proof) = self.vouching.token(jwt, now) else { return Ok(None) };
            let Some(person) = self.vouching.once(shelf, proof, now).await? else { return Ok(None) };
            let visitor = Visitor::vouched(&self.channel, &person.subject);
            return Ok(Some(Vouched { visitor, name: person.name, email: person.email }));
        }
        let Some(user) = &wanted.user else { return Ok(None) };
        let holds = self.vouching.hash(&user.id, &user.hash);
        Ok(holds.then(|| Vouched {
            visitor: Visitor::vouched(&self.channel, &user.id),
            name: user.name.clone(),
            email: user.email.clone(),
        }))
    }

    /// The same person on every device. What they wrote before, unknown in this browser, comes along; nobody else's does:
    /// the session before was shown, and it ends.
    async fn sign_in(
        &self,
        shelf: &Shelf,
        vouched: Vouched,
        before: Option<Arc<Session>>,
    ) -> Result<(Token, Arc<Session>), Refusal> {
        let mut adopted = Vec::new();
        if let Some(before) = before {
            if !before.verified {
                adopted = self.people.person(shelf, &before.visitor).await?.threads;
                for thread in &adopted {
                    self.hand_over(shelf, thread, &vouched.visitor).await?;
                }
            }
            self.people.end(shelf, &before).await?;
            self.hub.cut(&before.visitor, &before.digest);
        }
        let lifetime = self.config.identity_lifetime;
        let opened = self.people.open(shelf, vouched.visitor.clone(), Some(lifetime), (self.clock)()).await?;
        let change = |person: &mut Person| {
            person.name = vouched.name.as_deref().map(tidy).or(person.name.take());
            person.email = vouched.email.as_deref().map(tidy).or(person.email.take());
            for thread in adopted {
                if !person.threads.contains(&thread) {
                    person.threads.push(thread);
                }
            }
        };
        self.people.change(shelf, &vouched.visitor, change).await?;
        opened.ok_or_else(Refusal::unavailable)
    }

    async fn hand_over(&self, shelf: &Shelf, thread: &str, to: &Visitor) -> Result<(), Refusal> {
        let Some(key) = ThreadKey::parse(thread) else { return Ok(()) };
        let mut held = self.threads.hold(shelf, &key).await?;
        if let Some(thread) = held.as_mut() {
            thread.meta.owner = to.clone();
            thread.keep(shelf).await?;
        }
        Ok(())
    }

    async fn begin(
        &self,
        shelf: &Shelf,
        token: &Token,
        session: &Session,
        language: Option<String>,
    ) -> Answer {
        let change = |person: &mut Person| {
            if let Some(language) = language.as_deref().filter(|text| is_language(text)) {
                person.language = Some(language.to_owned());
            }
        };
        let person = self.people.change(shelf, &session.visitor, change).await?;
        let conversations = self.summaries(shelf, &person).await?;
        let hours = self.inbox().map_err(|_| Refusal::unavailable())?.desk_hours().await;
        let config = &self.config;
        let files = self.inbox().is_ok_and(|inbox| inbox.files().is_some());
        let site = json!({
            "title": config.title, "greeting": config.greeting, "color": config.color, "topics": config.topics,
            "ask": config.ask, "verifiedOnly": config.verified_only, "hours": hours,
            "limits": { "text": MAX_TEXT, "files": if files { MAX_FILES } else { 0 }, "file": config.max_file },
        });
        let me = json!({ "id": session.visitor.0, "name": person.name, "email": person.email,
            "verified": session.verified });
        let answer = json!({ "token": token.reveal(), "until": session.until.0 / 1000, "me": me, "site": site,
            "conversations": conversations });
        Ok(Json(answer).into_response())
    }

    pub(super) async fn summaries(&self, shelf: &Shelf, person: &Person) -> Result<Vec<Value>, Refusal> {
        let mut summaries = Vec::new();
        for key in person.threads.iter().rev().filter_map(|thread| ThreadKey::parse(thread)) {
            if let Some(thread) = self.threads.hold(shelf, &key).await?.as_ref() {
                summaries.push(summary(thread));
            }
        }
        Ok(summaries)
    }
}

/// One line of "my requests".
pub(super) fn summary(thread: &Thread) -> Value {
    json!({ "c": thread.key.0, "title": thread.meta.title, "standing": thread.meta.standing, "seq": thread.seq(),
        "read": thread.meta.read, "at": thread.at(), "words": thread.words() })
}

/// Names are shown to people; whatever is in them is theirs to read and nothing else.
pub(super) fn tidy(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect::<String>().trim().to_owned()
}

pub(super) fn is_language(text: &str) -> bool {
    (2..=35).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}
