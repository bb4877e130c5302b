//! Messages that are nothing but yes, no, thanks or a smile.
//!
//! Not here: longer wishes (the languages' own files).

use std::sync::LazyLock;

use super::Wish;
use super::phrase::{Clause, Phrases};

/// Longer messages say more than one word.
const MOST_WORDS: usize = 10;

/// Words of all languages together: none of them means yes in one and no in another.
struct Words {
    yes: Phrases,
    no: Phrases,
    thanks: Phrases,
    /// A yes when nothing else is said.
    fine: Phrases,
    /// Praise: closes a matter like thanks do.
    praise: Phrases,
    /// Says nothing by itself.
    filler: Phrases,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| Words {
    yes: Phrases::new(
        "yes, yeah, yep, yup, yea, y, aye, sure, of course, go ahead, please do, do it, yes connect me, connect me, \
         absolutely, definitely, why not, that would be great, sounds good, \
         ja, jo, jawohl, jap, jep, ja gerne, gerne, sehr gerne, natuerlich, naturlich, klar, auf jeden fall, sicher, \
         genau, ja verbinden sie mich, machen sie das, mach das, unbedingt, \
         si, claro, claro que si, por supuesto, vale, de acuerdo, adelante, dale, desde luego, si claro, \
         oui, ouais, bien sur, d accord, volontiers, avec plaisir, allez y, vas y, certainement, je veux bien, \
         sim, claro que sim, com certeza, pode ser, pode, isso, \
         certo, certamente, va bene, volentieri, d accordo, certo che si, \
         jawel, graag, ja graag, prima, zeker, natuurlijk, doe maar, akkoord, \
         نعم, اجل, ايوه, اي نعم, بالتاكيد, طبعا, تمام, موافق, حسنا",
    ),
    no: Phrases::new(
        "no, nope, nah, n, not now, not yet, no need, not necessary, no keep going, keep going, no thank you, no thanks, \
         never mind, nevermind, later, not really, rather not, i d rather not, \
         nein, ne, nee, noe, nein danke, noch nicht, nicht jetzt, nicht noetig, nicht notig, lieber nicht, nein weiter so, \
         weiter so, spaeter, spater, auf keinen fall, \
         todavia no, ahora no, aun no, no hace falta, mejor no, no gracias, no sigamos, sigamos, para nada, \
         non, nan, pas maintenant, pas encore, pas la peine, non merci, non continuons, continuons, plus tard, \
         pas du tout, surtout pas, \
         nao, agora nao, ainda nao, nao precisa, nao obrigado, nao obrigada, depois, \
         non ora, non ancora, no grazie, non serve, dopo, meglio di no, \
         nee dank je, nee bedankt, nog niet, niet nu, niet nodig, liever niet, later, \
         لا, لا شكرا, ليس الان, ليس بعد, كلا, لاحقا",
    ),
    thanks: Phrases::new(
        "thanks, thank you, thx, thnx, tnx, ty, tysm, cheers, thanks a lot, many thanks, thank you so much, \
         thank you very much, thanks so much, much appreciated, appreciated, \
         danke, danke schoen, danke schon, dankeschoen, dankeschon, danke sehr, vielen dank, besten dank, herzlichen dank, \
         tausend dank, merci, \
         gracias, muchas gracias, mil gracias, muchisimas gracias, te lo agradezco, se lo agradezco, \
         merci beaucoup, merci bien, mille mercis, un grand merci, grand merci, je vous remercie, \
         obrigado, obrigada, muito obrigado, muito obrigada, valeu, brigado, agradeco, \
         grazie, grazie mille, mille grazie, molte grazie, tante grazie, ti ringrazio, la ringrazio, \
         dank, dank je, dank u, dank je wel, dank u wel, dankjewel, dankuwel, bedankt, hartelijk dank, heel erg bedankt, \
         شكرا, شكرا جزيلا, شكرا لك, شكرا لكم, مشكور, متشكر, الف شكر",
    ),
    fine: Phrases::new(
        "ok, okay, okey, oki, k, alright, all right, fine, okidoki, in ordnung, passt, esta bien, ca va, tudo bem",
    ),
    praise: Phrases::new(
        "great, perfect, super, cool, awesome, nice, excellent, wonderful, amazing, brilliant, good, very good, top, \
         perfekt, klasse, spitze, toll, wunderbar, prima, sehr gut, \
         perfecto, genial, estupendo, excelente, muy bien, muy amable, parfait, genial, excellent, tres bien, \
         perfeito, otimo, excelente, perfetto, ottimo, perfect, geweldig, fijn, ممتاز, رائع",
    ),
    filler: Phrases::new(
        "that helped, that worked, it works, it works now, works now, it worked, problem solved, solved, \
         es geht wieder, geht wieder, funktioniert wieder, hat geklappt, ya funciona, ca marche, ca marche maintenant, \
         please, pls, plz, so much, a lot, for your help, for the help, for now, now, again, all, everyone, guys, very much, \
         bitte, fuer die hilfe, fur die hilfe, fuer ihre hilfe, fur ihre hilfe, ihnen, dir, euch, schon, \
         por favor, por la ayuda, por tu ayuda, por su ayuda, \
         s il vous plait, s il te plait, svp, stp, pour votre aide, pour l aide, a vous, beaucoup, \
         pela ajuda, per favore, per l aiuto, alsjeblieft, alstublieft, voor de hulp, hoor, من فضلك, لو سمحت, علي المساعده",
    ),
});

