//! The job file.

use super::column::{From, Guessed};
use super::dialect::Dialect;
use super::{Found, Shape, names};
use crate::cli::args::GuessArguments;
use crate::cli::figures::counted;
use crate::source::input::Compression;
use std::fmt::Write as _;

/// The lines of a job file for what was found.
pub(super) fn job_file(found: &Found, arguments: &GuessArguments) -> Vec<String> {
    let table = arguments.table.clone().unwrap_or_else(|| names::of_file(&arguments.file));
    let mut lines = vec![looked_at(found)];
    if found.extent.broken > 0 {
        let rows = counted(found.extent.broken, "row that was", "rows that were");
        lines.push(format!("# {rows} looked at will be rejected"));
    }
    lines.extend(found.notes.iter().map(|note| format!("# {note}")));
    lines.push(String::new());
    lines.push(format!("name = {}", quoted(&table)));
    lines.push(String::new());
    lines.extend(source(found, arguments));
    lines.push(String::new());
    lines.extend(target(found, &table, arguments.target.as_deref()));
    lines.push(String::new());
    lines.extend(columns(found));
    lines
}

fn looked_at(found: &Found) -> String {
    let extent = &found.extent;
    if tells_itself(found) {
        let rows = counted(extent.all, "row", "rows");
        return format!("# From the schema of the file, which has {rows}.");
    }
    let rows = counted(extent.rows, "row", "rows");
    match (extent.is_whole(), extent.to_the_end) {
        (true, _) => format!("# Guessed from all {rows} of the file."),
        (_, true) => {
            let all = counted(extent.all, "row", "rows");
            format!("# Guessed from {rows} of {all}: the others may have other values.")
        }
        _ => format!("# Guessed from {rows} of the first 4 GiB: the others may have other values."),
    }
}

/// Whether the file says what its columns are, so that nothing was guessed.
fn tells_itself(found: &Found) -> bool {
    #[cfg(feature = "parquet")]
    return matches!(found.source, Shape::Parquet);
    #[cfg(not(feature = "parquet"))]
    return {
        let _ = found;
        false
    };
}

/// A text in TOML, on one line.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter.is_control() => {
                // Writing to a string cannot fail.
                let _ = write!(quoted, "\\u{:04X}", u32::from(letter));
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// A text in which `${` would be a parameter.
fn unsubstituted(text: &str) -> String {
    quoted(&text.replace("${", "$${"))
}

