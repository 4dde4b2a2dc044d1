//! The catalog's list of what users have put into the database.

use super::body::{Body, CHANGING};
use super::reach::{Function, Inventory, Oid, User, UserFunction};
use crate::backend::postgres::connection::PostgresConnection;
use crate::backend::postgres::errors;
use crate::error::Result;
use postgres::Row;
use postgres::types::{FromSql, Type};

/// The functions of users, but for those of extensions that are written in C. The text of one in
/// another language than these two is not looked at. An aggregate has none: it depends on others.
const FUNCTIONS: &str = "
SELECT p.oid, p.proname::text,
       CASE WHEN p.prokind = 'a' THEN ''
            WHEN l.lanname IN ('sql', 'plpgsql')
            THEN coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc) END AS body,
       p.pronargs > 0 AND p.pronargs - p.pronargdefaults <= 1 AND t.typtype IN ('c', 'p') AS is_column
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
LEFT JOIN pg_catalog.pg_type t ON t.oid = p.proargtypes[0]
WHERE p.oid >= 16384
  AND (l.lanname <> 'c' OR p.proname ~ '^(dblink|crosstab|connectby|xpath_table$|set_limit$)'
       OR NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                      WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                        AND d.objid = p.oid AND d.deptype = 'e'))";

/// Where a function is called without being named. A part of a relation leads to the relation; what
/// else depends on a function can stand anywhere. The server's own functions have no dependencies:
/// they are found in the stored trees.
const USES: &str = "
WITH changing AS MATERIALIZED (
    SELECT oid FROM pg_catalog.pg_proc WHERE oid < 16384 AND proname = ANY ($1)
), tree AS MATERIALIZED (
    SELECT ':funcid (' || pg_catalog.string_agg(oid::text, '|') || ') ' AS pattern FROM changing
), own AS (
    SELECT d.refobjid AS function, d.classid, d.objid
    FROM pg_catalog.pg_depend d
    WHERE d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.refobjid >= 16384
)
SELECT o.function,
       CASE o.classid WHEN 'pg_catalog.pg_proc'::pg_catalog.regclass THEN 1
                      WHEN 'pg_catalog.pg_event_trigger'::pg_catalog.regclass THEN 2
                      ELSE 0 END AS kind,
       CASE o.classid
            WHEN 'pg_catalog.pg_proc'::pg_catalog.regclass THEN o.objid
            WHEN 'pg_catalog.pg_trigger'::pg_catalog.regclass
            THEN (SELECT tgrelid FROM pg_catalog.pg_trigger WHERE oid = o.objid)
            WHEN 'pg_catalog.pg_rewrite'::pg_catalog.regclass
            THEN (SELECT ev_class FROM pg_catalog.pg_rewrite WHERE oid = o.objid)
            WHEN 'pg_catalog.pg_attrdef'::pg_catalog.regclass
            THEN (SELECT adrelid FROM pg_catalog.pg_attrdef WHERE oid = o.objid)
            WHEN 'pg_catalog.pg_constraint'::pg_catalog.regclass
            THEN (SELECT conrelid FROM pg_catalog.pg_constraint WHERE oid = o.objid)
            WHEN 'pg_catalog.pg_policy'::pg_catalog.regclass
            THEN (SELECT polrelid FROM pg_catalog.pg_policy WHERE oid = o.objid)
            WHEN 'pg_catalog.pg_class'::pg_catalog.regclass
            THEN coalesce((SELECT indrelid FROM pg_catalog.pg_index WHERE indexrelid = o.objid),
                          o.objid)
       END AS object
