//! The checkers against a real store's file: whole, and spoiled in one place.
#![expect(clippy::unwrap_used, reason = "what a test builds is there")]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test names what it looks at, and anything else fails it"
)]

mod filled;
#[expect(dead_code, reason = "the gateway's tests use the rest")]
#[path = "../../../server/tests/gateway/receiver.rs"]
mod receiver;
#[path = "../../../server/tests/gateway/script.rs"]
mod script;
mod spoils;
#[expect(dead_code, reason = "the gateway's tests use the rest")]
#[path = "../../../server/tests/gateway/till.rs"]
mod till;
#[expect(dead_code, reason = "the gateway's tests use the rest")]
#[path = "../../../server/tests/gateway/world.rs"]
mod world;
