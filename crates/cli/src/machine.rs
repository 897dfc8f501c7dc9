//! The doors of the command line to the machine: environment, clock and process.
#![expect(
    clippy::disallowed_methods,
    reason = "this file is the door to the environment and the clock"
)]

use std::time::SystemTime;

use spotpay_client::{Pace as _, PartnerTransId, SystemPace};

/// A variable that the user named on the command line; empty counts as not there.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A number for a sale that has none: the second, its fraction, and this process.
pub(crate) fn new_trans_id() -> Option<PartnerTransId> {
    let nanos = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let second = SystemPace::new().now().compact();
    let (fraction, process) = (nanos.subsec_nanos(), std::process::id());
    format!("TILL-{second}-{fraction:09}-{process}")
        .parse()
        .ok()
}