fn list(texts: &[String]) -> String {
    let texts: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

fn source(found: &Found, arguments: &GuessArguments) -> Vec<String> {
    let mut lines = vec!["[source]".to_owned()];
    let kind = match found.source {
        Shape::Csv { .. } => "csv",
        Shape::Ndjson => "ndjson",
        #[cfg(feature = "parquet")]
        Shape::Parquet => "parquet",
    };
    lines.push(format!("kind = \"{kind}\""));
    let path = arguments.file.display().to_string();
    lines.push(format!("path = {}", unsubstituted(&path)));
    if found.compression != Compression::None {
        lines.push(format!("compression = \"{}\"", found.compression.name()));
    }
    let Shape::Csv { dialect, header, nulls } = &found.source else { return lines };
    let Dialect { delimiter, quote, escape, .. } = *dialect;
    let byte = |byte: u8| quoted(&char::from(byte).to_string());
    if delimiter != b',' {
        lines.push(format!("delimiter = {}", byte(delimiter)));
    }
    if quote != b'"' {
        lines.push(format!("quote = {}", byte(quote)));
    }
    if escape != quote {
        lines.push(format!("escape = {}", byte(escape)));
    }
    if !header {
        lines.push("header = false".to_owned());
    }
    if nulls.len() > 1 {
        lines.push(format!("null = {}", list(nulls)));
    }
    lines
}

fn target(found: &Found, table: &str, url: Option<&str>) -> Vec<String> {
    let mut lines = vec!["[target]".to_owned()];
    match url {
        // Whoever keeps the file would keep the password with it.
        Some(url) if has_password(url) => {
            lines.push("# the URL has a password and is left to the environment".to_owned());
            lines.push("url = \"${ROWMILL_TARGET}\"".to_owned());
        }
        Some(url) => lines.push(format!("url = {}", unsubstituted(url))),
        None => {
            let file = names::plain(table);
            lines.push(format!("url = \"${{ROWMILL_TARGET:-sqlite:{file}.db}}\""));
        }
    }
    lines.push(format!("table = {}", unsubstituted(table)));
    lines.push("create = true".to_owned());
    match key(found) {
        Some(key) => {
            let certain = if found.extent.is_whole() { "" } else { " as far as was looked" };
            lines.push(format!(
                "# {} has a value in every row, each another{certain}",
                comment(key)
            ));
            lines.push(
                "mode = \"upsert\"  # \"mirror\" also deletes keys that the file lacks".to_owned(),
            );
            lines.push(format!("key = {}", list(std::slice::from_ref(key))));
        }
        None => {
            lines.push(
                "# no column was found that is surely a key: a key would allow upsert and mirror"
                    .to_owned(),
            );
            lines.push("mode = \"append\"".to_owned());
        }
    }
    lines
}

fn comment(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

/// A URL with a password, or one that may have one.
fn has_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let user = rest.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || url.to_ascii_lowercase().contains("password")
}

fn key(found: &Found) -> Option<&String> {
    let ranked = found.columns.iter().enumerate();
    let ranked = ranked.filter_map(|(place, column)| Some((column.rank_as_key(place)?, column)));
    let best = ranked.min_by_key(|(rank, _)| *rank)?;
    Some(&best.1.name)
}

fn columns(found: &Found) -> Vec<String> {
    let key = key(found);
    let mut lines = vec!["[columns]".to_owned()];
    let width = found.columns.iter().map(|column| bare(&column.name).len()).max().unwrap_or(0);
    let in_order =
        found.columns.iter().enumerate().all(
            |(place, column)| matches!(column.from, Some(From::Position(at)) if at == place + 1),
        );
    lines.extend(found.columns.iter().map(|column| {
        // Only what was seen whole can be promised for the next file.
        let certain = found.extent.is_whole() && found.extent.rows > 0 || tells_itself(found);
        let not_null = column.has_all && (certain || key == Some(&column.name));
        let value = value(column, in_order, not_null);
        let note = column.note.as_ref().map(|note| format!("  # {note}")).unwrap_or_default();
        format!("{:width$} = {value}{note}", bare(&column.name))
    }));
    lines
}

fn bare(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.bytes().all(plain) { name.to_owned() } else { quoted(name) }
}

fn value(column: &Guessed, in_order: bool, not_null: bool) -> String {
    let type_name = format!("\"{}\"", column.column_type);
    let mut options = vec![format!("type = {type_name}")];
    match &column.from {
        Some(From::Field(field)) => options.push(format!("from = {}", quoted(field))),
        Some(From::Position(position)) if !in_order => options.push(format!("from = {position}")),
        _ => {}
    }
    if let Some(nulls) = &column.nulls {
        options.push(format!("null = {}", list(nulls)));
    }
    if not_null {
        options.push("not_null = true".to_owned());
    }
    if options.len() == 1 { type_name } else { format!("{{ {} }}", options.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_with_a_password_is_told() {
        for url in ["postgresql://me:hunter2@h/d", "postgresql://h/d?password=x"] {
            assert!(has_password(url), "{url}");
        }
        for url in ["postgresql://me@h:5432/d", "sqlite:a.db", "postgresql://h/d"] {
            assert!(!has_password(url), "{url}");
        }
    }

    #[test]
    fn a_text_is_one_line_of_toml() {
        for text in ["a\"b\\c", "line\nend\u{7}\u{7f}", "\u{e9}", "'"] {
            let line = format!("a = {}", quoted(text));
            assert!(!line.contains('\n'));
            let table: toml::Table = line.parse().unwrap();
            assert_eq!(table["a"].as_str(), Some(text));
        }
    }
}
