//! The rows of a table or a query for declared columns, passed through or converted.

use super::consistency::Consistency;
use super::core::{Core, Reading, describe};
use super::options::{Options, Partitions, What, check_query};
use super::position;
use super::records::Records;
use super::selection::{Handling, Selection};
use crate::backend::unloaded::Unloaded;
use crate::engine::Acquire;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{Ident, TableName};
use crate::mapping::column::Column;
use crate::mapping::column_type::ColumnType;
use crate::mapping::key_range::KeyRange;
use crate::mapping::nul::NulPolicy;
use crate::mapping::rows::Rows;
use crate::source::bounds::{Bounds, CutLimits, Fingerprint, Origin};
use crate::source::feed::{Feed, Layout};
use crate::source::prepared::{Prepared, Stage};
use crate::source::stateful::{Kept, Stateful, Surroundings};
use crate::spent::{self, Step};
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::sync::Arc;

/// A column that is filled from one of a table or a query.
#[derive(Clone, Debug)]
pub struct TableColumn {
    column: Column,
    from: Ident,
    handling: Handling,
}

impl TableColumn {
    /// The column `name` of the target, filled from the one of the same name.
    pub fn new(name: Ident, column_type: ColumnType) -> Self {
        let from = name.clone();
        Self { column: Column::new(name, column_type), from, handling: Handling::default() }
    }

    /// Takes it from the column of this name. Default: the name of the column.
    #[must_use]
    pub fn from(mut self, name: Ident) -> Self {
        self.from = name;
        self
    }

    /// Removes white space around its text. Default: no.
    #[must_use]
    pub fn trim(mut self, trim: bool) -> Self {
        self.handling.trim = trim;
        self
    }

    /// Says what becomes of the character NUL in its texts. Default: the row is rejected.
    #[must_use]
    pub fn nul(mut self, policy: NulPolicy) -> Self {
        self.handling.nul = policy;
        self
    }

    /// Sets the texts that mean NULL in this column. Default: none; NULL is NULL.
    #[must_use]
    pub fn nulls<T: Into<String>>(mut self, texts: impl IntoIterator<Item = T>) -> Self {
        self.handling.nulls = texts.into_iter().map(Into::into).collect();
        self
    }

    /// Says that it has no NULL. Default: it can be NULL.
    #[must_use]
    pub fn not_null(mut self) -> Self {
        self.column = self.column.not_null();
        self
    }
}

/// The rows of a table, or of a query, whose columns become those that a job declares.
///
/// A value whose type is that of the target's column is passed through as the server packed it.
/// Any other becomes a value as PostgreSQL's own input would make it of its text; one that is none
/// becomes a reject, with the table, the key and the whole row.
///
/// ```no_run
/// use rowmill::{ColumnType, Engine, Ident, TableColumn, TableColumns};
/// # use std::sync::Arc;
/// let columns = vec![
///     TableColumn::new(Ident::new("id")?, ColumnType::Int8).not_null(),
///     TableColumn::new(Ident::new("name")?, ColumnType::Text).from(Ident::new("full name")?),
/// ];
/// let source = TableColumns::table("crm.people", columns)?
///     .on(&Engine::open("postgresql://replica/crm")?);
/// # Ok::<(), rowmill::Error>(())
/// ```
#[derive(Debug)]
pub struct TableColumns {
    core: Core,
    columns: Vec<Column>,
    fields: Vec<(Ident, Handling)>,
}

impl TableColumns {
    /// The rows of `table`, which is `table` or `schema.table`: a table, a partitioned one with all
    /// its partitions, or a view with a [`key`](Self::key).
    ///
    /// # Errors
    /// `Config` if that is no name, or there is no column.
    pub fn table(table: &str, columns: Vec<TableColumn>) -> Result<Self> {
        Self::of_table(TableName::parse(table)?, columns)
    }

    /// As [`table`](Self::table), for a name that was read before.
    ///
    /// # Errors
    /// `Config` if there is no column.
    pub fn of_table(table: TableName, columns: Vec<TableColumn>) -> Result<Self> {
        Self::of(What::Table(table), columns)
    }

