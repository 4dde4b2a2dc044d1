//! Parameters as the server's types.
//!
//! The server says which type it takes a placeholder for. Numbers are sent as that type where it
//! is one of numbers; whatever else fits is sent as text, which the server reads as it would read
//! a literal. A packed value must be of the type it was packed for, or of one that travels the
//! same way; `$1::bigint` says which one is meant.

use super::literal;
use crate::backend::postgres::errors::code;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column_type::ColumnType;
use crate::mapping::param::Param;
use crate::sqlstate::SqlState;
use postgres::types::private::BytesMut;
use postgres::types::{Format, IsNull, Kind, ToSql, Type, to_sql_checked};
use std::error::Error as StdError;
use std::fmt::{self, Write as _};

/// A parameter on its way to the server. The driver logs parameters by their `Debug`, which
/// therefore shows nothing of the value.
#[derive(Debug)]
pub(crate) struct Sent<'a> {
    param: &'a Param<'a>,
    server: Option<&'a Type>,
}

impl<'a> Sent<'a> {
    /// For a placeholder of whose type the driver knows.
    pub(crate) fn new(param: &'a Param<'a>) -> Self {
        Self { param, server: None }
    }

    /// For a placeholder of this type, whatever the driver takes it for.
    pub(crate) fn to(server: &'a Type, param: &'a Param<'a>) -> Self {
        Self { param, server: Some(server) }
    }
}

impl ToSql for Sent<'_> {
    fn to_sql(
        &self,
        server: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        write(self.param, base(self.server.unwrap_or(server)), out).map_err(Into::into)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, server: &Type) -> Format {
        let is_text = is_text(self.param, base(self.server.unwrap_or(server)));
        if is_text { Format::Text } else { Format::Binary }
    }

    to_sql_checked!();
}

/// A cell that is packed for exactly the type of its placeholder; see [`Sent`] on `Debug`.
pub(crate) struct Packed<'a> {
    pub(crate) column_type: &'a ColumnType,
    pub(crate) bytes: Option<&'a [u8]>,
}

impl ToSql for Packed<'_> {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        let Some(bytes) = self.bytes else { return Ok(IsNull::Yes) };
        out.extend_from_slice(bytes);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, server: &Type) -> Format {
        // The server reads what has no type yet as the type that it is cast to.
        let is_text = *server == Type::UNKNOWN && is_label(self.column_type);
        if is_text { Format::Text } else { Format::Binary }
    }

    to_sql_checked!();
}

impl fmt::Debug for Packed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.bytes.is_none() { "NULL" } else { "..." })
    }
}

fn base(server: &Type) -> &Type {
    match server.kind() {
        Kind::Domain(inner) => base(inner),
        _ => server,
    }
}

fn is_number(server: &Type) -> bool {
    matches!(
        *server,
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID | Type::FLOAT4 | Type::FLOAT8
    )
}

fn is_float(server: &Type) -> bool {
    matches!(*server, Type::FLOAT4 | Type::FLOAT8)
}

/// Whether it is sent in the text format.
fn is_text(param: &Param<'_>, server: &Type) -> bool {
    match param {
        Param::Bool(_) => *server != Type::BOOL,
        Param::Int(_) => !is_number(server),
        Param::Float(_) => !is_float(server),
        Param::Text(_) => true,
        // A type that the server still has to find out.
        Param::Packed(column_type, _) if *server == Type::UNKNOWN && is_label(column_type) => true,
        Param::Packed(column_type, bytes) if !travels_as(column_type, server) => {
            match unpacked(column_type, bytes) {
                Some(number) => is_text(&number, server),
                None => is_label(column_type) || literal::is_sent(column_type, server),
            }
        }
        Param::Null | Param::Bytes(_) | Param::Packed(..) => false,
    }
}

fn write(param: &Param<'_>, server: &Type, out: &mut BytesMut) -> Result<IsNull> {
    param.check_nul()?;
    match param {
        Param::Null => return Ok(IsNull::Yes),
        Param::Bool(value) if *server == Type::BOOL => out.extend_from_slice(&[u8::from(*value)]),
        Param::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Param::Int(value) => write_int(*value, server, out)?,
        Param::Float(value) => write_float(*value, server, out)?,
        Param::Text(text) => out.extend_from_slice(text.as_bytes()),
        Param::Bytes(bytes) if *server == Type::BYTEA => out.extend_from_slice(bytes),
        Param::Bytes(_) => return Err(mismatch("bytes", server, "bytea")),
        Param::Packed(column_type, bytes) => {
            return write_packed(column_type, bytes, server, out);
        }
    }
    Ok(IsNull::No)
}

