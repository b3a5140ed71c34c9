//! The technician's end: frames taken apart, handed out to be painted, and acknowledged.

use std::time::Duration;

use gc_codec::{Decoder, FilmFormat, Moves, Piece, bgrx_to_rgba};
use gc_model::geometry::Rect;
use gc_model::time::Moment;
use gc_proto::v1;
use gc_proto::v1::viewer_message;

use super::picture::Picture;
use super::{EndCode, Film, Lane, Limit, ShownFrame, State, Viewer, ViewerEvent, ViewerOutput};
use crate::convert::{
    film_from_wire, format_to_wire, layout_from_wire, moves_from_wire, rects_from_wire,
};

/// Frames that the program may keep unpainted before the oldest is forgotten; a machine
/// that waits for acknowledgements never has so many on their way.
const MAX_PAINTING: usize = 256;

/// Films that may be undecoded while what came after them is acknowledged.
const MAX_BEHIND: usize = 4;

/// Whole pictures in a row that cannot be unpacked, before that is said instead of asking again.
const MAX_DAMAGED_STARTS: u32 = 3;

const UNREADABLE: &str = "The machine's picture cannot be unpacked here. Another browser, or one with \
    more free memory, may do better.";

#[derive(Clone, Copy)]
pub(super) struct Painting {
    sequence: u64,
    received_at: Moment,
    /// On the screen, while one before it is not.
    done: bool,
}

/// A frame that cannot be shown.
struct Damaged;

impl Viewer {
    /// Asks for the whole picture anew.
    pub fn handle_refresh(&mut self, _now: Moment) {
        self.refresh(None, false);
    }

    /// Films in `format` cannot be decoded here: there shall be none of them any more. Other
    /// formats that were announced may follow.
    pub fn handle_film_failed(&mut self, _now: Moment, format: FilmFormat) {
        let again = !self.films.contains(format);
        self.films = self.films.without(format);
        self.awaits_stream = true;
        let others = FilmFormat::ALL
            .into_iter()
            .any(|other| self.films.contains(other) && self.machine_films.contains(other));
        // A machine that does not know the first form goes on with what failed.
        self.refresh(Some(format), again || !others);
    }

    fn refresh(&mut self, failed: Option<FilmFormat>, without_films: bool) {
        let request = v1::RefreshRequest {
            without_films,
            without: failed
                .into_iter()
                .map(|format| format_to_wire(format).into())
                .collect(),
        };
        self.send(Lane::Control, viewer_message::Body::Refresh(request));
    }

    /// The frame's pixels are on the screen.
    pub fn handle_painted(&mut self, now: Moment, sequence: u64) {
        for painting in &mut self.painting {
            painting.done |= painting.sequence == sequence;
        }
        // A film is decoded beside the rest: what came after it may be painted before it, and
        // does not wait for a decoder that takes its time, unless too much is behind.
        let newest = self.painting.iter().rposition(|painting| painting.done);
        let passed = newest.filter(|&last| {
            let earlier = self.painting.iter().take(last);
            earlier.filter(|painting| !painting.done).count() <= MAX_BEHIND
        });
        let last = passed.or_else(|| {
            let undone = self.painting.iter().position(|painting| !painting.done);
            undone.and_then(|first| first.checked_sub(1))
        });
        let Some(painting) = last.map(|last| self.painting[last]) else {
            return;
        };
        self.painting
            .retain(|other| !other.done || other.sequence > painting.sequence);
        if painting.sequence > self.acknowledged {
            self.acknowledged = painting.sequence;
            self.acknowledge(painting, now);
        }
    }

    /// The pixels of the last [`ViewerOutput::Frame`]: RGBA of each rectangle, in order.
    pub fn pixels(&self) -> &[u8] {
        let decoded = || self.decoder.as_ref().map_or(&[][..], Decoder::pixels);
        let moved = self.picture.as_ref().and_then(Picture::moved);
        moved.unwrap_or_else(decoded)
    }

    /// The film's packet of the last [`ViewerOutput::Frame`]; empty when it has none.
    pub fn film_data(&self) -> &[u8] {
        &self.film_data
    }

    pub(super) fn handle_layout(&mut self, wire: &v1::DisplayLayout) {
        let layout = match layout_from_wire(wire) {
            Ok(layout) => layout,
            Err(error) => {
                return self.end(
                    EndCode::Protocol,
                    &format!("The machine broke the protocol: {error}."),
                );
            }
        };
        match Decoder::new(layout.picture) {
            Ok(decoder) => {
                self.decoder = Some(decoder);
                self.picture = Some(Picture::new(layout.picture));
            }
            Err(_) => {
                return self.end(
                    EndCode::Protocol,
                    "There is not enough memory for the picture.",
                );
            }
        }
        self.emit(ViewerEvent::Layout {
            layout: layout.clone(),
            only: wire.only,
        });
        self.layout = Some((wire.generation, layout));
    }

    pub(super) fn handle_picture_key(&mut self, dealt: &v1::PictureKey) {
        let State::Running(keys) = &mut self.state else {
            return;
        };
        match (
            u16::try_from(dealt.epoch),
            <&[u8; 32]>::try_from(&*dealt.key),
        ) {
            (Ok(epoch), Ok(key)) => keys.set_picture_key(epoch, key),
            _ => self.end(EndCode::Protocol, "The machine dealt a key that is none."),
        }
    }

