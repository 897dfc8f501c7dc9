//! `kill -9` under load: whoever was answered is right, whoever was not loses nothing.

#![cfg(target_os = "linux")]

mod process;

use std::path::PathBuf;
use std::time::Duration;

use process::books::Books;
use process::load::{Drive, Order, assert_purses, orders, states};
use process::shopper::{Ended, Shopper};
use process::till::{Heard, Phones, Till};
use process::{Dice, Gateway, Launch, Place, pause, setting, until};
use rustix::process::{Pid, Resource, Rlimit, Signal};
use serde_json::json;

/// Kills of a run among all tests; `cargo xtask crash` asks for more.
const KILLS: u64 = 6;
/// It chooses requests, delays and faults; the instants of a process are its own.
const SEED: u64 = 5;
/// Tills with the merchant SDK, beside sixteen plain connections.
const SHOPPERS: usize = 4;

/// What is wrong with the disk when the gateway is killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trouble {
    None,
    /// No file may grow.
    SmallFiles,
    /// No file takes a byte.
    FullDisk,
    /// Syncing the WAL fails.
    BrokenSync,
}

impl Trouble {
    fn of(dice: &mut Dice) -> Self {
        match dice.below(8) {
            0 => Self::SmallFiles,
            1 => Self::FullDisk,
            2 => Self::BrokenSync,
            _ => Self::None,
        }
    }
}

/// A folder on a disk that can be troubled, and the libraries that do it.
struct Siege {
    place: Place,
    libraries: Option<(PathBuf, PathBuf)>,
}

impl Siege {
    fn new() -> Self {
        let place = Place::new();
        let full = process::compile(&place, "full_disk");
        let broken = process::compile(&place, "broken_sync");
        Self {
            libraries: full.zip(broken),
            place,
        }
    }

    fn launch(&self) -> Launch {
        let launch = self.place.launch().quiet().under("trap '' XFSZ");
        let Some((full, broken)) = &self.libraries else {
            return launch;
        };
        let both = PathBuf::from(format!("{}:{}", full.display(), broken.display()));
        launch
            .env("LD_PRELOAD", &both)
            .env("FULL_DISK", &self.place.file("full"))
            .env("BROKEN_SYNC", &self.place.file("broken"))
    }

    fn begin(&self, trouble: Trouble, gateway: &Gateway) {
        match trouble {
            Trouble::None => {}
            Trouble::SmallFiles => {
                // The WAL has room for a few commits more.
                let wal = std::fs::metadata(self.place.data().join("spotpay.db-wal"));
                let size = wal.map_or(0, |wal| wal.len());
                let limit = Rlimit {
                    current: Some(size + 65_536),
                    maximum: None,
                };
                rustix::process::prlimit(Some(pid(gateway)), Resource::Fsize, limit)
                    .expect("a limit");
            }
            Trouble::FullDisk => std::fs::write(self.place.file("full"), "").expect("a flag"),
            Trouble::BrokenSync => std::fs::write(self.place.file("broken"), "").expect("a flag"),
        }
    }

    fn end(&self) {
        for name in ["full", "broken"] {
            // Only one trouble at a time left its flag.
            let _ = std::fs::remove_file(self.place.file(name));
        }
    }
}

fn pid(gateway: &Gateway) -> Pid {
    Pid::from_raw(i32::try_from(gateway.id()).expect("an id")).expect("an id")
}

/// What was checked.
#[derive(Default, Debug)]
struct Figures {
    answered: usize,
    cancelled: usize,
    refunded: usize,
    confirmed: usize,
    refused: usize,
    open: usize,
    open_stored: usize,
    checkouts: usize,
    resumed: usize,
}

