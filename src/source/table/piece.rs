//! A part of a source in a database, and the memo that keeps all of them.

use super::consistency::Consistency;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{Ident, TableName};
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::mapping::key_range::KeyRange;
use crate::sql::dialect::Dialect;
use crate::sql::literal::Literal;
use crate::sql::partition::{self, Relation};
use serde::{Deserialize, Serialize};

/// A part of a source in a database: the rows of one batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Piece {
    /// Rows whose key is not behind this one, and behind that of the piece with keys before it; all
    /// the others for the last.
    #[serde(rename = "k")]
    UpTo(Option<Vec<Literal>>),
    /// Rows without a key.
    #[serde(rename = "n")]
    Null,
    /// Blocks of the table of that number, from one to before another; all behind it for the last.
    #[serde(rename = "b")]
    Blocks(u32, u64, Option<u64>),
}

/// A piece, and what is thought to be in it.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    pub(super) piece: Piece,
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

/// What the ledger keeps of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Memo {
    version: u32,
    consistency: String,
    /// The columns of the key.
    pub(super) key: Vec<String>,
    /// What differs once a row was changed.
    pub(super) changes: Option<String>,
    /// The tables that have blocks.
    tables: Vec<(Option<String>, String)>,
    /// In which order the pieces are batches; in their own, where it is empty.
    order: Vec<u32>,
    pieces: Vec<Piece>,
}

/// The version of memos that this crate writes.
const VERSION: u32 = 1;

impl Memo {
    pub(super) fn new(
        consistency: Consistency,
        key: &[Column],
        changes: Option<String>,
        tables: &[TableName],
        order: Vec<u32>,
        pieces: Vec<Piece>,
    ) -> Self {
        let name = |table: &TableName| {
            let schema = table.schema.as_ref().map(|schema| schema.as_str().to_owned());
            (schema, table.table.as_str().to_owned())
        };
        Self {
            version: VERSION,
            consistency: consistency.name().to_owned(),
            key: key.iter().map(|column| column.name.as_str().to_owned()).collect(),
            changes,
            tables: tables.iter().map(name).collect(),
            order,
            pieces,
        }
    }

    pub(super) fn write(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| unreadable().with_source(error))
    }

    pub(super) fn read(text: &str) -> Result<Self> {
        let memo: Self =
            serde_json::from_str(text).map_err(|error| unreadable().with_source(error))?;
        if memo.version == VERSION { Ok(memo) } else { Err(unreadable()) }
    }

    pub(super) fn consistency(&self) -> Result<Consistency> {
        let mut names = Consistency::NAMES.into_iter();
        let found = names.find(|(name, _)| *name == self.consistency);
        found.map(|(_, consistency)| consistency).ok_or_else(unreadable)
    }

    /// Where batch `number` is read: from what, and under which condition.
    pub(super) fn place(
        &self,
        number: u32,
        whole: &Relation,
        key: &[Column],
        dialect: Dialect,
    ) -> Result<(Relation, Option<String>)> {
        let at = self.piece_of(number).ok_or_else(unreadable)?;
        Ok(match self.pieces.get(at).ok_or_else(unreadable)? {
            Piece::UpTo(high) => {
                let low = match at.checked_sub(1).and_then(|before| self.pieces.get(before)) {
                    Some(Piece::UpTo(low)) => low.as_deref(),
                    _ => None,
                };
                let condition = partition::between(dialect, key, low, high.as_deref())?;
                // Without bounds, those without a key are a piece of their own all the same.
                let there = match (key, &condition) {
                    ([only], None) if only.nullable => {
                        Some(format!("NOT ({})", partition::is_null(&only.name)))
                    }
                    _ => None,
                };
                (whole.clone(), condition.or(there))
            }
            Piece::Null => {
                let only = key.first().ok_or_else(unreadable)?;
                (whole.clone(), Some(partition::is_null(&only.name)))
            }
            Piece::Blocks(table, start, end) => {
                let table = self.table(*table)?;
                (Relation::only(dialect, &table), Some(partition::blocks(*start, *end)))
            }
        })
    }

    /// Which piece batch `number` is.
    fn piece_of(&self, number: u32) -> Option<usize> {
        match &self.order[..] {
            [] => Some(number as usize),
            order => order.get(number as usize).map(|&at| at as usize),
        }
    }

    /// The range of batch `number`, where batches are ranges of whole numbers that are the `key`, of a
    /// database with types. What cannot be told is an empty range: none has a number of another one.
    pub(super) fn key_range(&self, number: u32, key: &[Column]) -> Option<KeyRange> {
        use ColumnType::{Int2, Int4, Int8};
        let whole = matches!(key, [only] if matches!(only.column_type, Int2 | Int4 | Int8));
        if !whole || self.has_blocks() {
            return None;
        }
        let at = self.piece_of(number);
        Some(at.and_then(|at| self.range_of(at)).unwrap_or(KeyRange::EMPTY))
    }

    fn range_of(&self, at: usize) -> Option<KeyRange> {
        let bound = |piece: &Piece| match piece {
            Piece::UpTo(None) | Piece::Null => Some(None),
            Piece::UpTo(Some(values)) => match &values[..] {
                [Literal::Text(number)] => number.parse().ok().map(Some),
                _ => None,
            },
            Piece::Blocks(..) => None,
        };
        let piece = self.pieces.get(at).filter(|piece| matches!(piece, Piece::UpTo(_)))?;
        let before = at.checked_sub(1).and_then(|before| self.pieces.get(before));
        Some(KeyRange { behind: before.map_or(Some(None), bound)?, last: bound(piece)? })
    }

    /// Whether batch `number` is a range of blocks.
    pub(super) fn has_blocks(&self) -> bool {
        matches!(self.pieces.first(), Some(Piece::Blocks(..)))
    }

    fn table(&self, number: u32) -> Result<TableName> {
        let (schema, table) = self.tables.get(number as usize).ok_or_else(unreadable)?;
        let schema = schema.as_deref().map(Ident::new).transpose()?;
        Ok(TableName { schema, table: Ident::new(table.as_str())? })
    }
}

