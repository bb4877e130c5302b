//! The configuration as one TOML tree: the file, with the environment laid over it, and where each value came from.
//!
//! Not here: what any key means (the sections), nor when the file is looked for (`cli`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::fault::Fault;

/// What the environment variables that set a key begin with.
pub const PREFIX: &str = "DESKBRIDGE__";

/// Larger than any configuration or secret; a mistyped path to a log or a disk must not be read to its end.
const MAX_BYTES: u64 = 1 << 20;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Default,
    /// The line of the file, from 1.
    File(usize),
    Variable(String),
    Console,
    /// A file with one secret, named by a `_file` key or a `_FILE` variable.
    SecretFile(PathBuf),
}

/// A value that the environment set.
#[derive(Clone, Debug)]
pub struct Set {
    pub variable: String,
    /// As written, for keys whose value is text although it looks like a number.
    pub raw: String,
    pub file: Option<PathBuf>,
}

/// The merged tree and its origins, by path (`channels.telegram.token`, `technicians[0].name`).
#[derive(Clone, Default)]
pub struct Tree {
    pub table: Table,
    pub lines: BTreeMap<String, usize>,
    pub set: BTreeMap<String, Set>,
    /// What the console has set.
    pub kept: BTreeSet<String>,
}

/// Reads the file, if there is one, and lays the environment over it. Every fault is added to `faults`.
pub fn read(
    path: Option<&Path>,
    env: impl Iterator<Item = (String, String)>,
    faults: &mut Vec<Fault>,
) -> Tree {
    let mut tree = Tree::default();
    if let Some(path) = path {
        match read_text(path) {
            Ok(text) => parse(&text, &shown(path), &mut tree, faults),
            Err(got) => faults.push(Fault {
                path: String::new(),
                from: shown(path),
                expected: "a readable TOML file; `deskbridge config example` prints one".into(),
                got,
                nearest: None,
            }),
        }
    }
    let mut variables: Vec<(String, String)> = env.filter(|(name, _)| name.starts_with(PREFIX)).collect();
    // `X_FILE` sorts behind `X`, so the plain variable is there first and wins.
    variables.sort();
    for (name, raw) in variables {
        if let Err(fault) = lay_over(&mut tree, &name, raw) {
            faults.push(fault);
        }
    }
    tree
}

/// The path as it is written in faults.
pub fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The text of a small file; the error says what is in the way.
pub fn read_text(path: &Path) -> Result<String, String> {
    if path.is_dir() {
        return Err("a folder".into());
    }
    let file = fs::File::open(path).map_err(|error| unreadable(&error))?;
    let mut text = String::new();
    file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(|error| unreadable(&error))?;
    if text.len() as u64 > MAX_BYTES {
        return Err(format!("a file of more than {MAX_BYTES} bytes"));
    }
    Ok(text)
}

fn unreadable(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".into(),
        std::io::ErrorKind::PermissionDenied => "a file that this user may not read".into(),
        std::io::ErrorKind::InvalidData => "a file that is not UTF-8 text".into(),
        other => format!("a file that cannot be read ({other})"),
    }
}

fn parse(text: &str, file: &str, tree: &mut Tree, faults: &mut Vec<Fault>) {
    let (table, mut errors) = DeTable::parse_recoverable(text);
    errors.sort_by_key(|error| error.span().map(|span| span.start));
    let starts: Vec<usize> =
        std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let line = |at: Range<usize>| starts.partition_point(|start| *start <= at.start);
    if errors.is_empty() {
        note_lines(table.get_ref(), "", &line, &mut tree.lines);
        match text.parse() {
            Ok(table) => tree.table = table,
            Err(error) => faults.push(syntax(file, &error, &line)),
        }
    }
    // The snippet that the parser shows beside its message is left out: the line may hold a token.
    faults.extend(errors.iter().map(|error| syntax(file, error, &line)));
}

fn syntax(file: &str, error: &toml::de::Error, line: &impl Fn(Range<usize>) -> usize) -> Fault {
    let from = error.span().map_or_else(|| file.to_owned(), |span| format!("{file}:{}", line(span)));
    let got = error.message().lines().next().unwrap_or("a syntax error").to_owned();
    Fault { path: String::new(), from, expected: "TOML".into(), got, nearest: None }
}

