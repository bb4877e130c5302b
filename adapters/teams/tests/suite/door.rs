//! Who is let in, and what is taken once: S11–S16, S25–S30 for the Connector, F22, T53 and copies of events.

use std::time::Duration;

use std::sync::Arc;

use deskbridge_contract::suite::Recorder;
use deskbridge_contract::{
    Adapter as _, Content, DeliveryId, InboundEvent, Inbox, Outbound, OutboundOp, Peer,
};
use deskbridge_platforms::teams::Forged;
use serde_json::json;

use super::subject::{Bench, DESK, HOME, MARIA, home};

/// The statuses of these forgeries; everything else of each token and event is right.
async fn statuses(bench: &Bench, all: &[Forged]) -> Vec<(Forged, u16)> {
    let mut found = Vec::new();
    for forged in all {
        let activity = bench.fake.say(MARIA, HOME, "forged");
        found.push((*forged, bench.fake.forge(&bench.hook, &activity, *forged).await.unwrap()));
    }
    found
}

/// All are refused, none has an effect, nothing is asked of anybody because of them; and the genuine event after them is taken.
async fn all_refused(all: &[Forged]) {
    let (bench, recorder) = Bench::recording().await;
    let genuine = bench.fake.say(MARIA, HOME, "genuine");
    assert_eq!(bench.fake.forge(&bench.hook, &genuine, Forged::Nothing).await.unwrap(), 202);
    let asked = |bench: &Bench| bench.fake.read(|world| (world.key_fetches, world.calls.len()));
    let before = asked(&bench);
    for (forged, status) in statuses(&bench, all).await {
        assert_eq!(status, 403, "{forged:?}");
    }
    assert_eq!(asked(&bench), before);
    let again = bench.fake.say(MARIA, HOME, "genuine again");
    assert_eq!(bench.fake.forge(&bench.hook, &again, Forged::Nothing).await.unwrap(), 202);
    assert_eq!(recorder.pushed().len(), 2);
    assert!(recorder.quarantined().is_empty());
}

/// Every one of the seven checks, each with a token that is right otherwise; without any it is 401.
#[tokio::test]
async fn every_check_of_a_token() {
    let (bench, recorder) = Bench::recording().await;
    for (forged, status) in statuses(&bench, &Forged::ALL).await {
        let unnamed = matches!(forged, Forged::Missing | Forged::Empty | Forged::NotBearer);
        assert_eq!(status, if unnamed { 401 } else { 403 }, "{forged:?}");
    }
    assert!(recorder.pushed().is_empty() && recorder.quarantined().is_empty());
}

/// S11: the token does not choose how it is verified, nor by which key.
#[tokio::test]
async fn s11_a_token_chooses_neither_algorithm_nor_key() {
    let own = [Forged::KeyInHeader, Forged::KeyByAddress, Forged::CertificateByAddress, Forged::OtherKey];
    all_refused(&[[Forged::Unsigned, Forged::HmacWithPublicKey].as_slice(), &own].concat()).await;
}

/// S12: issuer, audience and times, also of other types than they should have.
#[tokio::test]
async fn s12_issuer_audience_and_times() {
    all_refused(&[
        Forged::OtherIssuer,
        Forged::OtherAudience,
        Forged::NoAudience,
        Forged::AudienceList,
        Forged::Expired,
        Forged::NotYet,
        Forged::NoEnd,
        Forged::AbsentEnd,
        Forged::EndAsText,
    ])
    .await;
}

/// S13: a good token for another address, and an address that is nobody's; the bot's token goes to neither.
#[tokio::test]
async fn s13_the_bots_token_is_never_sent_elsewhere() {
    let (bench, recorder) = Bench::recording().await;
    // In the activity alone, and in the token as well: `forge` signs for whatever the activity names.
    let mut activity = bench.fake.say(MARIA, HOME, "answer me there");
    let status = bench.fake.forge(&bench.hook, &activity, Forged::OtherServiceUrl).await.unwrap();
    assert_eq!(status, 403);
    for evil in ["https://evil.test", "http://127.0.0.1.evil.test/teams/", "file:///etc/passwd", "evil"] {
        activity["serviceUrl"] = json!(evil);
        let status = bench.fake.forge(&bench.hook, &activity, Forged::Nothing).await.unwrap();
        assert_eq!(status, 403, "{evil}");
    }
    assert!(recorder.pushed().is_empty());
    // Not remembered either: what is said there goes to the server of the configuration.
    bench.adapter.send(&hello()).await.unwrap();
    assert_eq!(bench.fake.read(|world| world.messages(HOME).iter().filter(|message| message.own).count()), 1);
}

