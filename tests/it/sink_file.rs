//! CSV and NDJSON files: what `COPY` and `row_to_json` make of the same rows, exactly once, and
//! nothing that is there already is touched.

use crate::support::shared;
use rowmill::{
    ColumnType, CsvColumn, CsvColumns, CsvFile, CsvFormat, Draft, ErrorKind, FileTarget, Ident,
    Iter, Job, NdjsonFile, Report, Result, Status,
};
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

/// Columns of every kind, and rows with the edges of each: as CSV, in the order of the columns.
const TYPES: &[(&str, &str, &[&str])] = &[
    ("flag", "boolean", &["t", "f", ""]),
    ("small", "smallint", &["-32768", "32767", ""]),
    ("large", "bigint", &["-9223372036854775808", "0", ""]),
    ("single", "real", &["1.5e-45", "NaN", "-Infinity"]),
    ("double", "double precision", &["0.1", "1e300", "-0"]),
    ("exact", "numeric", &["-1234567890123456789012345.6789", "NaN", "0.000"]),
    ("scaled", "numeric(15,2)", &["1.10", "-0.01", ""]),
    ("words", "text", &["\"\"", "\"a,\"\"b\"\"\r\nc\\\"", "\\."]),
    ("formula", "text", &["=1+1", "\" lead\"", "\"tab\there\""]),
    ("short", "varchar(9)", &["äöü", "\"x\"", ""]),
    ("padded", "char(4)", &["ab", "abcd", ""]),
    ("raw", "bytea", &["\\x00ff5c", "\\x", ""]),
    ("day", "date", &["2026-02-28", "0044-03-15 BC", "infinity"]),
    ("clock", "time", &["23:59:59.999999", "00:00:00", ""]),
    ("zoned_clock", "timetz", &["12:00:00+05:30", "01:02:03.4-08", ""]),
    ("moment", "timestamp", &["2026-01-02 03:04:05.678", "-infinity", "0001-01-01 00:00:00 BC"]),
    ("zoned", "timestamptz", &["2026-01-02 03:04:05+02", "294276-12-31 23:59:59+00", ""]),
    ("span", "interval", &["1 year -2 days 03:04:05.6", "-00:00:01", ""]),
    ("id", "uuid", &["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "", ""]),
    ("loose", "json", &["\"{\"\"a\"\": [1, \"\"x\\\\n\"\"]}\"", "null", ""]),
    ("tight", "jsonb", &["\"{\"\"a\"\": 1}\"", "\"[1, 2]\"", ""]),
    ("numbers", "integer[]", &["\"{1,NULL,3}\"", "{}", "\"{{1,2},{3,4}}\""]),
    ("texts", "text[]", &["\"{\"\"a b\"\",NULL,\"\"\"\"}\"", "{}", ""]),
];

fn input() -> String {
    let names: Vec<_> = TYPES.iter().map(|(name, ..)| *name).collect();
    let mut text = names.join(",") + "\n";
    for row in 0..3 {
        let fields: Vec<_> = TYPES.iter().map(|(.., values)| values[row]).collect();
        text += &(fields.join(",") + "\n");
    }
    text
}

fn source(path: &Path) -> Result<CsvColumns> {
    let columns: Result<Vec<_>> = TYPES
        .iter()
        .map(|(name, sql, _)| Ok(CsvColumn::new(Ident::new(*name)?, ColumnType::parse(sql)?)))
        .collect();
    CsvColumns::open(path, CsvFormat::new(), columns?)
}

/// Exports a CSV file into `target`.
fn export(path: &Path, target: &FileTarget) -> Result<Report> {
    let feed = source(path)?;
    let columns = rowmill::Feed::columns(&feed).to_vec();
    let target = target.clone().columns(columns);
    let engine = target.ledger()?;
    Job::named("export").feed(Arc::new(feed), target).batch_rows(1).run(&engine)
}

/// The rows as the server has them, in the order of the file.
fn on_the_server(sql: &str) -> String {
    let database = shared().database("file");
    let mut client = database.connect();
    let columns: Vec<_> = TYPES.iter().map(|(name, sql, _)| format!("{name} {sql}")).collect();
    client.batch_execute("set timezone = 'UTC'; set datestyle = 'ISO, MDY'").unwrap();
    client.batch_execute(&format!("create table t ({})", columns.join(", "))).unwrap();
    let mut writer = client.copy_in("copy t from stdin (format csv, header)").unwrap();
    writer.write_all(input().as_bytes()).unwrap();
    writer.finish().unwrap();
    let mut text = String::new();
    client.copy_out(sql).unwrap().read_to_string(&mut text).unwrap();
    text
}

/// F57
#[test]
fn a_csv_file_is_what_copy_writes_and_reads_back_as_itself() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("in.csv"), folder.path().join("a/out.csv"));
    fs::write(&first, input()).unwrap();
    let report = export(&first, &CsvFile::create(&second))?;
    assert!(report.balances() && report.written == 3, "{report:?}");
    let written = fs::read_to_string(&second).unwrap();
    assert_eq!(written, on_the_server("copy t to stdout (format csv, header)"));
    let third = folder.path().join("b/out.csv");
    export(&second, &CsvFile::create(&third))?;
    assert_eq!(fs::read_to_string(&third).unwrap(), written);
    Ok(())
}

