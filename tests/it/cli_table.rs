//! A table and a query as sources of the command.

use crate::support::{Home, on_both, rowmill};
use std::path::PathBuf;

fn job(home: &Home, source: &str) -> PathBuf {
    home.file(
        "job.toml",
        format!(
            "name = \"copy\"\nparams = {{ least = 3 }}\n[source]\n{source}\n\
             [target]\nurl = \"{}\"\ntable = \"b\"\ncreate = true\nmode = \"upsert\"\nkey = [\"id\"]\n\
             [columns]\nid = \"bigint\"\nv = {{ type = \"text\", from = \"full name\" }}\n",
            home.url()
        ),
    )
}

fn fill(home: &Home) {
    home.sql(
        "create table a (id integer primary key, \"full name\" text);
         insert into a values (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four')",
    );
}

#[test]
fn a_table_is_checked_and_then_copied() {
    on_both(|home| {
        fill(home);
        let path = job(
            home,
            "kind = \"table\"\ntable = \"a\"\npartitions = 2\nconsistency = \"per-batch\"",
        );
        let check = rowmill(["check"]).arg(&path).finish();
        assert_eq!(check.code, Some(0), "{check}");
        let said = &check.stdout;
        assert!(said.contains("source   table a"), "{said}");
        assert!(said.contains("cut      4 by exact ranges of (id)"), "{said}");
        assert!(said.contains("cut      consistency per-batch"), "{said}");
        let run = rowmill(["run"]).arg(&path).finish();
        assert_eq!(run.code, Some(0), "{run}");
        assert_eq!(
            home.rows("select * from b order by id"),
            ["1|one", "2|two", "3|three", "4|four"]
        );
        let again = rowmill(["run"]).arg(&path).finish();
        assert_eq!(again.code, Some(0), "{again}");
    });
}

#[test]
fn a_query_is_read_from_another_database_with_the_parameters_of_the_job() {
    on_both(|home| {
        let shop = Home::sqlite();
        fill(&shop);
        let sql = "select id, \\\"full name\\\" from a where id >= ${least}";
        let source =
            format!("kind = \"query\"\nurl = \"{}\"\nsql = \"{sql}\"\nkey = [\"id\"]", shop.url());
        let run = rowmill(["run"]).arg(job(home, &source)).finish();
        assert_eq!(run.code, Some(0), "{run}");
        assert_eq!(home.rows("select * from b order by id"), ["3|three", "4|four"]);
    });
}

#[test]
fn what_a_source_in_a_database_cannot_mean_is_told_in_one_line() {
    let home = Home::sqlite();
    fill(&home);
    for (source, expected) in [
        ("kind = \"query\"\nsql = \"select 1\"", "[source] key: missing"),
        ("kind = \"table\"", "[source] table: missing, expected the name of a table"),
        ("kind = \"table\"\ntable = \"a\"\npath = \"x\"", "[source] path: unknown key"),
        (
            "kind = \"table\"\ntable = \"a\"\nconsistency = \"snapshto\"",
            "did you mean \"snapshot\"?",
        ),
        ("kind = \"table\"\ntable = \"a\"\npartitions = 0", "expected an integer from 1"),
        ("kind = \"query\"\nsql = \"delete from a\"\nkey = [\"id\"]", "the query does not read"),
        ("kind = \"table\"\ntable = \"aa\"", "the table that is to be read does not exist"),
        ("kind = \"table\"\ntable = \"a\"\nkey = [\"idd\"]", "did you mean \"id\"?"),
        (
            "kind = \"table\"\ntable = \"a\"\nconsistency = \"snapshot\"",
            "take consistency per-batch",
        ),
    ] {
        let run = rowmill(["run"]).arg(job(&home, source)).finish();
        assert_eq!(run.code, Some(2), "{source}: {run}");
        assert!(run.stderr.contains(expected), "{source}: {run}");
        assert_eq!(run.stderr.lines().count(), 1, "{source}: {run}");
    }
}
