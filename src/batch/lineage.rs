//! Which rejects are the fault of others: a row whose parent was rejected has none to refer to.

use crate::backend::{Connection, RowRef};
use crate::error::{Error, Result};
use crate::mapping::cell::Cell;
use crate::mapping::column_type::ColumnType;
use crate::mapping::layout::Layout;
use crate::mapping::rows::Fields;
use crate::mapping::text;
use crate::sink::destination::Sink;
use crate::sink::table::TableSink;
use crate::sqlstate::SqlState;
use std::collections::BTreeMap;
use std::fmt;

/// What the rows of a table are told by, and the rows of which others they refer to.
#[derive(Debug, Default)]
pub(super) struct Lineage {
    /// The columns of the key, in its order.
    key: Vec<Told>,
    references: Vec<Reference>,
    /// Whether the database says which reference is broken.
    names_broken: bool,
}

/// A column whose value tells a row.
#[derive(Debug)]
struct Told {
    /// Its number in the layout.
    column: usize,
    /// What it is called, with its table.
    name: String,
    column_type: ColumnType,
}

#[derive(Debug)]
struct Reference {
    constraint: String,
    columns: Vec<Told>,
}

/// By what a rejected row is told, and which other row it refers to. These are values of rows: they
/// go to the reject store and nowhere else.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Kin {
    pub(super) row_key: Option<String>,
    pub(super) refers_to: Option<String>,
}

impl fmt::Debug for Kin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kin").finish_non_exhaustive()
    }
}

/// A key with more bytes is not kept.
const MOST_KEY_BYTES: usize = 64 << 10;

impl Lineage {
    /// Reads what the catalog says of the table of a sink; nothing of a file.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub(super) fn of(sink: &Sink, connection: &mut dyn Connection) -> Result<Self> {
        match sink {
            Sink::Table(table) => Self::of_table(table, connection),
            Sink::File(_) => Ok(Self::default()),
        }
    }

    /// Reads what the catalog says of a table.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub(super) fn of_table(sink: &TableSink, connection: &mut dyn Connection) -> Result<Self> {
        let dialect = connection.capabilities().dialect;
        let (table, layout) = (&sink.target().table, sink.layout());
        let mut name = table.table.as_str().to_lowercase();
        let cell = |row: &dyn RowRef, index| String::unpack(row.cell(index)?);
        if let Some(sql) = dialect.full_name() {
            connection.query(sql, &[table.to_string().as_str().into()], &mut |row| {
                name = cell(row, 0)?;
                Ok(())
            })?;
        }
        let told = |column: usize, name: String| {
            let column_type = layout.columns[column].column_type.clone();
            Told { column, name, column_type }
        };
        let own = |&column: &usize| {
            let column_name = layout.columns[column].name.as_str();
            let column_name = match dialect.full_name() {
                Some(_) => column_name.to_owned(),
                None => column_name.to_lowercase(),
            };
            told(column, format!("{name}.{column_name}"))
        };
        let key = match &layout.key[..] {
            [] => primary_key(sink, connection)?,
            key => key.to_vec(),
        };
        let key = key.iter().map(own).collect();
        let asked = match dialect.full_name() {
            Some(_) => table.to_string(),
            None => table.table.as_str().to_owned(),
        };
        let mut pairs: BTreeMap<String, Vec<[String; 3]>> = BTreeMap::new();
        connection.query(dialect.references(), &[asked.as_str().into()], &mut |row| {
            let pair = [cell(row, 1)?, cell(row, 2)?, cell(row, 3)?];
            pairs.entry(cell(row, 0)?).or_default().push(pair);
            Ok(())
        })?;
        let names_broken = dialect.names_broken_reference();
        let position = |name: &str| {
            let mut columns = layout.columns.iter();
            columns.position(|column| {
                let own = column.name.as_str();
                own == name || (!names_broken && own.eq_ignore_ascii_case(name))
            })
        };
        let reference = |(constraint, pairs): (String, Vec<[String; 3]>)| {
            let columns = pairs.into_iter().map(|[mine, table, theirs]| {
                Some(told(position(&mine)?, format!("{table}.{theirs}")))
            });
            Some(Reference { constraint, columns: columns.collect::<Option<_>>()? })
        };
        let references = pairs.into_iter().filter_map(reference).collect();
        Ok(Self { key, references, names_broken })
    }

    /// Whether a reject of it can be the fault of another one.
    pub(super) fn refers(&self) -> bool {
        !self.references.is_empty()
    }

    /// Whether there is nothing to tell of its rejects.
    pub(super) fn is_empty(&self) -> bool {
        self.key.is_empty() && self.references.is_empty()
    }

    /// What is known of a row of which only the fields of its key could be read.
    pub(super) fn of_key(&self, fields: Fields<'_>) -> Kin {
        let values = self.key.iter().zip(fields).collect();
        Kin { row_key: told(values), refers_to: None }
    }

    /// What is known of a row with all its fields, which was refused with `error`.
    pub(super) fn of_row(&self, layout: &Layout, fields: Fields<'_>, error: &Error) -> Kin {
        let mut values = vec![None; layout.columns.len()];
        values.iter_mut().zip(fields).for_each(|(value, field)| *value = field);
        let of = |columns: &[Told]| {
            told(
                columns
                    .iter()
                    .map(|told| (told, values.get(told.column).copied().flatten()))
                    .collect(),
            )
        };
        let refers_to = match error.sqlstate() {
            Some(SqlState::FOREIGN_KEY_VIOLATION) => self.meant(error, of),
            _ => None,
        };
        Kin { row_key: of(&self.key), refers_to }
    }

    /// The row that is missing; where the database does not say by which reference, all that may be.
    fn meant(&self, error: &Error, of: impl Fn(&[Told]) -> Option<String>) -> Option<String> {
        if self.names_broken {
            let name = error.constraint()?;
            let broken = self.references.iter().find(|reference| reference.constraint == name)?;
            return of(&broken.columns);
        }
        let all: Vec<_> = self.references.iter().filter_map(|one| of(&one.columns)).collect();
        serde_json::to_string(&all).ok().filter(|_| !all.is_empty())
    }
}

