//! Every limit of the HTTP surface in one place, so that tests can make them small.
//!
//! Not here: limits of what is said (the intake), of platforms (their adapters).

use std::time::Duration;

/// Sizes in bytes.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Of a request's line and headers together.
    pub head: usize,
    /// From the first byte of a head to its last.
    pub head_read: Duration,
    /// From the connection to its first complete head.
    pub first_request: Duration,
    /// Without a request under way. Longer than what proxies keep their connections for, or they meet a closed one.
    pub idle: Duration,
    /// Open connections; the one that was idle longest makes room for a new one.
    pub connections: usize,
    /// What is under way when the program stops has this long.
    pub drain: Duration,
    /// Of a body, for hooks and API.
    pub body: usize,
    /// Of an uploaded file.
    pub file: usize,
    /// From the head to the body's last byte.
    pub body_read: Duration,
    /// Of all bodies that are held at one time.
    pub bodies: usize,
    /// Hook requests under way; more are told to come again (Q14).
    pub hooks: usize,
    /// From the head to the answer's head.
    pub answer: Duration,
    /// Failed authentications that one address has at once, and gets back every ten seconds (S35).
    pub failures: u32,
    /// Event streams, in all and of one token.
    pub streams: usize,
    pub streams_each: usize,
}

impl Limits {
    /// With the room and the time that a file takes.
    pub fn for_files(&self) -> Limits {
        Limits { body: self.file, body_read: self.body_read * 6, ..self.clone() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            head: 16 << 10,
            head_read: Duration::from_secs(5),
            first_request: Duration::from_secs(5),
            idle: Duration::from_secs(75),
            connections: 20_000,
            drain: Duration::from_secs(8),
            body: 1 << 20,
            file: 25 << 20,
            body_read: Duration::from_secs(10),
            bodies: 64 << 20,
            hooks: 1024,
            answer: Duration::from_secs(30),
            failures: 20,
            streams: 1000,
            streams_each: 20,
        }
    }
}
