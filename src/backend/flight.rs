//! Statements that are sent together, and their answers.

use super::RowRef;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::CellRef;
use crate::mapping::column_type::ColumnType;
use crate::mapping::param::Param;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The most bytes of an answer, whose rows are all in memory at once: 16 MiB.
pub const MOST_BYTES: usize = 16 * 1024 * 1024;

/// How many statements are sent together at most: more would keep the first ones waiting for the
/// answers of the last. It must be less than what a connection keeps prepared.
pub const MOST_TOGETHER: usize = 64;

/// A statement of a flight, with values of its own, so that any thread can send it.
pub struct Request {
    sql: Box<str>,
    params: Vec<Value>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a request.
#[derive(Debug, Default)]
pub enum Outcome {
    /// It was sent, or is about to be, and nothing has come back.
    #[default]
    Unknown,
    /// It was not run, for it may leave something behind, or stands behind one that was not run or
    /// failed in its transaction: it is to be run alone, if at all.
    NotTaken,
    /// Its answer.
    Answer(Answer),
    /// It was refused, by the database or before it was sent.
    Failed(Error),
}

/// A parameter that borrows nothing.
#[derive(Clone)]
enum Value {
    Packed(ColumnType, Vec<u8>),
    Other(Param<'static>),
}

/// The rows of a result, and how many rows its statement changed.
#[derive(Default)]
pub struct Answer {
    changed: u64,
    shape: Option<Arc<dyn Shape>>,
    bytes: Vec<u8>,
    /// Where in the bytes each cell lies, row after row.
    cells: Vec<Option<(u32, u32)>>,
}

/// The columns of a result.
pub trait Shape: Send + Sync {
    /// How many there are.
    fn width(&self) -> usize;

    /// The name of column `index`; empty if there is none.
    fn name(&self, index: usize) -> &str;

    /// The type of column `index`.
    fn column_type(&self, index: usize) -> Option<&ColumnType>;
}

impl Request {
    /// A statement and its parameters.
    pub fn new(sql: &str, params: &[Param<'_>]) -> Self {
        let owned = params.iter().map(Value::of).collect();
        Self { sql: sql.into(), params: owned, outcome: Outcome::Unknown }
    }

    /// Whether nothing is known of what came of it.
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self.outcome, Outcome::Unknown)
    }

    /// The text of the statement.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// Its parameters.
    pub fn params(&self) -> Vec<Param<'_>> {
        self.params.iter().map(Value::borrow).collect()
    }
}

impl Value {
    fn of(param: &Param<'_>) -> Self {
        Self::Other(match param {
            Param::Packed(column, bytes) => {
                return Self::Packed((*column).clone(), bytes.to_vec());
            }
            Param::Null => Param::Null,
            Param::Bool(value) => Param::Bool(*value),
            Param::Int(value) => Param::Int(*value),
            Param::Float(value) => Param::Float(*value),
            Param::Text(text) => Param::Text(Cow::Owned(text.to_string())),
            Param::Bytes(bytes) => Param::Bytes(Cow::Owned(bytes.to_vec())),
        })
    }

    fn borrow(&self) -> Param<'_> {
        match self {
            Self::Packed(column, bytes) => Param::Packed(column, bytes.into()),
            Self::Other(Param::Text(text)) => Param::Text(Cow::Borrowed(text)),
            Self::Other(Param::Bytes(bytes)) => Param::Bytes(Cow::Borrowed(bytes)),
            Self::Other(other) => other.clone(),
        }
    }
}

impl Answer {
    /// An answer without rows as yet.
    pub fn new(shape: Arc<dyn Shape>) -> Self {
        Self { shape: Some(shape), ..Self::default() }
    }

