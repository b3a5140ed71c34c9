//! When the screen is read, and what becomes of it.

use std::time::Duration;

use gc_codec::{
    Abilities, Colours, EncodeOrder, Encoded, FilmFormat, FilmFormats, FilmOrder, FilmQuality,
    Pending, Update,
};
use gc_model::time::Moment;
use gc_proto::v1;
use gc_proto::v1::agent_message;

use super::full_chroma::{FilmFrame, FullChroma};
use super::{Host, HostOutput, State};
use crate::convert::{film_to_wire, moves_to_wire, rects_to_wire};
use crate::pacer::Painted;
use crate::preferences::Quality;
use crate::wire::Lane;

/// Shortest time between two frames: 60 a second.
const MIN_INTERVAL: Duration = Duration::from_micros(16_600);

/// Making frames takes about two thirds of a thread's time: so many parts of rest for each
/// part of work.
const REST_SHARE: f64 = 0.5;

/// The rest after a frame is no longer than this, whatever the frame took: a machine that packs
/// slowly does not become slower still.
const LONGEST_REST: Duration = Duration::from_millis(25);

/// Rest that may be put off: a large change is shown at once, whatever it costs.
const WORK_AHEAD: Duration = Duration::from_millis(250);

/// After input the answer is looked for this often at most.
const INPUT_INTERVAL: Duration = Duration::from_millis(4);

/// How long after input its answer is expected. So long pictures are ordered at short intervals,
/// and whoever reads the screen looks at it itself: a system may announce nothing.
pub const INPUT_WINDOW: Duration = Duration::from_millis(150);

/// The viewer is told of the link so often, and at once when something else limits: its statistics
/// sum up seconds, and with typed text the report would be a sixth of an update.
const REPORT_INTERVAL: Duration = Duration::from_millis(500);

/// What had to wait longer than this for room was held back: a frame of a film of 30 a second.
const LATE: Duration = Duration::from_millis(33);

/// Below this delivered rate, in bytes a second, automatic quality takes the fewest colours: 0.5 Mbit/s.
const FEW_COLOURS_BELOW: u64 = 64_000;

/// What became of a [`HostOutput::Capture`].
#[derive(Debug)]
pub enum Captured {
    /// The screen was read.
    Encoded {
        /// What the encoder made of it.
        encoded: Box<Encoded>,
        /// When reading began.
        captured_at: Moment,
        /// Time for reading the screen.
        capture: Duration,
        /// Time for finding changes and packing them.
        encode: Duration,
        /// How much of that was spent waiting for what another viewer's thread packs for both:
        /// no work of this one.
        waited: Duration,
    },
    /// The layout changed; [`Host::handle_layout`] follows.
    Reopen,
    /// The screen cannot be read.
    Failed(String),
}

/// When and why the next frame is made.
pub(super) struct Frames {
    pub(super) sequence: u64,
    /// The screen may differ from what was sent.
    pub(super) wanted: bool,
    pub(super) restart: bool,
    /// The last update left something that is to be sent at once.
    has_more: bool,
    /// Something is to be sharpened then.
    pub(super) due: Option<Moment>,
    /// Since when nothing changed and nothing is left to send.
    resting_since: Option<Moment>,
    /// How long that was so since the last order, as far as it is over.
    rested: Duration,
    /// The budget of the order that was not answered yet.
    pub(super) outstanding: Option<usize>,
    pub(super) last_order: Option<Moment>,
    /// Mean time for reading and packing, and for packing alone.
    pub(super) cost: Duration,
    packing: Duration,
    /// Until when the machine would rest for the frames it made.
    rests_until: Moment,
    pub(super) limit: v1::Limit,
    /// Since when something is wanted and enough is on its way.
    held_since: Option<Moment>,
    /// Who made the outstanding order late by more than [`LATE`].
    held_by: Option<v1::Limit>,
    /// When the viewer was last told of the link, and what limited then.
    reported: Option<(Moment, v1::Limit)>,
    pub(super) viewer_time: Duration,
    /// The codecs for films that both ends know, as far as none failed in the viewer.
    pub(super) films: FilmFormats,
    /// What the viewer can.
    pub(super) viewer: Abilities,
    full_chroma: FullChroma,
    /// Bytes that a film's frame might have, of the last order.
    film_bytes: usize,
}

