//! What is said of a table that is created, where it does not fit the type of the field.
use rowmill::Entity;

#[derive(Entity)]
struct Track {
    #[entity(key, length = 20)]
    id: i64,
    #[entity(length = 20)]
    name: Option<String>,
    #[entity(references = "genres.id", on_delete = "set null")]
    genre: i64,
}

fn main() {}
