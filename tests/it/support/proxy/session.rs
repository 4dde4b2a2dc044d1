//! One client and its server: the start-up, and how it can end.

use super::fault::{End, Fault};
use super::frames::{self, Opening};
use super::listener::House;
use super::pipe::{self, Side};
use parking_lot::Mutex;
use socket2::SockRef;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// One client and its server. Both pipes hold it; its sockets close with the second of them.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: Arc<TcpStream>,
    pub(super) server: TcpStream,
    /// So many final answers are to come.
    pub(super) owed: AtomicU64,
    /// A COMMIT was passed on, and its answer is to come, behind so many final answers to what was before it.
    pub(super) commits: Mutex<Option<u64>>,
    /// The server has spoken since the client did.
    pub(super) is_answered: AtomicBool,
    has_ended: AtomicBool,
}

/// Serves a client that has just come.
pub(super) fn host(house: &Arc<House>, client: TcpStream) {
    let _ = client.set_nodelay(true);
    let client = Arc::new(client);
    let refusal = match house.fault() {
        Fault::Silent => {
            house.kept.lock().push(client);
            return;
        }
        Fault::TurnAway => {
            let _ = SockRef::from(&*client).set_linger(Some(Duration::ZERO));
            return;
        }
        Fault::StartingUp => Some(frames::fatal("57P03", "the database system is starting up")),
        _ => None,
    };
    let _ = refusal.map_or_else(|| begin(house, &client), |refusal| refuse(&client, &refusal));
}

/// Reads what the client says first, and refuses it.
fn refuse(client: &TcpStream, refusal: &[u8]) -> io::Result<()> {
    let (mut reader, mut writer) = (client, client);
    while frames::read_opening(&mut reader)?.0 == Opening::Encryption {
        writer.write_all(b"N")?;
    }
    writer.write_all(refusal)
}

fn begin(house: &Arc<House>, client: &Arc<TcpStream>) -> io::Result<()> {
    let server = TcpStream::connect(house.server)?;
    server.set_nodelay(true)?;
    let raw = loop {
        let (opening, message) = frames::read_opening(&mut &**client)?;
        let has_options = message.windows(9).any(|window| window == b"\0options\0");
        match (opening, house.fault()) {
            (Opening::Encryption, Fault::RefuseTls) => (&**client).write_all(b"N")?,
            (Opening::Encryption, _) => {
                if encryption(client, &server, &message)? {
                    break true;
                }
            }
            (Opening::Startup, Fault::RefuseOptions) if has_options => {
                let refusal = frames::fatal("08P01", "unsupported startup parameter: options");
                return (&**client).write_all(&refusal);
            }
            (Opening::Startup, _) => {
                (&server).write_all(&message)?;
                break false;
            }
            (Opening::Cancel, _) => {
                (&server).write_all(&message)?;
                break true;
            }
        }
    };
    let session = Arc::new(Session {
        client: Arc::clone(client),
        server,
        owed: AtomicU64::new(0),
        commits: Mutex::new(None),
        is_answered: AtomicBool::new(false),
        has_ended: AtomicBool::new(false),
    });
    house.enter(&session);
    for side in [Side::Client, Side::Server] {
        let (house, session) = (Arc::clone(house), Arc::clone(&session));
        thread::spawn(move || pipe::run(&house, &session, side, raw));
    }
    Ok(())
}

/// Passes a request for encryption on; says whether the server agreed.
fn encryption(client: &TcpStream, server: &TcpStream, request: &[u8]) -> io::Result<bool> {
    let (mut reader, mut writer) = (server, server);
    writer.write_all(request)?;
    let mut answer = [0];
    reader.read_exact(&mut answer)?;
    let mut writer = client;
    writer.write_all(&answer)?;
    Ok(answer == *b"S")
}

impl Session {
    /// Ends it; the first who does so says how.
    pub(super) fn end(&self, house: &House, end: End) {
        if self.has_ended.swap(true, Ordering::SeqCst) {
            return;
        }
        // What is shut already has ended, which is all that is wanted.
        match end {
            End::Fin => {
                let _ = self.client.shutdown(Shutdown::Both);
            }
            End::Rst => {
                // It is sent when the last pipe lets go of the socket.
                let _ = SockRef::from(&*self.client).set_linger(Some(Duration::ZERO));
                let _ = self.client.shutdown(Shutdown::Read);
            }
            End::Silence => house.kept.lock().push(Arc::clone(&self.client)),
        }
        let _ = self.server.shutdown(Shutdown::Both);
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::SeqCst)
    }
}
