//! The configuration in force: the file's, with what the console has set under it, changed while everything runs (D45).
//!
//! Not here: reading either (`config`, the store), who may change it (`http`).

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use deskbridge_contract::Timestamp;
use deskbridge_conversation::{QueueId, Reopening};
use deskbridge_store::rows::KeptRow;
use deskbridge_store::{Admin, Committed, Read, StoreError};
use toml::{Table, Value};

use crate::config::{Config, Fault, Hours, Overlay};
use crate::runtime::board::Calendar;
use crate::runtime::{Bridge, identity};

/// The kinds of what is kept.
pub const SETTING: &str = "setting";
pub const TECHNICIAN: &str = "technician";

/// Business hours of the configuration in force.
#[derive(Clone, Default)]
pub struct LiveHours(Arc<RwLock<BTreeMap<QueueId, Hours>>>);

impl LiveHours {
    fn set(&self, config: &Config) {
        let hours = config.queues.keys().map(|queue| (queue.clone(), config.hours(queue))).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = hours;
    }
}

impl Calendar for LiveHours {
    fn reopening(&self, queue: &QueueId, now: Timestamp) -> Option<Reopening> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let hours = all.get(queue)?;
        if hours.open_now(now) {
            return None;
        }
        hours.next_opening(now).map(|(at, said)| Reopening { at, said })
    }
}

/// Shared by everything that shows or changes settings.
pub struct Settings {
    base: Config,
    live: RwLock<Arc<Config>>,
    pub hours: LiveHours,
}

/// Why a change was not made.
pub enum Refused {
    Faults(Vec<Fault>),
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Refused::Store(error)
    }
}

impl Settings {
    /// What is stored may not fit a file that was changed since: then it waits, and the file alone holds.
    pub async fn open(base: &Config, read: &dyn Read) -> Result<Arc<Settings>, StoreError> {
        let overlay = stored(read, None).await?;
        let people = Overlay { technicians: overlay.technicians.clone(), ..Overlay::default() };
        let merged = base.over(&overlay).or_else(|faults| {
            for fault in &faults {
                tracing::warn!(
                    path = fault.path,
                    expected = fault.expected,
                    "a setting of the console does not fit"
                );
            }
            base.over(&people)
        });
        let live = merged.unwrap_or_else(|_| base.clone());
        let hours = LiveHours::default();
        hours.set(&live);
        let live = RwLock::new(Arc::new(live));
        Ok(Arc::new(Settings { base: base.clone(), live, hours }))
    }

    pub fn current(&self) -> Arc<Config> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps `row` and puts it in force, or does neither.
    pub async fn change(&self, bridge: &Bridge, row: KeptRow) -> Result<(), Refused> {
        let _one = bridge.changing.lock().await;
        let overlay = stored(bridge.read.as_ref(), Some(&row)).await?;
        let config = self.base.over(&overlay).map_err(Refused::Faults)?;
        let policy = identity::in_force(bridge.read.as_ref(), config.policy()).await?;
        bridge.writer.admin(Admin::Keep(row)).await?;
        let all = config.technicians.iter().map(|technician| technician.id.clone()).collect();
        bridge.writer.admin(Admin::EnsureTechnicians(all)).await?;
        bridge.policy.replace(policy);
        self.hours.set(&config);
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
        // Whoever shows technicians or queues reads them again.
        bridge.bus.publish(Arc::new(Committed { roster: true, ..Committed::default() }));
        Ok(())
    }
}

/// What is stored, with one row changed.
async fn stored(read: &dyn Read, changed: Option<&KeptRow>) -> Result<Overlay, StoreError> {
    let mut overlay = Overlay::default();
    for kind in [SETTING, TECHNICIAN] {
        let mut rows = read.kept(kind, "").await?;
        if let Some(changed) = changed.filter(|row| row.kind == kind) {
            rows.retain(|row| row.key != changed.key);
            rows.push(changed.clone());
        }
        for row in rows {
            let Some(value) = row.value.as_deref().and_then(value) else { continue };
            match value {
                Value::Table(table) if kind == TECHNICIAN => {
                    overlay.technicians.push(with_id(table, &row.key))
                }
                value => overlay.values.push((row.key, value)),
            }
        }
    }
    Ok(overlay)
}

fn with_id(mut table: Table, id: &str) -> Table {
    table.insert("id".into(), id.into());
    table
}

/// JSON without nulls is TOML.
fn value(json: &str) -> Option<Value> {
    serde_json::from_str(json).ok()
}
