//! Pairs of a probe and an update right behind it: what the one arrives later than the other, its
//! bytes took on the line, whatever stands before both. So the line's rate is known while much
//! less is sent than it carries.
//!
//! The idea is that of packet pairs (S. Keshav, "A Control-Theoretic Approach to Flow Control",
//! SIGCOMM 1991).

use std::collections::VecDeque;
use std::time::Duration;

use gc_model::time::Moment;

/// Smallest update that makes a pair: a few packets, or both may come in the same.
const PAIR_BYTES: usize = 3_000;

/// Pairs are sent this often, and so many of them are believed.
const PAIR_EVERY: Duration = Duration::from_millis(200);
const PAIRS_BELIEVED: usize = 3;

/// The halves of a pair arrive at least this far apart, or the viewer was busy with something else.
const SHORTEST_PAIR: Duration = Duration::from_millis(3);

/// So much of what pairs show is believed: their halves come a little too close together.
const PAIR_SHARE: f64 = 0.8;

/// A question to the viewer that went ahead of an update.
#[derive(Debug, Clone, Copy)]
struct Probe {
    token: u64,
    sequence: u64,
    bytes: usize,
    sent_at: Moment,
    /// Nothing else was on its way.
    alone: bool,
    answered_at: Option<Moment>,
}

/// Sends pairs, one at a time, and remembers what they showed.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    /// The probe whose update is on its way.
    probe: Option<Probe>,
    sent_at: Option<Moment>,
    /// Bytes a second, with the times of their acknowledgements.
    rates: VecDeque<(Moment, f64)>,
    /// What is known of the line's rate is what pairs showed, and nothing else.
    pub(crate) lead: bool,
}

impl Pairs {
    /// An update of about `bytes` is to be half of a pair.
    pub(crate) fn is_due(&self, now: Moment, bytes: usize) -> bool {
        bytes >= PAIR_BYTES
            && self.probe.is_none()
            && self.sent_at.is_none_or(|at| now.since(at) >= PAIR_EVERY)
    }

    /// The token of a probe that is sent ahead of the update `sequence`.
    pub(crate) fn send(&mut self, now: Moment, sequence: u64, bytes: usize, alone: bool) -> u64 {
        let token = now.as_micros();
        self.sent_at = Some(now);
        self.probe = Some(Probe {
            token,
            sequence,
            bytes,
            sent_at: now,
            alone,
            answered_at: None,
        });
        token
    }

    /// Notes the viewer's answer to a probe; the last acknowledgement came at `acknowledged_at`.
    /// When the probe was sent; `None` for answers to nothing.
    pub(crate) fn handle_answer(
        &mut self,
        now: Moment,
        token: u64,
        acknowledged_at: Moment,
    ) -> Option<Moment> {
        let asked = self.probe.as_mut().filter(|probe| probe.token == token);
        let probe = asked.filter(|probe| probe.answered_at.is_none())?;
        // Right after an acknowledgement it is that of a viewer that was busy, and both halves of
        // the pair waited for it.
        let was_busy = !probe.alone && now.since(acknowledged_at) < SHORTEST_PAIR;
        probe.answered_at = (!was_busy).then_some(now);
        Some(probe.sent_at)
    }

    /// Notes that the viewer acknowledged all updates up to `sequence`, and got that one at
    /// `arrived_at`, to which the way back is added. Forgets what is older than `memory`.
    pub(crate) fn handle_arrival(
        &mut self,
        now: Moment,
        sequence: u64,
        arrived_at: Moment,
        memory: Duration,
    ) {
        let pair = self.probe.take_if(|probe| probe.sequence <= sequence);
        let pair = pair.filter(|pair| pair.sequence == sequence && pair.bytes >= PAIR_BYTES);
        if let Some((pair, answered_at)) = pair.and_then(|pair| Some((pair, pair.answered_at?))) {
            let apart = arrived_at.since(answered_at).max(SHORTEST_PAIR);
            let rate = pair.bytes as f64 / apart.as_secs_f64() * PAIR_SHARE;
            self.rates.push_back((now, rate));
        }
        while self
            .rates
            .front()
            .is_some_and(|&(at, _)| now.since(at) > memory)
        {
            self.rates.pop_front();
        }
    }

    /// Bytes a second that the line carries, as far as pairs showed it lately.
    pub(crate) fn rate(&self) -> Option<f64> {
        let mut rates: Vec<f64> = self.rates.iter().map(|&(_, rate)| rate).collect();
        rates.sort_by(f64::total_cmp);
        // The lower half: a viewer that was busy makes the halves arrive together.
        let middle = rates.len().saturating_sub(1) / 2;
        let believed = rates.len() >= PAIRS_BELIEVED;
        rates.get(middle).copied().filter(|_| believed)
    }

    /// What was measured before says nothing any more.
    pub(crate) fn forget(&mut self) {
        self.rates.clear();
        self.lead = false;
    }
}
