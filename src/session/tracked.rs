//! An entity that a session looks after.

use super::image::Image;
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::entity::Entity;
use crate::sql::dialect::Dialect;
use crate::store::entity_map::EntityMap;
use crate::store::record::Record;
use std::any::{Any, TypeId, type_name};
use std::cell::{Cell, Ref, RefCell, RefMut};
use std::fmt;
use std::rc::{Rc, Weak};
use std::sync::Arc;

/// An entity that a [`Session`](super::Session) looks after. Clones are one: the same row of the
/// same session is the same object, and two handles are equal if it is.
///
/// It stays what it was last when the session ends.
pub struct Tracked<E> {
    pub(super) slot: Rc<Slot<E>>,
}

/// What a session keeps of those objects that somebody may have changed.
pub(super) type Touched = RefCell<Vec<Rc<dyn Object>>>;

/// An entity and what is known of its row.
pub(super) struct Slot<E> {
    value: RefCell<E>,
    about: About,
}

/// What is known of the row of an object.
#[derive(Debug, Default)]
pub(super) struct About {
    pub(super) status: Cell<Status>,
    /// How the row was when it was last read or written.
    pub(super) image: RefCell<Image>,
    /// The row may have been changed by others since, and is read again where it is asked for.
    pub(super) is_expired: Cell<bool>,
    /// It is in the list of those that may have been changed.
    is_touched: Cell<bool>,
    touched: Weak<Touched>,
}

/// Where an object stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Status {
    /// To be inserted.
    #[default]
    New,
    /// It has a row.
    Stored,
    /// It has a row that is to be deleted.
    Leaving,
    /// No session looks after it any more.
    Free,
}

/// An object whose type does not matter.
pub(super) trait Object {
    fn kind(&self) -> TypeId;
    fn about(&self) -> &About;
    fn map(&self, dialect: Dialect) -> Result<Arc<EntityMap>>;
    /// The entity, to be read; an error while somebody edits it.
    fn record(&self) -> Result<Ref<'_, dyn Record>>;
    /// The entity, to be changed; an error while somebody reads or edits it.
    fn record_mut(&self) -> Result<RefMut<'_, dyn Record>>;
    fn into_any(self: Rc<Self>) -> Rc<dyn Any>;
}

impl<E: Entity + 'static> Tracked<E> {
    pub(super) fn new(entity: E, status: Status, touched: &Rc<Touched>) -> Self {
        let about = About {
            status: Cell::new(status),
            image: RefCell::default(),
            is_expired: Cell::new(false),
            is_touched: Cell::new(false),
            touched: Rc::downgrade(touched),
        };
        Self { slot: Rc::new(Slot { value: RefCell::new(entity), about }) }
    }

    /// The object as one of the type `E`, if it is.
    pub(super) fn of(object: Rc<dyn Object>) -> Option<Self> {
        object.into_any().downcast().ok().map(|slot| Self { slot })
    }

    pub(super) fn object(&self) -> Rc<dyn Object> {
        Rc::clone(&self.slot) as Rc<dyn Object>
    }

    /// The entity, to be read.
    ///
    /// # Panics
    /// If what [`edit`](Self::edit) returned is still held.
    pub fn read(&self) -> Ref<'_, E> {
        self.slot.value.borrow()
    }

    /// What `look` makes of the entity: for a value that is handed to the session, which could not
    /// write the entity while [`read`](Self::read) holds it.
    ///
    /// ```no_run
    /// # use rowmill::prelude::*;
    /// # #[derive(Entity)] struct Artist { #[entity(key)] id: i64 }
    /// # #[derive(Entity)] struct Album { #[entity(key)] id: i64, artist_id: i64 }
    /// # fn of(session: &Session, album: &Tracked<Album>) -> Result<Option<Tracked<Artist>>> {
    /// session.get::<Artist>(album.with(|album| album.artist_id))
    /// # }
    /// ```
    ///
    /// # Panics
    /// As [`read`](Self::read).
    pub fn with<T>(&self, look: impl FnOnce(&E) -> T) -> T {
        look(&self.slot.value.borrow())
    }

    /// The entity, to be changed; what differs then is written at the next flush.
    ///
    /// Let go of it before the session is used again, which refuses to flush it until then.
    ///
    /// # Panics
    /// If what [`read`](Self::read) or `edit` returned is still held.
    pub fn edit(&self) -> RefMut<'_, E> {
        touch(&self.object());
        self.slot.value.borrow_mut()
    }
}

impl<E> Tracked<E> {
    /// Whether the session will insert it.
    pub fn is_new(&self) -> bool {
        self.slot.about.status.get() == Status::New
    }

    /// Whether it has a row as far as the session knows, and will keep it.
    pub fn is_stored(&self) -> bool {
        self.slot.about.status.get() == Status::Stored
    }
}

/// Notes that an object may be changed, and keeps it until it was written.
pub(super) fn touch(object: &Rc<dyn Object>) {
    let about = object.about();
    if about.status.get() != Status::Stored || about.is_touched.get() {
        return;
    }
    if let Some(touched) = about.touched.upgrade() {
        touched.borrow_mut().push(Rc::clone(object));
        about.is_touched.set(true);
    }
}

impl About {
    /// It is in the list of those that may have been changed no longer.
    pub(super) fn let_go(&self) {
        self.is_touched.set(false);
    }

    /// Whether it is an object of the session with this list.
    pub(super) fn belongs_to(&self, touched: &Rc<Touched>) -> bool {
        std::ptr::eq(self.touched.as_ptr(), Rc::as_ptr(touched))
    }

    pub(super) fn is_touched(&self) -> bool {
        self.is_touched.get()
    }
}

impl<E: Entity + 'static> Object for Slot<E> {
    fn kind(&self) -> TypeId {
        TypeId::of::<E>()
    }

    fn about(&self) -> &About {
        &self.about
    }

    fn map(&self, dialect: Dialect) -> Result<Arc<EntityMap>> {
        EntityMap::of::<E>(dialect)
    }

    fn record(&self) -> Result<Ref<'_, dyn Record>> {
        let value = self.value.try_borrow().map_err(|_| in_use::<E>())?;
        Ok(Ref::map(value, |entity| entity as &dyn Record))
    }

    fn record_mut(&self) -> Result<RefMut<'_, dyn Record>> {
        let value = self.value.try_borrow_mut().map_err(|_| in_use::<E>())?;
        Ok(RefMut::map(value, |entity| entity as &mut dyn Record))
    }

    fn into_any(self: Rc<Self>) -> Rc<dyn Any> {
        self
    }
}

fn in_use<E>() -> Error {
    let message =
        format!("a tracked {} is read or edited while its session needs it", short_name::<E>());
    Error::new(ErrorKind::Config, message)
        .with_hint("let go of what `read` or `edit` returned first, or look at it by `with`")
}

/// The name of a type without the module in which it is.
pub(super) fn short_name<E>() -> &'static str {
    let name = type_name::<E>();
    name.rsplit("::").next().unwrap_or(name)
}

impl<E> Clone for Tracked<E> {
    fn clone(&self) -> Self {
        Self { slot: Rc::clone(&self.slot) }
    }
}

impl<E> PartialEq for Tracked<E> {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.slot, &other.slot)
    }
}

impl<E> Eq for Tracked<E> {}

impl<E> fmt::Debug for Tracked<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nothing of the entity, whose values no log may show.
        write!(f, "Tracked<{}>({:?})", short_name::<E>(), self.slot.about.status.get())
    }
}
