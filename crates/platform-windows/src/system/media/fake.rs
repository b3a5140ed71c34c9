//! An encoder of our own as Media Foundation would give it, so that the calls are really made
//! where there is none: its objects, samples and events are those of the system's own library.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};

use windows_sys::core::{GUID, HRESULT};

use super::attributes::Attributes;
use super::encoder::{
    ASYNC, ASYNC_UNLOCK, EVENTS, NEED_MORE, OutputBuffer, OutputInfo, PARAMETERS, SIZE,
    STREAM_CHANGE, SUB, TRANSFORM, same,
};
use super::library::{H264, Library, function};
use super::samples::Sample;
use super::settings::{FORCE_KEY, MEAN_RATE};
use crate::system::com::Object;

const UNKNOWN: GUID = GUID::from_u128(0x0000_0000_0000_0000_c000_0000_0000_0046);
const CODEC_API: GUID = GUID::from_u128(0x901d_b4c7_31ce_41a2_85dc_8fa0_bf41_b8da);

const OK: HRESULT = 0;
const NOT_IMPLEMENTED: HRESULT = 0x8000_4001_u32.cast_signed();
const NO_INTERFACE: HRESULT = 0x8000_4002_u32.cast_signed();
/// `DXGI_ERROR_DEVICE_REMOVED`
const REMOVED: HRESULT = 0x887a_0005_u32.cast_signed();
/// `MF_E_TRANSFORM_ASYNC_LOCKED`
const LOCKED: HRESULT = 0xc00d_6d77_u32.cast_signed();

const NEED_INPUT: u32 = 601;
const HAVE_OUTPUT: u32 = 602;

/// Constrained baseline of 1280x720, with its picture's parameters.
pub(super) const STREAM: [u8; 36] = [
    0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0xda, 0x01, 0x40, 0x16, 0xec, 0x04, 0x40, 0, 0, 3, 0, 0x40,
    0, 0, 0x0c, 0x83, 0xc6, 0x0c, 0xa8, 0x80, 0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80,
];
const KEY: [u8; 6] = [0, 0, 0, 1, 0x65, 0x88];
const DELTA: [u8; 6] = [0, 0, 0, 1, 0x41, 0x9a];

/// What it does otherwise than the simplest one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a manner of its own, and tests mix them"
)]
pub(super) struct Manners {
    /// It works while it is called, and says nothing.
    pub(super) in_turns: bool,
    /// The memory of its packets is the caller's.
    pub(super) takes_memory: bool,
    /// What its stream is stands beside the stream.
    pub(super) says_beside: bool,
    /// It changes its stream over the first picture, to another width by this.
    pub(super) changes_by: Option<u32>,
    /// Its device is gone at this picture.
    pub(super) is_lost_at: Option<usize>,
    /// It takes no rate but the first.
    pub(super) has_one_rate: bool,
    /// It announces a packet that it does not have before each that it has.
    pub(super) announces_nothing: bool,
}

/// What it was told.
#[derive(Default)]
pub(super) struct State {
    pub(super) rates: Vec<u32>,
    /// The last byte of each picture, and its bytes.
    pub(super) pictures: Vec<(u8, usize)>,
    pub(super) messages: Vec<i32>,
    wants_key: bool,
    has_changed: bool,
    has_announced: bool,
    waiting: Option<i64>,
    output: Option<Object>,
}

#[repr(C)]
pub(super) struct Fake {
    tables: [*const *const c_void; 3],
    references: AtomicU32,
    manners: Manners,
    state: Mutex<State>,
    library: Library,
    attributes: Attributes,
    /// `IMFMediaEventQueue`
    queue: Object,
}

/// Which of its tables an interface is.
const AS_TRANSFORM: usize = 0;
const AS_EVENTS: usize = 1;
const AS_SETTINGS: usize = 2;

/// The fake, and a reference to it that lives as long as the test.
pub(super) struct Owner(*mut Fake);

impl Owner {
    pub(super) fn new(manners: Manners) -> Self {
        type CreateAttributes = unsafe extern "system" fn(*mut *mut c_void, u32) -> HRESULT;
        type CreateQueue = unsafe extern "system" fn(*mut *mut c_void) -> HRESULT;
        let library = Library::open().expect("Media Foundation");
        // SAFETY: the documented signatures, and both answers have room.
        let (attributes, queue) = unsafe {
            let create: CreateAttributes =
                function("mfplat.dll", c"MFCreateAttributes").expect("it is there");
            let create_queue: CreateQueue =
                function("mfplat.dll", c"MFCreateEventQueue").expect("it is there");
            (
                Object::from_call(|to| create(to, 4)).expect("attributes"),
                Object::from_call(|to| create_queue(to)).expect("a queue"),
            )
        };
        let attributes = Attributes(attributes);
        if !manners.in_turns {
            attributes.set_u32(&ASYNC, 1).expect("set");
        }
        Self(Box::into_raw(Box::new(Fake {
            tables: [transform_table(), events_table(), settings_table()],
            references: AtomicU32::new(1),
            manners,
            state: Mutex::default(),
            library,
            attributes,
            queue,
        })))
    }

