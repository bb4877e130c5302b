//! Which tags a post has in the end: ours by its state, its priority and its queue, and those that people set.
//!
//! Not here: what a state is called as a tag (`cards.rs`).

use deskbridge_contract::{Card, CardState, Content};
use reqwest::Method;
use serde_json::{Value, json};

use super::Sending;
use super::forums::Forum;
use crate::api::{Call, Fault};
use crate::cards;
use crate::ids::Place;

/// "Thread": at most five.
const MOST: usize = 5;
const QUEUE: &str = "Queue";
const PRIORITY: &str = "Priority";

/// What a card says that becomes tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Carded {
    queue: Option<String>,
    priority: bool,
}

impl Carded {
    pub(super) fn of(card: &Card) -> Carded {
        let fact = |label: &str| card.facts.iter().find(|fact| fact.label == label);
        Carded { queue: fact(QUEUE).map(|fact| fact.value.clone()), priority: fact(PRIORITY).is_some() }
    }

    pub(super) fn tags(&self, state: CardState, forum: &Forum) -> Vec<String> {
        cards::tags(state, self.queue.as_deref(), self.priority, &forum.tags)
    }
}

impl Sending {
    pub(super) fn note_card(&self, place: Place<'_>, content: &Content) {
        let (Some(card), Some(_)) = (&content.card, place.forum) else { return };
        let says = Carded::of(card);
        self.threads.with(place.channel, |post| {
            let left = post.carded.take().and_then(|before| before.queue);
            post.left.extend(left.filter(|queue| says.queue.as_ref() != Some(queue)));
            post.carded = Some(says);
        });
    }

    /// An earlier process drew the card: it says in which queue the post is now, before it is drawn anew. Best effort.
    pub(super) async fn recall(&self, place: Place<'_>, card: &str) {
        if place.forum.is_none() || self.threads.with(place.channel, |post| post.carded.is_some()) {
            return;
        }
        let route = format!("channels/{}/messages/{card}", place.channel);
        let Ok(message) = self.api.get(route, &[]).await else { return };
        let embeds = message["embeds"].as_array().into_iter().flatten();
        let mut fields = embeds.filter_map(|embed| embed["fields"].as_array()).flatten();
        let queue = fields.find(|field| field["name"] == QUEUE).and_then(|field| field["value"].as_str());
        if let Some(queue) = queue.map(unescaped) {
            self.threads.with(place.channel, |post| post.left.push(queue));
        }
    }

    /// Best effort: the card says it as well.
    pub(super) async fn retag(&self, place: Place<'_>, content: &Content) {
        let (Some(forum), Some(card)) = (place.forum, &content.card) else { return };
        if let Err(fault) = self.tag(place, forum, card.state).await {
            tracing::debug!(channel = %self.api.channel(), error = %fault.error, "a post kept its tags");
        }
    }

    /// Sets the tags as they should be. Other people's stay, whenever they were set: they are asked for before.
    pub(super) async fn tag(&self, place: Place<'_>, forum: &str, state: CardState) -> Result<(), Fault> {
        let forum = self.forum(forum).await?;
        let (says, before, left) = self.threads.with(place.channel, |post| {
            (post.carded.clone().unwrap_or_default(), post.tags.clone(), post.left.clone())
        });
        let wanted = says.tags(state, &forum);
        if before.as_ref() == Some(&wanted) && left.is_empty() {
            return Ok(());
        }
        let route = format!("channels/{}", place.channel);
        let thread = self.api.get(route.clone(), &[]).await?;
        let there = thread["applied_tags"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let there: Vec<String> = there.map(str::to_owned).collect();
        let queues: Vec<String> =
            left.iter().flat_map(|queue| cards::tag_named(queue, &forum.tags)).collect();
        let mut all = wanted.clone();
        for tag in there.iter().filter(|tag| !queues.contains(tag)) {
            let ours = before.as_ref().is_some_and(|before| before.contains(tag));
            let name = forum.tags.iter().find(|(_, known)| known == tag).map(|(name, _)| name.as_str());
            let others = !ours && name.is_some_and(|name| !cards::is_ours(name));
            if others && !all.contains(tag) && all.len() < MOST {
                all.push(tag.clone());
            }
        }
        let as_it_is = all.len() == there.len() && all.iter().all(|tag| there.contains(tag));
        let must_have_one = all.is_empty() && forum.needs_tag;
        if !(as_it_is || must_have_one) {
            let call = Call::new(Method::PATCH, route).with(json!({ "applied_tags": all }));
            self.in_place(place, &call).await?;
        }
        self.threads.with(place.channel, |post| {
            post.tags = Some(wanted);
            post.left.retain(|queue| !left.contains(queue));
        });
        Ok(())
    }
}

/// As it was before it was written so that it is only text.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        let escapes = sign == '\\' && signs.peek().is_some_and(char::is_ascii_punctuation);
        if !escapes {
            out.push(sign);
        } else if let Some(next) = signs.next() {
            out.push(next);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markup;

    #[test]
    fn a_queues_name_comes_back() {
        for name in ["net_ops", "storage", "a-b.c", "#x*y", "back\\slash", ""] {
            assert_eq!(unescaped(&markup::literal(name)).replace('\u{2060}', ""), name);
        }
    }
}
