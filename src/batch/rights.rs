//! The rights that a run needs, asked for before it changes anything.

use super::ledger::{Ledger, LedgerName};
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::Cell;
use crate::sink::table::TableSink;
use crate::sql::ledger::LedgerTables;
use crate::sqlstate::SqlState;

/// Fails unless the user of `connection` may do all that the run does.
///
/// # Errors
/// `Schema` with every GRANT that is missing.
pub(super) fn check(
    connection: &mut dyn Connection,
    name: &LedgerName,
    ledger: Option<&Ledger>,
    sink: &TableSink,
) -> Result<()> {
    let mut missing = Missing { connection, grants: Vec::new() };
    let home = name.as_str();
    // Who makes the tables of the ledger needs what their owner has, and who makes a stage, too.
    let in_schema = match ledger.is_none() || sink.is_staged() {
        true => "USAGE,CREATE",
        false => "USAGE",
    };
    missing.of_schema(home, in_schema)?;
    if let Some(schema) = &sink.target().table.schema {
        let creates = if sink.exists() { "USAGE" } else { "USAGE,CREATE" };
        missing.of_schema(schema.as_str(), creates)?;
    }
    if ledger.is_some() && missing.grants.is_empty() {
        missing.of_ledger(name)?;
    }
    if sink.exists() {
        let target = &sink.target();
        missing.of_table(&target.table.to_string(), target.mode.rights())?;
    }
    missing.settle()
}

/// What is missing, where the ledger could not even be looked at for it.
pub(super) fn explain(connection: &mut dyn Connection, error: Error, name: &LedgerName) -> Error {
    if error.sqlstate() != Some(SqlState::INSUFFICIENT_PRIVILEGE) || error.hint().is_some() {
        return error;
    }
    let mut missing = Missing { connection, grants: Vec::new() };
    let asked = missing.of_schema(name.as_str(), "USAGE").and_then(|()| {
        // Without that right the tables cannot be asked about.
        if missing.grants.is_empty() { missing.of_ledger(name) } else { Ok(()) }
    });
    match asked.and_then(|()| missing.settle()) {
        Err(told) if told.kind() == ErrorKind::Schema => told,
        _ => error.with_hint("grant it to the target's user, or run the job as one who has it"),
    }
}

struct Missing<'a> {
    connection: &'a mut dyn Connection,
    grants: Vec<String>,
}

impl Missing<'_> {
    fn of_schema(&mut self, name: &str, rights: &str) -> Result<()> {
        let query = self.connection.capabilities().dialect.missing_schema_rights();
        self.ask(query, name, rights, &format!("SCHEMA \"{name}\""))
    }

    fn of_ledger(&mut self, name: &LedgerName) -> Result<()> {
        let tables = LedgerTables::of(self.connection.capabilities().dialect, name)?;
        self.of_table(&tables.version.to_string(), "SELECT")?;
        for table in [&tables.job, &tables.run, &tables.batch] {
            self.of_table(&table.to_string(), "SELECT,INSERT,UPDATE")?;
        }
        self.of_table(&tables.reject.to_string(), "SELECT,INSERT,UPDATE")
    }

    fn of_table(&mut self, name: &str, rights: &str) -> Result<()> {
        let query = self.connection.capabilities().dialect.missing_table_rights();
        self.ask(query, name, rights, name)
    }

    fn ask(
        &mut self,
        query: Option<&'static str>,
        name: &str,
        rights: &str,
        on: &str,
    ) -> Result<()> {
        let Some(query) = query else { return Ok(()) };
        let mut lacks = Vec::new();
        self.connection.query(query, &[name.into(), rights.into()], &mut |row| {
            lacks.push(String::unpack(row.cell(0)?)?);
            Ok(())
        })?;
        if !lacks.is_empty() {
            self.grants.push(format!("GRANT {} ON {on}", lacks.join(", ")));
        }
        Ok(())
    }

    fn settle(self) -> Result<()> {
        let Self { connection, grants } = self;
        if grants.is_empty() {
            return Ok(());
        }
        let mut user = "the target's user".to_owned();
        if let Some(query) = connection.capabilities().dialect.current_user() {
            connection.query(query, &[], &mut |row| {
                user = String::unpack(row.cell(0)?)?;
                Ok(())
            })?;
        }
        let grants: Vec<_> = grants.iter().map(|grant| format!("{grant} TO {user}")).collect();
        let message = format!("{user} lacks rights that the job needs");
        Err(Error::new(ErrorKind::Schema, message)
            .with_sqlstate(SqlState::INSUFFICIENT_PRIVILEGE)
            .with_hint(grants.join("; ")))
    }
}
