//! Requests that meet: whatever comes first, money and answers agree, and the books balance.

use serde_json::json;
use tokio::task::JoinSet;

use crate::world::{Answer, World, api};

const PAIRS: usize = 48;

/// One task's answer, with the number of its pair.
enum Heard {
    Pay(usize, Answer),
    Cancel(usize, Answer),
    Confirm(usize, u16),
}

// Goal: a cancel that races with its pay: nobody's money stays taken, and what pay, cancel and
// query said fits one order of the two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancel_and_pay() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let mut asking = JoinSet::new();
    for (number, code) in world.codes("alice", PAIRS).await.into_iter().enumerate() {
        let id = format!("R{number}");
        let (pay, cancel) = (till.pay(&id, &code, "10.00"), till.cancel(&id));
        let mut both = [Some(pay), Some(cancel)];
        // Half of them start the other way round.
        for place in if number % 2 == 0 { [0, 1] } else { [1, 0] } {
            let params = both[place].take().unwrap();
            let (till, router) = (till.clone(), world.router.clone());
            asking.spawn(async move {
                let answer = till.ask_with(router, params, "").await;
                match place {
                    0 => Heard::Pay(number, answer),
                    _ => Heard::Cancel(number, answer),
                }
            });
        }
    }
    let mut pays: Vec<Option<Answer>> = vec![None; PAIRS];
    let mut cancels = pays.clone();
    for heard in asking.join_all().await {
        match heard {
            Heard::Pay(number, answer) => pays[number] = Some(answer),
            Heard::Cancel(number, answer) => cancels[number] = Some(answer),
            Heard::Confirm(..) => {}
        }
    }
    for (number, (pay, cancel)) in pays.iter().zip(&cancels).enumerate() {
        let (pay, cancel) = (pay.as_ref().unwrap(), cancel.as_ref().unwrap());
        let found = till.ask(&world, &till.query(&format!("R{number}"))).await;
        let said = [
            pay.outcome(),
            cancel.outcome(),
            cancel.field("action").to_owned(),
            found.outcome(),
            found.field("alipay_trans_status").to_owned(),
        ];
        let said: Vec<&str> = said.iter().map(String::as_str).collect();
        match said.as_slice() {
            ["SUCCESS", "SUCCESS", "refund", "SUCCESS", "TRADE_CLOSED"] => {
                let number = pay.field("alipay_trans_id");
                assert_eq!(cancel.field("trade_no"), number);
                assert_eq!(found.field("alipay_trans_id"), number);
            }
            [
                "FAILED:TRADE_HAS_CLOSE",
                "SUCCESS",
                "",
                "FAIL:TRADE_NOT_EXIST",
                "",
            ] => {}
            other => panic!("{number}: {other:?}"),
        }
    }
    assert_eq!(world.balance("alice").await, "100000.00");
    world.books().await;
}

// Goal: a cancel that races with the customer's confirmation: it always succeeds, closing or giving
// back, and the confirmation hears which.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancel_and_confirm() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    for (number, code) in world.codes("careful", PAIRS).await.into_iter().enumerate() {
        let params = till.pay(&format!("C{number}"), &code, "10.00");
        assert_eq!(till.ask(&world, &params).await.outcome(), "UNKNOW");
    }
    let mut asking = JoinSet::new();
    for number in 0..PAIRS {
        let id = format!("C{number}");
        let cancel = till.cancel(&id);
        let body = json!({"partner_trans_id": id, "accept": true}).to_string();
        let mut start = [true, false];
        if number % 2 == 0 {
            start.reverse();
        }
        for cancels in start {
            let router = world.router.clone();
            let (till, cancel, body) = (till.clone(), cancel.clone(), body.clone());
            asking.spawn(async move {
                if cancels {
                    Heard::Cancel(number, till.ask_with(router, cancel, "").await)
                } else {
                    let path = "/wallets/careful/confirm".to_owned();
                    let (status, _) = api(router, "POST".to_owned(), path, body).await;
                    Heard::Confirm(number, status)
                }
            });
        }
    }
    let mut cancels: Vec<Option<Answer>> = vec![None; PAIRS];
    let mut confirms = vec![0; PAIRS];
    for heard in asking.join_all().await {
        match heard {
            Heard::Cancel(number, answer) => cancels[number] = Some(answer),
            Heard::Confirm(number, status) => confirms[number] = status,
            Heard::Pay(..) => {}
        }
    }
    for (number, (cancel, confirm)) in cancels.iter().zip(&confirms).enumerate() {
        let cancel = cancel.as_ref().unwrap();
        let found = till.ask(&world, &till.query(&format!("C{number}"))).await;
        assert_eq!(found.field("alipay_trans_status"), "TRADE_CLOSED");
        assert_eq!(cancel.outcome(), "SUCCESS", "{number}");
        match (cancel.field("action"), confirm) {
            ("refund", 200) => assert_ne!(found.field("alipay_pay_time"), ""),
            ("close", 409) => assert_eq!(found.field("alipay_pay_time"), ""),
            other => panic!("{number}: {other:?}"),
        }
    }
    assert_eq!(world.balance("careful").await, "100000.00");
    world.books().await;
}

