//! What a batch and the end of a job do with an output.

use super::assemble;
use super::disk;
use super::manifest::{self, Manifest};
#[cfg(feature = "parquet")]
use super::parquet::{self, ParquetOptions};
use super::part::{Extent, NewPart, Out, temporary_of};
#[cfg(feature = "parquet")]
use super::target::FileFormat;
use super::target::FileTarget;
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::Cell;
use crate::mapping::layout::Layout;
use crate::mapping::param::Param;
use crate::mapping::rows::Rows;
use crate::sink::table::{NotStored, Stored};
use crate::sql::part::PartTable;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Whose output it is.
#[derive(Clone, Debug)]
pub struct Owner {
    /// The name of the job.
    pub job: String,
    /// Its parameters.
    pub params: BTreeMap<String, String>,
    /// What tells it from all other jobs: some hexadecimal digits.
    pub key: String,
}

/// An output that a job writes.
#[derive(Debug)]
pub struct FileSink {
    target: FileTarget,
    layout: Layout,
    owner: Owner,
    parts: PathBuf,
}

/// What was written for a unit before its transaction, and gets its name in it.
#[derive(Debug)]
pub enum Written {
    /// Nothing.
    Nothing,
    /// The rows of a batch, and those of them that the file cannot hold.
    Part(BatchPart),
    /// The output, or nothing but the manifest of a folder of parts; and the parts of that folder,
    /// with their names in it.
    Output(Box<Output>),
}

/// What a batch wrote.
#[derive(Debug, Default)]
pub struct BatchPart {
    /// None where the file can hold none of its rows.
    part: Option<NewPart>,
    /// The number in the batch of each row that the file cannot hold, and why.
    refused: Vec<(u32, Error)>,
}

/// An output that is ready to get its name.
#[derive(Debug)]
pub struct Output {
    whole: Option<NewPart>,
    links: Vec<(PathBuf, PathBuf)>,
    manifest: NewPart,
}

impl FileSink {
    /// Looks at what is there; changes nothing. `is_new` says that no run has begun the job.
    ///
    /// # Errors
    /// `Config` if the options cannot be used, or an output is there that may not go.
    pub fn find(target: FileTarget, owner: Owner, is_new: bool) -> Result<Self> {
        target.check()?;
        if is_new {
            target.refuse_older()?;
        }
        let layout = Layout::new(target.columns.clone(), Vec::new());
        let parts = target.place.parts(&owner.key);
        Ok(Self { target, layout, owner, parts })
    }

    /// How rows are packed.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Makes room for the parts of a new job with so many rows in its source.
    ///
    /// # Errors
    /// `Config` if an output without rows would take the place of an older one; `Sink`; `Database`
    /// or `Disconnect`.
    pub fn create(&self, connection: &mut dyn Connection, job_id: i64, rows: u64) -> Result<()> {
        if rows == 0 && !self.target.allow_empty_source && self.target.is_taken() {
            let message = "the source is empty, and its output would replace one that is there";
            return Err(Error::new(ErrorKind::Config, message)
                .with_hint("say allow_empty_source = true if that is meant"));
        }
        let table = table(connection)?;
        connection.run(&table.create())?;
        connection.execute(&table.delete(), &[job_id.into()])?;
        Ok(())
    }

    /// Writes the rows of a batch to the disk, under a temporary name, but for those that the file
    /// cannot hold; `indexes` are their numbers in the batch. No connection is held.
    ///
    /// # Errors
    /// `Sink`; `Decode` if a value cannot be shown.
    pub fn write(&self, number: u32, rows: &Rows, indexes: &[u32]) -> Result<Written> {
        if rows.is_empty() {
            return Ok(Written::Nothing);
        }
        self.make_folders()?;
        let FileTarget { format, columns, place, .. } = &self.target;
        let path = self.part(number);
        #[cfg(feature = "parquet")]
        if let FileFormat::Parquet(options) = format {
            return self.write_parquet(path, options, rows, indexes).map(Written::Part);
        }
        #[cfg(not(feature = "parquet"))]
        let _ = indexes;
        let head = if place.is_folder() { format.head(columns) } else { String::new() };
        let part = NewPart::write(path, format, &head, columns, rows)?;
        Ok(Written::Part(BatchPart { part: Some(part), refused: Vec::new() }))
    }

