use super::*;
use crate::error::{Error, ErrorKind};
use crate::ident::{Ident, TableName};
use crate::mapping::cell::CellRef;
use crate::mapping::column_type::ColumnType;
use crate::mapping::rows::RowWriter;
use std::io::Write;
use tempfile::NamedTempFile;

/// An entity as `#[derive(Entity)]` would write it, with a column that the database makes.
#[derive(Debug, PartialEq)]
struct Person {
    id: i64,
    name: Option<String>,
    made: Option<i64>,
}

impl Entity for Person {
    fn table() -> Result<TableName> {
        TableName::parse("people")
    }

    fn columns() -> Result<Vec<Column>> {
        Ok(vec![
            Column::new(Ident::new("id")?, ColumnType::Int8).not_null(),
            Column::new(Ident::new("name")?, ColumnType::Text),
            Column::new(Ident::new("made")?, ColumnType::Int8).generated(),
        ])
    }

    fn key() -> &'static [&'static str] {
        &["id"]
    }

    fn pack(&self, _: &[Column], _: &mut RowWriter<'_>) -> Result<()> {
        Err(Error::new(ErrorKind::Unsupported, "not written here"))
    }

    fn pack_field(&self, _: usize, _: &ColumnType, _: &mut Vec<u8>) -> Result<bool> {
        Err(Error::new(ErrorKind::Unsupported, "not written here"))
    }

    fn fill_field(&mut self, _: usize, _: CellRef<'_>) -> Result<()> {
        Err(Error::new(ErrorKind::Unsupported, "not written here"))
    }

    fn unpack<'a>(cell: &mut dyn FnMut(usize) -> Result<CellRef<'a>>) -> Result<Self> {
        let number = |cell: CellRef<'a>| match cell {
            CellRef::Packed(ColumnType::Int8, bytes) => {
                Some(i64::from_be_bytes(bytes.try_into().unwrap()))
            }
            _ => None,
        };
        let null = || Error::new(ErrorKind::Decode, "NULL in a field that is not an Option");
        let id = number(cell(0)?).ok_or_else(null)?;
        let name = match cell(1)? {
            CellRef::Packed(ColumnType::Text, bytes) => {
                Some(String::from_utf8(bytes.to_vec()).unwrap())
            }
            _ => None,
        };
        Ok(Self { id, name, made: number(cell(2)?) })
    }
}

fn person(id: i64, name: Option<&str>, made: Option<i64>) -> Person {
    Person { id, name: name.map(str::to_owned), made }
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn read(source: &Csv<Person>, rows: u64) -> Vec<(Bounds, u32, Result<Person, Refusal>)> {
    let mut batches = Vec::new();
    source
        .plan(CutLimits::new(rows, 1 << 20), &mut |bounds| {
            batches.push(bounds);
            Ok(())
        })
        .unwrap();
    let mut seen = Vec::new();
    for bounds in batches {
        source
            .read(&bounds, &mut |index, row| {
                seen.push((bounds, index, row));
                Ok(())
            })
            .unwrap();
    }
    seen
}

fn good(seen: Vec<(Bounds, u32, Result<Person, Refusal>)>) -> Vec<Person> {
    seen.into_iter().filter_map(|(_, _, row)| row.ok()).collect()
}

#[test]
fn records_become_values_by_the_names_of_the_header() {
    let file = file("name,other,id\nx,,1\n,,2\n\"\",,3\n");
    let source = Csv::<Person>::open(file.path()).unwrap();
    let expected = [person(1, Some("x"), None), person(2, None, None), person(3, Some(""), None)];
    assert_eq!(good(read(&source, 2)), expected);
}

#[test]
fn a_column_that_the_database_makes_may_stand_in_the_file() {
    let file = file("id,name,made\n1,x,9\n");
    let source = Csv::<Person>::open(file.path()).unwrap();
    assert_eq!(good(read(&source, 9)), [person(1, Some("x"), Some(9))]);
}

#[test]
fn without_a_header_the_fields_are_the_columns_that_rows_carry() {
    let file = file("1,x\n2,y,3\n");
    let source = Csv::<Person>::with_format(file.path(), CsvFormat::new().header(false)).unwrap();
    let seen = read(&source, 9);
    assert_eq!(seen[1].2.as_ref().unwrap_err().stage, Stage::Parse);
    assert_eq!(good(seen), [person(1, Some("x"), None)]);
}

#[test]
fn a_refused_record_keeps_its_number_and_is_found_again() {
    let file = file("id,name\n1,a\nx,b\n,c\n4\n5,e\n");
    let source = Csv::<Person>::open(file.path()).unwrap();
    let seen = read(&source, 9);
    let stages: Vec<_> = seen
        .iter()
        .map(|(_, index, row)| (*index, row.as_ref().err().map(|refusal| refusal.stage)))
        .collect();
    let (convert, parse) = (Some(Stage::Convert), Some(Stage::Parse));
    assert_eq!(stages, [(0, None), (1, convert), (2, convert), (3, parse), (4, None)]);
    let origins = source.origins(&seen[0].0, &[1, 3]).unwrap();
    let raw: Vec<_> = origins.iter().map(|origin| (origin.row, &origin.raw[..])).collect();
    assert_eq!(raw, [(2, &b"x,b"[..]), (4, b"4")]);
    assert_eq!(origins[1], source.origin(&seen[0].0, 3).unwrap());
}

#[test]
fn a_column_that_the_file_lacks_is_refused() {
    let file = file("id,nam\n1,a\n");
    let error = Csv::<Person>::open(file.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("did you mean \"nam\""), "{error}");
}

#[test]
fn what_each_returns_stops_the_reading() {
    let file = file("id,name\n1,a\n2,b\n");
    let source = Csv::<Person>::open(file.path()).unwrap();
    let (bounds, ..) = read(&source, 9)[0];
    let mut calls = 0;
    let stopped = source.read(&bounds, &mut |_, _| {
        calls += 1;
        Err(Error::new(ErrorKind::Stopped, "enough"))
    });
    assert_eq!((stopped.unwrap_err().kind(), calls), (ErrorKind::Stopped, 1));
}
