//! A partner's till: signed requests out, verified answers in.

use serde_json::{Value, json};
use spotpay_core::id::PartnerId;
use spotpay_core::money::{Amount, Currency, Money};
use spotpay_core::payment_code::{Alias, CodeLength, CodeSecret, PaymentCode, SLOT};
use spotpay_core::refund::RefundMode;
use spotpay_core::time::{Span, Timestamp};
use spotpay_core::trade::CancelName;
use spotpay_wire::charset::Charset;
use spotpay_wire::pay::{self, CodeType, StoreData};
use spotpay_wire::signature::Signer;
use spotpay_wire::xml::{AnswerDoc, read_answer};
use spotpay_wire::{cancel, query, refund, refund_query, request};

use super::Gateway;
use super::line::{HttpAnswer, Line};

/// A partner that signs with MD5, at its default store.
pub(crate) struct Till {
    partner: PartnerId,
    signer: Signer,
}

/// What an answer says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Heard {
    /// `result_code` is SUCCESS; of a query the state of the trade or refund.
    Success(String),
    /// `result_code` is FAILED or FAIL.
    Failed(String),
    /// `result_code` is UNKNOW or UNKNOWN.
    Unknown(String),
    /// `is_success` is F.
    Rejected(String),
}

impl Heard {
    pub(crate) fn is_success(&self) -> bool {
        matches!(self, Self::Success(_))
    }

    /// The answer to a query of a trade in this state.
    pub(crate) fn is(&self, state: &str) -> bool {
        *self == Self::Success(state.to_owned())
    }
}

impl Till {
    /// One of the seeded partners.
    pub(crate) fn of(gateway: &Gateway, name: &str) -> Self {
        let sandbox = gateway.fetch("/sandbox.json");
        let partners = sandbox["partners"].as_array().expect("partners");
        let found = partners.iter().find(|partner| partner["name"] == name);
        Self::new(found.expect("the partner"))
    }

    /// A partner as the sandbox API tells it.
    pub(crate) fn new(partner: &Value) -> Self {
        let text = |field: &str| partner[field].as_str().expect("text");
        Self {
            partner: text("partner_id").parse().expect("an id"),
            signer: Signer::Md5(text("md5_key").parse().expect("a key")),
        }
    }

    /// A payment of so many HKD cents.
    pub(crate) fn pay(&self, id: &str, amount: i64, code: &str) -> Vec<u8> {
        let amount = Amount::new(Money::of_minor(amount, Currency::HKD)).expect("an amount");
        let request = pay::Request {
            partner: self.partner,
            partner_trans_id: id.parse().expect("an id"),
            amount,
            trans_currency: None,
            trans_name: "Tea".into(),
            code: Ok(code.parse().expect("a code")),
            code_type: CodeType::Barcode,
            trans_create_time: None,
            quantity: None,
            memo: None,
            notify_url: None,
            store: StoreData::default(),
        };
        self.http(request.params())
    }

    pub(crate) fn query(&self, id: &str) -> Vec<u8> {
        let request = query::Request {
            partner: self.partner,
            partner_trans_id: Some(id.parse().expect("an id")),
            alipay_trans_id: None,
        };
        self.http(request.params())
    }

    pub(crate) fn cancel(&self, id: &str) -> Vec<u8> {
        let request = cancel::Request {
            partner: self.partner,
            name: CancelName::Cancel,
            partner_trans_id: Some(id.parse().expect("an id")),
            trade_no: None,
            timestamp: None,
        };
        self.http(request.params())
    }

    /// An asynchronous refund of so many HKD cents.
    pub(crate) fn refund_later(&self, id: &str, refund: &str, amount: i64) -> Vec<u8> {
        self.refund(id, refund, amount, RefundMode::Async)
    }

    /// A synchronous one.
    pub(crate) fn refund_now(&self, id: &str, refund: &str, amount: i64) -> Vec<u8> {
        self.refund(id, refund, amount, RefundMode::Sync)
    }

    fn refund(&self, id: &str, refund: &str, amount: i64, mode: RefundMode) -> Vec<u8> {
        let amount = Amount::new(Money::of_minor(amount, Currency::HKD)).expect("an amount");
        let request = refund::Request {
            partner: self.partner,
            partner_trans_id: id.parse().expect("an id"),
            alipay_trans_id: None,
            partner_refund_id: refund.parse().expect("an id"),
            amount,
            reason: None,
            mode,
            notify_url: None,
        };
        self.http(request.params())
    }

    pub(crate) fn refund_query(&self, id: &str, refund: &str) -> Vec<u8> {
        let request = refund_query::Request {
            partner: self.partner,
            out_trade_no: id.parse().expect("an id"),
            out_return_no: refund.into(),
        };
        self.http(request.params())
    }

