//! The queries that find staged rows which break a constraint, one query for all rows.
//!
//! Each looks at the rows of bucket `$1` in state `$2` and returns batch, index and the number of
//! the constraint in the list that it was made for.

use super::constraint::{Constraint, MadeColumn, Rule};
use super::stage::StageTable;
use crate::ident::{Ident, TableName};

/// The queries for the rows of `stage` on their way to `target`.
#[derive(Clone, Copy, Debug)]
pub struct Verdict<'a> {
    /// Where the rows are.
    pub stage: &'a StageTable,
    /// Where they go.
    pub target: &'a TableName,
    /// What holds there; only about columns that rows carry, and those that are made from them.
    pub constraints: &'a [Constraint],
    /// The columns that are made from others.
    pub made: &'a [MadeColumn],
}

impl Verdict<'_> {
    /// Rows that break a check or a domain, each with the first one; `None` where there is none.
    pub fn broken_checks(&self) -> Option<String> {
        let broken: Vec<_> = self
            .constraints
            .iter()
            .enumerate()
            .filter_map(|(number, constraint)| Some((number, broken(constraint)?)))
            .collect();
        if broken.is_empty() {
            return None;
        }
        let cases: Vec<_> =
            broken.iter().map(|(number, not)| format!("WHEN {not} THEN {number}")).collect();
        let any: Vec<_> = broken.iter().map(|(_, not)| format!("({not})")).collect();
        Some(format!(
            "SELECT _rowmill_batch, _rowmill_index, CASE {} END FROM {} WHERE {}",
            cases.join(" "),
            self.rows(),
            any.join(" OR ")
        ))
    }

    /// Rows that the target has already, by any of its unique indexes, or that meet a row of it by an
    /// exclusion constraint.
    pub fn met_rows(&self) -> Option<String> {
        self.each(|number, constraint| {
            let names = constraint.columns.iter();
            let mut counts = String::new();
            let equal: Vec<_> = match &constraint.rule {
                Rule::Unique => names.map(|name| format!("t.{name} = x.{name}")).collect(),
                Rule::Excludes(operators) => names
                    .zip(operators)
                    .map(|(name, operator)| format!("t.{name} {operator} x.{name}"))
                    .collect(),
                // In there the names of the catalog's expressions are those of the target.
                Rule::UniqueOver { keys, predicate } => {
                    if predicate.is_some() {
                        counts = format!("x.{} AND ", predicate_name(number));
                    }
                    let equal = |(place, key)| format!("({key}) = x.{}", key_name(number, place));
                    let holds = predicate.iter().map(|predicate| format!("({predicate})"));
                    keys.iter().enumerate().map(equal).chain(holds).collect()
                }
                _ => return None,
            };
            Some(format!(
                "SELECT x._rowmill_batch, x._rowmill_index, {number} FROM x WHERE {counts}EXISTS \
                 (SELECT 1 FROM {} AS t WHERE {})",
                self.target,
                equal.join(" AND ")
            ))
        })
    }

    /// Rows whose parent is not there, by any of the foreign keys.
    pub fn orphans(&self) -> Option<String> {
        self.each(|number, constraint| {
            let Rule::References { table, columns, operators } = &constraint.rule else {
                return None;
            };
            let pairs = constraint.columns.iter().zip(columns).zip(operators);
            let equal: Vec<_> = pairs
                .map(|((mine, theirs), operator)| format!("p.{theirs} {operator} x.{mine}"))
                .collect();
            Some(format!(
                "SELECT x._rowmill_batch, x._rowmill_index, {number} FROM x WHERE {} AND NOT EXISTS \
                 (SELECT 1 FROM {table} AS p WHERE {})",
                not_null(&constraint.columns),
                equal.join(" AND ")
            ))
        })
    }

    /// Rows that share the values of a unique index with another of them: for each index the number
    /// of its group, the same for equal ones, or NULL. All in input order.
    pub fn groups(&self) -> Option<String> {
        let numbered = self.constraints.iter().enumerate();
        let unique: Vec<_> = numbered.filter(|(_, one)| one.rule.is_unique()).collect();
        if unique.is_empty() {
            return None;
        }
        let mut counted = Vec::new();
        let mut groups = Vec::new();
        let mut shared = Vec::new();
        for (place, (number, constraint)) in unique.into_iter().enumerate() {
            let (names, there) = shared_values(number, constraint);
            counted.push(format!(
                "CASE WHEN {there} THEN count(*) OVER (PARTITION BY {names}) END AS c{place}, \
                 dense_rank() OVER (ORDER BY {names}) AS g{place}"
            ));
            groups.push(format!("CASE WHEN c{place} > 1 THEN g{place} END"));
            shared.push(format!("c{place} > 1"));
        }
        Some(format!(
            "SELECT _rowmill_batch, _rowmill_index, {} FROM \
             (SELECT x._rowmill_batch, x._rowmill_index, {} FROM {}) AS y \
             WHERE {} ORDER BY _rowmill_batch, _rowmill_index",
            groups.join(", "),
            counted.join(", "),
            self.rows(),
            shared.join(" OR ")
        ))
    }

    /// One query of those that `make` makes, with the rows as `x`.
    fn each(&self, make: impl Fn(usize, &Constraint) -> Option<String>) -> Option<String> {
        let queries = self.constraints.iter().enumerate();
        let queries: Vec<_> = queries.filter_map(|(number, one)| make(number, one)).collect();
        if queries.is_empty() {
            return None;
        }
        let rows = self.rows();
        Some(format!("WITH x AS (SELECT * FROM {rows}) {}", queries.join(" UNION ALL ")))
    }

    /// The rows, with all that the catalog's expressions over them are.
    fn rows(&self) -> String {
        let mut rows = self.carried();
        let is_asked_for = |made: &&MadeColumn| {
            self.constraints.iter().any(|constraint| constraint.columns.contains(&made.name))
        };
        let made: Vec<_> = self
            .made
            .iter()
            .filter(is_asked_for)
            .map(|made| {
                format!("CAST(({}) AS {}) AS {}", made.expression, made.column_type, made.name)
            })
            .collect();
        // ORDER: an index may be over a column that is made, so that its expressions come behind it.
        for more in [made, self.keys()] {
            if !more.is_empty() {
                rows = format!("(SELECT x.*, {} FROM {rows}) AS x", more.join(", "));
            }
        }
        rows
    }

    /// The expressions of unique indexes.
    fn keys(&self) -> Vec<String> {
        let mut columns = Vec::new();
        for (number, constraint) in self.constraints.iter().enumerate() {
            let Rule::UniqueOver { keys, predicate } = &constraint.rule else { continue };
            let key = |(place, key)| format!("({key}) AS {}", key_name(number, place));
            columns.extend(keys.iter().enumerate().map(key));
            let holds = |predicate| format!("({predicate}) AS {}", predicate_name(number));
            columns.extend(predicate.iter().map(holds));
        }
        columns
    }

    /// The rows, with the types of the target, so that the catalog's expressions fit.
    fn carried(&self) -> String {
        let values: Vec<_> = self
            .stage
            .columns
            .iter()
            .map(|column| {
                let staged = format!("s.{}", column.name);
                let value = self.stage.dialect.cast_staged(&staged, &column.column_type);
                format!("{value} AS {}", column.name)
            })
            .collect();
        format!(
            "(SELECT s._rowmill_batch, s._rowmill_index, {} FROM {} AS s \
             WHERE s._rowmill_bucket = $1 AND s._rowmill_state = $2) AS x",
            values.join(", "),
            self.stage.name
        )
    }
}

