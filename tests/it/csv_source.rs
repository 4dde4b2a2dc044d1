//! A CSV file means what the server's own COPY takes it to mean.

use crate::support::{data, shared};
use postgres::Client;
use rowmill::source::feed::{Feed, Layout};
use rowmill::source::prepared::Prepared;
use rowmill::{Bounds, ColumnType, CsvColumn, CsvColumns, CsvFormat, CutLimits, Ident};
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::Write;
use std::path::Path;

type Row = Vec<Option<String>>;

/// A row as it was read, or the SQLSTATE with which it was refused.
type Seen = Result<Row, String>;

/// Small numbers from a seed that the test prints (`ROWMILL_TEST_SEED` asks for one).
struct Dice(u64);

impl Dice {
    fn seeded() -> Self {
        let asked = std::env::var("ROWMILL_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = asked.unwrap_or_else(|| RandomState::new().build_hasher().finish()) | 1;
        eprintln!("ROWMILL_TEST_SEED={seed}");
        Self(seed)
    }

    /// A number below `limit`: xorshift.
    fn roll(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.roll(choices.len())]
    }
}

/// How a random file is written, for both readers.
struct Spelling {
    delimiter: u8,
    quote: u8,
    escape: u8,
    null: &'static str,
    line_end: &'static str,
}

impl Spelling {
    fn random(dice: &mut Dice) -> Self {
        let (delimiter, quote, escape) =
            dice.pick(&[(b',', b'"', b'"'), (b';', b'"', b'\\'), (b'\t', b'\'', b'\'')]);
        let null = dice.pick(&["", "", "NA"]);
        Self { delimiter, quote, escape, null, line_end: dice.pick(&["\n", "\n", "\r\n", "\r"]) }
    }

    fn format(&self) -> CsvFormat {
        CsvFormat::new()
            .delimiter(self.delimiter)
            .quote(self.quote)
            .escape(self.escape)
            .nulls([self.null])
            .header(false)
    }

    fn copy(&self, header: bool) -> String {
        let [delimiter, quote, escape] = [self.delimiter, self.quote, self.escape]
            .map(|byte| char::from(byte).to_string().replace('\'', "''"));
        format!(
            "copy t from stdin (format csv, header {header}, delimiter e'{delimiter}', \
             quote '{quote}', escape '{escape}', null '{}')",
            self.null
        )
    }

    /// A file of random pieces: mostly in shape, sometimes not.
    fn file(&self, dice: &mut Dice, width: usize) -> Vec<u8> {
        let mut file = Vec::new();
        for _ in 0..dice.roll(8) {
            let fields = if dice.roll(12) == 0 { dice.roll(4) + 1 } else { width };
            for field in 0..fields {
                if field > 0 {
                    file.push(self.delimiter);
                }
                self.field(dice, &mut file);
            }
            file.extend_from_slice(self.line_end.as_bytes());
            if dice.roll(15) == 0 {
                let odd: &[u8] = dice.pick(&[b"\n", b"\r\n", b"\r", b"\\.\n", b"\\.", b"\""]);
                file.extend_from_slice(odd);
            }
        }
        if dice.roll(3) == 0 {
            file.truncate(file.len().saturating_sub(self.line_end.len()));
        }
        file
    }

    fn field(&self, dice: &mut Dice, file: &mut Vec<u8>) {
        let piece = |dice: &mut Dice| -> &'static [u8] {
            dice.pick(&[b"a", b"b ", b"NA", b"7", b"\xC3\xA4", b"", b"\\", b"."])
        };
        if dice.roll(3) > 0 {
            (0..dice.roll(3)).for_each(|_| file.extend_from_slice(piece(dice)));
        }
        if dice.roll(3) == 0 {
            file.push(self.quote);
            for _ in 0..dice.roll(4) {
                match dice.roll(8) {
                    0 => file.extend_from_slice(&[self.escape, self.quote]),
                    1 => file.extend_from_slice(&[self.escape, self.escape]),
                    2 => file.push(self.delimiter),
                    3 => file.extend_from_slice(dice.pick(&[&b"\n"[..], b"\r\n", b"\r"])),
                    _ => file.extend_from_slice(piece(dice)),
                }
            }
            file.push(self.quote);
        }
        match dice.roll(150) {
            0 => file.push(self.quote),
            1 => file.push(0xFF),
            2 => file.push(0),
            3 => file.push(b'\r'),
            4 => file.extend_from_slice(self.line_end.as_bytes()),
            _ => {}
        }
    }
}

fn text_columns(width: usize) -> Vec<CsvColumn> {
    (0..width)
        .map(|number| CsvColumn::new(Ident::new(format!("c{number}")).unwrap(), ColumnType::Text))
        .collect()
}

