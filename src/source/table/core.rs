//! What all sources in a database share: the plan, and reading a piece of it.

use super::consistency::Consistency;
use super::cut::{self, Cutter, Pieces};
use super::facts::Facts;
use super::gate::Gate;
use super::options::{Options, Partitions, What};
use super::piece::{Cut, Memo};
use super::run::{Plan, Run};
use crate::backend::Connection;
use crate::backend::unloaded::Unloaded;
use crate::error::{Error, ErrorKind, Locate, Result};
use crate::ident::Ident;
use crate::mapping::column_type::ColumnType;
use crate::mapping::key_range::KeyRange;
use crate::source::bounds::{Bounds, CutLimits, Fingerprint};
use crate::source::stateful::Surroundings;
use crate::stop::Stop;
use parking_lot::Mutex;
use std::sync::Arc;

/// A source in a database: what is said of it, and what a run knows of it.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) options: Options,
    /// The columns that are read.
    pub(super) wanted: Vec<Ident>,
    run: Mutex<Option<Arc<Run>>>,
}

/// What is read of a piece.
pub(super) struct Reading<'a> {
    pub(super) expressions: &'a [String],
    pub(super) types: &'a [ColumnType],
}

impl Core {
    pub(super) fn new(options: Options, wanted: Vec<Ident>) -> Self {
        Self { options, wanted, run: Mutex::new(None) }
    }

    /// Looks at the source, and decides what can be promised.
    pub(super) fn begin(&self, surroundings: &Surroundings) -> Result<()> {
        let mut surroundings = surroundings.clone();
        if let Some(engine) = &self.options.engine {
            surroundings.engine = Arc::clone(engine);
        }
        let facts = {
            let mut connection = surroundings.engine.look()?;
            Facts::find(&self.options, &self.wanted, &mut *connection)?
        };
        for name in &self.wanted {
            facts
                .column(name.as_str())
                .locate(|place| place.table = Some(self.options.describe()))?;
        }
        let consistency = self.settled(&facts, surroundings.shared)?;
        // ORDER: what is found of it, then the moment from which on it is read: who is read from shows
        // what was found.
        let steady = surroundings.engine.steady(consistency == Consistency::Snapshot)?;
        let lender = steady.unwrap_or_else(|| Arc::clone(&surroundings.engine));
        let gate = Gate::of(lender.capacity() as usize);
        let (plan, snapshot) = (Mutex::new(None), Mutex::new(None));
        let run = Run { surroundings, lender, gate, facts, consistency, plan, snapshot };
        *self.run.lock() = Some(Arc::new(run));
        Ok(())
    }

