//! The provider's description of itself: fetched once an hour, believed only if it is about the very issuer that was asked.
//!
//! Not here: its keys (`keys.rs`). Source: OpenID Connect Discovery 1.0 §3 and §4.

use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::Timestamp;
use reqwest::Client;
use serde_json::Value;
use tokio::sync::Mutex;
use url::{Host, Url};

use super::Refusal;
use super::fetch;
use super::jwt::Algorithm;

const FRESH: Duration = Duration::from_secs(3600);
/// Between two tries while it cannot be had.
const AGAIN: Duration = Duration::from_secs(10);

/// How this client shows who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientAuth {
    Basic,
    Post,
}

/// What of it is used.
#[derive(Clone, Debug)]
pub(super) struct Metadata {
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    pub jwks_uri: Url,
    pub userinfo_endpoint: Option<Url>,
    /// Theirs that are ours, too.
    pub algorithms: Vec<Algorithm>,
    pub client_auth: ClientAuth,
    /// RFC 9207: every answer has to name its issuer.
    pub names_itself: bool,
    /// It says that it knows S256.
    pub has_pkce: bool,
}

#[derive(Default)]
struct Cache {
    known: Option<(Arc<Metadata>, Timestamp)>,
    tried: Option<Timestamp>,
}

#[derive(Default)]
pub(super) struct Discovery(Mutex<Cache>);

impl Discovery {
    /// While a fetch is under way everybody waits for it; where it fails, what was known stays.
    pub(super) async fn get(
        &self,
        client: &Client,
        issuer: &str,
        now: Timestamp,
    ) -> Result<Arc<Metadata>, Refusal> {
        let mut cache = self.0.lock().await;
        let rested = cache.tried.is_none_or(|at| now.since(at) >= AGAIN);
        match &cache.known {
            Some((known, at)) if now.since(*at) < FRESH || !rested => return Ok(known.clone()),
            None if !rested => return Err(Refusal::Unreachable("it could not be reached just now".into())),
            Some(_) | None => cache.tried = Some(now),
        }
        match fetch(client, issuer).await {
            Ok(found) => {
                let found = Arc::new(found);
                cache.known = Some((found.clone(), now));
                cache.tried = None;
                Ok(found)
            }
            Err(refusal) => {
                tracing::warn!(%refusal, "the OpenID provider's description could not be read");
                // Another issuer is not the same provider on a bad day.
                match &cache.known {
                    Some((known, _)) if matches!(refusal, Refusal::Unreachable(_)) => Ok(known.clone()),
                    Some(_) | None => Err(refusal),
                }
            }
        }
    }
}

pub(super) async fn fetch(client: &Client, issuer: &str) -> Result<Metadata, Refusal> {
    // §4: a slash at the end is left out before the path is added.
    let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let answer = fetch::json(client.get(address)).await?;
    match answer.status {
        200 => read(&answer.body, issuer),
        status => Err(Refusal::Unreachable(format!("its description answered {status}"))),
    }
}

/// Pure.
pub(super) fn read(document: &Value, issuer: &str) -> Result<Metadata, Refusal> {
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    // §4.3: exactly. A template such as `…/{tenantid}/v2.0` stands for everybody's tenant, and is refused by this.
    if text("issuer") != Some(issuer) {
        return Err(Refusal::Description("it is about another issuer"));
    }
    let is_local = Url::parse(issuer).is_ok_and(|url| is_loopback(&url));
    let address = |name: &str| {
        let url = text(name).and_then(|text| Url::parse(text).ok());
        url.filter(|url| is_safe(url, is_local))
    };
    let needed = |name: &str, why| address(name).ok_or(Refusal::Description(why));
    let list = |name: &str| {
        let items = document.get(name).and_then(Value::as_array)?;
        Some(items.iter().filter_map(Value::as_str).collect::<Vec<_>>())
    };
    let theirs = list("id_token_signing_alg_values_supported").unwrap_or_default();
    let algorithms: Vec<Algorithm> =
        Algorithm::ALL.into_iter().filter(|one| theirs.contains(&one.name())).collect();
    if algorithms.is_empty() {
        return Err(Refusal::Description("it signs by no algorithm that is known here"));
    }
    // Without the list it is `client_secret_basic` (§3).
    let ways = list("token_endpoint_auth_methods_supported");
    let only_post = ways
        .is_some_and(|ways| !ways.contains(&"client_secret_basic") && ways.contains(&"client_secret_post"));
    let flag = |name: &str| document.get(name).and_then(Value::as_bool).unwrap_or_default();
    Ok(Metadata {
        authorization_endpoint: needed("authorization_endpoint", "it has no sound authorization_endpoint")?,
        token_endpoint: needed("token_endpoint", "it has no sound token_endpoint")?,
        jwks_uri: needed("jwks_uri", "it has no sound jwks_uri")?,
        userinfo_endpoint: address("userinfo_endpoint"),
        algorithms,
        client_auth: if only_post { ClientAuth::Post } else { ClientAuth::Basic },
        names_itself: flag("authorization_response_iss_parameter_supported"),
        has_pkce: list("code_challenge_methods_supported").is_some_and(|ways| ways.contains(&"S256")),
    })
}

