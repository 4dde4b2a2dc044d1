//! Columns the job does not name, and types that only the server knows.

use super::*;

#[test]
fn columns_that_the_job_does_not_name_get_what_the_table_gives_them() {
    on_both(|home| {
        let identity = home.pick("integer", "bigint generated always as identity");
        home.sql(&format!(
            "create table t (number {identity}, id bigint primary key, name text, \
             made text not null default 'now', seen integer default 7, free text, \
             twice bigint generated always as (id * 2) stored); \
             insert into t (id, name, made, seen, free) values (1, 'old', 'then', 1, 'mine')"
        ));
        let columns = ["id bigint", "name text"];
        for mode in [Mode::Append, Mode::InsertIgnore, Mode::Upsert, Mode::Mirror] {
            let csv = "name,id\nnew,1\nb,2\n";
            let tally = home.run(&home.csv_job(mode, "t", &columns, "id", csv));
            assert_eq!(tally.read, 2);
        }
        let query = "select id, name, made, seen, free, twice from t order by id";
        assert_eq!(home.rows(query), ["1|new|then|1|mine|2", "2|b|now|7|NULL|4"]);
        let csv = "name,id\nb,2\n";
        home.run(&home.csv_job(Mode::Replace, "t", &columns, "id", csv));
        assert_eq!(home.rows(query), ["2|b|now|7|NULL|4"]);
    });
}

#[test]
fn a_column_that_the_database_makes_cannot_be_written() {
    on_both(|home| {
        home.sql(
            "create table t (id bigint primary key, \
             twice bigint generated always as (id * 2) stored)",
        );
        let columns = ["id bigint", "twice bigint"];
        let job = home.csv_job(Mode::Upsert, "t", &columns, "id", "id,twice\n1,2\n");
        let error = home.fails(&job);
        assert_eq!(error.kind(), ErrorKind::Schema);
        assert_eq!(error.place().column.as_deref(), Some("twice"));
    });
}

const TYPES: &str = "create type mood as enum ('sad', 'ok', 'happy'); \
    create domain positive as integer check (value > 0); \
    create table t (id bigint primary key, mood mood, host inet, code varchar(3), \
    data jsonb, raw json, amount numeric(6,2), tags text[], size positive)";

const TYPE_COLUMNS: [&str; 9] = [
    "id bigint",
    "mood text",
    "host text",
    "code text",
    "data jsonb",
    "raw json",
    "amount numeric(6,2)",
    "tags text[]",
    "size integer",
];

const TYPE_ROWS: &str = "id,mood,host,code,data,raw,amount,tags,size\n\
    1,sad,10.0.0.1,abc,\"{\"\"b\"\": 1, \"\"a\"\": [1.50]}\",\"{ \"\"a\"\":1}\",1.005,\"{x,NULL}\",1\n\
    2,,,,,,,,\n\
    3,happy,::1/128,\u{fc}\u{fc}\u{fc},null,1,-9999.99,{},7\n";

#[test]
fn types_of_the_server_are_written_and_compared_as_it_does() {
    let home = Home::postgres();
    home.sql(TYPES);
    let expected = [
        "1|sad|10.0.0.1|abc|{\"a\": [1.50], \"b\": 1}|{ \"a\":1}|1.01|{x,NULL}|1",
        "2|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL",
        "3|happy|::1|\u{fc}\u{fc}\u{fc}|null|1|-9999.99|{}|7",
    ];
    for mode in Mode::ALL {
        home.sql("truncate t");
        let job = home.csv_job(mode, "t", &TYPE_COLUMNS, "id", TYPE_ROWS);
        assert_eq!(home.run(&job), Tally { read: 3, inserted: 3, ..Tally::default() }, "{mode}");
        assert_eq!(home.rows("select * from t order by id"), expected, "{mode}");
    }
    let again = TYPE_ROWS.replace("\"\"b\"\": 1, ", "\"\"b\"\":1.0,   ");
    for mode in [Mode::InsertIgnore, Mode::Upsert, Mode::Mirror] {
        let job = home.csv_job(mode, "t", &TYPE_COLUMNS, "id", &again);
        assert_eq!(home.run(&job), Tally { read: 3, unchanged: 3, ..Tally::default() }, "{mode}");
    }
}

