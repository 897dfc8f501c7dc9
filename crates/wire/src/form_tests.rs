use proptest::prelude::*;

use super::*;

fn pairs(form: &Form) -> Vec<(&str, &str)> {
    form.iter().collect()
}

// Goal: the three request shapes of `spec/12`, wire 1, give one form.
#[test]
fn three_shapes() {
    for (query, body) in [
        ("_input_charset=UTF-8&service=s&a=1", ""),
        ("", "_input_charset=UTF-8&service=s&a=1"),
        ("_input_charset=UTF-8", "service=s&a=1"),
        (
            "_input_charset=UTF-8&",
            "&service=s&&a=1&a=1&_input_charset=UTF-8",
        ),
    ] {
        let form = Form::read(query.as_bytes(), body.as_bytes());
        assert_eq!(
            pairs(&form),
            [("_input_charset", "UTF-8"), ("service", "s"), ("a", "1")]
        );
        assert_eq!(
            (form.charset(), form.first_fault()),
            (Ok(Charset::Utf8), None),
            "{query} {body}"
        );
    }
}

// Goal: charset of the URL, else of the body, else GBK; answers keep to a legal one (`spec/13`, 14).
#[test]
fn charset_table() {
    let illegal = |label: &str| Some(CharsetRefusal::IllegalLabel(label.to_owned()));
    let undecodable = |charset| Some(CharsetRefusal::Undecodable(Undecodable(charset)));
    for (query, body, answer, refusal) in [
        ("", "", Charset::Gbk, None),
        ("_input_charset=utf-8", "", Charset::Utf8, None),
        ("", "_input_charset=gb2312", Charset::Gb2312, None),
        (
            "_input_charset=",
            "_input_charset=UTF-8",
            Charset::Utf8,
            None,
        ),
        ("_input_charset=latin1", "", Charset::Gbk, illegal("latin1")),
        (
            "_input_charset=latin1",
            "_input_charset=UTF-8",
            Charset::Utf8,
            illegal("latin1"),
        ),
        ("", "_input_charset=x", Charset::Gbk, illegal("x")),
        (
            "_input_charset=UTF-8",
            "a=%B2%E8",
            Charset::Utf8,
            undecodable(Charset::Utf8),
        ),
        ("_input_charset=GBK", "a=%B2%E8", Charset::Gbk, None),
        ("", "a=%B2", Charset::Gbk, undecodable(Charset::Gbk)),
        (
            "_input_charset=UTF-8",
            "a=%C3&%A9=b",
            Charset::Utf8,
            undecodable(Charset::Utf8),
        ),
    ] {
        let form = Form::read(query.as_bytes(), body.as_bytes());
        assert_eq!(form.answer_charset(), answer, "{query} {body}");
        assert_eq!(form.charset().err().cloned(), refusal, "{query} {body}");
    }
}

// Goal: each fault is found, names its parameter, and the first one in the fixed order is reported.
#[test]
fn fault_table() {
    let many: String = (0..65).map(|number| format!("p{number}=1&")).collect();
    let large = "x".repeat(FORM_BYTES_MAX + 1);
    for (body, fault) in [
        ("a=1&a=2", "a is given twice with different values"),
        ("a=&a=2", ""),
        ("a=1&a=", ""),
        ("a=1&b=1&a=1", ""),
        (
            "a=%00",
            "a has the character U+0000, which XML cannot carry",
        ),
        (
            "a=x%1Fy",
            "a has the character U+001F, which XML cannot carry",
        ),
        ("a=%09%0A%0D%7F", ""),
        (
            "_input_charset=UTF-8&a=%EF%BF%BE",
            "a has the character U+FFFE, which XML cannot carry",
        ),
        ("_input_charset=UTF-8&a=%EF%BF%BD%EF%BC%8C", ""),
        (
            "a%01=1",
            "a\\u{1} has the character U+0001, which XML cannot carry",
        ),
        (many.as_str(), "the request has 65 parameters, more than 64"),
        (
            large.as_str(),
            "the request has 65537 bytes, more than 65536",
        ),
    ] {
        let form = Form::read(b"", body.as_bytes());
        let found = form.first_fault().map(Fault::to_string).unwrap_or_default();
        assert_eq!(found, fault, "{}", body.get(..40).unwrap_or(body));
    }
}

#[test]
fn decoding_is_tolerant() {
    let form = Form::read(b"", b"a=1+2%2B3%&b=%zz%4&c&=d&e==f%3d");
    assert_eq!(
        pairs(&form),
        [
            ("a", "1 2+3%"),
            ("b", "%zz%4"),
            ("c", ""),
            ("", "d"),
            ("e", "=f=")
        ]
    );
    assert_eq!(
        (form.get("c"), form.given("c"), form.get("x")),
        (None, Some(""), None)
    );
    assert!(
        !format!("{form:?}").contains("1 2"),
        "values are not printed"
    );
}

proptest! {
    // Goal: what a client encodes is what the gateway reads, in every charset.
    #[test]
    fn round_trip(values in proptest::collection::vec("\\PC{0,12}", 0..10)) {
        for charset in [Charset::Utf8, Charset::Gbk, Charset::Gb2312] {
            let mut body = format!("_input_charset={}", charset.label());
            for (number, value) in values.iter().enumerate() {
                encode_pair(charset, &format!("名{number}&="), value, &mut body);
            }
            let form = Form::read(b"", body.as_bytes());
            prop_assert_eq!(form.charset(), Ok(charset));
            let kept: Vec<String> = values.iter().map(|value| charset.decode(&charset.encode(value)).unwrap().into_owned()).collect();
            let got: Vec<&str> = form.iter().skip(1).map(|(_, value)| value).collect();
            prop_assert_eq!(got, kept);
        }
    }

    #[test]
    fn any_bytes_are_read(query: Vec<u8>, body in "[a-c_%=&+0-9\u{80}-\u{ff}]{0,60}", label in 0..4_usize) {
        let label = ["", "_input_charset=UTF-8&", "_input_charset=GBK&", "_input_charset=x&"][label];
        let form = Form::read(&[label.as_bytes(), &query].concat(), body.as_bytes());
        prop_assert_eq!(form.iter().count(), form.len());
        prop_assert_eq!(form.runs().count(), form.len());
    }
}
