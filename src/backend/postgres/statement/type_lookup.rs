//! Asking the catalog for types, in one round trip and without a prepared statement.

use super::known_types::{KnownType, Question};
use postgres::types::{Field, Kind, Oid, Type};
use postgres::{Client, SimpleQueryMessage, SimpleQueryRow};
use std::collections::HashMap;

/// The first number that the server does not give by hand.
const FIRST: u32 = 10_000;

/// How deep domains, arrays, ranges and composite types lie in each other at most.
const DEPTH: usize = 32;

/// Asks for types, and for those that they consist of. What is no longer there is not in the answer.
pub(crate) fn ask(
    client: &mut Client,
    question: &Question,
) -> Result<HashMap<Oid, KnownType>, postgres::Error> {
    let answer = client.simple_query(&sql(question))?;
    let entries: HashMap<_, _> = answer
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Entry::read(row),
            _ => None,
        })
        .collect();
    let known = |(oid, entry): (&Oid, &Entry)| {
        Some((*oid, KnownType { server: build(*oid, &entries, DEPTH)?, size: entry.size }))
    };
    Ok(entries.iter().filter_map(known).collect())
}

/// A type that the catalog does not have any more: to run its statement is an error anyway.
pub(crate) fn vanished(oid: Oid) -> Type {
    Type::new("???".into(), oid, Kind::Simple, "pg_catalog".into())
}

fn sql(question: &Question) -> String {
    let (which, is_wanted) = match question {
        Question::All => (ALL, format!("t.oid >= {FIRST}")),
        Question::These(oids) => {
            let oids: Vec<_> = oids.iter().map(ToString::to_string).collect();
            ("", format!("t.oid IN ({})", oids.join(", ")))
        }
    };
    format!(
        "WITH RECURSIVE wanted AS (
            SELECT t.oid FROM pg_catalog.pg_type t {which} WHERE {is_wanted}
            UNION
            SELECT part.oid
            FROM wanted w JOIN pg_catalog.pg_type t ON t.oid = w.oid
            CROSS JOIN LATERAL (
                SELECT CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.typelem END AS oid
                WHERE t.typtype = 'd' OR t.typcategory = 'A'
                UNION ALL
                SELECT r.rngsubtype FROM pg_catalog.pg_range r
                WHERE t.oid IN (r.rngtypid, r.rngmultitypid)
                UNION ALL
                SELECT a.atttypid FROM pg_catalog.pg_attribute a
                WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0
                      AND NOT a.attisdropped
            ) part
        )
        SELECT t.oid, t.typname, n.nspname, t.typlen,
               CASE WHEN t.typtype IN ('c', 'd', 'e', 'm', 'p', 'r') THEN t.typtype
                    WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN 'a' ELSE '' END,
               CASE WHEN t.typtype = 'd' THEN t.typbasetype
                    ELSE coalesce(r.rngsubtype, t.typelem) END,
               (SELECT pg_catalog.json_agg(
                           pg_catalog.json_build_array(a.attname, a.atttypid::int8) ORDER BY a.attnum)
                FROM pg_catalog.pg_attribute a
                WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0
                      AND NOT a.attisdropped)
        FROM wanted w
        JOIN pg_catalog.pg_type t ON t.oid = w.oid
        JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        LEFT JOIN pg_catalog.pg_range r ON t.oid IN (r.rngtypid, r.rngmultitypid)"
    )
}

/// All but the rows of tables and arrays of them: there may be very many.
const ALL: &str = "
            LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
            JOIN LATERAL (
                SELECT WHERE t.typrelid = 0 AND coalesce(e.typrelid, 0) = 0
                UNION ALL
                SELECT FROM pg_catalog.pg_class c
                WHERE c.oid IN (t.typrelid, e.typrelid) AND c.relkind = 'c'
            ) plain ON true";

/// What the catalog says of one type.
struct Entry {
    name: String,
    schema: String,
    size: i16,
    /// `c`omposite, `d`omain, `e`num, `m`ultirange, `p`seudo, `r`ange, `a`rray, or nothing of these.
    kind: Option<char>,
    /// What a domain, an array or a range is made of.
    inner: Oid,
    /// The names and types of the fields of a composite type.
    fields: Vec<(String, Oid)>,
}

impl Entry {
    fn read(row: &SimpleQueryRow) -> Option<(Oid, Self)> {
        let text = |index| row.try_get(index).ok().flatten();
        let entry = Self {
            name: text(1)?.to_owned(),
            schema: text(2)?.to_owned(),
            size: text(3)?.parse().ok()?,
            kind: text(4)?.chars().next(),
            inner: text(5)?.parse().ok()?,
            fields: text(6)
                .map_or_else(|| Some(Vec::new()), |json| serde_json::from_str(json).ok())?,
        };
        Some((text(0)?.parse().ok()?, entry))
    }
}

fn build(oid: Oid, entries: &HashMap<Oid, Entry>, depth: usize) -> Option<Type> {
    if let Some(built_in) = Type::from_oid(oid) {
        return Some(built_in);
    }
    let entry = entries.get(&oid)?;
    let part = |oid| build(oid, entries, depth.checked_sub(1)?);
    let field = |(name, oid): &(String, Oid)| Some(Field::new(name.clone(), part(*oid)?));
    let kind = match entry.kind {
        Some('c') => Kind::Composite(entry.fields.iter().map(field).collect::<Option<_>>()?),
        Some('d') => Kind::Domain(part(entry.inner)?),
        Some('a') => Kind::Array(part(entry.inner)?),
        Some('e') => Kind::Enum(Vec::new()),
        Some('m') => Kind::Multirange(part(entry.inner)?),
        Some('r') => Kind::Range(part(entry.inner)?),
        Some('p') => Kind::Pseudo,
        _ => Kind::Simple,
    };
    Some(Type::new(entry.name.clone(), oid, kind, entry.schema.clone()))
}
