//! A tiny gateway with a bad network in front of it, written for these tests only: it knows the
//! rulings (`spec/13`) and none of our server's code.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write as _;

use spotpay_client::{
    Amount, CheckoutKey, Currency, Fact, FactKind, HttpAnswer, HttpRequest, Journal, JournalError,
    Money, OpenCheckout, Pace, PaymentInst, Settings, Span, Timestamp, Transport, TransportFailure,
};
use spotpay_core::id::TradeId;
use spotpay_core::refund::RefundMode;
use spotpay_core::trade::CancelName;
use spotpay_wire::canonical;
use spotpay_wire::code;
use spotpay_wire::form::Form;
use spotpay_wire::signature::{Signer, Verifier};
use spotpay_wire::xml::{Fields, accepted, rejected};
use spotpay_wire::{cancel, pay, query, refund, refund_query};

pub(crate) const MD5_KEY: &str = "0123456789abcdefghijklmnopqrstuv";
const OTHER_KEY: &str = "vutsrqponmlkjihgfedcba9876543210";

pub(crate) fn settings() -> Settings {
    let gateway = "http://gateway.test/gateway.do".parse().unwrap();
    Settings::md5(gateway, "2088000000000001".parse().unwrap(), MD5_KEY).unwrap()
}

pub(crate) fn hkd(major: &str) -> Amount {
    Amount::new(Money::parse_major(major, Currency::HKD).unwrap()).unwrap()
}

/// What happens to one request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// Executed and answered.
    Ok,
    /// No connection is made.
    Unreachable,
    /// It is lost on the way.
    Lost,
    /// Executed; the answer is lost.
    Mute,
    /// No answer; it arrives after so many more requests.
    Late(usize),
    /// Not executed; `is_success=F`, SYSTEM_ERROR.
    Fault,
    /// Executed, but the answer says that it is not known.
    DoneUnknown,
    /// Not executed, and the answer says that it is not known.
    Unknown,
    /// The same, but it is executed after so many more requests.
    Deferred(usize),
    /// Executed; signed by somebody else.
    Forged,
    /// Executed; the answer is an error page.
    Page,
    /// Executed; the answer is over the limit.
    Huge,
    /// Executed; the answer is that of another trade.
    Crossed,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Waiting,
    Paid,
    Closed,
    /// Closed by a full refund.
    Refunded,
    /// A cancel of nothing: query does not see it, a pay does.
    Mark,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Trade {
    pub(crate) state: State,
    pub(crate) amount: Amount,
}

/// What the buyer and the gateway are like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Temper {
    pub(crate) funds: bool,
    pub(crate) confirms: bool,
    pub(crate) code_good: bool,
    pub(crate) window_over: bool,
    pub(crate) frozen: bool,
    /// The merchant's funds are short.
    pub(crate) broke: bool,
    /// The time for refunds is over.
    pub(crate) too_late: bool,
    /// A refund that failed leaves no trace, so a late copy of it may yet be done.
    pub(crate) forgets: bool,
}

impl Default for Temper {
    fn default() -> Self {
        Self {
            funds: true,
            confirms: false,
            code_good: true,
            window_over: false,
            frozen: false,
            broke: false,
            too_late: false,
            forgets: false,
        }
    }
}

/// What became of a refund.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Given {
    Accepted,
    Back,
    FundsShort,
}

/// The gateway, the network and the clock.
pub(crate) struct World {
    pub(crate) temper: Cell<Temper>,
    pub(crate) trades: RefCell<BTreeMap<String, Trade>>,
    /// By number, with the number of the trade.
    pub(crate) refunds: RefCell<BTreeMap<String, (String, Amount, Given)>>,
    /// How often only the rule that no more goes back than was paid kept money from going back
    /// twice.
    pub(crate) saved_by_the_cap: Cell<u32>,
    pub(crate) fates: RefCell<Vec<Fate>>,
    pub(crate) log: RefCell<Vec<&'static str>>,
    in_flight: RefCell<Vec<(usize, HttpRequest)>>,
    now: Cell<Timestamp>,
}

impl World {
    pub(crate) fn new(temper: Temper, fates: Vec<Fate>) -> Self {
        Self {
            temper: Cell::new(temper),
            trades: RefCell::default(),
            refunds: RefCell::default(),
            saved_by_the_cap: Cell::default(),
            fates: RefCell::new(fates.into_iter().rev().collect()),
            log: RefCell::default(),
            in_flight: RefCell::default(),
            now: Cell::new(Timestamp::parse_compact("20261123120000").unwrap()),
        }
    }

