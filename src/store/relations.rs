//! Rows that belong to other rows, of all of these at once.
//!
//! Each function asks one query for up to 10,000 rows at a time (500 where a database has no
//! arrays), however many rows belong to each. Nothing is loaded because somebody looked at it.

use super::crud::map;
use super::entity_map::EntityMap;
use super::given::{self, Given};
use super::record::key_of;
use super::single::InTable;
use crate::backend::{Connection, RowRef};
use crate::engine::{Executor, Intent};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::Cell;
use crate::mapping::column_type::ColumnType;
use crate::mapping::entity::Entity;
use crate::mapping::field::Field;
use crate::mapping::key::Keyed;
use crate::sql::bulk::Form;
use std::collections::HashMap;
use std::sync::Arc;

/// The type of a field that refers to a row by its key, of the type `K`: `K`, or `Option<K>`.
pub trait RefersTo<K>: Cell {}

impl<K: Cell> RefersTo<K> for K {}
impl<K: Cell> RefersTo<K> for Option<K> {}

/// The children of each of some parents: the rows whose `field` refers to it, in the order of
/// their keys. Those of a parent that is given twice go to its first place.
///
/// ```
/// use rowmill::prelude::*;
///
/// #[derive(Entity)]
/// struct Artist {
///     #[entity(key)]
///     id: i64,
/// }
///
/// #[derive(Entity)]
/// struct Album {
///     #[entity(key)]
///     id: i64,
///     #[entity(references = Artist)]
///     artist_id: i64,
/// }
///
/// let engine = Engine::open("sqlite::memory:")?;
/// engine.run("create table artist (id integer primary key)")?;
/// engine.run("create table album (id integer primary key, artist_id integer)")?;
/// let mut artists = [Artist { id: 1 }, Artist { id: 2 }];
/// Artist::insert_many(&engine, &mut artists)?;
/// Album { id: 7, artist_id: 2 }.insert(&engine)?;
/// let albums = load_children(&engine, &artists, Album::artist_id)?;
/// assert_eq!((albums[0].len(), albums[1][0].id), (0, 7));
/// # Ok::<(), rowmill::Error>(())
/// ```
///
/// # Errors
/// `Decode` if a value is none of its field; `Database`; as [`Executor::with`].
#[track_caller]
pub fn load_children<P, C, T>(
    on: &impl Executor,
    parents: &[P],
    field: Field<C, T, P>,
) -> Result<Vec<Vec<C>>>
where
    P: Keyed + 'static,
    P::Key: Cell,
    C: Entity + 'static,
    T: RefersTo<P::Key>,
{
    let keys: Vec<_> = parents.iter().map(Keyed::identity).collect();
    let mut children: Vec<_> = parents.iter().map(|_| Vec::new()).collect();
    on.with(Intent::Read, |connection| {
        each_child(connection, &keys, field, &mut |place, child| {
            children[place].push(child);
            Ok(())
        })
    })?;
    Ok(children)
}

/// The parent of each of some children: the row to which its `field` refers. Children of one
/// parent share it; `None` where the field is NULL or the row is not there.
///
/// # Errors
/// As [`load_children`].
#[track_caller]
pub fn load_parents<P, C, T>(
    on: &impl Executor,
    children: &[C],
    field: Field<C, T, P>,
) -> Result<Vec<Option<Arc<P>>>>
where
    P: Keyed + 'static,
    P::Key: Cell,
    C: Entity + 'static,
    T: RefersTo<P::Key>,
{
    let mut parents: Vec<_> = children.iter().map(|_| None).collect();
    on.with(Intent::Read, |connection| {
        let key_type = key_type(&*map::<P>(connection)?)?;
        let references = references(children.iter(), field.index(), &key_type)?;
        each_parent(connection, &references, &mut |places, parent| {
            let parent = Arc::new(parent);
            for &place in places {
                parents[place] = Some(Arc::clone(&parent));
            }
            Ok(())
        })
    })?;
    Ok(parents)
}

