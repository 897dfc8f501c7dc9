//! Fault rules for notifications, of trades and of refunds.

use std::sync::Arc;

use serde_json::{Value, json};
use spotpay_wire::charset::Charset;
use tokio::sync::Notify;

use crate::notifications::told;
use crate::receiver::{FAIL, Letter, Receiver, SUCCESS, Say, spawn, within};
use crate::till::{Till, set};
use crate::world::World;

/// What a rule is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Trade,
    Refund,
}

const KINDS: [Kind; 2] = [Kind::Trade, Kind::Refund];

/// A world with a receiver and a rule that goes off with the first notification of a kind.
struct Scene {
    world: World,
    till: Till,
    receiver: Receiver,
    kind: Kind,
}

impl Scene {
    async fn with(kind: Kind, effect: Value, say: Say) -> Self {
        let world = World::start().await;
        let till = world.till("tea-house").await;
        let receiver = Receiver::start(say).await;
        let service = match kind {
            Kind::Trade => "notify_trade",
            Kind::Refund => "notify_refund",
        };
        let rule = json!({"service": service, "partner": "tea-house", "effect": effect});
        let added = world.does("POST", "/faults", &rule.to_string()).await;
        assert_eq!(added["service"], service);
        assert_eq!(added["effect"]["notify"], effect["notify"]);
        Self {
            world,
            till,
            receiver,
            kind,
        }
    }

    /// Causes one notification of the kind, at the clock that is shown then.
    async fn cause(&self) {
        let url = &self.receiver.url;
        match self.kind {
            Kind::Trade => {
                let script = format!("pay tea-house E1 alice 10.00 notify_url={url} -> SUCCESS");
                self.world.check(&script).await;
            }
            Kind::Refund => {
                let script = format!(
                    "patch partners tea-house {{\"async_refund\":\"same_day\"}}
                     pay tea-house E1 alice 10.00 -> SUCCESS
                     refund tea-house E1 E1R 4.00 notify_url={url} -> SUCCESS
                     clock PT0S"
                );
                self.world.check(&script).await;
            }
        }
        self.world.settled().await;
    }

    /// The amount of the money that moved.
    fn amount(&self) -> &'static str {
        match self.kind {
            Kind::Trade => "10.00",
            Kind::Refund => "4.00",
        }
    }

    fn is_genuine(&self, letter: &Letter) -> bool {
        letter.read(Charset::Utf8).verify(&self.till.verifier)
    }

    /// What a genuine letter about the trade or the refund tells.
    fn truth(&self) -> &'static str {
        match self.kind {
            Kind::Trade => "trade_status_sync E1 TRADE_SUCCESS 10.00",
            Kind::Refund => "refund_status_sync E1 E1R REFUND_SUCCESS 4.00",
        }
    }

    /// The rule went off once, and is spent.
    async fn is_spent(&self) {
        let rules = self.world.does("GET", "/faults", "").await;
        assert_eq!(rules[0]["fired"], 1, "{rules}");
        assert_eq!(rules[0]["times_left"], 0, "{rules}");
    }
}

// Goal: a lost sending never arrives; the next one does, after the gap, and is noted as the second.
#[tokio::test]
async fn lose() {
    for kind in KINDS {
        let scene = Scene::with(kind, json!({"notify": "lose"}), SUCCESS).await;
        scene.cause().await;
        assert_eq!(scene.receiver.taken(), 0);
        let now = scene.world.notification().await;
        assert_eq!(now["state"], "waiting");
        assert_eq!(now["attempts"][0]["status"], Value::Null);
        let why = now["attempts"][0]["body"].as_str().unwrap();
        assert!(why.contains("fault rule"), "{why}");
        scene.is_spent().await;
        scene.world.advance("PT1M59S").await;
        assert_eq!(scene.receiver.taken(), 0);
        scene.world.advance("PT1S").await;
        let letters = scene.receiver.rest().await;
        assert_eq!(told(&letters), [scene.truth()]);
        assert!(scene.is_genuine(&letters[0]));
        assert_eq!(scene.world.notification().await["state"], "acknowledged");
    }
}

