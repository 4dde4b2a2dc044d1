//! Types that the driver is not to ask for.
//!
//! The driver asks the server for each type that it does not know, on every connection, by up to
//! three statements that it prepares, and it lets nobody tell it. So it is shown `text` in the place
//! of such a type while the message passes, and what the server said is kept here. Nothing else
//! depends on what it takes for the type of a value: the values go and come in formats that we
//! choose, and are written and read by us.

use super::description::Field;
use crate::backend::postgres::statement::known_types::Snapshot;
use postgres::types::{Oid, Type};

/// Which types the driver does not get to see, and what came instead of them.
#[derive(Debug, Default)]
pub(crate) struct Disguise {
    hidden: Hidden,
    seen: Seen,
}

/// Which of the types that the driver does not know it does not get to see.
#[derive(Debug, Default)]
pub(crate) enum Hidden {
    #[default]
    None,
    /// All of them.
    All,
    /// Those that are known.
    Known(Snapshot),
}

/// The types in the descriptions that passed.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) params: Vec<Said>,
    pub(crate) columns: Vec<Said>,
}

/// What the server said of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// What the driver says, too.
    AsDriver,
    /// This; the driver has to ask for it.
    Asked(Oid),
    /// This, and how large its values are; the driver says `text`.
    Hidden(Oid, Option<i16>),
}

impl Disguise {
    /// Begins to hide types.
    pub(crate) fn begin(&mut self, hidden: Hidden) {
        *self = Self { hidden, seen: Seen::default() };
    }

    /// Hides nothing any more; gives what passed.
    pub(crate) fn end(&mut self) -> Seen {
        std::mem::take(self).seen
    }

    /// Notes a type of a description, `None` where it could not be read; says whether it is to be
    /// hidden.
    pub(crate) fn note(&mut self, is_column: bool, field: Option<Field>) -> bool {
        let said = field.map_or(Said::AsDriver, |field| self.judge(field));
        match (&self.hidden, is_column) {
            (Hidden::None, _) => return false,
            (_, true) => self.seen.columns.push(said),
            (_, false) => self.seen.params.push(said),
        }
        matches!(said, Said::Hidden(..))
    }

    fn judge(&self, Field { oid, size, .. }: Field) -> Said {
        let is_hidden = match &self.hidden {
            _ if Type::from_oid(oid).is_some() => return Said::AsDriver,
            Hidden::None => false,
            Hidden::All => true,
            Hidden::Known(known) => known.get(&oid).is_some_and(|known| known.fits(size)),
        };
        if is_hidden { Said::Hidden(oid, size) } else { Said::Asked(oid) }
    }
}
