//! What a file says of itself: its schema, its row groups.

use super::chunks::{broken, guarded};
use crate::error::{Error, ErrorKind, Result};
use crate::source::input::Bytes as Input;
use parking_lot::Mutex;
use parquet::file::metadata::{
    ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader, ParquetStatisticsPolicy,
};
use std::ops::Range;
use std::sync::Arc;

const MAGIC: &[u8; 4] = b"PAR1";
const MAGIC_ENCRYPTED: &[u8; 4] = b"PARE";
/// The length of the footer and the magic bytes.
const TAIL_BYTES: u64 = 8;

/// The footer of a file.
pub(super) struct Footer {
    pub(super) metadata: ParquetMetaData,
    /// CRC-32 of its bytes: it has the place, the size and the bounds of every page of the file.
    pub(super) checksum: u32,
    /// The size of the file.
    pub(super) size: u64,
}

/// The footer that was decoded last. It is what grows with a file's row groups, and several times
/// its bytes when it is decoded: there is one at a time, whoever reads.
#[derive(Debug, Default)]
pub(super) struct Footers(Mutex<Option<(usize, Arc<Footer>)>>);

impl Footers {
    /// Reads the footer of file `part`. Its bytes are read each time, since the file may have been
    /// replaced; they are decoded if they are others than before.
    ///
    /// # Errors
    /// `Source` if there is none, or it is damaged; `Unsupported` if it is encrypted.
    pub(super) fn read(&self, part: usize, input: &Arc<dyn Input>) -> Result<Arc<Footer>> {
        let mut last = self.0.lock();
        let size = input.size()?.ok_or_else(|| broken("it has no size"))?;
        let bytes = footer_bytes(input, size)?;
        let checksum = crc32fast::hash(&bytes);
        match &*last {
            Some((of, footer)) if (*of, footer.checksum, footer.size) == (part, checksum, size) => {
                return Ok(Arc::clone(footer));
            }
            _ => *last = None,
        }
        let footer = Arc::new(Footer::decode(&bytes, checksum, size)?);
        *last = Some((part, Arc::clone(&footer)));
        Ok(footer)
    }
}

impl Footer {
    fn decode(bytes: &[u8], checksum: u32, size: u64) -> Result<Self> {
        let options = without_statistics();
        let metadata =
            guarded(|| ParquetMetaDataReader::decode_metadata_with_options(bytes, Some(&options)))?;
        let footer = Self { metadata, checksum, size };
        footer.check()?;
        Ok(footer)
    }

    /// The rows of the file.
    pub(super) fn rows(&self) -> u64 {
        self.metadata.file_metadata().num_rows() as u64
    }

    /// Who wrote it.
    pub(super) fn written_by(&self) -> &str {
        self.metadata.file_metadata().created_by().unwrap_or("an unknown program")
    }

    /// The rows of each row group, counted through the file from 0.
    pub(super) fn groups(&self) -> impl Iterator<Item = Range<u64>> {
        let mut start = 0;
        self.metadata.row_groups().iter().map(move |group| {
            let rows = start..start + group.num_rows() as u64;
            start = rows.end;
            rows
        })
    }

    fn check(&self) -> Result<()> {
        let mut sum = 0_u64;
        for (number, group) in self.metadata.row_groups().iter().enumerate() {
            let rows = u64::try_from(group.num_rows()).map_err(|_| broken("a negative count"))?;
            sum = sum.checked_add(rows).ok_or_else(|| broken("too many rows"))?;
            for column in group.columns() {
                let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
                let end = start.checked_add(column.compressed_size());
                let inside = end.and_then(|end| u64::try_from(end).ok());
                if start < 0
                    || column.compressed_size() < 0
                    || inside.is_none_or(|end| end > self.size)
                {
                    let why = format!("row group {number} lies outside of it");
                    return Err(broken(&why));
                }
            }
        }
        let told = self.metadata.file_metadata().num_rows();
        if u64::try_from(told) != Ok(sum) {
            return Err(broken(&format!("{told} rows are promised, its row groups have {sum}")));
        }
        Ok(())
    }
}

/// Statistics have values of rows, and are most of what a footer takes in memory; nobody asks for
/// them.
fn without_statistics() -> ParquetMetaDataOptions {
    ParquetMetaDataOptions::new()
        .with_encoding_stats_policy(ParquetStatisticsPolicy::SkipAll)
        .with_column_stats_policy(ParquetStatisticsPolicy::SkipAll)
        .with_size_stats_policy(ParquetStatisticsPolicy::SkipAll)
}

fn footer_bytes(input: &Arc<dyn Input>, size: u64) -> Result<Vec<u8>> {
    let mut tail = Vec::new();
    input.read(size.saturating_sub(TAIL_BYTES)..size, &mut tail)?;
    let parted = tail.split_first_chunk::<4>().filter(|(_, magic)| magic.len() == 4);
    let Some((length, magic)) = parted else { return Err(no_parquet()) };
    if magic == MAGIC_ENCRYPTED {
        return Err(Error::new(ErrorKind::Unsupported, "the Parquet file is encrypted")
            .with_hint("write it without encryption"));
    }
    if magic != MAGIC {
        let mut head = Vec::new();
        input.read(0..4, &mut head)?;
        return Err(match head == MAGIC {
            true => broken("its footer is missing, it was cut off"),
            false => no_parquet(),
        });
    }
    let length = u64::from(u32::from_le_bytes(*length));
    let end = size - TAIL_BYTES;
    // The magic bytes stand at the beginning, too.
    let start = end.checked_sub(length).filter(|start| *start >= 4);
    let start = start.ok_or_else(|| broken("its footer is larger than it"))?;
    let mut bytes = Vec::new();
    input.read(start..end, &mut bytes)?;
    if bytes.len() as u64 != length {
        return Err(broken("its footer cannot be read whole"));
    }
    Ok(bytes)
}

fn no_parquet() -> Error {
    Error::new(ErrorKind::Source, "not a Parquet file")
        .with_hint("its first and last four bytes should be PAR1")
}

impl std::fmt::Debug for Footer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Footer({} rows in {} row groups)", self.rows(), self.metadata.num_row_groups())
    }
}
