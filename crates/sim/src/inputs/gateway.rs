//! Whole requests against a gateway in process.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use spotpay_core::payment_code::{Alias, CodeLength, CodeSecret, PaymentCode};
use spotpay_core::time::{Span, Timestamp};
use spotpay_server::app::{App, Running};
use spotpay_server::clock::Clock;
use spotpay_server::entropy::SystemEntropy;
use spotpay_server::gateway::{self, Exchange};
use spotpay_server::notifier::courier::{HttpCourier, Reach};
use spotpay_server::seed;
use spotpay_wire::form::Form;
use spotpay_wire::request;
use spotpay_wire::signature::{Md5Key, Signer};
use spotpay_wire::xml::{AnswerDoc, read_answer};
use tokio::runtime::Runtime;

use super::charset_of;

/// Requests of one input.
const REQUESTS_MAX: usize = 8;
/// After so many the store begins anew, so that it is checked in a moment.
const REQUESTS_BETWEEN_RESETS: i64 = 500;

/// A clock that each request moves by one slot of payment codes.
struct StepClock(AtomicI64);

impl Clock for StepClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_795_406_400 + 6 * self.0.load(Ordering::Relaxed))
    }

    fn real(&self) -> Timestamp {
        self.now()
    }

    fn monotonic(&self) -> Span {
        Span::micros(0)
    }

    fn set_offset(&self, _: Span) {}
}

/// A seeded gateway without a socket, and without anybody who is notified.
pub struct Gateway {
    running: Option<Running>,
    clock: Arc<StepClock>,
    runtime: Runtime,
}

impl Gateway {
    /// Starts one on an empty folder.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(data: &Path) -> Self {
        let clock = Arc::new(StepClock(AtomicI64::new(0)));
        let shared: Arc<dyn Clock> = clock.clone();
        let runtime = Runtime::new().expect("a runtime");
        let entropy = Box::new(SystemEntropy::default());
        let running = runtime.block_on(async {
            let courier = Box::new(HttpCourier::new(Reach::PublicOnly));
            let running = Running::start(data, shared, entropy, courier).expect("a gateway");
            running.seed_if_empty(None).await.expect("the seed");
            running
        });
        Self {
            running: Some(running),
            clock,
            runtime,
        }
    }

    /// Each line is a request: five bytes that choose service, partner, key, number, wallet and
    /// amount, then parameters, signed or not. Every answer is a file or XML that can be read, none
    /// is a fault, a wrong signature moves nothing, and the tables agree afterwards.
    ///
    /// # Panics
    /// When one of these is not so.
    pub fn requests(&self, data: &[u8]) {
        let Some(running) = &self.running else { return };
        for line in data.split(|&byte| byte == b'\n').take(REQUESTS_MAX) {
            let Some((head, rest)) = line.split_first_chunk::<5>() else {
                continue;
            };
            let moved = self.clock.0.fetch_add(1, Ordering::Relaxed) + 1;
            if moved % REQUESTS_BETWEEN_RESETS == 0 {
                let reset = running.app.engine.reset(seed::commands(), None);
                assert!(self.runtime.block_on(reset).is_ok(), "begins anew");
            }
            self.one(&running.app, head, rest);
        }
        let report = running.app.readers.read(|reader| reader.check());
        assert_eq!(report.expect("the store answers").problems, [""; 0]);
    }

    /// How many trades there are since it began anew.
    ///
    /// # Panics
    /// When the store does not answer.
    pub fn trades(&self) -> u64 {
        self.running.as_ref().map_or(0, |running| {
            let count = running.app.readers.read(|reader| reader.count_trades());
            count.expect("the store answers")
        })
    }

    fn one(&self, app: &Arc<App>, head: &[u8; 5], rest: &[u8]) {
        let form = request_of(head, rest, app.clock.now());
        let before = balances(app);
        let mut exchange = Exchange::default();
        let client = IpAddr::from([127, 0, 0, 1]);
        let answering = gateway::answer(app, &form, client, &mut exchange);
        let body = self.runtime.block_on(answering).body;
        let shown = String::from_utf8_lossy(&body);
        let is_fault =
            exchange.result == "SYSTEM_ERROR" || exchange.error.as_deref() == Some("SYSTEM_ERROR");
        assert!(!is_fault, "a fault: {shown}");
        if exchange.sign_ok != Some(true) {
            assert_eq!(balances(app), before, "nobody signed this: {form:?}");
        }
        if !body.starts_with(b"<?xml") {
            return;
        }
        match read_answer(&body, "") {
            Ok(AnswerDoc::Accepted(doc)) => {
                assert_eq!(exchange.sign_ok, Some(true), "{shown}");
                assert!(!doc.sign.is_empty(), "{shown}");
            }
            Ok(AnswerDoc::Rejected { error }) => assert!(!error.is_empty()),
            Err(error) => panic!("{error}: {shown}"),
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
        }
    }
}

