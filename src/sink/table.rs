//! The table as it was found, and what is written into it.

use super::direct::Direct;
use super::duplicates::OnDuplicate;
use super::fit;
use super::isolate::{Trust, isolate};
use super::lately::Lately;
use super::mode::Mode;
use super::portion::Portion;
use super::rebuilt;
use super::repeats::{InputPlace, Repeat};
use super::rules::Rules;
use super::staged::Staged;
use super::target::Target;
use crate::backend::Connection;
use crate::backend::capabilities::Capabilities;
use crate::error::{Error, Result};
use crate::mapping::column::Column;
use crate::mapping::layout::Layout;
use crate::mapping::rows::Rows;
use crate::sql::ledger::LedgerName;
use crate::sql::merge::Reach;
use crate::sql::stage::StageTable;
use crate::sql::table::create_table;
use std::ops::{AddAssign, Range};

/// What became of rows.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Stored {
    /// Rows that are new in the table.
    pub inserted: u64,
    /// Rows that were changed.
    pub updated: u64,
    /// Rows that were there already as they are.
    pub unchanged: u64,
    /// Rows that were deleted from the table.
    pub deleted: u64,
    /// Rows of the input that another row with the same key superseded.
    pub duplicates: u64,
    /// Whether nothing was deleted because a refused row may name any key.
    pub held_back: bool,
    /// Rows that the database refused.
    pub refused: Vec<NotStored>,
}

/// A row that the database refused.
#[derive(Debug)]
pub struct NotStored {
    /// Its batch.
    pub batch: u32,
    /// Its number in the batch, from 0.
    pub index: u32,
    /// Why.
    pub error: Error,
    /// What was staged of it, where that is kept; `None` where it was never staged.
    pub staged: Option<Rows>,
    /// Where the first row with its key is, if it was refused for coming behind that.
    pub first: Option<InputPlace>,
}

impl NotStored {
    pub(super) fn new(batch: u32, index: u32, error: Error) -> Self {
        Self { batch, index, error, staged: None, first: None }
    }
}

impl AddAssign for Stored {
    fn add_assign(&mut self, other: Self) {
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.deleted += other.deleted;
        self.duplicates += other.duplicates;
        self.held_back |= other.held_back;
        self.refused.extend(other.refused);
    }
}

/// A table that rows are written into.
#[derive(Debug)]
pub struct TableSink {
    target: Target,
    pub(super) layout: Layout,
    exists: bool,
    pub(super) capabilities: Capabilities,
    ledger: LedgerName,
    rules: Rules,
    pub(super) direct: Direct,
    lately: Lately,
    keeps_refused: bool,
}

impl TableSink {
    /// Looks the table up and holds what is declared against it. Changes nothing.
    ///
    /// # Errors
    /// `Schema` if the table does not fit (see [`fit::layout`]), or its indexes cannot be rebuilt; `Config`
    /// if they are not to be in its mode; `Database` or `Disconnect`.
    pub fn find(target: Target, connection: &mut dyn Connection) -> Result<Self> {
        let capabilities = *connection.capabilities();
        if target.duplicates.is_some() {
            fit::check_duplicates(&target, connection)?;
        }
        let info = connection.table_info(&target.table)?;
        let rules = Rules::read(connection, &target.table)?;
        let layout = fit::layout(&target, info.as_ref(), capabilities.dialect, rules.rewrites)?;
        rebuilt::check(connection, &target)?;
        let direct = Direct::of(&target, &layout, &rules, info.is_some(), &capabilities);
        let rules = rules.carried_by(&layout);
        Ok(Self {
            target,
            layout,
            exists: info.is_some(),
            capabilities,
            ledger: LedgerName::default(),
            rules,
            direct,
            lately: Lately::default(),
            keeps_refused: false,
        })
    }

    /// Has the stage beside the ledger of that name. Default: beside the ledger `rowmill`.
    #[must_use]
    pub fn staging_beside(mut self, ledger: LedgerName) -> Self {
        self.ledger = ledger;
        self
    }

