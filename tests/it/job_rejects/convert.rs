//! Texts that are no values of their column's type.

use super::*;

/// A type, a text that is none, and the server's word for it; then a text that is one.
const FAULTS: [(&str, &str, &str, &str); 29] = [
    ("boolean", "maybe", "22P02", "yes"),
    ("smallint", "32768", "22003", "32767"),
    ("smallint", "x", "22P02", "-32768"),
    ("integer", "2147483648", "22003", "2147483647"),
    ("integer", "1.5", "22P02", " 7 "),
    ("bigint", "9223372036854775808", "22003", "-9223372036854775808"),
    ("bigint", "\"\"", "22P02", "0"),
    ("real", "1e39", "22003", "1e38"),
    ("real", "one", "22P02", "NaN"),
    ("double precision", "1e309", "22003", "1e308"),
    ("double precision", "1,5", "22P02", "-Infinity"),
    ("numeric", "1e131073", "22003", "1e10"),
    ("numeric(5,2)", "999.995", "22003", "999.994"),
    ("numeric(5,2)", "Infinity", "22003", "NaN"),
    ("numeric", "0x", "22P02", ".5"),
    ("varchar(3)", "abcd", "22001", "abc   "),
    ("char(3)", "abcd", "22001", "a"),
    ("bytea", "\\x0", "22023", "\\x00"),
    ("date", "2026-02-29", "22008", "2024-02-29"),
    ("date", "soon", "22007", "infinity"),
    ("time", "25:00", "22008", "24:00"),
    ("timestamp", "2026-13-01", "22008", "2026-12-01 10:00"),
    ("timestamptz", "2026-01-01 10:00 Nowhere/Land", "22023", "2026-01-01 10:00+02"),
    ("interval", "1 fortnight", "22007", "1 day"),
    ("uuid", "123", "22P02", "00000000-0000-0000-0000-000000000001"),
    ("json", "{", "22P02", "{}"),
    ("jsonb", "[1,", "22P02", "[1]"),
    ("integer[]", "{1,x}", "22P02", "{1,NULL}"),
    ("text[]", "{", "22P02", "{}"),
];

fn quoted(text: &str) -> String {
    if text == "\"\"" { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

/// batch 3.5.1, F52
#[test]
fn every_type_refuses_its_own_row_with_the_code_of_the_server() {
    on_both(|home| {
        for (number, (of_type, bad, state, good)) in FAULTS.into_iter().enumerate() {
            let table = format!("t_{number}");
            let csv = format!("v,id\n{},1\n{},2\n,3\n", quoted(good), quoted(bad));
            let column = format!("v {of_type}");
            let columns = [column.as_str(), "id bigint"];
            let job = home.csv_target(Mode::Upsert, &table, &columns, "id", &csv, |target| {
                target.create = true;
            });
            assert_eq!(home.run(&job), tally(3, 2), "{of_type}: {bad}");
            let rejects = home.rejects();
            let offset = 5 + quoted(good).len() + 3;
            // Too long and too large are what the table's own column says of a value.
            let stage = if matches!(state, "22001" | "22003") { "precheck" } else { "convert" };
            let expected = format!("2|3|{offset}|{stage}|{state}|v|{},2", quoted(bad));
            assert_eq!(rejects.last().unwrap(), &expected, "{of_type}: {bad}");
            assert_eq!(rejects.len(), number + 1);
            let rows = home.rows(&format!("select id from {table} order by id"));
            assert_eq!(rows, ["1", "3"], "{of_type}");
        }
    });
}

#[test]
fn the_column_that_is_named_is_the_one_of_the_table() {
    on_both(|home| {
        home.sql("create table t (id bigint primary key, n integer not null)");
        let columns = ["id bigint", "n integer"];
        let csv = "n,other,id\nx,1,1\n1,1,2\n,1,3\n2,1,y\n";
        let job = |mode| home.csv_job(mode, "t", &columns, "id", csv);
        in_every_mode(home, job, |counts, rejects| {
            assert_eq!(counts, tally(4, 1));
            let expected = [
                "1|2|11|convert|22P02|n|x,1,1",
                "3|4|23|precheck|23502|n|,1,3",
                "4|5|28|convert|22P02|id|2,1,y",
            ];
            assert_eq!(rejects, expected);
        });
    });
}

#[test]
fn no_value_of_a_row_is_in_a_message() {
    on_both(|home| {
        for (number, (of_type, bad, ..)) in FAULTS.into_iter().enumerate() {
            let table = format!("t_{number}");
            let csv = format!("v,id\n{},1\n", quoted(&format!("{bad}CANARY")));
            let column = format!("v {of_type}");
            let columns = [column.as_str(), "id bigint"];
            let job = home.csv_target(Mode::Upsert, &table, &columns, "id", &csv, |target| {
                target.create = true;
            });
            assert_eq!(home.run(&job).rejected, 1, "{of_type}");
        }
        for reject in home.rejects_of("message") {
            let (message, raw) = reject.split_once('|').unwrap();
            assert!(raw.contains("CANARY") && !message.contains("CANARY"), "{message}");
        }
    });
}