fn unreadable() -> Error {
    Error::new(ErrorKind::Ledger, "the plan of the source in the ledger cannot be read")
        .with_hint("use the program that wrote it, or a newer one")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up_to(text: &str) -> Piece {
        Piece::UpTo(Some(vec![Literal::Text(text.to_owned())]))
    }

    fn memo(order: Vec<u32>, pieces: Vec<Piece>) -> (Memo, Vec<Column>) {
        let key = vec![Column::new(Ident::new("Id").unwrap(), ColumnType::Int8)];
        let tables = [TableName::parse("s.t").unwrap()];
        (Memo::new(Consistency::PerBatch, &key, None, &tables, order, pieces), key)
    }

    fn conditions(memo: &Memo, key: &[Column]) -> Vec<String> {
        let whole = Relation::table(Dialect::PostgreSql, &TableName::parse("t").unwrap());
        (0..memo.pieces.len() as u32)
            .map(|number| {
                let place = memo.place(number, &whole, key, Dialect::PostgreSql).unwrap();
                place.1.unwrap_or_default()
            })
            .collect()
    }

    #[test]
    fn ranges_touch_and_their_ends_are_open_and_null_is_told() {
        let pieces = vec![up_to("-5"), up_to("7"), Piece::UpTo(None), Piece::Null];
        let (memo, key) = memo(Vec::new(), pieces);
        let expected = [
            r#"t."Id" <= CAST('-5' AS bigint)"#,
            r#"t."Id" > CAST('-5' AS bigint) AND t."Id" <= CAST('7' AS bigint)"#,
            r#"t."Id" > CAST('7' AS bigint)"#,
            r#"t."Id" IS NULL"#,
        ];
        assert_eq!(conditions(&memo, &key), expected);
    }

    #[test]
    fn ranges_of_whole_numbers_are_told() {
        let range = |behind, last| Some(KeyRange { behind, last });
        let pieces = vec![up_to("-5"), up_to("7"), Piece::UpTo(None), Piece::Null];
        let (mut memo, mut key) = memo(vec![2, 0, 1, 3], pieces);
        assert_eq!(memo.key_range(0, &key), range(Some(7), None));
        assert_eq!(memo.key_range(1, &key), range(None, Some(-5)));
        assert_eq!(memo.key_range(2, &key), range(Some(-5), Some(7)));
        for number in [3, 4] {
            assert_eq!(memo.key_range(number, &key), Some(KeyRange::EMPTY));
        }
        memo.pieces[0] = Piece::UpTo(Some(vec![Literal::Integer(-5)]));
        for number in [1, 2] {
            assert_eq!(memo.key_range(number, &key), Some(KeyRange::EMPTY));
        }
        assert!([i64::MIN, 0, i64::MAX].iter().all(|&number| !KeyRange::EMPTY.contains(number)));
        memo.pieces[0] = Piece::Blocks(0, 0, None);
        assert_eq!(memo.key_range(1, &key), None);
        memo.pieces[0] = up_to("-5");
        key[0].column_type = ColumnType::Text;
        assert_eq!(memo.key_range(1, &key), None);
    }

    #[test]
    fn a_single_range_leaves_out_what_has_no_key() {
        let (memo, key) = memo(Vec::new(), vec![Piece::UpTo(None), Piece::Null]);
        assert_eq!(conditions(&memo, &key), [r#"NOT (t."Id" IS NULL)"#, r#"t."Id" IS NULL"#]);
    }

    #[test]
    fn what_was_written_is_read_back_exactly_and_batches_have_an_order_of_their_own() {
        let odd = Literal::Real((0.1_f64 + 0.2).to_bits());
        let pieces = vec![
            Piece::UpTo(Some(vec![odd, Literal::Blob(vec![0, 255]), Literal::Integer(i64::MIN)])),
            Piece::Blocks(0, 3, Some(9)),
        ];
        let (memo, _) = memo(vec![1, 0], pieces);
        assert_eq!(Memo::read(&memo.write().unwrap()).unwrap(), memo);
        let whole = Relation::table(Dialect::PostgreSql, &TableName::parse("t").unwrap());
        let (_, condition) = memo.place(0, &whole, &[], Dialect::PostgreSql).unwrap();
        let expected = "t.ctid >= CAST('(3,0)' AS tid) AND t.ctid < CAST('(9,0)' AS tid)";
        assert_eq!(condition.as_deref(), Some(expected));
    }
}
