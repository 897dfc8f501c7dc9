//! `/gateway.do`: the one URL of the genuine gateway. Form in, signed XML out; of a file its text.
//!
//! Checks run in the order of `spec/13`, 17. What a service decides comes from the engine; what it
//! says is made by [`answer`]; the bytes are wire's.

mod answer;
mod codes;
mod files;
mod refund;
mod resolve;
mod spoil;
mod store;

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use bytes::Bytes;
use spotpay_core::command::Command;
use spotpay_core::decide::{PayRefusal, Reply};
use spotpay_core::id::TradeId;
use spotpay_core::partner::{ContractService, Partner};
use spotpay_core::settlement::FileKind;
use spotpay_core::time::Span;
use spotpay_core::trade::Dialect;
use spotpay_wire::canonical;
use spotpay_wire::charset::Charset;
use spotpay_wire::code::{self, WireCode};
use spotpay_wire::form::{self, Form};
use spotpay_wire::refusal::ParseRefusal;
use spotpay_wire::service::Service;
use spotpay_wire::signature::{SignType, Signer};
use spotpay_wire::{cancel, dialect, pay, query, xml};

use crate::app::App;
use crate::engine::Health;
use crate::faults::{AnswerEffect, Cut, Target};
use crate::listen::HangUp;
use crate::notifier;
use crate::snapshot::PartnerEntry;
use answer::Said;
pub use resolve::CodeGuard;
use resolve::FoundTrade;

/// One exchange as the log and the inspector see it.
#[derive(Debug, Default)]
pub struct Exchange {
    /// The service, when it is one.
    pub service: Option<Service>,
    /// The `partner` parameter, as it came.
    pub partner: String,
    /// `result_code`, or the gateway's code.
    pub result: &'static str,
    /// The business error, when there is one.
    pub error: Option<String>,
    /// Why, in words for people; never sent to the caller.
    pub reason: Option<String>,
    /// Whether the signature was checked, and what came of it.
    pub sign_ok: Option<bool>,
    /// The trade that it was about.
    pub trade: Option<TradeId>,
    /// The bytes that the signature covers.
    pub canonical: Vec<u8>,
}

/// The answer on its way out.
pub struct Answered {
    /// `Content-Type`.
    content_type: &'static str,
    /// The body.
    pub body: Bytes,
    /// A fault rule closes the connection instead.
    is_hang_up: bool,
}

impl Answered {
    /// Its `Content-Type`.
    pub const fn content_type(&self) -> &'static str {
        self.content_type
    }

    fn xml(form: &Form, body: Vec<u8>) -> Self {
        Self {
            content_type: form.answer_charset().content_type(),
            body: body.into(),
            is_hang_up: false,
        }
    }

    /// A file; only its refusals are XML.
    fn file(form: &Form, body: Vec<u8>) -> Self {
        Self {
            content_type: form.answer_charset().plain_content_type(),
            body: body.into(),
            is_hang_up: false,
        }
    }

    fn text(body: &'static str) -> Self {
        Self {
            content_type: Charset::Utf8.plain_content_type(),
            body: Bytes::from_static(body.as_bytes()),
            is_hang_up: false,
        }
    }

    /// No answer at all.
    fn hang_up() -> Self {
        Self {
            is_hang_up: true,
            ..Self::text("")
        }
    }

    fn rejected(form: &Form, code: WireCode) -> Self {
        Self::xml(form, xml::rejected(form.answer_charset(), code))
    }

    /// As HTTP; the status is 200 whatever the answer says (`spec/12`, answer 1).
    pub fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::OK;
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            header::HeaderValue::from_static(self.content_type),
        );
        if self.is_hang_up {
            response.extensions_mut().insert(HangUp);
        }
        response
    }
}

/// Answers one request.
pub async fn answer(
    app: &Arc<App>,
    form: &Form,
    client: IpAddr,
    exchange: &mut Exchange,
) -> Answered {
    exchange.partner = form
        .get("partner")
        .unwrap_or_default()
        .chars()
        .take(32)
        .collect();
    match admit(app, form, client, exchange) {
        Ok(Admitted::Signed {
            entry,
            service,
            signer,
        }) => {
            let call = Call {
                app,
                form,
                partner: &entry.partner,
                service,
                sign_type: signer.sign_type(),
            };
            serve(&call, signer, exchange).await
        }
        Ok(Admitted::NotifyVerify) => notify_verify(app, form, exchange),
        Err(code) => reject(form, code, exchange),
    }
}

/// The answer to a body beyond the bound, of which nothing is read.
pub fn too_large(form: &Form, exchange: &mut Exchange) -> Answered {
    exchange.reason = Some("the body is longer than the bound".to_owned());
    reject(form, code::ILLEGAL_ARGUMENT, exchange)
}

