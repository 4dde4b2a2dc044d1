//! The table in which a job collects its rows before they are merged.
//!
//! It has the columns of the layout, without constraints, and four of its own:
//!
//! ```text
//! _rowmill_bucket   the merge that brings the row in; rows of one key share a bucket
//! _rowmill_batch    where the row stands in the input: its batch
//! _rowmill_index    and its number in the batch, from 0
//! _rowmill_state    0 named (rejected, but its key was read; or done), 1 live, 2 deferred, 3 hidden,
//!                   4 stored, 5 live in place of a stored one, 6 touched, 7 live in place of a touched
//!                   one, 8 a note of stored keys, 9 a note of touched ones
//! _rowmill_keys     of a note, the keys; else nothing
//! ```
//!
//! A *deferred* row met a row that another merge has not brought in or taken out yet (a unique or
//! foreign key): it gets its second chance when everything else is in. A *hidden* row stands for
//! one that was refused and may name any key; it carries no values. A *stored* row was put into the
//! target by its own batch; only its key is staged, so that the order of the input decides between it
//! and live rows. A *touched* row is one that the target may have had before. A *note* has the keys of a whole
//! batch of either kind, packed: it becomes rows where there are live ones.

use super::dialect::Dialect;
use super::ledger::LedgerName;
use crate::error::Result;
use crate::ident::{Ident, TableName};
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;

/// The states of a staged row.
pub mod state {
    /// Rejected, but its key was read: the source still names it. Also a deferred row that is done.
    pub const NAMED: i16 = 0;
    /// To be merged.
    pub const LIVE: i16 = 1;
    /// To be merged once everything else is in.
    pub const DEFERRED: i16 = 2;
    /// Refused, and nobody can tell its key; it is in the first bucket.
    pub const HIDDEN: i16 = 3;
    /// In the target already; it carries its key alone.
    pub const STORED: i16 = 4;
    /// To be merged, where a row of the same key is stored.
    pub const REPLACING: i16 = 5;
    /// In the target already, where its key may have been before; it carries its key alone.
    pub const TOUCHED: i16 = 6;
    /// To be merged, where a row of the same key is touched.
    pub const SUCCEEDING: i16 = 7;
    /// The keys of a batch whose rows are all stored.
    pub const STORED_NOTE: i16 = 8;
    /// The keys of a batch whose rows are touched.
    pub const TOUCHED_NOTE: i16 = 9;
}

/// A stage table, on paper.
#[derive(Clone, Debug)]
pub struct StageTable {
    /// Its name.
    pub name: TableName,
    /// How its database spells SQL.
    pub dialect: Dialect,
    /// The columns of the layout.
    pub columns: Vec<Column>,
    /// Which of them are the key; empty without one.
    pub key: Vec<usize>,
}

impl StageTable {
    /// The stage of job `job_id` beside the ledger `rowmill`.
    ///
    /// # Errors
    /// Never in practice: the name is made here.
    pub fn of_job(
        dialect: Dialect,
        job_id: i64,
        columns: &[Column],
        key: &[usize],
    ) -> Result<Self> {
        Self::beside(dialect, &LedgerName::default(), job_id, columns, key)
    }

    /// The stage of job `job_id` beside the ledger of that name.
    ///
    /// # Errors
    /// Never in practice: the name is made here.
    pub fn beside(
        dialect: Dialect,
        ledger: &LedgerName,
        job_id: i64,
        columns: &[Column],
        key: &[usize],
    ) -> Result<Self> {
        let name = dialect.own_table_in(ledger.as_str(), &format!("stage_{job_id}"))?;
        Ok(Self { name, dialect, columns: columns.to_vec(), key: key.to_vec() })
    }

    /// A stage for the rest of a transaction, which nobody else sees.
    ///
    /// # Errors
    /// Never in practice: the name is made here.
    pub fn temporary(dialect: Dialect, columns: &[Column], key: &[usize]) -> Result<Self> {
        let name = match dialect {
            Dialect::PostgreSql => TableName {
                schema: Some(Ident::new("pg_temp")?),
                table: Ident::new("rowmill_suspects")?,
            },
            // A transaction that writes has the whole database: nobody else sees it there either.
            Dialect::Sqlite => dialect.own_table("suspects")?,
        };
        Ok(Self { name, dialect, columns: columns.to_vec(), key: key.to_vec() })
    }

    /// The columns rows are loaded into: the layout's, as they are staged, and rowmill's own.
    ///
    /// # Errors
    /// Never in practice: the names are made here.
    pub fn load_columns(&self) -> Result<Vec<Column>> {
        let staged = |column: &Column| {
            let text = column.column_type.travels_as_text();
            let staged = if text { ColumnType::Text } else { column.column_type.clone() };
            Column::new(column.name.clone(), staged)
        };
        let mut columns: Vec<_> = self.columns.iter().map(staged).collect();
        for (name, column_type) in OWN_COLUMNS {
            columns.push(Column::new(Ident::new(name)?, column_type));
        }
        Ok(columns)
    }

    /// Creates it. Notes are not compressed, which would cost more than to write them.
    pub fn create(&self) -> String {
        let create = format!("CREATE TABLE {} ({})", self.name, self.definitions());
        match self.dialect {
            Dialect::PostgreSql => format!(
                "{create}; ALTER TABLE {} ALTER COLUMN _rowmill_keys SET STORAGE EXTERNAL",
                self.name
            ),
            Dialect::Sqlite => create,
        }
    }

