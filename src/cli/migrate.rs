//! `rowmill migrate`

use super::args::{MigrateArguments, MigrateCommand};
use super::console::Console;
use super::contact::contact;
use super::exit::Exit;
use super::figures::{counted, duration};
use super::target_url::{HINT, target_url};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{MigrationState, MigrationStatus, Migrations};
use std::path::{Path, PathBuf};

/// Where the files are unless a folder is named.
const FOLDER: &str = "migrations";

pub(super) fn migrate(arguments: &MigrateArguments, console: Console) -> Result<Exit> {
    let (folder, looks) = match &arguments.look {
        Some(MigrateCommand::Status { folder }) => (folder.as_ref(), true),
        None => (None, false),
    };
    let folder = folder.or(arguments.folder.as_ref()).map_or(Path::new(FOLDER), PathBuf::as_path);
    let migrations = Migrations::read(folder)?.out_of_order(arguments.out_of_order);
    let given = arguments.database.target.as_ref();
    let url = target_url(given, &|name| std::env::var(name).ok(), HINT)?;
    if looks {
        return status(&migrations, &url, console);
    }
    let engine = Engine::builder(&url).build()?;
    contact(&engine, console)?;
    Ok(apply(&migrations, &engine, console))
}

fn apply(migrations: &Migrations, engine: &Engine, console: Console) -> Exit {
    let mut applied = 0;
    let done = migrations.run_with(engine, |migration| {
        applied += 1;
        console.note(format_args!(
            "applied {} in {}",
            migration.name,
            duration(migration.took.as_secs_f64())
        ));
    });
    match done {
        Ok(()) if applied == 0 => console.note("nothing to apply"),
        Ok(()) => console.note(format_args!("{} applied", counted(applied, "file", "files"))),
        Err(error) => {
            console.error(&error);
            return exit_of(&error);
        }
    }
    Exit::Complete
}

/// A statement that the database refuses is a file that cannot be used as it is.
fn exit_of(error: &Error) -> Exit {
    let is_refused = error.kind() == ErrorKind::Database && !error.is_transient();
    if is_refused { Exit::Usage } else { Exit::of(error) }
}

fn status(migrations: &Migrations, url: &str, console: Console) -> Result<Exit> {
    let engine = Engine::builder(url).read_only(true).build()?;
    if !contact(&engine, console)? {
        // The first run makes it.
        let pending = migrations.files().iter().map(|file| line("pending", file.name(), None));
        console.answer(&pending.collect::<Vec<_>>())?;
        return Ok(Exit::Complete);
    }
    let all = migrations.status(&engine)?;
    console.answer(&all.iter().map(status_line).collect::<Vec<_>>())?;
    Migrations::check(&all)?;
    Ok(Exit::Complete)
}

fn status_line(status: &MigrationStatus) -> String {
    let state = match status.state {
        MigrationState::Applied => "applied",
        MigrationState::Pending => "pending",
        MigrationState::Changed => "changed",
        MigrationState::Missing => "missing",
        MigrationState::Overtaken => "overtaken",
    };
    line(state, &status.name, status.applied_at.as_deref())
}

fn line(state: &str, name: &str, applied_at: Option<&str>) -> String {
    let since = applied_at.map(|moment| format!(", applied {moment}")).unwrap_or_default();
    format!("{state:<9} {name}{since}")
}
