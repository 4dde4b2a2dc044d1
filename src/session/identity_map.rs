//! Which objects a session has for which rows.

use super::tracked::Object;
use std::any::TypeId;
use std::collections::HashMap;
use std::rc::{Rc, Weak};

/// Which object is which row. It holds none of them: an object that nobody else has is forgotten.
#[derive(Default)]
pub(super) struct IdentityMap {
    objects: HashMap<(TypeId, Vec<u8>), Weak<dyn Object>>,
    /// How many there may be before those that are gone are swept out.
    sweep_at: usize,
}

/// Fewer are not worth the look.
const SWEEP_FROM: usize = 256;

impl IdentityMap {
    /// The object for the row with this packed key.
    pub(super) fn find(&self, kind: TypeId, key: &[u8]) -> Option<Rc<dyn Object>> {
        // A key that is looked for is a key that is read: the copy is nothing beside that.
        self.objects.get(&(kind, key.to_vec()))?.upgrade()
    }

    /// Remembers an object.
    pub(super) fn insert(&mut self, key: Vec<u8>, object: &Rc<dyn Object>) {
        if self.objects.len() >= self.sweep_at.max(SWEEP_FROM) {
            self.objects.retain(|_, object| object.strong_count() > 0);
            self.sweep_at = 2 * self.objects.len();
        }
        self.objects.insert((object.kind(), key), Rc::downgrade(object));
    }

    /// Forgets an object.
    pub(super) fn remove(&mut self, kind: TypeId, key: &[u8]) {
        self.objects.remove(&(kind, key.to_vec()));
    }

    /// Every object that somebody still has.
    pub(super) fn all(&self) -> impl Iterator<Item = Rc<dyn Object>> {
        self.objects.values().filter_map(Weak::upgrade)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, ErrorKind, Result};
    use crate::session::tracked::About;
    use crate::sql::dialect::Dialect;
    use crate::store::entity_map::EntityMap;
    use crate::store::record::Record;
    use std::any::Any;
    use std::cell::{Ref, RefMut};
    use std::sync::Arc;

    /// An object of which nothing but its kind is asked.
    struct Blank(About);

    impl Object for Blank {
        fn kind(&self) -> TypeId {
            TypeId::of::<Self>()
        }

        fn about(&self) -> &About {
            &self.0
        }

        fn map(&self, _: Dialect) -> Result<Arc<EntityMap>> {
            Err(Error::new(ErrorKind::Internal, "it has no table"))
        }

        fn record(&self) -> Result<Ref<'_, dyn Record>> {
            Err(Error::new(ErrorKind::Internal, "it has no fields"))
        }

        fn record_mut(&self) -> Result<RefMut<'_, dyn Record>> {
            Err(Error::new(ErrorKind::Internal, "it has no fields"))
        }

        fn into_any(self: Rc<Self>) -> Rc<dyn Any> {
            self
        }
    }

    #[test]
    fn what_nobody_has_any_more_takes_no_room() {
        let mut map = IdentityMap::default();
        let kept: Vec<_> = (0..100_000_u32)
            .filter_map(|number| {
                let object = Rc::new(Blank(About::default())) as Rc<dyn Object>;
                map.insert(number.to_be_bytes().to_vec(), &object);
                number.is_multiple_of(1_000).then_some(object)
            })
            .collect();
        assert!(map.objects.len() <= 2 * SWEEP_FROM, "{}", map.objects.len());
        assert_eq!(map.all().count(), kept.len());
        let kind = TypeId::of::<Blank>();
        assert!(map.find(kind, &5_000_u32.to_be_bytes()).is_some());
        assert!(map.find(kind, &5_001_u32.to_be_bytes()).is_none());
    }
}
