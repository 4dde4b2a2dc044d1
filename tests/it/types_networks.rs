//! Addresses of hosts, networks and interfaces; texts by their keys.

use crate::support::round_trip::Journey;
use crate::support::{Home, on_both};
use proptest::prelude::*;
use rowmill::{Cell, Hstore, Inet, MacAddress};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

fn address() -> impl Strategy<Value = IpAddr> + Clone {
    prop_oneof![
        any::<u32>().prop_map(|bits| Ipv4Addr::from(bits).into()),
        any::<u128>().prop_map(|bits| Ipv6Addr::from(bits).into()),
        any::<u32>().prop_map(|bits| Ipv4Addr::from(bits).to_ipv6_mapped().into()),
    ]
}

fn hosts() -> Vec<IpAddr> {
    ["0.0.0.0", "255.255.255.255", "::", "::1", "::ffff:1.2.3.4", "::1.2.3.4", "fe80::1:0:0:1"]
        .map(|text| text.parse().unwrap())
        .to_vec()
}

fn nets(texts: &[&str]) -> Vec<Inet> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn addresses_come_back_with_their_networks() {
    Journey::new(hosts()).run(&address());
    let edges =
        nets(&["0.0.0.0/0", "10.1.2.3/8", "1.2.3.4/32", "::/0", "::1/127", "::ffff:1.2.3.4/100"]);
    let any_net = (address(), any::<u8>()).prop_map(|(address, bits)| {
        let longest = if address.is_ipv4() { 32 } else { 128 };
        Inet::new(address, bits % (longest + 1)).unwrap()
    });
    Journey::new(edges).run(&any_net);
}

#[test]
fn networks_come_back() {
    let edges = nets(&["0.0.0.0/0", "10.0.0.0/8", "1.2.3.4/32", "::/0", "fe80::/10", "::1"]);
    let net = (any::<u32>(), 0..=32_u8).prop_map(|(bits, prefix)| {
        let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
        Inet::new(Ipv4Addr::from(bits & mask).into(), prefix).unwrap()
    });
    Journey::through("cidr", edges).run(&net);
}

#[test]
fn addresses_of_interfaces_come_back() {
    let edges = vec![MacAddress([0; 6]), MacAddress([0xFF; 6])];
    Journey::new(edges).run(&any::<[u8; 6]>().prop_map(MacAddress));
}

#[test]
fn texts_by_their_keys_come_back() {
    let text = "[^\u{0}]{0,8}";
    let pairs = prop::collection::btree_map(text, prop::option::of(text), 0..5).prop_map(Hstore);
    let pair = |key: &str, value: Option<&str>| (key.to_owned(), value.map(str::to_owned));
    let edges = vec![
        Hstore::default(),
        Hstore::from([pair("", Some("")), pair("NULL", None), pair("a", Some("NULL"))]),
        Hstore::from([pair("\"=>\\", Some(", \"x\"=>\"")), pair("{,}", Some("'"))]),
    ];
    Journey::new(edges).after("create extension hstore").run(&pairs);
}

#[test]
fn what_a_server_prints_for_an_address_is_what_is_shown_here() {
    let home = Home::postgres();
    for address in hosts() {
        let printed = &home.rows(&format!("select '{address}'::inet"))[0];
        assert_eq!(*printed, Inet::from(address).to_string());
    }
}

#[test]
fn an_address_with_a_network_is_refused_where_only_a_host_can_be() {
    on_both(|home| {
        let sql = home.pick("select '10.0.0.1/8'", "select inet '10.0.0.1/8'");
        let read = home.engine().query(sql, &[], |row| IpAddr::unpack(row.cell(0)?).map(drop));
        assert!(read.unwrap_err().to_string().contains("a field that is an Inet holds both"));
    });
}
