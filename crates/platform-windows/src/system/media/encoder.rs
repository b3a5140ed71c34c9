//! `IMFTransform`: one encoder, from its types to its last packet.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::thread::sleep;
use std::time::{Duration, Instant};

use gc_model::geometry::Size;
use gc_video::Picture;
use windows_sys::core::{GUID, HRESULT};

use super::attributes::Attributes;
use super::failed;
use super::library::{H264, Library, NV12, VIDEO};
use super::samples::Sample;
use super::settings::{FORCE_KEY, LOW_LATENCY, MEAN_RATE, Settings};
use crate::system::com::Object;
use crate::system::events::FineClock;
use crate::transform::{
    Event, Taken, Transform, TransformError, Turns, is_key, nv12_len, write_nv12,
};

pub(super) const TRANSFORM: GUID = GUID::from_u128(0xbf94_c121_5b05_4e6f_8000_ba59_8961_414d);
pub(super) const EVENTS: GUID = GUID::from_u128(0x2cd0_bd52_bcd5_4b89_b62c_eadc_0c03_1e7d);
const SHUTDOWN: GUID = GUID::from_u128(0x97ec_2ea4_0e42_4937_97ac_9d6d_3288_24e1);

/// Keys of attributes.
mod key {
    use super::{GUID, LOW_LATENCY};

    /// `MF_TRANSFORM_ASYNC` and `MF_TRANSFORM_ASYNC_UNLOCK`
    pub(in super::super) const ASYNC: GUID =
        GUID::from_u128(0xf81a_699a_649a_497d_8c73_29f8_fed6_ad7a);
    pub(in super::super) const ASYNC_UNLOCK: GUID =
        GUID::from_u128(0xe566_6d6b_3422_4eb6_a421_da7d_b1f8_e207);
    /// `MF_LOW_LATENCY`
    pub(super) const QUICK: GUID = LOW_LATENCY;
    /// `MF_MT_MAJOR_TYPE` and `MF_MT_SUBTYPE`
    pub(super) const MAJOR: GUID = GUID::from_u128(0x48eb_a18e_f8c9_4687_bf11_0a74_c9f9_6a8f);
    pub(in super::super) const SUB: GUID =
        GUID::from_u128(0xf7e3_4c9a_42e8_4714_b74b_cb29_d72c_35e5);
    /// `MF_MT_FRAME_SIZE`, `MF_MT_FRAME_RATE` and `MF_MT_PIXEL_ASPECT_RATIO`
    pub(in super::super) const SIZE: GUID =
        GUID::from_u128(0x1652_c33d_d6b2_4012_b834_7203_0849_a37d);
    pub(super) const FRAME_RATE: GUID = GUID::from_u128(0xc459_a2e8_3d2c_4e44_b132_fee5_156c_7bb0);
    pub(super) const PIXEL_SHAPE: GUID = GUID::from_u128(0xc637_6a1e_8d0a_4027_be45_6d9a_0ad3_9bb6);
    /// `MF_MT_INTERLACE_MODE`
    pub(super) const INTERLACED: GUID = GUID::from_u128(0xe272_4bb8_e676_4806_b4b2_a8d6_efb4_4ccd);
    /// `MF_MT_AVG_BITRATE`
    pub(super) const RATE: GUID = GUID::from_u128(0x2033_2624_fb0d_4d9e_bd0d_cbf6_786c_102e);
    /// `MF_MT_MPEG2_PROFILE`
    pub(super) const PROFILE: GUID = GUID::from_u128(0xad76_a80b_2d5c_4e0b_b375_64e5_2013_7036);
    /// `MF_MT_MPEG_SEQUENCE_HEADER`
    pub(in super::super) const PARAMETERS: GUID =
        GUID::from_u128(0x3c03_6de7_3ad0_4c9e_9216_ee6d_6ac2_1cb3);
    /// `MF_MT_VIDEO_PRIMARIES`, `MF_MT_TRANSFER_FUNCTION`, `MF_MT_YUV_MATRIX` and
    /// `MF_MT_VIDEO_NOMINAL_RANGE`, each with ours: BT.709, screens', BT.709, all 256 levels.
    pub(super) const COLOURS: [(GUID, u32); 4] = [
        (
            GUID::from_u128(0xdbfb_e4d7_0740_4ee0_8192_850a_b0e2_1935),
            2,
        ),
        (
            GUID::from_u128(0x5fb0_fce9_be5c_4935_a811_ec83_8f8e_ed93),
            7,
        ),
        (
            GUID::from_u128(0x3e23_d450_2c75_4d25_a00e_b916_70d1_2327),
            1,
        ),
        (
            GUID::from_u128(0xc21b_8ee5_b956_4071_8daf_325e_df5c_ab11),
            1,
        ),
    ];
}
#[cfg(test)]
pub(super) use key::{ASYNC, ASYNC_UNLOCK, PARAMETERS, SIZE, SUB};

