//! One direction of a session.

use super::fault::{End, Fault, Moment};
use super::frames;
use super::listener::House;
use super::session::Session;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

const BUFFER: usize = 64 * 1024;

/// How often a slow pipe looks whether its session has ended, in parts of a second.
const TICKS: u32 = 20;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

/// What becomes of a message.
enum Verdict {
    Forward,
    /// So many bytes of it pass, and the session ends.
    Cut(usize, End),
}

/// Passes messages on until the session ends.
pub(super) fn run(house: &Arc<House>, session: &Session, side: Side, raw: bool) {
    let _ = pass(house, session, side, raw);
    if side == Side::Server && house.fault() == Fault::KeepOpen {
        session.end(house, End::Silence);
    }
    session.end(house, End::Fin);
}

fn pass(house: &House, session: &Session, side: Side, raw: bool) -> io::Result<()> {
    let (source, target): (&TcpStream, &TcpStream) = match side {
        Side::Client => (&session.client, &session.server),
        Side::Server => (&session.server, &session.client),
    };
    let mut reader = BufReader::with_capacity(BUFFER, source);
    loop {
        // What came in one piece is late in one piece.
        let is_fresh = reader.buffer().is_empty();
        let message = frames::read(&mut reader, raw)?;
        let fault = house.wait_while_stalled();
        if side == Side::Server {
            session.is_answered.store(true, Ordering::SeqCst);
        } else if is_fresh && session.is_answered.swap(false, Ordering::SeqCst) {
            house.counts.turns.fetch_add(1, Ordering::SeqCst);
        }
        if let (true, Fault::Delay { least, jitter }) = (is_fresh, fault) {
            thread::sleep(least + jitter.mul_f64(random()));
        }
        match judge(house, session, side, &message, fault) {
            Verdict::Forward => send(session, target, &message, fault)?,
            Verdict::Cut(length, end) => {
                send(session, target, &message[..length], fault)?;
                session.end(house, end);
                return Ok(());
            }
        }
    }
}

fn judge(house: &House, session: &Session, from: Side, message: &[u8], fault: Fault) -> Verdict {
    let counts = &house.counts;
    let size = message.len() as u64;
    let (before, number) = match from {
        Side::Client => (
            counts.client_bytes.fetch_add(size, Ordering::SeqCst),
            counts.client_messages.fetch_add(1, Ordering::SeqCst) + 1,
        ),
        Side::Server => (counts.server_bytes.fetch_add(size, Ordering::SeqCst), 0),
    };
    let is_commit = from == Side::Client && frames::is_commit(message) && house.counts_commit();
    if is_commit {
        *session.commits.lock() = Some(session.owed.load(Ordering::SeqCst));
    }
    if from == Side::Client && matches!(message.first(), Some(b'Q' | b'S')) {
        counts.requests.fetch_add(1, Ordering::SeqCst);
        session.owed.fetch_add(1, Ordering::SeqCst);
    }
    let replies = from == Side::Server && answers_commit(session, message);
    let Fault::Cut { at, end } = fault else { return Verdict::Forward };
    let inside = |byte: u64| (before..before + size).contains(&byte);
    let length = match (at, from) {
        (Moment::BeforeCommit, _) if is_commit => 0,
        (Moment::AfterCommit, _) if replies => 0,
        (Moment::InReplyToCommit, _) if replies => message.len() / 2,
        (Moment::InReply, Side::Server) => message.len() / 2,
        (Moment::BeforeMessage, Side::Client) => 0,
        (Moment::ClientMessage(wanted), Side::Client) if wanted == number => 0,
        (Moment::ClientByte(byte), Side::Client) | (Moment::ServerByte(byte), Side::Server)
            if inside(byte) =>
        {
            (byte - before) as usize
        }
        _ => return Verdict::Forward,
    };
    if house.strikes(fault) { Verdict::Cut(length, end) } else { Verdict::Forward }
}

/// Whether a message of the server answers the COMMIT that was passed on last.
fn answers_commit(session: &Session, message: &[u8]) -> bool {
    let mut commits = session.commits.lock();
    let answers = *commits == Some(0);
    if message.first() == Some(&b'Z') {
        let one_less = |owed: u64| owed.checked_sub(1);
        // That of the start-up answers no request.
        let _ = session.owed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less);
        *commits = commits.and_then(one_less);
    }
    answers
}

fn send(session: &Session, mut to: &TcpStream, bytes: &[u8], fault: Fault) -> io::Result<()> {
    let Fault::Throttle { bytes_per_second } = fault else { return to.write_all(bytes) };
    let piece = (bytes_per_second / TICKS).max(1);
    for bytes in bytes.chunks(piece as usize) {
        to.write_all(bytes)?;
        thread::sleep(Duration::from_secs(1) * bytes.len() as u32 / bytes_per_second);
        if session.has_ended() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
    }
    Ok(())
}

/// Between 0 and 1.
fn random() -> f64 {
    RandomState::new().hash_one(0) as f64 / u64::MAX as f64
}
