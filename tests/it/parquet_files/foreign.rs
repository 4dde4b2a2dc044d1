//! What other programs write: every physical form, lists, structs, several files.

use super::{ByHand, column, first, plan, read};
use parquet::basic::Compression;
use parquet::data_type::{
    ByteArray, ByteArrayType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, Int32Type,
    Int64Type, Int96, Int96Type,
};
use parquet::file::properties::WriterProperties;
use rowmill::{Feed, Files, Layout, ParquetColumns, Prepared};
use std::path::Path;

fn plain() -> WriterProperties {
    WriterProperties::builder().build()
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

#[test]
fn a_number_with_a_fixed_point_is_read_from_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    let schema = "message s { required int32 a (DECIMAL(9,2)); required int64 b (DECIMAL(18,2)); \
        required fixed_len_byte_array(5) c (DECIMAL(10,2)); required binary d (DECIMAL(60,2)); }";
    let mut file = ByHand::create(&path, schema, plain());
    let of = |bytes: &[u8]| ByteArray::from(bytes.to_vec());
    file.group(|group| {
        group
            .column::<Int32Type>(&[-5, 999_999_999])
            .column::<Int64Type>(&[-5, 999_999_999_999_999_999])
            .column::<FixedLenByteArrayType>(&[
                FixedLenByteArray::from(of(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFB])),
                FixedLenByteArray::from(of(&[0, 0, 0, 1, 0])),
            ])
            .column::<ByteArrayType>(&[of(&[0xFB]), of(&[&[1][..], &[0; 20]].concat())]);
    });
    file.end();
    let columns = ["a", "b", "c", "d"].map(|name| column(name, "numeric")).to_vec();
    let (rows, refused) = read(&ParquetColumns::open(&path, columns).unwrap(), 10);
    assert_eq!(refused, Vec::<String>::new());
    assert_eq!(rows[0], some(&["-0.05"; 4]));
    let large = "14615016373309029182036848327162830196559325429.76";
    assert_eq!(rows[1], some(&["9999999.99", "9999999999999999.99", "2.56", large]));
}

#[test]
fn times_of_every_unit_are_read_and_instants_are_instants() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    let schema = "message s { required int32 a (TIME(MILLIS,false)); \
        required int64 b (TIME(NANOS,false)); required int64 c (TIMESTAMP(MILLIS,false)); \
        required int64 d (TIMESTAMP(NANOS,true)); required int64 e (TIMESTAMP_MICROS); \
        required int96 f; required int32 g (INTEGER(32,false)); \
        required int64 h (INTEGER(64,false)); required fixed_len_byte_array(12) i (INTERVAL); }";
    let mut file = ByHand::create(&path, schema, plain());
    let mut old = Int96::new();
    old.set_data(1_000, 0, 2_440_588);
    let span = [1_u32, 2, 3].map(u32::to_le_bytes).concat();
    file.group(|group| {
        group
            .column::<Int32Type>(&[1])
            .column::<Int64Type>(&[1_500])
            .column::<Int64Type>(&[1])
            .column::<Int64Type>(&[-1_000])
            .column::<Int64Type>(&[1])
            .column::<Int96Type>(&[old])
            .column::<Int32Type>(&[-1])
            .column::<Int64Type>(&[-1])
            .column::<FixedLenByteArrayType>(&[FixedLenByteArray::from(ByteArray::from(span))]);
    });
    file.end();
    let types = [
        "time",
        "time",
        "timestamp",
        "timestamptz",
        "timestamptz",
        "timestamp",
        "bigint",
        "numeric",
        "interval",
    ];
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let columns = names.iter().zip(types).map(|(name, ty)| column(name, ty)).collect();
    let (rows, refused) = read(&ParquetColumns::open(&path, columns).unwrap(), 10);
    assert_eq!(refused, Vec::<String>::new());
    let expected = [
        "00:00:00.001",
        "00:00:00.000002",
        "1970-01-01 00:00:00.001",
        "1969-12-31 23:59:59.999999+00",
        "1970-01-01 00:00:00.000001+00",
        "1970-01-01 00:00:00.000001",
        "4294967295",
        "18446744073709551615",
        "1 mon 2 days 00:00:00.003",
    ];
    assert_eq!(rows, [some(&expected)]);
}

