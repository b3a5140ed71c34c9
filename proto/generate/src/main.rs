//! Writes `proto/src/generated.rs` from the `.proto` files. Run it with
//! `make generate`; no installed protoc is needed.

use std::path::Path;

use anyhow::Context as _;

const FILES: [&str; 3] = [
    "guruconnect/v1/session.proto",
    "guruconnect/v1/grant.proto",
    "guruconnect/v1/control.proto",
];

fn main() -> anyhow::Result<()> {
    let proto_dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("find the proto folder")?;
    let descriptors = protox::compile(FILES, [proto_dir]).context("compile the .proto files")?;

    let out_dir = std::env::temp_dir().join(format!("gc-proto-{}", std::process::id()));
    std::fs::create_dir_all(&out_dir).context("make a folder for the output")?;
    prost_build::Config::new()
        .out_dir(&out_dir)
        .bytes(["."])
        .compile_fds(descriptors)
        .context("generate Rust from the .proto files")?;

    let generated = out_dir.join("guruconnect.v1.rs");
    let target = proto_dir.join("src/generated.rs");
    std::fs::copy(&generated, &target).with_context(|| format!("write {}", target.display()))?;
    std::fs::remove_dir_all(&out_dir).context("remove the temporary folder")?;
    Ok(())
}
