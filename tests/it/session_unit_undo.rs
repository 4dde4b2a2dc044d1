//! What is rolled back is undone in the objects, too: of a whole transaction, or of a savepoint.

use crate::support::music::{Album, Artist, album, artist, track, with_shop};
use rowmill::prelude::*;

fn refusal() -> Error {
    Error::new(ErrorKind::Config, "on second thoughts")
}

#[test]
fn a_rollback_makes_objects_what_they_were() {
    with_shop(|home| {
        home.sql("insert into artist (id, name, born) values (7, 'Nina', 1933), (8, 'Ella', 1917)");
        home.sql("insert into album (id, title, artist_id, version) values (1, 'Debut', 7, 3)");
        let mut session = home.engine().session().unwrap();
        let nina = session.get::<Artist>(7).unwrap().unwrap();
        let ella = session.get::<Artist>(8).unwrap().unwrap();
        let debut = session.get::<Album>(1).unwrap().unwrap();
        nina.edit().name = "Simone".to_owned();
        debut.edit().title = "Little Girl Blue".to_owned();
        session.delete(&ella).unwrap();
        let new = session.add(artist("Etta"));
        session.flush().unwrap();
        assert_eq!(debut.read().version, 4);
        nina.edit().born = None;
        let newer = session.add(artist("Aretha"));
        session.rollback().unwrap();

        assert_eq!((&*nina.read().name, nina.read().born), ("Nina", Some(1933)));
        assert_eq!((&*debut.read().title, debut.read().version), ("Debut", 3));
        assert!(ella.is_stored() && !new.is_stored() && !newer.is_new());
        assert_eq!(new.read().id, 0, "what the database made is gone again");
        assert!(!session.has_changes());
        assert_eq!(session.get::<Artist>(8).unwrap(), Some(ella));

        debut.edit().title = "First".to_owned();
        session.commit().unwrap();
        assert_eq!(home.rows("select title, version from album"), ["First|4"]);
        assert_eq!(home.rows("select count(*) from artist"), ["2"]);
    });
}

#[test]
fn a_savepoint_takes_back_what_was_done_in_it_and_nothing_else() {
    with_shop(|home| {
        let mut session = home.engine().session().unwrap();
        let nina = session.add(artist("Nina"));
        let failed: Result<()> = session.begin_nested(|session| {
            nina.edit().name = "Simone".to_owned();
            session.add(artist("Etta"));
            session.flush()?;
            nina.edit().born = Some(1);
            Err(refusal())
        });
        assert_eq!(failed.unwrap_err().message(), "on second thoughts");
        assert_eq!((&*nina.read().name, nina.read().born), ("Nina", None));
        let kept = session.begin_nested(|session| {
            nina.edit().born = Some(1933);
            Ok(session.add(artist("Ella")))
        });
        assert!(kept.unwrap().is_stored());
        session.commit().unwrap();
        let rows = home.rows("select name, born from artist order by name");
        assert_eq!(rows, ["Ella|NULL", "Nina|1933"]);
    });
}

#[test]
fn savepoints_nest() {
    with_shop(|home| {
        let mut session = home.engine().session().unwrap();
        let nina = session.add(artist("Nina"));
        session
            .begin_nested(|session| {
                nina.edit().born = Some(1);
                let inner: Result<()> = session.begin_nested(|session| {
                    nina.edit().born = Some(2);
                    session.delete(&nina)?;
                    session.flush()?;
                    Err(refusal())
                });
                assert!(inner.is_err() && nina.is_stored());
                assert_eq!(nina.read().born, Some(1));
                Ok(())
            })
            .unwrap();
        session.commit().unwrap();
        assert_eq!(home.rows("select name, born from artist"), ["Nina|1"]);
    });
}

#[test]
fn a_flush_that_fails_in_a_savepoint_is_taken_back_with_it() {
    with_shop(|home| {
        let mut session = home.engine().session().unwrap();
        let nina = session.add(artist("Nina"));
        let mut bad = track("none", None);
        bad.seconds = 0;
        let failed = session.begin_nested(|session| {
            session.add(bad.clone());
            assert!(session.flush().unwrap_err().is_data());
            // Whoever passes over it does not get away with it.
            Ok(())
        });
        assert!(failed.is_err());
        session.add(track("fine", None));
        session.commit().unwrap();
        assert!(nina.is_stored());
        assert_eq!(home.rows("select title from track"), ["fine"]);
    });
}

#[test]
fn after_a_flush_that_failed_nothing_goes_before_the_rollback() {
    with_shop(|home| {
        let mut session = home.engine().session().unwrap();
        let nina = session.add(artist("Nina"));
        session.add(album("nobody's", 99));
        assert!(session.flush().unwrap_err().is_data());
        for refused in [session.flush(), session.commit(), session.get::<Artist>(1).map(drop)] {
            let error = refused.unwrap_err().to_string();
            assert!(error.contains("failed before") && error.contains("23503"), "{error}");
        }
        session.rollback().unwrap();
        assert!(!nina.is_stored() && nina.read().id == 0);
        session.add(artist("Ella"));
        session.commit().unwrap();
        assert_eq!(home.rows("select name from artist"), ["Ella"]);
    });
}

#[test]
fn a_session_is_not_ended_within_a_savepoint() {
    with_shop(|home| {
        let mut session = home.engine().session().unwrap();
        let failed = session.begin_nested(|session| {
            session.add(artist("Nina"));
            session.commit()
        });
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::Config);
        assert!(session.begin_nested(Session::rollback).is_err());
        session.commit().unwrap();
        assert_eq!(home.rows("select * from artist"), [""; 0]);
    });
}

#[test]
fn a_commit_that_fails_leaves_the_objects_as_they_were_before() {
    with_shop(|home| {
        home.sql(home.pick(
            "create table pair (id integer primary key, \
             other integer not null references pair (id) deferrable initially deferred)",
            "create table pair (id integer primary key, \
             other integer not null references pair (id) deferrable initially deferred)",
        ));
        let mut session = home.engine().session().unwrap();
        let pair = session.add(Pair { id: 1, other: 2 });
        let error = session.commit().unwrap_err();
        assert!(error.is_data(), "{error:?}");
        assert!(!pair.is_stored());
        session.add(Pair { id: 1, other: 1 });
        session.commit().unwrap();
        assert_eq!(home.rows("select id, other from pair"), ["1|1"]);
    });
}

#[derive(Entity)]
struct Pair {
    #[entity(key)]
    id: i32,
    other: i32,
}
