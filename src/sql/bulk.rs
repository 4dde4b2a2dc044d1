//! The statements that read and write many rows of a table at once.
//!
//! Their rows come as arrays, one for each column, so that the text is the same for any number of
//! them; or as values, row by row, where a database has no arrays.

use super::dialect::Dialect;
use super::rows::{TableRows, places};
use crate::mapping::column_array::{cast_to, element_type};
use crate::mapping::column_type::ColumnType;

/// In which form the rows of a statement come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `$1`, ... are arrays, one for each column.
    Arrays,
    /// `$1`, ... are the values of so many rows.
    Values(usize),
}

/// The columns that the rows of a statement have, and the form in which they come.
pub(super) struct Given<'a> {
    form: Form,
    pub(super) types: Vec<&'a ColumnType>,
}

impl Given<'_> {
    /// The rows, as a relation that is called `u`.
    fn relation(&self) -> String {
        self.relation_of(|array| array)
    }

    /// The same for a statement that looks each row up in a table. A planner that sees how many
    /// there are reads a large table from end to end sooner than its index; one that does not know
    /// looks them up.
    pub(super) fn looked_up(&self) -> String {
        self.relation_of(|array| format!("(SELECT {array})"))
    }

    fn relation_of(&self, array: impl Fn(String) -> String) -> String {
        match self.form {
            Form::Arrays => {
                let arrays = self.types.iter().enumerate().map(|(index, column_type)| {
                    array(format!("${}::{}[]", index + 1, element_type(column_type).sql()))
                });
                let names = (1..=self.types.len()).map(|number| format!("c{number}"));
                format!(
                    "unnest({}) WITH ORDINALITY AS u({}, n)",
                    arrays.collect::<Vec<_>>().join(", "),
                    names.collect::<Vec<_>>().join(", ")
                )
            }
            Form::Values(rows) => format!("(VALUES {}) AS u", values(rows, self.types.len())),
        }
    }

    /// The value of column `index`, from 0.
    pub(super) fn cell(&self, index: usize) -> String {
        match self.form {
            Form::Arrays => match cast_to(self.types[index]) {
                Some(target) => format!("CAST(u.c{} AS {target})", index + 1),
                None => format!("u.c{}", index + 1),
            },
            Form::Values(_) => format!("u.column{}", index + 1),
        }
    }

    pub(super) fn cells(&self) -> String {
        (0..self.types.len()).map(|index| self.cell(index)).collect::<Vec<_>>().join(", ")
    }
}

