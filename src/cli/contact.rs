//! The first contact with a database.

use super::console::Console;
use crate::engine::Engine;
use crate::error::Result;
use std::time::Duration;

/// How long a server that refuses or cannot be reached is tried again when a command starts: long
/// enough for a restart of a moment, short enough for somebody who waits for an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// Tells what is to be known of the URL, and makes sure that the database of `engine` answers;
/// `false` if it is not there and the first connection would make it.
///
/// # Errors
/// `Connect` if it cannot be reached, or could not be made.
pub(super) fn contact(engine: &Engine, console: Console) -> Result<bool> {
    for note in engine.notes() {
        console.note(format_args!("note: {note}"));
    }
    let is_there = engine.is_there()?;
    if is_there {
        engine.reach(PATIENCE)?;
    }
    Ok(is_there)
}