FROM own o
UNION ALL
SELECT 0, 0, relation FROM (
    SELECT ev_class, ev_action::text FROM pg_catalog.pg_rewrite WHERE oid >= 16384
    UNION ALL SELECT adrelid, adbin::text FROM pg_catalog.pg_attrdef WHERE oid >= 16384
    UNION ALL SELECT conrelid, conbin::text FROM pg_catalog.pg_constraint WHERE oid >= 16384
    UNION ALL SELECT polrelid, polqual::text FROM pg_catalog.pg_policy
    UNION ALL SELECT polrelid, polwithcheck::text FROM pg_catalog.pg_policy
    UNION ALL SELECT tgrelid, tgqual::text FROM pg_catalog.pg_trigger WHERE oid >= 16384
    UNION ALL SELECT 0, typdefaultbin::text FROM pg_catalog.pg_type WHERE oid >= 16384
) AS stored (relation, text) WHERE stored.text ~ (SELECT pattern FROM tree)
UNION ALL
SELECT 0, 0, 0 WHERE
    EXISTS (SELECT FROM pg_catalog.pg_operator o JOIN changing c ON c.oid = o.oprcode)
    OR EXISTS (SELECT FROM pg_catalog.pg_cast k JOIN changing c ON c.oid = k.castfunc)
    OR EXISTS (SELECT FROM pg_catalog.pg_aggregate a
               JOIN changing c ON c.oid IN (a.aggtransfn, a.aggfinalfn))";

/// Views over relations, foreign keys that write to another table, parts of a table; and names.
const RELATIONS: &str = "
SELECT e.lower, e.upper, c.relname::text FROM (
    SELECT d.refobjid, r.ev_class
    FROM pg_catalog.pg_rewrite r
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
         AND d.objid = r.oid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    WHERE r.oid >= 16384 AND d.refobjid >= 16384 AND d.refobjid <> r.ev_class
    UNION ALL
    SELECT conrelid, confrelid FROM pg_catalog.pg_constraint
    WHERE contype = 'f' AND (confdeltype IN ('c', 'n', 'd') OR confupdtype IN ('c', 'n', 'd'))
    UNION ALL
    SELECT inhrelid, inhparent FROM pg_catalog.pg_inherits
    UNION ALL
    SELECT 0, unnest FROM pg_catalog.unnest($1)
) AS e (lower, upper) JOIN pg_catalog.pg_class c ON c.oid = e.upper";

/// Reads the list.
pub(super) fn read(connection: &mut PostgresConnection) -> Result<Inventory> {
    let mut inventory = Inventory::default();
    for row in connection.with_client(|client, _| client.query_typed(FUNCTIONS, &[]))? {
        let name = cell(&row, 1)?;
        let body = Body::of(cell(&row, 2)?);
        let is_column = cell::<Option<bool>>(&row, 3)?.unwrap_or(true);
        inventory.functions.insert(cell(&row, 0)?, UserFunction { name, body, is_column });
    }
    let changing = (&CHANGING as _, Type::TEXT_ARRAY);
    for row in connection.with_client(|client, _| client.query_typed(USES, &[changing]))? {
        let function = match cell(&row, 0)? {
            0 => Function::BuiltIn,
            oid => Function::Own(oid),
        };
        let object = cell::<Option<Oid>>(&row, 2)?.filter(|oid| *oid != 0);
        let user = match (cell::<i32>(&row, 1)?, object) {
            (2, _) => User::Definition,
            (1, Some(oid)) => User::Function(oid),
            (0, Some(oid)) => User::Relation(oid),
            _ => User::Anything,
        };
        inventory.uses.push((function, user));
    }
    add_relations(connection, &mut inventory)?;
    Ok(inventory)
}

/// What lies above relations is asked only where something is called at all.
fn add_relations(connection: &mut PostgresConnection, inventory: &mut Inventory) -> Result<()> {
    let relations = inventory.uses.iter().filter_map(|(_, user)| match user {
        User::Relation(oid) => Some(*oid),
        _ => None,
    });
    let relations: Vec<Oid> = relations.collect();
    if relations.is_empty() {
        return Ok(());
    }
    let relations = (&relations as _, Type::OID_ARRAY);
    for row in connection.with_client(|client, _| client.query_typed(RELATIONS, &[relations]))? {
        let (lower, upper) = (cell(&row, 0)?, cell(&row, 1)?);
        inventory.relations.insert(upper, cell(&row, 2)?);
        if lower != 0 {
            inventory.uppers.push((lower, upper));
        }
    }
    Ok(())
}

fn cell<'a, T: FromSql<'a>>(row: &'a Row, index: usize) -> Result<T> {
    row.try_get(index).map_err(errors::statement)
}
