//! WebSocket frames (RFC 6455) on an upgraded connection, from the server's side and without extensions. Between frames
//! it holds no memory: what is read goes through the stack, and only a frame that is not complete is kept.
//!
//! Not here: the handshake and what is said (`socket`).

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};

/// Bytes that one look at the connection takes.
const PIECE: usize = 2 << 10;
/// Pieces that are still read after our goodbye, so that it is not lost in a reset.
const FAREWELL: usize = 64;
/// Largest payload of a control frame (5.5).
const MAX_CONTROL: usize = 125;

/// What the other side said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    Text(String),
    Binary,
    Ping(Vec<u8>),
    Pong,
    Close,
}

/// Why nothing more can be read.
#[derive(Debug)]
pub(super) enum Broken {
    Gone,
    Protocol,
    /// A text that is not UTF-8.
    Garbled,
    TooLong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

/// The beginning of a frame (5.2).
struct Head {
    last: bool,
    kind: Kind,
    mask: [u8; 4],
    /// Where its payload begins, and how long that is.
    begins: usize,
    length: usize,
}

pub(super) struct Wire<S> {
    stream: S,
    /// Of a frame that is not complete, or of those behind it.
    held: Vec<u8>,
    /// Of a text in several frames.
    text: Option<Vec<u8>>,
    longest: usize,
    /// A frame was begun and not written to its end: nothing can follow it.
    torn: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// `longest`: bytes of one message.
    pub(super) fn new(stream: S, longest: usize) -> Wire<S> {
        Wire { stream, held: Vec::new(), text: None, longest, torn: false }
    }

