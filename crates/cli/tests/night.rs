//! `kill -9` in the night: in the middle of the refund batch, and of telling partners about it.

#![cfg(unix)]

mod process;

use std::time::Duration;

use process::receiver::Receiver;
use process::till::{Heard, Phones, Till};
use process::{Dice, Gateway, Place, pause, until};
use serde_json::json;

const NOON: &str = "2026-11-23T12:00:00+08:00";
const SEED: u64 = 20_261_123;
const PAYMENTS: usize = 30;
/// Of one payment; each of 1.00 of its 100.00 HKD.
const REFUNDS: usize = 20;

/// The refunds of every payment.
fn refunds() -> impl Iterator<Item = (String, String)> {
    let of =
        |number| (0..REFUNDS).map(move |part| (format!("P{number}"), format!("R{number}-{part}")));
    (0..PAYMENTS).flat_map(of)
}

fn pay_and_ask_for_refunds(gateway: &Gateway, till: &Till, phones: &Phones) {
    let mut line = gateway.line();
    for number in 0..PAYMENTS {
        let (_, code) = phones.code(number);
        let pay = till.pay(&format!("P{number}"), 10_000, code.as_str());
        let heard = till.ask(&mut line, &pay).expect("an answer");
        assert!(heard.is_success(), "{heard:?}");
    }
    for (trade, refund) in refunds() {
        let ask = till.refund_later(&trade, &refund, 100);
        let heard = till.ask(&mut line, &ask).expect("an answer");
        assert!(heard.is_success(), "{heard:?}");
    }
}

fn done(gateway: &Gateway, till: &Till) -> usize {
    let mut line = gateway.line();
    let states = refunds().map(|(trade, refund)| {
        let heard = till.ask(&mut line, &till.refund_query(&trade, &refund));
        heard.expect("an answer")
    });
    let states: Vec<Heard> = states.collect();
    let known = |heard: &Heard| heard.is("SUCCESS") || heard.is("PROCESSING");
    assert!(states.iter().all(known), "{states:?}");
    states.iter().filter(|heard| heard.is("SUCCESS")).count()
}

// Goal: killed again and again while the clock goes to 23:00 and the batch runs; in the end each
// refund happened once, and each was told under one number, as was each payment.
#[test]
fn killed_in_the_night() {
    let place = Place::new();
    let receiver = Receiver::start(Duration::from_millis(3));
    let launch = || place.launch().quiet().arg("--clock").arg(NOON).start();
    let mut dice = Dice(SEED);
    let mut gateway = launch();
    let till = Till::of(&gateway, "tea-house");
    let url = json!({"notify_url": receiver.url()});
    let amended = gateway.ask("PATCH", "/sandbox/v1/partners/tea-house", &url.to_string());
    assert_eq!(amended.status, 200, "{}", amended.text());
    let phones = Phones::hire(&gateway, PAYMENTS);
    pay_and_ask_for_refunds(&gateway, &till, &phones);
    let mut seen = Vec::new();
    for round in 0..6 {
        let night = json!({"set": "2026-11-23T23:00:00+08:00"}).to_string();
        let mut line = gateway.line();
        let move_clock = format!(
            "POST /sandbox/v1/clock HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{night}",
            night.len()
        );
        line.send(move_clock.as_bytes()).expect("it listens");
        // Longer each time, so that one of them hits the batch on a fast machine and on a slow one.
        pause(Duration::from_micros((1_500 << round) + dice.below(1_000)));
        gateway.kill();
        gateway = launch();
        gateway.assert_balanced();
        seen.push(done(&gateway, &till));
    }
    assert!(seen.is_sorted(), "what is done stays done: {seen:?}");
    gateway.post("/clock", &json!({"set": "2026-11-23T23:30:00+08:00"}));
    assert_eq!(done(&gateway, &till), PAYMENTS * REFUNDS);
    gateway.assert_balanced();
    for wallet in gateway
        .fetch("/wallets?limit=1000")
        .as_array()
        .expect("wallets")
    {
        let hired = phones.wallets().any(|id| wallet["wallet_id"] == id);
        assert!(!hired || wallet["balance"] == "9920.00", "{wallet}");
    }
    until("everything was heard", || {
        let all = gateway.fetch("/notifications?limit=1000");
        let all = all.as_array().expect("notifications");
        assert_eq!(all.len(), PAYMENTS + PAYMENTS * REFUNDS);
        all.iter().all(|one| one["state"] == "acknowledged")
    });
    let told = receiver.told();
    assert_eq!(told.len(), PAYMENTS + PAYMENTS * REFUNDS);
    let twice: Vec<_> = told.iter().filter(|(_, ids)| ids.len() != 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    println!("refunds done after each kill: {seen:?}");
}
