//! Rows that are in order on each shard, in order.

use super::cell_key::CellKey;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::vec::IntoIter;

/// How one value orders rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Direction {
    pub(super) descending: bool,
    pub(super) nulls_first: bool,
}

/// A row, with what it is ordered by.
pub(super) struct Row<T> {
    pub(super) order: Vec<CellKey>,
    pub(super) value: T,
}

/// Whether a row comes before another one.
pub(super) fn compare(one: &[CellKey], other: &[CellKey], by: &[Direction]) -> Ordering {
    for ((one, other), by) in one.iter().zip(other).zip(by) {
        let order = match (one.is_null(), other.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) if by.nulls_first => Ordering::Less,
            (true, false) => Ordering::Greater,
            (false, true) if by.nulls_first => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) if by.descending => other.cmp(one),
            (false, false) => one.cmp(other),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

/// The rows of all parts, each of which is in order. Of equal rows those of an earlier part come
/// first.
pub(super) struct Merge<'a, T> {
    heads: BinaryHeap<Head<'a, T>>,
}

struct Head<'a, T> {
    row: Row<T>,
    rest: IntoIter<Row<T>>,
    part: usize,
    by: &'a [Direction],
}

impl<'a, T> Merge<'a, T> {
    pub(super) fn new(parts: Vec<Vec<Row<T>>>, by: &'a [Direction]) -> Self {
        let head = |(part, rows): (usize, Vec<Row<T>>)| {
            let mut rest = rows.into_iter();
            let row = rest.next()?;
            Some(Head { row, rest, part, by })
        };
        Self { heads: parts.into_iter().enumerate().filter_map(head).collect() }
    }
}

impl<T> Iterator for Merge<'_, T> {
    type Item = Row<T>;

    fn next(&mut self) -> Option<Row<T>> {
        let Head { row, mut rest, part, by } = self.heads.pop()?;
        if let Some(next) = rest.next() {
            self.heads.push(Head { row: next, rest, part, by });
        }
        Some(row)
    }
}

/// The heap hands out the largest, so the first is the largest here.
impl<T> Ord for Head<'_, T> {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&other.row.order, &self.row.order, self.by).then(other.part.cmp(&self.part))
    }
}

impl<T> PartialOrd for Head<'_, T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Head<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Head<'_, T> {}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: Direction = Direction { descending: false, nulls_first: false };
    const DOWN: Direction = Direction { descending: true, nulls_first: true };

    fn row(order: &[Option<i64>], value: &'static str) -> Row<&'static str> {
        let key = |value: &Option<i64>| value.map_or(CellKey::Null, CellKey::Int);
        Row { order: order.iter().map(key).collect(), value }
    }

    fn merged(parts: Vec<Vec<Row<&'static str>>>, by: &[Direction]) -> String {
        Merge::new(parts, by).map(|row| row.value).collect()
    }

    #[test]
    fn parts_that_are_in_order_are_in_order_together() {
        let parts = vec![
            vec![row(&[Some(1)], "a"), row(&[Some(4)], "d"), row(&[None], "z")],
            vec![],
            vec![row(&[Some(2)], "b"), row(&[Some(4)], "e"), row(&[Some(9)], "f")],
            vec![row(&[Some(3)], "c")],
        ];
        assert_eq!(merged(parts, &[UP]), "abcdefz");
    }

    #[test]
    fn each_value_has_its_own_direction() {
        let parts = vec![
            vec![row(&[None, Some(1)], "a"), row(&[Some(5), Some(2)], "d")],
            vec![row(&[Some(7), Some(9)], "b"), row(&[Some(5), Some(1)], "c")],
        ];
        assert_eq!(merged(parts, &[DOWN, UP]), "abcd");
    }
}
