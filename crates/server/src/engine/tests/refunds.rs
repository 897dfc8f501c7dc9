//! The batch of refunds, interrupted in every way: each refund happens once.

use spotpay_core::command::AskRefund;
use spotpay_core::decide::{CancelAction, RefundRefusal};
use spotpay_core::ledger::Cause;
use spotpay_core::refund::{Refund, RefundKey, RefundMode, RefundState};
use spotpay_store::sqlite::Reader;

use super::*;

/// Two full rounds of timers and a rest.
const COUNT: usize = 300;
/// Rounds that do them all.
const ROUNDS: usize = 3;
/// When the batch begins.
const NIGHT: &str = "2026-11-23 23:00:00";

fn refund(number: usize, mode: RefundMode, minor: i64) -> Command {
    let name = match mode {
        RefundMode::Sync => "S",
        RefundMode::Async => "R",
    };
    Command::Refund(Box::new(AskRefund {
        key: refund_key(name, number),
        trade: key(&format!("T{number}")),
        trade_id: None,
        amount: Amount::new(Money::of_minor(minor, Currency::HKD)).unwrap(),
        mode,
        reason: None,
        notify_url: None,
        dialect: Dialect::default(),
    }))
}

fn refund_key(name: &str, number: usize) -> RefundKey {
    RefundKey {
        partner: partner(),
        id: format!("{name}{number}").parse().unwrap(),
    }
}

impl House {
    /// So many paid trades, each with a refund that the batch will do; one second before it.
    fn at_eve() -> Self {
        let mut house = Self::with_limits(QueueLimits {
            total: 4_096,
            per_partner: 1_024,
        });
        let pays = (0..COUNT).map(|number| house.pay(&format!("T{number}"), "alice", 100));
        let pays = pays.collect();
        for heard in house.run_all(pays) {
            assert!(is_paid(&heard.unwrap()));
        }
        let asks = (0..COUNT).map(|number| refund(number, RefundMode::Async, 100));
        for heard in house.run_all(asks.collect()) {
            assert!(matches!(heard, Some(Ok(Reply::Refund(Ok(_))))), "{heard:?}");
        }
        house.clock.pass(Span::hours(11));
        house.clock.pass(Span::seconds(-1));
        assert_eq!(house.engine.step().decided, 0, "it is not due yet");
        house
    }

    fn reader(&self) -> Reader {
        SqliteStore::open(self.folder.path())
            .unwrap()
            .reader()
            .unwrap()
    }

    fn refunds(&self) -> Vec<Refund> {
        let reader = self.reader();
        (0..COUNT)
            .map(|number| reader.refund(&refund_key("R", number)).unwrap().unwrap())
            .collect()
    }

    fn move_clock(&mut self, target: Timestamp) -> Outcome {
        let mut waiting = self.handle.enqueue(Errand::MoveClock(target)).unwrap();
        self.engine.step();
        waiting.try_recv().unwrap()
    }

    /// Rounds until nothing is due, with a bound.
    fn work_off(&mut self) {
        for _ in 0..2 * ROUNDS {
            self.engine.step();
        }
        assert_eq!(self.engine.step().decided, 0, "something stays due");
    }

    /// Every refund is done, once: one entry each, at this instant, and the buyer has what there
    /// was at first.
    fn all_happened_once(&self, at: &str, case: &str) {
        let reader = self.reader();
        for refund in self.refunds() {
            let RefundState::Done(moved) = refund.state else {
                panic!("{case}: {:?} is {:?}", refund.key, refund.state);
            };
            assert_eq!(moved.at.spaced(), at, "{case}");
            match reader.slot(&refund.trade_key).unwrap() {
                Some(Slot::Trade(trade)) => {
                    let closed = matches!(
                        trade.state,
                        TradeState::Closed {
                            cause: CloseCause::Refunded,
                            ..
                        }
                    );
                    assert!(closed, "{case}: {:?}", trade.state);
                }
                other => panic!("{case}: {other:?}"),
            }
            let entries = reader.entries(refund.trade).unwrap();
            let back = entries.iter().filter(|entry| entry.cause == Cause::Refund);
            assert_eq!(back.count(), 1, "{case}: {:?}", refund.key);
        }
        let alice = reader.wallet_named("alice").unwrap().unwrap();
        assert_eq!(alice.balance.major(), "100000.00", "{case}");
        self.books();
    }
}

