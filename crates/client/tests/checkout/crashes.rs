//! Random interleavings of losses, delays, buyers and power failures.

use proptest::prelude::*;
use spotpay_client::{
    Checkout, Client, Ending, FactKind, Journal as _, Pace as _, Sale, Settings, Span, Step,
};

use crate::model::{Fate, Given, Memory, State, Temper, Trade, World, hkd, settings};

/// What the world does between two steps of the till.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Deed {
    Nothing,
    Confirm,
    Decline,
    TopUp,
    Spend,
    CodeExpires,
    Freeze,
    Thaw,
    /// The time for cancelling is over.
    Midnight,
    /// The merchant's funds get short.
    GoBroke,
    /// They are there again.
    GetFunds,
    /// The time for refunds is over.
    GetOld,
    /// People at the back office give everything back.
    RefundByHand,
}

#[derive(Clone, Debug)]
struct Story {
    temper: Temper,
    fates: Vec<Fate>,
    deeds: Vec<Deed>,
    /// The steps at which the power fails, in the first run and in those after it; whether what
    /// was being written got to the disk.
    failures: Vec<(usize, bool)>,
    /// Seconds until a payment is cancelled.
    limit: i64,
    /// What the cashier says of a payment that was interrupted.
    accepts: bool,
}

fn sale() -> Sale {
    let code = "288888888888888888".parse().unwrap();
    Sale::new("T1".parse().unwrap(), hkd("39.30"), "Tea", code)
}

/// Runs a machine until it is over or the power fails; None when it failed.
fn run(
    world: &World,
    settings: &Settings,
    mut checkout: Checkout,
    journal: &mut Memory,
    deeds: &mut impl Iterator<Item = Deed>,
    failure: Option<(usize, bool)>,
) -> Option<Ending> {
    let client = Client::new(settings.clone(), world);
    for count in 0.. {
        assert!(count < 1_000, "a checkout ends");
        let fails = failure.filter(|(at, _)| *at == count);
        match deeds.next().unwrap_or(Deed::Nothing) {
            Deed::Nothing => {}
            Deed::Confirm => world.answer_waiting(true),
            Deed::Decline => world.answer_waiting(false),
            Deed::TopUp => world.change(|temper| temper.funds = true),
            Deed::Spend => world.change(|temper| temper.funds = false),
            Deed::CodeExpires => world.change(|temper| temper.code_good = false),
            Deed::Freeze => world.change(|temper| temper.frozen = true),
            Deed::Thaw => world.change(|temper| temper.frozen = false),
            Deed::Midnight => world.change(|temper| temper.window_over = true),
            Deed::GoBroke => world.change(|temper| temper.broke = true),
            Deed::GetFunds => world.change(|temper| temper.broke = false),
            Deed::GetOld => world.change(|temper| temper.too_late = true),
            Deed::RefundByHand => world.refund_by_hand(),
        }
        match checkout.next(world.now()) {
            Step::Write(fact) => {
                if fails.is_none_or(|(_, written)| written) {
                    journal.write(&fact).unwrap();
                }
                checkout.written(world.now());
            }
            Step::Send(call) => {
                let reply = client.send(&call);
                checkout.answered(world.now(), reply);
            }
            Step::Wait { until } => {
                assert!(until > world.now());
                world.pause(until.since(world.now()));
            }
            Step::Done(ending) => return Some(ending),
            other => panic!("{other:?}"),
        }
        if fails.is_some() {
            return None;
        }
    }
    None
}