/// The rows that a table of links ties to each of some rows: `left` refers to these, `right` to
/// the rows that are wanted. They come in the order of their keys, and one that is tied to several
/// is shared by them.
///
/// # Errors
/// As [`load_children`].
#[track_caller]
pub fn load_through<L, M, R, T, U>(
    on: &impl Executor,
    lefts: &[L],
    left: Field<M, T, L>,
    right: Field<M, U, R>,
) -> Result<Vec<Vec<Arc<R>>>>
where
    L: Keyed + 'static,
    L::Key: Cell,
    M: Entity + 'static,
    R: Keyed + 'static,
    R::Key: Cell,
    T: RefersTo<L::Key>,
    U: RefersTo<R::Key>,
{
    let keys: Vec<_> = lefts.iter().map(Keyed::identity).collect();
    let mut known: HashMap<Vec<u8>, Arc<R>> = HashMap::new();
    let mut found: Vec<_> = lefts.iter().map(|_| Vec::new()).collect();
    on.with(Intent::Read, |connection| {
        let map = map::<R>(connection)?;
        each_through(connection, &keys, left, right, &mut |place, row: R| {
            let key = key_of(&row, &map)?;
            let row = known.entry(key).or_insert_with(|| Arc::new(row));
            found[place].push(Arc::clone(row));
            Ok(())
        })
    })?;
    Ok(found)
}

/// Packed values, and the first place at which each stands.
type Places = HashMap<Vec<u8>, usize>;

/// Hands each child of the rows with these keys to `each`, with the place of its parent.
pub(crate) fn each_child<P, C, T>(
    connection: &mut dyn Connection,
    keys: &[P::Key],
    field: Field<C, T, P>,
    each: &mut dyn FnMut(usize, C) -> Result<()>,
) -> Result<()>
where
    P: Keyed,
    P::Key: Cell,
    C: Entity + 'static,
{
    let map = map::<C>(connection)?;
    let of_type = &map.columns[field.index()].column_type;
    let places = packed_keys(keys, of_type)?;
    in_chunks(connection, &places, |connection, chunk, form| {
        let sql = map.rows().select_many(form, field.index());
        let given = Given::of_column(form, of_type, chunk)?;
        let mut packed = Vec::new();
        connection
            .query(&sql, &given.params(), &mut |row| {
                let child = C::unpack(&mut |index| row.cell(index))?;
                packed.clear();
                child.pack_field(field.index(), of_type, &mut packed)?;
                each(place_of(&places, &packed)?, child)
            })
            .in_table(&map)
    })
}

/// Hands each row to which something refers to `each`, with the places of what refers to it.
pub(crate) fn each_parent<P: Keyed + 'static>(
    connection: &mut dyn Connection,
    references: &HashMap<Vec<u8>, Vec<usize>>,
    each: &mut dyn FnMut(&[usize], P) -> Result<()>,
) -> Result<()> {
    let map = map::<P>(connection)?;
    let of_type = key_type(&map)?;
    let [key] = map.key[..] else { return Err(no_single_key(&map)) };
    let places = references.iter().map(|(value, places)| (value.clone(), places[0])).collect();
    in_chunks(connection, &places, |connection, chunk, form| {
        let sql = map.rows().select_many(form, key);
        let given = Given::of_column(form, &of_type, chunk)?;
        let mut packed = Vec::new();
        connection
            .query(&sql, &given.params(), &mut |row| {
                let parent = P::unpack(&mut |index| row.cell(index))?;
                packed.clear();
                parent.pack_field(key, &of_type, &mut packed)?;
                let places = references.get(&packed).ok_or_else(unasked)?;
                each(places, parent)
            })
            .in_table(&map)
    })
}

