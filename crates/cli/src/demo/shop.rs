//! What a till and a phone have in their hands: the sandbox's API, its clock, and a cable that fails.

use std::cell::{Cell, RefCell};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use spotpay_client::{
    Currency, HttpAnswer, HttpRequest, HttpTransport, Money, Pace, PaymentCode, Span, SystemPace,
    Timestamp, Transport, TransportFailure,
};
use spotpay_server::sandbox::parse_instant;

/// The sandbox API.
#[derive(Clone)]
pub(super) struct Api {
    http: HttpTransport,
    url: String,
}

impl Api {
    pub(super) const fn new(http: HttpTransport, url: String) -> Self {
        Self { http, url }
    }

    pub(super) fn fetch(&self, path: &str) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.url);
        done(&url, self.http.fetch(&url))
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.url);
        done(&url, self.http.post_json(&url, &body.to_string()))
    }

    /// A payment code, as the phone shows it.
    pub(super) fn code(&self, wallet: &str) -> anyhow::Result<PaymentCode> {
        let answer = self.post(&format!("/wallets/{wallet}/code"), &json!({}))?;
        text(&answer, "code")?
            .parse()
            .ok()
            .context("the phone shows something that is no payment code")
    }

    /// What the buyer answers; the sandbox's word where it refuses.
    pub(super) fn confirm(
        &self,
        wallet: &str,
        id: &str,
        accept: bool,
    ) -> anyhow::Result<Result<(), String>> {
        let url = format!("{}/wallets/{wallet}/confirm", self.url);
        let body = json!({"partner_trans_id": id, "accept": accept});
        let answer = self.http.post_json(&url, &body.to_string());
        match answer {
            Ok(answer) if (400..500).contains(&answer.status) => {
                let refusal: Value = serde_json::from_slice(&answer.body)?;
                Ok(Err(text(&refusal, "error")?.to_owned()))
            }
            Ok(_) | Err(_) => done(&url, answer).map(|_| Ok(())),
        }
    }

    /// What is in a wallet.
    pub(super) fn balance(&self, wallet: &str) -> anyhow::Result<Money> {
        let answer = self.fetch(&format!("/wallets/{wallet}"))?;
        money(&answer, "balance")
    }

    /// The balance of an account of the books; none where it has no entries.
    pub(super) fn account(&self, name: &str, currency: Currency) -> anyhow::Result<Money> {
        let books = self.fetch("/ledger/trial-balance")?;
        let accounts = books.get("accounts").and_then(Value::as_array);
        let found = accounts.into_iter().flatten().find(|account| {
            let is = |field: &str, word: &str| account.get(field).is_some_and(|it| *it == *word);
            is("account", name) && is("currency", currency.code())
        });
        found.map_or(Ok(Money::zero(currency)), |account| {
            money(account, "balance")
        })
    }

    fn now(&self) -> anyhow::Result<Timestamp> {
        instant(&self.fetch("/clock")?)
    }
}

/// The answer, or why there is none.
fn done(url: &str, answer: Result<HttpAnswer, TransportFailure>) -> anyhow::Result<Value> {
    let answer = answer.map_err(|failure| anyhow::anyhow!("{url}: {failure}"))?;
    if answer.status != 200 {
        let said = String::from_utf8_lossy(&answer.body);
        bail!("{url} answers {}: {said}", answer.status);
    }
    serde_json::from_slice(&answer.body).with_context(|| format!("{url} does not answer JSON"))
}

pub(super) fn text<'a>(answer: &'a Value, field: &str) -> anyhow::Result<&'a str> {
    let found = answer.get(field).and_then(Value::as_str);
    found.with_context(|| format!("the sandbox's answer has no {field}"))
}

fn money(answer: &Value, field: &str) -> anyhow::Result<Money> {
    let currency: Currency = text(answer, "currency")?
        .parse()
        .ok()
        .context("the sandbox names no known currency")?;
    let text = text(answer, field)?;
    Money::parse_major(text, currency).with_context(|| format!("{field} is {text:?}"))
}

fn instant(answer: &Value) -> anyhow::Result<Timestamp> {
    let now = text(answer, "now")?;
    parse_instant(now).with_context(|| format!("the sandbox's clock says {now:?}"))
}

