//! Three nights of real data, mirrored by the built command: the table is the file, cell for cell,
//! and the counts are those of an independent comparison of two files.

use crate::support::{Home, data, on_both, rowmill};
use std::collections::BTreeMap;
use std::path::Path;

const NIGHTS: [&str; 3] = ["2026-08-20", "2026-08-21", "2026-08-22"];

/// A file and the types of its columns; the first is the key.
struct Table {
    name: &'static str,
    columns: &'static [(&'static str, &'static str)],
}

const RUNWAYS: Table = Table {
    name: "runways",
    columns: &[
        ("id", "bigint"),
        ("airport_ref", "bigint"),
        ("airport_ident", "text"),
        ("length_ft", "integer"),
        ("width_ft", "integer"),
        ("surface", "text"),
        ("lighted", "boolean"),
        ("closed", "boolean"),
        ("le_ident", "text"),
        ("le_latitude_deg", "double precision"),
        ("le_longitude_deg", "numeric"),
        ("le_elevation_ft", "integer"),
        ("le_heading_degT", "numeric(7,3)"),
        ("le_displaced_threshold_ft", "integer"),
        ("he_ident", "varchar(20)"),
        ("he_latitude_deg", "double precision"),
        ("he_longitude_deg", "double precision"),
        ("he_elevation_ft", "integer"),
        ("he_heading_degT", "double precision"),
        ("he_displaced_threshold_ft", "integer"),
    ],
};

const NAVAIDS: Table = Table {
    name: "navaids",
    columns: &[
        ("id", "bigint"),
        ("filename", "text"),
        ("ident", "text"),
        ("name", "text"),
        ("type", "text"),
        ("frequency_khz", "integer"),
        ("latitude_deg", "double precision"),
        ("longitude_deg", "numeric"),
        ("elevation_ft", "integer"),
        ("iso_country", "text"),
        ("dme_frequency_khz", "integer"),
        ("dme_channel", "text"),
        ("dme_latitude_deg", "double precision"),
        ("dme_longitude_deg", "double precision"),
        ("dme_elevation_ft", "integer"),
        ("slaved_variation_deg", "double precision"),
        ("magnetic_variation_deg", "double precision"),
        ("usageType", "text"),
        ("power", "text"),
        ("associated_airport", "text"),
    ],
};

const FREQUENCIES: Table = Table {
    name: "airport-frequencies",
    columns: &[
        ("id", "bigint"),
        ("airport_ref", "bigint"),
        ("airport_ident", "text"),
        ("type", "text"),
        ("description", "text"),
        ("frequency_mhz", "numeric"),
    ],
};

#[test]
fn runways_are_the_file_after_every_night() {
    every_night(&RUNWAYS);
}

#[test]
fn navaids_are_the_file_after_every_night() {
    every_night(&NAVAIDS);
}

#[test]
fn frequencies_are_the_file_after_every_night() {
    every_night(&FREQUENCIES);
}

fn every_night(table: &Table) {
    let Some(nights) = data::nights() else { return };
    on_both(|home| {
        let job = home.file("job.toml", job_file(table, &nights));
        let read =
            |night: &str| by_key(table, &nights.join(night).join(format!("{}.csv", table.name)));
        let mut before = BTreeMap::new();
        for night in NIGHTS {
            let file = read(night);
            let expected = compare(&before, &file);
            let night = format!("night={night}");
            let first = run(home, &job, &[&night]);
            assert_eq!(first, Ran::new("complete", file.len(), expected), "{night}");
            assert_is(home, table, &file);
            eprintln!("{} {night} postgres={} {first:?}", table.name, home.is_postgres());

            let runs = runs(home);
            let again = run(home, &job, &[&night]);
            assert_eq!(again, Ran::new("already_complete", file.len(), expected), "{night}");
            assert_eq!(self::runs(home), runs);
            let attempt = run(home, &job, &[&night, "attempt=2"]);
            let nothing = [0, 0, file.len() as u64, 0];
            assert_eq!(attempt, Ran::new("complete", file.len(), nothing), "{night}");
            assert_is(home, table, &file);
            before = file;
        }
        // The nights only add rows; the way back deletes them.
        let file = read(NIGHTS[0]);
        let back = run(home, &job, &[&format!("night={}", NIGHTS[0]), "attempt=back"]);
        assert_eq!(back, Ran::new("complete", file.len(), compare(&before, &file)));
        eprintln!("{} back postgres={} {back:?}", table.name, home.is_postgres());
        assert_is(home, table, &file);
    });
}

