//! What a session looks after: added, found, edited, deleted, and written together.

use crate::support::Counted;
use crate::support::music::{
    Album, Artist, Playlist, Track, album, artist, playlist, track, with_shop,
};
use rowmill::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Without the statements that begin and end transactions.
fn work(counted: &Counted) -> Vec<String> {
    let told = counted.take();
    told.into_iter().filter(|sql| !["BEGIN", "COMMIT", "ROLLBACK"].contains(&&**sql)).collect()
}

#[test]
fn what_was_added_is_inserted_by_the_commit_and_has_its_key_then() {
    with_shop(|home| {
        let mut session = home.engine().session().unwrap();
        let nina = session.add(artist("Nina"));
        assert!(nina.is_new() && session.has_changes());
        assert_eq!(home.rows("select * from artist"), [""; 0]);
        session.commit().unwrap();
        assert!(nina.is_stored() && !session.has_changes());
        assert_eq!(nina.read().id, 1);
        assert_eq!(home.rows("select id, name from artist"), ["1|Nina"]);
    });
}

#[test]
fn a_session_takes_no_connection_before_it_needs_one_and_none_after_a_commit() {
    with_shop(|home| {
        let mut session = home.engine().session().unwrap();
        session.add(artist("Nina"));
        assert_eq!(home.engine().stats().in_use, 0);
        session.flush().unwrap();
        assert_eq!(home.engine().stats().in_use, 1);
        session.commit().unwrap();
        assert_eq!(home.engine().stats().in_use, 0);
    });
}

#[test]
fn a_dropped_session_is_rolled_back() {
    with_shop(|home| {
        let mut session = home.engine().session().unwrap();
        session.add(artist("Nina"));
        session.flush().unwrap();
        drop(session);
        let mut session = home.engine().session().unwrap();
        session.add(artist("Nina"));
        session.flush().unwrap();
        session.close().unwrap();
        assert_eq!(home.rows("select * from artist"), [""; 0]);
        assert_eq!(home.engine().stats().in_use, 0);
    });
}

#[test]
fn the_same_row_is_the_same_object_and_costs_one_query() {
    with_shop(|home| {
        home.sql("insert into artist (id, name) values (7, 'Nina')");
        let counted = Counted::on(home);
        let session = counted.engine.session().unwrap();
        let one = session.get::<Artist>(7).unwrap().unwrap();
        let other = session.get::<Artist>(7).unwrap().unwrap();
        assert_eq!(one, other);
        one.edit().name = "Simone".to_owned();
        assert_eq!(other.read().name, "Simone");
        assert_eq!(work(&counted).len(), 1);
        assert!(session.get::<Artist>(8).unwrap().is_none());
    });
}

#[test]
fn only_changed_columns_are_written_and_nothing_where_nothing_differs() {
    with_shop(|home| {
        home.sql("insert into artist (id, name, born) values (7, 'Nina', 1933)");
        let counted = Counted::on(home);
        let mut session = counted.engine.session().unwrap();
        let nina = session.get::<Artist>(7).unwrap().unwrap();
        nina.edit().name = "Nina".to_owned();
        session.flush().unwrap();
        assert_eq!(work(&counted).len(), 1, "the query alone");
        nina.edit().born = None;
        session.commit().unwrap();
        let told = work(&counted);
        assert!(
            told.len() == 1 && told[0].contains("born") && !told[0].contains("name"),
            "{told:?}"
        );
        assert_eq!(home.rows("select name, born from artist"), ["Nina|NULL"]);
    });
}

#[test]
fn what_was_edited_is_kept_until_it_is_written() {
    with_shop(|home| {
        home.sql("insert into artist (id, name) values (7, 'Nina')");
        let mut session = home.engine().session().unwrap();
        session.get::<Artist>(7).unwrap().unwrap().edit().name = "Simone".to_owned();
        session.commit().unwrap();
        assert_eq!(home.rows("select name from artist"), ["Simone"]);
    });
}

