//! The statements that insert rows, or update those that are there.
//!
//! `ON CONFLICT` has each row announced, looked for and locked before it is known whether it is new. Where
//! all are there, or all are new, a statement that can do only that costs the database much less: it
//! changes as many rows as it was given, or has to be rolled back.

use super::bulk::{Form, Given};
use super::rows::TableRows;

/// Whether a table is one where an upsert does nothing beside what it does to rows: no trigger, no rule, no
/// policy tells an INSERT that finds a row from an UPDATE. The table is the last parameter.
const IS_PLAIN: &str = "(SELECT c.relkind = 'r' AND NOT (c.relhasrules OR c.relrowsecurity \
    OR c.relhassubclass) AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_trigger g \
    WHERE g.tgrelid = c.oid AND NOT g.tgisinternal) FROM pg_catalog.pg_class c \
    WHERE c.oid = CAST(CAST($table AS text) AS regclass))";

impl TableRows<'_> {
    /// Inserts rows of the `written` columns, or updates those that are there and differ. Where the
    /// database can tell, it returns of each row that it wrote whether it is new.
    pub fn upsert_many(&self, form: Form, written: &[usize]) -> String {
        let insert = self.insert(form, written);
        let others: Vec<_> =
            written.iter().filter(|index| !self.identity().contains(index)).collect();
        let marker = self.dialect.is_new().map(|is_new| format!(" RETURNING {is_new}"));
        let action = if others.is_empty() {
            "DO NOTHING".to_owned()
        } else {
            let column = |index: usize| &self.columns[index];
            let mut sets: Vec<_> = others
                .iter()
                .map(|&&index| format!("{0} = excluded.{0}", column(index).name))
                .collect();
            sets.extend(self.counts_on());
            let differences = others.iter().map(|&&index| {
                let (mine, new) = (
                    format!("t.{}", column(index).name),
                    format!("excluded.{}", column(index).name),
                );
                self.dialect.differs(&mine, &new, &column(index).column_type)
            });
            let differences = differences.collect::<Vec<_>>().join(" OR ");
            format!("DO UPDATE SET {} WHERE {differences}", sets.join(", "))
        };
        format!(
            "{insert} ON CONFLICT ({}) {action}{}",
            self.names(self.key),
            marker.unwrap_or_default()
        )
    }

    /// Updates the rows that are there and differ, of those given as arrays of the `written` columns;
    /// `None` where there is nothing but a key. If it is `guarded`, it changes nothing in a table that is
    /// not plain (it has triggers, rules or policies): the name of the table is the parameter behind the arrays.
    pub fn update_there(&self, written: &[usize], guarded: bool) -> Option<String> {
        let given = self.given(Form::Arrays, written);
        let is_key = |index: &usize| self.identity().contains(index);
        let others = || written.iter().enumerate().filter(|(_, index)| !is_key(index));
        let name = |index: usize| &self.columns[index].name;
        let mut sets: Vec<_> = others()
            .map(|(place, &index)| format!("{} = {}", name(index), given.cell(place)))
            .collect();
        if sets.is_empty() {
            return None;
        }
        sets.extend(self.counts_on());
        let differences = others().map(|(place, &index)| {
            let mine = format!("t.{}", name(index));
            self.dialect.differs(&mine, &given.cell(place), &self.columns[index].column_type)
        });
        Some(format!(
            "UPDATE {} AS t SET {} FROM {} WHERE {} AND ({}){}",
            self.table,
            sets.join(", "),
            given.looked_up(),
            self.has_key_of(&given, written),
            differences.collect::<Vec<_>>().join(" OR "),
            guard(&given, guarded)
        ))
    }

    /// Inserts the rows whose key is not there, of those given as arrays of the `written` columns; guarded
    /// as [`update_there`](Self::update_there).
    pub fn insert_missing(&self, written: &[usize], guarded: bool) -> String {
        let given = self.given(Form::Arrays, written);
        format!(
            "INSERT INTO {} ({}) SELECT {} FROM {} WHERE NOT EXISTS (SELECT 1 FROM {} AS t WHERE {}){}",
            self.table,
            self.names(written),
            given.cells(),
            given.looked_up(),
            self.table,
            self.has_key_of(&given, written),
            guard(&given, guarded)
        )
    }

    /// Whether a row has the key of one of those given.
    fn has_key_of(&self, given: &Given<'_>, written: &[usize]) -> String {
        let equal = written.iter().enumerate().filter(|(_, index)| self.key.contains(index));
        let equal = equal.map(|(place, &index)| {
            format!("t.{} = {}", self.columns[index].name, given.cell(place))
        });
        equal.collect::<Vec<_>>().join(" AND ")
    }
}

