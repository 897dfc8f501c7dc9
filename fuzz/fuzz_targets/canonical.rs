//! See `spotpay_sim::inputs::canonical`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| spotpay_sim::inputs::canonical(data));
