//! What a connection URL says about TLS.

use rowmill::url::{
    ChannelBinding, Database, DatabaseUrl, PostgresSettings, RootCertificates, SslMode,
    SslNegotiation, TlsVersion,
};
use rowmill::{ErrorKind, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Reads `text` in an environment that has only these variables, and `USER=runner`.
fn parse_in(text: &str, variables: &[(&str, &str)]) -> Result<DatabaseUrl> {
    DatabaseUrl::parse_with(text, &|name| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned()).or((name == "USER").then(|| "runner".into()))
    })
}

fn settings_in(text: &str, variables: &[(&str, &str)]) -> PostgresSettings {
    match parse_in(text, variables).unwrap_or_else(|error| panic!("{text}: {error}")).database {
        Database::Postgres(settings) => *settings,
        other => panic!("not PostgreSQL: {other:?}"),
    }
}

fn settings(text: &str) -> PostgresSettings {
    settings_in(text, &[])
}

fn mode(text: &str) -> SslMode {
    let settings = settings(text);
    settings.sslmode_for(&settings.hosts[0])
}

fn refusal_in(text: &str, variables: &[(&str, &str)]) -> String {
    let error = parse_in(text, variables).expect_err(text);
    assert_eq!(error.kind(), ErrorKind::Url, "{error}");
    error.to_string()
}

const HERE: [&str; 5] = [
    "postgresql://localhost/d",
    "postgresql://127.8.8.8/d",
    "postgresql://[::1]/d",
    "host=LOCALHOST hostaddr=127.0.0.1",
    "hostaddr=::ffff:127.0.0.1",
];

const ELSEWHERE: [&str; 5] = [
    "postgresql://db.example/d",
    "host=localhost hostaddr=10.0.0.1",
    "postgresql://localhost.evil.example/d",
    "postgresql://10.0.0.1/d",
    // The end of a tunnel.
    "host=db.example hostaddr=127.0.0.1",
];

#[test]
fn on_this_machine_tls_is_used_where_it_is() {
    for text in HERE {
        assert_eq!(mode(text), SslMode::Prefer, "{text}");
        assert!(parse_in(text, &[]).unwrap().notes.is_empty());
    }
}

#[test]
fn a_socket_has_no_tls_whatever_was_said() {
    for text in ["postgresql://%2Ftmp/d", "postgresql://%2Ftmp/d?sslmode=verify-full", "dbname=d"] {
        assert_eq!(mode(text), SslMode::Disable, "{text}");
    }
}

#[cfg(feature = "tls")]
#[test]
fn a_host_elsewhere_has_to_prove_who_it_is_unless_something_else_was_said() {
    for text in ELSEWHERE {
        assert_eq!(mode(text), SslMode::VerifyFull, "{text}");
        assert!(parse_in(text, &[]).unwrap().notes.is_empty());
    }
    for (word, expected) in [
        ("disable", SslMode::Disable),
        ("allow", SslMode::Allow),
        ("prefer", SslMode::Prefer),
        ("require", SslMode::Require),
        ("verify-ca", SslMode::VerifyCa),
        ("verify-full", SslMode::VerifyFull),
    ] {
        for host in ["localhost", "db.example"] {
            let text = format!("postgresql://{host}/d?sslmode={word}");
            assert_eq!(mode(&text), expected, "{text}");
        }
        let settings = settings_in("postgresql://db.example/d", &[("PGSSLMODE", word)]);
        assert_eq!(settings.tls.mode, Some(expected));
    }
}

#[cfg(feature = "tls")]
#[test]
fn each_host_has_the_mode_of_its_place() {
    let settings = settings("postgresql://localhost,db.example,%2Ftmp/d");
    let modes: Vec<_> = settings.hosts.iter().map(|host| settings.sslmode_for(host)).collect();
    assert_eq!(modes, [SslMode::Prefer, SslMode::VerifyFull, SslMode::Disable]);
}

#[cfg(feature = "tls")]
#[test]
fn a_mode_that_anybody_on_the_way_can_undo_is_noted() {
    for word in ["prefer", "allow"] {
        let url = parse_in(&format!("postgresql://db.example/d?sslmode={word}"), &[]).unwrap();
        assert_eq!(url.notes.len(), 1);
        let note = &url.notes[0];
        assert!(note.contains("db.example:5432") && note.contains("verify-full"), "{note}");
    }
}

