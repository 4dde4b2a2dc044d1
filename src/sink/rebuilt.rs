//! A replacement that empties the table at once and builds its indexes behind the new rows.
//!
//! ```text
//! savepoint   what the database refuses of all this is undone, and done in the ordinary way
//! lock        nobody else reads or writes the table from now on; it is waited for briefly
//! look        what was no obstacle when the run began may be one now
//! drop        the indexes that only serve reading
//! empty       at once, without dead rows; the rows are counted before
//! fill        as ever: the indexes that keep rows out are all there
//! build       the dropped indexes, as they were
//! freeze      behind the commit: the rows, which nobody wants to see as of before
//! ```
//!
//! Which indexes stay where they are, and why, is in [`sql::rebuild`](crate::sql::rebuild). All is in the
//! one transaction of the end: whoever dies on the way has changed nothing.

use super::counted::number;
use super::fit::refused;
use super::indexes::Indexes;
use super::mode::Mode;
use super::staged::Staged;
use super::table::{Stored, TableSink};
use super::target::Target;
use super::user::name_of_user;
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::TableName;
use crate::mapping::cell::Cell;
use crate::sql::dialect::Dialect;
use crate::sql::rebuild::obstacle;
use crate::sqlstate::SqlState;
use crate::trace;

/// An index of the table.
struct FoundIndex {
    name: String,
    drop: String,
    create: String,
    /// Why it stays where it is; `None` if it is built anew.
    stays: Option<String>,
}

/// What stands against it beside rights, in the order in which it is told, and how that is said.
const OBSTACLES: [(&str, &str); 6] = [
    (obstacle::PARTITIONED, "it is partitioned"),
    (obstacle::HEIR, "other tables inherit from it"),
    (obstacle::TRIGGER, "TRUNCATE, which empties it, does not fire its triggers on DELETE"),
    (obstacle::RULE, "TRUNCATE, which empties it, passes over its rules for DELETE"),
    (
        obstacle::POLICIES,
        "TRUNCATE, which empties it, removes rows that policies hide from the user",
    ),
    (
        obstacle::PUBLICATION,
        "publications tell of its DELETE and not of TRUNCATE, which empties it",
    ),
];

/// So many names are told.
const MOST: usize = 3;

const SAVE: &str = "SAVEPOINT rowmill_rebuild";
const KEEP: &str = "RELEASE SAVEPOINT rowmill_rebuild";
const UNDO: &str = "ROLLBACK TO SAVEPOINT rowmill_rebuild; RELEASE SAVEPOINT rowmill_rebuild";

/// Refuses a target whose indexes are to be rebuilt and cannot be.
///
/// # Errors
/// `Config` for another mode than `replace`; `Unsupported`; `Schema` with what stands against it, or the
/// rights that are missing; `Database` or `Disconnect`.
pub(super) fn check(connection: &mut dyn Connection, target: &Target) -> Result<()> {
    if target.indexes == Indexes::Keep {
        return Ok(());
    }
    if target.mode != Mode::Replace {
        let message =
            format!("indexes are rebuilt in mode replace, and the mode is {}", target.mode);
        return Err(Error::new(ErrorKind::Config, message).with_hint("let them be kept"));
    }
    if !connection.capabilities().transactional_ddl {
        let message = "indexes cannot be rebuilt: the database makes none within a transaction";
        return Err(Error::new(ErrorKind::Unsupported, message).with_hint("let them be kept"));
    }
    look(connection, target)
}

/// Refuses it for what the catalog says of the table.
fn look(connection: &mut dyn Connection, target: &Target) -> Result<()> {
    let dialect = connection.capabilities().dialect;
    let Some(sql) = dialect.rebuild_obstacles() else { return Ok(()) };
    let mut found = Vec::new();
    let table = name_of(dialect, &target.table);
    connection.query(sql, &[table.as_str().into()], &mut |row| {
        found.push((String::unpack(row.cell(0)?)?, String::unpack(row.cell(1)?)?));
        Ok(())
    })?;
    check_rights(connection, target, &found)?;
    for (kind, why) in OBSTACLES {
        let names: Vec<_> = of_kind(&found, kind).collect();
        if !names.is_empty() {
            let message = format!("its indexes cannot be rebuilt: {why} ({})", listed(&names));
            return Err(refused(target, message).with_hint("say indexes = \"keep\""));
        }
    }
    Ok(())
}

