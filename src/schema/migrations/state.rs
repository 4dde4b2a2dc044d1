//! What the database says of each migration.

use super::file::Migration;
use super::record::Record;
use crate::error::{Error, ErrorKind, Result};

/// A migration, and what the database says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationStatus {
    /// Its number.
    pub version: i64,
    /// The name of its file.
    pub name: String,
    /// What the database says of it.
    pub state: MigrationState,
    /// When it was applied, as the database writes it.
    pub applied_at: Option<String>,
}

/// What the database says of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MigrationState {
    /// It was applied.
    Applied,
    /// It is to be applied.
    Pending,
    /// It was applied, and its file is not as it was.
    Changed,
    /// It was applied, and there is no file of its number.
    Missing,
    /// It was not applied, and one with a higher number was.
    Overtaken,
}

/// The state of all migrations, by number. Where overtaken ones may be applied, they are pending.
pub(super) fn of_all(
    files: &[Migration],
    records: &[Record],
    out_of_order: bool,
) -> Vec<MigrationStatus> {
    let last = records.iter().map(|record| record.version).max();
    let of_file = |file: &Migration| {
        let record = records.iter().find(|record| record.version == file.version());
        let state = match record {
            Some(record) if record.checksum == file.checksum() => MigrationState::Applied,
            Some(_) => MigrationState::Changed,
            None if !out_of_order && last > Some(file.version()) => MigrationState::Overtaken,
            None => MigrationState::Pending,
        };
        MigrationStatus {
            version: file.version(),
            name: file.name().to_owned(),
            state,
            applied_at: record.map(|record| record.applied_at.clone()),
        }
    };
    let has_file = |record: &&Record| files.iter().any(|file| file.version() == record.version);
    let missing = records.iter().filter(|record| !has_file(record)).map(|record| MigrationStatus {
        version: record.version,
        name: record.name.clone(),
        state: MigrationState::Missing,
        applied_at: Some(record.applied_at.clone()),
    });
    let mut all: Vec<_> = files.iter().map(of_file).chain(missing).collect();
    all.sort_by_key(|status| status.version);
    all
}

/// Refuses what must not be: nothing is applied then.
///
/// # Errors
/// `Config` with all that are changed, missing or overtaken.
pub(super) fn check(all: &[MigrationStatus]) -> Result<()> {
    let fault = |status: &MigrationStatus| {
        let name = &status.name;
        match status.state {
            MigrationState::Applied | MigrationState::Pending => None,
            MigrationState::Changed => Some(format!("{name} was changed after it was applied")),
            MigrationState::Missing => Some(format!("{name} was applied and its file is gone")),
            MigrationState::Overtaken => {
                Some(format!("{name} was overtaken: one with a higher number is applied"))
            }
        }
    };
    let faults: Vec<_> = all.iter().filter_map(fault).collect();
    let has = |state| all.iter().any(|status| status.state == state);
    if faults.is_empty() {
        return Ok(());
    }
    let hint = if has(MigrationState::Changed) || has(MigrationState::Missing) {
        "put the file back as it was, and change the database by a new one"
    } else {
        "give it a higher number, or allow migrations out of order"
    };
    Err(Error::new(ErrorKind::Config, faults.join("; ")).with_hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, sql: &str) -> Migration {
        Migration::new(name, sql).unwrap()
    }

    fn record(file: &Migration) -> Record {
        Record {
            version: file.version(),
            name: file.name().to_owned(),
            checksum: file.checksum().to_owned(),
            applied_at: "then".to_owned(),
        }
    }

    fn states(files: &[Migration], records: &[Record], out_of_order: bool) -> Vec<MigrationState> {
        of_all(files, records, out_of_order).iter().map(|status| status.state).collect()
    }

    #[test]
    fn each_has_one_state() {
        use MigrationState::{Applied, Changed, Missing, Overtaken, Pending};
        let files = [file("1_a.sql", "a"), file("3_c.sql", "c"), file("4_d.sql", "d")];
        let all = [file("1_a.sql", "a"), file("2_b.sql", "b"), file("4_d.sql", "other")];
        let records: Vec<_> = all.iter().map(record).collect();
        assert_eq!(states(&files, &[], false), [Pending; 3]);
        assert_eq!(states(&files, &records[..1], false), [Applied, Pending, Pending]);
        assert_eq!(states(&files, &records, false), [Applied, Missing, Overtaken, Changed]);
        assert_eq!(states(&files, &records, true), [Applied, Missing, Pending, Changed]);
        let error = check(&of_all(&files, &records, false)).unwrap_err();
        assert_eq!(
            error.message(),
            "2_b.sql was applied and its file is gone; 3_c.sql was overtaken: one with a higher \
             number is applied; 4_d.sql was changed after it was applied"
        );
    }
}
