//! XXH64, the hash that buckets are told by.

const PRIMES: [u64; 5] = [
    0x9E37_79B1_85EB_CA87,
    0xC2B2_AE3D_27D4_EB4F,
    0x1656_67B1_9E37_79F9,
    0x85EB_CA77_C2B2_AE63,
    0x27D4_EB2F_1656_67C5,
];

/// XXH64 of `bytes` with seed 0. It is part of the format of a map: a change of it would leave every
/// row on a shard where nobody looks for it.
pub(super) fn xxh64(bytes: &[u8]) -> u64 {
    let [one, two, three, ..] = PRIMES;
    let (blocks, rest) = bytes.as_chunks::<32>();
    let start = if blocks.is_empty() { PRIMES[4] } else { converged(blocks) };
    let mut hash = start.wrapping_add(bytes.len() as u64);
    let (words, rest) = rest.as_chunks::<8>();
    for word in words {
        hash ^= round(0, u64::from_le_bytes(*word));
        hash = hash.rotate_left(27).wrapping_mul(one).wrapping_add(PRIMES[3]);
    }
    let (halves, rest) = rest.as_chunks::<4>();
    for half in halves {
        hash ^= u64::from(u32::from_le_bytes(*half)).wrapping_mul(one);
        hash = hash.rotate_left(23).wrapping_mul(two).wrapping_add(three);
    }
    for byte in rest {
        hash ^= u64::from(*byte).wrapping_mul(PRIMES[4]);
        hash = hash.rotate_left(11).wrapping_mul(one);
    }
    avalanche(hash)
}

/// Four lanes over blocks of 32 bytes, made one.
fn converged(blocks: &[[u8; 32]]) -> u64 {
    let [one, two, ..] = PRIMES;
    let mut lanes = [one.wrapping_add(two), two, 0, one.wrapping_neg()];
    for block in blocks {
        let (words, _) = block.as_chunks::<8>();
        for (lane, word) in lanes.iter_mut().zip(words) {
            *lane = round(*lane, u64::from_le_bytes(*word));
        }
    }
    let turned = lanes.iter().zip([1, 7, 12, 18]).map(|(lane, turn)| lane.rotate_left(turn));
    let sum = turned.fold(0, u64::wrapping_add);
    lanes
        .iter()
        .fold(sum, |hash, &lane| (hash ^ round(0, lane)).wrapping_mul(one).wrapping_add(PRIMES[3]))
}

fn round(lane: u64, word: u64) -> u64 {
    let [one, two, ..] = PRIMES;
    lane.wrapping_add(word.wrapping_mul(two)).rotate_left(31).wrapping_mul(one)
}

fn avalanche(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 33)).wrapping_mul(PRIMES[1]);
    hash = (hash ^ (hash >> 29)).wrapping_mul(PRIMES[2]);
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_xxh64_as_everybody_else_computes_it() {
        let long: Vec<u8> = (0..=100).collect();
        for (bytes, hash) in [
            (&b""[..], 0xef46_db37_51d8_e999),
            (b"a", 0xd24e_c4f1_a98c_6e5b),
            (b"abc", 0x44bc_2cf5_ad77_0999),
            (b"The quick brown fox jumps over the lazy dog", 0x0b24_2d36_1fda_71bc),
            (&long, 0xe990_3849_5f85_381e),
        ] {
            assert_eq!(xxh64(bytes), hash, "{} bytes", bytes.len());
        }
    }
}