/// How many runs the ledger knows: one that has nothing to do leaves no trace.
fn runs(home: &Home) -> Vec<String> {
    home.rows(home.pick("select count(*) from rowmill_run", "select count(*) from rowmill.run"))
}

fn job_file(table: &Table, nights: &Path) -> String {
    let column = |(name, of_type): &(&str, &str)| format!("{name} = \"{of_type}\"\n");
    let columns: String = table.columns.iter().map(column).collect();
    format!(
        "name = \"{name}\"\n[params]\nnight = \"\"\nattempt = 1\n\
         [source]\nkind = \"csv\"\npath = \"{nights}/${{night}}/{name}.csv\"\n\
         [target]\nurl = \"${{ROWMILL_TARGET}}\"\ntable = \"{target}\"\ncreate = true\n\
         mode = \"mirror\"\nkey = [\"id\"]\n\
         [limits]\nbatch_rows = 3000\nmax_rejects = 0\n[columns]\n{columns}",
        name = table.name,
        nights = nights.display(),
        target = target(table),
    )
}

fn target(table: &Table) -> String {
    table.name.replace('-', "_")
}

/// How a run ended: its status, the rows it read, and inserted, updated, unchanged, deleted.
#[derive(Debug, PartialEq)]
struct Ran {
    status: String,
    read: u64,
    counts: [u64; 4],
}

impl Ran {
    fn new(status: &str, read: usize, counts: [u64; 4]) -> Self {
        Self { status: status.to_owned(), read: read as u64, counts }
    }
}

fn run(home: &Home, job: &Path, params: &[&str]) -> Ran {
    let report = home.folder().join("report.json");
    let mut command = rowmill(["run"]).env("ROWMILL_TARGET", home.url());
    for param in params {
        command = command.arg("--param").arg(param);
    }
    let finished = command.arg("--report").arg(&report).arg(job).finish();
    assert_eq!(finished.code, Some(0), "{finished}");
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
    let count = |name: &str| json[name].as_u64().unwrap();
    let names = ["inserted", "updated", "unchanged", "deleted"];
    assert_eq!(count("written"), count("inserted") + count("updated"));
    assert_eq!((count("filtered"), count("duplicates"), count("rejected")), (0, 0, 0));
    let status = json["status"].as_str().unwrap().to_owned();
    assert_eq!(finished.stderr.contains("already complete"), status == "already_complete");
    assert_eq!(finished.stdout, "");
    Ran { status, read: count("read"), counts: names.map(count) }
}

/// A row of a file by its key: each cell as the test understands it.
type Rows = BTreeMap<i64, Vec<Option<Value>>>;

/// What a text of the file means, and a cell of the table too: compared as values, because there
/// are many ways to write a number.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Whole(i64),
    Truth(bool),
    Real(f64),
    /// A decimal number, in units of its last place, without zeros at the end.
    Decimal(i128, u32),
    Text(String),
}

fn value(of_type: &str, text: &str) -> Value {
    match of_type {
        "bigint" | "integer" => Value::Whole(text.parse().unwrap()),
        "boolean" => Value::Truth(matches!(text, "1" | "t")),
        "double precision" => Value::Real(text.parse().unwrap()),
        "numeric" => decimal(text),
        "numeric(7,3)" => decimal(&rounded(text)),
        _ => Value::Text(text.to_owned()),
    }
}

