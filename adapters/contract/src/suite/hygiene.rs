//! Clauses about everything around messages: C9, C10, C11, C14.
//!
//! Not here: messages.

use super::run::{Findings, Run, kind_of};
use super::subject::{Forgery, Verdict};

/// C9. Over every error that the run saw, and over the log where it was kept.
pub(super) async fn nothing_secret(run: &mut Run<'_>, found: &mut Findings) {
    let secrets: Vec<String> = run.subject.secrets().into_iter().filter(|s| !s.is_empty()).collect();
    let home = run.subject.home();
    let mut texts: Vec<String> = run.errors.iter().map(ToString::to_string).collect();
    let quarantined = run.recorder.quarantined();
    texts.extend(quarantined.iter().map(|(_, why)| why.to_string()));
    // Where nothing can go wrong on the way, there is no error to be read.
    let errors_exist = !run.subject.exempt().iter().any(|(clause, _)| *clause == super::Clause::C8);
    if errors_exist {
        found.check(!texts.is_empty(), || "no error was seen: run C8 and C2 as well".into());
    }
    for text in &texts {
        found.check(!run.said.iter().any(|said| text.contains(said.as_str())), || {
            format!("an error quotes message text: {text}")
        });
        // Short ids ("1") are in any text by chance.
        let room = home.room.as_str();
        let named = room.len() >= 4 && text.contains(room);
        found.check(!named, || format!("an error names an address: {text}"));
    }
    texts.extend(run.errors.iter().map(|e| format!("{e:?}")));
    for text in &texts {
        // The secret itself stays out of the report as well.
        let leaks = secrets.iter().any(|secret| text.contains(secret.as_str()));
        found.check(!leaks, || "an error holds a secret".into());
    }
    let Some(logs) = run.subject.logs() else {
        found.note("logs were not kept");
        return;
    };
    found.check(!secrets.iter().any(|secret| logs.contains(secret.as_str())), || {
        "the log holds a secret".into()
    });
    let quoted = run.said.iter().find(|said| logs.contains(said.as_str()));
    found.check(quoted.is_none(), || "the log holds message text".into());
}

/// C10. Over every event of the run of which the platform's time is known.
pub(super) async fn platform_time(run: &mut Run<'_>, found: &mut Findings) {
    if run.times.is_empty() {
        let home = run.subject.home();
        run.say(&home, "what time is it?", found).await;
    }
    for (at, inbound) in &run.times {
        found.check(inbound.at == *at, || {
            format!("{} happened at {at:?} and came in as of {:?}", kind_of(&inbound.event), inbound.at)
        });
    }
}

/// C11. The example is good; one key more, and it is refused by name.
pub(super) async fn example_parses(run: &mut Run<'_>, found: &mut Findings) {
    let Some(example) = run.subject.example() else { return };
    if let Err(why) = run.subject.parse_config(&example) {
        found.fault(format!("the example does not parse: {why}"));
        return;
    }
    let odd = "not_a_key_of_ours";
    match run.subject.parse_config(&format!("{example}\n{odd} = 1\n")) {
        Ok(()) => found.fault("an unknown key is taken"),
        Err(why) => {
            found.check(why.contains(odd), || {
                format!("the refusal of an unknown key does not name it: {why}")
            });
        }
    }
}

/// C14. Every forgery that the platform knows.
pub(super) async fn forgeries_are_refused(run: &mut Run<'_>, found: &mut Findings) {
    // What the platform still sends again from before is none of them; subjects wait for it only a while at a time.
    for _ in 0..8 {
        run.subject.settle().await;
    }
    for forgery in Forgery::ALL {
        let before = run.recorder.begun();
        let Some(verdict) = run.subject.forge(forgery).await else {
            found.note(format!("no {forgery:?} on this platform"));
            continue;
        };
        found.check(verdict == Verdict::Refused, || format!("{forgery:?} was not refused"));
        run.subject.settle().await;
        let came = run.recorder.begun() - before;
        found.check(came == 0, || format!("{forgery:?} came in"));
    }
}