/// The condition under which a row breaks a check. One that is NULL holds.
fn broken(constraint: &Constraint) -> Option<String> {
    match &constraint.rule {
        Rule::Check(expression) => Some(format!("NOT ({expression})")),
        // The catalog calls the value `VALUE`, which is a name like any other.
        Rule::Domain { expression, .. } => Some(format!(
            "EXISTS (SELECT 1 FROM (SELECT x.{} AS value) AS v WHERE NOT ({expression}))",
            constraint.columns.first()?
        )),
        Rule::NotNull => Some(format!("x.{} IS NULL", constraint.columns.first()?)),
        Rule::Unique | Rule::UniqueOver { .. } | Rule::Excludes(_) | Rule::References { .. } => {
            None
        }
    }
}

/// What rows that meet by a unique index share, and the condition under which a row meets others.
fn shared_values(number: usize, constraint: &Constraint) -> (String, String) {
    let Rule::UniqueOver { keys, predicate } = &constraint.rule else {
        let names: Vec<_> = constraint.columns.iter().map(ToString::to_string).collect();
        return (names.join(", "), not_null(&constraint.columns));
    };
    let mut names: Vec<_> = (0..keys.len()).map(|place| key_name(number, place)).collect();
    let mut there: Vec<_> = names.iter().map(|name| format!("x.{name} IS NOT NULL")).collect();
    if predicate.is_some() {
        names.push(predicate_name(number));
        there.push(format!("x.{}", predicate_name(number)));
    }
    (names.join(", "), there.join(" AND "))
}

/// What an expression of a unique index is called.
fn key_name(constraint: usize, place: usize) -> String {
    format!("_rowmill_key_{constraint}_{place}")
}

/// What the predicate of a unique index is called.
fn predicate_name(constraint: usize) -> String {
    format!("_rowmill_in_{constraint}")
}

fn not_null(columns: &[Ident]) -> String {
    let parts: Vec<_> = columns.iter().map(|name| format!("x.{name} IS NOT NULL")).collect();
    parts.join(" AND ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::column::Column;
    use crate::mapping::column_type::ColumnType;
    use crate::sql::dialect::Dialect;

    fn name(text: &str) -> Ident {
        Ident::new(text).unwrap()
    }

    #[test]
    fn a_check_is_asked_of_values_of_the_target_s_types() {
        let columns = [
            Column::new(name("n"), ColumnType::Int4),
            Column::new(name("host"), ColumnType::Other("inet".into())),
        ];
        let stage = StageTable::of_job(Dialect::PostgreSql, 7, &columns, &[]).unwrap();
        let target = TableName::parse("t").unwrap();
        let positive = Constraint {
            name: "positive".into(),
            columns: vec![name("n")],
            rule: Rule::Check("(n > 0)".into()),
        };
        let constraints = [positive];
        let verdict =
            Verdict { stage: &stage, target: &target, constraints: &constraints, made: &[] };
        assert_eq!(
            verdict.broken_checks().unwrap(),
            r#"SELECT _rowmill_batch, _rowmill_index, CASE WHEN NOT ((n > 0)) THEN 0 END FROM (SELECT s._rowmill_batch, s._rowmill_index, s."n" AS "n", CAST(s."host" AS inet) AS "host" FROM "rowmill"."stage_7" AS s WHERE s._rowmill_bucket = $1 AND s._rowmill_state = $2) AS x WHERE (NOT ((n > 0)))"#
        );
        assert_eq!((verdict.met_rows(), verdict.orphans(), verdict.groups()), (None, None, None));
    }
}
