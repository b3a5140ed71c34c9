//! Token buckets for any number of keys, in bounded memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use gc_model::time::Moment;

/// Keys remembered in each of two generations. Whoever has so many networks
/// that one is forgotten gains a burst.
pub(super) const MAX_KEYS: usize = 20_000;

/// How many at once, and how long until one more is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) burst: u32,
    pub(crate) refill: Duration,
}

/// A bucket for each key. Each is kept as the moment when it will be full again.
#[derive(Debug)]
pub(crate) struct Buckets<K> {
    young: HashMap<K, Moment>,
    old: HashMap<K, Moment>,
}

impl<K> Default for Buckets<K> {
    fn default() -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }
}

impl<K: Eq + Hash + Clone> Buckets<K> {
    /// How long until `key`'s bucket holds one; nothing when it does.
    pub(crate) fn wait(&self, now: Moment, key: &K, rate: Rate) -> Option<Duration> {
        let after = self.full_at(now, key) + rate.refill;
        let most = now + rate.refill * rate.burst;
        (after > most).then(|| after.since(most))
    }

    /// Takes one, also from an empty bucket.
    pub(crate) fn take(&mut self, now: Moment, key: &K, rate: Rate) {
        let full_at = self.full_at(now, key) + rate.refill;
        self.put(key, full_at);
    }

    /// Puts one back.
    pub(crate) fn give_back(&mut self, now: Moment, key: &K, rate: Rate) {
        let left = self.full_at(now, key).since(now);
        self.put(key, now + left.saturating_sub(rate.refill));
    }

    /// How many keys are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    fn full_at(&self, now: Moment, key: &K) -> Moment {
        let known = self.young.get(key).or_else(|| self.old.get(key));
        known.copied().unwrap_or(now).max(now)
    }

    fn put(&mut self, key: &K, full_at: Moment) {
        if self.young.len() >= MAX_KEYS && !self.young.contains_key(key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key.clone(), full_at);
    }
}
