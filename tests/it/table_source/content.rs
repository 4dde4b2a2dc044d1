//! Every row and every type arrives, from either database in either.

use super::{assert_same, columns_of, copy, whole};
use crate::support::{Home, on_both};
use rowmill::{ColumnType, Entity, Ident, Job, Mode, Table, TableColumn, TableColumns, Upsert};

/// A row of every kind of value that is the same on both databases.
const SHARED: &str = "create table a (id bigint primary key, small smallint, price double precision, \
    name text, raw RAW, day date, at timestamp, sum numeric(15,2), ok boolean, doc json)";

const SHARED_ROWS: &str = "insert into a values \
    (-9223372036854775808, -32768, -0.1, 'a ''quoted'' \\ one', BYTES, '2026-08-22', \
     '1999-12-31 23:59:59.123456', '1234567890123.45', true, '{\"a\": [1,  2]}'), \
    (7, null, 1e300, '', null, null, null, null, null, null), \
    (9223372036854775807, 0, 0, 'é', null, '0044-03-15', null, '0.00', false, 'null')";

fn fill(home: &Home) {
    home.sql(&SHARED.replace("RAW", home.pick("blob", "bytea")));
    home.sql(&SHARED_ROWS.replace("BYTES", home.pick("x'00ff'", "'\\x00ff'")));
}

fn shared_columns() -> Vec<TableColumn> {
    [
        ("id", "bigint"),
        ("small", "smallint"),
        ("price", "double precision"),
        ("name", "text"),
        ("raw", "bytea"),
        ("day", "date"),
        ("at", "timestamp"),
        ("sum", "numeric(15,2)"),
        ("ok", "boolean"),
        ("doc", "json"),
    ]
    .into_iter()
    .map(|(name, ty)| TableColumn::new(Ident::new(name).unwrap(), ColumnType::parse(ty).unwrap()))
    .collect()
}

/// batch 3.9.1, 3.9.2, F57
#[test]
fn every_type_of_postgresql_is_passed_through_as_it_is() {
    let home = Home::postgres();
    home.sql(
        "create type mood as enum ('calm', 'wild'); create type pair as (a int, b text);
         create domain positive as int check (value > 0); create domain word as varchar(5);
         create table a (k int primary key, b bool, i2 int2, i8 int8, f4 float4, f8 float8,
             n numeric, n2 numeric(15,2), t text, v varchar(5), c char(3), y bytea, d date,
             tm time, tz timetz, ts timestamp, tt timestamptz, iv interval, u uuid, j json,
             jb jsonb, m mood, p positive, w word, ai int[], at text[], an numeric(5,1)[],
             ip inet, r int4range, pr pair, bits bit(3), x xml, ms mood[]);
         insert into a values (1, true, -1, -3, 'nan', '-infinity', 1e-20, 123.45, E'a\\t\\u00e9',
             'abc', 'ab', '\\x00ff', '2026-08-22', '23:59:59.999999', '12:00+02', 'infinity',
             '1999-12-31 23:59:59.123456+01', '1 mon -2 days 03:04:05.6',
             'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{\"a\": [1,  2]}', '{\"b\": null}', 'wild',
             7, 'five5', '{1,null,3}', '{\"a,b\",NULL}', '{1.5}', '10.0.0.1', '[1,5)',
             '(1,\"x,y\")', '101', '<a/>', '{calm}');
         insert into a (k, n, t, ai, an) values (2, 'nan', '', '{}', '{{1},{2}}');
         insert into a (k) select n from generate_series(3, 900) n;
         create table b (like a including all)",
    );
    let report = home.run(&copy(&home, whole(home.engine(), "a"), "b", Mode::Append, &[]));
    assert_eq!((report.read, report.inserted), (900, 900));
    assert_same(&home, "a", "b");
}

