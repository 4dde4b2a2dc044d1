//! `rowmill rejects replay` and `export` for every kind of source.

use crate::support::{Finished, Home, on_both, rowmill};
use std::io::Write as _;

/// A kind of source: what the job file says of it, and its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Csv,
    SeveralGzipped,
    Zstd,
    Ndjson,
    NdjsonGzipped,
    PipedCsv,
    PipedNdjson,
    Table,
    Query,
}

const KINDS: [Kind; 9] = [
    Kind::Csv,
    Kind::SeveralGzipped,
    Kind::Zstd,
    Kind::Ndjson,
    Kind::NdjsonGzipped,
    Kind::PipedCsv,
    Kind::PipedNdjson,
    Kind::Table,
    Kind::Query,
];

/// A row of the input: id, number, name.
type Row = (u32, String, &'static str);

fn csv(rows: &[Row]) -> String {
    let line = |(id, n, name): &Row| format!("{n},{id},\"{}\"\r\n", name.replace('"', "\"\""));
    format!("n,id,full name\r\n{}", rows.iter().map(line).collect::<String>())
}

fn ndjson(rows: &[Row]) -> String {
    let line = |(id, n, name): &Row| {
        let n = n.parse::<i64>().map_or_else(|_| format!("{n:?}"), |n| n.to_string());
        format!("{{\"id\": {id}, \"n\": {n}, \"full name\": {name:?}}}\n")
    };
    rows.iter().map(line).collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}

impl Kind {
    fn source(self) -> &'static str {
        match self {
            Self::Csv => "kind = \"csv\"\npath = \"in.csv\"",
            Self::SeveralGzipped => "kind = \"csv\"\npath = \"part-*.csv.gz\"",
            Self::Zstd => "kind = \"csv\"\npath = \"in.csv.zst\"",
            Self::Ndjson => "kind = \"ndjson\"\npath = \"in.ndjson\"",
            Self::NdjsonGzipped => "kind = \"ndjson\"\npath = \"part-*.ndjson.gz\"",
            Self::PipedCsv => "kind = \"csv\"\npath = \"-\"",
            Self::PipedNdjson => "kind = \"ndjson\"\npath = \"-\"",
            Self::Table => "kind = \"table\"\ntable = \"a\"",
            Self::Query => {
                "kind = \"query\"\nkey = [\"id\"]\nsql = \"select id, n, \\\"full name\\\" from a\""
            }
        }
    }

    fn write(self, home: &Home, rows: &[Row]) {
        let (first, rest) = rows.split_at(rows.len() / 2);
        match self {
            Self::Csv | Self::PipedCsv => {
                home.file("in.csv", csv(rows));
            }
            Self::Zstd => {
                home.file("in.csv.zst", zstd::encode_all(csv(rows).as_bytes(), 1).unwrap());
            }
            Self::Ndjson | Self::PipedNdjson => {
                home.file("in.ndjson", ndjson(rows));
            }
            Self::SeveralGzipped => {
                home.file("part-1.csv.gz", gzip(&csv(first)));
                home.file("part-2.csv.gz", gzip(&csv(rest)));
            }
            Self::NdjsonGzipped => {
                home.file("part-1.ndjson.gz", gzip(&ndjson(first)));
                home.file("part-2.ndjson.gz", gzip(&ndjson(rest)));
            }
            Self::Table | Self::Query => {
                home.sql("create table a (id integer primary key, n text, \"full name\" text)");
                let values = rows.iter().map(|(id, n, name)| format!("({id}, '{n}', '{name}')"));
                let values: Vec<_> = values.collect();
                home.sql(&format!("insert into a values {}", values.join(", ")));
            }
        }
    }

    /// Runs a command as it has to be run for this kind.
    fn command(self, home: &Home, words: &[&str]) -> Finished {
        let command = rowmill(words.iter().copied()).cwd(home.folder());
        let command = match self {
            Self::PipedCsv => command.input(home.folder().join("in.csv")),
            Self::PipedNdjson => command.input(home.folder().join("in.ndjson")),
            _ => command,
        };
        command.finish()
    }

    fn job_file(self, home: &Home, mode: &str) {
        home.file(
            "job.toml",
            format!(
                "name = \"kinds\"\n[source]\n{}\n[target]\nurl = \"{}\"\ntable = \"t\"\n\
                 mode = \"{mode}\"\nkey = [\"id\"]\n[limits]\nmax_rejects = 100000\nbatch_rows = 10\n\
                 [columns]\nid = \"bigint\"\nn = \"integer\"\n\
                 v = {{ type = \"text\", from = \"full name\" }}\n",
                self.source(),
                home.url()
            ),
        );
    }

    fn run(self, home: &Home, words: &[&str]) -> Finished {
        let run = self.command(home, words);
        assert_eq!(run.code, Some(0), "{self:?}: {run}");
        run
    }
}

const TABLE: &str = "create table t (id bigint primary key, n integer, v text, \
    constraint positive check (n > 0))";

/// SQLite has no `DROP CONSTRAINT`.
fn drop_constraint(home: &Home) {
    home.sql(home.pick(
        "create table u (id bigint primary key, n integer, v text); insert into u select * from t; \
         drop table t; alter table u rename to t",
        "alter table t drop constraint positive",
    ));
}

fn rows() -> Vec<Row> {
    let row = |id: u32, n: &str, name| (id, n.to_owned(), name);
    vec![
        row(1, "1", "one"),
        row(2, "-2", "two, \"too\""),
        row(3, "x", "three"),
        row(4, "-4", "f\u{f6}ur"),
        row(5, "5", "five"),
    ]
}

