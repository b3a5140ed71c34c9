//! One long-lived zstd stream: every flushed piece may refer to all earlier ones
//! inside the window, which is what makes the second picture of a text cheap.
//! Format: RFC 8878.

use zstd_safe::{
    CCtx, CParameter, DCtx, DParameter, InBuffer, OutBuffer, ParamSwitch, ResetDirective, Strategy,
};

/// Largest window that a decoder accepts, as power of two: 32 MB, four pictures
/// of 1920x1080. Switching between windows then costs half of what it does with
/// the 8 MB that RFC 8878 asks of every decoder; ours is our own.
const MAX_WINDOW_LOG: u32 = 25;

/// Pictures that the window holds.
const WINDOW_PICTURES: usize = 4;

/// Smallest window worth having: 1 MB.
const MIN_WINDOW_LOG: u32 = 20;

/// Entries of the match finder's table, as power of two. Level 1 would take
/// 2^14, too few to find again what was on the screen a frame ago: scrolling
/// and dragging then take 3 times the bytes and twice the time.
const HASH_LOG: u32 = 18;

/// What is longer than this many bytes is found again anywhere in the window, by a table of
/// its own with one place in 2^7 (1 MB). The table above forgets a picture when a photograph
/// comes after it: a window that came back then cost ten times the bytes.
const LONG_MATCH_BYTES: u32 = 64;
const LONG_HASH_LOG: u32 = 17;
const LONG_HASH_RATE_LOG: u32 = 7;

/// The same in photographs, where only such matches are looked for: shorter, and one place in 2^5
/// in a table of 4 MB.
const PHOTO_MATCH_BYTES: u32 = 32;
const PHOTO_HASH_LOG: u32 = 19;
const PHOTO_HASH_RATE_LOG: u32 = 5;

/// Bytes that zstd's fastest strategy goes on between two places at which it looks for short
/// matches: as many as a block has. The table for them is never used and as small as can be.
const NO_SHORT_MATCHES: u32 = 128 * 1024;
const NO_HASH_LOG: u32 = 6;

