use super::*;
use crate::sqlstate::SqlState;
use std::io::Write;
use tempfile::NamedTempFile;

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn column(name: &str, column_type: ColumnType) -> CsvColumn {
    CsvColumn::new(Ident::new(name).unwrap(), column_type)
}

fn id_and_name() -> Vec<CsvColumn> {
    vec![column("id", ColumnType::Int8).not_null(), column("name", ColumnType::Text)]
}

fn open(bytes: &[u8], format: CsvFormat, columns: Vec<CsvColumn>) -> Result<CsvColumns> {
    // The file is gone when this returns: only what is read at once can be tested with it.
    CsvColumns::open(file(bytes).path(), format, columns)
}

fn plan(feed: &CsvColumns, limits: CutLimits) -> Vec<Bounds> {
    let mut batches = Vec::new();
    feed.plan(limits, &mut |bounds| {
        batches.push(bounds);
        Ok(())
    })
    .unwrap();
    batches
}

/// The layout of the feed's own columns with the first as the key.
fn layout(feed: &CsvColumns) -> Layout {
    Layout::new(feed.columns().to_vec(), vec![0])
}

fn prepare(feed: &CsvColumns, bounds: &Bounds) -> Prepared {
    let layout = layout(feed);
    let mut out = Prepared::new(&layout);
    feed.prepare(bounds, &layout, &mut out).unwrap();
    assert_eq!(out.read, bounds.rows);
    assert_eq!(out.indexes.len() + out.refused.len(), bounds.rows as usize);
    out
}

fn prepare_all(bytes: &[u8], format: CsvFormat, columns: Vec<CsvColumn>) -> Prepared {
    let file = file(bytes);
    let feed = CsvColumns::open(file.path(), format, columns).unwrap();
    let batches = plan(&feed, CutLimits::default());
    assert_eq!(batches.len(), 1);
    prepare(&feed, &batches[0])
}

fn texts(prepared: &Prepared, field: usize) -> Vec<Option<String>> {
    let text = |row| {
        let bytes = prepared.rows.row(row).nth(field).unwrap();
        bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    };
    (0..prepared.rows.len()).map(text).collect()
}

fn numbers(rows: &crate::mapping::rows::Rows) -> Vec<i64> {
    let number =
        |row| i64::from_be_bytes(rows.row(row).next().unwrap().unwrap().try_into().unwrap());
    (0..rows.len()).map(number).collect()
}

#[test]
fn columns_are_found_by_the_header_in_any_order() {
    let columns =
        vec![column("id", ColumnType::Int8), column("label", ColumnType::Text).from("name")];
    let out = prepare_all(b"name,other,id\nx,,1\ny,,2\n", CsvFormat::new(), columns);
    assert_eq!(numbers(&out.rows), [1, 2]);
    assert_eq!(texts(&out, 1), [Some("x".to_owned()), Some("y".to_owned())]);
}

#[test]
fn without_a_header_columns_are_taken_in_order_or_by_position() {
    let format = || CsvFormat::new().header(false);
    let out = prepare_all(b"1,x\n2,y\n3\n4,z,\n", format(), id_and_name());
    assert_eq!((numbers(&out.rows), out.refused.len()), (vec![1, 2], 2));
    let columns =
        vec![column("id", ColumnType::Int8).from("3"), column("a", ColumnType::Text).from("1")];
    let out = prepare_all(b"x,,1\ny,,2\nz,3\n", format(), columns);
    assert_eq!((numbers(&out.rows), out.refused.len()), (vec![1, 2], 1));
    for position in ["0", "4", "id"] {
        let columns = vec![column("id", ColumnType::Int8).from(position)];
        let error = open(b"1,2,3\n", format(), columns).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{position}");
    }
}

