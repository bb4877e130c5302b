//! Where a request of HTTP/1 ends, read so strictly that no two parsers can disagree (RFC 9112).
//!
//! Not here: bytes on their way (`strict`).

/// What follows a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follows {
    /// So many bytes; 0 when there is no body.
    Length(u64),
    Chunks,
    /// The peer asks for another protocol.
    Upgrade,
}

/// The request is ambiguous or malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ambiguous;

const LINE_END: &[u8] = b"\r\n";
/// Of the bytes after a chunk's length, and of the trailers.
const LONGEST_EXTENSION: usize = 256;
const LONGEST_TRAILERS: usize = 4 << 10;

/// `head` ends with its empty line.
pub(super) fn follows(head: &[u8]) -> Result<Follows, Ambiguous> {
    let mut rest = head.strip_suffix(b"\r\n\r\n").ok_or(Ambiguous)?;
    let mut lines = std::iter::from_fn(|| {
        if rest.is_empty() {
            return None;
        }
        let end = find(rest, LINE_END).unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + LINE_END.len()..).unwrap_or_default();
        Some(line)
    });
    let request = lines.next().ok_or(Ambiguous)?;
    if request.is_empty() || request.iter().any(|b| b.is_ascii_control()) {
        return Err(Ambiguous);
    }
    let (mut lengths, mut chunked, mut hosts, mut upgrade) = (Vec::new(), 0, 0, false);
    for line in lines {
        let (name, value) = header(line)?;
        if name.eq_ignore_ascii_case(b"content-length") {
            lengths.push(length(value)?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Ambiguous);
            }
            chunked += 1;
        } else if name.eq_ignore_ascii_case(b"host") {
            hosts += 1;
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            upgrade = true;
        }
    }
    if hosts > 1 {
        return Err(Ambiguous);
    }
    match (lengths.as_slice(), chunked) {
        ([], 0) if upgrade => Ok(Follows::Upgrade),
        ([], 0) => Ok(Follows::Length(0)),
        ([length], 0) => Ok(Follows::Length(*length)),
        ([], 1) => Ok(Follows::Chunks),
        _ => Err(Ambiguous),
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// No folded lines, no blank before the colon, nothing in a name but token characters, no control character anywhere.
fn header(line: &[u8]) -> Result<(&[u8], &[u8]), Ambiguous> {
    let colon = line.iter().position(|b| *b == b':').ok_or(Ambiguous)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let token = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
    if name.is_empty() || !name.iter().all(token) {
        return Err(Ambiguous);
    }
    if value.iter().any(|b| b.is_ascii_control() && *b != b'\t') {
        return Err(Ambiguous);
    }
    Ok((name, value.trim_ascii()))
}

fn length(value: &[u8]) -> Result<u64, Ambiguous> {
    let digits = !value.is_empty() && value.len() <= 18 && value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).map_err(|_| Ambiguous)?;
    if digits { text.parse().map_err(|_| Ambiguous) } else { Err(Ambiguous) }
}

/// Follows a chunked body byte by byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunks {
    Size {
        size: u64,
        digits: u8,
    },
    Extension {
        size: u64,
        length: usize,
    },
    /// A line of the body's own form ends with this byte.
    SizeEnd {
        size: u64,
    },
    Data {
        left: u64,
    },
    DataCr,
    DataLf,
    Trailer {
        line: usize,
        total: usize,
    },
    TrailerEnd {
        line: usize,
        total: usize,
    },
    Over,
}

impl Chunks {
    pub(super) const START: Chunks = Chunks::Size { size: 0, digits: 0 };

