//! A value of a statement, packed.

use crate::error::Result;
use crate::mapping::cell::{Cell, CellRef};
use crate::mapping::column_type::ColumnType;
use crate::mapping::param::Param;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// A value of a statement that owns its bytes.
///
/// `Debug` shows its type, never the value.
#[derive(Clone, PartialEq)]
pub struct Value {
    column_type: ColumnType,
    bytes: Option<Arc<[u8]>>,
}

impl Value {
    /// Packs `value` as `column_type`.
    ///
    /// # Errors
    /// `Encode` if it is no value of that type.
    pub fn of<T: Cell>(value: &T, column_type: &ColumnType) -> Result<Self> {
        let mut bytes = Vec::new();
        let there = value.pack(column_type, &mut bytes)?;
        Ok(Self { column_type: column_type.clone(), bytes: there.then(|| bytes.into()) })
    }

    /// A value that is packed already.
    pub(crate) fn packed(column_type: ColumnType, bytes: Option<Vec<u8>>) -> Self {
        Self { column_type, bytes: bytes.map(Into::into) }
    }

    /// Whether it is NULL.
    pub fn is_null(&self) -> bool {
        self.bytes.is_none()
    }

    /// It as a parameter.
    pub fn param(&self) -> Param<'_> {
        match &self.bytes {
            Some(bytes) => Param::Packed(&self.column_type, Cow::Borrowed(bytes)),
            None => Param::Null,
        }
    }

    /// It as a cell.
    pub fn cell(&self) -> CellRef<'_> {
        match &self.bytes {
            Some(bytes) => CellRef::Packed(&self.column_type, bytes),
            None => CellRef::Null,
        }
    }

    /// What is the same for this value and its clones, and for no other that is there; `None` for
    /// NULL.
    pub(super) fn address(&self) -> Option<usize> {
        self.bytes.as_ref().map(|bytes| Arc::as_ptr(bytes).cast::<u8>().addr())
    }

    /// Its type.
    pub fn column_type(&self) -> &ColumnType {
        &self.column_type
    }

    /// Its packed bytes; `None` for NULL.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.bytes.as_deref()
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({}, ..)", self.column_type)
    }
}

/// What a statement can be given as a value: whatever a column can have, and texts and bytes that
/// are borrowed.
#[diagnostic::on_unimplemented(message = "`{Self}` is no value that a statement can be given")]
pub trait ToValue {
    /// The type of the value in Rust.
    type Cell: Cell;

    /// It, packed.
    ///
    /// # Errors
    /// `Encode` if it cannot be packed.
    fn to_value(&self) -> Result<Value>;
}

impl<T: Cell> ToValue for T {
    type Cell = T;

    fn to_value(&self) -> Result<Value> {
        Value::of(self, &T::column_type())
    }
}

impl ToValue for &str {
    type Cell = String;

    fn to_value(&self) -> Result<Value> {
        (*self).to_owned().to_value()
    }
}

impl ToValue for &[u8] {
    type Cell = Vec<u8>;

    fn to_value(&self) -> Result<Value> {
        self.to_vec().to_value()
    }
}

impl ToValue for Option<&str> {
    type Cell = Option<String>;

    fn to_value(&self) -> Result<Value> {
        self.map(str::to_owned).to_value()
    }
}
