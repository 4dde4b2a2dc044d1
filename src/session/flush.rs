//! Writing what a session has to do, in few statements.
//!
//! Rows are inserted parents first, then rows are updated, then deleted, children first. Rows of
//! one entity are one statement, or as many as carry them; updates are one for each set of changed
//! columns.

use super::image::Image;
use super::order::{Node, parents_first};
use super::tracked::{Object, Status};
use super::unit::{Before, Unit, address};
use crate::backend::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::dialect::Dialect;
use crate::store::entity_map::EntityMap;
use crate::store::record::{Record, key_of};
use crate::store::{insert, stale, update};
use std::any::TypeId;
use std::rc::Rc;
use std::sync::Arc;

/// Objects of one entity.
struct Group {
    kind: TypeId,
    map: Arc<EntityMap>,
    objects: Vec<Rc<dyn Object>>,
}

/// Writes all that `unit` has to do. After an error, what it had to do is still there, and the
/// transaction is to be rolled back.
pub(super) fn flush(unit: &mut Unit, connection: &mut dyn Connection) -> Result<()> {
    let dialect = connection.capabilities().dialect;
    unit.resolve_links(dialect)?;
    for group in ordered(&unit.pending, dialect)? {
        insert_group(unit, connection, group)?;
    }
    // Only now: a row that is there may have been given the key of one that was inserted.
    unit.resolve_links(dialect)?;
    update_all(unit, connection, dialect)?;
    let mut leaving = ordered(&unit.leaving, dialect)?;
    leaving.reverse();
    for group in leaving {
        delete_group(unit, connection, group)?;
    }
    unit.pending.clear();
    unit.leaving.clear();
    Ok(())
}

/// The objects by their entities, parents first.
fn ordered(objects: &[Rc<dyn Object>], dialect: Dialect) -> Result<Vec<Group>> {
    let mut groups: Vec<Group> = Vec::new();
    for object in objects {
        let kind = object.kind();
        match groups.iter_mut().find(|group| group.kind == kind) {
            Some(group) => group.objects.push(Rc::clone(object)),
            None => {
                let (map, objects) = (object.map(dialect)?, vec![Rc::clone(object)]);
                groups.push(Group { kind, map, objects });
            }
        }
    }
    let nodes: Vec<_> = groups
        .iter()
        .map(|group| Node { table: &group.map.table, columns: &group.map.columns })
        .collect();
    let order = parents_first(&nodes)?;
    let mut groups: Vec<_> = groups.into_iter().map(Some).collect();
    Ok(order.into_iter().filter_map(|place| groups[place].take()).collect())
}

fn insert_group(unit: &mut Unit, connection: &mut dyn Connection, group: Group) -> Result<()> {
    let Group { map, objects, .. } = group;
    let mut waiting = objects;
    while !waiting.is_empty() {
        unit.resolve_links(map.dialect)?;
        let linked = unit.waiting_for_parents();
        let is_linked = |object: &Rc<dyn Object>| linked.contains(&address(object));
        let (blocked, ready) = waiting.into_iter().partition(is_linked);
        let ready: Vec<_> = ready;
        if ready.is_empty() {
            let message = "objects are linked in a circle, so that none can be inserted first";
            return Err(Error::new(ErrorKind::Config, message)
                .locate(|place| place.table = Some(map.table.plain())));
        }
        insert_objects(unit, connection, &map, ready)?;
        waiting = blocked;
    }
    Ok(())
}

fn insert_objects(
    unit: &mut Unit,
    connection: &mut dyn Connection,
    map: &EntityMap,
    objects: Vec<Rc<dyn Object>>,
) -> Result<()> {
    let before = images(&objects, map)?;
    with_records(&objects, |records| insert::insert(connection, map, records))?;
    for (object, before) in objects.into_iter().zip(before) {
        let about = object.about();
        about.status.set(Status::Stored);
        unit.note(Rc::clone(&object), Before::New(before));
        if !map.key.is_empty() {
            let key = key_of(&*object.record()?, map)?;
            unit.identity.insert(key, &object);
        }
        *about.image.borrow_mut() = Image::of(&*object.record()?, map)?;
    }
    Ok(())
}

