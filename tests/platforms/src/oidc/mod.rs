//! An OpenID provider: description, keys, authorization by whoever is signed in there, tokens, user info; and every way of
//! answering wrong that a client has to notice. Written from OpenID Connect Core and Discovery 1.0, RFC 6749, 7636 and 9207.

mod serve;
mod sign;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::http::{Outage, Server};
use sign::Signer;

/// What is wrong with the provider's answers. Everything else of them is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    Nothing,
    // Of the way back to the client.
    NoState,
    OtherState,
    NoIssuer,
    OtherIssuerInAnswer,
    Denied,
    // Of the description.
    DescribesAnother,
    DescribesTemplate,
    /// Its token endpoint stands at an address without TLS that is not this machine's.
    TokensInTheOpen,
    // Of the token endpoint and the keys.
    RedirectsTokens,
    RedirectsKeys,
    EndlessTokens,
    EndlessKeys,
    SilentTokens,
    NoIdToken,
    ServerError,
    // Of the ID token.
    NotAToken,
    Unsigned,
    HmacWithSecret,
    HmacWithPublicKey,
    WrongSignature,
    OtherKey,
    UnknownKey,
    KeyInHeader,
    Critical,
    AccessTokenType,
    Tampered,
    OtherIssuer,
    OtherTenant,
    IssuerWithSlash,
    OtherAudience,
    MoreAudiences,
    NoAudience,
    OtherParty,
    Expired,
    NotYet,
    NoEnd,
    EndAsText,
    NoNonce,
    OtherNonce,
    NoSubject,
    OtherAccessHash,
    // Of the user info.
    OtherPersonsInfo,
}

impl Wrong {
    /// Of an ID token: whatever it is, nobody may be let in by it.
    pub const TOKENS: [Wrong; 26] = [
        Wrong::NoIdToken,
        Wrong::NotAToken,
        Wrong::Unsigned,
        Wrong::HmacWithSecret,
        Wrong::HmacWithPublicKey,
        Wrong::WrongSignature,
        Wrong::OtherKey,
        Wrong::UnknownKey,
        Wrong::KeyInHeader,
        Wrong::Critical,
        Wrong::AccessTokenType,
        Wrong::Tampered,
        Wrong::OtherIssuer,
        Wrong::OtherTenant,
        Wrong::IssuerWithSlash,
        Wrong::OtherAudience,
        Wrong::MoreAudiences,
        Wrong::NoAudience,
        Wrong::OtherParty,
        Wrong::Expired,
        Wrong::NotYet,
        Wrong::NoEnd,
        Wrong::EndAsText,
        Wrong::NoNonce,
        Wrong::OtherNonce,
        Wrong::NoSubject,
    ];
}

/// How the fake is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    pub client_id: String,
    /// `None`: a public client.
    pub client_secret: Option<String>,
    pub redirect_uri: String,
    /// Behind the address; part of the issuer.
    pub path: String,
    /// Claims about people are in the ID token; else in the user info alone.
    pub claims_in_token: bool,
    /// The client has to send its secret in the body.
    pub only_post: bool,
    /// Every answer names its issuer, and the description says so (RFC 9207).
    pub names_itself: bool,
    /// RS256 or ES256.
    pub elliptic: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            client_id: "desk:bridge".into(),
            client_secret: Some("planted secret of & the = client".into()),
            redirect_uri: "https://desk.test/console/oidc".into(),
            path: "/staff".into(),
            claims_in_token: true,
            only_post: false,
            names_itself: true,
            elliptic: false,
        }
    }
}

/// A code that was given out.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub challenge: String,
    pub nonce: String,
    pub person: Value,
    pub used: bool,
}

/// What the provider knows, and what it was asked.
#[derive(Debug, Default)]
pub struct World {
    /// Who is signed in at the provider: claims, `sub` among them.
    pub person: Value,
    /// Seconds since 1970; `None`: the system's clock.
    pub now: Option<i64>,
    /// Requests by path.
    pub asked: BTreeMap<String, usize>,
    /// Codes that came a second time.
    pub replayed: usize,
    /// What a client must not do, in words.
    pub violations: Vec<String>,
    /// The name of the key that signs.
    pub kid: String,
    /// Where something came that must go nowhere: what a redirect led to.
    pub led_astray: usize,
    wrong: Option<Wrong>,
    grants: BTreeMap<String, Grant>,
    access: BTreeMap<String, Value>,
    base: String,
    serial: u64,
}

impl World {
    pub fn wrong(&self) -> Wrong {
        self.wrong.unwrap_or(Wrong::Nothing)
    }

    fn now(&self) -> i64 {
        let system = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        self.now.unwrap_or_else(|| i64::try_from(system()).unwrap_or_default())
    }

    fn fresh(&mut self, what: &str) -> String {
        self.serial += 1;
        format!("{what}-{}-planted", self.serial)
    }
}

/// A running provider. Dropping it closes its listener.
#[derive(Debug)]
pub struct FakeProvider {
    server: Server,
    outage: Outage,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    settings: Settings,
    signer: Signer,
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn issuer(&self) -> String {
        format!("{}{}", self.world().base, self.settings.path)
    }
}

impl FakeProvider {
    /// # Errors
    /// When no address can be bound.
    pub async fn start(settings: Settings) -> io::Result<FakeProvider> {
        // Its clients need it, as `main` does it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let person = json!({
            "sub": "subject-of-ana", "email": "ana@example.com", "email_verified": true, "name": "Ana",
        });
        let world = World { person, kid: "key-1".into(), ..World::default() };
        let signer = Signer::new(settings.elliptic);
        let shared = Arc::new(Shared { world: Mutex::new(world), settings, signer });
        let (answering, outage) = (shared.clone(), Outage::default());
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = Server::start(address, outage.clone(), move |request| {
            let shared = answering.clone();
            async move { serve::answer(&shared, request).await }
        })
        .await?;
        shared.world().base = format!("http://{}", server.address());
        Ok(FakeProvider { server, outage, shared })
    }

    pub fn issuer(&self) -> String {
        self.shared.issuer()
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Whether nothing can be reached.
    pub fn outage(&self) -> &Outage {
        &self.outage
    }

    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    pub fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.shared.world())
    }

    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.shared.world())
    }

    /// From now on every answer is wrong in this way.
    pub fn is_wrong(&self, how: Wrong) {
        self.shared.world().wrong = Some(how);
    }

    /// How often a path was asked for, below the issuer.
    pub fn asked(&self, path: &str) -> usize {
        let path = format!("{}{path}", self.shared.settings.path);
        self.shared.world().asked.get(&path).copied().unwrap_or_default()
    }
}
