//! A Rust name as the name of a table, a type or a label.

/// How the labels of an enum are made from the names of its variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    AsItIs,
    Snake,
    Kebab,
    Lower,
    Upper,
    ScreamingSnake,
    Camel,
}

impl Case {
    pub(crate) const EXPECTED: &str = "expected snake_case, kebab-case, lowercase, UPPERCASE, \
                                       SCREAMING_SNAKE_CASE, camelCase or PascalCase";

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "PascalCase" => Self::AsItIs,
            "snake_case" => Self::Snake,
            "kebab-case" => Self::Kebab,
            "lowercase" => Self::Lower,
            "UPPERCASE" => Self::Upper,
            "SCREAMING_SNAKE_CASE" => Self::ScreamingSnake,
            "camelCase" => Self::Camel,
            _ => return None,
        })
    }

    pub(crate) fn apply(self, name: &str) -> String {
        match self {
            Self::AsItIs => name.to_owned(),
            Self::Snake => snake_case(name),
            Self::Kebab => snake_case(name).replace('_', "-"),
            Self::Lower => name.to_lowercase(),
            Self::Upper => name.to_uppercase(),
            Self::ScreamingSnake => snake_case(name).to_uppercase(),
            Self::Camel => {
                let mut letters = name.chars();
                letters
                    .next()
                    .map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
            }
        }
    }
}

/// `HttpServer` and `HTTPServer` are `http_server`.
pub(crate) fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::with_capacity(name.len() + 4);
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| letters[before]);
        let starts_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                let ends_acronym = before.is_uppercase()
                    && letters.get(index + 1).is_some_and(|next| next.is_lowercase());
                before.is_lowercase() || before.is_numeric() || ends_acronym
            });
        if starts_word {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// `shop.email` as SQL reads it, with its case: `"shop"."email"`.
pub(crate) fn quoted_type(name: &str) -> String {
    let quoted = |part: &str| format!("\"{}\"", part.replace('"', "\"\""));
    name.split('.').map(quoted).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_acronyms_are_parted() {
        for (name, snake) in [
            ("Runway", "runway"),
            ("LineItem", "line_item"),
            ("HTTPServer", "http_server"),
            ("Area51Gate", "area51_gate"),
            ("already_snake", "already_snake"),
        ] {
            assert_eq!(snake_case(name), snake);
        }
    }

    #[test]
    fn every_case_has_its_form() {
        for (case, label) in [
            ("PascalCase", "VeryHappy"),
            ("snake_case", "very_happy"),
            ("kebab-case", "very-happy"),
            ("lowercase", "veryhappy"),
            ("UPPERCASE", "VERYHAPPY"),
            ("SCREAMING_SNAKE_CASE", "VERY_HAPPY"),
            ("camelCase", "veryHappy"),
        ] {
            assert_eq!(Case::of_name(case).unwrap().apply("VeryHappy"), label);
        }
        assert_eq!(Case::of_name("Snake"), None);
    }
}
