//! An entity without a shard key is not written to shards.
use rowmill::{Entity, Sharded};

#[derive(Entity)]
struct Country {
    #[entity(key)]
    code: String,
}

fn placed<E: Sharded>() {}

fn main() {
    placed::<Country>();
}