fn balances(app: &App) -> Vec<i64> {
    let of = |name| {
        let wallet = app.readers.read(|reader| reader.wallet_named(name));
        wallet
            .ok()
            .flatten()
            .map_or(0, |wallet| wallet.balance.minor())
    };
    seed::wallet_names().map(of).collect()
}

const SERVICES: [&str; 11] = [
    "alipay.acquire.overseas.spot.pay",
    "alipay.acquire.overseas.spot.pay",
    "alipay.acquire.overseas.spot.refund",
    "alipay.acquire.overseas.query",
    "alipay.acquire.cancel",
    "alipay.acquire.overseas.spot.reverse",
    "alipay.acquire.overseas.spot.cancel",
    "alipay.acquire.refund.query",
    "alipay.overseas.secmerchant.offline.maintain",
    "alipay.overseas.secmerchant.maintain.queryStatus",
    "notify_verify",
];

fn request_of(head: &[u8; 5], rest: &[u8], now: Timestamp) -> Form {
    let [service, partner, number, wallet, amount] = *head;
    let charset = charset_of(service / 16);
    let seeded = &seed::PARTNERS[usize::from(partner) % seed::PARTNERS.len()];
    let service = SERVICES[usize::from(service) % SERVICES.len()];
    let place = wallet % 6;
    let alias = Alias::from_number(100_000_000 + u32::from(place)).expect("nine digits");
    let secret = CodeSecret::new([place; CodeSecret::BYTES]);
    let code = PaymentCode::make(alias, &secret, now, CodeLength::Short);
    let partner_id = format!("2088{}", seeded.number());
    let (id, refund) = (format!("T{}", number % 8), format!("R{}", number / 8 % 8));
    let money = format!("{}.{:02}", amount / 4, amount % 4);
    let currency = if seeded.name == "duty-free" {
        "USD"
    } else {
        "HKD"
    };
    let usual = [
        ("service", service),
        ("partner", &partner_id),
        ("alipay_seller_id", &partner_id),
        ("trans_name", "Tea"),
        ("partner_trans_id", &id),
        ("out_trade_no", &id),
        ("partner_refund_id", &refund),
        ("out_return_no", &refund),
        ("currency", currency),
        ("trans_amount", &money),
        ("refund_amount", &money),
        ("buyer_identity_code", code.as_str()),
        ("identity_code_type", "barcode"),
        ("trans_create_time", "20261123120000"),
        ("biz_product", "OVERSEAS_MBARCODE_PAY"),
        ("is_sync", if wallet < 128 { "Y" } else { "N" }),
    ];
    let extra = Form::read_as(charset, rest);
    // What the input names itself stands in the place of the usual.
    let kept = usual
        .into_iter()
        .filter(|(name, _)| extra.given(name).is_none());
    let is_tail = partner & 0x40 != 0;
    let more = extra.iter().filter(|_| !is_tail);
    let mut key = seeded.md5_key.to_owned();
    if partner & 0x80 != 0 {
        key.replace_range(..1, "X");
    }
    let signer = Signer::Md5(key.parse::<Md5Key>().expect("a seeded key"));
    let signed = request::sign(charset, kept.chain(more), &signer);
    let mut body = signed.body.into_bytes();
    if is_tail {
        body.push(b'&');
        body.extend_from_slice(rest);
    }
    Form::read(signed.query.as_bytes(), &body)
}
