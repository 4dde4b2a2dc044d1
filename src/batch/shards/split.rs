//! The rows of a batch, shard by shard.

use super::spread::Spread;
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::mapping::layout::Layout;
use crate::mapping::rows::{Fields, Rows};
use crate::sharding::ShardId;
use crate::source::bounds::{Bounds, Origin};
use crate::source::feed::Feed;
use crate::source::prepared::{Prepared, Stage};
use crate::source::stateful::Kept;
use crate::sqlstate::SqlState;

/// How the rows of a layout are told apart.
pub(super) struct Split<'a> {
    pub(super) feed: &'a dyn Feed,
    pub(super) spread: &'a Spread,
    /// Of the target. Its key, with the shard key behind it where that is no part of it, is by what
    /// refused rows are told; see [`Split::wide`].
    pub(super) layout: &'a Layout,
    /// The field of the shard key.
    index: usize,
}

/// The shard of what nothing is known of: rows without a shard key, records that cannot be read,
/// rows that a closure left out.
const FIRST: usize = 0;

impl<'a> Split<'a> {
    /// For rows of `layout`.
    ///
    /// # Errors
    /// `Config` if it lacks the shard key.
    pub(super) fn of(feed: &'a dyn Feed, spread: &'a Spread, layout: &'a Layout) -> Result<Self> {
        let of_key = |column: &crate::mapping::column::Column| column.name.as_str() == spread.key;
        let index = layout.columns.iter().position(of_key).ok_or_else(|| {
            Error::new(ErrorKind::Config, format!("rows do not carry the shard key {}", spread.key))
        })?;
        Ok(Self { feed, spread, layout, index })
    }

    /// The layout in which a batch is prepared before it is split: a row that is refused is known by
    /// its shard key, too, if that can be read.
    pub(super) fn wide(&self) -> Layout {
        let mut wide = self.layout.clone();
        if !wide.key.contains(&self.index) {
            wide.key.push(self.index);
        }
        wide
    }

    /// What each of the shards that are `wanted` has of a batch; nothing of the others.
    ///
    /// # Errors
    /// As [`Feed::origins`].
    pub(super) fn parts(
        &self,
        bounds: &Bounds,
        mut whole: Prepared,
        wanted: &[bool],
    ) -> Result<Vec<Option<Prepared>>> {
        let part = |wanted: &bool| wanted.then(|| Prepared::new(self.layout));
        let mut parts: Vec<_> = wanted.iter().map(part).collect();
        let mut homeless = Vec::new();
        for row in 0..whole.rows.len() {
            match self.shard_of(whole.rows.row(row).nth(self.index).flatten()) {
                Ok(shard) => {
                    if let Some(Some(part)) = parts.get_mut(shard.index()) {
                        push(&whole, row, part)?;
                    }
                }
                Err(error) => homeless.push((row, error)),
            }
        }
        if let Some(Some(first)) = parts.get_mut(FIRST) {
            first.filtered = whole.filtered;
            self.refuse(bounds, &whole, homeless, first)?;
        }
        let mut refused = std::mem::take(&mut whole.refused);
        // ORDER: keys of refused rows are found by their number.
        refused.sort_by_key(|row| row.index);
        for row in refused {
            let named = whole.named_indexes.binary_search(&row.index).ok();
            let shard = self.home_of(named.map(|at| whole.named_keys.row(at)));
            let Some(Some(part)) = parts.get_mut(shard) else { continue };
            if let Some(at) = named {
                name_key(part, row.index, &whole.named_keys, at)?;
            }
            part.refused.push(row);
        }
        for part in parts.iter_mut().flatten() {
            let rows = part.rows.len() + part.refused.len();
            part.read = rows as u64 + part.filtered;
            part.refused.sort_by_key(|row| row.index);
        }
        Ok(parts)
    }