    /// Creates it so that it goes away with the transaction; where there is no such table, it has to
    /// be dropped before.
    pub fn create_temporary(&self) -> String {
        if self.dialect == Dialect::Sqlite {
            return self.create();
        }
        format!("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP", self.name, self.definitions())
    }

    fn definitions(&self) -> String {
        let mut parts: Vec<String> = self
            .columns
            .iter()
            .map(|column| {
                format!("{} {}", column.name, self.dialect.staged_type_name(&column.column_type))
            })
            .collect();
        for (name, column_type) in OWN_COLUMNS {
            parts.push(format!("{name} {} NOT NULL", self.dialect.type_name(&column_type)));
        }
        parts.push(format!("_rowmill_keys {}", self.dialect.type_name(&ColumnType::Bytea)));
        parts.join(", ")
    }

    /// Notes the keys of batches: arrays of the keys `$1`, of the batches `$2` and of the states `$3`.
    pub fn note(&self) -> String {
        format!(
            "INSERT INTO {} (_rowmill_keys, _rowmill_bucket, _rowmill_batch, _rowmill_index, \
             _rowmill_state) SELECT u.c1, 0, u.c2, -1, u.c3 \
             FROM unnest($1::bytea[], $2::integer[], $3::smallint[]) AS u(c1, c2, c3)",
            self.name
        )
    }

    /// The batches of which keys are noted, and the states of the notes.
    pub fn noted_batches(&self) -> String {
        format!("SELECT _rowmill_batch, _rowmill_state FROM {} WHERE {}", self.name, is_note())
    }

    /// The keys that are noted of batch `$1`.
    pub fn noted(&self) -> String {
        format!(
            "SELECT _rowmill_keys FROM {} WHERE _rowmill_batch = $1 AND {}",
            self.name,
            is_note()
        )
    }

    /// Forgets all notes.
    pub fn drop_notes(&self) -> String {
        format!("DELETE FROM {} WHERE {}", self.name, is_note())
    }

    /// Drops it, if it is there.
    pub fn drop(&self) -> String {
        format!("DROP TABLE IF EXISTS {}", self.name)
    }

    /// What keeps everybody from writing it until the transaction ends, and has its commit wait for
    /// the disk: the first part of making it fit for merging. The same of a process that died may still
    /// be under way: its end is waited for, or two would meet in the catalog's unique indexes.
    pub fn close(&self) -> Vec<String> {
        let mut statements: Vec<_> = self.dialect.lock_writers(&self.name).into_iter().collect();
        statements.extend(self.dialect.wait_for_disk().map(str::to_owned));
        statements
    }

    /// The index by which it is told, of many buckets, which have live rows. Can be repeated.
    pub fn index_live(&self) -> String {
        let live = state::LIVE;
        self.index("live", &format!("(_rowmill_bucket) WHERE _rowmill_state = {live}"))
    }

    /// The query that has a row if there are live rows.
    pub fn has_live(&self) -> String {
        format!("SELECT 1 FROM {} WHERE _rowmill_state = {} LIMIT 1", self.name, state::LIVE)
    }

    /// The query that has a row if there are so many rows that an index of them is worth its making;
    /// nothing where it always is, for there is no other way to join than by an index.
    pub fn is_large(&self) -> Option<String> {
        let sql = format!("SELECT 1 FROM {} LIMIT 1 OFFSET {SMALL_ROWS}", self.name);
        (self.dialect != Dialect::Sqlite).then_some(sql)
    }

    /// The second part, once all rows are in: indexes and statistics. Can be repeated.
    pub fn index_all(&self) -> Vec<String> {
        let place = "(_rowmill_bucket, _rowmill_batch, _rowmill_index)";
        let mut statements = vec![self.index("bucket", place)];
        // SQLite has no hash join: what PostgreSQL finds by hashing needs an index there.
        if self.dialect == Dialect::Sqlite && !self.key.is_empty() {
            statements.push(self.index("key", &format!("({})", self.key_names().join(", "))));
        }
        statements.push(self.analyze());
        statements
    }

    /// Tells the planner how many rows there are. Without it a merge is planned for one row, and may
    /// hold each row of the target against each of the stage.
    pub fn analyze(&self) -> String {
        format!("ANALYZE {}", self.name)
    }

    fn index(&self, suffix: &str, what: &str) -> String {
        let name = format!("\"{}_{suffix}\"", self.name.table.as_str());
        format!("CREATE INDEX IF NOT EXISTS {name} ON {} {what}", self.name)
    }

    /// The quoted names of the key's columns.
    pub fn key_names(&self) -> Vec<String> {
        self.key.iter().map(|&index| self.columns[index].name.to_string()).collect()
    }
}

fn is_note() -> String {
    format!("_rowmill_state IN ({}, {})", state::STORED_NOTE, state::TOUCHED_NOTE)
}

/// So many rows are read from end to end, for each of a few buckets, sooner than indexes are made.
const SMALL_ROWS: u32 = 100_000;

const OWN_COLUMNS: [(&str, ColumnType); 4] = [
    ("_rowmill_bucket", ColumnType::Int4),
    ("_rowmill_batch", ColumnType::Int4),
    ("_rowmill_index", ColumnType::Int4),
    ("_rowmill_state", ColumnType::Int2),
];

/// How many columns a stage has beside those of the layout.
pub const OWN_COLUMN_COUNT: u16 = OWN_COLUMNS.len() as u16;
