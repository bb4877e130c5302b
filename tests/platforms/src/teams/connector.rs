//! The Connector's REST, the token endpoint, the metadata and the keys.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, header};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::world::{Call, Fault, Message, World};
use super::{Shared, flow, page};
use crate::http::{Hangup, Reply, json as answer_json};

const MAX_BODY: usize = 8 << 20;

pub(super) async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Reply {
    let (head, body) = request.into_parts();
    let path = decode(head.uri.path());
    let raw = to_bytes(Body::new(body), MAX_BODY).await.unwrap_or_default();
    let method = head.method.as_str().to_owned();
    match path.as_str() {
        "/token" => {
            shared.world().token_asks += 1;
            held(&shared, "/token").await;
            return Ok(token(&shared, &raw));
        }
        "/openid" => return Ok(metadata(&shared)),
        "/keys" => {
            shared.world().key_fetches += 1;
            held(&shared, "/keys").await;
            return Ok(keys(&shared));
        }
        path if path.starts_with("/workflows/") => {
            return Ok(flow::answer(&shared, &method, &head.uri, &raw));
        }
        path if path.starts_with("/graph/") => return Ok(graph(&shared, &head.headers, path)),
        path if path.starts_with("/files/") => return Ok(file(&shared, &head.headers, path)),
        _ => {}
    }
    let body: Value = serde_json::from_slice(&raw).unwrap_or_default();
    let call = Call { method, path, body, status: 0 };
    let fault = {
        let mut world = shared.world();
        world.calls.push(call.clone());
        world.fault.clone()
    };
    match fault {
        None => {
            let response = perform(&shared, &head.headers, &call, raw.len());
            let status = response.status().as_u16();
            if let Some(last) = shared.world().calls.last_mut() {
                last.status = status;
            }
            Ok(response)
        }
        Some(Fault::Refuse { status, retry_after, code }) => {
            let mut response = refusal(status, code);
            if let Some(after) = retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, after.into());
            }
            Ok(response)
        }
        Some(Fault::DoneThen { status }) => {
            let _ = perform(&shared, &head.headers, &call, raw.len());
            Ok(refusal(status, "BadGateway"))
        }
        Some(Fault::Stall(time)) => {
            tokio::time::sleep(time).await;
            Err(Hangup)
        }
        Some(Fault::Hangup) => Err(Hangup),
    }
}

/// Until it is let go.
async fn held(shared: &Shared, path: &str) {
    while shared.world().held.contains(path) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

fn decode(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn refusal(status: u16, code: &str) -> Response<Body> {
    answer_json(status, &json!({ "error": { "code": code, "message": "as the fault plan says" } }))
}

/// "Authentication with the Bot Connector API", step 1: client credentials, the bot's scope.
fn token(shared: &Shared, raw: &[u8]) -> Response<Body> {
    let text = String::from_utf8_lossy(raw);
    let fields: Vec<(String, String)> = text
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), decode(&value.replace('+', " "))))
        .collect();
    let is = |key: &str, value: &str| fields.iter().any(|(k, v)| k == key && v == value);
    let settings = &shared.settings;
    let good = is("grant_type", "client_credentials")
        && is("client_id", &settings.app_id)
        && is("client_secret", &settings.secret);
    let mut world = shared.world();
    // Whatever else there is in the directory has the address of this server.
    let graph = is("scope", &format!("{}/.default", world.base));
    let good = good && (graph || is("scope", "https://api.botframework.com/.default"));
    world.calls.push(Call { method: "POST".into(), path: "/token".into(), body: Value::Null, status: 0 });
    if !good {
        return answer_json(401, &json!({ "error": "invalid_client", "error_description": "AADSTS7000215" }));
    }
    let token = format!("planted-bot-token-{}", world.calls.len());
    if graph {
        world.graph_tokens.insert(token.clone());
    } else {
        world.tokens.insert(token.clone());
    }
    answer_json(200, &json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": token }))
}

fn metadata(shared: &Shared) -> Response<Body> {
    let base = shared.world().base.clone();
    answer_json(
        200,
        &json!({
            "issuer": "https://api.botframework.com", "jwks_uri": format!("{base}/keys"),
            "id_token_signing_alg_values_supported": ["RS256"],
        }),
    )
}

