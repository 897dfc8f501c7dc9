//! Refunds that meet refunds, cancels, confirmations and the batch: the buyer gets exactly what the
//! answers say, never more than was paid, and the books balance.

use axum::Router;
use serde_json::json;
use tokio::task::JoinSet;

use crate::till::{Params, Till, set};
use crate::world::{Answer, World, api};

/// Payments of one race.
const PAYMENTS: usize = 24;
/// Requests that meet over one payment.
const CROWD: usize = 32;

/// A task's answer, with a number that says whose.
type Crowd = JoinSet<(usize, Answer)>;

fn ask(crowd: &mut Crowd, number: usize, till: &Till, router: &Router, params: Params) {
    let (till, router) = (till.clone(), router.clone());
    crowd.spawn(async move { (number, till.ask_with(router, params, "").await) });
}

fn at_once(till: &Till, id: &str, refund: &str, amount: &str) -> Params {
    let mut params = till.refund(id, refund, amount);
    set(&mut params, "is_sync", "Y");
    params
}

/// Pays once per code; the id of each is the letter and its place.
async fn pay_all(world: &World, till: &Till, letter: char, wallet: &str, amount: &str) {
    for (number, code) in world.codes(wallet, PAYMENTS).await.into_iter().enumerate() {
        let params = till.pay(&format!("{letter}{number}"), &code, amount);
        let said = till.ask(world, &params).await.outcome();
        assert!(said == "SUCCESS" || said == "UNKNOW", "{said}");
    }
}

/// What became of a refund: the word of its state, or of its absence.
async fn state(world: &World, till: &Till, id: &str, refund: &str) -> String {
    let found = till.ask(world, &till.refund_query(id, refund)).await;
    found.outcome()
}

async fn trade_state(world: &World, till: &Till, id: &str) -> String {
    let found = till.ask(world, &till.query(id)).await;
    found.field("alipay_trans_status").to_owned()
}

/// The amounts of the refund entries of a payment, from the inspector.
async fn refund_entries(world: &World, id: &str) -> Vec<String> {
    let rows = world.does("GET", "/requests?limit=1000", "").await;
    let mut rows = rows.as_array().unwrap().iter();
    let of = |row: &&serde_json::Value| {
        let params = &row["params"];
        let named = params["partner_trans_id"] == id || params["out_trade_no"] == id;
        named && row["entries"].as_array().is_some_and(|all| !all.is_empty())
    };
    let row = rows
        .find(of)
        .unwrap_or_else(|| panic!("no request of {id}"));
    let mut amounts = Vec::new();
    for entry in row["entries"].as_array().unwrap() {
        if entry["cause"] == "refund" {
            amounts.push(entry["amount"].as_str().unwrap().to_owned());
        }
    }
    amounts.sort_unstable();
    amounts
}

async fn move_clock(router: Router, body: String) -> u16 {
    let (status, answer) = api(router, "POST".to_owned(), "/clock".to_owned(), body).await;
    assert_eq!(status, 200, "{answer}");
    status
}

// Goal: many refunds over one payment, half of them for the batch: their sum is what was paid and
// no more, every SUCCESS has its entry, and everybody else hears that nothing is left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_over_one_payment() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    world
        .check("pay tea-house T1 alice 100.00 -> SUCCESS")
        .await;
    let mut crowd = Crowd::new();
    for number in 0..CROWD {
        let name = format!("R{number}");
        let params = match number % 2 {
            0 => at_once(&till, "T1", &name, "7.00"),
            _ => till.refund("T1", &name, "7.00"),
        };
        ask(&mut crowd, number, &till, &world.router, params);
    }
    let mut taken = Vec::new();
    for (number, answer) in crowd.join_all().await {
        match answer.outcome().as_str() {
            "SUCCESS" => taken.push(number),
            "FAILED:REFUND_AMT_NOT_EQUAL_TOTAL" => {}
            other => panic!("{number}: {other}"),
        }
    }
    assert_eq!(taken.len(), 14, "{taken:?}");
    let moved = taken.iter().filter(|number| *number % 2 == 0).count();
    let balance = format!("{}.00", 99_900 + 7 * moved);
    assert_eq!(world.balance("alice").await, balance);
    world.check("clock 2026-11-23T23:00:00+08:00").await;
    assert_eq!(world.balance("alice").await, "99998.00");
    for number in 0..CROWD {
        let said = state(&world, &till, "T1", &format!("R{number}")).await;
        let right = if taken.contains(&number) {
            "SUCCESS:SUCCESS"
        } else {
            "NOT_FOUND"
        };
        assert_eq!(said, right, "{number}");
    }
    assert_eq!(refund_entries(&world, "T1").await, vec!["7.00"; 14]);
    assert_eq!(trade_state(&world, &till, "T1").await, "TRADE_SUCCESS");
    world
        .check(
            "
        refund tea-house T1 L1 2.01 is_sync=Y -> FAILED:REFUND_AMT_NOT_EQUAL_TOTAL
        refund tea-house T1 L1 2.00 is_sync=Y -> SUCCESS
        query tea-house T1 -> SUCCESS alipay_trans_status=TRADE_CLOSED
        wallet alice -> 200 balance=100000.00
        account tea-house HKD -> balance=-1.20
        books
        ",
        )
        .await;
}

