//! A disk that fails at the sync, a disk that is full, and two processes on one folder: what was
//! answered is there, what was denied is not, and doubt is answered as doubt.

#![cfg(target_os = "linux")]

mod process;

use std::path::PathBuf;

use process::books::Books;
use process::load::{Drive, Order, assert_purses, orders, states};
use process::till::{Heard, Phones, Till};
use process::{Gateway, Launch, Place, compile, until};
use rustix::process::{Resource, Rlimit, Signal};

/// A folder whose disk can be broken.
struct Breakable {
    place: Place,
    shim: PathBuf,
    flag: PathBuf,
}

impl Breakable {
    /// `None` without a C compiler, which the build needs too.
    fn new() -> Option<Self> {
        let place = Place::new();
        let shim = compile(&place, "broken_sync")?;
        let flag = place.file("broken");
        Some(Self { place, shim, flag })
    }

    fn launch(&self) -> Launch {
        let launch = self.place.launch().quiet();
        launch
            .env("LD_PRELOAD", &self.shim)
            .env("BROKEN_SYNC", &self.flag)
    }

    fn break_it(&self) {
        std::fs::write(&self.flag, "").expect("a flag");
    }

    fn mend(&self) {
        std::fs::remove_file(&self.flag).expect("a flag");
    }
}

fn absent() -> Heard {
    Heard::Failed("TRADE_NOT_EXISTTRADE_NOT_EXIST".to_owned())
}

fn down() -> Heard {
    Heard::Rejected("SYSTEM_ERROR".to_owned())
}

/// What one payment heard agrees with what a query says of it later.
fn assert_kept(order: &Order, state: &Heard) {
    let (paid, closed) = (state.is("TRADE_SUCCESS"), state.is("TRADE_CLOSED"));
    let absent = *state == absent();
    let as_promised = match &order.heard {
        Some(Heard::Success(_)) => paid && order.cancel.is_none(),
        Some(Heard::Rejected(code)) => code == "SYSTEM_ERROR" && absent,
        Some(Heard::Unknown(code)) => code == "SYSTEM_ERROR" && (paid || absent),
        None => paid || absent,
        Some(Heard::Failed(_)) => false,
    };
    assert!(as_promised && !closed, "{order:?}: {state:?}");
}

fn count(orders: &[Order], what: impl Fn(&Heard) -> bool) -> usize {
    let heard = orders.iter().filter_map(|order| order.heard.as_ref());
    heard.filter(|heard| what(heard)).count()
}

/// Every order again: one that is there is not made twice, one that is not is made now.
fn repeat_all(gateway: &Gateway, till: &Till, phones: &Phones, sent: &[Order]) {
    let mut line = gateway.line();
    for order in sent {
        let heard = till.ask(&mut line, &order.request).expect("an answer");
        assert!(heard.is_success(), "{order:?}: {heard:?}");
    }
    gateway.assert_balanced();
    let found = states(gateway, till, sent);
    assert!(found.iter().all(|state| state.is("TRADE_SUCCESS")));
    assert_purses(gateway, phones, sent, &found);
}

/// Load on a disk that breaks under it, until some callers heard that it is unknown and others
/// that the system is down; what was sent.
fn load_while_it_breaks(
    disk: &Breakable,
    gateway: &Gateway,
    till: &Till,
    phones: &Phones,
) -> Vec<Order> {
    let orders = orders(till, phones, "D");
    let drive = Drive::new(8, 0);
    std::thread::scope(|scope| {
        let load = scope.spawn(|| drive.run(gateway, till, &orders));
        until("payments are answered", || drive.answered() > 100);
        disk.break_it();
        until("it is not ready", || !gateway.is_ready());

        // In doubt nobody hears of a state that may change, and nobody is paid.
        let query = till.ask_once(gateway, &till.query(&orders[0].id));
        assert_eq!(query, down());
        assert_eq!(gateway.ask("GET", "/readyz", "").status, 503);
        assert_eq!(gateway.ask("GET", "/healthz", "").status, 200);
        let before = drive.answered();
        until("the doubt is told", || drive.answered() > before + 24);
        drive.stop();
        load.join().expect("tills")
    })
}

