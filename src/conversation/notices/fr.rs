//! What requesters read, in French.

use super::buttons::Labels;
use super::words::{Units, named, plain, roughly};
use super::{Notice, StatusWords};

pub(super) const LABELS: Labels = Labels {
    human: "Parler à quelqu’un",
    keep: "Garder l’assistant",
    assistant: "Demander à l’assistant",
    yes: "Oui, merci",
    no: "Non, continuons",
    same: "Le même problème",
    new: "Une nouvelle demande",
    over: "Recommencer",
    status: "Où en est-on ?",
    close: "C’est réglé, fermer",
};

const UNITS: Units =
    Units { moment: "moins d’une minute", seconds: "s", minutes: "min", hours: "h", days: "j" };

pub(super) fn text(notice: &Notice) -> String {
    match notice {
        Notice::Greeting => "Bonjour ! 👋 Dites-moi simplement ce qui ne marche pas. J’essaie de vous aider tout de suite, et \
                             vous pouvez parler à quelqu’un à tout moment."
            .to_owned(),
        Notice::Connecting { position, expected, .. } => connecting(*position, expected.map(|e| roughly(e, &UNITS))),
        Notice::OutOfHours { back, helping, ticket } => format!(
            "Notre équipe technique est de retour : {}. {} verra alors cette conversation.{}",
            plain(back),
            if *ticket { "Pour que rien ne se perde, un ticket est ouvert ; elle" } else { "Elle" },
            if *helping { " D’ici là, je continue volontiers à vous aider." } else { "" }
        ),
        Notice::AskConnect => "Voulez-vous que je vous mette en relation avec un technicien ?".to_owned(),
        Notice::Choice => "Qui doit vous aider : l’assistant, qui répond tout de suite, ou un technicien ?".to_owned(),
        Notice::Joined { name } => format!("**{}** est là et prend la suite.", plain(name)),
        Notice::Reminder => "Êtes-vous toujours là ? Rien ne presse : écrivez quand vous voulez.".to_owned(),
        Notice::ClosedIdle => "Sans nouvelles de votre part, la conversation est fermée pour l’instant. Écrivez ici à nouveau \
                               et nous reprendrons."
            .to_owned(),
        Notice::Resolved { by } => {
            format!("**{}** considère que c’est résolu. Si ce n’est pas le cas, écrivez ici à nouveau.", plain(by))
        }
        Notice::ClosedByRequester => "C’est fait, la conversation est fermée. Écrivez-nous quand vous voulez.".to_owned(),
        Notice::AskRating => "Comment était notre aide ? 1 : mauvaise, 5 : excellente.".to_owned(),
        Notice::RatingThanks => "Merci pour votre avis !".to_owned(),
        Notice::LateQuestion => "Ravi de vous relire ! S’agit-il du même problème ou de quelque chose de nouveau ?".to_owned(),
        Notice::LateThanks => "Avec plaisir ! 😊".to_owned(),
        Notice::Reopened { waiting: true } => {
            "Votre conversation est rouverte. Un technicien vous répondra dès qu’il sera libre.".to_owned()
        }
        Notice::Reopened { waiting: false } => "Votre conversation est rouverte, avec tout ce qui a déjà été dit.".to_owned(),
        Notice::MaxWait { ticket } => max_wait(ticket.as_deref()),
        Notice::AssistantContinues => "Très bien, continuons. Que dois-je regarder ?".to_owned(),
        Notice::HandedBack => "Vous revoilà avec moi, l’assistant. Que puis-je faire d’autre ?".to_owned(),
        Notice::BrokeOff => "La suite de ce message n’a pas pu être remise. Redemandez-la, s’il vous plaît.".to_owned(),
        Notice::FindingAnother => {
            "Votre technicien a dû s’absenter. Je cherche quelqu’un d’autre ; vous gardez votre place.".to_owned()
        }
        Notice::StartedOver => "On repart de zéro ! Que puis-je faire pour vous ?".to_owned(),
        Notice::Status { reference, state, ticket } => status(reference, state, ticket.as_deref()),
        Notice::Help => "Écrivez simplement ce qui ne marche pas. Vous pouvez aussi utiliser /human pour parler à quelqu’un, \
                         /status pour savoir où on en est, /new pour recommencer et /close quand tout va bien."
            .to_owned(),
        Notice::OnlyRequester { name } => {
            format!("Ici, cela revient uniquement à {}.", named(name, "la personne qui a demandé de l’aide"))
        }
        Notice::HelpingSomebody { name } => format!(
            "Ici, je m’occupe de la demande de {}. Pour une demande à vous, écrivez-moi directement ou dans un nouveau fil.",
            named(name, "quelqu’un d’autre")
        ),
        Notice::WasOfSomebody { name } => format!(
            "Cette demande était celle de {}, et elle est close. Pour une demande à vous, écrivez-moi directement ou dans un \
             nouveau fil.",
            named(name, "quelqu’un d’autre")
        ),
        Notice::TicketOpened { number } => {
            format!("Votre demande est enregistrée sous le ticket **{}**. La réponse arrivera ici.", plain(number))
        }
    }
}

fn connecting(position: u32, expected: Option<String>) -> String {
    let place = match position {
        0 | 1 => "C’est bientôt à vous : vous êtes en tête de file.".to_owned(),
        n => format!("Vous êtes numéro {n} dans la file."),
    };
    let wait = expected.map(|wait| {
        format!(" L’attente est en général d’environ {wait}.").replace("d’environ moins", "de moins")
    });
    format!("Je vous mets en relation avec un technicien. {place}{}", wait.unwrap_or_default())
}

fn max_wait(ticket: Option<&str>) -> String {
    let ticket = match ticket {
        Some(number) => format!(" Votre demande est enregistrée sous le ticket **{}**.", plain(number)),
        None => String::new(),
    };
    format!(
        "Désolé, c’est plus long que prévu : personne n’est encore libre.{ticket} Vous gardez votre place et la réponse \
         arrivera ici ; inutile d’attendre devant l’écran."
    )
}

fn status(reference: &str, state: &StatusWords, ticket: Option<&str>) -> String {
    let state = match state {
        StatusWords::WithAssistant => "est chez l’assistant".to_owned(),
        StatusWords::Waiting { position: 0 | 1 } => "attend un technicien et passe en premier".to_owned(),
        StatusWords::Waiting { position } => format!("attend un technicien : numéro {position} dans la file"),
        StatusWords::With { name } => format!("est entre les mains de **{}**", plain(name)),
        StatusWords::Closed => "est fermée".to_owned(),
    };
    let ticket = ticket.map(|number| format!(" Ticket : **{}**.", plain(number))).unwrap_or_default();
    format!("Votre demande **{}** {state}.{ticket}", plain(reference))
}
