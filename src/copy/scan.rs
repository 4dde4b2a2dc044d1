//! Where a tuple ends, looked for in bytes that have only partly arrived.

use crate::error::{Error, ErrorKind, Result};
use crate::sqlstate::SqlState;

/// The largest tuple, in bytes: PostgreSQL sends none larger than 1 GiB. It bounds every field too.
const MAX_TUPLE_BYTES: usize = 1 << 30;

/// How far a tuple has been looked at.
#[derive(Default)]
pub(super) struct Scan {
    at: usize,
    /// How many fields are still to come; `None` before their number was read.
    left: Option<u16>,
}

pub(super) enum Found {
    /// A tuple that ends at `end`.
    Tuple { end: usize },
    /// The end of the stream.
    Trailer,
    /// A part of a tuple; it goes on when `needed` bytes are there.
    Part { needed: usize },
}

impl Scan {
    /// Goes on in `bytes`, which begin with the tuple and only ever grow.
    pub(super) fn go_on(&mut self, bytes: &[u8], fields: u16) -> Result<Found> {
        let mut left = match self.left {
            Some(left) => left,
            None => match bytes.first_chunk() {
                None => return Ok(Found::Part { needed: 2 }),
                Some(count) => match i16::from_be_bytes(*count) {
                    -1 => return Ok(Found::Trailer),
                    count if u16::try_from(count) == Ok(fields) => {
                        self.at = 2;
                        fields
                    }
                    _ => {
                        return Err(broken(
                            "a tuple of a COPY stream has another number of fields",
                        ));
                    }
                },
            },
        };
        while left > 0 {
            let length = bytes.get(self.at..).and_then(|behind| behind.first_chunk());
            let end = match length.map(|length| i32::from_be_bytes(*length)) {
                None => return Ok(self.part(left, self.at + 4)),
                Some(-1) => self.at + 4,
                Some(length) => self.at + 4 + usize::try_from(length).map_err(|_| impossible())?,
            };
            if end > MAX_TUPLE_BYTES {
                return Err(broken("a tuple of a COPY stream is larger than 1 GiB"));
            }
            if bytes.len() < end {
                return Ok(self.part(left, end));
            }
            self.at = end;
            left -= 1;
        }
        Ok(Found::Tuple { end: self.at })
    }

    fn part(&mut self, left: u16, needed: usize) -> Found {
        self.left = Some(left);
        Found::Part { needed }
    }
}

#[cold]
fn impossible() -> Error {
    broken("a field of a COPY stream has an impossible length")
}

#[cold]
pub(super) fn broken(what: &str) -> Error {
    Error::new(ErrorKind::Decode, what).with_sqlstate(SqlState::BAD_COPY_FORMAT)
}