    /// Has rows that a merge refuses kept with what was staged of them, for a source that does not
    /// find them again. Default: no.
    #[must_use]
    pub fn keep_refused(mut self, keep: bool) -> Self {
        self.keeps_refused = keep;
        self
    }

    /// Whether rows may be in the table before every batch is in, where that costs less. Default: yes.
    #[must_use]
    pub fn load_directly(mut self, may: bool) -> Self {
        if !may {
            self.direct.forgo();
        }
        self
    }

    /// What was declared.
    pub fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn rules(&self) -> &Rules {
        &self.rules
    }

    pub(super) fn lately(&self) -> &Lately {
        &self.lately
    }

    /// Of several rows with one key, whether the last counts, or the first.
    pub fn last_row_counts(&self) -> bool {
        self.target.on_duplicates().is_none_or(|policy| policy == OnDuplicate::Last)
    }

    /// How rows are packed.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Whether the table was there when it was looked up.
    pub fn exists(&self) -> bool {
        self.exists
    }

    /// Whether rows go through a stage: always where the order of the input decides, and where the
    /// database has to cast values.
    pub fn is_staged(&self) -> bool {
        let casts = |column: &Column| column.column_type.travels_as_text();
        let Target { mode, duplicates, .. } = &self.target;
        *mode != Mode::Append || duplicates.is_some() || self.layout.columns.iter().any(casts)
    }

    /// Whether staged rows are merged bucket by bucket, each in its own transaction; `replace`
    /// merges all of them in the last one.
    pub fn merges_in_parallel(&self) -> bool {
        self.is_staged() && self.target.mode != Mode::Replace
    }

