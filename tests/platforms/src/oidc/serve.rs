//! The provider's addresses.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, Response, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::{Grant, Shared, Wrong, sign};
use crate::encoding::{pairs, url_decoded, url_encoded};
use crate::http::{Hangup, Reply, endless, json as answer_json, text};

const MAX_BODY: usize = 1 << 20;

type Fields = BTreeMap<String, String>;

pub(super) async fn answer(shared: &Shared, request: Request<Incoming>) -> Reply {
    let (head, body) = request.into_parts();
    let raw = to_bytes(Body::new(body), MAX_BODY).await.unwrap_or_default();
    let path = head.uri.path().to_owned();
    let wrong = {
        let mut world = shared.world();
        *world.asked.entry(path.clone()).or_default() += 1;
        world.wrong()
    };
    let own = path.strip_prefix(shared.settings.path.as_str()).unwrap_or(&path);
    match (head.method.as_str(), own) {
        ("GET", "/.well-known/openid-configuration") => Ok(description(shared, wrong)),
        ("GET", "/keys") => match wrong {
            Wrong::RedirectsKeys => Ok(redirect(&astray(shared))),
            Wrong::EndlessKeys => Ok(endless()),
            _ => Ok(answer_json(200, &shared.signer.keys(&shared.world().kid))),
        },
        ("GET", "/authorize") => Ok(authorize(shared, head.uri.query().unwrap_or_default(), wrong)),
        ("POST", "/token") => match wrong {
            Wrong::RedirectsTokens => Ok(redirect(&astray(shared))),
            Wrong::EndlessTokens => Ok(endless()),
            Wrong::ServerError => Ok(text(503, "text/plain", "planted")),
            Wrong::SilentTokens => {
                tokio::time::sleep(Duration::from_secs(3600)).await;
                Err(Hangup)
            }
            _ => Ok(token(shared, &head.headers, &raw, wrong)),
        },
        ("GET", "/userinfo") => Ok(user_info(shared, &head.headers, wrong)),
        (_, "/astray") => {
            shared.world().led_astray += 1;
            Ok(answer_json(200, &json!({"keys": []})))
        }
        _ => Ok(answer_json(404, &json!({"error": "not_found"}))),
    }
}

fn astray(shared: &Shared) -> String {
    format!("{}/astray", shared.issuer())
}

