//! Fault rules: what the sandbox does wrong on purpose (`contract.md`, a fault rule).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use spotpay_core::id::PartnerId;
use spotpay_core::time::Span;
use spotpay_wire::code::WireCode;
use spotpay_wire::service::Service;

/// What a rule is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// Answers of a service.
    Answer(Service),
    /// Notifications about trades.
    NotifyTrade,
    /// Notifications about refunds.
    NotifyRefund,
}

/// How a result is told as unknown although it is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnknownAs {
    /// `UNKNOW` or `UNKNOWN`, as the service spells it.
    Unknown,
    /// `SYSTEM_ERROR` of the gateway.
    SystemError,
}

/// When the connection closes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// Before anything is done.
    Before,
    /// After it is done, before the answer.
    After,
}

/// What goes wrong with an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnswerEffect {
    /// Nothing is done; the answer names this error.
    Answer {
        /// The error.
        code: WireCode,
        /// Whether it is `is_success=F`.
        is_gateway: bool,
    },
    /// All is done; the answer does not say so.
    UnknownAfter(UnknownAs),
    /// The connection closes.
    Cut(Cut),
    /// All is done; the answer comes so much later, in real time.
    Delay(Span),
    /// The answer's signature does not verify.
    BadSign,
}

/// What goes wrong with a notification.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotifyEffect {
    /// One sending never leaves.
    Lose,
    /// It is sent twice at the same moment.
    Double,
    /// Somebody else's signature and number are on it.
    Forge,
    /// It names another amount, signed well.
    WrongAmount,
    /// It arrives before the answer that it follows.
    BeforeAnswer,
    /// It is sent so much later, by the clock that the sandbox moves.
    Late(Span),
}

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// With an answer.
    Answer(AnswerEffect),
    /// With a notification.
    Notify(NotifyEffect),
}

/// A rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FaultRule {
    /// Its number, from 1 on.
    pub id: u64,
    /// What it is about.
    pub target: Target,
    /// Whose; none is everybody's.
    pub partner: Option<PartnerId>,
    /// How often it still goes off.
    pub times_left: u32,
    /// How often it went off.
    pub fired: u32,
    /// What goes wrong.
    pub effect: Effect,
}

/// The rules in force, in the order in which they were made.
#[derive(Debug, Default)]
pub struct FaultRules {
    rules: Mutex<Rules>,
    /// Whether there are any: a payment without rules does not wait for the lock.
    any: AtomicBool,
}

#[derive(Debug, Default)]
struct Rules {
    last: u64,
    rules: Vec<FaultRule>,
}

/// Rules that are kept; the oldest that went off make room.
const RULES_MAX: usize = 1_000;

