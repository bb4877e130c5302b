//! A reply as server-sent events, with its pauses and its breaks.
//! The payloads are made in `body`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;

use super::drive::Shared;
use super::script::Reply;
use crate::http::after_flush;

/// One thing to do on the way.
enum Step {
    Wait(Duration),
    Send { bytes: Bytes, chunk: bool },
    Drop,
}

/// Writes down that the caller went away, unless the end was reached.
struct Watch {
    shared: Arc<Shared>,
    number: usize,
    finished: bool,
}

impl Watch {
    fn reach_end(&mut self) {
        self.finished = true;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let finished = self.finished;
        self.shared.amend(self.number, |asked| {
            asked.finished = finished;
            asked.abandoned = !finished;
        });
    }
}

fn steps(reply: &Reply, payloads: Vec<String>) -> VecDeque<Step> {
    let end = if reply.crlf { "\r\n" } else { "\n" };
    let mut steps = VecDeque::new();
    let send = |text: String, chunk: bool| Step::Send { bytes: Bytes::from(text), chunk };
    if reply.comments {
        steps.push_back(send(format!(": OPENROUTER PROCESSING{end}{end}"), false));
    }
    steps.push_back(Step::Wait(reply.first_delay));
    for (number, payload) in payloads.into_iter().enumerate() {
        if reply.cut_after == Some(number) {
            steps.push_back(Step::Drop);
            return steps;
        }
        match reply.stall {
            Some((at, wait)) if at == number => steps.push_back(Step::Wait(wait)),
            _ if number > 0 => steps.push_back(Step::Wait(reply.between)),
            _ => {}
        }
        let payload = if reply.malformed_at == Some(number) {
            payload[..payload.len() / 2].to_owned()
        } else if reply.error_at == Some(number) {
            r#"{"error":{"message":"Internal server error","type":"server_error","code":500}}"#.to_owned()
        } else {
            payload
        };
        steps.push_back(send(format!("data: {payload}{end}{end}"), true));
        if reply.comments {
            steps.push_back(send(format!(": keep-alive{end}{end}"), false));
        }
    }
    if reply.done_marker {
        steps.push_back(send(format!("data: [DONE]{end}{end}"), false));
    }
    steps
}

/// Cuts what is sent into pieces that respect no border; the first piece of a chunk counts for it.
fn in_pieces(steps: VecDeque<Step>, size: usize) -> VecDeque<Step> {
    let pieces = |step| match step {
        Step::Send { bytes, chunk } => {
            let mut at = 0;
            let mut cut = Vec::new();
            while at < bytes.len() {
                let end = bytes.len().min(at + size);
                cut.push(Step::Send { bytes: bytes.slice(at..end), chunk: chunk && at == 0 });
                at = end;
            }
            cut
        }
        other => vec![other],
    };
    steps.into_iter().flat_map(pieces).collect()
}

pub(super) fn events(shared: Arc<Shared>, number: usize, reply: &Reply, payloads: Vec<String>) -> Body {
    let mut steps = steps(reply, payloads);
    if let Some(size) = reply.wire_piece {
        steps = in_pieces(steps, size);
    }
    let watch = Watch { shared, number, finished: false };
    let sent = stream::unfold((steps, watch), |(mut steps, mut watch)| async move {
        loop {
            match steps.pop_front() {
                Some(Step::Wait(wait)) if wait.is_zero() => {}
                Some(Step::Wait(wait)) => tokio::time::sleep(wait).await,
                Some(Step::Send { bytes, chunk }) => {
                    if chunk {
                        watch.shared.amend(watch.number, |asked| asked.chunks_sent += 1);
                    }
                    return Some((Ok(bytes), (steps, watch)));
                }
                Some(Step::Drop) => {
                    // The cut is ours; the caller did not leave.
                    watch.reach_end();
                    return Some((Err(after_flush().await), (VecDeque::new(), watch)));
                }
                None => {
                    watch.reach_end();
                    return None;
                }
            }
        }
    });
    Body::from_stream(sent)
}
