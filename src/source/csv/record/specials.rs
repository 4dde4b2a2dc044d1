//! The bytes that mean something, found many at a time.
//!
//! Fields are short, so that a search of its own for each would cost more than the fields. One
//! look at a block answers for all fields in it.

use std::array;

/// The bytes of a word: each has one bit.
const WORD: usize = 64;
/// The words of a block: enough that what is done once for a block costs nothing.
const WORDS: usize = 8;
const BLOCK: usize = WORD * WORDS;

/// How many bytes mean something: delimiter, quote, escape and two line ends.
const NEEDLES: usize = 5;

/// Walks over the positions of the bytes that mean something, in order.
pub(super) struct Specials<'a> {
    bytes: &'a [u8],
    needles: [u8; NEEDLES],
    /// Which bytes of the block mean something.
    block: [u64; WORDS],
    /// Where the word begins over which the walk goes.
    word: usize,
    /// Those of the word that are still to come: bit `n` is the byte `word + n`.
    left: u64,
}

impl<'a> Specials<'a> {
    /// Walks over `bytes`. None of `needles` may be NUL.
    pub(super) fn new(bytes: &'a [u8], needles: [u8; NEEDLES]) -> Self {
        let mut specials = Self { bytes, needles, block: [0; WORDS], word: 0, left: 0 };
        specials.enter(0);
        specials
    }

    /// The position of the next one; the end of the bytes behind the last one.
    #[inline]
    pub(super) fn next(&mut self) -> usize {
        while self.left == 0 {
            let word = self.word + WORD;
            if word >= self.bytes.len() {
                return self.bytes.len();
            }
            if word.is_multiple_of(BLOCK) {
                self.enter(word);
            }
            self.word = word;
            self.left = self.block[word / WORD % WORDS];
        }
        let offset = self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        self.word + offset
    }

    /// Passes over those before `at`, which is not before the last one.
    #[inline]
    pub(super) fn skip_to(&mut self, at: usize) {
        let word = at - at % WORD;
        if word > self.word {
            if word / BLOCK > self.word / BLOCK {
                self.enter(word - word % BLOCK);
            }
            self.word = word;
            self.left = self.block[word / WORD % WORDS];
        }
        self.left &= u64::MAX << (at % WORD);
    }

    /// Looks at the block that begins at `start`, and goes to its first word.
    #[inline(never)]
    fn enter(&mut self, start: usize) {
        let rest = self.bytes.get(start..).unwrap_or_default();
        self.block = match rest.first_chunk::<BLOCK>() {
            Some(block) => matches(block, self.needles),
            None => {
                let mut padded = [0; BLOCK];
                padded[..rest.len()].copy_from_slice(rest);
                matches(&padded, self.needles)
            }
        };
        self.word = start;
        self.left = self.block[0];
    }
}

/// Which bytes of `block` are one of `needles`: bit `n` of a word is its byte `n`.
#[inline]
fn matches(block: &[u8; BLOCK], needles: [u8; NEEDLES]) -> [u64; WORDS] {
    // Compilers make vector instructions of this loop, and of none that builds bits at once.
    let mut hits = [0_u8; BLOCK];
    for (hit, byte) in hits.iter_mut().zip(block) {
        *hit = needles.iter().fold(0, |hit, needle| hit | u8::from(byte == needle));
    }
    let (eights, _) = hits.as_chunks::<8>();
    let (words, _) = eights.as_chunks::<8>();
    array::from_fn(|word| {
        words[word].iter().rev().fold(0, |bits, eight| bits << 8 | gather(*eight))
    })
}

/// Eight bytes, each 0 or 1, as eight bits.
#[inline]
fn gather(eight: [u8; 8]) -> u64 {
    let mut bits = u64::from_le_bytes(eight);
    // Every byte takes the bits of the one behind it, of the two behind these, of the four.
    bits |= bits >> 7;
    bits |= bits >> 14;
    bits |= bits >> 28;
    bits & 0xff
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COMMAS: [u8; NEEDLES] = *b",\"\"\r\n";

    proptest! {
        #[test]
        fn they_are_found_where_one_by_one_finds_them(
            text in "[a,\"\r\n]{0,200}", plain in "[a-z]{0,1500}", skip in 0_usize..2000,
        ) {
            let bytes = [plain.as_bytes(), text.as_bytes()].concat();
            let skip = skip.min(bytes.len());
            let expected: Vec<_> =
                (skip..bytes.len()).filter(|at| COMMAS.contains(&bytes[*at])).collect();
            let mut specials = Specials::new(&bytes, COMMAS);
            specials.skip_to(skip);
            let found: Vec<_> = expected.iter().map(|_| specials.next()).collect();
            prop_assert_eq!(found, expected);
            prop_assert_eq!(specials.next(), bytes.len());
            prop_assert_eq!(specials.next(), bytes.len());
        }
    }

    #[test]
    fn every_byte_has_its_bit() {
        for at in 0..BLOCK {
            let mut block = [b'a'; BLOCK];
            block[at] = b',';
            let mut expected = [0; WORDS];
            expected[at / WORD] = 1 << (at % WORD);
            assert_eq!(matches(&block, COMMAS), expected);
        }
    }
}
