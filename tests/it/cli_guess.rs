//! `rowmill guess` prints a job file that loads what it was guessed from.

use crate::support::{data, rowmill, shared};
use std::fmt::Write as _;
use std::path::Path;

/// Guesses a job for a file in `folder`, checks and runs it; returns the job file.
fn guessed(folder: &Path, file: &str, target: &str, rows: u64) -> String {
    let guess = rowmill(["guess", file, "--target", target]).cwd(folder).finish();
    assert_eq!(guess.code, Some(0), "{guess}");
    assert_eq!(guess.stderr, "", "{guess}");
    let job = guess.stdout;
    std::fs::write(folder.join("job.toml"), &job).unwrap();
    // A URL with a password is left to the environment.
    let rowmill =
        |args: &[&str]| rowmill(args.iter().copied()).env("ROWMILL_TARGET", target).cwd(folder);
    let check = rowmill(&["check", "job.toml"]).finish();
    assert_eq!(check.code, Some(0), "{check}\n{job}");
    let report = folder.join("report.json");
    let run = rowmill(&["run", "job.toml", "--report"]).arg(&report).finish();
    assert_eq!(run.code, Some(0), "{run}\n{job}");
    let report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&report).unwrap()).unwrap();
    assert_eq!(report["rejected"], 0, "{run}\n{job}");
    assert_eq!(report["written"], rows, "{run}\n{job}");
    job
}

/// The part behind the columns, with single blanks.
fn columns(job: &str) -> Vec<String> {
    let (_, columns) = job.split_once("[columns]\n").unwrap();
    columns.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn of_text(name: &str, text: impl AsRef<[u8]>, rows: u64) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), text).unwrap();
    guessed(folder.path(), name, "sqlite:guessed.db", rows)
}

/// exactly-once 10e
#[test]
fn every_file_of_a_night_is_loaded_by_what_was_guessed() {
    let Some(nights) = data::nights() else { return };
    let database = shared().database("guessed");
    let entries = std::fs::read_dir(nights.join("2026-08-20")).unwrap();
    let mut seen = 0;
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.extension().is_none_or(|extension| extension != "csv") {
            continue;
        }
        let rows = std::fs::read_to_string(&path).unwrap().lines().count() as u64 - 1;
        let folder = tempfile::tempdir().unwrap();
        let job = guessed(folder.path(), path.to_str().unwrap(), &database.url(), rows);
        assert!(job.contains("mode = \"upsert\""), "{job}");
        assert!(job.contains("key = [\"id\"]"), "{job}");
        seen += 1;
    }
    assert!(seen > 2, "{seen} files");
    // Namibia is no NULL.
    assert_eq!(database.value("select count(*) > 0 from navaids where iso_country = 'NA'"), "t");
    let column = "select pg_typeof(latitude_deg)::text from navaids limit 1";
    assert_eq!(database.value(column), "numeric");
}

#[test]
fn types_are_the_narrowest_that_lose_nothing() {
    let text = "id;Zip Code;price;big;day;at;zoned;flag;bits;uid;note;none;count\n\
        1;01234;1,5;99999999999999999999;2026-08-20;2026-08-20 10:00:00;2026-08-20T10:00:00Z;true;0;\
        a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11;\"a;b\";;7\n\
        2;99999;2,5;1;2026-08-21;2026-08-20 10:00:01.5;2026-08-20T10:00:00+02:00;FALSE;1;\
        a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12;NA;;NA\n";
    let job = of_text("types.csv", text, 2);
    assert!(job.contains("delimiter = \";\""), "{job}");
    assert_eq!(
        columns(&job),
        [
            "id = { type = \"bigint\", not_null = true }",
            "zip_code = { type = \"text\", from = \"Zip Code\", not_null = true }",
            "price = { type = \"text\", not_null = true }",
            "big = { type = \"numeric\", not_null = true }",
            "day = { type = \"date\", not_null = true }",
            "at = { type = \"timestamp\", not_null = true }",
            "zoned = { type = \"timestamptz\", not_null = true }",
            "flag = { type = \"boolean\", not_null = true }",
            "bits = { type = \"bigint\", not_null = true } # only 0 and 1: boolean would read them, too",
            "uid = { type = \"uuid\", not_null = true }",
            "note = { type = \"text\", not_null = true }",
            "none = \"text\" # no value was seen",
            "count = { type = \"bigint\", null = [\"\", \"NA\"] } # these texts stood among the values",
        ]
    );
}

#[test]
fn a_file_without_a_header_a_key_or_commas_is_guessed() {
    let job = of_text("plain.tsv", "1\ta\t\\N\n1\tb\t2.5\n", 2);
    for line in ["delimiter = \"\\u0009\"", "header = false", "null = [\"\", \"\\\\N\"]"] {
        assert!(job.contains(line), "{line}\n{job}");
    }
    assert!(job.contains("mode = \"append\"") && !job.contains("\nkey"), "{job}");
    assert_eq!(columns(&job)[2], "column_3 = \"numeric\"");
    let job = of_text("odd.csv", "a,,a b,A B\nx,1,2,3\n", 1);
    assert!(job.contains("# field 2 has no name and is left out"), "{job}");
    assert!(columns(&job)[2].starts_with("a_b_2 = { type = \"bigint\", from = \"A B\""), "{job}");
    // NULL in quotes is a text for a job, and no number.
    let job = of_text("quoted.csv", "id,n\n1,2\n2,\"NULL\"\n", 2);
    assert!(columns(&job)[1].starts_with("n = \"text\""), "{job}");
}

