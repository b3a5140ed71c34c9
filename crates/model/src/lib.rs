//! The words of GuruConnect as types: ids, geometry, keys, input and time.
//! Pure: opens nothing and reads no clock.

pub mod geometry;
pub mod hours;
pub mod id;
pub mod input;
pub mod key;
pub mod machine;
pub mod notice;
pub mod pointer;
pub mod power;
pub mod role;
pub mod session;
pub mod support;
pub mod text;
pub mod time;
