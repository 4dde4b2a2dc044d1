//! The rows that are there: a job for each table and each pair of shards.

use super::parties::Parties;
use super::routes::Routes;
use super::table::MovedTable;
use crate::batch::identity::Identity;
use crate::batch::job::Job;
use crate::batch::ledger::{Ledger, LedgerName, RejectFilter, Wanted};
use crate::batch::limits::MaxRejects;
use crate::batch::observer::Observer;
use crate::engine::{Executor, Intent};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column::Column;
use crate::mapping::layout::Layout;
use crate::sharding::ShardId;
use crate::sink::mode::Mode;
use crate::sink::target::Target;
use crate::source::bounds::{Bounds, CutLimits, Fingerprint, Origin};
use crate::source::feed::Feed;
use crate::source::prepared::Prepared;
use crate::source::stateful::Stateful;
use crate::source::table::{Consistency, TableColumn, TableColumns};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How the jobs of the copy are called.
const JOB: &str = "rowmill shards move";

/// A copy cannot bring in what others change under it. More than so many rows are no such thing.
const MOST_REJECTS: u64 = 100_000;

/// What is said of the jobs of a copy.
#[derive(Clone, Default)]
pub(super) struct CopyOptions {
    pub(super) batch_rows: Option<u64>,
    pub(super) workers: Option<usize>,
    pub(super) observers: Vec<Arc<dyn Observer>>,
}

/// Copies the rows of a table that go from one shard to another, and returns how many of them there
/// are, and the keys of those that the other one did not take.
///
/// # Errors
/// As [`Job::run`].
pub(super) fn copy(
    parties: &Parties,
    name: &str,
    table: &MovedTable,
    way: (ShardId, ShardId),
    options: &CopyOptions,
) -> Result<(u64, Vec<Vec<String>>)> {
    let (from, to) = (parties.shards.name(way.0), parties.shards.name(way.1));
    let params = [("move", name), ("from", from), ("to", to)];
    let mut params: BTreeMap<String, String> =
        params.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    params.insert("table".to_owned(), table.table.plain());
    let identity = Identity { name: JOB.to_owned(), params };
    let draft = Job::named(JOB);
    let draft = identity.params.iter().fold(draft, |draft, (name, value)| draft.param(name, value));

    let columns = table.columns.iter().map(column).collect();
    let key = table.key.iter().map(|&at| table.columns[at].name.clone()).collect();
    // Each batch as of its own moment is enough: whatever changes is noted.
    let rows = TableColumns::of_table(table.table.clone(), columns)?
        .on(parties.shards.engine(way.0))
        .key(key)
        .consistency(Consistency::PerBatch);
    let feed = Going { rows, table: table.clone(), routes: parties.routes.clone(), way };
    let key = table.key.iter().map(|&at| table.columns[at].name.as_str().to_owned()).collect();
    let taker = parties.shards.engine(way.1);
    let dialect = taker.with(Intent::Write, |connection| Ok(connection.capabilities().dialect))?;
    let target = Target::new(table.stage(dialect)?, table.columns.clone(), key, Mode::Append)?;
    let mut job = draft
        .feed(Arc::new(feed), target)
        .max_rejects(MaxRejects::Count(MOST_REJECTS))
        .retry(parties.retry)
        .stop(parties.stop.clone());
    if let Some(rows) = options.batch_rows {
        job = job.batch_rows(rows);
    }
    if let Some(workers) = options.workers {
        job = job.workers(workers);
    }
    for observer in &options.observers {
        job = job.observer(observer.clone());
    }
    let report = parties.shards.at(way.1, job.run(taker))?;
    let refused = match report.rejected {
        0 => Vec::new(),
        _ => refused(parties, way.1, table, identity)?,
    };
    Ok((report.written, refused))
}

fn column(column: &Column) -> TableColumn {
    let declared = TableColumn::new(column.name.clone(), column.column_type.clone());
    if column.nullable { declared } else { declared.not_null() }
}

/// The keys, as texts, of the rows that the job of that identity could not bring in.
fn refused(
    parties: &Parties,
    to: ShardId,
    table: &MovedTable,
    identity: Identity,
) -> Result<Vec<Vec<String>>> {
    let wanted = Wanted { name: Some(identity.name.clone()), identity: Some(identity) };
    let unreadable = || {
        let message =
            format!("table {}: a row that was not copied cannot be told", table.table.plain());
        Error::new(ErrorKind::Ledger, message)
            .with_hint("look at the rejects of the shard that takes the rows, and cancel the move")
    };
    let found = parties.shards.engine(to).with(Intent::Write, |connection| {
        let ledger = Ledger::find(connection, &LedgerName::default())?.ok_or_else(unreadable)?;
        let mut keys = Vec::new();
        ledger.rejects(connection, &wanted, &RejectFilter::default(), &mut |reject| {
            keys.push(key_of(table, &reject.raw).ok_or_else(unreadable)?);
            Ok(())
        })?;
        Ok(keys)
    });
    parties.shards.at(to, found)
}

/// The key in the record of a row; `None` if the record was cut off.
fn key_of(table: &MovedTable, record: &[u8]) -> Option<Vec<String>> {
    let record: Value = serde_json::from_slice(record).ok()?;
    let row = record.get("row")?;
    let text = |&at: &usize| Some(row.get(table.columns[at].name.as_str())?.as_str()?.to_owned());
    table.key.iter().map(text).collect()
}

/// The rows of a table that go from one shard to another.
#[derive(Debug)]
struct Going {
    rows: TableColumns,
    table: MovedTable,
    routes: Routes,
    way: (ShardId, ShardId),
}

impl Feed for Going {
    fn describe(&self) -> String {
        self.rows.describe()
    }

    fn definition(&self) -> String {
        self.rows.definition()
    }

    fn columns(&self) -> &[Column] {
        self.rows.columns()
    }

    fn stateful(&self) -> Option<&dyn Stateful> {
        self.rows.stateful()
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        self.rows.fingerprint()
    }

    fn plan(&self, limits: CutLimits, each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()> {
        self.rows.plan(limits, each)
    }

    fn prepare(&self, bounds: &Bounds, layout: &Layout, out: &mut Prepared) -> Result<()> {
        let mut all = Prepared::new(layout);
        self.rows.prepare(bounds, layout, &mut all)?;
        out.read += all.read;
        for (place, &index) in all.indexes.iter().enumerate() {
            let key = self.table.shard_key_of(all.rows.row(place))?;
            let way = key.map(|key| self.routes.of(&key)).transpose()?.flatten();
            if way != Some(self.way) {
                out.filtered += 1;
                continue;
            }
            let mut row = out.rows.begin();
            row.copy(&all.rows, place);
            row.finish()?;
            out.indexes.push(index);
            if !all.positions.is_empty() {
                let mut position = out.positions.begin();
                position.copy(&all.positions, place);
                position.finish()?;
            }
        }
        out.refused.append(&mut all.refused);
        Ok(())
    }

    fn origin(&self, bounds: &Bounds, index: u32) -> Result<Origin> {
        self.rows.origin(bounds, index)
    }

    fn origins(&self, bounds: &Bounds, indexes: &[u32]) -> Result<Vec<Origin>> {
        self.rows.origins(bounds, indexes)
    }
}
