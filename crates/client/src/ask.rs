//! The two halves of each call: its parameters, and what is made of the fields that come back.

use std::borrow::Cow;
use std::sync::Arc;

use spotpay_core::id::{PartnerRefundId, PartnerTransId};
use spotpay_core::money::Amount;
use spotpay_core::refund::RefundMode;
use spotpay_wire::code::{Retry, SYSTEM_ERROR, TRADE_NOT_EXIST};
use spotpay_wire::request::{SignedRequest, sign};
use spotpay_wire::trade_no::TradeNo;
use spotpay_wire::xml::{Accepted, AnswerDoc, read_answer};
use spotpay_wire::{cancel, code, pay, query, refund, refund_query, store, store_query};

use crate::outcome::{Doubt, Outcome, Receipt, Refusal};
use crate::refunding::Refunding;
use crate::settings::Settings;
use crate::transport::{Arrival, HttpAnswer, HttpRequest, TransportFailure};

/// A request with the type of its answer.
pub(crate) trait Ask {
    type Answer;

    fn params(&self) -> Vec<(&str, Cow<'_, str>)>;

    /// What the fields of an accepted answer say.
    fn read(&self, doc: &Accepted) -> Outcome<Self::Answer>;
}

/// The bytes to post.
pub(crate) fn seal(settings: &Settings, ask: &impl Ask) -> HttpRequest {
    let SignedRequest { query, body } = sign(settings.charset, ask.params(), &settings.signer);
    HttpRequest {
        url: format!("{}?{query}", settings.gateway.url()),
        body,
    }
}

/// What came back, verified and typed.
pub(crate) fn open<A: Ask>(
    settings: &Settings,
    ask: &A,
    answer: Result<HttpAnswer, TransportFailure>,
) -> Outcome<A::Answer> {
    match accept(settings, answer) {
        Ok(doc) => ask.read(&doc),
        Err(NotAccepted::Rejected(refusal)) => refused(refusal),
        Err(NotAccepted::Doubted(doubt)) => Outcome::Unknown(doubt),
    }
}

/// No answer with fields that are worth reading.
enum NotAccepted {
    Rejected(Refusal),
    Doubted(Doubt),
}

/// A code that leaves the state open is no refusal.
fn refused<T>(refusal: Refusal) -> Outcome<T> {
    match refusal.retry() {
        Retry::Never => Outcome::Refused(refusal),
        Retry::SameRequest | Retry::QueryFirst => Outcome::Unknown(Doubt::Fault(refusal)),
    }
}

/// An answer with `is_success=T` that the gateway signed.
fn accept(
    settings: &Settings,
    answer: Result<HttpAnswer, TransportFailure>,
) -> Result<Accepted, NotAccepted> {
    let answer = answer.map_err(|failure| NotAccepted::Doubted(not_answered(failure)))?;
    let doc = read_answer(&answer.body, &answer.content_type)
        .map_err(|error| NotAccepted::Doubted(Doubt::Unreadable(Arc::new(error))))?;
    match doc {
        AnswerDoc::Rejected { error } => Err(NotAccepted::Rejected(Refusal::new(error))),
        AnswerDoc::Accepted(doc) if doc.verify(&settings.verifier) => Ok(doc),
        AnswerDoc::Accepted(_) => Err(NotAccepted::Doubted(Doubt::BadSignature)),
    }
}

pub(crate) fn not_answered(failure: TransportFailure) -> Doubt {
    match failure.arrival() {
        Arrival::Never => Doubt::NotSent(failure),
        Arrival::Maybe => Doubt::NoAnswer(failure),
    }
}

/// Whether an answer that names something is about what was asked.
fn is_about<T: PartialEq>(asked: Option<&T>, named: Option<&T>) -> bool {
    asked.zip(named).is_none_or(|(asked, named)| asked == named)
}

impl Ask for pay::Request {
    type Answer = Receipt;

    fn params(&self) -> Vec<(&str, Cow<'_, str>)> {
        pay::Request::params(self)
    }

