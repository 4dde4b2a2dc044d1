//! Moving rows from one shard to another: what captures the changes of a table meanwhile, where its rows
//! wait, and the statements on the rows themselves.

use super::dialect::Dialect;
use super::literal::quoted;
use crate::error::Result;
use crate::ident::{Ident, TableName};
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;

/// A table whose rows are moved.
#[derive(Clone, Copy, Debug)]
pub struct MovedRows<'a> {
    /// How the database spells SQL.
    pub dialect: Dialect,
    /// Its place among the tables of the move, from 1.
    pub number: usize,
    /// The table.
    pub table: &'a TableName,
    /// Its columns, but for those that the database computes.
    pub columns: &'a [Column],
    /// Which of them are the key.
    pub key: &'a [usize],
    /// Which of them is the shard key.
    pub shard_key: usize,
}

impl MovedRows<'_> {
    /// The table in which the keys of changed rows are noted.
    ///
    /// # Errors
    /// Never in practice: the name is made of a number.
    pub fn changes(&self) -> Result<TableName> {
        self.dialect.own_table(&format!("shard_change_{}", self.number))
    }

    /// Has the key of every row that changes from now on noted, whoever changes it.
    ///
    /// # Errors
    /// As [`changes`](Self::changes).
    pub fn capture(&self) -> Result<Vec<String>> {
        let (changes, table) = (self.changes()?, self.table);
        let types = self.key.iter().map(|&index| {
            let Column { name, column_type, .. } = &self.columns[index];
            format!("{name} {} NOT NULL", self.dialect.type_name(column_type))
        });
        let types = types.collect::<Vec<_>>().join(", ");
        let names = self.names("");
        let note = |row: &str| {
            format!("INSERT INTO {changes} ({names}) VALUES ({})", self.names(&format!("{row}.")))
        };
        Ok(match self.dialect {
            Dialect::PostgreSql => {
                let body = format!(
                    "BEGIN IF TG_OP = 'TRUNCATE' THEN RAISE EXCEPTION 'rows of this table are being \
                     moved to another shard' USING ERRCODE = '55006', HINT = 'truncate it when the \
                     move is over'; END IF; \
                     IF TG_OP <> 'INSERT' THEN {}; END IF; IF TG_OP <> 'DELETE' THEN {}; END IF; \
                     RETURN NULL; END",
                    note("OLD"),
                    note("NEW")
                );
                vec![
                    format!(
                        "CREATE TABLE IF NOT EXISTS {changes} \
                         (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {types})"
                    ),
                    // Whoever writes to the table needs no right to write to that of the changes.
                    format!(
                        "CREATE OR REPLACE FUNCTION {changes}() RETURNS trigger LANGUAGE plpgsql \
                         SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS {}",
                        quoted(&body)
                    ),
                    format!(
                        "CREATE OR REPLACE TRIGGER rowmill_shard_change AFTER INSERT OR UPDATE OR \
                         DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {changes}()"
                    ),
                    format!(
                        "CREATE OR REPLACE TRIGGER rowmill_shard_truncate BEFORE TRUNCATE \
                         ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {changes}()"
                    ),
                    // Also for sessions that apply what another server did.
                    format!("ALTER TABLE {table} ENABLE ALWAYS TRIGGER rowmill_shard_change"),
                    format!("ALTER TABLE {table} ENABLE ALWAYS TRIGGER rowmill_shard_truncate"),
                ]
            }
            Dialect::Sqlite => {
                let (old, new) = (note("OLD"), note("NEW"));
                let mut statements = vec![format!(
                    "CREATE TABLE IF NOT EXISTS {changes} \
                     (seq INTEGER PRIMARY KEY AUTOINCREMENT, {types})"
                )];
                for (word, body) in [
                    ("insert", format!("{new};")),
                    ("update", format!("{old}; {new};")),
                    ("delete", format!("{old};")),
                ] {
                    let trigger = self.trigger(word)?;
                    statements.push(format!(
                        "CREATE TRIGGER IF NOT EXISTS {trigger} AFTER {word} ON {table} \
                         BEGIN {body} END"
                    ));
                }
                statements
            }
        })
    }

    /// Takes all that away again, as far as it is there.
    ///
    /// # Errors
    /// As [`changes`](Self::changes).
    pub fn release(&self) -> Result<Vec<String>> {
        let (changes, table) = (self.changes()?, self.table);
        let mut statements = match self.dialect {
            Dialect::PostgreSql => vec![
                format!("DROP TRIGGER IF EXISTS rowmill_shard_change ON {table}"),
                format!("DROP TRIGGER IF EXISTS rowmill_shard_truncate ON {table}"),
                format!("DROP FUNCTION IF EXISTS {changes}()"),
            ],
            Dialect::Sqlite => ["insert", "update", "delete"]
                .into_iter()
                .map(|word| Ok(format!("DROP TRIGGER IF EXISTS {}", self.trigger(word)?)))
                .collect::<Result<_>>()?,
        };
        statements.push(format!("DROP TABLE IF EXISTS {changes}"));
        Ok(statements)
    }

    fn trigger(&self, word: &str) -> Result<Ident> {
        Ident::new(format!("rowmill_shard_change_{}_{word}", self.number))
    }

    /// The oldest `limit` changes: the number of each, the key, and the columns of its row as it is
    /// now, NULL where it is not any more.
    ///
    /// # Errors
    /// As [`changes`](Self::changes).
    pub fn changed(&self, limit: usize) -> Result<String> {
        let columns = (0..self.columns.len()).map(|index| self.read(index, "t"));
        let key = self.key.iter().map(|&index| self.read(index, "c"));
        let listed = key.chain(columns).collect::<Vec<_>>().join(", ");
        let equal = self.key.iter().map(|&index| {
            let name = &self.columns[index].name;
            format!("t.{name} = c.{name}")
        });
        Ok(format!(
            "SELECT c.seq, {listed} FROM (SELECT * FROM {} ORDER BY seq LIMIT {limit}) AS c \
             LEFT JOIN {} AS t ON {} ORDER BY c.seq",
            self.changes()?,
            self.table,
            equal.collect::<Vec<_>>().join(" AND ")
        ))
    }

    /// The types of what [`changed`](Self::changed) reads.
    pub fn changed_types(&self) -> Vec<ColumnType> {
        let read = |index: usize| match &self.columns[index].column_type {
            ty if ty.travels_as_text() => ColumnType::Text,
            ty => ty.clone(),
        };
        let key = self.key.iter().map(|&index| read(index));
        let columns = (0..self.columns.len()).map(read);
        std::iter::once(ColumnType::Int8).chain(key).chain(columns).collect()
    }

    /// Forgets the changes with these numbers, and no other: one with a smaller number may be
    /// committed later.
    ///
    /// # Errors
    /// As [`changes`](Self::changes).
    pub fn forget(&self, numbers: &[i64]) -> Result<String> {
        let listed: Vec<_> = numbers.iter().map(ToString::to_string).collect();
        Ok(format!("DELETE FROM {} WHERE seq IN ({})", self.changes()?, listed.join(", ")))
    }

    /// Notes the key `$1`, ... as that of a row that changed.
    ///
    /// # Errors
    /// As [`changes`](Self::changes).
    pub fn note(&self) -> Result<String> {
        let places: Vec<_> = (1..=self.key.len()).map(|place| format!("${place}")).collect();
        let names = self.names("");
        Ok(format!("INSERT INTO {} ({names}) VALUES ({})", self.changes()?, places.join(", ")))
    }

    /// The table in which rows wait on the shard that takes them, where nobody reads them.
    ///
    /// # Errors
    /// Never in practice: the name is made of a number.
    pub fn stage(&self) -> Result<TableName> {
        self.dialect.own_table(&format!("shard_stage_{}", self.number))
    }

    /// Creates it: with the columns and the key, and nothing else that a row could break.
    ///
    /// # Errors
    /// As [`stage`](Self::stage).
    pub fn create_stage(&self) -> Result<Vec<String>> {
        let (stage, key) = (self.stage()?, self.names(""));
        let names: Vec<_> = self.columns.iter().map(|column| column.name.to_string()).collect();
        Ok(match self.dialect {
            Dialect::PostgreSql => vec![
                format!(
                    "CREATE TABLE {stage} AS SELECT {} FROM {} WITH NO DATA",
                    names.join(", "),
                    self.table
                ),
                format!("ALTER TABLE {stage} ADD PRIMARY KEY ({key})"),
            ],
            Dialect::Sqlite => {
                // Its types are texts, and read as those of the table are.
                let typed =
                    self.columns.iter().map(|c| format!("{} {}", c.name, c.column_type.sql()));
                let typed = typed.collect::<Vec<_>>().join(", ");
                vec![format!("CREATE TABLE {stage} ({typed}, PRIMARY KEY ({key}))")]
            }
        })
    }

    /// Drops it, if it is there.
    ///
    /// # Errors
    /// As [`stage`](Self::stage).
    pub fn drop_stage(&self) -> Result<String> {
        Ok(format!("DROP TABLE IF EXISTS {}", self.stage()?))
    }

    /// Brings all rows that wait into the table.
    ///
    /// # Errors
    /// As [`stage`](Self::stage).
    pub fn merge(&self) -> Result<String> {
        let names: Vec<_> = self.columns.iter().map(|column| column.name.to_string()).collect();
        let names = names.join(", ");
        let overriding = match self.dialect {
            Dialect::PostgreSql => " OVERRIDING SYSTEM VALUE",
            Dialect::Sqlite => "",
        };
        let (table, stage) = (self.table, self.stage()?);
        Ok(format!("INSERT INTO {table} ({names}){overriding} SELECT {names} FROM {stage}"))
    }

    /// Whether a row that waits has the key of one that is in the table.
    ///
    /// # Errors
    /// As [`stage`](Self::stage).
    pub fn collides(&self) -> Result<String> {
        let equal = self.key.iter().map(|&index| {
            let name = &self.columns[index].name;
            format!("t.{name} = s.{name}")
        });
        Ok(format!(
            "SELECT count(*) FROM {} AS s JOIN {} AS t ON {}",
            self.stage()?,
            self.table,
            equal.collect::<Vec<_>>().join(" AND ")
        ))
    }

    /// What keeps the changes from being noted any more, without waiting for those who read.
    ///
    /// # Errors
    /// As [`changes`](Self::changes).
    pub fn pause(&self) -> Result<Vec<String>> {
        let table = self.table;
        match self.dialect {
            Dialect::PostgreSql => {
                Ok(vec![format!("ALTER TABLE {table} DISABLE TRIGGER rowmill_shard_change")])
            }
            Dialect::Sqlite => self.release(),
        }
    }

    /// Inserts `rows` rows, whose values are `$1`, ..., or gives those that are there their values.
    pub fn upsert(&self, rows: usize) -> String {
        let (width, names) = (self.columns.len(), self.columns.iter().map(|c| c.name.to_string()));
        let names: Vec<_> = names.collect();
        let tuple = |row: usize| {
            let places = (1..=width).map(|column| format!("${}", row * width + column));
            format!("({})", places.collect::<Vec<_>>().join(", "))
        };
        let set = names.iter().enumerate().filter(|(index, _)| !self.key.contains(index));
        let set: Vec<_> = set.map(|(_, name)| format!("{name} = excluded.{name}")).collect();
        let act = match set[..] {
            [] => "NOTHING".to_owned(),
            _ => format!("UPDATE SET {}", set.join(", ")),
        };
        format!(
            "INSERT INTO {} ({}) VALUES {} ON CONFLICT ({}) DO {act}",
            self.table,
            names.join(", "),
            (0..rows).map(tuple).collect::<Vec<_>>().join(", "),
            self.names("")
        )
    }

    /// The keys, and the shard key behind each, of the rows whose keys are the `count` that begin
    /// with `$1`.
    pub fn owners(&self, count: usize) -> String {
        let listed = self.key.iter().chain([&self.shard_key]).map(|&index| self.read(index, "t"));
        format!(
            "SELECT {} FROM {} AS t WHERE {}",
            listed.collect::<Vec<_>>().join(", "),
            self.table,
            self.is_key(count)
        )
    }

    /// Deletes the rows whose keys are the `count` that begin with `$1`.
    pub fn delete(&self, count: usize) -> String {
        format!("DELETE FROM {} AS t WHERE {}", self.table, self.is_key(count))
    }

    /// The keys and shard keys of `limit` rows in the order of their keys, behind the key `$1`, ...
    /// if there is one.
    pub fn page(&self, is_first: bool, limit: usize) -> String {
        let listed = self.key.iter().chain([&self.shard_key]).map(|&index| self.read(index, "t"));
        let names = self.names("t.");
        let places: Vec<_> = (1..=self.key.len()).map(|place| format!("${place}")).collect();
        let behind = match is_first {
            true => String::new(),
            false => format!(" WHERE ({names}) > ({})", places.join(", ")),
        };
        format!(
            "SELECT {} FROM {} AS t{behind} ORDER BY {names} LIMIT {limit}",
            listed.collect::<Vec<_>>().join(", "),
            self.table,
        )
    }

    fn read(&self, index: usize, relation: &str) -> String {
        let Column { name, column_type, .. } = &self.columns[index];
        match self.dialect {
            Dialect::PostgreSql if column_type.travels_as_text() => {
                format!("CAST({relation}.{name} AS text)")
            }
            _ => format!("{relation}.{name}"),
        }
    }

    fn is_key(&self, count: usize) -> String {
        let width = self.key.len();
        if let &[index] = self.key {
            let places: Vec<_> = (1..=count).map(|place| format!("${place}")).collect();
            return format!("t.{} IN ({})", self.columns[index].name, places.join(", "));
        }
        let one = |row: usize| {
            let equal = self.key.iter().enumerate().map(|(place, &index)| {
                format!("t.{} = ${}", self.columns[index].name, row * width + place + 1)
            });
            format!("({})", equal.collect::<Vec<_>>().join(" AND "))
        };
        (0..count).map(one).collect::<Vec<_>>().join(" OR ")
    }

    /// The columns of the key, each behind `prefix`.
    fn names(&self, prefix: &str) -> String {
        let names = self.key.iter().map(|&index| format!("{prefix}{}", self.columns[index].name));
        names.collect::<Vec<_>>().join(", ")
    }
}
