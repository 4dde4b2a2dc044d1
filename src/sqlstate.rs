//! SQLSTATE codes and what each class of them means for a batch.
//!
//! One table decides what is done after an error: [`SqlState::class`]. The codes are those of
//! PostgreSQL's appendix A, "PostgreSQL Error Codes"; a backend that has none of its own maps its
//! errors to the nearest.

use std::fmt;

/// A five-character SQLSTATE, as in PostgreSQL's appendix A.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SqlState([u8; 5]);

/// What an error of a class asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// The row is at fault: it is rejected, the rest of its batch is loaded.
    Data,
    /// The same transaction may succeed when it is run again on the same connection.
    Transient,
    /// The connection is gone: run again on a new one.
    Disconnect,
    /// The server cannot take connections now: wait and try again.
    Unavailable,
    /// Disk full, out of memory, I/O error: stop the job, resumably; never reject rows for it.
    Resource,
    /// The transaction was aborted before; the error that did it is the one to show.
    Aborted,
    /// Nothing helps but a change by a person: wrong password, missing table, internal error.
    Permanent,
}

impl SqlState {
    /// `08006`, the link to the server was lost.
    pub const CONNECTION_FAILURE: Self = Self(*b"08006");
    /// `08P01`, a message that the server cannot take.
    pub const PROTOCOL_VIOLATION: Self = Self(*b"08P01");
    /// `21000`, a second row where there can be one.
    pub const CARDINALITY_VIOLATION: Self = Self(*b"21000");
    /// `22001`, a text is longer than its column.
    pub const STRING_TOO_LONG: Self = Self(*b"22001");
    /// `22003`, a number is outside the range of its type.
    pub const NUMERIC_OUT_OF_RANGE: Self = Self(*b"22003");
    /// `22007`, not a date or a time.
    pub const INVALID_DATETIME: Self = Self(*b"22007");
    /// `22008`, a date or a time outside the range of its type.
    pub const DATETIME_OVERFLOW: Self = Self(*b"22008");
    /// `22021`, bytes that are not text in the encoding.
    pub const CHARACTER_NOT_IN_REPERTOIRE: Self = Self(*b"22021");
    /// `22P02`, a text that is no value of the type.
    pub const INVALID_TEXT: Self = Self(*b"22P02");
    /// `22P04`, a record that does not have the shape of the file.
    pub const BAD_COPY_FORMAT: Self = Self(*b"22P04");
    /// `23502`, NULL in a column that has none.
    pub const NOT_NULL_VIOLATION: Self = Self(*b"23502");
    /// `23503`, a foreign key without its parent.
    pub const FOREIGN_KEY_VIOLATION: Self = Self(*b"23503");
    /// `23505`, a key that is there already.
    pub const UNIQUE_VIOLATION: Self = Self(*b"23505");
    /// `23514`, a CHECK constraint that does not hold.
    pub const CHECK_VIOLATION: Self = Self(*b"23514");
    /// `23P01`, a row that an exclusion constraint keeps out.
    pub const EXCLUSION_VIOLATION: Self = Self(*b"23P01");
    /// `25P02`, the transaction was aborted before.
    pub const IN_FAILED_TRANSACTION: Self = Self(*b"25P02");
    /// `28P01`, wrong password.
    pub const INVALID_PASSWORD: Self = Self(*b"28P01");
    /// `42501`, a right is missing.
    pub const INSUFFICIENT_PRIVILEGE: Self = Self(*b"42501");
    /// `42804`, a value of one type for a column of another.
    pub const DATATYPE_MISMATCH: Self = Self(*b"42804");
    /// `42P01`, no such table.
    pub const UNDEFINED_TABLE: Self = Self(*b"42P01");
    /// `53100`, disk full.
    pub const DISK_FULL: Self = Self(*b"53100");
    /// `53200`, out of memory.
    pub const OUT_OF_MEMORY: Self = Self(*b"53200");
    /// `54000`, larger than the database can hold.
    pub const PROGRAM_LIMIT_EXCEEDED: Self = Self(*b"54000");
    /// `40P01`, two transactions wait for each other, and this one was chosen to end.
    pub const DEADLOCK_DETECTED: Self = Self(*b"40P01");
    /// `55P03`, a lock is held by another.
    pub const LOCK_NOT_AVAILABLE: Self = Self(*b"55P03");
    /// `58030`, I/O error.
    pub const IO_ERROR: Self = Self(*b"58030");
    /// `XX000`, internal error.
    pub const INTERNAL_ERROR: Self = Self(*b"XX000");
    /// `XX001`, the database file is damaged.
    pub const DATA_CORRUPTED: Self = Self(*b"XX001");

    /// Reads a code of five ASCII letters and digits; `None` for anything else.
    ///
    /// ```
    /// use rowmill::{Class, SqlState};
    /// assert_eq!(SqlState::parse("23505").map(SqlState::class), Some(Class::Data));
    /// assert_eq!(SqlState::parse("235"), None);
    /// ```
    pub fn parse(code: &str) -> Option<Self> {
        let bytes: [u8; 5] = code.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphanumeric).then_some(Self(bytes))
    }

    /// The five characters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XX000")
    }

    /// What to do about it.
    pub fn class(self) -> Class {
        match &self.0 {
            b"40001" | b"40P01" | b"55P03" | b"55006" | b"57014" | b"26000" => Class::Transient,
            b"57P03" | b"53300" => Class::Unavailable,
            b"57P01" | b"57P02" | b"57P05" | b"25P03" | b"25006" | b"40003" => Class::Disconnect,
            b"25P02" => Class::Aborted,
            b"53100" | b"53200" | b"58030" | b"53000" | b"53400" => Class::Resource,
            b"P0001" | b"21000" => Class::Data,
            code => match &code[..2] {
                b"08" => Class::Disconnect,
                b"22" | b"23" | b"54" => Class::Data,
                _ => Class::Permanent,
            },
        }
    }
}

impl fmt::Display for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// batch 3.4, exactly-once 4a
    #[test]
    fn every_line_of_the_policy_has_its_class() {
        for (codes, class) in [
            ("40001 40P01 55P03 55006 57014 26000", Class::Transient),
            (
                "08000 08003 08006 08001 08004 08007 40003 57P01 57P02 57P05 25P03 25006",
                Class::Disconnect,
            ),
            ("57P03 53300", Class::Unavailable),
            ("53000 53100 53200 53400 58030", Class::Resource),
            (
                "22001 22003 22007 22023 22P02 22P05 23502 23503 23505 23514 23P01 54000 P0001 21000",
                Class::Data,
            ),
            ("25P02", Class::Aborted),
            ("28P01 28000 3D000 42P01 42703 0A000 XX000 XX001", Class::Permanent),
        ] {
            for code in codes.split(' ') {
                assert_eq!(SqlState::parse(code).unwrap().class(), class, "{code}");
            }
        }
    }

    #[test]
    fn anything_but_five_letters_and_digits_is_no_code() {
        assert_eq!(SqlState::parse("2350"), None);
        assert_eq!(SqlState::parse("23-05"), None);
    }
}