    fn http<V: AsRef<str>>(&self, params: Vec<(&'static str, V)>) -> Vec<u8> {
        let signed = request::sign(Charset::Utf8, params, &self.signer);
        let head = format!(
            "POST /gateway.do?{} HTTP/1.1\r\nhost: t\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\n\r\n",
            signed.query,
            signed.body.len()
        );
        [head.as_bytes(), signed.body.as_bytes()].concat()
    }

    /// Asks on an open connection.
    pub(crate) fn ask(&self, line: &mut Line, request: &[u8]) -> std::io::Result<Heard> {
        line.ask(request).map(|answer| self.hear(&answer))
    }

    /// Asks on a connection of its own.
    pub(crate) fn ask_once(&self, gateway: &Gateway, request: &[u8]) -> Heard {
        let answer = self.ask(&mut gateway.line(), request);
        answer.unwrap_or_else(|error| panic!("no answer: {error}\n{}", gateway.log()))
    }

    /// Reads an answer and verifies its signature.
    pub(crate) fn hear(&self, answer: &HttpAnswer) -> Heard {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let content_type = answer.header("content-type").unwrap_or_default();
        assert!(content_type.starts_with("text/xml;"), "{content_type}");
        let said = match read_answer(&answer.body, content_type) {
            Ok(AnswerDoc::Accepted(said)) => said,
            Ok(AnswerDoc::Rejected { error }) => return Heard::Rejected(error),
            Err(error) => panic!("{error}: {}", answer.text()),
        };
        assert!(said.verify(&self.signer.verifier()), "{}", answer.text());
        let word = |name| said.get(name).unwrap_or_default().to_owned();
        let error = [word("error"), word("detail_error_code")].join("");
        let state = [word("alipay_trans_status"), word("refund_result_code")].join("");
        match [word("result_code"), word("response_code")]
            .join("")
            .as_str()
        {
            "SUCCESS" => Heard::Success(state),
            "FAILED" | "FAIL" => Heard::Failed(error),
            "UNKNOW" | "UNKNOWN" => Heard::Unknown(error),
            other => panic!("result_code {other}: {}", answer.text()),
        }
    }
}

/// Phones of wallets with 10,000.00 HKD each.
pub(crate) struct Phones {
    phones: Vec<(String, String, Alias, CodeSecret)>,
    now: Timestamp,
}

/// What each of [`Phones`] begins with, in cents.
pub(crate) const PURSE: i64 = 1_000_000;

impl Phones {
    /// Phones that ask their owners to confirm each payment.
    pub(crate) fn asking(gateway: &Gateway, count: usize) -> Self {
        let phones = Self::hire(gateway, count);
        for (_, name, ..) in &phones.phones {
            let path = format!("/sandbox/v1/wallets/{name}");
            let answer = gateway.ask("PATCH", &path, r#"{"confirm":true}"#);
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        phones
    }

    pub(crate) fn hire(gateway: &Gateway, count: usize) -> Self {
        let wish = json!({"payment_inst": "ALIPAYHK", "balance": "10000.00", "count": count});
        let made = gateway.post("/wallets", &wish);
        let made = made["wallets"].as_array().expect("wallets");
        let clock = gateway.fetch("/clock");
        let now = clock["now"].as_str().expect("an instant");
        Self {
            phones: made.iter().map(phone).collect(),
            now: spotpay_server::sandbox::parse_instant(now).expect("an instant"),
        }
    }

    /// The code that a phone showed so many slots ago, of which there are eight, and its wallet.
    pub(crate) fn code(&self, number: usize) -> (&str, PaymentCode) {
        let (wallet, _, alias, secret) = &self.phones[number % self.phones.len()];
        let back = i64::try_from(number / self.phones.len()).expect("a small number");
        assert!(back < 8, "the phones have no codes left");
        let at = self.now.minus(Span::micros(SLOT.as_micros() * back));
        let code = PaymentCode::make(*alias, secret, at, CodeLength::Short);
        (wallet, code)
    }

    /// The name of the wallet whose code it is.
    pub(crate) fn owner(&self, number: usize) -> &str {
        &self.phones[number % self.phones.len()].1
    }

    /// How many codes there are.
    pub(crate) fn codes(&self) -> usize {
        self.phones.len() * 8
    }

    /// Their wallets.
    pub(crate) fn wallets(&self) -> impl Iterator<Item = &str> {
        self.phones.iter().map(|(wallet, ..)| wallet.as_str())
    }
}

fn phone(wallet: &Value) -> (String, String, Alias, CodeSecret) {
    let text = |field: &str| wallet[field].as_str().expect("text");
    let alias = text("alias").parse().ok().and_then(Alias::from_number);
    let hex = text("secret");
    let byte = |place: usize| u8::from_str_radix(&hex[place * 2..place * 2 + 2], 16);
    let secret = std::array::from_fn(|place| byte(place).expect("hex"));
    (
        text("wallet_id").to_owned(),
        text("name").to_owned(),
        alias.expect("an alias"),
        CodeSecret::new(secret),
    )
}
