//! The partner protocol: bytes in, typed messages out, and back. No I/O.
//!
//! The road of a request: [`form`] reads it, [`canonical`] makes the signed text, [`signature`]
//! verifies it, the file of the service ([`pay`], [`query`], [`cancel`], [`refund`],
//! [`refund_query`], [`store`], [`store_query`]) types it; the road back is the service's `Answer`,
//! [`xml`] and again [`signature`]. The client walks it the other way round with [`request`] and
//! [`xml::read_answer`]. What nobody asked for goes out as a [`notification`], and what a day came to
//! as [`files`].
//!
//! ```
//! use spotpay_wire::form::Form;
//! use spotpay_wire::signature::{Signer, Verifier};
//! use spotpay_wire::{canonical, code, query, xml};
//!
//! let key: spotpay_wire::signature::Md5Key = "0123456789abcdefghijklmnopqrstuv".parse()?;
//! let form = Form::read(
//!     b"_input_charset=UTF-8",
//!     b"partner=2088000000000001&partner_trans_id=T1&service=alipay.acquire.overseas.query\
//!       &sign=ecf650eee7e0c71121125102750b3e7e&sign_type=MD5",
//! );
//! let verified = canonical::verify(&form, &Verifier::Md5(key.clone()), &mut Vec::new());
//! assert_eq!(verified, Some(canonical::Spelling::Usual));
//! let request = query::Request::parse(&form)?;
//! let answer = query::Answer::Failed {
//!     error: code::TRADE_NOT_EXIST.code.into(),
//!     partner_trans_id: request.partner_trans_id,
//! };
//! let xml = xml::accepted(&form, &answer.fields(), &Signer::Md5(key));
//! assert!(xml.starts_with(br#"<?xml version="1.0" encoding="UTF-8"?><alipay>"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Names of parameters and codes are those of the genuine gateway (`spec/00` to `spec/13`).

pub mod autopsy;
pub mod cancel;
pub mod canonical;
pub mod charset;
pub mod code;
pub mod code_texts;
pub mod dialect;
mod field;
pub mod files;
pub mod form;
pub mod http_file;
mod json;
pub mod keys;
pub mod notification;
pub mod pay;
pub mod query;
pub mod refund;
pub mod refund_query;
pub mod refusal;
pub mod request;
pub mod service;
pub mod signature;
pub mod store;
pub mod store_query;
pub mod trade_no;
pub mod xml;
