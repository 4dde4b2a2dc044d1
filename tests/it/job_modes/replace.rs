//! What survives a replacement, and where it is refused.

use super::*;

/// batch 3.8.1
#[test]
fn what_hangs_on_the_table_survives() {
    on_both(|home| {
        home.sql(
            "create table p (id bigint primary key); insert into p values (1), (2); \
             create table items (id bigint primary key, name text unique, \
             price double precision not null check (price >= 0), \
             p bigint default 1 references p (id)); \
             create index by_price on items (price); \
             create view dear as select id from items where price > 5; \
             insert into items values (1, 'one', 1, 2), (2, 'two', 2, 1)",
        );
        if home.is_postgres() {
            home.sql("create role reader; grant select on items to reader");
        }
        let csv = "id,name,price\n2,one,2\n3,three,-1\n4,four,9\n";
        let job = home.csv_job(Mode::Replace, "items", &COLUMNS, "id", csv).batch_rows(1);
        let expected = Tally { read: 3, inserted: 2, deleted: 2, rejected: 1, ..Tally::default() };
        assert_eq!(home.run(&job), expected);
        let rows = home.rows("select id, name, price, p from items order by id");
        assert_eq!(rows, ["2|one|2|1", "4|four|9|1"]);
        assert_eq!(home.rows("select id from dear"), ["4"]);
        let info = home.engine().get().unwrap().table_info(&name()).unwrap().unwrap();
        assert_eq!(info.unique, [["id"], ["name"]]);
        if home.is_postgres() {
            let indexes = "select indexname from pg_indexes where tablename = 'items' order by 1";
            assert_eq!(home.rows(indexes), ["by_price", "items_name_key", "items_pkey"]);
            let right = "select has_table_privilege('reader', 'items', 'select')";
            assert_eq!(home.rows(right), ["t"]);
            let keys = "select count(*) from pg_constraint where conrelid = 'items'::regclass";
            assert_eq!(home.rows(keys), ["4"]);
            home.sql("drop owned by reader; drop role reader");
        } else {
            let sql = "select name from sqlite_schema where tbl_name = 'items' and sql is not null";
            assert_eq!(home.rows(&format!("{sql} order by 1")), ["by_price", "items"]);
        }
    });
}

fn name() -> rowmill::TableName {
    rowmill::TableName::parse("items").unwrap()
}

#[test]
fn it_is_refused_where_foreign_keys_point_to_the_table() {
    on_both(|home| {
        home.sql(ITEMS);
        home.sql("create table o (item bigint references items (id))");
        home.sql("insert into items values (1, 'one', 1)");
        let job = home.csv_job(Mode::Replace, "items", &COLUMNS, "id", "id,name,price\n2,b,2\n");
        let error = home.fails(&job);
        assert_eq!(error.kind(), ErrorKind::Schema);
        assert!(error.message().contains("foreign keys point to it"), "{error}");
        assert_eq!(items(home), ["1|one|1"]);
    });
}

#[test]
fn the_rows_of_before_do_not_clash_with_those_that_replace_them() {
    on_both(|home| {
        home.sql("create table t (id bigint primary key, code text unique)");
        home.sql("insert into t values (1, 'x'), (2, 'y')");
        let columns = ["id bigint", "code text"];
        let job = home.csv_job(Mode::Replace, "t", &columns, "id", "id,code\n2,x\n1,y\n");
        let expected = Tally { read: 2, inserted: 2, deleted: 2, ..Tally::default() };
        assert_eq!(home.run(&job), expected);
        assert_eq!(home.rows("select id, code from t order by id"), ["1|y", "2|x"]);
    });
}

#[test]
fn a_run_that_fails_leaves_the_rows_of_before() {
    on_both(|home| {
        home.sql(&format!("{ITEMS}; insert into items values (1, 'one', 1)"));
        let job = home.csv_job(Mode::Replace, "items", &COLUMNS, "id", "id,name,price\nx,b,2\n");
        let error = home.fails(&job.max_rejects(rowmill::MaxRejects::Count(0)));
        assert_eq!(error.kind(), ErrorKind::RejectLimit);
        assert_eq!(items(home), ["1|one|1"]);
    });
}
