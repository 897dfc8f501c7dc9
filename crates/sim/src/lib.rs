//! A seeded world that tries to break Spotpay, and the checkers that judge it.
//!
//! [`world`] plays tills, buyers, a network and a disk around the real client, gateway and store;
//! [`books`] judges what they left; [`canary`] has broken gateways, which prove that it would see;
//! [`inputs`] feeds arbitrary bytes to whatever reads bytes.

pub mod books;
pub mod canary;
pub mod inputs;
pub mod world;
