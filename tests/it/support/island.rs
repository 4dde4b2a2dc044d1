//! A network namespace of its own for a server, at the far end of a pair of virtual cables.
//!
//! With the far end's link down, whoever sends gets no answer of any kind: no refusal, no reset.
//! It needs root, Linux and iproute2; where the kernel refuses, that is said loudly.

use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

/// A place that can be cut off; it goes away with the process of the tests, however that ends.
#[derive(Debug)]
pub struct Island {
    name: String,
    near: Ipv4Addr,
    far: Ipv4Addr,
    // Dropping its standard input wakes it.
    watchdog: Child,
}

static NEXT: AtomicU8 = AtomicU8::new(0);

impl Island {
    /// A new one; `None`, with a line that says so, where there can be none.
    pub fn new() -> Option<Self> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("rm{}x{number}", std::process::id() % 1_000_000);
        let [high, low] = (std::process::id() as u16).to_be_bytes();
        // 198.18.0.0/15 is for tests of networks and routed nowhere.
        let near = Ipv4Addr::new(198, 18 + (high & 1), low, number.wrapping_mul(4).wrapping_add(1));
        let far = Ipv4Addr::from(u32::from(near) + 1);
        let island = Self { watchdog: start_watchdog(&name), name, near, far };
        match island.build() {
            Ok(()) => Some(island),
            Err(said) => {
                eprintln!(
                    "LEFT OUT: black holes need root and network namespaces (ip netns): {said}"
                );
                None
            }
        }
    }

    fn build(&self) -> Result<(), String> {
        let Self { name, near, far, .. } = self;
        let inside = format!("netns exec {name} ip");
        for arguments in [
            format!("netns add {name}"),
            format!("link add {name}n type veth peer name {name}f netns {name}"),
            format!("address add {near}/30 dev {name}n"),
            format!("link set {name}n up"),
            format!("{inside} address add {far}/30 dev {name}f"),
            format!("{inside} link set lo up"),
            format!("{inside} link set {name}f up"),
        ] {
            ip(&arguments)?;
        }
        // Else a lost neighbour would be an error at once, and no silence.
        let shown = ip(&format!("{inside} -o link show {name}f"))?;
        let mut words = shown.split_whitespace().skip_while(|word| *word != "link/ether").skip(1);
        let address = words.next().ok_or("no link/ether")?;
        ip(&format!("neigh replace {far} lladdr {address} dev {name}n nud permanent"))?;
        Ok(())
    }

    /// The address at the far end.
    pub fn address(&self) -> Ipv4Addr {
        self.far
    }

    /// The address of this side, as the far end sees it.
    pub fn near(&self) -> Ipv4Addr {
        self.near
    }

    /// What has to stand before a command so that it runs there.
    pub fn prefix(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.name]
    }

    /// Lets everything that is sent there vanish.
    pub fn cut_off(&self) {
        self.link("down");
    }

    /// Undoes that.
    pub fn heal(&self) {
        self.link("up");
    }

    fn link(&self, state: &str) {
        let Self { name, .. } = self;
        ip(&format!("netns exec {name} ip link set {name}f {state}")).expect("set the link");
    }
}

impl Drop for Island {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

fn ip(arguments: &str) -> Result<String, String> {
    let output = Command::new("ip").args(arguments.split(' ')).output();
    let output = output.map_err(|error| format!("ip: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("ip {arguments}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

fn start_watchdog(name: &str) -> Child {
    let script = r#"cat >/dev/null; ip link del "$1n"; ip netns del "$1""#;
    Command::new("sh")
        .args(["-c", script, "rowmill-test-island", name])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("start the watchdog")
}
