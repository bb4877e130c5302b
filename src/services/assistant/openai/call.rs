//! One completion: attempts, their time-outs, and the answer once it is complete.
//!
//! Not here: what is asked (`prompt.rs`), what tool calls do (`mod.rs`).

use async_openai::types::chat::CreateChatCompletionRequest;
use futures_util::StreamExt;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::chunk::{Partial, parse};
use super::failure::{Failure, header};
use super::settings::Patience;
use super::sse::Events;
use super::wire::{Answered, Wire};

/// Bytes of a refusal that are read.
const REFUSAL: usize = 16 << 10;
/// Bytes of one answer with everything around it.
const BODY: usize = 16 << 20;
/// What is left of a body after the answer's end is read for so long, so that the connection can be used again.
const TAIL: std::time::Duration = std::time::Duration::from_millis(100);

/// Where the text that came so far is put.
pub(super) type SoFar<'a> = &'a mut (dyn FnMut(&str) + Send);

/// Asks until there is a complete answer, no attempt is left, or `deadline`.
pub(super) async fn complete(
    wire: &dyn Wire,
    request: &CreateChatCompletionRequest,
    patience: &Patience,
    deadline: Instant,
    so_far: SoFar<'_>,
) -> Result<Partial, Failure> {
    let mut tries = 0;
    loop {
        let mut partial = Partial::default();
        let failure = match attempt(wire, request, patience, deadline, &mut partial, so_far).await {
            Ok(()) => return Ok(partial),
            Err(failure) => failure,
        };
        tries += 1;
        // What was begun may have been shown already, and a second beginning would not fit it.
        let wait = failure.wait(tries, patience, jitter()).filter(|_| !partial.began);
        match wait.map(|wait| Instant::now() + wait).filter(|at| *at < deadline) {
            Some(at) => {
                tracing::debug!(why = %failure.why, tries, "the model is asked again");
                sleep_until(at).await;
            }
            None => return Err(failure),
        }
    }
}

/// 0..1; without randomness no jitter.
fn jitter() -> f32 {
    let mut random = [0_u8; 1];
    getrandom::fill(&mut random).map_or(0.0, |()| f32::from(random[0]) / 255.0)
}

async fn attempt(
    wire: &dyn Wire,
    request: &CreateChatCompletionRequest,
    patience: &Patience,
    deadline: Instant,
    partial: &mut Partial,
    so_far: SoFar<'_>,
) -> Result<(), Failure> {
    let first = deadline.min(Instant::now() + patience.first_token);
    let posted = timeout_at(first, wire.post(request)).await;
    let answered = posted.map_err(|_| Failure::last("no answer in time"))??;
    let number = header(&answered.headers, "x-request-id").unwrap_or_default().to_owned();
    tracing::debug!(status = answered.status, request = %number, "the model answers");
    if !(200..300).contains(&answered.status) {
        return Err(refusal(answered, first).await);
    }
    let mut answer = Reading { events: Events::default(), first, patience, deadline };
    answer.read(answered, partial, so_far).await
}

async fn refusal(mut answered: Answered, until: Instant) -> Failure {
    let mut body = Vec::new();
    while let Ok(Some(Ok(piece))) = timeout_at(until, answered.body.next()).await {
        body.extend_from_slice(&piece[..piece.len().min(REFUSAL - body.len())]);
        if body.len() >= REFUSAL {
            break;
        }
    }
    Failure::status(answered.status, &answered.headers, &body)
}

struct Reading<'a> {
    events: Events,
    first: Instant,
    patience: &'a Patience,
    deadline: Instant,
}

impl Reading<'_> {
    /// Until the answer is complete. Anything else that ends the body is a failure: a partial answer is never final.
    async fn read(
        &mut self,
        mut answered: Answered,
        partial: &mut Partial,
        so_far: SoFar<'_>,
    ) -> Result<(), Failure> {
        let mut last = Instant::now();
        let mut bytes = 0;
        loop {
            let until = match partial.began {
                true => self.deadline.min(last + self.patience.idle),
                false => self.first,
            };
            let piece = match timeout_at(until, answered.body.next()).await {
                Ok(piece) => piece,
                Err(_) if partial.began => return Err(Failure::last("the answer stopped half-way")),
                Err(_) => return Err(Failure::last("no answer in time")),
            };
            let Some(piece) = piece else { break };
            let piece = piece?;
            bytes += piece.len();
            let too_long = || Failure::last("the answer has no end");
            if bytes > BODY {
                return Err(too_long());
            }
            let events = self.events.feed(&piece).map_err(|_| too_long())?;
            // Comments keep a connection, not an answer.
            if !events.is_empty() {
                last = Instant::now();
            }
            if take(&events, partial, so_far)? {
                return Ok(());
            }
            if partial.finish.is_some() {
                let _ = timeout_at(Instant::now() + TAIL, drain(&mut answered, BODY - bytes)).await;
                return Ok(());
            }
        }
        let events = self.events.end().map_err(|_| Failure::last("the answer has no end"))?;
        if take(&events, partial, so_far)? || partial.finish.is_some() {
            return Ok(());
        }
        self.unstreamed(partial, so_far)
    }

    /// The body is over and had no end of an answer in it: perhaps it was one whole answer, or an error.
    fn unstreamed(&self, partial: &mut Partial, so_far: SoFar<'_>) -> Result<(), Failure> {
        let cut = || Failure { retry: true, ..Failure::last("the answer was cut off") };
        if partial.began {
            return Err(cut());
        }
        let stray = String::from_utf8_lossy(self.events.stray());
        match parse(stray.trim()) {
            Some(whole) if whole.is_object() => {
                partial.take_value(&whole)?;
                if partial.finish.is_none() {
                    return Err(Failure::last("the answer is of an unknown kind"));
                }
                so_far(&partial.text);
                Ok(())
            }
            _ if stray.trim_start().starts_with('<') => {
                Err(Failure::last("a web page came instead of an answer; is base_url right?"))
            }
            _ => Err(cut()),
        }
    }
}

/// Whether the answer has said that it is over.
fn take(events: &[String], partial: &mut Partial, so_far: SoFar<'_>) -> Result<bool, Failure> {
    let before = partial.text.len();
    let mut is_over = false;
    for event in events {
        if event.trim() == "[DONE]" {
            is_over = partial.finish.is_some();
            break;
        }
        partial.take(event)?;
    }
    if partial.text.len() > before {
        so_far(&partial.text);
    }
    Ok(is_over)
}

async fn drain(answered: &mut Answered, mut room: usize) {
    while let Some(Ok(piece)) = answered.body.next().await {
        room = room.saturating_sub(piece.len());
        if room == 0 {
            return;
        }
    }
}
