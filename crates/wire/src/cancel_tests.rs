use super::*;
use crate::charset::Charset;
use crate::signature::Signer;
use crate::xml::{AnswerDoc, accepted, read_answer};

const ALL: [CancelName; 3] = [
    CancelName::Cancel,
    CancelName::Reverse,
    CancelName::SpotCancel,
];

#[test]
fn names_are_services() {
    let cancels: Vec<CancelName> = Service::ALL
        .iter()
        .filter_map(|&service| name_of(service))
        .collect();
    assert_eq!(cancels, ALL);
    for name in ALL {
        assert_eq!(name_of(service_of(name)), Some(name));
    }
}

/// Name, parameters, and what is read: partner's number, gateway's number, timestamp.
const REQUESTS: &str = "
cancel out_trade_no=T1                                    -> T1 - -
cancel trade_no=N1&out_trade_no=T1                        -> T1 N1 -
cancel out_trade_no=T1&timestamp=1456507704121            -> T1 - 2016-02-27T01:28:24.121+08:00
cancel out_trade_no=T1&timestamp=2016-02-27+01:28:24      -> T1 - 2016-02-27T01:28:24+08:00
cancel out_trade_no=T1&timestamp=                         -> T1 - -
cancel out_trade_no=T1&timestamp=20160227012824x          -> timestamp is
cancel out_trade_no=T1&timestamp=-1                       -> timestamp is
cancel out_trade_no=T1&timestamp=9999999999999999         -> timestamp is
cancel trade_no=N+1                                       -> trade_no is
cancel partner_trans_id=T1                                -> out_trade_no is missing
reverse partner_trans_id=T1                               -> T1 - -
reverse out_trade_no=T1                                   -> partner_trans_id is missing
spot.cancel partner_trans_id=T1                           -> T1 - -
spot.cancel partner_trans_id=a%09b                        -> partner_trans_id is
";

// Goal: each name has its own parameters; the timestamp comes in three ways (`spec/12`, wire 7, 8).
#[test]
fn requests() {
    for row in REQUESTS.trim().lines() {
        let (call, found) = row.split_once("->").unwrap();
        let (name, body) = call.trim().split_once(' ').unwrap();
        let mut names = ALL.into_iter();
        let name = names.find(|&known| service_of(known).as_str().ends_with(&format!(".{name}")));
        let name = name.unwrap();
        let body = format!("partner=2088331370005945&{body}");
        let request = Request::parse(name, &Form::read(b"", body.as_bytes()));
        let text = match &request {
            Ok(request) => format!(
                "{} {} {}",
                request
                    .partner_trans_id
                    .as_ref()
                    .map_or("-", PartnerTransId::as_str),
                request.trade_no.as_ref().map_or("-", TradeNo::as_str),
                request
                    .timestamp
                    .map_or("-".to_owned(), |at| at.to_string())
            ),
            Err(refusal) => refusal.to_string(),
        };
        assert!(text.starts_with(found.trim()), "{row}: {text}");
        if let Ok(request) = request {
            let back = Form::from_pairs(Charset::Utf8, request.params());
            assert_eq!(Request::parse(name, &back), Ok(request));
        }
    }
}

/// What each outcome says under each of the three names.
const OUTCOMES: [[&str; 3]; 4] = [
    [
        "action=refund out_trade_no=T1 result_code=SUCCESS retry_flag=N trade_no=N1",
        "alipay_reverse_time=20261124120000 alipay_trans_id=N1 partner_trans_id=T1 result_code=SUCCESS",
        "alipay_cancel_time=20261124120000 alipay_trans_id=N1 partner_trans_id=T1 result_code=SUCCESS",
    ],
    [
        "out_trade_no=T1 result_code=SUCCESS retry_flag=N",
        "partner_trans_id=T1 result_code=SUCCESS",
        "partner_trans_id=T1 result_code=SUCCESS",
    ],
    [
        "detail_error_code=TRADE_CANCEL_TIME_OUT detail_error_des=the time for cancelling is over out_trade_no=T1 result_code=FAIL retry_flag=N trade_no=N1",
        "alipay_trans_id=N1 error=TRADE_CANCEL_TIME_OUT partner_trans_id=T1 result_code=FAILED",
        "alipay_trans_id=N1 error=TRADE_CANCEL_TIME_OUT partner_trans_id=T1 result_code=FAILED",
    ],
    [
        "detail_error_code=SYSTEM_ERROR detail_error_des=the gateway could not answer out_trade_no=T1 result_code=UNKNOWN retry_flag=Y",
        "error=SYSTEM_ERROR partner_trans_id=T1 result_code=UNKNOW",
        "error=SYSTEM_ERROR partner_trans_id=T1 result_code=UNKNOW",
    ],
];

fn outcomes() -> [Answer; 4] {
    let answer = |number: &str, outcome| Answer {
        partner_trans_id: "T1".parse().ok(),
        trade_no: number.parse().ok(),
        outcome,
    };
    let (action, at) = (
        Some(Action::Refund),
        Timestamp::parse_compact("20261124120000"),
    );
    let late = "TRADE_CANCEL_TIME_OUT".into();
    [
        answer("N1", Outcome::Done { action, at }),
        answer(
            "",
            Outcome::Done {
                action: None,
                at: None,
            },
        ),
        answer(
            "N1",
            Outcome::Failed {
                error: late,
                may_retry: false,
            },
        ),
        answer(
            "",
            Outcome::Unknown {
                error: "SYSTEM_ERROR".into(),
            },
        ),
    ]
}

// Goal: the fields of each outcome under each name (`spec/04`, `spec/13` 4, 5, 21).
#[test]
fn fields_of_each_outcome() {
    let signer = Signer::Md5("0123456789abcdefghijklmnopqrstuv".parse().unwrap());
    let form = Form::read(b"", b"");
    for (answer, rows) in outcomes().into_iter().zip(OUTCOMES) {
        for (name, row) in ALL.into_iter().zip(rows) {
            let fields = answer.fields(name);
            let listed: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            assert_eq!(listed.join(" "), row);

            let bytes = accepted(&form, &fields, &signer);
            let AnswerDoc::Accepted(doc) = read_answer(&bytes, "").unwrap() else {
                panic!("rejected")
            };
            assert!(doc.verify(&signer.verifier()));
            let back = Answer::read(name, &doc).unwrap();
            assert_eq!(back.fields(name), fields, "what a shape says is kept");
        }
    }
}

// Goal: the real answer of 2014, which has neither trade_no nor action, is a success.
#[test]
fn the_real_answer() {
    let xml = "<alipay><is_success>T</is_success><response><alipay><out_trade_no>20140319113639839</out_trade_no><result_code>SUCCESS</result_code><retry_flag>N</retry_flag></alipay></response></alipay>";
    let AnswerDoc::Accepted(doc) = read_answer(xml.as_bytes(), "").unwrap() else {
        panic!("rejected")
    };
    let answer = Answer::read(CancelName::Cancel, &doc).unwrap();
    assert_eq!(
        answer.outcome,
        Outcome::Done {
            action: None,
            at: None
        }
    );
    assert_eq!(answer.trade_no, None);
}
