//! The life of an asynchronous encoder of Media Foundation, as a machine that is given what the
//! encoder says and answers with one packet for one picture. The encoder itself, which only
//! Windows has, stands behind [`Transform`].
//!
//! "Asynchronous MFTs", <https://learn.microsoft.com/windows/win32/medfound/asynchronous-mfts>:
//! an encoder takes a picture only after it has asked for one, and gives a packet only after it
//! has announced one; both may be announced ahead, in any order.

use std::time::Duration;

use gc_codec::{FilmError, HardwareEncoder, HardwarePacket};
use gc_video::Picture;

/// How long one picture may take. Later it is none, and the encoder is given up.
pub const MAX_PICTURE_TIME: Duration = Duration::from_millis(300);

/// Things that an encoder may say before it has a packet; one that chatters on is broken.
const MAX_EVENTS: usize = 64;

/// Announcements that nobody used yet. Encoders keep a handful of pictures.
const MAX_ANNOUNCED: u32 = 64;

/// Times that an encoder may change what it makes, over one picture.
const MAX_CHANGES: usize = 4;

/// What the encoder says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// It takes a picture: `METransformNeedInput`.
    NeedInput,
    /// It has a packet: `METransformHaveOutput`.
    HaveOutput,
    /// Everything that it had is out: `METransformDrainComplete`.
    DrainComplete,
    /// Something that does not matter here: markers, statistics.
    Other,
}

/// What the encoder gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// A packet of the picture that was given with this number.
    Packet {
        /// The number.
        picture: u64,
        /// It can be decoded without anything before it.
        key: bool,
        /// Annex B.
        data: Vec<u8>,
    },
    /// It wants to make something else from now on: `MF_E_TRANSFORM_STREAM_CHANGE`.
    StreamChanged,
    /// It has none after all: `MF_E_TRANSFORM_NEED_MORE_INPUT`.
    Nothing,
}

/// Why an encoder cannot go on. Another one can.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransformError {
    /// The graphics device is gone: removed, reset, or taken by another program.
    #[error("the device was lost")]
    DeviceLost,
    /// No packet came in time.
    #[error("no packet within {0:?}")]
    TooLate(Duration),
    /// There is no such encoder on this system.
    #[error("there is no {0}")]
    Missing(&'static str),
    /// It does what its documentation does not allow.
    #[error("the encoder {0}")]
    Rules(&'static str),
    /// A call failed.
    #[error("{call} failed with {code:#010x}")]
    Call {
        /// Which.
        call: &'static str,
        /// Windows' `HRESULT`.
        code: u32,
    },
}

impl TransformError {
    /// What a call's `HRESULT` says; `Ok` when it says that all is well.
    ///
    /// # Errors
    /// It says that the call failed.
    pub const fn check(call: &'static str, code: i32) -> Result<(), Self> {
        if code >= 0 {
            return Ok(());
        }
        Err(match code.cast_unsigned() {
            // DXGI_ERROR_DEVICE_REMOVED, _HUNG, _RESET and _DRIVER_INTERNAL_ERROR,
            // MF_E_DXGI_NEW_VIDEO_DEVICE, MF_E_HW_MFT_FAILED_START_STREAMING
            0x887a_0005 | 0x887a_0006 | 0x887a_0007 | 0x887a_0020 | 0x8004_1001 | 0xc00d_3704 => {
                Self::DeviceLost
            }
            code => Self::Call { call, code },
        })
    }
}

/// An encoder. Calls come in the order that its documentation asks for: see [`Machine`].
pub trait Transform {
    /// A picture as the encoder takes it.
    type Picture: ?Sized;

    /// What it says next; `None` when it said nothing for `wait`.
    ///
    /// # Errors
    /// It broke.
    fn next_event(&mut self, wait: Duration) -> Result<Option<Event>, TransformError>;

    /// Gives it a picture under a number. Only after it asked.
    ///
    /// # Errors
    /// It broke.
    fn give(
        &mut self,
        picture: &Self::Picture,
        number: u64,
        key: bool,
    ) -> Result<(), TransformError>;

    /// Takes what it announced.
    ///
    /// # Errors
    /// It broke.
    fn take(&mut self) -> Result<Taken, TransformError>;

    /// Agrees to what it wants to make from now on, when that is still H.264 of our size.
    ///
    /// # Errors
    /// It is something else, or it broke.
    fn accept_change(&mut self) -> Result<(), TransformError>;

    /// Parameters that stand beside the stream instead of in it; empty when they are in it.
    fn parameters(&self) -> &[u8];

    /// How much it may make from the next picture on.
    ///
    /// # Errors
    /// It does not change that while it runs, or broke.
    fn set_rate(&mut self, bits_per_second: u32) -> Result<(), TransformError>;

    /// Tells it that nothing more comes.
    fn end(&mut self);

    /// The time, for the limit of one picture.
    fn now(&self) -> Duration;
}

/// One packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// One access unit in Annex B format; a key frame begins with its parameters.
    pub data: Vec<u8>,
    /// It can be decoded without anything before it.
    pub key: bool,
}

