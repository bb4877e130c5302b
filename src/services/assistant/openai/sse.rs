//! Server-sent events out of bytes, whatever their borders; bounded.
//!
//! Not here: what the events say (`chunk.rs`).

/// Bytes of one line, and of everything that was no event.
const LINE: usize = 1 << 20;
const STRAY: usize = 256 << 10;

/// A line or an event longer than anybody needs: the body has no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// Comments, event names, ids and retry hints are passed over. Text that belongs to no event is kept: a server that does
/// not stream, or fails, answers with plain JSON.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: Option<Vec<u8>>,
    stray: Vec<u8>,
    after_cr: bool,
}

impl Events {
    /// Takes bytes in and gives the data of each event that is now whole.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<String>, TooLong> {
        let mut events = Vec::new();
        for &byte in bytes {
            let is_second = self.after_cr && byte == b'\n';
            self.after_cr = byte == b'\r';
            match byte {
                b'\n' if is_second => {}
                b'\r' | b'\n' => events.extend(self.end_line()?),
                _ if self.line.len() >= LINE => return Err(TooLong),
                _ => self.line.push(byte),
            }
        }
        Ok(events)
    }

    /// The body is over: what was not ended by an empty line counts all the same.
    pub(super) fn end(&mut self) -> Result<Vec<String>, TooLong> {
        let mut events: Vec<String> = self.end_line()?.into_iter().collect();
        events.extend(self.data.take().map(text));
        Ok(events)
    }

    /// What was no event.
    pub(super) fn stray(&self) -> &[u8] {
        &self.stray
    }

    fn end_line(&mut self) -> Result<Option<String>, TooLong> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return Ok(self.data.take().map(text));
        }
        let Some(value) = line.strip_prefix(b"data:") else {
            let is_field =
                [&b":"[..], b"event:", b"id:", b"retry:"].iter().any(|field| line.starts_with(field));
            if !is_field && self.stray.len() < STRAY {
                self.stray.extend_from_slice(&line[..line.len().min(STRAY)]);
                self.stray.push(b'\n');
            }
            return Ok(None);
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        let data = self.data.get_or_insert_default();
        if !data.is_empty() {
            data.push(b'\n');
        }
        if data.len() + value.len() > LINE {
            return Err(TooLong);
        }
        data.extend_from_slice(value);
        Ok(None)
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BODY: &str = ": keep-alive\r\n\r\ndata: {\"a\":1}\r\n\r\nevent: x\nid: 7\ndata:{\"b\":\ndata: \"ü🦀\"}\n\n\
                        stray\n\rdata: [DONE]\n\nretry: 5\ndata: last";

    fn all(body: &[u8], size: usize) -> Vec<String> {
        let mut events = Events::default();
        let mut found: Vec<String> =
            body.chunks(size).flat_map(|piece| events.feed(piece).expect("short")).collect();
        found.extend(events.end().expect("short"));
        assert_eq!(events.stray(), b"stray\n");
        found
    }

    #[test]
    fn events_are_the_same_however_they_are_cut() {
        for size in [1, 2, 3, 7, 1_000] {
            assert_eq!(
                all(BODY.as_bytes(), size),
                ["{\"a\":1}", "{\"b\":\n\"ü🦀\"}", "[DONE]", "last"],
                "{size}"
            );
        }
    }

    #[test]
    fn a_body_without_end_is_noticed() {
        let mut events = Events::default();
        let piece = vec![b'x'; 64 << 10];
        let fed = (0..40).map(|_| events.feed(&piece)).find(Result::is_err);
        assert_eq!(fed, Some(Err(TooLong)));
        let mut events = Events::default();
        let line = [b"data: ".as_slice(), &piece, b"\n"].concat();
        let fed = (0..40).map(|_| events.feed(&line)).find(Result::is_err);
        assert_eq!(fed, Some(Err(TooLong)));
        let mut events = Events::default();
        for _ in 0..20 {
            events.feed(b"<p>page</p>\n").expect("short lines");
            events.feed(&[&piece[..], b"\n"].concat()).expect("short lines");
        }
        assert!(events.stray().len() <= 2 * STRAY);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200), size in 1_usize..9) {
            let mut events = Events::default();
            for piece in bytes.chunks(size) {
                let _ = events.feed(piece);
            }
            let _ = events.end();
        }
    }
}
