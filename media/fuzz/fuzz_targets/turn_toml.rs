#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = webcall::config::is_turn_file(text);
});
