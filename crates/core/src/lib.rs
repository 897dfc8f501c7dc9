//! The rules of Spotpay. No I/O, no async, no clock, no SQL, no XML.
//!
//! A [`command::Command`] and what it touches, a [`working_set::WorkingSet`], go into
//! [`decide::decide`]; a [`decide::Decision`] comes out: the changes, and the reply. Whoever runs
//! the decision stores the changes before anyone hears the reply.

pub mod calendar;
pub mod command;
pub mod config;
pub mod decide;
pub mod fx;
pub mod id;
pub mod ledger;
pub mod money;
pub mod notification;
pub mod partner;
pub mod payment_code;
pub mod reconcile;
pub mod refund;
pub mod registration;
pub mod settlement;
pub mod shop;
pub mod time;
pub mod trade;
pub mod wallet;
pub mod working_set;
