//! Writes the two nights of `examples/nightly/`: made-up orders, the same bytes every time.
//!
//! Run with `cargo run --example generate_nightly`. You should see no change in `git status`.
//!
//! The first night has 30 000 orders. By the second, some have changed, some are gone and 900 are
//! new. Each night has seven bad rows, one for each way in which real files go wrong.

use std::fs;
use std::io;
use std::path::Path;

const FIRST_NIGHT_ORDERS: u64 = 30_000;
const NEW_ORDERS: u64 = 900;

const CITIES: [&str; 10] =
    ["Bergen", "Porto", "Krakow", "Ghent", "Turku", "Graz", "Lyon", "Siena", "Aarhus", "Tartu"];
const TRADES: [&str; 8] =
    ["Bakery", "Books", "Bicycles", "Ceramics", "Gardens", "Instruments", "Tailors", "Teas"];
const COUNTRIES: [&str; 10] = ["NO", "PT", "PL", "BE", "FI", "AT", "FR", "IT", "DK", "EE"];
const PRODUCTS: [&str; 6] =
    ["oak shelf", "desk lamp", "tea pot, large", "wool rug", "12\" frame", "stool"];

fn main() -> io::Result<()> {
    let folder = Path::new("examples/nightly");
    fs::create_dir_all(folder)?;
    fs::write(folder.join("orders-2026-03-01.csv"), first_night())?;
    fs::write(folder.join("orders-2026-03-02.csv"), second_night())
}

/// The file of the first night.
pub fn first_night() -> String {
    let mut csv = Csv::new();
    for id in 1..=FIRST_NIGHT_ORDERS {
        csv.row(&Order::placed(id), Fault::of(id, 4_100));
    }
    csv.text
}

/// The file of the second night.
pub fn second_night() -> String {
    let mut csv = Csv::new();
    for id in 1..=FIRST_NIGHT_ORDERS + NEW_ORDERS {
        let mut order = Order::placed(id);
        if id % 61 == 0 && id <= FIRST_NIGHT_ORDERS {
            continue; // cancelled since
        }
        if id % 17 == 3 && id <= FIRST_NIGHT_ORDERS {
            order.quantity += 1;
            order.paid = Some(true);
        }
        csv.row(&order, Fault::of(id, 4_001));
    }
    csv.text
}

struct Order {
    id: u64,
    customer: String,
    country: &'static str,
    product: &'static str,
    quantity: u64,
    cents: u64,
    ordered_on: String,
    paid: Option<bool>,
}

impl Order {
    /// An order depends on its number alone, so that both nights agree on it.
    fn placed(id: u64) -> Self {
        let mut dice = Dice(id);
        let place = dice.below(CITIES.len() as u64) as usize;
        let trade = TRADES[dice.below(TRADES.len() as u64) as usize];
        Self {
            id,
            customer: format!("{} {trade} {}", CITIES[place], 1 + dice.below(40)),
            country: COUNTRIES[place],
            product: PRODUCTS[dice.below(PRODUCTS.len() as u64) as usize],
            quantity: 1 + dice.below(24),
            cents: 450 + dice.below(49_500),
            ordered_on: format!("2026-{:02}-{:02}", 1 + dice.below(2), 1 + dice.below(28)),
            paid: [Some(true), Some(true), Some(false), None][dice.below(4) as usize],
        }
    }
}

/// What is wrong with a row.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    Nothing,
    NumberInWords,
    FieldMissing,
    NoSuchDay,
    TextTooLong,
    KeyMissing,
    NumberTooLarge,
    NeitherTrueNorFalse,
}

impl Fault {
    const ALL: [Self; 7] = [
        Self::NumberInWords,
        Self::FieldMissing,
        Self::NoSuchDay,
        Self::TextTooLong,
        Self::KeyMissing,
        Self::NumberTooLarge,
        Self::NeitherTrueNorFalse,
    ];

    /// Every `distance`th row is bad, each in another way.
    fn of(id: u64, distance: u64) -> Self {
        if !id.is_multiple_of(distance) {
            return Self::Nothing;
        }
        Self::ALL.get((id / distance - 1) as usize).copied().unwrap_or(Self::Nothing)
    }
}

struct Csv {
    text: String,
}

impl Csv {
    fn new() -> Self {
        let header = "order_id,customer,country,product,quantity,unit_price,ordered_on,paid\n";
        Self { text: header.to_owned() }
    }

    fn row(&mut self, order: &Order, fault: Fault) {
        let bad = |wanted: Fault, text: &str, good: String| {
            if fault == wanted { text.to_owned() } else { good }
        };
        let price = format!("{}.{:02}", order.cents / 100, order.cents % 100);
        let paid = order.paid.map_or(String::new(), |paid| paid.to_string());
        let long = "and Sons, and their Sons, and all of their Daughters too";
        let mut fields = vec![
            bad(Fault::KeyMissing, "", order.id.to_string()),
            quoted(&bad(Fault::TextTooLong, long, order.customer.clone())),
            order.country.to_owned(),
            quoted(order.product),
            bad(Fault::NumberInWords, "seven", order.quantity.to_string()),
            bad(Fault::NumberTooLarge, "99999999999.00", price),
            bad(Fault::NoSuchDay, "2026-02-30", order.ordered_on.clone()),
            bad(Fault::NeitherTrueNorFalse, "perhaps", paid),
        ];
        if fault == Fault::FieldMissing {
            fields.pop();
        }
        self.text.push_str(&fields.join(","));
        self.text.push('\n');
    }
}

/// A field in quotes where it needs them.
fn quoted(field: &str) -> String {
    if field.contains([',', '"']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

/// The `SplitMix64` generator: a few lines, and the same numbers on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}
