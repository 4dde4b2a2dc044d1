//! Texts become values exactly as PostgreSQL 15's own input functions would make them, and back.
//!
//! - `input`:       [`Input`], a type made ready to read texts
//! - `scalar`:      truth values, whole numbers, `uuid`, `bytea`
//! - `float`:       `real` and `double precision`; `hex_float` for what only C reads
//! - `numeric`:     decimal text to packed digits of base 10000, `numeric_rounding` for what must be
//!   cut, `numeric_small` for what is short, `numeric_format` for the way back
//! - `character`:   `text`, `varchar(n)`, `char(n)`, and what travels as text
//! - `datetime`:    dates, times, timestamps, intervals
//! - `civil`:       days and microseconds, and the civil calendar
//! - `json`:        `json` and `jsonb`
//! - `array`:       array literals; `array_shape` for their dimensions, `array_write` for the way back
//! - `as_json`:     values as JSON, as `to_json` shows them
//! - `plain`:       the plain forms that nearly every text has, read without detours
//! - `quoted`:      the items of records and ranges
//! - `fault`, `space`: the errors and the blanks they all share
//!
//! [`input`] accepts a text if and only if the server would, with `DateStyle` `ISO, MDY`,
//! `IntervalStyle` `postgres` and the time zone UTC, and refuses it with the server's SQLSTATE; no
//! error ever carries the text. [`output`] prints what the server would print with the same
//! settings and `extra_float_digits` 1. A differential test holds both against a real server.
//!
//! Where they differ on purpose, or because only a server can know:
//!
//! - `now`, `today`, `tomorrow` and `yesterday` are refused with 22007: a restart would read
//!   another value.
//! - Names of time zones are refused with 22023 (22007 if they are letters only), except those of
//!   UTC, `Etc/GMT+5` and its like, and whole hours like `UTC+3`; minutes and rules of POSIX are
//!   not read. Whether an unknown name exists is not known here.
//! - Abbreviations whose offset changed over time (`MSK`, `SGT` and 48 others) are refused with
//!   22007. The others are those of PostgreSQL's set `Default`.
//! - Labels of enums and values of other types are not checked: the database does when it gets
//!   them. Arrays of such types other than enums are refused as unsupported.
//! - `json` and `jsonb` may be nested 4096 deep; the server's limit depends on its settings. A
//!   `jsonb` keeps its text here and is brought into its own form by the server, and printed as it
//!   was written until then.
//! - Where one text has several faults, the SQLSTATE may be that of another of them.

mod array;
mod array_shape;
mod array_write;
mod as_json;
mod character;
pub mod civil;
mod datetime;
mod fault;
mod float;
mod hex_float;
mod input;
mod json;
pub mod numeric;
mod numeric_format;
mod numeric_rounding;
pub(in crate::mapping) mod numeric_small;
pub(in crate::mapping) mod plain;
pub(in crate::mapping) mod quoted;
mod scalar;
mod space;

pub use as_json::{output_json, push_string};
pub use input::Input;

use crate::error::Result;
use crate::mapping::binary;
use crate::mapping::column_type::ColumnType;

/// Reads a text of a type it was chosen for.
type Reader = fn(&ColumnType, &str, &mut Vec<u8>) -> Result<()>;
/// Writes the packed value of a type it was chosen for.
type Writer = fn(&ColumnType, &[u8], &mut String) -> Result<()>;

/// Appends the packed value of `text` as `column_type`: PostgreSQL's binary format, without a
/// length. After an error `out` is as it was.
///
/// [`Input`] does the same for many texts of one type.
///
/// ```
/// use rowmill::{ColumnType, mapping::text};
/// let mut packed = Vec::new();
/// text::input(&ColumnType::Int4, " 7 ", &mut packed)?;
/// assert_eq!(packed, [0, 0, 0, 7]);
/// let error = text::input(&ColumnType::Int2, "70000", &mut packed).unwrap_err();
/// assert_eq!(error.to_string(), "outside the range of smallint (22003)");
/// # Ok::<(), rowmill::Error>(())
/// ```
///
/// # Errors
/// `Encode` with PostgreSQL's SQLSTATE if the text is no value of the type; `Unsupported` for
/// arrays of types that are not built in.
pub fn input(column_type: &ColumnType, text: &str, out: &mut Vec<u8>) -> Result<()> {
    input::read(reader_of(column_type), column_type, text, out)
}

/// Appends the text of a packed value of `column_type`, as PostgreSQL prints it.
///
/// ```
/// use rowmill::{ColumnType, mapping::text};
/// let mut shown = String::new();
/// text::output(&ColumnType::Date, &0_i32.to_be_bytes(), &mut shown)?;
/// assert_eq!(shown, "2000-01-01");
/// # Ok::<(), rowmill::Error>(())
/// ```
///
/// # Errors
/// `Decode` if the bytes are no packed value of the type.
pub fn output(column_type: &ColumnType, packed: &[u8], out: &mut String) -> Result<()> {
    writer_of(column_type)(column_type, packed, out)
}

