//! The five modes: the exact content of the table and the exact counts, on both databases.
//!
//! - `content`: empty, partly filled and equal targets
//! - `keys`:    duplicates, composite keys, numbers of another scale, NULL, nothing but a key
//! - `columns`: columns the job does not name, and types that only the server knows
//! - `clashes`: what the database refuses, and what only has to wait
//! - `mirror`:  what is deleted, and what never is
//! - `replace`: what survives it, and where it is refused; `rebuild`: its indexes are built anew

mod clashes;
mod columns;
mod content;
mod keys;
mod mirror;
mod rebuild;
mod replace;

use crate::support::{Home, Tally, on_both};
use rowmill::{Append, Entity, ErrorKind, InsertIgnore, Iter, Job, Mirror, Mode, Replace, Upsert};

/// A row of the table that most of these tests write.
#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "items")]
struct Item {
    #[entity(key)]
    id: i64,
    name: Option<String>,
    price: f64,
}

const ITEMS: &str =
    "create table items (id bigint primary key, name text, price double precision not null)";

const COLUMNS: [&str; 3] = ["id bigint", "name text", "price double precision"];

fn item(id: i64, name: &str, price: f64) -> Item {
    Item { id, name: Some(name.to_owned()), price }
}

/// A job with a typed source, in batches of two rows.
fn typed(home: &Home, mode: Mode, rows: &[Item]) -> Job {
    let rows = rows.to_vec();
    let pipeline = Job::named(home.job_name()).read(Iter::new("items", move || rows.clone()));
    match mode {
        Mode::Append => pipeline.write(Append::new()),
        Mode::InsertIgnore => pipeline.write(InsertIgnore::new()),
        Mode::Upsert => pipeline.write(Upsert::new()),
        Mode::Mirror => pipeline.write(Mirror::new()),
        Mode::Replace => pipeline.write(Replace::new()),
        other => panic!("{other}?"),
    }
    .batch_rows(2)
}

/// The same rows as a CSV file.
fn csv(rows: &[Item]) -> String {
    let line = |item: &Item| {
        let name = item.name.as_ref().map(|name| format!("\"{name}\"")).unwrap_or_default();
        format!("{},{name},{}\n", item.id, item.price)
    };
    format!("id,name,price\n{}", rows.iter().map(line).collect::<String>())
}

fn items(home: &Home) -> Vec<String> {
    home.rows("select id, name, price from items order by id")
}
