//! The doors of the command line to the machine: environment, clock and process.
#![expect(
    clippy::disallowed_methods,
    reason = "this file is the door to the environment and the clock"
)]

use std::time::{Duration, SystemTime};

use spotpay_client::{Pace as _, PartnerRefundId, PartnerTransId, Span, SystemPace};

/// A variable that the user named on the command line; empty counts as not there.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A number for a sale that has none: the second, its fraction, and this process.
pub(crate) fn new_trans_id() -> Option<PartnerTransId> {
    new_number("TILL").parse().ok()
}

/// A number for a refund that has none, made in the same way.
pub(crate) fn new_refund_id() -> Option<PartnerRefundId> {
    new_number("REFUND").parse().ok()
}

fn new_number(what: &str) -> String {
    let nanos = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let second = SystemPace::new().now().compact();
    let (fraction, process) = (nanos.subsec_nanos(), std::process::id());
    format!("{what}-{second}-{fraction:09}-{process}")
}

/// Lets time go by without stopping the other tasks.
pub(crate) async fn pause(span: Span) {
    tokio::time::sleep(duration(span)).await;
}

/// What comes in time; none when it does not.
pub(crate) async fn within<F: Future>(span: Span, work: F) -> Option<F::Output> {
    tokio::time::timeout(duration(span), work).await.ok()
}

fn duration(span: Span) -> Duration {
    Duration::from_micros(u64::try_from(span.as_micros()).unwrap_or(0))
}
