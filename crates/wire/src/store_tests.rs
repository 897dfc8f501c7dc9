use proptest::prelude::*;

use super::*;
use crate::charset::Charset;
use crate::request;
use crate::signature::Signer;
use crate::xml::{AnswerDoc, accepted, read_answer};

fn signer() -> Signer {
    Signer::Md5("0123456789abcdefghijklmnopqrstuv".parse().unwrap())
}

/// The parameters of a system integrator's shop, with changes: `name=value` sets, `name=` drops.
fn form(changes: &[&str]) -> Form {
    let mut params: std::collections::BTreeMap<&str, &str> = [
        ("_input_charset", "UTF-8"),
        ("partner", "2088000000000001"),
        ("secondary_merchant_id", "M001"),
        ("secondary_merchant_name", "Tea House Ltd"),
        ("service", "alipay.overseas.secmerchant.offline.maintain"),
        ("store_address", "1 Queen's Road, Central"),
        ("store_country", "HK"),
        ("store_id", "S001"),
        ("store_industry", "5812"),
        ("store_name", "Tea House Central"),
        ("timestamp", "2026-11-23 12:00:00"),
    ]
    .into();
    params.extend(changes.iter().map(|change| change.split_once('=').unwrap()));
    Form::from_pairs(Charset::Utf8, params)
}

const COMPANY: [&str; 5] = [
    "secondary_merchant_type=ENTERPRISE",
    "registration_no=12345678-000",
    "register_country=HK",
    "register_address=1 Queen's Road, Central",
    "contact_no=+852 2123 4567",
];
const OWNER: [&str; 6] = [
    "secondary_merchant_type=INDIVIDUAL",
    "register_country=HK",
    "register_address=1 Queen's Road, Central",
    "shareholder_name=Chan Tai Man",
    "shareholder_id=A123456(7)",
    "contact_email=owner@shop.example",
];
const DRIVER: &str = r#"{"operation_id":"D1","contact_person":"Wong"}"#;

/// The changes of a row: cells between `;`; `COMPANY`, `OWNER` and `DRIVER` stand for the above,
/// `x*3` is `xxx`.
fn changes(row: &str) -> Vec<String> {
    let cells = row
        .split(';')
        .map(str::trim)
        .filter(|cell| !cell.is_empty());
    let changes = cells.flat_map(|cell| match cell {
        "COMPANY" => COMPANY.map(str::to_owned).to_vec(),
        "OWNER" => OWNER.map(str::to_owned).to_vec(),
        other => vec![repeated(&other.replace("DRIVER", DRIVER))],
    });
    changes.collect()
}

fn repeated(text: &str) -> String {
    let Some((before, after)) = text.split_once('*') else {
        return text.to_owned();
    };
    let letter = before.chars().last().unwrap().to_string();
    let end = after.find(|letter: char| !letter.is_ascii_digit());
    let (times, rest) = after.split_at(end.unwrap_or(after.len()));
    format!(
        "{before}{}{rest}",
        letter.repeat(times.parse::<usize>().unwrap() - 1)
    )
}

fn parse(row: &str) -> Result<Request, ParseRefusal> {
    let changes = changes(row);
    Request::parse(&form(
        &changes.iter().map(String::as_str).collect::<Vec<_>>(),
    ))
}

