//! Everything of Spotpay that listens or ticks.
//!
//! A request comes in through [`listen`], is answered by [`gateway`] or [`sandbox`], and whatever
//! it changes goes through [`engine`], the one road for money.

pub mod app;
pub mod bench;
pub mod clock;
pub mod engine;
pub mod entropy;
pub mod faults;
pub mod gateway;
pub mod jobs;
pub mod limits;
pub mod listen;
mod mistake;
pub mod notifier;
pub mod readers;
pub mod recorder;
pub mod sandbox;
pub mod seed;
pub mod server;
pub mod sftp;
pub mod shelf;
pub mod snapshot;
pub mod telemetry;
pub mod tls;
