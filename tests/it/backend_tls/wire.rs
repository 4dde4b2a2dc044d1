//! What is seen of a connection from outside.

use super::relay::{Manner, Relay, Terminal, asks_for_tls};
use super::{NAME, backend, connect, good, refusal, text, url};
use rowmill::backend::Backend;
use std::io::Read;
use std::net::TcpListener;
use std::time::{Duration, Instant};

#[test]
fn a_request_to_cancel_travels_as_the_connection_does() {
    let good = good();
    let relay = Relay::to(good.cluster.port(), Manner::Pass);
    let url = url("postgres", NAME, relay.port(), &good.trusted("sslmode=verify-full"));
    let mut connection = connect(&url).unwrap();
    let pid: i32 = text(&mut *connection, "select pg_backend_pid()::text").parse().unwrap();
    // A result without end: it is left in the middle, and what runs is cancelled.
    let endless = "select generate_series(1, 1000000000000)";
    let stop = rowmill::Error::new(rowmill::ErrorKind::Stopped, "enough");
    let mut stop = Some(stop);
    let outcome = connection.query(endless, &[], &mut |_| Err(stop.take().unwrap()));
    assert!(outcome.is_err());
    drop(connection);

    let deadline = Instant::now() + Duration::from_secs(30);
    let mut client = good.cluster.connect("postgres");
    let is_there = "select exists (select from pg_stat_activity where pid = $1)";
    while client.query_one(is_there, &[&pid]).unwrap().get::<_, bool>(0) {
        assert!(Instant::now() < deadline, "the statement goes on");
        std::thread::sleep(Duration::from_millis(5));
    }
    let first = relay.first_bytes();
    assert!(first.len() >= 2, "nothing was sent to cancel it");
    assert!(first.into_iter().all(asks_for_tls), "something began without asking for TLS");
}

#[test]
fn an_answer_that_is_none_is_an_error_and_not_taken_for_a_no() {
    for (answer, reason) in [
        (&b"X"[..], "answer to the request for TLS is none"),
        (b"H", "answer to the request for TLS is none"),
        (b"E\0\0\0\x08junk", "cannot take a connection now"),
        // CVE-2021-23222: what follows the yes in the clear is not taken for the server's.
        (b"SE\0\0\0\x08junk", "is not TLS"),
        (b"SR\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", "is not TLS"),
    ] {
        let relay = Relay::to(good().cluster.port(), Manner::Answer(answer));
        let url = url("postgres", NAME, relay.port(), "sslmode=require");
        let error = connect(&url).unwrap_err();
        assert!(error.message().contains(reason), "{error}");
        assert!(error.is_transient(), "{error:?}");
    }
}

#[test]
fn who_is_silent_in_the_handshake_is_given_up_at_the_deadline() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let yes = Relay::to(port, Manner::Answer(b"S"));
    for (port, is_relayed) in [(port, false), (yes.port(), true)] {
        let backend = backend(&url("postgres", NAME, port, "sslmode=require"));
        let started = Instant::now();
        let error = backend.connect(started + Duration::from_millis(200)).unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        assert!(error.is_transient(), "{error:?}");
        if !is_relayed {
            // Nobody stays behind in the handshake: the client's end is closed.
            let (mut client, _) = silent.accept().unwrap();
            client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            client.read_to_end(&mut Vec::new()).unwrap();
        }
    }
}

#[test]
fn a_server_that_waits_for_the_question_is_not_spoken_to_directly() {
    // PostgreSQL 16 and earlier take the first bytes of TLS for a message that is none.
    let good = good();
    let version = text(&mut *connect(&good.cluster.url()).unwrap(), "show server_version_num");
    let query = good.trusted("sslmode=verify-full&sslnegotiation=direct");
    let at = good.url("postgres", &query);
    if version.parse::<u32>().unwrap() >= 170_000 {
        connect(&at).unwrap();
        return;
    }
    let error = connect(&at).unwrap_err();
    assert!(error.to_string().contains("needs PostgreSQL 17"), "{error}");
}

#[test]
fn tls_that_begins_at_once_needs_a_server_that_says_it_speaks_the_protocol() {
    let good = good();
    for agrees in [true, false] {
        let shown = good.authority.server(&[NAME]);
        let terminal = Terminal { shown, upstream: None, agrees };
        let relay = Relay::to(good.cluster.port(), Manner::Terminate(terminal));
        let query = good.trusted("sslmode=verify-full&sslnegotiation=direct");
        let at = url("postgres", NAME, relay.port(), &query);
        if agrees {
            connect(&at).unwrap();
        } else {
            let said = refusal(&at);
            assert!(said.contains("did not agree on the protocol"), "{said}");
        }
        assert!(!relay.first_bytes().into_iter().any(asks_for_tls));
    }
}

#[test]
fn both_versions_of_tls_are_spoken_and_no_older_one() {
    let good = good();
    for (query, version) in [
        ("", "TLSv1.3"),
        ("&ssl_max_protocol_version=TLSv1.2", "TLSv1.2"),
        ("&ssl_min_protocol_version=TLSv1.3", "TLSv1.3"),
    ] {
        let query = good.trusted(&format!("sslmode=verify-full{query}"));
        let mut connection = connect(&good.url("postgres", &query)).unwrap();
        let sql = "select version::text from pg_stat_ssl where pid = pg_backend_pid()";
        assert_eq!(text(&mut *connection, sql), version);
    }
    good.cluster.sql("alter system set ssl_max_protocol_version = 'TLSv1.2'");
    good.cluster.sql("select pg_reload_conf()");
    let said =
        refusal_in_time(&good.url("postgres", "sslmode=require&ssl_min_protocol_version=TLSv1.3"));
    good.cluster.sql("alter system reset ssl_max_protocol_version");
    good.cluster.sql("select pg_reload_conf()");
    assert!(said.contains("in common"), "{said}");
}

/// The settings of the server are read some time.
fn refusal_in_time(url: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    while connect(url).is_ok() {
        assert!(Instant::now() < deadline, "the settings are not read");
    }
    refusal(url)
}
