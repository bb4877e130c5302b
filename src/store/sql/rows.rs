//! Rows as a JSON array of arrays: the one argument of every write.
//!
//! Not here: which cells a table has (the `write_*` files).

use std::collections::HashSet;
use std::hash::Hash;

use deskbridge_contract::Timestamp;
use deskbridge_conversation::Derived;
use serde::Serialize;

use crate::job::StoreError;

pub(crate) enum Cell<'a> {
    Int(i64),
    Text(&'a str),
    Own(String),
    /// What should have been written cannot be; the rows are not used then.
    Fault(String),
    Null,
}

impl From<i64> for Cell<'_> {
    fn from(value: i64) -> Self {
        Cell::Int(value)
    }
}
impl From<u32> for Cell<'_> {
    fn from(value: u32) -> Self {
        Cell::Int(i64::from(value))
    }
}
impl From<u16> for Cell<'_> {
    fn from(value: u16) -> Self {
        Cell::Int(i64::from(value))
    }
}
impl From<u8> for Cell<'_> {
    fn from(value: u8) -> Self {
        Cell::Int(i64::from(value))
    }
}
impl From<u64> for Cell<'_> {
    /// Seqs and sizes; none comes near the end of the range.
    fn from(value: u64) -> Self {
        Cell::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}
impl From<bool> for Cell<'_> {
    fn from(value: bool) -> Self {
        Cell::Int(i64::from(value))
    }
}
impl From<Timestamp> for Cell<'_> {
    fn from(value: Timestamp) -> Self {
        Cell::Int(value.0)
    }
}
impl<'a> From<&'a str> for Cell<'a> {
    fn from(value: &'a str) -> Self {
        Cell::Text(value)
    }
}
impl<'a> From<&'a String> for Cell<'a> {
    fn from(value: &'a String) -> Self {
        Cell::Text(value)
    }
}
impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Cell::Null, Into::into)
    }
}

/// The cell of a column that holds JSON as a text.
pub(crate) fn json<T: Serialize>(value: &T) -> Cell<'static> {
    serde_json::to_string(value).map_or_else(|error| Cell::Fault(error.to_string()), Cell::Own)
}

#[derive(Debug)]
pub(crate) struct Rows {
    out: Vec<u8>,
    count: u64,
    /// Of a cell; these rows must not be written then.
    pub fault: Option<StoreError>,
}

impl Rows {
    pub(crate) fn new() -> Self {
        Rows { out: vec![b'['], count: 0, fault: None }
    }

    pub(crate) fn push<const N: usize>(&mut self, cells: [Cell<'_>; N]) {
        self.cells(&[], &cells);
    }

    /// A row that begins with the three cells of an id.
    pub(crate) fn push_id<const N: usize>(&mut self, id: Derived, rest: [Cell<'_>; N]) {
        self.cells(&[id.conversation.0.into(), id.seq.into(), id.n.into()], &rest);
    }

    fn cells(&mut self, first: &[Cell<'_>], rest: &[Cell<'_>]) {
        self.begin();
        self.out.push(b'[');
        for (nr, cell) in first.iter().chain(rest).enumerate() {
            if nr > 0 {
                self.out.push(b',');
            }
            self.cell(cell);
        }
        self.out.push(b']');
    }

    /// For statements over `KEYS`.
    pub(crate) fn push_key(&mut self, key: &str) {
        self.begin();
        self.text(key);
    }

    pub(crate) fn push_number(&mut self, number: i64) {
        self.begin();
        self.write(&number);
    }

    fn begin(&mut self) {
        if self.count > 0 {
            self.out.push(b',');
        }
        self.count += 1;
    }

    fn cell(&mut self, cell: &Cell<'_>) {
        match cell {
            Cell::Int(value) => self.write(value),
            Cell::Text(value) => self.text(value),
            Cell::Own(value) => self.text(value),
            Cell::Fault(said) => self.fault = Some(StoreError::Corrupt(said.clone())),
            Cell::Null => self.out.extend_from_slice(b"null"),
        }
    }

    /// PostgreSQL keeps no NUL in texts; look-ups and writes replace it alike. In JSON columns it is escaped anyway.
    fn text(&mut self, text: &str) {
        if text.contains('\0') {
            self.write(&text.replace('\0', "\u{fffd}"));
        } else {
            self.write(text);
        }
    }

    fn write<T: Serialize + ?Sized>(&mut self, value: &T) {
        // Writing numbers and strings to memory cannot fail.
        let _ = serde_json::to_writer(&mut self.out, value);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn finish(mut self) -> String {
        self.out.push(b']');
        // serde_json writes UTF-8 only.
        String::from_utf8(self.out).unwrap_or_default()
    }
}

/// Keeps the last item of each key, in order of their last appearance: a statement may touch a row only once.
pub(crate) fn last_of<'a, T, K: Hash + Eq>(items: &'a [T], key: impl Fn(&'a T) -> K) -> Vec<&'a T> {
    let mut seen = HashSet::with_capacity(items.len());
    let mut kept: Vec<&T> = items.iter().rev().filter(|item| seen.insert(key(*item))).collect();
    kept.reverse();
    kept
}

/// Keeps the first item of each key.
pub(crate) fn first_of<'a, T, K: Hash + Eq>(items: &'a [T], key: impl Fn(&'a T) -> K) -> Vec<&'a T> {
    let mut seen = HashSet::with_capacity(items.len());
    items.iter().filter(|item| seen.insert(key(*item))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_json() {
        let mut rows = Rows::new();
        rows.push([1_i64.into(), "a\"b\0".into(), Cell::Null, json(&["x\0"])]);
        rows.push([Some(Timestamp(7)).into(), true.into(), None::<&str>.into(), 3_u64.into()]);
        assert_eq!(rows.count(), 2);
        assert_eq!(rows.finish(), "[[1,\"a\\\"b\u{fffd}\",null,\"[\\\"x\\\\u0000\\\"]\"],[7,1,null,3]]");
    }

    #[test]
    fn one_row_each() {
        let items = [(1, 'a'), (2, 'b'), (1, 'c')];
        assert_eq!(last_of(&items, |item| item.0), [&(2, 'b'), &(1, 'c')]);
        assert_eq!(first_of(&items, |item| item.0), [&(1, 'a'), &(2, 'b')]);
    }
}
