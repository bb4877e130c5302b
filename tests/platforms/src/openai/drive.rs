//! The handle a test holds: starts the fake, writes the script, looks at what was asked.
//! Without a script the server repeats what the user said.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::ledger::{Asked, content_text};
use super::script::{Answer, Reply};
use super::serve;
use crate::http::{Outage, Server};

type Rule = Box<dyn Fn(&Value) -> Answer + Send>;

struct State {
    script: VecDeque<Answer>,
    rule: Rule,
    asked: Vec<Asked>,
    wants_key: bool,
}

pub(super) struct Shared {
    state: Mutex<State>,
    bell: watch::Sender<u64>,
    started: std::time::Instant,
    key: String,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

fn echo(body: &Value) -> Answer {
    let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let said = messages.iter().rev().find(|message| message["role"] == "user");
    let said = said.map(|message| content_text(&message["content"])).unwrap_or_default();
    Answer::Reply(Reply::text(&format!("You said: {said}")))
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let result = change(&mut self.lock());
        self.bell.send_modify(|rung| *rung += 1);
        result
    }

    pub fn key(&self) -> &str {
        &self.key
    }

    pub fn wants_key(&self) -> bool {
        self.lock().wants_key
    }

    pub fn open(&self, path: &str, body: Value, headers: Vec<(String, String)>, authorized: bool) -> usize {
        let at = self.started.elapsed();
        self.change(|state| {
            let number = state.asked.len();
            let stream = body["stream"] == true;
            state.asked.push(Asked {
                number,
                at,
                path: path.to_owned(),
                body,
                headers,
                authorized,
                stream,
                status: None,
                chunks_sent: 0,
                finished: false,
                abandoned: false,
            });
            number
        })
    }

    pub fn amend(&self, number: usize, change: impl FnOnce(&mut Asked)) {
        self.change(|state| {
            if let Some(asked) = state.asked.get_mut(number) {
                change(asked);
            }
        });
    }

    pub fn next_answer(&self, body: &Value) -> Answer {
        let mut state = self.lock();
        match state.script.pop_front() {
            Some(answer) => answer,
            None => (state.rule)(body),
        }
    }
}

/// What was waited for was not asked; `asked` is what was.
#[derive(Debug)]
pub struct TimedOut {
    pub after: Duration,
    pub asked: Vec<Asked>,
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing of the kind within {:?}; asked so far: {:#?}", self.after, self.asked)
    }
}

impl std::error::Error for TimedOut {}

/// A running fake; clones are the same one, the last to go stops it.
#[derive(Debug, Clone)]
pub struct FakeOpenAi {
    shared: Arc<Shared>,
    server: Arc<Server>,
    outage: Outage,
}

impl FakeOpenAi {
    /// On a free port of 127.0.0.1.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start() -> Self {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        FakeOpenAi::listen(anywhere, "sk-fake-key-for-tests").await.expect("a port on 127.0.0.1")
    }

    /// # Errors
    /// When the address cannot be bound.
    pub async fn listen(address: SocketAddr, key: &str) -> io::Result<Self> {
        let state =
            State { script: VecDeque::new(), rule: Box::new(echo), asked: Vec::new(), wants_key: true };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            bell: watch::Sender::new(0),
            started: std::time::Instant::now(),
            key: key.to_owned(),
        });
        let outage = Outage::default();
        let served = shared.clone();
        let server =
            Server::start(address, outage.clone(), move |request| serve::answer(served.clone(), request))
                .await?;
        Ok(FakeOpenAi { shared, server: Arc::new(server), outage })
    }

    /// With `/v1`, as clients want it.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.server.address())
    }

    pub fn key(&self) -> &str {
        self.shared.key()
    }

    /// A local model server takes anyone.
    pub fn require_key(&self, on: bool) {
        self.shared.change(|state| state.wants_key = on);
    }

    /// While on, every connection is dropped unread.
    pub fn outage(&self, on: bool) {
        self.outage.set(on);
    }

    /// Adds a line to the script: the next unanswered request gets the first one.
    pub fn next(&self, answer: impl Into<Answer>) {
        self.next_times(1, answer);
    }

    pub fn next_times(&self, times: usize, answer: impl Into<Answer>) {
        let answer = answer.into();
        self.shared.change(|state| state.script.extend(std::iter::repeat_n(answer, times)));
    }

    /// What happens when the script has run out, from now on.
    pub fn rule(&self, rule: impl Fn(&Value) -> Answer + Send + 'static) {
        self.shared.change(|state| state.rule = Box::new(rule));
    }

    /// A model that wants the same tool again and again.
    pub fn loop_on_tool(&self, name: &str, arguments: Value) {
        let name = name.to_owned();
        self.rule(move |_| Answer::Reply(Reply::tool_call(&name, &arguments)));
    }

    /// Script lines not used yet.
    pub fn script_left(&self) -> usize {
        self.shared.lock().script.len()
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.shared.lock().asked.clone()
    }

    /// Requests for chat completions only.
    pub fn chats(&self) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.path.ends_with("/chat/completions")).collect()
    }

    /// Waits, woken by every change, until `look` finds something in what was asked.
    ///
    /// # Errors
    /// When it does not within `timeout`.
    pub async fn wait_for<T>(
        &self,
        timeout: Duration,
        mut look: impl FnMut(&[Asked]) -> Option<T>,
    ) -> Result<T, TimedOut> {
        let deadline = Instant::now() + timeout;
        let mut bell = self.shared.bell.subscribe();
        loop {
            if let Some(found) = look(&self.shared.lock().asked) {
                return Ok(found);
            }
            if timeout_at(deadline, bell.changed()).await.is_err() {
                return Err(TimedOut { after: timeout, asked: self.asked() });
            }
        }
    }
}
