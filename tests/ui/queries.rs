//! Queries that name a column they do not read, or compare what cannot be compared.
use rowmill::{Entity, Find, Keyed, Query, Update, value, when};

#[derive(Entity)]
struct Artist {
    #[entity(key)]
    id: i64,
    name: Option<String>,
}

#[derive(Entity)]
struct Album {
    #[entity(key)]
    id: i64,
    #[entity(references = Artist)]
    artist_id: i64,
    title: String,
}

#[derive(Entity)]
struct Note {
    text: String,
}

fn key_of<E: Keyed>(row: &E) -> E::Key {
    row.identity()
}

fn main() {
    let _ = Query::<Artist>::new().filter(Album::title.eq("Blue"));
    let _ = Query::<Artist>::new().filter(Artist::name);
    let _ = Query::<Artist>::new().filter(Artist::id.eq("7"));
    let _ = Query::<Artist>::new().filter(Artist::id.like("7%"));
    let _ = Query::<Artist>::new().order_by(Album::title.asc());
    let _ = Query::<Artist>::new().select((Artist::id, Album::title));
    let _ = Query::<Artist>::new().join(Album::artist_id);
    let _ = Album::title + 1;
    let _ = Album::query().left_join(Album::artist_id).select(Artist::id);
    let _ = Artist::query().order_by("name");
    let _ = Artist::query().filter(Artist::id.is_in(["7"]));
    let _ = when(Artist::id.gt(3), value("many")).otherwise(value(0));
    let _ = Update::<Album>::new().set(Artist::name, "x");
    let _ = key_of(&Note { text: String::new() });
}
