use deskbridge_contract::RoomId;
use serde_json::{Value, json};

use crate::testing::{Call, Fake, Reply, TOKEN};
use deskbridge_contract::check::{Check, Outcome};

const SECRET: &str = "a-secret-of-some-length";
const KINDS: [&str; 5] =
    ["message", "edited_message", "callback_query", "my_chat_member", "message_reaction"];

fn me() -> Reply {
    Reply::Result(json!({ "id": 7001, "is_bot": true, "first_name": "IT", "username": "it_desk_bot" }))
}

async fn with(config: Value, replies: impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static) -> Vec<Check> {
    let fake = Fake::start(move |call| match (replies(call), call.method.as_str()) {
        (Some(reply), _) => reply,
        (None, "GetMe") => me(),
        (None, "GetWebhookInfo") => Reply::Result(json!({ "url": "", "pending_update_count": 0 })),
        (None, "GetChat") => {
            Reply::Result(json!({ "id": -1001, "type": "supergroup", "title": "IT desk", "is_forum": true }))
        }
        (None, "GetChatMember") => {
            Reply::Result(json!({ "status": "administrator", "can_manage_topics": true }))
        }
        _ => Reply::Result(json!(true)),
    })
    .await;
    let checks = fake.adapter_with(config).doctor(&[RoomId::new("-1001")]).await;
    for check in &checks {
        let whole = format!("{check:?}");
        assert!(!whole.contains(TOKEN) && !whole.contains(SECRET), "{whole}");
        assert_eq!(check.outcome == Outcome::Pass, check.fix.is_empty(), "{whole}");
        assert_eq!(check.outcome == Outcome::Pass, check.why.is_empty(), "{whole}");
    }
    checks
}

fn outcomes(checks: &[Check]) -> Vec<(&str, Outcome)> {
    checks.iter().map(|check| (check.id.as_str(), check.outcome)).collect()
}

#[tokio::test]
async fn all_is_well() {
    let checks = with(json!({}), |_| None).await;
    let pass = |id| (id, Outcome::Pass);
    assert_eq!(
        outcomes(&checks),
        [pass("telegram.token"), pass("telegram.webhook"), pass("telegram.topics")]
    );
    assert_eq!(checks[0].detail, "bot @it_desk_bot, id 7001");
}

#[tokio::test]
async fn a_wrong_token_ends_the_examination() {
    let checks = with(json!({}), |_| Some(Reply::No(401, "Unauthorized"))).await;
    assert_eq!(outcomes(&checks), [("telegram.token", Outcome::Fail)]);
    assert!(checks[0].fix.contains("@BotFather"));
}

#[tokio::test]
async fn webhooks() {
    let config =
        || json!({ "receive": "webhook", "webhook_secret": SECRET, "public_url": "https://desk.example/x" });
    let hook = "https://desk.example/x/hooks/telegram";
    let see = |config: Value, info: Value| async move {
        let replies =
            move |call: &Call| (call.method == "GetWebhookInfo").then(|| Reply::Result(info.clone()));
        with(config, replies).await.remove(1)
    };
    let good = json!({ "url": hook, "pending_update_count": 0, "allowed_updates": KINDS });
    assert_eq!(see(config(), good.clone()).await.outcome, Outcome::Pass);
    assert_eq!(see(config(), json!({ "url": "" })).await.outcome, Outcome::Fail);
    assert_eq!(see(config(), json!({ "url": "https://other.example/x" })).await.outcome, Outcome::Fail);
    assert_eq!(
        see(config(), json!({ "url": hook, "allowed_updates": ["message"] })).await.outcome,
        Outcome::Warn
    );
    let failing = |waiting: u64, words: &str| {
        let mut info = good.clone();
        info["pending_update_count"] = waiting.into();
        info["last_error_message"] = words.into();
        info["last_error_date"] = 1_780_000_000.into();
        info
    };
    let refused = see(config(), failing(3, "Wrong response from the webhook: 401 Unauthorized")).await;
    assert_eq!(refused.outcome, Outcome::Fail);
    assert!(refused.why.contains("secret") && refused.fix.contains("deskbridge telegram setup"));
    assert_eq!(see(config(), failing(0, "Connection timed out")).await.outcome, Outcome::Warn);
    assert_eq!(see(json!({}), json!({ "url": hook })).await.outcome, Outcome::Warn);
    assert_eq!(
        see(json!({}), json!({ "url": "", "pending_update_count": 500 })).await.outcome,
        Outcome::Warn
    );
}

