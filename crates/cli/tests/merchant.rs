//! The merchant's commands against a real gateway: what they print, how they exit, and where the
//! money is afterwards.

#![cfg(unix)]

mod process;

use std::process::{Command, Output, Stdio};

use process::thief::{Fate, Thief};
use process::{Gateway, Place, until};
use rustix::process::Signal;
use serde_json::{Value, json};

/// The keys of a report, in their order (`contract.md`).
const REPORT: [&str; 8] = [
    "outcome",
    "state",
    "error",
    "partner_trans_id",
    "alipay_trans_id",
    "payment_inst",
    "amount",
    "currency",
];

/// Exit code, and the one JSON object on standard output.
fn told(output: &Output) -> (i32, Value) {
    let text = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(text.lines().count(), 1, "{text}\n{said}");
    let object = serde_json::from_str(&text).expect("JSON");
    (output.status.code().expect("an exit"), object)
}

/// A report with all of its keys, in their order.
fn report(output: &Output) -> (i32, Value) {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let places: Vec<Option<usize>> = REPORT
        .iter()
        .map(|key| text.find(&format!("\"{key}\":")))
        .collect();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{text}"
    );
    let (exit, object) = told(output);
    assert_eq!(object.as_object().expect("an object").len(), REPORT.len());
    (exit, object)
}

/// The named fields of a report are so.
fn assert_report(output: &Output, exit: i32, expected: &Value) {
    let (found, report) = report(output);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(found, exit, "{report}\n{said}");
    for (key, value) in expected.as_object().expect("an object") {
        assert_eq!(&report[key], value, "{key}: {report}\n{said}");
    }
}

