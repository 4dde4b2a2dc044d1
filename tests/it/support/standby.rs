//! Commits that wait for a standby.

use super::Cluster;
use super::fake::until;
use super::trio::one;
use std::thread;

const WAIT: &str = "select count(*) > 0 from pg_stat_activity where wait_event = 'SyncRep'";

impl Cluster {
    /// Has commits wait for a standby called `name` from now on. It returns once one has waited: the
    /// server makes a setting known by signals, and takes its time under load.
    pub fn commits_wait_for(&self, name: &str) {
        self.name_standby("nobody");
        let mut probe = self.connect(super::cluster::USER);
        probe.batch_execute("set synchronous_commit = on").unwrap();
        let changes = "create table if not exists probe (); drop table probe";
        thread::scope(|scope| {
            scope.spawn(move || while probe.batch_execute(changes).is_ok() {});
            until("a commit waits for its standby", || one(self, WAIT) == "t");
            self.sql(
                "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'",
            );
        });
        if name != "nobody" {
            self.name_standby(name);
        }
    }

    fn name_standby(&self, name: &str) {
        self.sql(&format!("alter system set synchronous_standby_names = '{name}'"));
        self.sql("select pg_reload_conf()");
    }
}