/// What the whole message says, when it says nothing else.
pub(super) fn whole(clauses: &[Clause]) -> Option<Wish> {
    let words: Clause = clauses.iter().flatten().take(MOST_WORDS + 1).cloned().collect();
    if words.is_empty() || words.len() > MOST_WORDS {
        return None;
    }
    let kinds = [&WORDS.yes, &WORDS.no, &WORDS.thanks, &WORDS.fine, &WORDS.praise, &WORDS.filler];
    let mut said = [false; 6];
    let mut at = 0;
    while at < words.len() {
        let longest = kinds.iter().enumerate().filter_map(|(kind, phrases)| {
            phrases.ends(&words, at).first().map(|end| (*end, std::cmp::Reverse(kind)))
        });
        let (end, std::cmp::Reverse(kind)) = longest.max()?;
        said[kind] = true;
        at = end;
    }
    match said {
        [true, true, ..] => None,
        [_, true, ..] => Some(Wish::No),
        [true, ..] => Some(Wish::Yes),
        [_, _, true, ..] => Some(Wish::Thanks),
        [_, _, _, true, ..] => Some(Wish::Yes),
        [_, _, _, _, true, _] => Some(Wish::Thanks),
        [..] => None,
    }
}

/// Emoji, smileys, stickers. An empty text is not: files come without words, and question marks ask.
pub(super) fn is_wordless(text: &str) -> bool {
    if SMILEYS.contains(&text) {
        return true;
    }
    let mut pictures = false;
    for c in text.chars() {
        if c.is_alphanumeric() {
            return false;
        }
        pictures |= is_picture(c);
    }
    pictures
}

fn is_picture(c: char) -> bool {
    matches!(c, '\u{203c}'..='\u{2049}' | '\u{2100}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{1f000}'..='\u{1faff}')
        || c == '\u{a9}'
        || c == '\u{ae}'
}

const SMILEYS: [&str; 12] = [":)", ":-)", ":\\)", ";)", ";-)", ":D", ":-D", "=)", "<3", "^^", ":(", ":-("];

/// Emoji with which people say that all is well.
const THANKFUL: &str =
    "👍👌🙏🤝🙌👏🎉🥳❤♥💙💚💛🧡💜🖤🤍🤎💖💕🫶😀😃😄😁😊🙂☺😍🥰😘🤗😎🤩😇😉✅✔☑💯🌟⭐✨🙇💪🔥🍻🥂🎊👋🌹💐";

pub(super) fn thankful(text: &str) -> bool {
    if let Some(place) = SMILEYS.iter().position(|smiley| *smiley == text) {
        return place < 10;
    }
    let mut pictures = text.chars().filter(|c| is_picture(*c) && !is_tone(*c)).peekable();
    pictures.peek().is_some() && pictures.all(|c| THANKFUL.contains(c))
}

fn is_tone(c: char) -> bool {
    matches!(c, '\u{1f3fb}'..='\u{1f3ff}' | '\u{2640}' | '\u{2642}')
}