fn code(place: &Place, wallet: &str) -> String {
    let output = place.spotpay(&["code", "--wallet", wallet]);
    assert!(output.status.success());
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn balance(gateway: &Gateway, wallet: &str) -> String {
    let wallet = gateway.fetch(&format!("/wallets/{wallet}"));
    wallet["balance"].as_str().expect("a balance").to_owned()
}

/// The whole life of a payment, with each kind of signature.
fn pay_query_cancel(place: &Place) {
    for (sign, id) in [("rsa2", "M-1"), ("rsa", "M-2"), ("md5", "M-3")] {
        let fresh = place.spotpay(&["code", "--wallet", "alice", "--json"]);
        let (exit, object) = told(&fresh);
        let keys: Vec<&str> = object
            .as_object()
            .expect("an object")
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!((exit, keys), (0, vec!["code", "expires_at"]));
        let code = object["code"].as_str().expect("a code");
        let pay = ["pay", "--code", code, "--amount", "39.30", "--id", id];
        let paid = place.spotpay(&[&pay[..], &["--json", "--sign", sign]].concat());
        let is_paid = json!({"outcome": "success", "state": "TRADE_SUCCESS", "error": null,
            "partner_trans_id": id, "payment_inst": "ALIPAYHK", "amount": "39.30", "currency": "HKD"});
        assert_report(&paid, 0, &is_paid);
        let number = report(&paid).1["alipay_trans_id"].clone();
        assert_eq!(number.as_str().map(str::len), Some(28));

        let found = place.spotpay(&["query", id, "--json", "--sign", sign]);
        assert_report(&found, 0, &is_paid);
        assert_report(&found, 0, &json!({"alipay_trans_id": number}));
        let cancelled = place.spotpay(&["cancel", id, "--json", "--sign", sign]);
        assert_report(
            &cancelled,
            0,
            &json!({"outcome": "success", "state": "TRADE_CLOSED"}),
        );
        let found = place.spotpay(&["query", id, "--json", "--sign", sign]);
        assert_report(
            &found,
            0,
            &json!({"outcome": "success", "state": "TRADE_CLOSED"}),
        );
    }
}

// Goal: over HTTP, and what people see without --json.
#[test]
fn over_http() {
    let place = Place::new();
    let gateway = place.start();
    pay_query_cancel(&place);
    assert_eq!(balance(&gateway, "alice"), "100000.00");
    let code = code(&place, "bob");
    let output = place.spotpay(&["pay", "--code", &code, "--amount", "10", "--no-wait"]);
    assert_eq!(output.status.code(), Some(0));
    let line = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(line.starts_with("paid HKD 10.00 with ALIPAYCN"), "{line}");
    assert_eq!(balance(&gateway, "bob"), "99990.80");
    gateway.assert_balanced();
}

// Goal: over HTTPS, trusting the authority of the folder and no other.
#[test]
fn over_https() {
    let place = Place::new();
    let gateway = place.launch().arg("--tls").start();
    assert!(
        gateway.origin.starts_with("https://127.0.0.1:"),
        "{}",
        gateway.origin
    );
    pay_query_cancel(&place);
    let authority = std::fs::read(place.data().join("ca.pem")).expect("ca.pem");
    assert!(gateway.stop(Signal::TERM).success());
    let _gateway = place.launch().arg("--tls").start();
    let again = std::fs::read(place.data().join("ca.pem")).expect("ca.pem");
    assert!(authority == again, "the authority changes");
    assert_report(
        &place.spotpay(&["query", "M-1", "--json"]),
        0,
        &json!({"state": "TRADE_CLOSED"}),
    );

    let code = code(&place, "alice");
    let other = Place::new();
    drop(other.launch().arg("--tls").start());
    let file = "sandbox.json";
    std::fs::copy(place.data().join(file), other.data().join(file)).expect("a copy");
    let pay = [
        "pay",
        "--code",
        &code,
        "--amount",
        "1",
        "--id",
        "M-4",
        "--json",
        "--no-wait",
    ];
    let refused = other.spotpay(&pay);
    assert_report(
        &refused,
        3,
        &json!({"outcome": "unknown", "error": "not_sent", "state": null}),
    );
    let query = place.spotpay(&["query", "M-4", "--json"]);
    assert_report(&query, 1, &json!({"error": "TRADE_NOT_EXIST"}));
}

// Goal: what a rule refuses exits with 1 and says its published code.
#[test]
fn refusals() {
    let place = Place::new();
    let gateway = place.start();
    for (wallet, partner, error) in [
        ("bob", "dim-sum", "NOT_SUPPORT_PAYMENT_INST"),
        ("alice", "duty-free", "NOT_SUPPORT_PAYMENT_INST"),
        ("poor", "tea-house", "BUYER_BALANCE_NOT_ENOUGH"),
        ("frozen", "tea-house", "BUYER_ENABLE_STATUS_FORBID"),
    ] {
        let code = code(&place, wallet);
        let pay = ["pay", "--code", &code, "--amount", "39.30", "--json"];
        let output = place.spotpay(&[&pay[..], &["--partner", partner]].concat());
        let expected = json!({"outcome": "refused", "state": null, "error": error,
            "alipay_trans_id": null, "payment_inst": null, "amount": "39.30"});
        assert_report(&output, 1, &expected);
    }
    let code = code(&place, "alice");
    let pay = ["pay", "--code", &code, "--amount", "1.00", "--json"];
    assert_report(&place.spotpay(&pay), 0, &json!({"outcome": "success"}));
    let used = json!({"outcome": "refused", "error": "SOUNDWAVE_PARSER_FAIL"});
    assert_report(&place.spotpay(&pay), 1, &used);
    let nothing = json!({"outcome": "refused", "error": "TRADE_NOT_EXIST", "state": null});
    assert_report(&place.spotpay(&["query", "NEVER", "--json"]), 1, &nothing);
    let nothing_to_do = json!({"outcome": "success", "state": null});
    assert_report(
        &place.spotpay(&["cancel", "NEVER", "--json"]),
        0,
        &nothing_to_do,
    );
    gateway.assert_balanced();
}

// Goal: bad usage exits with 2 and one line; nobody to talk to exits with 3.
#[test]
fn usage_and_nobody() {
    let place = Place::new();
    let gateway = place.start();
    let code = code(&place, "alice");
    for arguments in [
        &["pay", "--amount", "1"][..],
        &["pay", "--code", "12", "--amount", "1"],
        &["pay", "--code", &code, "--amount", "-1"],
        &["pay", "--code", &code, "--amount", "1.001"],
        &[
            "pay",
            "--code",
            &code,
            "--amount",
            "1",
            "--partner",
            "nobody",
        ],
        &["query"],
        &["query", "M-1", "--sign", "dsa"],
        &["cancel", ""],
        &["code", "--wallet", "../x"],
        &["nonsense"],
    ] {
        let output = place.spotpay(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        let lines = said.lines().filter(|line| !line.starts_with("paying "));
        assert_eq!(lines.count(), 1, "{arguments:?}: {said}");
    }
    let unknown = place.spotpay(&["code", "--wallet", "nobody", "--json"]);
    let (exit, object) = told(&unknown);
    assert_eq!((exit, &object["error"]), (1, &json!("not_found")));
    gateway.kill();
    let not_sent = json!({"outcome": "unknown", "error": "not_sent"});
    assert_report(&place.spotpay(&["query", "M-1", "--json"]), 3, &not_sent);
    let pay = [
        "pay",
        "--code",
        &code,
        "--amount",
        "1",
        "--no-wait",
        "--json",
    ];
    assert_report(&place.spotpay(&pay), 3, &not_sent);
    let (exit, object) = told(&place.spotpay(&["code", "--wallet", "alice", "--json"]));
    assert_eq!((exit, &object["error"]), (3, &json!("not_sent")));
}

/// Waits until a payment waits for the buyer, who then answers; as on the phone.
fn answer_as_buyer(gateway: &Gateway, id: &str, accept: bool) {
    until("the payment waits", || {
        let wallet = gateway.fetch("/wallets/careful");
        let trades = wallet["trades"].as_array().expect("trades").clone();
        trades
            .iter()
            .any(|trade| trade["partner_trans_id"] == id && trade["state"] == "WAIT_BUYER_PAY")
    });
    let answer = json!({"partner_trans_id": id, "accept": accept});
    gateway.post("/wallets/careful/confirm", &answer);
}

// Goal: a payment that the buyer has to confirm: accepted, declined, and left alone to the limit.
#[test]
fn careful() {
    let place = Place::new();
    let gateway = place.start();
    let pay = |id: &str, limit: &str| {
        let code = code(&place, "careful");
        let pay = ["pay", "--code", &code, "--amount", "20.00", "--id", id];
        place.spotpay(&[&pay[..], &["--limit", limit, "--json"]].concat())
    };
    std::thread::scope(|scope| {
        let accepted = scope.spawn(|| pay("C-1", "60s"));
        let declined = scope.spawn(|| pay("C-2", "60s"));
        let ignored = scope.spawn(|| pay("C-3", "1s"));
        answer_as_buyer(&gateway, "C-1", true);
        answer_as_buyer(&gateway, "C-2", false);
        let paid =
            json!({"outcome": "success", "state": "TRADE_SUCCESS", "payment_inst": "ALIPAYHK"});
        assert_report(&accepted.join().expect("a till"), 0, &paid);
        let closed = json!({"outcome": "refused", "state": "TRADE_CLOSED", "payment_inst": null});
        assert_report(&declined.join().expect("a till"), 1, &closed);
        assert_report(&ignored.join().expect("a till"), 1, &closed);
    });
    let waiting = place.spotpay(&[
        "pay",
        "--code",
        &code(&place, "careful"),
        "--amount",
        "5",
        "--id",
        "C-4",
        "--no-wait",
        "--json",
    ]);
    let expected = json!({"outcome": "unknown", "state": "WAIT_BUYER_PAY", "payment_inst": null});
    assert_report(&waiting, 3, &expected);
    for (id, state) in [
        ("C-1", "TRADE_SUCCESS"),
        ("C-2", "TRADE_CLOSED"),
        ("C-3", "TRADE_CLOSED"),
    ] {
        assert_report(
            &place.spotpay(&["query", id, "--json"]),
            0,
            &json!({"state": state}),
        );
    }
    assert_eq!(balance(&gateway, "careful"), "99980.00");
    let (exit, resumed) = told(&place.spotpay(&["resume", "--json"]));
    assert_eq!(
        (exit, resumed),
        (0, json!({"still_open": 0, "checkouts": []}))
    );
    gateway.assert_balanced();
}

// Goal: the gateway is killed while a till waits, and comes back: the till goes on by itself.
#[test]
fn gateway_killed_during_a_pay() {
    let place = Place::new();
    let gateway = place.start();
    let address = gateway.address();
    let code = code(&place, "careful");
    let pay = [
        "pay", "--code", &code, "--amount", "20.00", "--id", "R-1", "--json",
    ];
    let till = place
        .command(&pay)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let till = till.expect("the till starts");
    until("the payment waits", || {
        gateway.fetch("/wallets/careful")["trades"][0]["state"] == "WAIT_BUYER_PAY"
    });
    gateway.kill();
    let gateway = place.launch().listen(address).start();
    answer_as_buyer(&gateway, "R-1", true);
    let output = till.wait_with_output().expect("the till ends");
    assert_report(
        &output,
        0,
        &json!({"outcome": "success", "state": "TRADE_SUCCESS"}),
    );
    assert_eq!(balance(&gateway, "careful"), "99980.00");
    gateway.assert_balanced();
}

/// A till that loses its power with its gateway: the payment's fate on the road, then both killed
/// and the gateway started again. What `resume` works on.
struct LostPower {
    place: Place,
    gateway: Gateway,
    thief: Thief,
    url: String,
}

impl LostPower {
    fn happen(wallet: &str, fate: Fate) -> Self {
        let place = Place::new();
        let gateway = place.start();
        let thief = Thief::before(gateway.address());
        let url = format!("http://{}/gateway.do", thief.address);
        let code = code(&place, wallet);
        thief.set(fate);
        let pay = ["pay", "--code", &code, "--amount", "20.00", "--id", "P-1"];
        let mut till = place
            .command(&[&pay[..], &["--gateway", &url]].concat())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the till starts");
        if fate == Fate::Pass {
            until("the payment waits", || {
                let wallet = gateway.fetch(&format!("/wallets/{wallet}"));
                wallet["trades"][0]["state"] == "WAIT_BUYER_PAY"
            });
        } else {
            until("it is lost on the road", || thief.lost() > 0);
        }
        till.kill().expect("the till is ours");
        till.wait().expect("it ends");
        gateway.kill();
        let gateway = place.start();
        thief.lead_to(gateway.address());
        thief.set(Fate::Pass);
        Self {
            place,
            gateway,
            thief,
            url,
        }
    }

    fn resume(&self, paid: &str) -> (i32, Value) {
        let resume = ["resume", "--paid", paid, "--gateway", &self.url, "--json"];
        told(&self.place.spotpay(&resume))
    }

    /// What a query says, and what the wallet has.
    fn end(&self, wallet: &str) -> (Value, String) {
        self.gateway.assert_balanced();
        let (_, found) = report(&self.place.spotpay(&["query", "P-1", "--json"]));
        let state = if found["state"].is_null() {
            found["error"].clone()
        } else {
            found["state"].clone()
        };
        assert!(self.thief.lost() < 2);
        (state, balance(&self.gateway, wallet))
    }
}

// Goal: paid, and the answer lost with the power: nobody decides for the shop whether the goods
// were handed over; then the shop says so.
#[test]
fn power_lost_after_the_payment() {
    for (paid, state, left) in [
        ("give-back", "TRADE_CLOSED", "100000.00"),
        ("accept", "TRADE_SUCCESS", "99980.00"),
    ] {
        let lost = LostPower::happen("alice", Fate::LoseAnswer);
        assert_eq!(balance(&lost.gateway, "alice"), "99980.00");
        let (exit, resumed) = lost.resume("leave-open");
        assert_eq!((exit, &resumed["still_open"]), (3, &json!(1)));
        assert_eq!(resumed["checkouts"][0]["state"], "TRADE_SUCCESS");
        let (exit, resumed) = lost.resume(paid);
        assert_eq!((exit, &resumed["still_open"]), (0, &json!(0)), "{resumed}");
        assert_eq!(lost.end("alice"), (json!(state), left.to_owned()));
        let (exit, resumed) = lost.resume(paid);
        assert_eq!(
            (exit, resumed),
            (0, json!({"still_open": 0, "checkouts": []}))
        );
    }
}

// Goal: the power went before anybody paid: the trade is closed, whether the request arrived or
// not, and a request that is still on the road finds it so.
#[test]
fn power_lost_before_the_payment() {
    for (wallet, fate, state) in [
        ("careful", Fate::Pass, "TRADE_CLOSED"),
        ("alice", Fate::LoseRequest, "TRADE_NOT_EXIST"),
    ] {
        let lost = LostPower::happen(wallet, fate);
        let (exit, resumed) = lost.resume("leave-open");
        assert_eq!((exit, &resumed["still_open"]), (0, &json!(0)), "{resumed}");
        assert_eq!(resumed["checkouts"][0]["outcome"], "refused");
        assert_eq!(lost.end(wallet), (json!(state), "100000.00".to_owned()));
        let code = code(&lost.place, "alice");
        let late = [
            "pay",
            "--code",
            &code,
            "--amount",
            "20.00",
            "--id",
            "P-1",
            "--no-wait",
        ];
        let late = lost.place.spotpay(&[&late[..], &["--json"]].concat());
        // Of careful's trade alice is not the buyer, closed or not.
        let (_, late) = report(&late);
        let refused = [json!("TRADE_HAS_CLOSE"), json!("TRADE_BUYER_NOT_MATCH")];
        assert!(refused.contains(&late["error"]), "{late}");
        assert_eq!(balance(&lost.gateway, "alice"), "100000.00");
    }
}

// Goal: a merchant program as they were written years ago, in another language, pays, queries and
// cancels unchanged: three request shapes, two charsets, its own MD5.
#[test]
fn an_old_merchant_program() {
    let place = Place::new();
    let gateway = place.start();
    let sandbox = gateway.fetch("/sandbox.json");
    let tea_house = &sandbox["partners"][0];
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/programs/old_merchant.py"
    );
    let mut program = Command::new("python3");
    program.arg(script).arg(text(&sandbox["gateway_url"]));
    program
        .arg(text(&tea_house["partner_id"]))
        .arg(text(&tea_house["md5_key"]));
    let codes = gateway.post("/wallets/alice/code", &json!({"count": 6}));
    program.args(codes["codes"].as_array().expect("codes").iter().map(text));
    let output = match program.output() {
        Ok(output) => output,
        Err(error) => {
            println!("SKIPPED: no python3 for the old merchant program: {error}");
            return;
        }
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complaint}");
    print!("{said}");
    assert_eq!(said.lines().count(), 7, "{said}");
    assert_eq!(balance(&gateway, "alice"), "100000.00");
    gateway.assert_balanced();
}
