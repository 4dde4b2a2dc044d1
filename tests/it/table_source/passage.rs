//! Rows that are passed through as the server packed them: the same as those that are read as
//! texts, and a bad one among them costs one row.

use super::{assert_same, columns_of, copy, whole};
use crate::support::Home;
use rowmill::{Consistency, Engine, Mode, TableColumn, TableColumns};

/// Rows without a key: NULL in every column, values that are kept outside of their rows, and some
/// that are longer than what is received at once.
const ROWS: &str = "create table a (i bigint, t text, v varchar(9), c char(3), n numeric(30,4), \
    y bytea, at timestamptz, doc jsonb, list int[], ok bool);
    alter table a alter column t set storage external;
    insert into a select
        nullif(n, 500), case when n % 97 = 0 then repeat('wide ', 20000 + n * 9) else 'n' || n end,
        nullif('v' || n % 7, 'v3'), nullif('c' || n % 9, 'c4'),
        case when n % 5 > 0 then n * 1234567.8901 end,
        case when n % 61 = 0 then decode(repeat(md5(n::text), 1024), 'hex')
             when n % 3 > 0 then sha256(n::text::bytea) end,
        case when n % 4 > 0 then timestamptz '1999-12-31 23:59:59.999999+01' + n * interval '1 h' end,
        case when n % 6 > 0 then jsonb_build_object('n', n, 'null', null) end,
        case when n % 8 > 0 then array[n, null, -n] end, nullif(n % 2 = 0, n % 10 = 0)
    from generate_series(1, 1500) n;
    insert into a select from generate_series(1, 3)";

/// All of a table, of which every value is read as a text and made a value again.
fn as_texts(source: &Engine, table: &str) -> TableColumns {
    let no_text = |column: TableColumn| column.nulls(["no value is shown like this"]);
    let columns = columns_of(source, table).into_iter().map(no_text);
    TableColumns::table(table, columns.collect()).unwrap().on(source)
}

/// issue 5 point 8, batch 3.9.2
#[test]
fn rows_that_are_passed_through_are_those_that_are_read_as_texts() {
    let home = Home::postgres();
    home.sql(ROWS);
    let url = home.url();
    let mark = if url.contains('?') { '&' } else { '?' };
    // The driver reads the same stream another way.
    let driver = Engine::open(&format!("{url}{mark}direct=false")).unwrap();
    for (table, feed) in [
        ("b", whole(home.engine(), "a")),
        ("c", as_texts(home.engine(), "a")),
        ("d", whole(&driver, "a")),
    ] {
        let job = copy(&home, feed, table, Mode::Append, &[]).batch_rows(100).workers(2);
        let report = home.run(&job);
        assert_eq!((report.read, report.inserted), (1503, 1503));
        assert_same(&home, "a", table);
    }
}

/// issue 5 point 8, batch 3.3.1
#[test]
fn a_bad_row_amid_rows_that_are_passed_through_costs_one_row() {
    let home = Home::postgres();
    home.sql(
        "create table a (n integer, t text);
         insert into a select case when n in (700, 701, 2500) then -n when n <> 1234 then n end,
                 case when n <> 2222 then 'n' || n else 'too long' end
             from generate_series(1, 3000) n;
         analyze a; create table b (n integer not null check (n > 0), t varchar(5))",
    );
    super::consistency::wait_until_counts(&home, "n_tup_ins", 3_000);
    let feed = || whole(home.engine(), "a").consistency(Consistency::Static);
    let job = copy(&home, feed(), "b", Mode::Append, &[]).batch_rows(400).workers(2);
    let report = home.run(&job);
    assert_eq!((report.read, report.inserted, report.rejected), (3000, 2995, 5));
    let is_good = "n is not null and n > 0 and length(t) <= 5";
    home.sql(&format!("create table good as select * from a where {is_good}"));
    assert_same(&home, "good", "b");
    // Each is told with its place, though nobody noted the places of the good ones.
    let mut told =
        home.rows("select convert_from(raw, 'UTF8')::json ->> 'ctid' from rowmill.reject");
    let mut stand = home.rows(&format!("select ctid::text from a where ({is_good}) is not true"));
    told.sort();
    stand.sort();
    assert_eq!(told, stand);
}

/// batch 3.3.1
#[test]
fn a_key_that_does_not_travel_is_told_of_a_refused_row_only() {
    let home = Home::postgres();
    home.sql(
        "create table a (id integer primary key, n integer);
         insert into a select n, n from generate_series(1, 900) n;
         update a set n = -n where id = 456; create table b (n integer check (n > 0))",
    );
    let column = columns_of(home.engine(), "a").pop().unwrap();
    let feed = TableColumns::table("a", vec![column]).unwrap();
    let report = home.run(&copy(&home, feed, "b", Mode::Append, &[]).batch_rows(100));
    assert_eq!((report.inserted, report.rejected), (899, 1));
    let expected = r#"store|{"key":{"id":"456"},"row":{"n":"-456"},"table":"a"}"#;
    assert_eq!(home.rejects_of("stage"), [expected]);
}
