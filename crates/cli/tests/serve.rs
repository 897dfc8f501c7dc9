//! The life of `spotpay serve`: what it writes, how it begins and how it ends.

#![cfg(unix)]

mod process;

use std::collections::BTreeSet;

use process::Place;
use process::till::Till;
use rustix::process::Signal;
use serde_json::{Value, json};
use spotpay_core::time::Span;
use spotpay_wire::keys::{PrivateKey, PublicKey};

fn sandbox_json(place: &Place) -> Value {
    let text = std::fs::read(place.data().join("sandbox.json")).expect("sandbox.json");
    serde_json::from_slice(&text).expect("JSON")
}

fn keys(object: &Value) -> BTreeSet<&str> {
    let object = object.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

/// One field of each element.
fn column<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    let list = list.as_array().expect("a list");
    let text = |element: &'a Value| element[field].as_str().expect("text");
    list.iter().map(text).collect()
}

// Goal: sandbox.json is what contract.md says, and is handed out beside the gateway.
#[test]
fn sandbox_file() {
    let place = Place::new();
    let gateway = place.start();
    let file = sandbox_json(&place);
    let origin = &gateway.origin;
    assert_eq!(
        keys(&file),
        BTreeSet::from(["gateway_url", "sandbox_url", "partners", "wallets"])
    );
    assert_eq!(file["gateway_url"], format!("{origin}/gateway.do"));
    assert_eq!(file["sandbox_url"], format!("{origin}/sandbox/v1"));
    assert_eq!(gateway.fetch("/sandbox.json"), file);

    let partners = &file["partners"];
    assert_eq!(
        column(partners, "name"),
        ["tea-house", "dim-sum", "duty-free"]
    );
    assert_eq!(column(partners, "product"), ["HK", "HK", "STANDARD"]);
    assert_eq!(
        column(partners, "settlement_currency"),
        ["HKD", "HKD", "USD"]
    );
    for partner in partners.as_array().expect("partners") {
        let expected = [
            "name",
            "product",
            "partner_id",
            "settlement_currency",
            "md5_key",
            "rsa_private_key",
            "gateway_rsa_public_key",
        ];
        assert_eq!(keys(partner), BTreeSet::from(expected));
        let text = |field: &str| partner[field].as_str().expect("text");
        assert!(text("partner_id").starts_with("2088") && text("partner_id").len() == 16);
        assert_eq!(text("md5_key").len(), 32);
        // Base64 in one line, as the genuine SDKs take it.
        let base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
        assert!(text("rsa_private_key").chars().all(base64));
        assert!(text("gateway_rsa_public_key").chars().all(base64));
        text("rsa_private_key")
            .parse::<PrivateKey>()
            .expect("PKCS#8");
        text("gateway_rsa_public_key")
            .parse::<PublicKey>()
            .expect("SubjectPublicKeyInfo");
    }
    let wallets = &file["wallets"];
    assert_eq!(
        column(wallets, "name"),
        ["alice", "bob", "poor", "careful", "frozen"]
    );
    let insts = ["ALIPAYHK", "ALIPAYCN", "ALIPAYHK", "ALIPAYHK", "ALIPAYHK"];
    assert_eq!(column(wallets, "payment_inst"), insts);
    assert_eq!(
        column(wallets, "currency"),
        ["HKD", "CNY", "HKD", "HKD", "HKD"]
    );
    let rich = "100000.00";
    assert_eq!(column(wallets, "balance"), [rich, rich, "0.00", rich, rich]);
    for wallet in wallets.as_array().expect("wallets") {
        let expected = ["name", "wallet_id", "payment_inst", "currency", "balance"];
        assert_eq!(keys(wallet), BTreeSet::from(expected));
    }
    let rates = gateway.fetch("/rates");
    let named = |rate: &Value| format!("{}{} {}", rate["base"], rate["quote"], rate["rate"]);
    let rates: Vec<String> = rates.as_array().expect("rates").iter().map(named).collect();
    let rates = rates.join(", ").replace('"', "");
    assert_eq!(rates, "HKDCNY 0.92000000, USDCNY 7.20000000");
}

// Goal: two fresh starts differ in their port and in nothing else; and a restart keeps it all.
#[test]
fn the_same_on_every_start() {
    let (place, other) = (Place::new(), Place::new());
    let (first, second) = (place.start(), other.start());
    let (one, two) = (sandbox_json(&place), sandbox_json(&other));
    for part in ["partners", "wallets"] {
        assert_eq!(one[part], two[part]);
    }
    assert_ne!(one["gateway_url"], two["gateway_url"]);
    second.post("/wallets/poor/topup", &json!({"amount": "5.00"}));
    assert!(second.stop(Signal::TERM).success());
    let _second = other.start();
    let again = sandbox_json(&other);
    assert_eq!(again["partners"], one["partners"]);
    assert_eq!(column(&again["wallets"], "balance")[2], "5.00");
    drop(first);
}

