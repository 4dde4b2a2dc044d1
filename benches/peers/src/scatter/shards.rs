//! The servers of the shards.

use super::proxy::{Fault, Proxy};
use super::sale::{self, ROWS, sale};
use super::support::Cluster;
use std::io::Write as _;
use std::time::Duration;

/// As in `compare`: nothing else happens while something is measured.
const SETTINGS: [&str; 5] = [
    "max_wal_size=4GB",
    "checkpoint_timeout=1h",
    "autovacuum=off",
    "max_parallel_workers_per_gather=0",
    "jit=off",
];

/// How late everything is on the way to a server that is far, and on the way back.
const WAY: Duration = Duration::from_millis(1);

/// Where the servers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distance {
    /// On the same machine.
    Near,
    /// 2 ms away and back.
    Far,
}

impl Distance {
    /// Both, in the order of the table.
    pub const ALL: [Self; 2] = [Self::Near, Self::Far];

    /// What it is, for a person.
    pub fn name(self) -> &'static str {
        match self {
            Self::Near => "near",
            Self::Far => "2 ms away and back",
        }
    }
}

/// Three servers, each a shard, and a longer way to each.
pub struct Shards {
    clusters: [Cluster; 3],
    ways: [Proxy; 3],
}

impl Shards {
    /// Starts them, and puts each row where it belongs.
    pub fn start() -> Self {
        let clusters: [Cluster; 3] = std::array::from_fn(|_| Cluster::start_with(&SETTINGS));
        let ways = clusters.each_ref().map(|cluster| {
            let proxy = Proxy::to(cluster.port());
            proxy.set(Fault::Delay { least: WAY, jitter: Duration::ZERO });
            proxy
        });
        for (shard, cluster) in clusters.iter().enumerate() {
            cluster.sql(sale::TABLES);
            fill(cluster, shard);
            sale::INDEX.split(';').for_each(|statement| cluster.sql(statement));
        }
        Self { clusters, ways }
    }

    /// Their URLs.
    pub fn urls(&self, distance: Distance) -> Vec<String> {
        let both = self.clusters.iter().zip(&self.ways);
        both.map(|(cluster, way)| match distance {
            Distance::Near => cluster.url(),
            Distance::Far => way.instead_of(&cluster.url()),
        })
        .collect()
    }

    /// Leaves nothing of a load, and has what is in memory written.
    pub fn clean(&self) {
        for cluster in &self.clusters {
            cluster.sql("truncate loaded");
            cluster.sql("checkpoint");
        }
    }

    /// Whether a load has put every row where it belongs.
    pub fn hold_what_was_loaded(&self) -> bool {
        let sql = "select concat_ws(' ', count(*), sum(id), sum(cents), sum(weight)) from loaded";
        let found = self.clusters.each_ref().map(|cluster| {
            let row = cluster.connect("postgres").query_one(sql, &[]).expect("count");
            row.get::<_, String>(0)
        });
        found == sale::right_on_each()
    }
}

fn fill(cluster: &Cluster, shard: usize) {
    let mut client = cluster.connect("postgres");
    let mut copy = client.copy_in("copy sale from stdin (format csv)").expect("begin to copy");
    for row in (0..ROWS).map(sale).filter(|row| sale::shard_of(row.customer) == shard) {
        let sale::Sale { id, customer, country, cents, weight } = row;
        writeln!(copy, "{id},{customer},{country},{cents},{weight}").expect("copy a row");
    }
    copy.finish().expect("end to copy");
}
