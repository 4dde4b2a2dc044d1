//! Queries of a session: rows become objects, and changes are seen.

use crate::support::chinook::{Album, Artist, Track, on_both_filled};
use rowmill::SessionQuery;
use rowmill::prelude::*;

fn called_new(session: &Session) -> SessionQuery<'_, Artist> {
    session.query().filter(Artist::name.eq("new"))
}

#[test]
fn the_rows_of_a_query_are_objects_and_the_same_row_is_the_same_object() {
    on_both_filled(|home| {
        let mut session = home.engine().session().unwrap();
        let known = session.get::<Artist>(3).unwrap().unwrap();
        let found = session
            .query::<Artist>()
            .filter(Artist::id.le(5))
            .order_by(Artist::id.desc())
            .limit(3)
            .all()
            .unwrap();
        let ids: Vec<_> = found.iter().map(|artist| artist.read().id).collect();
        assert_eq!(ids, [5, 4, 3]);
        known.edit().name = Some("edited".into());
        assert_eq!(found[2].read().name.as_deref(), Some("edited"));
        found[0].edit().name = None;
        session.commit().unwrap();
        let names = home.rows("select name from artists where id in (3, 5) order by id");
        assert_eq!(names, ["edited", "NULL"]);
    });
}

#[test]
fn a_query_sees_what_was_added_and_edited_before() {
    on_both_filled(|home| {
        let mut session = home.engine().session().unwrap();
        session.add(Artist { id: 900, name: Some("new".into()) });
        let edited = session.query::<Artist>().filter(Artist::id.eq(1)).one().unwrap();
        edited.edit().name = Some("new".into());
        assert_eq!(called_new(&session).count().unwrap(), 2);
        assert!(called_new(&session).exists().unwrap());
        assert_eq!(called_new(&session).one_or_none().unwrap_err().kind(), ErrorKind::NotUnique);
        session.rollback().unwrap();
        assert_eq!(called_new(&session).first().unwrap().map(|artist| artist.read().id), None);
    });
}

#[test]
fn what_is_no_object_is_read_in_the_session_all_the_same() {
    on_both_filled(|home| {
        let mut session = home.engine().session().unwrap();
        session.add(Album { id: 900, title: "unheard".into(), artist_id: 1 });
        let titles: Vec<String> = session
            .query::<Album>()
            .filter(Album::id.gt(800))
            .into_query()
            .select(Album::title)
            .all(&session)
            .unwrap();
        assert_eq!(titles, ["unheard"]);
        let pairs: Vec<(Album, Artist)> =
            Album::query().join(Album::artist_id).filter(Album::id.eq(900)).all(&session).unwrap();
        assert_eq!(pairs.len(), 1);
    });
}

#[test]
fn rows_are_locked_until_the_transaction_of_the_session_ends() {
    on_both_filled(|home| {
        let mut session = home.engine().session().unwrap();
        let locked = session
            .query::<Track>()
            .order_by(Track::id.asc())
            .offset(1)
            .limit(2)
            .for_update()
            .all()
            .unwrap();
        for track in &locked {
            track.edit().cents += 1;
        }
        session.commit().unwrap();
        assert_eq!(locked.iter().map(|track| track.read().id).collect::<Vec<_>>(), [2, 3]);
    });
}
