//! Reads a folder of Markdown files into articles, within bounds, and says what it could not read.
//! Not here: what Markdown means (`markdown.rs`); web sites, PDF and other sources.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::article::{Article, ArticleId};
use super::markdown::parse_article;
use super::words;

/// Bounds of one knowledge folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Bytes of all files together: the index lives in memory.
    pub total_bytes: u64,
    /// Markdown files read.
    pub files: usize,
    /// Folders inside folders.
    pub depth: usize,
    /// Directory entries looked at, of whatever kind.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file_bytes: 1 << 20, total_bytes: 128 << 20, files: 10_000, depth: 16, entries: 200_000 }
    }
}

/// Something in the folder that was skipped, or read with a fault. Never fatal.
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}", path.display())]
pub struct LoadProblem {
    /// Relative to the knowledge folder; the folder itself when it could not be read.
    pub path: PathBuf,
    pub fault: LoadFault,
}

#[derive(Debug, thiserror::Error)]
pub enum LoadFault {
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
    #[error("the knowledge folder cannot be read: {0}")]
    NoFolder(io::Error),
    #[error("larger than {0} bytes, skipped")]
    TooLarge(u64),
    #[error("is not UTF-8 text, skipped")]
    NotText,
    #[error("is a symbolic link, not followed")]
    SymbolicLink,
    #[error("is not a regular file, skipped")]
    NotAFile,
    #[error("more than {0} files, the rest is skipped")]
    TooManyFiles(usize),
    #[error("more than {0} bytes in all files together, the rest is skipped")]
    TooMuch(u64),
    #[error("folders deeper than {0}, skipped")]
    TooDeep(usize),
    #[error("{0}")]
    FrontMatter(String),
    #[error("has the same short name as another file; it is now called `{0}`")]
    SameName(ArticleId),
}

/// All articles under `folder` in the order of their paths, and every problem on the way.
pub fn read_folder(folder: &Path, limits: Limits) -> (Vec<Article>, Vec<LoadProblem>) {
    let mut search = Search { limits, entries: 0, files: Vec::new(), problems: Vec::new() };
    search.collect(folder);
    let Search { files, mut problems, .. } = search;
    let mut articles = Vec::new();
    let mut names = HashSet::new();
    let mut total = 0;
    for path in files {
        let text = match read_text(&folder.join(&path), limits.file_bytes) {
            Ok(text) => text,
            Err(fault) => {
                problems.push(LoadProblem { path, fault });
                continue;
            }
        };
        total += text.len() as u64;
        if total > limits.total_bytes {
            problems.push(LoadProblem { path, fault: LoadFault::TooMuch(limits.total_bytes) });
            break;
        }
        let (id, is_renamed) = free_name(&path, &mut names);
        if is_renamed {
            problems.push(LoadProblem { path: path.clone(), fault: LoadFault::SameName(id.clone()) });
        }
        let (article, faults) = parse_article(id, &path, &text);
        let faults = faults.into_iter().map(LoadFault::FrontMatter);
        problems.extend(faults.map(|fault| LoadProblem { path: path.clone(), fault }));
        articles.push(article);
    }
    (articles, problems)
}

/// What tells that a folder was changed, without reading a file: which files there are, their sizes, when they were
/// written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp(Vec<(PathBuf, u64, Option<SystemTime>)>);

impl Stamp {
    /// `None` when the folder itself cannot be read.
    pub(super) fn of(folder: &Path, limits: Limits) -> Option<Stamp> {
        let mut search = Search { limits, entries: 0, files: Vec::new(), problems: Vec::new() };
        search.collect(folder);
        if search.problems.iter().any(|problem| matches!(problem.fault, LoadFault::NoFolder(_))) {
            return None;
        }
        let files = search.files.into_iter().map(|path| {
            let seen = fs::symlink_metadata(folder.join(&path)).ok();
            let size = seen.as_ref().map_or(0, fs::Metadata::len);
            (path, size, seen.and_then(|seen| seen.modified().ok()))
        });
        Some(Stamp(files.collect()))
    }
}

struct Search {
    limits: Limits,
    entries: usize,
    files: Vec<PathBuf>,
    problems: Vec<LoadProblem>,
}

impl Search {
    /// Fills `files` with relative paths, sorted, so that a reload reads the same in the same order.
    fn collect(&mut self, folder: &Path) {
        let mut waiting = vec![(PathBuf::new(), 0)];
        while let Some((inner, depth)) = waiting.pop() {
            let listing = match fs::read_dir(folder.join(&inner)) {
                Ok(listing) => listing,
                Err(error) if depth == 0 => return self.report(inner, LoadFault::NoFolder(error)),
                Err(error) => {
                    self.report(inner, LoadFault::Unreadable(error));
                    continue;
                }
            };
            for entry in listing {
                self.entries += 1;
                if self.entries > self.limits.entries {
                    return self.report(inner, LoadFault::TooManyFiles(self.limits.entries));
                }
                match entry {
                    Ok(entry) => waiting.extend(self.look_at(&entry, &inner, depth)),
                    Err(error) => self.report(inner.clone(), LoadFault::Unreadable(error)),
                }
            }
        }
        self.files.sort();
        if self.files.len() > self.limits.files {
            let rest = self.files.split_off(self.limits.files);
            let first = rest.into_iter().next().unwrap_or_default();
            self.report(first, LoadFault::TooManyFiles(self.limits.files));
        }
    }