    pub(crate) fn money_taken(&self, id: &str) -> bool {
        let trades = self.trades.borrow();
        trades
            .get(id)
            .is_some_and(|trade| trade.state == State::Paid)
    }

    pub(crate) fn answer_waiting(&self, accept: bool) {
        for trade in self.trades.borrow_mut().values_mut() {
            if trade.state == State::Waiting {
                trade.state = if accept { State::Paid } else { State::Closed };
            }
        }
    }

    /// People at the merchant's back office give everything back.
    pub(crate) fn refund_by_hand(&self) {
        for trade in self.trades.borrow_mut().values_mut() {
            if trade.state == State::Paid {
                trade.state = State::Refunded;
            }
        }
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Temper)) {
        let mut temper = self.temper.get();
        change(&mut temper);
        self.temper.set(temper);
    }

    /// Everything that was under way arrives, and nothing hinders it; buyers confirm whatever still
    /// waits.
    pub(crate) fn drain(&self) {
        self.change(|temper| {
            (temper.funds, temper.frozen, temper.window_over) = (true, false, false);
            (temper.broke, temper.too_late) = (false, false);
        });
        for (_, request) in self.in_flight.take() {
            self.execute(&request, Fate::Ok);
        }
        self.answer_waiting(true);
    }

    fn hold_back(&self, after: usize, request: &HttpRequest) {
        let late = (after, request.clone());
        self.in_flight.borrow_mut().push(late);
    }

    fn pass(&self, span: Span) {
        self.now.set(self.now.get().plus(span));
    }

    fn deliver_late(&self) {
        let mut due = Vec::new();
        self.in_flight.borrow_mut().retain_mut(|(after, request)| {
            let now = *after == 0;
            *after = after.saturating_sub(1);
            if now {
                due.push(request.clone());
            }
            !now
        });
        for request in due {
            self.execute(&request, Fate::Ok);
        }
    }

    fn execute(&self, request: &HttpRequest, fate: Fate) -> HttpAnswer {
        let (_, in_url) = request.url.split_once('?').unwrap();
        let form = Form::read(in_url.as_bytes(), request.body.as_bytes());
        let verifier = Verifier::Md5(MD5_KEY.parse().unwrap());
        assert!(
            canonical::verify(&form, &verifier, &mut Vec::new()).is_some(),
            "every request is signed"
        );
        let charset = form.answer_charset();
        let key = if fate == Fate::Forged {
            OTHER_KEY
        } else {
            MD5_KEY
        };
        let signer = Signer::Md5(key.parse().unwrap());
        let reply = |fields: &Fields<'_>| accepted(&form, fields, &signer);
        let body = match service(request) {
            "pay" => reply(&self.pay(&form, fate).fields()),
            "query" if matches!(fate, Fate::Unknown | Fate::DoneUnknown) => {
                rejected(charset, code::SYSTEM_ERROR)
            }
            "query" => reply(&self.query(&form, fate).fields()),
            "refund" => reply(&self.refund(&form, fate).fields()),
            "refund-query" => reply(&self.refund_query(&form).fields()),
            _ => reply(&self.cancel(&form, fate).fields(CancelName::Cancel)),
        };
        HttpAnswer {
            status: 200,
            content_type: charset.content_type().to_owned(),
            body,
        }
    }

    fn pay(&self, form: &Form, fate: Fate) -> pay::Answer {
        let request = pay::Request::parse(form).unwrap();
        let temper = self.temper.get();
        let mut trades = self.trades.borrow_mut();
        let failed = |code: code::WireCode| pay::Answer::Failed {
            error: code.code.into(),
            partner_trans_id: Some(request.partner_trans_id.clone()),
            alipay_trans_id: None,
        };
        let unknown = |error| pay::Answer::Unknown {
            error,
            partner_trans_id: Some(request.partner_trans_id.clone()),
            alipay_trans_id: None,
            amount: None,
        };
        if fate == Fate::Unknown {
            return unknown(Some(code::SYSTEM_ERROR.code.into()));
        }
        let id = request.partner_trans_id.as_str();
        let state = match trades.get(id) {
            Some(trade) if trade.state == State::Mark => State::Closed,
            Some(trade) if trade.amount != request.amount => {
                return failed(code::CONTEXT_INCONSISTENT);
            }
            Some(trade) => trade.state,
            None if !temper.code_good => return failed(code::SOUNDWAVE_PARSER_FAIL),
            None if !temper.funds => return failed(code::BUYER_BALANCE_NOT_ENOUGH),
            None => {
                let state = if temper.confirms {
                    State::Waiting
                } else {
                    State::Paid
                };
                let amount = request.amount;
                trades.insert(id.to_owned(), Trade { state, amount });
                state
            }
        };
        match state {
            _ if fate == Fate::DoneUnknown => unknown(Some(code::SYSTEM_ERROR.code.into())),
            State::Waiting => unknown(None),
            State::Closed | State::Refunded | State::Mark => failed(code::TRADE_HAS_CLOSE),
            State::Paid => pay::Answer::Success(Box::new(pay::Paid {
                partner_trans_id: echo(id, fate),
                alipay_trans_id: number(),
                pay_time: self.now.get(),
                amount: request.amount,
                buyer: None,
                payment_inst: Some(PaymentInst::AlipayHk),
                conversion: None,
            })),
        }
    }

    fn query(&self, form: &Form, fate: Fate) -> query::Answer {
        let id = query::Request::parse(form)
            .unwrap()
            .partner_trans_id
            .unwrap();
        let trades = self.trades.borrow();
        let status = match trades.get(id.as_str()).map(|trade| trade.state) {
            None | Some(State::Mark) => {
                return query::Answer::Failed {
                    error: code::TRADE_NOT_EXIST.code.into(),
                    partner_trans_id: Some(echo(id.as_str(), fate)),
                };
            }
            Some(State::Waiting) => query::TradeStatus::WaitBuyerPay,
            Some(State::Paid) => query::TradeStatus::TradeSuccess,
            Some(State::Closed | State::Refunded) => query::TradeStatus::TradeClosed,
        };
        query::Answer::Found(Box::new(query::Found {
            partner_trans_id: echo(id.as_str(), fate),
            alipay_trans_id: number(),
            status,
            amount: trades[id.as_str()].amount,
            pay_time: None,
            buyer: None,
            payment_inst: Some(PaymentInst::AlipayHk),
            conversion: None,
        }))
    }

    fn cancel(&self, form: &Form, fate: Fate) -> cancel::Answer {
        let request = cancel::Request::parse(CancelName::Cancel, form).unwrap();
        assert!(
            request.timestamp.is_some(),
            "a cancel says when it was made"
        );
        let id = request.partner_trans_id.unwrap();
        let temper = self.temper.get();
        let mut trades = self.trades.borrow_mut();
        let error = || code::SYSTEM_ERROR.code.into();
        let fail = |code: code::WireCode| cancel::Outcome::Failed {
            error: code.code.into(),
            may_retry: false,
        };
        let outcome = match trades.get_mut(id.as_str()) {
            _ if fate == Fate::Unknown => cancel::Outcome::Unknown { error: error() },
            Some(_) if temper.window_over => fail(code::TRADE_CANCEL_TIME_OUT),
            Some(_) if temper.frozen => fail(code::REASON_TRADE_BEEN_FREEZEN),
            Some(trade) => {
                let action = match trade.state {
                    State::Waiting => Some(cancel::Action::Close),
                    State::Paid => Some(cancel::Action::Refund),
                    State::Closed | State::Refunded | State::Mark => None,
                };
                if matches!(trade.state, State::Waiting | State::Paid) {
                    trade.state = State::Closed;
                }
                cancel::Outcome::Done { action, at: None }
            }
            None => {
                let mark = Trade {
                    state: State::Mark,
                    amount: hkd("1"),
                };
                trades.insert(id.to_string(), mark);
                cancel::Outcome::Done {
                    action: None,
                    at: None,
                }
            }
        };
        let outcome = match (fate, outcome) {
            (Fate::DoneUnknown, _) => cancel::Outcome::Unknown { error: error() },
            (_, outcome) => outcome,
        };
        cancel::Answer {
            partner_trans_id: Some(echo(id.as_str(), fate)),
            trade_no: None,
            outcome,
        }
    }
}