impl TableRows<'_> {
    /// Inserts rows of the `written` columns, in their order, and returns all columns of each if
    /// they `come_back`. One of the columns may be one that the database numbers itself.
    pub fn insert_many(&self, form: Form, written: &[usize], come_back: bool) -> String {
        let returning = if come_back { self.every() } else { String::new() };
        format!("{}{returning}", self.insert(form, written))
    }

    /// Sets the `set` columns of the rows with the given keys; a row is its key, the version that
    /// it must have, and the `set` columns. Returns all columns of each if they `come_back`.
    pub fn update_many(&self, form: Form, set: &[usize], come_back: bool) -> String {
        let identity = self.identity();
        let given = self.given(form, identity.iter().chain(set));
        let mut sets: Vec<_> = set
            .iter()
            .enumerate()
            .map(|(place, &index)| {
                format!("{} = {}", self.columns[index].name, given.cell(identity.len() + place))
            })
            .collect();
        sets.extend(self.counts_on());
        format!(
            "UPDATE {} AS t SET {} FROM {} WHERE {}{}",
            self.table,
            sets.join(", "),
            given.looked_up(),
            self.matches(&given, &identity),
            if come_back { self.every() } else { String::new() }
        )
    }

    /// Deletes the rows with the given keys, and versions if they are `checked`.
    pub fn delete_many(&self, form: Form, checked: bool) -> String {
        let identity = if checked { self.identity() } else { self.key.to_vec() };
        let given = self.given(form, &identity);
        match form {
            Form::Arrays => format!(
                "DELETE FROM {} AS t USING {} WHERE {}",
                self.table,
                given.looked_up(),
                self.matches(&given, &identity)
            ),
            Form::Values(rows) => {
                format!("DELETE FROM {} AS t WHERE {}", self.table, self.is_among(rows, &identity))
            }
        }
    }

    /// Reads the rows whose column `by` has one of the given values, in the order of the key.
    pub fn select_many(&self, form: Form, by: usize) -> String {
        format!(
            "SELECT {} FROM {} AS t WHERE {}{}",
            self.list("t"),
            self.table,
            self.has_one_of(form, by),
            self.in_order("t")
        )
    }

    /// Reads the rows that `link` ties to one of the given values of its column `left`: those
    /// whose column `by` is its column `right`. Behind the columns of each comes that value.
    pub fn select_through(
        &self,
        form: Form,
        by: usize,
        link: &TableRows<'_>,
        left: usize,
        right: usize,
    ) -> String {
        let (left_column, right_column) = (&link.columns[left], &link.columns[right]);
        // The link is looked at as `t`, as everywhere; the rows themselves are `r`.
        format!(
            "SELECT {}, t.{} FROM {} AS t JOIN {} AS r ON r.{} = t.{} WHERE {}{}",
            self.list("r"),
            left_column.name,
            link.table,
            self.table,
            self.columns[by].name,
            right_column.name,
            link.has_one_of(form, left),
            self.in_order("r")
        )
    }

    /// Counts the rows that have one of the given keys.
    pub fn count_many(&self, rows: usize) -> String {
        format!("SELECT count(*) FROM {} AS t WHERE {}", self.table, self.is_among(rows, self.key))
    }

    pub(super) fn insert(&self, form: Form, written: &[usize]) -> String {
        let given = self.given(form, written);
        let head = format!("INSERT INTO {} AS t ({})", self.table, self.names(written));
        match form {
            Form::Arrays => {
                let numbered = written.iter().any(|&index| self.columns[index].generated);
                let overriding = if numbered { " OVERRIDING SYSTEM VALUE" } else { "" };
                let (cells, relation) = (given.cells(), given.relation());
                format!("{head}{overriding} SELECT {cells} FROM {relation} ORDER BY u.n")
            }
            Form::Values(rows) => format!("{head} VALUES {}", values(rows, written.len())),
        }
    }

    pub(super) fn given<'b>(
        &'b self,
        form: Form,
        columns: impl IntoIterator<Item = &'b usize>,
    ) -> Given<'b> {
        let types = columns.into_iter().map(|&index| &self.columns[index].column_type).collect();
        Given { form, types }
    }

    pub(super) fn matches(&self, given: &Given<'_>, columns: &[usize]) -> String {
        let equal = columns.iter().enumerate().map(|(place, &index)| {
            format!("t.{} = {}", self.columns[index].name, given.cell(place))
        });
        equal.collect::<Vec<_>>().join(" AND ")
    }

    fn has_one_of(&self, form: Form, column: usize) -> String {
        let Form::Values(rows) = form else {
            let column = &self.columns[column];
            let array = format!("$1::{}[]", element_type(&column.column_type).sql());
            return match cast_to(&column.column_type) {
                Some(target) => format!("t.{} = ANY (CAST({array} AS {target}[]))", column.name),
                None => format!("t.{} = ANY ({array})", column.name),
            };
        };
        self.is_among(rows, &[column])
    }

    fn is_among(&self, rows: usize, columns: &[usize]) -> String {
        match columns {
            [column] => format!("t.{} IN ({})", self.columns[*column].name, places(1, rows)),
            _ => {
                let names = columns.iter().map(|&index| format!("t.{}", self.columns[index].name));
                let names = names.collect::<Vec<_>>().join(", ");
                format!("({names}) IN (VALUES {})", values(rows, columns.len()))
            }
        }
    }

    fn in_order(&self, relation: &str) -> String {
        if self.key.is_empty() {
            return String::new();
        }
        let names = self.key.iter().map(|&index| {
            let name = &self.columns[index].name;
            format!("{relation}.{name}")
        });
        format!(" ORDER BY {}", names.collect::<Vec<_>>().join(", "))
    }

    fn every(&self) -> String {
        // Without a name before it: where rows come from elsewhere, those of the table are meant.
        match self.dialect {
            Dialect::PostgreSql => format!(" RETURNING {}", self.list("t")),
            Dialect::Sqlite => self.returning(&(0..self.columns.len()).collect::<Vec<_>>()),
        }
    }
}

