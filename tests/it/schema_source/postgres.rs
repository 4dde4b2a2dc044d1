//! Written by the test beside it.
#![allow(dead_code)]

// Features of rowmill: jiff, uuid.
use rowmill::{Entity, SqlEnum};

/// The enum `shop.Order state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, SqlEnum)]
#[sql_enum(name = "shop.Order state")]
pub enum OrderState {
    #[sql_enum(label = "new")]
    New,
    #[sql_enum(label = "in-transit")]
    InTransit,
    Delivered,
}

/// The enum `mood`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, SqlEnum)]
#[sql_enum(name = "mood")]
pub enum Mood {
    #[sql_enum(label = "calm")]
    Calm,
    #[sql_enum(label = "type")]
    Type,
}

/// A row of `shop.customers`.
#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "shop.customers")]
#[entity(unique(country, name))]
#[entity(index(born, state))]
pub struct Customer {
    #[entity(key, generated)]
    pub id: i64,
    #[entity(references = Customer, on_delete = "set null")]
    pub parent: Option<i64>,
    #[entity(column_type = "char(2)", references = Country, on_delete = "restrict")]
    pub country: String,
    #[entity(length = 320)]
    pub mail: String,
    #[entity(length = 160, index)]
    pub name: String,
    pub born: Option<jiff::civil::Date>,
    pub wakes: Option<jiff::civil::Time>,
    #[entity(default = "now()")]
    pub called: jiff::civil::DateTime,
    #[entity(default = "CURRENT_TIMESTAMP")]
    pub seen: jiff::Timestamp,
    pub every: Option<rowmill::Interval>,
    #[entity(default = "gen_random_uuid()")]
    pub token: uuid::Uuid,
    pub raw: Option<Vec<u8>>,
    /// Where a statement leaves it out: `'{}'::jsonb`.
    pub meta: serde_json::Value,
    #[entity(column_type = "json")]
    pub old_meta: Option<serde_json::Value>,
    /// Where a statement leaves it out: `'{}'::text[]`.
    pub tags: Vec<String>,
    pub scores: Option<Vec<i32>>,
    /// Where a statement leaves it out: `'new'::shop."Order state"`.
    pub state: OrderState,
    pub states: Option<Vec<OrderState>>,
    pub feels: Option<Mood>,
    pub address: Option<rowmill::Inet>,
    #[entity(column_type = "cidr")]
    pub network: Option<rowmill::Inet>,
    pub device: Option<rowmill::MacAddress>,
    pub years: Option<rowmill::Range<i32>>,
    pub visits: Option<rowmill::Range<jiff::Timestamp>>,
    pub ratio: Option<f64>,
    pub share: Option<f32>,
    #[entity(read_only)]
    pub initial: Option<String>,
    // Left out, since no Rust type holds a timetz: zoned
}

/// A row of `countries`.
#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "countries")]
pub struct Country {
    #[entity(key, column_type = "char(2)")]
    pub code: String,
    #[entity(column = "Name", unique)]
    pub name: String,
}

/// A row of `shop.Order lines`.
#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "shop.Order lines")]
pub struct OrderLines {
    #[entity(key)]
    pub line: i16,
    #[entity(key, column = "Order ref")]
    pub order_ref: i64,
    /// Where a statement leaves it out: `'plain'::character varying`.
    #[entity(length = 20)]
    pub r#type: String,
    /// Where a statement leaves it out: `false`.
    #[entity(column = "self")]
    pub self_: bool,
    #[entity(column = "1st price", column_type = "numeric(10,2)")]
    pub _1st_price: rowmill::Numeric,
    pub price: Option<rowmill::Numeric>,
    pub r#loop: Option<i32>,
    #[entity(column = "Loop")]
    pub loop_2: Option<i32>,
}

/// A row of `log`.
#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "log")]
pub struct Log {
    #[entity(key, generated)]
    pub line: i64,
    pub at: jiff::Timestamp,
}

/// A row of `wide`.
#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "wide")]
#[entity(unique(a, b, c, d, e))]
pub struct Wide {
    pub a: i32,
    pub b: i32,
    pub c: i32,
    pub d: i32,
    pub e: i32,
}

/// A row of `newest`.
#[derive(Clone, Debug, PartialEq, Entity)]
#[entity(table = "newest")]
pub struct Newest {
    pub id: Option<i64>,
    #[entity(length = 160)]
    pub name: Option<String>,
}