/// The till's last word on the sale: paid, not paid, or none.
fn play(story: &Story) -> (World, Memory, Option<bool>) {
    let world = World::new(story.temper, story.fates.clone());
    let mut settings = settings();
    // Short, so that many stories get to the end.
    settings.patience.limit = Span::seconds(story.limit);
    settings.patience.cancel_tries = 4;
    let mut journal = Memory::default();
    let mut deeds = story.deeds.iter().copied();
    let mut failures = story.failures.iter().copied();
    let checkout = Checkout::new(&settings, sale(), world.now());
    let mut ending = run(
        &world,
        &settings,
        checkout,
        &mut journal,
        &mut deeds,
        failures.next(),
    );
    // Rounds in which nothing changes any more.
    let mut last_rounds = 0;
    for _ in 0..40 {
        let Some(open) = journal.unfinished().pop() else {
            break;
        };
        let now = world.now();
        let failure = failures.next();
        if failure.is_none() {
            // A quiet end: everything late arrives, nothing more is lost.
            world.fates.borrow_mut().clear();
            last_rounds += usize::from(deeds.len() == 0);
        }
        if last_rounds > 2 {
            break;
        }
        let mut go = |checkout| {
            run(
                &world,
                &settings,
                checkout,
                &mut journal,
                &mut deeds,
                failure,
            )
        };
        let resumed = go(Checkout::resume(&settings, &open, now));
        ending = match resumed {
            Some(Ending::Paid(_)) if story.accepts => {
                let fact = spotpay_client::Fact {
                    key: open.key.clone(),
                    at: now,
                    kind: FactKind::End {
                        paid: true,
                        alipay_trans_id: None,
                        note: String::new(),
                    },
                };
                journal.write(&fact).unwrap();
                resumed
            }
            Some(Ending::Paid(_)) => go(Checkout::give_back(&settings, &open, now)),
            other => other,
        };
    }
    let last = journal.0.iter().rev().find_map(|fact| match fact.kind {
        FactKind::End { paid, .. } => Some(paid),
        _ => None,
    });
    let word = match ending {
        Some(Ending::Paid(_)) => Some(true),
        Some(Ending::NotPaid(_)) => Some(false),
        Some(_) => None,
        // The power failed behind the last fact: the journal says how it ended.
        None => last,
    };
    if journal.unfinished().is_empty() {
        assert_eq!(word, last, "the journal knows what the till said");
    }
    (world, journal, word)
}

fn judge(story: &Story) {
    let (world, journal, word) = play(story);
    let case = || format!("{story:?}\n{:?}\n{:?}", world.log.borrow(), journal.0);
    if word.is_none() && !journal.unfinished().is_empty() {
        let temper = world.temper.get();
        let state = world.trades.borrow().get("T1").map(|trade| trade.state);
        // For people to look at, but only for a reason.
        let cannot_cancel =
            temper.window_over && matches!(state, None | Some(State::Waiting | State::Mark));
        let cannot_refund = temper.window_over && (temper.broke || temper.too_late);
        assert!(
            cannot_cancel || cannot_refund || temper.frozen,
            "{}",
            case()
        );
    }
    let by_hand = story.deeds.contains(&Deed::RefundByHand);
    if word == Some(true) && by_hand {
        // Who has paid may get it back later, on purpose.
        return;
    }
    world.drain();
    let taken = world.money_taken("T1");
    match word {
        Some(paid) => assert_eq!(taken, paid, "{}", case()),
        // Cut off before anything was sent.
        None if journal.unfinished().is_empty() => assert!(!taken, "{}", case()),
        None => {}
    }
    let refunds = world.refunds.borrow();
    let back = refunds
        .values()
        .filter(|(_, _, given)| *given == Given::Back);
    assert!(back.count() <= 1, "{}", case());
    if !story.temper.forgets {
        assert_eq!(world.saved_by_the_cap.get(), 0, "{}", case());
    }
    assert_noted_first(&world, &journal);
}

/// Every number that reached the gateway was in the journal before.
fn assert_noted_first(world: &World, journal: &Memory) {
    let noted: Vec<String> = journal
        .0
        .iter()
        .filter_map(|fact| match &fact.kind {
            FactKind::Refund {
                partner_refund_id, ..
            } => Some(partner_refund_id.to_string()),
            _ => None,
        })
        .collect();
    for id in world.refunds.borrow().keys() {
        assert!(noted.contains(id), "{id} {noted:?}");
    }
}

fn fates() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Ok),
        1 => Just(Fate::Unreachable),
        2 => Just(Fate::Lost),
        2 => Just(Fate::Mute),
        4 => (0..12_usize).prop_map(Fate::Late),
        1 => Just(Fate::Fault),
        1 => Just(Fate::DoneUnknown),
        1 => Just(Fate::Unknown),
        2 => (0..12_usize).prop_map(Fate::Deferred),
        1 => Just(Fate::Forged),
        1 => Just(Fate::Page),
        1 => Just(Fate::Crossed),
    ]
}

fn deeds() -> impl Strategy<Value = Deed> {
    prop_oneof![
        10 => Just(Deed::Nothing),
        1 => Just(Deed::Confirm),
        1 => Just(Deed::Decline),
        1 => Just(Deed::TopUp),
        1 => Just(Deed::Spend),
        1 => Just(Deed::CodeExpires),
        1 => Just(Deed::Freeze),
        2 => Just(Deed::Thaw),
        2 => Just(Deed::Midnight),
        1 => Just(Deed::GoBroke),
        2 => Just(Deed::GetFunds),
        1 => Just(Deed::GetOld),
        1 => Just(Deed::RefundByHand),
    ]
}

