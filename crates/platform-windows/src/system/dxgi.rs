//! The calls of DXGI and Direct3D 11 by which Windows 8 and later hand over what a monitor
//! shows. Both libraries are looked up when the program runs.
//! <https://learn.microsoft.com/windows/win32/direct3ddxgi/desktop-dup-api>

use std::ffi::c_void;
use std::mem::{size_of, transmute};
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use gc_codec::FrameView;
use gc_model::geometry::{Rect, Size};
use windows_sys::Win32::Foundation::{POINT, RECT};
use windows_sys::core::{BOOL, GUID, HRESULT};

use super::com::Object;
use super::direct3d::{Device, TEXTURE, is_picture_of, object};
use super::os::{Function, system_function};
use crate::duplication::{Fault, News, Output, Pixels, Place, Reported, Rotation};

const FACTORY: GUID = GUID::from_u128(0x770a_ae78_f26f_4dba_a829_253c_83d1_b387);
const OUTPUT_1: GUID = GUID::from_u128(0x00cd_dea8_939b_4b83_a340_a685_2266_66cc);

/// `DXGI_ERROR_WAIT_TIMEOUT`
const WAIT_TIMEOUT: HRESULT = 0x887a_0027_u32.cast_signed();

/// More adapters, or outputs of one, than any machine has.
const MOST_DEVICES: u32 = 16;

/// 256 KB: thousands of rectangles, which nobody would copy one by one.
const MOST_METADATA_BYTES: u32 = 256 * 1024;

/// Places of the methods in their tables: those of `IUnknown` come first, then those of
/// `IDXGIObject`, then each interface's own.
mod place {
    pub(super) const FACTORY_ENUM_ADAPTERS: usize = 12;
    pub(super) const ADAPTER_ENUM_OUTPUTS: usize = 7;
    pub(super) const OUTPUT_GET_DESC: usize = 7;
    pub(super) const OUTPUT_DUPLICATE: usize = 22;
    pub(super) const DUPLICATION_GET_DESC: usize = 7;
    pub(super) const DUPLICATION_ACQUIRE: usize = 8;
    pub(super) const DUPLICATION_DIRTY_RECTS: usize = 9;
    pub(super) const DUPLICATION_MOVE_RECTS: usize = 10;
    pub(super) const DUPLICATION_RELEASE: usize = 14;
}

/// `DXGI_OUTPUT_DESC`
#[repr(C)]
struct OutputDesc {
    device_name: [u16; 32],
    coordinates: RECT,
    attached: BOOL,
    rotation: i32,
    monitor: *mut c_void,
}

/// `DXGI_OUTDUPL_DESC`, of which `DXGI_MODE_DESC` is the beginning.
#[repr(C)]
#[derive(Default)]
struct DuplicationDesc {
    width: u32,
    height: u32,
    refresh_rate: [u32; 2],
    format: i32,
    scanlines: i32,
    scaling: i32,
    rotation: i32,
    in_system_memory: BOOL,
}

/// `DXGI_OUTDUPL_FRAME_INFO`
#[repr(C)]
#[derive(Default)]
struct FrameInfo {
    last_present_time: i64,
    last_mouse_update_time: i64,
    accumulated_frames: u32,
    rects_coalesced: BOOL,
    protected_content_masked_out: BOOL,
    pointer_position: POINT,
    pointer_visible: BOOL,
    metadata_bytes: u32,
    pointer_shape_bytes: u32,
}

/// `DXGI_OUTDUPL_MOVE_RECT`
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct MoveRect {
    source: POINT,
    destination: RECT,
}

type Enumerate = unsafe extern "system" fn(*mut c_void, u32, *mut *mut c_void) -> HRESULT;

type CreateFactory = unsafe extern "system" fn(*const GUID, *mut *mut c_void) -> HRESULT;

/// Set when this system turned out to have no duplication.
static MISSING: OnceLock<()> = OnceLock::new();

/// Begins to load what duplication needs, once in a process: display drivers may take a second
/// for that. True when it is done.
pub(crate) fn is_prepared() -> bool {
    static PREPARING: OnceLock<Option<JoinHandle<()>>> = OnceLock::new();
    let prepare = || {
        let tried = visit_outputs(|output, desc, device| {
            DuplicatedOutput::new(output, desc, device.clone()).map(drop)
        });
        // Whoever duplicates meets any other fault too, unless it is over by then.
        if tried == Err(Fault::NotImplemented) {
            MISSING.get_or_init(|| ());
        }
    };
    let preparing = PREPARING.get_or_init(|| {
        let thread = thread::Builder::new().name("drivers".to_owned());
        thread.spawn(prepare).ok()
    });
    preparing.as_ref().is_none_or(JoinHandle::is_finished)
}

