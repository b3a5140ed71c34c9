//! How fast support codes can be guessed.
//!
//! A wrong code costs one of the allowance of its address, of its network and
//! of the whole server; a right one costs nothing. Whoever has no allowance
//! left waits. When the whole server has none left, everybody who types a code
//! first solves a small piece of work: people do not notice, and a crowd of
//! addresses pays for every guess. Nobody is locked out: links carry a token
//! that cannot be guessed, and do not come here at all.

use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use gc_model::time::Moment;

use crate::http::buckets::{Buckets, Rate};

/// Wrong codes of one address (a /64 of IPv6): a person mistypes a few times.
const ADDRESS: Rate = Rate {
    burst: 5,
    refill: Duration::from_mins(2),
};

/// Wrong codes of one network, a /24 or /48: a large office behind its addresses.
const NETWORK: Rate = Rate {
    burst: 20,
    refill: Duration::from_secs(30),
};

/// Wrong codes of a /32 of IPv6 before work is asked for: one provider, or one attacker with
/// tens of thousands of networks.
const REGION: Rate = Rate {
    burst: 200,
    refill: Duration::from_secs(5),
};

/// Wrong codes of the whole world before work is asked for: a busy help desk
/// mistypes far less.
const SERVER: Rate = Rate {
    burst: 60,
    refill: Duration::from_secs(2),
};

/// Bits of work at first: a tenth of a second in a browser.
const EASY_BITS: u32 = 16;

/// Bits of work under a long attack: half a second in a browser.
const HARD_BITS: u32 = 18;

/// Wrong codes over the server's allowance at which work becomes hard.
const HARD_AFTER: u32 = 600;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Address(u128),
    Network(u128),
}

/// What somebody with a code has to do first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing.
    Go,
    /// Wait.
    Wait(Duration),
    /// Work of so many bits.
    Work(u32),
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Guesses {
    allowances: Mutex<Allowances>,
}

#[derive(Debug, Default)]
struct Allowances {
    own: Buckets<Key>,
    /// Apart: its networks must not make it forgotten.
    region: Buckets<u128>,
    /// Apart: a crowd of addresses must not make it forgotten.
    server: Buckets<()>,
}

impl Guesses {
    /// Somebody wants to try a code. With [`Verdict::Go`] the try is counted as
    /// a wrong one until [`Guesses::was_right`] says otherwise, so that many at
    /// once are no way around the count.
    pub(crate) fn begin(&self, now: Moment, address: IpAddr, has_worked: bool) -> Verdict {
        let mut allowances = self.allowances.lock().expect("no code here panics");
        let own = keys(address);
        let waits = own
            .iter()
            .filter_map(|(key, rate)| allowances.own.wait(now, key, *rate));
        if let Some(wait) = waits.max() {
            return Verdict::Wait(wait);
        }
        let region = region(address);
        let crowded =
            region.is_some_and(|region| allowances.region.wait(now, &region, REGION).is_some());
        if crowded && !has_worked {
            return Verdict::Work(HARD_BITS);
        }
        if !has_worked && let Some(over) = allowances.server.wait(now, &(), SERVER) {
            let hard = over >= SERVER.refill * HARD_AFTER;
            return Verdict::Work(if hard { HARD_BITS } else { EASY_BITS });
        }
        for (key, rate) in &own {
            allowances.own.take(now, key, *rate);
        }
        if let Some(region) = region.filter(|_| !crowded) {
            allowances.region.take(now, &region, REGION);
        }
        // Bounded, so that the attack's end is felt soon.
        let most = SERVER.refill * HARD_AFTER * 2;
        let over = allowances.server.wait(now, &(), SERVER);
        if over.is_none_or(|over| over < most) {
            allowances.server.take(now, &(), SERVER);
        }
        Verdict::Go
    }

    /// The code of the last [`Guesses::begin`] was right.
    pub(crate) fn was_right(&self, now: Moment, address: IpAddr) {
        let mut allowances = self.allowances.lock().expect("no code here panics");
        for (key, rate) in keys(address) {
            allowances.own.give_back(now, &key, rate);
        }
        if let Some(region) = region(address) {
            allowances.region.give_back(now, &region, REGION);
        }
        allowances.server.give_back(now, &(), SERVER);
    }
}

fn region(address: IpAddr) -> Option<u128> {
    match address.to_canonical() {
        IpAddr::V4(_) => None,
        IpAddr::V6(address) => Some(address.to_bits() & !(u128::MAX >> 32)),
    }
}

