//! SQL as it is written: named values, rows as structs and tuples, a query that reads from one.
//! Run with `cargo run --example raw_sql`; on PostgreSQL with `ROWMILL_TARGET=postgresql://...`.
//! You should see `3 trains to Bergen, the last at 22; 2 rows changed; Finse is 2 stops away`.
#![allow(clippy::print_stdout, reason = "an example")]

use rowmill::prelude::*;

/// A row of some query: there is no such table.
#[derive(Debug, Entity)]
struct Service {
    destination: String,
    trains: i64,
    last_hour: i32,
}

/// A row of the query that is called `reachable`.
#[derive(Debug, Entity)]
#[entity(table = "reachable")]
struct Reachable {
    stop: String,
    distance: i64,
}

const TABLES: &str = "
    drop table if exists example_trains;
    create table example_trains (destination text not null, hour integer not null);
    insert into example_trains values
        ('Bergen', 8), ('Bergen', 12), ('Bergen', 22), ('Hamar', 9), ('Hamar', 15);
    drop table if exists example_legs;
    create table example_legs (origin text not null, stop text not null);
    insert into example_legs values ('Oslo', 'Gol'), ('Gol', 'Finse'), ('Finse', 'Bergen');
";

fn main() -> Result<()> {
    let url = std::env::var("ROWMILL_TARGET").unwrap_or("sqlite::memory:".to_owned());
    let engine = Engine::open(&url)?;
    engine.run(TABLES)?;

    // A value never becomes a part of the text, and the text is a part of the program.
    let to_bergen: Service = Sql::new(
        "select destination, count(*) as trains, max(hour) as last_hour from example_trains
         where destination = :to group by destination",
    )
    .bind("to", "Bergen")
    .one(&engine)?;
    let hours: Vec<i32> =
        Sql::new("select hour from example_trains order by hour").scalars(&engine)?;
    assert_eq!(hours, [8, 9, 12, 15, 22]);
    let pairs: Vec<(String, i32)> =
        Sql::new("select destination, hour from example_trains where hour > $1 order by hour")
            .value(14)
            .all(&engine)?;
    assert_eq!(pairs[0], ("Hamar".to_owned(), 15));

    let changed = engine.transaction(|transaction| {
        let later = Sql::new("update example_trains set hour = hour + :by where destination = :to");
        later.bind("by", 1).bind("to", "Hamar").run(transaction)
    })?;

    // The entity reads from the query of its name, and is asked like any other.
    let reachable =
        "select stop, cast(1 as bigint) as distance from example_legs where origin = :from
        union all
        select l.stop, r.distance + 1 from example_legs l join reachable r on l.origin = r.stop";
    let finse = Reachable::query()
        .with_recursive("reachable", Sql::new(reachable).bind("from", "Oslo"))
        .filter(Reachable::stop.eq("Finse"))
        .one(&engine)?;

    let Service { destination, trains, last_hour } = to_bergen;
    let Reachable { stop, distance } = finse;
    println!(
        "{trains} trains to {destination}, the last at {last_hour}; {changed} rows changed; \
         {stop} is {distance} stops away"
    );
    Ok(())
}
