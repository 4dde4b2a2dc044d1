//! A flush is few statements, in an order in which no row refers to one that is not there.

use crate::support::Counted;
use crate::support::music::{
    Album, Artist, PlaylistTrack, Track, album, artist, playlist, track, with_shop,
};
use rowmill::prelude::*;

#[test]
fn a_thousand_mixed_changes_are_a_handful_of_statements() {
    with_shop(|home| {
        let mut tracks: Vec<_> = (0..600).map(|n| track(&format!("track {n}"), None)).collect();
        Track::insert_many(home.engine(), &mut tracks).unwrap();
        let counted = Counted::on(home);
        let mut session = counted.engine.session().unwrap();
        let tracks: Vec<_> =
            tracks.into_iter().map(|track| session.track(track).unwrap()).collect();
        let (renamed, rest) = tracks.split_at(200);
        let (shortened, deleted) = rest.split_at(200);
        for track in renamed {
            track.edit().title.push('!');
        }
        for track in shortened {
            track.edit().seconds = 60;
        }
        for track in deleted {
            session.delete(track).unwrap();
        }
        let artists = session.add_all((0..200).map(|n| artist(&format!("artist {n}"))));
        for (n, artist) in artists.iter().enumerate() {
            let album = session.add(album(&format!("album {n}"), 0));
            session.link(&album, Album::artist_id, artist).unwrap();
        }
        counted.take();
        session.commit().unwrap();
        let told = counted.take();
        // Numbers and rows of two entities, two sets of changed columns, deletions; a database
        // without arrays takes 500 rows at a time. Transaction control is two.
        assert!(told.len() <= 10, "{} statements: {told:#?}", told.len());
        let sums = "select (select count(*) from artist), (select count(*) from album), \
                    (select count(*) from track where title like '%!'), \
                    (select count(*) from track where seconds = 60), (select count(*) from track)";
        assert_eq!(home.rows(sums), ["200|200|200|200|400"]);
        let joined = "select count(*) from album join artist on artist.id = album.artist_id \
                      where substr(title, 7) = substr(name, 8)";
        assert_eq!(home.rows(joined), ["200"]);
    });
}

#[test]
fn parents_are_inserted_first_and_children_deleted_first_whatever_the_order_of_the_calls() {
    with_shop(|home| {
        let mut session = home.engine().session().unwrap();
        let entry = session.add(PlaylistTrack { playlist: "best".to_owned(), track_id: 0 });
        let song = session.add(track("Sinnerman", None));
        let debut = session.add(album("Debut", 0));
        let best = session.add(playlist("best"));
        let nina = session.add(artist("Nina"));
        session.link(&entry, PlaylistTrack::track_id, &song).unwrap();
        session.link(&song, Track::album_id, &debut).unwrap();
        session.link(&debut, Album::artist_id, &nina).unwrap();
        session.commit().unwrap();
        assert_eq!(song.read().album_id, Some(debut.read().id));
        let joined = "select artist.name, playlist from playlist_track join track on track.id = track_id \
                      join album on album.id = album_id join artist on artist.id = artist_id";
        assert_eq!(home.rows(joined), ["Nina|best"]);
        session.delete(&nina).unwrap();
        session.delete(&best).unwrap();
        session.delete(&debut).unwrap();
        session.delete(&song).unwrap();
        session.delete(&entry).unwrap();
        session.commit().unwrap();
        assert_eq!(
            home.rows("select name from artist union all select name from playlist"),
            [""; 0]
        );
    });
}

#[derive(Debug, Entity)]
struct Employee {
    #[entity(key, generated)]
    id: i64,
    name: String,
    #[entity(references = Employee)]
    chief: Option<i64>,
}

#[test]
fn rows_that_refer_to_rows_of_their_own_table_are_inserted_one_rank_after_the_other() {
    with_shop(|home| {
        let id = home.pick("integer primary key", "bigserial primary key");
        home.sql(&format!(
            "create table employee (id {id}, name text, chief bigint references employee (id))"
        ));
        let mut session = home.engine().session().unwrap();
        let employee = |name: &str| Employee { id: 0, name: name.to_owned(), chief: None };
        let clerk = session.add(employee("clerk"));
        let head = session.add(employee("head"));
        let chief = session.add(employee("chief"));
        session.link(&clerk, Employee::chief, &head).unwrap();
        session.link(&head, Employee::chief, &chief).unwrap();
        session.commit().unwrap();
        let ranks = "select a.name, b.name from employee a join employee b on b.id = a.chief \
                     order by a.name";
        assert_eq!(home.rows(ranks), ["clerk|head", "head|chief"]);

        session.link(&chief, Employee::chief, &clerk).unwrap();
        session.commit().unwrap();
        assert_eq!(home.rows("select count(*) from employee where chief is null"), ["0"]);

        let (one, other) = (session.add(employee("one")), session.add(employee("other")));
        session.link(&one, Employee::chief, &other).unwrap();
        session.link(&other, Employee::chief, &one).unwrap();
        assert_eq!(session.flush().unwrap_err().kind(), ErrorKind::Config);
    });
}

#[derive(Debug, Entity)]
#[entity(table = "chicken")]
struct Chicken {
    #[entity(key)]
    id: i64,
    #[entity(references = "egg.id")]
    egg: Option<i64>,
}

#[derive(Debug, Entity)]
#[entity(table = "egg")]
struct Egg {
    #[entity(key)]
    id: i64,
    #[entity(references = "chicken.id")]
    chicken: Option<i64>,
}

#[test]
fn tables_that_refer_to_each_other_are_refused_together_and_taken_one_by_one() {
    with_shop(|home| {
        home.sql("create table chicken (id bigint primary key, egg bigint)");
        home.sql(
            "create table egg (id bigint primary key, chicken bigint references chicken (id))",
        );
        let mut session = home.engine().session().unwrap();
        session.add(Egg { id: 1, chicken: Some(1) });
        session.add(Chicken { id: 1, egg: Some(1) });
        let error = session.flush().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("egg and chicken"), "{error}");
        session.rollback().unwrap();
        session.add(Chicken { id: 1, egg: Some(1) });
        session.flush().unwrap();
        session.add(Egg { id: 1, chicken: Some(1) });
        session.commit().unwrap();
        assert_eq!(home.rows("select chicken.id, egg.id from chicken, egg"), ["1|1"]);
    });
}

#[test]
fn a_link_to_a_row_that_is_there_holds_at_once() {
    with_shop(|home| {
        home.sql("insert into artist (id, name) values (7, 'Nina'), (8, 'Ella')");
        home.sql("insert into album (id, title, artist_id, version) values (1, 'Debut', 7, 0)");
        let mut session = home.engine().session().unwrap();
        let debut = session.get::<Album>(1).unwrap().unwrap();
        let ella = session.get::<Artist>(8).unwrap().unwrap();
        session.link(&debut, Album::artist_id, &ella).unwrap();
        assert_eq!(debut.read().artist_id, 8);
        session.commit().unwrap();
        assert_eq!(home.rows("select artist_id, version from album"), ["8|1"]);
    });
}
