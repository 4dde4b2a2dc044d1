//! What a session has to do, and what it has done so far.

use super::identity_map::IdentityMap;
use super::image::Image;
use super::tracked::{Object, Status, Touched, Tracked, touch};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::CellRef;
use crate::mapping::entity::Entity;
use crate::sql::dialect::Dialect;
use crate::store::record::key_of;
use std::collections::HashSet;
use std::rc::Rc;

/// What a session has to do, and what it has done so far.
#[derive(Default)]
pub(super) struct Unit {
    pub(super) identity: IdentityMap,
    /// Objects to be inserted, in the order in which they were added.
    pub(super) pending: Vec<Rc<dyn Object>>,
    /// Objects to be deleted.
    pub(super) leaving: Vec<Rc<dyn Object>>,
    /// Objects that somebody may have changed.
    pub(super) touched: Rc<Touched>,
    pub(super) links: Vec<Link>,
    /// How the objects were that the open transaction has written, the last one at the end.
    undo: Vec<Undo>,
}

/// A child that is to get the key of a parent.
pub(super) struct Link {
    pub(super) child: Rc<dyn Object>,
    pub(super) column: usize,
    pub(super) parent: Rc<dyn Object>,
}

struct Undo {
    object: Rc<dyn Object>,
    before: Before,
}

/// What an object was before it was written.
pub(super) enum Before {
    /// It had no row; the entity was like this.
    New(Image),
    /// Its row was like this.
    Stored(Image),
    /// It had a row.
    Leaving,
}

impl Unit {
    /// Whether a flush would do anything.
    pub(super) fn has_work(&self) -> bool {
        !(self.pending.is_empty()
            && self.leaving.is_empty()
            && self.touched.borrow().is_empty()
            && self.links.is_empty())
    }

    /// Refuses to go on while somebody reads or edits an object that is to be written.
    ///
    /// # Errors
    /// `Config`; nothing has been written then.
    pub(super) fn refuse_held(&self) -> Result<()> {
        let touched = self.touched.borrow();
        let children = self.links.iter().map(|link| &link.child);
        let mut all = self.pending.iter().chain(&self.leaving).chain(&*touched).chain(children);
        all.try_for_each(|object| object.record_mut().map(drop))
    }

