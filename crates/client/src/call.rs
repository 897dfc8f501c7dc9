//! One call: typed on this side, signed bytes on the other. No I/O.

use std::sync::Arc;

use spotpay_core::id::PartnerTransId;
use spotpay_core::money::Amount;
use spotpay_core::time::Timestamp;
use spotpay_core::trade::CancelName;
use spotpay_wire::code::{Retry, TRADE_NOT_EXIST};
use spotpay_wire::request::{SignedRequest, sign};
use spotpay_wire::trade_no::TradeNo;
use spotpay_wire::xml::{Accepted, AnswerDoc, read_answer};
use spotpay_wire::{cancel, pay, query};

use crate::outcome::{Doubt, Outcome, Receipt, Refusal};
use crate::settings::Settings;
use crate::transport::{Arrival, HttpAnswer, HttpRequest, TransportFailure};

/// A call to the gateway. `Debug` does not print the payment code.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Call {
    /// Take a payment.
    Pay(Box<pay::Request>),
    /// Look at a trade.
    Query {
        /// Whose trade, and which.
        request: query::Request,
        /// What it must cost, when the caller knows.
        amount: Option<Amount>,
    },
    /// Undo a trade.
    Cancel(cancel::Request),
}

/// The answer to a call of the same name.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Reply {
    /// To a pay.
    Pay(Outcome<Receipt>),
    /// To a query: it worked; whether the trade is paid says its status.
    Query(Outcome<query::Found>),
    /// To a cancel.
    Cancel(Outcome<Cancelled>),
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

impl Call {
    /// A query of a trade of ours; an answer with another amount than this one is doubted.
    pub fn query(settings: &Settings, id: &PartnerTransId, amount: Option<Amount>) -> Self {
        Self::Query {
            request: query::Request {
                partner: settings.partner,
                partner_trans_id: Some(id.clone()),
                alipay_trans_id: None,
            },
            amount,
        }
    }

    /// A cancel of a trade of ours, made at an instant. A repeat has the same instant.
    pub fn cancel(settings: &Settings, id: &PartnerTransId, at: Timestamp) -> Self {
        Self::Cancel(cancel::Request {
            partner: settings.partner,
            name: CancelName::Cancel,
            partner_trans_id: Some(id.clone()),
            trade_no: None,
            timestamp: Some(at),
        })
    }

    /// The bytes to post.
    pub fn seal(&self, settings: &Settings) -> HttpRequest {
        let params = match self {
            Self::Pay(request) => request.params(),
            Self::Query { request, .. } => request.params(),
            Self::Cancel(request) => request.params(),
        };
        let SignedRequest { query, body } = sign(settings.charset, params, &settings.signer);
        HttpRequest {
            url: format!("{}?{query}", settings.gateway.url()),
            body,
        }
    }

    /// What came back, verified and typed.
    pub fn open(&self, settings: &Settings, answer: Result<HttpAnswer, TransportFailure>) -> Reply {
        match self {
            Self::Pay(request) => Reply::Pay(match accept(settings, answer) {
                Ok(doc) => read_pay(request, &doc),
                Err(outcome) => outcome.into(),
            }),
            Self::Query { request, amount } => Reply::Query(match accept(settings, answer) {
                Ok(doc) => read_query(request, *amount, &doc),
                Err(outcome) => outcome.into(),
            }),
            Self::Cancel(request) => Reply::Cancel(match accept(settings, answer) {
                Ok(doc) => read_cancel(request, &doc),
                Err(outcome) => outcome.into(),
            }),
        }
    }
}

/// No answer with fields that are worth reading.
enum NotAccepted {
    Rejected(Refusal),
    Doubted(Doubt),
}

impl<T> From<NotAccepted> for Outcome<T> {
    fn from(it: NotAccepted) -> Self {
        match it {
            NotAccepted::Rejected(refusal) => refused(refusal),
            NotAccepted::Doubted(doubt) => Self::Unknown(doubt),
        }
    }
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
    let answer = answer.map_err(|failure| {
        NotAccepted::Doubted(match failure.arrival() {
            Arrival::Never => Doubt::NotSent(failure),
            Arrival::Maybe => Doubt::NoAnswer(failure),
        })
    })?;
    let doc = read_answer(&answer.body, &answer.content_type)
        .map_err(|error| NotAccepted::Doubted(Doubt::Unreadable(Arc::new(error))))?;
    match doc {
        AnswerDoc::Rejected { error } => Err(NotAccepted::Rejected(Refusal::new(error))),
        AnswerDoc::Accepted(doc) if doc.verify(&settings.verifier) => Ok(doc),
        AnswerDoc::Accepted(_) => Err(NotAccepted::Doubted(Doubt::BadSignature)),
    }
}

fn read_pay(request: &pay::Request, doc: &Accepted) -> Outcome<Receipt> {
    let answer = match pay::Answer::read(doc) {
        Ok(answer) => answer,
        Err(error) => return Outcome::Unknown(Doubt::Incomplete(error)),
    };
    let ours = |id: Option<&PartnerTransId>| id.is_none_or(|id| *id == request.partner_trans_id);
    match answer {
        pay::Answer::Success(paid) if ours(Some(&paid.partner_trans_id)) => {
            if paid.amount == request.amount {
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

fn read_query(
    request: &query::Request,
    amount: Option<Amount>,
    doc: &Accepted,
) -> Outcome<query::Found> {
    let asked = request.partner_trans_id.as_ref();
    match query::Answer::read(doc) {
        Ok(query::Answer::Found(found)) => {
            if asked.is_some_and(|id| *id != found.partner_trans_id) {
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
            let about = partner_trans_id.as_ref();
            if asked
                .zip(about)
                .is_some_and(|(asked, about)| asked != about)
            {
                return Outcome::Unknown(Doubt::OtherAnswer);
            }
            refused(Refusal::new(error))
        }
        Err(error) => Outcome::Unknown(Doubt::Incomplete(error)),
    }
}

fn read_cancel(request: &cancel::Request, doc: &Accepted) -> Outcome<Cancelled> {
    let answer = match cancel::Answer::read(request.name, doc) {
        Ok(answer) => answer,
        Err(error) => return Outcome::Unknown(Doubt::Incomplete(error)),
    };
    let asked = request.partner_trans_id.as_ref();
    let about = answer.partner_trans_id.as_ref();
    if asked
        .zip(about)
        .is_some_and(|(asked, about)| asked != about)
    {
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
        cancel::Outcome::Unknown { error } => Outcome::Unknown(Doubt::Fault(Refusal::new(error))),
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
