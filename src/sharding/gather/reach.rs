//! Which shards a query has to be put to, and whether it can be put to several.

use crate::error::{Error, ErrorKind, Result};
use crate::query::{Columns, Distinct, Node, Select, Source, Text};
use crate::sharding::key::ShardKey;
use crate::sharding::map::ShardMap;
use crate::sharding::placement::ShardId;
use std::any::TypeId;
use std::collections::BTreeSet;

/// A column of an entity.
type ColumnOf = (TypeId, &'static str);

/// The shards that can have rows of a query: all of them, unless its conditions say of the shard key
/// what it is equal to. Never none: an empty result needs a shard that says so.
pub(super) fn shards_of(select: &Select, map: &ShardMap) -> Result<Vec<ShardId>> {
    let mut found: BTreeSet<ShardId> = map.ids().collect();
    if let Some(name) = (select.from.shard_key)() {
        let key = (select.from.entity, name);
        for condition in conjuncts(select.filter.as_ref()) {
            if let Some(some) = named_by(condition, key, map)? {
                found.retain(|shard| some.contains(shard));
            }
        }
    }
    if found.is_empty() {
        found.extend(map.ids().next());
    }
    Ok(found.into_iter().collect())
}

/// All conditions that hold together.
fn conjuncts(node: Option<&Node>) -> Vec<&Node> {
    let mut open: Vec<&Node> = node.into_iter().collect();
    let mut conjuncts = Vec::new();
    while let Some(node) = open.pop() {
        match node {
            Node::Infix(left, "AND", right) => open.extend([&**right, &**left]),
            other => conjuncts.push(other),
        }
    }
    conjuncts
}

/// The shards to which a condition narrows a query down; `None` if it does not.
fn named_by(node: &Node, key: ColumnOf, map: &ShardMap) -> Result<Option<BTreeSet<ShardId>>> {
    let values = match node {
        Node::Infix(left, "=", right) => match (&**left, &**right) {
            (column, Node::Value(value)) | (Node::Value(value), column)
                if column_of(column) == Some(key) =>
            {
                std::slice::from_ref(value)
            }
            _ => return Ok(None),
        },
        Node::In { left, list, negated: false, .. } if column_of(left) == Some(key) => list,
        _ => return Ok(None),
    };
    let mut shards = BTreeSet::new();
    for value in values.iter().filter(|value| !value.is_null()) {
        shards.extend(map.placement().find(&ShardKey::of_value(value)?)?);
    }
    Ok(Some(shards))
}

fn column_of(node: &Node) -> Option<ColumnOf> {
    match node {
        Node::Column { entity, name, .. } => Some((*entity, name)),
        _ => None,
    }
}

/// Whether a node is the shard key of the entity that a query begins with.
pub(super) fn is_shard_key(node: &Node, select: &Select) -> bool {
    let key = (select.from.shard_key)().map(|name| (select.from.entity, name));
    key.is_some() && column_of(node) == key
}

/// Refuses what would silently leave out, or count twice, what is on several shards.
///
/// # Errors
/// `Unsupported`, `Config` if the entity has no shard key.
pub(super) fn check(select: &Select) -> Result<()> {
    if (select.from.shard_key)().is_none() {
        let message =
            format!("{} has no shard key: nothing says where its rows are", select.from.of);
        return Err(Error::new(ErrorKind::Config, message)
            .with_hint("mark it with #[entity(shard_key)], or ask the engine of one shard"));
    }
    if select.lock.is_some() {
        return Err(unsupported("rows are locked")
            .with_hint("lock them in a transaction on the engine of their shard"));
    }
    if !select.with.is_empty() {
        return Err(unsupported("a query with a name is read from"));
    }
    if matches!(select.distinct, Distinct::On(_)) {
        return Err(unsupported("DISTINCT ON is asked for"));
    }
    check_joins(select)?;
    let mut nodes: Vec<&Node> = select.filter.iter().chain(&select.having).collect();
    nodes.extend(select.joins.iter().map(|join| &join.on));
    nodes.extend(select.order_by.iter().map(|sort| &sort.node));
    nodes.extend(&select.group_by);
    if let Columns::Of(columns) = &select.columns {
        nodes.extend(columns);
    }
    nodes.into_iter().try_for_each(|node| check_node(node, select))
}

/// What is joined has to be on the same shard: by the shard keys of both, or because every shard
/// has all of it.
fn check_joins(select: &Select) -> Result<()> {
    let mut known = vec![&select.from];
    for join in &select.joins {
        let conditions =
            conjuncts(Some(&join.on)).into_iter().chain(conjuncts(select.filter.as_ref()));
        if (join.source.shard_key)().is_some() && !are_linked(conditions, &join.source, &known) {
            let message = format!("rows of {} on other shards would not be joined", join.source.of);
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_hint("join by the shard keys of both"));
        }
        known.push(&join.source);
    }
    Ok(())
}

