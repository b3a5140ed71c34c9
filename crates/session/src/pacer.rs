//! How much may be on its way. Frames are acknowledged when they were shown;
//! about one round trip of data is in flight, and what steers is the queueing
//! delay: the round trip minus the smallest one seen. So the newest screen is
//! always next, on a fast link and on a slow one.
//!
//! The model is that of BBR (Cardwell et al., "BBR Congestion Control", IETF
//! draft-cardwell-iccrg-bbr-congestion-control): delivered rate times base round
//! trip, found by probing; here a frame is the packet and the viewer's decoding
//! and painting belong to the path.

use std::collections::VecDeque;
use std::time::Duration;

use gc_model::time::Moment;

use crate::deliveries::{Deliveries, Rates, SHORTEST_WAY, Shown};
use crate::fixed_delay::{FixedDelay, SMALL_UPDATE_BYTES};
use crate::pairs::Pairs;

/// In flight before anything is known: a small frame. Doubles or better with each round trip.
const FIRST_TARGET_BYTES: usize = 6_000;

/// Never less in flight than this, or small updates would not go out at all.
const MIN_TARGET_BYTES: usize = 1_200;

/// Never more in flight than this, whatever the link carries.
const MAX_TARGET_BYTES: usize = 4 * 1024 * 1024;

/// Largest budget of one update, so that what is more important than a large
/// change never waits for more than a piece of it.
const MAX_BUDGET_BYTES: usize = 256 * 1024;

/// Smallest budget worth an update.
const MIN_BUDGET_BYTES: usize = 600;

/// So many of a film's frames would fill the link in a second. Most films have 24 to 30: what they
/// leave is for the answers to keys, which would wait behind a full one.
const FILM_RATE_HZ: f64 = 45.0;

/// A film's first frame after a rest: a twentieth of a second at 2 Mbit/s.
const FIRST_FILM_BYTES: usize = 12_000;

/// In flight after a rest, until an answer shows that the line still is what it was: doubles
/// or better with each. Large enough that a window that opens next door does not feel it.
const RESTED_TARGET_BYTES: usize = 64 * 1024;

/// Somebody who waits for a picture waits this long gladly.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a line carries is found out in this time, beside its round trip: what is in flight doubles or
/// better with each.
const FOUND_OUT_AFTER: Duration = Duration::from_millis(250);

/// A line that was full is taken to be as slow for so long. Wrongly, a photograph is seen coarsely
/// for a moment that need not have been.
const FILLED_MEMORY: Duration = Duration::from_secs(30);

/// How long the first update of all may take beyond the base round trip.
const FIRST_PATIENCE: Duration = Duration::from_secs(2);

/// Below this a film is not worth looking at, and rather has fewer frames.
const MIN_FILM_BYTES: usize = 1_000;

/// Data beyond the base round trip that keeps the link busy: one frame at 30 Hz.
const SLACK: Duration = Duration::from_millis(33);

/// The same next door, where an acknowledgement is back before a link can run dry:
/// what is sent ahead there only waits in the browser, and input with it.
const SLACK_NEXT_DOOR: Duration = Duration::from_millis(12);

/// Above the slack, this much more delay counts as a queue: jitter of browsers and schedulers.
const JITTER: Duration = Duration::from_millis(25);

/// A delay this far above the base is a queue at once; a smaller one must be seen twice.
const CERTAIN_QUEUE: Duration = Duration::from_millis(300);

/// The fastest delivery of this long is taken for the link's rate.
const RATE_MEMORY: Duration = Duration::from_secs(2);

/// What arrived this long ago no longer shows that the line still is what it was.
const REST: Duration = Duration::from_secs(1);

/// The base round trip is measured anew after this long, by a probe on the empty link.
const BASE_MEMORY: Duration = Duration::from_secs(10);

/// The same when updates are late although nothing is before them: another line may have longer ways.
const BASE_MEMORY_IN_DOUBT: Duration = Duration::from_secs(1);

/// An update is at most this part of what may be in flight, so that the link
/// stays busy while the viewer answers.
const UPDATES_IN_FLIGHT: usize = 4;

/// The same for a viewer that takes more than a third of the round trip for a frame: more of
/// them would only wait for it.
const UPDATES_FOR_SLOW_VIEWER: usize = 2;

