//! Files that rows are written into: CSV, NDJSON and Parquet, one file or a folder of parts.
//!
//! - `target`:   what is declared: where, in which form, and whether an older output may go
//! - `place`:    the names of an output, of its parts, and of what is kept beside it
//! - `csv`:      rows as CSV, as PostgreSQL's `COPY ... TO (FORMAT csv)` writes them
//! - `ndjson`:   rows as objects of JSON, one a line
//! - `parquet`:  rows as Parquet
//! - `part`:     the rows of a batch, on the disk before its ledger row says so
//! - `sink`:     what a batch and the end of a job do
//! - `assemble`: the parts made one file
//! - `manifest`: what was written, for whoever reads it
//! - `disk`:     files that are new, whole and on the disk
//!
//! A file has no transaction. So a batch writes its rows into a part whose name says which batch it
//! is, and brings it to the disk; within the transaction of the batch's ledger row it gets its
//! name, and what it is (rows, bytes, SHA-256) is recorded beside that row. A batch that is done
//! again writes the same bytes under the same name. At the end the parts are checked against the
//! record and become the output, which appears whole or not at all; then the ledger says that the
//! job is complete, and only then are the parts thrown away.
//!
//! ```text
//! out/runways.csv                     the output
//! out/runways.csv.manifest.json       what is in it
//! out/.rowmill/ledger.db              the ledger: "already complete", rejects, status
//! out/.rowmill/parts-KEY/             parts, until the job is complete
//! ```

mod assemble;
pub mod csv;
mod disk;
mod manifest;
mod ndjson;
#[cfg(feature = "parquet")]
pub mod parquet;
mod part;
mod place;
pub mod sink;
pub mod target;

pub use csv::CsvFile;
pub use ndjson::NdjsonFile;
