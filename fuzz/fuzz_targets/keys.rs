//! See `spotpay_sim::inputs::keys`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| spotpay_sim::inputs::keys(data));
