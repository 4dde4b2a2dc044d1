//! A table goes to a file and comes back, of every type, with the edges of each.

use crate::support::{TestDb, shared};
use rowmill::{
    ColumnType, Engine, ErrorKind, Feed, FileTarget, Job, MaxRejects, Mode, ParquetColumn,
    ParquetColumns, ParquetCompression, ParquetFile, Report, TableColumn, TableColumns, TableName,
    Target,
};
use std::path::Path;
use std::sync::Arc;

/// Columns of every kind, and values with the edges of each.
const TYPES: &[(&str, &str, [&str; 4])] = &[
    ("flag", "boolean", ["true", "false", "null", "true"]),
    ("small", "smallint", ["-32768", "32767", "null", "0"]),
    ("whole", "integer", ["-2147483648", "2147483647", "null", "0"]),
    ("large", "bigint", ["-9223372036854775808", "9223372036854775807", "null", "0"]),
    ("single", "real", ["1.5e-45", "'NaN'", "null", "'-Infinity'"]),
    ("double", "double precision", ["0.1", "1e300", "null", "'-0'"]),
    ("exact", "numeric", ["-1234567890123456789012345.6789", "'NaN'", "null", "0.000"]),
    ("scaled_9", "numeric(9,2)", ["9999999.99", "-0.01", "null", "0"]),
    ("scaled_18", "numeric(18,4)", ["99999999999999.9999", "-0.0001", "null", "-7"]),
    (
        "scaled_38",
        "numeric(38,10)",
        ["9999999999999999999999999999.9999999999", "-1e-10", "null", "12"],
    ),
    ("scaled_40", "numeric(40,0)", ["9999999999999999999999999999999999999999", "-1", "null", "0"]),
    ("rounded", "numeric(5,-2)", ["1234567", "-50", "null", "0"]),
    ("words", "text", ["''", "E'a,\\'\\r\\n\\t\u{1f600}'", "null", "'NULL'"]),
    ("short", "varchar(9)", ["'äöü'", "' x '", "null", "''"]),
    ("padded", "char(4)", ["'ab'", "'abcd'", "null", "''"]),
    ("raw", "bytea", ["'\\x00ff5c'", "'\\x'", "null", "'\\x0a'"]),
    ("day", "date", ["'2026-02-28'", "'4714-11-24 BC'", "null", "'5874897-12-31'"]),
    ("clock", "time", ["'23:59:59.999999'", "'00:00:00'", "null", "'24:00:00'"]),
    ("zoned_clock", "timetz", ["'12:00:00+05:30'", "'01:02:03.4-08'", "null", "'00:00+00'"]),
    (
        "moment",
        "timestamp",
        ["'2026-01-02 03:04:05.678'", "'4714-11-24 BC'", "null", "'294246-12-31 23:59:59.999999'"],
    ),
    (
        "zoned",
        "timestamptz",
        ["'2026-01-02 03:04:05+02'", "'0044-03-15 BC'", "null", "'1969-12-31 23:59:59.999999+00'"],
    ),
    ("span", "interval", ["'1 year -2 days 03:04:05.6'", "'-00:00:01'", "null", "'0'"]),
    (
        "id",
        "uuid",
        [
            "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
            "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
            "null",
            "'00000000-0000-0000-0000-000000000000'",
        ],
    ),
    ("loose", "json", ["'{\"a\":  [1, \"x\"]}'", "'null'", "null", "'\"\"'"]),
    ("tight", "jsonb", ["'{\"a\": 1}'", "'[1, 2.50]'", "null", "'{}'"]),
    ("net", "inet", ["'10.0.0.0/8'", "'::1'", "null", "'127.0.0.1'"]),
    ("span_of", "int4range", ["'[1,5)'", "'empty'", "null", "'(,)'"]),
    ("numbers", "integer[]", ["'{1,NULL,-3}'", "'{}'", "null", "'{NULL}'"]),
    ("texts", "text[]", ["'{\"a b\",NULL,\"\"}'", "'{}'", "null", "'{NULL,NULL}'"]),
    ("prices", "numeric(6,2)[]", ["'{1.10,NULL,-0.01}'", "'{}'", "null", "'{0}'"]),
    ("moments", "timestamptz[]", ["'{2026-01-02 03:04:05+02,NULL}'", "'{}'", "null", "'{NULL}'"]),
];

fn create(database: &TestDb<'_>) {
    let columns: Vec<_> = TYPES.iter().map(|(name, ty, _)| format!("{name} {ty}")).collect();
    let columns = columns.join(", ");
    database.sql(&format!("create table source (row_id integer primary key, {columns})"));
    database.sql(&format!("create table target (row_id integer primary key, {columns})"));
    for row in 0..4 {
        let values: Vec<_> = TYPES.iter().map(|(.., values)| values[row]).collect();
        database.sql(&format!("insert into source values ({row}, {})", values.join(", ")));
    }
}

fn types() -> Vec<(rowmill::Ident, ColumnType)> {
    let all = std::iter::once(("row_id", "integer"));
    all.chain(TYPES.iter().map(|(name, ty, _)| (*name, *ty)))
        .map(|(name, ty)| (rowmill::Ident::new(name).unwrap(), ColumnType::parse(ty).unwrap()))
        .collect()
}

fn export(engine: &Engine, target: &FileTarget, batch_rows: u64) -> rowmill::Result<Report> {
    let columns = types().into_iter().map(|(name, ty)| TableColumn::new(name, ty)).collect();
    let feed = TableColumns::table("source", columns)?.on(engine);
    let target = target.clone().columns(feed.columns().to_vec());
    let ledger = target.ledger()?;
    Job::named("export").feed(Arc::new(feed), target).batch_rows(batch_rows).run(&ledger)
}