/// The key vouches for channels by name.
#[tokio::test]
async fn s13_endorsements() {
    let (bench, recorder) = Bench::recording().await;
    for channel in [json!("webchat"), json!(null), json!(["msteams"]), json!("")] {
        let mut activity = bench.fake.say(MARIA, HOME, "x");
        activity["channelId"] = channel.clone();
        let status = bench.fake.forge(&bench.hook, &activity, Forged::Nothing).await.unwrap();
        assert_eq!(status, 403, "{channel}");
    }
    assert!(recorder.pushed().is_empty());
}

/// S16: tokens of Entra ID are not the Connector's, whatever signed them; the Emulator's neither.
#[tokio::test]
async fn s16_tokens_of_entra_id_and_of_the_emulator() {
    all_refused(&[Forged::OtherTenant, Forged::OtherTenantV2, Forged::Emulator, Forged::EmulatorV2]).await;
}

/// S25, S26, S28, S30: what is no JSON by its own word, packed, too large, or not to be read; all with a good token.
#[tokio::test]
async fn s30_other_bodies() {
    let (bench, recorder) = Bench::recording().await;
    let service = bench.fake.service_url();
    let settings = bench.fake.settings();
    let token =
        bench.fake.signer().header(&settings.app_id, &service, settings.now, Forged::Nothing).unwrap();
    let ask = |kind: &str, packed: bool, body: Vec<u8>| {
        let request = axum::http::Request::post("/").header("authorization", &token);
        let request = if kind.is_empty() { request } else { request.header("content-type", kind) };
        let request = if packed { request.header("content-encoding", "gzip") } else { request };
        bench.ask(request.extension(Peer::at([127, 0, 0, 1].into())).body(body.into()).unwrap())
    };
    let good = bench.fake.say(MARIA, HOME, "good").to_string().into_bytes();
    for kind in ["", "text/xml", "multipart/form-data; boundary=x", "application/jsonp"] {
        assert_eq!(ask(kind, false, good.clone()).await, 415, "{kind}");
    }
    let json = "application/json; charset=utf-8";
    assert_eq!(ask(json, true, good.clone()).await, 415);
    assert_eq!(ask(json, false, vec![b' '; (1 << 20) + 1]).await, 413);
    assert!(recorder.pushed().is_empty() && recorder.quarantined().is_empty());
    // Signed, and not to be understood: kept for a person (S29).
    assert_eq!(ask(json, false, b"{\"type\": \"\xff\"}".to_vec()).await, 200);
    assert_eq!(recorder.quarantined().len(), 1);
    // Half an emoji, and a byte that is no text: the rest of what was said is worth having (S28).
    for (odd, read) in
        [(b"\\ud83d".as_slice(), "half \u{fffd} an emoji"), (b"\xff", "half \u{fffd} an emoji")]
    {
        let said = bench.fake.say(MARIA, HOME, "half @@ an emoji").to_string().into_bytes();
        let mut body = Vec::new();
        for (nth, part) in said.split(|byte| *byte == b'@').filter(|part| !part.is_empty()).enumerate() {
            if nth > 0 {
                body.extend_from_slice(odd);
            }
            body.extend_from_slice(part);
        }
        assert_eq!(ask(json, false, body).await, 202);
        let InboundEvent::Posted { content, .. } = recorder.pushed().pop().unwrap().event else { panic!() };
        assert_eq!(content.text, read);
    }
    assert_eq!(recorder.quarantined().len(), 1);
    assert_eq!(ask(json, false, good).await, 202);
}

fn hello() -> Outbound {
    let content = Content::text("hello");
    let op = OutboundOp::Post { content, files: vec![], persona: None, reply_to: None };
    Outbound { id: DeliveryId::new("d1"), to: home(), op }
}

/// The same event again after 15 s, and as a copy under a new id.
#[tokio::test]
async fn copies_are_the_same_event() {
    let (bench, recorder) = Bench::recording().await;
    let handle = bench.fake.deliver(&bench.hook, bench.fake.say(MARIA, HOME, "once"));
    bench.taken(&handle).await;
    let copy = bench.fake.copy(&bench.hook, &handle).unwrap();
    bench.taken(&copy).await;
    let pushed = recorder.pushed();
    assert_eq!(pushed.len(), 2);
    assert_eq!(pushed[0].id, pushed[1].id);
}

