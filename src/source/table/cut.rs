//! Cutting a source in a database: which way, and where.

use super::answers::{literal, number, numbers};
use super::facts::Facts;
use super::options::Partitions;
use super::piece::{Cut, Piece};
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;
use crate::mapping::column::Column;
use crate::source::bounds::CutLimits;
use crate::sql::literal::Literal;
use crate::sql::partition::{self, Sampled, Weights};

/// So many pieces to a worker, that those who are done early find more to do.
const PIECES_PER_WORKER: u64 = 8;
/// A piece has so many rows at least where the source has them.
const LEAST_ROWS: u64 = 100;
/// Of fewer rows, what a piece costs beside them counts: then two to a worker are enough.
const WORTH_ROWS: u64 = 1_000;
const LEAST_PER_WORKER: u64 = 2;
/// Up to so many rows are counted exactly; for more, an estimate is nearly as good and costs nothing.
const COUNTED_ROWS: u64 = 100_000;
/// So many rows of a sample to a piece: their sizes then differ by a fifth or so.
const SAMPLED_ROWS: u64 = 30;
/// Of a table up to this size rows are sampled, and of a larger one blocks, which are far less to read
/// and may part it less evenly.
const SCANNED_BYTES: u64 = 1 << 30;
/// Statistics that lack more than one row of so many are those of another table.
const UNKNOWN_SHARE: u64 = 10;
/// What a piece has in bytes at least.
const LEAST_BYTES: u64 = 64 << 10;
/// What is thought to be a row, where nothing is known of its size.
pub(super) const ROW_BYTES: u64 = 100;

/// The pieces, in the order of the key or of the blocks, and which way they were cut.
pub(super) struct Pieces {
    pub(super) cuts: Vec<Cut>,
    pub(super) reason: String,
}

/// Cuts what was found into pieces for `workers`.
pub(super) struct Cutter<'a> {
    pub(super) facts: &'a Facts,
    pub(super) partitions: Partitions,
    pub(super) limits: CutLimits,
    pub(super) workers: u64,
    /// The columns that are read.
    pub(super) wanted: &'a [Ident],
}