    /// Takes what it can of `bytes`; says how many belong to the body. Less than all: the body is over.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<usize, Ambiguous> {
        let mut taken = 0;
        while taken < bytes.len() && *self != Chunks::Over {
            if let Chunks::Data { left } = *self {
                let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len() - taken);
                taken += here;
                let left = left - here as u64;
                *self = if left == 0 { Chunks::DataCr } else { Chunks::Data { left } };
            } else {
                *self = self.after(bytes[taken])?;
                taken += 1;
            }
        }
        Ok(taken)
    }

    fn after(self, byte: u8) -> Result<Chunks, Ambiguous> {
        Ok(match (self, byte) {
            (Chunks::Size { size, digits }, b) if b.is_ascii_hexdigit() && digits < 15 => {
                let digit = char::from(b).to_digit(16).unwrap_or_default();
                Chunks::Size { size: size * 16 + u64::from(digit), digits: digits + 1 }
            }
            (Chunks::Size { size, digits: 1.. }, b';') => Chunks::Extension { size, length: 0 },
            (Chunks::Size { size, digits: 1.. } | Chunks::Extension { size, .. }, b'\r') => {
                Chunks::SizeEnd { size }
            }
            (Chunks::Extension { size, length }, b)
                if !b.is_ascii_control() && length < LONGEST_EXTENSION =>
            {
                Chunks::Extension { size, length: length + 1 }
            }
            (Chunks::SizeEnd { size: 0 }, b'\n') => Chunks::Trailer { line: 0, total: 0 },
            (Chunks::SizeEnd { size }, b'\n') => Chunks::Data { left: size },
            (Chunks::DataCr, b'\r') => Chunks::DataLf,
            (Chunks::DataLf, b'\n') => Chunks::START,
            (Chunks::Trailer { line, total }, b'\r') => Chunks::TrailerEnd { line, total },
            (Chunks::Trailer { line, total }, b)
                if (!b.is_ascii_control() || b == b'\t') && total < LONGEST_TRAILERS =>
            {
                Chunks::Trailer { line: line + 1, total: total + 1 }
            }
            (Chunks::TrailerEnd { line: 0, .. }, b'\n') => Chunks::Over,
            (Chunks::TrailerEnd { total, .. }, b'\n') => Chunks::Trailer { line: 0, total },
            _ => return Err(Ambiguous),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &str) -> Result<Follows, Ambiguous> {
        follows(format!("{head}\r\n\r\n").as_bytes())
    }

    #[test]
    fn what_follows_a_head() {
        assert_eq!(read("GET / HTTP/1.1"), Ok(Follows::Length(0)));
        assert_eq!(read("GET / HTTP/1.1\r\nHost: a\r\nX: "), Ok(Follows::Length(0)));
        assert_eq!(read("POST / HTTP/1.1\r\ncontent-LENGTH:\t12 "), Ok(Follows::Length(12)));
        assert_eq!(read("POST / HTTP/1.1\r\nTransfer-Encoding: Chunked"), Ok(Follows::Chunks));
        assert_eq!(read("GET / HTTP/1.1\r\nUpgrade: websocket"), Ok(Follows::Upgrade));
    }

    #[test]
    fn whatever_two_parsers_could_read_differently_is_refused() {
        for headers in [
            "Content-Length: 1\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 1",
            "Content-Length: 1\r\nContent-Length: 1",
            "Content-Length: 1\r\nContent-Length: 2",
            "Content-Length: 1, 1",
            "Content-Length: +1",
            "Content-Length: -1",
            "Content-Length: 0x1",
            "Content-Length: ",
            "Content-Length: 1 2",
            "Content-Length: 99999999999999999999",
            "Content-Length : 1",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding: \x0bchunked",
            "Transfer-Encoding: identity",
            "X: a\nTransfer-Encoding: chunked",
            "X: a\rY: b",
            "X: a\r\n b",
            "\tX: a",
            "X\0: a",
            "X: \0",
            "Bad Name: a",
            ": a",
            "no colon",
            "Host: a\r\nHost: b",
        ] {
            assert_eq!(read(&format!("POST / HTTP/1.1\r\n{headers}")), Err(Ambiguous), "{headers:?}");
        }
        assert_eq!(read("GET / HTTP/1.1\nHost: a"), Err(Ambiguous));
        assert_eq!(read(""), Err(Ambiguous));
    }

    fn chunks(body: &[u8]) -> Result<(usize, Chunks), Ambiguous> {
        let mut state = Chunks::START;
        let taken = state.take(body)?;
        Ok((taken, state))
    }

    #[test]
    fn chunked_bodies_end_where_they_end() {
        let body = b"4\r\nWiki\r\n5;a=\"b\"\r\npedia\r\n0\r\nX: y\r\n\r\nGET";
        assert_eq!(chunks(body), Ok((body.len() - 3, Chunks::Over)));
        assert_eq!(chunks(b"0\r\n\r\n"), Ok((5, Chunks::Over)));
        for bad in [
            &b"4\nWiki"[..],
            b"\r\n",
            b"g\r\n",
            b"4\r\nWikiX",
            b"4\r\nWiki\n",
            b" 4\r\n",
            b"-1\r\n",
            b"0\r\nX\n",
        ] {
            assert_eq!(chunks(bad), Err(Ambiguous), "{:?}", String::from_utf8_lossy(bad));
        }
        assert_eq!(chunks(&[b'1'; 40]), Err(Ambiguous));
        assert_eq!(chunks(&[b"1;".as_slice(), &[b'a'; 300]].concat()), Err(Ambiguous));
    }

    proptest::proptest! {
        #[test]
        fn pieces_make_no_difference(cuts in proptest::collection::vec(1_usize..9, 0..20), sizes in proptest::collection::vec(1_usize..40, 0..6)) {
            let mut body = Vec::new();
            for size in sizes {
                body.extend(format!("{size:x}\r\n{}\r\n", "z".repeat(size)).into_bytes());
            }
            body.extend(b"0\r\n\r\nnext");
            let mut state = Chunks::START;
            let (mut at, mut cuts) = (0, cuts.into_iter().cycle());
            while state != Chunks::Over {
                let step = cuts.next().unwrap_or(3).min(body.len() - at);
                at += state.take(&body[at..at + step]).unwrap();
            }
            proptest::prop_assert_eq!(&body[at..], b"next");
        }

        #[test]
        fn heads_are_total(head in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = follows(&[head.as_slice(), b"\r\n\r\n"].concat());
        }
    }
}
