//! Who does what: the contenders of each piece of work.

pub use super::contender::{Contender, Kind, Program, Way};

use super::programs::tokio_postgres::{Bb8, Deadpool};
use super::programs::{self, plain, rowmill, sea_orm, sqlx, tokio_postgres};
#[cfg(feature = "diesel")]
use super::programs::{diesel, diesel_async};
use super::tools;
use super::work::Work;
use Kind::{Async, Blocking, Limit, Nobody, Ours, Python, PythonMapper};

/// The contenders of a piece of work, in the order of the table.
pub fn of(work: Work) -> Vec<Contender> {
    let mut all = here(work);
    all.extend(with_python(work));
    all.extend(with_tools(work));
    all.sort_by_key(|contender| contender.kind as u8);
    all
}

/// Those that are no tools: a contender that looks for itself among them does not ask which tools
/// there are, which would be processor time of its own.
pub fn here(work: Work) -> Vec<Contender> {
    let all = match work {
        Work::Load => load(),
        Work::File => file(),
        Work::Bad => bad(),
        Work::Read => read(),
        Work::Upsert | Work::UpsertNew => upsert(),
        Work::LookUp => look_up(),
        Work::Transaction => transaction(),
        Work::Copy => copy(),
        Work::Sleep => sleep(),
    };
    #[cfg(feature = "diesel")]
    let all = [all, with_diesel(work)].concat();
    all
}

fn load() -> Vec<Contender> {
    vec![
        Contender::here("the rows alone, made and dropped", Nobody, 2, programs::made),
        Contender::server("the server, COPY from a binary file", tools::load_binary),
        Contender::here("rowmill, job", Ours, 2, rowmill::load),
        Contender::here("rowmill, job", Ours, 4, rowmill::load),
        Contender::here("rowmill, job, TCP", Ours, 2, rowmill::load).by(Way::Tcp),
        Contender::here(
            "tokio-postgres + deadpool, binary COPY",
            Async,
            2,
            tokio_postgres::load_binary::<Deadpool>,
        ),
        Contender::here(
            "tokio-postgres + deadpool, binary COPY",
            Async,
            4,
            tokio_postgres::load_binary::<Deadpool>,
        ),
        Contender::here(
            "tokio-postgres + deadpool, binary COPY, Unix socket",
            Async,
            2,
            tokio_postgres::load_binary::<Deadpool>,
        )
        .by(Way::Socket),
        Contender::here(
            "tokio-postgres + deadpool, text COPY",
            Async,
            2,
            tokio_postgres::load_text::<Deadpool>,
        ),
        Contender::here(
            "tokio-postgres + deadpool, text COPY",
            Async,
            4,
            tokio_postgres::load_text::<Deadpool>,
        ),
        Contender::here(
            "tokio-postgres + bb8, binary COPY",
            Async,
            2,
            tokio_postgres::load_binary::<Bb8>,
        ),
        Contender::here("sqlx, text COPY", Async, 2, sqlx::load_text),
        Contender::here("sqlx, text COPY", Async, 4, sqlx::load_text),
        Contender::here("sqlx, insert of many rows", Async, 2, sqlx::load_insert),
        Contender::here("SeaORM, insert_many", Async, 2, sea_orm::load_insert),
        Contender::here("r2d2 + postgres + rayon, binary COPY", Blocking, 2, plain::load),
        Contender::tool("psql \\copy, from CSV", 1, tools::psql_copy),
    ]
}

fn file() -> Vec<Contender> {
    vec![
        Contender::server("the server, COPY from the CSV file", tools::load_csv),
        Contender::here("rowmill, job", Ours, 2, rowmill::file),
        Contender::here(
            "tokio-postgres + deadpool, the file's bytes",
            Async,
            2,
            tokio_postgres::file_text::<Deadpool>,
        ),
        Contender::here(
            "tokio-postgres + deadpool, the file's bytes",
            Async,
            4,
            tokio_postgres::file_text::<Deadpool>,
        ),
        Contender::here(
            "tokio-postgres + deadpool, csv, binary COPY",
            Async,
            2,
            tokio_postgres::bad::<Deadpool>,
        ),
        Contender::tool("psql \\copy", 1, tools::psql_copy),
    ]
}

