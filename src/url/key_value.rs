//! The key and value notation of libpq: `host=localhost dbname='my db'`.
//!
//! White space separates the pairs and may stand around the `=`. A value with white space is
//! quoted with `'`; a backslash takes the next character literally, quoted or not.

use super::keys::Parameters;
use crate::error::{Error, ErrorKind, Result};
use std::iter::Peekable;
use std::str::Chars;

/// Reads the pairs of `text`.
pub(super) fn read(text: &str, parameters: &mut Parameters) -> Result<()> {
    let mut letters = text.chars().peekable();
    loop {
        skip_space(&mut letters);
        if letters.peek().is_none() {
            return Ok(());
        }
        let key = read_key(&mut letters)?;
        let value = read_value(&mut letters)?;
        let is_secret = key.contains("pass") || key.contains("secret");
        let is_set = parameters.set(&key, value);
        if is_secret {
            // What follows may be the rest of a password with a space or a quote in it.
            parameters.distrust();
        }
        is_set?;
    }
}

fn read_key(letters: &mut Peekable<Chars<'_>>) -> Result<String> {
    let mut key = String::new();
    while let Some(letter) = letters.next_if(|c| *c != '=' && !c.is_ascii_whitespace()) {
        key.push(letter);
    }
    skip_space(letters);
    if letters.next() != Some('=') {
        return Err(Error::new(ErrorKind::Url, "a key in the connection settings has no value")
            .with_hint("write key=value, and quote a value with spaces: key='a value'"));
    }
    skip_space(letters);
    Ok(key)
}

fn read_value(letters: &mut Peekable<Chars<'_>>) -> Result<String> {
    let mut value = String::new();
    let is_quoted = letters.next_if_eq(&'\'').is_some();
    loop {
        let Some(letter) = letters.next() else {
            if is_quoted {
                return Err(Error::new(ErrorKind::Url, "a quoted value has no end")
                    .with_hint("close it with '; write ' itself as \\'"));
            }
            return Ok(value);
        };
        match letter {
            '\\' => value.extend(letters.next()),
            '\'' if is_quoted => return Ok(value),
            space if !is_quoted && space.is_ascii_whitespace() => return Ok(value),
            letter => value.push(letter),
        }
    }
}

fn skip_space(letters: &mut Peekable<Chars<'_>>) {
    while letters.next_if(char::is_ascii_whitespace).is_some() {}
}
