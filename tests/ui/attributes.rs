//! Attributes that do not exist, do not go together, or name nothing.
use rowmill::Entity;

#[derive(Entity)]
#[entity(tabel = "runways")]
struct Misspelled {
    id: i64,
}

#[derive(Entity)]
#[entity(table = "a.b.c")]
struct ThreeParts {
    id: i64,
}

#[derive(Entity)]
struct Fields {
    #[entity(primary_key)]
    id: i64,
    #[entity(skip, key)]
    cache: i64,
    #[entity(column = "id2")]
    first: i64,
    #[entity(column = "id2")]
    second: i64,
}

#[derive(Entity)]
struct Versions {
    #[entity(key, version)]
    id: i64,
    #[entity(version)]
    first: i64,
    #[entity(version)]
    second: i64,
    #[entity(references = "artists")]
    artist: i64,
}

fn main() {}
