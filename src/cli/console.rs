//! The only place that prints.

use crate::error::{Error, ErrorKind, Result};
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

/// Standard output and standard error. Where nobody can read standard error the work goes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Console {
    quiet: bool,
    terminal: bool,
}

impl Console {
    /// A console; a quiet one shows nothing but answers and errors.
    pub(super) fn new(quiet: bool) -> Self {
        Self { quiet, terminal: std::io::stderr().is_terminal() }
    }

    /// Whether it shows nothing but answers and errors.
    pub(super) fn is_quiet(self) -> bool {
        self.quiet
    }

    /// Whether standard error is a terminal, on which a line can be written over.
    pub(super) fn is_terminal(self) -> bool {
        self.terminal
    }

    /// What was asked for, to standard output.
    ///
    /// # Errors
    /// `Internal` if it cannot be written; a reader that has seen enough is no error.
    #[expect(clippy::unused_self, reason = "whoever prints holds a console")]
    pub(super) fn answer(self, lines: &[String]) -> Result<()> {
        let mut out = std::io::stdout().lock();
        let written = lines.iter().try_for_each(|line| writeln!(out, "{line}"));
        match written.and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                let message = format!("standard output cannot be written: {error}");
                Err(Error::new(ErrorKind::Internal, message).with_source(error))
            }
            _ => Ok(()),
        }
    }

    /// A line for a person, to standard error.
    pub(super) fn note(self, line: impl Display) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr().lock(), "{line}");
        }
    }

    /// A line that a quiet console shows too, to standard error.
    #[expect(clippy::unused_self, reason = "whoever prints holds a console")]
    pub(super) fn error(self, line: impl Display) {
        let _ = writeln!(std::io::stderr().lock(), "rowmill: {line}");
    }
}
