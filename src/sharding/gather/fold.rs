//! Groups whose rows are on several shards: each shard makes its part, and the parts are put
//! together.

use super::cell_key::{CellKey, unordered};
use super::cells::OwnCell;
use super::merge::{Direction, Row, compare};
use super::plain::directions;
use super::reach::{is_shard_key, unsupported};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::cell::{Cell, CellRef};
use crate::mapping::column_type::ColumnType;
use crate::query::{Columns, Distinct, Node, Select, Text};
use std::collections::{HashMap, HashSet};

/// How the parts of a value become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fold {
    /// They are all the same.
    Same,
    Sum,
    Min,
    Max,
    /// The sum of this column over that of the next.
    Mean,
    /// How many different values there are, in the result of the statement of this number.
    Distinct(usize),
}

/// A value of a row, and the column of the parts where it begins.
#[derive(Clone, Copy, Debug)]
struct Output {
    fold: Fold,
    at: usize,
}

/// What the shards are asked, and how their answers become one.
pub(super) struct Plan {
    /// One row for each group.
    pub(super) groups: Select,
    /// For each count of different values: one row for each of them in each group.
    pub(super) distinct: Vec<Select>,
    outputs: Vec<Output>,
    sorts: Vec<(Output, Direction)>,
    /// The columns of `groups` that tell a group.
    keys: std::ops::Range<usize>,
    limit: Option<u64>,
    offset: u64,
}

/// The rows of one shard: those of `groups`, then those of each of `distinct`.
pub(super) type Part = Vec<Vec<Vec<OwnCell>>>;

/// Whether a query makes values of many rows whose rows are on several shards.
pub(super) fn is_needed(select: &Select) -> bool {
    let whole = select.group_by.iter().any(|node| is_shard_key(node, select));
    let aggregates = match &select.columns {
        Columns::Of(columns) => {
            columns.iter().any(|node| aggregate(node).is_some() || hides_one(node))
        }
        Columns::Everything => false,
    };
    !whole && (aggregates || !select.group_by.is_empty())
}

/// An aggregate and what it is of.
fn aggregate(node: &Node) -> Option<(&'static str, Option<&Node>)> {
    match node {
        Node::Raw(Text::Same("count(*)"), _) => Some(("count", None)),
        Node::Raw(Text::Same("count(DISTINCT {})"), parts) => Some(("distinct", parts.first())),
        Node::Call(name @ ("count" | "min" | "max"), parts) if parts.len() == 1 => {
            Some((name, parts.first()))
        }
        Node::Cast(inner, _) => match &**inner {
            Node::Call(name @ ("sum" | "avg"), parts) => Some((name, parts.first())),
            _ => None,
        },
        _ => None,
    }
}

/// Whether there is an aggregate within an expression.
fn hides_one(node: &Node) -> bool {
    let within =
        |nodes: &[Node]| nodes.iter().any(|node| aggregate(node).is_some() || hides_one(node));
    let one = |node: &Node| aggregate(node).is_some() || hides_one(node);
    match node {
        Node::Call("sum" | "avg", _) => true,
        Node::Call(_, parts) | Node::Row(parts) | Node::Raw(_, parts) => within(parts),
        Node::Infix(left, _, right) => one(left) || one(right),
        Node::Prefix(_, inner) | Node::Postfix(inner, _) | Node::Cast(inner, _) => one(inner),
        Node::Like(like) => one(&like.left),
        Node::In { left, .. } | Node::InSelect { left, .. } => one(left),
        Node::Case(cases, otherwise) => {
            cases.iter().any(|(condition, value)| one(condition) || one(value))
                || otherwise.as_deref().is_some_and(one)
        }
        _ => false,
    }
}

impl Plan {
    pub(super) fn of(select: &Select) -> Result<Self> {
        if select.having.is_some() {
            return Err(unsupported("groups are chosen by HAVING"));
        }
        if !matches!(select.distinct, Distinct::No) {
            return Err(unsupported("groups are DISTINCT"));
        }
        let Columns::Of(columns) = &select.columns else {
            return Err(unsupported("whole rows of groups are asked for"));
        };
        let mut making = Making { select, columns: Vec::new(), distinct: Vec::new() };
        let outputs = columns.iter().map(|node| making.output(node)).collect::<Result<_>>()?;
        let mut sorts = Vec::new();
        for (sort, direction) in select.order_by.iter().zip(directions(select)) {
            sorts.push((making.output(&sort.node)?, direction));
        }
        let keys = making.columns.len()..making.columns.len() + select.group_by.len();
        making.columns.extend(select.group_by.iter().cloned());
        let Making { columns, distinct, .. } = making;
        let groups = Select { columns: Columns::Of(columns), ..unordered_parts(select) };
        let (limit, offset) = (select.limit, select.offset.unwrap_or(0));
        Ok(Self { groups, distinct, outputs, sorts, keys, limit, offset })
    }

