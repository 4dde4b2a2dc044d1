//! Channel binding, and one who stands between with a certificate that is valid.

use super::relay::{Manner, Relay, Terminal};
use super::{Good, NAME, connect, good, is_encrypted, refusal, url};
use crate::support::Cluster;
use crate::support::tls::{self, Authority, Certified};
use rcgen::{PKCS_ECDSA_P384_SHA384, PKCS_ED25519};

const REQUIRED: &str = "sslmode=verify-full&channel_binding=require";

#[test]
fn the_password_can_be_bound_to_the_session() {
    let good = good();
    for query in [REQUIRED, "sslmode=verify-full", "sslmode=verify-full&channel_binding=disable"] {
        let mut connection = connect(&good.url("postgres", &good.trusted(query))).unwrap();
        assert!(is_encrypted(&mut *connection));
    }
    // It needs TLS and not a certificate that is checked.
    connect(&good.url("postgres", "sslmode=prefer&channel_binding=require")).unwrap();
}

#[test]
fn a_certificate_signed_with_sha_384_binds_by_sha_384_and_one_of_ed25519_does_not() {
    let clients = Authority::new("the clients");
    let cluster = Cluster::start();
    let authority = Authority::signing_with("the root", &PKCS_ECDSA_P384_SHA384);
    tls::serve(&cluster, &authority.server(&[NAME]), &clients);
    connect(&url("postgres", NAME, cluster.port(), "sslmode=require&channel_binding=require"))
        .unwrap();

    let authority = Authority::signing_with("the root", &PKCS_ED25519);
    tls::serve(&cluster, &authority.server(&[NAME]), &clients);
    connect(&url("postgres", NAME, cluster.port(), "sslmode=require")).unwrap();
    let url = url("postgres", NAME, cluster.port(), "sslmode=require&channel_binding=require");
    assert!(refusal(&url).contains("server did not use channel binding"), "{}", refusal(&url));
}

/// A relay with a certificate of the same authority for the same name.
fn between(good: &Good, encrypts: bool) -> Relay {
    let upstream = encrypts.then(|| (good.authority.certificate(), NAME));
    let terminal = Terminal { shown: good.authority.server(&[NAME]), upstream, agrees: false };
    Relay::to(good.cluster.port(), Manner::Terminate(terminal))
}

#[test]
fn one_between_with_a_valid_certificate_is_found_out_by_the_binding() {
    let good = good();
    let relay = between(good, true);
    for binding in ["require", "prefer"] {
        let query = good.trusted(&format!("sslmode=verify-full&channel_binding={binding}"));
        let said = refusal(&url("postgres", NAME, relay.port(), &query));
        assert!(said.contains("channel binding check failed"), "{said}");
    }
    let query = good.trusted("sslmode=verify-full&channel_binding=disable");
    connect(&url("postgres", NAME, relay.port(), &query)).unwrap();
}

#[test]
fn one_between_who_hides_the_binding_is_refused_where_it_is_required() {
    let good = good();
    let relay = between(good, false);
    let said = refusal(&url("postgres", NAME, relay.port(), &good.trusted(REQUIRED)));
    assert!(said.contains("server did not use channel binding"), "{said}");
}

#[test]
fn who_shows_a_certificate_must_have_its_key_in_every_mode() {
    let good = good();
    let certificate = good.authority.server(&[NAME]).certificate;
    let shown = Certified { certificate, key: good.authority.server(&[NAME]).key };
    let terminal = Terminal { shown, upstream: None, agrees: false };
    let relay = Relay::to(good.cluster.port(), Manner::Terminate(terminal));
    for version in ["TLSv1.2", "TLSv1.3"] {
        for mode in ["require", "verify-full"] {
            let query = format!("sslmode={mode}&ssl_max_protocol_version={version}");
            let query = if mode == "require" { query } else { good.trusted(&query) };
            let said = refusal(&url("postgres", NAME, relay.port(), &query));
            assert!(said.contains("has not its key"), "{said}");
        }
    }
}
