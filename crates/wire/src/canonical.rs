//! The signed text: parameters sorted by name, joined as `name=value&...`, in the charset
//! (`spec/01`, signature of a request).

use crate::charset::Charset;
use crate::form::Form;
use crate::signature::Verifier;

/// The parameters that are never signed.
const UNSIGNED: [&str; 2] = ["sign", "sign_type"];

/// How a request was signed (`spec/12`, wire 3 and 4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spelling {
    /// Empty values dropped, as the rule says.
    Usual,
    /// Empty values kept, as one merchant program does.
    EmptiesKept,
}

/// Appends the text that a request's signature covers: every parameter, known to us or not, with a
/// value, but `sign` and `sign_type`.
pub fn canonical(form: &Form, out: &mut Vec<u8>) {
    append(form, Spelling::Usual, out);
}

/// Appends the same with `name=` for empty values (`spec/12`, wire 4).
pub fn canonical_with_empties(form: &Form, out: &mut Vec<u8>) {
    append(form, Spelling::EmptiesKept, out);
}

fn append(form: &Form, spelling: Spelling, out: &mut Vec<u8>) {
    out.reserve(form.size());
    let start = out.len();
    for (name, value, run) in form.runs() {
        let dropped = value.is_empty() && spelling == Spelling::Usual;
        if dropped || UNSIGNED.iter().any(|unsigned| name == unsigned.as_bytes()) {
            continue;
        }
        if out.len() > start {
            out.push(b'&');
        }
        out.extend_from_slice(run);
    }
}

/// The signed text of pairs that are no form: the fields of an answer (`spec/01`).
pub fn canonical_pairs<'a>(
    charset: Charset,
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    out: &mut Vec<u8>,
) {
    let mut pairs: Vec<(&str, &str)> = pairs
        .into_iter()
        .filter(|(name, value)| !value.is_empty() && !UNSIGNED.contains(name))
        .collect();
    pairs.sort_by_key(|(name, _)| *name);
    for (index, (name, value)) in pairs.into_iter().enumerate() {
        if index > 0 {
            out.push(b'&');
        }
        charset.encode_into(name, out);
        out.push(b'=');
        charset.encode_into(value, out);
    }
}

