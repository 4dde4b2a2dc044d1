//! The statements that cut a table, or what a query yields, and read a part of it.
//!
//! None of them has parameters: what is read in bulk (`COPY (...) TO`) takes none, so that the
//! values of keys stand in the text as [`Literal`]s.

use super::dialect::Dialect;
use super::literal::{Literal, quoted};
use crate::error::Result;
use crate::ident::{Ident, TableName};
use crate::mapping::column::Column;

/// What is cut and read: a table or a query, with the name `t`.
#[derive(Clone, Debug)]
pub struct Relation {
    from: String,
    dialect: Dialect,
}

/// How rows are weighed where a table is cut.
#[derive(Clone, Debug)]
pub struct Weights {
    /// Rows of a part at most.
    pub rows: u64,
    /// Bytes of a part at most, but for a row that is larger; `None` where bytes are not looked at.
    pub bytes: Option<u64>,
    /// The columns whose bytes are counted.
    pub columns: Vec<Ident>,
}

/// What a sample is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampled {
    /// Rows anywhere: all blocks are read.
    Rows,
    /// All rows of some blocks. Where the key goes with the order of the rows, as that of a table that
    /// only grows does, they are next to each other: what lies between two blocks is not seen.
    Blocks,
}

impl Relation {
    /// A table, with all that inherit from it.
    pub fn table(dialect: Dialect, table: &TableName) -> Self {
        Self { from: format!("{table} AS t"), dialect }
    }

    /// A table alone, without those that inherit from it.
    pub fn only(dialect: Dialect, table: &TableName) -> Self {
        let only = if dialect == Dialect::PostgreSql { "ONLY " } else { "" };
        Self { from: format!("{only}{table} AS t"), dialect }
    }

    /// What one query yields; it must be one statement.
    pub fn query(dialect: Dialect, sql: &str) -> Self {
        // The line end keeps a comment at the end of the query within it.
        Self { from: format!("({sql}\n) AS t"), dialect }
    }

    /// Reads `expressions` of the rows for which `condition` holds, in the order of `key`.
    pub fn select(&self, expressions: &[String], condition: Option<&str>, key: &[Ident]) -> String {
        let filter = condition.map(|condition| format!(" WHERE {condition}")).unwrap_or_default();
        let order = if key.is_empty() { String::new() } else { format!(" ORDER BY {}", of(key)) };
        format!("SELECT {} FROM {}{filter}{order}", expressions.join(", "), self.from)
    }

    /// Counts the rows, and those without a value of the key.
    pub fn count(&self, key: &[Ident]) -> String {
        let nulls = match key {
            [only] => format!("count(*) - count(t.{only})"),
            _ => "CAST(0 AS bigint)".to_owned(),
        };
        format!("SELECT count(*), {nulls} FROM {}", self.from)
    }

    /// The first and the last value of a key that is a whole number.
    pub fn ends(&self, key: &Ident) -> String {
        format!(
            "SELECT CAST(min(t.{key}) AS bigint), CAST(max(t.{key}) AS bigint) FROM {}",
            self.from
        )
    }

    /// Counts the rows for which `condition` holds, and no more than `most`.
    pub fn count_some(&self, condition: &str, most: u64) -> String {
        format!(
            "SELECT count(*), CAST(0 AS bigint) \
             FROM (SELECT 1 FROM {} WHERE {condition} LIMIT {most}) AS t",
            self.from
        )
    }

    /// Counts the rows of about `percent` % of a table's blocks.
    pub fn count_sample(&self, percent: f64) -> String {
        format!(
            "SELECT count(*), CAST(0 AS bigint) \
             FROM {} TABLESAMPLE SYSTEM ({percent}) REPEATABLE (20260829)",
            self.from
        )
    }

