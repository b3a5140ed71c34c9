//! Direct3D 11: the device that outputs are duplicated on, and textures that the processor reads.

use std::ffi::c_void;
use std::mem::transmute;
use std::ptr::{null, null_mut};
use std::sync::OnceLock;

use gc_codec::{BYTES_PER_PIXEL, FrameView};
use gc_model::geometry::{Rect, Size};
use windows_sys::Win32::Foundation::HMODULE;
use windows_sys::core::{GUID, HRESULT};

use super::com::Object;
use super::os::{Function, system_function};
use crate::duplication::Fault;

/// The interface of textures.
pub(super) const TEXTURE: GUID = GUID::from_u128(0x6f15_aaf2_d208_4e89_9ab4_4895_35d3_4f9c);

/// `DXGI_FORMAT_B8G8R8A8_UNORM`, which duplicated outputs always have.
const BGRA: i32 = 87;

/// Places of the methods in their tables, behind those that every object has.
mod place {
    pub(super) const DEVICE_CREATE_TEXTURE: usize = 5;
    pub(super) const TEXTURE_GET_DESC: usize = 10;
    pub(super) const CONTEXT_MAP: usize = 14;
    pub(super) const CONTEXT_UNMAP: usize = 15;
    pub(super) const CONTEXT_COPY_REGION: usize = 46;
}

/// `D3D11_TEXTURE2D_DESC`
#[repr(C)]
#[derive(Default)]
struct TextureDesc {
    width: u32,
    height: u32,
    mip_levels: u32,
    array_size: u32,
    format: i32,
    samples: [u32; 2],
    usage: i32,
    bind_flags: u32,
    processor_access: u32,
    other_flags: u32,
}

/// `D3D11_BOX`
#[repr(C)]
struct Cuboid {
    left: u32,
    top: u32,
    front: u32,
    right: u32,
    bottom: u32,
    back: u32,
}

/// `D3D11_MAPPED_SUBRESOURCE`
#[repr(C)]
struct Mapped {
    data: *mut c_void,
    row_pitch: u32,
    depth_pitch: u32,
}

type CreateDevice = unsafe extern "system" fn(
    adapter: *mut c_void,
    driver: i32,
    software: HMODULE,
    flags: u32,
    levels: *const i32,
    level_count: u32,
    sdk_version: u32,
    device: *mut *mut c_void,
    level: *mut i32,
    context: *mut *mut c_void,
) -> HRESULT;

/// An object that a call answers with.
pub(super) fn object(call: impl FnOnce(*mut *mut c_void) -> HRESULT) -> Result<Object, Fault> {
    Object::from_call(call).map_err(Fault::from_code)
}

/// An adapter's Direct3D device and the context that its commands go through.
#[derive(Clone)]
pub(super) struct Device {
    device: Object,
    context: Object,
}

impl Device {
    pub(super) fn new(adapter: &Object) -> Result<Self, Fault> {
        /// `D3D_DRIVER_TYPE_UNKNOWN`: that of the adapter.
        const OF_THE_ADAPTER: i32 = 0;
        const SDK_VERSION: u32 = 7;
        static CREATE: OnceLock<Option<Function>> = OnceLock::new();
        let function = (*CREATE.get_or_init(|| system_function("d3d11.dll", c"D3D11CreateDevice")))
            .ok_or(Fault::NotImplemented)?;
        // SAFETY: the documented signature of D3D11CreateDevice.
        let create = unsafe { transmute::<Function, CreateDevice>(function) };
        let mut context = null_mut();
        // SAFETY: the adapter lives; what may be absent is; the answers have room.
        let device = object(|device| unsafe {
            create(
                adapter.pointer(),
                OF_THE_ADAPTER,
                null_mut(),
                0,
                null(),
                0,
                SDK_VERSION,
                device,
                null_mut(),
                &raw mut context,
            )
        })?;
        let context = object(|found| {
            // SAFETY: the answer has room.
            unsafe { *found = context };
            0
        })?;
        Ok(Self { device, context })
    }

    /// The device, for calls. Valid while this lives.
    pub(super) const fn pointer(&self) -> *mut c_void {
        self.device.pointer()
    }

    /// Reads a texture that was made readable.
    pub(super) fn read<'a>(&'a self, texture: &'a Object) -> Result<Reading<'a>, Fault> {
        Reading::new(&self.context, texture)
    }

