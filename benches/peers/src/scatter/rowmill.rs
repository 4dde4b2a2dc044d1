//! rowmill: scatter, and a loop over the same engines.

use super::contenders::Contender;
use super::meter;
use super::sale::{BOUNDS, LIMIT, Loaded, Sale, folded, loaded, of_groups, shard_of};
use super::scenario::Scenario;
use ::rowmill::prelude::*;
use ::rowmill::{InsertMany, Query, ShardMap, ShardedEngine, count_all};
use std::collections::BTreeMap;
use std::time::Duration;

/// Measures one of the two; the line that the parent reads.
pub fn run(contender: Contender, scenario: Scenario, time: Duration, urls: &[&str]) -> String {
    let map = ShardMap::ranged("a", [(BOUNDS[0], "b"), (BOUNDS[1], "c")]).expect("a map");
    let names = ["a", "b", "c"].into_iter();
    let shards = ShardedEngine::open(map, names.zip(urls)).expect("connect");
    let (figures, answer) = match (scenario, contender) {
        (Scenario::Load, _) => load(contender, time, &shards),
        (_, Contender::Loop) => meter::measure(time, || (), |()| by_loop(scenario, &shards)),
        _ => meter::measure(time, || (), |()| by_scatter(scenario, &shards)),
    };
    format!("figures {figures} answer {answer}")
}

fn top() -> Query<Sale> {
    Sale::query().order_by((Sale::cents.desc(), Sale::id)).limit(LIMIT)
}

fn sorted() -> Query<Sale> {
    Sale::query().order_by((Sale::weight.desc(), Sale::id)).limit(LIMIT)
}

type GroupRow = (String, i64, Option<i64>, Option<i64>);

fn groups() -> Query<Sale, GroupRow> {
    Sale::query().group_by(Sale::country).select((
        Sale::country,
        count_all::<Sale>(),
        Sale::cents.sum(),
        Sale::weight.max(),
    ))
}

fn by_scatter(scenario: Scenario, shards: &ShardedEngine) -> String {
    let first = |query: Query<Sale>| {
        folded(query.scatter(shards).all().expect("ask").iter().map(|sale| sale.id))
    };
    match scenario {
        Scenario::Top => first(top()),
        Scenario::Sorted => first(sorted()),
        Scenario::Groups => {
            let found = groups().scatter(shards).all().expect("ask");
            let group = |(country, count, sum, max): GroupRow| {
                (country, count, sum.unwrap_or(0), max.unwrap_or(0))
            };
            of_groups(found.into_iter().map(group).collect())
        }
        _ => Sale::query().scatter(shards).count().expect("ask").to_string(),
    }
}

fn by_loop(scenario: Scenario, shards: &ShardedEngine) -> String {
    let engines = || shards.ids().map(|shard| shards.engine(shard));
    match scenario {
        Scenario::Top => first_of(engines(), &top(), |sale| sale.cents),
        Scenario::Sorted => first_of(engines(), &sorted(), |sale| sale.weight),
        Scenario::Groups => {
            let mut all: BTreeMap<String, (i64, i64, i64)> = BTreeMap::new();
            for (country, count, sum, max) in
                engines().flat_map(|engine| groups().all(engine).expect("ask"))
            {
                let group = all.entry(country).or_insert((0, 0, i64::MIN));
                let max = max.unwrap_or(i64::MIN).max(group.2);
                *group = (group.0 + count, group.1 + sum.unwrap_or(0), max);
            }
            let group = |(country, (count, sum, max))| (country, count, sum, max);
            of_groups(all.into_iter().map(group).collect())
        }
        _ => {
            let count = |engine| Sale::query().count(engine).expect("ask");
            engines().map(count).sum::<u64>().to_string()
        }
    }
}

fn first_of<'a>(
    engines: impl Iterator<Item = &'a Engine>,
    query: &Query<Sale>,
    by: fn(&Sale) -> i64,
) -> String {
    let mut found: Vec<Sale> = engines.flat_map(|engine| query.all(engine).expect("ask")).collect();
    found.sort_by_key(|sale| (-by(sale), sale.id));
    folded(found.iter().take(LIMIT as usize).map(|sale| sale.id))
}

fn load(
    contender: Contender,
    time: Duration,
    shards: &ShardedEngine,
) -> (super::figures::Figures, String) {
    let rows = loaded();
    let prepare = || {
        let ids: Vec<_> = shards.ids().collect();
        let clean = shards.on_each(&ids, |_, engine| engine.run("truncate loaded"));
        clean.expect("clean").into_iter().for_each(|done| done.expect("clean"));
        rows.clone()
    };
    meter::measure(time, prepare, |rows| {
        if contender == Contender::Scatter {
            let written = shards.writer().insert_many(rows).and_then(::rowmill::ShardWrites::all);
            written.expect("write").iter().map(|(_, rows)| rows.len()).sum::<usize>().to_string()
        } else {
            write_by_loop(rows, shards)
        }
    })
}

fn write_by_loop(rows: Vec<Loaded>, shards: &ShardedEngine) -> String {
    let mut parts = [const { Vec::new() }; 3];
    rows.into_iter().for_each(|row| parts[shard_of(row.customer)].push(row));
    let mut written = 0;
    for (shard, mut part) in shards.ids().zip(parts) {
        let engine = shards.engine(shard);
        engine
            .transaction(|transaction| Loaded::insert_many(transaction, &mut part))
            .expect("write");
        written += part.len();
    }
    written.to_string()
}
