//! What is no struct with named fields that owns its values.
use rowmill::Entity;

#[derive(Entity)]
struct Tuple(i64, String);

#[derive(Entity)]
struct Borrowed<'a> {
    name: &'a str,
}

#[derive(Entity)]
enum Kind {
    One,
}

#[derive(Entity)]
struct Empty {
    #[entity(skip)]
    cache: Vec<u32>,
}

fn main() {}
