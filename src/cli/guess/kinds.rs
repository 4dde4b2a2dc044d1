//! The types that a text can be a value of, in its plain form alone: PostgreSQL reads much else,
//! `now` for a date and `1` for a boolean, which is not what most files mean.

use crate::mapping::column_type::ColumnType;
use crate::mapping::text::Input;

/// The types that are tried, the narrowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Bigint,
    Numeric,
    Double,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Uuid,
}

pub(super) const KINDS: [Kind; 9] = [
    Kind::Boolean,
    Kind::Bigint,
    Kind::Numeric,
    Kind::Double,
    Kind::Date,
    Kind::Time,
    Kind::Timestamp,
    Kind::TimestampTz,
    Kind::Uuid,
];

impl Kind {
    pub(super) fn column_type(self) -> ColumnType {
        match self {
            Self::Boolean => ColumnType::Bool,
            Self::Bigint => ColumnType::Int8,
            Self::Numeric => ColumnType::Numeric(None),
            Self::Double => ColumnType::Float8,
            Self::Date => ColumnType::Date,
            Self::Time => ColumnType::Time,
            Self::Timestamp => ColumnType::Timestamp,
            Self::TimestampTz => ColumnType::TimestampTz,
            Self::Uuid => ColumnType::Uuid,
        }
    }

    /// Whether the text has the plain form of such a value.
    fn has_form(self, text: &str) -> bool {
        match self {
            Self::Boolean => {
                let words = ["true", "false", "t", "f", "yes", "no", "y", "n"];
                words.iter().any(|word| word.eq_ignore_ascii_case(text))
            }
            Self::Bigint => is_whole(text),
            Self::Numeric => is_decimal(text),
            Self::Double => is_float(text),
            Self::Date => shape(text) == "9999-99-99",
            Self::Time => matches!(clock(&shape(text)), Some("")),
            Self::Timestamp => matches!(moment(&shape(text)).as_deref(), Some("")),
            Self::TimestampTz => {
                let zones = ["Z", "z", "+99", "-99", "+9999", "-9999", "+99:99", "-99:99"];
                moment(&shape(text)).is_some_and(|zone| zones.contains(&zone.trim_start()))
            }
            Self::Uuid => shape(text).len() == 36 && text.matches('-').count() == 4,
        }
    }

    /// Whether the text is such a value.
    pub(super) fn holds(self, text: &str, input: &Input, scratch: &mut Vec<u8>) -> bool {
        scratch.clear();
        self.has_form(text) && input.read(text, scratch).is_ok()
    }
}

/// A number with leading zeros is a code, and one with a plus is a telephone number.
fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain && (digits == "0" && text == "0" || !digits.starts_with('0'))
}

fn is_decimal(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let plain = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    plain && (digits == "0" || is_whole(digits)) && text != "-0"
}

fn is_float(text: &str) -> bool {
    match text.split_once(['e', 'E']) {
        Some((number, exponent)) => {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain && is_decimal(number)
        }
        None => is_decimal(text),
    }
}

/// The text with a 9 for each digit; empty where it is too long for a date.
fn shape(text: &str) -> String {
    if text.len() > 40 {
        return String::new();
    }
    text.chars().map(|letter| if letter.is_ascii_digit() { '9' } else { letter }).collect()
}

/// What stands behind `hh:mm`, `hh:mm:ss` or `hh:mm:ss.ffffff`.
fn clock(shape: &str) -> Option<&str> {
    let rest = shape.strip_prefix("99:99")?;
    let Some(rest) = rest.strip_prefix(":99") else { return Some(rest) };
    let Some(fraction) = rest.strip_prefix('.') else { return Some(rest) };
    let digits = fraction.len() - fraction.trim_start_matches('9').len();
    // Microseconds are all that is kept.
    (1..=6).contains(&digits).then(|| &fraction[digits..])
}

/// What stands behind a date and a time.
fn moment(shape: &str) -> Option<String> {
    let rest = shape.strip_prefix("9999-99-99")?;
    let rest = rest.strip_prefix(['T', ' '])?;
    clock(rest).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        let mut scratch = Vec::new();
        let holds = |kind: &Kind| kind.holds(text, &Input::of(&kind.column_type()), &mut scratch);
        KINDS.into_iter().filter(holds).collect()
    }

    #[test]
    fn a_text_is_a_value_only_in_its_plain_form() {
        let numbers = [Kind::Bigint, Kind::Numeric, Kind::Double];
        for text in ["0", "7", "-12", "20260820", "9223372036854775807"] {
            assert_eq!(kinds(text), numbers, "{text}");
        }
        for text in ["9223372036854775808", "0.50", "-0.1", "-1.5"] {
            assert_eq!(kinds(text), numbers[1..], "{text}");
        }
        for text in ["1e5", "1.5E-3"] {
            assert_eq!(kinds(text), [Kind::Double], "{text}");
        }
        assert_eq!(kinds("TRUE"), [Kind::Boolean]);
        assert_eq!(kinds("n"), [Kind::Boolean]);
        assert_eq!(kinds("2024-02-29"), [Kind::Date]);
        assert_eq!(kinds("23:59:59.123456"), [Kind::Time]);
        for text in ["2026-08-20 01:02", "2026-08-20T01:02:03.5"] {
            assert_eq!(kinds(text), [Kind::Timestamp], "{text}");
        }
        for text in
            ["2026-08-20T01:02:03Z", "2026-08-20 01:02:03.123456+05:30", "2026-08-20 01:02 +02"]
        {
            assert_eq!(kinds(text), [Kind::TimestampTz], "{text}");
        }
        assert_eq!(kinds("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), [Kind::Uuid]);
    }

    #[test]
    fn what_only_looks_like_a_value_stays_a_text() {
        for text in [
            "",
            " ",
            "007",
            "00",
            "-0",
            "+41",
            " 7",
            "7 ",
            "1,5",
            "1_000",
            "0x10",
            ".5",
            "5.",
            "NaN",
            "infinity",
            "now",
            "today",
            "2026-02-30",
            "20/08/2026",
            "08/20/2026",
            "2026-8-2",
            "24:00:01",
            "2026-08-20T01:02:03.1234567",
            "on",
            "00.5",
            "1e",
            "e5",
            "a0eebc999c0b4ef8bb6d6bb9bd380a11",
            "{1}",
            "\u{0661}",
        ] {
            assert_eq!(kinds(text), [], "{text:?}");
        }
    }
}
