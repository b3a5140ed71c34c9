//! The viewer's core for the browser: bytes in, bytes out, no imports. The
//! JavaScript side allocates with [`abi::gc_alloc`], calls one `gc_viewer_…`
//! function, then polls outputs until there are none.
//!
//! [`bridge`] is ordinary Rust and tested as such; [`abi`] is the C edge around it.

#[allow(unsafe_code)]
pub mod abi;
pub mod bridge;
