//! Signing in by the company's OpenID provider: authorization code with PKCE, and what its answer is worth (S79).
//!
//! Not here: whose account that is and what they may do (the API), the browser's cookie. Sources: OpenID Connect Core 1.0
//! and Discovery 1.0; RFC 6749, 7636 (PKCE), 9207 (`iss` in answers), 9700 (best current practice).

mod attempt;
mod claims;
mod discovery;
mod fetch;
mod jwt;
mod keys;

#[cfg(test)]
mod tests;

use deskbridge_contract::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use attempt::Attempt;
pub use claims::{Person, Required};
use discovery::{ClientAuth, Discovery, Metadata};
pub use jwt::Flaw;
use keys::Keys;

/// Longest code that is passed on (RFC 6749 names no limit; theirs have some hundred letters).
const LONGEST_CODE: usize = 4096;

/// What the provider is told, and what its answers are held against.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Letter by letter as the provider's description and its tokens say it.
    pub issuer: String,
    pub client_id: String,
    /// `None`: a public client, which PKCE alone protects.
    pub client_secret: Option<SecretString>,
    /// Letter by letter as it is registered with the provider.
    pub redirect_uri: String,
    pub scopes: Vec<String>,
    /// That says whether the e-mail address is the person's own.
    pub email_verified_claim: String,
    /// With the person's groups; `None`: they are not looked at.
    pub groups_claim: Option<String>,
    /// Claims that must be so.
    pub required: Vec<Required>,
}

/// What the browser brought back from the provider. Nothing of it is true yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Returned<'r> {
    pub state: &'r str,
    pub code: Option<&'r str>,
    pub issuer: Option<&'r str>,
    pub error: Option<&'r str>,
}

/// Why nobody was signed in; for the log and the audit trail, without anything that was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the provider cannot be reached: {0}")]
    Unreachable(String),
    #[error("the provider's description cannot be used: {0}")]
    Description(&'static str),
    #[error("the answer belongs to another sign-in")]
    State,
    #[error("the answer names another issuer, or none where one is announced")]
    ResponseIssuer,
    #[error("the provider let nobody in ({0})")]
    Denied(String),
    #[error("the provider did not take the code ({0})")]
    Code(String),
    #[error("the provider does not take this client ({0}): check oidc.client_id and oidc.client_secret")]
    Client(String),
    #[error("the ID token is not to be trusted: {0}")]
    Token(#[from] Flaw),
    #[error("the claim {0:?} is not as oidc.claims requires")]
    Claim(String),
    #[error("what the provider says about the person is about somebody else")]
    UserInfo,
}

/// One provider, with what is known of it.
pub struct Provider {
    settings: Settings,
    /// `None`: this machine cannot speak TLS at all.
    client: Option<reqwest::Client>,
    discovery: Discovery,
    keys: Keys,
}

/// What `doctor` says of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Keys that can verify a signature.
    pub keys: usize,
    /// As in tokens: `RS256`.
    pub algorithms: Vec<&'static str>,
    pub has_pkce: bool,
    pub names_itself: bool,
}

impl Provider {
    pub fn new(settings: Settings) -> Provider {
        let client = fetch::client();
        Provider { settings, client, discovery: Discovery::default(), keys: Keys::default() }
    }

    /// Where the browser is to go. `secret` is the browser's own: `state`, `nonce` and the PKCE verifier follow from it, so
    /// that an answer is good in that browser alone.
    pub async fn address(&self, secret: &str, now: Timestamp) -> Result<String, Refusal> {
        let metadata = self.metadata(now).await?;
        let attempt = Attempt::of(secret);
        let mut url = metadata.authorization_endpoint.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.settings.redirect_uri)
            .append_pair("scope", &self.settings.scopes.join(" "))
            .append_pair("state", &attempt.state)
            .append_pair("nonce", &attempt.nonce)
            .append_pair("code_challenge", &attempt.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok(url.into())
    }

    /// Whether an answer is for the sign-in that this browser began; to be asked before anything of it is used up.
    pub fn is_own(&self, secret: &str, returned: &Returned<'_>) -> bool {
        Attempt::of(secret).is_state(returned.state)
    }

    /// Whom the provider vouches for. The caller sees to it that one `secret` comes here once.
    pub async fn finish(
        &self,
        secret: &str,
        returned: &Returned<'_>,
        now: Timestamp,
    ) -> Result<Person, Refusal> {
        if !self.is_own(secret, returned) {
            return Err(Refusal::State);
        }
        let metadata = self.metadata(now).await?;
        // Also of a refusal: nobody else speaks for this provider (mix-up).
        match returned.issuer {
            Some(issuer) if issuer == self.settings.issuer => {}
            None if !metadata.names_itself => {}
            Some(_) | None => return Err(Refusal::ResponseIssuer),
        }
        if let Some(error) = returned.error {
            return Err(Refusal::Denied(fetch::code_of(error)));
        }
        let code = returned.code.filter(|code| !code.is_empty() && code.len() <= LONGEST_CODE);
        let code = code.ok_or_else(|| Refusal::Code("none was given".into()))?;
        let attempt = Attempt::of(secret);
        let tokens = self.redeem(&metadata, code, &attempt).await?;
        let claims = self.verified(&metadata, &tokens, &attempt, now).await?;
        let info = self.user_info(&metadata, &tokens, &claims).await?;
        claims::person(&claims, &info, &self.settings)
    }

