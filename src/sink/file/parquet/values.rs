//! Packed values as those of a column.

use super::schema::Storage;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::mapping::rows::Rows;
use crate::mapping::text;
use crate::mapping::text::civil::{DATES, DAY_MICROSECONDS, TIMESTAMPS};
use crate::sqlstate::SqlState;

/// The days from 1970-01-01 to 2000-01-01.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROSECONDS: i64 = EPOCH_DAYS as i64 * DAY_MICROSECONDS;

/// A value of a type, and how it is stored.
#[derive(Clone, Debug)]
pub(super) struct Encoding {
    pub(super) storage: Storage,
    column_type: ColumnType,
}

impl Encoding {
    /// That of a type which is no array.
    pub(super) fn of(column_type: &ColumnType) -> Self {
        Self { storage: Storage::of(column_type), column_type: column_type.clone() }
    }

    /// A truth value.
    pub(super) fn boolean(packed: &[u8]) -> Result<bool> {
        packed.first().map(|byte| *byte != 0).ok_or_else(misfit)
    }

    /// A value that is stored in 32 bits.
    pub(super) fn int32(&self, packed: &[u8]) -> Result<i32> {
        match self.storage {
            Storage::Int2 => Ok(i32::from(i16::from_be_bytes(exact(packed)?))),
            Storage::Date => {
                let day = i32::from_be_bytes(exact(packed)?);
                let day = Some(day).filter(|day| DATES.contains(day));
                day.and_then(|day| day.checked_add(EPOCH_DAYS)).ok_or_else(|| {
                    unfit("an infinite date").with_sqlstate(SqlState::DATETIME_OVERFLOW)
                })
            }
            Storage::Decimal4(scale) => {
                i32::try_from(self.coefficient(packed, scale)?).map_err(|_| too_long())
            }
            _ => Ok(i32::from_be_bytes(exact(packed)?)),
        }
    }

    /// A value that is stored in 64 bits.
    pub(super) fn int64(&self, packed: &[u8]) -> Result<i64> {
        match self.storage {
            Storage::Timestamp => {
                let at = i64::from_be_bytes(exact(packed)?);
                let at = Some(at).filter(|at| TIMESTAMPS.contains(at));
                at.and_then(|at| at.checked_add(EPOCH_MICROSECONDS)).ok_or_else(|| {
                    unfit("a time that is infinite, or after the year 294246,")
                        .with_sqlstate(SqlState::DATETIME_OVERFLOW)
                })
            }
            Storage::Decimal8(scale) => {
                i64::try_from(self.coefficient(packed, scale)?).map_err(|_| too_long())
            }
            _ => Ok(i64::from_be_bytes(exact(packed)?)),
        }
    }

    /// A number of 32 bits.
    pub(super) fn float(packed: &[u8]) -> Result<f32> {
        Ok(f32::from_be_bytes(exact(packed)?))
    }

    /// A number of 64 bits.
    pub(super) fn double(packed: &[u8]) -> Result<f64> {
        Ok(f64::from_be_bytes(exact(packed)?))
    }

    /// A value that is stored as bytes.
    pub(super) fn bytes(&self, packed: &[u8]) -> Result<Vec<u8>> {
        match self.storage {
            Storage::Decimal16(scale) => {
                Ok(self.coefficient(packed, scale)?.to_be_bytes().to_vec())
            }
            Storage::Uuid => exact::<16>(packed).map(|uuid| uuid.to_vec()),
            Storage::Printed => self.printed(packed).map(String::into_bytes),
            _ => Ok(packed.to_vec()),
        }
    }

    fn printed(&self, packed: &[u8]) -> Result<String> {
        let mut shown = String::new();
        text::output(&self.column_type, packed, &mut shown)?;
        Ok(shown)
    }

    /// A number as so many of its last digit.
    fn coefficient(&self, packed: &[u8], scale: u32) -> Result<i128> {
        let shown = self.printed(packed)?;
        let (whole, fraction) = shown.split_once('.').unwrap_or((&shown, ""));
        if !shown.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.')) {
            return Err(unfit("a number that is infinite, or none")
                .with_sqlstate(SqlState::NUMERIC_OUT_OF_RANGE));
        }
        let scale = scale as usize;
        let (kept, cut) = fraction.split_at(fraction.len().min(scale));
        if cut.bytes().any(|digit| digit != b'0') {
            return Err(too_long());
        }
        format!("{whole}{kept:0<scale$}").parse().map_err(|_| too_long())
    }
}

/// Which values of a column have no counterpart in a file; known before anything is written.
#[derive(Clone, Debug)]
struct Unfit {
    encoding: Encoding,
    is_array: bool,
}

impl Unfit {
    /// The check of a type; `None` if all its values have one.
    fn of(column_type: &ColumnType) -> Option<Self> {
        let (element, is_array) = match column_type {
            ColumnType::Array(element) => (&**element, true),
            plain => (plain, false),
        };
        let encoding = Encoding::of(element);
        let can_fail = matches!(
            encoding.storage,
            Storage::Date
                | Storage::Timestamp
                | Storage::Decimal4(_)
                | Storage::Decimal8(_)
                | Storage::Decimal16(_)
        );
        (is_array || can_fail).then_some(Self { encoding, is_array })
    }

    /// Refuses a value without a counterpart.
    ///
    /// # Errors
    /// `Encode`.
    fn check(&self, packed: &[u8]) -> Result<()> {
        if !self.is_array {
            return self.check_value(packed);
        }
        elements(packed)?.try_for_each(|element| match element? {
            Some(element) => self.check_value(element),
            None => Ok(()),
        })
    }

