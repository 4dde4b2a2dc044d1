//! What the dispatcher asks of a source.

use super::bounds::{Bounds, CutLimits, Fingerprint, Origin};
use super::prepared::Prepared;
use super::stateful::Stateful;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column::Column;
pub use crate::mapping::layout::Layout;
use std::fmt::Debug;

/// A source as the dispatcher sees it: it cuts itself into batches, and parses, transforms and
/// packs the rows of one. It is asked from many threads at once, and never while a connection is
/// held.
pub trait Feed: Debug + Send + Sync {
    /// What it reads, for messages: a path, a table.
    fn describe(&self) -> String;

    /// What decides, beside the input and the columns, which value a row gets: a job that stopped
    /// half-way is carried on only with the same. Default: what it reads.
    fn definition(&self) -> String {
        self.describe()
    }

    /// The columns it delivers, with the types the job declared.
    fn columns(&self) -> &[Column];

    /// What it has beside what its bounds say: a source in a database has connections, and keys.
    /// Default: nothing.
    fn stateful(&self) -> Option<&dyn Stateful> {
        None
    }

    /// Identifies the input; cheap, asked at every start.
    ///
    /// # Errors
    /// `Source` if the input cannot be read.
    fn fingerprint(&self) -> Result<Fingerprint>;

    /// What the input has become since it was cut into `planned`, whose order is that of the input,
    /// as far as that can be told: for the message of a run that is refused. Default: nothing is
    /// told.
    ///
    /// # Errors
    /// `Source` if the input cannot be read.
    fn compare(&self, planned: &[Bounds]) -> Result<Option<String>> {
        let _ = planned;
        Ok(None)
    }

    /// Cuts the input into batches, numbered from 0 in input order, in constant memory.
    ///
    /// # Errors
    /// `Source` if the input cannot be read or cut, with the line; what `each` returns.
    fn plan(&self, limits: CutLimits, each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()>;

    /// Reads, parses, transforms and packs the rows of a batch into `out`. A row that cannot be
    /// becomes a reject there.
    ///
    /// # Errors
    /// `Source` if the input cannot be read or is not what was planned; nothing is loaded then.
    fn prepare(&self, bounds: &Bounds, layout: &Layout, out: &mut Prepared) -> Result<()>;

    /// Finds row `index` (from 0) of a batch again, for the reject store.
    ///
    /// # Errors
    /// `Source` as [`Feed::prepare`].
    fn origin(&self, bounds: &Bounds, index: u32) -> Result<Origin>;

    /// Finds several rows of a batch again, in the order of `indexes`, which ascend. Default: one
    /// after the other; a source that must read the batch to find one finds all of them at once.
    ///
    /// # Errors
    /// `Source` as [`Feed::prepare`].
    fn origins(&self, bounds: &Bounds, indexes: &[u32]) -> Result<Vec<Origin>> {
        indexes.iter().map(|&index| self.origin(bounds, index)).collect()
    }

    /// Parses, transforms and packs records, each as it stands in the source, into `out`: for the
    /// rejects of earlier runs. The number of a row is that of its record in `records`, from 0.
    /// Default: it cannot.
    ///
    /// # Errors
    /// `Unsupported` where a record is not known by its bytes.
    fn prepare_records(
        &self,
        records: &[&[u8]],
        layout: &Layout,
        out: &mut Prepared,
    ) -> Result<()> {
        let _ = (records, layout, out);
        Err(no_records(&self.describe()))
    }

    /// What stands around the records of a file of this kind: before the first one, and behind each.
    /// Default: nothing, and a newline.
    ///
    /// # Errors
    /// `Source` if the input cannot be read.
    fn frame(&self) -> Result<Frame> {
        Ok(Frame { before: Vec::new(), behind: b"\n".to_vec() })
    }
}

/// The error of a source whose records are not known by their bytes.
pub(super) fn no_records(source: &str) -> Error {
    let message = format!("replay of {source}: its records cannot be read again one by one");
    Error::new(ErrorKind::Unsupported, message).with_hint("mend the input, and run it as a new job")
}

/// What stands around the records of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Before the first record: a header.
    pub before: Vec<u8>,
    /// Behind each record: the end of a line.
    pub behind: Vec<u8>,
}
