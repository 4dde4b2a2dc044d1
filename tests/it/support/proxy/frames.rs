//! Where a message of PostgreSQL's protocol begins and ends.

use std::io::{self, BufRead, Read};

/// A longer message is a mistake of the proxy or of who speaks to it.
const LONGEST: usize = 1 << 30;

const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;
const CANCEL_REQUEST: u32 = 80_877_102;

/// What the first messages of a client are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// It asks for encryption, which one byte answers.
    Encryption,
    /// It asks to cancel a statement of another session.
    Cancel,
    /// It begins a session.
    Startup,
}

/// A message without a type, as a session begins with.
pub(super) fn read_opening(from: &mut impl Read) -> io::Result<(Opening, Vec<u8>)> {
    let mut bytes = vec![0; 8];
    from.read_exact(&mut bytes)?;
    let opening = match number(&bytes[4..]) {
        SSL_REQUEST | GSS_REQUEST => Opening::Encryption,
        CANCEL_REQUEST => Opening::Cancel,
        _ => Opening::Startup,
    };
    let length = checked(number(&bytes) as usize, 8)?;
    bytes.resize(length, 0);
    from.read_exact(&mut bytes[8..])?;
    Ok((opening, bytes))
}

/// A message with a type; `raw` takes whatever is there instead.
pub(super) fn read(from: &mut impl BufRead, raw: bool) -> io::Result<Vec<u8>> {
    if raw {
        let bytes = from.fill_buf()?.to_vec();
        from.consume(bytes.len());
        return if bytes.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) };
    }
    let mut bytes = vec![0; 5];
    from.read_exact(&mut bytes)?;
    let length = checked(number(&bytes[1..]) as usize, 4)? + 1;
    bytes.resize(length, 0);
    from.read_exact(&mut bytes[5..])?;
    Ok(bytes)
}

/// Whether a message is a query, or a statement to prepare, that commits.
pub(super) fn is_commit(message: &[u8]) -> bool {
    // Not a setting that has it in its name.
    let commits = |text: &[u8]| text[0] != b'_' && text[1..].eq_ignore_ascii_case(b"commit");
    matches!(message.first(), Some(b'Q' | b'P')) && message.windows(7).any(commits)
}

/// An error message that ends a session.
pub(super) fn fatal(code: &str, message: &str) -> Vec<u8> {
    let fields = format!("SFATAL\0VFATAL\0C{code}\0M{message}\0\0");
    let mut bytes = vec![b'E'];
    bytes.extend_from_slice(&(fields.len() as u32 + 4).to_be_bytes());
    bytes.extend_from_slice(fields.as_bytes());
    bytes
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

fn checked(length: usize, least: usize) -> io::Result<usize> {
    if (least..=LONGEST).contains(&length) {
        return Ok(length);
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, format!("a message of {length} bytes")))
}