    /// Whoever stops waiting loses nothing.
    pub(super) async fn next(&mut self) -> Result<Said, Broken> {
        loop {
            while let Some((head, payload)) = self.frame()? {
                if let Some(said) = self.understand(&head, payload)? {
                    return Ok(said);
                }
            }
            if poll_fn(|cx| self.poll_fill(cx)).await.map_err(|_| Broken::Gone)? == 0 {
                return Err(Broken::Gone);
            }
        }
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut piece = [0; PIECE];
        let mut buffer = ReadBuf::new(&mut piece);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        self.held.extend_from_slice(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// A complete frame, with its mask taken off.
    fn frame(&mut self) -> Result<Option<(Head, Vec<u8>)>, Broken> {
        let Some(head) = head(&self.held, self.longest)? else { return Ok(None) };
        let end = head.begins + head.length;
        let Some(payload) = self.held.get(head.begins..end) else { return Ok(None) };
        let unmasked = payload.iter().zip(head.mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        if self.held.len() == end {
            self.held = Vec::new();
        } else {
            self.held.drain(..end);
            self.held.shrink_to(2 * PIECE);
        }
        Ok(Some((head, unmasked)))
    }

    /// `None`: there is more to come of it.
    fn understand(&mut self, head: &Head, payload: Vec<u8>) -> Result<Option<Said>, Broken> {
        let text = match (head.kind, self.text.take()) {
            (Kind::Text, None) => payload,
            (Kind::Continuation, Some(mut text)) => {
                if text.len() + payload.len() > self.longest {
                    return Err(Broken::TooLong);
                }
                text.extend_from_slice(&payload);
                text
            }
            (Kind::Text | Kind::Binary, Some(_)) | (Kind::Continuation, None) => {
                return Err(Broken::Protocol);
            }
            (Kind::Binary, None) => return Ok(Some(Said::Binary)),
            // Between the frames of a text.
            (kind, text) => {
                self.text = text;
                return Ok(Some(match kind {
                    Kind::Ping => Said::Ping(payload),
                    Kind::Pong => Said::Pong,
                    _ => Said::Close,
                }));
            }
        };
        if !head.last {
            self.text = Some(text);
            return Ok(None);
        }
        String::from_utf8(text).map(|text| Some(Said::Text(text))).map_err(|_| Broken::Garbled)
    }

    /// Whoever stops waiting tears the frame.
    async fn write(&mut self, kind: u8, payload: &[u8]) -> io::Result<()> {
        let (head, length) = head_of(kind, payload.len());
        let mut parts = [IoSlice::new(&head[..length]), IoSlice::new(payload)];
        let mut parts = &mut parts[..];
        self.torn = true;
        while !parts.is_empty() {
            let written = self.stream.write_vectored(parts).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            IoSlice::advance_slices(&mut parts, written);
        }
        self.stream.flush().await?;
        self.torn = false;
        Ok(())
    }

    pub(super) async fn text(&mut self, text: &str) -> io::Result<()> {
        self.write(0x1, text.as_bytes()).await
    }

    pub(super) async fn ping(&mut self) -> io::Result<()> {
        self.write(0x9, &[]).await
    }

    pub(super) async fn pong(&mut self, payload: &[u8]) -> io::Result<()> {
        self.write(0xa, payload).await
    }

    /// Says why, and waits until the other side has left.
    pub(super) async fn close(&mut self, code: u16, reason: &str) -> io::Result<()> {
        if self.torn {
            return Ok(());
        }
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend_from_slice(reason.as_bytes());
        payload.truncate(MAX_CONTROL);
        self.write(0x8, &payload).await?;
        self.stream.shutdown().await?;
        for _ in 0..FAREWELL {
            self.held = Vec::new();
            if poll_fn(|cx| self.poll_fill(cx)).await? == 0 {
                break;
            }
        }
        Ok(())
    }
}

/// `None`: it is not complete.
fn head(bytes: &[u8], longest: usize) -> Result<Option<Head>, Broken> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    let kind = match first & 0x0f {
        0x0 => Kind::Continuation,
        0x1 => Kind::Text,
        0x2 => Kind::Binary,
        0x8 => Kind::Close,
        0x9 => Kind::Ping,
        0xa => Kind::Pong,
        _ => return Err(Broken::Protocol),
    };
    let last = first & 0x80 != 0;
    let control = matches!(kind, Kind::Close | Kind::Ping | Kind::Pong);
    let short = usize::from(second & 0x7f);
    // Reserved bits are for extensions, of which there are none; browsers mask everything (5.1); control frames are
    // whole and short (5.5).
    if first & 0x70 != 0 || second & 0x80 == 0 || (control && (!last || short > MAX_CONTROL)) {
        return Err(Broken::Protocol);
    }
    let (length, used) = match (short, rest) {
        (126, [a, b, ..]) => (u64::from(u16::from_be_bytes([*a, *b])), 2),
        (127, [a, b, c, d, e, f, g, h, ..]) => (u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), 8),
        (126 | 127, _) => return Ok(None),
        (short, _) => (short as u64, 0),
    };
    // The shortest form has to be used.
    if (used == 2 && length < 126) || (used == 8 && length <= u64::from(u16::MAX)) {
        return Err(Broken::Protocol);
    }
    let length = usize::try_from(length).ok().filter(|length| *length <= longest).ok_or(Broken::TooLong)?;
    let Some(mask) = rest.get(used..used + 4).and_then(|mask| mask.try_into().ok()) else { return Ok(None) };
    Ok(Some(Head { last, kind, mask, begins: 2 + used + 4, length }))
}

/// Of a whole frame of ours, and how much of the array it is.
fn head_of(kind: u8, length: usize) -> ([u8; 10], usize) {
    let mut head = [0; 10];
    head[0] = 0x80 | kind;
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length), _) if length < 126 => {
            head[1] = length;
            (head, 2)
        }
        (_, Ok(length)) => {
            head[1] = 126;
            head[2..4].copy_from_slice(&length.to_be_bytes());
            (head, 4)
        }
        _ => {
            head[1] = 127;
            head[2..].copy_from_slice(&(length as u64).to_be_bytes());
            (head, 10)
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
    use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame};
    use tokio_tungstenite::tungstenite::protocol::{Message, Role};

    use super::*;

    const LONGEST: usize = 70_000;

