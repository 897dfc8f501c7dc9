//! The engine with a real SQLite store behind a seam that fails on command, and a clock of its own.

mod notifications;
mod refunds;
mod trace;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use spotpay_core::command::{Buyer, Cancel, Command, Keys, OpenWallet, Pay};
use spotpay_core::config::Config;
use spotpay_core::decide::{CancelDone, PayRefusal, Reply};
use spotpay_core::id::{PartnerId, WalletId};
use spotpay_core::money::{Amount, Currency, Money};
use spotpay_core::payment_code::{Alias, CodeRefusal, CodeSecret, CodeTag, CodeUse, slot_at};
use spotpay_core::shop::ShopFound;
use spotpay_core::time::{Span, Timestamp};
use spotpay_core::trade::{
    CancelName, CloseCause, ContentHash, Dialect, Slot, TradeKey, TradeState,
};
use spotpay_core::wallet::{Confirmation, Device, PaymentInst, WalletState};
use spotpay_core::working_set::WorkingSet;
use spotpay_store::sqlite::SqliteStore;
use spotpay_store::{BatchId, CommitError, Resume, Store, StoreError};

use super::{Engine, EngineHandle, Errand, Fault, Health, Outcome, PATIENCE, QueueLimits};
use crate::clock::Clock;
use crate::seed;

/// A clock that stands still until it is told otherwise.
struct TestClock {
    real: AtomicI64,
    offset: AtomicI64,
}

impl TestClock {
    fn new() -> Arc<Self> {
        let start = Timestamp::parse_compact("20261123120000").unwrap();
        Arc::new(Self {
            real: AtomicI64::new(start.as_micros()),
            offset: AtomicI64::new(0),
        })
    }