impl Default for Frames {
    fn default() -> Self {
        Self {
            sequence: 0,
            wanted: false,
            restart: true,
            has_more: false,
            due: None,
            resting_since: None,
            rested: Duration::ZERO,
            outstanding: None,
            last_order: None,
            cost: Duration::ZERO,
            packing: Duration::ZERO,
            rests_until: Moment::ZERO,
            limit: v1::Limit::NothingChanges,
            held_since: None,
            held_by: None,
            reported: None,
            viewer_time: Duration::ZERO,
            films: FilmFormats::default(),
            viewer: Abilities::default(),
            full_chroma: FullChroma::default(),
            film_bytes: 0,
        }
    }
}

impl Frames {
    fn note_work(&mut self, begun_at: Moment, work: Duration) {
        let rest = work.mul_f64(REST_SHARE).min(LONGEST_REST);
        let rests_until = begun_at.max(self.rests_until) + work + rest;
        // What was made without rest while somebody pressed keys is not made up for afterwards.
        let longest = begun_at + work + rest + WORK_AHEAD;
        self.rests_until = rests_until.min(longest);
    }

    /// Something may have changed, or what changed is asked for.
    pub(super) fn wake(&mut self, now: Moment) {
        if let Some(since) = self.resting_since.take() {
            self.rested += now.since(since);
        }
    }
}

impl Host {
    /// The answer to [`HostOutput::Capture`].
    pub fn handle_captured(&mut self, now: Moment, captured: Captured) {
        let Some(budget) = self.frames.outstanding.take() else {
            return;
        };
        match captured {
            // Read before the person paused, and not to be shown any more.
            Captured::Encoded { .. } if !self.gate.shows() => self.frames.restart = true,
            Captured::Encoded {
                encoded,
                captured_at,
                capture,
                encode,
                waited,
            } => {
                let packing = encode.saturating_sub(waited);
                self.frames.note_work(captured_at, capture + packing);
                self.frames.cost = (self.frames.cost * 3 + capture + packing) / 4;
                self.frames.packing = (self.frames.packing * 3 + packing) / 4;
                let update = encoded.update.as_ref();
                self.frames.has_more =
                    update.is_some_and(|update| !update.complete && update.film.is_none());
                self.frames.resting_since =
                    (encoded.pending == Pending::Nothing && !self.frames.wanted).then_some(now);
                match encoded.pending {
                    Pending::Nothing => self.frames.due = None,
                    Pending::Now => self.frames.wanted = true,
                    Pending::At(moment) => self.frames.due = Some(moment),
                }
                self.echo.handle_captured(encoded.update.is_some());
                if let Some(update) = encoded.update {
                    self.send_frame(now, update, budget, capture, encode);
                } else {
                    self.frames.limit = v1::Limit::NothingChanges;
                }
            }
            Captured::Reopen => self.frames.restart = true,
            Captured::Failed(detail) => {
                self.fail_with(v1::SessionErrorCode::DesktopLost, &detail);
            }
        }
        self.order_capture(now);
    }

    pub(super) fn handle_ack(&mut self, now: Moment, ack: &v1::FrameAck) {
        let painted = Painted {
            by_itself: Duration::from_micros(ack.own_us.into()),
            since_arrival: Duration::from_micros(ack.shown_us.into()),
        };
        if let Err(error) = self.pacer.handle_ack(now, ack.sequence, painted) {
            return self.fail(&error.to_string());
        }
        self.frames.viewer_time = painted.since_arrival;
    }

