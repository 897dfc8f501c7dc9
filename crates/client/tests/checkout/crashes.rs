//! Random interleavings of losses, delays, buyers and power failures.

use proptest::prelude::*;
use spotpay_client::{
    Checkout, Client, Ending, FactKind, Journal as _, Pace as _, Sale, Settings, Span, Step,
};

use crate::model::{Fate, Memory, State, Temper, Trade, World, hkd, settings};

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
    for _ in 0..8 {
        let Some(open) = journal.unfinished().pop() else {
            break;
        };
        let now = world.now();
        let failure = failures.next();
        if failure.is_none() {
            // A quiet end: everything late arrives, nothing more is lost.
            world.fates.borrow_mut().clear();
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
    world.drain();
    let taken = world.money_taken("T1");
    let may_stick =
        story.temper.window_over || story.temper.frozen || story.deeds.contains(&Deed::Freeze);
    match word {
        Some(paid) => assert_eq!(taken, paid, "{story:?}\n{:?}", world.log.borrow()),
        // Cut off before anything was sent, or for people to look at.
        None if journal.unfinished().is_empty() => {
            assert!(!taken, "{story:?}\n{:?}", world.log.borrow());
        }
        None => assert!(may_stick, "{story:?}\n{:?}", world.log.borrow()),
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
    ]
}

fn stories() -> impl Strategy<Value = Story> {
    let odd = || prop::bool::weighted(0.1);
    let temper = (any::<bool>(), any::<bool>(), odd(), odd()).prop_map(
        |(funds, confirms, window_over, frozen)| Temper {
            funds,
            confirms,
            code_good: true,
            window_over,
            frozen,
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
