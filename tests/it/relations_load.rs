//! What belongs to many rows is read in one query for all of them.

use crate::support::music::{
    Album, Artist, Playlist, PlaylistTrack, Track, album, artist, playlist, track, with_shop,
};
use crate::support::{Counted, Home};
use rowmill::prelude::*;
use std::sync::{Arc, Mutex};

/// 100 artists, of whom number n has n % 4 albums; tracks of the first albums.
fn filled(home: &Home) -> Vec<Artist> {
    let mut artists: Vec<_> = (0..100).map(|n| artist(&format!("artist {n}"))).collect();
    Artist::insert_many(home.engine(), &mut artists).unwrap();
    let mut albums: Vec<_> = artists
        .iter()
        .enumerate()
        .flat_map(|(n, artist)| {
            (0..n % 4).map(move |k| album(&format!("album {n}.{k}"), artist.id))
        })
        .collect();
    Album::insert_many(home.engine(), &mut albums).unwrap();
    artists
}

#[test]
fn the_children_of_a_hundred_parents_are_one_query() {
    with_shop(|home| {
        let artists = filled(home);
        let counted = Counted::on(home);
        let albums = load_children(&counted.engine, &artists, Album::artist_id).unwrap();
        assert_eq!(counted.take().len(), 1);
        assert_eq!(albums.len(), 100);
        for (n, albums) in albums.iter().enumerate() {
            let titles: Vec<_> = albums.iter().map(|album| album.title.clone()).collect();
            let expected: Vec<_> = (0..n % 4).map(|k| format!("album {n}.{k}")).collect();
            assert_eq!(titles, expected);
        }
        let none = load_children(&counted.engine, &[] as &[Artist], Album::artist_id).unwrap();
        assert!(none.is_empty() && counted.take().is_empty());
    });
}

#[test]
fn the_parents_of_many_children_are_one_query_and_shared() {
    with_shop(|home| {
        let artists = filled(home);
        let albums = load_children(home.engine(), &artists, Album::artist_id).unwrap();
        let albums: Vec<_> = albums.into_iter().flatten().collect();
        let counted = Counted::on(home);
        let found = load_parents(&counted.engine, &albums, Album::artist_id).unwrap();
        assert_eq!(counted.take().len(), 1);
        for (album, artist) in albums.iter().zip(&found) {
            assert_eq!(artist.as_ref().unwrap().id, album.artist_id);
        }
        let of_three: Vec<_> =
            albums.iter().position(|album| album.title == "album 3.0").into_iter().collect();
        let [first] = of_three[..] else { panic!("no such album") };
        assert!(Arc::ptr_eq(found[first].as_ref().unwrap(), found[first + 1].as_ref().unwrap()));
    });
}

#[test]
fn a_child_without_a_parent_has_none() {
    with_shop(|home| {
        let mut tracks = [track("Sinnerman", None), track("Feeling Good", None)];
        Track::insert_many(home.engine(), &mut tracks).unwrap();
        tracks[1].album_id = Some(99);
        let albums = load_parents(home.engine(), &tracks, Track::album_id).unwrap();
        assert_eq!(albums, [None, None]);
    });
}