impl Figures {
    fn add(&mut self, sent: &[Order], ended: &[Ended], books: &Books) {
        let count = |what: fn(&Order) -> bool| sent.iter().filter(|order| what(order)).count();
        let succeeded =
            |heard: &Option<Option<Heard>>| matches!(heard, Some(Some(Heard::Success(_))));
        self.answered += count(Order::was_paid);
        self.cancelled += sent.iter().filter(|order| succeeded(&order.cancel)).count();
        self.refunded += sent.iter().filter(|order| succeeded(&order.refund)).count();
        self.confirmed += count(|order| order.confirm == Some(Some(200)));
        self.refused += count(|order| matches!(order.heard, Some(Heard::Rejected(_))));
        self.open += count(|order| order.heard.is_none());
        let open = sent.iter().filter(|order| order.heard.is_none());
        self.open_stored += open
            .filter(|order| books.state(&order.id).is_some())
            .count();
        self.checkouts += ended.iter().filter(|(_, paid)| paid.is_some()).count();
    }
}

// Goal: killed again and again at a random instant, with payments, cancels, refunds and
// confirmations on sixteen connections and whole checkouts on four tills, now and then on a disk
// that is full or broken; after each kill the files alone say what everybody was told, and nothing
// is half there; after the restart the gateway says the same, what was not answered is repeated to
// one effect, and each till ends its open checkout. At last everything settles.
#[test]
fn killed_under_load() {
    let kills = setting("SPOTPAY_CRASH_KILLS", KILLS);
    let seed = setting("SPOTPAY_CRASH_SEED", SEED);
    println!("seed {seed}");
    let siege = Siege::new();
    let place = &siege.place;
    let mut dice = Dice(seed);
    let mut figures = Figures::default();
    let mut gateway = siege.launch().start();
    let address = gateway.address();
    let till = Till::of(&gateway, "tea-house");
    let shoppers: Vec<Shopper> = (0..SHOPPERS)
        .map(|number| Shopper::new(place, &gateway, "tea-house", number))
        .collect();
    for round in 0..kills {
        let trouble = match siege.libraries {
            Some(_) => Trouble::of(&mut dice),
            None => Trouble::None,
        };
        let (phones, asking) = (Phones::hire(&gateway, 100), Phones::asking(&gateway, 4));
        let mut wanted = orders(&till, &phones, &format!("K{round}"));
        let asked = orders(&till, &asking, &format!("A{round}"));
        for (place, order) in asked.into_iter().enumerate() {
            wanted.insert(place * 7, order);
        }
        let shopping = sales(&gateway, round);
        let delay = dice.below(200);
        let (sent, ended) = killed(
            &siege,
            gateway,
            &till,
            &wanted,
            (trouble, delay),
            (&shoppers, &shopping),
        );
        siege.end();
        let books = Books::read(&place.data());
        figures.add(&sent, &ended, &books);
        for order in &sent {
            assert_kept(order, &books);
        }
        assert_endings(&ended, &books);
        assert_eq!(books_of_round(&books, round), stored_trades(&sent, &books));

        gateway = siege.launch().listen(address).start();
        until("it is ready", || gateway.is_ready());
        let resumed: Vec<Ended> = shoppers.iter().flat_map(Shopper::resume).collect();
        figures.resumed += resumed.len();
        assert_resumed(&gateway, &till, &ended, &resumed);
        assert_told_again(&gateway, &till, &phones, &sent, &books);
        println!(
            "kill {round}, {trouble:?}: {} sent, {} answered, {} open so far",
            sent.len(),
            figures.answered,
            figures.open
        );
    }
    gateway.post("/clock", &json!({"advance": "P3D"}));
    gateway.assert_balanced();
    assert!(gateway.stop(Signal::TERM).success());
    let books = Books::read(&place.data());
    assert!(books.batches > 0);
    assert!(figures.answered > 100 && figures.open > 0, "{figures:?}");
    println!(
        "{kills} kills, {} trades, {} batches: {figures:?}",
        books.trades.len(),
        books.batches
    );
}

