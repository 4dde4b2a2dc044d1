//! One statement that brings staged rows into their target one after the other, in the database: what
//! a row is refused for is noted, and costs no other row.
//!
//! It is a block of PostgreSQL's procedural language with a subtransaction around each row. What it did
//! is left in a setting of the transaction, as JSON, so that nothing has to be created for it.

use super::dialect::Dialect;
use super::literal::quoted;
use super::merge::Merge;

/// The row that is being stored.
const ROW: &str = "rowmill_row";

/// What becomes of a row whose key, or another unique value, the target has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// It is refused.
    Refused,
    /// It is passed over.
    Ignored,
    /// The row of the target becomes equal to it.
    Updated,
}

/// What the block did, a row each: first how many rows were inserted and updated, and then of each
/// refused row batch, index, code, message, the first line of the context, constraint and column.
pub const DONE: &str = "SELECT CAST(e ->> 0 AS bigint), CAST(e ->> 1 AS bigint), e ->> 2, e ->> 3, \
    e ->> 4, e ->> 5, e ->> 6 \
    FROM pg_catalog.json_array_elements(\
    CAST(pg_catalog.current_setting('rowmill.done') AS json)) WITH ORDINALITY AS x (e, o) ORDER BY o";

impl Merge<'_> {
    /// Stores the rows of a bucket in a state that lie between two places, both included; `None` where
    /// a database has no such blocks. [`DONE`] tells what it did.
    pub fn one_by_one(
        &self,
        bucket: u32,
        state: i16,
        (first, last): ((i64, i64), (i64, i64)),
        met: Met,
    ) -> Option<String> {
        if self.stage.dialect != Dialect::PostgreSql {
            return None;
        }
        let update = (met == Met::Updated).then(|| self.update_from(ROW)).flatten();
        let update = update.map_or(String::new(), |update| {
            format!("{update}; GET DIAGNOSTICS rowmill_changed = ROW_COUNT; ")
        });
        let insert = match met {
            Met::Refused => self.insert_from(ROW),
            Met::Ignored => format!("{} ON CONFLICT DO NOTHING", self.insert_from(ROW)),
            Met::Updated => {
                let (target, same_key) = (self.target, self.same_key_as(ROW));
                let insert = self.insert_from(ROW);
                format!("{insert} WHERE NOT EXISTS (SELECT 1 FROM {target} AS t WHERE {same_key})")
            }
        };
        let rows = format!(
            "SELECT s.* FROM {} AS s WHERE s._rowmill_bucket = {bucket} AND s._rowmill_state = {state} \
             AND (s._rowmill_batch, s._rowmill_index) >= ({}, {}) \
             AND (s._rowmill_batch, s._rowmill_index) <= ({}, {}) \
             ORDER BY s._rowmill_batch, s._rowmill_index",
            self.stage.name, first.0, first.1, last.0, last.1
        );
        // ORDER: both are counted behind both; what a variable was given is not rolled back.
        let block = format!(
            "{DECLARATIONS} BEGIN FOR {ROW} IN {rows} LOOP BEGIN {update}{insert}; \
             GET DIAGNOSTICS rowmill_added = ROW_COUNT; \
             rowmill_updated := rowmill_updated + rowmill_changed; \
             rowmill_inserted := rowmill_inserted + rowmill_added; \
             {REFUSAL} END; END LOOP; {RESULT} END"
        );
        Some(format!("DO {}", quoted(&block)))
    }
}

const DECLARATIONS: &str = "#variable_conflict use_column
DECLARE rowmill_row record; rowmill_refused text[] := '{}'; \
    rowmill_inserted bigint := 0; rowmill_updated bigint := 0; \
    rowmill_added bigint := 0; rowmill_changed bigint := 0; \
    rowmill_message text; rowmill_context text; rowmill_constraint text; rowmill_column text;";

