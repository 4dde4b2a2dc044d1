//! The source as one shard sees it: the same batches, of each the rows that belong there.

use super::reading::Reading;
use super::split::Split;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column::Column;
use crate::mapping::key_range::KeyRange;
use crate::mapping::layout::Layout;
use crate::sharding::ShardId;
use crate::source::bounds::{Bounds, CutLimits, Fingerprint, Origin};
use crate::source::feed::{Feed, Frame};
use crate::source::prepared::Prepared;
use crate::source::stateful::{Kept, Stateful, Surroundings};
use std::sync::Arc;

/// The source as one shard sees it.
#[derive(Debug)]
pub(super) struct ShardFeed {
    pub(super) reading: Arc<Reading>,
    pub(super) shard: ShardId,
}

impl ShardFeed {
    fn source(&self) -> &dyn Feed {
        &*self.reading.feed
    }
}

impl Feed for ShardFeed {
    fn describe(&self) -> String {
        self.source().describe()
    }

    fn definition(&self) -> String {
        self.source().definition()
    }

    fn columns(&self) -> &[Column] {
        self.source().columns()
    }

    fn stateful(&self) -> Option<&dyn Stateful> {
        self.source().stateful().is_some().then_some(self)
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        self.source().fingerprint()
    }

    fn compare(&self, planned: &[Bounds]) -> Result<Option<String>> {
        self.source().compare(planned)
    }

    fn plan(&self, limits: CutLimits, each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()> {
        self.source().plan(limits, each)
    }

    fn prepare(&self, bounds: &Bounds, layout: &Layout, out: &mut Prepared) -> Result<()> {
        self.reading.take(self.shard.index(), bounds, layout, out)
    }

    fn origin(&self, bounds: &Bounds, index: u32) -> Result<Origin> {
        self.source().origin(bounds, index)
    }

    fn origins(&self, bounds: &Bounds, indexes: &[u32]) -> Result<Vec<Origin>> {
        self.source().origins(bounds, indexes)
    }

    fn prepare_records(
        &self,
        records: &[&[u8]],
        layout: &Layout,
        out: &mut Prepared,
    ) -> Result<()> {
        let split = Split::of(self.source(), &self.reading.spread, layout)?;
        let mut whole = Prepared::new(layout);
        self.source().prepare_records(records, layout, &mut whole)?;
        out.refused.append(&mut whole.refused);
        std::mem::swap(&mut out.named_keys, &mut whole.named_keys);
        std::mem::swap(&mut out.named_indexes, &mut whole.named_indexes);
        (out.read, out.filtered) = (whole.read, whole.filtered);
        split.keep(self.shard, &whole, out)
    }

    fn frame(&self) -> Result<Frame> {
        self.source().frame()
    }
}

/// What is done once for all shards is done by whoever runs them.
impl Stateful for ShardFeed {
    fn begin(&self, _: &Surroundings) -> Result<()> {
        Ok(())
    }

    fn memo(&self) -> Result<String> {
        let none = || Error::new(ErrorKind::Internal, "there is no plan of the source");
        self.reading.memo.get().cloned().ok_or_else(none)
    }

    fn recall(&self, memo: &str, _: bool) -> Result<()> {
        if self.memo()? == memo {
            return Ok(());
        }
        let message = "the shard has another plan of the source than those that are done now";
        Err(Error::new(ErrorKind::Ledger, message)
            .with_hint("the same command does its part once the others are through"))
    }

    fn settle(&self) -> Result<()> {
        self.source().stateful().map_or(Ok(()), Stateful::settle)
    }

    fn end(&self, _: bool) {}

    fn explain(&self) -> Vec<String> {
        self.source().stateful().map(Stateful::explain).unwrap_or_default()
    }

    fn key_range(&self, bounds: &Bounds) -> Option<KeyRange> {
        self.source().stateful()?.key_range(bounds)
    }

    fn refused(&self, bounds: &Bounds, index: u32, kept: Option<Kept<'_>>) -> Origin {
        match self.source().stateful() {
            Some(stateful) => stateful.refused(bounds, index, kept),
            None => Origin::of_row(bounds.first_row + u64::from(index), Vec::new()),
        }
    }
}
