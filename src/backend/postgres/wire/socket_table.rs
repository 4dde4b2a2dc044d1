//! The sockets of this machine, as the system lists them.
//!
//! Linux has tables of them. Elsewhere, and where they cannot be read, only the usual places are
//! looked at, and only what belongs to ourselves is believed.

use std::ffi::OsString;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

const UNIX_TABLE: &str = "/proc/thread-self/net/unix";
const TCP_TABLES: [&str; 2] = ["/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"];

/// Where servers put their sockets unless they are told otherwise.
const USUAL_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// How many sockets are looked at: anybody can have some with such a name.
const MOST: usize = 8;

/// Stands for users who are not known in this user namespace.
const OVERFLOW_UID: u32 = 65534;

/// The two ends of a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) ours: SocketAddr,
    pub(crate) theirs: SocketAddr,
}

impl Ends {
    pub(crate) fn new(ours: SocketAddr, theirs: SocketAddr) -> Self {
        let plain = |end: SocketAddr| SocketAddr::new(end.ip().to_canonical(), end.port());
        Self { ours: plain(ours), theirs: plain(theirs) }
    }

    /// Whether the connection does not leave the machine.
    pub(crate) fn are_here(&self) -> bool {
        self.theirs.ip().is_loopback()
    }
}

/// The sockets on which a server with this port may listen.
pub(crate) fn sockets_of(port: u16) -> Vec<PathBuf> {
    let name = format!(".s.PGSQL.{port}");
    let mut found = match fs::read(UNIX_TABLE) {
        Ok(table) => listening(&table, &name),
        Err(_) => USUAL_FOLDERS.iter().map(|folder| Path::new(folder).join(&name)).collect(),
    };
    found.retain(|path| fs::metadata(path).is_ok_and(|file| file.file_type().is_socket()));
    found.truncate(MOST);
    found
}

/// The user to whom the other end of a connection within this machine belongs; where the system does
/// not say it, we ourselves.
pub(crate) fn owner_of(ends: &Ends) -> u32 {
    let tables = TCP_TABLES.iter().filter_map(|table| fs::read_to_string(table).ok());
    let owner = tables.filter_map(|table| find_owner(&table, ends)).find(|owner| is_one(*owner));
    owner.unwrap_or_else(|| rustix::process::geteuid().as_raw())
}

/// The paths of listening sockets that have the name, each once.
fn listening(table: &[u8], name: &str) -> Vec<PathBuf> {
    const ACCEPTS: u32 = 0x1_0000;
    let mut found = Vec::new();
    for line in table.split(|byte| *byte == b'\n') {
        // Nothing before the path has a slash; a name that is no path begins with an @.
        let Some(end) = line.windows(2).position(|pair| pair == b" /") else { continue };
        let (fields, path) = line.split_at(end + 1);
        let fields = String::from_utf8_lossy(fields);
        let flags = fields.split_ascii_whitespace().nth(3);
        let accepts = flags
            .and_then(|flags| u32::from_str_radix(flags, 16).ok())
            .is_some_and(|flags| flags & ACCEPTS != 0);
        let path = PathBuf::from(OsString::from_vec(path.to_vec()));
        if accepts && path.file_name().is_some_and(|it| it == name) && !found.contains(&path) {
            found.push(path);
        }
    }
    found
}

/// The user of the end that is not ours, in a table of TCP connections.
fn find_owner(table: &str, ends: &Ends) -> Option<u32> {
    const ESTABLISHED: &str = "01";
    table.lines().find_map(|line| {
        let fields: Vec<_> = line.split_ascii_whitespace().collect();
        let [_, here, there, state, _, _, _, owner, ..] = fields[..] else { return None };
        let is_it = state == ESTABLISHED
            && read_end(here)
                .zip(read_end(there))
                .is_some_and(|(here, there)| Ends::new(there, here) == *ends);
        is_it.then(|| owner.parse().ok()).flatten()
    })
}

