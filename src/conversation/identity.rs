//! Who a platform's user is to us: a technician, somebody who may be one and has not said so yet, or nobody.
//!
//! An identity of the configuration counts at once. An address that the platform vouches for and that is a technician's is
//! worth a question: the person confirms once that they are the technician, and counts from then on (D17, D26).
//!
//! Not here: where confirmations are kept (the store), how the question is asked (`notices`, the adapters).

use deskbridge_contract::{ChannelName, RemoteUserId, Sender, SenderKind};
use serde::{Deserialize, Serialize};

use crate::event::DeskActor;
use crate::ids::TechnicianId;
use crate::policy::{Policy, TechnicianPolicy};

/// Actions of the buttons under the question.
pub const YES: &str = "identity:yes";
pub const NO: &str = "identity:no";

/// What somebody said when they were asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub technician: TechnicianId,
    /// `<channel>:<remote id>` (D26).
    pub identity: String,
    /// The technician's address at that time: with another one, it has to be asked anew.
    pub email: String,
    pub is_me: bool,
}

/// `None`: not an answer to the question.
pub fn answer(action: &str) -> Option<bool> {
    match action {
        YES => Some(true),
        NO => Some(false),
        _ => None,
    }
}

pub fn name(channel: &ChannelName, user: &RemoteUserId) -> String {
    format!("{channel}:{user}")
}

/// Guests, bots and people from outside are nobody, whatever else is known of them.
pub fn known(policy: &Policy, channel: &ChannelName, sender: &Sender) -> DeskActor {
    if sender.kind != SenderKind::Human {
        return DeskActor::Outsider;
    }
    let identity = name(channel, &sender.id);
    if let Some(technician) = technician(policy, &identity) {
        return DeskActor::Technician(technician);
    }
    let address = sender.email.as_deref().filter(|_| sender.email_verified).map(folded);
    let candidate = address.and_then(|address| {
        let mut all = policy.technicians.iter();
        all.find(|(_, one)| one.email.as_deref().map(folded).as_ref() == Some(&address))
    });
    match candidate {
        Some((id, one)) if may_ask(one, channel, &identity) => DeskActor::Unconfirmed(id.clone()),
        Some(_) | None => DeskActor::Outsider,
    }
}

/// The technician with this identity.
pub fn technician(policy: &Policy, identity: &str) -> Option<TechnicianId> {
    let mut all = policy.technicians.iter();
    all.find(|(_, one)| one.identities.iter().any(|known| known == identity)).map(|(id, _)| id.clone())
}

/// A technician is one person on each channel, and who said no is not asked again.
fn may_ask(technician: &TechnicianPolicy, channel: &ChannelName, identity: &str) -> bool {
    let on_channel = |known: &String| known.split_once(':').is_some_and(|(name, _)| name == channel.as_str());
    !technician.identities.iter().any(on_channel) && !technician.strangers.iter().any(|it| it == identity)
}

/// Puts an answer in force. False: it does not hold any more, because the configuration says otherwise by now.
pub fn heed(policy: &mut Policy, said: &Said) -> bool {
    let Some((channel, _)) = said.identity.split_once(':') else { return false };
    let channel = ChannelName::new(channel);
    if !policy.channels.contains_key(&channel) || technician(policy, &said.identity).is_some() {
        return false;
    }
    let Some(one) = policy.technicians.get_mut(&said.technician) else { return false };
    let same = one.email.as_deref().map(folded) == Some(folded(&said.email));
    if !same || !may_ask(one, &channel, &said.identity) {
        return false;
    }
    let list = if said.is_me { &mut one.identities } else { &mut one.strangers };
    list.push(said.identity.clone());
    true
}

