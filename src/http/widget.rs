//! What browsers load of the widget: its files under an address for ever and one for now, and a page to try it out.
//!
//! Not here: what the widget says to the bridge (the adapter's own routes, mounted here).

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use deskbridge_contract::ChannelName;
use rust_embed::RustEmbed;
use serde::Deserialize;
use sha2::{Digest as _, Sha256, Sha384};

use super::problem::Problem;

/// Built by `cargo xtask web`, and committed.
#[derive(RustEmbed)]
#[folder = "web/dist/widget"]
struct Built;

/// For a page that shows the widget: nothing inline, nothing from elsewhere. This is all that it needs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TRY_PAGE: &str = include_str!("../../web/try/try.html");
const TRY_STYLE: &str = include_str!("../../web/try/try.css");
const LOADER: &str = "deskbridge.js";
/// Where pages that were made for Chatwoot look for its script: they change the address of the server, and no more.
const SHIM: &str = "/packs/js/sdk.js";

struct Files {
    /// Names the files as they are: other files have another version.
    version: String,
    /// Of the loader, for the snippet.
    integrity: String,
    sites: Vec<ChannelName>,
}

impl Files {
    fn of(sites: Vec<ChannelName>) -> Files {
        let mut names: Vec<Cow<'static, str>> = Built::iter().collect();
        names.sort();
        let mut all = Sha256::new();
        for name in names {
            if let Some(file) = Built::get(&name) {
                all.update(name.as_bytes());
                all.update(file.metadata.sha256_hash());
            }
        }
        let version = format!("{}-{}", env!("CARGO_PKG_VERSION"), &hex::encode(all.finalize())[..10]);
        let loader = Built::get(LOADER).map(|file| Sha384::digest(&file.data)).unwrap_or_default();
        Files { version, integrity: format!("sha384-{}", base64(&loader)), sites }
    }

    fn tag(&self, site: &str) -> String {
        let (version, integrity) = (&self.version, &self.integrity);
        format!(
            "<script type=\"module\" src=\"/widget/{version}/{LOADER}\" data-key=\"{site}\" \
             integrity=\"{integrity}\" crossorigin=\"anonymous\"></script>"
        )
    }
}

/// The tag for pages of a site, at the program's own address.
pub fn tag(site: &str, public_url: Option<&str>) -> String {
    let address = public_url.unwrap_or("https://desk.example.com").trim_end_matches('/');
    Files::of(Vec::new()).tag(site).replace("src=\"/", &format!("src=\"{address}/"))
}

fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    // Digests of 48 bytes: no padding.
    let groups = bytes.chunks_exact(3).map(|group| u32::from_be_bytes([0, group[0], group[1], group[2]]));
    groups.flat_map(|n| [18, 12, 6, 0].map(|shift| char::from(SIGNS[(n >> shift) as usize & 63]))).collect()
}

/// The files, the sites' own surfaces, and `/try`.
pub fn router(pages: &[(ChannelName, Router)]) -> Router {
    let sites = pages.iter().map(|(site, _)| site.clone()).collect();
    let mut router = Router::new()
        .route("/widget/{version}/{*file}", get(file))
        .route(SHIM, get(shim))
        .route("/try", get(try_page))
        .route("/try/try.css", get(try_style))
        .with_state(Arc::new(Files::of(sites)));
    for (site, page) in pages {
        router = router.nest(&format!("/widget/v1/{site}"), page.clone());
    }
    router
}

/// `v1` is what is current; the version itself never changes, so it may be kept for ever and named with its hash (D46).
async fn file(
    State(files): State<Arc<Files>>,
    Path((version, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let lasting = version == files.version;
    let Some(found) = Built::get(&name).filter(|_| lasting || version == "v1") else {
        return Problem::not_found().into_response();
    };
    let tag = format!("\"{}\"", hex::encode(&found.metadata.sha256_hash()[..12]));
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|given| given.as_bytes() == tag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Body::from(found.data.into_owned()).into_response()
    };
    let keep = if lasting { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    // Scripts with a hash are asked for from other origins; there is no secret in them.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

async fn shim(state: State<Arc<Files>>, headers: HeaderMap) -> Response {
    file(state, Path(("v1".to_owned(), "compat.js".to_owned())), headers).await
}

#[derive(Deserialize)]
struct Wanted {
    site: Option<String>,
}

async fn try_page(State(files): State<Arc<Files>>, Query(wanted): Query<Wanted>) -> Response {
    let chosen = files.sites.iter().find(|site| Some(site.as_str()) == wanted.site.as_deref());
    let Some(site) = chosen.or(files.sites.first()) else {
        let page = TRY_PAGE.replace("{tag}", "").replace("{snippet}", "").replace("{here}", "none");
        return html(page);
    };
    let tag = files.tag(site.as_str());
    // As a page elsewhere would write it.
    let snippet =
        tag.replace("src=\"/", "src=\"https://desk.example.com/").replace('<', "&lt;").replace('"', "&quot;");
    html(TRY_PAGE.replace("{tag}", &tag).replace("{snippet}", &snippet).replace("{here}", "some"))
}

fn html(page: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, page).into_response()
}

async fn try_style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], TRY_STYLE).into_response()
}
