//! Good files become structs, bad files one line.

use super::*;
use crate::batch::limits::{MaxRejects, RejectClass};
use crate::ident::Ident;
use crate::mapping::column_type::ColumnType;
use crate::sink::mode::Mode;
use crate::source::input::Compression;
use proptest::prelude::*;
use std::time::Duration;

const GOOD: &str = r#"name = "runways"
[params]
night = "2026-08-20"
[source]
kind = "csv"
path = "data/${night}/runways.csv"
[target]
url = "${ROWMILL_TARGET:-sqlite:nightly.db}"
table = "etl.runways"
create = true
mode = "mirror"
key = ["id"]
[columns]
id        = "bigint"
length_ft = { type = "integer", from = "length" }
surface   = { type = "text", trim = true, null = ["UNK"] }
closed    = { type = "boolean", not_null = true }
[limits]
batch_rows = 1000
batch_bytes = "64KiB"
max_rejects = "1%"
workers = 4
retry_for = "5m"
"#;

fn parse_with(text: &str, overrides: &Overrides) -> Result<JobFile> {
    JobFile::parse("job.toml", text, overrides, &|name| match name {
        "SECRET_URL" => Some("postgresql://me:hunter2@db/x".to_owned()),
        "HOME" => Some("/home/me".to_owned()),
        _ => None,
    })
}

fn parse(text: &str) -> Result<JobFile> {
    parse_with(text, &Overrides::default())
}

/// `GOOD` with one text replaced, which must be there.
fn changed(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    GOOD.replacen(from, to, 1)
}

fn given(params: &[(&str, &str)]) -> Overrides {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Overrides { params: params.iter().map(owned).collect(), target: None }
}

fn table(job: &JobFile) -> &TargetTable {
    match &job.target {
        TargetSpec::Table(table) => table,
        TargetSpec::File(_) => panic!("a file"),
    }
}

#[test]
fn a_good_file_is_what_it_says() {
    let job = parse(GOOD).unwrap();
    assert_eq!(job.name, "runways");
    assert_eq!(job.params["night"], "2026-08-20");
    let SourceSpec::Csv(csv) = &job.source else { panic!("another source") };
    assert_eq!(csv.files.paths, ["data/2026-08-20/runways.csv"]);
    assert_eq!((csv.delimiter, csv.quote, csv.escape, csv.header), (b',', b'"', b'"', true));
    assert_eq!(csv.null, [""]);
    assert_eq!(table(&job).url, "sqlite:nightly.db");
    assert_eq!(table(&job).table.plain(), "etl.runways");
    assert_eq!(table(&job).mode, Mode::Mirror);
    assert!(table(&job).create && !table(&job).allow_empty_source);
    assert_eq!(table(&job).key.iter().map(Ident::as_str).collect::<Vec<_>>(), ["id"]);
    assert_eq!(job.limits.batch_rows, 1_000);
    assert_eq!(job.limits.batch_bytes, 64 << 10);
    assert_eq!(job.limits.max_rejects, MaxRejects::Share(0.01));
    assert_eq!(job.limits.workers, Some(4));
    assert_eq!(job.limits.retry_for, Duration::from_mins(5));
}

#[test]
fn columns_keep_the_order_of_the_file() {
    let columns = parse(GOOD).unwrap().columns;
    let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["id", "length_ft", "surface", "closed"]);
    assert_eq!((&columns[0].from, &columns[0].null), (&None, &None));
    assert_eq!(columns[1].from.as_deref(), Some("length"));
    assert_eq!(columns[1].column_type, ColumnType::Int4);
    assert!(columns[2].trim && columns[2].null == Some(vec!["UNK".to_owned()]));
    assert!(columns[3].not_null && !columns[3].column().nullable && columns[0].column().nullable);
    assert_eq!(columns[2].line, 16);
}

#[test]
fn what_is_left_out_has_its_default() {
    let text = GOOD.split("[limits]").next().unwrap();
    let limits = parse(text).unwrap().limits;
    assert_eq!((limits.batch_rows, limits.batch_bytes), (5_000, 4 << 20));
    assert_eq!(limits.max_rejects, MaxRejects::Count(100));
    assert_eq!((limits.workers, limits.retry_for), (None, Duration::from_mins(1)));
}

#[test]
fn a_file_without_a_header_counts_its_fields_from_1() {
    let text = changed("kind = \"csv\"", "kind = \"csv\"\nheader = false")
        .replace("from = \"length\"", "from = 7");
    let columns = parse(&text).unwrap().columns;
    let from: Vec<_> = columns.iter().map(|column| column.from.as_deref()).collect();
    assert_eq!(from, [None, Some("7"), None, None]);
}