#[test]
fn what_was_deleted_is_not_found_any_more() {
    with_shop(|home| {
        home.sql("insert into artist (id, name) values (7, 'Nina'), (8, 'Ella')");
        let mut session = home.engine().session().unwrap();
        let nina = session.get::<Artist>(7).unwrap().unwrap();
        nina.edit().name = "never written".to_owned();
        session.delete(&nina).unwrap();
        session.delete(&nina).unwrap();
        assert!(session.get::<Artist>(7).unwrap().is_none());
        let never = session.add(artist("never"));
        session.delete(&never).unwrap();
        session.commit().unwrap();
        assert!(!nina.is_stored() && nina.read().name == "Nina");
        assert_eq!(home.rows("select name from artist"), ["Ella"]);
    });
}

#[test]
fn a_query_sees_what_was_added_unless_autoflush_is_off() {
    with_shop(|home| {
        let count = |session: &Session| {
            let mut count = 0_i64;
            session
                .with(rowmill::Intent::Read, |connection| {
                    connection.query("select count(*) from artist", &[], &mut |row| {
                        count = rowmill::Cell::unpack(row.cell(0)?)?;
                        Ok(())
                    })
                })
                .unwrap();
            count
        };
        let mut session = home.engine().session().unwrap();
        session.add(artist("Nina"));
        assert_eq!(count(&session), 1);
        session.rollback().unwrap();

        let options = SessionOptions::new().autoflush(false);
        let mut session = home.engine().session_with(options).unwrap();
        session.add(playlist("quiet"));
        session.add(artist("Nina"));
        assert_eq!(count(&session), 0);
        assert!(session.get::<Playlist>("quiet").unwrap().is_none());
        session.flush().unwrap();
        assert!(session.get::<Playlist>("quiet").unwrap().is_some());
    });
}

#[test]
fn after_a_commit_a_row_is_read_again_where_it_is_asked_for() {
    with_shop(|home| {
        for (expire, expected) in [(true, "Simone"), (false, "Nina")] {
            let options = SessionOptions::new().expire_on_commit(expire);
            let mut session = home.engine().session_with(options).unwrap();
            let nina = session.add(artist("Nina"));
            session.commit().unwrap();
            let id = nina.read().id;
            home.sql("update artist set name = 'Simone'");
            assert_eq!(nina.read().name, "Nina");
            assert_eq!(session.get::<Artist>(id).unwrap(), Some(nina.clone()));
            assert_eq!(nina.read().name, expected);
        }
    });
}

#[test]
fn a_row_can_be_expired_and_refreshed() {
    with_shop(|home| {
        home.sql("insert into artist (id, name, born) values (7, 'Nina', 1933)");
        let mut session = home.engine().session().unwrap();
        let nina = session.get::<Artist>(7).unwrap().unwrap();
        session.commit().unwrap();
        home.sql("update artist set name = 'Simone'");
        nina.edit().born = Some(1);
        session.refresh(&nina).unwrap();
        assert_eq!((&*nina.read().name, nina.read().born), ("Simone", Some(1933)));
        assert!(!session.has_changes());
        session.rollback().unwrap();

        home.sql("update artist set name = 'Nina'");
        nina.edit().born = Some(1);
        session.expire(&nina).unwrap();
        assert_eq!(nina.read().born, Some(1933));
        session.get::<Artist>(7).unwrap();
        assert_eq!(nina.read().name, "Nina");
        session.rollback().unwrap();

        home.sql("delete from artist");
        assert_eq!(session.refresh(&nina).unwrap_err().kind(), ErrorKind::Stale);
    });
}

#[test]
fn a_merge_updates_the_row_or_adds_it() {
    with_shop(|home| {
        home.sql("insert into artist (id, name, born) values (7, 'Nina', 1933)");
        home.sql("insert into album (id, title, artist_id, version) values (1, 'Debut', 7, 3)");
        let mut session = home.engine().session().unwrap();
        let before = session.get::<Artist>(7).unwrap().unwrap();
        let mut nina = Artist { id: 7, ..artist("Nina Simone") };
        assert_eq!(session.merge(nina.clone()).unwrap(), before);
        assert_eq!((&*before.read().name, before.read().born), ("Nina Simone", None));
        nina.id = 99;
        assert!(session.merge(nina).unwrap().is_new());
        let old = Album { id: 1, version: 2, ..album("Little Girl Blue", 7) };
        assert_eq!(session.merge(old).unwrap_err().kind(), ErrorKind::Stale);
        let new = Album { id: 1, version: 3, ..album("Little Girl Blue", 7) };
        session.merge(new).unwrap();
        session.commit().unwrap();
        assert_eq!(home.rows("select name from artist order by id"), ["Nina Simone"; 2]);
        assert_eq!(home.rows("select title, version from album"), ["Little Girl Blue|4"]);
    });
}

