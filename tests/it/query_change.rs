//! Updates and deletions of what a condition finds.

use crate::support::chinook::{Album, Artist, InvoiceLine, Track, on_both_filled};
use rowmill::{Delete, ErrorKind, Update, has};

#[test]
fn an_update_changes_the_rows_that_it_finds_and_says_how_many() {
    on_both_filled(|home| {
        let engine = home.engine();
        let changed = Update::<Track>::new()
            .set(Track::cents, Track::cents + 10)
            .set(Track::composer, "nobody")
            .filter(Track::composer.is_null())
            .filter(Track::id.le(100))
            .run(engine)
            .unwrap();
        let expected = home
            .rows("select count(*), min(cents), max(cents) from tracks where composer = 'nobody'");
        assert_eq!(expected, [format!("{changed}|109|209")]);
        let cleared = Update::<Track>::new()
            .set(Track::composer, None)
            .filter(Track::composer.eq("nobody"))
            .returning(engine)
            .unwrap();
        assert_eq!(cleared.len() as u64, changed);
        assert!(cleared.iter().all(|track| track.composer.is_none() && track.id <= 100));
    });
}

#[test]
fn a_deletion_takes_the_rows_that_it_finds() {
    on_both_filled(|home| {
        let engine = home.engine();
        let gone =
            Delete::<InvoiceLine>::new().filter(InvoiceLine::quantity.ge(2)).run(engine).unwrap();
        assert_eq!(home.rows("select count(*) from invoice_lines"), [(300 - gone).to_string()]);
        let last = Delete::<InvoiceLine>::new().every_row().returning(engine).unwrap();
        assert_eq!(last.len() as u64, 300 - gone);
    });
}

#[test]
fn a_condition_may_ask_other_tables() {
    on_both_filled(|home| {
        let renamed = Update::<Artist>::new()
            .set(Artist::name, "silent")
            .filter(!has(Album::artist_id, |albums| albums))
            .run(home.engine())
            .unwrap();
        let expected = home.rows(
            "select count(*) from artists where name = 'silent' \
             and id not in (select artist_id from albums)",
        );
        assert_eq!(expected, [renamed.to_string()]);
    });
}

#[test]
fn what_would_hit_every_row_unasked_is_refused() {
    on_both_filled(|home| {
        let engine = home.engine();
        let delete = Delete::<InvoiceLine>::new().run(engine).unwrap_err();
        assert_eq!(delete.kind(), ErrorKind::Config);
        assert!(delete.to_string().contains("every row of InvoiceLine"), "{delete}");
        let update = Update::<Track>::new().set(Track::cents, 0).run(engine).unwrap_err();
        assert_eq!(update.kind(), ErrorKind::Config);
        let nothing = Update::<Track>::new().every_row().run(engine).unwrap_err();
        assert!(nothing.to_string().contains("sets no column"), "{nothing}");
        assert_eq!(home.rows("select count(*) from invoice_lines"), ["300"]);
    });
}
