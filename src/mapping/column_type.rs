//! The types a column can have.

use super::binary::BinaryType;
use crate::error::{Error, ErrorKind, Result};
use std::fmt;

/// Types that are known by name and no more: their values travel as text.
const NAMED: [&str; 16] = [
    "inet",
    "cidr",
    "macaddr",
    "int4range",
    "int8range",
    "numrange",
    "daterange",
    "tsrange",
    "tstzrange",
    "int4multirange",
    "int8multirange",
    "nummultirange",
    "datemultirange",
    "tsmultirange",
    "tstzmultirange",
    "hstore",
];

/// The type of a column, in PostgreSQL's terms; other databases map it to the nearest of theirs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ColumnType {
    /// `boolean`
    Bool,
    /// `smallint`, 16 bits
    Int2,
    /// `integer`, 32 bits
    Int4,
    /// `bigint`, 64 bits
    Int8,
    /// `real`, 32 bits
    Float4,
    /// `double precision`, 64 bits
    Float8,
    /// `numeric`, or `numeric(precision, scale)`
    Numeric(Option<(u16, i16)>),
    /// `text`
    Text,
    /// `varchar`, or `varchar(n)` characters
    Varchar(Option<u32>),
    /// `char(n)`, padded with blanks to n characters
    Char(u32),
    /// `bytea`
    Bytea,
    /// `date`
    Date,
    /// `time` without time zone
    Time,
    /// `time with time zone`
    TimeTz,
    /// `timestamp` without time zone
    Timestamp,
    /// `timestamp with time zone`
    TimestampTz,
    /// `interval`
    Interval,
    /// `uuid`
    Uuid,
    /// `json`
    Json,
    /// `jsonb`
    Jsonb,
    /// An enum of the database, by name; its values travel as their labels.
    Enum(String),
    /// An array of an element type that is not itself an array.
    Array(Box<ColumnType>),
    /// Any other type, by the name the database gives it; its values travel as text and the
    /// database casts them.
    Other(String),
    /// What the cells of such a type are in the result of a query; no column is declared with it.
    Binary(Box<BinaryType>),
}

impl ColumnType {
    /// Reads a type as it is written in SQL: `bigint`, `numeric(15,2)`, `varchar(20)`, `text[]`.
    ///
    /// ```
    /// use rowmill::ColumnType;
    /// assert_eq!(ColumnType::parse("numeric(15, 2)")?, ColumnType::Numeric(Some((15, 2))));
    /// assert!(ColumnType::parse("bigit").unwrap_err().to_string().contains("bigint"));
    /// # Ok::<(), rowmill::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Config` if there is no such type, or its modifiers are outside PostgreSQL's limits.
    pub fn parse(text: &str) -> Result<Self> {
        let lower = text.trim().to_ascii_lowercase();
        if let Some(element) = lower.strip_suffix("[]") {
            return match Self::parse(element)? {
                Self::Array(_) => Err(refused(text, "an array of arrays is written as one array")),
                element => Ok(Self::Array(Box::new(element))),
            };
        }
        let (name, modifiers) = split_modifiers(&lower).ok_or_else(|| unknown(text))?;
        let plain = Self::of_name(&name).ok_or_else(|| unknown(text))?;
        plain.with_modifiers(&modifiers, text)
    }

    fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "boolean" | "bool" => Self::Bool,
            "smallint" | "int2" => Self::Int2,
            "integer" | "int" | "int4" => Self::Int4,
            "bigint" | "int8" => Self::Int8,
            "real" | "float4" => Self::Float4,
            "double precision" | "double" | "float8" | "float" => Self::Float8,
            "numeric" | "decimal" => Self::Numeric(None),
            "text" => Self::Text,
            "varchar" | "character varying" => Self::Varchar(None),
            "char" | "character" | "bpchar" => Self::Char(1),
            "bytea" | "blob" => Self::Bytea,
            "date" => Self::Date,
            "time" | "time without time zone" => Self::Time,
            "timetz" | "time with time zone" => Self::TimeTz,
            "timestamp" | "timestamp without time zone" => Self::Timestamp,
            "timestamptz" | "timestamp with time zone" => Self::TimestampTz,
            "interval" => Self::Interval,
            "uuid" => Self::Uuid,
            "json" => Self::Json,
            "jsonb" => Self::Jsonb,
            name if NAMED.contains(&name) => Self::Other(name.to_owned()),
            _ => return None,
        })
    }

    fn with_modifiers(self, modifiers: &[i64], text: &str) -> Result<Self> {
        let limit = |n: i64, max: i64| (1..=max).contains(&n);
        match (self, modifiers) {
            (plain, []) => Ok(plain),
            (Self::Numeric(_), &[precision]) if limit(precision, 1000) => {
                Ok(Self::Numeric(Some((precision as u16, 0))))
            }
            (Self::Numeric(_), &[precision, scale])
                if limit(precision, 1000) && (-1000..=1000).contains(&scale) =>
            {
                Ok(Self::Numeric(Some((precision as u16, scale as i16))))
            }
            (Self::Varchar(_), &[n]) if limit(n, 10_485_760) => Ok(Self::Varchar(Some(n as u32))),
            (Self::Char(_), &[n]) if limit(n, 10_485_760) => Ok(Self::Char(n as u32)),
            _ => Err(refused(text, "what stands in parentheses does not fit the type")),
        }
    }

    /// The type as SQL writes it, in PostgreSQL's words.
    pub fn sql(&self) -> String {
        match self {
            Self::Numeric(Some((precision, scale))) => format!("numeric({precision},{scale})"),
            Self::Varchar(Some(n)) => format!("varchar({n})"),
            Self::Char(n) => format!("char({n})"),
            Self::Array(element) => format!("{}[]", element.sql()),
            Self::Enum(name) | Self::Other(name) => name.clone(),
            Self::Binary(ty) => ty.name(),
            plain => plain.plain_name().to_owned(),
        }
    }

    fn plain_name(&self) -> &'static str {
        match self {
            Self::Bool => "boolean",
            Self::Int2 => "smallint",
            Self::Int4 => "integer",
            Self::Int8 => "bigint",
            Self::Float4 => "real",
            Self::Float8 => "double precision",
            Self::Numeric(_) => "numeric",
            Self::Text | Self::Enum(_) | Self::Other(_) | Self::Binary(_) | Self::Array(_) => {
                "text"
            }
            Self::Varchar(_) => "varchar",
            Self::Char(_) => "char",
            Self::Bytea => "bytea",
            Self::Date => "date",
            Self::Time => "time",
            Self::TimeTz => "timetz",
            Self::Timestamp => "timestamp",
            Self::TimestampTz => "timestamptz",
            Self::Interval => "interval",
            Self::Uuid => "uuid",
            Self::Json => "json",
            Self::Jsonb => "jsonb",
        }
    }

    /// Whether values of this type travel as text that the database casts.
    #[inline]
    pub fn travels_as_text(&self) -> bool {
        match self {
            Self::Other(_) => true,
            Self::Array(element) => element.travels_as_text(),
            _ => false,
        }
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sql())
    }
}

/// `numeric (15, 2)` is `numeric` and `[15, 2]`; `timestamp(3) with time zone` is not supported.
fn split_modifiers(lower: &str) -> Option<(String, Vec<i64>)> {
    let single_spaced = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((name, rest)) = lower.split_once('(') else {
        return Some((single_spaced(lower), Vec::new()));
    };
    let inner = rest.trim_end().strip_suffix(')')?;
    let numbers = inner.split(',').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
    Some((single_spaced(name), numbers))
}

fn unknown(text: &str) -> Error {
    refused(
        text,
        "expected boolean, smallint, integer, bigint, real, double precision, numeric(p,s), text, \
         varchar(n), char(n), bytea, date, time, timetz, timestamp, timestamptz, interval, uuid, \
         json, jsonb, inet, cidr, macaddr, a range or a multirange, hstore, or one of them with []",
    )
}

fn refused(text: &str, hint: &str) -> Error {
    Error::new(ErrorKind::Config, format!("{text:?} is no column type")).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sql_writes_parse_reads() {
        for text in [
            "boolean",
            "smallint",
            "integer",
            "bigint",
            "real",
            "double precision",
            "numeric",
            "numeric(15,2)",
            "text",
            "varchar",
            "varchar(20)",
            "char(3)",
            "bytea",
            "date",
            "time",
            "timetz",
            "timestamp",
            "timestamptz",
            "interval",
            "uuid",
            "json",
            "jsonb",
            "text[]",
            "numeric(5,-2)[]",
            "inet",
            "int4range[]",
            "hstore",
        ] {
            assert_eq!(ColumnType::parse(text).unwrap().sql(), text);
        }
    }

    #[test]
    fn the_other_spellings_are_read_too() {
        for (text, sql) in [
            (" BIGINT ", "bigint"),
            ("timestamp  with time zone", "timestamptz"),
            ("decimal(10)", "numeric(10,0)"),
            ("character varying(3)", "varchar(3)"),
            ("char", "char(1)"),
        ] {
            assert_eq!(ColumnType::parse(text).unwrap().sql(), sql);
        }
    }

    #[test]
    fn unknown_types_and_modifiers_out_of_range_are_refused() {
        for text in [
            "",
            "bigit",
            "numeric(0)",
            "numeric(1001)",
            "varchar(0)",
            "text(3)",
            "int[][]",
            "numeric(",
            "varchar(x)",
        ] {
            assert_eq!(ColumnType::parse(text).unwrap_err().kind(), ErrorKind::Config, "{text}");
        }
    }
}
