#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| _ = webcall::config::is_turn_file(text));
