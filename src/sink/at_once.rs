//! A replacement that is one statement.
//!
//! A bucket's rows lie all over the stage: to merge bucket by bucket reads a block of it for nearly every
//! row, by an index that has to be made first. Where all buckets are merged by one transaction, and no row is
//! refused, the stage is read once from end to end instead, and its rows come into the table in about the order in
//! which they were staged. On the first row that is refused all is undone, and done bucket by bucket.

use super::isolate::under_savepoint;
use super::staged::{Staged, WHOLE};
use super::table::Stored;
use crate::backend::Connection;
use crate::error::Result;
use crate::sql::merge::Reach;
use crate::sql::stage::state;

impl<'a> Staged<'a> {
    /// All buckets as if they were one: it is the first.
    pub(super) fn at_once(&self) -> Staged<'a> {
        Staged { reach: Reach::All, ..self.clone() }
    }

    /// Brings all rows in; `None`, and nothing changed, if the database refuses one of them.
    pub(super) fn fill_at_once(&self, connection: &mut dyn Connection) -> Result<Option<Stored>> {
        let whole = self.at_once();
        match under_savepoint(connection, |connection| whole.insert_all(connection)) {
            Ok(stored) => Ok(Some(stored)),
            Err(error) if error.is_data() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn insert_all(&self, connection: &mut dyn Connection) -> Result<Stored> {
        let mut refused = Vec::new();
        let duplicates = self.settle_sealed(connection, 0, &mut refused)?;
        let rows = Self::count_by(connection, &self.statements().count_live(), 0)?;
        let stored = self.merge_part(connection, 0, state::LIVE, WHOLE, rows)?;
        Ok(Stored { duplicates, refused, ..stored })
    }
}
