//! Waiting for what comes.
//!
//! Where nothing is there, a thread lets more of a long answer [gather](super::gather), [looks](super::glance) for
//! a moment, or sleeps until the socket has something.

use super::line::{Line, ended, is_passing, lost, severed};
use crate::error::Result;
use std::thread;
use std::time::Instant;

impl Line {
    /// Waits for more; false if nothing came before the deadline.
    pub(super) fn fill(&mut self, deadline: Option<Instant>) -> Result<bool> {
        if self.is_dry && (self.gather()? || self.look()?) {
            return Ok(true);
        }
        loop {
            if self.wire.is_severed() {
                return Err(severed());
            }
            if self.is_dry {
                match self.port.wait(false, deadline) {
                    Ok(false) => return Ok(false),
                    Err(error) if !is_passing(&error) => return Err(lost(error)),
                    _ => {}
                }
            }
            if self.read()? {
                return Ok(true);
            }
        }
    }

    /// Lets much of a long answer gather; false if it is to be waited for.
    fn gather(&mut self) -> Result<bool> {
        if !self.gather.is_long() {
            return Ok(false);
        }
        // Some of it may have come since the last look.
        if self.read()? {
            return Ok(true);
        }
        let Some(moment) = self.gather.moment() else { return Ok(false) };
        thread::sleep(moment);
        self.read()
    }

    /// Looks for more for a moment; false if it is to be waited for.
    fn look(&mut self) -> Result<bool> {
        let Some(mut look) = self.glance.begin(Instant::now()) else { return Ok(false) };
        let mut has_come = false;
        while !has_come && look.goes_on() {
            has_come = self.read()?;
        }
        self.glance.note(&look, has_come);
        Ok(has_come)
    }

    /// Reads what is there; false if nothing is.
    fn read(&mut self) -> Result<bool> {
        let (port, mut room_for) = (&*self.port, 0);
        let read = self.inbox.fill(|room| {
            room_for = room.len();
            port.read(room)
        });
        match read {
            Ok(0) if self.wire.is_severed() => Err(severed()),
            Ok(0) => Err(ended()),
            Ok(count) => {
                self.is_dry = count < room_for;
                self.gather.note(count);
                Ok(true)
            }
            Err(error) if is_passing(&error) => {
                self.is_dry = true;
                Ok(false)
            }
            Err(error) => Err(lost(error)),
        }
    }
}