    /// When the next frame is to be made, if there is a reason and room for one.
    pub(super) fn next_capture(&self) -> Option<Moment> {
        if self.frames.outstanding.is_some() || !self.gate.shows() {
            return None;
        }
        let reason = match (self.frames.wanted || self.frames.restart, self.frames.due) {
            (true, _) => Moment::ZERO,
            (false, Some(due)) => due,
            (false, None) => return None,
        };
        self.pacer.budget(self.now)?;
        Some(reason.max(self.earliest()))
    }

    /// Before this the next frame would come too soon after the last one.
    fn earliest(&self) -> Moment {
        let Some(last) = self.frames.last_order else {
            return Moment::ZERO;
        };
        let quickly = last + self.frames.cost.clamp(INPUT_INTERVAL, MIN_INTERVAL);
        match self.last_input_at {
            _ if self.echo.is_active(last) => last + INPUT_INTERVAL,
            Some(input) if last.since(input) < INPUT_WINDOW => quickly,
            _ => {
                let rest = self.frames.rests_until.since(last);
                let rested = last + rest.saturating_sub(WORK_AHEAD);
                // The parts of a large change follow each other without a pause.
                let spaced = if self.frames.has_more {
                    quickly
                } else {
                    last + MIN_INTERVAL
                };
                spaced.max(rested)
            }
        }
    }

    pub(super) fn order_capture(&mut self, now: Moment) {
        if !matches!(self.state, State::Running(_)) {
            return;
        }
        match self.next_capture() {
            Some(at) if at <= now => {}
            _ => {
                let wanted = self.frames.wanted && self.frames.outstanding.is_none();
                if !self.gate.shows() {
                    self.frames.held_since = None;
                } else if wanted && self.pacer.budget(now).is_none() {
                    self.frames.held_since.get_or_insert(now);
                }
                return;
            }
        }
        let Some(budget) = self.pacer.budget(now) else {
            return;
        };
        let held_since = self.frames.held_since.take();
        let is_late = held_since.is_some_and(|since| now.since(since.max(self.earliest())) > LATE);
        self.frames.held_by = is_late.then(|| self.slowest());
        self.frames.outstanding = Some(budget);
        self.frames.last_order = Some(now);
        self.frames.wake(now);
        self.frames.wanted = false;
        self.frames.due = None;
        let order = EncodeOrder {
            restart: std::mem::take(&mut self.frames.restart),
            budget_bytes: budget,
            colours: self.colours(),
            rested: std::mem::take(&mut self.frames.rested),
            hold_films: self.echo.holds(now),
            viewer: self.frames.viewer,
            film: self.film_order(now, budget),
            glance_above_bytes: self.pacer.patience_bytes(now),
        };
        self.frames.film_bytes = order.film.map_or(0, |film| film.target_bytes);
        if let Some(token) = self.pacer.base_probe(now) {
            self.probe(token);
        }
        self.outputs.push_back(HostOutput::Capture(order));
    }

    /// What acknowledgements wait for.
    fn slowest(&self) -> v1::Limit {
        if self.frames.viewer_time * 2 > self.pacer.link().rtt {
            v1::Limit::Viewer
        } else {
            v1::Limit::Network
        }
    }

    /// How the next frame of a film is to be, for a viewer that knows any.
    fn film_order(&self, now: Moment, budget: usize) -> Option<FilmOrder> {
        let quality = match self.quality() {
            // Exact at all times.
            Quality::High => return None,
            Quality::Low => FilmQuality::Coarse,
            Quality::Medium => FilmQuality::Fair,
            Quality::Auto => FilmQuality::Good,
        };
        let mut formats = self.frames.films;
        // Who chose a quality by hand wants to save something.
        if self.quality() != Quality::Auto || !self.frames.full_chroma.is_allowed() {
            formats = formats.without(FilmFormat::Vp9FullChroma);
        }
        (!formats.is_empty()).then(|| FilmOrder {
            formats,
            target_bytes: self.pacer.film_bytes(now).min(budget),
            quality,
        })
    }

