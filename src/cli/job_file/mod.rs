//! The job file: TOML in, plain structs out.
//!
//! - `section`:    TOML read key by key, with the line of everything
//! - `substitute`: `${NAME}` and `${NAME:-default}`
//! - `units`:      sizes, durations and shares
//! - `table_source`: the sources that are in a database
//! - `files`:      which files a source reads
//! - `shards`:     the target where it is several databases
//! - `params`, `source`, `target`, `columns`, `limits`, `ledger`: the sections; `file_target`: the
//!   target where it is a file
//!
//! What is not understood is refused, never passed over: an unknown key, a value of another type,
//! a `${NAME}` that nobody set. Every error is one line: file, line, key, what was expected; it
//! never shows a URL. Nothing here opens the source or the target.

mod columns;
mod file_target;
mod files;
mod ledger;
mod limits;
mod params;
mod section;
mod shards;
mod source;
mod substitute;
mod table_source;
mod target;
#[cfg(test)]
mod tests;
pub(super) mod units;

pub use columns::ColumnSpec;
pub use files::FilesSpec;
pub use limits::LimitsSpec;
pub use shards::ShardsSpec;
pub use source::{CsvSpec, SourceSpec};
pub use table_source::{Origin, TableSpec};
pub use target::{TargetSpec, TargetTable};

use crate::batch::change::OnChange;
use crate::batch::ledger::LedgerName;
use crate::error::{Error, ErrorKind, Result};
use section::{Names, Reader, Section};
use std::collections::BTreeMap;
use std::path::Path;
use toml::de::DeTable;

/// A job as its file declares it, with everything substituted and every default filled in.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct JobFile {
    /// The name of the job.
    pub name: String,
    /// The parameters, which together with the name are the job's identity; sorted.
    pub params: BTreeMap<String, String>,
    /// What is read.
    pub source: SourceSpec,
    /// Where the rows go, and how.
    pub target: TargetSpec,
    /// The columns of the target, in the order of the file.
    pub columns: Vec<ColumnSpec>,
    /// How much at once, how many rejects, how long to wait.
    pub limits: LimitsSpec,
    /// Where the ledger lies.
    pub ledger: LedgerName,
    /// What is done where the job changed after a run of it had begun. Default: it is refused.
    pub on_change: OnChange,
}

/// What the command line says instead of the file.
#[derive(Clone, Default)]
pub struct Overrides {
    /// Parameters, in the order they were given.
    pub params: Vec<(String, String)>,
    /// The URL of the target.
    pub target: Option<String>,
}

impl std::fmt::Debug for Overrides {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL may contain a password.
        f.debug_struct("Overrides").field("params", &self.params).finish_non_exhaustive()
    }
}

impl JobFile {
    /// Reads the job file at `path`.
    ///
    /// # Errors
    /// `Config` if it cannot be read or does not say what a job needs to know, `Unsupported` if it
    /// asks for what this version does not do; one line with the file, the line and the key.
    pub fn read(path: &Path, overrides: &Overrides) -> Result<Self> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let why = match error.kind() {
                std::io::ErrorKind::NotFound => "no such file".to_owned(),
                std::io::ErrorKind::InvalidData => "expected UTF-8".to_owned(),
                _ => error.to_string(),
            };
            Error::new(ErrorKind::Config, format!("{file}: {why}")).with_source(error)
        })?;
        Self::parse(&file, &text, overrides, &|name| std::env::var(name).ok())
    }

    /// Reads the `text` of a job file that messages call `file`; `environment` knows the variables.
    ///
    /// # Errors
    /// As [`JobFile::read`].
    pub fn parse(
        file: &str,
        text: &str,
        overrides: &Overrides,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let bare = Reader { file, text, names: Names { params: BTreeMap::new(), environment } };
        let document = DeTable::parse(text).map_err(|error| not_toml(&bare, &error))?;
        let root = Section::root(&bare, document.get_ref());
        root.allow_only(&[
            "name",
            "params",
            "source",
            "target",
            "columns",
            "limits",
            "ledger",
            "on_change",
        ])?;
        let params = params::read(&root, &overrides.params)?;
        let reader = Reader { file, text, names: Names { params, environment } };
        let root = Section::root(&reader, document.get_ref());
        let name = root.required("name", "the name of the job")?;
        let name = name.filled_text("the name of the job")?;
        let source = source::read(&root.section("source", "what is read")?)?;
        let columns = root.section("columns", "at least one: name = \"type\"")?;
        let columns = columns::read(&columns, &source)?;
        let target = root.section("target", "where the rows go")?;
        let target = target::read(&target, &columns, overrides.target.as_deref())?;
        let limits = limits::read(root.optional_section("limits")?.as_ref())?;
        let on_change = root.optional("on_change").map_or(Ok(OnChange::Refuse), |field| {
            field.word(&[("refuse", OnChange::Refuse), ("restart", OnChange::Restart)])
        })?;
        let ledger = ledger::read(root.optional_section("ledger")?.as_ref())?;
        Ok(Self {
            name,
            params: reader.names.params,
            source,
            target,
            columns,
            limits,
            ledger,
            on_change,
        })
    }
}

fn not_toml(reader: &Reader<'_>, error: &toml::de::Error) -> Error {
    let span = error.span().unwrap_or(0..0);
    let what = error.message().lines().collect::<Vec<_>>().join(" ");
    // Only a key is shown: what else is no TOML may be a URL.
    let key = reader.text.get(span.clone()).filter(|_| what == "duplicate key");
    reader.error(span.start, key.unwrap_or_default(), &what)
}
