//! Joins along foreign keys, and by conditions.

use crate::support::Home;
use crate::support::chinook::{
    Album, Artist, Customer, Employee, Invoice, Manager, Playlist, PlaylistTrack, Track,
    on_both_filled,
};
use rowmill::{Query, count_all, either, equal};

fn shown<T>(rows: &[T], show: impl Fn(&T) -> String) -> Vec<String> {
    rows.iter().map(show).collect()
}

#[test]
fn a_foreign_key_joins_its_parent_and_its_children() {
    on_both_filled(|home| {
        let engine = home.engine();
        let up: Vec<(Album, Artist)> = Query::<Album>::new()
            .join(Album::artist_id)
            .order_by(Album::id.asc())
            .all(engine)
            .unwrap();
        let down: Vec<(Artist, Album)> = Query::<Artist>::new()
            .join_children(Album::artist_id)
            .order_by(Album::id.asc())
            .all(engine)
            .unwrap();
        let turned: Vec<_> = down.into_iter().map(|(artist, album)| (album, artist)).collect();
        assert_eq!(up, turned);
        let expected = home.rows(
            "select b.id, b.title, a.id, a.name from albums b join artists a on a.id = b.artist_id \
             order by b.id",
        );
        let name = |artist: &Artist| artist.name.clone().unwrap_or("NULL".to_owned());
        let show = |(album, artist): &(Album, Artist)| {
            format!("{}|{}|{}|{}", album.id, album.title, artist.id, name(artist))
        };
        assert_eq!(shown(&up, show), expected);
        assert_eq!(expected.len(), 50);
    });
}

#[test]
fn a_left_join_keeps_what_has_no_match() {
    on_both_filled(|home| {
        let engine = home.engine();
        let tracks: Vec<(Track, Option<Album>)> = Query::<Track>::new()
            .left_join(Track::album_id)
            .order_by(Track::id.asc())
            .all(engine)
            .unwrap();
        assert_eq!(tracks.len(), 500);
        for (track, album) in &tracks {
            assert_eq!(track.album_id, album.as_ref().map(|album| album.id));
        }
        assert!(tracks.iter().any(|(_, album)| album.is_none()));
        let artists: Vec<(Artist, Option<Album>)> =
            Query::<Artist>::new().left_join_children(Album::artist_id).all(engine).unwrap();
        let expected = home.rows(
            "select count(*), count(b.id) from artists a left join albums b on b.artist_id = a.id",
        );
        let albums = artists.iter().filter(|(_, album)| album.is_some()).count();
        assert_eq!(format!("{}|{albums}", artists.len()), expected[0]);
    });
}

#[test]
fn several_joins_are_filtered_ordered_and_selected_together() {
    on_both_filled(|home| {
        let rows: Vec<(String, String, Option<String>)> = Query::<Track>::new()
            .join(Track::album_id)
            .join(Album::artist_id)
            .filter(Track::cents.eq(199))
            .filter(Artist::id.lt(5))
            .order_by(Artist::id.asc())
            .order_by(Track::id.desc())
            .select((Track::name, Album::title, Artist::name))
            .all(home.engine())
            .unwrap();
        let expected = home.rows(
            "select t.name, b.title, a.name from tracks t join albums b on b.id = t.album_id \
             join artists a on a.id = b.artist_id where t.cents = 199 and a.id < 5 \
             order by a.id, t.id desc",
        );
        let show = |(track, album, artist): &(String, String, Option<String>)| {
            format!("{track}|{album}|{}", artist.as_deref().unwrap_or("NULL"))
        };
        assert_eq!(shown(&rows, show), expected);
        assert!(expected.len() > 5);
    });
}

#[test]
fn a_condition_may_be_over_several_entities() {
    on_both_filled(|home| {
        let condition = either(Track::cents.eq(199), Album::title.starts_with("Blue"));
        let count =
            Query::<Track>::new().join(Track::album_id).filter(condition).count(home.engine());
        let expected = home.rows(
            "select count(*) from tracks t join albums b on b.id = t.album_id \
             where t.cents = 199 or substr(b.title, 1, 4) = 'Blue'",
        );
        assert_eq!(count.unwrap().to_string(), expected[0]);
    });
}

#[test]
fn many_to_many_goes_through_its_link() {
    on_both_filled(|home| {
        let rows: Vec<(i64, i64)> = Query::<Playlist>::new()
            .join_children(PlaylistTrack::playlist_id)
            .join(PlaylistTrack::track_id)
            .group_by(Playlist::id)
            .order_by(Playlist::id.asc())
            .select((Playlist::id, count_all::<Track>()))
            .all(home.engine())
            .unwrap();
        let expected =
            home.rows("select playlist_id, count(*) from playlist_tracks group by 1 order by 1");
        assert_eq!(shown(&rows, |(list, count)| format!("{list}|{count}")), expected);
    });
}

#[test]
fn a_table_is_joined_to_itself_by_an_entity_of_its_own() {
    on_both_filled(|home| {
        let rows: Vec<(Employee, Option<Manager>)> = Query::<Employee>::new()
            .left_join(Employee::reports_to)
            .order_by(Employee::id.asc())
            .all(home.engine())
            .unwrap();
        let names: Vec<_> = rows
            .iter()
            .map(|(employee, manager)| {
                (employee.id, manager.as_ref().map(|m| m.last_name.as_str()))
            })
            .collect();
        assert_eq!(names[..3], [(1, None), (2, Some("Adams")), (3, Some("Edwards"))]);
    });
}

#[test]
fn any_condition_joins_any_entity() {
    on_both_filled(|home| {
        let count = Query::<Customer>::new()
            .join_with::<Employee>()
            .on(equal(Customer::support_rep_id, Employee::id))
            .join_children(Invoice::customer_id)
            .filter(Employee::last_name.eq("Park"))
            .filter(Invoice::paid.eq(true))
            .count(home.engine());
        let expected = home.rows(
            "select count(*) from customers c join employees e on e.id = c.support_rep_id \
             join invoices i on i.customer_id = c.id where e.last_name = 'Park' and i.paid",
        );
        assert_eq!(count.unwrap().to_string(), expected[0]);
        assert_ne!(expected[0], "0");
    });
}

#[test]
fn a_left_join_by_a_condition_keeps_what_has_no_match_and_its_columns_are_optional() {
    on_both_filled(|home| {
        let rows: Vec<(i64, Option<String>, Option<String>)> = Query::<Artist>::new()
            .left_join_with::<Album>()
            .on(equal(Album::artist_id, Artist::id).and(equal(Album::id, Artist::id)))
            .order_by(Artist::id)
            .select((Artist::id, Artist::name, Album::title.nullable()))
            .all(home.engine())
            .unwrap();
        let expected = home.rows(
            "select a.id, a.name, b.title from artists a \
             left join albums b on b.artist_id = a.id and b.id = a.id order by a.id",
        );
        let text = |text: &Option<String>| text.clone().unwrap_or("NULL".to_owned());
        let show = |(id, name, title): &(i64, Option<String>, Option<String>)| {
            format!("{id}|{}|{}", text(name), text(title))
        };
        assert_eq!(shown(&rows, show), expected);
        assert!(rows.iter().any(|row| row.2.is_none()));
    });
}

/// The rows are locked but for those that a left join may leave out, which cannot be.
#[test]
fn the_rows_of_a_join_are_locked() {
    on_both_filled(|home: &Home| {
        let query = Query::<Track>::new().left_join(Track::album_id).for_update().limit(3);
        let found = home.engine().transaction(|transaction| query.all(transaction)).unwrap();
        assert_eq!(found.len(), 3);
    });
}
