use super::*;

#[test]
fn yes_no_and_thanks_are_whole_messages() {
    let samples: [(Option<Wish>, &[&str]); 4] = [
        (
            Some(Wish::Yes),
            &[
                "yes",
                "Yes!",
                "yes please",
                "Yep",
                "sure",
                "ok",
                "OK.",
                "okay, go ahead",
                "yes, thanks",
                "please do",
                "Y",
                "ja",
                "Ja, bitte",
                "ja gerne",
                "klar",
                "natürlich",
                "in Ordnung",
                "sí",
                "Sí, por favor",
                "claro",
                "vale",
                "oui",
                "Oui, s’il vous plaît",
                "d'accord",
                "bien sûr",
                "sim",
                "claro que sim",
                "sì",
                "va bene",
                "certo",
                "graag",
                "ja graag",
                "نعم",
                "نعم من فضلك",
                "yes 🙂",
            ],
        ),
        (
            Some(Wish::No),
            &[
                "no",
                "No.",
                "nope",
                "no thanks",
                "No, thank you",
                "not yet",
                "no, keep going",
                "not now",
                "nein",
                "Nein danke",
                "nein, weiter so",
                "noch nicht",
                "No, gracias",
                "todavía no",
                "non",
                "Non merci",
                "pas encore",
                "não",
                "Não, obrigado",
                "no grazie",
                "nee",
                "nee, dank je",
                "لا",
                "لا شكراً",
            ],
        ),
        (
            Some(Wish::Thanks),
            &[
                "thanks",
                "Thank you!",
                "thank you so much",
                "thx",
                "Thanks a lot for your help",
                "great, thanks",
                "perfect",
                "thanks 👍",
                "thanks, it works now",
                "danke",
                "Vielen Dank!",
                "Danke schön",
                "super, danke",
                "gracias",
                "¡Muchas gracias!",
                "merci",
                "Merci beaucoup",
                "obrigada",
                "muito obrigado",
                "grazie mille",
                "bedankt",
                "dank je wel",
                "شكراً",
                "شكرا جزيلا",
                "👍",
                "🙏",
                "👍🏽",
                "❤️",
                "🙏🙏",
                "😊",
                ":)",
            ],
        ),
        (
            None,
            &[
                "",
                "yes it works but slowly",
                "no printer found",
                "no it does not work",
                "thanks but it is still broken",
                "yes no",
                "please",
                "okay so the printer is on fire",
                "no puedo entrar",
                "ja, aber der Drucker geht nicht",
                "it works now",
                "???",
                "...",
                "no human resources",
                "danke, aber es geht nicht",
                "non, ça ne marche pas",
                "😡",
                "y2k",
                "thank you for nothing, printer is down",
                "siehe oben",
                "merci de m’aider avec Outlook",
                "no internet",
                "ok google",
            ],
        ),
    ];
    for (expected, texts) in samples {
        for text in texts {
            assert_eq!(read(text, "en").wish, expected, "{text:?}");
        }
    }
}

#[test]
fn wordless_is_emoji_and_stickers_only() {
    for text in ["👍", "🙏🏿", "😡😡", "❤️", ":-)", "👨‍👩‍👧", "☺️", " 🎉 "] {
        assert!(read(text, "en").wordless, "{text}");
    }
    for text in ["", " ", "?", "!!!", "ok 👍", "1", "…", "ё", "中文", "-"] {
        assert!(!read(text, "en").wordless, "{text}");
    }
}

#[test]
fn commands_of_the_menu() {
    for (text, command) in [
        ("/new", Command::New),
        ("/status", Command::Status),
        ("/human", Command::Human),
        ("/close", Command::Close),
        ("/help", Command::Help),
        ("/stop", Command::Close),
        (" /Human@deskbridge_bot please ", Command::Human),
        ("/help me", Command::Help),
    ] {
        assert_eq!(read(text, "en").wish, Some(Wish::Command(command)), "{text}");
    }
    for text in [
        "/",
        "/etc/passwd",
        "/resolve",
        "/accept",
        "status",
        "see /help",
        "//help",
        "/newest",
        "!close",
        "/close/it",
    ] {
        assert_eq!(read(text, "en").wish, None, "{text}");
    }
}