// Goal: the customer accepts and declines at once, while the clock passes the three minutes: one of
// the three happens, and everything else agrees with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accept_decline_and_the_timer() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let mut paid = 0;
    for round in 0..12 {
        let id = format!("A{round}");
        let code = world.code("careful").await;
        let waiting = till.ask(&world, &till.pay(&id, &code, "10.00")).await;
        assert_eq!(waiting.outcome(), "UNKNOW");
        let confirm = |accept| {
            let body = json!({"partner_trans_id": id, "accept": accept}).to_string();
            ("/wallets/careful/confirm".to_owned(), body)
        };
        let clock = ("/clock".to_owned(), json!({"advance": "PT3M"}).to_string());
        let mut calls = vec![(0, confirm(true)), (1, confirm(false)), (2, clock)];
        calls.rotate_left(round % 3);
        let mut asking = JoinSet::new();
        for (place, (path, body)) in calls {
            let router = world.router.clone();
            asking.spawn(async move {
                let (status, _) = api(router, "POST".to_owned(), path, body).await;
                (place, status)
            });
        }
        let mut heard = [0; 3];
        for (place, status) in asking.join_all().await {
            heard[place] = status;
        }
        let found = till.ask(&world, &till.query(&id)).await;
        match (heard, found.field("alipay_trans_status")) {
            ([200, 409, 200], "TRADE_SUCCESS") => paid += 1,
            ([409, 200 | 409, 200], "TRADE_CLOSED") => {}
            other => panic!("{round}: {other:?}"),
        }
    }
    let left = 100_000 - 10 * paid;
    assert_eq!(world.balance("careful").await, format!("{left}.00"));
    world.books().await;
}

// Goal: one code in many payments at once pays one of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_code_in_many_payments() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let code = world.code("alice").await;
    let mut asking = JoinSet::new();
    for number in 0..PAIRS {
        let params = till.pay(&format!("O{number}"), &code, "10.00");
        let (till, router) = (till.clone(), world.router.clone());
        asking.spawn(async move { till.ask_with(router, params, "").await.outcome() });
    }
    let mut outcomes = asking.join_all().await;
    outcomes.sort_unstable();
    let paid = outcomes.iter().filter(|said| *said == "SUCCESS").count();
    let refused = "FAILED:SOUNDWAVE_PARSER_FAIL";
    let refused = outcomes.iter().filter(|said| *said == refused).count();
    assert_eq!((paid, refused), (1, PAIRS - 1));
    assert_eq!(world.balance("alice").await, "99990.00");
    world.books().await;
}

// Goal: many payments at once from a wallet that has money for ten of them, with a day's limit for
// five at one partner.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_money_is_spent_once() {
    let world = World::start().await;
    let wallet = r#"{"name":"eve","payment_inst":"ALIPAYHK","balance":"100.00"}"#;
    world.does("POST", "/wallets", wallet).await;
    let limit = r#"{"limit_per_day":"50.00"}"#;
    world.does("PATCH", "/partners/dim-sum", limit).await;
    let tills = [world.till("dim-sum").await, world.till("tea-house").await];
    let mut asking = JoinSet::new();
    for (number, code) in world.codes("eve", PAIRS).await.into_iter().enumerate() {
        let till = tills[number % 2].clone();
        let params = till.pay(&format!("L{number}"), &code, "10.00");
        let router = world.router.clone();
        asking.spawn(async move {
            let said = till.ask_with(router, params, "").await.outcome();
            (number % 2, said)
        });
    }
    let mut paid = [0, 0];
    for (partner, said) in asking.join_all().await {
        match (partner, said.as_str()) {
            (_, "SUCCESS") => paid[partner] += 1,
            (_, "FAILED:BUYER_BALANCE_NOT_ENOUGH") | (0, "FAILED:BEYOND_PAY_RESTRICTION") => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(paid[0] + paid[1], 10, "{paid:?}");
    assert!(paid[0] <= 5, "{paid:?}");
    assert_eq!(world.balance("eve").await, "0.00");
    world.books().await;
}

// Goal: two buyers and two contents under one id at once: one trade, and the others hear why not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_id_for_many() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    for round in 0..8 {
        let id = format!("I{round}");
        let mut asking = JoinSet::new();
        for (wallet, amount) in [("alice", "1.00"), ("alice", "2.00"), ("bob", "1.00")] {
            let code = world.code(wallet).await;
            let params = till.pay(&id, &code, amount);
            let (till, router) = (till.clone(), world.router.clone());
            asking.spawn(async move { till.ask_with(router, params, "").await });
        }
        let answers = asking.join_all().await;
        let paid: Vec<&Answer> = answers
            .iter()
            .filter(|answer| answer.outcome() == "SUCCESS")
            .collect();
        assert_eq!(paid.len(), 1, "{round}");
        for refused in answers.iter().map(Answer::outcome) {
            let known = [
                "SUCCESS",
                "FAILED:CONTEXT_INCONSISTENT",
                "FAILED:TRADE_BUYER_NOT_MATCH",
            ];
            assert!(known.contains(&&*refused), "{refused}");
        }
        let found = till.ask(&world, &till.query(&id)).await;
        let of = |name| paid[0].field(name).to_owned();
        assert_eq!(found.field("alipay_trans_id"), of("alipay_trans_id"));
        assert_eq!(found.field("trans_amount"), of("trans_amount"));
        assert_eq!(found.field("payment_inst"), of("payment_inst"));
    }
    world.books().await;
}
