//! What the declared type of a column means.

use crate::mapping::column_type::ColumnType;

/// The type that a column was declared with, as far as it says something.
///
/// SQLite takes any words as a type and enforces neither length nor precision, so neither is
/// carried over. Every whole number has 64 bits. What is unknown is decided by SQLite's own rules
/// of affinity, and is a text in the end.
pub(super) fn column_type(declared: &str) -> ColumnType {
    match ColumnType::parse(declared) {
        Ok(ColumnType::Int2 | ColumnType::Int4) => ColumnType::Int8,
        Ok(ColumnType::Float4) => ColumnType::Float8,
        Ok(ColumnType::Varchar(_) | ColumnType::Char(_) | ColumnType::Other(_)) => ColumnType::Text,
        Ok(ColumnType::Numeric(_)) => ColumnType::Numeric(None),
        Ok(known) => known,
        Err(_) => by_words(&declared.to_ascii_lowercase()),
    }
}

/// The length that a text was declared with, which SQLite does not hold it to.
pub(super) fn length(declared: &str) -> Option<u32> {
    match ColumnType::parse(declared) {
        Ok(ColumnType::Varchar(length)) => length,
        _ => None,
    }
}

fn by_words(declared: &str) -> ColumnType {
    let name = declared.split('(').next().unwrap_or_default().trim();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    match name {
        "datetime" => ColumnType::Timestamp,
        // `float(53)` and the like: a modifier that PostgreSQL's type does not have.
        _ if declared.contains('(') && ColumnType::parse(name).is_ok() => column_type(name),
        _ if has(&["int"]) => ColumnType::Int8,
        _ if has(&["char", "clob", "text"]) => ColumnType::Text,
        _ if has(&["blob"]) => ColumnType::Bytea,
        _ if has(&["real", "floa", "doub"]) => ColumnType::Float8,
        _ => ColumnType::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_mean_what_they_say() {
        for (declared, column_type_of_it) in [
            ("INTEGER", ColumnType::Int8),
            ("int", ColumnType::Int8),
            ("UNSIGNED BIG INT", ColumnType::Int8),
            ("SMALLINT", ColumnType::Int8),
            ("BOOLEAN", ColumnType::Bool),
            ("REAL", ColumnType::Float8),
            ("DOUBLE PRECISION", ColumnType::Float8),
            ("FLOAT(53)", ColumnType::Float8),
            ("TEXT", ColumnType::Text),
            ("VARCHAR(20)", ColumnType::Text),
            ("NATIVE CHARACTER(70)", ColumnType::Text),
            ("BLOB", ColumnType::Bytea),
            ("NUMERIC", ColumnType::Numeric(None)),
            ("DECIMAL(10,2)", ColumnType::Numeric(None)),
            ("DATE", ColumnType::Date),
            ("DATETIME", ColumnType::Timestamp),
            ("TIMESTAMP WITH TIME ZONE", ColumnType::TimestampTz),
            ("TIMESTAMP(3)", ColumnType::Timestamp),
            ("INTERVAL", ColumnType::Interval),
            ("UUID", ColumnType::Uuid),
            ("JSON", ColumnType::Json),
            ("text[]", ColumnType::Array(Box::new(ColumnType::Text))),
            ("", ColumnType::Text),
            ("whatever", ColumnType::Text),
        ] {
            assert_eq!(column_type(declared), column_type_of_it, "{declared}");
        }
    }
}