/// The condition that a table is plain, where that is asked for.
fn guard(given: &Given<'_>, guarded: bool) -> String {
    if !guarded {
        return String::new();
    }
    let table = format!("${}", given.types.len() + 1);
    format!(" AND {}", IS_PLAIN.replace("$table", &table))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::{Ident, TableName};
    use crate::mapping::column::Column;
    use crate::mapping::column_type::ColumnType;
    use crate::sql::dialect::Dialect;

    fn text<T>(make: impl Fn(TableRows<'_>) -> T) -> T {
        let column = |name: &str, of_type| Column::new(Ident::new(name).unwrap(), of_type);
        let columns = vec![
            column("id", ColumnType::Int8).generated(),
            column("host", ColumnType::Other("inet".into())),
            column("seen", ColumnType::Int4).version(),
        ];
        let table = &TableName::parse("t").unwrap();
        let dialect = Dialect::PostgreSql;
        make(TableRows { dialect, table, columns: &columns, key: &[0], version: Some(2) })
    }

    #[test]
    fn an_upsert_writes_only_what_differs_and_tells_what_is_new() {
        let sql = text(|rows| rows.upsert_many(Form::Arrays, &[0, 1]));
        assert!(sql.ends_with(
            r#" ON CONFLICT ("id") DO UPDATE SET "host" = excluded."host", "seen" = t."seen" + 1 WHERE CAST(t."host" AS text) IS DISTINCT FROM CAST(excluded."host" AS text) RETURNING t.xmax = 0"#
        ), "{sql}");
        let sql = text(|rows| rows.upsert_many(Form::Arrays, &[0]));
        assert!(sql.ends_with(r#" ON CONFLICT ("id") DO NOTHING RETURNING t.xmax = 0"#), "{sql}");
    }

    #[test]
    fn what_is_there_is_updated_and_what_is_missing_inserted_by_statements_of_their_own() {
        assert_eq!(
            text(|rows| rows.update_there(&[0, 1], false)).unwrap(),
            r#"UPDATE "t" AS t SET "host" = CAST(u.c2 AS inet), "seen" = t."seen" + 1 FROM unnest((SELECT $1::bigint[]), (SELECT $2::text[])) WITH ORDINALITY AS u(c1, c2, n) WHERE t."id" = u.c1 AND (CAST(t."host" AS text) IS DISTINCT FROM CAST(CAST(u.c2 AS inet) AS text))"#
        );
        assert_eq!(
            text(|rows| rows.insert_missing(&[0, 1], false)),
            r#"INSERT INTO "t" ("id", "host") SELECT u.c1, CAST(u.c2 AS inet) FROM unnest((SELECT $1::bigint[]), (SELECT $2::text[])) WITH ORDINALITY AS u(c1, c2, n) WHERE NOT EXISTS (SELECT 1 FROM "t" AS t WHERE t."id" = u.c1)"#
        );
        assert_eq!(text(|rows| rows.update_there(&[0], true)), None);
        let guarded = text(|rows| rows.insert_missing(&[0, 1], true));
        assert!(guarded.ends_with("c.oid = CAST(CAST($3 AS text) AS regclass))"), "{guarded}");
    }
}