fn plan(feed: &CsvColumns, limits: CutLimits) -> rowmill::Result<Vec<Bounds>> {
    let mut batches = Vec::new();
    feed.plan(limits, &mut |bounds| {
        batches.push(bounds);
        Ok(())
    })?;
    Ok(batches)
}

/// All rows of a file in order, with the byte at which each begins.
fn read(feed: &CsvColumns, batches: &[Bounds]) -> Vec<(u64, Seen)> {
    let layout = Layout::new(feed.columns().to_vec(), Vec::new());
    let mut rows = Vec::new();
    for bounds in batches {
        let mut prepared = Prepared::new(&layout);
        feed.prepare(bounds, &layout, &mut prepared).unwrap();
        let mut batch: Vec<Option<(u64, Seen)>> = vec![None; bounds.rows as usize];
        for (place, index) in prepared.indexes.iter().enumerate() {
            let cell = |field: Option<&[u8]>| field.map(|f| String::from_utf8(f.to_vec()).unwrap());
            let row = prepared.rows.row(place).map(cell).collect();
            let offset = feed.origin(bounds, *index).unwrap().offset.unwrap();
            batch[*index as usize] = Some((offset, Ok(row)));
        }
        for refused in &prepared.refused {
            let state = refused.error.sqlstate().unwrap().to_string();
            let refusal = match refused.error.message() {
                message if message.contains("the line before") => "skip".to_owned(),
                message if message.contains("would end a COPY") => "end".to_owned(),
                _ => state,
            };
            batch[refused.index as usize] = Some((refused.origin.offset.unwrap(), Err(refusal)));
        }
        rows.extend(batch.into_iter().map(|row| row.expect("no row disappears")));
    }
    rows
}

/// What the server makes of a file: its rows, or the SQLSTATE with which it refuses all of it.
fn copy(
    client: &mut Client,
    spelling: &Spelling,
    header: bool,
    file: &[u8],
) -> Result<Vec<Row>, String> {
    let mut transaction = client.transaction().unwrap();
    let mut writer = transaction.copy_in(&spelling.copy(header)).unwrap();
    writer.write_all(file).unwrap();
    writer.finish().map_err(|error| error.code().expect("an answer").code().to_owned())?;
    let rows = transaction.query("select * from t order by ctid", &[]).unwrap();
    Ok(rows.iter().map(|row| (0..row.len()).map(|cell| row.get(cell)).collect()).collect())
}

/// Compares every record alone, behind a line that shows the server what ends a line.
fn compare_records(client: &mut Client, spelling: &Spelling, file: &[u8], seen: &[(u64, Seen)]) {
    for (place, (start, row)) in seen.iter().enumerate() {
        let end = seen.get(place + 1).map_or(file.len(), |(next, _)| *next as usize);
        let record = &file[*start as usize..end];
        if spelling.line_end == "\r" && record.starts_with(b"\n") {
            assert!(row.is_err(), "a newline behind the header would make its end another one");
            continue;
        }
        let behind_header = [b"header", spelling.line_end.as_bytes(), record].concat();
        let expected = copy(client, spelling, true, &behind_header);
        let name = String::from_utf8_lossy(record).into_owned();
        match row {
            Ok(row) => assert_eq!(expected, Ok(vec![row.clone()]), "{name:?}"),
            // It stands behind a record that the server would have stopped at.
            Err(state) if state == "skip" => {}
            Err(state) if state == "end" => assert_eq!(expected, Ok(Vec::new()), "{name:?}"),
            // Of two faults the server names the one it meets first.
            Err(state) if state == "22021" && record.contains(&b'\r') => {
                assert!(expected.is_err(), "{name:?}");
            }
            Err(state) => {
                let whole = String::from_utf8_lossy(file);
                assert_eq!(expected.as_ref(), Err(state), "{name:?} of {whole:?}");
            }
        }
    }
}

