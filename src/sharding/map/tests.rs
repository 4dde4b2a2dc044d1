use super::*;
use crate::sharding::key::KeyKind;

fn shares(map: &ShardMap, keys: i64) -> Vec<u64> {
    let mut shares = vec![0; map.shards().len()];
    for key in 0..keys {
        shares[map.shard_of(key).unwrap().index()] += 1;
    }
    shares
}

/// How much more than its share the fullest shard has.
fn skew(shares: &[u64]) -> f64 {
    let mean = shares.iter().sum::<u64>() as f64 / shares.len() as f64;
    shares.iter().map(|&share| (share as f64 / mean - 1.0).abs()).fold(0.0, f64::max)
}

#[test]
fn consecutive_numbers_are_spread_evenly() {
    for shards in [2, 3, 5, 7] {
        let map = ShardMap::hashed((0..shards).map(|shard| format!("s{shard}"))).unwrap();
        let shares = shares(&map, 200_000);
        assert!(skew(&shares) < 0.02, "{shards} shards: {shares:?}");
    }
}

/// Of 500,000 keys, or as many as `ROWMILL_SHARD_KEYS` says: ten million take a release build.
#[test]
fn many_keys_have_less_than_two_per_cent_skew() {
    let keys = std::env::var("ROWMILL_SHARD_KEYS").ok().and_then(|keys| keys.parse().ok());
    let keys: i64 = keys.unwrap_or(500_000);
    for shards in 2..=16 {
        let map = ShardMap::hashed((0..shards).map(|shard| format!("s{shard}"))).unwrap();
        let shares = shares(&map, keys);
        assert!(skew(&shares) < 0.02, "{shards} shards: {shares:?}");
        let grown = map.with_shard("new").unwrap();
        let moved = (0..keys)
            .filter(|key| map.shard_of(*key).unwrap() != grown.shard_of(*key).unwrap())
            .count();
        let share = moved as f64 / keys as f64;
        assert!((share - 1.0 / f64::from(shards + 1)).abs() < 0.01, "{shards} shards: {share}");
    }
}

#[test]
fn another_shard_moves_only_its_share_and_only_to_itself() {
    let mut map = ShardMap::hashed(["s1"]).unwrap();
    for shards in 2..=9_u32 {
        let grown = map.with_shard(format!("s{shards}")).unwrap();
        let new = grown.shard_named(&format!("s{shards}")).unwrap();
        let mut moved = 0;
        for key in 0..20_000_i64 {
            let (before, after) = (map.shard_of(key).unwrap(), grown.shard_of(key).unwrap());
            if before != after {
                assert_eq!(after, new);
                moved += 1;
            }
        }
        let share = f64::from(moved) / 20_000.0;
        assert!((share - 1.0 / f64::from(shards)).abs() < 0.01, "{shards} shards: {share}");
        assert_eq!(grown.version(), map.version() + 1);
        map = grown;
    }
    let shares = shares(&map, 200_000);
    assert!(skew(&shares) < 0.02, "{shares:?}");
}

#[test]
fn which_buckets_a_new_shard_takes_never_changes() {
    let map = ShardMap::hashed_over(10, ["a", "b"]).unwrap().with_shard("c").unwrap();
    let written = map.to_json().unwrap();
    // From those that have most, the last of equals first, and from the end of what they have.
    assert!(written.contains(r#"[[0,3,"a"],[4,4,"c"],[5,7,"b"],[8,9,"c"]]"#), "{written}");
}

#[test]
fn a_bucket_is_given_to_no_shard_of_another_map() {
    let two = ShardMap::hashed(["a", "b"]).unwrap();
    let three = ShardMap::hashed(["a", "b", "c"]).unwrap();
    let strange = three.shard_named("c").unwrap();
    let refused = two.with_buckets_on([0], strange).unwrap_err().to_string();
    assert!(refused.contains("a shard that it does not have"), "{refused}");
}

#[test]
fn a_map_by_hash_never_changes() {
    let map = ShardMap::hashed(["a", "b", "c"]).unwrap();
    let names = |keys: &[i64]| {
        keys.iter().map(|key| map.name_of(map.shard_of(*key).unwrap())).collect::<String>()
    };
    assert_eq!(names(&[0, 1, -1, 42, i64::MAX, i64::MIN]), "cbbcbc");
    assert_eq!(map.name_of(map.shard_of("Zürich").unwrap()), "a");
}

#[test]
fn ranges_and_lists_place_each_key_once() {
    let dates = ShardMap::ranged("old", [("2025", "new"), ("2026", "newest")]).unwrap();
    let name = |key: &str| dates.name_of(dates.shard_of(key).unwrap()).to_owned();
    assert_eq!(
        ["", "2024-12", "2025", "2025-12", "2026"].map(name),
        ["old", "old", "new", "new", "newest"]
    );
    let error = dates.shard_of(2_025_i64).unwrap_err().to_string();
    assert!(error.contains("int where the map has text"), "{error}");

    let listed = ShardMap::lookup([("CH", "alps"), ("AT", "alps"), ("NL", "sea")], None).unwrap();
    assert_eq!(listed.shards(), ["alps", "sea"]);
    assert_eq!(listed.name_of(listed.shard_of("NL").unwrap()), "sea");
    let error = listed.shard_of("XX").unwrap_err().to_string();
    assert!(error.contains("lists no shard") && !error.contains("XX"), "{error}");
    let open = ShardMap::lookup([("CH", "alps")], Some("rest")).unwrap();
    assert_eq!(open.name_of(open.shard_of("XX").unwrap()), "rest");
    assert_eq!(open.placement().kind(), Some(KeyKind::Text));
}

#[test]
fn what_is_no_map_is_refused_in_a_line() {
    for (map, words) in [
        (ShardMap::hashed(Vec::<String>::new()), "1 to 1024 shards"),
        (ShardMap::hashed(["a", "a"]), "two shards have the name a"),
        (ShardMap::hashed(["a b"]), "no name of a shard"),
        (ShardMap::hashed_over(1, ["a", "b"]), "cannot have 1 buckets"),
        (ShardMap::ranged("a", [(1_i64, "b"), (1, "c")]), "twice"),
        (ShardMap::lookup(Vec::<(i64, &str)>::new(), None), "names no key"),
    ] {
        let error = map.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(words), "{error}");
    }
}
