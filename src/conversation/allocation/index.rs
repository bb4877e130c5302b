//! Things by name. A look-up costs a few nanoseconds: ten thousand conversations ask for three names each.
//!
//! Not here: what is found. The standard library's hash map is random by design, and nothing in the core may be.

/// Open addressing, at most half full.
pub(super) struct Index<'a, T> {
    entries: Vec<(&'a str, T)>,
    /// The place of an entry, counted from 1; 0 is free.
    slots: Vec<u32>,
}

impl<'a, T> Index<'a, T> {
    pub(super) fn new() -> Self {
        Index { entries: Vec::new(), slots: vec![0; 64] }
    }

    pub(super) fn get(&self, name: &str) -> Option<&T> {
        match self.slots[self.slot(name)] {
            0 => None,
            place => Some(&self.entries[place as usize - 1].1),
        }
    }

    pub(super) fn entry(&mut self, name: &'a str, new: impl FnOnce() -> T) -> &mut T {
        let mut slot = self.slot(name);
        if self.slots[slot] == 0 {
            if self.entries.len() * 2 >= self.slots.len() {
                self.grow();
                slot = self.slot(name);
            }
            self.entries.push((name, new()));
            self.slots[slot] = self.entries.len() as u32;
        }
        let place = self.slots[slot] as usize - 1;
        &mut self.entries[place].1
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&'a str, &mut T)> {
        self.entries.iter_mut().map(|(name, thing)| (*name, thing))
    }

    /// Where the name is, or the free slot where it would be.
    fn slot(&self, name: &str) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = hash(name) as usize & mask;
        loop {
            match self.slots[slot] {
                0 => return slot,
                place if self.entries[place as usize - 1].0 == name => return slot,
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    fn grow(&mut self) {
        self.slots = vec![0; self.slots.len() * 2];
        for place in 0..self.entries.len() {
            let slot = self.slot(self.entries[place].0);
            self.slots[slot] = place as u32 + 1;
        }
    }
}

/// Names come from the configuration, not from strangers: nobody aims at collisions.
fn hash(name: &str) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(ODD);
    let (words, rest) = name.as_bytes().as_chunks::<8>();
    let mut hash = words.iter().fold(name.len() as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    for byte in rest {
        hash = mix(hash, u64::from(*byte));
    }
    // The low bits of a product know little of the high ones.
    hash ^ (hash >> 32)
}