// Goal: a double one arrives twice, the same to the letter, and counts as one sending.
#[tokio::test]
async fn double() {
    for kind in KINDS {
        let scene = Scene::with(kind, json!({"notify": "double"}), SUCCESS).await;
        scene.cause().await;
        let letters = scene.receiver.rest().await;
        assert_eq!(told(&letters), [scene.truth(); 2]);
        assert_eq!(letters[0].body, letters[1].body);
        assert!(scene.is_genuine(&letters[0]));
        let now = scene.world.notification().await;
        assert_eq!(now["state"], "acknowledged");
        assert_eq!(now["attempts"].as_array().unwrap().len(), 1);
        scene.is_spent().await;
        scene.world.advance("P2D").await;
        assert_eq!(scene.receiver.taken(), 2);
    }
}

// Goal: a forged one is refused by its signature, and by `notify_verify`; the next is genuine, under
// the number that is shown.
#[tokio::test]
async fn forge() {
    for kind in KINDS {
        let scene = Scene::with(kind, json!({"notify": "forge"}), FAIL).await;
        scene.cause().await;
        let forged = scene.receiver.next().await;
        assert!(!scene.is_genuine(&forged), "{forged:?}");
        // It looks right otherwise.
        assert_eq!(told(std::slice::from_ref(&forged)), [scene.truth()]);
        let partner = &scene.till.partner;
        assert_eq!(forged.notify_id().len(), 34);
        let verified = scene.world.verify(partner, &forged.notify_id()).await;
        assert_eq!(verified, "false");
        scene.is_spent().await;
        scene.receiver.says(SUCCESS);
        scene.world.advance("PT2M").await;
        let genuine = scene.receiver.next().await;
        assert!(scene.is_genuine(&genuine));
        let now = scene.world.notification().await;
        assert_eq!(genuine.notify_id(), now["notify_id"]);
        assert_ne!(genuine.notify_id(), forged.notify_id());
        assert_eq!(told(&[genuine]), [scene.truth()]);
        assert_eq!(now["state"], "acknowledged");
    }
}

// Goal: a wrong amount is signed well and verified by number: only who compares it with his own books
// sees it; the next one is right.
#[tokio::test]
async fn wrong_amount() {
    for kind in KINDS {
        let scene = Scene::with(kind, json!({"notify": "wrong_amount"}), FAIL).await;
        scene.cause().await;
        let wrong = scene.receiver.next().await;
        assert!(scene.is_genuine(&wrong));
        let amount = |letter: &Letter| letter.field("total_fee") + &letter.field("return_amount");
        assert_ne!(amount(&wrong), scene.amount());
        let partner = &scene.till.partner;
        let verified = scene.world.verify(partner, &wrong.notify_id()).await;
        assert_eq!(verified, "true");
        scene.is_spent().await;
        scene.receiver.says(SUCCESS);
        scene.world.advance("PT2M").await;
        let right = scene.receiver.next().await;
        assert_eq!(amount(&right), scene.amount());
        assert_eq!(right.notify_id(), wrong.notify_id());
        assert_eq!(told(&[right]), [scene.truth()]);
    }
}

// Goal: a late one comes so much later by the clock that is moved, and its ladder begins there.
#[tokio::test]
async fn late() {
    for kind in KINDS {
        let effect = json!({"notify": "late", "by": "PT5M"});
        let scene = Scene::with(kind, effect, FAIL).await;
        scene.cause().await;
        assert_eq!(scene.receiver.taken(), 0);
        let now = scene.world.notification().await;
        assert_eq!(now["next_at"], "2026-11-23T12:05:00+08:00");
        assert_eq!(now["attempts"], json!([]));
        scene.is_spent().await;
        scene.world.advance("PT4M59S").await;
        assert_eq!(scene.receiver.taken(), 0);
        scene.world.advance("PT1S").await;
        let letter = scene.receiver.next().await;
        assert_eq!(letter.field("notify_time"), "2026-11-23 12:05:00");
        assert!(scene.is_genuine(&letter));
        scene.receiver.says(SUCCESS);
        scene.world.advance("PT1M59S").await;
        assert_eq!(scene.receiver.taken(), 1);
        scene.world.advance("PT1S").await;
        assert_eq!(told(&scene.receiver.rest().await), [scene.truth()]);
    }
}

