//! A batch is read once, whoever asks for it.
//!
//! Whoever comes to a batch first prepares it and splits it; the parts of the others are kept until
//! they come for them. What is kept is bounded: who is ahead waits a moment for those behind, which
//! costs nothing, for the job ends with the slowest of them. But one who takes nothing all that time
//! is left behind: its parts are thrown away, nobody waits for it, and it reads again what it needs.

use super::split::Split;
use super::spread::Spread;
use crate::error::Result;
use crate::mapping::layout::Layout;
use crate::source::bounds::Bounds;
use crate::source::feed::Feed;
use crate::source::prepared::Prepared;
use crate::spent::{self, Step};
use parking_lot::{Condvar, Mutex};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

#[cfg(test)]
mod tests;

/// How long one who is ahead waits for one who takes nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// The source of a job over shards.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) feed: Arc<dyn Feed>,
    pub(super) spread: Arc<Spread>,
    /// What the source has to know of the plan, where it has to.
    pub(super) memo: OnceLock<String>,
    /// How many bytes may wait for others.
    room: u64,
    /// How far from their order the workers of a shard may come to batches.
    slack: u32,
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// How rows are packed, by the first who asked; a shard whose table is another reads alone.
    layout: Option<Layout>,
    batches: BTreeMap<u32, Slot>,
    takers: Vec<Taker>,
    /// How many batches were read.
    read: u64,
}

#[derive(Debug)]
enum Slot {
    Being(Bounds),
    Parts(Bounds, Vec<Option<Prepared>>),
}

/// A shard, as one who takes parts.
#[derive(Clone, Debug, Default)]
struct Taker {
    is_here: bool,
    /// The furthest batch that it came for.
    furthest: Option<u32>,
    is_behind: bool,
    /// What is kept for it.
    bytes: u64,
}

impl Reading {
    /// The source `feed` of a job over `shards` shards.
    pub(super) fn new(
        feed: Arc<dyn Feed>,
        spread: Arc<Spread>,
        shards: usize,
        room: u64,
        slack: usize,
    ) -> Self {
        let takers = vec![Taker::default(); shards];
        Self {
            feed,
            spread,
            memo: OnceLock::new(),
            room,
            slack: u32::try_from(slack).unwrap_or(u32::MAX),
            state: Mutex::new(State { takers, ..State::default() }),
            moved: Condvar::new(),
        }
    }

    /// A shard comes, and parts are kept for it until it leaves.
    pub(super) fn enter(&self, shard: usize) {
        self.state.lock().takers[shard].is_here = true;
    }

    /// It leaves.
    pub(super) fn leave(&self, shard: usize) {
        let mut state = self.state.lock();
        state.takers[shard].is_here = false;
        state.drop_parts(shard);
        self.moved.notify_all();
    }

    /// How many batches were read so far, counted again where one was read again.
    #[cfg(test)]
    fn read(&self) -> u64 {
        self.state.lock().read
    }

    /// What a shard has of a batch, packed for its table.
    ///
    /// # Errors
    /// As [`Feed::prepare`].
    pub(super) fn take(
        &self,
        shard: usize,
        bounds: &Bounds,
        layout: &Layout,
        out: &mut Prepared,
    ) -> Result<()> {
        let split = Split::of(&*self.feed, &self.spread, layout)?;
        let turn = match self.turn(shard, bounds, layout) {
            Turn::Take(part) => {
                *out = *part;
                return Ok(());
            }
            Turn::Read(turn) => turn,
        };
        let mut whole = Prepared::new(&split.wide());
        // Nobody could ask for them later: the batch is read once for all shards.
        whole.wants_positions = true;
        self.feed.prepare(bounds, &split.wide(), &mut whole)?;
        let wanted = self.wanted(shard, bounds, turn.is_some());
        let mut parts = split.parts(bounds, whole, &wanted)?;
        if let Some(part) = parts[shard].take() {
            *out = part;
        }
        if let Some(turn) = turn {
            turn.keep(parts);
        }
        Ok(())
    }