impl Cutter<'_> {
    /// Cuts by ranges of the key.
    pub(super) fn by_key(&self, connection: &mut dyn Connection) -> Result<Pieces> {
        let Facts { key, unique, storage, .. } = self.facts;
        let known: Option<u64> = storage.parts.iter().map(|part| part.rows).sum();
        let estimate = known.filter(|_| !storage.parts.is_empty() && !storage.is_tree);
        let quantiles = storage.quantiles.len() as u64;
        let large = estimate.filter(|rows| *rows > COUNTED_ROWS && *unique && !self.is_fat());
        match (self.partitions, large, &key[..]) {
            (Partitions::Histogram, _, [only]) if quantiles > 2 => {
                self.by_histogram(connection, &only.name, estimate)
            }
            (Partitions::Histogram, ..) => Err(cannot("the database has no statistics on the key")
                .with_hint("ANALYZE the table, or cut it another way")),
            (Partitions::Sample, ..) if !storage.parts.is_empty() => {
                self.by_sample(connection, estimate)
            }
            (Partitions::Sample, ..) => Err(cannot("only a table can be sampled")),
            (Partitions::Auto | Partitions::AtLeast(_), Some(rows), [only])
                if self.row_size(rows).1 * quantiles.saturating_sub(1) >= rows
                    && self.are_known(connection, only, rows)? =>
            {
                self.by_histogram(connection, &only.name, estimate)
            }
            (Partitions::Auto | Partitions::AtLeast(_), Some(rows), names) => {
                let numbers = match names {
                    [only] => self.by_numbers(connection, only, rows)?,
                    _ => None,
                };
                numbers.map_or_else(|| self.by_sample(connection, estimate), Ok)
            }
            _ => self.by_count(connection),
        }
    }

    /// Whether the statistics tell of the rows that there are: what they do not know may all be in
    /// one piece, and lies behind their end where keys only grow.
    fn are_known(&self, connection: &mut dyn Connection, key: &Column, rows: u64) -> Result<bool> {
        let Facts { storage, relation, capabilities, .. } = self.facts;
        let changed: u64 = storage.parts.iter().filter_map(|part| part.changed_rows).sum();
        let [first, .., last] = &storage.quantiles[..] else { return Ok(false) };
        if changed > rows / UNKNOWN_SHARE {
            return Ok(false);
        }
        let ends = [first, last].map(|end| [Literal::Text(end.clone())]);
        let key = std::slice::from_ref(key);
        let (dialect, size) = (capabilities.dialect, self.row_size(rows).1);
        for (low, high) in [(None, Some(&ends[0][..])), (Some(&ends[1][..]), None)] {
            let beyond = partition::between(dialect, key, low, high)?.unwrap_or_default();
            if numbers(connection, &relation.count_some(&beyond, size))?[0] >= size {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How many pieces there should be, and how many rows to one of `rows`.
    pub(super) fn row_size(&self, rows: u64) -> (u64, u64) {
        let mut pieces = self.workers * PIECES_PER_WORKER;
        let mut least = LEAST_ROWS;
        if let Partitions::AtLeast(count) = self.partitions {
            (pieces, least) = (pieces.max(u64::from(count)), 1);
        } else {
            let few = rows / (self.workers * LEAST_PER_WORKER).max(1);
            least = least.max(few.min(WORTH_ROWS).min(self.limits.rows / 2));
        }
        let by_bytes = self.limits.bytes / self.average(rows).max(1);
        let most = self.limits.rows.min(by_bytes).max(1);
        let size = rows.div_ceil(pieces.max(1)).clamp(least.min(most), most);
        (pieces, size)
    }

    /// Bytes to a row.
    fn average(&self, rows: u64) -> u64 {
        match self.bytes() {
            0 => ROW_BYTES,
            bytes => (bytes / rows.max(1)).max(1),
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.facts.storage.parts.iter().map(|part| part.bytes + part.outside_bytes).sum()
    }

    /// Whether rows may differ so much in size that each has to be weighed: where much is kept
    /// outside of them, and where nobody tells.
    fn is_fat(&self) -> bool {
        let bytes: u64 = self.facts.storage.parts.iter().map(|part| part.bytes).sum();
        let outside: u64 = self.facts.storage.parts.iter().map(|part| part.outside_bytes).sum();
        outside * 4 > bytes || bytes == 0
    }

    /// What a piece of `rows` rows may have.
    pub(super) fn weights(&self, rows: u64) -> Weights {
        let (pieces, size) = self.row_size(rows);
        let columns = self.wanted.to_vec();
        if !self.is_fat() {
            return Weights { rows: size, bytes: None, columns };
        }
        // The average says nothing of rows that differ much: their bytes are counted instead.
        let even = rows.div_ceil(pieces.max(1)).clamp(1, self.limits.rows.max(1));
        let bytes = match self.bytes() {
            0 => self.limits.bytes,
            bytes => (bytes / pieces.max(1)).max(LEAST_BYTES).min(self.limits.bytes),
        };
        Weights { rows: even.max(size), bytes: Some(bytes.max(1)), columns }
    }

    /// Counts all rows, and cuts them in the order of the key, or by its numbers where it has few gaps:
    /// counting alone costs the database a twentieth of numbering them.
    fn by_count(&self, connection: &mut dyn Connection) -> Result<Pieces> {
        let Facts { relation, unique, key, .. } = self.facts;
        let counts = numbers(connection, &relation.count(&self.key_names()))?;
        let is_free = self.partitions != Partitions::Exact && *unique && !self.is_fat();
        if let [only] = &key[..]
            && is_free
            && counts[0] > WORTH_ROWS
            && let Some(pieces) = self.by_numbers(connection, only, counts[0])?
        {
            return Ok(pieces);
        }
        self.exactly(connection, counts)
    }

    /// Numbers all rows in the order of the key.
    fn exactly(&self, connection: &mut dyn Connection, counts: [u64; 2]) -> Result<Pieces> {
        let Facts { relation, unique, .. } = self.facts;
        let names = self.key_names();
        let [total, nulls] = counts;
        let weights = self.weights(total);
        let average = if weights.bytes.is_some() { 0 } else { self.average(total) };
        let mut cuts: Vec<Cut> = Vec::new();
        let (mut rows, mut bytes) = (0, 0);
        connection.query(&relation.cut_by_key(&names, *unique, &weights), &[], &mut |row| {
            let last =
                (0..names.len()).map(|index| literal(row.cell(index)?)).collect::<Result<_>>()?;
            let counted = number(row, names.len())?;
            let weighed = number(row, names.len() + 1)?;
            let piece = Piece::UpTo(Some(last));
            let size = if average == 0 { weighed - bytes } else { (counted - rows) * average };
            cuts.push(Cut { piece, rows: counted - rows, bytes: size });
            (rows, bytes) = (counted, weighed);
            Ok(())
        })?;
        self.bound_values(&cuts)?;
        let rows_each = weights.rows;
        self.close(&mut cuts, nulls);
        let how = if *unique { "" } else { "values of " };
        Ok(Pieces {
            cuts,
            reason: format!(
                "by exact ranges of {how}({}), at most {rows_each} rows{}: {}",
                list(&names),
                weights.bytes.map(|bytes| format!(" or {bytes} bytes")).unwrap_or_default(),
                if weights.bytes.is_some() {
                    "rows are weighed with what is kept outside of them"
                } else {
                    "it is small, or nothing is known of its key"
                }
            ),
        })
    }

    /// Rows with one value are in one piece, which must fit into memory.
    fn bound_values(&self, cuts: &[Cut]) -> Result<()> {
        let most = self.limits.rows * 20;
        match cuts.iter().map(|cut| cut.rows).max() {
            Some(rows) if rows > most && !self.facts.unique => Err(cannot(&format!(
                "{rows} rows have one value of the key, and a batch of {} rows bears {most}",
                self.limits.rows
            ))
            .with_hint("name a key whose values differ more, or none")),
            _ => Ok(()),
        }
    }

    /// Cuts at values that the database knows to part the key evenly.
    fn by_histogram(
        &self,
        connection: &mut dyn Connection,
        key: &Ident,
        estimate: Option<u64>,
    ) -> Result<Pieces> {
        let bounds = &self.facts.storage.quantiles;
        let rows = match estimate {
            Some(rows) => rows,
            None => numbers(connection, &self.facts.relation.count(&[]))?[0],
        };
        let buckets = bounds.len() as u64 - 1;
        let (pieces, size) = self.row_size(rows);
        let wanted = pieces.max(rows.div_ceil(size)).min(buckets);
        // The ends are open: statistics are of yesterday.
        let inner = (1..wanted).map(|piece| bounds[(piece * buckets / wanted) as usize].clone());
        let mut inner: Vec<_> = inner.collect();
        inner.dedup();
        Ok(Pieces {
            cuts: self.even(inner.into_iter().map(|value| vec![Literal::Text(value)]), rows),
            reason: format!("by ranges of ({}) from the statistics of the database", key.as_str()),
        })
    }

    /// Cuts at values that part a sample evenly.
    fn by_sample(&self, connection: &mut dyn Connection, estimate: Option<u64>) -> Result<Pieces> {
        let rows = match estimate {
            Some(rows) => rows,
            None => numbers(connection, &self.facts.relation.count(&[]))?[0],
        };
        let names = self.key_names();
        let (pieces, size) = self.row_size(rows);
        let wanted = pieces.max(rows.div_ceil(size)).max(1);
        let percent = (wanted * SAMPLED_ROWS * 100) as f64 / rows.max(1) as f64;
        let percent = percent.clamp(0.1, 100.0);
        let mut inner: Vec<Vec<_>> = Vec::new();
        let of = if self.bytes() <= SCANNED_BYTES { Sampled::Rows } else { Sampled::Blocks };
        let sql = self.facts.relation.sample(&names, of, percent, wanted);
        connection.query(&sql, &[], &mut |row| {
            let value = (0..names.len()).map(|index| literal(row.cell(index)?));
            inner.push(value.collect::<Result<_>>()?);
            Ok(())
        })?;
        inner.dedup();
        Ok(Pieces {
            cuts: self.even(inner.into_iter(), rows),
            reason: format!(
                "by ranges of ({}) from a sample of {percent:.1} % of its {}",
                list(&names),
                if of == Sampled::Rows { "rows" } else { "blocks" }
            ),
        })
    }

    fn key_names(&self) -> Vec<Ident> {
        self.facts.key.iter().map(|column| column.name.clone()).collect()
    }

    /// Pieces that end at `inner`, with the same share of `rows`.
    pub(super) fn even(&self, inner: impl Iterator<Item = Vec<Literal>>, rows: u64) -> Vec<Cut> {
        let ends: Vec<_> = inner.map(Some).chain([None]).collect();
        let count = ends.len() as u64;
        let average = self.average(rows);
        let mut cuts: Vec<_> = (0..)
            .zip(ends)
            .map(|(piece, end)| {
                let share = (piece + 1) * rows / count - piece * rows / count;
                Cut { piece: Piece::UpTo(end), rows: share, bytes: share * average }
            })
            .collect();
        self.close(&mut cuts, 0);
        cuts
    }

    /// Opens the end, and adds what has no key.
    fn close(&self, cuts: &mut Vec<Cut>, nulls: u64) {
        match cuts.last_mut() {
            Some(last) => last.piece = Piece::UpTo(None),
            None => cuts.push(Cut { piece: Piece::UpTo(None), rows: 0, bytes: 0 }),
        }
        if let [only] = &self.facts.key[..]
            && only.nullable
        {
            let bytes = nulls * self.average(nulls);
            cuts.push(Cut { piece: Piece::Null, rows: nulls, bytes });
        }
    }
}

/// In which order the pieces are done: those that are much larger than the others first, so that
/// no worker is left with one of them at the end. Empty for their own order.
pub(super) fn order(cuts: &[Cut]) -> Vec<u32> {
    let total: u64 = cuts.iter().map(|cut| cut.bytes).sum();
    let much = 2 * total / (cuts.len() as u64).max(1);
    if cuts.iter().all(|cut| cut.bytes <= much) {
        return Vec::new();
    }
    let mut order: Vec<u32> = (0..cuts.len() as u32).collect();
    order.sort_by_key(|&at| {
        let bytes = cuts[at as usize].bytes;
        (std::cmp::Reverse(if bytes > much { bytes } else { 0 }), at)
    });
    order
}

pub(super) fn cannot(why: &str) -> Error {
    Error::new(ErrorKind::Config, format!("the source cannot be cut so: {why}"))
}

fn list(names: &[Ident]) -> String {
    names.iter().map(Ident::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(bytes: u64) -> Cut {
        Cut { piece: Piece::Null, rows: 1, bytes }
    }

    #[test]
    fn what_is_much_larger_than_the_rest_comes_first() {
        assert!(order(&[cut(3), cut(4), cut(3)]).is_empty());
        let cuts = [cut(3), cut(2), cut(100), cut(3), cut(50), cut(1)];
        assert_eq!(order(&cuts), [2, 0, 1, 3, 4, 5]);
        assert!(order(&[]).is_empty());
    }
}
