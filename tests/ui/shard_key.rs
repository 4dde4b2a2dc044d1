//! Shard keys that say nothing, or two things.
use rowmill::Entity;

#[derive(Entity)]
struct Nullable {
    #[entity(shard_key)]
    customer: Option<i64>,
}

#[derive(Entity)]
struct Two {
    #[entity(shard_key)]
    customer: i64,
    #[entity(shard_key)]
    country: String,
}

#[derive(Entity)]
struct Made {
    #[entity(key, generated, shard_key)]
    id: i64,
}

fn main() {}
