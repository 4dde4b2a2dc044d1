//! Which table, and how.

use crate::error::Result;
use crate::ident::TableName;
use crate::mapping::entity::Entity;
use crate::sink::duplicates::OnDuplicate;
use crate::sink::indexes::Indexes;
use crate::sink::mode::Mode;
use crate::sink::target::Target;
use std::fmt;
use std::marker::PhantomData;

/// A mode as a type, so that `Upsert::<Runway>::new()` reads as what it does.
pub trait WriteMode: Send + Sync + 'static {
    /// The mode.
    const MODE: Mode;
}

macro_rules! modes {
    ($($marker:ident, $alias:ident, $mode:ident: $what:literal;)*) => { $(
        #[doc = concat!("Marks [`", stringify!($alias), "`].")]
        #[derive(Clone, Copy, Debug)]
        pub enum $marker {}

        impl WriteMode for $marker {
            const MODE: Mode = Mode::$mode;
        }

        #[doc = $what]
        pub type $alias<T> = Write<T, $marker>;
    )* };
}

modes! {
    AppendMode, Append, Append: "Inserts every row; one that meets a row that is there is rejected.";
    InsertIgnoreMode, InsertIgnore, InsertIgnore: "Inserts rows with a new key and passes over the others.";
    UpsertMode, Upsert, Upsert: "Inserts new keys, updates changed rows, leaves equal rows untouched.";
    MirrorMode, Mirror, Mirror: "As [`Upsert`], and deletes the keys that the source does not name.";
    ReplaceMode, Replace, Replace: "Replaces the whole content of the table in one transaction.";
}

/// How rows of an entity are written into its table: see [`Append`], [`InsertIgnore`], [`Upsert`],
/// [`Mirror`] and [`Replace`].
pub struct Write<T, M> {
    table: Option<String>,
    create: bool,
    duplicates: Option<OnDuplicate>,
    allow_empty_source: bool,
    indexes: Indexes,
    entity: PhantomData<fn() -> T>,
    mode: PhantomData<M>,
}

impl<T: Entity, M: WriteMode> Write<T, M> {
    /// Writes into the entity's own table.
    pub fn new() -> Self {
        Self {
            table: None,
            create: false,
            duplicates: None,
            allow_empty_source: false,
            indexes: Indexes::default(),
            entity: PhantomData,
            mode: PhantomData,
        }
    }

    /// Writes into another table: `table` or `schema.table`.
    #[must_use]
    pub fn table(mut self, name: impl Into<String>) -> Self {
        self.table = Some(name.into());
        self
    }

    /// Creates the table if it is not there. Default: no.
    #[must_use]
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// What becomes of rows of the input that have one key. Default: the first counts for
    /// [`InsertIgnore`], the last for [`Upsert`], [`Mirror`] and [`Replace`], and every row for
    /// [`Append`].
    ///
    /// ```
    /// # use rowmill::{OnDuplicate, Entity, Upsert};
    /// # #[derive(Entity)]
    /// # struct Runway { #[entity(key)] id: i64 }
    /// let write = Upsert::<Runway>::new().duplicates(OnDuplicate::Reject);
    /// ```
    #[must_use]
    pub fn duplicates(mut self, duplicates: OnDuplicate) -> Self {
        self.duplicates = Some(duplicates);
        self
    }

    /// Lets `mirror` and `replace` empty the table when the source has no rows. Default: no.
    #[must_use]
    pub fn allow_empty_source(mut self, allow: bool) -> Self {
        self.allow_empty_source = allow;
        self
    }

    pub(super) fn target(&self) -> Result<Target> {
        let table = match &self.table {
            Some(name) => TableName::parse(name)?,
            None => T::table()?,
        };
        let key = T::key().iter().map(|&name| name.to_owned()).collect();
        let mut target = Target::new(table, T::columns()?, key, M::MODE)?;
        target.create = self.create;
        target.duplicates = self.duplicates;
        target.allow_empty_source = self.allow_empty_source;
        target.indexes = self.indexes;
        Ok(target)
    }
}

impl<T: Entity> Write<T, ReplaceMode> {
    /// What becomes of the indexes of the table. Default: they are kept, and nobody who reads it waits.
    ///
    /// ```
    /// # use rowmill::{Entity, Indexes, Replace};
    /// # #[derive(Entity)]
    /// # struct Runway { #[entity(key)] id: i64 }
    /// let write = Replace::<Runway>::new().indexes(Indexes::Rebuild);
    /// ```
    #[must_use]
    pub fn indexes(mut self, indexes: Indexes) -> Self {
        self.indexes = indexes;
        self
    }
}

impl<T: Entity, M: WriteMode> Default for Write<T, M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, M: WriteMode> fmt::Debug for Write<T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write")
            .field("mode", &M::MODE)
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}