/// A zstd call that failed: damaged input, or no memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("zstd: {0}")]
pub struct StreamError(&'static str);

impl StreamError {
    fn of(code: usize) -> Self {
        Self(zstd_safe::get_error_name(code))
    }
}

/// The sending half.
pub(crate) struct Compressor {
    context: CCtx<'static>,
}

impl Compressor {
    /// A stream for pictures of `picture_bytes`.
    pub(crate) fn new(picture_bytes: usize) -> Result<Self, StreamError> {
        Self::with_parameters(picture_bytes, &[])
    }

    /// The same for planes of photographs. There a short match costs more bytes than its values do,
    /// so only what is long and was there before is looked for.
    pub(crate) fn for_photos(picture_bytes: usize) -> Result<Self, StreamError> {
        let mut stream = Self::with_parameters(
            picture_bytes,
            &[
                CParameter::Strategy(Strategy::ZSTD_fast),
                CParameter::TargetLength(NO_SHORT_MATCHES),
                CParameter::HashLog(NO_HASH_LOG),
                CParameter::LdmMinMatch(PHOTO_MATCH_BYTES),
                CParameter::LdmHashLog(PHOTO_HASH_LOG),
                CParameter::LdmHashRateLog(PHOTO_HASH_RATE_LOG),
                // Without it, zstd does not pack bytes at all where it hardly looks for matches.
                CParameter::LiteralCompressionMode(ParamSwitch::Enable),
            ],
        )?;
        // zstd asks for its memory with the first byte: where there is too little, say so here.
        stream.push(&[0], &mut Vec::new())?;
        stream.restart()?;
        Ok(stream)
    }

    fn with_parameters(picture_bytes: usize, more: &[CParameter]) -> Result<Self, StreamError> {
        let mut context = CCtx::try_create().ok_or(StreamError("out of memory"))?;
        let history_bytes = picture_bytes.saturating_mul(WINDOW_PICTURES);
        let window = history_bytes
            .next_power_of_two()
            .ilog2()
            .clamp(MIN_WINDOW_LOG, MAX_WINDOW_LOG);
        let parameters = [
            CParameter::CompressionLevel(1),
            CParameter::WindowLog(window),
            CParameter::HashLog(HASH_LOG),
            CParameter::EnableLongDistanceMatching(true),
            CParameter::LdmMinMatch(LONG_MATCH_BYTES),
            CParameter::LdmHashLog(LONG_HASH_LOG),
            CParameter::LdmHashRateLog(LONG_HASH_RATE_LOG),
            CParameter::ContentSizeFlag(false),
            CParameter::ChecksumFlag(false),
        ];
        for &parameter in parameters.iter().chain(more) {
            context.set_parameter(parameter).map_err(StreamError::of)?;
        }
        Ok(Self { context })
    }

    /// Forgets everything: the next piece starts a new stream.
    pub(crate) fn restart(&mut self) -> Result<(), StreamError> {
        self.context
            .reset(ResetDirective::SessionOnly)
            .map_err(StreamError::of)?;
        Ok(())
    }

    /// Appends `raw`, compressed and flushed, to `out`.
    pub(crate) fn push(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<(), StreamError> {
        let mut input = InBuffer::around(raw);
        loop {
            out.reserve(zstd_safe::compress_bound(raw.len() - input.pos()).min(256 * 1024) + 64);
            let start = out.len();
            let mut output = OutBuffer::around_pos(out, start);
            let left = self
                .context
                .compress_stream2(
                    &mut output,
                    &mut input,
                    zstd_safe::zstd_sys::ZSTD_EndDirective::ZSTD_e_flush,
                )
                .map_err(StreamError::of)?;
            if left == 0 && input.pos() == raw.len() {
                return Ok(());
            }
        }
    }
}

/// The receiving half.
pub(crate) struct Decompressor {
    context: DCtx<'static>,
}

impl Decompressor {
    pub(crate) fn new() -> Result<Self, StreamError> {
        let mut context = DCtx::try_create().ok_or(StreamError("out of memory"))?;
        context
            .set_parameter(DParameter::WindowLogMax(MAX_WINDOW_LOG))
            .map_err(StreamError::of)?;
        Ok(Self { context })
    }

    pub(crate) fn restart(&mut self) -> Result<(), StreamError> {
        self.context
            .reset(ResetDirective::SessionOnly)
            .map_err(StreamError::of)?;
        Ok(())
    }

    /// Fills `raw` from exactly all of `data`.
    pub(crate) fn pull(&mut self, data: &[u8], raw: &mut [u8]) -> Result<(), StreamError> {
        let mut input = InBuffer::around(data);
        let mut output = OutBuffer::around(raw);
        loop {
            let before = (input.pos(), output.pos());
            let hint = self
                .context
                .decompress_stream(&mut output, &mut input)
                .map_err(StreamError::of)?;
            if input.pos() == data.len() && output.pos() == output.capacity() {
                // A stream that ended here would take the next piece for a new one.
                return if hint == 0 {
                    Err(StreamError("the stream ended"))
                } else {
                    self.expect_drained()
                };
            }
            if before == (input.pos(), output.pos()) {
                return Err(StreamError("the data does not fill its rectangles"));
            }
        }
    }

    /// INVARIANT: between two pieces nothing is left inside the decoder, so that
    /// a piece can never paint pixels of an earlier one.
    fn expect_drained(&mut self) -> Result<(), StreamError> {
        let mut probe = [0_u8; 1];
        let mut output = OutBuffer::around(&mut probe[..]);
        let mut input = InBuffer::around(&[]);
        self.context
            .decompress_stream(&mut output, &mut input)
            .map_err(StreamError::of)?;
        if output.pos() == 0 {
            Ok(())
        } else {
            Err(StreamError("the data has more pixels than its rectangles"))
        }
    }
}