// Goal: one refund from many connections, some with another amount or for the batch: one of them is
// the refund, its repeats hear so, and the others that the number is taken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_number_for_many() {
    let world = World::start().await;
    let till = world.till("duty-free").await;
    for round in 0..6 {
        let id = format!("T{round}");
        world
            .check(&format!("pay duty-free {id} bob 10.00 -> SUCCESS"))
            .await;
        let before = world.balance("bob").await;
        let (mut crowd, name) = (Crowd::new(), format!("R{round}"));
        for number in 0..CROWD {
            let params = match number % 4 {
                0 | 1 => at_once(&till, &id, &name, "4.00"),
                2 => at_once(&till, &id, &name, "5.00"),
                _ => till.refund(&id, &name, "4.00"),
            };
            ask(&mut crowd, number % 4, &till, &world.router, params);
        }
        let mut said = crowd.join_all().await;
        said.sort_unstable_by_key(|(kind, _)| *kind);
        let won: Vec<usize> = said
            .iter()
            .filter(|(_, answer)| answer.outcome() == "SUCCESS")
            .map(|(kind, _)| if *kind == 0 { 1 } else { *kind })
            .collect();
        let same = won.iter().all(|kind| Some(kind) == won.first());
        assert!(
            same && (won.len() == CROWD / 4 || won.len() == CROWD / 2),
            "{won:?}"
        );
        for (_, answer) in &said {
            match answer.outcome().as_str() {
                "SUCCESS" | "FAILED:DISCORDANT_REPEAT_REQUEST" => {}
                other => panic!("{round}: {other}"),
            }
        }
        let minor = |text: &str| text.replace('.', "").parse::<i64>().unwrap();
        let back = minor(&world.balance("bob").await) - minor(&before);
        let right = match won.first() {
            Some(1) => 2_880,
            Some(2) => 3_600,
            _ => 0,
        };
        assert_eq!(back, right, "{round}");
    }
    world.books().await;
}

// Goal: a refund that races with a cancel: whatever comes first, the buyer gets everything exactly
// once, and the cancel takes back a refund that the batch has not done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refund_and_cancel() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    pay_all(&world, &till, 'C', "bob", "39.30").await;
    let mut crowd = Crowd::new();
    for number in 0..PAYMENTS {
        let (id, name) = (format!("C{number}"), format!("R{number}"));
        let refund = match number % 3 {
            0 => at_once(&till, &id, &name, "39.30"),
            1 => at_once(&till, &id, &name, "10.00"),
            _ => till.refund(&id, &name, "10.00"),
        };
        let mut both = [(1, refund), (0, till.cancel(&id))];
        if number % 2 == 0 {
            both.reverse();
        }
        for (kind, params) in both {
            ask(&mut crowd, 2 * number + kind, &till, &world.router, params);
        }
    }
    let mut refunds = vec![String::new(); PAYMENTS];
    for (place, answer) in crowd.join_all().await {
        let (number, said) = (place / 2, answer.outcome());
        match place % 2 {
            0 => assert_eq!((&*said, answer.field("action")), ("SUCCESS", "refund")),
            _ => refunds[number] = said,
        }
    }
    assert_eq!(world.balance("bob").await, "100000.00");
    world.check("clock 2026-11-23T23:30:00+08:00").await;
    assert_eq!(world.balance("bob").await, "100000.00");
    for (number, said) in refunds.iter().enumerate() {
        let id = format!("C{number}");
        let became = state(&world, &till, &id, &format!("R{number}")).await;
        match (said.as_str(), number % 3, became.as_str()) {
            ("SUCCESS", 0 | 1, "SUCCESS:SUCCESS")
            | ("SUCCESS", 2, "SUCCESS:CANCELED")
            | ("FAILED:TRADE_STATUS_ERROR", _, "NOT_FOUND") => {}
            other => panic!("{number}: {other:?}"),
        }
        assert_eq!(trade_state(&world, &till, &id).await, "TRADE_CLOSED");
    }
    world
        .check(
            "
        account fx-clearing HKD -> balance=0.00
        account fx-clearing CNY -> balance=0.00
        books
        ",
        )
        .await;
}

