//! Holds back each head of HTTP/1 until it is complete, in time, and unambiguous; then lets it through (S31, S32).
//!
//! Not here: what makes a head ambiguous (`framing`). The parser behind is lenient: it accepts lines that end with a lone
//! line feed, and a length beside chunks, where a proxy in front of us may see another request.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::framing::{Ambiguous, Chunks, Follows, follows};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEAD_END: &[u8] = b"\r\n\r\n";
/// What the parser gets instead of an ambiguous head. It answers 400 and closes.
const REFUSED: &[u8] = b"\0 / HTTP/1.1\r\n\r\n";
const PIECE: usize = 8 << 10;

pub(super) struct Strict<S> {
    stream: S,
    phase: Phase,
    /// Read and not handed on; the first `clear` bytes may go.
    held: Vec<u8>,
    clear: usize,
    /// How far `held` was searched for a head's end.
    searched: usize,
    ended: bool,
    longest_head: usize,
    head_time: Duration,
    due: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Before the first byte of the connection.
    First,
    Head,
    Body(u64),
    Chunked(Chunks),
    /// HTTP/2, another protocol, or a head too long, which the parser refuses.
    Opaque,
}

/// What became clear of the bytes at hand.
enum Clear {
    /// So many may go; 0: the beginning may be looked at again.
    Bytes(usize),
    More,
}

impl<S> Strict<S> {
    /// `longest_head` in bytes; `head_time` from a head's first byte to its last.
    pub(super) fn new(stream: S, longest_head: usize, head_time: Duration) -> Self {
        Strict {
            stream,
            phase: Phase::First,
            held: Vec::new(),
            clear: 0,
            searched: 0,
            ended: false,
            longest_head,
            head_time,
            due: None,
        }
    }

    fn in_head(&self) -> bool {
        match self.phase {
            Phase::First | Phase::Head => true,
            Phase::Body(_) | Phase::Chunked(_) | Phase::Opaque => false,
        }
    }

    fn examine(&mut self) -> Result<Clear, Ambiguous> {
        if self.held.is_empty() {
            return Ok(Clear::More);
        }
        match &mut self.phase {
            Phase::Opaque => Ok(Clear::Bytes(self.held.len())),
            Phase::Body(left) => {
                let here = usize::try_from(*left).unwrap_or(usize::MAX).min(self.held.len());
                *left -= here as u64;
                if *left == 0 {
                    self.phase = Phase::Head;
                }
                Ok(Clear::Bytes(here))
            }
            Phase::Chunked(chunks) => {
                let here = chunks.take(&self.held)?;
                if *chunks == Chunks::Over {
                    self.phase = Phase::Head;
                }
                Ok(Clear::Bytes(here))
            }
            Phase::First if self.held.starts_with(PREFACE) => {
                self.phase = Phase::Opaque;
                Ok(Clear::Bytes(self.held.len()))
            }
            Phase::First if PREFACE.starts_with(&self.held) => Ok(Clear::More),
            Phase::First | Phase::Head => self.examine_head(),
        }
    }

    fn examine_head(&mut self) -> Result<Clear, Ambiguous> {
        // Empty lines before a request are allowed, and say nothing.
        while self.held.starts_with(b"\r\n") {
            self.held.drain(..2);
            self.searched = 0;
        }
        for at in self.searched..self.held.len() {
            if self.held[at] != b'\n' {
                continue;
            }
            if at == 0 || self.held[at - 1] != b'\r' {
                return Err(Ambiguous);
            }
            if self.held[..=at].ends_with(HEAD_END) {
                self.phase = match follows(&self.held[..=at])? {
                    Follows::Length(0) => Phase::Head,
                    Follows::Length(length) => Phase::Body(length),
                    Follows::Chunks => Phase::Chunked(Chunks::START),
                    Follows::Upgrade => Phase::Opaque,
                };
                self.searched = 0;
                self.due = None;
                return Ok(Clear::Bytes(at + 1));
            }
        }
        self.searched = self.held.len();
        if self.held.len() > self.longest_head {
            self.phase = Phase::Opaque;
            return Ok(Clear::Bytes(self.held.len()));
        }
        Ok(Clear::More)
    }

