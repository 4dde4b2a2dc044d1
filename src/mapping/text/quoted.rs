//! The items of records and ranges, quoted where they have to be, and the strings of an `hstore`.

/// Appends an item of a record or a bound of a range, quoted if it is not plain.
pub(in crate::mapping) fn push(item: &str, out: &mut String) {
    let is_special = |c: char| matches!(c, '"' | '\\' | '(' | ')' | '[' | ']' | ',') || is_blank(c);
    if !item.is_empty() && !item.contains(is_special) {
        out.push_str(item);
        return;
    }
    out.push('"');
    for character in item.chars() {
        if matches!(character, '"' | '\\') {
            out.push(character);
        }
        out.push(character);
    }
    out.push('"');
}

/// What C's `isspace` says of ASCII.
fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

/// Takes the item before the next of `ends` that is not quoted: the item, `None` if there is
/// nothing at all, and what begins with the end.
pub(in crate::mapping) fn take<'a>(
    text: &'a str,
    ends: &[char],
) -> Option<(Option<String>, &'a str)> {
    let (mut item, mut is_there, mut in_quotes) = (String::new(), false, false);
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => item.push(characters.next()?.1),
            '"' if in_quotes && characters.next_if(|(_, next)| *next == '"').is_some() => {
                item.push('"');
            }
            '"' => in_quotes = !in_quotes,
            _ if !in_quotes && ends.contains(&character) => {
                return Some((is_there.then_some(item), &text[at..]));
            }
            _ => item.push(character),
        }
        is_there = true;
    }
    None
}

/// Appends a string of an `hstore`, always quoted.
pub(in crate::mapping) fn push_string(string: &str, out: &mut String) {
    out.push('"');
    for character in string.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}

/// Takes a quoted string of an `hstore`: the string, and what is behind it.
pub(in crate::mapping) fn take_string(text: &str) -> Option<(String, &str)> {
    let mut string = String::new();
    let mut characters = text.strip_prefix('"')?.chars();
    loop {
        match characters.next()? {
            '\\' => string.push(characters.next()?),
            '"' => return Some((string, characters.as_str())),
            character => string.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_pushed_is_taken(item: String) {
            let mut out = String::new();
            push(&item, &mut out);
            out.push(',');
            prop_assert_eq!(take(&out, &[',', ')']), Some((Some(item.clone()), ",")));
            out.clear();
            push_string(&item, &mut out);
            prop_assert_eq!(take_string(&out), Some((item, "")));
        }
    }

    #[test]
    fn nothing_is_not_the_empty_text() {
        assert_eq!(take(",a", &[',']), Some((None, ",a")));
        assert_eq!(take("\"\",a", &[',']), Some((Some(String::new()), ",a")));
        assert_eq!(take("a", &[',']), None);
        assert_eq!(take("\"a,", &[',']), None);
    }
}