// Goal: the receiver has it, and may ask about it, before the pay answer is out; without the rule
// the answer does not wait for anybody.
#[tokio::test]
async fn before_answer() {
    let effect = json!({"notify": "before_answer"});
    let gate = Arc::new(Notify::new());
    let held = Say::Held(Arc::clone(&gate), "success");
    let scene = Scene::with(Kind::Trade, effect, held).await;
    let pay = |id: &str, code: &str| {
        let mut params = scene.till.pay(id, code, "10.00");
        set(&mut params, "notify_url", &scene.receiver.url);
        let (till, router) = (scene.till.clone(), scene.world.router.clone());
        spawn(async move { till.ask_with(router, params, "").await.outcome() })
    };
    let paying = pay("E1", &scene.world.code("alice").await);
    let letter = scene.receiver.next().await;
    let id = letter.notify_id();
    assert_eq!(scene.world.verify(&scene.till.partner, &id).await, "true");
    scene
        .world
        .check("query tea-house E1 -> SUCCESS alipay_trans_status=TRADE_SUCCESS")
        .await;
    assert!(!paying.is_finished());
    gate.notify_one();
    assert_eq!(within(paying).await.unwrap(), "SUCCESS");
    assert_eq!(scene.world.notification().await["state"], "acknowledged");
    assert_eq!(told(&[letter]), [scene.truth()]);
    scene.is_spent().await;

    // The second one is answered while its receiver still holds the letter.
    let paying = pay("E2", &scene.world.code("alice").await);
    assert_eq!(within(paying).await.unwrap(), "SUCCESS");
    assert_eq!(scene.receiver.next().await.field("out_trade_no"), "E2");
    let newest = &scene.world.notifications().await[0];
    assert_eq!(newest["state"], "waiting", "{newest}");
}

// Goal: nobody to tell, a payment that waits, and another rule in the way: the answer comes all the
// same, and a rule for another kind, another partner or answers does not go off with a notification.
#[tokio::test]
async fn rules_for_others() {
    let world = World::start().await;
    let receiver = Receiver::start(SUCCESS).await;
    for rule in [
        json!({"service": "notify_refund", "effect": {"notify": "lose"}}),
        json!({"service": "notify_trade", "partner": "dim-sum", "effect": {"notify": "lose"}}),
        json!({"service": "notify_trade", "partner": "duty-free", "effect": {"notify": "before_answer"}}),
    ] {
        world.does("POST", "/faults", &rule.to_string()).await;
    }
    let url = &receiver.url;
    world
        .check(&format!(
            "
        pay tea-house O1 alice 1.00 notify_url={url} -> SUCCESS
        pay duty-free O2 bob 1.00 -> SUCCESS
        "
        ))
        .await;
    world.settled().await;
    assert_eq!(
        told(&receiver.rest().await),
        ["trade_status_sync O1 TRADE_SUCCESS 1.00"]
    );
    let rules = world.does("GET", "/faults", "").await;
    assert_eq!(rules[0]["fired"], 0);
    assert_eq!(rules[1]["fired"], 0);
}

// Goal: several rules for one notification go off one sending after the other, in their order, and
// each sending counts on the ladder.
#[tokio::test]
async fn one_rule_a_sending() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let receiver = Receiver::start(FAIL).await;
    world.agree("tea-house", &receiver.url).await;
    for (times, word) in [
        (2, "lose"),
        (1, "forge"),
        (1, "double"),
        (1, "wrong_amount"),
    ] {
        let rule = json!({"service": "notify_trade", "times": times, "effect": {"notify": word}});
        world.does("POST", "/faults", &rule.to_string()).await;
    }
    world
        .check("pay tea-house Q1 alice 5.00 -> SUCCESS\nclock P3D")
        .await;
    world.settled().await;
    let letters = receiver.rest().await;
    let seen: Vec<(bool, String, String)> = letters
        .iter()
        .map(|letter| {
            let genuine = letter.read(Charset::Utf8).verify(&till.verifier);
            (
                genuine,
                letter.field("total_fee"),
                letter.field("notify_time"),
            )
        })
        .collect();
    let row =
        |genuine: bool, amount: &str, time: &str| (genuine, amount.to_owned(), time.to_owned());
    assert_eq!(
        seen,
        [
            row(false, "5.00", "2026-11-23 12:12:00"),
            row(true, "5.00", "2026-11-23 12:22:00"),
            row(true, "5.00", "2026-11-23 12:22:00"),
            row(true, "15.00", "2026-11-23 13:22:00"),
            row(true, "5.00", "2026-11-23 15:22:00"),
            row(true, "5.00", "2026-11-23 21:22:00"),
            row(true, "5.00", "2026-11-24 12:22:00"),
        ]
    );
    let end = world.notification().await;
    assert_eq!(end["state"], "given_up");
    assert_eq!(end["attempts"].as_array().unwrap().len(), 8);
}
