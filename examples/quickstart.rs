//! A whole program: a thousand rows go into a table in ten batches, and once is enough.
//! Run with `cargo run --example quickstart`; on PostgreSQL with `ROWMILL_TARGET=postgresql://...`.
//! You should see `1000 rows in 10 batches, of which the second run did 0`.
#![allow(clippy::print_stdout, reason = "an example shows what it did")]

use rowmill::{Engine, Entity, Iter, Job, Upsert};

#[derive(Entity)]
#[entity(table = "squares")]
struct Square {
    #[entity(key)]
    number: i64,
    square: i64,
}

fn main() -> rowmill::Result<()> {
    let target = std::env::var("ROWMILL_TARGET").unwrap_or("sqlite::memory:".to_owned());
    let engine = Engine::open(&target)?;
    let job = Job::named("squares")
        .read(Iter::new("numbers", || 1..=1_000_i64))
        .map(|number| Ok(Square { number, square: number * number }))
        .write(Upsert::<Square>::new().create(true))
        .batch_rows(100);
    let first = job.run(&engine)?;
    assert_eq!((first.read, first.rejected), (1_000, 0));

    // Done is done. After a crash, the same call would do the batches that were left.
    let second = job.run(&engine)?;
    let again = second.batches - second.batches_reused;
    println!(
        "{} rows in {} batches, of which the second run did {again}",
        first.read, first.batches
    );
    Ok(())
}