#[test]
fn each_type_of_the_server_refuses_its_own_row_and_no_other() {
    let home = Home::postgres();
    home.sql(TYPES);
    let csv = "id,mood,host,code,data,raw,amount,tags,size\n\
        1,bad,,,,,,,\n2,,10.0.0.999,,,,,,\n3,,,abcd,,,,,\n4,,,,{,,,,\n5,,,,,{,,,\n\
        6,,,,,,99999.999,,\n7,,,,,,,{,\n8,,,,,,,,0\n9,ok,,,,,,,\n10,,,,\"\"\"\\u0000\"\"\",,,,\n";
    let expected = [
        "2|22P02|1,bad,,,,,,,",
        "3|22P02|2,,10.0.0.999,,,,,,",
        "4|22001|3,,,abcd,,,,,",
        "5|22P02|4,,,,{,,,,",
        "6|22P02|5,,,,,{,,,",
        "7|22003|6,,,,,,99999.999,,",
        "8|22P02|7,,,,,,,{,",
        "9|23514|8,,,,,,,,0",
        "11|22P05|10,,,,\"\"\"\\u0000\"\"\",,,,",
    ];
    for mode in Mode::ALL {
        home.sql("truncate t");
        let job = home.csv_job(mode, "t", &TYPE_COLUMNS, "id", csv);
        let tally = home.run(&job);
        assert_eq!((tally.inserted, tally.rejected), (1, 9), "{mode}");
        let rejects = home.rejects_of("line, sqlstate");
        assert_eq!(&rejects[rejects.len() - 9..], expected, "{mode}");
        assert_eq!(home.rows("select id, mood from t"), ["9|ok"], "{mode}");
    }
}

/// What the stage refuses has a key all the same.
#[test]
fn mirror_keeps_the_row_whose_new_values_only_the_server_could_refuse() {
    let home = Home::postgres();
    home.sql(TYPES);
    home.sql("insert into t (id, mood) values (1, 'ok'), (2, 'ok'), (3, 'ok'), (4, 'ok')");
    let csv = "id,mood,data\n1,bad,\n2,happy,\n3,ok,\"\"\"\\u0000\"\"\"\n";
    let columns = ["id bigint", "mood text", "data jsonb"];
    let job = home.csv_job(Mode::Mirror, "t", &columns, "id", csv);
    let expected = Tally { read: 3, updated: 1, deleted: 1, rejected: 2, ..Tally::default() };
    assert_eq!(home.run(&job), expected);
    assert_eq!(home.rows("select id, mood from t order by id"), ["1|ok", "2|happy", "3|ok"]);
}

#[test]
fn a_table_is_created_with_its_key() {
    on_both(|home| {
        for (number, mode) in Mode::ALL.into_iter().enumerate() {
            let table = format!("made_{number}");
            let columns =
                ["id bigint", "part varchar(5)", "price numeric(9,2)", "open boolean", "at date"];
            let csv = "id,part,price,open,at\n1,a,1.5,t,2026-08-20\n1,b,,f,\n1,a,2,,\n";
            let job = home.csv_target(mode, &table, &columns, "id part", csv, |target| {
                target.create = true;
            });
            let tally = home.run(&job.workers(1));
            assert_eq!((tally.read, tally.inserted), (3, 2), "{mode}");
            let info = home.engine().get().unwrap().table_info(&table_name(&table)).unwrap();
            assert_eq!(info.unwrap().unique, [["id", "part"]], "{mode}");
            assert_eq!(home.rows(&format!("select count(*) from {table}")), ["2"], "{mode}");
        }
        let rows = home.rows("select id, part, price from made_0 order by part");
        assert_eq!(rows, ["1|a|1.50", "1|b|NULL"]);
    });
}

fn table_name(name: &str) -> rowmill::TableName {
    rowmill::TableName::parse(name).unwrap()
}

#[test]
fn a_missing_table_is_refused_unless_it_is_to_be_created() {
    on_both(|home| {
        let job = home.csv_job(Mode::Append, "nowhere", &["id bigint"], "", "id\n1\n");
        assert_eq!(home.fails(&job).kind(), ErrorKind::Schema);
    });
}
