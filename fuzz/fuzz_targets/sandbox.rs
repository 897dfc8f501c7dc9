//! See `spotpay_sim::inputs::Sandbox`.
#![no_main]

use std::sync::LazyLock;

use spotpay_sim::inputs::Sandbox;

/// One sandbox for the whole run, in a folder of the process.
static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| {
    let data = std::env::temp_dir().join(format!("spotpay-fuzz-{}", std::process::id()));
    Sandbox::start(&data)
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| SANDBOX.calls(data));