fn keys(shared: &Shared) -> Response<Body> {
    let world = shared.world();
    if world.published.is_empty() {
        return refusal(503, "ServiceUnavailable");
    }
    let jwks: Vec<Value> =
        world.published.iter().map(|kid| shared.signer.jwk(kid, &world.endorsements)).collect();
    answer_json(200, &json!({ "keys": jwks }))
}

fn authorized(world: &World, headers: &axum::http::HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.strip_prefix("Bearer ").is_some_and(|token| world.tokens.contains(token))
}

/// `/files/service/…` needs the bot's token, `/files/direct/…` must not get it.
fn file(shared: &Shared, headers: &axum::http::HeaderMap, path: &str) -> Response<Body> {
    let mut world = shared.world();
    let service = path.starts_with("/files/service/");
    if service && !authorized(&world, headers) {
        return refusal(401, "Unauthorized");
    }
    if !service && headers.contains_key(header::AUTHORIZATION) {
        world.violations.push("the bot's token was sent to a file's direct address".into());
    }
    crate::http::text(200, "application/octet-stream", format!("bytes of {path}"))
}

/// "List permissionGrants of a team": which apps may do what there.
fn graph(shared: &Shared, headers: &axum::http::HeaderMap, path: &str) -> Response<Body> {
    let world = shared.world();
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !given.strip_prefix("Bearer ").is_some_and(|token| world.graph_tokens.contains(token)) {
        return refusal(401, "InvalidAuthenticationToken");
    }
    if path != format!("/graph/v1.0/teams/{GROUP}/permissionGrants") {
        return refusal(404, "NotFound");
    }
    let Some(grants) = &world.grants else { return refusal(403, "Forbidden") };
    let grant = |permission: &String| {
        json!({
            "id": "planted", "clientAppId": shared.settings.app_id, "resourceAppId": "00000003-0000-0000-c000-000000000000",
            "clientId": "00000000-0000-0000-0000-00000000beef", "permissionType": "Application", "permission": permission,
        })
    };
    let mut all: Vec<Value> = grants.iter().map(grant).collect();
    // Somebody else's app may read; ours is not it.
    let mut other = grant(&"ChannelMessage.Read.Group".to_owned());
    other["clientAppId"] = json!("99999999-0000-0000-0000-000000000000");
    all.push(other);
    answer_json(200, &json!({ "@odata.context": "planted", "value": all }))
}

/// The group of every team.
const GROUP: &str = "14c981a4-dca9-4565-bae6-e13ada8861be";

fn perform(shared: &Shared, headers: &axum::http::HeaderMap, call: &Call, size: usize) -> Response<Body> {
    let mut world = shared.world();
    if !authorized(&world, headers) {
        return refusal(401, "Unauthorized");
    }
    if ["POST", "PUT"].contains(&call.method.as_str()) && !call.body.is_object() {
        return refusal(400, "BadSyntax");
    }
    if let Some(team) = call.path.strip_prefix("/teams/v3/teams/") {
        // "Get the team's details".
        return answer_json(
            200,
            &json!({ "id": team, "name": "IT", "aadGroupId": GROUP, "type": "standard" }),
        );
    }
    let Some(rest) = call.path.strip_prefix("/teams/v3/conversations") else {
        return refusal(404, "NotFound");
    };
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    if parts.first().is_some_and(|conversation| world.lost.contains(*conversation)) {
        return refusal(404, "ConversationNotFound");
    }
    match (call.method.as_str(), parts.as_slice()) {
        ("POST", []) => create(&mut world, shared, &call.body),
        ("POST", [conversation, "activities"]) => post(&mut world, conversation, &call.body, size),
        ("POST", [conversation, "activities", _reply_to]) => post(&mut world, conversation, &call.body, size),
        ("PUT", [conversation, "activities", id]) => edit(&mut world, conversation, id, &call.body),
        ("DELETE", [conversation, "activities", id]) => match world.find(conversation, id) {
            Some(message) if message.own => {
                message.deleted = true;
                crate::http::text(200, "application/json", "")
            }
            _ => refusal(404, "ActivityNotFound"),
        },
        ("GET", [conversation, "members"]) if world.is_installed(conversation) => {
            answer_json(200, &json!([{ "id": "29:501", "name": "Maria" }]))
        }
        ("GET", [conversation, "pagedmembers"]) if world.is_installed(conversation) => {
            let member = |number: &u32| json!({ "id": format!("29:{number}"), "objectId": format!("aad-{number}"), "name": format!("Person {number}") });
            let members: Vec<Value> = world.members.iter().map(member).collect();
            answer_json(200, &json!({ "members": members }))
        }
        ("GET", [_, "members" | "pagedmembers"]) => refusal(403, "BotNotInConversationRoster"),
        _ => refusal(404, "NotFound"),
    }
}