/// Objects of one entity in which the same columns have changed.
struct Changed {
    group: Group,
    columns: Vec<usize>,
}

fn update_all(unit: &mut Unit, connection: &mut dyn Connection, dialect: Dialect) -> Result<()> {
    for Changed { group, columns } in changed(unit, dialect)? {
        let Group { map, objects, .. } = group;
        let count = objects.len();
        let updated = with_records(&objects, |records| {
            let records = records.iter_mut().map(|record| &mut **record as &mut dyn Record);
            update::update(connection, &map, &columns, records.collect())
        })?;
        let missing = count.saturating_sub(updated as usize);
        if missing > 0 {
            return Err(stale::of_some(&map, missing, count));
        }
        for object in objects {
            let image = Image::of(&*object.record()?, &map)?;
            let before = object.about().image.replace(image);
            unit.note(object, Before::Stored(before));
        }
    }
    let touched = std::mem::take(&mut *unit.touched.borrow_mut());
    for object in touched {
        object.about().let_go();
    }
    Ok(())
}

/// What has changed of the objects that somebody may have changed, in the order of the tables, so
/// that two sessions do not wait for each other.
fn changed(unit: &Unit, dialect: Dialect) -> Result<Vec<Changed>> {
    let mut all: Vec<Changed> = Vec::new();
    for object in unit.touched.borrow().iter() {
        if object.about().status.get() != Status::Stored {
            continue;
        }
        let (kind, map) = (object.kind(), object.map(dialect)?);
        let now = Image::of(&*object.record()?, &map)?;
        let mut columns = object.about().image.borrow().changes(&now);
        columns.retain(|index| !map.generated.contains(index) || map.key.contains(index));
        if columns.is_empty() {
            continue;
        }
        refuse_identity(&map, &columns)?;
        let same = |other: &&mut Changed| other.group.kind == kind && other.columns == columns;
        match all.iter_mut().find(same) {
            Some(changed) => changed.group.objects.push(Rc::clone(object)),
            None => {
                let objects = vec![Rc::clone(object)];
                all.push(Changed { group: Group { kind, map, objects }, columns });
            }
        }
    }
    all.sort_by(|one, other| {
        let by = |changed: &Changed| (changed.group.map.table.clone(), changed.columns.clone());
        by(one).cmp(&by(other))
    });
    Ok(all)
}

/// What tells a row from others is not edited.
fn refuse_identity(map: &EntityMap, columns: &[usize]) -> Result<()> {
    let identity = map.rows().identity();
    let Some(index) = columns.iter().find(|index| identity.contains(index)) else { return Ok(()) };
    let name = map.columns[*index].name.as_str();
    let message = format!("the {name} of a tracked row was edited, which tells it from others");
    Err(Error::new(ErrorKind::Config, message)
        .with_hint("delete the row and add another")
        .locate(|place| place.table = Some(map.table.plain())))
}

fn delete_group(unit: &mut Unit, connection: &mut dyn Connection, group: Group) -> Result<()> {
    let Group { kind, map, objects } = group;
    with_records(&objects, |records| {
        let records: Vec<_> = records.iter().map(|record| &**record as &dyn Record).collect();
        update::delete(connection, &map, &records, true)
    })?;
    for object in objects {
        let key = key_of(&*object.record()?, &map)?;
        unit.identity.remove(kind, &key);
        object.about().status.set(Status::Free);
        unit.note(object, Before::Leaving);
    }
    Ok(())
}

fn images(objects: &[Rc<dyn Object>], map: &EntityMap) -> Result<Vec<Image>> {
    objects.iter().map(|object| Image::of(&*object.record()?, map)).collect()
}

/// Lets `work` change the entities of objects.
fn with_records<T>(
    objects: &[Rc<dyn Object>],
    work: impl FnOnce(&mut [&mut dyn Record]) -> Result<T>,
) -> Result<T> {
    let mut held = objects.iter().map(|object| object.record_mut()).collect::<Result<Vec<_>>>()?;
    let records = held.iter_mut().map(|record| &mut **record as &mut dyn Record);
    let mut records: Vec<_> = records.collect();
    work(&mut records)
}
