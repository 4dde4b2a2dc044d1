//! `rowmill rejects export`

use super::super::args::{ExportArguments, ExportFormat};
use super::super::console::Console;
use super::super::exit::Exit;
use super::super::job_file::JobFile;
use super::super::ledger_of::{Wanted, is_file_name, wanted};
use super::super::plan::Plan;
use super::{filter, form};
use crate::batch::ledger::RejectView;
use crate::error::{Error, ErrorKind, Result};
use crate::source::feed::Frame;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

pub(in crate::cli) fn export(arguments: &ExportArguments, console: Console) -> Result<Exit> {
    let wanted = wanted(&arguments.look, &|name| std::env::var(name).ok())?;
    let mut writer = Writer::begin(arguments, &wanted)?;
    let written = write_all(&mut writer, arguments, &wanted, console);
    if written.is_err() || !writer.is_done {
        // What is there so far would be taken for all of it.
        writer.discard();
    }
    console.answer(&written?)?;
    Ok(Exit::Complete)
}

/// Writes the rejects of all ledgers, those of one shard after those of the other.
fn write_all(
    writer: &mut Writer,
    arguments: &ExportArguments,
    wanted: &[Wanted],
    console: Console,
) -> Result<Vec<String>> {
    let mut nothing = Vec::new();
    let mut is_any = false;
    for one in wanted {
        let told = one.look(console, |ledger, connection, _| {
            is_any = true;
            ledger.rejects(connection, &one.jobs(), &filter(&arguments.filter), &mut |reject| {
                writer.write(&reject)
            })?;
            Ok(Vec::new())
        });
        let told =
            told.map_err(|error| error.locate(|place| place.shard.clone_from(&one.shard)))?;
        nothing.extend(one.told(told));
    }
    if !is_any {
        return Ok(nothing);
    }
    let count = writer.end()?;
    Ok(vec![format!("{count} rejects written to {}", arguments.to.display())])
}

/// The files that are written.
struct Writer {
    file: NewFile,
    reasons: Option<NewFile>,
    format: ExportFormat,
    neutral: bool,
    frame: Frame,
    count: u64,
    is_done: bool,
}

impl Writer {
    fn begin(arguments: &ExportArguments, wanted: &[Wanted]) -> Result<Self> {
        let format = arguments.format;
        let frame = match format {
            ExportFormat::Raw => frame(arguments, wanted)?,
            _ => Frame { before: Vec::new(), behind: b"\n".to_vec() },
        };
        let mut file = NewFile::create(&arguments.to)?;
        let reasons = match format {
            ExportFormat::Raw => {
                let mut path = arguments.to.clone().into_os_string();
                path.push(".reasons");
                match NewFile::create(Path::new(&path)) {
                    Ok(reasons) => Some(reasons),
                    Err(error) => {
                        file.remove();
                        return Err(error);
                    }
                }
            }
            _ => None,
        };
        match format {
            ExportFormat::Raw => file.write(&frame.before)?,
            ExportFormat::Csv => file.write(form::CSV_HEADER.as_bytes())?,
            ExportFormat::Ndjson => {}
        }
        let neutral = arguments.neutral_formulas;
        Ok(Self { file, reasons, format, neutral, frame, count: 0, is_done: false })
    }

    fn write(&mut self, reject: &RejectView) -> Result<()> {
        self.count += 1;
        match self.format {
            ExportFormat::Csv => self.file.write(&form::csv(reject, self.neutral)),
            ExportFormat::Ndjson => self.file.write(&form::ndjson(reject)),
            ExportFormat::Raw if reject.truncated => Err(Error::new(
                ErrorKind::Config,
                format!("row {} was too long to be kept whole", reject.row),
            )
            .with_hint("take it from the source; --format csv or ndjson shows what is kept of it")),
            ExportFormat::Raw => {
                self.file.write(&reject.raw)?;
                self.file.write(&self.frame.behind)?;
                let reason = form::reason(reject, self.count);
                self.reasons.as_mut().map_or(Ok(()), |file| file.write(&reason))
            }
        }
    }

    fn end(&mut self) -> Result<u64> {
        self.file.end()?;
        if let Some(reasons) = &mut self.reasons {
            reasons.end()?;
        }
        self.is_done = true;
        Ok(self.count)
    }

    fn discard(self) {
        self.file.remove();
        if let Some(reasons) = self.reasons {
            reasons.remove();
        }
    }
}

/// What stands around the records in the source of the job.
fn frame(arguments: &ExportArguments, wanted: &[Wanted]) -> Result<Frame> {
    let look = &arguments.look;
    match look.job.as_deref().filter(|job| is_file_name(job)) {
        Some(file) if wanted.iter().all(|one| one.name.is_some()) => {
            let job = JobFile::read(Path::new(file), &look.settings.overrides())?;
            Plan::to_look_at(&job)?.feed.frame()
        }
        _ => Err(Error::new(ErrorKind::Config, "raw records are those of one job file")
            .with_hint("name JOB.toml, or choose --format csv or ndjson")),
    }
}

/// A file that was not there before, for its owner alone: rejects are rows.
struct NewFile {
    path: PathBuf,
    out: BufWriter<File>,
}

impl NewFile {
    fn create(path: &Path) -> Result<Self> {
        let mut options = OpenOptions::new();
        // What is there is left alone, a link too: it is neither followed nor replaced.
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|why| refused(path, &why))?;
        Ok(Self { path: path.to_owned(), out: BufWriter::new(file) })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(|why| refused(&self.path, &why))
    }

    fn end(&mut self) -> Result<()> {
        let flushed = self.out.flush().and_then(|()| self.out.get_ref().sync_all());
        flushed.map_err(|why| refused(&self.path, &why))
    }

    fn remove(self) {
        // The first error is the one to show.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn refused(path: &Path, why: &std::io::Error) -> Error {
    let error = Error::new(
        ErrorKind::Config,
        format!("the file {} cannot be written: {why}", path.display()),
    );
    match why.kind() {
        std::io::ErrorKind::AlreadyExists => {
            error.with_hint("nothing is overwritten: name another")
        }
        _ => error,
    }
}
