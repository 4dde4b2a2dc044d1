//! Staged rows held against the constraints of their table, all at once.
//!
//! A query for each kind of constraint says which rows break it, however many they are. What comes
//! out is what the database would say if the rows came one after the other, in input order: a row
//! that breaks two constraints breaks the first, and of two rows with one key the first counts,
//! unless it is refused itself. Nothing is refused that the database would take; what these queries
//! do not find, the database still does.

use super::isolate::tried;
use super::mode::Mode;
use super::rules::{Known, Rules};
use super::table::NotStored;
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::TableName;
use crate::mapping::cell::Cell;
use crate::mapping::param::Param;
use crate::sql::constraint::{Constraint, Rule};
use crate::sql::stage::StageTable;
use crate::sql::verdict::Verdict;
use std::collections::{BTreeMap, HashSet};

/// The batch and the index of a staged row.
type Position = (i64, i64);

/// The rows that are judged, and by what.
pub(super) struct Court<'a> {
    pub(super) stage: &'a StageTable,
    pub(super) target: &'a TableName,
    pub(super) mode: Mode,
    pub(super) rules: &'a Rules,
}

/// What rows are held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// What is about a row alone.
    Alone,
    /// All: other rows, too.
    All,
}

/// The first constraint that a row breaks.
type Broken = BTreeMap<Position, usize>;

impl Court<'_> {
    /// The rows of a bucket in `state` that the table is not going to take, in input order.
    ///
    /// # Errors
    /// `Disconnect`, and all that ends the transaction.
    pub(super) fn judge(
        &self,
        connection: &mut dyn Connection,
        bucket: u32,
        state: i16,
        at: Look,
    ) -> Result<Vec<NotStored>> {
        let Known { constraints, made } = self.rules.look_up(connection)?;
        if constraints.is_empty() {
            return Ok(Vec::new());
        }
        let verdict = Verdict { stage: self.stage, target: self.target, constraints, made };
        let mut look = |sql: Option<String>| match sql {
            Some(sql) => broken(connection, &sql, bucket, state),
            None => Ok(Broken::new()),
        };
        let mut refused = look(verdict.broken_checks())?;
        // With `insert-ignore` a row that meets another is passed over, whatever its parents are.
        if at == Look::All && self.mode != Mode::InsertIgnore {
            let orphans = look(verdict.orphans())?;
            if self.only_inserts() {
                let met = look(verdict.met_rows())?;
                let groups = match verdict.groups() {
                    Some(sql) => groups(connection, &sql, bucket, state)?,
                    None => Vec::new(),
                };
                self.add_met(&mut refused, met, &groups, &orphans);
            }
            for (position, constraint) in orphans {
                refused.entry(position).or_insert(constraint);
            }
        }
        Ok(refused
            .into_iter()
            .filter_map(|(position, number)| self.refusal(position, number))
            .collect())
    }

    /// Whether a row that meets another one is refused. An update may make room for others.
    fn only_inserts(&self) -> bool {
        matches!(self.mode, Mode::Append | Mode::Replace)
    }

    /// Adds the rows that meet a row of the table, or one before them that is not refused, each with the
    /// first constraint by which it meets any.
    fn add_met(
        &self,
        refused: &mut Broken,
        met: Broken,
        groups: &[(Position, Vec<Option<i64>>)],
        orphans: &Broken,
    ) {
        let unique: Vec<usize> = self
            .rules
            .constraints()
            .iter()
            .enumerate()
            .filter_map(|(number, constraint)| constraint.rule.is_unique().then_some(number))
            .collect();
        let mut taken = HashSet::new();
        for (position, group) in groups {
            if refused.contains_key(position) {
                continue;
            }
            let keys = || {
                let numbered = unique.iter().zip(group);
                numbered.filter_map(|(number, group)| Some((*number, (*group)?)))
            };
            let before = keys().find(|key| taken.contains(key)).map(|(number, _)| number);
            let in_table = met.get(position).copied();
            if let Some(number) = before.into_iter().chain(in_table).min() {
                refused.insert(*position, number);
            } else if !orphans.contains_key(position) {
                taken.extend(keys());
            }
        }
        for (position, constraint) in met {
            refused.entry(position).or_insert(constraint);
        }
    }

    fn refusal(&self, (batch, index): Position, number: usize) -> Option<NotStored> {
        let constraint = self.rules.constraints().get(number)?;
        let error = self.error(constraint);
        Some(NotStored::new(batch as u32, index as u32, error))
    }

    fn error(&self, constraint: &Constraint) -> Error {
        let mut error = Error::new(ErrorKind::Database, constraint.message(self.target))
            .with_sqlstate(constraint.sqlstate());
        // What is not null has a column, and no name of its own.
        if constraint.rule != Rule::NotNull {
            error = error.with_constraint(&constraint.name);
        }
        error.locate(|place| {
            place.table = Some(self.target.plain());
            // The database names the column where the type of the value was at fault.
            if let (Rule::Domain { .. } | Rule::NotNull, [column]) =
                (&constraint.rule, &constraint.columns[..])
            {
                place.column = Some(column.as_str().to_owned());
            }
        })
    }
}

