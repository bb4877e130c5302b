//! What this run had to leave out, said when it happens and once more at the end.
//! Not here: failures; a thing that is there but broken is a `Fault`.

use crate::fault::Fault;

#[derive(Default)]
pub struct Skips {
    lines: Vec<String>,
}

impl Skips {
    /// Says at once that `needs` is missing and why, and remembers it.
    pub fn add(&mut self, needs: &str, fault: &Fault) {
        let next = fault.next_command().map(|next| format!("; next: {next}")).unwrap_or_default();
        let line = format!("skipped: needs {needs} ({}{next})", fault.why());
        eprintln!("{line}");
        self.lines.push(line);
    }

    /// The same lines in one block, for the end of a run.
    pub fn block(&self) -> String {
        if self.lines.is_empty() {
            return "Left out of this run: nothing".into();
        }
        let mut block = format!("Left out of this run: {}", self.lines.len());
        for line in &self.lines {
            block.push_str("\n  ");
            block.push_str(line);
        }
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_repeats_every_line() {
        let mut skips = Skips::default();
        assert_eq!(skips.block(), "Left out of this run: nothing");
        skips.add("PostgreSQL", &Fault::new("find it", "no initdb").next("apt-get install postgresql"));
        skips.add("Chromium", &Fault::new("find it", "not found"));
        let block = skips.block();
        assert_eq!(block.lines().count(), 3);
        assert!(block.contains("skipped: needs PostgreSQL (no initdb; next: apt-get install postgresql)"));
    }
}
