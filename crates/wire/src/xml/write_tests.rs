use proptest::prelude::*;

use super::*;
use crate::code;
use crate::xml::{Accepted, AnswerDoc, read_answer};

fn signer() -> Signer {
    Signer::Md5("0123456789abcdefghijklmnopqrstuv".parse().unwrap())
}

fn read(charset: Charset, bytes: &[u8]) -> Accepted {
    match read_answer(bytes, charset.content_type()).unwrap() {
        AnswerDoc::Accepted(doc) => doc,
        AnswerDoc::Rejected { error } => panic!("rejected with {error}"),
    }
}

// Goal: the layout of `spec/01` to the byte: echo in the order received, fields ascending.
#[test]
fn layout() {
    let form = Form::read(
        b"_input_charset=UTF-8",
        b"z=1&sign=ab&sign_type=MD5&a=%3C%22%27%26%3E%0D",
    );
    let mut fields = Fields::new();
    fields.put("result_code", "SUCCESS");
    fields.put("error", "");
    fields.put("partner_trans_id", "a&b");
    fields.put_some("currency", None::<&str>);
    insta::assert_snapshot!(
        String::from_utf8(accepted(&form, &fields, &signer())).unwrap(),
        @r#"<?xml version="1.0" encoding="UTF-8"?><alipay><is_success>T</is_success><request><param name="_input_charset">UTF-8</param><param name="z">1</param><param name="sign">ab</param><param name="sign_type">MD5</param><param name="a">&lt;&quot;&apos;&amp;&gt;&#13;</param></request><response><alipay><partner_trans_id>a&amp;b</partner_trans_id><result_code>SUCCESS</result_code></alipay></response><sign>f65f442e03184f17857a2a97e7a7a9c7</sign><sign_type>MD5</sign_type></alipay>"#
    );
    insta::assert_snapshot!(
        String::from_utf8(rejected(Charset::Gbk, code::ILLEGAL_SIGN)).unwrap(),
        @r#"<?xml version="1.0" encoding="GBK"?><alipay><is_success>F</is_success><error>ILLEGAL_SIGN</error></alipay>"#
    );
}

// Goal: `spec/12`, answer 4, whatever order and blanks the values come in.
#[test]
fn fields_are_ascending_and_normal() {
    let mut fields = Fields::new();
    for (name, value) in [
        ("m", "2"),
        ("z", " a  b\r\n\tc "),
        ("a", "1"),
        ("n", " "),
        ("m", "3"),
        ("b", "x\u{0}\u{FFFF}"),
    ] {
        fields.put(name, value);
    }
    let listed: Vec<(&str, &str)> = fields.iter().collect();
    assert_eq!(
        listed,
        [
            ("a", "1"),
            ("b", "x"),
            ("m", "2"),
            ("m", "3"),
            ("z", "a b c")
        ]
    );
}

// Goal: `spec/12`, answer 3: bytes, declaration and signature agree, also for what GBK lacks.
#[test]
fn charsets_agree() {
    for charset in [Charset::Utf8, Charset::Gbk, Charset::Gb2312] {
        let text = "茶檯😀&<";
        let form = Form::from_pairs(charset, [("trans_name", text)]);
        let mut fields = Fields::new();
        fields.put("partner_trans_id", text);
        let bytes = accepted(&form, &fields, &signer());
        let doc = read(charset, &bytes);
        assert_eq!(
            (doc.charset, doc.get("partner_trans_id")),
            (charset, Some(text))
        );
        assert!(doc.verify(&signer().verifier()));
        let echoed = charset.encode(text);
        assert_eq!(
            doc.params[0].1,
            charset.decode(&echoed).unwrap(),
            "as it was received"
        );
    }
}

proptest! {
    // Goal: any text that XML can carry comes back, in the echo exactly, in a field with its
    // blanks normalised, and the signature holds.
    #[test]
    fn round_trip(pairs in proptest::collection::vec(("[a-z_\t\n ]{1,8}", any::<String>()), 0..8), value: String) {
        let carried = |text: &str| text.chars().filter(|&letter| is_carriable(letter)).collect::<String>();
        let pairs: std::collections::BTreeMap<String, String> = pairs.into_iter().map(|(name, value)| (name, carried(&value))).collect();
        let carried_value = carried(&value);
        let words: Vec<&str> = carried_value.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()).collect();
        let words = words.join(" ");
        for charset in [Charset::Utf8, Charset::Gbk, Charset::Gb2312] {
            let form = Form::from_pairs(charset, &pairs);
            let mut fields = Fields::new();
            fields.put("memo", value.as_str());
            let doc = read(charset, &accepted(&form, &fields, &signer()));
            let echoed: Vec<(&str, &str)> = doc.params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            prop_assert_eq!(echoed, form.iter().collect::<Vec<_>>());
            prop_assert_eq!(doc.get("memo").unwrap_or_default(), &words);
            prop_assert!(doc.verify(&signer().verifier()));
        }
    }
}
