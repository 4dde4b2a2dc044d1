//! Values in the server's binary format as the texts that PostgreSQL prints.

use super::BinaryType;
use super::parts::{self, Bounds, longest_prefix};
use crate::error::{Error, ErrorKind, Result};
use crate::mapping::column_type::ColumnType;
use crate::mapping::text::{self, quoted};
use crate::sqlstate::SqlState;
use core::net::IpAddr;
use std::fmt::Write as _;
use std::ops::Bound;

/// Appends the text of a value.
///
/// # Errors
/// `Decode` if the bytes are none of the type, or the type is unknown.
pub(in crate::mapping) fn show(ty: &BinaryType, bytes: &[u8], out: &mut String) -> Result<()> {
    let broken = || damaged(ty);
    match ty {
        BinaryType::Oid(_) => {
            let number = u32::from_be_bytes(bytes.try_into().map_err(|_| broken())?);
            push(out, format_args!("{number}"));
        }
        BinaryType::Inet(name) => {
            let (address, prefix) = parts::address(bytes).ok_or_else(broken)?;
            show_address(address, out);
            if prefix < longest_prefix(address) || name == "cidr" {
                push(out, format_args!("/{prefix}"));
            }
        }
        BinaryType::MacAddr => {
            show_mac(bytes.try_into().map_err(|_| broken())?, out);
        }
        BinaryType::Range(element) => {
            show_range(element, parts::range(bytes).ok_or_else(broken)?, out)?;
        }
        BinaryType::Multirange(element) => {
            out.push('{');
            for (index, bytes) in parts::multirange(bytes).ok_or_else(broken)?.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                show_range(element, parts::range(bytes).ok_or_else(broken)?, out)?;
            }
            out.push('}');
        }
        BinaryType::Hstore => show_pairs(&parts::pairs(bytes).ok_or_else(broken)?, out),
        BinaryType::Composite(_, fields) => {
            show_record(fields, &parts::record(bytes).ok_or_else(broken)?, out)?;
        }
        BinaryType::Unknown(name) => return Err(unknown(name)),
    }
    Ok(())
}

fn show_range(element: &ColumnType, bounds: Bounds<&[u8]>, out: &mut String) -> Result<()> {
    let Some((lower, upper)) = bounds else {
        out.push_str("empty");
        return Ok(());
    };
    let value = |bytes: &[u8], out: &mut String| {
        let mut shown = String::new();
        text::output(element, bytes, &mut shown)?;
        quoted::push(&shown, out);
        Ok::<_, Error>(())
    };
    out.push(if matches!(lower, Bound::Included(_)) { '[' } else { '(' });
    if let Bound::Included(bytes) | Bound::Excluded(bytes) = lower {
        value(bytes, out)?;
    }
    out.push(',');
    if let Bound::Included(bytes) | Bound::Excluded(bytes) = upper {
        value(bytes, out)?;
    }
    out.push(if matches!(upper, Bound::Included(_)) { ']' } else { ')' });
    Ok(())
}

/// An address as `inet_out` prints it: one of version 4 in one of version 6 keeps its points also
/// where it is not mapped.
pub(in crate::mapping) fn show_address(address: IpAddr, out: &mut String) {
    if let IpAddr::V6(long) = address
        && let [0, 0, 0, 0, 0, 0, high, low] = long.segments()
        && high != 0
    {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        push(out, format_args!("::{a}.{b}.{c}.{d}"));
        return;
    }
    push(out, format_args!("{address}"));
}

/// The address of an interface as `macaddr_out` prints it.
pub(in crate::mapping) fn show_mac(bytes: [u8; 6], out: &mut String) {
    for (index, byte) in bytes.iter().enumerate() {
        let separator = if index == 0 { "" } else { ":" };
        push(out, format_args!("{separator}{byte:02x}"));
    }
}

/// Pairs as `hstore_out` prints them.
pub(in crate::mapping) fn show_pairs(pairs: &[parts::Pair<'_>], out: &mut String) {
    for (index, (key, value)) in pairs.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { ", " });
        quoted::push_string(key, out);
        out.push_str("=>");
        match value {
            Some(value) => quoted::push_string(value, out),
            None => out.push_str("NULL"),
        }
    }
}

fn show_record(
    fields: &[(String, ColumnType)],
    values: &[parts::Field<'_>],
    out: &mut String,
) -> Result<()> {
    out.push('(');
    for (index, ((_, column_type), (_, value))) in fields.iter().zip(values).enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        if let Some(bytes) = value {
            let mut shown = String::new();
            text::output(column_type, bytes, &mut shown)?;
            quoted::push(&shown, out);
        }
    }
    out.push(')');
    Ok(())
}

fn push(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = out.write_fmt(arguments);
}

/// The bytes are no value of the type.
#[cold]
fn damaged(ty: &BinaryType) -> Error {
    Error::new(ErrorKind::Decode, format!("the packed bytes are no {}", ty.name()))
        .with_sqlstate(SqlState::BAD_COPY_FORMAT)
}

/// Nobody here knows what the bytes mean.
#[cold]
fn unknown(name: &str) -> Error {
    Error::new(
        ErrorKind::Decode,
        format!("values of {name} come in a format that is not read here"),
    )
    .with_sqlstate(SqlState::DATATYPE_MISMATCH)
    .with_hint("cast the column in the query: column::text")
}