    /// The technician's wish within what the machine's owner allows.
    fn quality(&self) -> Quality {
        match (self.config.quality, self.preferences.quality) {
            (Some(Quality::Low), _) => Quality::Low,
            (Some(Quality::Medium), Quality::High) => Quality::Medium,
            (_, wanted) => wanted,
        }
    }

    fn colours(&self) -> Colours {
        match self.quality() {
            Quality::High => Colours::All,
            Quality::Medium => Colours::Reduced,
            Quality::Low => Colours::Few,
            Quality::Auto => match self.pacer.link().delivered_rate {
                1..FEW_COLOURS_BELOW => Colours::Few,
                _ => Colours::Reduced,
            },
        }
    }

    fn send_frame(
        &mut self,
        now: Moment,
        update: Update,
        budget: usize,
        capture: Duration,
        encode: Duration,
    ) {
        let sequence = self.frames.sequence + 1;
        if let Some(token) = self.pacer.next_probe(now, sequence, update.bytes()) {
            self.probe(token);
        }
        self.frames.sequence += 1;
        let film = update.film.as_ref();
        let held_back = film.is_some_and(|film| film.held_back);
        let is_small = film.is_some_and(|film| film.reduction > 1);
        let in_parts = !update.complete && update.fills(budget);
        let slow = self.frames.cost.mul_f64(1.0 + REST_SHARE) > MIN_INTERVAL;
        self.frames.limit = match self.frames.held_by.take() {
            Some(limit) => limit,
            None if held_back || is_small || in_parts => self.slowest(),
            None if slow => v1::Limit::Agent,
            None => v1::Limit::FrameRate,
        };
        if let Some(film) = &update.film {
            let made = FilmFrame {
                bytes: film.data.len(),
                target_bytes: self.frames.film_bytes,
                held_back,
                has_full_chroma: film.format == FilmFormat::Vp9FullChroma,
                cost: self.frames.cost,
                packing: self.frames.packing,
            };
            self.frames.full_chroma.note(now, &made);
        }
        let app_limited = !update.fills(budget) && !held_back;
        let frame = v1::VideoFrame {
            sequence: self.frames.sequence,
            layout_generation: self.layout_generation,
            encoding: v1::Encoding::ZstdBgrx.into(),
            starts_stream: update.starts_stream,
            rects: rects_to_wire(&update.rects),
            photos: update.photos,
            data: update.data.into(),
            photo_data: update.photo_data.into(),
            capture_us: micros(capture),
            encode_us: micros(encode),
            complete: update.complete,
            input_sequence: self.input_sequence,
            reduced: update.reduced,
            moves: update.moves.as_ref().map(moves_to_wire),
            film: update.film.map(film_to_wire),
            link: self.link_report(now),
        };
        if let Some(bytes) = self.send(Lane::Picture, agent_message::Body::Frame(frame)) {
            self.pacer
                .handle_sent(now, self.frames.sequence, bytes, app_limited);
        }
    }

    /// Asks the viewer for an answer at once.
    fn probe(&mut self, token: u64) {
        self.send(Lane::Control, agent_message::Body::Ping(v1::Ping { token }));
    }

    /// What a frame says of the link, if it has anything to say.
    fn link_report(&mut self, now: Moment) -> Option<v1::LinkReport> {
        let limit = self.frames.limit;
        let known = self.frames.reported;
        if known.is_some_and(|(at, was)| was == limit && now.since(at) < REPORT_INTERVAL) {
            return None;
        }
        self.frames.reported = Some((now, limit));
        let link = self.pacer.link();
        Some(v1::LinkReport {
            rtt_us: micros(link.rtt),
            base_rtt_us: micros(link.base_rtt),
            delivered_rate: link.delivered_rate,
            limit: limit.into(),
        })
    }
}

/// Microseconds as they go on the wire: what is too long is the longest there is.
fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}
