//! The Rust type of a column, and what has to be said beside it.

use super::names::literal;
use crate::mapping::column_type::ColumnType;

/// Whose types dates and times have in the source of an entity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeTypes {
    /// Those of the crate `jiff`.
    #[default]
    Jiff,
    /// Those of the crate `chrono`.
    Chrono,
}

/// A Rust type for a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RustType {
    /// The type, without an `Option`.
    pub(super) name: String,
    /// `column_type = "..."` or `length = ...`, where the type does not say it.
    pub(super) attribute: Option<String>,
    /// The feature that it needs.
    pub(super) feature: Option<&'static str>,
}

impl RustType {
    /// The type for values of `column_type`; `enumeration` is the Rust name of its enum. `None`
    /// where there is none.
    pub(super) fn of(
        column_type: &ColumnType,
        times: TimeTypes,
        enumeration: Option<&str>,
    ) -> Option<Self> {
        let (name, feature) = plain(column_type, times, enumeration)?;
        Some(Self { name, attribute: attribute(column_type), feature })
    }
}

fn plain(
    column_type: &ColumnType,
    times: TimeTypes,
    enumeration: Option<&str>,
) -> Option<(String, Option<&'static str>)> {
    use TimeTypes::{Chrono, Jiff};
    let (name, feature) = match (column_type, times) {
        (ColumnType::Bool, _) => ("bool", None),
        (ColumnType::Int2, _) => ("i16", None),
        (ColumnType::Int4, _) => ("i32", None),
        (ColumnType::Int8, _) => ("i64", None),
        (ColumnType::Float4, _) => ("f32", None),
        (ColumnType::Float8, _) => ("f64", None),
        (ColumnType::Numeric(_), _) => ("rowmill::Numeric", None),
        (ColumnType::Bytea, _) => ("Vec<u8>", None),
        (ColumnType::Date, Jiff) => ("jiff::civil::Date", Some("jiff")),
        (ColumnType::Date, Chrono) => ("chrono::NaiveDate", Some("chrono")),
        (ColumnType::Time, Jiff) => ("jiff::civil::Time", Some("jiff")),
        (ColumnType::Time, Chrono) => ("chrono::NaiveTime", Some("chrono")),
        (ColumnType::Timestamp, Jiff) => ("jiff::civil::DateTime", Some("jiff")),
        (ColumnType::Timestamp, Chrono) => ("chrono::NaiveDateTime", Some("chrono")),
        (ColumnType::TimestampTz, Jiff) => ("jiff::Timestamp", Some("jiff")),
        (ColumnType::TimestampTz, Chrono) => ("chrono::DateTime<chrono::Utc>", Some("chrono")),
        (ColumnType::Interval, _) => ("rowmill::Interval", None),
        (ColumnType::Uuid, _) => ("uuid::Uuid", Some("uuid")),
        (ColumnType::Json | ColumnType::Jsonb, _) => ("serde_json::Value", None),
        (ColumnType::Enum(_), _) => (enumeration.unwrap_or("String"), None),
        (ColumnType::Array(element), _) => {
            let (element, feature) = plain(element, times, enumeration)?;
            return Some((format!("Vec<{element}>"), feature));
        }
        // Nobody has a type for a time of day in a zone.
        (ColumnType::TimeTz | ColumnType::Binary(_), _) => return None,
        (ColumnType::Other(name), _) => return Some(named(name, times)),
        (ColumnType::Text | ColumnType::Varchar(_) | ColumnType::Char(_), _) => ("String", None),
    };
    Some((name.to_owned(), feature))
}

/// A type by its name. What is unknown here travels as a text.
fn named(name: &str, times: TimeTypes) -> (String, Option<&'static str>) {
    let plain_name = match name.rsplit('.').next().unwrap_or(name).trim_matches('"') {
        "inet" | "cidr" => "rowmill::Inet",
        "macaddr" => "rowmill::MacAddress",
        "hstore" => "rowmill::Hstore",
        range => return range_of(range, times),
    };
    (plain_name.to_owned(), None)
}

fn range_of(name: &str, times: TimeTypes) -> (String, Option<&'static str>) {
    let (wrapper, bounds) = match name.strip_suffix("multirange") {
        Some(bounds) => ("Multirange", bounds),
        None => ("Range", name.strip_suffix("range").unwrap_or_default()),
    };
    let column_type = match bounds {
        "int4" => ColumnType::Int4,
        "int8" => ColumnType::Int8,
        "num" => ColumnType::Numeric(None),
        "date" => ColumnType::Date,
        "ts" => ColumnType::Timestamp,
        "tstz" => ColumnType::TimestampTz,
        _ => return ("String".to_owned(), None),
    };
    match plain(&column_type, times, None) {
        Some((bound, feature)) => (format!("rowmill::{wrapper}<{bound}>"), feature),
        None => ("String".to_owned(), None),
    }
}

fn attribute(column_type: &ColumnType) -> Option<String> {
    match column_type {
        ColumnType::Varchar(Some(length)) => Some(format!("length = {length}")),
        ColumnType::Numeric(Some(_)) | ColumnType::Char(_) | ColumnType::Json => {
            Some(format!("column_type = {}", literal(&column_type.sql())))
        }
        ColumnType::Other(name) if name == "cidr" => Some("column_type = \"cidr\"".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sql: &str, times: TimeTypes) -> (String, Option<String>) {
        let column_type = ColumnType::parse(sql).unwrap();
        let found = RustType::of(&column_type, times, None).unwrap();
        (found.name, found.attribute)
    }

    #[test]
    fn what_the_rust_type_does_not_say_is_said_beside_it() {
        for (sql, name, attribute) in [
            ("bigint", "i64", None),
            ("varchar(20)", "String", Some("length = 20")),
            ("varchar", "String", None),
            ("char(3)", "String", Some("column_type = \"char(3)\"")),
            ("numeric(10,2)", "rowmill::Numeric", Some("column_type = \"numeric(10,2)\"")),
            ("numeric", "rowmill::Numeric", None),
            ("json", "serde_json::Value", Some("column_type = \"json\"")),
            ("timestamptz[]", "Vec<jiff::Timestamp>", None),
        ] {
            let expected = (name.to_owned(), attribute.map(str::to_owned));
            assert_eq!(of(sql, TimeTypes::Jiff), expected, "{sql}");
        }
        assert_eq!(of("timestamptz", TimeTypes::Chrono).0, "chrono::DateTime<chrono::Utc>");
        assert_eq!(RustType::of(&ColumnType::TimeTz, TimeTypes::Jiff, None), None);
    }
}
