//! The menu of commands that Telegram shows beside the text field, per kind of chat and language.
//!
//! Not here: what the commands do. They arrive as text and the core reads them.

use std::sync::atomic::{AtomicBool, Ordering};

use deskbridge_contract::SendError;
use teloxide_core::payloads::SetMyCommands;
use teloxide_core::types::{BotCommand, BotCommandScope};

use crate::Telegram;

/// Whether this process has set the menus; they stay with the bot.
#[derive(Default)]
pub(crate) struct Published(AtomicBool);

impl Published {
    pub(crate) fn done(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// One language: its code (empty for everybody else), what requesters have, what technicians have in groups.
struct Menu {
    language: &'static str,
    requester: [&'static str; REQUESTER.len()],
    technician: [&'static str; TECHNICIAN.len()],
}

const REQUESTER: [&str; 5] = ["new", "status", "human", "close", "help"];

const TECHNICIAN: [&str; 20] = [
    "accept", "decline", "reply", "note", "transfer", "invite", "snooze", "ticket", "summary", "suggest",
    "handback", "resolve", "reopen", "csat", "info", "help", "undo", "on", "busy", "off",
];

const MENUS: [Menu; 4] = [
    Menu {
        language: "",
        requester: [
            "Start over",
            "Status of my request",
            "Talk to a human",
            "Close my request",
            "What I can do",
        ],
        technician: [
            "Take this conversation",
            "Pass to the next technician",
            "Send to the requester",
            "Keep internal",
            "Pass to @who or #queue",
            "Bring in a colleague: @who",
            "Pause: 2h, tomorrow 9am",
            "Create or show the ticket",
            "Summary, for us only",
            "Suggest an answer",
            "Give back to the assistant",
            "Resolve and close",
            "Open again",
            "Ask for a rating",
            "About the requester",
            "All commands",
            "Take back my last message",
            "I am available",
            "I am busy",
            "I am off",
        ],
    },
    Menu {
        language: "de",
        requester: [
            "Neu beginnen",
            "Stand meiner Anfrage",
            "Mit einem Menschen sprechen",
            "Anfrage schließen",
            "Hilfe",
        ],
        technician: [
            "Gespräch übernehmen",
            "An die Nächste weitergeben",
            "An die anfragende Person senden",
            "Intern behalten",
            "Übergeben an @wen oder #queue",
            "Kollegin dazuholen: @wen",
            "Zurückstellen: 2h, tomorrow 9am",
            "Ticket anlegen oder zeigen",
            "Zusammenfassung, nur für uns",
            "Antwort vorschlagen",
            "Zurück an den Assistenten",
            "Lösen und schließen",
            "Wieder öffnen",
            "Um Bewertung bitten",
            "Über die anfragende Person",
            "Alle Befehle",
            "Letzte Nachricht zurücknehmen",
            "Ich bin verfügbar",
            "Ich bin beschäftigt",
            "Ich bin nicht im Dienst",
        ],
    },
    Menu {
        language: "es",
        requester: [
            "Empezar de nuevo",
            "Estado de mi solicitud",
            "Hablar con una persona",
            "Cerrar mi solicitud",
            "Ayuda",
        ],
        technician: [
            "Tomar esta conversación",
            "Pasar al siguiente",
            "Enviar a quien solicita",
            "Mantener interno",
            "Pasar a @quien o #cola",
            "Invitar a alguien: @quien",
            "Posponer: 2h, tomorrow 9am",
            "Crear o ver el ticket",
            "Resumen, solo para nosotros",
            "Sugerir una respuesta",
            "Devolver al asistente",
            "Resolver y cerrar",
            "Reabrir",
            "Pedir una valoración",
            "Sobre quien solicita",
            "Todos los comandos",
            "Retirar mi último mensaje",
            "Estoy disponible",
            "Estoy ocupado",
            "No estoy de turno",
        ],
    },
    Menu {
        language: "fr",
        requester: ["Recommencer", "État de ma demande", "Parler à une personne", "Clore ma demande", "Aide"],
        technician: [
            "Prendre cette conversation",
            "Passer au suivant",
            "Envoyer au demandeur",
            "Garder en interne",
            "Passer à @qui ou #file",
            "Inviter un collègue : @qui",
            "Reporter : 2h, tomorrow 9am",
            "Créer ou voir le ticket",
            "Résumé, pour nous seuls",
            "Proposer une réponse",
            "Rendre à l'assistant",
            "Résoudre et clore",
            "Rouvrir",
            "Demander une note",
            "À propos du demandeur",
            "Toutes les commandes",
            "Reprendre mon dernier message",
            "Je suis disponible",
            "Je suis occupé",
            "Je ne suis pas de service",
        ],
    },
];

/// Sets all menus; returns how many.
pub(crate) async fn publish(telegram: &Telegram) -> Result<usize, SendError> {
    for menu in &MENUS {
        for call in menu.calls() {
            telegram.sending.api.call::<_, bool>(&call).await?;
        }
    }
    telegram.menus.0.store(true, Ordering::Relaxed);
    Ok(2 * MENUS.len())
}

/// At the start of the intake, once per process, and whatever comes of it.
pub(crate) async fn publish_once(telegram: &Telegram) {
    if telegram.menus.done() {
        return;
    }
    if let Err(error) = publish(telegram).await {
        tracing::info!(channel = %telegram.channel, %error, "the commands menus were not set");
    }
}

impl Menu {
    fn calls(&self) -> [SetMyCommands; 2] {
        let call = |verbs: &[&str], texts: &[&str], scope| {
            let commands = verbs.iter().zip(texts).map(|(verb, text)| BotCommand::new(*verb, *text));
            let mut call = SetMyCommands::new(commands.collect::<Vec<_>>());
            call.scope = Some(scope);
            call.language_code = (!self.language.is_empty()).then(|| self.language.to_owned());
            call
        };
        [
            call(&REQUESTER, &self.requester, BotCommandScope::AllPrivateChats),
            call(&TECHNICIAN, &self.technician, BotCommandScope::AllGroupChats),
        ]
    }
}
