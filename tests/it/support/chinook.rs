//! The shape of the Chinook database (a shop for music: artists, albums, tracks, playlists,
//! customers, invoices) as entities, with a generator of our own for its rows.

use super::Home;
use rowmill::Entity;
use std::fmt::Write;

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "artists")]
pub struct Artist {
    #[entity(key)]
    pub id: i64,
    pub name: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "albums")]
pub struct Album {
    #[entity(key)]
    pub id: i64,
    pub title: String,
    #[entity(references = Artist)]
    pub artist_id: i64,
}

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "genres")]
pub struct Genre {
    #[entity(key)]
    pub id: i32,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "tracks")]
pub struct Track {
    #[entity(key)]
    pub id: i64,
    pub name: String,
    #[entity(references = Album)]
    pub album_id: Option<i64>,
    #[entity(references = Genre)]
    pub genre_id: Option<i32>,
    pub composer: Option<String>,
    pub milliseconds: i32,
    pub cents: i64,
}

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "playlists")]
pub struct Playlist {
    #[entity(key)]
    pub id: i64,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "playlist_tracks")]
pub struct PlaylistTrack {
    #[entity(key, references = Playlist)]
    pub playlist_id: i64,
    #[entity(key, references = Track)]
    pub track_id: i64,
}

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "employees")]
pub struct Employee {
    #[entity(key)]
    pub id: i64,
    pub last_name: String,
    #[entity(references = Manager)]
    pub reports_to: Option<i64>,
}

/// The same table once more: whom an employee reports to.
#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "employees")]
pub struct Manager {
    #[entity(key)]
    pub id: i64,
    pub last_name: String,
}

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "customers")]
pub struct Customer {
    #[entity(key)]
    pub id: i64,
    pub last_name: String,
    pub country: Option<String>,
    #[entity(references = Employee)]
    pub support_rep_id: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "invoices")]
pub struct Invoice {
    #[entity(key)]
    pub id: i64,
    #[entity(references = Customer)]
    pub customer_id: i64,
    pub total_cents: i64,
    pub paid: bool,
}

#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "invoice_lines")]
pub struct InvoiceLine {
    #[entity(key)]
    pub id: i64,
    #[entity(references = Invoice)]
    pub invoice_id: i64,
    #[entity(references = Track)]
    pub track_id: i64,
    pub quantity: i32,
}

const TABLES: &str = "
    create table artists (id bigint primary key, name text);
    create table albums (id bigint primary key, title text not null,
        artist_id bigint not null references artists);
    create table genres (id integer primary key, name text not null);
    create table tracks (id bigint primary key, name text not null,
        album_id bigint references albums, genre_id integer references genres, composer text,
        milliseconds integer not null, cents bigint not null);
    create table playlists (id bigint primary key, name text not null);
    create table playlist_tracks (playlist_id bigint references playlists,
        track_id bigint references tracks, primary key (playlist_id, track_id));
    create table employees (id bigint primary key, last_name text not null,
        reports_to bigint references employees);
    create table customers (id bigint primary key, last_name text not null, country text,
        support_rep_id bigint references employees);
    create table invoices (id bigint primary key,
        customer_id bigint not null references customers, total_cents bigint not null,
        paid boolean not null);
    create table invoice_lines (id bigint primary key,
        invoice_id bigint not null references invoices,
        track_id bigint not null references tracks, quantity integer not null);
";

/// Numbers that are the same every time: a linear congruential generator with the constants of
/// Knuth's MMIX.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

const WORDS: [&str; 8] =
    ["Blue", "Night", "River", "100%", "under_score", "O''Hara", "\u{c9}lan", "moon"];

impl Dice {
    fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.roll(words.len() as u64) as usize]
    }

    fn name(&mut self) -> String {
        format!("{} {}", self.one_of(&WORDS), self.one_of(&WORDS))
    }

    /// A number up to `most`, or one time in ten none.
    fn reference(&mut self, most: u64) -> String {
        let number = 1 + self.roll(most);
        if self.roll(10) == 0 { "null".to_owned() } else { number.to_string() }
    }
}

/// The rows of a table, one for each number up to `count`.
fn rows(sql: &mut String, table: &str, count: u64, mut row: impl FnMut(u64) -> String) {
    let rows: Vec<_> = (1..=count).map(|id| format!("({})", row(id))).collect();
    writeln!(sql, "insert into {table} values {};", rows.join(", ")).unwrap();
}

/// Creates the tables and fills them: 20 artists, of whom some have no album, 50 albums, 500
/// tracks, of which some are on no album, 8 playlists, 5 employees, 30 customers, 100 invoices.
pub fn fill(home: &Home) {
    let mut sql = TABLES.to_owned();
    music(&mut sql, &mut Dice(8));
    sales(&mut sql, &mut Dice(9));
    home.engine().run(&sql).unwrap();
}

fn music(sql: &mut String, dice: &mut Dice) {
    rows(sql, "artists", 20, |id| match id {
        13 => "13, null".to_owned(),
        _ => format!("{id}, '{}'", dice.name()),
    });
    rows(sql, "albums", 50, |id| format!("{id}, '{}', {}", dice.name(), 1 + dice.roll(15)));
    rows(sql, "genres", 6, |id| format!("{id}, 'genre {id}'"));
    rows(sql, "tracks", 500, |id| {
        let (name, album, genre) = (dice.name(), dice.reference(50), dice.reference(5));
        let composer = match dice.roll(3) {
            0 => "null".to_owned(),
            _ => format!("'{}'", dice.name()),
        };
        let (length, cents) = (60_000 + dice.roll(400_000), dice.one_of(&["99", "129", "199"]));
        format!("{id}, '{name}', {album}, {genre}, {composer}, {length}, {cents}")
    });
    rows(sql, "playlists", 8, |id| format!("{id}, 'list {id}'"));
    // The last list is empty. 11 and 500 have no divisor in common: no track is in a list twice.
    rows(sql, "playlist_tracks", 280, |id| {
        let (list, track) = (1 + (id - 1) / 40, id % 40);
        format!("{list}, {}", 1 + (track * 11 + list) % 500)
    });
}

fn sales(sql: &mut String, dice: &mut Dice) {
    let managers =
        [("Adams", "null"), ("Edwards", "1"), ("Peacock", "2"), ("Park", "2"), ("Lee", "2")];
    rows(sql, "employees", 5, |id| {
        let (name, reports_to) = managers[id as usize - 1];
        format!("{id}, '{name}', {reports_to}")
    });
    rows(sql, "customers", 30, |id| {
        let country = dice.one_of(&["'Brazil'", "'Canada'", "'Norway'", "null"]);
        format!("{id}, '{}', {country}, {}", dice.name(), 3 + dice.roll(3))
    });
    rows(sql, "invoices", 100, |id| {
        let (customer, total) = (1 + dice.roll(28), 99 + dice.roll(2_000));
        format!("{id}, {customer}, {total}, {}", dice.roll(4) != 0)
    });
    rows(sql, "invoice_lines", 300, |id| {
        format!("{id}, {}, {}, {}", 1 + dice.roll(100), 1 + dice.roll(500), 1 + dice.roll(3))
    });
}

/// Runs `test` on both databases, filled.
pub fn on_both_filled(test: impl Fn(&Home)) {
    super::on_both(|home| {
        fill(home);
        test(home);
    });
}
