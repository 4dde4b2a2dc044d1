//! Sessions: units of work.

use super::model::{Album, Artist, artist, on_both_with_tables};
use rowmill::prelude::*;

#[test]
fn objects_are_added_changed_and_deleted_together() {
    on_both_with_tables(|home| {
        let engine = home.engine();
        // guide
        let mut session = engine.session()?;
        let nina = session.add(Artist { id: 0, name: "Nina".to_owned(), country: None });
        let debut = session.add(Album { id: 0, title: "Debut".to_owned(), artist_id: 0 });
        session.link(&debut, Album::artist_id, &nina)?; // debut.artist_id, once nina has an id
        session.commit()?; // parents first, in few statements

        nina.edit().name = "Nina Simone".to_owned();
        session.commit()?; // one column of one row

        let same = session.get::<Artist>(nina.with(|artist| artist.id))?;
        assert_eq!(same.as_ref(), Some(&nina)); // the same row is the same object
        session.delete(&debut)?;
        session.rollback()?; // a session that is dropped rolls back, too
        // guide
        let expected = home.rows("select a.name, b.title from artists a join albums b on true");
        assert_eq!(expected, ["Nina Simone|Debut"]);
        assert!(debut.is_stored());
        Ok(())
    });
}

#[test]
fn a_session_asks_and_goes_back_to_a_savepoint() {
    on_both_with_tables(|home| {
        let engine = home.engine();
        for name in ["a", "b", "c"] {
            artist(name).insert(engine)?;
        }
        // guide
        let mut session = engine
            .session_with(rowmill::SessionOptions::new().autoflush(true).expire_on_commit(false))?;
        for artist in session.query::<Artist>().filter(Artist::country.is_null()).all()? {
            artist.edit().country = Some("NO".to_owned());
        }
        let undone: Result<()> = session.begin_nested(|session| {
            Delete::<Artist>::new().every_row().run(session)?;
            Err(Error::new(ErrorKind::Config, "on second thoughts"))
        });
        session.commit()?;
        // guide
        assert!(undone.is_err());
        assert_eq!(
            home.rows("select distinct country, count(*) from artists group by 1"),
            ["NO|3"]
        );
        // guide
        let report = engine.read_session()?; // it has no method that writes
        let artists = Artist::query().order_by(Artist::id).all(&report)?;
        let albums = load_children(&report, &artists, Album::artist_id)?;
        // guide
        assert_eq!((artists.len(), albums.iter().map(Vec::len).sum::<usize>()), (3, 0));
        Ok(())
    });
}
