//! The source, cut into batches, before the first of them runs.

use super::change;
use super::ending::Ending;
use super::identity;
use super::job::Declared;
use super::ledger::{JobRecord, Ledger, NewJob, RunRecord};
use super::members;
use super::observer::Observer;
use super::outline::Outline;
use super::patience::Patience;
use super::run::Start;
use super::shards::Part;
use super::transaction::in_transaction;
use super::unit::{Phase, Unit};
use crate::backend::Connection;
use crate::error::{Locate, Result};
use crate::sink::destination::{Destination, Sink};
use crate::source::bounds::{Bounds, CutLimits};
use crate::source::feed::Feed;
use crate::source::stateful::Stateful;
use crate::stop::Stop;
use std::sync::Arc;

/// The source, cut into batches.
pub(super) struct Plan {
    fingerprint: String,
    outline: Outline,
}

/// What a run has that recorded a plan itself.
#[derive(Clone)]
pub(super) struct Own {
    pub(super) run: RunRecord,
    pub(super) plan: Arc<Plan>,
    /// What the source has to know of it.
    memo: Option<String>,
}

impl Own {
    /// What the source has to know of the plan, without a look into the ledger.
    pub(super) fn memo(&self) -> Option<&str> {
        self.memo.as_deref()
    }
}

impl Plan {
    /// Reads the source from end to end; nothing is held meanwhile.
    pub(super) fn make(
        feed: &dyn Feed,
        limits: CutLimits,
        observer: &dyn Observer,
        ending: &Ending,
    ) -> Result<Self> {
        observer.phase("plan");
        let fingerprint = feed.fingerprint()?.0;
        let mut outline = Outline::default();
        feed.plan(limits, &mut |batch| {
            outline.push(batch);
            match ending.asked() {
                Stop::No => Ok(()),
                _ => Err(ending.stopped()),
            }
        })?;
        Ok(Self { fingerprint, outline })
    }

    /// The one that another ledger has of the same source.
    pub(super) fn of_ledger(job: &JobRecord, batches: Vec<Bounds>) -> Self {
        let mut outline = Outline::default();
        for batch in batches {
            outline.push(batch);
        }
        Self { fingerprint: job.fingerprint.clone(), outline }
    }

    /// How many batches it has, with their rows and their bytes.
    pub(super) fn totals(&self) -> [u64; 3] {
        [self.outline.len(), self.outline.rows(), self.outline.size_bytes()]
    }

    /// Its batches.
    pub(super) fn loads(&self) -> impl Iterator<Item = Unit> {
        self.outline.iter().map(|bounds| Unit { phase: Phase::Load, bounds })
    }

    /// Records the plan and this run of it, and creates what the job needs, in one transaction. The plan of
    /// another that was faster is the one that holds, and has no run of this one yet; `tried` is what the
    /// attempts before this one would have recorded, whose COMMIT may have held without a word.
    pub(super) fn record(
        self: &Arc<Self>,
        start: &Start<'_>,
        patience: &Patience<'_>,
        (ledger, sink): (&Ledger, &Sink),
        connection: &mut dyn Connection,
        tried: &mut Option<Own>,
    ) -> Result<(JobRecord, Option<Own>)> {
        in_transaction(connection, |connection| {
            // ORDER: first; the transaction of a process that died may be about to commit its plan.
            if let Some(lock) = connection.capabilities().dialect.lock_plans() {
                connection.ahead(lock)?;
            }
            if let Some(job) = ledger.job(connection, start.identity)? {
                let running = ledger.running(connection, job.id)?;
                if let Some(own) = tried.take_if(|own| running.contains(&own.run)) {
                    return Ok((job, Some(own)));
                }
                // Another has just planned it, in the moment between the look and this.
                return match change::find(start, &job, || Ok(Vec::new()))? {
                    Some(change) => Err(change),
                    None => Ok((job, None)),
                };
            }
            let (job, own) = self.write(start, patience, ledger, sink, connection)?;
            *tried = Some(own.clone());
            Ok((job, Some(own)))
        })
    }

    fn write(
        self: &Arc<Self>,
        start: &Start<'_>,
        patience: &Patience<'_>,
        ledger: &Ledger,
        sink: &Sink,
        connection: &mut dyn Connection,
    ) -> Result<(JobRecord, Own)> {
        let Declared { feed, target } = &start.declared;
        let rows = self.outline.rows();
        let spread = start.part.map(Part::spread);
        let definition = identity::definition(feed.as_ref(), target, spread);
        let mut job = JobRecord::planned(definition, self.fingerprint.clone());
        let declared = identity::declared(feed.as_ref(), target, spread);
        job.declared = serde_json::to_string(&declared).ok();
        job.batches = self.outline.len();
        job.rows = rows;
        job.bytes = self.outline.size_bytes();
        job.buckets = sink.bucket_count(rows);
        job.id = ledger.create_job(
            connection,
            &NewJob {
                identity: start.identity,
                source: &feed.describe(),
                target: &target.describe(),
                mode: target.mode_name(),
                record: &job,
            },
        )?;
        sink.create(connection, job.id, rows).locate(|place| match target {
            Destination::Table(table) => place.table = Some(table.table.plain()),
            Destination::File(_) => place.file = Some(target.describe()),
        })?;
        let buckets = if sink.merges_in_parallel() { job.buckets } else { 0 };
        let merges = (0..buckets).map(|number| Unit::numbered(Phase::Merge, number));
        let seal = sink.is_staged().then(|| Unit::numbered(Phase::Seal, 0));
        let last = std::iter::once(Unit::numbered(Phase::Finish, 0));
        let memo = feed.stateful().map(Stateful::memo).transpose()?;
        if let Some(memo) = &memo {
            ledger.store_memo(connection, job.id, memo)?;
        }
        let units = self.loads().chain(seal).chain(merges).chain(last);
        ledger.store_plan(connection, job.id, units)?;
        let run = members::first_run(start, patience, ledger, job.id, connection)?;
        Ok((job, Own { run, plan: Arc::clone(self), memo }))
    }
}
