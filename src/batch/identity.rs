//! What makes a job the same job.

use super::shards::{SHARD_MAP, Spread};
use crate::sink::destination::Destination;
use crate::sink::file::sink::Owner;
use crate::source::feed::Feed;
use crate::sql::ledger::LedgerName;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The identity of a job: its name and its identifying parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name.
    pub name: String,
    /// The parameters, by name.
    pub params: BTreeMap<String, String>,
}

impl Identity {
    /// The SHA-256 of the name and the sorted parameters, in hexadecimal.
    pub fn hash(&self) -> String {
        hex(&self.digest())
    }

    /// The number under which the job is locked: the first eight bytes of the hash. Jobs of
    /// different ledgers are different jobs.
    pub fn lock_key(&self, ledger: &LedgerName) -> i64 {
        let digest = match ledger.is_default() {
            true => self.digest(),
            false => Sha256::new()
                .chain_update(ledger.as_str())
                .chain_update(self.digest())
                .finalize()
                .into(),
        };
        let first: [u8; 8] = std::array::from_fn(|index| digest[index]);
        i64::from_be_bytes(first)
    }

    /// The number under which one run of the job shows that it lives.
    pub fn member_key(&self, ledger: &LedgerName, run: i64) -> i64 {
        self.derived_key(ledger, &format!("run {run}"))
    }

    /// The number under which one of several processes plans the job.
    pub(super) fn plan_key(&self, ledger: &LedgerName) -> i64 {
        self.derived_key(ledger, "plan")
    }

    /// The number under which a run over several shards keeps others away.
    pub(super) fn shards_key(&self, ledger: &LedgerName) -> i64 {
        self.derived_key(ledger, "shards")
    }

    fn derived_key(&self, ledger: &LedgerName, purpose: &str) -> i64 {
        let job = self.lock_key(ledger).to_be_bytes();
        let digest = Sha256::new().chain_update(job).chain_update(purpose).finalize();
        i64::from_be_bytes(std::array::from_fn(|index| digest[index]))
    }

    /// Whose an output is that this job writes.
    pub(super) fn owner(&self) -> Owner {
        let Self { name, params } = self;
        Owner { job: name.clone(), params: params.clone(), key: self.short_hash() }
    }

    /// The first 16 digits of the hash, for names of folders.
    pub(super) fn short_hash(&self) -> String {
        self.hash()[..16].to_owned()
    }

    fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        let parts = self.params.iter().flat_map(|(name, value)| [name, value]);
        for part in std::iter::once(&self.name).chain(parts) {
            // With its length before it, no text can pass for two others.
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        digest.finalize().into()
    }

    /// The parameters as JSON.
    pub fn params_json(&self) -> String {
        serde_json::to_string(&self.params).unwrap_or_default()
    }
}

/// A hash of what a run does: a job that stopped half-way can only be carried on by the same.
pub(super) fn definition(feed: &dyn Feed, target: &Destination, spread: Option<&Spread>) -> String {
    let mut text = format!("{}\n{}\n", feed.definition(), target.definition());
    for column in target.columns() {
        let _ = writeln!(text, "{} {} {}", column.name, column.column_type, column.nullable);
    }
    let _ = writeln!(text, "key {:?}", target.key());
    if let Some(spread) = spread {
        let _ = writeln!(text, "shards by {} {}", spread.key, spread.written);
    }
    hex(&Sha256::digest(text.as_bytes()).into())
}

/// What a run does, key by key, for whoever has to name a change of it.
pub(super) fn declared(
    feed: &dyn Feed,
    target: &Destination,
    spread: Option<&Spread>,
) -> BTreeMap<String, String> {
    let definition = feed.definition();
    let mut lines = definition.lines();
    let mut declared = BTreeMap::from([
        ("source".to_owned(), lines.next().unwrap_or_default().to_owned()),
        ("table".to_owned(), target.describe()),
        ("mode".to_owned(), target.mode_name().to_owned()),
        ("key".to_owned(), target.key().join(", ")),
    ]);
    if let Some(spread) = spread {
        declared.insert("shard key".to_owned(), spread.key.clone());
        declared.insert(SHARD_MAP.to_owned(), spread.written.clone());
    }
    if let Some(duplicates) = target.stated_duplicates() {
        declared.insert("duplicates".to_owned(), duplicates.to_string());
    }
    for (index, line) in lines.enumerate() {
        let of =
            target.columns().get(index).map_or(index.to_string(), |c| c.name.as_str().to_owned());
        declared.insert(format!("source of column {of}"), line.to_owned());
    }
    for column in target.columns() {
        let nulls = if column.nullable { "" } else { " not null" };
        declared.insert(
            format!("column {}", column.name.as_str()),
            format!("{}{nulls}", column.column_type),
        );
    }
    declared
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(name: &str, params: &[(&str, &str)]) -> Identity {
        let params = params.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        Identity { name: name.to_owned(), params }
    }

    #[test]
    fn the_order_of_parameters_does_not_matter_and_their_values_do() {
        let one = identity("j", &[("a", "1"), ("b", "2")]);
        assert_eq!(one.hash(), identity("j", &[("b", "2"), ("a", "1")]).hash());
        assert_ne!(one.hash(), identity("j", &[("a", "12"), ("b", "")]).hash());
        let (ledger, other) = (LedgerName::default(), LedgerName::new("etl").unwrap());
        let namesake = identity("k", &[("a", "1"), ("b", "2")]);
        assert_ne!(one.lock_key(&ledger), namesake.lock_key(&ledger));
        assert_ne!(one.lock_key(&ledger), one.lock_key(&other));
    }
}
