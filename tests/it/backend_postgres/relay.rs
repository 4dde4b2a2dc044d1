//! A server's address with faults.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Passes bytes between its port and a server's, until it is cut.
pub(super) struct Relay {
    port: u16,
    sockets: Arc<Mutex<Vec<TcpStream>>>,
}

/// What a relay does to the first message of a client.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Nothing.
    Honest,
    /// Refuses start-up options, as a pooler does.
    RefusesOptions,
}

impl Relay {
    pub(super) fn to(server: u16, manner: Manner) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let sockets = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&sockets);
        thread::spawn(move || {
            for client in listener.incoming() {
                let mut client = client.unwrap();
                let mut first = [0; 4096];
                let mut length = client.read(&mut first).unwrap();
                if first[..length] == SSL_REQUEST {
                    // The shared server has no TLS either.
                    client.write_all(b"N").unwrap();
                    length = client.read(&mut first).unwrap();
                }
                if manner == Manner::RefusesOptions && has_options(&first[..length]) {
                    client.write_all(&refusal()).unwrap();
                    continue;
                }
                let mut upstream = TcpStream::connect(("127.0.0.1", server)).unwrap();
                upstream.write_all(&first[..length]).unwrap();
                pass(client.try_clone().unwrap(), upstream.try_clone().unwrap());
                pass(upstream.try_clone().unwrap(), client.try_clone().unwrap());
                kept.lock().unwrap().extend([client, upstream]);
            }
        });
        Self { port, sockets }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Shuts every socket, towards both sides.
    pub(super) fn cut(&self) {
        for socket in self.sockets.lock().unwrap().drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

fn pass(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}

fn has_options(startup: &[u8]) -> bool {
    startup.windows(9).any(|window| window == b"\0options\0")
}

fn refusal() -> Vec<u8> {
    let fields = b"SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: options\0\0";
    let mut message = vec![b'E'];
    message.extend_from_slice(&(fields.len() as u32 + 4).to_be_bytes());
    message.extend_from_slice(fields);
    message
}