    /// A texture that the processor can read.
    pub(super) fn readable_texture(&self, size: Size) -> Result<Object, Fault> {
        /// `D3D11_USAGE_STAGING`
        const STAGING: i32 = 3;
        /// `D3D11_CPU_ACCESS_READ`
        const READ: u32 = 0x2_0000;
        type CreateTexture = unsafe extern "system" fn(
            *mut c_void,
            *const TextureDesc,
            *const c_void,
            *mut *mut c_void,
        ) -> HRESULT;
        let desc = TextureDesc {
            width: size.width(),
            height: size.height(),
            mip_levels: 1,
            array_size: 1,
            format: BGRA,
            samples: [1, 0],
            usage: STAGING,
            bind_flags: 0,
            processor_access: READ,
            other_flags: 0,
        };
        // SAFETY: every device has this method; no first content is given.
        object(|found| unsafe {
            let create: CreateTexture = self.device.method(place::DEVICE_CREATE_TEXTURE);
            create(self.device.pointer(), &raw const desc, null(), found)
        })
    }

    /// Copies an area to the same place of a texture of the same size.
    pub(super) fn copy(&self, from: &Object, to: &Object, area: Rect) {
        type CopyRegion = unsafe extern "system" fn(
            *mut c_void,
            to: *mut c_void,
            to_part: u32,
            x: u32,
            y: u32,
            z: u32,
            from: *mut c_void,
            from_part: u32,
            area: *const Cuboid,
        );
        let cuboid = Cuboid {
            left: area.x,
            top: area.y,
            front: 0,
            right: area.right(),
            bottom: area.bottom(),
            back: 1,
        };
        // SAFETY: every context has this method; both textures live, and have the same size.
        unsafe {
            let copy: CopyRegion = self.context.method(place::CONTEXT_COPY_REGION);
            copy(
                self.context.pointer(),
                to.pointer(),
                0,
                area.x,
                area.y,
                0,
                from.pointer(),
                0,
                &raw const cuboid,
            );
        }
    }
}

/// True for a texture that can be copied to one of ours of that size.
pub(super) fn is_picture_of(texture: &Object, size: Size) -> bool {
    let mut desc = TextureDesc::default();
    // SAFETY: every texture has this method, and the structure is the one that it fills.
    unsafe {
        let get: unsafe extern "system" fn(*mut c_void, *mut TextureDesc) =
            texture.method(place::TEXTURE_GET_DESC);
        get(texture.pointer(), &raw mut desc);
    }
    (desc.width, desc.height, desc.format) == (size.width(), size.height(), BGRA)
}

/// A texture while the processor may read it.
pub(super) struct Reading<'a> {
    context: &'a Object,
    texture: &'a Object,
    mapped: Mapped,
}

impl<'a> Reading<'a> {
    fn new(context: &'a Object, texture: &'a Object) -> Result<Self, Fault> {
        /// `D3D11_MAP_READ`
        const READ: i32 = 1;
        type Map = unsafe extern "system" fn(
            *mut c_void,
            *mut c_void,
            part: u32,
            kind: i32,
            flags: u32,
            *mut Mapped,
        ) -> HRESULT;
        let mut mapped = Mapped {
            data: null_mut(),
            row_pitch: 0,
            depth_pitch: 0,
        };
        // SAFETY: every context has this method; the texture lives and is readable.
        let answer = unsafe {
            let map: Map = context.method(place::CONTEXT_MAP);
            map(
                context.pointer(),
                texture.pointer(),
                0,
                READ,
                0,
                &raw mut mapped,
            )
        };
        if answer < 0 || mapped.data.is_null() {
            return Err(Fault::from_code(answer));
        }
        Ok(Self {
            context,
            texture,
            mapped,
        })
    }

    /// What is in it, where it is of that size.
    pub(super) fn view(&self, size: Size) -> Option<FrameView<'_>> {
        let stride = self.mapped.row_pitch as usize;
        let row = size.width() as usize * BYTES_PER_PIXEL;
        let bytes = stride * (size.height() as usize - 1) + row;
        // SAFETY: Direct3D maps all rows of the texture, `row_pitch` bytes apart, until Unmap.
        let data = unsafe { std::slice::from_raw_parts(self.mapped.data.cast::<u8>(), bytes) };
        FrameView::new(size, stride, data)
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        // SAFETY: every context has this method; the texture is mapped.
        unsafe {
            let unmap: unsafe extern "system" fn(*mut c_void, *mut c_void, u32) =
                self.context.method(place::CONTEXT_UNMAP);
            unmap(self.context.pointer(), self.texture.pointer(), 0);
        }
    }
}