    /// Another reference, as the code under test gets it.
    pub(super) fn object(&self) -> Object {
        // SAFETY: it lives, and the new reference is given away.
        unsafe {
            add_ref::<AS_TRANSFORM>(self.0.cast());
            Object::adopt(self.0.cast()).expect("no null")
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // SAFETY: it lives as long as this.
        unsafe { &*self.0 }.state.lock().expect("a lock")
    }

    /// References beside this one.
    pub(super) fn others(&self) -> u32 {
        // SAFETY: it lives as long as this.
        unsafe { &*self.0 }.references.load(Ordering::SeqCst) - 1
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // SAFETY: this is a reference of its own.
        unsafe { release::<AS_TRANSFORM>(self.0.cast()) };
    }
}

/// # Safety
/// `this` is the fake by the interface of that table.
unsafe fn fake<'a, const TABLE: usize>(this: *mut c_void) -> &'a Fake {
    // SAFETY: the pointers to the tables stand one behind the other at its beginning.
    unsafe { &*this.cast::<*const c_void>().sub(TABLE).cast::<Fake>() }
}

unsafe extern "system" fn query<const TABLE: usize>(
    this: *mut c_void,
    wanted: *const GUID,
    to: *mut *mut c_void,
) -> HRESULT {
    // SAFETY: Media Foundation and the code under test keep to COM's rules.
    unsafe {
        let wanted = &*wanted;
        let found = fake::<TABLE>(this);
        let has_events = !found.manners.in_turns;
        let table = if same(wanted, &TRANSFORM) || same(wanted, &UNKNOWN) {
            AS_TRANSFORM
        } else if same(wanted, &EVENTS) && has_events {
            AS_EVENTS
        } else if same(wanted, &CODEC_API) {
            AS_SETTINGS
        } else {
            *to = null_mut();
            return NO_INTERFACE;
        };
        add_ref::<TABLE>(this);
        *to = this.cast::<*const c_void>().sub(TABLE).add(table).cast();
    }
    OK
}

unsafe extern "system" fn add_ref<const TABLE: usize>(this: *mut c_void) -> u32 {
    // SAFETY: a method is called on an object that lives.
    let found = unsafe { fake::<TABLE>(this) };
    found.references.fetch_add(1, Ordering::SeqCst) + 1
}

unsafe extern "system" fn release<const TABLE: usize>(this: *mut c_void) -> u32 {
    // SAFETY: a method is called on an object that lives.
    let found = unsafe { fake::<TABLE>(this) };
    let left = found.references.fetch_sub(1, Ordering::SeqCst) - 1;
    if left == 0 {
        // SAFETY: it was made by `Box`, and this was the last reference.
        drop(unsafe { Box::from_raw(std::ptr::from_ref(found).cast_mut()) });
    }
    left
}

unsafe extern "system" fn not_implemented() -> HRESULT {
    NOT_IMPLEMENTED
}

fn table<const PLACES: usize>(
    base: [*const c_void; 3],
    methods: &[(usize, *const c_void)],
) -> *const *const c_void {
    let mut table = [not_implemented as *const c_void; PLACES];
    table[..3].copy_from_slice(&base);
    for &(place, method) in methods {
        table[place] = method;
    }
    Box::leak(Box::new(table)).as_ptr()
}

fn base<const TABLE: usize>() -> [*const c_void; 3] {
    [
        query::<TABLE> as *const c_void,
        add_ref::<TABLE> as *const c_void,
        release::<TABLE> as *const c_void,
    ]
}

fn transform_table() -> *const *const c_void {
    table::<26>(
        base::<AS_TRANSFORM>(),
        &[
            (5, stream_ids as *const c_void),
            (7, output_info as *const c_void),
            (8, attributes as *const c_void),
            (14, output_available as *const c_void),
            (15, set_input as *const c_void),
            (16, set_output as *const c_void),
            (18, output_now as *const c_void),
            (23, message as *const c_void),
            (24, input as *const c_void),
            (25, output as *const c_void),
        ],
    )
}

fn events_table() -> *const *const c_void {
    table::<7>(base::<AS_EVENTS>(), &[(3, get_event as *const c_void)])
}

fn settings_table() -> *const *const c_void {
    table::<18>(base::<AS_SETTINGS>(), &[(9, set_value as *const c_void)])
}

impl Fake {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("a lock")
    }

