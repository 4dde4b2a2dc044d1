//! The parameters of a job, which together with its name are its identity.

use super::section::{Field, Section, did_you_mean, one_line};
use super::substitute::is_name;
use crate::error::{Error, ErrorKind, Result};
use crate::nearest::nearest;
use std::collections::BTreeMap;
use toml::de::DeValue;

/// The declared parameters, with those of the command line on top. Sorted, because their order
/// in the file or on the command line must not make another identity.
pub(super) fn read(
    root: &Section<'_>,
    given: &[(String, String)],
) -> Result<BTreeMap<String, String>> {
    let mut params = BTreeMap::new();
    if let Some(section) = root.optional_section("params")? {
        for field in section.fields() {
            if !is_name(field.key) {
                return Err(field.error("expected a name of letters, digits and _ - ."));
            }
            params.insert(field.key.to_owned(), canonical(&field)?);
        }
    }
    override_with(&params, given)
}

/// One text for one value, however it was written.
fn canonical(field: &Field<'_>) -> Result<String> {
    let expected = "a text, an integer, true or false, or a date";
    match field.value {
        DeValue::String(text) if text.contains("${") => {
            Err(field.error("expected a plain value, ${...} is not substituted in [params]"))
        }
        DeValue::String(text) => Ok(text.clone().into_owned()),
        DeValue::Integer(_) => match field.integer() {
            Some(number) => Ok(number.to_string()),
            None => Err(field.error("expected an integer of at most 128 bits")),
        },
        DeValue::Boolean(flag) => Ok(flag.to_string()),
        DeValue::Datetime(date) => Ok(date.to_string()),
        _ => Err(field.wrong_type(expected)),
    }
}

/// Puts the parameters of the command line on top. A new name makes a new identity, so one that
/// looks like a declared name misspelled is refused.
fn override_with(
    declared: &BTreeMap<String, String>,
    given: &[(String, String)],
) -> Result<BTreeMap<String, String>> {
    let mut params = declared.clone();
    let mut seen: Vec<&str> = Vec::new();
    for (name, value) in given {
        if !is_name(name) {
            return Err(refused(name, "expected a name of letters, digits and _ - ."));
        }
        if seen.contains(&name.as_str()) {
            return Err(refused(name, "given twice"));
        }
        if !declared.contains_key(name)
            && let Some(meant) = nearest(name, declared.keys().map(String::as_str))
        {
            let what = format!("not declared in [params]{}", did_you_mean(meant));
            return Err(refused(name, &what));
        }
        seen.push(name);
        params.insert(name.clone(), value.clone());
    }
    Ok(params)
}

fn refused(name: &str, what: &str) -> Error {
    Error::new(ErrorKind::Config, one_line(&format!("-p {name}: {what}")))
}
