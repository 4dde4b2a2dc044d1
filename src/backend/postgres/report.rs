//! What the server says in an error or a warning.

use postgres::error::{DbError, Severity};

/// An error or a warning, in the server's words.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// Whether the session ends with it.
    pub(super) is_final: bool,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) detail: Option<String>,
    pub(super) hint: Option<String>,
    /// In which functions and statements it came up.
    pub(super) context: Option<String>,
    pub(super) table: Option<String>,
    pub(super) column: Option<String>,
    pub(super) constraint: Option<String>,
    /// The function of the server that says it.
    pub(super) routine: Option<String>,
}

impl Report {
    /// Reads the body of `ErrorResponse` or `NoticeResponse`; `None` if it is none.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut report = Self::default();
        for (kind, text) in fields(body)? {
            let text = || String::from_utf8_lossy(text).into_owned();
            match kind {
                b'S' | b'V' => report.is_final |= is_final(&text()),
                b'C' => report.code = text(),
                b'M' => report.message = text(),
                b'D' => report.detail = Some(text()),
                b'H' => report.hint = Some(text()),
                b'W' => report.context = Some(text()),
                b't' => report.table = Some(text()),
                b'c' => report.column = Some(text()),
                b'n' => report.constraint = Some(text()),
                b'R' => report.routine = Some(text()),
                _ => {}
            }
        }
        (!report.code.is_empty()).then_some(report)
    }
}

/// The code in the body of a `NoticeResponse`.
pub(super) fn code_in(body: &[u8]) -> Option<&str> {
    let (_, code) = fields(body)?.find(|(kind, _)| *kind == b'C')?;
    std::str::from_utf8(code).ok()
}

/// The fields of a body: a letter and a text each; `None` if it does not end as it must.
fn fields(body: &[u8]) -> Option<impl Iterator<Item = (u8, &[u8])>> {
    let texts = body.strip_suffix(&[0, 0])?;
    Some(
        texts
            .split(|byte| *byte == 0)
            .filter_map(|field| field.split_first())
            .map(|(k, t)| (*k, t)),
    )
}

fn is_final(severity: &str) -> bool {
    matches!(severity, "FATAL" | "PANIC")
}

impl From<&DbError> for Report {
    fn from(error: &DbError) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let severity = error.parsed_severity();
        Self {
            is_final: matches!(severity, Some(Severity::Fatal | Severity::Panic))
                || is_final(error.severity()),
            code: error.code().code().to_owned(),
            message: error.message().to_owned(),
            detail: owned(error.detail()),
            hint: owned(error.hint()),
            context: owned(error.where_()),
            table: owned(error.table()),
            column: owned(error.column()),
            constraint: owned(error.constraint()),
            routine: owned(error.routine()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_field_by_field() {
        let body = b"SERROR\0VERROR\0C23505\0Mduplicate key\0tpeople\0npeople_pkey\0\0";
        let report = Report::read(body).unwrap();
        assert_eq!((report.code.as_str(), report.message.as_str()), ("23505", "duplicate key"));
        assert_eq!(report.constraint.as_deref(), Some("people_pkey"));
        assert!(!report.is_final && report.detail.is_none());
        assert_eq!(code_in(body), Some("23505"));
        assert!(Report::read(b"SFATAL\0C57P01\0M\0\0").unwrap().is_final);
    }

    #[test]
    fn what_was_cut_off_is_no_report() {
        let body = b"SERROR\0C23505\0Mduplicate key\0\0";
        for end in 0..body.len() {
            assert!(Report::read(&body[..end]).is_none(), "{end}");
        }
        assert!(Report::read(b"Mno code\0\0").is_none());
    }
}
