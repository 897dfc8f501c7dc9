use proptest::prelude::*;

use super::*;

/// The real answer of December 2020 (`spec/03`), white space and all.
pub(crate) const REAL: &str = include_str!("../../tests/answers/query-2020.xml");

fn accepted(xml: &str) -> Accepted {
    match read_answer(xml.as_bytes(), "text/xml;charset=GBK").unwrap() {
        AnswerDoc::Accepted(doc) => doc,
        AnswerDoc::Rejected { error } => panic!("rejected with {error}"),
    }
}

#[test]
fn the_real_answer_is_read() {
    let doc = accepted(REAL);
    assert_eq!((doc.charset, doc.sign_type.as_str()), (Charset::Gbk, "MD5"));
    assert_eq!(doc.sign, "0caa280a9d93707d30059f551ca8c4bc");
    assert_eq!(doc.params.len(), 6);
    assert_eq!(doc.get("trans_amount"), Some("3997.60"));
    let text = String::from_utf8(doc.signed_text()).unwrap();
    assert!(
        text.starts_with(
            "alipay_buyer_login_id=132****6685&alipay_buyer_user_id=2088112549401700&"
        )
    );
    assert!(text.ends_with("&payment_inst=ALIPAYCN&result_code=SUCCESS&trans_amount=3997.60"));
}

// Goal: the wrapper has any name, values are trimmed and decoded, unknown elements passed over.
#[test]
fn shapes() {
    for xml in [
        "<alipay><is_success>T</is_success><response><qrcodeinfo><a>1 &amp; <![CDATA[2]]>&#51;</a></qrcodeinfo></response></alipay>",
        "<?xml version='1.0' encoding='utf-8' ?><x><is_success> T </is_success><new><deep><er/></deep></new><response>\n<alipay><b/><a>\n1 &amp; 23 </a></alipay><alipay><a>9</a></alipay></response></x>",
    ] {
        let doc = match read_answer(xml.as_bytes(), "").unwrap() {
            AnswerDoc::Accepted(doc) => doc,
            AnswerDoc::Rejected { error } => panic!("rejected with {error}"),
        };
        assert_eq!(doc.signed_text(), b"a=1 & 23");
    }
    let xml = "\u{FEFF}<alipay><is_success>F</is_success><error>ILLEGAL_SIGN</error></alipay>";
    let doc = read_answer(xml.as_bytes(), "text/xml;charset=UTF-8").unwrap();
    assert_eq!(
        doc,
        AnswerDoc::Rejected {
            error: "ILLEGAL_SIGN".to_owned()
        }
    );
}

/// Content-Type, bytes, and why they are no answer.
const REFUSALS: &str = r##"
                      |  | the answer is cut off
text/html             | <html/> | the answer is "text/html", not XML
                      | <a><is_success>T</is_success> | the answer is cut off
                      | <a></a> | the answer says neither T nor F
                      | <a><is_success>t</is_success></a> | the answer says neither T nor F
                      | <a><is_success>T</b></a> | the answer is not well-formed XML
                      | <!DOCTYPE a [<!ENTITY b "c">]><a/> | the answer has a document type
                      | <a><is_success>&b;</is_success></a> | the answer has the entity "b"
                      | <a><is_success>&#1;</is_success></a> | the answer has the entity "#1"
                      | <a><sign>1</sign><sign>1</sign></a> | the element "sign" comes twice
                      | <a><sign><b>T</b></sign></a> | the element "b" has no place in an answer
                      | <?xml version="1.0" encoding="Big5"?><a/> | the answer is in the unknown charset "Big5"
text/xml; charset=a-1 | <a/> | the answer is in the unknown charset "a-1"
"##;

// Goal: what is no answer says why, and nothing can expand, hide or grow without bound.
#[test]
fn refusals() {
    let rows = REFUSALS.lines().filter(|row| !row.is_empty());
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let error = read_answer(cells[1].as_bytes(), cells[0]).unwrap_err();
        assert_eq!(error.to_string(), cells[2], "{row}");
    }
    let fields = "<f>1</f>".repeat(FIELDS_MAX + 1);
    let many = format!("<a><response><b>{fields}</b></response></a>");
    for large in [many.as_bytes(), &vec![b' '; ANSWER_BYTES_MAX + 1]] {
        assert!(matches!(read_answer(large, ""), Err(ReadError::TooLarge)));
    }
    let undecodable = read_answer(b"<a>\xff</a>", "").unwrap_err();
    assert_eq!(undecodable.to_string(), "the bytes are not UTF-8 text");
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes: Vec<u8>, text in "(<a>|</a>|<is_success>|</is_success>|<response>|T|&#[0-9x]{0,4};|<!--|-->|<\\?|]]>|<!\\[CDATA\\[| |<param name=\"){0,20}") {
        let _ = read_answer(&bytes, "");
        let _ = read_answer(text.as_bytes(), "text/xml");
    }

    // Goal: a real answer with any byte changed is refused or read, never a panic.
    #[test]
    fn damaged_answers_are_read(at in 0..REAL.len(), byte: u8) {
        let mut bytes = REAL.as_bytes().to_vec();
        bytes[at] = byte;
        let _ = read_answer(&bytes, "text/xml;charset=GBK");
    }
}