/// Refuses it for the rights that the user lacks, and says how to give them.
fn check_rights(
    connection: &mut dyn Connection,
    target: &Target,
    found: &[(String, String)],
) -> Result<()> {
    let owner = of_kind(found, obstacle::OWNER).next();
    let schema = of_kind(found, obstacle::SCHEMA).next();
    if owner.or(schema).is_none() {
        return Ok(());
    }
    let user = name_of_user(connection)?;
    let mut grants = Vec::new();
    if let Some(owner) = owner {
        let table = &target.table;
        grants.push(format!("GRANT {owner} TO {user}, or ALTER TABLE {table} OWNER TO {user}"));
    }
    if let Some(schema) = schema {
        grants.push(format!("GRANT CREATE ON SCHEMA {schema} TO {user}"));
    }
    let message = format!("{user} lacks rights that it takes to rebuild its indexes");
    Err(refused(target, message)
        .with_sqlstate(SqlState::INSUFFICIENT_PRIVILEGE)
        .with_hint(grants.join("; ")))
}

fn of_kind<'a>(found: &'a [(String, String)], kind: &str) -> impl Iterator<Item = &'a str> {
    found.iter().filter(move |(found, _)| found == kind).map(|(_, name)| name.as_str())
}

fn listed(names: &[&str]) -> String {
    match names.len().saturating_sub(MOST) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..MOST].join(", ")),
    }
}

/// A table as it is asked about in the catalog.
fn name_of(dialect: Dialect, table: &TableName) -> String {
    match dialect {
        Dialect::PostgreSql => table.to_string(),
        Dialect::Sqlite => table.table.as_str().to_owned(),
    }
}

fn indexes_of(connection: &mut dyn Connection, table: &TableName) -> Result<Vec<FoundIndex>> {
    let dialect = connection.capabilities().dialect;
    let table = name_of(dialect, table);
    let mut indexes = Vec::new();
    connection.query(dialect.indexes_to_rebuild(), &[table.as_str().into()], &mut |row| {
        let text = |index| Option::<String>::unpack(row.cell(index)?);
        let (name, stays) = (text(0)?.unwrap_or_default(), text(3)?);
        let (drop, create) = (text(1)?.unwrap_or_default(), text(2)?.unwrap_or_default());
        indexes.push(FoundIndex { name, drop, create, stays });
        Ok(())
    })?;
    Ok(indexes)
}

impl TableSink {
    /// The indexes of the table, where they are to be rebuilt at the end: their names, each with why it
    /// stays as it is, if it does. Elsewhere none.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub fn rebuilt_indexes(
        &self,
        connection: &mut dyn Connection,
    ) -> Result<Vec<(String, Option<String>)>> {
        if self.target().indexes == Indexes::Keep {
            return Ok(Vec::new());
        }
        let found = indexes_of(connection, &self.target().table)?;
        Ok(found.into_iter().map(|index| (index.name, index.stays)).collect())
    }

    /// What freezes the rows of a table that this run has emptied at once or created, and tells the planner of
    /// them; outside of a transaction.
    pub fn freezing(&self) -> Option<String> {
        let are_all_new = self.lately().has_emptied() || !self.exists();
        are_all_new.then(|| self.capabilities.dialect.freeze(&self.target().table))?
    }

    /// Why indexes that were to be rebuilt were kept up row by row all the same; `None` if they were not.
    pub fn kept_indexes(&self) -> Option<&Error> {
        self.lately().kept_indexes()
    }
}

