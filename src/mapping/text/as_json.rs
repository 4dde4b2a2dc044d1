//! Packed values as JSON, in the form that PostgreSQL's `to_json` gives them.

use super::array::MAX_DIMENSIONS;
use super::fault::corrupt;
use super::output;
use crate::error::Result;
use crate::mapping::column_type::ColumnType;

/// Appends a packed value as JSON, on one line: numbers with all their digits, `json` and `jsonb` as
/// they are, arrays as arrays, times in the form of ISO 8601, everything else as a string of what
/// PostgreSQL prints.
///
/// ```
/// use rowmill::{ColumnType, mapping::text};
/// let mut shown = String::new();
/// text::output_json(&ColumnType::Timestamp, &0_i64.to_be_bytes(), &mut shown)?;
/// assert_eq!(shown, r#""2000-01-01T00:00:00""#);
/// # Ok::<(), rowmill::Error>(())
/// ```
///
/// # Errors
/// `Decode` if the bytes are no packed value of the type.
pub fn output_json(column_type: &ColumnType, packed: &[u8], out: &mut String) -> Result<()> {
    match column_type {
        ColumnType::Bool => {
            let truth = packed.first().ok_or_else(|| corrupt("a boolean is empty"))?;
            out.push_str(if *truth == 0 { "false" } else { "true" });
        }
        ColumnType::Int2 | ColumnType::Int4 | ColumnType::Int8 => {
            output(column_type, packed, out)?;
        }
        ColumnType::Float4 | ColumnType::Float8 | ColumnType::Numeric(_) => {
            let start = out.len();
            output(column_type, packed, out)?;
            // NaN and the infinities are no numbers of JSON.
            if out[start..].contains(|letter: char| letter.is_ascii_uppercase()) {
                out.insert(start, '"');
                out.push('"');
            }
        }
        ColumnType::Json | ColumnType::Jsonb => {
            let start = out.len();
            output(column_type, packed, out)?;
            on_one_line(out, start);
        }
        ColumnType::Timestamp | ColumnType::TimestampTz => {
            let mut text = String::new();
            output(column_type, packed, &mut text)?;
            push_string(&iso(&text, *column_type == ColumnType::TimestampTz), out);
        }
        ColumnType::Array(element) if !element.travels_as_text() => array(element, packed, out)?,
        other => {
            let mut text = String::new();
            output(other, packed, &mut text)?;
            push_string(&text, out);
        }
    }
    Ok(())
}

/// `2000-01-01 00:00:00+00 BC` is `2000-01-01T00:00:00+00:00 BC`.
fn iso(text: &str, zoned: bool) -> String {
    let (moment, era) = match text.strip_suffix(" BC") {
        Some(moment) => (moment, " BC"),
        None => (text, ""),
    };
    let Some((day, clock)) = moment.split_once(' ') else { return text.to_owned() };
    let minutes = if zoned { ":00" } else { "" };
    format!("{day}T{clock}{minutes}{era}")
}

/// Appends a text as a string of JSON, escaped as PostgreSQL's `escape_json` does.
pub fn push_string(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            control if u32::from(control) < 0x20 => {
                out.push_str("\\u00");
                for shift in [4, 0] {
                    let digit = (u32::from(control) >> shift) & 0xf;
                    out.push(char::from_digit(digit, 16).unwrap_or('0'));
                }
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// A line end stands only between the parts of a JSON text, never in its strings.
fn on_one_line(out: &mut String, start: usize) {
    if out[start..].contains(['\n', '\r']) {
        let flat = out[start..].replace(['\n', '\r'], " ");
        out.truncate(start);
        out.push_str(&flat);
    }
}

fn array(element: &ColumnType, packed: &[u8], out: &mut String) -> Result<()> {
    let mut rest = packed;
    let dimensions = take(&mut rest)?;
    let (_, _) = (take(&mut rest)?, take(&mut rest)?);
    if !(0..=MAX_DIMENSIONS as i32).contains(&dimensions) {
        return Err(corrupt("an array has too many dimensions"));
    }
    let mut lengths = Vec::with_capacity(dimensions as usize);
    for _ in 0..dimensions {
        lengths.push(take(&mut rest)?);
        take(&mut rest)?;
    }
    if lengths.is_empty() {
        out.push_str("[]");
        return Ok(());
    }
    level(element, &lengths, &mut rest, out)?;
    if rest.is_empty() { Ok(()) } else { Err(corrupt("an array is too long")) }
}

fn level(element: &ColumnType, lengths: &[i32], rest: &mut &[u8], out: &mut String) -> Result<()> {
    let Some((length, inner)) = lengths.split_first() else {
        let Ok(size) = usize::try_from(take(rest)?) else {
            out.push_str("null");
            return Ok(());
        };
        let (value, tail) =
            rest.split_at_checked(size).ok_or_else(|| corrupt("an array is too short"))?;
        *rest = tail;
        return output_json(element, value, out);
    };
    out.push('[');
    for index in 0..*length {
        if index > 0 {
            out.push(',');
        }
        level(element, inner, rest, out)?;
    }
    out.push(']');
    Ok(())
}

fn take(rest: &mut &[u8]) -> Result<i32> {
    let (field, tail) = rest.split_first_chunk().ok_or_else(|| corrupt("an array is too short"))?;
    *rest = tail;
    Ok(i32::from_be_bytes(*field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::text::input;

    fn json(sql: &str, text: &str) -> String {
        let column_type = ColumnType::parse(sql).unwrap();
        let (mut packed, mut out) = (Vec::new(), String::new());
        input(&column_type, text, &mut packed).unwrap();
        output_json(&column_type, &packed, &mut out).unwrap();
        out
    }

    #[test]
    fn values_look_as_to_json_shows_them() {
        for (sql, text, expected) in [
            ("boolean", "t", "true"),
            ("bigint", "-7", "-7"),
            ("numeric", "1.50", "1.50"),
            ("numeric", "NaN", "\"NaN\""),
            ("double precision", "-inf", "\"-Infinity\""),
            ("double precision", "1e300", "1e+300"),
            ("text", "a\"b\u{1}", "\"a\\\"b\\u0001\""),
            ("bytea", "\\x00ff", "\"\\\\x00ff\""),
            ("timestamptz", "2026-01-02 03:04:05.5+00", "\"2026-01-02T03:04:05.5+00:00\""),
            ("timestamp", "infinity", "\"infinity\""),
            ("timestamptz", "0044-03-15 12:00:00+00 BC", "\"0044-03-15T12:00:00+00:00 BC\""),
            ("json", "{\"a\":\n1}", "{\"a\": 1}"),
            ("integer[]", "{{1,NULL},{3,4}}", "[[1,null],[3,4]]"),
            ("text[]", "{}", "[]"),
        ] {
            assert_eq!(json(sql, text), expected, "{sql} {text}");
        }
    }
}
