//! An enum of the database as one of Rust.

use super::names::{Names, commented, literal};
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;

/// An enum that columns have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Enumeration {
    /// Its name in SQL, quoted where it has to be.
    pub(super) sql: String,
    /// Its name in Rust.
    pub(super) rust: String,
    /// Its name as the attribute has it.
    name: String,
    labels: Vec<String>,
}

impl Enumeration {
    /// The enum of a column or of its elements; `None` if it is none, or has a name that an
    /// attribute cannot have.
    pub(super) fn of(column: &Column, names: &mut Names) -> Option<Self> {
        let sql = name_of(&column.column_type)?;
        // PostgreSQL takes the empty label, and the attribute does not.
        if column.labels.iter().any(String::is_empty) || column.labels.is_empty() {
            return None;
        }
        let (schema, name) = parts(sql)?;
        let rust = names.of_type(&name);
        let name = match schema.as_deref() {
            None | Some("public") => name,
            Some(schema) => format!("{schema}.{name}"),
        };
        Some(Self { sql: sql.to_owned(), rust, name, labels: column.labels.clone() })
    }

    /// Its source.
    pub(super) fn source(&self) -> Vec<String> {
        let Self { rust, name, .. } = self;
        let mut lines = vec![
            format!("/// The enum `{}`.", commented(name)),
            "#[derive(Clone, Copy, Debug, PartialEq, Eq, SqlEnum)]".to_owned(),
            format!("#[sql_enum(name = {})]", literal(name)),
            format!("pub enum {rust} {{"),
        ];
        let mut variants = Names::default();
        for label in &self.labels {
            let variant = variants.variant(label);
            if variant != *label {
                lines.push(format!("    #[sql_enum(label = {})]", literal(label)));
            }
            lines.push(format!("    {variant},"));
        }
        lines.push("}".to_owned());
        lines
    }
}

/// The name of the enum of a type or of its elements.
pub(super) fn name_of(column_type: &ColumnType) -> Option<&str> {
    match column_type {
        ColumnType::Enum(name) => Some(name),
        ColumnType::Array(element) => name_of(element),
        _ => None,
    }
}

/// The parts of a name that is quoted where it has to be; `None` if one of them has a dot.
fn parts(sql: &str) -> Option<(Option<String>, String)> {
    let plain = |part: &str| part.trim_matches('"').replace("\"\"", "\"");
    match sql.split('.').collect::<Vec<_>>()[..] {
        [name] => Some((None, plain(name))),
        [schema, name] => Some((Some(plain(schema)), plain(name))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::Ident;

    fn enumeration(sql: &str, labels: &[&str]) -> Option<Enumeration> {
        let mut column = Column::new(Ident::new("a").unwrap(), ColumnType::Enum(sql.to_owned()));
        column.labels = labels.iter().map(|label| (*label).to_owned()).collect();
        Enumeration::of(&column, &mut Names::default())
    }

    #[test]
    fn a_label_that_is_no_name_is_written_beside_its_variant() {
        let found = enumeration("\"etl\".\"Media kind\"", &["Live", "very-happy", "it's \"x\""]);
        let expected = [
            "/// The enum `etl.Media kind`.",
            "#[derive(Clone, Copy, Debug, PartialEq, Eq, SqlEnum)]",
            "#[sql_enum(name = \"etl.Media kind\")]",
            "pub enum MediaKind {",
            "    Live,",
            "    #[sql_enum(label = \"very-happy\")]",
            "    VeryHappy,",
            "    #[sql_enum(label = \"it's \\\"x\\\"\")]",
            "    ItSX,",
            "}",
        ];
        assert_eq!(found.unwrap().source(), expected);
    }

    #[test]
    fn a_name_with_a_dot_is_none_that_can_be_written() {
        assert_eq!(enumeration("\"a\".\"b.c\"", &["x"]), None);
        assert_eq!(enumeration("public.mood", &["x"]).unwrap().name, "mood");
    }
}
