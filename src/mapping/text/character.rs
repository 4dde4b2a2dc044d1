//! `text`, `varchar(n)`, `char(n)` and what travels as text: labels of enums and other types.

use super::fault::{NOT_IN_REPERTOIRE, TOO_LONG, corrupt, refused};
use super::plain;
use crate::error::Result;

pub(super) fn read_text(text: &str, out: &mut Vec<u8>) -> Result<()> {
    no_nul(text)?;
    plain::append(text.as_bytes(), out);
    Ok(())
}

/// Refuses a text with a NUL.
#[inline]
pub(super) fn no_nul(text: &str) -> Result<()> {
    if !plain::is_ascii(text.as_bytes()) && memchr::memchr(0, text.as_bytes()).is_some() {
        return Err(nul());
    }
    Ok(())
}

#[cold]
pub(super) fn nul() -> crate::error::Error {
    refused(NOT_IN_REPERTOIRE, "NUL in a text")
}

pub(super) fn read_varchar(text: &str, limit: u32, out: &mut Vec<u8>) -> Result<()> {
    let (kept, _) = cut(text, limit as usize)?;
    plain::append(kept.as_bytes(), out);
    Ok(())
}

pub(super) fn read_char(text: &str, length: u32, out: &mut Vec<u8>) -> Result<()> {
    let (kept, characters) = cut(text, length as usize)?;
    plain::append(kept.as_bytes(), out);
    plain::append_blanks(length as usize - characters, out);
    Ok(())
}

/// Cuts blanks that exceed `limit` characters; returns what is left and its characters. Anything
/// else that exceeds it is an error, and so is NUL.
#[inline]
fn cut(text: &str, limit: usize) -> Result<(&str, usize)> {
    if text.len() <= limit && plain::is_ascii(text.as_bytes()) {
        return Ok((text, text.len()));
    }
    cut_any(text, limit)
}

fn cut_any(text: &str, limit: usize) -> Result<(&str, usize)> {
    no_nul(text)?;
    let Some((end, _)) = text.char_indices().nth(limit) else {
        return Ok((text, text.chars().count()));
    };
    let (kept, excess) = text.split_at(end);
    if excess.bytes().any(|byte| byte != b' ') {
        return Err(refused(TOO_LONG, "longer than its column"));
    }
    Ok((kept, limit))
}

pub(super) fn write_text(packed: &[u8], out: &mut String) -> Result<()> {
    let text = std::str::from_utf8(packed).map_err(|_| corrupt("a text is not valid UTF-8"))?;
    out.push_str(text);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blanks_are_cut() {
        let mut out = Vec::new();
        read_varchar("\u{e9}t\u{e9}   ", 4, &mut out).unwrap();
        assert_eq!(out, "\u{e9}t\u{e9} ".as_bytes());
        let error = read_varchar("abc d", 3, &mut out).unwrap_err();
        assert_eq!(error.sqlstate().unwrap().code(), "22001");
    }

    #[test]
    fn char_is_padded_to_characters_not_bytes() {
        let mut out = Vec::new();
        read_char("\u{e9}", 3, &mut out).unwrap();
        assert_eq!(out, "\u{e9}  ".as_bytes());
        assert!(read_char("abcd", 3, &mut out).is_err());
    }

    #[test]
    fn nul_is_no_character() {
        let error = read_text("a\0b", &mut Vec::new()).unwrap_err();
        assert_eq!(error.sqlstate().unwrap().code(), "22021");
    }
}
