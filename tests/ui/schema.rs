//! What is said of a table that is created, where it does not fit.
use rowmill::Entity;

#[derive(Entity)]
#[entity(unique(artist, titel), index)]
struct Album {
    #[entity(key)]
    artist: i64,
    title: String,
}

#[derive(Entity)]
#[entity(index(artist, artist))]
struct Twice {
    artist: i64,
}

#[derive(Entity)]
#[entity(unique(title, titel))]
struct Misspelled {
    title: String,
}

#[derive(Entity)]
struct Track {
    #[entity(length = 0)]
    name: String,
    #[entity(length = 20, column_type = "varchar(20)")]
    composer: String,
    #[entity(on_delete = "cascade")]
    album: i64,
    #[entity(references = "genres.id", on_delete = "delete")]
    genre: i64,
    #[entity(read_only, default = "now()")]
    loaded_at: String,
    #[entity(default = " ")]
    loaded_by: String,
    #[entity(version, default = "1")]
    version: i64,
    #[entity(skip, unique)]
    cache: i64,
}

fn main() {}
