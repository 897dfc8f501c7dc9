//! The checkout against a gateway and a network that do their worst.
#![expect(clippy::unwrap_used, reason = "what a test builds is there")]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test names what it looks at, and anything else fails it"
)]

mod beside;
mod calls;
mod crashes;
mod model;
mod refunds;
mod table;
