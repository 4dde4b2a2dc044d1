//! Client certificates.

use super::{connect, good, is_encrypted, refusal, text};
use crate::support::tls::{self, Authority, Certified};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

/// `sslcert` and `sslkey` of these files, with what goes before them.
fn shown(query: &str, name: &str, certified: &Certified) -> String {
    let cluster = &good().cluster;
    let certificate = tls::file(cluster, &format!("{name}.crt"), &certified.certificate);
    let key = tls::file(cluster, &format!("{name}.key"), &certified.key);
    format!("{query}&sslcert={}&sslkey={}", certificate.display(), key.display())
}

#[test]
fn a_client_certificate_serves_instead_of_a_password() {
    let good = good();
    let query =
        shown(&good.trusted("sslmode=verify-full"), "own", &good.clients.client("certified"));
    let url = good.url("certified", &query).replace(crate::support::cluster::PASSWORD, "");
    let mut connection = connect(&url).unwrap();
    assert!(is_encrypted(&mut *connection));
    let name = "select client_dn::text from pg_stat_ssl where pid = pg_backend_pid()";
    assert!(text(&mut *connection, name).contains("certified"));
}

#[test]
fn a_certificate_that_the_server_does_not_take_is_said_to_be_the_reason() {
    let good = good();
    let trusted = good.trusted("sslmode=verify-full");
    let said = refusal(&good.url("certified", &trusted));
    assert!(said.contains("valid client certificate"), "{said}");

    let other = shown(&trusted, "other", &good.clients.client("postgres"));
    let said = refusal(&good.url("certified", &other));
    assert!(said.contains("certificate authentication failed"), "{said}");

    let stranger = Authority::new("a stranger").client("certified");
    let said = refusal(&good.url("certified", &shown(&trusted, "stranger", &stranger)));
    assert!(said.contains("the server refused the client certificate"), "{said}");
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let good = good();
    let trusted = good.trusted("sslmode=verify-full");
    let own = good.clients.client("certified");
    let encrypted = Certified {
        certificate: own.certificate.clone(),
        key: "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"
            .to_owned(),
    };
    let mixed = Certified { key: good.clients.client("x").key, ..own.clone() };
    let empty = Certified { certificate: "\n".to_owned(), ..own.clone() };
    for (name, files, reason) in [
        ("encrypted", &encrypted, "encrypted.key is encrypted"),
        ("mixed", &mixed, "mixed.key do not belong together"),
        ("empty", &empty, "empty.crt holds no certificate in PEM"),
        (
            "swapped",
            &Certified { certificate: own.certificate.clone(), key: own.certificate.clone() },
            "holds no private key",
        ),
    ] {
        let said = refusal(&good.url("certified", &shown(&trusted, name, files)));
        assert!(said.contains(reason) && said.contains("F0000"), "{said}");
    }
    let missing = format!("{trusted}&sslcert=/nowhere/a.crt&sslkey=/nowhere/a.key");
    let said = refusal(&good.url("certified", &missing));
    assert!(said.contains("/nowhere/a.crt"), "{said}");
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let good = good();
    let own = good.clients.client("certified");
    let query = shown(&good.trusted("sslmode=verify-full"), "open", &own);
    let key = good.cluster.folder().join("client/open.key");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    let said = refusal(&good.url("certified", &query));
    assert!(said.contains("others can read the key") && said.contains("chmod 600"), "{said}");
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    connect(&good.url("certified", &query)).unwrap();
}