    /// The consistency that was asked for, if it can be had; or the best that carries on after a
    /// crash.
    fn settled(&self, facts: &Facts, shared: bool) -> Result<Consistency> {
        let by_blocks = self.options.partitions == Partitions::Blocks;
        let has_key = !facts.key.is_empty() && !by_blocks;
        let refused = |what: &str, hint: &'static str| {
            let what = format!("{}: {what}", self.options.describe());
            Err(Error::new(ErrorKind::Config, what).with_hint(hint))
        };
        if facts.key.len() > 1 && facts.key.iter().any(|column| column.nullable) {
            return refused(
                "a column of the key can be NULL, and has others beside it",
                "name one column, or columns without NULL",
            );
        }
        if !has_key && !facts.has_blocks() {
            return refused(
                "it can be cut neither by a key nor by blocks, so that it could not be read again \
                 where it was left",
                "name the columns of a key whose values do not change",
            );
        }
        let consistency = self.options.consistency;
        match consistency.unwrap_or(if has_key {
            Consistency::PerBatch
        } else {
            Consistency::Snapshot
        }) {
            Consistency::PerBatch if !has_key => refused(
                "blocks of different instants may have a row twice, or not at all",
                "name a key, or take consistency snapshot or static",
            ),
            Consistency::Snapshot if shared => refused(
                "several processes cannot read one snapshot: it dies with the one that took it",
                "take consistency per-batch, or static where nobody writes",
            ),
            Consistency::Snapshot if !facts.capabilities.snapshots => refused(
                "this database has no snapshot that several connections can read",
                "take consistency per-batch, or static where nobody writes",
            ),
            Consistency::Static if facts.changes().is_none() => refused(
                "nobody can tell here whether a row was changed",
                "take consistency per-batch or snapshot",
            ),
            chosen => Ok(chosen),
        }
    }

    /// Whether it is cut by blocks. Reading them costs the server less than ranges of a key; but a
    /// block has the same rows only as long as nobody writes, and in no order that means anything.
    fn goes_by_blocks(&self, run: &Run) -> bool {
        let Run { facts, surroundings, .. } = run;
        let is_still = run.consistency != Consistency::PerBatch;
        let is_free = self.options.key.is_empty() && !surroundings.ordered;
        // Who may read a partitioned table need not be allowed to read its partitions one by one.
        let is_alone = facts.has_blocks() && !facts.storage.is_tree;
        match self.options.partitions {
            Partitions::Blocks => true,
            Partitions::Auto if is_still && is_free && is_alone => true,
            _ => facts.key.is_empty(),
        }
    }

    fn run(&self) -> Result<Arc<Run>> {
        let run = self.run.lock().clone();
        run.ok_or_else(|| Error::new(ErrorKind::Internal, "the source was not told of its run"))
    }

    pub(super) fn fingerprint(&self) -> Result<Fingerprint> {
        let run = self.run()?;
        Ok(Fingerprint(run.facts.fingerprint.clone()))
    }

    /// What was found of the source.
    pub(super) fn with_facts<T>(&self, look: impl FnOnce(&Facts) -> Result<T>) -> Result<T> {
        look(&self.run()?.facts)
    }

    /// Cuts it, and hands out the pieces as batches.
    pub(super) fn plan(
        &self,
        limits: CutLimits,
        each: &mut dyn FnMut(Bounds) -> Result<()>,
    ) -> Result<()> {
        let run = self.run()?;
        // ORDER: what differs once something changed, then the snapshot: a change between them
        // shows as one after them.
        let changes = run.facts.changes();
        let run = &*run;
        run.hold_snapshot()?;
        let cut = |connection: &mut dyn Connection| {
            let cutter = Cutter {
                facts: &run.facts,
                partitions: self.options.partitions,
                limits,
                workers: run.surroundings.workers as u64,
                wanted: &self.wanted,
            };
            if self.goes_by_blocks(run) {
                cutter.by_blocks(connection)
            } else {
                cutter.by_key(connection)
            }
        };
        let Pieces { cuts, reason } = match run.read(cut) {
            // A statement that was prepared before the table was altered, say.
            Err(error) if error.is_transient() => run.read(cut)?,
            cut => cut?,
        };
        let order = cut::order(&cuts);
        emit(&cuts, &order, each)?;
        let explanation = explain(&cuts, &order, &reason, run);
        let pieces = cuts.into_iter().map(|cut| cut.piece).collect();
        let tables: Vec<_> = run.tables();
        let memo = Memo::new(run.consistency, &run.facts.key, changes, &tables, order, pieces);
        let text = memo.write()?;
        *run.plan.lock() = Some(Arc::new(Plan { memo, text, explanation }));
        Ok(())
    }

    pub(super) fn memo(&self) -> Result<String> {
        Ok(self.run()?.planned()?.text.clone())
    }

    /// Takes up the plan of an earlier run.
    pub(super) fn recall(&self, text: &str, begun: bool) -> Result<()> {
        let run = self.run()?;
        if run.plan.lock().as_ref().is_some_and(|plan| plan.text == text) {
            return Ok(());
        }
        let memo = Memo::read(text)?;
        let same_key = run.facts.key.iter().map(|column| column.name.as_str()).eq(&memo.key);
        if memo.consistency()? != run.consistency || !same_key {
            return Err(Error::new(
                ErrorKind::Source,
                "the source is not cut any more as when the job began: its key or its consistency \
                 is another",
            )
            .with_hint("bring them back, or give the job another parameter"));
        }
        // ORDER: the snapshot, then the look: a change between them shows.
        run.hold_snapshot()?;
        if begun && run.consistency != Consistency::PerBatch {
            self.unchanged(&memo, self.changes(&run)?)?;
        }
        let (text, explanation) = (text.to_owned(), Vec::new());
        *run.plan.lock() = Some(Arc::new(Plan { memo, text, explanation }));
        Ok(())
    }

    /// What differs once something changed, as it is now.
    fn changes(&self, run: &Run) -> Result<Option<String>> {
        // ORDER: a place, then a connection.
        let _pass = run.gate.enter();
        let mut connection = run.surroundings.engine.look()?;
        let facts = Facts::find(&self.options, &self.wanted, &mut *connection)?;
        Ok(facts.changes())
    }

    /// A table that is read at several instants must be the same at all of them.
    fn unchanged(&self, memo: &Memo, now: Option<String>) -> Result<()> {
        let table = self.options.describe();
        let (was, is) = match (&memo.changes, now) {
            (Some(was), Some(is)) if *was == is => return Ok(()),
            (Some(was), Some(is)) => (was.clone(), is),
            (was, is) => {
                let told = |text: Option<String>| text.unwrap_or_else(|| "unknown".to_owned());
                (told(was.clone()), told(is))
            }
        };
        let what = format!(
            "the table is not proven to be what it was when the job began to read it: it was \
             {was}; it is {is}"
        );
        Err(Error::new(ErrorKind::Source, what)
            .with_hint(
                "batches of two instants are not mixed: give the job another parameter, or let it \
                 read with consistency per-batch",
            )
            .locate(|place| place.table = Some(table)))
    }

    /// Whether the table stayed what it was, where that was promised.
    pub(super) fn settle(&self) -> Result<()> {
        let run = self.run()?;
        if run.consistency != Consistency::Static {
            return Ok(());
        }
        self.unchanged(&run.planned()?.memo, self.changes(&run)?)
    }

    pub(super) fn end(&self) {
        *self.run.lock() = None;
    }

    pub(super) fn explain(&self) -> Vec<String> {
        let planned = self.run().and_then(|run| run.planned());
        planned.map_or_else(|_| Vec::new(), |plan| plan.explanation.clone())
    }

    /// Whether its batches are ranges of blocks.
    pub(super) fn has_blocks(&self) -> Result<bool> {
        Ok(self.run()?.planned()?.memo.has_blocks())
    }

    /// The range of the key of a batch, where that is one of whole numbers. Of rows that are all as of one
    /// instant nothing is told: who writes into the table that is read would not be let go on after a crash.
    pub(super) fn key_range(&self, bounds: &Bounds) -> Option<KeyRange> {
        let run = self.run().ok()?;
        // Where there are no types, a range of numbers may have texts in it.
        let typed = run.facts.capabilities.transaction_modes;
        let is_free = typed && run.consistency == Consistency::PerBatch;
        let plan = run.planned().ok().filter(|_| is_free)?;
        plan.memo.key_range(bounds.number, &run.facts.key)
    }

    /// Reads a piece, and hands out its rows in their order, with their number in it.
    pub(super) fn read(
        &self,
        bounds: &Bounds,
        reading: &Reading<'_>,
        each: &mut dyn FnMut(u32, Unloaded<'_>) -> Result<()>,
    ) -> Result<()> {
        let run = self.run()?;
        let plan = run.planned()?;
        let Facts { relation, key, capabilities, .. } = &run.facts;
        let (from, condition) =
            plan.memo.place(bounds.number, relation, key, capabilities.dialect)?;
        let names: Vec<_> = key.iter().map(|column| column.name.clone()).collect();
        let order = if plan.memo.has_blocks() { &[] } else { &names[..] };
        let sql = from.select(reading.expressions, condition.as_deref(), order);
        let stop = &run.surroundings.stop;
        let mut index = 0;
        run.read_once(bounds.rows, |connection| {
            connection.unload(&sql, reading.types, &mut |row| {
                if stop.asked() == Stop::Now {
                    return Err(Error::new(ErrorKind::Stopped, "stopped before the end")
                        .with_hint("the same command carries on"));
                }
                each(index, row)?;
                index += 1;
                Ok(())
            })
        })
        .locate(|place| place.batch = Some(u64::from(bounds.number)))?;
        Ok(())
    }
}