/// Begins to duplicate every output that is a part of the desktop.
pub(crate) fn duplicate_all() -> Result<Vec<DuplicatedOutput>, Fault> {
    if MISSING.get().is_some() {
        return Err(Fault::NotImplemented);
    }
    let mut outputs = Vec::new();
    visit_outputs(|output, desc, device| {
        outputs.push(DuplicatedOutput::new(output, desc, device.clone())?);
        Ok(())
    })?;
    if outputs.is_empty() {
        return Err(Fault::Unsupported);
    }
    Ok(outputs)
}

/// Shows every output that is a part of the desktop, with a device of its adapter.
fn visit_outputs(
    mut visit: impl FnMut(&Object, &OutputDesc, &Device) -> Result<(), Fault>,
) -> Result<(), Fault> {
    for adapter in adapters()? {
        let mut device = None;
        for output in members(&adapter, place::ADAPTER_ENUM_OUTPUTS) {
            let Some(desc) = description(&output) else {
                continue;
            };
            // Windows 7 stops here.
            let output = output.query(&OUTPUT_1).map_err(Fault::from_code)?;
            let device = match &device {
                Some(device) => device,
                None => device.insert(Device::new(&adapter)?),
            };
            visit(&output, &desc, device)?;
        }
    }
    Ok(())
}

/// Every graphics card, or what the system has in the place of one.
pub(super) fn adapters() -> Result<Vec<Object>, Fault> {
    static CREATE_FACTORY: OnceLock<Option<Function>> = OnceLock::new();
    let function = (*CREATE_FACTORY
        .get_or_init(|| system_function("dxgi.dll", c"CreateDXGIFactory1")))
    .ok_or(Fault::NotImplemented)?;
    // SAFETY: the documented signature of CreateDXGIFactory1.
    let create = unsafe { transmute::<Function, CreateFactory>(function) };
    // SAFETY: the interface is one that factories have, and the answer has room.
    let factory = object(|found| unsafe { create(&FACTORY, found) })?;
    Ok(members(&factory, place::FACTORY_ENUM_ADAPTERS).collect())
}

/// All adapters of a factory, or all outputs of an adapter.
fn members(of: &Object, place: usize) -> impl Iterator<Item = Object> {
    // SAFETY: both methods have this signature, and the caller names the right one.
    let enumerate: Enumerate = unsafe { of.method(place) };
    (0..MOST_DEVICES).map_while(move |index| {
        // SAFETY: the object lives, and the answer has room.
        Object::from_call(|found| unsafe { enumerate(of.pointer(), index, found) }).ok()
    })
}

/// What an output says of itself; `None` when it is no part of the desktop.
fn description(output: &Object) -> Option<OutputDesc> {
    let mut desc = OutputDesc {
        device_name: [0; 32],
        coordinates: RECT::default(),
        attached: 0,
        rotation: 0,
        monitor: null_mut(),
    };
    // SAFETY: every output has this method, and the structure is the one that it fills.
    let answer = unsafe {
        let get: unsafe extern "system" fn(*mut c_void, *mut OutputDesc) -> HRESULT =
            output.method(place::OUTPUT_GET_DESC);
        get(output.pointer(), &raw mut desc)
    };
    (answer >= 0 && desc.attached != 0).then_some(desc)
}

/// One monitor, of which Windows says what is new.
pub(crate) struct DuplicatedOutput {
    duplication: Object,
    device: Device,
    place: Place,
    /// What the processor reads; made for the first picture.
    readable: Option<Object>,
    /// The surface that is held.
    held: Option<Object>,
}

impl DuplicatedOutput {
    fn new(output: &Object, desc: &OutputDesc, device: Device) -> Result<Self, Fault> {
        type Duplicate =
            unsafe extern "system" fn(*mut c_void, *mut c_void, *mut *mut c_void) -> HRESULT;
        // SAFETY: the caller asked for the interface that has this method; both objects live.
        let duplication = object(|found| unsafe {
            let duplicate: Duplicate = output.method(place::OUTPUT_DUPLICATE);
            duplicate(output.pointer(), device.pointer(), found)
        })?;
        let mut about = DuplicationDesc::default();
        // SAFETY: every duplication has this method, and the structure is the one that it fills.
        unsafe {
            let get: unsafe extern "system" fn(*mut c_void, *mut DuplicationDesc) =
                duplication.method(place::DUPLICATION_GET_DESC);
            get(duplication.pointer(), &raw mut about);
        }
        let rotation = match about.rotation {
            2 => Rotation::Quarter,
            3 => Rotation::Half,
            4 => Rotation::ThreeQuarters,
            _ => Rotation::None,
        };
        // The mode's size is the screen's, upright.
        let upright = Size::new(about.width, about.height).map_err(|_| Fault::Incomplete)?;
        Ok(Self {
            duplication,
            device,
            place: Place {
                left: desc.coordinates.left,
                top: desc.coordinates.top,
                surface: rotation.turned(upright),
                rotation,
            },
            readable: None,
            held: None,
        })
    }

