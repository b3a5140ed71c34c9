//! Makes sure that there is a dashboard to put inside the server.

use std::path::Path;
use std::{env, fs};

const PLACEHOLDER: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<title>GuruConnect</title>
<p>This server was built without its dashboard. Run <code>make dashboard</code> and build again.</p>
</html>
";

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let dist = Path::new(&root).join("../dashboard/apps/dashboard/dist");
    let index = dist.join("index.html");
    if !index.exists() {
        fs::create_dir_all(&dist).expect("create the folder of the dashboard");
        fs::write(&index, PLACEHOLDER).expect("write the placeholder page");
    }
    println!("cargo::rerun-if-changed=build.rs");
    // Debug builds read the files when they are asked for; others carry them.
    if env::var("PROFILE").as_deref() == Ok("release") {
        println!("cargo::rerun-if-changed={}", dist.display());
    }
}