    fn check_value(&self, packed: &[u8]) -> Result<()> {
        match self.encoding.storage {
            Storage::Date | Storage::Decimal4(_) => self.encoding.int32(packed).map(drop),
            Storage::Timestamp | Storage::Decimal8(_) => self.encoding.int64(packed).map(drop),
            Storage::Decimal16(_) => self.encoding.bytes(packed).map(drop),
            _ => Ok(()),
        }
    }
}

/// The rows that have a value without a counterpart, by their place in `rows`, and why: told before
/// they are in a part, so that the end of a job does not fail for them.
///
/// # Errors
/// `Internal` if a value is not packed as its type.
pub(in crate::sink::file) fn misfits(
    columns: &[Column],
    rows: &Rows,
) -> Result<Vec<(usize, Error)>> {
    let unfit: Vec<_> = columns.iter().map(|column| Unfit::of(&column.column_type)).collect();
    let mut found = Vec::new();
    if unfit.iter().all(Option::is_none) {
        return Ok(found);
    }
    for row in 0..rows.len() {
        for ((column, unfit), field) in columns.iter().zip(&unfit).zip(rows.row(row)) {
            let (Some(unfit), Some(packed)) = (unfit, field) else { continue };
            let Err(error) = unfit.check(packed) else { continue };
            let error = error.locate(|place| place.column = Some(column.name.as_str().to_owned()));
            if error.kind() != ErrorKind::Encode {
                return Err(error);
            }
            found.push((row, error));
            break;
        }
    }
    Ok(found)
}

/// The elements of a packed array, `None` for NULL.
///
/// # Errors
/// `Encode` if it has several dimensions, or begins elsewhere than at 1.
pub(super) fn elements(
    packed: &[u8],
) -> Result<impl Iterator<Item = Result<Option<&[u8]>>> + Clone> {
    let word = |at: usize| -> Result<i32> {
        let bytes = packed.get(at * 4..at * 4 + 4).ok_or_else(misfit)?;
        Ok(i32::from_be_bytes(exact(bytes)?))
    };
    let (count, rest) = match word(0)? {
        0 => (0, &[][..]),
        1 if word(4)? == 1 => (word(3)?, packed.get(20..).unwrap_or_default()),
        1 => return Err(unfit("an array that does not begin at 1")),
        _ => return Err(unfit("an array of several dimensions")),
    };
    let mut rest = rest;
    Ok((0..count).map(move |_| {
        let (length, behind) = rest.split_first_chunk::<4>().ok_or_else(misfit)?;
        rest = behind;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else { return Ok(None) };
        let (element, behind) = rest.split_at_checked(length).ok_or_else(misfit)?;
        rest = behind;
        Ok(Some(element))
    }))
}

fn exact<const N: usize>(packed: &[u8]) -> Result<[u8; N]> {
    packed.try_into().map_err(|_| misfit())
}

#[cold]
fn misfit() -> Error {
    Error::new(ErrorKind::Internal, "a packed value has another length than its type")
}

#[cold]
fn unfit(what: &str) -> Error {
    Error::new(ErrorKind::Encode, format!("{what} has no counterpart in a Parquet file"))
        .with_hint("declare the column as text")
}

#[cold]
fn too_long() -> Error {
    Error::new(ErrorKind::Encode, "the number has more digits than its column")
        .with_hint("declare the column with more digits, or as numeric without limits")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding(name: &str) -> Encoding {
        Encoding::of(&ColumnType::parse(name).unwrap())
    }

    fn packed(name: &str, value: &str) -> Vec<u8> {
        let mut packed = Vec::new();
        text::input(&ColumnType::parse(name).unwrap(), value, &mut packed).unwrap();
        packed
    }

    #[test]
    fn a_number_is_so_many_of_its_last_digit() {
        for (name, value, coefficient) in [
            ("numeric(5,2)", "-0.05", -5),
            ("numeric(5,2)", "7", 700),
            ("numeric(5,0)", "99999", 99_999),
            ("numeric(5,5)", "0.00001", 1),
        ] {
            let encoding = encoding(name);
            assert_eq!(encoding.int32(&packed(name, value)).unwrap(), coefficient, "{value}");
        }
        let most = "9".repeat(38);
        let bytes = encoding("numeric(38,0)").bytes(&packed("numeric", &most)).unwrap();
        assert_eq!(i128::from_be_bytes(bytes.try_into().unwrap()).to_string(), most);
    }

    #[test]
    fn what_has_no_counterpart_is_known_beforehand() {
        for (name, value, fits) in [
            ("date", "infinity", false),
            ("date", "4714-11-24 BC", true),
            ("timestamptz", "-infinity", false),
            ("timestamp", "294246-12-31 23:59:59.999999", true),
            // So many microseconds since 1970 are more than 64 bits hold.
            ("timestamp", "294276-12-31 23:59:59.999999", false),
            ("numeric(5,2)", "NaN", false),
            ("integer[]", "{1,NULL,3}", true),
            ("integer[]", "{}", true),
            ("integer[]", "{{1,2},{3,4}}", false),
            ("integer[]", "[0:1]={1,2}", false),
            ("date[]", "{2020-01-01,infinity}", false),
        ] {
            let unfit = Unfit::of(&ColumnType::parse(name).unwrap()).unwrap();
            assert_eq!(unfit.check(&packed(name, value)).is_ok(), fits, "{name} {value}");
        }
        for name in ["text", "double precision", "numeric", "uuid", "interval"] {
            assert!(Unfit::of(&ColumnType::parse(name).unwrap()).is_none(), "{name}");
        }
    }
}