    /// Ours on one end, another implementation on the other.
    async fn pair(room: usize) -> (Wire<DuplexStream>, WebSocketStream<DuplexStream>) {
        let (near, far) = duplex(room);
        (Wire::new(near, LONGEST), WebSocketStream::from_raw_socket(far, Role::Client, None).await)
    }

    fn texts() -> Vec<String> {
        let lengths = [0, 1, 125, 126, 127, 2_047, 2_048, 2_049, 65_535, 65_536, LONGEST];
        lengths.iter().map(|length| "x".repeat(*length)).chain(["ein Gruß, 你好, 👋".to_owned()]).collect()
    }

    #[tokio::test]
    async fn another_implementation_is_understood_and_understands() {
        for room in [7, 1_000, 1 << 20] {
            let (mut wire, mut browser) = pair(room).await;
            for text in texts() {
                let (sent, said) = tokio::join!(browser.send(Message::text(text.clone())), wire.next());
                sent.unwrap();
                assert_eq!(said.unwrap(), Said::Text(text.clone()));
                assert_eq!(wire.held.capacity(), 0, "nothing is held between frames");
                let (told, heard) = tokio::join!(wire.text(&text), browser.next());
                told.unwrap();
                assert_eq!(heard.unwrap().unwrap(), Message::text(text));
            }
            let (sent, said) = tokio::join!(browser.send(Message::Ping("are you there".into())), wire.next());
            sent.unwrap();
            let Ok(Said::Ping(payload)) = said else { panic!("{said:?}") };
            let (told, heard) = tokio::join!(wire.pong(&payload), browser.next());
            told.unwrap();
            assert_eq!(heard.unwrap().unwrap(), Message::Pong("are you there".into()));
            let asked = async {
                wire.ping().await.unwrap();
                wire.next().await
            };
            let heard = async {
                let heard = browser.next().await.unwrap().unwrap();
                browser.flush().await.unwrap();
                heard
            };
            let (answered, heard) = tokio::join!(asked, heard);
            assert_eq!((answered.unwrap(), heard), (Said::Pong, Message::Ping("".into())));
            let (told, heard) = tokio::join!(wire.close(4401, "session-ended"), async {
                let heard = browser.next().await.unwrap().unwrap();
                drop(browser);
                heard
            });
            told.unwrap();
            let Message::Close(Some(CloseFrame { code, reason })) = heard else { panic!("{heard:?}") };
            assert_eq!((u16::from(code), reason.as_str()), (4401, "session-ended"));
        }
    }

    #[tokio::test]
    async fn a_text_in_pieces_is_one_text_with_pings_between() {
        let (mut wire, mut browser) = pair(1 << 20).await;
        let piece = |text: &str, code, last| Message::Frame(Frame::message(text.to_owned(), code, last));
        browser.send(piece("one ", OpCode::Data(Data::Text), false)).await.unwrap();
        browser.send(piece("two ", OpCode::Data(Data::Continue), false)).await.unwrap();
        browser.send(Message::Ping("p".into())).await.unwrap();
        browser.send(piece("three", OpCode::Data(Data::Continue), true)).await.unwrap();
        assert_eq!(wire.next().await.unwrap(), Said::Ping(b"p".to_vec()));
        assert_eq!(wire.next().await.unwrap(), Said::Text("one two three".into()));
        // Together they are too long, however short each is.
        browser.send(piece("x", OpCode::Data(Data::Text), false)).await.unwrap();
        let half = "x".repeat(LONGEST / 2);
        for _ in 0..2 {
            browser.send(piece(&half, OpCode::Data(Data::Continue), false)).await.unwrap();
        }
        assert!(matches!(wire.next().await, Err(Broken::TooLong)));
    }