fn bad() -> Vec<Contender> {
    vec![
        Contender::here("rowmill, job", Ours, 2, rowmill::file),
        Contender::here(
            "tokio-postgres + deadpool, csv, binary COPY",
            Async,
            2,
            tokio_postgres::bad::<Deadpool>,
        ),
    ]
}

fn read() -> Vec<Contender> {
    vec![
        Contender::server("the server, binary COPY to nowhere", tools::read_all),
        Contender::here("rowmill, query", Ours, 1, rowmill::read),
        Contender::here("rowmill, query", Ours, 2, rowmill::read),
        Contender::here("rowmill, query, TCP", Ours, 2, rowmill::read).by(Way::Tcp),
        Contender::here(
            "tokio-postgres + deadpool, stream",
            Async,
            1,
            tokio_postgres::read::<Deadpool>,
        ),
        Contender::here(
            "tokio-postgres + deadpool, stream",
            Async,
            2,
            tokio_postgres::read::<Deadpool>,
        ),
        Contender::here(
            "tokio-postgres + deadpool, binary COPY",
            Async,
            2,
            tokio_postgres::read_copy::<Deadpool>,
        ),
        Contender::here(
            "tokio-postgres + deadpool, binary COPY, Unix socket",
            Async,
            2,
            tokio_postgres::read_copy::<Deadpool>,
        )
        .by(Way::Socket),
        Contender::here("tokio-postgres + bb8, stream", Async, 2, tokio_postgres::read::<Bb8>),
        Contender::here("sqlx, stream", Async, 1, sqlx::read),
        Contender::here("sqlx, stream", Async, 2, sqlx::read),
        Contender::here("SeaORM, stream", Async, 2, sea_orm::read),
        Contender::here("r2d2 + postgres + rayon", Blocking, 2, plain::read),
    ]
}

fn upsert() -> Vec<Contender> {
    vec![
        Contender::here("rowmill, job", Ours, 8, rowmill::upsert),
        Contender::here("rowmill, job, TCP", Ours, 8, rowmill::upsert).by(Way::Tcp),
        Contender::here("rowmill, upsert_many by hand", Ours, 8, rowmill::upsert_by_hand),
        Contender::here("tokio-postgres + deadpool", Async, 8, tokio_postgres::upsert::<Deadpool>),
        Contender::here(
            "tokio-postgres + deadpool, pipelined",
            Async,
            8,
            tokio_postgres::upsert_pipelined::<Deadpool>,
        ),
        Contender::here(
            "tokio-postgres + deadpool, pipelined, Unix socket",
            Async,
            8,
            tokio_postgres::upsert_pipelined::<Deadpool>,
        )
        .by(Way::Socket),
        Contender::here("tokio-postgres + bb8", Async, 8, tokio_postgres::upsert::<Bb8>),
        Contender::here("sqlx", Async, 8, sqlx::upsert),
        Contender::here("r2d2 + postgres + rayon", Blocking, 8, plain::upsert),
    ]
}

fn look_up() -> Vec<Contender> {
    vec![
        Contender::here(
            "postgres, no pool, one client for each caller",
            Limit,
            8,
            plain::look_up_bare,
        ),
        Contender::here(
            "postgres, no pool, one client for each caller, Unix socket",
            Limit,
            8,
            plain::look_up_bare,
        )
        .by(Way::Socket),
        Contender::here("rowmill, check-out and return alone", Nobody, 8, rowmill::check_out),
        Contender::here("rowmill", Ours, 8, rowmill::look_up),
        Contender::here("rowmill, TCP", Ours, 8, rowmill::look_up).by(Way::Tcp),
        Contender::here("rowmill, flights", Ours, 2, rowmill::look_up_together),
        Contender::here("rowmill, flights, TCP", Ours, 2, rowmill::look_up_together).by(Way::Tcp),
        Contender::here("tokio-postgres + deadpool", Async, 8, tokio_postgres::look_up::<Deadpool>),
        Contender::here(
            "tokio-postgres + deadpool, Unix socket",
            Async,
            8,
            tokio_postgres::look_up::<Deadpool>,
        )
        .by(Way::Socket),
        Contender::here("tokio-postgres + bb8", Async, 8, tokio_postgres::look_up::<Bb8>),
        Contender::here(
            "tokio-postgres, two shared clients",
            Async,
            2,
            tokio_postgres::look_up_shared,
        ),
        Contender::here("sqlx", Async, 8, sqlx::look_up),
        Contender::here("r2d2 + postgres", Blocking, 8, plain::look_up),
    ]
}