/// F57
#[test]
fn an_ndjson_file_is_what_row_to_json_makes() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("in.csv"), folder.path().join("out.ndjson"));
    fs::write(&first, input()).unwrap();
    export(&first, &NdjsonFile::create(&second))?;
    // A byte that is no delimiter, quote or escape of a text: the lines come out as they are.
    let copy = "copy (select row_to_json(t) from t) to stdout \
                (format csv, quote E'\\x01', delimiter E'\\x02')";
    assert_eq!(fs::read_to_string(&second).unwrap(), on_the_server(copy));
    Ok(())
}

#[derive(rowmill::Entity)]
#[entity(table = "squares")]
struct Square {
    #[entity(key)]
    n: i64,
    square: i64,
}

fn squares(draft: Draft, rows: i64, target: &FileTarget) -> Job {
    draft
        .read(Iter::new("numbers", move || 1..=rows).version(rows.to_string()))
        .map(|n| Ok(Square { n, square: n * n }))
        .write_file(target.clone())
        .batch_rows(7)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// batch R11
#[test]
fn the_parallel_file_is_the_serial_one_and_its_manifest_says_what_is_in_it() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let [parallel, serial] =
        ["a/x.csv", "b/x.csv"].map(|name| CsvFile::create(folder.path().join(name)));
    let job = |target| squares(Job::named("squares"), 100, target);
    let report = job(&parallel).workers(4).run(&parallel.ledger()?)?;
    job(&serial).run_serial(&serial.ledger()?)?;
    assert_eq!((report.read, report.written, report.batches), (100, 100, 15));
    let text = fs::read(parallel.path()).unwrap();
    assert_eq!(text, fs::read(serial.path()).unwrap());
    let manifest = fs::read(folder.path().join("a/x.csv.manifest.json")).unwrap();
    assert_eq!(manifest, fs::read(folder.path().join("b/x.csv.manifest.json")).unwrap());
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["rows"], 100);
    assert_eq!(manifest["bytes"], text.len());
    assert_eq!(manifest["columns"][1]["type"], "bigint");
    assert_eq!(manifest["parts"][0]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(names(&folder.path().join("a/.rowmill")), ["ledger.db"]);
    Ok(())
}

#[test]
fn a_complete_export_is_not_done_again_and_another_does_not_touch_it() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let target = CsvFile::create(folder.path().join("x.csv"));
    let run = |name: &str, rows, target: &FileTarget| {
        squares(Job::named(name), rows, target).run(&target.ledger()?)
    };
    run("first", 3, &target)?;
    let first = fs::read(target.path()).unwrap();
    assert_eq!(run("first", 3, &target)?.status, Status::AlreadyComplete);
    let error = run("second", 9, &target).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("the output is there already"), "{error}");
    assert_eq!(fs::read(target.path()).unwrap(), first);
    let replacing = target.clone().replace(true);
    let error = run("third", 0, &replacing).unwrap_err();
    assert!(error.to_string().contains("the source is empty"), "{error}");
    assert_eq!(fs::read(target.path()).unwrap(), first);
    run("second", 9, &replacing)?;
    assert_eq!(fs::read_to_string(target.path()).unwrap().lines().count(), 10);
    Ok(())
}

