//! Whole requests against a gateway in process.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use spotpay_server::app::App;
use spotpay_server::gateway::{self, Exchange};
use spotpay_server::seed;
use spotpay_wire::files::Reader;
use spotpay_wire::form::Form;
use spotpay_wire::service::Service;
use spotpay_wire::xml::{Accepted, AnswerDoc, read_answer};

use super::requests::{Head, Sent, is_day_over, request_of, verifier_of};
use super::stage::Stage;

/// Requests of one input.
const REQUESTS_MAX: usize = 8;

/// A seeded gateway without a socket.
pub struct Gateway(Stage);

impl Gateway {
    /// Starts one on an empty folder.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(data: &Path) -> Self {
        Self(Stage::start(data))
    }

    /// Each line is a request: five bytes that choose service, partner, key, numbers, wallet and
    /// amount, then parameters, signed or not; or a day that goes by. Every answer is a file or XML
    /// that can be read and verified, none is a fault, a wrong signature moves nothing, and both
    /// judges of the store find nothing afterwards.
    ///
    /// # Panics
    /// When one of these is not so.
    pub fn requests(&self, data: &[u8]) {
        self.0.begin_anew();
        for line in data.split(|&byte| byte == b'\n').take(REQUESTS_MAX) {
            let Some((head, rest)) = line.split_first_chunk() else {
                continue;
            };
            self.0.step();
            if is_day_over(*head) {
                self.0.day_over();
            } else {
                self.one(self.0.app(), *head, rest);
            }
        }
        self.0.check();
        self.0.audit();
    }

    /// How many trades the last input made.
    ///
    /// # Panics
    /// When the store does not answer.
    pub fn trades(&self) -> u64 {
        let count = self.0.app().readers.read(|reader| reader.count_trades());
        count.expect("the store answers")
    }

    fn one(&self, app: &Arc<App>, head: Head, rest: &[u8]) {
        let Sent { query, body } = request_of(head, rest, self.0.now());
        let form = Form::read(query.as_bytes(), &body);
        let before = balances(app);
        let mut exchange = Exchange::default();
        let client = IpAddr::from([127, 0, 0, 1]);
        let answering = gateway::answer(app, &form, client, &mut exchange);
        let body = self.0.wait(answering).body;
        let shown = String::from_utf8_lossy(&body);
        let is_fault =
            exchange.result == "SYSTEM_ERROR" || exchange.error.as_deref() == Some("SYSTEM_ERROR");
        assert!(!is_fault, "a fault: {shown}");
        if exchange.sign_ok != Some(true) {
            assert_eq!(balances(app), before, "nobody signed this: {form:?}");
        }
        if !body.starts_with(b"<?xml") {
            return text(&form, &exchange, &body);
        }
        match read_answer(&body, "") {
            Ok(AnswerDoc::Accepted(doc)) => {
                assert_eq!(exchange.sign_ok, Some(true), "{shown}");
                accepted(&form, &doc, &shown);
            }
            Ok(AnswerDoc::Rejected { error }) => assert!(!error.is_empty()),
            Err(error) => panic!("{error}: {shown}"),
        }
    }
}

/// The echo is what was sent, and the signature verifies.
fn accepted(form: &Form, doc: &Accepted, shown: &str) {
    assert_eq!(doc.charset, form.answer_charset(), "{shown}");
    let sent = form.iter();
    let echo = doc.params.iter().map(|(name, value)| (&**name, &**value));
    assert!(echo.eq(sent), "{form:?} came back as {shown}");
    assert_eq!(Some(doc.sign_type.as_str()), form.get("sign_type"));
    let verifier = verifier_of(form).expect("a seeded partner");
    assert!(doc.verify(&verifier), "{shown}");
}

/// A word on a notification, or a file that reads to its end.
fn text(form: &Form, exchange: &Exchange, body: &[u8]) {
    let shown = String::from_utf8_lossy(body);
    if exchange.service == Some(Service::NotifyVerify) {
        assert!(["true", "false", "invalid"].contains(&&*shown), "{shown}");
        return;
    }
    assert_eq!(exchange.sign_ok, Some(true), "{form:?} fetched {shown}");
    assert!(form.answer_charset().decode(body).is_ok(), "{shown}");
    let mut reader = match Reader::new(body) {
        Ok(reader) => reader,
        Err(error) => panic!("{error}: {shown}"),
    };
    loop {
        match reader.read() {
            Ok(Some(_)) => {}
            Ok(None) => return,
            Err(error) => panic!("{error}: {shown}"),
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
