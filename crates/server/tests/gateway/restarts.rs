//! Notifications across the end of a process: stopped in peace, stopped before anything was sent,
//! killed between the sending and the note of it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use serde_json::Value;
use spotpay_core::time::{Span, Timestamp};
use spotpay_server::app::Running;
use spotpay_server::clock::Clock;
use spotpay_server::entropy::SystemEntropy;
use spotpay_server::notifier::courier::{Courier, HttpCourier, Post, Reach};
use spotpay_server::notifier::driver::Driver;
use spotpay_server::server;
use tokio::sync::mpsc;

use crate::receiver::{FAIL, Receiver, SUCCESS, within};
use crate::till::Till;
use crate::world::{NOON, api};

/// A machine's clock that goes on by hand, also while no process runs.
#[derive(Clone, Default)]
struct HandClock(Arc<Hands>);

#[derive(Default)]
struct Hands {
    past_noon: AtomicI64,
    offset: AtomicI64,
}

impl HandClock {
    fn pass(&self, span: Span) {
        self.0
            .past_noon
            .fetch_add(span.as_micros(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        let offset = Span::micros(self.0.offset.load(Ordering::SeqCst));
        self.real().plus(offset)
    }

    fn real(&self) -> Timestamp {
        let passed = Span::micros(self.0.past_noon.load(Ordering::SeqCst));
        Timestamp::parse_compact(NOON).unwrap().plus(passed)
    }

    fn monotonic(&self) -> Span {
        Span::micros(0)
    }

    fn set_offset(&self, offset: Span) {
        self.0.offset.store(offset.as_micros(), Ordering::SeqCst);
    }
}

/// Posts, and is never heard of again: as when the process is killed before it notes what came
/// back.
struct LostCourier {
    inner: HttpCourier,
    posted: mpsc::Sender<()>,
}

impl Courier for LostCourier {
    fn post<'a>(&'a self, url: &'a str, form: String) -> Post<'a> {
        Box::pin(async move {
            let heard = self.inner.post(url, form).await;
            assert!(heard.is_ok(), "{heard:?}");
            self.posted.send(()).await.unwrap();
            std::future::pending().await
        })
    }
}

/// One life of a gateway on a folder.
struct Life {
    running: Running,
    notifier: Option<Driver>,
    router: Router,
}

fn courier() -> Box<dyn Courier> {
    Box::new(HttpCourier::new(Reach::Anywhere))
}

impl Life {
    /// Opens the folder; without a notifier nothing is sent.
    async fn start(data: &Path, clock: &HandClock, courier: Option<Box<dyn Courier>>) -> Self {
        let sends = courier.is_some();
        let courier = courier.unwrap_or_else(self::courier);
        let entropy = Box::new(SystemEntropy::default());
        let clock = Arc::new(clock.clone());
        let running = Running::start(data, clock, entropy, courier).unwrap();
        running.seed_if_empty(None).await.unwrap();
        let notifier = sends.then(|| Driver::start(&running.app));
        let router = server::router(Arc::clone(&running.app));
        Self {
            running,
            notifier,
            router,
        }
    }

    /// As `serve` ends.
    async fn stop(self) {
        if let Some(notifier) = self.notifier {
            notifier.stop(&self.running.app).await;
        }
        self.running.stop();
    }

    async fn does(&self, method: &str, path: &str, body: &str) -> Value {
        let call = api(self.router.clone(), method.into(), path.into(), body.into());
        let (status, answer) = call.await;
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    /// Pays with an address for the notification.
    async fn pay(&self, id: &str, url: &str) {
        let partners = self.does("GET", "/partners", "").await;
        let till = Till::of(&partners[0]);
        let code = self.does("POST", "/wallets/alice/code", "").await;
        let mut params = till.pay(id, code["code"].as_str().unwrap(), "1.00");
        crate::till::set(&mut params, "notify_url", url);
        let said = till.ask_with(self.router.clone(), params, "").await;
        assert_eq!(said.outcome(), "SUCCESS");
    }

    async fn advance(&self, by: &str) {
        let wish = format!(r#"{{"advance":"{by}"}}"#);
        self.does("POST", "/clock", &wish).await;
    }

    /// The only notification.
    async fn notification(&self) -> Value {
        let all = self.does("GET", "/notifications", "").await;
        assert_eq!(all.as_array().unwrap().len(), 1, "{all}");
        all[0].clone()
    }

    /// The only notification once it is in a state, however the driver got it there.
    async fn once(&self, state: &str) -> Value {
        within(async {
            loop {
                self.advance("PT0S").await;
                let now = self.notification().await;
                if now["state"] == state {
                    return now;
                }
            }
        })
        .await
    }
}

// Goal: what one process did not send, the next one sends at its start, under the number that was
// shown before.
#[tokio::test]
async fn unsent_before_the_stop() {
    let data = tempfile::tempdir().unwrap();
    let clock = HandClock::default();
    let receiver = Receiver::start(SUCCESS).await;
    let life = Life::start(data.path(), &clock, None).await;
    life.pay("U1", &receiver.url).await;
    let shown = life.notification().await;
    assert_eq!(shown["attempts"], Value::Array(Vec::new()));
    life.stop().await;
    assert_eq!(receiver.taken(), 0);

    let life = Life::start(data.path(), &clock, Some(courier())).await;
    let letter = receiver.next().await;
    assert_eq!(letter.notify_id(), shown["notify_id"]);
    let after = life.once("acknowledged").await;
    assert_eq!(after["id"], shown["id"]);
    assert_eq!(receiver.taken(), 1);
    life.stop().await;
}

// Goal: a query that finds the time of a payment over, before its timer has run, stores that before
// it answers: a buyer whose confirmation is decided by an earlier clock does not pay what was told
// as closed.
#[tokio::test]
async fn closed_by_a_query_stays_closed() {
    let data = tempfile::tempdir().unwrap();
    let clock = HandClock::default();
    let life = Life::start(data.path(), &clock, None).await;
    let partners = life.does("GET", "/partners", "").await;
    let till = Till::of(&partners[0]);
    let code = life.does("POST", "/wallets/careful/code", "").await;
    let pay = till.pay("C1", code["code"].as_str().unwrap(), "1.00");
    let said = till.ask_with(life.router.clone(), pay, "").await;
    assert_eq!(said.outcome(), "UNKNOW");

    clock.pass(Span::minutes(3));
    let query = || till.ask_with(life.router.clone(), till.query("C1"), "");
    assert_eq!(query().await.field("alipay_trans_status"), "TRADE_CLOSED");
    clock.pass(Span::millis(-500));
    let accept = r#"{"partner_trans_id":"C1","accept":true}"#;
    let confirm = api(
        life.router.clone(),
        "POST".into(),
        "/wallets/careful/confirm".into(),
        accept.into(),
    );
    let (status, refusal) = confirm.await;
    assert_eq!((status, &refusal["error"]), (409, &"not_waiting".into()));
    assert_eq!(query().await.field("alipay_trans_status"), "TRADE_CLOSED");
    life.stop().await;
}

// Goal: the ladder goes on where it was, through a restart between any two of its sendings; the
// clock that was moved stays moved.
#[tokio::test]
async fn a_restart_between_any_two_sendings() {
    let data = tempfile::tempdir().unwrap();
    let clock = HandClock::default();
    let receiver = Receiver::start(FAIL).await;
    let life = Life::start(data.path(), &clock, Some(courier())).await;
    life.pay("L1", &receiver.url).await;
    let id = receiver.next().await.notify_id();
    // Its outcome is noted before the stop.
    life.advance("PT0S").await;
    life.stop().await;
    let gaps = ["PT2M", "PT10M", "PT10M", "PT1H", "PT2H", "PT6H", "PT15H"];
    for (sent, gap) in gaps.into_iter().enumerate() {
        let life = Life::start(data.path(), &clock, Some(courier())).await;
        assert_eq!(receiver.taken(), sent + 1, "{gap}");
        life.advance(gap).await;
        assert_eq!(receiver.next().await.notify_id(), id);
        life.advance("PT0S").await;
        life.stop().await;
    }
    let life = Life::start(data.path(), &clock, Some(courier())).await;
    life.advance("P1D").await;
    let end = life.notification().await;
    assert_eq!(end["state"], "given_up");
    assert_eq!(end["attempts"].as_array().unwrap().len(), 8);
    assert_eq!(end["attempts"][7]["at"], "2026-11-24T12:22:00+08:00");
    assert_eq!(receiver.taken(), 8);
    life.stop().await;
}

// Goal: a process that was down over several gaps sends once when it is back, and counts the next
// gap from then: the partner is not hurried.
#[tokio::test]
async fn down_over_several_gaps() {
    let data = tempfile::tempdir().unwrap();
    let clock = HandClock::default();
    let receiver = Receiver::start(FAIL).await;
    let life = Life::start(data.path(), &clock, Some(courier())).await;
    life.pay("D1", &receiver.url).await;
    receiver.next().await;
    life.advance("PT0S").await;
    life.stop().await;
    clock.pass(Span::hours(5));
    let life = Life::start(data.path(), &clock, Some(courier())).await;
    let letter = receiver.next().await;
    assert_eq!(letter.field("notify_time"), "2026-11-23 17:00:00");
    life.advance("PT9M59S").await;
    assert_eq!(receiver.taken(), 2);
    let now = life.notification().await;
    assert_eq!(now["attempts"][1]["at"], "2026-11-23T17:00:00+08:00");
    assert_eq!(now["next_at"], "2026-11-23T17:10:00+08:00");
    life.stop().await;
}

// Goal: killed between the sending and the note of it, the gateway sends once more, under the same
// number; until then the receiver's question is answered `true`.
#[tokio::test]
async fn killed_before_the_note() {
    let data = tempfile::tempdir().unwrap();
    let clock = HandClock::default();
    let receiver = Receiver::start(SUCCESS).await;
    let (posted, mut is_posted) = mpsc::channel(1);
    let lost = Box::new(LostCourier {
        inner: HttpCourier::new(Reach::Anywhere),
        posted,
    });
    let life = Life::start(data.path(), &clock, Some(lost)).await;
    life.pay("K1", &receiver.url).await;
    within(is_posted.recv()).await.unwrap();
    let first = receiver.next().await;
    let before = life.notification().await;
    assert_eq!(before["state"], "waiting");
    assert_eq!(before["attempts"], Value::Array(Vec::new()));
    life.stop().await;

    let life = Life::start(data.path(), &clock, Some(courier())).await;
    let second = receiver.next().await;
    assert_eq!(second.notify_id(), first.notify_id());
    assert_eq!(second.body, first.body);
    let after = life.once("acknowledged").await;
    assert_eq!(after["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(receiver.taken(), 2);
    life.stop().await;
}