    /// Everything that can be known without signing anybody in.
    pub async fn describe(&self) -> Result<Description, Refusal> {
        let client = self.client()?;
        let metadata = discovery::fetch(client, &self.settings.issuer).await?;
        let keys = keys::fetch(client, &metadata).await?;
        let usable = keys.iter().filter(|key| metadata.algorithms.iter().any(|one| key.fits(*one)));
        Ok(Description {
            keys: usable.count(),
            algorithms: metadata.algorithms.iter().map(|one| one.name()).collect(),
            has_pkce: metadata.has_pkce,
            names_itself: metadata.names_itself,
        })
    }

    fn client(&self) -> Result<&reqwest::Client, Refusal> {
        self.client.as_ref().ok_or_else(|| Refusal::Unreachable("no TLS on this machine".into()))
    }

    async fn metadata(&self, now: Timestamp) -> Result<std::sync::Arc<Metadata>, Refusal> {
        self.discovery.get(self.client()?, &self.settings.issuer, now).await
    }

    /// The tokens for a code.
    async fn redeem(&self, metadata: &Metadata, code: &str, attempt: &Attempt) -> Result<Tokens, Refusal> {
        let settings = &self.settings;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", settings.redirect_uri.as_str()),
            ("code_verifier", attempt.verifier.as_str()),
        ];
        let request = self.client()?.post(metadata.token_endpoint.clone());
        let secret = settings.client_secret.as_ref().map(|secret| secret.expose_secret());
        let request = match (secret, metadata.client_auth) {
            (Some(secret), ClientAuth::Basic) => {
                // RFC 6749 §2.3.1: both as in a form.
                request.basic_auth(fetch::encoded(&settings.client_id), Some(fetch::encoded(secret)))
            }
            (Some(secret), ClientAuth::Post) => {
                form.extend([("client_id", settings.client_id.as_str()), ("client_secret", secret)]);
                request
            }
            (None, _) => {
                form.push(("client_id", settings.client_id.as_str()));
                request
            }
        };
        let answer = fetch::json(fetch::with_form(request, &form)).await?;
        let error = || fetch::code_of(answer.text("error").unwrap_or("no reason"));
        match answer.status {
            200 => {}
            401 => return Err(Refusal::Client(error())),
            400 if answer.text("error") == Some("invalid_client") => return Err(Refusal::Client(error())),
            400..=499 => return Err(Refusal::Code(error())),
            status => return Err(Refusal::Unreachable(format!("its token endpoint answered {status}"))),
        }
        let id = answer.text("id_token").ok_or(Flaw::Malformed)?.to_owned();
        Ok(Tokens { id, access: answer.text("access_token").map(str::to_owned) })
    }

    async fn verified(
        &self,
        metadata: &Metadata,
        tokens: &Tokens,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Result<Map<String, Value>, Refusal> {
        let token = jwt::read(&tokens.id, &metadata.algorithms)?;
        let key = self.keys.find(self.client()?, metadata, &token, now).await?;
        let claims = token.verify(&key)?;
        claims::check(&claims, &self.settings, attempt, now)?;
        claims::check_access(&claims, token.algorithm, tokens.access.as_deref())?;
        Ok(claims)
    }

    /// Where the ID token does not say all that is needed; many providers keep it short.
    async fn user_info(
        &self,
        metadata: &Metadata,
        tokens: &Tokens,
        claims: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Refusal> {
        let (Some(endpoint), Some(access)) = (&metadata.userinfo_endpoint, &tokens.access) else {
            return Ok(Map::new());
        };
        if claims::is_complete(claims, &self.settings) {
            return Ok(Map::new());
        }
        let answer = fetch::json(self.client()?.get(endpoint.clone()).bearer_auth(access)).await?;
        if answer.status != 200 {
            let status = answer.status;
            return Err(Refusal::Unreachable(format!("its user info endpoint answered {status}")));
        }
        // Core 5.3.2: whatever else it says, it has to be about the same person.
        match answer.body {
            Value::Object(info) if info.get("sub") == claims.get("sub") => Ok(info),
            _ => Err(Refusal::UserInfo),
        }
    }
}

/// What a code was worth.
struct Tokens {
    id: String,
    access: Option<String>,
}