/// `MFVideoInterlace_Progressive`
const WHOLE_FRAMES: u32 = 2;
/// `eAVEncH264VProfile_Base`: no picture refers to a later one.
const BASELINE: u32 = 66;

/// Pictures a second that an encoder is told of, whatever they are: its rate is one for each.
const FRAMES_A_SECOND: u32 = 30;
/// Of one picture, in units of 100 ns.
const FRAME_TIME: i64 = 10_000_000 / FRAMES_A_SECOND as i64;

/// What stands beside a stream has a few dozen bytes.
const MOST_PARAMETER_BYTES: usize = 1_024;

/// How often one that says nothing is asked. `GetEvent` waits for ever or not at all.
const ASK_AGAIN: Duration = Duration::from_millis(1);

/// Places of the methods in their tables.
mod place {
    pub(super) const ACTIVATE: usize = 33;
    pub(super) const ACTIVATE_SHUT_DOWN: usize = 34;
    pub(super) const SHUT_DOWN: usize = 3;
    pub(super) const STREAM_IDS: usize = 5;
    pub(super) const OUTPUT_INFO: usize = 7;
    pub(super) const ATTRIBUTES: usize = 8;
    pub(super) const OUTPUT_AVAILABLE: usize = 14;
    pub(super) const SET_INPUT: usize = 15;
    pub(super) const SET_OUTPUT: usize = 16;
    pub(super) const OUTPUT_NOW: usize = 18;
    pub(super) const MESSAGE: usize = 23;
    pub(super) const INPUT: usize = 24;
    pub(super) const OUTPUT: usize = 25;
    pub(super) const GET_EVENT: usize = 3;
    pub(super) const EVENT_TYPE: usize = 33;
    pub(super) const EVENT_STATUS: usize = 35;
}

/// `MFT_MESSAGE_TYPE`
mod message {
    pub(super) const FLUSH: i32 = 0;
    pub(super) const BEGIN: i32 = 0x1000_0000;
    pub(super) const END: i32 = 0x1000_0001;
    pub(super) const END_OF_STREAM: i32 = 0x1000_0002;
    pub(super) const START_OF_STREAM: i32 = 0x1000_0003;
}

/// `MF_E_NO_EVENTS_AVAILABLE`
const NO_EVENT: HRESULT = 0xc00d_3e80_u32.cast_signed();
/// `MF_E_TRANSFORM_STREAM_CHANGE`
pub(super) const STREAM_CHANGE: HRESULT = 0xc00d_6d61_u32.cast_signed();
/// `MF_E_TRANSFORM_NEED_MORE_INPUT`
pub(super) const NEED_MORE: HRESULT = 0xc00d_6d72_u32.cast_signed();

/// `MFT_OUTPUT_STREAM_INFO`
#[repr(C)]
#[derive(Default)]
pub(super) struct OutputInfo {
    pub(super) flags: u32,
    pub(super) bytes: u32,
    pub(super) alignment: u32,
}

/// `MFT_OUTPUT_DATA_BUFFER`
#[repr(C)]
pub(super) struct OutputBuffer {
    pub(super) stream: u32,
    pub(super) sample: *mut c_void,
    pub(super) status: u32,
    pub(super) events: *mut c_void,
}

/// What an encoder was made from; the encoder is shut down with it.
pub(super) struct Activated {
    activate: Attributes,
    transform: Object,
}

