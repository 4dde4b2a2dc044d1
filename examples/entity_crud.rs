//! Entities without a session: one by one, and many at a time.
//! Run with `cargo run --example entity_crud`; on PostgreSQL with `ROWMILL_TARGET=postgresql://...`.
//! You should see `1003 parts; 2 inserted, 1 updated, 1 unchanged, 1 duplicates; 500 deleted`.
#![allow(clippy::print_stdout, reason = "an example")]

use rowmill::prelude::*;

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "example_parts")]
struct Part {
    #[entity(key, generated)]
    id: i64,
    name: String,
    /// Counts the changes of its row, so that none overwrites another one unseen.
    #[entity(version)]
    version: i32,
}

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "example_prices")]
struct Price {
    #[entity(key)]
    part: i64,
    cents: i64,
}

fn part(name: &str) -> Part {
    Part { id: 0, name: name.to_owned(), version: 0 }
}

fn main() -> Result<()> {
    let url = std::env::var("ROWMILL_TARGET").unwrap_or("sqlite::memory:".to_owned());
    let engine = Engine::open(&url)?;
    let id = if url.starts_with("sqlite") { "integer" } else { "bigserial" };
    engine.run("drop table if exists example_parts; drop table if exists example_prices")?;
    engine.run(&format!(
        "create table example_parts (id {id} primary key, name text not null, version integer);
         create table example_prices (part bigint primary key, cents bigint not null)"
    ))?;

    // One by one. What the database makes is filled in.
    let mut bolt = part("bolt");
    bolt.insert(&engine)?;
    let mut other = Part::get(&engine, bolt.id)?.unwrap_or_else(|| part("none"));
    bolt.name = "hexagon bolt".into();
    bolt.update(&engine)?;
    other.name = "carriage bolt".into();
    let late = other.update(&engine).map_err(|error| error.kind());
    assert_eq!(late, Err(ErrorKind::Stale));
    assert_eq!(part("nut").save(&engine)?, Saved::Inserted);

    // Many at a time, in a few statements; each gets its own key.
    let mut parts: Vec<_> = (0..1_000).map(|number| part(&format!("part {number}"))).collect();
    Part::insert_many(&engine, &mut parts)?;
    for part in &mut parts {
        part.name.push('!');
    }
    Part::bulk_update(&engine, &mut parts, Part::name)?;

    // All or none: whatever takes an engine takes a transaction.
    let done = engine.transaction(|transaction| {
        part("washer").insert(transaction)?;
        let price = |part, cents| Price { part, cents };
        Price::insert_all(transaction, [price(1, 10), price(2, 20)])?;
        let news = [price(1, 10), price(2, 25), price(3, 1), price(3, 30), price(4, 40)];
        Price::upsert_many(transaction, &news, Duplicates::Last)
    })?;

    let mut count = 0_i64;
    engine.query("select count(*) from example_parts", &[], |row| {
        count = rowmill::Cell::unpack(row.cell(0)?)?;
        Ok(())
    })?;
    let deleted = Part::bulk_delete(&engine, parts.iter().take(500).map(Keyed::identity))?;
    println!("{count} parts; {done}; {deleted} deleted");
    Ok(())
}