    /// Waits until the part of a shard is there, or it is its turn to read.
    fn turn(&self, shard: usize, bounds: &Bounds, layout: &Layout) -> Turn<'_> {
        let number = bounds.number;
        let mut state = self.state.lock();
        let taker = &mut state.takers[shard];
        taker.furthest = taker.furthest.max(Some(number));
        taker.is_behind = false;
        if state.layout.get_or_insert_with(|| layout.clone()) != layout {
            state.read += 1;
            return Turn::Read(None);
        }
        loop {
            let is_full = state.kept_for_others(shard) > self.room;
            match state.batches.get_mut(&number) {
                Some(Slot::Being(of)) if of == bounds => {
                    spent::on(Step::Read, || self.moved.wait(&mut state));
                }
                Some(Slot::Parts(of, parts)) if of == bounds && parts[shard].is_some() => {
                    let part = parts[shard].take();
                    state.took(shard, number, part.as_ref());
                    self.moved.notify_all();
                    if let Some(part) = part {
                        return Turn::Take(Box::new(part));
                    }
                }
                Some(_) => {
                    state.read += 1;
                    return Turn::Read(None);
                }
                None if !is_full => {
                    state.read += 1;
                    state.batches.insert(number, Slot::Being(*bounds));
                    return Turn::Read(Some(Reader { home: self, number, is_through: false }));
                }
                None => {
                    let waited = spent::on(Step::Read, || {
                        self.moved.wait_for(&mut state, PATIENCE).timed_out()
                    });
                    if waited {
                        state.leave_behind(shard);
                        self.moved.notify_all();
                    }
                }
            }
        }
    }

    /// For which shards the parts of a batch are made that `shard` has read.
    fn wanted(&self, shard: usize, bounds: &Bounds, for_all: bool) -> Vec<bool> {
        let state = self.state.lock();
        let is_ahead = |taker: &Taker| {
            taker
                .furthest
                .is_none_or(|furthest| bounds.number.saturating_add(self.slack) > furthest)
        };
        let takers = state.takers.iter().enumerate();
        let wants = |taker: &Taker| taker.is_here && !taker.is_behind && is_ahead(taker);
        takers.map(|(place, taker)| place == shard || (for_all && wants(taker))).collect()
    }
}

/// What one who asked for a batch has to do.
enum Turn<'a> {
    Take(Box<Prepared>),
    /// Read it: for others, too, if there is a reader.
    Read(Option<Reader<'a>>),
}

/// Reads a batch for all. If it fails, the next one who asks does.
struct Reader<'a> {
    home: &'a Reading,
    number: u32,
    is_through: bool,
}

impl Reader<'_> {
    fn keep(mut self, parts: Vec<Option<Prepared>>) {
        let mut state = self.home.state.lock();
        if let Some(Slot::Being(bounds)) = state.batches.remove(&self.number) {
            let mut parts = parts;
            for (part, taker) in parts.iter_mut().zip(&mut state.takers) {
                // It may have left meanwhile.
                part.take_if(|_| !taker.is_here);
                taker.bytes += part.as_ref().map_or(0, Prepared::size_bytes) as u64;
            }
            if parts.iter().any(Option::is_some) {
                state.batches.insert(self.number, Slot::Parts(bounds, parts));
            }
        }
        self.is_through = true;
        self.home.moved.notify_all();
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if !self.is_through {
            self.home.state.lock().batches.remove(&self.number);
            self.home.moved.notify_all();
        }
    }
}

impl State {
    fn kept_for_others(&self, shard: usize) -> u64 {
        let others = self.takers.iter().enumerate().filter(|(place, _)| *place != shard);
        others.map(|(_, taker)| taker.bytes).sum()
    }

    /// Notes that a part was taken.
    fn took(&mut self, shard: usize, number: u32, part: Option<&Prepared>) {
        let bytes = part.map_or(0, Prepared::size_bytes) as u64;
        self.takers[shard].bytes = self.takers[shard].bytes.saturating_sub(bytes);
        self.tidy(number);
    }

    fn tidy(&mut self, number: u32) {
        let is_empty = |slot: &Slot| match slot {
            Slot::Being(_) => false,
            Slot::Parts(_, parts) => parts.iter().all(Option::is_none),
        };
        if self.batches.get(&number).is_some_and(is_empty) {
            self.batches.remove(&number);
        }
    }

    /// Throws away what is kept for one.
    fn drop_parts(&mut self, shard: usize) {
        self.batches.retain(|_, slot| match slot {
            Slot::Being(_) => true,
            Slot::Parts(_, parts) => {
                parts[shard] = None;
                parts.iter().any(Option::is_some)
            }
        });
        self.takers[shard].bytes = 0;
    }

    /// Leaves those behind for whom something waits, but for `shard`.
    fn leave_behind(&mut self, shard: usize) {
        for place in (0..self.takers.len()).filter(|place| *place != shard) {
            if self.takers[place].bytes > 0 {
                self.takers[place].is_behind = true;
                self.drop_parts(place);
            }
        }
    }
}