/// Nobody who asked after the disk broke heard of success.
fn assert_nobody_was_paid(disk: &Breakable, gateway: &Gateway, till: &Till, phones: &Phones) {
    assert!(disk.flag.exists());
    for number in 0..3 {
        let (_, code) = phones.code(phones.codes() - 1 - number);
        let pay = till.pay(&format!("BROKEN-{number}"), 100, code.as_str());
        let heard = till.ask_once(gateway, &pay);
        assert!(
            [down(), Heard::Unknown("SYSTEM_ERROR".into())].contains(&heard),
            "{heard:?}"
        );
    }
}

// Goal: a sync that fails is answered as doubt or as a fault, never as success; when the disk
// works again so does the service, by itself; after a restart everybody was told the truth.
#[test]
fn a_sync_that_fails() {
    let Some(disk) = Breakable::new() else { return };
    let gateway = disk.launch().start();
    let till = Till::of(&gateway, "tea-house");
    let phones = Phones::hire(&gateway, 400);
    let sent = load_while_it_breaks(&disk, &gateway, &till, &phones);
    assert_nobody_was_paid(&disk, &gateway, &till, &phones);

    disk.mend();
    until("it is ready again", || gateway.is_ready());
    let (_, code) = phones.code(phones.codes() - 10);
    let pay = till.pay("MENDED", 100, code.as_str());
    assert!(till.ask_once(&gateway, &pay).is_success());
    gateway.assert_balanced();
    let found = states(&gateway, &till, &sent);
    for (order, state) in sent.iter().zip(&found) {
        assert_kept(order, state);
    }
    let unknown = count(&sent, |heard| matches!(heard, Heard::Unknown(_)));
    let denied = count(&sent, |heard| *heard == down());
    assert!(unknown > 0 && denied > 0, "{unknown} {denied}");

    gateway.kill();
    let books = Books::read(&disk.place.data());
    let gateway = disk.launch().start();
    assert_eq!(states(&gateway, &till, &sent), found);
    for order in sent.iter().filter(|order| order.was_paid()) {
        assert_eq!(books.state(&order.id), Some(1), "{order:?}");
    }
    for number in 0..3 {
        let state = till.ask_once(&gateway, &till.query(&format!("BROKEN-{number}")));
        assert_eq!(state, absent());
    }
    assert!(
        till.ask_once(&gateway, &till.query("MENDED"))
            .is("TRADE_SUCCESS")
    );
    gateway.assert_balanced();
    assert!(gateway.stop(Signal::TERM).success());
    println!(
        "sync: {} sent, {unknown} unknown, {denied} denied",
        sent.len()
    );
}

// Goal: killed in the middle of the doubt, and started on a disk that works.
#[test]
fn killed_in_doubt() {
    let Some(disk) = Breakable::new() else { return };
    let gateway = disk.launch().start();
    let till = Till::of(&gateway, "tea-house");
    let phones = Phones::hire(&gateway, 400);
    let sent = load_while_it_breaks(&disk, &gateway, &till, &phones);
    assert!(!gateway.is_ready());
    gateway.kill();
    Books::read(&disk.place.data());

    let gateway = disk.place.launch().quiet().start();
    gateway.assert_balanced();
    let found = states(&gateway, &till, &sent);
    for (order, state) in sent.iter().zip(&found) {
        assert_kept(order, state);
    }
    assert_purses(&gateway, &phones, &sent, &found);
    repeat_all(&gateway, &till, &phones, &sent);
    let stored = found.iter().filter(|state| state.is("TRADE_SUCCESS"));
    let (stored, answered) = (stored.count(), count(&sent, Heard::is_success));
    println!(
        "killed in doubt: {} sent, {answered} answered, {stored} stored",
        sent.len()
    );
}

