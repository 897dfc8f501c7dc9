//! The sendings of a notification: when, how often, what stops them, and what they survive.

use std::sync::Arc;

use serde_json::{Value, json};
use spotpay_wire::charset::Charset;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::notifications::told;
use crate::receiver::{FAIL, Receiver, SUCCESS, Say, within};
use crate::world::World;

/// The published gaps, in seconds: 24 h 22 min in all.
const GAPS: [u32; 7] = [120, 600, 600, 3_600, 7_200, 21_600, 54_000];

fn times(notification: &Value) -> Vec<&str> {
    let attempts = notification["attempts"].as_array().unwrap();
    attempts
        .iter()
        .map(|attempt| attempt["at"].as_str().unwrap())
        .collect()
}

const LADDER: [&str; 8] = [
    "2026-11-23T12:00:00+08:00",
    "2026-11-23T12:02:00+08:00",
    "2026-11-23T12:12:00+08:00",
    "2026-11-23T12:22:00+08:00",
    "2026-11-23T13:22:00+08:00",
    "2026-11-23T15:22:00+08:00",
    "2026-11-23T21:22:00+08:00",
    "2026-11-24T12:22:00+08:00",
];

// Goal: eight sendings at exactly the published gaps, not a second earlier; the same number and the
// same words each time, the time of sending and the seal apart; then it is given up for good.
#[tokio::test]
async fn the_ladder_step_by_step() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let receiver = Receiver::start(FAIL).await;
    world.agree("tea-house", &receiver.url).await;
    world.check("pay tea-house S1 alice 1.00 -> SUCCESS").await;
    world.settled().await;
    let words = |letter: &crate::receiver::Letter| {
        let mut fields = letter.fields(Charset::Utf8);
        fields.retain(|(name, _)| name != "notify_time" && name != "sign");
        fields
    };
    let first = receiver.next().await;
    for (sent, gap) in GAPS.into_iter().enumerate() {
        world.advance(&format!("PT{}S", gap - 1)).await;
        assert_eq!(receiver.taken(), sent + 1, "before the gap of {gap} s");
        assert_eq!(world.notification().await["state"], "waiting");
        world.advance("PT1S").await;
        let next = receiver.next().await;
        assert_eq!(receiver.taken(), sent + 2, "after the gap of {gap} s");
        assert_eq!(words(&next), words(&first));
        let at = LADDER[sent + 1].replace('T', " ").replace("+08:00", "");
        assert_eq!(next.field("notify_time"), at);
        assert!(next.read(Charset::Utf8).verify(&till.verifier));
    }
    let end = world.notification().await;
    assert_eq!(end["state"], "given_up");
    assert_eq!(end["next_at"], Value::Null);
    assert_eq!(times(&end), LADDER);
    let next = |attempt: &Value| attempt["next_at"].as_str().unwrap_or("never").to_owned();
    let attempts = end["attempts"].as_array().unwrap();
    let nexts: Vec<String> = attempts.iter().map(next).collect();
    let mut expected = LADDER[1..].to_vec();
    expected.push("never");
    assert_eq!(nexts, expected);
    world.advance("P30D").await;
    assert_eq!(receiver.taken(), 8);
    // Not acknowledged, it can still be asked for.
    assert_eq!(
        world.verify(&till.partner, &first.notify_id()).await,
        "true"
    );
}