    /// A frame of a browser.
    fn masked(first: u8, length: &[u8], payload: &[u8]) -> Vec<u8> {
        let mask = [0xa1, 0x0b, 0x2c, 0xdd];
        let mut frame = vec![first];
        frame.extend_from_slice(length);
        frame[1] |= 0x80;
        frame.extend_from_slice(&mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    async fn read(bytes: &[u8]) -> Result<Said, Broken> {
        let (near, mut far) = duplex(1 << 20);
        far.write_all(bytes).await.unwrap();
        drop(far);
        Wire::new(near, 1_000).next().await
    }

    #[tokio::test]
    async fn what_browsers_never_send_is_refused() {
        let protocol: [(&str, Vec<u8>); 11] = [
            ("without a mask", vec![0x81, 0x01, b'a']),
            ("a reserved bit", masked(0xc1, &[1], b"a")),
            ("an unknown kind", masked(0x83, &[1], b"a")),
            ("an unknown control", masked(0x8b, &[1], b"a")),
            ("a ping in pieces", masked(0x09, &[1], b"a")),
            ("a long ping", masked(0x89, &[126, 0, 126], &[0; 126])),
            ("a continuation of nothing", masked(0x80, &[1], b"a")),
            ("a text within a text", [masked(0x01, &[1], b"a"), masked(0x81, &[1], b"a")].concat()),
            ("a longer form than needed", masked(0x81, &[126, 0, 5], b"hello")),
            ("a much longer form", masked(0x81, &[127, 0, 0, 0, 0, 0, 0, 0, 5], b"hello")),
            ("a length beyond all", masked(0x89, &[127, 255, 255, 255, 255, 255, 255, 255, 255], b"")),
        ];
        for (what, bytes) in protocol {
            let said = read(&bytes).await;
            assert!(matches!(said, Err(Broken::Protocol)), "{what}: {said:?}");
        }
        let long = masked(0x81, &[127, 255, 255, 255, 255, 255, 255, 255, 255], b"");
        assert!(matches!(read(&long).await, Err(Broken::TooLong)));
        assert!(matches!(read(&masked(0x81, &[126, 3, 233], b"")).await, Err(Broken::TooLong)));
        assert!(matches!(read(&masked(0x81, &[2], &[0xc3, 0x28])).await, Err(Broken::Garbled)));
        assert!(matches!(read(&masked(0x81, &[5], b"hel")).await, Err(Broken::Gone)), "broken off");
        assert_eq!(read(&masked(0x82, &[1], b"a")).await.unwrap(), Said::Binary);
        assert_eq!(read(&masked(0x88, &[2], &[3, 232])).await.unwrap(), Said::Close);
    }

    /// Any bytes at all, in any pieces: an answer, no panic, no more memory than a message and a piece.
    #[tokio::test]
    async fn nonsense_ends_in_an_answer() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for _ in 0..3_000 {
            let count = usize::try_from(random() % 200).unwrap();
            let mut bytes: Vec<u8> = (0..count).map(|_| random().to_le_bytes()[0]).collect();
            if let Some(first) = bytes.first_mut() {
                *first &= 0x8f;
            }
            if let Some(second) = bytes.get_mut(1) {
                *second |= 0x80;
            }
            let (near, mut far) = duplex(1 << 20);
            let mut wire = Wire::new(near, 1_000);
            let writing = async {
                for piece in bytes.chunks(1 + count / 3) {
                    far.write_all(piece).await.unwrap();
                    tokio::task::yield_now().await;
                }
                drop(far);
            };
            let reading = async {
                while wire.next().await.is_ok() {
                    assert!(wire.held.capacity() <= 4 * PIECE);
                }
            };
            tokio::join!(writing, reading);
        }
    }

    #[tokio::test]
    async fn after_half_a_frame_nothing_more_is_said() {
        let (near, mut far) = duplex(10);
        let mut wire = Wire::new(near, LONGEST);
        let long = "x".repeat(100);
        tokio::select! {
            biased;
            _ = wire.text(&long) => panic!("nobody read it"),
            () = tokio::task::yield_now() => {}
        }
        wire.close(4401, "session-ended").await.unwrap();
        drop(wire);
        let mut heard = Vec::new();
        far.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, [&[0x81, 100][..], &[b'x'; 8]].concat());
    }
}
