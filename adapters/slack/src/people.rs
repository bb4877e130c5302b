//! Who somebody is: names, addresses, languages and guests, asked of Slack once an hour and remembered for that long.
//!
//! Not here: whether a person is a technician; that goes by id, in the core.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deskbridge_contract::names::{self, clean};
use deskbridge_contract::{RemoteUserId, Sender, SenderKind, Timestamp};
use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::Value;

use crate::api::Api;
use crate::markup::Names;
use crate::translate::text;
use crate::{Me, ids};

/// How long a person is remembered; `user_change` ends it earlier.
const FRESH: Duration = Duration::from_secs(3600);
/// How long nobody asks again after it failed: an event has three seconds, and many of them come at once.
const AGAIN: Duration = Duration::from_secs(30);
/// Everybody who writes on a busy day.
const MOST: usize = 5_000;
/// People of one event that are asked for; the rest keep their ids.
const MAX_NAMED: usize = 20;
/// For all the people of one event together. An event that was not taken in three seconds comes again.
const PATIENCE: Duration = Duration::from_millis(1200);
/// Rich text is nested; nobody's message is deeper.
const MAX_DEPTH: usize = 24;

/// A person of "users.info", as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub name: Option<String>,
    pub email: Option<String>,
    pub email_verified: bool,
    pub picture: Option<String>,
    /// BCP 47.
    pub language: Option<String>,
    pub kind: SenderKind,
}

/// The people of one event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known(HashMap<String, Person>);

impl Known {
    #[cfg(test)]
    pub(crate) fn of(people: impl IntoIterator<Item = (&'static str, Person)>) -> Known {
        Known(people.into_iter().map(|(id, person)| (id.to_owned(), person)).collect())
    }

    pub(crate) fn knows(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    pub(crate) fn name(&self, id: &str) -> Option<&str> {
        self.0.get(id)?.name.as_deref()
    }

    pub(crate) fn names<'a>(&'a self, me: &'a Me) -> Named<'a> {
        Named { known: self, me }
    }

    /// Somebody who could not be looked up is named by the id: the event is worth more than the name.
    pub(crate) fn sender(&self, id: &str) -> Sender {
        let person = self.0.get(id);
        Sender {
            id: RemoteUserId::from(id),
            display_name: person.and_then(|person| person.name.clone()).or_else(|| clean(id)),
            email: person.and_then(|person| person.email.clone()),
            email_verified: person.is_some_and(|person| person.email_verified),
            picture: person.and_then(|person| person.picture.clone()),
            language: person.and_then(|person| person.language.clone()),
            kind: person.map_or(SenderKind::Human, |person| person.kind),
        }
    }
}

/// The people of one event as the texts in it name them.
pub(crate) struct Named<'a> {
    known: &'a Known,
    me: &'a Me,
}

impl Names for Named<'_> {
    fn person(&self, id: &str) -> Option<String> {
        if id == self.me.user_id {
            return self.me.name.clone();
        }
        self.known.name(id).map(str::to_owned)
    }
}

struct Entry {
    person: Option<Person>,
    asked: Timestamp,
}

/// The cache.
#[derive(Default)]
pub(crate) struct People(Mutex<HashMap<String, Entry>>);

impl People {
    /// Looks everybody up who is named in a payload. Never fails: who cannot be had is left out.
    pub(crate) async fn named_in(&self, api: &Api, me: &Me, payload: &Value, now: Timestamp) -> Known {
        let mut ids = BTreeSet::new();
        gather(payload, 0, &mut ids);
        let (mut known, wanted) = self.remembered(ids, now);
        if wanted.is_empty() {
            return known;
        }
        let mut open: BTreeSet<String> = wanted.iter().cloned().collect();
        let asked = stream::iter(wanted).map(|id| async move { (ask(api, me, &id).await, id) });
        let mut asked = std::pin::pin!(asked.buffer_unordered(8));
        let limit = tokio::time::sleep(PATIENCE);
        tokio::pin!(limit);
        loop {
            let (person, id) = tokio::select! {
                next = asked.next() => match next { Some(next) => next, None => break },
                () = &mut limit => break,
            };
            open.remove(&id);
            if let Some(person) = self.learn(&id, person, now) {
                known.0.insert(id, person);
            }
        }
        for id in open {
            self.learn(&id, None, now);
        }
        known
    }