fn write_int(value: i64, server: &Type, out: &mut BytesMut) -> Result<()> {
    let out_of_range = |_| out_of_range(server);
    match *server {
        Type::INT2 => {
            out.extend_from_slice(&i16::try_from(value).map_err(out_of_range)?.to_be_bytes());
        }
        Type::INT4 => {
            out.extend_from_slice(&i32::try_from(value).map_err(out_of_range)?.to_be_bytes());
        }
        Type::OID => {
            out.extend_from_slice(&u32::try_from(value).map_err(out_of_range)?.to_be_bytes());
        }
        Type::INT8 => out.extend_from_slice(&value.to_be_bytes()),
        Type::FLOAT4 => out.extend_from_slice(&(value as f32).to_be_bytes()),
        Type::FLOAT8 => out.extend_from_slice(&(value as f64).to_be_bytes()),
        // Writing to a buffer that grows cannot fail.
        _ => drop(write!(out, "{value}")),
    }
    Ok(())
}

fn write_float(value: f64, server: &Type, out: &mut BytesMut) -> Result<()> {
    match *server {
        Type::FLOAT8 => out.extend_from_slice(&value.to_be_bytes()),
        Type::FLOAT4 => {
            let narrow = value as f32;
            let lost =
                narrow.is_infinite() != value.is_infinite() || (narrow == 0.0 && value != 0.0);
            if lost {
                return Err(out_of_range(server));
            }
            out.extend_from_slice(&narrow.to_be_bytes());
        }
        // `{:?}` has an exponent where the number is large. Writing here cannot fail.
        _ => drop(write!(out, "{value:?}")),
    }
    Ok(())
}

fn write_packed(
    column_type: &ColumnType,
    bytes: &[u8],
    server: &Type,
    out: &mut BytesMut,
) -> Result<IsNull> {
    if !travels_as(column_type, server) {
        if let Some(number) = unpacked(column_type, bytes) {
            return write(&number, server, out);
        }
        if literal::is_sent(column_type, server) {
            return literal::write(column_type, bytes, out).map(|()| IsNull::No);
        }
        if !is_label(column_type) {
            let name = column_type.sql();
            return Err(mismatch(&format!("a packed {name}"), server, &name));
        }
    }
    out.extend_from_slice(bytes);
    Ok(IsNull::No)
}

/// Whether the packed bytes of `column_type` are the binary format of the server's type.
fn travels_as(column_type: &ColumnType, server: &Type) -> bool {
    match column_type {
        ColumnType::Bool => *server == Type::BOOL,
        ColumnType::Int2 => *server == Type::INT2,
        ColumnType::Int4 => *server == Type::INT4,
        ColumnType::Int8 => *server == Type::INT8,
        ColumnType::Float4 => *server == Type::FLOAT4,
        ColumnType::Float8 => *server == Type::FLOAT8,
        ColumnType::Numeric(_) => *server == Type::NUMERIC,
        ColumnType::Text
        | ColumnType::Varchar(_)
        | ColumnType::Char(_)
        | ColumnType::Json
        | ColumnType::Enum(_) => is_textual(server),
        ColumnType::Bytea => *server == Type::BYTEA,
        ColumnType::Date => *server == Type::DATE,
        ColumnType::Time => *server == Type::TIME,
        ColumnType::TimeTz => *server == Type::TIMETZ,
        ColumnType::Timestamp => *server == Type::TIMESTAMP,
        ColumnType::TimestampTz => *server == Type::TIMESTAMPTZ,
        ColumnType::Interval => *server == Type::INTERVAL,
        ColumnType::Uuid => *server == Type::UUID,
        ColumnType::Jsonb => *server == Type::JSONB,
        ColumnType::Array(element) => match server.kind() {
            Kind::Array(inner) => is_element(element, inner),
            _ => false,
        },
        ColumnType::Other(_) | ColumnType::Binary(_) => false,
    }
}

/// The bytes of an array name the type of its elements, so that texts are not all the same there.
fn is_element(element: &ColumnType, server: &Type) -> bool {
    match element {
        ColumnType::Text => *server == Type::TEXT,
        ColumnType::Varchar(_) => *server == Type::VARCHAR,
        ColumnType::Char(_) => *server == Type::BPCHAR,
        ColumnType::Json => *server == Type::JSON,
        element => travels_as(element, server),
    }
}

