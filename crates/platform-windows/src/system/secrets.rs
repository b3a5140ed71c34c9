//! Secrets that only this machine can read again (DPAPI). Who on the machine may
//! read the file is the matter of its descriptor, not of this.

use std::io;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Cryptography::{
    CRYPT_INTEGER_BLOB, CRYPTPROTECT_LOCAL_MACHINE, CRYPTPROTECT_UI_FORBIDDEN, CryptProtectData,
    CryptUnprotectData,
};

use super::os::wide;

/// What a protected secret begins with. Without it the content is as it was written, by an
/// agent from before this protection.
const MARK: &[u8] = b"guruconnect protected 1\n";

/// Seen by administrators who look into the blob.
const DESCRIPTION: &str = "GuruConnect agent";

/// Protects a secret.
pub(crate) fn protect(secret: &[u8]) -> io::Result<Vec<u8>> {
    let description = wide(DESCRIPTION);
    let taken = blob(secret)?;
    let mut made = CRYPT_INTEGER_BLOB::default();
    // SAFETY: the secret and the description outlive the call; what is made is freed below.
    let done = unsafe {
        CryptProtectData(
            &raw const taken,
            description.as_ptr(),
            null(),
            null(),
            null(),
            CRYPTPROTECT_LOCAL_MACHINE | CRYPTPROTECT_UI_FORBIDDEN,
            &raw mut made,
        )
    };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    let mut kept = MARK.to_vec();
    kept.extend(take(made));
    Ok(kept)
}

/// The secret again.
pub(crate) fn unprotect(kept: &[u8]) -> io::Result<Vec<u8>> {
    let Some(protected) = kept.strip_prefix(MARK) else {
        return Ok(kept.to_vec());
    };
    let taken = blob(protected)?;
    let mut made = CRYPT_INTEGER_BLOB::default();
    // SAFETY: what is protected outlives the call; what is made is freed below.
    let done = unsafe {
        CryptUnprotectData(
            &raw const taken,
            null_mut(),
            null(),
            null(),
            null(),
            CRYPTPROTECT_UI_FORBIDDEN,
            &raw mut made,
        )
    };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(take(made))
}

/// True for what [`protect`] made.
pub(crate) fn is_protected(kept: &[u8]) -> bool {
    kept.starts_with(MARK)
}

fn blob(bytes: &[u8]) -> io::Result<CRYPT_INTEGER_BLOB> {
    Ok(CRYPT_INTEGER_BLOB {
        cbData: u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::FileTooLarge)?,
        // Windows only reads it.
        pbData: bytes.as_ptr().cast_mut(),
    })
}

/// A copy of what Windows made, which is wiped and freed.
fn take(made: CRYPT_INTEGER_BLOB) -> Vec<u8> {
    // SAFETY: Windows made that many bytes, which nobody else uses and which are freed once.
    unsafe {
        let bytes = std::slice::from_raw_parts_mut(made.pbData, made.cbData as usize);
        let copy = bytes.to_vec();
        for byte in bytes {
            std::ptr::write_volatile(byte, 0);
        }
        LocalFree(made.pbData.cast());
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"{\"api_key\": \"cak_secret\"}";

    #[test]
    fn what_was_protected_is_read_again_and_shows_nothing() {
        let kept = protect(SECRET).expect("protects");

        assert!(is_protected(&kept));
        assert!(!kept.windows(10).any(|part| part == b"cak_secret"));
        assert_eq!(unprotect(&kept).expect("reads"), SECRET);
    }

    #[test]
    fn what_was_changed_is_an_error() {
        let mut kept = protect(SECRET).expect("protects");
        let last = kept.len() - 1;
        kept[last] ^= 1;

        assert!(unprotect(&kept).is_err());
    }

    #[test]
    fn what_an_older_agent_wrote_is_read_as_it_is() {
        assert_eq!(unprotect(SECRET).expect("reads"), SECRET);
        assert!(!is_protected(SECRET));
    }
}