fn reader_of(column_type: &ColumnType) -> Reader {
    match column_type {
        ColumnType::Bool => |_, text, out| scalar::read_bool(text, out),
        ColumnType::Int2 => |_, text, out| scalar::read_int2(text, out),
        ColumnType::Int4 => |_, text, out| scalar::read_int4(text, out),
        ColumnType::Int8 => |_, text, out| scalar::read_int8(text, out),
        ColumnType::Float4 => |_, text, out| float::read_float4(text, out),
        ColumnType::Float8 => |_, text, out| float::read_float8(text, out),
        ColumnType::Numeric(_) => |column_type, text, out| match column_type {
            ColumnType::Numeric(modifiers) => numeric::parse(text, *modifiers, out),
            _ => numeric::parse(text, None, out),
        },
        ColumnType::Varchar(Some(_)) | ColumnType::Char(_) => read_limited,
        ColumnType::Text
        | ColumnType::Varchar(None)
        | ColumnType::Enum(_)
        | ColumnType::Other(_) => |_, text, out| character::read_text(text, out),
        ColumnType::Bytea => |_, text, out| scalar::read_bytea(text, out),
        ColumnType::Date => |_, text, out| datetime::read_date(text, out),
        ColumnType::Time => |_, text, out| datetime::read_time(text, out),
        ColumnType::TimeTz => |_, text, out| datetime::read_timetz(text, out),
        ColumnType::Timestamp => |_, text, out| datetime::read_timestamp(text, out),
        ColumnType::TimestampTz => |_, text, out| datetime::read_timestamptz(text, out),
        ColumnType::Interval => |_, text, out| datetime::read_interval(text, out),
        ColumnType::Uuid => |_, text, out| scalar::read_uuid(text, out),
        ColumnType::Json => |_, text, out| json::read_json(text, out),
        ColumnType::Jsonb => |_, text, out| json::read_jsonb(text, out),
        ColumnType::Binary(_) => |_, _, _| Err(fault::not_read()),
        ColumnType::Array(_) => |column_type, text, out| match column_type {
            ColumnType::Array(element) => array::read_array(element, text, out),
            other => array::read_array(other, text, out),
        },
    }
}

fn read_limited(column_type: &ColumnType, text: &str, out: &mut Vec<u8>) -> Result<()> {
    match column_type {
        ColumnType::Varchar(Some(limit)) => character::read_varchar(text, *limit, out),
        ColumnType::Char(length) => character::read_char(text, *length, out),
        _ => character::read_text(text, out),
    }
}

fn writer_of(column_type: &ColumnType) -> Writer {
    match column_type {
        ColumnType::Bool => |_, packed, out| scalar::write_bool(packed, out),
        ColumnType::Int2 => |_, packed, out| scalar::write_int(packed, 2, out),
        ColumnType::Int4 => |_, packed, out| scalar::write_int(packed, 4, out),
        ColumnType::Int8 => |_, packed, out| scalar::write_int(packed, 8, out),
        ColumnType::Float4 => |_, packed, out| float::write_float4(packed, out),
        ColumnType::Float8 => |_, packed, out| float::write_float8(packed, out),
        ColumnType::Numeric(_) => |_, packed, out| numeric::format(packed, out),
        ColumnType::Text
        | ColumnType::Varchar(_)
        | ColumnType::Char(_)
        | ColumnType::Json
        | ColumnType::Enum(_)
        | ColumnType::Other(_) => |_, packed, out| character::write_text(packed, out),
        ColumnType::Bytea => |_, packed, out| {
            scalar::write_bytea(packed, out);
            Ok(())
        },
        ColumnType::Date => |_, packed, out| datetime::write_date(packed, out),
        ColumnType::Time => |_, packed, out| datetime::write_time(packed, out),
        ColumnType::TimeTz => |_, packed, out| datetime::write_timetz(packed, out),
        ColumnType::Timestamp => |_, packed, out| datetime::write_timestamp(packed, out),
        ColumnType::TimestampTz => |_, packed, out| datetime::write_timestamptz(packed, out),
        ColumnType::Interval => |_, packed, out| datetime::write_interval(packed, out),
        ColumnType::Uuid => |_, packed, out| scalar::write_uuid(packed, out),
        ColumnType::Jsonb => |_, packed, out| json::write_jsonb(packed, out),
        ColumnType::Binary(_) => |column_type, packed, out| match column_type {
            ColumnType::Binary(ty) => binary::show(ty, packed, out),
            _ => character::write_text(packed, out),
        },
        ColumnType::Array(element) if element.travels_as_text() => {
            |_, packed, out| character::write_text(packed, out)
        }
        ColumnType::Array(_) => |column_type, packed, out| match column_type {
            ColumnType::Array(element) => array_write::write_array(element, packed, out),
            other => array_write::write_array(other, packed, out),
        },
    }
}

#[cfg(test)]
mod tests;
