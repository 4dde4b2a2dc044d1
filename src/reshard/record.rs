//! How far a move is, kept on every shard that takes part.

use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::Cell;
use crate::mapping::param::Param;
use crate::sharding::ShardMap;
use crate::sql::move_record::MoveTable;
use std::fmt;
use std::hash::{BuildHasher, RandomState};

/// What is done of a move, or was done of the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MoveStep {
    /// Rows are copied; everybody reads and writes as before.
    Copy,
    /// Rows that changed meanwhile are brought over; everybody reads and writes as before.
    CatchUp,
    /// The map is being changed: it goes on, and cannot be cancelled any more. The shards that give have
    /// the new one, and what is left is brought over.
    Switch,
    /// The rows are deleted where they were, and come to be where the new map looks for them.
    Merge,
    /// The new map holds; what the move needed is taken away.
    Clean,
    /// It is done.
    Done,
    /// It is being cancelled: what was copied is being deleted.
    Cancel,
    /// It was cancelled, and everything is as it was.
    Cancelled,
}

impl MoveStep {
    const ALL: [Self; 8] = [
        Self::Copy,
        Self::CatchUp,
        Self::Switch,
        Self::Merge,
        Self::Clean,
        Self::Done,
        Self::Cancel,
        Self::Cancelled,
    ];

    /// Its name in the record.
    pub fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::CatchUp => "catch-up",
            Self::Switch => "switch",
            Self::Merge => "merge",
            Self::Clean => "clean",
            Self::Done => "done",
            Self::Cancel => "cancel",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether there is something left to do.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Done | Self::Cancelled)
    }
}

/// Where a move stands.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MoveStatus {
    /// What tells it from all others.
    pub name: String,
    /// The map from which it began.
    pub from: ShardMap,
    /// The map to which it leads.
    pub to: ShardMap,
    /// The tables whose rows are moved, each with its shard key.
    pub tables: Vec<(String, String)>,
    /// What is being done.
    pub step: MoveStep,
    /// How many rows were copied.
    pub rows_copied: u64,
    /// How many rows were brought over again, or deleted, because they changed meanwhile. What was
    /// done twice because of a kill is counted twice.
    pub rows_caught_up: u64,
    /// How many rows were deleted where they had been. What a killed run deleted may be missing.
    pub rows_deleted: u64,
    /// How many seconds ago it began.
    pub age_seconds: f64,
    /// How many seconds ago this was written.
    pub quiet_seconds: f64,
    /// Counts the starts, over all moves.
    pub(super) epoch: i64,
}

impl MoveStatus {
    /// A move that begins.
    pub(super) fn new(from: ShardMap, to: ShardMap, tables: Vec<(String, String)>) -> Self {
        Self {
            name: format!("{:016x}", RandomState::new().hash_one(to.version())),
            from,
            to,
            tables,
            step: MoveStep::Copy,
            rows_copied: 0,
            rows_caught_up: 0,
            rows_deleted: 0,
            age_seconds: 0.0,
            quiet_seconds: 0.0,
            epoch: 0,
        }
    }

    /// The move that is recorded on a shard, or the last one; `None` if there was none. That of the
    /// first shard of the map is the one that counts. Changes nothing.
    ///
    /// # Errors
    /// `Shard` if the record cannot be read; `Database` or `Disconnect`.
    pub fn read(connection: &mut dyn Connection) -> Result<Option<Self>> {
        let table = MoveTable::of(connection.capabilities().dialect)?;
        if connection.table_info(&table.name)?.is_none() {
            return Ok(None);
        }
        let mut found = None;
        connection.query(&table.read(), &[], &mut |row| {
            let text = |index| String::unpack(row.cell(index)?);
            let count = |index| i64::unpack(row.cell(index)?);
            let seconds = |index| f64::unpack(row.cell(index)?);
            let step = text(4)?;
            let step = MoveStep::ALL.into_iter().find(|known| known.name() == step);
            let tables: Option<Vec<(String, String)>> = serde_json::from_str(&text(3)?).ok();
            let maps: Option<[String; 2]> = serde_json::from_str(&text(2)?).ok();
            let (Some(step), Some(tables), Some([from, to])) = (step, tables, maps) else {
                return Err(unreadable());
            };
            found = Some(Self {
                name: text(0)?,
                from: from.parse().map_err(|_| unreadable())?,
                to: to.parse().map_err(|_| unreadable())?,
                tables,
                step,
                epoch: count(5)?,
                rows_copied: count(6)? as u64,
                rows_caught_up: count(7)? as u64,
                rows_deleted: count(8)? as u64,
                age_seconds: seconds(9)?,
                quiet_seconds: seconds(10)?,
            });
            Ok(())
        })?;
        Ok(found)
    }

