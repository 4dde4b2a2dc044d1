//! Queries, updates and deletions, checked by the compiler; on paper: nothing here talks to a
//! database.
//!
//! - `expr`:       expressions whose type and scope the compiler knows
//! - `compare`:    what columns and expressions can be asked
//! - `aggregate`:  values of many rows together, and fragments of SQL
//! - `scope`:      which entities a query reads
//! - `projection`: what it hands out instead of whole entities
//! - `order`:      in which order
//! - `query`:      a query, made step by step
//! - `change`:     updates and deletions
//! - `select`, `node`, `value`: what they are underneath, without the types of Rust
//! - `keyset`:     reading on behind the last row of a page
//! - `text`:       SQL as it is written, with named values
//! - `pattern`:    patterns of texts, as databases spell them
//! - `render`:     all of it as the text of a statement and its values
//!
//! A column that a query does not read, or a value of another type, does not compile. Values are
//! always parameters, and names quote themselves. The text of a statement does not depend on its
//! values, so that it is prepared once.

mod aggregate;
mod change;
mod compare;
mod expr;
mod keyset;
mod node;
mod order;
mod pattern;
mod projection;
#[expect(clippy::module_inception, reason = "it is the noun of the part")]
mod query;
pub(crate) mod render;
mod scope;
mod select;
mod text;
mod value;

pub use aggregate::{Literal, Summable, count_all, fragment, value};
pub use change::{Delete, Update};
pub use compare::{Number, Textual};
pub use expr::{Condition, Expr, Operand, both, either};
pub use keyset::PageToken;
pub use order::OrderBy;
pub use projection::{Projection, Selectable};
pub(crate) use query::Read;
pub use query::{Query, equal, has};
pub use render::Statement;
pub use scope::{Cells, Part, Scope, With, Within};
pub use text::Sql;
pub use value::{ToValue, Value};