/// A viewer that takes this long for a frame, so many times the base round trip and so many times
/// what the line takes, gets the next one when it has shown the last: it idles for little, and keys
/// wait for one picture less.
const VERY_SLOW: Duration = Duration::from_millis(50);
const VERY_SLOW_ROUNDS: u32 = 4;

/// What a viewer says that it took is believed up to here; more is a queue.
const LONGEST_PAINTING: Duration = Duration::from_millis(250);

/// An update that takes less than this part of what its bytes take at the known rate found a
/// line that carries more. A little more than what is believed of pairs, or their rate would stay.
const OWN_SHARE: f64 = 0.85;

/// What pairs show is taken over in steps of this much, up and down.
const PAIR_STEP: f64 = 2.0;

/// How far probing goes beyond the known rate, and how fast it gets there.
const MAX_GAIN: f64 = 3.0;
const GAIN_STEP: f64 = 1.5;

/// Nothing is on the line for longer, in seconds: a rate of next to nothing is not believed.
const LONGEST_ON_THE_LINE: f64 = 10.0;

/// Tells the tokens of probes that measure the base round trip from those of pairs.
const BASE_PROBE: u64 = 1 << 63;

/// An acknowledgement of a frame that is not in flight: the viewer breaks the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the viewer acknowledged a frame that was not sent")]
pub struct UnknownAck;

#[derive(Debug, Clone, Copy)]
struct InFlight {
    sequence: u64,
    bytes: usize,
    sent_at: Moment,
    /// Bytes delivered, and when that was noticed, as of sending.
    delivered: u64,
    delivered_at: Moment,
    /// More could have been sent: says little about the link.
    app_limited: bool,
    /// Nothing else was on its way.
    alone: bool,
    /// Bytes on their way up to its last one, as of sending.
    queued: usize,
}

/// How long the viewer says that it had a frame.
#[derive(Debug, Clone, Copy)]
pub struct Painted {
    /// What it took for this frame: that is no queue, for a few bytes can be a whole screen to
    /// paint.
    pub by_itself: Duration,
    /// The same, and what the frame waited there before.
    pub since_arrival: Duration,
}

/// What an acknowledgement says of the newest frame that it is for.
struct Answer {
    frame: InFlight,
    /// Bytes a second since something was delivered before it was sent.
    rate: f64,
    /// What the viewer took for this frame by itself.
    painting: Duration,
}

/// What is known of the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LinkState {
    /// The last round trip, frame sent to acknowledgement received.
    pub rtt: Duration,
    /// The smallest one of the last seconds.
    pub base_rtt: Duration,
    /// Bytes a second; 0 while unknown.
    pub delivered_rate: u64,
}

/// Decides when and how much to send.
#[derive(Debug)]
pub struct Pacer {
    in_flight: VecDeque<InFlight>,
    in_flight_bytes: usize,
    last_sequence: u64,
    delivered: u64,
    delivered_at: Moment,
    /// The last update did not fill its budget.
    last_app_limited: bool,
    acked: Deliveries,
    rates: Rates,
    rtt: Duration,
    base_rtt: Option<Duration>,
    fixed: FixedDelay,
    /// What goes ahead of updates to measure the line.
    pairs: Pairs,
    /// When the base round trip was last measured.
    probed_at: Option<Moment>,
    /// The probe that measures it, with its token, until it is answered.
    base_probe: Option<(u64, Moment)>,
    /// How long the base round trip is believed.
    base_memory: Duration,
    /// Waits for everything in flight, so that the next probe meets no queue.
    draining: bool,
    gain: f64,
    round_ends_at: u64,
    queued_once: bool,
    /// What the viewer takes for a frame by itself, on average.
    painting: Duration,
    /// Since when the line has had as much to carry as it might.
    filling_since: Option<Moment>,
    /// When it last had, for long enough, and the rate as it was known then.
    filled: Option<(Moment, f64)>,
}