fn reject(form: &Form, code: WireCode, exchange: &mut Exchange) -> Answered {
    exchange.result = code.code;
    Answered::rejected(form, code)
}

/// A pay request answered as if the engine had said no, for `bench limits`: everything but the
/// engine, the store and the code's row.
pub fn answer_without_ledger(app: &App, form: &Form) -> Answered {
    let mut exchange = Exchange::default();
    match admit(app, form, IpAddr::from([127, 0, 0, 1]), &mut exchange) {
        Ok(Admitted::Signed { signer, .. }) => {
            let said = match pay::Request::parse(form) {
                Ok(_) => answer::pay_malformed(form, code::PAYMENT_FAIL),
                Err(refusal) => answer::pay_malformed(form, refusal.code()),
            };
            Answered::xml(form, xml::accepted(form, &said.fields(), &signer))
        }
        Ok(Admitted::NotifyVerify) => Answered::text("false"),
        Err(code) => reject(form, code, &mut exchange),
    }
}

/// A request that passed the gateway's checks.
enum Admitted {
    Signed {
        entry: std::sync::Arc<PartnerEntry>,
        service: Service,
        signer: Signer,
    },
    /// Old programs do not sign this one (`spec/12`, wire 9).
    NotifyVerify,
}

/// The gateway's checks, in the order of `spec/13`, 17.
fn admit(
    app: &App,
    form: &Form,
    client: IpAddr,
    exchange: &mut Exchange,
) -> Result<Admitted, WireCode> {
    let service = read_service(form, exchange)?;
    if service == Service::NotifyVerify && form.get("sign").is_none() {
        return Ok(Admitted::NotifyVerify);
    }
    let snapshot = app.snapshot.load();
    let partner = form
        .get("partner")
        .and_then(|id| id.parse().ok())
        .and_then(|id| snapshot.partner(id));
    let entry = std::sync::Arc::clone(partner.ok_or(code::ILLEGAL_PARTNER)?);
    let services = entry.partner.contract.services;
    if contracted(service).is_some_and(|service| !services.has(service)) {
        return Err(code::ILLEGAL_PARTNER_EXTERFACE);
    }
    let sign_type: SignType = form
        .get("sign_type")
        .and_then(|name| name.parse().ok())
        .ok_or(code::ILLEGAL_SIGN_TYPE)?;
    let keys = entry.keys(sign_type, &app.gateway_key, app.clock.now());
    if keys.is_empty() {
        return Err(code::ILLEGAL_SECURITY_PROFILE);
    }
    let verified = keys
        .into_iter()
        .find(|pair| canonical::verify(form, &pair.verifier, &mut exchange.canonical).is_some());
    exchange.sign_ok = Some(verified.is_some());
    let signer = verified.ok_or(code::ILLEGAL_SIGN)?.signer;
    let allowed = &entry.partner.contract.client_ips;
    if !allowed.is_empty() && !allowed.contains(&client) {
        exchange.reason = Some(format!("{client} is not among the partner's addresses"));
        return Err(code::ILLEGAL_CLIENT_IP);
    }
    if let Some(fault) = form.first_fault() {
        exchange.reason = Some(fault.to_string());
        return Err(code::ILLEGAL_ARGUMENT);
    }
    // Behind the signature, or anybody could use up what a partner may ask.
    if !app.pace.allows(entry.partner.id, app.clock.monotonic()) {
        exchange.reason = Some("the partner sends too many requests a second".to_owned());
        return Err(code::SYSTEM_ERROR);
    }
    match service {
        Service::NotifyVerify => Ok(Admitted::NotifyVerify),
        Service::Pay
        | Service::Query
        | Service::Cancel
        | Service::Reverse
        | Service::SpotCancel
        | Service::Refund
        | Service::RefundQuery
        | Service::StoreMaintain
        | Service::StoreQuery
        | Service::CompareFile
        | Service::LiquidationFile => Ok(Admitted::Signed {
            entry,
            service,
            signer,
        }),
    }
}

/// The service of a form that can be read.
fn read_service(form: &Form, exchange: &mut Exchange) -> Result<Service, WireCode> {
    if let Some(fault @ form::Fault::TooLarge { .. }) = form.first_fault() {
        exchange.reason = Some(fault.to_string());
        return Err(code::ILLEGAL_ARGUMENT);
    }
    form.charset().map_err(|refusal| {
        exchange.reason = Some(refusal.to_string());
        code::ILLEGAL_CHARSET
    })?;
    let service = form.get("service").and_then(|name| name.parse().ok());
    exchange.service = service;
    service.ok_or(code::ILLEGAL_SERVICE)
}