/// Hands the pieces out as batches: what they are thought to have, one behind the other.
fn emit(cuts: &[Cut], order: &[u32], each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()> {
    let (mut row, mut start) = (1, 0);
    for number in 0..cuts.len() as u32 {
        let at = order.get(number as usize).map_or(number, |at| *at);
        let cut = &cuts[at as usize];
        let mut bounds = Bounds::of_rows(number, row, cut.rows);
        (bounds.start, bounds.end) = (start, start + cut.bytes);
        (row, start) = (row + cut.rows, start + cut.bytes);
        each(bounds)?;
    }
    Ok(())
}

fn explain(cuts: &[Cut], order: &[u32], reason: &str, run: &Run) -> Vec<String> {
    let largest = cuts.iter().map(|cut| cut.rows).max().unwrap_or(0);
    let heaviest = cuts.iter().map(|cut| cut.bytes).max().unwrap_or(0);
    let mut lines = vec![
        format!("{} {reason}", cuts.len()),
        format!("the largest has {largest} rows, the heaviest {heaviest} bytes"),
        format!("consistency {}", run.consistency),
    ];
    if !order.is_empty() {
        lines.push("the heaviest come first".to_owned());
    }
    lines
}

/// The table or the query, as it is called in messages.
pub(super) fn describe(options: &Options) -> String {
    match &options.what {
        What::Table(table) => format!("table {}", table.plain()),
        What::Query(_) => "a query".to_owned(),
    }
}
