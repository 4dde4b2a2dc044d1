//! What the values of a column are, and how one becomes a packed value.

use super::decimal;
use super::values::Fault;
use crate::mapping::column_type::ColumnType;
use crate::mapping::text::civil::{DATES, DAY_MICROSECONDS, TIMESTAMPS};
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::data_type::Int96;
use parquet::schema::types::ColumnDescriptor;

/// The days from 1970-01-01 to 2000-01-01.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROSECONDS: i64 = EPOCH_DAYS as i64 * DAY_MICROSECONDS;
/// The Julian day of 1970-01-01.
const JULIAN_1970: i64 = 2_440_588;

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int2,
    Int4,
    Int8,
    /// 32 bits without a sign.
    UInt4,
    /// 64 bits without a sign.
    UInt8,
    /// With so many digits, so many of them behind the point.
    Decimal(u32, u32),
    Float2,
    Float4,
    Float8,
    Text,
    Json,
    Bytes,
    Date,
    Time(Unit),
    Timestamp(Unit),
    /// An instant.
    TimestampTz(Unit),
    /// A day and the nanoseconds in it, as Impala and old versions of Spark write it.
    Int96,
    Interval,
    Uuid,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Milli,
    Micro,
    Nano,
}

impl Unit {
    fn of(unit: TimeUnit) -> Self {
        match unit {
            TimeUnit::MILLIS => Self::Milli,
            TimeUnit::MICROS => Self::Micro,
            TimeUnit::NANOS => Self::Nano,
        }
    }

    /// So many of them as microseconds: the nearest, as PostgreSQL rounds them.
    fn microseconds(self, count: i64) -> Option<i64> {
        match self {
            Self::Milli => count.checked_mul(1_000),
            Self::Micro => Some(count),
            Self::Nano => Some(rounded(count)),
        }
    }
}

/// Nanoseconds to microseconds, a half to the even one.
fn rounded(nanoseconds: i64) -> i64 {
    let (whole, rest) = (nanoseconds.div_euclid(1_000), nanoseconds.rem_euclid(1_000));
    let up = rest > 500 || (rest == 500 && whole & 1 == 1);
    whole + i64::from(up)
}

impl Kind {
    /// That of a column.
    pub(super) fn of(column: &ColumnDescriptor) -> Self {
        let decimal = || {
            // No more digits than a `numeric` has; the file promises both to be there.
            let scale = u32::try_from(column.type_scale()).unwrap_or_default();
            Self::Decimal(u32::try_from(column.type_precision()).unwrap_or_default(), scale)
        };
        if let Some(logical) = column.logical_type_ref()
            && let Some(kind) = Self::of_logical(logical, decimal)
        {
            return kind;
        }
        Self::of_converted(column.converted_type(), decimal)
            .unwrap_or_else(|| Self::of_physical(column.physical_type()))
    }

    fn of_logical(logical: &LogicalType, decimal: impl FnOnce() -> Self) -> Option<Self> {
        Some(match logical {
            LogicalType::String | LogicalType::Enum => Self::Text,
            LogicalType::Json => Self::Json,
            LogicalType::Uuid => Self::Uuid,
            LogicalType::Float16 => Self::Float2,
            LogicalType::Date => Self::Date,
            LogicalType::Decimal(_) => decimal(),
            LogicalType::Time(time) => Self::Time(Unit::of(time.unit)),
            LogicalType::Timestamp(stamp) if stamp.is_adjusted_to_u_t_c => {
                Self::TimestampTz(Unit::of(stamp.unit))
            }
            LogicalType::Timestamp(stamp) => Self::Timestamp(Unit::of(stamp.unit)),
            LogicalType::Integer(integer) => match (integer.bit_width, integer.is_signed) {
                (8 | 16, true) | (8, false) => Self::Int2,
                (16, false) | (32, true) => Self::Int4,
                (32, false) => Self::UInt4,
                (_, true) => Self::Int8,
                (_, false) => Self::UInt8,
            },
            _ => return None,
        })
    }