/// Refunds, which close their trade when they are of all of it.
impl World {
    fn refund(&self, form: &Form, fate: Fate) -> refund::Answer {
        let request = refund::Request::parse(form).unwrap();
        let about = || refund::About {
            partner_trans_id: Some(echo(request.partner_trans_id.as_str(), fate)),
            ..request.about()
        };
        let unknown = || refund::Answer::Unknown {
            error: None,
            about: about(),
        };
        if fate == Fate::Unknown {
            return unknown();
        }
        match self.give_back(&request) {
            _ if fate == Fate::DoneUnknown => unknown(),
            Err(code) => refund::Answer::Failed {
                error: code.code.into(),
                about: about(),
            },
            Ok(()) => refund::Answer::Success(Box::new(refund::Refunded {
                partner_trans_id: echo(request.partner_trans_id.as_str(), fate),
                alipay_trans_id: number(),
                partner_refund_id: request.partner_refund_id,
                amount: request.amount,
                conversion: None,
            })),
        }
    }

    fn give_back(&self, request: &refund::Request) -> Result<(), code::WireCode> {
        let (trade_id, id) = (
            request.partner_trans_id.to_string(),
            request.partner_refund_id.to_string(),
        );
        let mut refunds = self.refunds.borrow_mut();
        match refunds.get(&id) {
            Some((trade, amount, _)) if (trade, *amount) != (&trade_id, request.amount) => {
                return Err(code::DISCORDANT_REPEAT_REQUEST);
            }
            Some((_, _, Given::FundsShort)) => return Err(code::MERCHANT_BALANCE_NOT_ENOUGH),
            Some((_, _, Given::Accepted | Given::Back)) => return Ok(()),
            None => {}
        }
        let temper = self.temper.get();
        let mut trades = self.trades.borrow_mut();
        let trade = trades.get_mut(&trade_id).ok_or(code::TRADE_NOT_EXIST)?;
        match trade.state {
            State::Mark => return Err(code::TRADE_NOT_EXIST),
            State::Waiting | State::Closed => return Err(code::TRADE_STATUS_ERROR),
            State::Refunded => {
                let ours = refunds.values().any(|(_, _, given)| *given == Given::Back);
                let saved = self.saved_by_the_cap.get() + u32::from(ours);
                self.saved_by_the_cap.set(saved);
                return Err(above_the_rest());
            }
            State::Paid if temper.frozen => return Err(code::REASON_TRADE_BEEN_FREEZEN),
            State::Paid if temper.too_late => return Err(code::REFUNDMENT_VALID_DATE_EXCEED),
            State::Paid => {}
        }
        let left = trade.amount.money().minor();
        if request.amount.money().minor() > left {
            return Err(above_the_rest());
        }
        let given = match request.mode {
            RefundMode::Async => Given::Accepted,
            RefundMode::Sync if temper.broke => Given::FundsShort,
            RefundMode::Sync => Given::Back,
        };
        if given == Given::Back && request.amount == trade.amount {
            trade.state = State::Refunded;
        }
        if given != Given::FundsShort || !temper.forgets {
            refunds.insert(id, (trade_id, request.amount, given));
        }
        match given {
            Given::FundsShort => Err(code::MERCHANT_BALANCE_NOT_ENOUGH),
            Given::Accepted | Given::Back => Ok(()),
        }
    }

