//! W1d: a technician's answers go out to a hundred people's channels, and one of these is in trouble: the platform limits it,
//! or does not answer. What the others notice of it, beside a run without trouble.
//!
//! Not here: the other direction (`relay`), Telegram, whose fake has one room for all.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::json;

use super::super::fake::Trouble;
use super::super::line;
use super::super::platform::{Platform, reply};
use super::super::spread::{Spread, percentile};
use super::rig::{FIRST, FIRST_USER, Rig, Under, words};
use super::{Options, PATIENCE, three};

const CHANNELS: usize = 100;
/// One a second in each channel, which is what the platform allows there. All come in by the one channel of the desk, one
/// after another: far more would measure its queue.
const RATE: u64 = CHANNELS as u64;
/// A 99th percentile of a few seconds is a handful of messages: one pair of runs says little.
const ROUNDS: usize = 3;

pub(super) async fn run(options: &Options) -> anyhow::Result<()> {
    if options.platform != Platform::Slack {
        return Ok(());
    }
    let troubles = [Trouble::Limited, Trouble::Stalled];
    let mut ratios = [Vec::new(), Vec::new()];
    for _ in 0..options.rounds.clamp(1, ROUNDS) {
        let undisturbed = measure(options, Trouble::None).await?;
        for (trouble, ratios) in troubles.into_iter().zip(&mut ratios) {
            ratios.push(measure(options, trouble).await? / undisturbed);
        }
    }
    for (trouble, ratios) in troubles.into_iter().zip(&ratios) {
        line(
            &json!({"bench": "W1d", "trouble": format!("{trouble:?}").to_lowercase(), "paired_ratio": "p99 of the others / undisturbed",
            "spread": Spread::of(ratios)}),
        );
    }
    Ok(())
}

/// p99 of end to end in the channels that are well, in milliseconds.
async fn measure(options: &Options, trouble: Trouble) -> anyhow::Result<f64> {
    let total = usize::try_from(RATE * options.open_seconds)?;
    let rig = Arc::new(Rig::start(options.platform, total, Under::Bridge { max_batch: 256 }).await?);
    let roots = (0..CHANNELS).map(|at| rig.fake.root_of(FIRST_USER + at));
    let roots: Vec<String> =
        roots.collect::<Option<_>>().context("a conversation has no thread in the desk")?;
    // The first channel, where every hundredth message goes.
    rig.fake.trouble(&format!("D{FIRST_USER}"), trouble);
    let is_well = |number: usize| trouble == Trouble::None || !number.is_multiple_of(CHANNELS);
    let acks = rig.send_at(RATE, total, move |_, number| {
        reply(FIRST + number, &roots[number % CHANNELS], &words(number))
    });
    let acks = acks.await?;
    let well: Vec<usize> = (0..total).filter(|number| is_well(*number)).collect();
    let end = Instant::now() + PATIENCE;
    let arrivals = loop {
        let arrivals = rig.fake.arrivals();
        let missing = well.iter().filter(|number| arrivals[**number].0.is_none()).count();
        if missing == 0 {
            break arrivals;
        }
        ensure!(Instant::now() < end, "{missing} of {} did not arrive", well.len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let mut whole = Vec::with_capacity(well.len());
    for (number, due, _) in acks.iter().filter(|(number, ..)| is_well(*number)) {
        let arrived = arrivals[*number].0.with_context(|| format!("message {number} did not arrive"))?;
        whole.push(arrived.saturating_duration_since(*due).as_secs_f64() * 1e3);
    }
    whole.sort_by(f64::total_cmp);
    line(
        &json!({"bench": "W1d", "channel": options.platform.name(), "trouble": format!("{trouble:?}").to_lowercase(),
        "in_trouble": if trouble == Trouble::None { 0 } else { 1 }, "of": CHANNELS, "rate_per_s": RATE, "messages": total,
        "end_to_end_ms": three(&whole)}),
    );
    Ok(percentile(&whole, 0.99))
}
