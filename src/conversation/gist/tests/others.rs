use super::{no_wishes, wishes};

#[test]
fn portuguese() {
    wishes(
        "pt",
        &[
            "Quero falar com um humano",
            "Posso falar com um atendente?",
            "Gostaria de falar com uma pessoa real",
            "atendente",
            "Preciso de um técnico",
            "Me transfere para um atendente",
            "Não quero um robô, quero falar com uma pessoa",
            "falar com alguém do suporte",
            "Atendente por favor",
        ],
    );
    no_wishes(
        "pt",
        &[
            "Não quero falar com um humano",
            "O portal de recursos humanos caiu",
            "O agente de backup falhou",
            "Preciso adicionar uma pessoa ao grupo",
            "O técnico veio ontem",
            "Alguém pode me ajudar?",
            "Você é humano?",
            "Não preciso de um técnico",
        ],
    );
}

#[test]
fn italian() {
    wishes(
        "it",
        &[
            "Voglio parlare con un umano",
            "Vorrei parlare con una persona reale",
            "Posso parlare con un operatore?",
            "operatore",
            "Ho bisogno di un tecnico",
            "Mi passi un operatore, per favore",
            "Può mettermi in contatto con un tecnico?",
            "Non voglio un bot, voglio parlare con qualcuno dell'assistenza",
        ],
    );
    no_wishes(
        "it",
        &[
            "Non voglio parlare con un operatore",
            "Il portale delle risorse umane non funziona",
            "L'agente di backup si blocca",
            "Il tecnico è venuto ieri",
            "Devo aggiungere una persona al gruppo",
            "Sei umano?",
            "Qualcuno può aiutarmi?",
            "Non ho bisogno di un tecnico",
        ],
    );
}

#[test]
fn dutch() {
    wishes(
        "nl",
        &[
            "Ik wil met een mens praten",
            "Kan ik met een medewerker spreken?",
            "Verbind me met een medewerker",
            "medewerker aub",
            "Ik zou graag iemand van de helpdesk spreken. Mag ik met iemand van de helpdesk spreken?",
            "Ik wil een echt persoon",
            "Kunt u mij met een technicus doorverbinden?",
            "Ik heb een medewerker nodig",
        ],
    );
    no_wishes(
        "nl",
        &[
            "Ik wil niet met een mens praten",
            "De medewerker is zijn wachtwoord vergeten",
            "De backup-agent crasht",
            "Ik heb geen medewerker nodig",
            "Ik wil een medewerker toevoegen aan de groep",
            "Ben je een mens?",
            "Kan iemand me helpen?",
            "De technicus was hier gisteren",
        ],
    );
}

#[test]
fn arabic() {
    wishes(
        "ar",
        &[
            "أريد التحدث مع موظف",
            "أريد التحدث إلى إنسان",
            "هل يمكنني التحدث مع شخص حقيقي؟",
            "حوّلني إلى موظف الدعم",
            "موظف من فضلك",
            "أريد موظف",
            "ممكن أتكلم مع موظف؟",
            "أحتاج إلى فني",
        ],
    );
    no_wishes(
        "ar",
        &[
            "لا أريد التحدث مع موظف",
            "بوابة الموارد البشرية لا تعمل",
            "الموظف نسي كلمة المرور",
            "الطابعة لا تعمل",
            "هل أنت إنسان؟",
            "جاء الفني أمس",
            "أريد إضافة شخص إلى المجموعة",
        ],
    );
}