fn compare(client: &mut Client, dice: &mut Dice, folder: &Path) {
    let width = dice.roll(3) + 1;
    let columns = (0..width).map(|n| format!("c{n} text")).collect::<Vec<_>>().join(", ");
    client.batch_execute(&format!("drop table if exists t; create table t ({columns})")).unwrap();
    let mut spelling = Spelling::random(dice);
    let file = spelling.file(dice, width);
    let path = folder.join("random.csv");
    std::fs::write(&path, &file).unwrap();
    let whole = copy(client, &spelling, false, &file);
    let opened = CsvColumns::open(&path, spelling.format(), text_columns(width));
    let limits = CutLimits::new(dice.roll(4) as u64 + 1, dice.roll(40) as u64 + 1);
    let planned = opened.and_then(|feed| plan(&feed, limits).map(|batches| (feed, batches)));
    let name = String::from_utf8_lossy(&file).into_owned();
    let (feed, batches) = match planned {
        Ok(planned) => planned,
        Err(error) => {
            assert!(error.message().contains("unterminated"), "{name:?}: {error}");
            // What stands behind the end of a COPY is not looked at by the server.
            assert!(whole.is_err() || name.contains("\\."), "{name:?}");
            return;
        }
    };
    let seen = read(&feed, &batches);
    let ends = seen.iter().any(|(_, row)| row == &Err("end".to_owned()));
    let good: Result<Vec<Row>, String> = seen.iter().map(|(_, row)| row.clone()).collect();
    if !ends {
        assert_eq!(whole.is_ok(), good.is_ok(), "{name:?}: {whole:?} {seen:?}");
        if let (Ok(whole), Ok(good)) = (&whole, &good) {
            assert_eq!(whole, good, "{name:?}");
        }
    }
    // The first line end of the file is the file's, whatever was meant.
    let first = seen.get(1).map_or(file.len(), |(start, _)| *start as usize);
    let ending =
        ["\r\n", "\n", "\r"].into_iter().find(|end| file[..first].ends_with(end.as_bytes()));
    spelling.line_end = ending.unwrap_or("\n");
    compare_records(client, &spelling, &file, &seen);
}

#[test]
fn a_random_file_is_read_as_the_server_reads_it() {
    let database = shared().database("csv");
    let mut client = database.connect();
    let folder = tempfile::tempdir().unwrap();
    let mut dice = Dice::seeded();
    for _ in 0..400 {
        compare(&mut client, &mut dice, folder.path());
    }
}

/// The records of a file whose quoted fields hold no line end, counted without our reader.
fn lines(path: &Path) -> u64 {
    let bytes = std::fs::read(path).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.lines().all(|line| line.matches('"').count() % 2 == 0), "{}", path.display());
    text.lines().count() as u64
}

fn csv_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let mut found: Vec<_> = folders.iter().flat_map(|folder| csv_files(folder)).collect();
    found.extend(files.into_iter().filter(|path| path.extension().is_some_and(|it| it == "csv")));
    found
}

#[test]
fn every_night_of_ourairports_is_read_as_the_server_reads_it() {
    let Some(folder) = data::nights() else { return };
    let database = shared().database("nights");
    let mut client = database.connect();
    let spelling =
        Spelling { delimiter: b',', quote: b'"', escape: b'"', null: "", line_end: "\n" };
    for path in csv_files(&folder) {
        let file = std::fs::read(&path).unwrap();
        let header = String::from_utf8(file.split(|byte| *byte == b'\n').next().unwrap().to_vec());
        let width = header.unwrap().split(',').count();
        let columns = (0..width).map(|n| format!("c{n} text")).collect::<Vec<_>>().join(", ");
        let create = format!("drop table if exists t; create table t ({columns})");
        client.batch_execute(&create).unwrap();
        let expected = copy(&mut client, &spelling, false, &file).unwrap();
        let feed = CsvColumns::open(&path, spelling.format(), text_columns(width)).unwrap();
        let batches = plan(&feed, CutLimits::new(1000, 1 << 20)).unwrap();
        let planned: u64 = batches.iter().map(|bounds| bounds.rows).sum();
        assert_eq!(planned, lines(&path), "{}", path.display());
        // The server may put a row on a page that was filled before: only what is there counts.
        let mut seen = rows(&feed, &batches);
        seen.sort();
        let mut expected = expected;
        expected.sort();
        let first = seen.iter().zip(&expected).position(|(seen, expected)| seen != expected);
        assert!(seen == expected, "{}: first difference at {first:?}", path.display());
    }
}

/// The rows of a file that has no bad one.
fn rows(feed: &CsvColumns, batches: &[Bounds]) -> Vec<Row> {
    let layout = Layout::new(feed.columns().to_vec(), Vec::new());
    let mut seen = Vec::new();
    for bounds in batches {
        let mut prepared = Prepared::new(&layout);
        feed.prepare(bounds, &layout, &mut prepared).unwrap();
        assert!(prepared.refused.is_empty(), "{:?}", prepared.refused);
        let cell = |field: Option<&[u8]>| field.map(|f| String::from_utf8(f.to_vec()).unwrap());
        let row = |place| prepared.rows.row(place).map(cell).collect();
        seen.extend((0..prepared.rows.len()).map(row));
    }
    seen
}
