//! Prepared statements, kept.

use super::resolver::Resolver;
use crate::backend::flight::MOST_TOGETHER;
use crate::backend::postgres::direct::line::Line;
use crate::backend::postgres::direct::prepared::Prepared as Direct;
use crate::backend::postgres::errors;
use crate::backend::postgres::guard::guarded;
use crate::backend::postgres::session::traces::Traces;
use crate::error::Result;
use crate::mapping::column_type::ColumnType;
use postgres::types::Type;
use postgres::{Client, Statement};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many statements a connection keeps: more than are sent together, or one of them would be
/// forgotten before it is.
const CAPACITY: usize = 100;
const _: () = assert!(CAPACITY > MOST_TOGETHER);

/// The prepared statements of one connection; the one that was not used for the longest time goes
/// first.
#[derive(Default)]
pub(crate) struct Statements {
    keeps: bool,
    kept: HashMap<String, Kept>,
    clock: u64,
    /// Names that the server is to forget when the next statement is prepared.
    forgotten: Vec<String>,
    pub(crate) resolver: Resolver,
}

/// What is known of a text; it may be prepared twice, once by the driver and once without it.
struct Kept {
    by_driver: Option<Prepared>,
    direct: Option<Arc<Direct>>,
    traces: Traces,
    used: u64,
}

/// A statement, and the types of its parameters and of its result.
#[derive(Clone)]
pub(crate) struct Prepared {
    pub(crate) statement: Statement,
    pub(crate) params: Arc<[Type]>,
    pub(crate) columns: Arc<[ColumnType]>,
}

impl Statements {
    /// An empty set; one that `keeps` nothing prepares a statement each time it is asked for.
    pub(crate) fn new(keeps: bool, resolver: Resolver) -> Self {
        Self { keeps, resolver, ..Self::default() }
    }

    /// Whether statements are kept; where they are not, none may outlive its transaction.
    pub(crate) fn keeps(&self) -> bool {
        self.keeps
    }

    /// The statement for `sql`, prepared now by the driver if it is not kept.
    pub(crate) fn get(
        &mut self,
        client: &mut Client,
        sql: &str,
    ) -> Result<Prepared, postgres::Error> {
        if let Some(prepared) = self.touch(sql).and_then(|kept| kept.by_driver.as_ref()) {
            return Ok(prepared.clone());
        }
        let prepared = self.resolver.prepare(client, sql)?;
        if self.keeps {
            self.entry(sql).by_driver = Some(prepared.clone());
        }
        Ok(prepared)
    }

    /// The statement for `sql`, prepared now without the driver if it is not kept. The driver asks
    /// for types that nobody knows.
    pub(crate) fn get_direct(
        &mut self,
        line: &mut Line,
        client: &mut Client,
        sql: &str,
    ) -> Result<Arc<Direct>> {
        if let Some(prepared) = self.touch(sql).and_then(|kept| kept.direct.as_ref()) {
            return Ok(Arc::clone(prepared));
        }
        let name = new_name();
        let description = line.prepare(&name, sql, &self.forgotten)?;
        self.forgotten.clear();
        let found = guarded(|| self.resolver.resolve(client, &description));
        let found = found.and_then(|found| found.map_err(errors::statement));
        let (params, types) = found.inspect_err(|_| self.forgotten.push(name.clone()))?;
        let prepared = Arc::new(Direct::new(name, params, description.columns, types));
        self.entry(sql).direct = Some(Arc::clone(&prepared));
        Ok(prepared)
    }

    fn touch(&mut self, sql: &str) -> Option<&Kept> {
        self.clock += 1;
        let kept = self.kept.get_mut(sql)?;
        kept.used = self.clock;
        Some(kept)
    }

    /// What is kept of `sql`; if nothing is, there is room for it now.
    fn entry(&mut self, sql: &str) -> &mut Kept {
        if self.kept.len() == CAPACITY && !self.kept.contains_key(sql) {
            self.forget_oldest();
        }
        let used = self.clock;
        self.kept.entry(sql.to_owned()).or_insert_with(|| Kept {
            by_driver: None,
            direct: None,
            traces: Traces::of(sql),
            used,
        })
    }

    /// What the statement leaves behind, read once for one that is kept; and whether it is.
    pub(crate) fn traces(&self, sql: &str) -> (Traces, bool) {
        let kept = self.kept.get(sql).map(|kept| (kept.traces, true));
        kept.unwrap_or_else(|| (Traces::of(sql), false))
    }

    /// Forgets the statement for `sql`; says whether it was kept.
    pub(crate) fn forget(&mut self, sql: &str) -> bool {
        let kept = self.kept.remove(sql);
        let was_kept = kept.is_some();
        self.forgotten.extend(kept.and_then(|kept| kept.name()));
        was_kept
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        // Not all of them may be gone.
        self.forgotten.extend(self.kept.drain().filter_map(|(_, kept)| kept.name()));
    }

    fn forget_oldest(&mut self) {
        let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.used);
        if let Some(sql) = oldest.map(|(sql, _)| sql.clone()) {
            self.forget(&sql);
        }
    }
}

/// A name that no other statement has, also where a pooler puts other connections on the session.
fn new_name() -> String {
    static NAMED: AtomicU64 = AtomicU64::new(0);
    format!("rowmill_{:x}_{:x}", std::process::id(), NAMED.fetch_add(1, Ordering::Relaxed))
}

impl Kept {
    /// The name that the server knows it by, if we gave it one.
    fn name(&self) -> Option<String> {
        self.direct.as_ref().map(|direct| direct.name().to_owned())
    }
}
