//! What belongs to many rows is read in one query for all of them.
//! Run with `cargo run --example relations`; on PostgreSQL with `ROWMILL_TARGET=postgresql://...`.
//! You should see `100 artists, 300 albums, 2 lists in 3 queries`.
#![allow(clippy::print_stdout, reason = "an example")]

use rowmill::{StatementEvent, prelude::*};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

#[derive(Debug, Entity)]
#[entity(table = "example_artists")]
struct Artist {
    #[entity(key)]
    id: i64,
}

#[derive(Debug, Entity)]
#[entity(table = "example_albums")]
struct Album {
    #[entity(key)]
    id: i64,
    #[entity(references = Artist)]
    artist_id: i64,
}

#[derive(Debug, Entity)]
#[entity(table = "example_lists")]
struct List {
    #[entity(key)]
    name: String,
}

#[derive(Debug, Entity)]
#[entity(table = "example_entries")]
struct Entry {
    #[entity(key, references = List)]
    list: String,
    #[entity(key, references = Album)]
    album_id: i64,
}

const TABLES: [(&str, &str); 4] = [
    ("example_artists", "id bigint primary key"),
    ("example_albums", "id bigint primary key, artist_id bigint"),
    ("example_lists", "name text primary key"),
    ("example_entries", "list text, album_id bigint, primary key (list, album_id)"),
];

fn main() -> Result<()> {
    let url = std::env::var("ROWMILL_TARGET").unwrap_or("sqlite::memory:".to_owned());
    let queries = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&queries);
    let count = move |is_query: bool| counter.fetch_add(is_query.into(), Ordering::Relaxed);
    let echo = move |event: &StatementEvent<'_>| _ = count(event.sql.starts_with("SELECT"));
    let engine = Engine::builder(&url).echo(echo).build()?;
    for (table, columns) in TABLES {
        engine.run(&format!("drop table if exists {table}; create table {table} ({columns})"))?;
    }
    Artist::insert_all(&engine, (0..100).map(|id| Artist { id }))?;
    Album::insert_all(&engine, (0..300).map(|id| Album { id, artist_id: id / 3 }))?;
    let mut lists = ["even", "all"].map(|name| List { name: name.to_owned() });
    List::insert_many(&engine, &mut lists)?;
    let entry = |list: &str, album_id| Entry { list: list.to_owned(), album_id };
    Entry::insert_all(&engine, (0..300).map(|id| entry("all", id)))?;
    Entry::insert_all(&engine, (0..150).map(|id| entry("even", 2 * id)))?;

    // A hundred artists, and a query for all of their albums.
    let artists: Vec<_> = (0..100).map(|id| Artist { id }).collect();
    let albums = load_children(&engine, &artists, Album::artist_id)?;
    // The other way round.
    let albums: Vec<_> = albums.into_iter().flatten().collect();
    let parents = load_parents(&engine, &albums, Album::artist_id)?;
    assert!(parents.iter().all(Option::is_some));
    // Through the table between.
    let listed = load_through(&engine, &lists, Entry::list, Entry::album_id)?;
    assert_eq!(listed.iter().map(Vec::len).collect::<Vec<_>>(), [150, 300]);
    let (artists, albums, lists) = (artists.len(), albums.len(), listed.len());
    println!("{artists} artists, {albums} albums, {lists} lists in {queries:?} queries");
    Ok(())
}