fn keys(address: IpAddr) -> [(Key, Rate); 2] {
    let (one, network) = match address.to_canonical() {
        IpAddr::V4(address) => {
            let bits = u128::from(address.to_bits());
            (bits, bits & !0xff)
        }
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            (bits & !u128::from(u64::MAX), bits & !(u128::MAX >> 48))
        }
    };
    [
        (Key::Address(one), ADDRESS),
        (Key::Network(network), NETWORK),
    ]
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_micros(seconds * 1_000_000)
    }

    fn v4(n: u32) -> IpAddr {
        Ipv4Addr::from_bits(n).into()
    }

    #[test]
    fn an_address_mistypes_a_few_times_and_then_waits() {
        let guesses = Guesses::default();
        let one = v4(0x0a00_0001);
        for _ in 0..5 {
            assert_eq!(guesses.begin(at(0), one, false), Verdict::Go);
        }

        assert_eq!(
            guesses.begin(at(0), one, true),
            Verdict::Wait(Duration::from_mins(2))
        );
        assert_eq!(guesses.begin(at(0), v4(0x0a00_0002), false), Verdict::Go);
        assert_eq!(guesses.begin(at(120), one, false), Verdict::Go);
    }

    #[test]
    fn right_codes_cost_nothing() {
        let guesses = Guesses::default();
        for _ in 0..1_000 {
            assert_eq!(guesses.begin(at(0), v4(1), false), Verdict::Go);
            guesses.was_right(at(0), v4(1));
        }
        assert_eq!(guesses.begin(at(0), v4(1), false), Verdict::Go);
    }

    #[test]
    fn the_addresses_of_one_network_share_an_allowance() {
        let v6 = |n: u16| IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 7, n, 0, 0, 0, 1));
        for network in [v4 as fn(u32) -> IpAddr, |n| {
            IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 7, n as u16, 0, 0, 0, 1))
        }] {
            let guesses = Guesses::default();
            for n in 0..20 {
                assert_eq!(guesses.begin(at(0), network(n), false), Verdict::Go);
            }
            assert!(matches!(
                guesses.begin(at(0), network(99), false),
                Verdict::Wait(_)
            ));
        }
        let guesses = Guesses::default();
        for _ in 0..5 {
            assert_eq!(guesses.begin(at(0), v6(1), false), Verdict::Go);
        }
        assert!(matches!(
            guesses.begin(at(0), v6(1), false),
            Verdict::Wait(_)
        ));
    }

    /// The arithmetic of docs/security.md: 1,000 addresses of as many networks
    /// guess as fast as they may, for an hour, each solving what is asked.
    #[test]
    fn a_thousand_attackers_find_less_than_two_of_fifty_codes_in_an_hour() {
        let guesses = Guesses::default();
        let (mut tried, mut worked) = (0_u64, 0_u64);
        let customer = v4(0xc633_6401);
        for second in 0..3_600 {
            for attacker in 0..1_000 {
                let address = v4(attacker << 8);
                let mut has_worked = false;
                loop {
                    match guesses.begin(at(second), address, has_worked) {
                        Verdict::Go => tried += 1,
                        Verdict::Work(bits) => {
                            assert!((EASY_BITS..=HARD_BITS).contains(&bits));
                            worked += 1;
                            has_worked = true;
                            continue;
                        }
                        Verdict::Wait(_) => break,
                    }
                    has_worked = false;
                }
            }
            // Meanwhile a customer with a right code is never made to wait.
            let verdict = guesses.begin(at(second), customer, true);
            assert_eq!(verdict, Verdict::Go, "second {second}");
            guesses.was_right(at(second), customer);
        }

        let expected_hits = tried as f64 * 50.0 / 1_000_000.0;
        assert!(tried <= 1_000 * (5 + 30), "{tried} guesses");
        assert!(expected_hits < 2.0, "{expected_hits} hits");
        assert!(worked > tried * 9 / 10, "{worked} of {tried} paid for");
    }

    #[test]
    fn after_an_attack_nobody_has_to_work_for_long() {
        let guesses = Guesses::default();
        for n in 0..20_000 {
            guesses.begin(at(0), v4(n << 8), true);
        }
        assert_eq!(guesses.begin(at(0), v4(1), false), Verdict::Work(HARD_BITS));
        assert!(matches!(
            guesses.begin(at(1_300), v4(1), false),
            Verdict::Work(EASY_BITS)
        ));
        assert_eq!(guesses.begin(at(2_600), v4(1), false), Verdict::Go);
    }

    #[test]
    fn a_provider_full_of_networks_works_harder_for_its_guesses() {
        let guesses = Guesses::default();
        let network = |index: u32| {
            let bits = (0x2001_0db8_u128 << 96) | (u128::from(index) << 80);
            IpAddr::V6(Ipv6Addr::from_bits(bits))
        };
        for index in 0..REGION.burst {
            assert_eq!(guesses.begin(at(0), network(index), true), Verdict::Go);
        }

        let next = guesses.begin(at(0), network(6_000), false);
        let elsewhere = guesses.begin(at(0), IpAddr::V6(Ipv6Addr::LOCALHOST), false);

        assert_eq!(next, Verdict::Work(HARD_BITS));
        assert_eq!(elsewhere, Verdict::Work(EASY_BITS));
    }
}