fn stories() -> impl Strategy<Value = Story> {
    let odd = || prop::bool::weighted(0.1);
    let late = || prop::bool::weighted(0.3);
    let temper = (
        (any::<bool>(), any::<bool>(), late(), odd()),
        (late(), odd(), any::<bool>()),
    )
        .prop_map(
            |((funds, confirms, window_over, frozen), (broke, too_late, forgets))| Temper {
                funds,
                confirms,
                code_good: true,
                window_over,
                frozen,
                broke,
                too_late,
                forgets,
            },
        );
    let failure = (0..40_usize, any::<bool>());
    (
        temper,
        prop::collection::vec(fates(), 0..40),
        prop::collection::vec(deeds(), 0..60),
        prop::collection::vec(failure, 0..4),
        (
            any::<bool>(),
            prop_oneof![Just(0), Just(7), Just(30), Just(60)],
        ),
    )
        .prop_map(|(temper, fates, deeds, failures, (accepts, limit))| Story {
            limit,
            temper,
            fates,
            deeds,
            failures,
            accepts,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    // Goal: whatever is lost, late or cut off, nobody has paid for a failed checkout, and nobody
    // got goods for a payment that went back.
    #[test]
    fn money_is_safe(story in stories()) {
        judge(&story);
    }
}

// Goal: the power fails at each step of each of these, and the restart ends it well.
#[test]
fn a_failure_at_each_step() {
    for fates in [
        vec![],
        vec![Fate::Lost],
        vec![Fate::Mute],
        vec![Fate::Late(3)],
        vec![
            Fate::Late(40),
            Fate::Lost,
            Fate::Lost,
            Fate::Lost,
            Fate::Mute,
        ],
        vec![Fate::DoneUnknown, Fate::Fault, Fate::Unknown],
    ] {
        for confirms in [false, true] {
            for step in 0..50 {
                for (written, accepts) in
                    [(false, false), (false, true), (true, false), (true, true)]
                {
                    judge(&Story {
                        temper: Temper {
                            confirms,
                            ..Temper::default()
                        },
                        fates: fates.clone(),
                        deeds: vec![],
                        failures: vec![(step, written)],
                        limit: 60,
                        accepts,
                    });
                }
            }
        }
    }
}

/// Paid, never answered, and then it is too late for a cancel.
fn too_late_to_cancel(fates: &[Fate], deeds: &[Deed]) -> Story {
    let start = [Fate::Mute, Fate::Lost, Fate::Lost, Fate::Lost];
    Story {
        temper: Temper {
            window_over: true,
            ..Temper::default()
        },
        fates: [&start, fates].concat(),
        deeds: deeds.to_vec(),
        failures: vec![],
        limit: 60,
        accepts: false,
    }
}

// Goal: the same for a payment that can only be refunded: whenever the power fails, once or twice,
// and whatever becomes of the refund, its money goes back once.
#[test]
fn a_failure_at_each_step_of_the_last_resort() {
    let (ok, none) = (Fate::Ok, Deed::Nothing);
    for (fates, deeds) in [
        (vec![], vec![]),
        (vec![ok, ok, Fate::Lost], vec![]),
        (vec![ok, ok, Fate::Mute, Fate::Mute], vec![]),
        (vec![ok, ok, Fate::Late(1), Fate::Unknown], vec![]),
        (vec![ok, ok, Fate::Late(4), Fate::Late(30)], vec![]),
        (vec![ok, ok, Fate::Deferred(3), Fate::DoneUnknown], vec![]),
        (vec![], vec![Deed::GoBroke]),
        (vec![ok, ok, Fate::Late(6)], vec![Deed::GoBroke]),
        (
            vec![],
            [vec![Deed::GoBroke], vec![none; 19], vec![Deed::GetFunds]].concat(),
        ),
        (vec![], [vec![none; 13], vec![Deed::RefundByHand]].concat()),
    ] {
        // Only a refund that failed can be forgotten.
        let forgets = [false, true].into_iter();
        let fails = deeds.contains(&Deed::GoBroke);
        for forgets in forgets.filter(|forgets| fails || !forgets) {
            for first in 0..24 {
                for (second, written) in (0..8).flat_map(|at| [(at, false), (at, true)]) {
                    let mut story = too_late_to_cancel(&fates, &deeds);
                    story.temper.forgets = forgets;
                    story.failures = vec![(first, written), (second, !written)];
                    judge(&story);
                }
            }
        }
    }
}

// Goal: once funds are there again, the next run takes a new number, and no run takes two.
#[test]
fn funds_that_come_later() {
    for (funds_after, expected) in [
        (0, "refunded T1-UNDO-1"),
        (1, "refunded T1-UNDO-2"),
        (3, "refunded T1-UNDO-4"),
    ] {
        let story = too_late_to_cancel(&[], &[]);
        let world = World::new(story.temper, story.fates);
        world.change(|temper| temper.broke = funds_after > 0);
        let client = Client::new(settings(), &world);
        let (mut journal, mut silent) = (Memory::default(), spotpay_client::Silent);
        let mut ending = client
            .checkout(sale(), &mut journal, &world, &mut silent)
            .unwrap();
        for run in 1..=funds_after {
            assert_eq!(
                crate::table::describe(&ending),
                "unknown MERCHANT_BALANCE_NOT_ENOUGH"
            );
            let open = journal.unfinished().pop().unwrap();
            let refund = open.refund.clone().unwrap();
            assert_eq!((refund.attempt, refund.spent), (run, true));
            world.change(|temper| temper.broke = run < funds_after);
            ending = client
                .resume(&open, &mut journal, &world, &mut silent)
                .unwrap();
        }
        assert_eq!(crate::table::describe(&ending), expected);
        assert!(journal.unfinished().is_empty() && !world.money_taken("T1"));
    }
}

// Goal: a paid checkout that is given back the next day is refunded.
#[test]
fn given_back_the_next_day() {
    let world = World::new(Temper::default(), vec![Fate::Mute]);
    let client = Client::new(settings(), &world);
    let (mut journal, mut silent) = (Memory::default(), spotpay_client::Silent);
    let mut checkout = Checkout::new(&settings(), sale(), world.now());
    for _ in 0..2 {
        match checkout.next(world.now()) {
            Step::Write(fact) => {
                journal.write(&fact).unwrap();
                checkout.written(world.now());
            }
            Step::Send(call) => checkout.answered(world.now(), client.send(&call)),
            other => panic!("{other:?}"),
        }
    }
    world.change(|temper| temper.window_over = true);
    let open = journal.unfinished().pop().unwrap();
    let resumed = client.resume(&open, &mut journal, &world, &mut silent);
    assert!(matches!(resumed.unwrap(), Ending::Paid(_)));
    let back = client.give_back(&open, &mut journal, &world, &mut silent);
    assert_eq!(crate::table::describe(&back.unwrap()), "refunded T1-UNDO-1");
    assert!(!world.money_taken("T1") && journal.unfinished().is_empty());
}

// Goal: this very test can fail: a till that takes a new number for each try is caught.
#[test]
fn the_judge_sees_a_till_with_two_numbers() {
    let world = World::new(Temper::default(), vec![Fate::Ok, Fate::Mute]);
    let client = Client::new(settings(), &world);
    let _ = client.pay(sale());
    for number in ["R1", "R2"] {
        let order = spotpay_client::RefundOrder::new(
            "T1".parse().unwrap(),
            number.parse().unwrap(),
            hkd("39.30"),
        );
        let _ = client.send(&order.call(&settings()));
    }
    assert_eq!(world.saved_by_the_cap.get(), 1);
}

// Goal: this very test can fail: a till that believes a refusal of its second pay is caught.
#[test]
fn the_judge_sees_a_broken_till() {
    let world = World::new(
        Temper {
            funds: false,
            ..Temper::default()
        },
        vec![Fate::Late(2)],
    );
    let client = Client::new(settings(), &world);
    let _ = client.pay(sale());
    assert!(matches!(
        client.pay(sale()),
        spotpay_client::Outcome::Refused(_)
    ));
    world.change(|temper| temper.funds = true);
    world.drain();
    assert!(world.money_taken("T1"));
}

// Goal: a trade of somebody else under the same id is left alone.
#[test]
fn an_id_used_twice() {
    for fate in [Fate::Ok, Fate::Mute, Fate::Lost] {
        let world = World::new(Temper::default(), vec![fate]);
        let other = Trade {
            state: State::Paid,
            amount: hkd("10"),
        };
        world.trades.borrow_mut().insert("T1".to_owned(), other);
        let client = Client::new(settings(), &world);
        let mut journal = Memory::default();
        let ending = client
            .checkout(sale(), &mut journal, &world, &mut spotpay_client::Silent)
            .unwrap();
        let expected = if fate == Fate::Ok {
            "refused CONTEXT_INCONSISTENT"
        } else {
            "unknown other trade"
        };
        assert_eq!(crate::table::describe(&ending), expected);
        assert!(world.money_taken("T1") && !world.log.borrow().contains(&"cancel"));
    }
}