    fn read(&self, doc: &Accepted) -> Outcome<Receipt> {
        let answer = match pay::Answer::read(doc) {
            Ok(answer) => answer,
            Err(error) => return Outcome::Unknown(Doubt::Incomplete(error)),
        };
        let ours = |id: Option<&PartnerTransId>| is_about(Some(&self.partner_trans_id), id);
        match answer {
            pay::Answer::Success(paid) if ours(Some(&paid.partner_trans_id)) => {
                if paid.amount == self.amount {
                    Outcome::Success((*paid).into())
                } else {
                    Outcome::Unknown(Doubt::AmountDiffers)
                }
            }
            pay::Answer::Failed {
                error,
                partner_trans_id,
                ..
            } if ours(partner_trans_id.as_ref()) => refused(Refusal::new(error)),
            pay::Answer::Unknown {
                error,
                partner_trans_id,
                alipay_trans_id,
                ..
            } if ours(partner_trans_id.as_ref()) => Outcome::Unknown(match error {
                Some(error) => Doubt::Fault(Refusal::new(error)),
                None => Doubt::Waiting { alipay_trans_id },
            }),
            pay::Answer::Success(_) | pay::Answer::Failed { .. } | pay::Answer::Unknown { .. } => {
                Outcome::Unknown(Doubt::OtherAnswer)
            }
        }
    }
}

/// A query, and what the trade must cost.
pub(crate) struct Wanted<'a>(pub(crate) &'a query::Request, pub(crate) Option<Amount>);

impl Ask for Wanted<'_> {
    type Answer = query::Found;

    fn params(&self) -> Vec<(&str, Cow<'_, str>)> {
        self.0.params()
    }

    fn read(&self, doc: &Accepted) -> Outcome<query::Found> {
        let Self(request, amount) = self;
        let asked = request.partner_trans_id.as_ref();
        match query::Answer::read(doc) {
            Ok(query::Answer::Found(found)) => {
                if !is_about(asked, Some(&found.partner_trans_id)) {
                    Outcome::Unknown(Doubt::OtherAnswer)
                } else if amount.is_some_and(|amount| amount != found.amount) {
                    Outcome::Unknown(Doubt::AmountDiffers)
                } else {
                    Outcome::Success(*found)
                }
            }
            Ok(query::Answer::Failed {
                error,
                partner_trans_id,
            }) => {
                if is_about(asked, partner_trans_id.as_ref()) {
                    refused(Refusal::new(error))
                } else {
                    Outcome::Unknown(Doubt::OtherAnswer)
                }
            }
            Err(error) => Outcome::Unknown(Doubt::Incomplete(error)),
        }
    }
}

/// A cancel that worked: nothing is taken from the buyer, and nothing will be.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Cancelled {
    /// The gateway's number; none for a trade that never was.
    pub trade_no: Option<TradeNo>,
    /// What was done; none for a trade that never was.
    pub action: Option<cancel::Action>,
}

impl Ask for cancel::Request {
    type Answer = Cancelled;

    fn params(&self) -> Vec<(&str, Cow<'_, str>)> {
        cancel::Request::params(self)
    }

    fn read(&self, doc: &Accepted) -> Outcome<Cancelled> {
        let answer = match cancel::Answer::read(self.name, doc) {
            Ok(answer) => answer,
            Err(error) => return Outcome::Unknown(Doubt::Incomplete(error)),
        };
        let asked = self.partner_trans_id.as_ref();
        if !is_about(asked, answer.partner_trans_id.as_ref()) {
            return Outcome::Unknown(Doubt::OtherAnswer);
        }
        match answer.outcome {
            cancel::Outcome::Done { action, .. } => Outcome::Success(Cancelled {
                trade_no: answer.trade_no,
                action,
            }),
            cancel::Outcome::Failed { error, may_retry } => {
                let refusal = Refusal::new(error);
                // The flag of this answer is worth more than the advice of the table.
                let retry = match (may_retry, refusal.retry()) {
                    (true, _) => Retry::SameRequest,
                    (false, Retry::SameRequest) => Retry::Never,
                    (false, advice) => advice,
                };
                Outcome::Refused(refusal.with_retry(retry))
            }
            cancel::Outcome::Unknown { error } => {
                Outcome::Unknown(Doubt::Fault(Refusal::new(error)))
            }
        }
    }
}

impl Ask for refund::Request {
    type Answer = Refunding;

    fn params(&self) -> Vec<(&str, Cow<'_, str>)> {
        refund::Request::params(self)
    }

