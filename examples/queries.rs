//! What a shop asks of its tables: conditions, joins, groups, counts of children, pages.
//! Run with `cargo run --example queries`; on PostgreSQL with `ROWMILL_TARGET=postgresql://...`.
//! You should see `2 debtors; Vaughan owes most: 1197 cents; 4 pages of invoices`.
#![allow(clippy::print_stdout, reason = "an example")]

use rowmill::prelude::*;

#[derive(Debug, Entity)]
#[entity(table = "example_customers")]
struct Customer {
    #[entity(key)]
    id: i64,
    name: String,
    country: Option<String>,
}

#[derive(Debug, Entity)]
#[entity(table = "example_invoices")]
struct Invoice {
    #[entity(key)]
    id: i64,
    #[entity(references = Customer)]
    customer_id: i64,
    cents: i64,
    paid: bool,
}

fn filled(engine: &Engine) -> Result<()> {
    let schema = rowmill::Schema::new().with::<Customer>().with::<Invoice>();
    schema.drop_all(engine)?;
    schema.create_all(engine)?;
    let names = [(1, "Simone", Some("US")), (2, "Vaughan", Some("US")), (3, "Garbarek", None)];
    let mut customers = names.map(|(id, name, country)| Customer {
        id,
        name: name.to_owned(),
        country: country.map(str::to_owned),
    });
    Customer::insert_many(engine, &mut customers)?;
    let invoice =
        |id| Invoice { id, customer_id: 1 + id % 3, cents: 100 * id - 1, paid: id % 3 == 2 };
    Invoice::insert_all(engine, (1..=7).map(invoice))?;
    Ok(())
}

fn main() -> Result<()> {
    let url = std::env::var("ROWMILL_TARGET").unwrap_or("sqlite::memory:".to_owned());
    let engine = Engine::open(&url)?;
    filled(&engine)?;

    let unpaid = |invoices: Query<Invoice>| invoices.filter(Invoice::paid.eq(false));
    let debtors = Customer::query()
        .filter(Customer::country.is_in(["US", "NO"]) & has(Invoice::customer_id, unpaid))
        .order_by((Customer::country, Customer::name.desc()));
    let counts: Vec<(String, i64)> = debtors
        .clone()
        .select((Customer::name, count_of(Invoice::customer_id, unpaid)))
        .all(&engine)?;
    assert_eq!(counts, [("Vaughan".to_owned(), 3), ("Simone".to_owned(), 2)]);

    let (name, cents): (String, Option<i64>) = Invoice::query()
        .join(Invoice::customer_id)
        .filter(Invoice::paid.eq(false))
        .group_by(Customer::name)
        .order_by(Invoice::cents.sum().desc())
        .select((Customer::name, Invoice::cents.sum()))
        .limit(1)
        .one(&engine)?;

    let pages = Invoice::query().order_by(Invoice::cents.desc()).pages(&engine, 2).count();
    let (debtors, cents) = (debtors.count(&engine)?, cents.unwrap_or(0));
    println!("{debtors} debtors; {name} owes most: {cents} cents; {pages} pages of invoices");
    Ok(())
}
