//! Gives the Windows program its manifest and the version that Explorer shows.
//! Needs `windres` (mingw-w64) or Microsoft's `rc.exe`; does nothing for other systems.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=windows/agent.manifest");
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("windows")
        .join("agent.manifest");
    let script =
        PathBuf::from(env::var_os("OUT_DIR").expect("cargo names OUT_DIR")).join("agent.rc");
    fs::write(&script, resources(&manifest, env!("CARGO_PKG_VERSION")))
        .expect("OUT_DIR can be written");
    embed_resource::compile_for(&script, ["guruconnect-agent"], embed_resource::NONE)
        .manifest_required()
        .expect("the resource compiler is installed");
}

/// The script for the resource compiler. Format: "Resource-Definition Statements" of the Windows documentation.
fn resources(manifest: &Path, version: &str) -> String {
    // Backslashes would begin an escape there.
    let manifest = manifest.display().to_string().replace('\\', "/");
    let numbers = version
        .split(['.', '-'])
        .take(3)
        .collect::<Vec<_>>()
        .join(",");
    format!(
        r#"#pragma code_page(65001)
1 24 "{manifest}"
1 VERSIONINFO
FILEVERSION {numbers},0
PRODUCTVERSION {numbers},0
FILEFLAGSMASK 0x3f
FILEOS 0x40004
FILETYPE 1
BEGIN
  BLOCK "StringFileInfo"
  BEGIN
    BLOCK "040904B0"
    BEGIN
      VALUE "CompanyName", "GuruConnect"
      VALUE "FileDescription", "GuruConnect Agent"
      VALUE "FileVersion", "{version}"
      VALUE "InternalName", "guruconnect-agent"
      VALUE "OriginalFilename", "guruconnect-agent.exe"
      VALUE "ProductName", "GuruConnect"
      VALUE "ProductVersion", "{version}"
    END
  END
  BLOCK "VarFileInfo"
  BEGIN
    VALUE "Translation", 0x0409, 1200
  END
END
"#
    )
}