    /// What older writers say.
    fn of_converted(converted: ConvertedType, decimal: impl FnOnce() -> Self) -> Option<Self> {
        Some(match converted {
            ConvertedType::UTF8 | ConvertedType::ENUM => Self::Text,
            ConvertedType::JSON => Self::Json,
            ConvertedType::DECIMAL => decimal(),
            ConvertedType::DATE => Self::Date,
            ConvertedType::TIME_MILLIS => Self::Time(Unit::Milli),
            ConvertedType::TIME_MICROS => Self::Time(Unit::Micro),
            ConvertedType::TIMESTAMP_MILLIS => Self::TimestampTz(Unit::Milli),
            ConvertedType::TIMESTAMP_MICROS => Self::TimestampTz(Unit::Micro),
            ConvertedType::INT_8 | ConvertedType::INT_16 | ConvertedType::UINT_8 => Self::Int2,
            ConvertedType::INT_32 | ConvertedType::UINT_16 => Self::Int4,
            ConvertedType::INT_64 => Self::Int8,
            ConvertedType::UINT_32 => Self::UInt4,
            ConvertedType::UINT_64 => Self::UInt8,
            ConvertedType::INTERVAL => Self::Interval,
            _ => return None,
        })
    }

    fn of_physical(physical: Physical) -> Self {
        match physical {
            Physical::BOOLEAN => Self::Bool,
            Physical::INT32 => Self::Int4,
            Physical::INT64 => Self::Int8,
            Physical::INT96 => Self::Int96,
            Physical::FLOAT => Self::Float4,
            Physical::DOUBLE => Self::Float8,
            Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY => Self::Bytes,
        }
    }

    /// What a packed value is in PostgreSQL's terms.
    pub(super) fn column_type(self) -> ColumnType {
        match self {
            Self::Bool => ColumnType::Bool,
            Self::Int2 => ColumnType::Int2,
            Self::Int4 => ColumnType::Int4,
            Self::Int8 | Self::UInt4 => ColumnType::Int8,
            Self::UInt8 => ColumnType::Numeric(Some((20, 0))),
            Self::Decimal(precision @ 1..=1000, scale) => {
                ColumnType::Numeric(Some((precision as u16, scale as i16)))
            }
            Self::Decimal(..) => ColumnType::Numeric(None),
            Self::Float2 | Self::Float4 => ColumnType::Float4,
            Self::Float8 => ColumnType::Float8,
            Self::Text => ColumnType::Text,
            Self::Json => ColumnType::Json,
            Self::Bytes => ColumnType::Bytea,
            Self::Date => ColumnType::Date,
            Self::Time(_) => ColumnType::Time,
            Self::Timestamp(_) | Self::Int96 => ColumnType::Timestamp,
            Self::TimestampTz(_) => ColumnType::TimestampTz,
            Self::Interval => ColumnType::Interval,
            Self::Uuid => ColumnType::Uuid,
        }
    }

    /// Packs a truth value.
    pub(super) fn boolean(value: bool, out: &mut Vec<u8>) {
        out.push(u8::from(value));
    }

    /// Packs a number of 32 bits.
    pub(super) fn int32(self, value: i32, out: &mut Vec<u8>) -> Result<(), Fault> {
        match self {
            Self::Int2 => {
                let value = i16::try_from(value).map_err(|_| Fault::Range("smallint"))?;
                out.extend_from_slice(&value.to_be_bytes());
            }
            Self::UInt4 => out.extend_from_slice(&i64::from(value as u32).to_be_bytes()),
            Self::Decimal(_, scale) => decimal::pack(i128::from(value), scale, out)?,
            Self::Date => {
                let day = value.checked_sub(EPOCH_DAYS).filter(|day| DATES.contains(day));
                let day = day.ok_or(Fault::Range("date"))?;
                out.extend_from_slice(&day.to_be_bytes());
            }
            Self::Time(unit) => time(unit, i64::from(value), out)?,
            _ => out.extend_from_slice(&value.to_be_bytes()),
        }
        Ok(())
    }