    fn read(&self, doc: &Accepted) -> Outcome<Refunding> {
        let answer = match refund::Answer::read(doc) {
            Ok(answer) => answer,
            Err(error) => return Outcome::Unknown(Doubt::Incomplete(error)),
        };
        let (trade, refund) = (Some(&self.partner_trans_id), Some(&self.partner_refund_id));
        let ours = |about: &refund::About| {
            is_about(trade, about.partner_trans_id.as_ref())
                && is_about(refund, about.partner_refund_id.as_ref())
        };
        match answer {
            refund::Answer::Success(done) => {
                let same = is_about(trade, Some(&done.partner_trans_id))
                    && is_about(refund, Some(&done.partner_refund_id));
                if !same {
                    Outcome::Unknown(Doubt::OtherAnswer)
                } else if done.amount != self.amount {
                    Outcome::Unknown(Doubt::AmountDiffers)
                } else {
                    let receipt = Box::new((*done).into());
                    Outcome::Success(match self.mode {
                        RefundMode::Sync => Refunding::Refunded(receipt),
                        RefundMode::Async => Refunding::Accepted(receipt),
                    })
                }
            }
            refund::Answer::Failed { error, about } if ours(&about) => {
                refund_failed(Refusal::new(error))
            }
            refund::Answer::Unknown { error, about } if ours(&about) => {
                let error = error.unwrap_or(SYSTEM_ERROR.code.into());
                Outcome::Unknown(Doubt::Fault(Refusal::new(error)))
            }
            refund::Answer::Failed { .. } | refund::Answer::Unknown { .. } => {
                Outcome::Unknown(Doubt::OtherAnswer)
            }
        }
    }
}

/// `FAILED` says that this request did nothing, also with a code after which a caller should look
/// at the trade; but not with a fault, nor with a code that nobody published.
fn refund_failed(refusal: Refusal) -> Outcome<Refunding> {
    let fault = refusal.is(SYSTEM_ERROR) || code::find(refusal.code()).is_none();
    if fault || refusal.retry() == Retry::SameRequest {
        Outcome::Unknown(Doubt::Fault(refusal))
    } else {
        Outcome::Refused(refusal)
    }
}

impl Ask for refund_query::Request {
    type Answer = refund_query::Found;

    fn params(&self) -> Vec<(&str, Cow<'_, str>)> {
        refund_query::Request::params(self)
    }

    fn read(&self, doc: &Accepted) -> Outcome<refund_query::Found> {
        let refund = self.refund_id();
        let about = |trade: Option<&PartnerTransId>, id: Option<&PartnerRefundId>| {
            is_about(Some(&self.out_trade_no), trade) && is_about(refund.as_ref(), id)
        };
        match refund_query::Answer::read(doc) {
            Ok(refund_query::Answer::Found(found)) => {
                if about(Some(&found.out_trade_no), Some(&found.out_return_no)) {
                    Outcome::Success(*found)
                } else {
                    Outcome::Unknown(Doubt::OtherAnswer)
                }
            }
            Ok(refund_query::Answer::Failed {
                error,
                out_trade_no,
                out_return_no,
            }) => {
                let same = is_about(Some(&self.out_return_no), out_return_no.as_ref());
                if same && about(out_trade_no.as_ref(), None) {
                    refused(Refusal::new(error))
                } else {
                    Outcome::Unknown(Doubt::OtherAnswer)
                }
            }
            Err(error) => Outcome::Unknown(Doubt::Incomplete(error)),
        }
    }
}

impl Ask for store::Request {
    type Answer = ();

    fn params(&self) -> Vec<(&str, Cow<'_, str>)> {
        store::Request::params(self)
    }

    fn read(&self, doc: &Accepted) -> Outcome<()> {
        match store::Answer::read(doc) {
            Ok(store::Answer::Success) => Outcome::Success(()),
            Ok(store::Answer::Failed { error }) => refused(Refusal::new(error)),
            Err(error) => Outcome::Unknown(Doubt::Incomplete(error)),
        }
    }
}

impl Ask for store_query::Request {
    type Answer = store_query::Found;

    fn params(&self) -> Vec<(&str, Cow<'_, str>)> {
        store_query::Request::params(self)
    }

    fn read(&self, doc: &Accepted) -> Outcome<store_query::Found> {
        match store_query::Answer::read(doc) {
            Ok(store_query::Answer::Found(found)) => {
                let same = found.secondary_merchant_id == self.secondary_merchant_id
                    && found.method == self.method;
                if same {
                    Outcome::Success(*found)
                } else {
                    Outcome::Unknown(Doubt::OtherAnswer)
                }
            }
            Ok(store_query::Answer::Failed { error }) => refused(Refusal::new(error)),
            Err(error) => Outcome::Unknown(Doubt::Incomplete(error)),
        }
    }
}

impl Outcome<query::Found> {
    /// The gateway says that there is no such trade. One may still be under way to it.
    pub(crate) fn is_nothing(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.is(TRADE_NOT_EXIST),
            Self::Success(_) | Self::Unknown(_) => false,
        }
    }
}