    /// Writes it where an older epoch stands, or nothing.
    ///
    /// # Errors
    /// `AlreadyRunning` if there is a newer one; `Database` or `Disconnect`.
    pub(super) fn write(&self, connection: &mut dyn Connection) -> Result<()> {
        let table = MoveTable::of(connection.capabilities().dialect)?;
        for statement in table.create() {
            connection.run(&statement)?;
        }
        let tables = serde_json::to_string(&self.tables).unwrap_or_default();
        let maps = [self.from.to_json()?, self.to.to_json()?];
        let maps = serde_json::to_string(&maps).unwrap_or_default();
        let written = connection.execute(
            &table.write(),
            &[
                self.name.as_str().into(),
                (self.to.version() as i64).into(),
                maps.into(),
                tables.into(),
                self.step.name().into(),
                self.epoch.into(),
                (self.rows_copied as i64).into(),
                (self.rows_caught_up as i64).into(),
                (self.rows_deleted as i64).into(),
            ],
        )?;
        if written == 1 {
            return Ok(());
        }
        Self::hold(connection, self.epoch)
    }

    /// Writes the step and the counters.
    ///
    /// # Errors
    /// `AlreadyRunning` if a newer epoch has begun; `Database` or `Disconnect`.
    pub(super) fn update(&self, connection: &mut dyn Connection) -> Result<()> {
        let sql = MoveTable::of(connection.capabilities().dialect)?.update();
        let params: [Param<'_>; 5] = [
            self.step.name().into(),
            (self.rows_copied as i64).into(),
            (self.rows_caught_up as i64).into(),
            (self.rows_deleted as i64).into(),
            self.epoch.into(),
        ];
        match connection.execute(&sql, &params)? {
            1 => Ok(()),
            _ => Err(overtaken()),
        }
    }

    /// Holds the epoch until the transaction ends: nobody begins another one before.
    ///
    /// # Errors
    /// `AlreadyRunning` if that has happened; `Database` or `Disconnect`.
    pub(super) fn hold(connection: &mut dyn Connection, epoch: i64) -> Result<()> {
        let can = connection.capabilities();
        let sql = MoveTable::of(can.dialect)?.hold(can.row_locks);
        let mut found = None;
        connection.query(&sql, &[], &mut |row| {
            found = Some(i64::unpack(row.cell(0)?)?);
            Ok(())
        })?;
        if found == Some(epoch) { Ok(()) } else { Err(overtaken()) }
    }
}

impl fmt::Display for MoveStatus {
    /// One line on where it stands.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let doing = match self.step {
            MoveStep::Copy => "copying rows",
            MoveStep::CatchUp => "catching up with changes",
            MoveStep::Switch => "switching to the new map",
            MoveStep::Merge => "bringing the rows in",
            MoveStep::Clean => "cleaning up",
            MoveStep::Done => "done",
            MoveStep::Cancel => "being cancelled",
            MoveStep::Cancelled => "cancelled",
        };
        write!(
            f,
            "move to version {}: {doing}; {} copied, {} caught up, {} deleted",
            self.to.version(),
            self.rows_copied,
            self.rows_caught_up,
            self.rows_deleted
        )
    }
}

fn overtaken() -> Error {
    Error::new(ErrorKind::AlreadyRunning, "another process has taken this move over")
}

fn unreadable() -> Error {
    Error::new(ErrorKind::Shard, "the move that is recorded cannot be read")
        .with_hint("use the program that wrote it, or a newer one")
}
