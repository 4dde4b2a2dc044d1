//! Rejects that are tried again: a job whose input is the reject store.

use super::ending::Ending;
use super::job::{Declared, Job};
use super::ledger::{Again, Counts, JobRecord, Ledger, Tried};
use super::lineage::{Kin, Lineage};
use super::lock::Lock;
use super::patience::{Failure, Patience};
use super::transaction::in_transaction;
use crate::backend::Connection;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::sink::destination::Destination;
use crate::sink::indexes::Indexes;
use crate::sink::portion::Portion;
use crate::sink::table::{NotStored, TableSink};
use crate::sink::target::Target;
use crate::source::prepared::{Prepared, Stage};
use crate::stop::Stop;
use std::time::Instant;

/// What a replay did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Replayed {
    /// Rejects that were open before.
    pub open: u64,
    /// Rejects whose rows the table has now, or newer ones of the same input.
    pub resolved: u64,
    /// Rejects that stay, with the reason for which they failed last.
    pub refused: u64,
    /// Of these, those that were longer than what is kept of a record; they cannot be tried.
    pub truncated: u64,
}

impl Job {
    /// Tries the rejects of a complete job again, as the job is declared now: the records are read,
    /// converted and written in its mode. What passes is marked resolved in the transaction that
    /// writes it, so that each row comes in once, whatever ends the replay; what fails stays, with
    /// its new reason. The counts of the job follow.
    ///
    /// In the modes `upsert` and `mirror` a row of the table with the same key and other values is
    /// kept, for it may be newer, unless `overwrite` is set; then the newest reject of a key wins.
    ///
    /// # Errors
    /// `Config` if the job has not run, or not to its end; `AlreadyRunning`; `Unsupported` if the
    /// source cannot read its records one by one; as [`Job::run`].
    pub fn replay(&self, engine: &Engine, overwrite: bool) -> Result<Replayed> {
        self.replay_with(&self.declared()?, engine, overwrite, &|_| Ok(()))
    }

    /// The same of what is declared so; each transaction begins with `hold`.
    pub(super) fn replay_with(
        &self,
        declared: &Declared,
        engine: &Engine,
        overwrite: bool,
        hold: Hold<'_>,
    ) -> Result<Replayed> {
        drop(engine.get()?);
        let ending = Ending::of(self.ending());
        let patience = Patience {
            engine,
            lock: Lock::of(engine, self.lock_key(), false),
            policy: self.limits().retry,
            ending: &ending,
            observer: self.observers(),
            failure: Failure::default(),
        };
        let (ledger, job, sink) =
            patience.with_connection(|connection| self.find(connection, declared))?;
        let [open, truncated, _] = patience
            .with_connection(|connection| ledger.replay_totals(connection, job.id, None))?;
        if open == truncated {
            return Ok(Replayed { open, refused: open, truncated, ..Replayed::default() });
        }
        let begun = patience.with_connection(|connection| ledger.begin_run(connection, job.id))?;
        let run_id = begun.id;
        let rows = self.limits().batch.rows;
        let lineage =
            patience.with_connection(|connection| Lineage::of_table(&sink, connection))?;
        let replay = Replay { declared, hold, ledger, job, sink, lineage, run_id, rows, overwrite };
        let done = replay.all(&patience);
        let (word, cause) = match &done {
            Ok(()) => ("complete", None),
            Err(error) if error.kind() == ErrorKind::Stopped => ("stopped", None),
            Err(error) => ("failed", Some(error.to_string())),
        };
        let Replay { ledger, job, .. } = &replay;
        let ended = patience.with_connection(|connection| {
            ledger.end_run(connection, run_id, word, cause.as_deref())?;
            ledger.replay_totals(connection, job.id, Some(run_id))
        });
        // The error of the replay counts for more than one of writing it down.
        done?;
        let [refused, truncated, resolved] = ended?;
        Ok(Replayed { open, resolved, refused, truncated })
    }

    fn find(
        &self,
        connection: &mut dyn Connection,
        declared: &Declared,
    ) -> Result<(Ledger, JobRecord, TableSink)> {
        let none = || {
            Error::new(ErrorKind::Config, "the job has not run here, so there is nothing to replay")
        };
        Ledger::find(connection, self.ledger_name())?.ok_or_else(none)?;
        let ledger = Ledger::open(connection, self.ledger_name())?;
        let job = ledger.job(connection, self.identity())?.ok_or_else(none)?;
        if !job.complete {
            return Err(Error::new(ErrorKind::Config, "the job is not complete")
                .with_hint("run it to its end first; then replay its rejects"));
        }
        let Destination::Table(target) = &declared.target else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "the rejects of a job that writes a file are not replayed into it",
            )
            .with_hint("export them, mend them, and run them as a job of their own"));
        };
        // Nothing is replaced again.
        let target = Target { indexes: Indexes::Keep, ..target.clone() };
        let sink = TableSink::find(target, connection)?;
        Ok((ledger, job, sink.staging_beside(self.ledger_name().clone())))
    }
}

