//! The types in the descriptions of statements.
//!
//! A statement that is prepared has all types hidden from the driver that it does not know, and
//! what is not known here either is asked for before it runs. One that is sent without that has to
//! be prepared for whatever its description says, because nothing can be asked while its rows come:
//! so all types that are likely to be met are asked for ahead, outside of transactions, and one that
//! is met all the same is left to the driver, and asked for ahead of the next statement.

use super::cache::Prepared;
use super::known_types::{KnownTypes, Question, Snapshot, TypeCache};
use super::{type_lookup, types};
use crate::backend::postgres::direct::prepared::Description;
use crate::backend::postgres::wire::disguise::{Hidden, Said, Seen};
use crate::backend::postgres::wire::state::{Status, Wire};
use crate::mapping::column_type::ColumnType;
use postgres::types::{Oid, Type};
use postgres::{Client, Column};
use std::sync::Arc;

/// Finds out what the types of one connection are.
#[derive(Debug, Default)]
pub(crate) struct Resolver {
    wire: Arc<Wire>,
    cache: Arc<TypeCache>,
    known: Arc<KnownTypes>,
}

/// The columns of a result whose description has passed; `None` where the driver knows.
pub(crate) type Described = Vec<Option<Type>>;

impl Resolver {
    /// For the connection of `wire`; what it learns goes to `cache`.
    pub(crate) fn new(wire: Arc<Wire>, cache: Arc<TypeCache>) -> Self {
        let known = cache.current();
        Self { wire, cache, known }
    }

    /// Ends what is known: the database may no longer be the same, or may have changed.
    pub(crate) fn retire(&mut self) {
        self.known = self.cache.retire(&self.known);
    }

    /// Prepares a statement.
    pub(crate) fn prepare(
        &mut self,
        client: &mut Client,
        sql: &str,
    ) -> Result<Prepared, postgres::Error> {
        self.wire.hide(Hidden::All);
        let statement = client.prepare(sql);
        let seen = self.wire.unveil();
        let statement = statement?;
        let known = self.know(client, &seen)?;
        let params = statement.params().iter().enumerate();
        let params = params.map(|(index, driver)| real(&known, &seen.params, index, driver));
        let columns = statement.columns().iter().enumerate().map(|(index, column)| {
            let server = real(&known, &seen.columns, index, column.type_());
            types::column_type(&server, column.type_modifier())
        });
        let (params, columns) = (params.collect(), columns.collect());
        Ok(Prepared { statement, params, columns })
    }

    /// Finds out the types of the parameters and of the columns of a statement that was prepared
    /// without the driver.
    pub(crate) fn resolve(
        &mut self,
        client: &mut Client,
        Description { params, columns }: &Description,
    ) -> Result<(Vec<Type>, Vec<ColumnType>), postgres::Error> {
        let said = |oid, size| match Type::from_oid(oid) {
            Some(_) => Said::AsDriver,
            None => Said::Hidden(oid, size),
        };
        let seen = Seen {
            params: params.iter().map(|oid| said(*oid, None)).collect(),
            columns: columns.iter().map(|column| said(column.oid, Some(column.size))).collect(),
        };
        let known = self.know(client, &seen)?;
        let params = params.iter().map(|oid| server_type(&known, *oid)).collect();
        let types = columns
            .iter()
            .map(|column| types::column_type(&server_type(&known, column.oid), column.modifier));
        Ok((params, types.collect()))
    }

    /// What is known, after all that is hidden was asked for.
    fn know(&mut self, client: &mut Client, seen: &Seen) -> Result<Snapshot, postgres::Error> {
        let all = || seen.params.iter().chain(&seen.columns);
        let known = self.known.snapshot();
        if all().any(|said| is_contradicted(&known, *said)) {
            self.retire();
        }
        self.learn(client, |known| known.question_for(all().copied().filter_map(hidden)))?;
        Ok(self.known.snapshot())
    }

    /// Asks for the types that are likely to be met, if nobody has; costs nothing in a transaction,
    /// whose first statement may have to be the user's.
    pub(crate) fn look_ahead(&self, client: &mut Client) -> Result<(), postgres::Error> {
        if !self.wire.is_tapped() || self.wire.status() != Some(Status::Idle) {
            return Ok(());
        }
        self.learn(client, KnownTypes::question_ahead)
    }

    /// Sends a statement of which nothing is known.
    pub(crate) fn send<T>(&self, statement: impl FnOnce() -> T) -> (T, Described) {
        let known = self.known.snapshot();
        self.wire.hide(Hidden::Known(Arc::clone(&known)));
        let sent = statement();
        let seen = self.wire.unveil();
        self.known.want(seen.columns.iter().filter_map(|said| match said {
            Said::Asked(oid) => Some(*oid),
            _ => None,
        }));
        let real = |said: &Said| known.get(&hidden(*said)?).map(|known| known.server.clone());
        (sent, seen.columns.iter().map(real).collect())
    }

    /// Asks what is still open, if anything is.
    fn learn(
        &self,
        client: &mut Client,
        open: impl Fn(&KnownTypes) -> Option<Question>,
    ) -> Result<(), postgres::Error> {
        if open(&self.known).is_none() {
            return Ok(());
        }
        let _turn = self.known.take_turn();
        // Somebody else may have asked in the meantime.
        let Some(question) = open(&self.known) else { return Ok(()) };
        let found = type_lookup::ask(client, &question)?;
        self.known.add(&question, found);
        Ok(())
    }
}

/// The types of the columns of a result.
pub(crate) fn column_types(columns: &[Column], described: &Described) -> Arc<[ColumnType]> {
    let types = columns.iter().enumerate().map(|(index, column)| {
        let hidden = described.get(index).and_then(Option::as_ref);
        types::column_type(hidden.unwrap_or(column.type_()), column.type_modifier())
    });
    types.collect()
}

/// The type of this number.
fn server_type(known: &Snapshot, oid: Oid) -> Type {
    let asked = || known.get(&oid).map(|known| known.server.clone());
    Type::from_oid(oid).or_else(asked).unwrap_or_else(|| type_lookup::vanished(oid))
}

/// The type of a parameter or a column that is `driver` to the driver.
fn real(known: &Snapshot, said: &[Said], index: usize, driver: &Type) -> Type {
    let Some(oid) = said.get(index).copied().and_then(hidden) else { return driver.clone() };
    known.get(&oid).map_or_else(|| type_lookup::vanished(oid), |known| known.server.clone())
}

fn hidden(said: Said) -> Option<Oid> {
    match said {
        Said::Hidden(oid, _) => Some(oid),
        _ => None,
    }
}

/// Whether what is known of a type cannot be true of this one.
fn is_contradicted(known: &Snapshot, said: Said) -> bool {
    match said {
        Said::Hidden(oid, size) => known.get(&oid).is_some_and(|known| !known.fits(size)),
        _ => false,
    }
}
