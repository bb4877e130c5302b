//! What an error of a chore says: what was tried, why it failed, which command comes next.
//! Not here: things that are merely missing; those are `skips`.

use std::fmt;

pub type Outcome<T> = Result<T, Fault>;

#[derive(Debug)]
pub struct Fault {
    what: String,
    why: String,
    next: Option<String>,
}

impl Fault {
    pub fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Fault { what: what.into(), why: why.into(), next: None }
    }

    /// The command a person would type now.
    pub fn next(mut self, command: impl Into<String>) -> Self {
        self.next = Some(command.into());
        self
    }

    /// Why, on one line and without the command.
    pub fn why(&self) -> &str {
        self.why.lines().next().unwrap_or_default()
    }

    /// The command to type now, where one is known.
    pub fn next_command(&self) -> Option<&str> {
        self.next.as_deref()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)?;
        match &self.next {
            Some(command) => write!(f, "\n  next: {command}"),
            None => Ok(()),
        }
    }
}