    /// A batch of a folder is a whole file; one of a single file is kept packed until the end.
    #[cfg(feature = "parquet")]
    fn write_parquet(
        &self,
        path: PathBuf,
        options: &ParquetOptions,
        rows: &Rows,
        indexes: &[u32],
    ) -> Result<BatchPart> {
        let FileTarget { columns, place, .. } = &self.target;
        let misfits = parquet::misfits(columns, rows)?;
        let fitting = (!misfits.is_empty()).then(|| without(rows, &misfits)).transpose()?;
        let rows = fitting.as_ref().unwrap_or(rows);
        let refused = misfits.into_iter().map(|(row, error)| (indexes[row], error)).collect();
        if rows.is_empty() {
            return Ok(BatchPart { part: None, refused });
        }
        let temporary = temporary_of(&path);
        let part = match place.is_folder() {
            true => parquet::whole(path, temporary, options, columns, rows)?,
            false => parquet::packed(path, temporary, rows)?,
        };
        Ok(BatchPart { part: Some(part), refused })
    }

    /// Gives the part of a batch its name, and records it; in the transaction of its ledger row.
    ///
    /// # Errors
    /// `Sink`; `Database` or `Disconnect`.
    pub fn store(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        number: u32,
        written: &mut Written,
    ) -> Result<Stored> {
        let mut stored = Stored::default();
        let Written::Part(BatchPart { part, refused }) = written else { return Ok(stored) };
        // Copied, not moved: a second attempt needs them again.
        let refusals = refused.iter().map(|(index, error)| (*index, error.without_source()));
        stored.refused =
            refusals.map(|(index, error)| NotStored::new(number, index, error)).collect();
        if let Some(part) = part {
            // ORDER: on the disk under its name, then in the ledger.
            part.place()?;
            let Extent { rows, bytes, sha256 } = &part.extent;
            let params = [
                Param::from(job_id),
                i64::from(number).into(),
                (*rows as i64).into(),
                (*bytes as i64).into(),
                sha256.as_str().into(),
            ];
            connection.execute(&table(connection)?.insert(), &params)?;
            stored.inserted = *rows;
        }
        Ok(stored)
    }

    /// What is recorded of the parts, in the order of the input.
    ///
    /// # Errors
    /// `Database` or `Disconnect`.
    pub fn recorded(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
    ) -> Result<Vec<RecordedPart>> {
        let mut parts = Vec::new();
        let sql = table(connection)?.list();
        connection.query(&sql, &[job_id.into()], &mut |row| {
            let number = |index: usize| row.cell(index).and_then(i64::unpack);
            let extent = Extent {
                rows: number(1)? as u64,
                bytes: number(2)? as u64,
                sha256: String::unpack(row.cell(3)?)?,
            };
            parts.push(RecordedPart { number: number(0)? as u32, extent });
            Ok(())
        })?;
        Ok(parts)
    }

    /// Makes the output of its parts, under a temporary name; no connection is held. `halted` is
    /// asked now and then, and its error ends the work.
    ///
    /// # Errors
    /// `Sink` if a file cannot be written, or a part is not as recorded; what `halted` returns.
    pub fn assemble(
        &self,
        parts: &[RecordedPart],
        halted: &dyn Fn() -> Result<()>,
    ) -> Result<Written> {
        self.make_folders()?;
        let FileTarget { format, columns, place, .. } = &self.target;
        let found: Vec<_> =
            parts.iter().map(|part| (self.part(part.number), part.extent.clone())).collect();
        let (whole, links, listed) = if place.is_folder() {
            assemble::verify(&found, halted)?;
            let names = parts.iter().map(|part| self.name_in_folder(part.number));
            let listed: Vec<_> =
                names.zip(found.iter().map(|(_, extent)| extent.clone())).collect();
            let links = found.iter().zip(&listed);
            let links = links.map(|((path, _), (name, _))| (path.clone(), place.path().join(name)));
            (None, links.collect(), listed)
        } else {
            let temporary = temporary_of(&self.parts.join("output"));
            let path = place.path().to_owned();
            let whole = match format {
                #[cfg(feature = "parquet")]
                FileFormat::Parquet(options) => {
                    parquet::assemble(path, temporary, options, columns, &found, halted)?
                }
                text => assemble::join(path, temporary, &text.head(columns), &found, halted)?,
            };
            let listed = vec![(file_name(place.path()), whole.extent.clone())];
            (Some(whole), Vec::new(), listed)
        };
        let Owner { job, params, .. } = &self.owner;
        let json = Manifest::new(&self.target, job, params, listed).json()?;
        let mut manifest = Out::create(temporary_of(&self.parts.join("manifest")))?;
        manifest.text = json;
        let manifest = manifest.end(place.manifest())?;
        Ok(Written::Output(Box::new(Output { whole, links, manifest })))
    }