#[test]
fn json_objects_are_read_by_keys_and_pointers() {
    let text = changed("\"csv\"", "\"ndjson\"").replace("\"length\"", "\"/size/length\"");
    let job = parse(&text).unwrap();
    assert_eq!(job.source.describe(), "ndjson data/2026-08-20/runways.csv");
    assert_eq!(job.columns[1].from.as_deref(), Some("/size/length"));
    let error = parse(&text.replace("path =", "header = true\npath =")).unwrap_err().to_string();
    assert!(error.contains("header: unknown key, expected kind, path, compression"), "{error}");
}

#[test]
fn files_are_one_or_several_and_may_be_compressed() {
    let several = "path = [\"${night}-a.csv\", \"b.csv\"]\ncompression = \"zstd\"\n\
        allow_empty = true\nmax_spool_bytes = \"2GiB\"\nspool_folder = \"/var/tmp\"";
    let text = changed("path = \"data/${night}/runways.csv\"", several);
    let SourceSpec::Csv(csv) = parse(&text).unwrap().source else { panic!("another source") };
    assert_eq!(csv.files.paths, ["2026-08-20-a.csv", "b.csv"]);
    assert_eq!(csv.files.compression, Compression::Zstd);
    assert_eq!((csv.files.allow_empty, csv.files.max_spool_bytes), (true, 2 << 30));
    assert_eq!(csv.files.spool_folder.as_deref(), Some("/var/tmp"));
}

#[test]
fn one_field_may_feed_two_columns() {
    let text = changed("closed    =", "raw = { type = \"text\", from = \"length\" }\nclosed =");
    assert_eq!(parse(&text).unwrap().columns.len(), 5);
}

#[test]
fn replace_and_append_need_no_key() {
    for mode in ["append", "replace"] {
        let text = changed("\"mirror\"", &format!("{mode:?}")).replace("key = [\"id\"]\n", "");
        assert_eq!(table(&parse(&text).unwrap()).key, []);
    }
}

#[test]
fn parameters_come_before_the_environment_and_the_command_line_before_both() {
    let text = changed("night = \"2026-08-20\"", "night = 2026-08-20\nHOME = \"here\"\nn = 0x10")
        .replace("data/", "${HOME}/${n}/");
    let job = parse_with(&text, &given(&[("night", "2026-08-21"), ("zone", "b")])).unwrap();
    let SourceSpec::Csv(csv) = &job.source else { panic!("another source") };
    assert_eq!(csv.files.paths, ["here/16/2026-08-21/runways.csv"]);
    let params: Vec<_> = job.params.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(params, ["HOME=here", "n=16", "night=2026-08-21", "zone=b"]);
}

#[test]
fn the_target_of_the_command_line_makes_that_of_the_file_superfluous() {
    let text = changed("${ROWMILL_TARGET:-sqlite:nightly.db}", "${NOBODY_SET_IT}");
    let overrides = Overrides { target: Some("sqlite:other.db".to_owned()), ..given(&[]) };
    assert_eq!(table(&parse_with(&text, &overrides).unwrap()).url, "sqlite:other.db");
    let without = changed("url = \"${ROWMILL_TARGET:-sqlite:nightly.db}\"\n", "");
    assert_eq!(table(&parse_with(&without, &overrides).unwrap()).url, "sqlite:other.db");
}