fn note_lines(
    table: &DeTable<'_>,
    path: &str,
    line: &impl Fn(Range<usize>) -> usize,
    lines: &mut BTreeMap<String, usize>,
) {
    for (key, value) in table.iter() {
        let path = join(path, key.get_ref());
        lines.insert(path.clone(), line(key.span()));
        note_value(value.get_ref(), &path, line, lines);
    }
}

fn note_value(
    value: &DeValue<'_>,
    path: &str,
    line: &impl Fn(Range<usize>) -> usize,
    lines: &mut BTreeMap<String, usize>,
) {
    match value {
        DeValue::Table(table) => note_lines(table, path, line, lines),
        DeValue::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                let path = format!("{path}[{n}]");
                lines.insert(path.clone(), line(item.span()));
                note_value(item.get_ref(), &path, line, lines);
            }
        }
        _ => {}
    }
}

/// `a` and `b` to `a.b`.
pub fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Sets one key from its variable: `DESKBRIDGE__CHANNELS__SLACK_ACME__TOKEN` is `channels.slack-acme.token` (D43).
fn lay_over(tree: &mut Tree, variable: &str, raw: String) -> Result<(), Fault> {
    let fault = |expected: &str, got: String| Fault {
        path: String::new(),
        from: variable.to_owned(),
        expected: expected.to_owned(),
        got,
        nearest: None,
    };
    let lower = variable[PREFIX.len()..].to_lowercase();
    let mut words: Vec<&str> = lower.split("__").collect();
    let Some(last) = words.pop().filter(|last| !last.is_empty() && words.iter().all(|word| !word.is_empty()))
    else {
        return Err(fault("a variable like DESKBRIDGE__SERVER__LISTEN", "an empty name in it".into()));
    };
    let (last, raw, file) = match last.strip_suffix("_file") {
        None => (last, raw, None),
        Some(stem) => {
            let file = PathBuf::from(raw);
            let text = read_text(&file).map_err(|got| {
                fault("the name of a file with the value", format!("{got}: {}", shown(&file)))
            })?;
            (stem, text.trim_end_matches(['\r', '\n']).to_owned(), Some(file))
        }
    };
    let mut path = String::new();
    let mut at = &mut tree.table;
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let key = existing(at, &path, word);
        path = join(&path, &key);
        let value = at.entry(key).or_insert_with(|| Value::Table(Table::new()));
        at = match value {
            Value::Table(table) => table,
            Value::Array(items) => item(items, words.next(), &mut path).ok_or_else(|| {
                fault("the number of an item of the list, from 0", format!("another name at `{path}`"))
            })?,
            _ => {
                return Err(fault(
                    "a variable for a key that can have keys below it",
                    format!("`{path}` is a value"),
                ));
            }
        };
    }
    let key = existing(at, &path, last);
    let path = join(&path, &key);
    if file.is_some() && tree.set.contains_key(&path) {
        return Err(fault("one of the two variables", "a value and a file for the same key".into()));
    }
    // What the environment says replaces both ways in which the file can say it.
    at.remove(&format!("{key}_file"));
    let value = match file {
        Some(_) => Value::String(raw.clone()),
        None => raw.parse().unwrap_or_else(|_| Value::String(raw.clone())),
    };
    at.insert(key, value);
    tree.set.insert(path, Set { variable: variable.to_owned(), raw, file });
    Ok(())
}

/// The item of a list that a word of a variable means; one more than there are makes a new one.
fn item<'a>(items: &'a mut Vec<Value>, word: Option<&str>, path: &mut String) -> Option<&'a mut Table> {
    let n: usize = word?.parse().ok()?;
    if n == items.len() {
        items.push(Value::Table(Table::new()));
    }
    path.push_str(&format!("[{n}]"));
    items.get_mut(n)?.as_table_mut()
}