/// `($1, $2), ($3, $4)`
fn values(rows: usize, columns: usize) -> String {
    let row = |row: usize| format!("({})", places(row * columns + 1, columns));
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::{Ident, TableName};
    use crate::mapping::column::Column;

    fn columns() -> Vec<Column> {
        let column = |name: &str, of_type| Column::new(Ident::new(name).unwrap(), of_type);
        vec![
            column("id", ColumnType::Int8).generated(),
            column("host", ColumnType::Other("inet".into())),
            column("seen", ColumnType::Int4).version(),
        ]
    }

    fn text(dialect: Dialect, make: impl Fn(TableRows<'_>) -> String) -> String {
        let (table, columns) = (TableName::parse("t").unwrap(), columns());
        let table = &table;
        make(TableRows { dialect, table, columns: &columns, key: &[0], version: Some(2) })
    }

    #[test]
    fn arrays_are_inserted_in_their_order_and_cast_where_they_travel_as_text() {
        let sql = text(Dialect::PostgreSql, |rows| rows.insert_many(Form::Arrays, &[0, 1], false));
        assert_eq!(
            sql,
            r#"INSERT INTO "t" AS t ("id", "host") OVERRIDING SYSTEM VALUE SELECT u.c1, CAST(u.c2 AS inet) FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS u(c1, c2, n) ORDER BY u.n"#
        );
    }

    #[test]
    fn where_there_are_no_arrays_rows_are_values() {
        let sql = text(Dialect::Sqlite, |rows| rows.insert_many(Form::Values(2), &[0, 1], true));
        assert_eq!(
            sql,
            r#"INSERT INTO "t" AS t ("id", "host") VALUES ($1, $2), ($3, $4) RETURNING "id", "host", "seen""#
        );
        let sql = text(Dialect::Sqlite, |rows| rows.delete_many(Form::Values(2), true));
        assert_eq!(
            sql,
            r#"DELETE FROM "t" AS t WHERE (t."id", t."seen") IN (VALUES ($1, $2), ($3, $4))"#
        );
    }

    #[test]
    fn an_update_of_many_rows_joins_them_by_key_and_version() {
        let sql = text(Dialect::PostgreSql, |rows| rows.update_many(Form::Arrays, &[1], false));
        assert_eq!(
            sql,
            r#"UPDATE "t" AS t SET "host" = CAST(u.c3 AS inet), "seen" = t."seen" + 1 FROM unnest((SELECT $1::bigint[]), (SELECT $2::integer[]), (SELECT $3::text[])) WITH ORDINALITY AS u(c1, c2, c3, n) WHERE t."id" = u.c1 AND t."seen" = u.c2"#
        );
    }

    #[test]
    fn rows_are_read_by_any_of_some_values() {
        let by = |index| move |rows: TableRows<'_>| rows.select_many(Form::Arrays, index);
        assert!(
            text(Dialect::PostgreSql, by(0))
                .ends_with(r#" WHERE t."id" = ANY ($1::bigint[]) ORDER BY t."id""#)
        );
        assert!(
            text(Dialect::PostgreSql, by(1))
                .contains(r#" WHERE t."host" = ANY (CAST($1::text[] AS inet[])) "#)
        );
        let sql = text(Dialect::Sqlite, |rows| rows.select_many(Form::Values(3), 0));
        assert!(sql.contains(r#" WHERE t."id" IN ($1, $2, $3) "#), "{sql}");
    }
}