#[test]
fn what_is_linked_by_a_table_between_is_one_query() {
    with_shop(|home| {
        let mut lists = ["even", "third", "none"].map(playlist);
        Playlist::insert_many(home.engine(), &mut lists).unwrap();
        let mut tracks: Vec<_> = (0..12).map(|n| track(&format!("track {n}"), None)).collect();
        Track::insert_many(home.engine(), &mut tracks).unwrap();
        let mut links = Vec::new();
        for (n, track) in tracks.iter().enumerate() {
            for (name, every) in [("even", 2), ("third", 3)] {
                if n % every == 0 {
                    links.push(PlaylistTrack { playlist: name.to_owned(), track_id: track.id });
                }
            }
        }
        PlaylistTrack::insert_many(home.engine(), &mut links).unwrap();
        let counted = Counted::on(home);
        let found =
            load_through(&counted.engine, &lists, PlaylistTrack::playlist, PlaylistTrack::track_id);
        let found = found.unwrap();
        assert_eq!(counted.take().len(), 1);
        let titles = |tracks: &[Arc<Track>]| {
            tracks
                .iter()
                .map(|track| track.title.replace("track ", ""))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(titles(&found[0]), "0 2 4 6 8 10");
        assert_eq!(titles(&found[1]), "0 3 6 9");
        assert!(found[2].is_empty());
        assert!(Arc::ptr_eq(&found[0][3], &found[1][2]), "track 6 is one");
        drop(counted);

        let session = home.engine().session().unwrap();
        let lists: Vec<_> = lists.map(|list| session.track(list).unwrap()).into();
        let found =
            session.load_through(&lists, PlaylistTrack::playlist, PlaylistTrack::track_id).unwrap();
        assert_eq!(found[0][3], found[1][2]);
    });
}

#[test]
fn more_rows_than_one_query_takes_are_several() {
    with_shop(|home| {
        let mut artists: Vec<_> = (0..10_050).map(|n| artist(&format!("artist {n}"))).collect();
        Artist::insert_many(home.engine(), &mut artists).unwrap();
        let mut albums: Vec<_> =
            artists.iter().map(|artist| album(&artist.name, artist.id)).collect();
        Album::insert_many(home.engine(), &mut albums).unwrap();
        let counted = Counted::on(home);
        let found = load_children(&counted.engine, &artists, Album::artist_id).unwrap();
        assert_eq!(counted.take().len(), if home.is_postgres() { 2 } else { 21 });
        for (artist, albums) in artists.iter().zip(&found) {
            assert_eq!(albums[0].title, artist.name);
        }
    });
}

#[test]
fn a_session_loads_its_own_objects() {
    with_shop(|home| {
        let mut session = home.engine().session().unwrap();
        let nina = session.add(artist("Nina"));
        let ella = session.add(artist("Ella"));
        let debut = session.add(album("Debut", 0));
        session.link(&debut, Album::artist_id, &nina).unwrap();
        let albums = session.load_children(&[nina.clone(), ella], Album::artist_id).unwrap();
        assert_eq!(albums, [vec![debut.clone()], vec![]]);
        debut.edit().title = "Little Girl Blue".to_owned();
        let parents = session.load_parents(&albums[0], Album::artist_id).unwrap();
        assert_eq!(parents, [Some(nina)]);
        session.commit().unwrap();
        assert_eq!(home.rows("select title from album"), ["Little Girl Blue"]);
    });
}

#[test]
fn rows_that_are_read_one_by_one_are_told_of() {
    with_shop(|home| {
        let artists = filled(home);
        let told = Arc::new(Mutex::new(Vec::new()));
        let listener = {
            let told = Arc::clone(&told);
            move |gets: &rowmill::RepeatedGets| told.lock().unwrap().push(gets.to_string())
        };
        let options = SessionOptions::new().repeated_gets(5).on_repeated_gets(listener);
        let mut session = home.engine().session_with(options.clone()).unwrap();
        for artist in &artists[..4] {
            session.get::<Artist>(artist.id).unwrap();
        }
        session.commit().unwrap();
        assert_eq!(told.lock().unwrap().len(), 0);
        for artist in &artists[..20] {
            session.get::<Artist>(artist.id).unwrap();
        }
        let line = told.lock().unwrap().join("\n");
        assert!(line.starts_with("5 rows of Artist were read one by one"), "{line}");
        assert!(line.contains("relations_load.rs") && line.lines().count() == 1, "{line}");

        session.close().unwrap();

        let session = home.engine().read_session_with(options).unwrap();
        for artist in &artists[..20] {
            session.get::<Artist>(artist.id).unwrap();
        }
        assert_eq!(told.lock().unwrap().len(), 2);
    });
}
