#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gc_fuzz::viewer_from_agent(data));
