//! What is remembered of the updates that a line carried lately, and the rates that they show.

use std::collections::VecDeque;
use std::time::Duration;

use gc_model::time::Moment;

/// What takes less is taken to have taken this long.
pub(crate) const SHORTEST_WAY: Duration = Duration::from_micros(100);

/// An update that the viewer showed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    pub(crate) at: Moment,
    pub(crate) bytes: usize,
    /// From sending to the acknowledgement, the viewer's time left out.
    pub(crate) under_way: Duration,
}

impl Shown {
    /// Bytes a second that the line carried at least.
    pub(crate) fn carried(&self) -> f64 {
        self.bytes as f64 / self.under_way.max(SHORTEST_WAY).as_secs_f64()
    }
}

/// The updates that were acknowledged lately.
#[derive(Debug, Default)]
pub(crate) struct Deliveries(VecDeque<Shown>);

impl Deliveries {
    pub(crate) fn note(&mut self, shown: Shown) {
        self.0.push_back(shown);
    }

    /// Forgets what is older than `memory`.
    pub(crate) fn forget_before(&mut self, now: Moment, memory: Duration) {
        while self.0.front().is_some_and(|at| now.since(at.at) > memory) {
            self.0.pop_front();
        }
    }

    /// What is at most as old as `age`.
    pub(crate) fn within(&self, now: Moment, age: Duration) -> impl Iterator<Item = &Shown> {
        self.0
            .iter()
            .filter(move |shown| now.since(shown.at) <= age)
    }
}

/// The fastest rates of late, in bytes a second.
// INVARIANT: later entries are smaller; so the first is the largest that is not too old.
#[derive(Debug, Default)]
pub(crate) struct Rates(VecDeque<(Moment, f64)>);

impl Rates {
    /// The fastest that is remembered.
    pub(crate) fn fastest(&self) -> Option<f64> {
        self.0.front().map(|&(_, rate)| rate)
    }

    /// Adds a rate. Of what is older than `memory` the newest stays, if there is nothing else.
    pub(crate) fn note(&mut self, now: Moment, rate: f64, memory: Duration) {
        while self.0.back().is_some_and(|&(_, older)| older <= rate) {
            self.0.pop_back();
        }
        self.0.push_back((now, rate));
        while self.0.len() > 1 && now.since(self.0[0].0) > memory {
            self.0.pop_front();
        }
    }

    /// What was measured before says nothing any more.
    pub(crate) fn start_with(&mut self, now: Moment, rate: f64) {
        self.0.clear();
        self.0.push_back((now, rate));
    }

    /// Nothing confirmed the fastest for longer than `memory`.
    pub(crate) fn is_old(&self, now: Moment, memory: Duration) -> bool {
        let noted = self.0.front().map(|&(at, _)| at);
        noted.is_some_and(|at| now.since(at) > memory)
    }
}