impl Default for Pacer {
    fn default() -> Self {
        Self {
            in_flight: VecDeque::new(),
            in_flight_bytes: 0,
            last_sequence: 0,
            delivered: 0,
            delivered_at: Moment::ZERO,
            last_app_limited: false,
            acked: Deliveries::default(),
            rates: Rates::default(),
            rtt: Duration::ZERO,
            base_rtt: None,
            fixed: FixedDelay::default(),
            pairs: Pairs::default(),
            probed_at: None,
            base_probe: None,
            base_memory: BASE_MEMORY,
            draining: false,
            gain: 2.0,
            round_ends_at: 0,
            queued_once: false,
            painting: Duration::ZERO,
            filling_since: None,
            filled: None,
        }
    }
}

impl Pacer {
    /// Bytes that the next update may have; `None` while enough is on its way.
    pub fn budget(&self, now: Moment) -> Option<usize> {
        let target = self.target_bytes(now);
        let most = (target / self.updates_in_flight()).clamp(MIN_BUDGET_BYTES, MAX_BUDGET_BYTES);
        if self.in_flight.is_empty() {
            return Some(self.fixed.test_bytes().unwrap_or(most));
        }
        let budget = target.saturating_sub(self.in_flight_bytes);
        // With nothing large to send there is nothing to test with: small updates go on.
        let tests = self.fixed.test_bytes().is_some() && !self.last_app_limited;
        let waits = self.waits_for_viewer(most);
        let empties = self.draining || tests || waits || self.is_overdue(now);
        (!empties && budget >= MIN_BUDGET_BYTES.max(target / 8)).then_some(budget.min(most))
    }

    /// The line may have become slower while there was nothing to send: what is on its way is
    /// late, and no acknowledgement says yet how slow it is.
    fn is_overdue(&self, now: Moment) -> bool {
        let Some(oldest) = self.in_flight.front() else {
            return false;
        };
        let own = self.on_the_line(oldest.queued).unwrap_or(FIRST_PATIENCE);
        let way = self.base() + self.painting;
        now.since(oldest.sent_at) > way + self.slack() + JITTER + own
    }

    /// Bytes that one frame of a film should have, so that there are enough of them a second.
    /// After a rest it begins with what is right for most lines and grows with each answer.
    pub fn film_bytes(&self, now: Moment) -> usize {
        let bytes = self
            .rate()
            .map_or(0.0, |rate| rate * self.gain / FILM_RATE_HZ);
        let lately = self.acked_lately(now);
        let proven = lately.map(|shown| shown.bytes).max().unwrap_or_default();
        (bytes as usize)
            .min((proven * 2).max(FIRST_FILM_BYTES))
            .min(self.target_bytes(now) / UPDATES_IN_FLIGHT)
            .max(MIN_FILM_BYTES)
    }

    /// Bytes that the line carries in a moment that somebody looking waits gladly; `None` where
    /// it had not enough to carry lately to tell.
    pub fn patience_bytes(&self, now: Moment) -> Option<usize> {
        let (at, rate) = self.filled?;
        (now.since(at) <= FILLED_MEMORY).then_some((rate * PATIENCE.as_secs_f64()) as usize)
    }

    /// What was acknowledged lately: nothing after a rest.
    fn acked_lately(&self, now: Moment) -> impl Iterator<Item = &Shown> {
        self.acked.within(now, self.lately())
    }

    fn lately(&self) -> Duration {
        REST.max(self.base() * 10)
    }

    /// How long a delivery says something about the link.
    fn memory(&self) -> Duration {
        RATE_MEMORY.max(self.base() * 10)
    }

    /// Asked when a picture is ordered: the token of a probe that measures the base round trip, if
    /// that is due. It goes at once, for together with the update in one packet it would take as
    /// long as that.
    pub fn base_probe(&mut self, now: Moment) -> Option<u64> {
        let is_due = self
            .probed_at
            .is_none_or(|at| now.since(at) > self.base_memory);
        if !is_due || !self.in_flight.is_empty() {
            return None;
        }
        self.probed_at = Some(now);
        self.draining = false;
        let token = now.as_micros() | BASE_PROBE;
        self.base_probe = Some((token, now));
        Some(token)
    }

    /// Asked before the update `sequence` of about `bytes`: the token of a probe to send ahead of
    /// it, if one is due.
    pub fn next_probe(&mut self, now: Moment, sequence: u64, bytes: usize) -> Option<u64> {
        let alone = self.in_flight.is_empty();
        self.pairs
            .is_due(now, bytes)
            .then(|| self.pairs.send(now, sequence, bytes, alone))
    }

