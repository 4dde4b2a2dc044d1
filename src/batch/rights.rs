//! The rights that a run needs, asked for before it changes anything.

use super::ledger::{Ledger, LedgerName};
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::Cell;
use crate::sink::table::TableSink;
use crate::sink::user::name_of_user;
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
    // Who makes the tables of the ledger needs what their owner has, and who makes a stage, too.
    let in_schema = match ledger.is_none() || sink.is_staged() {
        true => "USAGE,CREATE",
        false => "USAGE",
    };
    let mut schemas = vec![(name.as_str(), in_schema)];
    if let Some(schema) = &sink.target().table.schema {
        schemas.push((schema.as_str(), if sink.exists() { "USAGE" } else { "USAGE,CREATE" }));
    }
    missing.of_schemas(&schemas)?;
    let mut tables = Vec::new();
    // Without the rights on its schema the tables cannot be asked about.
    if ledger.is_some() && missing.grants.is_empty() {
        tables = missing.tables_of(name)?;
    }
    if sink.exists() {
        let target = &sink.target();
        tables.push((target.table.to_string(), target.rights()));
    }
    missing.of_tables(&tables)?;
    missing.settle()
}

/// What is missing, where the ledger could not even be looked at for it.
pub(super) fn explain(connection: &mut dyn Connection, error: Error, name: &LedgerName) -> Error {
    if error.sqlstate() != Some(SqlState::INSUFFICIENT_PRIVILEGE) || error.hint().is_some() {
        return error;
    }
    let mut missing = Missing { connection, grants: Vec::new() };
    let asked = missing.of_schemas(&[(name.as_str(), "USAGE")]).and_then(|()| {
        // Without that right the tables cannot be asked about.
        let known = missing.grants.is_empty();
        let tables = if known { missing.tables_of(name)? } else { Vec::new() };
        missing.of_tables(&tables)
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
    fn of_schemas(&mut self, schemas: &[(&str, &str)]) -> Result<()> {
        let query = self.connection.capabilities().dialect.missing_schema_rights(schemas.len());
        self.ask(query, schemas, &|name| format!("SCHEMA \"{name}\""))
    }

    /// The tables of the ledger, and what is done with each.
    fn tables_of(&self, name: &LedgerName) -> Result<Vec<(String, &'static str)>> {
        let tables = LedgerTables::of(self.connection.capabilities().dialect, name)?;
        let mut all = vec![(tables.version.to_string(), "SELECT")];
        for table in [&tables.job, &tables.run, &tables.batch, &tables.reject] {
            all.push((table.to_string(), "SELECT,INSERT,UPDATE"));
        }
        Ok(all)
    }

    fn of_tables(&mut self, tables: &[(String, &'static str)]) -> Result<()> {
        let query = self.connection.capabilities().dialect.missing_table_rights(tables.len());
        let asked: Vec<_> = tables.iter().map(|(name, rights)| (name.as_str(), *rights)).collect();
        self.ask(query, &asked, &str::to_owned)
    }

    /// Asks for all of them at once.
    fn ask(
        &mut self,
        query: Option<String>,
        asked: &[(&str, &str)],
        on: &dyn Fn(&str) -> String,
    ) -> Result<()> {
        let Some(query) = query.filter(|_| !asked.is_empty()) else { return Ok(()) };
        let params: Vec<_> =
            asked.iter().flat_map(|&(name, rights)| [name.into(), rights.into()]).collect();
        let mut lacks: Vec<Vec<String>> = vec![Vec::new(); asked.len()];
        self.connection.query(&query, &params, &mut |row| {
            let place = i64::unpack(row.cell(0)?)? as usize;
            let right = String::unpack(row.cell(1)?)?;
            if let Some(of_place) = lacks.get_mut(place) {
                of_place.push(right);
            }
            Ok(())
        })?;
        for ((name, _), lacks) in asked.iter().zip(lacks) {
            if !lacks.is_empty() {
                self.grants.push(format!("GRANT {} ON {}", lacks.join(", "), on(name)));
            }
        }
        Ok(())
    }

    fn settle(self) -> Result<()> {
        let Self { connection, grants } = self;
        if grants.is_empty() {
            return Ok(());
        }
        let user = name_of_user(connection)?;
        let grants: Vec<_> = grants.iter().map(|grant| format!("{grant} TO {user}")).collect();
        let message = format!("{user} lacks rights that the job needs");
        Err(Error::new(ErrorKind::Schema, message)
            .with_sqlstate(SqlState::INSUFFICIENT_PRIVILEGE)
            .with_hint(grants.join("; ")))
    }
}
