//! Files that are damaged, encrypted, changed; rows with bad values.

use super::{ByHand, column, plan, read};
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use rowmill::{
    Engine, Feed, Files, Job, Layout, MaxRejects, Mode, ParquetColumns, Prepared, Result,
    TableName, Target,
};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Numbers in two row groups of 1000.
fn write(path: &Path, start: i64) {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(parquet::basic::ZstdLevel::default()))
        .build();
    let mut file = ByHand::create(path, "message s { required int64 n; }", properties);
    for group in 0..2 {
        let values: Vec<_> = (0..1_000).map(|n| start + group * 1_000 + n * n % 977).collect();
        file.group(|columns| {
            columns.column::<Int64Type>(&values);
        });
    }
    file.end();
}

fn open(path: &Path) -> Result<ParquetColumns> {
    ParquetColumns::open(path, vec![column("n", "bigint")])
}

/// What the first error of opening and reading a file is.
fn fault(path: &Path) -> Option<String> {
    let source = match open(path) {
        Ok(source) => source,
        Err(error) => return Some(error.to_string()),
    };
    let layout = Layout::new(source.columns().to_vec(), Vec::new());
    let batches = plan(&source, 100);
    let mut read = batches.iter().map(|bounds| {
        source.prepare(bounds, &layout, &mut Prepared::new(&layout)).map_err(|e| e.to_string())
    });
    read.find_map(std::result::Result::err)
}

#[test]
fn a_file_that_is_no_parquet_or_is_cut_off_or_encrypted_is_told_from_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    write(&path, 0);
    let whole = fs::read(&path).unwrap();
    let mut encrypted = whole.clone();
    let end = encrypted.len();
    encrypted[end - 4..].copy_from_slice(b"PARE");
    let mut long = whole.clone();
    long[end - 8..end - 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut garbled = whole.clone();
    garbled[end - 40..end - 20].fill(0xFF);
    for (bytes, told) in [
        (b"a,b\n1,2\n".to_vec(), "not a Parquet file"),
        (Vec::new(), "not a Parquet file"),
        (whole[..end / 2].to_vec(), "the Parquet file is damaged: its footer is missing"),
        (encrypted, "the Parquet file is encrypted"),
        (long, "its footer is larger than it"),
        (garbled, "the Parquet file is damaged"),
    ] {
        fs::write(&path, bytes).unwrap();
        let error = fault(&path).unwrap();
        assert!(error.contains(told) && error.contains("x.parquet"), "{told}: {error}");
    }
}

#[test]
fn a_damaged_page_is_told_with_its_file_and_row_group() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    write(&path, 0);
    assert_eq!(fault(&path), None);
    let mut bytes = fs::read(&path).unwrap();
    let second = {
        let input: bytes::Bytes = bytes.clone().into();
        let file = parquet::file::reader::FileReader::metadata(
            &parquet::file::serialized_reader::SerializedFileReader::new(input).unwrap(),
        )
        .row_group(1)
        .clone();
        file.column(0).byte_range().0 as usize
    };
    // The head of a page: within a page without a checksum, nothing tells.
    bytes[second..second + 8].fill(0x55);
    fs::write(&path, &bytes).unwrap();
    let error = fault(&path).unwrap();
    assert!(error.contains("row group 1: the Parquet file is damaged"), "{error}");
    assert!(error.contains("x.parquet") && error.contains("batch 10"), "{error}");
}

/// F56
#[test]
fn whatever_bytes_are_changed_the_file_is_read_or_refused_and_nothing_panics() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    write(&path, 0);
    let whole = fs::read(&path).unwrap();
    let mut refused = 0;
    for at in (0..whole.len()).step_by(whole.len() / 150) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x5A;
        fs::write(&path, bytes).unwrap();
        refused += u32::from(fault(&path).is_some());
    }
    // What lies within a page has no checksum; the footer and the heads of pages are looked at.
    assert!(refused > 10, "{refused}");
}

fn job(feed: ParquetColumns, rejects: u64) -> Job {
    let columns = feed.columns().to_vec();
    let table = TableName::parse("t").unwrap();
    let mut target = Target::new(table, columns, Vec::new(), Mode::Append).unwrap();
    target.create = true;
    let job = Job::named("load").feed(Arc::new(feed), target);
    job.batch_rows(100).max_rejects(MaxRejects::Count(rejects)).workers(1)
}

#[test]
fn a_file_that_was_replaced_is_refused_with_the_difference() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    let engine = Engine::open(&format!("sqlite:{}", folder.path().join("t.db").display()))?;
    // The second row group does not fit.
    write(&path, 31_000);
    let small = || ParquetColumns::open(&path, vec![column("n", "smallint")]).unwrap();
    job(small(), 3).run(&engine).unwrap_err();
    let planned = plan(&small(), 100);

    let mut file = ByHand::create(
        &path,
        "message s { required int64 n; }",
        WriterProperties::builder().set_created_by("somebody else".to_owned()).build(),
    );
    file.group(|columns| {
        columns.column::<Int64Type>(&[1, 2, 3]);
    });
    file.end();
    let error = job(small(), 3).run(&engine).unwrap_err().to_string();
    assert!(error.contains("it was parquet of 2000 rows in 2 row groups"), "{error}");
    assert!(
        error.contains("it is parquet of 3 rows in 1 row groups by \"somebody else\""),
        "{error}"
    );

    // So is one that is replaced while a run reads it, by one with as many rows.
    write(&path, 5);
    let layout = Layout::new(small().columns().to_vec(), Vec::new());
    let mut prepared = Prepared::new(&layout);
    let error = small().prepare(&planned[0], &layout, &mut prepared).unwrap_err();
    assert!(error.to_string().contains("the file changed since it was planned"), "{error}");
    Ok(())
}