#[cfg(feature = "tls")]
#[test]
fn every_key_of_tls_has_its_variable() {
    let text = "postgresql://localhost/d?sslmode=verify-ca&sslrootcert=r.crt&sslcrl=r.crl\
        &sslcert=c.crt&sslkey=c.key&channel_binding=require&sslnegotiation=direct\
        &ssl_min_protocol_version=TLSv1.2&ssl_max_protocol_version=TLSv1.3";
    let variables = [
        ("PGSSLMODE", "verify-ca"),
        ("PGSSLROOTCERT", "r.crt"),
        ("PGSSLCRL", "r.crl"),
        ("PGSSLCERT", "c.crt"),
        ("PGSSLKEY", "c.key"),
        ("PGCHANNELBINDING", "require"),
        ("PGSSLNEGOTIATION", "direct"),
        ("PGSSLMINPROTOCOLVERSION", "TLSv1.2"),
        ("PGSSLMAXPROTOCOLVERSION", "TLSv1.3"),
    ];
    let tls = settings(text).tls;
    assert_eq!(tls, settings_in("postgresql://localhost/d", &variables).tls);
    assert_eq!(tls.mode, Some(SslMode::VerifyCa));
    assert_eq!(tls.roots, Some(RootCertificates::File("r.crt".into())));
    assert_eq!(tls.revoked, Some(PathBuf::from("r.crl")));
    let identity = tls.identity.unwrap();
    assert_eq!((identity.certificate, identity.key), ("c.crt".into(), "c.key".into()));
    assert_eq!(tls.channel_binding, ChannelBinding::Require);
    assert_eq!(tls.negotiation, SslNegotiation::Direct);
    assert_eq!((tls.lowest, tls.highest), (TlsVersion::V1_2, Some(TlsVersion::V1_3)));
}

#[test]
fn files_that_are_not_named_are_those_of_the_home_if_they_are_there() {
    let home = tempfile::tempdir().unwrap();
    let variables = [("HOME", home.path().to_str().unwrap())];
    let text = "postgresql://localhost/d";
    let tls = settings_in(text, &variables).tls;
    assert_eq!((tls.roots, tls.revoked, tls.identity), (None, None, None));

    let folder = home.path().join(".postgresql");
    fs::create_dir(&folder).unwrap();
    for name in ["root.crt", "root.crl", "postgresql.crt"] {
        fs::write(folder.join(name), "").unwrap();
    }
    let tls = settings_in(text, &variables).tls;
    assert_eq!(tls.roots, Some(RootCertificates::File(folder.join("root.crt"))));
    assert_eq!(tls.revoked, Some(folder.join("root.crl")));
    let identity = tls.identity.unwrap();
    assert_eq!(identity.certificate, folder.join("postgresql.crt"));
    assert_eq!(identity.key, folder.join("postgresql.key"));
    let named = settings_in(&format!("{text}?sslrootcert=/other.crt"), &variables).tls;
    assert_eq!(named.roots, Some(RootCertificates::File(Path::new("/other.crt").into())));
}

#[cfg(feature = "tls")]
#[test]
fn the_authorities_of_the_system_go_with_a_full_check_alone() {
    let text = "postgresql://localhost/d?sslrootcert=system";
    assert_eq!(mode(text), SslMode::VerifyFull);
    assert_eq!(settings(text).tls.roots, Some(RootCertificates::System));
    for weak in ["disable", "allow", "prefer", "require", "verify-ca"] {
        let said = refusal_in(&format!("{text}&sslmode={weak}"), &[]);
        assert!(said.contains("sslrootcert=system does not go with"), "{said}");
    }
}

#[test]
fn what_only_tls_can_give_does_not_go_with_doing_without() {
    for (text, what) in [
        ("postgresql://localhost/d?channel_binding=require&sslmode=disable", "channel_binding"),
        ("postgresql://%2Ftmp/d?channel_binding=require", "channel_binding"),
        ("postgresql://localhost/d?sslnegotiation=direct", "sslnegotiation=direct"),
        ("postgresql://localhost/d?sslnegotiation=direct&sslmode=prefer", "sslmode=prefer"),
    ] {
        let said = refusal_in(text, &[]);
        assert!(said.contains(what) && said.contains("does not go with"), "{said}");
    }
}

#[test]
fn what_would_be_weaker_than_it_says_is_refused() {
    for (text, what) in [
        ("postgresql://localhost/d?sslcrldir=/crl", "sslcrl"),
        ("postgresql://localhost/d?sslpassword=x", "decrypt it"),
        ("postgresql://localhost/d?sslkey=x.key", "sslcert"),
        ("postgresql://localhost/d?sslmode=verify-ful", "did you mean verify-full?"),
        ("postgresql://localhost/d?channel_binding=requir", "did you mean require?"),
        ("postgresql://localhost/d?ssl=true", "sslmode=verify-full"),
        ("postgresql://localhost/d?sslrootcer=x", "did you mean sslrootcert?"),
        (
            "postgresql://localhost/d?ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2",
            "is below",
        ),
    ] {
        let said = refusal_in(text, &[]);
        assert!(said.contains(what), "{what}: {said}");
    }
    let said = refusal_in("postgresql://localhost/d", &[("PGSSLCRLDIR", "/crl")]);
    assert!(said.contains("PGSSLCRLDIR"), "{said}");
    let said = refusal_in("postgresql://localhost/d", &[("PGSSLMODE", "requir")]);
    assert!(said.contains("PGSSLMODE \"requir\": did you mean require?"), "{said}");
}