#[test]
fn rejects_of_every_kind_of_source_are_replayed_from_what_was_kept_of_them() {
    for kind in KINDS {
        for mode in ["append", "upsert"] {
            on_both(|home| {
                home.sql(TABLE);
                kind.write(home, &rows());
                kind.job_file(home, mode);
                kind.run(home, &["run", "job.toml", "--quiet"]);
                let told = |home: &Home| home.rejects_of("input_row, stage, attempt").len();
                assert_eq!(told(home), 3, "{kind:?}");
                let said = kind.run(home, &["rejects", "replay", "job.toml"]).stdout;
                assert!(said.starts_with("3 rejects: 0 resolved, 3 stay\n"), "{kind:?}: {said}");
                drop_constraint(home);
                if matches!(kind, Kind::Table | Kind::Query) {
                    home.sql("delete from a");
                }
                let said = kind.run(home, &["rejects", "replay", "job.toml"]).stdout;
                assert!(said.starts_with("3 rejects: 2 resolved, 1 stay\n"), "{kind:?}: {said}");
                let said = kind.run(home, &["rejects", "replay", "job.toml"]).stdout;
                assert!(said.starts_with("1 rejects: 0 resolved, 1 stay\n"), "{kind:?}: {said}");
                assert_eq!(
                    home.rows("select * from t order by id"),
                    ["1|1|one", "2|-2|two, \"too\"", "4|-4|f\u{f6}ur", "5|5|five"],
                    "{kind:?} {mode}"
                );
                let kept = home.rejects_of("input_row, stage, sqlstate, attempt");
                let kept: Vec<_> = kept
                    .iter()
                    .map(|line| line.splitn(5, '|').take(4).collect::<Vec<_>>())
                    .collect();
                let attempts = [["2", "store", "23514", "3"], ["3", "convert", "22P02", "4"]];
                assert_eq!(kept[..2], attempts, "{kind:?}");
                let report = kind.run(home, &["status", "job.toml"]).stdout;
                assert!(report.contains("4 inserted") && report.contains("1 rejected"), "{report}");
            });
        }
    }
}

#[test]
fn raw_records_of_files_are_a_file_of_their_kind_and_those_of_a_table_are_json() {
    for kind in KINDS {
        let home = Home::sqlite();
        home.sql(TABLE);
        kind.write(&home, &rows());
        kind.job_file(&home, "append");
        kind.run(&home, &["run", "job.toml", "--quiet"]);
        kind.run(&home, &["rejects", "export", "job.toml", "--to", "out"]);
        let exported = std::fs::read_to_string(home.folder().join("out")).unwrap();
        let bad: Vec<_> = rows()[1..4].to_vec();
        match kind {
            Kind::Ndjson | Kind::NdjsonGzipped | Kind::PipedNdjson => {
                assert_eq!(exported, ndjson(&bad), "{kind:?}");
            }
            Kind::Table | Kind::Query => {
                let ids: Vec<_> = exported
                    .lines()
                    .map(|line| {
                        let record: serde_json::Value = serde_json::from_str(line).unwrap();
                        record["row"]["id"].as_str().unwrap().to_owned()
                    })
                    .collect();
                assert_eq!(ids, ["2", "3", "4"], "{kind:?}");
            }
            _ => assert_eq!(exported, csv(&bad), "{kind:?}"),
        }
    }
}

#[test]
fn what_was_piped_needs_no_more_than_its_header_to_be_replayed_and_says_so_without() {
    let home = Home::sqlite();
    home.sql(TABLE);
    let kind = Kind::PipedCsv;
    kind.write(&home, &rows());
    kind.job_file(&home, "append");
    kind.run(&home, &["run", "job.toml", "--quiet"]);
    drop_constraint(&home);
    let replay = || rowmill(["rejects", "replay", "job.toml"]).cwd(home.folder());
    let without = replay().finish();
    assert_ne!(without.code, Some(0), "{without}");
    assert_eq!(without.stderr.lines().count(), 1, "{without}");
    assert!(without.stderr.contains("header"), "{without}");
    let with = replay().input(home.file("head", "n,id,full name\r\n")).finish();
    assert!(with.stdout.starts_with("3 rejects: 2 resolved, 1 stay"), "{with}");
}

#[test]
fn a_replay_of_any_kind_that_is_killed_again_and_again_brings_each_row_in_once() {
    for kind in [Kind::NdjsonGzipped, Kind::Table] {
        let home = Home::postgres();
        home.sql(TABLE);
        let rows: Vec<Row> = (1..=300).map(|id| (id, format!("-{id}"), "name")).collect();
        kind.write(&home, &rows);
        kind.job_file(&home, "append");
        kind.run(&home, &["run", "job.toml", "--quiet"]);
        home.sql("alter table t drop constraint positive");
        home.sql("alter table t add constraint thirds check (id % 3 > 0)");
        let resolved = || {
            let sql = "select count(*) from rowmill.reject where resolved_at is not null";
            home.rows(sql)[0].parse::<u64>().unwrap()
        };
        let mut kills = 0;
        for goal in (1..).map(|step| step * 23) {
            let mut running = rowmill(["rejects", "replay", "job.toml"]).cwd(home.folder()).spawn();
            if running.wait_until(|_| resolved() >= goal) {
                running.kill();
                kills += 1;
                continue;
            }
            let ended = running.wait();
            assert_eq!(ended.code, Some(0), "{ended}");
            assert!(ended.stdout.contains("100 stay"), "{ended}");
            break;
        }
        assert!(kills > 0, "none was killed");
        let sum: u64 = (1..=300).filter(|id| id % 3 > 0).sum();
        assert_eq!(
            home.rows("select count(*), count(distinct id), sum(id) from t"),
            [format!("200|200|{sum}")]
        );
        assert_eq!(resolved(), 200);
        let report = kind.run(&home, &["status", "job.toml"]).stdout;
        assert!(report.contains("100 rejected"), "{report}");
    }
}