#[test]
fn a_refused_export_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let target = NdjsonFile::create(folder.path().join("x.ndjson"));
    fs::write(target.path(), "mine").unwrap();
    assert_eq!(target.ledger().unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(names(folder.path()), ["x.ndjson"]);
}

#[test]
fn what_no_export_has_written_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |target: FileTarget, why: &str| {
        let error = target.replace(true).ledger().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(why), "{error}");
    };
    let (taken, mixed) = (folder.path().join("x.csv"), folder.path().join("night"));
    fs::create_dir(&taken).unwrap();
    refused(CsvFile::create(&taken), "what is there is no regular file");
    fs::create_dir(&mixed).unwrap();
    fs::write(mixed.join("mine.txt"), "mine").unwrap();
    let parts = CsvFile::create(format!("{}/", mixed.display()));
    refused(parts, "the folder has files that no export has written");
    assert_eq!(names(folder.path()), ["night", "x.csv"]);
    assert_eq!(names(&mixed), ["mine.txt"]);
}

#[test]
fn a_folder_of_parts_is_replaced_as_a_whole() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let out = format!("{}/", folder.path().join("night").display());
    let target = CsvFile::create(&out);
    squares(Job::named("one"), 20, &target).run(&target.ledger()?)?;
    let first = names(Path::new(&out));
    assert_eq!(first.len(), 5, "{first:?}");
    assert_eq!((first[0].as_str(), first[1].as_str()), (".rowmill", "manifest.json"));
    let text = fs::read_to_string(Path::new(&out).join(&first[4])).unwrap();
    assert!(text.starts_with("n,square\n15,225\n"), "{text}");
    let other = target.replace(true);
    squares(Job::named("two"), 7, &other).run(&other.ledger()?)?;
    let second = names(Path::new(&out));
    assert_eq!(second.len(), 3, "{second:?}");
    assert!(!first.contains(&second[2]));
    Ok(())
}

#[test]
fn rejects_of_an_export_go_to_its_ledger_and_the_books_balance() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let (path, target) =
        (folder.path().join("in.csv"), CsvFile::create(folder.path().join("out.csv")));
    fs::write(&path, "id\n1\nx\n3\n").unwrap();
    let column = || Ok(CsvColumn::new(Ident::new("id")?, ColumnType::Int4));
    let feed = CsvColumns::open(&path, CsvFormat::new(), vec![column()?])?;
    let columns = rowmill::Feed::columns(&feed).to_vec();
    let target = target.columns(columns);
    let engine = target.ledger()?;
    let report = Job::named("export").feed(Arc::new(feed), target.clone()).run(&engine)?;
    assert!(report.balances() && report.rejected == 1 && report.written == 2);
    assert_eq!(fs::read_to_string(target.path()).unwrap(), "id\n1\n3\n");
    Ok(())
}

#[cfg(unix)]
#[test]
fn no_link_is_followed() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join(".rowmill")).unwrap();
    let target = CsvFile::create(folder.path().join("x.csv"));
    assert_eq!(target.ledger().unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(names(elsewhere.path()), Vec::<String>::new());
}

#[test]
fn an_output_that_appears_meanwhile_is_not_overwritten() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let target = CsvFile::create(folder.path().join("x.csv"));
    let path = target.path().to_owned();
    let job = Job::named("late")
        .read(Iter::new("numbers", || 1..=3_i64))
        .map(move |n| {
            fs::write(&path, "somebody else's").unwrap();
            Ok(Square { n, square: n })
        })
        .write_file(target.clone());
    let error = job.run(&target.ledger()?).unwrap_err();
    assert!(error.to_string().contains("another output has appeared"), "{error}");
    assert_eq!(fs::read_to_string(target.path()).unwrap(), "somebody else's");
    fs::remove_file(target.path()).unwrap();
    // The rows are done; only the end is done again, and it asks nobody for rows.
    assert_eq!(job.run(&target.ledger()?)?.written, 3);
    assert_eq!(fs::read_to_string(target.path()).unwrap(), "n,square\n1,1\n2,2\n3,3\n");
    Ok(())
}
