//! Sessions of browsers: the cookie, what it is worth, and what a page of somebody else cannot send (S54, S77, S78).
//!
//! Not here: passwords (`passwords.rs`), signing in and out (`api/signin.rs`).
//!
//! The cookie is `__Host-deskbridge`: Secure, HttpOnly, SameSite=Strict, without a domain. Browsers send Secure cookies
//! to `localhost` and to 127.0.0.1 without TLS too. Only an installation that is plainly served over http on a network
//! has the weaker `deskbridge` instead; `docs/operating.md` says what that means.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::problem::Problem;

const STRONG: &str = "__Host-deskbridge";
const PLAIN: &str = "deskbridge";
/// The header that only our own page can send.
pub const CSRF: &str = "x-csrf-token";
/// Without anything asked.
pub const IDLE: Duration = Duration::from_secs(8 * 3600);
pub const WHOLE: Duration = Duration::from_secs(24 * 3600);
/// `seen` is written again when it is older than this.
pub const SEEN: Duration = Duration::from_secs(300);
/// Characters of a secret in hexadecimal.
const SECRET: usize = 64;

/// 256 bits from the system, in hexadecimal.
pub fn secret() -> Result<String, Problem> {
    let mut bytes = [0; SECRET / 2];
    getrandom::fill(&mut bytes).map_err(|_| Problem::internal())?;
    Ok(hex::encode(bytes))
}

pub fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

/// Follows from the secret, so that it is good exactly as long as the session.
fn csrf_of(secret: &str) -> String {
    hex::encode(Sha256::digest(format!("csrf:{secret}")))
}

/// What a request's cookie says.
#[derive(Clone)]
pub struct Presented {
    pub sha256: String,
    pub csrf: String,
}

impl Presented {
    pub fn new(secret: &str) -> Self {
        Presented { sha256: hash(secret), csrf: csrf_of(secret) }
    }

    /// `None` also where two cookies of the name were sent: one of them is not ours.
    pub fn of(headers: &HeaderMap, plain_allowed: bool) -> Option<Presented> {
        let strong = one(headers, STRONG);
        let secret = if plain_allowed { strong.or_else(|| one(headers, PLAIN)) } else { strong }?;
        Some(Presented::new(secret))
    }

    /// The header must be there; compared in constant time.
    pub fn must_prove(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let given = headers.get(CSRF).map(HeaderValue::as_bytes).unwrap_or_default();
        if bool::from(given.ct_eq(self.csrf.as_bytes())) {
            return Ok(());
        }
        Err(Problem::forbidden("csrf", "the header x-csrf-token is missing or wrong"))
    }
}

fn one<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut found = lines.flat_map(|line| line.split(';')).filter_map(|pair| {
        pair.trim().split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value)
    });
    let (Some(value), None) = (found.next(), found.next()) else { return None };
    (value.len() == SECRET && value.bytes().all(|b| b.is_ascii_hexdigit())).then_some(value)
}

/// Where the console is served.
#[derive(Clone, Debug, Default)]
pub struct Site {
    pub public_url: Option<String>,
}