/// The key that a word of a variable means: one that is there, else the word itself, or the name that it can stand for.
fn existing(at: &Table, path: &str, word: &str) -> String {
    let there = at.keys().find(|key| key.replace('-', "_").to_lowercase() == word);
    match there {
        Some(key) => key.clone(),
        None if matches!(path, "channels" | "queues") => word.replace('_', "-"),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str, env: &[(&str, &str)]) -> (Tree, Vec<Fault>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deskbridge.toml");
        fs::write(&path, text).unwrap();
        let mut faults = Vec::new();
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let tree = read(Some(&path), env, &mut faults);
        (tree, faults)
    }

    #[test]
    fn lines_are_known() {
        let (tree, faults) = tree("[server]\nlisten = \"x\"\n\n[[technicians]]\nname = \"Ana\"\n", &[]);
        assert_eq!(faults, []);
        assert_eq!(tree.lines["server.listen"], 2);
        assert_eq!(tree.lines["technicians[0].name"], 5);
    }

    #[test]
    fn syntax_faults_come_all_at_once_and_show_no_line() {
        let (_, faults) = tree("a = \n[server]\ntoken = \"planted\nb = ]\n", &[]);
        assert!(faults.len() >= 2, "{faults:?}");
        assert!(faults[0].from.ends_with("deskbridge.toml:1"), "{faults:?}");
        assert!(!format!("{faults:?}").contains("planted"));
        let (_, faults) = tree("a = 1\na = 2\n", &[]);
        assert_eq!(faults.len(), 1, "{faults:?}");
    }

    #[test]
    fn the_environment_wins_and_finds_names_with_dashes() {
        let text = "[channels.slack-acme]\ntoken_file = \"nowhere\"\n[queues.vpn]\npriority = 1\n[[technicians]]\nname=\"Ana\"\n";
        let (tree, faults) = tree(
            text,
            &[
                ("DESKBRIDGE__CHANNELS__SLACK_ACME__TOKEN", "12345"),
                ("DESKBRIDGE__QUEUES__VPN__PRIORITY", "7"),
                ("DESKBRIDGE__QUEUES__NEW_ONE__SKILLS", "[\"vpn\"]"),
                ("DESKBRIDGE__QUEUES__VPN__TIMERS__OFFER", "90s"),
                ("DESKBRIDGE__TECHNICIANS__0__CAPACITY", "2"),
                ("DESKBRIDGE__TECHNICIANS__1__NAME", "Bob"),
                ("DESKBRIDGE_LOG", "debug"),
                ("PATH", "x"),
            ],
        );
        assert_eq!(faults, []);
        let slack = &tree.table["channels"]["slack-acme"];
        assert!(slack.get("token_file").is_none());
        assert_eq!(tree.set["channels.slack-acme.token"].raw, "12345");
        assert_eq!(tree.table["queues"]["vpn"]["priority"].as_integer(), Some(7));
        assert_eq!(tree.table["queues"]["vpn"]["timers"]["offer"].as_str(), Some("90s"));
        assert_eq!(tree.table["technicians"][0]["capacity"].as_integer(), Some(2));
        assert_eq!(tree.table["technicians"][1]["name"].as_str(), Some("Bob"));
        assert_eq!(tree.table["queues"]["new-one"]["skills"].as_array().map(Vec::len), Some(1));
    }

    #[test]
    fn a_file_variable_is_read_as_text() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        fs::write(&secret, "12345\n").unwrap();
        let name = secret.to_str().unwrap();
        let (tree1, faults) = tree("", &[("DESKBRIDGE__ASSISTANT__API_KEY_FILE", name)]);
        assert_eq!(faults, []);
        assert_eq!(tree1.table["assistant"]["api_key"].as_str(), Some("12345"));
        let (_, faults) = tree(
            "",
            &[("DESKBRIDGE__ASSISTANT__API_KEY_FILE", name), ("DESKBRIDGE__ASSISTANT__API_KEY", "x")],
        );
        assert_eq!(faults.len(), 1);
        let (_, faults) = tree("", &[("DESKBRIDGE__ASSISTANT__API_KEY_FILE", "/nowhere/at/all")]);
        assert!(faults[0].got.contains("no such file"));
    }

    #[test]
    fn variables_that_fit_nowhere_are_faults() {
        for (text, name) in [
            ("", "DESKBRIDGE__"),
            ("", "DESKBRIDGE__SERVER____LISTEN"),
            ("server = 1", "DESKBRIDGE__SERVER__LISTEN"),
            ("[[technicians]]", "DESKBRIDGE__TECHNICIANS__7__NAME"),
            ("[[technicians]]", "DESKBRIDGE__TECHNICIANS__NAME"),
        ] {
            let (_, faults) = tree(text, &[(name, "x")]);
            assert_eq!(faults.len(), 1, "{name}");
        }
    }

    #[test]
    fn files_that_cannot_be_read() {
        let mut faults = Vec::new();
        read(Some(Path::new("/nowhere/deskbridge.toml")), std::iter::empty(), &mut faults);
        read(Some(Path::new("/")), std::iter::empty(), &mut faults);
        assert_eq!(faults.iter().map(|f| f.got.as_str()).collect::<Vec<_>>(), ["no such file", "a folder"]);
    }
}
