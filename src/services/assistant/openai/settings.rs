//! The numbers and names of an OpenAI-compatible endpoint.
//!
//! Not here: reading them from the configuration.

use std::time::Duration;

use secrecy::SecretString;

use crate::assistant::Budget;

/// One endpoint and how it is used.
#[derive(Clone, Debug)]
pub struct OpenAiSettings {
    /// With its version, as in `https://api.openai.com/v1`. What the operator names is trusted, local addresses included.
    pub base_url: String,
    pub model: String,
    /// Local servers often want none.
    pub api_key: Option<SecretString>,
    pub patience: Patience,
    /// Counted by [`crate::assistant::Request::requester`]: who can change that text at will has a new budget each time.
    pub budget: Budget,
    /// Links of an answer may lead to these hosts, and to those that the given articles link to.
    pub link_hosts: Vec<String>,
    /// Characters of an answer.
    pub max_answer: usize,
}

impl OpenAiSettings {
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> Self {
        OpenAiSettings {
            base_url: base_url.into(),
            model: model.into(),
            api_key: None,
            patience: Patience::default(),
            budget: Budget::default(),
            link_hosts: Vec::new(),
            max_answer: 4_000,
        }
    }

    /// Who is asked, without what may be secret in an address.
    pub fn host(&self) -> &str {
        let after = self.base_url.split_once("://").map_or(self.base_url.as_str(), |(_, rest)| rest);
        let authority = after.split(['/', '?', '#']).next().unwrap_or_default();
        authority.rsplit_once('@').map_or(authority, |(_, host)| host)
    }

    pub fn with_key(mut self, key: SecretString) -> Self {
        self.api_key = Some(key);
        self
    }
}

/// How long is waited for what, and how often it is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    pub connect: Duration,
    /// From the request to the first piece of an answer.
    pub first_token: Duration,
    /// Between two pieces.
    pub idle: Duration,
    /// A whole turn, tool steps and retries included. Five seconds short of the core's deadline for a turn (60 s): an
    /// engine that answers in place of this one must still be in time.
    pub total: Duration,
    /// A summary; the card waits for nobody (A6).
    pub summary: Duration,
    /// A draft; a technician waits for it.
    pub draft: Duration,
    /// Other words for a draft; somebody looks at the empty place meanwhile. Below the time that the API gives an answer.
    pub reword: Duration,
    pub retries: u32,
    /// Before the first retry; doubled each time.
    pub backoff: Duration,
    pub max_backoff: Duration,
    /// More than this a server's `retry-after` is not obeyed.
    pub max_retry_after: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            connect: Duration::from_secs(5),
            first_token: Duration::from_secs(20),
            idle: Duration::from_secs(15),
            total: Duration::from_secs(55),
            summary: Duration::from_secs(15),
            draft: Duration::from_secs(30),
            reword: Duration::from_secs(25),
            retries: 2,
            backoff: Duration::from_millis(500),
            max_backoff: Duration::from_secs(8),
            max_retry_after: Duration::from_secs(120),
        }
    }
}

/// Why an engine cannot be made of the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error("assistant.base_url is no web address: {0}")]
    BaseUrl(String),
    #[error("assistant.model is empty")]
    Model,
    /// The key itself is not repeated.
    #[error("assistant.api_key holds characters that cannot be sent")]
    Key,
    #[error("the HTTP client cannot be made: {0}")]
    Client(String),
}