impl FaultRules {
    fn lock(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a rule that goes off so many times; `None` when there are too many.
    pub fn add(
        &self,
        target: Target,
        partner: Option<PartnerId>,
        times: u32,
        effect: Effect,
    ) -> Option<FaultRule> {
        let mut all = self.lock();
        if all.rules.len() >= RULES_MAX {
            all.rules.retain(|rule| rule.times_left > 0);
        }
        if all.rules.len() >= RULES_MAX {
            return None;
        }
        all.last += 1;
        let rule = FaultRule {
            id: all.last,
            target,
            partner,
            times_left: times,
            fired: 0,
            effect,
        };
        all.rules.push(rule.clone());
        self.any.store(true, Ordering::Release);
        Some(rule)
    }

    /// Every rule, those that went off for the last time included.
    pub fn list(&self) -> Vec<FaultRule> {
        self.lock().rules.clone()
    }

    /// Takes one away; whether it was there.
    pub fn remove(&self, id: u64) -> bool {
        let mut all = self.lock();
        let before = all.rules.len();
        all.rules.retain(|rule| rule.id != id);
        all.rules.len() < before
    }

    /// Takes all away.
    pub fn clear(&self) {
        self.lock().rules.clear();
        self.any.store(false, Ordering::Release);
    }

    /// What goes wrong with this answer, if something does: the first rule that fits goes off.
    pub fn for_answer(&self, service: Service, partner: PartnerId) -> Option<AnswerEffect> {
        let found = self.fire(|rule| match (rule.target, rule.effect) {
            (Target::Answer(of), Effect::Answer(effect)) if of == service => {
                of_partner(rule, partner).then_some(effect)
            }
            (Target::Answer(_) | Target::NotifyTrade | Target::NotifyRefund, _) => None,
        });
        found.inspect(|effect| tracing::info!(%partner, %service, ?effect, "a fault rule goes off"))
    }

    /// What goes wrong with this sending, if something does. [`NotifyEffect::BeforeAnswer`] is for
    /// the answer, not for the sending: see [`FaultRules::is_before_answer`].
    pub fn for_notification(&self, target: Target, partner: PartnerId) -> Option<NotifyEffect> {
        let found = self.fire(|rule| match rule.effect {
            Effect::Notify(NotifyEffect::BeforeAnswer) | Effect::Answer(_) => None,
            Effect::Notify(effect) => {
                (rule.target == target && of_partner(rule, partner)).then_some(effect)
            }
        });
        found.inspect(|effect| tracing::info!(%partner, ?effect, "a fault rule goes off"))
    }

    /// Whether an answer waits for its notification.
    pub fn is_before_answer(&self, target: Target, partner: PartnerId) -> bool {
        let found = self.fire(|rule| {
            let fits = rule.target == target
                && rule.effect == Effect::Notify(NotifyEffect::BeforeAnswer)
                && of_partner(rule, partner);
            fits.then_some(())
        });
        found.is_some()
    }

    /// Whether there are rules at all.
    pub fn are_any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// The first rule with something left that fits goes off.
    fn fire<T>(&self, fits: impl Fn(&FaultRule) -> Option<T>) -> Option<T> {
        if !self.are_any() {
            return None;
        }
        let mut all = self.lock();
        let mut rules = all.rules.iter_mut().filter(|rule| rule.times_left > 0);
        rules.find_map(|rule| {
            let found = fits(rule)?;
            rule.times_left -= 1;
            rule.fired += 1;
            Some(found)
        })
    }
}

fn of_partner(rule: &FaultRule, partner: PartnerId) -> bool {
    rule.partner.is_none_or(|of| of == partner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use spotpay_wire::code;

    // Goal: rules go off in their order, as often as they say, for whom they say.
    #[test]
    fn rules_go_off_in_order() {
        let partner = |number| PartnerId::from_number(number).unwrap();
        let rules = FaultRules::default();
        let answer = |code| {
            Effect::Answer(AnswerEffect::Answer {
                code,
                is_gateway: false,
            })
        };
        let pay = Target::Answer(Service::Pay);
        rules.add(pay, Some(partner(1)), 2, answer(code::PAYMENT_FAIL));
        rules.add(pay, None, 1, Effect::Answer(AnswerEffect::BadSign));
        rules.add(
            Target::NotifyTrade,
            None,
            1,
            Effect::Notify(NotifyEffect::Lose),
        );
        assert_eq!(rules.for_answer(Service::Query, partner(1)), None);
        assert_eq!(
            rules.for_answer(Service::Pay, partner(2)),
            Some(AnswerEffect::BadSign)
        );
        for _ in 0..2 {
            assert!(matches!(
                rules.for_answer(Service::Pay, partner(1)),
                Some(AnswerEffect::Answer { .. })
            ));
        }
        assert_eq!(rules.for_answer(Service::Pay, partner(1)), None);
        assert_eq!(
            rules.for_notification(Target::NotifyRefund, partner(1)),
            None
        );
        assert_eq!(
            rules.for_notification(Target::NotifyTrade, partner(1)),
            Some(NotifyEffect::Lose)
        );
        let fired: Vec<u32> = rules.list().iter().map(|rule| rule.fired).collect();
        assert_eq!(fired, [2, 1, 1]);
        assert!(rules.remove(2) && !rules.remove(2));
    }
}
