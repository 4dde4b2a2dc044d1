//! What the catalog says of the rows that a table takes, read at most once a run.

use crate::backend::{Connection, RowRef};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{Ident, TableName};
use crate::mapping::cell::Cell;
use crate::mapping::layout::Layout;
use crate::mapping::param::Param;
use crate::sql::constraint::{Constraint, MadeColumn, Rule};
use std::sync::OnceLock;

/// What the catalog says of the rows that a table takes.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    /// Whether rows can be held against the constraints by queries: what goes into the table is what
    /// was sent, and nothing but its constraints decides.
    pub(super) judges: bool,
    /// Whether something in the database may change a row before it is checked, so that only the
    /// database can say what is wrong with it.
    pub(super) rewrites: bool,
    /// Whether an INSERT of a row does what COPY does with it: there are no rules.
    pub(super) inserts: bool,
    /// The columns of the one unique index, where nothing else decides whether a row is taken; else
    /// none.
    pub(super) sole_key: Vec<String>,
    /// Read when the first row is refused, for most jobs have none.
    pub(super) known: OnceLock<Known>,
    /// The table, and the columns that rows carry.
    pub(super) table: String,
    pub(super) carried: Vec<Ident>,
}

/// What rows can be held against.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// The constraints, in the order in which the database checks them.
    pub(super) constraints: Vec<Constraint>,
    /// The columns that are made from those that rows carry.
    pub(super) made: Vec<MadeColumn>,
}

impl Rules {
    /// Reads them, where the database tells them.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub(super) fn read(connection: &mut dyn Connection, table: &TableName) -> Result<Self> {
        let Some((nature, _)) = connection.capabilities().dialect.constraint_queries() else {
            return Ok(Self::default());
        };
        let name = table.to_string();
        let table = [Param::from(name.as_str())];
        let mut rules = Self { table: name.clone(), ..Self::default() };
        connection.query(nature, &table, &mut |row| {
            let (plain, rewrites) = (bool::unpack(row.cell(0)?)?, bool::unpack(row.cell(1)?)?);
            (rules.judges, rules.rewrites) = (plain && !rewrites, rewrites);
            rules.inserts = bool::unpack(row.cell(2)?)?;
            rules.sole_key = Vec::unpack(row.cell(3)?)?;
            Ok(())
        })?;
        Ok(rules)
    }

    /// Leaves out what is about columns that rows do not carry: they get their values in the
    /// database.
    pub(super) fn carried_by(mut self, layout: &Layout) -> Self {
        self.carried = layout.columns.iter().map(|column| column.name.clone()).collect();
        self
    }

    /// What rows can be held against.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub(super) fn look_up(&self, connection: &mut dyn Connection) -> Result<&Known> {
        if let Some(known) = self.known.get() {
            return Ok(known);
        }
        let mut found = Known::default();
        let queries = connection.capabilities().dialect.constraint_queries();
        if let Some((_, constraints)) = queries.filter(|_| self.judges) {
            connection.query(constraints, &[Param::from(self.table.as_str())], &mut |row| {
                if i64::unpack(row.cell(0)?)? == MADE {
                    found.made.push(made(row)?);
                } else {
                    found.constraints.push(constraint(row)?);
                }
                Ok(())
            })?;
        }
        let is_carried = |name: &Ident| self.carried.contains(name);
        found.made.retain(|made| made.made_of.iter().all(is_carried));
        let is_there =
            |name: &Ident| is_carried(name) || found.made.iter().any(|made| made.name == *name);
        found.constraints.retain(|constraint| constraint.columns.iter().all(is_there));
        Ok(self.known.get_or_init(|| found))
    }

    /// Those of the constraints that are known.
    pub(super) fn constraints(&self) -> &[Constraint] {
        self.known.get().map_or(&[], |known| known.constraints.as_slice())
    }
}

/// The kind of what is no constraint.
const MADE: i64 = -1;

fn made(row: &dyn RowRef) -> Result<MadeColumn> {
    let text = |index| String::unpack(row.cell(index)?);
    let (name, made_of) = (Ident::new(text(1)?)?, names(row, 2)?);
    Ok(MadeColumn { name, column_type: text(5)?, expression: text(3)?, made_of })
}

fn constraint(row: &dyn RowRef) -> Result<Constraint> {
    let text = |index| String::unpack(row.cell(index)?);
    let rule = match i64::unpack(row.cell(0)?)? {
        0 => Rule::Domain { domain: text(5)?, expression: text(3)? },
        1 => Option::unpack(row.cell(3)?)?.map_or(Rule::NotNull, Rule::Check),
        2 => match (Option::unpack(row.cell(6)?)?, Option::unpack(row.cell(7)?)?) {
            (_, Some(operators)) => Rule::Excludes(operators),
            (Some(keys), None) => {
                Rule::UniqueOver { keys, predicate: Option::unpack(row.cell(3)?)? }
            }
            (None, None) => Rule::Unique,
        },
        3 => Rule::References {
            table: TableName { schema: Some(Ident::new(text(4)?)?), table: Ident::new(text(5)?)? },
            columns: names(row, 6)?,
            operators: Vec::unpack(row.cell(7)?)?,
        },
        kind => {
            let message = format!("the catalog told of a constraint of kind {kind}");
            return Err(Error::new(ErrorKind::Internal, message));
        }
    };
    Ok(Constraint { name: text(1)?, columns: names(row, 2)?, rule })
}

fn names(row: &dyn RowRef, index: usize) -> Result<Vec<Ident>> {
    Vec::<String>::unpack(row.cell(index)?)?.into_iter().map(Ident::new).collect()
}
