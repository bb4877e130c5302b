//! What requesters read, in Spanish.

use super::buttons::Labels;
use super::words::{Units, named, plain, roughly};
use super::{Notice, StatusWords};

pub(super) const LABELS: Labels = Labels {
    human: "Hablar con una persona",
    keep: "Seguir con asistente",
    assistant: "Preguntar al asistente",
    yes: "Sí, por favor",
    no: "No, sigamos",
    same: "El mismo problema",
    new: "Una solicitud nueva",
    over: "Empezar de nuevo",
    status: "Estado",
    close: "Todo listo, cerrar",
};

const UNITS: Units =
    Units { moment: "menos de un minuto", seconds: "s", minutes: "min", hours: "h", days: "d" };

pub(super) fn text(notice: &Notice) -> String {
    match notice {
        Notice::Greeting => "¡Hola! 👋 Cuéntame con tus palabras qué no funciona. Intentaré ayudarte enseguida, y puedes \
                             hablar con una persona cuando quieras."
            .to_owned(),
        Notice::Connecting { position, expected, .. } => connecting(*position, expected.map(|e| roughly(e, &UNITS))),
        Notice::OutOfHours { back, helping, ticket } => format!(
            "Nuestros técnicos vuelven: {}. {} verán esta conversación.{}",
            plain(back),
            if *ticket { "Para que nada se pierda se abre un ticket, y entonces" } else { "Entonces" },
            if *helping { " Mientras tanto, sigo aquí para ayudarte." } else { "" }
        ),
        Notice::AskConnect => "¿Quieres que te ponga en contacto con un técnico?".to_owned(),
        Notice::Choice => "¿Quién prefieres que te ayude: el asistente, que responde al momento, o un técnico?".to_owned(),
        Notice::Joined { name } => format!("**{}** ya está aquí y te ayudará a partir de ahora.", plain(name)),
        Notice::Reminder => "¿Sigues ahí? No hay prisa: escribe cuando puedas.".to_owned(),
        Notice::ClosedIdle => "Hace un rato que no sé de ti, así que he cerrado la conversación por ahora. Escribe aquí de \
                               nuevo y seguimos."
            .to_owned(),
        Notice::Resolved { by } => {
            format!("**{}** ha marcado esto como resuelto. Si algo sigue mal, escribe aquí de nuevo.", plain(by))
        }
        Notice::ClosedByRequester => "Listo, la conversación está cerrada. Escríbenos cuando nos necesites.".to_owned(),
        Notice::AskRating => "¿Qué tal lo hemos hecho? 1 es mal, 5 es muy bien.".to_owned(),
        Notice::RatingThanks => "¡Gracias por tu opinión!".to_owned(),
        Notice::LateQuestion => "¡Qué bien leerte de nuevo! ¿Se trata del mismo problema o de algo nuevo?".to_owned(),
        Notice::LateThanks => "¡De nada! 😊".to_owned(),
        Notice::Reopened { waiting: true } => {
            "Tu conversación está abierta de nuevo. Un técnico te atenderá en cuanto quede libre.".to_owned()
        }
        Notice::Reopened { waiting: false } => "Tu conversación está abierta de nuevo, con todo lo que ya se dijo.".to_owned(),
        Notice::MaxWait { ticket } => max_wait(ticket.as_deref()),
        Notice::AssistantContinues => "De acuerdo, seguimos. ¿Qué quieres que mire?".to_owned(),
        Notice::HandedBack => "Vuelves a estar conmigo, el asistente. ¿Qué más puedo hacer por ti?".to_owned(),
        Notice::BrokeOff => "El resto de este mensaje no se pudo entregar. Pídelo otra vez, por favor.".to_owned(),
        Notice::FindingAnother => {
            "Tu técnico ha tenido que ausentarse. Estoy buscando a otra persona; conservas tu puesto.".to_owned()
        }
        Notice::StartedOver => "¡Empezamos de nuevo! ¿En qué puedo ayudarte?".to_owned(),
        Notice::Status { reference, state, ticket } => status(reference, state, ticket.as_deref()),
        Notice::Help => "Escribe con tus palabras qué no funciona. También puedes usar /human para hablar con una persona, \
                         /status para ver cómo va todo, /new para empezar de nuevo y /close cuando todo esté bien."
            .to_owned(),
        Notice::OnlyRequester { name } => {
            format!("Aquí eso solo puede hacerlo {}.", named(name, "quien pidió ayuda"))
        }
        Notice::HelpingSomebody { name } => format!(
            "Aquí estoy ayudando a {}. Si necesitas algo tú, escríbeme directamente o en un hilo nuevo.",
            named(name, "otra persona")
        ),
        Notice::WasOfSomebody { name } => format!(
            "Esta solicitud era de {} y ya está cerrada. Si necesitas algo tú, escríbeme directamente o en un hilo nuevo.",
            named(name, "otra persona")
        ),
        Notice::TicketOpened { number } => {
            format!("Tu solicitud está registrada con el ticket **{}**. Te responderemos aquí.", plain(number))
        }
    }
}

fn connecting(position: u32, expected: Option<String>) -> String {
    let place = match position {
        0 | 1 => "Tu turno es el siguiente.".to_owned(),
        n => format!("Tienes el número {n} en la cola."),
    };
    let wait =
        expected.map(|wait| format!(" La espera suele ser de unos {wait}.").replace("unos menos", "menos"));
    format!("Te pongo en contacto con un técnico. {place}{}", wait.unwrap_or_default())
}

fn max_wait(ticket: Option<&str>) -> String {
    let ticket = match ticket {
        Some(number) => format!(" Tu solicitud está registrada con el ticket **{}**.", plain(number)),
        None => String::new(),
    };
    format!(
        "Lo siento, esto tarda más de lo que debería: todavía no hay nadie libre.{ticket} Conservas tu puesto y la respuesta \
         llegará aquí, así que no hace falta que esperes delante de la pantalla."
    )
}

fn status(reference: &str, state: &StatusWords, ticket: Option<&str>) -> String {
    let state = match state {
        StatusWords::WithAssistant => "está con el asistente".to_owned(),
        StatusWords::Waiting { position: 0 | 1 } => "espera a un técnico y es la siguiente".to_owned(),
        StatusWords::Waiting { position } => format!("espera a un técnico: número {position} en la cola"),
        StatusWords::With { name } => format!("está con **{}**", plain(name)),
        StatusWords::Closed => "está cerrada".to_owned(),
    };
    let ticket = ticket.map(|number| format!(" Ticket: **{}**.", plain(number))).unwrap_or_default();
    format!("Tu solicitud **{}** {state}.{ticket}", plain(reference))
}