/// Whether a condition says that the shard key of `source` is that of one of `known`.
fn are_linked<'a>(
    mut conditions: impl Iterator<Item = &'a Node>,
    source: &Source,
    known: &[&Source],
) -> bool {
    let key = |source: &Source| (source.shard_key)().map(|name| (source.entity, name));
    let own = key(source);
    let of_known = |column| known.iter().any(|known| column == key(known));
    conditions.any(|condition| match condition {
        Node::Infix(left, "=", right) => {
            let (left, right) = (column_of(left), column_of(right));
            left.is_some()
                && right.is_some()
                && ((left == own && of_known(right)) || (right == own && of_known(left)))
        }
        _ => false,
    })
}

fn check_node(node: &Node, outer: &Select) -> Result<()> {
    match node {
        Node::Exists { select, .. } | Node::Scalar(select) => check_inner(select, None, outer),
        Node::InSelect { left, select, .. } => {
            check_inner(select, Some(left), outer).and_then(|()| check_node(left, outer))
        }
        Node::Raw(text, parts) => {
            check_text(*text)?;
            parts.iter().try_for_each(|part| check_node(part, outer))
        }
        Node::Infix(left, _, right) => {
            check_node(left, outer)?;
            check_node(right, outer)
        }
        Node::Prefix(_, inner) | Node::Postfix(inner, _) | Node::Cast(inner, _) => {
            check_node(inner, outer)
        }
        Node::Call(_, parts) | Node::Row(parts) => {
            parts.iter().try_for_each(|part| check_node(part, outer))
        }
        Node::Like(like) => check_node(&like.left, outer),
        Node::In { left, .. } => check_node(left, outer),
        Node::Case(cases, otherwise) => {
            for (condition, value) in cases {
                check_node(condition, outer)?;
                check_node(value, outer)?;
            }
            otherwise.iter().try_for_each(|node| check_node(node, outer))
        }
        Node::Column { .. } | Node::Value(_) => Ok(()),
        Node::Fault(error) => Err(error.without_source()),
    }
}

/// A query within another one must look at rows of the same shard.
fn check_inner(inner: &Select, left: Option<&Node>, outer: &Select) -> Result<()> {
    if (inner.from.shard_key)().is_none() {
        return Ok(());
    }
    let known: Vec<&Source> = outer.sources().collect();
    let by_condition =
        are_linked(conjuncts(inner.filter.as_ref()).into_iter(), &inner.from, &known);
    // `outer.key in (select inner.key ...)`
    let by_list = match (&inner.columns, left) {
        (Columns::Of(columns), Some(left)) => {
            columns.iter().all(|column| is_shard_key(column, inner)) && is_shard_key(left, outer)
        }
        _ => false,
    };
    if by_condition || by_list {
        return Ok(());
    }
    let message = format!("rows of {} on other shards would not be seen", inner.from.of);
    Err(Error::new(ErrorKind::Unsupported, message).with_hint("compare the shard keys of both"))
}

/// What makes one value of many rows, in a fragment of SQL that nobody here understands.
const OF_MANY_ROWS: [&str; 16] = [
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "total",
    "string_agg",
    "array_agg",
    "json_agg",
    "jsonb_agg",
    "group_concat",
    "bool_and",
    "bool_or",
    "every",
    "stddev",
    "variance",
];

fn check_text(text: Text) -> Result<()> {
    let Text::Same(sql) = text else { return Ok(()) };
    // What this crate writes itself is taken apart where it is merged.
    if matches!(sql, "count(*)" | "count(DISTINCT {})") {
        return Ok(());
    }
    let lower = sql.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    if words.contains(&"over") || words.iter().any(|word| OF_MANY_ROWS.contains(word)) {
        return Err(unsupported("a fragment makes one value of many rows"));
    }
    Ok(())
}

pub(super) fn unsupported(what: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("{what}, which cannot be done over several shards"))
        .with_hint("narrow it down to one shard by its shard key")
}