    /// Notes the viewer's answer to a probe. Answers to nothing are ignored.
    pub fn handle_probe_answer(&mut self, now: Moment, token: u64) {
        let lately = self.lately();
        let sent_at = if let Some((_, sent_at)) = self.base_probe.take_if(|asked| asked.0 == token)
        {
            // One answer may be late, because the viewer was busy.
            let others = self.acked.within(sent_at, lately);
            let others = others.map(|shown| shown.under_way);
            self.base_rtt = others.chain([now.since(sent_at)]).min();
            sent_at
        } else {
            let answer = self.pairs.handle_answer(now, token, self.delivered_at);
            let Some(sent_at) = answer else { return };
            let round_trip = now.since(sent_at);
            self.base_rtt = self.base_rtt.map(|base| base.min(round_trip));
            sent_at
        };
        // Over longer ways "lately" is longer, and what was not lately before does not become it.
        self.acked.forget_before(sent_at, lately);
    }

    /// Notes an update that was handed to the network. `app_limited`: it did not fill its budget.
    pub fn handle_sent(&mut self, now: Moment, sequence: u64, bytes: usize, app_limited: bool) {
        let alone = self.in_flight.is_empty();
        if alone {
            self.delivered_at = now;
            self.fixed.handle_sent_alone(sequence, bytes);
        }
        self.last_app_limited = app_limited;
        self.last_sequence = sequence;
        self.in_flight_bytes += bytes;
        self.in_flight.push_back(InFlight {
            sequence,
            bytes,
            sent_at: now,
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            app_limited,
            alone,
            queued: self.in_flight_bytes,
        });
    }

    /// Notes that the viewer showed the frame `sequence`, and so all before it, and took `painted`
    /// for it, as it says.
    ///
    /// # Errors
    /// A frame that was never sent. One that was acknowledged before is ignored.
    pub fn handle_ack(
        &mut self,
        now: Moment,
        sequence: u64,
        painted: Painted,
    ) -> Result<(), UnknownAck> {
        if sequence > self.last_sequence {
            return Err(UnknownAck);
        }
        let painting = painted.by_itself.min(LONGEST_PAINTING);
        let mut newest = None;
        while let Some(&frame) = self.in_flight.front() {
            if frame.sequence > sequence {
                break;
            }
            self.in_flight.pop_front();
            self.in_flight_bytes -= frame.bytes;
            self.delivered += frame.bytes as u64;
            let under_way = now
                .since(frame.sent_at)
                .saturating_sub(painted.since_arrival);
            self.acked.note(Shown {
                at: now,
                bytes: frame.bytes,
                under_way,
            });
            newest = Some(frame);
        }
        let memory = self.memory();
        self.acked.forget_before(now, memory);
        let Some(frame) = newest else { return Ok(()) };
        self.delivered_at = now;

        self.rtt = now.since(frame.sent_at);
        self.painting = (self.painting * 7 + painting.min(self.rtt)) / 8;
        let under_way = self.rtt.saturating_sub(painted.since_arrival);
        self.base_rtt = self.base_rtt.map(|base| base.min(under_way));
        if frame.alone {
            let is_late = under_way > self.base() + self.slack() + JITTER;
            self.base_memory = if is_late {
                BASE_MEMORY_IN_DOUBT
            } else {
                BASE_MEMORY
            };
        }
        self.draining = self
            .probed_at
            .is_some_and(|at| now.since(at) > self.base_memory);
        let elapsed = now.since(frame.delivered_at).max(SHORTEST_WAY);
        let rate = (self.delivered - frame.delivered) as f64 / elapsed.as_secs_f64();
        self.note_queue(
            now,
            &Answer {
                frame,
                rate,
                painting,
            },
        );
        self.note_rate(now, rate, frame.app_limited);
        let since_arrival = painted.since_arrival.as_micros();
        let arrived_at = now.as_micros().saturating_sub(since_arrival as u64);
        self.pairs
            .handle_arrival(now, frame.sequence, Moment::from_micros(arrived_at), memory);
        self.note_pair_rate(now);
        self.note_filled(now, &frame);
        Ok(())
    }