/// What a buyer will do on the phone.
pub(super) struct Plan {
    pub(super) wallet: &'static str,
    pub(super) id: &'static str,
    pub(super) accept: bool,
    pub(super) at: Timestamp,
}

/// The time in the shop: the sandbox's. Whoever waits moves it.
pub(super) struct ShopClock {
    api: Api,
    system: SystemPace,
    /// From the machine's clock to the sandbox's.
    ahead: Cell<Span>,
    plan: RefCell<Option<Plan>>,
    /// What went wrong while a till waited.
    trouble: RefCell<Option<anyhow::Error>>,
}

impl ShopClock {
    pub(super) fn new(api: Api) -> anyhow::Result<Self> {
        let system = SystemPace::new();
        let ahead = api.now()?.since(system.now());
        Ok(Self {
            api,
            system,
            ahead: Cell::new(ahead),
            plan: RefCell::default(),
            trouble: RefCell::default(),
        })
    }

    /// Moves the sandbox clock, as `POST /clock` takes it.
    pub(super) fn turn(&self, body: &Value) -> anyhow::Result<()> {
        let now = instant(&self.api.post("/clock", body)?)?;
        self.ahead.set(now.since(self.system.now()));
        Ok(())
    }

    pub(super) fn advance(&self, span: Span) -> anyhow::Result<()> {
        let micros = span.as_micros();
        let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
        self.turn(&json!({"advance": format!("PT{seconds}.{rest:06}S")}))
    }

    /// A buyer will look at the phone while a till waits.
    pub(super) fn expect(&self, plan: Option<Plan>) {
        self.plan.replace(plan);
    }

    /// What went wrong while a till waited, once.
    pub(super) fn trouble(&self) -> anyhow::Result<()> {
        self.trouble.take().map_or(Ok(()), Err)
    }

    fn pass(&self, span: Span) -> anyhow::Result<()> {
        self.advance(span)?;
        let due = self.plan.borrow_mut().take_if(|plan| plan.at <= self.now());
        if let Some(plan) = due {
            let answered = self.api.confirm(plan.wallet, plan.id, plan.accept)?;
            if let Err(word) = answered {
                bail!("the phone may not answer: {word}");
            }
        }
        Ok(())
    }
}

impl Pace for ShopClock {
    fn now(&self) -> Timestamp {
        self.system.now().plus(self.ahead.get())
    }

    fn monotonic(&self) -> Span {
        let (own, ahead) = (self.system.monotonic(), self.ahead.get());
        Span::micros(own.as_micros().saturating_add(ahead.as_micros()))
    }

    fn pause(&self, span: Span) {
        if let Err(error) = self.pass(span) {
            // The till's own time goes on, so that it comes to its limit.
            let ahead = self
                .ahead
                .get()
                .as_micros()
                .saturating_add(span.as_micros());
            self.ahead.set(Span::micros(ahead));
            self.trouble.borrow_mut().get_or_insert(error);
        }
    }
}

/// How the network behaves.
#[derive(Clone, Copy)]
pub(super) enum Weather {
    Fair,
    /// The next request gets through, and its answer does not come back.
    LosesAnswer,
    /// The same, and from then on nothing gets through.
    Breaks,
    Broken,
}

/// The till's way to the gateway.
pub(super) struct Cable {
    http: HttpTransport,
    weather: Cell<Weather>,
}

impl Cable {
    pub(super) const fn new(http: HttpTransport) -> Self {
        Self {
            http,
            weather: Cell::new(Weather::Fair),
        }
    }

    pub(super) fn turn(&self, weather: Weather) {
        self.weather.set(weather);
    }

    fn lose(&self, request: &HttpRequest, then: Weather) -> Result<HttpAnswer, TransportFailure> {
        self.http.post(request)?;
        self.weather.set(then);
        Err(TransportFailure::maybe("the demo lost the answer"))
    }
}

impl Transport for Cable {
    fn post(&self, request: &HttpRequest) -> Result<HttpAnswer, TransportFailure> {
        match self.weather.get() {
            Weather::Fair => self.http.post(request),
            Weather::LosesAnswer => self.lose(request, Weather::Fair),
            Weather::Breaks => self.lose(request, Weather::Broken),
            Weather::Broken => Err(TransportFailure::never("the demo has cut the cable")),
        }
    }
}
