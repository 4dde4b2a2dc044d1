//! How the same thing is spelled on different databases.

use super::constraint;
use crate::error::Result;
use crate::ident::{Ident, TableName};
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;

/// A way to spell SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// PostgreSQL's.
    PostgreSql,
    /// SQLite's.
    Sqlite,
}

impl Dialect {
    /// The type of a column that is created for values of `column_type`.
    ///
    /// SQLite has five storage classes; what has no class of its own is kept as the text that
    /// PostgreSQL would print, so that nothing is lost: a `numeric` there is a `TEXT`.
    pub fn type_name(self, column_type: &ColumnType) -> String {
        match self {
            Self::PostgreSql => column_type.sql(),
            Self::Sqlite => match column_type {
                ColumnType::Bool => "BOOLEAN",
                ColumnType::Int2 | ColumnType::Int4 | ColumnType::Int8 => "INTEGER",
                ColumnType::Float4 | ColumnType::Float8 => "REAL",
                ColumnType::Bytea => "BLOB",
                _ => "TEXT",
            }
            .to_owned(),
        }
    }

    /// The type of a staged column: as [`Dialect::type_name`], but text where the database is to
    /// cast the value itself.
    pub fn staged_type_name(self, column_type: &ColumnType) -> String {
        if column_type.travels_as_text() {
            return self.type_name(&ColumnType::Text);
        }
        self.type_name(column_type)
    }

    /// `expression`, a staged value, as a value of `column_type`.
    pub fn cast_staged(self, expression: &str, column_type: &ColumnType) -> String {
        match self {
            Self::PostgreSql if column_type.travels_as_text() => {
                format!("CAST({expression} AS {})", column_type.sql())
            }
            _ => expression.to_owned(),
        }
    }

    /// `expression`, a column, as its values are read: as text where the type is known by its name
    /// alone, which any Rust type for it reads.
    pub fn cast_to_read(self, expression: &str, column_type: &ColumnType) -> String {
        match (self, column_type) {
            (Self::PostgreSql, ColumnType::Other(_)) => format!("CAST({expression} AS text)"),
            _ => expression.to_owned(),
        }
    }