/// The columns of the primary key, where rows carry all of them.
fn primary_key(sink: &TableSink, connection: &mut dyn Connection) -> Result<Vec<usize>> {
    let key = connection.table_info(&sink.target().table)?.map(|info| info.key);
    let columns = &sink.layout().columns;
    let position = |name: &String| columns.iter().position(|c| c.name.as_str() == name);
    let key: Option<Vec<_>> = key.unwrap_or_default().iter().map(position).collect();
    Ok(key.unwrap_or_default())
}

/// The values as one text, which is the same for the same row whoever tells of it; none if one of
/// them is NULL.
fn told(values: Vec<(&Told, Option<&[u8]>)>) -> Option<String> {
    let mut all = BTreeMap::new();
    for (Told { name, column_type, .. }, value) in values {
        let mut shown = String::new();
        text::output(column_type, value?, &mut shown).ok()?;
        if matches!(column_type, ColumnType::Char(_)) {
            shown.truncate(shown.trim_end_matches(' ').len());
        }
        all.insert(name.as_str(), shown);
    }
    let text = serde_json::to_string(&all).ok()?;
    (!all.is_empty() && text.len() <= MOST_KEY_BYTES).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told_of(values: &[(&str, ColumnType, Option<&[u8]>)]) -> Option<String> {
        let columns: Vec<_> = values
            .iter()
            .map(|(name, ty, _)| Told { column: 0, name: (*name).into(), column_type: ty.clone() })
            .collect();
        told(columns.iter().zip(values).map(|(told, (_, _, value))| (told, *value)).collect())
    }

    #[test]
    fn a_row_is_called_the_same_whatever_the_order_and_the_types_of_its_columns() {
        let (long, short) = (7_i64.to_be_bytes(), 7_i32.to_be_bytes());
        let padded = [
            ("t.code", ColumnType::Char(4), Some(&b"ab  "[..])),
            ("t.id", ColumnType::Int8, Some(&long)),
        ];
        let plain = [
            ("t.id", ColumnType::Int4, Some(&short[..])),
            ("t.code", ColumnType::Text, Some(b"ab")),
        ];
        let name = r#"{"t.code":"ab","t.id":"7"}"#;
        assert_eq!(told_of(&padded).as_deref(), Some(name));
        assert_eq!(told_of(&plain).as_deref(), Some(name));
    }

    #[test]
    fn a_row_whose_key_is_null_or_endless_has_no_name() {
        assert_eq!(told_of(&[("t.id", ColumnType::Text, None)]), None);
        assert_eq!(told_of(&[]), None);
        let long = vec![b'k'; MOST_KEY_BYTES];
        assert_eq!(told_of(&[("t.id", ColumnType::Text, Some(&long))]), None);
    }

    #[test]
    fn no_value_is_shown() {
        let kin = Kin { row_key: Some("secret".into()), refers_to: Some("secret".into()) };
        assert!(!format!("{kin:?}").contains("secret"));
    }
}