    /// What pairs show need not be probed for.
    fn note_pair_rate(&mut self, now: Moment) {
        let Some(known) = self.rate() else {
            return;
        };
        let shown = self.pairs.rate();
        if let Some(shown) = shown.filter(|&shown| known < shown) {
            let shown = shown.min(known * PAIR_STEP);
            if !self.is_viewer_slow() {
                self.gain = (self.gain * known / shown).max(1.0);
            }
            self.note_rate(now, shown, true);
            self.pairs.lead = true;
            return;
        }
        // Where updates became too small for pairs, the line may have as well.
        let shown = shown.or(self.pairs.lead.then_some(0.0));
        if shown.is_some_and(|shown| known > shown * PAIR_STEP)
            && self.rates.is_old(now, self.memory())
        {
            let less = shown.unwrap_or_default().max(known / PAIR_STEP);
            // What goes out before anything is known need not be proven again.
            let round = self.base() + self.slack();
            let first = FIRST_TARGET_BYTES as f64 / round.as_secs_f64();
            self.rates.start_with(now, less.max(first.min(known)));
        }
    }

    /// What was measured before says nothing any more.
    fn forget_rates(&mut self, now: Moment, rate: f64) {
        self.rates.start_with(now, rate);
        self.pairs.forget();
    }

    /// Sent and not yet acknowledged.
    pub fn bytes_in_flight(&self) -> usize {
        self.in_flight_bytes
    }

    /// What is known of the link.
    pub fn link(&self) -> LinkState {
        LinkState {
            rtt: self.rtt,
            base_rtt: self.base(),
            delivered_rate: self.rate().map_or(0, |rate| rate as u64),
        }
    }

    /// What a small update takes at least when nothing is queued.
    fn base(&self) -> Duration {
        self.base_rtt
            .map_or(self.rtt, |base| base + self.fixed.delay())
    }

    fn rate(&self) -> Option<f64> {
        self.rates.fastest()
    }

    /// What `bytes` take at the known rate.
    fn on_the_line(&self, bytes: usize) -> Option<Duration> {
        let rate = self.rate()?;
        Some(Duration::from_secs_f64(
            (bytes as f64 / rate.max(1.0)).min(LONGEST_ON_THE_LINE),
        ))
    }

    fn slack(&self) -> Duration {
        let base = self.base();
        (base * 2).clamp(SLACK_NEXT_DOOR, SLACK).max(base / 4)
    }

    /// The viewer takes more than a third of the round trip for a frame.
    fn is_viewer_slow(&self) -> bool {
        self.painting * 3 > self.base_rtt.unwrap_or(self.rtt) + self.slack()
    }

    /// An update of `bytes` is on the line for little of the time that the viewer takes for one.
    fn waits_for_viewer(&self, bytes: usize) -> bool {
        let base = self.base_rtt.unwrap_or(self.rtt);
        let carried = self.rate().unwrap_or_default() * self.painting.as_secs_f64();
        self.painting > VERY_SLOW.max(base * VERY_SLOW_ROUNDS)
            && bytes as f64 * f64::from(VERY_SLOW_ROUNDS) < carried
    }

    fn updates_in_flight(&self) -> usize {
        if self.is_viewer_slow() {
            UPDATES_FOR_SLOW_VIEWER
        } else {
            UPDATES_IN_FLIGHT
        }
    }

    fn target_bytes(&self, now: Moment) -> usize {
        let Some(rate) = self.rate() else {
            return FIRST_TARGET_BYTES;
        };
        // The line stays busy while the viewer paints, unless that is what everything waits for.
        let painting = if self.is_viewer_slow() {
            self.painting.min(SLACK_NEXT_DOOR)
        } else {
            self.painting
        };
        let round = (self.base() + painting + self.slack()).as_secs_f64();
        let bytes = rate * round * self.gain;
        let sum: usize = self.acked_lately(now).map(|shown| shown.bytes).sum();
        let carried = self.acked_lately(now).map(Shown::carried);
        let fastest = carried.reduce(f64::max).unwrap_or_default();
        let proven = sum.max((fastest * round) as usize);
        (bytes as usize)
            .min(proven.saturating_mul(2).max(RESTED_TARGET_BYTES))
            .min(if self.is_viewer_slow() {
                UPDATES_FOR_SLOW_VIEWER * MAX_BUDGET_BYTES
            } else {
                MAX_TARGET_BYTES
            })
            .max(MIN_TARGET_BYTES)
    }