    /// The last key of each part, and how many rows and bytes there are up to it, in the order of
    /// the key: one pass over the rows, in the database. Rows with equal keys are in one part
    /// unless the key is `unique`.
    pub fn cut_by_key(&self, key: &[Ident], unique: bool, weights: &Weights) -> String {
        let there = match key {
            [only] => format!(" WHERE t.{only} IS NOT NULL"),
            _ => String::new(),
        };
        let names = of(key);
        let shown: Vec<_> =
            key.iter().map(|name| self.dialect.key_to_read(&format!("t.{name}"))).collect();
        let weighed = self.weight(weights);
        let frame = if unique { "ROWS" } else { "RANGE" };
        let inner = format!(
            "SELECT {names}, row_number() OVER (ORDER BY {names}) AS _rowmill_place, \
             sum({weighed}) OVER (ORDER BY {names} {frame} UNBOUNDED PRECEDING) AS _rowmill_bytes, \
             {} AS _rowmill_part FROM {}{there}",
            group(&names, unique, weights, &weighed),
            self.from
        );
        format!(
            "SELECT {}, _rowmill_place, CAST(_rowmill_bytes AS bigint) FROM (SELECT t.*, \
             lead(_rowmill_part) OVER (ORDER BY _rowmill_place) AS _rowmill_behind \
             FROM ({inner}) AS t) AS t \
             WHERE _rowmill_behind IS DISTINCT FROM _rowmill_part ORDER BY _rowmill_place",
            shown.join(", ")
        )
    }

    /// About `count` keys that part a sample of `percent` % of a table's rows, or of its blocks, evenly.
    pub fn sample(&self, key: &[Ident], sampled: Sampled, percent: f64, count: u64) -> String {
        let way = match sampled {
            Sampled::Rows => "BERNOULLI",
            Sampled::Blocks => "SYSTEM",
        };
        let names = of(key);
        let shown: Vec<_> =
            key.iter().map(|name| self.dialect.key_to_read(&format!("t.{name}"))).collect();
        let there = match key {
            [only] => format!(" WHERE t.{only} IS NOT NULL"),
            _ => String::new(),
        };
        format!(
            "SELECT {} FROM (SELECT {names}, _rowmill_place * {count} / _rowmill_total AS _rowmill_part, \
             lead(_rowmill_place * {count} / _rowmill_total) OVER (ORDER BY _rowmill_place) AS _rowmill_behind, \
             _rowmill_place FROM (\
             SELECT {names}, row_number() OVER (ORDER BY {names}) AS _rowmill_place, \
             count(*) OVER () AS _rowmill_total \
             FROM {} TABLESAMPLE {way} ({percent}) REPEATABLE (20260829){there}) AS t) AS t \
             WHERE _rowmill_behind <> _rowmill_part ORDER BY _rowmill_place",
            shown.join(", "),
            self.from
        )
    }

    /// How many rows and bytes the blocks of a table have, as parts of consecutive blocks: the last
    /// block of each, and the rows and bytes up to it.
    pub fn cut_by_block(&self, weights: &Weights) -> String {
        let weighed = self.weight(weights);
        let block = "CAST((CAST(CAST(t.ctid AS text) AS point))[0] AS bigint)";
        let cost = cost(weights, "rows", "bytes");
        let size = unit_of(weights);
        format!(
            "SELECT block, CAST(row_sum AS bigint), CAST(byte_sum AS bigint) FROM (\
             SELECT b.*, lead(part) OVER (ORDER BY block) AS behind FROM (\
             SELECT block, sum(rows) OVER w AS row_sum, sum(bytes) OVER w AS byte_sum, \
             CAST(sum({cost}) OVER w AS bigint) / {size} AS part FROM (\
             SELECT {block} AS block, count(*) AS rows, sum({weighed}) AS bytes FROM {} GROUP BY 1\
             ) AS a WINDOW w AS (ORDER BY block)) AS b) AS c \
             WHERE behind IS DISTINCT FROM part ORDER BY block",
            self.from
        )
    }

    /// The bytes of a row, as the database keeps them.
    fn weight(&self, weights: &Weights) -> String {
        if weights.bytes.is_none() || weights.columns.is_empty() {
            return "CAST(0 AS bigint)".to_owned();
        }
        let size = self.dialect.stored_size();
        let sizes: Vec<_> =
            weights.columns.iter().map(|name| format!("coalesce({size}(t.{name}), 0)")).collect();
        format!("CAST({} AS bigint)", sizes.join(" + "))
    }
}

/// The number of the part to which a row belongs.
fn group(names: &str, unique: bool, weights: &Weights, weighed: &str) -> String {
    let frame = if unique { "ROWS" } else { "RANGE" };
    match weights.bytes {
        None => {
            let number = if unique { "row_number" } else { "rank" };
            format!("({number}() OVER (ORDER BY {names}) - 1) / {}", weights.rows.max(1))
        }
        Some(_) => format!(
            "CAST(sum({}) OVER (ORDER BY {names} {frame} UNBOUNDED PRECEDING) AS bigint) / {}",
            cost(weights, "1", weighed),
            unit_of(weights)
        ),
    }
}

