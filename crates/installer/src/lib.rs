//! What a program that is downloaded from a server knows without being asked:
//! the stamp in its configuration slot, and the support code in its file's name.

pub mod file_name;
pub mod slot;