// Goal: one move of the clock over all of it makes the same eight sendings, among what else is due:
// the trade that the timer closes on the way has its own ladder from its own instant.
#[tokio::test]
async fn the_ladder_in_one_move() {
    let world = World::start().await;
    let receiver = Receiver::start(FAIL).await;
    world.agree("tea-house", &receiver.url).await;
    world
        .check(
            "
        pay tea-house S1 alice 1.00 -> SUCCESS
        pay tea-house S2 careful 2.00 -> UNKNOW
        refund tea-house S1 S1R 0.40 -> SUCCESS
        clock P3D
        ",
        )
        .await;
    world.settled().await;
    let all = world.notifications().await;
    assert_eq!(all.len(), 3);
    let of = |kind: &str, status: &str| {
        let mut all = all.iter();
        let found = all.find(|one| one["kind"] == kind && one["fields"]["trade_status"] == *status);
        found.cloned()
    };
    let paid = of("notify_trade", "TRADE_SUCCESS").unwrap();
    assert_eq!(times(&paid), LADDER);
    let closed = of("notify_trade", "TRADE_CLOSED").unwrap();
    assert_eq!(closed["attempts"][0]["at"], "2026-11-23T12:03:00+08:00");
    assert_eq!(closed["attempts"][7]["at"], "2026-11-24T12:25:00+08:00");
    let refunded = all
        .iter()
        .find(|one| one["kind"] == "notify_refund")
        .unwrap();
    assert_eq!(refunded["attempts"][0]["at"], "2026-11-23T23:00:00+08:00");
    assert_eq!(refunded["attempts"][7]["at"], "2026-11-24T23:22:00+08:00");
    assert!(all.iter().all(|one| one["state"] == "given_up"), "{all:?}");
    assert_eq!(receiver.taken(), 24);
    // In order of time, whoever it is about.
    let letters = receiver.rest().await;
    let sent: Vec<String> = letters.iter().map(|one| one.field("notify_time")).collect();
    assert!(sent.is_sorted(), "{sent:?}");
}

// Goal: `success` in any case, between blanks, with any status of the two hundreds, ends it: at the
// first sending or at a later one.
#[tokio::test]
async fn acknowledgements() {
    for (number, (status, body)) in [
        (200, "success"),
        (200, "SUCCESS\n"),
        (200, "Success"),
        (200, " success\r\n"),
        (201, "success"),
        (299, "success"),
    ]
    .into_iter()
    .enumerate()
    {
        let world = World::start().await;
        let fails = vec![FAIL; number];
        let receiver = Receiver::with(fails, Say::Text(status, body)).await;
        world.agree("tea-house", &receiver.url).await;
        world
            .check("pay tea-house A1 alice 1.00 -> SUCCESS\nclock P3D")
            .await;
        world.settled().await;
        assert_eq!(receiver.taken(), number + 1, "{status} {body:?}");
        let end = world.notification().await;
        assert_eq!(end["state"], "acknowledged", "{end}");
        assert_eq!(times(&end), LADDER[..=number]);
        assert_eq!(end["attempts"][number]["status"], status);
        assert_eq!(end["attempts"][number]["body"], body);
        assert_eq!(end["next_at"], Value::Null);
    }
}

// Goal: an acknowledgement is one however HTTP carries it: with a length, in chunks, until the end of
// the connection, behind an interim answer; and when the receiver closes connections without a word,
// the next letter goes by another one.
#[tokio::test]
async fn acknowledgements_of_every_make() {
    for text in [
        "HTTP/1.0 200 OK\r\n\r\nsuccess",
        "HTTP/1.1 200 OK\r\n\r\nsuccess",
        "HTTP/1.1 200\r\nContent-Type: text/html;charset=GBK\r\nContent-Length: 9\r\n\r\nSUCCESS\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsucc\r\n3\r\ness\r\n0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsuccess",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 7\r\n\r\nsuccess",
    ] {
        let world = World::start().await;
        let receiver = Receiver::start(Say::Raw(text)).await;
        world.agree("tea-house", &receiver.url).await;
        for number in 0..10 {
            world
                .check(&format!("pay tea-house A{number} alice 1.00 -> SUCCESS"))
                .await;
            world.settled().await;
        }
        for one in world.notifications().await {
            assert_eq!(one["state"], "acknowledged", "{text}: {one}");
            assert_eq!(
                one["attempts"].as_array().unwrap().len(),
                1,
                "{text}: {one}"
            );
        }
        assert_eq!(receiver.taken(), 10, "{text}");
    }
}

