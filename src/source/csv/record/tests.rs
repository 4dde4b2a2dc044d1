use super::*;
use crate::source::bounds::{Bounds, CutLimits};
use crate::source::csv::cut::{Cutter, cut};
use proptest::prelude::*;

type Texts = Vec<Option<String>>;

/// What a record is: its fields, NULL by the empty text, or its fault.
type Seen = Result<Texts, Fault>;

fn read_with(bytes: &[u8], format: &CsvFormat, line_end: LineEnd, width: usize) -> Vec<Seen> {
    walk(Records::new(bytes, format, line_end).width(width))
}

fn walk(mut records: Records<'_>) -> Vec<Seen> {
    let mut seen = Vec::new();
    while records.advance() {
        let text = |index| {
            let field = records.field(index).unwrap();
            (field.quoted || !field.text.is_empty()).then(|| field.text.to_owned())
        };
        seen.push(match records.fault() {
            Some(fault) => Err(fault),
            None => Ok((0..records.len()).map(text).collect()),
        });
    }
    seen
}

fn read(text: &str, width: usize) -> Vec<Seen> {
    read_with(text.as_bytes(), &CsvFormat::new(), LineEnd::Newline, width)
}

#[expect(clippy::unnecessary_wraps, reason = "it stands beside faults")]
fn row(fields: &[Option<&str>]) -> Seen {
    Ok(fields.iter().map(|field| field.map(str::to_owned)).collect())
}

fn texts(fields: &[&str]) -> Seen {
    row(&fields.iter().map(|field| Some(*field)).collect::<Vec<_>>())
}

#[test]
fn an_unquoted_empty_field_is_null_and_a_quoted_one_is_not() {
    assert_eq!(read(",\"\"\n", 2), [row(&[None, Some("")])]);
    assert_eq!(read("a,", 2), [row(&[Some("a"), None])]);
    assert_eq!(read("\"\"", 1), [row(&[Some("")])]);
}

#[test]
fn quotes_in_the_middle_of_a_field_toggle() {
    for (line, field) in [
        ("a\"b,c\"d", "ab,cd"),
        ("\"a\"b", "ab"),
        ("\"a\"\"b\"", "a\"b"),
        ("\"a\"\"b\"c\"d,\"", "a\"bcd,"),
        ("a\"\"b", "ab"),
        ("\"\"\"\"", "\""),
        (" \"a\" ", " a "),
    ] {
        assert_eq!(read(line, 1), [texts(&[field])], "{line}");
    }
}

#[test]
fn line_ends_inside_quotes_are_data() {
    assert_eq!(
        read("\"a\nb\r\",1\n\"\n\"\"\n\",2\n", 2),
        [texts(&["a\nb\r", "1"]), texts(&["\n\"\n", "2"])]
    );
}

#[test]
fn another_escape_counts_inside_quotes_only() {
    let format = CsvFormat::new().escape(b'\\');
    for (line, field) in [
        ("\"a\\\"b\"", "a\"b"),
        ("\"a\\\\\"", "a\\"),
        ("\"a\\nb\"", "a\\nb"),
        ("a\\b", "a\\b"),
        ("\"a\"\"b\"", "ab"),
        ("a\\\"b\"", "a\\b"),
    ] {
        let seen = read_with(line.as_bytes(), &format, LineEnd::Newline, 1);
        assert_eq!(seen, [texts(&[field])], "{line}");
    }
}

#[test]
fn a_blank_line_is_a_null_for_one_column_and_a_fault_for_more() {
    assert_eq!(read("a\n\nb\n", 1), [texts(&["a"]), row(&[None]), texts(&["b"])]);
    assert_eq!(read("\n", 2), [Err(Fault::Few(1))]);
}

#[test]
fn a_record_with_another_number_of_fields_is_refused_alone() {
    assert_eq!(
        read("1,2\n1\n1,2,3\n3,4\n", 2),
        [texts(&["1", "2"]), Err(Fault::Few(1)), Err(Fault::Many), texts(&["3", "4"])]
    );
}

#[test]
fn a_stray_carriage_return_costs_its_record() {
    assert_eq!(
        read("a\rb,1\nc,2\r\n\"d\"\r,3\ne,4\n", 2),
        [
            Err(Fault::StrayReturn),
            Err(Fault::StrayReturn),
            Err(Fault::StrayReturn),
            texts(&["e", "4"])
        ]
    );
}

#[test]
fn a_stray_newline_costs_the_records_on_both_of_its_sides() {
    let seen = |bytes: &[u8], line_end| read_with(bytes, &CsvFormat::new(), line_end, 1);
    let expected =
        [texts(&["a"]), Err(Fault::StrayNewline), Err(Fault::AfterStrayNewline), texts(&["d"])];
    assert_eq!(seen(b"a\r\nb\nc\r\nd\r\n", LineEnd::ReturnNewline), expected);
    assert_eq!(seen(b"a\rb\nc\rd\r", LineEnd::Return), expected);
    assert_eq!(seen(b"a\r\nb\r", LineEnd::ReturnNewline)[1], Err(Fault::StrayReturn));
}

#[test]
fn the_end_marker_of_a_copy_is_a_fault_where_it_is_a_line() {
    assert_eq!(read("a\n\\.\nb\n", 1), [texts(&["a"]), Err(Fault::EndMarker), texts(&["b"])]);
    assert_eq!(read("\\.x\n\"\\.\"\n\\.", 1), ["\\.x", "\\.", "\\."].map(|text| texts(&[text])));
}

