//! What a connection URL means.

use rowmill::url::{
    Database, DatabaseUrl, LocalSocket, PostgresSettings, Reach, SqliteLocation, SqliteSettings,
    TargetSessionAttrs,
};
use rowmill::{ErrorKind, PoolOptions, Result};
use std::collections::HashMap;
use std::time::Duration;

/// Reads `text` in an environment that has only these variables, and `USER=runner`.
fn parse_in(text: &str, variables: &[(&str, &str)]) -> Result<DatabaseUrl> {
    let mut all: HashMap<_, _> = variables.iter().copied().collect();
    all.entry("USER").or_insert("runner");
    DatabaseUrl::parse_with(text, &|name| all.get(name).map(|value| (*value).to_owned()))
}

fn parse(text: &str) -> Result<DatabaseUrl> {
    parse_in(text, &[])
}

fn postgres(text: &str) -> PostgresSettings {
    postgres_in(text, &[])
}

fn postgres_in(text: &str, variables: &[(&str, &str)]) -> PostgresSettings {
    match parse_in(text, variables).unwrap().database {
        Database::Postgres(settings) => *settings,
        other => panic!("not PostgreSQL: {other:?}"),
    }
}

fn sqlite(text: &str) -> SqliteSettings {
    match parse(text).unwrap().database {
        Database::Sqlite(settings) => settings,
        other => panic!("not SQLite: {other:?}"),
    }
}

fn refusal(text: &str) -> String {
    let error = parse(text).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Url, "{error}");
    error.to_string()
}

fn password(settings: &PostgresSettings) -> Option<&str> {
    settings.password_for(&settings.hosts[0]).map(rowmill::url::Secret::expose)
}

#[test]
fn every_notation_of_libpq_means_the_same() {
    let texts = [
        "postgresql://etl:a%20b%40c@localhost:5433/ware%20house?application_name=nightly",
        "postgres://etl:a%20b%40c@localhost:5433/ware%20house?application_name=nightly",
        "postgresql+psycopg2://localhost?port=5433&user=etl&password=a%20b%40c&dbname=ware%20house&application_name=nightly",
        "host=localhost port=5433 user=etl password='a b@c' dbname='ware house' application_name=nightly",
        "  host = localhost port=5433\nuser=etl password=a\\ b@c dbname=ware\\ house application_name = nightly ",
    ];
    let first = postgres(texts[0]);
    assert_eq!((&*first.user, password(&first)), ("etl", Some("a b@c")));
    assert_eq!((&*first.database, &*first.application_name), ("ware house", "nightly"));
    assert_eq!(
        (&first.hosts[0].reach, first.hosts[0].port),
        (&Reach::Name("localhost".into()), 5433)
    );
    for text in texts {
        assert_eq!(postgres(text), first, "{text}");
    }
}

#[test]
fn quotes_and_backslashes_are_those_of_libpq() {
    assert_eq!(password(&postgres(r"password='it\'s a \\ b'")), Some(r"it's a \ b"));
    assert_eq!(password(&postgres(r"password=it's")), Some("it's"));
    assert_eq!(password(&postgres("password='' user=x")), None);
}

#[test]
fn what_is_left_out_has_its_default() {
    let settings = postgres("postgresql://");
    assert_eq!((&*settings.user, &*settings.database), ("runner", "runner"));
    assert_eq!(settings.hosts[0].reach, Reach::Unix("/var/run/postgresql".into()));
    assert_eq!((settings.hosts[0].port, &*settings.application_name), (5432, "rowmill"));
    assert_eq!(password(&settings), None);
    assert!(settings.keepalives);
}

