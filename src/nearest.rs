//! The known word nearest to an unknown one, for "did you mean".

/// The word of `known` that `word` was most likely meant to be; `None` where none is near.
///
/// Near is at most one change (a letter too many, missing, wrong, or two swapped) in words of up
/// to four letters, and one more change per three further letters. Case does not count.
///
/// ```
/// use rowmill::nearest;
/// assert_eq!(nearest("pool_sise", ["pool_size", "max_overflow"]), Some("pool_size"));
/// assert_eq!(nearest("colour", ["pool_size", "max_overflow"]), None);
/// ```
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = letters(word);
    let allowed = 1 + word.len().saturating_sub(2) / 3;
    known
        .into_iter()
        .map(|candidate| (distance(&word, &letters(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn letters(word: &str) -> Vec<char> {
    word.chars().take(64).flat_map(char::to_lowercase).collect()
}

/// How many letters must be added, removed, changed or swapped with their neighbour.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (row, letter) in from.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, other) in to.iter().enumerate() {
            let changed = above[column] + usize::from(letter != other);
            let mut least = changed.min(above[column + 1] + 1).min(line[column] + 1);
            let swapped =
                row > 0 && column > 0 && *letter == to[column - 1] && from[row - 1] == *other;
            if swapped {
                least = least.min(before[column - 1] + 1);
            }
            line.push(least);
        }
        before = std::mem::replace(&mut above, line);
    }
    above[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(from: &str, to: &str) -> usize {
        distance(&letters(from), &letters(to))
    }

    #[test]
    fn every_kind_of_slip_is_one_change() {
        assert_eq!(between("upsert", "upsert"), 0);
        assert_eq!(between("upsrt", "upsert"), 1);
        assert_eq!(between("upssert", "upsert"), 1);
        assert_eq!(between("upsort", "upsert"), 1);
        assert_eq!(between("uspert", "upsert"), 1);
        assert_eq!(between("", "abc"), 3);
        assert_eq!(between("abc", ""), 3);
    }

    #[test]
    fn the_nearest_of_several_wins() {
        assert_eq!(nearest("postgrsql", ["sqlite", "postgres", "postgresql"]), Some("postgresql"));
        assert_eq!(nearest("SSLMODE", ["sslmode"]), Some("sslmode"));
    }

    #[test]
    fn a_word_that_is_far_from_all_has_no_nearest() {
        assert_eq!(nearest("xyz", ["user", "host"]), None);
        assert_eq!(nearest("anything", []), None);
    }
}