impl Activated {
    pub(super) fn new(activate: Attributes) -> Result<Self, TransformError> {
        type Activate =
            unsafe extern "system" fn(*mut c_void, *const GUID, *mut *mut c_void) -> HRESULT;
        // SAFETY: what encoders are made from has this method, and the answer has room.
        let transform = Object::from_call(|to| unsafe {
            let make: Activate = activate.0.method(place::ACTIVATE);
            make(activate.0.pointer(), &TRANSFORM, to)
        })
        .map_err(failed("IMFActivate::ActivateObject"))?;
        Ok(Self {
            activate,
            transform,
        })
    }
}

impl Drop for Activated {
    fn drop(&mut self) {
        // SAFETY: what encoders are made from has this method, and this one made one.
        unsafe {
            let shut_down: unsafe extern "system" fn(*mut c_void) -> HRESULT =
                self.activate.0.method(place::ACTIVATE_SHUT_DOWN);
            shut_down(self.activate.0.pointer());
        }
    }
}

/// How an encoder is heard.
enum Voice {
    /// `IMFMediaEventGenerator`
    Events(Object),
    Turns(Turns),
}

/// One encoder that runs.
pub(super) struct Encoder {
    voice: Voice,
    settings: Settings,
    transform: Object,
    /// Numbers of its two streams.
    input: u32,
    output: u32,
    size: Size,
    /// It brings the memory of its packets.
    provides: bool,
    packet_bytes: u32,
    parameters: Vec<u8>,
    began: Instant,
    /// Its answers are waited for by the millisecond.
    _clock: FineClock,
    _activated: Option<Activated>,
    /// Last: everything above is an object of it.
    library: Library,
}

impl Encoder {
    /// Makes one ready for its first picture.
    pub(super) fn begin(
        activated: Activated,
        library: Library,
        size: Size,
        rate: u32,
    ) -> Result<Self, TransformError> {
        let transform = activated.transform.clone();
        Self::begin_with(transform, Some(activated), library, size, rate)
    }

    pub(super) fn begin_with(
        transform: Object,
        activated: Option<Activated>,
        library: Library,
        size: Size,
        rate: u32,
    ) -> Result<Self, TransformError> {
        let voice = unlock(&transform)?;
        let settings = Settings::of(&transform)?;
        settings.prepare(rate)?;
        let (input, output) = stream_ids(&transform);
        let mut encoder = Self {
            voice,
            settings,
            transform,
            input,
            output,
            size,
            provides: false,
            packet_bytes: 0,
            parameters: vec![],
            began: Instant::now(),
            _clock: FineClock::new(),
            _activated: activated,
            library,
        };
        encoder.set_types(rate)?;
        encoder.learn_output()?;
        encoder.tell(message::FLUSH)?;
        encoder.tell(message::BEGIN)?;
        encoder.tell(message::START_OF_STREAM)?;
        Ok(encoder)
    }

    /// First what comes out, then what goes in: encoders want it in this order. One that does not
    /// take our colours may take none; they are written into the stream in any case.
    fn set_types(&self, rate: u32) -> Result<(), TransformError> {
        let mut result = Ok(());
        for with_colours in [true, false] {
            let output = self.video(&H264, with_colours)?;
            output.set_u32(&key::RATE, rate)?;
            output.set_u32(&key::PROFILE, BASELINE)?;
            let input = self.video(&NV12, with_colours)?;
            result = self
                .set_type(place::SET_OUTPUT, self.output, &output)
                .and_then(|()| self.set_type(place::SET_INPUT, self.input, &input));
            if result.is_ok() {
                break;
            }
        }
        result
    }

    /// Pictures of our size.
    fn video(&self, format: &GUID, with_colours: bool) -> Result<Attributes, TransformError> {
        let video = self.library.media_type()?;
        video.set_guid(&key::MAJOR, &VIDEO)?;
        video.set_guid(&key::SUB, format)?;
        video.set_pair(&key::SIZE, self.size.width(), self.size.height())?;
        video.set_pair(&key::FRAME_RATE, FRAMES_A_SECOND, 1)?;
        video.set_pair(&key::PIXEL_SHAPE, 1, 1)?;
        video.set_u32(&key::INTERLACED, WHOLE_FRAMES)?;
        for (name, value) in key::COLOURS.iter().filter(|_| with_colours) {
            video.set_u32(name, *value)?;
        }
        Ok(video)
    }

