//! The server's types as column types.
//!
//! A domain is its base type: that is how its values travel, and the server checks the rest when
//! it receives one. A type that has no [`ColumnType`] of its own is a [`BinaryType`] in the result of
//! a query, whose cells come in the server's binary format, whatever that is; types whose format is
//! a text are texts.

use crate::mapping::binary::BinaryType;
use crate::mapping::column_type::ColumnType;
use postgres::types::{Field, Kind, Type};

/// The type of a column of a result; `modifier` is -1 where there is none.
pub(crate) fn column_type(server: &Type, modifier: i32) -> ColumnType {
    if let Some(plain) = built_in(server, modifier) {
        return plain;
    }
    match server.kind() {
        Kind::Domain(base) => column_type(base, modifier),
        Kind::Enum(_) => ColumnType::Enum(qualified(server.schema(), server.name())),
        Kind::Array(element) => ColumnType::Array(Box::new(column_type(element, modifier))),
        _ if is_text(server) => ColumnType::Text,
        _ => ColumnType::Binary(Box::new(binary_type(server))),
    }
}

/// Whether the format of the type is a text, although it is none of the types of texts.
fn is_text(server: &Type) -> bool {
    matches!(*server, Type::XML | Type::CHAR | Type::REFCURSOR)
        || (server.name() == "citext" && *server.kind() == Kind::Simple)
}

fn binary_type(server: &Type) -> BinaryType {
    let inner = |ty: &Type| column_type(ty, -1);
    let name = || qualified(server.schema(), server.name());
    match (server, server.kind()) {
        (&Type::INET | &Type::CIDR, _) => BinaryType::Inet(name()),
        (&Type::MACADDR, _) => BinaryType::MacAddr,
        (&Type::OID | &Type::XID | &Type::CID, _) => BinaryType::Oid(name()),
        (_, Kind::Simple)
            if server.schema() == "pg_catalog" && server.name().starts_with("reg") =>
        {
            BinaryType::Oid(name())
        }
        (_, Kind::Range(element)) => BinaryType::Range(inner(element)),
        (_, Kind::Multirange(element)) => BinaryType::Multirange(inner(element)),
        (_, Kind::Simple) if server.name() == "hstore" => BinaryType::Hstore,
        (_, Kind::Composite(fields)) => {
            let field = |field: &Field| (field.name().to_owned(), inner(field.type_()));
            BinaryType::Composite(name(), fields.iter().map(field).collect())
        }
        _ => BinaryType::Unknown(name()),
    }
}

/// The type that the server has built in and that is no array, if it is one of ours.
pub(crate) fn built_in(server: &Type, modifier: i32) -> Option<ColumnType> {
    Some(match *server {
        Type::BOOL => ColumnType::Bool,
        Type::INT2 => ColumnType::Int2,
        Type::INT4 => ColumnType::Int4,
        Type::INT8 => ColumnType::Int8,
        Type::FLOAT4 => ColumnType::Float4,
        Type::FLOAT8 => ColumnType::Float8,
        Type::NUMERIC => ColumnType::Numeric(precision_and_scale(modifier)),
        Type::TEXT | Type::NAME | Type::UNKNOWN => ColumnType::Text,
        Type::VARCHAR => ColumnType::Varchar(length(modifier)),
        Type::BPCHAR => length(modifier).map_or(ColumnType::Text, ColumnType::Char),
        Type::BYTEA => ColumnType::Bytea,
        Type::DATE => ColumnType::Date,
        Type::TIME => ColumnType::Time,
        Type::TIMETZ => ColumnType::TimeTz,
        Type::TIMESTAMP => ColumnType::Timestamp,
        Type::TIMESTAMPTZ => ColumnType::TimestampTz,
        Type::INTERVAL => ColumnType::Interval,
        Type::UUID => ColumnType::Uuid,
        Type::JSON => ColumnType::Json,
        Type::JSONB => ColumnType::Jsonb,
        _ => return None,
    })
}

/// Modifiers count from 4, the size of the length that the server once kept with each value.
fn length(modifier: i32) -> Option<u32> {
    u32::try_from(modifier).ok()?.checked_sub(4)
}

/// 16 bits of precision above 11 bits of signed scale.
fn precision_and_scale(modifier: i32) -> Option<(u16, i16)> {
    let packed = length(modifier)?;
    let scale = ((packed & 0x7ff) as i16 ^ 1024) - 1024;
    Some(((packed >> 16) as u16, scale))
}

/// The name of a type as SQL reads it on any search path.
pub(crate) fn qualified(schema: &str, name: &str) -> String {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    match (schema, is_plain(name)) {
        ("pg_catalog", true) => name.to_owned(),
        ("public", true) => format!("public.{name}"),
        _ => format!("{}.{}", quoted(schema), quoted(name)),
    }
}

/// The built-in `"char"` and `bit` mean other types without quotes.
fn is_plain(name: &str) -> bool {
    let is_word = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
    name.bytes().all(is_word)
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !matches!(name, "char" | "bit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modifiers_are_read_as_the_server_writes_them() {
        let binary = |ty| ColumnType::Binary(Box::new(ty));
        let numeric = |p: i32, s: i32| ((p << 16) | (s & 0x7ff)) + 4;
        for (server, modifier, expected) in [
            (Type::NUMERIC, -1, ColumnType::Numeric(None)),
            (Type::NUMERIC, numeric(15, 2), ColumnType::Numeric(Some((15, 2)))),
            (Type::NUMERIC, numeric(5, -2), ColumnType::Numeric(Some((5, -2)))),
            (Type::NUMERIC, numeric(1000, 1000), ColumnType::Numeric(Some((1000, 1000)))),
            (Type::VARCHAR, -1, ColumnType::Varchar(None)),
            (Type::VARCHAR, 24, ColumnType::Varchar(Some(20))),
            (Type::BPCHAR, 7, ColumnType::Char(3)),
            (Type::BPCHAR, -1, ColumnType::Text),
            (
                Type::NUMERIC_ARRAY,
                numeric(5, 1),
                ColumnType::Array(Box::new(ColumnType::Numeric(Some((5, 1))))),
            ),
            (Type::CHAR, -1, ColumnType::Text),
            (Type::INET, -1, binary(BinaryType::Inet("inet".into()))),
            (Type::REGCLASS, -1, binary(BinaryType::Oid("regclass".into()))),
            (Type::INT4_RANGE, -1, binary(BinaryType::Range(ColumnType::Int4))),
            (Type::DATEMULTI_RANGE, -1, binary(BinaryType::Multirange(ColumnType::Date))),
            (Type::POINT, -1, binary(BinaryType::Unknown("point".into()))),
        ] {
            assert_eq!(column_type(&server, modifier), expected);
        }
    }

    #[test]
    fn a_name_that_needs_quotes_has_them() {
        assert_eq!(qualified("public", "mood"), "public.mood");
        assert_eq!(qualified("user", "mood"), "\"user\".\"mood\"");
        assert_eq!(qualified("public", "My \"mood"), "\"public\".\"My \"\"mood\"");
    }
}