/// https; without TLS only where the provider itself is a program on this machine.
fn is_safe(url: &Url, is_local: bool) -> bool {
    let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    bare && url.has_host() && (url.scheme() == "https" || (is_local && is_loopback(url)))
}

/// Plain http to this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    url.scheme() == "http"
        && match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(four)) => four.is_loopback(),
            Some(Host::Ipv6(six)) => six.is_loopback(),
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://login.example.com/tenant";

    fn document() -> Value {
        json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://login.example.com/authorize?p=1",
            "token_endpoint": "https://login.example.com/token",
            "jwks_uri": "https://keys.example.net/jwks",
            "id_token_signing_alg_values_supported": ["HS256", "none", "ES256", "RS256"],
        })
    }

    #[test]
    fn what_is_used_of_it() {
        let read = read(&document(), ISSUER).unwrap();
        assert_eq!(read.algorithms, [Algorithm::Rs256, Algorithm::Es256]);
        assert_eq!((read.client_auth, read.names_itself, read.has_pkce), (ClientAuth::Basic, false, false));
        let mut more = document();
        more["token_endpoint_auth_methods_supported"] = json!(["private_key_jwt", "client_secret_post"]);
        more["authorization_response_iss_parameter_supported"] = json!(true);
        more["code_challenge_methods_supported"] = json!(["plain", "S256"]);
        let read = super::read(&more, ISSUER).unwrap();
        assert_eq!((read.client_auth, read.names_itself, read.has_pkce), (ClientAuth::Post, true, true));
    }

    #[test]
    fn s79_a_description_of_another_issuer_is_refused() {
        for issuer in [
            "https://login.example.com/{tenantid}",
            "https://login.example.com/tenant/",
            "https://LOGIN.example.com/tenant",
            "https://login.example.com/other",
            "",
        ] {
            let mut other = document();
            other["issuer"] = json!(issuer);
            assert!(matches!(read(&other, ISSUER), Err(Refusal::Description(_))), "{issuer}");
        }
        assert!(read(&Value::Null, ISSUER).is_err());
    }

    #[test]
    fn s79_its_addresses_are_https() {
        for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
            for address in [
                "http://login.example.com/x",
                "http://127.0.0.1/x",
                "https://user:word@login.example.com/",
                "https://login.example.com/#x",
                "javascript:alert(1)",
                "data:text/html,x",
                "/token",
                "",
            ] {
                let mut wrong = document();
                wrong[name] = json!(address);
                assert!(read(&wrong, ISSUER).is_err(), "{name} {address}");
            }
        }
        // A provider on this machine, for development, may do without; but not send us elsewhere.
        let local = "http://127.0.0.1:9000";
        let mut own = document();
        own["issuer"] = json!(local);
        own["token_endpoint"] = json!("http://localhost:9000/token");
        assert!(read(&own, local).is_ok());
        own["token_endpoint"] = json!("http://login.example.com/token");
        assert!(read(&own, local).is_err());
    }

    #[test]
    fn s79_only_asymmetric_signatures() {
        for theirs in [json!(["none"]), json!(["HS256", "HS512"]), json!([]), json!("RS256"), Value::Null] {
            let mut wrong = document();
            wrong["id_token_signing_alg_values_supported"] = theirs;
            assert!(read(&wrong, ISSUER).is_err());
        }
    }
}