// Goal: SIGTERM and Ctrl-C let what is under way finish, and exit with 0.
#[test]
fn signals() {
    for signal in [Signal::TERM, Signal::INT] {
        let place = Place::new();
        let mut gateway = place.start();
        let till = Till::of(&gateway, "tea-house");
        let code = gateway.post("/wallets/alice/code", &json!({}));
        let pay = till.pay("T-1", 3_930, code["code"].as_str().expect("a code"));
        let mut idle = gateway.line();
        idle.ask(b"GET /healthz HTTP/1.1\r\nhost: t\r\n\r\n")
            .expect("an answer");
        // Under way: the gateway says that it waits for the body.
        let mut line = gateway.line();
        let pay = String::from_utf8(pay).expect("text");
        let (head, body) = pay.split_once("\r\n\r\n").expect("a head and a body");
        let head = format!("{head}\r\nexpect: 100-continue\r\n\r\n");
        let waits = line.ask(head.as_bytes()).expect("it waits");
        assert_eq!(waits.status, 100, "{}", waits.head);
        gateway.signal(signal);
        // An idle connection is closed, so that nobody sends into it.
        assert!(idle.rest().expect("an end").is_empty());
        line.send(body.as_bytes()).expect("it still listens");
        let answer = line.answer().expect("an answer");
        assert!(till.hear(&answer).is_success());
        assert_eq!(
            gateway.wait().code(),
            Some(0),
            "{signal:?}\n{}",
            gateway.log()
        );
        let gateway = place.start();
        assert!(
            till.ask_once(&gateway, &till.query("T-1"))
                .is("TRADE_SUCCESS")
        );
    }
}

// Goal: --clock says where the clock of an empty store begins, and of no other.
#[test]
fn clock() {
    let place = Place::new();
    let instant = |text: &Value| {
        let text = text.as_str().expect("an instant");
        spotpay_server::sandbox::parse_instant(text).expect("an instant")
    };
    let start = json!("2031-05-01T23:59:00+08:00");
    let launch = || {
        place
            .launch()
            .arg("--clock")
            .arg("2031-05-01T23:59:00+08:00")
    };
    let gateway = launch().start();
    let now = instant(&gateway.fetch("/clock")["now"]);
    let since = now.since(instant(&start));
    assert!(
        Span::micros(0) <= since && since < Span::minutes(1),
        "{now}"
    );
    let code = gateway.post("/wallets/alice/code", &json!({}));
    let till = Till::of(&gateway, "tea-house");
    let pay = till.pay("T-1", 100, code["code"].as_str().expect("a code"));
    assert!(till.ask_once(&gateway, &pay).is_success());
    let trade = gateway.fetch("/wallets/alice")["trades"][0].clone();
    let number = trade["alipay_trans_id"].as_str().expect("a number");
    assert!(
        number.starts_with("20310501") || number.starts_with("20310502"),
        "{number}"
    );

    let advanced = place.spotpay(&["clock", "advance", "3m"]);
    assert!(advanced.status.success());
    let back = place.spotpay(&["clock", "set", "2031-05-01T00:00:00+08:00", "--json"]);
    assert_eq!(back.status.code(), Some(1));
    let said: Value = serde_json::from_slice(&back.stdout).expect("JSON");
    assert_eq!(said["error"], "backwards");
    drop(gateway);

    let gateway = launch().start();
    let now = instant(&gateway.fetch("/clock")["now"]);
    assert!(Span::minutes(3) <= now.since(instant(&start)), "{now}");
    let shown = place.spotpay(&["clock"]);
    let shown = String::from_utf8_lossy(&shown.stdout).trim().to_owned();
    assert!(now <= instant(&json!(shown)));
}

// Goal: what keeps it from starting is said in one line, exit code 2, and nothing on standard
// output that a script could take for an address.
#[test]
fn it_does_not_start() {
    let place = Place::new();
    let gateway = place.start();
    let other = Place::new();
    let file = other.file("file");
    std::fs::write(&file, "").expect("a file");
    let busy = other.launch().listen(gateway.address()).command();
    let no_folder = other.launch().on(file).command();
    let mut cases = vec![("busy", busy), ("a file for a folder", no_folder)];
    for (name, arguments) in [
        ("production", &["--mode", "production"][..]),
        ("clock", &["--clock", "noon"]),
        ("name without TLS", &["--tls-name", "a.example"]),
        ("no such mode", &["--mode", "demo"]),
        ("no such limit", &["--limit", "bodies=5"]),
        ("a limit out of range", &["--limit", "body-bytes=5"]),
    ] {
        let mut command = other.launch().command();
        command.args(arguments);
        cases.push((name, command));
    }
    let broken = Place::new();
    std::fs::create_dir(broken.data()).expect("a folder");
    std::fs::write(broken.data().join("spotpay.db"), "a".repeat(5_000)).expect("a file");
    cases.push(("a file that is no store", broken.launch().command()));
    for (name, mut command) in cases {
        let output = command.output().expect("the binary starts");
        let said = String::from_utf8_lossy(&output.stderr);
        println!("{name}: {said}");
        assert_eq!(output.status.code(), Some(2), "{name}: {said}");
        assert!(output.stdout.is_empty(), "{name}");
        assert_eq!(said.lines().count(), 1, "{name}: {said}");
    }
    assert!(gateway.is_ready());
}
