//! The types that parameters are declared with.

use super::params::unpacked;
use crate::mapping::column_type::ColumnType;
use crate::mapping::param::Param;
use postgres::types::Type;

/// The type to declare for a parameter before the server has said what it takes the placeholder
/// for: `unknown`, so that it finds out, for all that can be sent as text.
pub(crate) fn declared(param: &Param<'_>) -> Type {
    match param {
        Param::Bytes(_) => Type::BYTEA,
        Param::Packed(column_type, bytes) if unpacked(column_type, bytes).is_none() => {
            declared_column(column_type)
        }
        _ => Type::UNKNOWN,
    }
}

/// The type to declare for the packed values of a column.
pub(crate) fn declared_column(column_type: &ColumnType) -> Type {
    match column_type {
        ColumnType::Bool => Type::BOOL,
        ColumnType::Int2 => Type::INT2,
        ColumnType::Int4 => Type::INT4,
        ColumnType::Int8 => Type::INT8,
        ColumnType::Float4 => Type::FLOAT4,
        ColumnType::Float8 => Type::FLOAT8,
        ColumnType::Numeric(_) => Type::NUMERIC,
        ColumnType::Bytea => Type::BYTEA,
        ColumnType::Date => Type::DATE,
        ColumnType::Time => Type::TIME,
        ColumnType::TimeTz => Type::TIMETZ,
        ColumnType::Timestamp => Type::TIMESTAMP,
        ColumnType::TimestampTz => Type::TIMESTAMPTZ,
        ColumnType::Interval => Type::INTERVAL,
        ColumnType::Uuid => Type::UUID,
        ColumnType::Jsonb => Type::JSONB,
        ColumnType::Array(element) => array_of(element),
        ColumnType::Text
        | ColumnType::Varchar(_)
        | ColumnType::Char(_)
        | ColumnType::Json
        | ColumnType::Enum(_)
        | ColumnType::Binary(_)
        | ColumnType::Other(_) => Type::UNKNOWN,
    }
}

fn array_of(element: &ColumnType) -> Type {
    match element {
        ColumnType::Text => Type::TEXT_ARRAY,
        ColumnType::Varchar(_) => Type::VARCHAR_ARRAY,
        ColumnType::Char(_) => Type::BPCHAR_ARRAY,
        ColumnType::Json => Type::JSON_ARRAY,
        ColumnType::Bool => Type::BOOL_ARRAY,
        ColumnType::Int2 => Type::INT2_ARRAY,
        ColumnType::Int4 => Type::INT4_ARRAY,
        ColumnType::Int8 => Type::INT8_ARRAY,
        ColumnType::Float4 => Type::FLOAT4_ARRAY,
        ColumnType::Float8 => Type::FLOAT8_ARRAY,
        ColumnType::Numeric(_) => Type::NUMERIC_ARRAY,
        ColumnType::Bytea => Type::BYTEA_ARRAY,
        ColumnType::Date => Type::DATE_ARRAY,
        ColumnType::Time => Type::TIME_ARRAY,
        ColumnType::TimeTz => Type::TIMETZ_ARRAY,
        ColumnType::Timestamp => Type::TIMESTAMP_ARRAY,
        ColumnType::TimestampTz => Type::TIMESTAMPTZ_ARRAY,
        ColumnType::Interval => Type::INTERVAL_ARRAY,
        ColumnType::Uuid => Type::UUID_ARRAY,
        ColumnType::Jsonb => Type::JSONB_ARRAY,
        ColumnType::Array(_)
        | ColumnType::Enum(_)
        | ColumnType::Binary(_)
        | ColumnType::Other(_) => Type::UNKNOWN,
    }
}
