//! Patterns of texts, as databases spell them.

use super::node::Pattern;

/// The pattern for `LIKE`, where a backslash takes the meaning of the next character.
pub(super) fn like(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Like(pattern) => pattern.clone(),
        Pattern::Prefix(text) => format!("{}%", escape_like(text)),
        Pattern::Suffix(text) => format!("%{}", escape_like(text)),
        Pattern::Part(text) => format!("%{}%", escape_like(text)),
    }
}

/// The pattern for SQLite's `GLOB`, the one of its comparisons to which case matters:
/// <https://www.sqlite.org/lang_expr.html#the_like_glob_regexp_match_and_extract_operators>
pub(super) fn glob(pattern: &Pattern) -> String {
    let mut out = String::new();
    let literal = |out: &mut String, text: &str| text.chars().for_each(|c| push_glob(out, c));
    match pattern {
        Pattern::Like(pattern) => {
            let mut characters = pattern.chars();
            while let Some(character) = characters.next() {
                match character {
                    '%' => out.push('*'),
                    '_' => out.push('?'),
                    '\\' => push_glob(&mut out, characters.next().unwrap_or('\\')),
                    other => push_glob(&mut out, other),
                }
            }
        }
        Pattern::Prefix(text) => {
            literal(&mut out, text);
            out.push('*');
        }
        Pattern::Suffix(text) => {
            out.push('*');
            literal(&mut out, text);
        }
        Pattern::Part(text) => {
            out.push('*');
            literal(&mut out, text);
            out.push('*');
        }
    }
    out
}

fn escape_like(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// A class of one character means that character.
fn push_glob(out: &mut String, character: char) {
    if matches!(character, '*' | '?' | '[') {
        out.extend(['[', character, ']']);
    } else {
        out.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_looked_for_has_no_meaning_of_its_own() {
        let prefix = Pattern::Prefix(r"100%_\*[x]?".into());
        assert_eq!(like(&prefix), r"100\%\_\\*[x]?%");
        assert_eq!(glob(&prefix), r"100%_\[*][[]x][?]*");
    }

    #[test]
    fn a_pattern_of_like_means_the_same_as_one_of_glob() {
        assert_eq!(glob(&Pattern::Like(r"a%b_c\%d*".into())), "a*b?c%d[*]");
        assert_eq!(glob(&Pattern::Suffix("x".into())), "*x");
        assert_eq!(glob(&Pattern::Part("x".into())), "*x*");
    }
}
