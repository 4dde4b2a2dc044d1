//! Several files are one source.

use super::{plan, rows};
use proptest::prelude::*;
use rowmill::source::feed::Feed;
use rowmill::{
    ColumnType, Csv, CsvColumn, CsvColumns, CsvFormat, CutLimits, Entity, ErrorKind, Files, Ident,
    NdjsonColumn, NdjsonColumns, Source,
};
use std::fmt::Write as _;
use std::path::Path;

fn columns() -> Vec<CsvColumn> {
    let column = |name: &str| CsvColumn::new(Ident::new(name).unwrap(), ColumnType::Text);
    vec![column("id"), column("t")]
}

fn csv(files: impl Into<Files>) -> Result<CsvColumns, rowmill::Error> {
    CsvColumns::open(files, CsvFormat::new(), columns())
}

fn all(folder: &Path, pattern: &str) -> Files {
    Files::matching(folder.join(pattern).to_str().unwrap())
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn parts_are_read_as_one_behind_the_other(
        parts in proptest::collection::vec(
            (proptest::collection::vec("[a-z,\"\n]{0,9}", 0..8), any::<bool>(), any::<bool>()), 1..6),
        limit in 1_u64..6,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut whole = "id,t\n".to_owned();
        let mut objects = String::new();
        for (number, (fields, turned, packed)) in parts.iter().enumerate() {
            let mut text = (if *turned { "t,id\r\n" } else { "id,t\n" }).to_owned();
            let mut lines = String::new();
            for (row, field) in fields.iter().enumerate() {
                let quoted = field.replace('"', "\"\"");
                writeln!(whole, "{number}.{row},\"{quoted}\"").unwrap();
                // Each file has its own order and its own line ends.
                let line = match turned {
 true => format!("\"{quoted}\",{number}.{row}\r\n"),
 false => format!("{number}.{row},\"{quoted}\"\n"),
 };
 text.push_str(&line);
                let object = serde_json::json!({ "id": format!("{number}.{row}"), "t": field });
                writeln!(lines, "{object}").unwrap();
            }
            objects.push_str(&lines);
            #[cfg(feature = "compression")]
            if *packed {
                let name = |kind: &str| folder.path().join(format!("part-{number}.{kind}"));
                std::fs::write(name("csv"), super::compressed::gzip(text.as_bytes())).unwrap();
                std::fs::write(name("ndjson"), super::compressed::gzip(lines.as_bytes())).unwrap();
                continue;
            }
            let _ = packed;
            write(folder.path(), &format!("part-{number}.csv"), &text);
            write(folder.path(), &format!("part-{number}.ndjson"), &lines);
        }
        write(folder.path(), "whole.csv", &whole);
        write(folder.path(), "whole.ndjson", &objects);
        let limits = CutLimits::new(limit, u64::MAX);
        let same = |one: &dyn Feed, several: &dyn Feed| {
            let (one_plan, plans) = (plan(one, limits).unwrap(), plan(several, limits).unwrap());
            assert_eq!(rows(one, &one_plan).unwrap(), rows(several, &plans).unwrap());
            for (number, bounds) in plans.iter().enumerate() {
                assert_eq!(bounds.number as usize, number);
            }
        };
        let one = csv(folder.path().join("whole.csv")).unwrap();
        same(&one, &csv(all(folder.path(), "part-*.csv")).unwrap());
        let ndjson = |files: Files| {
            let column = |name: &str| NdjsonColumn::new(Ident::new(name).unwrap(), ColumnType::Text);
            NdjsonColumns::open(files, vec![column("id"), column("t")]).unwrap()
        };
        let one = ndjson(Files::from(folder.path().join("whole.ndjson")));
        same(&one, &ndjson(all(folder.path(), "part-*.ndjson")));
    }
}