// Goal: nothing else is an acknowledgement; a redirect is not followed; a receiver that sends
// megabytes, closes or is not there is one that failed. What it said is kept, cut.
#[tokio::test]
async fn what_is_no_acknowledgement() {
    let elsewhere = Receiver::start(SUCCESS).await;
    let long = "x".repeat(300);
    let long: &'static str = Box::leak(long.into_boxed_str());
    let text = |status: u16, body: &str| (json!(status), json!(body));
    for (say, (status, body)) in [
        (FAIL, text(200, "fail")),
        (Say::Text(200, ""), text(200, "")),
        (Say::Text(200, "success!"), text(200, "success!")),
        (Say::Text(200, "<html>success"), text(200, "<html>success")),
        (
            Say::Text(200, "success success"),
            text(200, "success success"),
        ),
        (Say::Text(500, "success"), text(500, "success")),
        (Say::Text(404, "success"), text(404, "success")),
        (Say::Text(304, ""), text(304, "")),
        (Say::Redirect(elsewhere.url.clone()), text(302, "")),
        (Say::Text(200, long), text(200, &long[..200])),
    ] {
        let world = World::start().await;
        let receiver = Receiver::start(say.clone()).await;
        world.agree("tea-house", &receiver.url).await;
        world.check("pay tea-house X1 alice 1.00 -> SUCCESS").await;
        world.settled().await;
        let now = world.notification().await;
        assert_eq!(now["state"], "waiting", "{say:?}");
        assert_eq!(now["next_at"], LADDER[1], "{say:?}");
        let attempt =
            json!({"at": LADDER[0], "status": status, "body": body, "next_at": LADDER[1]});
        assert_eq!(now["attempts"], json!([attempt]), "{say:?}");
        receiver.says(SUCCESS);
        world.advance("PT2M").await;
        assert_eq!(world.notification().await["state"], "acknowledged");
        assert_eq!(receiver.taken(), 2, "{say:?}");
    }
    assert_eq!(elsewhere.taken(), 0);
}

// Goal: no answer at all is one attempt without a status, and why in words.
#[tokio::test]
async fn receivers_that_break_off() {
    let world = World::start().await;
    let closes = Receiver::start(Say::Close).await;
    let floods = Receiver::start(Say::Flood).await;
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    for url in [&closes.url, &floods.url, &gone] {
        world.agree("tea-house", url).await;
        let count = world.notifications().await.len();
        world
            .check(&format!("pay tea-house O{count} alice 1.00 -> SUCCESS"))
            .await;
    }
    world.settled().await;
    let all = world.notifications().await;
    let attempts: Vec<(&Value, &str)> = all
        .iter()
        .rev()
        .map(|one| {
            assert_eq!(one["state"], "waiting", "{one}");
            assert_eq!(one["attempts"].as_array().unwrap().len(), 1);
            let attempt = &one["attempts"][0];
            (&attempt["status"], attempt["body"].as_str().unwrap())
        })
        .collect();
    let [closed, flooded, refused] = attempts.as_slice() else {
        panic!("{all:?}");
    };
    assert_eq!(closed.0, &Value::Null);
    assert!(closed.1.contains("closed"), "{closed:?}");
    // It began with `success`; what follows is not read to its end.
    assert_eq!(flooded.0, &Value::Null);
    assert!(flooded.1.starts_with("status 200, then "), "{flooded:?}");
    assert_eq!(refused.0, &Value::Null);
    assert!(refused.1.contains("refused"), "{refused:?}");
}

// Goal: a receiver that takes the letter and never answers, or never ends its answer, is given up on
// after ten seconds and tried again like any other; asking for a resend meanwhile waits for that.
#[tokio::test]
async fn receivers_that_hang() {
    let world = World::start().await;
    let hangs = Receiver::start(Say::Hang).await;
    let endless = Receiver::start(Say::Endless("success")).await;
    world.agree("tea-house", &hangs.url).await;
    world.agree("dim-sum", &endless.url).await;
    world
        .check(
            "
        pay tea-house H1 alice 1.00 -> SUCCESS
        pay dim-sum H1 alice 1.00 -> SUCCESS
        ",
        )
        .await;
    hangs.next().await;
    endless.next().await;
    let all = world.notifications().await;
    let resend = |one: &Value| format!("/notifications/{}/resend", one["id"].as_str().unwrap());
    let (one, other) = (resend(&all[0]), resend(&all[1]));
    let both = tokio::join!(world.does("POST", &one, ""), world.does("POST", &other, ""));
    for now in [both.0, both.1] {
        let attempt = json!({"at": LADDER[0], "status": null, "body": "no answer within 10 s",
            "next_at": LADDER[1]});
        assert_eq!(now["attempts"], json!([attempt]));
        assert_eq!(now["state"], "waiting");
    }
    assert_eq!((hangs.taken(), endless.taken()), (1, 1));
    hangs.says(SUCCESS);
    endless.says(SUCCESS);
    world.advance("PT2M").await;
    let all = world.notifications().await;
    assert!(
        all.iter().all(|one| one["state"] == "acknowledged"),
        "{all:?}"
    );
}

