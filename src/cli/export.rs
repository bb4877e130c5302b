//! `deskbridge export`: everything that is stored, but tokens, as JSON lines.
//!
//! Not here: the form of the lines (`deskbridge_store::export`).

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::failure::{Failure, Outcome};
use super::out;
use super::setting::{self, Common};

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The form
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Form,
    /// The file to write; it appears when it is complete, readable for you alone [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Form {
    /// One JSON object a line
    Jsonl,
}

pub async fn run(common: &Common, args: &Args) -> Outcome {
    let config = common.load()?;
    let (_, export) = setting::look(&config).await?;
    let Form::Jsonl = args.format;
    match &args.output {
        None => {
            let mut out = BufWriter::new(Stdout);
            export.export(&mut out).await.map_err(|error| setting::failed(&error))?;
            out.flush().map_err(|error| unwritable("standard output", &error))
        }
        Some(path) => {
            let folder =
                path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let cannot = |error: std::io::Error| unwritable(&path.display().to_string(), &error);
            // Made by us alone and for us alone: it holds what people wrote.
            let file = tempfile::NamedTempFile::new_in(folder).map_err(cannot)?;
            let mut out = BufWriter::new(file);
            export.export(&mut out).await.map_err(|error| setting::failed(&error))?;
            let file = out.into_inner().map_err(|error| cannot(error.into_error()))?;
            file.as_file().sync_all().map_err(cannot)?;
            let file: File = file.persist(path).map_err(|error| cannot(error.error))?;
            let size = file.metadata().map(|meta| meta.len()).unwrap_or_default();
            out::note(&format!("Wrote {} ({size} bytes).", path.display()));
            Ok(())
        }
    }
}

fn unwritable(name: &str, error: &std::io::Error) -> Failure {
    Failure::runtime(format!("{name} cannot be written"), error, "choose another place with --output")
}

/// Standard output, where a reader that has seen enough is no failure.
struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match std::io::stdout().write(bytes) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
            other => other,
        }
    }
    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stdout().flush()
    }
}
