//! The program: hands its arguments to the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    // TLS needs a provider before the first connection; the only error is that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    deskbridge::cli::main()
}