/// Reads the address in words of the machine's own order, each 8 digits, and the port.
fn read_end(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| {
        let digits = address.get(at..at + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    let address: IpAddr = match address.len() {
        8 => Ipv4Addr::from(word(0)?).into(),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            Ipv6Addr::from(<[u8; 16]>::try_from(words.as_flattened()).ok()?).into()
        }
        _ => return None,
    };
    Some(SocketAddr::new(address, port))
}

/// Whether a user is one, and not all of another namespace.
fn is_one(owner: u32) -> bool {
    let maps_all = || {
        let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        map.split_ascii_whitespace().eq(["0", "0", "4294967295"])
    };
    owner != OVERFLOW_UID || maps_all()
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    fn ends(ours: &str, theirs: &str) -> Ends {
        Ends::new(ours.parse().unwrap(), theirs.parse().unwrap())
    }

    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 41 1 0 100 0 0 10 0
   1: 0100007F:9C40 0100007F:1538 01 00000000:00000000 00:00000000 00000000  1000        0 42 1 0 20 4 30 10 -1
   2: 0100007F:1538 0100007F:9C40 01 00000000:00000000 00:00000000 00000000   101        0 43 1 0 20 4 30 10 -1
   3: 0100007F:1538 0100007F:9C41 06 00000000:00000000 00:00000000 00000000     0        0 0 3 0
";

    #[test]
    fn the_owner_is_that_of_the_other_end_of_this_very_connection() {
        let at = |ours: &str| find_owner(TCP, &ends(ours, "127.0.0.1:5432"));
        assert_eq!(at("127.0.0.1:40000"), Some(101));
        assert_eq!(at("127.0.0.1:40001"), None, "it has ended");
        assert_eq!(at("127.0.0.1:40002"), None);
        assert_eq!(find_owner(TCP, &ends("127.0.0.1:5432", "127.0.0.1:40000")), Some(1000));
    }

    #[test]
    fn ends_of_the_newer_protocol_are_read_also_where_they_stand_for_older_ones() {
        let loopback = read_end("00000000000000000000000001000000:1538").unwrap();
        assert_eq!(loopback, "[::1]:5432".parse().unwrap());
        let mapped = read_end("0000000000000000FFFF00000100007F:1538").unwrap();
        let of_v4 = ends("127.0.0.1:40000", "127.0.0.1:5432");
        assert_eq!(Ends::new("127.0.0.1:40000".parse().unwrap(), mapped), of_v4);
        for bad in ["", ":", "0100007F", "01:1538", "0100007F:", "0100\u{e9}7F:1538"] {
            assert_eq!(read_end(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_sockets_on_which_somebody_listens_count_each_once() {
        let table = b"Num       RefCount Protocol Flags    Type St Inode Path
0000000036887ef0: 00000002 00000000 00010000 0001 01 9589231 /srv/one two/.s.PGSQL.5432
0000000036887ef1: 00000003 00000000 00000000 0001 03 9589232 /srv/client/.s.PGSQL.5432
0000000036887ef2: 00000002 00000000 00010000 0001 01 9589233 /srv/other/.s.PGSQL.5433
0000000036887ef3: 00000002 00000000 00010000 0001 01 9589234 @/abstract/.s.PGSQL.5432
0000000036887ef4: 00000002 00000000 00010000 0001 01 9589235 /srv/one two/.s.PGSQL.5432
0000000036887ef5: 00000002 00000000 00000000 0002 01 33
";
        let found = listening(table, ".s.PGSQL.5432");
        assert_eq!(found, [Path::new("/srv/one two/.s.PGSQL.5432")]);
    }

    #[test]
    fn the_system_names_who_listens_to_us() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let _theirs = listener.accept().unwrap();
        let ends = Ends::new(ours.local_addr().unwrap(), ours.peer_addr().unwrap());
        assert!(ends.are_here());
        assert_eq!(owner_of(&ends), rustix::process::geteuid().as_raw());
    }
}
