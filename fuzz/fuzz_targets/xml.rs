//! See `spotpay_sim::inputs::xml`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| spotpay_sim::inputs::xml(data));