#[test]
fn lists_of_every_form_become_arrays() {
    let folder = tempfile::tempdir().unwrap();
    let expected = [Some("{1,NULL}"), Some("{}"), None, Some("{2}")];
    for (name, schema, definition) in [
        (
            "three",
            "message s { optional group l (LIST) { repeated group list { optional int32 element; } } }",
            [3, 2, 1, 0, 3],
        ),
        (
            "bag",
            "message s { optional group l (LIST) { repeated group bag { optional int32 array; } } }",
            [3, 2, 1, 0, 3],
        ),
    ] {
        let path = folder.path().join(name);
        let mut file = ByHand::create(&path, schema, plain());
        file.group(|group| {
            group.levels::<Int32Type>(&[1, 2], Some(&definition), Some(&[0, 1, 0, 0, 0]));
        });
        file.end();
        for rows in [1, 2, 10] {
            let source = ParquetColumns::open(&path, vec![column("l", "integer[]")]).unwrap();
            let expected = expected.map(|text| text.map(str::to_owned));
            assert_eq!(first(&source, rows), expected, "{name}");
        }
    }
    for (name, schema) in [
        ("two", "message s { optional group l (LIST) { repeated int32 element; } }"),
        ("bare", "message s { repeated int32 l; }"),
    ] {
        let path = folder.path().join(name);
        let mut file = ByHand::create(&path, schema, plain());
        let most = if name == "two" { 2 } else { 1 };
        let definition = [most, most, most - 1, most];
        file.group(|group| {
            group.levels::<Int32Type>(&[1, 2, 3], Some(&definition), Some(&[0, 1, 0, 0]));
        });
        file.end();
        let source = ParquetColumns::open(&path, vec![column("l", "jsonb")]).unwrap();
        assert_eq!(first(&source, 2), some(&["[1,2]", "[]", "[3]"]), "{name}");
    }
}

#[test]
fn a_field_of_a_struct_is_taken_by_a_pointer_and_what_is_nested_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    let schema = "message s { optional group at { optional binary city (UTF8); } \
        optional group m (MAP) { repeated group key_value { required int32 key; \
        optional int32 value; } } optional group ll (LIST) { repeated group list { \
        optional group element (LIST) { repeated group list { optional int32 element; } } } } }";
    let mut file = ByHand::create(&path, schema, plain());
    file.group(|group| {
        group
            .levels::<ByteArrayType>(&[ByteArray::from("Ulm")], Some(&[2, 1, 0]), None)
            .levels::<Int32Type>(&[], Some(&[0, 0, 0]), Some(&[0, 0, 0]))
            .levels::<Int32Type>(&[], Some(&[0, 0, 0]), Some(&[0, 0, 0]))
            .levels::<Int32Type>(&[], Some(&[0, 0, 0]), Some(&[0, 0, 0]));
    });
    file.end();
    let open = |from: &str| ParquetColumns::open(&path, vec![column("c", "text").from(from)]);
    let city = first(&open("/at/city").unwrap(), 2);
    assert_eq!(city, [Some("Ulm".to_owned()), None, None]);
    for (from, told) in [
        ("at", "the column \"at\" is a struct"),
        ("at", "from = \"/at/city\""),
        ("m", "the column \"m\" is a map"),
        ("ll", "the column \"ll\" is a list of what is no plain value"),
        ("/m/key_value/key", "is a list of what is no plain value"),
        ("att", "the file has no column \"att\""),
        ("att", "did you mean \"at\"?"),
        ("/at/town", "no column \"town\" in \"at\""),
    ] {
        let error = open(from).unwrap_err().to_string();
        assert!(error.contains(told) && error.contains("column c"), "{from}: {error}");
    }
}

