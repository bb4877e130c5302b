//! F34 and the compatibility rows of platform-contracts §6, over real sockets.

use deskbridge_platforms::openai::{Answer as Scripted, Reply as Model, ToolCall, Usage};
use serde_json::json;

use super::*;
use crate::assistant::{FallbackEngine, KnowledgeEngine, Unwatched};

async fn answered(fake: &FakeOpenAi, said: &str) -> Reply {
    engine(settings(fake)).answer(&request(said), &Unwatched).await
}

/// An answer to the question by a model that is asked once, and by how many calls.
async fn once(answer: impl Into<Scripted>) -> (Reply, usize) {
    let fake = FakeOpenAi::start().await;
    fake.next_times(1, answer);
    fake.rule(|_| Scripted::Close);
    let reply = answered(&fake, QUESTION).await;
    (reply, fake.chats().len())
}

#[tokio::test]
async fn an_answer_is_streamed_cited_and_has_a_button() {
    let fake = FakeOpenAi::start().await;
    fake.next("The saved password is the old one. Open the VPN client and type the new one [1]. It should connect at once.");
    let watched = Watched::default();
    let reply = engine(settings(&fake)).answer(&request(QUESTION), &watched).await;
    let Answer::Said { cites } = &reply.answer else { panic!("{reply:?}") };
    assert_eq!(cites.len(), 1, "{cites:?}");
    assert!(cites[0].starts_with("vpn-error-691"), "{cites:?}");
    let shown = text(&reply);
    assert!(
        shown.starts_with("The saved password is the old one. Open the VPN client and type the new one. It"),
        "{shown}"
    );
    assert!(shown.ends_with("\n\nSource: *VPN error 691 after a password change*"), "{shown}");
    let actions = &reply.content.as_ref().expect("content").actions;
    assert_eq!(actions.iter().map(|action| action.id.as_str()).collect::<Vec<_>>(), ["human"]);
    let told = watched.texts();
    assert!(!told.is_empty() && told.windows(2).all(|pair| pair[1].len() > pair[0].len()), "{told:?}");
    let asked = fake.chats();
    assert!(asked[0].stream && asked[0].authorized);
    assert_eq!(asked[0].tools(), ["search_knowledge", "hand_over", "my_ticket"]);
    assert!(asked[0].last("system").is_some_and(|rules| rules.contains("VPN error 691")));
}

#[tokio::test]
async fn local_servers_need_no_key() {
    let fake = FakeOpenAi::start().await;
    fake.require_key(false);
    fake.next("Fine.");
    let mut settings = settings(&fake);
    settings.api_key = None;
    settings.base_url.push('/');
    let reply = engine(settings).answer(&request("Hello"), &Unwatched).await;
    assert_eq!(text(&reply), "Fine.");
    assert_eq!(fake.chats()[0].header("authorization"), None);
    assert_eq!(fake.chats()[0].header("openai-organization"), None);
}

