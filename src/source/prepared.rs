//! The rows of a batch, packed, and its rejects.

use super::bounds::Origin;
use super::feed::Layout;
use super::rows::RowPlace;
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::mapping::rows::{Fields, RowWriter, Rows};
use crate::sqlstate::SqlState;

/// The step in which a row was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// The record does not have the shape of the file.
    Parse,
    /// A field is no value of its column's type.
    Convert,
    /// The catalog says that the table does not take the value: it is NULL, too long, or too large.
    Precheck,
    /// The user's closure refused it.
    Transform,
    /// Another row of the input with its key came before it, and the job rejects those behind.
    Duplicate,
    /// The database refused it.
    Store,
}

impl Stage {
    /// All of them, in the order in which a row goes through them.
    pub const ALL: [Self; 5] =
        [Self::Parse, Self::Convert, Self::Precheck, Self::Transform, Self::Store];

    /// Its name in the reject store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::Convert => "convert",
            Self::Precheck => "precheck",
            Self::Transform => "transform",
            Self::Duplicate => "duplicate",
            Self::Store => "store",
        }
    }
}

/// A row that could not be prepared.
#[derive(Debug)]
#[non_exhaustive]
pub struct Refused {
    /// Its number in the batch, from 0.
    pub index: u32,
    /// Where it came from.
    pub origin: Origin,
    /// The step that refused it.
    pub stage: Stage,
    /// Why; the place has the column where one is at fault.
    pub error: Error,
}

/// The rows of a batch, packed for a [`Layout`], and those that could not be.
#[derive(Debug)]
#[non_exhaustive]
pub struct Prepared {
    /// The good rows.
    pub rows: Rows,
    /// For each good row its number in the batch, from 0.
    pub indexes: Vec<u32>,
    /// The rows that could not be prepared.
    pub refused: Vec<Refused>,
    /// The keys (only the key's fields) of refused rows whose key could be read all the same: the
    /// source still names them.
    pub named_keys: Rows,
    /// For each of `named_keys` its number in the batch.
    pub named_indexes: Vec<u32>,
    /// For each good row where it came from, as the feed notes it, in one field; or nothing.
    pub positions: Rows,
    /// Whether positions are to be noted, which costs something for each row. Where they are not, a
    /// feed may leave them out, and the batch is prepared again once one of its rows is refused.
    pub(crate) wants_positions: bool,
    /// Whether positions were left out that the feed could have noted.
    pub(crate) lacks_positions: bool,
    /// How many rows were read.
    pub read: u64,
    /// How many rows the user's closure left out.
    pub filtered: u64,
}

impl Prepared {
    /// An empty one for rows of `layout`.
    pub fn new(layout: &Layout) -> Self {
        Self {
            rows: layout.rows(),
            indexes: Vec::new(),
            refused: Vec::new(),
            named_keys: Rows::new(layout.key.len() as u16),
            named_indexes: Vec::new(),
            positions: Rows::new(1),
            wants_positions: false,
            lacks_positions: false,
            read: 0,
            filtered: 0,
        }
    }

    /// Forgets everything that was read, and keeps the memory.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.indexes.clear();
        self.refused.clear();
        self.named_keys.clear();
        self.named_indexes.clear();
        self.positions.clear();
        self.lacks_positions = false;
        self.read = 0;
        self.filtered = 0;
    }

    /// Packs row `index` of the batch with `pack`, which writes one field for each column of the
    /// layout, and checks that no column without NULL got one, and none of an enum another text than
    /// one of its labels.
    ///
    /// # Errors
    /// What `pack` returns, or `Encode` with SQLSTATE 23502 or 22P02 and the column; the row left no
    /// trace.
    pub fn push(
        &mut self,
        index: u32,
        layout: &Layout,
        pack: impl FnOnce(&mut RowWriter<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut row = self.rows.begin();
        pack(&mut row)?;
        if row.may_have_null() {
            row.check(|fields| refuse_null(layout, fields))?;
        }
        if !layout.labelled.is_empty() {
            row.check(|fields| refuse_label(layout, fields))?;
        }
        row.finish()?;
        self.indexes.push(index);
        Ok(())
    }

    /// Notes where the row that was packed last stands in its source, if that is known and wanted.
    ///
    /// # Errors
    /// `Encode` if it is too large.
    pub(crate) fn note_position(&mut self, place: Option<&dyn RowPlace>) -> Result<()> {
        let Some(place) = place else { return Ok(()) };
        if !self.wants_positions {
            self.lacks_positions = true;
            return Ok(());
        }
        let mut row = self.positions.begin();
        row.field(&place.position())?;
        row.finish()
    }

    /// Notes that row `index` could not be prepared.
    pub fn refuse(&mut self, index: u32, origin: Origin, stage: Stage, error: Error) {
        let stage = if stage == Stage::Convert { of_value(&error) } else { stage };
        self.refused.push(Refused { index, origin, stage, error });
    }

    /// Notes the key of a refused row: `pack` writes one field for each column of the key, in the
    /// key's order. If it fails, or writes NULL, the row names no key.
    pub fn name_key(&mut self, index: u32, pack: impl FnOnce(&mut RowWriter<'_>) -> Result<()>) {
        let mut row = self.named_keys.begin();
        let named = pack(&mut row).and_then(|()| {
            row.check(|mut fields| {
                if fields.all(|field| field.is_some()) {
                    return Ok(());
                }
                Err(Error::new(ErrorKind::Encode, "NULL in a key"))
            })
        });
        if named.is_ok() && row.finish().is_ok() {
            self.named_indexes.push(index);
        }
    }

    /// The bytes it holds in memory, roughly: for the bound on what is in flight.
    pub fn size_bytes(&self) -> usize {
        let refused: usize =
            self.refused.iter().map(|refused| refused.origin.raw.len() + 256).sum();
        self.rows.size_bytes()
            + self.indexes.len() * 4
            + refused
            + self.named_keys.size_bytes()
            + self.positions.size_bytes()
    }
}

/// Refuses NULL in a column that has none.
fn refuse_null(layout: &Layout, fields: Fields<'_>) -> Result<()> {
    for (column, field) in layout.columns.iter().zip(fields) {
        if field.is_none() && !column.nullable {
            return Err(Error::new(ErrorKind::Encode, "NULL in a column that has none")
                .with_sqlstate(SqlState::NOT_NULL_VIOLATION))
            .locate(|place| place.column = Some(column.name.as_str().to_owned()));
        }
    }
    Ok(())
}

/// Refuses a text that is no label of its column.
fn refuse_label(layout: &Layout, mut fields: Fields<'_>) -> Result<()> {
    let mut next = 0;
    for &index in &layout.labelled {
        let field = fields.nth(index - next).flatten();
        next = index + 1;
        let column = &layout.columns[index];
        let is_label = |bytes: &[u8]| column.labels.iter().any(|label| label.as_bytes() == bytes);
        if field.is_some_and(|bytes| !is_label(bytes)) {
            return Err(Error::new(ErrorKind::Encode, "not a label of the enum")
                .with_sqlstate(SqlState::INVALID_TEXT))
            .locate(|place| place.column = Some(column.name.as_str().to_owned()));
        }
    }
    Ok(())
}

/// The step in which a value was refused: by its type as such, or by what the table makes of it.
fn of_value(error: &Error) -> Stage {
    match error.sqlstate() {
        Some(
            SqlState::NOT_NULL_VIOLATION
            | SqlState::STRING_TOO_LONG
            | SqlState::NUMERIC_OUT_OF_RANGE,
        ) => Stage::Precheck,
        _ => Stage::Convert,
    }
}
