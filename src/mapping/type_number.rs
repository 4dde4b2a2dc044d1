//! The numbers (`oid`) of the built-in types, which are the same on every server.

use super::column_type::ColumnType;

/// The number by which PostgreSQL knows a built-in type. Types of a database itself have one that
/// only that database knows.
pub(in crate::mapping) fn type_number(element: &ColumnType) -> Option<u32> {
    Some(match element {
        ColumnType::Bool => 16,
        ColumnType::Bytea => 17,
        ColumnType::Int8 => 20,
        ColumnType::Int2 => 21,
        ColumnType::Int4 => 23,
        ColumnType::Text => 25,
        ColumnType::Json => 114,
        ColumnType::Float4 => 700,
        ColumnType::Float8 => 701,
        ColumnType::Char(_) => 1042,
        ColumnType::Varchar(_) => 1043,
        ColumnType::Date => 1082,
        ColumnType::Time => 1083,
        ColumnType::Timestamp => 1114,
        ColumnType::TimestampTz => 1184,
        ColumnType::Interval => 1186,
        ColumnType::TimeTz => 1266,
        ColumnType::Numeric(_) => 1700,
        ColumnType::Uuid => 2950,
        ColumnType::Jsonb => 3802,
        ColumnType::Enum(_)
        | ColumnType::Other(_)
        | ColumnType::Binary(_)
        | ColumnType::Array(_) => return None,
    })
}

/// The number that the bytes of an array name as the type of its elements: the built-in one, or for
/// types of a database itself one that no built-in type has. Since version 14 the server compares
/// numbers of built-in types alone (`array_recv`), and takes the type it expects for all others.
pub(in crate::mapping) fn element_number(element: &ColumnType) -> Option<u32> {
    match element {
        ColumnType::Enum(_) => Some(FIRST_OF_DATABASE),
        element => type_number(element),
    }
}

/// The lowest number of a type that a database makes for itself: `FirstNormalObjectId`.
const FIRST_OF_DATABASE: u32 = 16_384;

/// The built-in type of that number.
pub(in crate::mapping) fn numbered_type(number: u32) -> Option<ColumnType> {
    BUILT_IN.iter().find(|ty| type_number(ty) == Some(number)).cloned()
}

const BUILT_IN: &[ColumnType] = &[
    ColumnType::Bool,
    ColumnType::Bytea,
    ColumnType::Int8,
    ColumnType::Int2,
    ColumnType::Int4,
    ColumnType::Text,
    ColumnType::Json,
    ColumnType::Float4,
    ColumnType::Float8,
    ColumnType::Varchar(None),
    ColumnType::Date,
    ColumnType::Time,
    ColumnType::Timestamp,
    ColumnType::TimestampTz,
    ColumnType::Interval,
    ColumnType::TimeTz,
    ColumnType::Numeric(None),
    ColumnType::Uuid,
    ColumnType::Jsonb,
];
