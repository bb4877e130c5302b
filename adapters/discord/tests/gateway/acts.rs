//! Commands and forms while Discord does not do what they need: whoever asked is told, and nobody else notices.
//!
//! Not here: events that the store does not take (`refused.rs`).

use deskbridge_platforms::discord::State;

use super::*;

impl Office {
    /// Slow machines may answer late: being late is a test of its own.
    async fn unhurried() -> Office {
        Office::open(Settings { interaction_deadline: SOON, ..Settings::default() }).await
    }

    async fn published(&self) {
        let found = self.fake.wait_until(SOON, |world| {
            world.connections(self.app.id) > 0
                && world.app(self.app.id).commands.values().any(|commands| !commands.is_empty())
        });
        assert!(found.await.is_ok(), "no commands: {}", self.fake.report());
    }

    /// What an interaction brought in the end.
    async fn answer(&self, id: Snowflake) -> String {
        let found = self.fake.wait_for(SOON, |world| {
            let it = world.interactions.get(&id).filter(|it| it.state == State::Answered)?;
            world.message(it.channel, *it.answers.last()?).map(|message| message.said())
        });
        found.await.unwrap_or_else(|story| panic!("no answer: {story}"))
    }

    fn command(&self, user: Snowflake, channel: Snowflake, name: &str, words: &[(&str, &str)]) -> Snowflake {
        let options: Vec<(&str, serde_json::Value)> =
            words.iter().map(|(name, value)| (*name, json!(value))).collect();
        self.fake.command(user, &self.app, channel, name, &options)
    }

    fn resumes(&self) -> usize {
        self.fake.read(|world| world.ledger.gateway.iter().filter(|line| resumed(&line.entry)).count())
    }
}

/// The direct message with one person cannot be opened: they read so, with their words to send again, and whatever others
/// say is heard, by the same connection.
#[tokio::test]
async fn one_persons_command_stops_nobody() {
    let office = Office::unhurried().await;
    let lobby = office.acme.text("lobby");
    let eve = office.acme.user("Eve");
    let running = office.start();
    office.published().await;
    for fault in [
        FaultKind::Status { code: 503, effect: false },
        FaultKind::CloseBeforeReading,
        FaultKind::Stall { wait: SOON, effect: false },
    ] {
        let words = format!("my VPN says {}", fault.name().replace('_', " "));
        office.fake.fault(Fault::on("create_dm", fault).times(1000));
        let asked = office.command(eve, lobby, "ask", &[("question", &words)]);
        let answer = office.answer(asked).await;
        assert!(answer.contains("try again") && answer.contains(&words), "{answer}");
        office.fake.clear_faults();
    }
    let limited = FaultKind::rate_limit(deskbridge_platforms::discord::Scope::User, 30.0);
    office.fake.fault(Fault::on("create_dm", limited).times(1000));
    // At the second the bucket is known to be empty: nothing is asked, and the answer is the same.
    for _ in 0..2 {
        let asked = office.command(eve, lobby, "status", &[]);
        assert!(office.answer(asked).await.contains("try again"));
    }
    office.say("somebody else's words");
    office.heard("somebody else's words").await;
    assert_eq!((office.identifies(), office.resumes()), (1, 0), "{}", office.fake.report());
    running.abort();
}

/// The same when Discord does not say whether words stand in their post: an end of the process came between.
#[tokio::test]
async fn a_note_of_which_nothing_is_known_stops_nobody() {
    let office = Office::unhurried().await;
    let thread = office.acme.thread(office.ana, office.forum, "printer");
    let running = office.start();
    office.published().await;
    office.fake.fault(Fault::on("execute_webhook", FaultKind::CloseAfterEffect));
    office.fake.fault(Fault::on("list_messages", FaultKind::Status { code: 502, effect: false }).times(1000));
    let note = office.command(office.ana, thread, "note", &[("text", "very nervous")]);
    let answer = office.answer(note).await;
    assert!(answer.contains("look"), "{answer}");
    office.say("somebody else's words");
    office.heard("somebody else's words").await;
    assert_eq!((office.identifies(), office.resumes()), (1, 0), "{}", office.fake.report());
    running.abort();
}