    /// The rows of the whole, from those of all shards.
    pub(super) fn fold(&self, parts: Vec<Part>) -> Result<Vec<Vec<OwnCell>>> {
        let mut groups = Groups::default();
        for part in parts {
            let mut statements = part.into_iter();
            for row in statements.next().unwrap_or_default() {
                let key = identity(&row[self.keys.clone()])?;
                groups.add(key, row, self)?;
            }
            for (number, rows) in statements.enumerate() {
                groups.note(number, self.keys.len(), &rows)?;
            }
        }
        let mut rows =
            groups.rows.into_iter().map(|group| self.row(&group)).collect::<Result<Vec<_>>>()?;
        let by: Vec<_> = self.sorts.iter().map(|(_, direction)| *direction).collect();
        rows.sort_by(|one, other| compare(&one.order, &other.order, &by));
        let limit =
            self.limit.map_or(usize::MAX, |rows| usize::try_from(rows).unwrap_or(usize::MAX));
        let offset = usize::try_from(self.offset).unwrap_or(usize::MAX);
        Ok(rows.into_iter().skip(offset).take(limit).map(|row| row.value).collect())
    }

    fn row(&self, group: &Group) -> Result<Row<Vec<OwnCell>>> {
        let order =
            self.sorts.iter().map(|(output, _)| CellKey::to_sort(group.value(*output)?.cell()));
        let order = order.collect::<Result<_>>()?;
        let value =
            self.outputs.iter().map(|output| group.value(*output)).collect::<Result<_>>()?;
        Ok(Row { order, value })
    }
}

/// A query without what only the whole can have.
fn unordered_parts(select: &Select) -> Select {
    Select { order_by: Vec::new(), limit: None, offset: None, ..select.clone() }
}

/// A plan on the way.
struct Making<'a> {
    select: &'a Select,
    columns: Vec<Node>,
    distinct: Vec<Select>,
}

impl Making<'_> {
    fn output(&mut self, node: &Node) -> Result<Output> {
        let at = self.columns.len();
        let fold = match aggregate(node) {
            Some(("count" | "sum", _)) => self.push(Fold::Sum, node.clone()),
            Some(("min", of)) => {
                let least =
                    Node::Call("min", of.map(|of| self.in_byte_order(of)).into_iter().collect());
                self.push(Fold::Min, least)
            }
            Some(("max", of)) => {
                let most =
                    Node::Call("max", of.map(|of| self.in_byte_order(of)).into_iter().collect());
                self.push(Fold::Max, most)
            }
            Some(("avg", Some(of))) => {
                let sum = Node::Call("sum", vec![of.clone()]);
                self.columns.push(Node::Cast(Box::new(sum), ColumnType::Float8));
                self.push(Fold::Mean, Node::Call("count", vec![of.clone()]))
            }
            // Each value is on one shard only.
            Some((_, Some(of))) if is_shard_key(of, self.select) => {
                self.push(Fold::Sum, node.clone())
            }
            Some((_, Some(of))) => {
                self.distinct.push(distinct_values(self.select, of));
                Fold::Distinct(self.distinct.len() - 1)
            }
            _ if hides_one(node) => return Err(unsupported("something is made of an aggregate")),
            _ => self.push(Fold::Same, node.clone()),
        };
        Ok(Output { fold, at })
    }

    fn push(&mut self, fold: Fold, node: Node) -> Fold {
        self.columns.push(node);
        fold
    }

    /// The least and the most of texts are those by their bytes.
    fn in_byte_order(&self, node: &Node) -> Node {
        let text = match node {
            Node::Column { entity, name, .. } => {
                let source = self.select.sources().find(|source| source.entity == *entity);
                let columns = source.and_then(|source| (source.columns)().ok()).unwrap_or_default();
                columns.iter().any(|column| {
                    column.name.as_str() == *name && super::plain::is_text(&column.column_type)
                })
            }
            _ => false,
        };
        if text { super::plain::in_byte_order(node.clone()) } else { node.clone() }
    }
}

