//! What comes out of a compressed file is what a plain file has.

use super::{plan, rows};
use flate2::Compression as Level;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use rowmill::source::feed::Feed;
use rowmill::{
    ColumnType, Compression, CsvColumn, CsvColumns, CsvFormat, CutLimits, ErrorKind, Files, Ident,
    NdjsonColumn, NdjsonColumns,
};
use std::io::Write;
use std::path::{Path, PathBuf};

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 1).unwrap()
}

/// Compresses so many bytes at a time, each to a member or frame of its own.
fn members(bytes: &[u8], size: usize, compress: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    bytes.chunks(size.max(1)).flat_map(compress).collect()
}

fn csv(files: impl Into<Files>) -> Result<CsvColumns, rowmill::Error> {
    let column = |name: &str| CsvColumn::new(Ident::new(name).unwrap(), ColumnType::Text);
    CsvColumns::open(files, CsvFormat::new(), vec![column("id"), column("t")])
}

fn ndjson(files: impl Into<Files>) -> Result<NdjsonColumns, rowmill::Error> {
    let column = |name: &str| NdjsonColumn::new(Ident::new(name).unwrap(), ColumnType::Text);
    NdjsonColumns::open(files, vec![column("id"), column("t")])
}

fn written(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Reads all batches in an order that `turns` makes of them, and holds the rows against `plain`.
fn assert_same(plain: &dyn Feed, other: &dyn Feed, limits: CutLimits, turns: &[usize]) {
    let planned = plan(plain, limits).unwrap();
    let mut batches = plan(other, limits).unwrap();
    assert_eq!(batches, planned);
    let expected = rows(plain, &planned).unwrap();
    for (place, turn) in turns.iter().enumerate().take(batches.len()) {
        let other = turn % batches.len();
        batches.swap(place, other);
    }
    assert_eq!(rows(other, &batches).unwrap(), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_compressed_file_is_read_as_the_plain_one(
        fields in proptest::collection::vec("[a-z,\"\n\u{e9}\\\\]{0,12}", 0..40),
        size in 1_usize..300,
        rows in 1_u64..9,
        turns in proptest::collection::vec(any::<usize>(), 0..20),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let quoted = |field: &String| field.replace('"', "\"\"");
        let line = |(n, field): (usize, &String)| format!("{n},\"{}\"\n", quoted(field));
        let lines = fields.iter().enumerate().map(line).collect::<Vec<_>>().concat();
        let text = format!("id,t\r\n{}", lines.replace('\n', "\r\n"));
        let object = |id: u64| serde_json::json!({ "id": id, "t": fields[id as usize] }).to_string();
        let objects = super::lines(fields.len() as u64, object);
        let limits = CutLimits::new(rows, 200);
        for (name, compress) in [("gz", gzip as fn(&[u8]) -> Vec<u8>), ("zst", zstd)] {
            let path = |kind: &str, bytes: &[u8]| {
                let packed = members(bytes, size, compress);
                let plain = written(folder.path(), kind, bytes);
                (plain, written(folder.path(), &format!("{kind}.{name}"), &packed))
            };
            let (plain, packed) = path("csv", text.as_bytes());
            assert_same(&csv(plain).unwrap(), &csv(packed).unwrap(), limits, &turns);
            if !objects.is_empty() {
                let (plain, packed) = path("ndjson", objects.as_bytes());
                assert_same(&ndjson(plain).unwrap(), &ndjson(packed).unwrap(), limits, &turns);
            }
        }
    }
}

/// So long that what is passed over is no longer kept, and that members are begun at.
#[test]
fn a_long_file_is_read_from_any_batch() {
    let folder = tempfile::tempdir().unwrap();
    let mixed = |id: u64| format!("{id},{:x}", id.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut text = format!("id,t\n{}", super::lines(600_000, mixed));
    text.push_str(&"x,a b c d e f g h i j k l m n o p q r s t u v w x y z\n".repeat(400_000));
    let bytes = text.as_bytes();
    let plain = csv(written(folder.path(), "plain", bytes)).unwrap();
    let limits = CutLimits::new(40_000, 1 << 20);
    let batches = plan(&plain, limits).unwrap();
    let picked: Vec<_> = [0, 1, 3, 2, 20, 19, 21, 5, 30, 29, 4, 0].map(|n| batches[n]).to_vec();
    let expected = rows(&plain, &picked).unwrap();
    for packed in [gzip(bytes), members(bytes, 3 << 20, gzip), members(bytes, 3 << 20, zstd)] {
        let path = written(folder.path(), "packed", &packed);
        // As a restart does, which has not read the file to its end.
        let fresh = csv(&path).unwrap();
        assert!(rows(&fresh, &picked).unwrap() == expected);
        let planned = csv(&path).unwrap();
        assert_eq!(plan(&planned, limits).unwrap(), batches);
        assert!(rows(&planned, &picked).unwrap() == expected);
    }
}

#[test]
fn workers_read_one_compressed_file_together() {
    let folder = tempfile::tempdir().unwrap();
    let lines = super::lines(40_000, |id| format!("{id},text {id}"));
    let text = format!("id,t\n{lines}");
    let plain = csv(written(folder.path(), "plain", text.as_bytes())).unwrap();
    let packed = csv(written(folder.path(), "packed", &gzip(text.as_bytes()))).unwrap();
    let batches = plan(&plain, CutLimits::new(100, u64::MAX)).unwrap();
    let expected = rows(&plain, &batches).unwrap();
    let mut seen: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                let own: Vec<_> = batches.iter().skip(worker).step_by(4).copied().collect();
                let packed = &packed;
                scope.spawn(move || rows(packed, &own).unwrap())
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    seen.sort();
    assert!(seen == expected);
}

#[test]
fn what_is_cut_short_or_corrupt_is_refused_before_a_batch_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let lines = super::lines(20_000, |id| format!("{id},text {}", id * 7 % 1000));
    let text = format!("id,t\n{lines}");
    for compress in [gzip as fn(&[u8]) -> Vec<u8>, zstd] {
        let whole = compress(text.as_bytes());
        let mut broken = whole.clone();
        let middle = broken.len() / 2;
        broken[middle..middle + 40].fill(0x5A);
        let garbage = [&whole[..], b"garbage"].concat();
        for (bytes, told) in [
            (&whole[..whole.len() - 3], "ends too early"),
            (&whole[..whole.len() / 2], "ends too early"),
            (&broken[..], "is corrupt"),
            (&garbage[..], ""),
        ] {
            let path = written(folder.path(), "packed", bytes);
            let planned = csv(&path).and_then(|feed| plan(&feed, CutLimits::default()));
            let error = planned.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Source);
            assert!(error.message().contains(told), "{error}");
            assert!(error.message().contains("near byte"), "{error}");
            assert_eq!(error.place().file.as_deref(), path.to_str(), "{error}");
        }
    }
}

#[test]
fn a_file_may_be_padded_with_zeros_and_have_empty_members() {
    let folder = tempfile::tempdir().unwrap();
    let text = b"id,t\n1,a\n";
    for bytes in [
        [gzip(text), vec![0; 700]].concat(),
        [gzip(b""), gzip(text), gzip(b"")].concat(),
        [zstd(text), zstd(b"")].concat(),
        // A frame that is to be skipped.
        [b"\x50\x2A\x4D\x18\x03\0\0\0abc".to_vec(), zstd(text)].concat(),
    ] {
        let feed = csv(written(folder.path(), "packed", &bytes)).unwrap();
        let batches = plan(&feed, CutLimits::default()).unwrap();
        assert_eq!(rows(&feed, &batches).unwrap().len(), 1);
    }
}

#[test]
fn a_compression_that_is_named_is_taken_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let plain = written(folder.path(), "plain.csv.gz", b"id,t\n1,a\n");
    let packed = written(folder.path(), "packed.csv", &gzip(b"id,t\n1,a\n"));
    csv(&plain).unwrap();
    csv(&packed).unwrap();
    csv(Files::from(&packed).compression(Compression::Gzip)).unwrap();
    for files in [
        Files::from(&plain).compression(Compression::Gzip),
        Files::from(&packed).compression(Compression::Zstd),
        Files::from(&packed).compression(Compression::None),
    ] {
        assert_eq!(csv(files).unwrap_err().kind(), ErrorKind::Source);
    }
    let empty = written(folder.path(), "empty.gz", b"");
    let error = ndjson(Files::from(&empty).compression(Compression::Gzip)).unwrap_err();
    assert!(error.message().contains("ends too early"), "{error}");
}

/// A batch of the plan that is no longer in the file.
#[test]
fn a_compressed_file_that_changed_since_it_was_planned_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), "packed", &gzip(b"id,t\n1,a\n2,b\n3,c\n"));
    let feed = csv(&path).unwrap();
    let batches = plan(&feed, CutLimits::new(1, u64::MAX)).unwrap();
    let before = feed.fingerprint().unwrap();
    for other in [&b"id,t\n1,a\n2,x\n3,c\n"[..], b"id,t\n1,a\n"] {
        written(folder.path(), "packed", &gzip(other));
        let error = rows(&csv(&path).unwrap(), &batches[1..2]).unwrap_err();
        assert!(error.message().contains("changed since it was planned"), "{error}");
        assert_ne!(feed.fingerprint().unwrap(), before);
    }
}
