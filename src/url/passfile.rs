//! `.pgpass`: lines of `host:port:database:user:password`.
//!
//! The first line that fits gives the password. A field `*` fits everything, a backslash takes
//! the next character literally, a line that starts with `#` is a comment. A file that others can
//! read is ignored with a note, as libpq does.

use super::keys::Parameters;
use super::postgres::{PostgresHost, PostgresSettings, Reach};
use super::secret::Secret;
use super::settle::DEFAULT_SOCKET_DIRECTORY;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

/// Gives each host the password that the passfile has for it.
pub(super) fn fill(
    settings: &mut PostgresSettings,
    parameters: &Parameters,
    lookup: &dyn Fn(&str) -> Option<String>,
    notes: &mut Vec<String>,
) {
    if settings.password.is_some() {
        return;
    }
    let in_home = || lookup("HOME").map(|home| Path::new(&home).join(".pgpass"));
    let Some(path) = parameters.get("passfile").map(PathBuf::from).or_else(in_home) else {
        return;
    };
    let Some(text) = read(&path, notes) else { return };
    let PostgresSettings { hosts, database, user, .. } = settings;
    for host in hosts {
        let port = host.port.to_string();
        let wanted = [&*name_in_file(host), &port, database, user];
        host.passfile_password = find(&text, wanted);
    }
}

/// The text of the file; a file that is not there is none, without a note.
fn read(path: &Path, notes: &mut Vec<String>) -> Option<String> {
    let about = fs::metadata(path).ok()?;
    let problem = if !about.is_file() {
        "it is not a plain file"
    } else if others_can_read(&about) {
        "others can read it; chmod 600 it"
    } else {
        match fs::read_to_string(path) {
            Ok(text) => return Some(text),
            Err(_) => "it cannot be read as UTF-8 text",
        }
    };
    notes.push(format!("the password file {} is ignored: {problem}", path.display()));
    None
}

#[cfg(unix)]
fn others_can_read(about: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    about.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn others_can_read(_: &Metadata) -> bool {
    false
}

/// How libpq names the host there: the default socket directory is `localhost`.
fn name_in_file(host: &PostgresHost) -> String {
    match &host.reach {
        Reach::Name(name) | Reach::Address { name: Some(name), .. } => name.clone(),
        Reach::Address { address, name: None } => address.to_string(),
        Reach::Unix(directory) if directory == Path::new(DEFAULT_SOCKET_DIRECTORY) => {
            "localhost".to_owned()
        }
        Reach::Unix(directory) => directory.display().to_string(),
    }
}

/// The password of the first line whose four fields fit `wanted`.
fn find(text: &str, wanted: [&str; 4]) -> Option<Secret> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| password_of(line, wanted))
        .filter(|password| !password.is_empty())
        .map(Secret::new)
}

fn password_of(line: &str, wanted: [&str; 4]) -> Option<String> {
    let mut rest = line;
    for wanted in wanted {
        let end = field_end(rest)?;
        let field = &rest[..end];
        if field != "*" && unescape(field) != wanted {
            return None;
        }
        rest = &rest[end + 1..];
    }
    Some(unescape(rest))
}

/// Where the first `:` without a backslash is.
fn field_end(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|byte| {
        let is_end = byte == b':' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    })
}

fn unescape(field: &str) -> String {
    let mut letters = field.chars();
    let mut plain = String::new();
    while let Some(letter) = letters.next() {
        if letter == '\\' {
            plain.extend(letters.next());
        } else {
            plain.push(letter);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<String> {
        find(text, ["localhost", "5432", "warehouse", "etl"]).map(|s| s.expose().to_owned())
    }

    #[test]
    fn the_first_line_that_fits_wins() {
        let text = "other:*:*:*:no\n# localhost:*:*:*:no\n*:5432:*:etl:yes\n*:*:*:*:late\n";
        assert_eq!(found(text).as_deref(), Some("yes"));
    }

    #[test]
    fn colons_and_backslashes_are_escaped() {
        assert_eq!(found("*:*:*:*:a\\:b\\\\c:d").as_deref(), Some("a:b\\c:d"));
        let text = "a\\:b:*:*:*:x";
        assert_eq!(
            find(text, ["a:b", "1", "d", "u"]).map(|s| s.expose().to_owned()).as_deref(),
            Some("x")
        );
    }

    #[test]
    fn an_escaped_star_is_a_star() {
        assert_eq!(found("\\*:*:*:*:x"), None);
    }

    #[test]
    fn lines_without_five_fields_are_passed_over() {
        assert_eq!(found("\nlocalhost:5432\n*:*:*:*:\n"), None);
    }
}
