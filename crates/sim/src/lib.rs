//! A seeded world that tries to break Spotpay, and the checkers that judge it.

pub mod books;
pub mod inputs;
