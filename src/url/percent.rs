//! Percent-encoding, as libpq reads it: `%` and two hexadecimal digits; a `+` is a plus.

use crate::error::{Error, ErrorKind, Result};

/// Decodes `text`.
pub(super) fn decode(text: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let decoded = match after {
            [high, low, ..] => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        // A NUL would end the text for the server, and hide what stands behind it.
        let Some(decoded) = decoded.filter(|decoded| *decoded != 0) else {
            return Err(malformed());
        };
        bytes.push(decoded);
        rest = &after[2..];
    }
    String::from_utf8(bytes).map_err(|_| malformed())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

fn malformed() -> Error {
    Error::new(ErrorKind::Url, "a % in the URL is not followed by the code of a character")
        .with_hint("write % itself as %25")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fmt::Write;

    #[test]
    fn a_plus_is_a_plus() {
        assert_eq!(decode("a+b%20c%C3%A4").unwrap(), "a+b c\u{e4}");
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for bad in ["%", "%2", "%zz", "%00", "%ff", "%+1"] {
            assert!(decode(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(text in "[^\0]*") {
            let mut encoded = String::new();
            for byte in text.bytes() {
                write!(encoded, "%{byte:02X}").unwrap();
            }
            prop_assert_eq!(decode(&encoded).unwrap(), text);
        }
    }
}