fn decimal(text: &str) -> Value {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = part.trim_end_matches('0');
    Value::Decimal(format!("{whole}{part}").parse().unwrap(), part.len() as u32)
}

/// Three places, halves away from zero; the files have no exponents.
fn rounded(text: &str) -> String {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digit =
        |place: usize| part.as_bytes().get(place).map_or(0, |digit| i128::from(digit - b'0'));
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    let whole: i128 = whole.trim_start_matches('-').parse().unwrap_or(0);
    let mut thousandths = whole * 1_000 + digit(0) * 100 + digit(1) * 10 + digit(2);
    if digit(3) >= 5 {
        thousandths += 1;
    }
    let sign = if sign < 0 { "-" } else { "" };
    format!("{sign}{}.{:03}", thousandths / 1_000, thousandths % 1_000)
}

fn by_key(table: &Table, path: &Path) -> Rows {
    let text = std::fs::read_to_string(path).unwrap();
    let mut records = parse(&text);
    let header = records.remove(0);
    let names: Vec<_> = header.iter().map(|name| name.as_deref().unwrap()).collect();
    assert_eq!(names, table.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    let row = |record: Vec<Option<String>>| {
        assert_eq!(record.len(), names.len());
        let cells = record
            .iter()
            .zip(table.columns)
            .map(|(text, (_, of_type))| text.as_deref().map(|text| value(of_type, text)));
        (record[0].as_deref().unwrap().parse().unwrap(), cells.collect())
    };
    let count = records.len();
    let rows: Rows = records.into_iter().map(row).collect();
    assert_eq!(rows.len(), count, "a key is there twice");
    rows
}

/// The records of a CSV file, byte by byte and as plainly as can be: an unquoted empty field is
/// `None`.
fn parse(text: &str) -> Vec<Vec<Option<String>>> {
    let mut records = Vec::new();
    let (mut record, mut field) = (Vec::new(), String::new());
    let (mut inside, mut quoted) = (false, false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if inside && letters.peek() == Some(&'"') => field.extend(letters.next()),
            '"' => {
                inside = !inside;
                quoted = true;
            }
            ',' | '\n' if !inside => {
                let empty = field.is_empty() && !quoted;
                record.push((!empty).then(|| std::mem::take(&mut field)));
                field.clear();
                quoted = false;
                if letter == '\n' {
                    records.push(std::mem::take(&mut record));
                }
            }
            '\r' if !inside => {}
            other => field.push(other),
        }
    }
    assert!(record.is_empty() && field.is_empty() && !inside, "the file does not end a line");
    records
}

/// Inserted, updated, unchanged, deleted: what brings a table from `before` to `after`.
fn compare(before: &Rows, after: &Rows) -> [u64; 4] {
    let count = |test: &dyn Fn(&i64) -> bool| after.keys().filter(|key| test(key)).count() as u64;
    [
        count(&|key| !before.contains_key(key)),
        count(&|key| before.contains_key(key) && before[key] != after[key]),
        count(&|key| before.get(key) == Some(&after[key])),
        before.keys().filter(|key| !after.contains_key(key)).count() as u64,
    ]
}

/// The table, read by the database's own driver, has exactly the rows of the file.
fn assert_is(home: &Home, table: &Table, file: &Rows) {
    let names: Vec<_> = table.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let sql = format!("select {} from {}", names.join(", "), target(table));
    let mut found = Rows::new();
    home.each_row(&sql, |cells| {
        let cells: Vec<_> = cells
            .iter()
            .zip(table.columns)
            .map(|(text, (_, of_type))| text.as_deref().map(|text| value(of_type, text)))
            .collect();
        let Some(Value::Whole(key)) = cells[0] else { panic!("no key") };
        assert!(found.insert(key, cells).is_none(), "key {key} is there twice");
    });
    let differs = |key: &&i64| found.get(key) != file.get(key);
    if let Some(key) = file.keys().chain(found.keys()).find(differs) {
        panic!("row {key}: the file has {:?}, the table {:?}", file.get(key), found.get(key));
    }
}