/// One row for each value of `of` in each group.
fn distinct_values(select: &Select, of: &Node) -> Select {
    let mut columns = select.group_by.clone();
    columns.push(of.clone());
    let there = Node::Postfix(Box::new(of.clone()), "IS NOT NULL");
    Select {
        group_by: columns.clone(),
        columns: Columns::Of(columns),
        filter: Some(Node::and(select.filter.clone(), there)),
        ..unordered_parts(select)
    }
}

fn identity(cells: &[OwnCell]) -> Result<Vec<CellKey>> {
    cells.iter().map(|cell| CellKey::of(cell.cell())).collect()
}

/// The groups, in the order in which they are first seen.
#[derive(Default)]
struct Groups {
    rows: Vec<Group>,
    places: HashMap<Vec<CellKey>, usize>,
}

/// A group, put together so far.
#[derive(Default)]
struct Group {
    cells: Vec<OwnCell>,
    /// The values that are counted, for each statement that lists some.
    distinct: Vec<HashSet<CellKey>>,
}

impl Groups {
    fn add(&mut self, key: Vec<CellKey>, row: Vec<OwnCell>, plan: &Plan) -> Result<()> {
        let Some(&place) = self.places.get(&key) else {
            let distinct = vec![HashSet::new(); plan.distinct.len()];
            self.places.insert(key, self.rows.len());
            self.rows.push(Group { cells: row, distinct });
            return Ok(());
        };
        let group = &mut self.rows[place];
        let outputs = plan.outputs.iter().chain(plan.sorts.iter().map(|(output, _)| output));
        for Output { fold, at } in outputs {
            group.fold(*fold, *at, &row)?;
        }
        Ok(())
    }

    /// Notes the values of each group. One that is in no group appeared in between.
    fn note(&mut self, number: usize, keys: usize, rows: &[Vec<OwnCell>]) -> Result<()> {
        for row in rows {
            let (key, value) = row.split_at(keys);
            let Some(&place) = self.places.get(&identity(key)?) else { continue };
            if let (Some(values), Some(value)) =
                (self.rows[place].distinct.get_mut(number), value.first())
            {
                values.insert(CellKey::of(value.cell())?);
            }
        }
        Ok(())
    }
}

impl Group {
    fn fold(&mut self, fold: Fold, at: usize, row: &[OwnCell]) -> Result<()> {
        let width = match fold {
            Fold::Same | Fold::Distinct(_) => return Ok(()),
            Fold::Mean => 2,
            Fold::Sum | Fold::Min | Fold::Max => 1,
        };
        for (mine, other) in self.cells.iter_mut().zip(row).skip(at).take(width) {
            let own = std::mem::replace(mine, OwnCell::Null);
            *mine = match fold {
                Fold::Min => extreme(own, other, false)?,
                Fold::Max => extreme(own, other, true)?,
                _ => own.plus(other)?,
            };
        }
        Ok(())
    }

    fn value(&self, Output { fold, at }: Output) -> Result<OwnCell> {
        Ok(match fold {
            Fold::Distinct(number) => OwnCell::of_count(self.distinct[number].len() as i64),
            Fold::Mean => match (self.cells[at].real()?, i64::unpack(self.cells[at + 1].cell())?) {
                (Some(sum), count @ 1..) => OwnCell::of_real(sum / count as f64),
                _ => OwnCell::Null,
            },
            Fold::Same | Fold::Sum | Fold::Min | Fold::Max => self.cells[at].clone(),
        })
    }
}

/// The smaller or the larger of two values, NULL being none.
fn extreme(mine: OwnCell, other: &OwnCell, largest: bool) -> Result<OwnCell> {
    let (one, two) = (CellKey::of(mine.cell())?, CellKey::of(other.cell())?);
    if two.is_null() {
        return Ok(mine);
    }
    if one.is_null() {
        return Ok(other.clone());
    }
    if let (CellKey::Opaque(_), CellRef::Packed(column_type, _)) = (&one, mine.cell()) {
        return Err(unordered(column_type));
    }
    if std::mem::discriminant(&one) != std::mem::discriminant(&two) && one.cmp(&two).is_eq() {
        return Err(Error::new(ErrorKind::Internal, "values of several types in one column"));
    }
    let take_other = if largest { two > one } else { two < one };
    Ok(if take_other { other.clone() } else { mine })
}
