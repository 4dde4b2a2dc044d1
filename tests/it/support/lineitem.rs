//! Rows of TPC-H's lineitem table as CSV, as many as asked for and always the same ones.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use tpchgen::csv::LineItemCsv;
use tpchgen::distribution::Distributions;
use tpchgen::generators::LineItemGenerator;
use tpchgen::text::TextPool;

/// The columns as `create table` wants them; the key is (`l_orderkey`, `l_linenumber`).
pub const COLUMNS: &str = "l_orderkey bigint not null, l_partkey bigint not null, \
    l_suppkey bigint not null, l_linenumber integer not null, l_quantity numeric(15,2) not null, \
    l_extendedprice numeric(15,2) not null, l_discount numeric(15,2) not null, \
    l_tax numeric(15,2) not null, l_returnflag char(1) not null, l_linestatus char(1) not null, \
    l_shipdate date not null, l_commitdate date not null, l_receiptdate date not null, \
    l_shipinstruct char(25) not null, l_shipmode char(10) not null, l_comment varchar(44) not null";

/// The names of the columns and their types.
pub fn columns() -> impl Iterator<Item = (&'static str, &'static str)> {
    COLUMNS
        .split(" not null")
        .filter(|column| !column.is_empty())
        .map(|column| column.trim_start_matches(", ").split_once(' ').expect("a name and a type"))
}

/// Comments are cut from a text this long. TPC-H's own has 300 MB, which costs a debug build many
/// seconds: the numbers are TPC-H's, the comments only look like them.
const TEXT_BYTES: i32 = 1 << 20;

/// Writes the first `rows` rows of `scale_factor` (1.0 has about six million) with a header line
/// and returns how many there were.
pub fn write_lineitem(path: &Path, scale_factor: f64, rows: usize) -> u64 {
    let mut out = BufWriter::new(File::create(path).expect("create the CSV file"));
    let written = write_to(&mut out, scale_factor, rows);
    out.flush().expect("write the CSV file");
    written
}

/// As [`write_lineitem`], to any writer.
pub fn write_to(out: &mut dyn Write, scale_factor: f64, rows: usize) -> u64 {
    let distributions = Distributions::static_default();
    let pool = TextPool::new(TEXT_BYTES, distributions);
    let generator = LineItemGenerator::new_with_distributions_and_text_pool(
        scale_factor,
        1,
        1,
        distributions,
        &pool,
    );
    writeln!(out, "{}", LineItemCsv::header()).expect("write the header");
    let mut written = 0;
    for item in generator.iter().take(rows) {
        writeln!(out, "{}", LineItemCsv::new(item)).expect("write a row");
        written += 1;
    }
    written
}
