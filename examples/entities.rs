//! A table of entities: appended, then brought up to date, then read back as entities.
//! Run with `cargo run --example entities`; on PostgreSQL with `ROWMILL_TARGET=postgresql://...`.
//! You should see `3 appended; then 1 inserted, 1 updated, 2 unchanged`.
#![allow(clippy::print_stdout, clippy::expect_used, reason = "an example")]

use rowmill::{Append, Engine, Entity, Iter, Job, Upsert};
use std::time::SystemTime;

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "example_books")]
struct Book {
    #[entity(key, column_type = "varchar(13)")]
    isbn: String,
    title: String,
    cents: i64,
    /// NULL where nobody counted.
    copies: Option<i32>,
}

fn book(isbn: &str, title: &str, cents: i64, copies: Option<i32>) -> Book {
    Book { isbn: isbn.to_owned(), title: title.to_owned(), cents, copies }
}

fn main() -> rowmill::Result<()> {
    let folder = tempfile::tempdir().expect("make a folder");
    let file = format!("sqlite:{}", folder.path().join("example.db").display());
    let engine = Engine::open(&std::env::var("ROWMILL_TARGET").unwrap_or(file))?;
    engine.run("drop table if exists example_books")?;
    // With its parameters a name is one job, which is done once: each time we run is another.
    let now = format!("{:?}", SystemTime::now());
    let job = |name: &str| Job::named(name).param("at", &now);

    let mut books = vec![
        book("9780000000001", "A Mill on the Floss", 1_250, Some(3)),
        book("9780000000002", "The Windmill", 900, None),
        book("9780000000003", "Miller's Tale", 700, Some(1)),
    ];
    let stock = books.clone();
    let appended = job("stock")
        .read(Iter::new("stock", move || stock.clone()))
        .write(Append::<Book>::new().create(true))
        .run(&engine)?;

    books[1].copies = Some(12);
    books.push(book("9780000000004", "Grist", 1_500, None));
    let count = books.clone();
    let counted = job("count")
        .read(Iter::new("count", move || count.clone()))
        .write(Upsert::<Book>::new())
        .run(&engine)?;

    let mut found = Vec::new();
    engine.query("select * from example_books order by isbn", &[], |row| {
        found.push(Book::unpack(&mut |column| row.cell(column))?);
        Ok(())
    })?;
    assert_eq!(found, books);
    println!(
        "{} appended; then {} inserted, {} updated, {} unchanged",
        appended.inserted, counted.inserted, counted.updated, counted.unchanged
    );
    Ok(())
}
