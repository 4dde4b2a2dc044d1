//! A packed `numeric` under way: its groups, how they are rounded, and whether they fit.

use super::numeric::{MAX_SCALE, NEGATIVE, POSITIVE, overflow};
use crate::error::Result;

/// A number under way: its groups are the end of `out`, from `at`.
pub(super) struct Number<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) at: usize,
    pub(super) weight: i64,
    pub(super) scale: i64,
}

impl Number<'_> {
    fn len(&self) -> usize {
        (self.out.len() - self.at) / 2
    }

    fn group(&self, index: usize) -> u16 {
        let at = self.at + index * 2;
        u16::from_be_bytes([self.out[at], self.out[at + 1]])
    }

    fn set(&mut self, index: usize, group: u16) {
        let at = self.at + index * 2;
        self.out[at..at + 2].copy_from_slice(&group.to_be_bytes());
    }

    pub(super) fn push_groups(&mut self, whole: &[u8], fraction: &[u8], padding: usize) {
        let mut group = 0;
        let mut position = padding;
        for digit in whole.iter().chain(fraction) {
            group = group * 10 + u16::from(digit - b'0');
            position += 1;
            if position.is_multiple_of(4) {
                self.push(group);
                group = 0;
            }
        }
        let missing = position.wrapping_neg() % 4;
        if missing > 0 {
            self.push(group * 10_u16.pow(missing as u32));
        }
    }

    fn push(&mut self, group: u16) {
        if group == 0 && self.out.len() == self.at {
            self.weight -= 1;
        } else {
            self.out.extend_from_slice(&group.to_be_bytes());
        }
    }

    /// Takes away groups of 0 at both ends.
    pub(super) fn strip(&mut self) {
        while self.out.len() > self.at && self.group(self.len() - 1) == 0 {
            self.out.truncate(self.out.len() - 2);
        }
        let zeros = (0..self.len()).take_while(|index| self.group(*index) == 0).count();
        self.out.drain(self.at..self.at + zeros * 2);
        self.weight -= zeros as i64;
        if self.out.len() == self.at {
            self.weight = 0;
        }
    }

    pub(super) fn round(&mut self, scale: i64) {
        self.scale = scale.max(0);
        let decimals = (self.weight + 1) * 4 + scale;
        if decimals < 0 || self.len() == 0 {
            self.out.truncate(self.at);
            self.weight = 0;
            return;
        }
        let mut kept = ((decimals + 3) / 4) as usize;
        let within = (decimals % 4) as u32;
        if kept > self.len() || (kept == self.len() && within == 0) {
            return;
        }
        let mut carry;
        if within == 0 {
            carry = u16::from(self.group(kept) >= 5_000);
            self.out.truncate(self.at + kept * 2);
        } else {
            self.out.truncate(self.at + kept * 2);
            kept -= 1;
            let unit = 10_u16.pow(4 - within);
            let extra = self.group(kept) % unit;
            let rounded = self.group(kept) - extra + if extra >= unit / 2 { unit } else { 0 };
            carry = rounded / 10_000;
            self.set(kept, rounded % 10_000);
        }
        while carry > 0 && kept > 0 {
            kept -= 1;
            let group = self.group(kept) + 1;
            carry = group / 10_000;
            self.set(kept, group % 10_000);
        }
        if carry > 0 {
            self.out.splice(self.at..self.at, 1_u16.to_be_bytes());
            self.weight += 1;
        }
        self.strip();
    }

    pub(super) fn check_precision(&self, most: i64) -> Result<()> {
        if self.len() == 0 {
            return Ok(());
        }
        let first = i64::from(self.group(0).ilog10()) + 1;
        if self.weight * 4 + first > most {
            return Err(overflow());
        }
        Ok(())
    }

    pub(super) fn finish(self, negative: bool, at: usize) -> Result<()> {
        let weight = i16::try_from(self.weight).map_err(|_| overflow())?;
        if self.scale > MAX_SCALE {
            return Err(overflow());
        }
        let length = self.len();
        let sign = if negative && length > 0 { NEGATIVE } else { POSITIVE };
        let header = [length as u16, weight as u16, sign, self.scale as u16];
        for (index, field) in header.into_iter().enumerate() {
            self.out[at + index * 2..at + index * 2 + 2].copy_from_slice(&field.to_be_bytes());
        }
        Ok(())
    }
}