    /// Adds a row: its bytes, and where in them its cells lie.
    ///
    /// # Errors
    /// `Unsupported` if there are more than [`MOST_BYTES`].
    pub fn push(&mut self, body: &[u8], cells: &[Option<(usize, usize)>]) -> Result<()> {
        if self.bytes.len() + body.len() > MOST_BYTES {
            return Err(too_large());
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(body);
        let moved = |&(from, to): &(usize, usize)| ((start + from) as u32, (start + to) as u32);
        self.cells.extend(cells.iter().map(|cell| cell.as_ref().map(moved)));
        Ok(())
    }

    /// Notes how many rows the statement changed.
    pub fn set_changed(&mut self, changed: u64) {
        self.changed = changed;
    }

    /// How many rows the statement changed, or returned.
    pub fn changed(&self) -> u64 {
        self.changed
    }

    /// Hands each row to `each`.
    ///
    /// # Errors
    /// What `each` returns.
    pub fn rows(&self, each: &mut dyn FnMut(&dyn RowRef) -> Result<()>) -> Result<()> {
        let Some(shape) = self.shape.as_deref().filter(|shape| shape.width() > 0) else {
            return Ok(());
        };
        for cells in self.cells.chunks_exact(shape.width()) {
            each(&AnswerRow { shape, bytes: &self.bytes, cells })?;
        }
        Ok(())
    }
}

/// A row of an answer.
struct AnswerRow<'a> {
    shape: &'a dyn Shape,
    bytes: &'a [u8],
    cells: &'a [Option<(u32, u32)>],
}

impl RowRef for AnswerRow<'_> {
    fn len(&self) -> usize {
        self.cells.len()
    }

    fn name(&self, index: usize) -> &str {
        self.shape.name(index)
    }

    fn cell(&self, index: usize) -> Result<CellRef<'_>> {
        match (self.cells.get(index), self.shape.column_type(index)) {
            (Some(Some((start, end))), Some(column)) => {
                let packed = self.bytes.get(*start as usize..*end as usize);
                Ok(CellRef::Packed(column, packed.unwrap_or_default()))
            }
            (Some(None), Some(_)) => Ok(CellRef::Null),
            _ => {
                let message = format!("there is no cell {index} in a row of {}", self.len());
                Err(Error::new(ErrorKind::Decode, message))
            }
        }
    }
}

/// What is refused because all of it would be in memory at once.
fn too_large() -> Error {
    Error::new(ErrorKind::Unsupported, "a result is too large to be sent with others: over 16 MiB")
        .with_hint("run the statement on the engine itself, which hands out row by row")
}

/// Without values.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("sql", &self.sql).finish_non_exhaustive()
    }
}

/// Without values.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("changed", &self.changed).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two([ColumnType; 2]);

    impl Shape for Two {
        fn width(&self) -> usize {
            2
        }

        fn name(&self, index: usize) -> &str {
            ["id", "name"].get(index).copied().unwrap_or("")
        }

        fn column_type(&self, index: usize) -> Option<&ColumnType> {
            self.0.get(index)
        }
    }

    fn answer() -> Answer {
        Answer::new(Arc::new(Two([ColumnType::Int4, ColumnType::Text])))
    }

    #[test]
    fn rows_come_back_as_they_were_put_in() {
        let mut answer = answer();
        answer.push(b"....\0\0\0\x07..ada", &[Some((4, 8)), Some((10, 13))]).unwrap();
        answer.push(b"\0\0\0\x08", &[Some((0, 4)), None]).unwrap();
        let mut seen = Vec::new();
        answer
            .rows(&mut |row| {
                assert_eq!((row.len(), row.name(1)), (2, "name"));
                assert!(row.cell(2).is_err());
                seen.push([0, 1].map(|index| match row.cell(index).unwrap() {
                    CellRef::Packed(_, bytes) => Some(bytes.to_vec()),
                    _ => None,
                }));
                Ok(())
            })
            .unwrap();
        let cell = |bytes: &[u8]| Some(bytes.to_vec());
        assert_eq!(seen, [[cell(b"\0\0\0\x07"), cell(b"ada")], [cell(b"\0\0\0\x08"), None]]);
    }

    #[test]
    fn a_result_that_would_fill_the_memory_is_refused() {
        let mut answer = answer();
        let body = vec![0; MOST_BYTES / 2];
        answer.push(&body, &[None, None]).unwrap();
        answer.push(&body, &[None, None]).unwrap();
        let refused = answer.push(b"x", &[None, None]).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn parameters_are_kept_as_they_are_and_never_shown() {
        let column = ColumnType::Int4;
        let params = [
            Param::Null,
            Param::Int(7),
            Param::Text("secret".into()),
            Param::Packed(&column, b"\0\0\0\x01".as_slice().into()),
        ];
        let request = Request::new("select 1", &params);
        assert!(matches!(request.params()[..], [
            Param::Null,
            Param::Int(7),
            Param::Text(ref text),
            Param::Packed(&ColumnType::Int4, ref bytes)
        ] if text == "secret" && **bytes == *b"\0\0\0\x01"));
        assert!(!format!("{request:?}").contains("secret"));
    }
}
