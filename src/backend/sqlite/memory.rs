//! The one connection of a database in memory, lent and given back.
//!
//! A database in memory lives and dies with its connection, so the backend keeps that connection
//! and lends it to one borrower at a time.

use super::gate::{Gate, Pass};
use super::open::{self, Handle};
use crate::backend::JobLock;
use crate::error::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct Memory {
    handle: Handle,
    lender: Arc<Gate>,
    jobs: Arc<Mutex<HashSet<i64>>>,
}

/// The right to use the connection; dropping it lets the next borrower have it.
#[derive(Debug)]
pub(super) struct Lease(#[expect(dead_code, reason = "its Drop is its use")] Pass);

impl Memory {
    pub(super) fn open(busy_timeout: Duration) -> Result<Self> {
        let handle = open::memory(busy_timeout)?;
        Ok(Self { handle, lender: Arc::default(), jobs: Arc::default() })
    }

    pub(super) fn lend(&self, deadline: Instant) -> Result<(Handle, Lease)> {
        let Some(pass) = self.lender.pass(deadline, &|| false) else {
            let message = "the one connection of the database in memory is in use";
            return Err(Error::new(ErrorKind::Connect, message)
                .with_hint("give it back first, or use a file: sqlite:PATH"));
        };
        Ok((self.handle.clone(), Lease(pass)))
    }

    pub(super) fn lock_job(&self, key: i64) -> Option<Box<dyn JobLock>> {
        let taken = self.jobs.lock().insert(key);
        taken.then(|| -> Box<dyn JobLock> {
            Box::new(MemoryLock { keys: vec![key], jobs: Arc::clone(&self.jobs) })
        })
    }

    pub(super) fn is_locked(&self, key: i64) -> bool {
        self.jobs.lock().contains(&key)
    }
}

/// The lock of a job on a database that no other process can see.
#[derive(Debug)]
struct MemoryLock {
    keys: Vec<i64>,
    jobs: Arc<Mutex<HashSet<i64>>>,
}

impl JobLock for MemoryLock {
    fn is_held(&mut self) -> bool {
        true
    }

    fn also(&mut self, key: i64) -> Result<bool> {
        let taken = self.jobs.lock().insert(key);
        if taken {
            self.keys.push(key);
        }
        Ok(taken)
    }

    fn sweep(&mut self, _key: i64) {}
}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        let mut jobs = self.jobs.lock();
        for key in &self.keys {
            jobs.remove(key);
        }
    }
}
