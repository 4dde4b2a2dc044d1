//! A line with a JSON object is a row, and its values are what the server makes of them.

use crate::support::{rowmill, shared};
use proptest::prelude::*;
use rowmill::source::feed::{Feed, Layout};
use rowmill::source::prepared::Prepared;
use rowmill::{
    Bounds, ColumnType, CutLimits, Entity, Ident, Ndjson, NdjsonColumn, NdjsonColumns, Source,
};
use std::path::Path;

type Row = Vec<Option<String>>;

fn column(name: &str, column_type: &str) -> NdjsonColumn {
    NdjsonColumn::new(Ident::new(name).unwrap(), ColumnType::parse(column_type).unwrap())
}

fn open(path: &Path) -> NdjsonColumns {
    let columns = vec![
        column("id", "bigint").not_null(),
        column("t", "text"),
        column("n", "numeric"),
        column("city", "text").from("/address/city"),
        column("j", "jsonb"),
    ];
    NdjsonColumns::open(path, columns).unwrap()
}

fn plan(feed: &NdjsonColumns, limits: CutLimits) -> Vec<Bounds> {
    let mut batches = Vec::new();
    feed.plan(limits, &mut |bounds| {
        batches.push(bounds);
        Ok(())
    })
    .unwrap();
    batches
}

/// Every row in the order of the file: as packed bytes, or its line, bytes and SQLSTATE.
fn read(feed: &NdjsonColumns, limits: CutLimits) -> Vec<(u64, Result<Vec<u8>, String>)> {
    let layout = Layout::new(feed.columns().to_vec(), Vec::new());
    let mut seen = Vec::new();
    for bounds in plan(feed, limits) {
        let mut prepared = Prepared::new(&layout);
        feed.prepare(&bounds, &layout, &mut prepared).unwrap();
        assert_eq!(prepared.read, bounds.rows);
        for (place, index) in prepared.indexes.iter().enumerate() {
            let tuple = prepared.rows.tuples(place..place + 1).to_vec();
            seen.push((bounds.first_row + u64::from(*index), Ok(tuple)));
        }
        for refused in &prepared.refused {
            let origin = feed.origin(&bounds, refused.index).unwrap();
            assert_eq!(origin, refused.origin);
            assert_eq!(origin.line, Some(origin.row), "every line is a row");
            let code = refused.error.sqlstate().unwrap().code().to_owned();
            let raw = String::from_utf8_lossy(&origin.raw).into_owned();
            seen.push((origin.row, Err(format!("{code} {:?} {raw}", origin.offset))));
        }
    }
    seen.sort();
    seen
}

fn line() -> impl Strategy<Value = String> {
    let odd = [
        "",
        "\r",
        "[]",
        "{",
        "{}",
        "nul",
        "{\"id\":1}{\"id\":2}",
        "{\"id\":1,\"id\":2}",
        "{\"id\":null}",
        "{\"id\":\"\\ud800\"}",
        "{\"id\":1,\"t\":\"\\u0000\"}",
        " {\"id\" : 3 } ",
        "{\"id\":1.5}",
        "{\"id\":7,\"t\":[1]}",
        "{\"id\":8,\"j\":[1,{\"a\":[]}],\"x\":{}}\r",
    ];
    prop_oneof![
        (any::<i64>(), "[a-zA-Z\u{e9} \\\\\"/\u{1f600}\n]{0,9}", any::<u32>()).prop_map(
            |(id, t, n)| serde_json::json!({
                "t": t, "id": id, "n": n, "address": { "city": t }, "j": { "n": n }
            })
            .to_string()
        ),
        proptest::sample::select(odd.to_vec()).prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_file_is_the_same_however_it_is_cut(
        lines in proptest::collection::vec(line(), 0..12),
        rows in 1_u64..14,
        bytes in 1_u64..200,
        mark in any::<bool>(),
        ends in any::<bool>(),
    ) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut text = lines.join("\n");
        if ends && !text.is_empty() {
            text.push('\n');
        }
        let count = text.lines().count();
        std::fs::write(file.path(), if mark { format!("\u{feff}{text}") } else { text }).unwrap();
        let feed = open(file.path());
        let whole = read(&feed, CutLimits::new(u64::MAX, u64::MAX));
        prop_assert_eq!(whole.len(), count);
        prop_assert_eq!(&whole, &read(&feed, CutLimits::new(rows, u64::MAX)));
        prop_assert_eq!(&whole, &read(&feed, CutLimits::new(u64::MAX, bytes)));
    }
}

