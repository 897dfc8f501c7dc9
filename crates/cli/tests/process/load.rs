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
    /// In cents.
    pub(crate) amount: i64,
    pub(crate) request: Vec<u8>,
    /// `None`: sent, and no answer.
    pub(crate) heard: Option<Heard>,
    /// `None`: not cancelled. `Some(None)`: cancelled without an answer.
    pub(crate) cancel: Option<Option<Heard>>,
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, heard, cancel) = (&self.id, &self.heard, &self.cancel);
        write!(f, "{id}: heard {heard:?}, cancel {cancel:?}")
    }
}

impl Order {
    pub(crate) fn was_paid(&self) -> bool {
        self.heard.as_ref().is_some_and(Heard::is_success)
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
            id,
            amount,
            heard: None,
            cancel: None,
        }
    };
    (0..phones.codes()).map(order).collect()
}

/// How a load goes on.
pub(crate) struct Drive {
    pub(crate) connections: usize,
    /// Each so many-th payment is cancelled once it is answered; 0: none.
    pub(crate) cancel_each: usize,
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
            answered: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            limit: AtomicUsize::new(usize::MAX),
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
        std::thread::scope(|scope| {
            let running: Vec<_> = (0..self.connections)
                .map(|_| {
                    let line = gateway.line();
                    scope.spawn(|| self.drive_one(line, till, orders, &next))
                })
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
            order.heard = till.ask(&mut line, &order.request).ok();
            let mut broken = order.heard.is_none();
            if !broken && !order.was_paid() {
                self.refused.fetch_add(1, Ordering::Release);
            }
            if order.was_paid() && self.cancel_each > 0 && number.is_multiple_of(self.cancel_each) {
                let heard = till.ask(&mut line, &till.cancel(&order.id)).ok();
                broken = heard.is_none();
                order.cancel = Some(heard);
            }
            sent.push(order);
            if broken {
                return sent;
            }
            self.answered.fetch_add(1, Ordering::Release);
        }
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

/// Each wallet has what it began with, less its payments that stayed.
pub(crate) fn assert_purses(
    gateway: &Gateway,
    phones: &Phones,
    orders: &[Order],
    states: &[Heard],
) {
    let mut expected: BTreeMap<&str, i64> = phones.wallets().map(|id| (id, PURSE)).collect();
    for (order, state) in orders.iter().zip(states) {
        if state.is("TRADE_SUCCESS") {
            *expected.get_mut(order.wallet.as_str()).expect("a wallet") -= order.amount;
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
