//! How a request was written: what is sent later about it is written the same way.

use spotpay_core::trade::Dialect;

use crate::charset::Charset;
use crate::signature::SignType;

/// The commonest first: the store keeps 0 and 1 in no bytes at all. Never reordered.
const DIALECTS: [(SignType, Charset); 9] = [
    (SignType::Rsa2, Charset::Utf8),
    (SignType::Md5, Charset::Utf8),
    (SignType::Rsa, Charset::Utf8),
    (SignType::Md5, Charset::Gbk),
    (SignType::Rsa, Charset::Gbk),
    (SignType::Rsa2, Charset::Gbk),
    (SignType::Md5, Charset::Gb2312),
    (SignType::Rsa, Charset::Gb2312),
    (SignType::Rsa2, Charset::Gb2312),
];

/// The number of a sign type and a charset.
pub fn of(sign_type: SignType, charset: Charset) -> Dialect {
    let place = DIALECTS
        .iter()
        .position(|known| *known == (sign_type, charset));
    Dialect(
        place
            .and_then(|place| u8::try_from(place).ok())
            .unwrap_or(0),
    )
}

/// What a number stands for.
pub fn read(dialect: Dialect) -> (SignType, Charset) {
    let known = DIALECTS.get(usize::from(dialect.0));
    known.copied().unwrap_or((SignType::Rsa2, Charset::Utf8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back() {
        for sign_type in [SignType::Md5, SignType::Rsa, SignType::Rsa2] {
            for charset in [Charset::Utf8, Charset::Gbk, Charset::Gb2312] {
                assert_eq!(read(of(sign_type, charset)), (sign_type, charset));
            }
        }
    }
}