#[test]
fn rows_go_from_either_database_into_either() {
    for (source, target) in [
        (Home::postgres(), Home::postgres()),
        (Home::postgres(), Home::sqlite()),
        (Home::sqlite(), Home::postgres()),
        (Home::sqlite(), Home::sqlite()),
        (Home::memory(), Home::memory()),
    ] {
        fill(&source);
        let feed = TableColumns::table("a", shared_columns()).unwrap().on(source.engine());
        let report = target.run(&copy(&target, feed, "b", Mode::Upsert, &["id"]));
        assert_eq!((report.read, report.inserted, report.rejected), (3, 3, 0));
        // Back again, beside what it came from.
        let feed = TableColumns::table("b", shared_columns()).unwrap().on(target.engine());
        source.run(&copy(&source, feed, "c", Mode::Upsert, &["id"]));
        let truth = source.pick("case when ok then 1 when not ok then 0 end", "cast(ok as int)");
        let shown = |table: &str| {
            source.rows(&format!(
                "select id, small, price, name, {}, day, at, cast(sum as text), {truth}, \
                 cast(doc as text) from {table} order by id",
                source.pick("hex(raw)", "encode(raw, 'hex')")
            ))
        };
        let (before, after) = (shown("a"), shown("c"));
        if source.is_postgres() {
            assert_eq!(before, after);
        } else {
            // SQLite keeps the text of a number of a column that is declared numeric as it likes.
            assert_eq!(before.len(), after.len());
        }
    }
}

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "Odd \"people\"")]
struct Person {
    #[entity(key)]
    id: i64,
    #[entity(column = "full name")]
    name: Option<String>,
}

#[test]
fn a_table_becomes_entities_that_are_changed_on_the_way() {
    on_both(|home| {
        home.sql(
            r#"create table "Odd ""people""" (id bigint primary key, "full name" text);
               insert into "Odd ""people""" values (-1, 'ada'), (0, null), (1, 'grace')"#,
        );
        let job = Job::named(home.job_name())
            .read(Table::<Person>::all())
            .filter(|person: &Person| person.id != 0)
            .map(|mut person| {
                person.name = person.name.map(|name| name.to_uppercase());
                Ok(person)
            })
            .write(Upsert::<Person>::new().table("loud").create(true));
        let report = home.run(&job);
        assert_eq!((report.read, report.filtered, report.inserted), (3, 1, 2));
        let rows = home.rows(r#"select id, "full name" from loud order by id"#);
        assert_eq!(rows, ["-1|ADA", "1|GRACE"]);
    });
}

#[test]
fn a_column_is_renamed_trimmed_and_read_as_another_type() {
    on_both(|home| {
        home.sql(
            "create table a (id bigint primary key, amount text);
             insert into a values (1, ' 7 '), (2, 'none'), (3, null), (4, '8')",
        );
        let amount = TableColumn::new(Ident::new("n").unwrap(), ColumnType::Int4)
            .from(Ident::new("amount").unwrap())
            .trim(true)
            .nulls(["none"]);
        let mut columns = columns_of(home.engine(), "a");
        columns[1] = amount;
        let feed = TableColumns::table("a", columns).unwrap();
        home.run(&copy(home, feed, "b", Mode::Append, &[]));
        let rows = home.rows("select id, n from b order by id");
        assert_eq!(rows, ["1|7", "2|NULL", "3|NULL", "4|8"]);
    });
}

#[test]
fn an_empty_table_and_one_that_is_not_there() {
    on_both(|home| {
        home.sql("create table a (id bigint primary key, name text)");
        let report = home.run(&copy(home, whole(home.engine(), "a"), "b", Mode::Append, &[]));
        assert_eq!(report.read, 0);
        let columns = columns_of(home.engine(), "a");
        let feed = TableColumns::table("nowhere", columns).unwrap();
        let error = home.fails(&copy(home, feed, "b", Mode::Append, &[])).to_string();
        assert!(error.contains("the table that is to be read does not exist"), "{error}");
        assert!(error.contains("nowhere"), "{error}");
    });
}

#[test]
fn an_empty_source_never_empties_a_mirror_whatever_statistics_say() {
    let home = Home::postgres();
    home.sql(
        "create table a (id bigint primary key, name text);
         insert into a select n, 'x' from generate_series(1, 500) n; analyze a; delete from a;
         create table b (id bigint primary key, name text); insert into b values (1, 'stays')",
    );
    home.run(&copy(&home, whole(home.engine(), "a"), "b", Mode::Mirror, &["id"]));
    assert_eq!(home.rows("select * from b"), ["1|stays"]);
}