// Goal: receivers that hang hold up their own partner only: others hear everything at its time, also
// while the clock is moved, which does not wait for the hanging ones to be given up on.
#[tokio::test]
async fn a_slow_receiver_holds_up_its_own_partner_only() {
    let world = World::start().await;
    let hangs = Receiver::start(Say::Hang).await;
    let fails = Receiver::start(FAIL).await;
    world.agree("tea-house", &hangs.url).await;
    world.agree("dim-sum", &fails.url).await;
    // More than a partner may have under way at one time.
    let till = world.till("tea-house").await;
    for (number, code) in world.codes("alice", 40).await.iter().enumerate() {
        let pay = till.pay(&format!("D{number}"), code, "1.00");
        assert_eq!(till.ask(&world, &pay).await.outcome(), "SUCCESS");
    }
    world.check("pay dim-sum D alice 1.00 -> SUCCESS").await;
    fails.next().await;
    world.does("POST", "/clock", r#"{"advance":"P2D"}"#).await;
    let all = world.notifications().await;
    let (own, others): (Vec<&Value>, Vec<&Value>) =
        all.iter().partition(|one| one["partner"] == "dim-sum");
    assert_eq!(times(own[0]), LADDER);
    assert_eq!(own[0]["state"], "given_up");
    // None of the hanging ones was waited for to its end, ten seconds later: they would have gone
    // through their ladder as well.
    assert_eq!(others.len(), 40);
    for one in others {
        assert!(one["attempts"].as_array().unwrap().len() < 2, "{one}");
        assert_eq!(one["state"], "waiting");
    }
}

// Goal: with every room of every partner taken by receivers that hang, the clock still moves on.
#[tokio::test]
async fn the_clock_moves_on_when_all_rooms_are_taken() {
    let world = World::start().await;
    let hangs = Receiver::start(Say::Hang).await;
    for number in 0..33 {
        let terms = json!({"name": format!("p{number}"), "product": "HK", "notify_url": hangs.url});
        let partner = world.does("POST", "/partners", &terms.to_string()).await;
        let till = crate::till::Till::of(&partner);
        for (place, code) in world.codes("alice", 16).await.iter().enumerate() {
            let pay = till.pay(&format!("K{place}"), code, "1.00");
            assert_eq!(till.ask(&world, &pay).await.outcome(), "SUCCESS");
        }
    }
    let moved = within(world.does("POST", "/clock", r#"{"advance":"P1D"}"#)).await;
    assert_eq!(moved["now"], "2026-11-24T12:00:00+08:00");
}

// Goal: a burst is told once each, all of it, while other partners' and the moved clock's work goes
// on beside it: nothing is sent twice that was acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_burst_is_told_once_each() {
    let world = World::start().await;
    let receiver = Receiver::start(SUCCESS).await;
    let till = world.till("tea-house").await;
    world.agree("tea-house", &receiver.url).await;
    let codes = world.codes("alice", 400).await;
    // At most as many at once as one partner may have waiting.
    for (round, codes) in codes.chunks(200).enumerate() {
        let mut asking = JoinSet::new();
        for (place, code) in codes.iter().enumerate() {
            let params = till.pay(&format!("U{round}-{place}"), code, "1.00");
            let (till, router) = (till.clone(), world.router.clone());
            asking.spawn(async move { till.ask_with(router, params, "").await.outcome() });
            if place % 20 == 0 {
                let nothing = r#"{"advance":"PT0S"}"#.to_owned();
                let router = world.router.clone();
                let clock = crate::world::api(router, "POST".into(), "/clock".into(), nothing);
                asking.spawn(async move { clock.await.0.to_string() });
            }
        }
        for said in asking.join_all().await {
            assert!(said == "SUCCESS" || said == "200", "{said}");
        }
    }
    world.settled().await;
    let all = world.notifications().await;
    assert_eq!(all.len(), 400);
    for one in &all {
        assert_eq!(one["state"], "acknowledged", "{one}");
        assert_eq!(one["attempts"].as_array().unwrap().len(), 1, "{one}");
    }
    let mut heard = told(&receiver.rest().await);
    heard.sort_unstable();
    heard.dedup();
    assert_eq!((heard.len(), receiver.taken()), (400, 400));
}

// Goal: by hand once more, in every state, at once: a waiting one counts on its ladder; an
// acknowledged one stays so, whatever comes back, and answers `true` while it is under way; one that
// was given up is acknowledged, or stays given up.
#[tokio::test]
async fn resend_by_hand() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let receiver = Receiver::start(FAIL).await;
    world.agree("tea-house", &receiver.url).await;
    world.check("pay tea-house Y1 alice 1.00 -> SUCCESS").await;
    world.settled().await;
    let id = world.notification().await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let resend = format!("/notifications/{id}/resend");
    let state = |one: &Value| {
        let attempts = one["attempts"].as_array().unwrap().len();
        let state = one["state"].as_str().unwrap().to_owned();
        (state, attempts, one["next_at"].as_str().map(str::to_owned))
    };
    let is = |name: &str, attempts: usize, next: Option<&str>| {
        (name.to_owned(), attempts, next.map(str::to_owned))
    };
    // Waiting: the second sending, a minute early; the third follows after the gap of the third.
    world.advance("PT1M").await;
    let now = world.does("POST", &resend, "").await;
    let at = "2026-11-23T12:11:00+08:00";
    assert_eq!(state(&now), is("waiting", 2, Some(at)));
    assert_eq!(receiver.taken(), 2);
    world.advance("P3D").await;
    assert_eq!(state(&world.notification().await), is("given_up", 8, None));
    // Given up.
    let now = world.does("POST", &resend, "").await;
    assert_eq!(state(&now), is("given_up", 9, None));
    receiver.says(SUCCESS);
    let now = world.does("POST", &resend, "").await;
    assert_eq!(state(&now), is("acknowledged", 10, None));
    // Acknowledged.
    let gate = Arc::new(tokio::sync::Notify::new());
    receiver.says(Say::Held(Arc::clone(&gate), "fail"));
    receiver.rest().await;
    let asking = {
        let router = world.router.clone();
        let call = crate::world::api(router, "POST".into(), resend.clone(), String::new());
        crate::receiver::spawn(call)
    };
    let letter = receiver.next().await;
    assert_eq!(
        world.verify(&till.partner, &letter.notify_id()).await,
        "true"
    );
    gate.notify_one();
    let (status, now) = within(asking).await.unwrap();
    assert_eq!(status, 200);
    assert_eq!(state(&now), is("acknowledged", 11, None));
    assert_eq!(
        world.verify(&till.partner, &letter.notify_id()).await,
        "false"
    );
    world.advance("P3D").await;
    assert_eq!(receiver.taken(), 11);
    let ids: Vec<Value> = world.notifications().await;
    assert_eq!(ids[0]["notify_id"], letter.notify_id());
}

// Goal: a reset forgets letters that are under way: nothing of them comes back with their answer,
// and what is caused after it is told as ever.
#[tokio::test]
async fn a_reset_while_a_letter_is_under_way() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let gate = Arc::new(tokio::sync::Notify::new());
    let held = Say::Held(Arc::clone(&gate), "fail");
    let receiver = Receiver::with([held], SUCCESS).await;
    let url = &receiver.url;
    world
        .check(&format!(
            "pay tea-house Z1 alice 1.00 notify_url={url} -> SUCCESS"
        ))
        .await;
    let old = receiver.next().await.notify_id();
    world.does("POST", "/reset", "").await;
    assert_eq!(world.notifications().await, Vec::<Value>::new());
    assert_eq!(world.verify(&till.partner, &old).await, "false");
    world
        .check(&format!(
            "pay tea-house Z2 alice 1.00 notify_url={url} -> SUCCESS"
        ))
        .await;
    let new = receiver.next().await;
    assert_ne!(new.notify_id(), old);
    gate.notify_one();
    world.settled().await;
    let now = world.notification().await;
    assert_eq!(now["notify_id"], new.notify_id());
    assert_eq!(now["state"], "acknowledged");
    assert_eq!(now["attempts"].as_array().unwrap().len(), 1);
    world.advance("P2D").await;
    assert_eq!(receiver.taken(), 2);
}