#[test]
fn bytes_that_are_no_text_cost_their_record() {
    let bytes = b"a,1\n\xFF,2\n\0,3\n\xC3\xA4,4\n";
    let seen = read_with(bytes, &CsvFormat::new(), LineEnd::Newline, 2);
    let expected =
        [texts(&["a", "1"]), Err(Fault::Encoding), Err(Fault::Encoding), texts(&["\u{e4}", "4"])];
    assert_eq!(seen, expected);
}

#[test]
fn the_good_fields_of_a_record_with_a_bad_one_can_be_read() {
    let format = CsvFormat::new();
    let mut records = Records::new(b"7,\xFF,\0,\"a\"\"b\"\n", &format, LineEnd::Newline);
    assert!(records.advance());
    let text = |index| records.field(index).map(|field| field.text);
    assert_eq!([0, 1, 2, 3, 4].map(text), [Some("7"), None, None, Some("a\"b"), None]);
}

#[test]
fn lines_are_counted_inside_quotes_too() {
    let format = CsvFormat::new();
    let mut records = Records::new(b"\"a\n\nb\"\nc\n\nd\n", &format, LineEnd::Newline);
    let mut lines = Vec::new();
    while records.advance() {
        if records.index() != 1 {
            lines.push((records.index(), records.lines_before(), records.raw().len()));
        }
    }
    assert_eq!(lines, [(0, 0, 6), (2, 4, 0), (3, 5, 1)]);
}

fn any_line_end() -> impl Strategy<Value = LineEnd> {
    prop_oneof![Just(LineEnd::Newline), Just(LineEnd::ReturnNewline), Just(LineEnd::Return)]
}

/// Texts of the few bytes that matter, in every order.
fn any_csv() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&[u8]> = vec![
        b"a",
        b"a",
        b"a",
        b"b",
        b",",
        b",",
        b",",
        b"\"",
        b"\"",
        b"\"",
        b"\"",
        b"\n",
        b"\n",
        b"\r\n",
        b"\r",
        b"\\",
        b"\\.",
        b"\xC3\xA4",
        b"\xFF",
        b"\0",
    ];
    let piece = proptest::sample::select(pieces);
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn cut_all(bytes: &[u8], format: &CsvFormat, line_end: LineEnd, limits: CutLimits) -> Vec<Bounds> {
    let mut batches = Vec::new();
    let cutter = Cutter::new(format, line_end, limits, 0, 1);
    let mut input = bytes;
    let planned = cut(&mut input, cutter, &mut |bounds| {
        batches.push(bounds);
        Ok(())
    });
    if planned.is_err() { Vec::new() } else { batches }
}

proptest! {
    #[test]
    fn any_cut_gives_the_records_of_the_whole(
        bytes in any_csv(), rows in 1..5_u64, size in 1..30_u64, line_end in any_line_end(),
        escape in prop_oneof![Just(b'"'), Just(b'\\')],
    ) {
        let format = CsvFormat::new().escape(escape);
        let whole = cut_all(&bytes, &format, line_end, CutLimits::new(u64::MAX, u64::MAX));
        prop_assume!(!whole.is_empty());
        let expected = read_with(&bytes, &format, line_end, 2);
        prop_assert_eq!(whole[0].rows, expected.len() as u64);
        let mut seen = Vec::new();
        let mut next = (0, 1);
        for bounds in cut_all(&bytes, &format, line_end, CutLimits::new(rows, size)) {
            prop_assert_eq!((bounds.start, bounds.first_row), next);
            let (start, end) = (bounds.start as usize, bounds.end as usize);
            let stray = start > 0 && line_end.is_stray(&bytes[..start]);
            let records = Records::new(&bytes[start..end], &format, line_end).width(2);
            let batch = walk(records.after_stray_newline(stray));
            prop_assert_eq!(batch.len() as u64, bounds.rows);
            seen.extend(batch);
            next = (bounds.end, bounds.first_row + bounds.rows);
        }
        prop_assert_eq!(seen, expected);
        prop_assert_eq!(next.0, bytes.len() as u64);
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), special in any_csv(),
                      line_end in any_line_end()) {
        for bytes in [&bytes, &special] {
            let mut records = Records::new(bytes, &CsvFormat::new(), line_end).width(3);
            while records.advance() {
                for index in 0..=records.len() {
                    let _ = records.field(index);
                }
                records.lines_before();
            }
        }
    }

    #[test]
    fn what_is_written_as_csv_is_read_back(
        table in proptest::collection::vec(
            proptest::collection::vec(proptest::option::of("[a,\"\n\r\u{e4}\\\\. ]{0,6}"), 3), 1..20),
        line_end in any_line_end(),
    ) {
        let end = match line_end {
            LineEnd::Newline => "\n", LineEnd::ReturnNewline => "\r\n", LineEnd::Return => "\r",
        };
        let field = |field: &Option<String>| match field {
            None => String::new(),
            Some(text) => format!("\"{}\"", text.replace('"', "\"\"")),
        };
        let text: String = table.iter()
            .map(|row| row.iter().map(field).collect::<Vec<_>>().join(",") + end).collect();
        let seen = read_with(text.as_bytes(), &CsvFormat::new(), line_end, 3);
        prop_assert_eq!(seen, table.into_iter().map(Ok).collect::<Vec<_>>());
    }
}
