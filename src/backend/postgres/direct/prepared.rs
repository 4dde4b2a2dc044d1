//! Statements that the server has prepared.

use super::broken;
use super::described::{self, Column};
use super::line::Line;
use crate::backend::flight::Shape;
use crate::backend::postgres::errors::code;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column_type::ColumnType;
use postgres::types::{Oid, Type};
use postgres_protocol::message::frontend;

/// A statement, the types of its parameters and the columns of its result.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(super) name: String,
    pub(super) params: Vec<Type>,
    pub(super) columns: Vec<Column>,
    pub(super) types: Vec<ColumnType>,
}

/// What the server says of a statement that it prepares.
#[derive(Debug, Default)]
pub(crate) struct Description {
    pub(crate) params: Vec<Oid>,
    pub(crate) columns: Vec<Column>,
}

impl Prepared {
    pub(crate) fn new(
        name: String,
        params: Vec<Type>,
        columns: Vec<Column>,
        types: Vec<ColumnType>,
    ) -> Self {
        Self { name, params, columns, types }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The types of its parameters.
    pub(crate) fn params(&self) -> &[Type] {
        &self.params
    }
}

impl Shape for Prepared {
    fn width(&self) -> usize {
        self.types.len()
    }

    fn name(&self, index: usize) -> &str {
        self.columns.get(index).map_or("", |column| &column.name)
    }

    fn column_type(&self, index: usize) -> Option<&ColumnType> {
        self.types.get(index)
    }
}

impl Line {
    /// Has a statement prepared under a name, and others forgotten.
    pub(crate) fn prepare(
        &mut self,
        name: &str,
        sql: &str,
        forgotten: &[String],
    ) -> Result<Description> {
        self.clear()?;
        for name in forgotten {
            frontend::close(b'S', name, &mut self.outbox).map_err(|_| no_text())?;
        }
        frontend::parse(name, sql, [], &mut self.outbox).map_err(|_| no_text())?;
        frontend::describe(b'S', name, &mut self.outbox).map_err(|_| no_text())?;
        frontend::sync(&mut self.outbox);
        self.send()?;
        let mut description = Description::default();
        loop {
            let message = self.next()?;
            match message.kind {
                b'1' | b'3' | b'n' => {}
                b't' => description.params = described::params(self.body(&message))?,
                b'T' => description.columns = described::columns(self.body(&message))?,
                b'Z' => return Ok(description),
                b'E' => return Err(self.refused(&message)),
                _ => return Err(unexpected()),
            }
        }
    }
}

/// The protocol ends a text with 0.
pub(super) fn no_text() -> Error {
    Error::new(ErrorKind::Encode, "the text of a statement has a NUL character")
        .with_sqlstate(code("22021"))
        .with_hint("pass values as parameters")
}

pub(super) fn unexpected() -> Error {
    broken("unexpected message from server")
}
