//! The bounds of all batches of a plan, in few bytes.
//!
//! A plan is made before anything is stored, and a job may have very many batches. Each begins
//! where the one before ends, so that what is kept of it is little more than its size: some 13
//! bytes instead of 56.

use crate::source::bounds::Bounds;

/// The bounds of batches, in their order.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// For each batch how it differs from what was expected behind the one before, each number in
    /// groups of seven bits.
    bytes: Vec<u8>,
    last: Option<Bounds>,
    /// All rows, and all bytes.
    rows: u64,
    size_bytes: u64,
}

impl Outline {
    /// Adds a batch behind the others.
    pub(super) fn push(&mut self, bounds: Bounds) {
        let expected = numbers(&expected(self.last.as_ref()));
        for (number, expected) in numbers(&bounds).into_iter().zip(expected) {
            write(&mut self.bytes, number.wrapping_sub(expected));
        }
        self.rows += bounds.rows;
        self.size_bytes += bounds.end - bounds.start;
        self.last = Some(bounds);
    }

    /// How many batches there are.
    pub(super) fn len(&self) -> u64 {
        self.last.map_or(0, |last| u64::from(last.number) + 1)
    }

    /// How many rows they have.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// How many bytes, or rows where the source counts rows, they take in it.
    pub(super) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The batches.
    pub(super) fn iter(&self) -> impl Iterator<Item = Bounds> {
        let mut rest = &self.bytes[..];
        let mut last = None;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let read = numbers(&expected(last.as_ref()))
                .map(|expected| expected.wrapping_add(read(&mut rest)));
            last = Some(of_numbers(read));
            last
        })
    }
}

/// What a batch would be that has nothing in it, behind `last`.
fn expected(last: Option<&Bounds>) -> Bounds {
    let mut expected = Bounds::of_rows(0, 1, 0);
    if let Some(last) = last {
        expected.number = last.number.wrapping_add(1);
        expected.start = last.end;
        expected.end = last.end;
        expected.first_row = last.first_row.wrapping_add(last.rows);
        expected.first_line = last.first_line;
    }
    expected
}

fn numbers(bounds: &Bounds) -> [u64; 7] {
    let Bounds { number, start, end, first_row, rows, first_line, checksum } = *bounds;
    [number.into(), start, end, first_row, rows, first_line, checksum.into()]
}

fn of_numbers(numbers: [u64; 7]) -> Bounds {
    let [number, start, end, first_row, rows, first_line, checksum] = numbers;
    let mut bounds = Bounds::of_rows(number as u32, 1, rows);
    bounds.start = start;
    bounds.end = end;
    bounds.first_row = first_row;
    bounds.first_line = first_line;
    bounds.checksum = checksum as u32;
    bounds
}

fn write(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn read(rest: &mut &[u8]) -> u64 {
    let (mut number, mut shift) = (0, 0);
    while let Some((&byte, behind)) = rest.split_first() {
        *rest = behind;
        number |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            break;
        }
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_batch_comes_back(
            batches in proptest::collection::vec((any::<[u64; 4]>(), any::<u32>()), 0..20)
        ) {
            let mut outline = Outline::default();
            let mut pushed = Vec::new();
            for (number, ([start, size, rows, line], checksum)) in batches.into_iter().enumerate() {
                let mut bounds = Bounds::of_rows(number as u32, 1, 0);
                bounds.start = start >> 8;
                bounds.end = bounds.start + (size >> 8);
                bounds.first_row = rows ^ line;
                bounds.rows = rows >> 8;
                bounds.first_line = line;
                bounds.checksum = checksum;
                outline.push(bounds);
                pushed.push(bounds);
            }
            prop_assert_eq!(outline.len(), pushed.len() as u64);
            prop_assert_eq!(outline.rows(), pushed.iter().map(|bounds| bounds.rows).sum::<u64>());
            prop_assert_eq!(outline.iter().collect::<Vec<_>>(), pushed);
        }
    }

    #[test]
    fn a_batch_behind_another_takes_few_bytes() {
        let mut outline = Outline::default();
        for number in 0..1_000_u64 {
            let mut bounds = Bounds::of_rows(number as u32, number * 1_000 + 1, 1_000);
            (bounds.start, bounds.end) = (number * 119_000, (number + 1) * 119_000);
            bounds.first_line = number * 1_000 + 2;
            bounds.checksum = u32::MAX;
            outline.push(bounds);
        }
        assert!(outline.bytes.len() < 17_000, "{}", outline.bytes.len());
        assert_eq!((outline.len(), outline.size_bytes()), (1_000, 119_000_000));
    }
}
