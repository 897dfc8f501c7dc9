//! What any bytes at all must not break: each function reads them as one part of Spotpay does, and
//! panics when a promise of that part is broken.
//!
//! `fuzz/` feeds them for hours, the tests of this crate feed them a thousand seeded inputs each.

mod codes;
mod files;
mod forms;
mod gateway;
mod keys;
mod requests;
mod sandbox;
mod stage;
mod xml;

pub use codes::payment_code;
pub use files::files;
pub use forms::{canonical, form};
pub use gateway::Gateway;
pub use keys::keys;
pub use sandbox::Sandbox;
pub use xml::xml;

use spotpay_wire::charset::Charset;

/// Longer inputs find nothing that shorter ones do not.
const BYTES_MAX: usize = 131_072;

/// The charset that a byte stands for.
const fn charset_of(byte: u8) -> Charset {
    match byte % 3 {
        0 => Charset::Utf8,
        1 => Charset::Gbk,
        _ => Charset::Gb2312,
    }
}

/// The bytes before and after the first line break.
fn halves(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|&byte| byte == b'\n') {
        Some(at) => {
            let (before, after) = data.split_at(at);
            (before, after.get(1..).unwrap_or_default())
        }
        None => (b"", data),
    }
}