    /// Gives the output its name, and the manifest after it; in the transaction that completes the
    /// job. Can be repeated.
    ///
    /// # Errors
    /// `Sink`; `Database` or `Disconnect`.
    pub fn publish(
        &self,
        connection: &mut dyn Connection,
        job_id: i64,
        written: &mut Written,
    ) -> Result<Stored> {
        if let Written::Output(output) = written {
            let Output { whole, links, manifest } = &mut **output;
            if !self.target.replace {
                let mut new = whole.iter().chain([&*manifest]).filter(|new| !new.is_placed());
                new.try_for_each(assemble::refuse_other)?;
            }
            match whole {
                Some(whole) if whole.is_placed() => {}
                Some(whole) => {
                    // An older manifest would say of the new file what is not so.
                    remove(&self.target.place.manifest())?;
                    whole.place()?;
                }
                None => self.publish_parts(links)?,
            }
            // ORDER: last: who finds a manifest finds all that it lists.
            manifest.place()?;
            connection.execute(&table(connection)?.delete(), &[job_id.into()])?;
        }
        Ok(Stored::default())
    }

    fn publish_parts(&self, links: &[(PathBuf, PathBuf)]) -> Result<()> {
        // ORDER: the parts of an older output are noted before its manifest is gone, and removed
        // when the job is complete.
        let older = self.parts.join(OLDER);
        if !older.exists() && self.target.place.manifest().exists() {
            fs::copy(self.target.place.manifest(), &older)
                .and_then(|_| fs::File::open(&older)?.sync_all())
                .map_err(|error| disk::failed(&older, error))?;
            disk::sync_folder_of(&older)?;
        }
        for (part, to) in links {
            assemble::link(part, to)?;
        }
        disk::sync_folder_of(&self.target.place.manifest())
    }

    fn make_folders(&self) -> Result<()> {
        disk::private_folder(&self.target.place.hidden())?;
        disk::private_folder(&self.parts)
    }

    fn part(&self, number: u32) -> PathBuf {
        self.parts.join(format!("part-{number:08}"))
    }

    fn name_in_folder(&self, number: u32) -> String {
        let key = self.owner.key.get(..8).unwrap_or_default();
        format!("part-{number:08}-{key}.{}", self.target.format.name())
    }
}

/// What the ledger has of a part.
#[derive(Clone, Debug)]
pub struct RecordedPart {
    number: u32,
    extent: Extent,
}

/// The manifest of the output that is replaced.
const OLDER: &str = "older.manifest.json";

/// Throws away what a complete job needs no longer: its parts, and those of the output that it has
/// replaced. What cannot be removed stays for the next start of the job.
pub fn tidy(target: &FileTarget, key: &str) {
    let parts = target.place.parts(key);
    if !parts.is_dir() {
        return;
    }
    if target.place.is_folder() {
        let current = manifest::parts_of(&target.place.manifest()).unwrap_or_default();
        let older = manifest::parts_of(&parts.join(OLDER)).unwrap_or_default();
        for name in older.iter().filter(|name| !current.contains(name)) {
            let _ = fs::remove_file(target.place.path().join(name));
        }
    }
    let _ = fs::remove_dir_all(&parts);
}

/// The rows but for those that are `left_out`, in their order.
#[cfg(feature = "parquet")]
fn without(rows: &Rows, left_out: &[(usize, Error)]) -> Result<Rows> {
    let mut kept = Rows::new(rows.fields());
    let mut left_out = left_out.iter().map(|(row, _)| *row).peekable();
    for row in 0..rows.len() {
        if left_out.next_if_eq(&row).is_none() {
            let mut writer = kept.begin();
            writer.copy(rows, row);
            writer.finish()?;
        }
    }
    Ok(kept)
}

fn table(connection: &dyn Connection) -> Result<PartTable> {
    PartTable::of(connection.capabilities().dialect)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(disk::failed(path, error))
        }
        _ => Ok(()),
    }
}