#[test]
fn a_reject_of_several_files_names_its_file() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.csv", "id,t\n1,a\n");
    write(folder.path(), "b.csv", "t,id\nb,2\nc\n");
    let feed = csv(all(folder.path(), "*.csv")).unwrap();
    let batches = plan(&feed, CutLimits::default()).unwrap();
    let origin = feed.origin(&batches[1], 1).unwrap();
    assert_eq!((origin.row, origin.line, origin.offset), (3, Some(3), Some(9)));
    assert!(origin.file.unwrap().ends_with("b.csv"));
    let one = csv(folder.path().join("a.csv")).unwrap();
    let batches = plan(&one, CutLimits::default()).unwrap();
    assert_eq!(one.origin(&batches[0], 0).unwrap().file, None);
}

#[test]
fn files_with_other_fields_are_refused_and_named() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.csv", "id,t\n1,a\n");
    for (header, told) in [("id", "lacks the field \"t\""), ("id,t,x", "has the field \"x\"")] {
        write(folder.path(), "b.csv", &format!("{header}\n"));
        let error = csv(all(folder.path(), "*.csv")).unwrap_err();
        assert!(error.message().contains(told), "{error}");
        assert!(error.place().file.as_ref().unwrap().ends_with("b.csv"), "{error}");
    }
}

#[test]
fn a_pattern_without_a_file_is_an_error_unless_there_may_be_none() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), ".hidden.csv", "id,t\n1,a\n");
    std::fs::create_dir(folder.path().join("folder.csv")).unwrap();
    let error = csv(all(folder.path(), "*.csv")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Source);
    assert!(error.message().contains("no file has such a name"), "{error}");
    let feed = csv(all(folder.path(), "*.csv").allow_empty(true)).unwrap();
    assert!(plan(&feed, CutLimits::default()).unwrap().is_empty());
    assert_eq!(csv(Files::matching("a[")).unwrap_err().kind(), ErrorKind::Config);
    let path = folder.path().join(".hidden.csv");
    let error = csv(Files::list([&path, &path])).unwrap_err();
    assert!(error.message().contains("named twice"), "{error}");
}

#[test]
fn files_are_read_in_the_order_of_their_names_or_of_the_list() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["b.csv", "a.csv", "c.csv"] {
        write(folder.path(), name, &format!("id,t\n{name},x\n"));
    }
    let read = |files: Files| -> Vec<_> {
        let feed = csv(files).unwrap();
        let batches = plan(&feed, CutLimits::default()).unwrap();
        let origin = |bounds| String::from_utf8(feed.origin(bounds, 0).unwrap().raw).unwrap();
        batches.iter().map(origin).collect()
    };
    assert_eq!(read(all(folder.path(), "*.csv")), ["a.csv,x", "b.csv,x", "c.csv,x"]);
    let list = Files::list(["c.csv", "a.csv"].map(|name| folder.path().join(name)));
    assert_eq!(read(list), ["c.csv,x", "a.csv,x"]);
}

#[derive(Entity, Debug, PartialEq)]
#[entity(table = "t")]
struct Row {
    #[entity(key)]
    id: i64,
    t: Option<String>,
}

#[test]
fn entities_are_read_from_files_whose_fields_have_another_order() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.csv", "id,t\n1,a\n");
    write(folder.path(), "b.csv", "t,id\nb,2\nc,x\nd\n");
    let source = Csv::<Row>::open(all(folder.path(), "*.csv")).unwrap();
    let (mut seen, mut refused) = (Vec::new(), Vec::new());
    source
        .plan(CutLimits::default(), &mut |bounds| {
            source.read(&bounds, &mut |_, row| {
                match row {
                    Ok(row) => seen.push((row.id, row.t.unwrap())),
                    Err(refusal) => refused.push(refusal.error.to_string()),
                }
                Ok(())
            })
        })
        .unwrap();
    assert_eq!(seen, [(1, "a".to_owned()), (2, "b".to_owned())]);
    assert!(refused[0].contains("id") && refused[1].contains("\"id\""), "{refused:?}");
}
