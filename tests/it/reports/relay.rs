//! Reports about words and files that did not arrive, or arrived where they should not.

use deskbridge_conversation::Audience;
use deskbridge_store::rows::DeliveryState;

use super::{BOB, CEM, Case, OFFLINE, ROOMS, id};

const ACCEPTED: &str = "ana@telegram > I want to talk to a human
    bob@slack#1 > (Accept)";

#[tokio::test(start_paused = true)]
async fn t11_files_arrive_alone_and_with_words_and_a_missing_one_is_told_to_its_sender() {
    let mut case = Case::begin(&[ROOMS, BOB]).await;
    case.plays(ACCEPTED).await;
    let seen = case
        .plays(
            "bob@slack#1 > file manual.txt
            bob@slack#1 > file driver.txt install this",
        )
        .await;
    seen.once(&["ana@telegram < Bob:", "📎 manual.txt"]);
    seen.once(&["ana@telegram < Bob: install this 📎 driver.txt"]);
    let seen = case.plays("bob@slack#1 > lost-file big.txt and this").await;
    seen.once(&["ana@telegram < Bob: and this", "big.txt — file could not be fetched"]);
    seen.once(&["desk@slack#1 < ⚠️ Delivered, but without big.txt"]);
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t13_a_reply_that_does_not_arrive_says_so_and_each_direction_by_itself() {
    let mut case = Case::begin(&[ROOMS, BOB]).await;
    case.plays(ACCEPTED).await;
    let seen = case
        .plays(
            "fault ana@telegram post rejected always
            ana@telegram > this way works
            bob@slack#1 > that way does not",
        )
        .await;
    seen.once(&["desk@slack#1 < Ana: this way works"]);
    seen.once(&["⚠️ on “that way does not”"]);
    seen.once(&["desk@slack#1 < ⚠️ Not delivered: planned.", "[Try again]"]);
    let failed: Vec<_> = case.outbox(1).await;
    let failed = failed.iter().find(|row| row.state == DeliveryState::Failed).expect("a failed delivery");
    assert_eq!(failed.error.as_deref(), Some("planned"));
    let seen = case
        .plays(
            "heal telegram
            bob@slack#1 > (Try again)",
        )
        .await;
    seen.once(&["ana@telegram < Bob: that way does not"]);
    seen.once(&["📨 on “that way does not”"]);
    // And the other direction.
    let seen = case
        .plays(
            "fault desk@slack post rejected
            ana@telegram > and this way",
        )
        .await;
    seen.once(&["desk@slack#1 < ⚠️ Something could not be shown here"]);
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t14_an_answer_from_the_console_goes_to_the_channel_of_the_question() {
    let rooms = ROOMS.replace("requesters = false\n", "");
    let mut case = Case::begin(&[&rooms, BOB]).await;
    let seen = case
        .plays(
            "ana@slack > I want to talk to a human
            ana@telegram > I want to talk to a human
            bob@console#1 > answered on the web",
        )
        .await;
    seen.once(&["ana@slack < Bob: answered on the web"]);
    seen.never(&["ana@telegram < Bob:"]);
    let seen = case
        .plays(
            "fault ana@slack post rejected
            bob@console#1 > and once more",
        )
        .await;
    seen.never(&["ana@slack < Bob: and once more"]);
    seen.once(&["desk@slack#1 < ⚠️ Not delivered: planned."]);
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t15_a_remark_for_colleagues_never_reaches_the_requester() {
    let rooms = ROOMS.replace("undo_window = \"0s\"", "undo_window = \"5s\"");
    let mut case = Case::begin(&[&rooms, BOB, CEM]).await;
    case.plays(
        "ana@telegram > I want to talk to a human
        cem@slack#1 > secret: before anybody accepted
        bob@slack#1 > (Accept)
        bob@slack#1 > 🔒 secret: with a lock
        bob@slack#1 > !note secret: as a note
        bob@slack#1 > note: secret: with a colon
        cem@slack#1 > secret: by somebody else
        bob@console#1 > 🔒 secret: in the console
        bob@slack#1 >> secret: sent by accident
        ... 2s
        bob@slack#1 > !undo
        bob@slack#1 > what was your number
        bob@slack#1 > edit: 🔒 secret: I have it
        bob@slack#1 > !resolve
        bob@slack#1 > secret: after the end",
    )
    .await;
    case.all().never(&["ana@telegram < ", "secret"]);
    let leaked = case.shown_to("ana", "telegram");
    assert!(leaked.iter().all(|message| !message.content.text.contains("secret")));
    let rows = case.messages(1).await;
    let secrets: Vec<_> = rows.iter().filter(|row| row.content.text.contains("secret")).collect();
    assert!(secrets.len() >= 8);
    assert!(secrets.iter().all(|row| row.audience != Audience::Public), "{secrets:#?}");
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t58_ids_of_another_conversation_lead_nowhere() {
    let cem = [CEM, OFFLINE].concat();
    let mut case = Case::begin(&[ROOMS, BOB, &cem]).await;
    case.plays(
        "eva@telegram > I want to talk to a human
        bob@slack#1 > (Accept)
        cem@slack#1 > eva's secret
        ana@telegram > I want to talk to a human
        bob@slack#2 > (Accept)
        cem@slack#2 > ana's secret",
    )
    .await;
    let rows = case.messages(1).await;
    let secret = rows.iter().find(|row| row.content.text == "eva's secret").expect("kept").id;
    let own = case.messages(2).await;
    let own = own.iter().find(|row| row.content.text == "ana's secret").expect("kept").id;
    let steps = [
        format!("bob@slack#2 > !send {secret}"),
        format!("cem@slack#2 > !send {secret}"),
        format!("cem@slack#2 > !send {}", id(2, 1, 0)),
        format!("cem@slack#2 > !send {}", id(2, 9_999, 0)),
    ];
    let seen = case.plays(&steps.join("\n")).await;
    seen.never(&["ana@telegram <"]);
    assert_eq!(seen.count(&["Not done (send)"]), 4, "{:#?}", seen.0);
    case.plays(&format!("cem@slack#2 > !send {own}")).await.once(&["ana@telegram < Cem: ana's secret"]);
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t61_nobody_reads_what_another_requester_wrote() {
    let mut case = Case::begin(&[ROOMS, BOB]).await;
    case.plays(
        "ana@telegram >> my PIN is 1111
        eva@telegram >> my PIN is 2222
        ana@telegram > what is my PIN
        eva@telegram > and mine
        ana@telegram > (Talk to a human)
        eva@telegram > (Talk to a human)
        bob@slack#1 > (Accept)
        bob@slack#2 > (Accept)
        bob@slack#1 > for Ana alone
        bob@slack#2 > for Eva alone",
    )
    .await;
    for (person, theirs, others) in
        [("ana", ["1111", "for Ana"], ["2222", "for Eva"]), ("eva", ["2222", "for Eva"], ["1111", "for Ana"])]
    {
        let shown: Vec<String> =
            case.shown_to(person, "telegram").into_iter().map(|message| message.content.text).collect();
        let shown = shown.join("\n");
        assert!(theirs.iter().all(|word| shown.contains(word)), "{shown}");
        assert!(others.iter().all(|word| !shown.contains(word)), "{shown}");
    }
    case.ends().await;
}