/// Leads an encoder from picture to packet. After an error it is over: drop it.
pub struct Machine<T: Transform> {
    transform: T,
    /// Pictures that it asked for and has not got.
    wanted: u32,
    /// Packets that it announced and nobody took.
    announced: u32,
    given: u64,
    failed: bool,
}

impl<T: Transform> Machine<T> {
    /// For an encoder that was told that its stream begins.
    pub const fn new(transform: T) -> Self {
        Self {
            transform,
            wanted: 0,
            announced: 0,
            given: 0,
            failed: false,
        }
    }

    /// How much it may make from the next picture on.
    ///
    /// # Errors
    /// The encoder broke, or does not change that while it runs.
    pub fn set_rate(&mut self, bits_per_second: u32) -> Result<(), TransformError> {
        self.unless_failed(|machine| machine.transform.set_rate(bits_per_second))
    }

    /// Packs one picture and waits for its packet.
    ///
    /// # Errors
    /// The encoder broke, was too late, or does not keep to the rules.
    pub fn encode(&mut self, picture: &T::Picture, key: bool) -> Result<Packet, TransformError> {
        self.unless_failed(|machine| machine.try_encode(picture, key))
    }

    fn unless_failed<O>(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<O, TransformError>,
    ) -> Result<O, TransformError> {
        if self.failed {
            return Err(TransformError::Rules("failed before"));
        }
        let result = act(self);
        self.failed = result.is_err();
        result
    }

    fn try_encode(&mut self, picture: &T::Picture, key: bool) -> Result<Packet, TransformError> {
        let until = self.transform.now() + MAX_PICTURE_TIME;
        let mut patience = MAX_EVENTS;
        while self.wanted == 0 {
            // What it still has of earlier pictures is in the way of the next one.
            if self.announced > 0 {
                self.take(&mut patience)?;
            } else {
                self.listen(until, &mut patience)?;
            }
        }
        let first = self.given == 0;
        self.given += 1;
        self.wanted -= 1;
        self.transform.give(picture, self.given, key || first)?;
        loop {
            while self.announced == 0 {
                self.listen(until, &mut patience)?;
            }
            if let Some(packet) = self.take(&mut patience)? {
                return self.checked(packet, key || first);
            }
        }
    }

    /// Hears one thing.
    fn listen(&mut self, until: Duration, patience: &mut usize) -> Result<(), TransformError> {
        let late = TransformError::TooLate(MAX_PICTURE_TIME);
        let wait = until
            .checked_sub(self.transform.now())
            .filter(|wait| !wait.is_zero())
            .ok_or(late.clone())?;
        *patience = patience
            .checked_sub(1)
            .ok_or(TransformError::Rules("says much and does nothing"))?;
        match self.transform.next_event(wait)?.ok_or(late)? {
            Event::NeedInput => self.wanted += 1,
            Event::HaveOutput => self.announced += 1,
            Event::DrainComplete => return Err(TransformError::Rules("ended by itself")),
            Event::Other => {}
        }
        if self.wanted > MAX_ANNOUNCED || self.announced > MAX_ANNOUNCED {
            return Err(TransformError::Rules("announces without end"));
        }
        Ok(())
    }

