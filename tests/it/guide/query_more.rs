//! Joins, raw SQL and streams, against SQL that was written by hand.

use crate::support::Home;
use crate::support::chinook::{
    Album, Artist, Employee, Manager, Playlist, PlaylistTrack, Track, on_both_filled,
};
use rowmill::prelude::*;

fn on_both_databases(test: impl Fn(&Engine, &Home) -> Result<()>) {
    on_both_filled(|home| test(home.engine(), home).unwrap());
}

#[test]
fn tables_are_joined() {
    on_both_databases(|engine, home| {
        // guide
        let rows: Vec<(Track, Album, Artist)> = Track::query()
            .join(Track::album_id) // the foreign key says where to
            .join(Album::artist_id)
            .filter(Artist::name.eq("Blue Night"))
            .all(engine)?;
        let titles: Vec<(String, Option<String>)> = Track::query()
            .left_join(Track::album_id)
            .order_by(Track::id)
            .select((Track::name, Album::title.nullable()))
            .all(engine)?;
        let lists: Vec<(Playlist, PlaylistTrack, Track)> = Playlist::query()
            .join_children(PlaylistTrack::playlist_id) // from the parent to its children
            .join(PlaylistTrack::track_id)
            .all(engine)?;
        let reports: Vec<(Employee, Option<Manager>)> =
            Employee::query().left_join(Employee::reports_to).all(engine)?;
        // guide
        let expected = home.rows(
            "select count(*) from tracks t join albums b on b.id = t.album_id \
             join artists a on a.id = b.artist_id where a.name = 'Blue Night'",
        );
        assert_eq!([rows.len().to_string()], expected[..]);
        let expected = home.rows(
            "select t.name, b.title from tracks t left join albums b on b.id = t.album_id order by t.id",
        );
        let text = |title: &Option<String>| title.clone().unwrap_or("NULL".to_owned());
        let shown: Vec<_> =
            titles.iter().map(|(name, title)| format!("{name}|{}", text(title))).collect();
        assert_eq!(shown, expected);
        assert_eq!(home.rows("select count(*) from playlist_tracks"), [lists.len().to_string()]);
        assert_eq!((reports.len(), reports.iter().filter(|row| row.1.is_none()).count()), (5, 1));
        Ok(())
    });
}

#[test]
fn what_belongs_to_many_rows_is_read_in_one_query() {
    on_both_databases(|engine, home| {
        // guide
        let artists = Artist::query().order_by(Artist::id).all(engine)?;
        let albums = load_children(engine, &artists, Album::artist_id)?; // one query for all
        for (artist, albums) in artists.iter().zip(&albums) {
            println!("{:?} has {} albums", artist.name, albums.len());
        }

        let tracks = Track::query().limit(100).all(engine)?;
        let albums_of_tracks = load_parents(engine, &tracks, Track::album_id)?;
        let lists = Playlist::query().order_by(Playlist::id).all(engine)?;
        let tracks_of_lists =
            load_through(engine, &lists, PlaylistTrack::playlist_id, PlaylistTrack::track_id)?;
        // guide
        let counts: Vec<_> = artists
            .iter()
            .zip(&albums)
            .map(|(artist, albums)| format!("{}|{}", artist.id, albums.len()))
            .collect();
        let expected = home.rows(
            "select a.id, count(b.id) from artists a left join albums b on b.artist_id = a.id \
             group by a.id order by a.id",
        );
        assert_eq!(counts, expected);
        for (track, album) in tracks.iter().zip(&albums_of_tracks) {
            assert_eq!(track.album_id, album.as_ref().map(|album| album.id));
        }
        let expected = home.rows(
            "select count(l.track_id) from playlists p \
             left join playlist_tracks l on l.playlist_id = p.id group by p.id order by p.id",
        );
        let counts: Vec<_> =
            tracks_of_lists.iter().map(|tracks| tracks.len().to_string()).collect();
        assert_eq!(counts, expected);
        Ok(())
    });
}

#[test]
fn sql_is_written_by_hand() {
    on_both_databases(|engine, home| {
        // guide
        #[derive(Debug, PartialEq, Entity)]
        struct Total {
            genre: Option<i32>,
            cents: i64,
        }

        let totals: Vec<Total> = Sql::new(
            "select genre_id as genre, cast(sum(cents) as bigint) as cents
             from tracks where milliseconds > :least group by genre_id order by cents desc",
        )
        .bind("least", 120_000)
        .all(engine)?;
        let count: i64 = Sql::new("select count(*) from tracks").scalar(engine)?;
        let changed: u64 = Sql::new("update artists set name = :name where id = :id")
            .bind("name", "Nina Simone")
            .bind("id", 1)
            .run(engine)?;
        // guide
        let expected = home.rows(
            "select genre_id, sum(cents) from tracks where milliseconds > 120000 \
             group by genre_id order by 2 desc",
        );
        let genre = |total: &Total| total.genre.map_or("NULL".to_owned(), |id| id.to_string());
        let shown: Vec<_> =
            totals.iter().map(|total| format!("{}|{}", genre(total), total.cents)).collect();
        assert_eq!(shown, expected);
        assert_eq!((count, changed), (500, 1));
        assert_eq!(home.rows("select name from artists where id = 1"), ["Nina Simone"]);
        // guide
        #[derive(Debug, Entity)]
        #[entity(table = "chain")]
        struct Above {
            id: i64,
            above: i64,
        }

        let chain = Above::query()
            .with_recursive(
                "chain",
                "select id, cast(0 as bigint) as above from employees where reports_to is null
                 union all
                 select e.id, c.above + 1 from employees e join chain c on e.reports_to = c.id",
            )
            .filter(Above::above.gt(0))
            .order_by((Above::above, Above::id))
            .all(engine)?;
        // guide
        let shown: Vec<_> = chain.iter().map(|row| (row.id, row.above)).collect();
        assert_eq!(shown, [(2, 1), (3, 2), (4, 2), (5, 2)]);
        Ok(())
    });
}

#[test]
fn many_rows_need_little_memory() {
    on_both_databases(|engine, home| {
        let (mut sum, mut chunks) = (0, 0);
        // guide
        for track in Track::query().iter(engine)? {
            sum += track?.cents;
        } // a stream that is dropped before its end cancels its query
        for tracks in Track::query().chunks(engine, 200)? {
            println!("{} tracks", tracks?.len());
            chunks += 1;
        }
        // guide
        assert_eq!(home.rows("select sum(cents) from tracks"), [sum.to_string()]);
        assert_eq!(chunks, 3);
        Ok(())
    });
}
