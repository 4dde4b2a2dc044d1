//! The content of all parts of a source in a few words, and how two of them differ.

use super::Bytes;
use crate::error::{Locate, Result};
use crate::source::bounds::Fingerprint;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::sync::Arc;

/// What the fingerprint of several files begins with.
const SEVERAL: &str = "files ";

/// The fingerprint of one file, whatever its name: of its size, its content and what is read
/// `kind` and `format`.
///
/// # Errors
/// `Source` if it cannot be read.
pub(super) fn of_one(input: &dyn Bytes, kind: &str, format: &str) -> Result<Fingerprint> {
    let (size, hash) = sampled(input, format)?;
    Ok(Fingerprint(format!("{kind} {size} bytes sha256 {hash}")))
}

/// The fingerprint of several files: a line that says what is read, and one for each file.
///
/// # Errors
/// `Source` if one cannot be read.
pub(super) fn of_several(
    inputs: &[Arc<dyn Bytes>],
    kind: &str,
    format: &str,
) -> Result<Fingerprint> {
    let mut text = format!("{SEVERAL}{kind} {format}");
    for input in inputs {
        let (size, hash) = sampled(input.as_ref(), "")?;
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{size} {hash} {:?}", input.name());
    }
    Ok(Fingerprint(text))
}

fn sampled(input: &dyn Bytes, format: &str) -> Result<(u64, String)> {
    let mut hash = Sha256::new();
    let size =
        input.sample(&mut hash).locate(|place| place.file = Some(input.name().to_owned()))?;
    hash.update(format);
    let mut text = String::new();
    for byte in hash.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    Ok((size, text))
}

/// How the input that is `found` differs from the one that was `planned`, in one line: for several
/// files which of them is missing, was added, changed or has another place.
pub fn difference(planned: &str, found: &str) -> String {
    match (parsed(planned), parsed(found)) {
        (Some((was, before)), Some((is, now))) => {
            let mut told = Vec::new();
            if was != is {
                told.push("the options of the reader changed".to_owned());
            }
            told.extend(files(&before, &now));
            told.join("; ")
        }
        _ => format!("it was {}, it is {}", short(planned), short(found)),
    }
}

/// Several files would be many lines.
fn short(fingerprint: &str) -> String {
    match parsed(fingerprint) {
        Some((_, files)) => format!("{} files", files.len()),
        None => fingerprint.to_owned(),
    }
}

type File<'a> = (&'a str, &'a str);

/// What is read, and each file: its name, and its size with its hash.
fn parsed(fingerprint: &str) -> Option<(&str, Vec<File<'_>>)> {
    let (first, rest) = fingerprint.split_once('\n').unwrap_or((fingerprint, ""));
    let what = first.strip_prefix(SEVERAL)?;
    let file = |line| -> Option<File<'_>> {
        let end = str::find(line, " \"")?;
        Some((&line[end + 1..], &line[..end]))
    };
    Some((what, rest.lines().map(file).collect::<Option<_>>()?))
}

/// So many files are named; what else differs is counted.
const NAMED: usize = 5;

fn files(before: &[File<'_>], now: &[File<'_>]) -> Vec<String> {
    let of = |files: &[File<'_>]| -> std::collections::BTreeMap<String, String> {
        files.iter().map(|(name, content)| ((*name).to_owned(), (*content).to_owned())).collect()
    };
    let (was, is) = (of(before), of(now));
    let mut told = Vec::new();
    for (name, content) in before {
        match is.get(*name) {
            None => told.push(format!("{name} is missing")),
            Some(other) if other != content => told.push(changed(name, content, other)),
            Some(_) => {}
        }
    }
    let added = now.iter().filter(|(name, _)| !was.contains_key(*name));
    told.extend(added.map(|(name, _)| format!("{name} was added")));
    if told.is_empty() {
        let moved = before.iter().zip(now).find(|(before, now)| before.0 != now.0);
        told.extend(moved.map(|(before, now)| format!("{} stands where {} did", now.0, before.0)));
    }
    let more = told.len().saturating_sub(NAMED);
    if more > 0 {
        told.truncate(NAMED);
        told.push(format!("and {more} more"));
    }
    told
}

fn changed(name: &str, was: &str, is: &str) -> String {
    let size = |content: &str| content.split(' ').next().unwrap_or_default().to_owned();
    let (was, is) = (size(was), size(is));
    if was == is {
        return format!("{name} changed: its {is} bytes are others");
    }
    format!("{name} changed: it had {was} bytes, it has {is}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: &str = "files csv x\n3 aa \"a.csv\"\n4 bb \"b.csv\"\n5 cc \"c.csv\"";

    #[test]
    fn what_differs_between_several_files_is_told_exactly() {
        for (found, told) in [
            ("files csv x\n3 aa \"a.csv\"\n5 cc \"c.csv\"", "\"b.csv\" is missing"),
            (
                "files csv x\n3 aa \"a.csv\"\n4 bb \"b.csv\"\n5 cc \"c.csv\"\n1 dd \"d.csv\"",
                "\"d.csv\" was added",
            ),
            (
                "files csv x\n3 aa \"a.csv\"\n9 bb \"b.csv\"\n5 cd \"c.csv\"",
                "\"b.csv\" changed: it had 4 bytes, it has 9; \
                 \"c.csv\" changed: its 5 bytes are others",
            ),
            (
                "files csv x\n4 bb \"b.csv\"\n3 aa \"a.csv\"\n5 cc \"c.csv\"",
                "\"b.csv\" stands where \"a.csv\" did",
            ),
            (
                "files csv y\n3 aa \"a.csv\"\n4 bb \"b.csv\"\n5 cc \"c.csv\"",
                "the options of the reader changed",
            ),
            ("csv 3 bytes sha256 aa", "it was 3 files, it is csv 3 bytes sha256 aa"),
        ] {
            assert_eq!(difference(THREE, found), told);
        }
    }

    #[test]
    fn many_files_that_differ_are_counted() {
        let none = "files csv x";
        let many = (0..9).fold(none.to_owned(), |text, n| format!("{text}\n1 a \"{n}\""));
        let told = difference(&many, none);
        assert!(told.ends_with("\"4\" is missing; and 4 more"), "{told}");
    }
}