/// The service as contracts list it; `notify_verify` is nobody's in particular, and the files are
/// everybody's.
const fn contracted(service: Service) -> Option<ContractService> {
    match service {
        Service::Pay => Some(ContractService::Pay),
        Service::Query => Some(ContractService::Query),
        Service::Cancel | Service::Reverse | Service::SpotCancel => Some(ContractService::Cancel),
        Service::Refund => Some(ContractService::Refund),
        Service::RefundQuery => Some(ContractService::RefundQuery),
        Service::StoreMaintain => Some(ContractService::StoreMaintain),
        Service::StoreQuery => Some(ContractService::StoreQuery),
        Service::CompareFile | Service::LiquidationFile | Service::NotifyVerify => None,
    }
}

/// A request that passed the gateway's checks, with all that a service needs of it.
struct Call<'a> {
    app: &'a Arc<App>,
    form: &'a Form,
    partner: &'a Partner,
    service: Service,
    sign_type: SignType,
}

impl Call<'_> {
    /// How it was written.
    fn dialect(&self) -> Dialect {
        dialect::of(self.sign_type, self.form.answer_charset())
    }
}

async fn serve(call: &Call<'_>, signer: Signer, exchange: &mut Exchange) -> Answered {
    let effect = call.app.faults.for_answer(call.service, call.partner.id);
    let said = match effect {
        Some(AnswerEffect::Cut(Cut::Before)) => {
            exchange.result = "hung up";
            return Answered::hang_up();
        }
        Some(AnswerEffect::Answer { code, is_gateway }) => {
            exchange.reason = Some("a fault rule says so".to_owned());
            spoil::refused(call, code, is_gateway)
        }
        Some(
            AnswerEffect::UnknownAfter(_)
            | AnswerEffect::Cut(Cut::After)
            | AnswerEffect::Delay(_)
            | AnswerEffect::BadSign,
        )
        | None => decide(call, exchange).await,
    };
    exchange.trade = said.trade();
    let said = match effect {
        Some(AnswerEffect::UnknownAfter(told)) => spoil::unknown(call, said, told),
        Some(
            AnswerEffect::Answer { .. }
            | AnswerEffect::Cut(_)
            | AnswerEffect::Delay(_)
            | AnswerEffect::BadSign,
        )
        | None => said,
    };
    exchange.error = said.error();
    exchange.result = said.result();
    let answered = match said {
        Said::Rejected(code) => reject(call.form, code, exchange),
        Said::File(body) => Answered::file(call.form, body),
        Said::Pay(..)
        | Said::Query(..)
        | Said::Cancel(..)
        | Said::Refund(..)
        | Said::RefundQuery(..)
        | Said::Store(_)
        | Said::StoreQuery(_) => sign(call.app, call.form, said, signer).await,
    };
    match effect {
        Some(effect) => Box::pin(spoil::late_or_broken(answered, effect)).await,
        None => answered,
    }
}

async fn decide(call: &Call<'_>, exchange: &mut Exchange) -> Said {
    match call.service {
        Service::Pay => serve_pay(call, exchange).await,
        Service::Query => serve_query(call, exchange).await,
        Service::Cancel | Service::Reverse | Service::SpotCancel => {
            serve_cancel(call, exchange).await
        }
        // What is rarer than a payment waits in a box, so that a payment's own future stays small.
        Service::Refund => Box::pin(refund::serve(call, exchange)).await,
        Service::RefundQuery => refund::serve_query(call, exchange),
        Service::StoreMaintain => Box::pin(store::serve(call, exchange)).await,
        Service::StoreQuery => store::serve_query(call, exchange),
        Service::CompareFile => Box::pin(files::serve(call, FileKind::Transaction, exchange)).await,
        Service::LiquidationFile => {
            Box::pin(files::serve(call, FileKind::Settlement, exchange)).await
        }
        Service::NotifyVerify => Said::Rejected(code::ILLEGAL_SERVICE),
    }
}

/// Writes and signs the answer; a slow signature on the pool that is bounded for it.
async fn sign(app: &App, form: &Form, said: Said, signer: Signer) -> Answered {
    if !signer.is_slow() {
        return Answered::xml(form, xml::accepted(form, &said.fields(), &signer));
    }
    let permit = app.slow_signatures.acquire().await;
    let owned = form.clone();
    let body = app
        .blocking(move || xml::accepted(&owned, &said.fields(), &signer))
        .await;
    drop(permit);
    match body {
        Some(body) => Answered::xml(form, body),
        None => Answered::rejected(form, code::SYSTEM_ERROR),
    }
}

/// `true` only for a notification that was sent and not yet acknowledged; `invalid` for a partner
/// that is none and for no number at all (`spec/06`).
fn notify_verify(app: &App, form: &Form, exchange: &mut Exchange) -> Answered {
    let partner = form.get("partner").and_then(|id| id.parse().ok());
    let known = partner.filter(|id| app.snapshot.load().partner(*id).is_some());
    exchange.result = match (known, form.get("notify_id")) {
        (Some(partner), Some(id)) => match notifier::is_open(app, partner, id) {
            Ok(true) => "true",
            Ok(false) => "false",
            Err(error) => {
                tracing::error!(%error, "a notification could not be read");
                "false"
            }
        },
        _ => "invalid",
    };
    Answered::text(exchange.result)
}