    /// Looks after an entity that has no row yet.
    pub(super) fn add<E: Entity + 'static>(&mut self, entity: E) -> Tracked<E> {
        let tracked = Tracked::new(entity, Status::New, &self.touched);
        self.pending.push(tracked.object());
        tracked
    }

    /// Looks after an entity that was read; where its row is an object already, it is that one.
    pub(super) fn track_loaded<E: Entity + 'static>(
        &mut self,
        dialect: Dialect,
        entity: E,
    ) -> Result<Tracked<E>> {
        let tracked = Tracked::new(entity, Status::Stored, &self.touched);
        let object = tracked.object();
        let map = object.map(dialect)?;
        if map.key.is_empty() {
            let message = format!("the rows of {} cannot be told apart", map.table.plain());
            return Err(Error::new(ErrorKind::Config, message).with_hint("declare its key"));
        }
        let (key, image) = {
            let record = object.record()?;
            (key_of(&*record, &map)?, Image::of(&*record, &map)?)
        };
        let Some(known) = self.identity.find(object.kind(), &key) else {
            *object.about().image.borrow_mut() = image;
            self.identity.insert(key, &object);
            return Ok(tracked);
        };
        let about = known.about();
        if about.is_expired.get() && !about.is_touched() && about.status.get() == Status::Stored {
            image.restore(&mut *known.record_mut()?, &map)?;
            *about.image.borrow_mut() = image;
            about.is_expired.set(false);
        }
        Tracked::of(known).ok_or_else(mixed_up)
    }

    /// Has an object deleted; one that has no row yet is only forgotten.
    pub(super) fn delete(
        &mut self,
        dialect: Option<Dialect>,
        object: &Rc<dyn Object>,
    ) -> Result<()> {
        match (object.about().status.get(), dialect) {
            (Status::New, _) => {
                self.pending.retain(|pending| !is_same(pending, object));
                self.links.retain(|link| !is_same(&link.child, object));
                object.about().status.set(Status::Free);
                Ok(())
            }
            (Status::Stored, Some(dialect)) => {
                // What was edited is not written any more.
                self.restore(dialect, object)?;
                object.about().status.set(Status::Leaving);
                self.leaving.push(Rc::clone(object));
                Ok(())
            }
            (Status::Leaving, _) => Ok(()),
            _ => Err(not_tracked()),
        }
    }

    /// Takes back what was edited and not written.
    pub(super) fn restore(&mut self, dialect: Dialect, object: &Rc<dyn Object>) -> Result<()> {
        if object.about().is_touched() {
            let map = object.map(dialect)?;
            object.about().image.borrow().restore(&mut *object.record_mut()?, &map)?;
            self.let_go(object);
        }
        Ok(())
    }

    /// Takes an object out of the list of those that may have been changed.
    pub(super) fn let_go(&mut self, object: &Rc<dyn Object>) {
        object.about().let_go();
        self.touched.borrow_mut().retain(|touched| !is_same(touched, object));
    }

    /// Remembers what an object was before it was written.
    pub(super) fn note(&mut self, object: Rc<dyn Object>, before: Before) {
        self.undo.push(Undo { object, before });
    }

    /// How much has been written.
    pub(super) fn mark(&self) -> usize {
        self.undo.len()
    }

    /// Gives every child the key of its parent that has one by now.
    pub(super) fn resolve_links(&mut self, dialect: Dialect) -> Result<()> {
        let links = std::mem::take(&mut self.links);
        for link in links {
            if link.parent.about().status.get() == Status::New {
                self.links.push(link);
            } else {
                resolve(&link, dialect)?;
            }
        }
        Ok(())
    }

    /// The objects that wait for the key of a parent.
    pub(super) fn waiting_for_parents(&self) -> HashSet<*const ()> {
        self.links.iter().map(|link| address(&link.child)).collect()
    }

    /// The transaction was committed.
    pub(super) fn settle(&mut self, expire: bool) {
        self.undo.clear();
        if expire {
            self.expire_all();
        }
    }

    /// Has every row read again where it is asked for.
    pub(super) fn expire_all(&mut self) {
        self.identity.all().for_each(|object| object.about().is_expired.set(true));
    }

    /// Makes all objects what they were when so much had been written.
    ///
    /// # Errors
    /// `Config` if one of them is held by somebody who reads or edits it: it stays as it is, and
    /// all others are what they were.
    pub(super) fn undo_to(&mut self, mark: usize, dialect: Option<Dialect>) -> Result<()> {
        let mut outcome = Ok(());
        let Some(dialect) = dialect else {
            // Nothing was ever read or written.
            self.pending.drain(..).for_each(|object| object.about().status.set(Status::Free));
            self.links.clear();
            return Ok(());
        };
        let touched = std::mem::take(&mut *self.touched.borrow_mut());
        for object in touched {
            object.about().let_go();
            let restored = restore_image(&object, dialect, &object.about().image.borrow());
            outcome = outcome.and(restored);
        }
        for object in self.pending.drain(..) {
            object.about().status.set(Status::Free);
        }
        for object in self.leaving.drain(..) {
            object.about().status.set(Status::Stored);
        }
        self.links.clear();
        for Undo { object, before } in self.undo.split_off(mark).into_iter().rev() {
            outcome = outcome.and(self.undo_one(&object, before, dialect));
        }
        self.expire_all();
        outcome
    }

    fn undo_one(
        &mut self,
        object: &Rc<dyn Object>,
        before: Before,
        dialect: Dialect,
    ) -> Result<()> {
        let about = object.about();
        let key = {
            let map = object.map(dialect)?;
            object.record().and_then(|record| key_of(&*record, &map))
        };
        match before {
            Before::New(image) => {
                about.status.set(Status::Free);
                if let Ok(key) = key {
                    self.identity.remove(object.kind(), &key);
                }
                restore_image(object, dialect, &image)
            }
            Before::Stored(image) => {
                let restored = restore_image(object, dialect, &image);
                *about.image.borrow_mut() = image;
                restored
            }
            Before::Leaving => {
                about.status.set(Status::Stored);
                self.identity.insert(key?, object);
                Ok(())
            }
        }
    }
}

fn restore_image(object: &Rc<dyn Object>, dialect: Dialect, image: &Image) -> Result<()> {
    image.restore(&mut *object.record_mut()?, &*object.map(dialect)?)
}

/// Gives a child the key of its parent.
pub(super) fn resolve(link: &Link, dialect: Dialect) -> Result<()> {
    let map = link.parent.map(dialect)?;
    let [key] = map.key[..] else { return Err(mixed_up()) };
    let of_type = &map.columns[key].column_type;
    let mut packed = Vec::new();
    link.parent.record()?.pack(key, of_type, &mut packed)?;
    touch(&link.child);
    link.child.record_mut()?.fill(link.column, CellRef::Packed(of_type, &packed))
}

pub(super) fn address(object: &Rc<dyn Object>) -> *const () {
    Rc::as_ptr(object).cast()
}

pub(super) fn is_same(one: &Rc<dyn Object>, other: &Rc<dyn Object>) -> bool {
    address(one) == address(other)
}

/// The error for an object of another session, or of none.
#[cold]
pub(super) fn not_tracked() -> Error {
    Error::new(ErrorKind::Config, "this session does not look after the object")
        .with_hint("add it, or merge it, first")
}

#[cold]
pub(super) fn mixed_up() -> Error {
    Error::new(ErrorKind::Internal, "an object is not of the type under which it is kept")
}
