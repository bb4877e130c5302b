//! A keep-alive HTTP client that costs next to nothing, so that the driver does not measure itself.
//!
//! Not here: anything but one POST after another.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) struct Poster {
    stream: TcpStream,
    path: String,
    /// What follows the path.
    head: String,
    buffer: Vec<u8>,
}

impl Poster {
    /// `headers`: complete lines with their line ends.
    pub(crate) async fn connect(address: &str, path: &str, headers: &str) -> std::io::Result<Poster> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let head = format!(" HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n{headers}");
        Ok(Poster { stream, path: path.to_owned(), head, buffer: Vec::with_capacity(4096) })
    }

    /// Sends one body and waits for the whole answer; its status. `headers`: complete lines with their line ends.
    pub(crate) async fn post_with(&mut self, headers: &str, body: &str) -> std::io::Result<u16> {
        let length = body.len();
        let request =
            format!("POST {}{}{headers}content-length: {length}\r\n\r\n{body}", self.path, self.head);
        self.exchange(&request).await
    }

    /// The same to another path.
    pub(crate) async fn post_to(&mut self, path: &str, body: &str) -> std::io::Result<u16> {
        let request = format!("POST {path}{}content-length: {}\r\n\r\n{body}", self.head, body.len());
        self.exchange(&request).await
    }

    async fn exchange(&mut self, request: &str) -> std::io::Result<u16> {
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        loop {
            if let Some((status, whole)) = answer(&self.buffer)
                && self.buffer.len() >= whole
            {
                return Ok(status);
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// Status and length of an answer whose head is complete.
fn answer(bytes: &[u8]) -> Option<(u16, usize)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok())
        .unwrap_or(0);
    Some((status, end + length))
}