fn transaction() -> Vec<Contender> {
    vec![
        Contender::here("rowmill", Ours, 8, rowmill::transaction),
        Contender::here(
            "tokio-postgres + deadpool",
            Async,
            8,
            tokio_postgres::transaction::<Deadpool>,
        ),
        Contender::here(
            "tokio-postgres + deadpool, Unix socket",
            Async,
            8,
            tokio_postgres::transaction::<Deadpool>,
        )
        .by(Way::Socket),
        Contender::here("tokio-postgres + bb8", Async, 8, tokio_postgres::transaction::<Bb8>),
        Contender::here("sqlx", Async, 8, sqlx::transaction),
        Contender::here("r2d2 + postgres", Blocking, 8, plain::transaction),
    ]
}

fn copy() -> Vec<Contender> {
    vec![
        Contender {
            name: "both servers alone, their time over the cores",
            kind: Limit,
            connections: 1,
            way: Way::Url,
            program: Program::Both(tools::copy_alone),
        },
        Contender::here("rowmill, job", Ours, 2, rowmill::copy),
        Contender::here(
            "tokio-postgres + deadpool, COPY to COPY",
            Async,
            2,
            tokio_postgres::copy::<Deadpool>,
        ),
        Contender::tool("psql | psql", 1, tools::psql_pipe),
    ]
}

fn sleep() -> Vec<Contender> {
    vec![
        Contender::here("rowmill, 64 threads", Ours, 64, rowmill::sleep),
        Contender::here("tokio-postgres + deadpool", Async, 64, tokio_postgres::sleep::<Deadpool>),
        Contender::here("tokio-postgres + bb8", Async, 64, tokio_postgres::sleep::<Bb8>),
        Contender::here("sqlx", Async, 64, sqlx::sleep),
        Contender::here("r2d2 + postgres, 64 threads", Blocking, 64, plain::sleep),
    ]
}

#[cfg(feature = "diesel")]
fn with_diesel(work: Work) -> Vec<Contender> {
    match work {
        Work::Load => vec![
            Contender::here("Diesel, copy_from", Blocking, 2, diesel::load_copy),
            Contender::here("Diesel, insert of many rows", Blocking, 2, diesel::load_insert),
            Contender::here(
                "diesel-async + deadpool, insert of many rows",
                Async,
                2,
                diesel_async::load_insert,
            ),
        ],
        Work::Read => vec![
            Contender::here("Diesel, load_iter", Blocking, 1, diesel::read),
            Contender::here("Diesel, load_iter", Blocking, 2, diesel::read),
            Contender::here("diesel-async + deadpool, load_stream", Async, 2, diesel_async::read),
        ],
        _ => Vec::new(),
    }
}

/// The names are those that the script knows.
fn with_python(work: Work) -> Vec<Contender> {
    let (drivers, mappers): (&[&str], &[&str]) = match work {
        _ if tools::python().is_none() => (&[], &[]),
        Work::File => (
            &["psycopg COPY", "asyncpg COPY", "ADBC ingest"],
            &[
                "SQLAlchemy psycopg",
                "SQLAlchemy asyncpg",
                "Django bulk_create",
                "Peewee insert_many",
                "Tortoise bulk_create",
            ],
        ),
        Work::Read => (
            &["psycopg", "asyncpg", "ADBC", "ConnectorX"],
            &["SQLAlchemy psycopg", "SQLAlchemy asyncpg", "Django", "Peewee", "Tortoise"],
        ),
        _ => (&[], &[]),
    };
    let drivers = drivers.iter().map(|name| Contender::python(name, Python));
    drivers.chain(mappers.iter().map(|name| Contender::python(name, PythonMapper))).collect()
}

/// Tools that few machines have.
fn with_tools(work: Work) -> Option<Contender> {
    match work {
        Work::File | Work::Bad if tools::is_there("pgloader") => {
            Some(Contender::tool("pgloader", 1, tools::pgloader))
        }
        Work::Copy if tools::is_there("pgcopydb") => {
            Some(Contender::tool("pgcopydb", 1, tools::pgcopydb))
        }
        _ => None,
    }
}