    /// Grows while there is no queue, and goes back to what the link really delivers when there is one.
    fn note_queue(&mut self, now: Moment, answer: &Answer) {
        let &Answer {
            ref frame,
            rate,
            painting,
        } = answer;
        if self
            .fixed
            .handle_ack(frame.sequence, self.rtt, self.base_rtt)
        {
            self.forget_rates(now, rate);
            self.gain = MAX_GAIN;
            return;
        }
        let delay = self.rtt.saturating_sub(self.base());
        let queue = delay.saturating_sub(painting.saturating_sub(self.fixed.delay()));
        let own = self.on_the_line(frame.bytes).unwrap_or_default();
        let is_next_door = self.slack() == SLACK_NEXT_DOOR;
        let limit = self.slack().max(own) + JITTER;
        let queued = queue > limit;
        if queued && (self.queued_once || queue > limit + CERTAIN_QUEUE) {
            self.forget_rates(now, rate);
            self.gain = 1.0;
        }
        if frame.bytes <= SMALL_UPDATE_BYTES {
            let jitter = if is_next_door { Duration::ZERO } else { JITTER };
            let limit = self.slack() + jitter + self.fixed.own(frame.bytes);
            // Behind others it may be late for their bytes, unless it is the viewer who takes long.
            let is_own = frame.alone || painting * self.updates_in_flight() as u32 >= delay;
            self.fixed
                .handle_small(delay > limit && is_own, self.rtt, frame.bytes);
        }
        self.queued_once = queued;

        if frame.delivered >= self.round_ends_at {
            self.round_ends_at = self.delivered;
            // What the update's own bytes take on the line is no queue. While it carries more than
            // is known, that is less than they are thought to take.
            let on_the_line = if is_next_door || !self.is_viewer_slow() {
                own
            } else {
                own.saturating_sub(painting)
            };
            if queue > (self.slack() / 2).max(on_the_line.mul_f64(OWN_SHARE)) {
                self.gain = 1.0;
            } else if !frame.app_limited {
                self.gain = (self.gain * GAIN_STEP).min(MAX_GAIN);
            }
        }
    }

    /// While it is still found out what the line carries, what is known of it is too little.
    fn note_filled(&mut self, now: Moment, frame: &InFlight) {
        if frame.app_limited {
            self.filling_since = None;
            return;
        }
        let since = *self.filling_since.get_or_insert(frame.sent_at);
        if now.since(since) >= FOUND_OUT_AFTER + self.base() {
            self.filled = self.rate().map(|rate| (now, rate));
        }
    }

    fn note_rate(&mut self, now: Moment, rate: f64, app_limited: bool) {
        if app_limited && self.rate().is_some_and(|known| rate <= known) {
            return;
        }
        self.pairs.lead = false;
        let memory = self.memory();
        self.rates.note(now, rate, memory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Painted = Painted {
        by_itself: Duration::ZERO,
        since_arrival: Duration::ZERO,
    };

    fn at(milliseconds: u64) -> Moment {
        Moment::from_micros(milliseconds * 1_000)
    }

    /// While somebody types, the next picture is ordered before the last one is acknowledged.
    #[test]
    fn one_late_letter_does_not_make_updates_go_one_at_a_time() {
        let mut pacer = Pacer::default();
        let token = pacer.base_probe(at(0)).expect("nothing is known");
        pacer.handle_sent(at(5), 1, 1_000, true);
        pacer.handle_probe_answer(at(150), token);
        pacer.handle_ack(at(155), 1, QUICK).expect("it was sent");

        pacer.handle_sent(at(2_000), 2, 1_000, true);
        pacer.handle_ack(at(2_400), 2, QUICK).expect("it was sent");
        pacer.handle_sent(at(2_401), 3, 1_000, true);
        pacer.handle_ack(at(2_552), 3, QUICK).expect("it was sent");

        assert_eq!(pacer.base_probe(at(2_600)), None, "not in doubt any more");
        pacer.handle_sent(at(2_605), 4, 100, true);
        assert!(pacer.budget(at(2_606)).is_some());
    }
}
