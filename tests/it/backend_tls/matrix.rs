//! Every mode against every kind of server.

use super::relay::{Manner, Relay};
use super::{NAME, connect, is_encrypted, refusal, trusting, url};
use crate::support::Cluster;
use crate::support::tls::{self, Authority};

/// The cells of a row: a connection through TLS, one without, or none.
const TLS: char = 'T';
const PLAIN: char = 'P';
const NONE: char = '-';

/// The kinds of servers, and what is said where a cell is a refusal.
const KINDS: [(&str, &str); 7] = [
    ("good", ""),
    ("wrong authority", "from an authority that is not trusted"),
    ("expired", "expired"),
    ("wrong host", "is for other.example.test, not for db.example.test"),
    ("self-signed", "not trusted"),
    ("no TLS", "has no TLS"),
    ("one between who says no", "has no TLS"),
];

/// For each mode its cells, in the order of [`KINDS`]; `ROOT` stands for the good authority's file.
const MODES: [(&str, &str); 10] = [
    ("sslmode=disable", "PPPPPPP"),
    ("sslmode=allow", "TTTTTPP"),
    ("sslmode=prefer", "TTTTTPP"),
    // It takes whom it meets, unless it was told whom to trust: then it is verify-ca, as in libpq.
    ("sslmode=require", "TTTTT--"),
    ("sslmode=require&ROOT", "T--T---"),
    ("sslmode=verify-ca&ROOT", "T--T---"),
    ("sslmode=verify-full&ROOT", "T------"),
    // A host with a name is verified unasked.
    ("ROOT", "T------"),
    // The system does not know the authority of the tests.
    ("sslmode=verify-ca", "-------"),
    ("", "-------"),
];

#[test]
fn every_mode_does_with_every_kind_of_server_what_its_cell_says() {
    let (authority, stranger) = (Authority::new("the root"), Authority::new("a stranger"));
    let clients = Authority::new("the clients");
    let cluster = Cluster::start();
    let root = tls::file(&cluster, "root.crt", &authority.certificate());
    let mut wrong = Vec::new();
    for (column, (kind, reason)) in KINDS.into_iter().enumerate() {
        let shown = match kind {
            "wrong authority" => Some(stranger.server(&[NAME])),
            "expired" => Some(authority.expired(&[NAME])),
            "wrong host" => Some(authority.server(&["other.example.test"])),
            "self-signed" => Some(tls::self_signed(&[NAME])),
            "no TLS" => None,
            _ => Some(authority.server(&[NAME])),
        };
        match &shown {
            Some(shown) => tls::serve(&cluster, shown, &clients),
            None => tls::serve_none(&cluster),
        }
        let manner = if column == 6 { Manner::Refuse } else { Manner::Pass };
        let relay = Relay::to(cluster.port(), manner);
        for (mode, cells) in MODES {
            let query = if mode.contains("ROOT") {
                trusting(mode.trim_end_matches("ROOT").trim_end_matches('&'), &root)
            } else {
                mode.to_owned()
            };
            let url = url("postgres", NAME, relay.port(), &query);
            let expected = cells.chars().nth(column).unwrap();
            // To whom the system's authorities are all, the good one is a stranger, too.
            let reason = match kind {
                "good" | "wrong host" if !mode.contains("ROOT") => "not trusted",
                _ => reason,
            };
            let found = cell(&url, expected, reason);
            if found != expected {
                wrong.push(format!("{mode:?} x {kind:?}: {found} instead of {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What becomes of a connection; the reason is looked at where none is expected.
fn cell(url: &str, expected: char, reason: &str) -> char {
    if expected == NONE && connect(url).is_err() {
        let said = refusal(url);
        assert!(said.contains(reason), "{reason:?} in {said}");
        return NONE;
    }
    match connect(url) {
        Ok(mut connection) => {
            if is_encrypted(&mut *connection) {
                TLS
            } else {
                PLAIN
            }
        }
        Err(_) => NONE,
    }
}