#[test]
fn bytes_that_are_no_text_cost_their_line() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), b"{\"id\":1}\n{\"id\":2,\"t\":\"\xff\"}\n{\"id\":3}\n").unwrap();
    let seen = read(&open(file.path()), CutLimits::default());
    assert!(seen[0].1.is_ok() && seen[2].1.is_ok());
    assert!(seen[1].1.as_ref().unwrap_err().starts_with("22021 Some(9)"), "{seen:?}");
    std::fs::write(file.path(), b"\xFF\xFE{\0").unwrap();
    let error = NdjsonColumns::open(file.path(), vec![column("id", "bigint")]).unwrap_err();
    assert!(error.message().contains("UTF-16"), "{error}");
}

const SCALARS: [&str; 22] = [
    "1",
    "-0",
    "0.10",
    "1e3",
    "1E-7",
    "12345678901234567890123456789012345678.000000000000000000000000000001",
    "9223372036854775807",
    "9223372036854775808",
    "true",
    "false",
    "\"\"",
    "\" 7 \"",
    "\"yes\"",
    "\"NaN\"",
    "\"infinity\"",
    "\"2026-08-20\"",
    "\"2026-08-20T01:02:03.456789\"",
    "\"a\\u00e9\\n\\t\\\"\"",
    "\"\\ud83d\\ude00\"",
    "\"{1,2}\"",
    "\"12:00\"",
    "null",
];

/// Values of every kind, and what the server makes of the same texts.
#[test]
fn values_are_what_the_server_makes_of_them() {
    let database = shared().database("ndjson_values");
    let mut client = database.connect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("values.ndjson");
    let lines: Vec<_> = SCALARS.iter().map(|scalar| format!("{{\"v\":{scalar}}}\n")).collect();
    std::fs::write(&path, lines.concat()).unwrap();
    for name in [
        "text",
        "integer",
        "bigint",
        "numeric",
        "double precision",
        "real",
        "boolean",
        "date",
        "timestamp",
        "int[]",
    ] {
        let feed = NdjsonColumns::open(&path, vec![column("v", name)]).unwrap();
        let layout = Layout::new(feed.columns().to_vec(), Vec::new());
        let mut prepared = Prepared::new(&layout);
        feed.prepare(&plan(&feed, CutLimits::default())[0], &layout, &mut prepared).unwrap();
        for (place, scalar) in SCALARS.iter().enumerate() {
            let ours: Option<Row> = (0..prepared.rows.len())
                .find(|row| prepared.indexes[*row] == place as u32)
                .map(|row| prepared.rows.row(row).map(|field| field.map(shown(name))).collect());
            // The server's jsonb would write a number anew.
            let text: Option<String> = match scalar.parse::<f64>() {
                Ok(_) => Some((*scalar).to_owned()),
                Err(_) => {
                    client.query_one("select $1::text::jsonb #>> '{}'", &[scalar]).unwrap().get(0)
                }
            };
            let cast = format!("select $1::text::{name}::text");
            let theirs = client.query_one(&cast, &[&text]).ok().map(|row| vec![row.get(0)]);
            assert_eq!(ours, theirs, "{scalar} as {name}");
        }
    }
}

/// A packed field as the server would show it.
fn shown(name: &str) -> impl Fn(&[u8]) -> String + '_ {
    move |packed| {
        let mut text = String::new();
        let column_type = ColumnType::parse(name).unwrap();
        rowmill::mapping::text::output(&column_type, packed, &mut text).unwrap();
        match text.as_str() {
            "t" if name == "boolean" => "true".to_owned(),
            "f" if name == "boolean" => "false".to_owned(),
            _ => text,
        }
    }
}