// Goal: every field has its place, the columns apart and the rest in the order of the table.
#[test]
fn the_parts_of_a_store() {
    let all = "COMPANY; shareholder_name=A; shareholder_id=B; representative_name=C; representative_id=D; settlement_no=E; contact_email=F; cs_no=G; cs_email=H; internal_store_photo=https://a/1; external_storefront_photo=https://a/2; store_industry=4121; extend_params=[DRIVER]";
    let Request { data, timestamp } = parse(all).unwrap();
    assert_eq!(timestamp.to_string(), "2026-11-23T12:00:00+08:00");
    let shop = &data.shop;
    assert_eq!(shop.partner.to_string(), "2088000000000001");
    assert_eq!(
        [
            shop.secondary_merchant_id.as_str(),
            &shop.secondary_merchant_name,
            &shop.secondary_merchant_industry,
            shop.store_id.as_str(),
            &shop.store_name,
        ],
        ["M001", "Tea House Ltd", "4121", "S001", "Tea House Central"]
    );
    let register = data.register_country.unwrap();
    assert_eq!(
        (data.store_country.as_str(), register.as_str()),
        ("HK", "HK")
    );
    assert_eq!(data.drivers, ["D1".into()]);
    let details: Vec<String> = data
        .details
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    insta::assert_snapshot!(details.join("\n"), @r#"
    store_address=1 Queen's Road, Central
    internal_store_photo=https://a/1
    external_storefront_photo=https://a/2
    extend_params=[{"operation_id":"D1","contact_person":"Wong"}]
    secondary_merchant_type=ENTERPRISE
    registration_no=12345678-000
    register_address=1 Queen's Road, Central
    shareholder_name=A
    shareholder_id=B
    representative_name=C
    representative_id=D
    settlement_no=E
    contact_no=+852 2123 4567
    contact_email=F
    cs_no=G
    cs_email=H
    "#);
}

/// Changes that are taken, then the details that are not in every request.
const ACCEPTED: &str = r#"
                                          |
timestamp=1795406400000                   |
COMPANY                                   | secondary_merchant_type=ENTERPRISE registration_no=12345678-000 register_address=1 Queen's Road, Central contact_no=+852 2123 4567
OWNER                                     | secondary_merchant_type=INDIVIDUAL register_address=1 Queen's Road, Central shareholder_name=Chan Tai Man shareholder_id=A123456(7) contact_email=owner@shop.example
contact_no=1; settlement_no=2; cs_no=3    | settlement_no=2 contact_no=1 cs_no=3
secondary_merchant_type=; registration_no=; register_country= |
store_address=x*500; unknown="            |
secondary_merchant_name=茶*128; store_name=茶*256; secondary_merchant_id=x*64; store_id=x*64 |
store_id=004ecf0b-0bbb-4d20-bc33-6b7847e1f2a8; store_industry=0742 |
store_country=MO                          |
extend_params={"a":[1]}                   |
extend_params=null                        |
extend_params="x"                         |
store_industry=4121; extend_params=[DRIVER]  | extend_params=[DRIVER]
store_industry=4121; extend_params=DRIVER    | extend_params=[DRIVER]
store_industry=4121; extend_params= [ { "contact_person" : "\u9673*64", "new":[{}], "operation_id" : 77, "contact_way": null } ] | extend_params=[{"operation_id":"77","contact_person":"陳*64"}]
store_industry=4121; extend_params=[{"contact_way":"+852 1-2*249","contact_person":"W","operation_id":"x"}] | extend_params=[{"operation_id":"x","contact_way":"+852 1-2*249","contact_person":"W"}]
store_industry=4121; extend_params=[{"operation_id":"x*64","contact_way":"","contact_person":"\\"},DRIVER] | extend_params=[{"operation_id":"x*64","contact_person":"\\"},DRIVER]
"#;

// Goal: what is taken, and that a client builds the same request.
#[test]
fn accepted_requests() {
    for row in ACCEPTED.trim().lines() {
        let (given, found) = row.trim_end().rsplit_once('|').unwrap();
        let given = given.replace("\\u9673*64", &"\\u9673".repeat(64));
        let request = parse(&given).unwrap();
        let details = request.data.details.iter();
        let others = details.filter(|(name, _)| &**name != "store_address");
        let listed: Vec<String> = others
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let found = repeated(&found.trim().replace("DRIVER", DRIVER));
        assert_eq!(listed.join(" "), found, "{row}");

        let signed = request::sign(Charset::Utf8, request.params(), &signer());
        let back = Form::read(signed.query.as_bytes(), signed.body.as_bytes());
        assert_eq!(Request::parse(&back), Ok(request), "{row}");
    }
    let ten: Vec<String> = (0..10)
        .map(|id| DRIVER.replace("D1", &id.to_string()))
        .collect();
    let taxi = parse(&format!(
        "store_industry=4121; extend_params=[{}]",
        ten.join(",")
    ))
    .unwrap();
    assert_eq!(taxi.data.drivers.len(), DRIVERS_MAX);
    let lines = parse("store_name=a\nb").unwrap();
    assert_eq!(&*lines.data.shop.store_name, "a b");
}

/// Changes, and what the message says.
const REFUSALS: &str = r#"
timestamp=; store_id=                | timestamp is missing; it is required in every request
secondary_merchant_name=             | secondary_merchant_name is missing
secondary_merchant_id=; store_name=  | secondary_merchant_id is missing
store_id=; timestamp=x               | store_id is missing
store_name=                          | store_name is missing
store_country=                       | store_country is missing
store_address=; store_industry=      | store_address is missing
store_industry=                      | store_industry is missing
store_industry=4121                  | extend_params is missing; it is required when store_industry is 4121
store_industry=4121; register_country=HK | extend_params is missing
registration_no=1                    | secondary_merchant_type is missing; it is required of acquirers
register_country=HK                  | secondary_merchant_type is missing
register_address=x                   | secondary_merchant_type is missing
shareholder_name=x                   | secondary_merchant_type is missing
shareholder_id=x                     | secondary_merchant_type is missing
representative_name=x                | secondary_merchant_type is missing
representative_id=x                  | secondary_merchant_type is missing
COMPANY; registration_no=            | registration_no is missing; it is required when secondary_merchant_type is ENTERPRISE
COMPANY; register_country=           | register_country is missing; it is required of acquirers
COMPANY; register_address=           | register_address is missing; it is required of acquirers
COMPANY; contact_no=                 | contact_no is missing; it is required of acquirers, unless there is a contact_email
OWNER; shareholder_name=             | shareholder_name is missing; it is required when secondary_merchant_type is INDIVIDUAL
OWNER; shareholder_id=               | shareholder_id is missing
OWNER; contact_email=                | contact_no is missing
OWNER; shareholder_id=; timestamp=x  | shareholder_id is missing
timestamp=20261123120000x            | timestamp is "20261123120000x"; it must be milliseconds since 1970 or yyyy-MM-dd HH:mm:ss
timestamp=2026-11-23T12:00:00; store_country=x | timestamp is
secondary_merchant_name=x*129        | secondary_merchant_name is "x*80"; it must be at most 128 characters without double quotes
secondary_merchant_name=a"b          | secondary_merchant_name is "a\"b"
secondary_merchant_id=x*65           | secondary_merchant_id is
secondary_merchant_id=a b            | secondary_merchant_id is "a b"; it must be 1 to 64 letters, digits, - and _
store_id=x*65                        | store_id is
store_id=a"b; store_country=hk       | store_id is "a\"b"; it must be 1 to 64 characters
store_name=x*257                     | store_name is
store_name="                         | store_name is "\""
store_country=hk                     | store_country is "hk"; it must be two capital letters
store_country=HKG                    | store_country is
store_address=a"b; store_industry=1  | store_address is "a\"b"; it must be a text without double quotes
store_industry=742                   | store_industry is "742"; it must be four digits
store_industry=58123                 | store_industry is
store_industry=58x2                  | store_industry is
internal_store_photo="               | internal_store_photo is
external_storefront_photo="          | external_storefront_photo is
extend_params={; secondary_merchant_type=x; COMPANY | extend_params is "{"; it must be JSON
extend_params=[DRIVER                | extend_params is
extend_params=taxi                   | extend_params is "taxi"
COMPANY; secondary_merchant_type=enterprise | secondary_merchant_type is "enterprise"; it must be INDIVIDUAL or ENTERPRISE
COMPANY; registration_no="           | registration_no is
COMPANY; register_country=hk         | register_country is
COMPANY; register_address=x*257      | register_address is "x*80"; it must be at most 256
OWNER; shareholder_name="            | shareholder_name is
OWNER; contact_email="a"@b.c         | contact_email is
cs_email="                           | cs_email is
"#;

// Goal: each refusal, and which one a doubly wrong request gets; all are one business error.
#[test]
fn refusals() {
    for row in REFUSALS.trim().lines() {
        let (given, text) = row.split_once(" | ").unwrap();
        let refusal = parse(given).unwrap_err();
        assert_eq!(refusal.code().code, "PARAM_ILLEGAL", "{row}");
        assert!(!refusal.is_gateway(), "{row}");
        let text = repeated(text.trim());
        assert!(refusal.to_string().contains(&text), "{row}: {refusal}");
    }
}

// Goal: what drivers may not be.
#[test]
fn bad_drivers() {
    let list: Vec<String> = (0..11)
        .map(|id| DRIVER.replace("D1", &id.to_string()))
        .collect();
    let long = format!("[{}]", list.join(","));
    for drivers in [
        "null",
        "[]",
        "[[]]",
        "[null]",
        "\"D1\"",
        "{}",
        &format!("[{DRIVER}"),
        &format!("[{DRIVER},{DRIVER}]"),
        &long,
        r#"[{"operation_id":"D1"}]"#,
        r#"[{"operation_id":"D1","contact_person":""}]"#,
        r#"[{"operation_id":"D1","contact_person":null}]"#,
        r#"[{"operation_id":"D1","contact_person":"a\"b"}]"#,
        r#"[{"operation_id":"D1","contact_person":"\u0000"}]"#,
        r#"[{"operation_id":"D1","contact_person":"\n"}]"#,
        r#"[{"contact_person":"Wong"}]"#,
        r#"[{"operation_id":"D-1","contact_person":"Wong"}]"#,
        r#"[{"operation_id":"司","contact_person":"Wong"}]"#,
        r#"[{"OPERATION_ID":"D1","contact_person":"Wong"}]"#,
        &DRIVER.replace("D1", &"x".repeat(65)),
        &DRIVER.replace("Wong", &"x".repeat(65)),
        &DRIVER.replace('}', r#","contact_way":"a"}"#),
        &DRIVER.replace('}', &format!(r#","contact_way":"{}"}}"#, "1".repeat(257))),
    ] {
        let changes = ["store_industry=4121", &format!("extend_params={drivers}")];
        let refusal = Request::parse(&form(&changes)).unwrap_err().to_string();
        assert!(
            refusal.contains("must be a JSON list of 1 to 10 drivers: operation_id"),
            "{refusal}"
        );
    }
}

// Goal: the fields of each answer, and that they are read back (`spec/08`).
#[test]
fn answers() {
    let form = Form::from_pairs::<&str, &str>(Charset::Utf8, []);
    let mut golden = String::new();
    for answer in [
        Answer::Success,
        Answer::Failed {
            error: "PARAM_ILLEGAL".into(),
        },
    ] {
        let xml = accepted(&form, &answer.fields(), &signer());
        let AnswerDoc::Accepted(doc) = read_answer(&xml, "").unwrap() else {
            panic!("rejected")
        };
        assert!(doc.verify(&signer().verifier()));
        assert_eq!(Answer::read(&doc), Ok(answer));
        golden += &(String::from_utf8(xml).unwrap() + "\n");
    }
    insta::assert_snapshot!(golden, @r#"
    <?xml version="1.0" encoding="UTF-8"?><alipay><is_success>T</is_success><request></request><response><alipay><result_code>SUCCESS</result_code></alipay></response><sign>a67dc6da70b43ea67dfc7ab2c6a994bd</sign><sign_type>MD5</sign_type></alipay>
    <?xml version="1.0" encoding="UTF-8"?><alipay><is_success>T</is_success><request></request><response><alipay><error>PARAM_ILLEGAL</error><result_code>PARAM_ILLEGAL</result_code></alipay></response><sign>70d4080da9502068dca06575a8145594</sign><sign_type>MD5</sign_type></alipay>
    "#);
}

#[test]
fn odd_answers() {
    for (fields, reads) in [
        (&[("result_code", "SUCCESS")][..], "SUCCESS"),
        (&[("result_code", "DATA_NOT_EXIST")], "DATA_NOT_EXIST"),
        (
            &[("result_code", "FAIL"), ("error", "PARAM_ILLEGAL")],
            "PARAM_ILLEGAL",
        ),
        (&[], "the answer has no result_code"),
    ] {
        let fields = fields
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        let doc = Accepted {
            charset: Charset::Utf8,
            params: vec![],
            fields: fields.collect(),
            sign: String::new(),
            sign_type: String::new(),
        };
        let found = match Answer::read(&doc) {
            Ok(Answer::Success) => "SUCCESS".to_owned(),
            Ok(Answer::Failed { error }) => error.into_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, reads);
    }
}

proptest! {
    // Goal: any value of any parameter is refused or understood, and what is understood survives
    // the client's way back, but for the milliseconds of its time.
    #[test]
    fn any_value_is_parsed(name in 0..REQUIRED.len() + LAST.len() + 3, value: String) {
        let optional = ["internal_store_photo", "register_address", "extend_params"];
        let name = REQUIRED.iter().chain(&LAST).chain(&optional).nth(name).unwrap();
        let change = format!("{name}={value}");
        let changes: Vec<&str> = OWNER.into_iter().chain([change.as_str()]).collect();
        match Request::parse(&form(&changes)) {
            Ok(request) if *name != "timestamp" => {
                let back = Form::from_pairs(Charset::Utf8, request.params());
                prop_assert_eq!(Request::parse(&back), Ok(request));
            }
            Ok(_) => {}
            Err(refusal) => prop_assert!(!refusal.is_gateway()),
        }
    }
}
