//! Whether a column of the database is of the type that an entity declares.

use crate::mapping::column_type::ColumnType;
use crate::sql::dialect::Dialect;

/// Whether a column that was `found` is of the `declared` type. A type without a length or a
/// precision stands for those with one too: who says `String` does not say how long.
pub(super) fn fits(dialect: Dialect, declared: &ColumnType, found: &ColumnType) -> bool {
    match dialect {
        Dialect::PostgreSql => fits_postgres(declared, found),
        Dialect::Sqlite => fits_sqlite(dialect, declared, found),
    }
}

fn fits_postgres(declared: &ColumnType, found: &ColumnType) -> bool {
    use ColumnType::{Array, Char, Enum, Json, Jsonb, Numeric, Other, Text, Varchar};
    match (declared, found) {
        (Array(declared), Array(found)) => fits_postgres(declared, found),
        (Enum(declared), Enum(found)) | (Other(declared), Other(found)) => {
            same_name(declared, found)
        }
        (Text | Varchar(None), Text | Varchar(_) | Char(_))
        | (Text, Enum(_) | Other(_))
        | (Numeric(None), Numeric(_))
        | (Json, Jsonb)
        | (Jsonb, Json)
        // A domain: the catalog says what it is made of.
        | (Other(_), _) => true,
        _ => declared == found,
    }
}

/// SQLite keeps the value as it comes: all that counts is the class in which it is kept, and a
/// column whose declared type is a number of no class keeps any number.
fn fits_sqlite(dialect: Dialect, declared: &ColumnType, found: &ColumnType) -> bool {
    use ColumnType::{Bool, Float4, Float8, Int2, Int4, Int8, Numeric};
    let is_same = dialect.type_name(declared) == dialect.type_name(found);
    is_same
        || matches!((declared, found), (Bool, Int2 | Int4 | Int8))
        || matches!((declared, found), (Int2 | Int4 | Int8 | Float4 | Float8, Numeric(_)))
}

/// A name without a schema is that of any schema. Names are quoted where they have to be.
fn same_name(declared: &str, found: &str) -> bool {
    let plain = |name: &str| name.replace('"', "");
    let (declared, found) = (plain(declared), plain(found));
    declared == found || found.strip_suffix(&declared).is_some_and(|schema| schema.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(sql: &str) -> ColumnType {
        match sql.strip_prefix("enum ") {
            Some(name) => ColumnType::Enum(name.to_owned()),
            None => ColumnType::parse(sql).unwrap_or_else(|_| ColumnType::Other(sql.to_owned())),
        }
    }

    #[test]
    fn a_type_without_a_length_stands_for_those_with_one_and_not_the_other_way_round() {
        for (declared, found, expected) in [
            ("text", "varchar(20)", true),
            ("text", "char(3)", true),
            ("text", "inet", true),
            ("varchar(20)", "text", false),
            ("varchar(20)", "varchar(10)", false),
            ("numeric", "numeric(10,2)", true),
            ("numeric(10,2)", "numeric", false),
            ("bigint", "integer", false),
            ("integer", "bigint", false),
            ("timestamptz", "timestamp", false),
            ("text[]", "varchar(3)[]", true),
            ("jsonb", "json", true),
            ("enum mood", "enum public.mood", true),
            ("enum mood", "enum \"user\".\"mood\"", true),
            ("enum etl.mood", "enum public.mood", false),
            ("enum mood", "enum public.bad_mood", false),
            ("email", "varchar(320)", true),
            ("inet", "cidr", false),
        ] {
            let fits = fits(Dialect::PostgreSql, &parse(declared), &parse(found));
            assert_eq!(fits, expected, "{declared} {found}");
        }
    }

    #[test]
    fn sqlite_has_few_classes() {
        for (declared, found, expected) in [
            ("integer", "bigint", true),
            ("timestamptz", "text", true),
            ("numeric", "numeric", true),
            ("double precision", "numeric", true),
            ("boolean", "bigint", true),
            ("bigint", "text", false),
            ("bytea", "text", false),
        ] {
            let fits = fits(Dialect::Sqlite, &parse(declared), &parse(found));
            assert_eq!(fits, expected, "{declared} {found}");
        }
    }
}