    fn says(&self, kind: u32) {
        type QueueEvent = unsafe extern "system" fn(
            *mut c_void,
            u32,
            *const GUID,
            HRESULT,
            *const c_void,
        ) -> HRESULT;
        if self.manners.in_turns {
            return;
        }
        let nothing = GUID::from_u128(0);
        // SAFETY: a queue has this method, at this place; there is no value.
        let answer = unsafe {
            let queue: QueueEvent = self.queue.method(7);
            queue(
                self.queue.pointer(),
                kind,
                &raw const nothing,
                OK,
                null_mut(),
            )
        };
        assert_eq!(answer, OK);
    }

    fn is_locked(&self) -> bool {
        !self.manners.in_turns && self.attributes.u32(&ASYNC_UNLOCK) != Some(1)
    }
}

/// One more reference for whoever asked.
unsafe fn give(object: &Object, to: *mut *mut c_void) -> HRESULT {
    let other = object.clone();
    // SAFETY: the answer has room.
    unsafe { *to = other.pointer() };
    std::mem::forget(other);
    OK
}

unsafe extern "system" fn stream_ids(
    _this: *mut c_void,
    _inputs: u32,
    _input: *mut u32,
    _outputs: u32,
    _output: *mut u32,
) -> HRESULT {
    NOT_IMPLEMENTED
}

unsafe extern "system" fn output_info(
    this: *mut c_void,
    stream: u32,
    to: *mut OutputInfo,
) -> HRESULT {
    assert_eq!(stream, 0);
    // SAFETY: `this` is the fake, and the answer has room.
    unsafe {
        (*to).flags = if fake::<AS_TRANSFORM>(this).manners.takes_memory {
            0
        } else {
            0x100
        };
        (*to).bytes = 1_000;
    }
    OK
}

unsafe extern "system" fn attributes(this: *mut c_void, to: *mut *mut c_void) -> HRESULT {
    // SAFETY: `this` is the fake, and the answer has room.
    unsafe { give(&fake::<AS_TRANSFORM>(this).attributes.0, to) }
}

unsafe extern "system" fn output_available(
    this: *mut c_void,
    _stream: u32,
    _index: u32,
    to: *mut *mut c_void,
) -> HRESULT {
    // SAFETY: `this` is the fake, and the answer has room.
    unsafe {
        let found = fake::<AS_TRANSFORM>(this);
        let wider = found.manners.changes_by.unwrap_or(0);
        let video = found.library.media_type().expect("a type");
        video.set_guid(&SUB, &H264).expect("set");
        video.set_pair(&SIZE, 1_280 + wider, 720).expect("set");
        give(&video.0, to)
    }
}

unsafe extern "system" fn set_input(
    this: *mut c_void,
    _stream: u32,
    _video: *mut c_void,
    _flags: u32,
) -> HRESULT {
    // SAFETY: `this` is the fake.
    let found = unsafe { fake::<AS_TRANSFORM>(this) };
    if found.is_locked() {
        return LOCKED;
    }
    assert!(found.state().output.is_some(), "the output comes first");
    OK
}

unsafe extern "system" fn set_output(
    this: *mut c_void,
    _stream: u32,
    video: *mut c_void,
    _flags: u32,
) -> HRESULT {
    // SAFETY: `this` is the fake; the type is another's, and is kept with a reference of our own.
    unsafe {
        let found = fake::<AS_TRANSFORM>(this);
        if found.is_locked() {
            return LOCKED;
        }
        let theirs = std::mem::ManuallyDrop::new(Object::adopt(video).expect("a type"));
        let kept = Attributes((*theirs).clone());
        assert!(same(&kept.guid(&SUB).expect("a format"), &H264));
        if found.manners.says_beside {
            type SetBlob =
                unsafe extern "system" fn(*mut c_void, *const GUID, *const u8, u32) -> HRESULT;
            let set: SetBlob = kept.0.method(26);
            set(
                kept.0.pointer(),
                &PARAMETERS,
                STREAM.as_ptr(),
                STREAM.len() as u32,
            );
        }
        found.state().output = Some(kept.0);
    }
    OK
}

unsafe extern "system" fn output_now(
    this: *mut c_void,
    _stream: u32,
    to: *mut *mut c_void,
) -> HRESULT {
    // SAFETY: `this` is the fake, and the answer has room.
    unsafe {
        match &fake::<AS_TRANSFORM>(this).state().output {
            Some(output) => give(output, to),
            None => NOT_IMPLEMENTED,
        }
    }
}

unsafe extern "system" fn message(this: *mut c_void, message: i32, _argument: usize) -> HRESULT {
    /// `MFT_MESSAGE_NOTIFY_START_OF_STREAM`
    const START: i32 = 0x1000_0003;
    // SAFETY: `this` is the fake.
    let found = unsafe { fake::<AS_TRANSFORM>(this) };
    found.state().messages.push(message);
    if message == START {
        found.says(NEED_INPUT);
    }
    OK
}

