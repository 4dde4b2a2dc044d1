//! What a text of SQL does to the transaction, as far as its first words tell.

/// The letters that a statement begins with.
pub(crate) fn first_word(sql: &str) -> &str {
    let sql = sql.trim_start();
    &sql[..sql.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(sql.len())]
}

/// Whether any statement of the text may start a transaction. The `BEGIN` of a function's body
/// counts too, and so does any word of a text with comments.
pub(crate) fn starts_transaction(sql: &str) -> bool {
    let is_start =
        |word: &str| word.eq_ignore_ascii_case("BEGIN") || word.eq_ignore_ascii_case("START");
    if sql.contains("--") || sql.contains("/*") {
        return sql.split(|c: char| !c.is_ascii_alphabetic()).any(is_start);
    }
    sql.split(';').any(|statement| is_start(first_word(statement)))
}

/// Whether the text is one statement that certainly ends a transaction.
pub(crate) fn ends_transaction(sql: &str) -> bool {
    is_only(sql, &["COMMIT", "END", "ROLLBACK", "ABORT"])
}

/// Whether the text is a commit and nothing else.
pub(crate) fn is_commit(sql: &str) -> bool {
    is_only(sql, &["COMMIT", "END"])
}

fn is_only(sql: &str, verbs: &[&str]) -> bool {
    let is_any = |word: &str, of: &[&str]| of.iter().any(|known| known.eq_ignore_ascii_case(word));
    if !is_any(first_word(sql), verbs) {
        return false;
    }
    let mut words = sql.trim().trim_end_matches(';').split_whitespace();
    words.next().is_some_and(|word| is_any(word, verbs))
        && words.next().is_none_or(|word| is_any(word, &["WORK", "TRANSACTION"]))
        && words.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_doubt_a_statement_starts_a_transaction_and_does_not_end_one() {
        for sql in [
            "begin",
            " START TRANSACTION READ ONLY",
            "SELECT 1; BEGIN;",
            "/* ; */ begin",
            "--\nbegin",
        ] {
            assert!(starts_transaction(sql), "{sql}");
        }
        assert!(!starts_transaction("UPDATE beginners SET start = 1"));
        for sql in ["commit;", "ROLLBACK", "end transaction", "abort work"] {
            assert!(ends_transaction(sql), "{sql}");
        }
        for sql in ["ROLLBACK TO a", "COMMIT AND CHAIN", "COMMIT; SELECT 1", "committed"] {
            assert!(!ends_transaction(sql), "{sql}");
        }
        assert!(is_commit("commit work") && !is_commit("ROLLBACK"));
    }
}
