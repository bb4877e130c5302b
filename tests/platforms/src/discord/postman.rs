//! Hands interactions to apps: through the gateway, or signed, by POST to their endpoint; probes endpoints as Discord
//! does before it takes them, and later on. What an answer does is in `interact`.

use std::sync::Arc;

use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::ledger::{Delivery, Way};
use super::sign::{Tamper, sign};
use super::snowflake::{Snowflake, now};
use super::world::{Shared, World};

fn client() -> Result<reqwest::Client, String> {
    // Plain HTTP needs no provider, but the client will not be built without one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let built = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
    built.map_err(|error| error.to_string())
}

/// One POST: status and text.
///
/// # Errors
/// What came instead of an answer.
async fn post(
    shared: &Arc<Shared>,
    app: Snowflake,
    payload: &Value,
    tamper: Tamper,
) -> Result<(u16, String), String> {
    let (key, url, deadline) = shared.read(|world| {
        let found = world.app(app);
        (found.key.clone(), found.endpoint.clone(), world.settings.interaction_deadline)
    });
    let url = url.ok_or("the app has no endpoint")?;
    let signed = sign(&key, now() / 1000, &payload.to_string(), tamper);
    let mut request = client()?
        .post(url)
        .header(CONTENT_TYPE, "application/json")
        .header("User-Agent", "Discord-Interactions/1.0 (+https://discord.com)");
    if let Some(signature) = &signed.signature {
        request = request.header("X-Signature-Ed25519", signature);
    }
    if let Some(timestamp) = &signed.timestamp {
        request = request.header("X-Signature-Timestamp", timestamp);
    }
    let sent = request.timeout(deadline).body(signed.body).send().await;
    let response = sent.map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    Ok((status, response.text().await.map_err(|error| error.to_string())?))
}

fn note(world: &mut World, id: Snowflake, app: Snowflake, outcome: &Result<(u16, String), String>) {
    let (status, answer) = match outcome {
        Ok((status, text)) => (Some(*status), text.clone()),
        Err(error) => (None, error.clone()),
    };
    let at = world.ledger.now();
    world.ledger.deliveries.push(Delivery { id, app, way: Way::Posted, at, status, answer });
}

/// Posts an interaction; a good answer is carried out.
pub(super) async fn deliver(shared: Arc<Shared>, id: Snowflake, tamper: Tamper) {
    let found = shared.read(|world| world.interactions.get(&id).map(|it| (it.app, it.payload.clone())));
    let Some((app, payload)) = found else { return };
    let outcome = post(&shared, app, &payload, tamper).await;
    shared.change(|world| {
        note(world, id, app, &outcome);
        let Ok((200, text)) = outcome else { return };
        let Ok(answer) = serde_json::from_str::<Value>(&text) else {
            world.ledger.violation(format!("the answer to interaction {id} is no JSON: {text}"));
            return;
        };
        if tamper != Tamper::None {
            world
                .ledger
                .violation(format!("interaction {id} was taken though its signature is bad: {tamper:?}"));
            return;
        }
        if let Err(error) = world.respond(id, &answer, &[]) {
            world.ledger.violation(format!("the answer to interaction {id} is no good: {error:?}"));
        }
    });
}

/// `PING`, as it is sent when an endpoint is entered and now and then: answered with type 1 when the signature is
/// good, with 401 when it is not.
///
/// # Errors
/// What the endpoint did instead.
pub(super) async fn probe(shared: &Arc<Shared>, app: Snowflake, tamper: Tamper) -> Result<(), String> {
    let id = shared.change(World::fresh);
    let payload = json!({
        "id": id, "application_id": app, "type": 1, "token": format!("ping-{id}"), "version": 1,
        "user": null, "entitlements": [], "app_permissions": "0", "authorizing_integration_owners": {},
    });
    let outcome = post(shared, app, &payload, tamper).await;
    shared.change(|world| note(world, id, app, &outcome));
    let (status, text) = outcome?;
    if tamper != Tamper::None {
        return if status == 401 {
            Ok(())
        } else {
            Err(format!("{tamper:?}: {status} instead of 401: {text}"))
        };
    }
    let good = serde_json::from_str::<Value>(&text).is_ok_and(|answer| answer["type"] == 1);
    if status == 200 && good { Ok(()) } else { Err(format!("PING: {status} {text}")) }
}