    /// Takes what was announced: the packet of the last picture, or nothing yet.
    fn take(&mut self, patience: &mut usize) -> Result<Option<Packet>, TransformError> {
        for _ in 0..MAX_CHANGES {
            match self.transform.take()? {
                // The announcement holds for what it makes after the change.
                Taken::StreamChanged => self.transform.accept_change()?,
                Taken::Nothing => {
                    self.announced -= 1;
                    return Ok(None);
                }
                Taken::Packet { picture, key, data } => {
                    self.announced -= 1;
                    *patience = patience
                        .checked_sub(1)
                        .ok_or(TransformError::Rules("says much and does nothing"))?;
                    if picture > self.given {
                        return Err(TransformError::Rules("packs pictures that nobody gave"));
                    }
                    let is_last = picture == self.given;
                    if !is_last {
                        // The viewer needs every packet, and this one would come late.
                        return Err(TransformError::Rules("keeps pictures back"));
                    }
                    return Ok(Some(Packet { data, key }));
                }
            }
        }
        Err(TransformError::Rules("changes its mind without end"))
    }

    /// A key frame stands alone: what stands beside the stream is put before it.
    fn checked(&self, mut packet: Packet, wanted_key: bool) -> Result<Packet, TransformError> {
        if packet.data.is_empty() {
            return Err(TransformError::Rules("made a packet of nothing"));
        }
        if wanted_key && !packet.key {
            return Err(TransformError::Rules("makes no key frames"));
        }
        if packet.key && !has_parameters(&packet.data) {
            let parameters = self.transform.parameters();
            if !has_parameters(parameters) {
                return Err(TransformError::Rules("does not say what its stream is"));
            }
            packet.data.splice(0..0, parameters.iter().copied());
        }
        Ok(packet)
    }
}

impl<T: Transform> Drop for Machine<T> {
    fn drop(&mut self) {
        self.transform.end();
    }
}

impl<T: Transform<Picture = Picture> + Send> HardwareEncoder for Machine<T> {
    fn set_rate(&mut self, bits_per_second: u32) -> Result<(), FilmError> {
        Self::set_rate(self, bits_per_second).map_err(|error| FilmError::caused_by(&error))
    }

    fn encode(&mut self, picture: &Picture) -> Result<HardwarePacket, FilmError> {
        let Packet { data, key } =
            Self::encode(self, picture, false).map_err(|error| FilmError::caused_by(&error))?;
        Ok(HardwarePacket { data, key })
    }
}

/// What an encoder would announce that does all of its work while it is called: Microsoft's own,
/// which every Windows has.
#[derive(Debug)]
pub struct Turns {
    wants: bool,
    has: bool,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            wants: true,
            has: false,
        }
    }
}

impl Turns {
    /// It was given a picture.
    pub const fn handle_given(&mut self) {
        self.wants = true;
        self.has = true;
    }

    /// What it says next; `None` when it waits.
    pub const fn poll_event(&mut self) -> Option<Event> {
        if self.has {
            self.has = false;
            Some(Event::HaveOutput)
        } else if self.wants {
            self.wants = false;
            Some(Event::NeedInput)
        } else {
            None
        }
    }
}

/// Types of units: ITU-T H.264, table 7-1.
const KEY_SLICE: u8 = 5;
const SEQUENCE_PARAMETERS: u8 = 7;

/// True for a packet that can be decoded without anything before it. Encoders mark theirs
/// too, and some mark those that begin only one more group of pictures.
pub fn is_key(data: &[u8]) -> bool {
    has_unit(data, KEY_SLICE)
}

fn has_parameters(data: &[u8]) -> bool {
    has_unit(data, SEQUENCE_PARAMETERS)
}

fn has_unit(data: &[u8], kind: u8) -> bool {
    data.windows(4)
        .any(|bytes| bytes.starts_with(&[0, 0, 1]) && bytes[3] & 0x1f == kind)
}

/// Bytes of a picture as hardware takes it.
pub fn nv12_len(picture: &Picture) -> usize {
    picture.plane(0).len() + 2 * picture.plane(1).len()
}

/// A picture in 4:2:0 as hardware takes it (NV12): its brightness, then both colours in pairs.
/// What does not fit is left out.
pub fn write_nv12(picture: &Picture, into: &mut [u8]) {
    let luma = picture.plane(0);
    let (bright, colour) = into.split_at_mut(luma.len().min(into.len()));
    bright.copy_from_slice(&luma[..bright.len()]);
    let samples = picture.plane(1).iter().zip(picture.plane(2));
    for (pair, (&u, &v)) in colour.chunks_exact_mut(2).zip(samples) {
        pair.copy_from_slice(&[u, v]);
    }
}
