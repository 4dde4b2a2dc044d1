//! Ports that the system gives to nobody else.

use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;

/// Below these are the ports of services that everybody knows.
const FIRST: u16 = 10_000;

/// A port of 127.0.0.1 on which nobody listens, below those that the system hands out to whoever
/// connects: one who leaves it for a while finds it free when it comes back, and who expects nobody there
/// meets nobody.
pub fn free_port() -> u16 {
    let below = first_handed_out().unwrap_or(FIRST);
    let numbers = RandomState::new();
    let chosen = (0..100_u16)
        .filter(|_| below > FIRST)
        .map(|attempt| FIRST + (numbers.hash_one(attempt) % u64::from(below - FIRST)) as u16)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    chosen.unwrap_or_else(|| {
        let any = TcpListener::bind(("127.0.0.1", 0)).expect("find a free port");
        any.local_addr().expect("ask for the port").port()
    })
}

/// The first port that the system hands out; `None` where it does not say so.
fn first_handed_out() -> Option<u16> {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    range.split_whitespace().next()?.parse().ok()
}
