//! `/gateway` and `/gateway/bot`: where to connect, and how many Identifies are left.
//! The gateway itself is in `crate::discord::gateway`.

use serde_json::json;

use super::{Caller, Method, method};
use crate::discord::error::{Answer, Good};
use crate::discord::params::Params;
use crate::discord::world::World;

/// The budget is filled again after a day; the fake lets no day pass.
const DAY_MS: u64 = 24 * 3600 * 1000;

pub(super) const METHODS: &[Method] = &[
    method("GET", "gateway", "get_gateway", get),
    method("GET", "gateway/bot", "get_bot_gateway", get_for_bot),
];

fn url(world: &World) -> String {
    format!("ws://{}/gateway", world.base.trim_start_matches("http://"))
}

fn get(world: &mut World, _: Caller, _: &Params) -> Answer {
    Good::with(json!({ "url": url(world) }))
}

fn get_for_bot(world: &mut World, caller: Caller, _: &Params) -> Answer {
    let total = world.settings.identifies;
    let remaining = total.saturating_sub(world.app(caller.app).identifies);
    Good::with(json!({
        "url": url(world), "shards": 1,
        "session_start_limit": {
            "total": total, "remaining": remaining, "reset_after": DAY_MS, "max_concurrency": 1,
        },
    }))
}
