//! The columns of a target as those of a file.

use super::options::{ParquetCompression, ParquetOptions};
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use parquet::basic::{
    Compression, ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel,
};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::{Type, TypePtr};
use std::sync::Arc;

/// The digits of a decimal that every reader knows.
const MOST_DIGITS: u16 = 38;
/// The bytes of one with more digits than 64 bits have.
pub(super) const DECIMAL_BYTES: i32 = 16;

/// How the values of a column are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Storage {
    Bool,
    /// 32 bits, from 16.
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    /// A decimal of so many digits behind the point, in 32 bits, in 64, or in more.
    Decimal4(u32),
    Decimal8(u32),
    Decimal16(u32),
    Date,
    Time,
    Timestamp,
    Uuid,
    /// The packed bytes.
    Bytes,
    /// The text that is printed.
    Printed,
}

impl Storage {
    /// That of the values of a type which is no array.
    pub(super) fn of(column_type: &ColumnType) -> Self {
        match column_type {
            ColumnType::Bool => Self::Bool,
            ColumnType::Int2 => Self::Int2,
            ColumnType::Int4 => Self::Int4,
            ColumnType::Int8 => Self::Int8,
            ColumnType::Float4 => Self::Float4,
            ColumnType::Float8 => Self::Float8,
            ColumnType::Numeric(Some((precision, scale))) => decimal(*precision, *scale),
            ColumnType::Date => Self::Date,
            ColumnType::Time => Self::Time,
            ColumnType::Timestamp | ColumnType::TimestampTz => Self::Timestamp,
            ColumnType::Uuid => Self::Uuid,
            ColumnType::Text
            | ColumnType::Varchar(_)
            | ColumnType::Char(_)
            | ColumnType::Json
            | ColumnType::Bytea
            | ColumnType::Enum(_)
            | ColumnType::Other(_) => Self::Bytes,
            _ => Self::Printed,
        }
    }

    fn physical(self) -> Physical {
        match self {
            Self::Bool => Physical::BOOLEAN,
            Self::Int2 | Self::Int4 | Self::Decimal4(_) | Self::Date => Physical::INT32,
            Self::Int8 | Self::Decimal8(_) | Self::Time | Self::Timestamp => Physical::INT64,
            Self::Float4 => Physical::FLOAT,
            Self::Float8 => Physical::DOUBLE,
            Self::Decimal16(_) | Self::Uuid => Physical::FIXED_LEN_BYTE_ARRAY,
            Self::Bytes | Self::Printed => Physical::BYTE_ARRAY,
        }
    }
}

fn decimal(precision: u16, scale: i16) -> Storage {
    match u32::try_from(scale) {
        Ok(scale) if scale <= u32::from(precision) => match precision {
            1..=9 => Storage::Decimal4(scale),
            10..=18 => Storage::Decimal8(scale),
            19..=MOST_DIGITS => Storage::Decimal16(scale),
            _ => Storage::Printed,
        },
        _ => Storage::Printed,
    }
}

/// The schema of a file with these columns.
pub(super) fn schema(columns: &[Column]) -> Result<TypePtr, ParquetError> {
    let field = |column: &Column| -> Result<TypePtr, ParquetError> {
        let repetition = if column.nullable { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        let name = column.name.as_str();
        match &column.column_type {
            ColumnType::Array(element) => list(name, repetition, element),
            plain => value(name, repetition, plain),
        }
        .map(Arc::new)
    };
    let fields = columns.iter().map(field).collect::<Result<_, _>>()?;
    Type::group_type_builder("schema").with_fields(fields).build().map(Arc::new)
}

fn list(name: &str, repetition: Repetition, element: &ColumnType) -> Result<Type, ParquetError> {
    let element = value("element", Repetition::OPTIONAL, element)?;
    let repeated = Type::group_type_builder("list")
        .with_repetition(Repetition::REPEATED)
        .with_fields(vec![Arc::new(element)])
        .build()?;
    Type::group_type_builder(name)
        .with_repetition(repetition)
        .with_logical_type(Some(LogicalType::List))
        .with_converted_type(ConvertedType::LIST)
        .with_fields(vec![Arc::new(repeated)])
        .build()
}

fn value(
    name: &str,
    repetition: Repetition,
    column_type: &ColumnType,
) -> Result<Type, ParquetError> {
    let storage = Storage::of(column_type);
    let builder = Type::primitive_type_builder(name, storage.physical())
        .with_repetition(repetition)
        .with_logical_type(logical(column_type, storage));
    let builder = match (column_type, storage) {
        (_, Storage::Uuid | Storage::Decimal16(_)) => builder.with_length(DECIMAL_BYTES),
        _ => builder,
    };
    match (column_type, storage) {
        (_, Storage::Printed) => builder.build(),
        (ColumnType::Numeric(Some((precision, scale))), _) => {
            builder.with_precision(i32::from(*precision)).with_scale(i32::from(*scale)).build()
        }
        _ => builder.build(),
    }
}

fn logical(column_type: &ColumnType, storage: Storage) -> Option<LogicalType> {
    Some(match column_type {
        ColumnType::Json | ColumnType::Jsonb => LogicalType::Json,
        _ if storage == Storage::Printed => LogicalType::String,
        ColumnType::Int2 => LogicalType::integer(16, true),
        ColumnType::Numeric(Some((precision, scale))) => {
            LogicalType::decimal(i32::from(*scale), i32::from(*precision))
        }
        ColumnType::Date => LogicalType::Date,
        ColumnType::Time => LogicalType::time(false, TimeUnit::MICROS),
        ColumnType::Timestamp => LogicalType::timestamp(false, TimeUnit::MICROS),
        ColumnType::TimestampTz => LogicalType::timestamp(true, TimeUnit::MICROS),
        ColumnType::Uuid => LogicalType::Uuid,
        ColumnType::Text
        | ColumnType::Varchar(_)
        | ColumnType::Char(_)
        | ColumnType::Enum(_)
        | ColumnType::Other(_) => LogicalType::String,
        _ => return None,
    })
}

/// How a file is written.
pub(super) fn properties(options: &ParquetOptions) -> WriterProperties {
    let compression = match options.compression {
        ParquetCompression::Zstd => Compression::ZSTD(ZstdLevel::default()),
        ParquetCompression::Snappy => Compression::SNAPPY,
        ParquetCompression::None => Compression::UNCOMPRESSED,
    };
    WriterProperties::builder()
        .set_compression(compression)
        .set_created_by(concat!("rowmill version ", env!("CARGO_PKG_VERSION")).to_owned())
        .build()
}