    /// Takes a file, reports an odd one, or returns a folder to look into.
    fn look_at(&mut self, entry: &fs::DirEntry, inner: &Path, depth: usize) -> Option<(PathBuf, usize)> {
        let path = inner.join(entry.file_name());
        // `.git` and editors' leftovers are not knowledge.
        if entry.file_name().to_string_lossy().starts_with('.') {
            return None;
        }
        let is_markdown = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("md"));
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            Err(error) => {
                self.report(path, LoadFault::Unreadable(error));
                return None;
            }
        };
        if kind.is_dir() {
            if depth < self.limits.depth {
                return Some((path, depth + 1));
            }
            self.report(path, LoadFault::TooDeep(self.limits.depth));
        } else if kind.is_file() && is_markdown {
            self.files.push(path);
        } else if kind.is_symlink() {
            self.report(path, LoadFault::SymbolicLink);
        } else if is_markdown {
            self.report(path, LoadFault::NotAFile);
        }
        None
    }

    fn report(&mut self, path: PathBuf, fault: LoadFault) {
        self.problems.push(LoadProblem { path, fault });
    }
}

fn read_text(path: &Path, max: u64) -> Result<String, LoadFault> {
    let file = File::open(path).map_err(LoadFault::Unreadable)?;
    let mut bytes = Vec::new();
    // One byte more than allowed tells "too large" without trusting the size from the directory.
    file.take(max + 1).read_to_end(&mut bytes).map_err(LoadFault::Unreadable)?;
    if bytes.len() as u64 > max {
        return Err(LoadFault::TooLarge(max));
    }
    String::from_utf8(bytes).map_err(|_| LoadFault::NotText)
}

/// The article's name, and whether it had to differ from what the path says.
fn free_name(path: &Path, taken: &mut HashSet<String>) -> (ArticleId, bool) {
    let parts = path.with_extension("");
    let parts: Vec<_> = parts.iter().map(|part| words::slug(&part.to_string_lossy())).collect();
    let wanted =
        parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
    let wanted = if wanted.is_empty() { "article".to_owned() } else { wanted };
    let mut name = wanted.clone();
    let mut number = 2;
    while !taken.insert(name.clone()) {
        name = format!("{wanted}-{number}");
        number += 1;
    }
    let is_renamed = name != wanted;
    (ArticleId::new(name), is_renamed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(problems: &[LoadProblem]) -> Vec<String> {
        let mut faults: Vec<_> = problems.iter().map(ToString::to_string).collect();
        faults.sort();
        faults
    }

    #[test]
    fn reads_nested_markdown_in_a_fixed_order_and_nothing_else() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        fs::create_dir_all(folder.path().join("b/.git"))?;
        for (path, text) in
            [("b/Two Words.md", "# Two"), ("a.md", "# One"), ("b/x.txt", "no"), ("b/.git/y.md", "no")]
        {
            fs::write(folder.path().join(path), text)?;
        }
        let (articles, problems) = read_folder(folder.path(), Limits::default());
        let ids: Vec<_> = articles.iter().map(|article| article.id.as_str()).collect();
        assert_eq!(ids, ["a", "b/two-words"]);
        assert_eq!(faults(&problems), Vec::<String>::new());
        Ok(())
    }

    #[test]
    fn what_cannot_be_used_is_reported_and_the_rest_is_read() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let at = |name: &str| folder.path().join(name);
        fs::write(at("good.md"), "# Good")?;
        fs::write(at("latin1.md"), b"# caf\xe9")?;
        fs::write(at("large.md"), "x".repeat(101))?;
        fs::write(at("just fits.md"), "x".repeat(100))?;
        fs::write(at("just-fits.md"), "x")?;
        fs::write(at("policy.md"), "---\npolicy: never\n---\nx")?;
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc", at("link"))?;
        #[cfg(unix)]
        std::os::unix::fs::symlink(at("good.md"), at("link.md"))?;
        let limits = Limits { file_bytes: 100, ..Limits::default() };
        let (articles, problems) = read_folder(folder.path(), limits);
        let ids: Vec<_> = articles.iter().map(|article| article.id.as_str()).collect();
        assert_eq!(ids, ["good", "just-fits", "just-fits-2", "policy"]);
        let faults = faults(&problems);
        for wanted in [
            "just-fits.md: has the same short name as another file; it is now called `just-fits-2`",
            "large.md: larger than 100 bytes, skipped",
            "latin1.md: is not UTF-8 text, skipped",
            "policy.md: unknown policy `never`; known: handover, answer",
        ] {
            assert!(faults.iter().any(|fault| fault == wanted), "{wanted} not in {faults:?}");
        }
        assert_eq!(faults.iter().filter(|fault| fault.contains("symbolic link")).count(), 2);
        Ok(())
    }

    #[test]
    fn bounds_hold_and_a_missing_folder_is_a_problem_not_a_panic() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        for number in 0..5 {
            fs::write(folder.path().join(format!("{number}.md")), "0123456789")?;
        }
        let (articles, problems) = read_folder(folder.path(), Limits { files: 3, ..Limits::default() });
        assert_eq!((articles.len(), problems.len()), (3, 1));
        let (articles, problems) =
            read_folder(folder.path(), Limits { total_bytes: 25, ..Limits::default() });
        assert_eq!((articles.len(), problems.len()), (2, 1));
        let (articles, problems) = read_folder(&folder.path().join("absent"), Limits::default());
        assert!(articles.is_empty());
        assert!(matches!(problems[0].fault, LoadFault::NoFolder(_)));
        Ok(())
    }
}