    /// Packs a number of 64 bits.
    pub(super) fn int64(self, value: i64, out: &mut Vec<u8>) -> Result<(), Fault> {
        match self {
            Self::UInt8 => decimal::pack(i128::from(value as u64), 0, out)?,
            Self::Decimal(_, scale) => decimal::pack(i128::from(value), scale, out)?,
            Self::Time(unit) => time(unit, value, out)?,
            Self::Timestamp(unit) | Self::TimestampTz(unit) => {
                let since_1970 = unit.microseconds(value).ok_or(Fault::Range("timestamp"))?;
                timestamp(since_1970, out)?;
            }
            _ => out.extend_from_slice(&value.to_be_bytes()),
        }
        Ok(())
    }

    /// Packs a day and the nanoseconds in it.
    pub(super) fn int96(value: &Int96, out: &mut Vec<u8>) -> Result<(), Fault> {
        let [low, high, day] = value.data() else { return Err(Fault::Length("timestamp")) };
        let nanoseconds = (i64::from(*high as i32) << 32) | i64::from(*low);
        let day = i64::from(*day as i32) - JULIAN_1970;
        let midnight = day.checked_mul(DAY_MICROSECONDS).ok_or(Fault::Range("timestamp"))?;
        let since_1970 = midnight.checked_add(rounded(nanoseconds));
        timestamp(since_1970.ok_or(Fault::Range("timestamp"))?, out)
    }

    /// Packs a sequence of bytes.
    pub(super) fn bytes(self, value: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        match self {
            Self::Text | Self::Json => {
                std::str::from_utf8(value).map_err(|_| Fault::Encoding)?;
                out.extend_from_slice(value);
            }
            Self::Decimal(_, scale) => decimal::pack_bytes(value, scale, out)?,
            Self::Uuid if value.len() != 16 => return Err(Fault::Length("uuid")),
            Self::Float2 => {
                let bits = value.try_into().map_err(|_| Fault::Length("16 bit number"))?;
                out.extend_from_slice(&widened(u16::from_le_bytes(bits)).to_be_bytes());
            }
            Self::Interval => interval(value, out)?,
            _ => out.extend_from_slice(value),
        }
        Ok(())
    }
}

fn time(unit: Unit, value: i64, out: &mut Vec<u8>) -> Result<(), Fault> {
    let time = unit.microseconds(value).filter(|time| (0..=DAY_MICROSECONDS).contains(time));
    out.extend_from_slice(&time.ok_or(Fault::Range("time"))?.to_be_bytes());
    Ok(())
}

fn timestamp(since_1970: i64, out: &mut Vec<u8>) -> Result<(), Fault> {
    let stamp = since_1970.checked_sub(EPOCH_MICROSECONDS).filter(|at| TIMESTAMPS.contains(at));
    out.extend_from_slice(&stamp.ok_or(Fault::Range("timestamp"))?.to_be_bytes());
    Ok(())
}

/// Months, days and milliseconds, each of 32 bits without a sign.
fn interval(value: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    let part = |at: usize| -> Result<u32, Fault> {
        let bytes = value.get(at * 4..at * 4 + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u32::from_le_bytes).ok_or(Fault::Length("interval"))
    };
    let whole = |number: u32| i32::try_from(number).map_err(|_| Fault::Range("interval"));
    let (months, days, millis) = (whole(part(0)?)?, whole(part(1)?)?, part(2)?);
    out.extend_from_slice(&(i64::from(millis) * 1_000).to_be_bytes());
    out.extend_from_slice(&days.to_be_bytes());
    out.extend_from_slice(&months.to_be_bytes());
    Ok(())
}

