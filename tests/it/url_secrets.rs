//! A password is never shown, also where the text is malformed.

use proptest::prelude::*;
use rowmill::Engine;
use rowmill::url::DatabaseUrl;

const CANARY: &str = "Hunter2Canary";

/// Texts that hold the canary where a password stands, or where a password that was not escaped
/// ends up.
const TEXTS: [&str; 48] = [
    "postgresql://u:CANARY@localhost/d",
    "postgresql://u:CANARY@localhost/d?sslmode=requir",
    "postgresql://u:CANARY@localhost/d?colour=1",
    "postgresql://u:CANARY@localhost:port/d",
    "postgresql://u:CANARY@db.example/d",
    "postgresql://u:CANARY@db.example/d?sslmode=verify-full",
    "postgresql://u:CANARY@local host/d",
    "postgresql://u:x@CANARY@localhost/d",
    "postgresql://u:CANARY@x@localhost/d",
    "postgresql://u:x/CANARY@localhost/d",
    "postgresql://u:1/CANARY@localhost/d",
    "postgresql://u:1/?CANARY=1@localhost/d",
    "postgresql://u:1/d?sslmode=CANARY@localhost/d",
    "postgresql://u:CANARY/x@localhost/d",
    "postgresql://u:CANARY%zz@localhost/d",
    "postgresql://u:%CANARY@localhost/d",
    "postgresql://u:CANARY",
    "postgresql://u:CANARY/d",
    "postgresql://u:CANARY localhost/d",
    "postgresql://u:CANARY#@[::1/d",
    "postgresql://[u:CANARY@localhost/d",
    "postgresql://localhost/d?password=CANARY",
    "postgresql://localhost/d?password=CANARY&sslmode=x",
    "postgresql://localhost/d?password=x&CANARY=1",
    "postgresql://localhost/d?password=x&CANARY",
    "postgresql://localhost/d?password=x&sslmode=CANARY",
    "postgresql://localhost/d?sslpassword=CANARY",
    "postgresql://localhost/d?pasword=CANARY",
    "postgresql://localhost/d?Password=CANARY",
    "postgresql://localhost/d?CANARY",
    "postgresql:u:CANARY@localhost/d",
    "postgres:/u:CANARY@localhost/d",
    "u:CANARY@localhost/d",
    "jdbc:postgresql://u:CANARY@localhost/d",
    "postgrsql://u:CANARY@localhost/d",
    "mysql://u:CANARY@localhost/d",
    "sqlite:x.db?password=CANARY",
    "sqlite:x.db?key=CANARY",
    "host=localhost password=CANARY sslmode=requir",
    "host=localhost password=x CANARY",
    "host=localhost password=x CANARY=1",
    "host=localhost password=x sslmode=CANARY",
    "host=localhost password=x channel_binding=CANARY",
    "host=localhost password=x sslcrldir=CANARY",
    "host=localhost password='CANARY",
    "host=localhost password='x'CANARY=1",
    "host=localhost sslpassword=CANARY",
    "password=CANARY host=db.example",
];

fn shown(text: &str, variables: &[(&str, &str)]) -> String {
    let lookup = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned()).or((name == "USER").then(|| "u".to_owned()))
    };
    match DatabaseUrl::parse_with(text, &lookup) {
        Ok(url) => format!("{url} {url:?} {url:#?} {:?}", url.notes),
        Err(error) => format!("{error} {error:?} {:?}", std::error::Error::source(&error)),
    }
}

/// pool-contract H27
#[test]
fn no_text_shows_its_password() {
    for text in TEXTS {
        assert!(text.contains("CANARY"), "{text} tests nothing");
        let shown = shown(&text.replace("CANARY", CANARY), &[]);
        assert!(!shown.contains(CANARY), "{text}: {shown}");
    }
}

#[test]
fn no_engine_and_no_builder_shows_its_password() {
    for text in TEXTS {
        let text = text.replace("CANARY", CANARY);
        let shown = format!("{:?} {:?}", Engine::builder(&text), Engine::open(&text));
        assert!(!shown.contains(CANARY), "{text}: {shown}");
    }
}

#[test]
fn a_password_of_the_environment_is_not_shown() {
    for text in ["postgresql://", "postgresql://db.example", "host=localhost sslmode=x"] {
        let shown = shown(text, &[("PGPASSWORD", CANARY)]);
        assert!(!shown.contains(CANARY), "{shown}");
    }
}

proptest! {
    #[test]
    fn whatever_a_password_holds_it_is_not_shown(
        before in "[ -~]{0,6}",
        after in "[ -~]{0,6}",
        rest in "[ -~]{0,12}",
    ) {
        for text in [
            format!("postgresql://u:{before}{CANARY}{after}@localhost/d{rest}"),
            format!("postgresql://localhost/d?password={before}{CANARY}{after}&{rest}"),
            format!("host=localhost password={before}{CANARY}{after} {rest}"),
            format!("host=localhost password='{before}{CANARY}{after}' {rest}"),
        ] {
            let shown = shown(&text, &[]);
            prop_assert!(!shown.contains(CANARY), "{}: {}", text, shown);
        }
    }

    #[test]
    fn an_escaped_password_is_read_as_it_was(password in "[^\0]{1,20}", user in "[^\0]{1,9}") {
        let escape = |text: &str| -> String {
            text.bytes().fold(String::new(), |all, byte| all + &format!("%{byte:02x}"))
        };
        let quote = |text: &str| format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"));
        for text in [
            format!("postgresql://{}:{}@localhost/d", escape(&user), escape(&password)),
            format!("postgresql://localhost/d?user={}&password={}", escape(&user), escape(&password)),
            format!("host=localhost user={} password={} dbname=d", quote(&user), quote(&password)),
        ] {
            let url = DatabaseUrl::parse_with(&text, &|_| None).unwrap();
            let rowmill::url::Database::Postgres(settings) = url.database else {
                panic!("not PostgreSQL");
            };
            prop_assert_eq!(&settings.user, &user);
            let read = settings.password.unwrap();
            prop_assert_eq!(read.expose(), &password);
        }
    }
}
