//! Payments on many connections, and what each of them heard.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Gateway;
use super::till::{Heard, PURSE, Phones, Till};

/// One payment, and what came of it as far as its till knows.
#[derive(Clone)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) wallet: String,
    /// The name of the wallet.
    owner: String,
    /// In cents.
    pub(crate) amount: i64,
    pub(crate) request: Vec<u8>,
    /// `None`: sent, and no answer.
    pub(crate) heard: Option<Heard>,
    /// `None`: not cancelled. `Some(None)`: cancelled without an answer.
    pub(crate) cancel: Option<Option<Heard>>,
    /// `None`: half of it is not asked back. `Some(None)`: it is, without an answer.
    pub(crate) refund: Option<Option<Heard>>,
    /// `None`: its buyer said nothing. `Some(None)`: said yes without an answer; else its status.
    pub(crate) confirm: Option<Option<u16>>,
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, heard, cancel) = (&self.id, &self.heard, &self.cancel);
        let (refund, confirm) = (&self.refund, &self.confirm);
        write!(
            f,
            "{id}: heard {heard:?}, cancel {cancel:?}, refund {refund:?}, confirm {confirm:?}"
        )
    }
}

impl Order {
    pub(crate) fn was_paid(&self) -> bool {
        self.heard.as_ref().is_some_and(Heard::is_success)
    }

    /// Whether its buyer was asked to confirm it.
    pub(crate) fn waits(&self) -> bool {
        self.heard == Some(Heard::Unknown(String::new()))
    }

    /// The number of its refund.
    pub(crate) fn refund_id(&self) -> String {
        format!("R-{}", self.id)
    }

    /// What its refund gives back.
    pub(crate) fn half(&self) -> i64 {
        self.amount / 2
    }

    /// The buyer says yes; the status of the answer.
    pub(crate) fn confirm(&self, line: &mut super::line::Line) -> Option<u16> {
        let body = format!(r#"{{"partner_trans_id":"{}","accept":true}}"#, self.id);
        let request = format!(
            "POST /sandbox/v1/wallets/{}/confirm HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            self.owner,
            body.len()
        );
        let answer = line.ask(request.as_bytes()).ok()?;
        Some(answer.status)
    }
}

/// Every code of the phones, made into an order.
pub(crate) fn orders(till: &Till, phones: &Phones, prefix: &str) -> Vec<Order> {
    let order = |number: usize| {
        let (wallet, code) = phones.code(number);
        let id = format!("{prefix}-{number:05}");
        let amount = 100 + i64::try_from(number % 9_000).expect("a small number");
        Order {
            request: till.pay(&id, amount, code.as_str()),
            wallet: wallet.to_owned(),
            owner: phones.owner(number).to_owned(),
            id,
            amount,
            heard: None,
            cancel: None,
            refund: None,
            confirm: None,
        }
    };
    (0..phones.codes()).map(order).collect()
}

/// How a load goes on.
pub(crate) struct Drive {
    pub(crate) connections: usize,
    /// Each so many-th payment is cancelled once it is answered; 0: none.
    pub(crate) cancel_each: usize,
    /// Half of each so many-th is asked back; 0: of none.
    refund_each: usize,
    /// Answers so far, and how many of them were no success.
    answered: AtomicUsize,
    refused: AtomicUsize,
    /// Orders that may be sent, from the first.
    limit: AtomicUsize,
}

impl Drive {
    pub(crate) fn new(connections: usize, cancel_each: usize) -> Self {
        Self {
            connections,
            cancel_each,
            refund_each: 0,
            answered: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            limit: AtomicUsize::new(usize::MAX),
        }
    }

    /// With refunds of each so many-th payment that is not cancelled.
    pub(crate) fn refunding(self, refund_each: usize) -> Self {
        Self {
            refund_each,
            ..self
        }
    }

    pub(crate) fn answered(&self) -> usize {
        self.answered.load(Ordering::Acquire)
    }

    pub(crate) fn refused(&self) -> usize {
        self.refused.load(Ordering::Acquire)
    }

    /// Sends nothing more.
    pub(crate) fn stop(&self) {
        self.limit.store(0, Ordering::Release);
    }

