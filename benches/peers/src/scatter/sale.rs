//! The rows, and what is right, made without any contender.

use super::scenario::Scenario;
use rowmill::Entity;
use std::collections::BTreeMap;

/// How many rows are on all shards together.
pub const ROWS: i64 = 300_000;

/// How many rows a load inserts.
pub const LOADED: i64 = 9_000;

/// How many rows are asked for in an order.
pub const LIMIT: u64 = 100;

const CUSTOMERS: i64 = 30_000;

/// The first customers of the second and of the third shard.
pub const BOUNDS: [i64; 2] = [10_000, 20_000];

/// The tables of a shard: one to read, and an empty one.
pub const TABLES: &str = "
    create table sale (id bigint primary key, customer bigint not null, country text not null,
        cents bigint not null, weight bigint not null);
    create table loaded (like sale including all)";

/// Made once the rows are there.
pub const INDEX: &str = "create index on sale (cents desc, id); vacuum analyze sale";

#[derive(Clone, Debug, Entity)]
#[entity(table = "sale")]
pub struct Sale {
    #[entity(key)]
    pub id: i64,
    #[entity(shard_key)]
    pub customer: i64,
    pub country: String,
    pub cents: i64,
    pub weight: i64,
}

/// The same, in the table that is loaded.
#[derive(Clone, Debug, Entity)]
#[entity(table = "loaded")]
pub struct Loaded {
    #[entity(key)]
    pub id: i64,
    #[entity(shard_key)]
    pub customer: i64,
    pub country: String,
    pub cents: i64,
    pub weight: i64,
}

/// The row of this number; `scatter.py` makes the same.
pub fn sale(id: i64) -> Sale {
    Sale {
        id,
        customer: id * 7_919 % CUSTOMERS,
        country: format!("country {:02}", id * 31 % 40),
        cents: id * 48_271 % 1_000_003,
        weight: id * 69_621 % 1_000_033,
    }
}

/// The rows of a load.
pub fn loaded() -> Vec<Loaded> {
    let of = |Sale { id, customer, country, cents, weight }| Loaded {
        id,
        customer,
        country,
        cents,
        weight,
    };
    (0..LOADED).map(|id| of(sale(id))).collect()
}

/// The shard of a customer, by its place.
pub fn shard_of(customer: i64) -> usize {
    BOUNDS.iter().filter(|bound| customer >= **bound).count()
}

/// Numbers in their order, as one.
pub fn folded(numbers: impl IntoIterator<Item = i64>) -> String {
    const PRIME: i128 = (1 << 61) - 1;
    let fold = |sum: i128, number: i64| (sum * 31 + i128::from(number)) % PRIME;
    numbers.into_iter().fold(7, fold).to_string()
}

/// A country, and its count, sum and maximum.
pub type Group = (String, i64, i64, i64);

/// Groups in whatever order, as one number.
pub fn of_groups(mut groups: Vec<Group>) -> String {
    groups.sort();
    let numbers = |(country, count, sum, max): Group| {
        let number = country.trim_start_matches("country ").parse().expect("a number");
        [number, count, sum, max]
    };
    folded(groups.into_iter().flat_map(numbers))
}

/// What a contender has to say.
pub fn right(scenario: Scenario) -> String {
    let sales = (0..ROWS).map(sale);
    match scenario {
        Scenario::Count => ROWS.to_string(),
        Scenario::Top => first(sales, |sale| sale.cents),
        Scenario::Sorted => first(sales, |sale| sale.weight),
        Scenario::Groups => {
            let mut groups = BTreeMap::new();
            for sale in sales {
                let (count, sum, max) = groups.entry(sale.country).or_insert((0, 0, i64::MIN));
                (*count, *sum, *max) = (*count + 1, *sum + sale.cents, sale.weight.max(*max));
            }
            let group = |(country, (count, sum, max))| (country, count, sum, max);
            of_groups(groups.into_iter().map(group).collect())
        }
        Scenario::Load => LOADED.to_string(),
    }
}

fn first(sales: impl Iterator<Item = Sale>, by: impl Fn(&Sale) -> i64) -> String {
    let mut sales: Vec<_> = sales.map(|sale| (-by(&sale), sale.id)).collect();
    sales.sort_unstable();
    folded(sales.into_iter().take(LIMIT as usize).map(|(_, id)| id))
}

/// What `count, sum(id), sum(cents), sum(weight)` of the shards have to say after a load.
pub fn right_on_each() -> [String; 3] {
    let mut sums = [[0_i64; 4]; 3];
    for sale in (0..LOADED).map(sale) {
        let parts = [1, sale.id, sale.cents, sale.weight];
        let sums = &mut sums[shard_of(sale.customer)];
        sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
    }
    sums.map(|sums| sums.map(|sum| sum.to_string()).join(" "))
}
