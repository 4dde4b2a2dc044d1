//! What there is of rows that refer to the one that is read: whether there are any, how many, a
//! value of them.

use super::expr::Expr;
use super::node::Node;
use super::query::Query;
use super::scope::short_name;
use super::select::{Columns, Select};
use crate::mapping::cell::Cell;
use crate::mapping::entity::Entity;
use crate::mapping::field::Field;
use crate::mapping::key::Keyed;
use std::any::TypeId;

/// Whether there is a row whose foreign key `key` refers to the one that is read, and which
/// `matching` lets through.
///
/// ```
/// use rowmill::{Entity, Find, has};
/// #[derive(Entity)]
/// struct Artist {
///     #[entity(key)]
///     id: i64,
/// }
/// #[derive(Entity)]
/// struct Album {
///     #[entity(key)]
///     id: i64,
///     #[entity(references = Artist)]
///     artist_id: i64,
///     title: String,
/// }
/// let with_a_blue_one = Artist::query()
///     .filter(has(Album::artist_id, |albums| albums.filter(Album::title.contains("Blue"))));
/// let without_any = Artist::query().filter(!has(Album::artist_id, |albums| albums));
/// # let _ = (with_a_blue_one, without_any);
/// ```
pub fn has<C: Entity, T: Cell, P: Keyed>(
    key: Field<C, T, P>,
    matching: impl FnOnce(Query<C>) -> Query<C>,
) -> Expr<P, bool> {
    let mut select = children(key, matching);
    select.columns = Columns::Of(vec![Node::raw("1")]);
    Expr::new(Node::Exists { select: Box::new(select), negated: false })
}

/// How many rows there are whose foreign key `key` refers to the one that is read, and which
/// `matching` lets through.
///
/// ```
/// # use rowmill::{Entity, Find, count_of};
/// # #[derive(Entity)]
/// # struct Artist { #[entity(key)] id: i64, name: String }
/// # #[derive(Entity)]
/// # struct Album { #[entity(key)] id: i64, #[entity(references = Artist)] artist_id: i64 }
/// let with_counts = Artist::query()
///     .select((Artist::name, count_of(Album::artist_id, |albums| albums)));
/// # let _ = with_counts;
/// ```
pub fn count_of<C: Entity, T: Cell, P: Keyed>(
    key: Field<C, T, P>,
    matching: impl FnOnce(Query<C>) -> Query<C>,
) -> Expr<P, i64> {
    let mut select = children(key, matching);
    select.columns = Columns::Of(vec![Node::raw("count(*)")]);
    Expr::new(Node::Scalar(Box::new(select)))
}

/// The value that `find` selects of the rows whose foreign key `key` refers to the one that is
/// read; `None` where there is no row. Where there may be several, `find` has to say which: by an
/// aggregate, or an order and a limit of 1.
///
/// ```
/// # use rowmill::{Entity, Find, value_of};
/// # #[derive(Entity)]
/// # struct Artist { #[entity(key)] id: i64, name: String }
/// # #[derive(Entity)]
/// # struct Album {
/// #     #[entity(key)] id: i64, #[entity(references = Artist)] artist_id: i64, title: String
/// # }
/// let first_title = value_of(Album::artist_id, |albums| {
///     albums.order_by(Album::id).limit(1).select(Album::title)
/// });
/// let artists = Artist::query().select((Artist::name, first_title));
/// # let _ = artists;
/// ```
pub fn value_of<C: Entity, T: Cell, P: Keyed, V: Cell>(
    key: Field<C, T, P>,
    find: impl FnOnce(Query<C>) -> Query<C, V>,
) -> Expr<P, Option<V>> {
    Expr::new(Node::Scalar(Box::new(children(key, find))))
}

fn children<C: Entity, T: Cell, P: Keyed, V>(
    key: Field<C, T, P>,
    find: impl FnOnce(Query<C>) -> Query<C, V>,
) -> Select {
    let mut select = find(Query::new()).select;
    select.filter = Some(Node::and(select.filter, same(key)));
    select
}

/// The condition that a foreign key refers to a row.
pub(super) fn same<C: Entity, T: Cell, P: Keyed>(key: Field<C, T, P>) -> Node {
    let Some(&name) = P::key().first() else {
        return Node::fault(crate::mapping::derived::no_column(0));
    };
    let referred = Node::Column { entity: TypeId::of::<P>(), of: short_name::<P>(), name };
    Node::infix(Expr::from(key).node, "=", referred)
}
