//! A conversation's card as one person may see it, for platforms that show a card to each person in their own way (D35).
//!
//! Not here: the card that everybody sees (`render`), how a platform draws it (the adapters).

use deskbridge_contract::{Action, Address, PersonalCard, RemoteUserId};
use deskbridge_conversation::policy::Policy;
use deskbridge_conversation::verbs::{Names, Parsed, from_action, permitted};
use deskbridge_conversation::{Conversation, ConversationId, TechnicianId};

use super::Bridge;

impl Bridge {
    /// `None` where the thread is not this conversation's, or the store cannot be read: nothing is said of others'.
    pub async fn personal_card(
        &self,
        at: &Address,
        reference: &str,
        user: &RemoteUserId,
    ) -> Option<PersonalCard> {
        let policy = self.policy.current();
        policy.policy.desk(at)?;
        let id: i64 = reference.strip_prefix('#')?.parse().ok()?;
        let found = self.board.conversation(self.read.as_ref(), ConversationId(id)).await;
        let conversation = found.ok().flatten()?;
        if !conversation.sessions.iter().any(|session| session.address == *at) {
            return None;
        }
        let (card, mut actions) = self.card(&conversation, at).await.ok()?;
        let identity = format!("{}:{user}", at.channel);
        let technicians = policy.policy.technicians.iter();
        let technician =
            technicians.filter(|(_, one)| one.identities.contains(&identity)).map(|(id, _)| id).next();
        match technician {
            Some(technician) => {
                let available = |who: &TechnicianId| self.board.is_available(who);
                let names = Names::new(&policy.policy, &available);
                actions.retain(|action| {
                    may_press(action, technician, &conversation, &policy.policy, &names, at)
                });
            }
            None => actions.clear(),
        }
        Some(PersonalCard { card, actions, may_write: technician.is_some() })
    }
}

/// Whether pressing it would do more than tell this person why not (D17).
fn may_press(
    action: &Action,
    who: &TechnicianId,
    conversation: &Conversation,
    policy: &Policy,
    names: &Names,
    at: &Address,
) -> bool {
    let mode = policy.desk(at).map(|desk| desk.reply_mode);
    match from_action(&action.id, action.value.as_deref(), names) {
        Some(Parsed::Verb(verb)) => permitted(&verb, who, conversation, policy, mode).is_ok(),
        Some(Parsed::Bad { .. } | Parsed::Note { .. } | Parsed::Reply { .. }) | None => false,
    }
}
