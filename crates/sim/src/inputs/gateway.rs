//! Whole requests against a gateway in process.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use spotpay_server::app::App;
use spotpay_server::gateway::{self, Exchange};
use spotpay_server::seed;
use spotpay_wire::form::Form;
use spotpay_wire::xml::{AnswerDoc, read_answer};

use super::requests::{Head, Sent, request_of};
use super::world::World;

/// Requests of one input.
const REQUESTS_MAX: usize = 8;

/// A seeded gateway without a socket.
pub struct Gateway(World);

impl Gateway {
    /// Starts one on an empty folder.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(data: &Path) -> Self {
        Self(World::start(data))
    }

    /// Each line is a request: five bytes that choose service, partner, key, number, wallet and
    /// amount, then parameters, signed or not. Every answer is a file or XML that can be read, none
    /// is a fault, a wrong signature moves nothing, and the tables agree afterwards.
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
            self.one(self.0.app(), *head, rest);
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