/// The rows that a query finds, each with the first constraint that it names; none if the query
/// cannot be run: then the database has to look at the rows one by one.
fn broken(connection: &mut dyn Connection, sql: &str, bucket: u32, state: i16) -> Result<Broken> {
    let params = [Param::from(i64::from(bucket)), Param::from(i64::from(state))];
    let found = tried(connection, |connection| {
        let mut found = Broken::new();
        connection.query(sql, &params, &mut |row| {
            let number = i64::unpack(row.cell(2)?)? as usize;
            let position = (i64::unpack(row.cell(0)?)?, i64::unpack(row.cell(1)?)?);
            let first = found.entry(position).or_insert(number);
            *first = number.min(*first);
            Ok(())
        })?;
        Ok(found)
    })?;
    Ok(found.unwrap_or_default())
}

/// Rows with the numbers of the groups they are in.
fn groups(
    connection: &mut dyn Connection,
    sql: &str,
    bucket: u32,
    state: i16,
) -> Result<Vec<(Position, Vec<Option<i64>>)>> {
    let params = [Param::from(i64::from(bucket)), Param::from(i64::from(state))];
    let found = tried(connection, |connection| {
        let mut found = Vec::new();
        connection.query(sql, &params, &mut |row| {
            let position = (i64::unpack(row.cell(0)?)?, i64::unpack(row.cell(1)?)?);
            let groups = (2..row.len()).map(|index| Option::<i64>::unpack(row.cell(index)?));
            found.push((position, groups.collect::<Result<_>>()?));
            Ok(())
        })?;
        Ok(found)
    })?;
    Ok(found.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::Ident;
    use crate::sql::dialect::Dialect;

    /// What becomes of rows whose groups by two unique indexes are `groups`.
    fn met(groups: &[[Option<i64>; 2]], orphans: &[i64]) -> Vec<(i64, usize)> {
        met_in_table(groups, orphans, &[])
    }

    /// The same where some rows meet one of the table, each by the constraint of that number.
    fn met_in_table(
        groups: &[[Option<i64>; 2]],
        orphans: &[i64],
        in_table: &[(i64, usize)],
    ) -> Vec<(i64, usize)> {
        let unique = |name: &str| Constraint {
            name: name.into(),
            columns: vec![Ident::new(name).unwrap()],
            rule: Rule::Unique,
        };
        let rules = Rules {
            judges: true,
            known: Known { constraints: vec![unique("a"), unique("b")], made: Vec::new() }.into(),
            ..Rules::default()
        };
        let stage = StageTable::of_job(Dialect::PostgreSql, 1, &[], &[]).unwrap();
        let target = TableName::parse("t").unwrap();
        let court = Court { stage: &stage, target: &target, mode: Mode::Append, rules: &rules };
        let mut refused = Broken::new();
        let rows: Vec<_> =
            (0..).zip(groups).map(|(index, groups)| ((0, index), groups.to_vec())).collect();
        let orphans = orphans.iter().map(|&index| ((0, index), 9)).collect();
        let in_table = in_table.iter().map(|&(index, number)| ((0, index), number)).collect();
        court.add_met(&mut refused, in_table, &rows, &orphans);
        refused.into_iter().map(|((_, index), number)| (index, number)).collect()
    }

    #[test]
    fn the_first_of_equal_rows_counts() {
        assert_eq!(
            met(&[[Some(1), None], [Some(1), None], [Some(1), None]], &[]),
            [(1, 0), (2, 0)]
        );
    }

    #[test]
    fn a_row_that_meets_several_is_refused_for_the_first_constraint() {
        let rows = [[Some(1), None], [Some(1), None], [None, Some(2)], [None, Some(2)]];
        assert_eq!(met_in_table(&rows, &[], &[(1, 1), (2, 1)]), [(1, 0), (2, 1)]);
    }

    #[test]
    fn a_row_that_only_meets_a_refused_one_is_taken() {
        let rows = [[Some(1), Some(1)], [Some(1), Some(2)], [Some(2), Some(2)]];
        assert_eq!(met(&rows, &[]), [(1, 0)]);
        assert_eq!(met(&rows, &[0]), [(2, 1)]);
    }
}
