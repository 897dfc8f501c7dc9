//! `kill -9` under load: whoever was answered is right, whoever was not loses nothing.

#![cfg(unix)]

mod process;

use std::time::Duration;

use process::books::Books;
use process::load::{Drive, Order, assert_purses, orders, states};
use process::till::{Heard, Phones, Till};
use process::{Dice, Gateway, Place, pause, until};
use rustix::process::Signal;

const ROUNDS: u64 = 5;
/// Requests and delays of every run are the same; instants of a process are not.
const SEED: u64 = 20_261_123;

// Goal: five times killed at a random instant with payments and cancels on sixteen connections;
// after each restart on the same folder every answered payment is there once, every answered
// cancel holds, nothing is half there, and repeating what was not answered makes one debit.
#[test]
fn killed_under_load() {
    let place = Place::new();
    let mut dice = Dice(SEED);
    let (mut answered, mut open, mut stored_open) = (0, 0, 0);
    let mut gateway = place.launch().quiet().start();
    let till = Till::of(&gateway, "tea-house");
    for round in 0..ROUNDS {
        let phones = Phones::hire(&gateway, 500);
        let orders = orders(&till, &phones, &format!("K{round}"));
        let sent = killed(gateway, &till, &orders, 20 + dice.below(600));
        let books = Books::read(&place.data());
        gateway = place.launch().quiet().start();
        assert!(gateway.is_ready());
        gateway.assert_balanced();
        let found = states(&gateway, &till, &sent);
        for (order, state) in sent.iter().zip(&found) {
            assert_kept(order, state, &books);
        }
        answered += sent.iter().filter(|order| order.was_paid()).count();
        let unanswered = |order: &&Order| order.heard.is_none();
        open += sent.iter().filter(unanswered).count();
        let stored = |order: &&Order| books.state(&order.id).is_some();
        stored_open += sent.iter().filter(unanswered).filter(stored).count();
        assert_eq!(books_of_round(&books, round), stored_trades(&sent, &books));

        finish(&gateway, &till, &sent);
        gateway.assert_balanced();
        assert_purses(&gateway, &phones, &sent, &states(&gateway, &till, &sent));
    }
    assert!(gateway.stop(Signal::TERM).success());
    Books::read(&place.data());
    assert!(answered > 100 && open > 10, "{answered} {open}");
    println!(
        "{answered} payments answered, {open} not answered of which {stored_open} were stored"
    );
}

// Goal: the power fails: what was written and not synced is gone, and that is nothing that anybody
// was told of.
#[cfg(target_os = "linux")]
#[test]
fn power_lost_under_load() {
    let place = Place::new();
    let Some(library) = process::compile(&place, "lost_power") else {
        return;
    };
    let copies = place.file("copies");
    std::fs::create_dir(&copies).expect("a folder");
    let launch = || {
        let launch = place.launch().quiet().env("LD_PRELOAD", &library);
        launch.env("SYNCED_COPIES", &copies).start()
    };
    let mut dice = Dice(SEED);
    let mut gateway = launch();
    let till = Till::of(&gateway, "tea-house");
    let mut answered = 0;
    for round in 0..3 {
        let phones = Phones::hire(&gateway, 200);
        let orders = orders(&till, &phones, &format!("K{round}"));
        let sent = killed(gateway, &till, &orders, 20 + dice.below(300));
        for name in ["spotpay.db", "spotpay.db-wal", "spotpay.db-shm"] {
            // The index of the WAL is never synced; what is missing was never there.
            let _ = std::fs::remove_file(place.data().join(name));
            let _ = std::fs::copy(copies.join(name), place.data().join(name));
        }
        let books = Books::read(&place.data());
        gateway = launch();
        gateway.assert_balanced();
        for (order, state) in sent.iter().zip(states(&gateway, &till, &sent)) {
            assert_kept(order, &state, &books);
        }
        answered += sent.iter().filter(|order| order.was_paid()).count();
        finish(&gateway, &till, &sent);
        let found = states(&gateway, &till, &sent);
        assert_purses(&gateway, &phones, &sent, &found);
    }
    assert!(answered > 100, "{answered}");
    println!("power: {answered} payments answered");
}

/// Load, and SIGKILL so many milliseconds after it runs well; what was sent.
fn killed(gateway: Gateway, till: &Till, orders: &[Order], delay_ms: u64) -> Vec<Order> {
    let drive = Drive::new(16, 5);
    std::thread::scope(|scope| {
        let load = scope.spawn(|| drive.run(&gateway, till, orders));
        until("payments are answered", || drive.answered() > 32);
        pause(Duration::from_millis(delay_ms));
        let id = rustix::process::Pid::from_raw(i32::try_from(gateway.id()).expect("an id"));
        rustix::process::kill_process(id.expect("an id"), Signal::KILL).expect("it is ours");
        load.join().expect("the load ends with its gateway")
    })
}

fn assert_kept(order: &Order, state: &Heard, books: &Books) {
    let paid = state.is("TRADE_SUCCESS");
    let closed = state.is("TRADE_CLOSED");
    let absent = *state == Heard::Failed("TRADE_NOT_EXISTTRADE_NOT_EXIST".to_owned());
    let as_promised = match (&order.heard, &order.cancel) {
        (Some(Heard::Success(_)), None) => paid,
        (Some(Heard::Success(_)), Some(Some(Heard::Success(_)))) => closed,
        (Some(Heard::Success(_)), Some(None)) => paid || closed,
        (None, None) => paid || absent,
        _ => false,
    };
    assert!(as_promised, "{order:?}: {state:?}");
    // The files that the process left behind said the same, before the restart touched them.
    let expected = match (paid, closed) {
        (true, _) => Some(1),
        (_, true) => Some(2),
        (false, false) => None,
    };
    assert_eq!(books.state(&order.id), expected, "{order:?}");
}

fn books_of_round(books: &Books, round: u64) -> usize {
    let prefix = format!("K{round}-");
    let ids = books.trades.keys();
    ids.filter(|id| id.starts_with(&prefix)).count()
}

fn stored_trades(sent: &[Order], books: &Books) -> usize {
    let ids = sent.iter();
    ids.filter(|order| books.state(&order.id).is_some()).count()
}

/// What a till does: the same request again, twice; and the cancel.
fn finish(gateway: &Gateway, till: &Till, sent: &[Order]) {
    let mut line = gateway.line();
    for order in sent.iter().filter(|order| order.heard.is_none()) {
        for _ in 0..2 {
            let heard = till.ask(&mut line, &order.request).expect("an answer");
            assert!(heard.is_success(), "{order:?}: {heard:?}");
        }
    }
    for order in sent.iter().filter(|order| order.cancel == Some(None)) {
        let cancel = till.cancel(&order.id);
        let heard = till.ask(&mut line, &cancel).expect("an answer");
        assert!(heard.is_success(), "{order:?}: {heard:?}");
    }
}
