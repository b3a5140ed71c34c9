//! Without nasm the library's build leaves its assembly out without a word, and the encoder
//! takes four times as long.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = std::env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets it");
    if !matches!(target.as_str(), "x86" | "x86_64") {
        return;
    }
    let found = Command::new("nasm").arg("-v").output();
    if !found.is_ok_and(|output| output.status.success()) {
        println!("cargo::error=nasm is needed for OpenH264: install the package nasm");
        std::process::exit(1);
    }
}