    /// What is new on the surface that was just acquired.
    fn pixels(&self, info: &FrameInfo) -> Pixels {
        if info.last_present_time == 0 {
            return Pixels::None;
        }
        if info.metadata_bytes == 0 || info.metadata_bytes > MOST_METADATA_BYTES {
            return Pixels::Anywhere;
        }
        let (Some(moved), Some(painted)) = (
            self.rects::<MoveRect>(place::DUPLICATION_MOVE_RECTS, info.metadata_bytes),
            self.rects::<RECT>(place::DUPLICATION_DIRTY_RECTS, info.metadata_bytes),
        ) else {
            return Pixels::Anywhere;
        };
        let moved = moved.into_iter().map(|one| one.destination);
        Pixels::In(
            moved
                .chain(painted)
                .map(|rect| Reported {
                    left: rect.left,
                    top: rect.top,
                    right: rect.right,
                    bottom: rect.bottom,
                })
                .collect(),
        )
    }

    fn rects<T: Copy + Default>(&self, place: usize, most_bytes: u32) -> Option<Vec<T>> {
        type GetRects =
            unsafe extern "system" fn(*mut c_void, u32, *mut c_void, *mut u32) -> HRESULT;
        let mut rects = vec![T::default(); most_bytes as usize / size_of::<T>() + 1];
        let mut bytes = 0;
        // SAFETY: both methods have this signature, and `T` is what they write: numbers alone.
        // The buffer is at least as large as said.
        let answer = unsafe {
            let get: GetRects = self.duplication.method(place);
            get(
                self.duplication.pointer(),
                most_bytes,
                rects.as_mut_ptr().cast(),
                &raw mut bytes,
            )
        };
        rects.truncate(bytes as usize / size_of::<T>());
        (answer >= 0).then_some(rects)
    }
}

impl Output for DuplicatedOutput {
    fn place(&self) -> Place {
        self.place
    }

    fn acquire(&mut self, patience: Duration) -> Result<News, Fault> {
        type Acquire = unsafe extern "system" fn(
            *mut c_void,
            millis: u32,
            *mut FrameInfo,
            *mut *mut c_void,
        ) -> HRESULT;
        let millis = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
        let mut info = FrameInfo::default();
        // SAFETY: every duplication has this method, and both answers have room.
        let acquired = Object::from_call(|resource| unsafe {
            let acquire: Acquire = self.duplication.method(place::DUPLICATION_ACQUIRE);
            acquire(self.duplication.pointer(), millis, &raw mut info, resource)
        });
        let resource = match acquired {
            Ok(resource) => resource,
            Err(WAIT_TIMEOUT) => return Ok(News::default()),
            Err(code) => return Err(Fault::from_code(code)),
        };
        let pointer = (info.last_mouse_update_time != 0).then_some(info.pointer_visible != 0);
        let pixels = self.pixels(&info);
        self.held = Some(resource);
        if pixels == Pixels::None {
            self.release();
        }
        Ok(News { pixels, pointer })
    }

    fn read(&mut self, areas: &[Rect], paint: &mut dyn FnMut(&FrameView<'_>)) -> Result<(), Fault> {
        let held = self.held.as_ref().ok_or(Fault::Lost)?;
        let surface = held.query(&TEXTURE).map_err(Fault::from_code)?;
        if !is_picture_of(&surface, self.place.surface) {
            return Err(Fault::Lost);
        }
        if self.readable.is_none() {
            self.readable = Some(self.device.readable_texture(self.place.surface)?);
        }
        let readable = self.readable.as_ref().ok_or(Fault::Incomplete)?;
        for &area in areas {
            self.device.copy(&surface, readable, area);
        }
        let reading = self.device.read(readable)?;
        let view = reading.view(self.place.surface).ok_or(Fault::Incomplete)?;
        paint(&view);
        Ok(())
    }

    fn release(&mut self) {
        if self.held.take().is_some() {
            // SAFETY: every duplication has this method. It fails when the desktop was taken
            // away, which the next call of `acquire` says too.
            unsafe {
                let release: unsafe extern "system" fn(*mut c_void) -> HRESULT =
                    self.duplication.method(place::DUPLICATION_RELEASE);
                release(self.duplication.pointer());
            }
        }
    }
}

impl Drop for DuplicatedOutput {
    fn drop(&mut self) {
        self.release();
    }
}
