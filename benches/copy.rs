//! Encodes and decodes rows of the width of TPC-H's `lineitem`; no server.
//!
//! `cargo bench --bench copy`; with `--features rust_decimal` the four amounts are `Decimal`s
//! instead of whole numbers. The rate is in rows; one row is about 220 bytes.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench fails by panicking")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rowmill::copy::decode::Decoder;
use rowmill::copy::encode::encode;
use rowmill::{Cell, CellRef, Column, ColumnType, Entity, Error, ErrorKind, Result, Rows};
use std::hint::black_box;

const ROWS: u64 = 10_000;
const SEED: u64 = 20_261_121;
/// What a connection hands over at once.
const PIECE_BYTES: usize = 64 << 10;
const COLUMNS: usize = 16;

#[cfg(feature = "rust_decimal")]
type Amount = rust_decimal::Decimal;
#[cfg(not(feature = "rust_decimal"))]
type Amount = i64;

#[derive(Entity)]
#[entity(table = "lineitem")]
struct LineItem {
    #[entity(key)]
    orderkey: i64,
    partkey: i64,
    suppkey: i64,
    #[entity(key)]
    linenumber: i32,
    #[entity(column_type = "numeric(15,2)")]
    quantity: Amount,
    #[entity(column_type = "numeric(15,2)")]
    extendedprice: Amount,
    #[entity(column_type = "numeric(15,2)")]
    discount: Amount,
    #[entity(column_type = "numeric(15,2)")]
    tax: Amount,
    #[entity(column_type = "char(1)")]
    returnflag: String,
    #[entity(column_type = "char(1)")]
    linestatus: String,
    shipdate: Day,
    commitdate: Day,
    receiptdate: Day,
    #[entity(column_type = "char(25)")]
    shipinstruct: String,
    #[entity(column_type = "char(10)")]
    shipmode: String,
    #[entity(column_type = "varchar(44)")]
    comment: String,
}

/// A date, as days since 2000-01-01.
struct Day(i32);

impl Cell for Day {
    fn column_type() -> ColumnType {
        ColumnType::Date
    }

    fn pack(&self, _: &ColumnType, out: &mut Vec<u8>) -> Result<bool> {
        out.extend_from_slice(&self.0.to_be_bytes());
        Ok(true)
    }

    fn unpack(cell: CellRef<'_>) -> Result<Self> {
        let CellRef::Packed(ColumnType::Date, bytes) = cell else {
            return Err(Error::new(ErrorKind::Decode, "no date"));
        };
        Ok(Self(i32::from_be_bytes(bytes.try_into().unwrap())))
    }
}

/// A generator that gives the same numbers on every machine (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> i64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % limit) as i64
    }

    fn amount(&mut self, limit: u64) -> Amount {
        #[cfg(feature = "rust_decimal")]
        return Amount::new(self.below(limit * 100), 2);
        #[cfg(not(feature = "rust_decimal"))]
        return self.below(limit);
    }

    fn day(&mut self) -> Day {
        Day(self.below(2_500) as i32 - 3_000)
    }

    fn pick(&mut self, words: &[&str]) -> String {
        words[self.below(words.len() as u64) as usize].to_owned()
    }

    fn comment(&mut self) -> String {
        const WORDS: &str = "furiously regular deposits sleep carefully among the final packages";
        let length = 10 + self.below(34) as usize;
        WORDS[..length].to_owned()
    }

    fn line_item(&mut self) -> LineItem {
        LineItem {
            orderkey: self.below(6_000_000),
            partkey: self.below(200_000),
            suppkey: self.below(10_000),
            linenumber: self.below(7) as i32 + 1,
            quantity: self.amount(50),
            extendedprice: self.amount(100_000),
            discount: self.amount(1),
            tax: self.amount(1),
            returnflag: self.pick(&["R", "A", "N"]),
            linestatus: self.pick(&["O", "F"]),
            shipdate: self.day(),
            commitdate: self.day(),
            receiptdate: self.day(),
            shipinstruct: self.pick(&["DELIVER IN PERSON", "COLLECT COD", "NONE"]),
            shipmode: self.pick(&["AIR", "RAIL", "SHIP", "TRUCK", "MAIL"]),
            comment: self.comment(),
        }
    }
}

fn pack_all(items: &[LineItem], columns: &[Column], rows: &mut Rows) {
    rows.clear();
    for item in items {
        let mut row = rows.begin();
        item.pack(columns, &mut row).unwrap();
        row.finish().unwrap();
    }
}

fn unpack_all(stream: &[u8], columns: &[Column], each: &mut impl FnMut(LineItem)) -> u64 {
    let mut decoder = Decoder::new(COLUMNS as u16);
    for piece in stream.chunks(PIECE_BYTES) {
        let read = decoder.push(piece, &mut |fields| {
            let mut cells = [CellRef::Null; COLUMNS];
            for ((cell, column), field) in cells.iter_mut().zip(columns).zip(fields) {
                if let Some(bytes) = field {
                    *cell = CellRef::Packed(&column.column_type, bytes);
                }
            }
            each(LineItem::unpack(&mut |index| Ok(cells[index]))?);
            Ok(())
        });
        read.unwrap();
    }
    decoder.finish().unwrap()
}

fn copy(criterion: &mut Criterion) {
    let mut numbers = Numbers(SEED);
    let items: Vec<LineItem> = (0..ROWS).map(|_| numbers.line_item()).collect();
    let columns = LineItem::columns().unwrap();
    let mut rows = Rows::new(COLUMNS as u16);
    pack_all(&items, &columns, &mut rows);
    let stream = encode(&rows);

    let mut group = criterion.benchmark_group("copy");
    group.throughput(Throughput::Elements(ROWS));
    group.bench_function("encode: structs to rows", |bencher| {
        bencher.iter(|| pack_all(black_box(&items), &columns, &mut rows));
    });
    group.bench_function("decode: stream to structs", |bencher| {
        bencher.iter(|| {
            let count = unpack_all(black_box(&stream), &columns, &mut |item| {
                black_box(item);
            });
            assert_eq!(count, ROWS);
        });
    });
    group.bench_function("decode: stream to fields", |bencher| {
        bencher.iter(|| {
            let mut decoder = Decoder::new(COLUMNS as u16);
            for piece in black_box(&stream).chunks(PIECE_BYTES) {
                decoder
                    .push(piece, &mut |fields| {
                        black_box(fields.count());
                        Ok(())
                    })
                    .unwrap();
            }
            assert_eq!(decoder.finish().unwrap(), ROWS);
        });
    });
    group.finish();
}

criterion_group!(benches, copy);
criterion_main!(benches);