impl Staged<'_> {
    /// Replaces all rows, the indexes being built behind the new ones; `None`, with nothing changed, if
    /// the database refuses that for what is in the rows, or by a trigger.
    pub(super) fn rebuild(&self, connection: &mut dyn Connection) -> Result<Option<Stored>> {
        connection.run(SAVE)?;
        if let Err(error) = lock(connection, &self.target.table) {
            if error.sqlstate() != Some(SqlState::LOCK_NOT_AVAILABLE) {
                return Err(error);
            }
            connection.run(UNDO)?;
            return Err(held(connection, &self.target.table, &error));
        }
        match self.rebuild_locked(connection) {
            Ok(stored) => {
                self.lately.note_emptied();
                connection.ahead(KEEP).map(|()| Some(stored))
            }
            // Where the index is kept up, it says which row it is, and that one is refused.
            Err(error) if error.is_data() => {
                connection.run(UNDO)?;
                trace::warn(format_args!("indexes are kept up row by row: {error}"));
                self.lately.keep_indexes(error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The same, once nobody else can use the table.
    fn rebuild_locked(&self, connection: &mut dyn Connection) -> Result<Stored> {
        look(connection, self.target)?;
        let mut dropped = indexes_of(connection, &self.target.table)?;
        dropped.retain(|index| index.stays.is_none());
        dropped.iter().try_for_each(|index| connection.run(&index.drop))?;
        let deleted = self.empty(connection)?;
        let mut stored = self.fill(connection)?;
        stored.deleted = deleted;
        dropped.iter().try_for_each(|index| build(connection, index))?;
        Ok(stored)
    }

    /// Deletes all rows and says how many there were.
    fn empty(&self, connection: &mut dyn Connection) -> Result<u64> {
        let statements = self.statements();
        let Some(at_once) = self.stage.dialect.empty_at_once(&self.target.table) else {
            return connection.execute(&statements.delete_all(), &[]);
        };
        let rows = number(connection, &statements.count_all(), &[])?;
        connection.run(&at_once)?;
        Ok(rows)
    }
}

/// Locks the table, or gives up after a moment: whoever comes to read it waits behind the one who waits
/// for this.
fn lock(connection: &mut dyn Connection, table: &TableName) -> Result<()> {
    let dialect = connection.capabilities().dialect;
    let Some(lock) = dialect.lock_alone(table) else { return Ok(()) };
    if let Some(briefly) = dialect.wait_briefly_for_locks() {
        connection.ahead(briefly)?;
    }
    connection.run(&lock)?;
    dialect.wait_for_locks_as_ever().map_or(Ok(()), |settings| connection.ahead(settings))
}

/// Builds an index; what the database refuses to build is named.
fn build(connection: &mut dyn Connection, index: &FoundIndex) -> Result<()> {
    connection.run(&index.create).map_err(|error| {
        let Some(state) = error.sqlstate().filter(|_| error.is_data()) else { return error };
        let message = format!("index {:?}: {}", index.name, error.message());
        Error::new(error.kind(), message).with_sqlstate(state)
    })
}

/// The error of a lock that was not to be had, with who has the table, as far as that is still so.
fn held(connection: &mut dyn Connection, table: &TableName, error: &Error) -> Error {
    let dialect = connection.capabilities().dialect;
    let mut holders = None;
    if let Some(sql) = dialect.lock_holders() {
        let name = name_of(dialect, table);
        // Who asks in vain says less.
        let _ = connection.query(sql, &[name.as_str().into()], &mut |row| {
            holders = Option::<String>::unpack(row.cell(0)?)?;
            Ok(())
        });
    }
    let by = holders.map_or(String::new(), |holders| format!(": held by {holders}"));
    let message = format!("the table could not be locked to rebuild its indexes{by}");
    Error::new(error.kind(), message)
        .with_sqlstate(SqlState::LOCK_NOT_AVAILABLE)
        .with_hint(
            "end what uses it, or carry on with indexes = \"keep\", which waits for no reader",
        )
        .locate(|place| place.table = Some(table.plain()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_of_many_names_are_told() {
        assert_eq!(listed(&["a", "b", "c"]), "a, b, c");
        assert_eq!(listed(&["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
    }
}