/// What a transaction holds until it ends.
type Hold<'a> = &'a dyn Fn(&mut dyn Connection) -> Result<()>;

struct Replay<'a> {
    declared: &'a Declared,
    hold: Hold<'a>,
    ledger: Ledger,
    job: JobRecord,
    sink: TableSink,
    lineage: Lineage,
    run_id: i64,
    rows: u64,
    overwrite: bool,
}

impl Replay<'_> {
    /// Tries all rejects, part by part, each in a transaction of its own.
    fn all(&self, patience: &Patience<'_>) -> Result<()> {
        let mut behind = None;
        loop {
            if patience.ending.asked() != Stop::No {
                return Err(patience.ending.stopped());
            }
            // After a lost answer to COMMIT it looks again: what is resolved is not open any more.
            let last = patience.with_connection(|connection| {
                in_transaction(connection, |connection| self.part(connection, behind))
            })?;
            match last {
                Some(last) => behind = Some(last),
                None => return Ok(()),
            }
        }
    }

    /// Tries the next rejects; returns the input row of the last of them, if there was any.
    fn part(&self, connection: &mut dyn Connection, behind: Option<i64>) -> Result<Option<i64>> {
        let began = Instant::now();
        (self.hold)(connection)?;
        let capabilities = *connection.capabilities();
        if capabilities.deferred_constraints {
            connection.run("SET CONSTRAINTS ALL IMMEDIATE")?;
        }
        // The newest reject of a key is the one that counts, where the last row of a key does.
        let newest_first = self.sink.last_row_counts();
        let Replay { ledger, job, .. } = self;
        let rejects = ledger.next_rejects(connection, job.id, newest_first, behind, self.rows)?;
        let last = if newest_first { rejects.first() } else { rejects.last() };
        let Some(last) = last.map(|reject| reject.row) else { return Ok(None) };
        let layout = self.sink.layout();
        let mut prepared = Prepared::new(layout);
        let records: Vec<&[u8]> = rejects.iter().map(|reject| &reject.raw[..]).collect();
        self.declared.feed.prepare_records(&records, layout, &mut prepared)?;
        let portion = Portion {
            rows: &prepared.rows,
            indexes: &prepared.indexes,
            named_keys: &prepared.named_keys,
            named_indexes: &prepared.named_indexes,
            hides_keys: false,
            key_range: None,
        };
        let stored = self.sink.store_again(connection, portion, self.overwrite)?;
        let mut counts = Counts {
            inserted: stored.inserted,
            updated: stored.updated,
            unchanged: stored.unchanged,
            duplicates: stored.duplicates,
            filtered: prepared.filtered,
            ..Counts::default()
        };
        let kept = counts.inserted + counts.updated + counts.unchanged;
        counts.rejected = kept + counts.duplicates + counts.filtered;
        let tried = self.tried(rejects, prepared, stored.refused);
        let resolved = tried.iter().filter(|(_, tried)| matches!(tried, Tried::Resolved)).count();
        if resolved as u64 != counts.rejected {
            let message = format!("{resolved} rejects passed, and {} are counted", counts.rejected);
            return Err(Error::new(ErrorKind::Internal, message));
        }
        ledger.settle_rejects(connection, job.id, self.run_id, &tried)?;
        if resolved > 0 {
            let seconds = began.elapsed().as_secs_f64();
            ledger.note_replay(connection, job.id, self.run_id, &counts, seconds)?;
        }
        Ok(Some(last))
    }

    /// What became of each reject.
    fn tried(
        &self,
        rejects: Vec<Again>,
        prepared: Prepared,
        not_stored: Vec<NotStored>,
    ) -> Vec<(Again, Tried)> {
        let mut tried: Vec<_> =
            rejects.into_iter().map(|reject| (reject, Tried::Resolved)).collect();
        let mut refuse = |index: u32, stage, error, kin| {
            if let Some((_, tried)) = tried.get_mut(index as usize) {
                *tried = Tried::Refused(stage, error, kin);
            }
        };
        let layout = self.sink.layout();
        for row in not_stored {
            let kin = match prepared.indexes.binary_search(&row.index) {
                Ok(at) => self.lineage.of_row(layout, prepared.rows.row(at), &row.error),
                Err(_) => Kin::default(),
            };
            let stage = if row.first.is_some() { Stage::Duplicate } else { Stage::Store };
            refuse(row.index, stage, row.error, kin);
        }
        for row in prepared.refused {
            refuse(row.index, row.stage, row.error, Kin::default());
        }
        tried
    }
}
