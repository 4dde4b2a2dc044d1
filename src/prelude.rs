//! What a program that works with entities needs: `use rowmill::prelude::*`.

pub use crate::engine::{Engine, Executor};
pub use crate::error::{Error, ErrorKind, Result};
pub use crate::mapping::entity::Entity;
pub use crate::mapping::key::Keyed;
pub use crate::query::{
    Delete, Expr, Find, Query, Sql, Update, both, count_all, count_of, either, equal, fragment,
    fragment_for, has, value, value_of, when,
};
pub use crate::session::{
    ReadSession, Session, SessionOptions, Tracked, Transaction, TransactionOptions,
};
pub use crate::store::{
    Crud, CrudMany, Duplicates, Insert, InsertMany, Saved, Upserted, load_children, load_parents,
    load_through,
};
pub use rowmill_derive::{Entity, SqlEnum};
