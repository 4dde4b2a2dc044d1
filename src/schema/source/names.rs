//! A name of the database as a name of Rust.

/// The words that are no names, except `self` and its kin, which not even `r#` makes one.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// The words that are no names in any form.
const NEVER: &[&str] = &["self", "super", "crate", "Self", "_"];

/// Names of one place, of which no two are the same.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: Vec<String>,
}

impl Names {
    /// A field for `column`: `airport_ref` for `Airport ref`, `r#type` for `type`.
    pub(super) fn field(&mut self, column: &str) -> String {
        self.take(words(column).join("_"), "column")
    }

    /// A type for `name`: `LineItem` for `line_item`.
    pub(super) fn of_type(&mut self, name: &str) -> String {
        let words: Vec<_> = words(name).iter().map(|word| capitalized(word)).collect();
        self.take(words.concat(), "Table")
    }

    /// A variant for `label`.
    pub(super) fn variant(&mut self, label: &str) -> String {
        let words: Vec<_> = words(label).iter().map(|word| capitalized(word)).collect();
        self.take(words.concat(), "Empty")
    }

    fn take(&mut self, name: String, otherwise: &str) -> String {
        let name = match name.chars().next() {
            None => otherwise.to_owned(),
            Some(first) if first.is_ascii_digit() => format!("_{name}"),
            Some(_) => name,
        };
        let name = if NEVER.contains(&name.as_str()) { name + "_" } else { name };
        let mut free = name.clone();
        let mut number = 2;
        while self.taken.contains(&free) {
            free = format!("{name}_{number}");
            number += 1;
        }
        self.taken.push(free.clone());
        if KEYWORDS.contains(&free.as_str()) { format!("r#{free}") } else { free }
    }
}

/// The words of a name in lower case: parted by what is neither a letter nor a digit, and before a
/// capital letter that begins a word.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (index, &letter) in letters.iter().enumerate() {
        let is_part = letter.is_ascii_digit() || letter.is_alphabetic();
        let before = index.checked_sub(1).map(|before| letters[before]);
        let next_is_small = letters.get(index + 1).is_some_and(|next| next.is_lowercase());
        let starts_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_numeric()
                    || (before.is_uppercase() && next_is_small)
            });
        if !is_part || starts_word {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| is_part) {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A text as Rust writes it.
pub(super) fn literal(text: &str) -> String {
    format!("{text:?}")
}

/// A text within a comment of one line.
pub(super) fn commented(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_a_field_that_rust_takes() {
        for (column, field) in [
            ("id", "id"),
            ("ArtistId", "artist_id"),
            ("HTTPServer", "http_server"),
            ("airport ref", "airport_ref"),
            ("type", "r#type"),
            ("Type", "r#type"),
            ("self", "self_"),
            ("1st", "_1st"),
            ("_", "column"),
            ("__a__", "a"),
            ("%", "column"),
            ("gr\u{f6}\u{df}e", "gr\u{f6}\u{df}e"),
            ("a\"b\\c", "a_b_c"),
        ] {
            assert_eq!(Names::default().field(column), field, "{column}");
        }
    }

    #[test]
    fn names_that_would_be_the_same_are_numbered() {
        let mut names = Names::default();
        let fields = ["a b", "a_b", "A-B", "type", "Type"].map(|column| names.field(column));
        assert_eq!(fields, ["a_b", "a_b_2", "a_b_3", "r#type", "type_2"]);
    }

    #[test]
    fn types_and_variants_are_capitalized() {
        for (name, expected) in [
            ("line_item", "LineItem"),
            ("Order Lines", "OrderLines"),
            ("self", "Self_"),
            ("2d", "_2d"),
            ("", "Table"),
        ] {
            assert_eq!(Names::default().of_type(name), expected, "{name}");
        }
        assert_eq!(Names::default().variant("very-happy"), "VeryHappy");
        assert_eq!(Names::default().variant(""), "Empty");
    }
}