// Goal: each commit of the batch fails in each way once; the engine goes on by itself, and each
// refund happens once.
#[test]
fn a_commit_of_the_batch_fails() {
    for fate in [
        Fate::StoredInDoubt,
        Fate::LostInDoubt,
        Fate::Fails,
        Fate::Conflicts,
    ] {
        for round in 0..ROUNDS {
            let mut house = House::at_eve();
            house.clock.pass(Span::seconds(1));
            let mut fates = vec![Fate::Works; round];
            fates.push(fate);
            house.disk.set(&fates);
            house.work_off();
            let place = house.disk.0.lock().unwrap().fates.len();
            assert_eq!(place, 0, "the commit was reached");
            house.all_happened_once(NIGHT, &format!("round {round}"));
        }
    }
}

// Goal: the process is killed while a commit of the batch is under way, stored or not; the next one
// finds out by itself and goes on.
#[test]
fn killed_in_the_middle_of_the_batch() {
    for fate in [Fate::StoredInDoubt, Fate::LostInDoubt] {
        for round in 0..ROUNDS {
            let mut house = House::at_eve();
            house.clock.pass(Span::seconds(1));
            let mut fates = vec![Fate::Works; round];
            fates.push(fate);
            house.disk.set(&fates);
            house.disk.0.lock().unwrap().dead = true;
            for _ in 0..=round {
                house.engine.step();
            }
            assert_eq!(house.handle.health(), Health::InDoubt, "round {round}");
            let mut house = house.reopen();
            house.disk.0.lock().unwrap().dead = false;
            assert_eq!(house.handle.health(), Health::Ready);
            house.work_off();
            house.all_happened_once(NIGHT, &format!("round {round}"));
        }
    }
}

// Goal: killed between two commits, after every one of them.
#[test]
fn killed_between_commits() {
    let mut house = House::at_eve();
    house.clock.pass(Span::seconds(1));
    let mut done = Vec::new();
    for _ in 0..ROUNDS {
        house.engine.step();
        house = house.reopen();
        let refunds = house.refunds();
        let is_done = |refund: &&Refund| matches!(refund.state, RefundState::Done(_));
        done.push(refunds.iter().filter(is_done).count());
    }
    assert_eq!(done, [128, 256, 300]);
    house.work_off();
    house.all_happened_once(NIGHT, "between");
}

// Goal: a disk that refuses everything for a while: nothing happens, nothing is lost, and the disk
// is not asked in a circle.
#[test]
fn the_disk_is_full_for_a_while() {
    let mut house = House::at_eve();
    house.clock.pass(Span::seconds(1));
    // Each round fails as a whole, then command by command.
    house.disk.set(&[Fate::Fails; 3 * 129]);
    for _ in 0..3 {
        assert_eq!(house.engine.step().decided, 128);
        let step = house.engine.step();
        let soon = house.clock.now().plus(Span::seconds(1));
        assert_eq!((step.decided, step.next_due), (0, Some(soon)));
        house.clock.pass(Span::seconds(1));
    }
    for refund in house.refunds() {
        let waits = matches!(refund.state, RefundState::Accepted { short: false, .. });
        assert!(waits, "{:?}", refund.state);
    }
    house.books();
    house.work_off();
    house.all_happened_once("2026-11-23 23:00:03", "full");
}