/// `@Desk accept` in a thread of the desk is the verb; the card's text box is a message in the thread.
#[tokio::test]
async fn verbs_and_the_cards_text_box() {
    let (bench, recorder) = Bench::recording().await;
    let thread = format!("{DESK};messageid=77");
    bench.taken(&bench.fake.deliver(&bench.hook, bench.fake.call(MARIA, &thread, "accept"))).await;
    let inputs = json!({ "teams_text": "On my *way*" });
    let press = bench.fake.press(MARIA, &thread, "77", "teams:say", &inputs);
    bench.taken(&bench.fake.deliver(&bench.hook, press)).await;
    let words: Vec<String> = recorder
        .pushed()
        .into_iter()
        .map(|event| match event.event {
            InboundEvent::Posted { content, .. } => content.text,
            other => panic!("{other:?}"),
        })
        .collect();
    let note = bench.fake.press(MARIA, &thread, "77", "teams:note", &inputs);
    bench.taken(&bench.fake.deliver(&bench.hook, note)).await;
    let InboundEvent::Posted { content, .. } = recorder.pushed().pop().unwrap().event else { panic!() };
    assert_eq!(content.text, "🔒 On my \\*way\\*");
    assert_eq!(words, ["!accept", "On my \\*way\\*"]);
    // The press was answered in the same response, with words for the person.
    let answers = bench.fake.read(|world| world.answers.clone());
    assert_eq!(answers[0]["type"], "application/vnd.microsoft.activity.message");
}

/// A whisper that answers a press is shown over the card, to that person alone.
#[tokio::test]
async fn a_whisper_answers_the_press() {
    let (bench, recorder) = Bench::recording().await;
    let thread = format!("{DESK};messageid=77");
    let press = bench.fake.press(MARIA, &thread, "77", "desk:summary", &json!({}));
    let handle = bench.fake.deliver(&bench.hook, press);
    let event = loop {
        match recorder.pushed().pop() {
            Some(event) => break event,
            None => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    let content = Content::text("**Problem:** VPN");
    let op =
        OutboundOp::Whisper { to: event.from.id.clone(), content, interaction: event.interaction.clone() };
    let out = Outbound { id: DeliveryId::new("w1"), to: event.address.clone(), op };
    bench.adapter.send(&out).await.unwrap();
    bench.taken(&handle).await;
    assert_eq!(bench.fake.read(|world| world.answers[0]["value"].clone()), "Problem: VPN");
    assert_eq!(bench.fake.read(|world| world.requests()), 0);
}

/// Development: without a token from this machine, and from no other, whatever it shows.
#[tokio::test]
async fn development_is_for_this_machine() {
    // The last: from this machine, by a proxy or tunnel on it, as the host says.
    let proxied = Peer { local: false, ..Peer::at([127, 0, 0, 1].into()) };
    for (peer, status) in
        [(Peer::at([127, 0, 0, 1].into()), 202), (Peer::at([192, 0, 2, 7].into()), 403), (proxied, 403)]
    {
        let bench = Bench::with(json!({ "development": true }), peer).await;
        let recorder = Arc::new(Recorder::default());
        bench.open(Inbox::new("teams".into(), recorder.clone(), recorder.clone()));
        let activity = bench.fake.say(MARIA, HOME, "emulated");
        for forged in [Forged::Missing, Forged::Nothing] {
            assert_eq!(bench.fake.forge(&bench.hook, &activity, forged).await.unwrap(), status, "{peer:?}");
        }
        assert_eq!(recorder.pushed().is_empty(), status == 403);
        // A tunnel that only passes bytes on: whoever calls named another machine.
        for (host, taken) in
            [("127.0.0.1:8080", status), ("localhost", status), ("desk.example.org", 403), ("", 403)]
        {
            let request = axum::http::Request::post("/").header("content-type", "application/json");
            let request = request.header("host", host).extension(peer);
            let answered = bench.ask(request.body(activity.to_string().into()).unwrap()).await;
            assert_eq!(answered, taken, "{host}");
        }
    }
}

/// Pressing it with buttons in the answer shows them in the card's place, with a way back.
#[tokio::test]
async fn a_whisper_with_buttons_takes_the_cards_place() {
    let (bench, recorder) = Bench::recording().await;
    let thread = format!("{DESK};messageid=77");
    let data = json!({ "reference": "#1042" });
    let press = bench.fake.press(MARIA, &thread, "77", "desk:suggest", &data);
    let handle = bench.fake.deliver(&bench.hook, press);
    let event = loop {
        match recorder.pushed().pop() {
            Some(event) => break event,
            None => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    let content =
        Content::text("Try this").with_actions(vec![deskbridge_contract::Action::new("send:m1", "Send it")]);
    let op =
        OutboundOp::Whisper { to: event.from.id.clone(), content, interaction: event.interaction.clone() };
    bench.adapter.send(&Outbound { id: DeliveryId::new("w1"), to: event.address.clone(), op }).await.unwrap();
    bench.taken(&handle).await;
    let answer = bench.fake.read(|world| world.answers[0].clone());
    assert_eq!(answer["type"], "application/vnd.microsoft.card.adaptive");
    let titles: Vec<_> =
        answer["value"]["actions"].as_array().unwrap().iter().map(|one| one["title"].clone()).collect();
    assert_eq!(titles, ["Send it", "Back to the card"]);
    assert_eq!(answer["value"]["actions"][1]["data"]["reference"], "#1042");
    assert!(bench.fake.read(|world| world.violations.is_empty()));
}
