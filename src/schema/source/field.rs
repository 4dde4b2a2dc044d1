//! A column as a field.

use super::names::{commented, literal};
use super::rust_type::RustType;
use crate::mapping::column::{Column, Made};
use crate::mapping::reference::{OnDelete, Reference};

/// A column as a field.
#[derive(Clone, Debug)]
pub(super) struct Field<'a> {
    /// Its name in Rust.
    pub(super) name: String,
    /// Its column.
    pub(super) column: &'a Column,
    /// Its type.
    pub(super) rust: RustType,
    /// Whether it is (a part of) the key.
    pub(super) is_key: bool,
    /// `unique` or `index`, where it has an index of its own.
    pub(super) index: Option<&'static str>,
    /// The Rust name of the entity that it refers to, where that is written too.
    pub(super) target: Option<String>,
}

impl Field<'_> {
    /// Its source: a comment, an attribute, the field.
    pub(super) fn source(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let default = match &self.column.made {
            Made::Default(expression) if is_constant(expression) => Some(expression),
            _ => None,
        };
        if let Some(default) = default {
            let default = commented(default);
            lines.push(format!("    /// Where a statement leaves it out: `{default}`."));
        }
        let attributes = self.attributes();
        if !attributes.is_empty() {
            lines.push(format!("    #[entity({})]", attributes.join(", ")));
        }
        let RustType { name, .. } = &self.rust;
        let is_option = self.column.nullable && !self.is_key;
        let ty = if is_option { format!("Option<{name}>") } else { name.clone() };
        lines.push(format!("    pub {}: {ty},", self.name));
        lines
    }

    fn attributes(&self) -> Vec<String> {
        let mut attributes = Vec::new();
        if self.is_key {
            attributes.push("key".to_owned());
        }
        match &self.column.made {
            Made::Identity => attributes.push("generated".to_owned()),
            Made::Computed => attributes.push("read_only".to_owned()),
            Made::Default(expression) if !is_constant(expression) => {
                attributes.push(format!("default = {}", literal(expression)));
            }
            _ => {}
        }
        let column = self.column.name.as_str();
        if self.name.trim_start_matches("r#") != column {
            attributes.push(format!("column = {}", literal(column)));
        }
        attributes.extend(self.rust.attribute.clone());
        attributes.extend(self.index.map(str::to_owned));
        if let Some(reference) = &self.column.references {
            attributes.extend(self.reference(reference));
        }
        attributes
    }

    /// Nothing where an attribute cannot say it: a name with a dot in it.
    fn reference(&self, reference: &Reference) -> Vec<String> {
        let Reference { table, column, on_delete } = reference;
        let has_dot = |name: &str| name.contains('.');
        let schema = table.schema.as_ref();
        let target = match &self.target {
            Some(entity) => entity.clone(),
            None if has_dot(table.table.as_str())
                || has_dot(column.as_str())
                || schema.is_some_and(|schema| has_dot(schema.as_str())) =>
            {
                return Vec::new();
            }
            None => literal(&format!("{}.{}", table.plain(), column.as_str())),
        };
        let mut attributes = vec![format!("references = {target}")];
        match on_delete {
            OnDelete::NoAction => {}
            OnDelete::Restrict => attributes.push("on_delete = \"restrict\"".to_owned()),
            OnDelete::Cascade => attributes.push("on_delete = \"cascade\"".to_owned()),
            // A key is never NULL.
            OnDelete::SetNull if self.is_key || !self.column.nullable => {}
            OnDelete::SetNull => attributes.push("on_delete = \"set null\"".to_owned()),
        }
        attributes
    }
}

/// Whether a default is the same for every row: then rows are meant to carry other values, and the
/// column is written.
fn is_constant(expression: &str) -> bool {
    let mut value = expression.trim();
    while let Some(inner) = value.strip_prefix('(').and_then(|value| value.strip_suffix(')')) {
        value = inner.trim();
    }
    let (constant, cast) = match value.strip_prefix('\'') {
        // Whatever the text is, it is one.
        Some(text) => match text.replace("''", "  ").find('\'') {
            Some(end) => ("0", &text[end + 1..]),
            None => return false,
        },
        None => value.split_at(value.find("::").unwrap_or(value.len())),
    };
    let is_cast = cast.is_empty() || cast.starts_with("::") && !cast.contains(['\'', '|', '+']);
    let is_word = ["true", "false", "null"].iter().any(|word| constant.eq_ignore_ascii_case(word));
    is_cast && (is_word || constant.trim_matches(['(', ')']).parse::<f64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_told_from_what_is_made_for_each_row() {
        for constant in [
            "0",
            "-1.5",
            "(0)",
            "'new'::character varying",
            "'it''s'",
            "''",
            "NULL::integer",
            "false",
            "TRUE",
            "'{}'::text[]",
            "'a::b'",
            "(-1)::smallint",
            "''''",
        ] {
            assert!(is_constant(constant), "{constant}");
        }
        for made in [
            "now()",
            "CURRENT_TIMESTAMP",
            "gen_random_uuid()",
            "nextval('a'::regclass)",
            "('a'::text || 'b'::text)",
            "'a' || random() || 'b'",
            "",
        ] {
            assert!(!is_constant(made), "{made}");
        }
    }
}