    /// Sends the orders, one after another on each connection, until they are through, a
    /// connection breaks, or [`Drive::stop`]. What was sent comes back.
    pub(crate) fn run(&self, gateway: &Gateway, till: &Till, orders: &[Order]) -> Vec<Order> {
        let next = AtomicUsize::new(0);
        let mut sent = Vec::new();
        // All of them before the first order: it may be what makes the gateway go.
        let lines: Vec<_> = (0..self.connections).map(|_| gateway.line()).collect();
        std::thread::scope(|scope| {
            let running: Vec<_> = lines
                .into_iter()
                .map(|line| scope.spawn(|| self.drive_one(line, till, orders, &next)))
                .collect();
            for connection in running {
                sent.extend(connection.join().expect("a till that does not panic"));
            }
        });
        sent
    }

    fn drive_one(
        &self,
        mut line: super::line::Line,
        till: &Till,
        orders: &[Order],
        next: &AtomicUsize,
    ) -> Vec<Order> {
        let mut sent = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if self.limit.load(Ordering::Acquire) <= number {
                return sent;
            }
            let Some(order) = orders.get(number) else {
                return sent;
            };
            let mut order = order.clone();
            let broken = self
                .settle_one(&mut line, till, &mut order, number)
                .is_none();
            sent.push(order);
            if broken {
                return sent;
            }
            self.answered.fetch_add(1, Ordering::Release);
        }
    }
}

impl Drive {
    /// One payment and what follows it; `None` when the connection breaks.
    fn settle_one(
        &self,
        line: &mut super::line::Line,
        till: &Till,
        order: &mut Order,
        number: usize,
    ) -> Option<()> {
        order.heard = till.ask(line, &order.request).ok();
        order.heard.as_ref()?;
        if order.waits() {
            let said = order.confirm(line);
            order.confirm = Some(said);
            said?;
            return Some(());
        }
        if !order.was_paid() {
            self.refused.fetch_add(1, Ordering::Release);
            return Some(());
        }
        let is_turn = |each: usize| each > 0 && number.is_multiple_of(each);
        if is_turn(self.cancel_each) {
            let heard = till.ask(line, &till.cancel(&order.id)).ok();
            order.cancel = Some(heard);
            order.cancel.as_ref()?.as_ref()?;
        } else if is_turn(self.refund_each) {
            let refund = till.refund_now(&order.id, &order.refund_id(), order.half());
            order.refund = Some(till.ask(line, &refund).ok());
            order.refund.as_ref()?.as_ref()?;
        }
        Some(())
    }
}

/// The state that a query names, for each order.
pub(crate) fn states(gateway: &Gateway, till: &Till, orders: &[Order]) -> Vec<Heard> {
    let part = orders.len().div_ceil(8).max(1);
    let mut states = Vec::new();
    std::thread::scope(|scope| {
        let ask = |orders: &[Order]| -> Vec<Heard> {
            let mut line = gateway.line();
            let query = |order: &Order| {
                let heard = till.ask(&mut line, &till.query(&order.id));
                heard.expect("a query is answered")
            };
            orders.iter().map(query).collect()
        };
        let running: Vec<_> = orders
            .chunks(part)
            .map(|some| scope.spawn(move || ask(some)))
            .collect();
        for part in running {
            states.extend(part.join().expect("an answer"));
        }
    });
    states
}

/// Each wallet has what it began with, less its payments that stayed; every refund is done.
pub(crate) fn assert_purses(
    gateway: &Gateway,
    phones: &Phones,
    orders: &[Order],
    states: &[Heard],
) {
    let mut expected: BTreeMap<&str, i64> = phones.wallets().map(|id| (id, PURSE)).collect();
    for (order, state) in orders.iter().zip(states) {
        if state.is("TRADE_SUCCESS") {
            let back = order.refund.as_ref().map_or(0, |_| order.half());
            *expected.get_mut(order.wallet.as_str()).expect("a wallet") -= order.amount - back;
        }
    }
    let mut found = BTreeMap::new();
    let mut after = String::new();
    loop {
        let page = gateway.fetch(&format!("/wallets?limit=1000{after}"));
        let wallets = page.as_array().expect("wallets");
        for wallet in wallets {
            let text = |field: &str| wallet[field].as_str().expect("text").to_owned();
            found.insert(text("wallet_id"), cents(&text("balance")));
        }
        match wallets.last() {
            Some(last) if wallets.len() == 1_000 => {
                after = format!("&after={}", last["wallet_id"].as_str().expect("an id"));
            }
            Some(_) | None => break,
        }
    }
    for (wallet, expected) in expected {
        assert_eq!(found.get(wallet), Some(&expected), "wallet {wallet}");
    }
}

fn cents(balance: &str) -> i64 {
    balance.replace('.', "").parse().expect("an amount")
}