    pub(super) fn handle_frame(&mut self, now: Moment, frame: &v1::VideoFrame, bytes: usize) {
        let link = frame.link.unwrap_or(self.link);
        self.link = link;
        let generation = self.layout.as_ref().map(|(generation, _)| *generation);
        // A frame from before the layout changed: on its way when the new layout overtook it.
        let outdated = generation != Some(frame.layout_generation);
        let skipped = outdated || (self.awaits_stream && !frame.starts_stream);
        if skipped {
            return self.acknowledge(
                Painting {
                    sequence: frame.sequence,
                    received_at: now,
                    done: true,
                },
                now,
            );
        }
        let Ok((rects, film)) = self.decode_all(frame) else {
            self.awaits_stream = true;
            self.damaged += u32::from(frame.starts_stream);
            if self.damaged > MAX_DAMAGED_STARTS {
                return self.end(EndCode::Protocol, UNREADABLE);
            }
            self.acknowledge(
                Painting {
                    sequence: frame.sequence,
                    received_at: now,
                    done: true,
                },
                now,
            );
            return self.handle_refresh(now);
        };
        self.awaits_stream = false;
        self.damaged = 0;
        let micros = |value: u32| Duration::from_micros(value.into());
        let input_latency = self.input_latency(now, frame.input_sequence);
        if self.painting.len() == MAX_PAINTING {
            self.painting.pop_front();
        }
        self.painting.push_back(Painting {
            sequence: frame.sequence,
            received_at: now,
            done: false,
        });
        self.outputs.push_back(ViewerOutput::Frame(ShownFrame {
            sequence: frame.sequence,
            rects,
            film,
            complete: frame.complete,
            reduced: frame.reduced,
            bytes,
            capture: micros(frame.capture_us),
            encode: micros(frame.encode_us),
            rtt: micros(link.rtt_us),
            base_rtt: micros(link.base_rtt_us),
            delivered_rate: link.delivered_rate,
            limit: Limit::from_wire(link.limit),
            input_sequence: frame.input_sequence,
            input_latency,
        }));
    }

    /// What is to be painted: what moved, what is new, and a film.
    fn decode_all(&mut self, frame: &v1::VideoFrame) -> Result<(Vec<Rect>, Option<Film>), Damaged> {
        let moves = self.check_moves(frame)?;
        let film = self.decode_film(frame)?;
        let rects = self.decode(frame)?;
        let decoded = self.decoder.as_ref().map_or(&[][..], Decoder::pixels);
        let picture = self.picture.as_mut().ok_or(Damaged)?;
        Ok((picture.take(moves.as_ref(), rects, decoded), film))
    }

    fn check_moves(&self, frame: &v1::VideoFrame) -> Result<Option<Moves>, Damaged> {
        let (_, layout) = self.layout.as_ref().ok_or(Damaged)?;
        let moves = frame.moves.as_ref();
        moves
            .map(|moves| moves_from_wire(moves, layout.picture).map_err(|_| Damaged))
            .transpose()
    }

    /// Checks what the program is to decode. A stream is only followed from its beginning.
    fn decode_film(&mut self, frame: &v1::VideoFrame) -> Result<Option<Film>, Damaged> {
        self.film_data = bytes::Bytes::new();
        let Some(wire) = &frame.film else {
            return Ok(None);
        };
        let (_, layout) = self.layout.as_ref().ok_or(Damaged)?;
        let film = film_from_wire(wire, layout.picture).map_err(|_| Damaged)?;
        let announced = self.config.films.contains(&film.format);
        let follows = film.key || self.film_stream == Some(film.stream);
        if !announced || !follows {
            return Err(Damaged);
        }
        self.film_stream = Some(film.stream);
        self.film_data = wire.data.clone();
        Ok(Some(film))
    }

    fn decode(&mut self, frame: &v1::VideoFrame) -> Result<Vec<Rect>, Damaged> {
        let decoder = self.decoder.as_mut().ok_or(Damaged)?;
        if v1::Encoding::try_from(frame.encoding) != Ok(v1::Encoding::ZstdBgrx) {
            return Err(Damaged);
        }
        let rects = rects_from_wire(&frame.rects).map_err(|_| Damaged)?;
        let pixels = decoder
            .decode(&Piece {
                rects: &rects,
                photos: &frame.photos,
                data: &frame.data,
                photo_data: &frame.photo_data,
                starts_stream: frame.starts_stream,
            })
            .map_err(|_| Damaged)?;
        bgrx_to_rgba(pixels);
        Ok(rects)
    }

    fn acknowledge(&mut self, painting: Painting, now: Moment) {
        let micros = |duration: Duration| u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
        let begun_at = painting.received_at.max(self.acknowledged_at);
        self.acknowledged_at = now;
        let ack = v1::FrameAck {
            sequence: painting.sequence,
            shown_us: micros(now.since(painting.received_at)),
            own_us: micros(now.since(begun_at)),
        };
        self.send(Lane::Control, viewer_message::Body::Ack(ack));
    }
}