    fn set_type(
        &self,
        place: usize,
        stream: u32,
        video: &Attributes,
    ) -> Result<(), TransformError> {
        // SAFETY: every transform has both methods that are asked for here; both objects live.
        let answer = unsafe {
            let set: unsafe extern "system" fn(*mut c_void, u32, *mut c_void, u32) -> HRESULT =
                self.transform.method(place);
            set(self.transform.pointer(), stream, video.0.pointer(), 0)
        };
        let call = if place == place::SET_OUTPUT {
            "IMFTransform::SetOutputType"
        } else {
            "IMFTransform::SetInputType"
        };
        TransformError::check(call, answer)
    }

    /// How its packets come, now that its types are known.
    fn learn_output(&mut self) -> Result<(), TransformError> {
        /// `MFT_OUTPUT_STREAM_PROVIDES_SAMPLES` or `MFT_OUTPUT_STREAM_CAN_PROVIDE_SAMPLES`
        const PROVIDES: u32 = 0x300;
        let mut info = OutputInfo::default();
        // SAFETY: every transform has this method, and the structure is the one that it fills.
        let answer = unsafe {
            let get: unsafe extern "system" fn(*mut c_void, u32, *mut OutputInfo) -> HRESULT =
                self.transform.method(place::OUTPUT_INFO);
            get(self.transform.pointer(), self.output, &raw mut info)
        };
        TransformError::check("IMFTransform::GetOutputStreamInfo", answer)?;
        // A packet has no more bytes than its picture; one that says less may not know yet.
        let picture = u32::try_from(self.size.area() * 3 / 2).unwrap_or(u32::MAX);
        self.provides = info.flags & PROVIDES != 0;
        self.packet_bytes = picture.max(info.bytes.min(picture.saturating_mul(2)));
        self.learn_parameters();
        Ok(())
    }

    fn learn_parameters(&mut self) {
        type Get = unsafe extern "system" fn(*mut c_void, u32, *mut *mut c_void) -> HRESULT;
        // SAFETY: every transform has this method, and the answer has room.
        let now = Object::from_call(|to| unsafe {
            let get: Get = self.transform.method(place::OUTPUT_NOW);
            get(self.transform.pointer(), self.output, to)
        });
        let said = now.ok().map(Attributes);
        let said = said.and_then(|video| video.bytes(&key::PARAMETERS, MOST_PARAMETER_BYTES));
        if let Some(parameters) = said {
            self.parameters = parameters;
        }
    }

    fn tell(&self, message: i32) -> Result<(), TransformError> {
        // SAFETY: every transform has this method; these messages have no argument.
        let answer = unsafe {
            let tell: unsafe extern "system" fn(*mut c_void, i32, usize) -> HRESULT =
                self.transform.method(place::MESSAGE);
            tell(self.transform.pointer(), message, 0)
        };
        TransformError::check("IMFTransform::ProcessMessage", answer)
    }
}

/// Asynchronous ones refuse to work for those who do not say that they know of it.
fn unlock(transform: &Object) -> Result<Voice, TransformError> {
    type Get = unsafe extern "system" fn(*mut c_void, *mut *mut c_void) -> HRESULT;
    // SAFETY: every transform has this method, and the answer has room.
    let attributes = Object::from_call(|to| unsafe {
        let get: Get = transform.method(place::ATTRIBUTES);
        get(transform.pointer(), to)
    });
    let Ok(attributes) = attributes.map(Attributes) else {
        // Those that work while they are called need have none.
        return Ok(Voice::Turns(Turns::default()));
    };
    // Windows 7 does not know it.
    let _unknown = attributes.set_u32(&key::QUICK, 1);
    if attributes.u32(&key::ASYNC).unwrap_or(0) == 0 {
        return Ok(Voice::Turns(Turns::default()));
    }
    attributes.set_u32(&key::ASYNC_UNLOCK, 1)?;
    let events = transform.query(&EVENTS);
    let events = events.map_err(failed("QueryInterface(IMFMediaEventGenerator)"))?;
    Ok(Voice::Events(events))
}

