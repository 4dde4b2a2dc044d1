//! In which order rows come.

use super::node::Node;
use super::scope::Within;
use std::fmt;
use std::marker::PhantomData;

/// An expression by which rows are ordered; NULL counts as larger than everything, on every
/// database.
pub struct OrderBy<S> {
    pub(crate) by: Sort,
    marker: PhantomData<fn() -> S>,
}

/// It, without the types of Rust.
#[derive(Clone, Debug)]
pub(crate) struct Sort {
    pub(crate) node: Node,
    pub(crate) descending: bool,
    /// Where NULL comes; `None` where there is none.
    pub(crate) nulls_first: Option<bool>,
}

impl<S> OrderBy<S> {
    pub(crate) fn new(node: Node, descending: bool, nullable: bool) -> Self {
        let by = Sort { node, descending, nulls_first: nullable.then_some(descending) };
        Self { by, marker: PhantomData }
    }

    /// Has NULL come first.
    #[must_use]
    pub fn nulls_first(mut self) -> Self {
        self.by.nulls_first = Some(true);
        self
    }

    /// Has NULL come last.
    #[must_use]
    pub fn nulls_last(mut self) -> Self {
        self.by.nulls_first = Some(false);
        self
    }

    /// The same order, in a larger scope.
    pub fn lift<L, Index>(self) -> OrderBy<L>
    where
        S: Within<L, Index>,
    {
        OrderBy { by: self.by, marker: PhantomData }
    }
}

impl<S> Clone for OrderBy<S> {
    fn clone(&self) -> Self {
        Self { by: self.by.clone(), marker: PhantomData }
    }
}

impl<S> fmt::Debug for OrderBy<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OrderBy").field(&self.by).finish()
    }
}