/// Mail hosts take no notice of case, and neither do people.
fn folded(address: &str) -> String {
    address.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::ChannelPolicy;

    fn policy() -> Policy {
        let mut policy = Policy::default();
        for channel in ["slack", "telegram"] {
            policy.channels.insert(channel.into(), ChannelPolicy::default());
        }
        for (id, email, identities) in [
            ("bob", Some("bob@acme.example"), vec!["telegram:5".to_owned()]),
            ("ana", None, vec!["slack:U1".to_owned()]),
        ] {
            let one = TechnicianPolicy {
                name: id.to_owned(),
                role: crate::policy::Role::Technician,
                capacity: 4,
                skills: Vec::new(),
                languages: Vec::new(),
                email: email.map(str::to_owned),
                identities,
                strangers: Vec::new(),
            };
            policy.technicians.insert(id.into(), one);
        }
        policy
    }

    fn sender(id: &str, email: &str) -> Sender {
        Sender {
            id: id.into(),
            display_name: None,
            email: Some(email.to_owned()),
            email_verified: true,
            picture: None,
            language: None,
            kind: SenderKind::Human,
        }
    }

    fn on(policy: &Policy, channel: &str, sender: &Sender) -> DeskActor {
        known(policy, &channel.into(), sender)
    }

    #[test]
    fn an_address_is_a_question_and_the_answer_counts() {
        let mut policy = policy();
        let bob = sender("U9", " Bob@ACME.example");
        assert_eq!(on(&policy, "slack", &bob), DeskActor::Unconfirmed("bob".into()));
        let said = |is_me| Said {
            technician: "bob".into(),
            identity: "slack:U9".into(),
            email: "bob@acme.example".into(),
            is_me,
        };
        let mut refused = policy.clone();
        assert!(heed(&mut refused, &said(false)));
        assert_eq!(on(&refused, "slack", &bob), DeskActor::Outsider);
        assert!(heed(&mut policy, &said(true)));
        assert_eq!(on(&policy, "slack", &bob), DeskActor::Technician("bob".into()));
        // One person on each channel: nobody else with that address is asked.
        assert_eq!(on(&policy, "slack", &sender("U10", "bob@acme.example")), DeskActor::Outsider);
        assert!(!heed(&mut policy, &Said { identity: "slack:U10".into(), ..said(true) }));
    }

    #[test]
    fn what_is_no_question() {
        let policy = policy();
        let bob = sender("U9", "bob@acme.example");
        for kind in [SenderKind::External, SenderKind::Bot] {
            assert_eq!(on(&policy, "slack", &Sender { kind, ..bob.clone() }), DeskActor::Outsider);
        }
        assert_eq!(
            on(&policy, "slack", &Sender { email_verified: false, ..bob.clone() }),
            DeskActor::Outsider
        );
        assert_eq!(on(&policy, "slack", &Sender { email: None, ..bob.clone() }), DeskActor::Outsider);
        assert_eq!(on(&policy, "slack", &sender("U9", "bob@acme.example.evil.example")), DeskActor::Outsider);
        assert_eq!(on(&policy, "slack", &sender("U9", "")), DeskActor::Outsider);
        // The configuration names another account of that channel.
        assert_eq!(on(&policy, "telegram", &sender("6", "bob@acme.example")), DeskActor::Outsider);
    }

    #[test]
    fn what_does_not_hold_any_more() {
        let said = Said {
            technician: "bob".into(),
            identity: "slack:U9".into(),
            email: "bob@acme.example".into(),
            is_me: true,
        };
        let mut other = policy();
        other.technicians.get_mut(&TechnicianId::from("bob")).unwrap().email =
            Some("bob@other.example".into());
        let mut gone = policy();
        gone.technicians.remove(&TechnicianId::from("bob"));
        let mut unplugged = policy();
        unplugged.channels.clear();
        let mut taken = policy();
        taken.technicians.get_mut(&TechnicianId::from("ana")).unwrap().identities = vec!["slack:U9".into()];
        for mut policy in [other, gone, unplugged, taken] {
            let before = policy.clone();
            assert!(!heed(&mut policy, &said));
            assert_eq!(policy, before);
        }
        assert!(!heed(&mut policy(), &Said { identity: "nonsense".into(), ..said }));
    }
}
