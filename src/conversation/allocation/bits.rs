//! Sets of technicians as bits.
//!
//! Not here: what a set means.

/// Sets that are combined have the same size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn empty(size: usize) -> Self {
        Bits(vec![0; size.div_ceil(64)])
    }

    pub(super) fn full(size: usize) -> Self {
        let mut bits = Bits(vec![u64::MAX; size.div_ceil(64)]);
        if let (Some(last), rest @ 1..) = (bits.0.last_mut(), size % 64) {
            *last = (1 << rest) - 1;
        }
        bits
    }

    pub(super) fn set(&mut self, bit: usize) {
        self.0[bit / 64] |= 1 << (bit % 64);
    }

    pub(super) fn clear(&mut self, bit: usize) {
        self.0[bit / 64] &= !(1 << (bit % 64));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Becomes what `a` and `b` have in common; says whether that is anything.
    pub(super) fn assign_common(&mut self, a: &Bits, b: &Bits) -> bool {
        let mut any = 0;
        for (word, (a, b)) in self.0.iter_mut().zip(a.0.iter().zip(&b.0)) {
            *word = a & b;
            any |= *word;
        }
        any != 0
    }

    /// Keeps what `other` has too; says whether that is anything.
    pub(super) fn keep(&mut self, other: &Bits) -> bool {
        let mut any = 0;
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= other;
            any |= *word;
        }
        any != 0
    }

    pub(super) fn has(&self, bit: usize) -> bool {
        self.0[bit / 64] & (1 << (bit % 64)) != 0
    }

    /// The lowest bit that both have.
    pub(super) fn common(&self, other: &Bits) -> Option<usize> {
        let words = self.0.iter().zip(&other.0).map(|(a, b)| a & b);
        words
            .enumerate()
            .find(|(_, word)| *word != 0)
            .map(|(at, word)| at * 64 + word.trailing_zeros() as usize)
    }

    /// The bits that are set, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let mut word = *word;
            std::iter::from_fn(move || {
                let bit = (word != 0).then(|| word.trailing_zeros() as usize)?;
                word &= word - 1;
                Some(at * 64 + bit)
            })
        })
    }
}
