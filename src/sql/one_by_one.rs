//! One statement that brings staged rows into their target in the database, a few together and, where
//! one of them is refused, one after the other: what a row is refused for is noted, and costs no other
//! row.
//!
//! It is a block of PostgreSQL's procedural language with a subtransaction around each attempt. What it
//! did is left in a setting of the transaction, as JSON, so that nothing has to be created for it.

use super::dialect::Dialect;
use super::literal::quoted;
use super::merge::Merge;

/// The row that is being stored, and those that are stored together.
const ROW: &str = "rowmill_row";
const ROWS: &str = "rowmill_rows";

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

/// What the block did, as JSON: how many rows were inserted and updated, and then of each refused row
/// batch, index, code, message, the first line of the context, constraint and column.
pub const DONE: &str = "SELECT pg_catalog.current_setting('rowmill.done')";

impl Merge<'_> {
    /// Stores the rows of a bucket in a state, `together` of them by one statement and where that is
    /// refused each by its own; `None` where a database has no such blocks. [`DONE`] tells what it did.
    pub fn one_by_one(&self, bucket: u32, state: i16, met: Met, together: u32) -> Option<String> {
        let name = &self.stage.name;
        if self.stage.dialect != Dialect::PostgreSql {
            return None;
        }
        let rows = format!(
            "FROM {name} AS s WHERE s._rowmill_bucket = {bucket} AND s._rowmill_state = {state}"
        );
        let order = "s._rowmill_batch, s._rowmill_index";
        let each = attempt(&self.storing(ROW, "", met), &format!("{NOTE};"));
        let block = if together <= 1 {
            let loops =
                format!("FOR {ROW} IN SELECT s.* {rows} ORDER BY {order} LOOP {each} END LOOP;");
            format!("{DECLARATIONS} BEGIN {loops} {RESULT} END")
        } else {
            let all = self.storing("s", &format!(" FROM pg_catalog.unnest({ROWS}) AS s"), met);
            let each = format!("FOREACH {ROW} IN ARRAY {ROWS} LOOP {each} END LOOP;");
            format!(
                "{DECLARATIONS} {ROWS} {name}[]; BEGIN \
                 FOR {ROWS} IN SELECT pg_catalog.array_agg(n.s ORDER BY n.place) FROM (\
                 SELECT s, pg_catalog.row_number() OVER (ORDER BY {order}) - 1 AS place {rows}) AS n \
                 GROUP BY n.place / {together} ORDER BY n.place / {together} \
                 LOOP {} END LOOP; {RESULT} END",
                attempt(&all, &each)
            )
        };
        Some(format!("DO {}", quoted(&block)))
    }

    /// Stores what is called `row`: the variable, or with `from` the rows there.
    fn storing(&self, row: &str, from: &str, met: Met) -> String {
        let condition = format!("{from} WHERE");
        let update = (met == Met::Updated).then(|| self.update_from(row, condition.trim_start()));
        let update = update.flatten().map_or(String::new(), |update| {
            format!("{update}; GET DIAGNOSTICS rowmill_changed = ROW_COUNT; ")
        });
        let insert = format!("{}{from}", self.insert_from(row));
        let insert = match met {
            Met::Refused => insert,
            Met::Ignored => format!("{insert} ON CONFLICT DO NOTHING"),
            Met::Updated => {
                let (target, same_key) = (self.target, self.same_key_as(row));
                format!("{insert} WHERE NOT EXISTS (SELECT 1 FROM {target} AS t WHERE {same_key})")
            }
        };
        format!("{update}{insert};")
    }
}

/// Runs `storing` and counts what it did; if that is refused for the data, none of it, and `otherwise`.
///
/// These codes are those of [`Class::Data`](crate::sqlstate::Class::Data): any other ends the block.
fn attempt(storing: &str, otherwise: &str) -> String {
    // ORDER: both are counted behind both; what a variable was given is not rolled back.
    format!(
        "BEGIN {storing} GET DIAGNOSTICS rowmill_added = ROW_COUNT; \
         rowmill_updated := rowmill_updated + rowmill_changed; \
         rowmill_inserted := rowmill_inserted + rowmill_added; \
         EXCEPTION WHEN OTHERS THEN \
         IF pg_catalog.left(SQLSTATE, 2) IN ('22', '23', '54') OR SQLSTATE IN ('P0001', '21000') THEN \
         {otherwise} ELSE RAISE; END IF; END;"
    )
}

const DECLARATIONS: &str = "#variable_conflict use_column
DECLARE rowmill_row record; rowmill_refused text[] := '{}'; \
    rowmill_inserted bigint := 0; rowmill_updated bigint := 0; \
    rowmill_added bigint := 0; rowmill_changed bigint := 0; \
    rowmill_message text; rowmill_context text; rowmill_constraint text; rowmill_column text;";