#[tokio::test]
async fn desks() {
    let see = |method: &'static str, reply: fn() -> Reply| async move {
        with(json!({}), move |call| (call.method == method).then(reply)).await.remove(2)
    };
    let lost = see("GetChat", || Reply::No(400, "Bad Request: chat not found")).await;
    assert!(lost.outcome == Outcome::Fail && lost.fix.contains("@it_desk_bot"), "{lost:?}");
    let flat =
        see("GetChat", || Reply::Result(json!({ "id": -1, "type": "supergroup", "title": "G" }))).await;
    assert!(flat.outcome == Outcome::Fail && flat.fix.contains("Topics"), "{flat:?}");
    for status in ["member", "administrator", "left"] {
        let reply: fn() -> Reply = match status {
            "member" => || Reply::Result(json!({ "status": "member" })),
            "left" => || Reply::Result(json!({ "status": "left" })),
            _ => || Reply::Result(json!({ "status": "administrator", "can_manage_topics": false })),
        };
        let weak = see("GetChatMember", reply).await;
        assert!(weak.outcome == Outcome::Fail && weak.fix.contains("Manage Topics"), "{weak:?}");
    }
    let fake = Fake::start(|_| me()).await;
    assert_eq!(super::topics(&fake.adapter().0, &RoomId::new("@name")).await.outcome, Outcome::Fail);
}

#[tokio::test]
async fn setting_up() {
    let fake =
        Fake::start(|call| if call.method == "GetMe" { me() } else { Reply::Result(json!(true)) }).await;
    let config =
        json!({ "receive": "webhook", "webhook_secret": SECRET, "public_url": "https://desk.example" });
    let checks = fake.adapter_with(config).setup().await;
    assert!(checks.iter().all(|check| check.outcome == Outcome::Pass), "{checks:?}");
    assert_eq!(fake.methods().iter().filter(|method| *method == "SetMyCommands").count(), 8);
    assert!(fake.methods().contains(&"SetWebhook".to_owned()));
    let checks = fake.adapter().setup().await;
    assert!(fake.methods().contains(&"DeleteWebhook".to_owned()) && checks[1].outcome == Outcome::Pass);
    let checks = fake.adapter_with(json!({ "receive": "webhook", "webhook_secret": SECRET })).setup().await;
    assert_eq!(checks[1].outcome, Outcome::Fail);
}

/// "BotCommand": 1–32 of `[a-z0-9_]`, descriptions of 1–256 characters.
#[tokio::test]
async fn menus_are_within_limits() {
    let fake =
        Fake::start(|call| if call.method == "GetMe" { me() } else { Reply::Result(json!(true)) }).await;
    fake.adapter().setup().await;
    let mut languages = Vec::new();
    for call in fake.calls().iter().filter(|call| call.method == "SetMyCommands") {
        let call = call.json();
        languages.push(call["language_code"].as_str().unwrap_or("").to_owned());
        for command in call["commands"].as_array().unwrap() {
            let (verb, text) =
                (command["command"].as_str().unwrap(), command["description"].as_str().unwrap());
            assert!(!verb.is_empty() && verb.bytes().all(|b| b.is_ascii_lowercase()), "{verb}");
            assert!((1..=64).contains(&text.chars().count()), "{text}");
        }
    }
    languages.dedup();
    assert_eq!(languages, ["", "de", "es", "fr"]);
}
