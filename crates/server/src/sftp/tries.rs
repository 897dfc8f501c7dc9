//! Wrong passwords, counted per address.

use std::collections::BTreeMap;
use std::net::IpAddr;

use spotpay_core::time::Span;

use crate::listen::neighbourhood;

/// Addresses that are remembered; the one whose count began first makes room.
const ADDRESSES_MAX: usize = 4_096;

/// How many wrong passwords an address may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    pub(super) wrong_max: u32,
    pub(super) within: Span,
}

#[derive(Debug)]
struct Count {
    wrong: u32,
    since: Span,
}

/// The counts. Time is since some start and never goes back.
#[derive(Debug, Default)]
pub(super) struct Tries(BTreeMap<IpAddr, Count>);

fn is_over(count: &Count, allowance: Allowance, now: Span) -> bool {
    now.as_micros() - count.since.as_micros() >= allowance.within.as_micros()
}

impl Tries {
    /// Whether an address has used up what it may get wrong.
    pub(super) fn is_shut(&self, address: IpAddr, allowance: Allowance, now: Span) -> bool {
        self.0.get(&neighbourhood(address)).is_some_and(|count| {
            count.wrong >= allowance.wrong_max && !is_over(count, allowance, now)
        })
    }

    /// One more.
    pub(super) fn note(&mut self, address: IpAddr, allowance: Allowance, now: Span) {
        let address = neighbourhood(address);
        if !self.0.contains_key(&address) && self.0.len() >= ADDRESSES_MAX {
            self.0.retain(|_, count| !is_over(count, allowance, now));
            let first = self.0.iter().min_by_key(|(_, count)| count.since);
            if let (Some((&first, _)), true) = (first, self.0.len() >= ADDRESSES_MAX) {
                self.0.remove(&first);
            }
        }
        let fresh = Count {
            wrong: 0,
            since: now,
        };
        let count = self.0.entry(address).or_insert(fresh);
        if is_over(count, allowance, now) {
            *count = Count {
                wrong: 0,
                since: now,
            };
        }
        count.wrong = count.wrong.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWANCE: Allowance = Allowance {
        wrong_max: 3,
        within: Span::minutes(5),
    };

    // Goal: an address is shut after its wrong passwords, its neighbours of IPv6 with it, others
    // are not, and it opens again.
    #[test]
    fn shut_and_open_again() {
        let mut tries = Tries::default();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let start = Span::seconds(7);
        for _ in 0..3 {
            assert!(!tries.is_shut(address("2001:db8::1"), ALLOWANCE, start));
            tries.note(address("2001:db8::1"), ALLOWANCE, start);
            tries.note(address("10.0.0.1"), ALLOWANCE, start);
        }
        for (text, shut) in [
            ("2001:db8::1", true),
            ("2001:db8::ffff", true),
            ("2001:db8:0:1::1", false),
            ("10.0.0.1", true),
            ("::ffff:10.0.0.1", true),
            ("10.0.0.2", false),
        ] {
            assert_eq!(
                tries.is_shut(address(text), ALLOWANCE, start),
                shut,
                "{text}"
            );
        }
        let later = Span::seconds(307);
        assert!(!tries.is_shut(address("10.0.0.1"), ALLOWANCE, later));
        tries.note(address("10.0.0.1"), ALLOWANCE, later);
        assert!(!tries.is_shut(address("10.0.0.1"), ALLOWANCE, later));
    }

    // Goal: a crowd of addresses does not grow without end.
    #[test]
    fn a_crowd() {
        let mut tries = Tries::default();
        for number in 0..u32::try_from(ADDRESSES_MAX).unwrap() + 500 {
            let address = IpAddr::from(number.to_be_bytes());
            tries.note(address, ALLOWANCE, Span::micros(number.into()));
        }
        assert_eq!(tries.0.len(), ADDRESSES_MAX);
        assert!(!tries.0.contains_key(&IpAddr::from([0, 0, 0, 0])));
    }
}
