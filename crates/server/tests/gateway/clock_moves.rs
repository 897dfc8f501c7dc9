//! One call that moves the clock over whatever is due on the way.

#![expect(
    clippy::disallowed_methods,
    reason = "the test says how long a call may take"
)]

use std::time::{Duration, Instant};

use serde_json::json;
use spotpay_core::refund::{RefundKey, RefundState};
use tokio::task::JoinSet;

use crate::till::Till;
use crate::world::World;

/// What a call may take that moves over half a year: most of it is the disk's, once a night.
const LONG: Duration = Duration::from_secs(10);

async fn timed(world: &World, wish: serde_json::Value) {
    let began = Instant::now();
    world.does("POST", "/clock", &wish.to_string()).await;
    let took = began.elapsed();
    assert!(took < LONG, "{wish} took {took:?}");
}

// Goal: closes, batches and retries in one call, each at its own instant, the earlier first: of two
// refunds that want the same funds the one that was asked for first gets them.
#[tokio::test]
async fn each_at_its_own_instant() {
    let world = World::start().await;
    world
        .check(
            "
        pay tea-house W1 careful 10.00 -> UNKNOW
        pay tea-house T1 alice 10.00 -> SUCCESS
        pay dim-sum D1 alice 100.00 -> SUCCESS
        pay dim-sum D2 alice 100.00 -> SUCCESS
        refund dim-sum D1 A1 100.00 -> SUCCESS
        refund tea-house T1 A1 10.00 -> SUCCESS
        clock PT1S
        refund dim-sum D2 A2 98.00 -> SUCCESS
        refund dim-sum D2 A3 1.00 -> SUCCESS
        clock 2026-11-23T22:58:00+08:00
        pay tea-house W2 careful 10.00 -> UNKNOW
        pay tea-house W3 careful 10.00 -> UNKNOW
        # Over the batch, the close of two minutes later, a midnight and two nights.
        clock 2026-11-25T12:00:00+08:00
        query tea-house W1 -> SUCCESS alipay_trans_status=TRADE_CLOSED
        query tea-house W2 -> SUCCESS alipay_trans_status=TRADE_CLOSED
        confirm careful W3 yes -> 409:not_waiting
        refund-query tea-house T1 A1 -> SUCCESS:SUCCESS `gmt_refund=2026-11-23 23:00:00`
        refund-query dim-sum D1 A1 -> SUCCESS:SUCCESS `gmt_refund=2026-11-23 23:00:00`
        refund-query dim-sum D2 A2 -> SUCCESS:PROCESSING:MERCHANT_BALANCE_NOT_ENOUGH
        refund-query dim-sum D2 A3 -> SUCCESS:SUCCESS `gmt_refund=2026-11-23 23:00:00`
        # What was there is settled; funds for the third night, the days after it change nothing.
        pay dim-sum D3 alice 99.20 -> SUCCESS
        clock 2026-12-24T12:00:00+08:00
        refund-query dim-sum D2 A2 -> SUCCESS:SUCCESS `gmt_refund=2026-11-25 23:00:00`
        wallet careful -> 200 balance=100000.00
        wallet alice -> 200 balance=99899.80
        books
        ",
        )
        .await;
}

/// Pays and asks to have it back later, so many times; the ids are `T0`, `R0` and on.
async fn owed(world: &World, till: &Till, count: usize) {
    let codes = world.codes("alice", count).await;
    let mut asking = JoinSet::new();
    for (number, code) in codes.into_iter().enumerate() {
        let (till, router) = (till.clone(), world.router.clone());
        asking.spawn(async move {
            let id = format!("T{number}");
            let pay = till.pay(&id, &code, "10.00");
            let refund = till.refund(&id, &format!("R{number}"), "10.00");
            for params in [pay, refund] {
                let said = till.ask_with(router.clone(), params, "").await;
                assert_eq!(said.outcome(), "SUCCESS");
            }
        });
        // Less than one partner may have waiting.
        if asking.len() == 100 {
            std::mem::take(&mut asking).join_all().await;
        }
    }
    asking.join_all().await;
}

async fn states(world: &World, till: &Till, count: usize) -> Vec<RefundState> {
    let mut states = Vec::new();
    for number in 0..count {
        let key = RefundKey {
            partner: till.partner.parse().unwrap(),
            id: format!("R{number}").parse().unwrap(),
        };
        let found = world.app().readers.read(|reader| reader.refund(&key));
        states.push(found.unwrap().unwrap().state);
    }
    states
}

// Goal: half a year of nights for fifty refunds that wait for funds: quick, and failed in the end,
// each 180 days after it was asked for.
#[tokio::test]
async fn half_a_year_in_vain() {
    const COUNT: usize = 50;
    let world = World::start().await;
    let till = world.till("dim-sum").await;
    owed(&world, &till, COUNT).await;
    // What is owed goes back for something else.
    world
        .check(
            "
        pay dim-sum X1 alice 41200.00 -> SUCCESS
        refund dim-sum X1 X2 41199.60 is_sync=Y -> SUCCESS
        account dim-sum HKD -> balance=0.00
        ",
        )
        .await;
    timed(&world, json!({"advance": "P181D"})).await;
    let end = "2027-05-22 12:00:00";
    for state in states(&world, &till, COUNT).await {
        match state {
            RefundState::FundsShort { at } => assert_eq!(at.spaced(), end),
            other => panic!("{other:?}"),
        }
    }
    world.check("account dim-sum HKD -> balance=0.00").await;
    world.books().await;
}

// Goal: more refunds than a batch of the engine holds, closes among them, in one call; all are done
// at 23:00:00.
#[tokio::test]
async fn a_large_night() {
    const COUNT: usize = 300;
    let world = World::start().await;
    let till = world.till("tea-house").await;
    owed(&world, &till, COUNT).await;
    timed(&world, json!({"set": "2026-11-23T23:00:00+08:00"})).await;
    for state in states(&world, &till, COUNT).await {
        match state {
            RefundState::Done(moved) => assert_eq!(moved.at.spaced(), "2026-11-23 23:00:00"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.balance("alice").await, "100000.00");
    world.books().await;
}
