//! The statements that read and write single rows of a table.

use super::dialect::Dialect;
use crate::ident::TableName;
use crate::mapping::column::Column;

/// The rows of a table: `columns` are those that are known of it, and are named by their place.
#[derive(Clone, Copy, Debug)]
pub struct TableRows<'a> {
    /// How the database spells SQL.
    pub dialect: Dialect,
    /// The table; statements call it `t`.
    pub table: &'a TableName,
    /// Its columns.
    pub columns: &'a [Column],
    /// Which of them are the key.
    pub key: &'a [usize],
    /// Which of them counts versions.
    pub version: Option<usize>,
}

impl TableRows<'_> {
    /// All columns of `relation`, to be read; what travels as text is cast to it.
    pub fn list(&self, relation: &str) -> String {
        let listed = self.columns.iter().map(|column| {
            let name = format!("{relation}.{}", column.name);
            self.dialect.cast_to_read(&name, &column.column_type)
        });
        listed.collect::<Vec<_>>().join(", ")
    }

    /// Inserts one row whose `written` columns are `$1`, ... and returns its `returned` columns.
    pub fn insert_one(&self, written: &[usize], returned: &[usize]) -> String {
        let values = match written {
            [] => "DEFAULT VALUES".to_owned(),
            _ => format!("({}) VALUES ({})", self.names(written), places(1, written.len())),
        };
        format!("INSERT INTO {} AS t {values}{}", self.table, self.returning(returned))
    }

    /// Inserts one row as [`insert_one`](Self::insert_one) unless its key is there.
    pub fn insert_new(&self, written: &[usize], returned: &[usize]) -> String {
        format!(
            "INSERT INTO {} AS t ({}) VALUES ({}) ON CONFLICT ({}) DO NOTHING{}",
            self.table,
            self.names(written),
            places(1, written.len()),
            self.names(self.key),
            self.returning(returned)
        )
    }

    /// Reads the row whose key is `$1`, ...
    pub fn select_one(&self) -> String {
        format!(
            "SELECT {} FROM {} AS t WHERE {}",
            self.list("t"),
            self.table,
            self.is_key(1, self.key)
        )
    }

    /// Sets the `set` columns of a row to `$1`, ...; behind them come its key and the version that
    /// it must have, which is counted on. Returns its `returned` columns.
    pub fn update_one(&self, set: &[usize], returned: &[usize]) -> String {
        let set = set.iter().filter(|index| Some(**index) != self.version);
        let mut sets: Vec<_> = set
            .enumerate()
            .map(|(place, &index)| format!("{} = ${}", self.columns[index].name, place + 1))
            .collect();
        let key_at = sets.len() + 1;
        sets.extend(self.counts_on());
        if sets.is_empty() {
            // Nothing is to be set, but whether the row is there is still to be told.
            sets.extend(self.key.first().map(|&index| {
                let name = &self.columns[index].name;
                format!("{name} = t.{name}")
            }));
        }
        format!(
            "UPDATE {} AS t SET {} WHERE {}{}",
            self.table,
            sets.join(", "),
            self.is_key(key_at, &self.identity()),
            self.returning(returned)
        )
    }

    /// Deletes the row whose key, and version, are `$1`, ...
    pub fn delete_one(&self) -> String {
        format!("DELETE FROM {} AS t WHERE {}", self.table, self.is_key(1, &self.identity()))
    }

    /// What counts the version on.
    pub(super) fn counts_on(&self) -> Option<String> {
        self.version.map(|index| {
            let name = &self.columns[index].name;
            format!("{name} = t.{name} + 1")
        })
    }

    /// The key, and the version behind it.
    pub fn identity(&self) -> Vec<usize> {
        self.key.iter().copied().chain(self.version).collect()
    }

    pub(super) fn names(&self, columns: &[usize]) -> String {
        let names = columns.iter().map(|&index| self.columns[index].name.to_string());
        names.collect::<Vec<_>>().join(", ")
    }

    pub(super) fn returning(&self, columns: &[usize]) -> String {
        if columns.is_empty() {
            return String::new();
        }
        let listed = columns.iter().map(|&index| {
            let column = &self.columns[index];
            self.dialect.cast_to_read(&column.name.to_string(), &column.column_type)
        });
        format!(" RETURNING {}", listed.collect::<Vec<_>>().join(", "))
    }

    fn is_key(&self, first: usize, key: &[usize]) -> String {
        let equal = key.iter().enumerate().map(|(place, &index)| {
            let column = &self.columns[index];
            format!("t.{} = ${}", column.name, first + place)
        });
        equal.collect::<Vec<_>>().join(" AND ")
    }
}

/// `$3, $4, $5`
pub(super) fn places(first: usize, count: usize) -> String {
    let places = (first..first + count).map(|place| format!("${place}"));
    places.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::Ident;
    use crate::mapping::column_type::ColumnType;

    fn columns() -> Vec<Column> {
        let column = |name: &str, of_type| Column::new(Ident::new(name).unwrap(), of_type);
        vec![
            column("id", ColumnType::Int8).generated(),
            column("host", ColumnType::Other("inet".into())),
            column("seen", ColumnType::Int4).version(),
        ]
    }

    fn rows<'a>(table: &'a TableName, columns: &'a [Column]) -> TableRows<'a> {
        let dialect = Dialect::PostgreSql;
        TableRows { dialect, table, columns, key: &[0], version: Some(2) }
    }

    #[test]
    fn a_row_is_inserted_and_what_the_database_made_comes_back() {
        let (table, columns) = (TableName::parse("t").unwrap(), columns());
        let rows = rows(&table, &columns);
        assert_eq!(
            rows.insert_one(&[1, 2], &[0]),
            r#"INSERT INTO "t" AS t ("host", "seen") VALUES ($1, $2) RETURNING "id""#
        );
        assert_eq!(rows.insert_one(&[], &[]), r#"INSERT INTO "t" AS t DEFAULT VALUES"#);
    }

    #[test]
    fn what_travels_as_text_is_read_as_text() {
        let (table, columns) = (TableName::parse("t").unwrap(), columns());
        assert_eq!(
            rows(&table, &columns).select_one(),
            r#"SELECT t."id", CAST(t."host" AS text), t."seen" FROM "t" AS t WHERE t."id" = $1"#
        );
    }

    #[test]
    fn a_version_is_checked_and_counted_on() {
        let (table, columns) = (TableName::parse("t").unwrap(), columns());
        let rows = rows(&table, &columns);
        assert_eq!(
            rows.update_one(&[1, 2], &[]),
            r#"UPDATE "t" AS t SET "host" = $1, "seen" = t."seen" + 1 WHERE t."id" = $2 AND t."seen" = $3"#
        );
        assert_eq!(
            rows.delete_one(),
            r#"DELETE FROM "t" AS t WHERE t."id" = $1 AND t."seen" = $2"#
        );
    }
}