    /// The rows of `sql`: one statement that reads, without parameters, which answers with the same
    /// rows whenever it is asked. It needs a [`key`](Self::key) among its columns.
    ///
    /// # Errors
    /// `Config` if it is no such statement, or there is no column.
    pub fn query(sql: &str, columns: Vec<TableColumn>) -> Result<Self> {
        Self::of(What::Query(check_query(sql)?), columns)
    }

    fn of(what: What, columns: Vec<TableColumn>) -> Result<Self> {
        if columns.is_empty() {
            return Err(Error::new(ErrorKind::Config, "a source needs at least one column"));
        }
        let fields: Vec<_> =
            columns.iter().map(|column| (column.from.clone(), column.handling.clone())).collect();
        let columns = columns.into_iter().map(|column| column.column).collect();
        let mut wanted: Vec<Ident> = fields.iter().map(|(name, _)| name.clone()).collect();
        wanted.sort();
        wanted.dedup();
        Ok(Self { core: Core::new(Options::of(what), wanted), columns, fields })
    }

    /// Reads from this database. Default: the one that is written to.
    #[must_use]
    pub fn on(mut self, engine: &(impl Acquire + Clone + 'static)) -> Self {
        self.core.options.engine = Some(Arc::new(engine.clone()));
        self
    }

    /// Cuts it by these columns. Default: the first unique key without NULL.
    #[must_use]
    pub fn key(mut self, key: Vec<Ident>) -> Self {
        self.core.options.key = key;
        self
    }

    /// Says how it is cut. Default: [`Partitions::Auto`].
    #[must_use]
    pub fn partitions(mut self, partitions: Partitions) -> Self {
        self.core.options.partitions = partitions;
        self
    }

    /// Says what it must promise. Default: see [`Consistency`].
    #[must_use]
    pub fn consistency(mut self, consistency: Consistency) -> Self {
        self.core.options.consistency = Some(consistency);
        self
    }

    fn take(
        &self,
        index: u32,
        row: &Unloaded<'_>,
        around: &Around<'_>,
        out: &mut Prepared,
    ) -> Result<()> {
        let Around { selection, layout, bounds } = *around;
        let packed = match &row.fault {
            Some(fault) => Err(located(fault.error.without_source(), fault.field, layout)),
            None => out.push(index, layout, |to| selection.pack(&row.fields, layout, to)),
        };
        match packed {
            Ok(()) if selection.notes_positions() => {
                let position = selection.positions.of(&row.fields, &selection.types);
                note(&mut out.positions, position)
            }
            Ok(()) => Ok(()),
            Err(error) if error.is_data() => {
                let origin = self.origin_of(index, row, selection, bounds);
                out.refuse(index, origin, Stage::Convert, error);
                out.name_key(index, |to| selection.pack_key(&row.fields, layout, to));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn origin_of(
        &self,
        index: u32,
        row: &Unloaded<'_>,
        selection: &Selection,
        bounds: &Bounds,
    ) -> Origin {
        let raw = selection.record(&self.core.options.describe(), row);
        Origin::of_row(bounds.first_row + u64::from(index), raw)
    }
}

/// What a row becomes.
#[derive(Clone, Copy)]
struct Around<'a> {
    selection: &'a Selection,
    layout: &'a Layout,
    bounds: &'a Bounds,
}

fn located(error: Error, at: usize, layout: &Layout) -> Error {
    match layout.columns.get(at) {
        Some(column) => error.locate(|place| place.column = Some(column.name.as_str().to_owned())),
        None => error,
    }
}

fn note(positions: &mut Rows, position: Map<String, Value>) -> Result<()> {
    let mut row = positions.begin();
    row.field(Value::Object(position).to_string().as_bytes())?;
    row.finish()
}

impl Feed for TableColumns {
    fn describe(&self) -> String {
        describe(&self.core.options)
    }

    fn definition(&self) -> String {
        let mut text = self.core.options.definition();
        for (name, handling) in &self.fields {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n{name} {handling:?}");
        }
        text
    }

    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn stateful(&self) -> Option<&dyn Stateful> {
        Some(self)
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        self.core.fingerprint()
    }

    fn plan(&self, limits: CutLimits, each: &mut dyn FnMut(Bounds) -> Result<()>) -> Result<()> {
        self.core.plan(limits, each)
    }

    fn prepare(&self, bounds: &Bounds, layout: &Layout, out: &mut Prepared) -> Result<()> {
        let selection = self.selection(layout, out.wants_positions)?;
        let around = Around { selection: &selection, layout, bounds };
        let reading = Reading { expressions: &selection.expressions, types: &selection.types };
        let mut take = |index, row: Unloaded<'_>| {
            out.read += 1;
            spent::sampled(Step::Encode, index, bounds.rows, || {
                self.take(index, &row, &around, out)
            })
        };
        // The other database is waited for, whatever it does.
        spent::rest_on(Step::Read, || self.core.read(bounds, &reading, &mut take))?;
        out.lacks_positions = selection.lacks_positions();
        if out.lacks_positions && !out.refused.is_empty() {
            out.clear();
            out.wants_positions = true;
            return self.prepare(bounds, layout, out);
        }
        Ok(())
    }

    fn prepare_records(
        &self,
        records: &[&[u8]],
        layout: &Layout,
        out: &mut Prepared,
    ) -> Result<()> {
        let made = Records::of(self, layout)?;
        out.read += records.len() as u64;
        (0..).zip(records).try_for_each(|(index, record)| made.take(index, record, out))
    }

    fn origin(&self, bounds: &Bounds, index: u32) -> Result<Origin> {
        let layout = Layout::new(self.columns.clone(), Vec::new());
        let selection = self.selection(&layout, true)?;
        let reading = Reading { expressions: &selection.expressions, types: &selection.types };
        let mut found = None;
        self.core.read(bounds, &reading, &mut |at, row| {
            if at == index {
                found = Some(self.origin_of(at, &row, &selection, bounds));
            }
            Ok(())
        })?;
        found.ok_or_else(|| Error::new(ErrorKind::Source, "the batch has no such row any more"))
    }
}

impl Stateful for TableColumns {
    fn begin(&self, surroundings: &Surroundings) -> Result<()> {
        self.core.begin(surroundings)
    }

    fn memo(&self) -> Result<String> {
        self.core.memo()
    }

    fn recall(&self, memo: &str, begun: bool) -> Result<()> {
        self.core.recall(memo, begun)
    }

    fn settle(&self) -> Result<()> {
        self.core.settle()
    }

    fn end(&self, _: bool) {
        self.core.end();
    }

    fn explain(&self) -> Vec<String> {
        self.core.explain()
    }

    fn key_range(&self, bounds: &Bounds) -> Option<KeyRange> {
        self.core.key_range(bounds)
    }

    fn refused(&self, bounds: &Bounds, index: u32, kept: Option<Kept<'_>>) -> Origin {
        let table = self.core.options.describe();
        position::kept(&table, &self.key_of(), self.renames(), (bounds, index), kept)
    }
}

impl TableColumns {
    fn selection(&self, layout: &Layout, notes: bool) -> Result<Selection> {
        let has_blocks = self.core.has_blocks()?;
        let fields = &self.fields;
        self.core.with_facts(|facts| Selection::of(facts, fields, layout, has_blocks, notes))
    }

    pub(super) fn fields(&self) -> &[(Ident, Handling)] {
        &self.fields
    }

    /// Whether a column of the target is called otherwise than that of the source.
    fn renames(&self) -> bool {
        self.fields.iter().zip(&self.columns).any(|((from, _), column)| *from != column.name)
    }

    /// The columns of the target that have the key, by its names, where rows are passed through.
    fn key_of(&self) -> Vec<(String, usize)> {
        let key = |facts: &super::facts::Facts| {
            let at = |name: &Ident| self.fields.iter().position(|(field, _)| field == name);
            let key = facts.key.iter();
            Ok(key.filter_map(|c| Some((c.name.as_str().to_owned(), at(&c.name)?))).collect())
        };
        self.core.with_facts(key).unwrap_or_default()
    }
}