// Goal: the power fails: what was written and not synced is gone, and that is nothing that anybody
// was told of.
#[test]
fn power_lost_under_load() {
    let place = Place::new();
    let Some(library) = process::compile(&place, "lost_power") else {
        return;
    };
    let copies = place.file("copies");
    std::fs::create_dir(&copies).expect("a folder");
    let siege = Siege {
        place,
        libraries: None,
    };
    let place = &siege.place;
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
        let delay = (Trouble::None, 20 + dice.below(300));
        let (sent, _) = killed(&siege, gateway, &till, &orders, delay, (&[], &[]));
        for name in ["spotpay.db", "spotpay.db-wal", "spotpay.db-shm"] {
            // The index of the WAL is never synced; what is missing was never there.
            let _ = std::fs::remove_file(place.data().join(name));
            let _ = std::fs::copy(copies.join(name), place.data().join(name));
        }
        let books = Books::read(&place.data());
        gateway = launch();
        gateway.assert_balanced();
        for (order, state) in sent.iter().zip(states(&gateway, &till, &sent)) {
            assert_kept(order, &books);
            assert_eq!(state, told(books.state(&order.id)), "{order:?}");
        }
        answered += sent.iter().filter(|order| order.was_paid()).count();
        finish(&gateway, &till, &sent);
        let found = states(&gateway, &till, &sent);
        assert_purses(&gateway, &phones, &sent, &found);
    }
    assert!(answered > 100, "{answered}");
    println!("power: {answered} payments answered");
}

/// The sales of one till: numbers and codes.
type Sales = Vec<(String, spotpay_client::PaymentCode)>;

/// Sales for the tills, with codes of phones of their own.
fn sales(gateway: &Gateway, round: u64) -> Vec<Sales> {
    let phones = Phones::hire(gateway, 10);
    let sale = |number: usize| (format!("S{round}-{number}"), phones.code(number).1);
    let numbers: Vec<usize> = (0..phones.codes()).collect();
    numbers
        .chunks(phones.codes() / SHOPPERS)
        .map(|some| some.iter().map(|number| sale(*number)).collect())
        .collect()
}

/// Load, then trouble if there is to be some, and SIGKILL so many milliseconds later; what was
/// sent, and how the checkouts ended.
fn killed(
    siege: &Siege,
    gateway: Gateway,
    till: &Till,
    orders: &[Order],
    (trouble, delay_ms): (Trouble, u64),
    (shoppers, sales): (&[Shopper], &[Sales]),
) -> (Vec<Order>, Vec<Ended>) {
    let drive = Drive::new(16, 5).refunding(3);
    std::thread::scope(|scope| {
        let shopping: Vec<_> = shoppers
            .iter()
            .zip(sales)
            .map(|(shopper, sales)| scope.spawn(|| shopper.shop(sales)))
            .collect();
        let load = scope.spawn(|| drive.run(&gateway, till, orders));
        until("payments are answered", || drive.answered() > 32);
        if trouble == Trouble::None {
            pause(Duration::from_millis(delay_ms));
        } else {
            pause(Duration::from_millis(delay_ms / 4));
            siege.begin(trouble, &gateway);
            // Now and then until the doubt is told, which takes its time; else in its midst.
            if delay_ms % 4 == 0 {
                until("it is told", || drive.refused() > 16 || load.is_finished());
            } else {
                pause(Duration::from_millis(delay_ms));
            }
        }
        rustix::process::kill_process(pid(&gateway), Signal::KILL).expect("it is ours");
        let sent = load.join().expect("the load ends with its gateway");
        let ended = shopping
            .into_iter()
            .flat_map(|till| till.join().expect("a till"));
        (sent, ended.collect())
    })
}

/// The files that the process left behind say what everybody was told, before a restart touches
/// them.
fn assert_kept(order: &Order, books: &Books) {
    let state = books.state(&order.id);
    let is_cancelled = matches!(order.cancel, Some(Some(Heard::Success(_))));
    let as_promised = match (&order.heard, &order.cancel) {
        (Some(Heard::Success(_)), None) => state == Some(1),
        (Some(Heard::Success(_)), Some(_)) if is_cancelled => state == Some(2),
        (Some(Heard::Success(_)), Some(_)) => matches!(state, Some(1 | 2)),
        (Some(Heard::Unknown(code)), _) if code.is_empty() => match order.confirm {
            None => state == Some(0),
            Some(Some(200)) => state == Some(1),
            Some(_) => matches!(state, Some(0 | 1)),
        },
        (Some(Heard::Unknown(code)), _) => code == "SYSTEM_ERROR" && state != Some(2),
        (Some(Heard::Rejected(code)), _) => code == "SYSTEM_ERROR" && state.is_none(),
        (None, _) => state != Some(2),
        (Some(Heard::Failed(_)), _) => false,
    };
    assert!(as_promised, "{order:?}: {state:?}");
    let refund = books.refund(&order.refund_id());
    let as_promised = match &order.refund {
        None => refund.is_none(),
        Some(Some(Heard::Success(_))) => refund == Some((1, order.half())),
        Some(_) => refund.is_none() || refund == Some((1, order.half())),
    };
    assert!(as_promised, "{order:?}: {refund:?}");
}

