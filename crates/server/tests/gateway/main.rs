//! The gateway as a partner sees it: everything at `/gateway.do` and in the sandbox API, over the
//! real router and a real store, without a socket.
//!
//! Most tests are scripts for [`world::World::check`]: a line asks and says what must come back.
#![expect(clippy::unwrap_used, reason = "what a test builds is there")]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test names what it looks at, and anything else fails it"
)]

mod answers;
mod cancels;
mod clock_moves;
mod codes;
mod deliveries;
mod documents;
mod error_codes;
mod extremes;
mod faults;
mod gate;
mod hostile;
mod http_files;
mod injections;
mod month;
mod notification_faults;
mod notifications;
mod pages;
mod parameters;
mod payments;
mod races;
mod receiver;
mod refund_races;
mod refund_terms;
mod refunds;
mod repeats;
mod restarts;
mod sandbox;
mod sandbox_itself;
mod script;
mod services;
mod settlement;
mod signatures;
mod stores;
mod till;
mod world;
