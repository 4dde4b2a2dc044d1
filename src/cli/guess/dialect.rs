//! How a CSV file is written.

/// The bytes that mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) quote: u8,
    pub(super) escape: u8,
    /// How many fields the first record has: the reader expects as many in all of them.
    pub(super) first: usize,
    /// How many fields most records have.
    pub(super) width: usize,
    /// The share of the records that have as many, in percent.
    pub(super) share: usize,
}

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// So many records decide.
const RECORDS: usize = 500;

/// Finds the dialect in which most records have the same number of fields, and the most of them.
pub(super) fn find(head: &[u8]) -> Dialect {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let mut best = of(head, b',', b'"', b'"');
    let escapes_by_backslash = memchr::memmem::find(head, b"\\\"").is_some();
    for quote in [b'"', b'\''] {
        for delimiter in DELIMITERS {
            for escape in [quote, b'\\'] {
                if escape != quote && !(escapes_by_backslash && quote == b'"') {
                    continue;
                }
                let other = of(head, delimiter, quote, escape);
                // Apostrophes stand in texts, too: they have to make a difference.
                let margin = if quote == b'\'' { 10 } else { 0 };
                if other.worth() > best.worth() + margin {
                    best = other;
                }
            }
        }
    }
    best
}

impl Dialect {
    /// A record of one field says nothing of the delimiter.
    fn worth(&self) -> usize {
        if self.width > 1 { self.share * 1_000 + self.width.min(999) } else { 0 }
    }
}

fn of(head: &[u8], delimiter: u8, quote: u8, escape: u8) -> Dialect {
    let mut widths = widths(head, delimiter, quote, escape);
    let first = widths.first().copied().unwrap_or(1);
    // The last record may be cut.
    if widths.len() > 1 {
        widths.pop();
    }
    let of_width = |width: usize| widths.iter().filter(|other| **other == width).count();
    let width = widths.iter().copied().max_by_key(|width| of_width(*width)).unwrap_or(1);
    let share = of_width(width) * 100 / widths.len().max(1);
    Dialect { delimiter, quote, escape, first, width, share }
}

/// How many fields each record has.
fn widths(head: &[u8], delimiter: u8, quote: u8, escape: u8) -> Vec<usize> {
    let (mut widths, mut width, mut quoted, mut escaped, mut begins) =
        (Vec::new(), 1, false, false, true);
    for &byte in head {
        if quoted && byte == escape && escape != quote {
            escaped = !escaped;
            continue;
        }
        // A quote within an unquoted field is a part of the text for most who write such files.
        if byte == quote && !escaped && (quoted || begins) {
            quoted = !quoted;
        }
        escaped = false;
        begins = (!quoted && (byte == delimiter || byte == b'\n' || byte == b'\r'))
            || (byte == quote && !quoted && escape == quote);
        if quoted {
            continue;
        }
        if byte == delimiter {
            width += 1;
        } else if byte == b'\n' {
            widths.push(width);
            width = 1;
            if widths.len() == RECORDS {
                return widths;
            }
        }
    }
    widths.push(width);
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> (char, char, char, usize) {
        let Dialect { delimiter, quote, escape, width, .. } = find(text.as_bytes());
        (char::from(delimiter), char::from(quote), char::from(escape), width)
    }

    #[test]
    fn the_delimiter_that_most_records_agree_on_is_taken() {
        assert_eq!(found("a,b\n1,2\n"), (',', '"', '"', 2));
        assert_eq!(found("a;b;c\n1,5;2;3\n2,5;2;x,y\n"), (';', '"', '"', 3));
        assert_eq!(found("a\tb\n\"x\ty\n\"\tz\n"), ('\t', '"', '"', 2));
        assert_eq!(found("a|b\n1|2\n"), ('|', '"', '"', 2));
        assert_eq!(found("one\ntwo\n"), (',', '"', '"', 1));
        assert_eq!(found(""), (',', '"', '"', 1));
    }

    #[test]
    fn other_quotes_have_to_make_a_difference() {
        assert_eq!(found("a,b\n'x,y',2\n'z,,',3\n"), (',', '\'', '\'', 2));
        assert_eq!(found("a,b\nit's,2\nthat's,3\n"), (',', '"', '"', 2));
        assert_eq!(found("a,b\n\"x\\\",y\",2\n\"\\\",,\",3\n"), (',', '"', '\\', 2));
        assert_eq!(found("a,b\n\"x\"\",y\",2\n"), (',', '"', '"', 2));
    }
}