#[test]
fn objects_are_guessed_by_what_their_values_are() {
    let text = "{\"id\":1,\"n\":1.5,\"s\":\"7\",\"b\":true,\"d\":\"2026-08-20\",\"o\":{\"x\":[1]},\"m\":1}\n\
        {\"n\":2,\"id\":2,\"s\":\"x\",\"b\":null,\"d\":\"2026-08-21\",\"late\":1e3,\"m\":\"a\"}\n";
    let job = of_text("objects.jsonl", text, 2);
    assert!(job.contains("kind = \"ndjson\""), "{job}");
    assert!(job.contains("key = [\"id\"]"), "{job}");
    assert_eq!(
        columns(&job),
        [
            "id = { type = \"bigint\", not_null = true }",
            "n = { type = \"numeric\", not_null = true }",
            "s = { type = \"text\", not_null = true }",
            "b = \"boolean\"",
            "d = { type = \"date\", not_null = true }",
            "o = \"jsonb\" # values within are taken by from = \"/key/within\"",
            "m = { type = \"text\", not_null = true } # values of several kinds",
            "late = \"double precision\"",
        ]
    );
}

#[cfg(feature = "compression")]
#[test]
fn a_compressed_file_is_guessed_like_a_plain_one() {
    let mut text = "id,t\n".to_owned();
    (0..1_000).for_each(|id| writeln!(text, "{id},x").unwrap());
    let packed = zstd::stream::encode_all(text.as_bytes(), 1).unwrap();
    let job = of_text("packed.csv.zst", packed, 1_000);
    assert!(job.contains("compression = \"zstd\"") && job.contains("name = \"packed\""), "{job}");
}

#[test]
fn a_large_file_is_sampled_and_says_so() {
    let mut text = "id,late\n".to_owned();
    for id in 0..260_000 {
        // What stands only at the end is seen, too.
        writeln!(text, "{id},{}", if id == 259_990 { "x" } else { "1" }).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("large.csv"), text).unwrap();
    let job = guessed(folder.path(), "large.csv", "sqlite:large.db", 260_000);
    assert!(job.contains("of 260,000 rows"), "{job}");
    assert!(job.contains("each another as far as was looked"), "{job}");
    let lines = columns(&job);
    assert_eq!(lines[0], "id = { type = \"bigint\", not_null = true }");
    assert_eq!(lines[1], "late = \"text\"");
}

#[test]
fn no_password_is_printed_and_what_is_no_table_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.csv"), "id\n1\n").unwrap();
    let url = "postgresql://me:hunter2@localhost/d";
    let guess = rowmill(["guess", "a.csv", "--target", url, "--table", "etl.a"])
        .cwd(folder.path())
        .finish();
    assert!(guess.stdout.contains("url = \"${ROWMILL_TARGET}\""), "{guess}");
    assert!(guess.stdout.contains("table = \"etl.a\""), "{guess}");
    assert!(!guess.to_string().contains("hunter2"), "{guess}");
    std::fs::write(folder.path().join("empty.csv"), "").unwrap();
    std::fs::write(folder.path().join("utf16.csv"), b"\xFF\xFEi\0").unwrap();
    for (file, told) in
        [("none.csv", "cannot open"), ("empty.csv", "no row can be read"), ("utf16.csv", "UTF-16")]
    {
        let guess = rowmill(["guess", file]).cwd(folder.path()).finish();
        assert_ne!(guess.code, Some(0), "{guess}");
        assert!(guess.stderr.contains(told) && guess.stderr.lines().count() == 1, "{guess}");
        assert_eq!(guess.stdout, "");
    }
}

#[cfg(feature = "parquet")]
#[test]
fn a_parquet_file_says_itself_what_its_columns_are() {
    let folder = tempfile::tempdir().unwrap();
    let csv = "id,price,Day,tags\n1,1.50,2026-01-02,\"{a,b}\"\n2,,,\n";
    std::fs::write(folder.path().join("in.csv"), csv).unwrap();
    let job = "name = \"make\"\n[source]\nkind = \"csv\"\npath = \"in.csv\"\n[target]\n\
        kind = \"parquet\"\npath = \"in.parquet\"\n[columns]\n\
        id = { type = \"integer\", not_null = true }\nprice = \"numeric(9,2)\"\nDay = \"date\"\n\
        tags = \"text[]\"\n";
    std::fs::write(folder.path().join("make.toml"), job).unwrap();
    let run = rowmill(["run", "make.toml"]).cwd(folder.path()).finish();
    assert_eq!(run.code, Some(0), "{run}");
    let job = guessed(folder.path(), "in.parquet", &shared().database("guessed").url(), 2);
    assert!(job.starts_with("# From the schema of the file, which has 2 rows."), "{job}");
    assert!(job.contains("kind = \"parquet\"") && job.contains("table = \"in\""), "{job}");
    let expected = [
        "id = { type = \"integer\", not_null = true }",
        "price = \"numeric(9,2)\"",
        "day = { type = \"date\", from = \"Day\" }",
        "tags = \"text[]\"",
    ];
    assert_eq!(columns(&job), expected);
}
