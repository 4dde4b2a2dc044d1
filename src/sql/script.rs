//! The statements of a text, one by one.

/// The statements of `text` as PostgreSQL's lexer parts them, without comments between them. What
/// is within quotes (`'..'`, `E'..'`, `".."`, `$tag$..$tag$`) and comments parts nothing.
///
/// The body of a function that is written as `BEGIN ATOMIC ... END` is parted where it should not
/// be.
pub fn statements(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let (mut statements, mut start, mut at) = (Vec::new(), None, 0);
    while at < bytes.len() {
        if bytes[at] == b';' {
            statements.extend(start.take().map(|start| text[start..at].trim_end()));
            at += 1;
            continue;
        }
        let rest = &text[at..];
        let (length, is_word) = token(rest, at.checked_sub(1).map(|before| bytes[before]));
        if is_word && start.is_none() {
            start = Some(at);
        }
        at += length;
    }
    statements.extend(start.map(|start| text[start..].trim_end()));
    statements
}

/// How many bytes the next token has, and whether it is part of a statement. `before` is the byte
/// in front of it.
fn token(rest: &str, before: Option<u8>) -> (usize, bool) {
    let first = rest.chars().next().unwrap_or_default();
    if rest.starts_with("--") {
        return (rest.find('\n').map_or(rest.len(), |end| end + 1), false);
    }
    if rest.starts_with("/*") {
        return (comment(rest), false);
    }
    let length = match first {
        '\'' => quoted(rest, b'\'', matches!(before, Some(b'e' | b'E'))),
        '"' => quoted(rest, b'"', false),
        // A dollar within a name quotes nothing.
        '$' if !before.is_some_and(is_part_of_name) => dollar_quoted(rest),
        other => other.len_utf8(),
    };
    (length, !first.is_whitespace())
}

fn is_part_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// Comments of this kind hold others.
fn comment(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                at += 2;
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                at += 2;
            }
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(rest: &str, quote: u8, has_escapes: bool) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if has_escapes => at += 2,
            byte if byte == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// A dollar that begins no quote, as in `$1`, is itself.
fn dollar_quoted(rest: &str) -> usize {
    let Some(end) = rest[1..].find('$') else { return 1 };
    let tag = &rest[..end + 2];
    let name = &rest[1..=end];
    if name.starts_with(|c: char| c.is_ascii_digit()) || !name.bytes().all(is_part_of_name) {
        return 1;
    }
    rest[tag.len()..].find(tag).map_or(rest.len(), |close| close + 2 * tag.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_a_semicolon_between_statements_parts_them() {
        for (text, expected) in [
            ("", &[][..]),
            (" ; ;; -- nothing\n", &[]),
            ("select 1", &["select 1"]),
            ("a; b ;\nc", &["a", "b", "c"]),
            ("-- one; two\na; /* x; /* y; */ z; */ b", &["a", "b"]),
            ("a -- within; it\n b; c", &["a -- within; it\n b", "c"]),
            ("select 'a;''b;'; b", &["select 'a;''b;'", "b"]),
            ("select E'a\\';'; b", &["select E'a\\';'", "b"]),
            ("select 'a\\'; b", &["select 'a\\'", "b"]),
            ("select \";\"; b", &["select \";\"", "b"]),
            ("do $$ a; b; $$; c", &["do $$ a; b; $$", "c"]),
            ("do $x$ $$; $x$; c", &["do $x$ $$; $x$", "c"]),
            ("select $1; select a$b; c$d", &["select $1", "select a$b", "c$d"]),
            ("select '\u{e9};\u{e9}'; \u{e9}", &["select '\u{e9};\u{e9}'", "\u{e9}"]),
            ("select 'open; ", &["select 'open;"]),
        ] {
            assert_eq!(statements(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parted_without_a_panic(text in "[a-eE$'\"/*; \\\\\n\u{e9}-]{0,40}") {
            let parted = statements(&text);
            prop_assert!(parted.iter().all(|statement| !statement.trim().is_empty()));
        }
    }
}