#[test]
fn the_environment_fills_in_what_the_url_leaves_out() {
    let variables = [
        ("PGHOST", "localhost"),
        ("PGPORT", "6000"),
        ("PGUSER", "ann"),
        ("PGPASSWORD", "pw"),
        ("PGDATABASE", "db"),
        ("PGAPPNAME", "app"),
        ("PGOPTIONS", "-c geqo=off"),
        ("PGCONNECT_TIMEOUT", "3"),
        ("PGTARGETSESSIONATTRS", "primary"),
        ("PGSSLMODE", "disable"),
    ];
    let settings = postgres_in("postgresql://", &variables);
    assert_eq!(settings.to_string(), "postgresql://ann@localhost:6000/db");
    assert_eq!((password(&settings), &*settings.application_name), (Some("pw"), "app"));
    assert_eq!(settings.options.as_deref(), Some("-c geqo=off"));
    assert_eq!(settings.target_session_attrs, TargetSessionAttrs::Primary);
    let url =
        parse_in("postgresql://bob:x@127.0.0.1:1/other?connect_timeout=4", &variables).unwrap();
    assert_eq!(url.to_string(), "postgresql://bob@127.0.0.1:1/other");
    assert_eq!(url.pool.connect_timeout, Some(Duration::from_secs(4)));
}

#[test]
fn hosts_are_kept_in_their_order_with_their_ports() {
    let settings = postgres("postgresql://a:1,[::1]:2,c/db?sslmode=disable");
    assert_eq!(settings.to_string(), "postgresql://runner@a:1,[::1]:2,c:5432/db");
    let settings = postgres("host=a,b port=7 dbname=d sslmode=disable");
    assert_eq!(settings.to_string(), "postgresql://runner@a:7,b:7/d");
    let settings = postgres("host=db.example hostaddr=127.0.0.1 dbname=d");
    let name = Some("db.example".to_owned());
    assert_eq!(settings.hosts[0].reach, Reach::Address { address: [127, 0, 0, 1].into(), name });
    assert!(refusal("host=a,b port=1,2,3 sslmode=disable").contains("unequal length"));
}

#[test]
fn the_socket_of_a_server_here_is_preferred_unless_the_url_says_never() {
    let of = |text| postgres(text).local_socket;
    assert_eq!(of("postgresql://localhost/d"), LocalSocket::Prefer);
    assert_eq!(of("postgresql://localhost/d?local_socket=prefer"), LocalSocket::Prefer);
    assert_eq!(of("host=localhost dbname=d local_socket=never"), LocalSocket::Never);
    let said = refusal("postgresql://localhost/d?local_socket=nevr");
    assert!(said.contains("local_socket") && said.contains("never"), "{said}");
}

#[test]
fn a_socket_directory_is_a_host() {
    for text in ["postgresql://%2Frun%2Fpg:6000/db", "host=/run/pg port=6000 dbname=db"] {
        let settings = postgres(text);
        assert_eq!(settings.hosts[0].reach, Reach::Unix("/run/pg".into()));
        assert_eq!(settings.hosts[0].port, 6000);
    }
}

#[test]
fn what_is_unknown_is_refused_by_name_with_the_nearest() {
    for (text, name, near) in [
        ("postgrsql://localhost/d", "postgrsql", "postgresql"),
        ("postgresql://localhost/d?pool_sise=3", "pool_sise", "pool_size"),
        ("host=localhost aplication_name=x", "aplication_name", "application_name"),
        ("postgresql://localhost/d?sslmode=verify-ful", "verify-ful", "verify-full"),
        ("postgresql://localhost/d?target_session_attrs=primry", "primry", "primary"),
        ("sqlite:x.db?busy_timout=3", "busy_timout", "busy_timeout"),
    ] {
        let refusal = refusal(text);
        assert!(refusal.contains(&format!("\"{name}\"")), "{refusal}");
        assert!(refusal.contains(&format!("did you mean {near}?")), "{refusal}");
    }
    assert!(refusal("postgresql://localhost/d?colour=x").contains("known are host"));
    assert!(refusal("nightly.db").contains("sqlite:PATH"));
    let error = parse_in("postgresql://", &[("PGSSLMODE", "requir")]).unwrap_err();
    assert!(error.to_string().contains("PGSSLMODE \"requir\": did you mean require?"), "{error}");
}

