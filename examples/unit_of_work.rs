//! A session: entities are added, changed and deleted, and written together.
//! Run with `cargo run --example unit_of_work`; on PostgreSQL with `ROWMILL_TARGET=postgresql://...`.
//! You should see `2 artists, 2 albums; "I Put a Spell on You" is by Nina Simone`.
#![allow(clippy::print_stdout, reason = "an example")]

use rowmill::prelude::*;

#[derive(Debug, Entity)]
#[entity(table = "example_artists")]
struct Artist {
    #[entity(key, generated)]
    id: i64,
    name: String,
}

#[derive(Debug, Entity)]
#[entity(table = "example_albums")]
struct Album {
    #[entity(key, generated)]
    id: i64,
    title: String,
    #[entity(references = Artist)]
    artist_id: i64,
}

fn artist(name: &str) -> Artist {
    Artist { id: 0, name: name.to_owned() }
}

fn album(title: &str) -> Album {
    Album { id: 0, title: title.to_owned(), artist_id: 0 }
}

fn main() -> Result<()> {
    let url = std::env::var("ROWMILL_TARGET").unwrap_or("sqlite::memory:".to_owned());
    let engine = Engine::open(&url)?;
    let id = if url.starts_with("sqlite") { "integer" } else { "bigserial" };
    engine.run(&format!(
        "drop table if exists example_albums; drop table if exists example_artists;
         create table example_artists (id {id} primary key, name text not null);
         create table example_albums (id {id} primary key, title text not null,
             artist_id bigint not null references example_artists (id))"
    ))?;

    let mut session = engine.session()?;
    let nina = session.add(artist("Nina"));
    let spell = session.add(album("I Put a Spell on You"));
    let debut = session.add(album("Debut"));
    // The key of the artist is not known before the flush; the link waits for it.
    session.link(&spell, Album::artist_id, &nina)?;
    session.link(&debut, Album::artist_id, &nina)?;
    session.commit()?;

    // What differs is found by comparing: one column of one row is written.
    nina.edit().name = "Nina Simone".into();
    // An error takes back what was done in the closure: in the database, and in the objects.
    let failed: Result<()> = session.begin_nested(|session| {
        session.delete(&debut)?;
        session.flush()?;
        Err(Error::new(ErrorKind::Config, "on second thoughts"))
    });
    assert!(failed.is_err() && debut.is_stored());
    session.add(artist("Ella Fitzgerald"));
    session.commit()?;

    // The same row is the same object.
    let again = session.get::<Artist>(spell.with(|album| album.artist_id))?;
    assert_eq!(again, Some(nina.clone()));
    session.commit()?;
    let sql =
        "select (select count(*) from example_artists), (select count(*) from example_albums)";
    let mut counts = (0_i64, 0_i64);
    engine.query(sql, &[], |row| {
        counts = (rowmill::Cell::unpack(row.cell(0)?)?, rowmill::Cell::unpack(row.cell(1)?)?);
        Ok(())
    })?;
    let (title, name) = (&spell.read().title, &nina.read().name);
    println!("{} artists, {} albums; {title:?} is by {name}", counts.0, counts.1);
    Ok(())
}
