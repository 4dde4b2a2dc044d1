//! Which Rust types are refused with a better one, and which SQL types there are.

use std::ops::RangeInclusive;
use syn::{Error, GenericArgument, LitStr, PathArguments, Result, Type};

/// Refuses the types that are no column's, where it can be seen what was meant.
pub(crate) fn check_rust_type(ty: &Type) -> Result<()> {
    let refused = |what: &str, instead: &str| {
        Err(Error::new_spanned(ty, format!("{what} is no type that a column can have: {instead}")))
    };
    let path = match ty {
        Type::Reference(_) => return refused("a reference", "use an owned type such as String"),
        Type::Path(path) => path,
        _ => return Ok(()),
    };
    let Some(last) = path.path.segments.last() else { return Ok(()) };
    if let PathArguments::AngleBracketed(arguments) = &last.arguments
        && last.ident == "Option"
    {
        for argument in &arguments.args {
            if let GenericArgument::Type(inner) = argument {
                check_rust_type(inner)?;
            }
        }
    }
    let Some(name) = path.path.get_ident().map(ToString::to_string) else { return Ok(()) };
    match name.as_str() {
        "i8" | "u8" => refused(&name, "use i16"),
        "u16" => refused(&name, "use i32"),
        "u32" | "u64" | "usize" | "isize" => refused(&name, "use i64"),
        "i128" | "u128" => refused(&name, "use rust_decimal::Decimal or i64"),
        "char" => refused(&name, "use String"),
        _ => Ok(()),
    }
}

/// Checks a type as SQL writes it.
///
/// NOTE: this is `ColumnType::parse` of the crate that this one cannot see; a test of that crate
/// compares the two.
pub(crate) fn check_sql_type(sql: &LitStr) -> Result<()> {
    let lower = sql.value().trim().to_ascii_lowercase();
    let element = lower.strip_suffix("[]").unwrap_or(&lower);
    match is_sql_type(element) {
        Some(true) => Ok(()),
        Some(false) => {
            Err(Error::new_spanned(sql, "what stands in parentheses does not fit the type"))
        }
        None => Err(Error::new_spanned(
            sql,
            "no column type: expected boolean, smallint, integer, bigint, real, double precision, \
             numeric(p,s), text, varchar(n), char(n), bytea, date, time, timetz, timestamp, \
             timestamptz, interval, uuid, json, jsonb, inet, cidr, macaddr, a range or a multirange, \
             hstore, or one of them with []",
        )),
    }
}

/// The empty range.
const NO_MODIFIER: RangeInclusive<i64> = RangeInclusive::new(1, 0);

/// Whether the modifiers fit; `None` if there is no such type.
fn is_sql_type(lower: &str) -> Option<bool> {
    let (name, modifiers) = match lower.split_once('(') {
        None => (lower, Vec::new()),
        Some((name, rest)) => {
            let inner = rest.trim_end().strip_suffix(')')?;
            (name, inner.split(',').map(|part| part.trim().parse::<i64>().ok()).collect())
        }
    };
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let range = match name.as_str() {
        "numeric" | "decimal" => 1..=1_000,
        "varchar" | "character varying" | "char" | "character" | "bpchar" => 1..=10_485_760,
        "boolean"
        | "bool"
        | "smallint"
        | "int2"
        | "integer"
        | "int"
        | "int4"
        | "bigint"
        | "int8"
        | "real"
        | "float4"
        | "double precision"
        | "double"
        | "float8"
        | "float"
        | "text"
        | "bytea"
        | "blob"
        | "date"
        | "time"
        | "time without time zone"
        | "timetz"
        | "time with time zone"
        | "timestamp"
        | "timestamp without time zone"
        | "timestamptz"
        | "timestamp with time zone"
        | "interval"
        | "uuid"
        | "json"
        | "jsonb"
        | "inet"
        | "cidr"
        | "macaddr"
        | "int4range"
        | "int8range"
        | "numrange"
        | "daterange"
        | "tsrange"
        | "tstzrange"
        | "int4multirange"
        | "int8multirange"
        | "nummultirange"
        | "datemultirange"
        | "tsmultirange"
        | "tstzmultirange"
        | "hstore" => NO_MODIFIER,
        _ => return None,
    };
    Some(match modifiers[..] {
        [] => true,
        [Some(first)] => range.contains(&first),
        [Some(precision), Some(scale)] => {
            *range.end() == 1_000 && range.contains(&precision) && scale.abs() <= 1_000
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn numbers_that_columns_do_not_have_are_refused_also_in_an_option() {
        for ty in [parse_quote!(u32), parse_quote!(Option<u64>), parse_quote!(&'static str)] {
            assert!(check_rust_type(&ty).is_err());
        }
        for ty in [parse_quote!(i64), parse_quote!(Option<String>), parse_quote!(Vec<u8>)] {
            assert!(check_rust_type(&ty).is_ok());
        }
    }

    #[test]
    fn the_types_are_those_of_the_crate() {
        for (sql, known) in [
            ("bigint", Some(true)),
            ("numeric (15, 2)", Some(true)),
            ("numeric(5,-2)", Some(true)),
            ("timestamp  with time zone", Some(true)),
            ("varchar(20)", Some(true)),
            ("varchar(0)", Some(false)),
            ("varchar(2,2)", Some(false)),
            ("numeric(1001)", Some(false)),
            ("text(3)", Some(false)),
            ("numeric(", None),
            ("bigit", None),
            ("", None),
        ] {
            assert_eq!(is_sql_type(sql), known, "{sql}");
        }
    }
}