/// Load on a disk that fills up; it has room for a thousand payments or so. In blocks of 512
/// bytes: the WAL runs into the limit, is moved, and then the file itself runs into it.
fn full(place: &Place) -> (Gateway, Till, Phones, Vec<Order>) {
    let full = "trap '' XFSZ; ulimit -S -f 1024";
    let gateway = place.launch().quiet().under(full).start();
    let till = Till::of(&gateway, "tea-house");
    let phones = Phones::hire(&gateway, 400);
    let orders = orders(&till, &phones, "F");
    let drive = Drive::new(8, 0);
    let sent = std::thread::scope(|scope| {
        let load = scope.spawn(|| drive.run(&gateway, &till, &orders));
        until("the disk is full", || {
            drive.refused() > 24 || load.is_finished()
        });
        drive.stop();
        load.join().expect("tills")
    });
    let paid = count(&sent, Heard::is_success);
    let unknown = count(&sent, |heard| matches!(heard, Heard::Unknown(_)));
    let denied = count(&sent, |heard| *heard == down());
    println!(
        "full: {} sent, {paid} paid, {unknown} unknown, {denied} denied",
        sent.len()
    );
    assert!(paid > 100 && denied > 0, "{paid} {denied}");
    (gateway, till, phones, sent)
}

// Goal: on a disk that is full nobody hears of success for what is not stored; killed there and
// started where there is room, everybody was told the truth.
#[test]
fn killed_on_a_full_disk() {
    let place = Place::new();
    let (gateway, till, phones, sent) = full(&place);
    gateway.kill();
    Books::read(&place.data());

    let gateway = place.launch().quiet().start();
    gateway.assert_balanced();
    let found = states(&gateway, &till, &sent);
    for (order, state) in sent.iter().zip(&found) {
        assert_kept(order, state);
    }
    assert_purses(&gateway, &phones, &sent, &found);
    repeat_all(&gateway, &till, &phones, &sent);
}

// Goal: when someone makes room, the service goes on by itself.
#[test]
fn room_on_a_full_disk() {
    let place = Place::new();
    let (gateway, till, phones, sent) = full(&place);
    let room = Rlimit {
        current: None,
        maximum: None,
    };
    let id = rustix::process::Pid::from_raw(i32::try_from(gateway.id()).expect("an id"));
    rustix::process::prlimit(id, Resource::Fsize, room).expect("a limit");
    until("it is ready again", || gateway.is_ready());
    let found = states(&gateway, &till, &sent);
    for (order, state) in sent.iter().zip(&found) {
        assert_kept(order, state);
    }
    repeat_all(&gateway, &till, &phones, &sent);
    gateway.kill();
    let books = Books::read(&place.data());
    assert!(sent.iter().all(|order| books.state(&order.id) == Some(1)));
}

// Goal: told to stop in the middle of the doubt it stops, and nobody hears of success.
#[test]
fn stopped_in_doubt() {
    let Some(disk) = Breakable::new() else { return };
    let gateway = disk.launch().start();
    let till = Till::of(&gateway, "tea-house");
    let phones = Phones::hire(&gateway, 10);
    let orders = orders(&till, &phones, "S");
    disk.break_it();
    let drive = Drive::new(8, 0);
    let (sent, ended) = std::thread::scope(|scope| {
        let load = scope.spawn(|| drive.run(&gateway, &till, &orders));
        until("it is not ready", || !gateway.is_ready());
        gateway.signal(Signal::TERM);
        let sent = load.join().expect("tills");
        (sent, gateway.log())
    });
    let mut gateway = gateway;
    assert_eq!(gateway.wait().code(), Some(0), "{ended}");
    assert_eq!(count(&sent, Heard::is_success), 0, "{sent:?}");
    disk.mend();
    let gateway = disk.launch().start();
    for (order, state) in sent.iter().zip(states(&gateway, &till, &sent)) {
        assert_kept(order, &state);
    }
    repeat_all(&gateway, &till, &phones, &sent);
}

// Goal: one process per folder; the second says so in one line and leaves the first alone.
#[test]
fn two_on_one_folder() {
    let place = Place::new();
    let gateway = place.start();
    let second = place
        .launch()
        .command()
        .output()
        .expect("the binary starts");
    assert_eq!(second.status.code(), Some(2));
    assert!(second.stdout.is_empty());
    let said = String::from_utf8_lossy(&second.stderr);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("in use"), "{said}");
    assert!(gateway.is_ready());
    gateway.assert_balanced();
}