/// What takes longer than Discord waits is answered before it is done, and its outcome afterwards.
#[tokio::test]
async fn a_slow_note_is_answered_in_time() {
    let office = Office::unhurried().await;
    let thread = office.acme.thread(office.ana, office.forum, "printer");
    let running = office.start();
    office.published().await;
    for (name, words, outcome) in [("note", "very nervous", "Kept"), ("reply", "Pull the lever", "👌")] {
        let slow = FaultKind::Stall { wait: Duration::from_secs(8), effect: true };
        office.fake.fault(Fault::on("execute_webhook", slow));
        let command = office.command(office.ana, thread, name, &[("text", words)]);
        let first = office.fake.wait_for(SOON, |world| {
            let deferred = world.interactions.get(&command).is_some_and(|it| it.state == State::Deferred);
            deferred.then(|| {
                world.requests("execute_webhook").last().is_some_and(|call| call.answered_at.is_some())
            })
        });
        let done = first.await.unwrap_or_else(|story| panic!("not answered at first: {story}"));
        assert!(!done, "{name} was answered only when it was done");
        let answer = office.answer(command).await;
        assert!(answer.contains(outcome), "{answer}");
        assert_eq!(office.fake.read(|world| world.interactions[&command].answers.len()), 1);
    }
    let there = office.fake.messages_in(thread);
    let own = there.iter().filter(|message| message.only_for.is_none()).count();
    assert_eq!(own, 2, "{}", office.fake.report());
    assert_eq!((office.identifies(), office.resumes()), (1, 0));
    running.abort();
}

/// Who takes no direct messages reads so, and is not promised an answer that cannot come; nor is anything stored.
#[tokio::test]
async fn who_takes_no_direct_messages_is_told_so() {
    let office = Office::unhurried().await;
    let lobby = office.acme.text("lobby");
    let eve = office.acme.user("Eve");
    office.fake.close_dms(eve, true);
    let running = office.start();
    office.published().await;
    for (name, words) in [("ask", vec![("question", "my VPN is down")]), ("status", Vec::new())] {
        let asked = office.command(eve, lobby, name, &words);
        let answer = office.answer(asked).await;
        assert!(answer.contains("Allow direct messages"), "{name}: {answer}");
    }
    office.say("somebody else's words");
    office.heard("somebody else's words").await;
    assert_eq!(*office.store.texts.borrow(), ["somebody else's words"]);
    office.fake.close_dms(eve, false);
    let asked = office.command(eve, lobby, "ask", &[("question", "my VPN is down")]);
    assert!(office.answer(asked).await.contains("comes in our direct messages"));
    office.heard("my VPN is down").await;
    let dm = office.fake.dm(eve, &office.app);
    assert_eq!(office.fake.transcript(dm).len(), 1, "{:?}", office.fake.transcript(dm));
    running.abort();
}

/// What requesters say of their own requests does not mean the one of a post: whoever types it there reads what does.
#[tokio::test]
async fn commands_of_requesters_in_a_post() {
    let office = Office::unhurried().await;
    let thread = office.acme.thread(office.ana, office.forum, "printer");
    let running = office.start();
    office.published().await;
    for (name, instead) in
        [("status", "`/info`"), ("close", "`/resolve`"), ("human", "`/transfer`"), ("new", "`/ask`")]
    {
        let typed = office.command(office.ana, thread, name, &[]);
        let answer = office.answer(typed).await;
        assert!(answer.contains(instead), "{name}: {answer}");
    }
    // A question of one's own may be asked anywhere.
    let asked = office.command(office.ana, thread, "ask", &[("question", "my own VPN is down")]);
    assert!(office.answer(asked).await.contains("comes in our direct messages"));
    office.heard("my own VPN is down").await;
    let dm = office.fake.dm(office.ana, &office.app);
    assert!(office.fake.transcript(dm)[0].contains("You asked"), "{:?}", office.fake.transcript(dm));
    running.abort();
}
