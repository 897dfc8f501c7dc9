use super::*;
use crate::output::Failure;
use clap::Parser;
use spotpay_wire::notification;
use spotpay_wire::signature::Signer;

const KEY: &str = "0123456789abcdefghijklmnopqrstuv";
const OTHER_KEY: &str = "vutsrqponmlkjihgfedcba9876543210";

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    merchant: crate::merchant::Merchant,
}

/// The folder of a sandbox with one partner that has an MD5 key.
pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        r#"{{"gateway_url": "http://127.0.0.1:1/gateway.do", "sandbox_url": "http://127.0.0.1:1/sandbox/v1",
        "partners": [{{"name": "tea-house", "partner_id": "2088000000000001", "md5_key": "{KEY}"}},
        {{"name": "dim-sum", "partner_id": "2088000000000002", "md5_key": "{OTHER_KEY}"}}]}}"#
    );
    std::fs::write(folder.path().join("sandbox.json"), text).unwrap();
    folder
}

pub(crate) fn merchant(folder: &tempfile::TempDir, flags: &str) -> crate::merchant::Merchant {
    let data = folder.path().display().to_string();
    let words = ["test", "--data", &data].into_iter();
    Line::try_parse_from(words.chain(flags.split_whitespace()))
        .unwrap_or_else(|error| panic!("{error}"))
        .merchant
}

pub(crate) fn reader(folder: &tempfile::TempDir) -> Reader {
    let keys = merchant(folder, "").gateway_keys();
    let (partner, keys) = keys.unwrap_or_else(|failure: Failure| panic!("{failure:?}"));
    Reader::new(partner, Charset::Utf8, keys)
}

pub(crate) fn body(key: &str) -> String {
    let fields = [
        ("currency", "HKD"),
        ("notify_id", "n1"),
        ("notify_type", "refund_status_sync"),
        ("out_return_no", "R1"),
        ("out_trade_no", "T1"),
        ("refund_status", "REFUND_SUCCESS"),
        ("return_amount", "10.00"),
        ("trade_no", "2020120722001455203001700042"),
    ];
    notification::sign(Charset::Utf8, fields, &Signer::Md5(key.parse().unwrap()))
}

// Goal: the object that other people's scripts read, of one that is new, one that is a repeat and
// one that is forged.
#[test]
fn objects() {
    let folder = folder();
    let reader = reader(&folder);
    let object = |body: &str| serde_json::to_value(reader.read(body.as_bytes())).unwrap();
    let first = object(&body(KEY));
    assert_eq!(
        first["event"],
        json!({"type": "refund", "notify_id": "n1", "partner_trans_id": "T1",
            "partner_refund_id": "R1", "alipay_trans_id": "2020120722001455203001700042",
            "state": "REFUNDED", "amount": "10.00", "currency": "HKD"})
    );
    assert_eq!(first["fields"]["return_amount"], "10.00");
    let brief = |object: &Value| {
        let names = ["verified", "repeated", "error", "likely_mistake", "reply"];
        json!(names.map(|name| object[name].clone()))
    };
    assert_eq!(brief(&first), json!([true, false, null, null, "success"]));
    let again = object(&body(KEY));
    assert_eq!(brief(&again), json!([true, true, null, null, "success"]));
    assert_eq!(again["event"], Value::Null);
    let forged = object(&body(OTHER_KEY));
    assert_eq!(
        (&forged["verified"], &forged["reply"], &forged["event"]),
        (&json!(false), &json!("fail"), &Value::Null)
    );
    assert_eq!(forged["error"], "the signature does not verify");
    let upper = body(KEY).replace("&sign=", "&sign=%20");
    let upper = object(&upper);
    let mistake = upper["likely_mistake"].as_str().unwrap();
    assert!(mistake.contains("blanks around it"), "{mistake}");
    assert!(!mistake.contains(KEY));
}

// Goal: people see the same.
#[test]
fn lines() {
    let folder = folder();
    let reader = reader(&folder);
    let line = reader.read(body(KEY).as_bytes()).line();
    assert!(line.starts_with("verified\n  currency=HKD\n"), "{line}");
    assert!(line.ends_with("\n  answered \"success\""), "{line}");
    let line = reader.read(b"a=1").line();
    assert_eq!(
        line,
        "not believed: sign_type is \"\", which is none\n  a=1\n  answered \"fail\""
    );
}