async fn serve_pay(call: &Call<'_>, exchange: &mut Exchange) -> Said {
    let Call {
        app, form, partner, ..
    } = *call;
    let request = match pay::Request::parse(form) {
        Ok(request) => request,
        Err(refusal) => return refused(form, &refusal, exchange, answer::pay_malformed),
    };
    let (id, amount, code) = (
        request.partner_trans_id.clone(),
        request.amount,
        request.code.clone(),
    );
    let command = match resolve::pay(app, partner, request, call.dialect()) {
        Ok(command) => command,
        Err(error) => return Said::fault(&error),
    };
    let (key, checked) = (command.key.clone(), command.buyer);
    let outcome = app.engine.submit(Command::Pay(Box::new(command))).await;
    let told = matches!(outcome, Ok(Reply::Pay(Err(PayRefusal::Code(_)))));
    if let (false, Err(refusal), Ok(code)) = (told, checked, &code) {
        app.guard.forgive(partner.id, code, refusal);
    }
    let mut trade = None;
    if let Ok(Reply::Pay(Err(refusal))) = &outcome {
        exchange.reason = Some(format!("{refusal:?}"));
        trade = match resolve::trade_under(app, &key) {
            Ok(trade) => trade,
            Err(error) => return Said::fault(&error),
        };
    }
    let said = answer::pay(outcome, partner, id, amount, trade);
    if let Said::Pay(pay::Answer::Success(_), Some(trade)) = said
        && app.faults.are_any()
        && notifier::will_tell(app, trade)
        && app.faults.is_before_answer(Target::NotifyTrade, partner.id)
    {
        Box::pin(notifier::until_told(app, trade)).await;
    }
    said
}

async fn serve_query(call: &Call<'_>, exchange: &mut Exchange) -> Said {
    let Call {
        app, form, partner, ..
    } = *call;
    let request = match query::Request::parse(form) {
        Ok(request) => request,
        Err(refusal) => return refused(form, &refusal, exchange, answer::query_malformed),
    };
    match app.engine.health() {
        Health::Ready => {}
        Health::InDoubt => return Said::Rejected(code::SYSTEM_ERROR),
    }
    let mut found = resolve::query(app, partner, &request);
    if let Ok(Some(FoundTrade { trade, .. })) = &found
        && trade.waits_in_vain(app.clock.now())
    {
        // A confirmation may still be on its way into the store: only the engine knows which was first.
        if app
            .engine
            .submit(Command::Close(trade.key.clone()))
            .await
            .is_err()
        {
            return Said::Rejected(code::SYSTEM_ERROR);
        }
        found = resolve::query(app, partner, &request);
    }
    match found {
        Ok(found) => answer::query(found, partner, request.partner_trans_id),
        Err(error) => Said::fault(&error),
    }
}

async fn serve_cancel(call: &Call<'_>, exchange: &mut Exchange) -> Said {
    let Call {
        app, form, partner, ..
    } = *call;
    let Some(name) = cancel::name_of(call.service) else {
        return Said::Rejected(code::ILLEGAL_SERVICE);
    };
    let request = match cancel::Request::parse(name, form) {
        Ok(request) => request,
        Err(refusal) => {
            return refused(form, &refusal, exchange, |form, code| {
                answer::cancel_malformed(form, name, code)
            });
        }
    };
    let command = match resolve::cancel(app, partner, &request) {
        Ok(Some(command)) => command,
        Ok(None) => return answer::cancel_unknown(&request),
        Err(error) => return Said::fault(&error),
    };
    let id = command.key.id.clone();
    let outcome = app.engine.submit(Command::Cancel(command)).await;
    answer::cancel(outcome, name, id)
}

/// A parameter that is missing is the gateway's complaint, a malformed one the service's.
fn refused(
    form: &Form,
    refusal: &ParseRefusal,
    exchange: &mut Exchange,
    malformed: impl FnOnce(&Form, WireCode) -> Said,
) -> Said {
    exchange.reason = Some(refusal.to_string());
    let code = refusal.code();
    if refusal.is_gateway() {
        Said::Rejected(code)
    } else {
        malformed(form, code)
    }
}

impl Said {
    /// A read that failed: nothing was done.
    fn fault(error: &spotpay_store::StoreError) -> Self {
        tracing::error!(%error, "the store could not be read");
        Self::Rejected(code::SYSTEM_ERROR)
    }
}

/// How long a request took, in microseconds.
pub fn took(from: Span, to: Span) -> u64 {
    u64::try_from(to.as_micros() - from.as_micros()).unwrap_or(0)
}