#[test]
fn the_password_of_the_url_is_never_shown() {
    let job = parse(&changed("${ROWMILL_TARGET:-sqlite:nightly.db}", "${SECRET_URL}")).unwrap();
    assert!(table(&job).url.contains("hunter2"));
    assert!(!format!("{job:?}").contains("hunter2"));
    for bad in [
        "url = \"postgresql://me:hunter2@db/${x\"",
        "url = \"postgresql://me:${hunter2@db/x}\"",
        "url = [\"postgresql://me:hunter2@db/x\"]",
        "url = \"postgresql://me:hunter2@db/x\" 1",
        "url = \"postgresql://me:hunter2@db/x",
    ] {
        let line = "url = \"${ROWMILL_TARGET:-sqlite:nightly.db}\"";
        let error = parse(&changed(line, bad)).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}

#[test]
fn a_source_with_replicas_names_their_primary_and_how_long_they_are_waited_for() {
    let source = |lines: &str| {
        let old = "kind = \"csv\"\npath = \"data/${night}/runways.csv\"";
        parse(&changed(old, &format!("kind = \"table\"\ntable = \"t\"\n{lines}")))
    };
    let spec = |lines: &str| match source(lines).unwrap().source {
        SourceSpec::Table(spec) => spec,
        other => panic!("{other:?}"),
    };
    let ten = std::time::Duration::from_secs(10);
    assert_eq!((spec("").replicas.len(), spec("").replica_wait), (0, ten));
    let lines = "url = \"postgresql://a/x\"\nreplicas = [\"${SECRET_URL}\"]\nreplica_wait = \"2m\"";
    let found = spec(lines);
    assert!(found.replicas.len() == 1 && found.replicas[0].contains("hunter2"));
    assert_eq!(found.replica_wait, ten * 12);
    assert!(!format!("{found:?}").contains("hunter2"));
    let alone = source("replicas = [\"postgresql://b/x\"]").unwrap_err();
    assert!(
        alone.message().contains("[source] url: missing, expected the URL of the primary"),
        "{alone}"
    );
    let wrong = source("url = \"postgresql://a/x\"\nreplicas = 1").unwrap_err();
    assert!(wrong.message().contains("[source] replicas: expected a list of URLs"), "{wrong}");
}

#[test]
fn a_bad_file_is_one_line() {
    // Each: what is replaced in the good file, by what, and the line that comes of it.
    #[rustfmt::skip]
    let cases = [
        ("mode = ", "mod = ", r#"job.toml:11: [target] mod: unknown key, did you mean "mode"?"#),
        ("mode = ", "when = ", "job.toml:11: [target] when: unknown key, expected kind, url, replicas, shards, shard_key, table, create, mode, key, duplicates, indexes or allow_empty_source"),
        ("mode = ", "duplicates = \"latest\"\nmode = ", "job.toml:11: [target] duplicates: unknown value \"latest\", did you mean \"last\"?"),
        ("mode = \"mirror\"\nkey = [\"id\"]", "mode = \"append\"\nduplicates = \"last\"", "job.toml:12: [target] duplicates: needs [target] key, the columns by which rows are told apart"),
        ("mode = ", "indexes = \"rebuilt\"\nmode = ", "job.toml:11: [target] indexes: unknown value \"rebuilt\", did you mean \"rebuild\"?"),
        ("mode = ", "indexes = \"rebuild\"\nmode = ", "job.toml:11: [target] indexes: \"rebuild\" is for mode \"replace\", which empties the table, and not for \"mirror\""),
        ("[limits]", "[limit]", r#"job.toml:18: limit: unknown key, did you mean "limits"?"#),
        ("name = \"runways\"", "", "job.toml:1: name: missing, expected the name of the job"),
        ("\"runways\"", "\"\"", "job.toml:1: name: expected the name of the job, found an empty text"),
        ("\"runways\"", "7", "job.toml:1: name: expected the name of the job, found an integer"),
        ("\"runways\"", "\"runways", "job.toml:1: invalid basic string, expected `\"`"),
        ("[params]", "[params]\nnight = 1", "job.toml:4: night: duplicate key"),
        ("night = \"2026-08-20\"", "night = [1]", "job.toml:3: [params] night: expected a text, an integer, true or false, or a date, found a list"),
        ("night = \"2026-08-20\"", "night = \"${NIGHT}\"", "job.toml:3: [params] night: expected a plain value, ${...} is not substituted in [params]"),
        ("\"2026-08-20\"", "1.5", "job.toml:3: [params] night: expected a text, an integer, true or false, or a date, found a number with a point"),
        ("kind = \"csv\"\n", "", "job.toml:4: [source] kind: missing, expected \"csv\", \"ndjson\", \"parquet\", \"table\" or \"query\""),
        ("\"csv\"", "\"cvs\"", r#"job.toml:5: [source] kind: unknown value "cvs", did you mean "csv"?"#),
        ("\"csv\"", "\"excel\"", r#"job.toml:5: [source] kind: unknown value "excel", expected csv, ndjson, parquet, table or query"#),
        ("\"csv\"", "\"csv\"\nencoding = \"latin1\"", r#"job.toml:6: [source] encoding: "latin1" is not built in yet, expected "utf-8""#),
        ("\"csv\"", "\"csv\"\ndelimiter = \"||\"", "job.toml:6: [source] delimiter: expected one ASCII character other than a line end"),
        ("\"csv\"", "\"csv\"\nquote = \",\"", "job.toml:4: [source] delimiter: expected another character than the quote"),
        ("\"csv\"", "\"csv\"\nnull = \"NA\"", "job.toml:6: [source] null: expected a list of texts, for example [\"NA\"], found a text"),
        ("\"csv\"", "\"csv\"\nheader = 1", "job.toml:6: [source] header: expected true or false, found an integer"),
        ("\"csv\"", "\"csv\"\nheader = false", "job.toml:16: [columns] length_ft.from: expected the number of a field, from 1, because header = false, found a text"),
        ("\"csv\"", "\"csv\"\ncompression = \"gz\"", r#"job.toml:6: [source] compression: unknown value "gz", expected auto, none, gzip or zstd"#),
        ("\"csv\"", "\"csv\"\nmax_spool_bytes = \"0B\"", "job.toml:6: [source] max_spool_bytes: expected a size of 1 byte or more, such as \"20GiB\""),
        ("\"csv\"", "\"csv\"\nallow_empty = 1", "job.toml:6: [source] allow_empty: expected true or false, found an integer"),
        ("path = \"data/${night}/runways.csv\"", "path = []", "job.toml:6: [source] path: expected a list of files, for example [\"a.csv\", \"b.csv\"], found an empty one"),
        ("path = \"data/${night}/runways.csv\"", "path = [\"a\", \"-\"]", "job.toml:6: [source] path: standard input \"-\" stands alone"),
        ("path = ", "paht = ", r#"job.toml:6: [source] paht: unknown key, did you mean "path"?"#),
        ("${night}", "${nigth}", r#"job.toml:6: [source] path: ${nigth} is set neither in [params] nor in the environment, did you mean "night"?"#),
        ("${night}", "${night", r#"job.toml:6: [source] path: "${" has no "}" behind it, write "$${" for the text"#),
        ("[target]", "[target]\nx", "job.toml:8: key with no value, expected `=`"),
        ("\"etl.runways\"", "\"a.b.c\"", r#"job.toml:9: [target] table: "a.b.c" is no table name: expected table or schema.table"#),
        ("create = true", "create = \"yes\"", "job.toml:10: [target] create: expected true or false, found a text"),
        ("\"mirror\"", "\"mirorr\"", r#"job.toml:11: [target] mode: unknown value "mirorr", did you mean "mirror"?"#),
        ("mode = \"mirror\"\n", "", "job.toml:7: [target] mode: missing, expected append, insert-ignore, upsert, mirror or replace"),
        ("key = [\"id\"]\n", "", r#"job.toml:7: [target] key: missing, mode "mirror" needs a list of columns, for example ["id"]"#),
        ("[\"id\"]", "[]", r#"job.toml:12: [target] key: mode "mirror" needs a list of columns, for example ["id"]"#),
        ("[\"id\"]", "\"id\"", r#"job.toml:12: [target] key: expected a list of columns, for example ["id"], found a text"#),
        ("[\"id\"]", "[1]", r#"job.toml:12: [target] key: expected a list of columns, for example ["id"], found another type in the list"#),
        ("[\"id\"]", "[\"idd\"]", r#"job.toml:12: [target] key: "idd" is not in [columns], did you mean "id"?"#),
        ("[\"id\"]", "[\"id\", \"id\"]", r#"job.toml:12: [target] key: "id" is named twice"#),
        ("\"bigint\"", "\"bigit\"", r#"job.toml:14: [columns] id: "bigit" is no column type, did you mean "bigint"?"#),
        ("\"bigint\"", "7", "job.toml:14: [columns] id: expected a type such as \"bigint\", or a table of options, found an integer"),
        ("from = \"length\"", "form = \"length\"", r#"job.toml:15: [columns] length_ft.form: unknown key, did you mean "from"?"#),
        ("from = \"length\"", "from = 2", "job.toml:15: [columns] length_ft.from: expected the name of a field in the header of the file, found an integer"),
        ("type = \"integer\", ", "", "job.toml:15: [columns] length_ft.type: missing, expected a type such as \"bigint\""),
        ("trim = true", "trim = 1", "job.toml:16: [columns] surface.trim: expected true or false, found an integer"),
        ("[\"UNK\"]", "[7]", "job.toml:16: [columns] surface.null: expected a list of texts, for example [\"NA\"], found another type in the list"),
        ("1000", "0", "job.toml:19: [limits] batch_rows: expected an integer from 1 to 1000000"),
        ("1000", "-5", "job.toml:19: [limits] batch_rows: expected an integer from 1 to 1000000"),
        ("\"64KiB\"", "\"64 kb\"", "job.toml:20: [limits] batch_bytes: expected a size from 1 byte to 1 GiB, such as \"4MiB\""),
        ("\"1%\"", "\"1\"", "job.toml:21: [limits] max_rejects: expected a number of rows, or a share such as \"1%\""),
        ("workers = 4", "workers = 1.5", "job.toml:22: [limits] workers: expected an integer from 1 to 1024, found a number with a point"),
        ("\"5m\"", "60", "job.toml:23: [limits] retry_for: expected a duration such as \"60s\", \"500ms\", \"5m\" or \"2h\", found an integer"),
    ];
    for (from, to, line) in cases {
        assert_eq!(parse(&changed(from, to)).unwrap_err().to_string(), line);
    }
}

#[test]
fn a_key_cannot_break_the_line() {
    let error = parse(&changed("mode = ", "\"mo\\nde\\u001b[31m\" = ")).unwrap_err().to_string();
    assert!(error.starts_with(r"job.toml:11: [target] mo\nde\u{1b}[31m: unknown key"), "{error}");
}

proptest! {
    #[test]
    fn whatever_stands_in_the_file_the_answer_is_a_job_or_one_line(
        cut in 0..GOOD.len(),
        length in 0..40_usize,
        put in "[ -~\\n\u{e9}]{0,6}",
    ) {
        let end = (cut + length).min(GOOD.len());
        let text = format!("{}{put}{}", &GOOD[..cut], &GOOD[end..]);
        if let Err(error) = parse(&text) {
            let line = error.to_string();
            prop_assert!(line.starts_with("job.toml:"), "{}", line);
            prop_assert_eq!(line.lines().count(), 1);
        }
    }
}

#[test]
fn the_job_file_of_the_manual_is_one() {
    let manual = include_str!("../../../README.md");
    let (_, behind) = manual.split_once("```toml\n").unwrap();
    let (text, _) = behind.split_once("```").unwrap();
    let job = parse(text).unwrap();
    assert_eq!((job.columns.len(), table(&job).mode), (4, Mode::Mirror));
}

#[test]
fn a_missing_section_is_named() {
    let without_source = "name = \"x\"\n[columns]\nid = \"bigint\"\n";
    let error = parse(without_source).unwrap_err().to_string();
    assert_eq!(error, "job.toml:1: [source]: missing, expected what is read");
    let (without_columns, _) = GOOD.split_once("id        =").unwrap();
    let error = parse(without_columns).unwrap_err().to_string();
    assert_eq!(error, "job.toml:13: [columns]: no column, expected at least one: name = \"type\"");
}

#[test]
fn what_is_not_built_in_yet_is_told_from_what_is_wrong() {
    let error = parse(&changed("\"csv\"", "\"csv\"\nencoding = \"latin1\"")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(parse("").unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn a_misspelled_parameter_of_the_command_line_makes_no_new_job() {
    for (params, line) in [
        (&[("nigth", "x")][..], r#"-p nigth: not declared in [params], did you mean "night"?"#),
        (&[("night", "x"), ("night", "y")], "-p night: given twice"),
        (&[("a b", "x")], "-p a b: expected a name of letters, digits and _ - ."),
    ] {
        assert_eq!(parse_with(GOOD, &given(params)).unwrap_err().to_string(), line);
    }
}

#[test]
fn a_file_that_is_not_there_is_one_line() {
    let error = JobFile::read(Path::new("no/such/job.toml"), &Overrides::default()).unwrap_err();
    assert_eq!(error.to_string(), "no/such/job.toml: no such file");
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[test]
fn kinds_of_rejects_have_limits_of_their_own() {
    let on = |text: &str| parse(&format!("{GOOD}on = {{ {text} }}\n")).map(|job| job.limits.on);
    let class = |text: &str| RejectClass::parse(text).unwrap();
    assert_eq!(
        on(r#""23505" = 3, "22" = "5%", parse = "fail""#).unwrap(),
        [
            (class("23505"), MaxRejects::Count(3)),
            (class("22"), MaxRejects::Share(0.05)),
            (class("parse"), MaxRejects::Count(0))
        ]
    );
    let expected = "job.toml:24: [limits] on.unique: expected a step (parse, convert, precheck, \
        transform, store), a SQLSTATE such as 23505, or its first two characters";
    assert_eq!(on("unique = 1").unwrap_err().to_string(), expected);
    let expected =
        "job.toml:24: [limits] on.22: expected a number of rows, or a share such as \"1%\"";
    assert_eq!(on("22 = \"x\"").unwrap_err().to_string(), expected);
}

#[test]
fn batches_that_share_a_transaction_are_counted_from_one() {
    let together = |text: &str| {
        parse(&format!("{GOOD}batches_a_transaction = {text}\n"))
            .map(|job| job.limits.batches_a_transaction)
    };
    assert_eq!(parse(GOOD).unwrap().limits.batches_a_transaction, 16);
    assert_eq!(together("1").unwrap(), 1);
    let expected =
        "job.toml:24: [limits] batches_a_transaction: expected an integer from 1 to 1000";
    assert_eq!(together("0").unwrap_err().to_string(), expected);
}