#[test]
fn bad_numbers_name_their_key() {
    for (text, key) in [
        ("postgresql://localhost:x/d", "port"),
        ("postgresql://localhost:0/d", "port"),
        ("host='a b' sslmode=disable", "host is not"),
        ("hostaddr=localhost", "hostaddr"),
        ("postgresql://localhost/d?connect_timeout=0", "connect_timeout"),
        ("postgresql://localhost/d?connect_timeout=-1", "connect_timeout"),
        ("postgresql://localhost/d?pool_size=many", "pool_size"),
        ("postgresql://localhost/d?pool_pre_ping=perhaps", "pool_pre_ping"),
        ("sqlite:x.db?busy_timeout=5years", "busy_timeout"),
    ] {
        assert!(refusal(text).contains(key), "{}", refusal(text));
    }
}

#[test]
fn mysql_is_said_to_be_missing() {
    for text in ["mysql://root:pw@h/d", "mariadb://h/d"] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.message(), "MySQL is not built in yet");
    }
}

#[test]
fn sqlite_paths_are_relative_with_two_slashes_and_absolute_with_three() {
    for (text, path) in [
        ("sqlite:nightly.db", "nightly.db"),
        ("sqlite://nightly.db", "nightly.db"),
        ("sqlite:../a/b.db", "../a/b.db"),
        ("sqlite:///var/nightly.db", "/var/nightly.db"),
        ("sqlite:/var/nightly.db", "/var/nightly.db"),
        ("sqlite:a%3Fb%25c.db", "a?b%c.db"),
    ] {
        assert_eq!(sqlite(text).location, SqliteLocation::File(path.into()), "{text}");
    }
    for memory in ["sqlite::memory:", "sqlite://:memory:"] {
        assert_eq!(sqlite(memory).location, SqliteLocation::Memory);
    }
    assert!(refusal("sqlite:").contains("names no file"));
    assert_eq!(sqlite("sqlite:x?busy_timeout=250").busy_timeout, Duration::from_millis(250));
}

#[test]
fn pool_options_may_stand_in_the_url() {
    let url = parse(
        "postgresql://localhost/d?pool_size=2&max_overflow=0&pool_timeout=0.5&pool_recycle=1h&pool_pre_ping=true",
    )
    .unwrap();
    let options = PoolOptions::from_url(&url);
    assert_eq!((options.pool_size, options.capacity(), options.pre_ping), (2, 2, true));
    assert_eq!(options.timeout, Duration::from_millis(500));
    assert_eq!(options.recycle, Some(Duration::from_hours(1)));
    assert_eq!(PoolOptions::from_url(&parse("sqlite:x").unwrap()), PoolOptions::new());
}

#[cfg(unix)]
mod passfile {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    fn home(mode: u32) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(".pgpass");
        fs::write(&file, "localhost:5432:d:runner:from-file\nother:*:*:*:of\\:other\n").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        home
    }

    #[test]
    fn each_host_has_its_password_from_the_passfile() {
        let home = home(0o600);
        let variables = [("HOME", home.path().to_str().unwrap())];
        let settings = postgres_in("host=localhost,other dbname=d sslmode=disable", &variables);
        let passwords: Vec<_> = settings
            .hosts
            .iter()
            .map(|host| settings.password_for(host).map(rowmill::url::Secret::expose))
            .collect();
        assert_eq!(passwords, [Some("from-file"), Some("of:other")]);
        let given = postgres_in("host=localhost dbname=d password=given", &variables);
        assert_eq!(password(&given), Some("given"));
        assert_eq!(password(&postgres_in("dbname=d", &variables)), Some("from-file"));
    }

    #[test]
    fn a_passfile_that_others_can_read_is_ignored_with_a_note() {
        for mode in [0o644, 0o640, 0o604] {
            let home = home(mode);
            let url = parse_in(
                "postgresql://localhost/d",
                &[("PGPASSFILE", home.path().join(".pgpass").to_str().unwrap())],
            )
            .unwrap();
            assert!(url.notes[0].contains("chmod 600"), "{:?}", url.notes);
            let Database::Postgres(settings) = url.database else { panic!("not PostgreSQL") };
            assert_eq!(password(&settings), None);
        }
    }
}