const LINES: &str = r#"{"id":1,"name":"one","amount":123456789012345678901234567890.123456789,"address":{"city":"Bern"},"tags":["a", 1.10]}
{"amount":1.50,"id":2,"name":null,"tags":"x"}

{"id":3,"name":"three
[4]
{"id":5,"id":6}
{"id":"seven"}
{"id":8,"name":"a\u0000b"}
{"id":9,"name":{"first":"x"}}
{"name":"without a key"}
{"id":11,"name":"eleven","tags":null,"address":"none"}
"#;

#[cfg(feature = "cli")]
#[test]
fn a_job_loads_objects_and_a_bad_line_costs_one_row() {
    let database = shared().database("ndjson_job");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("in.ndjson"), LINES).unwrap();
    let job = "name = \"n\"\n[source]\nkind = \"ndjson\"\npath = \"in.ndjson\"\n\
        [target]\ntable = \"people\"\ncreate = true\nmode = \"upsert\"\nkey = [\"id\"]\n\
        [columns]\nid = { type = \"bigint\", not_null = true }\nname = \"text\"\n\
        amount = \"numeric\"\ncity = { type = \"text\", from = \"/address/city\" }\ntags = \"jsonb\"\n\
        [limits]\nbatch_rows = 3\n";
    std::fs::write(folder.path().join("job.toml"), job).unwrap();
    let url = database.url();
    let run = rowmill(["run", "job.toml", "--target", &url]).cwd(folder.path()).finish();
    assert_eq!(run.code, Some(0), "{run}");
    let rows = "select string_agg(concat_ws('|', id, name, amount, city, tags), ' ' order by id) from people";
    let expected =
        "1|one|123456789012345678901234567890.123456789|Bern|[\"a\", 1.10] 2|1.50|\"x\" 11|eleven";
    assert_eq!(database.value(rows), expected);
    let list = rowmill(["rejects", "list", "n", "--target", &url]).finish().stdout;
    // Behind how many there are of each kind.
    let mut lines: Vec<_> = list.lines().filter(|line| line.starts_with("n line ")).collect();
    lines.sort_by_key(|line| {
        line.split("line ").nth(1).and_then(|rest| rest.split(':').next()?.parse::<u64>().ok())
    });
    let expected = [
        "n line 3: parse: the line is blank: expected a JSON object (22P04): ",
        "n line 4: parse: not valid JSON: EOF while parsing a string at byte 21 (22P02): {\"id\":3,\"name\":\"three",
        "n line 5: parse: the line is no JSON object (22P04): [4]",
        "n line 6: parse: the key \"id\" stands twice in the object (22P04): {\"id\":5,\"id\":6}",
    ];
    assert_eq!(&lines[..4], &expected);
    for (line, told) in [
        (4, "(22P02) [column id]"),
        (5, "(22021) [column name]"),
        (6, "an object or array"),
        (7, "(23502) [column id]"),
    ] {
        assert!(lines[line].contains(told), "{}", lines[line]);
    }
    assert_eq!(lines.len(), 8);
}

#[derive(Entity, Debug, PartialEq)]
#[entity(table = "people")]
struct Person {
    #[entity(key)]
    id: i64,
    name: Option<String>,
}

#[test]
fn objects_are_values_of_an_entity() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "{\"name\":\"a\",\"id\":1}\n{\"id\":\"x\"}\n{}\n[]\n{\"id\":2}")
        .unwrap();
    let source = Ndjson::<Person>::open(file.path()).unwrap();
    let mut seen = Vec::new();
    source
        .plan(CutLimits::default(), &mut |bounds| {
            source.read(&bounds, &mut |index, row| {
                seen.push((index, row.ok()));
                Ok(())
            })
        })
        .unwrap();
    let person = |id, name: Option<&str>| Some(Person { id, name: name.map(str::to_owned) });
    let expected =
        [(0, person(1, Some("a"))), (1, None), (2, None), (3, None), (4, person(2, None))];
    assert_eq!(seen, expected);
}
