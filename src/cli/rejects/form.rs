//! How a reject is written into a file.

use crate::batch::ledger::RejectView;
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Write as _;

/// The header of [`csv`].
pub(super) const CSV_HEADER: &str = "job,params,run,batch,row,line,byte_offset,stage,sqlstate,\
column,constraint,message,attempt,caused_by,resolved_by,truncated,row_key,target,rejected_at,resolved_at,\
version,raw\n";

/// A reject as a record of a CSV file. With `neutral`, a text that a spreadsheet would take for a
/// formula gets an apostrophe before it.
pub(super) fn csv(reject: &RejectView, neutral: bool) -> Vec<u8> {
    let number = |value: Option<i64>| value.map_or(String::new(), |value| value.to_string());
    let signed = |value: Option<u64>| number(value.map(|value| value as i64));
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let raw = String::from_utf8_lossy(&reject.raw);
    let fields = [
        reject.job.clone(),
        reject.params.clone(),
        number(reject.run),
        reject.batch.to_string(),
        reject.row.to_string(),
        signed(reject.line),
        signed(reject.offset),
        reject.stage.clone(),
        text(&reject.sqlstate),
        text(&reject.column),
        text(&reject.constraint),
        reject.message.clone(),
        reject.attempt.to_string(),
        text(&reject.caused_by),
        number(reject.resolved_by),
        reject.truncated.to_string(),
        text(&reject.row_key),
        reject.target.clone(),
        reject.rejected_at.clone(),
        text(&reject.resolved_at),
        text(&reject.version),
        raw.into_owned(),
    ];
    let fields: Vec<_> = fields.iter().map(|field| quoted(field, neutral)).collect();
    (fields.join(",") + "\n").into_bytes()
}

fn quoted(field: &str, neutral: bool) -> String {
    let field = if neutral { neutralized(field) } else { Cow::Borrowed(field) };
    if field.contains(['"', ',', '\n', '\r']) {
        return format!("\"{}\"", field.replace('"', "\"\""));
    }
    field.into_owned()
}

/// The text as no spreadsheet takes it for a formula.
fn neutralized(field: &str) -> Cow<'_, str> {
    match field.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => Cow::Owned(format!("'{field}")),
        false => Cow::Borrowed(field),
    }
}

/// A reject as an object of JSON.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    job: &'a str,
    params: serde_json::Value,
    run: Option<i64>,
    batch: u32,
    row: u64,
    line: Option<u64>,
    byte_offset: Option<u64>,
    stage: &'a str,
    sqlstate: Option<&'a str>,
    column: Option<&'a str>,
    constraint: Option<&'a str>,
    message: &'a str,
    attempt: i64,
    caused_by: Option<&'a str>,
    resolved_by: Option<i64>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_hex: Option<String>,
    row_key: Option<serde_json::Value>,
    target: &'a str,
    rejected_at: &'a str,
    resolved_at: Option<&'a str>,
    version: Option<&'a str>,
}

/// A reject as a line of JSON: the record as `raw`, or as `raw_hex` where it is no UTF-8.
pub(super) fn ndjson(reject: &RejectView) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(&shown(reject)).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// A reject as an object of JSON.
pub(super) fn shown(reject: &RejectView) -> Shown<'_> {
    let raw = std::str::from_utf8(&reject.raw).ok();
    Shown {
        job: &reject.job,
        params: serde_json::from_str(&reject.params).unwrap_or_default(),
        run: reject.run,
        batch: reject.batch,
        row: reject.row,
        line: reject.line,
        byte_offset: reject.offset,
        stage: &reject.stage,
        sqlstate: reject.sqlstate.as_deref(),
        column: reject.column.as_deref(),
        constraint: reject.constraint.as_deref(),
        message: &reject.message,
        attempt: reject.attempt,
        caused_by: reject.caused_by.as_deref(),
        resolved_by: reject.resolved_by,
        truncated: reject.truncated,
        raw,
        raw_hex: raw.is_none().then(|| hex(&reject.raw)),
        row_key: reject.row_key.as_deref().and_then(|key| serde_json::from_str(key).ok()),
        target: &reject.target,
        rejected_at: &reject.rejected_at,
        resolved_at: reject.resolved_at.as_deref(),
        version: reject.version.as_deref(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Why a reject is one, for the file beside its raw record, which is record `number` there.
pub(super) fn reason(reject: &RejectView, number: u64) -> Vec<u8> {
    let place = reject.line.map_or(format!("row {}", reject.row), |line| format!("line {line}"));
    let state = reject.sqlstate.as_ref().map_or(String::new(), |state| format!(" ({state})"));
    let column = reject.column.as_ref().map_or(String::new(), |name| format!(" [column {name}]"));
    let constraint =
        reject.constraint.as_ref().map_or(String::new(), |name| format!(" [constraint {name}]"));
    let cause =
        reject.caused_by.as_ref().map_or(String::new(), |cause| format!(" [caused by {cause}]"));
    format!(
        "record {number} from {place}: {}: {}{state}{column}{constraint}{cause}\n",
        reject.stage, reject.message
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_quoted_where_it_has_to_be_and_a_formula_is_none_where_asked_for() {
        assert_eq!(quoted("a", true), "a");
        assert_eq!(quoted("a,\"b\"", false), "\"a,\"\"b\"\"\"");
        for formula in ["=1+1", "+1", "-1", "@sum", "\t=1"] {
            assert_eq!(quoted(formula, false), formula);
            assert_eq!(quoted(formula, true), format!("'{formula}"));
        }
    }
}