    /// Creates the table if it was not there, and the stage of job `job_id` if one is needed.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub fn create(&self, connection: &mut dyn Connection, job_id: i64) -> Result<()> {
        if !self.exists {
            let Target { table, .. } = &self.target;
            let dialect = self.capabilities.dialect;
            connection.run(&create_table(
                dialect,
                table,
                &self.layout.columns,
                &self.layout.key,
            ))?;
        }
        if self.is_staged() {
            let stage = self.stage(job_id)?;
            connection.ahead(&stage.drop())?;
            connection.run(&stage.create())?;
        }
        Ok(())
    }

    /// Stores the rows of a batch: in the table, or in the stage with `buckets` buckets.
    ///
    /// # Errors
    /// `Database` or `Disconnect`, if it is not the fault of a row.
    pub fn store(
        &self,
        connection: &mut dyn Connection,
        place: StagePlace,
        batch: u32,
        portion: Portion<'_>,
    ) -> Result<Stored> {
        if self.is_staged() {
            return self.stage_batch(connection, place, batch, portion);
        }
        let whole = 0..portion.rows.len();
        let trust = match self.rules.judges {
            true => Trust::for_a_few(whole.len()),
            // COPY and INSERT do the same: what is left can be stored by the other.
            false if self.rules.inserts => Trust::to_a_few(!self.rules.rewrites),
            false => Trust::to_the_end(!self.rules.rewrites),
        };
        let has_others = self.rules.judges || self.rules.inserts;
        let (mut stored, rest) = if has_others && self.lately.expects_many() {
            (Stored::default(), Some(whole))
        } else {
            self.append(connection, batch, portion, whole, trust)?
        };
        if let Some(rest) = rest {
            match self.store_suspects(connection, batch, portion, rest.clone())? {
                Some(suspects) => stored += suspects,
                None => {
                    let trust = Trust::to_the_end(!self.rules.rewrites);
                    stored += self.append(connection, batch, portion, rest, trust)?.0;
                }
            }
        }
        // What a trigger of the table passed over.
        let settled = stored.inserted + stored.refused.len() as u64;
        stored.unchanged = (portion.rows.len() as u64).saturating_sub(settled);
        Ok(stored)
    }

    /// Appends the rows of `range`; returns, beside what became of them, those that were given up.
    fn append(
        &self,
        connection: &mut dyn Connection,
        batch: u32,
        portion: Portion<'_>,
        range: Range<usize>,
        trust: Trust,
    ) -> Result<(Stored, Option<Range<usize>>)> {
        let mut refused = Vec::new();
        let (inserted, rest) = isolate(
            connection,
            std::slice::from_ref(&range),
            trust,
            &mut |connection, part| {
                connection.load(&self.target.table, &self.layout.columns, portion.rows, part)
            },
            &mut |row, error| {
                let index = portion.indexes[row];
                refused.push(NotStored::new(batch, index, error));
            },
        )?;
        Ok((Stored { inserted, refused, ..Stored::default() }, rest))
    }

    /// Drops the stage of job `job_id`, if there is one.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub fn drop_stage(&self, connection: &mut dyn Connection, job_id: i64) -> Result<()> {
        connection.run(&self.stage(job_id)?.drop())
    }

    /// The first row of the input whose key came before, where the job allows none; once the stage
    /// is sealed, and before the first row is merged.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub fn forbidden_repeat(
        &self,
        connection: &mut dyn Connection,
        place: StagePlace,
    ) -> Result<Option<Repeat>> {
        match self.target.on_duplicates() {
            Some(OnDuplicate::Error) => self.staged(place)?.first_repeat(connection),
            _ => Ok(None),
        }
    }

    /// Merges one bucket into the table.
    ///
    /// # Errors
    /// `Database` or `Disconnect`, if it is not the fault of a row.
    pub fn merge(
        &self,
        connection: &mut dyn Connection,
        place: StagePlace,
        bucket: u32,
    ) -> Result<Stored> {
        let staged = self.staged(place)?;
        let mut stored = staged.merge(connection, bucket)?;
        self.keep(&staged, connection, &mut stored)?;
        Ok(stored)
    }

    /// Does what has to be done once, after all else: deletes, second chances, the swap; and drops
    /// the stage. `empty` says that the source had no rows.
    ///
    /// # Errors
    /// `Database` or `Disconnect`, if it is not the fault of a row.
    pub fn finish(
        &self,
        connection: &mut dyn Connection,
        place: StagePlace,
        empty: bool,
    ) -> Result<Stored> {
        if !self.is_staged() {
            return Ok(Stored::default());
        }
        let may_delete = !empty || self.target.allow_empty_source;
        let staged = self.staged(place)?;
        let mut stored = match self.target.mode {
            Mode::Replace => staged.replace(connection, may_delete)?,
            mode => staged.finish(connection, mode == Mode::Mirror && may_delete)?,
        };
        // ORDER: before what was staged is gone.
        self.keep(&staged, connection, &mut stored)?;
        connection.ahead(&staged.stage.drop())?;
        Ok(stored)
    }

    /// Keeps what was staged of refused rows, where that is wanted.
    fn keep(
        &self,
        staged: &Staged<'_>,
        connection: &mut dyn Connection,
        stored: &mut Stored,
    ) -> Result<()> {
        if self.keeps_refused { staged.keep(connection, &mut stored.refused) } else { Ok(()) }
    }

    pub(super) fn stage(&self, job_id: i64) -> Result<StageTable> {
        let dialect = self.capabilities.dialect;
        let Layout { columns, key, .. } = &self.layout;
        StageTable::beside(dialect, &self.ledger, job_id, columns, key)
    }

    pub(super) fn staged(&self, place: StagePlace) -> Result<Staged<'_>> {
        let stage = self.stage(place.job_id)?;
        let loads_directly = self.direct.is_conceivable();
        let (target, rules, buckets) = (&self.target, &self.rules, place.buckets);
        let (lately, are_doubtful) = (&self.lately, self.lately.expects_many());
        let reach = Reach::One;
        Ok(Staged { stage, target, buckets, rules, loads_directly, lately, are_doubtful, reach })
    }
}

/// The stage of a job: whose it is, and into how many buckets it is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StagePlace {
    /// The job's number in the ledger.
    pub job_id: i64,
    /// The number of buckets.
    pub buckets: u32,
}
