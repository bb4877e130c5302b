//! Rate limits: buckets of a route and its channel, server or webhook, and one for everything ("Rate Limits").
//! How a 429 looks on the wire is in `serve`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::faults::Scope;
use super::snowflake::{Snowflake, now};
use super::world::World;

/// Vendor's figure: requests a second, all routes together.
const GLOBAL: u32 = 50;

/// So many requests in such a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub requests: u32,
    pub per: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    until: Instant,
    used: u32,
}

#[derive(Debug, Default)]
pub struct Limits {
    windows: BTreeMap<(String, String), Window>,
    /// By app.
    global: BTreeMap<Snowflake, Window>,
}

/// How a bucket stands after a request.
#[derive(Debug, Clone)]
pub struct Standing {
    pub limit: u32,
    pub remaining: u32,
    pub reset_after: Duration,
    /// Unix seconds.
    pub reset: f64,
    pub bucket: String,
    /// The request was one too many, by this scope's count.
    pub exceeded: Option<Scope>,
}

impl World {
    /// Counts a request; `major` is the channel, server or webhook in its path.
    pub(super) fn count(&mut self, operation: &str, major: &str, app: Snowflake) -> Standing {
        let limit = self.settings.limits.get(operation).copied().unwrap_or(self.settings.usual_limit);
        let moment = Instant::now();
        let spent = |window: &mut Window, per: Duration| {
            if window.until <= moment {
                *window = Window { until: moment + per, used: 0 };
            }
            window.used += 1;
            (window.used, window.until.duration_since(moment))
        };
        let empty = Window { until: moment, used: 0 };
        // Answers to interactions are not bound to the global limit.
        let mut exceeded = None;
        if operation != "create_interaction_response" {
            let window = self.limits.global.entry(app).or_insert(empty);
            let (used, left) = spent(window, Duration::from_secs(1));
            self.ledger.over_global += u64::from(used > GLOBAL);
            if self.settings.global_limit.is_some_and(|most| used > most) {
                exceeded = Some(left);
            }
        }
        let bucket = bucket(operation);
        if let Some(left) = exceeded {
            return standing(limit, 0, left, bucket, Some(Scope::Global));
        }
        let window = self.limits.windows.entry((bucket.clone(), major.to_owned())).or_insert(empty);
        let (used, left) = spent(window, limit.per);
        let over = (used > limit.requests).then_some(Scope::User);
        standing(limit, limit.requests.saturating_sub(used), left, bucket, over)
    }
}

fn standing(
    limit: Limit,
    remaining: u32,
    left: Duration,
    bucket: String,
    exceeded: Option<Scope>,
) -> Standing {
    #[expect(clippy::cast_precision_loss, reason = "a moment in milliseconds fits")]
    let moment = now() as f64 / 1000.0;
    let reset = moment + left.as_secs_f64();
    Standing { limit: limit.requests, remaining, reset_after: left, reset, bucket, exceeded }
}

/// An opaque name that stays the same for a route.
fn bucket(operation: &str) -> String {
    let hash = operation.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}{:016x}", hash.rotate_left(17))
}
