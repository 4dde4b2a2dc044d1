//! The server's names of what it did, as far as they matter.

/// A set of tags of commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tags(u32);

impl Tags {
    /// A transaction was committed.
    pub(crate) const COMMIT: Self = Self(1);
    /// A transaction was rolled back; it is the answer to COMMIT, too, if it was aborted.
    pub(crate) const ROLLBACK: Self = Self(1 << 1);
    /// A setting was changed, for the session or for the transaction.
    pub(crate) const SET: Self = Self(1 << 2);
    /// A subscription was made.
    pub(crate) const LISTEN: Self = Self(1 << 3);
    /// A statement was prepared by SQL.
    pub(crate) const PREPARE: Self = Self(1 << 4);
    /// A cursor was declared, with or without hold.
    pub(crate) const CURSOR: Self = Self(1 << 5);
    /// Something was created or dropped that may be temporary.
    pub(crate) const CREATE: Self = Self(1 << 6);
    /// Prepared statements, or all the session had, were thrown away.
    pub(crate) const DISCARD: Self = Self(1 << 7);
    /// Code ran that can do anything.
    pub(crate) const CODE: Self = Self(1 << 8);

    /// No tag: the server said that a setting changed.
    pub(crate) const REPORTED: Self = Self(1 << 9);
    /// All of them.
    pub(crate) const ALL: Self = Self(u32::MAX);

    /// The set of one tag, as it stands in a message.
    pub(crate) fn of(tag: &[u8]) -> Self {
        let end = tag.iter().position(|byte| matches!(byte, b' ' | 0)).unwrap_or(tag.len());
        match &tag[..end] {
            b"COMMIT" => Self::COMMIT,
            b"ROLLBACK" => Self::ROLLBACK,
            b"SET" => Self::SET,
            b"LISTEN" => Self::LISTEN,
            b"PREPARE" if !tag.starts_with(b"PREPARE TRANSACTION") => Self::PREPARE,
            b"DECLARE" => Self::CURSOR,
            b"CREATE" => Self::CREATE,
            b"DISCARD" | b"DEALLOCATE" => Self::DISCARD,
            b"DO" | b"CALL" | b"LOAD" | b"EXECUTE" => Self::CODE,
            _ => Self::default(),
        }
    }

    pub(crate) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    /// Whether it has any of `others`.
    pub(crate) const fn has(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// What is in either.
    pub(crate) const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// What is not in `others`.
    pub(crate) const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_read_by_its_first_word() {
        for (tag, expected) in [
            (&b"COMMIT\0"[..], Tags::COMMIT),
            (b"DECLARE CURSOR\0", Tags::CURSOR),
            (b"CREATE TABLE\0", Tags::CREATE),
            (b"DEALLOCATE ALL\0", Tags::DISCARD),
            (b"PREPARE\0", Tags::PREPARE),
            (b"PREPARE TRANSACTION\0", Tags::default()),
            (b"INSERT 0 1\0", Tags::default()),
            (b"SETTING", Tags::default()),
        ] {
            assert_eq!(Tags::of(tag), expected);
        }
    }
}