fn is_textual(server: &Type) -> bool {
    matches!(
        *server,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::JSON | Type::UNKNOWN
    ) || matches!(server.kind(), Kind::Enum(_))
}

/// Whether the packed bytes are text.
pub(super) fn is_label(column_type: &ColumnType) -> bool {
    column_type.travels_as_text() || travels_as(column_type, &Type::TEXT)
}

/// A packed number as one that can be sent as any other type of numbers.
pub(super) fn unpacked(column_type: &ColumnType, bytes: &[u8]) -> Option<Param<'static>> {
    Some(match column_type {
        ColumnType::Bool => Param::Bool(*bytes.first()? != 0),
        ColumnType::Int2 => Param::Int(i16::from_be_bytes(bytes.try_into().ok()?).into()),
        ColumnType::Int4 => Param::Int(i32::from_be_bytes(bytes.try_into().ok()?).into()),
        ColumnType::Int8 => Param::Int(i64::from_be_bytes(bytes.try_into().ok()?)),
        ColumnType::Float4 => Param::Float(f32::from_be_bytes(bytes.try_into().ok()?).into()),
        ColumnType::Float8 => Param::Float(f64::from_be_bytes(bytes.try_into().ok()?)),
        _ => return None,
    })
}

fn out_of_range(server: &Type) -> Error {
    Error::new(ErrorKind::Encode, format!("a number is out of range for type {}", server.name()))
        .with_sqlstate(SqlState::NUMERIC_OUT_OF_RANGE)
}

fn mismatch(what: &str, server: &Type, cast: &str) -> Error {
    let message = format!("{what} cannot be sent where the server expects {}", server.name());
    Error::new(ErrorKind::Encode, message)
        .with_sqlstate(code("42804"))
        .with_hint(format!("cast the placeholder: $1::{cast}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(param: &Param<'_>, server: &Type) -> Result<(bool, Vec<u8>)> {
        let mut out = BytesMut::new();
        write(param, server, &mut out)?;
        Ok((is_text(param, server), out.to_vec()))
    }

    #[test]
    fn a_number_is_sent_as_the_type_of_its_placeholder() {
        let seven = Param::Int(7);
        assert_eq!(sent(&seven, &Type::INT2).unwrap(), (false, vec![0, 7]));
        assert_eq!(sent(&seven, &Type::INT4).unwrap(), (false, vec![0, 0, 0, 7]));
        assert_eq!(sent(&seven, &Type::FLOAT8).unwrap(), (false, 7_f64.to_be_bytes().to_vec()));
        assert_eq!(sent(&seven, &Type::NUMERIC).unwrap(), (true, b"7".to_vec()));
        assert_eq!(sent(&Param::Float(1e300), &Type::NUMERIC).unwrap(), (true, b"1e300".to_vec()));
    }

    #[test]
    fn a_number_that_does_not_fit_is_22003() {
        for (param, server) in [
            (Param::Int(40_000), Type::INT2),
            (Param::Int(1 << 40), Type::INT4),
            (Param::Int(-1), Type::OID),
            (Param::Float(1e300), Type::FLOAT4),
            (Param::Float(1e-300), Type::FLOAT4),
        ] {
            let error = sent(&param, &server).unwrap_err();
            assert_eq!(error.sqlstate(), Some(SqlState::NUMERIC_OUT_OF_RANGE));
            assert!(error.is_data());
        }
    }

    #[test]
    fn a_packed_value_goes_as_it_is_or_as_the_number_it_is() {
        let packed = Param::Packed(&ColumnType::Int4, 7_i32.to_be_bytes().to_vec().into());
        assert_eq!(sent(&packed, &Type::INT4).unwrap(), (false, vec![0, 0, 0, 7]));
        assert_eq!(sent(&packed, &Type::INT8).unwrap(), (false, 7_i64.to_be_bytes().to_vec()));
        assert_eq!(sent(&packed, &Type::TEXT).unwrap(), (true, b"7".to_vec()));
    }

    #[test]
    fn bytes_and_packed_values_of_another_type_say_which_cast_helps() {
        let error = sent(&Param::Bytes(vec![1].into()), &Type::TEXT).unwrap_err();
        assert!(error.to_string().contains("$1::bytea"), "{error}");
        let packed = Param::Packed(&ColumnType::Uuid, vec![0; 16].into());
        let error = sent(&packed, &Type::INT4).unwrap_err();
        assert!(error.to_string().contains("$1::uuid"), "{error}");
        assert!(!error.is_data());
    }
}
