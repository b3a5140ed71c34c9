//! Which graphics cards and drivers there are, to know when one of them is another.
//! <https://learn.microsoft.com/windows/win32/api/dxgi/nf-dxgi-idxgiadapter-checkinterfacesupport>

use std::ffi::c_void;
use std::fmt::Write as _;

use windows_sys::core::{GUID, HRESULT};

use super::com::Object;
use super::dxgi::adapters;
use super::os::Version;

/// The interface of Direct3D 10 and later, by which the version of its driver is asked for.
const DEVICE: GUID = GUID::from_u128(0x54ec_77fa_1377_44e6_8c32_88fd_5f44_c84c);

/// Places of an adapter's methods in its table.
mod place {
    pub(super) const DESCRIPTION: usize = 8;
    pub(super) const DRIVER: usize = 9;
}

/// `DXGI_ADAPTER_DESC`
#[repr(C)]
struct Description {
    name: [u16; 128],
    vendor: u32,
    device: u32,
    system: u32,
    revision: u32,
    memory: [usize; 3],
    luid: [u32; 2],
}

/// System, cards and drivers in one line, like
/// `Windows 10.0.19045; 8086:9a49:0a201028:1 driver 31.0.101.4502`.
pub(crate) fn description() -> String {
    let Version {
        major,
        minor,
        build,
    } = Version::current();
    let mut all = format!("Windows {major}.{minor}.{build}");
    for adapter in adapters().unwrap_or_default() {
        if let Some(card) = card(&adapter) {
            let _never_fails = write!(all, "; {card}");
        }
    }
    all
}

fn card(adapter: &Object) -> Option<String> {
    let mut about = Description {
        name: [0; 128],
        vendor: 0,
        device: 0,
        system: 0,
        revision: 0,
        memory: [0; 3],
        luid: [0; 2],
    };
    // SAFETY: every adapter has this method, and the structure is the one that it fills.
    let answer = unsafe {
        let get: unsafe extern "system" fn(*mut c_void, *mut Description) -> HRESULT =
            adapter.method(place::DESCRIPTION);
        get(adapter.pointer(), &raw mut about)
    };
    if answer < 0 {
        return None;
    }
    let Description {
        vendor,
        device,
        system,
        revision,
        ..
    } = about;
    let mut card = format!("{vendor:04x}:{device:04x}:{system:08x}:{revision:x}");
    let mut driver = 0_i64;
    // SAFETY: every adapter has this method; it reads the one and fills the other.
    let answer = unsafe {
        let get: unsafe extern "system" fn(*mut c_void, *const GUID, *mut i64) -> HRESULT =
            adapter.method(place::DRIVER);
        get(adapter.pointer(), &DEVICE, &raw mut driver)
    };
    if answer >= 0 {
        let [a, b, c, d] = [48, 32, 16, 0].map(|shift| (driver >> shift) & 0xffff);
        let _never_fails = write!(card, " driver {a}.{b}.{c}.{d}");
    }
    Some(card)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_the_same_when_it_is_asked_again() {
        let first = description();

        assert!(first.starts_with("Windows "), "{first}");
        assert_eq!(description(), first);
    }
}
