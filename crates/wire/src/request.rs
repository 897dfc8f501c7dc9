//! A client's request: parameters in, a signed URL query and body out.

use std::fmt;

use crate::canonical::canonical;
use crate::charset::Charset;
use crate::form::{Form, INPUT_CHARSET, encode_pair};
use crate::signature::Signer;

/// A POST in the shape of the SDK: the charset in the URL, all else in the body (`spec/01`).
#[derive(Clone, PartialEq, Eq)]
pub struct SignedRequest {
    /// What follows the `?` of the gateway's URL.
    pub query: String,
    /// The body, `application/x-www-form-urlencoded`.
    pub body: String,
}

/// Without the body, which may hold a payment code.
impl fmt::Debug for SignedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SignedRequest({}, {} bytes)",
            self.query,
            self.body.len()
        )
    }
}

impl SignedRequest {
    /// The same as one query, for a GET.
    pub fn into_query(self) -> String {
        format!("{}&{}", self.query, self.body)
    }
}

/// Signs parameters; `_input_charset`, `sign` and `sign_type` are added here.
///
/// In GBK a character that the charset lacks is sent, and signed, as `?`.
pub fn sign<N, V>(
    charset: Charset,
    params: impl IntoIterator<Item = (N, V)>,
    signer: &Signer,
) -> SignedRequest
where
    N: AsRef<str>,
    V: AsRef<str>,
{
    let label = charset.label();
    let params: Vec<(N, V)> = params.into_iter().collect();
    let given = params
        .iter()
        .map(|(name, value)| (name.as_ref(), value.as_ref()));
    let form = Form::from_pairs(charset, given.chain([(INPUT_CHARSET, label)]));
    let mut text = Vec::new();
    canonical(&form, &mut text);
    let sign = signer.sign(&text);

    let mut body = String::with_capacity(1_024);
    for (name, value) in form
        .iter()
        .filter(|(name, value)| *name != INPUT_CHARSET && !value.is_empty())
    {
        encode_pair(charset, name, value, &mut body);
    }
    encode_pair(charset, "sign_type", signer.sign_type().as_str(), &mut body);
    encode_pair(charset, "sign", &sign, &mut body);
    SignedRequest {
        query: format!("{INPUT_CHARSET}={label}"),
        body,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::{Spelling, verify};
    use crate::keys::PrivateKey;

    // Goal: what is signed here verifies at the gateway, in each charset and with each key.
    #[test]
    fn round_trip() {
        let private: PrivateKey = include_str!("../tests/keys/rsa2048.pkcs8.pem")
            .parse()
            .unwrap();
        let key = "0123456789abcdefghijklmnopqrstuv".parse().unwrap();
        for signer in [
            Signer::Md5(key),
            Signer::Rsa(private.clone()),
            Signer::Rsa2(private),
        ] {
            for charset in [Charset::Utf8, Charset::Gbk, Charset::Gb2312] {
                let params = [
                    ("trans_name", "茶 & + = \"q\" 😀"),
                    ("service", "s"),
                    ("memo", ""),
                ];
                let request = sign(charset, params, &signer);
                let form = Form::read(request.query.as_bytes(), request.body.as_bytes());
                let spelling = verify(&form, &signer.verifier(), &mut Vec::new());
                assert_eq!(
                    (form.charset(), spelling),
                    (Ok(charset), Some(Spelling::Usual))
                );
                let form = Form::read(request.into_query().as_bytes(), b"");
                assert!(verify(&form, &signer.verifier(), &mut Vec::new()).is_some());
            }
        }
    }

    #[test]
    fn shape() {
        let key = "0123456789abcdefghijklmnopqrstuv".parse().unwrap();
        let request = sign(Charset::Gbk, [("a", "茶 +")], &Signer::Md5(key));
        assert_eq!(request.query, "_input_charset=GBK");
        assert!(
            request
                .body
                .starts_with("a=%B2%E8%20%2B&sign_type=MD5&sign="),
            "{}",
            request.body
        );
    }
}