#[test]
fn what_the_header_lacks_or_has_twice_is_refused_with_the_file() {
    for header in [&b"id,nam\n"[..], b"id,name,name\n"] {
        let error = open(header, CsvFormat::new(), id_and_name()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.place().file.is_some() && error.message().contains("name"), "{error}");
    }
    assert!(open(b"id,name,x,x\n", CsvFormat::new(), id_and_name()).is_ok());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error =
        CsvColumns::open("no/such.csv", CsvFormat::new(), id_and_name()).unwrap_err().to_string();
    assert!(error.contains("cannot open the file") && error.contains("no/such.csv"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let error = CsvColumns::open(folder.path(), CsvFormat::new(), id_and_name()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Source);
}

#[test]
fn an_empty_file_has_no_rows_and_needs_no_header_if_none_is_expected() {
    assert!(open(b"", CsvFormat::new(), id_and_name()).unwrap_err().message().contains("empty"));
    for (bytes, header) in [(&b""[..], false), (b"id,name\n", true), (b"id,name", true)] {
        let file = file(bytes);
        let format = CsvFormat::new().header(header);
        let feed = CsvColumns::open(file.path(), format, id_and_name()).unwrap();
        assert!(plan(&feed, CutLimits::default()).is_empty());
    }
}

#[test]
fn only_texts_without_quotes_are_null() {
    let nulls = || CsvFormat::new().nulls(["", "NA"]);
    let bytes = b"id,name\n1,\n2,\"\"\n3,NA\n4,\"NA\"\n5, NA \n";
    let some = |text: &str| Some(text.to_owned());
    let plain = prepare_all(bytes, nulls(), id_and_name());
    assert_eq!(texts(&plain, 1), [None, some(""), None, some("NA"), some(" NA ")]);
    let trimmed = vec![column("id", ColumnType::Int8), column("name", ColumnType::Text).trim(true)];
    assert_eq!(texts(&prepare_all(bytes, nulls(), trimmed), 1)[4], None);
    let own = vec![column("id", ColumnType::Int8), column("name", ColumnType::Text).nulls(["NA"])];
    assert_eq!(
        texts(&prepare_all(bytes, CsvFormat::new(), own), 1)[..3],
        [some(""), some(""), None]
    );
}

#[test]
fn a_bad_row_costs_one_row_and_says_where_it_is() {
    let bytes = b"id,name\n1,\"a\nb\"\nx,c\n,d\n4\n5,\xFF\n6,f\n";
    let out = prepare_all(bytes, CsvFormat::new(), id_and_name());
    assert_eq!(numbers(&out.rows), [1, 6]);
    assert_eq!(out.indexes, [0, 5]);
    let place = |refused: &crate::source::prepared::Refused| {
        let origin = &refused.origin;
        (
            refused.index,
            origin.row,
            origin.line.unwrap(),
            origin.offset.unwrap(),
            origin.raw.clone(),
        )
    };
    assert_eq!(
        out.refused.iter().map(place).collect::<Vec<_>>(),
        [
            (1, 2, 4, 16, b"x,c".to_vec()),
            (2, 3, 5, 20, b",d".to_vec()),
            (3, 4, 6, 23, b"4".to_vec()),
            (4, 5, 7, 25, b"5,\xFF".to_vec()),
        ]
    );
    let why: Vec<_> = out
        .refused
        .iter()
        .map(|refused| (refused.stage, refused.error.sqlstate().unwrap()))
        .collect();
    assert_eq!(
        why,
        [
            (Stage::Convert, SqlState::INVALID_TEXT),
            (Stage::Precheck, SqlState::NOT_NULL_VIOLATION),
            (Stage::Parse, SqlState::BAD_COPY_FORMAT),
            (Stage::Parse, SqlState::CHARACTER_NOT_IN_REPERTOIRE),
        ]
    );
    assert_eq!(out.refused[0].error.place().column.as_deref(), Some("id"));
    assert!(out.refused[2].error.message().contains("\"name\""));
}

#[test]
fn a_refused_row_still_names_its_key() {
    let out = prepare_all(b"id,name\n1\n2,\xFF\n3,a,b\nx,a\n", CsvFormat::new(), id_and_name());
    assert_eq!((numbers(&out.named_keys), &out.named_indexes[..]), (vec![1, 2, 3], &[0, 1, 2][..]));
}

#[test]
fn any_batch_finds_its_rows_again() {
    let file = file(b"\xEF\xBB\xBFid,name\r\n1,\"a\r\n\"\r\n2,b\r\n3,c\n4,d\r\n5,e");
    let feed = CsvColumns::open(file.path(), CsvFormat::new(), id_and_name()).unwrap();
    let whole = plan(&feed, CutLimits::default());
    let all = prepare(&feed, &whole[0]);
    assert_eq!((numbers(&all.rows), all.refused.len()), (vec![1, 2, 5], 2));
    let single = plan(&feed, CutLimits::new(1, 1 << 20));
    assert_eq!(single.len(), 5);
    for (index, bounds) in single.iter().enumerate() {
        let alone = prepare(&feed, bounds);
        assert_eq!(alone.indexes.len(), usize::from([0, 1, 4].contains(&index)), "{index}");
        let origin = feed.origin(bounds, 0).unwrap();
        assert_eq!(origin, feed.origin(&whole[0], index as u32).unwrap());
        assert_eq!((origin.row, origin.line), (index as u64 + 1, Some([2, 4, 5, 6, 7][index])));
    }
    assert!(feed.origin(&single[0], 1).is_err());
}

#[test]
fn a_file_that_changed_is_refused() {
    let mut file = file(b"id,name\n1,a\n2,b\n");
    let feed = CsvColumns::open(file.path(), CsvFormat::new(), id_and_name()).unwrap();
    let bounds = plan(&feed, CutLimits::default())[0];
    let before = feed.fingerprint().unwrap();
    let refused = |feed: &CsvColumns| {
        let mut out = Prepared::new(&layout(feed));
        let error = feed.prepare(&bounds, &layout(feed), &mut out).unwrap_err();
        assert!(out.rows.is_empty());
        assert_eq!((error.kind(), error.place().batch), (ErrorKind::Source, Some(0)));
        assert!(error.message().contains("changed"), "{error}");
    };
    file.as_file_mut().set_len(14).unwrap();
    refused(&feed);
    std::fs::write(file.path(), b"id,name\n1,a\n2,c\n").unwrap();
    refused(&feed);
    assert_ne!(before, feed.fingerprint().unwrap());
    std::fs::write(file.path(), b"name,id\n1,a\n2,b\n").unwrap();
    let error = feed.plan(CutLimits::default(), &mut |_| Ok(())).unwrap_err();
    assert!(error.message().contains("changed"), "{error}");
}

#[test]
fn a_batch_with_another_number_of_rows_than_planned_is_refused() {
    let file = file(b"id,name\n1,a\n2,b\n");
    let feed = CsvColumns::open(file.path(), CsvFormat::new(), id_and_name()).unwrap();
    let mut bounds = plan(&feed, CutLimits::default())[0];
    bounds.rows = 3;
    let mut out = Prepared::new(&layout(&feed));
    let error = feed.prepare(&bounds, &layout(&feed), &mut out).unwrap_err();
    assert!(error.message().contains("2 records were read where 3 were planned"), "{error}");
}

#[test]
fn the_options_of_the_reader_are_part_of_the_fingerprint() {
    let file = file(b"id,name\n1,a\n");
    let print = |format| {
        CsvColumns::open(file.path(), format, id_and_name()).unwrap().fingerprint().unwrap()
    };
    assert_eq!(print(CsvFormat::new()), print(CsvFormat::new().escape(b'"')));
    assert_ne!(print(CsvFormat::new()), print(CsvFormat::new().nulls(["", "a"])));
}

#[test]
fn an_open_quote_refuses_the_plan_with_its_line() {
    let file = file(b"id,name\n1,a\n2,\"b\n3,c\n");
    let feed = CsvColumns::open(file.path(), CsvFormat::new(), id_and_name()).unwrap();
    let error = feed.plan(CutLimits::default(), &mut |_| Ok(())).unwrap_err();
    assert_eq!((error.kind(), error.place().line), (ErrorKind::Source, Some(3)));
    assert!(error.place().file.is_some());
}

#[test]
fn the_error_of_the_plans_caller_is_handed_back() {
    let file = file(b"id,name\n1,a\n");
    let feed = CsvColumns::open(file.path(), CsvFormat::new(), id_and_name()).unwrap();
    let stop = |_| Err(Error::new(ErrorKind::Ledger, "no"));
    let error = feed.plan(CutLimits::default(), &mut { stop }).unwrap_err();
    assert_eq!((error.kind(), error.place().file.as_ref()), (ErrorKind::Ledger, None));
}

#[test]
fn texts_become_values_of_the_targets_type() {
    let file = file(b"id,name\n3000000000,a\n");
    let columns = vec![column("id", ColumnType::Int4), column("name", ColumnType::Text)];
    let feed = CsvColumns::open(file.path(), CsvFormat::new(), columns).unwrap();
    let bounds = plan(&feed, CutLimits::default())[0];
    assert_eq!(prepare(&feed, &bounds).refused.len(), 1);
    let mut wider = layout(&feed);
    wider.columns[0].column_type = ColumnType::Int8;
    let mut out = Prepared::new(&wider);
    feed.prepare(&bounds, &wider, &mut out).unwrap();
    assert_eq!(numbers(&out.rows), [3_000_000_000]);
}

#[test]
fn a_type_that_cannot_be_read_is_no_fault_of_a_row() {
    let unread = ColumnType::Array(Box::new(ColumnType::Other("mood".to_owned())));
    let file = file(b"id,name\n1,{a}\n");
    let columns = vec![column("id", ColumnType::Int8), column("name", unread)];
    let feed = CsvColumns::open(file.path(), CsvFormat::new(), columns).unwrap();
    let bounds = plan(&feed, CutLimits::default())[0];
    let mut out = Prepared::new(&layout(&feed));
    let error = feed.prepare(&bounds, &layout(&feed), &mut out).unwrap_err();
    assert_eq!((error.kind(), out.refused.len()), (ErrorKind::Unsupported, 0));
}
