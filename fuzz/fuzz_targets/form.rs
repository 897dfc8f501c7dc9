//! See `spotpay_sim::inputs::form`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| spotpay_sim::inputs::form(data));
