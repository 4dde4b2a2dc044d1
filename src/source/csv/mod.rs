//! CSV files.
//!
//! - `format`:   how the file is written: delimiter, quote, escape, header, the texts of NULL
//! - `line_end`: what ends a line, as the first line shows it
//! - `head`:     what stands before the first row, and the shape it announces
//! - `cut`:      finds the ends of records in a stream and closes batches
//! - `record`:   the records of one batch, field by field, borrowed from its bytes
//! - `fault`:    why a record is refused
//! - `order`:    the fields of a file, held against those of the first
//! - `file`:     the files: plan, fingerprint, the records of a batch, the origin of a row
//! - `pick`:     which fields of a record become which columns
//! - `packer`:   how a record becomes a packed row
//! - `columns`:  rows for declared columns, packed straight from their texts
//! - `typed`:    rows as values of an entity
//!
//! A file means what PostgreSQL's `COPY ... FROM (FORMAT csv)` takes it to mean; `cut` and `record`
//! follow `CopyReadLineText` and `CopyReadAttributesCSV`. Where PostgreSQL would refuse the whole
//! file for one record, that record is a reject and the rest is read. No record disappears: blank
//! lines are records, and so is a line `\.`, which would end a COPY.
//!
//! One rule is our own, because PostgreSQL stops where it is needed: in a file whose lines do not
//! end in a plain newline, a newline outside quotes ends a record all the same. That record and the
//! one behind it are rejects, since nobody knows whether they were one. So a file with mixed line
//! ends costs its bad lines, never the memory of a line without an end.

mod columns;
mod cut;
mod fault;
mod file;
mod format;
mod head;
mod line_end;
mod order;
mod packer;
mod pick;
mod record;
mod typed;

pub use columns::{CsvColumn, CsvColumns};
pub use format::CsvFormat;
pub use typed::Csv;
