//! Queries, updates and deletions, checked by the compiler; on paper: nothing here talks to a
//! database.
//!
//! - `expr`:       expressions whose type and scope the compiler knows
//! - `compare`:    what columns and expressions can be asked
//! - `case`:       values that depend on conditions
//! - `aggregate`:  values of many rows together
//! - `fragment`:   fragments of SQL, and values, as expressions
//! - `scope`:      which entities a query reads
//! - `projection`: what it hands out instead of whole entities
//! - `order`:      in which order
//! - `query`:      a query, made step by step
//! - `join`:       joins, along foreign keys and by conditions
//! - `related`:    what there is of rows that refer to the one that is read
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
mod case;
mod change;
mod compare;
mod expr;
mod fragment;
mod join;
mod keyset;
mod node;
mod order;
mod pattern;
mod projection;
#[expect(clippy::module_inception, reason = "it is the noun of the part")]
mod query;
mod related;
pub(crate) mod render;
mod scope;
mod select;
mod text;
mod value;

pub use aggregate::{Summable, count_all};
pub use case::{Case, when};
pub(crate) use change::Change;
pub use change::{Delete, Update};
pub use compare::{Listed, Number, Textual};
pub use expr::{Condition, Expr, Operand, both, either};
pub use fragment::{Literal, fragment, fragment_for, value};
pub use join::{Joining, equal};
pub use keyset::PageToken;
pub(crate) use node::{Node, Text};
pub use order::{OrderBy, Sortable};
pub use projection::{Holds, Projection, Selectable};
pub(crate) use query::Read;
pub use query::{Find, Query};
pub use related::{count_of, has, value_of};
pub use render::Statement;
pub(crate) use scope::Source;
pub use scope::{Cells, Part, Scope, With, Within};
pub(crate) use select::{Columns, Distinct, Select};
pub use text::Sql;
pub use value::{ToValue, Value};
