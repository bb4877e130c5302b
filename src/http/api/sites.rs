//! `widget-sites`: the sites that show the widget, what is set for them, and the tag that their pages need.
//!
//! Not here: setting them; they are the file's, like every channel. Their keys are shown by nobody.

use std::sync::Arc;

use serde::Serialize;

use super::Api;
use super::call::{Answer, Call};
use super::page::one;
use super::settings::{SettingView, view};
use crate::http::widget;

/// What of a channel makes it a site.
const ADAPTER: &str = "widget";
/// Of the file's section; whatever else stands there may be a secret.
const SHOWN: &[&str] = &[
    "queue",
    "origins",
    "title",
    "greeting",
    "color",
    "topics",
    "ask",
    "verified_only",
    "identity_lifetime",
    "messages_per_minute",
    "sockets_per_visitor",
    "sockets_per_address",
    "max_file_mb",
];

#[derive(Serialize)]
struct SiteView {
    name: String,
    /// For the site's pages.
    tag: String,
    /// What is written in the file; the rest has its default.
    settings: Vec<SettingView>,
}

pub async fn list(api: Arc<Api>, _: Call) -> Answer {
    let config = api.settings.current();
    let is_site = |path: &str, value: Option<&str>| {
        let name = path.strip_prefix("channels.")?.strip_suffix(".adapter")?;
        (value == Some(&format!("\"{ADAPTER}\"")) && !name.contains('.')).then(|| name.to_owned())
    };
    let sites = config.in_effect().filter_map(|(path, value, _)| is_site(&path, value));
    let views = sites.map(|name| {
        let section = format!("channels.{name}.");
        let of_site = config
            .in_effect()
            .filter(|(path, _, _)| path.strip_prefix(&section).is_some_and(|key| SHOWN.contains(&key)));
        let settings = of_site.map(|(path, value, origin)| view(&config, path, value, origin)).collect();
        SiteView { tag: widget::tag(&name, config.server.public_url.as_deref()), name, settings }
    });
    Ok(one(views.collect::<Vec<_>>()))
}
