//! Microsoft Teams in the relay's measure: signed activities, and a Connector that takes everything.
//!
//! Not here: any of the Connector's limits or refusals (`tests/platforms` has those).

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::anyhow;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use super::platform::Beside;

/// Made for benchmarks; it signs nothing else, and nobody believes it but the bridge that is measured.
const KEY: &[u8] = include_bytes!("teams.p8");
const APP: &str = "00000000-1111-2222-3333-444444444444";
const TENANT: &str = "99999999-8888-7777-6666-555555555555";
const DESK: &str = "19:bench@thread.tacv2";

fn key() -> anyhow::Result<RsaKeyPair> {
    RsaKeyPair::from_pkcs8(KEY).map_err(|error| anyhow!("the key of the benchmark: {error}"))
}

fn service(api: &str) -> String {
    format!("{api}/teams/")
}

pub(super) fn channel(api: &str) -> String {
    format!(
        r#"
[channels.teams]
adapter = "teams"
app_id = "{APP}"
tenant = "{TENANT}"
app_password = "bench"
service_url = "{}"
service_hosts = ["127.0.0.1"]
token_url = "{api}/token"
openid_url = "{api}/openid"
[channels.teams.desk]
room = "{DESK}"
"#,
        service(api)
    )
}

/// `botbuilder`, of which the addresses of the fake are configured as anybody's are.
pub(super) fn beside(api: &str) -> Beside {
    Beside {
        name: "botbuilder",
        script: "botbuilder.mjs",
        args: [api, APP, TENANT, DESK].map(str::to_owned).to_vec(),
        path: "/api/messages",
        does: "checks every token against the fake's keys, posts each message into its person's thread and acknowledges \
            after that; keeps nothing, knows no message again",
    }
}

/// A token of the Connector, good for an hour: it proves the address, not the body, so that one serves for all events.
pub(super) fn token(api: &str) -> anyhow::Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({
        "iss": "https://api.botframework.com", "aud": APP, "serviceurl": service(api), "nbf": now - 60,
        "exp": now + 3600,
    });
    let signed =
        format!("{}.{}", part(&json!({ "alg": "RS256", "kid": "bench", "typ": "JWT" })), part(&claims));
    let key = key()?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .map_err(|_| anyhow!("the benchmark's token could not be signed"))?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// One message in a chat with the bot.
pub(super) fn message(number: usize, user: usize, text: &str, api: &str) -> String {
    let at = 1_700_000_000 + number / 1_000;
    let time = jiff::Timestamp::from_second(i64::try_from(at).unwrap_or_default()).unwrap_or_default();
    let time = format!("{}.{:03}Z", time.strftime("%Y-%m-%dT%H:%M:%S"), number % 1_000);
    json!({
        "type": "message", "id": format!("{number}"), "timestamp": time, "channelId": "msteams",
        "serviceUrl": service(api), "text": text, "textFormat": "plain", "locale": "en-US",
        "from": { "id": format!("29:{user}"), "aadObjectId": format!("u{user}"), "name": format!("R{user}") },
        "conversation": { "id": format!("a:{user}"), "conversationType": "personal", "tenantId": TENANT },
        "recipient": { "id": format!("28:{APP}"), "name": "Desk" },
        "channelData": { "tenant": { "id": TENANT } },
    })
    .to_string()
}

/// What the Connector and its neighbours answer; and whether it was a new message.
pub(super) fn answer(method: &str, path: &str, id: i64, api: &str) -> (Value, bool) {
    match path {
        "/token" => (json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": "bench" }), false),
        "/openid" => {
            (json!({ "issuer": "https://api.botframework.com", "jwks_uri": format!("{api}/keys") }), false)
        }
        "/keys" => (json!({ "keys": [jwk()] }), false),
        _ if path.ends_with("/pagedmembers") => (json!({ "members": [] }), false),
        "/teams/v3/conversations" => {
            (json!({ "id": format!("{DESK};messageid={id}"), "activityId": id.to_string() }), false)
        }
        // Below it: an answer to another message, which is a message too.
        _ => (json!({ "id": id.to_string() }), method == "POST" && path.contains("/activities")),
    }
}

fn jwk() -> Value {
    let Ok(key) = key() else { return Value::Null };
    let public: PublicKeyComponents<Vec<u8>> = key.public().into();
    let number = |bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
    json!({
        "kty": "RSA", "use": "sig", "kid": "bench", "endorsements": ["msteams"],
        "n": number(public.n), "e": number(public.e),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_and_keys_are_of_use() {
        let text = "the printer does not print ".repeat(20);
        let api = "http://127.0.0.1:4000";
        let event = message(10_000_123, 100_999, &text, api);
        assert!((1_000..1_300).contains(&event.len()), "{}", event.len());
        assert_eq!(event, message(10_000_123, 100_999, &text, api));
        let tree: toml::Table = channel(api).parse().unwrap();
        let mut section = serde_json::to_value(&tree["channels"]["teams"]).unwrap();
        for generic in ["adapter", "desk"] {
            section.as_object_mut().unwrap().remove(generic);
        }
        let kit = crate::kits::find("teams").unwrap();
        assert_eq!((kit.check)(section), []);
        assert_eq!(token(api).unwrap().split('.').count(), 3);
        assert!(jwk()["n"].is_string());
    }
}