/// `rows` numbers, beside texts that repeat, in row groups of 700 and small pages.
fn numbers(path: &Path, rows: i64) {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_data_page_row_count_limit(100)
        .set_write_batch_size(10)
        .build();
    let schema = "message s { required int64 n; optional binary t (UTF8); }";
    let mut file = ByHand::create(path, schema, properties);
    let all: Vec<i64> = (0..rows).collect();
    for group in all.chunks(700) {
        let there = |n: &&i64| *n % 3 > 0;
        let texts = group.iter().filter(there).map(|n| ByteArray::from(&*format!("t{}", n % 40)));
        let levels: Vec<_> = group.iter().map(|n| i16::from(there(&n))).collect();
        file.group(|columns| {
            columns.column::<Int64Type>(group).levels::<ByteArrayType>(
                &texts.collect::<Vec<_>>(),
                Some(&levels),
                None,
            );
        });
    }
    file.end();
}

#[test]
fn batches_are_the_same_in_whatever_order_they_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    numbers(&path, 3_000);
    let columns = vec![column("n", "bigint"), column("t", "text")];
    let source = ParquetColumns::open(&path, columns).unwrap();
    let layout = Layout::new(source.columns().to_vec(), Vec::new());
    let bounds = plan(&source, 37);
    assert!(bounds.len() > 80 && bounds.iter().all(|b| b.rows <= 37), "{}", bounds.len());
    assert_eq!(bounds.iter().map(|b| b.rows).sum::<u64>(), 3_000);
    // Forwards, backwards, and as several workers would.
    let count = bounds.len();
    let orders: [Vec<usize>; 3] = [
        (0..count).collect(),
        (0..count).rev().collect(),
        (0..count).map(|at| (at ^ 3) % count).chain(0..count).collect(),
    ];
    for order in orders {
        for at in order {
            let mut prepared = Prepared::new(&layout);
            source.prepare(&bounds[at], &layout, &mut prepared).unwrap();
            for row in 0..prepared.rows.len() {
                let n = bounds[at].first_row as i64 - 1 + row as i64;
                let text = (n % 3 > 0).then(|| format!("t{}", n % 40));
                let fields: Vec<_> = prepared.rows.row(row).collect();
                assert_eq!(
                    fields,
                    [Some(&n.to_be_bytes()[..]), text.as_ref().map(String::as_bytes)]
                );
            }
        }
    }
}

#[test]
fn several_files_are_one_source_whatever_the_order_and_the_types_of_their_columns_are() {
    let folder = tempfile::tempdir().unwrap();
    let one = "message s { required int64 n; required double x; }";
    let mut file = ByHand::create(&folder.path().join("1.parquet"), one, plain());
    file.group(|group| {
        group.column::<Int64Type>(&[1, 40_000]).column::<DoubleType>(&[0.5, 1.5]);
    });
    file.end();
    let two = "message s { required int32 x; required int32 n; }";
    let mut file = ByHand::create(&folder.path().join("2.parquet"), two, plain());
    file.group(|group| {
        group.column::<Int32Type>(&[2, 3]).column::<Int32Type>(&[3, 50_000]);
    });
    file.end();
    let files = Files::matching(format!("{}/*.parquet", folder.path().display()));
    let columns = vec![column("n", "smallint"), column("x", "double precision")];
    let source = ParquetColumns::open(files, columns).unwrap();
    let (rows, refused) = read(&source, 1);
    assert_eq!(rows, [some(&["1", "0.5"]), some(&["3", "2"])]);
    assert_eq!(refused.len(), 2);
    assert!(
        refused[0].starts_with("row 2: outside the range of smallint (22003) ["),
        "{refused:?}"
    );
    assert!(refused[1].starts_with("row 4: ") && refused[1].contains("\"n\":\"50000\""));
    let origin = source.origin(&plan(&source, 1)[3], 0).unwrap();
    assert!(origin.file.unwrap().ends_with("2.parquet"));
    assert_eq!((origin.row, origin.line), (4, Some(2)));
}
