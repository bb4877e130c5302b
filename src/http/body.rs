//! Bodies that cannot be too large, too slow, or too many at one time (S25, S31).
//!
//! Not here: reading them. Whoever does gets an error and may answer what they like; the answer that is sent says what
//! was really wrong.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use hyper::body::{Frame, SizeHint};
use tokio::sync::Semaphore;
use tokio::time::Sleep;

use super::limits::Limits;
use super::problem::Problem;

/// Room for the bodies of all requests together, in bytes.
#[derive(Clone)]
pub struct Room(Arc<Semaphore>);

impl Room {
    pub fn new(bytes: usize) -> Self {
        Room(Arc::new(Semaphore::new(bytes)))
    }
}

const FINE: u8 = 0;
const TOO_LARGE: u8 = 1;
const TOO_SLOW: u8 = 2;
const NO_ROOM: u8 = 3;

/// What became of a guarded body; gives its room back when dropped.
pub struct Guard {
    verdict: AtomicU8,
    taken: AtomicUsize,
    room: Room,
}

impl Guard {
    /// What is wrong with the body, as far as it was read.
    pub fn problem(&self) -> Option<Problem> {
        let problem = match self.verdict.load(Ordering::Acquire) {
            FINE => return None,
            TOO_LARGE => too_large(),
            TOO_SLOW => Problem::of(StatusCode::REQUEST_TIMEOUT),
            _ => Problem::busy(1),
        };
        // The rest of the body is of no use, so neither is the connection.
        Some(problem.with(header::CONNECTION, HeaderValue::from_static("close")))
    }

    fn take(&self, bytes: usize) -> bool {
        let Ok(count) = u32::try_from(bytes) else { return false };
        match self.room.0.try_acquire_many(count) {
            Ok(permit) => {
                permit.forget();
                self.taken.fetch_add(bytes, Ordering::AcqRel);
                true
            }
            Err(_) => false,
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.room.0.add_permits(self.taken.load(Ordering::Acquire));
    }
}

fn too_large() -> Problem {
    Problem::of(StatusCode::PAYLOAD_TOO_LARGE)
}

/// Refused before a byte of it is read: encodings that could hide anything (S26), and lengths that say it themselves.
pub fn refused(headers: &HeaderMap, limits: &Limits) -> Option<Problem> {
    let encodings = headers.get_all(header::CONTENT_ENCODING);
    if encodings.iter().any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Some(Problem::of(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let length = headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse::<u64>().ok()?;
    let limit = u64::try_from(limits.body).unwrap_or(u64::MAX);
    (length > limit).then(|| too_large().with(header::CONNECTION, HeaderValue::from_static("close")))
}

/// The same request with its body under guard.
pub fn guard(request: Request<Body>, limits: &Limits, room: &Room) -> (Request<Body>, Arc<Guard>) {
    let guard =
        Arc::new(Guard { verdict: AtomicU8::new(FINE), taken: AtomicUsize::new(0), room: room.clone() });
    let watched = guard.clone();
    let (left, until) = (limits.body, tokio::time::Instant::now() + limits.body_read);
    let request = request.map(|inner| {
        if inner.is_end_stream() {
            return inner;
        }
        let late = Box::pin(tokio::time::sleep_until(until));
        Body::new(Guarded { inner, left, late, guard: watched })
    });
    (request, guard)
}

struct Guarded {
    inner: Body,
    left: usize,
    late: Pin<Box<Sleep>>,
    guard: Arc<Guard>,
}

impl Guarded {
    fn fail(&self, verdict: u8) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.guard.verdict.store(verdict, Ordering::Release);
        Poll::Ready(Some(Err(axum::Error::new("the body was refused"))))
    }
}

impl HttpBody for Guarded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.late.as_mut().poll(cx).is_ready() {
            return self.fail(TOO_SLOW);
        }
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            if data.len() > self.left {
                return self.fail(TOO_LARGE);
            }
            self.left -= data.len();
            if !self.guard.take(data.len()) {
                return self.fail(NO_ROOM);
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::to_bytes;
    use futures_util::stream;

    use super::*;

    fn small() -> Limits {
        Limits { body: 10, body_read: Duration::from_secs(10), ..Limits::default() }
    }

    async fn status(body: Body, room: &Room) -> Option<u16> {
        let (request, guard) = guard(Request::new(body), &small(), room);
        let read = to_bytes(request.into_body(), usize::MAX).await;
        assert_eq!(read.is_err(), guard.problem().is_some());
        guard.problem().map(|problem| problem.status.as_u16())
    }

    fn endless(piece: &'static str) -> Body {
        Body::from_stream(stream::repeat_with(move || Ok::<_, std::io::Error>(piece)))
    }

    #[tokio::test(start_paused = true)]
    async fn limits_of_size_time_and_room() {
        let room = Room::new(15);
        assert_eq!(status(Body::from("0123456789"), &room).await, None);
        assert_eq!(status(Body::from("0123456789a"), &room).await, Some(413));
        assert_eq!(status(endless("abc"), &room).await, Some(413));
        assert_eq!(
            status(Body::from_stream(stream::pending::<Result<Bytes, axum::Error>>()), &room).await,
            Some(408)
        );
        let (held, one) = guard(Request::new(Body::from("0123456789")), &small(), &room);
        to_bytes(held.into_body(), 100).await.unwrap();
        assert_eq!(status(Body::from("012345"), &room).await, Some(503));
        drop(one);
        assert_eq!(status(Body::from("012345"), &room).await, None);
        assert_eq!(room.0.available_permits(), 15);
    }

    #[test]
    fn what_the_head_gives_away() {
        let head = |name: header::HeaderName, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            refused(&headers, &small()).map(|problem| problem.status.as_u16())
        };
        assert_eq!(head(header::CONTENT_LENGTH, "10"), None);
        assert_eq!(head(header::CONTENT_LENGTH, "11"), Some(413));
        assert_eq!(head(header::CONTENT_LENGTH, "10737418240"), Some(413));
        for encoding in ["gzip", "gzip, gzip", "br", "", "x-unknown"] {
            assert_eq!(head(header::CONTENT_ENCODING, encoding), Some(415), "{encoding}");
        }
        assert_eq!(head(header::CONTENT_ENCODING, "Identity"), None);
    }
}
