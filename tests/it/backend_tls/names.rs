//! Which names and authorities are accepted, and what is said of the others.

use super::{NAME, backend, connect, good, is_encrypted, refusal, trusting, url};
use crate::support::cluster::PASSWORD;
use crate::support::tls::{self, Authority};
use crate::support::{Cluster, shared};
use rowmill::backend::Backend;
use std::time::{Duration, Instant};

#[test]
fn an_address_is_found_among_the_addresses_of_the_certificate() {
    let good = good();
    let query = good.trusted("sslmode=verify-full");
    let port = good.cluster.port();
    for host in ["127.0.0.1", "a.wild.test", "DB.Example.Test"] {
        connect(&url("postgres", host, port, &query)).unwrap();
    }
    let alone = format!(
        "postgresql://postgres:{PASSWORD}@/postgres?hostaddr=127.0.0.1&port={port}&{query}"
    );
    connect(&alone).unwrap();
    for (host, reason) in [
        ("localhost", "is for db.example.test, 127.0.0.1, *.wild.test, not for localhost"),
        ("a.b.wild.test", "not for a.b.wild.test"),
        ("127.0.0.2", "not for 127.0.0.2"),
    ] {
        let said = refusal(&url("postgres", host, port, &query));
        assert!(said.contains(reason), "{said}");
    }
}

#[test]
fn a_common_name_alone_names_no_host() {
    let clients = Authority::new("the clients");
    let authority = Authority::new("the root");
    let cluster = Cluster::start();
    tls::serve(&cluster, &authority.server(&[]), &clients);
    let root = tls::file(&cluster, "root.crt", &authority.certificate());
    let at = |query: &str| url("postgres", NAME, cluster.port(), &trusting(query, &root));
    let said = refusal(&at("sslmode=verify-full"));
    assert!(said.contains("names no host") && said.contains("subjectAltName"), "{said}");
    connect(&at("sslmode=verify-ca")).unwrap();
}

#[test]
fn a_certificate_that_a_server_signed_itself_is_trusted_where_it_is_named_itself() {
    let clients = Authority::new("the clients");
    let shown = tls::self_signed(&[NAME]);
    let cluster = Cluster::start();
    tls::serve(&cluster, &shown, &clients);
    let root = tls::file(&cluster, "root.crt", &shown.certificate);
    let query = trusting("sslmode=verify-full", &root);
    let mut connection = connect(&url("postgres", NAME, cluster.port(), &query)).unwrap();
    assert!(is_encrypted(&mut *connection));
    let said = refusal(&url("postgres", "other.test", cluster.port(), &query));
    assert!(said.contains("not for other.test"), "{said}");
    let other = tls::file(&cluster, "other.crt", &tls::self_signed(&[NAME]).certificate);
    let query = trusting("sslmode=verify-full", &other);
    let said = refusal(&url("postgres", NAME, cluster.port(), &query));
    assert!(said.contains("not trusted"), "{said}");
}

#[test]
fn a_certificate_that_was_revoked_is_refused() {
    let good = good();
    let list = |name, numbers: &[u64]| {
        let path = tls::file(&good.cluster, name, &good.authority.revocations(numbers));
        good.url("postgres", &good.trusted(&format!("sslmode=verify-ca&sslcrl={}", path.display())))
    };
    connect(&list("none.crl", &[])).unwrap();
    let said = refusal(&list("this.crl", &[Authority::SERVER_NUMBER]));
    assert!(said.contains("was revoked"), "{said}");
    let foreign = Authority::new("a stranger").revocations(&[]);
    let path = tls::file(&good.cluster, "foreign.crl", &foreign);
    let query = good.trusted(&format!("sslmode=verify-ca&sslcrl={}", path.display()));
    assert!(refusal(&good.url("postgres", &query)).contains("revocation lists"));
}

#[test]
fn a_file_of_roots_that_cannot_be_used_is_named() {
    let good = good();
    let empty = tls::file(&good.cluster, "empty.crt", "no certificate\n");
    for (path, reason) in [
        ("/nowhere/root.crt", "/nowhere/root.crt"),
        (empty.to_str().unwrap(), "holds no certificate"),
    ] {
        for mode in ["require", "verify-ca", "verify-full"] {
            let query = format!("sslmode={mode}&sslrootcert={path}");
            let said = refusal(&good.url("postgres", &query));
            assert!(said.contains(reason) && said.contains("sslrootcert"), "{said}");
        }
    }
}

#[test]
fn on_this_machine_tls_is_used_where_it_is_and_not_asked_for() {
    let port = good().cluster.port();
    for host in ["127.0.0.1", "localhost"] {
        let at = |port| {
            format!("postgresql://postgres:{PASSWORD}@{host}:{port}/postgres?local_socket=never")
        };
        assert!(is_encrypted(&mut *connect(&at(port)).unwrap()));
        assert!(!is_encrypted(&mut *connect(&at(shared().port())).unwrap()));
    }
    let socket = format!("{}&sslmode=verify-full", good().cluster.socket_url());
    assert!(!is_encrypted(&mut *connect(&socket).unwrap()));
}

#[test]
fn a_mode_that_demands_tls_has_a_server_on_this_machine_reached_by_its_port() {
    let here = format!("{}?sslmode=", good().cluster.url());
    for mode in ["require", "verify-ca", "verify-full"] {
        let backend = backend(&good().trusted(&format!("{here}{mode}")));
        for _ in 0..2 {
            let deadline = Instant::now() + Duration::from_secs(30);
            assert!(is_encrypted(&mut *backend.connect(deadline).unwrap()), "{mode}");
        }
    }
    assert!(!is_encrypted(&mut *connect(&format!("{here}prefer")).unwrap()), "its socket has none");
}

#[test]
fn a_mode_that_can_do_without_tls_does_without_where_the_server_wants_none() {
    let good = good();
    for mode in ["allow", "prefer"] {
        let mut connection = connect(&good.url("plainly", &format!("sslmode={mode}"))).unwrap();
        assert!(!is_encrypted(&mut *connection));
        let mut connection = connect(&good.url("secretly", &format!("sslmode={mode}"))).unwrap();
        assert!(is_encrypted(&mut *connection));
    }
    let said = refusal(&good.url("plainly", "sslmode=require"));
    assert!(said.contains("pg_hba.conf rejects connection"), "{said}");
    let said = refusal(&good.url("secretly", "sslmode=disable"));
    assert!(said.contains("no encryption"), "{said}");
}

#[cfg(feature = "cli")]
#[test]
fn the_authorities_of_the_system_count_where_none_are_named() {
    use crate::support::rowmill;
    let good = good();
    let root = good.cluster.folder().join("client/root.crt");
    let stranger = Authority::new("a stranger").certificate();
    let stranger = tls::file(&good.cluster, "stranger.crt", &stranger);
    for query in ["", "sslrootcert=system"] {
        let url = good.url("postgres", query);
        let status = |roots| rowmill(["status", "--target", &url]).env("SSL_CERT_FILE", roots);
        let known = status(&root).finish();
        assert_eq!(known.code, Some(0), "{known}");
        let unknown = status(&stranger).finish();
        assert!(unknown.stderr.contains("an authority that is not trusted"), "{unknown}");
        assert_eq!((unknown.stderr.lines().count(), unknown.code), (1, Some(4)), "{unknown}");
    }
}