    /// Leaves of rows that were prepared outside of a batch those of one shard, and refuses the
    /// others.
    ///
    /// # Errors
    /// `Encode` in no case that is known.
    pub(super) fn keep(&self, shard: ShardId, whole: &Prepared, out: &mut Prepared) -> Result<()> {
        for row in 0..whole.rows.len() {
            let error = match self.shard_of(whole.rows.row(row).nth(self.index).flatten()) {
                Ok(home) if home == shard => {
                    push(whole, row, out)?;
                    continue;
                }
                Ok(home) => elsewhere(self.spread, home),
                Err(error) => error,
            };
            let origin = Origin::of_row(0, Vec::new());
            out.refuse(whole.indexes[row], origin, Stage::Precheck, error);
        }
        Ok(())
    }

    fn shard_of(&self, value: Option<&[u8]>) -> Result<ShardId> {
        let column = &self.layout.columns[self.index];
        self.spread
            .shard_of(column, value)
            .map_err(|error| {
                // What PostgreSQL says where a row has no partition.
                let state = match value {
                    None => SqlState::NOT_NULL_VIOLATION,
                    Some(_) => SqlState::CHECK_VIOLATION,
                };
                Error::new(ErrorKind::Encode, error.message()).with_sqlstate(state)
            })
            .locate(|place| place.column = Some(column.name.as_str().to_owned()))
    }

    /// Where a row goes that was refused before it was complete.
    fn home_of(&self, named: Option<Fields<'_>>) -> usize {
        let at = self.layout.key.iter().position(|&index| index == self.index);
        let at = at.unwrap_or(self.layout.key.len());
        let key = named.and_then(|mut fields| fields.nth(at).flatten());
        key.map_or(FIRST, |key| self.shard_of(Some(key)).map_or(FIRST, ShardId::index))
    }

    /// Refuses good rows that have no shard.
    fn refuse(
        &self,
        bounds: &Bounds,
        whole: &Prepared,
        rows: Vec<(usize, Error)>,
        out: &mut Prepared,
    ) -> Result<()> {
        let indexes: Vec<_> = rows.iter().map(|(row, _)| whole.indexes[*row]).collect();
        let origins = match self.feed.stateful() {
            _ if rows.is_empty() => return Ok(()),
            None => self.feed.origins(bounds, &indexes)?,
            Some(stateful) => {
                let origin = |(row, _): &(usize, Error)| {
                    let noted = *row < whole.positions.len();
                    let position =
                        noted.then(|| whole.positions.row(*row).next().flatten()).flatten();
                    let kept = Kept::new(self.layout, whole.rows.row(*row), position);
                    stateful.refused(bounds, whole.indexes[*row], Some(kept))
                };
                rows.iter().map(origin).collect()
            }
        };
        for ((index, origin), (_, error)) in indexes.into_iter().zip(origins).zip(rows) {
            out.refuse(index, origin, Stage::Precheck, error);
        }
        Ok(())
    }
}

/// The error of a row that belongs to another shard than the one it is to be written to.
fn elsewhere(spread: &Spread, home: ShardId) -> Error {
    let home = spread.map.name_of(home);
    let message = format!("the row belongs to the shard {home}: export it, and load it as a job");
    Error::new(ErrorKind::Encode, message).with_sqlstate(SqlState::CHECK_VIOLATION)
}

/// Gives a good row of a batch to the part of a shard.
fn push(whole: &Prepared, row: usize, part: &mut Prepared) -> Result<()> {
    copy(&mut part.rows, &whole.rows, row)?;
    part.indexes.push(whole.indexes[row]);
    if row < whole.positions.len() {
        copy(&mut part.positions, &whole.positions, row)?;
    }
    Ok(())
}

fn copy(to: &mut Rows, from: &Rows, row: usize) -> Result<()> {
    let mut copied = to.begin();
    copied.copy(from, row);
    copied.finish()
}

/// Takes the key of a refused row over, without what stands behind the key of the target.
fn name_key(part: &mut Prepared, index: u32, keys: &Rows, at: usize) -> Result<()> {
    let count = part.named_keys.fields() as usize;
    let mut row = part.named_keys.begin();
    for field in keys.row(at).take(count) {
        match field {
            Some(bytes) => row.field(bytes)?,
            None => row.null(),
        }
    }
    row.finish()?;
    part.named_indexes.push(index);
    Ok(())
}
