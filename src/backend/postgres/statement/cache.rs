//! Prepared statements, kept.

use super::resolver::Resolver;
use crate::backend::postgres::session::traces::Traces;
use crate::mapping::column_type::ColumnType;
use postgres::types::Type;
use postgres::{Client, Statement};
use std::collections::HashMap;
use std::sync::Arc;

/// How many statements a connection keeps.
const CAPACITY: usize = 100;

/// The prepared statements of one connection; the one that was not used for the longest time goes
/// first.
#[derive(Default)]
pub(crate) struct Statements {
    keeps: bool,
    kept: HashMap<String, Kept>,
    clock: u64,
    pub(crate) resolver: Resolver,
}

struct Kept {
    prepared: Prepared,
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

    /// The statement for `sql`, prepared now if it is not kept.
    pub(crate) fn get(
        &mut self,
        client: &mut Client,
        sql: &str,
    ) -> Result<Prepared, postgres::Error> {
        self.clock += 1;
        if let Some(kept) = self.kept.get_mut(sql) {
            kept.used = self.clock;
            return Ok(kept.prepared.clone());
        }
        let prepared = self.resolver.prepare(client, sql)?;
        if !self.keeps {
            return Ok(prepared);
        }
        if self.kept.len() == CAPACITY {
            self.forget_oldest();
        }
        let kept = Kept { prepared: prepared.clone(), traces: Traces::of(sql), used: self.clock };
        self.kept.insert(sql.to_owned(), kept);
        Ok(prepared)
    }

    /// What the statement leaves behind; read once for one that is kept.
    pub(crate) fn traces(&self, sql: &str) -> Traces {
        self.kept.get(sql).map_or_else(|| Traces::of(sql), |kept| kept.traces)
    }

    /// Whether the statement for `sql` is kept.
    pub(crate) fn is_kept(&self, sql: &str) -> bool {
        self.kept.contains_key(sql)
    }

    /// Forgets the statement for `sql`; says whether it was kept.
    pub(crate) fn forget(&mut self, sql: &str) -> bool {
        self.kept.remove(sql).is_some()
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }

    fn forget_oldest(&mut self) {
        let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.used);
        if let Some(sql) = oldest.map(|(sql, _)| sql.clone()) {
            self.kept.remove(&sql);
        }
    }
}
