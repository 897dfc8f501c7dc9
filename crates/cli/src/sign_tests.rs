use super::*;
use serde_json::json;

fn findings(explained: &Explained) -> Vec<&str> {
    let findings = explained.findings.iter();
    findings.map(|finding| finding.mistake.as_str()).collect()
}

fn kept(sign_ok: Value, mistake: Value) -> Explained {
    let record = json!({"service": "s", "at": "2026-11-23T12:00:00+08:00", "canonical": "a=1",
        "error": "ILLEGAL_PARTNER", "sign_ok": sign_ok, "likely_mistake": mistake,
        "params": {"_input_charset": "UTF-8", "a": "茶 &", "sign": "0", "sign_type": "MD5"}});
    let raw = rebuilt(&record);
    assert_eq!(raw.query, b"_input_charset=UTF-8");
    assert_eq!(raw.body, b"a=%E8%8C%B6%20%26&sign=0&sign_type=MD5");
    let evidence = Evidence::request(&raw.query, &raw.body);
    let keys = crate::merchant::Keys::default();
    Explained::from(&examine(&evidence, &keys.ring())).of_record(&record)
}

// Goal: what the sandbox saw wins over what can be found in what it keeps.
#[test]
fn kept_requests() {
    let right = kept(json!(true), Value::Null);
    assert!(right.verifies && right.findings.is_empty());
    assert_eq!(
        right.report,
        "s at 2026-11-23T12:00:00+08:00\nSigned by the rule:\n  a=1\nVerdict: the signature is right."
    );
    let wrong = kept(json!(false), json!("The key is another one."));
    assert_eq!(findings(&wrong)[0], "seen_by_sandbox");
    assert!(
        !wrong.verifies
            && wrong
                .report
                .contains("The gateway says: The key is another one.")
    );
    let unexplained = kept(json!(false), Value::Null);
    assert!(!unexplained.verifies && unexplained.report.contains("From what it keeps:"));
    let not_looked_at = kept(Value::Null, Value::Null);
    assert!(
        not_looked_at
            .report
            .contains("did not look at the signature (ILLEGAL_PARTNER)")
    );
}

// Goal: the object that other people's scripts read; a payment code in a URL is not repeated.
#[test]
fn objects() {
    let text = serde_json::to_string(&kept(json!(true), Value::Null)).unwrap();
    assert!(
        text.starts_with(r#"{"verifies":true,"sign_type":"MD5","findings":[],"report":"#),
        "{text}"
    );
    assert_eq!(shown("http://h/g?code=28"), "http://h/g");
    assert_eq!(shown("file"), "file");
}