    /// The expression by which a row that `INSERT ... ON CONFLICT DO UPDATE` returns is told to be
    /// new. An update leaves the number of its transaction on the row, as the lock it took.
    pub fn is_new(self) -> Option<&'static str> {
        match self {
            Self::PostgreSql => Some("t.xmax = 0"),
            Self::Sqlite => None,
        }
    }

    /// The query for `$3` numbers that the database would give to column `$2` of table `$1`, NULL
    /// where it makes its values by other means; nothing where it keeps no such numbers.
    pub fn next_numbers(self) -> Option<&'static str> {
        match self {
            Self::PostgreSql => Some(
                "SELECT nextval(CAST(pg_get_serial_sequence($1, $2) AS regclass)) \
                 FROM generate_series(1, $3)",
            ),
            Self::Sqlite => None,
        }
    }

    /// The most parameters that a statement can have.
    pub fn max_parameters(self) -> usize {
        match self {
            Self::PostgreSql => 65_535,
            Self::Sqlite => 32_766,
        }
    }

    /// Whether two expressions of `column_type` differ, NULL being equal to NULL. Types without
    /// an equality of their own are compared as text.
    pub fn differs(self, left: &str, right: &str, column_type: &ColumnType) -> String {
        let as_text = match column_type {
            ColumnType::Json | ColumnType::Other(_) => true,
            ColumnType::Array(element) => {
                matches!(**element, ColumnType::Json | ColumnType::Other(_))
            }
            _ => false,
        };
        if as_text && self == Self::PostgreSql {
            return format!("CAST({left} AS text) IS DISTINCT FROM CAST({right} AS text)");
        }
        format!("{left} IS DISTINCT FROM {right}")
    }

    /// The query for the columns of table `$1` that compare by a collation for which texts of other
    /// bytes may be equal.
    pub fn loose_columns(self) -> &'static str {
        match self {
            Self::PostgreSql => {
                "SELECT a.attname::text FROM pg_catalog.pg_attribute a \
                 JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation \
                 WHERE a.attrelid = pg_catalog.to_regclass($1) AND NOT l.collisdeterministic"
            }
            Self::Sqlite => {
                "SELECT x.name FROM pragma_index_list($1) AS l, pragma_index_xinfo(l.name) AS x \
                 WHERE x.key AND x.name IS NOT NULL AND x.coll <> 'BINARY'"
            }
        }
    }

    /// One of rowmill's own tables: in the schema `rowmill` where there are schemas.
    ///
    /// # Errors
    /// `Config` if `name` is no name.
    pub fn own_table(self, name: &str) -> Result<TableName> {
        self.own_table_in("rowmill", name)
    }

    /// One of rowmill's own tables: in the schema `home` where there are schemas, else its name
    /// begins with that.
    ///
    /// # Errors
    /// `Config` if `home` or `name` is no name.
    pub fn own_table_in(self, home: &str, name: &str) -> Result<TableName> {
        Ok(match self {
            Self::PostgreSql => {
                TableName { schema: Some(Ident::new(home)?), table: Ident::new(name)? }
            }
            Self::Sqlite => {
                TableName { schema: None, table: Ident::new(format!("{home}_{name}"))? }
            }
        })
    }

    /// The expression that tells a row of a table from every other while a transaction lasts.
    pub fn row_address(self) -> &'static str {
        match self {
            Self::PostgreSql => "ctid",
            Self::Sqlite => "rowid",
        }
    }

    /// What makes the planner look rows up by an index for the rest of a transaction, where it
    /// has a choice.
    pub fn prefer_key_lookups(self) -> Option<&'static str> {
        match self {
            Self::PostgreSql => Some(
                "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; \
                 SET LOCAL enable_nestloop = on; SET LOCAL jit = off",
            ),
            Self::Sqlite => None,
        }
    }

    /// The same for statements whose plans are kept: they may be planned while the table is empty, and run
    /// when it is large.
    pub fn insist_on_key_lookups(self) -> Option<&'static str> {
        match self {
            Self::PostgreSql => Some(
                "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; \
                 SET LOCAL enable_mergejoin = off; SET LOCAL enable_nestloop = on",
            ),
            Self::Sqlite => None,
        }
    }

    /// What keeps the open transaction from waiting long for a lock; nothing where nobody waits behind
    /// whoever waits.
    pub fn wait_briefly_for_locks(self) -> Option<&'static str> {
        match self {
            Self::PostgreSql => Some("SET LOCAL lock_timeout = '2s'"),
            Self::Sqlite => None,
        }
    }

    /// What makes all who plan wait for each other, and for the transaction of one that died, until
    /// their transaction ends. Where a transaction that writes has the whole database, nothing.
    pub fn lock_plans(self) -> Option<&'static str> {
        match self {
            Self::PostgreSql => Some("SELECT pg_advisory_xact_lock(8251966271236478)"),
            Self::Sqlite => None,
        }
    }

    /// What makes all who create or drop the tables of entities wait for each other until their
    /// transaction ends.
    pub fn lock_schema(self) -> Option<&'static str> {
        match self {
            Self::PostgreSql => Some("SELECT pg_advisory_xact_lock(8251966271236479)"),
            Self::Sqlite => None,
        }
    }

    /// The query that has a row if there is a schema of the name `$1`, where there are schemas.
    pub fn find_schema(self) -> Option<&'static str> {
        match self {
            Self::PostgreSql => Some("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1"),
            Self::Sqlite => None,
        }
    }

    /// The query that has a row if there is a type of the name `$1`, which is quoted where it has
    /// to be; `None` where types cannot be created.
    pub fn find_type(self) -> Option<&'static str> {
        match self {
            Self::PostgreSql => Some("SELECT 1 WHERE pg_catalog.to_regtype($1) IS NOT NULL"),
            Self::Sqlite => None,
        }
    }

    /// The query that has a row if there is a type of the name `$1` and nothing uses it.
    pub fn find_unused_type(self) -> Option<&'static str> {
        match self {
            Self::PostgreSql => Some(
                "SELECT 1 FROM pg_catalog.pg_type t WHERE t.oid = pg_catalog.to_regtype($1) \
                 AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d \
                 WHERE d.refobjid IN (t.oid, t.typarray) AND d.deptype = 'n')",
            ),
            Self::Sqlite => None,
        }
    }

    /// The query that moves the sequence behind a column of whole numbers past the largest of
    /// them, if it is not there yet: `$1` is the table, quoted, and `$2` the column. Where numbers
    /// are made from the largest one, nothing.
    pub fn sync_sequence(self, table: &TableName, column: &Ident) -> Option<String> {
        match self {
            Self::PostgreSql => Some(format!(
                "SELECT pg_catalog.setval(s.sequence, m.largest) \
                 FROM (SELECT pg_catalog.pg_get_serial_sequence($1, $2)::pg_catalog.regclass \
                              AS sequence) s, \
                      (SELECT max({column})::bigint AS largest FROM {table}) m \
                 WHERE s.sequence IS NOT NULL \
                   AND m.largest > coalesce(pg_catalog.pg_sequence_last_value(s.sequence), 0)"
            )),
            Self::Sqlite => None,
        }
    }

    /// What makes the commit of a transaction wait for the disk, also where the server or the role
    /// is set not to; a setting that waits for more than that stays.
    pub fn wait_for_disk(self) -> Option<&'static str> {
        match self {
            Self::PostgreSql => Some(
                "SELECT set_config('synchronous_commit', 'on', true) \
                 WHERE current_setting('synchronous_commit') = 'off'",
            ),
            Self::Sqlite => None,
        }
    }

    /// The condition that the time `column` is more than `seconds` ago.
    pub fn is_older(self, column: &str, seconds: &str) -> String {
        match self {
            Self::PostgreSql => {
                format!(
                    "{column} < CURRENT_TIMESTAMP - CAST({seconds} AS bigint) * interval '1 second'"
                )
            }
            Self::Sqlite => format!("{column} < datetime('now', '-' || {seconds} || ' seconds')"),
        }
    }

    /// What keeps all others from writing to a table until the transaction ends.
    pub fn lock_writers(self, table: &TableName) -> Option<String> {
        match self {
            Self::PostgreSql => Some(format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")),
            Self::Sqlite => None,
        }
    }

    /// The time `column` in UTC, as RFC 3339 writes it.
    pub fn utc(self, column: &str) -> String {
        match self {
            Self::PostgreSql => {
                format!("to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
            }
            Self::Sqlite => format!("strftime('%Y-%m-%dT%H:%M:%SZ', {column})"),
        }
    }

    /// How many seconds ago a time was that was noted with `CURRENT_TIMESTAMP`.
    pub fn seconds_since(self, time: &str) -> String {
        match self {
            Self::PostgreSql => {
                format!("CAST(extract(epoch FROM clock_timestamp() - {time}) AS double precision)")
            }
            Self::Sqlite => format!("(julianday('now') - julianday({time})) * 86400.0"),
        }
    }

    /// `expression`, a column of a key, as its values are kept: exactly, and as a text where the
    /// database prints every value so that it is read as the same.
    pub fn key_to_read(self, expression: &str) -> String {
        match self {
            Self::PostgreSql => format!("CAST({expression} AS text)"),
            Self::Sqlite => expression.to_owned(),
        }
    }

    /// The type that a value of the column of a key is cast to, where it stands in a statement.
    pub fn key_type(self, column: &Column) -> String {
        match &column.column_type {
            // A length would cut a longer value; the rest of the type is what compares.
            ColumnType::Varchar(_) => "varchar".to_owned(),
            ColumnType::Char(_) => "bpchar".to_owned(),
            ColumnType::Numeric(_) => "numeric".to_owned(),
            other => other.sql(),
        }
    }

    /// The function that says how many bytes a value takes where it is kept.
    pub fn stored_size(self) -> &'static str {
        match self {
            Self::PostgreSql => "pg_column_size",
            Self::Sqlite => "length",
        }
    }

    /// The column that numbers the rows of every table that has no key, where there is one.
    pub fn hidden_key(self) -> Option<&'static str> {
        match self {
            Self::PostgreSql => None,
            Self::Sqlite => Some("rowid"),
        }
    }

    /// What a `SELECT` ends with to lock the rows it found; where a transaction that writes has
    /// the whole database, nothing is needed.
    pub fn for_update(self) -> &'static str {
        match self {
            Self::PostgreSql => " FOR UPDATE",
            Self::Sqlite => "",
        }
    }

    /// The query for the nature of table `$1` and the one for its constraints, where rows can be
    /// held against them before they are in: see [`constraint`].
    pub fn constraint_queries(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::PostgreSql => Some((constraint::NATURE, constraint::CONSTRAINTS)),
            Self::Sqlite => None,
        }
    }

    /// The same, passing over rows that another transaction has locked.
    pub fn for_update_of_free(self) -> &'static str {
        match self {
            Self::PostgreSql => " FOR UPDATE SKIP LOCKED",
            Self::Sqlite => "",
        }
    }
}
