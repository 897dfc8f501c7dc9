//! `kill -9` at the end of the day: in the middle of settlement, and of making the files.

#![cfg(unix)]

mod process;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use process::till::{Phones, Till};
use process::{Dice, Gateway, Place, pause};
use serde_json::json;

const NOON: &str = "2026-11-23T12:00:00+08:00";
/// Behind the settlement of the payments' day, and the files of both days.
const OVER: &str = "2026-11-25T09:00:00+08:00";
const LATER: &str = "2026-11-25T10:00:00+08:00";
const SEED: u64 = 20_261_125;
/// More than the settlement hands to the engine at once, so that it is several commits.
const SHOPS: usize = 150;
/// Of one shop; each of 100.00 HKD, of which 1.20 is commission.
const PAYMENTS: usize = 2;

fn pay(gateway: &Gateway, phones: &Phones) {
    let mut line = gateway.line();
    for shop in 0..SHOPS {
        let name = format!("shop-{shop}");
        let partner = gateway.post("/partners", &json!({"name": name, "product": "HK"}));
        let till = Till::new(&partner);
        for number in 0..PAYMENTS {
            let (_, code) = phones.code(shop * PAYMENTS + number);
            let pay = till.pay(&format!("P{number}"), 10_000, code.as_str());
            let heard = till.ask(&mut line, &pay).expect("an answer");
            assert!(heard.is_success(), "{heard:?}");
        }
    }
}

/// The published files in the folder: a name that can be seen is a file that is whole.
fn files(data: &Path) -> BTreeMap<String, Vec<u8>> {
    let Ok(folder) = fs::read_dir(data.join("files")) else {
        return BTreeMap::new();
    };
    let files = folder.map(|entry| {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        (name.into_owned(), fs::read(&path).expect("a file"))
    });
    files.collect()
}

fn is_published(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|ending| ending == "txt")
}

// Goal: killed again and again while the clock goes over 15:30 and 09:00; in the end each shop has
// one batch that was paid out once, and both files, none of which ever changed.
#[test]
fn killed_at_the_end_of_the_day() {
    let place = Place::new();
    let launch = || place.launch().quiet().arg("--clock").arg(NOON).start();
    let mut dice = Dice(SEED);
    let mut gateway = launch();
    let phones = Phones::hire(&gateway, SHOPS * PAYMENTS);
    pay(&gateway, &phones);
    let mut seen: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut steps = Vec::new();
    for round in 0..7 {
        let wish = json!({"set": OVER}).to_string();
        let move_clock = format!(
            "POST /sandbox/v1/clock HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{wish}",
            wish.len()
        );
        let mut line = gateway.line();
        line.send(move_clock.as_bytes()).expect("it listens");
        // Longer each time, so that one of them hits the work on a fast machine and on a slow one.
        pause(Duration::from_micros((4_000 << round) + dice.below(3_000)));
        gateway.kill();
        let there = files(&place.data());
        for (name, bytes) in &seen {
            assert_eq!(there.get(name), Some(bytes), "{name} changed");
        }
        seen.extend(there.into_iter().filter(|(name, _)| is_published(name)));
        gateway = launch();
        gateway.assert_balanced();
        let batches = gateway.fetch("/batches");
        steps.push((batches.as_array().map_or(0, Vec::len), seen.len()));
    }
    // On a busy machine none of the moves came to its end.
    gateway.post("/clock", &json!({"set": LATER}));
    gateway.assert_balanced();
    let batches = gateway.fetch("/batches");
    let batches = batches.as_array().expect("batches");
    assert_eq!(batches.len(), SHOPS);
    for batch in batches {
        assert_eq!(
            (&batch["paid_out"], &batch["count"]),
            (&json!("197.60"), &json!(PAYMENTS))
        );
    }
    let there = files(&place.data());
    for (name, bytes) in &seen {
        assert_eq!(there.get(name), Some(bytes), "{name} changed");
    }
    assert_eq!(there.len(), 2 * SHOPS, "{:?}", there.keys());
    assert!(there.keys().all(|name| is_published(name)));
    println!("batches and files after each kill: {steps:?}");
}

// Goal: the checker finds each way in which a batch can be wrong.
#[test]
fn a_wrong_batch_is_found() {
    let place = Place::new();
    let launch = || place.launch().quiet().arg("--clock").arg(NOON).start();
    let gateway = launch();
    let till = Till::of(&gateway, "tea-house");
    let phones = Phones::hire(&gateway, 1);
    let (_, code) = phones.code(0);
    let heard = till.ask(&mut gateway.line(), &till.pay("P1", 10_000, code.as_str()));
    assert!(heard.expect("an answer").is_success());
    gateway.post("/clock", &json!({"set": "2026-11-24T16:00:00+08:00"}));
    gateway.assert_balanced();
    gateway.kill();
    for (wrong, right, problem) in [
        (
            "gross = gross + 1",
            "gross = gross - 1",
            "is not what its days moved",
        ),
        (
            "paid_out = paid_out + 1",
            "paid_out = paid_out - 1",
            "paid out something else",
        ),
        ("carried_in = -1", "carried_in = 0", "does not carry on"),
        (
            "first = last + 1, last = last + 1",
            "first = last - 1, last = last - 1",
            "in no batch",
        ),
        ("key = key + 1", "key = key - 1", "without a batch"),
    ] {
        let write = |set: &str| {
            let file = rusqlite::Connection::open(place.data().join("spotpay.db"));
            let rows = file
                .expect("a store")
                .execute(&format!("UPDATE settlement_batch SET {set}"), [])
                .expect("an update");
            assert_eq!(rows, 1);
        };
        write(wrong);
        let gateway = launch();
        let books = gateway.fetch("/ledger/trial-balance");
        let problems = books["problems"].to_string();
        assert!(problems.contains(problem), "{wrong}: {problems}");
        gateway.kill();
        write(right);
    }
    launch().assert_balanced();
}
