//! A table goes into another one: the rows are cut by their key, changed in parallel, and read once.
//! Run with `cargo run --example table_to_table`; on PostgreSQL with `ROWMILL_TARGET=postgresql://...`.
//! You should see `500 read, 450 written, 50 filtered; again: 0 batches`.
#![allow(clippy::print_stdout, clippy::expect_used, reason = "an example")]

use rowmill::{Consistency, Engine, Entity, Job, Mirror, Table};
use std::time::SystemTime;

#[derive(Entity)]
#[entity(table = "example_orders")]
struct Order {
    #[entity(key)]
    id: i64,
    cents: i64,
    open: bool,
}

#[derive(Entity)]
#[entity(table = "example_bills")]
struct Bill {
    #[entity(key)]
    order_id: i64,
    with_tax: i64,
}

fn main() -> rowmill::Result<()> {
    let folder = tempfile::tempdir().expect("make a folder");
    let file = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    // Two databases; one is as good.
    let shop = Engine::open(&file("shop.db"))?;
    let books = Engine::open(&std::env::var("ROWMILL_TARGET").unwrap_or(file("books.db")))?;
    shop.run("create table example_orders (id integer primary key, cents integer, open boolean)")?;
    shop.transaction(|shop| {
        (1..=500_i64).try_for_each(|id| {
            let sql = "insert into example_orders values ($1, $2, $3)";
            shop.execute(sql, &[id.into(), (id * 100).into(), (id % 10 == 0).into()]).map(drop)
        })
    })?;

    let orders = Table::<Order>::all().on(&shop).consistency(Consistency::PerBatch);
    let job = Job::named("example bills")
        .param("at", format!("{:?}", SystemTime::now()))
        .read(orders)
        .filter(|order: &Order| !order.open)
        .map(|order| Ok(Bill { order_id: order.id, with_tax: order.cents * 119 / 100 }))
        .write(Mirror::<Bill>::new().create(true))
        .workers(2);
    let first = job.run(&books)?;
    // A job that was killed would go on where it was; this one is done.
    let again = job.run(&books)?;
    println!(
        "{} read, {} written, {} filtered; again: {} batches",
        first.read,
        first.written + first.unchanged,
        first.filtered,
        again.batches - again.batches_reused
    );
    Ok(())
}
