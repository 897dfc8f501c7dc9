//! What an operator sees of the running process: lines on standard error, numbers at `/metrics`.

mod log;
mod metrics;

pub use log::{Guard, LogGauge, init, init_with};
pub use metrics::Metrics;
