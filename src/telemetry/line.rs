//! One event, one line: as text for people, or as a JSON object with `ts level target msg` and the fields.
//!
//! Not here: where lines go and which are wanted (`telemetry.rs`).
//!
//! Control characters are escaped in both forms, so that nothing in a field can start a line of its own or move a
//! terminal's cursor (S47); texts pass through `redact`.

use std::fmt::{self, Write as _};
use std::io::Write;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::redact::redact;
use crate::config::LogFormat;

/// Writes every event as one line.
pub struct Lines<W> {
    format: LogFormat,
    colour: bool,
    out: W,
}

impl<W> Lines<W> {
    pub fn new(format: LogFormat, colour: bool, out: W) -> Self {
        Lines { format, colour, out }
    }
}

/// Fields of an event or a span, with secrets taken out.
#[derive(Default)]
struct Fields {
    message: String,
    rest: Map<String, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        let value = match value {
            Value::String(_) if is_secret(field.name()) => Value::String("(secret)".into()),
            Value::String(text) => Value::String(redact(&text).into_owned()),
            other => other,
        };
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            (name, value) => {
                self.rest.insert(name.to_owned(), value);
            }
        }
    }
}

fn is_secret(name: &str) -> bool {
    ["token", "secret", "password", "api_key", "authorization", "cookie", "webhook_url"]
        .iter()
        .any(|end| name.ends_with(end))
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, Value::String(format!("{value:?}")));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut source = value.source();
        while let Some(cause) = source {
            let _ = write!(text, ": {cause}");
            source = cause.source();
        }
        self.put(field, text.into());
    }
}

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, cx: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = cx.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, cx: Context<'_, S>) {
        if let Some(span) = cx.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            record.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in cx.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(outer) = span.extensions().get::<Fields>() {
                fields.rest.extend(outer.rest.clone());
            }
        }
        event.record(&mut fields);
        let meta = event.metadata();
        let line = match self.format {
            LogFormat::Json => json(*meta.level(), meta.target(), fields),
            LogFormat::Text => text(*meta.level(), meta.target(), &fields, self.colour),
        };
        // Nobody is left to tell when even this cannot be written.
        let _ = self.out.make_writer_for(meta).write_all(line.as_bytes());
    }
}

fn now() -> String {
    format!("{:.6}", jiff::Timestamp::now())
}

fn json(level: Level, target: &str, fields: Fields) -> String {
    let mut line = Map::new();
    line.insert("ts".into(), now().into());
    line.insert("level".into(), level.as_str().to_lowercase().into());
    line.insert("target".into(), target.into());
    line.insert("msg".into(), fields.message.into());
    for (name, value) in fields.rest {
        // A field cannot pose as one of ours.
        let name = if line.contains_key(&name) { format!("field_{name}") } else { name };
        line.insert(name, value);
    }
    format!("{}\n", escape_json(&Value::Object(line).to_string()))
}

/// serde_json escapes what JSON asks for; these are the rest of what a terminal obeys, and what some readers take for line ends.
fn escape_json(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

fn text(level: Level, target: &str, fields: &Fields, colour: bool) -> String {
    let (on, off) = match level {
        _ if !colour => ("", ""),
        Level::ERROR => ("\x1b[31m", "\x1b[0m"),
        Level::WARN => ("\x1b[33m", "\x1b[0m"),
        _ => ("\x1b[2m", "\x1b[0m"),
    };
    let mut line =
        format!("{:.3} {on}{level:>5}{off} {target}: {}", jiff::Timestamp::now(), escape(&fields.message));
    for (name, value) in &fields.rest {
        let _ = match value {
            Value::String(text) if plain(text) => write!(line, " {name}={text}"),
            Value::String(text) => write!(line, " {name}=\"{}\"", escape(text).replace('"', "\\\"")),
            other => write!(line, " {name}={other}"),
        };
    }
    line.push('\n');
    line
}

fn plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"')
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
            let _ = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::SubscriberExt;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, act: impl FnOnce()) -> String {
        let sink = Sink::default();
        let out = sink.clone();
        let layer = Lines::new(format, false, move || out.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), act);
        let bytes = sink.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    const FORGED: &str = "x\r\n2026-01-01 INFO admin login ok \u{1b}[2J \u{9b}31m \u{2028}";

    #[test]
    fn s47_nothing_starts_a_line_of_its_own() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let log = logged(format, || tracing::info!(name = FORGED, "said {FORGED}"));
            assert_eq!(log.lines().count(), 1, "{log:?}");
            let line = log.trim_end_matches('\n');
            assert!(line.chars().all(|c| !c.is_control() && c != '\u{2028}'), "{line:?}");
        }
    }

    #[test]
    fn json_has_the_fields_of_event_and_spans() {
        let log = logged(LogFormat::Json, || {
            let span = tracing::info_span!("delivery", channel = "telegram", conversation = 1042);
            let _guard = span.enter();
            tracing::warn!(level = "forged", attempts = 3, "not sent");
        });
        let line: Value = serde_json::from_str(&log).unwrap();
        assert_eq!(line["level"], "warn");
        assert_eq!(line["msg"], "not sent");
        assert_eq!(line["channel"], "telegram");
        assert_eq!(line["conversation"], 1042);
        assert_eq!(line["attempts"], 3);
        assert_eq!(line["field_level"], "forged");
        assert!(line["ts"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn s105_planted_secrets_are_not_logged() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let log = logged(format, || {
                let span = tracing::info_span!("call", bot_token = "planted");
                let _guard = span.enter();
                let url = "https://x/bot123456789:AAEplantedplantedplantedplantedpl/getMe";
                let error = io::Error::other("Bearer planted-planted");
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    ?url,
                    "at postgres://u:planted@h/d"
                );
            });
            assert!(!log.contains("planted"), "{log}");
            assert!(log.contains("(secret)"), "{log}");
        }
    }

    #[test]
    fn text_is_for_people() {
        let log =
            logged(LogFormat::Text, || tracing::info!(queue = "vpn", said = "two words", n = 2, "opened"));
        assert!(log.ends_with("opened n=2 queue=vpn said=\"two words\"\n"), "{log}");
    }
}