    fn refund_query(&self, form: &Form) -> refund_query::Answer {
        let request = refund_query::Request::parse(form).unwrap();
        let refunds = self.refunds.borrow();
        let Some((_, amount, given)) = refunds.get(&*request.out_return_no) else {
            return refund_query::Answer::Failed {
                error: code::NOT_FOUND.code.into(),
                out_trade_no: Some(request.out_trade_no),
                out_return_no: Some(request.out_return_no),
            };
        };
        let (status, error) = match given {
            Given::Accepted => (refund_query::RefundStatus::Processing, None),
            Given::Back => (refund_query::RefundStatus::Success, None),
            Given::FundsShort => (
                refund_query::RefundStatus::Failed,
                Some(code::MERCHANT_BALANCE_NOT_ENOUGH.code.into()),
            ),
        };
        refund_query::Answer::Found(Box::new(refund_query::Found {
            status,
            error,
            out_return_no: request.refund_id().unwrap(),
            out_trade_no: request.out_trade_no,
            trade_no: number(),
            gmt_create: self.now.get(),
            amount: Some(*amount),
            gmt_refund: None,
        }))
    }
}

fn above_the_rest() -> code::WireCode {
    *code::find("REFUND_AMT_NOT_EQUAL_TOTAL").unwrap()
}

