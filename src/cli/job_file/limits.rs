//! `[limits]`: how much at once, how many rejects, how long to wait.

use super::section::{Field, Section};
use super::units;
use crate::batch::limits::{MaxRejects, RejectClass};
use crate::error::Result;
use std::time::Duration;
use toml::de::DeValue;

/// The limits of a job.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LimitsSpec {
    /// Rows of a batch. Default: 5000.
    pub batch_rows: u64,
    /// Bytes of a batch in its source. Default: 4 MiB.
    pub batch_bytes: u64,
    /// Batches that share a transaction, at most. Default: 16.
    pub batches_a_transaction: usize,
    /// Rejected rows; one more stops the job. Default: 100.
    pub max_rejects: MaxRejects,
    /// The same for kinds of rejects. Default: none has a limit of its own.
    pub on: Vec<(RejectClass, MaxRejects)>,
    /// Batches at the same time. Default: what the pool and the machine allow.
    pub workers: Option<usize>,
    /// How long a lost server is waited for. Default: 60 seconds.
    pub retry_for: Duration,
    /// How long batches in flight may take to end when the run is to stop. Default: 20 seconds.
    pub grace: Duration,
}

impl Default for LimitsSpec {
    fn default() -> Self {
        Self {
            batch_rows: 5_000,
            batch_bytes: 4 << 20,
            batches_a_transaction: 16,
            max_rejects: MaxRejects::Count(100),
            on: Vec::new(),
            workers: None,
            retry_for: Duration::from_mins(1),
            grace: Duration::from_secs(20),
        }
    }
}

pub(super) fn read(section: Option<&Section<'_>>) -> Result<LimitsSpec> {
    let mut limits = LimitsSpec::default();
    let Some(section) = section else { return Ok(limits) };
    section.allow_only(&[
        "batch_rows",
        "batch_bytes",
        "batches_a_transaction",
        "max_rejects",
        "on",
        "workers",
        "retry_for",
        "grace",
    ])?;
    if let Some(field) = section.optional("batch_rows") {
        limits.batch_rows = field.count(1, 1_000_000)?;
    }
    if let Some(field) = section.optional("batch_bytes") {
        limits.batch_bytes = batch_bytes(&field)?;
    }
    if let Some(field) = section.optional("batches_a_transaction") {
        limits.batches_a_transaction = field.count(1, 1_000)? as usize;
    }
    if let Some(field) = section.optional("max_rejects") {
        limits.max_rejects = max_rejects(&field)?;
    }
    if let Some(field) = section.optional("on") {
        limits.on = classes(&field)?;
    }
    if let Some(field) = section.optional("workers") {
        limits.workers = Some(field.count(1, 1_024)? as usize);
    }
    for (key, limit) in [("retry_for", &mut limits.retry_for), ("grace", &mut limits.grace)] {
        if let Some(field) = section.optional(key) {
            *limit = duration(&field)?;
        }
    }
    Ok(limits)
}

pub(super) fn duration(field: &Field<'_>) -> Result<Duration> {
    let expected = "a duration such as \"60s\", \"500ms\", \"5m\" or \"2h\"";
    units::duration(field.plain_text(expected)?)
        .ok_or_else(|| field.error(&format!("expected {expected}")))
}

fn batch_bytes(field: &Field<'_>) -> Result<u64> {
    let most = 1 << 30;
    let expected = "a size from 1 byte to 1 GiB, such as \"4MiB\"";
    match field.value {
        DeValue::Integer(_) => field.count(1, most),
        DeValue::String(text) => units::bytes(text)
            .filter(|bytes| (1..=most).contains(bytes))
            .ok_or_else(|| field.error(&format!("expected {expected}"))),
        _ => Err(field.wrong_type(expected)),
    }
}

/// The limits of kinds of rejects.
fn classes(field: &Field<'_>) -> Result<Vec<(RejectClass, MaxRejects)>> {
    let kinds = field.section(field.inner_prefix())?;
    let limit = |field: Field<'_>| {
        let class = RejectClass::parse(field.key)
            .map_err(|error| field.error(error.hint().unwrap_or_default()))?;
        // The first of them fails the run.
        let limit = match field.value.as_str() {
            Some("fail") => MaxRejects::Count(0),
            _ => max_rejects(&field)?,
        };
        Ok((class, limit))
    };
    kinds.fields().into_iter().map(limit).collect()
}

fn max_rejects(field: &Field<'_>) -> Result<MaxRejects> {
    let expected = "a number of rows, or a share such as \"1%\"";
    match field.value {
        DeValue::Integer(_) => field.count(0, i64::MAX as u64).map(MaxRejects::Count),
        DeValue::String(text) => units::share(text)
            .map(MaxRejects::Share)
            .ok_or_else(|| field.error(&format!("expected {expected}"))),
        _ => Err(field.wrong_type(expected)),
    }
}