/// Checks what is checked of every message; the error is the answer.
fn sound(world: &mut World, activity: &Value) -> Result<(), Box<Response<Body>>> {
    let mut counted = activity.clone();
    for attachment in counted["attachments"].as_array_mut().into_iter().flatten() {
        if attachment["contentUrl"].as_str().is_some_and(|url| url.starts_with("data:")) {
            attachment["contentUrl"] = json!("");
        }
    }
    if counted.to_string().encode_utf16().count() * 2 > 100 << 10 {
        return Err(Box::new(refusal(413, "MessageSizeTooBig")));
    }
    match activity["type"].as_str() {
        Some("typing") => Ok(()),
        Some("message") => page::read(activity).map(drop).map_err(|why| {
            world.violations.push(why);
            Box::new(refusal(400, "BadSyntax"))
        }),
        _ => Err(Box::new(refusal(400, "BadArgument"))),
    }
}

fn create(world: &mut World, shared: &Shared, body: &Value) -> Response<Body> {
    if let Some(channel) = body["channelData"]["channel"]["id"].as_str() {
        if !world.is_installed(channel) {
            return refusal(403, "BotNotInConversationRoster");
        }
        let activity = body["activity"].clone();
        if let Err(refused) = sound(world, &activity) {
            return *refused;
        }
        let id = world.tick();
        let conversation = format!("{channel};messageid={id}");
        let message = Message { id: id.clone(), own: true, activity, deleted: false };
        world.conversations.insert(conversation.clone(), vec![message]);
        return answer_json(201, &json!({ "id": conversation, "activityId": id }));
    }
    let member = body["members"][0]["id"].as_str().unwrap_or_default();
    let tenant = body["tenantId"].as_str().or(body["channelData"]["tenant"]["id"].as_str());
    if tenant != Some(shared.settings.tenant.as_str()) || body["isGroup"] == json!(true) {
        return refusal(400, "BadArgument");
    }
    // A personal chat is the same one every time; it exists where the app was installed for the person.
    let conversation = format!("a:{member}");
    if !world.is_installed(&conversation) {
        return refusal(403, "ForbiddenOperationException");
    }
    answer_json(200, &json!({ "id": conversation }))
}

fn post(world: &mut World, conversation: &str, activity: &Value, _: usize) -> Response<Body> {
    if !world.is_installed(conversation) {
        return refusal(403, "BotNotInConversationRoster");
    }
    if let Err(refused) = sound(world, activity) {
        return *refused;
    }
    let id = world.tick();
    if activity["type"] == "message" {
        let channel = conversation.ends_with("@thread.tacv2");
        let place = if channel { format!("{conversation};messageid={id}") } else { conversation.to_owned() };
        let message = Message { id: id.clone(), own: true, activity: activity.clone(), deleted: false };
        world.conversations.entry(place).or_default().push(message);
    }
    answer_json(201, &json!({ "id": id }))
}

fn edit(world: &mut World, conversation: &str, id: &str, activity: &Value) -> Response<Body> {
    if let Err(refused) = sound(world, activity) {
        return *refused;
    }
    match world.find(conversation, id) {
        Some(message) if message.own => {
            message.activity = activity.clone();
            answer_json(200, &json!({ "id": id }))
        }
        _ => refusal(404, "ActivityNotFoundInConversation"),
    }
}