    /// A head can still be refused with an answer; in a body there is nothing to do but to close.
    fn refuse(&mut self) -> io::Result<()> {
        if !self.in_head() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a malformed body"));
        }
        metrics::counter!("deskbridge_http_refused_total", "reason" => "malformed").increment(1);
        self.held = REFUSED.to_vec();
        self.clear = REFUSED.len();
        self.ended = true;
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> Strict<S> {
    /// Reads a piece; 0 at the end.
    fn fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut piece = [0; PIECE];
        let mut buffer = ReadBuf::new(&mut piece);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        self.held.extend_from_slice(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// The head that began must end in time.
    fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if !self.in_head() || self.held.is_empty() {
            return Poll::Pending;
        }
        let until = Instant::now() + self.head_time;
        let due = self.due.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        ready!(due.as_mut().poll(cx));
        metrics::counter!("deskbridge_http_refused_total", "reason" => "slow-head").increment(1);
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Strict<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if this.clear > 0 {
                let here = this.clear.min(out.remaining());
                out.put_slice(&this.held[..here]);
                this.held.drain(..here);
                this.clear -= here;
                // Another protocol may stay for hours, and has no heads to hold.
                if this.held.is_empty() && this.phase == Phase::Opaque {
                    this.held = Vec::new();
                }
                return Poll::Ready(Ok(()));
            }
            if this.phase == Phase::Opaque && this.held.is_empty() && !this.ended {
                return Pin::new(&mut this.stream).poll_read(cx, out);
            }
            match this.examine() {
                Ok(Clear::Bytes(clear)) => {
                    this.clear = clear;
                    continue;
                }
                Ok(Clear::More) => {}
                Err(Ambiguous) => {
                    this.refuse()?;
                    continue;
                }
            }
            if this.ended {
                // A head that breaks off is the parser's to judge.
                this.clear = this.held.len();
                if this.clear == 0 {
                    return Poll::Ready(Ok(()));
                }
                continue;
            }
            match this.fill(cx) {
                Poll::Ready(read) => this.ended = read? == 0,
                Poll::Pending => return this.poll_due(cx).map(Err),
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Strict<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const TIME: Duration = Duration::from_secs(5);

    async fn through(pieces: &[&[u8]]) -> io::Result<Vec<u8>> {
        let (mut near, far) = tokio::io::duplex(1 << 16);
        let mut strict = Strict::new(far, 1 << 10, TIME);
        for piece in pieces {
            near.write_all(piece).await?;
        }
        drop(near);
        let mut out = Vec::new();
        strict.read_to_end(&mut out).await?;
        Ok(out)
    }

    #[tokio::test]
    async fn good_requests_pass_unchanged_however_they_are_cut() {
        let talk: &[u8] = b"POST /a HTTP/1.1\r\nContent-Length: 6\r\n\r\na\n\r\n\r\nPOST /b HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\n\n\n\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n";
        assert_eq!(through(&[talk]).await.unwrap(), talk);
        let single: Vec<&[u8]> = talk.chunks(1).collect();
        assert_eq!(through(&single).await.unwrap(), talk);
        let h2 = [PREFACE, b"\0\0\0\x04\0\0\0\0\0\n\n"].concat();
        assert_eq!(through(&[&h2[..10], &h2[10..]]).await.unwrap(), h2);
        let upgraded = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x81\x05\n\n".as_slice();
        assert_eq!(through(&[upgraded]).await.unwrap(), upgraded);
    }

    #[tokio::test]
    async fn ambiguous_heads_become_a_refusal() {
        for bad in [
            &b"GET / HTTP/1.1\nHost: a\n\n"[..],
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"GET / HTTP/1.1\r\nX: a\nY: b\r\n\r\n",
        ] {
            assert_eq!(through(&[bad]).await.unwrap(), REFUSED);
        }
        let second = [b"GET / HTTP/1.1\r\n\r\n", &b"GET / HTTP/1.1\n\n"[..]].concat();
        assert_eq!(through(&[&second]).await.unwrap(), [b"GET / HTTP/1.1\r\n\r\n", REFUSED].concat());
        let body = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\n".as_slice();
        assert_eq!(through(&[body]).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_began_must_end_in_time() {
        let (mut near, far) = tokio::io::duplex(1 << 16);
        let mut strict = Strict::new(far, 1 << 10, TIME);
        let began = Instant::now();
        let drip = tokio::spawn(async move {
            for byte in b"GET / HTTP/1.1\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaa" {
                tokio::time::sleep(Duration::from_secs(1)).await;
                if near.write_all(&[*byte]).await.is_err() {
                    return;
                }
            }
        });
        let mut out = Vec::new();
        assert_eq!(strict.read_to_end(&mut out).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), 6, "one second of silence, five of a head");
        drop(strict);
        drip.await.unwrap();
    }

    #[tokio::test]
    async fn another_protocol_costs_no_memory() {
        let (mut near, far) = tokio::io::duplex(1 << 16);
        let mut strict = Strict::new(far, 1 << 10, TIME);
        let head = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
        near.write_all(head).await.unwrap();
        let mut out = vec![0; head.len()];
        strict.read_exact(&mut out).await.unwrap();
        assert_eq!((out.as_slice(), strict.held.capacity()), (head.as_slice(), 0));
    }

    #[tokio::test]
    async fn a_long_head_is_left_to_the_parser() {
        let long = format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(4 << 10)).into_bytes();
        assert_eq!(through(&[&long]).await.unwrap(), long);
    }
}
