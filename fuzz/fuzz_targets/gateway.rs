//! See `spotpay_sim::inputs::Gateway`.
#![no_main]

use std::sync::LazyLock;

use spotpay_sim::inputs::Gateway;

/// One gateway for the whole run, in a folder of the process that a restart makes anew.
static GATEWAY: LazyLock<Gateway> = LazyLock::new(|| {
    let data = std::env::temp_dir().join(format!("spotpay-fuzz-{}", std::process::id()));
    Gateway::start(&data)
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| GATEWAY.requests(data));