/// Verifies a form's `sign`; `None` when no spelling verifies. The signed text of the one that
/// does, or of the usual one, is left in `text` for the inspector.
pub fn verify(form: &Form, verifier: &Verifier, text: &mut Vec<u8>) -> Option<Spelling> {
    let sign = form.get("sign").unwrap_or_default();
    text.clear();
    canonical(form, text);
    if verifier.verify(text, sign) {
        return Some(Spelling::Usual);
    }
    let mut kept = Vec::new();
    canonical_with_empties(form, &mut kept);
    // With nothing empty the texts are the same, and one RSA verification is enough.
    (kept != *text && verifier.verify(&kept, sign)).then(|| {
        *text = kept;
        Spelling::EmptiesKept
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::{Md5Key, Signer};
    use proptest::prelude::*;

    fn key(text: &str) -> Md5Key {
        text.parse().unwrap()
    }

    fn canonical_text(form: &Form) -> String {
        let mut text = Vec::new();
        canonical(form, &mut text);
        form.answer_charset().decode(&text).unwrap().into_owned()
    }

    const REFUND: &str = "_input_charset=utf-8&currency=USD&is_sync=Y&partner=1000000000000000&partner_refund_id=301012133000002&partner_trans_id=2010121000000002&refund_amount=0.01&service=alipay.acquire.overseas.spot.refund";
    const PAY: &str = "_input_charset=UTF-8&alipay_seller_id=2088000000000001&biz_product=OVERSEAS_MBARCODE_PAY&buyer_identity_code=288888888888888888&currency=HKD&extend_info={\"secondary_merchant_id\":\"M001\",\"secondary_merchant_industry\":\"5812\",\"secondary_merchant_name\":\"Tea House\",\"store_id\":\"S001\",\"store_name\":\"Tea House Central\"}&identity_code_type=barcode&partner=2088000000000001&partner_trans_id=HK20250101000001&service=alipay.acquire.overseas.spot.pay&trans_amount=39.30&trans_create_time=20250101120000&trans_name=Tea";

    // Goal: the published MD5 vectors of `spec/01` and `spec/02`, from form to signature.
    #[test]
    fn published_vectors() {
        for (key_text, text, sign) in [
            (
                "10000000000000000000000000000000",
                REFUND,
                "397685a0c6b2d71d0d1f374ddba331a0",
            ),
            (
                "10000000000000000000000000000000",
                "notify_id=1234",
                "22fc7e38e5acdfede396aa463870d111",
            ),
            (
                "0123456789abcdefghijklmnopqrstuv",
                PAY,
                "26f0db939414f43f2420d49995b9f39c",
            ),
        ] {
            let pairs = text.split('&').map(|pair| pair.split_once('=').unwrap());
            let unsigned = [("sign", sign), ("sign_type", "MD5"), ("empty", "")];
            let form = Form::from_pairs(Charset::Utf8, pairs.chain(unsigned));
            assert_eq!(canonical_text(&form), text);
            assert_eq!(Signer::Md5(key(key_text)).sign(text.as_bytes()), sign);
            let spelling = verify(&form, &Verifier::Md5(key(key_text)), &mut Vec::new());
            assert_eq!(spelling, Some(Spelling::Usual));
        }
    }

    // Goal: `spec/12`, wire 3: unknown parameters are signed, raw values, byte order, `_` before
    // lower case.
    #[test]
    fn order_and_raw_values() {
        let body = b"b=2&a_=x%26y%3D+z&a=%22q%22&_input_charset=UTF-8&aB=1&sign=s&sign_type=MD5&e=";
        let form = Form::read(b"", body);
        assert_eq!(
            canonical_text(&form),
            "_input_charset=UTF-8&a=\"q\"&aB=1&a_=x&y= z&b=2"
        );
    }

    // Goal: `spec/12`, wire 4: the text with empties is taken when it is the only one that verifies.
    #[test]
    fn empties_kept() {
        let signer = Signer::Md5(key("0123456789abcdefghijklmnopqrstuv"));
        let verifier = Verifier::Md5(key("0123456789abcdefghijklmnopqrstuv"));
        for (signed, found) in [
            ("a=1&refund_reason=", Some(Spelling::EmptiesKept)),
            ("a=1", Some(Spelling::Usual)),
            ("a=2", None),
        ] {
            let sign = signer.sign(signed.as_bytes());
            let form = Form::from_pairs(
                Charset::Utf8,
                [("a", "1"), ("refund_reason", ""), ("sign", &sign)],
            );
            let mut text = Vec::new();
            assert_eq!(verify(&form, &verifier, &mut text), found, "{signed}");
            assert_eq!(text == signed.as_bytes(), found.is_some());
        }
    }

    // Goal: GBK requests are signed over their GBK bytes.
    #[test]
    fn gbk_bytes() {
        let form = Form::read(b"_input_charset=GBK", b"trans_name=%B2%E8&a=1");
        let mut text = Vec::new();
        canonical(&form, &mut text);
        assert_eq!(text, b"_input_charset=GBK&a=1&trans_name=\xb2\xe8");
    }

    proptest! {
        // Goal: the order in which parameters arrive does not matter, and both roads agree.
        #[test]
        fn order_independent(values: std::collections::BTreeMap<String, String>) {
            let forward = Form::from_pairs(Charset::Utf8, &values);
            let backward = Form::from_pairs(Charset::Utf8, values.iter().rev());
            prop_assert_eq!(canonical_text(&forward), canonical_text(&backward));
            let mut text = Vec::new();
            canonical_pairs(Charset::Utf8, values.iter().map(|(name, value)| (name.as_str(), value.as_str())), &mut text);
            prop_assert_eq!(canonical_text(&forward).into_bytes(), text);
        }
    }
}
