//! Growing delays after wrong passwords, for each account and each network.
//!
//! Kept in memory: nobody outside can make the server restart, and a table
//! would let anybody who guesses write to the database at will. An account
//! waits at most five minutes, so that guessing does not lock its owner out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use gc_model::time::Moment;
use sha2::{Digest as _, Sha256};

use crate::http::limits::Network;

/// Records remembered in each of two generations.
const MAX_RECORDS: usize = 20_000;

/// A record without a new failure for so long is forgotten.
const FORGET_AFTER: Duration = Duration::from_hours(1);

/// Failures without a delay, for one account.
const ACCOUNT_FREE: u32 = 5;

/// Failures without a delay, for one network: an office shares one.
const NETWORK_FREE: u32 = 20;

/// The first delay; each further failure doubles it.
const FIRST_DELAY: Duration = Duration::from_secs(2);

/// The longest delay of an account.
const ACCOUNT_LONGEST: Duration = Duration::from_mins(5);

/// The longest delay of a network.
const NETWORK_LONGEST: Duration = Duration::from_mins(15);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Lockout {
    records: Mutex<Records>,
}

#[derive(Debug, Default)]
struct Records {
    young: HashMap<Key, Record>,
    old: HashMap<Key, Record>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    /// Of the name that was typed, whether or not somebody has it: names of any
    /// length take the same room.
    Account([u8; 32]),
    Network(Network),
}

#[derive(Debug, Clone, Copy)]
struct Record {
    failures: u32,
    last: Moment,
}

impl Lockout {
    /// Called before a password is checked, and counts as a failure until
    /// [`Lockout::succeeded`]: many tries at once are no way around.
    ///
    /// # Errors
    /// How long to wait; the password must not be checked.
    pub(crate) fn begin(
        &self,
        now: Moment,
        username: &str,
        address: IpAddr,
    ) -> Result<(), Duration> {
        let mut records = self.records.lock().expect("no code here panics");
        let keys = [account(username), Key::Network(address.into())];
        let wait = keys.iter().filter_map(|key| records.wait(now, key)).max();
        if let Some(wait) = wait {
            return Err(wait);
        }
        for key in keys {
            records.fail(now, key);
        }
        Ok(())
    }

    /// The password was right.
    pub(crate) fn succeeded(&self, username: &str, address: IpAddr) {
        let mut records = self.records.lock().expect("no code here panics");
        records.forget(&account(username));
        records.forgive(&Key::Network(address.into()));
    }
}

fn account(username: &str) -> Key {
    Key::Account(Sha256::digest(username.as_bytes()).into())
}

impl Records {
    fn get(&self, now: Moment, key: &Key) -> Option<Record> {
        let record = self.young.get(key).or_else(|| self.old.get(key)).copied();
        record.filter(|record| now.since(record.last) < FORGET_AFTER)
    }

    fn wait(&self, now: Moment, key: &Key) -> Option<Duration> {
        let record = self.get(now, key)?;
        let until = record.last + delay(key, record.failures);
        (until > now).then(|| until.since(now))
    }

    fn fail(&mut self, now: Moment, key: Key) {
        let failures = self.get(now, &key).map_or(0, |record| record.failures);
        if self.young.len() >= MAX_RECORDS && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(
            key,
            Record {
                failures: failures.saturating_add(1),
                last: now,
            },
        );
    }

    fn forget(&mut self, key: &Key) {
        self.young.remove(key);
        self.old.remove(key);
    }

    fn forgive(&mut self, key: &Key) {
        let record = self.young.get_mut(key).or_else(|| self.old.get_mut(key));
        if let Some(record) = record {
            record.failures = record.failures.saturating_sub(1);
        }
    }
}

fn delay(key: &Key, failures: u32) -> Duration {
    let (free, longest) = match key {
        Key::Account(_) => (ACCOUNT_FREE, ACCOUNT_LONGEST),
        Key::Network(_) => (NETWORK_FREE, NETWORK_LONGEST),
    };
    match failures.checked_sub(free) {
        None => Duration::ZERO,
        Some(doublings) => FIRST_DELAY
            .saturating_mul(2_u32.saturating_pow(doublings))
            .min(longest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, last))
    }

    fn at(seconds: u64) -> Moment {
        Moment::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn delays_grow_with_each_failure_of_an_account_from_anywhere() {
        let lockout = Lockout::default();
        for n in 0..5 {
            assert_eq!(lockout.begin(at(0), "ada", address(n)), Ok(()));
        }

        assert_eq!(
            lockout.begin(at(0), "ada", address(9)),
            Err(Duration::from_secs(2))
        );
        assert_eq!(lockout.begin(at(2), "ada", address(9)), Ok(()));
        assert_eq!(
            lockout.begin(at(2), "ada", address(9)),
            Err(Duration::from_secs(4))
        );
        assert_eq!(lockout.begin(at(2), "grace", address(9)), Ok(()));
    }

    #[test]
    fn an_account_waits_five_minutes_at_most() {
        let lockout = Lockout::default();
        let mut now = 0;
        for n in 0..50 {
            while lockout.begin(at(now), "ada", address(n)).is_err() {
                now += 300;
            }
        }

        assert_eq!(
            lockout.begin(at(now), "ada", address(200)),
            Err(Duration::from_mins(5))
        );
    }

    #[test]
    fn a_right_password_clears_the_account() {
        let lockout = Lockout::default();
        for _ in 0..4 {
            lockout.begin(at(0), "ada", address(1)).expect("free");
        }
        lockout.succeeded("ada", address(1));

        for _ in 0..5 {
            assert_eq!(lockout.begin(at(0), "ada", address(1)), Ok(()));
        }
    }

    #[test]
    fn many_names_from_one_network_are_slowed_down_too() {
        let lockout = Lockout::default();
        for n in 0..20 {
            lockout
                .begin(at(0), &format!("user{n}"), address(1))
                .expect("free");
        }

        assert!(lockout.begin(at(0), "another", address(1)).is_err());
        assert!(lockout.begin(at(0), "another", address(2)).is_ok());
    }

    #[test]
    fn remembers_a_bounded_number_of_names() {
        let lockout = Lockout::default();
        for n in 0..70_000_u32 {
            let address = std::net::Ipv4Addr::from_bits(n).into();
            lockout.begin(at(0), &n.to_string(), address).expect("free");
        }

        let records = lockout.records.lock().expect("not poisoned");
        assert!(records.young.len() + records.old.len() <= 2 * MAX_RECORDS);
    }
}