/// These codes are those of [`Class::Data`](crate::sqlstate::Class::Data): any other ends the block.
const REFUSAL: &str = "EXCEPTION WHEN OTHERS THEN \
    IF pg_catalog.left(SQLSTATE, 2) IN ('22', '23', '54') OR SQLSTATE IN ('P0001', '21000') THEN \
    GET STACKED DIAGNOSTICS rowmill_message = MESSAGE_TEXT, rowmill_context = PG_EXCEPTION_CONTEXT, \
    rowmill_constraint = CONSTRAINT_NAME, rowmill_column = COLUMN_NAME; \
    rowmill_refused := pg_catalog.array_append(rowmill_refused, CAST(pg_catalog.json_build_array(\
    rowmill_row._rowmill_batch, rowmill_row._rowmill_index, SQLSTATE, \
    pg_catalog.left(rowmill_message, 500), \
    pg_catalog.left(pg_catalog.split_part(rowmill_context, pg_catalog.chr(10), 1), 500), \
    rowmill_constraint, rowmill_column) AS text)); \
    ELSE RAISE; END IF;";

const RESULT: &str = "PERFORM pg_catalog.set_config('rowmill.done', '[' || pg_catalog.array_to_string(\
    pg_catalog.array_prepend(CAST(pg_catalog.json_build_array(rowmill_inserted, rowmill_updated) AS \
    text), rowmill_refused), ',') || ']', true);";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::{Ident, TableName};
    use crate::mapping::column::Column;
    use crate::mapping::column_type::ColumnType;
    use crate::sql::stage::StageTable;
    use crate::sqlstate::{Class, SqlState};

    fn text(dialect: Dialect, met: Met) -> Option<String> {
        let column = |name, column_type| Column::new(Ident::new(name).unwrap(), column_type);
        let columns =
            [column("id", ColumnType::Int8), column("it's", ColumnType::Other("inet".into()))];
        let stage = StageTable::of_job(dialect, 7, &columns, &[0]).unwrap();
        let target = TableName::parse("t").unwrap();
        Merge { stage: &stage, target: &target }.one_by_one(3, 1, ((0, 5), (2, 9)), met)
    }

    #[test]
    fn each_row_is_inserted_by_itself_in_the_order_of_the_input() {
        let text = text(Dialect::PostgreSql, Met::Refused).unwrap();
        let insert = r#"LOOP BEGIN INSERT INTO "t" ("id", "it''s") SELECT rowmill_row."id", CAST(rowmill_row."it''s" AS inet); GET"#;
        assert!(text.starts_with("DO '") && text.contains(insert), "{text}");
        assert!(text.contains("ORDER BY s._rowmill_batch, s._rowmill_index LOOP"));
    }

    #[test]
    fn a_row_that_is_there_is_updated_before_it_would_be_inserted() {
        let text = text(Dialect::PostgreSql, Met::Updated).unwrap();
        let update = r#"UPDATE "t" AS t SET "it''s" = CAST(rowmill_row."it''s" AS inet) WHERE t."id" = rowmill_row."id" AND ("#;
        assert!(text.contains(update), "{text}");
        let insert =
            r#"WHERE NOT EXISTS (SELECT 1 FROM "t" AS t WHERE t."id" = rowmill_row."id");"#;
        assert!(text.find(insert).unwrap() > text.find(update).unwrap(), "{text}");
    }

    #[test]
    fn where_there_are_no_blocks_there_is_none() {
        assert_eq!(text(Dialect::Sqlite, Met::Refused), None);
    }

    #[test]
    fn what_is_noted_and_not_passed_on_is_what_costs_a_row_elsewhere() {
        for class in ["22", "23", "54"] {
            assert!(REFUSAL.contains(&format!("'{class}'")));
            assert_eq!(SqlState::parse(&format!("{class}000")).unwrap().class(), Class::Data);
        }
        for code in ["P0001", "21000"] {
            assert!(REFUSAL.contains(&format!("'{code}'")));
            assert_eq!(SqlState::parse(code).unwrap().class(), Class::Data);
        }
        for code in ["40001", "40P01", "57014", "53100", "42501", "XX000"] {
            assert_ne!(SqlState::parse(code).unwrap().class(), Class::Data);
        }
    }
}