/// What rows and bytes cost together, where a part that is full has cost a unit.
fn cost(weights: &Weights, rows: &str, bytes: &str) -> String {
    let most = weights.bytes.unwrap_or(1).max(1);
    let kib = most.div_ceil(1024);
    format!("{rows} * {kib} + {bytes} * {} / 1024", weights.rows.max(1))
}

fn unit_of(weights: &Weights) -> u64 {
    weights.rows.max(1) * weights.bytes.unwrap_or(1).max(1).div_ceil(1024)
}

fn of(key: &[Ident]) -> String {
    key.iter().map(|name| format!("t.{name}")).collect::<Vec<_>>().join(", ")
}

/// Rows whose key lies behind `low` and not behind `high`.
///
/// # Errors
/// As [`Literal::sql`].
pub fn between(
    dialect: Dialect,
    key: &[Column],
    low: Option<&[Literal]>,
    high: Option<&[Literal]>,
) -> Result<Option<String>> {
    let mut conditions = Vec::new();
    for (operator, bound) in [(">", low), ("<=", high)] {
        if let Some(bound) = bound {
            let names: Vec<_> = key.iter().map(|column| format!("t.{}", column.name)).collect();
            let values = key
                .iter()
                .zip(bound)
                .map(|(column, value)| value.sql(dialect, &dialect.key_type(column)))
                .collect::<Result<Vec<_>>>()?;
            conditions.push(match &names[..] {
                [only] => format!("{only} {operator} {}", values.join(", ")),
                _ => format!("({}) {operator} ({})", names.join(", "), values.join(", ")),
            });
        }
    }
    Ok((!conditions.is_empty()).then(|| conditions.join(" AND ")))
}

/// Rows without a value of the key.
pub fn is_null(key: &Ident) -> String {
    format!("t.{key} IS NULL")
}

/// Rows of the blocks from `start` on, and before `end` where there is one.
pub fn blocks(start: u64, end: Option<u64>) -> String {
    let from = format!("t.ctid >= CAST('({start},0)' AS tid)");
    match end {
        Some(end) => format!("{from} AND t.ctid < CAST('({end},0)' AS tid)"),
        None => from,
    }
}

/// The query for the types of `columns` of what a query yields: one row of their names; `None`
/// where values have no types.
pub fn types_of(dialect: Dialect, sql: &str, columns: &[Ident]) -> Option<String> {
    let names: Vec<_> =
        columns.iter().map(|name| format!("CAST(pg_typeof(t.{name}) AS text)")).collect();
    (dialect == Dialect::PostgreSql).then(|| {
        format!(
            "SELECT {} FROM (SELECT 1) AS one LEFT JOIN (SELECT * FROM ({sql}\n) AS q LIMIT 0) AS t \
             ON true",
            names.join(", ")
        )
    })
}

/// What a transaction that only reads needs behind its `BEGIN`; `snapshot` is one that another
/// transaction exported.
pub fn begin_reading(snapshot: Option<&str>) -> String {
    let mut sql = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; ".to_owned();
    if let Some(snapshot) = snapshot {
        sql.extend(["SET TRANSACTION SNAPSHOT ", &quoted(snapshot), "; "]);
    }
    // Without the first, the planner may read the whole table with several processes where a range
    // of blocks is asked for.
    sql.push_str("SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off");
    sql
}

/// What the transaction that holds a snapshot for others runs first. `tables` are kept from being
/// rewritten or emptied meanwhile: neither waits for a snapshot.
pub fn begin_holding(tables: &[TableName]) -> String {
    let mut sql = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; \
                   SET LOCAL idle_in_transaction_session_timeout = 0; \
                   SET LOCAL statement_timeout = 0"
        .to_owned();
    for table in tables {
        // ORDER: before the first query, which takes the snapshot.
        sql.extend(["; LOCK TABLE ", &table.to_string(), " IN ACCESS SHARE MODE"]);
    }
    sql
}

/// The query that exports the snapshot of a transaction.
pub const EXPORT_SNAPSHOT: &str = "SELECT pg_catalog.pg_export_snapshot()";
