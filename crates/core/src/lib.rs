//! The rules of Spotpay. No I/O, no async, no clock, no SQL, no XML.

pub mod id;
pub mod money;
pub mod time;