/// What a till knows of its checkouts is so.
fn assert_endings(ended: &[Ended], books: &Books) {
    for (id, paid) in ended {
        let state = books.state(id);
        match paid {
            Some(true) => assert_eq!(state, Some(1), "{id}"),
            Some(false) => assert_ne!(state, Some(1), "{id}"),
            None => {}
        }
    }
}

/// Every checkout that did not end has ended, and its trade stands as its till says.
fn assert_resumed(gateway: &Gateway, till: &Till, ended: &[Ended], resumed: &[Ended]) {
    for (id, paid) in ended {
        let is_open = resumed.iter().any(|(open, _)| open == id);
        assert_eq!(paid.is_none(), is_open, "{id}");
    }
    for (id, paid) in resumed {
        let state = till.ask_once(gateway, &till.query(id));
        assert_eq!(
            state.is("TRADE_SUCCESS"),
            *paid == Some(true),
            "{id}: {state:?}"
        );
    }
}

/// The gateway says what the files said; what was not answered is repeated to one effect.
fn assert_told_again(
    gateway: &Gateway,
    till: &Till,
    phones: &Phones,
    sent: &[Order],
    books: &Books,
) {
    gateway.assert_balanced();
    for (order, state) in sent.iter().zip(states(gateway, till, sent)) {
        assert_eq!(state, told(books.state(&order.id)), "{order:?}");
    }
    finish(gateway, till, sent);
    gateway.assert_balanced();
    let own = sent.iter().filter(|order| order.id.starts_with('K'));
    let own: Vec<Order> = own.cloned().collect();
    assert_purses(gateway, phones, &own, &states(gateway, till, &own));
}

/// How a query names a state.
fn told(state: Option<i64>) -> Heard {
    match state {
        Some(0) => Heard::Success("WAIT_BUYER_PAY".to_owned()),
        Some(1) => Heard::Success("TRADE_SUCCESS".to_owned()),
        Some(_) => Heard::Success("TRADE_CLOSED".to_owned()),
        None => Heard::Failed("TRADE_NOT_EXISTTRADE_NOT_EXIST".to_owned()),
    }
}

fn books_of_round(books: &Books, round: u64) -> usize {
    let prefixes = [format!("K{round}-"), format!("A{round}-")];
    let ids = books.trades.keys();
    ids.filter(|id| prefixes.iter().any(|prefix| id.starts_with(prefix)))
        .count()
}

fn stored_trades(sent: &[Order], books: &Books) -> usize {
    let ids = sent.iter();
    ids.filter(|order| books.state(&order.id).is_some()).count()
}

/// What a till does: the same request again, twice; and the cancel and the refund.
fn finish(gateway: &Gateway, till: &Till, sent: &[Order]) {
    let mut line = gateway.line();
    let mut ask = |order: &Order, request: &[u8]| {
        let heard = till.ask(&mut line, request).expect("an answer");
        let waits = order.id.starts_with('A') && heard == Heard::Unknown(String::new());
        assert!(heard.is_success() || waits, "{order:?}: {heard:?}");
    };
    let open = |heard: &Option<Option<Heard>>| {
        heard
            .as_ref()
            .is_some_and(|heard| !heard.as_ref().is_some_and(Heard::is_success))
    };
    for order in sent {
        if !order.was_paid() {
            ask(order, &order.request);
            ask(order, &order.request);
        }
        if open(&order.cancel) {
            ask(order, &till.cancel(&order.id));
        }
        if open(&order.refund) {
            ask(
                order,
                &till.refund_now(&order.id, &order.refund_id(), order.half()),
            );
        }
    }
}