unsafe extern "system" fn input(
    this: *mut c_void,
    _stream: u32,
    sample: *mut c_void,
    _flags: u32,
) -> HRESULT {
    // SAFETY: `this` is the fake; the sample is another's, and only looked at.
    let (found, sample) = unsafe {
        let theirs = std::mem::ManuallyDrop::new(Object::adopt(sample).expect("a sample"));
        (fake::<AS_TRANSFORM>(this), Sample((*theirs).clone()))
    };
    let mut state = found.state();
    if found.manners.is_lost_at == Some(state.pictures.len()) {
        return REMOVED;
    }
    let bytes = sample.bytes().expect("a picture");
    state.pictures.push((bytes[bytes.len() - 1], bytes.len()));
    state.wants_key |= state.pictures.len() == 1;
    state.waiting = Some(sample.time().expect("a time"));
    state.has_announced = false;
    drop(state);
    if found.manners.announces_nothing {
        found.says(HAVE_OUTPUT);
    }
    found.says(HAVE_OUTPUT);
    found.says(NEED_INPUT);
    OK
}

unsafe extern "system" fn output(
    this: *mut c_void,
    _flags: u32,
    count: u32,
    buffer: *mut OutputBuffer,
    _status: *mut u32,
) -> HRESULT {
    assert_eq!(count, 1);
    // SAFETY: `this` is the fake, and there is one buffer.
    let (found, buffer) = unsafe { (fake::<AS_TRANSFORM>(this), &mut *buffer) };
    let mut state = found.state();
    if found.manners.changes_by.is_some() && !state.has_changed {
        state.has_changed = true;
        return STREAM_CHANGE;
    }
    if found.manners.announces_nothing && !state.has_announced {
        state.has_announced = true;
        return NEED_MORE;
    }
    let Some(time) = state.waiting.take() else {
        return NEED_MORE;
    };
    let mut packet = vec![];
    if std::mem::take(&mut state.wants_key) {
        if !found.manners.says_beside {
            packet.extend_from_slice(&STREAM);
        }
        packet.extend_from_slice(&KEY);
    } else {
        packet.extend_from_slice(&DELTA);
    }
    drop(state);
    let length = packet.len() as u32;
    let write = |into: &mut [u8]| into.copy_from_slice(&packet);
    let made = Sample::of_picture(&found.library, length, time, 1, write).expect("a sample");
    if !found.manners.takes_memory {
        assert!(buffer.sample.is_null());
        buffer.sample = made.0.pointer();
        std::mem::forget(made.0);
        return OK;
    }
    // SAFETY: the sample is another's, and lives. CopyToBuffer and SetSampleTime stand at these
    // places.
    unsafe {
        type Method = unsafe extern "system" fn(*mut c_void, *mut c_void) -> HRESULT;
        let object = Object::adopt(buffer.sample).expect("the caller's memory");
        let theirs = std::mem::ManuallyDrop::new(object);
        let place = Object::from_call(|to| {
            let one: unsafe extern "system" fn(*mut c_void, *mut *mut c_void) -> HRESULT =
                theirs.method(41);
            one(theirs.pointer(), to)
        });
        let copy: Method = made.0.method(46);
        assert_eq!(
            copy(made.0.pointer(), place.expect("a buffer").pointer()),
            OK
        );
        let set_time: unsafe extern "system" fn(*mut c_void, i64) -> HRESULT = theirs.method(36);
        set_time(theirs.pointer(), time)
    }
}

unsafe extern "system" fn get_event(
    this: *mut c_void,
    flags: u32,
    to: *mut *mut c_void,
) -> HRESULT {
    type Get = unsafe extern "system" fn(*mut c_void, u32, *mut *mut c_void) -> HRESULT;
    // SAFETY: `this` is the fake; a queue has this method, at this place.
    unsafe {
        let queue = &fake::<AS_EVENTS>(this).queue;
        let get: Get = queue.method(3);
        get(queue.pointer(), flags, to)
    }
}

/// The beginning of a `VARIANT`.
#[repr(C)]
struct Value {
    kind: u16,
    reserved: [u16; 3],
    number: u32,
}

unsafe extern "system" fn set_value(
    this: *mut c_void,
    key: *const GUID,
    value: *const Value,
) -> HRESULT {
    // SAFETY: `this` is the fake; both arguments are there.
    let (found, key, value) = unsafe { (fake::<AS_SETTINGS>(this), &*key, &*value) };
    let mut state = found.state();
    if same(key, &MEAN_RATE) {
        assert_eq!(value.kind, 19);
        if found.manners.has_one_rate && !state.rates.is_empty() {
            return NOT_IMPLEMENTED;
        }
        state.rates.push(value.number);
        return OK;
    }
    if same(key, &FORCE_KEY) {
        state.wants_key = true;
        return OK;
    }
    // As some vendors do with what they do not know.
    NOT_IMPLEMENTED
}
