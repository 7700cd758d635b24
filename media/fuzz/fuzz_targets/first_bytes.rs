#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| webcall_media::fuzzing::first_bytes(bytes));
