//! Visitors and their sessions, kept on the shelf; what is in memory is only what was asked for lately.
//!
//! Not here: who vouches for a person (`identity`), what a session may do (`receive`).

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deskbridge_contract::{Shelf, ShelfError, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex as AsyncMutex;

use crate::ids::{ThreadKey, Token, TokenDigest, Visitor};

/// An unknown visitor who does not come back for so long is a new one.
const UNKNOWN: Duration = Duration::from_secs(30 * 24 * 3600);
/// Kept in memory; more are forgotten and read again.
const HOT: usize = 20_000;
/// Conversations that a person can see.
const THREADS: usize = 100;

#[derive(Serialize, Deserialize)]
struct Stored {
    visitor: String,
    verified: bool,
    until: Timestamp,
    #[serde(default)]
    ended: bool,
}

/// One browser that showed its token.
#[derive(Debug)]
pub struct Session {
    pub digest: TokenDigest,
    pub visitor: Visitor,
    pub verified: bool,
    pub until: Timestamp,
    ended: AtomicBool,
}

impl Session {
    /// Looked at before everything that a session does.
    pub fn holds(&self, now: Timestamp) -> bool {
        !self.ended.load(Ordering::Acquire) && self.until > now
    }

    pub(crate) fn end_at_once(&self) {
        self.ended.store(true, Ordering::Release);
    }
}

/// What is known of a visitor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    pub language: Option<String>,
    /// Oldest first.
    #[serde(default)]
    pub threads: Vec<String>,
}

impl Person {
    pub fn owns(&self, thread: &ThreadKey) -> bool {
        self.threads.contains(&thread.0)
    }
}

#[derive(Default)]
pub struct People {
    pub(crate) sessions: Mutex<HashMap<TokenDigest, Arc<Session>>>,
    pub(crate) persons: Mutex<HashMap<Visitor, Person>>,
    /// One change of a person at a time.
    changing: AsyncMutex<()>,
}

pub fn unreadable(error: &serde_json::Error) -> ShelfError {
    ShelfError(format!("an unreadable entry: {error}"))
}

pub async fn read<T: for<'a> Deserialize<'a>>(shelf: &Shelf, key: &str) -> Result<Option<T>, ShelfError> {
    let Some(text) = shelf.get(key).await? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|e| unreadable(&e))
}

pub async fn write<T: Serialize + Sync>(shelf: &Shelf, key: &str, value: &T) -> Result<(), ShelfError> {
    let text = serde_json::to_string(value).map_err(|e| unreadable(&e))?;
    shelf.put(key, &text).await
}

impl People {
    /// A new session. `None`: no randomness.
    pub async fn open(
        &self,
        shelf: &Shelf,
        visitor: Visitor,
        verified: Option<Duration>,
        now: Timestamp,
    ) -> Result<Option<(Token, Arc<Session>)>, ShelfError> {
        let Some(token) = Token::fresh() else { return Ok(None) };
        let until = now + verified.unwrap_or(UNKNOWN);
        let stored = Stored { visitor: visitor.0.clone(), verified: verified.is_some(), until, ended: false };
        let digest = token.digest();
        write(shelf, &format!("s:{}", digest.0), &stored).await?;
        let session = self.keep(digest, stored);
        Ok(Some((token, session)))
    }

    pub async fn find(
        &self,
        shelf: &Shelf,
        token: &Token,
        now: Timestamp,
    ) -> Result<Option<Arc<Session>>, ShelfError> {
        let digest = token.digest();
        let hot = self.sessions.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned();
        let session = match hot {
            Some(session) => session,
            None => match read::<Stored>(shelf, &format!("s:{}", digest.0)).await? {
                Some(stored) => self.keep(digest, stored),
                None => return Ok(None),
            },
        };
        Ok(session.holds(now).then_some(session))
    }

    fn keep(&self, digest: TokenDigest, stored: Stored) -> Arc<Session> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= HOT {
            sessions.retain(|_, session| Arc::strong_count(session) > 1);
        }
        let session = Arc::new(Session {
            digest: digest.clone(),
            visitor: Visitor(stored.visitor),
            verified: stored.verified,
            until: stored.until,
            ended: AtomicBool::new(stored.ended),
        });
        // Somebody else may have read it meanwhile: there is one of each, so that ending it ends it everywhere.
        sessions.entry(digest).or_insert(session).clone()
    }

    /// Ends a session at once, and for ever.
    pub async fn end(&self, shelf: &Shelf, session: &Session) -> Result<(), ShelfError> {
        session.end_at_once();
        let stored = Stored {
            visitor: session.visitor.0.clone(),
            verified: session.verified,
            until: session.until,
            ended: true,
        };
        write(shelf, &format!("s:{}", session.digest.0), &stored).await
    }

    pub async fn person(&self, shelf: &Shelf, visitor: &Visitor) -> Result<Person, ShelfError> {
        let hot = self.persons.lock().unwrap_or_else(PoisonError::into_inner).get(visitor).cloned();
        if let Some(person) = hot {
            return Ok(person);
        }
        let person: Person = read(shelf, &format!("p:{}", visitor.0)).await?.unwrap_or_default();
        self.remember(visitor, &person);
        Ok(person)
    }

    fn remember(&self, visitor: &Visitor, person: &Person) {
        let mut persons = self.persons.lock().unwrap_or_else(PoisonError::into_inner);
        if persons.len() >= HOT {
            persons.clear();
        }
        persons.insert(visitor.clone(), person.clone());
    }

    /// Changes a person; written only where something changed.
    pub async fn change(
        &self,
        shelf: &Shelf,
        visitor: &Visitor,
        change: impl FnOnce(&mut Person) + Send,
    ) -> Result<Person, ShelfError> {
        let _one = self.changing.lock().await;
        let before = self.person(shelf, visitor).await?;
        let mut person = before.clone();
        change(&mut person);
        let surplus = person.threads.len().saturating_sub(THREADS);
        person.threads.drain(..surplus);
        if person != before {
            write(shelf, &format!("p:{}", visitor.0), &person).await?;
            self.remember(visitor, &person);
        }
        Ok(person)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A session that holds.
    pub(crate) fn session(visitor: &str, digest: &str) -> Arc<Session> {
        Arc::new(Session {
            digest: TokenDigest(digest.to_owned()),
            visitor: Visitor(visitor.to_owned()),
            verified: false,
            until: Timestamp(i64::MAX),
            ended: AtomicBool::new(false),
        })
    }
}