#[test]
fn a_bad_value_costs_one_row_and_its_record_can_be_mended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    let schema = "message s { required int64 n; required int64 at (TIMESTAMP(MILLIS,false)); \
        required binary t (UTF8); required binary raw; }";
    let mut file = ByHand::create(&path, schema, WriterProperties::builder().build());
    let text = |bytes: &[u8]| ByteArray::from(bytes.to_vec());
    file.group(|columns| {
        columns
            .column::<Int64Type>(&[1, 99_999, 3, 4, 5])
            .column::<Int64Type>(&[0, 0, i64::MAX, 0, 0])
            .column::<ByteArrayType>(&[b"a", b"b", b"c", &[0xFF][..], b"e"].map(text))
            .column::<ByteArrayType>(&[b"a", b"b", b"c", b"d", &[0xFE][..]].map(text));
    });
    file.end();
    let columns = || {
        vec![
            column("n", "smallint"),
            column("at", "timestamp"),
            column("t", "text"),
            column("raw", "text"),
        ]
    };
    let source = ParquetColumns::open(&path, columns()).unwrap();
    let (good, bad) = read(&source, 10);
    assert_eq!(good.len(), 1);
    for (found, told) in bad.iter().zip([
        "row 2: outside the range of smallint (22003) [column n]",
        "row 3: outside the range of timestamp (22008) [column at]",
        "row 4: invalid byte sequence for encoding \"UTF8\" (22021) [column t]",
        "row 5: invalid byte sequence for encoding \"UTF8\" (22021) [column raw]",
    ]) {
        assert!(found.starts_with(told), "{found}");
    }
    assert_eq!(bad.len(), 4);
    assert!(bad[1].contains("\"at\":\"9223372036854775807\""), "{}", bad[1]);

    let layout = Layout::new(source.columns().to_vec(), Vec::new());
    let mut prepared = Prepared::new(&layout);
    let records: [&[u8]; 3] = [
        br#"{"n":"7","at":"2026-01-02 03:04:05","t":"x","raw":"y"}"#,
        br#"{"n":8,"at":null,"t":"x"}"#,
        b"[]",
    ];
    source.prepare_records(&records, &layout, &mut prepared).unwrap();
    assert_eq!((prepared.rows.len(), prepared.refused.len(), prepared.read), (2, 1, 3));
    let fields: Vec<_> = prepared.rows.row(1).collect();
    assert_eq!(fields, [Some(&[0, 8][..]), None, Some(&b"x"[..]), None]);
}

/// batch 3.3.1: a row is replayed from the JSON object that was kept of it, also when the file is gone.
#[test]
fn a_rejected_row_is_replayed_from_its_record() {
    let database = crate::support::shared().database("replay");
    database.sql(
        "create table t (n bigint constraint positive check (n > 0), at timestamptz, \
         sum numeric(9,2), words text, raw bytea, tags text[])",
    );
    let engine = Engine::open(&database.url()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    let schema = "message s { required int64 n; required int64 at (TIMESTAMP(MICROS,true)); \
        required int64 sum (DECIMAL(9,2)); required binary words (UTF8); required binary raw; \
        required group tags (LIST) { repeated group list { optional binary element (UTF8); } } }";
    let mut file = ByHand::create(&path, schema, WriterProperties::builder().build());
    let bytes = |bytes: &[u8]| ByteArray::from(bytes.to_vec());
    file.group(|columns| {
        columns
            .column::<Int64Type>(&[1, -2, -3])
            .column::<Int64Type>(&[0, 1_234_567_890_123_456, -1])
            .column::<Int64Type>(&[100, -5, 999_999_999])
            .column::<ByteArrayType>(&[&b"a"[..], "\"ä\"\n,\\".as_bytes(), b""].map(bytes))
            .column::<ByteArrayType>(&[&b""[..], &[0, 0xFF], b"\\"].map(bytes))
            .levels::<ByteArrayType>(
                &[&b"x"[..], b"a b", b""].map(bytes),
                Some(&[2, 2, 1, 2]),
                Some(&[0, 0, 1, 0]),
            );
    });
    file.end();
    let columns = [
        ("n", "bigint"),
        ("at", "timestamptz"),
        ("sum", "numeric(9,2)"),
        ("words", "text"),
        ("raw", "bytea"),
        ("tags", "text[]"),
    ];
    let columns = columns.map(|(name, ty)| column(name, ty)).to_vec();
    let job = job(ParquetColumns::open(&path, columns).unwrap(), 2);
    assert_eq!(job.run(&engine).unwrap().rejected, 2);
    // What the same rows are where nothing refuses them.
    database.sql("alter table t drop constraint positive");
    let replayed = job.replay(&engine, false).unwrap();
    assert_eq!((replayed.resolved, replayed.open), (2, 2));
    let rows = database.value(
        "select string_agg(concat_ws('|', n, extract(epoch from at), sum, words, raw, tags), ' ; ' \
         order by n desc) from t",
    );
    assert_eq!(
        rows,
        "1|0.000000|1.00|a|\\x|{x} ; \
         -2|1234567890.123456|-0.05|\"ä\"\n,\\|\\x00ff|{\"a b\",NULL} ; \
         -3|-0.000001|9999999.99||\\x5c|{\"\"}"
    );
}

#[test]
fn a_pattern_without_files_is_an_empty_source_where_that_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::matching(format!("{}/*.parquet", folder.path().display()));
    let columns = || vec![column("n", "bigint")];
    assert!(ParquetColumns::open(files.clone(), columns()).is_err());
    let source = ParquetColumns::open(files.allow_empty(true), columns()).unwrap();
    assert!(plan(&source, 10).is_empty());
}