#[test]
fn a_row_that_somebody_else_has_changed_is_stale() {
    with_shop(|home| {
        let mut session = home.engine().session().unwrap();
        let nina = session.add(artist("Nina"));
        session.flush().unwrap();
        let debut = session.add(album("Debut", nina.read().id));
        session.commit().unwrap();
        home.sql("update album set version = 5");
        debut.edit().title = "Little Girl Blue".to_owned();
        let error = session.commit().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Stale);
        let text = error.to_string();
        assert!(text.contains("album") && text.contains("id"), "{text}");
        let again = session.commit().unwrap_err();
        assert!(again.to_string().contains("album"), "{again}");
        session.rollback().unwrap();
        assert_eq!(debut.read().title, "Debut");
        assert_eq!(
            session.get::<Album>(debut.with(|album| album.id)).unwrap(),
            Some(debut.clone())
        );
        debut.edit().title = "Little Girl Blue".to_owned();
        session.commit().unwrap();
        assert_eq!(home.rows("select title, version from album"), ["Little Girl Blue|6"]);
        assert_eq!(debut.read().version, 6);
    });
}

#[test]
fn the_key_of_a_tracked_row_cannot_be_edited() {
    with_shop(|home| {
        let mut session = home.engine().session().unwrap();
        let quiet = session.add(playlist("quiet"));
        session.flush().unwrap();
        quiet.edit().name = "loud".to_owned();
        let error = session.flush().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        session.rollback().unwrap();
    });
}

#[test]
fn an_object_that_is_being_edited_is_not_flushed_and_nothing_is_lost_by_that() {
    with_shop(|home| {
        let mut session = home.engine().session().unwrap();
        let nina = session.add(artist("Nina"));
        let edit = nina.edit();
        assert_eq!(session.commit().unwrap_err().kind(), ErrorKind::Config);
        drop(edit);
        session.commit().unwrap();
        assert_eq!(home.rows("select name from artist"), ["Nina"]);
    });
}

#[test]
fn an_object_of_another_session_is_refused() {
    with_shop(|home| {
        let mut mine = home.engine().session().unwrap();
        let mut yours = home.engine().session().unwrap();
        let nina = yours.add(artist("Nina"));
        assert_eq!(mine.delete(&nina).unwrap_err().kind(), ErrorKind::Config);
        assert_eq!(mine.expire(&nina).unwrap_err().kind(), ErrorKind::Config);
        yours.close().unwrap();
        nina.edit().name = "free".to_owned();
        assert!(!nina.is_new() && nina.read().name == "free");
    });
}

#[test]
fn hooks_are_called_after_the_commit_alone() {
    with_shop(|home| {
        let called = Arc::new(AtomicU32::new(0));
        let mut session = home.engine().session().unwrap();
        for commit in [false, true] {
            let count = Arc::clone(&called);
            let hook = move || _ = count.fetch_add(1, Ordering::SeqCst);
            session.on_commit(hook).unwrap();
            if commit { session.commit().unwrap() } else { session.rollback().unwrap() }
        }
        assert_eq!(called.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn nothing_of_a_row_is_shown_by_debug() {
    with_shop(|home| {
        let mut session = home.engine().session().unwrap();
        let nina = session.add(artist("canary-4711"));
        let shown = format!("{nina:?} {session:?}");
        assert!(shown.contains("Tracked<Artist>(New)") && !shown.contains("4711"), "{shown}");
    });
}

#[test]
fn an_object_that_nobody_has_is_not_kept() {
    with_shop(|home| {
        let mut tracks: Vec<_> = (0..3).map(|n| track(&format!("track {n}"), None)).collect();
        Track::insert_many(home.engine(), &mut tracks).unwrap();
        let counted = Counted::on(home);
        let session = counted.engine.session().unwrap();
        for _ in 0..2 {
            drop(session.get::<Track>(tracks[0].id).unwrap());
        }
        assert_eq!(work(&counted).len(), 2);
    });
}
