//! What a verified ID token says: that it is for us and for this sign-in, and about whom. Pure.
//!
//! Not here: its signature (`jwt.rs`). Source: OpenID Connect Core 1.0 §3.1.3.7 and §5.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use deskbridge_contract::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::attempt::Attempt;
use super::jwt::{Algorithm, Flaw};
use super::{Refusal, Settings};

/// Seconds that clocks may differ by.
const SKEW: i64 = 120;
/// Core §2: a subject has at most 255 ASCII characters.
const SUBJECT: usize = 255;
/// Characters of an e-mail address, and of a name.
const EMAIL: usize = 200;
const NAME: usize = 100;
/// Groups of one person that are looked at.
const GROUPS: usize = 2_000;

type Claims = Map<String, Value>;

/// Whom the provider vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Theirs for ever at this issuer, whatever else changes.
    pub subject: String,
    /// In small letters.
    pub email: Option<String>,
    /// The provider says that the address is the person's own.
    pub is_email_verified: bool,
    pub name: Option<String>,
    pub groups: Vec<String>,
}

/// A claim that must have a value, like `hd=example.com`; of a list, one of its items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Required {
    pub claim: String,
    pub value: String,
}

/// That the token is of this issuer, for this client alone, good now, and made for this very sign-in.
pub(super) fn check(
    claims: &Claims,
    settings: &Settings,
    attempt: &Attempt,
    now: Timestamp,
) -> Result<(), Flaw> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(settings.issuer.as_str()) {
        return Err(Flaw::Issuer);
    }
    let ours = Value::from(settings.client_id.as_str());
    let is_for_us = match claims.get("aud") {
        Some(Value::Array(all)) => !all.is_empty() && all.iter().all(|one| *one == ours),
        Some(one) => *one == ours,
        None => false,
    };
    if !is_for_us || claims.get("azp").is_some_and(|party| *party != ours) {
        return Err(Flaw::Audience);
    }
    check_time(claims, now)?;
    if !attempt.is_nonce(text("nonce").ok_or(Flaw::Nonce)?) {
        return Err(Flaw::Nonce);
    }
    let subject = text("sub").ok_or(Flaw::Subject)?;
    let is_sound = !subject.is_empty() && subject.len() <= SUBJECT && subject.is_ascii();
    if is_sound { Ok(()) } else { Err(Flaw::Subject) }
}

fn check_time(claims: &Claims, now: Timestamp) -> Result<(), Flaw> {
    let now = now.0.div_euclid(1_000_000);
    // Numbers may have a fraction (RFC 7519 §2).
    #[expect(clippy::cast_possible_truncation, reason = "a second is exact enough; the cast saturates")]
    let second = |name: &str| claims.get(name).and_then(Value::as_f64).map(|at| at as i64).ok_or(Flaw::Time);
    let (ends, issued) = (second("exp")?, second("iat")?);
    let begins = if claims.contains_key("nbf") { second("nbf")? } else { issued };
    let is_early = now < issued.max(begins).saturating_sub(SKEW);
    if is_early || now >= ends.saturating_add(SKEW) { Err(Flaw::Time) } else { Ok(()) }
}

/// Core §3.1.3.8: where the token names its access token, it is the one that came with it.
pub(super) fn check_access(claims: &Claims, by: Algorithm, access: Option<&str>) -> Result<(), Flaw> {
    let (Some(named), Some(access)) = (claims.get("at_hash"), access) else { return Ok(()) };
    let hash = match by {
        Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => Sha256::digest(access).to_vec(),
        Algorithm::Rs384 | Algorithm::Ps384 | Algorithm::Es384 => Sha384::digest(access).to_vec(),
        Algorithm::Rs512 | Algorithm::Ps512 | Algorithm::EdDsa => Sha512::digest(access).to_vec(),
    };
    let half = URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2]);
    if named.as_str() == Some(half.as_str()) { Ok(()) } else { Err(Flaw::AccessHash) }
}

/// Whether the ID token alone says all that is asked.
pub(super) fn is_complete(claims: &Claims, settings: &Settings) -> bool {
    let needed = settings.groups_claim.iter().chain(settings.required.iter().map(|one| &one.claim));
    let mut needed = needed.map(String::as_str).chain(["email", settings.email_verified_claim.as_str()]);
    needed.all(|name| find(claims, name).is_some())
}

/// `info`: what else the provider says of the same person; it fills gaps, and overrules nothing that was signed.
pub(super) fn person(claims: &Claims, info: &Claims, settings: &Settings) -> Result<Person, Refusal> {
    let either = |name: &str| find(claims, name).or_else(|| find(info, name));
    for one in &settings.required {
        if !either(&one.claim).is_some_and(|value| has(value, &one.value)) {
            return Err(Refusal::Claim(one.claim.clone()));
        }
    }
    // Whether an address is verified is said by whoever said the address.
    let source = if claims.contains_key("email") && find(claims, &settings.email_verified_claim).is_some() {
        claims
    } else if info.contains_key("email") {
        info
    } else {
        claims
    };
    let email = source.get("email").and_then(Value::as_str).map(|email| email.trim().to_lowercase());
    let groups = settings.groups_claim.as_deref().and_then(either);
    Ok(Person {
        subject: claims.get("sub").and_then(Value::as_str).unwrap_or_default().to_owned(),
        email: email.filter(|email| is_email(email)),
        is_email_verified: find(source, &settings.email_verified_claim).is_some_and(is_yes),
        name: ["name", "preferred_username"].into_iter().find_map(|name| either(name).and_then(named)),
        groups: groups.map(texts).unwrap_or_default(),
    })
}

/// A claim by its name, or by a path such as `realm_access.roles`; names with dots in them come first.
fn find<'c>(claims: &'c Claims, name: &str) -> Option<&'c Value> {
    claims.get(name).or_else(|| {
        let (first, rest) = name.split_once('.')?;
        find(claims.get(first)?.as_object()?, rest)
    })
}

fn has(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text == wanted,
        Value::Number(number) => number.to_string() == wanted,
        Value::Bool(flag) => flag.to_string() == wanted,
        Value::Array(items) => items.iter().any(|item| !item.is_array() && has(item, wanted)),
        Value::Null | Value::Object(_) => false,
    }
}

/// As providers say yes: the standard has a boolean, some send it as text or a number.
fn is_yes(value: &Value) -> bool {
    !value.is_array() && (has(value, "true") || has(value, "1"))
}

fn is_email(text: &str) -> bool {
    let parts = text.split_once('@');
    let sound = parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'));
    sound && text.len() <= EMAIL && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn named(value: &Value) -> Option<String> {
    let plain: String = value.as_str()?.chars().filter(|c| !c.is_control()).take(NAME).collect();
    let plain = plain.trim();
    (!plain.is_empty()).then(|| plain.to_owned())
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        Value::Array(items) => {
            items.iter().take(GROUPS).filter_map(|item| item.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    }
}
