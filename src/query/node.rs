//! The tree of an expression, without the types of Rust.

use super::select::Select;
use super::value::Value;
use crate::error::Error;
use crate::mapping::column_type::ColumnType;
use crate::sql::dialect::Dialect;
use std::any::TypeId;
use std::sync::Arc;

/// A part of a statement.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// A column of an entity; the entity's name in Rust is for messages.
    Column {
        entity: TypeId,
        of: &'static str,
        name: &'static str,
    },
    Value(Value),
    Infix(Box<Node>, &'static str, Box<Node>),
    /// An operator before its operand.
    Prefix(&'static str, Box<Node>),
    /// An operator behind its operand.
    Postfix(Box<Node>, &'static str),
    Call(&'static str, Vec<Node>),
    /// Several together, compared from left to right.
    Row(Vec<Node>),
    Cast(Box<Node>, ColumnType),
    Like(Like),
    In {
        left: Box<Node>,
        list: Vec<Value>,
        element: ColumnType,
        negated: bool,
    },
    InSelect {
        left: Box<Node>,
        select: Box<Select>,
        negated: bool,
    },
    Exists {
        select: Box<Select>,
        negated: bool,
    },
    /// The one value that a query finds.
    Scalar(Box<Select>),
    /// The value of the first condition that holds, or the last one.
    Case(Vec<(Node, Node)>, Option<Box<Node>>),
    /// Text with `{}` for each of the parts.
    Raw(Text, Vec<Node>),
    /// What failed while the expression was made; the statement fails with it.
    Fault(Arc<Error>),
}

/// A text of SQL, the same everywhere or as a database spells it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Text {
    Same(&'static str),
    Of(fn(Dialect) -> &'static str),
}

/// A part of a statement, of which nothing is shown.
#[derive(Clone, Debug)]
pub struct Piece(pub(crate) Node);

/// A comparison with a pattern.
#[derive(Clone, Debug)]
pub(crate) struct Like {
    pub(crate) left: Box<Node>,
    pub(crate) pattern: Pattern,
    pub(crate) any_case: bool,
    pub(crate) negated: bool,
}

/// What a text is compared with. `Debug` shows no value.
#[derive(Clone)]
pub(crate) enum Pattern {
    /// `%` is any text, `_` any character, a backslash takes the meaning of the next character.
    Like(String),
    Prefix(String),
    Suffix(String),
    Part(String),
}

impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Like(_) => "Like(..)",
            Self::Prefix(_) => "Prefix(..)",
            Self::Suffix(_) => "Suffix(..)",
            Self::Part(_) => "Part(..)",
        })
    }
}

impl Node {
    pub(crate) fn fault(error: Error) -> Self {
        Self::Fault(Arc::new(error))
    }

    /// Text without parts.
    pub(crate) fn raw(sql: &'static str) -> Self {
        Self::Raw(Text::Same(sql), Vec::new())
    }

    pub(crate) fn infix(left: Self, operator: &'static str, right: Self) -> Self {
        Self::Infix(Box::new(left), operator, Box::new(right))
    }

    /// Both; either may be missing.
    pub(crate) fn and(left: Option<Self>, right: Self) -> Self {
        match left {
            Some(left) => Self::infix(left, "AND", right),
            None => right,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Value(value) if value.is_null())
    }
}