fn redirect(to: &str) -> Response<Body> {
    // 307: method and body would go along.
    let mut response = text(307, "text/plain", "");
    if let Ok(value) = to.parse() {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

fn description(shared: &Shared, wrong: Wrong) -> Response<Body> {
    let (issuer, settings) = (shared.issuer(), &shared.settings);
    let named = match wrong {
        Wrong::DescribesAnother => issuer.replace(&settings.path, "/another-company"),
        Wrong::DescribesTemplate => issuer.replace(&settings.path, "/{tenantid}/v2.0"),
        _ => issuer.clone(),
    };
    let tokens = match wrong {
        Wrong::TokensInTheOpen => "http://tokens.example.com/token".to_owned(),
        _ => format!("{issuer}/token"),
    };
    let way = if settings.only_post { "client_secret_post" } else { "client_secret_basic" };
    answer_json(
        200,
        &json!({
            "issuer": named,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": tokens,
            "jwks_uri": format!("{issuer}/keys"),
            "userinfo_endpoint": format!("{issuer}/userinfo"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["HS256", "none", shared.signer.algorithm()],
            "token_endpoint_auth_methods_supported": [way],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": settings.names_itself,
        }),
    )
}

/// Whoever is signed in says yes.
fn authorize(shared: &Shared, query: &str, wrong: Wrong) -> Response<Body> {
    let asked: Fields = pairs(query.as_bytes()).into_iter().collect();
    let field = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    let settings = &shared.settings;
    let issuer = shared.issuer();
    let mut world = shared.world();
    if field("redirect_uri") != settings.redirect_uri || field("client_id") != settings.client_id {
        // RFC 6749 §4.1.2.1: nobody is sent to an address that is not registered.
        world.violations.push(format!("asked to send people to {}", field("redirect_uri")));
        return text(400, "text/plain", "unknown client or address");
    }
    let scopes: Vec<&str> = field("scope").split(' ').collect();
    for (is_so, what) in [
        (field("response_type") == "code", "another response type"),
        (scopes.contains(&"openid"), "no openid in the scope"),
        (field("state").len() >= 22, "no state of 128 bits"),
        (field("nonce").len() >= 22, "no nonce of 128 bits"),
        (field("code_challenge").len() == 43, "no PKCE challenge"),
        (field("code_challenge_method") == "S256", "no S256"),
        (!field("code_challenge").contains(field("nonce")), "one value for two"),
    ] {
        if !is_so {
            world.violations.push(what.to_owned());
        }
    }
    let code = world.fresh("code");
    let grant = Grant {
        challenge: field("code_challenge").to_owned(),
        nonce: field("nonce").to_owned(),
        person: world.person.clone(),
        used: false,
    };
    world.grants.insert(code.clone(), grant);
    let mut back = vec![match wrong {
        Wrong::Denied => ("error", "access_denied".to_owned()),
        _ => ("code", code),
    }];
    match wrong {
        Wrong::NoState => {}
        Wrong::OtherState => back.push(("state", "state-of-another-browser-planted".into())),
        _ => back.push(("state", field("state").to_owned())),
    }
    match wrong {
        Wrong::NoIssuer => {}
        Wrong::OtherIssuerInAnswer => back.push(("iss", "https://login.evil.test/staff".into())),
        _ if settings.names_itself => back.push(("iss", issuer)),
        _ => {}
    }
    let back: Vec<String> =
        back.iter().map(|(name, value)| format!("{name}={}", url_encoded(value))).collect();
    let mut response = redirect(&format!("{}?{}", settings.redirect_uri, back.join("&")));
    *response.status_mut() = axum::http::StatusCode::FOUND;
    response
}

fn refused(status: u16, error: &str) -> Response<Body> {
    answer_json(status, &json!({"error": error, "error_description": "planted description"}))
}

fn is_client(shared: &Shared, headers: &HeaderMap, form: &Fields) -> bool {
    let settings = &shared.settings;
    let Some(secret) = &settings.client_secret else {
        return form.get("client_id") == Some(&settings.client_id);
    };
    if settings.only_post {
        return form.get("client_id") == Some(&settings.client_id)
            && form.get("client_secret") == Some(secret);
    }
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let basic =
        given.and_then(|given| STANDARD.decode(given.strip_prefix("Basic ")?).ok()).unwrap_or_default();
    let Some((user, word)) = String::from_utf8(basic).ok().and_then(|text| {
        let (user, word) = text.split_once(':')?;
        Some((url_decoded(user.as_bytes()), url_decoded(word.as_bytes())))
    }) else {
        return false;
    };
    user == settings.client_id && word == *secret
}

fn token(shared: &Shared, headers: &HeaderMap, raw: &[u8], wrong: Wrong) -> Response<Body> {
    let form: Fields = pairs(raw).into_iter().collect();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let (settings, issuer) = (&shared.settings, shared.issuer());
    let mut world = shared.world();
    if !is_client(shared, headers, &form) {
        return refused(401, "invalid_client");
    }
    if field("grant_type") != "authorization_code" || field("redirect_uri") != settings.redirect_uri {
        world.violations.push("another grant or address at the token endpoint".into());
        return refused(400, "invalid_grant");
    }
    let Some(grant) = world.grants.get_mut(field("code")) else { return refused(400, "invalid_grant") };
    if std::mem::replace(&mut grant.used, true) {
        world.replayed += 1;
        return refused(400, "invalid_grant");
    }
    let grant = grant.clone();
    if sign::challenge(field("code_verifier")) != grant.challenge {
        return refused(400, "invalid_grant");
    }
    let (access, now) = (world.fresh("access"), world.now());
    world.access.insert(access.clone(), grant.person.clone());
    let mut claims = json!({
        "iss": issuer, "aud": settings.client_id, "iat": now, "exp": now + 300, "nonce": grant.nonce,
        "sub": grant.person["sub"], "at_hash": sign::access_hash(&access),
    });
    if settings.claims_in_token {
        for (name, value) in grant.person.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
    }
    let secret = settings.client_secret.clone().unwrap_or_default();
    let id = shared.signer.token(&world.kid, claims, wrong, &secret);
    let mut answer = json!({"access_token": access, "token_type": "Bearer", "expires_in": 300});
    if wrong != Wrong::NoIdToken {
        answer["id_token"] = json!(id);
    }
    answer_json(200, &answer)
}

fn user_info(shared: &Shared, headers: &HeaderMap, wrong: Wrong) -> Response<Body> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let world = shared.world();
    let person = given.strip_prefix("Bearer ").and_then(|token| world.access.get(token));
    let Some(mut person): Option<Value> = person.cloned() else { return refused(401, "invalid_token") };
    if wrong == Wrong::OtherPersonsInfo {
        person["sub"] = json!("somebody-else");
    }
    answer_json(200, &person)
}