const NOTE: &str = "GET STACKED DIAGNOSTICS rowmill_message = MESSAGE_TEXT, \
    rowmill_context = PG_EXCEPTION_CONTEXT, \
    rowmill_constraint = CONSTRAINT_NAME, rowmill_column = COLUMN_NAME; \
    rowmill_refused := pg_catalog.array_append(rowmill_refused, CAST(pg_catalog.json_build_array(\
    rowmill_row._rowmill_batch, rowmill_row._rowmill_index, SQLSTATE, \
    pg_catalog.left(rowmill_message, 500), \
    pg_catalog.left(pg_catalog.split_part(rowmill_context, pg_catalog.chr(10), 1), 500), \
    rowmill_constraint, rowmill_column) AS text))";

const RESULT: &str = "PERFORM pg_catalog.set_config('rowmill.done', '[[' || rowmill_inserted || ',' || \
    rowmill_updated || '],[' || pg_catalog.array_to_string(rowmill_refused, ',') || ']]', true);";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::{Ident, TableName};
    use crate::mapping::column::Column;
    use crate::mapping::column_type::ColumnType;
    use crate::sql::merge::Reach;
    use crate::sql::stage::StageTable;
    use crate::sqlstate::{Class, SqlState};

    fn text(dialect: Dialect, met: Met, together: u32) -> Option<String> {
        let column = |name, column_type| Column::new(Ident::new(name).unwrap(), column_type);
        let columns =
            [column("id", ColumnType::Int8), column("it's", ColumnType::Other("inet".into()))];
        let stage = StageTable::of_job(dialect, 7, &columns, &[0]).unwrap();
        let target = TableName::parse("t").unwrap();
        Merge { stage: &stage, target: &target, reach: Reach::One }.one_by_one(3, 1, met, together)
    }

    #[test]
    fn each_row_is_inserted_by_itself_in_the_order_of_the_input() {
        let text = text(Dialect::PostgreSql, Met::Refused, 1).unwrap();
        let insert = r#"LOOP BEGIN INSERT INTO "t" ("id", "it''s") SELECT rowmill_row."id", CAST(rowmill_row."it''s" AS inet); GET"#;
        assert!(text.starts_with("DO '") && text.contains(insert), "{text}");
        assert!(text.contains("ORDER BY s._rowmill_batch, s._rowmill_index LOOP"));
    }

    #[test]
    fn a_row_that_is_there_is_updated_before_it_would_be_inserted() {
        let text = text(Dialect::PostgreSql, Met::Updated, 1).unwrap();
        let update = r#"UPDATE "t" AS t SET "it''s" = CAST(rowmill_row."it''s" AS inet) WHERE t."id" = rowmill_row."id" AND ("#;
        assert!(text.contains(update), "{text}");
        let insert =
            r#"WHERE NOT EXISTS (SELECT 1 FROM "t" AS t WHERE t."id" = rowmill_row."id");"#;
        assert!(text.find(insert).unwrap() > text.find(update).unwrap(), "{text}");
    }

    #[test]
    fn rows_that_are_stored_together_are_stored_one_by_one_where_that_is_refused() {
        let text = text(Dialect::PostgreSql, Met::Updated, 9).unwrap();
        let all = r#"SELECT s."id", CAST(s."it''s" AS inet) FROM pg_catalog.unnest(rowmill_rows) AS s WHERE NOT EXISTS"#;
        let each = "FOREACH rowmill_row IN ARRAY rowmill_rows LOOP BEGIN UPDATE";
        assert!(text.find(all).unwrap() < text.find(each).unwrap(), "{text}");
        assert!(text.contains(r#"rowmill_rows "rowmill"."stage_7"[];"#), "{text}");
    }

    #[test]
    fn where_there_are_no_blocks_there_is_none() {
        assert_eq!(text(Dialect::Sqlite, Met::Refused, 1), None);
    }

    #[test]
    fn what_is_noted_and_not_passed_on_is_what_costs_a_row_elsewhere() {
        let refusal = attempt("", "");
        for class in ["22", "23", "54"] {
            assert!(refusal.contains(&format!("'{class}'")));
            assert_eq!(SqlState::parse(&format!("{class}000")).unwrap().class(), Class::Data);
        }
        for code in ["P0001", "21000"] {
            assert!(refusal.contains(&format!("'{code}'")));
            assert_eq!(SqlState::parse(code).unwrap().class(), Class::Data);
        }
        for code in ["40001", "40P01", "57014", "53100", "42501", "XX000"] {
            assert_ne!(SqlState::parse(code).unwrap().class(), Class::Data);
        }
    }
}
