//! See `spotpay_sim::inputs::payment_code`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| spotpay_sim::inputs::payment_code(data));