    /// Something about this person changed.
    pub(crate) fn forget(&self, id: &str) {
        self.lock().remove(id);
    }

    fn remembered(&self, ids: BTreeSet<String>, now: Timestamp) -> (Known, Vec<String>) {
        let cache = self.lock();
        let (mut known, mut wanted) = (Known::default(), Vec::new());
        for id in ids {
            let entry = cache.get(&id);
            let age = entry.map(|entry| now.since(entry.asked));
            let fresh = match entry {
                Some(Entry { person: Some(_), .. }) => age.is_some_and(|age| age < FRESH),
                Some(Entry { person: None, .. }) => age.is_some_and(|age| age < AGAIN),
                None => false,
            };
            // What is stale is better than nothing, should asking fail.
            if let Some(person) = entry.and_then(|entry| entry.person.clone()) {
                known.0.insert(id.clone(), person);
            }
            if !fresh && wanted.len() < MAX_NAMED {
                wanted.push(id);
            }
        }
        (known, wanted)
    }

    /// Keeps an answer, or that there was none: what was known before stays, and nobody asks for a while.
    fn learn(&self, id: &str, person: Option<Person>, now: Timestamp) -> Option<Person> {
        let mut cache = self.lock();
        if cache.len() >= MOST && !cache.contains_key(id) {
            let mut ages: Vec<Timestamp> = cache.values().map(|entry| entry.asked).collect();
            ages.sort_unstable();
            let oldest = ages[MOST / 10];
            cache.retain(|_, entry| entry.asked > oldest);
        }
        match person {
            Some(person) => {
                cache.insert(id.to_owned(), Entry { person: Some(person.clone()), asked: now });
                Some(person)
            }
            None => {
                let entry = cache.entry(id.to_owned()).or_insert(Entry { person: None, asked: now });
                // Asked for again after `AGAIN`, whether something is known or not.
                let soon = if entry.person.is_some() { FRESH.saturating_sub(AGAIN) } else { Duration::ZERO };
                entry.asked = now - soon;
                entry.person.clone()
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask(api: &Api, me: &Me, id: &str) -> Option<Person> {
    let query = [("user", id.to_owned()), ("include_locale", "true".to_owned())];
    match api.get("users.info", &query).await {
        Ok(answer) => Some(read(answer.get("user")?, me)),
        Err(fault) => {
            tracing::debug!(error = %fault.error, "a person could not be looked up");
            None
        }
    }
}

/// "user object". Guests, people of other organisations, and people of connected channels are from outside.
fn read(user: &Value, me: &Me) -> Person {
    let profile = user.get("profile").unwrap_or(&Value::Null);
    let name = text(profile, "display_name")
        .or_else(|| text(profile, "real_name"))
        .or_else(|| text(user, "real_name"))
        .or_else(|| text(user, "name"));
    let flag = |key: &str| user.get(key) == Some(&Value::Bool(true));
    // In an Enterprise Grid a colleague's home is another workspace of the same organisation.
    let organisation = text(user, "enterprise_id")
        .or_else(|| user.get("enterprise_user").and_then(|of| text(of, "enterprise_id")));
    let colleague = organisation.is_some() && organisation == me.enterprise_id.as_deref();
    let elsewhere = text(user, "team_id").is_some_and(|of| of != me.team_id) && !colleague;
    let kind = if flag("is_bot") || flag("is_workflow_bot") || text(user, "id") == Some("USLACKBOT") {
        SenderKind::Bot
    } else if is_guest(user) || flag("is_stranger") || flag("deleted") || elsewhere {
        SenderKind::External
    } else {
        SenderKind::Human
    };
    let picture = ["image_192", "image_72", "image_48"].iter().find_map(|size| text(profile, size));
    Person {
        name: name.and_then(clean),
        email: text(profile, "email").map(str::to_owned),
        // Slack sends a link to an address before it is somebody's; whoever has not followed it has an unconfirmed one. Not
        // said is not confirmed.
        email_verified: text(profile, "email").is_some() && flag("is_email_confirmed"),
        picture: picture.and_then(names::picture),
        language: text(user, "locale").map(str::to_owned),
        kind,
    }
}

/// A guest of one channel or of several.
pub(crate) fn is_guest(user: &Value) -> bool {
    ["is_restricted", "is_ultra_restricted"].iter().any(|key| user.get(key) == Some(&Value::Bool(true)))
}

/// Ids of people anywhere in a payload: as senders, in rich text, and in `<@U123>`.
fn gather(value: &Value, depth: usize, ids: &mut BTreeSet<String>) {
    if depth > MAX_DEPTH || ids.len() >= 2 * MAX_NAMED {
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, depth + 1, ids)),
        Value::Object(fields) => {
            for (key, inner) in fields {
                match inner {
                    Value::String(id) if matches!(key.as_str(), "user" | "user_id") => keep(id, ids),
                    Value::String(said) if key == "text" => mentioned(said, ids),
                    // Who installed the app is in every event, and says nothing.
                    _ if key == "authorizations" => {}
                    Value::Object(person) if key == "user" => {
                        if let Some(Value::String(id)) = person.get("id") {
                            keep(id, ids);
                        }
                    }
                    inner => gather(inner, depth + 1, ids),
                }
            }
        }
        _ => {}
    }
}

fn mentioned(said: &str, ids: &mut BTreeSet<String>) {
    for (at, _) in said.match_indices("<@").take(MAX_NAMED) {
        let rest = &said[at + 2..];
        keep(&rest[..rest.find(['>', '|']).unwrap_or(0)], ids);
    }
}

fn keep(id: &str, ids: &mut BTreeSet<String>) {
    // A bot's `B…` is no person to ask for.
    if ids::is_user(id) && !id.starts_with('B') {
        ids.insert(id.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn me(enterprise: Option<&str>) -> Me {
        Me { team_id: "T1".into(), enterprise_id: enterprise.map(str::to_owned), ..Me::default() }
    }

    #[test]
    fn only_ones_own_organisation_is_inside() {
        let in_grid = |id: &str| json!({ "team_id": "T2", "enterprise_user": { "enterprise_id": id } });
        for (user, ours, kind) in [
            (json!({ "team_id": "T1" }), None, SenderKind::Human),
            (json!({ "team_id": "T2" }), None, SenderKind::External),
            (json!({ "team_id": "T2" }), Some("E1"), SenderKind::External),
            (json!({ "team_id": "T2", "enterprise_id": "E1" }), Some("E1"), SenderKind::Human),
            (json!({ "team_id": "T2", "enterprise_id": "E2" }), Some("E1"), SenderKind::External),
            (json!({ "team_id": "T2", "enterprise_id": "E2" }), None, SenderKind::External),
            (in_grid("E1"), Some("E1"), SenderKind::Human),
            (in_grid("E2"), Some("E1"), SenderKind::External),
        ] {
            assert_eq!(read(&user, &me(ours)).kind, kind, "{user} {ours:?}");
        }
    }

    #[test]
    fn an_address_is_verified_only_where_slack_says_so() {
        let profile = json!({ "email": "ana@example.com" });
        for (user, verified) in [
            (json!({ "profile": profile }), false),
            (json!({ "profile": profile, "is_email_confirmed": false }), false),
            (json!({ "profile": profile, "is_email_confirmed": "true" }), false),
            (json!({ "profile": profile, "is_email_confirmed": true }), true),
            (json!({ "profile": {}, "is_email_confirmed": true }), false),
        ] {
            assert_eq!(read(&user, &me(None)).email_verified, verified, "{user}");
        }
    }
}
