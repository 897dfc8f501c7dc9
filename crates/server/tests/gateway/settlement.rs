//! Days that end: what merchants are owed is settled, and told in two files (`spec/07`, `spec/13`,
//! 22 to 27).

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::world::World;

impl World {
    /// A file's text, from the folder of published files; none for an empty day.
    async fn file(&self, partner: &str, date: &str, kind: &str) -> Option<String> {
        let wish = format!(r#"{{"partner":"{partner}","date":"{date}","kind":"{kind}"}}"#);
        let file = self.does("POST", "/files", &wish).await;
        let name = file["name"].as_str()?;
        let path = self.app().data.join("files").join(name);
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(file["bytes"], text.len());
        let asked = format!("/sandbox/v1/files/{name}");
        let request = Request::get(asked).body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let sent = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(sent, text.as_bytes());
        Some(text)
    }

    /// The batches of a partner, the oldest first: first and last date, count, net, carried in, paid
    /// out.
    async fn batches(&self, partner: &str) -> Vec<String> {
        let number = self.till(partner).await.partner;
        let all = self.does("GET", "/batches", "").await;
        let all = all.as_array().unwrap().iter().rev();
        all.filter(|batch| batch["partner"] == number.as_str())
            .map(|batch| {
                let names = [
                    "date",
                    "first",
                    "last",
                    "count",
                    "net",
                    "carried_in",
                    "paid_out",
                ];
                let told = names.map(|name| match &batch[name] {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                });
                told.join(" ")
            })
            .collect()
    }
}

/// The gateway's own numbers, which are other ones each time, as `N`.
pub(crate) fn veiled(text: &str) -> String {
    let own = |word: &&str| word.len() == 28 && word.starts_with("2026");
    let lines = text.lines().map(|line| {
        let words: Vec<&str> = line.split('|').collect();
        let veil = |word: &&str| if own(word) { "N" } else { *word }.to_owned();
        words.iter().map(veil).collect::<Vec<_>>().join("|")
    });
    lines.collect::<Vec<_>>().join("\n")
}

// Goal: a day's trades settle on the next working day at 15:30, Friday to Sunday on Monday; refunds
// and cancels count on their own day; the clock alone does it.
#[tokio::test]
async fn a_week_by_the_clock() {
    let world = World::start().await;
    world
        .check(
            "
        # Monday
        pay tea-house A1 alice 100.00 -> SUCCESS
        pay tea-house A2 bob 50.00 -> SUCCESS
        pay tea-house A3 alice 10.00 -> SUCCESS
        cancel tea-house A3 -> SUCCESS
        clock 2026-11-24T15:29:59+08:00
        account tea-house HKD -> balance=148.20
        clock PT1S
        account tea-house HKD -> balance=0.00
        # Tuesday: more goes back than comes in.
        refund tea-house A1 R1 30.00 is_sync=Y -> SUCCESS
        clock 2026-11-25T15:30:00+08:00
        account tea-house HKD -> balance=-30.00
        # Friday
        clock 2026-11-27T12:00:00+08:00
        pay tea-house B1 alice 100.00 -> SUCCESS
        clock 2026-11-28T12:00:00+08:00
        pay tea-house B2 alice 20.00 -> SUCCESS
        clock 2026-11-29T23:59:59+08:00
        pay tea-house B3 alice 1.00 -> SUCCESS
        clock PT1S
        pay tea-house B4 alice 7.00 -> SUCCESS
        clock 2026-11-30T15:29:59+08:00
        account tea-house HKD -> balance=96.47
        clock PT1S
        account tea-house HKD -> balance=6.92
        books
        clock P2D
        account tea-house HKD -> balance=0.00
        books
        ",
        )
        .await;
    assert_eq!(
        world.batches("tea-house").await,
        [
            "2026-11-24 2026-11-23 2026-11-23 4 148.20 0.00 148.20",
            "2026-11-25 2026-11-24 2026-11-24 1 -30.00 0.00 0.00",
            "2026-11-30 2026-11-27 2026-11-29 3 119.55 -30.00 89.55",
            "2026-12-01 2026-11-30 2026-11-30 1 6.92 0.00 6.92",
        ]
    );
    let file = world.file("tea-house", "2026-11-23", "transaction").await;
    insta::assert_snapshot!(veiled(&file.unwrap()), @"
    Partner:2088621900000101|Payment_time: 2026-11-23|Total_count:4
    Partner_transaction_id|Transaction_id|Transaction_amount|Charge_amount|Currency|Payment_time|Transaction_type|Remark|Secondary_merchant_industry|Secondary_merchant_name|Secondary_merchant_id|Operator_name|Order_scene|Trans_currency|Trans_amount|Trans_forex_rate|payment_inst
    A1|N|100.00|1.20|HKD|2026-11-23 12:00:00|PAYMENT||5812|tea-house|M001|tea-house Central||HKD|100.00|1|ALIPAYHK
    A2|N|50.00|0.60|HKD|2026-11-23 12:00:00|PAYMENT||5812|tea-house|M001|tea-house Central||HKD|50.00|1|ALIPAYCN
    A3|N|10.00|0.12|HKD|2026-11-23 12:00:00|PAYMENT||5812|tea-house|M001|tea-house Central||HKD|10.00|1|ALIPAYHK
    A3|N|10.00|0.12|HKD|2026-11-23 12:00:00|CANCEL||5812|tea-house|M001|tea-house Central||HKD|10.00|1|ALIPAYHK
    ");
    let file = world.file("tea-house", "2026-11-24", "settlement").await;
    insta::assert_snapshot!(veiled(&file.unwrap()), @"
    Partner_transaction_id|Transaction_id|Amount|Fee|Settlement|Currency|Payment_time|Settlement_time|Type|Status|Remarks|Secondary_merchant_industry|Secondary_merchant_name|Secondary_merchant_id|Operator_name|Order_scene|Trans_currency|Trans_amount|Trans_forex_rate|payment_inst
    A1|N|100.00|1.20|98.80|HKD|2026-11-23 12:00:00|2026-11-24 15:30:00|P|L||5812|tea-house|M001|tea-house Central||HKD|100.00|1|ALIPAYHK
    A2|N|50.00|0.60|49.40|HKD|2026-11-23 12:00:00|2026-11-24 15:30:00|P|L||5812|tea-house|M001|tea-house Central||HKD|50.00|1|ALIPAYCN
    A3|N|10.00|0.12|9.88|HKD|2026-11-23 12:00:00|2026-11-24 15:30:00|P|L||5812|tea-house|M001|tea-house Central||HKD|10.00|1|ALIPAYHK
    N|N|10.00|0.12|9.88|HKD|2026-11-23 12:00:00|2026-11-24 15:30:00|R|L||5812|tea-house|M001|tea-house Central||HKD|10.00|1|ALIPAYHK
    ");
    let file = world.file("tea-house", "2026-11-25", "settlement").await;
    insta::assert_snapshot!(veiled(&file.unwrap()), @"
    Partner_transaction_id|Transaction_id|Amount|Fee|Settlement|Currency|Payment_time|Settlement_time|Type|Status|Remarks|Secondary_merchant_industry|Secondary_merchant_name|Secondary_merchant_id|Operator_name|Order_scene|Trans_currency|Trans_amount|Trans_forex_rate|payment_inst
    R1|N|30.00|0.00|30.00|HKD|2026-11-24 15:30:00|2026-11-25 15:30:00|R|L|Refund|5812|tea-house|M001|tea-house Central||HKD|30.00|1|ALIPAYHK
    ");
    assert_eq!(
        world.file("tea-house", "2026-11-26", "transaction").await,
        None
    );
    assert_eq!(
        world.file("tea-house", "2026-11-27", "settlement").await,
        None
    );
}

// Goal: by whose holidays a contract settles is its own term; replaced holidays count at once.
#[tokio::test]
async fn holidays() {
    let world = World::start().await;
    let csv = "calendar,date,name\nCN,2026-11-24,a day off\nCN,2026-11-25,another\n";
    let holidays = world.does("POST", "/holidays", csv).await;
    let of = |calendar: &str| {
        let all = holidays.as_array().unwrap().iter();
        all.filter(|day| day["calendar"] == calendar).count()
    };
    assert_eq!((of("CN"), of("HK") > 10), (2, true));
    world
        .check(
            r#"
        patch partners dim-sum {"calendar":"HK"} -> 200 calendar=HK
        pay tea-house A1 alice 100.00 -> SUCCESS
        pay dim-sum A1 alice 100.00 -> SUCCESS
        clock 2026-11-24T16:00:00+08:00
        account tea-house HKD -> balance=98.80
        account dim-sum HKD -> balance=0.00
        clock P1D
        account tea-house HKD -> balance=98.80
        clock P1D
        account tea-house HKD -> balance=0.00
        books
        "#,
        )
        .await;
}

// Goal: on demand everything that is over is settled, whatever the calendar says, and once.
#[tokio::test]
async fn on_demand() {
    let world = World::start().await;
    world
        .check(
            "
        pay tea-house A1 alice 100.00 -> SUCCESS
        pay duty-free A1 bob 10.00 -> SUCCESS
        clock 2026-11-24T09:30:00+08:00
        pay tea-house A2 alice 10.00 -> SUCCESS
        ",
        )
        .await;
    let (status, refused) = world
        .api("POST", "/settle", r#"{"until":"2026-11-24"}"#)
        .await;
    assert_eq!((status, &refused["error"]), (422, &"not_over".into()));
    let settled = world.does("POST", "/settle", "").await;
    assert_eq!(settled.as_array().unwrap().len(), 2, "{settled}");
    let again = world.does("POST", "/settle", "").await;
    assert_eq!(again.as_array().unwrap().len(), 0, "{again}");
    world
        .check("account tea-house HKD -> balance=9.88\nclock PT12H\naccount tea-house HKD -> balance=9.88\nbooks")
        .await;
    let file = world.file("duty-free", "2026-11-23", "transaction").await;
    insta::assert_snapshot!(veiled(&file.unwrap()), @"
    Partner:2088621900000303|Payment_time: 2026-11-23|Total_count:1
    Partner_transaction_id|Transaction_id|Transaction_amount|Charge_amount|Currency|Payment_time|Transaction_type|Remark|Secondary_merchant_industry|Secondary_merchant_name|Operator_name|Order_scene|Trans_currency|Trans_amount|Trans_forex_rate|Rate|Rmb_amount|Rmb_settlement
    A1|N|10.00|0.12|USD|2026-11-23 12:00:00|PAYMENT||5812|duty-free|duty-free Central||USD|10.00|1|7.20000000|72.00|71.14
    ");
}

// Goal: fees round half-up to the decimals of the currency, of which the yen has none; the largest
// number that a column holds is written whole (`spec/07`, fee arithmetic).
#[tokio::test]
async fn yen_and_large_amounts() {
    let world = World::start().await;
    let rate = r#"{"base":"JPY","quote":"CNY","rate":"0.048"}"#;
    world.does("POST", "/rates", rate).await;
    let tokyo = r#"{"name":"tokyo","product":"STANDARD","country":"JP","settlement_currency":"JPY","commission_on_refund":"returned"}"#;
    world.does("POST", "/partners", tokyo).await;
    world
        .check(
            "
        pay tokyo J1 bob 541 -> SUCCESS
        pay tokyo J2 bob 542 -> SUCCESS
        refund tokyo J2 R1 142 is_sync=Y -> SUCCESS
        topup alice 10000000.00
        pay tea-house L1 alice 9999999.99 -> SUCCESS
        pay tea-house L2 alice 0.01 -> SUCCESS
        pay tea-house L3 alice 2899.05 -> SUCCESS
        clock 2026-11-25T09:00:00+08:00
        account tokyo JPY -> balance=0
        books
        ",
        )
        .await;
    let file = world.file("tokyo", "2026-11-24", "settlement").await;
    insta::assert_snapshot!(veiled(&file.unwrap()), @"
    Partner_transaction_id|Transaction_id|Amount|Rmb_amount|Fee|Settlement|Rmb_settlement|Currency|Rate|Payment_time|Settlement_time|Type|Status|Remarks|Secondary_merchant_industry|Secondary_merchant_name|Operator_name|Order_scene|Trans_currency|Trans_amount|Trans_forex_rate
    J1|N|541|25.97|6|535|25.68|JPY|0.04800000|2026-11-23 12:00:00|2026-11-24 15:30:00|P|L||5812|tokyo|tokyo Central||JPY|541|1
    J2|N|542|26.02|7|535|25.68|JPY|0.04800000|2026-11-23 12:00:00|2026-11-24 15:30:00|P|L||5812|tokyo|tokyo Central||JPY|542|1
    R1|N|142|6.82|2|140|6.72|JPY|0.04800000|2026-11-23 12:00:00|2026-11-24 15:30:00|R|L|Refund|5812|tokyo|tokyo Central||JPY|142|1
    ");
    let file = world.file("tea-house", "2026-11-24", "settlement").await;
    let rows = veiled(&file.unwrap());
    let firsts = rows
        .lines()
        .skip(1)
        .map(|row| row.split('|').take(5).collect::<Vec<_>>().join("|"));
    assert_eq!(
        firsts.collect::<Vec<_>>(),
        [
            "L1|N|9999999.99|120000.00|9879999.99",
            "L2|N|0.01|0.00|0.01",
            "L3|N|2899.05|34.79|2864.26",
        ]
    );
}