impl Site {
    /// Whether a cookie without Secure is taken: never where the address is known to be https.
    pub fn plain_allowed(&self) -> bool {
        !self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    /// A page of another site cannot make the browser leave these out, nor write them (S54).
    pub fn must_be_own(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let foreign = || Problem::forbidden("origin", "this was sent by another site's page");
        if let Some(site) = headers.get("sec-fetch-site")
            && !matches!(site.as_bytes(), b"same-origin" | b"none")
        {
            return Err(foreign());
        }
        let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
        let origin = origin.to_str().map_err(|_| foreign())?;
        if self.public_url.as_deref().is_some_and(|url| origin_of(url) == origin) {
            return Ok(());
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let there = origin.split_once("://").map(|(_, there)| there).unwrap_or_default();
        if !host.is_empty() && there.eq_ignore_ascii_case(host) { Ok(()) } else { Err(foreign()) }
    }

    /// Whether the browser will keep a Secure cookie of this page.
    fn is_secure(&self, headers: &HeaderMap) -> bool {
        let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
        let address = origin.or(self.public_url.as_deref()).unwrap_or("https://");
        let Some(rest) = address.strip_prefix("http://") else { return true };
        let host = rest.split('/').next().unwrap_or_default();
        let bare = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
        let bare = bare.map_or(host, |(bare, _)| bare);
        bare == "localhost" || bare == "[::1]" || bare.starts_with("127.")
    }

    /// `Set-Cookie` for a new session.
    pub fn cookie(&self, headers: &HeaderMap, secret: &str) -> Result<HeaderValue, Problem> {
        let age = WHOLE.as_secs();
        let text = if self.is_secure(headers) {
            format!("{STRONG}={secret}; Path=/; Max-Age={age}; Secure; HttpOnly; SameSite=Strict")
        } else {
            format!("{PLAIN}={secret}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict")
        };
        HeaderValue::from_str(&text).map_err(|_| Problem::internal())
    }

    /// `Set-Cookie` for the end of one, under either name.
    pub fn cookies_ended() -> [HeaderValue; 2] {
        [
            HeaderValue::from_static(
                "__Host-deskbridge=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict",
            ),
            HeaderValue::from_static("deskbridge=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"),
        ]
    }
}

/// A sign-in that is with the company's provider: the secret by which its answer is known to be this browser's.
pub struct Pending;

impl Pending {
    /// Signing in elsewhere takes a while: a password, a phone.
    pub const GOOD_FOR: Duration = Duration::from_secs(600);
    const NAME: &str = "__Host-deskbridge-oidc";

    pub fn of(headers: &HeaderMap) -> Option<String> {
        one(headers, Pending::NAME).map(str::to_owned)
    }

    /// Always Secure: `[oidc]` takes https, or this machine.
    pub fn cookie(secret: &str) -> Result<HeaderValue, Problem> {
        let (name, age) = (Pending::NAME, Pending::GOOD_FOR.as_secs());
        let text = format!("{name}={secret}; Path=/; Max-Age={age}; Secure; HttpOnly; SameSite=Strict");
        HeaderValue::from_str(&text).map_err(|_| Problem::internal())
    }

    pub fn ended() -> HeaderValue {
        HeaderValue::from_static(
            "__Host-deskbridge-oidc=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict",
        )
    }
}

/// Without a path.
pub fn origin_of(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find('/').map_or(url.len(), |at| start + at);
    &url[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn one_cookie_of_the_name_counts() {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        let found =
            |cookie: &str, plain| Presented::of(&headers(&[("cookie", cookie)]), plain).map(|one| one.sha256);
        assert_eq!(found(&format!("x=1; {STRONG}={a}"), false), Some(hash(&a)));
        assert_eq!(found(&format!("{STRONG}={a}; {STRONG}={b}"), false), None);
        assert_eq!(found(&format!("{PLAIN}={b}"), false), None);
        assert_eq!(found(&format!("{PLAIN}={b}"), true), Some(hash(&b)));
        assert_eq!(found(&format!("{STRONG}={a}; {PLAIN}={b}"), true), Some(hash(&a)));
        for wrong in ["", "x", &"g".repeat(64), &"a".repeat(63)] {
            assert_eq!(found(&format!("{STRONG}={wrong}"), true), None);
        }
    }

    #[test]
    fn only_our_own_page_may_write() {
        let site = |url: Option<&str>| Site { public_url: url.map(str::to_owned) };
        let own = |site: &Site, pairs: &[(&'static str, &str)]| site.must_be_own(&headers(pairs)).is_ok();
        let bare = site(None);
        assert!(own(&bare, &[("origin", "http://localhost:8080"), ("host", "localhost:8080")]));
        assert!(own(&bare, &[("sec-fetch-site", "same-origin")]));
        assert!(own(
            &site(Some("https://desk.example.com/x")),
            &[("origin", "https://desk.example.com"), ("host", "in:1")]
        ));
        for wrong in [
            &[("origin", "null"), ("host", "localhost:8080")][..],
            &[("origin", "https://site.com.evil.test"), ("host", "site.com")],
            &[("origin", "https://evilsite.com"), ("host", "site.com")],
            &[("origin", "http://localhost:8081"), ("host", "localhost:8080")],
            &[("origin", "http://localhost:8080")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site"), ("origin", "http://a"), ("host", "a")],
        ] {
            assert!(!own(&bare, wrong), "{wrong:?}");
        }
    }

    #[test]
    fn the_cookie_is_as_strict_as_the_browser_allows() {
        let cookie = |url: Option<&str>, origin: &str| {
            let site = Site { public_url: url.map(str::to_owned) };
            site.cookie(&headers(&[("origin", origin)]), "s").unwrap().to_str().unwrap().to_owned()
        };
        for origin in
            ["https://desk.example.com", "http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:1"]
        {
            let set = cookie(None, origin);
            assert!(set.starts_with("__Host-deskbridge=s; Path=/;"), "{origin}");
            assert!(set.ends_with("Secure; HttpOnly; SameSite=Strict") && !set.contains("Domain"));
        }
        assert!(cookie(None, "http://desk.lan").starts_with("deskbridge=s;"));
        let https = Site { public_url: Some("https://desk".into()) };
        assert!(!https.plain_allowed() && Site::default().plain_allowed());
    }

    #[test]
    fn the_token_belongs_to_the_session() {
        let (one, other) = (Presented::new("one"), Presented::new("other"));
        assert!(one.must_prove(&headers(&[(CSRF, &one.csrf)])).is_ok());
        for wrong in [&other.csrf, "", &one.sha256] {
            assert!(one.must_prove(&headers(&[(CSRF, wrong)])).is_err());
        }
        assert!(one.must_prove(&HeaderMap::new()).is_err());
    }
}
