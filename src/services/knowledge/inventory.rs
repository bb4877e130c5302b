//! What an index was made of, article by article, so that two states of a folder can be compared.
//! Not here: reading the folder (`sources.rs`), where an inventory is kept (the command line).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::article::Article;
use super::search::Knowledge;

/// The path of every article with a digest of what is known of it: a difference that no answer could show is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Inventory(BTreeMap<String, String>);

/// What happened to the articles between two inventories, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    pub added: Vec<String>,
    pub changed: Vec<String>,
    pub removed: Vec<String>,
    pub unchanged: usize,
}

impl Changes {
    pub fn none(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

impl Inventory {
    pub fn of(knowledge: &Knowledge) -> Inventory {
        let articles = knowledge.articles().iter();
        Inventory(articles.map(|one| (one.path.display().to_string(), digest(one))).collect())
    }

    /// From what `before` says to this.
    pub fn since(&self, before: &Inventory) -> Changes {
        let mut changes = Changes::default();
        for (path, digest) in &self.0 {
            match before.0.get(path) {
                None => changes.added.push(path.clone()),
                Some(other) if other != digest => changes.changed.push(path.clone()),
                Some(_) => changes.unchanged += 1,
            }
        }
        changes.removed = before.0.keys().filter(|path| !self.0.contains_key(*path)).cloned().collect();
        changes
    }

    /// The same for the same articles, wherever they are read.
    pub fn revision(&self) -> String {
        let mut hash = Sha256::new();
        for (path, digest) in &self.0 {
            // No path holds a line feed that a digest could be mistaken for: its length stands before it.
            hash.update(format!("{}:{path}:{digest}\n", path.len()));
        }
        hex::encode(&hash.finalize()[..8])
    }
}

fn digest(article: &Article) -> String {
    // Its types have string keys only, so this cannot fail; an empty text would still be one digest for all of them.
    hex::encode(&Sha256::digest(serde_json::to_vec(article).unwrap_or_default())[..16])
}

#[cfg(test)]
mod tests {
    use super::super::markdown::parse_article;
    use super::super::{ArticleId, Knowledge};
    use super::*;

    fn inventory(articles: &[(&str, &str)]) -> Inventory {
        let articles = articles
            .iter()
            .map(|(path, text)| parse_article(ArticleId::new((*path).to_owned()), path.as_ref(), text).0);
        Inventory::of(&Knowledge::from_articles(articles.collect()))
    }

    #[test]
    fn every_kind_of_change_is_told_apart() {
        let before = inventory(&[("a.md", "# A\n\none"), ("b.md", "# B\n\ntwo"), ("c.md", "# C\n\nthree")]);
        let after =
            inventory(&[("a.md", "# A\n\none\n"), ("b.md", "# B\n\ntwo, really"), ("d.md", "# C\n\nthree")]);
        let changes = after.since(&before);
        assert_eq!(changes.added, ["d.md"]);
        assert_eq!(changes.changed, ["b.md"]);
        assert_eq!(changes.removed, ["c.md"]);
        assert_eq!(changes.unchanged, 1);
        assert!(before.since(&before).none() && !changes.none());
        assert_ne!(before.revision(), after.revision());
    }

    #[test]
    fn it_is_kept_as_json() {
        let before = inventory(&[("a.md", "# A\n\none")]);
        let kept = serde_json::to_string(&before).unwrap();
        let read: Inventory = serde_json::from_str(&kept).unwrap();
        assert_eq!(read, before);
        assert_eq!(read.revision(), before.revision());
    }
}