// Goal: a customer who accepts while the till refunds and cancels: the refund of an unpaid payment
// is refused, the cancel always succeeds, and nobody's money stays taken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn confirm_refund_and_cancel() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    pay_all(&world, &till, 'W', "careful", "10.00").await;
    let mut crowd = Crowd::new();
    let mut confirming = JoinSet::new();
    for number in 0..PAYMENTS {
        let (id, name) = (format!("W{number}"), format!("R{number}"));
        let body = json!({"partner_trans_id": id, "accept": true}).to_string();
        let router = world.router.clone();
        confirming.spawn(async move {
            let path = "/wallets/careful/confirm".to_owned();
            let (status, _) = api(router, "POST".to_owned(), path, body).await;
            (number, status)
        });
        let refund = at_once(&till, &id, &name, "3.00");
        ask(&mut crowd, 2 * number + 1, &till, &world.router, refund);
        ask(
            &mut crowd,
            2 * number,
            &till,
            &world.router,
            till.cancel(&id),
        );
    }
    let mut accepted = [0; PAYMENTS];
    for (number, status) in confirming.join_all().await {
        accepted[number] = status;
    }
    let (mut actions, mut refunds) = (vec![String::new(); PAYMENTS], vec![String::new(); PAYMENTS]);
    for (place, answer) in crowd.join_all().await {
        if place % 2 == 0 {
            assert_eq!(answer.outcome(), "SUCCESS");
            actions[place / 2] = answer.field("action").to_owned();
        } else {
            refunds[place / 2] = answer.outcome();
        }
    }
    for number in 0..PAYMENTS {
        match (accepted[number], &*actions[number], &*refunds[number]) {
            (200, "refund", "SUCCESS" | "FAILED:TRADE_STATUS_ERROR")
            | (409, "close", "FAILED:TRADE_STATUS_ERROR") => {}
            other => panic!("{number}: {other:?}"),
        }
    }
    assert_eq!(world.balance("careful").await, "100000.00");
    world
        .check(
            "
        account tea-house HKD -> balance=0.00
        account commission-income HKD -> balance=0.00
        books
        ",
        )
        .await;
}

// Goal: cancels that arrive while the clock moves over the batch: each refund is done by the batch
// or cancelled with its trade, and each buyer has everything back once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batch_and_cancel() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    for round in ['A', 'B', 'D'] {
        pay_all(&world, &till, round, "alice", "10.00").await;
        for number in 0..PAYMENTS {
            let (id, name) = (format!("{round}{number}"), format!("{round}-R{number}"));
            let amount = if number % 2 == 0 { "10.00" } else { "4.00" };
            let said = till.ask(&world, &till.refund(&id, &name, amount)).await;
            assert_eq!(said.outcome(), "SUCCESS");
        }
        // To one second before the batch, so that cancels and the move overlap.
        let day = world.now().business_date().to_string();
        world.check(&format!("clock {day}T22:59:59+08:00")).await;
        let mut crowd = Crowd::new();
        for number in 0..PAYMENTS / 2 {
            let params = till.cancel(&format!("{round}{number}"));
            ask(&mut crowd, number, &till, &world.router, params);
        }
        let wish = json!({"advance": "PT1S"}).to_string();
        let mut moving = JoinSet::new();
        moving.spawn(move_clock(world.router.clone(), wish));
        for number in PAYMENTS / 2..PAYMENTS {
            let params = till.cancel(&format!("{round}{number}"));
            ask(&mut crowd, number, &till, &world.router, params);
        }
        moving.join_all().await;
        for (number, answer) in crowd.join_all().await {
            let said = (answer.outcome(), answer.field("action").to_owned());
            assert_eq!(said, ("SUCCESS".into(), "refund".into()), "{round}{number}");
        }
        assert_eq!(world.balance("alice").await, "100000.00", "{round}");
        for number in 0..PAYMENTS {
            let (id, name) = (format!("{round}{number}"), format!("{round}-R{number}"));
            let became = state(&world, &till, &id, &name).await;
            assert!(
                became == "SUCCESS:SUCCESS" || became == "SUCCESS:CANCELED",
                "{id}: {became}"
            );
            assert_eq!(trade_state(&world, &till, &id).await, "TRADE_CLOSED");
        }
        world.books().await;
        world.check("clock PT13H").await;
    }
}

