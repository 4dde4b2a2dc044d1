//! Whether the first line of a file names its fields.

use super::kinds::KINDS;
use crate::mapping::text::Input;

/// What the first line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    /// Names: a column has values of another kind below.
    Names,
    /// It looks like names, and every column is text.
    LikelyNames,
    /// A row as all others.
    Row,
}

/// Holds the first line against the rows behind it.
pub(super) fn find(first: &[Option<String>], rest: &[Vec<Option<String>>]) -> First {
    let mut seen = std::collections::HashSet::new();
    let named =
        first.iter().flatten().all(|name| !name.trim().is_empty() && seen.insert(name.as_str()));
    let has_values = first.iter().flatten().any(|text| is_value(text));
    let all_there = first.iter().filter(|name| name.is_some()).count();
    // Headers end in empty fields now and then, rows have them anywhere.
    if has_values || !named || all_there * 2 < first.len() || all_there == 0 {
        return First::Row;
    }
    let column_of_values = |place: usize| {
        let mut values = rest.iter().filter_map(|row| row.get(place)?.as_deref()).peekable();
        values.peek().is_some() && values.all(is_value)
    };
    if (0..first.len()).any(column_of_values) { First::Names } else { First::LikelyNames }
}

/// Whether it is a number, a date or the like; `n` and `no` can be names.
fn is_value(text: &str) -> bool {
    let mut scratch = Vec::new();
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphabetic());
    !is_word(text)
        && KINDS.iter().any(|kind| kind.holds(text, &Input::of(&kind.column_type()), &mut scratch))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(lines: &str) -> First {
        let row = |line: &str| -> Vec<_> {
            line.split(',').map(|text| (!text.is_empty()).then(|| text.to_owned())).collect()
        };
        let mut rows: Vec<_> = lines.lines().map(row).collect();
        let first = rows.remove(0);
        find(&first, &rows)
    }

    #[test]
    fn names_stand_above_values_of_another_kind() {
        assert_eq!(first("id,name\n1,a\n2,b"), First::Names);
        assert_eq!(first("n,t\n1,a"), First::Names);
        assert_eq!(first("id,name,\n1,a,"), First::Names);
        assert_eq!(first("name,city\nann,bern\nbob,basel"), First::LikelyNames);
        assert_eq!(first("id,name"), First::LikelyNames);
        assert_eq!(first("1,a\n2,b"), First::Row);
        assert_eq!(first("a,a\n1,2"), First::Row);
        assert_eq!(first(",,a\n1,2,3"), First::Row);
    }
}
