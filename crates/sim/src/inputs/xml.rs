//! Answers.

use spotpay_wire::code::PAYMENT_FAIL;
use spotpay_wire::form::Form;
use spotpay_wire::signature::{Md5Key, Signer};
use spotpay_wire::xml::{AnswerDoc, FIELDS_MAX, Fields, accepted, read_answer, rejected};

use super::{BYTES_MAX, halves};

/// As an answer, the bytes are read or refused within bounds; as a request whose parameters become
/// fields, what is written reads back the same and verifies.
///
/// # Panics
/// When one of these is not so.
pub fn xml(data: &[u8]) {
    if data.len() > BYTES_MAX {
        return;
    }
    for content_type in ["", "text/xml;charset=GBK"] {
        if let Ok(AnswerDoc::Accepted(doc)) = read_answer(data, content_type) {
            assert!(doc.params.len() <= FIELDS_MAX && doc.fields.len() <= FIELDS_MAX);
            let size: usize = doc
                .fields
                .iter()
                .map(|(name, value)| name.len() + value.len())
                .sum();
            // GBK text may grow by half when it is read.
            assert!(size <= data.len() * 2, "nothing expands");
            doc.signed_text();
        }
    }
    let (query, body) = halves(data);
    let form = Form::read(query, body);
    if form.charset().is_ok() && form.first_fault().is_none() {
        written(&form);
    }
}

fn written(form: &Form) {
    let names = ["alipay_trans_id", "error", "memo", "result_code"];
    let mut fields = Fields::new();
    for (name, (_, value)) in names.into_iter().zip(form.iter()) {
        fields.put(name, value);
    }
    let Ok(key) = "0123456789abcdefghijklmnopqrstuv".parse::<Md5Key>() else {
        unreachable!("32 visible characters")
    };
    let signer = Signer::Md5(key);
    let charset = form.answer_charset();
    let bytes = accepted(form, &fields, &signer);
    let doc = match read_answer(&bytes, charset.content_type()) {
        Ok(AnswerDoc::Accepted(doc)) => doc,
        other => panic!("{other:?}: {}", String::from_utf8_lossy(&bytes)),
    };
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let params: Vec<(String, String)> = form.iter().map(owned).collect();
    assert_eq!(doc.params, params, "the echo");
    let sent: Vec<(String, String)> = fields.iter().map(owned).collect();
    assert_eq!(doc.fields, sent, "the fields");
    assert!(doc.verify(&signer.verifier()), "the signature");
    assert_eq!(doc.charset, charset);

    let refused = read_answer(&rejected(charset, PAYMENT_FAIL), charset.content_type());
    assert!(matches!(refused, Ok(AnswerDoc::Rejected { error }) if error == PAYMENT_FAIL.code));
}