/// Numbers of the stream that goes in and the one that comes out.
fn stream_ids(transform: &Object) -> (u32, u32) {
    type Get = unsafe extern "system" fn(*mut c_void, u32, *mut u32, u32, *mut u32) -> HRESULT;
    let (mut input, mut output) = (0, 0);
    // SAFETY: every transform has this method, and each list has room for the one stream that
    // encoders have.
    let answer = unsafe {
        let get: Get = transform.method(place::STREAM_IDS);
        get(transform.pointer(), 1, &raw mut input, 1, &raw mut output)
    };
    // One that does not implement it counts them from 0.
    if answer == 0 { (input, output) } else { (0, 0) }
}

/// What was said, if anything was.
fn heard(events: &Object) -> Result<Option<Event>, TransformError> {
    /// `MF_EVENT_FLAG_NO_WAIT`
    const NO_WAIT: u32 = 1;
    /// `MEError`
    const ERROR: u32 = 1;
    type Get = unsafe extern "system" fn(*mut c_void, u32, *mut *mut c_void) -> HRESULT;
    // SAFETY: the interface was asked for, and the answer has room.
    let event = Object::from_call(|to| unsafe {
        let get: Get = events.method(place::GET_EVENT);
        get(events.pointer(), NO_WAIT, to)
    });
    let event = match event {
        Ok(event) => event,
        Err(NO_EVENT) => return Ok(None),
        Err(code) => return Err(failed("IMFMediaEventGenerator::GetEvent")(code)),
    };
    let (mut kind, mut status) = (0_u32, 0);
    // SAFETY: every event has both methods, and the answers have room.
    let answers = unsafe {
        let get: unsafe extern "system" fn(*mut c_void, *mut u32) -> HRESULT =
            event.method(place::EVENT_TYPE);
        let get_status: unsafe extern "system" fn(*mut c_void, *mut HRESULT) -> HRESULT =
            event.method(place::EVENT_STATUS);
        [
            get(event.pointer(), &raw mut kind),
            get_status(event.pointer(), &raw mut status),
        ]
    };
    for answer in answers {
        TransformError::check("IMFMediaEvent::GetType", answer)?;
    }
    TransformError::check("the encoder", status)?;
    Ok(Some(match kind {
        ERROR => return Err(TransformError::Rules("says that it failed")),
        601 => Event::NeedInput,
        602 => Event::HaveOutput,
        603 => Event::DrainComplete,
        _ => Event::Other,
    }))
}

impl Transform for Encoder {
    type Picture = Picture;

    fn next_event(&mut self, wait: Duration) -> Result<Option<Event>, TransformError> {
        let events = match &mut self.voice {
            Voice::Turns(turns) => return Ok(turns.poll_event()),
            Voice::Events(events) => events,
        };
        let until = Instant::now() + wait;
        loop {
            if let Some(event) = heard(events)? {
                return Ok(Some(event));
            }
            if Instant::now() >= until {
                return Ok(None);
            }
            sleep(ASK_AGAIN);
        }
    }

    fn give(&mut self, picture: &Picture, number: u64, key: bool) -> Result<(), TransformError> {
        let bytes = nv12_len(picture);
        if picture.size() != self.size || bytes != self.size.area() * 3 / 2 {
            return Err(TransformError::Rules("was given a picture of another kind"));
        }
        // The first is a key frame anyway, and some refuse to be told so.
        if key && number > 1 {
            self.settings.set_u32(&FORCE_KEY, 1)?;
        }
        let time = number.cast_signed() * FRAME_TIME;
        let sample = Sample::of_picture(&self.library, bytes as u32, time, FRAME_TIME, |into| {
            write_nv12(picture, into);
        })?;
        // SAFETY: every transform has this method; it keeps a reference of its own to the sample.
        let answer = unsafe {
            let give: unsafe extern "system" fn(*mut c_void, u32, *mut c_void, u32) -> HRESULT =
                self.transform.method(place::INPUT);
            give(self.transform.pointer(), self.input, sample.0.pointer(), 0)
        };
        TransformError::check("IMFTransform::ProcessInput", answer)?;
        if let Voice::Turns(turns) = &mut self.voice {
            turns.handle_given();
        }
        Ok(())
    }

