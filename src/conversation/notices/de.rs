//! What requesters read, in German.

use super::buttons::Labels;
use super::words::{Units, named, plain, roughly};
use super::{Notice, StatusWords};

pub(super) const LABELS: Labels = Labels {
    human: "Mit Menschen sprechen",
    keep: "Weiter mit Assistent",
    assistant: "Den Assistenten fragen",
    yes: "Ja, bitte",
    no: "Nein, weiter so",
    same: "Gleiches Problem",
    new: "Neues Anliegen",
    over: "Neu anfangen",
    status: "Status",
    close: "Erledigt, schließen",
};

const UNITS: Units =
    Units { moment: "weniger als eine Minute", seconds: "s", minutes: "Min.", hours: "Std.", days: "T." };

pub(super) fn text(notice: &Notice) -> String {
    match notice {
        Notice::Greeting => "Hallo! 👋 Beschreiben Sie einfach, was nicht funktioniert. Ich versuche sofort zu helfen, und \
                             Sie können jederzeit mit einem Menschen sprechen."
            .to_owned(),
        Notice::Connecting { position, expected, .. } => connecting(*position, expected.map(|e| roughly(e, &UNITS))),
        Notice::OutOfHours { back, helping, ticket } => format!(
            "Unsere Technikerinnen und Techniker sind wieder da: {}. {} sehen sie auch dieses Gespräch.{}",
            plain(back),
            if *ticket { "Damit nichts verloren geht, wird ein Ticket eröffnet; dann" } else { "Dann" },
            if *helping { " Bis dahin helfe ich gern weiter." } else { "" }
        ),
        Notice::AskConnect => "Soll ich Sie mit einer Technikerin oder einem Techniker verbinden?".to_owned(),
        Notice::Choice => "Wer soll Ihnen helfen: der Assistent, der sofort antwortet, oder jemand aus der Technik?".to_owned(),
        Notice::Joined { name } => format!("**{}** ist jetzt da und hilft Ihnen weiter.", plain(name)),
        Notice::Reminder => "Sind Sie noch da? Keine Eile: Schreiben Sie einfach, wenn es passt.".to_owned(),
        Notice::ClosedIdle => "Ich habe eine Weile nichts von Ihnen gehört und das Gespräch vorerst geschlossen. Schreiben \
                               Sie einfach wieder, dann machen wir weiter."
            .to_owned(),
        Notice::Resolved { by } => format!(
            "**{}** hat Ihr Anliegen als gelöst markiert. Falls doch noch etwas klemmt, schreiben Sie einfach wieder.",
            plain(by)
        ),
        Notice::ClosedByRequester => "Erledigt, das Gespräch ist geschlossen. Schreiben Sie jederzeit wieder.".to_owned(),
        Notice::AskRating => "Wie war unsere Hilfe? 1 ist schlecht, 5 ist sehr gut.".to_owned(),
        Notice::RatingThanks => "Vielen Dank für Ihre Rückmeldung!".to_owned(),
        Notice::LateQuestion => "Schön, wieder von Ihnen zu hören. Geht es um dasselbe Problem oder um etwas Neues?".to_owned(),
        Notice::LateThanks => "Sehr gern! 😊".to_owned(),
        Notice::Reopened { waiting: true } => {
            "Ihr Gespräch ist wieder offen. Sobald jemand frei ist, geht es weiter.".to_owned()
        }
        Notice::Reopened { waiting: false } => "Ihr Gespräch ist wieder offen, mit allem, was schon gesagt wurde.".to_owned(),
        Notice::MaxWait { ticket } => max_wait(ticket.as_deref()),
        Notice::AssistantContinues => "In Ordnung, wir machen weiter. Was soll ich mir ansehen?".to_owned(),
        Notice::HandedBack => "Sie sind jetzt wieder bei mir, dem Assistenten. Was kann ich noch tun?".to_owned(),
        Notice::BrokeOff => "Der Rest dieser Nachricht konnte nicht zugestellt werden. Bitte fragen Sie noch einmal danach.".to_owned(),
        Notice::FindingAnother => {
            "Ihre Ansprechperson musste weg. Ich suche jemand anderen; Ihr Platz bleibt erhalten.".to_owned()
        }
        Notice::StartedOver => "Ein neuer Anfang! Was kann ich für Sie tun?".to_owned(),
        Notice::Status { reference, state, ticket } => status(reference, state, ticket.as_deref()),
        Notice::Help => "Schreiben Sie einfach, was nicht funktioniert. Außerdem: /human für einen Menschen, /status für den \
                         Stand der Dinge, /new für einen neuen Anfang und /close, wenn alles gut ist."
            .to_owned(),
        Notice::OnlyRequester { name } => {
            format!("Das kann hier nur {}.", named(name, "die Person, die um Hilfe gebeten hat"))
        }
        Notice::HelpingSomebody { name } => format!(
            "Hier helfe ich gerade {}. Haben Sie ein eigenes Anliegen? Schreiben Sie mir direkt oder in einem neuen Thread.",
            named(name, "jemand anderem")
        ),
        Notice::WasOfSomebody { name } => format!(
            "Das war ein Anliegen von {}, und es ist abgeschlossen. Haben Sie ein eigenes? Schreiben Sie mir direkt oder in \
             einem neuen Thread.",
            named(name, "jemand anderem")
        ),
        Notice::TicketOpened { number } => {
            format!("Ihr Anliegen ist als Ticket **{}** erfasst. Die Antwort kommt hier.", plain(number))
        }
    }
}

fn connecting(position: u32, expected: Option<String>) -> String {
    let place = match position {
        0 | 1 => "Sie sind als Nächstes dran.".to_owned(),
        n => format!("Sie sind Nummer {n} in der Warteschlange."),
    };
    let wait = expected
        .map(|wait| format!(" Die Wartezeit beträgt meist etwa {wait}").replace("etwa weniger", "weniger"));
    let wait = wait.map(|wait| format!("{}.", wait.trim_end_matches('.')));
    format!("Ich verbinde Sie mit der Technik. {place}{}", wait.unwrap_or_default())
}

fn max_wait(ticket: Option<&str>) -> String {
    let ticket = match ticket {
        Some(number) => format!(" Ihr Anliegen ist als Ticket **{}** erfasst.", plain(number)),
        None => String::new(),
    };
    format!(
        "Es tut mir leid, das dauert länger, als es sollte: Noch ist niemand frei.{ticket} Ihr Platz bleibt erhalten, und die \
         Antwort kommt hier. Sie müssen also nicht vor dem Bildschirm warten."
    )
}

fn status(reference: &str, state: &StatusWords, ticket: Option<&str>) -> String {
    let state = match state {
        StatusWords::WithAssistant => "ist beim Assistenten".to_owned(),
        StatusWords::Waiting { position: 0 | 1 } => {
            "wartet auf die Technik und ist als Nächstes dran".to_owned()
        }
        StatusWords::Waiting { position } => {
            format!("wartet auf die Technik: Nummer {position} in der Warteschlange")
        }
        StatusWords::With { name } => format!("ist bei **{}**", plain(name)),
        StatusWords::Closed => "ist geschlossen".to_owned(),
    };
    let ticket = ticket.map(|number| format!(" Ticket: **{}**.", plain(number))).unwrap_or_default();
    format!("Ihr Anliegen **{}** {state}.{ticket}", plain(reference))
}
