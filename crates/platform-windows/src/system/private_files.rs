//! Files and folders that only the system, administrators and the agent's own account may read.

use std::fs::File;
use std::io::{self, Write};
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::Path;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{
    ERROR_ALREADY_EXISTS, FALSE, GENERIC_WRITE, INVALID_HANDLE_VALUE, LocalFree, WIN32_ERROR,
};
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, GetNamedSecurityInfoW, GetSecurityInfo,
    SDDL_REVISION_1, SE_FILE_OBJECT, SE_KERNEL_OBJECT, SetNamedSecurityInfoW,
};
use windows_sys::Win32::Security::{
    ACL, DACL_SECURITY_INFORMATION, GetSecurityDescriptorDacl, OWNER_SECURITY_INFORMATION,
    PROTECTED_DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, PSID, SECURITY_ATTRIBUTES,
};
use windows_sys::Win32::Storage::FileSystem::{
    CREATE_ALWAYS, CreateDirectoryW, CreateFileW, FILE_ATTRIBUTE_NORMAL, MOVEFILE_REPLACE_EXISTING,
    MOVEFILE_WRITE_THROUGH, MoveFileExW,
};

use super::events::code_to_result;
use super::os::wide;
use super::tokens::{current_account, sid_text};
use crate::protection::{Protected, descriptor, is_trusted_owner};

/// A security descriptor that Windows made and we free.
pub(crate) struct Descriptor(PSECURITY_DESCRIPTOR);

impl Descriptor {
    pub(crate) fn of(kind: Protected) -> io::Result<Self> {
        Self::from_text(&descriptor(kind, &current_account()?))
    }

    /// Reads Windows' own language for descriptors.
    pub(super) fn from_text(text: &str) -> io::Result<Self> {
        let text = wide(text);
        let mut made = null_mut();
        // SAFETY: the text ends with a zero; the length is not asked for.
        let known = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut made,
                null_mut(),
            )
        };
        if known == 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(Self(made))
        }
    }

    pub(crate) fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: self.0,
            bInheritHandle: FALSE,
        }
    }

    /// Who may do what; lives as long as `self`.
    fn entries(&self) -> io::Result<*const ACL> {
        let (mut is_present, mut is_default) = (0, 0);
        let mut entries = null_mut();
        // SAFETY: the descriptor is valid while `self` lives.
        let known = unsafe {
            GetSecurityDescriptorDacl(
                self.0,
                &raw mut is_present,
                &raw mut entries,
                &raw mut is_default,
            )
        };
        if known == 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(entries)
        }
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: Windows allocated it for us, and nobody else frees it.
        unsafe { LocalFree(self.0) };
    }
}

