//! What belongs to objects of a session, read as objects of it.

use super::core::Core;
use super::tracked::Tracked;
use crate::engine::Intent;
use crate::error::Result;
use crate::mapping::cell::Cell;
use crate::mapping::entity::Entity;
use crate::mapping::field::Field;
use crate::mapping::key::Keyed;
use crate::store::entity_map::EntityMap;
use crate::store::relations::{each_child, each_parent, each_through, key_type, references};

impl Core {
    #[track_caller]
    pub(super) fn load_children<P, C, T>(
        &self,
        parents: &[Tracked<P>],
        field: Field<C, T, P>,
    ) -> Result<Vec<Vec<Tracked<C>>>>
    where
        P: Keyed + 'static,
        P::Key: Cell,
        C: Entity + 'static,
    {
        // Those that were just added have their keys then.
        self.autoflush()?;
        let keys: Vec<_> = parents.iter().map(|parent| parent.read().identity()).collect();
        let mut children: Vec<_> = parents.iter().map(|_| Vec::new()).collect();
        self.with(Intent::Read, |connection| {
            each_child(connection, &keys, field, &mut |place, child| {
                children[place].push(self.track(child)?);
                Ok(())
            })
        })?;
        Ok(children)
    }

    #[track_caller]
    pub(super) fn load_parents<P, C, T>(
        &self,
        children: &[Tracked<C>],
        field: Field<C, T, P>,
    ) -> Result<Vec<Option<Tracked<P>>>>
    where
        P: Keyed + 'static,
        P::Key: Cell,
        C: Entity + 'static,
    {
        self.autoflush()?;
        let key_type = key_type(&*EntityMap::of::<P>(self.dialect()?)?)?;
        let held: Vec<_> = children.iter().map(Tracked::read).collect();
        let references = references(held.iter().map(|child| &**child), field.index(), &key_type)?;
        drop(held);
        let mut parents: Vec<_> = children.iter().map(|_| None).collect();
        self.with(Intent::Read, |connection| {
            each_parent(connection, &references, &mut |places, parent| {
                let parent = self.track(parent)?;
                for &place in places {
                    parents[place] = Some(parent.clone());
                }
                Ok(())
            })
        })?;
        Ok(parents)
    }

    #[track_caller]
    pub(super) fn load_through<L, M, R, T, U>(
        &self,
        lefts: &[Tracked<L>],
        left: Field<M, T, L>,
        right: Field<M, U, R>,
    ) -> Result<Vec<Vec<Tracked<R>>>>
    where
        L: Keyed + 'static,
        L::Key: Cell,
        M: Entity + 'static,
        R: Keyed + 'static,
    {
        self.autoflush()?;
        let keys: Vec<_> = lefts.iter().map(|row| row.read().identity()).collect();
        let mut found: Vec<_> = lefts.iter().map(|_| Vec::new()).collect();
        self.with(Intent::Read, |connection| {
            each_through(connection, &keys, left, right, &mut |place, row: R| {
                found[place].push(self.track(row)?);
                Ok(())
            })
        })?;
        Ok(found)
    }
}
