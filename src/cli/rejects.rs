//! `rowmill rejects`

use super::args::LookArguments;
use super::console::Console;
use super::exit::Exit;
use super::ledger_of::{Wanted, wanted};
use crate::error::{Error, ErrorKind, Result};

pub(super) fn list(arguments: &LookArguments, console: Console) -> Result<Exit> {
    let wanted = wanted(arguments, &|name| std::env::var(name).ok())?;
    console.answer(&lines(&wanted)?)?;
    Ok(Exit::Complete)
}

/// The rejects that are `wanted`, one line each.
fn lines(_wanted: &Wanted) -> Result<Vec<String>> {
    Err(Error::new(ErrorKind::Unsupported, "the reject store cannot be read yet"))
}
