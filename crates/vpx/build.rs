//! Finds the static libvpx that `scripts/build-libvpx` made, and compiles the shim
//! around its C interface.

use std::env;
use std::path::{Path, PathBuf};

/// Names a folder with a static library in `lib` and `include/vpx`, in place of ours.
const FOLDER_VARIABLE: &str = "GC_LIBVPX_DIR";

/// What the library may be called, and how a linker is told: libvpx's own name, and those of
/// vcpkg for Microsoft's tools.
const NAMES: [(&str, &str); 4] = [
    ("libvpx.a", "vpx"),
    ("vpx.lib", "vpx"),
    ("vpxmd.lib", "vpxmd"),
    ("vpxmt.lib", "vpxmt"),
];

fn main() {
    println!("cargo::rustc-check-cfg=cfg(libvpx)");
    println!("cargo::rerun-if-env-changed={FOLDER_VARIABLE}");
    let target = env::var("TARGET").expect("cargo sets TARGET");
    let given = env::var_os(FOLDER_VARIABLE).map(PathBuf::from);
    // Microsoft's compiler cannot link what scripts/build-libvpx makes: without a library
    // of its own such a build has no VP9, and the encoder says so when it is opened.
    if given.is_none() && target.ends_with("-msvc") {
        return;
    }

    let ours = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../.cache/libvpx")
        .join(&target);
    let folder = given.unwrap_or(ours);
    let found = NAMES
        .map(|(file, name)| (folder.join("lib").join(file), name))
        .into_iter()
        .find(|(file, _)| file.is_file());
    let Some((library, name)) = found else {
        println!(
            "cargo::error=there is no libvpx in {}: run scripts/setup, or scripts/build-libvpx {target}",
            folder.display()
        );
        std::process::exit(1);
    };

    println!("cargo::rustc-cfg=libvpx");
    println!("cargo::rerun-if-changed={}", library.display());
    println!("cargo::rerun-if-changed=shim");
    let mut shim = cc::Build::new();
    shim.include(folder.join("include"))
        .std("c11")
        .warnings(true)
        .opt_level(2)
        .file("shim/encoder.c");
    if env::var_os("CARGO_FEATURE_DECODER").is_some() {
        shim.file("shim/decoder.c");
    }
    shim.compile("gc_vpx_shim");
    println!(
        "cargo::rustc-link-search=native={}",
        folder.join("lib").display()
    );
    println!("cargo::rustc-link-lib=static={name}");
}
