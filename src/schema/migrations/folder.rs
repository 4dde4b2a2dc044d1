//! All migrations, of a folder or built in.

use super::file::Migration;
use super::run::{self, AppliedMigration};
use super::state::MigrationStatus;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use std::path::Path;
use std::time::Duration;

/// How long to wait for another one who migrates the same database.
const WAIT: Duration = Duration::from_mins(1);

/// The changes of a database: plain SQL files `NNNN_name.sql` that are applied once, by number.
///
/// Numbers may have gaps. Each file runs in one transaction together with its record; one with a
/// line `-- rowmill: no-transaction` runs without, statement by statement, for what cannot be in a
/// transaction (`CREATE INDEX CONCURRENTLY`, `VACUUM`): after a failure its statements run again,
/// so they have to bear that (`IF NOT EXISTS`). A file must not commit or roll back itself.
///
/// ```
/// use rowmill::{Engine, Migrations};
///
/// let migrations = Migrations::of([
///     ("0001_create_artists.sql", "create table artists (id integer primary key, name text)"),
///     ("0002_index_artists.sql", "create index artists_by_name on artists (name)"),
/// ])?;
/// let engine = Engine::open("sqlite::memory:")?;
/// assert_eq!(migrations.run(&engine)?.len(), 2);
/// assert_eq!(migrations.run(&engine)?.len(), 0);
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Migrations {
    pub(super) files: Vec<Migration>,
    pub(super) out_of_order: bool,
    pub(super) wait: Duration,
}

impl Migrations {
    /// Those of the files `*.sql` in a folder; other files are passed over.
    ///
    /// # Errors
    /// `Source` if the folder or a file cannot be read; as [`of`](Self::of).
    pub fn read(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let unreadable = |path: &Path, error: std::io::Error| {
            let message = format!("{} cannot be read: {error}", path.display());
            Error::new(ErrorKind::Source, message).with_source(error)
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
            let path = entry.map_err(|error| unreadable(folder, error))?.path();
            let is_sql = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("sql"));
            if !is_sql || path.is_dir() {
                continue;
            }
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            files.push((name.unwrap_or_default(), text));
        }
        Self::of(files.iter().map(|(name, text)| (name.as_str(), text.as_str())))
    }

    /// Those that a program has built in: the name of each file and its text, as of
    /// `include_str!`.
    ///
    /// # Errors
    /// `Config` if a file is not called `NNNN_name.sql`, two have one number, or one has a mark
    /// that means nothing.
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let mut files: Vec<_> = files
            .into_iter()
            .map(|(name, sql)| Migration::new(name, sql))
            .collect::<Result<_>>()?;
        files.sort_by_key(Migration::version);
        for pair in files.windows(2) {
            if let [first, second] = pair
                && first.version() == second.version()
            {
                let (first, second) = (first.name(), second.name());
                let message = format!("{first} and {second} have one number");
                return Err(Error::new(ErrorKind::Config, message)
                    .with_hint("give one of them the next number"));
            }
        }
        Ok(Self { files, out_of_order: false, wait: WAIT })
    }

    /// Whether a migration may be applied although one with a higher number was, as after the
    /// merge of two branches. Default: no.
    #[must_use]
    pub fn out_of_order(mut self, allowed: bool) -> Self {
        self.out_of_order = allowed;
        self
    }

    /// How long to wait for another one who migrates the same database. Default: one minute.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// The files, by number.
    pub fn files(&self) -> &[Migration] {
        &self.files
    }

    /// What the database says of each. Changes nothing.
    ///
    /// # Errors
    /// As [`Engine::get`]; `Database` or `Disconnect`.
    #[track_caller]
    pub fn status(&self, engine: &Engine) -> Result<Vec<MigrationStatus>> {
        run::status(self, engine)
    }

    /// Refuses what [`run`](Self::run) would refuse.
    ///
    /// # Errors
    /// `Config` if a file was changed after it was applied, is gone, or was overtaken.
    pub fn check(status: &[MigrationStatus]) -> Result<()> {
        super::state::check(status)
    }

    /// Applies what is pending, by number, and returns what was applied. Where another one migrates
    /// the same database, he is waited for.
    ///
    /// # Errors
    /// `Config`, before anything is applied, if a file was changed after it was applied, is gone,
    /// or was overtaken; `AlreadyRunning` if another one takes too long; `Database` or `Disconnect`
    /// with the file, after which those before it are applied; as [`Engine::get`].
    #[track_caller]
    pub fn run(&self, engine: &Engine) -> Result<Vec<AppliedMigration>> {
        let mut applied = Vec::new();
        self.run_with(engine, |migration| applied.push(migration.clone()))?;
        Ok(applied)
    }

    /// As [`run`](Self::run), and tells `each` of every migration once it is applied.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    #[track_caller]
    pub fn run_with(&self, engine: &Engine, mut each: impl FnMut(&AppliedMigration)) -> Result<()> {
        run::run(self, engine, &mut each)
    }
}