fn echo(id: &str, fate: Fate) -> spotpay_client::PartnerTransId {
    let id = if fate == Fate::Crossed { "OTHER" } else { id };
    id.parse().unwrap()
}

fn number() -> spotpay_client::TradeNo {
    TradeId::from_i64(217_000_000_000_000_000).into()
}

pub(crate) fn service(request: &HttpRequest) -> &'static str {
    let is = |name: &str| request.body.contains(&format!("service={name}&"));
    if is("alipay.acquire.overseas.spot.pay") {
        "pay"
    } else if is("alipay.acquire.overseas.query") {
        "query"
    } else if is("alipay.acquire.overseas.spot.refund") {
        "refund"
    } else if is("alipay.acquire.refund.query") {
        "refund-query"
    } else {
        assert!(is("alipay.acquire.cancel"), "{}", request.body);
        "cancel"
    }
}

impl Transport for World {
    fn post(&self, request: &HttpRequest) -> Result<HttpAnswer, TransportFailure> {
        self.log.borrow_mut().push(service(request));
        self.deliver_late();
        let fate = self.fates.borrow_mut().pop().unwrap_or(Fate::Ok);
        self.pass(match fate {
            Fate::Unreachable => Span::seconds(3),
            Fate::Lost | Fate::Mute | Fate::Late(_) => Span::seconds(15),
            _ => Span::millis(100),
        });
        match fate {
            Fate::Unreachable => return Err(TransportFailure::never("refused")),
            Fate::Lost => return Err(TransportFailure::maybe("timed out")),
            Fate::Late(after) => {
                self.hold_back(after, request);
                return Err(TransportFailure::maybe("timed out"));
            }
            Fate::Fault => {
                let charset = spotpay_client::Charset::Gbk;
                return Ok(HttpAnswer {
                    status: 200,
                    content_type: charset.content_type().to_owned(),
                    body: rejected(charset, code::SYSTEM_ERROR),
                });
            }
            Fate::Deferred(after) => {
                self.hold_back(after, request);
                return Ok(self.execute(request, Fate::Unknown));
            }
            Fate::Ok
            | Fate::Mute
            | Fate::DoneUnknown
            | Fate::Unknown
            | Fate::Forged
            | Fate::Page
            | Fate::Huge
            | Fate::Crossed => {}
        }
        let mut answer = self.execute(request, fate);
        match fate {
            Fate::Mute => return Err(TransportFailure::maybe("timed out")),
            Fate::Page => {
                answer.status = 502;
                answer.content_type = "text/html".to_owned();
            }
            Fate::Huge => answer.body.resize(2_000_000, b' '),
            _ => {}
        }
        Ok(answer)
    }
}

impl Pace for World {
    fn now(&self) -> Timestamp {
        self.now.get()
    }

    fn monotonic(&self) -> Span {
        Span::micros(self.now.get().as_micros())
    }

    fn pause(&self, span: Span) {
        self.pass(span);
    }
}

/// Memory instead of a disk.
#[derive(Default)]
pub(crate) struct Memory(pub(crate) Vec<Fact>);

impl Memory {
    pub(crate) fn unfinished(&self) -> Vec<OpenCheckout> {
        let mut open: BTreeMap<CheckoutKey, OpenCheckout> = BTreeMap::new();
        for fact in &self.0 {
            let key = fact.key.clone();
            let known = match &fact.kind {
                FactKind::Begin { amount } => {
                    Some(OpenCheckout::new(key.clone(), *amount, fact.at))
                }
                kind => open.remove(&key).and_then(|open| open.after(kind)),
            };
            if let Some(known) = known {
                open.insert(key, known);
            }
        }
        open.into_values().collect()
    }
}

impl Journal for Memory {
    fn write(&mut self, fact: &Fact) -> Result<(), JournalError> {
        self.0.push(fact.clone());
        Ok(())
    }
}

/// `pay query query query cancel` as `pay query*3 cancel`.
pub(crate) fn folded(log: &[&str]) -> String {
    let mut text = String::new();
    for run in log.chunk_by(|left, right| left == right) {
        let blank = if text.is_empty() { "" } else { " " };
        match run.len() {
            1 => write!(text, "{blank}{}", run[0]),
            many => write!(text, "{blank}{}*{many}", run[0]),
        }
        .unwrap();
    }
    text
}