    fn take(&mut self) -> Result<Taken, TransformError> {
        type Take = unsafe extern "system" fn(
            *mut c_void,
            flags: u32,
            count: u32,
            *mut OutputBuffer,
            status: *mut u32,
        ) -> HRESULT;
        let ours = if self.provides {
            None
        } else {
            Some(Sample::with_room(&self.library, self.packet_bytes)?)
        };
        let mut buffer = OutputBuffer {
            stream: self.output,
            sample: ours.as_ref().map_or(null_mut(), |ours| ours.0.pointer()),
            status: 0,
            events: null_mut(),
        };
        let mut status = 0;
        // SAFETY: every transform has this method; there is one buffer, with a sample where the
        // transform brings none.
        let answer = unsafe {
            let take: Take = self.transform.method(place::OUTPUT);
            take(
                self.transform.pointer(),
                0,
                1,
                &raw mut buffer,
                &raw mut status,
            )
        };
        // SAFETY: what the transform put there is ours to release.
        drop(unsafe { Object::adopt(buffer.events) });
        let sample = match ours {
            Some(ours) => Some(ours),
            // SAFETY: what the transform put there is ours to release.
            None => unsafe { Object::adopt(buffer.sample) }.map(Sample),
        };
        match answer {
            STREAM_CHANGE => return Ok(Taken::StreamChanged),
            NEED_MORE => return Ok(Taken::Nothing),
            answer => TransformError::check("IMFTransform::ProcessOutput", answer)?,
        }
        let sample = sample.ok_or(TransformError::Rules("gives nothing"))?;
        let data = sample.bytes()?;
        let key = is_key(&data);
        if key && self.parameters.is_empty() {
            self.learn_parameters();
        }
        // The same time that its picture had, give or take what fractions lose on the way.
        let picture = (sample.time()?.max(0) + FRAME_TIME / 2) / FRAME_TIME;
        Ok(Taken::Packet {
            picture: picture.cast_unsigned(),
            key,
            data,
        })
    }

    fn accept_change(&mut self) -> Result<(), TransformError> {
        type Available =
            unsafe extern "system" fn(*mut c_void, u32, u32, *mut *mut c_void) -> HRESULT;
        // SAFETY: every transform has this method, and the answer has room.
        let wanted = Object::from_call(|to| unsafe {
            let get: Available = self.transform.method(place::OUTPUT_AVAILABLE);
            get(self.transform.pointer(), self.output, 0, to)
        });
        let wanted = wanted.map(Attributes);
        let wanted = wanted.map_err(failed("IMFTransform::GetOutputAvailableType"))?;
        let is_h264 = wanted.guid(&key::SUB).is_some_and(|sub| same(&sub, &H264));
        let size = u64::from(self.size.width()) << 32 | u64::from(self.size.height());
        if !is_h264 || wanted.u64(&key::SIZE).is_some_and(|other| other != size) {
            return Err(TransformError::Rules("makes something else"));
        }
        self.set_type(place::SET_OUTPUT, self.output, &wanted)?;
        self.learn_output()
    }

    fn parameters(&self) -> &[u8] {
        &self.parameters
    }

    fn set_rate(&mut self, bits_per_second: u32) -> Result<(), TransformError> {
        self.settings.set_u32(&MEAN_RATE, bits_per_second)
    }

    fn end(&mut self) {
        // What it still has nobody waits for. One that fails at that is gone anyway.
        for message in [message::FLUSH, message::END_OF_STREAM, message::END] {
            let _gone = self.tell(message);
        }
        if let (Voice::Events(_), Ok(shutdown)) = (&self.voice, self.transform.query(&SHUTDOWN)) {
            // SAFETY: the interface was asked for.
            unsafe {
                let shut_down: unsafe extern "system" fn(*mut c_void) -> HRESULT =
                    shutdown.method(place::SHUT_DOWN);
                shut_down(shutdown.pointer());
            }
        }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }
}

/// Identifiers of windows-sys cannot be compared.
pub(super) const fn same(one: &GUID, other: &GUID) -> bool {
    one.data1 == other.data1
        && one.data2 == other.data2
        && one.data3 == other.data3
        && u64::from_ne_bytes(one.data4) == u64::from_ne_bytes(other.data4)
}
