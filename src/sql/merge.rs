//! The statements that bring staged rows into their target.
//!
//! Each works on a part of a bucket: `$1` is the bucket, `$2` the state of the rows, and the rows
//! lie between (`$3`, `$4`) and (`$5`, `$6`), batch and index, both included. So a part that the
//! database refuses can be cut in two. Some can work on all buckets at once: from bucket `$1` on.

use super::stage::{StageTable, state};
use crate::ident::TableName;
use crate::mapping::column::Column;

/// The statements that merge `stage` into `target`.
#[derive(Clone, Copy, Debug)]
pub struct Merge<'a> {
    /// Where the rows are.
    pub stage: &'a StageTable,
    /// Where they go.
    pub target: &'a TableName,
    /// Which buckets a statement works on.
    pub reach: Reach,
}

/// Which buckets a statement works on that is told a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The bucket alone.
    One,
    /// The bucket and all behind it: from the first on, all.
    All,
}

impl Reach {
    fn of(self, bucket: &str) -> String {
        match self {
            Self::One => format!("{bucket} = $1"),
            Self::All => format!("{bucket} >= $1"),
        }
    }
}

/// The states of rows that are in the target already.
fn in_target() -> String {
    format!("{}, {}", state::STORED, state::TOUCHED)
}

impl Merge<'_> {
    /// Reads one staged row, as it was staged; it has no parameters.
    pub fn one_row(&self, batch: u32, index: u32) -> String {
        let names: Vec<_> =
            self.stage.columns.iter().map(|column| column.name.to_string()).collect();
        format!(
            "SELECT {} FROM {} WHERE _rowmill_batch = {batch} AND _rowmill_index = {index}",
            names.join(", "),
            self.stage.name
        )
    }

    /// Takes out of bucket `$1` every live row that another one with the same key supersedes: the
    /// last of the input wins, or the first. It changes as many rows as were superseded.
    pub fn drop_superseded(&self, last_wins: bool) -> String {
        let stage = &self.stage.name;
        let address = self.stage.dialect.row_address();
        let keys: Vec<_> = self.stage.key.iter().map(|&index| self.staged(index)).collect();
        let order = if last_wins { "DESC" } else { "ASC" };
        let live = state::LIVE;
        format!(
            "DELETE FROM {stage} WHERE {} AND {address} IN (\
             SELECT address FROM (SELECT s.{address} AS address, row_number() OVER (\
             PARTITION BY {} ORDER BY s._rowmill_batch {order}, s._rowmill_index {order}) AS place \
             FROM {stage} AS s WHERE {} AND s._rowmill_state = {live}) AS ranked \
             WHERE place > 1)",
            self.reach.of("_rowmill_bucket"),
            keys.join(", "),
            self.reach.of("s._rowmill_bucket")
        )
    }

    /// What makes the planner hold rows of a bucket against each other by hashing or by sorting, for
    /// the rest of the transaction: of a stage without statistics it expects one row.
    pub fn compare_by_hash() -> &'static str {
        "SET LOCAL enable_nestloop = off"
    }

    /// Gives the live rows of bucket `$1` of whose key another one has the state `stored` the state
    /// `replacing`.
    pub fn mark_replacing(&self, stored: i16, replacing: i16) -> String {
        let Self { stage, .. } = self;
        let equal: Vec<_> = stage.key_names().iter().map(|k| format!("i.{k} = s.{k}")).collect();
        format!(
            "UPDATE {} AS s SET _rowmill_state = {} FROM {} AS i WHERE s._rowmill_bucket = $1 \
             AND i._rowmill_bucket = $1 AND s._rowmill_state = {} AND i._rowmill_state = {} AND {}",
            stage.name,
            replacing,
            stage.name,
            state::LIVE,
            stored,
            equal.join(" AND ")
        )
    }

    /// As [`drop_superseded`](Self::drop_superseded), the last of the input winning, where rows of the
    /// bucket are stored. It yields how many rows were superseded that are not stored: what is stored
    /// was counted by its own batch.
    pub fn drop_superseded_beside_stored(&self) -> String {
        let (stage, stored) = (&self.stage.name, in_target());
        let states =
            format!("{}, {stored}, {}, {}", state::LIVE, state::REPLACING, state::SUCCEEDING);
        format!(
            "WITH gone AS (DELETE FROM {stage} WHERE _rowmill_bucket = $1 AND ctid IN (\
             SELECT address FROM (SELECT s.ctid AS address, row_number() OVER (\
             PARTITION BY {} ORDER BY s._rowmill_batch DESC, s._rowmill_index DESC) AS place \
             FROM {stage} AS s WHERE s._rowmill_bucket = $1 AND s._rowmill_state IN ({states})\
             ) AS ranked WHERE place > 1) RETURNING _rowmill_state AS state) \
             SELECT count(*) FROM gone WHERE state NOT IN ({stored})",
            self.stage.key_names().iter().map(|k| format!("s.{k}")).collect::<Vec<_>>().join(", ")
        )
    }

    /// The live rows of bucket `$1` whose key came before, each with the first of its key: batch and
    /// index of both, in input order.
    pub fn repeats(&self) -> String {
        let keys: Vec<_> = self.stage.key.iter().map(|&index| self.staged(index)).collect();
        format!(
            "SELECT batch, place, first_batch, first_place FROM (\
             SELECT s._rowmill_batch AS batch, s._rowmill_index AS place, row_number() OVER w AS n, \
             first_value(s._rowmill_batch) OVER w AS first_batch, \
             first_value(s._rowmill_index) OVER w AS first_place \
             FROM {} AS s WHERE {} AND s._rowmill_state = {} \
             WINDOW w AS (PARTITION BY {} ORDER BY s._rowmill_batch, s._rowmill_index)) AS ranked \
             WHERE n > 1 ORDER BY batch, place",
            self.stage.name,
            self.reach.of("s._rowmill_bucket"),
            state::LIVE,
            keys.join(", ")
        )
    }

    /// The (batch, index) of the rows in bucket `$1` and state `$2`, in input order.
    pub fn positions(&self) -> String {
        format!(
            "SELECT _rowmill_batch, _rowmill_index FROM {} \
             WHERE _rowmill_bucket = $1 AND _rowmill_state = $2 \
             ORDER BY _rowmill_batch, _rowmill_index",
            self.stage.name
        )
    }

    /// How many rows are in bucket `$1` and state `$2`.
    pub fn count(&self) -> String {
        format!(
            "SELECT count(*) FROM {} WHERE _rowmill_bucket = $1 AND _rowmill_state = $2",
            self.stage.name
        )
    }

    /// How many rows of bucket `$1` are live: by the index of those, where there is one.
    pub fn count_live(&self) -> String {
        format!(
            "SELECT count(*) FROM {} WHERE {} AND _rowmill_state = {}",
            self.stage.name,
            self.reach.of("_rowmill_bucket"),
            state::LIVE
        )
    }

    /// How many rows of bucket `$1` are in the target already.
    pub fn count_stored(&self) -> String {
        format!(
            "SELECT count(*) FROM {} WHERE _rowmill_bucket = $1 AND _rowmill_state IN ({})",
            self.stage.name,
            in_target()
        )
    }

    /// The buckets that have rows in state `$1`.
    pub fn buckets_with(&self) -> String {
        format!(
            "SELECT DISTINCT _rowmill_bucket FROM {} WHERE _rowmill_state = $1 ORDER BY 1",
            self.stage.name
        )
    }

    /// Gives all rows of bucket `$1` in state `$2` the state `$3`.
    pub fn set_states(&self) -> String {
        format!(
            "UPDATE {} SET _rowmill_state = $3 WHERE _rowmill_bucket = $1 AND _rowmill_state = $2",
            self.stage.name
        )
    }

    /// Gives the rows at `positions`, batch and index, of a bucket the state `state`.
    pub fn set_state(&self, bucket: u32, positions: &[(u32, u32)], state: i16) -> String {
        let rows: Vec<_> =
            positions.iter().map(|(batch, index)| format!("({batch}, {index})")).collect();
        format!(
            "UPDATE {} SET _rowmill_state = {state} WHERE _rowmill_bucket = {bucket} \
             AND (_rowmill_batch, _rowmill_index) IN (VALUES {})",
            self.stage.name,
            rows.join(", ")
        )
    }

    /// Updates the rows of the target whose key is staged and whose other columns differ; `None`
    /// where there is nothing but a key.
    pub fn update(&self) -> Option<String> {
        let from = format!("FROM {} AS s WHERE {} AND", self.stage.name, self.part());
        self.update_from("s", &from)
    }

    /// Updates the rows of the target that have the key of a row that is called `row`, and differ;
    /// `from` is what stands between and ends in a condition.
    pub(super) fn update_from(&self, row: &str, from: &str) -> Option<String> {
        let set = |index| format!("{} = {}", self.column(index).name, self.value_of(row, index));
        let sets: Vec<_> = self.others().map(set).collect();
        Some(format!(
            "UPDATE {} AS t SET {} {from} {} AND ({})",
            self.target,
            sets.join(", "),
            self.same_key_as(row),
            self.differences_to(row)?
        ))
    }

    /// The (batch, index) of the rows in bucket `$1` and state `$2` whose key the target has with
    /// other values; `None` where there is nothing but a key.
    pub fn changing(&self) -> Option<String> {
        Some(format!(
            "SELECT s._rowmill_batch, s._rowmill_index FROM {} AS s JOIN {} AS t ON {} \
             WHERE s._rowmill_bucket = $1 AND s._rowmill_state = $2 AND ({})",
            self.stage.name,
            self.target,
            self.same_key_as("s"),
            self.differences_to("s")?
        ))
    }

    /// The columns that are not of the key.
    fn others(&self) -> impl Iterator<Item = usize> {
        (0..self.stage.columns.len()).filter(|index| !self.stage.key.contains(index))
    }

    /// Whether a row of the target differs from the staged one of the same key.
    fn differences_to(&self, row: &str) -> Option<String> {
        let differences: Vec<_> = self
            .others()
            .map(|index| {
                let column = self.column(index);
                let mine = format!("t.{}", column.name);
                let staged = self.value_of(row, index);
                self.stage.dialect.differs(&mine, &staged, &column.column_type)
            })
            .collect();
        (!differences.is_empty()).then(|| differences.join(" OR "))
    }

    /// Inserts the staged rows whose key the target does not have.
    pub fn insert_missing(&self) -> String {
        format!(
            "{} AND NOT EXISTS (SELECT 1 FROM {} AS t WHERE {})",
            self.insert(),
            self.target,
            self.same_key_as("s")
        )
    }

    /// Inserts the staged rows.
    pub fn insert(&self) -> String {
        format!("{} FROM {} AS s WHERE {}", self.insert_from("s"), self.stage.name, self.part())
    }

    /// Inserts the row in the variable `row`, or, with more behind it, those of a table of that name.
    pub(super) fn insert_from(&self, row: &str) -> String {
        let names: Vec<_> = self.stage.columns.iter().map(|c| c.name.to_string()).collect();
        let values: Vec<_> =
            (0..self.stage.columns.len()).map(|index| self.value_of(row, index)).collect();
        format!("INSERT INTO {} ({}) SELECT {}", self.target, names.join(", "), values.join(", "))
    }

    /// Inserts the staged rows, in input order, and passes over those that meet a row that is there.
    pub fn insert_ignore(&self) -> String {
        format!(
            "{} ORDER BY s._rowmill_batch, s._rowmill_index ON CONFLICT DO NOTHING",
            self.insert()
        )
    }

    /// Deletes the rows of the target whose key the stage does not name.
    pub fn delete_missing(&self) -> String {
        format!(
            "DELETE FROM {} AS t WHERE NOT EXISTS (SELECT 1 FROM {} AS s WHERE {})",
            self.target,
            self.stage.name,
            self.same_key_as("s")
        )
    }

    /// How many rows the target has.
    pub fn count_all(&self) -> String {
        format!("SELECT count(*) FROM {}", self.target)
    }

    /// Deletes every row of the target.
    pub fn delete_all(&self) -> String {
        format!("DELETE FROM {}", self.target)
    }

    /// That a row is of the part that is worked on.
    fn part(&self) -> String {
        format!(
            "{} AND s._rowmill_state = $2 AND (s._rowmill_batch, s._rowmill_index) >= ($3, $4) \
             AND (s._rowmill_batch, s._rowmill_index) <= ($5, $6)",
            self.reach.of("s._rowmill_bucket")
        )
    }

    fn column(&self, index: usize) -> &Column {
        &self.stage.columns[index]
    }

    fn staged(&self, index: usize) -> String {
        self.value_of("s", index)
    }

    /// The value of a column of the row that is called `row`.
    fn value_of(&self, row: &str, index: usize) -> String {
        let column = self.column(index);
        self.stage.dialect.cast_staged(&format!("{row}.{}", column.name), &column.column_type)
    }

    pub(super) fn same_key_as(&self, row: &str) -> String {
        let equal: Vec<_> = self
            .stage
            .key
            .iter()
            .map(|&index| format!("t.{} = {}", self.column(index).name, self.value_of(row, index)))
            .collect();
        equal.join(" AND ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::Ident;
    use crate::mapping::column_type::ColumnType;
    use crate::sql::dialect::Dialect;

    fn stage(dialect: Dialect) -> StageTable {
        let column = |name: &str, column_type| Column::new(Ident::new(name).unwrap(), column_type);
        let columns = [
            column("id", ColumnType::Int8),
            column("host", ColumnType::Other("inet".into())),
            column("note", ColumnType::Json),
        ];
        StageTable::of_job(dialect, 7, &columns, &[0]).unwrap()
    }

    #[test]
    fn what_travels_as_text_is_cast_and_what_has_no_equality_is_compared_as_text() {
        let stage = stage(Dialect::PostgreSql);
        let target = TableName::parse("t").unwrap();
        let update = Merge { stage: &stage, target: &target, reach: Reach::One }.update().unwrap();
        assert!(update.starts_with(
            r#"UPDATE "t" AS t SET "host" = CAST(s."host" AS inet), "note" = s."note" FROM "rowmill"."stage_7" AS s"#
        ));
        assert!(update.ends_with(
            r#"(CAST(t."host" AS text) IS DISTINCT FROM CAST(CAST(s."host" AS inet) AS text) OR CAST(t."note" AS text) IS DISTINCT FROM CAST(s."note" AS text))"#
        ));
    }

    #[test]
    fn a_row_of_nothing_but_a_key_is_never_updated() {
        let mut stage = stage(Dialect::Sqlite);
        stage.columns.truncate(1);
        let target = TableName::parse("t").unwrap();
        assert_eq!(Merge { stage: &stage, target: &target, reach: Reach::One }.update(), None);
    }
}