// Goal: refunds at once while the batch does what was accepted: together never more than was paid,
// and what was accepted is never pushed out by what came later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batch_and_refund() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    pay_all(&world, &till, 'B', "bob", "10.00").await;
    for number in 0..PAYMENTS {
        let params = till.refund(&format!("B{number}"), &format!("A{number}"), "6.00");
        assert_eq!(till.ask(&world, &params).await.outcome(), "SUCCESS");
    }
    world.check("clock 2026-11-23T22:59:59+08:00").await;
    let mut crowd = Crowd::new();
    let mut moving = JoinSet::new();
    for number in 0..PAYMENTS {
        if number == PAYMENTS / 2 {
            let wish = json!({"advance": "PT1S"}).to_string();
            moving.spawn(move_clock(world.router.clone(), wish));
        }
        for (place, amount) in ["5.00", "4.00", "4.00", "0.01"].into_iter().enumerate() {
            let name = format!("S{number}-{place}");
            let params = at_once(&till, &format!("B{number}"), &name, amount);
            ask(&mut crowd, 4 * number + place, &till, &world.router, params);
        }
    }
    moving.join_all().await;
    let mut given = [0; PAYMENTS];
    for (place, answer) in crowd.join_all().await {
        let minor = [500, 400, 400, 1][place % 4];
        match answer.outcome().as_str() {
            "SUCCESS" => given[place / 4] += minor,
            "FAILED:REFUND_AMT_NOT_EQUAL_TOTAL" => {}
            other => panic!("{place}: {other}"),
        }
    }
    for (number, given) in given.iter().enumerate() {
        let (id, name) = (format!("B{number}"), format!("A{number}"));
        assert_eq!(state(&world, &till, &id, &name).await, "SUCCESS:SUCCESS");
        assert!([1, 400].contains(given), "{id}: {given}");
        let closed = trade_state(&world, &till, &id).await;
        let right = if *given == 400 {
            "TRADE_CLOSED"
        } else {
            "TRADE_SUCCESS"
        };
        assert_eq!(closed, right, "{id}");
        if *given == 1 {
            let params = at_once(&till, &id, &format!("L{number}"), "3.99");
            assert_eq!(till.ask(&world, &params).await.outcome(), "SUCCESS");
        }
    }
    assert_eq!(world.balance("bob").await, "100000.00");
    world.books().await;
}

// Goal: funds for eleven refunds and a crowd that wants them: eleven get them, the others fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_funds() {
    let world = World::start().await;
    let till = world.till("dim-sum").await;
    pay_all(&world, &till, 'F', "alice", "10.00").await;
    // 24 times 9.88 is owed; a large payment that went back whole took its commission out of it.
    world
        .check(
            "
        pay dim-sum T1 alice 10000.00 -> SUCCESS
        refund dim-sum T1 B1 10000.00 is_sync=Y -> SUCCESS
        account dim-sum HKD -> balance=117.12
        ",
        )
        .await;
    let mut crowd = Crowd::new();
    for number in 0..PAYMENTS {
        let params = at_once(&till, &format!("F{number}"), &format!("R{number}"), "10.00");
        ask(&mut crowd, number, &till, &world.router, params);
    }
    let mut done = 0;
    for (number, answer) in crowd.join_all().await {
        let said = answer.outcome();
        let became = state(&world, &till, &format!("F{number}"), &format!("R{number}")).await;
        match (said.as_str(), became.as_str()) {
            ("SUCCESS", "SUCCESS:SUCCESS") => done += 1,
            (
                "FAILED:MERCHANT_BALANCE_NOT_ENOUGH",
                "SUCCESS:FAILED:MERCHANT_BALANCE_NOT_ENOUGH",
            ) => {}
            other => panic!("{number}: {other:?}"),
        }
    }
    assert_eq!(done, 11);
    world
        .check(
            "
        account dim-sum HKD -> balance=7.12
        wallet alice -> 200 balance=99870.00
        books
        ",
        )
        .await;
}