/// See [`gc_platform::Host::create_private_dir`].
pub(crate) fn create_dir(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let descriptor = Descriptor::of(Protected::Folder)?;
    let (name, attributes) = (wide_path(path), descriptor.attributes());
    // SAFETY: the name ends with a zero, and the attributes outlive the call.
    if unsafe { CreateDirectoryW(name.as_ptr(), &raw const attributes) } != 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    if error.raw_os_error().map(i32::cast_unsigned) != Some(ERROR_ALREADY_EXISTS) || !path.is_dir()
    {
        return Err(error);
    }
    // Whoever owns a folder can always let himself in again, so a folder that
    // an ordinary user laid out for us beforehand cannot be made private.
    let (owner, account) = (owner(path)?, current_account()?);
    if !is_trusted_owner(&owner, &account) {
        let message = format!(
            "the folder {} belongs to another account ({owner})",
            path.display()
        );
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    // SAFETY: the name ends with a zero; owner and group stay as they are.
    code_to_result(unsafe {
        SetNamedSecurityInfoW(
            name.as_ptr(),
            SE_FILE_OBJECT,
            DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION,
            null_mut(),
            null_mut(),
            descriptor.entries()?,
            null(),
        )
    })
}

fn owner(path: &Path) -> io::Result<String> {
    let name = wide_path(path);
    // SAFETY: the name ends with a zero, and both places are there to be written to.
    owner_that(|owner, made| unsafe {
        GetNamedSecurityInfoW(
            name.as_ptr(),
            SE_FILE_OBJECT,
            OWNER_SECURITY_INFORMATION,
            owner,
            null_mut(),
            null_mut(),
            null_mut(),
            made,
        )
    })
}

/// Whose a pipe is, as the text of an account's number.
pub(super) fn owner_of_object(object: &impl AsRawHandle) -> io::Result<String> {
    let handle = object.as_raw_handle();
    // SAFETY: the object is open while it is borrowed, and both places are there to be written to.
    owner_that(|owner, made| unsafe {
        GetSecurityInfo(
            handle,
            SE_KERNEL_OBJECT,
            OWNER_SECURITY_INFORMATION,
            owner,
            null_mut(),
            null_mut(),
            null_mut(),
            made,
        )
    })
}

/// What a function of Windows answers that finds an owner, in a descriptor of its own.
fn owner_that(
    find: impl FnOnce(*mut PSID, *mut PSECURITY_DESCRIPTOR) -> WIN32_ERROR,
) -> io::Result<String> {
    let mut owner: PSID = null_mut();
    let mut made = null_mut();
    code_to_result(find(&raw mut owner, &raw mut made))?;
    let _freed_last = Descriptor(made);
    if owner.is_null() {
        return Err(io::Error::other("it has no owner"));
    }
    // SAFETY: `owner` points into the descriptor, which is freed behind this last use.
    unsafe { sid_text(owner) }
}

/// See [`gc_platform::Host::replace_private_file`].
pub(crate) fn replace_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = Path::new(&new);
    // A file that is left over may have other permissions, which writing would keep.
    if let Err(error) = std::fs::remove_file(new)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file = create_file(new)?;
    file.write_all(content)?;
    file.sync_all()?;
    drop(file);
    let (from, to) = (wide_path(new), wide_path(path));
    // SAFETY: both names end with a zero.
    if unsafe {
        MoveFileExW(
            from.as_ptr(),
            to.as_ptr(),
            MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH,
        )
    } == 0
    {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// A file that is protected from its first moment on.
fn create_file(path: &Path) -> io::Result<File> {
    let descriptor = Descriptor::of(Protected::File)?;
    let (name, attributes) = (wide_path(path), descriptor.attributes());
    // SAFETY: the name ends with a zero, and the attributes outlive the call.
    let handle = unsafe {
        CreateFileW(
            name.as_ptr(),
            GENERIC_WRITE,
            0,
            &raw const attributes,
            CREATE_ALWAYS,
            FILE_ATTRIBUTE_NORMAL,
            null_mut(),
        )
    };
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a new handle that nobody else closes.
    Ok(File::from(unsafe { OwnedHandle::from_raw_handle(handle) }))
}

fn wide_path(path: &Path) -> Vec<u16> {
    path.as_os_str().encode_wide().chain([0]).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// A folder that no other test uses; taken away at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path =
                std::env::temp_dir().join(format!("guruconnect-{}-{name}", std::process::id()));
            let _ = std::fs::remove_dir_all(&path);
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_private_folder_is_made_with_its_parents_and_made_again_in_peace() {
        let folder = Folder::new("parents");
        let inner = folder.0.join("one").join("two");

        create_dir(&inner).expect("a new folder");
        create_dir(&inner).expect("the same folder again");

        assert!(inner.is_dir());
    }

    #[test]
    fn a_private_file_has_its_newest_content() {
        let folder = Folder::new("replace");
        create_dir(&folder.0).expect("a new folder");
        let path = folder.0.join("agent.json");

        replace_file(&path, b"a longer first content").expect("a new file");
        replace_file(&path, b"second").expect("the same file again");

        assert_eq!(std::fs::read(&path).expect("the file"), b"second");
        let names: Vec<_> = std::fs::read_dir(&folder.0)
            .expect("the folder")
            .flatten()
            .map(|entry| entry.file_name())
            .collect();
        assert_eq!(names, ["agent.json"], "nothing is left beside it");
    }

    #[test]
    fn a_file_cannot_stand_where_a_private_folder_is_wanted() {
        let folder = Folder::new("occupied");
        std::fs::write(&folder.0, "a file").expect("a file");

        let result = create_dir(&folder.0);
        std::fs::remove_file(&folder.0).expect("the file again");

        assert!(result.is_err());
    }
}