// Goal: the same with the sandbox's clock, which moves over the batch in one errand: it says when
// it could not, and can be asked again.
#[test]
fn a_moved_clock_is_interrupted() {
    for (fates, dead, heard) in [
        (vec![Fate::StoredInDoubt], false, Ok(Reply::Configured)),
        (
            vec![Fate::Works, Fate::LostInDoubt],
            false,
            Ok(Reply::Configured),
        ),
        (vec![Fate::Works, Fate::Fails], false, Ok(Reply::Configured)),
        (
            vec![Fate::Works, Fate::StoredInDoubt],
            true,
            Err(Fault::Unknown),
        ),
        (
            vec![Fate::Works, Fate::LostInDoubt],
            true,
            Err(Fault::Unknown),
        ),
        (vec![Fate::Fails; 130], false, Err(Fault::NothingDone)),
    ] {
        let mut house = House::at_eve();
        let target = Timestamp::parse_spaced("2026-11-24 12:00:00").unwrap();
        house.disk.set(&fates);
        house.disk.0.lock().unwrap().dead = dead;
        assert_eq!(house.move_clock(target), heard, "{}", fates.len());
        house.disk.0.lock().unwrap().dead = false;
        if heard.is_err() {
            house = house.reopen();
        }
        // Where there may be something to tell partners it stops on the way, and is asked again.
        for _ in 0..2 {
            assert_eq!(house.move_clock(target), Ok(Reply::Configured));
        }
        assert_eq!(house.clock.now(), target);
        house.all_happened_once(NIGHT, "moved");
    }
}

// Goal: a process that was down when the batch began does it in the night; one that comes up after
// five o'clock leaves it to the next night (`spec/13`, 8).
#[test]
fn a_night_that_was_missed() {
    let house = House::at_eve();
    house.clock.pass(Span::hours(6));
    let mut house = house.reopen();
    house.engine.step();
    let first = house.refunds().into_iter().next().unwrap();
    let RefundState::Done(moved) = first.state else {
        panic!("{:?}", first.state);
    };
    assert_eq!(moved.at.spaced(), "2026-11-24 04:59:59");
    // The rest of it comes to be after five.
    house.clock.pass(Span::seconds(1));
    house.work_off();
    let night = Timestamp::parse_spaced("2026-11-24 23:00:00").unwrap();
    let waits = |refund: &&Refund| {
        refund.state
            == RefundState::Accepted {
                due: night,
                short: false,
            }
    };
    let refunds = house.refunds();
    assert_eq!(refunds.iter().filter(waits).count(), COUNT - 128);
    house.clock.pass(Span::hours(18));
    house.work_off();
    for refund in house.refunds() {
        assert!(matches!(refund.state, RefundState::Done(_)), "{refund:?}");
    }
    house.books();
}

// Goal: cancels and refunds at once that share a round with the batch: it goes first, and they find
// what it left; in one commit that fails as a whole they find it all the same.
#[test]
fn the_batch_shares_its_round() {
    for fates in [vec![], vec![Fate::Fails], vec![Fate::LostInDoubt]] {
        let mut house = House::at_eve();
        let commands = vec![
            cancel("T0"),
            refund(1, RefundMode::Sync, 1),
            refund(299, RefundMode::Sync, 1),
            cancel("T298"),
        ];
        house.clock.pass(Span::seconds(1));
        house.disk.set(&fates);
        let heard = house.run_all(commands);
        let actions: Vec<_> = heard.into_iter().map(Option::unwrap).collect();
        for place in [0, 3] {
            match &actions[place] {
                Ok(Reply::Cancel(Ok(CancelDone::Closed { action, .. }))) => {
                    assert_eq!(*action, CancelAction::Refund);
                }
                other => panic!("{other:?}"),
            }
        }
        for place in [1, 2] {
            match &actions[place] {
                Ok(Reply::Refund(Err(RefundRefusal::ExceedsRemaining { remaining }))) => {
                    assert_eq!(remaining.minor(), 0);
                }
                other => panic!("{other:?}"),
            }
        }
        house.work_off();
        let refunds = house.refunds();
        for (number, refund) in refunds.iter().enumerate() {
            // The last ones were not in the round of the cancel that took theirs.
            let right = match refund.state {
                RefundState::Done(_) => number != 298,
                RefundState::Cancelled { .. } => number == 298,
                RefundState::Accepted { .. } | RefundState::FundsShort { .. } => false,
            };
            assert!(right, "{number}: {:?}", refund.state);
        }
        let alice = house.reader().wallet_named("alice").unwrap().unwrap();
        assert_eq!(alice.balance.major(), "100000.00");
        house.books();
    }
}
