//! Signed tokens (RFC 7515, 7518, 8037): taken apart, and verified by a published key. Pure.
//!
//! Not here: where keys come from (`keys.rs`), what the claims say (`claims.rs`).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Longest token that is looked at, in characters; with many groups they get long.
const LONGEST: usize = 64 << 10;

/// What is wrong with a token; for the log, never for the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error("it is no signed token")]
    Malformed,
    #[error("its algorithm is not one of those that are announced and taken")]
    Algorithm,
    #[error("no published key has signed it")]
    UnknownKey,
    #[error("its signature is wrong")]
    Signature,
    #[error("another issuer")]
    Issuer,
    #[error("it is for somebody else, too")]
    Audience,
    #[error("it is not good now")]
    Time,
    #[error("it belongs to another sign-in")]
    Nonce,
    #[error("it names nobody")]
    Subject,
    #[error("it belongs to another access token")]
    AccessHash,
}

/// By which a token may be signed. All are asymmetric: the secret that we share with the provider signs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

impl Algorithm {
    pub(super) const ALL: [Algorithm; 9] = [
        Algorithm::Rs256,
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Ps256,
        Algorithm::Ps384,
        Algorithm::Ps512,
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::EdDsa,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Algorithm::Rs256 => "RS256",
            Algorithm::Rs384 => "RS384",
            Algorithm::Rs512 => "RS512",
            Algorithm::Ps256 => "PS256",
            Algorithm::Ps384 => "PS384",
            Algorithm::Ps512 => "PS512",
            Algorithm::Es256 => "ES256",
            Algorithm::Es384 => "ES384",
            Algorithm::EdDsa => "EdDSA",
        }
    }

    fn rsa(self) -> Option<&'static RsaParameters> {
        match self {
            Algorithm::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
            Algorithm::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
            Algorithm::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
            Algorithm::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
            Algorithm::Ps384 => Some(&RSA_PSS_2048_8192_SHA384),
            Algorithm::Ps512 => Some(&RSA_PSS_2048_8192_SHA512),
            Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => None,
        }
    }
}

/// One published key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub id: Option<String>,
    /// The one algorithm that it is for, where it says so.
    only: Option<String>,
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// Uncompressed points.
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl Key {
    /// Keys that sign and that are known here; others are left out.
    pub(super) fn from_jwk(jwk: &Value) -> Option<Key> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        if text("use").is_some_and(|usage| usage != "sig") {
            return None;
        }
        let bytes = |name| URL_SAFE_NO_PAD.decode(text(name)?.trim_end_matches('=')).ok();
        let point = |size: usize| {
            let (x, y) = (bytes("x")?, bytes("y")?);
            (x.len() == size && y.len() == size).then(|| [&[4], x.as_slice(), y.as_slice()].concat())
        };
        let material = match (text("kty")?, text("crv")) {
            ("RSA", _) => Material::Rsa { modulus: bytes("n")?, exponent: bytes("e")? },
            ("EC", Some("P-256")) => Material::P256(point(32)?),
            ("EC", Some("P-384")) => Material::P384(point(48)?),
            ("OKP", Some("Ed25519")) => Material::Ed25519(bytes("x")?),
            _ => return None,
        };
        Some(Key { id: text("kid").map(str::to_owned), only: text("alg").map(str::to_owned), material })
    }

    /// The key decides what it is used for, not the token.
    pub(super) fn fits(&self, algorithm: Algorithm) -> bool {
        let kind = match &self.material {
            Material::Rsa { .. } => algorithm.rsa().is_some(),
            Material::P256(_) => algorithm == Algorithm::Es256,
            Material::P384(_) => algorithm == Algorithm::Es384,
            Material::Ed25519(_) => algorithm == Algorithm::EdDsa,
        };
        kind && self.only.as_deref().is_none_or(|only| only == algorithm.name())
    }

    fn has_signed(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let by = |way: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(way, key).verify(message, signature).is_ok()
        };
        match &self.material {
            Material::Rsa { modulus, exponent } => algorithm.rsa().is_some_and(|way| {
                RsaPublicKeyComponents { n: modulus, e: exponent }.verify(way, message, signature).is_ok()
            }),
            Material::P256(point) => by(&ECDSA_P256_SHA256_FIXED, point),
            Material::P384(point) => by(&ECDSA_P384_SHA384_FIXED, point),
            Material::Ed25519(key) => by(&ED25519, key),
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    /// Extensions that must be understood; none is.
    crit: Option<Value>,
}

/// A token taken apart; nothing of it is true yet.
#[derive(Debug)]
pub(super) struct Unverified<'t> {
    pub algorithm: Algorithm,
    pub kid: Option<String>,
    signed: &'t str,
    signature: Vec<u8>,
    claims: Map<String, Value>,
}

/// `allowed`: announced by the provider, and known here. Keys that a header brings along or points at are not looked at.
pub(super) fn read<'t>(token: &'t str, allowed: &[Algorithm]) -> Result<Unverified<'t>, Flaw> {
    if token.len() > LONGEST {
        return Err(Flaw::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Flaw::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(Flaw::Malformed)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Flaw::Malformed);
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| Flaw::Malformed)?;
    let claims = serde_json::from_slice(&decode(claims)?).map_err(|_| Flaw::Malformed)?;
    let signature = decode(signature)?;
    let is_other = header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT"));
    if is_other || header.crit.is_some() {
        return Err(Flaw::Malformed);
    }
    let algorithm = allowed.iter().find(|one| one.name() == header.alg).ok_or(Flaw::Algorithm)?;
    Ok(Unverified { algorithm: *algorithm, kid: header.kid, signed, signature, claims })
}

impl Unverified<'_> {
    pub(super) fn verify(&self, key: &Key) -> Result<Map<String, Value>, Flaw> {
        let fits = key.fits(self.algorithm);
        if fits && key.has_signed(self.algorithm, self.signed.as_bytes(), &self.signature) {
            return Ok(self.claims.clone());
        }
        Err(Flaw::Signature)
    }
}