/// Hands each row that is tied to a row with one of these keys to `each`, with the place of that.
pub(crate) fn each_through<L, M, R, T, U>(
    connection: &mut dyn Connection,
    keys: &[L::Key],
    left: Field<M, T, L>,
    right: Field<M, U, R>,
    each: &mut dyn FnMut(usize, R) -> Result<()>,
) -> Result<()>
where
    L: Keyed,
    L::Key: Cell,
    M: Entity + 'static,
    R: Keyed + 'static,
{
    let (map, link) = (map::<R>(connection)?, map::<M>(connection)?);
    let of_type = &link.columns[left.index()].column_type;
    let places = packed_keys(keys, of_type)?;
    let [key] = map.key[..] else { return Err(no_single_key(&map)) };
    in_chunks(connection, &places, |connection, chunk, form| {
        let (left, right) = (left.index(), right.index());
        let sql = map.rows().select_through(form, key, &link.rows(), left, right);
        let given = Given::of_column(form, of_type, chunk)?;
        let mut packed = Vec::new();
        connection
            .query(&sql, &given.params(), &mut |row| {
                let value = L::Key::unpack(row.cell(map.columns.len())?)?;
                packed.clear();
                value.pack(of_type, &mut packed)?;
                each(place_of(&places, &packed)?, unpack(row)?)
            })
            .in_table(&link)
    })
}

/// What the field `index` of each of some entities refers to, packed as `key_type`, and where.
pub(crate) fn references<'e, C: Entity + 'e>(
    entities: impl Iterator<Item = &'e C>,
    index: usize,
    key_type: &ColumnType,
) -> Result<HashMap<Vec<u8>, Vec<usize>>> {
    let mut references: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
    for (place, entity) in entities.enumerate() {
        let mut packed = Vec::new();
        if entity.pack_field(index, key_type, &mut packed)? {
            references.entry(packed).or_default().push(place);
        }
    }
    Ok(references)
}

/// The type of the one column of a key.
pub(crate) fn key_type(map: &EntityMap) -> Result<ColumnType> {
    match map.key[..] {
        [key] => Ok(map.columns[key].column_type.clone()),
        _ => Err(no_single_key(map)),
    }
}

fn unpack<E: Entity>(row: &dyn RowRef) -> Result<E> {
    E::unpack(&mut |index| row.cell(index))
}

fn packed_keys<K: Cell>(keys: &[K], of_type: &ColumnType) -> Result<Places> {
    let mut places = Places::with_capacity(keys.len());
    for (place, key) in keys.iter().enumerate() {
        let mut packed = Vec::new();
        if key.pack(of_type, &mut packed)? {
            places.entry(packed).or_insert(place);
        }
    }
    Ok(places)
}

fn place_of(places: &Places, packed: &[u8]) -> Result<usize> {
    places.get(packed).copied().ok_or_else(unasked)
}

/// Asks for as many values at a time as go into one query.
fn in_chunks(
    connection: &mut dyn Connection,
    places: &Places,
    mut ask: impl FnMut(&mut dyn Connection, &mut dyn Iterator<Item = &[u8]>, Form) -> Result<()>,
) -> Result<()> {
    let capabilities = *connection.capabilities();
    // In the order in which they were given, so that the same question is the same statement.
    let mut values: Vec<_> = places.iter().map(|(value, place)| (*place, &**value)).collect();
    values.sort_unstable();
    for chunk in values.chunks(given::rows_per_statement(capabilities, 1)) {
        let form = given::form(capabilities, chunk.len());
        ask(connection, &mut chunk.iter().map(|(_, value)| *value), form)?;
    }
    Ok(())
}

#[cold]
fn unasked() -> Error {
    let message = "the database takes values for equal that are not the same";
    Error::new(ErrorKind::Unsupported, message)
        .with_hint("a key without regard to case, or of a type that rounds, cannot be loaded by")
}

#[cold]
fn no_single_key(map: &EntityMap) -> Error {
    let (table, columns) = (map.table.plain(), map.key.len());
    let message = format!("the key of {table} has {columns} columns, and nothing refers to it");
    Error::new(ErrorKind::Config, message)
}
