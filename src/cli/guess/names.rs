//! Names for columns and tables.

use std::collections::HashSet;
use std::path::Path;

const MOST_BYTES: usize = 60;

/// A name that needs no quotes in SQL, like `text`.
pub(super) fn plain(text: &str) -> String {
    let mut name = String::new();
    let mut last_is_small = false;
    for letter in text.trim().chars() {
        if !letter.is_alphanumeric() {
            if !name.is_empty() && !name.ends_with('_') {
                name.push('_');
            }
            last_is_small = false;
            continue;
        }
        // `lengthFt` is two words.
        if letter.is_uppercase() && last_is_small {
            name.push('_');
        }
        last_is_small = letter.is_lowercase() || letter.is_numeric();
        name.extend(letter.to_lowercase());
    }
    let mut end = name.len().min(MOST_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    let name = name.trim_end_matches('_');
    match name.chars().next() {
        None => "column".to_owned(),
        Some(first) if first.is_numeric() => format!("_{name}"),
        Some(_) => name.to_owned(),
    }
}

/// Names that were given, so that none is given twice.
#[derive(Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    /// A name like `text` that no other column has.
    pub(super) fn give(&mut self, text: &str) -> String {
        let name = plain(text);
        let mut given = name.clone();
        let mut number = 2;
        while !self.0.insert(given.clone()) {
            given = format!("{name}_{number}");
            number += 1;
        }
        given
    }
}

/// The name of a table for a file: its own, without what says how it is written.
pub(super) fn of_file(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let mut stem = name.as_str();
    let endings = [
        ".gz", ".zst", ".zstd", ".csv", ".tsv", ".txt", ".ndjson", ".jsonl", ".json", ".dat",
        ".parquet",
    ];
    while let Some(rest) = endings.iter().find_map(|ending| stem.strip_suffix(ending)) {
        stem = rest;
    }
    plain(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_needs_no_quotes() {
        for (text, name) in [
            ("id", "id"),
            (" Full Name ", "full_name"),
            ("lengthFt", "length_ft"),
            ("ID", "id"),
            ("% of total", "of_total"),
            ("2nd", "_2nd"),
            ("", "column"),
            ("--", "column"),
            ("Stra\u{df}e", "stra\u{df}e"),
        ] {
            assert_eq!(plain(text), name);
        }
        assert!(plain(&"\u{e9}".repeat(90)).len() <= 60);
    }

    #[test]
    fn no_name_is_given_twice() {
        let mut names = Names::default();
        let given = ["a", "A", "a", "a_2"].map(|text| names.give(text));
        assert_eq!(given, ["a", "a_2", "a_3", "a_2_2"]);
    }

    #[test]
    fn a_table_is_called_as_its_file() {
        for (path, name) in [
            ("data/runways.csv", "runways"),
            ("Big-File.ndjson.gz", "big_file"),
            ("2026.csv.zst", "_2026"),
            ("plain", "plain"),
        ] {
            assert_eq!(of_file(Path::new(path)), name);
        }
    }
}