fn import(engine: &Engine, path: rowmill::Files) -> Report {
    let columns = types().into_iter().map(|(name, ty)| ParquetColumn::new(name, ty)).collect();
    let feed = ParquetColumns::open(path, columns).unwrap();
    let columns = feed.columns().to_vec();
    let table = TableName::parse("target").unwrap();
    let target = Target::new(table, columns, Vec::new(), Mode::Append).unwrap();
    Job::named("import").feed(Arc::new(feed), target).batch_rows(2).run(engine).unwrap()
}

/// Fails unless both tables have the same rows, to the last digit that is printed.
fn assert_same(database: &TestDb<'_>) {
    for (name, ty, _) in TYPES {
        let sql = |table| format!("select row_id::text, {name}::text from {table} order by 1");
        assert_eq!(database.rows(&sql("target")), database.rows(&sql("source")), "{name} {ty}");
    }
}

fn there_and_back(target: impl Fn(&Path) -> FileTarget, files: impl Fn(&Path) -> rowmill::Files) {
    let database = shared().database("parquet");
    create(&database);
    let engine = Engine::open(&database.url()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let report = export(&engine, &target(folder.path()), 2).unwrap();
    assert!(report.balances() && report.written == 4, "{report:?}");
    let report = import(&engine, files(folder.path()));
    assert!(report.balances() && report.written == 4 && report.rejected == 0, "{report:?}");
    assert_same(&database);
}

#[test]
fn every_type_goes_to_a_file_and_comes_back() {
    there_and_back(
        |folder| ParquetFile::create(folder.join("all.parquet")),
        |folder| folder.join("all.parquet").into(),
    );
}

#[test]
fn every_type_goes_to_a_folder_of_parts_in_small_row_groups_and_comes_back() {
    there_and_back(
        |folder| {
            ParquetFile::create(format!("{}/", folder.join("all").display())).parquet(|options| {
                options.compression = ParquetCompression::Snappy;
                options.row_group_rows = 1;
            })
        },
        |folder| rowmill::Files::matching(format!("{}/all/part-*.parquet", folder.display())),
    );
}

#[test]
fn the_same_rows_are_the_same_bytes_however_they_came_in_batches() {
    let database = shared().database("parquet");
    create(&database);
    let engine = Engine::open(&database.url()).unwrap();
    let bytes = |batch_rows| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.parquet");
        let target = ParquetFile::create(&path).parquet(|options| options.row_group_rows = 3);
        export(&engine, &target, batch_rows).unwrap();
        std::fs::read(&path).unwrap()
    };
    let expected = bytes(4);
    assert!(expected.ends_with(b"PAR1"));
    assert!(bytes(4) == expected && bytes(1) == expected);
}

/// batch R1, P5: what a Parquet file cannot hold costs its row, in every form of a target.
#[test]
fn a_value_without_a_counterpart_costs_its_row() {
    let database = shared().database("parquet");
    create(&database);
    database.sql(
        "update source set day = 'infinity' where row_id = 1; \
         update source set moments = '{infinity}', scaled_9 = 'NaN' where row_id = 2; \
         update source set numbers = '{{1,2},{3,4}}' where row_id = 3",
    );
    let engine = Engine::open(&database.url()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    // Batches of one row: some of them have nothing to write.
    let cases = [("1/x.parquet", 10), ("2/x.parquet", 1), ("3/x/", 10), ("4/x/", 1)];
    for (name, batch_rows) in cases {
        let path = format!("{}/{name}", folder.path().display());
        let report = export(&engine, &ParquetFile::create(&path), batch_rows).unwrap();
        assert_eq!((report.read, report.written, report.rejected), (4, 1, 3), "{name}");
        assert!(report.balances(), "{name}");
        let files = if name.ends_with('/') { format!("{path}*.parquet") } else { path };
        database.sql("delete from target; drop schema if exists rowmill cascade");
        assert_eq!(import(&engine, rowmill::Files::matching(files)).written, 1, "{name}");
        assert_eq!(database.value("select row_id::text from target"), "0", "{name}");
    }
    let ledger = folder.path().join("1/.rowmill/ledger.db");
    let ledger = rusqlite::Connection::open(ledger).unwrap();
    let mut told = ledger
        .prepare(
            "select distinct stage || ' ' || coalesce(sqlstate, '-') || ' ' || column_name || ': ' \
             || message from rowmill_reject order by 1",
        )
        .unwrap();
    let told = told.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let told: Vec<_> = told.map(Result::unwrap).collect();
    let without = "has no counterpart in a Parquet file";
    assert_eq!(
        told,
        [
            format!("store - numbers: an array of several dimensions {without}"),
            format!("store 22003 scaled_9: a number that is infinite, or none {without}"),
            format!("store 22008 day: an infinite date {without}"),
        ]
    );
}

/// A limit of rejects holds for them, too, and nothing is left of such an output.
#[test]
fn values_without_a_counterpart_count_as_rejects() {
    let database = shared().database("parquet");
    create(&database);
    database.sql("update source set day = 'infinity' where row_id = 1");
    let engine = Engine::open(&database.url()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let columns = types().into_iter().map(|(name, ty)| TableColumn::new(name, ty)).collect();
    let feed = TableColumns::table("source", columns).unwrap().on(&engine);
    let target = ParquetFile::create(folder.path().join("x.parquet"));
    let target = target.columns(feed.columns().to_vec());
    let ledger = target.ledger().unwrap();
    let job = Job::named("export").feed(Arc::new(feed), target);
    let error = job.max_rejects(MaxRejects::Count(0)).run(&ledger).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RejectLimit, "{error}");
    assert!(!folder.path().join("x.parquet").exists());
}
