use super::{no_wishes, wishes};

#[test]
fn wishes_for_a_human() {
    wishes(
        "de",
        &[
            "können Sie mich mit einem Mitarbeiter verbinden",
            "Ich möchte mit einem Menschen sprechen",
            "Ich moechte bitte mit einem echten Menschen sprechen.",
            "Kann ich mit jemandem aus der IT sprechen?",
            "Ich will einen Mitarbeiter",
            "Mitarbeiter bitte",
            "Mensch!",
            "Ich brauche einen Techniker",
            "Bitte verbinden Sie mich mit einem Techniker",
            "Verbinde mich mit einem Menschen",
            "mit einem Mitarbeiter sprechen",
            "Könnte ich bitte mit dem Support telefonieren?",
            "Gibt es hier einen Menschen, mit dem ich reden kann?",
            "Ich würde gerne mit einer echten Person reden",
            "Stellen Sie mich bitte zu einem Techniker durch",
            "Ich möchte, dass Sie mich mit einem Menschen verbinden",
            "Kann mir ein Techniker helfen?",
            "Ich hätte gern einen Ansprechpartner",
            "Nein, ich will mit einem Menschen reden!",
            "Leiten Sie mich an einen Mitarbeiter weiter",
            "Das hilft nicht. Ich will jetzt sofort mit einer Person sprechen",
            "Ich will keinen Bot, ich will einen Menschen",
            "Darf ich mit einem Ihrer Kollegen sprechen?",
            "lieber mit einem Menschen chatten",
            "Können Sie mich zum Helpdesk durchstellen? Ich möchte mit dem Helpdesk sprechen",
        ],
    );
}

#[test]
fn no_wishes_for_a_human() {
    no_wishes(
        "de",
        &[
            "Ich möchte nicht mit einem Menschen sprechen",
            "Ich will noch keinen Mitarbeiter",
            "Ich möchte nicht, dass Sie mich mit einem Mitarbeiter verbinden",
            "Ich brauche keinen Techniker",
            "Der Techniker war gestern da",
            "Ich möchte einen Mitarbeiter in SAP anlegen",
            "Ich brauche einen neuen Mitarbeiterausweis",
            "Ein Mitarbeiter hat sein Passwort vergessen",
            "Das Mitarbeiterportal ist nicht erreichbar",
            "Mein Agent stürzt ab",
            "Der Backup-Agent läuft nicht",
            "Bitte den Agent neu installieren",
            "Wenn ich mit einem Mitarbeiter sprechen will, ist der Ton weg",
            "Muss ich dafür mit einem Techniker sprechen?",
            "Ich wollte fragen, ob der Drucker repariert ist",
            "Mit dem neuen Mitarbeiter gibt es ein Problem beim Anmelden",
            "Kann mir jemand helfen?",
            "Sind Sie ein Mensch?",
            "Menschliches Versagen war es nicht",
            "Die Personalabteilung hat keinen Zugriff",
            "Ich brauche für einen Mitarbeiter Zugriff auf das Laufwerk",
            "Ich verbinde mich mit dem VPN, aber es geht nicht",
            "Bevor ich mit einem Mitarbeiter spreche, noch eine Frage",
            "Die Person auf dem Foto bin ich nicht",
            "Drucker kaputt",
        ],
    );
}
