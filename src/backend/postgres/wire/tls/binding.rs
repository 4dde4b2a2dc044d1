//! What binds the exchange of a password to the TLS session.
//!
//! RFC 5929, section 4: `tls-server-end-point` is the hash of the server's certificate, by the hash
//! function of the certificate's own signature; MD5 and SHA-1 are replaced by SHA-256; where the
//! signature has no single hash function (Ed25519) there is no such binding. The server computes
//! the same (`be_tls_get_certificate_hash`), so who stands between with another certificate is
//! found out.

use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// `tls-server-end-point` of a certificate in DER; `None` if it has none.
pub(super) fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    Some(match hash_of(signature_algorithm(certificate)?)? {
        Hash::Sha224 => Sha224::digest(certificate).to_vec(),
        Hash::Sha256 => Sha256::digest(certificate).to_vec(),
        Hash::Sha384 => Sha384::digest(certificate).to_vec(),
        Hash::Sha512 => Sha512::digest(certificate).to_vec(),
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
const FIRST_OF_CONTEXT: u8 = 0xa0;

/// 1.2.840.113549.1.1, PKCS #1 (RFC 8017, appendix C).
const PKCS1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1];
/// 1.2.840.10045.4, signatures of ECDSA (RFC 5758, section 3.2).
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4];
/// 2.16.840.1.101.3.4.2, the hash functions of SHA-2 (RFC 5754).
const SHA2: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2];

/// The content of `signatureAlgorithm`, which follows `tbsCertificate` (RFC 5280, section 4.1).
fn signature_algorithm(certificate: &[u8]) -> Option<&[u8]> {
    let (body, _) = element(certificate, SEQUENCE)?;
    let (_signed, rest) = element(body, SEQUENCE)?;
    Some(element(rest, SEQUENCE)?.0)
}

fn hash_of(algorithm: &[u8]) -> Option<Hash> {
    let (name, parameters) = element(algorithm, OBJECT_IDENTIFIER)?;
    match (name.strip_prefix(PKCS1), name.strip_prefix(ECDSA)) {
        (Some([4 | 5 | 11]), _) | (_, Some([1] | [3, 2])) => Some(Hash::Sha256),
        (Some([14]), _) | (_, Some([3, 1])) => Some(Hash::Sha224),
        (Some([12]), _) | (_, Some([3, 3])) => Some(Hash::Sha384),
        (Some([13]), _) | (_, Some([3, 4])) => Some(Hash::Sha512),
        (Some([10]), _) => hash_of_pss(parameters),
        _ => None,
    }
}

/// RSASSA-PSS names its hash function among its parameters; SHA-1 if it names none.
fn hash_of_pss(parameters: &[u8]) -> Option<Hash> {
    let (parameters, _) = element(parameters, SEQUENCE)?;
    let Some((named, _)) = element(parameters, FIRST_OF_CONTEXT) else {
        return Some(Hash::Sha256);
    };
    let (name, _) = element(element(named, SEQUENCE)?.0, OBJECT_IDENTIFIER)?;
    match name.strip_prefix(SHA2) {
        Some([4]) => Some(Hash::Sha224),
        Some([1]) => Some(Hash::Sha256),
        Some([2]) => Some(Hash::Sha384),
        Some([3]) => Some(Hash::Sha512),
        _ => None,
    }
}

/// The content of the first element of a text in DER, which must have this tag, and what follows.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let [first, length, rest @ ..] = der else { return None };
    if *first != tag {
        return None;
    }
    let (length, rest) = match *length {
        short @ 0..0x80 => (usize::from(short), rest),
        long => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            if digits.is_empty() || digits.len() > 4 {
                return None;
            }
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        }
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut der = vec![tag];
        match content.len() {
            short @ 0..0x80 => der.push(short as u8),
            long => der.extend([0x82, (long >> 8) as u8, long as u8]),
        }
        der.extend_from_slice(content);
        der
    }

    fn certificate(algorithm: &[u8]) -> Vec<u8> {
        let body = [der(SEQUENCE, &[7; 300]), der(SEQUENCE, algorithm), der(3, &[0; 70])];
        der(SEQUENCE, &body.concat())
    }

    fn named(prefix: &[u8], last: &[u8]) -> Vec<u8> {
        der(OBJECT_IDENTIFIER, &[prefix, last].concat())
    }

    #[test]
    fn the_hash_is_that_of_the_signature_and_at_least_sha_256() {
        for (name, length) in [
            (named(PKCS1, &[4]), 32),
            (named(PKCS1, &[5]), 32),
            (named(PKCS1, &[11]), 32),
            (named(PKCS1, &[12]), 48),
            (named(PKCS1, &[13]), 64),
            (named(PKCS1, &[14]), 28),
            (named(ECDSA, &[1]), 32),
            (named(ECDSA, &[3, 1]), 28),
            (named(ECDSA, &[3, 2]), 32),
            (named(ECDSA, &[3, 3]), 48),
            (named(ECDSA, &[3, 4]), 64),
        ] {
            let certificate = certificate(&name);
            assert_eq!(end_point(&certificate).map(|hash| hash.len()), Some(length), "{name:?}");
        }
    }

    #[test]
    fn pss_names_its_hash_among_its_parameters() {
        let pss = |parameters: &[u8]| [named(PKCS1, &[10]), der(SEQUENCE, parameters)].concat();
        let with = |last| der(FIRST_OF_CONTEXT, &der(SEQUENCE, &named(SHA2, &[last])));
        assert_eq!(hash_of(&pss(&[])), Some(Hash::Sha256));
        assert_eq!(hash_of(&pss(&with(2))), Some(Hash::Sha384));
        assert_eq!(hash_of(&pss(&with(9))), None);
    }

    #[test]
    fn a_signature_without_a_hash_function_binds_nothing() {
        assert_eq!(end_point(&certificate(&der(OBJECT_IDENTIFIER, &[0x2b, 0x65, 0x70]))), None);
    }

    #[test]
    fn what_is_no_certificate_binds_nothing() {
        let whole = certificate(&named(PKCS1, &[11]));
        for length in 0..whole.len() {
            assert_eq!(end_point(&whole[..length]), None, "{length}");
        }
        assert_eq!(end_point(&[SEQUENCE, 0x84, 0xff, 0xff, 0xff, 0xff, 1]), None);
        assert_eq!(end_point(&[SEQUENCE, 0x80, 1]), None);
    }
}