/// A number of 16 bits (IEEE 754 `binary16`) as one of 32.
fn widened(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let fraction = f32::from(bits & 0x3FF);
    match i32::from(bits >> 10 & 0x1F) {
        0 => sign * fraction * 2_f32.powi(-24),
        31 if fraction == 0.0 => sign * f32::INFINITY,
        31 => f32::NAN,
        exponent => sign * (1.0 + fraction / 1024.0) * 2_f32.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::text;
    use crate::mapping::text::civil::days;

    fn shown(kind: Kind, pack: impl FnOnce(Kind, &mut Vec<u8>) -> Result<(), Fault>) -> String {
        let (mut packed, mut shown) = (Vec::new(), String::new());
        match pack(kind, &mut packed) {
            Ok(()) => text::output(&kind.column_type(), &packed, &mut shown).unwrap(),
            Err(fault) => shown = fault.error().to_string(),
        }
        shown
    }

    #[test]
    fn times_are_counted_from_1970_and_rounded_as_the_server_does() {
        assert_eq!(EPOCH_DAYS, -days(1970, 1, 1));
        for (kind, value, text) in [
            (Kind::Timestamp(Unit::Milli), 1, "1970-01-01 00:00:00.001"),
            (Kind::TimestampTz(Unit::Micro), -1, "1969-12-31 23:59:59.999999+00"),
            (Kind::Timestamp(Unit::Nano), 500, "1970-01-01 00:00:00"),
            (Kind::Timestamp(Unit::Nano), 1_500, "1970-01-01 00:00:00.000002"),
            (Kind::Timestamp(Unit::Nano), -501, "1969-12-31 23:59:59.999999"),
            (Kind::Timestamp(Unit::Milli), i64::MAX, "outside the range of timestamp (22008)"),
            // Packed, it would be what stands for infinity.
            (Kind::Timestamp(Unit::Micro), i64::MIN, "outside the range of timestamp (22008)"),
            (Kind::Timestamp(Unit::Micro), i64::MAX, "294247-01-10 04:00:54.775807"),
            (Kind::Time(Unit::Micro), DAY_MICROSECONDS, "24:00:00"),
            (Kind::Time(Unit::Nano), 1_000, "00:00:00.000001"),
            (Kind::Time(Unit::Micro), -1, "outside the range of time (22008)"),
        ] {
            assert_eq!(shown(kind, |kind, out| kind.int64(value, out)), text, "{value}");
        }
        for (value, text) in [
            (0, "1970-01-01"),
            (-719_528, "0001-01-01 BC"),
            (i32::MIN, "outside the range of date (22008)"),
            (i32::MAX, "outside the range of date (22008)"),
        ] {
            assert_eq!(shown(Kind::Date, |kind, out| kind.int32(value, out)), text, "{value}");
        }
    }

    #[test]
    fn an_old_timestamp_is_a_julian_day_and_nanoseconds() {
        let mut value = Int96::new();
        value.set_data(3_000_000_000, 19_000, 2_440_589);
        let text = shown(Kind::Int96, |_, out| Kind::int96(&value, out));
        assert_eq!(text, "1970-01-02 22:40:07.378624");
    }

    #[test]
    fn numbers_without_a_sign_stay_what_they_are() {
        assert_eq!(shown(Kind::UInt4, |kind, out| kind.int32(-1, out)), "4294967295");
        assert_eq!(shown(Kind::UInt8, |kind, out| kind.int64(-1, out)), "18446744073709551615");
        let text = shown(Kind::Int2, |kind, out| kind.int32(40_000, out));
        assert_eq!(text, "outside the range of smallint (22003)");
    }

    #[test]
    fn small_numbers_and_intervals_are_read() {
        for (bits, text) in [
            (0x3C00_u16, "1"),
            (0xC000, "-2"),
            (0x7C00, "Infinity"),
            (0x7E00, "NaN"),
            (1, "5.9604645e-08"),
        ] {
            let bytes = bits.to_le_bytes();
            assert_eq!(shown(Kind::Float2, |kind, out| kind.bytes(&bytes, out)), text);
        }
        let parts = [1_u32, 2, 3_000].map(u32::to_le_bytes).concat();
        let text = shown(Kind::Interval, |kind, out| kind.bytes(&parts, out));
        assert_eq!(text, "1 mon 2 days 00:00:03");
    }
}
