//! The fake Telegram as a program, for scripts in other languages: drive it under `/_control/`.
//! Everything it can do is in the library.

use std::io::{self, Write};
use std::net::SocketAddr;

use clap::Parser;
use deskbridge_platforms::telegram::{FakeTelegram, Settings};

#[derive(Parser)]
#[command(about = "A fake Telegram Bot API server with a ledger and a plan of faults")]
struct Arguments {
    /// Where to listen; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// The one token that is taken.
    #[arg(long, default_value_t = Settings::default().token)]
    token: String,
    /// Length of the platform's own waits relative to the vendor's.
    #[arg(long, default_value_t = 1.0)]
    time_scale: f64,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let settings =
        Settings { token: arguments.token, time_scale: arguments.time_scale, ..Settings::default() };
    let fake = FakeTelegram::listen(arguments.listen, settings).await?;
    let mut out = io::stdout();
    writeln!(out, "{} {}", fake.base_url(), fake.token())?;
    out.flush()?;
    std::future::pending().await
}
