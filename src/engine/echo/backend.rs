//! A backend whose connections have an echo.

use super::connection::EchoConnection;
use super::options::EchoOptions;
use crate::backend::{Backend, Connection, JobLock};
use crate::error::Result;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// A backend whose connections have an echo.
#[derive(Debug)]
pub(super) struct EchoBackend {
    inner: Arc<dyn Backend>,
    echo: Arc<EchoOptions>,
    opened: AtomicU64,
}

impl EchoBackend {
    pub(super) fn new(inner: Arc<dyn Backend>, echo: EchoOptions) -> Self {
        Self { inner, echo: Arc::new(echo), opened: AtomicU64::new(0) }
    }
}

impl Backend for EchoBackend {
    fn connect(&self, deadline: Instant) -> Result<Box<dyn Connection>> {
        let inner = self.inner.connect(deadline)?;
        let number = self.opened.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(Box::new(EchoConnection::new(inner, Arc::clone(&self.echo), number)))
    }

    fn max_connections(&self) -> Option<u32> {
        self.inner.max_connections()
    }

    fn lock_job(&self, key: i64, deadline: Instant) -> Result<Option<Box<dyn JobLock>>> {
        self.inner.lock_job(key, deadline)
    }

    fn share_job(&self, key: i64, deadline: Instant) -> Result<Option<Box<dyn JobLock>>> {
        self.inner.share_job(key, deadline)
    }

    fn locked_jobs(&self, keys: &[i64], deadline: Instant) -> Result<Vec<bool>> {
        self.inner.locked_jobs(keys, deadline)
    }

    fn is_there(&self) -> Result<bool> {
        self.inner.is_there()
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}
