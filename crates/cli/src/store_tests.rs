use super::*;
use spotpay_client::{Doubt, Refusal};

fn json(report: &StoreReport) -> (String, u8) {
    (
        serde_json::to_string(report).unwrap(),
        report.outcome.exit().number(),
    )
}

fn report() -> StoreReport {
    StoreReport::new("M001", "S001")
}

// Goal: a driver's three parts, of which the last may hold anything or be missing.
#[test]
fn drivers() {
    for (text, expected) in [
        ("OP1,Lee,+852 1234", Some(("OP1", "Lee", Some("+852 1234")))),
        ("OP1, Lee", Some(("OP1", "Lee", None))),
        ("OP1,Lee,", Some(("OP1", "Lee", None))),
        ("OP1", None),
        ("OP1,", None),
        (",Lee,1", None),
        ("", None),
    ] {
        let found = driver(text).ok();
        let found = found.as_ref().map(|driver| {
            let way = driver.contact_way.as_deref();
            (&*driver.operation_id, &*driver.contact_person, way)
        });
        assert_eq!(found, expected, "{text}");
    }
}

// Goal: further parameters are those of the call, and none that a flag or the client sets.
#[test]
fn fields() {
    for (text, fits) in [
        ("registration_no=12345678", true),
        ("contact_email=a@b=c", true),
        ("registration_no=", false),
        ("registration_no", false),
        ("store_id=S2", false),
        ("sign=1", false),
        ("", false),
    ] {
        assert_eq!(field(text).is_ok(), fits, "{text}");
    }
}

// Goal: the object that other people's scripts read.
#[test]
fn reports() {
    assert_eq!(
        json(&report().of_register(&Outcome::Success(()))),
        (
            r#"{"outcome":"success","state":null,"error":null,"secondary_merchant_id":"M001","store_id":"S001","reject_reason":null}"#.to_owned(),
            0
        )
    );
    let refused = Outcome::Refused(Refusal::new("PARAM_ILLEGAL"));
    let (text, exit) = json(&report().of_register(&refused));
    assert!(text.contains(r#""outcome":"refused","state":null,"error":"PARAM_ILLEGAL""#));
    assert_eq!(exit, 1);
    let unknown = Outcome::<FoundStore>::Unknown(Doubt::BadSignature);
    let (text, exit) = json(&report().of_status(&unknown));
    assert!(text.contains(r#""outcome":"unknown","state":null,"error":"bad_signature""#));
    assert_eq!(exit, 3);
    for (state, expected) in [
        (StoreState::Verified, r#""state":"SUCCESS","error":null"#),
        (
            StoreState::Processing,
            r#""state":"PROCESSING","error":null"#,
        ),
        (
            StoreState::Rejected {
                reason: "high risk".into(),
            },
            r#""state":"FAILED","error":null"#,
        ),
    ] {
        let found = FoundStore {
            secondary_merchant_id: "M001".parse().unwrap(),
            method: spotpay_wire::store_query::PaymentMethod::InStore("S001".parse().unwrap()),
            state,
        };
        let (text, exit) = json(&report().of_status(&Outcome::Success(found)));
        assert!(text.contains(expected), "{text}");
        assert_eq!(
            (exit, text.contains(r#""reject_reason":"high risk""#)),
            (0, text.contains("FAILED"))
        );
    }
}
