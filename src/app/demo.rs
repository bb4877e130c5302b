//! `demo` put together: simulated platforms, a widget, the console, on one page.
//!
//! Not here: what its samples say (`crate::demo`), what `serve` puts together (`app.rs`).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use deskbridge_contract::{Adapter, ChannelName};
use deskbridge_conversation::TechnicianId;
use deskbridge_sim::demo::Demo;
use deskbridge_sim::{SimAdapter, Style, World};

use super::{Parts, bind, build, clock, open_store, run, widget};
use crate::config::Config;
use crate::seal::KeySource;

/// How `demo` was started.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    pub listen: SocketAddr,
    /// Seeds what the sample conversations look like.
    pub seed: u64,
    /// Opens the page in the browser.
    pub open: bool,
}

/// Everything simulated, seeded, live on one page, until the program is told to stop.
pub async fn demo(options: DemoOptions) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("a temporary folder cannot be made")?;
    let file = folder.path().join("demo.toml");
    // The widget has to know its page's origin, so the port comes first.
    let listener = bind(options.listen).await?;
    std::fs::write(&file, demo_configuration(folder.path(), listener.local_addr()?))?;
    let config = Config::load_simulated(Some(&file), std::iter::empty())
        .map_err(|faults| anyhow::anyhow!("the demo's own configuration is wrong: {faults:?}"))?;
    let clock = clock();
    let world = |name: &str, style: Style| {
        let world = World::new(ChannelName::from(name), style);
        world.set_clock(clock.clone());
        world
    };
    let (requesters, desk) = (world("telegram", Style::telegram()), world("slack", Style::slack()));
    let mut adapters: BTreeMap<ChannelName, Arc<dyn Adapter>> = BTreeMap::new();
    for world in [&requesters, &desk] {
        adapters.insert(world.channel().clone(), Arc::new(SimAdapter::over(world.clone())));
    }
    let site = ChannelName::from("widget");
    let keys = config.channels.get(&site).map(|channel| channel.own.reveal()).unwrap_or_default();
    adapters.insert(site.clone(), widget(&site, keys, &clock)?);
    let opened = open_store(&config, false).await?;
    let (blobs, key) = (config.store.blobs.clone(), KeySource::of(&config));
    let parts = Parts { opened, adapters, blobs, key, clock, max_batch: 0 };
    let running = build(&config, parts).await?;
    let (close, closing) = tokio::sync::watch::channel(false);
    let door = crate::http::door::router(running.bridge.clone(), TechnicianId::from("ana"), DOOR);
    let page = Demo::new(requesters.clone(), desk.clone(), DEMO_ROOM)
        .with_colleague("nina", "Nina Berg")
        .with_portal(site)
        .with_console(DOOR)
        .close_when(closing)
        .router_at("/demo");
    let router = crate::http::router_of_demo(&config, &running, page.merge(door));
    let stop = running.bridge.stop.clone();
    tokio::spawn(async move {
        stop.cancelled().await;
        let _ = close.send(true);
    });
    // The page is there at once; the samples play while somebody reads it.
    tokio::spawn(async move { crate::demo::seed(&requesters, &desk, DEMO_ROOM, options.seed).await });
    let articles = running.knowledge.current().articles().len();
    run(running, listener, router, |address| crate::demo::greet(address, articles, DOOR, options.open)).await
}

const DEMO_ROOM: &str = "it-desk";
/// Signs the visitor in to the console.
const DOOR: &str = "/demo/console";

fn demo_configuration(folder: &Path, address: SocketAddr) -> String {
    let port = address.port();
    let quoted = |path: PathBuf| toml::Value::String(path.display().to_string()).to_string();
    format!(
        include_str!("../demo/demo.toml"),
        store = toml::Value::String(format!("sqlite:{}", folder.join("demo.db").display())),
        blobs = quoted(folder.join("blobs")),
        knowledge = quoted(sample_knowledge()),
        room = DEMO_ROOM,
        origins = format!("[\"http://{address}\", \"http://127.0.0.1:{port}\", \"http://localhost:{port}\"]"),
    )
}

/// Where the sample articles are: beside the program's sources, else in the working folder.
pub fn sample_knowledge() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge");
    if beside.is_dir() { beside } else { PathBuf::from("knowledge") }
}
