//! A session that only reads.

use crate::support::music::{Album, Artist, album, artist, with_shop};
use rowmill::prelude::*;
use rowmill::{Intent, Isolation};

#[test]
fn a_read_session_reads_in_one_transaction_and_blocks_no_writer() {
    with_shop(|home| {
        let mut nina = artist("Nina");
        nina.insert(home.engine()).unwrap();
        let snapshot = if home.is_postgres() {
            TransactionOptions::new().isolation(Isolation::RepeatableRead)
        } else {
            TransactionOptions::new()
        };
        let options = SessionOptions::new().transaction(snapshot);
        let mut session = home.engine().read_session_with(options).unwrap();
        assert_eq!(session.get::<Artist>(nina.id).unwrap(), Some(nina.clone()));
        home.sql("update artist set name = 'Simone'");
        assert_eq!(session.get::<Artist>(nina.id).unwrap(), Some(nina.clone()));
        session.end().unwrap();
        assert_eq!(home.engine().stats().in_use, 0);
        assert_eq!(session.get::<Artist>(nina.id).unwrap().unwrap().name, "Simone");
    });
}

#[test]
fn what_only_reads_is_asked_of_it_and_what_writes_is_refused() {
    with_shop(|home| {
        let mut nina = artist("Nina");
        nina.insert(home.engine()).unwrap();
        let session = home.engine().read_session().unwrap();
        let albums = load_children(&session, &[nina.clone()], Album::artist_id).unwrap();
        assert_eq!(albums, [vec![]]);
        for refused in [
            nina.clone().update(&session).map(drop),
            nina.delete(&session).map(drop),
            Album::insert_many(&session, &mut [album("Debut", 1)]),
            Artist::insert_all(&session, [artist("Ella")]).map(drop),
        ] {
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unsupported);
        }
        if home.is_postgres() {
            let written = session
                .with(Intent::Read, |connection| connection.execute("delete from artist", &[]));
            assert!(written.unwrap_err().to_string().contains("25006"));
        }
    });
}
