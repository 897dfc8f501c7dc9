//! What fault rules do to answers.

#![expect(
    clippy::disallowed_methods,
    reason = "a late answer sleeps; only the sandbox makes one"
)]

use spotpay_wire::cancel;
use spotpay_wire::code::{self, WireCode};
use spotpay_wire::service::Service;

use super::answer::{self, Said};
use super::{Answered, Call, refund, store};
use crate::faults::{AnswerEffect, Cut, UnknownAs};

/// The named error, in the shape of the service that was called.
pub(super) fn refused(call: &Call<'_>, code: WireCode, is_gateway: bool) -> Said {
    if is_gateway {
        return Said::Rejected(code);
    }
    let form = call.form;
    match call.service {
        Service::Pay => answer::pay_malformed(form, code),
        Service::Query => answer::query_malformed(form, code),
        Service::Refund => refund::malformed(form, code),
        Service::RefundQuery => refund::query_malformed(form, code),
        Service::Cancel | Service::Reverse | Service::SpotCancel => {
            match cancel::name_of(call.service) {
                Some(name) => answer::cancel_malformed(form, name, code),
                None => Said::Rejected(code),
            }
        }
        Service::StoreMaintain => store::malformed(form, code),
        Service::StoreQuery => store::query_malformed(form, code),
        // A text has no place for a business error.
        Service::CompareFile | Service::LiquidationFile | Service::NotifyVerify => {
            Said::Rejected(code)
        }
    }
}

/// What is said of a result that is known, as if it were not.
pub(super) fn unknown(call: &Call<'_>, said: Said, told: UnknownAs) -> Said {
    match told {
        UnknownAs::SystemError => Said::Rejected(code::SYSTEM_ERROR),
        UnknownAs::Unknown => answer::unknown(call.form, said),
    }
}

/// What happens to the answer on its way out.
pub(super) async fn late_or_broken(answered: Answered, effect: AnswerEffect) -> Answered {
    match effect {
        AnswerEffect::Cut(Cut::After) => Answered::hang_up(),
        AnswerEffect::Delay(span) => {
            let micros = u64::try_from(span.as_micros()).unwrap_or(0);
            tokio::time::sleep(std::time::Duration::from_micros(micros)).await;
            answered
        }
        AnswerEffect::BadSign => with_bad_sign(answered),
        AnswerEffect::Answer { .. }
        | AnswerEffect::UnknownAfter(_)
        | AnswerEffect::Cut(Cut::Before) => answered,
    }
}

/// Another first character, as good as the right one in hex and in Base64.
fn with_bad_sign(answered: Answered) -> Answered {
    const OPENING: &[u8] = b"<sign>";
    let mut body = answered.body.to_vec();
    let place = body
        .windows(OPENING.len())
        .position(|window| window == OPENING);
    let first = place.and_then(|place| body.get_mut(place + OPENING.len()));
    if let Some(first) = first {
        *first = if *first == b'a' { b'b' } else { b'a' };
    }
    Answered {
        body: body.into(),
        ..answered
    }
}