    fn pass(&self, span: Span) {
        self.real.fetch_add(span.as_micros(), Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.real()
            .plus(Span::micros(self.offset.load(Ordering::Relaxed)))
    }

    fn real(&self) -> Timestamp {
        Timestamp::from_micros(self.real.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Span {
        Span::micros(self.real.load(Ordering::Relaxed))
    }

    fn set_offset(&self, offset: Span) {
        self.offset.store(offset.as_micros(), Ordering::Relaxed);
    }
}

/// What happens to the next commits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It works.
    Works,
    /// The rows are stored, the answer is lost.
    StoredInDoubt,
    /// The rows are not stored, and nobody knows.
    LostInDoubt,
    /// It fails before COMMIT.
    Fails,
    /// Another writer was first.
    Conflicts,
}

/// How the disk behaves, shared between a test and its store.
#[derive(Clone, Default)]
struct Disk(Arc<Mutex<DiskState>>);

#[derive(Default)]
struct DiskState {
    fates: VecDeque<Fate>,
    /// While it is on, doubt cannot be cleared.
    dead: bool,
    /// A batch that holds this id fails.
    poison: Option<String>,
}

impl Disk {
    fn set(&self, fates: &[Fate]) {
        self.0.lock().unwrap().fates = fates.iter().copied().collect();
    }
}

struct FaultyStore {
    store: SqliteStore,
    disk: Disk,
}

fn broken() -> StoreError {
    StoreError::File {
        path: "test".into(),
        source: std::io::Error::other("the disk is broken"),
    }
}

fn busy() -> StoreError {
    StoreError::Busy(Box::new(std::io::Error::other("another writer")))
}

impl Store for FaultyStore {
    fn load(&mut self, keys: &Keys) -> Result<WorkingSet, StoreError> {
        self.store.load(keys)
    }

    fn commit(
        &mut self,
        set: &WorkingSet,
        batch: BatchId,
        now: Timestamp,
    ) -> Result<(), CommitError> {
        let (fate, poison) = {
            let mut disk = self.disk.0.lock().unwrap();
            (
                disk.fates.pop_front().unwrap_or(Fate::Works),
                disk.poison.clone(),
            )
        };
        let poisoned = set
            .writes()
            .slots_new
            .iter()
            .any(|key| Some(key.id.as_str()) == poison.as_deref());
        if poisoned {
            self.store.abandon();
            return Err(CommitError::Failed(broken()));
        }
        match fate {
            Fate::Works => self.store.commit(set, batch, now),
            Fate::StoredInDoubt => {
                self.store.commit(set, batch, now)?;
                Err(CommitError::InDoubt(broken()))
            }
            Fate::LostInDoubt => {
                self.store.abandon();
                Err(CommitError::InDoubt(broken()))
            }
            Fate::Fails => {
                self.store.abandon();
                Err(CommitError::Failed(broken()))
            }
            Fate::Conflicts => {
                self.store.abandon();
                Err(CommitError::Failed(busy()))
            }
        }
    }

    fn resolve(&mut self, batch: BatchId) -> Result<bool, StoreError> {
        if self.disk.0.lock().unwrap().dead {
            Err(broken())
        } else {
            self.store.resolve(batch)
        }
    }

    fn abandon(&mut self) {
        self.store.abandon();
    }

    fn config(&mut self) -> Result<Config, StoreError> {
        self.store.config()
    }

    fn due(&mut self, now: Timestamp, limit: usize) -> Result<Vec<Command>, StoreError> {
        self.store.due(now, limit)
    }

    fn next_due(&mut self) -> Result<Option<Timestamp>, StoreError> {
        self.store.next_due()
    }

    fn resume(&mut self) -> Result<Resume, StoreError> {
        self.store.resume()
    }

    fn tend(&mut self, rows: usize) -> Result<bool, StoreError> {
        self.store.tend(rows)
    }

    fn reset(&mut self) -> Result<(), StoreError> {
        self.store.reset()
    }
}

/// An engine, its store and its clock, in one temporary folder.
struct House {
    engine: Engine,
    handle: EngineHandle,
    clock: Arc<TestClock>,
    disk: Disk,
    folder: tempfile::TempDir,
}

fn partner() -> PartnerId {
    "2088621900000101".parse().unwrap()
}

fn wallet_id(number: u64) -> WalletId {
    WalletId::from_number(number).unwrap()
}

impl House {
    fn new() -> Self {
        Self::with_limits(QueueLimits::default())
    }

    fn with_limits(limits: QueueLimits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (clock, disk) = (TestClock::new(), Disk::default());
        let (engine, handle) = Self::open(&folder, &clock, &disk, limits);
        let mut house = Self {
            engine,
            handle,
            clock,
            disk,
            folder,
        };
        for command in seed::commands() {
            house.run(command).unwrap();
        }
        house
    }

    fn open(
        folder: &tempfile::TempDir,
        clock: &Arc<TestClock>,
        disk: &Disk,
        limits: QueueLimits,
    ) -> (Engine, EngineHandle) {
        let store = FaultyStore {
            store: SqliteStore::open(folder.path()).unwrap(),
            disk: disk.clone(),
        };
        let clock: Arc<dyn Clock> = clock.clone();
        Engine::new(Box::new(store), clock, limits, Box::new(|_| {})).unwrap()
    }

    /// The process dies and another one opens the same folder.
    fn reopen(self) -> Self {
        let Self {
            engine,
            clock,
            disk,
            folder,
            ..
        } = self;
        drop(engine);
        let (engine, handle) = Self::open(&folder, &clock, &disk, QueueLimits::default());
        Self {
            engine,
            handle,
            clock,
            disk,
            folder,
        }
    }

    /// One command, one step.
    fn run(&mut self, command: Command) -> Outcome {
        let mut waiting = self.handle.enqueue(Errand::Decide(command))?;
        self.engine.step();
        waiting.try_recv().unwrap_or(Err(Fault::Unknown))
    }

    /// Several commands in one batch.
    fn run_all(&mut self, commands: Vec<Command>) -> Vec<Option<Outcome>> {
        let waiting: Vec<_> = commands
            .into_iter()
            .map(|command| self.handle.enqueue(Errand::Decide(command)))
            .collect();
        self.engine.step();
        let heard = waiting.into_iter().map(|waiting| match waiting {
            Ok(mut waiting) => waiting.try_recv().ok(),
            Err(fault) => Some(Err(fault)),
        });
        heard.collect()
    }

    fn pay(&self, id: &str, wallet: &str, minor: i64) -> Command {
        let places = ["alice", "bob", "poor", "careful", "frozen"];
        let numbers = [
            722_100_000_111,
            722_100_000_222,
            722_100_000_333,
            722_100_000_444,
            722_100_000_555,
        ];
        let place = places.iter().position(|name| *name == wallet).unwrap();
        let amount = Amount::new(Money::of_minor(minor, Currency::HKD)).unwrap();
        let shop = seed::default_shop(partner(), "tea-house");
        // Every id has a code of its own: a device of this id, so to say.
        let number = id.bytes().fold(7_u32, |sum, byte| {
            (sum.wrapping_mul(131) + u32::from(byte)) % Alias::COUNT
        });
        let alias = Alias::from_number(number).unwrap();
        let code = CodeUse {
            alias,
            slot: slot_at(self.clock.now()),
        };
        Command::Pay(Box::new(Pay {
            key: TradeKey {
                partner: partner(),
                id: id.parse().unwrap(),
            },
            amount,
            list_currency: None,
            buyer: Ok(Buyer {
                wallet: wallet_id(numbers[place]),
                code,
            }),
            code: CodeTag(i64::from(alias.number())),
            shop: Ok(ShopFound::Stored(shop.key())),
            terminal: None,
            title: "Tea".into(),
            memo: None,
            notify_url: None,
            dialect: Dialect::default(),
            content: ContentHash::of(
                amount,
                None,
                partner(),
                &shop.secondary_merchant_id,
                &shop.store_id,
            ),
        }))
    }

    fn state(&self, id: &str) -> Option<TradeState> {
        let reader = SqliteStore::open(self.folder.path())
            .unwrap()
            .reader()
            .unwrap();
        match reader.slot(&key(id)).unwrap()? {
            Slot::Trade(trade) => Some(trade.state),
            Slot::Mark(_) => None,
        }
    }

    fn books(&self) {
        let reader = SqliteStore::open(self.folder.path())
            .unwrap()
            .reader()
            .unwrap();
        let report = reader.check().unwrap();
        assert_eq!(report.problems, Vec::<String>::new());
    }
}

fn key(id: &str) -> TradeKey {
    TradeKey {
        partner: partner(),
        id: id.parse().unwrap(),
    }
}

fn cancel(id: &str) -> Command {
    Command::Cancel(Cancel {
        key: key(id),
        name: CancelName::Cancel,
    })
}

fn is_paid(outcome: &Outcome) -> bool {
    matches!(outcome, Ok(Reply::Pay(Ok(done))) if done.trade.payment().is_some())
}

#[test]
fn commands_of_one_batch_see_each_other() {
    let mut house = House::new();
    let commands = vec![
        house.pay("T1", "alice", 100),
        cancel("T1"),
        cancel("T2"),
        house.pay("T2", "alice", 100),
    ];
    let heard: Vec<Outcome> = house
        .run_all(commands)
        .into_iter()
        .map(Option::unwrap)
        .collect();
    assert!(is_paid(&heard[0]));
    assert!(matches!(
        &heard[1],
        Ok(Reply::Cancel(Ok(CancelDone::Closed { .. })))
    ));
    assert_eq!(heard[2], Ok(Reply::Cancel(Ok(CancelDone::Nothing))));
    assert_eq!(heard[3], Ok(Reply::Pay(Err(PayRefusal::CancelledBefore))));
    house.books();
}

// Goal: what was answered is there after a restart, and the next process goes on from it.
#[test]
fn answers_survive_the_process() {
    let mut house = House::new();
    let pay = house.pay("T1", "alice", 100);
    assert!(is_paid(&house.run(pay.clone())));
    let mut house = house.reopen();
    assert!(is_paid(&house.run(pay)), "a repeat answers the same trade");
    let next = house.pay("T2", "alice", 100);
    assert!(is_paid(&house.run(next)), "ids go on in the same second");
    house.books();
}

// Goal: a commit that failed and did happen is answered as done, once.
#[test]
fn doubt_that_was_stored() {
    let mut house = House::new();
    house.disk.set(&[Fate::StoredInDoubt]);
    let pay = house.pay("T1", "alice", 100);
    assert!(is_paid(&house.run(pay)));
    assert_eq!(house.handle.health(), Health::Ready);
    assert!(matches!(house.state("T1"), Some(TradeState::Paid(_))));
    house.books();
}

// Goal: a commit that failed and did not happen is decided again, and answered once it is stored.
#[test]
fn doubt_that_was_lost() {
    let mut house = House::new();
    house.disk.set(&[Fate::LostInDoubt]);
    let pay = house.pay("T1", "alice", 100);
    assert!(is_paid(&house.run(pay)));
    assert!(matches!(house.state("T1"), Some(TradeState::Paid(_))));
    house.books();
}

// Goal: a disk that refuses every commit is not asked in a circle: nothing was done, and whoever asks
// again later is served. (Found in a simulated world, with seed 16 of its first day.)
#[test]
fn doubt_that_comes_again() {
    let mut house = House::new();
    house.disk.set(&[Fate::LostInDoubt; 10_000]);
    let pay = house.pay("T1", "alice", 100);
    assert_eq!(house.run(pay.clone()), Err(Fault::NothingDone));
    assert_eq!(house.handle.health(), Health::Ready);
    assert_eq!(house.state("T1"), None);
    house.disk.set(&[]);
    assert!(is_paid(&house.run(pay)));
    house.books();
}

// Goal: while it is not known, nobody is answered; after five seconds doubt is told as doubt, and
// everybody else hears that nothing was done. When the disk is back, a repeat tells the truth.
#[test]
fn doubt_that_stays() {
    for (fate, stored) in [(Fate::StoredInDoubt, true), (Fate::LostInDoubt, false)] {
        let mut house = House::new();
        house.disk.set(&[fate]);
        house.disk.0.lock().unwrap().dead = true;
        let pay = house.pay("T1", "alice", 100);
        let mut waiting = house.handle.enqueue(Errand::Decide(pay.clone())).unwrap();
        house.engine.step();
        assert_eq!(house.handle.health(), Health::InDoubt);
        assert!(
            waiting.try_recv().is_err(),
            "nobody is answered while it is not known"
        );
        let mut later = house
            .handle
            .enqueue(Errand::Decide(house.pay("T2", "alice", 100)))
            .unwrap();
        house.clock.pass(Span::millis(4_999));
        house.engine.step();
        assert!(waiting.try_recv().is_err());
        house.clock.pass(Span::millis(1));
        house.engine.step();
        assert_eq!(waiting.try_recv(), Ok(Err(Fault::Unknown)));
        assert_eq!(later.try_recv(), Ok(Err(Fault::NothingDone)));
        assert_eq!(house.handle.health(), Health::InDoubt);

        house.disk.0.lock().unwrap().dead = false;
        house.engine.step();
        assert_eq!(house.handle.health(), Health::Ready);
        assert_eq!(house.state("T1").is_some(), stored);
        assert_eq!(house.state("T2"), None);
        assert!(
            is_paid(&house.run(pay)),
            "the same request again gives the right answer"
        );
        house.books();
    }
}

// Goal: a fault that belongs to one command fails that one; the others of its batch are stored.
#[test]
fn only_the_guilty_command_fails() {
    let mut house = House::new();
    house.disk.0.lock().unwrap().poison = Some("BAD".into());
    let commands = vec![
        house.pay("T1", "alice", 100),
        house.pay("BAD", "alice", 100),
        house.pay("T2", "bob", 100),
    ];
    let heard: Vec<Outcome> = house
        .run_all(commands)
        .into_iter()
        .map(Option::unwrap)
        .collect();
    assert!(is_paid(&heard[0]) && is_paid(&heard[2]));
    assert_eq!(heard[1], Err(Fault::NothingDone));
    assert_eq!(house.state("BAD"), None);
    house.books();
}

#[test]
fn a_failed_commit_is_told_and_leaves_nothing() {
    let mut house = House::new();
    house.disk.set(&[Fate::Fails]);
    let pay = house.pay("T1", "alice", 100);
    assert_eq!(house.run(pay.clone()), Err(Fault::NothingDone));
    assert_eq!(house.state("T1"), None);
    house.disk.set(&[Fate::Conflicts, Fate::Conflicts]);
    assert!(is_paid(&house.run(pay)), "conflicts are repeated");
    assert_eq!(house.handle.counters().repeats.load(Ordering::Relaxed), 2);
    house.disk.set(&[Fate::Conflicts; 11]);
    let pay = house.pay("T2", "alice", 100);
    assert_eq!(house.run(pay), Err(Fault::NothingDone), "but not for ever");
    house.books();
}

#[test]
fn a_command_that_waited_too_long_is_never_decided() {
    let mut house = House::new();
    let mut waiting = house
        .handle
        .enqueue(Errand::Decide(house.pay("T1", "alice", 100)))
        .unwrap();
    house.clock.pass(Span::micros(PATIENCE.as_micros() + 1));
    house.engine.step();
    assert_eq!(waiting.try_recv(), Ok(Err(Fault::NothingDone)));
    assert_eq!(house.state("T1"), None);
}

// Goal: the queue is bounded per partner and in all, and partners take turns.
#[test]
fn the_queue_is_bounded_and_fair() {
    let mut house = House::with_limits(QueueLimits {
        total: 5,
        per_partner: 3,
    });
    let other = |id: &str| {
        let partner = "2088621900000202".parse().unwrap();
        Command::Cancel(Cancel {
            key: TradeKey {
                partner,
                id: id.parse().unwrap(),
            },
            name: CancelName::Cancel,
        })
    };
    let commands = vec![
        cancel("A1"),
        cancel("A2"),
        cancel("A3"),
        cancel("A4"),
        other("B1"),
        other("B2"),
        other("B3"),
    ];
    let heard = house.run_all(commands);
    let turned_away: Vec<bool> = heard
        .iter()
        .map(|heard| *heard == Some(Err(Fault::NothingDone)))
        .collect();
    assert_eq!(turned_away, [false, false, false, true, false, false, true]);
    for id in ["A1", "A2", "A3"] {
        house.handle.enqueue(Errand::Decide(cancel(id))).unwrap();
    }
    house.handle.enqueue(Errand::Decide(other("B1"))).unwrap();
    let order: Vec<String> = house
        .engine
        .link
        .queue
        .take(4)
        .iter()
        .map(|job| match &job.errand {
            Errand::Decide(Command::Cancel(cancel)) => cancel.key.id.to_string(),
            Errand::Decide(_) | Errand::MoveClock(_) | Errand::Reset(..) | Errand::Tend => {
                String::new()
            }
        })
        .collect();
    assert_eq!(order, ["A1", "B1", "A2", "A3"]);
}

// Goal: the three-minute close is a stored timer: it fires by the clock, also in another process.
#[test]
fn the_timer_closes_what_nobody_confirmed() {
    let mut house = House::new();
    let pay = house.pay("T1", "careful", 100);
    assert!(matches!(house.run(pay), Ok(Reply::Pay(Ok(_)))));
    let mut house = house.reopen();
    house.clock.pass(Span::millis(179_999));
    assert_eq!(house.engine.step().decided, 0);
    assert_eq!(house.state("T1"), Some(TradeState::Waiting));
    house.clock.pass(Span::millis(1));
    assert_eq!(house.engine.step().decided, 1);
    assert!(matches!(
        house.state("T1"),
        Some(TradeState::Closed {
            cause: CloseCause::Expired,
            payment: None,
            ..
        })
    ));
    assert_eq!(house.engine.step().next_due, None);
    house.books();
}

// Goal: moving the clock runs what is due, each with its own instant, before it answers.
#[test]
fn moving_the_clock_runs_what_is_due() {
    let mut house = House::new();
    for (id, seconds) in [("T1", 0), ("T2", 60)] {
        house.clock.pass(Span::seconds(seconds));
        let pay = house.pay(id, "careful", 100);
        assert!(house.run(pay).is_ok());
    }
    let start = house.clock.now();
    let target = start.plus(Span::hours(1));
    let mut waiting = house.handle.enqueue(Errand::MoveClock(target)).unwrap();
    house.engine.step();
    assert_eq!(waiting.try_recv(), Ok(Ok(Reply::Configured)));
    assert_eq!(house.clock.now(), target);
    for (id, closed_at) in [
        ("T1", start.plus(Span::seconds(120))),
        ("T2", start.plus(Span::seconds(180))),
    ] {
        match house.state(id) {
            Some(TradeState::Closed {
                at,
                cause: CloseCause::Expired,
                ..
            }) => assert_eq!(at, closed_at, "{id}"),
            other => panic!("{id} is {other:?}"),
        }
    }
    let house = house.reopen();
    assert_eq!(house.clock.now(), target, "the offset is stored");
    house.books();
}

// Goal: more timers may be due at one instant than a batch holds; all of them run before the answer.
#[test]
fn moving_the_clock_runs_however_many_are_due() {
    let mut house = House::new();
    for number in 0..300 {
        let pay = house.pay(&format!("T{number}"), "careful", 100);
        assert!(matches!(house.run(pay), Ok(Reply::Pay(Ok(_)))), "{number}");
    }
    let target = house.clock.now().plus(Span::minutes(3));
    let mut waiting = house.handle.enqueue(Errand::MoveClock(target)).unwrap();
    house.engine.step();
    assert_eq!(waiting.try_recv(), Ok(Ok(Reply::Configured)));
    for number in 0..300 {
        let state = house.state(&format!("T{number}"));
        assert!(
            matches!(state, Some(TradeState::Closed { .. })),
            "{number} is {state:?}"
        );
    }
    house.books();
}

// Goal: a command that shares its round with a clock that moves is decided after the move.
#[test]
fn a_round_never_goes_back_in_time() {
    let mut house = House::new();
    let target = house.clock.now().plus(Span::hours(1));
    let mut moved = house.handle.enqueue(Errand::MoveClock(target)).unwrap();
    let mut paid = house
        .handle
        .enqueue(Errand::Decide(house.pay("T1", "careful", 100)))
        .unwrap();
    house.engine.step();
    assert_eq!(moved.try_recv(), Ok(Ok(Reply::Configured)));
    // Its code is of an hour ago by then.
    assert_eq!(
        paid.try_recv(),
        Ok(Ok(Reply::Pay(Err(PayRefusal::Code(
            CodeRefusal::OutOfTime
        )))))
    );
}

// Goal: a clock that was being moved when its process ended goes on from the last commit, and what
// is read and what is decided have the same time.
#[test]
fn time_never_goes_below_the_last_commit() {
    let mut house = House::new();
    let pay = house.pay("T1", "alice", 100);
    assert!(is_paid(&house.run(pay)));
    let committed = house.clock.now();
    house.clock.pass(Span::hours(-1));
    let mut house = house.reopen();
    assert!(committed <= house.clock.now().plus(Span::seconds(1)));
    let pay = house.pay("T2", "alice", 100);
    assert!(is_paid(&house.run(pay)));
}

// Goal: a clock that is behind by less goes its way, and decisions still do not go back.
#[test]
fn decisions_never_go_back() {
    let mut house = House::new();
    let pay = house.pay("T1", "alice", 100);
    assert!(is_paid(&house.run(pay)));
    let committed = house.clock.now();
    house.clock.pass(Span::millis(-900));
    let mut house = house.reopen();
    assert!(house.clock.now() < committed);
    let pay = house.pay("T2", "alice", 100);
    match house.run(pay) {
        Ok(Reply::Pay(Ok(done))) => {
            let paid = done.trade.payment().unwrap();
            assert!(committed <= paid.at, "{committed} {}", paid.at);
        }
        other => panic!("{other:?}"),
    }
}

// Goal: a clock that is set back behind a refusal does not let numbers go back, which the lists behind
// the commits count on.
#[test]
fn numbers_never_go_back() {
    let mut house = House::new();
    let mut last = None;
    for round in 0..4 {
        let paid = |house: &mut House, id: &str| {
            let pay = house.pay(id, "alice", 100);
            match house.run(pay) {
                Ok(Reply::Pay(Ok(done))) => (done.trade.created_at(), done.trade.id.number()),
                other => panic!("{other:?}"),
            }
        };
        let first = paid(&mut house, &format!("A{round}"));
        house.clock.pass(Span::seconds(1));
        let pay = house.pay(&format!("R{round}"), "frozen", 100);
        let refused = house.run(pay);
        assert!(matches!(refused, Ok(Reply::Pay(Err(_)))), "{refused:?}");
        house.clock.pass(Span::millis(-900));
        let second = paid(&mut house, &format!("B{round}"));
        assert!(
            last < Some(first) && first < second,
            "{last:?} {first:?} {second:?}"
        );
        last = Some(second);
    }
}

#[test]
fn reset_begins_anew() {
    let mut house = House::new();
    let pay = house.pay("T1", "alice", 100);
    assert!(is_paid(&house.run(pay.clone())));
    let mut waiting = house
        .handle
        .enqueue(Errand::Reset(seed::commands(), None))
        .unwrap();
    house.engine.step();
    assert_eq!(waiting.try_recv(), Ok(Ok(Reply::Configured)));
    assert_eq!(house.state("T1"), None);
    assert!(is_paid(&house.run(pay)));
    house.books();
}
