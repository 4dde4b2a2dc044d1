//! Entities whose rows are spread over shards.

use super::cell::Cell;
use super::entity::Entity;

/// An entity with a shard key: the column whose value says on which shard a row is.
#[diagnostic::on_unimplemented(
    message = "nothing says on which shard a row of `{Self}` is",
    note = "mark the field that does with #[entity(shard_key)]"
)]
pub trait Sharded: Entity {
    /// The type of its field.
    type ShardKey: Cell;
}
