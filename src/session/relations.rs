//! What belongs to objects of a session, read as objects of it.

use super::tracked::Tracked;
use super::unit_of_work::Session;
use crate::engine::Intent;
use crate::error::Result;
use crate::mapping::cell::Cell;
use crate::mapping::entity::Entity;
use crate::mapping::field::Field;
use crate::mapping::key::Keyed;
use crate::store::entity_map::EntityMap;
use crate::store::relations::{
    RefersTo, each_child, each_parent, each_through, key_type, references,
};

impl Session {
    /// As [`load_children`](crate::load_children), of objects of this session.
    ///
    /// # Errors
    /// As [`load_children`](crate::load_children) and [`flush`](Self::flush).
    #[track_caller]
    pub fn load_children<P, C, T>(
        &self,
        parents: &[Tracked<P>],
        field: Field<C, T, P>,
    ) -> Result<Vec<Vec<Tracked<C>>>>
    where
        P: Keyed + 'static,
        P::Key: Cell,
        C: Entity + 'static,
        T: RefersTo<P::Key>,
    {
        // Those that were just added have their keys then.
        self.core.autoflush()?;
        let keys: Vec<_> = parents.iter().map(|parent| parent.read().identity()).collect();
        let mut children: Vec<_> = parents.iter().map(|_| Vec::new()).collect();
        self.core.with(Intent::Read, |connection| {
            each_child(connection, &keys, field, &mut |place, child| {
                children[place].push(self.core.track(child)?);
                Ok(())
            })
        })?;
        Ok(children)
    }

    /// As [`load_parents`](crate::load_parents), of objects of this session.
    ///
    /// # Errors
    /// As [`load_children`](Self::load_children).
    #[track_caller]
    pub fn load_parents<P, C, T>(
        &self,
        children: &[Tracked<C>],
        field: Field<C, T, P>,
    ) -> Result<Vec<Option<Tracked<P>>>>
    where
        P: Keyed + 'static,
        P::Key: Cell,
        C: Entity + 'static,
        T: RefersTo<P::Key>,
    {
        self.core.autoflush()?;
        let key_type = key_type(&*EntityMap::of::<P>(self.core.dialect()?)?)?;
        let held: Vec<_> = children.iter().map(Tracked::read).collect();
        let references = references(held.iter().map(|child| &**child), field.index(), &key_type)?;
        drop(held);
        let mut parents: Vec<_> = children.iter().map(|_| None).collect();
        self.core.with(Intent::Read, |connection| {
            each_parent(connection, &references, &mut |places, parent| {
                let parent = self.core.track(parent)?;
                for &place in places {
                    parents[place] = Some(parent.clone());
                }
                Ok(())
            })
        })?;
        Ok(parents)
    }

    /// As [`load_through`](crate::load_through), of objects of this session.
    ///
    /// # Errors
    /// As [`load_children`](Self::load_children).
    #[track_caller]
    pub fn load_through<L, M, R, T, U>(
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
        R::Key: Cell,
        T: RefersTo<L::Key>,
        U: RefersTo<R::Key>,
    {
        self.core.autoflush()?;
        let keys: Vec<_> = lefts.iter().map(|row| row.read().identity()).collect();
        let mut found: Vec<_> = lefts.iter().map(|_| Vec::new()).collect();
        self.core.with(Intent::Read, |connection| {
            each_through(connection, &keys, left, right, &mut |place, row: R| {
                found[place].push(self.core.track(row)?);
                Ok(())
            })
        })?;
        Ok(found)
    }
}