#[tokio::test]
async fn compatible_servers_differ() {
    let plain = || Model::text("Turn it off and on again, please.");
    for (name, model) in [
        ("comments", plain().with_comments()),
        ("no [DONE]", plain().without_done()),
        ("CRLF", plain().crlf()),
        ("bytes", plain().wire_piece(1)),
        ("no usage", plain().usage(Usage::Missing)),
        ("empty usage", plain().usage(Usage::Odd(json!({})))),
        ("F34 NaN usage", plain().usage(Usage::Raw("NaN".to_owned()))),
        ("unknown fields", plain().extra("service_tier", json!("on_demand"))),
        ("unknown finish reason", plain().finish_reason(Some("eos_token"))),
    ] {
        let (reply, calls) = once(model).await;
        assert_eq!((text(&reply), calls), ("Turn it off and on again, please.", 1), "{name}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_read_whole() {
    let whole = json!({ "choices": [{ "message": { "role": "assistant", "content": "Whole." }, "finish_reason": "stop" }] });
    let (reply, _) = once(Scripted::Text(format!("{whole:#}"))).await;
    assert_eq!(text(&reply), "Whole.");
}

#[tokio::test]
async fn what_passes_by_itself_is_tried_again() {
    for (name, answer) in [
        ("408", Scripted::server_error(408)),
        ("409", Scripted::server_error(409)),
        ("429", Scripted::rate_limited().header("retry-after-ms", "1")),
        ("F34 500", Scripted::server_error(500)),
        ("529", Scripted::server_error(529)),
        ("dropped", Scripted::Close),
        ("x-should-retry", Scripted::bad_request("busy").header("x-should-retry", "true")),
        ("cut before the first token", Scripted::Reply(Model::text("Hello there").cut_after(1))),
    ] {
        let fake = FakeOpenAi::start().await;
        fake.next_times(2, answer);
        fake.next("Third time lucky.");
        let reply = answered(&fake, QUESTION).await;
        assert_eq!((text(&reply), fake.chats().len()), ("Third time lucky.", 3), "{name}");
    }
}

#[tokio::test]
async fn what_does_not_pass_is_not_tried_again() {
    for (name, answer) in [
        ("400", Scripted::bad_request("no")),
        ("context", Scripted::context_too_long()),
        ("401", Scripted::unauthorized()),
        ("404", Scripted::unknown_model()),
        ("no quota", Scripted::insufficient_quota()),
        ("x-should-retry", Scripted::server_error(500).header("x-should-retry", "false")),
        ("error in 200", Scripted::error_in_ok("overloaded")),
        ("F34 HTML in 200", Scripted::Html),
        (
            "a redirect",
            Scripted::Status {
                code: 307,
                body: json!({}),
                headers: vec![("location".into(), "/v1/x".into())],
            },
        ),
        ("malformed chunk", Model::text("one two three").malformed_at(2).into()),
        ("error chunk", Model::text("one two three").error_at(2).into()),
        ("F34 empty", Model::empty().into()),
        ("only white space", Model::text(" \n ").into()),
        ("filtered", Model::text("bad words").finish_reason(Some("content_filter")).into()),
        ("F34 endless", Scripted::Endless),
    ] {
        let (reply, calls) = once(answer).await;
        assert!(failed(&reply).is_some() && reply.content.is_none(), "{name}: {reply:?}");
        assert_eq!(calls, 1, "{name}");
    }
}

#[tokio::test]
async fn three_attempts_are_enough() {
    let fake = FakeOpenAi::start().await;
    fake.rule(|_| Scripted::server_error(503));
    let reply = answered(&fake, QUESTION).await;
    assert!(failed(&reply).is_some_and(|why| why.contains("503")), "{reply:?}");
    assert_eq!(fake.chats().len(), 3);
}

/// F34: cut at each token. A partial answer is never final, and never begun twice.
#[tokio::test]
async fn f34_a_cut_stream_is_never_an_answer() {
    let words = "one two three four five six";
    for cut in 2..=7 {
        let (reply, calls) = once(Model::text(words).cut_after(cut)).await;
        assert!(failed(&reply).is_some(), "cut after {cut}: {reply:?}");
        assert_eq!(calls, 1, "cut after {cut}");
    }
    let (reply, _) = once(Model::text(words).finish_reason(None)).await;
    assert!(failed(&reply).is_some(), "no finish reason: {reply:?}");
}

/// F34: time-outs, here short. Their true lengths are measured with a moved clock (`paused.rs`).
#[tokio::test]
async fn f34_a_silent_server_is_left() {
    let fake = FakeOpenAi::start().await;
    let mut settings = settings(&fake);
    settings.patience.first_token = Duration::from_millis(60);
    settings.patience.idle = Duration::from_millis(60);
    let engine = engine(settings);
    let long = Duration::from_secs(30);
    for silent in [
        Scripted::Hang(long),
        Model::text("a b c").first_delay(long).into(),
        Model::text("a b c").stall(2, long).into(),
    ] {
        fake.next(silent);
        let reply = engine.answer(&request(QUESTION), &Unwatched).await;
        assert!(failed(&reply).is_some(), "{reply:?}");
    }
    assert_eq!(fake.chats().len(), 3);
}

/// F34: ten megabytes.
#[tokio::test]
async fn f34_a_huge_answer_is_cut() {
    let (reply, calls) = once(Model::huge(10 << 20)).await;
    assert_eq!(calls, 1);
    assert!(matches!(reply.answer, Answer::Said { .. }), "{:?}", reply.answer);
    assert!(text(&reply).len() <= 4_010, "{}", text(&reply).len());
}

#[tokio::test]
async fn an_answer_cut_at_its_limit_ends_with_a_sentence() {
    let (reply, _) =
        once(Model::text("First do this. Then do that. And fina").finish_reason(Some("length"))).await;
    assert_eq!(text(&reply), "First do this. Then do that.");
}

#[tokio::test]
async fn tools_are_called_and_answered() {
    let fake = FakeOpenAi::start().await;
    fake.next(Model::tool_calls(vec![
        ToolCall::new("a", "search_knowledge", &json!({ "query": "paper jam" })),
        ToolCall::new("b", "my_ticket", &json!({})),
    ]));
    fake.rule(|body| {
        let results = body["messages"].as_array().expect("messages").iter().filter(|m| m["role"] == "tool");
        let found: Vec<&str> = results.filter_map(|message| message["content"].as_str()).collect();
        let number =
            found[0].split("n=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("an article");
        Scripted::Reply(Model::text(&format!("Open the back cover [{number}]. And: {}.", found[1])))
    });
    let reply = answered(&fake, "zyx").await;
    assert!(text(&reply).starts_with("Open the back cover. And: there is no ticket."), "{reply:?}");
    let Answer::Said { cites } = &reply.answer else { panic!("{reply:?}") };
    assert!(cites[0].starts_with("printer-paper-jam"), "{cites:?}");
    assert_eq!(fake.chats().len(), 2);
}

#[tokio::test]
async fn handing_over_is_a_tool_call_and_asks_first() {
    let (reply, calls) = once(Model::tool_call("hand_over", &json!({ "reason": "stuck" }))).await;
    assert_eq!(reply.answer, Answer::HandOver { reason: HandoverReason::ToolCall });
    assert_eq!(calls, 1);
    assert_eq!(
        text(&reply),
        "A technician can help you better with this.\n\nShall I connect you with a technician?"
    );
    let actions = &reply.content.as_ref().expect("content").actions;
    assert_eq!(actions.iter().map(|action| action.id.as_str()).collect::<Vec<_>>(), ["yes", "no"]);
}

/// T20: words promise nothing. Text never triggers anything, not even text that looks like a call.
#[tokio::test]
async fn t20_a_phrase_is_no_handover() {
    let (reply, _) = once("I'm connecting you with a technician now.").await;
    assert!(matches!(reply.answer, Answer::Said { .. }));
    assert!(
        text(&reply).ends_with(
            "Nobody has been called yet. If you would like a technician, use the button or just say so."
        ),
        "{reply:?}"
    );
    let (reply, calls) =
        once(r#"<tool_call>{"name": "hand_over", "arguments": {"reason": "x"}}</tool_call>"#).await;
    assert!(matches!(reply.answer, Answer::Said { .. }), "{reply:?}");
    assert_eq!(calls, 1);
}

/// F34, S100: a model that calls tools without end.
#[tokio::test]
async fn f34_a_tool_loop_has_four_steps() {
    let fake = FakeOpenAi::start().await;
    fake.loop_on_tool("search_knowledge", json!({ "query": "vpn" }));
    let reply = answered(&fake, QUESTION).await;
    assert!(failed(&reply).is_some(), "{reply:?}");
    let asked = fake.chats();
    assert_eq!(asked.len(), 5);
    assert_eq!(asked[3].body["tool_choice"], serde_json::Value::Null);
    assert_eq!(asked[4].body["tool_choice"], "none");
}

#[tokio::test]
async fn a_model_without_tools_still_answers() {
    let fake = FakeOpenAi::start().await;
    fake.rule(|body| match body["tools"].is_array() {
        true => Scripted::bad_request("this model does not support tools"),
        false => Scripted::Reply(Model::text("Restart it.")),
    });
    assert_eq!(text(&answered(&fake, QUESTION).await), "Restart it.");
}

/// S101: over the requester's budget people are offered; over everybody's, the second engine answers.
#[tokio::test]
async fn s101_budgets_end_in_an_honest_text() {
    let fake = FakeOpenAi::start().await;
    let mut settings = settings(&fake);
    settings.budget = Budget { per_requester: 1, per_day: 2 };
    let engine = engine(settings);
    let ask = |who: &str| Request { account: who.into(), ..request(QUESTION) };
    assert!(matches!(engine.answer(&ask("a"), &Unwatched).await.answer, Answer::Said { .. }));
    let spent = engine.answer(&ask("a"), &Unwatched).await;
    assert_eq!(spent.answer, Answer::HandOver { reason: HandoverReason::MaxTurns });
    assert!(text(&spent).ends_with("Shall I connect you with a technician?"), "{spent:?}");
    assert!(matches!(engine.answer(&ask("b"), &Unwatched).await.answer, Answer::Said { .. }));
    let second: Arc<dyn Assistant> = Arc::new(KnowledgeEngine::new(base()));
    let both = FallbackEngine::new(Arc::new(engine), second);
    let reply = both.answer(&ask("c"), &Unwatched).await;
    assert!(
        matches!(reply.answer, Answer::Said { .. }) && text(&reply).contains("Did this help?"),
        "{reply:?}"
    );
    assert_eq!(fake.chats().len(), 2);
}

#[tokio::test]
async fn a_dead_model_is_replaced_by_the_knowledge_base() {
    let fake = FakeOpenAi::start().await;
    fake.outage(true);
    let both = FallbackEngine::new(Arc::new(engine(settings(&fake))), Arc::new(KnowledgeEngine::new(base())));
    let reply = both.answer(&request(QUESTION), &Unwatched).await;
    let Answer::Said { cites } = &reply.answer else { panic!("{reply:?}") };
    assert!(cites[0].starts_with("vpn-error-691"));
    let nothing = both.answer(&request("The coffee machine sings opera songs"), &Unwatched).await;
    assert_eq!(nothing.answer, Answer::HandOver { reason: HandoverReason::LowConfidence }, "{nothing:?}");
}

#[tokio::test]
async fn a_superseded_turn_lets_go_of_the_server() {
    let fake = FakeOpenAi::start().await;
    fake.next(Model::text("one two three").stall(2, Duration::from_secs(30)));
    let engine = engine(settings(&fake));
    let asked = request(QUESTION);
    tokio::select! {
        reply = engine.answer(&asked, &Unwatched) => panic!("{reply:?}"),
        sent = fake.wait_for(Duration::from_secs(5), |asked| asked.first().filter(|a| a.chunks_sent >= 2).map(|_| ())) => sent.expect("sent"),
    }
    fake.wait_for(Duration::from_secs(5), |asked| asked[0].abandoned.then_some(())).await.expect("left");
}

#[tokio::test]
async fn only_files_do_not_reach_the_model() {
    let fake = FakeOpenAi::start().await;
    let engine = engine(settings(&fake));
    let mut asked = request("");
    asked.lines[0].files = vec!["screen.png".to_owned()];
    let first = engine.answer(&asked, &Unwatched).await;
    assert_eq!(first.answer, Answer::Said { cites: Vec::new() });
    asked.lines.push(line(Speaker::Assistant, text(&first)));
    asked.lines.push(asked.lines[0].clone());
    let second = engine.answer(&asked, &Unwatched).await;
    assert_eq!(second.answer, Answer::HandOver { reason: HandoverReason::LowConfidence });
    assert_eq!(fake.chats().len(), 0);
}

#[tokio::test]
async fn summaries_are_the_models_when_they_are_whole() {
    let fake = FakeOpenAi::start().await;
    let whole = "**Intent**\nVPN\n\n**Conversation summary**\n- asked\n\n**Service information**\n- password: hunter2\n\n\
                 **Previous troubleshooting**\n- none\n\n**Suggested next step**\nx\n\n**Open questions**\n- none";
    fake.next(Model::chunks([whole]));
    fake.next("Somebody has a problem.");
    fake.next(Scripted::unauthorized());
    let engine = engine(settings(&fake));
    let said = engine.summarise(&request("VPN error 691, my password: hunter2")).await;
    assert!(said.starts_with("**Intent**\nVPN") && !said.contains("hunter2"), "{said}");
    for _ in 0..2 {
        let said = engine.summarise(&request(QUESTION)).await;
        assert!(said.contains("**Open questions**") && said.contains("Remote access"), "{said}");
    }
    assert!(fake.chats().iter().all(|asked| !asked.body.to_string().contains("hunter2")));
}

#[tokio::test]
async fn drafts_have_sources() {
    let fake = FakeOpenAi::start().await;
    fake.next("Please type the new password in the VPN client [1].");
    fake.next(Scripted::unauthorized());
    let engine = engine(settings(&fake));
    let to = TechnicianId::from("bob");
    let draft = engine.suggest(&request(QUESTION), &to).await.expect("a draft");
    assert!(draft.text.ends_with("Source: *VPN error 691 after a password change*"), "{}", draft.text);
    let both = FallbackEngine::new(Arc::new(engine), Arc::new(KnowledgeEngine::new(base())));
    let draft = both.suggest(&request(QUESTION), &to).await.expect("the second engine's draft");
    assert!(draft.text.contains("1. ") && draft.text.contains("Source: *VPN error 691"), "{}", draft.text);
    assert_eq!(both.suggest(&request(" "), &to).await, None);
}

#[test]
fn settings_are_checked() {
    install_provider();
    let with = |url: &str, model: &str, key: &str| {
        let settings = OpenAiSettings::new(url, model).with_key(SecretString::from(key));
        OpenAiEngine::new(settings, base()).err()
    };
    assert_eq!(with("http://127.0.0.1:1/v1", "m", ""), None);
    assert!(matches!(with("ftp://x/v1", "m", ""), Some(SettingsError::BaseUrl(_))));
    assert!(matches!(with("nonsense", "m", ""), Some(SettingsError::BaseUrl(_))));
    assert_eq!(with("http://127.0.0.1:1/v1", " ", ""), Some(SettingsError::Model));
    assert_eq!(with("http://127.0.0.1:1/v1", "m", "a\nb"), Some(SettingsError::Key));
    let shown =
        format!("{:?}", OpenAiSettings::new("http://x/v1", "m").with_key(SecretString::from("sk-secret")));
    assert!(!shown.contains("sk-secret"), "{shown}");
}
