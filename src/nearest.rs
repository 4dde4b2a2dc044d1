//! The known name that a misspelled one probably meant.

/// The known name nearest to `name`, if one is near enough to be a slip of the fingers: one letter
/// added, left out, changed or swapped with its neighbour; two in names of five letters and more.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = if name.chars().count() < 5 { 1 } else { 2 };
    known
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be added, removed, changed or swapped with their neighbour to make `b`
/// of `a`, upper and lower case being the same letter.
fn distance(a: &str, b: &str) -> usize {
    let letters = |text: &str| text.to_lowercase().chars().collect::<Vec<_>>();
    let (a, b) = (letters(a), letters(b));
    let mut above_that: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut line = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let changed = above[j] + usize::from(x != y);
            let mut least = changed.min(above[j + 1] + 1).min(line[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(above_that[j - 1] + 1);
            }
            line.push(least);
        }
        above_that = std::mem::replace(&mut above, line);
    }
    above.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 5] = ["mode", "table", "key", "url", "allow_empty_source"];

    #[test]
    fn a_slip_of_the_fingers_is_understood() {
        for (slip, meant) in [
            ("mod", "mode"),
            ("moed", "mode"),
            ("KEY", "key"),
            ("tabel", "table"),
            ("allow_emtpy_sorce", "allow_empty_source"),
        ] {
            assert_eq!(nearest(slip, KNOWN), Some(meant), "{slip}");
        }
    }

    #[test]
    fn another_word_is_not() {
        for other in ["", "path", "source", "kay_to"] {
            assert_eq!(nearest(other, KNOWN), None, "{other}");
        }
    }

    #[test]
    fn the_nearest_of_several_is_taken() {
        assert_eq!(nearest("tables", ["tablets", "table"]), Some("tablets"));
        assert_eq!(nearest("tables", ["tabled_", "table"]), Some("table"));
    }
}
