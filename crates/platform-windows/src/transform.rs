//! The life of an asynchronous encoder of Media Foundation, as a machine that is given what the
//! encoder says and answers with one packet for one picture. The encoder itself, which only
//! Windows has, stands behind [`Transform`].
//!
//! "Asynchronous MFTs", <https://learn.microsoft.com/windows/win32/medfound/asynchronous-mfts>:
//! an encoder takes a picture only after it has asked for one, and gives a packet only after it
//! has announced one; both may be announced ahead, in any order.

use std::time::Duration;

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

    /// Packs one picture and waits for its packet.
    ///
    /// # Errors
    /// The encoder broke, was too late, or does not keep to the rules.
    pub fn encode(&mut self, picture: &T::Picture, key: bool) -> Result<Packet, TransformError> {
        if self.failed {
            return Err(TransformError::Rules("failed before"));
        }
        let result = self.try_encode(picture, key);
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

/// True when a unit of sequence parameters is in it: type 7 of ITU-T H.264, table 7-1.
fn has_parameters(data: &[u8]) -> bool {
    data.windows(4)
        .any(|bytes| bytes.starts_with(&[0, 0, 1]) && bytes[3] & 0x1f == 7)
}
